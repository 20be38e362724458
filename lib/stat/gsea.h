/* Gene set enrichment in a ranking of weighted genes (Subramanian et al. 2005, PNAS 102:15545; weight exponent 1).
 *
 * N genes in falling order of weight w > 0, h of them hits (0 < h < N). RS(i) = (weight of the hits among the first i) / (weight of
 * all hits) - (others among the first i) / (N - h). ES is RS where it is farthest from 0, the negative side when both are equal.
 * Values of RS within 1e-12 are equal; the first of equal extremes counts. RS turns only at hits, so ES costs O(h): it rises to its
 * maxima at hits and falls to its minima just in front of them. */
#ifndef GRN_STAT_GSEA_H
#define GRN_STAT_GSEA_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/rng.h"

/* ES of the hits at places hit[0..h) (ascending, from 0). *peak: the leading edge is, for ES > 0, the hits at places <= *peak, else
 * those at places >= *peak. NaN (*peak 0) when h is 0 or n. */
double grn_gsea_es(const double *w, size_t n, const uint32_t *hit, size_t h, uint32_t *peak);

/* ES of hits at random places, for several numbers of hits at once. Zeroed is valid; kept between calls by one thread. */
typedef struct {
    double *es; /* (n_h, n_perm) */
    size_t n_h, n_perm, es_cap;
    struct grn_gsea_side {
        double mean_pos, mean_neg; /* of the values >= 0, of those < 0 (as a positive number) */
        size_t n_pos, n_neg;
    } *side; /* (n_h) */
    size_t side_cap;
    uint64_t *bit; /* scratch: places that are hits */
    size_t bit_cap;
} grn_gsea_null_t;
void grn_gsea_null_clear(grn_gsea_null_t *z);

/* n_perm draws. In draw i the hits are the first h[k] places of a random order of the n, that of the stream (seed, "gsea.null",
 * object, i): the null of one number of hits is a function of these alone, whatever the other numbers are. h: n_h numbers, rising.
 * GRN_EINVAL unless 0 < h[k] < h[k + 1] < n < 2^31 and n_perm > 0. O(largest h) random numbers (more when it is near n) and O(h[k] +
 * n / 64) time for each k, per draw. */
grn_status grn_gsea_null(grn_gsea_null_t *z, const double *w, size_t n, const uint32_t *h, size_t n_h, size_t n_perm, uint64_t seed,
                         uint64_t object) GRN_MUST_USE;

/* An ES of h[k] hits: *nes = ES / mean size of the null values of its sign, NaN when there are none; *p = (1 + those at least as far
 * from 0) / (1 + those of its sign). */
void grn_gsea_test(const grn_gsea_null_t *z, size_t k, double es, double *nes, double *p);

#endif
