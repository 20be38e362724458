/* Random forests of many targets over shared predictors: GENIE3 (Huynh-Thu 2010), with the settings of arboreto and scikit-learn.
 *
 * Every tree is grown on as many cells as there are, drawn with replacement, until the cells of a leaf have one value of the target, or
 * one value of every predictor. A node looks at max(1, trunc(sqrt(predictors))) of them, constant ones among them counted; it goes on
 * beyond only while all it has met are constant. The split is the one of the least sum of squares, the first met among equals.
 * Importance: the decrease of the sum of squares at a predictor's splits, as a share of the tree's, averaged over trees.
 *
 * Draws are functions of (seed, tree, path to the node) and of the names' hashes, in whose order cells and predictors are laid out;
 * sums are of whole numbers. So nothing depends on the order of cells or predictors, on threads, or on the company of other targets.
 * Splits are those of sorting the cells at every node as long as bins hold every value (bins.h). Memory: predictors x cells bytes (two
 * each where some predictor has more than 256 values), an eighth of that for bits, and per worker 36 bytes a cell. */
#ifndef GRN_BOOST_FOREST_H
#define GRN_BOOST_FOREST_H

#include "base/rng.h"
#include "boost/boost.h"

typedef struct {
    uint64_t seed;
    size_t n_trees;
    size_t max_features; /* predictors a node looks at; 0: the root of their number, the target itself left out */
} grn_forest_opt_t;
#define GRN_FOREST_OPT_GENIE3 { 666, 1000, 0 }

/* As grn_boost_many. Trees without a split take no part in the average; all of them: all 0. */
grn_status grn_forest_many(const grn_forest_opt_t *opt, const grn_boost_space_t *space, const grn_boost_target_t *target,
                           size_t n_targets, grn_par_t *pool, grn_boost_fn fn, void *ctx) GRN_MUST_USE;

/* ---- the draws, for tests: places are those in ascending order of the names' hashes ---- */

/* Draw k = 1, 2 ... of a key, on 0..n-1: n draws under the tree's key are its cells; draw k of a node, on 0..p-k, says which of the
 * predictors not drawn yet is next (Fisher-Yates from the order of places: it changes places with the k-th). */
static inline size_t grn_forest_draw(uint64_t key, uint64_t k, size_t n)
{
    uint64_t x = grn_rng_mix(key + k * 0x9e3779b97f4a7c15u);
    return (size_t)(((unsigned __int128)x * n) >> 64);
}

uint64_t grn_forest_tree_key(uint64_t seed, uint64_t tree); /* of the cells */

/* Key of a node from its parent's: side 0 has the smaller values, 1 the larger ones; the root is side 2 of the tree's key. */
static inline uint64_t grn_forest_node_key(uint64_t key, uint64_t side)
{
    static const uint64_t salt[] = { 0xa0761d6478bd642fu, 0xe7037ed1a0b428dbu, 0x8ebc6af09c88c6e3u };
    return grn_rng_mix(key ^ salt[side]);
}

#endif
