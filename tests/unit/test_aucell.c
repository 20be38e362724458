/* grn-aucell: ranks, ties, cutoffs, norms, specificity */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/rng.h"
#include "base/simd.h"
#include "grn-aucell/imputed.h"
#include "grn-aucell/rss.h"
#include "grn-aucell/score.h"

enum { G = 100, R = 3 };

/* Sets by their member columns (-1 ends), with weights or NULL; as aucell_sets_load makes them. */
static void make_sets(aucell_sets_t *s, size_t n_genes, size_t n_sets, const int member[][8], const double weight[][8], uint32_t cut)
{
    size_t n = 0;
    char name[16];
    memset(s, 0, sizeof *s);
    s->n_genes = n_genes;
    s->off = calloc(n_genes + 1, sizeof *s->off);
    s->set = calloc(n_sets * 8, sizeof *s->set);
    s->weight = weight ? calloc(n_sets * 8, sizeof *s->weight) : NULL;
    s->n_found = calloc(n_sets, sizeof *s->n_found);
    s->sum = calloc(n_sets, sizeof *s->sum);
    s->best = calloc(n_sets, sizeof *s->best);
    for (size_t k = 0; k < n_sets; k++) {
        snprintf(name, sizeof name, "set%zu", k);
        assert_int_equal(grn_names_add(&s->names, name, NULL, NULL), GRN_OK);
    }
    for (size_t g = 0; g < n_genes; g++) {
        for (size_t k = 0; k < n_sets; k++)
            for (int j = 0; j < 8 && member[k][j] >= 0; j++)
                if ((size_t)member[k][j] == g) {
                    s->set[n] = (uint32_t)k;
                    if (weight) s->weight[n] = (int64_t)llrint(weight[k][j] * (double)AUCELL_WEIGHT_ONE);
                    s->sum[k] += weight ? s->weight[n] : 1;
                    s->n_found[k]++;
                    n++;
                }
        s->off[g + 1] = n;
    }
    for (size_t k = 0; k < n_sets; k++) /* unweighted only */
        for (uint32_t j = 0; j < 8 && member[k][j] >= 0 && j < cut; j++) s->best[k] += cut - j;
}

static void score_wide(const aucell_opt_t *opt, const float *dense, size_t n_cells, size_t n_genes, int csr, float *auc, double *wide,
                       uint32_t *det)
{
    grn_matrix_t m = { 0 };
    char name[32];
    grn_par_t *pool = NULL;
    aucell_scorer_t *scorer = NULL;
    m.n_rows = n_cells;
    m.n_cols = n_genes;
    m.is_dense = !csr;
    m.dense = malloc(n_cells * n_genes * sizeof(float));
    memcpy(m.dense, dense, n_cells * n_genes * sizeof(float));
    m.indptr = calloc(n_cells + 1, sizeof *m.indptr);
    m.indices = malloc(n_cells * n_genes * sizeof *m.indices);
    m.data = malloc(n_cells * n_genes * sizeof *m.data);
    for (size_t i = 0, k = 0; i < n_cells; i++) {
        snprintf(name, sizeof name, "cell%zu", i);
        assert_int_equal(grn_names_add(&m.row, name, NULL, NULL), GRN_OK);
        for (size_t g = 0; g < n_genes; g++)
            if (dense[i * n_genes + g] != 0) {
                m.indices[k] = (uint32_t)g;
                m.data[k++] = dense[i * n_genes + g];
            }
        m.indptr[i + 1] = k;
    }
    assert_int_equal(grn_par_create(&pool, csr ? 2 : 1), GRN_OK);
    assert_int_equal(aucell_scorer_create(&scorer, opt, pool), GRN_OK);
    assert_int_equal(aucell_score_block(scorer, &m, auc, wide, det), GRN_OK);
    aucell_scorer_destroy(scorer);
    grn_par_destroy(pool);
    free(m.dense);
    free(m.indptr);
    free(m.indices);
    free(m.data);
    grn_names_clear(&m.row);
}

static void score(const aucell_opt_t *opt, const float *dense, size_t n_cells, size_t n_genes, int csr, float *auc, uint32_t *det)
{
    score_wide(opt, dense, n_cells, n_genes, csr, auc, NULL, det);
}

