#include "grn-coexpr/links.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"
#include "stat/corr.h"

enum { BLOCK = 128 }; /* genes per side of a matrix product */

/* ---- one context as sparse columns ---- */

typedef struct {
    size_t n, n_genes; /* cells, kept genes */
    uint64_t *off;     /* (kept + 1) */
    uint32_t *idx;
    float *val;
    uint32_t *gene; /* (kept) universe id, ascending */
    grn_corr_cols_t col;
} slice_t;

static void slice_clear(slice_t *s)
{
    grn_corr_cols_clear(&s->col);
    free(s->off);
    free(s->idx);
    free(s->val);
    free(s->gene);
    memset(s, 0, sizeof *s);
}

/* The matrix with its genes renumbered in name order, and what normalisation it gets. */
typedef struct {
    const grn_matrix_t *m;
    const coexpr_opt_t *opt;
    uint32_t *id; /* (G) column -> universe id */
    int logged;
} source_t;

static float normalised(const source_t *s, float x, double total)
{
    return s->logged ? (float)log1p(1e4 * (double)x / total) : x;
}

/* Columns of the genes detected in enough of the cells cell[0..n). */
static grn_status slice_make(const source_t *src, const uint32_t *cell, size_t n, slice_t *s, grn_par_t *pool)
{
    grn_status rc = GRN_OK;
    const grn_matrix_t *m = src->m;
    uint64_t *count = NULL;
    uint32_t *place = NULL;
    GRN_TRY(GRN_NEW(count, (size_t)m->n_cols + 1));
    GRN_TRY(GRN_NEW(place, (size_t)m->n_cols));
    GRN_TRY(GRN_NEW(s->gene, (size_t)m->n_cols));
    s->n = n;
    for (size_t i = 0; i < n; i++)
        for (uint64_t k = m->indptr[cell[i]]; k < m->indptr[cell[i] + 1]; k++) count[src->id[m->indices[k]]]++;
    for (uint32_t g = 0; g < m->n_cols; g++) {
        place[g] = UINT32_MAX;
        if (count[g] < (uint64_t)src->opt->min_cells) continue;
        place[g] = (uint32_t)s->n_genes;
        s->gene[s->n_genes++] = g;
    }
    GRN_TRY(GRN_NEW(s->off, s->n_genes + 1));
    for (size_t j = 0; j < s->n_genes; j++) s->off[j + 1] = s->off[j] + count[s->gene[j]];
    GRN_TRY(GRN_NEW(s->idx, (size_t)s->off[s->n_genes]));
    GRN_TRY(GRN_NEW(s->val, (size_t)s->off[s->n_genes]));
    for (size_t j = 0; j < s->n_genes; j++) count[j] = s->off[j]; /* from now on: next free place */
    for (size_t i = 0; i < n; i++) {
        double total = 0;
        for (uint64_t k = m->indptr[cell[i]]; k < m->indptr[cell[i] + 1]; k++) total += (double)m->data[k];
        for (uint64_t k = m->indptr[cell[i]]; k < m->indptr[cell[i] + 1]; k++) {
            uint32_t j = place[src->id[m->indices[k]]];
            if (j == UINT32_MAX) continue;
            s->idx[count[j]] = (uint32_t)i;
            s->val[count[j]++] = normalised(src, m->data[k], total);
        }
    }
    GRN_TRY(grn_corr_cols_init(&s->col, n, s->n_genes, s->off, s->idx, s->val, pool));
end:
    free(count);
    free(place);
    return rc;
}

/* ---- the best k of every gene ---- */

typedef struct {
    float r;       /* |r| */
    uint32_t gene; /* of the slice */
} partner_t;

/* Worse first: smaller |r|, then the later name. */
static int worse(partner_t a, partner_t b) { return a.r != b.r ? a.r < b.r : a.gene > b.gene; }

/* Min-heap by `worse` of at most `cap` partners. */
static void heap_offer(partner_t *h, size_t *n, size_t cap, partner_t p)
{
    size_t k = 0;
    if (*n < cap) {
        for (k = (*n)++; k > 0 && worse(p, h[(k - 1) / 2]); k = (k - 1) / 2) h[k] = h[(k - 1) / 2];
        h[k] = p;
        return;
    }
    if (!worse(h[0], p)) return;
    for (size_t c; (c = 2 * k + 1) < *n; k = c) {
        if (c + 1 < *n && worse(h[c + 1], h[c])) c++;
        if (!worse(h[c], p)) break;
        h[k] = h[c];
    }
    h[k] = p;
}

