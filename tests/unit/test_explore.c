/* stat: the candidates of AUCell_exploreThresholds */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <gsl/gsl_cdf.h>

#include "base/rng.h"
#include "stat/explore.h"

enum { N = 2000 };
static double x[N];

static int by_value(const void *a, const void *b)
{
    double p = *(const double *)a, q = *(const double *)b;
    return (p > q) - (p < q);
}

static grn_explore_t explore(void)
{
    grn_mix2_t two;
    grn_explore_t f;
    qsort(x, N, sizeof *x, by_value);
    assert_int_equal(grn_mix2_fit(x, N, &two), GRN_OK);
    assert_int_equal(grn_explore(x, N, &two, &f), GRN_OK);
    return f;
}

static int counts(const grn_explore_t *f, grn_explore_kind k)
{
    return f->counts >> k & 1;
}

static void test_kolmogorov(void **state)
{
    (void)state; /* published points of the limit: 10, 5 and 1 % */
    assert_true(fabs(grn_kolmogorov_tail(1.22385) - 0.10) < 1e-5 && fabs(grn_kolmogorov_tail(1.35810) - 0.05) < 1e-5);
    assert_true(fabs(grn_kolmogorov_tail(1.62762) - 0.01) < 1e-5 && grn_kolmogorov_tail(0) == 1 && grn_kolmogorov_tail(9) < 1e-60);
}

/* The quantiles of a normal: mean 1, sd 0.1 (of the sample: a little less). */
static void test_normal(void **state)
{
    (void)state;
    for (int i = 0; i < N; i++) x[i] = 1 + 0.1 * gsl_cdf_ugaussian_Pinv((i + 0.5) / N);
    grn_explore_t f = explore();
    assert_true(counts(&f, GRN_EXPLORE_OUTLIER) && counts(&f, GRN_EXPLORE_GLOBAL) && !counts(&f, GRN_EXPLORE_DENSITY));
    assert_true(!counts(&f, GRN_EXPLORE_TENTH) && isnan(f.at[GRN_EXPLORE_DENSITY]));
    assert_true(fabs(f.at[GRN_EXPLORE_OUTLIER] - (1 + 0.1 * gsl_cdf_ugaussian_Qinv(0.01 / N))) < 2e-3);
    assert_true(fabs(f.at[GRN_EXPLORE_GLOBAL] - (1 + 0.1 * gsl_cdf_ugaussian_Qinv(0.25 + 0.01 / N))) < 1e-3);
    assert_true(fabs(f.at[GRN_EXPLORE_TENTH] - 0.1 * x[N - 1]) < 1e-15);
    assert_true(f.won == GRN_EXPLORE_OUTLIER);
}

/* Three narrow populations: the valley after the highest peak wins; R_k3 is the lower 1 % point of the third. */
static void test_populations(void **state)
{
    (void)state;
    grn_rng_t r;
    grn_rng_init(&r, 6, "test.explore", 0);
    for (int i = 0; i < N; i++) x[i] = (i < 1200 ? 1 : i < 1700 ? 5 : 9) + 0.2 * grn_rng_normal(&r);
    grn_explore_t f = explore();
    assert_true(f.won == GRN_EXPLORE_DENSITY && f.at[GRN_EXPLORE_DENSITY] > 1.5 && f.at[GRN_EXPLORE_DENSITY] < 4.5);
    assert_true(fabs(f.at[GRN_EXPLORE_RIGHT] - (9 - 2.326 * 0.2)) < 0.1 && counts(&f, GRN_EXPLORE_RIGHT));
    assert_true(!counts(&f, GRN_EXPLORE_OUTLIER));
    /* the highest peak last: the last valley before it */
    for (int i = 0; i < N; i++) x[i] = (i < 600 ? 1 : 5) + 0.2 * grn_rng_normal(&r);
    f = explore();
    assert_true(f.won == GRN_EXPLORE_DENSITY && f.at[GRN_EXPLORE_DENSITY] > 1.5 && f.at[GRN_EXPLORE_DENSITY] < 4.5);
    assert_true(!counts(&f, GRN_EXPLORE_LEFT)); /* 30 %: a minority */
    /* a peak of 1 % of the highest does not make a valley */
    for (int i = 0; i < N; i++) x[i] = (i < 20 ? 5 : 1) + 0.2 * grn_rng_normal(&r);
    f = explore();
    assert_true(!counts(&f, GRN_EXPLORE_DENSITY) && f.won != GRN_EXPLORE_DENSITY);
}

/* 80 % zeros: the global curve and the tenth count; a tenth is 0.1 x 1. */
static void test_zeros(void **state)
{
    (void)state;
    for (int i = 0; i < N; i++) x[i] = i < N * 4 / 5 ? 0 : (i - N * 4 / 5 + 1) / (N / 5.0);
    grn_explore_t f = explore();
    assert_true(counts(&f, GRN_EXPLORE_GLOBAL) && counts(&f, GRN_EXPLORE_TENTH) && !counts(&f, GRN_EXPLORE_OUTLIER));
    assert_true(fabs(f.at[GRN_EXPLORE_TENTH] - 0.1) < 1e-12);
    /* all scale with the scores */
    for (int i = 0; i < N; i++) x[i] *= 0.125;
    grn_explore_t g = explore();
    assert_true(g.counts == f.counts && g.won == f.won);
    for (int k = 0; k < GRN_EXPLORE_N; k++)
        if (!isnan(f.at[k])) assert_true(fabs(g.at[k] / 0.125 - f.at[k]) < 1e-9 * (1 + fabs(f.at[k])));
    assert_string_equal(grn_explore_name(GRN_EXPLORE_TENTH), "tenPercentOfMax");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kolmogorov),
        cmocka_unit_test(test_normal),
        cmocka_unit_test(test_populations),
        cmocka_unit_test(test_zeros),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
