/* The op table: every numeric building block of the models as one function over plain buffers, and
 * the device that owns them.
 *
 * A device is {table, context}. The CPU table (op_cpu.c) is the reference and is complete; the CUDA
 * table comes from a plugin (libgrn-cuda.so) that implements the same struct. A slot that a backend
 * does not have is NULL: GRN_OP then gives GRN_EUNSUP, and the caller does not silently go
 * elsewhere.
 *
 *     GRN_TRY(GRN_OP(dev, gemm, 0, 1, M, N, K, 1.0, x, K, w, K, 0.0, y, N, bias));
 *
 * Buffers: every pointer handed to an op is device memory of grn_dev_real or GRN_DEV_NEW.
 * grn_real_t is an incomplete type on purpose: real buffers are float (4 bytes) on cpu and cuda and
 * double (8 bytes) on the reference device cpu64, where a whole model can be checked against finite
 * differences; host code moves numbers with grn_dev_put/get and offsets with grn_at, and never
 * dereferences. int32_t, int64_t, uint8_t and double buffers are plain arrays of that type, but
 * device memory all the same. Matrices are row-major with a row stride ("ld", in elements, >=
 * columns). "out +=" is beta = 1, "out =" is beta = 0 (then what was in out, NaN included, is not
 * read).
 *
 * Letters: B cells of a batch, T tokens (queries) per cell, K keys per cell or inner dimension, H
 * heads, D width, M rows, N columns, V rows of a table, E edges. Sizes may be 0 (nothing is done,
 * sums are 0). Results: GRN_OK; GRN_EINVAL on a negative size, ld too small or id out of range;
 * GRN_ENOMEM (workspace); GRN_EDEVICE. Ops do not look for NaN: they carry it. Threads: one caller
 * at a time per device. CPU ops run over fixed blocks on the pool: same bits for any number of
 * threads. Ops may be asynchronous (CUDA): inputs must stay alive and unchanged until grn_dev_sync
 * or a download. */
#ifndef GRN_NN_OP_H
#define GRN_NN_OP_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/par.h"

typedef struct grn_real_s grn_real_t; /* a real number on the device: float, or double on cpu64 */

/* Dropout by a counter, not by a state: element (row, col) is kept when word col%4 of
 *   Philox4x32-10(counter = {col/4, op, row lo, row hi} with row = row0 + row,
 *                 key = {k lo, k hi} with k = splitmix64(seed + splitmix64(step)))
 * is >= floor(p * 2^32), and is then scaled by 1/(1-p). The same numbers forward and backward. p =
 * 0 or a NULL pointer: nothing is dropped. */
typedef struct {
    double p; /* 0 <= p < 1 */
    uint64_t seed;
    uint64_t step; /* optimiser step */
    uint64_t row0; /* number of the first row (micro-batches, data parallel) */
    uint32_t op;   /* which place in the model: any number, different per place */
} grn_drop_t;

typedef enum {
    GRN_ACT_RELU,
    GRN_ACT_LRELU,
    GRN_ACT_SIGMOID
} grn_act; /* LRELU: slope 0.01 below 0 */

/* Shape of an attention: B cells, H heads of width Dh, D = H * Dh. Query rows of cell b: [b*T, b*T
 * + q_len[b]); or, packed, [q_off[b], q_off[b+1]) when q_off is not NULL. Key rows likewise with K,
 * k_len, k_off. A NULL length means all T (K) rows. T and K bound the lengths in either form.
 * Padded query rows come out as 0 (o, dq, lse); padded key rows are never read and their dk, dv
 * come out 0. A cell with no key has context 0, lse 0. Head h is the columns [h*Dh, (h+1)*Dh).
 * Strides may be larger than D (packed QKV). */
typedef struct {
    int64_t B, T, K, H, Dh;
    const int32_t *q_len, *k_len; /* (B) or NULL */
    const int64_t *q_off, *k_off; /* (B + 1) or NULL */
    int64_t ldq, ldk, ldv, ldo;   /* strides of q, k, v, o and of their gradients */
    double scale;                 /* 1/sqrt(Dh) as a rule */
    grn_drop_t
        drop; /* on the probabilities; row = (b*H + h)*T + i, col = j, i and j within the cell */
} grn_attn_t;

