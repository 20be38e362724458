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
    uint64_t k = tile1 - tile0;
    if (k == 0) return 0;
    return COEXPR_TILE * (k * n_genes - COEXPR_TILE * (k * tile0 + k * (k - 1) / 2));
}

static float *tile_at(const coexpr_panel_t *p, size_t tile)
{
    return p->sum + coexpr_panel_size(p->n_genes, p->tile0, tile);
}

const float *coexpr_panel_at(const coexpr_panel_t *p, size_t tile, size_t row)
{
    return tile_at(p, tile) + (row - tile * COEXPR_TILE) * COEXPR_TILE;
}

grn_status coexpr_panel_init(coexpr_panel_t *p, size_t n_genes, size_t tile0, size_t tile1, const grn_par_t *pool)
{
    grn_status rc = GRN_OK;
    size_t n = (size_t)coexpr_panel_size(n_genes, tile0, tile1);
    coexpr_panel_clear(p);
    *p = (coexpr_panel_t){ n_genes, tile0, tile1, NULL, NULL, grn_par_n(pool) };
    GRN_TRY(GRN_NEW_LARGE(p->sum, n));
    memset(p->sum, 0, n * sizeof *p->sum);
    GRN_TRY(GRN_NEW(p->dense, (size_t)p->n_workers));
end:
    return rc;
}

coexpr_gram_kernel coexpr_gram_best(void)
{
#if defined(__x86_64__)
    if (grn_simd_level() == GRN_SIMD_AVX512) return coexpr_gram_avx512;
    if (grn_simd_level() == GRN_SIMD_AVX2) return coexpr_gram_avx2;
#endif
    return coexpr_gram_base;
}

typedef struct {
    coexpr_panel_t *p;
    const coexpr_slab_t *s;
    coexpr_gram_kernel product;
} adding_t;

static grn_status add_tiles(void *ctx, size_t begin, size_t end, int worker)
{
    adding_t *a = ctx;
    coexpr_panel_t *p = a->p;
    const coexpr_slab_t *s = a->s;
    float *y = p->dense[worker];
    if (!y) {
        if (!(y = p->dense[worker] = grn_malloc_large(COEXPR_SLAB * COEXPR_TILE, sizeof *y))) return GRN_ENOMEM;
        memset(y, 0, COEXPR_SLAB * COEXPR_TILE * sizeof *y);
    }
    for (size_t tile = p->tile0 + begin; tile < p->tile0 + end; tile++) {
        size_t n = coexpr_tile_genes(p->n_genes, tile), first = tile * COEXPR_TILE;
        for (size_t v = 0; v < n; v++)
            for (uint64_t q = s->off[first + v]; q < s->off[first + v + 1]; q++) y[s->cell[q] * COEXPR_TILE + v] = s->x[q];
        a->product(y, s->off, s->cell, s->x, first, p->n_genes, tile_at(p, tile));
        for (size_t v = 0; v < n; v++)
            for (uint64_t q = s->off[first + v]; q < s->off[first + v + 1]; q++) y[s->cell[q] * COEXPR_TILE + v] = 0;
    }
    return GRN_OK;
}

grn_status coexpr_panel_add(coexpr_panel_t *p, const coexpr_slab_t *s, grn_par_t *pool)
{
    adding_t a = { p, s, coexpr_gram_best() };
    return grn_par_for(pool, p->tile1 - p->tile0, 1, add_tiles, &a);
}
