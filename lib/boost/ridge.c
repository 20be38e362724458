#include "boost/ridge.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "boost/common.h"

#define LANES 8
#define ROWS 16 /* of the correlations, in one piece of work */
#define NONE UINT32_MAX

/* LAPACK, which comes with OpenBLAS. */
void dsyevd_(const char *jobz, const char *uplo, const int *n, double *a, const int *lda, double *w, double *work, const int *lwork,
             int *iwork, const int *liwork, int *info);

double grn_ridge_lambda(size_t k, size_t n, size_t p)
{
    return pow(10, 3 - 0.25 * (double)k) * (p < n ? 1 : (double)p / (double)(n - 1));
}

/* ---- predictors ---- */

typedef struct {
    uint32_t j; /* place of the predictor */
    float x;
} entry_t;

typedef struct { /* cells and predictors in the order of their hashes */
    size_t n, p;
    uint32_t *cell_place;           /* (n) of cell i of the columns */
    uint32_t *name_at, *name_place; /* (p) which predictor is at a place; place of a predictor */
    uint64_t *off;                  /* (n + 1) rows */
    entry_t *entry;                 /* (off[n]) ascending in a row */
    double *mean, *norm;            /* (p) norm: root of the centred sum of squares; 0: constant */
    double *d;                      /* (p) eigenvalues of the correlations */
    double *v, *vt;                 /* (p, p) eigenvector k in row k; in column k */
    double *inv;                    /* (GRN_RIDGE_GRID, p) 1 / (d + lambda) */
    double lambda[GRN_RIDGE_GRID], trace[GRN_RIDGE_GRID]; /* trace: the sum of inv */
} system_t;

static void system_clear(system_t *s)
{
    free(s->cell_place);
    free(s->name_at);
    free(s->name_place);
    free(s->off);
    free(s->entry);
    free(s->mean);
    free(s->norm);
    free(s->d);
    free(s->v);
    free(s->vt);
    free(s->inv);
}

/* Rows of the predictors' columns. */
static grn_status fill_rows(system_t *s, const grn_ridge_space_t *space)
{
    grn_status rc = GRN_OK;
    uint64_t first = space->off[0], last = space->off[s->p];
    GRN_TRY(GRN_NEW(s->off, s->n + 2));
    GRN_TRY(GRN_NEW_RAW(s->entry, last - first));
    for (uint64_t k = first; k < last; k++) s->off[s->cell_place[space->idx[k]] + 2]++;
    for (size_t i = 1; i <= s->n; i++) s->off[i + 1] += s->off[i];
    for (size_t k = 0; k < s->p; k++) {
        uint32_t j = s->name_at[k];
        for (uint64_t e = space->off[j]; e < space->off[j + 1]; e++)
            s->entry[s->off[s->cell_place[space->idx[e]] + 1]++] = (entry_t){ (uint32_t)k, space->val[e] };
    }
end:
    return rc;
}

/* Mean and norm of the columns, summed by cells in their order. */
static grn_status moments(system_t *s, const grn_ridge_space_t *space)
{
    grn_status rc = GRN_OK;
    GRN_TRY(GRN_NEW(s->mean, s->p));
    GRN_TRY(GRN_NEW(s->norm, s->p));
    for (uint64_t e = 0; e < s->off[s->n]; e++) s->mean[s->entry[e].j] += s->entry[e].x;
    for (size_t k = 0; k < s->p; k++) s->mean[k] /= (double)s->n;
    for (uint64_t e = 0; e < s->off[s->n]; e++) {
        double x = s->entry[e].x - s->mean[s->entry[e].j];
        s->norm[s->entry[e].j] += x * x;
    }
    for (size_t k = 0; k < s->p; k++) {
        uint64_t begin = space->off[s->name_at[k]], nz = space->off[s->name_at[k] + 1] - begin;
        double low, high;
        GRN_TRY(grn_boost_range(&(grn_spcol_t){ s->n, nz, space->idx + begin, space->val + begin }, "a predictor", &low, &high));
        s->norm[k] = low < high ? sqrt(s->norm[k] + (double)(s->n - nz) * s->mean[k] * s->mean[k]) : 0;
    }
end:
    return rc;
}

static size_t first_from(const entry_t *row, size_t n, size_t j)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (row[middle].j < j) low = middle + 1;
        else high = middle;
    }
    return low;
}

