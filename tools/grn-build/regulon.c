#include "regulon.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/opt.h"
#include "cells.h"
#include "columns.h"
#include "funnel.h"
#include "io/adjacency.h"
#include "io/chrom.h"
#include "io/edges.h"
#include "tfsites.h"

/* Links of one kind grouped by their source (TF or region): target and row of the link of source s are at off[s]..off[s + 1), by target. */
typedef struct {
    size_t n;        /* sources */
    size_t *off;     /* (n + 1) */
    uint32_t *gene;  /* column of the RNA matrix */
    uint32_t *row;   /* row of the links' file */
} links_t;

typedef struct { /* one edge to be written */
    uint32_t tf, gene, tg, rg; /* columns of the RNA matrix; rows of the link files (rg: UINT32_MAX without regions) */
    uint16_t type;
    uint8_t combo;             /* bit 0: TF -> gene negative, bit 1: region -> gene negative */
    float motif;
} triplet_t;

typedef struct {
    triplet_t *v;
    size_t n, cap;
} triplets_t;

enum { N_MOTIF, N_TG, N_SIGN, N_TF_ON, N_GENE_ON, N_REGION_ON, N_TARGETS, N_REGULONS, N_REGULONS_LOST, N_COUNTS };

typedef struct {
    const grn_regulon_opt_t *opt;
    grn_names_t genes;          /* columns of the RNA matrix */
    grn_types_t types;
    uint8_t *gene_on, *tf_on;   /* (types, genes): expressed in enough cells of the type */
    uint8_t *region_on;         /* (types, regions of the links) */
    size_t n_genes, n_regions;
    grn_edges_t tg, rg, prior;
    const float *r_tg, *r_rg;   /* the deciding correlation of each link; borrowed */
    links_t by_tf, by_region;
    grn_regions_t regions;      /* of rg.regions, same order */
    grn_tfsites_t sites;
    size_t *site_off;           /* (genes + 1) sites of a TF */
    uint32_t *tfs;              /* genes that are a TF with links (and sites), ascending */
    size_t n_tfs;
    triplets_t *found;          /* (n_tfs) */
    uint64_t (*count)[N_COUNTS]; /* (n_tfs) */
    uint32_t **slot;            /* per worker: (genes) row of the TF's link to the gene + 1; 0: none */
    int n_workers;
    grn_funnel_t funnel;
} regulon_t;

static void links_clear(links_t *l)
{
    free(l->off);
    free(l->gene);
    free(l->row);
}

static void regulon_clear(regulon_t *g)
{
    for (int w = 0; g->slot && w < g->n_workers; w++) free(g->slot[w]);
    for (size_t k = 0; g->found && k < g->n_tfs; k++) free(g->found[k].v);
    free(g->slot);
    free(g->found);
    free(g->count);
    free(g->tfs);
    free(g->site_off);
    grn_tfsites_clear(&g->sites);
    grn_regions_clear(&g->regions);
    links_clear(&g->by_region);
    links_clear(&g->by_tf);
    grn_edges_clear(&g->prior);
    grn_edges_clear(&g->rg);
    grn_edges_clear(&g->tg);
    free(g->region_on);
    free(g->tf_on);
    free(g->gene_on);
    grn_types_clear(&g->types);
    grn_names_clear(&g->genes);
    grn_funnel_clear(&g->funnel);
}

/* ---- what is on in which type ---- */

/* on[t, to(j)] = column j has a count in at least frac of the cells of type t. map[j]: place of column j in on, UINT32_MAX: none; NULL: j. */
static void mark_on(const uint32_t *count, const grn_types_t *types, size_t n_cols, const uint32_t *map, size_t n_on, double frac, uint8_t *on)
{
    for (size_t t = 0; t < types->types.n; t++) {
        double need = frac * (double)types->n_cells[t];
        for (size_t j = 0; j < n_cols; j++) {
            uint32_t c = count[t * n_cols + j], to = map ? map[j] : (uint32_t)j;
            if (to != UINT32_MAX) on[t * n_on + to] = c > 0 && c >= need - 1e-9;
        }
    }
}

static grn_status check_types(regulon_t *g, const grn_types_t *t)
{
    size_t kept = 0;
    if (t->is_default) grn_log_warn("no cell types: every cell is of type 'all' (--cells TSV gives them)");
    if (t->n_unknown) grn_log_info("%zu cells have no type and count for none", t->n_unknown);
    for (size_t k = 0; k < t->types.n; k++) {
        int ok = t->n_cells[k] >= g->opt->min_type_cells;
        kept += (size_t)ok;
        if (!ok) grn_log_warn("type '%s' has %zu cells, fewer than %" PRIu64 ": left out", grn_names_get(&t->types, k), t->n_cells[k],
                              g->opt->min_type_cells);
    }
    return grn_funnel_add(&g->funnel, "types", kept, t->types.n - kept, "cell types with at least %" PRIu64 " cells", g->opt->min_type_cells);
}

