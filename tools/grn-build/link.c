#include "link.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/opt.h"
#include "cells.h"
#include "funnel.h"
#include "io/chrom.h"
#include "io/edges.h"
#include "io/tflist.h"
#include "tfaccess.h"
#include "stat/fdr.h"

#define GENES_PER_CHUNK 16
#define DEFAULT_BUDGET ((uint64_t)1 << 31) /* bytes of column blocks without --max-mem */

typedef struct { /* one written pair; `a` is a TF column or a region column */
    uint32_t a, gene;
    float pearson, spearman;
} pair_t;

typedef struct {
    pair_t *v;
    size_t n, cap;
} pairs_t;

typedef struct {
    const grn_link_opt_t *opt;
    grn_colsrc_t rna, atac;
    grn_cells_t cells;
    uint64_t budget;    /* bytes of one block of columns */
    uint32_t *genes;    /* expressed genes: columns of rna in bytewise order of their names */
    size_t n_genes;
    float **scratch;    /* per worker: 2 n_cells floats, zero between uses */
    int n_workers;
    grn_names_t absent; /* TFs of the list that the matrix lacks and that have motif sites; TF id = columns of rna + place here */
    const char *empty; /* an output without links */
    grn_funnel_t funnel;
} link_t;

static int uses_atac(const grn_link_opt_t *o)
{
    return o->out_rg || (o->out_tg && (o->scan || o->hits));
}

static void link_clear(link_t *l)
{
    for (int w = 0; l->scratch && w < l->n_workers; w++) free(l->scratch[w]);
    free(l->scratch);
    free(l->genes);
    grn_names_clear(&l->absent);
    grn_cells_clear(&l->cells);
    grn_colsrc_close(&l->rna);
    grn_colsrc_close(&l->atac);
    grn_funnel_clear(&l->funnel);
}

/* ---- input ---- */

static grn_status open_matrices(link_t *l)
{
    grn_status rc = GRN_OK;
    const grn_link_opt_t *o = l->opt;
    GRN_TRY(grn_colsrc_open(&l->rna, o->rna, &o->rna_opt, o->expression, grn_common.pool));
    int both = uses_atac(o);
    if (both) GRN_TRY(grn_colsrc_open(&l->atac, o->atac, &o->atac_opt, o->accessibility, grn_common.pool));
    GRN_TRY(grn_cells_match(&l->rna.info->row, o->rna, both ? &l->atac.info->row : NULL, o->atac, &l->cells));
    if (both) {
        grn_log_info("cells: %zu in both of %" PRIu64 " RNA and %" PRIu64
                     " ATAC cells (%zu by exact barcode, %zu without the -N suffix, %zu ambiguous)",
                     l->cells.n, l->rna.info->n_rows, l->atac.info->n_rows, l->cells.n_exact, l->cells.n_stripped,
                     l->cells.n_ambiguous);
    }
    GRN_TRY(grn_colsrc_use(&l->rna, l->cells.a, l->cells.n));
    if (both) GRN_TRY(grn_colsrc_use(&l->atac, l->cells.b, l->cells.n));
    if (!l->rna.is_counts && o->expression == GRN_SCALE_LOGNORM) {
        grn_log_warn("'%s' does not hold whole numbers: if it is normalised already, give --expression raw", o->rna);
    }
    l->n_workers = grn_par_n(grn_common.pool);
    GRN_TRY(GRN_NEW(l->scratch, (size_t)l->n_workers));
    for (int w = 0; w < l->n_workers; w++) GRN_TRY(GRN_NEW(l->scratch[w], 2 * l->cells.n));
    l->budget = (grn_common.max_mem ? grn_common.max_mem / 2 : DEFAULT_BUDGET) / 2;
end:
    return rc;
}

static grn_status pick_genes(link_t *l)
{
    grn_status rc = GRN_OK;
    uint32_t *order = NULL;
    size_t n = l->rna.info->n_cols;
    GRN_TRY(GRN_NEW_RAW(order, n));
    GRN_TRY(GRN_NEW_RAW(l->genes, n));
    GRN_TRY(grn_names_sort(&l->rna.info->col, order));
    for (size_t k = 0; k < n; k++) {
        if (l->rna.col_nz[order[k]] >= l->opt->min_cells) l->genes[l->n_genes++] = order[k];
    }
end:
    free(order);
    return rc;
}

static grn_status start_funnel(link_t *l)
{
    grn_funnel_clear(&l->funnel);
    return grn_funnel_add(&l->funnel, "genes", l->n_genes, l->rna.info->n_cols - l->n_genes,
                          "genes seen in at least %" PRIu64 " cells", l->opt->min_cells);
}