/* Rows of the correlations, from the diagonal on. */
static grn_status correlate_work(void *ctx, size_t begin, size_t end, int worker)
{
    system_t *s = ctx;
    size_t p = s->p;
    (void)worker;
    for (size_t i = 0; i < s->n; i++) {
        const entry_t *row = s->entry + s->off[i];
        size_t n = (size_t)(s->off[i + 1] - s->off[i]);
        for (size_t a = first_from(row, n, begin); a < n && row[a].j < end; a++) {
            double *g = s->v + row[a].j * p, x = row[a].x;
            for (size_t b = a + 1; b < n; b++) g[row[b].j] += x * row[b].x;
        }
    }
    for (size_t j = begin; j < end; j++) {
        double *g = s->v + j * p;
        g[j] = s->norm[j] > 0;
        for (size_t k = j + 1; k < p; k++) {
            double norm = s->norm[j] * s->norm[k];
            g[k] = norm > 0 ? (g[k] - (double)s->n * s->mean[j] * s->mean[k]) / norm : 0;
        }
    }
    return GRN_OK;
}

static grn_status new_aligned(double **x, size_t n)
{
    size_t cap = 0;
    if (n > SIZE_MAX / sizeof **x) return grn_err(GRN_ENOMEM, "no room for %zu numbers", n);
    return grn_room_aligned((void **)x, &cap, n * sizeof **x);
}

/* s->v from correlations to eigenvectors. */
static grn_status decompose(system_t *s)
{
    grn_status rc = GRN_OK;
    int p = (int)s->p, n_work = 1 + 6 * p + 2 * p * p, n_iwork = 3 + 5 * p, info = 0;
    double *work = NULL;
    int *iwork = NULL;
    openblas_set_num_threads(1); /* its threaded results differ in bits */
    GRN_TRY(new_aligned(&work, (size_t)n_work));
    GRN_TRY(GRN_NEW_RAW(iwork, (size_t)n_iwork));
    GRN_TRY(GRN_NEW_RAW(s->d, s->p));
    dsyevd_("V", "L", &p, s->v, &p, s->d, work, &n_work, iwork, &n_iwork, &info); /* its columns are our rows */
    if (info) GRN_FAIL(GRN_EINVAL, "the eigendecomposition of the correlations of %d predictors failed (dsyevd: %d)", p, info);
end:
    free(work);
    free(iwork);
    return rc;
}

static grn_status tabulate(system_t *s)
{
    grn_status rc = GRN_OK;
    size_t p = s->p;
    GRN_TRY(new_aligned(&s->vt, p * p));
    GRN_TRY(GRN_NEW_RAW(s->inv, GRN_RIDGE_GRID * p));
    for (size_t k = 0; k < p; k++) {
        if (s->d[k] < 0) s->d[k] = 0;
        for (size_t j = 0; j < p; j++) s->vt[j * p + k] = s->v[k * p + j];
    }
    for (size_t l = 0; l < GRN_RIDGE_GRID; l++) {
        s->lambda[l] = grn_ridge_lambda(l, s->n, p);
        for (size_t k = 0; k < p; k++) s->trace[l] += s->inv[l * p + k] = 1 / (s->d[k] + s->lambda[l]);
    }
end:
    return rc;
}

static grn_status system_init(system_t *s, const grn_ridge_space_t *space, grn_par_t *pool)
{
    grn_status rc = GRN_OK;
    *s = (system_t){ .n = space->n, .p = space->p };
    GRN_TRY(GRN_NEW_RAW(s->cell_place, s->n));
    GRN_TRY(GRN_NEW_RAW(s->name_at, s->p));
    GRN_TRY(GRN_NEW_RAW(s->name_place, s->p));
    GRN_TRY(grn_boost_order(space->cell_key, s->n, NULL, s->cell_place));
    GRN_TRY(grn_boost_order(space->name_key, s->p, s->name_at, s->name_place));
    GRN_TRY(fill_rows(s, space));
    GRN_TRY(moments(s, space));
    GRN_TRY(new_aligned(&s->v, s->p * s->p));
    memset(s->v, 0, s->p * s->p * sizeof *s->v);
    GRN_TRY(grn_par_for(pool, s->p, ROWS, correlate_work, s));
    GRN_TRY(decompose(s));
    GRN_TRY(tabulate(s));
end:
    return rc;
}

/* ---- targets ---- */

typedef double lanes_t __attribute__((vector_size(LANES * sizeof(double))));

typedef struct { /* LANES targets at a time */
    float *y;           /* (n) one target, by place */
    lanes_t *b, *c, *u; /* (p) x'y; b, the coefficients, in the eigenvectors' directions */
    double *one;        /* (p) c of one lane */
    double *importance; /* (p) */
} scratch_t;

typedef struct {
    const system_t *s;
    const grn_boost_target_t *target;
    size_t n_targets;
    grn_boost_fn fn;
    void *ctx;
    double *lambda;
    scratch_t *scratch;
} many_t;

