/* The training loop of grn-train: order of cells, steps, validation, log rows, checkpoints.
 *
 * Every random choice is a function of (seed, epoch, name); the state of a run is parameters, moments, step and the log so
 * far. So a run that stops at a checkpoint and resumes ends with the bits of one that did not. */
#ifndef GRN_TRAIN_TRAIN_H
#define GRN_TRAIN_TRAIN_H

#include <stdint.h>

#include "base/err.h"
#include "base/par.h"
#include "model/cells.h"
#include "model/model.h"
#include "model/split.h"
#include "nn/optim.h"

typedef struct {
    int64_t batch, epochs, steps;   /* steps 0: epochs decide; epochs 0: 5, or what shows 20,000 cells */
    int64_t stop;                   /* stop after this step; 0: at the end */
    int64_t every;                  /* checkpoint every so many steps; 0: only when stopping */
    int64_t rows;                   /* log rows (validations) over the whole run */
    int64_t val_cells;              /* at most so many validation cells */
    double lr, warmup, decay, clip; /* warmup: share of the steps */
    const char *checkpoint;         /* path or NULL */
} grn_train_opt_t;

enum {
    GRN_LOG_STEP,
    GRN_LOG_EPOCH,
    GRN_LOG_LR,
    GRN_LOG_TRAIN,
    GRN_LOG_VAL,
    GRN_LOG_GENE,
    GRN_LOG_TYPE,
    GRN_LOG_NORM,
    GRN_LOG_COLUMNS
};

typedef struct {
    double x[GRN_LOG_COLUMNS]; /* losses are mean squared errors in bins; NaN: no validation cells */
    double cells_per_s;        /* NaN for rows of an earlier run */
} grn_log_row_t;

typedef struct {
    const grn_train_opt_t *opt;
    grn_par_t *pool;
    grn_model_t *model;
    const grn_cells_t *cells;
    grn_batch_t *batch;
    grn_optim_t optim;
    uint32_t *train, *val, *order; /* cell ids; order: train of the current epoch */
    size_t n_train, n_val;
    size_t *type;                      /* (C) baseline row of each cell */
    int64_t per_epoch, total, ordered; /* steps; epoch that `order` is for */
    uint64_t data;                     /* digest of the training cells and their graphs */
    grn_log_row_t *row;
    size_t n_row, row_cap;
    double sum[2], norm; /* since the last row: squared errors, entries; gradient norm of the last step */
} grn_train_t;

/* Lists cells, counts steps. The model may be fresh or loaded. Borrows everything. */
grn_status grn_train_init(grn_train_t *t, const grn_train_opt_t *opt, grn_model_t *m, const grn_cells_t *cells,
                          const grn_split_t *split, grn_par_t *pool) GRN_MUST_USE;
void grn_train_clear(grn_train_t *t);

/* Runs from model->step to the end or to opt->stop, with a progress bar. GRN_ENONFINITE when the loss stops being a number.
 */
grn_status grn_train_run(grn_train_t *t) GRN_MUST_USE;

/* Writes the model (with moments: a checkpoint) with the log and the training options; reads back the log and checks that
 * options, cells and graphs are those of the checkpoint (GRN_ESHAPE, GRN_EINVAL). A checkpoint that this version made from the same
 * files is taken off the inputs: the model's provenance is that of a run without a break. */
grn_status grn_train_save(grn_train_t *t, const char *path, int with_optim) GRN_MUST_USE;
grn_status grn_train_resume(grn_train_t *t, grn_cr_t *r) GRN_MUST_USE;

/* Two JSON objects of options, by long name: GRN_EINVAL naming the first option that the checkpoint was made with otherwise. */
grn_status grn_train_same_options(const char *path, const char *theirs, const char *mine) GRN_MUST_USE;

/* The log as TSV: provenance lines, header, one line per row. */
grn_status grn_train_write_log(const grn_train_t *t, const char *path) GRN_MUST_USE;

#endif
