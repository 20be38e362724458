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
    free(z->side);
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

/* Sets m more of the n bits, uniformly; returns the sum of their weights. */
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

/* The walk of grn_gsea_es without the places of the extremes. */
static double walk_bits(const double *w, size_t n, const uint64_t *bit, size_t h, double total)
{
    double hit = 1 / total, other = 1 / (double)(n - h), sum = 0, share = 0, high = -INFINITY, low = 0;
    size_t i = 0;
    for (size_t j = 0; j < (n + 63) / 64; j++)
        for (uint64_t x = bit[j]; x; x &= x - 1) {
            size_t at = j * 64 + (size_t)__builtin_ctzll(x);
            double fall = (double)(int64_t)(at - i++) * other, before = share - fall;
            sum += w[at];
            share = sum * hit;
            double after = share - fall;
            low = before < low ? before : low;
            high = after > high ? after : high;
        }
    return high > -low + SAME ? high : low;
}

static grn_status null_room(grn_gsea_null_t *z, size_t n, size_t n_h, size_t n_perm)
{
    grn_status rc = GRN_OK;
    GRN_TRY(GRN_GROW(z->es, z->es_cap, n_h * n_perm));
    GRN_TRY(GRN_GROW(z->side, z->side_cap, n_h));
    GRN_TRY(GRN_GROW(z->bit, z->bit_cap, (n + 63) / 64));
    z->n_h = n_h;
    z->n_perm = n_perm;
    for (size_t k = 0; k < n_h; k++) z->side[k] = (struct grn_gsea_side){ 0 };
end:
    return rc;
}

grn_status grn_gsea_null(grn_gsea_null_t *z, const double *w, size_t n, const uint32_t *h, size_t n_h, size_t n_perm, uint64_t seed,
                         uint64_t object)
{
    grn_status rc = GRN_OK;
    for (size_t k = 0; k < n_h; k++)
        if (h[k] <= (k ? h[k - 1] : 0) || h[k] >= n || n >= (size_t)1 << 31)
            GRN_FAIL(GRN_EINVAL, "%u hits among %zu genes: no null distribution", h[k], n);
    if (!n_perm) GRN_FAIL(GRN_EINVAL, "a null distribution needs permutations");
    GRN_TRY(null_room(z, n, n_h, n_perm));
    for (size_t i = 0; i < n_perm; i++) {
        grn_rng_t r;
        double total = 0;
        grn_rng_init2(&r, seed, "gsea.null", object, i);
        memset(z->bit, 0, (n + 63) / 64 * sizeof *z->bit);
        for (size_t k = 0; k < n_h; k++) {
            struct grn_gsea_side *s = &z->side[k];
            total += draw(&r, w, (uint32_t)n, h[k] - (k ? h[k - 1] : 0), z->bit);
            double es = z->es[k * n_perm + i] = walk_bits(w, n, z->bit, h[k], total);
            if (es >= 0) s->n_pos++, s->mean_pos += es;
            else s->n_neg++, s->mean_neg -= es;
        }
    }
    for (size_t k = 0; k < n_h; k++) {
        if (z->side[k].n_pos) z->side[k].mean_pos /= (double)z->side[k].n_pos;
        if (z->side[k].n_neg) z->side[k].mean_neg /= (double)z->side[k].n_neg;
    }
end:
    return rc;
}

void grn_gsea_test(const grn_gsea_null_t *z, size_t k, double es, double *nes, double *p)
{
    const struct grn_gsea_side *s = &z->side[k];
    const double *null = z->es + k * z->n_perm;
    size_t far = 0, n = es >= 0 ? s->n_pos : s->n_neg;
    double mean = es >= 0 ? s->mean_pos : s->mean_neg;
    for (size_t i = 0; i < z->n_perm; i++) far += es >= 0 ? null[i] >= fmax(es - SAME, 0) : null[i] < 0 && null[i] <= es + SAME;
    *nes = mean > 0 ? es / mean : NAN;
    *p = (double)(far + 1) / (double)(n + 1);
}
