/* corpus.c and lda.c: tokens, held-out share, invariance, and the sampler against an exact sequential one. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../tools/grn-build/lda.h"
#include "../../tools/grn-build/lda_kernel.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/simd.h"

#define MUST(e) assert_int_equal((e), GRN_OK)

/* C cells of `types` kinds: kind t has its own third of the regions open with p = 0.3, the others with 0.03. */
static void make(grn_matrix_t *m, size_t C, size_t R, size_t types, int reversed)
{
    size_t cap = 0, n = 0, data_cap = 0;
    memset(m, 0, sizeof *m);
    m->n_rows = C, m->n_cols = R;
    MUST(GRN_NEW(m->indptr, C + 1));
    for (size_t r = 0; r < R; r++) {
        char name[32];
        snprintf(name, sizeof name, "chr1:%zu-%zu", 1000 * r, 1000 * r + 500);
        MUST(grn_names_add(&m->col, name, NULL, NULL));
    }
    for (size_t i = 0; i < C; i++) {
        size_t c = reversed ? C - 1 - i : i;
        char name[32];
        grn_rng_t g;
        snprintf(name, sizeof name, "cell%zu", c);
        MUST(grn_names_add(&m->row, name, NULL, NULL));
        grn_rng_init(&g, 7, "test.lda", c);
        for (size_t r = 0; r < R; r++)
            if (grn_rng_unif(&g) < (r * types / R == c % types ? 0.3 : 0.03)) {
                MUST(GRN_GROW(m->indices, cap, n + 1));
                MUST(GRN_GROW(m->data, data_cap, n + 1));
                m->indices[n] = (uint32_t)r;
                m->data[n++] = 1 + (float)(r % 2);
            }
        m->indptr[i + 1] = n;
    }
}

static void load(const grn_matrix_t *m, double holdout, grn_corpus_t *c)
{
    grn_counts_opt_t opt = GRN_COUNTS_OPT_INIT;
    MUST(grn_matrix_save(m, "m.tensor.zst", NULL));
    MUST(grn_corpus_load("m.tensor.zst", &opt, holdout, 1, NULL, c));
}

static void test_corpus(void **state)
{
    grn_matrix_t m;
    grn_corpus_t c;
    (void)state;
    make(&m, 50, 2500, 5, 0);
    load(&m, 0.1, &c);
    assert_int_equal(c.C, 50);
    assert_int_equal(c.R, 2500);
    assert_int_equal(c.n_blocks, 3);
    assert_int_equal(c.n_tokens, m.indptr[50]);
    uint64_t held = 0, above = 0;
    for (size_t i = 0; i < 50; i++) {
        size_t cell = c.cell_place[i], n_seen = 0;
        uint8_t *open = calloc(2500, 1);
        for (uint64_t k = m.indptr[i]; k < m.indptr[i + 1]; k++) open[c.region_place[m.indices[k]]] = 1, above += m.data[k] > 1;
        for (size_t b = 0; b < c.n_blocks; b++) {
            uint32_t n;
            const uint16_t *t = grn_corpus_run(&c, b, cell, &n);
            for (uint32_t j = 0; j < n; j++, n_seen++) {
                assert_true(open[b * GRN_CORPUS_BLOCK + (t[j] & GRN_CORPUS_REGION)]);
                assert_true(!j || (t[j] & GRN_CORPUS_REGION) > (t[j - 1] & GRN_CORPUS_REGION));
                held += (t[j] & GRN_CORPUS_HELD) != 0;
            }
        }
        assert_int_equal(n_seen, m.indptr[i + 1] - m.indptr[i]);
        assert_int_equal(n_seen, c.cell_n[cell]);
        free(open);
    }
    assert_int_equal(held, c.n_held);
    assert_int_equal(above, c.n_above_one);
    assert_true(fabs((double)held / (double)c.n_tokens - 0.1) < 0.02);
    uint64_t total = 0;
    for (size_t r = 0; r < c.R; r++) total += c.region_cells[r];
    assert_int_equal(total, c.n_tokens);
    grn_corpus_clear(&c);
    grn_matrix_clear(&m);
}

