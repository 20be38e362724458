/* How well scores rank the true items above the false ones: ROC and precision-recall curves, their areas, early precision, and
 * bootstrap intervals of all of them.
 *
 * Items are (score, label) pairs over the whole candidate universe: a pair that a method does not mention has score 0 (the caller
 * fills it in). Only the order of the scores counts, ties form one step of the curve, and no result depends on the order of the
 * items. All functions are thread safe.
 *
 * Definitions (the BEELINE benchmark's, Pratapa 2020; SPEC_MODEL section 9), with P = positives, N = negatives, and one point
 * (tp, fp) after each distinct score, from the highest down: AUROC   trapezoid under (fp/N, tp/P), from (0,0): ties count one
 * half, as in the Mann-Whitney statistic; 0.5 = chance AUPRC   trapezoid under (recall, precision), starting at (0,1): BEELINE's
 * area, optimistic between points; chance = density AP      sum of (recall step) x precision: average precision, the conservative
 * area EPR     early precision ratio: take all items with score >= max(smallest non-zero score, score of the P-th item), ties
 * included, zero scores never; EP = true share of what was taken, EPR = EP / density; 1 = chance */
#ifndef GRN_STAT_CURVE_H
#define GRN_STAT_CURVE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/par.h"

typedef struct {
    double n_pos, n_neg; /* items of each label (whole numbers; replicate weights in the bootstrap) */
    double density;      /* n_pos / (n_pos + n_neg): the AUPRC, AP and EP of a random ranking */
    double auroc;        /* NaN without positives or without negatives */
    double auprc, ap;    /* NaN without positives */
    double ep, epr;      /* NaN without positives; 0 when no score is above 0 */
    double n_selected;   /* items that early precision looked at */
} grn_curve_t;

/* Scores n items. score: finite; for EPR it should be a non-negative strength (|weight|). label: 0 or not 0.
 * Returns GRN_OK (n = 0 gives NaN areas); GRN_ENONFINITE naming the first bad item; GRN_EINVAL if n >= 2^32; GRN_ENOMEM. O(n)
 * radix sort, 24 n bytes of scratch. */
grn_status grn_curve_score(const double *score, const uint8_t *label, size_t n, grn_curve_t *out) GRN_MUST_USE;

/* The steps of the curve: after all items with score >= threshold[i], tp[i] true and fp[i] false ones are taken. */
typedef struct {
    size_t n;          /* distinct scores */
    double *threshold; /* (n) descending */
    uint64_t *tp, *fp; /* (n) cumulative */
    uint64_t n_pos, n_neg;
} grn_curve_points_t;
grn_status grn_curve_points(const double *score, const uint8_t *label, size_t n, grn_curve_points_t *out) GRN_MUST_USE;
/* Drops points until at most `max` are left (>= 2), keeping the first, the last and those nearest to equal steps of tp + fp along
 * the curve in recall: for plotting only. */
void grn_curve_points_thin(grn_curve_points_t *p, size_t max);
void grn_curve_points_clear(grn_curve_points_t *p);

typedef struct {
    grn_curve_t lo, hi; /* percentile limits of each field, over the replicates where it is defined (NaN if none is) */
    size_t n_rep;       /* replicates */
} grn_curve_ci_t;

/* Poisson bootstrap of grn_curve_score: in replicate b item i counts Poisson(1) times, a function of (seed, key[i], b) alone.
 * Items with equal keys are kept or dropped together: give every pair its own key to resample pairs, or the key of its TF (cell,
 * donor) to resample whole TFs, which is the honest unit when pairs of a TF stand or fall together. key NULL: keyed by position.
 * level: 0.95 gives the 2.5 % and 97.5 % points (type-7 quantiles). Same result for any pool and item order. O(n_rep n) after one
 * sort. */
grn_status grn_curve_bootstrap(const double *score, const uint8_t *label, const uint64_t *key, size_t n, size_t n_rep,
                               double level, uint64_t seed, grn_par_t *pool, grn_curve_ci_t *out) GRN_MUST_USE;

/* Mean of x (n finite values) and its Poisson-bootstrap percentile interval, keyed as above. A replicate that drops everything
 * is skipped. n = 0: all NaN. n = 1 (or one key): no spread to resample, *lo = *hi = NaN. */
grn_status grn_curve_mean_ci(const double *x, const uint64_t *key, size_t n, size_t n_rep, double level, uint64_t seed,
                             double *mean, double *lo, double *hi) GRN_MUST_USE;

#endif
