/* Moderated t: variances of many tests with few degrees of freedom each, shrunk towards a common prior that may follow a trend.
 *
 * Model (Smyth 2004, Stat Appl Genet Mol Biol 3:3, sections 4 and 6.2): s2_i | sigma2_i ~ sigma2_i chi2_d / d and 1 / sigma2_i ~
 * chi2_d0 / (d0 s02_i), so that s2_i / s02_i ~ F(d, d0). d0 and s02 come from the first two moments of log s2. With a covariate
 * (mean log abundance) log s02 is a natural cubic spline of it: limma-trend (Law 2014, Genome Biol 15:R29). The posterior variance
 * (d0 s02_i + d s2_i) / (d0 + d) goes into a t with d0 + d degrees of freedom. */
#ifndef GRN_STAT_MODERATED_H
#define GRN_STAT_MODERATED_H

#include <stddef.h>

#include "base/err.h"

/* Prior of n variances s2 (finite, >= 0) with d > 0 degrees of freedom each.
 * x      (n) covariate of the trend, or NULL: one s02 for all.
 * d0     prior degrees of freedom; INFINITY when the variances differ no more than chance.
 * s02    out (n), may not alias s2.
 * Variances below 1e-5 of their median are lifted to it (a variance of 0 has no logarithm). The spline has knots at the smallest
 * x, its 1/3 and 2/3 quantiles, and the largest (a basis of 4; of 2 below 6 tests, of 1 below 3), fitted by least squares.
 * GRN_EINVAL: n = 0, d <= 0, or all variances are 0. GRN_ENONFINITE, GRN_ENOMEM. Serial, sums in the order given. O(n log n). */
grn_status grn_moderated_prior(const double *s2, const double *x, size_t n, double d, double *d0, double *s02) GRN_MUST_USE;

/* (d0 s02 + d s2) / (d0 + d); s02 when d0 is infinite. */
double grn_moderated_variance(double s2, double d, double s02, double d0);

/* Natural logarithm of the two-sided p of Student's t with df degrees of freedom (INFINITY: normal), finite where p underflows:
 * the incomplete beta function I_x(df / 2, 1 / 2), x = df / (df + t^2), by its continued fraction in logarithms. NaN if t is. */
double grn_t_log_p(double t, double df);

/* y > 0 with trigamma(y) = x, x > 0: Newton's method (Smyth 2004, appendix). */
double grn_trigamma_inverse(double x);

#endif