static void test_corpus_errors(void **state)
{
    grn_matrix_t m;
    grn_corpus_t c;
    grn_counts_opt_t opt = GRN_COUNTS_OPT_INIT;
    (void)state;
    make(&m, 3, 100, 1, 0);
    m.data[4] = -1;
    MUST(grn_matrix_save(&m, "n.tensor.zst", NULL));
    assert_int_equal(grn_corpus_load("n.tensor.zst", &opt, 0, 1, NULL, &c), GRN_EFORMAT);
    assert_non_null(strstr(grn_err_msg(), "negative"));
    memset(m.indptr, 0, 4 * sizeof *m.indptr);
    MUST(grn_matrix_save(&m, "e.tensor.zst", NULL));
    assert_int_equal(grn_corpus_load("e.tensor.zst", &opt, 0, 1, NULL, &c), GRN_EEMPTY);
    grn_matrix_clear(&m);
}

/* theta rows and phi columns are distributions; every token has a topic; the kinds of cells have topics of their own. */
static void test_recovers(void **state)
{
    grn_matrix_t m;
    grn_corpus_t c;
    grn_lda_t t;
    grn_lda_opt_t o = GRN_LDA_OPT_INIT;
    (void)state;
    make(&m, 300, 1500, 3, 0);
    load(&m, 0, &c);
    o.K = 3, o.sweeps = 60, o.alpha = 3;
    MUST(grn_lda_fit(&c, &o, NULL, &t));
    uint64_t total = 0;
    for (uint32_t k = 0; k < 3; k++) {
        double s = 0;
        for (size_t r = 0; r < 1500; r++) s += (double)t.phi[r * 3 + k];
        assert_true(fabs(s - 1) < 1e-4);
        assert_true(!k || t.assigned[k] <= t.assigned[k - 1]);
        total += t.assigned[k];
    }
    assert_int_equal(total, c.n_tokens);
    int topic_of[3] = { -1, -1, -1 };
    for (size_t i = 0; i < 300; i++) {
        const float *th = t.theta + i * 3;
        assert_true(fabsf(th[0] + th[1] + th[2] - 1) < 1e-4f);
        int best = th[0] > th[1] ? (th[0] > th[2] ? 0 : 2) : th[1] > th[2] ? 1 : 2;
        if (topic_of[i % 3] < 0) topic_of[i % 3] = best;
        assert_int_equal(best, topic_of[i % 3]);
    }
    assert_true(topic_of[0] != topic_of[1] && topic_of[1] != topic_of[2] && topic_of[0] != topic_of[2]);
    assert_true(t.loglik[59] > t.loglik[0]);
    grn_lda_clear(&t);
    grn_corpus_clear(&c);
    grn_matrix_clear(&m);
}

static void same_model(const grn_lda_t *a, const grn_lda_t *b, size_t C, size_t R, int reversed)
{
    for (size_t i = 0; i < C; i++)
        assert_memory_equal(a->theta + i * a->K, b->theta + (reversed ? C - 1 - i : i) * a->K, a->K * sizeof(float));
    assert_memory_equal(a->phi, b->phi, R * a->K * sizeof(float));
}

/* The same bits for any number of threads, after reversing the cells, and with 32-bit counts. */
static void test_invariance(void **state)
{
    grn_matrix_t m, rev;
    grn_corpus_t c, d;
    grn_lda_t a, b, e;
    grn_par_t *pool;
    grn_lda_opt_t o = GRN_LDA_OPT_INIT;
    (void)state;
    MUST(grn_par_create(&pool, 3));
    make(&m, 403, 1300, 4, 0);
    make(&rev, 403, 1300, 4, 1);
    load(&m, 0.05, &c);
    load(&rev, 0.05, &d);
    o.K = 21, o.sweeps = 9, o.average = 3;
    MUST(grn_lda_fit(&c, &o, NULL, &a));
    MUST(grn_lda_fit(&c, &o, pool, &b));
    MUST(grn_lda_fit(&d, &o, pool, &e));
    same_model(&a, &b, 403, 1300, 0);
    same_model(&a, &e, 403, 1300, 1);
    assert_memory_equal(a.loglik, b.loglik, 9 * sizeof(double));
    assert_memory_equal(a.loglik, e.loglik, 9 * sizeof(double));
    assert_memory_equal(a.held_ll, b.held_ll, 403 * sizeof(double));
    uint32_t n = 0;
    for (size_t i = 0; i < 403; i++) {
        n += a.held_n[i];
        assert_true(a.held_n[i] ? a.held_ll[i] < 0 : a.held_ll[i] == 0);
        assert_true(a.held_ll[i] == e.held_ll[402 - i]);
    }
    assert_int_equal(n, c.n_held);
    grn_lda_clear(&a);
    grn_lda_clear(&b);
    grn_lda_clear(&e);
    grn_corpus_clear(&c);
    grn_corpus_clear(&d);
    grn_matrix_clear(&m);
    grn_matrix_clear(&rev);
    grn_par_destroy(pool);
}

