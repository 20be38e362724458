#include "grn-embed/encoder.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* A host array and its copy on the device, of n int32. */
static grn_status ints_upload(grn_dev_t *dev, grn_mirror_t *m, const int32_t *src, size_t n)
{
    grn_status rc = GRN_OK;
    if (n > m->cap_d) {
        grn_dev_free(dev, m->d);
        m->cap_d = 0;
        GRN_TRY(grn_dev_bytes(dev, &m->d, n, sizeof *src));
        m->cap_d = n;
    }
    GRN_TRY(grn_dev_upload(dev, m->d, src, n * sizeof *src));
    m->n = n;
end:
    return rc;
}

grn_status encoder_create(encoder_t **out, grn_dev_t *dev, const encoder_opt_t *opt,
                          const uint64_t *gene_key, size_t n_genes, grn_par_t *pool)
{
    grn_status rc = GRN_OK;
    encoder_t *e = NULL;
    *out = NULL;
    GRN_TRY(GRN_NEW(e, 1));
    e->opt = *opt;
    e->dev = e->arena.dev = dev;
    e->n_genes = (int64_t)n_genes;
    grn_params_init(&e->params, dev);
    GRN_TRY(grn_params_add_embedding(&e->params, "features", e->n_genes, opt->dim, gene_key,
                                     opt->seed, &e->table));
    GRN_TRY(grn_gnn_add(&e->params, "gnn", opt->dim, opt->seed));
    GRN_TRY(grn_gnn_bind(&e->gnn, &e->params, "gnn"));
    GRN_TRY(grn_batch_create(&e->batch, dev, pool));
    GRN_TRY(GRN_DEV_NEW(dev, e->stat, 4));
    *out = e;
end:
    if (rc) encoder_destroy(e);
    return rc;
}

void encoder_destroy(encoder_t *e)
{
    if (!e) return;
    grn_params_clear(&e->params);
    grn_arena_clear(&e->arena);
    grn_batch_destroy(e->batch);
    grn_dev_free(e->dev, e->iu.d);
    grn_dev_free(e->dev, e->iv.d);
    grn_dev_free(e->dev, e->in.d);
    grn_dev_free(e->dev, e->stat);
    free(e->host_w);
    free(e);
}

static grn_pass_t make_pass(encoder_t *e)
{
    return (grn_pass_t){
        .dev = e->dev, .b = e->batch, .d = e->opt.dim, .heads = 1, .seed = e->opt.seed
    };
}

/* Activations for the batch; B = 0: no loss. */
static grn_status lay_out(encoder_t *e, const grn_pass_t *p, int64_t B, int64_t Q)
{
    int done;
    int64_t d = e->opt.dim, N = e->batch->n_keys;
    do {
        grn_arena_t *a = &e->arena;
        grn_arena_reset(a);
        e->x = grn_arena_take(a, e->batch->n_uniq, d);
        grn_gnn_layout(&e->gnn, p, a);
        e->norm = grn_arena_take(a, N, 1);
        if (B > 0) {
            e->zu = grn_arena_take(a, B, d);
            e->zv = grn_arena_take(a, B, d);
            e->zn = grn_arena_take(a, Q, d);
            e->pos = grn_arena_take(a, B, 1);
            e->neg = grn_arena_take(a, B, Q);
            e->one = grn_arena_take(a, B, 1);
            e->w = grn_arena_take(a, B, 2 * Q); /* weights, then targets (all 0) */
            e->dpos = grn_arena_take(a, B, 1);
            e->dneg = grn_arena_take(a, B, Q);
            e->dzu = grn_arena_take(a, B, d);
            e->dzv = grn_arena_take(a, B, d);
            e->dzn = grn_arena_take(a, Q, d);
            e->dz = grn_arena_take(a, N, d);
            e->dx = grn_arena_take(a, e->batch->n_uniq, d);
            e->scratch = grn_arena_take(a, grn_gnn_scratch(p), 1);
        }
        done = grn_arena_settle(a);
    } while (done == 0);
    e->z = e->gnn.h;
    return done < 0 ? (grn_status)done : GRN_OK;
}

