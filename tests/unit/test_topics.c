/* topic_metrics.c, topic_binarize.c, lsi.c: values worked by hand, and against slow or full computations. */
#include <gsl/gsl_linalg.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../tools/grn-build/lsi.h"
#include "../../tools/grn-build/topic_binarize.h"
#include "../../tools/grn-build/topic_metrics.h"
#include "base/mem.h"
#include "base/rng.h"

#define MUST(e) assert_int_equal((e), GRN_OK)

/* rows of '1' and '.', one a cell. */
static void corpus_of(const char *const *row, size_t n, grn_corpus_t *c, int reversed)
{
    grn_matrix_t m = { .n_rows = n, .n_cols = strlen(row[0]) };
    grn_counts_opt_t opt = GRN_COUNTS_OPT_INIT;
    size_t k = 0;
    char name[32];
    MUST(GRN_NEW(m.indptr, n + 1));
    MUST(GRN_NEW(m.indices, n * m.n_cols));
    MUST(GRN_NEW(m.data, n * m.n_cols));
    for (size_t r = 0; r < m.n_cols; r++) {
        snprintf(name, sizeof name, "chr1:%zu-%zu", 1000 * r, 1000 * r + 500);
        MUST(grn_names_add(&m.col, name, NULL, NULL));
    }
    for (size_t i = 0; i < n; i++) {
        size_t from = reversed ? n - 1 - i : i;
        snprintf(name, sizeof name, "cell%zu", from);
        MUST(grn_names_add(&m.row, name, NULL, NULL));
        for (uint32_t r = 0; r < m.n_cols; r++)
            if (row[from][r] == '1') m.indices[k] = r, m.data[k++] = 1;
        m.indptr[i + 1] = k;
    }
    MUST(grn_matrix_save(&m, "c.tensor.zst", NULL));
    MUST(grn_corpus_load("c.tensor.zst", &opt, 0, 1, NULL, c));
    grn_matrix_clear(&m);
}

/* ---- metrics ---- */

static void test_metrics(void **state)
{
    const char *row[] = { "110", "110", "011", "100" };
    float phi[] = { 0.6f, 0.1f, 0.3f, 0.3f, 0.1f, 0.6f }; /* regions x 2 topics */
    float theta[] = { 0.75f, 0.25f, 0.5f, 0.5f, 0.25f, 0.75f, 1, 0 };
    double held_ll[] = { -2, -1, 0, -3 };
    uint32_t held_n[] = { 2, 1, 0, 1 };
    const grn_lda_t t = { .K = 2, .theta = theta, .phi = phi, .held_ll = held_ll, .held_n = held_n };
    grn_corpus_t c;
    grn_topic_metrics_t m;
    (void)state;
    corpus_of(row, 4, &c, 0);
    MUST(grn_topic_metrics(&c, &t, NULL, &m));
    /* phi'phi = [.46 .21; .21 .46]: cosine .21/.46; singular values sqrt(.67), sqrt(.25) */
    assert_true(fabs(m.cao_juan - 0.21 / 0.46) < 1e-6);
    assert_true(fabs(m.twin[0] - 0.21 / 0.46) < 1e-6);
    assert_int_equal(m.n_distinct, 2);
    /* tokens 2, 2, 2, 1: topic 1 has (1.5 + 1 + .5 + 1)/7 */
    assert_true(fabs(m.share[0] - 4.0 / 7) < 1e-6);
    double s1 = sqrt(0.67) / (sqrt(0.67) + 0.5), t1 = 4.0 / 7;
    assert_true(fabs(m.arun - ((s1 - t1) * log(s1 / t1) + ((1 - s1) - (1 - t1)) * log((1 - s1) / (1 - t1)))) < 1e-6);
    /* topic 1 ranks regions 0, 1, 2: D = 3, 3, 1; both 0,1: 2; 0,2: 0; 1,2: 1 */
    double want = (log((2 + 1e-12) / 3) + log(1e-12 / 3) + log((1 + 1e-12) / 3)) / 3;
    assert_true(fabs(m.coherence[0] - want) < 1e-9);
    /* topic 2 ranks 2, 1, 0 */
    want = (log((1 + 1e-12) / 1) + log(1e-12 / 1) + log((2 + 1e-12) / 3)) / 3;
    assert_true(fabs(m.coherence[1] - want) < 1e-9);
    assert_true(fabs(m.mimno - (m.coherence[0] + m.coherence[1]) / 2) < 1e-9);
    /* theta of topic 1: .25 .5 .75 1: sum of differences .25 + .5 + .75 + .25 + .5 + .25 = 2.5, / (16 x .625) */
    assert_true(fabs(m.gini[0] - 0.25) < 1e-6);
    assert_true(fabs(m.perplexity - exp(1.5)) < 1e-9);
    /* residuals of -1.5 n: 1, .5, 0, -1.5 */
    assert_true(fabs(m.perplexity_se - exp(1.5) * sqrt(1 + 0.25 + 2.25) / 4) < 1e-9);
    grn_topic_metrics_clear(&m);
    const grn_lda_t one = { .K = 1, .theta = theta, .phi = phi, .held_ll = held_ll, .held_n = (uint32_t[4]){ 0 } };
    MUST(grn_topic_metrics(&c, &one, NULL, &m));
    assert_true(isnan(m.cao_juan) && isnan(m.twin[0]) && isnan(m.perplexity));
    assert_int_equal(m.n_distinct, 1);
    grn_topic_metrics_clear(&m);
    grn_corpus_clear(&c);
}

