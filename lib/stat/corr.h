/* Correlation of dense vectors and of sparse columns (implicit zeros): Pearson, Spearman with tied
 * ranks, Kendall's tau-b.
 *
 * All sums are in double and in the order of the cells, so results depend on nothing but the values
 * in that order; sums of ranks are exact. A constant vector, or fewer than two values, has no
 * correlation: NaN. Functions without a pool are thread safe. Pearson is clamped to [-1, 1]. */
#ifndef GRN_STAT_CORR_H
#define GRN_STAT_CORR_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/par.h"

typedef struct { /* one sparse column: n values, n_nz of them stored at ascending places; borrowed
                  */
    size_t n, n_nz;
    const uint32_t *idx;
    const float *val;
} grn_spcol_t;

double grn_corr_pearson(const float *x, const float *y, size_t n);
double grn_corr_pearson_sp(const grn_spcol_t *x, const grn_spcol_t *y); /* equal n; O(n_nz) */

/* Pearson of average ranks. GRN_ENONFINITE, GRN_ENOMEM. Sparse: O(n_nz log n_nz), zeros never
 * visited. */
grn_status grn_corr_spearman(const float *x, const float *y, size_t n, double *rho) GRN_MUST_USE;
grn_status grn_corr_spearman_sp(const grn_spcol_t *x, const grn_spcol_t *y,
                                double *rho) GRN_MUST_USE;

/* Kendall's tau-b by Knight (1966): sort by x, count the exchanges of sorting by y; sparse: the
 * cells where both are zero are one tied block, so O(u log u) in the u cells where either is not.
 * *p (may be NULL): two-sided normal approximation with the tie-corrected variance (Kendall 1970);
 * NaN when tau is. GRN_ENONFINITE, GRN_ENOMEM. */
grn_status grn_corr_kendall(const float *x, const float *y, size_t n, double *tau,
                            double *p) GRN_MUST_USE;
grn_status grn_corr_kendall_sp(const grn_spcol_t *x, const grn_spcol_t *y, double *tau,
                               double *p) GRN_MUST_USE;

/* Two-sided p of a Pearson or Spearman r over n pairs, by Student's t with n - 2 degrees of
 * freedom: exact for Pearson of normal data, the usual approximation for Spearman. NaN if r is NaN
 * or n < 3; 0 if |r| = 1. */
double grn_corr_p(double r, size_t n);

/* ---- many columns at once ---- */

/* A block of sparse columns over the same n cells (CSC; off, idx, val borrowed) made ready for
 * correlations: for each column mean and norm (root of the centred sum of squares), and its ranks
 * less the rank of a zero, which are zero where the column is: Spearman costs what Pearson costs.
 */
typedef struct {
    size_t n, n_cols;
    const uint64_t *off;           /* (n_cols + 1) */
    const uint32_t *idx;           /* (off[n_cols]) cell, ascending in a column */
    const float *val;              /* (off[n_cols]) */
    float *rank;                   /* (off[n_cols]) rank - rank of zero; exact below 2^23 cells */
    double *mean, *norm;           /* (n_cols) of val */
    double *rank_mean, *rank_norm; /* (n_cols) of rank */
} grn_corr_cols_t;

/* GRN_EINVAL: n >= 2^23; GRN_ENONFINITE; GRN_ENOMEM. Same bits for any pool. */
grn_status grn_corr_cols_init(grn_corr_cols_t *c, size_t n, size_t n_cols, const uint64_t *off,
                              const uint32_t *idx, const float *val, grn_par_t *pool) GRN_MUST_USE;
void grn_corr_cols_clear(grn_corr_cols_t *c); /* frees what init made; not off, idx, val */

/* Scratch of one column spread over the cells: 2 n floats, zeroed once by the caller, zeroed again
 * by drop. */
void grn_corr_spread(const grn_corr_cols_t *c, size_t j, float *val, float *rank);
void grn_corr_drop(const grn_corr_cols_t *c, size_t j, float *val, float *rank);
/* Pearson and Spearman of column i of `a` with column j of `b`, which is spread in val, rank.
 * O(n_nz of column i). */
void grn_corr_pair(const grn_corr_cols_t *a, size_t i, const grn_corr_cols_t *b, size_t j,
                   const float *val, const float *rank, double *pearson, double *spearman);

#endif
