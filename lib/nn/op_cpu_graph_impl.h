/* Part of op_cpu_impl.h: tables and graphs, that is, everything that gathers rows by id. */

typedef struct {
    int64_t M, D, V, ldx, ldo;
    double beta;
    const REAL *x, *x2, *g; /* inputs */
    REAL *out, *out2;
    const int32_t *id;
    const int64_t *off, *t_off;
} rows_job_t;

/* out = beta out, or 0 without reading it. */
static void row_start(REAL *out, double beta, int64_t D)
{
    REAL b = (REAL)beta;
    if (beta == 0)
        for (int64_t d = 0; d < D; d++) out[d] = 0;
    else if (beta != 1)
        for (int64_t d = 0; d < D; d++) out[d] *= b;
}

static grn_status gather_run(void *ctx, size_t begin, size_t end, int worker)
{
    const rows_job_t *j = ctx;
    (void)worker;
    for (size_t m = begin; m < end; m++) {
        REAL *out = j->out + (int64_t)m * j->ldo;
        int32_t id = j->id[m];
        if (id >= j->V)
            return grn_err(GRN_EINVAL, "gather: id %d of a table of %lld rows", id,
                           (long long)j->V);
        row_start(out, j->beta, j->D);
        if (id < 0) continue;
        const REAL *x = j->x + id * j->D;
        for (int64_t d = 0; d < j->D; d++) out[d] += x[d];
    }
    return GRN_OK;
}

static grn_status op_gather(void *ctx, int64_t M, int64_t D, int64_t V, const grn_real_t *table,
                            const int32_t *id, double beta, grn_real_t *out, int64_t ldo)
{
    rows_job_t j = {
        .M = M, .D = D, .V = V, .ldo = ldo, .beta = beta, .x = RO(table), .out = RW(out), .id = id
    };
    CHECK_SIZES(M >= 0 && D >= 0 && V >= 0 && ldo >= D, "gather");
    return grn_par_for(((grn_cpu_t *)ctx)->pool, (size_t)M, GRAIN_ROW, gather_run, &j);
}

static grn_status scatter_run(void *ctx, size_t begin, size_t end, int worker)
{
    const rows_job_t *j = ctx;
    (void)worker;
    for (size_t v = begin; v < end; v++)
        for (int64_t e = j->off[v]; e < j->off[v + 1]; e++) {
            const REAL *x = j->x + j->t_off[e] * j->ldx;
            REAL *out = j->out + (int64_t)v * j->D;
            for (int64_t d = 0; d < j->D; d++) out[d] += x[d];
        }
    return GRN_OK;
}

/* Rows are first sorted by id with a stable counting sort: the rows of one id are then added by one
 * task, in order. */
static grn_status op_scatter_add(void *ctx, int64_t M, int64_t D, int64_t V, const grn_real_t *dout,
                                 int64_t ldo, const int32_t *id, grn_real_t *dtable)
{
    grn_cpu_t *cpu = ctx;
    void *p;
    CHECK_SIZES(M >= 0 && D >= 0 && V >= 0 && ldo >= D, "scatter_add");
    grn_status rc = grn_cpu_scratch(cpu, cpu->n_workers, (size_t)(V + 2 + M), sizeof(int64_t), &p);
    if (rc) return rc;
    int64_t *start = p,
            *row = start + V +
                   2; /* start[v + 1] is the write position of v while sorting, then the end of v */
    for (int64_t v = 0; v < V + 2; v++) start[v] = 0;
    for (int64_t m = 0; m < M; m++) {
        if (id[m] >= V)
            return grn_err(GRN_EINVAL, "scatter_add: id %d of a table of %lld rows", id[m],
                           (long long)V);
        if (id[m] >= 0) start[id[m] + 2]++;
    }
    for (int64_t v = 0; v < V; v++) start[v + 2] += start[v + 1];
    for (int64_t m = 0; m < M; m++)
        if (id[m] >= 0) row[start[id[m] + 1]++] = m;
    rows_job_t j = {
        .D = D, .ldx = ldo, .x = RO(dout), .out = RW(dtable), .off = start, .t_off = row
    };
    return grn_par_for(cpu->pool, (size_t)V, 256, scatter_run, &j);
}

static grn_status gather_mean_run(void *ctx, size_t begin, size_t end, int worker)
{
    const rows_job_t *j = ctx;
    int64_t D = j->D;
    (void)worker;
    for (size_t m = begin; m < end; m++) {
        REAL *out = j->out + (int64_t)m * j->ldo;
        int64_t e0 = j->off[m], e1 = j->off[m + 1];
        REAL w = e1 > e0 ? (REAL)(1.0 / (double)(e1 - e0)) : 0;
        row_start(out, j->beta, D);
        for (int64_t e = e0; e < e1; e++) {
            if (j->id[e] < 0 || j->id[e] >= j->V)
                return grn_err(GRN_EINVAL, "gather_mean: id %d of %lld rows", j->id[e],
                               (long long)j->V);
            const REAL *y = j->x + j->id[e] * j->ldx;
            for (int64_t d = 0; d < D; d++) out[d] += w * y[d];
        }
    }
    return GRN_OK;
}

