/* Private to the CPU backend: its context, its tables, and the exponential its kernels use. */
#ifndef GRN_NN_OP_CPU_H
#define GRN_NN_OP_CPU_H

#include <string.h>

#include "nn/op.h"

typedef struct {
    void *p;
    size_t n;
} grn_cpu_buf_t;

/* Workspace grows to what the largest op needed and is reused: no allocation in steady state. */
typedef struct {
    grn_par_t *pool;
    int n_workers;
    grn_cpu_buf_t
        *scratch; /* (n_workers + 1): one per worker, the last shared by all workers of one op */
    uint64_t now, peak; /* bytes held by alloc */
    char name[64];
} grn_cpu_t;

/* At least n objects of `size` bytes of workspace, 64-byte aligned, contents undefined. worker =
 * n_workers: the shared one. */
grn_status grn_cpu_scratch(grn_cpu_t *c, int worker, size_t n, size_t size, void **p) GRN_MUST_USE;

/* Memory slots, the same in all tables. */
const char *grn_cpu_name(void *ctx);
grn_status grn_cpu_alloc(void *ctx, void **p, size_t bytes);
void grn_cpu_free(void *ctx, void *p);
grn_status grn_cpu_move(void *ctx, void *dst, const void *src,
                        size_t bytes); /* upload, download, copy */
grn_status grn_cpu_zero(void *ctx, void *dst, size_t bytes);
grn_status grn_cpu_sync(void *ctx);
void grn_cpu_mem(void *ctx, uint64_t *now, uint64_t *peak);
void grn_cpu_close(void *ctx);

/* One source (op_cpu_impl.h), compiled for float, for float with AVX2 code (same bits), and for
 * double. */
extern const grn_ops_t grn_ops_cpu_f32, grn_ops_cpu_f64;
#if defined(__x86_64__)
extern const grn_ops_t grn_ops_cpu_f32_avx2;
#endif
/* A CPU device on one given table; tests compare tables through this. */
grn_status grn_dev_cpu_table(grn_dev_t **dev, grn_par_t *pool, const grn_ops_t *op) GRN_MUST_USE;

/* 64-bit mixing of the dropout key (SplitMix64, Steele 2014). */
static inline uint64_t grn_cpu_splitmix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

/* e^x for loops the compiler vectorises. x = n ln2 + r, |r| <= ln2/2, n by adding 1.5 * 2^23; e^r
 * by its Taylor polynomial of degree 7 (remainder 5.2e-9). Relative error below 2.5e-7 on [-87, 88]
 * (tested); 0 below -87, e^88 above 88, NaN stays NaN. Built from + - * only: the same bits for any
 * vector width. */
static inline float grn_cpu_expf(float x)
{
    float y = x < -87.0f ? -87.0f : x;
    y = y > 88.0f ? 88.0f : y;
    float z = y * 1.44269504088896341f + 12582912.0f;
    float n = z - 12582912.0f;
    float r =
        y -
        n * 0.693359375f; /* ln2 in two parts: the first has 9 bits, its product with n is exact */
    r = r + n * 2.12194440054690583e-4f;
    float p = 1.0f / 5040;
    p = p * r + 1.0f / 720;
    p = p * r + 1.0f / 120;
    p = p * r + 1.0f / 24;
    p = p * r + 1.0f / 6;
    p = p * r + 0.5f;
    p = p * r + 1.0f;
    p = p * r + 1.0f;
    uint32_t bits;
    float two_n;
    memcpy(&bits, &z, sizeof bits);
    bits = (bits << 23) + 0x3f800000u; /* the low bits of z are n */
    memcpy(&two_n, &bits, sizeof two_n);
    p = p * two_n;
    return x < -87.0f ? 0.0f : p;
}

#endif