/* TFs of the list, in bytewise order, that are no genes of the matrix. */
static grn_status note_absent(link_t *l, const grn_names_t *list, const uint32_t *order)
{
    grn_status rc = GRN_OK;
    for (size_t k = 0; k < list->n; k++) {
        const char *name = grn_names_get(list, order[k]);
        if (grn_names_find(&l->rna.info->col, name) == GRN_NAMES_NONE) GRN_TRY(grn_names_add(&l->absent, name, NULL, NULL));
    }
end:
    return rc;
}

/* TFs of the list that are expressed genes, as columns in bytewise order of their names. */
static grn_status pick_tfs(link_t *l, uint32_t **tfs, size_t *n_tfs)
{
    grn_status rc = GRN_OK;
    grn_names_t list = { 0 };
    uint32_t *order = NULL;
    size_t n = 0, missing = 0;
    char some_tfs[200], some_genes[200];
    GRN_TRY(grn_tflist_load(l->opt->tfs, &list, NULL));
    GRN_TRY(GRN_NEW_RAW(order, list.n));
    GRN_TRY(GRN_NEW_RAW(*tfs, list.n));
    GRN_TRY(grn_names_sort(&list, order));
    for (size_t k = 0; k < list.n; k++) {
        size_t j = grn_names_find(&l->rna.info->col, grn_names_get(&list, order[k]));
        if (j == GRN_NAMES_NONE) missing++;
        else if (l->rna.col_nz[j] >= l->opt->min_cells) (*tfs)[n++] = (uint32_t)j;
    }
    if (l->opt->scan || l->opt->hits) GRN_TRY(note_absent(l, &list, order));
    if (missing == list.n && l->absent.n == 0) {
        GRN_FAIL(GRN_EEMPTY, "0 of %" PRIu64 " genes of '%s' are in the TF list '%s'; first names: %s vs %s", l->rna.info->n_cols,
                 l->opt->rna, l->opt->tfs, grn_names_show(&l->rna.info->col, 3, some_genes, sizeof some_genes),
                 grn_names_show(&list, 3, some_tfs, sizeof some_tfs));
    }
    GRN_TRY(grn_funnel_add(&l->funnel, "TFs", list.n - missing, missing, "TFs of the list that are genes of the matrix"));
    GRN_TRY(grn_funnel_add(&l->funnel, "TFs", n, list.n - missing - n, "TFs seen in at least %" PRIu64 " cells", l->opt->min_cells));
    *n_tfs = n;
end:
    grn_names_clear(&list);
    free(order);
    return rc;
}

/* ---- TF -> gene ---- */

typedef struct {
    link_t *l;
    const grn_colblock_t *tf, *gene;
    const uint32_t *tf_col, *gene_col; /* columns of the two blocks */
    pairs_t *chunk;                    /* one list per chunk of genes */
} tg_job_t;

static int passes(double pearson, double spearman, double min_rho)
{
    return fabs(pearson) > min_rho || fabs(spearman) > min_rho; /* NaN does not */
}

static grn_status correlate_genes(void *ctx, size_t begin, size_t end, int worker)
{
    grn_status rc = GRN_OK;
    tg_job_t *job = ctx;
    pairs_t *out = &job->chunk[begin / GENES_PER_CHUNK];
    float *val = job->l->scratch[worker], *rank = val + job->l->cells.n;
    for (size_t j = begin; j < end; j++) {
        grn_corr_spread(&job->gene->corr, j, val, rank);
        for (size_t i = 0; i < job->tf->n; i++) {
            double p, s;
            if (job->tf_col[i] == job->gene_col[j]) continue;
            grn_corr_pair(&job->tf->corr, i, &job->gene->corr, j, val, rank, &p, &s);
            if (!passes(p, s, job->l->opt->min_rho)) continue;
            GRN_TRY(GRN_GROW(out->v, out->cap, out->n + 1));
            out->v[out->n++] = (pair_t){ job->tf_col[i], job->gene_col[j], (float)p, (float)s };
        }
        grn_corr_drop(&job->gene->corr, j, val, rank);
    }
    grn_progress_add((end - begin) * job->tf->n);
end:
    return rc;
}

