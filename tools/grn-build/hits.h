/* Best value of (region, motif) pairs as sparse rows, and binding sites given as BED in place of a scan. */
#ifndef GRN_BUILD_HITS_H
#define GRN_BUILD_HITS_H

#include "io/matrix.h"

typedef struct {
    uint32_t row, col;
    float v;
} grn_best_entry_t;

typedef struct { /* pairs gathered for one block of rows; the same pair may come again */
    grn_best_entry_t *e;
    size_t n, cap;
} grn_best_t;

void grn_best_clear(grn_best_t *b);
grn_status grn_best_add(grn_best_t *b, size_t row, size_t col, float v) GRN_MUST_USE;
/* Largest value of each pair as CSR of n_rows x n_cols in m (row names are the caller's); values <= 0 become 1/256, so that a
 * pair that was added is never a zero. Empties b. */
grn_status grn_best_matrix(grn_best_t *b, size_t n_rows, size_t n_cols, grn_matrix_t *m) GRN_MUST_USE;

/* Regions x motifs from a BED of sites: column 4 names the motif, column 5 its score (missing or not above 0 anywhere: all 1). A
 * site belongs to a region that holds it wholly. Columns in name order. */
grn_status grn_hits_run(const char *hits, const char *regions, const char *output) GRN_MUST_USE;

#endif
