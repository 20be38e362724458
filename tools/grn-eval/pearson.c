#include "grn-eval/pearson.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <cblas.h>

#include "base/mem.h"
#include "base/opt.h"

enum { BLOCK = 256 }; /* cells per matrix product: fixed, so that sums have one shape */

typedef struct {
    const grn_names_t *tf, *gene;
    uint32_t *tf_of, *gene_of; /* matrix column -> TF or gene index, UINT32_MAX: not asked for */
    double *x, *y;             /* (BLOCK, T), (BLOCK, G) */
    double *sx, *sxx, *sy, *syy, *sxy;
    uint64_t n;
} pearson_t;

static grn_status pearson_init(pearson_t *p, const grn_matrix_t *info, const grn_names_t *tf,
                               const grn_names_t *gene)
{
    grn_status rc;
    p->tf = tf;
    p->gene = gene;
    GRN_TRY(GRN_NEW(p->tf_of, info->n_cols));
    GRN_TRY(GRN_NEW(p->gene_of, info->n_cols));
    for (uint64_t c = 0; c < info->n_cols; c++) {
        size_t t = grn_names_find(tf, grn_names_get(&info->col, c)),
               g = grn_names_find(gene, grn_names_get(&info->col, c));
        p->tf_of[c] = t == GRN_NAMES_NONE ? UINT32_MAX : (uint32_t)t;
        p->gene_of[c] = g == GRN_NAMES_NONE ? UINT32_MAX : (uint32_t)g;
    }
    GRN_TRY(GRN_NEW(p->x, BLOCK * tf->n));
    GRN_TRY(GRN_NEW(p->y, BLOCK * gene->n));
    GRN_TRY(GRN_NEW(p->sx, tf->n));
    GRN_TRY(GRN_NEW(p->sxx, tf->n));
    GRN_TRY(GRN_NEW(p->sy, gene->n));
    GRN_TRY(GRN_NEW(p->syy, gene->n));
    GRN_TRY(GRN_NEW(p->sxy, tf->n * gene->n));
end:
    return rc;
}

static void pearson_clear(pearson_t *p)
{
    void *all[] = { p->tf_of, p->gene_of, p->x, p->y, p->sx, p->sxx, p->sy, p->syy, p->sxy };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]);
}

static void put_cell(pearson_t *p, const grn_matrix_t *m, uint64_t row, size_t k)
{
    size_t n;
    const uint32_t *idx;
    const float *val;
    double total = 0;
    grn_matrix_row(m, row, &n, &idx, &val);
    for (size_t i = 0; i < n; i++) total += val[i];
    for (size_t i = 0; i < n && total > 0; i++) {
        double v = log1p(1e4 * val[i] / total);
        if (p->tf_of[idx[i]] != UINT32_MAX) p->x[k * p->tf->n + p->tf_of[idx[i]]] = v;
        if (p->gene_of[idx[i]] != UINT32_MAX) p->y[k * p->gene->n + p->gene_of[idx[i]]] = v;
    }
}

static void add_moments(const double *v, size_t rows, size_t n, double *s, double *ss)
{
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < n; j++) {
            s[j] += v[i * n + j];
            ss[j] += v[i * n + j] * v[i * n + j];
        }
}

static void add_block(pearson_t *p, size_t rows)
{
    int T = (int)p->tf->n, G = (int)p->gene->n;
    add_moments(p->x, rows, p->tf->n, p->sx, p->sxx);
    add_moments(p->y, rows, p->gene->n, p->sy, p->syy);
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, T, G, (int)rows, 1, p->x, T, p->y, G, 1,
                p->sxy, G);
    memset(p->x, 0, BLOCK * p->tf->n * sizeof *p->x);
    memset(p->y, 0, BLOCK * p->gene->n * sizeof *p->y);
    p->n += rows;
}

static void finish(const pearson_t *p, double *score)
{
    double n = (double)p->n;
    for (size_t t = 0; t < p->tf->n; t++)
        for (size_t g = 0; g < p->gene->n; g++) {
            double vx = p->sxx[t] - p->sx[t] * p->sx[t] / n,
                   vy = p->syy[g] - p->sy[g] * p->sy[g] / n;
            double c = p->sxy[t * p->gene->n + g] - p->sx[t] * p->sy[g] / n;
            int ok = p->n >= 3 && vx > 1e-9 * p->sxx[t] && vy > 1e-9 * p->syy[g];
            score[t * p->gene->n + g] = ok ? fabs(c) / sqrt(vx * vy) : 0;
        }
}

/* Does row i of the block belong to the context? */
static int in_context(const grn_attr_t *type, const char *context, uint64_t i)
{
    return !context || (type->code[i] >= 0 &&
                        strcmp(grn_names_get(&type->levels, (size_t)type->code[i]), context) == 0);
}

grn_status grn_eval_pearson(const char *counts, const grn_counts_opt_t *opt, const char *context,
                            const grn_names_t *tf, const grn_names_t *gene, double *score,
                            uint64_t *n_cells)
{
    grn_status rc = GRN_OK;
    grn_mr_t *r = NULL;
    grn_matrix_t block = { 0 };
    pearson_t p = { 0 };
    size_t k = 0;
    int got;
    GRN_TRY(grn_mr_open(&r, counts, opt, grn_common.pool));
    GRN_TRY(pearson_init(&p, grn_mr_info(r), tf, gene));
    while ((got = grn_mr_next(r, 4096, &block)) > 0) {
        const grn_attr_t *type = grn_attr_find(&block.row_attr, "cell_type");
        if (context && (!type || !type->code))
            GRN_FAIL(GRN_EINVAL, "'%s' has no cell types; give --cells or leave out --by-context",
                     counts);
        GRN_TRY(grn_matrix_to_csr(&block));
        for (uint64_t i = 0; i < block.n_rows; i++) {
            if (!in_context(type, context, i)) continue;
            put_cell(&p, &block, i, k);
            if (++k == BLOCK) {
                add_block(&p, k);
                k = 0;
            }
        }
        grn_matrix_clear(&block);
    }
    if (got < 0) GRN_TRY((grn_status)got);
    add_block(&p, k);
    finish(&p, score);
    *n_cells = p.n;
end:
    grn_mr_close(r);
    grn_matrix_clear(&block);
    pearson_clear(&p);
    return rc;
}