/* RNA: types, and genes expressed in them. `info` is left open for the join with ATAC. */
static grn_status load_rna(regulon_t *g, grn_colsrc_t *rna)
{
    grn_status rc = GRN_OK;
    uint32_t *count = NULL;
    GRN_TRY(grn_colsrc_open(rna, g->opt->rna, &g->opt->rna_opt, GRN_SCALE_RAW, grn_common.pool));
    GRN_TRY(grn_names_dup(&g->genes, &rna->info->col));
    g->n_genes = g->genes.n;
    GRN_TRY(grn_types_load(rna->info, NULL, NULL, &g->types));
    size_t n = g->types.types.n * g->n_genes;
    GRN_TRY(GRN_NEW(count, n));
    GRN_TRY(GRN_NEW(g->gene_on, n));
    GRN_TRY(GRN_NEW(g->tf_on, n));
    GRN_TRY(check_types(g, &g->types));
    GRN_TRY(grn_colsrc_by_type(rna, g->types.code, g->types.types.n, count));
    mark_on(count, &g->types, g->n_genes, NULL, g->n_genes, g->opt->min_gene_frac, g->gene_on);
    mark_on(count, &g->types, g->n_genes, NULL, g->n_genes, g->opt->min_tf_frac, g->tf_on);
end:
    free(count);
    return rc;
}

/* Type codes of the ATAC cells in the numbering of the RNA's types; -1 for a type RNA does not have. */
static void align_types(const grn_types_t *rna, const grn_types_t *atac, uint64_t n_rows, int32_t *code, grn_types_t *aligned)
{
    for (uint64_t i = 0; i < n_rows; i++) {
        size_t k = atac->code[i] < 0 ? GRN_NAMES_NONE : grn_names_find(&rna->types, grn_names_get(&atac->types, (size_t)atac->code[i]));
        code[i] = k == GRN_NAMES_NONE ? -1 : (int32_t)k;
        if (k != GRN_NAMES_NONE) aligned->n_cells[k]++;
    }
}

/* Regions accessible in the types. */
static grn_status load_atac(regulon_t *g, const grn_matrix_t *rna)
{
    grn_status rc = GRN_OK;
    grn_colsrc_t atac = { 0 };
    grn_types_t types = { 0 }, aligned = { 0 };
    grn_names_t canonical = { 0 };
    uint32_t *count = NULL, *map = NULL;
    int32_t *code = NULL;
    size_t found = 0, T = g->types.types.n;
    GRN_TRY(grn_colsrc_open(&atac, g->opt->atac, &g->opt->atac_opt, GRN_SCALE_RAW, grn_common.pool));
    size_t R = atac.info->n_cols;
    GRN_TRY(grn_types_load(atac.info, rna, &g->types, &types));
    GRN_TRY(GRN_NEW(code, atac.info->n_rows));
    GRN_TRY(GRN_NEW(aligned.n_cells, T));
    GRN_TRY(grn_names_dup(&aligned.types, &g->types.types));
    align_types(&g->types, &types, atac.info->n_rows, code, &aligned);
    GRN_TRY(grn_region_names(&g->regions, &canonical));
    GRN_TRY(GRN_NEW_RAW(map, R));
    for (size_t j = 0; j < R; j++) {
        size_t r = grn_region_find(&g->regions, &canonical, grn_names_get(&atac.info->col, j));
        map[j] = r == SIZE_MAX ? UINT32_MAX : (uint32_t)r;
        found += r != SIZE_MAX;
    }
    if (found < g->n_regions) {
        GRN_FAIL(GRN_ESHAPE, "%zu of %zu linked regions are not in '%s': was it made with other regions?", g->n_regions - found,
                 g->n_regions, g->opt->atac);
    }
    GRN_TRY(GRN_NEW(count, T * R));
    GRN_TRY(GRN_NEW(g->region_on, T * g->n_regions));
    GRN_TRY(grn_colsrc_by_type(&atac, code, T, count));
    mark_on(count, &aligned, R, map, g->n_regions, g->opt->min_region_frac, g->region_on);
    for (size_t t = 0; t < T; t++) {
        if (aligned.n_cells[t] == 0) grn_log_warn("type '%s' has no ATAC cell: none of its regions counts as accessible", grn_names_get(&g->types.types, t));
    }
end:
    free(map);
    free(count);
    free(code);
    grn_names_clear(&canonical);
    grn_types_clear(&aligned);
    grn_types_clear(&types);
    grn_colsrc_close(&atac);
    return rc;
}

