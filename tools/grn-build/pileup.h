/* Pile-up of fragments along one chromosome, as runs of constant height, from their starts and ends sorted apart.
 *
 * With a local background the pile-up of all fragment ends, each spread over a window, runs beside it (MACS without a control:
 * Zhang 2008, Genome Biol 9:R137). Runs are made on the fly from the sorted positions: 8 bytes a fragment, nothing else. */
#ifndef GRN_BUILD_PILEUP_H
#define GRN_BUILD_PILEUP_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

typedef struct { /* fragments of one cell type on one chromosome */
    uint32_t *start, *end; /* (n) each sorted ascending on its own */
    size_t n;
    uint64_t n_rows, row_bp; /* rows they came from, once each, and their lengths: differ from n when rows count several times */
} grn_track_t;

/* Sorts both arrays by radix; scratch grows as needed and is kept between calls. */
typedef struct {
    uint32_t *tmp;
    size_t cap;
} grn_track_scratch_t;
grn_status grn_track_sort(grn_track_t *t, grn_track_scratch_t *s) GRN_MUST_USE;

typedef struct {
    uint32_t start, end; /* the run [start, end) */
    uint32_t height;     /* fragments that cover it */
    uint32_t ends;       /* ends whose window covers it; 0 without local background */
} grn_run_t;

typedef struct { /* where the iteration is; open to the caller as a value */
    const grn_track_t *t;
    uint32_t half;             /* half of the window; 0: no local background */
    uint32_t at, height, ends; /* position, values from here on */
    size_t s, e;               /* next start and end */
    size_t in_s, in_e, out_s, out_e; /* next positions whose window begins, ends */
} grn_pileup_t;

void grn_pileup_init(grn_pileup_t *p, const grn_track_t *t, uint32_t window);
/* The next run, from 0 up to the last end of a fragment; windows are cut at 0. 1 = got one, 0 = end. Neighbouring runs differ. */
int grn_pileup_next(grn_pileup_t *p, grn_run_t *r);

#endif
