/* The transformer block of scGPT: post-norm, ReLU, packed QKV. */
#include <math.h>

#include "base/str.h"
#include "model/layer.h"

static const char *const NORMS[] = { "norm1", "norm2" };

grn_status grn_block_add(grn_params_t *ps, const char *prefix, int64_t d, int64_t ffn, uint64_t seed)
{
    grn_status rc = GRN_OK;
    const struct {
        const char *leaf;
        int64_t out, in;
    } lin[] = {
        { "self_attn.Wqkv", 3 * d, d }, { "self_attn.out_proj", d, d }, { "linear1", ffn, d }, { "linear2", d, ffn }
    };
    grn_str_t name = { 0 };
    for (size_t i = 0; i < 4; i++) {
        name.n = 0;
        GRN_TRY(grn_str_printf(&name, "%s.%s", prefix, lin[i].leaf));
        GRN_TRY(grn_params_add_linear(ps, name.s, lin[i].out, lin[i].in, 1, seed, NULL, NULL));
    }
    for (size_t i = 0; i < 2; i++) {
        name.n = 0;
        GRN_TRY(grn_str_printf(&name, "%s.%s", prefix, NORMS[i]));
        GRN_TRY(grn_params_add_norm(ps, name.s, d, seed, NULL, NULL));
    }
end:
    grn_str_clear(&name);
    return rc;
}

grn_status grn_block_bind(grn_block_t *l, const grn_params_t *ps, const char *prefix)
{
    grn_status rc = GRN_OK;
    const struct {
        const char *leaf;
        grn_linear_t *to;
    } lin[] = {
        { "self_attn.Wqkv", &l->qkv }, { "self_attn.out_proj", &l->out }, { "linear1", &l->l1 }, { "linear2", &l->l2 }
    };
    grn_str_t name = { 0 };
    for (size_t i = 0; i < 4; i++) {
        name.n = 0;
        GRN_TRY(grn_str_printf(&name, "%s.%s", prefix, lin[i].leaf));
        GRN_TRY(grn_linear_bind(lin[i].to, ps, name.s));
    }
    for (size_t i = 0; i < 2; i++) {
        name.n = 0;
        GRN_TRY(grn_str_printf(&name, "%s.%s", prefix, NORMS[i]));
        GRN_TRY(grn_norm_bind(i == 0 ? &l->n1 : &l->n2, ps, name.s));
    }
end:
    grn_str_clear(&name);
    return rc;
}

static int64_t n_out(const grn_block_t *l, const grn_pass_t *p)
{
    return l->restricted ? p->b->n_query : p->b->n_rows;
}

void grn_block_layout(grn_block_t *l, const grn_pass_t *p, grn_arena_t *a)
{
    int64_t N = p->b->n_rows, M = n_out(l, p), d = p->d;
    l->qkv_a = grn_arena_take(a, N, 3 * d);
    l->xq = l->restricted ? grn_arena_take(a, M, d) : NULL;
    l->q = l->restricted ? grn_arena_take(a, M, d) : NULL;
    l->o = grn_arena_take(a, M, d);
    l->lse = grn_arena_take(a, M, p->heads);
    l->r1 = grn_arena_take(a, M, d);
    l->x1 = grn_arena_take(a, M, d);
    l->h = grn_arena_take(a, M, l->l1.out);
    l->r2 = grn_arena_take(a, M, d);
    l->y = grn_arena_take(a, M, d);
    l->n1.mean = grn_arena_take(a, M, 1);
    l->n1.rstd = grn_arena_take(a, M, 1);
    l->n2.mean = grn_arena_take(a, M, 1);
    l->n2.rstd = grn_arena_take(a, M, 1);
}

/* The attention of the block: queries packed beside keys and values, or apart when restricted. */
static grn_attn_t attention(const grn_block_t *l, const grn_pass_t *p)
{
    const grn_batch_t *b = p->b;
    int64_t d = p->d;
    return (grn_attn_t){ .B = b->n_cells,
                         .T = l->restricted ? b->max_query : b->max_rows,
                         .K = b->max_rows,
                         .H = p->heads,
                         .Dh = d / p->heads,
                         .q_off = l->restricted ? b->query_off.d : b->row_off.d,
                         .k_off = b->row_off.d,
                         .ldq = l->restricted ? d : 3 * d,
                         .ldk = 3 * d,
                         .ldv = 3 * d,
                         .ldo = d,
                         .scale = 1 / sqrt((double)(d / p->heads)),
                         .drop = { p->dropout, p->seed, p->step, 0, l->place } };
}

