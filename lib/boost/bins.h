/* Predictors (TFs, regions) as boosting wants them: for each, the cells that hold each of its values.
 *
 * The most frequent value of a predictor (zero, for counts) is not stored: the sum over its cells is the sum over the node less the
 * others, so that a split costs the non-zeros of a predictor and not its cells. The others are runs of cells of equal value; a
 * predictor with more distinct values than `max_bins` is cut into runs of about equal numbers of cells, equal values together. With no
 * more values than that (counts), splits are those of sorting the cells at every node. */
#ifndef GRN_BOOST_BINS_H
#define GRN_BOOST_BINS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/par.h"

typedef struct {
    size_t n, p; /* cells, predictors */
    uint64_t
        *run_off; /* (p + 1) runs of predictor j: those above `rest`, from the highest down, then those below, from the lowest up */
    uint32_t *n_above;  /* (p) runs above */
    float *rest;        /* (p) the value that is not stored */
    float *low, *high;  /* (runs) smallest and largest value; equal unless binned */
    uint64_t *cell_off; /* (runs + 1) */
    uint32_t *cell;     /* (cell_off[runs]) ascending within a run */
    size_t n_binned;    /* predictors with more values than runs */
} grn_bins_t;

/* From sparse columns (off, idx, val as in stat/corr.h; cells that are not stored are 0). max_bins >= 2. GRN_ENONFINITE, GRN_ENOMEM.
 * Same bits for any pool. */
grn_status grn_bins_init(grn_bins_t *b, size_t n, size_t p, const uint64_t *off, const uint32_t *idx, const float *val, size_t max_bins,
                         grn_par_t *pool) GRN_MUST_USE;
void grn_bins_clear(grn_bins_t *b); /* accepts zeroed */

/* Bytes held. */
uint64_t grn_bins_bytes(const grn_bins_t *b);

#endif