static grn_status forward(encoder_t *e, const grn_pass_t *p)
{
    grn_status rc = GRN_OK;
    const grn_batch_t *b = e->batch;
    int64_t d = e->opt.dim;
    GRN_TRY(GRN_OP(e->dev, gather, b->n_uniq, d, e->n_genes, e->params.p[e->table].w, b->uniq_id.d,
                   0.0, e->x, d));
    GRN_TRY(grn_gnn_forward(&e->gnn, p, e->x));
    if (e->opt.last_act) GRN_TRY(GRN_OP(e->dev, act, GRN_ACT_RELU, b->n_keys * d, e->z, e->z));
    if (e->opt.l2norm) GRN_TRY(GRN_OP(e->dev, l2norm, b->n_keys, d, e->z, e->z, e->norm));
end:
    return rc;
}

/* From e->dz to the gradients of all parameters. After l2norm the sign pattern of z is still that
 * of ReLU's output. */
static grn_status backward(encoder_t *e, const grn_pass_t *p)
{
    grn_status rc = GRN_OK;
    const grn_batch_t *b = e->batch;
    int64_t d = e->opt.dim;
    if (e->opt.l2norm)
        GRN_TRY(GRN_OP(e->dev, l2norm_bwd, b->n_keys, d, e->z, e->norm, e->dz, e->dz));
    if (e->opt.last_act)
        GRN_TRY(GRN_OP(e->dev, act_bwd, GRN_ACT_RELU, b->n_keys * d, e->z, e->dz, e->dz));
    GRN_TRY(grn_dev_zero(e->dev, e->dx, (size_t)(b->n_uniq * d)));
    GRN_TRY(grn_gnn_backward(&e->gnn, p, e->x, e->dz, e->dx, e->scratch));
    GRN_TRY(GRN_OP(e->dev, scatter_add, b->n_uniq, d, e->n_genes, e->dx, d, b->uniq_id.d,
                   e->params.p[e->table].g));
end:
    return rc;
}

/* Weights of the negatives: 0 where the negative is one of the pair itself. */
static grn_status weigh(encoder_t *e, const encoder_pairs_t *p)
{
    grn_status rc = GRN_OK;
    size_t n = p->n_pair * p->n_neg;
    GRN_TRY(GRN_GROW(e->host_w, e->host_w_cap, n));
    for (size_t i = 0; i < p->n_pair; i++)
        for (size_t j = 0; j < p->n_neg; j++)
            e->host_w[i * p->n_neg + j] = p->n[j] != p->u[i] && p->n[j] != p->v[i];
    GRN_TRY(grn_dev_put(e->dev, e->w, e->host_w, n));
    GRN_TRY(grn_dev_zero(e->dev, grn_at(e->dev, e->w, (int64_t)n), n));
    GRN_TRY(GRN_OP(e->dev, fill, (int64_t)p->n_pair, 1.0, e->one));
end:
    return rc;
}

/* Logits and their loss: mean over pairs of the positive term plus the weighted mean of the
 * negative one. */
static grn_status loss_forward(encoder_t *e, const encoder_pairs_t *p, double *loss)
{
    grn_status rc = GRN_OK;
    int64_t d = e->opt.dim, N = e->batch->n_keys, B = (int64_t)p->n_pair, Q = (int64_t)p->n_neg;
    grn_real_t *zero = grn_at(e->dev, e->w, B * Q);
    double s[4];
    GRN_TRY(GRN_OP(e->dev, gather, B, d, N, e->z, e->iu.d, 0.0, e->zu, d));
    GRN_TRY(GRN_OP(e->dev, gather, B, d, N, e->z, e->iv.d, 0.0, e->zv, d));
    GRN_TRY(GRN_OP(e->dev, gather, Q, d, N, e->z, e->in.d, 0.0, e->zn, d));
    GRN_TRY(GRN_OP(e->dev, row_dot, B, d, e->zu, d, e->zv, d, e->pos));
    GRN_TRY(GRN_OP(e->dev, gemm, 0, 1, B, Q, d, 1.0, e->zu, d, e->zn, d, 0.0, e->neg, Q, NULL));
    GRN_TRY(GRN_OP(e->dev, bce, B, e->pos, e->one, NULL, e->stat));
    GRN_TRY(GRN_OP(e->dev, bce, B * Q, e->neg, zero, e->w, e->stat + 2));
    GRN_TRY(grn_dev_download(e->dev, s, e->stat, sizeof s));
    *loss = s[0] / s[1] + (s[3] > 0 ? e->opt.neg_weight * s[2] / s[3] : 0);
end:
    return rc;
}

