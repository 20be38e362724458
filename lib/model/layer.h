/* The layers a model is made of, each a pair forward / backward over the op table: linear, layer norm, transformer block,
 * graph encoder, cross-attention. Activations live in an arena on the device that is laid out once per batch.
 *
 * A backward function adds to parameter gradients and overwrites (or, where said, adds to) input gradients. Everything runs
 * in the order written, on one device; nothing here looks at single numbers. */
#ifndef GRN_MODEL_LAYER_H
#define GRN_MODEL_LAYER_H

#include <stdint.h>

#include "base/err.h"
#include "model/batch.h"
#include "nn/op.h"
#include "nn/param.h"

/* ---- activations ---- */
typedef struct {
    grn_dev_t *dev;
    grn_real_t *base;
    size_t n, cap; /* reals taken, reals there */
} grn_arena_t;
/* Empties the arena. Taking from it when it is too small gives NULL, but counts: lay out, grow, lay out again. */
static inline void grn_arena_reset(grn_arena_t *a)
{
    a->n = 0;
}
grn_real_t *grn_arena_take(grn_arena_t *a, int64_t rows, int64_t cols);
/* 1: the last layout fitted. 0: grown, lay out once more. < 0: grn_status. */
int grn_arena_settle(grn_arena_t *a);
void grn_arena_clear(grn_arena_t *a);

/* ---- linear and layer norm: weights and their gradients, borrowed from the parameters ---- */
typedef struct {
    grn_real_t *w, *b, *gw, *gb; /* (out, in), (out) or NULL */
    int64_t out, in;
} grn_linear_t;
typedef struct {
    grn_real_t *w, *b, *gw, *gb;
    grn_real_t *mean, *rstd; /* (rows) of the last forward; arena */
    int64_t d;
} grn_norm_t;

/* Adds PREFIX.weight (and bias) to the parameters. The pointers are filled in by grn_*_bind once all parameters are there.
 */
grn_status grn_linear_bind(grn_linear_t *l, const grn_params_t *ps, const char *prefix) GRN_MUST_USE;
grn_status grn_norm_bind(grn_norm_t *l, const grn_params_t *ps, const char *prefix) GRN_MUST_USE;

/* Rows [first, first + n) of a linear layer as a layer of its own: Q of a packed QKV. */
grn_linear_t grn_linear_rows(const grn_dev_t *dev, const grn_linear_t *l, int64_t first, int64_t n);

/* y (M,out) [ldy] = x (M,in) [ldx] W^T + b + beta y. */
grn_status grn_linear_forward(grn_dev_t *dev, const grn_linear_t *l, int64_t M, const grn_real_t *x, int64_t ldx,
                              double beta, grn_real_t *y, int64_t ldy) GRN_MUST_USE;
/* Gradients of W and b +=; dx (M,in) [ldx of dx] = dy W + beta dx unless dx is NULL. */
grn_status grn_linear_backward(grn_dev_t *dev, const grn_linear_t *l, int64_t M, const grn_real_t *x, int64_t ldx,
                               const grn_real_t *dy, int64_t ldy, double beta, grn_real_t *dx, int64_t lddx) GRN_MUST_USE;
grn_status grn_norm_forward(grn_dev_t *dev, const grn_norm_t *l, int64_t M, const grn_real_t *x,
                            grn_real_t *y) GRN_MUST_USE;
grn_status grn_norm_backward(grn_dev_t *dev, const grn_norm_t *l, int64_t M, const grn_real_t *x, const grn_real_t *dy,
                             grn_real_t *dx) GRN_MUST_USE;

/* ---- what a forward pass runs over ---- */
typedef struct {
    grn_dev_t *dev;
    const grn_batch_t *b;
    int64_t d, heads;
    double dropout; /* 0 outside training */
    uint64_t seed, step;
} grn_pass_t;
/* x (M,N) dropped in place at place `op`; nothing at dropout 0. */
grn_status grn_pass_drop(const grn_pass_t *p, uint32_t op, int64_t M, int64_t N, grn_real_t *x) GRN_MUST_USE;

/* ---- transformer block, post-norm (SPEC_MODEL 1.3): x1 = LN1(x + MHA(x)); y = LN2(x1 + W2 relu(W1 x1)) ----
 * With `restricted`, only the query rows of the batch come out: keys and values of all rows, the rest for queries alone. */
