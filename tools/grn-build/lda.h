/* Topics of a cells x regions matrix by collapsed Gibbs sampling of latent Dirichlet allocation
 * (Blei 2003; Griffiths & Steyvers 2004; cisTopic: Bravo Gonzalez-Blas 2019). Cells are documents,
 * regions are words, an accessible region is one token (counts are taken as 0/1).
 *
 * A sweep draws every token's topic from its full conditional given the counts of its cell, which are
 * kept up to date, and the counts of the regions, which are brought up to date between batches of cells
 * (Newman 2009, approximate distributed LDA). Batches are made by the hash of the barcode and random
 * numbers are keyed by (seed, sweep, barcode, region): the same bits for any number of threads and any
 * order of the cells. The conditional is summed sixteen topics at a time. */
#ifndef GRN_BUILD_LDA_H
#define GRN_BUILD_LDA_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/par.h"
#include "io/matrix.h"

/* Tokens in the order the sampler visits them: by block of regions, then by cell. Shared by models of any K. */
typedef struct grn_corpus_s grn_corpus_t;
/* Reads a cells x regions matrix in any format, binarised (value >= 1... > 0), block by block. `holdout`: this share of each
 * cell's tokens (chosen by hash) is set aside. GRN_EEMPTY: no token. */
grn_status grn_corpus_load(const char *path, const grn_counts_opt_t *opt, double holdout, uint64_t seed, grn_par_t *pool,
                           grn_corpus_t **out) GRN_MUST_USE;
void grn_corpus_destroy(grn_corpus_t *c);
size_t grn_corpus_n_cells(const grn_corpus_t *c);
size_t grn_corpus_n_regions(const grn_corpus_t *c);
uint64_t grn_corpus_n_tokens(const grn_corpus_t *c); /* held-out ones included */
const grn_matrix_t *grn_corpus_info(const grn_corpus_t *c); /* names and attributes, no values */
/* Cells with each region (document frequency), (R). */
const uint32_t *grn_corpus_region_cells(const grn_corpus_t *c);
/* Regions of cell c, ascending, into out (room for grn_corpus_cell_n(c)). */
size_t grn_corpus_cell_n(const grn_corpus_t *c, size_t cell);
void grn_corpus_cell(const grn_corpus_t *c, size_t cell, uint32_t *out);

typedef struct {
    uint32_t K;       /* topics, 1..4096 */
    uint32_t sweeps;  /* [150] */
    uint32_t average; /* theta and phi are means over the last so many sweeps [20] */
    double alpha;     /* total; alpha / K per topic [50] */
    double eta;       /* [0.1] */
    uint64_t seed;
} grn_lda_opt_t;

typedef struct {
    uint32_t K;
    float *theta;       /* (C, K) mean of (n_dk + alpha_k) / (n_d + alpha) */
    float *phi;         /* (R, K) mean of (n_kw + eta) / (n_k + R eta); columns sum to 1 */
    double *loglik;     /* (sweeps) joint ln p(w, z) after each sweep */
    double perplexity;  /* of the tokens held out, before they joined; NaN when none were */
    double perplexity_se; /* its standard error over cells */
    uint64_t *assigned; /* (K) tokens of each topic at the end */
} grn_lda_t;

void grn_lda_clear(grn_lda_t *m);
/* Topics in descending order of their tokens. Held-out tokens join after two thirds of the sweeps. */
grn_status grn_lda_fit(const grn_corpus_t *c, const grn_lda_opt_t *opt, grn_par_t *pool, grn_lda_t *m) GRN_MUST_USE;

#endif