typedef struct {
    const slice_t *s;
    const coexpr_opt_t *opt;
    partner_t *best; /* (genes, top) */
    size_t *n_best;  /* (genes) */
    float *r;        /* (genes, top) signed, exact */
    float **work;    /* per worker: two blocks, one product, two columns */
} job_t;

/* Genes begin..end-1 as unit vectors: (end - begin, n) row-major; constant genes are zero. */
static void standardise(const slice_t *s, coexpr_method method, size_t begin, size_t end, float *z)
{
    for (size_t j = begin; j < end; j++, z += s->n) {
        const float *v = method == COEXPR_SPEARMAN ? s->col.rank : s->val;
        double mean = method == COEXPR_SPEARMAN ? s->col.rank_mean[j] : s->col.mean[j];
        double norm = method == COEXPR_SPEARMAN ? s->col.rank_norm[j] : s->col.norm[j];
        double inv = norm > 0 ? 1 / norm : 0;
        float rest = (float)(-mean * inv);
        for (size_t i = 0; i < s->n; i++) z[i] = rest;
        for (uint64_t k = s->off[j]; k < s->off[j + 1]; k++) z[s->idx[k]] = (float)((double)(v[k] - mean) * inv);
    }
}

/* Exact correlations of the chosen partners of one gene, best first. col: 2 n zeroed floats. */
static void settle(const job_t *job, size_t j, float *col)
{
    const slice_t *s = job->s;
    partner_t *b = job->best + j * (size_t)job->opt->top;
    float *r = job->r + j * (size_t)job->opt->top;
    grn_corr_spread(&s->col, j, col, col + s->n);
    for (size_t k = 0; k < job->n_best[j]; k++) {
        double pearson, spearman;
        grn_corr_pair(&s->col, b[k].gene, &s->col, j, col, col + s->n, &pearson, &spearman);
        r[k] = (float)(job->opt->method == COEXPR_SPEARMAN ? spearman : pearson);
    }
    grn_corr_drop(&s->col, j, col, col + s->n);
}

static grn_status top_chunk(void *ctx, size_t begin, size_t end, int worker)
{
    job_t *job = ctx;
    const slice_t *s = job->s;
    size_t top = (size_t)job->opt->top, rows = end - begin;
    float *zi, *zj, *gram;
    if (!job->work[worker] && !(job->work[worker] = grn_calloc(2 * BLOCK * s->n + BLOCK * BLOCK + 2 * s->n, sizeof(float))))
        return GRN_ENOMEM;
    zi = job->work[worker];
    zj = zi + BLOCK * s->n;
    gram = zj + BLOCK * s->n;
    standardise(s, job->opt->method, begin, end, zi);
    for (size_t j0 = 0; j0 < s->n_genes; j0 += BLOCK) {
        size_t cols = s->n_genes - j0 < BLOCK ? s->n_genes - j0 : BLOCK;
        standardise(s, job->opt->method, j0, j0 + cols, zj);
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)rows, (int)cols, (int)s->n, 1, zi, (int)s->n, zj, (int)s->n, 0,
                    gram, BLOCK);
        for (size_t i = 0; i < rows; i++)
            for (size_t j = 0; j < cols; j++) {
                float r = fabsf(gram[i * BLOCK + j]);
                if (j0 + j == begin + i || !(r >= (float)job->opt->min_r) || r == 0) continue;
                heap_offer(job->best + (begin + i) * top, &job->n_best[begin + i], top, (partner_t){ r, (uint32_t)(j0 + j) });
            }
    }
    for (size_t i = begin; i < end; i++) settle(job, i, gram + BLOCK * BLOCK);
    grn_progress_add(rows);
    return GRN_OK;
}

/* ---- what chance gives ---- */