grn_status grn_block_forward(grn_block_t *l, const grn_pass_t *p, grn_real_t *x)
{
    grn_status rc = GRN_OK;
    grn_dev_t *dev = p->dev;
    int64_t N = p->b->n_rows, M = n_out(l, p), d = p->d;
    grn_attn_t at = attention(l, p);
    if (l->restricted) {
        grn_linear_t q = grn_linear_rows(dev, &l->qkv, 0, d), kv = grn_linear_rows(dev, &l->qkv, d, 2 * d);
        GRN_TRY(GRN_OP(dev, gather, M, d, N, x, p->b->query_row.d, 0.0, l->xq, d));
        GRN_TRY(grn_linear_forward(dev, &q, M, l->xq, d, 0, l->q, d));
        GRN_TRY(grn_linear_forward(dev, &kv, N, x, d, 0, grn_at(dev, l->qkv_a, d), 3 * d));
    } else {
        l->xq = x;
        l->q = l->qkv_a;
        GRN_TRY(grn_linear_forward(dev, &l->qkv, N, x, d, 0, l->qkv_a, 3 * d));
    }
    GRN_TRY(GRN_OP(dev, attn, &at, l->q, grn_at(dev, l->qkv_a, d), grn_at(dev, l->qkv_a, 2 * d), l->o, l->lse));
    GRN_TRY(grn_linear_forward(dev, &l->out, M, l->o, d, 0, l->r1, d));
    GRN_TRY(grn_pass_drop(p, l->place + 1, M, d, l->r1));
    GRN_TRY(GRN_OP(dev, add, M * d, 1.0, l->r1, 1.0, l->xq, l->r1));
    GRN_TRY(grn_norm_forward(dev, &l->n1, M, l->r1, l->x1));
    GRN_TRY(grn_linear_forward(dev, &l->l1, M, l->x1, d, 0, l->h, l->l1.out));
    GRN_TRY(GRN_OP(dev, act, GRN_ACT_RELU, M * l->l1.out, l->h, l->h));
    GRN_TRY(grn_pass_drop(p, l->place + 2, M, l->l1.out, l->h));
    GRN_TRY(grn_linear_forward(dev, &l->l2, M, l->h, l->l1.out, 0, l->r2, d));
    GRN_TRY(grn_pass_drop(p, l->place + 3, M, d, l->r2));
    GRN_TRY(GRN_OP(dev, add, M * d, 1.0, l->r2, 1.0, l->x1, l->r2));
    GRN_TRY(grn_norm_forward(dev, &l->n2, M, l->r2, l->y));
end:
    return rc;
}

/* From dy (gradient of y) to dy = gradient of x1's sum r1 + its residual: both feed-forward and LN1, LN2. s: M * (ffn + d).
 */
static grn_status backward_ffn(grn_block_t *l, const grn_pass_t *p, int64_t M, grn_real_t *dy, grn_real_t *s)
{
    grn_status rc = GRN_OK;
    grn_dev_t *dev = p->dev;
    int64_t d = p->d, f = l->l1.out;
    grn_real_t *dh = s, *df = dy;
    GRN_TRY(grn_norm_backward(dev, &l->n2, M, l->r2, dy, dy));
    if (p->dropout > 0) {
        df = grn_at(dev, s, M * f);
        GRN_TRY(grn_dev_copy(dev, df, dy, (size_t)(M * d)));
        GRN_TRY(grn_pass_drop(p, l->place + 3, M, d, df));
    }
    GRN_TRY(grn_linear_backward(dev, &l->l2, M, l->h, f, df, d, 0, dh, f));
    GRN_TRY(grn_pass_drop(p, l->place + 2, M, f, dh));
    GRN_TRY(GRN_OP(dev, act_bwd, GRN_ACT_RELU, M * f, l->h, dh, dh));
    GRN_TRY(grn_linear_backward(dev, &l->l1, M, l->x1, d, dh, f, 1, dy, d));
    GRN_TRY(grn_norm_backward(dev, &l->n1, M, l->r1, dy, dy));
end:
    return rc;
}

grn_status grn_block_backward(grn_block_t *l, const grn_pass_t *p, grn_real_t *x, grn_real_t *dy, grn_real_t *dx,
                              grn_real_t *s)
{
    grn_status rc = GRN_OK;
    grn_dev_t *dev = p->dev;
    int64_t N = p->b->n_rows, M = n_out(l, p), d = p->d;
    grn_attn_t at = attention(l, p);
    grn_real_t *d_o = grn_at(dev, s, N * 3 * d), *dqkv = s, *dq = l->restricted ? l->r2 : dqkv; /* r2 is free by then */
    GRN_TRY(backward_ffn(l, p, M, dy, s));
    GRN_TRY(grn_dev_copy(dev, l->r1, dy, (size_t)(M * d))); /* r1 is not needed any more: the branch that was dropped */
    GRN_TRY(grn_pass_drop(p, l->place + 1, M, d, l->r1));
    GRN_TRY(grn_linear_backward(dev, &l->out, M, l->o, d, l->r1, d, 0, d_o, d));
    GRN_TRY(GRN_OP(dev, attn_bwd, &at, l->q, grn_at(dev, l->qkv_a, d), grn_at(dev, l->qkv_a, 2 * d), l->o, l->lse, d_o, dq,
                   grn_at(dev, dqkv, d), grn_at(dev, dqkv, 2 * d)));
    if (l->restricted) {
        grn_linear_t q = grn_linear_rows(dev, &l->qkv, 0, d), kv = grn_linear_rows(dev, &l->qkv, d, 2 * d);
        GRN_TRY(grn_linear_backward(dev, &q, M, l->xq, d, dq, d, 1, dy, d));
        GRN_TRY(grn_linear_backward(dev, &kv, N, x, d, grn_at(dev, dqkv, d), 3 * d, 0, dx, d));
        GRN_TRY(GRN_OP(dev, scatter_add, M, d, N, dy, d, p->b->query_row.d, dx));
    } else {
        if (dx != dy) GRN_TRY(grn_dev_copy(dev, dx, dy, (size_t)(N * d)));
        GRN_TRY(grn_linear_backward(dev, &l->qkv, N, x, d, dqkv, 3 * d, 1, dx, d));
    }
end:
    return rc;
}
