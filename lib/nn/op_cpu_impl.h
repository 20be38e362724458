/* The CPU kernels, written once for any real type. Included by op_cpu_f32.c, op_cpu_f32_avx2.c and
 * op_cpu_f64.c, which define REAL, REAL_IS_F32 and OPS_TABLE.
 *
 * Rules that make bits independent of threads and vector width: every parallel loop runs over
 * blocks of a fixed size and writes only its own part of the output; sums are kept in LANES
 * separate double accumulators folded in one order; partial sums of blocks are added in block
 * order; nothing is contracted or reassociated by the compiler. BLAS sees blocks whose shape
 * follows from the sizes alone. */
#include <cblas.h>
#include <limits.h>
#include <math.h>

#include "base/mem.h"
#include "nn/op_cpu.h"

#if REAL_IS_F32
#define BLAS_GEMM cblas_sgemm
#define R_EXP grn_cpu_expf
#define R_SQRT sqrtf
#define BITS int32_t /* an integer as wide as REAL */
#else
#define BLAS_GEMM cblas_dgemm
#define R_EXP exp
#define R_SQRT sqrt
#define BITS int64_t
#endif

#define RO(p) ((const REAL *)(p)) /* an input buffer */
#define RW(p) ((REAL *)(p))       /* an output buffer */

enum { LANES = 8, GRAIN_ELEM = 32768, GRAIN_ROW = 32 };

#define CHECK_SIZES(cond, what) \
    if (!(cond)) return grn_err(GRN_EINVAL, "%s: bad sizes or strides", what)

static int64_t div_up(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

static double fold(const double a[LANES])
{
    return ((a[0] + a[4]) + (a[2] + a[6])) + ((a[1] + a[5]) + (a[3] + a[7]));
}

static double sum_dot(const REAL *x, const REAL *y, int64_t n)
{
    double a[LANES] = { 0 };
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int l = 0; l < LANES; l++) a[l] += (double)x[i + l] * (double)y[i + l];
    for (; i < n; i++) a[i % LANES] += (double)x[i] * (double)y[i];
    return fold(a);
}

static double sum_plain(const REAL *x, int64_t n)
{
    double a[LANES] = { 0 };
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int l = 0; l < LANES; l++) a[l] += (double)x[i + l];
    for (; i < n; i++) a[i % LANES] += (double)x[i];
    return fold(a);
}

/* Sum of squared differences from mu. */
static double sum_dev(const REAL *x, REAL mu, int64_t n)
{
    double a[LANES] = { 0 };
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int l = 0; l < LANES; l++) {
            double d = (double)(x[i + l] - mu);
            a[l] += d * d;
        }
    for (; i < n; i++) a[i % LANES] += (double)(x[i] - mu) * (double)(x[i] - mu);
    return fold(a);
}

typedef REAL vec_t __attribute__((vector_size(16)));
typedef BITS mask_t __attribute__((vector_size(16)));
enum { VEC = 16 / sizeof(REAL) };

static inline vec_t vec_max(vec_t a, vec_t b)
{
    mask_t m = (mask_t)(a > b); /* all ones where true */
    return (vec_t)((m & (mask_t)a) | (~m & (mask_t)b));
}

/* Largest of n >= 1 numbers; a NaN may be skipped or returned. */
static REAL max_of(const REAL *x, int64_t n)
{
    REAL m = x[0];
    int64_t i = 0;
    if (n >= 2 * VEC) {
        vec_t a, b, u, v;
        memcpy(&a, x, sizeof a);
        memcpy(&b, x + VEC, sizeof b);
        for (i = 2 * VEC; i + 2 * VEC <= n; i += 2 * VEC) {
            memcpy(&u, x + i, sizeof u);
            memcpy(&v, x + i + VEC, sizeof v);
            a = vec_max(a, u);
            b = vec_max(b, v);
        }
        a = vec_max(a, b);
        for (int l = 0; l < VEC; l++) m = a[l] > m ? a[l] : m;
    }
    for (; i < n; i++) m = x[i] > m ? x[i] : m;
    return m;
}

/* ---- dropout words ---- */

enum { PHILOX_LANES = 32 };

