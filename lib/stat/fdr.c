#include "stat/fdr.h"

#include <math.h>
#include <stdlib.h>

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