static void test_choice(void **state)
{
    uint32_t n[] = { 10, 10, 10, 10 };
    double best[] = { -10, -11, -9, -10 }, near[] = { -10.4, -10.8, -9.5, -9.9 }, far[] = { -14, -15, -13.5, -14.5 };
    const grn_lda_t a = { .held_ll = best, .held_n = n }, b = { .held_ll = near, .held_n = n }, c = { .held_ll = far, .held_n = n };
    const grn_lda_t none = { .held_ll = far, .held_n = (uint32_t[4]){ 0 } };
    (void)state;
    assert_int_equal(grn_topic_is_worse(&a, &b, 4), 0); /* differences .4 -.2 .5 -.1: sum .6, residuals .25 -.35 .35 -.25: .61 */
    assert_int_equal(grn_topic_is_worse(&a, &c, 4), 1);
    assert_int_equal(grn_topic_is_worse(&none, &none, 4), 0);
}

/* ---- pairing ---- */

static double best_by_trying(const double *cost, size_t n, size_t row, unsigned used)
{
    double best = INFINITY;
    if (row == n) return 0;
    for (size_t j = 0; j < n; j++)
        if (!(used >> j & 1)) best = fmin(best, cost[row * n + j] + best_by_trying(cost, n, row + 1, used | 1u << j));
    return best;
}

static void test_assignment(void **state)
{
    grn_rng_t g;
    (void)state;
    grn_rng_init(&g, 1, "test.assignment", 0);
    for (int trial = 0; trial < 200; trial++) {
        size_t n = 1 + grn_rng_below(&g, 6);
        double cost[36], sum = 0;
        uint32_t pair[6];
        unsigned used = 0;
        for (size_t i = 0; i < n * n; i++) cost[i] = grn_rng_normal(&g);
        MUST(grn_assignment(cost, n, pair));
        for (size_t i = 0; i < n; i++) {
            sum += cost[i * n + pair[i]];
            used |= 1u << pair[i];
        }
        assert_int_equal(used, (1u << n) - 1);
        assert_true(fabs(sum - best_by_trying(cost, n, 0, 0)) < 1e-9);
    }
    const float a[] = { 1, 0, 0, 1, 0, 0 }, b[] = { 0, 1, 1, 0, 0, 0 }; /* the same topics the other way round */
    double mean;
    MUST(grn_topic_match(a, b, 3, 2, NULL, &mean));
    assert_true(fabs(mean - 1) < 1e-12);
}

/* ---- cuts ---- */

/* SPEC_GRN 10.1: K = 2, phi = (.2, .05): y = .2 (ln .2 - (ln .2 + ln .05)/2) = .1386. */
static void test_scores(void **state)
{
    const float phi[] = { 0.2f, 0.05f, 0.1f, 0.1f, 0.05f, 0.2f };
    float z[6];
    (void)state;
    MUST(grn_topic_scores(phi, 3, 2, 1, NULL, z));
    double y0 = 0.2 * log(2), y1 = 0, y2 = -0.05 * log(2); /* .1386, 0, -.0347 */
    assert_true(fabs(y0 - 0.1386) < 1e-4);
    assert_true(z[0] == 1 && z[2] == 0 && fabs((double)z[1] - (y1 - y2) / (y0 - y2)) < 1e-6);
    assert_true(z[5] == 1 && z[3] == 0); /* the other topic the other way round */
    const float flat[] = { 0.5f, 0.5f };
    MUST(grn_topic_scores(flat, 2, 1, 1, NULL, z));
    assert_true(z[0] == 0 && z[1] == 0); /* one topic: nothing stands out */
}

