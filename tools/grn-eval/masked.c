/* Held-out reconstruction: mean squared error of the bins of masked genes in cells (or donors) no
 * model has trained on, beside the gene mean, the gene mean of the cell's type and a ridge
 * regression, on the very same masked entries. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "grn-eval/eval.h"
#include "grn-eval/ridge.h"
#include "grn-eval/subject.h"
#include "stat/curve.h"

enum { BATCH = 32 };

static struct {
    const char *counts, *edges, *activity, *out, *reference;
    double mask;
    int64_t bootstrap, ridge_draws, ridge_rows;
    grn_counts_cli_t in;
} opt = { .reference = "none",
          .mask = 0.5,
          .bootstrap = 1000,
          .ridge_draws = 4,
          .ridge_rows = 400,
          .in = GRN_COUNTS_CLI_INIT };

/* One line of the table: mean squared error of every test cell, averaged over the models (seeds) of
 * that name. */
typedef struct {
    char name[64];
    double *mse;      /* (n_test) */
    double sum, sum2; /* of the overall error of each seed */
    int seeds;
} line_t;

typedef struct {
    line_t line[64];
    int n_line;
    size_t n_test;
    uint64_t *key;     /* (n_test) unit of resampling: the cell, or its donor when whole donors were
                          held out */
    uint64_t check;    /* hash of the masked entries: every model must see the same */
    grn_masked_t test; /* the masked test sequences, values centred by the gene mean */
    uint32_t *entry_cell; /* (targets) test cell of each */
    float *truth;         /* (targets) bins */
} board_t;

static line_t *line_of(board_t *b, const char *name)
{
    for (int k = 0; k < b->n_line; k++)
        if (strcmp(b->line[k].name, name) == 0) return &b->line[k];
    if (b->n_line == (int)(sizeof b->line / sizeof *b->line)) return NULL;
    line_t *l = &b->line[b->n_line++];
    snprintf(l->name, sizeof l->name, "%s", name);
    return l;
}

/* Adds one seed's predictions (targets in order) to a line. */
static grn_status add_seed(board_t *b, const char *name, const float *pred)
{
    grn_status rc = GRN_OK;
    uint64_t total = b->test.t_off[b->test.n];
    double *mse = NULL, mean = 0;
    line_t *l = line_of(b, name);
    if (!l) GRN_FAIL(GRN_EINVAL, "more than 64 names");
    GRN_TRY(GRN_NEW(mse, b->n_test));
    if (!l->mse) GRN_TRY(GRN_NEW(l->mse, b->n_test));
    for (uint64_t k = 0; k < total; k++) {
        double d = (double)pred[k] - b->truth[k];
        if (!isfinite(d))
            GRN_FAIL(GRN_ENONFINITE, "'%s' predicts a value that is not finite", name);
        mse[b->entry_cell[k]] += d * d;
    }
    for (size_t c = 0; c < b->n_test; c++) {
        uint64_t n = b->test.t_off[c + 1] - b->test.t_off[c];
        mse[c] = n ? mse[c] / (double)n : 0;
        l->mse[c] = (l->mse[c] * l->seeds + mse[c]) / (l->seeds + 1);
        mean += mse[c] / (double)b->n_test;
    }
    l->seeds++;
    l->sum += mean;
    l->sum2 += mean * mean;
end:
    free(mse);
    return rc;
}

