/* Ops against numbers worked by hand or by an independent formula, wrong arguments, empty sizes,
 * and the choice of device. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <Random123/philox.h>

#include "base/mem.h"
#include "base/rng.h"
#include "nn/op_cpu.h"

#define OK(x) assert_int_equal((x), GRN_OK)
#define NEAR(a, b, tol) assert_true(fabs((double)(a) - (double)(b)) <= (tol))
#define R(p) ((grn_real_t *)(void *)(p)) /* host arrays are device arrays on cpu */

static grn_dev_t *dev;
static grn_par_t *pool;

static int setup(void **state)
{
    (void)state;
    return grn_par_create(&pool, 2) || grn_dev_cpu(&dev, pool);
}

static int teardown(void **state)
{
    (void)state;
    grn_dev_close(dev);
    grn_par_destroy(pool);
    return 0;
}

static void test_gemm(void **state)
{
    (void)state;
    float a[6] = { 1, 2, 3, 4, 5, 6 }, b[6] = { 1, 0, 2, -1, 3, 1 }, bias[2] = { 10, 20 },
          c[4] = { NAN, NAN, NAN, NAN };
    OK(GRN_OP(dev, gemm, 0, 0, 2, 2, 3, 1.0, R(a), 3, R(b), 2, 0.0, R(c), 2,
              R(bias))); /* [1 2 3; 4 5 6] [1 0; 2 -1; 3 1] */
    assert_true(c[0] == 24 && c[1] == 21 && c[2] == 42 && c[3] == 21);
    OK(GRN_OP(dev, gemm, 0, 0, 2, 2, 3, 2.0, R(a), 3, R(b), 2, -1.0, R(c), 2, NULL)); /* 2 ab - c */
    assert_true(c[0] == 4 && c[1] == -19 && c[2] == 22 && c[3] == -19);
    OK(GRN_OP(dev, gemm, 0, 0, 2, 2, 0, 1.0, R(a), 3, R(b), 2, 0.0, R(c), 2,
              R(bias))); /* empty inner dimension: the bias */
    assert_true(c[0] == 10 && c[1] == 20 && c[2] == 10 && c[3] == 20);
    OK(GRN_OP(dev, gemm, 0, 0, 0, 2, 3, 1.0, R(a), 3, R(b), 2, 0.0, R(c), 2, NULL));
    assert_int_equal(GRN_OP(dev, gemm, 0, 0, 2, 2, 3, 1.0, R(a), 2, R(b), 2, 0.0, R(c), 2, NULL),
                     GRN_EINVAL); /* lda < K */
    assert_int_equal(GRN_OP(dev, gemm, 0, 0, -1, 2, 3, 1.0, R(a), 3, R(b), 2, 0.0, R(c), 2, NULL),
                     GRN_EINVAL);
}

/* All transposes, at sizes that take one tile, many tiles, column tiles and the split inner
 * dimension, against the definition. */
static void test_gemm_shapes(void **state)
{
    (void)state;
    static const int64_t size[][3] = { { 1, 1, 1 },    { 130, 3, 70 }, { 5, 700, 9 },
                                       { 7, 9, 2050 }, { 2100, 2, 3 }, { 20, 20, 1024 } };
    for (size_t s = 0; s < sizeof size / sizeof *size; s++)
        for (int t = 0; t < 4; t++) {
            int64_t M = size[s][0], N = size[s][1], K = size[s][2], ta = t & 1, tb = t >> 1,
                    lda = (ta ? M : K) + 2, ldb = (tb ? K : N) + 1, ldc = N + 3;
            float *a, *b, *c, *bias;
            double *want;
            grn_rng_t r;
            OK(GRN_NEW(a, (size_t)((ta ? K : M) * lda)));
            OK(GRN_NEW(b, (size_t)((tb ? N : K) * ldb)));
            OK(GRN_NEW(c, (size_t)(M * ldc)));
            OK(GRN_NEW(bias, (size_t)N));
            OK(GRN_NEW(want, (size_t)(M * N)));
            grn_rng_init2(&r, 1, "test.gemm", s, (uint64_t)t);
            for (int64_t i = 0; i < (ta ? K : M) * lda; i++)
                a[i] = (float)(2 * grn_rng_unif(&r) - 1);
            for (int64_t i = 0; i < (tb ? N : K) * ldb; i++)
                b[i] = (float)(2 * grn_rng_unif(&r) - 1);
            for (int64_t i = 0; i < M * ldc; i++) c[i] = (float)(2 * grn_rng_unif(&r) - 1);
            for (int64_t i = 0; i < N; i++) bias[i] = (float)i;
            for (int64_t i = 0; i < M; i++)
                for (int64_t j = 0; j < N; j++) {
                    double x = 0;
                    for (int64_t k = 0; k < K; k++)
                        x += (double)a[ta ? k * lda + i : i * lda + k] *
                             (double)b[tb ? j * ldb + k : k * ldb + j];
                    want[i * N + j] = 0.5 * x + 0.25 * (double)c[i * ldc + j] + (double)bias[j];
                }
            float edge = c[ldc - 1]; /* beyond the row: untouched */
            OK(GRN_OP(dev, gemm, (int)ta, (int)tb, M, N, K, 0.5, R(a), lda, R(b), ldb, 0.25, R(c),
                      ldc, R(bias)));
            for (int64_t i = 0; i < M * N; i++)
                NEAR(c[i / N * ldc + i % N], want[i], 1e-5 * (fabs(want[i]) + sqrt((double)K)));
            assert_true(c[ldc - 1] == edge);
            free(a);
            free(b);
            free(c);
            free(bias);
            free(want);
        }
}

