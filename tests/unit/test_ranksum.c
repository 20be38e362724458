/* Rank sums and moderated t. Small cases are worked by hand; others are compared with an O(n^2) count of pairs, and with the closed
 * forms of Student's t for 1, 2 and 4 degrees of freedom. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <gsl/gsl_sf_psi.h>

#include "base/mem.h"
#include "base/rng.h"
#include "stat/moderated.h"
#include "stat/ranksum.h"

static void near(double got, double want, double tol)
{
    if (!(fabs(got - want) <= tol)) fail_msg("got %.17g, want %.17g", got, want);
}

static void ties_by_hand(void **state)
{
    (void)state;
    /* a: 1 3 3; b: 2 3 0. Pairs: 1 > 0; each 3 > 2, 3 > 0 and ties with 3: 1 + 2 x 2.5 = 6 of 9 */
    const float x[] = { 1, 2, 3, 3, 3, 0 };
    const int32_t code[] = { 0, 1, 0, 1, 0, 1 };
    const size_t n[] = { 3, 3 };
    const grn_contrast_t c[] = { { 0, -1 }, { 1, -1 }, { 0, 1 } };
    grn_ranksum_scratch_t w = { 0 };
    grn_ranksum_t r[3];
    assert_int_equal(grn_ranksum(&w, x, NULL, 6, 6, code, n, 2, c, 3, r), GRN_OK);
    near(r[0].u, 6, 0);
    near(r[1].u, 3, 0);
    near(r[2].u, 6, 0);
    for (int k = 0; k < 3; k++) near(r[k].ties, 24, 0);
    /* sd^2 = 9 / 12 (7 - 24 / 30) = 4.65 */
    near(grn_ranksum_z(6, 3, 3, 24), 1.5 / sqrt(4.65), 1e-15);
    near(grn_ranksum_z(6, 3, 3, 0), 1.5 / sqrt(5.25), 1e-15);
    /* the same with its zero left out */
    const uint32_t at[] = { 0, 1, 2, 3, 4 };
    assert_int_equal(grn_ranksum(&w, x, at, 5, 6, code, n, 2, c, 3, r), GRN_OK);
    near(r[0].u, 6, 0);
    near(r[2].u, 6, 0);
    near(r[2].ties, 24, 0);
    /* all tied */
    assert_int_equal(grn_ranksum(&w, x, at, 0, 6, code, n, 2, c, 3, r), GRN_OK);
    for (int k = 0; k < 3; k++) near(r[k].u, 4.5, 0);
    near(grn_ranksum_z(r[0].u, 3, 3, r[0].ties), 0, 0);
    near(grn_normal_log_p(0), 0, 0);
    grn_ranksum_clear(&w);
}

static grn_ranksum_t count_pairs(const float *x, const int32_t *code, size_t n, grn_contrast_t c)
{
    grn_ranksum_t r = { 0, 0 };
    for (size_t i = 0; i < n; i++) {
        double t = 0;
        int in_i = code[i] == c.a || c.b < 0 || code[i] == c.b;
        for (size_t j = 0; j < n; j++) {
            int in_b = c.b < 0 ? code[j] != c.a : code[j] == c.b;
            if (code[i] == c.a && in_b) r.u += x[i] > x[j] ? 1 : x[i] == x[j] ? 0.5 : 0;
            t += (in_b || code[j] == c.a) && x[i] == x[j];
        }
        if (in_i) r.ties += t * t - 1; /* each of t values adds (t^3 - t) / t */
    }
    return r;
}

static void same_as_all_pairs(void **state)
{
    (void)state;
    enum { N = 400, L = 4 };
    const grn_contrast_t c[] = { { 0, -1 }, { 3, -1 }, { 0, 1 }, { 2, 3 }, { 3, 0 } };
    grn_ranksum_scratch_t w = { 0 };
    for (uint64_t seed = 0; seed < 30; seed++) {
        float x[N], val[N];
        uint32_t at[N];
        int32_t code[N];
        size_t n_group[L] = { 0 }, nz = 0, n = seed < 20 ? N : 20;
        grn_ranksum_t got[5];
        grn_rng_t r;
        grn_rng_init(&r, seed, "test", 0);
        for (size_t i = 0; i < n; i++) {
            /* mostly zeros; few distinct values; some negative; some zeros are stored */
            x[i] = grn_rng_unif(&r) < 0.6 ? 0 : (float)((double)grn_rng_below(&r, 7) - (seed % 2 ? 3 : 0)) / 2;
            code[i] = (int32_t)grn_rng_below(&r, L);
            n_group[code[i]]++;
            if (x[i] != 0 || grn_rng_unif(&r) < 0.1) at[nz] = (uint32_t)i, val[nz++] = x[i];
        }
        for (int dense = 0; dense < 2; dense++) {
            assert_int_equal(grn_ranksum(&w, dense ? x : val, dense ? NULL : at, dense ? n : nz, n, code, n_group, L, c, 5, got), GRN_OK);
            for (int k = 0; k < 5; k++) {
                grn_ranksum_t want = count_pairs(x, code, n, c[k]);
                near(got[k].u, want.u, 1e-9);
                near(got[k].ties, want.ties, 1e-6 * want.ties);
            }
        }
    }
    grn_ranksum_clear(&w);
}

