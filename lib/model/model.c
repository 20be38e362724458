#include "model/model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

#define EMBEDDING "encoder.embedding"

static int has_graph(const grn_model_t *m)
{
    return m->cfg.grn != GRN_GRN_NONE;
}

/* "transformer_encoder.layers.I" */
static grn_status block_name(grn_str_t *s, int64_t i)
{
    s->n = 0;
    return grn_str_printf(s, "transformer_encoder.layers.%lld", (long long)i);
}

/* ---- building ---- */
/* The last layer of the decoder starts at the mean target, with weights that span the bins: with weights of the usual size
 * the model first learns the genes' means for many epochs and nothing of the cell. */
static grn_status add_output(grn_model_t *m, double mean_target)
{
    grn_status rc = GRN_OK;
    int64_t d = m->cfg.dim, shape[2] = { 1, d };
    grn_init_t w = { GRN_INIT_UNIFORM, (double)(m->cfg.bins - 1) / sqrt((double)d), NULL },
               b = { GRN_INIT_CONST, mean_target, NULL };
    GRN_TRY(grn_params_add(&m->params, "decoder.fc.4.weight", 2, shape, w, m->cfg.seed, NULL));
    GRN_TRY(grn_params_add(&m->params, "decoder.fc.4.bias", 1, shape, b, m->cfg.seed, NULL));
end:
    return rc;
}

static grn_status add_backbone(grn_model_t *m, double mean_target)
{
    grn_status rc = GRN_OK;
    grn_params_t *ps = &m->params;
    int64_t d = m->cfg.dim, vocab = (int64_t)m->genes.n + 2;
    uint64_t seed = m->cfg.seed, *key = NULL;
    grn_str_t name = { 0 };
    GRN_TRY(GRN_NEW_RAW(key, (size_t)vocab));
    for (size_t g = 0; g < m->genes.n; g++) key[g] = grn_hash_str(grn_names_get(&m->genes, g));
    key[vocab - 2] = grn_hash_str("<pad>");
    key[vocab - 1] = grn_hash_str("<cls>");
    GRN_TRY(grn_params_add_embedding(ps, EMBEDDING, vocab, d, key, seed, NULL));
    GRN_TRY(grn_params_add_norm(ps, "encoder.enc_norm", d, seed, NULL, NULL));
    GRN_TRY(grn_params_add_linear(ps, "value_encoder.linear1", d, 1, 1, seed, NULL, NULL));
    GRN_TRY(grn_params_add_linear(ps, "value_encoder.linear2", d, d, 1, seed, NULL, NULL));
    GRN_TRY(grn_params_add_norm(ps, "value_encoder.norm", d, seed, NULL, NULL));
    for (int64_t i = 0; i < m->n_block; i++) {
        GRN_TRY(block_name(&name, i));
        GRN_TRY(grn_block_add(ps, name.s, d, m->cfg.ffn, seed));
    }
    GRN_TRY(grn_params_add_linear(ps, "decoder.fc.0", d, d, 1, seed, NULL, NULL));
    GRN_TRY(grn_params_add_linear(ps, "decoder.fc.2", d, d, 1, seed, NULL, NULL));
    GRN_TRY(add_output(m, mean_target));
end:
    free(key);
    grn_str_clear(&name);
    return rc;
}

