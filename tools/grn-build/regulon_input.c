#include "regulon_priv.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/opt.h"

void grn_links_clear(grn_links_t *l)
{
    free(l->off);
    free(l->gene);
    free(l->row);
}

/* ---- what is on in which type ---- */

/* on[t, to(j)] = column j has a count in at least frac of the cells of type t. map[j]: place of
 * column j in on, UINT32_MAX: none; NULL: j. */
static void mark_on(const uint32_t *count, const grn_types_t *types, size_t n_cols,
                    const uint32_t *map, size_t n_on, double frac, uint8_t *on)
{
    for (size_t t = 0; t < types->types.n; t++) {
        double need = frac * (double)types->n_cells[t];
        for (size_t j = 0; j < n_cols; j++) {
            uint32_t c = count[t * n_cols + j], to = map ? map[j] : (uint32_t)j;
            if (to != UINT32_MAX) on[t * n_on + to] = c > 0 && c >= need - 1e-9;
        }
    }
}

static grn_status check_types(grn_regulon_t *g, const grn_types_t *t)
{
    size_t kept = 0;
    if (t->is_default)
        grn_log_warn("no cell types: every cell is of type 'all' (--cells TSV gives them)");
    if (t->n_unknown) grn_log_info("%zu cells have no type and count for none", t->n_unknown);
    for (size_t k = 0; k < t->types.n; k++) {
        int ok = t->n_cells[k] >= g->opt->min_type_cells;
        kept += (size_t)ok;
        if (!ok)
            grn_log_warn("type '%s' has %zu cells, fewer than %" PRIu64 ": left out",
                         grn_names_get(&t->types, k), t->n_cells[k], g->opt->min_type_cells);
    }
    return grn_funnel_add(&g->funnel, "types", kept, t->types.n - kept,
                          "cell types with at least %" PRIu64 " cells", g->opt->min_type_cells);
}

/* The genes of the matrix, and the linked TFs that it lacks. */
static grn_status name_genes(grn_regulon_t *g, const grn_matrix_t *rna)
{
    grn_status rc = GRN_OK;
    GRN_TRY(grn_names_dup(&g->genes, &rna->col));
    g->n_cols = g->genes.n;
    for (size_t i = 0; i < g->tg.n; i++)
        GRN_TRY(grn_names_add(&g->genes, grn_names_get(&g->tg.genes, g->tg.tf[i]), NULL, NULL));
    g->n_genes = g->genes.n;
end:
    return rc;
}

/* One type of all cells, with nothing asked of them. */
static grn_status one_type(grn_regulon_t *g, const grn_matrix_t *rna)
{
    grn_status rc = GRN_OK;
    GRN_TRY(grn_names_add(&g->types.types, "all", NULL, NULL));
    GRN_TRY(GRN_NEW(g->types.n_cells, 1));
    g->types.n_cells[0] = rna->n_rows;
end:
    return rc;
}

/* RNA: types, and genes expressed in them. `info` is left open for the join with ATAC. */
static grn_status load_rna(grn_regulon_t *g, grn_colsrc_t *rna)
{
    grn_status rc = GRN_OK;
    uint32_t *count = NULL;
    GRN_TRY(grn_colsrc_open(rna, g->opt->rna, &g->opt->rna_opt, GRN_SCALE_RAW, grn_common.pool));
    GRN_TRY(name_genes(g, rna->info));
    if (g->opt->all_types) {
        GRN_TRY(one_type(g, rna->info));
        goto end;
    }
    GRN_TRY(grn_types_load(rna->info, NULL, NULL, &g->types));
    size_t n = g->types.types.n * g->n_genes;
    GRN_TRY(GRN_NEW(count, g->types.types.n * g->n_cols));
    GRN_TRY(GRN_NEW(g->gene_on, n));
    GRN_TRY(GRN_NEW(g->tf_on, n));
    GRN_TRY(check_types(g, &g->types));
    GRN_TRY(grn_colsrc_by_type(rna, g->types.code, g->types.types.n, count));
    mark_on(count, &g->types, g->n_cols, NULL, g->n_genes, g->opt->min_gene_frac, g->gene_on);
    mark_on(count, &g->types, g->n_cols, NULL, g->n_genes, g->opt->min_tf_frac, g->tf_on);
end:
    free(count);
    return rc;
}

