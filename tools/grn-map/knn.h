/* Exact k nearest neighbours among dense points, by blocks.
 *
 * Every pair of query and reference point is scored in float32 by a blocked matrix product whose result is never below the true
 * score; pairs that reach the k-th best so far are measured again in double. So the neighbours are those of double arithmetic, whatever
 * the instruction set, the block and the number of threads, and only points near the border are measured twice.
 *
 * With a, b the query and the reference point less the mean of the reference, |a - b|^2 = |a|^2 - 2 t, t = a.b - |b|^2 / 2. The
 * product is that of (a, e |a|, 1) and (b, |b|, -(1 - e) |b|^2 / 2), where e = 2 (d + 8) 2^-24 exceeds what rounding of the entries and
 * of a sum of d + 2 products in any order can take off (Higham 2002, section 3.1): a bound from above of t.
 *
 * Letters: n reference points, d dimensions, q queries, k neighbours. */
#ifndef GRN_MAP_KNN_H
#define GRN_MAP_KNN_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/par.h"

typedef enum {
    KNN_EUCLIDEAN,
    KNN_COSINE /* 1 - cosine of the angle; of points scaled to length 1, half their squared distance */
} knn_metric;

#define KNN_NONE UINT32_MAX
#define KNN_MAX_DIM 65536

typedef struct knn_s knn_t; /* reading functions may run concurrently on one object */

/* An index of x (n, d) row-major, borrowed until knn_destroy. 4 n (d + 2) bytes. GRN_EINVAL: d above KNN_MAX_DIM, n of 2^32 - 1 or
 * more; cosine: a row without length (caller names it: see knn_no_length). Values must be finite. */
grn_status knn_create(knn_t **out, const float *x, size_t n, size_t d, knn_metric metric) GRN_MUST_USE;
void knn_destroy(knn_t *t); /* accepts NULL */

/* The first row that is all 0, which has no direction; n if there is none. */
size_t knn_no_length(const float *x, size_t n, size_t d);

/* The k nearest of each row of query (q, d), nearest first, equal distances in ascending order of index: id and distance (q, k). With
 * fewer than k reference points the rest is KNN_NONE at infinity. Uses pool; same result for any pool. O(q n d) time, O(k + d) memory
 * per query of a block. */
grn_status knn_search(const knn_t *t, const float *query, size_t q, uint32_t k, grn_par_t *pool, uint32_t *id,
                      double *distance) GRN_MUST_USE;

/* The same for one level of instructions only (base/simd.h), for tests. */
grn_status knn_set_level(knn_t *t, int level) GRN_MUST_USE;

#endif