/* ---- the kernel: all copies agree to the bit; frequencies match the conditional ---- */

enum { REGIONS = 8, N = 64 };

typedef struct {
    uint16_t nw16[REGIONS * 304] __attribute__((aligned(64)));
    uint32_t nw32[REGIONS * 304] __attribute__((aligned(64)));
    float inv[304] __attribute__((aligned(64))), nd[4][304] __attribute__((aligned(64))), scratch[304] __attribute__((aligned(64)));
    uint16_t token[N], z[4][N], drawn[4][N];
    float u[4][N];
} bed_t;

static void fill(bed_t *x, uint32_t K, uint32_t KP, uint64_t seed)
{
    grn_rng_t g;
    memset(x, 0, sizeof *x);
    grn_rng_init(&g, seed, "test.kernel", K);
    for (uint32_t k = 0; k < K; k++) x->inv[k] = 1 / (100 + 50 * (float)grn_rng_unif(&g));
    for (uint32_t r = 0; r < REGIONS; r++)
        for (uint32_t k = 0; k < K; k++) x->nw16[r * KP + k] = (uint16_t)grn_rng_below(&g, 30);
    for (int j = 0; j < 4; j++) {
        for (uint32_t k = 0; k < K; k++) x->nd[j][k] = 50.0f / (float)K;
        for (int i = 0; i < N; i++) {
            x->token[i] = (uint16_t)grn_rng_below(&g, REGIONS);
            x->z[j][i] = (uint16_t)grn_rng_below(&g, K);
            if (i % 17 == 3) x->z[j][i] = GRN_LDA_ABSENT;
            else x->nd[j][x->z[j][i]] += 1, x->nw16[x->token[i] * KP + x->z[j][i]]++;
            x->u[j][i] = (float)grn_rng_unif(&g) * 0.99999994f;
        }
    }
    for (size_t i = 0; i < REGIONS * 304; i++) x->nw32[i] = x->nw16[i];
}

static void draw_with(const grn_lda_kernel_t *kernel, bed_t *x, uint32_t K, uint32_t KP, int wide, int join)
{
    grn_lda_run_t run[GRN_LDA_GROUP];
    grn_lda_block_t b = { wide ? (void *)x->nw32 : (void *)x->nw16, x->inv, 0.1f, K, KP, join };
    for (int j = 0; j < 4; j++) run[j] = (grn_lda_run_t){ x->token, x->z[j], x->drawn[j], (uint32_t)(N - 7 * j), x->nd[j], x->u[j] };
    (wide ? kernel->draw32 : kernel->draw16)(&b, run, 4, x->scratch);
}

static size_t kernels(const grn_lda_kernel_t **k)
{
    size_t n = 0;
    k[n++] = &grn_lda_kernel_base;
#if defined(__x86_64__)
    if (grn_simd_level() >= GRN_SIMD_AVX2) k[n++] = &grn_lda_kernel_avx2;
    if (grn_simd_level() >= GRN_SIMD_AVX512)
        k[n++] = &grn_lda_kernel_avx512;
#endif
    return n;
}

static void test_kernels_agree(void **state)
{
    const grn_lda_kernel_t *k[3];
    size_t n = kernels(k);
    static bed_t want, got;
    const uint32_t sizes[] = { 1, 2, 15, 16, 17, 40, 64, 200, 256, 300 };
    (void)state;
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (int v = 0; v < 4; v++) {
            uint32_t K = sizes[s], KP = (K + 15) / 16 * 16;
            fill(&want, K, KP, 1);
            draw_with(k[0], &want, K, KP, 0, v & 1);
            for (size_t i = 0; i < n; i++) {
                fill(&got, K, KP, 1);
                draw_with(k[i], &got, K, KP, v >> 1, v & 1);
                assert_memory_equal(got.drawn, want.drawn, sizeof got.drawn);
                assert_memory_equal(got.nd, want.nd, sizeof got.nd);
            }
        }
    float a[64], b[64];
    const uint32_t key[2] = { 0xdeadbeef, 77 };
    k[0]->uniform(key, 5, 9, 0x123456789abcdefu, a);
    for (size_t i = 1; i < n; i++) {
        k[i]->uniform(key, 5, 9, 0x123456789abcdefu, b);
        assert_memory_equal(a, b, sizeof a);
    }
}

