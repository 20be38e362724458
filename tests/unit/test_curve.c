/* curve: ROC, precision-recall, early precision, bootstrap */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "stat/curve.h"

/* Ten items in six tie groups, worked by hand: after each group (tp, fp) = (1,0) (2,1) (3,1) (4,3) (4,4) (5,5). */
static const double hand_score[10] = { 5, 4, 4, 3, 2, 2, 2, 1, 0, 0 };
static const uint8_t hand_label[10] = { 1, 1, 0, 1, 0, 1, 0, 0, 1, 0 };

static void test_hand(void **state)
{
    (void)state;
    grn_curve_t c;
    assert_int_equal(grn_curve_score(hand_score, hand_label, 10, &c), GRN_OK);
    assert_true(c.n_pos == 5 && c.n_neg == 5 && c.density == 0.5);
    /* 1*(1+2)/2 + 2*(3+4)/2 + 1*4 + 1*(4+5)/2 = 17 of 25 */
    assert_true(fabs(c.auroc - 17.0 / 25) < 1e-15);
    /* precisions 1, 2/3, 3/4, 4/7, 1/2, 1/2 at recalls 1/5 .. 5/5 */
    assert_true(fabs(c.ap - (1 + 2.0 / 3 + 3.0 / 4 + 4.0 / 7 + 1.0 / 2) / 5) < 1e-15);
    assert_true(fabs(c.auprc - (1 + (1 + 2.0 / 3) / 2 + (2.0 / 3 + 3.0 / 4) / 2 + (3.0 / 4 + 4.0 / 7) / 2 + 1.0 / 2) / 5) <
                1e-15);
    /* the 5th item scores 2: all seven items >= 2 are taken, four of them true */
    assert_true(c.n_selected == 7 && fabs(c.ep - 4.0 / 7) < 1e-15 && fabs(c.epr - 8.0 / 7) < 1e-15);
}

static void test_order_free(void **state)
{
    (void)state;
    static const int p[10] = { 9, 3, 0, 7, 5, 1, 8, 2, 6, 4 };
    double s[10];
    uint8_t l[10];
    uint64_t key[10], key_p[10];
    grn_curve_t a, b;
    grn_curve_ci_t ca, cb;
    for (int i = 0; i < 10; i++) key[i] = 1000 + (uint64_t)i;
    for (int i = 0; i < 10; i++) s[i] = hand_score[p[i]], l[i] = hand_label[p[i]], key_p[i] = key[p[i]];
    assert_int_equal(grn_curve_score(hand_score, hand_label, 10, &a), GRN_OK);
    assert_int_equal(grn_curve_score(s, l, 10, &b), GRN_OK);
    assert_memory_equal(&a, &b, sizeof a);
    assert_int_equal(grn_curve_bootstrap(hand_score, hand_label, key, 10, 50, 0.9, 3, NULL, &ca), GRN_OK);
    assert_int_equal(grn_curve_bootstrap(s, l, key_p, 10, 50, 0.9, 3, NULL, &cb), GRN_OK);
    assert_memory_equal(&ca, &cb, sizeof ca);
}

static void test_edges(void **state)
{
    (void)state;
    grn_curve_t c;
    const double s[4] = { 0.5, 0.5, 0.5, 0.5 }, zero[4] = { 0, -0.0, 0, 0 }, bad[2] = { 1, NAN };
    const uint8_t l[4] = { 1, 0, 0, 0 }, all[4] = { 1, 1, 1, 1 }, none[4] = { 0, 0, 0, 0 };
    assert_int_equal(grn_curve_score(NULL, NULL, 0, &c), GRN_OK);
    assert_true(isnan(c.auroc) && isnan(c.auprc) && isnan(c.epr) && isnan(c.density));
    assert_int_equal(grn_curve_score(s, l, 4, &c), GRN_OK); /* everything tied: chance */
    assert_true(c.auroc == 0.5 && c.ap == 0.25 && c.auprc == 0.625 && c.epr == 1 && c.n_selected == 4);
    assert_int_equal(grn_curve_score(zero, l, 4, &c), GRN_OK); /* nothing predicted */
    assert_true(c.epr == 0 && c.n_selected == 0 && c.auroc == 0.5);
    assert_int_equal(grn_curve_score(s, all, 4, &c), GRN_OK);
    assert_true(isnan(c.auroc) && c.auprc == 1 && c.ap == 1 && c.epr == 1);
    assert_int_equal(grn_curve_score(s, none, 4, &c), GRN_OK);
    assert_true(isnan(c.auroc) && isnan(c.auprc) && isnan(c.ap) && isnan(c.epr));
    assert_int_equal(grn_curve_score(bad, l, 2, &c), GRN_ENONFINITE);
}

/* Fewer non-zero predictions than positives: the cutoff is the smallest non-zero score. Negative scores order below zero. */
static void test_early(void **state)
{
    (void)state;
    grn_curve_t c;
    const double s[6] = { 0.9, 0.1, 0, 0, 0, 0 };
    const uint8_t l[6] = { 1, 0, 1, 1, 0, 0 };
    assert_int_equal(grn_curve_score(s, l, 6, &c), GRN_OK);
    assert_true(c.n_selected == 2 && c.ep == 0.5 && c.epr == 1);
    const double neg[3] = { -1, -2, 3 };
    const uint8_t nl[3] = { 1, 0, 1 };
    assert_int_equal(grn_curve_score(neg, nl, 3, &c), GRN_OK);
    assert_true(c.auroc == 1 && c.ap == 1);
}

