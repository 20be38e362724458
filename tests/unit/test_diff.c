/* grn-view diff: t and permutations over donors, by hand */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "grn-view/diff.h"

diff_cli_t diff_cli = { .donor_test = "t" };

static void near(double got, double want, double tolerance)
{
    if (!(fabs(got - want) <= tolerance)) fail_msg("%.17g, expected %.17g", got, want);
}

/* Values a[n_a], b[n_b] (n_b = 0: a are differences of pairs), all with the same noise. */
static double p_of(const char *test, const double *a, size_t n_a, const double *b, size_t n_b, double noise, double *diff)
{
    double v[64], s[64], p;
    diff_donors_t d = { v, s, { n_a, n_b ? n_b : n_a }, !n_b, 7 };
    memcpy(v, a, n_a * sizeof *a);
    if (n_b) memcpy(v + n_a, b, n_b * sizeof *b);
    for (size_t i = 0; i < n_a + n_b; i++) s[i] = noise;
    diff_cli.donor_test = test;
    diff_donor_test(&d, diff, &p);
    return p;
}

/* With two degrees of freedom p = 1 - |t| / sqrt(t^2 + 2). */
static double p_of_t2(double t)
{
    return 1 - fabs(t) / sqrt(t * t + 2);
}

static void test_t(void **state)
{
    (void)state;
    static const double pairs[] = { 0.1, 0.3, 0.2 }, a[] = { 0, 2 }, b[] = { 5, 7 };
    double diff;
    near(p_of("t", pairs, 3, NULL, 0, 0, &diff), p_of_t2(0.2 / (0.1 / sqrt(3))), 1e-12);
    near(diff, 0.2, 1e-15);
    near(p_of("t", a, 2, b, 2, 0, &diff), p_of_t2(5 / sqrt(2)), 1e-12); /* Welch: (1 + 1)^2 / (1 + 1) = 2 degrees of freedom */
    near(diff, -5, 1e-15);
    near(p_of("t", a, 2, b, 2, 8, &diff), p_of_t2(5 / sqrt(8)), 1e-12); /* variances 2 lifted to the noise */
    near(p_of("t", pairs, 3, NULL, 0, 0.03, &diff), p_of_t2(0.2 / 0.1), 1e-12);
}

static void test_permutations(void **state)
{
    (void)state;
    static const double pairs[] = { 0.1, 0.3, 0.2 }, a[] = { 0, 2 }, b[] = { 5, 7 }, same[] = { 1, 1, 1 };
    double diff, low[15], high[15];
    near(p_of("permutation", pairs, 3, NULL, 0, 0, &diff), 2.0 / 8, 1e-15);
    near(p_of("permutation", a, 2, b, 2, 0, &diff), 2.0 / 6, 1e-15);
    static const double c[] = { 0, 4 },
                        e[] = { 1, 5, 9 }; /* sums of two of 0 4 1 5 9, -3 or lower or 13 and above as far off: mean 2 v 5 */
    near(p_of("permutation", c, 2, e, 3, 0, &diff), 4.0 / 10, 1e-15);
    near(diff, -3, 1e-15);
    assert_true(isnan(p_of("permutation", a, 1, b, 2, 0, &diff)) && diff == -6);
    assert_true(isnan(p_of("t", same, 3, same, 3, 0, &diff)) && diff == 0);
    near(p_of("permutation", same, 3, NULL, 0, 0, &diff), 2.0 / 8, 1e-15); /* all pairs differ, by the same */
    for (int i = 0; i < 15; i++) low[i] = i * 0.01, high[i] = 1 + i * 0.01;
    double p = p_of("permutation", low, 10, high, 10, 0, &diff); /* 2 of 184,756 choices: drawn at random */
    assert_true(p >= 1e-4 && p < 5e-4 && p == p_of("permutation", low, 10, high, 10, 0, &diff));
    p = p_of("permutation", high, 15, NULL, 0, 0, &diff); /* 2 of 32,768 signs */
    assert_true(p >= 1e-4 && p < 1e-3);
    assert_true(diff_permutations((size_t[]){ 10, 10 }, 0) == 184756 && diff_permutations((size_t[]){ 4, 4 }, 0) == 70);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_t), cmocka_unit_test(test_permutations) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
