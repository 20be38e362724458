/* Counts of reference and query to principal components of the reference (space.h). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "pca.h"
#include "space.h"

#define SCALE 10000.0
#define BLOCK 4096      /* query cells at a time */
#define LEAST_SHARE 0.1 /* of the genes of the smaller matrix that must be shared */

typedef struct { /* genes in both, in bytewise order of their names */
    size_t n;
    uint32_t *in_reference, *in_query;
} shared_t;

static void shared_clear(shared_t *s)
{
    free(s->in_reference);
    free(s->in_query);
}

static grn_status match(const grn_names_t *r, const char *reference, const grn_names_t *q, const char *query, shared_t *s)
{
    grn_status rc = GRN_OK;
    GRN_TRY(GRN_NEW_RAW(s->in_reference, r->n));
    GRN_TRY(GRN_NEW_RAW(s->in_query, r->n));
    GRN_TRY(grn_names_sort(r, s->in_reference));
    for (size_t i = 0; i < r->n; i++) {
        size_t k = grn_names_find(q, grn_names_get(r, s->in_reference[i]));
        if (k == GRN_NAMES_NONE) continue;
        s->in_reference[s->n] = s->in_reference[i];
        s->in_query[s->n++] = (uint32_t)k;
    }
    double smaller = (double)(r->n < q->n ? r->n : q->n);
    if (s->n < 2 || (double)s->n < LEAST_SHARE * smaller)
        GRN_FAIL(GRN_EEMPTY, "%zu of %zu genes of '%s' are among the %zu of '%s'; first names: %s vs %s (--gene-names)", s->n, r->n,
                 reference, q->n, query, grn_names_get(r, 0), grn_names_get(q, 0));
    (s->n < 0.5 * smaller ? grn_log_warn : grn_log_info)("%zu genes are in both: of %zu of the reference, %zu of the query", s->n, r->n,
                                                         q->n);
end:
    return rc;
}

/* total[i] = sum of row i, where use[column] (NULL: all columns). Whole numbers: exact in any order. */
static void totals(const grn_matrix_t *m, const uint8_t *use, double *total)
{
    for (uint64_t i = 0; i < m->n_rows; i++) {
        total[i] = 0;
        for (uint64_t e = m->indptr[i]; e < m->indptr[i + 1]; e++)
            if (!use || use[m->indices[e]]) total[i] += m->data[e];
    }
}

static void normalise(grn_matrix_t *m, const double *total)
{
    for (uint64_t i = 0; i < m->n_rows; i++)
        for (uint64_t e = m->indptr[i]; e < m->indptr[i + 1]; e++) m->data[e] = (float)log1p(SCALE * m->data[e] / total[i]);
}

/* Reference: the shared genes, cells that have any, normalised. */
static grn_status prepare(grn_matrix_t *m, const char *reference, const shared_t *s)
{
    grn_status rc = GRN_OK;
    grn_matrix_t some = { 0 };
    double *total = NULL;
    uint32_t *keep = NULL, n = 0;
    GRN_TRY(grn_matrix_pick_cols(m, s->in_reference, s->n, &some));
    grn_matrix_clear(m);
    GRN_TRY(GRN_NEW_RAW(total, some.n_rows));
    GRN_TRY(GRN_NEW_RAW(keep, some.n_rows));
    totals(&some, NULL, total);
    for (uint32_t i = 0; i < some.n_rows; i++)
        if (total[i] > 0) keep[n++] = i;
    if (n < some.n_rows)
        grn_log_warn("%llu of %llu reference cells have no count of a shared gene: left out", (unsigned long long)(some.n_rows - n),
                     (unsigned long long)some.n_rows);
    if (n == 0) GRN_FAIL(GRN_EEMPTY, "no cell of '%s' has a count of a shared gene", reference);
    GRN_TRY(grn_matrix_pick_rows(&some, keep, n, m));
    for (uint32_t i = 0; i < n; i++) total[i] = total[keep[i]];
    normalise(m, total);
end:
    free(total);
    free(keep);
    grn_matrix_clear(&some);
    return rc;
}

typedef struct {
    double variance;
    uint32_t gene;
} varied_t;

