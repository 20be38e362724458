/* stat: mixture, crossing, kernel density, dip, the classes of a cut */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/rng.h"
#include "base/simd.h"
#include "stat/density.h"
#include "stat/dip.h"
#include "stat/mixture.h"
#include "stat/mixture_kernel.h"
#include "stat/moments.h"
#include "stat/threshold.h"

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* ---- crossing ---- */

static double cross(double w1, double m1, double s1, double m2, double s2, grn_cross *kind)
{
    grn_mix2_t f = { { w1, 1 - w1 }, { m1, m2 }, { s1, s2 }, 0, 0, 0, 0 };
    double x = grn_mix2_cross(&f, -100, 100, kind);
    if (!isnan(x) && *kind != GRN_CROSS_ARGMIN) assert_true(fabs(grn_mix2_posterior(&f, x) - 0.5) < 1e-9);
    return x;
}

static void test_cross_golden(void **state)
{
    (void)state;
    grn_cross k;
    assert_true(fabs(cross(0.5, 0, 1, 4, 1, &k) - 2) < 1e-12 && k == GRN_CROSS_EQUAL_SD);
    assert_true(fabs(cross(0.9, 0, 1, 4, 1, &k) - (2 + log(9) / 4)) < 1e-12 && k == GRN_CROSS_EQUAL_SD);
    /* sds equal up to rounding agree with the equal case: no cancellation */
    assert_true(fabs(cross(0.9, 1000, 1, 1004, 1 + 1e-9, &k) - (1002 + log(9) / 4)) < 1e-6);
    /* .5 N(0,1) = .5 N(6,2): 3 x^2 + 12 x - 36 - 8 ln 2 = 0, upper root */
    assert_true(fabs(cross(0.5, 0, 1, 6, 2, &k) - (-12 + sqrt(144 + 12 * (36 + 8 * log(2)))) / 6) < 1e-12 && k == GRN_CROSS_BROAD);
}

static void test_cross_cases(void **state)
{
    (void)state;
    grn_cross k;
    grn_mix2_t f = { { 0.5, 0.5 }, { 0, 6 }, { 1, 2 }, 0, 0, 0, 0 };
    (void)grn_mix2_cross(&f, -1, 9, &k); /* the other root (-6.9) is outside the data */
    assert_int_equal(k, GRN_CROSS_ROOT);
    assert_true(isnan(cross(0.5, 1, 1, 1, 2, &k)) && k == GRN_CROSS_SAME_MEAN);
    /* a narrow light component under a wide heavy one */
    assert_true(isnan(cross(0.99999, 0, 3, 1, 2.9, &k)) && k == GRN_CROSS_DOMINATED);
    /* equal sd, light and near: the crossing lies beyond m2, the density just falls */
    assert_true(isnan(cross(0.99, 0, 1, 1.5, 1, &k)) && k == GRN_CROSS_NONE);
    /* very unequal sds with both roots between the means: w1 wide at 0, w2 narrow at 3; the roots bracket 3, so only one is
     * inside */
    double x = cross(0.6, 0, 2, 3, 0.2, &k);
    assert_true(x > 0 && x < 3 && k == GRN_CROSS_BROAD);
    assert_string_equal(grn_cross_name(GRN_CROSS_NONE), "none");
}

/* ---- EM ---- */

