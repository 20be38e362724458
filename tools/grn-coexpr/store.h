/* The counts of all cells in memory, about three bytes a value: gene numbers of 16 bits, values of 8 with a list of those that do not
 * fit. Genes are numbered in bytewise order of their names and ascend within a cell; cells keep the order of the input. */
#ifndef GRN_COEXPR_STORE_H
#define GRN_COEXPR_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/names.h"
#include "base/par.h"
#include "io/matrix.h"

typedef struct {    /* the cells of one block; either 16 or 32 bits for genes, either 8 bits or floats for values */
    uint64_t first; /* place of its first value among all */
    uint16_t *gene16;
    uint32_t *gene32;
    uint8_t *x8; /* COEXPR_WIDE: see wide */
    float *x32;
    uint32_t *wide_at; /* (n_wide) places in the block of values that are no whole numbers of 0..254, ascending */
    float *wide;
    size_t n_wide;
} coexpr_block_t;

enum { COEXPR_WIDE = 255 };

typedef struct {
    size_t n_cells, n_genes;
    grn_names_t genes;  /* (n_genes) in name order */
    uint32_t *id;       /* (n_genes) column of the input -> gene */
    int in_order;       /* the columns come in name order */
    uint64_t *off;      /* (n_cells + 1) */
    double *total;      /* (n_cells) sum of the values */
    uint32_t *block_of; /* (n_cells) */
    coexpr_block_t *block;
    size_t n_blocks, cap_off, cap_total, cap_block_of, cap_block;
    int counts;     /* all values so far are whole numbers >= 0 */
    int negative;   /* some are below 0 */
    uint64_t bytes; /* held by the values */
} coexpr_store_t;

/* Empty, for columns of these names. GRN_ENOMEM. */
grn_status coexpr_store_init(coexpr_store_t *s, const grn_names_t *columns) GRN_MUST_USE;
/* Appends rows (CSR, the columns of init; fewer than 2^32 values). */
grn_status coexpr_store_add(coexpr_store_t *s, const grn_matrix_t *rows, grn_par_t *pool) GRN_MUST_USE;
void coexpr_store_clear(coexpr_store_t *s);

static inline size_t coexpr_store_n(const coexpr_store_t *s, size_t cell)
{
    return (size_t)(s->off[cell + 1] - s->off[cell]);
}
/* The genes of a cell, ascending, and their values: room for n_genes; returns how many. x may be NULL. */
size_t coexpr_store_row(const coexpr_store_t *s, size_t cell, uint32_t *gene, float *x);

#endif