/* Type codes of the ATAC cells in the numbering of the RNA's types; -1 for a type RNA does not
 * have. */
static void align_types(const grn_types_t *rna, const grn_types_t *atac, uint64_t n_rows,
                        int32_t *code, grn_types_t *aligned)
{
    for (uint64_t i = 0; i < n_rows; i++) {
        size_t k =
            atac->code[i] < 0
                ? GRN_NAMES_NONE
                : grn_names_find(&rna->types, grn_names_get(&atac->types, (size_t)atac->code[i]));
        code[i] = k == GRN_NAMES_NONE ? -1 : (int32_t)k;
        if (k != GRN_NAMES_NONE) aligned->n_cells[k]++;
    }
}

/* Regions accessible in the types. */
static grn_status load_atac(grn_regulon_t *g, const grn_matrix_t *rna)
{
    grn_status rc = GRN_OK;
    grn_colsrc_t atac = { 0 };
    grn_types_t types = { 0 }, aligned = { 0 };
    grn_names_t canonical = { 0 };
    uint32_t *count = NULL, *map = NULL;
    int32_t *code = NULL;
    size_t found = 0, T = g->types.types.n;
    GRN_TRY(
        grn_colsrc_open(&atac, g->opt->atac, &g->opt->atac_opt, GRN_SCALE_RAW, grn_common.pool));
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
        GRN_FAIL(GRN_ESHAPE,
                 "%zu of %zu linked regions are not in '%s': was it made with other regions?",
                 g->n_regions - found, g->n_regions, g->opt->atac);
    }
    GRN_TRY(GRN_NEW(count, T * R));
    GRN_TRY(GRN_NEW(g->region_on, T * g->n_regions));
    GRN_TRY(GRN_NEW(g->region_cells, T * g->n_regions));
    GRN_TRY(grn_colsrc_by_type(&atac, code, T, count));
    mark_on(count, &aligned, R, map, g->n_regions, g->opt->min_region_frac, g->region_on);
    for (size_t k = 0; k < T * R; k++) {
        if (map[k % R] != UINT32_MAX) g->region_cells[k / R * g->n_regions + map[k % R]] = count[k];
    }
    for (size_t t = 0; t < T; t++) {
        if (aligned.n_cells[t] == 0)
            grn_log_warn("type '%s' has no ATAC cell: none of its regions counts as accessible",
                         grn_names_get(&g->types.types, t));
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

/* Genes of a link file -> g->genes; UINT32_MAX: not there. */
static void map_genes(const grn_regulon_t *g, const grn_names_t *names, uint32_t *map)
{
    for (size_t i = 0; i < names->n; i++) {
        size_t k = grn_names_find(&g->genes, grn_names_get(names, i));
        map[i] = k == GRN_NAMES_NONE ? UINT32_MAX : (uint32_t)k;
    }
}

grn_status grn_links_group(const uint32_t *source, const uint32_t *target, const uint8_t *keep,
                           size_t n, size_t n_sources, grn_links_t *l)
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

static grn_status need_evidence(const grn_edges_t *e, const char *path, const char *name,
                                const float **v)
{
    *v = grn_edges_find_evidence(e, name);
    return *v ? GRN_OK
              : grn_err(GRN_EFORMAT, "'%s' has no column '%s': is it from grn-build link?", path,
                        name);
}

static grn_status read_links(const char *path, int is_tg, grn_edges_t *e)
{
    grn_status rc = GRN_OK;
    GRN_TRY(grn_edges_load(path, grn_common.pool, e));
    if (!e->gene || !(is_tg ? e->tf : e->region)) {
        GRN_FAIL(GRN_EFORMAT, "'%s' does not hold %s links", path,
                 is_tg ? "TF-gene" : "region-gene");
    }
    if (e->n > UINT32_MAX - 1)
        GRN_FAIL(GRN_EUNSUP, "'%s' has %zu links, more than 2^32 - 2", path, e->n);
    GRN_TRY(grn_edges_sort(e));
end:
    return rc;
}

/* A gene twice in the ranking of a TF, or a region twice among those of a gene, would count twice. */
static grn_status refuse_twice(const grn_edges_t *e, const char *path, int is_tg)
{
    for (size_t i = 1; i < e->n; i++) {
        const uint32_t *source = is_tg ? e->tf : e->region;
        if (source[i] == source[i - 1] && e->gene[i] == e->gene[i - 1])
            return grn_err(GRN_EFORMAT, "'%s' links '%s' and '%s' twice", path,
                           grn_names_get(is_tg ? &e->genes : &e->regions, source[i]), grn_names_get(&e->genes, e->gene[i]));
    }
    return GRN_OK;
}

/* The importance of each link; |r| where the file has none. */
static grn_status find_importance(grn_regulon_t *g, int is_tg)
{
    grn_status rc = GRN_OK;
    const grn_edges_t *e = is_tg ? &g->tg : &g->rg;
    const char *name = is_tg ? "importance_tg" : "importance_rg";
    const float *r = is_tg ? g->r_tg : g->r_rg, **importance = is_tg ? &g->imp_tg : &g->imp_rg;
    *importance = grn_edges_find_evidence(e, name);
    if (*importance) goto end;
    if (!g->opt->rna_only)
        grn_log_info("'%s' has no column '%s': the size of the correlation takes its place",
                     is_tg ? g->opt->tf_gene : g->opt->region_gene, name);
    float *own;
    GRN_TRY(GRN_NEW_RAW(own, e->n));
    g->own_imp[is_tg] = own;
    for (size_t i = 0; i < e->n; i++) own[i] = fabsf(r[i]);
    *importance = own;
end:
    return rc;
}

/* Keeps the links above the thresholds and groups them; gene ids become those of g->genes. */
static grn_status sift_links(grn_regulon_t *g, int is_tg)
{
    grn_status rc = GRN_OK;
    const grn_regulon_opt_t *o = g->opt;
    grn_edges_t *e = is_tg ? &g->tg : &g->rg;
    const char *path = is_tg ? o->tf_gene : o->region_gene,
               *what = is_tg ? "TF-gene" : "region-gene";
    grn_rho rho = is_tg ? o->rho_tg : o->rho_rg;
    const float *fdr = NULL;
    uint32_t *map = NULL;
    uint8_t *keep = NULL;
    size_t n = 0, n_sure = 0;
    GRN_TRY(need_evidence(e, path,
                          is_tg ? (rho ? "rho_sp_tg" : "rho_tg") : (rho ? "rho_sp_rg" : "rho_rg"),
                          is_tg ? &g->r_tg : &g->r_rg));
    GRN_TRY(find_importance(g, is_tg));
    if (o->method == GRN_REGULON_GSEA) GRN_TRY(refuse_twice(e, path, is_tg));
    if (o->max_fdr < 1) GRN_TRY(need_evidence(e, path, is_tg ? "fdr_tg" : "fdr_rg", &fdr));
    GRN_TRY(GRN_NEW_RAW(map, e->genes.n));
    GRN_TRY(GRN_NEW(keep, e->n));
    map_genes(g, &e->genes, map);
    const float *r = is_tg ? g->r_tg : g->r_rg;
    for (size_t i = 0; i < e->n; i++) {
        if (map[e->gene[i]] >= g->n_cols) {
            GRN_FAIL(GRN_ESHAPE,
                     "gene '%s' of '%s' is not in '%s': were the links made from other counts?",
                     grn_names_get(&e->genes, e->gene[i]), path, o->rna);
        }
        e->gene[i] = map[e->gene[i]];
        if (is_tg) e->tf[i] = map[e->tf[i]];
        int strong = fabs(r[i]) > o->min_rho; /* NaN is not */
        n += (size_t)strong;
        keep[i] = strong && (!fdr || fdr[i] <= o->max_fdr);
        n_sure += keep[i];
    }
    GRN_TRY(grn_funnel_add(&g->funnel, "links", n, e->n - n, "%s links with |%s| > %g", what,
                           rho ? "Spearman" : "Pearson", o->min_rho));
    if (fdr)
        GRN_TRY(grn_funnel_add(&g->funnel, "links", n_sure, n - n_sure, "%s links with FDR <= %g",
                               what, o->max_fdr));
    GRN_TRY(grn_links_group(is_tg ? e->tf : e->region, e->gene, keep, e->n,
                            is_tg ? g->n_genes : e->regions.n, is_tg ? &g->by_tf : &g->by_region));
    if (!is_tg && o->method == GRN_REGULON_GSEA)
        GRN_TRY(grn_links_group(e->gene, e->region, keep, e->n, g->n_genes, &g->by_gene));
end:
    free(keep);
    free(map);
    return rc;
}

static grn_status load_sites(grn_regulon_t *g)
{
    grn_status rc = GRN_OK;
    const grn_regulon_opt_t *o = g->opt;
    grn_tfsites_t *s = &g->sites[DIRECT];
    if (o->cistromes) return grn_regulon_cistromes(g);
    GRN_TRY(grn_tfsites_load(o->scan, o->hits, o->motif2tf, &g->genes, &g->regions, grn_common.pool,
                             s));
    if (s->n_by_prefix)
        grn_log_info("%zu motifs taken for the TF before the first '_' of their name",
                     s->n_by_prefix);
    GRN_TRY(grn_funnel_add(&g->funnel, "motifs", s->n_motifs_used, s->motifs.n - s->n_motifs_used,
                           "motifs of a TF that is a gene of the matrix"));
    if (o->hits)
        GRN_TRY(grn_funnel_add(&g->funnel, "hits", s->n_hits - s->n_outside, s->n_outside,
                               "motif hits inside a linked region"));
end:
    return rc;
}

/* A TF that RNA lacks is on in the types where the regions with its motif take a larger share of
 * what is open than in the mean of the types. */
static void mark_absent_tfs(grn_regulon_t *g, const grn_tfsites_t *s)
{
    size_t T = g->types.types.n;
    for (size_t i = 0, j; i < s->n; i = j) {
        uint32_t tf = s->v[i].tf;
        double mean = 0, n = 0;
        for (j = i; j < s->n && s->v[j].tf == tf; j++) {}
        if (tf < g->n_cols) continue;
        for (int pass = 0; pass < 2; pass++) {
            for (size_t t = 0; t < T; t++) {
                const uint32_t *cells = g->region_cells + t * g->n_regions;
                double in = 0, all = 0;
                for (size_t r = 0; r < g->n_regions; r++) all += cells[r];
                for (size_t k = i; k < j; k++) in += cells[s->v[k].region];
                if (all == 0 || g->types.n_cells[t] < g->opt->min_type_cells) continue;
                if (pass == 0) mean += in / all, n++;
                else g->tf_on[t * g->n_genes + tf] = in / all > mean / n;
            }
        }
    }
}

grn_status grn_regulon_load(grn_regulon_t *g)
{
    grn_status rc = GRN_OK;
    grn_colsrc_t rna = { 0 };
    if (g->opt->rankings) GRN_TRY(grn_regulon_check_rankings(g->opt->rankings)); /* now, not after the rest */
    GRN_TRY(read_links(g->opt->tf_gene, 1, &g->tg));
    GRN_TRY(load_rna(g, &rna));
    GRN_TRY(sift_links(g, 1));
    size_t absent = g->n_genes - g->n_cols;
    if (absent)
        grn_log_info("%zu linked TFs are no genes of the matrix: %s", absent,
                     g->opt->rna_only    ? "left out"
                     : g->opt->all_types ? "links and motifs speak for them"
                                         : "the accessibility of their motif stands in for expression");
    if (g->opt->rna_only) goto end;
    GRN_TRY(read_links(g->opt->region_gene, 0, &g->rg));
    GRN_TRY(sift_links(g, 0));
    g->n_regions = g->rg.regions.n;
    if (g->n_regions == 0) goto end; /* nothing to join with: the funnel ends at zero */
    GRN_TRY(grn_regions_from_names(&g->rg.regions, &g->regions));
    if (!g->opt->all_types) GRN_TRY(load_atac(g, rna.info));
    GRN_TRY(load_sites(g));
    /* direct annotation decides where there is both */
    for (int kind = N_KINDS; !g->opt->all_types && kind-- > 0;) mark_absent_tfs(g, &g->sites[kind]);
end:
    grn_colsrc_close(&rna);
    return rc;
}