static void refuses(void **state)
{
    (void)state;
    const float x[] = { 1, NAN, 2 };
    const int32_t code[] = { 0, 1, 0 };
    const size_t n[] = { 2, 1 };
    const grn_contrast_t c = { 0, 1 };
    grn_ranksum_scratch_t w = { 0 };
    grn_ranksum_t r;
    assert_int_equal(grn_ranksum(&w, x, NULL, 3, 3, code, n, 2, &c, 1, &r), GRN_ENONFINITE);
    grn_ranksum_clear(&w);
    for (int k = 1; k < 5; k++) {
        grn_mem_fail_after(k);
        grn_status rc = grn_ranksum(&w, x, NULL, 1, 3, code, n, 2, &c, 1, &r);
        grn_mem_fail_after(0);
        assert_int_equal(rc, GRN_ENOMEM);
        grn_ranksum_clear(&w);
    }
}

static void tails_beyond_double(void **state)
{
    (void)state;
    near(grn_normal_log_p(1.959963984540054), log(0.05), 1e-14);
    near(grn_normal_log_p(-1.959963984540054), log(0.05), 1e-14);
    double z = 60; /* p = sqrt(2 / pi) / z exp(-z^2 / 2) (1 - 1/z^2 + 3/z^4 - 15/z^6 ...): about 1e-784 */
    double q = 1 / (z * z);
    near(grn_normal_log_p(z), 0.5 * log(2 / M_PI) - log(z) - z * z / 2 + log(1 - q + 3 * q * q - 15 * q * q * q), 1e-9);
    assert_true(isnan(grn_normal_log_p(NAN)));
    /* t with 1, 2 and 4 degrees of freedom has closed forms */
    near(grn_t_log_p(1, 1), log(0.5), 1e-13);
    near(grn_t_log_p(-1, 1), log(0.5), 1e-13);
    near(grn_t_log_p(0.01, 1), log(2 / M_PI * atan(100)), 1e-13);
    near(grn_t_log_p(1e9, 1), log(2 / M_PI * 1e-9), 1e-12);
    near(grn_t_log_p(1, 2), log(1 - 1 / sqrt(3)), 1e-13);
    near(grn_t_log_p(1e200, 2), -400 * M_LN10, 1e-9);
    double theta = atan(3.0 / 2), c = cos(theta);
    near(grn_t_log_p(3, 4), log(1 - sin(theta) * (1 + c * c / 2)), 1e-13);
    near(grn_t_log_p(0, 5), 0, 0);
    near(grn_t_log_p(5, 1e9), grn_normal_log_p(5), 1e-6);
    near(grn_t_log_p(5, 1e6), grn_normal_log_p(5), 1e-3);
    near(grn_t_log_p(5, INFINITY), grn_normal_log_p(5), 0);
    assert_true(isnan(grn_t_log_p(NAN, 3)));
    /* for 4 degrees of freedom the density falls like 12 / t^5, so two tails like 6 / t^4 */
    near(grn_t_log_p(1e100, 4), log(6) - 400 * M_LN10, 1e-9);
}