static void test_cutoffs(void **state)
{
    (void)state;
    uint32_t c;
    assert_true(aucell_round_even(0.5) == 0 && aucell_round_even(1.5) == 2 && aucell_round_even(2.5) == 2 &&
                aucell_round_even(50.5) == 50);
    assert_true(aucell_round_even(0) == 0 && aucell_round_even(2.4999) == 2 && aucell_round_even(2.5001) == 3);
    assert_true(aucell_cut(0.05, 20000, &c) == GRN_OK && c == 999);
    assert_true(aucell_cut(0.05, 1010, &c) == GRN_OK && c == 49);
    assert_true(aucell_cut(0.05, 100, &c) == GRN_OK && c == 4);
    assert_int_equal(aucell_cut(0.05, 20, &c), GRN_EINVAL);
    assert_int_equal(aucell_cut(0, 1000, &c), GRN_EINVAL);
    /* gains: one gene at rank r; four tied on 2..5 with c = 4: (2 + 1 + 0 + 0)/4; beyond the cutoff */
    assert_true(aucell_gain(0, 1, 4) == 4 && aucell_gain(3, 4, 4) == 1 && aucell_gain(4, 5, 4) == 0 && aucell_gain(2, 6, 4) == 0.75);
    assert_true(aucell_gain(0, 100, 4) == 0.1 && aucell_gain(9, 90, 4) == 0);
}

static void test_golden(void **state)
{
    (void)state;
    static const int member[R][8] = { { 0, 3, -1 }, { 0, 1, -1 }, { 4, 50, -1 } };
    float x[G], auc[R];
    uint32_t det;
    aucell_sets_t s;
    for (int g = 0; g < G; g++) x[g] = (float)(G - g); /* rank g, no ties */
    make_sets(&s, G, R, member, NULL, 4);
    aucell_opt_t opt = { &s, 4, 0, 0, 1, NULL };
    for (int csr = 0; csr < 2; csr++) {
        score(&opt, x, 1, G, csr, auc, &det);
        assert_true(auc[0] == 0.5f && auc[1] == 0.7f && auc[2] == 0 && det == 100);
    }
    opt.attainable = 1;
    score(&opt, x, 1, G, 1, auc, &det);
    assert_true(auc[1] == 1 && auc[0] == (float)(5.0 / 7));
    aucell_sets_clear(&s);
}

static void test_weights(void **state)
{
    (void)state;
    static const int member[R][8] = { { 0, 3, -1 }, { 1, 90, -1 }, { 2, -1 } };
    static const double weight[R][8] = { { 1, 0.25 }, { 0.5, 1 }, { 1 } };
    float x[G], auc[R];
    uint32_t det;
    aucell_sets_t s;
    for (int g = 0; g < G; g++) x[g] = (float)(G - g);
    make_sets(&s, G, R, member, weight, 4);
    aucell_opt_t opt = { &s, 4, 0, 0, 1, NULL };
    score(&opt, x, 1, G, 1, auc, &det);
    assert_true(fabs(auc[0] - (4 + 0.25) / (5 * 1.25)) < 1e-7 && fabs(auc[1] - 0.5 * 3 / (5 * 1.5)) < 1e-7 &&
                fabs(auc[2] - 0.4) < 1e-7);
    aucell_sets_clear(&s);
}

