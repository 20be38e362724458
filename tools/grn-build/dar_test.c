/* The tests: regions in blocks, each region once for all contrasts. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "dar.h"
#include "stat/fdr.h"
#include "stat/moderated.h"

#define REGIONS_PER_BLOCK 4096
#define CELLS_PER_STRIP 2048
#define LOGNORM 1e4    /* scale of the normalised accessibility that highly variable regions are found in */
#define PRIOR_COUNT 2.0 /* of a sample of mean size */

/* ---- values of one region ---- */

typedef struct {
    uint32_t region;
    size_t slot;        /* place in the block */
    size_t n_nz;        /* counts: cells with a count; model: all cells */
    const uint32_t *at; /* counts: those cells, ascending; model: NULL */
    const float *raw;   /* counts: the counts; model: NULL */
} view_t;

typedef struct { /* of one worker */
    float *value;
    size_t cap;
    double *mean, *unit, *y; /* (L), (units), (2 D) */
    grn_ranksum_scratch_t rank;
    grn_ranksum_t *u;        /* (contrasts) */
} scratch_t;

typedef struct job_s job_t;
struct job_s {
    grn_dar_t *d;
    grn_dar_contrasts_t *cs;
    grn_contrast_t *ranked; /* contrasts tested by rank sums */
    size_t n_ranked, n_scratch;
    scratch_t *scratch;
    double *col_total; /* (C) compat: total of the scaled, truncated values */
    double *mean, *var; /* (R) normalised accessibility, for highly variable regions */
    grn_dar_row_t *row; /* (block, contrasts) */
    const uint32_t *cols; /* regions of the call */
    const grn_colblock_t *block;
    size_t first, offset; /* of this block within cols, and within the counts that were read */
    grn_status (*region)(job_t *j, const view_t *x, scratch_t *w);
};

static void scratch_clear(job_t *j)
{
    for (size_t i = 0; i < j->n_scratch; i++) {
        scratch_t *w = &j->scratch[i];
        free(w->value);
        free(w->mean);
        free(w->unit);
        free(w->y);
        free(w->u);
        grn_ranksum_clear(&w->rank);
    }
    free(j->scratch);
}

static grn_status scratch_init(job_t *j)
{
    grn_status rc = GRN_OK;
    const grn_dar_t *d = j->d;
    size_t n = (size_t)grn_par_n(d->pool);
    GRN_TRY(GRN_NEW(j->scratch, n));
    j->n_scratch = n;
    for (size_t i = 0; i < n; i++) {
        scratch_t *w = &j->scratch[i];
        GRN_TRY(GRN_NEW(w->mean, d->L));
        GRN_TRY(GRN_NEW(w->unit, d->n_units));
        GRN_TRY(GRN_NEW(w->y, 2 * d->donors.n));
        GRN_TRY(GRN_NEW(w->u, j->cs->n));
    }
end:
    return rc;
}

/* The same bits as grn_lowrank_of_region: sums in float32, k ascending; here many cells at a time. */
static void model_values(const grn_dar_t *d, uint32_t r, float *out)
{
    const float *phi = d->low.phi + (size_t)r * d->low.K;
    for (size_t c = 0; c < d->C; c += CELLS_PER_STRIP) {
        size_t n = d->C - c < CELLS_PER_STRIP ? d->C - c : CELLS_PER_STRIP;
        float *o = out + c;
        memset(o, 0, n * sizeof *o);
        for (size_t k = 0; k < d->low.K; k++) {
            const float *t = d->theta_t + k * d->C + c;
            float x = phi[k];
            for (size_t i = 0; i < n; i++) o[i] += x * t[i];
        }
    }
    if (d->opt->compat) /* a model only: counts are never truncated */
        for (size_t i = 0; i < d->C; i++) out[i] = truncf(out[i] * (float)d->scale);
}

/* w->value = what is ranked: shares of the cell's counts, or the model's accessibility. */
static grn_status fill_values(const grn_dar_t *d, const view_t *x, scratch_t *w)
{
    if (GRN_GROW(w->value, w->cap, x->n_nz + 1)) return GRN_ENOMEM;
    if (!d->is_counts) model_values(d, x->region, w->value);
    else
        for (size_t k = 0; k < x->n_nz; k++) w->value[k] = (float)(x->raw[k] / d->total[x->at[k]]);
    return GRN_OK;
}