static void test_fit_planted(void **state)
{
    (void)state;
    static const size_t size[2] = { 800, 20000 }; /* without and with grouping */
    for (int s = 0; s < 2; s++) {
        size_t n = size[s];
        double *x = grn_malloc(n, sizeof *x);
        grn_mix2_t f;
        grn_rng_t r;
        grn_rng_init(&r, 1, "test.mix", n);
        for (size_t i = 0; i < n; i++) x[i] = 7 + 0.01 * (grn_rng_unif(&r) < 0.3 ? 5 + 0.8 * grn_rng_normal(&r) : grn_rng_normal(&r));
        qsort(x, n, sizeof *x, by_value);
        assert_int_equal(grn_mix2_fit(x, n, &f), GRN_OK);
        double tol = 4 / sqrt((double)n);
        assert_true(fabs(f.w[1] - 0.3) < tol && fabs(f.w[0] + f.w[1] - 1) < 1e-12);
        assert_true(fabs(f.m[0] - 7) < tol * 0.01 * 2 && fabs(f.m[1] - 7.05) < tol * 0.01 * 2);
        assert_true(fabs(f.s[0] / 0.01 - 1) < tol && fabs(f.s[1] / 0.008 - 1) < 2 * tol);
        /* the likelihoods it reports are those of its parameters, summed plainly */
        double ll = 0, mean = 0, var = 0, ll1;
        for (size_t i = 0; i < n; i++) ll += log(grn_mix2_density(&f, x[i])), mean += x[i];
        mean /= (double)n;
        for (size_t i = 0; i < n; i++) var += (x[i] - mean) * (x[i] - mean) / (double)n;
        ll1 = -0.5 * (double)n * (log(2 * acos(-1.0) * var) + 1);
        assert_true(fabs(f.loglik - ll) < 1e-6 * fabs(ll) && fabs(f.loglik1 - ll1) < 1e-6 * fabs(ll1));
        assert_true(fabs(grn_mix2_dbic(&f, n) - (2 * (f.loglik - f.loglik1) - 3 * log((double)n))) < 1e-9);
        /* no EM step improves it by more than the stop rule: a plain double-precision EM from here */
        double w = f.w[1], m[2] = { f.m[0], f.m[1] }, sd[2] = { f.s[0], f.s[1] };
        for (int it = 0; it < 20; it++) {
            grn_mix2_t g = { { 1 - w, w }, { m[0], m[1] }, { sd[0], sd[1] }, 0, 0, 0, 0 };
            double a[2] = { 0 }, b[2] = { 0 }, c[2] = { 0 };
            for (size_t i = 0; i < n; i++) {
                double p = grn_mix2_posterior(&g, x[i]), q[2] = { 1 - p, p };
                for (int k = 0; k < 2; k++) a[k] += q[k], b[k] += q[k] * (x[i] - 7), c[k] += q[k] * (x[i] - 7) * (x[i] - 7);
            }
            for (int k = 0; k < 2; k++) m[k] = 7 + b[k] / a[k], sd[k] = sqrt(c[k] / a[k] - (b[k] / a[k]) * (b[k] / a[k]));
            w = a[1] / (double)n;
        }
        assert_true(fabs(w - f.w[1]) < 2e-3 && fabs(m[1] - f.m[1]) < 2e-3 * 0.05 && fabs(sd[1] / f.s[1] - 1) < 5e-3);
        free(x);
    }
}

static void test_fit_degenerate(void **state)
{
    (void)state;
    const double two[2] = { 1, 2 }, same[3] = { 4, 4, 4 };
    double spike[100];
    grn_mix2_t f;
    assert_int_equal(grn_mix2_fit(same, 3, &f), GRN_EINVAL);
    assert_int_equal(grn_mix2_fit(two, 1, &f), GRN_EINVAL);
    assert_int_equal(grn_mix2_fit(two, 2, &f), GRN_OK);
    assert_true(isfinite(f.loglik) && f.s[0] > 0 && f.s[1] > 0);
    for (int i = 0; i < 100; i++) spike[i] = i < 50 ? 0 : i; /* half the sample on one value: the variance floor holds */
    assert_int_equal(grn_mix2_fit(spike, 100, &f), GRN_OK);
    assert_true(isfinite(f.loglik) && f.s[0] > 0.5);
}

