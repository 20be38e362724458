/* Principal components of log-normalised counts, and other cells in the same components.
 *
 * The SVD of the cells x genes matrix less the gene means is randomised (Halko, Martinsson & Tropp 2011, algorithm 4.4): a Gaussian
 * matrix keyed by gene names, at least 10 columns more than asked for, 5 power iterations with an orthonormal basis at each half step;
 * the centred matrix is never made. Of each loading vector the entry of largest size is positive.
 *
 * Letters: C cells, G genes, K components. */
#ifndef GRN_MAP_PCA_H
#define GRN_MAP_PCA_H

#include <stdint.h>

#include "base/par.h"
#include "io/matrix.h"

#define PCA_MAX 1024 /* components */

typedef struct {
    uint32_t K;
    uint64_t G;
    double *mean;    /* (G) over the cells it was fitted on */
    double *loading; /* (G, K) orthonormal columns */
    double *sigma;   /* (K) singular values, descending */
    double share;    /* of the variance that the K components hold */
} pca_t;

void pca_clear(pca_t *p); /* accepts zeroed */

/* Fits K components (fewer where the matrix has no more) to x: CSR, cells and genes in bytewise order of their names, which makes the
 * result independent of their order in the file. GRN_EINVAL: K is 0 or above PCA_MAX; GRN_EEMPTY: no variance. O(C + G) K memory. */
grn_status pca_fit(const grn_matrix_t *x, uint32_t K, uint64_t seed, grn_par_t *pool, pca_t *p) GRN_MUST_USE;
/* score (n, K): rows of x, CSR with the genes of the fit in its order, in the components. Sums in double, by ascending gene. */
grn_status pca_project(const pca_t *p, const grn_matrix_t *x, grn_par_t *pool, float *score) GRN_MUST_USE;

#endif
