/* grn-build's PWM scores: p-values against all words, sites against brute force. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/rng.h"
#include "base/simd.h"
#include "grn-build/sites.h"

static grn_motif_t random_motif(grn_rng_t *r, uint32_t w, double sharp)
{
    grn_motif_t m = { .w = w, .n_sites = 50, .kind = GRN_MOTIF_COUNTS };
    m.p = malloc(4 * w * sizeof *m.p);
    for (uint32_t i = 0; i < w; i++) {
        double s = 0;
        for (int b = 0; b < 4; b++) s += m.p[4 * i + (size_t)b] = pow(grn_rng_open(r), sharp);
        for (int b = 0; b < 4; b++) m.p[4 * i + (size_t)b] /= s;
    }
    return m;
}

/* P(score >= s) over all 4^w words, by adding up each word's probability. */
static double enumerate(const grn_pwm_t *m, const double bg[4], int32_t s)
{
    double sum = 0;
    for (uint32_t x = 0; x < 1u << (2 * m->w); x++) {
        int32_t t = 0;
        double p = 1;
        for (uint32_t i = 0; i < m->w; i++) {
            uint32_t b = x >> (2 * i) & 3;
            t += m->s[4 * i + b];
            p *= bg[b];
        }
        if (t >= s) sum += p;
    }
    return sum;
}

static void by_hand(void **state)
{
    (void)state;
    /* two positions, log-odds 1 bit for A, then 1 bit for C; others -1.585 (p = 1/6 over 1/4: log2(2/3) = -0.585) */
    double p[8] = { .5, 1 / 6., 1 / 6., 1 / 6., 1 / 6., .5, 1 / 6., 1 / 6. }, bg[4] = { .25, .25, .25, .25 };
    grn_motif_t motif = { .w = 2, .p = p, .n_sites = 10 };
    grn_pwm_t m = { 0 };
    assert_int_equal(grn_pwm_init(&m, &motif, 0, bg, 0.07), GRN_OK);
    assert_int_equal(m.s[0], 256);
    assert_int_equal(m.s[1], -150); /* 256 * log2(2/3) = -149.75 */
    assert_int_equal(m.max, 512);   /* AC: 1 of 16 words, p = 0.0625 */
    assert_true(m.threshold == 512 - 405); /* the smallest score above 106: next come 6 words of score 106, p = 7/16 */
    assert_true(grn_pwm_pvalue(&m, 512) == 0.0625);
    assert_true(grn_pwm_pvalue(&m, m.threshold) == 0.0625);
    assert_true(grn_pwm_pvalue(&m, 513) == 0);
    grn_pwm_clear(&m);
    assert_int_equal(grn_pwm_init(&m, &motif, 0, bg, 0.0625), GRN_OK); /* exactly reached */
    assert_true(m.threshold == 107);
    grn_pwm_clear(&m);
    assert_int_equal(grn_pwm_init(&m, &motif, 0, bg, 0.0624), GRN_OK); /* out of reach */
    assert_int_equal(m.threshold, INT32_MAX);
    grn_pwm_clear(&m);
    assert_int_equal(grn_pwm_init(&m, &motif, 0, bg, 1), GRN_OK); /* everything passes */
    assert_true(m.threshold == -300 && fabs(grn_pwm_pvalue(&m, -300) - 1) < 1e-12);
    grn_pwm_clear(&m);
}

static void all_words(void **state)
{
    (void)state;
    grn_rng_t r;
    grn_rng_init(&r, 1, "test.pwm", 0);
    double bg[4] = { .3, .2, .15, .35 };
    for (uint32_t w = 1; w <= 8; w++) {
        grn_motif_t motif = random_motif(&r, w, 2);
        grn_pwm_t m = { 0 };
        assert_int_equal(grn_pwm_init(&m, &motif, 0.1, bg, w < 5 ? 0.2 : 0.01), GRN_OK);
        if (m.threshold != INT32_MAX) {
            for (int32_t s = m.threshold; s <= m.max; s += 1 + (m.max - m.threshold) / 7)
                assert_true(fabs(grn_pwm_pvalue(&m, s) - enumerate(&m, bg, s)) < 1e-12);
            assert_true(enumerate(&m, bg, m.threshold) <= (w < 5 ? 0.2 : 0.01));
            assert_true(enumerate(&m, bg, m.threshold - 1) > (w < 5 ? 0.2 : 0.01));
        }
        grn_pwm_clear(&m);
        free(motif.p);
    }
}

