#include "lsi.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"
#include "stat/corr.h"
#include "stat/orthogonal.h"

#define OVERSAMPLING 10
#define CELLS_PER_CHUNK 64
#define MAX_COMPONENTS 4096

typedef struct {
    const grn_corpus_t *c;
    uint32_t k;  /* columns */
    double *idf; /* (R) 1e4 C / n_r */
    double *y;   /* (C, k) */
    double *x;   /* (R, k) */
} lsi_t;

void grn_lsi_clear(grn_lsi_t *l)
{
    free(l->theta);
    free(l->phi);
    free(l->sigma);
    free(l->depth_cor);
    memset(l, 0, sizeof *l);
}

static double entry(const lsi_t *s, size_t cell, size_t region)
{
    return log1p(s->idf[region] / s->c->cell_n[cell]);
}

/* y = A x, by cells. */
static grn_status times_work(void *ctx, size_t begin, size_t end, int worker)
{
    lsi_t *s = ctx;
    (void)worker;
    memset(s->y + begin * s->k, 0, (end - begin) * s->k * sizeof *s->y);
    for (size_t b = 0; b < s->c->n_blocks; b++)
        for (size_t cell = begin; cell < end; cell++) {
            uint32_t n;
            const uint16_t *t = grn_corpus_run(s->c, b, cell, &n);
            double *y = s->y + cell * s->k;
            for (uint32_t i = 0; i < n; i++) {
                size_t r = b * GRN_CORPUS_BLOCK + (t[i] & GRN_CORPUS_REGION);
                double v = entry(s, cell, r);
                const double *x = s->x + r * s->k;
                for (uint32_t j = 0; j < s->k; j++) y[j] += v * x[j];
            }
        }
    return GRN_OK;
}

/* x = A' y, by blocks of regions; cells in their order. */
static grn_status transposed_work(void *ctx, size_t begin, size_t end, int worker)
{
    lsi_t *s = ctx;
    (void)worker;
    for (size_t b = begin; b < end; b++) {
        size_t first = b * GRN_CORPUS_BLOCK, last = first + GRN_CORPUS_BLOCK < s->c->R ? first + GRN_CORPUS_BLOCK : s->c->R;
        memset(s->x + first * s->k, 0, (last - first) * s->k * sizeof *s->x);
        for (size_t cell = 0; cell < s->c->C; cell++) {
            uint32_t n;
            const uint16_t *t = grn_corpus_run(s->c, b, cell, &n);
            const double *y = s->y + cell * s->k;
            for (uint32_t i = 0; i < n; i++) {
                size_t r = first + (t[i] & GRN_CORPUS_REGION);
                double v = entry(s, cell, r), *x = s->x + r * s->k;
                for (uint32_t j = 0; j < s->k; j++) x[j] += v * y[j];
            }
        }
    }
    return GRN_OK;
}

static grn_status set_up(lsi_t *s, const grn_lsi_opt_t *o)
{
    grn_status rc = GRN_OK;
    const grn_corpus_t *c = s->c;
    GRN_TRY(GRN_NEW(s->idf, c->n_blocks * GRN_CORPUS_BLOCK));
    GRN_TRY(GRN_NEW(s->y, c->C * s->k));
    GRN_TRY(GRN_NEW(s->x, c->R * s->k));
    for (size_t r = 0; r < c->R; r++)
        if (c->region_cells[r]) s->idf[r] = 1e4 * (double)c->C / c->region_cells[r];
    for (size_t i = 0; i < c->R; i++) {
        grn_rng_t g;
        grn_rng_init(&g, o->seed, "topics.lsi", grn_hash_str(grn_names_get(&c->info.col, i)));
        for (uint32_t j = 0; j < s->k; j++) s->x[c->region_place[i] * s->k + j] = grn_rng_normal(&g);
    }
end:
    return rc;
}