#define GRN_OP_ABI 1 /* changes whenever this struct does; a plugin of another number is refused \
                      */

typedef struct {
    int abi;
    size_t real_size;               /* 4 or 8 */
    const char *(*name)(void *ctx); /* "cpu (2 threads)", "cuda:0 NVIDIA H200"; borrowed */

    /* ---- memory ---- */
    grn_status (*alloc)(void *ctx, void **p,
                        size_t bytes); /* zeroed, 64-byte aligned; 0 bytes: a pointer to free */
    void (*free)(void *ctx, void *p);  /* accepts NULL */
    grn_status (*upload)(void *ctx, void *dst_d, const void *src_h, size_t bytes);
    grn_status (*download)(void *ctx, void *dst_h, const void *src_d,
                           size_t bytes); /* waits for all earlier ops */
    grn_status (*copy)(void *ctx, void *dst_d, const void *src_d, size_t bytes);
    grn_status (*zero)(void *ctx, void *dst_d, size_t bytes);
    grn_status (*sync)(void *ctx);
    void (*mem)(void *ctx, uint64_t *now, uint64_t *peak); /* bytes held through alloc */
    void (*close)(void *ctx);

    /* ---- dense algebra ---- */
    /* c (M,N) = alpha op(a) (M,K) op(b) (K,N) + beta c + bias (N, or NULL) in each row; op
     * transposes when ta / tb is 1: then a is stored (K,M), b (N,K). A PyTorch Linear is ta = 0, tb
     * = 1, b = weight (out,in). Its gradients: dx = dy W (0,0); dW = dy^T x (1,0). */
    grn_status (*gemm)(void *ctx, int ta, int tb, int64_t M, int64_t N, int64_t K, double alpha,
                       const grn_real_t *a, int64_t lda, const grn_real_t *b, int64_t ldb,
                       double beta, grn_real_t *c, int64_t ldc, const grn_real_t *bias);
    /* out (N) = sum over rows of x (M,N) + beta out: the gradient of a bias. */
    grn_status (*col_sum)(void *ctx, int64_t M, int64_t N, const grn_real_t *x, int64_t ldx,
                          double beta, grn_real_t *out);

    /* ---- elementwise, n numbers ---- */
    grn_status (*fill)(void *ctx, int64_t n, double value, grn_real_t *x);
    /* z = a x + b y; y NULL: z = a x. z may be x or y. */
    grn_status (*add)(void *ctx, int64_t n, double a, const grn_real_t *x, double b,
                      const grn_real_t *y, grn_real_t *z);
    /* y = act(x); in place allowed. Backward from the output y: dx = dy act'(x), derivative at x =
     * 0 that of the left side (0, 0.01). dx may be dy. */
    grn_status (*act)(void *ctx, grn_act kind, int64_t n, const grn_real_t *x, grn_real_t *y);
    grn_status (*act_bwd)(void *ctx, grn_act kind, int64_t n, const grn_real_t *y,
                          const grn_real_t *dy, grn_real_t *dx);
    /* y (M,N) = mask(x) / (1-p), contiguous, in place allowed. The backward pass is the same call
     * on dy. */
    grn_status (*dropout)(void *ctx, int64_t M, int64_t N, const grn_drop_t *drop,
                          const grn_real_t *x, grn_real_t *y);

    /* ---- tables ---- */
    /* out (M,D) [ldo] = rows id[m] of table (V,D) + beta out; a negative id is a row of zeros. */
    grn_status (*gather)(void *ctx, int64_t M, int64_t D, int64_t V, const grn_real_t *table,
                         const int32_t *id, double beta, grn_real_t *out, int64_t ldo);
    /* dtable (V,D)[id[m]] += dout[m] (M,D) [ldo]; rows of the same id are added in ascending m;
     * negative ids are skipped. O(M D + V). */
    grn_status (*scatter_add)(void *ctx, int64_t M, int64_t D, int64_t V, const grn_real_t *dout,
                              int64_t ldo, const int32_t *id, grn_real_t *dtable);

    /* ---- normalisation, rows of width D, contiguous ---- */
    /* y = gamma (x - mean)/sqrt(var + eps) + beta, var with divisor D; mean, rstd (M) are kept for
     * the backward pass. */
    grn_status (*layer_norm)(void *ctx, int64_t M, int64_t D, double eps, const grn_real_t *x,
                             const grn_real_t *gamma, const grn_real_t *beta, grn_real_t *y,
                             grn_real_t *mean, grn_real_t *rstd);
    /* dx = gradient (may be dy, not x); dgamma, dbeta (D) += . */
    grn_status (*layer_norm_bwd)(void *ctx, int64_t M, int64_t D, const grn_real_t *x,
                                 const grn_real_t *gamma, const grn_real_t *mean,
                                 const grn_real_t *rstd, const grn_real_t *dy, grn_real_t *dx,
                                 grn_real_t *dgamma, grn_real_t *dbeta);
    /* y = x / norm, norm (M) = max(|x|_2, 1e-12) by row. Backward from y: dx = (dy - y (y.dy)) /
     * norm; for a row with |x| < 1e-12 dx = dy / norm. dx may be dy. */
    grn_status (*l2norm)(void *ctx, int64_t M, int64_t D, const grn_real_t *x, grn_real_t *y,
                         grn_real_t *norm);
    grn_status (*l2norm_bwd)(void *ctx, int64_t M, int64_t D, const grn_real_t *y,
                             const grn_real_t *norm, const grn_real_t *dy, grn_real_t *dx);

    /* ---- attention ---- */
    /* o = drop(softmax(scale q k^T)) v, by head; lse (query rows, H) = log of the sum of exp(scale
     * q.k), kept instead of the T x K matrix. lse has B*T (or q_off[B]) rows. */
    grn_status (*attn)(void *ctx, const grn_attn_t *at, const grn_real_t *q, const grn_real_t *k,
                       const grn_real_t *v, grn_real_t *o, grn_real_t *lse);
    /* dq, dk, dv = gradients (overwritten, also the rows of padding), recomputing the probabilities
     * from lse tile by tile. */
    grn_status (*attn_bwd)(void *ctx, const grn_attn_t *at, const grn_real_t *q,
                           const grn_real_t *k, const grn_real_t *v, const grn_real_t *o,
                           const grn_real_t *lse, const grn_real_t *d_o, grn_real_t *dq,
                           grn_real_t *dk, grn_real_t *dv);
    /* Looks at an attention (without dropout): phi (key rows) = probability mass of each key, mean
     * over heads and over the valid queries with q_use[query row] != 0 (q_use NULL: all); sums to 1
     * over the keys of a cell, 0 where it has no key or no such query. probs (B,H,T,K), 0 at
     * padding. Either output may be NULL. */
    grn_status (*attn_probs)(void *ctx, const grn_attn_t *at, const grn_real_t *q,
                             const grn_real_t *k, const grn_real_t *lse, const uint8_t *q_use,
                             grn_real_t *phi, grn_real_t *probs);

    /* ---- graphs ---- */
    /* out (M,D) [ldo] = mean over e in [off[m], off[m+1]) of y[idx[e]] (V,D) [ldy] + beta out; no
     * neighbour: mean 0. */
    grn_status (*gather_mean)(void *ctx, int64_t M, int64_t D, int64_t V, const int64_t *off,
                              const int32_t *idx, const grn_real_t *y, int64_t ldy, double beta,
                              grn_real_t *out, int64_t ldo);
    /* dy (V,D) [ldy] = sum over e in [t_off[u], t_off[u+1]) of dout[r] / (off[r+1]-off[r]), r =
     * t_idx[e], + beta dy. (t_off, t_idx) is the transpose of (off, idx): V rows, ids < M. */
    grn_status (*gather_mean_bwd)(void *ctx, int64_t M, int64_t D, int64_t V, const int64_t *off,
                                  const int64_t *t_off, const int32_t *t_idx,
                                  const grn_real_t *dout, int64_t ldo, double beta, grn_real_t *dy,
                                  int64_t ldy);
    /* s (M) = a[m] . b[m], rows of width D. Backward: da = g[m] b[m] + beta da, db = g[m] a[m] +
     * beta db (either may be NULL). */
    grn_status (*row_dot)(void *ctx, int64_t M, int64_t D, const grn_real_t *a, int64_t lda,
                          const grn_real_t *b, int64_t ldb, grn_real_t *s);
    grn_status (*row_dot_bwd)(void *ctx, int64_t M, int64_t D, const grn_real_t *a, int64_t lda,
                              const grn_real_t *b, int64_t ldb, const grn_real_t *g, double beta,
                              grn_real_t *da, grn_real_t *db);

    /* ---- losses: stat (2 doubles on the device) = {sum of w * loss, sum of w}; the loss is
     * stat[0]/stat[1] (0/0: no term). Backward reads stat[1] of the forward pass: dx = scale * w *
     * loss'(x) / stat[1], 0 when stat[1] = 0. w NULL: all 1. Where w = 0 the element is not read
     * into the sum (NaN there does no harm) and dx = 0. ---- */
    grn_status (*mse)(void *ctx, int64_t n, const grn_real_t *x, const grn_real_t *target,
                      const grn_real_t *w, double *stat);
    grn_status (*mse_bwd)(void *ctx, int64_t n, const grn_real_t *x, const grn_real_t *target,
                          const grn_real_t *w, const double *stat, double scale, grn_real_t *dx);
    /* Binary cross-entropy of logits x with target y in [0,1]: max(x,0) - x y + log(1 + exp(-|x|)).
     * With y = 1 it is -log sigmoid(x). */
    grn_status (*bce)(void *ctx, int64_t n, const grn_real_t *x, const grn_real_t *y,
                      const grn_real_t *w, double *stat);
    grn_status (*bce_bwd)(void *ctx, int64_t n, const grn_real_t *x, const grn_real_t *y,
                          const grn_real_t *w, const double *stat, double scale, grn_real_t *dx);
    /* Softmax cross-entropy of logits x (M,N), contiguous, with class id label[m]; a negative label
     * is no term; lse (M) is kept. */
    grn_status (*ce)(void *ctx, int64_t M, int64_t N, const grn_real_t *x, const int32_t *label,
                     grn_real_t *lse, double *stat);
    grn_status (*ce_bwd)(void *ctx, int64_t M, int64_t N, const grn_real_t *x, const int32_t *label,
                         const grn_real_t *lse, const double *stat, double scale, grn_real_t *dx);

    /* ---- optimiser ---- */
    /* out[0] = sum of x*y + beta out[0], in double, over fixed blocks in order (y may be x: the
     * squared norm). out: device double. */
    grn_status (*dot)(void *ctx, int64_t n, const grn_real_t *x, const grn_real_t *y, double beta,
                      double *out);
    /* One AdamW step (Loshchilov & Hutter 2019; PyTorch's form): g is first multiplied by
     * c = max_norm > 0 ? min(1, max_norm / (sqrt(sumsq[0]) + 1e-6)) : 1 (sumsq: device double or
     * NULL); then w -= lr wd w; m = b1 m + (1-b1) g; v = b2 v + (1-b2) g^2; w -= lr (m / (1-b1^t))
     * / (sqrt(v / (1-b2^t)) + eps). t counts from 1. */
    grn_status (*adamw)(void *ctx, int64_t n, grn_real_t *w, const grn_real_t *g, grn_real_t *m,
                        grn_real_t *v, double lr, double b1, double b2, double eps, double wd,
                        int64_t t, const double *sumsq, double max_norm);
} grn_ops_t;

