/* From a cell's counts to the sequence the model sees: binned values, a choice of genes, a mask. A function of (seed,
 * epoch, barcode) and the counts alone, so that any tool can tell what training saw (grn-coexpr perturb needs the visible
 * genes).
 *
 * Gene ids are those of the model's universe: the gene names in bytewise order. Thread safe with one grn_tokens_t per
 * thread. */
#ifndef GRN_MODEL_TOKENS_H
#define GRN_MODEL_TOKENS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "model/config.h"

#define GRN_EPOCH_EVAL 0xffffffffu /* the epoch of validation and evaluation draws */

/* scGPT's quantile bins of one cell (SPEC_MODEL 1.2). x (n): the non-zero values; bin (n) in 1..bins-1. Edges are the
 * bins-1 quantiles of x at levels k (1/(bins-2)), numpy's linear interpolation in double; a value that equals several edges
 * takes a random one of theirs, by u (n) in [0,1) (NULL: 0.5). mean (n, or NULL): the expected bin over u. GRN_ENOMEM. O(n
 * log n). */
grn_status grn_bin_values(const float *x, size_t n, int64_t bins, const double *u, uint16_t *bin, float *mean) GRN_MUST_USE;

typedef struct {
    double mask;           /* share masked; 0: one of 0.25, 0.5, 0.75 by cell; < 0: nothing is masked */
    const uint32_t *given; /* or exactly these genes (ascending) where they are in the sequence; NULL */
    size_t n_given;
    uint32_t epoch; /* GRN_EPOCH_EVAL outside training */
    uint64_t seed;
} grn_mask_opt_t;

typedef struct { /* one cell's gene tokens, ascending in gene; <cls> is not among them. Zeroed = empty */
    size_t n;
    uint32_t *gene;
    uint16_t *bin; /* value as the model sees it when not masked, 0 = not expressed; ties are drawn */
    float *target; /* what it is to predict: the expected bin over ties. The squared error has the same minimum as with the
                      drawn bin, without the noise of the draw */
    uint8_t *masked;                         /* 1: the model sees -1 */
    uint32_t *visible;                       /* S of Algorithm 1: genes with bin > 0 that are not masked, ascending */
    size_t n_visible, n_masked, n_expressed; /* n_expressed: in the cell, before the choice */
    size_t cap;                              /* of the arrays above */
    void *work;                              /* scratch */
    size_t work_cap;
} grn_tokens_t;

void grn_tokens_clear(grn_tokens_t *t);

/* Draws a cell's sequence. gene (n, ascending) and count (n, > 0): its expressed genes; n_genes: size of the universe;
 * gene_key (n_genes): hashes of the names; cell: hash of the barcode. All expressed genes are binned first; then at most
 * (1-zeros)(tokens-1) of them are kept at random, and zeros/(1-zeros) times as many genes without a count are added, at
 * random. floor(ratio * tokens) of these are masked (at least one when there are two). Streams "model.bin", "model.tokens",
 * "model.zeros", "model.mask". O(n log n). */
grn_status grn_tokens_draw(grn_tokens_t *t, const grn_model_config_t *c, const grn_mask_opt_t *mask, uint64_t cell,
                           const uint32_t *gene, const float *count, size_t n, size_t n_genes,
                           const uint64_t *gene_key) GRN_MUST_USE;

#endif