static int by_variance(const void *a, const void *b)
{
    const varied_t *x = a, *y = b;
    if (x->variance != y->variance) return x->variance < y->variance ? 1 : -1;
    return x->gene < y->gene ? -1 : x->gene > y->gene;
}

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

/* The `want` genes of largest variance over the cells (0: all), ascending, of equal ones the first by name. */
static grn_status choose(const grn_matrix_t *m, size_t want, uint32_t **chosen, size_t *n)
{
    grn_status rc = GRN_OK;
    varied_t *v = NULL;
    double *sum = NULL, *square = NULL;
    const uint64_t G = m->n_cols;
    *n = want && want < G ? want : G;
    GRN_TRY(GRN_NEW_RAW(*chosen, G));
    GRN_TRY(GRN_NEW(v, G));
    GRN_TRY(GRN_NEW(sum, G));
    GRN_TRY(GRN_NEW(square, G));
    for (uint64_t e = 0; e < m->indptr[m->n_rows]; e++) {
        sum[m->indices[e]] += m->data[e];
        square[m->indices[e]] += (double)m->data[e] * m->data[e];
    }
    for (uint32_t g = 0; g < G; g++)
        v[g] = (varied_t){ square[g] / (double)m->n_rows - (sum[g] / (double)m->n_rows) * (sum[g] / (double)m->n_rows), g };
    qsort(v, G, sizeof *v, by_variance);
    for (size_t i = 0; i < *n; i++) (*chosen)[i] = v[i].gene;
    qsort(*chosen, *n, sizeof **chosen, by_number);
end:
    free(v);
    free(sum);
    free(square);
    return rc;
}

/* Genes and components of the cells of m (NULL: all of them), and the scores of these cells. */
static grn_status components(const space_t *s, const uint32_t *cell, size_t n, grn_par_t *pool, uint32_t **chosen, pca_t *pca,
                             float **score)
{
    grn_status rc = GRN_OK;
    grn_matrix_t rows = { 0 }, some = { 0 };
    size_t n_chosen;
    if (cell) GRN_TRY(grn_matrix_pick_rows(&s->expression, cell, n, &rows));
    const grn_matrix_t *m = cell ? &rows : &s->expression;
    GRN_TRY(choose(m, s->genes, chosen, &n_chosen));
    GRN_TRY(grn_matrix_pick_cols(m, *chosen, n_chosen, &some));
    grn_matrix_clear(&rows);
    GRN_TRY(pca_fit(&some, s->pcs, s->seed, pool, pca));
    GRN_TRY(GRN_NEW_RAW(*score, some.n_rows * pca->K));
    rc = pca_project(pca, &some, pool, *score);
end:
    grn_matrix_clear(&rows);
    grn_matrix_clear(&some);
    return rc;
}

grn_status expression_split(const space_t *s, const uint32_t *rest, size_t n_rest, const uint32_t *held, size_t n_held, grn_par_t *pool,
                            float **x_rest, float **x_held, size_t *d)
{
    grn_status rc = GRN_OK;
    grn_matrix_t rows = { 0 }, some = { 0 };
    pca_t pca = { 0 };
    uint32_t *chosen = NULL;
    GRN_TRY(components(s, rest, n_rest, pool, &chosen, &pca, x_rest));
    GRN_TRY(grn_matrix_pick_rows(&s->expression, held, n_held, &rows));
    GRN_TRY(grn_matrix_pick_cols(&rows, chosen, pca.G, &some));
    *d = pca.K;
    GRN_TRY(GRN_NEW_RAW(*x_held, n_held * pca.K));
    rc = pca_project(&pca, &some, pool, *x_held);
end:
    free(chosen);
    pca_clear(&pca);
    grn_matrix_clear(&rows);
    grn_matrix_clear(&some);
    return rc;
}

static grn_status check_counts(const grn_matrix_t *b, const char *query)
{
    for (uint64_t i = 0; i < b->n_rows; i++)
        for (uint64_t e = b->indptr[i]; e < b->indptr[i + 1]; e++)
            if (!(b->data[e] >= 0 && b->data[e] == rintf(b->data[e])))
                return grn_err(GRN_EFORMAT, "'%s': %g in cell '%s' is no count; raw counts are expected", query, (double)b->data[e],
                               grn_names_get(&b->row, i));
    return GRN_OK;
}

