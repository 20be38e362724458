#include "columns.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define ROWS_PER_READ 4096
#define CELLS_PER_STRIP 4096 /* of a model's column: they stay in the cache over its topics */
#define BYTES_PER_VALUE 12 /* cell, value, rank */

grn_scale grn_scale_parse(const char *word)
{
    return word[0] == 'l' ? GRN_SCALE_LOGNORM : word[0] == 'r' ? GRN_SCALE_RAW : GRN_SCALE_BINARY;
}

grn_status grn_colsrc_open(grn_colsrc_t *s, const char *path, const grn_counts_opt_t *opt,
                           grn_scale scale, grn_par_t *pool)
{
    *s = (grn_colsrc_t){ .path = path, .scale = scale };
    grn_status rc = grn_mr_open(&s->mr, path, opt, pool);
    if (rc == GRN_OK) s->info = grn_mr_info(s->mr);
    return rc;
}

grn_status grn_colsrc_open_any(grn_colsrc_t *s, const char *path, const grn_counts_opt_t *opt, grn_scale scale, grn_par_t *pool)
{
    grn_status rc = GRN_OK;
    int is_container, low = 0;
    if (strcmp(path, "-")) GRN_TRY(grn_lowrank_sniff(path, &is_container, &low));
    if (!low) return grn_colsrc_open(s, path, opt, scale, pool);
    *s = (grn_colsrc_t){ .path = path, .scale = GRN_SCALE_RAW };
    GRN_TRY(grn_lowrank_load(path, pool, &s->low));
    GRN_TRY(grn_names_dup(&s->low_names.row, &s->low.cell));
    GRN_TRY(grn_names_dup(&s->low_names.col, &s->low.region));
    s->low_names.n_rows = s->low.C;
    s->low_names.n_cols = s->low.R;
    s->info = &s->low_names;
end:
    return rc;
}

void grn_colsrc_close(grn_colsrc_t *s)
{
    grn_lowrank_clear(&s->low);
    grn_matrix_clear(&s->low_names);
    free(s->theta);
    if (s->mr) grn_mr_close(s->mr);
    free(s->cell);
    free(s->col_nz);
    *s = (grn_colsrc_t){ 0 };
}

grn_status grn_colsrc_each(grn_colsrc_t *s, grn_row_fn fn, void *ctx)
{
    grn_status rc = GRN_OK;
    grn_matrix_t block = { 0 };
    uint64_t row = 0;
    int got;
    if (s->low.K) GRN_FAIL(GRN_EUNSUP, "'%s' is a model of rank %zu; counts are needed here", s->path, s->low.K);
    if (s->n_passes++) GRN_TRY(grn_mr_rewind(s->mr));
    while ((got = grn_mr_next(s->mr, ROWS_PER_READ, &block)) == 1) {
        GRN_TRY(grn_matrix_to_csr(&block));
        for (uint64_t i = 0; i < block.n_rows; i++, row++) {
            size_t n;
            const uint32_t *idx;
            const float *val;
            if (s->cell && s->cell[row] == UINT32_MAX) continue;
            grn_matrix_row(&block, i, &n, &idx, &val);
            GRN_TRY(fn(ctx, s, row, n, idx, val));
        }
        grn_matrix_clear(&block);
    }
    if (got < 0) rc = (grn_status)got;
end:
    grn_matrix_clear(&block);
    return rc;
}

static grn_status count_row(void *ctx, const grn_colsrc_t *s, uint64_t row, size_t n,
                            const uint32_t *idx, const float *val)
{
    int *is_counts = ctx;
    for (size_t k = 0; k < n; k++) {
        if (val[k] < 0 && s->scale == GRN_SCALE_LOGNORM) {
            return grn_err(GRN_EFORMAT,
                           "'%s': %g of %s in cell %s is negative: no counts to normalise", s->path,
                           val[k], grn_names_get(&s->info->col, idx[k]),
                           grn_names_get(&s->info->row, row));
        }
        s->col_nz[idx[k]]++;
        *is_counts &= val[k] >= 0 && val[k] == floorf(val[k]);
    }
    return GRN_OK;
}