/* Zeros, ties among them, negatives behind them: every case against the plain formula on ranks averaged over all tie orders. */
static void test_ties_by_formula(void **state)
{
    (void)state;
    enum { C = 60 };
    static const int member[R][8] = { { 0, 3, 7, 20, -1 }, { 1, 2, 5, 40, 41, -1 }, { 10, 11, 12, 13, 14, 15, 16, -1 } };
    static float x[C * G], auc[C * R], auc2[C * R];
    static uint32_t det[C];
    aucell_sets_t s;
    uint32_t cut = 30;
    make_sets(&s, G, R, member, NULL, cut);
    for (int i = 0; i < C; i++) {
        grn_rng_t r;
        grn_rng_init(&r, 1, "test.aucell", (uint64_t)i);
        for (int g = 0; g < G; g++) {
            double u = grn_rng_unif(&r), share = (double)i / C; /* from empty cells to full ones */
            x[i * G + g] = u >= share   ? 0
                           : i % 3 == 0 ? (float)(1 + grn_rng_below(&r, 4))
                           : i % 3 == 1 ? (float)grn_rng_normal(&r)
                                        : (float)grn_rng_unif(&r);
        }
    }
    aucell_opt_t opt = { &s, cut, 0, 0, 1, NULL };
    score(&opt, x, C, G, 1, auc, det);
    score(&opt, x, C, G, 0, auc2, det);
    assert_memory_equal(auc, auc2, sizeof auc); /* CSR with two threads, dense with one */
    for (int i = 0; i < C; i++) {
        int detected = 0;
        for (int g = 0; g < G; g++) detected += x[i * G + g] > 0;
        assert_int_equal(det[i], detected);
        for (int k = 0; k < R; k++) {
            double sum = 0;
            int n = 0;
            for (; n < 8 && member[k][n] >= 0; n++) {
                int better = 0, equal = 0;
                for (int g = 0; g < G; g++) {
                    better += x[i * G + g] > x[i * G + member[k][n]];
                    equal += x[i * G + g] == x[i * G + member[k][n]];
                }
                for (int q = better; q < better + equal; q++) sum += (q < (int)cut ? (double)cut - q : 0) / equal;
            }
            assert_true(fabs(auc[i * R + k] - sum / ((cut + 1.0) * n)) < 1e-7);
        }
    }
    aucell_sets_clear(&s);
}

/* The mean of 1,000 random tie orders is the exact score, within four standard errors; each order is a function of names only. */
static void test_random_ties(void **state)
{
    (void)state;
    enum { REP = 1000 };
    static const int member[R][8] = { { 0, 3, 7, 20, -1 }, { 1, 2, 5, 40, 41, -1 }, { 60, 61, 62, 63, -1 } };
    static float x[2 * G];
    float auc[2 * R], exact[2 * R];
    double sum[2 * R] = { 0 }, sq[2 * R] = { 0 };
    uint64_t key[G];
    uint32_t det[2];
    aucell_sets_t s;
    char name[16];
    for (int g = 0; g < G; g++) {
        snprintf(name, sizeof name, "gene%d", g);
        key[g] = grn_hash_str(name);
        x[g] = g < 12 ? (float)(1 + g % 3) : 0;      /* fewer detected than the cutoff: zeros are drawn too */
        x[G + g] = g < 70 ? (float)(1 + g % 5) : -1; /* ties cross the cutoff */
    }
    make_sets(&s, G, R, member, NULL, 25);
    aucell_opt_t opt = { &s, 25, 0, 0, 0, key };
    score(&opt, x, 2, G, 1, exact, det);
    for (int shared = 0; shared < 2; shared++) {
        opt.ties = shared ? AUCELL_TIES_SHARED : AUCELL_TIES_RANDOM;
        memset(sum, 0, sizeof sum);
        memset(sq, 0, sizeof sq);
        for (int k = 0; k < REP; k++) {
            opt.seed = (uint64_t)k;
            score(&opt, x, 2, G, k % 2, auc, det);
            for (int j = 0; j < 2 * R; j++) sum[j] += auc[j], sq[j] += (double)auc[j] * auc[j];
        }
        for (int j = 0; j < 2 * R; j++) {
            double mean = sum[j] / REP, sd = sqrt(fmax(0, sq[j] / REP - mean * mean));
            assert_true(fabs(mean - exact[j]) <= 4 * sd / sqrt(REP) + 1e-7);
            if (j != 4) assert_true(sd > 0); /* set 1 of the second cell lies behind the cutoff in any order */
        }
    }
    /* one order for all cells: two equal cells score alike; an order each: they do not */
    for (int shared = 0; shared < 2; shared++) {
        opt.ties = shared ? AUCELL_TIES_SHARED : AUCELL_TIES_RANDOM;
        memcpy(x + G, x, G * sizeof *x);
        score(&opt, x, 2, G, 1, auc, det);
        assert_int_equal(memcmp(auc, auc + R, R * sizeof *auc) == 0, shared);
    }
    opt.ties = AUCELL_TIES_RANDOM;
    opt.seed = 7;
    score(&opt, x, 2, G, 0, exact, det);
    score(&opt, x, 2, G, 1, auc, det);
    assert_memory_equal(auc, exact, sizeof auc);
    aucell_sets_clear(&s);
}

/* Sums before rounding against the formula in long double, given the ranks: counts small and large, any numbers, negative ones;
 * weights. */