static grn_status correlate_blocks(tg_job_t *job, pairs_t *out)
{
    grn_status rc = GRN_OK;
    size_t n_chunks = job->gene->n / GENES_PER_CHUNK + 1;
    GRN_TRY(GRN_NEW(job->chunk, n_chunks));
    GRN_TRY(grn_par_for(grn_common.pool, job->gene->n, GENES_PER_CHUNK, correlate_genes, job));
    for (size_t c = 0; c < n_chunks; c++) {
        GRN_TRY(GRN_GROW(out->v, out->cap, out->n + job->chunk[c].n));
        if (job->chunk[c].n) memcpy(out->v + out->n, job->chunk[c].v, job->chunk[c].n * sizeof *out->v);
        out->n += job->chunk[c].n;
    }
end:
    for (size_t c = 0; job->chunk && c < n_chunks; c++) free(job->chunk[c].v);
    free(job->chunk);
    job->chunk = NULL;
    return rc;
}

/* A block of TFs (their ids in tf_col) with all expressed genes, block by block: each one pass over the matrix. */
static grn_status correlate_with_genes(link_t *l, const grn_colblock_t *tf, const uint32_t *tf_col, pairs_t *out)
{
    grn_status rc = GRN_OK;
    grn_colblock_t gene = { 0 };
    for (size_t j = 0, m; j < l->n_genes; j += m) {
        m = grn_colblock_fit(&l->rna, l->genes, j, l->n_genes, l->budget / 2);
        GRN_TRY(grn_colblock_load(&l->rna, l->genes + j, m, grn_common.pool, &gene));
        GRN_TRY(correlate_blocks(&(tg_job_t){ l, tf, &gene, tf_col, l->genes + j, NULL }, out));
        grn_colblock_clear(&gene);
    }
end:
    grn_colblock_clear(&gene);
    return rc;
}

static grn_status correlate_tfs(link_t *l, const uint32_t *tfs, size_t n_tfs, pairs_t *out)
{
    grn_status rc = GRN_OK;
    grn_colblock_t tf = { 0 };
    grn_progress_begin((uint64_t)n_tfs * l->n_genes, "pairs");
    for (size_t i = 0, n; i < n_tfs; i += n) {
        n = grn_colblock_fit(&l->rna, tfs, i, n_tfs, l->budget / 2);
        GRN_TRY(grn_colblock_load(&l->rna, tfs + i, n, grn_common.pool, &tf));
        GRN_TRY(correlate_with_genes(l, &tf, tfs + i, out));
        grn_colblock_clear(&tf);
    }
end:
    grn_progress_end();
    grn_colblock_clear(&tf);
    return rc;
}

#define ABSENT_AT_ONCE 64 /* TFs without expression whose scores are held at the same time */

/* TFs the matrix lacks, by how open the regions with their motif are in each cell, with all expressed genes. */
static grn_status correlate_absent(link_t *l, uint64_t *n_used, pairs_t *out)
{
    grn_status rc = GRN_OK;
    grn_regions_t regions = { 0 };
    grn_tfsites_t sites = { 0 };
    grn_colblock_t block = { 0 };
    uint32_t ids[ABSENT_AT_ONCE];
    GRN_TRY(grn_regions_from_names(&l->atac.info->col, &regions));
    GRN_TRY(grn_tfsites_load(l->opt->scan, l->opt->hits, l->opt->motif2tf, &l->absent, &regions, grn_common.pool, &sites));
    *n_used = sites.n_tfs;
    for (size_t first = 0; first < l->absent.n; first += ABSENT_AT_ONCE) {
        size_t n = l->absent.n - first < ABSENT_AT_ONCE ? l->absent.n - first : ABSENT_AT_ONCE;
        for (size_t k = 0; k < n; k++) ids[k] = (uint32_t)(l->rna.info->n_cols + first + k);
        GRN_TRY(grn_tfaccess_block(&l->atac, &sites, first, n, grn_common.pool, &block));
        GRN_TRY(correlate_with_genes(l, &block, ids, out));
        grn_colblock_clear(&block);
    }
end:
    grn_colblock_clear(&block);
    grn_tfsites_clear(&sites);
    grn_regions_clear(&regions);
    return rc;
}

static const char *scale_word(grn_scale s)
{
    return s == GRN_SCALE_LOGNORM ? "lognorm" : s == GRN_SCALE_RAW ? "raw" : "binary";
}

static grn_status save_links(link_t *l, grn_edges_t *e, const char *path, const char *kind)
{
    grn_status rc = GRN_OK;
    char cells[32];
    snprintf(cells, sizeof cells, "%zu", l->cells.n);
    const char *json = grn_funnel_json(&l->funnel);
    const char *const meta[] = { "kind", kind, "cells", cells, "expression", scale_word(l->opt->expression), "accessibility",
                                 uses_atac(l->opt) ? scale_word(l->opt->accessibility) : "none", "funnel", json ? json : "[]", NULL };
    GRN_TRY(grn_edges_sort(e));
    GRN_TRY(grn_edges_save(e, path, meta, grn_common.pool));
end:
    return rc;
}