/* The pass against plain sums, and all its copies against each other to the last bit. */
static void test_pass(void **state)
{
    (void)state;
    static const size_t size[] = { 1, 7, 8, 511, 512, 1029 };
    grn_mix2_pass_t *const copy[] = {
        grn_mix2_pass_base,
#if defined(__x86_64__)
        grn_mix2_pass_avx2,
        grn_mix2_pass_avx512,
#endif
    };
    const double odds[3] = { -0.7, 1.9, 0.4 };
    for (size_t s = 0; s < 12; s++) {
        size_t n = size[s / 2];
        double u[1040] = { 0 }, w[1040] = { 0 }, want[9] = { 0 }, got[9];
        grn_rng_t r;
        grn_mix2_sums_t sum[3];
        grn_rng_init(&r, 5, "test.pass", n);
        for (size_t i = 0; i < n; i++) {
            u[i] = i == n / 2 ? 60 : 3 * grn_rng_normal(&r); /* 60: odds beyond exp(700) */
            w[i] = s % 2 ? 1 + (double)(i % 5) : 1;
            double d = (odds[2] * u[i] + odds[1]) * u[i] + odds[0], p = 1 / (1 + exp(-d)), q = 1 / (1 + exp(d));
            for (int j = 0; j < 3; j++) want[j] += w[i] * p * pow(u[i], j);
            for (int j = 0; j < 5; j++) want[3 + j] += w[i] * p * q * pow(u[i], j);
            want[8] += w[i] * ((d > 0 ? d : 0) + log1p(exp(-fabs(d))));
        }
        for (int k = 0; k <= (int)grn_simd_level(); k++) {
            copy[k](u, s % 2 ? w : NULL, n, odds, &sum[k]);
            assert_memory_equal(&sum[k], &sum[0], sizeof sum[0]);
        }
        memcpy(got, &sum[0], sizeof got);
        for (int j = 0; j < 9; j++) assert_true(fabs(got[j] - want[j]) <= (j == 8 ? 5e-10 : 1e-12) * (fabs(want[j]) + (double)n));
    }
}

/* Moments: by hand, and for a length that does not fill the lanes. */
static void test_moments(void **state)
{
    (void)state;
    const double v[9] = { 1, 2, 3, 4, 5, 6, 7, 8, 18 }; /* mean 6; deviations -5..2 and 12 */
    grn_moments_t m = grn_moments(v, 9);
    assert_true(m.mean == 6 && fabs(m.m2 - (25 + 16 + 9 + 4 + 1 + 0 + 1 + 4 + 144) / 9.0) < 1e-12);
    assert_true(fabs(m.m3 - (-125 - 64 - 27 - 8 - 1 + 0 + 1 + 8 + 1728) / 9.0) < 1e-10 && grn_sum(v, 9) == 54);
    m = grn_moments(v, 0);
    assert_true(m.mean == 0 && m.m2 == 0 && m.m3 == 0);
}

/* ---- density ---- */

static void test_density(void **state)
{
    (void)state;
    enum { N = 500, GRID = 200 };
    static double x[N], f[GRID];
    grn_rng_t r;
    double h, worst = 0;
    size_t at;
    grn_rng_init(&r, 2, "test.density", 0);
    for (int i = 0; i < N; i++) x[i] = grn_rng_normal(&r);
    qsort(x, N, sizeof *x, by_value);
    h = grn_density_silverman(x, N);
    assert_true(h > 0.2 && h < 0.32); /* 0.9 * 500^-0.2 = 0.26 */
    assert_int_equal(grn_density_grid(x, N, h, -2, h / 16, GRID, f), GRN_OK);
    for (int k = 0; k < GRID; k++) { /* against the exact sum; the header's bound */
        double at_x = -2 + k * h / 16, exact = 0;
        for (int i = 0; i < N; i++) exact += exp(-0.5 * (at_x - x[i]) * (at_x - x[i]) / (h * h));
        exact /= N * h * sqrt(2 * acos(-1.0));
        if (fabs(f[k] - exact) > worst) worst = fabs(f[k] - exact);
    }
    assert_true(worst < 1.0 / 256 / (8 * sqrt(2 * acos(-1.0)) * h) + 1.5e-6 / h && worst > 0);
    const double peaks[7] = { 1, 4, 2, 1, 3, 2, 0.5 };
    assert_true(fabs(grn_density_valley(peaks, 7, &at) - 2.0 / 3) < 1e-15 && at == 3);
    const double falling[4] = { 4, 3, 2, 1 }, hill[5] = { 0, 1, 2, 1, 0 };
    assert_true(grn_density_valley(falling, 4, NULL) == 0 && grn_density_valley(hill, 5, NULL) == 0);
    assert_true(grn_density_silverman(x, 1) == 0 && isnan(grn_density_quantile(x, 0, 0.5)));
    const double q[5] = { 1, 2, 3, 4, 10 };
    assert_true(grn_density_quantile(q, 5, 0.25) == 2 && fabs(grn_density_quantile(q, 5, 0.9) - 7.6) < 1e-14 &&
                grn_density_quantile(q, 5, 1) == 10);
    assert_int_equal(grn_density_grid(x, N, 0, 0, 1, 3, f), GRN_EINVAL);
}

