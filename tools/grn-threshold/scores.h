/* The scores by regulon: read once, block by block, and kept as columns, in memory or in an unlinked temporary file. */
#ifndef GRN_THRESHOLD_SCORES_H
#define GRN_THRESHOLD_SCORES_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/par.h"
#include "grn-threshold/groups.h"
#include "io/matrix.h"

typedef struct {
    uint64_t n_cells;
    size_t n_regulons;
    const threshold_groups_t *g; /* borrowed */
    float *column;               /* (R, C) in the order of g->cell; NULL: in the file */
    int fd;                      /* blocks of `rows` cells in the order of the input, each (R, rows); -1: none */
    uint64_t rows;
} threshold_scores_t;

/* Bytes of the columns in memory. */
uint64_t threshold_scores_bytes(uint64_t n_cells, uint64_t n_regulons);

/* Reads everything that `in` has left. spool: into a file in TMPDIR, memory for one block. */
grn_status threshold_scores_read(grn_mr_t *in, const threshold_groups_t *g, int spool, grn_par_t *pool,
                                 threshold_scores_t *s) GRN_MUST_USE;
void threshold_scores_clear(threshold_scores_t *s);

/* Regulons first .. first + n - 1, cells in the order of g->cell: (n, C) at *x, which is part of s, or `room` where the scores are in
 * the file. Thread safe. */
grn_status threshold_scores_get(const threshold_scores_t *s, size_t first, size_t n, float *room, const float **x) GRN_MUST_USE;

#endif