/* Every site by the definition, in the order promised. */
static size_t brute(const grn_pwm_t *m, size_t n, const uint8_t *seq, size_t len, int both, grn_site_t *out)
{
    size_t k = 0;
    for (size_t start = 0; start < len; start++)
        for (size_t i = 0; i < n; i++)
            for (int strand = 1; strand >= (both ? -1 : 1); strand -= 2) {
                int32_t t = 0;
                int gap = start + m[i].w > len;
                for (uint32_t j = 0; j < m[i].w && !gap; j++) {
                    uint8_t b = strand > 0 ? seq[start + j] : seq[start + m[i].w - 1 - j];
                    gap = b > 3;
                    if (!gap) t += m[i].s[4 * j + (strand > 0 ? b : 3 - b)];
                }
                if (!gap && m[i].threshold != INT32_MAX && t >= m[i].threshold)
                    out[k++] = (grn_site_t){ (uint32_t)start, (uint32_t)i, t, (int8_t)strand };
            }
    return k;
}

enum { N_KERNEL = 3 };

/* Those this machine can run; NULL for the others. */
static const grn_sites_kernel_t *const *kernels(void)
{
    static const grn_sites_kernel_t *k[N_KERNEL] = { &grn_sites_kernel_base };
#if defined(__x86_64__)
    k[1] = grn_simd_level() >= GRN_SIMD_AVX2 ? &grn_sites_kernel_avx2 : NULL;
    k[2] = grn_simd_level() >= GRN_SIMD_AVX512 ? &grn_sites_kernel_avx512 : NULL;
#endif
    return k;
}

static void random_sequence(grn_rng_t *r, uint8_t *seq, size_t n)
{
    for (size_t i = 0; i < n; i++) seq[i] = (uint8_t)(grn_rng_below(r, 50) == 0 ? 4 : grn_rng_below(r, 4));
}

static void against_brute_force(void **state)
{
    (void)state;
    enum { N = 40, LEN = 700 };
    grn_rng_t r;
    grn_rng_init(&r, 2, "test.pwm", 0);
    double bg[4] = { .3, .2, .2, .3 };
    grn_motif_t motif[N];
    grn_pwm_t m[N];
    memset(m, 0, sizeof m);
    for (int i = 0; i < N; i++) {
        motif[i] = random_motif(&r, 1 + (uint32_t)grn_rng_below(&r, 30), i % 3 ? 3 : 0.3);
        assert_int_equal(grn_pwm_init(&m[i], &motif[i], 0.1, bg, 0.02), GRN_OK);
    }
    grn_site_t *want = malloc(2 * N * LEN * sizeof *want);
    grn_sites_t got = { 0 };
    size_t total = 0;
    for (int k = 0; k < N_KERNEL; k++)
        for (int both = 0; both < 2 && kernels()[k]; both++) {
            grn_scanner_t *s;
            assert_int_equal(grn_scanner_create(&s, m, N, both, GRN_SCAN_SITES, kernels()[k]), GRN_OK);
            for (size_t len = 0; len < LEN; len = len < 40 ? len + 1 : len + 219) {
                uint8_t seq[LEN];
                random_sequence(&r, seq, len);
                size_t n = brute(m, N, seq, len, both, want);
                assert_int_equal(grn_scanner_run(s, seq, len, &got), GRN_OK);
                assert_int_equal(got.n, n);
                for (size_t i = 0; i < n; i++)
                    assert_true(got.v[i].start == want[i].start && got.v[i].motif == want[i].motif && got.v[i].score == want[i].score &&
                                got.v[i].strand == want[i].strand);
                total += n;
            }
            grn_scanner_destroy(s);
        }
    assert_true(total > 2000);
    grn_sites_clear(&got);
    free(want);
    for (int i = 0; i < N; i++) {
        grn_pwm_clear(&m[i]);
        free(motif[i].p);
    }
}

