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

grn_status grn_fdr_bh(const double *p, size_t n, double *q, size_t *n_nan)
{
    grn_status rc = GRN_OK;
    test_t *t = NULL;
    size_t m = 0;
    for (size_t i = 0; i < n; i++) {
        if (p[i] < 0 || p[i] > 1) GRN_FAIL(GRN_EINVAL, "p value %zu of %zu is %g, not in [0, 1]", i + 1, n, p[i]);
    }
    GRN_TRY(GRN_NEW_RAW(t, n));
    for (size_t i = 0; i < n; i++) {
        if (!isnan(p[i])) t[m++] = (test_t){ p[i], i };
    }
    if (n_nan) *n_nan = n - m;
    qsort(t, m, sizeof *t, compare_tests);
    for (size_t i = 0; i < n; i++) q[i] = NAN;
    double least = 1;
    for (size_t k = m; k-- > 0;) {
        double adjusted = t[k].p * (double)m / (double)(k + 1);
        if (adjusted < least) least = adjusted;
        q[t[k].i] = least;
    }
end:
    free(t);
    return rc;
}
