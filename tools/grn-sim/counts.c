/* UMI counts: negative binomial around the expectation, drawn cell by cell and written in blocks of
 * cells.
 *
 * A negative binomial of mean m and size theta is a Poisson number, of mean theta log(1 + m /
 * theta), of logarithmic variables with p = m / (m + theta) (Quenouille 1949). So one exponential
 * clock runs over the genes of a cell and stops only where something is counted: the cost is one
 * logarithm per gene and a few draws per UMI, and the distribution is exact. */
#include "sim.h"

#include <math.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "io/h5ad_write.h"
#include "io/tenx_write.h"

#define BLOCK_CELLS 2048 /* cells written at once */
#define GRAIN_CELLS 32

typedef struct { /* one worker's scratch */
    grn_sim_cell_t cell;
    double *eta, *mu;
} scratch_t;

typedef struct {
    const grn_sim_t *s;
    uint64_t first; /* cell number of the block's first cell */
    size_t n;       /* cells in the block */
    scratch_t *scratch;
    int n_workers;
    grn_sim_rows_t chunk[BLOCK_CELLS / GRAIN_CELLS];
    uint32_t n_nz[BLOCK_CELLS];
    int32_t type[BLOCK_CELLS], donor[BLOCK_CELLS];
    char barcode[BLOCK_CELLS][GRN_SIM_BARCODE_N + 1];
} block_t;

/* Logarithmic variable with parameter p = m / (m + theta), log_q = log(1 - p) (Kemp 1981, algorithm
 * LK). */
static uint32_t draw_log_series(grn_rng_t *r, double p, double log_q)
{
    double v = grn_rng_open(r);
    if (v >= p) return 1;
    double q = -expm1(log_q * grn_rng_open(r));
    if (v <= q * q) return 1 + (uint32_t)fmin(1e6, floor(log(v) / log(q)));
    return v >= q ? 1 : 2;
}

void grn_sim_rows_clear(grn_sim_rows_t *x)
{
    free(x->idx);
    free(x->val);
    memset(x, 0, sizeof *x);
}

static grn_status push(grn_sim_rows_t *x, uint32_t gene, uint32_t n)
{
    if (x->n == x->cap_idx && GRN_GROW(x->idx, x->cap_idx, x->n + 1)) return GRN_ENOMEM;
    if (x->n == x->cap_val && GRN_GROW(x->val, x->cap_val, x->n + 1)) return GRN_ENOMEM;
    x->idx[x->n] = gene;
    x->val[x->n++] = (float)n;
    return GRN_OK;
}

grn_status grn_sim_draw_row(grn_rng_t *r, size_t n, const double *mu, const double *theta,
                            grn_sim_rows_t *out)
{
    double wait = grn_rng_exp(r); /* until the next event */
    for (size_t g = 0; g < n; g++) {
        double log_q = -log1p(mu[g] / theta[g]), left = -theta[g] * log_q;
        uint32_t count = 0;
        for (; wait < left; wait = grn_rng_exp(r)) {
            left -= wait;
            count += draw_log_series(r, mu[g] / (mu[g] + theta[g]), log_q);
        }
        wait -= left;
        if (count && push(out, (uint32_t)g, count)) return GRN_ENOMEM;
    }
    return GRN_OK;
}

static grn_status draw_cell(const grn_sim_t *s, scratch_t *w, grn_sim_rows_t *out)
{
    grn_rng_t r;
    grn_rng_init(&r, s->o.seed, "sim.counts", w->cell.hash);
    grn_sim_expected(s, &w->cell, w->eta, w->mu);
    return grn_sim_draw_row(&r, s->genes.n, w->mu, s->theta, out);
}

static grn_status draw_cells(void *ctx, size_t begin, size_t end, int worker)
{
    block_t *b = ctx;
    scratch_t *w = &b->scratch[worker];
    grn_sim_rows_t *out = &b->chunk[begin / GRAIN_CELLS];
    out->n = 0;
    for (size_t i = begin; i < end; i++) {
        size_t before = out->n;
        grn_sim_cell(b->s, b->first + i, &w->cell);
        if (draw_cell(b->s, w, out)) return GRN_ENOMEM;
        b->n_nz[i] = (uint32_t)(out->n - before);
        b->type[i] = (int32_t)w->cell.type;
        b->donor[i] = (int32_t)w->cell.donor;
        memcpy(b->barcode[i], w->cell.barcode, sizeof b->barcode[i]);
    }
    grn_progress_add(end - begin);
    return GRN_OK;
}

static grn_status add_codes(grn_attrs_t *as, const char *name, const int32_t *code, size_t n,
                            const grn_names_t *levels)
{
    grn_status rc = GRN_OK;
    int32_t *copy = NULL;
    grn_names_t names = { 0 };
    GRN_TRY(GRN_NEW_RAW(copy, n));
    memcpy(copy, code, n * sizeof *copy);
    GRN_TRY(grn_names_dup(&names, levels));
    GRN_TRY(grn_attr_add_code(as, name, copy, &names));
    return GRN_OK;
end:
    free(copy);
    grn_names_clear(&names);
    return rc;
}

