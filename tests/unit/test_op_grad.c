/* Every op with a backward pass, at odd sizes: gradients against central differences in double; the
 * same case in float against double; AVX2 against plain code and two threads against one, bit for
 * bit; inputs left alone; nothing written outside the buffers. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/mem.h"
#include "base/names.h"
#include "base/rng.h"
#include "nn/op_cpu.h"

enum { GUARD = 37, MAX_BUF = 16, SEED = 20240917, MAX_PROBE = 24 };
static const double guard_value = 12345.678;

typedef enum { BUILD, FORWARD, BACKWARD } phase_t;

typedef struct {
    grn_real_t *p;
    size_t n;
    double *was; /* inputs: values before the run */
} buf_t;

typedef struct cs_s {
    grn_dev_t *dev;
    const char *name;
    buf_t in[MAX_BUF], grad[MAX_BUF], out[MAX_BUF], dout[MAX_BUF];
    int n_in, n_out; /* grad[i] belongs to in[i], dout[i] to out[i]; n = 0: none */
    double *stat;    /* losses: {sum, weight}; then the loss is stat_scale * stat[0] / stat[1] */
    double stat_scale;
    void *ints[8]; /* int arrays, freed at the end */
    int n_ints;
    grn_attn_t at;
} cs_t;

typedef void (*case_fn)(cs_t *c, phase_t phase);

#define OK(x) assert_int_equal((x), GRN_OK)

static buf_t guarded(grn_dev_t *dev, size_t n)
{
    buf_t b = { NULL, n, NULL };
    grn_real_t *raw;
    double *g;
    OK(GRN_NEW(g, n + 2 * GUARD));
    for (size_t i = 0; i < n + 2 * GUARD; i++)
        g[i] = i < GUARD || i >= n + GUARD ? guard_value : NAN;
    OK(grn_dev_real(dev, &raw, n + 2 * GUARD));
    OK(grn_dev_put_f64(dev, raw, g, n + 2 * GUARD));
    free(g);
    b.p = grn_at(dev, raw, GUARD);
    return b;
}

static void unguard(grn_dev_t *dev, buf_t *b, const char *name)
{
    if (!b->p) return;
    double g[2 * GUARD];
    grn_real_t *raw = grn_at(dev, b->p, -GUARD);
    OK(grn_dev_get_f64(dev, g, raw, GUARD));
    OK(grn_dev_get_f64(dev, g + GUARD, grn_at(dev, b->p, (int64_t)b->n), GUARD));
    for (int i = 0; i < 2 * GUARD; i++)
        if (fabs(g[i] - guard_value) > 1e-3) fail_msg("%s: wrote outside a buffer", name);
    grn_dev_free(dev, raw);
    free(b->was);
    memset(b, 0, sizeof *b);
}

/* An input of n uniform numbers in (-a, a), the same for every device; with_grad: it has a
 * gradient. */
static grn_real_t *input(cs_t *c, size_t n, double a, int with_grad)
{
    int i = c->n_in++;
    grn_rng_t r;
    c->in[i] = guarded(c->dev, n);
    OK(GRN_NEW(c->in[i].was, n));
    grn_rng_init2(&r, SEED, "test.op", grn_hash_str(c->name), (uint64_t)i);
    for (size_t k = 0; k < n; k++)
        c->in[i].was[k] = (double)(float)(a * (2 * grn_rng_unif(&r) - 1));
    OK(grn_dev_put_f64(c->dev, c->in[i].p, c->in[i].was, n));
    if (with_grad) c->grad[i] = guarded(c->dev, n);
    return c->in[i].p;
}

static void output(cs_t *c, size_t n, int with_dout)
{
    int i = c->n_out++;
    grn_rng_t r;
    c->out[i] = guarded(c->dev, n);
    if (!with_dout) return;
    c->dout[i] = guarded(c->dev, n);
    OK(GRN_NEW(c->dout[i].was, n));
    grn_rng_init2(&r, SEED, "test.dout", grn_hash_str(c->name), (uint64_t)i);
    for (size_t k = 0; k < n; k++) c->dout[i].was[k] = (double)(float)(2 * grn_rng_unif(&r) - 1);
    OK(grn_dev_put_f64(c->dev, c->dout[i].p, c->dout[i].was, n));
}

