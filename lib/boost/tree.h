/* One regression tree of depth 3 for several targets at once: the inner loop of boosting (boost.h).
 *
 * Targets are lanes: one walk over the non-zeros of a predictor serves all of them, by contiguous vector operations. A word of 32 bits
 * holds what a lane knows of a cell: the residual, a whole number (units of 2^-k of the target) plus GRN_TREE_BIAS, and above it the
 * leaf where the cell is and whether the tree sees it. `word ^ key of a node` is below GRN_TREE_LIMIT where the tree sees the cell in
 * that node, and only there, and is then the residual. Sums are exact (whole numbers below 2^53), the same for any order of cells and
 * any vector width. Three copies of the lanes' kernel give the same bits (portable, AVX2, AVX-512); one lane has its own, for targets
 * that share no predictors.
 *
 * Where the words of all cells exceed the cache, a level's nodes are searched block of cells by block of cells (grn_tree_blocks_t). */
#ifndef GRN_BOOST_TREE_H
#define GRN_BOOST_TREE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "boost/bins.h"
#include "boost/draw.h"

#define GRN_TREE_LANES 16
#define GRN_TREE_LEAVES 8
#define GRN_TREE_NOBODY UINT32_MAX
#define GRN_TREE_WORD_BITS 26                             /* of the residual in a word */
#define GRN_TREE_LIMIT ((int32_t)1 << GRN_TREE_WORD_BITS) /* residuals lie in [-BIAS, LIMIT - BIAS); what leaves that is held there */
#define GRN_TREE_BIAS ((int32_t)1 << (GRN_TREE_WORD_BITS - 1))

/* Nodes are slots: a split of slot s at level l leaves some cells in s and moves the others to s + 2^l. Node (l, s) is number
 * 2^l - 1 + s. */
typedef struct {
    uint32_t predictor; /* GRN_TREE_NOBODY: not split */
    uint8_t above;      /* cells with values above (1) or at most (0) the threshold are moved */
    double threshold;
} grn_tree_split_t;

/* Cells in blocks of `size`, in the order of predictors, blocks, runs: what a predictor has in a block is read in one stretch. */
typedef struct {
    size_t size, n_blocks;
    uint16_t *cell; /* cell less the first of its block; NULL of one block, as off */
    uint64_t *off;  /* (runs n_blocks + 1) into cell */
    size_t n_parts; /* runs whose sums the scratch holds */
} grn_tree_blocks_t;

/* size: cells, at most 65,536; 0: what suits the cache. */
grn_status grn_tree_blocks_init(grn_tree_blocks_t *b, const grn_bins_t *bins, size_t size) GRN_MUST_USE;
void grn_tree_blocks_clear(grn_tree_blocks_t *b); /* accepts zeroed */

typedef struct { /* what is common to the lanes */
    const grn_bins_t *bins;
    const grn_tree_blocks_t *blocks; /* of these bins; one lane: not used */
    const uint32_t *column;          /* (p) of the bins; NULL: 0..p-1 */
    size_t p, m;                     /* predictors, and how many a node looks at */
    const uint32_t *order;           /* (GRN_DRAW_NODES, p) */
    size_t start;                    /* place in each order */
    const uint32_t *out;             /* (n_out) cells the tree does not see, ascending */
    size_t n_out;
    double rate; /* learning rate */
} grn_tree_in_t;

typedef struct {    /* L lanes */
    int32_t *r;     /* (n, L) residual + GRN_TREE_BIAS, changed by the tree; 64-byte aligned, as part */
    uint16_t *mark; /* (4, n) scratch, all 0 between trees; one lane: NULL */
    void *part;     /* grn_tree_part_bytes() scratch; NULL of one block */
    uint8_t live[GRN_TREE_LANES];
    uint32_t self[GRN_TREE_LANES];                          /* the predictor that is the target itself */
    double *importance[GRN_TREE_LANES];                     /* (p) of live lanes: decrease of the sum of squares, added */
    double gain[GRN_TREE_LANES];                            /* out: decrease of the sum of squares over the cells not seen */
    grn_tree_split_t split[GRN_TREE_LANES][GRN_DRAW_NODES]; /* out */
    int32_t step[GRN_TREE_LANES][GRN_TREE_LEAVES];          /* out: what the leaf takes off the residual */
} grn_tree_lanes_t;

size_t grn_tree_part_bytes(const grn_tree_blocks_t *b); /* 0 of one block */

typedef void (*grn_tree_fn)(const grn_tree_in_t *in, grn_tree_lanes_t *lanes);

grn_tree_fn grn_tree_lanes(void);      /* GRN_TREE_LANES lanes, the best copy for this machine */
extern const grn_tree_fn grn_tree_one; /* one lane */

extern const grn_tree_fn grn_tree_base; /* the copies, for tests */
#if defined(__x86_64__)
extern const grn_tree_fn grn_tree_avx2, grn_tree_avx512;
#endif

#endif