/* Philox4x32-10, the known answer of Random123 for counter and key zero: 6627e8d5 e169c58d bc57ac4c 9b00dbd8. */
static void test_uniform(void **state)
{
    float u[64];
    const uint32_t key[2] = { 0, 0 };
    (void)state;
    grn_lda_kernel_base.uniform(key, 0, 0, 0, u);
    assert_true(u[0] == (float)(0x6627e8d5u >> 8) * 0x1p-24f);
    assert_true(u[16] == (float)(0xe169c58du >> 8) * 0x1p-24f);
    assert_true(u[32] == (float)(0xbc57ac4cu >> 8) * 0x1p-24f);
    assert_true(u[48] == (float)(0x9b00dbd8u >> 8) * 0x1p-24f);
}

/* One token drawn with u on a grid of 20,000 points: the share of each topic is its conditional probability, computed here. */
static void test_conditional(void **state)
{
    enum { K = 37, KP = 48, GRID = 20000 };
    static bed_t x;
    double p[K], sum = 0;
    int count[K] = { 0 };
    (void)state;
    fill(&x, K, KP, 3);
    uint32_t z = x.z[0][0], r = x.token[0];
    for (uint32_t k = 0; k < K; k++) {
        int own = k == z;
        sum += p[k] = ((double)x.nw16[r * KP + k] - own + 0.1) * (double)x.inv[k] * ((double)x.nd[0][k] - own);
    }
    for (int g = 0; g < GRID; g++) {
        grn_lda_block_t b = { x.nw16, x.inv, 0.1f, K, KP, 0 };
        float u = ((float)g + 0.5f) / GRID;
        grn_lda_run_t run = { x.token, x.z[0], x.drawn[0], 1, x.nd[1], &u };
        memcpy(x.nd[1], x.nd[0], sizeof x.nd[0]);
        grn_lda_kernel_base.draw16(&b, &run, 1, x.scratch);
        count[x.drawn[0][0]]++;
        assert_true(x.nd[1][x.drawn[0][0]] == x.nd[0][x.drawn[0][0]] + (x.drawn[0][0] != z));
    }
    for (uint32_t k = 0; k < K; k++) assert_true(fabs((double)count[k] / GRID - p[k] / sum) < 2.0 / GRID);
}

/* ---- the exact sequential sampler (Griffiths & Steyvers 2004) on the same corpus, to the same likelihood ---- */

static double exact_loglik(const grn_corpus_t *c, uint32_t K, double alpha, double eta, uint32_t sweeps)
{
    uint32_t *nd = calloc(c->C * K, 4), *nw = calloc(c->R * K, 4), *word = malloc(c->n_tokens * 4), *z = malloc(c->n_tokens * 4);
    double *nk = calloc(K, 8), *p = malloc(K * 8), a = alpha / K, R = (double)c->R;
    uint64_t at = 0;
    grn_rng_t g;
    grn_rng_init(&g, 1, "test.lda.exact", 0);
    for (size_t i = 0; i < c->C; i++)
        for (size_t b = 0; b < c->n_blocks; b++) {
            uint32_t n;
            const uint16_t *t = grn_corpus_run(c, b, i, &n);
            for (uint32_t j = 0; j < n; j++, at++) {
                word[at] = (uint32_t)(b * GRN_CORPUS_BLOCK + (t[j] & GRN_CORPUS_REGION));
                z[at] = (uint32_t)grn_rng_below(&g, K);
                nd[i * K + z[at]]++, nw[word[at] * K + z[at]]++, nk[z[at]]++;
            }
        }
    for (uint32_t s = 0; s < sweeps; s++) {
        at = 0;
        for (size_t i = 0; i < c->C; i++)
            for (uint32_t j = 0; j < c->cell_n[i]; j++, at++) {
                double sum = 0;
                uint32_t k = z[at];
                nd[i * K + k]--, nw[word[at] * K + k]--, nk[k]--;
                for (k = 0; k < K; k++) p[k] = sum += (nw[word[at] * K + k] + eta) / (nk[k] + R * eta) * (nd[i * K + k] + a);
                sum *= grn_rng_unif(&g);
                for (k = 0; k + 1 < K && p[k] <= sum; k++) {}
                z[at] = k;
                nd[i * K + k]++, nw[word[at] * K + k]++, nk[k]++;
            }
    }
    double ll = K * lgamma(R * eta) - (double)c->R * K * lgamma(eta) + (double)c->C * (lgamma(alpha) - K * lgamma(a));
    for (size_t i = 0; i < c->R * K; i++) ll += lgamma(nw[i] + eta);
    for (uint32_t k = 0; k < K; k++) ll -= lgamma(nk[k] + R * eta);
    for (size_t i = 0; i < c->C; i++) {
        for (uint32_t k = 0; k < K; k++) ll += lgamma(nd[i * K + k] + a);
        ll -= lgamma(c->cell_n[i] + alpha);
    }
    free(nd), free(nw), free(word), free(z), free(nk), free(p);
    return ll;
}

