/* grn-build's cluster scores: golden value, all paths by enumeration, the vector forms against the plain one. */
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
#include "grn-build/cbust.h"

enum { N_KERNEL = 3 };

/* Those this machine can run; NULL for the others. */
static const grn_cbust_kernel_t *const *kernels(void)
{
    static const grn_cbust_kernel_t *k[N_KERNEL] = { &grn_cbust_kernel_base };
#if defined(__x86_64__)
    k[1] = grn_simd_level() >= GRN_SIMD_AVX2 ? &grn_cbust_kernel_avx2 : NULL;
    k[2] = grn_simd_level() >= GRN_SIMD_AVX512 ? &grn_cbust_kernel_avx512 : NULL;
#endif
    return k;
}

static grn_motif_t new_motif(uint32_t w)
{
    grn_motif_t m = { .w = w, .n_sites = 20, .kind = GRN_MOTIF_COUNTS, .weight = 1, .gap = NAN };
    m.p = calloc(4 * w, sizeof *m.p);
    m.total = calloc(w, sizeof *m.total);
    for (uint32_t i = 0; i < w; i++) m.total[i] = 20;
    return m;
}

static void free_motif(grn_motif_t *m)
{
    free(m->p);
    free(m->total);
}

static grn_motif_t random_motif(grn_rng_t *r, uint32_t w)
{
    grn_motif_t m = new_motif(w);
    for (uint32_t i = 0; i < w; i++) {
        double s = 0;
        for (uint32_t b = 0; b < 4; b++) s += m.p[4 * i + b] = pow(grn_rng_open(r), 4);
        for (uint32_t b = 0; b < 4; b++) m.p[4 * i + b] /= s;
    }
    m.weight = 0.5 + grn_rng_unif(r);
    return m;
}

static void random_lane(grn_rng_t *r, uint8_t *code, double *ratio, size_t n, int n_rare)
{
    double b[4] = { .3, .2, .2, .3 };
    for (size_t i = 0; i < n; i++) {
        code[i] = (uint8_t)(n_rare && grn_rng_below(r, (uint64_t)n_rare) == 0 ? 4 : grn_rng_below(r, 4));
        ratio[i] = code[i] < 4 ? 1 / (4 * b[code[i]]) : 0;
    }
}

/* AAAAAAAAAA between N, every position 1 in natural logarithms above the background: SPEC 10.1, value 7. */
static void one_site(void **state)
{
    (void)state;
    grn_motif_t m = new_motif(10);
    for (uint32_t i = 0; i < 10; i++) {
        double hit = exp(1) / 4;
        m.p[4 * i] = hit;
        for (uint32_t b = 1; b < 4; b++) m.p[4 * i + b] = (1 - hit) / 3;
    }
    grn_cbust_t c;
    assert_int_equal(grn_cbust_init(&c, &m, 1, 35, 0), GRN_OK);
    uint8_t code[16];
    double ratio[16], plain;
    for (int i = 0; i < 16; i++) {
        code[i] = i >= 3 && i < 13 ? 0 : 4;
        ratio[i] = code[i] ? 0 : 1;
    }
    grn_seqlane_t lane = { code, ratio, 0, 16 };
    assert_int_equal(grn_cbust_plain(&c, &lane, &plain), GRN_OK);
    /* ln(e^10 / 72 + (35/36)^10), and the minus strand's e^(10 ln((4 - e) / 3)) / 72 */
    double want = log(exp(10) / 72 + pow(35 / 36., 10) + pow((4 - exp(1)) / 3, 10) / 72);
    assert_true(fabs(want - 5.7258) < 1e-4);
    assert_true(fabs(plain - want) < 1e-12);
    grn_seqlanes_t x = { 0 };
    grn_cbust_work_t *w;
    float score[GRN_LANES];
    assert_int_equal(grn_seqlanes_set(&x, &lane, 1, 9), GRN_OK);
    assert_int_equal(grn_cbust_work_create(&w, NULL), GRN_OK);
    assert_int_equal(grn_cbust_score(&c, &x, w, score), GRN_OK);
    assert_true(fabs((double)score[0] - want) < 2e-6);
    for (int l = 1; l < GRN_LANES; l++) assert_true(score[l] == 0);
    grn_cbust_work_destroy(w);
    grn_seqlanes_clear(&x);
    grn_cbust_clear(&c);
    free_motif(&m);
}