static void scratch_clear(scratch_t *x)
{
    free(x->y);
    free(x->b);
    free(x->c);
    free(x->u);
    free(x->one);
    free(x->importance);
}

static grn_status scratch_init(scratch_t *x, const system_t *s)
{
    grn_status rc = GRN_OK;
    GRN_TRY(GRN_NEW_RAW(x->y, s->n));
    GRN_TRY(new_aligned((double **)(void *)&x->b, s->p * LANES));
    GRN_TRY(new_aligned((double **)(void *)&x->c, s->p * LANES));
    GRN_TRY(new_aligned((double **)(void *)&x->u, s->p * LANES));
    GRN_TRY(GRN_NEW_RAW(x->one, s->p));
    GRN_TRY(GRN_NEW_RAW(x->importance, s->p));
end:
    return rc;
}

/* Correlations of the predictors with a target that is not constant, into a lane of b. */
static void correlate_target(const system_t *s, scratch_t *x, const grn_spcol_t *y, int lane)
{
    double sum = 0, squares = 0;
    memset(x->y, 0, s->n * sizeof *x->y);
    for (size_t k = 0; k < y->n_nz; k++) x->y[s->cell_place[y->idx[k]]] = y->val[k];
    for (size_t i = 0; i < s->n; i++) {
        if (x->y[i] == 0) continue;
        sum += x->y[i];
        for (uint64_t e = s->off[i]; e < s->off[i + 1]; e++) x->b[s->entry[e].j][lane] += (double)x->y[i] * s->entry[e].x;
    }
    double mean = sum / (double)s->n;
    for (size_t i = 0; i < s->n; i++) squares += (x->y[i] - mean) * (x->y[i] - mean);
    for (size_t j = 0; j < s->p; j++) {
        double norm = s->norm[j] * sqrt(squares);
        x->b[j][lane] = norm > 0 ? (x->b[j][lane] - sum * s->mean[j]) / norm : 0;
    }
}

/* out = m x for all lanes, each summed in the order of the columns. */
static void multiply(const double *m, const lanes_t *x, lanes_t *out, size_t p)
{
    size_t i = 0;
    for (; i + 4 <= p; i += 4) {
        const double *m0 = m + i * p, *m1 = m0 + p, *m2 = m1 + p, *m3 = m2 + p;
        lanes_t a0 = { 0 }, a1 = { 0 }, a2 = { 0 }, a3 = { 0 };
        for (size_t k = 0; k < p; k++) {
            a0 += m0[k] * x[k];
            a1 += m1[k] * x[k];
            a2 += m2[k] * x[k];
            a3 += m3[k] * x[k];
        }
        out[i] = a0;
        out[i + 1] = a1;
        out[i + 2] = a2;
        out[i + 3] = a3;
    }
    for (; i < p; i++) {
        lanes_t a = { 0 };
        for (size_t k = 0; k < p; k++) a += m[i * p + k] * x[k];
        out[i] = a;
    }
}

typedef struct { /* of a predictor to leave out, at one lambda; A: correlations + lambda */
    double inv;    /* its place on the diagonal of A^-1, */
    double inv2;   /* of A^-2 */
    double b, b2;  /* its coefficient, A^-1 x'y; A^-2 x'y */
} part_t;

static part_t part_of(const double *inv, const double *v, const double *c, size_t p)
{
    part_t a = { 0, 0, 0, 0 };
    for (size_t k = 0; k < p; k++) {
        double x = v[k] * inv[k], y = x * inv[k];
        a.inv += v[k] * x;
        a.inv2 += v[k] * y;
        a.b += c[k] * x;
        a.b2 += c[k] * y;
    }
    return a;
}

/* The score of generalised cross-validation at lambda l; v: row of vt of the predictor to leave out, or NULL. With A b = x'y, the
 * residuals' squares are 1 - b x'y - lambda |b|^2. Without predictor s, A^-1 loses A^-1_js A^-1_sk / A^-1_ss. */
static double score(const system_t *s, size_t l, const double *c, const double *v)
{
    const double *inv = s->inv + l * s->p;
    double fitted = 0, squares = 0, trace = s->trace[l], p = (double)s->p, n = (double)s->n;
    for (size_t k = 0; k < s->p; k++) {
        double x = c[k] * inv[k];
        fitted += c[k] * x;
        squares += x * x;
    }
    if (v) {
        part_t a = part_of(inv, v, c, s->p);
        double t = a.b / a.inv;
        fitted -= t * a.b;
        squares += t * (t * a.inv2 - 2 * a.b2);
        trace -= a.inv2 / a.inv;
        p--;
    }
    double residual = 1 - fitted - s->lambda[l] * squares, free = n - 1 - (p - s->lambda[l] * trace);
    return (residual > 0 ? residual : 0) / (free * free);
}

