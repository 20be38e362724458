#include "link_priv.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/opt.h"
#include "io/chrom.h"
#include "stat/fdr.h"
#include "tfsites.h"

typedef struct {
    grn_regions_t regions;
    grn_genes_t annotation;
    grn_search_t space;
    uint32_t *col;             /* (space.n_genes) column of rna */
    float *pearson, *spearman; /* (pairs) NaN until computed */
    uint32_t *order;           /* columns of atac that are used, by position */
    size_t n_order;
    uint32_t *place; /* (regions) place in `order`; UINT32_MAX: not used */
} rg_t;

static void rg_clear(rg_t *g)
{
    grn_regions_clear(&g->regions);
    grn_genes_clear(&g->annotation);
    grn_search_clear(&g->space);
    free(g->col);
    free(g->pearson);
    free(g->spearman);
    free(g->order);
    free(g->place);
}

/* Expressed genes with a place in the annotation, and their search space. */
static grn_status find_pairs(grn_linker_t *l, rg_t *g)
{
    grn_status rc = GRN_OK;
    uint32_t *gene = NULL;
    size_t n = 0;
    char a[200], b[200];
    GRN_TRY(grn_regions_from_names(&l->atac.info->col, &g->regions));
    GRN_TRY(grn_genes_load(l->opt->genes, &g->annotation));
    GRN_TRY(GRN_NEW_RAW(gene, l->n_genes));
    GRN_TRY(GRN_NEW_RAW(g->col, l->n_genes));
    for (size_t k = 0; k < l->n_genes; k++) {
        size_t j = grn_genes_find(&g->annotation, grn_names_get(&l->rna.info->col, l->genes[k]));
        if (j == GRN_NAMES_NONE) continue;
        gene[n] = (uint32_t)j;
        g->col[n++] = l->genes[k];
    }
    if (n == 0) {
        GRN_FAIL(GRN_EEMPTY, "0 of %zu genes of '%s' are in '%s'; first names: %s vs %s",
                 l->n_genes, l->opt->rna, l->opt->genes,
                 grn_names_show(&l->rna.info->col, 3, a, sizeof a),
                 grn_names_show(&g->annotation.names, 3, b, sizeof b));
    }
    GRN_TRY(grn_funnel_add(&l->funnel, "genes", n, l->n_genes - n,
                           "genes with a place in the annotation"));
    GRN_TRY(grn_search_space(&g->regions, &g->annotation, gene, n, &l->opt->search, &g->space));
    if (g->space.n_no_chrom == n) {
        GRN_FAIL(GRN_EEMPTY, "no chromosome of '%s' has a gene of '%s': %s vs %s", l->opt->atac,
                 l->opt->genes, grn_names_show(&g->regions.chroms, 3, a, sizeof a),
                 grn_names_show(&g->annotation.chroms, 3, b, sizeof b));
    }
    if (g->space.n_renamed)
        grn_log_info("%zu genes: chromosome names reconciled (chr1 and 1)", g->space.n_renamed);
    GRN_TRY(grn_funnel_add(&l->funnel, "genes", n - g->space.n_no_chrom - g->space.n_no_region,
                           g->space.n_no_chrom + g->space.n_no_region,
                           "genes with a region within %" PRIu64 "/%" PRIu64 " bp",
                           l->opt->search.upstream, l->opt->search.downstream));
end:
    free(gene);
    return rc;
}

