/* The values of metacells: rows of the members are gathered for as many metacells at once as memory allows, then added up. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "io/matrix.h"
#include "metacells.h"

#define ENTRY_BYTES (sizeof(uint32_t) + sizeof(float))
#define EXACT 16777216.0 /* float32 holds every whole number up to here */

typedef struct { /* the row of one metacell */
    size_t n;
    uint32_t *idx;
    float *val;
} pooled_t;

typedef struct {       /* of one thread */
    double *sum;       /* (columns) 0 between metacells */
    uint8_t *seen;     /* (columns) 0 between metacells */
    uint32_t *touched; /* (columns) */
} work_t;

typedef struct {
    const grn_metacells_opt_t *opt;
    const grn_metacells_members_t *m;
    const grn_metacells_rows_t *rows;
    const char *path;
    size_t n_cols;
    uint64_t *nz;    /* (cells in use) values other than 0 */
    int is_counts;   /* all whole and not negative */
    uint32_t *batch; /* (cells in use) last batch that needs the cell, + 1 */
    uint64_t *at;    /* (cells in use) where its row is in idx, val */
    uint32_t *idx;
    float *val;
    size_t idx_cap, val_cap;
    size_t first; /* metacell of the batch */
    uint32_t number;
    pooled_t *out; /* (metacells of the batch) */
    work_t *work;
    size_t n_workers;
} pool_t;

static void pool_clear(pool_t *p)
{
    for (size_t i = 0; p->work && i < p->n_workers; i++) {
        free(p->work[i].sum);
        free(p->work[i].seen);
        free(p->work[i].touched);
    }
    free(p->work);
    free(p->nz);
    free(p->batch);
    free(p->at);
    free(p->idx);
    free(p->val);
}

/* ---- passes over the file ---- */

static grn_status count_row(void *ctx, const grn_colsrc_t *s, uint64_t row, size_t n, const uint32_t *idx, const float *val)
{
    pool_t *p = ctx;
    (void)idx;
    p->nz[s->cell[row]] = n;
    for (size_t k = 0; k < n; k++) p->is_counts &= val[k] >= 0 && val[k] == floorf(val[k]);
    return GRN_OK;
}

static grn_status keep_row(void *ctx, const grn_colsrc_t *s, uint64_t row, size_t n, const uint32_t *idx, const float *val)
{
    pool_t *p = ctx;
    uint32_t cell = s->cell[row];
    if (p->batch[cell] != p->number || !n) return GRN_OK;
    memcpy(p->idx + p->at[cell], idx, n * sizeof *idx);
    memcpy(p->val + p->at[cell], val, n * sizeof *val);
    return GRN_OK;
}

/* Takes as many metacells from `first` on as the budget allows, at least one; places for the rows of their cells. */
static size_t plan_batch(pool_t *p, size_t first, uint64_t budget, uint64_t *n_entries)
{
    const grn_metacells_members_t *m = p->m;
    size_t i = first;
    *n_entries = 0;
    p->number++;
    for (; i < p->rows->n; i++) {
        uint64_t more = 0;
        for (uint64_t k = m->off[i]; k < m->off[i + 1]; k++)
            if (p->batch[m->member[k]] != p->number) more += p->nz[m->member[k]];
        if (i > first && (*n_entries + more) * ENTRY_BYTES > budget) break;
        for (uint64_t k = m->off[i]; k < m->off[i + 1]; k++) {
            uint32_t cell = m->member[k];
            if (p->batch[cell] == p->number) continue;
            p->batch[cell] = p->number;
            p->at[cell] = *n_entries;
            *n_entries += p->nz[cell];
        }
    }
    return i - first;
}

/* ---- adding up ---- */

static int ascending(const void *x, const void *y)
{
    uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;
    return a < b ? -1 : a > b;
}

/* The columns touched, ascending; marks are taken back. */
static void order_touched(const pool_t *p, work_t *w, size_t n)
{
    if (n > p->n_cols / 16) {
        n = 0;
        for (size_t j = 0; j < p->n_cols; j++)
            if (w->seen[j]) w->touched[n++] = (uint32_t)j;
    } else if (n) {
        qsort(w->touched, n, sizeof *w->touched, ascending);
    }
    for (size_t k = 0; k < n; k++) w->seen[w->touched[k]] = 0;
}

