/* Central moments of one sample, in a fixed order of additions: eight running sums, joined as a tree. */
#ifndef GRN_STAT_MOMENTS_H
#define GRN_STAT_MOMENTS_H

#include <stddef.h>

typedef struct {
    double mean, m2, m3; /* sums of squares and cubes around the mean, over n; 0 for n = 0 */
} grn_moments_t;

grn_moments_t grn_moments(const double *v, size_t n);

/* The sum of n values in that order. */
double grn_sum(const double *v, size_t n);

#endif
