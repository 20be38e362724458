/* Training state as files: the log inside models and checkpoints, and the log as a table. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "grn-train/train.h"
#include "io/container.h"
#include "io/prov.h"

/* The options that must not change between a checkpoint and its continuation. */
static grn_status describe_training(const grn_train_t *t, grn_str_t *s)
{
    const grn_train_opt_t *o = t->opt;
    char lr[32], warmup[32], decay[32], clip[32];
    return grn_str_printf(
        s,
        "{\"batch\":%" PRId64 ",\"steps\":%" PRId64 ",\"rows\":%" PRId64
        ",\"lr\":%s,\"warmup\":%s,\"decay\":%s,\"clip\":%s,\"optimizer\":\"adamw\",\"schedule\":\"cosine\"}",
        o->batch, t->total, o->rows, grn_fmt_f64(lr, o->lr), grn_fmt_f64(warmup, o->warmup), grn_fmt_f64(decay, o->decay),
        grn_fmt_f64(clip, o->clip));
}

static grn_status write_state(void *ctx, grn_cw_t *w)
{
    grn_status rc = GRN_OK;
    const grn_train_t *t = ctx;
    grn_str_t s = { 0 };
    double *x = NULL, partial[3] = { t->sum[0], t->sum[1], t->norm };
    char data[24];
    uint64_t shape[2] = { t->n_row, GRN_LOG_COLUMNS };
    GRN_TRY(describe_training(t, &s));
    GRN_TRY(grn_cw_meta(w, "training", s.s));
    snprintf(data, sizeof data, "%016" PRIx64, t->data);
    GRN_TRY(grn_cw_meta(w, "data", data));
    GRN_TRY(GRN_NEW_RAW(x, t->n_row * GRN_LOG_COLUMNS));
    for (size_t i = 0; i < t->n_row; i++) memcpy(x + i * GRN_LOG_COLUMNS, t->row[i].x, sizeof t->row[i].x);
    GRN_TRY(grn_cw_tensor(w, "log", GRN_F64, 2, shape, x));
    GRN_TRY(grn_cw_vec(w, "log.partial", GRN_F64, 3, partial));
end:
    free(x);
    grn_str_clear(&s);
    return rc;
}

grn_status grn_train_save(grn_train_t *t, const char *path, int with_optim)
{
    return grn_model_save(t->model, path, with_optim, t->pool, write_state, t);
}

/* The text of a metadata key must be what this run has. */
static grn_status same_meta(const grn_cr_t *r, const char *key, const char *mine, const char *what)
{
    const char *theirs = grn_cr_meta(r, key);
    if (theirs && strcmp(theirs, mine) == 0) return GRN_OK;
    return grn_err(GRN_EINVAL, "'%s' cannot be resumed here: %s differ: it has %s, this run %s", grn_cr_path(r), what,
                   theirs ? theirs : "none", mine);
}

static grn_status load_log(grn_train_t *t, grn_cr_t *r)
{
    grn_status rc = GRN_OK;
    const grn_tensor_info_t *log, *partial;
    double *x = NULL, *sum = NULL;
    GRN_TRY(grn_cr_need(r, "log", GRN_F64, 2, &log));
    GRN_TRY(grn_cr_need(r, "log.partial", GRN_F64, 1, &partial));
    if (log->shape[1] != GRN_LOG_COLUMNS || partial->shape[0] != 3)
        GRN_FAIL(GRN_EFORMAT, "'%s': the log has another form", grn_cr_path(r));
    GRN_TRY(grn_cr_load(r, log, (void **)&x));
    GRN_TRY(grn_cr_load(r, partial, (void **)&sum));
    GRN_TRY(GRN_GROW(t->row, t->row_cap, (size_t)log->shape[0]));
    for (t->n_row = 0; t->n_row < log->shape[0]; t->n_row++) {
        memcpy(t->row[t->n_row].x, x + t->n_row * GRN_LOG_COLUMNS, sizeof t->row->x);
        t->row[t->n_row].cells_per_s = NAN;
    }
    t->sum[0] = sum[0];
    t->sum[1] = sum[1];
    t->norm = sum[2];
end:
    free(x);
    free(sum);
    return rc;
}

grn_status grn_train_resume(grn_train_t *t, grn_cr_t *r)
{
    grn_status rc = GRN_OK;
    grn_str_t s = { 0 };
    char data[24];
    GRN_TRY(describe_training(t, &s));
    GRN_TRY(same_meta(r, "training", s.s, "the training options"));
    snprintf(data, sizeof data, "%016" PRIx64, t->data);
    GRN_TRY(same_meta(r, "data", data, "the training cells or their graphs"));
    GRN_TRY(load_log(t, r));
    t->optim.step = t->model->step;
end:
    grn_str_clear(&s);
    return rc;
}

grn_status grn_train_write_log(const grn_train_t *t, const char *path)
{
    grn_status rc = GRN_OK;
    grn_out_t *o = NULL;
    char num[32];
    GRN_TRY(grn_out_open(&o, path, 0));
    GRN_TRY(grn_prov_text(o));
    GRN_TRY(
        grn_out_puts(o, "step\tepoch\tlr\ttrain_loss\tval_loss\tgene_mean_loss\ttype_mean_loss\tgrad_norm\tcells_per_s\n"));
    for (size_t i = 0; i < t->n_row; i++) {
        const grn_log_row_t *row = &t->row[i];
        for (int k = 0; k < GRN_LOG_COLUMNS; k++) {
            if (isnan(row->x[k])) GRN_TRY(grn_out_puts(o, "NA\t"));
            else
                GRN_TRY(grn_out_printf(
                    o, "%s\t", k == GRN_LOG_STEP ? grn_fmt_f64(num, row->x[k]) : grn_fmt_f32(num, (float)row->x[k])));
        }
        if (isnan(row->cells_per_s)) GRN_TRY(grn_out_puts(o, "NA\n"));
        else GRN_TRY(grn_out_printf(o, "%.1f\n", row->cells_per_s));
    }
    rc = grn_out_commit(o);
    o = NULL;
end:
    grn_out_abort(o);
    return rc;
}