/* ---- links ---- */

/* Genes of a link file -> columns of the RNA matrix. */
static grn_status map_genes(const regulon_t *g, const grn_names_t *names, const char *path, uint32_t *map)
{
    size_t missing = 0, first = 0;
    for (size_t i = 0; i < names->n; i++) {
        size_t k = grn_names_find(&g->genes, grn_names_get(names, i));
        map[i] = k == GRN_NAMES_NONE ? UINT32_MAX : (uint32_t)k;
        if (k == GRN_NAMES_NONE && missing++ == 0) first = i;
    }
    if (missing == 0) return GRN_OK;
    return grn_err(GRN_ESHAPE, "%zu of %zu genes of '%s' are not in '%s' (first: %s): was it made from other counts?", missing, names->n, path,
                   g->opt->rna, grn_names_get(names, first));
}

static grn_status group_links(const uint32_t *source, const uint32_t *target, const uint8_t *keep, size_t n, size_t n_sources, links_t *l)
{
    grn_status rc = GRN_OK;
    l->n = n_sources;
    GRN_TRY(GRN_NEW(l->off, n_sources + 2));
    GRN_TRY(GRN_NEW_RAW(l->gene, n));
    GRN_TRY(GRN_NEW_RAW(l->row, n));
    size_t *at = l->off + 1; /* counts shifted by one: filling turns starts into ends */
    for (size_t i = 0; i < n; i++) at[source[i] + 1] += keep[i];
    for (size_t s = 0; s < n_sources; s++) at[s + 1] += at[s];
    for (size_t i = 0; i < n; i++) {
        if (!keep[i]) continue;
        size_t k = at[source[i]]++;
        l->gene[k] = target[i];
        l->row[k] = (uint32_t)i;
    }
end:
    return rc;
}

static grn_status need_evidence(const grn_edges_t *e, const char *path, const char *name, const float **v)
{
    *v = grn_edges_find_evidence(e, name);
    return *v ? GRN_OK : grn_err(GRN_EFORMAT, "'%s' has no column '%s': is it from grn-build link?", path, name);
}

/* Reads links, keeps those above the thresholds and groups them; ids become columns of the RNA matrix. */
static grn_status load_links(regulon_t *g, int is_tg)
{
    grn_status rc = GRN_OK;
    const grn_regulon_opt_t *o = g->opt;
    grn_edges_t *e = is_tg ? &g->tg : &g->rg;
    const char *path = is_tg ? o->tf_gene : o->region_gene, *what = is_tg ? "TF-gene" : "region-gene";
    grn_rho rho = is_tg ? o->rho_tg : o->rho_rg;
    const float *fdr = NULL;
    uint32_t *map = NULL;
    uint8_t *keep = NULL;
    size_t n = 0, n_sure = 0;
    GRN_TRY(grn_edges_load(path, grn_common.pool, e));
    if (!e->gene || !(is_tg ? e->tf : e->region)) GRN_FAIL(GRN_EFORMAT, "'%s' does not hold %s links", path, what);
    if (e->n > UINT32_MAX - 1) GRN_FAIL(GRN_EUNSUP, "'%s' has %zu links, more than 2^32 - 2", path, e->n);
    GRN_TRY(grn_edges_sort(e));
    GRN_TRY(need_evidence(e, path, is_tg ? (rho ? "rho_sp_tg" : "rho_tg") : (rho ? "rho_sp_rg" : "rho_rg"), is_tg ? &g->r_tg : &g->r_rg));
    if (!is_tg && o->max_fdr < 1) GRN_TRY(need_evidence(e, path, "fdr_rg", &fdr));
    GRN_TRY(GRN_NEW_RAW(map, e->genes.n));
    GRN_TRY(GRN_NEW(keep, e->n));
    GRN_TRY(map_genes(g, &e->genes, path, map));
    const float *r = is_tg ? g->r_tg : g->r_rg;
    for (size_t i = 0; i < e->n; i++) {
        e->gene[i] = map[e->gene[i]];
        if (is_tg) e->tf[i] = map[e->tf[i]];
        int strong = fabs(r[i]) > o->min_rho; /* NaN is not */
        n += (size_t)strong;
        keep[i] = strong && (!fdr || fdr[i] <= o->max_fdr);
        n_sure += keep[i];
    }
    GRN_TRY(grn_funnel_add(&g->funnel, "links", n, e->n - n, "%s links with |%s| > %g", what, rho ? "Spearman" : "Pearson", o->min_rho));
    if (fdr) GRN_TRY(grn_funnel_add(&g->funnel, "links", n_sure, n - n_sure, "%s links with FDR <= %g", what, o->max_fdr));
    GRN_TRY(group_links(is_tg ? e->tf : e->region, e->gene, keep, e->n, is_tg ? g->n_genes : e->regions.n, is_tg ? &g->by_tf : &g->by_region));
end:
    free(keep);
    free(map);
    return rc;
}

