#include "grn-coexpr/gram.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/simd.h"

void coexpr_panel_clear(coexpr_panel_t *p)
{
    for (int w = 0; p->dense && w < p->n_workers; w++) free(p->dense[w]);
    free(p->dense);
    free(p->sum);
    memset(p, 0, sizeof *p);
}

uint64_t coexpr_panel_size(size_t n_genes, size_t tile0, size_t tile1)
{
    uint64_t rows = 0;
    for (size_t t = tile0; t < tile1; t++) rows += n_genes - t * COEXPR_TILE;
    return rows * COEXPR_TILE;
}

/* Where the tile starts in the panel. */
static uint64_t start_of(const coexpr_panel_t *p, size_t tile)
{
    uint64_t k = tile - p->tile0, skipped = 0;
    if (p->triangle) skipped = COEXPR_TILE * (k * p->tile0 + k * (k - (k > 0)) / 2);
    return COEXPR_TILE * (k * p->n_rows - skipped);
}

const float *coexpr_panel_at(const coexpr_panel_t *p, size_t tile, size_t row)
{
    return p->sum + start_of(p, tile) + (row - coexpr_first_row(p, tile)) * COEXPR_TILE;
}

grn_status coexpr_panel_init(coexpr_panel_t *p, size_t n_rows, size_t n_cols, size_t tile0, size_t tile1, int triangle,
                             const grn_par_t *pool)
{
    grn_status rc = GRN_OK;
    size_t n;
    coexpr_panel_clear(p);
    *p = (coexpr_panel_t){ n_rows, n_cols, tile0, tile1, triangle, NULL, NULL, grn_par_n(pool) };
    n = (size_t)start_of(p, tile1);
    GRN_TRY(GRN_NEW_LARGE(p->sum, n + COEXPR_TILE));
    memset(p->sum, 0, n * sizeof *p->sum);
    GRN_TRY(GRN_NEW(p->dense, (size_t)p->n_workers));
end:
    return rc;
}

static coexpr_gram_kernel kernel(void)
{
#if defined(__x86_64__)
    if (grn_simd_level() == GRN_SIMD_AVX512) return coexpr_gram_avx512;
    if (grn_simd_level() == GRN_SIMD_AVX2) return coexpr_gram_avx2;
#endif
    return coexpr_gram_base;
}

typedef struct {
    coexpr_panel_t *p;
    const coexpr_slab_t *sparse, *dense;
    coexpr_gram_kernel product;
} adding_t;

static grn_status add_tiles(void *ctx, size_t begin, size_t end, int worker)
{
    adding_t *a = ctx;
    coexpr_panel_t *p = a->p;
    const coexpr_slab_t *d = a->dense, *s = a->sparse;
    float *y = p->dense[worker];
    if (!y) {
        if (!(y = p->dense[worker] = grn_malloc_large(COEXPR_SLAB * COEXPR_TILE, sizeof *y))) return GRN_ENOMEM;
        memset(y, 0, COEXPR_SLAB * COEXPR_TILE * sizeof *y);
    }
    for (size_t k = begin; k < end; k++) {
        size_t tile = p->tile0 + k, n = coexpr_tile_genes(p, tile), first = tile * COEXPR_TILE;
        for (size_t v = 0; v < n; v++)
            for (uint64_t q = d->off[first + v]; q < d->off[first + v + 1]; q++) y[d->cell[q] * COEXPR_TILE + v] = d->x[q];
        a->product(y, s->off, s->cell, s->x, coexpr_first_row(p, tile), p->n_rows, p->sum + start_of(p, tile));
        for (size_t v = 0; v < n; v++)
            for (uint64_t q = d->off[first + v]; q < d->off[first + v + 1]; q++) y[d->cell[q] * COEXPR_TILE + v] = 0;
    }
    return GRN_OK;
}

grn_status coexpr_panel_add(coexpr_panel_t *p, const coexpr_slab_t *sparse, const coexpr_slab_t *dense, grn_par_t *pool)
{
    adding_t a = { p, sparse, dense, kernel() };
    return grn_par_for(pool, p->tile1 - p->tile0, 1, add_tiles, &a);
}
