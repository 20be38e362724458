/* Training state as files: the log inside models and checkpoints, and the log as a table. */
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/version.h"
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
        "{\"batch\":%" PRId64 ",\"steps\":%" PRId64 ",\"rows\":%" PRId64 ",\"val-cells\":%" PRId64
        ",\"lr\":%s,\"warmup\":%s,\"decay\":%s,\"clip\":%s,\"optimizer\":\"adamw\",\"schedule\":\"cosine\"}",
        o->batch, t->total, o->rows, o->val_cells, grn_fmt_f64(lr, o->lr), grn_fmt_f64(warmup, o->warmup), grn_fmt_f64(decay, o->decay),
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

/* A value as it is given on the command line. */
static grn_status show(const char *key, const json_t *v, grn_str_t *s)
{
    if (json_is_string(v)) return grn_str_puts(s, json_string_value(v));
    if (strcmp(key, "mask") == 0 && json_number_value(v) == 0) return grn_str_puts(s, "mix");
    if (!json_is_number(v)) return grn_str_puts(s, json_is_true(v) ? "yes" : json_is_false(v) ? "no" : "nothing");
    char text[32];
    return grn_str_puts(s, grn_fmt_f64(text, json_number_value(v)));
}

grn_status grn_train_same_options(const char *path, const char *theirs, const char *mine)
{
    grn_status rc = GRN_OK;
    json_t *a = json_loads(theirs ? theirs : "", 0, NULL), *b = json_loads(mine, 0, NULL), *v;
    grn_str_t x = { 0 }, y = { 0 };
    const char *key;
    if (!json_is_object(a)) GRN_FAIL(GRN_EINVAL, "'%s' is not a checkpoint", path);
    if (!b) GRN_FAIL(GRN_ENOMEM, "out of memory");
    json_object_foreach(b, key, v)
    {
        const json_t *w = json_object_get(a, key);
        if (json_equal(v, w)) continue;
        GRN_TRY(show(key, v, &x));
        GRN_TRY(show(key, w, &y));
        GRN_FAIL(GRN_EINVAL, "'%s' cannot be resumed with --%s %s%s: it was made with %s", path, key, x.s,
                 strcmp(key, "steps") == 0 ? " (or as many epochs)" : "", y.s);
    }
end:
    json_decref(a);
    json_decref(b);
    grn_str_clear(&x);
    grn_str_clear(&y);
    return rc;
}

/* A checkpoint is a part of this run, and no input, if the same version made it from the same files: then what comes out is what
 * this command makes of them without a break. */
static grn_status same_run(const grn_cr_t *r)
{
    grn_status rc = GRN_OK;
    char *mine = NULL;
    const char *path = grn_cr_path(r), *inputs = grn_cr_meta(r, "inputs"), *version = grn_cr_meta(r, "version");
    grn_prov_drop(path);
    GRN_TRY(grn_prov_inputs_json(&mine));
    int other_version = !version || strcmp(version, grn_version()) != 0;
    if (!other_version && inputs && strcmp(inputs, mine) == 0) goto end;
    grn_log_warn("'%s' was made %s%s: it is listed among the inputs", path, other_version ? "by version " : "from other files",
                 other_version ? (version ? version : "unknown") : " with the same cells");
    rc = grn_prov_input(path, grn_cr_meta(r, "chain"));
end:
    free(mine);
    return rc;
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
    GRN_TRY(grn_train_same_options(grn_cr_path(r), grn_cr_meta(r, "training"), s.s));
    snprintf(data, sizeof data, "%016" PRIx64, t->data);
    const char *theirs = grn_cr_meta(r, "data");
    if (!theirs || strcmp(theirs, data) != 0)
        GRN_FAIL(GRN_EINVAL, "'%s' cannot be resumed here: the training cells or their graphs differ", grn_cr_path(r));
    GRN_TRY(load_log(t, r));
    GRN_TRY(same_run(r));
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
