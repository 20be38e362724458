/* One pass of EM for a mixture of two Gaussians: the inner loop of mixture.c, compiled for three instruction sets that give the same
 * bits (eight lanes whatever the width of the registers, IEEE additions, multiplications and divisions in a fixed order). */
#ifndef GRN_STAT_MIXTURE_KERNEL_H
#define GRN_STAT_MIXTURE_KERNEL_H

#include <stddef.h>

#define GRN_MIX2_LANES 8

/* Sums over the sample, w the weight of a value u, r its posterior probability of the upper component (2). */
typedef struct {
    double r[3];  /* w r u^j: weight and first two moments of component 2 */
    double b[5];  /* w r (1 - r) u^j: what the posterior hides of the information */
    double above; /* w ln(1 + exp(d(u))), d the log odds: with the log density of component 1 the log-likelihood */
} grn_mix2_sums_t;

/* u: n values; weight: theirs, NULL for 1 (then n is the sum of weights). Both padded with zeros to a multiple of 8. odds: d(u) =
 * odds[0] + odds[1] u + odds[2] u^2 = ln(w2 N2(u)) - ln(w1 N1(u)).
 * ln(1 + exp(d)) is exact to rounding without weights and within 2e-10 of it with them; exp within 2e-14 of itself. */
typedef void grn_mix2_pass_t(const double *u, const double *weight, size_t n, const double odds[3], grn_mix2_sums_t *sums);
extern grn_mix2_pass_t grn_mix2_pass_base, grn_mix2_pass_avx2, grn_mix2_pass_avx512;

#endif
