/* Part of op_cpu_impl.h: matrix products, column sums, elementwise maps, dropout, row
 * normalisation, AdamW. */

/* ---- gemm ---- */

/* Output tiles of ROWS x COLS, and, for a small output with a long inner dimension (a weight
 * gradient), SPLIT partial products. */
typedef struct {
    grn_cpu_t *cpu;
    int ta, tb;
    int64_t M, N, K, lda, ldb, ldc, rows, cols, n_col, split, k_len;
    double alpha, beta;
    const REAL *a, *b, *bias;
    REAL *c, *part; /* part (split, M, N) */
} gemm_job_t;

static void gemm_call(const gemm_job_t *j, int64_t i0, int64_t m, int64_t j0, int64_t n, int64_t k0,
                      int64_t k, double beta, REAL *c, int64_t ldc)
{
    const REAL *a = j->a + (j->ta ? k0 * j->lda + i0 : i0 * j->lda + k0);
    const REAL *b = j->b + (j->tb ? j0 * j->ldb + k0 : k0 * j->ldb + j0);
    BLAS_GEMM(CblasRowMajor, j->ta ? CblasTrans : CblasNoTrans, j->tb ? CblasTrans : CblasNoTrans,
              (int)m, (int)n, (int)k, (REAL)j->alpha, a, (int)j->lda, b, (int)j->ldb, (REAL)beta, c,
              (int)ldc);
}

/* c tile = beta c + bias, so that the product can be added to it. */
static void gemm_start(const gemm_job_t *j, int64_t i0, int64_t m, int64_t j0, int64_t n)
{
    for (int64_t i = i0; i < i0 + m; i++) {
        REAL *c = j->c + i * j->ldc + j0;
        const REAL *bias = j->bias ? j->bias + j0 : NULL;
        REAL beta = (REAL)j->beta;
        for (int64_t x = 0; x < n; x++)
            c[x] = (j->beta != 0 ? beta * c[x] : 0) + (bias ? bias[x] : 0);
    }
}

static grn_status gemm_tiles(void *ctx, size_t begin, size_t end, int worker)
{
    const gemm_job_t *j = ctx;
    (void)worker;
    for (size_t t = begin; t < end; t++) {
        int64_t i0 = (int64_t)t / j->n_col * j->rows, j0 = (int64_t)t % j->n_col * j->cols;
        int64_t m = j->M - i0 < j->rows ? j->M - i0 : j->rows,
                n = j->N - j0 < j->cols ? j->N - j0 : j->cols;
        double beta = j->beta;
        if (j->bias || j->K == 0) {
            gemm_start(j, i0, m, j0, n);
            beta = 1;
        }
        if (j->K) gemm_call(j, i0, m, j0, n, 0, j->K, beta, j->c + i0 * j->ldc + j0, j->ldc);
    }
    return GRN_OK;
}

static grn_status gemm_parts(void *ctx, size_t begin, size_t end, int worker)
{
    const gemm_job_t *j = ctx;
    (void)worker;
    for (size_t s = begin; s < end; s++) {
        int64_t k0 = (int64_t)s * j->k_len, k = j->K - k0 < j->k_len ? j->K - k0 : j->k_len;
        gemm_call(j, 0, j->M, 0, j->N, k0, k, 0, j->part + (int64_t)s * j->M * j->N, j->N);
    }
    return GRN_OK;
}

static grn_status gemm_fold(void *ctx, size_t begin, size_t end, int worker)
{
    const gemm_job_t *j = ctx;
    (void)worker;
    gemm_start(j, (int64_t)begin, (int64_t)(end - begin), 0, j->N);
    for (size_t i = begin; i < end; i++)
        for (int64_t s = 0; s < j->split; s++) {
            REAL *c = j->c + (int64_t)i * j->ldc;
            const REAL *p = j->part + (s * j->M + (int64_t)i) * j->N;
            for (int64_t x = 0; x < j->N; x++) c[x] += p[x];
        }
    return GRN_OK;
}

