/* AUCell (Aibar 2017): area under the recovery curve of each gene set in the ranking of each cell.
 *
 * Genes of a cell are ranked by descending value, best = 0, all G columns, zeros included. With cut c, a set of genes g with
 * weights w scores sum_g w_g max(c - r_g, 0) / ((c + 1) sum_g w_g)            norm "python", as pySCENIC and SCENIC+ the same sum
 * / its largest attainable value                norm "attainable", as AUCell in R: 1 for a perfect set Ties: genes that share
 * ranks a..b-1 each contribute the mean of max(c - r, 0) over those ranks: the exact expectation over random tie breaking. Or one
 * random order of each tie, drawn by (seed, barcode, gene). Neither depends on the order of cells or columns. */
#ifndef GRN_AUCELL_SCORE_H
#define GRN_AUCELL_SCORE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/par.h"
#include "grn-aucell/sets.h"
#include "io/matrix.h"

/* Round half to even of x >= 0, whatever the rounding mode. */
uint64_t aucell_round_even(double x);
/* c = RHE(frac * G) - 1; GRN_EINVAL when that leaves no rank (c < 1). */
grn_status aucell_cut(double frac, uint64_t n_genes, uint32_t *cut) GRN_MUST_USE;
/* Mean of max(c - r, 0) over the ranks a..b-1 (a < b). */
double aucell_gain(uint64_t a, uint64_t b, uint64_t c);

typedef struct {
    const aucell_sets_t *sets;
    uint32_t cut;
    int attainable;
    int random_ties;
    uint64_t seed;
    const uint64_t *gene_key; /* (G) name hashes; only for random ties */
} aucell_opt_t;

/* Scores the rows of a block (CSR or dense, G columns): auc (rows, R) row-major, n_detected (rows): columns with value > 0. Rows
 * are independent objects of the pool. O(nnz + top genes x sets per gene) a cell. */
grn_status aucell_score_block(const aucell_opt_t *opt, const grn_matrix_t *block, grn_par_t *pool, float *auc,
                              uint32_t *n_detected) GRN_MUST_USE;

#endif
