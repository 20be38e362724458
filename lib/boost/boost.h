/* Gradient boosting of many targets over shared predictors: GRNBoost2 (Moerman 2019) and the region -> gene step of SCENIC+.
 *
 * Squared error, trees of depth 3 grown by friedman_mse's gain, each node looking at a tenth of the predictors, each tree at nine
 * tenths of the cells, learning rate 0.01; a target is done when the mean gain of its last 25 trees over the cells they did not see is
 * negative. Importances as scikit-learn has them: the decrease of the sum of squares of a predictor's splits, over all trees, as
 * shares.
 *
 * Unlike there, nothing depends on the order of cells or predictors, on threads, or on which targets are asked for together: draws are
 * keyed by names (draw.h), sums are exact (tree.h). Memory: the bins; where cells are cut into blocks (tree.h), 2 bytes a value and
 * 8 a run and block; per worker 24 n + 4 n targets of a batch (of 512 at most, 256 MB) and 0.5 MB. */
#ifndef GRN_BOOST_BOOST_H
#define GRN_BOOST_BOOST_H

#include "base/par.h"
#include "boost/bins.h"
#include "boost/tree.h"
#include "stat/corr.h"

typedef struct {
    uint64_t seed;
    double rate; /* of learning */
    size_t max_trees;
    double predictors; /* share of the predictors a node looks at */
    double subsample;  /* share of the cells a tree sees */
    size_t window;     /* trees whose mean gain decides; 0: always max_trees */
} grn_boost_opt_t;
#define GRN_BOOST_OPT_GRNBOOST2 \
    { \
        666, 0.01, 5000, 0.1, 0.9, 25 \
    }
#define GRN_BOOST_OPT_SCENICPLUS_R2G \
    { \
        666, 0.01, 500, 0.1, 1, 0 \
    }

typedef struct { /* the space of predictors */
    const grn_bins_t *bins;
    const uint64_t *cell_key; /* (bins->n) hashes of the cells' names */
    const uint64_t *name_key; /* (p) of the predictors' */
    const uint32_t *column;   /* (p) columns of bins; NULL: all of them */
    size_t p;
} grn_boost_space_t;

typedef struct {
    grn_spcol_t y;
    uint32_t self; /* the predictor that is this target; GRN_TREE_NOBODY */
} grn_boost_target_t;

/* Called once per target, from any worker, in no order: importance (p) sums to 1, or is all 0 when no tree has a split (a constant
 * target is given no trees). */
typedef grn_status (*grn_boost_fn)(void *ctx, size_t target, size_t n_trees, const double *importance, int worker);

/* GRN_EINVAL: no predictors, fewer than two cells; GRN_ENONFINITE; GRN_ENOMEM; what fn returns. */
grn_status grn_boost_many(const grn_boost_opt_t *opt, const grn_boost_space_t *space, const grn_boost_target_t *target,
                          size_t n_targets, grn_par_t *pool, grn_boost_fn fn, void *ctx) GRN_MUST_USE;

/* ---- one target with predictors of its own ---- */

typedef struct { /* a fitted tree: leaf by the rules of tree.h; step: in units of the target */
    grn_tree_split_t split[GRN_DRAW_NODES];
    double step[GRN_TREE_LEAVES];
} grn_boost_tree_t;

typedef struct { /* prediction: mean + the sum of the trees' steps */
    double mean;
    grn_boost_tree_t *tree;
    size_t n, cap;
} grn_boost_model_t;

void grn_boost_model_clear(grn_boost_model_t *m); /* accepts zeroed */
/* value(ctx, j): of predictor j of the space. */
typedef double (*grn_boost_value_fn)(const void *ctx, uint32_t predictor);
double grn_boost_predict(const grn_boost_model_t *m, grn_boost_value_fn value, const void *ctx);

typedef struct grn_boost_scratch_s grn_boost_scratch_t; /* of one worker, for any number of targets */
grn_status grn_boost_scratch_create(grn_boost_scratch_t **s) GRN_MUST_USE;
void grn_boost_scratch_destroy(grn_boost_scratch_t *s); /* accepts NULL */

/* importance: (p) out, as above. model (may be NULL): emptied and filled. Same numbers as grn_boost_many. */
grn_status grn_boost_one(const grn_boost_opt_t *opt, const grn_boost_space_t *space, const grn_boost_target_t *target,
                         grn_boost_scratch_t *s, double *importance, size_t *n_trees, grn_boost_model_t *model) GRN_MUST_USE;

#endif