static grn_status op_gemm(void *ctx, int ta, int tb, int64_t M, int64_t N, int64_t K, double alpha,
                          const grn_real_t *a, int64_t lda, const grn_real_t *b, int64_t ldb,
                          double beta, grn_real_t *c, int64_t ldc, const grn_real_t *bias)
{
    enum { SPLIT_MAX = 16, SPLIT_K = 512, SPLIT_OUT = 1 << 18 };
    grn_cpu_t *cpu = ctx;
    CHECK_SIZES(M >= 0 && N >= 0 && K >= 0 && K <= INT_MAX && N <= INT_MAX && lda >= (ta ? M : K) &&
                    ldb >= (tb ? K : N) && ldc >= N && lda <= INT_MAX && ldb <= INT_MAX &&
                    ldc <= INT_MAX,
                "gemm");
    if (!M || !N) return GRN_OK;
    gemm_job_t j = { cpu, ta, tb, M,     N,    K,     lda ? lda : 1, ldb ? ldb : 1, ldc,   0,   0,
                     0,   1,  K,  alpha, beta, RO(a), RO(b),         RO(bias),      RW(c), NULL };
    j.rows = M <= 2048 ? 128 : 256;
    j.cols = M <= 512 && N >= 512 ? 256 : N;
    j.n_col = div_up(N, j.cols);
    int64_t tiles = div_up(M, j.rows) * j.n_col;
    if (tiles < 8 && K >= 2 * SPLIT_K && M * N <= SPLIT_OUT) {
        int64_t most = K / SPLIT_K < SPLIT_MAX ? K / SPLIT_K : SPLIT_MAX;
        void *p;
        j.k_len = div_up(K, most);
        j.split = div_up(K, j.k_len);
        grn_status rc =
            grn_cpu_scratch(cpu, cpu->n_workers, (size_t)(j.split * M * N), sizeof(REAL), &p);
        if (rc) return rc;
        j.part = p;
        rc = grn_par_for(cpu->pool, (size_t)j.split, 1, gemm_parts, &j);
        return rc ? rc : grn_par_for(cpu->pool, (size_t)M, 64, gemm_fold, &j);
    }
    return grn_par_for(cpu->pool, (size_t)tiles, 1, gemm_tiles, &j);
}

/* ---- sums over rows ---- */

/* Rows are cut into at most 64 chunks; each sums its rows into doubles of its own, then the chunks
 * are added in order. */
typedef struct {
    int64_t M, N, ldx, chunk;
    const REAL *x;
    double *part; /* (chunks, N) */
} colsum_job_t;

static int64_t row_chunk(int64_t M)
{
    int64_t c = div_up(M, 64);
    return c < 128 ? 128 : c;
}

static grn_status colsum_run(void *ctx, size_t begin, size_t end, int worker)
{
    const colsum_job_t *j = ctx;
    (void)worker;
    for (size_t t = begin; t < end; t++) {
        int64_t i0 = (int64_t)t * j->chunk, i1 = i0 + j->chunk < j->M ? i0 + j->chunk : j->M;
        double *s = j->part + (int64_t)t * j->N;
        for (int64_t n = 0; n < j->N; n++) s[n] = 0;
        for (int64_t i = i0; i < i1; i++) {
            const REAL *x = j->x + i * j->ldx;
            for (int64_t n = 0; n < j->N; n++) s[n] += (double)x[n];
        }
    }
    return GRN_OK;
}

/* out = beta out + sum of the chunks. */
static void chunks_fold(const double *part, int64_t chunks, int64_t stride, int64_t N, double beta,
                        REAL *out)
{
    for (int64_t n = 0; n < N; n++) {
        double s = 0;
        for (int64_t t = 0; t < chunks; t++) s += part[t * stride + n];
        out[n] = (REAL)(s + (beta != 0 ? beta * (double)out[n] : 0));
    }
}

static grn_status op_col_sum(void *ctx, int64_t M, int64_t N, const grn_real_t *x, int64_t ldx,
                             double beta, grn_real_t *out)
{
    grn_cpu_t *cpu = ctx;
    void *p;
    CHECK_SIZES(M >= 0 && N >= 0 && ldx >= N, "col_sum");
    colsum_job_t j = { M, N, ldx, row_chunk(M), RO(x), NULL };
    int64_t chunks = div_up(M, j.chunk);
    grn_status rc = grn_cpu_scratch(cpu, cpu->n_workers, (size_t)(chunks * N), sizeof(double), &p);
    if (rc) return rc;
    j.part = p;
    rc = grn_par_for(cpu->pool, (size_t)chunks, 1, colsum_run, &j);
    if (rc) return rc;
    chunks_fold(j.part, chunks, N, N, beta, RW(out));
    return GRN_OK;
}

