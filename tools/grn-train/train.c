#include "grn-train/train.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/names.h"
#include "base/rng.h"

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Digest of what training reads: cells in name order with their counts, and the arcs and bits of their graphs. */
static uint64_t digest_data(const grn_train_t *t)
{
    const grn_cells_t *c = t->cells;
    uint64_t h = grn_hash(c->gene_key, c->n_genes * sizeof *c->gene_key);
    for (size_t i = 0; i < t->n_train; i++) {
        size_t n = 0;
        const uint32_t *gene;
        const float *count;
        uint32_t id = t->train[i];
        grn_matrix_row(c->m, id, &n, &gene, &count);
        uint64_t part[5] = { h, c->key[id], grn_hash(gene, n * sizeof *gene), grn_hash(count, n * sizeof *count), 0 };
        if (c->has_graph) part[4] = grn_hash(c->mask.on + id * c->mask.n_words, c->mask.n_words * sizeof *c->mask.on);
        h = grn_hash(part, sizeof part);
    }
    h ^= grn_hash(c->coexpr.a, c->coexpr.n * sizeof *c->coexpr.a);
    for (size_t k = 0; k < c->reg.contexts.n; k++)
        h ^= grn_hash(c->type[k].a, c->type[k].n * sizeof *c->type[k].a) * (2 * k + 1);
    return h;
}

/* Passes over n cells when none are asked for: small data needs many. */
static int64_t enough_epochs(size_t n)
{
    int64_t epochs = (20000 + (int64_t)n - 1) / (int64_t)n;
    return epochs > 5 ? epochs : 5;
}

grn_status grn_train_init(grn_train_t *t, const grn_train_opt_t *opt, grn_model_t *m, const grn_cells_t *cells,
                          const grn_split_t *split, grn_par_t *pool)
{
    grn_status rc = GRN_OK;
    *t = (grn_train_t){ .opt = opt, .pool = pool, .model = m, .cells = cells, .ordered = -1 };
    GRN_TRY(grn_split_cells(split, cells->m, GRN_PART_TRAIN, &t->train, &t->n_train));
    GRN_TRY(grn_split_cells(split, cells->m, GRN_PART_VALIDATION, &t->val, &t->n_val));
    if (t->n_val > (size_t)opt->val_cells) t->n_val = (size_t)opt->val_cells;
    GRN_TRY(GRN_NEW_RAW(t->order, t->n_train));
    GRN_TRY(GRN_NEW_RAW(t->type, cells->n));
    GRN_TRY(grn_baseline_types(&m->base, cells->m, t->type));
    GRN_TRY(grn_batch_create(&t->batch, m->dev, pool));
    t->per_epoch = ((int64_t)t->n_train + opt->batch - 1) / opt->batch;
    t->total = opt->steps > 0 ? opt->steps : (opt->epochs > 0 ? opt->epochs : enough_epochs(t->n_train)) * t->per_epoch;
    grn_optim_init(&t->optim);
    t->optim.lr = opt->lr;
    t->optim.decay = opt->decay;
    t->optim.clip = opt->clip;
    t->optim.total = t->total;
    t->optim.warmup = (int64_t)(opt->warmup * (double)t->total);
    t->optim.step = m->step;
    t->data = digest_data(t);
end:
    return rc;
}

void grn_train_clear(grn_train_t *t)
{
    grn_batch_destroy(t->batch);
    grn_optim_clear(&t->optim);
    free(t->train);
    free(t->val);
    free(t->order);
    free(t->type);
    free(t->row);
    *t = (grn_train_t){ 0 };
}

typedef struct {
    uint64_t key;
    uint32_t rank, cell; /* rank: place in name order, for ties */
} ordered_t;

static int compare_ordered(const void *x, const void *y)
{
    const ordered_t *a = x, *b = y;
    if (a->key != b->key) return a->key < b->key ? -1 : 1;
    return (a->rank > b->rank) - (a->rank < b->rank);
}

/* The cells of an epoch in random order, by their barcodes' numbers. */
static grn_status order_cells(grn_train_t *t, int64_t epoch)
{
    grn_status rc = GRN_OK;
    ordered_t *o = NULL;
    if (t->ordered == epoch) return GRN_OK;
    GRN_TRY(GRN_NEW_RAW(o, t->n_train));
    for (size_t i = 0; i < t->n_train; i++) {
        uint32_t cell = t->train[i];
        o[i] = (ordered_t){ grn_rng_key(t->model->cfg.seed, "train.order", t->cells->key[cell], (uint64_t)epoch),
                            (uint32_t)i, cell };
    }
    qsort(o, t->n_train, sizeof *o, compare_ordered);
    for (size_t i = 0; i < t->n_train; i++) t->order[i] = o[i].cell;
    t->ordered = epoch;
end:
    free(o);
    return rc;
}