static void test_formula(void **state)
{
    (void)state;
    enum { C = 80, N = 700 };
    static const int member[R][8] = { { 0, 3, 7, 20, -1 }, { 1, 2, 5, 140, 341, 600, -1 }, { 10, 211, 312, 413, 514, 615, 16, -1 } };
    static const double weight[R][8] = { { 1, 0.3, 0.7, 1e-4 },
                                         { 1, 0.25, 1 / 3.0, 0.9, 0.1, 1 },
                                         { 0.5, 1, 1, 0.01, 0.02, 0.03, 0.6 } };
    static float x[C * N], auc[C * R];
    static double wide[C * R];
    static uint32_t det[C];
    const uint32_t cut = 140;
    for (int i = 0; i < C; i++) {
        grn_rng_t r;
        grn_rng_init(&r, 2, "test.aucell", (uint64_t)i);
        for (int g = 0; g < N; g++) {
            double u = grn_rng_unif(&r), share = (double)(i / 5 + 1) / (C / 5 + 1);
            x[i * N + g] = u >= share   ? 0
                           : i % 5 == 0 ? (float)(1 + grn_rng_below(&r, 4))
                           : i % 5 == 1 ? (float)grn_rng_normal(&r)
                           : i % 5 == 2 ? (float)floor(exp(7 * grn_rng_unif(&r))) /* some beyond 255 */
                           : i % 5 == 3 ? (float)(200 + grn_rng_below(&r, 120)) + (grn_rng_below(&r, 2) ? 0 : 0.5f)
                                        : (float)(-1.0 - (double)grn_rng_below(&r, 3));
        }
    }
    for (int weighted = 0; weighted < 2; weighted++) {
        aucell_sets_t s;
        make_sets(&s, N, R, member, weighted ? weight : NULL, cut);
        aucell_opt_t opt = { &s, cut, 0, AUCELL_TIES_EXACT, 1, NULL };
        score_wide(&opt, x, C, N, weighted, auc, wide, det);
        for (int i = 0; i < C * R; i++) {
            const float *row = x + i / R * N;
            const int *m = member[i % R];
            long double sum = 0, total = 0;
            for (int n = 0; n < 8 && m[n] >= 0; n++) {
                long double w = weighted ? weight[i % R][n] : 1, gain = 0;
                int better = 0, equal = 0;
                for (int g = 0; g < N; g++) {
                    better += row[g] > row[m[n]];
                    equal += row[g] == row[m[n]];
                }
                for (int q = better; q < better + equal; q++) gain += q < (int)cut ? (long double)(int)cut - q : 0;
                sum += w * gain / equal;
                total += w;
            }
            assert_true(fabsl(wide[i] - sum / ((cut + 1.0L) * total)) < 1e-12L);
            assert_true(auc[i] == (float)wide[i]);
        }
        aucell_sets_clear(&s);
    }
}

/* A model whose matrix is never made against the matrix: the same bits, also where the bound of the sample fails (all regions tied; few
 * regions hold the values) and for negative values; random ties and cut values as well. */