/* ---- elementwise ---- */

typedef struct {
    grn_act kind;
    double a, b;
    const REAL *x, *y;
    REAL *z;
} map_job_t;

static grn_status fill_run(void *ctx, size_t begin, size_t end, int worker)
{
    const map_job_t *j = ctx;
    (void)worker;
    for (size_t i = begin; i < end; i++) j->z[i] = (REAL)j->a;
    return GRN_OK;
}

static grn_status op_fill(void *ctx, int64_t n, double value, grn_real_t *x)
{
    map_job_t j = { 0, value, 0, NULL, NULL, RW(x) };
    CHECK_SIZES(n >= 0, "fill");
    return grn_par_for(((grn_cpu_t *)ctx)->pool, (size_t)n, GRAIN_ELEM, fill_run, &j);
}

static grn_status add_run(void *ctx, size_t begin, size_t end, int worker)
{
    const map_job_t *j = ctx;
    const REAL *x = j->x, *y = j->y;
    REAL *z = j->z, a = (REAL)j->a, b = (REAL)j->b;
    (void)worker;
    if (!y)
        for (size_t i = begin; i < end; i++) z[i] = a * x[i];
    else
        for (size_t i = begin; i < end; i++) z[i] = a * x[i] + b * y[i];
    return GRN_OK;
}

static grn_status op_add(void *ctx, int64_t n, double a, const grn_real_t *x, double b,
                         const grn_real_t *y, grn_real_t *z)
{
    map_job_t j = { 0, a, b, RO(x), RO(y), RW(z) };
    CHECK_SIZES(n >= 0, "add");
    return grn_par_for(((grn_cpu_t *)ctx)->pool, (size_t)n, GRAIN_ELEM, add_run, &j);
}

static grn_status act_run(void *ctx, size_t begin, size_t end, int worker)
{
    const map_job_t *j = ctx;
    const REAL *x = j->x;
    REAL *z = j->z, slope = (REAL)j->a;
    (void)worker;
    if (j->kind == GRN_ACT_SIGMOID)
        for (size_t i = begin; i < end; i++) z[i] = 1 / (1 + R_EXP(-x[i]));
    else if (j->kind == GRN_ACT_RELU)
        for (size_t i = begin; i < end; i++) z[i] = x[i] <= 0 ? 0 : x[i]; /* NaN stays */
    else
        for (size_t i = begin; i < end; i++) z[i] = x[i] > 0 ? x[i] : slope * x[i];
    return GRN_OK;
}

static grn_status act_bwd_run(void *ctx, size_t begin, size_t end, int worker)
{
    const map_job_t *j = ctx;
    const REAL *y = j->x, *dy = j->y;
    REAL *dx = j->z, slope = (REAL)j->a;
    (void)worker;
    if (j->kind == GRN_ACT_SIGMOID)
        for (size_t i = begin; i < end; i++) dx[i] = dy[i] * y[i] * (1 - y[i]);
    else if (j->kind == GRN_ACT_RELU)
        for (size_t i = begin; i < end; i++) dx[i] = y[i] > 0 ? dy[i] : 0;
    else
        for (size_t i = begin; i < end; i++) dx[i] = y[i] > 0 ? dy[i] : slope * dy[i];
    return GRN_OK;
}

static grn_status act_any(grn_cpu_t *cpu, grn_par_fn fn, grn_act kind, int64_t n,
                          const grn_real_t *x, const grn_real_t *y, grn_real_t *z)
{
    map_job_t j = { kind, 0.01, 0, RO(x), RO(y), RW(z) };
    CHECK_SIZES(n >= 0 && (int)kind >= GRN_ACT_RELU && kind <= GRN_ACT_SIGMOID, "act");
    return grn_par_for(cpu->pool, (size_t)n, GRAIN_ELEM, fn, &j);
}

static grn_status op_act(void *ctx, grn_act kind, int64_t n, const grn_real_t *x, grn_real_t *y)
{
    return act_any(ctx, act_run, kind, n, x, NULL, y);
}

static grn_status op_act_bwd(void *ctx, grn_act kind, int64_t n, const grn_real_t *y,
                             const grn_real_t *dy, grn_real_t *dx)
{
    return act_any(ctx, act_bwd_run, kind, n, y, dy, dx);
}

