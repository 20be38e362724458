#include "stat/rank.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define RADIX_MIN 256 /* below this qsort is faster */

void grn_rank_clear(grn_rank_t *w)
{
    free(w->key);
    free(w->tmp);
    *w = (grn_rank_t){ 0 };
}

/* Order-preserving map of a finite float to an unsigned integer; -0 becomes 0. */
static uint32_t float_key(float x)
{
    uint32_t u;
    if (x == 0) x = 0;
    memcpy(&u, &x, sizeof u);
    return u & 0x80000000u ? ~u : u | 0x80000000u;
}
#define ZERO_KEY 0x80000000u

static int compare_keys(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Least-significant-digit radix sort by the upper 32 bits, 11 bits at a time; stable. A digit all
 * values share is skipped. */
static void radix_sort(uint64_t *key, uint64_t *tmp, size_t n)
{
    uint64_t *from = key, *to = tmp;
    for (int shift = 32; shift < 64; shift += 11) {
        size_t at[2048] = { 0 }, sum = 0;
        for (size_t i = 0; i < n; i++) at[(from[i] >> shift) & 2047]++;
        if (at[(from[0] >> shift) & 2047] == n) continue;
        for (int b = 0; b < 2048; b++) {
            size_t c = at[b];
            at[b] = sum;
            sum += c;
        }
        for (size_t i = 0; i < n; i++) to[at[(from[i] >> shift) & 2047]++] = from[i];
        uint64_t *t = from;
        from = to;
        to = t;
    }
    if (from != key) memcpy(key, from, n * sizeof *key);
}

static grn_status sort_values(grn_rank_t *w, const float *x, size_t n)
{
    grn_status rc = GRN_OK;
    if (n > UINT32_MAX) GRN_FAIL(GRN_EINVAL, "cannot rank %zu values: more than 2^32 - 1", n);
    GRN_TRY(GRN_GROW(w->key, w->cap, n + 1));
    GRN_TRY(GRN_GROW(w->tmp, w->tmp_cap, n + 1));
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(x[i]))
            GRN_FAIL(GRN_ENONFINITE, "value %zu of %zu is not finite and has no rank", i + 1, n);
        w->key[i] = (uint64_t)float_key(x[i]) << 32 | i;
    }
    if (n < RADIX_MIN) {
        qsort(w->key, n, sizeof *w->key, compare_keys);
    } else {
        radix_sort(w->key, w->tmp, n);
    }
end:
    return rc;
}

grn_status grn_rank_avg_sparse(grn_rank_t *w, const float *val, size_t n_nz, size_t n, double *rank,
                               double *zero_rank, double *ties)
{
    grn_status rc = GRN_OK;
    double tie_sum = 0, place = 0; /* place: values already ranked */
    if (n_nz > n) GRN_FAIL(GRN_EINVAL, "%zu stored values in a column of %zu", n_nz, n);
    GRN_TRY(sort_values(w, val, n_nz));
    double implicit = (double)(n - n_nz);
    int zero_done = 0;
    for (size_t i = 0; i <= n_nz;) {
        uint32_t k = i < n_nz ? (uint32_t)(w->key[i] >> 32) : UINT32_MAX;
        if (!zero_done && k >= ZERO_KEY) { /* the zeros come here: the stored ones and the implicit
                                              ones are one group */
            size_t j = i;
            while (j < n_nz && w->key[j] >> 32 == ZERO_KEY) j++;
            double t = implicit + (double)(j - i);
            *zero_rank = place + (t + 1) / 2;
            while (i < j) rank[(uint32_t)w->key[i++]] = *zero_rank;
            tie_sum += t * t * t - t;
            place += t;
            zero_done = 1;
            continue;
        }
        if (i == n_nz) break;
        size_t j = i + 1;
        while (j < n_nz && w->key[j] >> 32 == k) j++;
        double t = (double)(j - i), r = place + (t + 1) / 2;
        while (i < j) rank[(uint32_t)w->key[i++]] = r;
        tie_sum += t * t * t - t;
        place += t;
    }
    if (ties) *ties = tie_sum;
end:
    return rc;
}

grn_status grn_rank_avg(grn_rank_t *w, const float *x, size_t n, double *rank, double *ties)
{
    double zero_rank;
    return grn_rank_avg_sparse(w, x, n, n, rank, &zero_rank, ties);
}