/* w->mean = mean accessibility of the region in each level: of a model from the levels' mean theta. */
static grn_status level_means(const grn_dar_t *d, const view_t *x, scratch_t *w)
{
    grn_status rc = GRN_OK;
    size_t K = d->low.K;
    memset(w->mean, 0, d->L * sizeof *w->mean);
    if (d->is_counts) {
        for (size_t k = 0; k < x->n_nz; k++) w->mean[d->code[x->at[k]]] += x->raw[k] / d->total[x->at[k]];
    } else if (d->opt->compat) {
        GRN_TRY(fill_values(d, x, w));
        for (size_t i = 0; i < d->C; i++) w->mean[d->code[i]] += w->value[i];
    }
    for (size_t l = 0; l < d->L; l++) {
        if (d->is_counts || d->opt->compat) w->mean[l] /= (double)d->n_level[l];
        else
            for (size_t k = 0; k < K; k++) w->mean[l] += d->low.phi[x->region * K + k] * d->mean_theta[l * K + k];
    }
end:
    return rc;
}

static double side_mean(const grn_dar_t *d, const grn_contrast_t *c, const double *mean)
{
    double sum = 0, n = 0;
    if (c->b >= 0) return mean[c->b];
    for (size_t l = 0; l < d->L; l++) {
        if ((int32_t)l == c->a) continue;
        sum += mean[l] * (double)d->n_level[l];
        n += (double)d->n_level[l];
    }
    return sum / n;
}

/* ---- blocks of regions ---- */

static grn_status work(void *ctx, size_t begin, size_t end, int worker)
{
    grn_status rc = GRN_OK;
    job_t *j = ctx;
    for (size_t i = begin; i < end; i++) {
        view_t x = { .region = j->cols[j->first + i], .slot = i, .n_nz = j->d->C };
        if (j->d->is_counts) {
            const grn_colblock_t *b = j->block;
            size_t at = b->off[j->offset + i];
            x.n_nz = b->off[j->offset + i + 1] - at;
            x.at = b->idx + at;
            x.raw = b->val + at;
        }
        GRN_TRY(j->region(j, &x, &j->scratch[worker]));
    }
    grn_progress_add(end - begin);
end:
    return rc;
}

/* Moves the rows of a block that are to be kept (region != UINT32_MAX) to their contrasts, in region order. */
static grn_status collect(job_t *j, size_t n)
{
    grn_status rc = GRN_OK;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < j->cs->n; k++) {
            const grn_dar_row_t *x = &j->row[i * j->cs->n + k];
            grn_dar_contrast_t *c = &j->cs->v[k];
            if (x->region == UINT32_MAX) continue;
            GRN_TRY(GRN_GROW(c->row, c->cap, c->n_rows + 1));
            c->row[c->n_rows++] = *x;
        }
end:
    return rc;
}

/* Calls `region` for n regions, in parallel; with rows, collects them. Counts are read in as few passes as the budget allows. */
static grn_status each_region(job_t *j, const uint32_t *cols, size_t n, grn_status (*region)(job_t *, const view_t *, scratch_t *),
                              const char *unit)
{
    grn_status rc = GRN_OK;
    grn_dar_t *d = j->d;
    grn_colblock_t block = { 0 };
    j->cols = cols;
    j->region = region;
    j->block = &block;
    grn_progress_begin(n, unit);
    for (size_t at = 0, step; at < n; at += step) {
        step = d->is_counts ? grn_colblock_fit(&d->counts, cols, at, n, d->opt->budget) : n;
        if (d->is_counts) GRN_TRY(grn_colblock_gather(&d->counts, cols + at, step, d->pool, &block));
        for (size_t i = 0; i < step; i += REGIONS_PER_BLOCK) {
            size_t m = step - i < REGIONS_PER_BLOCK ? step - i : REGIONS_PER_BLOCK;
            j->first = at + i;
            j->offset = i;
            GRN_TRY(grn_par_for(d->pool, m, 16, work, j));
            if (j->row) GRN_TRY(collect(j, m));
        }
        grn_colblock_clear(&block);
    }
end:
    grn_progress_end();
    grn_colblock_clear(&block);
    return rc;
}