typedef struct {
    grn_cpu_t *cpu;
    int64_t N;
    const grn_drop_t *drop;
    const REAL *x;
    REAL *y;
} drop_job_t;

static grn_status dropout_run(void *ctx, size_t begin, size_t end, int worker)
{
    const drop_job_t *j = ctx;
    REAL scale = (REAL)(1 / (1 - j->drop->p));
    uint32_t limit = drop_limit(j->drop);
    void *p;
    grn_status rc = grn_cpu_scratch(j->cpu, worker, drop_words_n(j->N), sizeof(uint32_t), &p);
    const uint32_t *w = p;
    for (size_t m = begin; !rc && m < end; m++) {
        const REAL *x = j->x + (int64_t)m * j->N;
        REAL *y = j->y + (int64_t)m * j->N;
        drop_words(j->drop, m, j->N, p);
        for (int64_t i = 0; i < j->N; i++) y[i] = w[i] >= limit ? x[i] * scale : 0;
    }
    return rc;
}

static grn_status op_dropout(void *ctx, int64_t M, int64_t N, const grn_drop_t *drop,
                             const grn_real_t *x, grn_real_t *y)
{
    grn_cpu_t *cpu = ctx;
    drop_job_t j = { cpu, N, drop, RO(x), RW(y) };
    CHECK_SIZES(M >= 0 && N >= 0 && (!drop || (drop->p >= 0 && drop->p < 1)), "dropout");
    if (!drop_on(drop))
        return x == y ? GRN_OK : grn_cpu_move(ctx, y, x, (size_t)(M * N) * sizeof(REAL));
    return grn_par_for(cpu->pool, (size_t)M, GRAIN_ROW, dropout_run, &j);
}

/* ---- row normalisation ---- */

typedef struct {
    grn_cpu_t *cpu;
    int64_t M, D, chunk;
    double eps;
    const REAL *x, *gamma, *beta, *dy, *cmean, *crstd;
    REAL *y, *mean, *rstd;
    double *part; /* (chunks, 2, D): dgamma, dbeta */
} norm_job_t;

static grn_status layer_norm_run(void *ctx, size_t begin, size_t end, int worker)
{
    const norm_job_t *j = ctx;
    int64_t D = j->D;
    (void)worker;
    for (size_t m = begin; m < end; m++) {
        const REAL *x = j->x + (int64_t)m * D;
        REAL *y = j->y + (int64_t)m * D;
        REAL mu = (REAL)(sum_plain(x, D) / (double)D);
        REAL r = (REAL)(1 / sqrt(sum_dev(x, mu, D) / (double)D + j->eps));
        const REAL *gamma = j->gamma, *beta = j->beta;
        for (int64_t i = 0; i < D; i++) y[i] = (x[i] - mu) * r * gamma[i] + beta[i];
        j->mean[m] = mu;
        j->rstd[m] = r;
    }
    return GRN_OK;
}

static grn_status op_layer_norm(void *ctx, int64_t M, int64_t D, double eps, const grn_real_t *x,
                                const grn_real_t *gamma, const grn_real_t *beta, grn_real_t *y,
                                grn_real_t *mean, grn_real_t *rstd)
{
    norm_job_t j = { ctx,  M,    D,    0,     eps,      RO(x),    RO(gamma), RO(beta),
                     NULL, NULL, NULL, RW(y), RW(mean), RW(rstd), NULL };
    CHECK_SIZES(M >= 0 && D >= 1, "layer_norm");
    return grn_par_for(((grn_cpu_t *)ctx)->pool, (size_t)M, GRAIN_ROW, layer_norm_run, &j);
}

/* With h = (x - mean) rstd and g = dy gamma: dx = rstd (g - mean(g) - h mean(g h)); dgamma = sum dy
 * h; dbeta = sum dy. */