/* One round of Philox4x32 for n counters. */
static inline void philox_round(int n, uint32_t *c0, uint32_t *c1, uint32_t *c2, uint32_t *c3,
                                uint32_t k0, uint32_t k1)
{
    for (int l = 0; l < n; l++) {
        uint64_t p0 = (uint64_t)c0[l] * 0xD2511F53u, p1 = (uint64_t)c2[l] * 0xCD9E8D57u;
        uint32_t n0 = (uint32_t)(p1 >> 32) ^ c1[l] ^ k0, n2 = (uint32_t)(p0 >> 32) ^ c3[l] ^ k1;
        c0[l] = n0;
        c1[l] = (uint32_t)p1;
        c2[l] = n2;
        c3[l] = (uint32_t)p0;
    }
}

/* Philox4x32-10 for the columns [0, n) of one row: word[col]; up to drop_words_n(n) words are
 * written. */
static void drop_words(const grn_drop_t *d, uint64_t row, int64_t n, uint32_t *word)
{
    uint64_t key = grn_cpu_splitmix(d->seed + grn_cpu_splitmix(d->step));
    uint32_t c0[PHILOX_LANES], c1[PHILOX_LANES], c2[PHILOX_LANES], c3[PHILOX_LANES];
    row += d->row0;
    for (int64_t first = 0, all = div_up(n, 4); first < all; first += PHILOX_LANES) {
        uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32), *w = word + first * 4;
        int lanes = all - first < PHILOX_LANES ? (int)((all - first + 7) / 8 * 8) : PHILOX_LANES;
        for (int l = 0; l < lanes; l++) {
            c0[l] = (uint32_t)(first + l);
            c1[l] = d->op;
            c2[l] = (uint32_t)row;
            c3[l] = (uint32_t)(row >> 32);
        }
        for (int round = 0; round < 10; round++) {
            philox_round(lanes, c0, c1, c2, c3, k0, k1);
            k0 += 0x9E3779B9u;
            k1 += 0xBB67AE85u;
        }
        for (int l = 0; l < lanes; l++) {
            w[4 * l] = c0[l];
            w[4 * l + 1] = c1[l];
            w[4 * l + 2] = c2[l];
            w[4 * l + 3] = c3[l];
        }
    }
}

static size_t drop_words_n(int64_t n)
{
    return (size_t)div_up(n, 32) * 32;
}

static int drop_on(const grn_drop_t *d)
{
    return d && d->p > 0;
}

static uint32_t drop_limit(const grn_drop_t *d)
{
    return (uint32_t)(d->p * 4294967296.0);
}

#include "nn/op_cpu_dense_impl.h"
#include "nn/op_cpu_attn_impl.h"
#include "nn/op_cpu_graph_impl.h"
#include "nn/op_cpu_loss_impl.h"

const grn_ops_t OPS_TABLE = {
    .abi = GRN_OP_ABI,
    .real_size = sizeof(REAL),
    .name = grn_cpu_name,
    .alloc = grn_cpu_alloc,
    .free = grn_cpu_free,
    .upload = grn_cpu_move,
    .download = grn_cpu_move,
    .copy = grn_cpu_move,
    .zero = grn_cpu_zero,
    .sync = grn_cpu_sync,
    .mem = grn_cpu_mem,
    .close = grn_cpu_close,
    .gemm = op_gemm,
    .col_sum = op_col_sum,
    .fill = op_fill,
    .add = op_add,
    .act = op_act,
    .act_bwd = op_act_bwd,
    .dropout = op_dropout,
    .gather = op_gather,
    .scatter_add = op_scatter_add,
    .layer_norm = op_layer_norm,
    .layer_norm_bwd = op_layer_norm_bwd,
    .l2norm = op_l2norm,
    .l2norm_bwd = op_l2norm_bwd,
    .attn = op_attn,
    .attn_bwd = op_attn_bwd,
    .attn_probs = op_attn_probs,
    .gather_mean = op_gather_mean,
    .gather_mean_bwd = op_gather_mean_bwd,
    .row_dot = op_row_dot,
    .row_dot_bwd = op_row_dot_bwd,
    .mse = op_mse,
    .mse_bwd = op_mse_bwd,
    .bce = op_bce,
    .bce_bwd = op_bce_bwd,
    .ce = op_ce,
    .ce_bwd = op_ce_bwd,
    .dot = op_dot,
    .adamw = op_adamw,
};
