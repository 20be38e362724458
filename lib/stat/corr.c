#include "stat/corr.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "stat/rank.h"

static double clamp(double r)
{
    return r > 1 ? 1 : r < -1 ? -1 : r; /* NaN stays */
}

/* A norm that is rounding error of a constant vector counts as zero: sum of squares against its own
 * centring error. */
static double norm_of(double centred, double raw)
{
    return centred > raw * 1e-13 ? sqrt(centred) : 0;
}

static double ratio(double cov, double nx, double ny)
{
    return nx > 0 && ny > 0 ? clamp(cov / (nx * ny)) : NAN;
}

double grn_corr_pearson(const float *x, const float *y, size_t n)
{
    double mx = 0, my = 0, sx = 0, sy = 0, sxy = 0, qx = 0, qy = 0;
    for (size_t i = 0; i < n; i++)
        mx += x[i], my += y[i], qx += (double)x[i] * x[i], qy += (double)y[i] * y[i];
    if (n < 2) return NAN;
    mx /= (double)n;
    my /= (double)n;
    for (size_t i = 0; i < n; i++) {
        double dx = x[i] - mx, dy = y[i] - my;
        sx += dx * dx;
        sy += dy * dy;
        sxy += dx * dy;
    }
    return ratio(sxy, norm_of(sx, qx), norm_of(sy, qy));
}

/* Mean and norm of n values of which the stored ones are given: the implicit zeros deviate by the
 * mean. */
static void moments(const float *val, size_t n_nz, size_t n, double *mean, double *norm)
{
    double s = 0, c = 0, q = 0;
    for (size_t k = 0; k < n_nz; k++) s += val[k], q += (double)val[k] * val[k];
    *mean = n ? s / (double)n : 0;
    for (size_t k = 0; k < n_nz; k++) c += (val[k] - *mean) * (val[k] - *mean);
    c += (double)(n - n_nz) * *mean * *mean;
    *norm = norm_of(c, q);
}

/* sum over cells of x y; the two index lists ascend. */
static double dot_sparse(const grn_spcol_t *x, const grn_spcol_t *y)
{
    double s = 0;
    for (size_t i = 0, j = 0; i < x->n_nz && j < y->n_nz;) {
        uint32_t a = x->idx[i], b = y->idx[j];
        if (a == b) s += (double)x->val[i] * y->val[j];
        i += a <= b;
        j += b <= a;
    }
    return s;
}

double grn_corr_pearson_sp(const grn_spcol_t *x, const grn_spcol_t *y)
{
    double mx, my, nx, ny;
    if (x->n < 2) return NAN;
    moments(x->val, x->n_nz, x->n, &mx, &nx);
    moments(y->val, y->n_nz, y->n, &my, &ny);
    return ratio(dot_sparse(x, y) - (double)x->n * mx * my, nx, ny);
}

/* Ranks of the stored values, shifted so that a zero has rank 0. */
static grn_status shifted_ranks(grn_rank_t *w, const float *val, size_t n_nz, size_t n, double *tmp,
                                float *out)
{
    double zero;
    grn_status rc = grn_rank_avg_sparse(w, val, n_nz, n, tmp, &zero, NULL);
    for (size_t k = 0; rc == GRN_OK && k < n_nz; k++) out[k] = (float)(tmp[k] - zero);
    return rc;
}

grn_status grn_corr_spearman_sp(const grn_spcol_t *x, const grn_spcol_t *y, double *rho)
{
    grn_status rc = GRN_OK;
    grn_rank_t w = { 0 };
    double *tmp = NULL;
    float *rx = NULL, *ry = NULL;
    if (x->n >= 1u << 23)
        GRN_FAIL(GRN_EINVAL, "ranks of %zu cells are not exact: at most %u", x->n, (1u << 23) - 1);
    GRN_TRY(GRN_NEW_RAW(tmp, (x->n_nz > y->n_nz ? x->n_nz : y->n_nz) + 1));
    GRN_TRY(GRN_NEW_RAW(rx, x->n_nz + 1));
    GRN_TRY(GRN_NEW_RAW(ry, y->n_nz + 1));
    GRN_TRY(shifted_ranks(&w, x->val, x->n_nz, x->n, tmp, rx));
    GRN_TRY(shifted_ranks(&w, y->val, y->n_nz, y->n, tmp, ry));
    *rho = grn_corr_pearson_sp(&(grn_spcol_t){ x->n, x->n_nz, x->idx, rx },
                               &(grn_spcol_t){ y->n, y->n_nz, y->idx, ry });
end:
    free(ry);
    free(rx);
    free(tmp);
    grn_rank_clear(&w);
    return rc;
}

grn_status grn_corr_spearman(const float *x, const float *y, size_t n, double *rho)
{
    grn_status rc = GRN_OK;
    uint32_t *idx = NULL;
    if (n >= 1u << 23)
        GRN_FAIL(GRN_EINVAL, "ranks of %zu values are not exact: at most %u", n, (1u << 23) - 1);
    GRN_TRY(GRN_NEW_RAW(idx, n + 1));
    for (size_t i = 0; i < n; i++) idx[i] = (uint32_t)i;
    GRN_TRY(
        grn_corr_spearman_sp(&(grn_spcol_t){ n, n, idx, x }, &(grn_spcol_t){ n, n, idx, y }, rho));
end:
    free(idx);
    return rc;
}