/* ---- dip ---- */

static double dip(const double *x, size_t n)
{
    double d;
    assert_int_equal(grn_dip_statistic(x, n, &d), GRN_OK);
    return d;
}

static void test_dip(void **state)
{
    (void)state;
    /* two points: one step each, unimodal up to the 1/(2n) of any sample */
    const double two[2] = { 0, 1 }, four[4] = { 0, 0, 1, 1 }, same[3] = { 5, 5, 5 }, grid[5] = { 1, 2, 3, 4, 5 };
    assert_true(dip(two, 2) == 0.25 && dip(same, 3) == 1.0 / 6 && fabs(dip(grid, 5) - 0.1) < 1e-15);
    /* two equal atoms: the nearest unimodal function misses one of them by half of its mass */
    assert_true(fabs(dip(four, 4) - 0.25) < 1e-15);
    const double eight[8] = { 0, 0.1, 0.2, 0.3, 9, 9.1, 9.2, 9.3 };
    assert_true(fabs(dip(eight, 8) - 0.24166666666666667) < 1e-12); /* checked with a linear programme over all unimodal functions */
    /* ties: values of the same linear programme */
    const double tied[11] = { 1, 1, 2, 2, 2, 3, 5, 5, 6, 6, 6 };
    assert_true(fabs(dip(tied, 11) - 0.15909090909090909) < 1e-12);
    double d;
    assert_int_equal(grn_dip_statistic(NULL, 0, &d), GRN_OK);
    assert_true(isnan(d) && isnan(grn_dip_pvalue(0.1, 3)) && isnan(grn_dip_pvalue(NAN, 50)));
}

/* Under the null the p-value is uniform: share of p <= 0.05 and mean over 2,000 uniform samples at a size between two tabulated
 * ones. */
static void test_dip_null(void **state)
{
    (void)state;
    enum { N = 80, REP = 2000 };
    double x[N], low = 0, mean = 0;
    for (uint64_t k = 0; k < REP; k++) {
        grn_rng_t r;
        grn_rng_init(&r, 77, "test.dip", k);
        for (int i = 0; i < N; i++) x[i] = grn_rng_unif(&r);
        qsort(x, N, sizeof *x, by_value);
        double p = grn_dip_pvalue(dip(x, N), N);
        assert_true(p > 0 && p <= 1);
        low += p <= 0.05;
        mean += p;
    }
    assert_true(fabs(low / REP - 0.05) < 4 * sqrt(0.05 * 0.95 / REP));
    assert_true(fabs(mean / REP - 0.5) < 4 * sqrt(1.0 / 12 / REP));
    /* published table (Hartigan 1985): n = 50, the 95 % point is about 0.0702, the 99 % point 0.0812 */
    assert_true(fabs(grn_dip_pvalue(0.0702, 50) - 0.05) < 0.005 && fabs(grn_dip_pvalue(0.0812, 50) - 0.01) < 0.0025);
    assert_true(grn_dip_pvalue(0.2, 1000000) <= 1e-4 && grn_dip_pvalue(1e-9, 1000000) == 1);
}

/* ---- classes ---- */

static grn_cut_t cut(const float *x, size_t n)
{
    grn_cut_opt_t opt = GRN_CUT_OPT_INIT;
    grn_cut_t f;
    assert_int_equal(grn_cut_fit(x, n, &opt, &f), GRN_OK);
    return f;
}

