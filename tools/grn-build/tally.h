/* Counts of (cell, region) gathered from a stream of fragments, in memory proportional to the distinct pairs: 5 to 6.3 bytes each.
 *
 * A cell keeps a sorted run of places (overlap.h) with small counts, and behind it the places that came since; when the room is
 * used up these are sorted and merged into the run. Cells are locked one by one, so the workers of a pass add at once; sums do
 * not depend on the order. */
#ifndef GRN_BUILD_TALLY_H
#define GRN_BUILD_TALLY_H

#include <sched.h>

#include "base/names.h"
#include "base/par.h"
#include "fragpass.h"
#include "overlap.h"
#include "percell.h"

typedef struct {
    uint32_t *place;            /* (cap): run of n, then m more; behind them (cap) counts of one byte */
    uint32_t n, m, cap;
    uint8_t lock;
    uint32_t n_fragments, n_in; /* fragments of the cell; those in at least one region */
} grn_tally_cell_t;

typedef struct { /* of one worker: for merging */
    uint32_t *place, *swap;
    uint8_t *count;
    size_t cap;
    uint32_t *hit; /* regions of a fragment */
    size_t hit_cap;
    uint64_t n_listed, n_in;
} grn_tally_scratch_t;

typedef struct {
    const grn_regions_t *regions; /* borrowed */
    int cutsites;                 /* count the two ends of a fragment, not the fragment */
    grn_fragpass_t pass;          /* options, cells, chromosomes, what was seen */
    grn_overlap_t overlap;
    grn_percell_t cell;           /* of grn_tally_cell_t, first in objects of cell_size bytes */
    size_t n_worker;
    grn_tally_scratch_t *scratch; /* (n_worker) */
    uint64_t n_listed, n_in;      /* fragments of the cells asked for; those in a region */
} grn_tally_t;

/* After `regions` and the options of `pass` are set, and listed cells are in pass.cells. cell_size >= sizeof(grn_tally_cell_t). */
grn_status grn_tally_init(grn_tally_t *t, size_t cell_size, grn_par_t *pool) GRN_MUST_USE;
void grn_tally_clear(grn_tally_t *t);

/* Adds a fragment file, by grn_fragpass_run with count's own work. */
grn_status grn_tally_file(grn_tally_t *t, const char *path, const char *prefix, const char *suffix, grn_par_t *pool) GRN_MUST_USE;
/* Merges what is pending in every cell: afterwards rows can be read. */
grn_status grn_tally_finish(grn_tally_t *t, grn_par_t *pool) GRN_MUST_USE;

/* Cell k; NULL (message set): out of memory. */
static inline grn_tally_cell_t *grn_tally_at(grn_tally_t *t, uint32_t cell)
{
    return grn_percell_at(&t->cell, cell);
}

/* The row of a cell after grn_tally_finish: distinct columns of `regions`, ascending, and counts; *n of them. idx and count hold
 * grn_tally_room(c) elements. */
static inline size_t grn_tally_room(const grn_tally_cell_t *c)
{
    return c->n;
}
void grn_tally_row(const grn_tally_t *t, const grn_tally_cell_t *c, size_t *n, uint32_t *idx, float *count);

/* ---- for other passes that count too ---- */

/* Places of the fragment's regions (cutsites: of its ends, a region twice when both are in it) into s->hit. */
grn_status grn_tally_hits(const grn_tally_t *t, const grn_frag_t *f, grn_tally_scratch_t *s, size_t *n) GRN_MUST_USE;
/* Adds places to a cell that is locked. */
grn_status grn_tally_push(grn_tally_cell_t *c, grn_tally_scratch_t *s, const uint32_t *place, size_t n) GRN_MUST_USE;

static inline void grn_tally_lock(grn_tally_cell_t *c)
{
    while (__atomic_exchange_n(&c->lock, 1, __ATOMIC_ACQUIRE)) {
        for (int i = 0; i < 64 && __atomic_load_n(&c->lock, __ATOMIC_RELAXED); i++) {}
        if (__atomic_load_n(&c->lock, __ATOMIC_RELAXED)) sched_yield(); /* its owner may wait for this processor */
    }
}

static inline void grn_tally_unlock(grn_tally_cell_t *c)
{
    __atomic_store_n(&c->lock, 0, __ATOMIC_RELEASE);
}

/* The matrix of the cells order[0..n) as grn.matrix/1, rows in this order: row attributes n_fragments, n_in_regions, column
 * attributes chrom, start, end. Gives the cells' lists back as it goes. *nnz: entries written. */
grn_status grn_tally_save(grn_tally_t *t, const uint32_t *order, size_t n, const char *unit, const char *path, grn_par_t *pool,
                          uint64_t *nnz) GRN_MUST_USE;

#endif
