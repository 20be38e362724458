/* Included by pca_kernel_*.c with KERNEL, the name of the function. */
#include <string.h>

#include "pca_kernel.h"

typedef double vec_t __attribute__((vector_size(64))); /* of the compiler: as many registers as it takes */
enum { W = 8 };

/* PCA_STRIP columns of one row; in, out: at the first of them. */
static inline void strip(const uint32_t *column, const float *value, size_t n, const double *in, uint32_t k, double *out)
{
    vec_t s[PCA_STRIP / W] = { { 0 } }, x;
    for (size_t e = 0; e < n; e++) {
        const double *row = in + (size_t)column[e] * k, a = value[e];
        const vec_t v = { a, a, a, a, a, a, a, a };
        for (int j = 0; j < PCA_STRIP / W; j++) {
            memcpy(&x, row + j * W, sizeof x);
            s[j] += v * x;
        }
    }
    memcpy(out, s, sizeof s);
}

void KERNEL(const uint64_t *indptr, const uint32_t *indices, const float *data, const double *in, uint32_t k, size_t begin, size_t end,
            double *out)
{
    for (size_t i = begin; i < end; i++) {
        const uint32_t *column = indices + indptr[i];
        const float *value = data + indptr[i];
        size_t n = (size_t)(indptr[i + 1] - indptr[i]);
        uint32_t at = 0;
        for (; at + PCA_STRIP <= k; at += PCA_STRIP) strip(column, value, n, in + at, k, out + i * k + at);
        double *rest = out + i * k;
        for (uint32_t j = at; j < k; j++) rest[j] = 0;
        for (size_t e = 0; e < n && at < k; e++) {
            const double *row = in + (size_t)column[e] * k, a = value[e];
            for (uint32_t j = at; j < k; j++) rest[j] += a * row[j];
        }
    }
}