static grn_status take_row(pool_t *p, size_t meta, work_t *w, size_t n)
{
    grn_status rc = GRN_OK;
    pooled_t *out = &p->out[meta - p->first];
    double share = p->opt->mean ? (double)(p->m->off[meta + 1] - p->m->off[meta]) : 1;
    GRN_TRY(GRN_NEW_RAW(out->idx, n));
    GRN_TRY(GRN_NEW_RAW(out->val, n));
    for (size_t k = 0; k < n; k++) {
        uint32_t j = w->touched[k];
        double sum = w->sum[j];
        float x = (float)(sum / share);
        w->sum[j] = 0;
        if (!rc && p->is_counts && !p->opt->mean && sum > EXACT)
            rc = grn_err(GRN_EUNSUP, "'%s': the sum of %s in metacell '%s' is %.0f, more than 16,777,216: give --combine mean",
                         p->path, grn_names_get(&p->m->src->info->col, j), grn_names_get(&p->rows->name, meta), sum);
        if (x == 0) continue; /* values that cancel, or vanish in float32 */
        out->idx[out->n] = j;
        out->val[out->n++] = x;
    }
end:
    return rc;
}

static grn_status pool_work(void *ctx, size_t begin, size_t end, int worker)
{
    grn_status rc = GRN_OK;
    pool_t *p = ctx;
    work_t *w = &p->work[worker];
    for (size_t i = begin; i < end; i++) {
        size_t meta = p->first + i, n = 0;
        for (uint64_t k = p->m->off[meta]; k < p->m->off[meta + 1]; k++) {
            uint32_t cell = p->m->member[k];
            const uint32_t *idx = p->idx + p->at[cell];
            const float *val = p->val + p->at[cell];
            for (uint64_t e = 0; e < p->nz[cell]; e++) {
                w->sum[idx[e]] += val[e];
                if (w->seen[idx[e]]) continue;
                w->seen[idx[e]] = 1;
                w->touched[n++] = idx[e];
            }
        }
        order_touched(p, w, n);
        GRN_TRY(take_row(p, meta, w, n));
    }
    grn_progress_add(end - begin);
end:
    return rc;
}

/* ---- blocks ---- */

static grn_status add_codes(grn_attrs_t *as, const char *name, const int32_t *code, size_t n, const grn_names_t *levels)
{
    grn_status rc = GRN_OK;
    grn_names_t copy = { 0 };
    int32_t *v = NULL;
    GRN_TRY(GRN_NEW_RAW(v, n));
    memcpy(v, code, n * sizeof *v);
    GRN_TRY(grn_names_dup(&copy, levels));
    GRN_TRY(grn_attr_add_code(as, name, v, &copy));
    return GRN_OK;
end:
    free(v);
    grn_names_clear(&copy);
    return rc;
}

static grn_status add_attrs(const pool_t *p, grn_matrix_t *b)
{
    grn_status rc = GRN_OK;
    double *n_cells = NULL;
    size_t n = b->n_rows;
    GRN_TRY(add_codes(&b->row_attr, "cell_type", p->rows->type + p->first, n, &p->rows->types));
    if (p->rows->level) GRN_TRY(add_codes(&b->row_attr, p->opt->by, p->rows->level + p->first, n, &p->rows->levels));
    GRN_TRY(GRN_NEW_RAW(n_cells, n));
    for (size_t i = 0; i < n; i++) n_cells[i] = (double)(p->m->off[p->first + i + 1] - p->m->off[p->first + i]);
    GRN_TRY(grn_attr_add_num(&b->row_attr, "n_cells", n_cells));
    n_cells = NULL;
end:
    free(n_cells);
    return rc;
}

static grn_status write_batch(pool_t *p, size_t n, grn_mw_t *w)
{
    grn_status rc = GRN_OK;
    grn_matrix_t b = { .n_rows = n, .n_cols = p->n_cols };
    GRN_TRY(GRN_NEW(b.indptr, n + 1));
    for (size_t i = 0; i < n; i++) {
        b.indptr[i + 1] = b.indptr[i] + p->out[i].n;
        GRN_TRY(grn_names_add(&b.row, grn_names_get(&p->rows->name, p->first + i), NULL, NULL));
    }
    GRN_TRY(GRN_NEW_RAW(b.indices, b.indptr[n]));
    GRN_TRY(GRN_NEW_RAW(b.data, b.indptr[n]));
    for (size_t i = 0; i < n; i++) {
        if (!p->out[i].n) continue;
        memcpy(b.indices + b.indptr[i], p->out[i].idx, p->out[i].n * sizeof *b.indices);
        memcpy(b.data + b.indptr[i], p->out[i].val, p->out[i].n * sizeof *b.data);
    }
    GRN_TRY(add_attrs(p, &b));
    GRN_TRY(grn_mw_append(w, &b));
end:
    grn_matrix_clear(&b);
    return rc;
}

