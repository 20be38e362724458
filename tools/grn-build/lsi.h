/* Latent semantic indexing of a cells x regions matrix, the fast alternative to topics: TF-IDF and a truncated SVD.
 *
 * The entry of an open region is ln(1 + 1e4 (1/n_c) (C/n_r)), n_c = open regions of the cell, n_r = cells with the region (Signac's
 * form, Stuart 2021; counts taken as 0/1). The SVD is randomised (Halko, Martinsson & Tropp 2011, algorithm 4.4): a Gaussian matrix
 * keyed by region names, 10 columns more than asked for, power iterations with an orthonormal basis at each half step.
 *
 * Letters: C cells, R regions, K components. */
#ifndef GRN_BUILD_LSI_H
#define GRN_BUILD_LSI_H

#include "base/par.h"
#include "corpus.h"

typedef struct {
    uint32_t K;     /* components; fewer come out when the matrix has no more */
    uint32_t power; /* power iterations [6] */
    uint64_t seed;
} grn_lsi_opt_t;
#define GRN_LSI_OPT_INIT { 40, 6, 1 }

typedef struct { /* cells and regions in the order of the file */
    uint32_t K;
    float *theta;      /* (C, K) U S */
    float *phi;        /* (R, K) V; of each column the entry of largest size is positive */
    double *sigma;     /* (K) singular values, descending */
    double *depth_cor; /* (K) Pearson correlation of theta's column with log10 of the cell's open regions; NaN for one cell */
} grn_lsi_t;

void grn_lsi_clear(grn_lsi_t *l);
/* Held-out tokens are not told apart: load the corpus without any. Uses pool; same bits for any pool and any order of the cells.
 * O(power (K + 10) tokens); 16 (C + R) (K + 10) bytes. GRN_EINVAL: K is 0 or more than 4,096. */
grn_status grn_lsi_fit(const grn_corpus_t *c, const grn_lsi_opt_t *opt, grn_par_t *pool, grn_lsi_t *l) GRN_MUST_USE;

#endif
