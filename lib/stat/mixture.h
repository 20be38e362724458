/* Two-component Gaussian mixture of one sample by a deterministic climb, and the point where the two weighted densities cross.
 *
 * No random numbers: fixed starts, sums over the sorted sample in a fixed order with compensation between blocks, an exp of our
 * own made of IEEE additions and multiplications only (mixture_kernel.h), so that results do not depend on the order of the input,
 * the thread or the vector width of the machine. Thread safe. SPEC_GRN section 7.3-7.4; EM: Dempster 1977; BIC: Schwarz 1978; D: Ashman
 * 1994. */
#ifndef GRN_STAT_MIXTURE_H
#define GRN_STAT_MIXTURE_H

#include <stddef.h>

#include "base/err.h"

typedef struct {
    double w[2], m[2], s[2]; /* weights (sum 1), means (m[0] <= m[1]), standard deviations; units of the sample */
    double loglik;           /* sum of ln density over the sample, two components */
    double loglik1;          /* the same for one Gaussian (mean, sd0) */
    int start;               /* winning start, 0..7: 2 * quantile pair + variance variant */
    int n_iter;              /* passes over the whole sample from that start */
} grn_mix2_t;

/* Fits the mixture to n finite values sorted ascending (n >= 2, not all equal: GRN_EINVAL otherwise; GRN_ENOMEM).
 * Works on u = (x - median)/max(IQR/1.349, sd). Starts: means at the quantiles (.25,.75), (.5,.95), (.1,.9), (.05,.5) with
 * weights (.5,.5), (.8,.2), (.5,.5), (.2,.8), common variance var/2 or var/4. Variances are kept >= max(1e-3 var, 1e-12).
 * A start takes eight steps of EM, then Newton's (negative Hessian = information of the complete data - what the posteriors hide,
 * Louis 1982), damped by the information of the complete data whenever a step lowers the likelihood (Levenberg & Marquardt), until a
 * step promises less than 1e-9 of the log-likelihood, or after 500 passes. The best start wins, the lower index on a tie.
 * For n > 1024 the starts are first run on the sample grouped into cells of sd/32 (their means, weighted); then the distinct ends are
 * taken to the top of the likelihood of all n values, in a few passes, except those that ten times what Newton's step promises does
 * not bring up to the best. O(n) memory. */
grn_status grn_mix2_fit(const double *sorted, size_t n, grn_mix2_t *out) GRN_MUST_USE;

/* BIC(one component) - BIC(two) = 2 (loglik - loglik1) - 3 ln n; positive favours two. */
double grn_mix2_dbic(const grn_mix2_t *f, size_t n);
/* Ashman's D = sqrt(2) |m1 - m2| / sqrt(s1^2 + s2^2): separation of the components; 2 and more is clean. */
double grn_mix2_ashman(const grn_mix2_t *f);
double grn_mix2_density(const grn_mix2_t *f, double x);
/* Posterior probability of the upper component at x, in [0,1]. */
double grn_mix2_posterior(const grn_mix2_t *f, double x);

/* How grn_mix2_cross found its answer. The first four are exact roots (posterior 0.5). */
typedef enum {
    GRN_CROSS_ROOT,      /* the one root between the means */
    GRN_CROSS_EQUAL_SD,  /* equal sd: the linear case */
    GRN_CROSS_BROAD,     /* one component covers the other: both roots lie around the narrow one's mean; the one between the means */
    GRN_CROSS_TWO,       /* two roots between the means: the one nearer to the lowest density there */
    GRN_CROSS_ARGMIN,    /* no root between the means: the lowest mixture density there, when inside */
    GRN_CROSS_SAME_MEAN, /* none: the means coincide */
    GRN_CROSS_DOMINATED, /* none: one weighted density is above the other everywhere */
    GRN_CROSS_NONE       /* none: density falls from one mean to the other */
} grn_cross;
const char *grn_cross_name(grn_cross k); /* "root", "equal-sd", ... */

/* The x strictly between the means where w1 N(x; m1, s1) = w2 N(x; m2, s2), in closed form in centred coordinates; NaN when *kind
 * is one of the last three. BROAD is reported when the other root lies in [lo, hi], the range of the data (-inf, inf: always when
 * sds differ). */
double grn_mix2_cross(const grn_mix2_t *f, double lo, double hi, grn_cross *kind);

#endif
