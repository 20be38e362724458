/* cisTarget: AUC, NES and leading edges by hand, and against dense recovery curves in double. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/mem.h"
#include "base/par.h"
#include "base/rng.h"
#include "grn-build/cistarget.h"
#include "grn-build/ranking.h"

static void near(double got, double want, double tol)
{
    if (!(fabs(got - want) <= tol)) fail_msg("got %.17g, want %.17g", got, want);
}

static void half_to_even(void **state)
{
    (void)state;
    assert_int_equal(grn_round_even(0.5), 0);
    assert_int_equal(grn_round_even(1.5), 2);
    assert_int_equal(grn_round_even(2.5), 2);
    assert_int_equal(grn_round_even(50.5), 50); /* lround gives 51 */
    assert_int_equal(grn_round_even(50.51), 51);
    assert_int_equal(grn_round_even(7), 7);
}

/* One motif whose regions 0 and 1 have the ranks a and b of 100; the others share the rest. */
static void rank_two(uint32_t *rank, uint32_t a, uint32_t b)
{
    uint32_t next = 0;
    rank[0] = a;
    rank[1] = b;
    for (int i = 2; i < 100; i++) {
        while (next == a || next == b) next++;
        rank[i] = next++;
    }
}

static void auc_by_hand(void **state)
{
    (void)state;
    grn_cistarget_t t;
    grn_cistarget_work_t w = { 0 };
    const uint32_t two[] = { 0, 1 }, *col[] = { two };
    const size_t n[] = { 2 };
    uint32_t rank[100];
    assert_int_equal(grn_cistarget_init(&t, 4, 100, 0.05, 0.2, 1, col, n), GRN_OK);
    assert_int_equal(t.c, 4); /* round(5) - 1 */
    assert_int_equal(t.rt, 20);
    const uint32_t pair[4][2] = { { 0, 3 }, { 0, 1 }, { 4, 50 }, { 19, 20 } };
    for (size_t m = 0; m < 4; m++) {
        rank_two(rank, pair[m][0], pair[m][1]);
        assert_int_equal(grn_cistarget_add(&t, m, rank, &w), GRN_OK);
    }
    assert_int_equal(grn_cistarget_finish(&t), GRN_OK);
    near(grn_cistarget_auc(&t, 0, 0), 0.5, 0); /* (4 + 1) / (5 x 2) */
    near(grn_cistarget_auc(&t, 0, 1), 0.7, 0); /* (4 + 3) / 10: the best there is */
    near(grn_cistarget_auc(&t, 0, 2), 0, 0);
    near(grn_cistarget_auc(&t, 0, 3), 0, 0);
    /* recovery at ranks 0, 3 and 19 of the four motifs: 1 1 0 0; 2 2 0 0; 2 2 1 1 */
    near(t.set[0].above[0], 0.5 + 2 * 0.5, 1e-15);
    near(t.set[0].above[3], 1 + 2 * 1.0, 1e-15);
    near(t.set[0].above[19], 1.5 + 2 * 0.5, 1e-15);
    grn_cistarget_clear(&t);
    grn_cistarget_work_clear(&w);
}

static void nes_by_hand(void **state)
{
    (void)state;
    grn_cistarget_t t;
    grn_cistarget_work_t w = { 0 };
    const uint32_t one[] = { 7 }, *col[] = { one };
    const size_t n[] = { 1 };
    uint32_t rank[100];
    for (int equal = 0; equal < 2; equal++) {
        assert_int_equal(grn_cistarget_init(&t, 4, 100, 0.05, 0.05, 1, col, n), GRN_OK);
        for (uint32_t m = 0; m < 4; m++) {
            for (uint32_t i = 0; i < 100; i++) rank[i] = (i + 93 + (equal ? 1 : 3 - m)) % 100; /* region 7 is at 3 - m */
            assert_int_equal(grn_cistarget_add(&t, m, rank, &w), GRN_OK);
        }
        assert_int_equal(grn_cistarget_finish(&t), GRN_OK);
        /* areas 1 2 3 4: mean 2.5, sd with divisor 4 is sqrt(1.25) */
        for (int m = 0; m < 4; m++) {
            if (equal) assert_true(isnan(t.set[0].nes[m]));
            else near(t.set[0].nes[m], (m + 1 - 2.5) / sqrt(1.25), 1e-15);
        }
        if (!equal) near(t.set[0].nes[3], 1.3416, 5e-5);
        grn_cistarget_clear(&t);
    }
    grn_cistarget_work_clear(&w);
}