/* TFs to work on: genes with links (and, when there are motifs, sites). */
static grn_status list_tfs(regulon_t *g)
{
    grn_status rc = GRN_OK;
    size_t linked = 0;
    GRN_TRY(GRN_NEW(g->site_off, g->n_genes + 2));
    for (size_t i = 0; i < g->sites.n; i++) g->site_off[g->sites.v[i].tf + 1]++;
    for (size_t k = 0; k < g->n_genes; k++) g->site_off[k + 1] += g->site_off[k];
    GRN_TRY(GRN_NEW_RAW(g->tfs, g->n_genes));
    for (size_t k = 0; k < g->n_genes; k++) {
        if (g->by_tf.off[k + 1] == g->by_tf.off[k]) continue;
        linked++;
        if (g->opt->rna_only || g->site_off[k + 1] > g->site_off[k]) g->tfs[g->n_tfs++] = (uint32_t)k;
    }
    if (!g->opt->rna_only) GRN_TRY(grn_funnel_add(&g->funnel, "TFs", g->n_tfs, linked - g->n_tfs, "linked TFs with a motif in a linked region"));
    GRN_TRY(GRN_NEW(g->found, g->n_tfs));
    GRN_TRY(GRN_NEW(g->count, g->n_tfs));
    g->n_workers = grn_par_n(grn_common.pool);
    GRN_TRY(GRN_NEW(g->slot, (size_t)g->n_workers));
    for (int w = 0; w < g->n_workers; w++) GRN_TRY(GRN_NEW(g->slot[w], g->n_genes));
end:
    return rc;
}

static grn_status load_sites(regulon_t *g)
{
    grn_status rc = GRN_OK;
    const grn_regulon_opt_t *o = g->opt;
    grn_tfsites_t *s = &g->sites;
    GRN_TRY(grn_tfsites_load(o->scan, o->hits, o->motif2tf, &g->genes, &g->regions, grn_common.pool, s));
    if (s->n_by_prefix) grn_log_info("%zu motifs taken for the TF before the first '_' of their name", s->n_by_prefix);
    GRN_TRY(grn_funnel_add(&g->funnel, "motifs", s->n_motifs_used, s->motifs.n - s->n_motifs_used, "motifs of a TF that is a gene of the matrix"));
    if (o->hits) GRN_TRY(grn_funnel_add(&g->funnel, "hits", s->n_hits - s->n_outside, s->n_outside, "motif hits inside a linked region"));
end:
    return rc;
}

/* ---- edges of one TF ---- */

static grn_status add_edge(triplets_t *out, triplet_t t)
{
    grn_status rc = GRN_GROW(out->v, out->cap, out->n + 1);
    if (rc == GRN_OK) out->v[out->n++] = t;
    return rc;
}

/* The edge in every type where TF, gene and region are on. */
static grn_status add_in_types(regulon_t *g, triplet_t t, uint32_t region, triplets_t *out, uint64_t *count)
{
    grn_status rc = GRN_OK;
    for (size_t k = 0; k < g->types.types.n; k++) {
        if (g->types.n_cells[k] < g->opt->min_type_cells || !g->tf_on[k * g->n_genes + t.tf]) continue;
        count[N_TF_ON]++;
        if (!g->gene_on[k * g->n_genes + t.gene]) continue;
        count[N_GENE_ON]++;
        if (t.rg != UINT32_MAX && !g->region_on[k * g->n_regions + region]) continue;
        count[N_REGION_ON]++;
        t.type = (uint16_t)k;
        GRN_TRY(add_edge(out, t));
    }
end:
    return rc;
}

static int compare_triplets(const void *a, const void *b)
{
    const triplet_t *x = a, *y = b;
    if (x->type != y->type) return x->type < y->type ? -1 : 1;
    if (x->combo != y->combo) return x->combo < y->combo ? -1 : 1;
    if (x->gene != y->gene) return x->gene < y->gene ? -1 : 1;
    return (x->rg > y->rg) - (x->rg < y->rg);
}

/* Drops the (type, sign) groups with too few genes. */
static void drop_small(const regulon_t *g, triplets_t *t, uint64_t *count)
{
    size_t n = 0;
    if (t->n) qsort(t->v, t->n, sizeof *t->v, compare_triplets);
    for (size_t i = 0, j; i < t->n; i = j) {
        size_t genes = 0;
        for (j = i; j < t->n && t->v[j].type == t->v[i].type && t->v[j].combo == t->v[i].combo; j++) {
            genes += j == i || t->v[j].gene != t->v[j - 1].gene;
        }
        if (genes < g->opt->min_targets) {
            count[N_REGULONS_LOST]++;
            continue;
        }
        count[N_REGULONS]++;
        memmove(t->v + n, t->v + i, (j - i) * sizeof *t->v);
        n += j - i;
    }
    t->n = n;
    count[N_TARGETS] = n;
}

