/* Ranks, correlations, FDR. Small cases are worked by hand; the decimals of the larger ones are
 * scipy 1.17.1's. */
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
#include "stat/corr.h"
#include "stat/fdr.h"
#include "stat/rank.h"

static void near(double got, double want, double tol)
{
    if (!(fabs(got - want) <= tol)) fail_msg("got %.17g, want %.17g", got, want);
}

static const float X[] = { 0, 0, 0, 0, 3, -1, 2, 0, 5, 2 }, Y[] = { 0, 0, 1, 0, 4, 2, 0, 0, 5, -2 };

/* The sparse form of a dense vector; `keep_zero` stores this one zero explicitly (SIZE_MAX: none).
 */
static grn_spcol_t sparse(const float *x, size_t n, uint32_t *idx, float *val, size_t keep_zero)
{
    size_t m = 0;
    for (size_t i = 0; i < n; i++) {
        if (x[i] != 0 || i == keep_zero) idx[m] = (uint32_t)i, val[m++] = x[i];
    }
    return (grn_spcol_t){ n, m, idx, val };
}

static void ranks_share_the_mean_of_a_tie(void **state)
{
    (void)state;
    grn_rank_t w = { 0 };
    double r[10], ties, zero;
    const double want_x[] = { 4, 4, 4, 4, 9, 1, 7.5, 4, 10, 7.5 };
    assert_int_equal(grn_rank_avg(&w, X, 10, r, &ties), GRN_OK);
    for (int i = 0; i < 10; i++) near(r[i], want_x[i], 0);
    near(ties, (125 - 5) + (8 - 2), 0);
    /* sparse: the stored values of Y, one zero stored as well */
    uint32_t idx[10];
    float val[10];
    grn_spcol_t s = sparse(Y, 10, idx, val, 3);
    const double want_y[] = { 7, 4, 9, 8, 10, 1 }; /* places 2, 3, 4, 5, 8, 9 */
    assert_int_equal(grn_rank_avg_sparse(&w, s.val, s.n_nz, 10, r, &zero, &ties), GRN_OK);
    for (int i = 0; i < 6; i++) near(r[i], want_y[i], 0);
    near(zero, 4, 0);
    near(ties, 120, 0);
    grn_rank_clear(&w);
}

static void ranks_of_odd_vectors(void **state)
{
    (void)state;
    grn_rank_t w = { 0 };
    double r[3], zero, ties = -1;
    assert_int_equal(grn_rank_avg(&w, X, 0, r, &ties), GRN_OK);
    near(ties, 0, 0);
    assert_int_equal(grn_rank_avg(&w, X + 4, 1, r, NULL), GRN_OK);
    near(r[0], 1, 0);
    const float signed_zero[] = { -0.0f, 0.0f, -1e-45f };
    assert_int_equal(grn_rank_avg(&w, signed_zero, 3, r, NULL), GRN_OK);
    assert_true(r[0] == 2.5 && r[1] == 2.5 && r[2] == 1);
    assert_int_equal(grn_rank_avg_sparse(&w, NULL, 0, 4, r, &zero, &ties), GRN_OK);
    assert_true(zero == 2.5 && ties == 60);
    const float positive[] = { 2, 1, 2 };
    assert_int_equal(grn_rank_avg_sparse(&w, positive, 3, 3, r, &zero, NULL), GRN_OK);
    assert_true(r[0] == 2.5 && r[1] == 1 && r[2] == 2.5 && zero == 0.5);
    const float bad[] = { 1, NAN, 2 };
    assert_int_equal(grn_rank_avg(&w, bad, 3, r, NULL), GRN_ENONFINITE);
    assert_non_null(strstr(grn_err_msg(), "value 2 of 3"));
    assert_int_equal(grn_rank_avg_sparse(&w, positive, 3, 2, r, &zero, NULL), GRN_EINVAL);
    grn_rank_clear(&w);
}

/* The radix path agrees with counting smaller and equal values. */
static void ranks_of_many_values(void **state)
{
    (void)state;
    enum { N = 3000 };
    static float x[N];
    static double r[N];
    grn_rank_t w = { 0 };
    grn_rng_t g;
    grn_rng_init(&g, 1, "test.rank", 0);
    for (int i = 0; i < N; i++) x[i] = (float)grn_rng_normal(&g) * (i % 3 ? 1e3f : 1e-3f);
    for (int i = 0; i < N; i += 2) x[i] = roundf(x[i]);
    assert_int_equal(grn_rank_avg(&w, x, N, r, NULL), GRN_OK);
    for (int i = 0; i < N; i += 7) {
        double below = 0, equal = 0;
        for (int k = 0; k < N; k++) below += x[k] < x[i], equal += x[k] == x[i];
        near(r[i], below + (equal + 1) / 2, 0);
    }
    grn_rank_clear(&w);
}

