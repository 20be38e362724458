/* The matrix of a tally, written row block by row block. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "io/matrix.h"
#include "tally.h"

#define BLOCK_ENTRIES ((uint64_t)4 << 20)
#define BLOCK_ROWS 16384

static int by_name(const void *a, const void *b, void *names)
{
    return strcmp(grn_names_get(names, *(const uint32_t *)a), grn_names_get(names, *(const uint32_t *)b));
}

void grn_cells_by_name(const grn_names_t *cells, uint32_t *order, size_t n)
{
    if (n) qsort_r(order, n, sizeof *order, by_name, (void *)(uintptr_t)cells);
}

typedef struct {
    grn_tally_t *t;
    const uint32_t *order; /* of the block's cells */
    grn_matrix_t *m;
    uint64_t *at; /* (n_rows + 1) room of a row; its length once filled */
    double *n_fragments, *n_in;
} block_t;

static grn_status fill_rows(void *ctx, size_t begin, size_t end, int worker)
{
    block_t *b = ctx;
    (void)worker;
    for (size_t i = begin; i < end; i++) {
        grn_tally_cell_t *c = grn_tally_at(b->t, b->order[i]);
        size_t n;
        if (!c) return GRN_ENOMEM;
        grn_tally_row(b->t, c, &n, b->m->indices + b->at[i], b->m->data + b->at[i]);
        b->m->indptr[i + 1] = n;
        b->n_fragments[i] = (double)c->n_fragments;
        b->n_in[i] = (double)c->n_in;
        free(c->list);
        c->list = NULL;
    }
    return GRN_OK;
}

/* Rows with places of 255 and more are shorter than their room. */
static void close_gaps(block_t *b)
{
    grn_matrix_t *m = b->m;
    for (uint64_t i = 0; i < m->n_rows; i++) {
        uint64_t n = m->indptr[i + 1], to = m->indptr[i];
        if (to != b->at[i]) {
            memmove(m->indices + to, m->indices + b->at[i], n * sizeof *m->indices);
            memmove(m->data + to, m->data + b->at[i], n * sizeof *m->data);
        }
        m->indptr[i + 1] += to;
    }
}

/* Cells order[0..n) as a CSR block. */
static grn_status fill_block(grn_tally_t *t, const uint32_t *order, size_t n, grn_matrix_t *m, grn_par_t *pool)
{
    grn_status rc = GRN_OK;
    block_t b = { .t = t, .order = order, .m = m };
    m->n_rows = n;
    m->n_cols = t->regions->n;
    GRN_TRY(GRN_NEW(b.at, n + 1));
    GRN_TRY(GRN_NEW(b.n_fragments, n));
    GRN_TRY(GRN_NEW(b.n_in, n));
    for (size_t i = 0; i < n; i++) {
        const grn_tally_cell_t *c = grn_tally_at(t, order[i]);
        if (!c) GRN_TRY(GRN_ENOMEM);
        b.at[i + 1] = b.at[i] + grn_tally_room(c);
        GRN_TRY(grn_names_add(&m->row, grn_names_get(&t->pass.cells, order[i]), NULL, NULL));
    }
    GRN_TRY(GRN_NEW(m->indptr, n + 1));
    GRN_TRY(GRN_NEW_RAW(m->indices, b.at[n]));
    GRN_TRY(GRN_NEW_RAW(m->data, b.at[n]));
    GRN_TRY(grn_par_for(pool, n, 64, fill_rows, &b));
    close_gaps(&b);
    GRN_TRY(grn_attr_add_num(&m->row_attr, "n_fragments", b.n_fragments));
    b.n_fragments = NULL;
    GRN_TRY(grn_attr_add_num(&m->row_attr, "n_in_regions", b.n_in));
    b.n_in = NULL;
end:
    free(b.at);
    free(b.n_fragments);
    free(b.n_in);
    return rc;
}

static grn_status add_num(grn_attrs_t *as, const char *name, const uint64_t *v, size_t n)
{
    double *x;
    if (GRN_NEW_RAW(x, n)) return GRN_ENOMEM;
    for (size_t i = 0; i < n; i++) x[i] = (double)v[i];
    grn_status rc = grn_attr_add_num(as, name, x);
    if (rc) free(x);
    return rc;
}

/* Column attributes: chrom, start, end of every region. */
static grn_status region_attrs(const grn_regions_t *r, grn_attrs_t *as)
{
    grn_status rc = GRN_OK;
    grn_names_t levels = { 0 };
    int32_t *code = NULL;
    GRN_TRY(GRN_NEW_RAW(code, r->n));
    for (size_t i = 0; i < r->n; i++) code[i] = (int32_t)r->chrom[i];
    GRN_TRY(grn_names_dup(&levels, &r->chroms));
    GRN_TRY(grn_attr_add_code(as, "chrom", code, &levels));
    code = NULL;
    memset(&levels, 0, sizeof levels);
    GRN_TRY(add_num(as, "start", r->start, r->n));
    GRN_TRY(add_num(as, "end", r->end, r->n));
end:
    free(code);
    grn_names_clear(&levels);
    return rc;
}

/* Rows of a block: as many as hold about BLOCK_ENTRIES. */
static size_t block_rows(grn_tally_t *t, const uint32_t *order, size_t n)
{
    uint64_t room = 0;
    size_t k = 0;
    while (k < n && k < BLOCK_ROWS && room < BLOCK_ENTRIES) {
        const grn_tally_cell_t *c = grn_tally_at(t, order[k++]);
        room += c ? grn_tally_room(c) : 0;
    }
    return k;
}

grn_status grn_tally_save(grn_tally_t *t, const uint32_t *order, size_t n, const char *unit, const char *path, grn_par_t *pool,
                          uint64_t *nnz)
{
    grn_status rc = GRN_OK;
    grn_mw_t *w = NULL;
    grn_attrs_t col = { 0 };
    *nnz = 0;
    GRN_TRY(region_attrs(t->regions, &col));
    GRN_TRY(grn_mw_open(&w, path, &t->regions->names, &col, 0, pool));
    GRN_TRY(grn_mw_meta(w, "unit", unit));
    for (size_t i = 0, k; i < n; i += k) {
        grn_matrix_t m = { 0 };
        k = block_rows(t, order + i, n - i);
        rc = fill_block(t, order + i, k, &m, pool);
        if (!rc) *nnz += m.indptr[m.n_rows];
        if (!rc) rc = grn_mw_append(w, &m);
        grn_matrix_clear(&m);
        if (rc) goto end;
    }
    grn_mw_t *done = w;
    w = NULL;
    GRN_TRY(grn_mw_commit(done));
end:
    grn_mw_abort(w);
    grn_attrs_clear(&col, t->regions->n);
    return rc;
}