static void test_sums(void **state)
{
    (void)state;
    float x[6] = { 1, 2, 3, 4, 5, 6 }, out[2] = { NAN, NAN };
    double d = 3;
    OK(GRN_OP(dev, col_sum, 3, 2, R(x), 2, 0.0, R(out)));
    assert_true(out[0] == 9 && out[1] == 12);
    OK(GRN_OP(dev, col_sum, 0, 2, R(x), 2, 1.0, R(out)));
    assert_true(out[0] == 9 && out[1] == 12);
    OK(GRN_OP(dev, dot, 6, R(x), R(x), 1.0, &d));
    assert_true(d == 94);
    OK(GRN_OP(dev, dot, 0, R(x), R(x), 0.0, &d));
    assert_true(d == 0);
}

static void test_act(void **state)
{
    (void)state;
    float x[4] = { -2, 0, 3, NAN }, y[4];
    OK(GRN_OP(dev, act, GRN_ACT_LRELU, 4, R(x), R(y)));
    NEAR(y[0], -0.02, 1e-9);
    assert_true(y[1] == 0 && y[2] == 3 && isnan(y[3]));
    OK(GRN_OP(dev, act, GRN_ACT_RELU, 4, R(x), R(y)));
    assert_true(y[0] == 0 && !signbit(y[0]) && y[1] == 0 && y[2] == 3 && isnan(y[3]));
    OK(GRN_OP(dev, act, GRN_ACT_SIGMOID, 4, R(x), R(y)));
    NEAR(y[0], 0.11920292, 1e-7);
    assert_true(y[1] == 0.5f && isnan(y[3]));
}

static void test_expf(void **state)
{
    (void)state;
    double worst = 0;
    for (double x = -87; x <= 88; x += 1e-4) {
        double want = exp((double)(float)x), err = fabs((double)grn_cpu_expf((float)x) / want - 1);
        if (err > worst) worst = err;
    }
    print_message("# largest relative error of expf: %.3g\n", worst);
    assert_true(worst < 2.5e-7);
    assert_true(grn_cpu_expf(0) == 1 && grn_cpu_expf(-88) == 0 && grn_cpu_expf(-INFINITY) == 0 &&
                isnan(grn_cpu_expf(NAN)));
    assert_true(grn_cpu_expf(INFINITY) == grn_cpu_expf(88));
}

/* The mask is the documented function of (seed, step, op, row, column), computed here with the
 * Random123 library. */