static void test_degenerate(void **state)
{
    (void)state;
    char buf[32];
    float x[1000];
    grn_cut_t f;
    f = cut(NULL, 0);
    assert_true(f.klass == GRN_CUT_EMPTY && isnan(f.threshold) && f.n_on == 0);
    for (int i = 0; i < 100; i++) x[i] = i % 3 ? NAN : INFINITY;
    f = cut(x, 100);
    assert_true(f.klass == GRN_CUT_EMPTY && f.n_nonfinite == 100);
    for (int i = 0; i < 100; i++) x[i] = 0.25f;
    f = cut(x, 100);
    assert_true(f.klass == GRN_CUT_CONSTANT && f.threshold == 0.25 && f.n_on == 0);
    f = cut(x, 1);
    assert_true(f.klass == GRN_CUT_CONSTANT && f.n == 1);
    for (int i = 0; i < 29; i++) x[i] = (float)(i + 1); /* mean 15, sd1 sqrt(29*30/12) */
    f = cut(x, 29);
    assert_true(f.klass == GRN_CUT_SMALL && fabs(f.threshold - (15 + 2 * sqrt(29 * 30 / 12.0))) < 1e-9 && f.n_on == 0);
    /* 80 zeros and 20 others: too few others for a mixture; all others are on */
    for (int i = 0; i < 100; i++) x[i] = i < 80 ? -0.0f : 0.5f + 0.01f * (float)i;
    f = cut(x, 100);
    assert_int_equal(f.klass, GRN_CUT_MASS_ONLY);
    assert_true(fabs(f.threshold - x[80] / 2) < 1e-7 && f.n_on == 20 && f.n_atom == 80 && f.atom == 0);
    /* one NaN among zeros does not hide the atom; exactly 20 % is not an atom */
    for (int i = 0; i < 100; i++) x[i] = i < 20 ? 0 : (float)i;
    f = cut(x, 100);
    assert_true(f.n_atom == 0);
    x[99] = 0;
    f = cut(x, 100);
    assert_true(f.n_atom == 21 && (f.klass & GRN_CUT_MASS_FLAG));
    /* a point mass and one other value: the threshold is at least the smallest other value */
    for (int i = 0; i < 200; i++) x[i] = i < 150 ? 0 : 1;
    f = cut(x, 200);
    assert_true(f.klass == (GRN_CUT_UNIMODAL | GRN_CUT_MASS_FLAG) && f.threshold >= 1);
    assert_string_equal(grn_cut_class_name(f.klass, buf), "unimodal+mass");
    grn_cut_opt_t bad = GRN_CUT_OPT_INIT;
    bad.tail = 1;
    assert_int_equal(grn_cut_fit(x, 200, &bad, &f), GRN_EINVAL);
}

/* Zeros beside two clear populations: the mixture is fitted to the others, the cut lies between them. */
static void test_mass_and_order(void **state)
{
    (void)state;
    enum { N = 900 };
    static float x[N], y[N];
    grn_rng_t r;
    grn_cut_t f, g;
    grn_cut_opt_t opt = GRN_CUT_OPT_INIT;
    grn_rng_init(&r, 3, "test.mass", 0);
    for (int i = 0; i < N; i++) x[i] = i < 300 ? 0 : (float)(i < 600 ? 2 + 0.3 * grn_rng_normal(&r) : 5 + 0.3 * grn_rng_normal(&r));
    f = cut(x, N);
    assert_true(f.klass == (GRN_CUT_BIMODAL | GRN_CUT_MASS_FLAG) && f.n_fit == 600 && f.n_on == 300);
    assert_true(f.threshold > 3 && f.threshold < 4 && fabs(f.posterior - 0.5) < 1e-6);
    for (int i = 0; i < N; i++) y[i] = x[(i * 7 + 11) % N];
    g = cut(y, N);
    assert_memory_equal(&f, &g, sizeof f); /* any order, the same bits */
    assert_true(grn_cut_posterior(&f, &opt, 0) == 0 && grn_cut_posterior(&f, &opt, 9) > 0.999 &&
                isnan(grn_cut_posterior(&f, &opt, NAN)));
    /* monotone transform: the logarithm finds the same cells, and says how many values it could not take */
    opt.transform = GRN_CUT_LOG10;
    assert_int_equal(grn_cut_fit(x, N, &opt, &g), GRN_OK);
    assert_true(g.n_outside == 300 && g.n_on == 300 && g.threshold > 3 && g.threshold < 4 && (g.klass & 0x3f) == GRN_CUT_BIMODAL);
}