/* Motif in region, region -> gene, TF -> gene. */
static grn_status join_tf(regulon_t *g, size_t k, uint32_t *slot)
{
    grn_status rc = GRN_OK;
    uint32_t tf = g->tfs[k];
    uint64_t *count = g->count[k];
    for (size_t i = g->by_tf.off[tf]; i < g->by_tf.off[tf + 1]; i++) slot[g->by_tf.gene[i]] = g->by_tf.row[i] + 1;
    for (size_t s = g->site_off[tf]; s < g->site_off[tf + 1]; s++) {
        uint32_t region = g->sites.v[s].region;
        for (size_t i = g->by_region.off[region]; i < g->by_region.off[region + 1]; i++) {
            uint32_t gene = g->by_region.gene[i], rg = g->by_region.row[i], tg = slot[gene];
            count[N_MOTIF]++;
            if (tg-- == 0) continue;
            count[N_TG]++;
            uint8_t combo = (uint8_t)((g->r_tg[tg] < 0) | (g->r_rg[rg] < 0) << 1);
            if ((combo & 2) && !g->opt->all_signs) continue;
            count[N_SIGN]++;
            GRN_TRY(add_in_types(g, (triplet_t){ tf, gene, tg, rg, 0, combo, g->sites.v[s].score }, region, &g->found[k], count));
        }
    }
end:
    for (size_t i = g->by_tf.off[tf]; i < g->by_tf.off[tf + 1]; i++) slot[g->by_tf.gene[i]] = 0;
    return rc;
}

static grn_status module_tf(regulon_t *g, size_t k)
{
    grn_status rc = GRN_OK;
    uint32_t tf = g->tfs[k];
    for (size_t i = g->by_tf.off[tf]; i < g->by_tf.off[tf + 1]; i++) {
        uint32_t row = g->by_tf.row[i];
        triplet_t t = { tf, g->by_tf.gene[i], row, UINT32_MAX, 0, g->r_tg[row] < 0, NAN };
        GRN_TRY(add_in_types(g, t, 0, &g->found[k], g->count[k]));
    }
end:
    return rc;
}

static grn_status build_tfs(void *ctx, size_t begin, size_t end, int worker)
{
    grn_status rc = GRN_OK;
    regulon_t *g = ctx;
    for (size_t k = begin; k < end; k++) {
        GRN_TRY(g->opt->rna_only ? module_tf(g, k) : join_tf(g, k, g->slot[worker]));
        drop_small(g, &g->found[k], g->count[k]);
    }
end:
    return rc;
}

static grn_status build_all(regulon_t *g)
{
    grn_status rc = GRN_OK;
    const grn_regulon_opt_t *o = g->opt;
    uint64_t n[N_COUNTS] = { 0 }, types = 0;
    GRN_TRY(grn_par_for(grn_common.pool, g->n_tfs, 1, build_tfs, g));
    for (size_t k = 0; k < g->n_tfs; k++) {
        for (int c = 0; c < N_COUNTS; c++) n[c] += g->count[k][c];
    }
    for (size_t t = 0; t < g->types.types.n; t++) types += g->types.n_cells[t] >= o->min_type_cells;
    if (!o->rna_only) {
        GRN_TRY(grn_funnel_add(&g->funnel, "triplets", n[N_TG], n[N_MOTIF] - n[N_TG], "TF-region-gene triplets with a TF-gene link"));
        GRN_TRY(grn_funnel_add(&g->funnel, "triplets", n[N_SIGN], n[N_TG] - n[N_SIGN],
                               o->all_signs ? "triplets of any sign" : "triplets whose region and gene rise together"));
    } else {
        for (size_t k = 0; k < g->n_tfs; k++) n[N_SIGN] += g->by_tf.off[g->tfs[k] + 1] - g->by_tf.off[g->tfs[k]];
    }
    GRN_TRY(grn_funnel_add(&g->funnel, "edges", n[N_TF_ON], n[N_SIGN] * types - n[N_TF_ON],
                           "edges x types: TF expressed in at least %g of the cells of the type", o->min_tf_frac));
    GRN_TRY(grn_funnel_add(&g->funnel, "edges", n[N_GENE_ON], n[N_TF_ON] - n[N_GENE_ON],
                           "edges x types: gene expressed in at least %g of the cells", o->min_gene_frac));
    if (!o->rna_only) {
        GRN_TRY(grn_funnel_add(&g->funnel, "edges", n[N_REGION_ON], n[N_GENE_ON] - n[N_REGION_ON],
                               "edges x types: region accessible in at least %g of the cells", o->min_region_frac));
    }
    GRN_TRY(grn_funnel_add(&g->funnel, "edges", n[N_TARGETS], n[N_REGION_ON] - n[N_TARGETS],
                           "edges of regulons with at least %" PRIu64 " genes in the type", o->min_targets));
    GRN_TRY(grn_funnel_add(&g->funnel, "regulons", n[N_REGULONS], n[N_REGULONS_LOST],
                           "regulons x types with at least %" PRIu64 " genes", o->min_targets));
end:
    return rc;
}

