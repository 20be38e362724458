#include "corpus.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"

#define ROWS_PER_READ 4096
#define ROWS_PER_CHUNK 32

typedef struct {
    grn_corpus_t *c;
    const grn_matrix_t *rows; /* the block at hand */
    uint64_t first;           /* its first row in the file */
    int fill;                 /* 0: count the tokens of every (block, cell); 1: write them */
    uint64_t **seen;          /* per worker: a bit per region, zero between rows */
    uint64_t *region_hash;    /* (R) by place */
    uint64_t hold_key, hold_below; /* a token is held when hash(cell, region) < hold_below */
    uint64_t *n_above_one;    /* per worker */
    int n_workers;
} load_t;

void grn_corpus_clear(grn_corpus_t *c)
{
    free(c->token);
    free(c->base);
    free(c->off);
    free(c->cell_n);
    free(c->cell_hash);
    free(c->cell_place);
    free(c->region_place);
    free(c->region_cells);
    grn_matrix_clear(&c->info);
    memset(c, 0, sizeof *c);
}

static int is_held(const load_t *l, size_t cell, size_t region)
{
    if (!l->hold_below) return 0;
    const uint64_t k[2] = { l->c->cell_hash[cell] ^ l->hold_key, l->region_hash[region] };
    return grn_hash(k, sizeof k) < l->hold_below;
}

/* The regions of one row as bits by place. */
static grn_status mark_row(const load_t *l, uint64_t row, uint64_t *seen, uint64_t *n_above_one)
{
    size_t n;
    const uint32_t *idx;
    const float *val;
    grn_matrix_row(l->rows, row, &n, &idx, &val);
    for (size_t k = 0; k < n; k++) {
        if (val[k] < 0)
            return grn_err(GRN_EFORMAT, "%g of '%s' in cell '%s' is negative: topics need counts", (double)val[k],
                           grn_names_get(&l->c->info.col, idx[k]), grn_names_get(&l->rows->row, row));
        if (val[k] == 0) continue;
        *n_above_one += val[k] > 1;
        uint32_t p = l->c->region_place[idx[k]];
        seen[p / 64] |= UINT64_C(1) << p % 64;
    }
    return GRN_OK;
}

/* Takes the bits up in ascending order, clearing them. */
static void take_row(const load_t *l, size_t cell, uint64_t *seen)
{
    grn_corpus_t *c = l->c;
    const size_t words = GRN_CORPUS_BLOCK / 64, n_words = (c->R + 63) / 64;
    for (size_t b = 0; b < c->n_blocks; b++) {
        uint32_t *off = c->off + b * (c->C + 1) + cell, n = 0;
        uint16_t *out = l->fill ? c->token + c->base[b] + off[0] : NULL;
        for (size_t w = b * words; w < (b + 1) * words && w < n_words; w++) {
            for (uint64_t bits = seen[w]; bits; bits &= bits - 1) {
                size_t region = w * 64 + (size_t)__builtin_ctzll(bits);
                uint32_t held = out && is_held(l, cell, region) ? GRN_CORPUS_HELD : 0;
                if (out) out[n] = (uint16_t)(region % GRN_CORPUS_BLOCK | held);
                n++;
            }
            seen[w] = 0;
        }
        if (!out) off[1] = n;
        c->cell_n[cell] += out ? n : 0;
    }
}

static grn_status rows_work(void *ctx, size_t begin, size_t end, int worker)
{
    load_t *l = ctx;
    for (size_t i = begin; i < end; i++) {
        grn_status rc = mark_row(l, i, l->seen[worker], &l->n_above_one[worker]);
        if (rc) return rc;
        take_row(l, l->c->cell_place[l->first + i], l->seen[worker]);
    }
    return GRN_OK;
}

static grn_status read_pass(load_t *l, grn_mr_t *r, int fill, grn_par_t *pool)
{
    grn_status rc = GRN_OK;
    grn_matrix_t m = { 0 };
    int got;
    l->fill = fill;
    l->first = 0;
    l->rows = &m;
    while ((got = grn_mr_next(r, ROWS_PER_READ, &m)) == 1) {
        GRN_TRY(grn_matrix_to_csr(&m));
        GRN_TRY(grn_par_for(pool, m.n_rows, ROWS_PER_CHUNK, rows_work, l));
        l->first += m.n_rows;
        grn_progress_add(m.n_rows);
    }
    if (got < 0) rc = (grn_status)got;
end:
    grn_matrix_clear(&m);
    return rc;
}

/* Counts become offsets. */
static grn_status lay_out(grn_corpus_t *c, const char *path)
{
    for (size_t b = 0; b < c->n_blocks; b++) {
        uint32_t *off = c->off + b * (c->C + 1);
        uint64_t n = 0;
        for (size_t i = 1; i <= c->C; i++) {
            n += off[i];
            if (n > UINT32_MAX)
                return grn_err(GRN_EUNSUP, "'%s' has more than 4,294,967,295 entries in %d regions", path, GRN_CORPUS_BLOCK);
            off[i] = (uint32_t)n;
        }
        c->base[b + 1] = c->base[b] + n;
    }
    c->n_tokens = c->base[c->n_blocks];
    if (!c->n_tokens) return grn_err(GRN_EEMPTY, "no cell of '%s' has an accessible region", path);
    return GRN_NEW_RAW(c->token, c->n_tokens);
}

typedef struct {
    uint64_t hash;
    uint32_t row;
} keyed_t;

static int by_hash(const void *x, const void *y)
{
    const keyed_t *a = x, *b = y;
    return a->hash < b->hash ? -1 : a->hash > b->hash;
}

/* Places of cells: ascending hash of their names, so that any run of places is a random sample of the cells. (Two names of
 * equal hash would leave their order to the file.) */
