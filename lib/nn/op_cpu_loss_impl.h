/* Part of op_cpu_impl.h: losses. Sums are doubles per block of GRAIN_LOSS numbers (rows for ce),
 * added in block order. */

enum { GRAIN_LOSS = 8192, GRAIN_CE = 64 };

typedef struct {
    int64_t N;
    const REAL *x, *y, *w;
    const int32_t *label;
    REAL *dx, *lse;
    double scale, *part; /* part (blocks, 2) */
} loss_job_t;

static grn_status loss_sum(grn_cpu_t *cpu, int64_t n, size_t grain, grn_par_fn fn, loss_job_t *j,
                           double *stat)
{
    int64_t blocks = div_up(n, (int64_t)grain);
    void *p;
    grn_status rc = grn_cpu_scratch(cpu, cpu->n_workers, (size_t)blocks * 2, sizeof(double), &p);
    if (rc) return rc;
    j->part = p;
    rc = grn_par_for(cpu->pool, (size_t)n, grain, fn, j);
    if (rc) return rc;
    stat[0] = stat[1] = 0;
    for (int64_t t = 0; t < blocks; t++) {
        stat[0] += j->part[2 * t];
        stat[1] += j->part[2 * t + 1];
    }
    return GRN_OK;
}

/* scale / sum of weights, 0 when there is none. */
static double loss_scale(const double *stat, double scale)
{
    return stat[1] != 0 ? scale / stat[1] : 0;
}

static grn_status mse_run(void *ctx, size_t begin, size_t end, int worker)
{
    const loss_job_t *j = ctx;
    double *s = j->part + 2 * (begin / GRAIN_LOSS), sum = 0, weight = 0;
    (void)worker;
    for (size_t i = begin; i < end; i++) {
        double w = j->w ? (double)j->w[i] : 1, d;
        if (w == 0) continue;
        d = (double)j->x[i] - (double)j->y[i];
        sum += w * d * d;
        weight += w;
    }
    s[0] = sum;
    s[1] = weight;
    return GRN_OK;
}

static grn_status op_mse(void *ctx, int64_t n, const grn_real_t *x, const grn_real_t *target,
                         const grn_real_t *w, double *stat)
{
    loss_job_t j = { .x = RO(x), .y = RO(target), .w = RO(w) };
    CHECK_SIZES(n >= 0, "mse");
    return loss_sum(ctx, n, GRAIN_LOSS, mse_run, &j, stat);
}

static grn_status mse_bwd_run(void *ctx, size_t begin, size_t end, int worker)
{
    const loss_job_t *j = ctx;
    (void)worker;
    for (size_t i = begin; i < end; i++) {
        double w = j->w ? (double)j->w[i] : 1;
        j->dx[i] = w != 0 ? (REAL)(2 * j->scale * w * ((double)j->x[i] - (double)j->y[i])) : 0;
    }
    return GRN_OK;
}

static grn_status op_mse_bwd(void *ctx, int64_t n, const grn_real_t *x, const grn_real_t *target,
                             const grn_real_t *w, const double *stat, double scale, grn_real_t *dx)
{
    loss_job_t j = {
        .x = RO(x), .y = RO(target), .w = RO(w), .dx = RW(dx), .scale = loss_scale(stat, scale)
    };
    CHECK_SIZES(n >= 0, "mse_bwd");
    return grn_par_for(((grn_cpu_t *)ctx)->pool, (size_t)n, GRAIN_LOSS, mse_bwd_run, &j);
}

static grn_status bce_run(void *ctx, size_t begin, size_t end, int worker)
{
    const loss_job_t *j = ctx;
    double *s = j->part + 2 * (begin / GRAIN_LOSS), sum = 0, weight = 0;
    (void)worker;
    for (size_t i = begin; i < end; i++) {
        double w = j->w ? (double)j->w[i] : 1, x;
        if (w == 0) continue;
        x = (double)j->x[i];
        sum += w * ((x > 0 ? x : 0) - x * (double)j->y[i] + log1p(exp(-fabs(x))));
        weight += w;
    }
    s[0] = sum;
    s[1] = weight;
    return GRN_OK;
}

