#include "model/layer.h"

#include <math.h>

#include "base/mem.h"
#include "base/str.h"

grn_real_t *grn_arena_take(grn_arena_t *a, int64_t rows, int64_t cols)
{
    size_t n = ((size_t)rows * (size_t)cols + 15) / 16 * 16, at = a->n;
    a->n += n;
    return a->n <= a->cap && a->base ? grn_at(a->dev, a->base, (int64_t)at) : NULL;
}

int grn_arena_settle(grn_arena_t *a)
{
    grn_status rc;
    if (a->n <= a->cap && a->base) return 1;
    size_t cap = a->n + a->n / 8 + 64;
    grn_dev_free(a->dev, a->base);
    a->base = NULL;
    a->cap = 0;
    rc = grn_dev_real(a->dev, &a->base, cap);
    if (rc != GRN_OK) return rc;
    a->cap = cap;
    return 0;
}

void grn_arena_clear(grn_arena_t *a)
{
    if (a->dev) grn_dev_free(a->dev, a->base);
    *a = (grn_arena_t){ 0 };
}

/* Parameter PREFIX.LEAF; GRN_EINVAL if it is not there and must be. */
static grn_status find_param(const grn_params_t *ps, const char *prefix, const char *leaf, int must,
                             const grn_param_t **out)
{
    grn_status rc = GRN_OK;
    grn_str_t name = { 0 };
    size_t i;
    *out = NULL;
    GRN_TRY(grn_str_printf(&name, "%s.%s", prefix, leaf));
    i = grn_params_find(ps, name.s);
    if (i == GRN_PARAM_NONE && must) GRN_FAIL(GRN_EINVAL, "the model has no parameter '%s'", name.s);
    if (i != GRN_PARAM_NONE) *out = &ps->p[i];
end:
    grn_str_clear(&name);
    return rc;
}

grn_status grn_linear_bind(grn_linear_t *l, const grn_params_t *ps, const char *prefix)
{
    grn_status rc = GRN_OK;
    const grn_param_t *w, *b;
    GRN_TRY(find_param(ps, prefix, "weight", 1, &w));
    GRN_TRY(find_param(ps, prefix, "bias", 0, &b));
    *l = (grn_linear_t){ w->w, b ? b->w : NULL, w->g, b ? b->g : NULL, w->shape[0], w->shape[1] };
end:
    return rc;
}

grn_status grn_norm_bind(grn_norm_t *l, const grn_params_t *ps, const char *prefix)
{
    grn_status rc = GRN_OK;
    const grn_param_t *w, *b;
    GRN_TRY(find_param(ps, prefix, "weight", 1, &w));
    GRN_TRY(find_param(ps, prefix, "bias", 1, &b));
    *l = (grn_norm_t){ w->w, b->w, w->g, b->g, NULL, NULL, w->n };
end:
    return rc;
}

grn_linear_t grn_linear_rows(const grn_dev_t *dev, const grn_linear_t *l, int64_t first, int64_t n)
{
    int64_t at = first * l->in;
    return (grn_linear_t){ grn_at(dev, l->w, at),
                           l->b ? grn_at(dev, l->b, first) : NULL,
                           grn_at(dev, l->gw, at),
                           l->gb ? grn_at(dev, l->gb, first) : NULL,
                           n,
                           l->in };
}

grn_status grn_linear_forward(grn_dev_t *dev, const grn_linear_t *l, int64_t M, const grn_real_t *x, int64_t ldx,
                              double beta, grn_real_t *y, int64_t ldy)
{
    return GRN_OP(dev, gemm, 0, 1, M, l->out, l->in, 1.0, x, ldx, l->w, l->in, beta, y, ldy, l->b);
}

grn_status grn_linear_backward(grn_dev_t *dev, const grn_linear_t *l, int64_t M, const grn_real_t *x, int64_t ldx,
                               const grn_real_t *dy, int64_t ldy, double beta, grn_real_t *dx, int64_t lddx)
{
    grn_status rc = GRN_OK;
    GRN_TRY(GRN_OP(dev, gemm, 1, 0, l->out, l->in, M, 1.0, dy, ldy, x, ldx, 1.0, l->gw, l->in, NULL));
    if (l->gb) GRN_TRY(GRN_OP(dev, col_sum, M, l->out, dy, ldy, 1.0, l->gb));
    if (dx) GRN_TRY(GRN_OP(dev, gemm, 0, 0, M, l->in, l->out, 1.0, dy, ldy, l->w, l->in, beta, dx, lddx, NULL));
end:
    return rc;
}

grn_status grn_norm_forward(grn_dev_t *dev, const grn_norm_t *l, int64_t M, const grn_real_t *x, grn_real_t *y)
{
    return GRN_OP(dev, layer_norm, M, l->d, 1e-5, x, l->w, l->b, y, l->mean, l->rstd);
}

grn_status grn_norm_backward(grn_dev_t *dev, const grn_norm_t *l, int64_t M, const grn_real_t *x, const grn_real_t *dy,
                             grn_real_t *dx)
{
    return GRN_OP(dev, layer_norm_bwd, M, l->d, x, l->w, l->mean, l->rstd, dy, dx, l->gw, l->gb);
}

grn_status grn_pass_drop(const grn_pass_t *p, uint32_t op, int64_t M, int64_t N, grn_real_t *x)
{
    grn_drop_t drop = { p->dropout, p->seed, p->step, 0, op };
    return p->dropout > 0 ? GRN_OP(p->dev, dropout, M, N, &drop, x, x) : GRN_OK;
}