/* ---- RNA only: which links make the modules ---- */

typedef struct {
    uint32_t source, target, row;
    float r;
} ranked_t;

static int by_source(const void *a, const void *b)
{
    const ranked_t *x = a, *y = b;
    if (x->source != y->source) return x->source < y->source ? -1 : 1;
    if (x->r != y->r) return x->r > y->r ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row); /* rows are in order of names */
}

/* Marks the `top` strongest links of every source: keep[row] |= bit. */
static void mark_top(ranked_t *v, size_t n, uint64_t top, uint8_t bit, uint8_t *mark)
{
    uint64_t k = 0;
    if (n) qsort(v, n, sizeof *v, by_source);
    for (size_t i = 0; i < n; i++) {
        k = i && v[i].source == v[i - 1].source ? k + 1 : 0;
        if (k < top) mark[v[i].row] |= bit;
    }
}

enum { MARK_TARGET = 1, MARK_REGULATOR = 2, MARK_PRIOR = 4 };

/* Links of one sign among the top targets of their TF and among the top regulators of their gene. */
static grn_status mark_sign(regulon_t *g, int negative, const uint8_t *use, uint8_t *mark)
{
    grn_status rc = GRN_OK;
    ranked_t *v = NULL;
    size_t n = 0;
    GRN_TRY(GRN_NEW_RAW(v, g->tg.n));
    for (int pass = 0; pass < 2; pass++) {
        n = 0;
        for (size_t i = 0; i < g->tg.n; i++) {
            float r = negative ? -g->r_tg[i] : g->r_tg[i];
            if (!use[i] || !(r > 0)) continue;
            v[n++] = pass ? (ranked_t){ g->tg.gene[i], g->tg.tf[i], (uint32_t)i, r } : (ranked_t){ g->tg.tf[i], g->tg.gene[i], (uint32_t)i, r };
        }
        mark_top(v, n, pass ? g->opt->top_regulators : g->opt->top_targets, pass ? MARK_REGULATOR : MARK_TARGET, mark);
    }
end:
    free(v);
    return rc;
}

typedef struct {
    uint64_t key; /* tf << 32 | gene */
    int8_t sign;
} prior_edge_t;

static int by_key(const void *a, const void *b)
{
    const prior_edge_t *x = a, *y = b;
    return (x->key > y->key) - (x->key < y->key);
}

/* Links the prior network knows, with the same sign where it gives one. */
static grn_status mark_prior(regulon_t *g, const uint8_t *use, uint8_t *mark)
{
    grn_status rc = GRN_OK;
    grn_adjacency_info_t info;
    prior_edge_t *known = NULL;
    size_t n = 0;
    uint64_t supported = 0, used = 0;
    GRN_TRY(grn_adjacency_load(g->opt->prior, g->opt->prior_confidence, &g->prior, &info));
    GRN_TRY(GRN_NEW_RAW(known, g->prior.n));
    for (size_t i = 0; i < g->prior.n; i++) {
        size_t tf = grn_names_find(&g->genes, grn_names_get(&g->prior.genes, g->prior.tf[i]));
        size_t gene = grn_names_find(&g->genes, grn_names_get(&g->prior.genes, g->prior.gene[i]));
        if (tf == GRN_NAMES_NONE || gene == GRN_NAMES_NONE) continue;
        known[n++] = (prior_edge_t){ (uint64_t)tf << 32 | gene, g->prior.sign ? g->prior.sign[i] : 0 };
    }
    if (n == 0) GRN_FAIL(GRN_ESHAPE, "no edge of the prior '%s' joins two genes of '%s'", g->opt->prior, g->opt->rna);
    qsort(known, n, sizeof *known, by_key);
    GRN_TRY(grn_funnel_add(&g->funnel, "prior edges", n, g->prior.n - n, "edges of the prior between genes of the matrix"));
    for (size_t i = 0; i < g->tg.n; i++) {
        if (!use[i]) continue;
        used++;
        prior_edge_t key = { (uint64_t)g->tg.tf[i] << 32 | g->tg.gene[i], 0 };
        const prior_edge_t *p = bsearch(&key, known, n, sizeof *known, by_key);
        if (!p || (p->sign && (p->sign < 0) != (g->r_tg[i] < 0))) continue;
        mark[i] |= MARK_PRIOR;
        supported++;
    }
    GRN_TRY(grn_funnel_add(&g->funnel, "links", supported, used - supported, "TF-gene links the prior knows, of the same sign%s",
                           g->opt->prior_mode == GRN_PRIOR_ADD ? " (added to the others)" : ""));
end:
    free(known);
    return rc;
}

