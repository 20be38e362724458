/* A trained model and the cells it is judged on, for the evaluations that run models. */
#ifndef GRN_EVAL_SUBJECT_H
#define GRN_EVAL_SUBJECT_H

#include "io/activity.h"
#include "io/counts.h"
#include "io/edges.h"
#include "model/batch.h"
#include "model/cells.h"
#include "model/model.h"
#include "model/split.h"

/* Inputs that all models share. Zeroed = empty. */
typedef struct {
    grn_matrix_t counts; /* aligned to the genes of the first model opened */
    int is_aligned;
    grn_edges_t edges;       /* n = 0 when none was given */
    grn_activity_t activity; /* n_cells = 0 when none was given */
    int has_edges, has_activity;
} grn_eval_inputs_t;

/* edges and activity may be NULL (models without graphs). */
grn_status grn_eval_inputs_load(grn_eval_inputs_t *in, const char *counts,
                                const grn_counts_opt_t *opt, const char *edges,
                                const char *activity) GRN_MUST_USE;
void grn_eval_inputs_clear(grn_eval_inputs_t *in);

typedef struct {
    grn_model_t *model;
    grn_cells_t cells;
    grn_split_t split;
    grn_batch_t *batch;
    uint32_t *test, *train; /* rows of in->counts, in name order */
    size_t n_test, n_train;
} grn_subject_t;

/* Opens a model on the device and prepares its cells; test and training cells come from the split
 * stored in the model. `edges`: the graph to use (in->edges, or a rewired copy). GRN_ESHAPE when
 * the model's genes differ from those of the first model; GRN_EEMPTY without test cells. */
grn_status grn_subject_open(grn_subject_t *s, grn_dev_t *dev, const char *path,
                            grn_eval_inputs_t *in, const grn_edges_t *edges) GRN_MUST_USE;
void grn_subject_close(grn_subject_t *s); /* accepts zeroed */

#endif
