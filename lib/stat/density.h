/* Gaussian kernel density of one sample on a grid, and the depth of a valley in it. Thread safe; no randomness. */
#ifndef GRN_STAT_DENSITY_H
#define GRN_STAT_DENSITY_H

#include <stddef.h>

#include "base/err.h"

/* Silverman's rule of thumb 0.9 min(sd1, IQR/1.349) n^(-1/5) of a sample sorted ascending (Silverman 1986, eq. 3.31). When the
 * IQR is 0 the sd alone counts; 0 for fewer than 2 values or a constant sample. */
double grn_density_silverman(const double *sorted, size_t n);

/* Quantile p of a sorted sample, type 7 (linear interpolation); NaN for n = 0. */
double grn_density_quantile(const double *sorted, size_t n, double p);

/* Binned kernel density estimate f(x_k) = 1/(n h) sum_i phi((x_k - x_i)/h) at k = 0..n_grid-1, x_k = lo + k * step, from a sample
 * of n values sorted ascending. Points between grid nodes are shared linearly between both (linear binning, Jones & Lotwick
 * 1984); the kernel is cut at 5 h. Absolute error at a node <= (step/h)^2 / (8 sqrt(2 pi) h) + 1.5e-6/h: with step = h/16, 0.05 %
 * of the height of one kernel. f: out (n_grid). GRN_EINVAL unless h > 0, step > 0, n_grid >= 1; GRN_ENOMEM. O(n_in + n_grid
 * h/step). */
grn_status grn_density_grid(const double *sorted, size_t n, double h, double lo, double step, size_t n_grid, double *f) GRN_MUST_USE;

/* Depth of the deepest valley of a density on a grid: max over k of 1 - f[k] / min(max f[0..k], max f[k..n-1]); 0 when there is
 * none (unimodal), 1 when the density falls to nothing between two peaks. *at (may be NULL) = the k where it is. */
double grn_density_valley(const double *f, size_t n_grid, size_t *at);

/* Valley depth of the sample between a and b (a < b): the density with Silverman's h on [a - h, b + h], nodes h/16 apart (coarser
 * when that would take more than 8,192 nodes). Sets *depth and *x (may be NULL), the place of the valley. n = 0 or h = 0: depth
 * 0. */
grn_status grn_density_valley_between(const double *sorted, size_t n, double a, double b, double *depth, double *x) GRN_MUST_USE;

#endif