static void edge_by_hand(void **state)
{
    (void)state;
    /* two motifs, three regions of ten in the set, rt = 8. Motif 0 ranks them 1, 2, 6; motif 1 at 7, 8, 9. RCC 0: 0 1 2 2 2 2 3 3;
     * RCC 1: 0 .. 0 1. Mean + 2 sd (sd = half the difference): 0 1.5 3 3 3 3 4.5 4 ; RCC 0 - that: 0 -.5 -1 .. -1.5 -1: first
     * maximum at 0, where nothing is recovered yet. Motif 1: 0 -1.5 -3 ... : also 0. */
    grn_cistarget_t t;
    grn_cistarget_work_t w = { 0 };
    const uint32_t set[] = { 2, 5, 9 }, *col[] = { set };
    const size_t n[] = { 3 };
    uint32_t hit[3], at;
    size_t n_hit;
    const uint32_t rank[2][10] = { { 0, 3, 1, 4, 5, 2, 7, 8, 9, 6 }, { 0, 1, 7, 2, 3, 8, 4, 5, 6, 9 } };
    assert_int_equal(grn_cistarget_init(&t, 2, 10, 0.3, 0.8, 1, col, n), GRN_OK);
    for (size_t m = 0; m < 2; m++) assert_int_equal(grn_cistarget_add(&t, m, rank[m], &w), GRN_OK);
    assert_int_equal(grn_cistarget_finish(&t), GRN_OK);
    const double above[] = { 0, 1.5, 3, 3, 3, 3, 4.5, 4 };
    for (int i = 0; i < 8; i++) near(t.set[0].above[i], above[i], 1e-14);
    assert_int_equal(grn_cistarget_edge(&t, 0, rank[0], &w, &at, hit, &n_hit), GRN_OK);
    assert_int_equal(at, 0);
    assert_int_equal(n_hit, 0);
    /* against a lower bar the maximum is at rank 2: regions 2 and 5; the third, at rank 6, is not of the edge */
    for (int i = 0; i < 8; i++) t.set[0].above[i] = 0.4 * i;
    assert_int_equal(grn_cistarget_edge(&t, 0, rank[0], &w, &at, hit, &n_hit), GRN_OK);
    assert_int_equal(at, 2);
    assert_int_equal(n_hit, 2);
    assert_int_equal(hit[0], 2);
    assert_int_equal(hit[1], 5);
    /* a region that has just the rank at the maximum is a hit; ranks from rt on never are */
    for (int i = 0; i < 8; i++) t.set[0].above[i] = 0;
    assert_int_equal(grn_cistarget_edge(&t, 0, rank[1], &w, &at, hit, &n_hit), GRN_OK);
    assert_int_equal(at, 7);
    assert_int_equal(n_hit, 1);
    assert_int_equal(hit[0], 2);
    grn_cistarget_clear(&t);
    grn_cistarget_work_clear(&w);
}