static void *ints(cs_t *c, const void *src, size_t bytes)
{
    void *p;
    OK(grn_dev_bytes(c->dev, &p, bytes, 1));
    OK(grn_dev_upload(c->dev, p, src, bytes));
    c->ints[c->n_ints++] = p;
    return p;
}

static int32_t *random_ids(cs_t *c, size_t n, int64_t lo, int64_t hi)
{
    int32_t *id;
    grn_rng_t r;
    OK(GRN_NEW(id, n));
    grn_rng_init2(&r, SEED, "test.id", grn_hash_str(c->name), (uint64_t)c->n_ints);
    for (size_t k = 0; k < n; k++)
        id[k] = (int32_t)(lo + (int64_t)grn_rng_below(&r, (uint64_t)(hi - lo)));
    int32_t *d = ints(c, id, n * sizeof *id);
    free(id);
    return d;
}

static void destroy(cs_t *c)
{
    for (int i = 0; i < c->n_in; i++) {
        double *now;
        OK(GRN_NEW(now, c->in[i].n));
        OK(grn_dev_get_f64(c->dev, now, c->in[i].p, c->in[i].n));
        if (memcmp(now, c->in[i].was, c->in[i].n * sizeof *now) != 0)
            fail_msg("%s: input %d was changed", c->name, i);
        free(now);
        unguard(c->dev, &c->in[i], c->name);
        unguard(c->dev, &c->grad[i], c->name);
    }
    for (int i = 0; i < c->n_out; i++) {
        unguard(c->dev, &c->out[i], c->name);
        unguard(c->dev, &c->dout[i], c->name);
    }
    for (int i = 0; i < c->n_ints; i++) grn_dev_free(c->dev, c->ints[i]);
    grn_dev_free(c->dev, c->stat);
}

static void start(cs_t *c, grn_dev_t *dev, const char *name, case_fn fn)
{
    memset(c, 0, sizeof *c);
    c->dev = dev;
    c->name = name;
    fn(c, BUILD);
}

/* ---- the cases ---- */

#define IN(i) (c->in[i].p)
#define GRAD(i) (c->grad[i].p)
#define OUT(i) (c->out[i].p)
#define DOUT(i) (c->dout[i].p)

/* y = x W^T + b with strides larger than the widths; dx, dW, db as a layer computes them. */
static void linear_sized(cs_t *c, phase_t phase, int64_t M, int64_t N, int64_t K)
{
    int64_t ldx = K, ldy = N;
    if (phase == BUILD) {
        input(c, (size_t)(M * ldx), 1, 1);
        input(c, (size_t)(N * K), 1, 1);
        input(c, (size_t)N, 1, 1);
        output(c, (size_t)(M * ldy), 1);
    } else if (phase == FORWARD) {
        OK(GRN_OP(c->dev, gemm, 0, 1, M, N, K, 1.0, IN(0), ldx, IN(1), K, 0.0, OUT(0), ldy, IN(2)));
    } else {
        OK(GRN_OP(c->dev, gemm, 0, 0, M, K, N, 1.0, DOUT(0), ldy, IN(1), K, 0.0, GRAD(0), ldx,
                  NULL));
        OK(GRN_OP(c->dev, gemm, 1, 0, N, K, M, 1.0, DOUT(0), ldy, IN(0), ldx, 0.0, GRAD(1), K,
                  NULL));
        OK(GRN_OP(c->dev, col_sum, M, N, DOUT(0), ldy, 0.0, GRAD(2)));
    }
}
static void linear_tall(cs_t *c, phase_t phase)
{
    linear_sized(c, phase, 1337, 29, 31); /* the weight gradient takes the split path */
}
static void linear_wide(cs_t *c, phase_t phase)
{
    linear_sized(c, phase, 3, 613, 7);
}
static void linear_one(cs_t *c, phase_t phase)
{
    linear_sized(c, phase, 1, 1, 1);
}

/* Not differentiated: here for the comparison of bits. */
static void adamw_case(cs_t *c, phase_t phase)
{
    enum { N = 70001 };
    if (phase == BUILD) {
        input(c, N, 1, 0);
        for (int i = 0; i < 3; i++) output(c, N, 0);
        OK(GRN_DEV_NEW(c->dev, c->stat, 2));
    } else if (phase == FORWARD) {
        for (int i = 0; i < 3; i++) OK(GRN_OP(c->dev, fill, N, 0.5, OUT(i)));
        OK(GRN_OP(c->dev, dot, N, IN(0), IN(0), 0.0, c->stat));
        OK(GRN_OP(c->dev, dot, N, IN(0), OUT(0), 0.0, c->stat + 1));
        OK(GRN_OP(c->dev, adamw, N, OUT(0), IN(0), OUT(1), OUT(2), 0.01, 0.9, 0.999, 1e-8, 0.1,
                  (int64_t)3, c->stat, 2.0));
    }
}

