/* Counts of (cell, region) gathered from a stream of fragments, in memory proportional to the distinct pairs.
 *
 * A cell keeps a list of (region, count); a list that is full is sorted and merged before it grows. Fragments are parsed and
 * matched in parallel, chunk by chunk, and handed to the cells in file order, so nothing depends on the number of threads. */
#ifndef GRN_BUILD_TALLY_H
#define GRN_BUILD_TALLY_H

#include "base/names.h"
#include "base/par.h"
#include "io/bed.h"

typedef struct {
    uint32_t region, count;
} grn_tally_entry_t;

typedef struct {
    grn_tally_entry_t *e;
    uint32_t n, cap;
    uint64_t n_fragments, n_in; /* fragments of the cell; those in at least one region */
} grn_tally_cell_t;

typedef struct {
    const grn_regions_t *regions; /* borrowed */
    int cutsites;                 /* count the two ends of a fragment, not the fragment */
    int listed_only;              /* `cells` is given; other barcodes are left out */
    int strip_suffix;             /* "-1" at the end of a barcode is dropped */
    grn_names_t cells;
    grn_tally_cell_t *cell; /* (cells.n) */
    size_t cell_cap;
    /* what was seen */
    uint64_t n_fragments, n_listed, n_in, n_no_chrom;
    grn_names_t lost_chroms, renamed_chroms; /* chromosomes without regions; spelled differently */
    grn_names_t unlisted;                    /* a few barcodes that were not listed, for messages */
} grn_tally_t;

void grn_tally_clear(grn_tally_t *t);
/* Adds a fragment file. Barcodes become prefix + barcode + suffix (either may be ""). */
grn_status grn_tally_file(grn_tally_t *t, const char *path, const char *prefix, const char *suffix, grn_par_t *pool) GRN_MUST_USE;
/* Sorts and merges the list of every cell: afterwards regions ascend and are distinct. */
grn_status grn_tally_finish(grn_tally_t *t, grn_par_t *pool) GRN_MUST_USE;

/* Length of a barcode without "-digits" at its end. */
size_t grn_barcode_bare(const char *s, size_t n);

#endif
