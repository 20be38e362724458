/* pileup.c, peakcall.c, consensus.c: pile-ups, scores, peaks, summits and greedy choice worked by hand. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <gsl/gsl_cdf.h>

#include "../../tools/grn-build/consensus.h"
#include "../../tools/grn-build/peakcall.h"
#include "base/mem.h"
#include "base/rng.h"

#define MUST(e) assert_int_equal((e), GRN_OK)

static void track_of(grn_track_t *t, const uint32_t (*f)[2], size_t n)
{
    grn_track_scratch_t s = { 0 };
    memset(t, 0, sizeof *t);
    MUST(GRN_NEW(t->start, n));
    MUST(GRN_NEW(t->end, n));
    for (; t->n < n; t->n++) {
        t->start[t->n] = f[t->n][0];
        t->end[t->n] = f[t->n][1];
        t->n_rows++;
        t->row_bp += f[t->n][1] - f[t->n][0];
    }
    MUST(grn_track_sort(t, &s));
    free(s.tmp);
}

static void track_free(grn_track_t *t)
{
    free(t->start);
    free(t->end);
}

static void test_pileup(void **state)
{
    const uint32_t f[][2] = { { 20, 30 }, { 10, 25 }, { 30, 40 }, { 50, 60 } };
    const uint32_t want[][3] = {
        { 0, 10, 0 }, { 10, 20, 1 }, { 20, 25, 2 }, { 25, 40, 1 }, { 40, 50, 0 }, { 50, 60, 1 }
    }; /* 30 joins 30 */
    grn_track_t t;
    grn_pileup_t p;
    grn_run_t r;
    (void)state;
    track_of(&t, f, 4);
    grn_pileup_init(&p, &t, 0);
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(grn_pileup_next(&p, &r), 1);
        assert_int_equal(r.start, want[i][0]);
        assert_int_equal(r.end, want[i][1]);
        assert_int_equal(r.height, want[i][2]);
        assert_int_equal(r.ends, 0);
    }
    assert_int_equal(grn_pileup_next(&p, &r), 0);
    track_free(&t);
    memset(&t, 0, sizeof t);
    grn_pileup_init(&p, &t, 100);
    assert_int_equal(grn_pileup_next(&p, &r), 0);
}

/* Heights and windows against counting at every position. */
static void test_pileup_windows(void **state)
{
    enum { N = 60, SPAN = 400 };
    uint32_t f[N][2];
    grn_track_t t;
    grn_rng_t g;
    (void)state;
    grn_rng_init(&g, 1, "test.pileup", 0);
    for (int i = 0; i < N; i++) {
        f[i][0] = (uint32_t)grn_rng_below(&g, SPAN - 50);
        f[i][1] = f[i][0] + 1 + (uint32_t)grn_rng_below(&g, 49);
    }
    track_of(&t, (const uint32_t(*)[2])f, N);
    for (uint32_t window = 0; window <= 90; window += 30) {
        grn_pileup_t p;
        grn_run_t r;
        uint32_t at = 0;
        grn_pileup_init(&p, &t, window);
        while (grn_pileup_next(&p, &r)) {
            assert_int_equal(r.start, at);
            assert_true(r.end > r.start);
            for (; at < r.end; at++) {
                uint32_t height = 0, ends = 0, h = window / 2;
                for (int i = 0; i < N; i++) {
                    height += f[i][0] <= at && at < f[i][1];
                    for (int k = 0; k < 2; k++) ends += window && at + h >= f[i][k] && at < f[i][k] + h;
                }
                assert_int_equal(height, r.height);
                assert_int_equal(ends, r.ends);
            }
        }
        assert_int_equal(at, t.end[N - 1]);
    }
    track_free(&t);
}

static void test_poisson(void **state)
{
    (void)state;
    const double lambda[] = { 0.004, 0.5, 3, 40 };
    for (int i = 0; i < 4; i++)
        for (uint32_t k = 0; k < 60; k += 3) {
            double want = -log10(gsl_cdf_poisson_Q(k, lambda[i]));
            if (want < 250) assert_true(fabs(grn_poisson_score(k, lambda[i]) - want) < 1e-9 * (1 + want));
        }
    assert_true(fabs(grn_poisson_score(1000, 0.01) - 4570.0) < 5); /* 10^-4570: no underflow */
}

