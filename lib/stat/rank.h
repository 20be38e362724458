/* Average ranks with ties, of dense vectors and of sparse columns whose zeros are implicit.
 *
 * Ranks are 1-based and half-integers; a group of t tied values shares the mean of the ranks it
 * covers. -0 ties with 0. NaN and infinities have no rank and are refused. A grn_rank_t is scratch
 * of one thread: zeroed is valid, kept between calls. */
#ifndef GRN_STAT_RANK_H
#define GRN_STAT_RANK_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

typedef struct {
    uint64_t *key, *tmp; /* (cap) value bits above, position below; after a call key is sorted */
    size_t cap, tmp_cap;
} grn_rank_t;

void grn_rank_clear(grn_rank_t *w); /* frees; reusable */

/* rank[i] = average rank of x[i] among x[0..n-1]. *ties (may be NULL) = sum over tie groups of t^3
 * - t. GRN_EINVAL: n >= 2^32; GRN_ENONFINITE names the first bad place (rank undefined);
 * GRN_ENOMEM. n = 0 is fine. O(n) for n >= 256 (radix sort), O(n log n) below. */
grn_status grn_rank_avg(grn_rank_t *w, const float *x, size_t n, double *rank,
                        double *ties) GRN_MUST_USE;

/* The same for a column of n values of which n_nz are stored in val and the rest are zero: rank[k]
 * of the k-th stored value among all n, *zero_rank = the rank every zero shares (also stored zeros;
 * if there is none: where a zero would go, between two ranks). Negative values are ordered before
 * the zeros. GRN_EINVAL if n_nz > n. */
grn_status grn_rank_avg_sparse(grn_rank_t *w, const float *val, size_t n_nz, size_t n, double *rank,
                               double *zero_rank, double *ties) GRN_MUST_USE;

#endif