static void test_methods(void **state)
{
    (void)state;
    float x[200];
    grn_cut_t f;
    grn_cut_opt_t opt = GRN_CUT_OPT_INIT;
    for (int i = 0; i < 200; i++) x[i] = (float)i;
    opt.method = GRN_CUT_QUANTILE;
    opt.tail = 0.85;
    assert_int_equal(grn_cut_fit(x, 200, &opt, &f), GRN_OK);
    assert_true(fabs(f.threshold - 0.85 * 199) < 1e-9 && f.n_on == 30);
    opt.method = GRN_CUT_OTSU; /* a straight line is cut in the middle */
    assert_int_equal(grn_cut_fit(x, 200, &opt, &f), GRN_OK);
    assert_true(f.threshold == 99.5 && f.n_on == 100);
    opt.method = GRN_CUT_SCENIC; /* uniform grid: unimodal for the dip, mean + 2 sd0 */
    assert_int_equal(grn_cut_fit(x, 200, &opt, &f), GRN_OK);
    assert_true(f.klass == GRN_CUT_UNIMODAL && fabs(f.threshold - (99.5 + 2 * sqrt((200.0 * 200 - 1) / 12))) < 1e-9);
    for (int i = 0; i < 200; i++) x[i] = (float)((i % 2) * 10 + 0.01 * i);
    assert_int_equal(grn_cut_fit(x, 200, &opt, &f), GRN_OK);
    assert_true(f.klass == GRN_CUT_BIMODAL && f.threshold > 2 && f.threshold < 10 && f.n_on == 100);
    /* unimodal with the tail quantile instead of 2 sd */
    grn_rng_t r;
    grn_rng_init(&r, 4, "test.tail", 0);
    for (int i = 0; i < 200; i++) x[i] = (float)grn_rng_normal(&r);
    opt = (grn_cut_opt_t)GRN_CUT_OPT_INIT;
    opt.tail = 0.9;
    opt.tail_unimodal = 1;
    assert_int_equal(grn_cut_fit(x, 200, &opt, &f), GRN_OK);
    assert_true(f.klass == GRN_CUT_UNIMODAL && f.n_on == 20);
}

/* ---- the table of the specification: share of data sets called bimodal and shoulder, n = 1000 ---- */

static double normal_pair(grn_rng_t *r, double w, double m, double s)
{
    return grn_rng_unif(r) < w ? m + s * grn_rng_normal(r) : grn_rng_normal(r);
}

static double draw(int kind, grn_rng_t *r)
{
    double a, b;
    switch (kind) {
    case 0: return grn_rng_normal(r);
    case 1: return grn_rng_gamma(r, 2);
    case 2: return grn_rng_gamma(r, 5);
    case 3: return exp(0.5 * grn_rng_normal(r));
    case 4: return grn_rng_exp(r);
    case 5: a = grn_rng_gamma(r, 2), b = grn_rng_gamma(r, 8); return a / (a + b);
    case 6: a = grn_rng_normal(r), b = grn_rng_gamma(r, 2.5); return a / sqrt(2 * b / 5); /* Student t5 */
    case 7: return grn_rng_unif(r);
    case 8: return normal_pair(r, 0.5, 3, 1);
    case 9: return normal_pair(r, 0.2, 3, 1);
    case 10: return normal_pair(r, 0.3, 2.5, 1);
    case 11: return normal_pair(r, 0.1, 4, 1);
    case 12: return normal_pair(r, 0.05, 4, 1);
    case 13: return normal_pair(r, 0.2, 4, 0.5);
    case 14: return normal_pair(r, 0.2, 5, 2);
    default: return grn_rng_unif(r) < 0.2 ? 8 + grn_rng_normal(r) : grn_rng_gamma(r, 2);
    }
}