/* Appends the sequences of a batch: visible tokens and targets, centred by the gene means. */
static grn_status append(grn_masked_t *m, const grn_batch_t *b, const float *gene_mean)
{
    grn_status rc = GRN_OK;
    const int64_t *row = b->row_off.h, *key = b->key_off.h, *query = b->query_off.h;
    const int32_t *code = b->row_value.h;
    const float *target = b->target.h;
    for (int64_t c = 0; c < b->n_cells; c++) {
        GRN_TRY(GRN_GROW(m->off, m->row_cap, m->n + 2));
        GRN_TRY(GRN_GROW(m->t_off, m->t_row_cap, m->n + 2));
        if (m->n == 0) m->off[0] = m->t_off[0] = 0;
        uint64_t n = m->off[m->n], t = m->t_off[m->n];
        size_t n_key = (size_t)(key[c + 1] - key[c]), n_query = (size_t)(query[c + 1] - query[c]);
        if (n + n_key > m->cap || !m->gene) {
            size_t cap = m->cap;
            GRN_TRY(GRN_GROW(m->gene, cap, n + n_key));
            GRN_TRY(GRN_GROW(m->value, m->cap, n + n_key));
        }
        if (t + n_query > m->t_cap || !m->t_gene) {
            size_t cap = m->t_cap;
            GRN_TRY(GRN_GROW(m->t_gene, cap, t + n_query));
            GRN_TRY(GRN_GROW(m->t_value, m->t_cap, t + n_query));
        }
        for (size_t j = 0; j < n_key; j++) {
            uint32_t g = b->key_gene[(size_t)key[c] + j];
            int32_t v = code[(size_t)row[c] + 1 + j];
            if (v < 2) continue; /* masked */
            m->gene[n] = g;
            m->value[n++] = (float)(v - 2) - gene_mean[g];
        }
        for (size_t j = 0; j < n_query; j++) {
            uint32_t g = b->query_gene[(size_t)query[c] + j];
            m->t_gene[t] = g;
            m->t_value[t++] = target[(size_t)query[c] + j] - gene_mean[g];
        }
        m->n++;
        m->off[m->n] = n;
        m->t_off[m->n] = t;
    }
end:
    return rc;
}

static grn_view_t view_of(uint32_t epoch)
{
    return (grn_view_t){ 0,
                         GRN_QUERY_MASKED,
                         { .mask = opt.mask, .epoch = epoch, .seed = grn_common.seed } };
}

/* Draws the masked sequences of some cells without graphs (they do not touch tokens or masks). */
static grn_status draw(grn_subject_t *s, const uint32_t *cell, size_t n, uint32_t epoch,
                       grn_masked_t *m)
{
    grn_status rc = GRN_OK;
    grn_model_config_t cfg = s->model->cfg;
    grn_view_t view = view_of(epoch);
    cfg.grn = GRN_GRN_NONE;
    m->n_genes = s->model->genes.n;
    for (size_t i = 0; i < n; i += BATCH) {
        GRN_TRY(grn_batch_fill(s->batch, &cfg, &s->cells, cell + i, n - i < BATCH ? n - i : BATCH,
                               &view));
        GRN_TRY(append(m, s->batch, s->model->base.gene));
    }
end:
    return rc;
}

/* Predictions of a model for all test cells; also the hash of what was asked. */
static grn_status predict(grn_subject_t *s, float *pred, uint64_t n_pred, uint64_t *check)
{
    grn_status rc = GRN_OK;
    grn_view_t view = view_of(GRN_EPOCH_EVAL);
    uint64_t at = 0;
    *check = 0;
    for (size_t i = 0; i < s->n_test; i += BATCH) {
        GRN_TRY(grn_batch_fill(s->batch, &s->model->cfg, &s->cells, s->test + i,
                               s->n_test - i < BATCH ? s->n_test - i : BATCH, &view));
        size_t n = (size_t)s->batch->n_query;
        if (at + n > n_pred)
            GRN_FAIL(GRN_ESHAPE, "this model masks other genes than the first one: train them with "
                                 "the same --tokens, --zeros and --bins");
        GRN_TRY(grn_model_predict(s->model, s->batch, pred + at));
        uint64_t h[2] = { *check,
                          grn_hash(s->batch->query_gene, n * sizeof *s->batch->query_gene) };
        *check = grn_hash(h, sizeof h);
        at += n;
        grn_progress_add((uint64_t)s->batch->n_cells);
    }
    if (at != n_pred)
        GRN_FAIL(GRN_ESHAPE, "this model masks other genes than the first one: train them with the "
                             "same --tokens, --zeros and --bins");
end:
    return rc;
}