static void test_imputed(void **state)
{
    (void)state;
    enum { C = 60, N = 8500, K = 7 };
    static const int member[R][8] = { { 0, 3, 7, 20, -1 },
                                      { 1, 2, 5, 140, 341, 600, -1 },
                                      { 10, 2110, 3120, 4130, 5140, 6150, 8499, -1 } };
    static float auc[C * R], want[C * R];
    static uint32_t det[C];
    float *x = malloc((size_t)C * N * sizeof *x);
    uint64_t *key = malloc(N * sizeof *key);
    const uint32_t cut = 424;
    grn_lowrank_t l = { .C = C, .R = N, .K = K };
    grn_rng_t r;
    aucell_sets_t s;
    grn_par_t *pool = NULL;
    l.theta = calloc(C * K, sizeof(float));
    l.phi = calloc((size_t)N * K, sizeof(float));
    assert_non_null(x);
    assert_non_null(key);
    grn_rng_init(&r, 3, "test.imputed", 0);
    for (int i = 0; i < C * K; i++) l.theta[i] = i / K == 5 ? 0 : (float)(i / K % 9 == 2 ? grn_rng_normal(&r) : grn_rng_unif(&r));
    for (int g = 0; g < N; g++)
        for (int k = 0; k < K; k++) /* topic 0: on no region of the sample; topic 1: few values; topic 2: on the sample only */
            l.phi[g * K + k] = k == 0   ? (g / AUCELL_LANES % 32 == 0 ? 0 : 20 * (float)grn_rng_unif(&r))
                               : k == 1 ? (float)grn_rng_below(&r, 3)
                               : k == 2 ? (g / AUCELL_LANES % 32 == 0 ? (float)grn_rng_unif(&r) : 0)
                                        : (float)grn_rng_unif(&r);
    for (int k = 1; k < K; k++) l.theta[6 * K + k] = 0;
    for (int k = 0; k < K; k++) l.theta[7 * K + k] = k == 1, l.theta[8 * K + k] = k == 2;
    for (int g = 0; g < N; g++) key[g] = grn_rng_mix((uint64_t)g + 1);
    for (int i = 0; i < C; i++) {
        char name[16];
        snprintf(name, sizeof name, "cell%d", i);
        assert_int_equal(grn_names_add(&l.cell, name, NULL, NULL), GRN_OK);
    }
    make_sets(&s, N, R, member, NULL, cut);
    assert_int_equal(grn_par_create(&pool, 2), GRN_OK);
    for (int kind = 0; kind < 3; kind++) { /* exact; random; exact of whole numbers */
        aucell_opt_t opt = { &s, cut, 0, kind == 1 ? AUCELL_TIES_RANDOM : AUCELL_TIES_EXACT, 1, key };
        aucell_scorer_t *scorer = NULL;
        aucell_imputed_t *im = NULL;
        for (size_t i = 0; i < C; i++) {
            grn_lowrank_of_cell(&l, i, x + i * N);
            for (int g = 0; kind == 2 && g < N; g++) x[i * N + (size_t)g] = truncf(x[i * N + (size_t)g] * 1e6f);
        }
        score(&opt, x, C, N, 0, want, det);
        assert_int_equal(aucell_scorer_create(&scorer, &opt, pool), GRN_OK);
        assert_int_equal(aucell_imputed_create(&im, &l, cut, kind == 2, pool), GRN_OK);
        assert_int_equal(aucell_score_imputed(im, scorer, 0, 50, auc), GRN_OK);
        assert_int_equal(aucell_score_imputed(im, scorer, 50, C - 50, auc + 50 * R), GRN_OK);
        assert_memory_equal(auc, want, sizeof auc);
        aucell_imputed_destroy(im);
        aucell_scorer_destroy(scorer);
    }
    l.phi[100] = 1e38f;
    aucell_imputed_t *none = NULL;
    assert_int_equal(aucell_imputed_create(&none, &l, cut, 0, pool), GRN_ENONFINITE);
    grn_par_destroy(pool);
    aucell_sets_clear(&s);
    grn_lowrank_clear(&l);
    free(x);
    free(key);
}