static void test_dropout(void **state)
{
    (void)state;
    enum { M = 40, N = 13 };
    grn_drop_t d = { 0.4, 99, 3, 1000000007, 5 };
    uint64_t key = grn_cpu_splitmix(99 + grn_cpu_splitmix(3));
    float x[M * N], y[M * N];
    int kept = 0;
    for (int i = 0; i < M * N; i++) x[i] = 1;
    OK(GRN_OP(dev, dropout, M, N, &d, R(x), R(y)));
    for (uint64_t m = 0; m < M; m++)
        for (uint32_t n = 0; n < N; n++) {
            uint64_t row = 1000000007 + m;
            philox4x32_ctr_t c = { { n / 4, 5, (uint32_t)row, (uint32_t)(row >> 32) } };
            philox4x32_key_t k = { { (uint32_t)key, (uint32_t)(key >> 32) } };
            c = philox4x32(c, k);
            int keep = c.v[n % 4] >= (uint32_t)(0.4 * 4294967296.0);
            kept += keep;
            assert_true(y[m * N + n] == (keep ? (float)(1 / 0.6) : 0));
        }
    assert_true(kept > 260 && kept < 364); /* 312 expected, sd 11 */
    d.p = 0;
    OK(GRN_OP(dev, dropout, M, N, &d, R(x), R(y)));
    assert_memory_equal(x, y, sizeof x);
    OK(GRN_OP(dev, dropout, M, N, NULL, R(x), R(y)));
    d.p = 1;
    assert_int_equal(GRN_OP(dev, dropout, M, N, &d, R(x), R(y)), GRN_EINVAL);
}

static void test_tables(void **state)
{
    (void)state;
    float table[6] = { 1, 2, 3, 4, 5, 6 }, out[6] = { NAN, NAN, NAN, NAN, NAN, NAN };
    int32_t id[3] = { 2, -1, 0 }, twice[3] = { 1, 1, -1 }, bad[1] = { 3 };
    OK(GRN_OP(dev, gather, 3, 2, 3, R(table), id, 0.0, R(out), 2));
    assert_true(out[0] == 5 && out[1] == 6 && out[2] == 0 && out[3] == 0 && out[4] == 1 &&
                out[5] == 2);
    OK(GRN_OP(dev, scatter_add, 3, 2, 3, R(out), 2, twice, R(table)));
    assert_true(table[0] == 1 && table[2] == 8 && table[3] == 10 && table[4] == 5);
    assert_int_equal(GRN_OP(dev, gather, 1, 2, 3, R(table), bad, 0.0, R(out), 2), GRN_EINVAL);
    assert_int_equal(GRN_OP(dev, scatter_add, 1, 2, 3, R(out), 2, bad, R(table)), GRN_EINVAL);
    OK(GRN_OP(dev, scatter_add, 0, 2, 3, R(out), 2, bad, R(table)));
    OK(GRN_OP(dev, gather, 0, 2, 0, NULL, bad, 0.0, NULL, 2));
}

static void test_norms(void **state)
{
    (void)state;
    float x[4] = { 1, 2, 3, 6 }, gamma[4] = { 1, 1, 2, 1 }, beta[4] = { 0, 0, 0, 5 }, y[4],
          mean = 0, rstd = 0; /* mean 3, variance 3.5 */
    OK(GRN_OP(dev, layer_norm, 1, 4, 0.0, R(x), R(gamma), R(beta), R(y), R(&mean), R(&rstd)));
    NEAR(mean, 3, 0);
    NEAR(rstd, 0.5345225, 1e-6);
    NEAR(y[0], -1.0690450, 1e-6);
    NEAR(y[2], 0, 0);
    NEAR(y[3], 6.6035675, 1e-6);
    float flat[3] = { 7, 7, 7 }, zero[2] = { 0, 0 }, v[2] = { 3, 4 }, norm = 0;
    OK(GRN_OP(dev, layer_norm, 1, 3, 1e-5, R(flat), R(gamma), R(beta), R(y), R(&mean), R(&rstd)));
    assert_true(y[0] == 0 && y[1] == 0 && y[2] == 0); /* no spread: no NaN */
    OK(GRN_OP(dev, l2norm, 1, 2, R(v), R(y), R(&norm)));
    NEAR(y[0], 0.6, 1e-7);
    assert_true(norm == 5);
    OK(GRN_OP(dev, l2norm, 1, 2, R(zero), R(y), R(&norm)));
    assert_true(y[0] == 0 && norm == 1e-12f);
    assert_int_equal(GRN_OP(dev, layer_norm, 1, 0, 1e-5, R(x), R(gamma), R(beta), R(y), R(&mean),
                            R(&rstd)),
                     GRN_EINVAL);
}

/* One head of width 1: scores q k; weights worked by hand. The second cell has no key, the third
 * one. */