static grn_status bind_layers(grn_model_t *m)
{
    grn_status rc = GRN_OK;
    const grn_params_t *ps = &m->params;
    grn_str_t name = { 0 };
    m->emb = grn_params_find(ps, EMBEDDING ".weight");
    GRN_TRY(grn_norm_bind(&m->emb_norm, ps, "encoder.enc_norm"));
    GRN_TRY(grn_linear_bind(&m->value1, ps, "value_encoder.linear1"));
    GRN_TRY(grn_linear_bind(&m->value2, ps, "value_encoder.linear2"));
    GRN_TRY(grn_norm_bind(&m->value_norm, ps, "value_encoder.norm"));
    for (int64_t i = 0; i < m->n_block; i++) {
        GRN_TRY(block_name(&name, i));
        GRN_TRY(grn_block_bind(&m->block[i], ps, name.s));
        m->block[i].place = (uint32_t)(16 + 8 * i);
        m->block[i].restricted = !has_graph(m) && i == m->n_block - 1;
    }
    GRN_TRY(grn_linear_bind(&m->dec[0], ps, "decoder.fc.0"));
    GRN_TRY(grn_linear_bind(&m->dec[1], ps, "decoder.fc.2"));
    GRN_TRY(grn_linear_bind(&m->dec[2], ps, "decoder.fc.4"));
    if (has_graph(m)) {
        m->fusion.ln_kv = m->cfg.ln_kv;
        m->fusion.beta = m->cfg.beta;
        GRN_TRY(grn_gnn_bind(&m->gnn, ps, "gnn"));
        GRN_TRY(grn_fusion_bind(&m->fusion, ps, "fusion"));
    }
end:
    grn_str_clear(&name);
    return rc;
}

/* w (d,d) = a w + b I, on the device. */
static grn_status mix_identity(grn_model_t *m, grn_real_t *w_d, double a, double b)
{
    grn_status rc = GRN_OK;
    size_t d = (size_t)m->cfg.dim;
    double *w = NULL;
    GRN_TRY(GRN_NEW_RAW(w, d * d));
    GRN_TRY(grn_dev_get_f64(m->dev, w, w_d, d * d));
    for (size_t i = 0; i < d * d; i++) w[i] = a * w[i] + (i / d == i % d ? b : 0);
    GRN_TRY(grn_dev_put_f64(m->dev, w_d, w, d * d));
end:
    free(w);
    return rc;
}

/* A gene should find itself in the network: the self path of the graph encoder starts near the identity, so that a node keeps
 * its gene's features, and queries and keys of the fusion start with the same weights, twice the usual ones, so that a gene
 * attends to itself first. From unrelated weights it takes many epochs to learn this. */
static grn_status start_network(grn_model_t *m)
{
    grn_status rc = GRN_OK;
    size_t n = (size_t)(m->cfg.dim * m->cfg.dim);
    for (int i = 0; i < 2; i++) GRN_TRY(mix_identity(m, m->gnn.r[i].w, 0.5, 1));
    GRN_TRY(mix_identity(m, m->fusion.q.w, 2, 0));
    GRN_TRY(grn_dev_copy(m->dev, m->fusion.k.w, m->fusion.q.w, n));
end:
    return rc;
}

grn_status grn_model_create(grn_model_t **out, grn_dev_t *dev, const grn_model_config_t *cfg, const grn_names_t *genes,
                            double mean_target)
{
    grn_status rc = GRN_OK;
    grn_model_t *m = NULL;
    *out = NULL;
    GRN_TRY(grn_model_config_check(cfg));
    GRN_TRY(GRN_NEW(m, 1));
    m->cfg = *cfg;
    m->dev = dev;
    m->arena.dev = dev;
    grn_params_init(&m->params, dev);
    m->n_block = has_graph(m) ? cfg->layers - 1 : cfg->layers;
    GRN_TRY(GRN_NEW(m->block, (size_t)m->n_block));
    GRN_TRY(grn_names_dup(&m->genes, genes));
    GRN_TRY(add_backbone(m, mean_target));
    if (has_graph(m)) {
        GRN_TRY(grn_gnn_add(&m->params, "gnn", cfg->dim, cfg->seed));
        GRN_TRY(grn_fusion_add(&m->params, "fusion", cfg->dim, cfg->ln_kv, cfg->seed));
    }
    GRN_TRY(bind_layers(m));
    if (has_graph(m)) GRN_TRY(start_network(m));
    GRN_TRY(GRN_DEV_NEW(dev, m->stat, 2));
    *out = m;
    m = NULL;
end:
    grn_model_destroy(m);
    return rc;
}