/* Regions seen in enough cells that belong to a pair, by position. */
static grn_status pick_regions(grn_linker_t *l, rg_t *g)
{
    grn_status rc = GRN_OK;
    size_t n_pairs = g->space.off[g->space.n_genes], n_regions = g->regions.n, enough = 0;
    uint8_t *used = NULL;
    GRN_TRY(GRN_NEW(used, n_regions));
    GRN_TRY(GRN_NEW_RAW(g->order, n_regions));
    GRN_TRY(GRN_NEW_RAW(g->place, n_regions));
    GRN_TRY(GRN_NEW_RAW(g->pearson, n_pairs));
    GRN_TRY(GRN_NEW_RAW(g->spearman, n_pairs));
    for (size_t p = 0; p < n_pairs; p++) {
        used[g->space.region[p]] = 1;
        g->pearson[p] = g->spearman[p] = NAN;
    }
    for (size_t k = 0; k < n_regions; k++) {
        uint32_t r = g->regions.order[k];
        int seen = l->atac.col_nz[r] >= l->opt->min_cells;
        enough += (size_t)seen;
        g->place[r] = seen && used[r] ? (uint32_t)g->n_order : UINT32_MAX;
        if (seen && used[r]) g->order[g->n_order++] = r;
    }
    GRN_TRY(grn_funnel_add(&l->funnel, "regions", enough, n_regions - enough,
                           "regions seen in at least %" PRIu64 " cells", l->opt->min_cells));
    GRN_TRY(grn_funnel_add(&l->funnel, "regions", g->n_order, enough - g->n_order,
                           "regions within reach of a gene"));
end:
    free(used);
    return rc;
}

typedef struct {
    grn_linker_t *l;
    rg_t *g;
    const grn_colblock_t *region, *gene;
    uint32_t first;        /* place of the block's first region */
    const uint32_t *which; /* gene of the search space of each column of `gene` */
} rg_job_t;

static grn_status correlate_regions(void *ctx, size_t begin, size_t end, int worker)
{
    rg_job_t *job = ctx;
    rg_t *g = job->g;
    float *val = job->l->scratch[worker], *rank = val + job->l->cells.n;
    for (size_t j = begin; j < end; j++) {
        size_t k = job->which[j];
        grn_corr_spread(&job->gene->corr, j, val, rank);
        for (size_t p = g->space.off[k]; p < g->space.off[k + 1]; p++) {
            uint32_t place = g->place[g->space.region[p]];
            double r, s;
            if (place < job->first || place - job->first >= job->region->n)
                continue; /* also UINT32_MAX */
            grn_corr_pair(&job->region->corr, place - job->first, &job->gene->corr, j, val, rank,
                          &r, &s);
            g->pearson[p] = (float)r;
            g->spearman[p] = (float)s;
        }
        grn_corr_drop(&job->gene->corr, j, val, rank);
    }
    grn_progress_add(end - begin);
    return GRN_OK;
}

/* Genes with a region in places [first, first + n). */
static size_t genes_of_block(const rg_t *g, uint32_t first, size_t n, uint32_t *which,
                             uint32_t *cols)
{
    size_t m = 0;
    for (size_t k = 0; k < g->space.n_genes; k++) {
        for (size_t p = g->space.off[k]; p < g->space.off[k + 1]; p++) {
            uint32_t place = g->place[g->space.region[p]];
            if (place < first || place - first >= n) continue;
            which[m] = (uint32_t)k;
            cols[m++] = g->col[k];
            break;
        }
    }
    return m;
}

/* Blocks of neighbouring regions; for each, the genes around it. */
static grn_status correlate_space(grn_linker_t *l, rg_t *g)
{
    grn_status rc = GRN_OK;
    grn_colblock_t region = { 0 }, gene = { 0 };
    uint32_t *which = NULL, *cols = NULL;
    GRN_TRY(GRN_NEW_RAW(which, g->space.n_genes));
    GRN_TRY(GRN_NEW_RAW(cols, g->space.n_genes));
    grn_progress_begin(g->space.n_genes, "genes");
    for (size_t i = 0, n; i < g->n_order; i += n) {
        n = grn_colblock_fit(&l->atac, g->order, i, g->n_order, l->budget / 2);
        GRN_TRY(grn_colblock_load(&l->atac, g->order + i, n, grn_common.pool, &region));
        size_t n_genes = genes_of_block(g, (uint32_t)i, n, which, cols);
        for (size_t j = 0, m; j < n_genes; j += m) {
            m = grn_colblock_fit(&l->rna, cols, j, n_genes, l->budget / 2);
            GRN_TRY(grn_colblock_load(&l->rna, cols + j, m, grn_common.pool, &gene));
            rg_job_t job = { l, g, &region, &gene, (uint32_t)i, which + j };
            GRN_TRY(grn_par_for(grn_common.pool, m, GENES_PER_CHUNK, correlate_regions, &job));
            grn_colblock_clear(&gene);
        }
        grn_colblock_clear(&region);
    }
end:
    grn_progress_end();
    grn_colblock_clear(&gene);
    grn_colblock_clear(&region);
    free(cols);
    free(which);
    return rc;
}

