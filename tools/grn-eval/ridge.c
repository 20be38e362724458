#include "grn-eval/ridge.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_linalg.h>

#include "base/mem.h"

enum { MIN_ROWS = 3, LOO_GENES = 100, LOO_ROWS = 128 };
static const double grid[] = { 0.1, 1, 10, 100 }; /* times the mean of the diagonal of X X' */
enum { N_GRID = sizeof grid / sizeof *grid };

void grn_masked_clear(grn_masked_t *m)
{
    free(m->off);
    free(m->t_off);
    free(m->gene);
    free(m->t_gene);
    free(m->value);
    free(m->t_value);
    memset(m, 0, sizeof *m);
}

typedef struct {
    const grn_masked_t *train, *test;
    size_t max_rows;
    /* targets by gene: positions in t_gene of train and test */
    uint64_t *by, *by_off, *test_by, *test_off;
    uint32_t *row_of; /* row of each training target */
    uint32_t *test_row_of;
    double factor; /* the chosen entry of grid */
    double *loo;   /* (genes sampled, N_GRID) sums of squared leave-one-out errors, or NULL */
    float *pred;
} ridge_t;

/* Groups targets by gene: off (G + 1), list (targets) in order of rows; row_of (targets). */
static grn_status group(const grn_masked_t *m, uint64_t **off_out, uint64_t **list_out,
                        uint32_t **row_out)
{
    grn_status rc;
    uint64_t *off = NULL, *list = NULL, total = m->n ? m->t_off[m->n] : 0;
    uint32_t *row = NULL;
    GRN_TRY(GRN_NEW(off, m->n_genes + 2));
    GRN_TRY(GRN_NEW(list, total));
    GRN_TRY(GRN_NEW(row, total));
    for (uint64_t k = 0; k < total; k++) off[m->t_gene[k] + 2]++;
    for (size_t g = 0; g < m->n_genes; g++) off[g + 2] += off[g + 1];
    for (size_t r = 0; r < m->n; r++)
        for (uint64_t k = m->t_off[r]; k < m->t_off[r + 1]; k++) {
            list[off[m->t_gene[k] + 1]++] = k;
            row[k] = (uint32_t)r;
        }
    *off_out = off;
    *list_out = list;
    *row_out = row;
    return GRN_OK;
end:
    free(off);
    free(list);
    free(row);
    return rc;
}

static void scatter(const grn_masked_t *m, size_t r, double *x, int on)
{
    for (uint64_t k = m->off[r]; k < m->off[r + 1]; k++) x[m->gene[k]] = on ? m->value[k] : 0;
}

static double dot(const grn_masked_t *m, size_t r, const double *x)
{
    double s = 0;
    for (uint64_t k = m->off[r]; k < m->off[r + 1]; k++) s += (double)m->value[k] * x[m->gene[k]];
    return s;
}

/* K = X X' of n training rows (lower triangle and mirror), y; returns the mean of the diagonal. */
static double kernel(const ridge_t *q, const uint64_t *list, size_t n, double *x, gsl_matrix *K,
                     gsl_vector *y)
{
    double trace = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t r = q->row_of[list[i]];
        scatter(q->train, r, x, 1);
        for (size_t j = 0; j <= i; j++) {
            double v = dot(q->train, q->row_of[list[j]], x);
            gsl_matrix_set(K, i, j, v);
            gsl_matrix_set(K, j, i, v);
        }
        trace += gsl_matrix_get(K, i, i);
        scatter(q->train, r, x, 0);
        gsl_vector_set(y, i, q->train->t_value[list[i]]);
    }
    return n ? trace / (double)n : 0;
}

static void add_ridge(gsl_matrix *K, double lambda)
{
    for (size_t i = 0; i < K->size1; i++) *gsl_matrix_ptr(K, i, i) += lambda;
}

/* Squared leave-one-out errors of one gene for every lambda: (alpha_i / (K^-1)_ii)^2. */
static grn_status gene_loo(const ridge_t *q, size_t g, double *x, double *loo)
{
    const uint64_t *list = q->by + q->by_off[g];
    size_t n = q->by_off[g + 1] - q->by_off[g];
    if (n > LOO_ROWS) n = LOO_ROWS;
    if (n < MIN_ROWS) return GRN_OK;
    gsl_matrix *K = gsl_matrix_alloc(n, n), *L = gsl_matrix_alloc(n, n);
    gsl_vector *y = gsl_vector_alloc(n), *a = gsl_vector_alloc(n);
    grn_status rc = K && L && y && a ? GRN_OK : grn_err(GRN_ENOMEM, "out of memory");
    double scale = rc ? 0 : kernel(q, list, n, x, K, y);
    for (int k = 0; k < N_GRID && !rc && scale > 0; k++) {
        gsl_matrix_memcpy(L, K);
        add_ridge(L, grid[k] * scale);
        if (gsl_linalg_cholesky_decomp1(L) || gsl_linalg_cholesky_solve(L, y, a) ||
            gsl_linalg_cholesky_invert(L))
            continue;
        for (size_t i = 0; i < n; i++) {
            double e = gsl_vector_get(a, i) / gsl_matrix_get(L, i, i);
            loo[k] += e * e;
        }
    }
    gsl_matrix_free(K);
    gsl_matrix_free(L);
    gsl_vector_free(y);
    gsl_vector_free(a);
    return rc;
}

