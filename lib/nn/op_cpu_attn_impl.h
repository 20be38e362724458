/* Part of op_cpu_impl.h: attention. One task per (cell, head); queries in tiles of QUERY_TILE rows,
 * so that memory is tile x keys. */

enum { QUERY_TILE = 64 };

typedef struct {
    grn_cpu_t *cpu;
    const grn_attn_t *at;
    const REAL *q, *k, *v, *o, *lse, *d_o;
    REAL *out, *lse_out, *dq, *dk, *dv;
    const uint8_t *q_use;
    REAL *phi, *probs;
} attn_job_t;

typedef struct {
    int64_t n, first, pad; /* valid rows, first row, rows of padding after them */
} span_t;

static span_t attn_span(int64_t b, int64_t stride, const int32_t *len, const int64_t *off)
{
    if (off) return (span_t){ off[b + 1] - off[b], off[b], 0 };
    int64_t n = len ? len[b] : stride;
    return (span_t){ n, b * stride, stride - n };
}

static grn_status attn_check(const grn_attn_t *at)
{
    int64_t D = at->H * at->Dh;
    CHECK_SIZES(at->B >= 0 && at->T >= 0 && at->K >= 0 && at->H >= 1 && at->Dh >= 1 &&
                    at->ldq >= D && at->ldk >= D && at->ldv >= D && at->ldo >= D &&
                    at->ldq <= INT_MAX && at->ldk <= INT_MAX && at->ldv <= INT_MAX &&
                    at->ldo <= INT_MAX && at->K <= INT_MAX && at->drop.p >= 0 && at->drop.p < 1,
                "attn");
    for (int64_t b = 0; b < at->B; b++) {
        span_t q = attn_span(b, at->T, at->q_len, at->q_off),
               k = attn_span(b, at->K, at->k_len, at->k_off);
        CHECK_SIZES(q.n >= 0 && q.n <= at->T && k.n >= 0 && k.n <= at->K, "attn lengths");
    }
    return GRN_OK;
}

static void zero_rows(REAL *p, int64_t ld, int64_t row, int64_t n, int64_t width)
{
    for (int64_t i = row; i < row + n; i++)
        for (int64_t d = 0; d < width; d++) p[i * ld + d] = 0;
}

/* s (m, K) = scale q k^T for m queries from row i; pointers already at the head's columns. */
static void attn_scores(const grn_attn_t *at, const REAL *q, const REAL *k, int64_t m,
                        int64_t n_key, REAL *s)
{
    BLAS_GEMM(CblasRowMajor, CblasNoTrans, CblasTrans, (int)m, (int)n_key, (int)at->Dh,
              (REAL)at->scale, q, (int)at->ldq, k, (int)at->ldk, 0, s, (int)n_key);
}

/* One row of scores to probabilities; returns the log-sum-exp. */
static REAL softmax_row(REAL *s, int64_t n)
{
    REAL top = max_of(s, n);
    for (int64_t x = 0; x < n; x++) s[x] = R_EXP(s[x] - top);
    double sum = sum_plain(s, n);
    REAL inv = (REAL)(1 / sum);
    for (int64_t x = 0; x < n; x++) s[x] *= inv;
    return (REAL)((double)top + log(sum));
}

static grn_status attn_run(void *ctx, size_t begin, size_t end, int worker)
{
    const attn_job_t *j = ctx;
    const grn_attn_t *at = j->at;
    size_t n_word = drop_on(&at->drop) ? drop_words_n(at->K) : 0;
    void *p;
    grn_status rc =
        grn_cpu_scratch(j->cpu, worker,
                        (size_t)(QUERY_TILE * at->K) * sizeof(REAL) + n_word * sizeof(uint32_t), 1,
                        &p);
    if (rc) return rc;
    uint32_t *word = p, limit = drop_limit(&at->drop);
    REAL *s = (REAL *)(void *)(word + n_word), keep = (REAL)(1 / (1 - at->drop.p));
    for (size_t t = begin; t < end; t++) {
        int64_t b = (int64_t)t / at->H, h = (int64_t)t % at->H, col = h * at->Dh;
        span_t q = attn_span(b, at->T, at->q_len, at->q_off),
               k = attn_span(b, at->K, at->k_len, at->k_off);
        int64_t zero_from = k.n ? q.n : 0, n_zero = q.n + q.pad - zero_from;
        zero_rows(j->out + col, at->ldo, q.first + zero_from, n_zero, at->Dh);
        zero_rows(j->lse_out + h, at->H, q.first + zero_from, n_zero, 1);
        for (int64_t i0 = 0; k.n && i0 < q.n; i0 += QUERY_TILE) {
            int64_t m = q.n - i0 < QUERY_TILE ? q.n - i0 : QUERY_TILE, row = q.first + i0;
            attn_scores(at, j->q + row * at->ldq + col, j->k + k.first * at->ldk + col, m, k.n, s);
            for (int64_t i = 0; i < m; i++) {
                REAL *si = s + i * k.n;
                j->lse_out[(row + i) * at->H + h] = softmax_row(si, k.n);
                if (!n_word) continue;
                drop_words(&at->drop, (uint64_t)((b * at->H + h) * at->T + i0 + i), k.n, word);
                for (int64_t x = 0; x < k.n; x++) si[x] = word[x] >= limit ? si[x] * keep : 0;
            }
            BLAS_GEMM(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)m, (int)at->Dh, (int)k.n, 1,
                      s, (int)k.n, j->v + k.first * at->ldv + col, (int)at->ldv, 0,
                      j->out + row * at->ldo + col, (int)at->ldo);
        }
    }
    return GRN_OK;
}

