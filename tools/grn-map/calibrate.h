/* When to abstain: a score of each mapped cell, and a cut on it learned on held-out reference cells.
 *
 * score = share x min(1, p / far). share: that of the votes for the best type. p: conformal p-value of the cell's mean distance among
 * held-out cells of that type (of all types where fewer than 20 were held out), (1 + those at least as far) / (1 + all)
 * (Vovk et al. 2005). Less agreement and more distance lower it, nothing else.
 *
 * The cut is the least of 0.50, 0.55 ... 1.00 for which the accuracy of the held-out cells that reach it is at least the one asked for,
 * with confidence 0.95 for all cuts together: the exact lower limit of a binomial share at 1 - 0.05 / 11 (Clopper & Pearson
 * 1934; the selection as in Geifman & El-Yaniv 2017). */
#ifndef GRN_MAP_CALIBRATE_H
#define GRN_MAP_CALIBRATE_H

#include "holdout.h"

#define CALIBRATE_STEPS 20 /* cuts 0, 1/20 ... 1 */
#define CALIBRATE_FIRST 10 /* the least that may be chosen: half of the votes */

typedef struct {
    size_t cells, kept, right; /* held out; that reach the cut; of them called as they are */
    double lower;              /* exact, see above */
} cut_t;

typedef struct {
    size_t n_types;
    double far;
    double *all;                    /* (n) mean distances of held-out cells, ascending */
    double *by_type;                /* (n) the same by type */
    size_t n, *off;                 /* (n_types + 1) */
    double *score, *stranger_score; /* of the holdout's cells and strangers */
    cut_t step[CALIBRATE_STEPS + 1];
    int chosen;       /* step */
    int is_certified; /* 0: no cut reaches the accuracy; the last one is used */
    double cut;
} calibration_t;

void calibration_clear(calibration_t *c); /* accepts zeroed */
/* GRN_EEMPTY: no labelled cell was held out. */
grn_status calibrate(const holdout_t *h, size_t n_types, double accuracy, double far, calibration_t *c) GRN_MUST_USE;

/* Percent of the held-out cells of the type (or of all, see above) that are nearer; NaN for type -1. */
double calibration_percentile(const calibration_t *c, int32_t type, double distance);
/* Of a new cell. 0 for type -1. */
double calibration_score(const calibration_t *c, vote_t vote, double distance);
/* 0..9: tenth of the held-out cells' distances that a distance falls into. */
int calibration_decile(const calibration_t *c, double distance);

#endif
