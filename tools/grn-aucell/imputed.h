/* AUCell of accessibility as a topic model tells it: A[c][r] = sum_k theta[c][k] phi[r][k], k ascending, in float32 (io/lowrank.h).
 * Cells x regions is never made: regions are computed a few thousand at a time for a few dozen cells, and what cannot be among the
 * best c of a cell is forgotten at once. What can be is told by a bound from a sample of the regions; when the bound was too high,
 * the cell is done again without one, so that the sample never changes a score. */
#ifndef GRN_AUCELL_IMPUTED_H
#define GRN_AUCELL_IMPUTED_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/par.h"
#include "grn-aucell/score.h"
#include "io/lowrank.h"

typedef struct aucell_imputed_s aucell_imputed_t;

/* model: theta and cell names are borrowed; phi is copied in another order and may be freed. cut: ranks that count. truncate: values
 * are (int)(1e6 A), as pycisTopic stores them. GRN_ENONFINITE when sums could overflow. Memory: phi, and a worker's share of
 * O(cells at a time x cut). */
grn_status aucell_imputed_create(aucell_imputed_t **out, const grn_lowrank_t *model, uint32_t cut, int truncate,
                                 grn_par_t *pool) GRN_MUST_USE;
void aucell_imputed_destroy(aucell_imputed_t *im); /* accepts NULL */

/* Cells first..first+n-1 into auc (n, R sets). O(regions x topics) a cell. */
grn_status aucell_score_imputed(aucell_imputed_t *im, aucell_scorer_t *scorer, size_t first, size_t n, float *auc) GRN_MUST_USE;

#endif
