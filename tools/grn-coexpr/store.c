#include "grn-coexpr/store.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { GRAIN = 32 }; /* cells at a time */
enum { NEGATIVE = 1, FRACTION = 2 };

void coexpr_store_clear(coexpr_store_t *s)
{
    for (size_t b = 0; b < s->n_blocks; b++) {
        free(s->block[b].gene16);
        free(s->block[b].gene32);
        free(s->block[b].x8);
        free(s->block[b].x32);
        free(s->block[b].wide_at);
        free(s->block[b].wide);
    }
    grn_names_clear(&s->genes);
    free(s->id);
    free(s->off);
    free(s->total);
    free(s->block_of);
    free(s->block);
    memset(s, 0, sizeof *s);
}

grn_status coexpr_store_init(coexpr_store_t *s, const grn_names_t *columns)
{
    grn_status rc = GRN_OK;
    uint32_t *order = NULL;
    memset(s, 0, sizeof *s);
    s->n_genes = columns->n;
    s->counts = s->in_order = 1;
    GRN_TRY(GRN_NEW(order, columns->n));
    GRN_TRY(GRN_NEW(s->id, columns->n));
    GRN_TRY(grn_names_sort(columns, order));
    for (uint32_t i = 0; i < columns->n; i++) {
        s->id[order[i]] = i;
        if (order[i] != i) s->in_order = 0;
        GRN_TRY(grn_names_add(&s->genes, grn_names_get(columns, order[i]), NULL, NULL));
    }
    GRN_TRY(GRN_GROW(s->off, s->cap_off, 1));
    s->off[0] = 0;
end:
    free(order);
    if (rc != GRN_OK) coexpr_store_clear(s);
    return rc;
}

/* ---- a block ---- */

typedef struct {
    coexpr_store_t *s;
    const grn_matrix_t *m;
    coexpr_block_t *b;
    size_t first_cell;
    float *x;          /* (nnz) values in the order of the genes */
    float **row;       /* per worker: (n_genes) of one cell */
    uint64_t **filled; /* per worker: which of them */
    uint8_t *sort;     /* (cells) of its values */
} adding_t;

static void put(const adding_t *a, uint64_t at, uint32_t gene, float x)
{
    if (a->b->gene16) a->b->gene16[at] = (uint16_t)gene;
    else a->b->gene32[at] = gene;
    a->x[at] = x;
}

/* Cell i of the matrix with its genes renumbered and in order. */
static void put_row(const adding_t *a, size_t i, float *row, uint64_t *filled)
{
    const grn_matrix_t *m = a->m;
    const uint32_t *id = a->s->id;
    uint64_t at = m->indptr[i];
    if (a->s->in_order) {
        for (uint64_t k = at; k < m->indptr[i + 1]; k++) put(a, k, m->indices[k], m->data[k]);
        return;
    }
    for (uint64_t k = at; k < m->indptr[i + 1]; k++) {
        uint32_t g = id[m->indices[k]];
        row[g] = m->data[k];
        filled[g / 64] |= (uint64_t)1 << (g % 64);
    }
    for (size_t w = 0; w < (a->s->n_genes + 63) / 64; w++)
        for (; filled[w]; filled[w] &= filled[w] - 1) {
            uint32_t g = (uint32_t)(64 * w) + (uint32_t)__builtin_ctzll(filled[w]);
            put(a, at++, g, row[g]);
        }
}

static grn_status add_cells(void *ctx, size_t begin, size_t end, int worker)
{
    adding_t *a = ctx;
    const grn_matrix_t *m = a->m;
    if (!a->row[worker]) {
        if (!(a->row[worker] = grn_calloc(a->s->n_genes, sizeof(float)))) return GRN_ENOMEM;
        if (!(a->filled[worker] = grn_calloc((a->s->n_genes + 63) / 64, sizeof(uint64_t)))) return GRN_ENOMEM;
    }
    for (size_t i = begin; i < end; i++) {
        double total = 0;
        put_row(a, i, a->row[worker], a->filled[worker]);
        for (uint64_t k = m->indptr[i]; k < m->indptr[i + 1]; k++) {
            total += (double)a->x[k];
            if (a->x[k] < 0) a->sort[i] |= NEGATIVE;
            if (a->x[k] != floorf(a->x[k])) a->sort[i] |= FRACTION;
        }
        a->s->total[a->first_cell + i] = total;
        a->s->block_of[a->first_cell + i] = (uint32_t)(a->b - a->s->block);
    }
    return GRN_OK;
}

static int fits(float x)
{
    return x >= 0 && x < COEXPR_WIDE && x == floorf(x);
}

