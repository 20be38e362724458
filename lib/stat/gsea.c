#include "stat/gsea.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define SAME 1e-12 /* RS is a sum of up to h rounded terms: values this close are equal */

typedef struct { /* RS while walking over the hits */
    double hit, other;       /* steps per unit of weight and per other gene */
    double share, high, low; /* weight of the hits so far; extremes */
    size_t i, at_high, at_low;
} walk_t;

static walk_t walk_start(double total, size_t n, size_t h)
{
    return (walk_t){ .hit = 1 / total, .other = 1 / (double)(n - h), .high = -INFINITY, .at_low = n }; /* RS(N) = 0 */
}

static inline void walk_hit(walk_t *k, double w, size_t place)
{
    double fall = (double)(place - k->i) * k->other, before = k->share - fall;
    k->share += w * k->hit;
    double after = k->share - fall;
    k->i++;
    if (before < k->low - SAME) k->low = before, k->at_low = place;
    if (after > k->high + SAME) k->high = after, k->at_high = place;
}

static double walk_end(const walk_t *k, uint32_t *peak)
{
    int positive = k->high > -k->low + SAME;
    if (peak) *peak = (uint32_t)(positive ? k->at_high : k->at_low);
    return positive ? k->high : k->low;
}

double grn_gsea_es(const double *w, size_t n, const uint32_t *hit, size_t h, uint32_t *peak)
{
    double total = 0;
    *peak = 0;
    if (!h || h >= n) return NAN;
    for (size_t i = 0; i < h; i++) total += w[hit[i]];
    walk_t k = walk_start(total, n, h);
    for (size_t i = 0; i < h; i++) walk_hit(&k, w[hit[i]], hit[i]);
    return walk_end(&k, peak);
}

/* ---- the null ---- */

void grn_gsea_null_clear(grn_gsea_null_t *z)
{
    free(z->es);
    free(z->bit);
    *z = (grn_gsea_null_t){ 0 };
}

static inline uint32_t below(grn_rng_t *r, uint32_t n) /* Lemire 2019 */
{
    uint64_t m = (uint64_t)grn_rng_u32(r) * n;
    if ((uint32_t)m < n)
        for (uint32_t least = -n % n; (uint32_t)m < least;) m = (uint64_t)grn_rng_u32(r) * n;
    return (uint32_t)(m >> 32);
}

/* Sets m of the n bits, uniformly; returns the sum of their weights. */
static double draw(grn_rng_t *r, const double *w, uint32_t n, size_t m, uint64_t *bit)
{
    double total = 0;
    while (m) {
        uint32_t at = below(r, n);
        uint64_t one = (uint64_t)1 << (at & 63);
        if (bit[at >> 6] & one) continue;
        bit[at >> 6] |= one;
        total += w[at];
        m--;
    }
    return total;
}

static double walk_bits(const double *w, size_t n, const uint64_t *bit, size_t h, double total)
{
    walk_t k = walk_start(total, n, h);
    for (size_t j = 0; j < (n + 63) / 64; j++)
        for (uint64_t x = bit[j]; x; x &= x - 1) {
            size_t at = j * 64 + (size_t)__builtin_ctzll(x);
            walk_hit(&k, w[at], at);
        }
    return walk_end(&k, NULL);
}

/* The places that are no hits are drawn when they are fewer. */
static double draw_one(grn_gsea_null_t *z, const double *w, double all, size_t n, size_t h, grn_rng_t *r)
{
    size_t words = (n + 63) / 64;
    memset(z->bit, 0, words * sizeof *z->bit);
    if (h <= n / 2) return walk_bits(w, n, z->bit, h, draw(r, w, (uint32_t)n, h, z->bit));
    double total = all - draw(r, w, (uint32_t)n, n - h, z->bit);
    for (size_t j = 0; j < words; j++) z->bit[j] = ~z->bit[j];
    if (n & 63) z->bit[words - 1] &= ((uint64_t)1 << (n & 63)) - 1;
    return walk_bits(w, n, z->bit, h, total);
}

grn_status grn_gsea_null(grn_gsea_null_t *z, const double *w, size_t n, size_t h, size_t n_perm, grn_rng_t r)
{
    grn_status rc = GRN_OK;
    double all = 0;
    if (!h || h >= n || n >= (size_t)1 << 31 || !n_perm)
        GRN_FAIL(GRN_EINVAL, "%zu hits among %zu genes, %zu permutations: no null distribution", h, n, n_perm);
    GRN_TRY(GRN_GROW(z->es, z->es_cap, n_perm));
    GRN_TRY(GRN_GROW(z->bit, z->bit_cap, (n + 63) / 64));
    for (size_t i = 0; i < n; i++) all += w[i];
    z->n = n_perm;
    z->n_pos = z->n_neg = 0;
    z->mean_pos = z->mean_neg = 0;
    for (size_t i = 0; i < n_perm; i++) {
        double es = z->es[i] = draw_one(z, w, all, n, h, &r);
        if (es >= 0) z->n_pos++, z->mean_pos += es;
        else z->n_neg++, z->mean_neg -= es;
    }
    if (z->n_pos) z->mean_pos /= (double)z->n_pos;
    if (z->n_neg) z->mean_neg /= (double)z->n_neg;
end:
    return rc;
}

void grn_gsea_test(const grn_gsea_null_t *z, double es, double *nes, double *p)
{
    size_t far = 0, n = es >= 0 ? z->n_pos : z->n_neg;
    double mean = es >= 0 ? z->mean_pos : z->mean_neg;
    for (size_t i = 0; i < z->n; i++) far += es >= 0 ? z->es[i] >= fmax(es - SAME, 0) : z->es[i] < 0 && z->es[i] <= es + SAME;
    *nes = mean > 0 ? es / mean : NAN;
    *p = (double)(far + 1) / (double)(n + 1);
}
