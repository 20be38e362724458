#include "regulon_priv.h"

#include <math.h>

#include "base/log.h"
#include "base/opt.h"

static grn_status regulon_name(const grn_regulon_t *g, const grn_triplet_t *t, grn_names_t *names,
                               uint32_t *id)
{
    grn_status rc = GRN_OK;
    grn_str_t s = { 0 };
    size_t k;
    const char *tf = grn_names_get(&g->genes, t->tf);
    if (g->opt->rna_only) {
        GRN_TRY(grn_str_printf(&s, "%s(%c)", tf, t->combo & 1 ? '-' : '+'));
    } else {
        GRN_TRY(
            grn_str_printf(&s, "%s_%c/%c", tf, t->combo & 1 ? '-' : '+', t->combo & 2 ? '-' : '+'));
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

/* Strength of a triplet: |r| of TF and gene x |r| of region and gene x the site's score over the
 * best of the TF x exp(-distance/scale). */
static double triplet_weight(const grn_regulon_t *g, const grn_triplet_t *t, float best,
                             const float *distance)
{
    double w = fabs(g->r_tg[t->tg]) * fabs(g->r_rg[t->rg]);
    if (best > 0 && !isnan(t->motif)) w *= t->motif > 0 ? t->motif / best : 1.0 / 256;
    if (distance && g->opt->distance_scale > 0)
        w *= exp(-fabs(distance[t->rg]) / g->opt->distance_scale);
    return w;
}

static float best_score(const grn_triplets_t *t)
{
    float best = 0;
    for (size_t i = 0; i < t->n; i++) best = t->v[i].motif > best ? t->v[i].motif : best;
    return best;
}

static grn_status fill_edges(const grn_regulon_t *g, grn_edges_t *e, copied_t *col, size_t n_col,
                             float *motif)
{
    grn_status rc = GRN_OK;
    size_t n = 0;
    const float *distance = grn_edges_find_evidence(&g->rg, "distance");
    for (size_t k = 0; k < g->n_tfs; k++) {
        float best = best_score(&g->found[k]);
        uint32_t last = UINT32_MAX;
        uint8_t combo = 0;
        for (size_t i = 0; i < g->found[k].n; i++, n++) {
            const grn_triplet_t *t = &g->found[k].v[i];
            if (last == UINT32_MAX || t->combo != combo)
                GRN_TRY(regulon_name(g, t, &e->regulons, &last));
            combo = t->combo;
            e->tf[n] = t->tf;
            e->gene[n] = t->gene;
            e->regulon[n] = last;
            e->context[n] = t->type;
            e->sign[n] = t->combo & 1 ? -1 : 1;
            if (e->region) {
                e->region[n] = g->rg.region[t->rg];
                motif[n] = t->motif;
            }
            e->weight[n] =
                (float)(e->region ? triplet_weight(g, t, best, distance) : fabs(g->r_tg[t->tg]));
            for (size_t c = 0; c < n_col; c++)
                col[c].to[n] = col[c].from ? col[c].from[col[c].from_tg ? t->tg : t->rg] : NAN;
        }
    }
end:
    return rc;
}

static grn_status make_edges(const grn_regulon_t *g, grn_edges_t *e)
{
    grn_status rc = GRN_OK;
    copied_t col[] = { { "rho_tg", 1, 0, 0 },   { "rho_sp_tg", 1, 0, 0 },   { "fdr_tg", 1, 0, 0 },
                       { "rho_rg", 0, 0, 0 },   { "rho_sp_rg", 0, 0, 0 },   { "fdr_rg", 0, 0, 0 },
                       { "distance", 0, 0, 0 }, { "distance_tss", 0, 0, 0 } };
    size_t n = 0, n_col = g->opt->rna_only ? 3 : sizeof col / sizeof *col;
    float *motif = NULL;
    for (size_t k = 0; k < g->n_tfs; k++) n += g->found[k].n;
    GRN_TRY(grn_edges_alloc(e, n,
                            g->opt->rna_only ? "tf,gene,regulon,context,sign,weight"
                                             : "tf,gene,region,regulon,context,sign,weight"));
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
    GRN_TRY(fill_edges(g, e, col, n_col, motif));
    GRN_TRY(grn_edges_sort(e));
end:
    return rc;
}

grn_status grn_regulon_save(grn_regulon_t *g)
{
    grn_status rc = GRN_OK;
    grn_edges_t e = { 0 };
    GRN_TRY(make_edges(g, &e));
    const char *json = grn_funnel_json(&g->funnel);
    const char *const meta[] = { "kind", g->opt->rna_only ? "regulons_rna" : "regulons_multiome",
                                 "funnel", json ? json : "[]", NULL };
    GRN_TRY(grn_edges_save(&e, g->opt->out, meta, grn_common.pool));
    grn_log_info("%zu regulons in %zu cell types, %zu edges", e.regulons.n, e.contexts.n, e.n);
    if (e.n == 0)
        rc = grn_err(GRN_EEMPTY, "no regulon passed; '%s' holds the funnel and no edge",
                     g->opt->out);
end:
    grn_edges_clear(&e);
    return rc;
}
