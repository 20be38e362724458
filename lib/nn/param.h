/* Named parameters of a model: weight, gradient and both AdamW moments on one device, under the
 * names checkpoints use.
 *
 * Parameters are added once, in any order; their initial values depend on (seed, parameter name,
 * row key, element) only, never on the order of adding. Buffers of a parameter stay valid until
 * grn_params_clear; the array `p` may move while parameters are added (keep the index, or the
 * buffers). In a grn.model/1 file: tensors "param.NAME", "adam_m.NAME", "adam_v.NAME" (F32). One
 * caller at a time. */
#ifndef GRN_NN_PARAM_H
#define GRN_NN_PARAM_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "io/container.h"
#include "nn/op.h"

typedef struct {
    char *name; /* "transformer_encoder.layers.0.linear1.weight" */
    int n_dim;  /* 1..4 */
    int64_t shape[GRN_MAX_DIM];
    int64_t n;                 /* product */
    grn_real_t *w, *g, *m, *v; /* (n) each; m, v are NULL until the first step or load needs them */
    int frozen;                /* no step, not counted in the norm */
    int no_decay;              /* no weight decay; set for rank 1 */
} grn_param_t;

typedef struct {
    grn_dev_t *dev; /* borrowed */
    grn_param_t *p;
    size_t n, cap;
} grn_params_t;

typedef enum { GRN_INIT_CONST, GRN_INIT_UNIFORM } grn_init_kind;
typedef struct {
    grn_init_kind kind;
    double a;                /* CONST: the value; UNIFORM: U(-a, a) */
    const uint64_t *row_key; /* UNIFORM, optional: shape[0] keys (hash of the gene's name ...): row
                                r follows row_key[r], not r */
} grn_init_t;

void grn_params_init(grn_params_t *ps, grn_dev_t *dev);
void grn_params_clear(grn_params_t *ps); /* frees all; accepts zeroed */

/* Adds and fills a parameter; *i (may be NULL) its index. GRN_EINVAL: name taken, shape empty. */
grn_status grn_params_add(grn_params_t *ps, const char *name, int n_dim, const int64_t *shape,
                          grn_init_t init, uint64_t seed, size_t *i) GRN_MUST_USE;
/* PREFIX.weight (out,in) U(+-1/sqrt(in)) and, if has_bias, PREFIX.bias (out) likewise: PyTorch's
 * Linear. *w, *b: indices, each may be NULL. */
grn_status grn_params_add_linear(grn_params_t *ps, const char *prefix, int64_t out, int64_t in,
                                 int has_bias, uint64_t seed, size_t *w, size_t *b) GRN_MUST_USE;
/* PREFIX.weight = 1, PREFIX.bias = 0, both (d): layer norm. */
grn_status grn_params_add_norm(grn_params_t *ps, const char *prefix, int64_t d, uint64_t seed,
                               size_t *w, size_t *b) GRN_MUST_USE;
/* PREFIX.weight (rows, d) U(+-0.1): embedding; row_key as in grn_init_t. */
grn_status grn_params_add_embedding(grn_params_t *ps, const char *prefix, int64_t rows, int64_t d,
                                    const uint64_t *row_key, uint64_t seed, size_t *w) GRN_MUST_USE;

#define GRN_PARAM_NONE ((size_t)-1)
size_t grn_params_find(const grn_params_t *ps, const char *name); /* index or GRN_PARAM_NONE */
int64_t grn_params_count(const grn_params_t *ps);                 /* numbers in all parameters */
grn_status grn_params_zero_grad(grn_params_t *ps) GRN_MUST_USE;
/* Gives every parameter its moments (zeros where there were none). */
grn_status grn_params_moments(grn_params_t *ps) GRN_MUST_USE;

/* Writes "param.*" and, if with_optim, "adam_m.*", "adam_v.*" (zeros where there was no step yet)
 * into an open file. */
grn_status grn_params_save(const grn_params_t *ps, grn_cw_t *w, int with_optim) GRN_MUST_USE;
/* Reads every parameter of ps from the file: GRN_EFORMAT when one is missing (named), GRN_ESHAPE
 * when its shape differs (both said), GRN_ENONFINITE. Tensors of the file that ps does not have are
 * ignored. with_optim: the moments too, they must be there. */
grn_status grn_params_load(grn_params_t *ps, grn_cr_t *r, int with_optim) GRN_MUST_USE;

#endif