/* ---- the definition, by enumeration ---- */

typedef struct {
    const grn_motif_t *m;
    size_t n;
    double gap;
    const grn_seqlane_t *x;
} def_t;

/* Likelihood ratio and prior of a site of matrix m on a strand, from scored base i on (may be negative: in the padding). */
static double site(const def_t *d, size_t m, int minus, ptrdiff_t i)
{
    double total = 0, v;
    for (size_t k = 0; k < d->n; k++) total += d->m[k].weight;
    v = d->m[m].weight / (2 * total) / (d->gap + 1);
    for (uint32_t k = 0; k < d->m[m].w; k++) {
        ptrdiff_t at = (ptrdiff_t)d->x->lead + i + (ptrdiff_t)k;
        if (at < 0 || d->x->code[at] > 3) return 0;
        uint32_t b = d->x->code[at], pos = minus ? d->m[m].w - 1 - k : k;
        v *= 4 * (d->m[m].p[4 * pos + (minus ? 3 - b : b)] * 20 + 0.375) / (20 + 1.5) * d->x->ratio[at];
    }
    return v;
}

/* Sum over all ways to go from base i to base end: no memory of what was summed, every way is walked. */
static double ways(const def_t *d, ptrdiff_t i, ptrdiff_t end)
{
    if (i == end) return 1;
    if (i > end) return 0;
    double sum = d->gap / (d->gap + 1) * ways(d, i + 1, end);
    for (size_t m = 0; m < d->n; m++)
        if (i + (ptrdiff_t)d->m[m].w <= end) sum += (site(d, m, 0, i) + site(d, m, 1, i)) * ways(d, i + (ptrdiff_t)d->m[m].w, end);
    return sum;
}

/* Sum over all ways from anywhere at or before the first scored base, as the left-to-right sums take it. */
static double from_left(const def_t *d, ptrdiff_t end)
{
    if (end <= 0) return 1;
    double sum = d->gap / (d->gap + 1) * from_left(d, end - 1);
    for (size_t m = 0; m < d->n; m++) {
        ptrdiff_t i = end - (ptrdiff_t)d->m[m].w;
        sum += (site(d, m, 0, i) + site(d, m, 1, i)) * from_left(d, i);
    }
    return sum;
}

/* Maximal rises of S by their definition: the greatest rise of [lo, hi], then those to its left and right. */
static void best_ends(const def_t *d, const double *S, size_t lo, size_t hi, double *best)
{
    size_t from = 0, to = 0, max_w = 0;
    double most = 0;
    for (size_t a = lo; a <= hi; a++)
        for (size_t b = a + 1; b <= hi; b++)
            if (S[b] - S[a] > most) most = S[b] - S[a], from = a, to = b;
    if (most <= 0) return;
    for (size_t m = 0; m < d->n; m++) max_w = d->m[m].w > max_w ? d->m[m].w : max_w;
    for (size_t a = from + 1 > max_w ? from + 1 - max_w : 0; a < to; a++) {
        double v = log(ways(d, (ptrdiff_t)a, (ptrdiff_t)to));
        if (v > *best) *best = v;
    }
    best_ends(d, S, lo, from, best);
    best_ends(d, S, to, hi, best);
}

