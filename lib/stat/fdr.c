#include "stat/fdr.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

typedef struct {
    double p;
    size_t i;
} test_t;

static int compare_tests(const void *a, const void *b)
{
    const test_t *x = a, *y = b;
    if (x->p != y->p) return x->p < y->p ? -1 : 1;
    return (x->i > y->i) - (x->i < y->i);
}

/* m < 0: the number of tests that are not NaN. */
static grn_status adjust(const double *p, size_t n, double m, double *q, size_t *n_nan)
{
    grn_status rc = GRN_OK;
    test_t *t = NULL;
    size_t k = 0;
    for (size_t i = 0; i < n; i++) {
        if (p[i] < 0 || p[i] > 1)
            GRN_FAIL(GRN_EINVAL, "p value %zu of %zu is %g, not in [0, 1]", i + 1, n, p[i]);
        k += !isnan(p[i]);
    }
    if (n_nan) *n_nan = n - k;
    if (m < 0) m = (double)k;
    if (m < (double)k) GRN_FAIL(GRN_EINVAL, "%zu p values of %g tests", k, m);
    GRN_TRY(GRN_NEW_RAW(t, n));
    k = 0;
    for (size_t i = 0; i < n; i++) {
        if (!isnan(p[i])) t[k++] = (test_t){ p[i], i };
    }
    if (k) qsort(t, k, sizeof *t, compare_tests);
    for (size_t i = 0; i < n; i++) q[i] = NAN;
    double least = 1;
    for (; k > 0; k--) {
        double adjusted = t[k - 1].p * m / (double)k;
        if (adjusted < least) least = adjusted;
        q[t[k - 1].i] = least;
    }
end:
    free(t);
    return rc;
}

grn_status grn_fdr_bh(const double *p, size_t n, double *q, size_t *n_nan)
{
    return adjust(p, n, -1, q, n_nan);
}

grn_status grn_fdr_bh_some(const double *p, size_t n, double m, double *q)
{
    return adjust(p, n, m < 0 ? 0 : m, q, NULL);
}

static int falling(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x < y) - (x > y);
}

/* The last place in v, falling, of a value of at least x; v has one. */
static size_t last_place(const float *v, size_t n, float x)
{
    size_t lo = 0, hi = n;
    while (lo + 1 < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (v[mid] >= x) lo = mid;
        else hi = mid;
    }
    return lo;
}

grn_status grn_fdr_null(const float *x, size_t n, float *null, size_t n_null, size_t runs, float *q)
{
    grn_status rc = GRN_OK;
    float *v = NULL, *at = NULL;
    size_t k = 0;
    GRN_TRY(GRN_NEW_RAW(v, n));
    GRN_TRY(GRN_NEW_RAW(at, n));
    if (n) memcpy(v, x, n * sizeof *v);
    if (n) qsort(v, n, sizeof *v, falling);
    if (n_null) qsort(null, n_null, sizeof *null, falling);
    for (size_t i = 0; i < n; i++) {
        while (k < n_null && null[k] >= v[i]) k++;
        at[i] = v[i] > 0 ? (float)fmin(1, (double)k / (double)runs / (double)(i + 1)) : 1;
    }
    for (size_t i = n; i-- > 1;)
        if (at[i] < at[i - 1]) at[i - 1] = at[i];
    for (size_t i = 0; i < n; i++) q[i] = at[last_place(v, n, x[i])];
end:
    free(v);
    free(at);
    return rc;
}

static double count(const uint64_t *bins, size_t n)
{
    double sum = 0;
    for (size_t b = 0; b < n; b++) sum += (double)bins[b];
    return sum;
}

void grn_fdr_binned(const uint64_t *bins, const uint64_t *null, size_t n_bins, double *q)
{
    double all = count(bins, n_bins), all_null = count(null, n_bins), above = all, above_null = all_null, least = 1;
    for (size_t b = 0; b < n_bins; b++) {
        if (above > 0 && all_null > 0) least = fmin(least, fmin(1, (above_null + 1) / all_null) / (above / all));
        q[b] = least;
        above -= (double)bins[b];
        above_null -= (double)null[b];
    }
}