/* The unit of resampling of each test cell: its donor when at least two donors were held out, else
 * the cell. */
static grn_status set_keys(board_t *b, const grn_subject_t *s, const grn_matrix_t *m)
{
    const grn_attr_t *donor =
        s->split.by == GRN_SPLIT_DONOR ? grn_attr_find(&m->row_attr, "donor") : NULL;
    int by_donor = donor && donor->code && s->split.test_donors.n >= 2;
    if (GRN_NEW(b->key, b->n_test)) return GRN_ENOMEM;
    for (size_t c = 0; c < b->n_test; c++) {
        int32_t code = by_donor ? donor->code[s->test[c]] : -1;
        b->key[c] = code >= 0 ? grn_hash_str(grn_names_get(&donor->levels, (size_t)code))
                              : s->cells.key[s->test[c]];
    }
    if (by_donor)
        grn_log_info("%zu held-out cells of %zu donors; intervals resample donors", b->n_test,
                     s->split.test_donors.n);
    else grn_log_info("%zu held-out cells; intervals resample cells", b->n_test);
    return GRN_OK;
}

/* The task, from the first model: its test cells, their masked entries, what the baselines say. */
static grn_status set_task(board_t *b, grn_subject_t *s, const grn_matrix_t *m)
{
    grn_status rc;
    const grn_attr_t *type = grn_attr_find(&m->row_attr, "cell_type");
    const grn_baseline_t *base = &s->model->base;
    size_t G = s->model->genes.n;
    float *gene = NULL, *by_type = NULL;
    b->n_test = s->n_test;
    GRN_TRY(draw(s, s->test, s->n_test, GRN_EPOCH_EVAL, &b->test));
    uint64_t total = b->test.t_off[b->test.n];
    GRN_TRY(set_keys(b, s, m));
    GRN_TRY(GRN_NEW(b->entry_cell, total));
    GRN_TRY(GRN_NEW(b->truth, total));
    GRN_TRY(GRN_NEW(gene, total));
    GRN_TRY(GRN_NEW(by_type, total));
    for (size_t c = 0; c < b->n_test; c++) {
        size_t t = GRN_NAMES_NONE;
        if (type && type->code && type->code[s->test[c]] >= 0)
            t = grn_names_find(&base->types,
                               grn_names_get(&type->levels, (size_t)type->code[s->test[c]]));
        for (uint64_t k = b->test.t_off[c]; k < b->test.t_off[c + 1]; k++) {
            uint32_t g = b->test.t_gene[k];
            b->entry_cell[k] = (uint32_t)c;
            b->truth[k] = b->test.t_value[k] + base->gene[g];
            gene[k] = base->gene[g];
            by_type[k] = t == GRN_NAMES_NONE ? base->gene[g] : base->type[t * G + g];
        }
    }
    GRN_TRY(add_seed(b, "gene mean", gene));
    GRN_TRY(add_seed(b, "type mean", by_type));
end:
    free(gene);
    free(by_type);
    return rc;
}

static grn_status add_ridge(board_t *b, grn_subject_t *s)
{
    grn_status rc = GRN_OK;
    grn_masked_t train = { 0 };
    float *pred = NULL;
    double lambda;
    uint64_t total = b->test.t_off[b->test.n];
    GRN_TRY(GRN_NEW(pred, total));
    for (uint32_t e = 0; e < (uint32_t)opt.ridge_draws; e++)
        GRN_TRY(draw(s, s->train, s->n_train, e, &train));
    GRN_TRY(grn_ridge_predict(&train, &b->test, (size_t)opt.ridge_rows, grn_common.pool, pred,
                              &lambda));
    for (uint64_t k = 0; k < total; k++) pred[k] += s->model->base.gene[b->test.t_gene[k]];
    grn_log_info("ridge: %zu masked training sequences, at most %lld per gene, lambda %g of the "
                 "mean diagonal (leave-one-out)",
                 train.n, (long long)opt.ridge_rows, lambda);
    rc = add_seed(b, "ridge", pred);
end:
    grn_masked_clear(&train);
    free(pred);
    return rc;
}

