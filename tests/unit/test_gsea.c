/* Enrichment scores against hand values and against a walk over every place; the null against one, and against all placements. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "stat/gsea.h"

static void near(double got, double want, double tol)
{
    if (!(fabs(got - want) <= tol)) fail_msg("got %.17g, want %.17g", got, want);
}

/* RS at every place, as the definition says. */
static double brute(const double *w, size_t n, const uint8_t *is_hit, size_t *from, size_t *to)
{
    double total = 0, rs = 0, high = -INFINITY, low = INFINITY;
    size_t h = 0, at_high = 0, at_low = 0;
    for (size_t i = 0; i < n; i++) {
        if (!is_hit[i]) continue;
        total += w[i];
        h++;
    }
    for (size_t i = 0; i < n; i++) {
        rs += is_hit[i] ? w[i] / total : -1.0 / (double)(n - h);
        if (rs > high + 1e-12) high = rs, at_high = i;
        if (rs < low - 1e-12) low = rs, at_low = i;
    }
    int positive = fabs(high) > fabs(low) + 1e-12;
    *from = positive ? 0 : at_low + 1;
    *to = positive ? at_high : n;
    return positive ? high : low;
}

static void by_hand(void **state)
{
    (void)state;
    const double w[] = { 5, 4, 3, 2, 1 };
    const uint32_t hit[] = { 0, 2 }, late[] = { 3, 4 }, all[] = { 0, 1, 2, 3, 4 };
    uint32_t peak;
    near(grn_gsea_es(w, 5, hit, 2, &peak), 2.0 / 3, 1e-15);
    assert_int_equal(peak, 2); /* both are leading edge */
    near(grn_gsea_es(w, 5, late, 2, &peak), -1, 1e-15);
    assert_int_equal(peak, 3);
    near(grn_gsea_es(w, 5, hit, 1, &peak), 1, 1e-15);
    assert_int_equal(peak, 0);
    assert_true(isnan(grn_gsea_es(w, 5, hit, 0, &peak)));
    assert_true(isnan(grn_gsea_es(w, 5, all, 5, &peak)));
}

static void as_the_definition(void **state)
{
    (void)state;
    enum { N = 90 };
    grn_rng_t r;
    double w[N];
    uint8_t is_hit[N];
    uint32_t hit[N], peak;
    grn_rng_init(&r, 1, "test.gsea", 0);
    for (int turn = 0; turn < 2000; turn++) {
        size_t n = 2 + grn_rng_below(&r, N - 1), h = 0, from, to;
        double share = grn_rng_unif(&r), at = 10;
        for (size_t i = 0; i < n; i++) {
            w[i] = at;
            at *= turn % 3 ? 0.5 + grn_rng_unif(&r) / 2 : 1; /* every third: all equal */
            is_hit[i] = grn_rng_unif(&r) < share;
            if (is_hit[i]) hit[h++] = (uint32_t)i;
        }
        if (!h || h == n) continue;
        double es = grn_gsea_es(w, n, hit, h, &peak), want = brute(w, n, is_hit, &from, &to);
        near(es, want, 1e-12);
        for (size_t i = 0; i < h; i++) /* the same leading edge */
            assert_int_equal(es > 0 ? hit[i] <= peak : hit[i] >= peak, hit[i] >= from && hit[i] <= to);
    }
}