static void test_points(void **state)
{
    (void)state;
    grn_curve_points_t p;
    static const uint64_t tp[6] = { 1, 2, 3, 4, 4, 5 }, fp[6] = { 0, 1, 1, 3, 4, 5 };
    static const double at[6] = { 5, 4, 3, 2, 1, 0 };
    assert_int_equal(grn_curve_points(hand_score, hand_label, 10, &p), GRN_OK);
    assert_int_equal(p.n, 6);
    assert_memory_equal(p.tp, tp, sizeof tp);
    assert_memory_equal(p.fp, fp, sizeof fp);
    assert_memory_equal(p.threshold, at, sizeof at);
    grn_curve_points_thin(&p, 3);
    assert_true(p.n <= 3 && p.tp[0] == 1 && p.tp[p.n - 1] == 5 && p.fp[p.n - 1] == 5);
    grn_curve_points_clear(&p);
    assert_int_equal(grn_curve_points(NULL, NULL, 0, &p), GRN_OK);
    assert_int_equal(p.n, 0);
    grn_curve_points_clear(&p);
}

/* AUROC = Mann-Whitney: counted pair by pair on random scores with many ties. */
static void test_against_pairs(void **state)
{
    (void)state;
    enum { N = 300 };
    static double s[N];
    static uint8_t l[N];
    grn_rng_t r;
    grn_curve_t c;
    double wins = 0, pairs = 0;
    grn_rng_init(&r, 5, "test.curve", 0);
    for (int i = 0; i < N; i++) l[i] = grn_rng_unif(&r) < 0.3, s[i] = (double)grn_rng_below(&r, 20) * 0.25 - 1 + l[i];
    assert_int_equal(grn_curve_score(s, l, N, &c), GRN_OK);
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            if (l[i] && !l[j]) pairs += 1, wins += s[i] > s[j] ? 1 : s[i] == s[j] ? 0.5 : 0;
    assert_true(fabs(c.auroc - wins / pairs) < 1e-12);
}

/* The bootstrap sd of a mean is sd/sqrt(n): the 95 % interval has width 3.92 of those; grouping items by key widens it by
 * sqrt(group). */
static void test_bootstrap(void **state)
{
    (void)state;
    enum { N = 400 };
    static double x[N], s[N];
    static uint8_t l[N];
    static uint64_t own[N], group[N];
    double mean, lo, hi, lo_g, hi_g;
    grn_rng_t r;
    grn_curve_ci_t ci, ci2;
    grn_curve_t c;
    grn_par_t *pool = NULL;
    grn_rng_init(&r, 9, "test.boot", 0);
    for (int i = 0; i < N; i++) {
        own[i] = (uint64_t)i + 1;
        group[i] = (uint64_t)i / 4 + 1;
        x[i] = i % 4 == 0 ? grn_rng_normal(&r) : x[i - 1]; /* four copies of each value */
        l[i] = (uint8_t)(i & 1);
        s[i] = grn_rng_normal(&r) + l[i];
    }
    assert_int_equal(grn_curve_mean_ci(x, own, N, 2000, 0.95, 1, &mean, &lo, &hi), GRN_OK);
    assert_int_equal(grn_curve_mean_ci(x, group, N, 2000, 0.95, 1, &mean, &lo_g, &hi_g), GRN_OK);
    assert_true(fabs((hi - lo) / (3.92 / sqrt(N)) - 1) < 0.2);
    assert_true(fabs((hi_g - lo_g) / (hi - lo) - 2) < 0.3);
    assert_int_equal(grn_curve_mean_ci(x, group, 4, 100, 0.95, 1, &mean, &lo, &hi), GRN_OK); /* one key: no spread */
    assert_true(mean == x[0] && isnan(lo) && isnan(hi));
    assert_int_equal(grn_curve_mean_ci(x, NULL, 0, 100, 0.95, 1, &mean, &lo, &hi), GRN_OK);
    assert_true(isnan(mean));
    assert_int_equal(grn_par_create(&pool, 2), GRN_OK);
    assert_int_equal(grn_curve_score(s, l, N, &c), GRN_OK);
    assert_int_equal(grn_curve_bootstrap(s, l, own, N, 400, 0.95, 1, NULL, &ci), GRN_OK);
    assert_int_equal(grn_curve_bootstrap(s, l, own, N, 400, 0.95, 1, pool, &ci2), GRN_OK);
    assert_memory_equal(&ci, &ci2, sizeof ci);
    assert_true(ci.lo.auroc < c.auroc && c.auroc < ci.hi.auroc);
    /* Hanley & McNeil: with AUC 0.76 and 200 + 200 items the standard error is about 0.024 */
    assert_true(fabs((ci.hi.auroc - ci.lo.auroc) / (3.92 * 0.024) - 1) < 0.25);
    assert_int_equal(grn_curve_bootstrap(s, l, own, N, 10, 1.0, 1, NULL, &ci), GRN_EINVAL);
    grn_par_destroy(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hand),      cmocka_unit_test(test_order_free), cmocka_unit_test(test_edges),
        cmocka_unit_test(test_early),     cmocka_unit_test(test_points),     cmocka_unit_test(test_against_pairs),
        cmocka_unit_test(test_bootstrap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
