/* The inner loop of the products of genes: sparse columns times a tile of dense ones. Three copies, same bits. */
#ifndef GRN_COEXPR_GRAM_KERNEL_H
#define GRN_COEXPR_GRAM_KERNEL_H

#include <stddef.h>
#include <stdint.h>

enum { COEXPR_TILE = 64 }; /* genes of a dense tile */

/* sum[(g - begin) * COEXPR_TILE + v] += over the values k of column g of x[k] * y[cell[k] * COEXPR_TILE + v], for g in [begin, end):
 * each column is summed by itself, cell by cell in single precision without contraction, and then added. y, sum: aligned to 64. */
typedef void (*coexpr_gram_kernel)(const float *y, const uint64_t *off, const uint16_t *cell, const float *x, size_t begin, size_t end,
                                   float *sum);

void coexpr_gram_base(const float *y, const uint64_t *off, const uint16_t *cell, const float *x, size_t begin, size_t end, float *sum);
#if defined(__x86_64__)
void coexpr_gram_avx2(const float *y, const uint64_t *off, const uint16_t *cell, const float *x, size_t begin, size_t end, float *sum);
void coexpr_gram_avx512(const float *y, const uint64_t *off, const uint16_t *cell, const float *x, size_t begin, size_t end,
                        float *sum);
#endif

coexpr_gram_kernel coexpr_gram_best(void); /* for this machine (gram.c) */

#endif