static grn_status loss_backward(encoder_t *e, const encoder_pairs_t *p)
{
    grn_status rc = GRN_OK;
    int64_t d = e->opt.dim, N = e->batch->n_keys, B = (int64_t)p->n_pair, Q = (int64_t)p->n_neg;
    grn_real_t *zero = grn_at(e->dev, e->w, B * Q);
    GRN_TRY(GRN_OP(e->dev, bce_bwd, B, e->pos, e->one, NULL, e->stat, 1.0, e->dpos));
    GRN_TRY(GRN_OP(e->dev, bce_bwd, B * Q, e->neg, zero, e->w, e->stat + 2, e->opt.neg_weight,
                   e->dneg));
    GRN_TRY(GRN_OP(e->dev, row_dot_bwd, B, d, e->zu, d, e->zv, d, e->dpos, 0.0, e->dzu, e->dzv));
    GRN_TRY(GRN_OP(e->dev, gemm, 0, 0, B, d, Q, 1.0, e->dneg, Q, e->zn, d, 1.0, e->dzu, d, NULL));
    GRN_TRY(GRN_OP(e->dev, gemm, 1, 0, Q, d, B, 1.0, e->dneg, Q, e->zu, d, 0.0, e->dzn, d, NULL));
    GRN_TRY(grn_dev_zero(e->dev, e->dz, (size_t)(N * d)));
    GRN_TRY(GRN_OP(e->dev, scatter_add, B, d, N, e->dzu, d, e->iu.d, e->dz));
    GRN_TRY(GRN_OP(e->dev, scatter_add, B, d, N, e->dzv, d, e->iv.d, e->dz));
    GRN_TRY(GRN_OP(e->dev, scatter_add, Q, d, N, e->dzn, d, e->in.d, e->dz));
end:
    return rc;
}

grn_status encoder_step(encoder_t *e, const grn_csr_t *g, const encoder_pairs_t *p,
                        const grn_sample_key_t *draw, const uint64_t *gene_key, double *loss)
{
    grn_status rc = GRN_OK;
    grn_pass_t pass = make_pass(e);
    GRN_TRY(grn_batch_sample_graph(e->batch, g, p->seed, p->n_seed, (size_t)e->opt.fanout, draw,
                                   gene_key));
    GRN_TRY(ints_upload(e->dev, &e->iu, p->u, p->n_pair));
    GRN_TRY(ints_upload(e->dev, &e->iv, p->v, p->n_pair));
    GRN_TRY(ints_upload(e->dev, &e->in, p->n, p->n_neg));
    GRN_TRY(lay_out(e, &pass, (int64_t)p->n_pair, (int64_t)p->n_neg));
    GRN_TRY(weigh(e, p));
    GRN_TRY(forward(e, &pass));
    GRN_TRY(loss_forward(e, p, loss));
    GRN_TRY(loss_backward(e, p));
    GRN_TRY(backward(e, &pass));
end:
    return rc;
}

grn_status encoder_embed(encoder_t *e, const grn_csr_t *g, const uint32_t *node, size_t n,
                         float *out)
{
    grn_status rc = GRN_OK;
    grn_pass_t pass = make_pass(e);
    GRN_TRY(grn_batch_fill_graph(e->batch, g, node, n));
    GRN_TRY(lay_out(e, &pass, 0, 0));
    GRN_TRY(forward(e, &pass));
    GRN_TRY(grn_dev_get(e->dev, out, e->z, n * (size_t)e->opt.dim));
end:
    return rc;
}