static void best_scores(void **state)
{
    (void)state;
    enum { N = 40, LEN = 700 };
    grn_rng_t r;
    grn_rng_init(&r, 3, "test.pwm", 0);
    double bg[4] = { .3, .2, .2, .3 };
    grn_pwm_t m[N];
    memset(m, 0, sizeof m);
    for (int i = 0; i < N; i++) {
        grn_motif_t motif = random_motif(&r, 1 + (uint32_t)grn_rng_below(&r, 30), i % 3 ? 3 : 0.3);
        assert_int_equal(grn_pwm_init(&m[i], &motif, 0.1, bg, 1), GRN_OK); /* every word is a site */
        free(motif.p);
    }
    grn_site_t *all = malloc(2 * N * LEN * sizeof *all);
    grn_sites_t scratch = { 0 };
    for (int k = 0; k < N_KERNEL; k++)
        for (int both = 0; both < 2 && kernels()[k]; both++) {
            grn_scanner_t *s;
            assert_int_equal(grn_scanner_create(&s, m, N, both, GRN_SCAN_BEST, kernels()[k]), GRN_OK);
            for (size_t len = 0; len < LEN; len = len < 40 ? len + 1 : len + 219) {
                uint8_t seq[LEN];
                int32_t want[N], got[N];
                random_sequence(&r, seq, len);
                size_t n = brute(m, N, seq, len, both, all);
                for (int i = 0; i < N; i++) want[i] = INT32_MIN;
                for (size_t i = 0; i < n; i++)
                    if (all[i].score > want[all[i].motif]) want[all[i].motif] = all[i].score;
                assert_int_equal(grn_scanner_best(s, seq, len, &scratch, got), GRN_OK);
                assert_memory_equal(got, want, sizeof want);
            }
            grn_scanner_destroy(s);
        }
    grn_sites_clear(&scratch);
    free(all);
    for (int i = 0; i < N; i++) grn_pwm_clear(&m[i]);
}

/* Longer than what is looked at in one go: every start is seen once. */
static void long_sequence(void **state)
{
    (void)state;
    enum { LEN = 100000 };
    grn_rng_t r;
    grn_rng_init(&r, 4, "test.pwm", 0);
    double bg[4] = { .25, .25, .25, .25 };
    grn_motif_t motif = random_motif(&r, 9, 3);
    grn_pwm_t m = { 0 };
    assert_int_equal(grn_pwm_init(&m, &motif, 0.1, bg, 0.01), GRN_OK);
    uint8_t *seq = malloc(LEN);
    grn_site_t *want = malloc(2 * LEN * sizeof *want);
    grn_sites_t got = { 0 };
    grn_scanner_t *s;
    random_sequence(&r, seq, LEN);
    size_t n = brute(&m, 1, seq, LEN, 1, want);
    assert_int_equal(grn_scanner_create(&s, &m, 1, 1, GRN_SCAN_SITES, NULL), GRN_OK);
    assert_int_equal(grn_scanner_run(s, seq, LEN, &got), GRN_OK);
    assert_true(n > 500 && got.n == n);
    for (size_t i = 0; i < n; i++) assert_true(got.v[i].start == want[i].start && got.v[i].strand == want[i].strand);
    grn_scanner_destroy(s);
    grn_sites_clear(&got);
    grn_pwm_clear(&m);
    free(motif.p);
    free(seq);
    free(want);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(by_hand), cmocka_unit_test(all_words), cmocka_unit_test(against_brute_force),
                                        cmocka_unit_test(best_scores), cmocka_unit_test(long_sequence) };
    return cmocka_run_group_tests_name("pwm", tests, NULL, NULL);
}
