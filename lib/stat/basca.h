/* Binarisation by step functions, BASC A (Hopfensitz et al. 2012, IEEE/ACM Trans Comput Biol Bioinform 9:487), on all values.
 *
 * For j = 1 .. n - 2, the best step function with j steps through the sorted values x (least squares; of equal ones that whose
 * steps come first). Of its steps, the strongest: largest (mean behind it - mean in front of it) / sum_k (x_k - z)^2, z the
 * midpoint of the two values at the step; the first of equals. The threshold is the midpoint at the median over j of the places of
 * these steps (rounded down). */
#ifndef GRN_STAT_BASCA_H
#define GRN_STAT_BASCA_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

typedef struct { /* of one thread; zeroed is valid, kept between calls */
    double *cost, *next, *s1, *s2;
    uint32_t *split, *step, *at;
    size_t cap, split_cap;
} grn_basca_t;
void grn_basca_clear(grn_basca_t *b);

/* *threshold of x (n, ascending, finite): values above it are on. 0 when n < 3 or all are equal. O(n^2 log n) time, 4 n^2 bytes:
 * where the first step of the best function lies does not fall as its begin rises, so each is sought between its neighbours'. */
grn_status grn_basca(grn_basca_t *b, const double *x, size_t n, double *threshold) GRN_MUST_USE;

#endif
