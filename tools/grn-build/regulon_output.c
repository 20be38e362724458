#include "regulon_priv.h"

#include <math.h>
#include <string.h>

#include "base/log.h"
#include "base/opt.h"

static grn_status regulon_name(const grn_regulon_t *g, const grn_triplet_t *t, grn_names_t *names, uint32_t *id)
{
    grn_status rc = GRN_OK;
    grn_str_t s = { 0 };
    size_t k;
    const char *tf = grn_names_get(&g->genes, t->tf);
    if (g->opt->rna_only) {
        GRN_TRY(grn_str_printf(&s, "%s(%c)", tf, t->combo & TG_NEGATIVE ? '-' : '+'));
    } else {
        int extended = t->combo & IS_EXTENDED;
        const char *kind = g->opt->scenicplus_names                           ? extended ? "extended_" : "direct_"
                           : extended && g->opt->extended == GRN_EXTENDED_ALL ? "extended_"
                                                                              : "";
        GRN_TRY(grn_str_printf(&s, "%s_%s%c/%c", tf, kind, t->combo & TG_NEGATIVE ? '-' : '+', t->combo & RG_NEGATIVE ? '-' : '+'));
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
    float self; /* value of a TF and itself; a TF -> gene column only */
    const float *from;
    float *to;
} copied_t;

/* Evidence columns made here; NULL: not in this output. */
typedef struct {
    float *motif, *nes, *log2fc, *motif_id, *gsea_nes, *gsea_fdr, *n_contexts, *rank, *q;
} made_t;

static void fill_made(const grn_regulon_t *g, const grn_triplet_t *t, const made_t *m, size_t n)
{
    const grn_note_t *note = g->note[grn_triplet_kind(t)];
    if (m->motif) m->motif[n] = grn_triplet_motif(g, t);
    if (m->rank) m->rank[n] = (float)t->rank;
    if (m->q) m->q[n] = t->q;
    if (m->nes) {
        m->nes[n] = note[t->site].nes;
        m->log2fc[n] = note[t->site].log2fc;
        m->motif_id[n] = note[t->site].motif;
    }
    if (m->gsea_nes) {
        m->gsea_nes[n] = t->nes;
        m->gsea_fdr[n] = t->fdr;
        m->n_contexts[n] = t->n_contexts;
    }
}

static void fill_copied(const grn_regulon_t *g, size_t k, const grn_triplet_t *t, const copied_t *c, size_t n)
{
    if (!c->from) c->to[n] = NAN;
    else if (!c->from_tg) c->to[n] = c->from[t->rg];
    else if (t->tg != NO_ROW) c->to[n] = c->from[t->tg];
    else c->to[n] = c->from == g->imp_tg ? g->self[k] : c->self;
}

static grn_status fill_edges(const grn_regulon_t *g, grn_edges_t *e, copied_t *col, size_t n_col, const made_t *made)
{
    grn_status rc = GRN_OK;
    size_t n = 0;
    for (size_t k = 0; k < g->n_tfs; k++) {
        uint32_t last = UINT32_MAX;
        uint8_t combo = 0;
        for (size_t i = 0; i < g->found[k].n; i++, n++) {
            const grn_triplet_t *t = &g->found[k].v[i];
            if (last == UINT32_MAX || t->combo != combo) GRN_TRY(regulon_name(g, t, &e->regulons, &last));
            combo = t->combo;
            e->tf[n] = t->tf;
            e->gene[n] = t->gene;
            e->regulon[n] = last;
            e->context[n] = t->type;
            e->sign[n] = t->combo & TG_NEGATIVE ? -1 : 1;
            if (e->region) e->region[n] = g->rg.region[t->rg];
            fill_made(g, t, made, n);
            e->weight[n] = t->weight;
            for (size_t c = 0; c < n_col; c++) fill_copied(g, k, t, &col[c], n);
        }
    }
end:
    return rc;
}

static grn_status add_made(const grn_regulon_t *g, grn_edges_t *e, made_t *m)
{
    grn_status rc = GRN_OK;
    if (g->opt->rna_only) goto end;
    GRN_TRY(grn_edges_evidence(e, "motif_score", &m->motif));
    GRN_TRY(grn_edges_evidence(e, "triplet_rank", &m->rank));
    if (g->opt->n_null) GRN_TRY(grn_edges_evidence(e, "q", &m->q));
    if (g->opt->cistromes) {
        GRN_TRY(grn_edges_evidence(e, "nes", &m->nes));
        GRN_TRY(grn_edges_evidence(e, "log2fc", &m->log2fc));
        GRN_TRY(grn_edges_evidence(e, "motif", &m->motif_id));
    }
    if (g->opt->method == GRN_REGULON_GSEA) {
        GRN_TRY(grn_edges_evidence(e, "gsea_nes", &m->gsea_nes));
        GRN_TRY(grn_edges_evidence(e, "gsea_fdr", &m->gsea_fdr));
        GRN_TRY(grn_edges_evidence(e, "n_contexts", &m->n_contexts));
    }
end:
    return rc;
}

/* Columns that only some links have. */
static int is_optional(const char *name)
{
    return strncmp(name, "rho", 3) != 0 && strncmp(name, "distance", 8) != 0;
}

static grn_status make_edges(const grn_regulon_t *g, grn_edges_t *e)
{
    grn_status rc = GRN_OK;
    copied_t col[] = { { "rho_tg", 1, 1, 0, 0 },          { "rho_sp_tg", 1, 1, 0, 0 },    { "fdr_tg", 1, NAN, 0, 0 },
                       { "importance_tg", 1, NAN, 0, 0 }, { "support_tg", 1, NAN, 0, 0 }, { "q_tg", 1, NAN, 0, 0 },
                       { "rho_rg", 0, NAN, 0, 0 },        { "rho_sp_rg", 0, NAN, 0, 0 },  { "fdr_rg", 0, NAN, 0, 0 },
                       { "importance_rg", 0, NAN, 0, 0 }, { "distance", 0, NAN, 0, 0 },   { "distance_tss", 0, NAN, 0, 0 } };
    enum { N_COL = sizeof col / sizeof *col, N_COL_TG = 6 };
    size_t n = 0, n_col = 0;
    made_t made = { 0 };
    for (size_t k = 0; k < g->n_tfs; k++) n += g->found[k].n;
    GRN_TRY(
        grn_edges_alloc(e, n, g->opt->rna_only ? "tf,gene,regulon,context,sign,weight" : "tf,gene,region,regulon,context,sign,weight"));
    GRN_TRY(grn_names_dup(&e->genes, &g->genes));
    GRN_TRY(grn_names_dup(&e->contexts, &g->types.types));
    if (!g->opt->rna_only) GRN_TRY(grn_names_dup(&e->regions, &g->rg.regions));
    GRN_TRY(add_made(g, e, &made));
    for (size_t c = 0; c < (g->opt->rna_only ? N_COL_TG : N_COL); c++) {
        col[c].from = grn_edges_find_evidence(col[c].from_tg ? &g->tg : &g->rg, col[c].name);
        if (!col[c].from && is_optional(col[c].name)) continue;
        GRN_TRY(grn_edges_evidence(e, col[c].name, &col[c].to));
        col[n_col++] = col[c];
    }
    GRN_TRY(fill_edges(g, e, col, n_col, &made));
    GRN_TRY(grn_edges_sort(e));
end:
    return rc;
}

grn_status grn_regulon_save(grn_regulon_t *g)
{
    grn_status rc = GRN_OK;
    grn_edges_t e = { 0 };
    grn_str_t options = { 0 }, files = { 0 };
    GRN_TRY(make_edges(g, &e));
    GRN_TRY(grn_regulon_options_json(g->opt, &options));
    if (!grn_common.no_pg) GRN_TRY(grn_regulon_files_json(g->opt, &files));
    const char *json = grn_funnel_json(&g->funnel), *meta[11];
    size_t n = 0;
    meta[n++] = "kind";
    meta[n++] = g->opt->rna_only ? "regulons_rna" : "regulons_multiome";
    meta[n++] = "funnel";
    meta[n++] = json ? json : "[]";
    meta[n++] = "options";
    meta[n++] = options.s;
    if (files.n) meta[n++] = "files", meta[n++] = files.s;
    if (g->motif_names) meta[n++] = "motifs", meta[n++] = g->motif_names;
    meta[n] = NULL;
    GRN_TRY(grn_edges_save(&e, g->opt->out, meta, grn_common.pool));
    grn_log_info("%zu regulons in %zu cell types, %zu edges", e.regulons.n, e.contexts.n, e.n);
    if (e.n == 0) rc = grn_err(GRN_EEMPTY, "no regulon passed; '%s' holds the funnel and no edge", g->opt->out);
end:
    grn_str_clear(&options);
    grn_str_clear(&files);
    grn_edges_clear(&e);
    return rc;
}
