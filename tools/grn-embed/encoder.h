/* The encoder of grn-embed: learnable features of genes through the two-layer GraphSAGE of the
 * models (SPEC_MODEL 5.1), and its unsupervised loss (Hamilton, Ying & Leskovec 2017, eq. 1).
 *
 *     h1_v = ReLU(Wl1 mean of x_u + Wr1 x_v + b1);  z_v = [ReLU](Wl2 mean of h1_u + Wr2 h1_v + b2)
 * [/ norm]
 *
 * Letters: G genes, D width, B pairs of a batch, Q negatives of a batch, N nodes. One caller at a
 * time; bits do not depend on the pool. */
#ifndef GRN_EMBED_ENCODER_H
#define GRN_EMBED_ENCODER_H

#include <stdint.h>

#include "base/err.h"
#include "base/names.h"
#include "graph/csr.h"
#include "graph/sample.h"
#include "model/batch.h"
#include "model/layer.h"
#include "nn/optim.h"
#include "nn/param.h"

typedef struct {
    int64_t dim, fanout;
    int last_act, l2norm; /* ReLU after the second layer; rows of length 1 */
    double neg_weight;    /* weight of the mean over the negatives against 1 for the pair */
    uint64_t seed;
} encoder_opt_t;

typedef struct {
    encoder_opt_t opt;
    grn_dev_t *dev; /* borrowed */
    grn_params_t params;
    size_t table; /* index of features.weight */
    grn_gnn_t gnn;
    grn_arena_t arena;
    grn_batch_t *batch;
    int64_t n_genes;
    grn_real_t *x, *z, *norm;                       /* (unique, D) features, (N, D) output; arena */
    grn_real_t *zu, *zv, *zn, *pos, *neg, *one, *w; /* loss; arena */
    grn_real_t *dpos, *dneg, *dzu, *dzv, *dzn, *dz, *dx, *scratch;
    grn_mirror_t iu, iv, in; /* i32: rows of z */
    double *stat;            /* device (4): positive, negative sums and weights */
    float *host_w;
    size_t host_w_cap;
} encoder_t;

/* New weights: U(+-1/sqrt(in)) by parameter name, features U(+-0.1) by gene key (G). */
grn_status encoder_create(encoder_t **e, grn_dev_t *dev, const encoder_opt_t *opt,
                          const uint64_t *gene_key, size_t n_genes, grn_par_t *pool) GRN_MUST_USE;
void encoder_destroy(encoder_t *e); /* accepts NULL; before the device is closed */

/* Pairs (u[i], v[i]) that should be close and nodes n[j] that should be far, all as positions in
 * the seed list. */
typedef struct {
    const uint32_t *seed; /* (n_seed) distinct nodes */
    size_t n_seed;
    const int32_t *u, *v, *n;
    size_t n_pair, n_neg;
} encoder_pairs_t;

/* One pass over a batch: samples neighbours, adds gradients to the parameters, and gives the mean
 * loss per pair -log s(z_u.z_v) - neg_weight * mean over the negatives of log s(-z_u.z_n), where a
 * negative equal to u or v is left out. */
grn_status encoder_step(encoder_t *e, const grn_csr_t *g, const encoder_pairs_t *p,
                        const grn_sample_key_t *draw, const uint64_t *gene_key,
                        double *loss) GRN_MUST_USE;

/* out (n, D) host: z of distinct nodes, all neighbours, no sampling. */
grn_status encoder_embed(encoder_t *e, const grn_csr_t *g, const uint32_t *node, size_t n,
                         float *out) GRN_MUST_USE;

#endif
