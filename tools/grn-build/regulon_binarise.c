#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/opt.h"
#include "regulon_priv.h"
#include "stat/basca.h"

size_t grn_n_binarisations(const grn_binarise_opt_t *o)
{
    return o->n_quantile + o->n_top_regions + o->n_top_genes + (size_t)(o->basca != 0);
}

/* Bits: quantiles, top regions, BASC, top genes; in the order of the options. */
typedef struct {
    grn_regulon_t *g;
    size_t first_genes, n;
    double **x; /* per worker: (largest group) */
    grn_basca_t *basca;
    int n_workers;
} binarise_t;

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double quantile(const double *x, size_t n, double p) /* type 7 */
{
    double h = (double)(n - 1) * p, k = floor(h);
    size_t i = (size_t)k;
    return i + 1 < n ? x[i] + (h - k) * (x[i + 1] - x[i]) : x[n - 1];
}

/* A link takes part in the table of one sign when its importance is a number. */
static int is_in(const grn_regulon_t *g, uint32_t row, int negative)
{
    return (g->r_rg[row] < 0) == negative && !isnan(g->imp_rg[row]);
}

/* The importances of a group's links of one sign, sorted. */
static size_t sorted(const grn_regulon_t *g, const uint32_t *row, size_t n_row, int negative, double *x)
{
    size_t n = 0;
    for (size_t i = 0; i < n_row; i++)
        if (is_in(g, row[i], negative)) x[n++] = (double)g->imp_rg[row[i]];
    if (n) qsort(x, n, sizeof *x, ascending);
    return n;
}

/* Sets bit b of the links with importance above the threshold, or at it. */
static void mark(grn_regulon_t *g, const uint32_t *row, size_t n_row, int negative, double threshold, int at_too, size_t b)
{
    for (size_t i = 0; i < n_row; i++) {
        double x = (double)g->imp_rg[row[i]];
        if (is_in(g, row[i], negative) && (x > threshold || (at_too && x == threshold))) g->on[row[i]] |= (uint32_t)1 << b;
    }
}

static void mark_top(grn_regulon_t *g, const uint32_t *row, size_t n_row, int negative, const double *x, size_t n, size_t top, size_t b)
{
    mark(g, row, n_row, negative, x[n > top ? n - top : 0], 1, b);
}

static grn_status of_genes(void *ctx, size_t begin, size_t end, int worker)
{
    grn_status rc = GRN_OK;
    binarise_t *z = ctx;
    grn_regulon_t *g = z->g;
    const grn_binarise_opt_t *o = &g->opt->binarise;
    double *x = z->x[worker], threshold;
    for (size_t k = begin; k < end; k++) {
        const uint32_t *row = g->by_gene.row + g->by_gene.off[k];
        size_t n_row = g->by_gene.off[k + 1] - g->by_gene.off[k];
        for (int negative = 0; negative < 2; negative++) {
            size_t b = 0, n = sorted(g, row, n_row, negative, x);
            if (!n) continue;
            for (size_t i = 0; i < o->n_quantile; i++, b++) mark(g, row, n_row, negative, quantile(x, n, o->quantile[i]), 0, b);
            for (size_t i = 0; i < o->n_top_regions; i++, b++) mark_top(g, row, n_row, negative, x, n, o->top_regions[i], b);
            if (!o->basca) continue;
            GRN_TRY(grn_basca(&z->basca[worker], x, n, &threshold));
            mark(g, row, n_row, negative, threshold, 0, b);
        }
    }
end:
    return rc;
}

static grn_status of_regions(void *ctx, size_t begin, size_t end, int worker)
{
    binarise_t *z = ctx;
    grn_regulon_t *g = z->g;
    const grn_binarise_opt_t *o = &g->opt->binarise;
    for (size_t k = begin; k < end; k++) {
        const uint32_t *row = g->by_region.row + g->by_region.off[k];
        size_t n_row = g->by_region.off[k + 1] - g->by_region.off[k];
        for (int negative = 0; negative < 2; negative++) {
            size_t n = sorted(g, row, n_row, negative, z->x[worker]);
            for (size_t i = 0; n && i < o->n_top_genes; i++)
                mark_top(g, row, n_row, negative, z->x[worker], n, o->top_genes[i], z->first_genes + i);
        }
    }
    return GRN_OK;
}

/* Genes with too few regions in a binarisation leave it. */
static grn_status drop_genes(void *ctx, size_t begin, size_t end, int worker)
{
    binarise_t *z = ctx;
    grn_regulon_t *g = z->g;
    (void)worker;
    for (size_t k = begin; k < end; k++) {
        for (size_t b = 0; b < 2 * z->n; b++) {
            uint64_t n = 0;
            uint32_t bit = (uint32_t)1 << b / 2;
            for (size_t i = g->by_gene.off[k]; i < g->by_gene.off[k + 1]; i++) {
                uint32_t row = g->by_gene.row[i];
                n += (g->on[row] & bit) && (g->r_rg[row] < 0) == (int)(b & 1);
            }
            for (size_t i = g->by_gene.off[k]; n < g->opt->binarise.min_regions && i < g->by_gene.off[k + 1]; i++)
                if ((g->r_rg[g->by_gene.row[i]] < 0) == (int)(b & 1)) g->on[g->by_gene.row[i]] &= ~bit;
        }
    }
    return GRN_OK;
}

static size_t largest(const grn_links_t *l)
{
    size_t n = 0;
    for (size_t k = 0; k < l->n; k++)
        if (l->off[k + 1] - l->off[k] > n) n = l->off[k + 1] - l->off[k];
    return n;
}

grn_status grn_regulon_binarise(grn_regulon_t *g)
{
    grn_status rc = GRN_OK;
    const grn_binarise_opt_t *o = &g->opt->binarise;
    binarise_t z = { .g = g, .n = grn_n_binarisations(o), .n_workers = grn_par_n(grn_common.pool) };
    size_t room = largest(&g->by_gene), in_region = largest(&g->by_region), n = g->by_region.off[g->by_region.n], kept = 0;
    z.first_genes = z.n - o->n_top_genes;
    if (in_region > room) room = in_region;
    GRN_TRY(GRN_NEW(g->on, g->rg.n));
    GRN_TRY(GRN_NEW(z.x, (size_t)z.n_workers));
    GRN_TRY(GRN_NEW(z.basca, (size_t)z.n_workers));
    for (int w = 0; w < z.n_workers; w++) GRN_TRY(GRN_NEW_RAW(z.x[w], room));
    GRN_TRY(grn_par_for(grn_common.pool, g->by_gene.n, 16, of_genes, &z));
    if (o->n_top_genes) GRN_TRY(grn_par_for(grn_common.pool, g->by_region.n, 64, of_regions, &z));
    if (o->min_regions) GRN_TRY(grn_par_for(grn_common.pool, g->by_gene.n, 64, drop_genes, &z));
    for (size_t i = 0; i < g->rg.n; i++) kept += g->on[i] != 0;
    GRN_TRY(grn_funnel_add(&g->funnel, "links", kept, n - kept, "region-gene links that count in one of %zu binarisations", z.n));
end:
    for (int w = 0; w < z.n_workers; w++) {
        if (z.x) free(z.x[w]);
        if (z.basca) grn_basca_clear(&z.basca[w]);
    }
    free(z.x);
    free(z.basca);
    return rc;
}