typedef struct {
    const grn_ops_t *op;
    void *ctx;
    void *plugin;   /* dlopen handle or NULL */
    char note[160]; /* how it was chosen: "auto: no CUDA plugin found" */
} grn_dev_t;

/* Calls an op: GRN_OP(dev, fill, n, 0.0, x); GRN_EUNSUP naming op and device when the backend lacks
 * it. */
#define GRN_OP(dev, fn, ...) \
    ((dev)->op->fn ? (dev)->op->fn((dev)->ctx, __VA_ARGS__) : grn_op_missing((dev), #fn))
grn_status grn_op_missing(const grn_dev_t *dev, const char *fn);

/* The CPU device on a pool (NULL: serial; borrowed, must outlive the device). Sets BLAS to one
 * thread. */
grn_status grn_dev_cpu(grn_dev_t **dev, grn_par_t *pool) GRN_MUST_USE;
/* The same ops in double: the reference for gradient checks; complete, about half as fast. */
grn_status grn_dev_cpu64(grn_dev_t **dev, grn_par_t *pool) GRN_MUST_USE;
/* "auto", "cpu", "cuda", "cuda:N". cuda without plugin or device is GRN_EDEVICE; auto takes cuda
 * when there is one, else cpu, and
 * (*dev)->note says which and why. GRN_EUSAGE for any other word. The plugin libgrn-cuda.so is
 * looked for beside the executable, in
 * ../lib/grn-tools of it, then where dlopen looks. */
grn_status grn_dev_open(grn_dev_t **dev, const char *spec, grn_par_t *pool) GRN_MUST_USE;
void grn_dev_close(grn_dev_t *dev); /* accepts NULL; buffers must have been freed */
const char *grn_dev_name(const grn_dev_t *dev);

/* Element i of a real buffer. */
static inline grn_real_t *grn_at(const grn_dev_t *dev, const grn_real_t *p, int64_t i)
{
    return (grn_real_t *)((uintptr_t)p + (uintptr_t)i * dev->op->real_size);
}
/* Buffers: n numbers, zeroed; freed with grn_dev_free. On failure *p = NULL. */
grn_status grn_dev_real(grn_dev_t *dev, grn_real_t **p, size_t n) GRN_MUST_USE;
grn_status grn_dev_bytes(grn_dev_t *dev, void **p, size_t n, size_t size) GRN_MUST_USE;
/* GRN_DEV_NEW(dev, p, n): a plain array (int32_t *, int64_t *, uint8_t *, double *) of n on the
 * device. */
#define GRN_DEV_NEW(dev, p, n) grn_dev_bytes((dev), (void **)&(p), (n), sizeof *(p))
void grn_dev_free(grn_dev_t *dev, void *p); /* accepts NULL */
/* Host floats or doubles to and from a real buffer, converted where the device's reals are of the
 * other size. get waits for earlier ops. */
grn_status grn_dev_put(grn_dev_t *dev, grn_real_t *dst, const float *src_h, size_t n) GRN_MUST_USE;
grn_status grn_dev_get(grn_dev_t *dev, float *dst_h, const grn_real_t *src, size_t n) GRN_MUST_USE;
grn_status grn_dev_put_f64(grn_dev_t *dev, grn_real_t *dst, const double *src_h,
                           size_t n) GRN_MUST_USE;
grn_status grn_dev_get_f64(grn_dev_t *dev, double *dst_h, const grn_real_t *src,
                           size_t n) GRN_MUST_USE;
/* Plain bytes both ways (ids, lengths, losses). */
grn_status grn_dev_upload(grn_dev_t *dev, void *dst_d, const void *src_h,
                          size_t bytes) GRN_MUST_USE;
grn_status grn_dev_download(grn_dev_t *dev, void *dst_h, const void *src_d,
                            size_t bytes) GRN_MUST_USE;
/* Copies and zeroes n real numbers on the device. */
grn_status grn_dev_copy(grn_dev_t *dev, grn_real_t *dst, const grn_real_t *src,
                        size_t n) GRN_MUST_USE;
grn_status grn_dev_zero(grn_dev_t *dev, grn_real_t *dst, size_t n) GRN_MUST_USE;
grn_status grn_dev_sync(grn_dev_t *dev) GRN_MUST_USE;

/* What libgrn-cuda.so exports as GRN_PLUGIN_OPEN: opens device `index`; `fail` is the host
 * program's grn_err, so that messages reach it.
 */
typedef grn_status (*grn_plugin_open_fn)(int index,
                                         grn_status (*fail)(grn_status, const char *, ...),
                                         const grn_ops_t **op, void **ctx);
#define GRN_PLUGIN_OPEN "grn_cuda_open"

#endif
