#include "regulon_priv.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/opt.h"

static void regulon_clear(grn_regulon_t *g)
{
    for (int w = 0; g->slot && w < g->n_workers; w++) free(g->slot[w]);
    for (size_t k = 0; g->found && k < g->n_tfs; k++) free(g->found[k].v);
    free(g->slot);
    free(g->found);
    free(g->count);
    free(g->tfs);
    free(g->self);
    for (int kind = 0; kind < N_KINDS; kind++) {
        free(g->site_off[kind]);
        free(g->note[kind]);
        grn_tfsites_clear(&g->sites[kind]);
        free(g->own_imp[kind]);
    }
    free(g->motif_names);
    free(g->on);
    grn_regions_clear(&g->regions);
    grn_links_clear(&g->by_region);
    grn_links_clear(&g->by_gene);
    grn_links_clear(&g->by_tf);
    grn_edges_clear(&g->prior);
    grn_edges_clear(&g->rg);
    grn_edges_clear(&g->tg);
    free(g->region_cells);
    free(g->region_on);
    free(g->tf_on);
    free(g->gene_on);
    grn_types_clear(&g->types);
    grn_names_clear(&g->genes);
    grn_funnel_clear(&g->funnel);
}

static grn_status group_sites(const grn_tfsites_t *s, size_t n_genes, size_t **off)
{
    grn_status rc = GRN_NEW(*off, n_genes + 2);
    if (rc) return rc;
    for (size_t i = 0; i < s->n; i++) (*off)[s->v[i].tf + 1]++;
    for (size_t k = 0; k < n_genes; k++) (*off)[k + 1] += (*off)[k];
    return GRN_OK;
}

/* TFs to work on: genes with links (and, when there are motifs, sites). */
static grn_status list_tfs(grn_regulon_t *g)
{
    grn_status rc = GRN_OK;
    size_t linked = 0;
    for (int kind = 0; kind < N_KINDS; kind++) GRN_TRY(group_sites(&g->sites[kind], g->n_genes, &g->site_off[kind]));
    GRN_TRY(GRN_NEW_RAW(g->tfs, g->n_genes));
    for (size_t k = 0; k < g->n_genes; k++) {
        if (g->by_tf.off[k + 1] == g->by_tf.off[k]) continue;
        linked++;
        int sites = 0;
        for (int kind = 0; kind < N_KINDS; kind++) sites |= g->site_off[kind][k + 1] > g->site_off[kind][k];
        if (g->opt->rna_only || sites) g->tfs[g->n_tfs++] = (uint32_t)k;
    }
    if (!g->opt->rna_only)
        GRN_TRY(grn_funnel_add(&g->funnel, "TFs", g->n_tfs, linked - g->n_tfs,
                               g->opt->cistromes ? "linked TFs with a cistrome in the linked regions"
                                                 : "linked TFs with a motif in a linked region"));
    GRN_TRY(GRN_NEW(g->found, g->n_tfs));
    GRN_TRY(GRN_NEW(g->count, g->n_tfs));
    GRN_TRY(GRN_NEW(g->self, g->n_tfs));
    g->n_workers = grn_par_n(grn_common.pool);
    GRN_TRY(GRN_NEW(g->slot, (size_t)g->n_workers));
    for (int w = 0; w < g->n_workers; w++) GRN_TRY(GRN_NEW(g->slot[w], g->n_genes));
end:
    return rc;
}

/* ---- edges of one TF ---- */

grn_status grn_triplets_add(grn_triplets_t *out, grn_triplet_t t)
{
    grn_status rc = GRN_GROW(out->v, out->cap, out->n + 1);
    if (rc == GRN_OK) out->v[out->n++] = t;
    return rc;
}

/* The edge in every type where TF, gene and region are on. */
static grn_status add_in_types(grn_regulon_t *g, grn_triplet_t t, uint32_t region,
                               grn_triplets_t *out, uint64_t *count)
{
    grn_status rc = GRN_OK;
    if (g->opt->all_types) {
        t.type = 0;
        count[N_REGION_ON]++;
        return grn_triplets_add(out, t);
    }
    for (size_t k = 0; k < g->types.types.n; k++) {
        if (g->types.n_cells[k] < g->opt->min_type_cells || !g->tf_on[k * g->n_genes + t.tf])
            continue;
        count[N_TF_ON]++;
        if (!g->gene_on[k * g->n_genes + t.gene]) continue;
        count[N_GENE_ON]++;
        if (t.rg != NO_ROW && !g->region_on[k * g->n_regions + region]) continue;
        count[N_REGION_ON]++;
        t.type = (uint16_t)k;
        GRN_TRY(grn_triplets_add(out, t));
    }
end:
    return rc;
}

