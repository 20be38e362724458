/* Included by mixture_kernel_*.c with PASS, the name of the function. */
#include <math.h>
#include <stdint.h>
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "stat/mixture_kernel.h"

#define INLINE static inline __attribute__((always_inline))
#if defined(__AVX512F__)
#define BYTES 64
#elif defined(__AVX2__)
#define BYTES 32
#else
#define BYTES 16
#endif
#define WIDE (BYTES / 8)
#define PARTS (GRN_MIX2_LANES / WIDE)
#define BLOCK 512 /* values whose sums are formed plainly; blocks are added with compensation */
typedef double real_t __attribute__((vector_size(BYTES)));
typedef int64_t whole_t __attribute__((vector_size(BYTES)));

INLINE real_t pick(whole_t mask, real_t a, real_t b)
{
    return (real_t)((mask & (whole_t)a) | (~mask & (whole_t)b));
}

INLINE real_t larger(real_t a, real_t b)
{
#if defined(__AVX512F__)
    return _mm512_max_pd(a, b);
#elif defined(__AVX2__)
    return _mm256_max_pd(a, b);
#elif defined(__x86_64__)
    return _mm_max_pd(a, b);
#else
    return pick(a > b, a, b);
#endif
}

/* exp(x), x <= 0, held at -700: x/ln2 is split into integer and rest by adding 1.5 * 2^52; the rest goes through a near-minimax
 * polynomial (Chebyshev interpolation on +-ln2/2, relative error 2e-14), the integer is added to the exponent bits. */
INLINE real_t exp_negative(real_t x)
{
    const double magic = 6755399441055744.0, log2e = 1.4426950408889634074, ln2_hi = 6.93147180369123816490e-01,
                 ln2_lo = 1.90821492927058770002e-10;
    real_t t, r, z, p;
    x = larger(x, (real_t){ 0 } - 700.0);
    t = x * log2e + magic;
    r = t - magic;
    r = (x - r * ln2_hi) - r * ln2_lo;
    z = r * r;
    p = 2.488447635159146e-05 + r * 2.763265575933203e-06;
    p = (0.0013888801714761622 + r * 0.0001984119061583585) + z * p;
    p = (0.041666667040776456 + r * 0.008333333367332009) + z * p;
    p = (0.4999999999943814 + r * 0.16666666666615607) + z * p;
    p = (1.0000000000000135 + r * 1.0000000000000013) + z * p;
    return (real_t)((whole_t)p + ((whole_t)t << 52));
}

typedef struct {
    real_t r[3], b[5], top, ln, prod;
} lanes_t;

/* WIDE values. The posterior odds are exp(-|d|) to one side or the other. weighted 0: w, if any, is 0 or 1, and sum ln(1 + exp(d)) =
 * sum max(d, 0) + ln prod(1 + exp(-|d|)), one logarithm a block since each factor is at most 2. weighted 1: ln(1 + e) = 2
 * atanh(e/(2+e)) by its series to z^17. */
INLINE void add_values(const double *u, const double *weight, const double *odds, int weighted, lanes_t *t)
{
    const whole_t sign = (whole_t){ 0 } | INT64_MIN;
    real_t x, w = { 0 }, d, e, inv, small, r, b;
    memcpy(&x, u, sizeof x);
    if (weight) memcpy(&w, weight, sizeof w);
    d = (odds[2] * x + odds[1]) * x + odds[0];
    e = exp_negative((real_t)((whole_t)d | sign));
    if (weighted) {
        real_t both = 1.0 / ((1.0 + e) * (2.0 + e)), q, z, series;
        inv = (2.0 + e) * both;
        q = e * (1.0 + e) * both;
        z = q * q;
        series = 1.0 / 15 + z * (1.0 / 17);
        series = 1.0 / 9 + z * (1.0 / 11 + z * (1.0 / 13 + z * series));
        series = 1.0 + z * (1.0 / 3 + z * (1.0 / 5 + z * (1.0 / 7 + z * series)));
        t->ln += 2.0 * q * series * w;
    } else {
        t->prod *= weight ? 1.0 + e * w : 1.0 + e;
        inv = 1.0 / (1.0 + e);
    }
    small = e * inv;
    r = pick(d > 0.0, inv, small);
    b = inv * small;
    d = larger(d, (real_t){ 0 });
    if (weight) {
        r *= w;
        b *= w;
        d *= w;
    }
    t->top += d;
    for (int j = 0; j < 3; j++) {
        t->r[j] += r;
        if (j < 2) r *= x;
    }
    for (int j = 0; j < 5; j++) {
        t->b[j] += b;
        if (j < 4) b *= x;
    }
}

/* The lanes of all parts, added in the order of a tree over GRN_MIX2_LANES. */
INLINE double across(const real_t *part, size_t stride)
{
    double v[GRN_MIX2_LANES];
    for (int p = 0; p < PARTS; p++) memcpy(v + p * WIDE, (const char *)part + (size_t)p * stride, sizeof *part);
    return ((v[0] + v[1]) + (v[2] + v[3])) + ((v[4] + v[5]) + (v[6] + v[7]));
}

INLINE double product(const lanes_t *t)
{
    double v[GRN_MIX2_LANES];
    for (int p = 0; p < PARTS; p++) memcpy(v + p * WIDE, &t[p].prod, sizeof t->prod);
    return ((v[0] * v[1]) * (v[2] * v[3])) * ((v[4] * v[5]) * (v[6] * v[7]));
}

INLINE void add_compensated(double *total, double *carry, double x)
{
    double y = x - *carry, sum = *total + y;
    *carry = (sum - *total) - y;
    *total = sum;
}

INLINE void pass(const double *u, const double *weight, size_t n, const double *odds, grn_mix2_sums_t *out)
{
    grn_mix2_sums_t carry = { 0 };
    memset(out, 0, sizeof *out);
    for (size_t begin = 0; begin < n; begin += BLOCK) {
        size_t end = begin + BLOCK < n ? begin + BLOCK : n, i = begin;
        lanes_t t[PARTS] = { 0 };
        double ones[GRN_MIX2_LANES];
        for (int p = 0; p < PARTS; p++) t[p].prod += 1.0;
        for (; i + GRN_MIX2_LANES <= end; i += GRN_MIX2_LANES)
            for (int p = 0; p < PARTS; p++)
                add_values(u + i + p * WIDE, weight ? weight + i + p * WIDE : NULL, odds, weight != NULL, &t[p]);
        if (i < end) {
            for (size_t k = 0; k < GRN_MIX2_LANES; k++) ones[k] = i + k < end;
            for (int p = 0; p < PARTS; p++)
                add_values(u + i + p * WIDE, (weight ? weight + i : ones) + p * WIDE, odds, weight != NULL, &t[p]);
        }
        for (int j = 0; j < 3; j++) add_compensated(&out->r[j], &carry.r[j], across(&t[0].r[j], sizeof *t));
        for (int j = 0; j < 5; j++) add_compensated(&out->b[j], &carry.b[j], across(&t[0].b[j], sizeof *t));
        add_compensated(&out->above, &carry.above,
                        across(&t[0].top, sizeof *t) + (weight ? across(&t[0].ln, sizeof *t) : log(product(t))));
    }
}

void PASS(const double *u, const double *weight, size_t n, const double odds[3], grn_mix2_sums_t *sums)
{
    if (weight) pass(u, weight, n, odds, sums);
    else pass(u, NULL, n, odds, sums);
}