static grn_status layer_norm_bwd_run(void *ctx, size_t begin, size_t end, int worker)
{
    const norm_job_t *j = ctx;
    int64_t D = j->D;
    void *p;
    grn_status rc = grn_cpu_scratch(j->cpu, worker, (size_t)(2 * D), sizeof(REAL), &p);
    if (rc) return rc;
    REAL *g = p, *h = g + D;
    const REAL *gamma = j->gamma;
    for (size_t t = begin; t < end; t++) {
        double *dgamma = j->part + (int64_t)t * 2 * D, *dbeta = dgamma + D;
        int64_t m0 = (int64_t)t * j->chunk, m1 = m0 + j->chunk < j->M ? m0 + j->chunk : j->M;
        for (int64_t i = 0; i < 2 * D; i++) dgamma[i] = 0;
        for (int64_t m = m0; m < m1; m++) {
            const REAL *x = j->x + m * D, *dy = j->dy + m * D;
            REAL *dx = j->y + m * D, mu = j->cmean[m], r = j->crstd[m];
            for (int64_t i = 0; i < D; i++) {
                h[i] = (x[i] - mu) * r;
                g[i] = dy[i] * gamma[i];
            }
            for (int64_t i = 0; i < D; i++) dgamma[i] += (double)(dy[i] * h[i]);
            for (int64_t i = 0; i < D; i++) dbeta[i] += (double)dy[i];
            REAL a = (REAL)(sum_plain(g, D) / (double)D), b = (REAL)(sum_dot(g, h, D) / (double)D);
            for (int64_t i = 0; i < D; i++) dx[i] = r * (g[i] - a - h[i] * b);
        }
    }
    return GRN_OK;
}

static grn_status op_layer_norm_bwd(void *ctx, int64_t M, int64_t D, const grn_real_t *x,
                                    const grn_real_t *gamma, const grn_real_t *mean,
                                    const grn_real_t *rstd, const grn_real_t *dy, grn_real_t *dx,
                                    grn_real_t *dgamma, grn_real_t *dbeta)
{
    grn_cpu_t *cpu = ctx;
    void *p;
    CHECK_SIZES(M >= 0 && D >= 1, "layer_norm_bwd");
    norm_job_t j = { ctx,    M,        D,        row_chunk(M), 0,    RO(x), RO(gamma), NULL,
                     RO(dy), RO(mean), RO(rstd), RW(dx),       NULL, NULL,  NULL };
    int64_t chunks = div_up(M, j.chunk);
    grn_status rc =
        grn_cpu_scratch(cpu, cpu->n_workers, (size_t)(chunks * 2 * D), sizeof(double), &p);
    if (rc) return rc;
    j.part = p;
    rc = grn_par_for(cpu->pool, (size_t)chunks, 1, layer_norm_bwd_run, &j);
    if (rc) return rc;
    chunks_fold(j.part, chunks, 2 * D, D, 1, RW(dgamma));
    chunks_fold(j.part + D, chunks, 2 * D, D, 1, RW(dbeta));
    return GRN_OK;
}

static grn_status l2norm_run(void *ctx, size_t begin, size_t end, int worker)
{
    const norm_job_t *j = ctx;
    int64_t D = j->D;
    (void)worker;
    for (size_t m = begin; m < end; m++) {
        const REAL *x = j->x + (int64_t)m * D;
        REAL *y = j->y + (int64_t)m * D, norm = (REAL)sqrt(sum_dot(x, x, D));
        if (norm < (REAL)1e-12) norm = (REAL)1e-12;
        for (int64_t i = 0; i < D; i++) y[i] = x[i] / norm;
        j->rstd[m] = norm;
    }
    return GRN_OK;
}

static grn_status op_l2norm(void *ctx, int64_t M, int64_t D, const grn_real_t *x, grn_real_t *y,
                            grn_real_t *norm)
{
    norm_job_t j = { ctx,  M,    D,    0,     0,    RO(x),    NULL, NULL,
                     NULL, NULL, NULL, RW(y), NULL, RW(norm), NULL };
    CHECK_SIZES(M >= 0 && D >= 0, "l2norm");
    return grn_par_for(((grn_cpu_t *)ctx)->pool, (size_t)M, GRAIN_ROW, l2norm_run, &j);
}

static grn_status l2norm_bwd_run(void *ctx, size_t begin, size_t end, int worker)
{
    const norm_job_t *j = ctx;
    int64_t D = j->D;
    (void)worker;
    for (size_t m = begin; m < end; m++) {
        const REAL *y = j->x + (int64_t)m * D, *dy = j->dy + (int64_t)m * D;
        REAL *dx = j->y + (int64_t)m * D, norm = j->crstd[m];
        REAL s = norm > (REAL)1e-12 ? (REAL)sum_dot(y, dy, D) : 0;
        for (int64_t i = 0; i < D; i++) dx[i] = (dy[i] - y[i] * s) / norm;
    }
    return GRN_OK;
}