static grn_status to_matrix(const block_t *b, grn_matrix_t *m)
{
    grn_status rc = GRN_OK;
    size_t nnz = 0, n_chunk = (b->n + GRAIN_CELLS - 1) / GRAIN_CELLS;
    for (size_t k = 0; k < n_chunk; k++) nnz += b->chunk[k].n;
    m->n_rows = b->n;
    m->n_cols = b->s->genes.n;
    GRN_TRY(GRN_NEW(m->indptr, b->n + 1));
    GRN_TRY(GRN_NEW_RAW(m->indices, nnz));
    GRN_TRY(GRN_NEW_RAW(m->data, nnz));
    nnz = 0;
    for (size_t k = 0; k < n_chunk; k++) {
        if (!b->chunk[k].n) continue;
        memcpy(m->indices + nnz, b->chunk[k].idx, b->chunk[k].n * sizeof *m->indices);
        memcpy(m->data + nnz, b->chunk[k].val, b->chunk[k].n * sizeof *m->data);
        nnz += b->chunk[k].n;
    }
    for (size_t i = 0; i < b->n; i++) {
        m->indptr[i + 1] = m->indptr[i] + b->n_nz[i];
        GRN_TRY(grn_names_add(&m->row, b->barcode[i], NULL, NULL));
    }
    GRN_TRY(grn_names_dup(&m->col, &b->s->genes));
    GRN_TRY(add_codes(&m->row_attr, "cell_type", b->type, b->n, &b->s->types));
    GRN_TRY(add_codes(&m->row_attr, "donor", b->donor, b->n, &b->s->donors));
end:
    return rc;
}

static grn_status gene_attrs(const grn_sim_t *s, grn_attrs_t *as)
{
    grn_status rc = GRN_OK;
    size_t n = s->genes.n;
    int32_t *code = NULL;
    grn_names_t kind = { 0 };
    GRN_TRY(GRN_NEW_RAW(code, n));
    for (size_t g = 0; g < n; g++) code[g] = (int32_t)g;
    GRN_TRY(add_codes(as, "gene_id", code, n, &s->gene_ids));
    memset(code, 0, n * sizeof *code);
    GRN_TRY(grn_names_add(&kind, "Gene Expression", NULL, NULL));
    GRN_TRY(add_codes(as, "feature_type", code, n, &kind));
end:
    free(code);
    grn_names_clear(&kind);
    return rc;
}

static grn_status block_init(block_t *b, const grn_sim_t *s, int n_workers)
{
    grn_status rc = GRN_OK;
    b->s = s;
    b->n_workers = n_workers;
    GRN_TRY(GRN_NEW(b->scratch, (size_t)n_workers));
    for (int i = 0; i < n_workers; i++) {
        GRN_TRY(grn_sim_cell_init(s, &b->scratch[i].cell));
        GRN_TRY(GRN_NEW(b->scratch[i].eta, s->genes.n));
        GRN_TRY(GRN_NEW(b->scratch[i].mu, s->genes.n));
    }
end:
    return rc;
}

static void block_clear(block_t *b)
{
    for (int i = 0; b->scratch && i < b->n_workers; i++) {
        grn_sim_cell_clear(&b->scratch[i].cell);
        free(b->scratch[i].eta);
        free(b->scratch[i].mu);
    }
    for (size_t k = 0; k < BLOCK_CELLS / GRAIN_CELLS; k++) grn_sim_rows_clear(&b->chunk[k]);
    free(b->scratch);
}

grn_status grn_sim_write_counts(const grn_sim_t *s, const char *dir, grn_par_t *pool)
{
    grn_status rc = GRN_OK;
    uint64_t n = (uint64_t)s->o.cells, umis = 0, nnz = 0;
    grn_str_t h5 = { 0 }, h5ad = { 0 };
    grn_tenx_w_t *tenx = NULL;
    grn_h5ad_w_t *ad = NULL;
    grn_attrs_t col_attr = { 0 };
    grn_matrix_t m = { 0 };
    block_t *b = NULL;
    GRN_TRY(GRN_NEW(b, 1));
    GRN_TRY(block_init(b, s, grn_par_n(pool)));
    GRN_TRY(gene_attrs(s, &col_attr));
    GRN_TRY(grn_str_printf(&h5, "%s/counts.h5", dir));
    GRN_TRY(grn_str_printf(&h5ad, "%s/counts.h5ad", dir));
    GRN_TRY(grn_tenx_w_open(&tenx, h5.s, &s->genes, &col_attr));
    GRN_TRY(grn_h5ad_w_open(&ad, h5ad.s, &s->genes, &col_attr));
    grn_progress_begin(n, "cells");
    for (b->first = 0; b->first < n; b->first += b->n) {
        b->n = n - b->first < BLOCK_CELLS ? (size_t)(n - b->first) : BLOCK_CELLS;
        GRN_TRY(grn_par_for(pool, b->n, GRAIN_CELLS, draw_cells, b));
        GRN_TRY(to_matrix(b, &m));
        GRN_TRY(grn_tenx_w_append(tenx, &m));
        GRN_TRY(grn_h5ad_w_append(ad, &m));
        nnz += m.indptr[m.n_rows];
        for (uint64_t i = 0; i < m.indptr[m.n_rows]; i++) umis += (uint64_t)m.data[i];
        grn_matrix_clear(&m);
    }
    grn_progress_end();
    rc = grn_tenx_w_commit(tenx);
    tenx = NULL;
    if (rc) goto end;
    rc = grn_h5ad_w_commit(ad);
    ad = NULL;
    if (rc) goto end;
    grn_log_info("counts: %.1f UMIs and %.1f genes per cell", (double)umis / (double)n,
                 (double)nnz / (double)n);
end:
    grn_tenx_w_abort(tenx);
    grn_h5ad_w_abort(ad);
    grn_attrs_clear(&col_attr, s->genes.n);
    grn_matrix_clear(&m);
    grn_str_clear(&h5);
    grn_str_clear(&h5ad);
    if (b) block_clear(b);
    free(b);
    return rc;
}
