/* Cross-attention from expression (queries) to network structure (keys and values). */
#include <math.h>

#include "base/str.h"
#include "model/layer.h"

static const char *const LINEAR[] = { "q_proj", "k_proj", "v_proj", "out_proj" };

grn_status grn_fusion_add(grn_params_t *ps, const char *prefix, int64_t d, int ln_kv, uint64_t seed)
{
    grn_status rc = GRN_OK;
    grn_str_t name = { 0 };
    for (size_t i = 0; i < 4; i++) {
        name.n = 0;
        GRN_TRY(grn_str_printf(&name, "%s.%s", prefix, LINEAR[i]));
        GRN_TRY(grn_params_add_linear(ps, name.s, d, d, 1, seed, NULL, NULL));
    }
    name.n = 0;
    GRN_TRY(grn_str_printf(&name, "%s.norm", prefix));
    if (ln_kv) GRN_TRY(grn_params_add_norm(ps, name.s, d, seed, NULL, NULL));
end:
    grn_str_clear(&name);
    return rc;
}

grn_status grn_fusion_bind(grn_fusion_t *l, const grn_params_t *ps, const char *prefix)
{
    grn_status rc = GRN_OK;
    grn_linear_t *to[] = { &l->q, &l->k, &l->v, &l->out };
    grn_str_t name = { 0 };
    for (size_t i = 0; i < 4; i++) {
        name.n = 0;
        GRN_TRY(grn_str_printf(&name, "%s.%s", prefix, LINEAR[i]));
        GRN_TRY(grn_linear_bind(to[i], ps, name.s));
    }
    name.n = 0;
    GRN_TRY(grn_str_printf(&name, "%s.norm", prefix));
    if (l->ln_kv) GRN_TRY(grn_norm_bind(&l->norm, ps, name.s));
end:
    grn_str_clear(&name);
    return rc;
}

void grn_fusion_layout(grn_fusion_t *l, const grn_pass_t *p, grn_arena_t *a)
{
    int64_t M = p->b->n_query, N = p->b->n_keys, d = p->d;
    l->xq = grn_arena_take(a, M, d);
    l->sn = grn_arena_take(a, N, d);
    l->norm.mean = grn_arena_take(a, N, 1);
    l->norm.rstd = grn_arena_take(a, N, 1);
    l->qa = grn_arena_take(a, M, d);
    l->kva = grn_arena_take(a, N, 2 * d);
    l->o = grn_arena_take(a, M, d);
    l->lse = grn_arena_take(a, M, p->heads);
    l->y = grn_arena_take(a, M, d);
}

static grn_attn_t attention(const grn_pass_t *p)
{
    const grn_batch_t *b = p->b;
    int64_t d = p->d;
    return (grn_attn_t){ .B = b->n_cells,
                         .T = b->max_query,
                         .K = b->max_keys,
                         .H = p->heads,
                         .Dh = d / p->heads,
                         .q_off = b->query_off.d,
                         .k_off = b->key_off.d,
                         .ldq = d,
                         .ldk = 2 * d,
                         .ldv = 2 * d,
                         .ldo = d,
                         .scale = 1 / sqrt((double)(d / p->heads)) };
}

grn_status grn_fusion_forward(grn_fusion_t *l, const grn_pass_t *p, const grn_real_t *x, grn_real_t *h_struct)
{
    grn_status rc = GRN_OK;
    grn_dev_t *dev = p->dev;
    int64_t M = p->b->n_query, N = p->b->n_keys, d = p->d;
    grn_attn_t at = attention(p);
    const grn_real_t *kv = h_struct;
    GRN_TRY(GRN_OP(dev, gather, M, d, p->b->n_rows, x, p->b->query_row.d, 0.0, l->xq, d));
    if (l->ln_kv) {
        GRN_TRY(grn_norm_forward(dev, &l->norm, N, h_struct, l->sn));
        kv = l->sn;
    }
    GRN_TRY(grn_linear_forward(dev, &l->q, M, l->xq, d, 0, l->qa, d));
    GRN_TRY(grn_linear_forward(dev, &l->k, N, kv, d, 0, l->kva, 2 * d));
    GRN_TRY(grn_linear_forward(dev, &l->v, N, kv, d, 0, grn_at(dev, l->kva, d), 2 * d));
    GRN_TRY(GRN_OP(dev, attn, &at, l->qa, l->kva, grn_at(dev, l->kva, d), l->o, l->lse));
    GRN_TRY(grn_linear_forward(dev, &l->out, M, l->o, d, 0, l->y, d));
    GRN_TRY(GRN_OP(dev, add, M * d, l->beta, l->y, 1.0, l->xq, l->y));
end:
    return rc;
}

grn_status grn_fusion_backward(grn_fusion_t *l, const grn_pass_t *p, grn_real_t *h_struct, grn_real_t *dy, grn_real_t *dx,
                               grn_real_t *dh, grn_real_t *s)
{
    grn_status rc = GRN_OK;
    grn_dev_t *dev = p->dev;
    int64_t M = p->b->n_query, N = p->b->n_keys, d = p->d;
    grn_attn_t at = attention(p);
    const grn_real_t *kv = l->ln_kv ? l->sn : h_struct;
    grn_real_t *dp = s, *d_o = grn_at(dev, dp, M * d), *dkv = grn_at(dev, d_o, M * d), *dv = grn_at(dev, dkv, d);
    GRN_TRY(GRN_OP(dev, add, M * d, l->beta, dy, 0.0, NULL, dp));
    GRN_TRY(grn_linear_backward(dev, &l->out, M, l->o, d, dp, d, 0, d_o, d));
    GRN_TRY(GRN_OP(dev, attn_bwd, &at, l->qa, l->kva, grn_at(dev, l->kva, d), l->o, l->lse, d_o, dp, dkv, dv));
    GRN_TRY(grn_linear_backward(dev, &l->q, M, l->xq, d, dp, d, 1, dy, d));
    GRN_TRY(grn_linear_backward(dev, &l->k, N, kv, d, dkv, 2 * d, 0, dh, d));
    GRN_TRY(grn_linear_backward(dev, &l->v, N, kv, d, dv, 2 * d, 1, dh, d));
    if (l->ln_kv) GRN_TRY(grn_norm_backward(dev, &l->norm, N, h_struct, dh, dh));
    GRN_TRY(grn_dev_zero(dev, dx, (size_t)(p->b->n_rows * d)));
    GRN_TRY(GRN_OP(dev, scatter_add, M, d, p->b->n_rows, dy, d, p->b->query_row.d, dx));
end:
    return rc;
}

grn_status grn_fusion_phi(const grn_fusion_t *l, const grn_pass_t *p, grn_real_t *phi)
{
    grn_attn_t at = attention(p);
    return GRN_OP(p->dev, attn_probs, &at, l->qa, l->kva, l->lse, NULL, phi, NULL);
}
