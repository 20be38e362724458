#include "pca.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "base/simd.h"
#include "pca_kernel.h"
#include "stat/orthogonal.h"

#define OVERSAMPLING 10 /* columns more than asked for, at least: they are made a multiple of PCA_STRIP */
#define POWER 5         /* power iterations */

typedef struct {
    const grn_matrix_t *x, *t; /* cells x genes and its transpose */
    const double *mean;        /* (G) */
    uint32_t k;
    double *y, *z;   /* (C, k), (G, k) */
    double *of_mean; /* (k) what the means contribute to a row of the product at hand */
} fit_t;

void pca_clear(pca_t *p)
{
    free(p->mean);
    free(p->loading);
    free(p->sigma);
    memset(p, 0, sizeof *p);
}

static pca_product_fn product_of(void)
{
#if defined(__x86_64__)
    const pca_product_fn by_level[] = { pca_product_base, pca_product_avx2, pca_product_avx512 };
    return by_level[grn_simd_level()];
#else
    return pca_product_base;
#endif
}

/* out[i] = row i of m times `in` (columns, k), for rows [begin, end). */
static void rows_times(const grn_matrix_t *m, const double *in, uint32_t k, size_t begin, size_t end, double *out)
{
    product_of()(m->indptr, m->indices, m->data, in, k, begin, end, out);
}

static grn_status times_work(void *ctx, size_t begin, size_t end, int worker)
{
    fit_t *f = ctx;
    (void)worker;
    rows_times(f->x, f->z, f->k, begin, end, f->y);
    for (size_t i = begin; i < end; i++)
        for (uint32_t j = 0; j < f->k; j++) f->y[i * f->k + j] -= f->of_mean[j];
    return GRN_OK;
}

static grn_status transposed_work(void *ctx, size_t begin, size_t end, int worker)
{
    fit_t *f = ctx;
    (void)worker;
    rows_times(f->t, f->y, f->k, begin, end, f->z);
    for (size_t g = begin; g < end; g++)
        for (uint32_t j = 0; j < f->k; j++) f->z[g * f->k + j] -= f->mean[g] * f->of_mean[j];
    return GRN_OK;
}

/* sum over rows of weight[i] m[i] (weight NULL: 1), in the order of the rows. */
static void column_sums(const double *m, const double *weight, size_t n, uint32_t k, double *sum)
{
    memset(sum, 0, k * sizeof *sum);
    for (size_t i = 0; i < n; i++)
        for (uint32_t j = 0; j < k; j++) sum[j] += (weight ? weight[i] : 1) * m[i * k + j];
}

/* y = (X - 1 mean') z. */
static grn_status times(fit_t *f, grn_par_t *pool)
{
    column_sums(f->z, f->mean, f->x->n_cols, f->k, f->of_mean);
    return grn_par_for(pool, f->x->n_rows, 256, times_work, f);
}

/* z = (X - 1 mean')' y. */
static grn_status transposed(fit_t *f, grn_par_t *pool)
{
    column_sums(f->y, NULL, f->x->n_rows, f->k, f->of_mean);
    return grn_par_for(pool, f->x->n_cols, 16, transposed_work, f);
}

/* Gene means, and the variance of all genes together. */
static double moments(const grn_matrix_t *t, double *mean)
{
    double total = 0, n = (double)t->n_cols;
    for (uint64_t g = 0; g < t->n_rows; g++) {
        double sum = 0, square = 0;
        for (uint64_t e = t->indptr[g]; e < t->indptr[g + 1]; e++) sum += t->data[e];
        mean[g] = sum / n;
        for (uint64_t e = t->indptr[g]; e < t->indptr[g + 1]; e++) square += (t->data[e] - mean[g]) * (t->data[e] - mean[g]);
        total += square + mean[g] * mean[g] * (n - (double)(t->indptr[g + 1] - t->indptr[g]));
    }
    return total;
}

/* z becomes V and sigma the singular values. */
static grn_status decompose(fit_t *f, uint64_t seed, double *sigma, grn_par_t *pool)
{
    grn_status rc = GRN_OK;
    const uint64_t C = f->x->n_rows, G = f->x->n_cols;
    for (uint64_t g = 0; g < G; g++) {
        grn_rng_t r;
        grn_rng_init(&r, seed, "map.pca", grn_hash_str(grn_names_get(&f->x->col, g)));
        for (uint32_t j = 0; j < f->k; j++) f->z[g * f->k + j] = grn_rng_normal(&r);
    }
    for (int i = 0; i <= POWER; i++) {
        GRN_TRY(times(f, pool));
        GRN_TRY(grn_orthogonalise(f->y, C, f->k, sigma, pool));
        if (i == POWER) GRN_TRY(grn_orthogonalise(f->y, C, f->k, sigma, pool)); /* to rounding */
        GRN_TRY(transposed(f, pool));
        if (i < POWER) GRN_TRY(grn_orthogonalise(f->z, G, f->k, sigma, pool));
    }
    rc = grn_orthogonalise(f->z, G, f->k, sigma, pool); /* Q'A = W S V' */
end:
    return rc;
}

