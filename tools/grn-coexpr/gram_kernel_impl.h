/* Included by gram_kernel_*.c with KERNEL, the name of the function. */
#include "gram_kernel.h"

#if defined(__AVX512F__)
#define W 16
#elif defined(__AVX2__)
#define W 8
#else
#define W 4
#endif
#define N_VEC 4 /* of an accumulator: as many lanes at a time as stay in registers */
typedef float vec_t __attribute__((vector_size(4 * W)));

void KERNEL(const float *y, const uint64_t *off, const uint16_t *cell, const float *x, size_t begin, size_t end, float *sum)
{
    for (size_t g = begin; g < end; g++, sum += COEXPR_TILE)
        for (size_t part = 0; part < COEXPR_TILE; part += N_VEC * W) {
            vec_t a[N_VEC] = { 0 };
            vec_t *to = (vec_t *)(void *)(sum + part);
            for (uint64_t k = off[g]; k < off[g + 1]; k++) {
                const vec_t *row = (const vec_t *)(const void *)(y + (size_t)cell[k] * COEXPR_TILE + part);
                for (int v = 0; v < N_VEC; v++) a[v] += x[k] * row[v];
            }
            for (int v = 0; v < N_VEC; v++) to[v] += a[v];
        }
}

#undef W
#undef N_VEC