void grn_model_destroy(grn_model_t *m)
{
    if (!m) return;
    grn_arena_clear(&m->arena);
    grn_dev_free(m->dev, m->stat);
    grn_params_clear(&m->params);
    grn_names_clear(&m->genes);
    grn_baseline_clear(&m->base);
    free(m->split);
    free(m->block);
    free(m);
}

/* ---- forward ---- */
static grn_pass_t make_pass(const grn_model_t *m, const grn_batch_t *b, int train, int64_t step)
{
    return (grn_pass_t){ m->dev, b, m->cfg.dim, m->cfg.heads, train ? m->cfg.dropout : 0, m->cfg.seed, (uint64_t)step };
}

static int64_t max3(int64_t a, int64_t b, int64_t c)
{
    return a > b ? (a > c ? a : c) : (b > c ? b : c);
}

static void lay_out_inputs(grn_model_t *m, const grn_batch_t *b)
{
    grn_arena_t *a = &m->arena;
    int64_t d = m->cfg.dim, V = m->cfg.bins + 2;
    m->emb_raw = grn_arena_take(a, b->n_uniq, d);
    m->xu = grn_arena_take(a, b->n_uniq, d);
    m->emb_norm.mean = grn_arena_take(a, b->n_uniq, 1);
    m->emb_norm.rstd = grn_arena_take(a, b->n_uniq, 1);
    m->value_x = grn_arena_take(a, V, 1);
    m->v1 = grn_arena_take(a, V, d);
    m->v2 = grn_arena_take(a, V, d);
    m->ve = grn_arena_take(a, V, d);
    m->value_norm.mean = grn_arena_take(a, V, 1);
    m->value_norm.rstd = grn_arena_take(a, V, 1);
    m->x0 = grn_arena_take(a, b->n_rows, d);
}

/* Space for every activation and, of one size for forward and backward, the gradients. */
static grn_status lay_out(grn_model_t *m, const grn_pass_t *p)
{
    grn_arena_t *a = &m->arena;
    const grn_batch_t *b = p->b;
    int64_t d = m->cfg.dim, f = m->cfg.ffn, wide = (f > 3 * d ? f : 3 * d) + d, fits;
    int64_t most = max3(wide * b->n_rows, 2 * d * (b->n_query + b->n_keys), 2 * d * (m->cfg.bins + 2));
    if (has_graph(m)) most = max3(most, grn_gnn_scratch(p), 0);
    do {
        grn_arena_reset(a);
        lay_out_inputs(m, b);
        for (int64_t i = 0; b->n_rows > 0 && i < m->n_block; i++) grn_block_layout(&m->block[i], p, a);
        if (has_graph(m)) {
            grn_gnn_layout(&m->gnn, p, a);
            grn_fusion_layout(&m->fusion, p, a);
        }
        m->f0 = grn_arena_take(a, b->n_query, d);
        m->f1 = grn_arena_take(a, b->n_query, d);
        m->pred = grn_arena_take(a, b->n_query, 1);
        m->phi = grn_arena_take(a, b->n_keys, 1);
        m->dy = grn_arena_take(a, b->n_query, d);
        m->dx = grn_arena_take(a, b->n_rows, d);
        m->dh = grn_arena_take(a, b->n_keys, d);
        m->dxu = grn_arena_take(a, b->n_uniq, d);
        m->scratch = grn_arena_take(a, most, 1);
        fits = grn_arena_settle(a);
    } while (fits == 0);
    return fits < 0 ? (grn_status)fits : GRN_OK;
}