static void thresholds(void **state)
{
    (void)state;
    grn_cistarget_t t;
    const uint32_t one[] = { 0 }, *col[] = { one };
    const size_t n[] = { 1 };
    assert_int_equal(grn_cistarget_init(&t, 3, 100, 0.005, 0.05, 1, col, n), GRN_EINVAL); /* round(0.5) = 0 */
    assert_non_null(strstr(grn_err_msg(), "first 0"));
    assert_int_equal(grn_cistarget_init(&t, 3, 100, 0.2, 0.1, 1, col, n), GRN_EINVAL);
    assert_int_equal(grn_cistarget_init(&t, 3, 300, 0.005, 0.05, 1, col, n), GRN_OK); /* round(1.5) = 2 */
    assert_int_equal(t.c, 1);
    grn_cistarget_clear(&t);
    grn_mem_fail_after(3);
    assert_int_equal(grn_cistarget_init(&t, 3, 300, 0.005, 0.05, 1, col, n), GRN_ENOMEM);
    grn_mem_fail_after(0);
}

/* ---- against dense curves ---- */

enum { M = 120, N = 3000, S = 3 };

typedef struct {
    float score[M][N];
    uint32_t rank[M][N];
    uint32_t col[S][N];
    size_t n[S];
} data_t;

/* Scores of which most are 0, and of the rest many equal; set 0 is ranked high by the first motifs. */
static void make(data_t *d)
{
    grn_rng_t r;
    uint64_t hash[N];
    grn_ranking_t w = { 0 };
    grn_rng_init(&r, 7, "test.cistarget", 0);
    for (size_t i = 0; i < N; i++) hash[i] = grn_hash(&i, sizeof i);
    for (size_t s = 0; s < S; s++) {
        d->n[s] = 0;
        for (uint32_t i = 0; i < N; i++)
            if (grn_rng_unif(&r) < (s == 0 ? 0.05 : s == 1 ? 0.3 : 0.002)) d->col[s][d->n[s]++] = i;
    }
    for (size_t m = 0; m < M; m++) {
        for (size_t i = 0; i < N; i++) d->score[m][i] = grn_rng_unif(&r) < 0.85 ? 0 : (float)(grn_rng_below(&r, 12) + 1) / 4;
        for (size_t k = 0; m < 6 && k < d->n[0]; k++)
            if (grn_rng_unif(&r) < 0.12 * (double)(m + 1)) d->score[m][d->col[0][k]] += 2;
        assert_int_equal(grn_ranking_of(&w, d->score[m], hash, N, 1, m, d->rank[m]), GRN_OK);
    }
    grn_ranking_clear(&w);
}

typedef struct {
    grn_cistarget_t t;
    grn_cistarget_work_t w[4];
    const data_t *d;
    int reverse;
} add_t;

static grn_status add_work(void *ctx, size_t begin, size_t end, int worker)
{
    add_t *a = ctx;
    for (size_t i = begin; i < end; i++) {
        size_t m = a->reverse ? M - 1 - i : i;
        grn_status rc = grn_cistarget_add(&a->t, m, a->d->rank[m], &a->w[worker]);
        if (rc) return rc;
    }
    return GRN_OK;
}

static void run(add_t *a, const data_t *d, int threads, int reverse, int lanes)
{
    const uint32_t *col[S] = { d->col[0], d->col[1], d->col[2] };
    grn_par_t *pool;
    *a = (add_t){ .d = d, .reverse = reverse };
    assert_int_equal(grn_par_create(&pool, threads), GRN_OK);
    if (lanes) {
        assert_int_equal(grn_cistarget_init_at(&a->t, M, N, 60, N / 10, (size_t)threads, S, col, d->n), GRN_OK);
        for (size_t k = 0; k < (size_t)threads; k++) a->w[k].lane = k;
    } else {
        assert_int_equal(grn_cistarget_init(&a->t, M, N, 0.02, 0.1, S, col, d->n), GRN_OK);
    }
    assert_int_equal(grn_par_for(pool, M, 1, add_work, a), GRN_OK);
    assert_int_equal(grn_cistarget_finish(&a->t), GRN_OK);
    grn_par_destroy(pool);
}