/* The pairs as edges, with the FDR of Pearson over all `n_tested` pairs: an upper bound, since weaker pairs are not at hand. */
static grn_status tf_edges(const link_t *l, const pairs_t *pairs, uint64_t n_tested, grn_edges_t *e)
{
    grn_status rc = GRN_OK;
    float *rho, *rho_sp, *q;
    double *fdr = NULL;
    GRN_TRY(GRN_NEW_RAW(fdr, pairs->n));
    for (size_t k = 0; k < pairs->n; k++) fdr[k] = grn_corr_p(pairs->v[k].pearson, l->cells.n);
    GRN_TRY(grn_fdr_bh_some(fdr, pairs->n, (double)n_tested, fdr));
    GRN_TRY(grn_edges_alloc(e, pairs->n, "tf,gene,sign,weight"));
    GRN_TRY(grn_names_dup(&e->genes, &l->rna.info->col));
    for (size_t k = 0; k < l->absent.n; k++) GRN_TRY(grn_names_add(&e->genes, grn_names_get(&l->absent, k), NULL, NULL));
    GRN_TRY(grn_edges_evidence(e, "rho_tg", &rho));
    GRN_TRY(grn_edges_evidence(e, "rho_sp_tg", &rho_sp));
    GRN_TRY(grn_edges_evidence(e, "fdr_tg", &q));
    for (size_t k = 0; k < pairs->n; k++) {
        const pair_t *p = &pairs->v[k];
        e->tf[k] = p->a;
        e->gene[k] = p->gene;
        rho[k] = p->pearson;
        rho_sp[k] = p->spearman;
        q[k] = (float)fdr[k];
        e->sign[k] = (int8_t)((p->pearson > 0) - (p->pearson < 0));
        e->weight[k] = isnan(p->pearson) ? 0 : fabsf(p->pearson);
    }
end:
    free(fdr);
    return rc;
}

static grn_status link_tf_gene(link_t *l)
{
    grn_status rc = GRN_OK;
    uint32_t *tfs = NULL;
    size_t n_tfs = 0;
    uint64_t n_absent = 0;
    pairs_t pairs = { 0 };
    grn_edges_t e = { 0 };
    GRN_TRY(start_funnel(l));
    GRN_TRY(pick_tfs(l, &tfs, &n_tfs));
    GRN_TRY(correlate_tfs(l, tfs, n_tfs, &pairs));
    if (l->absent.n) {
        GRN_TRY(correlate_absent(l, &n_absent, &pairs));
        GRN_TRY(grn_funnel_add(&l->funnel, "TFs", n_absent, l->absent.n - n_absent,
                               "TFs that are no genes of the matrix, scored by the accessibility of regions with their motif"));
    }
    uint64_t all = n_tfs ? (uint64_t)n_tfs * (l->n_genes - 1) : 0;
    all += n_absent * l->n_genes;
    GRN_TRY(grn_funnel_add(&l->funnel, "links", pairs.n, all - pairs.n, "TF-gene pairs with |Pearson| or |Spearman| > %g",
                           l->opt->min_rho));
    GRN_TRY(tf_edges(l, &pairs, all, &e));
    GRN_TRY(save_links(l, &e, l->opt->out_tg, "tf_gene"));
    if (e.n == 0) l->empty = l->opt->out_tg;
end:
    free(pairs.v);
    free(tfs);
    grn_edges_clear(&e);
    return rc;
}

/* ---- region -> gene ---- */

typedef struct {
    grn_regions_t regions;
    grn_genes_t annotation;
    grn_search_t space;
    uint32_t *col;          /* (space.n_genes) column of rna */
    float *pearson, *spearman; /* (pairs) NaN until computed */
    uint32_t *order;        /* columns of atac that are used, by position */
    size_t n_order;
    uint32_t *place;        /* (regions) place in `order`; UINT32_MAX: not used */
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
static grn_status find_pairs(link_t *l, rg_t *g)
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
        GRN_FAIL(GRN_EEMPTY, "0 of %zu genes of '%s' are in '%s'; first names: %s vs %s", l->n_genes, l->opt->rna, l->opt->genes,
                 grn_names_show(&l->rna.info->col, 3, a, sizeof a), grn_names_show(&g->annotation.names, 3, b, sizeof b));
    }
    GRN_TRY(grn_funnel_add(&l->funnel, "genes", n, l->n_genes - n, "genes with a place in the annotation"));
    GRN_TRY(grn_search_space(&g->regions, &g->annotation, gene, n, &l->opt->search, &g->space));
    if (g->space.n_no_chrom == n) {
        GRN_FAIL(GRN_EEMPTY, "no chromosome of '%s' has a gene of '%s': %s vs %s", l->opt->atac, l->opt->genes,
                 grn_names_show(&g->regions.chroms, 3, a, sizeof a), grn_names_show(&g->annotation.chroms, 3, b, sizeof b));
    }
    if (g->space.n_renamed) grn_log_info("%zu genes: chromosome names reconciled (chr1 and 1)", g->space.n_renamed);
    GRN_TRY(grn_funnel_add(&l->funnel, "genes", n - g->space.n_no_chrom - g->space.n_no_region,
                           g->space.n_no_chrom + g->space.n_no_region, "genes with a region within %" PRIu64 "/%" PRIu64 " bp",
                           l->opt->search.upstream, l->opt->search.downstream));