static grn_status embed_genes(grn_model_t *m, const grn_pass_t *p)
{
    grn_status rc = GRN_OK;
    const grn_batch_t *b = p->b;
    int64_t d = p->d;
    const grn_param_t *e = &m->params.p[m->emb];
    GRN_TRY(GRN_OP(p->dev, gather, b->n_uniq, d, e->shape[0], e->w, b->uniq_id.d, 0.0, m->emb_raw, d));
    GRN_TRY(grn_norm_forward(p->dev, &m->emb_norm, b->n_uniq, m->emb_raw, m->xu));
end:
    return rc;
}

/* The value encoder once per distinct value: -2 (<cls>), -1 (masked), 0 .. bins-1. */
static grn_status embed_values(grn_model_t *m, const grn_pass_t *p)
{
    grn_status rc = GRN_OK;
    grn_dev_t *dev = p->dev;
    int64_t V = m->cfg.bins + 2, d = p->d;
    float *x = NULL;
    GRN_TRY(GRN_NEW_RAW(x, (size_t)V));
    for (int64_t i = 0; i < V; i++) x[i] = i - 2 < 512 ? (float)(i - 2) : 512;
    GRN_TRY(grn_dev_put(dev, m->value_x, x, (size_t)V));
    GRN_TRY(grn_linear_forward(dev, &m->value1, V, m->value_x, 1, 0, m->v1, d));
    GRN_TRY(GRN_OP(dev, act, GRN_ACT_RELU, V * d, m->v1, m->v1));
    GRN_TRY(grn_linear_forward(dev, &m->value2, V, m->v1, d, 0, m->v2, d));
    GRN_TRY(grn_norm_forward(dev, &m->value_norm, V, m->v2, m->ve));
end:
    free(x);
    return rc;
}

static grn_status embed_tokens(grn_model_t *m, const grn_pass_t *p)
{
    grn_status rc = GRN_OK;
    grn_dev_t *dev = p->dev;
    const grn_batch_t *b = p->b;
    int64_t d = p->d;
    GRN_TRY(embed_genes(m, p));
    GRN_TRY(embed_values(m, p));
    GRN_TRY(GRN_OP(dev, gather, b->n_rows, d, m->cfg.bins + 2, m->ve, b->row_value.d, 0.0, m->x0, d));
    GRN_TRY(grn_pass_drop(p, 0, b->n_rows, d, m->x0));
    GRN_TRY(GRN_OP(dev, gather, b->n_rows, d, b->n_uniq, m->xu, b->row_uniq.d, 1.0, m->x0, d));
end:
    return rc;
}

/* Rows that the decoder reads. */
static grn_real_t *output_rows(const grn_model_t *m)
{
    return has_graph(m) ? m->fusion.y : m->block[m->n_block - 1].y;
}

static grn_status decode(grn_model_t *m, const grn_pass_t *p)
{
    grn_status rc = GRN_OK;
    grn_dev_t *dev = p->dev;
    int64_t M = p->b->n_query, d = p->d;
    GRN_TRY(grn_linear_forward(dev, &m->dec[0], M, output_rows(m), d, 0, m->f0, d));
    GRN_TRY(GRN_OP(dev, act, GRN_ACT_LRELU, M * d, m->f0, m->f0));
    GRN_TRY(grn_linear_forward(dev, &m->dec[1], M, m->f0, d, 0, m->f1, d));
    GRN_TRY(GRN_OP(dev, act, GRN_ACT_LRELU, M * d, m->f1, m->f1));
    GRN_TRY(grn_linear_forward(dev, &m->dec[2], M, m->f1, d, 0, m->pred, 1));
end:
    return rc;
}

grn_status grn_model_forward(grn_model_t *m, const grn_batch_t *b, int train, int64_t step)
{
    grn_status rc = GRN_OK;
    grn_pass_t p = make_pass(m, b, train, step);
    grn_real_t *x;
    GRN_TRY(lay_out(m, &p));
    GRN_TRY(embed_tokens(m, &p));
    x = m->x0;
    for (int64_t i = 0; i < m->n_block; i++) {
        GRN_TRY(grn_block_forward(&m->block[i], &p, x));
        x = m->block[i].y;
    }
    if (has_graph(m)) {
        GRN_TRY(grn_gnn_forward(&m->gnn, &p, m->xu));
        GRN_TRY(grn_fusion_forward(&m->fusion, &p, x, m->gnn.h));
    }
    GRN_TRY(decode(m, &p));
end:
    return rc;
}

