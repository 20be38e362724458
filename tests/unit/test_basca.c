/* BASC A against hand values and against the definition, taken literally. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/rng.h"
#include "stat/basca.h"

static double spread(const double *x, size_t a, size_t e)
{
    double mean = 0, q = 0;
    for (size_t k = a; k <= e; k++) mean += x[k];
    mean /= (double)(e + 1 - a);
    for (size_t k = a; k <= e; k++) q += (x[k] - mean) * (x[k] - mean);
    return q;
}

static double mean_of(const double *x, size_t a, size_t e)
{
    double sum = 0;
    for (size_t k = a; k <= e; k++) sum += x[k];
    return sum / (double)(e + 1 - a);
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* O(n^4): every cost from scratch, every first step tried. */
static double literal(const double *x, size_t n)
{
    enum { MAX = 32 };
    static double c[MAX][MAX];
    static size_t d[MAX][MAX];
    double v[MAX];
    for (size_t i = 0; i < n; i++) c[0][i] = spread(x, i, n - 1);
    for (size_t j = 1; j <= n - 2; j++) {
        for (size_t i = 0; i <= n - 1 - j; i++) {
            c[j][i] = INFINITY;
            for (size_t k = i; k <= n - 1 - j; k++)
                if (spread(x, i, k) + c[j - 1][k + 1] < c[j][i]) c[j][i] = spread(x, i, k) + c[j - 1][k + 1], d[j][i] = k;
        }
        size_t p[MAX], at = 0;
        double most = -1;
        for (size_t k = 0; k < j; k++) p[k] = d[j - k][at], at = p[k] + 1;
        for (size_t k = 0; k < j; k++) {
            double z = (x[p[k]] + x[p[k] + 1]) / 2, error = 0;
            double height = mean_of(x, p[k] + 1, k + 1 < j ? p[k + 1] : n - 1) - mean_of(x, k ? p[k - 1] + 1 : 0, p[k]);
            for (size_t i = 0; i < n; i++) error += (x[i] - z) * (x[i] - z);
            if (height / error > most) most = height / error, v[j - 1] = (double)p[k];
        }
    }
    qsort(v, n - 2, sizeof *v, ascending);
    size_t m = n - 2, at = (size_t)floor(m & 1 ? v[m / 2] : (v[m / 2 - 1] + v[m / 2]) / 2);
    return (x[at] + x[at + 1]) / 2;
}

static void by_hand(void **state)
{
    (void)state;
    grn_basca_t b = { 0 };
    double t;
    /* n = 3: one step function. {1} {2, 9}: 24.5; {1, 2} {9}: 0.5 -> the step is behind 2 */
    assert_int_equal(grn_basca(&b, (double[]){ 1, 2, 9 }, 3, &t), GRN_OK);
    assert_true(t == 5.5);
    /* zeros and two values: steps behind the zeros, or behind 1. j = 1: {0 0 0 1} {4}: 0.75; {0 0 0} {1 4}: 4.5. j = 2: no cost,
     * heights 1 and 3; errors about 0.5: 0.75 + 0.25 + 12.25, about 2.5: 18.75 + 2.25 + 2.25; 1 / 13.25 < 3 / 23.25. j = 3 alike */
    assert_int_equal(grn_basca(&b, (double[]){ 0, 0, 0, 1, 4 }, 5, &t), GRN_OK);
    assert_true(t == 2.5);
    assert_int_equal(grn_basca(&b, (double[]){ 1, 2 }, 2, &t), GRN_OK);
    assert_true(t == 0);
    assert_int_equal(grn_basca(&b, (double[]){ 3, 3, 3, 3 }, 4, &t), GRN_OK);
    assert_true(t == 0);
    grn_basca_clear(&b);
}

static void as_the_definition(void **state)
{
    (void)state;
    grn_basca_t b = { 0 };
    grn_rng_t r;
    double x[32], t;
    grn_rng_init(&r, 5, "test.basca", 0);
    for (int turn = 0; turn < 1500; turn++) {
        size_t n = 3 + grn_rng_below(&r, 30);
        for (size_t i = 0; i < n; i++) {
            x[i] = turn % 3 == 0   ? grn_rng_unif(&r)
                   : turn % 3 == 1 ? exp(2 * grn_rng_normal(&r))
                                   : grn_rng_exp(&r) * (double)grn_rng_below(&r, 2); /* zeros among them */
        }
        qsort(x, n, sizeof *x, ascending);
        if (x[0] == x[n - 1]) continue;
        assert_int_equal(grn_basca(&b, x, n, &t), GRN_OK);
        double want = literal(x, n);
        if (fabs(t - want) > 1e-12 * fabs(want)) fail_msg("turn %d, n %zu: %.17g, want %.17g", turn, n, t, want);
    }
    grn_basca_clear(&b);
}

/* Scale and place do not matter; a thousand values take moments. */
static void many_values(void **state)
{
    (void)state;
    enum { N = 1000 };
    static double x[N], y[N];
    grn_basca_t b = { 0 };
    grn_rng_t r;
    double t, u;
    grn_rng_init(&r, 6, "test.basca", 0);
    for (size_t i = 0; i < N; i++) x[i] = i < 900 ? grn_rng_unif(&r) : 10 + grn_rng_unif(&r);
    qsort(x, N, sizeof *x, ascending);
    for (size_t i = 0; i < N; i++) y[i] = x[i] * 1024 - 8;
    assert_int_equal(grn_basca(&b, x, N, &t), GRN_OK);
    assert_int_equal(grn_basca(&b, y, N, &u), GRN_OK);
    assert_true(t > 1 && t < 10); /* the gap */
    assert_true(fabs(u - (t * 1024 - 8)) < 1e-6);
    grn_basca_clear(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(by_hand), cmocka_unit_test(as_the_definition), cmocka_unit_test(many_values) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
