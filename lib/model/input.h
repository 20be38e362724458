/* What training and its inspection read: counts over the genes of a model, and the files its graphs come from. */
#ifndef GRN_MODEL_INPUT_H
#define GRN_MODEL_INPUT_H

#include "io/activity.h"
#include "io/counts.h"
#include "io/edges.h"
#include "model/cells.h"

typedef struct {
    grn_matrix_t m;            /* over `genes` */
    grn_names_t genes;         /* the universe */
    grn_edges_t edges, coexpr; /* empty where the configuration has no use for them */
    grn_activity_t activity;
    grn_cells_t cells; /* borrows m */
} grn_model_input_t;

typedef struct { /* paths; NULL: none */
    const char *counts, *edges, *activity, *coexpr;
} grn_model_files_t;

/* Reads the files that `cfg` has a use for and builds the cells. in->genes: the genes of a model, or empty: those with a count in at
 * least min_cells cells. GRN_EINVAL (from grn_cells_build) when a file that is needed is not given. The caller clears `in`, also
 * after a failure. */
grn_status grn_model_input_load(grn_model_input_t *in, const grn_model_files_t *files, const grn_counts_cli_t *how,
                                const grn_model_config_t *cfg, uint64_t min_cells, grn_par_t *pool) GRN_MUST_USE;
void grn_model_input_clear(grn_model_input_t *in);

#endif