/* Every region of a model has a value in every cell. */
static grn_status use_model(grn_colsrc_t *s)
{
    grn_status rc = GRN_NEW_RAW(s->theta, s->low.K * s->n_cells);
    if (rc) return rc;
    for (size_t j = 0; j < s->info->n_cols; j++) s->col_nz[j] = s->n_cells;
    for (size_t row = 0; row < s->low.C; row++) {
        uint32_t i = s->cell[row];
        for (size_t k = 0; k < s->low.K && i != UINT32_MAX; k++) s->theta[k * s->n_cells + i] = s->low.theta[row * s->low.K + k];
    }
    return GRN_OK;
}

grn_status grn_colsrc_use(grn_colsrc_t *s, const uint32_t *row, size_t n)
{
    grn_status rc = GRN_OK;
    GRN_TRY(GRN_NEW_RAW(s->cell, s->info->n_rows));
    s->n_cells = row ? n : s->info->n_rows;
    memset(s->cell, 0xff, s->info->n_rows * sizeof *s->cell);
    for (size_t k = 0; k < s->n_cells; k++) s->cell[row ? row[k] : k] = (uint32_t)k;
    GRN_TRY(GRN_NEW(s->col_nz, s->info->n_cols));
    if (s->low.K) return use_model(s);
    s->is_counts = 1;
    GRN_TRY(grn_colsrc_each(s, count_row, &s->is_counts));
end:
    return rc;
}

/* ---- per type ---- */

typedef struct {
    const int32_t *code;
    uint32_t *out;
} by_type_t;

static grn_status count_types(void *ctx, const grn_colsrc_t *s, uint64_t row, size_t n,
                              const uint32_t *idx, const float *val)
{
    by_type_t *t = ctx;
    (void)val;
    if (t->code[row] < 0) return GRN_OK;
    uint32_t *count = t->out + (size_t)t->code[row] * s->info->n_cols;
    for (size_t k = 0; k < n; k++) count[idx[k]]++;
    return GRN_OK;
}

grn_status grn_colsrc_by_type(grn_colsrc_t *s, const int32_t *code, size_t n_types, uint32_t *out)
{
    memset(out, 0, n_types * s->info->n_cols * sizeof *out);
    return grn_colsrc_each(s, count_types, &(by_type_t){ code, out });
}

/* ---- blocks ---- */

typedef struct {
    grn_colblock_t *b;
    uint32_t *slot; /* (columns) place in the block; UINT32_MAX: not asked for */
    uint64_t *fill; /* (n) next free entry */
} gather_t;

double grn_colsrc_total(const grn_colsrc_t *s, size_t n, const float *val)
{
    double total = 0;
    if (s->scale == GRN_SCALE_LOGNORM) {
        for (size_t k = 0; k < n; k++) total += val[k];
    }
    return total;
}

float grn_colsrc_value(const grn_colsrc_t *s, float x, double total)
{
    return (float)(s->scale == GRN_SCALE_LOGNORM ? log1p(x / total * 1e4) : s->scale == GRN_SCALE_RAW ? x : x > 0);
}

static grn_status gather_row(void *ctx, const grn_colsrc_t *s, uint64_t row, size_t n,
                             const uint32_t *idx, const float *val)
{
    gather_t *g = ctx;
    double total = grn_colsrc_total(s, n, val);
    for (size_t k = 0; k < n; k++) {
        uint32_t j = g->slot[idx[k]];
        if (j == UINT32_MAX) continue;
        g->b->idx[g->fill[j]] = s->cell[row];
        g->b->val[g->fill[j]++] = grn_colsrc_value(s, val[k], total);
    }
    return GRN_OK;
}

