/* What one pass over fragments keeps of every cell: counts per region, in memory proportional to the distinct (cell, region) pairs
 * (5 to 6.3 bytes each), and the counters of quality control.
 *
 * What came of a cell lately, sums and places, lies in one cache line. From there places go, a line at a time, to the log of the
 * worker, and when that is full, sorted by cell, to the list of the cell: a sorted run of places (overlap.h) with small counts, and
 * behind it the places that came since; when the room is used up these are sorted and merged into the run. Of several workers each
 * counts the cells numbered first, which are most of the fragments, on its own, and locks the others one by one. All sums are of
 * integers: nothing depends on the order. */
#ifndef GRN_BUILD_TALLY_H
#define GRN_BUILD_TALLY_H

#include "base/names.h"
#include "base/par.h"
#include "fragpass.h"
#include "overlap.h"
#include "percell.h"
#include "tss.h"

#define GRN_MONO_MIN 147 /* bp: lengths 147 to 294 are mononucleosomal, shorter ones nucleosome-free */
#define GRN_MONO_MAX 294
#define GRN_LENGTHS 1001 /* lengths 0 to 999; 1000: all longer ones */

typedef struct {
    uint32_t n, m, cap;
    uint32_t place[]; /* (cap): run of n, then m more; behind them (cap) counts of one byte */
} grn_tally_list_t;

typedef struct { /* complete after each file */
    uint64_t total, total_in;   /* n_fragments and n_in with column 5 as weight */
    uint32_t n_fragments, n_in; /* fragments of the cell; those in at least one region */
    uint32_t n_free, n_mono;    /* shorter than GRN_MONO_MIN; mononucleosomal */
    grn_tss_sums_t tss;
    grn_tally_list_t *list; /* NULL: no place yet */
    uint16_t file;          /* 1 + the file that it was met in first */
    uint8_t lock;
} grn_tally_cell_t;

typedef struct grn_tally_line_s grn_tally_line_t;

typedef struct { /* of one worker */
    grn_percell_t own; /* of what came lately of the first cells; unused by a worker that is alone */
    grn_tally_line_t *log;
    size_t n_log;
    uint64_t *order, *order_swap; /* to sort the log by cell */
    uint32_t *place, *place_swap; /* for merging */
    uint8_t *count;
    size_t cap;
    uint32_t *hit; /* regions of a fragment */
    size_t hit_cap;
    uint64_t n_in;
    uint64_t *length;  /* (GRN_LENGTHS) fragments by length */
    uint64_t *profile; /* (GRN_TSS_WINDOW) cuts by position relative to a TSS */
} grn_tally_worker_t;

typedef struct {
    const grn_regions_t *regions; /* borrowed */
    const grn_tss_t *tss;         /* borrowed; NULL: no TSS sums. Its chromosomes are those of `chroms` */
    int cutsites;                 /* count the two ends of a fragment, not the fragment */
    int no_counts;                /* only the counters */
    uint16_t file;                /* number of the file being read */
    grn_fragpass_t pass;          /* options, cells, chromosomes (first those of `regions`, in their order), what was seen */
    grn_overlap_t overlap;
    grn_percell_t cell;   /* of grn_tally_cell_t */
    grn_percell_t recent; /* of what came lately */
    int n_worker;
    grn_tally_worker_t *worker; /* (n_worker) */
    uint64_t n_listed, n_in;    /* fragments of the cells asked for; those in a region */
} grn_tally_t;

/* After `regions`, the options of `pass`, listed cells (pass.cells) and, with tss, pass.chroms are set. */
grn_status grn_tally_init(grn_tally_t *t, grn_par_t *pool) GRN_MUST_USE;
void grn_tally_clear(grn_tally_t *t);

grn_status grn_tally_file(grn_tally_t *t, const char *path, const char *prefix, const char *suffix, grn_par_t *pool) GRN_MUST_USE;
/* Fragments by length (GRN_LENGTHS) and cuts by position relative to a TSS (GRN_TSS_WINDOW) since the last call. */
void grn_tally_profiles(grn_tally_t *t, uint64_t *length, uint64_t *profile);
/* After the last file: merges what is pending. Afterwards rows can be read. */
grn_status grn_tally_finish(grn_tally_t *t, grn_par_t *pool) GRN_MUST_USE;

/* Cell k; NULL (message set): out of memory. */
static inline grn_tally_cell_t *grn_tally_at(grn_tally_t *t, uint32_t cell)
{
    return grn_percell_at(&t->cell, cell);
}

/* The row of a cell after grn_tally_finish: *n distinct columns of `regions`, ascending, and their counts. idx and count hold
 * grn_tally_room(c) elements. */
static inline size_t grn_tally_room(const grn_tally_cell_t *c)
{
    return c->list ? c->list->n : 0;
}
void grn_tally_row(const grn_tally_t *t, const grn_tally_cell_t *c, size_t *n, uint32_t *idx, float *count);

/* Puts cells order[0..n) in bytewise order of their names. */
void grn_cells_by_name(const grn_names_t *cells, uint32_t *order, size_t n);
/* The matrix of the cells order[0..n) as grn.matrix/1, rows in this order: row attributes n_fragments, n_in_regions, column
 * attributes chrom, start, end. Gives the cells' lists back as it goes. *nnz: entries written. */
grn_status grn_tally_save(grn_tally_t *t, const uint32_t *order, size_t n, const char *unit, const char *path, grn_par_t *pool,
                          uint64_t *nnz) GRN_MUST_USE;

#endif