/* One block of query cells; pick: the query's columns of the genes of the components. */
static grn_status project_block(grn_matrix_t *b, const char *query, const uint8_t *use, const uint32_t *pick, const pca_t *pca,
                                grn_par_t *pool, points_t *q, size_t at)
{
    grn_status rc = GRN_OK;
    grn_matrix_t some = { 0 };
    double *total = NULL;
    GRN_TRY(grn_matrix_to_csr(b));
    GRN_TRY(check_counts(b, query));
    GRN_TRY(GRN_NEW_RAW(total, b->n_rows));
    totals(b, use, total);
    GRN_TRY(grn_matrix_pick_cols(b, pick, pca->G, &some));
    normalise(&some, total);
    GRN_TRY(pca_project(pca, &some, pool, q->x + at * q->d));
    for (uint64_t i = 0; i < b->n_rows; i++) q->no_count[at + i] = total[i] == 0;
end:
    free(total);
    grn_matrix_clear(&some);
    return rc;
}

static grn_status query_points(grn_mr_t *in, const char *query, const shared_t *s, const uint32_t *chosen, const pca_t *pca,
                               grn_par_t *pool, points_t *q)
{
    grn_status rc = GRN_OK;
    grn_matrix_t b = { 0 };
    const grn_matrix_t *info = grn_mr_info(in);
    uint8_t *use = NULL;
    uint32_t *pick = NULL;
    int got = 0;
    q->n = info->n_rows;
    q->d = pca->K;
    GRN_TRY(grn_names_dup(&q->name, &info->row));
    GRN_TRY(GRN_NEW_RAW(q->x, q->n * q->d));
    GRN_TRY(GRN_NEW(q->no_count, q->n));
    GRN_TRY(GRN_NEW(use, info->n_cols));
    GRN_TRY(GRN_NEW_RAW(pick, pca->G));
    for (size_t i = 0; i < s->n; i++) use[s->in_query[i]] = 1;
    for (uint64_t g = 0; g < pca->G; g++) pick[g] = s->in_query[chosen[g]];
    grn_mr_bare(in);
    for (size_t at = 0; (got = grn_mr_next(in, BLOCK, &b)) > 0; at += b.n_rows)
        GRN_TRY(project_block(&b, query, use, pick, pca, pool, q, at));
    if (got < 0) rc = (grn_status)got;
end:
    grn_matrix_clear(&b);
    free(use);
    free(pick);
    return rc;
}

grn_status expression_load(grn_matrix_t *m, const char *reference, const char *query, const space_opt_t *o, grn_par_t *pool, space_t *s)
{
    grn_status rc = GRN_OK;
    grn_mr_t *in = NULL;
    grn_counts_opt_t read = *o->read;
    shared_t shared = { 0 };
    pca_t pca = { 0 };
    uint32_t *chosen = NULL;
    points_t *r = &s->reference;
    read.cells_tsv = read.cell_type = read.donor = NULL;
    read.require_counts = 1;
    GRN_TRY(grn_matrix_to_csr(m));
    GRN_TRY(grn_mr_open(&in, query, &read, pool));
    GRN_TRY(match(&m->col, reference, &grn_mr_info(in)->col, query, &shared));
    GRN_TRY(prepare(m, reference, &shared));
    s->expression = *m;
    *m = (grn_matrix_t){ 0 };
    GRN_TRY(components(s, NULL, 0, pool, &chosen, &pca, &r->x));
    r->n = s->expression.n_rows;
    r->d = pca.K;
    GRN_TRY(grn_names_dup(&r->name, &s->expression.row));
    GRN_TRY(grn_attrs_dup(&r->attr, &s->expression.row_attr, r->n));
    GRN_TRY(query_points(in, query, &shared, chosen, &pca, pool, &s->query));
    grn_log_info(
        "%zu reference cells, %zu query cells: %u principal components of the %llu genes of largest variance hold %.1f %% of it", r->n,
        s->query.n, pca.K, (unsigned long long)pca.G, 100 * pca.share);
end:
    grn_mr_close(in);
    shared_clear(&shared);
    pca_clear(&pca);
    free(chosen);
    return rc;
}
