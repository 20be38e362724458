/* Counter-based random numbers: Philox4x32-10 (Salmon 2011; Random123) keyed by (seed, stage,
 * object), counter = draw.
 *
 * The stream of an object (a cell, a gene, a tree) is a function of its *name*, never of its
 * position, the thread or the order of work: `grn_rng_init(&r, seed, "aucell.ties",
 * grn_hash_str(barcode))`. A grn_rng_t is a small value; copy it freely; each thread has its own.
 * Results are the same on every machine (distributions use only + - * / sqrt log exp of libm,
 * rounded to the result). */
#ifndef GRN_BASE_RNG_H
#define GRN_BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint32_t key[2];
    uint32_t ctr[4]; /* ctr[0..1]: draw counter; ctr[2..3]: object */
    uint32_t out[4];
    int left; /* unused words in out */
} grn_rng_t;

/* Stream of (seed, stage, object). `stage` is a literal naming the purpose, e.g. "sim.counts". */
void grn_rng_init(grn_rng_t *r, uint64_t seed, const char *stage, uint64_t object);
/* The same with one more key (epoch, step, graph ...), mixed into the object. */
void grn_rng_init2(grn_rng_t *r, uint64_t seed, const char *stage, uint64_t object, uint64_t sub);
/* One 64-bit number for (seed, stage, a, b) without a stream: tie keys. */
uint64_t grn_rng_key(uint64_t seed, const char *stage, uint64_t a, uint64_t b);

/* The finaliser of splitmix64 (Steele et al. 2014): cheap keys from one of the above and the hash of a name. */
static inline uint64_t grn_rng_mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

uint32_t grn_rng_u32(grn_rng_t *r);
uint64_t grn_rng_u64(grn_rng_t *r);
double grn_rng_unif(grn_rng_t *r);                /* [0, 1), 53 bits */
double grn_rng_open(grn_rng_t *r);                /* (0, 1) */
uint64_t grn_rng_below(grn_rng_t *r, uint64_t n); /* uniform on 0..n-1, unbiased; n >= 1 */
double grn_rng_normal(grn_rng_t *r); /* mean 0, sd 1 (Box-Muller, one value per call) */
double grn_rng_exp(grn_rng_t *r);    /* rate 1 */
double grn_rng_gamma(grn_rng_t *r, double shape); /* scale 1 (Marsaglia & Tsang 2000); shape > 0 */
uint64_t grn_rng_poisson(grn_rng_t *r,
                         double mean); /* inversion below 10, PTRS (Hoermann 1993) above */
uint64_t grn_rng_binomial(grn_rng_t *r, uint64_t n, double p);
/* Negative binomial by mean and dispersion theta (variance mean + mean^2/theta), as a gamma-Poisson
 * mixture. */
uint64_t grn_rng_nbinom(grn_rng_t *r, double mean, double theta);
void grn_rng_shuffle_u32(grn_rng_t *r, uint32_t *a, size_t n); /* Fisher-Yates */
/* m distinct numbers of 0..n-1 in ascending order into out (m <= n), by Floyd's method; O(m log m).
 */
void grn_rng_sample(grn_rng_t *r, uint64_t n, size_t m, uint64_t *out);

#endif