/* ---- Kendall ---- */

typedef struct {
    float x, y;
} pair_t;

static int compare_pairs(const void *a, const void *b)
{
    const pair_t *p = a, *q = b;
    if (p->x != q->x) return p->x < q->x ? -1 : 1;
    return (p->y > q->y) - (p->y < q->y);
}

static int compare_y(const void *a, const void *b)
{
    float p = ((const pair_t *)a)->y, q = ((const pair_t *)b)->y;
    return (p > q) - (p < q);
}

/* Sorts v by y, bottom up, and returns the number of exchanges (pairs whose y were in strictly
 * wrong order). */
static double count_exchanges(pair_t *v, pair_t *tmp, size_t n)
{
    uint64_t swaps = 0;
    for (size_t w = 1; w < n; w *= 2) {
        for (size_t lo = 0; lo < n; lo += 2 * w) {
            size_t mid = lo + w < n ? lo + w : n, hi = mid + w < n ? mid + w : n;
            size_t i = lo, j = mid, k = lo;
            while (i < mid && j < hi) {
                if (v[j].y < v[i].y) {
                    swaps += mid - i;
                    tmp[k++] = v[j++];
                } else {
                    tmp[k++] = v[i++];
                }
            }
            while (i < mid) tmp[k++] = v[i++];
            while (j < hi) tmp[k++] = v[j++];
        }
        memcpy(v, tmp, n * sizeof *v);
    }
    return (double)swaps;
}

typedef struct { /* sums over tie groups of size t: of t(t-1)/2, t(t-1)(t-2), t(t-1)(2t+5) */
    double pairs, cubic, var;
} ties_t;

static void ties_add(ties_t *s, double t)
{
    s->pairs += t * (t - 1) / 2;
    s->cubic += t * (t - 1) * (t - 2);
    s->var += t * (t - 1) * (2 * t + 5);
}

/* Tie groups of v, sorted so that equal ones are neighbours; `zeros` further members join the group
 * of zeros. */
static ties_t tie_groups(const pair_t *v, size_t n, double zeros,
                         int (*cmp)(const void *, const void *))
{
    ties_t s = { 0 };
    pair_t zero = { 0, 0 };
    int joined = 0;
    for (size_t i = 0, j; i < n; i = j) {
        for (j = i + 1; j < n && cmp(v + i, v + j) == 0; j++) {}
        int is_zero = cmp(v + i, &zero) == 0;
        ties_add(&s, (double)(j - i) + (is_zero ? zeros : 0));
        joined |= is_zero;
    }
    if (!joined) ties_add(&s, zeros);
    return s;
}

static int compare_x(const void *a, const void *b)
{
    float p = ((const pair_t *)a)->x, q = ((const pair_t *)b)->x;
    return (p > q) - (p < q);
}

/* tau-b of m pairs and n - m further cells that are zero in both. Destroys v. */
static grn_status kendall(pair_t *v, size_t m, size_t n, double *tau, double *p)
{
    grn_status rc = GRN_OK;
    pair_t *tmp = NULL;
    double zeros = (double)(n - m), dn = (double)n, discordant = 0;
    GRN_TRY(GRN_NEW_RAW(tmp, m + 1));
    for (size_t i = 0; i < m; i++) {
        if (!isfinite(v[i].x) || !isfinite(v[i].y))
            GRN_FAIL(GRN_ENONFINITE, "pair %zu is not finite", i + 1);
        if ((v[i].x > 0 && v[i].y < 0) || (v[i].x < 0 && v[i].y > 0))
            discordant += zeros; /* against the block of zeros */
    }
    qsort(v, m, sizeof *v, compare_pairs);
    ties_t tx = tie_groups(v, m, zeros, compare_x), txy = tie_groups(v, m, zeros, compare_pairs);
    discordant += count_exchanges(v, tmp, m);
    ties_t ty = tie_groups(v, m, zeros, compare_y);
    double all = dn * (dn - 1) / 2, s = all - tx.pairs - ty.pairs + txy.pairs - 2 * discordant;
    double den = sqrt(all - tx.pairs) * sqrt(all - ty.pairs);
    *tau = den > 0 ? clamp(s / den) : NAN;
    if (p) {
        double m2 = dn * (dn - 1);
        double var = (m2 * (2 * dn + 5) - tx.var - ty.var) / 18 + 2 * tx.pairs * ty.pairs / m2;
        if (n > 2) var += tx.cubic * ty.cubic / (9 * m2 * (dn - 2));
        *p = den > 0 && var > 0 ? erfc(fabs(s) / sqrt(2 * var)) : NAN;
    }
end:
    free(tmp);
    return rc;
}

