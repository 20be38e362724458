#include "link_priv.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/opt.h"
#include "boost/boost.h"
#include "io/chrom.h"
#include "stat/fdr.h"
#include "tfsites.h"

#define MAX_BINS 256

typedef struct {
    grn_regions_t regions;
    grn_genes_t annotation;
    grn_search_t space;
    uint32_t *col;             /* (space.n_genes) column of rna */
    float *pearson, *spearman; /* (pairs) NaN until computed */
    float *tau, *importance;   /* (pairs) the same; NULL unless the method asks for them */
    uint32_t *by_place;        /* (n_by_place) genes of the search space with a region that is used, by the first of them */
    uint32_t *first, *last;    /* (space.n_genes) places of their regions */
    size_t n_by_place;
    uint64_t *cell_key, *name_key; /* hashes of the cells, of the regions */
    grn_boost_scratch_t **boost;   /* per worker */
    double **share;                /* per worker: importances of one gene */
    uint32_t **column;             /* per worker: its regions' columns, */
    uint64_t **key;                /* and their names' hashes */
    int n_workers;
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
    free(g->tau);
    free(g->importance);
    free(g->by_place);
    free(g->first);
    free(g->last);
    free(g->cell_key);
    free(g->name_key);
    for (int w = 0; w < g->n_workers; w++) {
        if (g->boost) grn_boost_scratch_destroy(g->boost[w]);
        if (g->share) free(g->share[w]);
        if (g->column) free(g->column[w]);
        if (g->key) free(g->key[w]);
    }
    free(g->boost);
    free(g->share);
    free(g->column);
    free(g->key);
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

/* ---- blocks of neighbouring genes ---- */

typedef struct {
    grn_linker_t *l;
    rg_t *g;
    const grn_colblock_t *region, *gene;
    const grn_bins_t *bins;    /* of the regions; with importances */
    uint32_t first;            /* place of the block's first region */
    const uint32_t *which;     /* genes of the search space */
    size_t gene0;              /* column of the first of them in `gene` */
} rg_job_t;

static grn_spcol_t column_of(const grn_colblock_t *b, size_t n, size_t j)
{
    return (grn_spcol_t){ n, b->off[j + 1] - b->off[j], b->idx + b->off[j], b->val + b->off[j] };
}

static grn_status correlate_gene(const rg_job_t *job, size_t k, size_t j, int worker)
{
    grn_status rc = GRN_OK;
    rg_t *g = job->g;
    size_t n = job->l->cells.n;
    float *val = job->l->scratch[worker], *rank = val + n;
    grn_spcol_t y = column_of(job->gene, n, j);
    grn_corr_spread(&job->gene->corr, j, val, rank);
    for (size_t p = g->space.off[k]; p < g->space.off[k + 1]; p++) {
        uint32_t place = g->place[g->space.region[p]];
        double r, s;
        if (place == UINT32_MAX) continue;
        grn_corr_pair(&job->region->corr, place - job->first, &job->gene->corr, j, val, rank, &r, &s);
        g->pearson[p] = (float)r;
        g->spearman[p] = (float)s;
        if (!g->tau) continue;
        grn_spcol_t x = column_of(job->region, n, place - job->first);
        double tau;
        GRN_TRY(grn_corr_kendall_sp(&x, &y, &tau, NULL));
        g->tau[p] = (float)tau;
    }
end:
    grn_corr_drop(&job->gene->corr, j, val, rank);
    return rc;
}

/* As SCENIC+: boosting by all regions in reach, a fixed number of trees, shares of the gene. */
static grn_status learn_gene(const rg_job_t *job, size_t k, size_t j, int worker)
{
    rg_t *g = job->g;
    uint32_t *column = g->column[worker];
    uint64_t *key = g->key[worker];
    size_t m = 0, n_trees;
    for (size_t p = g->space.off[k]; p < g->space.off[k + 1]; p++) {
        uint32_t place = g->place[g->space.region[p]];
        if (place == UINT32_MAX) continue;
        key[m] = g->name_key[g->space.region[p]];
        column[m++] = place - job->first;
    }
    grn_boost_opt_t o = GRN_BOOST_OPT_SCENICPLUS_R2G;
    o.seed = grn_common.seed;
    grn_boost_space_t space = { job->bins, g->cell_key, key, column, m };
    grn_boost_target_t target = { column_of(job->gene, job->l->cells.n, j), GRN_TREE_NOBODY };
    grn_status rc = grn_boost_one(&o, &space, &target, g->boost[worker], g->share[worker], &n_trees, NULL);
    m = 0;
    for (size_t p = g->space.off[k]; p < g->space.off[k + 1] && !rc; p++)
        if (g->place[g->space.region[p]] != UINT32_MAX) g->importance[p] = (float)g->share[worker][m++];
    return rc;
}

static grn_status link_genes(void *ctx, size_t begin, size_t end, int worker)
{
    grn_status rc = GRN_OK;
    const rg_job_t *job = ctx;
    for (size_t i = begin; i < end; i++) {
        GRN_TRY(correlate_gene(job, job->which[i], job->gene0 + i, worker));
        if (job->bins) GRN_TRY(learn_gene(job, job->which[i], job->gene0 + i, worker));
        grn_progress_add(1);
    }
end:
    return rc;
}

/* Genes which[0..n) and the regions in their reach. */
static grn_status link_block(grn_linker_t *l, rg_t *g, const grn_colblock_t *gene, size_t gene0, const uint32_t *which, size_t n)
{
    grn_status rc = GRN_OK;
    grn_colblock_t region = { 0 };
    grn_bins_t bins = { 0 };
    uint32_t first = g->first[which[0]], last = 0;
    for (size_t i = 0; i < n; i++)
        if (g->last[which[i]] > last) last = g->last[which[i]];
    GRN_TRY(grn_colblock_load(&l->atac, g->order + first, last + 1 - first, grn_common.pool, &region));
    rg_job_t job = { l, g, &region, gene, NULL, first, which, gene0 };
    if (g->importance) {
        GRN_TRY(grn_bins_init(&bins, l->cells.n, region.n, region.off, region.idx, region.val, MAX_BINS, grn_common.pool));
        job.bins = &bins;
    }
    GRN_TRY(grn_par_for(grn_common.pool, n, g->importance ? 1 : GENES_PER_CHUNK, link_genes, &job));
end:
    grn_bins_clear(&bins);
    grn_colblock_clear(&region);
    return rc;
}

/* How many of which[0..n), by place, have regions that fit together: at least one. */
static size_t fit_genes(const grn_linker_t *l, const rg_t *g, const uint32_t *which, size_t n)
{
    uint32_t first = g->first[which[0]], stop = g->last[which[0]] + 1;
    size_t fits = stop - first > 1 ? grn_colblock_fit(&l->atac, g->order, first, g->n_order, l->budget / 2) : 1, k = 1;
    for (; k < n; k++) {
        if (g->last[which[k]] + 1 > stop) stop = g->last[which[k]] + 1;
        if (stop - first > fits) break;
    }
    return k;
}

static const rg_t *sorted;

static int by_first_place(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    if (sorted->first[x] != sorted->first[y]) return sorted->first[x] < sorted->first[y] ? -1 : 1;
    return (x > y) - (x < y);
}

static grn_status order_genes(rg_t *g)
{
    grn_status rc = GRN_OK;
    size_t n = g->space.n_genes;
    GRN_TRY(GRN_NEW_RAW(g->by_place, n));
    GRN_TRY(GRN_NEW_RAW(g->first, n));
    GRN_TRY(GRN_NEW_RAW(g->last, n));
    for (size_t k = 0; k < n; k++) {
        g->first[k] = UINT32_MAX;
        g->last[k] = 0;
        for (size_t p = g->space.off[k]; p < g->space.off[k + 1]; p++) {
            uint32_t place = g->place[g->space.region[p]];
            if (place == UINT32_MAX) continue;
            if (place < g->first[k]) g->first[k] = place;
            if (place > g->last[k]) g->last[k] = place;
        }
        if (g->first[k] != UINT32_MAX) g->by_place[g->n_by_place++] = (uint32_t)k;
    }
    sorted = g;
    if (g->n_by_place) qsort(g->by_place, g->n_by_place, sizeof *g->by_place, by_first_place);
end:
    return rc;
}

static grn_status ready_boosting(grn_linker_t *l, rg_t *g)
{
    grn_status rc = GRN_OK;
    size_t most = 1, n_pairs = g->space.off[g->space.n_genes];
    g->n_workers = grn_par_n(grn_common.pool);
    for (size_t k = 0; k < g->space.n_genes; k++)
        if (g->space.off[k + 1] - g->space.off[k] > most) most = g->space.off[k + 1] - g->space.off[k];
    GRN_TRY(GRN_NEW_RAW(g->importance, n_pairs));
    for (size_t p = 0; p < n_pairs; p++) g->importance[p] = NAN;
    GRN_TRY(GRN_NEW(g->boost, (size_t)g->n_workers));
    GRN_TRY(GRN_NEW(g->share, (size_t)g->n_workers));
    GRN_TRY(GRN_NEW(g->column, (size_t)g->n_workers));
    GRN_TRY(GRN_NEW(g->key, (size_t)g->n_workers));
    for (int w = 0; w < g->n_workers; w++) {
        GRN_TRY(grn_boost_scratch_create(&g->boost[w]));
        GRN_TRY(GRN_NEW_RAW(g->share[w], most));
        GRN_TRY(GRN_NEW_RAW(g->column[w], most));
        GRN_TRY(GRN_NEW_RAW(g->key[w], most));
    }
    GRN_TRY(GRN_NEW_RAW(g->cell_key, l->cells.n));
    for (size_t i = 0; i < l->cells.n; i++) g->cell_key[i] = grn_hash_str(grn_names_get(&l->rna.info->row, l->cells.a[i]));
    GRN_TRY(GRN_NEW_RAW(g->name_key, g->regions.n));
    for (size_t j = 0; j < g->regions.n; j++) g->name_key[j] = grn_hash_str(grn_names_get(&l->atac.info->col, j));
end:
    return rc;
}

/* Genes by position, as many at once as fit; for each such block, the regions around them, as many at once as fit. */
static grn_status link_space(grn_linker_t *l, rg_t *g)
{
    grn_status rc = GRN_OK;
    grn_colblock_t gene = { 0 };
    uint32_t *cols = NULL;
    size_t n_pairs = g->space.off[g->space.n_genes];
    GRN_TRY(order_genes(g));
    if (l->opt->region_method == GRN_LINK_GRNBOOST) GRN_TRY(ready_boosting(l, g));
    if (l->opt->region_method == GRN_LINK_KENDALL) {
        GRN_TRY(GRN_NEW_RAW(g->tau, n_pairs));
        for (size_t p = 0; p < n_pairs; p++) g->tau[p] = NAN;
    }
    GRN_TRY(GRN_NEW_RAW(cols, g->n_by_place));
    for (size_t i = 0; i < g->n_by_place; i++) cols[i] = g->col[g->by_place[i]];
    grn_progress_begin(g->n_by_place, "genes");
    for (size_t i = 0, m; i < g->n_by_place; i += m) {
        m = grn_colblock_fit(&l->rna, cols, i, g->n_by_place, l->budget / 2);
        GRN_TRY(grn_colblock_load(&l->rna, cols + i, m, grn_common.pool, &gene));
        for (size_t j = 0, n; j < m; j += n) {
            n = fit_genes(l, g, g->by_place + i + j, m - j);
            GRN_TRY(link_block(l, g, &gene, j, g->by_place + i + j, n));
        }
        grn_colblock_clear(&gene);
    }
end:
    grn_progress_end();
    grn_colblock_clear(&gene);
    free(cols);
    return rc;
}

/* ---- edges ---- */

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

static int is_written(const grn_linker_t *l, const rg_t *g, size_t p)
{
    if (g->importance) return g->importance[p] > 0;
    return grn_link_passes(g->pearson[p], g->spearman[p], l->opt->min_rho) || (g->tau && fabsf(g->tau[p]) > l->opt->min_rho);
}

/* The correlation that gives a pair its sign. */
static const float *deciding(const grn_linker_t *l, const rg_t *g)
{
    return l->opt->region_method == GRN_LINK_PEARSON ? g->pearson : l->opt->region_method == GRN_LINK_KENDALL ? g->tau : g->spearman;
}

typedef struct { /* an evidence column from values by pair */
    const char *name;
    const float *from;
} by_pair_t;

static grn_status region_edges(grn_linker_t *l, const rg_t *g, const double *fdr, grn_edges_t *e)
{
    grn_status rc = GRN_OK;
    size_t n = 0, n_pairs = g->space.off[g->space.n_genes];
    const by_pair_t column[] = { { "importance_rg", g->importance }, { "rho_rg", g->pearson },
                                 { "rho_sp_rg", g->spearman },       { "tau_rg", g->tau },
                                 { "distance", g->space.distance },  { "distance_tss", g->space.distance_tss } };
    const float *r = deciding(l, g);
    float *v, *q;
    for (size_t p = 0; p < n_pairs; p++) n += (size_t)is_written(l, g, p);
    GRN_TRY(grn_edges_alloc(e, n, "region,gene,sign,weight"));
    GRN_TRY(grn_names_dup(&e->genes, &l->rna.info->col));
    GRN_TRY(grn_region_names(&g->regions, &e->regions));
    for (size_t c = 0; c < sizeof column / sizeof *column; c++) {
        if (!column[c].from) continue;
        GRN_TRY(grn_edges_evidence(e, column[c].name, &v));
        for (size_t p = 0, k = 0; p < n_pairs; p++)
            if (is_written(l, g, p)) v[k++] = column[c].from[p];
    }
    GRN_TRY(grn_edges_evidence(e, "fdr_rg", &q));
    n = 0;
    for (size_t k = 0; k < g->space.n_genes; k++) {
        for (size_t p = g->space.off[k]; p < g->space.off[k + 1]; p++) {
            if (!is_written(l, g, p)) continue;
            e->region[n] = g->space.region[p];
            e->gene[n] = g->col[k];
            q[n] = (float)fdr[p];
            e->sign[n] = (int8_t)((r[p] > 0) - (r[p] < 0));
            e->weight[n] = g->importance ? g->importance[p] : isnan(r[p]) ? 0 : fabsf(r[p]);
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
    GRN_TRY(link_space(l, &g));
    GRN_TRY(pair_fdr(l, &g, &fdr, &n_tested));
    size_t n_pairs = g.space.off[g.space.n_genes];
    GRN_TRY(grn_funnel_add(&l->funnel, "links", n_tested, n_pairs - n_tested,
                           "region-gene pairs with a correlation"));
    GRN_TRY(region_edges(l, &g, fdr, &e));
    if (g.importance) {
        GRN_TRY(grn_funnel_add(&l->funnel, "links", e.n, n_tested - e.n, "region-gene pairs of some importance"));
    } else {
        GRN_TRY(grn_funnel_add(&l->funnel, "links", e.n, n_tested - e.n, "region-gene pairs with |Pearson|%s or |Spearman| > %g",
                               g.tau ? ", |Kendall|" : "", l->opt->min_rho));
    }
    GRN_TRY(grn_link_save(l, &e, l->opt->out_rg, "region_gene"));
end:
    free(fdr);
    grn_edges_clear(&e);
    rg_clear(&g);
    return rc;
}
