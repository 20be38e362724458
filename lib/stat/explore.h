/* The threshold of one gene set's AUC over cells, out of six candidates: the rule of AUCell_exploreThresholds of the R package AUCell
 * (Aibar 2017), as SPEC_GRN section 5.7 describes it (smallestPopPercent s = 0.25, densAdjust 2, thrP p = 0.01, nBreaks 100).
 *
 *   outlierOfGlobal  quantile 1 - p/n of the normal with the mean and sd of all cells
 *   Global_k1        quantile 1 - (p/n + s) of that normal
 *   L_k2             quantile 1 - p/n of the lower component of a mixture of two Gaussians
 *   R_k3             quantile p of the highest component of a mixture of three
 *   minimumDens      the valley of the kernel density (2 x Silverman's bandwidth) after its highest peak when the next peak reaches
 *                    5 % of that, else the last valley before the highest peak, when the peak before it reaches 5 %
 *   tenPercentOfMax  a tenth of the largest score
 *
 * Which count, where the description is definite: outlierOfGlobal when a Kolmogorov-Smirnov test against that normal has p >= 0.01;
 * R_k3 when above 0; tenPercentOfMax when the first 10 of 100 bins hold 0.5 (1 - s) of the cells; Global_k1 when more than 1 - s of
 * the cells are 0, or the test says normal, or the first five bins hold (1 - s)^2 of the cells, or the right one of two components
 * peaks higher (weight/sd), or the two overlap; L_k2 unless its component is a minority.
 * Decided here: bins span the smallest to the largest score; the p-value is Kolmogorov's limit, the parameters taken as given;
 * "overlap" is Ashman's D <= 2; "minority" is a weight below 1/2; the mixture of two is that of mixture.h, the mixture of three is
 * fitted by EM to 128 bins from two fixed starts, sds at least a bin's. The winner is minimumDens where there is one, else the largest
 * that counts; where none does, the largest. Thread safe, no randomness. */
#ifndef GRN_STAT_EXPLORE_H
#define GRN_STAT_EXPLORE_H

#include <stddef.h>

#include "base/err.h"
#include "stat/mixture.h"

typedef enum {
    GRN_EXPLORE_OUTLIER,
    GRN_EXPLORE_GLOBAL,
    GRN_EXPLORE_LEFT,
    GRN_EXPLORE_RIGHT,
    GRN_EXPLORE_DENSITY,
    GRN_EXPLORE_TENTH,
    GRN_EXPLORE_N
} grn_explore_kind;

typedef struct {
    double at[GRN_EXPLORE_N]; /* NaN: there is none (minimumDens without a valley) */
    unsigned counts;          /* bit k: candidate k may be chosen */
    grn_explore_kind won;
} grn_explore_t;

const char *grn_explore_name(grn_explore_kind k); /* as above */

/* sorted: n >= 2 finite values ascending, not all equal; two: their mixture (grn_mix2_fit). GRN_ENOMEM. */
grn_status grn_explore(const double *sorted, size_t n, const grn_mix2_t *two, grn_explore_t *out) GRN_MUST_USE;

/* P(sup |F_n - F| sqrt(n) > z) for large n (Kolmogorov 1933). */
double grn_kolmogorov_tail(double z);

#endif