static void act_any_case(cs_t *c, phase_t phase, grn_act kind)
{
    enum { N = 70001 };
    if (phase == BUILD) {
        input(c, N, 3, 1);
        output(c, N, 1);
    } else if (phase == FORWARD) {
        OK(GRN_OP(c->dev, act, kind, N, IN(0), OUT(0)));
    } else {
        OK(GRN_OP(c->dev, act_bwd, kind, N, OUT(0), DOUT(0), GRAD(0)));
    }
}
static void act_relu(cs_t *c, phase_t phase)
{
    act_any_case(c, phase, GRN_ACT_RELU);
}
static void act_lrelu(cs_t *c, phase_t phase)
{
    act_any_case(c, phase, GRN_ACT_LRELU);
}
static void act_sigmoid(cs_t *c, phase_t phase)
{
    act_any_case(c, phase, GRN_ACT_SIGMOID);
}

static void add_case(cs_t *c, phase_t phase)
{
    enum { N = 40001 };
    if (phase == BUILD) {
        input(c, N, 1, 1);
        input(c, N, 1, 1);
        output(c, N, 1);
    } else if (phase == FORWARD) {
        OK(GRN_OP(c->dev, add, N, 0.7, IN(0), -1.3, IN(1), OUT(0)));
    } else {
        OK(GRN_OP(c->dev, add, N, 0.7, DOUT(0), 0.0, NULL, GRAD(0)));
        OK(GRN_OP(c->dev, add, N, -1.3, DOUT(0), 0.0, NULL, GRAD(1)));
    }
}

static void dropout_case(cs_t *c, phase_t phase)
{
    enum { M = 77, N = 101 };
    static const grn_drop_t drop = { 0.3, 5, 7, 11, 13 };
    if (phase == BUILD) {
        input(c, M * N, 1, 1);
        output(c, M * N, 1);
    } else if (phase == FORWARD) {
        OK(GRN_OP(c->dev, dropout, M, N, &drop, IN(0), OUT(0)));
    } else {
        OK(GRN_OP(c->dev, dropout, M, N, &drop, DOUT(0), GRAD(0)));
    }
}

static void gather_case(cs_t *c, phase_t phase)
{
    enum { M = 701, D = 19, V = 307, LD = 23 };
    if (phase == BUILD) {
        input(c, V * D, 1, 1);
        output(c, M * LD, 1);
        random_ids(c, M, -1, V);
    } else if (phase == FORWARD) {
        OK(GRN_OP(c->dev, fill, M * LD, 0.0, OUT(0)));
        OK(GRN_OP(c->dev, gather, M, D, V, IN(0), c->ints[0], 0.0, OUT(0), LD));
    } else {
        OK(GRN_OP(c->dev, fill, V * D, 0.0, GRAD(0)));
        OK(GRN_OP(c->dev, scatter_add, M, D, V, DOUT(0), LD, c->ints[0], GRAD(0)));
    }
}

static void layer_norm_case(cs_t *c, phase_t phase)
{
    enum { M = 301, D = 37 };
    if (phase == BUILD) {
        input(c, M * D, 2, 1);
        input(c, D, 1, 1);
        input(c, D, 1, 1);
        output(c, M * D, 1);
        output(c, M, 0);
        output(c, M, 0);
    } else if (phase == FORWARD) {
        OK(GRN_OP(c->dev, layer_norm, M, D, 1e-5, IN(0), IN(1), IN(2), OUT(0), OUT(1), OUT(2)));
    } else {
        OK(GRN_OP(c->dev, fill, D, 0.0, GRAD(1)));
        OK(GRN_OP(c->dev, fill, D, 0.0, GRAD(2)));
        OK(GRN_OP(c->dev, layer_norm_bwd, M, D, IN(0), IN(1), OUT(1), OUT(2), DOUT(0), GRAD(0),
                  GRAD(1), GRAD(2)));
    }
}

