/* Ridge regression of many targets on shared predictors, the linear counterpart of boost.h and forest.h.
 *
 * Predictors x and target y are taken over all cells to mean 0 and variance 1; b minimises |y - x b|^2 / cells + lambda |b|^2. lambda
 * is chosen for each target by generalised cross-validation (Golub, Heath & Wahba 1979): of GRN_RIDGE_GRID values, four to a factor of
 * ten, from 1000 down to 0.0001 of the mean of the eigenvalues that need not be 0, the one of the smallest
 * cells |y - x b|^2 / (cells - 1 - df)^2, the largest of equals; df is the trace of the hat matrix, 1 is the mean. Importance: |b| as
 * a share of their sum.
 *
 * One eigendecomposition of the predictors' correlations serves all targets and lambdas; a target that is itself a predictor is
 * regressed on the others, exactly, by taking that predictor's part out of the inverse (b, the residuals and df alike).
 *
 * Nothing depends on the order of cells or predictors (they are taken in the order of their names' hashes), on threads, or on the
 * company of other targets. Memory: 8 bytes a stored value, 24 p^2 while decomposing, then 16 p^2, and per worker 4 cells + 208 p. */
#ifndef GRN_BOOST_RIDGE_H
#define GRN_BOOST_RIDGE_H

#include "boost/boost.h"

#define GRN_RIDGE_GRID 29
double grn_ridge_lambda(size_t k, size_t n, size_t p); /* of n cells and p predictors; from the largest down */

typedef struct {
    size_t n, p;         /* cells, predictors */
    const uint64_t *off; /* (p + 1) sparse columns as in bins.h */
    const uint32_t *idx;
    const float *val;
    const uint64_t *cell_key, *name_key; /* (n), (p) hashes of names */
} grn_ridge_space_t;

/* fn as for grn_boost_many; for n_trees it is told 1, or 0 where the target, or all there is to predict it, is constant (importance
 * all 0). lambda: (n_targets) out, 0 where nothing was fitted; may be NULL. GRN_EINVAL: no predictors, fewer than two cells;
 * GRN_EUNSUP: more than 32,000 predictors; GRN_ENONFINITE; GRN_ENOMEM; what fn returns. */
grn_status grn_ridge_many(const grn_ridge_space_t *space, const grn_boost_target_t *target, size_t n_targets, grn_par_t *pool,
                          grn_boost_fn fn, void *ctx, double *lambda) GRN_MUST_USE;

#endif
