#include "ranking.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"

#define SMALL 48

void grn_ranking_clear(grn_ranking_t *w)
{
    free(w->key);
    free(w->tmp);
    memset(w, 0, sizeof *w);
}

void grn_ranking_hashes(const grn_names_t *names, uint64_t *hash)
{
    for (size_t i = 0; i < names->n; i++) hash[i] = grn_hash_str(grn_names_get(names, i));
}

static grn_status room(grn_ranking_t *w, size_t n)
{
    grn_status rc = GRN_OK;
    if (n <= w->cap) return GRN_OK;
    grn_ranking_clear(w);
    GRN_TRY(GRN_NEW_RAW(w->key, n));
    GRN_TRY(GRN_NEW_RAW(w->tmp, n));
    w->cap = n;
end:
    return rc;
}

static void radix_pass(const uint64_t *from, uint64_t *to, size_t n, unsigned shift)
{
    size_t at[2049] = { 0 };
    for (size_t i = 0; i < n; i++) at[(from[i] >> shift & 2047) + 1]++;
    for (size_t k = 1; k < 2048; k++) at[k] += at[k - 1];
    for (size_t i = 0; i < n; i++) to[at[from[i] >> shift & 2047]++] = from[i];
}

/* Sorts by the upper 32 bits. */
static void sort_upper(uint64_t *a, uint64_t *tmp, size_t n)
{
    if (n <= SMALL) {
        for (size_t i = 1; i < n; i++) {
            uint64_t x = a[i];
            size_t k = i;
            for (; k && a[k - 1] >> 32 > x >> 32; k--) a[k] = a[k - 1];
            a[k] = x;
        }
        return;
    }
    radix_pass(a, tmp, n, 32);
    radix_pass(tmp, a, n, 43);
    radix_pass(a, tmp, n, 54);
    memcpy(a, tmp, n * sizeof *a);
}

/* Greatest first. */
static uint32_t falling(float x)
{
    uint32_t u;
    if (x == 0) x = 0; /* -0 */
    memcpy(&u, &x, sizeof u);
    return u >> 31 ? u : ~(u | 0x80000000u);
}

static uint64_t tie_key(uint64_t hash, uint64_t motif)
{
    uint64_t x = hash ^ motif; /* the finaliser of splitmix64 */
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

/* Equal scores in the order of their tie keys. */
static void order_ties(uint64_t *a, uint64_t *tmp, size_t n, const uint64_t *hash, uint64_t motif)
{
    if (n == 1) return;
    for (size_t i = 0; i < n; i++) a[i] = (tie_key(hash[(uint32_t)a[i]], motif) & 0xffffffff00000000u) | (uint32_t)a[i];
    sort_upper(a, tmp, n);
    for (size_t i = 1; i < n; i++) { /* keys alike in 32 bits are rare */
        uint64_t x = a[i], key = tie_key(hash[(uint32_t)x], motif);
        size_t k = i;
        for (; k && a[k - 1] >> 32 == x >> 32 && tie_key(hash[(uint32_t)a[k - 1]], motif) > key; k--) a[k] = a[k - 1];
        a[k] = x;
    }
}

grn_status grn_ranking_of(grn_ranking_t *w, const float *score, const uint64_t *hash, size_t n, uint64_t seed, uint64_t motif,
                          uint32_t *rank)
{
    if (n > UINT32_MAX) return grn_err(GRN_EINVAL, "more than 4,294,967,295 regions");
    grn_status rc = room(w, n);
    if (rc) return rc;
    motif = grn_rng_key(seed, "ranking.ties", motif, 0);
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(score[i])) return grn_err(GRN_ENONFINITE, "a score is not a finite number");
        w->key[i] = (uint64_t)falling(score[i]) << 32 | i;
    }
    sort_upper(w->key, w->tmp, n);
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && w->key[end] >> 32 == w->key[i] >> 32; end++) {}
        order_ties(w->key + i, w->tmp, end - i, hash, motif);
    }
    for (size_t i = 0; i < n; i++) rank[(uint32_t)w->key[i]] = (uint32_t)i;
    return GRN_OK;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* f[j]: probability that j of n points lie at or below r_k, at least i of them below each r_i, i <= k. All terms are positive. */
double grn_ranking_q(double *r, size_t n)
{
    enum { MAX = 512 };
    double f[MAX + 1] = { 1 }, next[MAX + 1], last = 0;
    if (n > MAX) return NAN;
    qsort(r, n, sizeof *r, ascending);
    for (size_t k = 0; k < n; k++) {
        double d = r[k] - last;
        memset(next, 0, sizeof next);
        for (size_t j = k; j <= n; j++) {
            double term = f[j]; /* f[j] C(n - j, m) d^m */
            for (size_t m = 0; j + m <= n; m++) {
                if (j + m > k) next[j + m] += term;
                term *= d * (double)(n - j - m) / (double)(m + 1);
            }
        }
        memcpy(f, next, sizeof f);
        last = r[k];
    }
    return f[n];
}