/* y and x become U S and V. */
static grn_status decompose(lsi_t *s, const grn_lsi_opt_t *o, double *sigma, grn_par_t *pool)
{
    grn_status rc = GRN_OK;
    double length[MAX_COMPONENTS + OVERSAMPLING];
    grn_progress_begin(2 * (uint64_t)o->power + 2, "products");
    for (uint32_t i = 0; i <= o->power; i++) {
        GRN_TRY(grn_par_for(pool, s->c->C, CELLS_PER_CHUNK, times_work, s));
        for (int again = 0; again < 2; again++) GRN_TRY(grn_orthogonalise(s->y, s->c->C, s->k, length, pool));
        grn_progress_add(1);
        GRN_TRY(grn_par_for(pool, s->c->n_blocks, 1, transposed_work, s)); /* x = A' Q */
        for (int again = 0; again < 2 && i < o->power; again++) GRN_TRY(grn_orthogonalise(s->x, s->c->R, s->k, length, pool));
        grn_progress_add(1);
    }
    GRN_TRY(grn_orthogonalise(s->x, s->c->R, s->k, sigma, pool)); /* B = Q'A = W S V': x = V; what is left for y is A V = U S */
    GRN_TRY(grn_par_for(pool, s->c->C, CELLS_PER_CHUNK, times_work, s));
end:
    grn_progress_end();
    return rc;
}

static grn_status deliver(const lsi_t *s, const double *sigma, uint32_t K, grn_lsi_t *l)
{
    grn_status rc = GRN_OK;
    const grn_corpus_t *c = s->c;
    float *depth = NULL, *column = NULL;
    while (K && sigma[K - 1] <= 0) K--;
    if (!K) return grn_err(GRN_EEMPTY, "the matrix has no component");
    l->K = K;
    GRN_TRY(GRN_NEW(l->theta, c->C * K));
    GRN_TRY(GRN_NEW(l->phi, c->R * K));
    GRN_TRY(GRN_NEW(l->sigma, K));
    GRN_TRY(GRN_NEW(l->depth_cor, K));
    GRN_TRY(GRN_NEW(depth, c->C));
    GRN_TRY(GRN_NEW(column, c->C));
    for (size_t i = 0; i < c->C; i++) depth[i] = log10f((float)(c->cell_n[i] ? c->cell_n[i] : 1));
    for (uint32_t k = 0; k < K; k++) {
        size_t top = 0;
        for (size_t r = 1; r < c->R; r++)
            if (fabs(s->x[r * s->k + k]) > fabs(s->x[top * s->k + k])) top = r;
        const double sign = s->x[top * s->k + k] < 0 ? -1 : 1;
        l->sigma[k] = sigma[k];
        for (size_t i = 0; i < c->R; i++) l->phi[i * K + k] = (float)(sign * s->x[c->region_place[i] * s->k + k]);
        for (size_t i = 0; i < c->C; i++) {
            l->theta[i * K + k] = (float)(sign * s->y[c->cell_place[i] * s->k + k]);
            column[i] = (float)(sign * s->y[i * s->k + k]);
        }
        l->depth_cor[k] = grn_corr_pearson(column, depth, c->C);
    }
end:
    free(depth);
    free(column);
    return rc;
}

grn_status grn_lsi_fit(const grn_corpus_t *c, const grn_lsi_opt_t *o, grn_par_t *pool, grn_lsi_t *l)
{
    grn_status rc = GRN_OK;
    double sigma[MAX_COMPONENTS + OVERSAMPLING];
    lsi_t s = { .c = c };
    memset(l, 0, sizeof *l);
    if (!o->K || o->K > MAX_COMPONENTS) GRN_FAIL(GRN_EINVAL, "%u components; 1 to %d are possible", o->K, MAX_COMPONENTS);
    size_t most = c->C < c->R ? c->C : c->R;
    s.k = o->K + OVERSAMPLING < most ? o->K + OVERSAMPLING : (uint32_t)most;
    GRN_TRY(set_up(&s, o));
    GRN_TRY(decompose(&s, o, sigma, pool));
    GRN_TRY(deliver(&s, sigma, o->K < s.k ? o->K : s.k, l));
end:
    free(s.idf);
    free(s.y);
    free(s.x);
    if (rc) grn_lsi_clear(l);
    return rc;
}