end:
    free(gene);
    return rc;
}

/* Regions seen in enough cells that belong to a pair, by position. */
static grn_status pick_regions(link_t *l, rg_t *g)
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
    GRN_TRY(grn_funnel_add(&l->funnel, "regions", enough, n_regions - enough, "regions seen in at least %" PRIu64 " cells",
                           l->opt->min_cells));
    GRN_TRY(grn_funnel_add(&l->funnel, "regions", g->n_order, enough - g->n_order, "regions within reach of a gene"));
end:
    free(used);
    return rc;
}

typedef struct {
    link_t *l;
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
            if (place < job->first || place - job->first >= job->region->n) continue; /* also UINT32_MAX */
            grn_corr_pair(&job->region->corr, place - job->first, &job->gene->corr, j, val, rank, &r, &s);
            g->pearson[p] = (float)r;
            g->spearman[p] = (float)s;
        }
        grn_corr_drop(&job->gene->corr, j, val, rank);
    }
    grn_progress_add(end - begin);
    return GRN_OK;
}

/* Genes with a region in places [first, first + n). */
static size_t genes_of_block(const rg_t *g, uint32_t first, size_t n, uint32_t *which, uint32_t *cols)
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
static grn_status correlate_space(link_t *l, rg_t *g)
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
static grn_status pair_fdr(const link_t *l, const rg_t *g, double **fdr, size_t *n_tested)
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

static grn_status region_edges(link_t *l, const rg_t *g, const double *fdr, grn_edges_t *e)
{
    grn_status rc = GRN_OK;
    size_t n = 0, n_pairs = g->space.off[g->space.n_genes];
    float *rho, *rho_sp, *q, *d, *d_tss;
    for (size_t p = 0; p < n_pairs; p++) n += (size_t)passes(g->pearson[p], g->spearman[p], l->opt->min_rho);
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
            if (!passes(g->pearson[p], g->spearman[p], l->opt->min_rho)) continue;
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

static grn_status link_region_gene(link_t *l)
{
    grn_status rc = GRN_OK;
    rg_t g = { 0 };
    grn_edges_t e = { 0 };
    double *fdr = NULL;
    size_t n_tested = 0;
    GRN_TRY(start_funnel(l));
    GRN_TRY(find_pairs(l, &g));
    GRN_TRY(pick_regions(l, &g));
    GRN_TRY(correlate_space(l, &g));
    GRN_TRY(pair_fdr(l, &g, &fdr, &n_tested));
    size_t n_pairs = g.space.off[g.space.n_genes];
    GRN_TRY(grn_funnel_add(&l->funnel, "links", n_tested, n_pairs - n_tested, "region-gene pairs with a correlation"));
    GRN_TRY(region_edges(l, &g, fdr, &e));
    GRN_TRY(grn_funnel_add(&l->funnel, "links", e.n, n_tested - e.n, "region-gene pairs with |Pearson| or |Spearman| > %g",
                           l->opt->min_rho));
    GRN_TRY(save_links(l, &e, l->opt->out_rg, "region_gene"));
    if (e.n == 0) l->empty = l->opt->out_rg;
end:
    free(fdr);
    grn_edges_clear(&e);
    rg_clear(&g);
    return rc;
}

grn_status grn_link_run(const grn_link_opt_t *opt)
{
    grn_status rc = GRN_OK;
    link_t l = { .opt = opt };
    GRN_TRY(open_matrices(&l));
    GRN_TRY(pick_genes(&l));
    if (opt->out_tg) GRN_TRY(link_tf_gene(&l));
    if (opt->out_rg) GRN_TRY(link_region_gene(&l));
    if (l.empty) rc = grn_err(GRN_EEMPTY, "no pair passed; '%s' is empty", l.empty);
end:
    link_clear(&l);
    return rc;
}