/* Fits one gene and predicts its test targets. x: (G) zeros; w: (G) scratch. */
static grn_status gene_fit(const ridge_t *q, size_t g, double *x, double *w)
{
    const uint64_t *list = q->by + q->by_off[g], *todo = q->test_by + q->test_off[g];
    size_t n = q->by_off[g + 1] - q->by_off[g], m = q->test_off[g + 1] - q->test_off[g];
    if (n > q->max_rows) n = q->max_rows;
    for (size_t k = 0; k < m; k++) q->pred[todo[k]] = 0;
    if (n < MIN_ROWS || !m) return GRN_OK;
    gsl_matrix *K = gsl_matrix_alloc(n, n);
    gsl_vector *y = gsl_vector_alloc(n), *a = gsl_vector_alloc(n);
    grn_status rc = K && y && a ? GRN_OK : grn_err(GRN_ENOMEM, "out of memory");
    double scale = rc ? 0 : kernel(q, list, n, x, K, y);
    if (!rc && scale > 0) {
        add_ridge(K, q->factor * scale);
        if (!gsl_linalg_cholesky_decomp1(K) && !gsl_linalg_cholesky_solve(K, y, a)) {
            memset(w, 0, q->train->n_genes * sizeof *w);
            for (size_t i = 0; i < n; i++) {
                size_t r = q->row_of[list[i]];
                for (uint64_t k = q->train->off[r]; k < q->train->off[r + 1]; k++)
                    w[q->train->gene[k]] += gsl_vector_get(a, i) * q->train->value[k];
            }
            for (size_t k = 0; k < m; k++)
                q->pred[todo[k]] = (float)dot(q->test, q->test_row_of[todo[k]], w);
        }
    }
    gsl_matrix_free(K);
    gsl_vector_free(y);
    gsl_vector_free(a);
    return rc;
}

static grn_status over_genes(void *ctx, size_t begin, size_t end, int worker)
{
    const ridge_t *q = ctx;
    grn_status rc;
    double *x = NULL, *w = NULL;
    size_t G = q->train->n_genes, step = G > LOO_GENES ? G / LOO_GENES : 1;
    (void)worker;
    GRN_TRY(GRN_NEW(x, G));
    GRN_TRY(GRN_NEW(w, G));
    for (size_t i = begin; i < end; i++)
        GRN_TRY(q->loo ? gene_loo(q, i * step, x, q->loo + i * N_GRID) : gene_fit(q, i, x, w));
end:
    free(x);
    free(w);
    return rc;
}

static grn_status choose_lambda(ridge_t *q, grn_par_t *pool)
{
    grn_status rc;
    size_t G = q->train->n_genes, n = G > LOO_GENES ? LOO_GENES : G;
    double sum[N_GRID] = { 0 };
    int best = 0;
    GRN_TRY(GRN_NEW(q->loo, n * N_GRID));
    GRN_TRY(grn_par_for(pool, n, 1, over_genes, q));
    for (size_t i = 0; i < n; i++)
        for (int k = 0; k < N_GRID; k++) sum[k] += q->loo[i * N_GRID + (size_t)k];
    for (int k = 1; k < N_GRID; k++)
        if (sum[k] < sum[best]) best = k;
    q->factor = grid[best];
end:
    free(q->loo);
    q->loo = NULL;
    return rc;
}

grn_status grn_ridge_predict(const grn_masked_t *train, const grn_masked_t *test, size_t max_rows,
                             grn_par_t *pool, float *pred, double *lambda)
{
    grn_status rc;
    ridge_t q = { .train = train, .test = test, .max_rows = max_rows, .pred = pred };
    gsl_error_handler_t *old = gsl_set_error_handler_off();
    GRN_TRY(group(train, &q.by_off, &q.by, &q.row_of));
    GRN_TRY(group(test, &q.test_off, &q.test_by, &q.test_row_of));
    GRN_TRY(choose_lambda(&q, pool));
    GRN_TRY(grn_par_for(pool, train->n_genes, 4, over_genes, &q));
    *lambda = q.factor;
end:
    gsl_set_error_handler(old);
    free(q.by);
    free(q.by_off);
    free(q.row_of);
    free(q.test_by);
    free(q.test_off);
    free(q.test_row_of);
    return rc;
}