grn_status grn_model_loss(grn_model_t *m, const grn_batch_t *b, double *sum, double *n)
{
    grn_status rc = GRN_OK;
    double stat[2];
    GRN_TRY(GRN_OP(m->dev, mse, b->n_query, m->pred, b->target.d, NULL, m->stat));
    GRN_TRY(grn_dev_download(m->dev, stat, m->stat, sizeof stat));
    *sum = stat[0];
    *n = stat[1];
end:
    return rc;
}

/* ---- backward ---- */
/* From the loss to m->dy: gradient of the rows the decoder read. pred becomes its own gradient. */
static grn_status backward_decoder(grn_model_t *m, const grn_pass_t *p)
{
    grn_status rc = GRN_OK;
    grn_dev_t *dev = p->dev;
    int64_t M = p->b->n_query, d = p->d;
    grn_real_t *df = m->scratch;
    GRN_TRY(GRN_OP(dev, mse_bwd, M, m->pred, p->b->target.d, NULL, m->stat, 1.0, m->pred));
    GRN_TRY(grn_linear_backward(dev, &m->dec[2], M, m->f1, d, m->pred, 1, 0, df, d));
    GRN_TRY(GRN_OP(dev, act_bwd, GRN_ACT_LRELU, M * d, m->f1, df, df));
    GRN_TRY(grn_linear_backward(dev, &m->dec[1], M, m->f0, d, df, d, 0, m->dy, d));
    GRN_TRY(GRN_OP(dev, act_bwd, GRN_ACT_LRELU, M * d, m->f0, m->dy, m->dy));
    GRN_TRY(grn_dev_copy(dev, df, m->dy, (size_t)(M * d)));
    GRN_TRY(grn_linear_backward(dev, &m->dec[0], M, output_rows(m), d, df, d, 0, m->dy, d));
end:
    return rc;
}

/* From m->dx, the gradient of x0, and what the graph encoder left in m->dxu, to embeddings and value encoder. */
static grn_status backward_inputs(grn_model_t *m, const grn_pass_t *p)
{
    grn_status rc = GRN_OK;
    grn_dev_t *dev = p->dev;
    const grn_batch_t *b = p->b;
    int64_t d = p->d, V = m->cfg.bins + 2;
    const grn_param_t *e = &m->params.p[m->emb];
    grn_real_t *dve = m->scratch, *dv1 = grn_at(dev, dve, V * d);
    GRN_TRY(GRN_OP(dev, scatter_add, b->n_rows, d, b->n_uniq, m->dx, d, b->row_uniq.d, m->dxu));
    GRN_TRY(grn_norm_backward(dev, &m->emb_norm, b->n_uniq, m->emb_raw, m->dxu, m->dxu));
    GRN_TRY(GRN_OP(dev, scatter_add, b->n_uniq, d, e->shape[0], m->dxu, d, b->uniq_id.d, e->g));
    GRN_TRY(grn_pass_drop(p, 0, b->n_rows, d, m->dx));
    GRN_TRY(grn_dev_zero(dev, dve, (size_t)(V * d)));
    GRN_TRY(GRN_OP(dev, scatter_add, b->n_rows, d, V, m->dx, d, b->row_value.d, dve));
    GRN_TRY(grn_norm_backward(dev, &m->value_norm, V, m->v2, dve, dve));
    GRN_TRY(grn_linear_backward(dev, &m->value2, V, m->v1, d, dve, d, 0, dv1, d));
    GRN_TRY(GRN_OP(dev, act_bwd, GRN_ACT_RELU, V * d, m->v1, dv1, dv1));
    GRN_TRY(grn_linear_backward(dev, &m->value1, V, m->value_x, 1, dv1, d, 0, NULL, 0));
end:
    return rc;
}