/* ---- highly variable regions ---- */

/* Mean and population variance of the accessibility times 10,000; counts, and all with --compat: of log(1 + that). */
static grn_status moments(job_t *j, const view_t *x, scratch_t *w)
{
    grn_status rc = GRN_OK;
    const grn_dar_t *d = j->d;
    size_t K = d->low.K;
    double sum = 0, dev = 0, mean, n = (double)d->C;
    if (!d->is_counts && !d->opt->compat) {
        const float *phi = d->low.phi + x->region * K;
        for (size_t l = 0; l < d->L; l++)
            for (size_t k = 0; k < K; k++) sum += phi[k] * d->mean_theta[l * K + k] * (double)d->n_level[l];
        for (size_t k = 0; k < K; k++)
            for (size_t m = 0; m < K; m++) dev += (double)phi[k] * (double)phi[m] * d->cov[k * K + m];
        j->mean[x->region] = LOGNORM * sum / n;
        j->var[x->region] = fmax(0, LOGNORM * LOGNORM * dev);
        return GRN_OK;
    }
    GRN_TRY(fill_values(d, x, w));
    for (size_t k = 0; k < x->n_nz; k++) {
        double share = d->is_counts ? w->value[k] : j->col_total[k] > 0 ? w->value[k] / j->col_total[k] : 0;
        w->value[k] = (float)log1p(share * LOGNORM);
        sum += w->value[k];
    }
    mean = sum / n;
    for (size_t k = 0; k < x->n_nz; k++) dev += (w->value[k] - mean) * (w->value[k] - mean);
    dev += (n - (double)x->n_nz) * mean * mean;
    j->mean[x->region] = mean;
    j->var[x->region] = dev / n;
end:
    return rc;
}

static grn_status sum_truncated(void *ctx, size_t begin, size_t end, int worker)
{
    job_t *j = ctx;
    const grn_dar_t *d = j->d;
    size_t K = d->low.K;
    (void)worker;
    for (size_t c = begin; c < end; c++) {
        double sum = 0;
        for (size_t r = 0; r < d->R; r++) {
            float x = 0;
            for (size_t k = 0; k < K; k++) x += d->theta_t[k * d->C + c] * d->low.phi[r * K + k];
            sum += truncf(x * (float)d->scale);
        }
        j->col_total[c] = sum;
    }
    return GRN_OK;
}

/* Leaves the highly variable of cols[0..*n). Regions that are zero everywhere have no part in the bins. */
static grn_status keep_variable(job_t *j, uint32_t *cols, size_t *n)
{
    grn_status rc = GRN_OK;
    grn_dar_t *d = j->d;
    double *mean = NULL, *var = NULL;
    uint8_t *keep = NULL;
    size_t n_kept, m = 0, was = *n;
    GRN_TRY(GRN_NEW(j->mean, d->R));
    GRN_TRY(GRN_NEW(j->var, d->R));
    if (!d->is_counts && d->opt->compat) {
        GRN_TRY(GRN_NEW(j->col_total, d->C));
        GRN_TRY(grn_par_for(d->pool, d->C, 16, sum_truncated, j));
    }
    GRN_TRY(each_region(j, cols, *n, moments, "regions for their variability"));
    GRN_TRY(GRN_NEW_RAW(mean, *n));
    GRN_TRY(GRN_NEW_RAW(var, *n));
    GRN_TRY(GRN_NEW(keep, *n));
    for (size_t i = 0; i < *n; i++) {
        uint32_t r = cols[i];
        if (j->mean[r] == 0 && j->var[r] == 0) continue;
        cols[m] = r;
        mean[m] = j->mean[r];
        var[m++] = j->var[r];
    }
    GRN_TRY(grn_dar_variable(mean, var, m, keep, &n_kept));
    *n = 0;
    for (size_t i = 0; i < m; i++)
        if (keep[i]) cols[(*n)++] = cols[i];
    grn_log_info("highly variable regions: %zu of %zu", *n, was);
end:
    free(mean);
    free(var);
    free(keep);
    return rc;
}

