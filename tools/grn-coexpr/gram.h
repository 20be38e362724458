/* Products of genes over cells, in panels of dense tiles times the sparse columns that follow: sum over cells of x_i x_j.
 *
 * A product is summed in single precision cell by cell within a slab (no contraction, so that every instruction set gives the same
 * bits) and slab by slab; terms of cells where either gene is zero leave it as it is. So it depends on the values alone, not on the
 * panel, on which gene is the dense one, or on the number of workers. O(values of the sparse side) x tiles. */
#ifndef GRN_COEXPR_GRAM_H
#define GRN_COEXPR_GRAM_H

#include "grn-coexpr/context.h"
#include "grn-coexpr/gram_kernel.h"

typedef struct {
    size_t n_genes;
    size_t tile0, tile1; /* dense genes COEXPR_TILE * tile0 .. */
    float *sum;          /* tile by tile, from the tile's first gene on: (genes, COEXPR_TILE) */
    float **dense;       /* per worker: (COEXPR_SLAB, COEXPR_TILE), zero between uses */
    int n_workers;
} coexpr_panel_t;

/* Zero. Frees what the panel held. */
grn_status coexpr_panel_init(coexpr_panel_t *p, size_t n_genes, size_t tile0, size_t tile1, const grn_par_t *pool) GRN_MUST_USE;
void coexpr_panel_clear(coexpr_panel_t *p);
/* Adds the cells of a slab whose columns are the genes. */
grn_status coexpr_panel_add(coexpr_panel_t *p, const coexpr_slab_t *s, grn_par_t *pool) GRN_MUST_USE;

static inline size_t coexpr_tiles(size_t n_genes)
{
    return (n_genes + COEXPR_TILE - 1) / COEXPR_TILE;
}
static inline size_t coexpr_tile_genes(size_t n_genes, size_t tile)
{
    size_t left = n_genes - tile * COEXPR_TILE;
    return left < COEXPR_TILE ? left : COEXPR_TILE;
}
/* The products of gene `row`, none before the tile's first, with the genes of the tile. */
const float *coexpr_panel_at(const coexpr_panel_t *p, size_t tile, size_t row);
/* Floats of the tiles tile0 .. tile1 - 1. */
uint64_t coexpr_panel_size(size_t n_genes, size_t tile0, size_t tile1);

#endif
