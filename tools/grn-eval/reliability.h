/* Is a probability what it says? Of the items that were given one, how many are true, by tenths; Brier score (Brier 1950), expected
 * calibration error (Naeini 2015), with bootstrap intervals over the groups (cells) that the items come in. */
#ifndef GRN_EVAL_RELIABILITY_H
#define GRN_EVAL_RELIABILITY_H

#include <stddef.h>
#include <stdint.h>

#include "io/result.h"

enum { RELIABILITY_BINS = 10 }; /* [0, 0.1), ... [0.9, 1] */

typedef struct {
    size_t n_groups;
    double *n, *p, *y, *brier; /* (groups, bins): items, sums of probabilities, of truths (0 or 1), of squared differences */
} reliability_t;

grn_status reliability_init(reliability_t *r, size_t n_groups) GRN_MUST_USE;
void reliability_clear(reliability_t *r);
void reliability_add(reliability_t *r, size_t group, double p, int is_true);

/* Adds the rows of a series to a table of these columns, and logs the scores; nothing without items. key: (groups) names as numbers,
 * the unit of resampling. */
#define RELIABILITY_COLUMNS "series$,bin_from,bin_to,pairs,posterior,on,on_lo,on_hi"
grn_status reliability_report(const reliability_t *r, const char *name, const uint64_t *key, size_t n_rep, uint64_t seed,
                              grn_result_t *out) GRN_MUST_USE;

#endif