/* 400 bp scored: 10 bp of height 5, 20 of height 1, the rest 0. */
static void test_call(void **state)
{
    const uint32_t f[][2] = { { 100, 120 }, { 100, 110 }, { 100, 110 }, { 100, 110 }, { 100, 110 }, { 390, 400 } };
    grn_track_t t;
    grn_peaks_t p;
    grn_peak_opt_t o = { .genome_size = 700, .max_q = 0.05, .max_gap = 10, .min_length = 5 };
    (void)state;
    track_of(&t, f, 6);
    MUST(grn_peaks_call(&t, 1, &o, NULL, &p));
    assert_int_equal(p.n_bp, 400);
    assert_int_equal(p.mean_length, 11); /* 70/6 = 11.67, truncated */
    assert_true(fabs(p.lambda - 0.1) < 1e-12);
    assert_int_equal(p.n, 1);
    assert_int_equal(p.v[0].start, 100);
    assert_int_equal(p.v[0].end, 110);
    assert_int_equal(p.v[0].summit, 105);
    assert_int_equal(p.v[0].height, 5);
    double s5 = round(1e5 * -log10(gsl_cdf_poisson_Q(5, 0.1))) / 1e5;
    assert_true(fabs((double)p.v[0].p - s5) < 1e-4);
    assert_true(fabs((double)p.v[0].q - (s5 + log10(1) - log10(400))) < 1e-4);
    assert_true(fabs((double)p.v[0].fold - 6 / 1.1) < 1e-4);
    grn_peaks_clear(&p);
    o.min_length = 11; /* longer than the peak */
    MUST(grn_peaks_call(&t, 1, &o, NULL, &p));
    assert_int_equal(p.n, 0);
    grn_peaks_clear(&p);
    track_free(&t);
    memset(&t, 0, sizeof t);
    MUST(grn_peaks_call(&t, 1, &o, NULL, &p));
    assert_int_equal(p.n, 0);
}

/* Two humps of different heights above a floor; plateaus have no summit that stands out. */
static void test_summits(void **state)
{
    float y[420] = { 0 };
    uint32_t at[8];
    size_t n;
    (void)state;
    for (int i = 10; i < 410; i++) {
        double a = exp(-pow((i - 110) / 30.0, 2)), b = exp(-pow((i - 310) / 30.0, 2));
        y[i] = (float)round(4 + 60 * a + 40 * b);
    }
    MUST(grn_peak_summits(y, 420, 10, 61, at, 8, &n));
    assert_int_equal(n, 2);
    assert_true(at[0] >= 96 && at[0] <= 104);
    assert_true(at[1] >= 296 && at[1] <= 304);
    MUST(grn_peak_summits(y, 420, 10, 61, at, 1, &n));
    assert_int_equal(n, 1);
    for (int i = 10; i < 410; i++) y[i] = i < 200 || i >= 220 ? 3 : 2; /* two plateaus, too flat to stand out */
    MUST(grn_peak_summits(y, 420, 10, 61, at, 8, &n));
    assert_int_equal(n, 0);
}