static void test_attention(void **state)
{
    (void)state;
    int32_t k_len[3] = { 2, 0, 1 };
    grn_attn_t at = { .B = 3,
                      .T = 1,
                      .K = 2,
                      .H = 1,
                      .Dh = 1,
                      .k_len = k_len,
                      .ldq = 1,
                      .ldk = 1,
                      .ldv = 1,
                      .ldo = 1,
                      .scale = 1 };
    float q[3] = { 1, 1, 1 }, k[6] = { 0, 1, NAN, NAN, 2, NAN },
          v[6] = { 10, 20, NAN, NAN, 7, NAN }, o[3], lse[3], phi[6], probs[6];
    OK(GRN_OP(dev, attn, &at, R(q), R(k), R(v), R(o), R(lse)));
    NEAR(o[0], 10 * 0.26894142 + 20 * 0.73105858, 1e-5); /* softmax(0, 1) */
    NEAR(lse[0], 1.31326169, 1e-6);
    assert_true(o[1] == 0 && lse[1] == 0);
    assert_true(o[2] == 7 && lse[2] == 2);
    OK(GRN_OP(dev, attn_probs, &at, R(q), R(k), R(lse), NULL, R(phi), R(probs)));
    NEAR(phi[0], 0.26894142, 1e-6);
    NEAR(phi[0] + phi[1], 1, 1e-6);
    assert_true(phi[2] == 0 && phi[3] == 0 && phi[4] == 1 && phi[5] == 0);
    NEAR(probs[1], 0.73105858, 1e-6);
    uint8_t use[3] = { 0, 1, 1 };
    OK(GRN_OP(dev, attn_probs, &at, R(q), R(k), R(lse), use, R(phi), NULL));
    assert_true(phi[0] == 0 && phi[1] == 0 && phi[4] == 1);
    k_len[0] = 3;
    assert_int_equal(GRN_OP(dev, attn, &at, R(q), R(k), R(v), R(o), R(lse)), GRN_EINVAL);
    k_len[0] = 2;
    at.ldk = 0;
    assert_int_equal(GRN_OP(dev, attn, &at, R(q), R(k), R(v), R(o), R(lse)), GRN_EINVAL);
}

/* phi is the mean of probs over heads and queries, also when queries fill several tiles. */
static void test_attention_phi(void **state)
{
    (void)state;
    enum { B = 2, T = 130, K = 9, H = 2, DH = 3, D = 6 };
    static float q[B * T * D], k[B * K * D], o[B * T * D], lse[B * T * H], phi[B * K],
        probs[B * H * T * K];
    int32_t q_len[B] = { 130, 65 };
    grn_attn_t at = { .B = B,
                      .T = T,
                      .K = K,
                      .H = H,
                      .Dh = DH,
                      .q_len = q_len,
                      .ldq = D,
                      .ldk = D,
                      .ldv = D,
                      .ldo = D,
                      .scale = 0.5 };
    grn_rng_t r;
    grn_rng_init(&r, 1, "test.phi", 0);
    for (int i = 0; i < B * T * D; i++) q[i] = (float)grn_rng_normal(&r);
    for (int i = 0; i < B * K * D; i++) k[i] = (float)grn_rng_normal(&r);
    OK(GRN_OP(dev, attn, &at, R(q), R(k), R(k), R(o), R(lse)));
    OK(GRN_OP(dev, attn_probs, &at, R(q), R(k), R(lse), NULL, R(phi), R(probs)));
    for (int b = 0; b < B; b++)
        for (int x = 0; x < K; x++) {
            double s = 0;
            for (int h = 0; h < H; h++)
                for (int t = 0; t < q_len[b]; t++)
                    s += (double)probs[((b * H + h) * T + t) * K + x];
            NEAR(phi[b * K + x], s / (H * q_len[b]), 1e-6);
        }
    assert_true(probs[((1 * H + 0) * T + 65) * K] == 0); /* a padded query */
}

static void test_graph(void **state)
{
    (void)state;
    int64_t off[4] = { 0, 2, 2, 3 };
    int32_t idx[3] = { 0, 1, 1 }, bad[3] = { 0, 1, 2 };
    float y[4] = { 1, 2, 3, 6 }, out[6] = { NAN, NAN, NAN, NAN, NAN, NAN };
    OK(GRN_OP(dev, gather_mean, 3, 2, 2, off, idx, R(y), 2, 0.0, R(out), 2));
    assert_true(out[0] == 2 && out[1] == 4 && out[2] == 0 && out[3] == 0 && out[4] == 3 &&
                out[5] == 6);
    assert_int_equal(GRN_OP(dev, gather_mean, 3, 2, 2, off, bad, R(y), 2, 0.0, R(out), 2),
                     GRN_EINVAL);
    int64_t t_off[3] = { 0, 1, 3 };
    int32_t t_idx[3] = { 0, 0, 2 };
    float dout[6] = { 2, 2, 9, 9, 5, 6 }, dy[4] = { NAN, NAN, NAN, NAN };
    OK(GRN_OP(dev, gather_mean_bwd, 3, 2, 2, off, t_off, t_idx, R(dout), 2, 0.0, R(dy), 2));
    assert_true(dy[0] == 1 && dy[1] == 1 && dy[2] == 6 && dy[3] == 7);
}