static grn_status run_model(board_t *b, grn_dev_t *dev, grn_eval_inputs_t *in, const char *operand,
                            int is_first)
{
    grn_status rc;
    grn_subject_t s = { 0 };
    char name[64];
    const char *path;
    float *pred = NULL;
    uint64_t check;
    grn_eval_named(operand, name, sizeof name, &path);
    GRN_TRY(grn_subject_open(&s, dev, path, in, in->has_edges ? &in->edges : NULL));
    if (is_first) {
        GRN_TRY(set_task(b, &s, &in->counts));
        GRN_TRY(add_ridge(b, &s));
    }
    if (s.n_test != b->n_test)
        GRN_FAIL(GRN_ESHAPE, "'%s' holds out %zu cells, the first model %zu: use the same split",
                 path, s.n_test, b->n_test);
    GRN_TRY(GRN_NEW(pred, b->test.t_off[b->test.n]));
    rc = predict(&s, pred, b->test.t_off[b->test.n], &check);
    if (rc) (void)grn_err_prefix(rc, "'%s'", path);
    GRN_TRY(rc);
    if (is_first) b->check = check;
    if (check != b->check)
        GRN_FAIL(GRN_ESHAPE,
                 "'%s' masks other genes than the first model: train them with the same --tokens, "
                 "--zeros and --bins",
                 path);
    rc = add_seed(b, name, pred);
end:
    grn_subject_close(&s);
    free(pred);
    return rc;
}

/* Interval of the mean, and of the paired difference to the reference line, both by resampling
 * cells (or donors). */
static grn_status add_line(grn_result_t *r, const board_t *b, const line_t *l, const line_t *ref)
{
    grn_status rc;
    double mean, lo, hi, d = NAN, d_lo = NAN, d_hi = NAN, *diff = NULL, n = l->seeds;
    double sd =
        l->seeds > 1 ? sqrt(fmax(0, (l->sum2 - l->sum * l->sum / n) / (n - 1))) : (double)NAN;
    GRN_TRY(grn_curve_mean_ci(l->mse, b->key, b->n_test, (size_t)opt.bootstrap, 0.95,
                              grn_common.seed, &mean, &lo, &hi));
    if (ref && ref != l) {
        GRN_TRY(GRN_NEW(diff, b->n_test));
        for (size_t c = 0; c < b->n_test; c++) diff[c] = l->mse[c] - ref->mse[c];
        GRN_TRY(grn_curve_mean_ci(diff, b->key, b->n_test, (size_t)opt.bootstrap, 0.95,
                                  grn_common.seed, &d, &d_lo, &d_hi));
    }
    double base = b->line[0].sum / b->line[0].seeds; /* the gene mean */
    rc = grn_result_row(r, l->name, n, (double)b->n_test, (double)b->test.t_off[b->test.n], mean,
                        lo, hi, sd, 1 - mean / base, d, d_lo, d_hi);
end:
    free(diff);
    return rc;
}

static void board_clear(board_t *b)
{
    for (int k = 0; k < b->n_line; k++) free(b->line[k].mse);
    grn_masked_clear(&b->test);
    free(b->key);
    free(b->entry_cell);
    free(b->truth);
}

