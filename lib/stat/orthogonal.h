/* Orthonormal columns of a tall matrix, through the eigenvectors of its Gram matrix. The same bits for any number of threads. */
#ifndef GRN_STAT_ORTHOGONAL_H
#define GRN_STAT_ORTHOGONAL_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/par.h"

#define GRN_ORTHOGONAL_MAX 4106 /* columns */

/* m (n, k), row-major, becomes m V diag(1 / length), V the eigenvectors of m'm by descending eigenvalue: orthonormal columns that span
 * what the columns of m did. length (k): the square roots of the eigenvalues, descending. Directions whose eigenvalue is below 1e-10 of
 * the largest are none: their column and length become 0. One call leaves columns orthogonal to about 1e-6 when lengths differ by 1e5;
 * a second one to rounding. Sums over rows in blocks of fixed size. GRN_EINVAL: k above GRN_ORTHOGONAL_MAX. O(n k^2) time, O(n k^2 /
 * 2048) memory. */
grn_status grn_orthogonalise(double *m, size_t n, uint32_t k, double *length, grn_par_t *pool) GRN_MUST_USE;

#endif