/* Copies for wider registers give the bits of the plain one. */
static void test_kernels(void **state)
{
    (void)state;
    enum { N = 1003, TILES = 5, K = 9, SETS = 300 };
    static float x[N];
    static _Alignas(64) float phi[TILES * K * AUCELL_LANES], out[2][AUCELL_GROUP * 256];
    static uint32_t code[2][N], gene[N], off[N + 1];
    static uint64_t item[2][N + 8];
    static uint16_t set[N * 40 + AUCELL_COPY];
    static int64_t gain[300], sum[2][SETS], size[SETS];
    static double top[SETS], wide[2][SETS];
    float theta[K * AUCELL_GROUP];
    const aucell_kernel_t *k[3] = { &aucell_kernel_base, NULL, NULL };
    grn_rng_t r;
    size_t n_set = 0;
#if defined(__x86_64__)
    if (grn_simd_level() >= GRN_SIMD_AVX2) k[1] = &aucell_kernel_avx2;
    if (grn_simd_level() >= GRN_SIMD_AVX512) k[2] = &aucell_kernel_avx512;
#endif
    grn_rng_init(&r, 4, "test.kernels", 0);
    for (int i = 0; i < N; i++) {
        x[i] = (float)(1 + grn_rng_below(&r, 400));
        gene[i] = (uint32_t)i;
        n_set += i % 50 == 0 ? 40 : (size_t)i % 9; /* longer than a copy, and none */
        off[i + 1] = (uint32_t)n_set;
    }
    for (size_t i = 0; i < n_set; i++) set[i] = (uint16_t)grn_rng_below(&r, SETS);
    for (int i = 0; i < 300; i++) gain[i] = (int64_t)grn_rng_below(&r, (uint64_t)1 << 50) - ((int64_t)1 << 49);
    for (int i = 0; i < SETS; i++) size[i] = i, top[i] = 1 + grn_rng_unif(&r);
    for (int i = 0; i < TILES * K * AUCELL_LANES; i++) phi[i] = (float)grn_rng_normal(&r);
    for (int i = 0; i < K * AUCELL_GROUP; i++) theta[i] = (float)grn_rng_unif(&r);
    const aucell_tile_t tile = { 0, SETS, off, set };
    for (int v = 0; v < 3; v++) {
        int at = v > 0;
        size_t high;
        if (!k[v]) continue;
        memset(sum[at], 0, sizeof sum[at]);
        assert_int_equal(k[v]->codes(x, N, code[at], &high), 1);
        k[v]->add(&tile, N, gene, code[at], 3, gain, sum[at]);
        k[v]->finish(sum[at], 12345, size, 1e-9, top, SETS, wide[at]);
        k[v]->impute(phi, TILES, K, theta, out[at], 256);
        size_t n = k[v]->at_least(x, N, 250, 7, item[at]);
        for (size_t i = 0, j = 0; i < N; i++)
            if (x[i] >= 250) assert_true(item[at][j++] == ((uint64_t)aucell_order(x[i]) << 32 | (7 + i)) && j <= n);
        if (!at) continue;
        assert_memory_equal(code[1], code[0], sizeof code[0]);
        assert_memory_equal(sum[1], sum[0], sizeof sum[0]);
        assert_memory_equal(wide[1], wide[0], sizeof wide[0]);
        assert_memory_equal(out[1], out[0], sizeof out[0]);
        assert_memory_equal(item[1], item[0], n * 8);
    }
    x[500] = 3.5f;
    size_t high;
    for (int v = 0; v < 3; v++)
        if (k[v]) assert_int_equal(k[v]->codes(x, N, code[0], &high), 0);
    x[500] = -1;
    for (int v = 0; v < 3; v++)
        if (k[v]) assert_int_equal(k[v]->codes(x, N, code[0], &high), 0);
    float z[5] = { -0.0f, 0.0f, -1, 1, 2 };
    assert_true(k[0]->at_least(z, 5, 0, 0, item[0]) == 4 && item[0][0] >> 32 == item[0][1] >> 32 && aucell_order(2) < aucell_order(1) &&
                aucell_order(1) < aucell_order(0) && aucell_order(0) < aucell_order(-1) && aucell_order(-1) < aucell_order(-2));
}

/* More sets than a tile: every set is the same as alone. */
static void test_tiles(void **state)
{
    (void)state;
    enum { SETS = AUCELL_TILE + 7, N = 100 };
    static int member[SETS][8];
    static float x[N], auc[SETS], one;
    uint32_t det;
    aucell_sets_t s, t;
    for (int g = 0; g < N; g++) x[g] = (float)((g * 37) % 23);
    for (int k = 0; k < SETS; k++) member[k][0] = k % N, member[k][1] = (k + 1 + k / N) % N, member[k][2] = -1;
    make_sets(&s, N, SETS, (const int(*)[8])member, NULL, 30);
    aucell_opt_t opt = { &s, 30, 0, AUCELL_TIES_EXACT, 1, NULL };
    score(&opt, x, 1, N, 1, auc, &det);
    for (int k = 0; k < SETS; k += 273) {
        make_sets(&t, N, 1, (const int(*)[8])member + k, NULL, 30);
        opt.sets = &t;
        score(&opt, x, 1, N, 0, &one, &det);
        assert_true(one == auc[k]);
        aucell_sets_clear(&t);
    }
    aucell_sets_clear(&s);
}