static void correlations_agree_dense_and_sparse(void **state)
{
    (void)state;
    uint32_t ix[10], iy[10];
    float vx[10], vy[10];
    double d, s, p, ps;
    grn_spcol_t x = sparse(X, 10, ix, vx, 1), y = sparse(Y, 10, iy, vy, SIZE_MAX);
    near(grn_corr_pearson(X, Y, 10), 0.5688801239885741, 1e-15);
    near(grn_corr_pearson_sp(&x, &y), 0.5688801239885741, 1e-15);
    assert_int_equal(grn_corr_spearman(X, Y, 10, &d), GRN_OK);
    assert_int_equal(grn_corr_spearman_sp(&x, &y, &s), GRN_OK);
    near(d, 0.22145461294330654, 1e-15);
    near(s, 0.22145461294330654, 1e-15);
    assert_int_equal(grn_corr_kendall(X, Y, 10, &d, &p), GRN_OK);
    assert_int_equal(grn_corr_kendall_sp(&x, &y, &s, &ps), GRN_OK);
    near(d, 0.11595420713048966, 1e-15);
    near(s, 0.11595420713048966, 1e-15);
    near(p, 0.6793853982906796, 1e-13);
    near(ps, 0.6793853982906796, 1e-13);
    near(grn_corr_p(0.5688801239885741, 10), 0.08612754036568834, 1e-13);
    near(grn_corr_p(0.22145461294330654, 10), 0.5386347063525467, 1e-13);
}

static void kendall_by_hand(void **state)
{
    (void)state;
    /* pairs (1,2) (2,1) (3,4) (4,3): 6 pairs, 2 discordant: tau = (4 - 2) / 6 */
    const float a[] = { 1, 2, 3, 4 }, b[] = { 2, 1, 4, 3 }, flat[] = { 7, 7, 7, 7 };
    double t, p;
    assert_int_equal(grn_corr_kendall(a, b, 4, &t, &p), GRN_OK);
    near(t, 1.0 / 3, 1e-15);
    near(p, erfc(2 / sqrt(2 * 26.0 / 3)), 1e-15); /* variance n(n-1)(2n+5)/18 = 26/3 */
    assert_int_equal(grn_corr_kendall(a, flat, 4, &t, &p), GRN_OK);
    assert_true(isnan(t) && isnan(p));
    assert_int_equal(grn_corr_kendall(a, a, 4, &t, NULL), GRN_OK);
    near(t, 1, 0);
    const float bad[] = { 1, 2, INFINITY, 4 };
    assert_int_equal(grn_corr_kendall(a, bad, 4, &t, NULL), GRN_ENONFINITE);
}

static void degenerate_correlations_are_nan(void **state)
{
    (void)state;
    const float one[] = { 0.1f, 0.1f, 0.1f }, up[] = { 1, 2, 3 };
    double r;
    assert_true(isnan(grn_corr_pearson(one, up, 3)));
    assert_true(isnan(grn_corr_pearson(up, up, 1)) && isnan(grn_corr_pearson(up, up, 0)));
    assert_int_equal(grn_corr_spearman(one, up, 3, &r), GRN_OK);
    assert_true(isnan(r));
    assert_int_equal(grn_corr_spearman(up, up, 0, &r), GRN_OK);
    assert_true(isnan(r));
    assert_true(isnan(grn_corr_p(NAN, 10)) && isnan(grn_corr_p(0.5, 2)) && grn_corr_p(-1, 5) == 0);
    near(grn_corr_pearson(up, up, 3), 1, 1e-15);
    const float mix[] = { 1, NAN, 3 };
    assert_int_equal(grn_corr_spearman(mix, up, 3, &r), GRN_ENONFINITE);
}

/* 300 random cells, three columns in a block against one pair at a time, and dense. */
static void a_block_gives_what_pairs_give(void **state)
{
    (void)state;
    enum { N = 300, K = 3 };
    static float x[K][N], val[K * N], v[N], r[N];
    static uint32_t idx[K * N];
    uint64_t off[K + 1] = { 0 };
    grn_rng_t g;
    grn_rng_init(&g, 3, "test.block", 0);
    for (int j = 0; j < K; j++) {
        off[j + 1] = off[j];
        for (uint32_t i = 0; i < N; i++) {
            x[j][i] = grn_rng_unif(&g) < 0.3 ? (float)grn_rng_poisson(&g, 2 + j) : 0;
            if (x[j][i] != 0) idx[off[j + 1]] = i, val[off[j + 1]++] = x[j][i];
        }
    }
    grn_corr_cols_t c;
    assert_int_equal(grn_corr_cols_init(&c, N, K, off, idx, val, NULL), GRN_OK);
    for (size_t j = 0; j < K; j++) {
        grn_corr_spread(&c, j, v, r);
        for (size_t i = 0; i < K; i++) {
            double p, s, want;
            grn_corr_pair(&c, i, &c, j, v, r, &p, &s);
            near(p, grn_corr_pearson(x[i], x[j], N), 1e-13);
            assert_int_equal(grn_corr_spearman(x[i], x[j], N, &want), GRN_OK);
            near(s, want, 1e-13);
        }
        grn_corr_drop(&c, j, v, r);
    }
    for (int i = 0; i < N; i++) assert_true(v[i] == 0 && r[i] == 0);
    grn_corr_cols_clear(&c);
    grn_mem_fail_after(2);
    assert_int_equal(grn_corr_cols_init(&c, N, K, off, idx, val, NULL), GRN_ENOMEM);
    grn_mem_fail_after(0);
}