typedef struct {
    grn_linear_t qkv, out, l1, l2;
    grn_norm_t n1, n2;
    int restricted;
    uint32_t place;                                              /* number of its first dropout place */
    grn_real_t *xq, *q, *qkv_a, *o, *lse, *r1, *x1, *h, *r2, *y; /* arena */
} grn_block_t;
grn_status grn_block_add(grn_params_t *ps, const char *prefix, int64_t d, int64_t ffn, uint64_t seed) GRN_MUST_USE;
grn_status grn_block_bind(grn_block_t *l, const grn_params_t *ps, const char *prefix) GRN_MUST_USE;
void grn_block_layout(grn_block_t *l, const grn_pass_t *p, grn_arena_t *a);
grn_status grn_block_forward(grn_block_t *l, const grn_pass_t *p, grn_real_t *x) GRN_MUST_USE; /* output: l->y */
/* dy (queries or rows, d) is overwritten; dx (rows, d) is the gradient of x, and may be dy unless restricted. s: scratch of
 * (max(3d, ffn) + d) * rows reals. Uses up the activations: once per forward. */
grn_status grn_block_backward(grn_block_t *l, const grn_pass_t *p, grn_real_t *x, grn_real_t *dy, grn_real_t *dx,
                              grn_real_t *s) GRN_MUST_USE;

/* ---- GraphSAGE, mean aggregation, two layers, ReLU between (SPEC_MODEL 5.1), both graphs summed ----
 * x (unique, d): features of the genes of the batch. Output h (keys, d) = sum over graphs of the second layer. */
typedef struct {
    grn_linear_t l[2], r[2];
    grn_real_t *yl, *yr, *h1, *mean, *self, *h; /* arena */
} grn_gnn_t;
grn_status grn_gnn_add(grn_params_t *ps, const char *prefix, int64_t d, uint64_t seed) GRN_MUST_USE;
grn_status grn_gnn_bind(grn_gnn_t *l, const grn_params_t *ps, const char *prefix) GRN_MUST_USE;
void grn_gnn_layout(grn_gnn_t *l, const grn_pass_t *p, grn_arena_t *a);
grn_status grn_gnn_forward(grn_gnn_t *l, const grn_pass_t *p, const grn_real_t *x) GRN_MUST_USE;
/* dx (unique, d) += . dh is left. s: scratch of grn_gnn_scratch reals. */
grn_status grn_gnn_backward(grn_gnn_t *l, const grn_pass_t *p, const grn_real_t *x, const grn_real_t *dh, grn_real_t *dx,
                            grn_real_t *s) GRN_MUST_USE;
int64_t grn_gnn_scratch(const grn_pass_t *p);

/* ---- cross-attention fusion (SPEC_MODEL 6): y = x_q + beta P(x_q, h_struct) for the query rows ---- */
typedef struct {
    grn_linear_t q, k, v, out;
    grn_norm_t norm;
    int ln_kv;
    double beta;
    grn_real_t *xq, *sn, *qa, *kva, *o, *lse, *y; /* arena */
} grn_fusion_t;
grn_status grn_fusion_add(grn_params_t *ps, const char *prefix, int64_t d, int ln_kv, uint64_t seed) GRN_MUST_USE;
grn_status grn_fusion_bind(grn_fusion_t *l, const grn_params_t *ps, const char *prefix) GRN_MUST_USE;
void grn_fusion_layout(grn_fusion_t *l, const grn_pass_t *p, grn_arena_t *a);
grn_status grn_fusion_forward(grn_fusion_t *l, const grn_pass_t *p, const grn_real_t *x, grn_real_t *h_struct) GRN_MUST_USE;
/* dx (rows, d) and dh (keys, d) are the gradients of x and h_struct; dy is overwritten. s: 2 (queries + keys) d reals. */
grn_status grn_fusion_backward(grn_fusion_t *l, const grn_pass_t *p, grn_real_t *h_struct, grn_real_t *dy, grn_real_t *dx,
                               grn_real_t *dh, grn_real_t *s) GRN_MUST_USE;
/* phi (keys): attention mass of each key, mean over heads and queries (device). Call after forward. */
grn_status grn_fusion_phi(const grn_fusion_t *l, const grn_pass_t *p, grn_real_t *phi) GRN_MUST_USE;

#endif