static int compare_entries(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Rows came in the order of the file: brings each column into the order of the cells. */
static grn_status order_columns(void *ctx, size_t begin, size_t end, int worker)
{
    grn_status rc = GRN_OK;
    grn_colblock_t *b = ctx;
    uint64_t *key = NULL;
    size_t cap = 0;
    (void)worker;
    for (size_t j = begin; j < end; j++) {
        size_t at = b->off[j], n = b->off[j + 1] - at, k = 1;
        while (k < n && b->idx[at + k - 1] < b->idx[at + k]) k++;
        if (k >= n) continue;
        GRN_TRY(GRN_GROW(key, cap, n));
        for (k = 0; k < n; k++) {
            uint32_t bits;
            memcpy(&bits, &b->val[at + k], sizeof bits);
            key[k] = (uint64_t)b->idx[at + k] << 32 | bits;
        }
        qsort(key, n, sizeof *key, compare_entries);
        for (k = 0; k < n; k++) {
            uint32_t bits = (uint32_t)key[k];
            b->idx[at + k] = (uint32_t)(key[k] >> 32);
            memcpy(&b->val[at + k], &bits, sizeof bits);
        }
    }
end:
    free(key);
    return rc;
}

typedef struct {
    const grn_colsrc_t *s;
    const uint32_t *cols;
    grn_colblock_t *b;
} model_t;

/* The same bits as grn_lowrank_of_region: sums in float32, k ascending. */
static grn_status model_columns(void *ctx, size_t begin, size_t end, int worker)
{
    const model_t *m = ctx;
    size_t n = m->s->n_cells, K = m->s->low.K;
    (void)worker;
    for (size_t j = begin; j < end; j++) {
        const float *phi = m->s->low.phi + (size_t)m->cols[j] * K;
        float *v = m->b->val + j * n;
        for (size_t i = 0; i < n; i++) m->b->idx[j * n + i] = (uint32_t)i;
        for (size_t c = 0; c < n; c += CELLS_PER_STRIP) {
            size_t stop = n - c < CELLS_PER_STRIP ? n : c + CELLS_PER_STRIP;
            memset(v + c, 0, (stop - c) * sizeof *v);
            for (size_t k = 0; k < K; k++)
                for (size_t i = c; i < stop; i++) v[i] += phi[k] * m->s->theta[k * n + i];
        }
    }
    return GRN_OK;
}

grn_status grn_colblock_gather(grn_colsrc_t *s, const uint32_t *cols, size_t n, grn_par_t *pool,
                               grn_colblock_t *b)
{
    grn_status rc = GRN_OK;
    gather_t g = { .b = b };
    *b = (grn_colblock_t){ .n = n };
    GRN_TRY(GRN_NEW_RAW(g.slot, s->info->n_cols));
    GRN_TRY(GRN_NEW(g.fill, n));
    GRN_TRY(GRN_NEW(b->off, n + 1));
    memset(g.slot, 0xff, s->info->n_cols * sizeof *g.slot);
    for (size_t j = 0; j < n; j++) {
        g.slot[cols[j]] = (uint32_t)j;
        g.fill[j] = b->off[j];
        b->off[j + 1] = b->off[j] + s->col_nz[cols[j]];
    }
    GRN_TRY(GRN_NEW_RAW(b->idx, b->off[n]));
    GRN_TRY(GRN_NEW_RAW(b->val, b->off[n]));
    if (s->low.K) {
        GRN_TRY(grn_par_for(pool, n, 4, model_columns, &(model_t){ s, cols, b }));
    } else {
        GRN_TRY(grn_colsrc_each(s, gather_row, &g));
        GRN_TRY(grn_par_for(pool, n, 256, order_columns, b));
    }
end:
    free(g.fill);
    free(g.slot);
    if (rc) grn_colblock_clear(b);
    return rc;
}

grn_status grn_colblock_load(grn_colsrc_t *s, const uint32_t *cols, size_t n, grn_par_t *pool,
                             grn_colblock_t *b)
{
    grn_status rc = grn_colblock_gather(s, cols, n, pool, b);
    if (!rc) rc = grn_corr_cols_init(&b->corr, s->n_cells, n, b->off, b->idx, b->val, pool);
    if (rc) grn_colblock_clear(b);
    return rc;
}

void grn_colblock_clear(grn_colblock_t *b)
{
    grn_corr_cols_clear(&b->corr);
    free(b->off);
    free(b->idx);
    free(b->val);
    *b = (grn_colblock_t){ 0 };
}

size_t grn_colblock_fit(const grn_colsrc_t *s, const uint32_t *cols, size_t begin, size_t n,
                        uint64_t budget)
{
    uint64_t bytes = 0;
    size_t k = begin;
    for (; k < n; k++) {
        bytes += s->col_nz[cols[k]] * BYTES_PER_VALUE + 48;
        if (bytes > budget && k > begin) break;
    }
    return k - begin;
}