static void fdr_by_hand(void **state)
{
    (void)state;
    double p[] = { 0.01, 0.02, 0.03, 0.04 }, q[6];
    size_t n_nan = 9;
    assert_int_equal(grn_fdr_bh(p, 4, q, &n_nan), GRN_OK);
    for (int i = 0; i < 4; i++) near(q[i], 0.04, 1e-17);
    assert_int_equal(n_nan, 0);
    /* NaN is left out: m = 4. Sorted 0.001 0.2 0.2 0.9 -> 0.004, 0.8/3, 0.8/3, 0.9 */
    double with_nan[] = { 0.2, NAN, 0.001, 0.9, 0.2, NAN };
    assert_int_equal(grn_fdr_bh(with_nan, 6, q, &n_nan), GRN_OK);
    near(q[0], 0.8 / 3, 1e-15);
    near(q[2], 0.004, 1e-15);
    near(q[3], 0.9, 1e-15);
    near(q[4], 0.8 / 3, 1e-15);
    assert_true(isnan(q[1]) && isnan(q[5]) && n_nan == 2);
    assert_int_equal(grn_fdr_bh(with_nan, 6, with_nan, NULL), GRN_OK); /* in place */
    near(with_nan[2], 0.004, 1e-15);
    /* two of ten tests: 0.001 x 10 / 1, 0.004 x 10 / 2 */
    double some[] = { 0.004, NAN, 0.001 };
    assert_int_equal(grn_fdr_bh_some(some, 3, 10, q), GRN_OK);
    near(q[0], 0.02, 1e-17);
    near(q[2], 0.01, 1e-17);
    assert_true(isnan(q[1]));
    assert_int_equal(grn_fdr_bh_some(some, 3, 1, q), GRN_EINVAL);
    double one[] = { 0.7 }, bad[] = { 0.5, 1.5 };
    assert_int_equal(grn_fdr_bh(one, 1, q, NULL), GRN_OK);
    near(q[0], 0.7, 0);
    assert_int_equal(grn_fdr_bh(one, 0, q, &n_nan), GRN_OK);
    q[0] = 42;
    assert_int_equal(grn_fdr_bh(bad, 2, q, NULL), GRN_EINVAL);
    near(q[0], 42, 0);
}

/* Values 5 3 3 2 1 0, null values of two runs 4 3 1.5: one above 4 of the null (0 / 2 / 1), two at 3 (2 / 2 / 3), 2 (2 / 2 / 4, the
 * smaller, so 3 has it too), 1 (3 / 2 / 5). */
static void fdr_against_a_null(void **state)
{
    (void)state;
    const float x[] = { 3, 0, 5, 1, 3, 2, -1 };
    float null[] = { 1.5f, 4, 3 }, q[7], few[] = { 9 }, none;
    const double want[] = { 0.25, 1, 0, 0.3, 0.25, 0.25, 1 };
    assert_int_equal(grn_fdr_null(x, 7, null, 3, 2, q), GRN_OK);
    for (int i = 0; i < 7; i++) assert_true(fabs(q[i] - want[i]) < 1e-6);
    assert_int_equal(grn_fdr_null(x, 7, few, 0, 2, q), GRN_OK); /* nothing by chance */
    for (int i = 0; i < 7; i++) assert_true(q[i] == (x[i] > 0 ? 0 : 1));
    assert_int_equal(grn_fdr_null(x, 1, few, 1, 1, q), GRN_OK);
    assert_true(q[0] == 1);
    assert_int_equal(grn_fdr_null(NULL, 0, &none, 0, 1, q), GRN_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fdr_against_a_null),
        cmocka_unit_test(ranks_share_the_mean_of_a_tie),
        cmocka_unit_test(ranks_of_odd_vectors),
        cmocka_unit_test(ranks_of_many_values),
        cmocka_unit_test(correlations_agree_dense_and_sparse),
        cmocka_unit_test(kendall_by_hand),
        cmocka_unit_test(degenerate_correlations_are_nan),
        cmocka_unit_test(a_block_gives_what_pairs_give),
        cmocka_unit_test(fdr_by_hand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