static void test_table(void **state)
{
    (void)state;
    /* specification, without the dip term: bimodal and shoulder; gate is dBIC, D and w */
    static const struct {
        const char *name;
        double dbic, gate, bimodal, shoulder;
    } want[16] = {
        { "normal", 0, 0, 0, 0 },
        { "gamma(2)", 1, 0, 0, 0 },
        { "gamma(5)", 1, 0, 0, 0 },
        { "lognormal(.5)", 1, 0, 0, 0 },
        { "exponential", 1, 0, 0, 0 },
        { "beta(2,8)", 1, 0, 0, 0 },
        { "t5", 0.97, 0, 0, 0 },
        { "uniform", 1, 1, 0.26, 0 },
        { "50/50 3 sd", 1, 1, 1, 0 },
        { "20/80 3 sd", 1, 0.99, 0.14, 0.80 },
        { "30/70 2.5 sd", 1, 0.96, 0, 0.44 },
        { "10/90 4 sd", 1, 1, 0.99, 0.01 },
        { "5/95 4 sd", 1, 0.53, 0.46, 0.07 },
        { "20/80 4 sd narrow", 1, 1, 1, 0 },
        { "20/80 5 sd wide", 1, 1, 1, 0 },
        { "gamma(2) + 20%", 1, 1, 1, 0 },
    };
    const char *full = getenv("GRN_TABLE_REPLICATES"); /* bench: the full table */
    int rep = full ? (int)strtol(full, NULL, 10) : 25;
    static float x[1000];
    for (int k = 0; k < 16; k++) {
        double dbic = 0, gate = 0, bimodal = 0, shoulder = 0, bimodal_dip = 0;
        for (int i = 0; i < rep; i++) {
            grn_rng_t r;
            grn_rng_init2(&r, 11, "test.table", (uint64_t)k, (uint64_t)i);
            for (int j = 0; j < 1000; j++) x[j] = (float)draw(k, &r);
            grn_cut_t f = cut(x, 1000);
            int d = f.dbic >= 10, g = d && f.ashman > 2 && f.mix.w[0] >= 0.05 && f.mix.w[1] >= 0.05;
            dbic += d;
            gate += g;
            bimodal += g && !isnan(f.cross) && f.valley >= 0.1;
            shoulder += g && !isnan(f.cross) && f.valley < 0.1 && fabs(f.skew) >= 0.3 && f.ashman >= 2.5;
            bimodal_dip += (f.klass & 0x3f) == GRN_CUT_BIMODAL;
        }
        print_message("# %-18s dBIC %.2f (%.2f) gate %.2f (%.2f) bimodal %.2f (%.2f) shoulder %.2f (%.2f); with dip: bimodal %.2f\n",
                      want[k].name, dbic / rep, want[k].dbic, gate / rep, want[k].gate, bimodal / rep, want[k].bimodal, shoulder / rep,
                      want[k].shoulder, bimodal_dip / rep);
        /* 0.05 plus the sampling error of both simulations (theirs had 80-100 replicates) */
        for (int c = 0; c < 4; c++) {
            double got = (c == 0 ? dbic : c == 1 ? gate : c == 2 ? bimodal : shoulder) / rep;
            double p = c == 0 ? want[k].dbic : c == 1 ? want[k].gate : c == 2 ? want[k].bimodal : want[k].shoulder;
            double se = sqrt(p * (1 - p) * (1.0 / rep + 1.0 / 80));
            assert_true(fabs(got - p) <= 0.05 + 2.5 * se);
        }
        if (k < 8) assert_true(bimodal_dip / rep <= 0.12); /* no single population is called two */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cross_golden),   cmocka_unit_test(test_cross_cases), cmocka_unit_test(test_fit_planted),
        cmocka_unit_test(test_fit_degenerate), cmocka_unit_test(test_density),     cmocka_unit_test(test_dip),
        cmocka_unit_test(test_dip_null),       cmocka_unit_test(test_degenerate),  cmocka_unit_test(test_mass_and_order),
        cmocka_unit_test(test_methods),        cmocka_unit_test(test_table),       cmocka_unit_test(test_pass),
        cmocka_unit_test(test_moments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
