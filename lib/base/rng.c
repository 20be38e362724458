#include "base/rng.h"

#include <math.h>
#include <string.h>

#include <Random123/philox.h>

#include "base/names.h"

static uint64_t mix(uint64_t a, uint64_t b)
{
    uint64_t k[2] = { a, b };
    return grn_hash(k, sizeof k);
}

void grn_rng_init(grn_rng_t *r, uint64_t seed, const char *stage, uint64_t object)
{
    uint64_t key = mix(seed, grn_hash_str(stage));
    memset(r, 0, sizeof *r);
    r->key[0] = (uint32_t)key;
    r->key[1] = (uint32_t)(key >> 32);
    r->ctr[2] = (uint32_t)object;
    r->ctr[3] = (uint32_t)(object >> 32);
}

void grn_rng_init2(grn_rng_t *r, uint64_t seed, const char *stage, uint64_t object, uint64_t sub)
{
    grn_rng_init(r, seed, stage, mix(object, sub));
}

uint64_t grn_rng_key(uint64_t seed, const char *stage, uint64_t a, uint64_t b)
{
    grn_rng_t r;
    grn_rng_init2(&r, seed, stage, a, b);
    return grn_rng_u64(&r);
}

uint32_t grn_rng_u32(grn_rng_t *r)
{
    if (!r->left) {
        philox4x32_ctr_t c = { { r->ctr[0], r->ctr[1], r->ctr[2], r->ctr[3] } };
        philox4x32_key_t k = { { r->key[0], r->key[1] } };
        c = philox4x32(c, k); /* 10 rounds */
        memcpy(r->out, c.v, sizeof r->out);
        if (!++r->ctr[0]) r->ctr[1]++;
        r->left = 4;
    }
    return r->out[4 - r->left--];
}

uint64_t grn_rng_u64(grn_rng_t *r)
{
    uint64_t lo = grn_rng_u32(r);
    return lo | (uint64_t)grn_rng_u32(r) << 32;
}

double grn_rng_unif(grn_rng_t *r)
{
    return (double)(grn_rng_u64(r) >> 11) * 0x1p-53;
}

double grn_rng_open(grn_rng_t *r)
{
    return ((double)(grn_rng_u64(r) >> 12) + 0.5) * 0x1p-52;
}

uint64_t grn_rng_below(grn_rng_t *r, uint64_t n)
{
    uint64_t limit = -n % n, x; /* 2^64 mod n: values below it would be over-represented */
    do x = grn_rng_u64(r);
    while (x < limit);
    return x % n;
}

double grn_rng_normal(grn_rng_t *r)
{
    double radius = sqrt(-2.0 * log(grn_rng_open(r)));
    return radius * cos(2.0 * 3.14159265358979323846 * grn_rng_unif(r));
}

double grn_rng_exp(grn_rng_t *r)
{
    return -log(grn_rng_open(r));
}

double grn_rng_gamma(grn_rng_t *r, double shape)
{
    if (shape < 1) return grn_rng_gamma(r, shape + 1) * pow(grn_rng_open(r), 1 / shape);
    double d = shape - 1.0 / 3, c = 1 / sqrt(9 * d);
    for (;;) {
        double x = grn_rng_normal(r), v = 1 + c * x;
        if (v <= 0) continue;
        v = v * v * v;
        double u = grn_rng_open(r);
        if (log(u) < 0.5 * x * x + d - d * v + d * log(v)) return d * v;
    }
}

static uint64_t poisson_inversion(grn_rng_t *r, double mean)
{
    double p = exp(-mean), cdf = p, u = grn_rng_unif(r);
    uint64_t k = 0;
    while (u > cdf && k < 1000) {
        k++;
        p *= mean / (double)k;
        cdf += p;
    }
    return k;
}

/* lgamma writes a global sign; lgamma_r does not (thread safe). */
static double log_gamma(double x)
{
    int sign;
    return lgamma_r(x, &sign);
}

uint64_t grn_rng_poisson(grn_rng_t *r, double mean)
{
    if (!(mean > 0)) return 0;
    if (mean < 10) return poisson_inversion(r, mean);
    double b = 0.931 + 2.53 * sqrt(mean), a = -0.059 + 0.02483 * b;
    double inv_alpha = 1.1239 + 1.1328 / (b - 3.4), vr = 0.9277 - 3.6224 / (b - 2);
    for (;;) {
        double u = grn_rng_unif(r) - 0.5, v = grn_rng_open(r), us = 0.5 - fabs(u);
        double k = floor((2 * a / us + b) * u + mean + 0.43);
        if (us >= 0.07 && v <= vr) return (uint64_t)k;
        if (k < 0 || (us < 0.013 && v > us)) continue;
        if (log(v) + log(inv_alpha) - log(a / (us * us) + b) <=
            k * log(mean) - mean - log_gamma(k + 1))
            return (uint64_t)k;
    }
}

uint64_t grn_rng_binomial(grn_rng_t *r, uint64_t n, double p)
{
    if (n == 0 || !(p > 0)) return 0;
    if (p >= 1) return n;
    if (p > 0.5) return n - grn_rng_binomial(r, n, 1 - p);
    uint64_t k = 0;
    double log_q = log1p(-p), pos = 0; /* geometric gaps between successes: O(n p) */
    for (;;) {
        pos += floor(log(grn_rng_open(r)) / log_q) + 1;
        if (pos > (double)n) return k;
        k++;
    }
}

uint64_t grn_rng_nbinom(grn_rng_t *r, double mean, double theta)
{
    return mean > 0 ? grn_rng_poisson(r, grn_rng_gamma(r, theta) * (mean / theta)) : 0;
}

void grn_rng_shuffle_u32(grn_rng_t *r, uint32_t *a, size_t n)
{
    for (size_t i = n; i > 1; i--) {
        size_t j = (size_t)grn_rng_below(r, i);
        uint32_t t = a[i - 1];
        a[i - 1] = a[j];
        a[j] = t;
    }
}

/* Keeps `out` sorted while inserting: m is small against n in every use; the shift is a memmove. */
void grn_rng_sample(grn_rng_t *r, uint64_t n, size_t m, uint64_t *out)
{
    size_t k = 0;
    for (uint64_t j = n - m; j < n; j++) {
        uint64_t t = grn_rng_below(r, j + 1);
        size_t lo = 0, hi = k;
        while (lo < hi) {
            size_t mid = (lo + hi) / 2;
            if (out[mid] < t) lo = mid + 1;
            else hi = mid;
        }
        if (lo < k && out[lo] == t) { /* taken: Floyd puts j instead, the largest so far */
            t = j;
            lo = k;
        }
        memmove(out + lo + 1, out + lo, (k - lo) * sizeof *out);
        out[lo] = t;
        k++;
    }
}
