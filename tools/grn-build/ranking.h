/* Rankings of regions by a motif's score: rank 0 is the best, every rank is used once.
 *
 * Equal scores are ordered by a key made of the seed, the motif's name and the region's name, so that a ranking depends neither on
 * the order of the input nor on threads (create_cisTarget_databases breaks ties by unseeded or order-bound shuffles). */
#ifndef GRN_BUILD_RANKING_H
#define GRN_BUILD_RANKING_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/names.h"

typedef struct { /* of one thread; zeroed is valid, kept between calls */
    uint64_t *key, *tmp;
    size_t cap;
} grn_ranking_t;
void grn_ranking_clear(grn_ranking_t *w);

/* hash[i] = grn_hash_str of name i: what tells regions apart. hash: (names->n) */
void grn_ranking_hashes(const grn_names_t *names, uint64_t *hash);

/* rank[i] of score[i] among n regions (n < 2^32), falling; motif: hash of the motif's name. Scores of -0 and 0 are equal.
 * GRN_ENONFINITE, GRN_EINVAL, GRN_ENOMEM. O(n) by radix sort. */
grn_status grn_ranking_of(grn_ranking_t *w, const float *score, const uint64_t *hash, size_t n, uint64_t seed, uint64_t motif,
                          uint32_t *rank) GRN_MUST_USE;

/* The probability Q that n independent uniform rank ratios lie at or below r (0 < r <= 1, any order) at every place of their sorted
 * order: Stuart et al. 2003; Aerts et al. 2006. r is sorted in place. n = 0 gives 1; n <= 512 (NaN beyond). Free of cancellation. */
double grn_ranking_q(double *r, size_t n);

#endif