static grn_status one_batch(pool_t *p, size_t n, uint64_t n_entries, grn_par_t *pool, grn_mw_t *w)
{
    grn_status rc = GRN_OK;
    GRN_TRY(GRN_GROW(p->idx, p->idx_cap, n_entries + 1));
    GRN_TRY(GRN_GROW(p->val, p->val_cap, n_entries + 1));
    GRN_TRY(grn_colsrc_each(p->m->src, keep_row, p));
    GRN_TRY(GRN_NEW(p->out, n));
    GRN_TRY(grn_par_for(pool, n, 4, pool_work, p));
    GRN_TRY(write_batch(p, n, w));
end:
    for (size_t i = 0; p->out && i < n; i++) {
        free(p->out[i].idx);
        free(p->out[i].val);
    }
    free(p->out);
    p->out = NULL;
    return rc;
}

static grn_status prepare(pool_t *p)
{
    grn_status rc = GRN_OK;
    GRN_TRY(GRN_NEW(p->nz, p->m->n_cells));
    GRN_TRY(GRN_NEW(p->batch, p->m->n_cells));
    GRN_TRY(GRN_NEW(p->at, p->m->n_cells));
    GRN_TRY(GRN_NEW(p->work, p->n_workers));
    for (size_t i = 0; i < p->n_workers; i++) {
        GRN_TRY(GRN_NEW(p->work[i].sum, p->n_cols));
        GRN_TRY(GRN_NEW(p->work[i].seen, p->n_cols));
        GRN_TRY(GRN_NEW_RAW(p->work[i].touched, p->n_cols));
    }
    GRN_TRY(grn_colsrc_each(p->m->src, count_row, p));
    if (!p->is_counts)
        grn_log_warn("'%s' does not hold whole numbers: metacells are %s of normalised values", p->path,
                     p->opt->mean ? "means" : "sums");
end:
    return rc;
}

static grn_status open_output(const pool_t *p, const char *path, const char *funnel, grn_par_t *pool, grn_mw_t **w)
{
    grn_status rc = GRN_OK;
    char size[32];
    const grn_matrix_t *info = p->m->src->info;
    snprintf(size, sizeof size, "%zu", p->opt->size);
    GRN_TRY(grn_mw_open(w, path, &info->col, &info->col_attr, 0, pool));
    GRN_TRY(grn_mw_meta(*w, "kind", "metacells"));
    GRN_TRY(grn_mw_meta(*w, "combine", p->opt->mean ? "mean" : "sum"));
    GRN_TRY(grn_mw_meta(*w, "size", size));
    GRN_TRY(grn_mw_meta(*w, "pair", !p->opt->atac ? "none" : p->opt->pair == GRN_PAIR_TYPES ? "types" : "cells"));
    GRN_TRY(grn_mw_meta(*w, "funnel", funnel));
end:
    return rc;
}

grn_status grn_metacells_pool(const grn_metacells_opt_t *opt, const grn_metacells_members_t *m, const grn_metacells_rows_t *rows,
                              const char *path, const char *funnel, uint64_t budget, grn_par_t *pool, grn_mw_t **w)
{
    grn_status rc = GRN_OK;
    uint64_t n_entries;
    pool_t p = { .opt = opt,
                 .m = m,
                 .rows = rows,
                 .path = m->src->path,
                 .n_cols = m->src->info->n_cols,
                 .is_counts = 1,
                 .n_workers = (size_t)grn_par_n(pool) };
    GRN_TRY(prepare(&p));
    GRN_TRY(open_output(&p, path, funnel, pool, w));
    grn_progress_begin(rows->n, "metacells");
    for (size_t n; p.first < rows->n; p.first += n) {
        n = plan_batch(&p, p.first, budget, &n_entries);
        GRN_TRY(one_batch(&p, n, n_entries, pool, *w));
    }
    grn_log_debug("'%s': %u batches of metacells", p.path, p.number);
end:
    grn_progress_end();
    pool_clear(&p);
    return rc;
}
