/* GraphSAGE with mean aggregation over the batch's gather lists. Layer 1: mean(X) Wl^T = mean(X Wl^T), so the products are
 * taken once over the distinct genes of the batch. Layer 2 is linear too, so the two graphs are added before its products.
 */
#include "base/str.h"
#include "model/layer.h"

static const char *const LINEAR[2][2] = { { "layers.0.lin_l", "layers.0.lin_r" }, { "layers.1.lin_l", "layers.1.lin_r" } };

grn_status grn_gnn_add(grn_params_t *ps, const char *prefix, int64_t d, uint64_t seed)
{
    grn_status rc = GRN_OK;
    grn_str_t name = { 0 };
    for (int i = 0; i < 4; i++) {
        name.n = 0;
        GRN_TRY(grn_str_printf(&name, "%s.%s", prefix, LINEAR[i / 2][i % 2]));
        GRN_TRY(grn_params_add_linear(ps, name.s, d, d, i % 2 == 0, seed, NULL, NULL)); /* the bias is lin_l's */
    }
end:
    grn_str_clear(&name);
    return rc;
}

grn_status grn_gnn_bind(grn_gnn_t *l, const grn_params_t *ps, const char *prefix)
{
    grn_status rc = GRN_OK;
    grn_str_t name = { 0 };
    for (int i = 0; i < 4; i++) {
        name.n = 0;
        GRN_TRY(grn_str_printf(&name, "%s.%s", prefix, LINEAR[i / 2][i % 2]));
        GRN_TRY(grn_linear_bind(i % 2 == 0 ? &l->l[i / 2] : &l->r[i / 2], ps, name.s));
    }
end:
    grn_str_clear(&name);
    return rc;
}

void grn_gnn_layout(grn_gnn_t *l, const grn_pass_t *p, grn_arena_t *a)
{
    int64_t d = p->d;
    l->yl = grn_arena_take(a, p->b->n_uniq, d);
    l->yr = grn_arena_take(a, p->b->n_uniq, d);
    l->h1 = grn_arena_take(a, p->b->n_hidden, d);
    l->mean = grn_arena_take(a, p->b->n_keys, d);
    l->self = grn_arena_take(a, p->b->n_keys, d);
    l->h = grn_arena_take(a, p->b->n_keys, d);
}

/* The self half of layer 2; with two graphs it carries the bias a second time, since the graphs were added before the
 * products. */
static grn_linear_t self_half(const grn_gnn_t *l, int n_graphs)
{
    grn_linear_t r = l->r[1];
    if (n_graphs == 2) {
        r.b = l->l[1].b;
        r.gb = l->l[1].gb;
    }
    return r;
}

grn_status grn_gnn_forward(grn_gnn_t *l, const grn_pass_t *p, const grn_real_t *x)
{
    grn_status rc = GRN_OK;
    grn_dev_t *dev = p->dev;
    const grn_batch_t *b = p->b;
    int64_t d = p->d;
    grn_linear_t l0 = l->l[0], r1 = self_half(l, b->n_graphs);
    l0.b = NULL; /* the bias goes with the self term: a mean over no neighbour is 0, bias or not */
    GRN_TRY(grn_linear_forward(dev, &l0, b->n_uniq, x, d, 0, l->yl, d));
    l0 = l->r[0];
    l0.b = l->l[0].b;
    GRN_TRY(grn_linear_forward(dev, &l0, b->n_uniq, x, d, 0, l->yr, d));
    GRN_TRY(GRN_OP(dev, gather_mean, b->n_hidden, d, b->n_uniq, b->hop1.off.d, b->hop1.idx.d, l->yl, d, 0.0, l->h1, d));
    GRN_TRY(GRN_OP(dev, gather, b->n_hidden, d, b->n_uniq, l->yr, b->hidden_uniq.d, 1.0, l->h1, d));
    GRN_TRY(GRN_OP(dev, act, GRN_ACT_RELU, b->n_hidden * d, l->h1, l->h1));
    for (int k = 0; k < b->n_graphs; k++) {
        double beta = k > 0;
        GRN_TRY(GRN_OP(dev, gather_mean, b->n_keys, d, b->n_hidden, b->hop2[k].off.d, b->hop2[k].idx.d, l->h1, d, beta,
                       l->mean, d));
        GRN_TRY(GRN_OP(dev, gather, b->n_keys, d, b->n_hidden, l->h1, b->self[k].d, beta, l->self, d));
    }
    GRN_TRY(grn_linear_forward(dev, &l->l[1], b->n_keys, l->mean, d, 0, l->h, d));
    GRN_TRY(grn_linear_forward(dev, &r1, b->n_keys, l->self, d, 1, l->h, d));
end:
    return rc;
}

int64_t grn_gnn_scratch(const grn_pass_t *p)
{
    return (2 * p->b->n_keys + p->b->n_hidden + 2 * p->b->n_uniq) * p->d;
}

grn_status grn_gnn_backward(grn_gnn_t *l, const grn_pass_t *p, const grn_real_t *x, const grn_real_t *dh, grn_real_t *dx,
                            grn_real_t *s)
{
    grn_status rc = GRN_OK;
    grn_dev_t *dev = p->dev;
    const grn_batch_t *b = p->b;
    int64_t d = p->d;
    grn_real_t *dmean = s, *dself = grn_at(dev, dmean, b->n_keys * d), *dh1 = grn_at(dev, dself, b->n_keys * d);
    grn_real_t *dyl = grn_at(dev, dh1, b->n_hidden * d), *dyr = grn_at(dev, dyl, b->n_uniq * d);
    grn_linear_t l0 = l->l[0], r1 = self_half(l, b->n_graphs);
    GRN_TRY(grn_linear_backward(dev, &l->l[1], b->n_keys, l->mean, d, dh, d, 0, dmean, d));
    GRN_TRY(grn_linear_backward(dev, &r1, b->n_keys, l->self, d, dh, d, 0, dself, d));
    GRN_TRY(grn_dev_zero(dev, dh1, (size_t)(b->n_hidden * d)));
    for (int k = 0; k < b->n_graphs; k++) {
        GRN_TRY(GRN_OP(dev, gather_mean_bwd, b->n_keys, d, b->n_hidden, b->hop2[k].off.d, b->hop2[k].t_off.d,
                       b->hop2[k].t_idx.d, dmean, d, 1.0, dh1, d));
        GRN_TRY(GRN_OP(dev, scatter_add, b->n_keys, d, b->n_hidden, dself, d, b->self[k].d, dh1));
    }
    GRN_TRY(GRN_OP(dev, act_bwd, GRN_ACT_RELU, b->n_hidden * d, l->h1, dh1, dh1));
    GRN_TRY(GRN_OP(dev, gather_mean_bwd, b->n_hidden, d, b->n_uniq, b->hop1.off.d, b->hop1.t_off.d, b->hop1.t_idx.d, dh1, d,
                   0.0, dyl, d));
    GRN_TRY(grn_dev_zero(dev, dyr, (size_t)(b->n_uniq * d)));
    GRN_TRY(GRN_OP(dev, scatter_add, b->n_hidden, d, b->n_uniq, dh1, d, b->hidden_uniq.d, dyr));
    l0.gb = NULL;
    GRN_TRY(grn_linear_backward(dev, &l0, b->n_uniq, x, d, dyl, d, 1, dx, d));
    l0 = l->r[0];
    l0.gb = l->l[0].gb;
    GRN_TRY(grn_linear_backward(dev, &l0, b->n_uniq, x, d, dyr, d, 1, dx, d));
end:
    return rc;
}
