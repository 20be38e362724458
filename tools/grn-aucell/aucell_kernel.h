/* The loops of AUCell over numbers. Private to the tool; three copies (base, AVX2, AVX-512) that give the same bits. */
#ifndef GRN_AUCELL_KERNEL_H
#define GRN_AUCELL_KERNEL_H

#include <stddef.h>
#include <stdint.h>

#define AUCELL_CODE_HIGH 256 /* code of a value that is at least this large */
#define AUCELL_TILE 4096     /* sets whose sums are kept in the nearest cache together */
#define AUCELL_COPY 8        /* set numbers copied at a time: readable behind the last one */
#define AUCELL_LANES 32      /* regions of a tile */
#define AUCELL_GROUP 6       /* cells whose accessibility is computed together */

/* Sets of every column among `n` sets in a row, n <= AUCELL_TILE. */
typedef struct {
    uint32_t first, n;
    uint32_t *off; /* (G + 1) into set */
    uint16_t *set; /* counted from `first`; AUCELL_COPY more behind the last */
} aucell_tile_t;

typedef struct {
    /* code[i] = x[i] for whole numbers 1..255, AUCELL_CODE_HIGH from there on (any number); n_high: how many of these. Returns 0, and
     * nothing of use in code, when some x[i] is neither. */
    int (*codes)(const float *x, size_t n, uint32_t *code, size_t *n_high);
    /* sum[s] += gain[class[i]] for every set s of gene[i], i < n, class[i] >= least. sum: (tile->n). */
    void (*add)(const aucell_tile_t *tile, size_t n, const uint32_t *gene, const uint32_t *class, uint32_t least, const int64_t *gain,
                int64_t *sum);
    /* wide[s] = (sum[s] + zero * size[s]) * unit / top[s]; n sets. */
    void (*finish)(const int64_t *sum, int64_t zero, const int64_t *size, double unit, const double *top, size_t n, double *wide);
    /* Accessibility: out[j * stride + tile * AUCELL_LANES + lane] = sum over k, ascending, of theta[k * AUCELL_GROUP + j] *
     * phi[(tile * K + k) * AUCELL_LANES + lane]. phi and out are aligned to 64 bytes, stride is a multiple of 16. */
    void (*impute)(const float *phi, size_t n_tiles, size_t K, const float *theta, float *out, size_t stride);
    /* The i < n with x[i] >= least as aucell_order(x[i]) << 32 | first + i, ascending in i, into item (room for n + 8); how many. */
    size_t (*at_least)(const float *x, size_t n, float least, uint32_t first, uint64_t *item);
} aucell_kernel_t;

/* Descending floats as ascending numbers; -0 is not told from 0. */
static inline uint32_t aucell_order(float x)
{
    union {
        float f;
        uint32_t u;
    } v = { x + 0.0f };
    return v.u >> 31 ? v.u : ~v.u & 0x7fffffffu;
}

extern const aucell_kernel_t aucell_kernel_base;
#if defined(__x86_64__)
extern const aucell_kernel_t aucell_kernel_avx2, aucell_kernel_avx512;
#endif

const aucell_kernel_t *aucell_kernel(void); /* of this machine */

#endif