static int compare_triplets(const void *a, const void *b)
{
    const grn_triplet_t *x = a, *y = b;
    if (x->type != y->type) return x->type < y->type ? -1 : 1;
    if (x->combo != y->combo) return x->combo < y->combo ? -1 : 1;
    if (x->gene != y->gene) return x->gene < y->gene ? -1 : 1;
    return (x->rg > y->rg) - (x->rg < y->rg);
}

/* Drops the (type, sign) groups with too few genes. */
static void drop_small(const grn_regulon_t *g, grn_triplets_t *t, uint64_t *count)
{
    size_t n = 0;
    if (t->n) qsort(t->v, t->n, sizeof *t->v, compare_triplets);
    for (size_t i = 0, j; i < t->n; i = j) {
        size_t genes = 0;
        for (j = i; j < t->n && t->v[j].type == t->v[i].type && t->v[j].combo == t->v[i].combo;
             j++) {
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

/* Extended regulons stay where no direct one of the same TF and signs is left in any type. */
static void fill_extended(const grn_regulon_t *g, grn_triplets_t *t, uint64_t *count)
{
    int direct = 0; /* bit: combo without IS_EXTENDED */
    size_t n = 0;
    for (size_t i = 0; i < t->n; i++)
        if (!(t->v[i].combo & IS_EXTENDED)) direct |= 1 << t->v[i].combo;
    for (size_t i = 0; i < t->n; i++) {
        int combo = t->v[i].combo;
        if (g->opt->extended == GRN_EXTENDED_FILL && (combo & IS_EXTENDED) && (direct >> (combo & ~IS_EXTENDED) & 1)) continue;
        t->v[n++] = t->v[i];
    }
    t->n = n;
    count[N_FILLED] = n;
}

/* Motif in region, region -> gene, TF -> gene. */
static grn_status join_kind(grn_regulon_t *g, size_t k, int kind, const uint32_t *slot)
{
    grn_status rc = GRN_OK;
    uint32_t tf = g->tfs[k];
    uint64_t *count = g->count[k];
    for (size_t s = g->site_off[kind][tf]; s < g->site_off[kind][tf + 1]; s++) {
        uint32_t region = g->sites[kind].v[s].region;
        for (size_t i = g->by_region.off[region]; i < g->by_region.off[region + 1]; i++) {
            uint32_t gene = g->by_region.gene[i], rg = g->by_region.row[i], tg = slot[gene];
            count[N_MOTIF]++;
            if (tg-- == 0) continue;
            count[N_TG]++;
            int combo = (g->r_tg[tg] < 0 ? TG_NEGATIVE : 0) | (g->r_rg[rg] < 0 ? RG_NEGATIVE : 0);
            if ((combo & RG_NEGATIVE) && !g->opt->all_signs) continue;
            count[N_SIGN]++;
            grn_triplet_t t = { .tf = tf, .gene = gene, .tg = tg, .rg = rg, .site = (uint32_t)s, .nes = NAN, .fdr = NAN,
                                .combo = (uint8_t)(combo | (kind == EXTENDED ? IS_EXTENDED : 0)) };
            GRN_TRY(add_in_types(g, t, region, &g->found[k], count));
        }
    }
end:
    return rc;
}

static grn_status join_tf(grn_regulon_t *g, size_t k, uint32_t *slot)
{
    grn_status rc = GRN_OK;
    uint32_t tf = g->tfs[k];
    for (size_t i = g->by_tf.off[tf]; i < g->by_tf.off[tf + 1]; i++)
        slot[g->by_tf.gene[i]] = g->by_tf.row[i] + 1;
    for (int kind = 0; kind < N_KINDS; kind++) GRN_TRY(join_kind(g, k, kind, slot));
end:
    for (size_t i = g->by_tf.off[tf]; i < g->by_tf.off[tf + 1]; i++) slot[g->by_tf.gene[i]] = 0;
    return rc;
}

static grn_status module_tf(grn_regulon_t *g, size_t k)
{
    grn_status rc = GRN_OK;
    uint32_t tf = g->tfs[k];
    for (size_t i = g->by_tf.off[tf]; i < g->by_tf.off[tf + 1]; i++) {
        uint32_t row = g->by_tf.row[i];
        grn_triplet_t t = { .tf = tf, .gene = g->by_tf.gene[i], .tg = row, .rg = NO_ROW,
                            .combo = g->r_tg[row] < 0 ? TG_NEGATIVE : 0 };
        GRN_TRY(add_in_types(g, t, 0, &g->found[k], g->count[k]));
    }
end:
    return rc;
}

/* The triplets gsea left, in the types. */
static grn_status spread_tf(grn_regulon_t *g, size_t k)
{
    grn_status rc = GRN_OK;
    grn_triplets_t all = g->found[k];
    g->found[k] = (grn_triplets_t){ 0 };
    g->count[k][N_SIGN] = all.n;
    for (size_t i = 0; i < all.n; i++)
        GRN_TRY(add_in_types(g, all.v[i], g->rg.region[all.v[i].rg], &g->found[k], g->count[k]));
end:
    free(all.v);
    return rc;
}

static grn_status build_tfs(void *ctx, size_t begin, size_t end, int worker)
{
    grn_status rc = GRN_OK;
    grn_regulon_t *g = ctx;
    for (size_t k = begin; k < end; k++) {
        GRN_TRY(g->opt->rna_only                     ? module_tf(g, k)
                : g->opt->method == GRN_REGULON_GSEA ? spread_tf(g, k)
                                                     : join_tf(g, k, g->slot[worker]));
        drop_small(g, &g->found[k], g->count[k]);
        fill_extended(g, &g->found[k], g->count[k]);
    }
end:
    return rc;
}

/* What the types kept. */
static grn_status report_types(grn_regulon_t *g, const uint64_t *n)
{
    grn_status rc = GRN_OK;
    const grn_regulon_opt_t *o = g->opt;
    uint64_t types = 0;
    for (size_t t = 0; t < g->types.types.n; t++) types += g->types.n_cells[t] >= o->min_type_cells;
    GRN_TRY(grn_funnel_add(&g->funnel, "edges", n[N_TF_ON], n[N_SIGN] * types - n[N_TF_ON],
                           "edges x types: TF expressed in at least %g of the cells of the type",
                           o->min_tf_frac));
    GRN_TRY(grn_funnel_add(&g->funnel, "edges", n[N_GENE_ON], n[N_TF_ON] - n[N_GENE_ON],
                           "edges x types: gene expressed in at least %g of the cells",
                           o->min_gene_frac));
    if (!o->rna_only) {
        GRN_TRY(grn_funnel_add(&g->funnel, "edges", n[N_REGION_ON], n[N_GENE_ON] - n[N_REGION_ON],
                               "edges x types: region accessible in at least %g of the cells",
                               o->min_region_frac));
    }
end:
    return rc;
}

static grn_status build_all(grn_regulon_t *g)
{
    grn_status rc = GRN_OK;
    const grn_regulon_opt_t *o = g->opt;
    uint64_t n[N_COUNTS] = { 0 };
    GRN_TRY(grn_par_for(grn_common.pool, g->n_tfs, 1, build_tfs, g));
    for (size_t k = 0; k < g->n_tfs; k++) {
        for (int c = 0; c < N_COUNTS; c++) n[c] += g->count[k][c];
    }
    if (!o->rna_only && o->method == GRN_REGULON_JOIN) {
        GRN_TRY(grn_funnel_add(&g->funnel, "triplets", n[N_TG], n[N_MOTIF] - n[N_TG],
                               "TF-region-gene triplets with a TF-gene link"));
        GRN_TRY(grn_funnel_add(&g->funnel, "triplets", n[N_SIGN], n[N_TG] - n[N_SIGN],
                               o->all_signs ? "triplets of any sign"
                                            : "triplets whose region and gene rise together"));
    } else if (o->rna_only) {
        for (size_t k = 0; k < g->n_tfs; k++)
            n[N_SIGN] += g->by_tf.off[g->tfs[k] + 1] - g->by_tf.off[g->tfs[k]];
    }
    if (!o->all_types) GRN_TRY(report_types(g, n));
    GRN_TRY(grn_funnel_add(&g->funnel, "edges", n[N_TARGETS], n[N_REGION_ON] - n[N_TARGETS],
                           "edges of regulons with at least %" PRIu64 " genes%s", o->min_targets,
                           o->all_types ? "" : " in the type"));
    GRN_TRY(grn_funnel_add(&g->funnel, "regulons", n[N_REGULONS], n[N_REGULONS_LOST],
                           "regulons%s with at least %" PRIu64 " genes", o->all_types ? "" : " x types", o->min_targets));
    if (g->sites[EXTENDED].n && o->extended == GRN_EXTENDED_FILL)
        GRN_TRY(grn_funnel_add(&g->funnel, "edges", n[N_FILLED], n[N_TARGETS] - n[N_FILLED],
                               "edges without those of extended regulons that have a direct one of the same signs"));
end:
    return rc;
}

grn_status grn_regulon_run(const grn_regulon_opt_t *opt)
{
    grn_status rc = GRN_OK;
    grn_regulon_t g = { .opt = opt };
    GRN_TRY(grn_regulon_load(&g));
    if (opt->rna_only) GRN_TRY(grn_regulon_modules(&g));
    if (opt->method == GRN_REGULON_GSEA) GRN_TRY(grn_regulon_binarise(&g));
    GRN_TRY(list_tfs(&g));
    if (opt->method == GRN_REGULON_GSEA) GRN_TRY(grn_regulon_gsea(&g));
    GRN_TRY(build_all(&g));
    if (!opt->rna_only) GRN_TRY(grn_regulon_score(&g));
    GRN_TRY(grn_regulon_save(&g));
end:
    regulon_clear(&g);
    return rc;
}