/* ---- one region in all contrasts ---- */

static void unit_sums(const grn_dar_t *d, const view_t *x, double *unit)
{
    size_t K = d->low.K;
    memset(unit, 0, d->n_units * sizeof *unit);
    if (d->is_counts) {
        for (size_t k = 0; k < x->n_nz; k++) {
            uint32_t c = x->at[k];
            if (d->donor[c] >= 0) unit[(size_t)d->donor[c] * d->L + (size_t)d->code[c]] += x->raw[k];
        }
        return;
    }
    for (size_t u = 0; u < d->n_units; u++)
        for (size_t k = 0; k < K; k++) unit[u] += d->low.phi[x->region * K + k] * d->unit_theta[u * K + k];
}

/* Log2 counts per million of each sample into y; returns samples with at least min_count. The prior count is in proportion to the
 * size of the sample (as edgeR's cpm does), so that samples of unequal size do not differ in regions without counts. */
static size_t sample_values(const grn_dar_t *d, const grn_dar_contrast_t *c, const double *unit, double *y)
{
    size_t n_enough = 0, m = c->m_a + c->m_b;
    double mean_size = 0;
    for (size_t i = 0; i < m; i++) mean_size += c->size[i] / (double)m;
    for (size_t i = 0; i < m; i++) {
        const double *u = unit + c->sample[i] * d->L;
        double count = 0, prior = PRIOR_COUNT * c->size[i] / mean_size;
        int32_t one = i < c->m_a ? c->side.a : c->side.b;
        for (size_t l = 0; l < d->L; l++)
            if (one >= 0 ? (int32_t)l == one : (int32_t)l != c->side.a) count += u[l];
        n_enough += count >= d->opt->min_count;
        y[i] = log2((count + prior) / (c->size[i] + 2 * prior) * 1e6);
    }
    return n_enough;
}

/* Difference of two means, residual variance, mean: of pairs when paired, else of two samples. */
static void fit_samples(const grn_dar_contrast_t *c, const double *y, grn_dar_row_t *x)
{
    size_t a = c->m_a, b = c->m_b, n = a + b;
    double sum_a = 0, sum_b = 0, dev = 0, wins = 0;
    for (size_t i = 0; i < a; i++) sum_a += y[i];
    for (size_t i = a; i < n; i++) sum_b += y[i];
    double mean_a = sum_a / (double)a, mean_b = sum_b / (double)b, diff = mean_a - mean_b;
    for (size_t i = 0; i < n; i++) {
        double e = c->paired ? (i < a ? (y[i] - y[a + i] - diff) * M_SQRT1_2 : 0) : y[i] - (i < a ? mean_a : mean_b);
        dev += e * e;
    }
    for (size_t i = 0; i < a; i++)
        for (size_t k = a; k < n; k++) wins += y[i] > y[k] ? 1 : y[i] == y[k] ? 0.5 : 0;
    x->log2fc = diff;
    x->s2 = dev / (double)(c->paired ? a - 1 : n - 2);
    x->abundance = (sum_a + sum_b) / (double)n;
    x->auroc = wins / (double)(a * b);
    x->capped = 0;
}