static void l2norm_case(cs_t *c, phase_t phase)
{
    enum { M = 67, D = 13 };
    if (phase == BUILD) {
        input(c, M * D, 1, 1);
        output(c, M * D, 1);
        output(c, M, 0);
    } else if (phase == FORWARD) {
        OK(GRN_OP(c->dev, l2norm, M, D, IN(0), OUT(0), OUT(1)));
    } else {
        OK(GRN_OP(c->dev, l2norm_bwd, M, D, OUT(0), OUT(1), DOUT(0), GRAD(0)));
    }
}

/* Separate q, k, v; lengths or offsets are in c->at. Rows: q_rows, k_rows. */
static void attn_sized(cs_t *c, phase_t phase, int64_t q_rows, int64_t k_rows)
{
    int64_t D = c->at.H * c->at.Dh;
    if (phase == BUILD) {
        c->at.ldq = D + 3;
        c->at.ldk = D;
        c->at.ldv = D + 1;
        c->at.ldo = D + 2;
        c->at.scale = 1 / sqrt((double)c->at.Dh);
        input(c, (size_t)(q_rows * c->at.ldq), 2, 1);
        input(c, (size_t)(k_rows * c->at.ldk), 2, 1);
        input(c, (size_t)(k_rows * c->at.ldv), 1, 1);
        output(c, (size_t)(q_rows * c->at.ldo), 1);
        output(c, (size_t)(q_rows * c->at.H), 0);
        output(c, (size_t)k_rows, 0);
    } else if (phase == FORWARD) {
        OK(GRN_OP(c->dev, fill, (int64_t)c->out[0].n, 0.0, OUT(0)));
        OK(GRN_OP(c->dev, attn, &c->at, IN(0), IN(1), IN(2), OUT(0), OUT(1)));
        OK(GRN_OP(c->dev, attn_probs, &c->at, IN(0), IN(1), OUT(1), NULL, OUT(2), NULL));
    } else {
        for (int i = 0; i < 3; i++) OK(GRN_OP(c->dev, fill, (int64_t)c->grad[i].n, 0.0, GRAD(i)));
        OK(GRN_OP(c->dev, attn_bwd, &c->at, IN(0), IN(1), IN(2), OUT(0), OUT(1), DOUT(0), GRAD(0),
                  GRAD(1), GRAD(2)));
    }
}
static void attn_self(cs_t *c, phase_t phase)
{
    if (phase == BUILD) {
        static const int32_t len[3] = { 71, 1, 66 };
        c->at = (grn_attn_t){ .B = 3, .T = 71, .K = 71, .H = 2, .Dh = 5 };
        c->at.q_len = c->at.k_len = ints(c, len, sizeof len);
    }
    attn_sized(c, phase, 213, 213);
}
static void attn_cross_drop(cs_t *c, phase_t phase)
{
    if (phase == BUILD) {
        static const int32_t len[4] = { 33, 0, 7, 1 }; /* one cell without keys */
        c->at =
            (grn_attn_t){ .B = 4, .T = 9, .K = 33, .H = 3, .Dh = 4, .drop = { 0.25, 3, 1, 0, 2 } };
        c->at.k_len = ints(c, len, sizeof len);
    }
    attn_sized(c, phase, 36, 132);
}
static void attn_packed(cs_t *c, phase_t phase)
{
    if (phase == BUILD) {
        static const int64_t q_off[4] = { 0, 5, 5, 16 }, k_off[4] = { 0, 3, 8, 21 };
        c->at = (grn_attn_t){ .B = 3, .T = 11, .K = 13, .H = 1, .Dh = 7 };
        c->at.q_off = ints(c, q_off, sizeof q_off);
        c->at.k_off = ints(c, k_off, sizeof k_off);
    }
    attn_sized(c, phase, 16, 21);
}

/* Transpose of (off, idx), by hand. */
static void transpose(const int64_t *off, const int32_t *idx, int64_t M, int64_t V, int64_t *t_off,
                      int32_t *t_idx)
{
    int64_t e = 0;
    for (int64_t u = 0; u < V; u++) {
        t_off[u] = e;
        for (int64_t m = 0; m < M; m++)
            for (int64_t k = off[m]; k < off[m + 1]; k++)
                if (idx[k] == u) t_idx[e++] = (int32_t)m;
    }
    t_off[V] = e;
}