/* Coefficients in the directions of the eigenvectors, into a lane of u; returns lambda. */
static double choose(const system_t *s, scratch_t *x, uint32_t self, int lane)
{
    const double *v = self == NONE ? NULL : s->vt + self * s->p;
    double best = INFINITY;
    size_t at = 0;
    for (size_t k = 0; k < s->p; k++) x->one[k] = x->c[k][lane];
    for (size_t l = 0; l < GRN_RIDGE_GRID; l++) {
        double here = score(s, l, x->one, v);
        if (here < best) best = here, at = l;
    }
    const double *inv = s->inv + at * s->p;
    double t = 0;
    if (v) {
        part_t a = part_of(inv, v, x->one, s->p);
        t = a.b / a.inv;
    }
    for (size_t k = 0; k < s->p; k++) x->u[k][lane] = (x->one[k] - (v ? t * v[k] : 0)) * inv[k];
    return s->lambda[at];
}

static grn_status finish(const many_t *m, scratch_t *x, size_t target, int lane, double lambda, uint32_t self, int worker)
{
    const system_t *s = m->s;
    double sum = 0;
    for (size_t j = 0; j < s->p; j++) {
        if (j == self || s->norm[j] == 0) x->b[j][lane] = 0; /* but for rounding, it is */
        sum += fabs(x->b[j][lane]);
    }
    for (size_t j = 0; j < s->p; j++) x->importance[s->name_at[j]] = sum > 0 ? fabs(x->b[j][lane]) / sum : 0;
    if (m->lambda) m->lambda[target] = sum > 0 ? lambda : 0;
    return m->fn(m->ctx, target, sum > 0, x->importance, worker);
}

/* Targets of one group of lanes; those that are constant have b = 0 and come out as all 0. */
static grn_status many_work(void *ctx, size_t begin, size_t end, int worker)
{
    grn_status rc = GRN_OK;
    const many_t *m = ctx;
    const system_t *s = m->s;
    scratch_t *x = &m->scratch[worker];
    if (!x->importance) GRN_TRY(scratch_init(x, s));
    for (size_t g = begin; g < end; g++) {
        const grn_boost_target_t *target = m->target + g * LANES;
        int n = (int)(m->n_targets - g * LANES < LANES ? m->n_targets - g * LANES : LANES);
        uint32_t self[LANES];
        double lambda[LANES];
        memset(x->b, 0, s->p * sizeof *x->b);
        memset(x->u, 0, s->p * sizeof *x->u);
        for (int i = 0; i < n; i++) {
            const grn_spcol_t *y = &target[i].y;
            double low, high;
            GRN_TRY(grn_boost_range(y, "a target", &low, &high));
            if (low < high) correlate_target(s, x, y, i);
            self[i] = target[i].self == GRN_TREE_NOBODY ? NONE : s->name_place[target[i].self];
        }
        multiply(s->v, x->b, x->c, s->p);
        for (int i = 0; i < n; i++) lambda[i] = choose(s, x, self[i], i);
        multiply(s->vt, x->u, x->b, s->p);
        for (int i = 0; i < n; i++) GRN_TRY(finish(m, x, g * LANES + (size_t)i, i, lambda[i], self[i], worker));
    }
end:
    return rc;
}

grn_status grn_ridge_many(const grn_ridge_space_t *space, const grn_boost_target_t *target, size_t n_targets, grn_par_t *pool,
                          grn_boost_fn fn, void *ctx, double *lambda)
{
    grn_status rc = GRN_OK;
    int n_workers = grn_par_n(pool);
    system_t s = { 0 };
    many_t m = { &s, target, n_targets, fn, ctx, lambda, NULL };
    if (space->p == 0) return grn_err(GRN_EINVAL, "ridge regression without predictors");
    if (space->n < 2) return grn_err(GRN_EINVAL, "ridge regression over %zu cells; at least 2 are needed", space->n);
    if (space->p > 32000) return grn_err(GRN_EUNSUP, "ridge regression on %zu predictors; at most 32,000 are supported", space->p);
    GRN_TRY(system_init(&s, space, pool));
    GRN_TRY(GRN_NEW(m.scratch, (size_t)n_workers));
    GRN_TRY(grn_par_for(pool, (n_targets + LANES - 1) / LANES, 1, many_work, &m));
end:
    for (int k = 0; m.scratch && k < n_workers; k++) scratch_clear(&m.scratch[k]);
    free(m.scratch);
    system_clear(&s);
    return rc;
}
