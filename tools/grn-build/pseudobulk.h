/* Fragments of each cell type straight from the fragment files: starts and ends by type and chromosome, sorted. No file is split.
 * 8 bytes a fragment and what growing arrays leave over. */
#ifndef GRN_BUILD_PSEUDOBULK_H
#define GRN_BUILD_PSEUDOBULK_H

#include "fragpass.h"
#include "pileup.h"

typedef struct grn_gather_s grn_gather_t; /* what the workers fill */

typedef struct {
    grn_fragpass_t pass;       /* barcodes listed when there are types */
    const int32_t *type;       /* (pass.cells.n) type of a cell, -1 none; NULL: everything is of type 0. Borrowed */
    size_t n_types;
    int by_count;              /* a fragment counts as often as column 5 says */
    grn_gather_t *gather;
    /* after grn_pseudobulk_finish */
    uint32_t *chrom_order;     /* (pass.chroms.n) chromosomes in bytewise order of their names: rank -> number */
    grn_track_t *track;        /* (n_types, chroms by rank) */
    size_t n_cells_seen;       /* cells with a fragment */
} grn_pseudobulk_t;

grn_status grn_pseudobulk_init(grn_pseudobulk_t *p, grn_par_t *pool) GRN_MUST_USE;
void grn_pseudobulk_clear(grn_pseudobulk_t *p);
grn_status grn_pseudobulk_file(grn_pseudobulk_t *p, const char *path, const char *prefix, const char *suffix, grn_par_t *pool) GRN_MUST_USE;
grn_status grn_pseudobulk_finish(grn_pseudobulk_t *p, grn_par_t *pool) GRN_MUST_USE;

#endif