static void test_losses(void **state)
{
    (void)state;
    float x[3] = { 1, 2, NAN }, t[3] = { 0, 4, 0 }, w[3] = { 1, 1, 0 }, dx[3], y[3] = { 1, 0, 0 },
          none[3] = { 0, 0, 0 };
    double stat[2] = { 0, 0 };
    OK(GRN_OP(dev, mse, 3, R(x), R(t), R(w), stat));
    assert_true(stat[0] == 5 && stat[1] == 2); /* (1 + 4) / 2 */
    OK(GRN_OP(dev, mse_bwd, 3, R(x), R(t), R(w), stat, 1.0, R(dx)));
    assert_true(dx[0] == 1 && dx[1] == -2 && dx[2] == 0);
    OK(GRN_OP(dev, mse, 3, R(x), R(t), R(none), stat));
    assert_true(stat[0] == 0 && stat[1] == 0);
    OK(GRN_OP(dev, mse_bwd, 3, R(x), R(t), R(none), stat, 1.0, R(dx)));
    assert_true(dx[0] == 0 && dx[2] == 0);
    OK(GRN_OP(dev, mse, 3, R(x), R(t), NULL, stat));
    assert_true(isnan(stat[0])); /* NaN is carried, not hidden */
    OK(GRN_OP(dev, bce, 2, R(x), R(y), NULL, stat));
    NEAR(stat[0], 0.31326169 + 2.12692801, 1e-7); /* log(1 + e^-1), 2 + log(1 + e^-2) */
    float big[2] = { 200, -200 }, one[2] = { 1, 1 };
    OK(GRN_OP(dev, bce, 2, R(big), R(one), NULL, stat));
    NEAR(stat[0], 200, 1e-9); /* no overflow */
    float logits[3] = { 0, 0, 0 };
    int32_t label[1] = { 1 }, bad[1] = { 3 };
    float lse[1] = { 0 };
    OK(GRN_OP(dev, ce, 1, 3, R(logits), label, R(lse), stat));
    NEAR(stat[0], 1.09861229, 1e-8);
    OK(GRN_OP(dev, ce_bwd, 1, 3, R(logits), label, R(lse), stat, 1.0, R(dx)));
    NEAR(dx[0], 1.0 / 3, 1e-7);
    NEAR(dx[1], -2.0 / 3, 1e-7);
    assert_int_equal(GRN_OP(dev, ce, 1, 3, R(logits), bad, R(lse), stat), GRN_EINVAL);
}

/* Two steps with lr 0.1, decay 0.01, g = 1 then -2; the numbers follow from the formula in double.
 */
static void test_adamw(void **state)
{
    (void)state;
    float w = 1, g = 1, m = 0, v = 0;
    double sumsq = 25;
    OK(GRN_OP(dev, adamw, 1, R(&w), R(&g), R(&m), R(&v), 0.1, 0.9, 0.999, 1e-8, 0.01, 1, NULL,
              0.0));
    NEAR(w, 0.899, 1e-6); /* 1 - 0.001 - 0.1 */
    g = -2;
    OK(GRN_OP(dev, adamw, 1, R(&w), R(&g), R(&m), R(&v), 0.1, 0.9, 0.999, 1e-8, 0.01, 2, NULL,
              0.0));
    /* m = 0.09 - 0.2 = -0.11, /0.19 = -0.578947; v = 0.000999 + 0.004 = 0.004999, /0.001999
     * = 2.500750, root 1.581376 */
    NEAR(m, -0.11, 1e-7);
    NEAR(v, 0.004999, 1e-8);
    NEAR(w, 0.899 * 0.999 + 0.1 * 0.578947 / 1.581376, 1e-5);
    w = m = v = 0;
    g = 3;
    OK(GRN_OP(dev, adamw, 1, R(&w), R(&g), R(&m), R(&v), 0.1, 0.9, 0.999, 1e-8, 0, 1, &sumsq,
              1.0)); /* norm 5 clipped to 1 */
    NEAR(m, 0.1 * 3 / 5, 1e-6);
    OK(GRN_OP(dev, adamw, 1, R(&w), R(&g), R(&m), R(&v), 0.1, 0.9, 0.999, 1e-8, 0, 2, &sumsq,
              10.0)); /* below the limit: as it is */
    NEAR(m, 0.06 * 0.9 + 0.3, 1e-6);
}

