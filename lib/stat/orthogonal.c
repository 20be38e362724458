#include "stat/orthogonal.h"

#include <gsl/gsl_eigen.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define ROWS_PER_BLOCK 2048
#define LEAST_SHARE 1e-10 /* directions whose squared length is below this share of the largest are no directions */

typedef struct {
    double *m;          /* (n, k) */
    double *part;       /* (n_blocks, k, k) Gram matrices of blocks of rows */
    const double *turn; /* (k, k) */
    size_t n;
    uint32_t k;
} tall_t;

static grn_status gram_work(void *ctx, size_t begin, size_t end, int worker)
{
    tall_t *s = ctx;
    const uint32_t k = s->k;
    (void)worker;
    for (size_t q = begin; q < end; q++) {
        double *g = s->part + q * k * k;
        size_t last = (q + 1) * ROWS_PER_BLOCK < s->n ? (q + 1) * ROWS_PER_BLOCK : s->n;
        for (size_t r = q * ROWS_PER_BLOCK; r < last; r++)
            for (uint32_t i = 0; i < k; i++)
                for (uint32_t j = 0; j <= i; j++) g[i * k + j] += s->m[r * k + i] * s->m[r * k + j];
    }
    return GRN_OK;
}

static grn_status turn_work(void *ctx, size_t begin, size_t end, int worker)
{
    tall_t *s = ctx;
    const uint32_t k = s->k;
    double row[GRN_ORTHOGONAL_MAX];
    (void)worker;
    for (size_t r = begin; r < end; r++) {
        double *a = s->m + r * k;
        for (uint32_t j = 0; j < k; j++) {
            row[j] = 0;
            for (uint32_t i = 0; i < k; i++) row[j] += a[i] * s->turn[i * k + j];
        }
        memcpy(a, row, k * sizeof *a);
    }
    return GRN_OK;
}

/* Eigenvectors of the sum of the blocks' Gram matrices, divided by the lengths, into turn. */
static grn_status decompose(const tall_t *s, size_t n_blocks, double *length, double *turn)
{
    grn_status rc = GRN_OK;
    const uint32_t k = s->k;
    gsl_eigen_symmv_workspace *w = gsl_eigen_symmv_alloc(k);
    gsl_matrix *g = gsl_matrix_alloc(k, k), *v = gsl_matrix_alloc(k, k);
    gsl_vector *e = gsl_vector_alloc(k);
    if (!w || !g || !v || !e) GRN_FAIL(GRN_ENOMEM, "out of memory: %u components", k);
    for (uint32_t i = 0; i < k; i++)
        for (uint32_t j = 0; j <= i; j++) {
            double sum = 0;
            for (size_t q = 0; q < n_blocks; q++) sum += s->part[q * k * k + i * k + j];
            gsl_matrix_set(g, i, j, sum);
            gsl_matrix_set(g, j, i, sum);
        }
    gsl_eigen_symmv(g, e, v, w);
    gsl_eigen_symmv_sort(e, v, GSL_EIGEN_SORT_VAL_DESC);
    for (uint32_t j = 0; j < k; j++) {
        double lambda = gsl_vector_get(e, j);
        int is_there = lambda > LEAST_SHARE * gsl_vector_get(e, 0);
        length[j] = is_there ? sqrt(lambda) : 0;
        for (uint32_t i = 0; i < k; i++) turn[i * k + j] = is_there ? gsl_matrix_get(v, i, j) / length[j] : 0;
    }
end:
    if (w) gsl_eigen_symmv_free(w);
    if (g) gsl_matrix_free(g);
    if (v) gsl_matrix_free(v);
    if (e) gsl_vector_free(e);
    return rc;
}

grn_status grn_orthogonalise(double *m, size_t n, uint32_t k, double *length, grn_par_t *pool)
{
    grn_status rc = GRN_OK;
    double *turn = NULL;
    tall_t s = { m, NULL, NULL, n, k };
    size_t n_blocks = (n + ROWS_PER_BLOCK - 1) / ROWS_PER_BLOCK;
    if (k == 0 || k > GRN_ORTHOGONAL_MAX) return grn_err(GRN_EINVAL, "%u columns; 1 to %d are possible", k, GRN_ORTHOGONAL_MAX);
    GRN_TRY(GRN_NEW(s.part, n_blocks * k * k));
    GRN_TRY(GRN_NEW(turn, (size_t)k * k));
    GRN_TRY(grn_par_for(pool, n_blocks, 1, gram_work, &s));
    GRN_TRY(decompose(&s, n_blocks, length, turn));
    s.turn = turn;
    GRN_TRY(grn_par_for(pool, n, 256, turn_work, &s));
end:
    free(s.part);
    free(turn);
    return rc;
}