/* Values as bytes unless more than one in sixteen does not fit. */
static grn_status narrow(coexpr_block_t *b, float **x, uint64_t n)
{
    grn_status rc = GRN_OK;
    float *whole = *x;
    size_t wide = 0, k = 0;
    for (uint64_t i = 0; i < n; i++) wide += !fits(whole[i]);
    if (wide > n / 16) {
        b->x32 = whole;
        *x = NULL;
        return GRN_OK;
    }
    GRN_TRY(GRN_NEW_RAW(b->x8, (size_t)n));
    GRN_TRY(GRN_NEW_RAW(b->wide_at, wide));
    GRN_TRY(GRN_NEW_RAW(b->wide, wide));
    b->n_wide = wide;
    for (uint64_t i = 0; i < n; i++) {
        b->x8[i] = fits(whole[i]) ? (uint8_t)whole[i] : COEXPR_WIDE;
        if (b->x8[i] != COEXPR_WIDE) continue;
        b->wide_at[k] = (uint32_t)i;
        b->wide[k++] = whole[i];
    }
end:
    return rc;
}

grn_status coexpr_store_add(coexpr_store_t *s, const grn_matrix_t *m, grn_par_t *pool)
{
    grn_status rc = GRN_OK;
    size_t n = (size_t)m->n_rows;
    uint64_t nnz = m->indptr[n];
    adding_t a = { s, m, NULL, s->n_cells, NULL, NULL, NULL, NULL };
    if (nnz > UINT32_MAX) GRN_FAIL(GRN_EINVAL, "%llu values in a block of cells", (unsigned long long)nnz);
    GRN_TRY(GRN_GROW(s->off, s->cap_off, s->n_cells + n + 1));
    GRN_TRY(GRN_GROW(s->total, s->cap_total, s->n_cells + n));
    GRN_TRY(GRN_GROW(s->block_of, s->cap_block_of, s->n_cells + n));
    GRN_TRY(GRN_GROW(s->block, s->cap_block, s->n_blocks + 1));
    a.b = &s->block[s->n_blocks++];
    *a.b = (coexpr_block_t){ .first = s->off[s->n_cells] };
    if (s->n_genes <= UINT16_MAX + 1) GRN_TRY(GRN_NEW_RAW(a.b->gene16, (size_t)nnz));
    else GRN_TRY(GRN_NEW_RAW(a.b->gene32, (size_t)nnz));
    GRN_TRY(GRN_NEW_RAW(a.x, (size_t)nnz));
    GRN_TRY(GRN_NEW(a.row, (size_t)grn_par_n(pool)));
    GRN_TRY(GRN_NEW(a.filled, (size_t)grn_par_n(pool)));
    GRN_TRY(GRN_NEW(a.sort, n));
    GRN_TRY(grn_par_for(pool, n, GRAIN, add_cells, &a));
    for (size_t i = 0; i < n; i++) {
        s->off[s->n_cells + i + 1] = s->off[s->n_cells] + m->indptr[i + 1];
        if (a.sort[i]) s->counts = 0;
        if (a.sort[i] & NEGATIVE) s->negative = 1;
    }
    GRN_TRY(narrow(a.b, &a.x, nnz));
    s->n_cells += n;
    s->bytes += nnz * ((a.b->gene16 ? 2 : 4) + (a.b->x8 ? 1 : 4)) + a.b->n_wide * 8 + n * 20;
end:
    for (int w = 0; a.row && a.filled && w < grn_par_n(pool); w++) {
        free(a.row[w]);
        free(a.filled[w]);
    }
    free(a.row);
    free(a.filled);
    free(a.sort);
    free(a.x);
    return rc;
}

/* ---- a cell ---- */

/* First of the wide values at or behind `at`. */
static size_t first_wide(const coexpr_block_t *b, uint64_t at)
{
    size_t lo = 0, hi = b->n_wide;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (b->wide_at[mid] < at) lo = mid + 1;
        else hi = mid;
    }
    return lo;
}

static void row_values(const coexpr_block_t *b, uint64_t at, size_t n, float *x)
{
    if (b->x32) {
        memcpy(x, b->x32 + at, n * sizeof *x);
        return;
    }
    for (size_t k = 0; k < n; k++) x[k] = (float)b->x8[at + k];
    for (size_t w = first_wide(b, at); w < b->n_wide && b->wide_at[w] < at + n; w++) x[b->wide_at[w] - at] = b->wide[w];
}

size_t coexpr_store_row(const coexpr_store_t *s, size_t cell, uint32_t *gene, float *x)
{
    const coexpr_block_t *b = &s->block[s->block_of[cell]];
    uint64_t at = s->off[cell] - b->first;
    size_t n = coexpr_store_n(s, cell);
    if (b->gene32) memcpy(gene, b->gene32 + at, n * sizeof *gene);
    else
        for (size_t k = 0; k < n; k++) gene[k] = b->gene16[at + k];
    if (x) row_values(b, at, n, x);
    return n;
}