static grn_status deliver(const fit_t *f, const double *sigma, uint32_t K, double variance, pca_t *p)
{
    grn_status rc = GRN_OK;
    while (K && sigma[K - 1] <= 0) K--;
    if (!K) return grn_err(GRN_EEMPTY, "no gene varies between the reference cells");
    p->K = K;
    p->G = f->x->n_cols;
    GRN_TRY(GRN_NEW(p->loading, p->G * K));
    GRN_TRY(GRN_NEW(p->sigma, K));
    memcpy(p->sigma, sigma, K * sizeof *sigma);
    for (uint32_t j = 0; j < K; j++) {
        size_t top = 0;
        for (size_t g = 1; g < p->G; g++)
            if (fabs(f->z[g * f->k + j]) > fabs(f->z[top * f->k + j])) top = g;
        const double sign = f->z[top * f->k + j] < 0 ? -1 : 1;
        for (size_t g = 0; g < p->G; g++) p->loading[g * K + j] = sign * f->z[g * f->k + j];
        p->share += sigma[j] * sigma[j] / variance;
    }
end:
    return rc;
}

grn_status pca_fit(const grn_matrix_t *x, uint32_t K, uint64_t seed, grn_par_t *pool, pca_t *p)
{
    grn_status rc = GRN_OK;
    grn_matrix_t t = { 0 };
    double sigma[PCA_MAX + OVERSAMPLING + PCA_STRIP], of_mean[PCA_MAX + OVERSAMPLING + PCA_STRIP];
    fit_t f = { .x = x, .t = &t, .of_mean = of_mean };
    memset(p, 0, sizeof *p);
    if (K == 0 || K > PCA_MAX) return grn_err(GRN_EINVAL, "%u components; 1 to %d are possible", K, PCA_MAX);
    uint64_t most = x->n_rows < x->n_cols ? x->n_rows : x->n_cols;
    f.k = (K + OVERSAMPLING + PCA_STRIP - 1) / PCA_STRIP * PCA_STRIP;
    if (f.k > most) f.k = (uint32_t)most;
    GRN_TRY(GRN_NEW(p->mean, x->n_cols));
    GRN_TRY(GRN_NEW(f.y, x->n_rows * f.k));
    GRN_TRY(GRN_NEW(f.z, x->n_cols * f.k));
    GRN_TRY(grn_matrix_transpose(x, &t));
    double variance = moments(&t, p->mean);
    f.mean = p->mean;
    GRN_TRY(decompose(&f, seed, sigma, pool));
    GRN_TRY(deliver(&f, sigma, K < f.k ? K : f.k, variance, p));
end:
    free(f.y);
    free(f.z);
    grn_matrix_clear(&t);
    if (rc) pca_clear(p);
    return rc;
}

typedef struct {
    const pca_t *p;
    const grn_matrix_t *x;
    const double *of_mean;
    float *score;
    double *row; /* (rows, K) */
} project_t;

static grn_status project_work(void *ctx, size_t begin, size_t end, int worker)
{
    project_t *w = ctx;
    const uint32_t K = w->p->K;
    (void)worker;
    rows_times(w->x, w->p->loading, K, begin, end, w->row);
    for (size_t i = begin; i < end; i++)
        for (uint32_t j = 0; j < K; j++) w->score[i * K + j] = (float)(w->row[i * K + j] - w->of_mean[j]);
    return GRN_OK;
}

grn_status pca_project(const pca_t *p, const grn_matrix_t *x, grn_par_t *pool, float *score)
{
    grn_status rc = GRN_OK;
    double of_mean[PCA_MAX];
    project_t w = { p, x, of_mean, score, NULL };
    column_sums(p->loading, p->mean, p->G, p->K, of_mean);
    GRN_TRY(GRN_NEW(w.row, x->n_rows * p->K));
    rc = grn_par_for(pool, x->n_rows, 64, project_work, &w);
end:
    free(w.row);
    return rc;
}