/* Replaces by_tf by the links of the modules. */
static grn_status choose_modules(regulon_t *g)
{
    grn_status rc = GRN_OK;
    const grn_regulon_opt_t *o = g->opt;
    uint8_t *use = NULL, *mark = NULL;
    uint64_t n_use = 0, n_target = 0, n_both = 0, n_keep = 0;
    GRN_TRY(GRN_NEW(use, g->tg.n));
    GRN_TRY(GRN_NEW(mark, g->tg.n));
    for (size_t k = 0; k < g->by_tf.off[g->n_genes]; k++) {
        uint32_t i = g->by_tf.row[k];
        use[i] = o->all_signs || g->r_tg[i] > 0;
        n_use += use[i];
    }
    uint64_t all = g->by_tf.off[g->n_genes];
    if (!o->all_signs) GRN_TRY(grn_funnel_add(&g->funnel, "links", n_use, all - n_use, "TF-gene links of positive sign"));
    if (o->prior) GRN_TRY(mark_prior(g, use, mark));
    if (o->prior && o->prior_mode == GRN_PRIOR_ONLY) {
        n_use = 0;
        for (size_t i = 0; i < g->tg.n; i++) n_use += use[i] = (mark[i] & MARK_PRIOR) != 0;
    }
    GRN_TRY(mark_sign(g, 0, use, mark));
    GRN_TRY(mark_sign(g, 1, use, mark));
    for (size_t i = 0; i < g->tg.n; i++) {
        int both = (mark[i] & 3) == 3;
        n_target += (mark[i] & MARK_TARGET) != 0;
        n_both += (uint64_t)both;
        use[i] = both || (o->prior && o->prior_mode == GRN_PRIOR_ADD && (mark[i] & MARK_PRIOR));
        n_keep += use[i];
    }
    GRN_TRY(grn_funnel_add(&g->funnel, "links", n_target, n_use - n_target, "TF-gene links among the %" PRIu64 " strongest of the TF", o->top_targets));
    GRN_TRY(grn_funnel_add(&g->funnel, "links", n_both, n_target - n_both, "and among the %" PRIu64 " strongest of the gene", o->top_regulators));
    if (n_keep > n_both) GRN_TRY(grn_funnel_add(&g->funnel, "links", n_keep, 0, "with the links only the prior supports"));
    links_clear(&g->by_tf);
    g->by_tf = (links_t){ 0 };
    GRN_TRY(group_links(g->tg.tf, g->tg.gene, use, g->tg.n, g->n_genes, &g->by_tf));
end:
    free(mark);
    free(use);
    return rc;
}

/* ---- output ---- */

static grn_status regulon_name(const regulon_t *g, const triplet_t *t, grn_names_t *names, uint32_t *id)
{
    grn_status rc = GRN_OK;
    grn_str_t s = { 0 };
    size_t k;
    const char *tf = grn_names_get(&g->genes, t->tf);
    if (g->opt->rna_only) {
        GRN_TRY(grn_str_printf(&s, "%s(%c)", tf, t->combo & 1 ? '-' : '+'));
    } else {
        GRN_TRY(grn_str_printf(&s, "%s_%c/%c", tf, t->combo & 1 ? '-' : '+', t->combo & 2 ? '-' : '+'));
    }
    GRN_TRY(grn_names_add(names, s.s, &k, NULL));
    *id = (uint32_t)k;
end:
    grn_str_clear(&s);
    return rc;
}

/* Evidence columns of the output, copied from the links' files. */
typedef struct {
    const char *name;
    int from_tg;
    const float *from;
    float *to;
} copied_t;