grn_status grn_model_backward(grn_model_t *m, const grn_batch_t *b, int train, int64_t step)
{
    grn_status rc = GRN_OK;
    grn_pass_t p = make_pass(m, b, train, step);
    int64_t i = m->n_block - 1;
    GRN_TRY(backward_decoder(m, &p));
    GRN_TRY(grn_dev_zero(m->dev, m->dxu, (size_t)(b->n_uniq * m->cfg.dim)));
    if (has_graph(m)) {
        GRN_TRY(grn_fusion_backward(&m->fusion, &p, m->gnn.h, m->dy, m->dx, m->dh, m->scratch));
        GRN_TRY(grn_gnn_backward(&m->gnn, &p, m->xu, m->dh, m->dxu, m->scratch));
    } else { /* the last block gives gradients of all rows from those of the queries */
        GRN_TRY(grn_block_backward(&m->block[i], &p, i > 0 ? m->block[i - 1].y : m->x0, m->dy, m->dx, m->scratch));
        i--;
    }
    for (; i >= 0; i--) {
        GRN_TRY(grn_block_backward(&m->block[i], &p, i > 0 ? m->block[i - 1].y : m->x0, m->dx, m->dx, m->scratch));
    }
    GRN_TRY(backward_inputs(m, &p));
end:
    return rc;
}

/* ---- evaluation ---- */
grn_status grn_model_predict(grn_model_t *m, const grn_batch_t *b, float *pred)
{
    grn_status rc = GRN_OK;
    GRN_TRY(grn_model_forward(m, b, 0, 0));
    GRN_TRY(grn_dev_get(m->dev, pred, m->pred, (size_t)b->n_query));
end:
    return rc;
}

grn_status grn_model_embed_cells(grn_model_t *m, const grn_batch_t *b, float *x)
{
    grn_status rc = GRN_OK;
    GRN_TRY(grn_model_forward(m, b, 0, 0));
    GRN_TRY(grn_dev_get(m->dev, x, output_rows(m), (size_t)(b->n_query * m->cfg.dim)));
end:
    return rc;
}

grn_status grn_model_attention(grn_model_t *m, const grn_batch_t *b, float *phi)
{
    grn_status rc = GRN_OK;
    grn_pass_t p = make_pass(m, b, 0, 0);
    if (!has_graph(m)) GRN_FAIL(GRN_EUNSUP, "a model without a network has no attention to it");
    GRN_TRY(grn_model_forward(m, b, 0, 0));
    GRN_TRY(grn_fusion_phi(&m->fusion, &p, m->phi));
    GRN_TRY(grn_dev_get(m->dev, phi, m->phi, (size_t)b->n_keys));
end:
    return rc;
}

grn_status grn_model_embed_graph(grn_model_t *m, grn_batch_t *b, const grn_csr_t *g, const uint32_t *node, size_t n,
                                 float *x)
{
    grn_status rc = GRN_OK;
    grn_pass_t p = make_pass(m, b, 0, 0);
    if (!has_graph(m)) GRN_FAIL(GRN_EUNSUP, "a model without a network has no graph encoder");
    if (g->n_nodes != m->genes.n)
        GRN_FAIL(GRN_ESHAPE, "a graph of %zu nodes for a model of %zu genes", g->n_nodes, m->genes.n);
    GRN_TRY(grn_batch_fill_graph(b, g, node, n));
    GRN_TRY(lay_out(m, &p));
    GRN_TRY(embed_genes(m, &p));
    GRN_TRY(grn_gnn_forward(&m->gnn, &p, m->xu));
    GRN_TRY(grn_dev_get(m->dev, x, m->gnn.h, n * (size_t)m->cfg.dim));
end:
    return rc;
}
