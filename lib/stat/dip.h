/* Hartigan's dip: how far the distribution of a sample is from the nearest unimodal one. Thread safe; no randomness.
 * Hartigan & Hartigan 1985, Annals of Statistics 13:70-84. */
#ifndef GRN_STAT_DIP_H
#define GRN_STAT_DIP_H

#include <stddef.h>

#include "base/err.h"

/* Sets *dip = max distance between the empirical distribution function of n values (sorted ascending, ties allowed) and the
 * closest unimodal distribution function: exact, by the paper's shrinking modal interval between greatest convex minorant and
 * least concave majorant. At least 1/(2n), the value of a sample that looks unimodal; also for a constant sample. NaN for n = 0.
 * GRN_ENOMEM. O(n) per step of the modal interval (a handful of steps). */
grn_status grn_dip_statistic(const double *sorted, size_t n, double *dip) GRN_MUST_USE;

/* P(dip of n uniform values >= dip): the null that is hardest to tell from two modes. Interpolated in sqrt(n) * dip between
 * quantiles tabulated by simulation (bench/dip_null.c: 100,000 samples per size, fewer above 2,000), linearly in log n between
 * sizes and in log p in the tail. Between 1 and the table's resolution (about 1e-5; smaller values are reported as that). NaN for
 * n < 4 or NaN dip. */
double grn_dip_pvalue(double dip, size_t n);

#endif