static grn_status emit(const board_t *b)
{
    grn_status rc;
    grn_result_t r = { 0 };
    char title[300];
    const line_t *ref = NULL;
    for (int k = 0; k < b->n_line; k++)
        if (strcmp(b->line[k].name, opt.reference) == 0) ref = &b->line[k];
    snprintf(title, sizeof title,
             "Held-out masked expression: mean squared error of bins, %.0f %% masked; difference "
             "to '%s' on the same entries",
             100 * opt.mask, ref ? opt.reference : "-");
    GRN_TRY(grn_result_init(&r, "masked", title,
                            "method$,seeds,cells,entries,mse,lo,hi,seed_sd,r2_over_gene_mean,"
                            "difference,difference_lo,difference_hi"));
    for (int k = 0; k < b->n_line; k++) GRN_TRY(add_line(&r, b, &b->line[k], ref));
    rc = grn_eval_emit(&r, opt.out);
end:
    grn_result_clear(&r);
    return rc;
}

static grn_status run(const grn_args_t *args)
{
    grn_status rc = GRN_OK;
    grn_eval_inputs_t in = { 0 };
    grn_counts_opt_t copt = GRN_COUNTS_OPT_INIT;
    grn_dev_t *dev = NULL;
    board_t b = { .n_line = 0 };
    if (!opt.counts) GRN_FAIL(GRN_EUSAGE, "give the expression with --counts");
    GRN_TRY(grn_counts_cli(&opt.in, &copt));
    GRN_TRY(grn_dev_open(&dev, grn_common.device, grn_common.pool));
    GRN_TRY(grn_eval_inputs_load(&in, opt.counts, &copt, opt.edges, opt.activity));
    grn_progress_begin(0, "cells");
    for (int k = 0; k < args->n; k++) GRN_TRY(run_model(&b, dev, &in, args->v[k], k == 0));
    grn_progress_end();
    rc = emit(&b);
end:
    board_clear(&b);
    grn_eval_inputs_clear(&in);
    grn_dev_close(dev);
    return rc;
}

static const grn_opt_t table[] = {
    GRN_OPT_HEAD("Cells and graphs"),
    GRN_OPT_STR(0, "counts", "FILE", &opt.counts,
                "expression the models were trained on; their held-out cells are used"),
    GRN_OPT_STR('e', "edges", "FILE", &opt.edges, "regulons (for models with graphs)"),
    GRN_OPT_STR('a', "activity", "FILE", &opt.activity,
                "on/off calls (for cell and hybrid models)"),
    GRN_OPT_HEAD("Evaluation"),
    GRN_OPT_FLT(0, "mask", "FLOAT", &opt.mask, 0.01, 0.99,
                "share of the gene tokens that is masked"),
    GRN_OPT_STR(0, "reference", "NAME", &opt.reference,
                "paired differences to the model of this name"),
    GRN_OPT_INT(0, "bootstrap", "INT", &opt.bootstrap, 1, 100000,
                "replicates of the intervals (cells, or donors when donors were held out)"),
    GRN_OPT_INT(0, "ridge-draws", "INT", &opt.ridge_draws, 1, 1000,
                "masked draws of each training cell for the ridge baseline"),
    GRN_OPT_INT(0, "ridge-rows", "INT", &opt.ridge_rows, 3, 5000,
                "training sequences per gene for the ridge baseline"),
    GRN_OPT_HEAD("Output"),
    GRN_OPT_STR('o', "output", "FILE", &opt.out, "also save the table as grn.result"),
    GRN_OPT_HEAD("Input"),
    GRN_COUNTS_OPTIONS(opt.in),
    GRN_OPT_END,
};
const grn_subtool_t grn_eval_masked = {
    { "grn-eval masked", "Held-out reconstruction of masked genes beside gene means and ridge.",
      "[options] --counts COUNTS [NAME=]MODEL...", table, 1, -1,
      "  grn-eval masked --counts counts.h5 -e regulons.edges.zst -a active.tensor.zst "
      "none=m0.tensor.zst hybrid=m1.tensor.zst hybrid=m2.tensor.zst\n" },
    run
};
