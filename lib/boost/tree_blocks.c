/* Cells in blocks (tree.h): where the cells of each run go on in the next block. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "boost/tree.h"

#define BLOCK 16384 /* cells: 1 MB of words */
#define PARTS 2048  /* 512 KB of sums */

void grn_tree_blocks_clear(grn_tree_blocks_t *b)
{
    free(b->cell);
    free(b->off);
    memset(b, 0, sizeof *b);
}

/* The cells of runs [begin, end), block by block, from *at on; next: one for each run, scratch. */
static void fill_predictor(grn_tree_blocks_t *b, const grn_bins_t *bins, uint64_t begin, uint64_t end, uint64_t *next, uint64_t *at)
{
    uint64_t *off = b->off + begin * b->n_blocks;
    for (uint64_t r = begin; r < end; r++) next[r - begin] = bins->cell_off[r];
    for (size_t k = 0; k < b->n_blocks; k++)
        for (uint64_t r = begin; r < end; r++) {
            uint64_t i = next[r - begin];
            *off++ = *at;
            for (; i < bins->cell_off[r + 1] && bins->cell[i] < (k + 1) * b->size; i++)
                b->cell[(*at)++] = (uint16_t)(bins->cell[i] - k * b->size);
            next[r - begin] = i;
        }
}

grn_status grn_tree_blocks_init(grn_tree_blocks_t *b, const grn_bins_t *bins, size_t size)
{
    grn_status rc = GRN_OK;
    size_t n = bins->n, runs = bins->run_off[bins->p];
    uint64_t *next = NULL, at = 0;
    *b = (grn_tree_blocks_t){ .n_blocks = 1, .size = n };
    if (size == 0) size = BLOCK;
    if (n <= size) return GRN_OK;
    b->n_blocks = (n + size - 1) / size;
    b->size = (n + b->n_blocks - 1) / b->n_blocks;
    b->n_blocks = (n + b->size - 1) / b->size;
    if (b->size > UINT16_MAX + 1) GRN_FAIL(GRN_EINVAL, "blocks of %zu cells, more than %d", b->size, UINT16_MAX + 1);
    b->n_parts = PARTS;
    for (size_t j = 0; j < bins->p; j++) {
        size_t of_j = bins->run_off[j + 1] - bins->run_off[j];
        if (of_j > b->n_parts) b->n_parts = of_j;
    }
    GRN_TRY(GRN_NEW_LARGE(b->cell, bins->cell_off[runs]));
    GRN_TRY(GRN_NEW_LARGE(b->off, runs * b->n_blocks + 1));
    GRN_TRY(GRN_NEW_RAW(next, b->n_parts));
    for (size_t j = 0; j < bins->p; j++) fill_predictor(b, bins, bins->run_off[j], bins->run_off[j + 1], next, &at);
    b->off[runs * b->n_blocks] = at;
end:
    free(next);
    return rc;
}

size_t grn_tree_part_bytes(const grn_tree_blocks_t *b)
{
    return b->n_parts * 2 * GRN_TREE_LANES * sizeof(double);
}
