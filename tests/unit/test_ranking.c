/* grn-build's rankings: by hand, ties by name, order statistics. */
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
#include "grn-build/ranking.h"

static void by_hand(void **state)
{
    (void)state;
    const float score[6] = { 0.5f, 3, -2, 0.25f, 1e-30f, 1e30f };
    const uint32_t want[6] = { 2, 1, 5, 3, 4, 0 };
    uint64_t hash[6] = { 1, 2, 3, 4, 5, 6 };
    uint32_t rank[6];
    grn_ranking_t w = { 0 };
    assert_int_equal(grn_ranking_of(&w, score, hash, 6, 1, 7, rank), GRN_OK);
    assert_memory_equal(rank, want, sizeof want);
    assert_int_equal(grn_ranking_of(&w, score, hash, 0, 1, 7, rank), GRN_OK);
    assert_int_equal(grn_ranking_of(&w, score, hash, 1, 1, 7, rank), GRN_OK);
    assert_int_equal(rank[0], 0);
    float bad[2] = { 0, NAN };
    assert_int_equal(grn_ranking_of(&w, bad, hash, 2, 1, 7, rank), GRN_ENONFINITE);
    bad[1] = INFINITY;
    assert_int_equal(grn_ranking_of(&w, bad, hash, 2, 1, 7, rank), GRN_ENONFINITE);
    grn_ranking_clear(&w);
}

/* Ranks of n scores of few values against a plain sort, and again from another order of the regions. */
static void ties_by_name(void **state)
{
    (void)state;
    enum { N = 5000 };
    static float score[N], turned[N];
    static uint64_t hash[N], turned_hash[N];
    static uint32_t rank[N], again[N], other[N], seen[N];
    grn_rng_t r;
    grn_rng_init(&r, 1, "test.ranking", 0);
    grn_ranking_t w = { 0 };
    const size_t sizes[] = { 2, 47, 48, 49, 300, N };
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        size_t n = sizes[s], n_other = 0, n_first = 0;
        for (size_t i = 0; i < n; i++) {
            score[i] = grn_rng_below(&r, 3) ? (grn_rng_below(&r, 2) ? 0.0f : -0.0f) : (float)grn_rng_below(&r, 20);
            hash[i] = grn_rng_u64(&r);
        }
        assert_int_equal(grn_ranking_of(&w, score, hash, n, 1, 5, rank), GRN_OK);
        memset(seen, 0, sizeof seen);
        for (size_t i = 0; i < n; i++) {
            size_t above = 0, not_below = 0;
            assert_true(rank[i] < n && !seen[rank[i]]++);
            for (size_t k = 0; k < n; k++) above += score[k] > score[i], not_below += score[k] >= score[i];
            assert_true(rank[i] >= above && rank[i] < not_below);
        }
        for (size_t i = 0; i < n; i++) turned[n - 1 - i] = score[i], turned_hash[n - 1 - i] = hash[i];
        assert_int_equal(grn_ranking_of(&w, turned, turned_hash, n, 1, 5, again), GRN_OK);
        for (size_t i = 0; i < n; i++) assert_int_equal(again[n - 1 - i], rank[i]);
        assert_int_equal(grn_ranking_of(&w, score, hash, n, 1, 6, other), GRN_OK); /* another motif */
        for (size_t i = 0; i < n; i++) n_other += other[i] != rank[i], n_first += rank[i] > i;
        assert_true(n < 48 || (n_other > n / 4 && n_first > n / 5));
    }
    grn_mem_fail_after(1);
    grn_ranking_t fresh = { 0 };
    assert_int_equal(grn_ranking_of(&fresh, score, hash, N, 1, 5, rank), GRN_ENOMEM);
    grn_mem_fail_after(0);
    grn_ranking_clear(&fresh);
    grn_ranking_clear(&w);
}

/* Names whose keys agree in their upper half: 200,000 equal scores have a few such pairs; the order must not be that of the input. */
static void many_ties(void **state)
{
    (void)state;
    enum { N = 200000 };
    float *score = calloc(N, sizeof *score);
    uint64_t *hash = malloc(N * sizeof *hash), *turned = malloc(N * sizeof *turned);
    uint32_t *a = malloc(N * sizeof *a), *b = malloc(N * sizeof *b);
    grn_ranking_t w = { 0 };
    for (uint64_t i = 0; i < N; i++) hash[i] = grn_rng_key(3, "test.ranking", i, 0);
    for (size_t i = 0; i < N; i++) turned[N - 1 - i] = hash[i];
    assert_int_equal(grn_ranking_of(&w, score, hash, N, 1, 5, a), GRN_OK);
    assert_int_equal(grn_ranking_of(&w, score, turned, N, 1, 5, b), GRN_OK);
    for (size_t i = 0; i < N; i++) assert_int_equal(a[i], b[N - 1 - i]);
    double first = 0; /* every region is as likely to come first: mean place of the first half */
    for (size_t i = 0; i < N / 2; i++) first += a[i];
    assert_true(fabs(first / (N / 2) - N / 2.) < 4 * N / sqrt(12. * N));
    grn_ranking_clear(&w);
    free(score);
    free(hash);
    free(turned);
    free(a);
    free(b);
}

/* Stuart's alternating sum, in long double: good for few species. */
static double alternating(const double *r, size_t n)
{
    long double w[32] = { 1 };
    for (size_t k = 1; k <= n; k++) {
        long double x = r[n - k], c = 1, power = 1, sum = 0;
        for (size_t j = 1; j <= k; j++) {
            c = c * (long double)(k - j + 1) / (long double)j;
            power *= x;
            sum += (j % 2 ? 1 : -1) * c * power * w[k - j];
        }
        w[k] = sum;
    }
    return (double)w[n];
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void order_statistics(void **state)
{
    (void)state;
    double r[40] = { .3, .1, .2 };
    assert_true(grn_ranking_q(r, 0) == 1);
    assert_true(fabs(grn_ranking_q(r, 3) - 0.016) < 1e-15); /* 6 r1 r2 r3 - 3 r1^2 r3 - 3 r1 r2^2 + r1^3 */
    for (int i = 0; i < 3; i++) r[i] = 1;
    assert_true(fabs(grn_ranking_q(r, 3) - 1) < 1e-15);
    for (int i = 0; i < 40; i++) r[i] = 0.25;
    assert_true(fabs(grn_ranking_q(r, 40) / pow(0.25, 40) - 1) < 1e-12); /* all below one value */
    grn_rng_t g;
    grn_rng_init(&g, 1, "test.ranking.q", 0);
    for (int round = 0; round < 200; round++) {
        size_t n = 1 + (size_t)grn_rng_below(&g, 8);
        double x[8];
        for (size_t i = 0; i < n; i++) r[i] = x[i] = grn_rng_open(&g);
        qsort(x, n, sizeof *x, ascending);
        double q = grn_ranking_q(r, n), want = alternating(x, n);
        assert_true(fabs(q - want) < 1e-12 + 1e-9 * want && q >= 0 && q <= 1);
    }
    /* forty small ratios: the alternating sum has lost every digit; P(all U_(i) <= r_i) is between r_1^n and r_n^n */
    for (int i = 0; i < 40; i++) r[i] = 0.001 * (i + 1);
    double q = grn_ranking_q(r, 40);
    assert_true(q > pow(0.001, 40) && q < pow(0.04, 40));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(by_hand), cmocka_unit_test(ties_by_name), cmocka_unit_test(many_ties),
                                        cmocka_unit_test(order_statistics) };
    return cmocka_run_group_tests_name("ranking", tests, NULL, NULL);
}
