/* One regression tree of depth 3 for several targets at once: the inner loop of boosting (boost.h).
 *
 * Targets are lanes: residuals lie side by side, so that one walk over the non-zeros of a predictor serves all lanes, by contiguous
 * vector additions. Residuals are whole numbers (units of 2^-k of the target) and a cell's residual and its count of 1 share a word of
 * 64 bits: sums are exact, the same for any order of cells and any vector width. Three copies of the lanes' kernel give the same bits
 * (portable, AVX2, AVX-512); one lane has its own, for targets that share no predictors. */
#ifndef GRN_BOOST_TREE_H
#define GRN_BOOST_TREE_H

#include <stddef.h>
#include <stdint.h>

#include "boost/bins.h"
#include "boost/draw.h"

#define GRN_TREE_LANES 8
#define GRN_TREE_LEAVES 8
#define GRN_TREE_NOBODY UINT32_MAX

/* Nodes are slots: a split of slot s at level l leaves some cells in s and moves the others to s + 2^l. Node (l, s) is number
 * 2^l - 1 + s. */
typedef struct {
    uint32_t predictor; /* GRN_TREE_NOBODY: not split */
    uint8_t above;      /* cells with values above (1) or at most (0) the threshold are moved */
    double threshold;
} grn_tree_split_t;

typedef struct { /* what is common to the lanes */
    const grn_bins_t *bins;
    const uint32_t *column; /* (p) of the bins; NULL: 0..p-1 */
    size_t p, m;            /* predictors, and how many a node looks at */
    const uint32_t *order;  /* (GRN_DRAW_NODES, p) */
    size_t start;           /* place in each order */
    const uint32_t *out;    /* (n_out) cells the tree does not see */
    size_t n_out;
    double rate;                /* learning rate */
    unsigned count_bits, shift; /* a cell in a sum: (r >> shift) * 2^count_bits + 1 */
} grn_tree_in_t;

typedef struct {   /* L lanes */
    int32_t *r;    /* (n, L) residuals, changed by the tree; 64-byte aligned as the next */
    int64_t *sum;  /* (4, n, L) scratch */
    uint8_t *leaf; /* (n, L) out: the leaf of each cell */
    uint8_t live[GRN_TREE_LANES];
    uint32_t self[GRN_TREE_LANES];                          /* the predictor that is the target itself */
    double *importance[GRN_TREE_LANES];                     /* (p) of live lanes: decrease of the sum of squares, added */
    double gain[GRN_TREE_LANES];                            /* out: decrease of the sum of squares over the cells not seen */
    grn_tree_split_t split[GRN_TREE_LANES][GRN_DRAW_NODES]; /* out */
    int32_t step[GRN_TREE_LANES][GRN_TREE_LEAVES];          /* out: what the leaf takes off the residual */
} grn_tree_lanes_t;

typedef void (*grn_tree_fn)(const grn_tree_in_t *in, grn_tree_lanes_t *lanes);

grn_tree_fn grn_tree_lanes(void);      /* GRN_TREE_LANES lanes, the best copy for this machine */
extern const grn_tree_fn grn_tree_one; /* one lane */

extern const grn_tree_fn grn_tree_base; /* the copies, for tests */
#if defined(__x86_64__)
extern const grn_tree_fn grn_tree_avx2, grn_tree_avx512;
#endif

#endif
