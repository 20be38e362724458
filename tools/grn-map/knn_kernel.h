/* The inner loops of the nearest-neighbour search. Private to knn.c; copies per instruction set. Scores may differ between the copies
 * in their last bits (they are bounds, see knn.h); squared distances may not. */
#ifndef GRN_MAP_KNN_KERNEL_H
#define GRN_MAP_KNN_KERNEL_H

#include <stddef.h>
#include <stdint.h>

#define KNN_GROUP 8  /* queries at a time */
#define KNN_PANEL 32 /* reference points at a time */

typedef struct {
    /* score (KNN_GROUP, KNN_PANEL) = group' panel, group (m, KNN_GROUP) and panel (m, KNN_PANEL) row-major; in float32, additions
     * in any order. reached (KNN_GROUP): bit i is set when score[q][i] >= bar[q]. Returns whether there is any. */
    int (*scores)(const float *group, const float *panel, size_t m, const float *bar, float *score, uint32_t *reached);
    /* sum over j < d of (q[j] - r[j] scale)^2 in double: eight partial sums, j mod 8, added in pairs. */
    double (*square_distance)(const double *q, const float *r, double scale, size_t d);
} knn_kernel_t;

extern const knn_kernel_t knn_kernel_base;
#if defined(__x86_64__)
extern const knn_kernel_t knn_kernel_avx2, knn_kernel_avx512;
#endif

#endif
