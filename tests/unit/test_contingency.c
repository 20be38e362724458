/* 2 x 2 tables: by hand, and by brute force over all tables of the same margins. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "stat/contingency.h"

static void near(double got, double want, double tolerance)
{
    if (!(fabs(got - want) <= tolerance)) fail_msg("%.17g, expected %.17g", got, want);
}

static void test_intervals(void **state)
{
    (void)state;
    double lo, hi;
    grn_wilson(0, 10, &lo, &hi); /* z^2 / (n + z^2) */
    assert_true(lo == 0);
    near(hi, 3.841458820694124 / 13.841458820694124, 1e-12);
    grn_wilson(10, 10, &lo, &hi);
    near(lo, 10 / 13.841458820694124, 1e-12);
    assert_true(hi == 1);
    grn_wilson(81, 263, &lo, &hi); /* Newcombe 1998, Stat Med 17:857, table I: 0.2553 to 0.3662 */
    near(lo, 0.2553, 5e-5);
    near(hi, 0.3662, 5e-5);
    grn_wilson(0, 0, &lo, &hi);
    assert_true(isnan(lo) && isnan(hi));
    grn_2x2_t t = { 56, 70, 48, 80 }; /* Newcombe 1998, Stat Med 17:873, table II (a), method 10: 0.0524 to 0.3339 */
    grn_newcombe(&t, &lo, &hi);
    near(lo, 0.0524, 5e-5);
    near(hi, 0.3339, 5e-5);
    t = (grn_2x2_t){ 10, 10, 0, 10 }; /* (g): 0.6075 to 1.0000 */
    grn_newcombe(&t, &lo, &hi);
    near(lo, 0.6075, 5e-5);
    near(hi, 1, 5e-5);
}

static void test_odds(void **state)
{
    (void)state;
    grn_2x2_t t = { 0, 1, 1, 1 }; /* 0.5 * 0.5 / (1.5 * 1.5) */
    near(grn_log2_odds(&t), log2(1.0 / 9), 1e-12);
}

static double choose(double n, double k)
{
    double x = 1;
    for (int i = 0; i < (int)k; i++) x *= (n - i) / (i + 1);
    return x;
}

/* Sum over all tables, by the definition. */
static double brute(const grn_2x2_t *t)
{
    double m = (double)(t->a + t->b), n_a = (double)t->n_a, n_b = (double)t->n_b, all = choose(n_a + n_b, m), p = 0,
           here = choose(n_a, (double)t->a) * choose(n_b, (double)t->b) / all;
    for (double x = 0; x <= m && x <= n_a; x++) {
        if (m - x > n_b) continue;
        double q = choose(n_a, x) * choose(n_b, m - x) / all;
        if (q <= here * (1 + 1e-7)) p += q;
    }
    return p < 1 ? p : 1;
}

static void test_fisher(void **state)
{
    (void)state;
    near(grn_fisher_p(&(grn_2x2_t){ 3, 4, 1, 4 }), 34.0 / 70, 1e-12); /* the lady and the tea: (16 + 1) / 70 on each side */
    near(grn_fisher_p(&(grn_2x2_t){ 4, 4, 0, 4 }), 2.0 / 70, 1e-12);
    assert_true(grn_fisher_p(&(grn_2x2_t){ 0, 4, 0, 4 }) == 1 && grn_fisher_p(&(grn_2x2_t){ 4, 4, 3, 3 }) == 1);
    for (uint64_t n_a = 1; n_a <= 12; n_a++)
        for (uint64_t n_b = 1; n_b <= 12; n_b++)
            for (uint64_t a = 0; a <= n_a; a++)
                for (uint64_t b = 0; b <= n_b; b++) {
                    grn_2x2_t t = { a, n_a, b, n_b };
                    near(grn_fisher_p(&t), brute(&t), 1e-9);
                }
    grn_2x2_t far = { 500000, 1000000, 400000, 1000000 }; /* beyond the smallest double */
    assert_true(grn_fisher_p(&far) == 0);
    grn_2x2_t big = { 500500, 1000000, 500000, 1000000 }; /* as the normal with the continuity of one half on each count */
    near(grn_fisher_p(&big), erfc(499.0 / sqrt(1000500.0 * 999500.0 / 2000000.0 * 2)), 2e-4);
}

static void test_strata(void **state)
{
    (void)state;
    /* one stratum is Fisher */
    grn_2x2_t one[2] = { { 3, 4, 1, 4 }, { 2, 2, 0, 0 } };
    grn_strata_t s = grn_strata_test(one, 2);
    near(s.p, 34.0 / 70, 1e-12);
    near(s.diff, 0.5, 1e-12);
    near(s.log2_or, log2(3.5 * 3.5 / (1.5 * 1.5)), 1e-12);
    assert_true(s.exact);
    /* two: a + a' of (1/70)(1 16 36 16 1) with itself; 3 + 3 has (36 + 16^2 + 36)/4900 at 6 */
    grn_2x2_t two[2] = { { 3, 4, 1, 4 }, { 3, 4, 1, 4 } };
    s = grn_strata_test(two, 2);
    double at6 = 1 * 36 + 16 * 16 + 36 * 1, at7 = 2 * 16, at8 = 1;
    near(s.p, 2 * (at6 + at7 + at8) / 4900, 1e-12);
    near(s.diff, 0.5, 1e-12);
    /* a difference of composition alone: 1/2 in each stratum of both groups */
    grn_2x2_t mix[2] = { { 0, 90, 0, 10 }, { 5, 10, 45, 90 } };
    s = grn_strata_test(mix, 2);
    near(s.diff, 0, 1e-12);
    near(s.p, 1, 1e-12);
    grn_2x2_t crude = { 5, 100, 45, 100 };
    assert_true(grn_fisher_p(&crude) < 1e-10);
    /* too many tables to add up: Mantel & Haenszel by hand */
    grn_2x2_t large[2] = { { 3000, 6000, 2800, 6000 }, { 1100, 4000, 1000, 4000 } };
    double excess = (3000 - 2900) + (1100 - 1050), v = 36e6 * 5800 * 6200 / (144e6 * 11999) + 16e6 * 2100 * 5900 / (64e6 * 7999);
    s = grn_strata_test(large, 2);
    assert_false(s.exact);
    near(s.p, erfc(excess / sqrt(2 * v)), 1e-12);
    near(s.diff, (3000 * (200 / 6000.0) + 2000 * (100 / 4000.0)) / 5000, 1e-12);
    /* nothing to tell */
    grn_2x2_t none[2] = { { 0, 5, 0, 7 }, { 1, 3, 0, 0 } };
    s = grn_strata_test(none, 2);
    assert_true(isnan(s.p) && s.diff == 0);
    assert_true(isnan(grn_strata_test(none, 0).diff));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_intervals), cmocka_unit_test(test_odds), cmocka_unit_test(test_fisher),
                                        cmocka_unit_test(test_strata) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