static grn_status op_bce(void *ctx, int64_t n, const grn_real_t *x, const grn_real_t *y,
                         const grn_real_t *w, double *stat)
{
    loss_job_t j = { .x = RO(x), .y = RO(y), .w = RO(w) };
    CHECK_SIZES(n >= 0, "bce");
    return loss_sum(ctx, n, GRAIN_LOSS, bce_run, &j, stat);
}

static grn_status bce_bwd_run(void *ctx, size_t begin, size_t end, int worker)
{
    const loss_job_t *j = ctx;
    (void)worker;
    for (size_t i = begin; i < end; i++) {
        double w = j->w ? (double)j->w[i] : 1;
        j->dx[i] =
            w != 0 ? (REAL)(j->scale * w * (1 / (1 + exp(-(double)j->x[i])) - (double)j->y[i])) : 0;
    }
    return GRN_OK;
}

static grn_status op_bce_bwd(void *ctx, int64_t n, const grn_real_t *x, const grn_real_t *y,
                             const grn_real_t *w, const double *stat, double scale, grn_real_t *dx)
{
    loss_job_t j = {
        .x = RO(x), .y = RO(y), .w = RO(w), .dx = RW(dx), .scale = loss_scale(stat, scale)
    };
    CHECK_SIZES(n >= 0, "bce_bwd");
    return grn_par_for(((grn_cpu_t *)ctx)->pool, (size_t)n, GRAIN_LOSS, bce_bwd_run, &j);
}

static grn_status ce_run(void *ctx, size_t begin, size_t end, int worker)
{
    const loss_job_t *j = ctx;
    double *s = j->part + 2 * (begin / GRAIN_CE), sum = 0, weight = 0;
    (void)worker;
    for (size_t m = begin; m < end; m++) {
        const REAL *x = j->x + (int64_t)m * j->N;
        double a[LANES] = { 0 }, top = (double)max_of(x, j->N);
        for (int64_t i = 0; i < j->N; i++) a[i % LANES] += exp((double)x[i] - top);
        double lse = top + log(fold(a));
        j->lse[m] = (REAL)lse;
        if (j->label[m] >= j->N)
            return grn_err(GRN_EINVAL, "ce: class %d of %lld", j->label[m], (long long)j->N);
        if (j->label[m] < 0) continue;
        sum += lse - (double)x[j->label[m]];
        weight += 1;
    }
    s[0] = sum;
    s[1] = weight;
    return GRN_OK;
}

static grn_status op_ce(void *ctx, int64_t M, int64_t N, const grn_real_t *x, const int32_t *label,
                        grn_real_t *lse, double *stat)
{
    loss_job_t j = { .N = N, .x = RO(x), .label = label, .lse = RW(lse) };
    CHECK_SIZES(M >= 0 && N >= 1, "ce");
    return loss_sum(ctx, M, GRAIN_CE, ce_run, &j, stat);
}

static grn_status ce_bwd_run(void *ctx, size_t begin, size_t end, int worker)
{
    const loss_job_t *j = ctx;
    (void)worker;
    for (size_t m = begin; m < end; m++) {
        const REAL *x = j->x + (int64_t)m * j->N;
        REAL *dx = j->dx + (int64_t)m * j->N;
        double scale = j->label[m] < 0 ? 0 : j->scale;
        for (int64_t i = 0; i < j->N; i++)
            dx[i] = (REAL)(scale * (exp((double)x[i] - (double)j->y[m]) - (i == j->label[m])));
    }
    return GRN_OK;
}

static grn_status op_ce_bwd(void *ctx, int64_t M, int64_t N, const grn_real_t *x,
                            const int32_t *label, const grn_real_t *lse, const double *stat,
                            double scale, grn_real_t *dx)
{
    loss_job_t j = { .N = N,
                     .x = RO(x),
                     .y = RO(lse),
                     .label = label,
                     .dx = RW(dx),
                     .scale = loss_scale(stat, scale) };
    CHECK_SIZES(M >= 0 && N >= 1, "ce_bwd");
    return grn_par_for(((grn_cpu_t *)ctx)->pool, (size_t)M, GRAIN_CE, ce_bwd_run, &j);
}
