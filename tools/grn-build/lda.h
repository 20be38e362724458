/* Topics of a cells x regions matrix by collapsed Gibbs sampling of latent Dirichlet allocation
 * (Blei 2003; Griffiths & Steyvers 2004; cisTopic: Bravo Gonzalez-Blas 2019). Cells are documents,
 * regions are words, an accessible region is one token (counts are taken as 0/1).
 *
 * A sweep draws every token's topic from its full conditional given the counts of its cell, which are
 * kept up to date, and the counts of the regions as they were when its batch of cells began, without the
 * token itself (approximate distributed LDA, Newman 2009: every cell of a batch a processor of its own;
 * 32 batches a sweep). Cells are batched by the hash of their barcode and random numbers are keyed by
 * (seed, sweep, barcode, token): the same bits for any number of threads. The conditional is summed
 * sixteen topics at a time. */
#ifndef GRN_BUILD_LDA_H
#define GRN_BUILD_LDA_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/par.h"
#include "corpus.h"

#define GRN_LDA_MAX_TOPICS 4096

typedef struct {
    uint32_t K;       /* topics, 1..GRN_LDA_MAX_TOPICS */
    uint32_t sweeps;  /* >= 1 [150] */
    uint32_t average; /* theta and phi are means over the last so many sweeps, 1..sweeps [20] */
    double alpha;     /* total, > 0; alpha / K per topic [50] */
    double eta;       /* > 0 [0.1] */
    uint64_t seed;
} grn_lda_opt_t;
#define GRN_LDA_OPT_INIT { 40, 150, 20, 50, 0.1, 1 }

typedef struct { /* cells and regions in the order of the matrix */
    uint32_t K;
    float *theta;       /* (C, K) mean of (n_dk + alpha/K) / (n_d + alpha): rows sum to 1 */
    float *phi;         /* (R, K) mean of (n_kw + eta) / (n_k + R eta): columns sum to 1 */
    double *loglik;     /* (sweeps) ln p(w, z) of the tokens in the chain after each sweep (Griffiths & Steyvers 2004) */
    uint64_t *assigned; /* (K) tokens of each topic at the end, descending */
    /* tokens held out, scored by the model that has not seen them: mean over `average` sweeps of sum_k theta_dk phi_kw */
    double *held_ll;    /* (C) sum of ln p of the cell's held-out tokens */
    uint32_t *held_n;   /* (C) how many; all 0 when nothing was held out */
} grn_lda_t;

void grn_lda_clear(grn_lda_t *m);
/* One chain. Held-out tokens are scored and join after two thirds of the sweeps. Topics are numbered in descending order of
 * `assigned`. GRN_EINVAL: an option out of range. 4 bytes a token, 8 R K + 8 C K bytes; O(sweeps * tokens * K / 16). Same bits
 * for any pool, machine and order of cells and regions. */
grn_status grn_lda_fit(const grn_corpus_t *c, const grn_lda_opt_t *opt, grn_par_t *pool, grn_lda_t *m) GRN_MUST_USE;

#endif
