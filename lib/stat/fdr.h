/* False discovery rate of many tests (Benjamini & Hochberg 1995). */
#ifndef GRN_STAT_FDR_H
#define GRN_STAT_FDR_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Adjusted values: with the p sorted, q_(i) = min over j >= i of p_(j) m / j, at most 1, where m
 * counts the p that are not NaN. NaN tests are left out and stay NaN in q; *n_nan (may be NULL)
 * counts them. p and q: n values, q may be p. GRN_EINVAL names the first p outside [0, 1]; q is
 * then untouched. O(n log n). */
grn_status grn_fdr_bh(const double *p, size_t n, double *q, size_t *n_nan) GRN_MUST_USE;

/* The same when only some of the tests are at hand: p are n of `m` tests in all (NaN left out and
 * not counted among the m). Exact when the others all have larger p and would not lower the
 * minimum; never smaller than exact in any case. GRN_EINVAL also if m < n without NaN. */
grn_status grn_fdr_bh_some(const double *p, size_t n, double m, double *q) GRN_MUST_USE;

/* q of n values against those of `runs` runs under a null: null values of at least x, per run, over values of at least x, at most 1 and
 * not more than that of a smaller x; equal values have the q of the last of them. Values of 0 or less stand for nothing found: 1, and the
 * null may leave its own out. null (n_null) is sorted in place. Finite values. GRN_ENOMEM. O((n + n_null) log). */
grn_status grn_fdr_null(const float *x, size_t n, float *null, size_t n_null, size_t runs, float *q) GRN_MUST_USE;

/* The same from counts: values and values under a null, by bin of ascending value. q[b] for values of bin b: the share of the null in
 * bins from b on, with one more there than was seen, over that of the values, at most 1 and not more than that of a lower bin. So the
 * smallest q that can be had is as large as the null is small. Nothing under the null: 1. */
void grn_fdr_binned(const uint64_t *bins, const uint64_t *null, size_t n_bins, double *q);

#endif