static grn_status test_region(job_t *j, const view_t *x, scratch_t *w)
{
    grn_status rc = GRN_OK;
    const grn_dar_t *d = j->d;
    const grn_dar_opt_t *o = d->opt;
    grn_dar_row_t *row = j->row + x->slot * j->cs->n;
    int rank = 0, q = 0;
    GRN_TRY(level_means(d, x, w));
    if (j->n_ranked < j->cs->n) unit_sums(d, x, w->unit);
    for (size_t k = 0; k < j->cs->n; k++) {
        const grn_dar_contrast_t *c = &j->cs->v[k];
        grn_dar_row_t *y = &row[k];
        *y = (grn_dar_row_t){ .region = x->region, .next = -1, .marker = NAN, .tau = NAN };
        y->mean_a = w->mean[c->side.a];
        y->mean_b = side_mean(d, &c->side, w->mean);
        y->log2fc = grn_dar_log2fc(y->mean_a, y->mean_b, &y->capped);
        if (c->side.b < 0)
            grn_dar_specificity(w->mean, d->L, (size_t)c->side.a, 0.1 * d->mean_all * d->scale, &y->marker, &y->tau, &y->next);
        if (c->pseudobulk) {
            if (sample_values(d, c, w->unit, w->y) < (c->m_a < c->m_b ? c->m_a : c->m_b)) y->region = UINT32_MAX;
            else fit_samples(c, w->y, y);
            continue;
        }
        int passes = y->log2fc >= o->min_log2fc || o->all || o->compat;
        if (!passes) y->region = UINT32_MAX;
        rank |= passes || !o->prefilter;
    }
    if (!rank || !j->n_ranked) return GRN_OK;
    if (d->is_counts || !o->compat) GRN_TRY(fill_values(d, x, w)); /* else level_means did */
    GRN_TRY(grn_ranksum(&w->rank, w->value, x->at, x->n_nz, d->C, d->code, d->n_level, d->L, j->ranked, j->n_ranked, w->u));
    for (size_t k = 0; k < j->cs->n; k++) {
        const grn_dar_contrast_t *c = &j->cs->v[k];
        if (c->pseudobulk) continue;
        const grn_ranksum_t *u = &w->u[q++];
        double n_a = (double)c->n_a, n_b = (double)c->n_b;
        row[k].statistic = grn_ranksum_z(u->u, n_a, n_b, o->compat ? 0 : u->ties);
        row[k].log10p = grn_normal_log_p(row[k].statistic) / M_LN10;
        row[k].auroc = u->u / (n_a * n_b);
    }
end:
    return rc;
}

/* ---- p values of all regions ---- */

static grn_status moderate(grn_dar_contrast_t *c)
{
    grn_status rc = GRN_OK;
    size_t n = c->n_rows;
    double *s2 = NULL, *x = NULL, *s02 = NULL, d0, d = (double)(c->paired ? c->m_a - 1 : c->m_a + c->m_b - 2);
    double unscaled = sqrt(c->paired ? 2 / (double)c->m_a : 1 / (double)c->m_a + 1 / (double)c->m_b);
    c->n_tested = n;
    if (!n) return GRN_OK;
    GRN_TRY(GRN_NEW_RAW(s2, n));
    GRN_TRY(GRN_NEW_RAW(x, n));
    GRN_TRY(GRN_NEW_RAW(s02, n));
    for (size_t i = 0; i < n; i++) {
        s2[i] = c->row[i].s2;
        x[i] = c->row[i].abundance;
    }
    rc = grn_moderated_prior(s2, x, n, d, &d0, s02);
    if (rc == GRN_EINVAL) GRN_FAIL(rc, "%s: the samples of a side do not differ at all in any region", c->name);
    if (rc) goto end;
    double df = fmin(d + d0, d * (double)n);
    for (size_t i = 0; i < n; i++) {
        grn_dar_row_t *r = &c->row[i];
        r->statistic = r->log2fc / (sqrt(grn_moderated_variance(s2[i], d, s02[i], d0)) * unscaled);
        r->log10p = grn_t_log_p(r->statistic, df) / M_LN10;
    }
    grn_log_info("%s: %zu %s, %g residual and %.4g prior degrees of freedom", c->name, c->paired ? c->m_a : c->m_a + c->m_b,
                 c->paired ? "pairs of samples" : "samples", d, d0);
end:
    free(s2);
    free(x);
    free(s02);
    return rc;
}

static double compat_fold(const grn_dar_row_t *x, const grn_dar_opt_t *o)
{
    return o->compat ? x->log2fc : -x->log10p;
}