static void test_cuts(void **state)
{
    float z[200];
    double t;
    uint32_t *item;
    size_t n;
    (void)state;
    for (int i = 0; i < 200; i++) z[i] = i < 150 ? 0.1f : 0.905f; /* bins 10 and 90 */
    MUST(grn_topic_cut(z, 200, GRN_BINARIZE_OTSU, 0, &t));
    assert_true(fabs(t - 0.105) < 1e-9); /* every split between the two is equal: the first */
    MUST(grn_topic_cut(z, 200, GRN_BINARIZE_YEN, 0, &t));
    assert_true(fabs(t - 0.105) < 1e-9);
    MUST(grn_topic_cut(z, 200, GRN_BINARIZE_LI, 0, &t));
    assert_true(t >= 0.105 && t < 0.11 + 1e-9); /* the first candidate above the lower bin's centre */
    MUST(grn_topic_select(z, 200, GRN_BINARIZE_OTSU, 0, 0.105, &item, &n));
    assert_int_equal(n, 50);
    assert_int_equal(item[0], 150); /* ties by index */
    free(item);
    /* a lone bin: nothing to split, everything is at or below the cut */
    for (int i = 0; i < 200; i++) z[i] = 0;
    for (int k = 0; k < 3; k++) {
        MUST(grn_topic_cut(z, 200, (grn_binarize)k, 0, &t));
        MUST(grn_topic_select(z, 200, (grn_binarize)k, 0, t, &item, &n));
        assert_true(isfinite(t));
        assert_int_equal(n, 0);
        free(item);
    }
    for (int i = 0; i < 200; i++) z[i] = (float)(i / 2) / 100;
    MUST(grn_topic_cut(z, 200, GRN_BINARIZE_NTOP, 5, &t));
    assert_true(fabs(t - 0.97) < 1e-6);
    MUST(grn_topic_select(z, 200, GRN_BINARIZE_NTOP, 5, t, &item, &n));
    assert_int_equal(n, 5); /* 99 99 98 98 97: exactly five, the tie by index */
    assert_int_equal(item[4], 194);
    free(item);
    MUST(grn_topic_cut(z, 200, GRN_BINARIZE_NTOP, 500, &t));
    MUST(grn_topic_select(z, 200, GRN_BINARIZE_NTOP, 500, t, &item, &n));
    assert_true(t == -1);
    assert_int_equal(n, 198); /* all but the two of the lowest score */
    free(item);
}

/* Otsu and Li on random histograms against loops over the definition. */
static void test_cuts_slowly(void **state)
{
    float z[500];
    grn_rng_t g;
    (void)state;
    grn_rng_init(&g, 2, "test.cuts", 0);
    for (int trial = 0; trial < 20; trial++) {
        double h[100] = { 0 }, t, best = -1, at = 0;
        for (int i = 0; i < 500; i++) {
            double x = grn_rng_unif(&g);
            z[i] = (float)(grn_rng_unif(&g) < 0.7 ? 0.5 * x * x : 0.4 + 0.6 * x);
            int b = (int)(z[i] * 100);
            h[b > 99 ? 99 : b]++;
        }
        for (int cut = 0; cut < 99; cut++) {
            double w[2] = { 0 }, m[2] = { 0 };
            for (int i = 0; i < 100; i++) w[i > cut] += h[i], m[i > cut] += h[i] * (i + 0.5) / 100;
            if (w[0] == 0 || w[1] == 0) continue;
            double between = w[0] * w[1] * pow(m[0] / w[0] - m[1] / w[1], 2);
            if (between > best * (1 + 1e-12)) best = between, at = (cut + 0.5) / 100;
        }
        MUST(grn_topic_cut(z, 500, GRN_BINARIZE_OTSU, 0, &t));
        assert_true(fabs(t - at) < 1e-9);
    }
}

/* ---- LSI ---- */

enum { C = 30, R = 24 };

static void lsi_rows(char text[C][R + 1], const char *row[C])
{
    for (int i = 0; i < C; i++) {
        grn_rng_t g;
        grn_rng_init(&g, 3, "test.lsi", (uint64_t)i);
        for (int r = 0; r < R; r++) text[i][r] = grn_rng_unif(&g) < (r * 2 / R == i % 2 ? 0.6 : 0.15) || r == i % R ? '1' : '.';
        text[i][R] = 0;
        row[i] = text[i];
    }
}

