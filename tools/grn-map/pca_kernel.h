/* Rows of a sparse matrix times a dense one: where principal components spend their time. Private to pca.c; copies per instruction set
 * that give the same bits. */
#ifndef GRN_MAP_PCA_KERNEL_H
#define GRN_MAP_PCA_KERNEL_H

#include <stddef.h>
#include <stdint.h>

#define PCA_STRIP 32 /* columns that stay in registers */

/* out (rows, k): for rows [begin, end) of the CSR matrix the sum over its entries, ascending, of value x row `column` of in (columns,
 * k). */
typedef void (*pca_product_fn)(const uint64_t *indptr, const uint32_t *indices, const float *data, const double *in, uint32_t k,
                               size_t begin, size_t end, double *out);

void pca_product_base(const uint64_t *indptr, const uint32_t *indices, const float *data, const double *in, uint32_t k, size_t begin,
                      size_t end, double *out);
#if defined(__x86_64__)
void pca_product_avx2(const uint64_t *indptr, const uint32_t *indices, const float *data, const double *in, uint32_t k, size_t begin,
                      size_t end, double *out);
void pca_product_avx512(const uint64_t *indptr, const uint32_t *indices, const float *data, const double *in, uint32_t k, size_t begin,
                        size_t end, double *out);
#endif

#endif
