#include "stat/basca.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void grn_basca_clear(grn_basca_t *b)
{
    free(b->cost);
    free(b->next);
    free(b->s1);
    free(b->s2);
    free(b->split);
    free(b->step);
    free(b->at);
    *b = (grn_basca_t){ 0 };
}

static grn_status room(grn_basca_t *b, size_t n)
{
    grn_status rc = GRN_OK;
    size_t cap = b->cap;
    GRN_TRY(GRN_GROW(b->split, b->split_cap, n * n));
    if (n + 2 <= cap) goto end;
    free(b->cost);
    free(b->next);
    free(b->s1);
    free(b->s2);
    free(b->step);
    free(b->at);
    b->cost = b->next = b->s1 = b->s2 = NULL;
    b->step = b->at = NULL;
    b->cap = 0;
    cap = 2 * n + 2;
    GRN_TRY(GRN_NEW_RAW(b->cost, cap));
    GRN_TRY(GRN_NEW_RAW(b->next, cap));
    GRN_TRY(GRN_NEW_RAW(b->s1, cap));
    GRN_TRY(GRN_NEW_RAW(b->s2, cap));
    GRN_TRY(GRN_NEW_RAW(b->step, cap));
    GRN_TRY(GRN_NEW_RAW(b->at, cap));
    b->cap = cap;
end:
    return rc;
}

/* Sums of the centred, scaled values: threshold places do not depend on either. */
static void sums(grn_basca_t *b, const double *x, size_t n)
{
    double mean = 0, scale = 1 / (x[n - 1] - x[0]);
    for (size_t i = 0; i < n; i++) mean += (x[i] - x[0]) * scale / (double)n;
    b->s1[0] = b->s2[0] = 0;
    for (size_t i = 0; i < n; i++) {
        double y = (x[i] - x[0]) * scale - mean;
        b->s1[i + 1] = b->s1[i] + y;
        b->s2[i + 1] = b->s2[i] + y * y;
    }
}

/* Squared deviations of x[a..e] from their mean; equal values have none. */
static inline double spread(const grn_basca_t *b, const double *x, size_t a, size_t e)
{
    if (x[a] == x[e]) return 0;
    double s = b->s1[e + 1] - b->s1[a], q = b->s2[e + 1] - b->s2[a] - s * s / (double)(e + 1 - a);
    return q > 0 ? q : 0;
}

static double mean_of(const grn_basca_t *b, size_t a, size_t e)
{
    return (b->s1[e + 1] - b->s1[a]) / (double)(e + 1 - a);
}

/* next[i], split[i] for i in [lo, hi]: the best first step d of those in [from, to]. */
static void best_splits(grn_basca_t *b, const double *x, uint32_t *split, size_t lo, size_t hi, size_t from, size_t to)
{
    for (;;) { /* the right half is done in the loop */
        size_t i = lo + (hi - lo) / 2, best = i > from ? i : from;
        double least = INFINITY;
        for (size_t d = best; d <= to; d++) {
            double c = spread(b, x, i, d) + b->cost[d + 1];
            if (c < least) least = c, best = d;
        }
        b->next[i] = least;
        split[i] = (uint32_t)best;
        if (i > lo) best_splits(b, x, split, lo, i - 1, from, best);
        if (i == hi) return;
        lo = i + 1;
        from = best;
    }
}

/* The strongest of the j steps step[0..j). */
static uint32_t strongest(const grn_basca_t *b, size_t n, size_t j)
{
    double most = -1;
    uint32_t at = b->step[0];
    for (size_t k = 0; k < j; k++) {
        size_t p = b->step[k], a = k ? b->step[k - 1] + 1 : 0, e = k + 1 < j ? b->step[k + 1] : n - 1;
        double y0 = b->s1[p + 1] - b->s1[p], y1 = b->s1[p + 2] - b->s1[p + 1], z = (y0 + y1) / 2;
        double height = mean_of(b, p + 1, e) - mean_of(b, a, p), error = b->s2[n] - 2 * z * b->s1[n] + (double)n * z * z;
        if (height / error > most) most = height / error, at = (uint32_t)p;
    }
    return at;
}

static int ascending(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

grn_status grn_basca(grn_basca_t *b, const double *x, size_t n, double *threshold)
{
    grn_status rc = GRN_OK;
    *threshold = 0;
    if (n < 3 || x[0] == x[n - 1]) goto end;
    if (n > UINT32_MAX) GRN_FAIL(GRN_EINVAL, "more than 4,294,967,295 values");
    GRN_TRY(room(b, n));
    sums(b, x, n);
    for (size_t i = 0; i < n; i++) b->cost[i] = spread(b, x, i, n - 1);
    for (size_t j = 1; j <= n - 2; j++) { /* cost[i]: of j - 1 steps behind i */
        uint32_t *split = b->split + j * n;
        best_splits(b, x, split, 0, n - 1 - j, 0, n - 1 - j);
        memcpy(b->cost, b->next, (n - j) * sizeof *b->cost);
        for (size_t k = 0, i = 0; k < j; k++) {
            b->step[k] = b->split[(j - k) * n + i];
            i = b->step[k] + 1;
        }
        b->at[j - 1] = strongest(b, n, j);
    }
    qsort(b->at, n - 2, sizeof *b->at, ascending);
    size_t m = n - 2, v = m & 1 ? b->at[m / 2] : ((size_t)b->at[m / 2 - 1] + b->at[m / 2]) / 2;
    *threshold = x[v] + (x[v + 1] - x[v]) / 2;
end:
    return rc;
}