static int compare_double(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* |r| of random pairs of genes after the cells of one were shuffled: quantiles into stat. */
static grn_status null_quantiles(const slice_t *s, const coexpr_opt_t *opt, const char *context, coexpr_stat_t *stat)
{
    grn_status rc = GRN_OK;
    size_t n = (size_t)opt->n_null, m = 0;
    double *r = NULL;
    float *col = NULL;
    uint32_t *perm = NULL;
    GRN_TRY(GRN_NEW(r, n));
    GRN_TRY(GRN_NEW(col, 2 * s->n));
    GRN_TRY(GRN_NEW(perm, s->n));
    for (size_t k = 0; k < n && s->n_genes > 1; k++) {
        grn_rng_t rng;
        double pearson, spearman, x;
        grn_rng_init2(&rng, opt->seed, "coexpr.null", grn_hash_str(context), k);
        size_t i = (size_t)grn_rng_below(&rng, s->n_genes), j = (size_t)grn_rng_below(&rng, s->n_genes);
        for (size_t c = 0; c < s->n; c++) perm[c] = (uint32_t)c;
        grn_rng_shuffle_u32(&rng, perm, s->n);
        for (uint64_t e = s->off[j]; e < s->off[j + 1]; e++) {
            col[perm[s->idx[e]]] = s->val[e];
            col[s->n + perm[s->idx[e]]] = s->col.rank[e];
        }
        grn_corr_pair(&s->col, i, &s->col, j, col, col + s->n, &pearson, &spearman);
        x = fabs(opt->method == COEXPR_SPEARMAN ? spearman : pearson);
        if (isfinite(x)) r[m++] = x;
        memset(col, 0, 2 * s->n * sizeof *col);
    }
    if (m == 0) goto end;
    qsort(r, m, sizeof *r, compare_double);
    stat->null_q95 = r[(size_t)(0.95 * (double)(m - 1))];
    stat->null_q99 = r[(size_t)(0.99 * (double)(m - 1))];
    stat->null_q999 = r[(size_t)(0.999 * (double)(m - 1))];
end:
    free(r);
    free(col);
    free(perm);
    return rc;
}

/* ---- contexts ---- */

typedef struct { /* links of all contexts */
    uint32_t *u, *v;
    float *r;
    uint16_t *context;
    size_t n, cap_u, cap_v, cap_r, cap_c;
} list_t;

static void list_clear(list_t *l)
{
    free(l->u);
    free(l->v);
    free(l->r);
    free(l->context);
}

static grn_status collect(const slice_t *s, const job_t *job, uint16_t context, list_t *l, coexpr_stat_t *stat)
{
    grn_status rc = GRN_OK;
    double *all = NULL;
    size_t top = (size_t)job->opt->top, total = 0;
    for (size_t j = 0; j < s->n_genes; j++) total += job->n_best[j];
    GRN_TRY(GRN_NEW(all, total));
    GRN_TRY(GRN_GROW(l->u, l->cap_u, l->n + total));
    GRN_TRY(GRN_GROW(l->v, l->cap_v, l->n + total));
    GRN_TRY(GRN_GROW(l->r, l->cap_r, l->n + total));
    GRN_TRY(GRN_GROW(l->context, l->cap_c, l->n + total));
    for (size_t j = 0; j < s->n_genes; j++)
        for (size_t k = 0; k < job->n_best[j]; k++) {
            float r = job->r[j * top + k];
            if (!isfinite(r)) continue;
            l->u[l->n] = s->gene[j];
            l->v[l->n] = s->gene[job->best[j * top + k].gene];
            l->r[l->n] = r;
            l->context[l->n++] = context;
            all[stat->n_links++] = fabs((double)r);
        }
    if (stat->n_links > 0) {
        qsort(all, stat->n_links, sizeof *all, compare_double);
        stat->weakest_r = all[0];
        stat->median_r = all[stat->n_links / 2];
    }
end:
    free(all);
    return rc;
}

static grn_status do_context(const source_t *src, const coexpr_groups_t *g, size_t k, grn_par_t *pool, list_t *l,
                             coexpr_stat_t *stat)
{
    grn_status rc = GRN_OK;
    const coexpr_opt_t *opt = src->opt;
    slice_t s = { 0 };
    job_t job = { &s, opt, NULL, NULL, NULL, NULL };
    GRN_TRY(slice_make(src, g->cell + g->off[k], (size_t)stat->n_cells, &s, pool));
    stat->n_genes = s.n_genes;
    GRN_TRY(GRN_NEW(job.best, s.n_genes * (size_t)opt->top));
    GRN_TRY(GRN_NEW(job.n_best, s.n_genes));
    GRN_TRY(GRN_NEW(job.r, s.n_genes * (size_t)opt->top));
    GRN_TRY(GRN_NEW(job.work, (size_t)grn_par_n(pool)));
    grn_progress_begin(s.n_genes, "genes");
    rc = grn_par_for(pool, s.n_genes, BLOCK, top_chunk, &job);
    grn_progress_end();
    if (rc != GRN_OK) goto end;
    GRN_TRY(collect(&s, &job, (uint16_t)k, l, stat));
    if (opt->n_null > 0) GRN_TRY(null_quantiles(&s, opt, grn_names_get(&g->names, k), stat));
end:
    for (int w = 0; job.work && w < grn_par_n(pool); w++) free(job.work[w]);
    free(job.work);
    free(job.best);
    free(job.n_best);
    free(job.r);
    slice_clear(&s);
    return rc;
}

/* Genes detected per cell and the ordered pairs that the clique would hold. */
static void clique_stat(const grn_matrix_t *m, const coexpr_groups_t *g, size_t k, coexpr_stat_t *stat)
{
    double genes = 0, pairs = 0, n = (double)(g->off[k + 1] - g->off[k]);
    for (uint64_t i = g->off[k]; i < g->off[k + 1]; i++) {
        double d = (double)(m->indptr[g->cell[i] + 1] - m->indptr[g->cell[i]]);
        genes += d;
        pairs += d * (d - 1);
    }
    stat->mean_detected = n > 0 ? genes / n : 0;
    stat->implied = n > 0 ? pairs / n : 0;
}

static grn_status to_edges(const list_t *l, grn_edges_t *out)
{
    grn_status rc = GRN_OK;
    GRN_TRY(grn_edges_alloc(out, l->n, "tf,gene,context,sign,weight"));
    for (size_t i = 0; i < l->n; i++) {
        out->tf[i] = l->u[i];
        out->gene[i] = l->v[i];
        out->context[i] = l->context[i];
        out->sign[i] = l->r[i] < 0 ? -1 : 1;
        out->weight[i] = fabsf(l->r[i]);
    }
    if (l->n > 0) rc = grn_edges_sort(out); /* the empty list keeps its dictionaries: they are the clique */
end:
    return rc;
}

/* Genes in name order: dictionary of the output and column -> id. */
static grn_status universe(source_t *src, grn_edges_t *out)
{
    grn_status rc = GRN_OK;
    uint32_t *order = NULL;
    GRN_TRY(GRN_NEW(order, (size_t)src->m->n_cols));
    GRN_TRY(GRN_NEW(src->id, (size_t)src->m->n_cols));
    GRN_TRY(grn_names_sort(&src->m->col, order));
    for (uint32_t i = 0; i < src->m->n_cols; i++) {
        src->id[order[i]] = i;
        GRN_TRY(grn_names_add(&out->genes, grn_names_get(&src->m->col, order[i]), NULL, NULL));
    }
    src->logged = src->opt->norm == COEXPR_NORM_LOG;
    if (src->opt->norm == COEXPR_NORM_AUTO) {
        src->logged = 1;
        for (uint64_t k = 0; k < src->m->indptr[src->m->n_rows] && src->logged; k++)
            src->logged = src->m->data[k] >= 0 && src->m->data[k] == floorf(src->m->data[k]);
    }
end:
    free(order);
    return rc;
}

grn_status coexpr_links(const grn_matrix_t *m, const coexpr_groups_t *g, const coexpr_opt_t *opt, grn_par_t *pool,
                        grn_edges_t *out, coexpr_stat_t *stat)
{
    grn_status rc = GRN_OK;
    source_t src = { m, opt, NULL, 0 };
    list_t l = { 0 };
    size_t n_used = 0;
    memset(out, 0, sizeof *out);
    GRN_TRY(universe(&src, out));
    GRN_TRY(grn_names_dup(&out->contexts, &g->names));
    for (size_t k = 0; k < g->names.n; k++) {
        stat[k] = (coexpr_stat_t){ .n_cells = g->off[k + 1] - g->off[k],
                                   .median_r = NAN,
                                   .weakest_r = NAN,
                                   .null_q95 = NAN,
                                   .null_q99 = NAN,
                                   .null_q999 = NAN };
        clique_stat(m, g, k, &stat[k]);
        if (stat[k].n_cells < (uint64_t)opt->min_context) continue;
        n_used++;
        if (opt->method != COEXPR_CLIQUE) GRN_TRY(do_context(&src, g, k, pool, &l, &stat[k]));
    }
    if (n_used == 0) GRN_FAIL(GRN_EEMPTY, "none of %zu contexts has %lld cells", g->names.n, (long long)opt->min_context);
    if (opt->method != COEXPR_CLIQUE && l.n == 0)
        GRN_FAIL(GRN_EEMPTY, "no link with |r| >= %g in %zu contexts", opt->min_r, n_used);
    GRN_TRY(to_edges(&l, out));
end:
    list_clear(&l);
    free(src.id);
    if (rc != GRN_OK) grn_edges_clear(out);
    return rc;
}