static void test_lsi(void **state)
{
    char text[C][R + 1];
    const char *row[C];
    grn_corpus_t c;
    grn_lsi_t l;
    grn_lsi_opt_t o = { 5, 8, 1 };
    (void)state;
    lsi_rows(text, row);
    corpus_of(row, C, &c, 0);
    MUST(grn_lsi_fit(&c, &o, NULL, &l));
    assert_int_equal(l.K, 5);
    gsl_matrix *a = gsl_matrix_calloc(C, R), *v = gsl_matrix_alloc(R, R);
    gsl_vector *s = gsl_vector_alloc(R), *w = gsl_vector_alloc(R);
    for (int i = 0; i < C; i++)
        for (int r = 0; r < R; r++) {
            double n_c = 0, n_r = 0;
            for (int k = 0; k < R; k++) n_c += text[i][k] == '1';
            for (int k = 0; k < C; k++) n_r += text[k][r] == '1';
            if (text[i][r] == '1') gsl_matrix_set(a, (size_t)i, (size_t)r, log1p(1e4 / n_c * C / n_r));
        }
    gsl_matrix *whole = gsl_matrix_alloc(C, R);
    gsl_matrix_memcpy(whole, a);
    gsl_linalg_SV_decomp(a, v, s, w);
    for (size_t k = 0; k < 5; k++) {
        double dot = 0, top = 0;
        assert_true(fabs(l.sigma[k] / gsl_vector_get(s, k) - 1) < 1e-4);
        for (size_t r = 0; r < R; r++) {
            dot += (double)l.phi[r * 5 + k] * gsl_matrix_get(v, r, k);
            if (fabs((double)l.phi[r * 5 + k]) > fabs(top)) top = (double)l.phi[r * 5 + k];
        }
        if (k < 2) assert_true(fabs(fabs(dot) - 1) < 1e-3); /* well separated ones also in direction */
        assert_true(top > 0);
    }
    /* theta = A phi */
    for (size_t i = 0; i < C; i++) {
        double x = 0;
        for (size_t r = 0; r < R; r++) x += gsl_matrix_get(whole, i, r) * (double)l.phi[r * 5];
        assert_true(fabs(x - (double)l.theta[i * 5]) < 1e-3 * fabs(x));
    }
    gsl_matrix_free(a), gsl_matrix_free(v), gsl_matrix_free(whole), gsl_vector_free(s), gsl_vector_free(w);
    grn_lsi_clear(&l);
    grn_corpus_clear(&c);
}

static void test_lsi_invariance(void **state)
{
    char text[C][R + 1];
    const char *row[C];
    grn_corpus_t c, d;
    grn_lsi_t a, b, e;
    grn_par_t *pool;
    grn_lsi_opt_t o = GRN_LSI_OPT_INIT;
    (void)state;
    lsi_rows(text, row);
    MUST(grn_par_create(&pool, 3));
    corpus_of(row, C, &c, 0);
    corpus_of(row, C, &d, 1);
    MUST(grn_lsi_fit(&c, &o, NULL, &a)); /* 40 asked for, 24 at most */
    MUST(grn_lsi_fit(&c, &o, pool, &b));
    MUST(grn_lsi_fit(&d, &o, pool, &e));
    assert_true(a.K <= R && a.K >= 20);
    assert_int_equal(a.K, b.K);
    assert_memory_equal(a.theta, b.theta, C * a.K * sizeof(float));
    assert_memory_equal(a.phi, e.phi, R * a.K * sizeof(float));
    for (size_t i = 0; i < C; i++) assert_memory_equal(a.theta + i * a.K, e.theta + (C - 1 - i) * a.K, a.K * sizeof(float));
    o.K = 0;
    grn_lsi_t bad;
    assert_int_equal(grn_lsi_fit(&c, &o, NULL, &bad), GRN_EINVAL);
    grn_lsi_clear(&a);
    grn_lsi_clear(&b);
    grn_lsi_clear(&e);
    grn_corpus_clear(&c);
    grn_corpus_clear(&d);
    grn_par_destroy(pool);
}

int main(void)
{
    const struct CMUnitTest t[] = {
        cmocka_unit_test(test_metrics),     cmocka_unit_test(test_choice), cmocka_unit_test(test_assignment),
        cmocka_unit_test(test_scores),      cmocka_unit_test(test_cuts),   cmocka_unit_test(test_cuts_slowly),
        cmocka_unit_test(test_lsi),         cmocka_unit_test(test_lsi_invariance),
    };
    return cmocka_run_group_tests(t, NULL, NULL);
}