static grn_status op_gather_mean(void *ctx, int64_t M, int64_t D, int64_t V, const int64_t *off,
                                 const int32_t *idx, const grn_real_t *y, int64_t ldy, double beta,
                                 grn_real_t *out, int64_t ldo)
{
    rows_job_t j = { .M = M,
                     .D = D,
                     .V = V,
                     .ldx = ldy,
                     .ldo = ldo,
                     .beta = beta,
                     .x = RO(y),
                     .out = RW(out),
                     .id = idx,
                     .off = off };
    CHECK_SIZES(M >= 0 && D >= 0 && V >= 0 && ldy >= D && ldo >= D, "gather_mean");
    return grn_par_for(((grn_cpu_t *)ctx)->pool, (size_t)M, GRAIN_ROW, gather_mean_run, &j);
}

static grn_status gather_mean_bwd_run(void *ctx, size_t begin, size_t end, int worker)
{
    const rows_job_t *j = ctx;
    int64_t D = j->D;
    (void)worker;
    for (size_t u = begin; u < end; u++) {
        REAL *dy = j->out + (int64_t)u * j->ldo;
        row_start(dy, j->beta, D);
        for (int64_t e = j->t_off[u]; e < j->t_off[u + 1]; e++) {
            int32_t r = j->id[e];
            if (r < 0 || r >= j->M)
                return grn_err(GRN_EINVAL, "gather_mean_bwd: row %d of %lld", r, (long long)j->M);
            const REAL *g = j->x + r * j->ldx;
            REAL w = (REAL)(1.0 / (double)(j->off[r + 1] - j->off[r]));
            for (int64_t d = 0; d < D; d++) dy[d] += w * g[d];
        }
    }
    return GRN_OK;
}

static grn_status op_gather_mean_bwd(void *ctx, int64_t M, int64_t D, int64_t V, const int64_t *off,
                                     const int64_t *t_off, const int32_t *t_idx,
                                     const grn_real_t *dout, int64_t ldo, double beta,
                                     grn_real_t *dy, int64_t ldy)
{
    rows_job_t j = { .M = M,
                     .D = D,
                     .V = V,
                     .ldx = ldo,
                     .ldo = ldy,
                     .beta = beta,
                     .x = RO(dout),
                     .out = RW(dy),
                     .id = t_idx,
                     .off = off,
                     .t_off = t_off };
    CHECK_SIZES(M >= 0 && D >= 0 && V >= 0 && ldy >= D && ldo >= D, "gather_mean_bwd");
    return grn_par_for(((grn_cpu_t *)ctx)->pool, (size_t)V, GRAIN_ROW, gather_mean_bwd_run, &j);
}

static grn_status row_dot_run(void *ctx, size_t begin, size_t end, int worker)
{
    const rows_job_t *j = ctx;
    (void)worker;
    for (size_t m = begin; m < end; m++)
        j->out[m] = (REAL)sum_dot(j->x + (int64_t)m * j->ldx, j->x2 + (int64_t)m * j->ldo, j->D);
    return GRN_OK;
}

static grn_status op_row_dot(void *ctx, int64_t M, int64_t D, const grn_real_t *a, int64_t lda,
                             const grn_real_t *b, int64_t ldb, grn_real_t *s)
{
    rows_job_t j = {
        .M = M, .D = D, .ldx = lda, .ldo = ldb, .x = RO(a), .x2 = RO(b), .out = RW(s)
    };
    CHECK_SIZES(M >= 0 && D >= 0 && lda >= D && ldb >= D, "row_dot");
    return grn_par_for(((grn_cpu_t *)ctx)->pool, (size_t)M, GRAIN_ROW, row_dot_run, &j);
}

static void row_scale_add(REAL *out, double beta, REAL g, const REAL *x, int64_t D)
{
    row_start(out, beta, D);
    for (int64_t d = 0; d < D; d++) out[d] += g * x[d];
}

static grn_status row_dot_bwd_run(void *ctx, size_t begin, size_t end, int worker)
{
    const rows_job_t *j = ctx;
    (void)worker;
    for (size_t m = begin; m < end; m++) {
        int64_t a = (int64_t)m * j->ldx, b = (int64_t)m * j->ldo;
        if (j->out) row_scale_add(j->out + a, j->beta, j->g[m], j->x2 + b, j->D);
        if (j->out2) row_scale_add(j->out2 + b, j->beta, j->g[m], j->x + a, j->D);
    }
    return GRN_OK;
}

static grn_status op_row_dot_bwd(void *ctx, int64_t M, int64_t D, const grn_real_t *a, int64_t lda,
                                 const grn_real_t *b, int64_t ldb, const grn_real_t *g, double beta,
                                 grn_real_t *da, grn_real_t *db)
{
    rows_job_t j = { .M = M,
                     .D = D,
                     .ldx = lda,
                     .ldo = ldb,
                     .beta = beta,
                     .x = RO(a),
                     .x2 = RO(b),
                     .g = RO(g),
                     .out = RW(da),
                     .out2 = RW(db) };
    CHECK_SIZES(M >= 0 && D >= 0 && lda >= D && ldb >= D, "row_dot_bwd");
    return grn_par_for(((grn_cpu_t *)ctx)->pool, (size_t)M, GRAIN_ROW, row_dot_bwd_run, &j);
}