static grn_status op_attn(void *ctx, const grn_attn_t *at, const grn_real_t *q, const grn_real_t *k,
                          const grn_real_t *v, grn_real_t *o, grn_real_t *lse)
{
    grn_cpu_t *cpu = ctx;
    attn_job_t j = {
        .cpu = cpu, .at = at, .q = RO(q), .k = RO(k), .v = RO(v), .out = RW(o), .lse_out = RW(lse)
    };
    grn_status rc = attn_check(at);
    return rc ? rc : grn_par_for(cpu->pool, (size_t)(at->B * at->H), 1, attn_run, &j);
}

/* Backward of one tile of m queries (rows from `row`, i0 within the cell). With p the probabilities
 * and g the dropout factor (0 or 1/(1-p_drop)): dv += (g p)^T do; ds = p (g do v^T - do.o); dq =
 * scale ds k; dk += scale ds^T q. */
static void attn_bwd_tile(const attn_job_t *j, int64_t b, int64_t h, span_t k, int64_t row,
                          int64_t i0, int64_t m, REAL *s, REAL *dp, uint32_t *word)
{
    const grn_attn_t *at = j->at;
    int64_t col = h * at->Dh, Dh = at->Dh;
    const REAL *q = j->q + row * at->ldq + col, *key = j->k + k.first * at->ldk + col,
               *v = j->v + k.first * at->ldv + col;
    const REAL *d_o = j->d_o + row * at->ldo + col, *o = j->o + row * at->ldo + col;
    uint32_t limit = drop_limit(&at->drop);
    REAL keep = (REAL)(1 / (1 - at->drop.p));
    attn_scores(at, q, key, m, k.n, s);
    BLAS_GEMM(CblasRowMajor, CblasNoTrans, CblasTrans, (int)m, (int)k.n, (int)Dh, 1, d_o,
              (int)at->ldo, v, (int)at->ldv, 0, dp, (int)k.n);
    for (int64_t i = 0; i < m; i++) {
        REAL *si = s + i * k.n, *di = dp + i * k.n, lse = j->lse[(row + i) * at->H + h];
        REAL dot = (REAL)sum_dot(d_o + i * at->ldo, o + i * at->ldo, Dh);
        for (int64_t x = 0; x < k.n; x++) si[x] = R_EXP(si[x] - lse);
        if (!drop_on(&at->drop)) {
            for (int64_t x = 0; x < k.n; x++) di[x] = si[x] * (di[x] - dot);
            continue;
        }
        drop_words(&at->drop, (uint64_t)((b * at->H + h) * at->T + i0 + i), k.n, word);
        for (int64_t x = 0; x < k.n; x++) {
            REAL g = word[x] >= limit ? keep : 0;
            di[x] = si[x] * (g * di[x] - dot);
            si[x] *= g;
        }
    }
    BLAS_GEMM(CblasRowMajor, CblasTrans, CblasNoTrans, (int)k.n, (int)Dh, (int)m, 1, s, (int)k.n,
              d_o, (int)at->ldo, 1, j->dv + k.first * at->ldv + col, (int)at->ldv);
    BLAS_GEMM(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)m, (int)Dh, (int)k.n, (REAL)at->scale,
              dp, (int)k.n, key, (int)at->ldk, 0, j->dq + row * at->ldq + col, (int)at->ldq);
    BLAS_GEMM(CblasRowMajor, CblasTrans, CblasNoTrans, (int)k.n, (int)Dh, (int)m, (REAL)at->scale,
              dp, (int)k.n, q, (int)at->ldq, 1, j->dk + k.first * at->ldk + col, (int)at->ldk);
}

