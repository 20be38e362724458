/* The model: scGPT-shaped backbone, GraphSAGE over the cell's graphs, cross-attention fusion, expression decoder.
 *
 *     tokens -> embedding + value encoder -> layers 0 .. L-2 -> h_expr
 *     graphs -> GraphSAGE -> h_struct                                  (features: the backbone's gene embeddings)
 *     h = h_expr + beta P(h_expr, h_struct)   or, with GRN_GRN_NONE, an ordinary layer L-1
 *     decoder: d -> d -> d -> 1, leaky ReLU; loss: mean squared error of the bins of masked genes
 *
 * How other tools use a trained model (grn-eval, grn-embed):
 *     grn_model_load(&m, dev, path, pool);
 *     grn_matrix_align(&counts, &m->genes, &n);  grn_cells_build(&cells, &counts, &m->cfg, &edges, &activity, NULL);
 *     grn_batch_create(&b, dev, pool);
 *     grn_batch_fill(b, &m->cfg, &cells, ids, 32, &(grn_view_t){ 0, GRN_QUERY_MASKED, { .mask = 0.5, .epoch =
 * GRN_EPOCH_EVAL, .seed = s } }); grn_model_predict(m, b, pred);          // pred[i] for gene b->query_gene[i] of cell
 * ids[b->query_cell[i]], truth b->target grn_model_attention(m, b, phi);         // view GRN_QUERY_GENES, mask -1: phi[j]
 * of gene b->key_gene[j], sums to 1 per cell grn_model_embed_cells(m, b, x);         // view GRN_QUERY_CLS
 *     grn_model_embed_graph(m, b, csr, node, n, x);
 * With the same seed, two models over the same genes see the same tokens and masks of a cell, whatever their --grn: compare
 * them pairwise.
 *
 * One caller at a time per model. Same bits for any number of threads. */
#ifndef GRN_MODEL_MODEL_H
#define GRN_MODEL_MODEL_H

#include <stdint.h>

#include "base/err.h"
#include "base/names.h"
#include "base/par.h"
#include "model/baseline.h"
#include "model/batch.h"
#include "model/cells.h"
#include "model/config.h"
#include "model/layer.h"
#include "nn/op.h"
#include "nn/param.h"

typedef struct {
    grn_model_config_t cfg;
    grn_dev_t *dev;      /* borrowed */
    grn_params_t params; /* scGPT's names where they exist; gnn.*, fusion.* */
    grn_names_t genes;   /* the universe, bytewise order; vocabulary = genes, <pad>, <cls> */
    grn_baseline_t base;
    char *split;  /* JSON of the train/validation/test split, or NULL; see model/split.h */
    int64_t step; /* optimiser steps done */
    /* layers, bound to the parameters */
    grn_linear_t value1, value2, dec[3];
    grn_norm_t emb_norm, value_norm;
    size_t emb;         /* index of encoder.embedding.weight */
    grn_block_t *block; /* (n_block): L-1, or L with GRN_GRN_NONE */
    int64_t n_block;
    grn_gnn_t gnn;
    grn_fusion_t fusion;
    /* activations of the last forward */
    grn_arena_t arena;
    grn_real_t *emb_raw, *xu, *value_x, *v1, *v2, *ve, *x0, *f0, *f1, *pred, *phi;
    grn_real_t *dy, *dx, *dh, *dxu, *scratch; /* backward */
    double *stat;                             /* device: sum of squares, number */
} grn_model_t;

/* A new model with random weights: U(+-1/sqrt(in)) for linear layers, U(+-0.1) by gene name for embeddings; the decoder's last
 * layer starts at `mean_target` with weights U(+-(bins-1)/sqrt(d)), the range of its output; the self path of the graph encoder
 * starts near the identity and queries and keys of the fusion alike. genes is copied. Weights depend on cfg->seed and names
 * alone. */
grn_status grn_model_create(grn_model_t **m, grn_dev_t *dev, const grn_model_config_t *cfg, const grn_names_t *genes,
                            double mean_target) GRN_MUST_USE;
void grn_model_destroy(grn_model_t *m); /* accepts NULL; before the device is closed */

/* Schema grn.model/1: parameters, names.gene, baselines, config, split, step; moments of the optimiser when with_optim.
 * extra (may be NULL) writes more into the open file. */
typedef grn_status (*grn_model_extra_fn)(void *ctx, grn_cw_t *w);
grn_status grn_model_save(const grn_model_t *m, const char *path, int with_optim, grn_par_t *pool, grn_model_extra_fn extra,
                          void *ctx) GRN_MUST_USE;
grn_status grn_model_load(grn_model_t **m, grn_dev_t *dev, const char *path, grn_par_t *pool) GRN_MUST_USE;
/* The same from an open file, with the moments if asked. */
grn_status grn_model_load_from(grn_model_t **m, grn_dev_t *dev, grn_cr_t *r, int with_optim) GRN_MUST_USE;

/* Forward pass up to the decoder's output for the queries of b. train: dropout of the configuration, drawn for `step`. */
grn_status grn_model_forward(grn_model_t *m, const grn_batch_t *b, int train, int64_t step) GRN_MUST_USE;
/* After forward: sum of squared errors over the queries and their number. */
grn_status grn_model_loss(grn_model_t *m, const grn_batch_t *b, double *sum, double *n) GRN_MUST_USE;
/* After forward and loss: gradients of the mean squared error, added to those of the parameters. */
grn_status grn_model_backward(grn_model_t *m, const grn_batch_t *b, int train, int64_t step) GRN_MUST_USE;

/* Evaluation; outputs are host arrays. */
grn_status grn_model_predict(grn_model_t *m, const grn_batch_t *b, float *pred) GRN_MUST_USE; /* (queries): predicted bin */
grn_status grn_model_embed_cells(grn_model_t *m, const grn_batch_t *b,
                                 float *x) GRN_MUST_USE; /* (queries, d): rows before the decoder */
/* (keys): attention of the fusion, mean over heads and the queries of the cell; GRN_EUNSUP for GRN_GRN_NONE. */
grn_status grn_model_attention(grn_model_t *m, const grn_batch_t *b, float *phi) GRN_MUST_USE;
/* (n, d): second GraphSAGE layer of the nodes of one graph over the model's genes, all neighbours. b is overwritten.
 * GRN_EUNSUP for GRN_GRN_NONE. */
grn_status grn_model_embed_graph(grn_model_t *m, grn_batch_t *b, const grn_csr_t *g, const uint32_t *node, size_t n,
                                 float *x) GRN_MUST_USE;

#endif
