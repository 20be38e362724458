/* Boosted models of grn-build perturb, ready for many cells. */
#ifndef GRN_BUILD_PERTURB_EVAL_H
#define GRN_BUILD_PERTURB_EVAL_H

#include <stddef.h>
#include <stdint.h>

#include "boost/boost.h"

/* A tree of depth 3 without branches: node k of tree.h is passed to its right child when (value > threshold) != bit k of flip. */
typedef struct {
    float threshold[GRN_DRAW_NODES];      /* infinite: not split */
    int32_t step[GRN_TREE_LEAVES];        /* of the target, times 2^scale */
    uint16_t predictor[GRN_DRAW_NODES];   /* place among the target's TFs */
    uint8_t flip;
} grn_perturb_tree_t;

typedef struct { /* followed by its trees */
    double mean;
    int32_t scale;
    uint32_t n_trees;
} grn_perturb_model_t;

/* Adds to sum[i], i < n, the steps that cell i takes in the trees that look at a predictor with touched[] set (NULL: all trees), in units
 * of 2^-scale: exact, in any order. x: values, predictor j of cell i at x[j * stride + i]; stride and n are multiples of
 * GRN_PERTURB_LANES. */
#define GRN_PERTURB_LANES 16
typedef void (*grn_perturb_eval_fn)(const grn_perturb_tree_t *tree, size_t n_trees, const uint8_t *touched, const float *x, size_t stride,
                                    size_t n, int64_t *sum);
grn_perturb_eval_fn grn_perturb_eval(void); /* the best copy for this machine */

extern const grn_perturb_eval_fn grn_perturb_eval_base; /* the copies, for tests; they give the same sums */
#if defined(__x86_64__)
extern const grn_perturb_eval_fn grn_perturb_eval_avx2;
#endif

/* The trees of a fitted model, whose steps and thresholds are taken over exactly: bytes are room for model->n trees. */
void grn_perturb_compile(const grn_boost_model_t *model, grn_perturb_model_t *out);
static inline const grn_perturb_tree_t *grn_perturb_trees(const grn_perturb_model_t *m)
{
    return (const grn_perturb_tree_t *)(m + 1);
}

#endif