/* Half-width 50: intervals of 101 bp. */
static void test_consensus(void **state)
{
    const grn_consensus_opt_t o = { .half_width = 50 };
    grn_consensus_opt_t compat = o;
    const uint32_t chrom[] = { 0, 0, 0, 0, 1, 0 }, summit[] = { 500, 560, 640, 40, 500, 601 };
    const double score[] = { 5, 9, 5, 100, 1, 0 };
    grn_consensus_t c = { 0 };
    (void)state;
    /* 560 wins over 500, 601 and 640 (460-561 and 510-611 and 551-652 overlap; 590-691 too); 40 is over the start */
    MUST(grn_consensus_add(&c, &o, 0, chrom, summit, score, 6));
    assert_int_equal(c.n_outside, 1);
    assert_int_equal(c.n, 2);
    assert_int_equal(c.v[0].start, 510);
    assert_true(fabs(c.v[0].score - 9e5) < 1e-6 && fabs(c.v[1].score - 1e5) < 1e-6);
    MUST(grn_consensus_finish(&c, &o));
    assert_int_equal(c.v[0].start, 511);
    assert_int_equal(c.v[0].end, 611);
    grn_consensus_clear(&c);
    /* two that touch (450-551, 551-652): both stay; with compat only the better */
    const uint32_t two[] = { 500, 601 }, zero[] = { 0, 0 };
    const double equal[] = { 2, 2 };
    MUST(grn_consensus_add(&c, &o, 0, zero, two, equal, 2));
    assert_int_equal(c.n, 2);
    grn_consensus_clear(&c);
    compat.compat = 1;
    MUST(grn_consensus_add(&c, &compat, 0, zero, two, equal, 2));
    assert_int_equal(c.n, 1);
    assert_int_equal(c.v[0].start, 450); /* ties: the first by place */
    grn_consensus_clear(&c);
    /* over types: scores are scaled within each */
    MUST(grn_consensus_add(&c, &o, 0, zero, two, equal, 1));
    const uint32_t other[] = { 520, 3000 };
    const double big[] = { 900, 100 };
    MUST(grn_consensus_add(&c, &o, 1, zero, other, big, 2));
    MUST(grn_consensus_finish(&c, &o));
    assert_int_equal(c.n, 2);
    assert_int_equal(c.v[0].type, 0); /* a million against 900,000 */
    assert_int_equal(c.v[1].start, 2951);
    grn_consensus_clear(&c);
}

/* Greedy choice against trying all pairs in the stated order. */
static void test_consensus_greedy(void **state)
{
    enum { N = 200 };
    uint32_t chrom[N] = { 0 }, summit[N];
    double score[N];
    char taken[N] = { 0 };
    const grn_consensus_opt_t o = { .half_width = 25 };
    grn_consensus_t c = { 0 };
    grn_rng_t g;
    (void)state;
    grn_rng_init(&g, 5, "test.consensus", 0);
    for (int i = 0; i < N; i++) {
        summit[i] = 100 + (uint32_t)grn_rng_below(&g, 3000);
        score[i] = 1 + (double)grn_rng_below(&g, 20);
    }
    for (;;) {
        int best = -1;
        for (int i = 0; i < N; i++) {
            int is_free = !taken[i];
            for (int j = 0; j < N && is_free; j++)
                if (taken[j] == 1 && summit[i] < summit[j] + 51 && summit[j] < summit[i] + 51) is_free = 0;
            if (is_free && (best < 0 || score[i] > score[best] || (score[i] == score[best] && summit[i] < summit[best]))) best = i;
        }
        if (best < 0) break;
        taken[best] = 1;
    }
    MUST(grn_consensus_add(&c, &o, 0, chrom, summit, score, N));
    size_t n = 0;
    for (int i = 0; i < N; i++) n += taken[i] == 1;
    assert_int_equal(c.n, n);
    for (size_t k = 0; k < c.n; k++) {
        int found = 0;
        for (int i = 0; i < N; i++) found |= taken[i] == 1 && summit[i] - 25 == c.v[k].start;
        assert_true(found);
    }
    grn_consensus_clear(&c);
}

static void test_out_of_memory(void **state)
{
    const uint32_t f[][2] = { { 100, 120 }, { 100, 110 }, { 100, 110 }, { 100, 110 }, { 100, 110 }, { 390, 400 } };
    grn_peak_opt_t o = { .genome_size = 700, .max_q = 0.05, .max_gap = 10, .min_length = 5, .local = 1 };
    grn_track_t t;
    grn_peaks_t p;
    (void)state;
    track_of(&t, f, 6);
    for (int k = 1; k < 5; k++) {
        grn_mem_fail_after(k);
        assert_int_equal(grn_peaks_call(&t, 1, &o, NULL, &p), GRN_ENOMEM);
        grn_mem_fail_after(0);
    }
    track_free(&t);
}

int main(void)
{
    const struct CMUnitTest t[] = {
        cmocka_unit_test(test_pileup),           cmocka_unit_test(test_pileup_windows),
        cmocka_unit_test(test_poisson),          cmocka_unit_test(test_call),
        cmocka_unit_test(test_summits),          cmocka_unit_test(test_consensus),
        cmocka_unit_test(test_consensus_greedy), cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(t, NULL, NULL);
}