grn_status grn_corr_kendall(const float *x, const float *y, size_t n, double *tau, double *p)
{
    grn_status rc = GRN_OK;
    pair_t *v = NULL;
    GRN_TRY(GRN_NEW_RAW(v, n + 1));
    for (size_t i = 0; i < n; i++) v[i] = (pair_t){ x[i], y[i] };
    GRN_TRY(kendall(v, n, n, tau, p));
end:
    free(v);
    return rc;
}

grn_status grn_corr_kendall_sp(const grn_spcol_t *x, const grn_spcol_t *y, double *tau, double *p)
{
    grn_status rc = GRN_OK;
    pair_t *v = NULL;
    size_t m = 0;
    GRN_TRY(GRN_NEW_RAW(v, x->n_nz + y->n_nz + 1));
    for (size_t i = 0, j = 0; i < x->n_nz || j < y->n_nz;) {
        uint32_t a = i < x->n_nz ? x->idx[i] : UINT32_MAX, b = j < y->n_nz ? y->idx[j] : UINT32_MAX;
        v[m++] = (pair_t){ a <= b ? x->val[i] : 0, b <= a ? y->val[j] : 0 };
        i += a <= b;
        j += b <= a;
    }
    GRN_TRY(kendall(v, m, x->n, tau, p));
end:
    free(v);
    return rc;
}

double grn_corr_p(double r, size_t n)
{
    if (isnan(r) || n < 3) return NAN;
    if (fabs(r) >= 1) return 0;
    double df = (double)n - 2;
    return 2 * gsl_cdf_tdist_Q(fabs(r) * sqrt(df / ((1 - r) * (1 + r))), df);
}

/* ---- many columns ---- */

static grn_status prepare_columns(void *ctx, size_t begin, size_t end, int worker)
{
    grn_corr_cols_t *c = ctx;
    grn_status rc = GRN_OK;
    grn_rank_t w = { 0 };
    double *tmp = NULL;
    size_t cap = 0;
    (void)worker;
    for (size_t j = begin; j < end; j++) {
        size_t at = c->off[j], m = c->off[j + 1] - at;
        GRN_TRY(GRN_GROW(tmp, cap, m + 1));
        GRN_TRY(shifted_ranks(&w, c->val + at, m, c->n, tmp, c->rank + at));
        moments(c->val + at, m, c->n, &c->mean[j], &c->norm[j]);
        moments(c->rank + at, m, c->n, &c->rank_mean[j], &c->rank_norm[j]);
    }
end:
    free(tmp);
    grn_rank_clear(&w);
    return rc;
}

grn_status grn_corr_cols_init(grn_corr_cols_t *c, size_t n, size_t n_cols, const uint64_t *off,
                              const uint32_t *idx, const float *val, grn_par_t *pool)
{
    grn_status rc = GRN_OK;
    *c = (grn_corr_cols_t){ .n = n, .n_cols = n_cols, .off = off, .idx = idx, .val = val };
    if (n >= 1u << 23)
        GRN_FAIL(GRN_EINVAL, "ranks of %zu cells are not exact: at most %u", n, (1u << 23) - 1);
    GRN_TRY(GRN_NEW_RAW(c->rank, off[n_cols] + 1));
    GRN_TRY(GRN_NEW(c->mean, n_cols));
    GRN_TRY(GRN_NEW(c->norm, n_cols));
    GRN_TRY(GRN_NEW(c->rank_mean, n_cols));
    GRN_TRY(GRN_NEW(c->rank_norm, n_cols));
    GRN_TRY(grn_par_for(pool, n_cols, 64, prepare_columns, c));
end:
    if (rc) grn_corr_cols_clear(c);
    return rc;
}

void grn_corr_cols_clear(grn_corr_cols_t *c)
{
    free(c->rank);
    free(c->mean);
    free(c->norm);
    free(c->rank_mean);
    free(c->rank_norm);
    *c = (grn_corr_cols_t){ 0 };
}

void grn_corr_spread(const grn_corr_cols_t *c, size_t j, float *val, float *rank)
{
    for (size_t k = c->off[j]; k < c->off[j + 1]; k++)
        val[c->idx[k]] = c->val[k], rank[c->idx[k]] = c->rank[k];
}

void grn_corr_drop(const grn_corr_cols_t *c, size_t j, float *val, float *rank)
{
    for (size_t k = c->off[j]; k < c->off[j + 1]; k++) val[c->idx[k]] = 0, rank[c->idx[k]] = 0;
}

void grn_corr_pair(const grn_corr_cols_t *a, size_t i, const grn_corr_cols_t *b, size_t j,
                   const float *val, const float *rank, double *pearson, double *spearman)
{
    double s = 0, r = 0, n = (double)a->n;
    for (size_t k = a->off[i]; k < a->off[i + 1]; k++) {
        uint32_t cell = a->idx[k];
        s += (double)a->val[k] * val[cell];
        r += (double)a->rank[k] * rank[cell];
    }
    int enough = a->n >= 2;
    *pearson = enough ? ratio(s - n * a->mean[i] * b->mean[j], a->norm[i], b->norm[j]) : NAN;
    *spearman =
        enough ? ratio(r - n * a->rank_mean[i] * b->rank_mean[j], a->rank_norm[i], b->rank_norm[j])
               : NAN;
}
