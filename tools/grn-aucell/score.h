/* AUCell (Aibar 2017): area under the recovery curve of each gene set in the ranking of each cell.
 *
 * Columns of a cell are ranked by descending value, best = 0, all G columns, zeros included (cellrank.h). With cut c, a set of
 * columns g with weights w scores
 *     sum_g w_g max(c - r_g, 0) / ((c + 1) sum_g w_g)     norm "python", as pySCENIC and SCENIC+
 *     the same sum / its largest attainable value         norm "attainable", as AUCell in R: 1 for a perfect set
 * Ties: the mean over the ranks that are shared, which is the exact expectation over random tie breaking; or random orders. Neither
 * depends on the order of cells or columns, nor on threads. */
#ifndef GRN_AUCELL_SCORE_H
#define GRN_AUCELL_SCORE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/par.h"
#include "grn-aucell/cellrank.h"
#include "grn-aucell/sets.h"
#include "io/matrix.h"

/* Round half to even of x >= 0, whatever the rounding mode. */
uint64_t aucell_round_even(double x);
/* c = RHE(frac * G) - 1; GRN_EINVAL when that leaves no rank (c < 1). */
grn_status aucell_cut(double frac, uint64_t n_genes, uint32_t *cut) GRN_MUST_USE;

typedef struct {
    const aucell_sets_t *sets;
    uint32_t cut;
    int attainable;
    aucell_ties ties;
    uint64_t seed;
    const uint64_t *gene_key; /* (G) name hashes; only for random ties */
} aucell_opt_t;

/* Index of the sets by column, and scratch of each worker. Sets and keys are borrowed. One thread at a time. */
typedef struct aucell_scorer_s aucell_scorer_t;
grn_status aucell_scorer_create(aucell_scorer_t **out, const aucell_opt_t *opt, grn_par_t *pool) GRN_MUST_USE;
void aucell_scorer_destroy(aucell_scorer_t *s); /* accepts NULL */
size_t aucell_scorer_n_sets(const aucell_scorer_t *s);

/* The two steps of every cell, for those who have rows of another kind: the worker's ranker (NULL: out of memory, message set), and
 * the scores of what it ranked: auc (R), wide (R) the same before rounding to float, or NULL. */
aucell_ranker_t *aucell_scorer_ranker(aucell_scorer_t *s, int worker);
void aucell_scorer_sum(aucell_scorer_t *s, int worker, const aucell_ranked_t *r, float *auc, double *wide);

/* Scores the rows of a block (CSR or dense, G columns, row names): auc (rows, R) row-major; wide: the same before rounding to
 * float, or NULL; n_detected (rows): columns with value > 0. Rows are independent objects of the pool.
 * O(nnz + columns that count x sets of each) a cell; memory O(G + R) a worker. */
grn_status aucell_score_block(aucell_scorer_t *s, const grn_matrix_t *block, float *auc, double *wide,
                              uint32_t *n_detected) GRN_MUST_USE;

/* The same for rows as they are stored; names: of the whole matrix. */
grn_status aucell_score_packed(aucell_scorer_t *s, const grn_packed_t *block, const grn_names_t *names, float *auc,
                               uint32_t *n_detected) GRN_MUST_USE;

#endif