static int compare_rows(const void *a, const void *b, void *ctx)
{
    const grn_dar_row_t *x = a, *y = b;
    const grn_dar_opt_t *o = ctx;
    int px = x->q <= o->max_adj_p && x->log2fc >= o->min_log2fc, py = y->q <= o->max_adj_p && y->log2fc >= o->min_log2fc;
    double kx = compat_fold(x, o), ky = compat_fold(y, o);
    if (px != py) return py - px;
    if (kx != ky) return kx > ky ? -1 : 1;
    if (x->log2fc != y->log2fc) return x->log2fc > y->log2fc ? -1 : 1;
    return (x->region > y->region) - (x->region < y->region);
}

/* Adjusted p. Rank sums: a region whose fold change does not pass counts as a test with p = 1, so that it need not be ranked, and
 * a p that is too small among those is never made up for. Pseudobulk and --compat: all p as they are. */
static grn_status finish(const grn_dar_t *d, grn_dar_contrast_t *c)
{
    grn_status rc = GRN_OK;
    const grn_dar_opt_t *o = d->opt;
    double *p = NULL;
    int plain = c->pseudobulk || o->compat;
    if (c->pseudobulk) GRN_TRY(moderate(c));
    GRN_TRY(GRN_NEW_RAW(p, c->n_rows));
    for (size_t i = 0; i < c->n_rows; i++) {
        grn_dar_row_t *r = &c->row[i];
        r->p = fmin(1, pow(10, r->log10p));
        p[i] = plain || r->log2fc >= o->min_log2fc ? r->p : 1;
    }
    GRN_TRY(grn_fdr_bh_some(p, c->n_rows, (double)c->n_tested, p));
    for (size_t i = 0; i < c->n_rows; i++) {
        c->row[i].q = p[i];
        c->n_pass += p[i] <= o->max_adj_p && c->row[i].log2fc >= o->min_log2fc;
    }
    if (c->n_rows) qsort_r(c->row, c->n_rows, sizeof *c->row, compare_rows, (void *)o);
    grn_log_info("%s: %zu cells against %zu, %s; %zu regions tested, %zu pass", c->name, c->n_a, c->n_b,
                 c->pseudobulk ? "pseudobulk" : "wilcoxon", c->n_tested, c->n_pass);
end:
    free(p);
    return rc;
}

static grn_status choose_regions(const grn_dar_t *d, uint32_t *cols, size_t *n)
{
    *n = 0;
    for (size_t r = 0; r < d->R; r++)
        if (!d->is_counts || d->counts.col_nz[r] >= d->opt->min_cells) cols[(*n)++] = (uint32_t)r;
    if (*n < d->R) grn_log_info("regions: %zu of %zu have a count in at least %zu cells", *n, d->R, d->opt->min_cells);
    return *n ? GRN_OK
              : grn_err(GRN_EEMPTY, "none of %zu regions has a count in %zu cells", d->R, d->opt->min_cells);
}

grn_status grn_dar_run(grn_dar_t *d, grn_dar_contrasts_t *cs)
{
    grn_status rc = GRN_OK;
    job_t j = { .d = d, .cs = cs };
    uint32_t *cols = NULL;
    size_t n = 0;
    GRN_TRY(GRN_NEW_RAW(cols, d->R));
    GRN_TRY(GRN_NEW_RAW(j.ranked, cs->n));
    GRN_TRY(scratch_init(&j));
    GRN_TRY(choose_regions(d, cols, &n));
    if (d->opt->variable) GRN_TRY(keep_variable(&j, cols, &n));
    for (size_t k = 0; k < cs->n; k++) {
        cs->v[k].n_tested = n;
        if (!cs->v[k].pseudobulk) j.ranked[j.n_ranked++] = cs->v[k].side;
    }
    GRN_TRY(GRN_NEW_RAW(j.row, REGIONS_PER_BLOCK * cs->n));
    GRN_TRY(each_region(&j, cols, n, test_region, "regions"));
    for (size_t k = 0; k < cs->n; k++) GRN_TRY(finish(d, &cs->v[k]));
end:
    scratch_clear(&j);
    free(cols);
    free(j.ranked);
    free(j.col_total);
    free(j.mean);
    free(j.var);
    free(j.row);
    return rc;
}