/* FDR of the Spearman correlations over all pairs tested. */
static grn_status pair_fdr(const grn_linker_t *l, const rg_t *g, double **fdr, size_t *n_tested)
{
    grn_status rc = GRN_OK;
    size_t n = g->space.off[g->space.n_genes], n_nan = 0;
    GRN_TRY(GRN_NEW_RAW(*fdr, n));
    for (size_t p = 0; p < n; p++) (*fdr)[p] = grn_corr_p(g->spearman[p], l->cells.n);
    GRN_TRY(grn_fdr_bh(*fdr, n, *fdr, &n_nan));
    *n_tested = n - n_nan;
end:
    return rc;
}

static grn_status region_edges(grn_linker_t *l, const rg_t *g, const double *fdr, grn_edges_t *e)
{
    grn_status rc = GRN_OK;
    size_t n = 0, n_pairs = g->space.off[g->space.n_genes];
    float *rho, *rho_sp, *q, *d, *d_tss;
    for (size_t p = 0; p < n_pairs; p++)
        n += (size_t)grn_link_passes(g->pearson[p], g->spearman[p], l->opt->min_rho);
    GRN_TRY(grn_edges_alloc(e, n, "region,gene,sign,weight"));
    GRN_TRY(grn_names_dup(&e->genes, &l->rna.info->col));
    GRN_TRY(grn_region_names(&g->regions, &e->regions));
    GRN_TRY(grn_edges_evidence(e, "rho_rg", &rho));
    GRN_TRY(grn_edges_evidence(e, "rho_sp_rg", &rho_sp));
    GRN_TRY(grn_edges_evidence(e, "fdr_rg", &q));
    GRN_TRY(grn_edges_evidence(e, "distance", &d));
    GRN_TRY(grn_edges_evidence(e, "distance_tss", &d_tss));
    n = 0;
    for (size_t k = 0; k < g->space.n_genes; k++) {
        for (size_t p = g->space.off[k]; p < g->space.off[k + 1]; p++) {
            if (!grn_link_passes(g->pearson[p], g->spearman[p], l->opt->min_rho)) continue;
            e->region[n] = g->space.region[p];
            e->gene[n] = g->col[k];
            rho[n] = g->pearson[p];
            rho_sp[n] = g->spearman[p];
            q[n] = (float)fdr[p];
            d[n] = g->space.distance[p];
            d_tss[n] = g->space.distance_tss[p];
            e->sign[n] = (int8_t)((rho_sp[n] > 0) - (rho_sp[n] < 0));
            e->weight[n] = isnan(rho_sp[n]) ? 0 : fabsf(rho_sp[n]);
            n++;
        }
    }
end:
    return rc;
}

grn_status grn_link_regions(grn_linker_t *l)
{
    grn_status rc = GRN_OK;
    rg_t g = { 0 };
    grn_edges_t e = { 0 };
    double *fdr = NULL;
    size_t n_tested = 0;
    GRN_TRY(grn_link_funnel(l));
    GRN_TRY(find_pairs(l, &g));
    GRN_TRY(pick_regions(l, &g));
    GRN_TRY(correlate_space(l, &g));
    GRN_TRY(pair_fdr(l, &g, &fdr, &n_tested));
    size_t n_pairs = g.space.off[g.space.n_genes];
    GRN_TRY(grn_funnel_add(&l->funnel, "links", n_tested, n_pairs - n_tested,
                           "region-gene pairs with a correlation"));
    GRN_TRY(region_edges(l, &g, fdr, &e));
    GRN_TRY(grn_funnel_add(&l->funnel, "links", e.n, n_tested - e.n,
                           "region-gene pairs with |Pearson| or |Spearman| > %g", l->opt->min_rho));
    GRN_TRY(grn_link_save(l, &e, l->opt->out_rg, "region_gene"));
end:
    free(fdr);
    grn_edges_clear(&e);
    rg_clear(&g);
    return rc;
}