static void all_ways(void **state)
{
    (void)state;
    grn_rng_t r;
    grn_rng_init(&r, 1, "test.cbust", 0);
    int n_above = 0;
    for (int round = 0; round < 120; round++) {
        enum { MAX = 24 };
        grn_motif_t m[3];
        size_t n = 1 + (size_t)round % 3;
        double gap = round % 2 ? 35 : 3, S[MAX], want = 0, plain, ratio[MAX];
        uint8_t code[MAX];
        uint32_t lead = (uint32_t)grn_rng_below(&r, 7), len = (uint32_t)grn_rng_below(&r, 14);
        for (size_t i = 0; i < n; i++) m[i] = random_motif(&r, 2 + (uint32_t)grn_rng_below(&r, 4));
        random_lane(&r, code, ratio, lead + (size_t)len, round % 4 ? 20 : 0);
        grn_seqlane_t lane = { code, ratio, lead, len };
        def_t d = { m, n, gap, &lane };
        for (uint32_t k = 0; k <= len; k++) S[k] = log(from_left(&d, k));
        best_ends(&d, S, 0, len, &want);
        n_above += want > 0;
        grn_cbust_t c;
        assert_int_equal(grn_cbust_init(&c, m, n, gap, 0.375), GRN_OK);
        assert_int_equal(grn_cbust_plain(&c, &lane, &plain), GRN_OK);
        assert_true(fabs(plain - want) < 1e-9);
        for (int k = 0; k < N_KERNEL; k++) {
            if (!kernels()[k]) continue;
            grn_seqlanes_t x = { 0 };
            grn_cbust_work_t *w;
            float score[GRN_LANES];
            assert_int_equal(grn_seqlanes_set(&x, &lane, 1, c.max_w - 1), GRN_OK);
            assert_int_equal(grn_cbust_work_create(&w, kernels()[k]), GRN_OK);
            assert_int_equal(grn_cbust_score(&c, &x, w, score), GRN_OK);
            assert_true(fabs((double)score[0] - want) < 5e-6);
            grn_cbust_work_destroy(w);
            grn_seqlanes_clear(&x);
        }
        grn_cbust_clear(&c);
        for (size_t i = 0; i < n; i++) free_motif(&m[i]);
    }
    assert_true(n_above > 30);
}

/* ---- many regions ---- */

static double naive_occupancy(const def_t *d)
{
    double sum = 0;
    for (size_t m = 0; m < d->n; m++)
        for (ptrdiff_t end = 1; end <= (ptrdiff_t)d->x->len; end++)
            for (int minus = 0; minus < 2; minus++) {
                double v = site(d, m, minus, end - (ptrdiff_t)d->m[m].w);
                sum += v / (1 + v);
            }
    return sum;
}

/* Sixteen regions of different lengths, clusters of up to four matrices: every kernel the same bits, all near the plain form. */
static void lanes_and_plain(void **state)
{
    (void)state;
    enum { MAX = 900, N = GRN_LANES };
    static uint8_t code[N][MAX];
    static double ratio[N][MAX];
    grn_rng_t r;
    grn_rng_init(&r, 2, "test.cbust", 0);
    for (int round = 0; round < 24; round++) {
        grn_motif_t m[4];
        size_t n = 1 + (size_t)round % 4, n_lane = round % 5 ? N : 1 + (size_t)grn_rng_below(&r, N);
        grn_seqlane_t lane[N];
        grn_seqlanes_t x = { 0 };
        grn_cbust_t c;
        float score[N], first[N], bound[N];
        for (size_t i = 0; i < n; i++) m[i] = random_motif(&r, 4 + (uint32_t)grn_rng_below(&r, 16));
        for (size_t l = 0; l < n_lane; l++) {
            lane[l] = (grn_seqlane_t){ code[l], ratio[l], (uint32_t)grn_rng_below(&r, 30), (uint32_t)grn_rng_below(&r, MAX - 30) };
            random_lane(&r, code[l], ratio[l], (size_t)lane[l].lead + lane[l].len, 200);
        }
        assert_int_equal(grn_cbust_init(&c, m, n, 35, 0.375), GRN_OK);
        assert_int_equal(grn_seqlanes_set(&x, lane, n_lane, c.max_w - 1), GRN_OK);
        for (int k = 0; k < N_KERNEL; k++) {
            if (!kernels()[k]) continue;
            grn_cbust_work_t *w;
            assert_int_equal(grn_cbust_work_create(&w, kernels()[k]), GRN_OK);
            assert_int_equal(grn_cbust_score(&c, &x, w, score), GRN_OK);
            assert_int_equal(grn_cbust_occupancy(&c, &x, w, bound), GRN_OK);
            if (k == 0) memcpy(first, score, sizeof first);
            assert_memory_equal(score, first, sizeof first);
            grn_cbust_work_destroy(w);
        }
        for (size_t l = 0; l < n_lane; l++) {
            double plain;
            def_t d = { m, n, 35, &lane[l] };
            assert_int_equal(grn_cbust_plain(&c, &lane[l], &plain), GRN_OK);
            assert_true(fabs((double)score[l] - plain) < 2e-6 * (1 + plain));
            double want = naive_occupancy(&d);
            assert_true(fabs((double)bound[l] - want) <= 1e-5 * want);
        }
        for (size_t l = n_lane; l < N; l++) assert_true(score[l] == 0 && bound[l] == 0);
        grn_seqlanes_clear(&x);
        grn_cbust_clear(&c);
        for (size_t i = 0; i < n; i++) free_motif(&m[i]);
    }
}