static void gather_mean_case(cs_t *c, phase_t phase)
{
    enum { M = 97, V = 61, D = 11, LDY = 12, LDO = 15 };
    if (phase == BUILD) {
        int64_t off[M + 1] = { 0 }, t_off[V + 1];
        int32_t idx[M * 4], t_idx[M * 4];
        grn_rng_t r;
        grn_rng_init(&r, SEED, "test.graph", 0);
        for (int m = 0; m < M; m++) { /* degree 0 .. 3; ids may repeat */
            off[m + 1] = off[m] + (int64_t)grn_rng_below(&r, 4);
            for (int64_t e = off[m]; e < off[m + 1]; e++) idx[e] = (int32_t)grn_rng_below(&r, V);
        }
        transpose(off, idx, M, V, t_off, t_idx);
        ints(c, off, sizeof off);
        ints(c, idx, sizeof idx);
        ints(c, t_off, sizeof t_off);
        ints(c, t_idx, sizeof t_idx);
        input(c, V * LDY, 1, 1);
        output(c, M * LDO, 1);
    } else if (phase == FORWARD) {
        OK(GRN_OP(c->dev, fill, M * LDO, 0.5, OUT(0)));
        OK(GRN_OP(c->dev, gather_mean, M, D, V, c->ints[0], c->ints[1], IN(0), LDY, 2.0, OUT(0),
                  LDO));
    } else {
        OK(GRN_OP(c->dev, fill, V * LDY, 0.0, GRAD(0)));
        OK(GRN_OP(c->dev, gather_mean_bwd, M, D, V, c->ints[0], c->ints[2], c->ints[3], DOUT(0),
                  LDO, 0.0, GRAD(0), LDY));
    }
}

static void row_dot_case(cs_t *c, phase_t phase)
{
    enum { M = 103, D = 9, LDA = 10, LDB = 9 };
    if (phase == BUILD) {
        input(c, M * LDA, 1, 1);
        input(c, M * LDB, 1, 1);
        output(c, M, 1);
    } else if (phase == FORWARD) {
        OK(GRN_OP(c->dev, row_dot, M, D, IN(0), LDA, IN(1), LDB, OUT(0)));
    } else {
        OK(GRN_OP(c->dev, fill, M * LDA, 0.0, GRAD(0)));
        OK(GRN_OP(c->dev, fill, M * LDB, 0.0, GRAD(1)));
        OK(GRN_OP(c->dev, row_dot_bwd, M, D, IN(0), LDA, IN(1), LDB, DOUT(0), 1.0, GRAD(0),
                  GRAD(1)));
    }
}

/* in: x, target, weights (a third of them 0, where target is NaN). */
static void loss_build(cs_t *c, size_t n, double lo)
{
    grn_real_t *y, *w;
    double *host_y, *host_w;
    input(c, n, 4, 1);
    y = input(c, n, 1, 0);
    w = input(c, n, 1, 0);
    host_y = c->in[1].was;
    host_w = c->in[2].was;
    for (size_t i = 0; i < n; i++) {
        host_y[i] = (double)(float)(lo < 0 ? host_y[i] : 0.5 * (host_y[i] + 1));
        host_w[i] = i % 3 == 0 ? 0 : fabs(host_w[i]);
    }
    for (size_t i = 0; i < n; i += 3) host_y[i] = NAN;
    OK(grn_dev_put_f64(c->dev, y, host_y, n));
    OK(grn_dev_put_f64(c->dev, w, host_w, n));
    OK(GRN_DEV_NEW(c->dev, c->stat, 2));
    c->stat_scale = 1.7;
}

static void mse_case(cs_t *c, phase_t phase)
{
    enum { N = 20011 };
    if (phase == BUILD) {
        loss_build(c, N, -1);
    } else if (phase == FORWARD) {
        OK(GRN_OP(c->dev, mse, N, IN(0), IN(1), IN(2), c->stat));
    } else {
        OK(GRN_OP(c->dev, mse_bwd, N, IN(0), IN(1), IN(2), c->stat, c->stat_scale, GRAD(0)));
    }
}

static void bce_case(cs_t *c, phase_t phase)
{
    enum { N = 20011 };
    if (phase == BUILD) {
        loss_build(c, N, 0);
    } else if (phase == FORWARD) {
        OK(GRN_OP(c->dev, bce, N, IN(0), IN(1), IN(2), c->stat));
    } else {
        OK(GRN_OP(c->dev, bce_bwd, N, IN(0), IN(1), IN(2), c->stat, c->stat_scale, GRAD(0)));
    }
}