static grn_status place_cells(grn_corpus_t *c)
{
    grn_status rc = GRN_OK;
    keyed_t *k = NULL;
    GRN_TRY(GRN_NEW_RAW(k, c->C));
    GRN_TRY(GRN_NEW_RAW(c->cell_place, c->C));
    GRN_TRY(GRN_NEW_RAW(c->cell_hash, c->C));
    for (size_t i = 0; i < c->C; i++) k[i] = (keyed_t){ grn_hash_str(grn_names_get(&c->info.row, i)), (uint32_t)i };
    qsort(k, c->C, sizeof *k, by_hash);
    for (size_t i = 0; i < c->C; i++) {
        c->cell_place[k[i].row] = (uint32_t)i;
        c->cell_hash[i] = k[i].hash;
    }
end:
    free(k);
    return rc;
}

static grn_status place_regions(grn_corpus_t *c)
{
    grn_status rc = GRN_OK;
    uint32_t *order = NULL;
    GRN_TRY(GRN_NEW_RAW(order, c->R));
    GRN_TRY(GRN_NEW_RAW(c->region_place, c->R));
    GRN_TRY(grn_names_sort(&c->info.col, order));
    for (size_t i = 0; i < c->R; i++) c->region_place[order[i]] = (uint32_t)i;
end:
    free(order);
    return rc;
}

static grn_status set_up(load_t *l, const grn_matrix_t *info, double holdout, uint64_t seed)
{
    grn_status rc = GRN_OK;
    grn_corpus_t *c = l->c;
    c->C = info->n_rows;
    c->R = info->n_cols;
    c->n_blocks = (c->R + GRN_CORPUS_BLOCK - 1) / GRN_CORPUS_BLOCK;
    c->info.n_rows = c->C;
    c->info.n_cols = c->R;
    GRN_TRY(grn_names_dup(&c->info.row, &info->row));
    GRN_TRY(grn_names_dup(&c->info.col, &info->col));
    GRN_TRY(grn_attrs_dup(&c->info.row_attr, &info->row_attr, c->C));
    GRN_TRY(grn_attrs_dup(&c->info.col_attr, &info->col_attr, c->R));
    GRN_TRY(place_cells(c));
    GRN_TRY(place_regions(c));
    GRN_TRY(GRN_NEW(c->base, c->n_blocks + 1));
    GRN_TRY(GRN_NEW(c->off, c->n_blocks * (c->C + 1)));
    GRN_TRY(GRN_NEW(c->cell_n, c->C));
    GRN_TRY(GRN_NEW(l->region_hash, c->R));
    for (size_t i = 0; i < c->R; i++) l->region_hash[c->region_place[i]] = grn_hash_str(grn_names_get(&c->info.col, i));
    l->hold_key = grn_rng_key(seed, "topics.holdout", 0, 0);
    l->hold_below = (uint64_t)(holdout * 0x1p63) * 2;
    GRN_TRY(GRN_NEW(l->seen, (size_t)l->n_workers));
    GRN_TRY(GRN_NEW(l->n_above_one, (size_t)l->n_workers));
    for (int w = 0; w < l->n_workers; w++) GRN_TRY(GRN_NEW(l->seen[w], (c->R + 63) / 64));
end:
    return rc;
}

static grn_status region_cells_work(void *ctx, size_t begin, size_t end, int worker)
{
    grn_corpus_t *c = ((load_t *)ctx)->c;
    uint64_t n_held = 0;
    (void)worker;
    for (size_t b = begin; b < end; b++)
        for (uint64_t i = c->base[b]; i < c->base[b + 1]; i++) {
            c->region_cells[b * GRN_CORPUS_BLOCK + (c->token[i] & GRN_CORPUS_REGION)]++;
            n_held += (c->token[i] & GRN_CORPUS_HELD) != 0;
        }
    __atomic_fetch_add(&c->n_held, n_held, __ATOMIC_RELAXED);
    return GRN_OK;
}

grn_status grn_corpus_load(const char *path, const grn_counts_opt_t *opt, double holdout, uint64_t seed, grn_par_t *pool, grn_corpus_t *c)
{
    grn_status rc = GRN_OK;
    grn_mr_t *r = NULL;
    load_t l = { .c = c, .n_workers = grn_par_n(pool) };
    memset(c, 0, sizeof *c);
    GRN_TRY(grn_mr_open(&r, path, opt, pool));
    const grn_matrix_t *info = grn_mr_info(r);
    if (!info->n_rows || !info->n_cols)
        GRN_FAIL(GRN_EEMPTY, "'%s' has %" PRIu64 " cells and %" PRIu64 " regions", path, info->n_rows, info->n_cols);
    GRN_TRY(set_up(&l, info, holdout, seed));
    grn_progress_begin(2 * c->C, "cells read");
    GRN_TRY(read_pass(&l, r, 0, pool));
    GRN_TRY(lay_out(c, path));
    GRN_TRY(grn_mr_rewind(r));
    memset(l.n_above_one, 0, (size_t)l.n_workers * sizeof *l.n_above_one);
    GRN_TRY(read_pass(&l, r, 1, pool));
    for (int w = 0; w < l.n_workers; w++) c->n_above_one += l.n_above_one[w];
    GRN_TRY(GRN_NEW(c->region_cells, c->n_blocks * GRN_CORPUS_BLOCK));
    GRN_TRY(grn_par_for(pool, c->n_blocks, 1, region_cells_work, &l));
end:
    grn_progress_end();
    for (int w = 0; l.seen && w < l.n_workers; w++) free(l.seen[w]);
    free(l.seen);
    free(l.n_above_one);
    free(l.region_hash);
    grn_mr_close(r);
    if (rc) grn_corpus_clear(c);
    return rc;
}