static void test_likelihood(void **state)
{
    grn_matrix_t m;
    grn_corpus_t c;
    grn_lda_opt_t o = GRN_LDA_OPT_INIT;
    (void)state;
    make(&m, 400, 2000, 6, 0);
    load(&m, 0, &c);
    grn_lda_t one;
    o.K = 1, o.sweeps = 1, o.average = 1; /* one topic: nothing is left to chance */
    MUST(grn_lda_fit(&c, &o, NULL, &one));
    assert_true(fabs(one.loglik[0] / exact_loglik(&c, 1, 50, 0.1, 0) - 1) < 1e-12);
    grn_lda_clear(&one);
    o.K = 12, o.alpha = 12;
    for (uint32_t sweeps = 5; sweeps <= 125; sweeps *= 5) {
        grn_lda_t t;
        o.sweeps = sweeps, o.average = 1;
        MUST(grn_lda_fit(&c, &o, NULL, &t));
        double exact = exact_loglik(&c, 12, 12, 0.1, sweeps), ours = t.loglik[sweeps - 1];
        print_message("# %u sweeps: exact %.0f, ours %.0f (%+.3f %%)\n", sweeps, exact, ours, 100 * (ours - exact) / fabs(exact));
        assert_true(ours > exact - 0.005 * fabs(exact));
        if (sweeps == 125) assert_true(ours < exact + 0.005 * fabs(exact));
        grn_lda_clear(&t);
    }
    grn_corpus_clear(&c);
    grn_matrix_clear(&m);
}

static void test_options(void **state)
{
    grn_matrix_t m;
    grn_corpus_t c;
    grn_lda_t t;
    (void)state;
    make(&m, 5, 60, 1, 0);
    load(&m, 0.2, &c);
    const grn_lda_opt_t bad[] = { { 0, 5, 1, 50, 0.1, 1 }, { 5000, 5, 1, 50, 0.1, 1 }, { 4, 0, 1, 50, 0.1, 1 }, { 4, 5, 6, 50, 0.1, 1 },
                                  { 4, 5, 1, 0, 0.1, 1 },  { 4, 5, 1, 50, NAN, 1 } };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_int_equal(grn_lda_fit(&c, &bad[i], NULL, &t), GRN_EINVAL);
    const grn_lda_opt_t tiny = { 1, 1, 1, 50, 0.1, 1 };
    MUST(grn_lda_fit(&c, &tiny, NULL, &t)); /* one topic, one sweep: held-out tokens join at once */
    assert_int_equal(t.assigned[0], c.n_tokens);
    for (size_t i = 0; i < 5; i++) assert_true(fabsf(t.theta[i] - 1) < 1e-6f);
    grn_lda_clear(&t);
    for (int k = 1; k < 12; k++) {
        const grn_lda_opt_t o = { 4, 2, 1, 50, 0.1, 1 };
        grn_mem_fail_after(k);
        assert_int_equal(grn_lda_fit(&c, &o, NULL, &t), GRN_ENOMEM);
        grn_mem_fail_after(0);
    }
    grn_corpus_clear(&c);
    grn_matrix_clear(&m);
}

int main(void)
{
    const struct CMUnitTest t[] = {
        cmocka_unit_test(test_corpus),        cmocka_unit_test(test_corpus_errors), cmocka_unit_test(test_recovers),
        cmocka_unit_test(test_invariance),    cmocka_unit_test(test_kernels_agree), cmocka_unit_test(test_uniform),
        cmocka_unit_test(test_conditional),   cmocka_unit_test(test_likelihood),    cmocka_unit_test(test_options),
    };
    return cmocka_run_group_tests(t, NULL, NULL);
}