static grn_status attn_bwd_run(void *ctx, size_t begin, size_t end, int worker)
{
    const attn_job_t *j = ctx;
    const grn_attn_t *at = j->at;
    size_t n_word = drop_on(&at->drop) ? drop_words_n(at->K) : 0;
    void *p;
    grn_status rc =
        grn_cpu_scratch(j->cpu, worker,
                        (size_t)(2 * QUERY_TILE * at->K) * sizeof(REAL) + n_word * sizeof(uint32_t),
                        1, &p);
    if (rc) return rc;
    uint32_t *word = p;
    REAL *s = (REAL *)(void *)(word + n_word), *dp = s + QUERY_TILE * at->K;
    for (size_t t = begin; t < end; t++) {
        int64_t b = (int64_t)t / at->H, h = (int64_t)t % at->H, col = h * at->Dh;
        span_t q = attn_span(b, at->T, at->q_len, at->q_off),
               k = attn_span(b, at->K, at->k_len, at->k_off);
        int64_t zero_from = k.n ? q.n : 0;
        zero_rows(j->dq + col, at->ldq, q.first + zero_from, q.n + q.pad - zero_from, at->Dh);
        zero_rows(j->dk + col, at->ldk, k.first, k.n + k.pad, at->Dh);
        zero_rows(j->dv + col, at->ldv, k.first, k.n + k.pad, at->Dh);
        for (int64_t i0 = 0; k.n && i0 < q.n; i0 += QUERY_TILE)
            attn_bwd_tile(j, b, h, k, q.first + i0, i0,
                          q.n - i0 < QUERY_TILE ? q.n - i0 : QUERY_TILE, s, dp, word);
    }
    return GRN_OK;
}

static grn_status op_attn_bwd(void *ctx, const grn_attn_t *at, const grn_real_t *q,
                              const grn_real_t *k, const grn_real_t *v, const grn_real_t *o,
                              const grn_real_t *lse, const grn_real_t *d_o, grn_real_t *dq,
                              grn_real_t *dk, grn_real_t *dv)
{
    grn_cpu_t *cpu = ctx;
    attn_job_t j = { .cpu = cpu,
                     .at = at,
                     .q = RO(q),
                     .k = RO(k),
                     .v = RO(v),
                     .o = RO(o),
                     .lse = RO(lse),
                     .d_o = RO(d_o),
                     .dq = RW(dq),
                     .dk = RW(dk),
                     .dv = RW(dv) };
    grn_status rc = attn_check(at);
    return rc ? rc : grn_par_for(cpu->pool, (size_t)(at->B * at->H), 1, attn_bwd_run, &j);
}

/* One cell: heads in order, so that the key masses are summed in one order. */
static grn_status attn_probs_run(void *ctx, size_t begin, size_t end, int worker)
{
    const attn_job_t *j = ctx;
    const grn_attn_t *at = j->at;
    void *p;
    size_t n_real = (size_t)(QUERY_TILE * at->K);
    grn_status rc = grn_cpu_scratch(j->cpu, worker,
                                    n_real * sizeof(REAL) + (size_t)at->K * sizeof(double), 1, &p);
    if (rc) return rc;
    double *mass = p;
    REAL *s = (REAL *)(void *)(mass + at->K);
    for (size_t t = begin; t < end; t++) {
        int64_t b = (int64_t)t, used = 0;
        span_t q = attn_span(b, at->T, at->q_len, at->q_off),
               k = attn_span(b, at->K, at->k_len, at->k_off);
        for (int64_t x = 0; x < k.n; x++) mass[x] = 0;
        if (j->probs) zero_rows(j->probs, at->K, b * at->H * at->T, at->H * at->T, at->K);
        for (int64_t h = 0; h < at->H && k.n; h++)
            for (int64_t i0 = 0; i0 < q.n; i0 += QUERY_TILE) {
                int64_t m = q.n - i0 < QUERY_TILE ? q.n - i0 : QUERY_TILE, row = q.first + i0,
                        col = h * at->Dh;
                attn_scores(at, j->q + row * at->ldq + col, j->k + k.first * at->ldk + col, m, k.n,
                            s);
                for (int64_t i = 0; i < m; i++) {
                    REAL *si = s + i * k.n, lse = j->lse[(row + i) * at->H + h];
                    for (int64_t x = 0; x < k.n; x++) si[x] = R_EXP(si[x] - lse);
                    if (j->probs)
                        memcpy(j->probs + ((b * at->H + h) * at->T + i0 + i) * at->K, si,
                               (size_t)k.n * sizeof(REAL));
                    if (j->q_use && !j->q_use[row + i]) continue;
                    used++;
                    for (int64_t x = 0; x < k.n; x++) mass[x] += (double)si[x];
                }
            }
        for (int64_t x = 0; j->phi && x < k.n; x++)
            j->phi[k.first + x] = used ? (REAL)(mass[x] / (double)used) : 0;
        if (j->phi) zero_rows(j->phi, 1, k.first + k.n, k.pad, 1);
    }
    return GRN_OK;
}

static grn_status op_attn_probs(void *ctx, const grn_attn_t *at, const grn_real_t *q,
                                const grn_real_t *k, const grn_real_t *lse, const uint8_t *q_use,
                                grn_real_t *phi, grn_real_t *probs)
{
    grn_cpu_t *cpu = ctx;
    attn_job_t j = { .cpu = cpu,
                     .at = at,
                     .q = RO(q),
                     .k = RO(k),
                     .lse = RO(lse),
                     .q_use = q_use,
                     .phi = RW(phi),
                     .probs = RW(probs) };
    grn_status rc = attn_check(at);
    return rc ? rc : grn_par_for(cpu->pool, (size_t)at->B, 1, attn_probs_run, &j);
}