/* One optimiser step; *n_cells = cells in it. */
static grn_status train_step(grn_train_t *t, size_t *n_cells)
{
    grn_status rc = GRN_OK;
    grn_model_t *m = t->model;
    int64_t epoch = m->step / t->per_epoch;
    size_t at = (size_t)(m->step % t->per_epoch) * (size_t)t->opt->batch, n = t->n_train - at;
    double sum, entries;
    grn_view_t view = { 1, GRN_QUERY_MASKED, { .mask = m->cfg.mask, .epoch = (uint32_t)epoch, .seed = m->cfg.seed } };
    if (n > (size_t)t->opt->batch) n = (size_t)t->opt->batch;
    GRN_TRY(order_cells(t, epoch));
    GRN_TRY(grn_batch_fill(t->batch, &m->cfg, t->cells, t->order + at, n, &view));
    GRN_TRY(grn_model_forward(m, t->batch, 1, m->step));
    GRN_TRY(grn_model_loss(m, t->batch, &sum, &entries));
    if (!isfinite(sum)) {
        GRN_FAIL(GRN_ENONFINITE, "the loss is %g at step %lld: the run has diverged; try a smaller --lr", sum,
                 (long long)m->step + 1);
    }
    GRN_TRY(grn_params_zero_grad(&m->params));
    GRN_TRY(grn_model_backward(m, t->batch, 1, m->step));
    GRN_TRY(grn_optim_step(&t->optim, &m->params, &t->norm));
    m->step++;
    t->sum[0] += sum;
    t->sum[1] += entries;
    *n_cells = n;
end:
    return rc;
}

/* Squared errors of the model, the gene means and the type means over the masked entries of the validation cells. */
static grn_status validate(grn_train_t *t, double loss[3])
{
    grn_status rc = GRN_OK;
    grn_model_t *m = t->model;
    float *pred = NULL;
    size_t cap = 0;
    double sum[3] = { 0, 0, 0 }, n = 0;
    grn_view_t view = { 0, GRN_QUERY_MASKED, { .mask = m->cfg.mask, .epoch = GRN_EPOCH_EVAL, .seed = m->cfg.seed } };
    for (size_t at = 0; at < t->n_val; at += (size_t)t->opt->batch) {
        size_t k = t->n_val - at < (size_t)t->opt->batch ? t->n_val - at : (size_t)t->opt->batch;
        GRN_TRY(grn_batch_fill(t->batch, &m->cfg, t->cells, t->val + at, k, &view));
        GRN_TRY(GRN_GROW(pred, cap, (size_t)t->batch->n_query));
        GRN_TRY(grn_model_predict(m, t->batch, pred));
        for (int64_t i = 0; i < t->batch->n_query; i++) {
            uint32_t gene = t->batch->query_gene[i], cell = t->val[at + t->batch->query_cell[i]];
            double y = ((const float *)t->batch->target.h)[i];
            double e[3] = { pred[i] - y, m->base.gene[gene] - y,
                            grn_baseline_type(&m->base, t->cells->n_genes, t->type[cell], gene) - y };
            for (int j = 0; j < 3; j++) sum[j] += e[j] * e[j];
            n += 1;
        }
    }
    for (int j = 0; j < 3; j++) loss[j] = n > 0 ? sum[j] / n : NAN;
end:
    free(pred);
    return rc;
}

static grn_status add_row(grn_train_t *t, double seconds, double n_cells)
{
    grn_status rc = GRN_OK;
    double loss[3], step = (double)t->model->step;
    GRN_TRY(validate(t, loss));
    GRN_TRY(GRN_GROW(t->row, t->row_cap, t->n_row + 1));
    t->row[t->n_row++] =
        (grn_log_row_t){ { step, step / (double)t->per_epoch, grn_optim_lr(&t->optim, t->model->step - 1),
                           t->sum[1] > 0 ? t->sum[0] / t->sum[1] : NAN, loss[0], loss[1], loss[2], t->norm },
                         seconds > 0 ? n_cells / seconds : NAN };
    grn_log_debug("step %lld: train %.3f, validation %.3f, gene mean %.3f, type mean %.3f", (long long)t->model->step,
                  t->row[t->n_row - 1].x[GRN_LOG_TRAIN], loss[0], loss[1], loss[2]);
    grn_progress_note("loss %.2f, validation %.2f (type mean %.2f)", t->row[t->n_row - 1].x[GRN_LOG_TRAIN], loss[0],
                      loss[2]);
    t->sum[0] = t->sum[1] = 0;
end:
    return rc;
}

/* 1 after the steps at which a log row is due: `rows` of them, evenly spread, the last one at the end. */
static int row_due(const grn_train_t *t)
{
    int64_t rows = t->opt->rows < t->total ? t->opt->rows : t->total, s = t->model->step;
    return s * rows / t->total > (s - 1) * rows / t->total;
}

grn_status grn_train_run(grn_train_t *t)
{
    grn_status rc = GRN_OK;
    grn_model_t *m = t->model;
    int64_t last = t->opt->stop > 0 && t->opt->stop < t->total ? t->opt->stop : t->total;
    double seconds = 0, n_cells = 0;
    grn_progress_begin(last > m->step ? (uint64_t)((last - m->step) * t->opt->batch) : 0, "cells");
    while (m->step < last) {
        size_t n = 0;
        double start = now();
        GRN_TRY(train_step(t, &n));
        seconds += now() - start;
        n_cells += (double)n;
        grn_progress_add(n);
        if (row_due(t)) {
            GRN_TRY(add_row(t, seconds, n_cells));
            seconds = n_cells = 0;
        }
        int stopping = m->step == last && last < t->total;
        if (t->opt->checkpoint && (stopping || (t->opt->every > 0 && m->step % t->opt->every == 0 && m->step < t->total))) {
            GRN_TRY(grn_train_save(t, t->opt->checkpoint, 1));
        }
    }
end:
    grn_progress_end();
    return rc;
}
