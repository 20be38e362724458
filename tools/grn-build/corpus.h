/* The tokens of a cells x regions matrix in the order a topic sampler visits them: by block of regions,
 * within a block by cell, within a cell by region. 2 bytes a token. Shared by models of any number of
 * topics; read-only once loaded.
 *
 * Inside, cells stand in the order of the hashes of their names and regions in bytewise order of theirs,
 * so that nothing computed over a corpus depends on the order of the file. Letters: C cells, R regions. */
#ifndef GRN_BUILD_CORPUS_H
#define GRN_BUILD_CORPUS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/par.h"
#include "io/counts.h"

#define GRN_CORPUS_BLOCK 1024      /* regions of a block */
#define GRN_CORPUS_HELD 0x8000u    /* flag of a token: set aside */
#define GRN_CORPUS_REGION 0x03ffu  /* its region within the block */

typedef struct {
    size_t C, R, n_blocks;
    uint64_t n_tokens, n_held;
    uint16_t *token;      /* (n_tokens) region within the block | flag */
    uint64_t *base;       /* (n_blocks + 1) first token of a block */
    uint32_t *off;        /* (n_blocks, C + 1) tokens of cell c in block b: base[b] + off[b (C + 1) + c] ... */
    uint32_t *cell_n;     /* (C) tokens */
    uint64_t *cell_hash;  /* (C) of the barcode */
    uint32_t *cell_place, *region_place; /* (C), (R): row, column of the file -> place in here */
    uint32_t *region_cells; /* (R) cells with the region */
    grn_matrix_t info;    /* names and attributes of the file, in file order; no values */
    uint64_t n_above_one; /* entries above 1, taken as 1 */
} grn_corpus_t;

/* Loads a matrix of any format, block of rows by block of rows, twice. A value above 0 is a token. `holdout` in [0, 1): this share
 * of the tokens, chosen by (seed, barcode, region), is flagged. GRN_EEMPTY: no token; GRN_EFORMAT: a negative value. */
grn_status grn_corpus_load(const char *path, const grn_counts_opt_t *opt, double holdout, uint64_t seed, grn_par_t *pool,
                           grn_corpus_t *c) GRN_MUST_USE;
void grn_corpus_clear(grn_corpus_t *c); /* accepts zeroed */

/* Tokens of (block, cell): *n of them from the pointer returned. */
static inline const uint16_t *grn_corpus_run(const grn_corpus_t *c, size_t block, size_t cell, uint32_t *n)
{
    const uint32_t *off = c->off + block * (c->C + 1) + cell;
    *n = off[1] - off[0];
    return c->token + c->base[block] + off[0];
}

#endif