static void run_clear(add_t *a)
{
    grn_cistarget_clear(&a->t);
    for (int k = 0; k < 4; k++) grn_cistarget_work_clear(&a->w[k]);
}

static void against_dense(void **state)
{
    (void)state;
    enum { RT = N / 10, C = 60 - 1 };
    data_t *d = calloc(1, sizeof *d);
    double(*rcc)[RT] = calloc(M, sizeof *rcc), auc[M];
    uint32_t *hit = calloc(N, sizeof *hit);
    add_t a;
    size_t n_enriched = 0;
    make(d);
    run(&a, d, 3, 0, 0);
    assert_int_equal(a.t.c, C);
    assert_int_equal(a.t.rt, RT);
    for (size_t s = 0; s < S; s++) {
        double mean = 0, var = 0;
        for (size_t m = 0; m < M; m++) {
            for (int x = 0; x < RT; x++) {
                rcc[m][x] = 0;
                for (size_t k = 0; k < d->n[s]; k++) rcc[m][x] += d->rank[m][d->col[s][k]] <= (uint32_t)x;
            }
            auc[m] = 0;
            for (int x = 0; x < C; x++) auc[m] += rcc[m][x];
            auc[m] /= (C + 1) * (double)d->n[s];
            mean += auc[m] / M;
            near(grn_cistarget_auc(&a.t, s, m), auc[m], 1e-12);
        }
        for (size_t m = 0; m < M; m++) var += (auc[m] - mean) * (auc[m] - mean) / M;
        for (size_t m = 0; m < M; m++) {
            double best = -INFINITY;
            uint32_t at = 0, got;
            size_t n_hit, n = 0;
            near(a.t.set[s].nes[m], (auc[m] - mean) / sqrt(var), 1e-10);
            n_enriched += a.t.set[s].nes[m] >= 3;
            for (uint32_t x = 0; x < RT; x++) {
                double mu = 0, v = 0;
                for (size_t k = 0; m == 0 && k < M; k++) mu += rcc[k][x] / M;
                for (size_t k = 0; m == 0 && k < M; k++) v += (rcc[k][x] - mu) * (rcc[k][x] - mu) / M;
                if (m == 0) near(a.t.set[s].above[x], mu + 2 * sqrt(v), 1e-10);
                if (rcc[m][x] - a.t.set[s].above[x] > best) best = rcc[m][x] - a.t.set[s].above[x], at = x;
            }
            assert_int_equal(grn_cistarget_edge(&a.t, s, d->rank[m], &a.w[0], &got, hit, &n_hit), GRN_OK);
            assert_int_equal(got, at);
            for (size_t k = 0; k < d->n[s]; k++)
                if (d->rank[m][d->col[s][k]] <= at) assert_int_equal(hit[n++], d->col[s][k]);
            assert_int_equal(n_hit, n);
        }
    }
    assert_true(n_enriched > 1);
    run_clear(&a);
    free(hit);
    free(rcc);
    free(d);
}

/* Neither threads nor the order of motifs change a bit, nor whether sums are kept per thread. */
static void any_order(void **state)
{
    (void)state;
    data_t *d = calloc(1, sizeof *d);
    add_t a, b;
    make(d);
    run(&a, d, 1, 0, 0);
    for (int lanes = 0; lanes < 2; lanes++) {
        run(&b, d, 4, 1, lanes);
        for (size_t s = 0; s < S; s++) {
            assert_memory_equal(a.t.set[s].nes, b.t.set[s].nes, M * sizeof(double));
            assert_memory_equal(a.t.set[s].above, b.t.set[s].above, a.t.rt * sizeof(double));
        }
        run_clear(&b);
    }
    run_clear(&a);
    free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(half_to_even), cmocka_unit_test(auc_by_hand),   cmocka_unit_test(nes_by_hand), cmocka_unit_test(edge_by_hand),
        cmocka_unit_test(thresholds),   cmocka_unit_test(against_dense), cmocka_unit_test(any_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
