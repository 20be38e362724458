/* Cells in blocks (tree.h): where the cells of each run go on in the next block. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "boost/tree.h"

#define BLOCK 16384 /* cells: 1 MB of words */
#define PARTS 2048  /* 512 KB of sums */

void grn_tree_blocks_clear(grn_tree_blocks_t *b)
{
    free(b->own);
    memset(b, 0, sizeof *b);
}

grn_status grn_tree_blocks_init(grn_tree_blocks_t *b, const grn_bins_t *bins, size_t size)
{
    grn_status rc = GRN_OK;
    size_t n = bins->n, runs = bins->run_off[bins->p];
    *b = (grn_tree_blocks_t){ .n_blocks = 1, .size = n, .off = bins->cell_off };
    if (size == 0) size = BLOCK;
    if (n <= size) return GRN_OK;
    b->n_blocks = (n + size - 1) / size;
    b->size = (n + b->n_blocks - 1) / b->n_blocks;
    b->n_blocks = (n + b->size - 1) / b->size;
    b->n_parts = PARTS;
    for (size_t j = 0; j < bins->p; j++) {
        size_t of_j = bins->run_off[j + 1] - bins->run_off[j];
        if (of_j > b->n_parts) b->n_parts = of_j;
    }
    GRN_TRY(GRN_NEW_RAW(b->own, runs * b->n_blocks + 1));
    for (size_t r = 0; r < runs; r++) {
        uint64_t k = bins->cell_off[r];
        for (size_t i = 0; i < b->n_blocks; i++) {
            b->own[r * b->n_blocks + i] = k;
            while (k < bins->cell_off[r + 1] && bins->cell[k] < (i + 1) * b->size) k++;
        }
    }
    b->own[runs * b->n_blocks] = bins->cell_off[runs];
    b->off = b->own;
end:
    return rc;
}

size_t grn_tree_part_bytes(const grn_tree_blocks_t *b)
{
    return b->n_parts * 2 * GRN_TREE_LANES * sizeof(double);
}