static void ce_case(cs_t *c, phase_t phase)
{
    enum { M = 131, N = 17 };
    if (phase == BUILD) {
        input(c, M * N, 3, 1);
        output(c, M, 0);
        random_ids(c, M, -2, N);
        OK(GRN_DEV_NEW(c->dev, c->stat, 2));
        c->stat_scale = 0.9;
    } else if (phase == FORWARD) {
        OK(GRN_OP(c->dev, ce, M, N, IN(0), c->ints[0], OUT(0), c->stat));
    } else {
        OK(GRN_OP(c->dev, ce_bwd, M, N, IN(0), c->ints[0], OUT(0), c->stat, c->stat_scale,
                  GRAD(0)));
    }
}

static const struct {
    const char *name;
    case_fn fn;
} cases[] = {
    { "linear_tall", linear_tall },
    { "linear_wide", linear_wide },
    { "linear_one", linear_one },
    { "relu", act_relu },
    { "lrelu", act_lrelu },
    { "sigmoid", act_sigmoid },
    { "add", add_case },
    { "dropout", dropout_case },
    { "gather", gather_case },
    { "layer_norm", layer_norm_case },
    { "l2norm", l2norm_case },
    { "attn_self", attn_self },
    { "attn_cross_drop", attn_cross_drop },
    { "attn_packed", attn_packed },
    { "gather_mean", gather_mean_case },
    { "row_dot", row_dot_case },
    { "mse", mse_case },
    { "bce", bce_case },
    { "adamw", adamw_case },
    { "ce", ce_case },
};
enum { N_CASE = sizeof cases / sizeof *cases };

/* ---- checks ---- */

/* The scalar whose gradient the backward pass gives: sum of dout * out, or the loss. cpu64 memory
 * is host memory. */
static double objective(cs_t *c, case_fn fn)
{
    double s = 0;
    fn(c, FORWARD);
    if (c->stat) return c->stat_scale * c->stat[0] / c->stat[1];
    for (int i = 0; i < c->n_out; i++)
        for (size_t k = 0; k < c->dout[i].n; k++)
            s += c->dout[i].was[k] * ((double *)(void *)c->out[i].p)[k];
    return s;
}

static void check_gradients(grn_dev_t *dev, const char *name, case_fn fn)
{
    cs_t c;
    double worst = 0;
    start(&c, dev, name, fn);
    fn(&c, FORWARD);
    fn(&c, BACKWARD);
    for (int i = 0; i < c.n_in; i++) {
        grn_rng_t r;
        double top = 0; /* the largest gradient of this input: differences are judged against it */
        for (size_t k = 0; k < c.grad[i].n; k++)
            top = fmax(top, fabs(((double *)(void *)c.grad[i].p)[k]));
        if (c.grad[i].n && !(top > 0))
            fail_msg("%s: gradient of input %d is 0 everywhere", name, i);
        grn_rng_init2(&r, SEED, "test.probe", grn_hash_str(name), (uint64_t)i);
        for (size_t k = 0; k < c.grad[i].n && k < MAX_PROBE; k++) {
            size_t at = c.grad[i].n <= MAX_PROBE ? k : (size_t)grn_rng_below(&r, c.grad[i].n);
            double *x = (double *)(void *)c.in[i].p + at, was = *x, h = 1e-5, up, down;
            double got = ((double *)(void *)c.grad[i].p)[at];
            if (fabs(was) < 2 * h) continue; /* a kink of ReLU may lie between */
            *x = was + h;
            up = objective(&c, fn);
            *x = was - h;
            down = objective(&c, fn);
            *x = was;
            double want = (up - down) / (2 * h),
                   err = fmax(0, fabs(got - want) - 3e-10) / top; /* 3e-10: rounding */
            if (!(err < 1e-6))
                fail_msg("%s: d/d input %d [%zu]: %.12g, central difference %.12g", name, i, at,
                         got, want);
            if (err > worst) worst = err;
        }
    }
    print_message("# %s: largest difference %.1e (seed %d)\n", name, worst, SEED);
    destroy(&c);
}

static void each_buffer(cs_t *a, cs_t *b, const char *what,
                        void (*cmp)(cs_t *, buf_t, cs_t *, buf_t, const char *))
{
    for (int i = 0; i < a->n_out; i++) cmp(a, a->out[i], b, b->out[i], what);
    for (int i = 0; i < a->n_in; i++)
        if (a->grad[i].n) cmp(a, a->grad[i], b, b->grad[i], what);
}