static void test_empty(void **state)
{
    (void)state;
    static const int member[1][8] = { { 0, -1 } };
    float x[G] = { 0 }, auc[1];
    uint32_t det = 9;
    aucell_sets_t s;
    make_sets(&s, G, 1, member, NULL, 4);
    aucell_opt_t opt = { &s, 4, 0, 0, 1, NULL };
    score(&opt, x, 1, G, 1, auc, &det); /* nothing detected: every gene on every rank: (4+3+2+1)/100/5 */
    assert_true(det == 0 && fabs(auc[0] - 0.02) < 1e-9);
    grn_matrix_t m = { 0 };
    aucell_scorer_t *scorer = NULL;
    assert_int_equal(aucell_scorer_create(&scorer, &opt, NULL), GRN_OK);
    m.n_cols = G;
    assert_int_equal(aucell_score_block(scorer, &m, auc, NULL, &det), GRN_OK);
    m.n_cols = G + 1;
    assert_int_equal(aucell_score_block(scorer, &m, auc, NULL, &det), GRN_ESHAPE);
    aucell_scorer_destroy(scorer);
    aucell_sets_clear(&s);
}

/* Four cells, two of each type; regulon 0 on evenly in type 0 only, 1 everywhere, 2 nowhere, 3 unevenly in type 0. */
static void test_rss(void **state)
{
    (void)state;
    static const float auc[4 * 4] = { 0.2f, 0.1f, 0, 0.3f, 0.2f, 0.1f, 0, 0.1f, 0, 0.1f, 0, 0, 0, 0.1f, 0, 0 };
    static const int32_t type[5] = { 0, 0, 1, 1, -1 };
    static const float nobody[4] = { 9, 9, 9, 9 };
    uint32_t order[4];
    rss_t r;
    assert_int_equal(rss_open(&r, 4), GRN_OK);
    assert_int_equal(rss_add(&r, auc, type, 3), GRN_OK);
    assert_int_equal(rss_add(&r, auc + 12, type + 3, 1), GRN_OK);
    assert_int_equal(rss_add(&r, nobody, type + 4, 1), GRN_OK); /* no type: left out */
    assert_int_equal(rss_finish(&r, 2, 0), GRN_OK);
    assert_true(fabs(r.rss[0] - 1) < 1e-12 && fabs(r.rss[4]) < 1e-7); /* all of it in type 0: 1 and 0 */
    /* p = 1/4 everywhere, q = 1/2 on half: JSD = 0.2158 nats = 0.3113 bits (the natural-log score would be 0.5355) */
    assert_true(fabs(r.rss[1] - (1 - sqrt(0.311278))) < 1e-5 && fabs(1 - sqrt(0.311278 * log(2)) - 0.5355) < 1e-4);
    assert_true(isnan(r.rss[2]) && isnan(r.rss[6]));
    /* p = (3/4, 1/4), q = (1/2, 1/2) */
    double jsd = 0.5 * (0.75 * log2(1.5 / 1.25) + 0.25 * log2(0.5 / 0.75) + 0.5 * log2(1 / 1.25) + 0.5 * log2(1 / 0.75));
    assert_true(fabs(r.rss[3] - (1 - sqrt(jsd))) < 1e-7 && fabs(r.mean[3] - 0.2) < 1e-7 && fabs(r.mean_all[3] - 0.1) < 1e-7);
    rss_order(&r, 0, order);
    assert_true(order[0] == 0 && order[1] == 3 && order[2] == 1 && order[3] == 2);
    rss_close(&r);
    /* balanced: doubling the cells of a type changes nothing */
    double rss[2];
    for (int twice = 0; twice < 2; twice++) {
        assert_int_equal(rss_open(&r, 4), GRN_OK);
        assert_int_equal(rss_add(&r, auc, type, 4), GRN_OK);
        if (twice) assert_int_equal(rss_add(&r, auc + 8, type + 2, 2), GRN_OK);
        assert_int_equal(rss_finish(&r, 2, 1), GRN_OK);
        rss[twice] = r.rss[1];
        rss_close(&r);
    }
    assert_true(fabs(rss[0] - rss[1]) < 1e-12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cutoffs),     cmocka_unit_test(test_golden),
        cmocka_unit_test(test_weights),     cmocka_unit_test(test_ties_by_formula),
        cmocka_unit_test(test_random_ties), cmocka_unit_test(test_empty),
        cmocka_unit_test(test_rss),         cmocka_unit_test(test_formula),
        cmocka_unit_test(test_imputed),     cmocka_unit_test(test_kernels),
        cmocka_unit_test(test_tiles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