static grn_status fill_edges(const regulon_t *g, grn_edges_t *e, copied_t *col, size_t n_col, float *motif)
{
    grn_status rc = GRN_OK;
    size_t n = 0;
    for (size_t k = 0; k < g->n_tfs; k++) {
        uint32_t last = UINT32_MAX;
        uint8_t combo = 0;
        for (size_t i = 0; i < g->found[k].n; i++, n++) {
            const triplet_t *t = &g->found[k].v[i];
            if (last == UINT32_MAX || t->combo != combo) GRN_TRY(regulon_name(g, t, &e->regulons, &last));
            combo = t->combo;
            double r = fabs(g->r_tg[t->tg]);
            e->tf[n] = t->tf;
            e->gene[n] = t->gene;
            e->regulon[n] = last;
            e->context[n] = t->type;
            e->sign[n] = t->combo & 1 ? -1 : 1;
            if (e->region) {
                e->region[n] = g->rg.region[t->rg];
                r = sqrt(r * fabs(g->r_rg[t->rg]));
                motif[n] = t->motif;
            }
            e->weight[n] = (float)r;
            for (size_t c = 0; c < n_col; c++) col[c].to[n] = col[c].from ? col[c].from[col[c].from_tg ? t->tg : t->rg] : NAN;
        }
    }
end:
    return rc;
}

static grn_status make_edges(const regulon_t *g, grn_edges_t *e)
{
    grn_status rc = GRN_OK;
    copied_t col[] = { { "rho_tg", 1, 0, 0 }, { "rho_sp_tg", 1, 0, 0 }, { "rho_rg", 0, 0, 0 }, { "rho_sp_rg", 0, 0, 0 },
                       { "fdr_rg", 0, 0, 0 }, { "distance", 0, 0, 0 }, { "distance_tss", 0, 0, 0 } };
    size_t n = 0, n_col = g->opt->rna_only ? 2 : sizeof col / sizeof *col;
    float *motif = NULL;
    for (size_t k = 0; k < g->n_tfs; k++) n += g->found[k].n;
    GRN_TRY(grn_edges_alloc(e, n, g->opt->rna_only ? "tf,gene,regulon,context,sign,weight" : "tf,gene,region,regulon,context,sign,weight"));
    GRN_TRY(grn_names_dup(&e->genes, &g->genes));
    GRN_TRY(grn_names_dup(&e->contexts, &g->types.types));
    if (!g->opt->rna_only) {
        GRN_TRY(grn_names_dup(&e->regions, &g->rg.regions));
        GRN_TRY(grn_edges_evidence(e, "motif_score", &motif));
    }
    for (size_t c = 0; c < n_col; c++) {
        col[c].from = grn_edges_find_evidence(col[c].from_tg ? &g->tg : &g->rg, col[c].name);
        GRN_TRY(grn_edges_evidence(e, col[c].name, &col[c].to));
    }
    for (size_t c = 0; c < n_col; c++) { /* adding a column may have moved the others */
        GRN_TRY(grn_edges_evidence(e, col[c].name, &col[c].to));
    }
    if (motif) GRN_TRY(grn_edges_evidence(e, "motif_score", &motif));
    GRN_TRY(fill_edges(g, e, col, n_col, motif));
    GRN_TRY(grn_edges_sort(e));
end:
    return rc;
}

static grn_status save_regulons(regulon_t *g)
{
    grn_status rc = GRN_OK;
    grn_edges_t e = { 0 };
    GRN_TRY(make_edges(g, &e));
    const char *json = grn_funnel_json(&g->funnel);
    const char *const meta[] = { "kind", g->opt->rna_only ? "regulons_rna" : "regulons_multiome", "funnel", json ? json : "[]", NULL };
    GRN_TRY(grn_edges_save(&e, g->opt->out, meta, grn_common.pool));
    grn_log_info("%zu regulons in %zu cell types, %zu edges", e.regulons.n, e.contexts.n, e.n);
    if (e.n == 0) rc = grn_err(GRN_EEMPTY, "no regulon passed; '%s' holds the funnel and no edge", g->opt->out);
end:
    grn_edges_clear(&e);
    return rc;
}

grn_status grn_regulon_run(const grn_regulon_opt_t *opt)
{
    grn_status rc = GRN_OK;
    regulon_t g = { .opt = opt };
    grn_colsrc_t rna = { 0 };
    GRN_TRY(load_rna(&g, &rna));
    GRN_TRY(load_links(&g, 1));
    if (opt->rna_only) {
        GRN_TRY(choose_modules(&g));
    } else {
        GRN_TRY(load_links(&g, 0));
        g.n_regions = g.rg.regions.n;
        GRN_TRY(grn_regions_from_names(&g.rg.regions, &g.regions));
        GRN_TRY(load_atac(&g, rna.info));
        GRN_TRY(load_sites(&g));
    }
    grn_colsrc_close(&rna);
    GRN_TRY(list_tfs(&g));
    GRN_TRY(build_all(&g));
    GRN_TRY(save_regulons(&g));
end:
    grn_colsrc_close(&rna);
    regulon_clear(&g);
    return rc;
}