/* Sums beyond what the vectors hold, wide matrices, long regions: the plain form steps in. */
static void beyond(void **state)
{
    (void)state;
    enum { LEN = 9000 };
    uint8_t *code = calloc(LEN, 1);
    double *ratio = malloc(LEN * sizeof *ratio), plain;
    static const struct {
        uint32_t w, len;
    } at[] = { { 8, 3000 }, { 70, 300 }, { 8, 8500 } };
    for (size_t i = 0; i < LEN; i++) ratio[i] = 1;
    for (size_t k = 0; k < 3; k++) {
        grn_motif_t m = new_motif(at[k].w);
        grn_seqlane_t lane = { code, ratio, 0, at[k].len };
        grn_seqlanes_t x = { 0 };
        grn_cbust_work_t *w;
        grn_cbust_t c;
        float score[GRN_LANES];
        for (uint32_t i = 0; i < m.w; i++) m.p[4 * i] = 1;
        assert_int_equal(grn_cbust_init(&c, &m, 1, 35, 0.375), GRN_OK);
        assert_int_equal(grn_cbust_plain(&c, &lane, &plain), GRN_OK);
        assert_int_equal(grn_seqlanes_set(&x, &lane, 1, m.w - 1), GRN_OK);
        assert_int_equal(grn_cbust_work_create(&w, NULL), GRN_OK);
        assert_int_equal(grn_cbust_score(&c, &x, w, score), GRN_OK);
        assert_true(plain > 60 && score[0] == (float)plain);
        assert_int_equal(grn_cbust_occupancy(&c, &x, w, score), GRN_OK);
        assert_true(score[0] > 0.9 * (at[k].len - m.w + 1) && score[0] < at[k].len);
        grn_cbust_work_destroy(w);
        grn_seqlanes_clear(&x);
        grn_cbust_clear(&c);
        free_motif(&m);
    }
    free(code);
    free(ratio);
}

static void no_memory(void **state)
{
    (void)state;
    grn_motif_t m = new_motif(6);
    for (int64_t k = 1; k <= 6; k++) {
        grn_cbust_t c;
        grn_mem_fail_after(k);
        grn_status rc = grn_cbust_init(&c, &m, 1, 35, 0.375);
        grn_mem_fail_after(0);
        assert_true(rc == GRN_ENOMEM || k > 5);
        grn_cbust_clear(&c);
    }
    free_motif(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(one_site), cmocka_unit_test(all_ways), cmocka_unit_test(lanes_and_plain),
                                        cmocka_unit_test(beyond), cmocka_unit_test(no_memory) };
    return cmocka_run_group_tests_name("cbust", tests, NULL, NULL);
}