static grn_status op_l2norm_bwd(void *ctx, int64_t M, int64_t D, const grn_real_t *y,
                                const grn_real_t *norm, const grn_real_t *dy, grn_real_t *dx)
{
    norm_job_t j = { ctx,    M,    D,        0,      0,    RO(y), NULL, NULL,
                     RO(dy), NULL, RO(norm), RW(dx), NULL, NULL,  NULL };
    CHECK_SIZES(M >= 0 && D >= 0, "l2norm_bwd");
    return grn_par_for(((grn_cpu_t *)ctx)->pool, (size_t)M, GRAIN_ROW, l2norm_bwd_run, &j);
}

/* ---- optimiser ---- */

typedef struct {
    int64_t n;
    const REAL *x, *y;
    double *part;
} dot_job_t;

static grn_status dot_run(void *ctx, size_t begin, size_t end, int worker)
{
    const dot_job_t *j = ctx;
    (void)worker;
    j->part[begin / GRAIN_ELEM] = sum_dot(j->x + begin, j->y + begin, (int64_t)(end - begin));
    return GRN_OK;
}

static grn_status op_dot(void *ctx, int64_t n, const grn_real_t *x, const grn_real_t *y,
                         double beta, double *out)
{
    grn_cpu_t *cpu = ctx;
    void *p;
    CHECK_SIZES(n >= 0, "dot");
    int64_t chunks = div_up(n, GRAIN_ELEM);
    grn_status rc = grn_cpu_scratch(cpu, cpu->n_workers, (size_t)chunks, sizeof(double), &p);
    if (rc) return rc;
    dot_job_t j = { n, RO(x), RO(y), p };
    rc = grn_par_for(cpu->pool, (size_t)n, GRAIN_ELEM, dot_run, &j);
    if (rc) return rc;
    double s = 0;
    for (int64_t t = 0; t < chunks; t++) s += j.part[t];
    out[0] = s + (beta != 0 ? beta * out[0] : 0);
    return GRN_OK;
}

typedef struct {
    REAL *w, *m, *v;
    const REAL *g;
    double lr, b1, b2, eps, wd, c1, c2, clip; /* c = 1/(1-b^t) */
} adamw_job_t;

static grn_status adamw_run(void *ctx, size_t begin, size_t end, int worker)
{
    const adamw_job_t *j = ctx;
    REAL *w = j->w, *m = j->m, *v = j->v, clip = (REAL)j->clip;
    REAL b1 = (REAL)j->b1, b2 = (REAL)j->b2, n1 = (REAL)(1 - j->b1), n2 = (REAL)(1 - j->b2);
    REAL keep = (REAL)(1 - j->lr * j->wd), step = (REAL)(j->lr * j->c1), c2 = (REAL)j->c2,
         eps = (REAL)j->eps;
    const REAL *g = j->g;
    (void)worker;
    for (size_t i = begin; i < end; i++) {
        REAL gi = g[i] * clip;
        m[i] = b1 * m[i] + n1 * gi;
        v[i] = b2 * v[i] + n2 * gi * gi;
        w[i] = keep * w[i] - step * m[i] / (R_SQRT(v[i] * c2) + eps);
    }
    return GRN_OK;
}

static grn_status op_adamw(void *ctx, int64_t n, grn_real_t *w, const grn_real_t *g, grn_real_t *m,
                           grn_real_t *v, double lr, double b1, double b2, double eps, double wd,
                           int64_t t, const double *sumsq, double max_norm)
{
    CHECK_SIZES(n >= 0 && t >= 1, "adamw");
    adamw_job_t j = { RW(w),
                      RW(m),
                      RW(v),
                      RO(g),
                      lr,
                      b1,
                      b2,
                      eps,
                      wd,
                      1 / (1 - pow(b1, (double)t)),
                      1 / (1 - pow(b2, (double)t)),
                      1 };
    if (sumsq && max_norm > 0) {
        double c = max_norm / (sqrt(sumsq[0]) + 1e-6);
        if (c < 1) j.clip = c;
    }
    return grn_par_for(((grn_cpu_t *)ctx)->pool, (size_t)n, GRAIN_ELEM, adamw_run, &j);
}