static void test_device(void **state)
{
    (void)state;
    grn_dev_t *d = NULL;
    assert_int_equal(grn_dev_open(&d, "gpu", NULL), GRN_EUSAGE);
    assert_int_equal(grn_dev_open(&d, "cuda:x", NULL), GRN_EUSAGE);
    assert_int_equal(grn_dev_open(&d, "cudaa", NULL), GRN_EUSAGE);
    OK(grn_dev_open(&d, "auto", NULL));
    assert_non_null(strstr(d->note, "auto: "));
    int on_cpu = strncmp(grn_dev_name(d), "cpu", 3) == 0;
    grn_dev_close(d);
    if (on_cpu) {
        assert_int_equal(grn_dev_open(&d, "cuda", NULL), GRN_EDEVICE);
        assert_null(d);
        assert_non_null(strstr(grn_err_msg(), "CUDA"));
    }
    grn_ops_t less = grn_ops_cpu_f32;
    less.fill = NULL;
    OK(grn_dev_cpu_table(&d, NULL, &less));
    assert_string_equal(grn_dev_name(d), "cpu (1 thread)");
    assert_int_equal(GRN_OP(d, fill, 0, 0.0, NULL), GRN_EUNSUP);
    assert_string_equal(grn_err_msg(), "device cpu (1 thread) has no operation 'fill'");
    grn_real_t *p;
    uint64_t now, peak;
    OK(grn_dev_real(d, &p, 100));
    assert_int_equal((uintptr_t)p % 64, 0);
    d->op->mem(d->ctx, &now, &peak);
    assert_int_equal(now, 400);
    grn_dev_free(d, p);
    d->op->mem(d->ctx, &now, &peak);
    assert_true(now == 0 && peak == 400);
    assert_int_equal(grn_dev_real(d, &p, SIZE_MAX / 2), GRN_ENOMEM);
    grn_mem_fail_after(1);
    assert_int_equal(grn_dev_real(d, &p, 100), GRN_ENOMEM);
    assert_null(p);
    grn_mem_fail_after(0);
    grn_dev_close(d);
    grn_dev_close(NULL);
}

/* Every place where an op asks for workspace fails cleanly when there is no memory. */
static void test_no_memory(void **state)
{
    (void)state;
    grn_dev_t *d;
    enum { M = 2048, N = 4 };
    static float a[M * N], b[M * N], c[N * N];
    int32_t id[2] = { 0, 1 };
    double s;
    OK(grn_dev_cpu(&d, NULL));
    grn_mem_fail_after(1);
    assert_int_equal(GRN_OP(d, gemm, 1, 0, N, N, M, 1.0, R(a), N, R(b), N, 0.0, R(c), N, NULL),
                     GRN_ENOMEM);
    grn_mem_fail_after(1);
    assert_int_equal(GRN_OP(d, col_sum, M, N, R(a), N, 0.0, R(c)), GRN_ENOMEM);
    grn_mem_fail_after(1);
    assert_int_equal(GRN_OP(d, dot, M, R(a), R(a), 0.0, &s), GRN_ENOMEM);
    grn_mem_fail_after(1);
    assert_int_equal(GRN_OP(d, scatter_add, 2, N, M, R(a), N, id, R(b)), GRN_ENOMEM);
    grn_mem_fail_after(0);
    OK(GRN_OP(d, gemm, 1, 0, N, N, M, 1.0, R(a), N, R(b), N, 0.0, R(c), N, NULL));
    grn_dev_close(d);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gemm),      cmocka_unit_test(test_gemm_shapes),
        cmocka_unit_test(test_sums),      cmocka_unit_test(test_act),
        cmocka_unit_test(test_expf),      cmocka_unit_test(test_dropout),
        cmocka_unit_test(test_tables),    cmocka_unit_test(test_norms),
        cmocka_unit_test(test_attention), cmocka_unit_test(test_attention_phi),
        cmocka_unit_test(test_graph),     cmocka_unit_test(test_losses),
        cmocka_unit_test(test_adamw),     cmocka_unit_test(test_device),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests_name("op", tests, setup, teardown);
}