static void prior_by_hand(void **state)
{
    (void)state;
    const double gamma = 0.57721566490153286; /* -psi(1) */
    double d0, s02[8];
    near(grn_trigamma_inverse(M_PI * M_PI / 6), 1, 1e-9);
    near(grn_trigamma_inverse(M_PI * M_PI / 2), 0.5, 1e-9);
    near(grn_trigamma_inverse(1e8), 1e-4, 1e-12);
    near(grn_trigamma_inverse(1e-8), 1e8, 1);
    /* equal variances: no spread, infinite prior; 2 degrees of freedom: log s02 = log s2 + log 1 - psi(1) */
    const double same[] = { 3, 3, 3, 3 };
    assert_int_equal(grn_moderated_prior(same, NULL, 4, 2, &d0, s02), GRN_OK);
    assert_true(isinf(d0));
    near(s02[0], 3 * exp(gamma), 1e-12);
    near(grn_moderated_variance(1, 2, 7, INFINITY), 7, 0);
    near(grn_moderated_variance(1, 2, 7, 4), (4 * 7 + 2 * 1) / 6.0, 1e-15);
    /* 1 and e^4: log s2 has variance 8, less trigamma(1) = pi^2 / 6 */
    const double two[] = { 1, exp(4) };
    assert_int_equal(grn_moderated_prior(two, NULL, 2, 2, &d0, s02), GRN_OK);
    near(gsl_sf_psi_1(d0 / 2), 8 - M_PI * M_PI / 6, 1e-8);
    near(log(s02[0]), 2 + gamma + gsl_sf_psi(d0 / 2) - log(d0 / 2), 1e-12);
    near(s02[1], s02[0], 0);
    /* log variances on a line of x: the spline holds the line, nothing is left over */
    double x[8], s2[8];
    for (int i = 0; i < 8; i++) x[i] = (i * 5) % 8, s2[i] = exp(2 - 0.7 * x[i]);
    assert_int_equal(grn_moderated_prior(s2, x, 8, 2, &d0, s02), GRN_OK);
    assert_true(isinf(d0));
    for (int i = 0; i < 8; i++) near(log(s02[i]), log(s2[i]) + gamma, 1e-9);
    /* equal x: as without */
    const double flat[] = { 1, 1 };
    double s02_flat[8], d0_flat;
    assert_int_equal(grn_moderated_prior(two, NULL, 2, 2, &d0, s02), GRN_OK);
    assert_int_equal(grn_moderated_prior(two, flat, 2, 2, &d0_flat, s02_flat), GRN_OK);
    near(d0_flat, d0, 0);
    near(s02_flat[0], s02[0], 0);
    /* a variance of 0 counts as 1e-5 of the median */
    const double zero[] = { 0, 1, 1 }, lifted[] = { 1e-5, 1, 1 };
    assert_int_equal(grn_moderated_prior(zero, NULL, 3, 3, &d0, s02), GRN_OK);
    assert_int_equal(grn_moderated_prior(lifted, NULL, 3, 3, &d0_flat, s02_flat), GRN_OK);
    near(d0, d0_flat, 0);
    const double none[] = { 0, 0 }, bad[] = { 1, NAN };
    assert_int_equal(grn_moderated_prior(none, NULL, 2, 3, &d0, s02), GRN_EINVAL);
    assert_int_equal(grn_moderated_prior(bad, NULL, 2, 3, &d0, s02), GRN_ENONFINITE);
    assert_int_equal(grn_moderated_prior(two, NULL, 0, 3, &d0, s02), GRN_EINVAL);
    grn_mem_fail_after(1);
    assert_int_equal(grn_moderated_prior(two, NULL, 2, 2, &d0, s02), GRN_ENOMEM);
    grn_mem_fail_after(0);
}

/* Draws variances from the model and finds its parameters again: d0 = 6 and s02 = exp(-x) with 4 degrees of freedom. */
static void prior_is_found_again(void **state)
{
    (void)state;
    enum { N = 20000 };
    double *x = malloc(N * sizeof *x), *s2 = malloc(N * sizeof *s2), *s02 = malloc(N * sizeof *s02), d0, worst = 0;
    grn_rng_t r;
    grn_rng_init(&r, 7, "test", 0);
    for (int i = 0; i < N; i++) {
        double chi4 = 0, chi6 = 0;
        for (int k = 0; k < 10; k++) {
            double z = grn_rng_normal(&r);
            *(k < 4 ? &chi4 : &chi6) += z * z;
        }
        x[i] = 4 * grn_rng_unif(&r);
        s2[i] = exp(-x[i]) * 6 / chi6 * chi4 / 4;
    }
    assert_int_equal(grn_moderated_prior(s2, x, N, 4, &d0, s02), GRN_OK);
    near(d0, 6, 0.4);
    for (int i = 0; i < N; i++) worst = fmax(worst, fabs(log(s02[i]) + x[i]));
    near(worst, 0, 0.1);
    free(x);
    free(s2);
    free(s02);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ties_by_hand),      cmocka_unit_test(same_as_all_pairs), cmocka_unit_test(refuses),
        cmocka_unit_test(tails_beyond_double), cmocka_unit_test(prior_by_hand),   cmocka_unit_test(prior_is_found_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
