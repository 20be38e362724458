/* What is scored: a matrix of counts or other values, or a topic model of accessibility; cell by cell, block by block. */
#ifndef GRN_AUCELL_INPUT_H
#define GRN_AUCELL_INPUT_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/names.h"
#include "base/par.h"
#include "grn-aucell/imputed.h"
#include "grn-aucell/score.h"
#include "io/counts.h"
#include "io/lowrank.h"
#include "io/matrix.h"

typedef struct {
    const grn_names_t *cell, *column; /* borrowed from what is below */
    const grn_attrs_t *cell_attr;     /* with the labels of --cells */
    size_t at;                        /* next cell */
    grn_mr_t *matrix;                 /* NULL: a model */
    grn_matrix_t labelled;            /* row names and attributes of a container with labels of a table */
    grn_packed_t packed;
    grn_matrix_t block;
    grn_lowrank_t model;
    aucell_imputed_t *imputed;
    grn_par_t *pool;
} aucell_input_t;

/* path "-": a container on stdin. GRN_EEMPTY for no cells or no columns. in: cleared first; close it also after failure. */
grn_status aucell_input_open(aucell_input_t *in, const char *path, const grn_counts_opt_t *opt, grn_par_t *pool) GRN_MUST_USE;
void aucell_input_close(aucell_input_t *in);
int aucell_input_is_model(const aucell_input_t *in);
int aucell_input_has_regions(const aucell_input_t *in); /* a model, or columns named by coordinates */
/* Before the first block of a model (nothing for a matrix). truncate: as in imputed.h. */
grn_status aucell_input_prepare(aucell_input_t *in, uint32_t cut, int truncate) GRN_MUST_USE;

/* Scores the next cells, at most max_cells, from in->at on: *auc (n, R) malloc'ed; n_detected as of aucell_score_block (not set for a
 * model). *n = 0: there were none left. */
grn_status aucell_input_score(aucell_input_t *in, aucell_scorer_t *scorer, size_t max_cells, float **auc, uint32_t *n_detected,
                              size_t *n) GRN_MUST_USE;

#endif