static void same_bits(cs_t *a, buf_t x, cs_t *b, buf_t y, const char *what)
{
    (void)b;
    if (memcmp(x.p, y.p, x.n * a->dev->op->real_size) != 0)
        fail_msg("%s: bits differ: %s", a->name, what);
}

static void close_to(cs_t *a, buf_t x, cs_t *b, buf_t y, const char *what)
{
    double *u, *v, top = 0, err = 0;
    OK(GRN_NEW(u, x.n));
    OK(GRN_NEW(v, y.n));
    OK(grn_dev_get_f64(a->dev, u, x.p, x.n));
    OK(grn_dev_get_f64(b->dev, v, y.p, y.n));
    for (size_t i = 0; i < x.n; i++) {
        if (fabs(v[i]) > top) top = fabs(v[i]);
        if (!(fabs(u[i] - v[i]) <= err)) err = fabs(u[i] - v[i]);
    }
    if (!(err <= 1e-5 * top)) fail_msg("%s: %s: off by %g of %g", a->name, what, err, top);
    free(u);
    free(v);
}

static void compare(grn_dev_t *da, grn_dev_t *db, const char *what,
                    void (*cmp)(cs_t *, buf_t, cs_t *, buf_t, const char *))
{
    for (size_t i = 0; i < N_CASE; i++) {
        cs_t a, b;
        start(&a, da, cases[i].name, cases[i].fn);
        start(&b, db, cases[i].name, cases[i].fn);
        cases[i].fn(&a, FORWARD);
        cases[i].fn(&a, BACKWARD);
        cases[i].fn(&b, FORWARD);
        cases[i].fn(&b, BACKWARD);
        each_buffer(&a, &b, what, cmp);
        if (a.stat && cmp == same_bits) assert_memory_equal(a.stat, b.stat, 2 * sizeof(double));
        if (a.stat)
            assert_true(fabs(a.stat[0] / b.stat[0] - 1) < 1e-6 &&
                        fabs(a.stat[1] / b.stat[1] - 1) < 1e-6);
        destroy(&a);
        destroy(&b);
    }
}

static void test_gradients(void **state)
{
    grn_dev_t *dev;
    grn_par_t *pool;
    (void)state;
    OK(grn_par_create(&pool, 2));
    OK(grn_dev_cpu64(&dev, pool));
    for (size_t i = 0; i < N_CASE; i++) check_gradients(dev, cases[i].name, cases[i].fn);
    grn_dev_close(dev);
    grn_par_destroy(pool);
}

static void test_float_is_close_to_double(void **state)
{
    grn_dev_t *f, *d;
    (void)state;
    OK(grn_dev_cpu_table(&f, NULL, &grn_ops_cpu_f32));
    OK(grn_dev_cpu64(&d, NULL));
    compare(f, d, "float against double", close_to);
    grn_dev_close(f);
    grn_dev_close(d);
}

static void test_threads_do_not_change_bits(void **state)
{
    grn_dev_t *one, *two;
    grn_par_t *pool;
    (void)state;
    OK(grn_par_create(&pool, 2));
    OK(grn_dev_cpu(&one, NULL));
    OK(grn_dev_cpu(&two, pool));
    compare(one, two, "1 thread against 2", same_bits);
    grn_dev_close(one);
    grn_dev_close(two);
    grn_par_destroy(pool);
}

static void test_avx2_does_not_change_bits(void **state)
{
    (void)state;
#if defined(__x86_64__)
    grn_dev_t *a, *b;
    if (!__builtin_cpu_supports("avx2")) skip();
    OK(grn_dev_cpu_table(&a, NULL, &grn_ops_cpu_f32));
    OK(grn_dev_cpu_table(&b, NULL, &grn_ops_cpu_f32_avx2));
    compare(a, b, "plain against AVX2", same_bits);
    grn_dev_close(a);
    grn_dev_close(b);
#else
    skip();
#endif
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gradients),
        cmocka_unit_test(test_float_is_close_to_double),
        cmocka_unit_test(test_threads_do_not_change_bits),
        cmocka_unit_test(test_avx2_does_not_change_bits),
    };
    return cmocka_run_group_tests_name("op_grad", tests, NULL, NULL);
}