/* All placements of h among 6 are equally likely. */
static void null_is_uniform(void **state)
{
    (void)state;
    const double w[] = { 8, 5, 3, 2, 1, 0.5 };
    enum { PERM = 60000 };
    const uint32_t sizes[] = { 2, 3, 4 };
    grn_gsea_null_t z = { 0 };
    uint32_t peak;
    assert_int_equal(grn_gsea_null(&z, w, 6, sizes, 3, PERM, 7, 1), GRN_OK);
    for (size_t k = 0; k < 3; k++) {
        double es[20], count[20] = { 0 }, sum = 0, n_pos = 0;
        size_t n = 0;
        for (uint32_t m = 0; m < 64; m++) {
            uint32_t hit[6];
            size_t h = 0;
            for (uint32_t i = 0; i < 6; i++)
                if (m >> i & 1) hit[h++] = i;
            if (h != sizes[k]) continue;
            es[n] = grn_gsea_es(w, 6, hit, h, &peak);
            if (es[n] >= 0) sum += es[n], n_pos++;
            n++;
        }
        near(z.side[k].mean_pos, sum / n_pos, 0.01);
        near((double)z.side[k].n_pos / PERM, n_pos / (double)n, 0.01);
        for (size_t i = 0; i < PERM; i++) {
            size_t first = 0; /* placements with one ES are counted together */
            while (first < n && fabs(es[first] - z.es[k * PERM + i]) > 1e-12) first++;
            assert_true(first < n);
            count[first]++;
        }
        for (size_t a = 0; a < n; a++) {
            size_t same = 0, first = 0;
            while (fabs(es[first] - es[a]) > 1e-12) first++;
            for (size_t c = 0; c < n; c++) same += fabs(es[c] - es[a]) <= 1e-12;
            double want = PERM * (double)same / (double)n;
            if (first == a) near(count[a], want, 5 * sqrt(want)); /* 5 standard deviations */
        }
        for (size_t a = 0; a < n; a++) { /* p of each placement against the exact one */
            double nes, p, far = 0, sided = 0;
            for (size_t c = 0; c < n; c++) {
                sided += (es[c] >= 0) == (es[a] >= 0);
                far += (es[c] >= 0) == (es[a] >= 0) && fabs(es[c]) >= fabs(es[a]) - 1e-12;
            }
            grn_gsea_test(&z, k, es[a], &nes, &p);
            near(p, far / sided, 0.02);
            assert_true(nes * es[a] > 0);
        }
    }
    grn_gsea_null_clear(&z);
}

/* The same draws as places, and a walk over all of them: O(N) each. Alone or beside other sizes, a size has the same null. */
static void null_as_the_definition(void **state)
{
    (void)state;
    enum { N = 200, PERM = 50 };
    const uint32_t size[] = { 1, 10, 100, 101, 199 };
    double w[N];
    grn_gsea_null_t z = { 0 }, one = { 0 };
    for (size_t i = 0; i < N; i++) w[i] = 1.0 / (double)(i + 1);
    assert_int_equal(grn_gsea_null(&z, w, N, size, 5, PERM, 3, 42), GRN_OK);
    for (size_t s = 0; s < 5; s++) {
        size_t from, to;
        double sum = 0, n_pos = 0, far = 0, nes, p;
        for (size_t i = 0; i < PERM; i++) {
            uint8_t is[N] = { 0 };
            grn_rng_t r;
            grn_rng_init2(&r, 3, "gsea.null", 42, i);
            for (size_t m = size[s]; m;) {
                uint64_t x = (uint64_t)grn_rng_u32(&r) * N;
                if ((uint32_t)x < -(uint32_t)N % (uint32_t)N || is[x >> 32]) continue;
                is[x >> 32] = 1;
                m--;
            }
            double es = brute(w, N, is, &from, &to);
            near(z.es[s * PERM + i], es, 1e-12);
            if (es >= 0) sum += es, n_pos++;
            far += es >= 0.5;
        }
        assert_int_equal(grn_gsea_null(&one, w, N, size + s, 1, PERM, 3, 42), GRN_OK);
        for (size_t i = 0; i < PERM; i++) near(one.es[i], z.es[s * PERM + i], 1e-12);
        if (!n_pos) continue;
        grn_gsea_test(&z, s, 0.5, &nes, &p);
        near(nes, 0.5 / (sum / n_pos), 1e-12);
        near(p, (far + 1) / (n_pos + 1), 1e-15);
    }
    const uint32_t bad[] = { 0, 5, 5, N };
    assert_int_equal(grn_gsea_null(&z, w, N, bad, 1, 10, 1, 1), GRN_EINVAL);
    assert_int_equal(grn_gsea_null(&z, w, N, bad + 1, 2, 10, 1, 1), GRN_EINVAL);
    assert_int_equal(grn_gsea_null(&z, w, N, bad + 3, 1, 10, 1, 1), GRN_EINVAL);
    assert_int_equal(grn_gsea_null(&z, w, N, size, 1, 0, 1, 1), GRN_EINVAL);
    grn_gsea_null_clear(&z);
    grn_gsea_null_clear(&one);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(by_hand), cmocka_unit_test(as_the_definition),
                                        cmocka_unit_test(null_is_uniform), cmocka_unit_test(null_as_the_definition) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
