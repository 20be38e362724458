/* One TF: its regulons, and what each filter left of its candidates. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "grn-view/why.h"

/* ---- regulons ---- */

typedef struct {
    uint32_t type, regulon; /* of w->e */
    size_t genes, regions, edges;
    size_t first, end; /* of the rows */
} regulon_t;

static const why_t *sorted_for;

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* Largest weight first; then in the order of the file. */
static int by_weight(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    const float *v = sorted_for->e.weight;
    if (v && v[x] != v[y]) return v[x] > v[y] ? -1 : 1;
    return (x > y) - (x < y);
}

/* Distinct values of a column over rows; tmp: room for n. */
static size_t n_distinct(const uint32_t *column, const uint32_t *row, size_t n, uint32_t *tmp)
{
    size_t k = 0;
    for (size_t i = 0; i < n; i++) tmp[i] = column[row[i]];
    if (n) qsort(tmp, n, sizeof *tmp, by_number);
    for (size_t i = 0; i < n; i++) k += i == 0 || tmp[i] != tmp[i - 1];
    return k;
}

typedef struct {
    uint32_t *row; /* of the TF in the contexts asked for, in the order of the file */
    size_t n;
    regulon_t *v;
    size_t n_v;
    uint32_t *tmp;
} regulons_t;

static grn_status list_regulons(const why_t *w, regulons_t *r)
{
    grn_status rc = GRN_OK;
    const grn_edges_t *e = &w->e;
    GRN_TRY(GRN_NEW(r->row, w->n_edge));
    GRN_TRY(GRN_NEW(r->tmp, w->n_edge));
    GRN_TRY(GRN_NEW(r->v, w->n_edge));
    for (size_t i = 0; i < w->n_edge; i++)
        if (w->asked[w->edge[i].type]) r->row[r->n++] = w->edge[i].row;
    if (r->n) qsort(r->row, r->n, sizeof *r->row, by_number);
    for (size_t i = 0; i < r->n; i++) {
        uint32_t row = r->row[i];
        regulon_t *last = r->n_v ? &r->v[r->n_v - 1] : NULL;
        if (!last || last->type != e->context[row] || last->regulon != e->regulon[row])
            r->v[r->n_v++] =
                (regulon_t){ .type = e->context[row], .regulon = e->regulon[row], .first = i };
        r->v[r->n_v - 1].end = i + 1;
    }
    for (size_t i = 0; i < r->n_v; i++) {
        regulon_t *x = &r->v[i];
        x->edges = x->end - x->first;
        x->genes = n_distinct(e->gene, r->row + x->first, x->edges, r->tmp);
        if (e->region) x->regions = n_distinct(e->region, r->row + x->first, x->edges, r->tmp);
    }
end:
    return rc;
}

static void clear_regulons(regulons_t *r)
{
    free(r->row);
    free(r->tmp);
    free(r->v);
}

/* Largest value of an evidence column of the regulon. */
static double largest(const why_t *w, const regulons_t *r, const regulon_t *x, const char *name)
{
    const float *v = grn_edges_find_evidence(&w->e, name);
    double best = NAN;
    for (size_t i = x->first; v && i < x->end; i++)
        if (!((double)v[r->row[i]] <= best) && !isnan(v[r->row[i]])) best = (double)v[r->row[i]];
    return best;
}

/* Distinct motifs of the regulon's regions: as the regulons tell, or the files of motifs. */
static size_t n_motifs(const why_t *w, regulons_t *r, const regulon_t *x)
{
    const float *v = grn_edges_find_evidence(&w->e, "motif");
    size_t n = 0, k = 0;
    for (size_t i = x->first; i < x->end; i++) {
        uint32_t row = r->row[i], m = WHY_NONE;
        if (v && v[row] >= 1) m = (uint32_t)v[row];
        for (int kind = 0; !v && w->has_sites && kind < WHY_KINDS && m == WHY_NONE; kind++)
            if (w->site[kind][w->e.region[row]].has) m = w->site[kind][w->e.region[row]].motif;
        if (m != WHY_NONE) r->tmp[n++] = m;
    }
    if (n) qsort(r->tmp, n, sizeof *r->tmp, by_number);
    for (size_t i = 0; i < n; i++) k += i == 0 || r->tmp[i] != r->tmp[i - 1];
    return k;
}

/* The three strongest targets: "LYZ 0.8, CST3 0.5". */
static grn_status strongest(const why_t *w, regulons_t *r, const regulon_t *x, grn_str_t *s)
{
    enum { SHOWN = 3 };
    grn_status rc = GRN_OK;
    uint32_t shown[SHOWN];
    size_t n = 0;
    memcpy(r->tmp, r->row + x->first, x->edges * sizeof *r->tmp);
    sorted_for = w;
    qsort(r->tmp, x->edges, sizeof *r->tmp, by_weight);
    s->n = 0;
    for (size_t i = 0; i < x->edges && n < SHOWN; i++) {
        uint32_t gene = w->e.gene[r->tmp[i]];
        int again = 0;
        for (size_t k = 0; k < n; k++) again |= shown[k] == gene;
        if (again) continue;
        GRN_TRY(grn_str_printf(s, "%s%s %.4g", n ? ", " : "", grn_names_get(&w->genes, gene),
                               w->e.weight ? (double)w->e.weight[r->tmp[i]] : 1.0));
        shown[n++] = gene;
    }
end:
    return rc;
}

static grn_status text_regulons(const why_t *w, regulons_t *r, grn_out_t *o)
{
    static const char *const head[] = { "context", "regulon", "targets",  "regions",
                                        "edges",   "motifs",  "best nes", "strongest" };
    grn_status rc = GRN_OK;
    why_table_t t = { .n_cols = sizeof head / sizeof *head, .left = 3 | 1U << 7 };
    grn_str_t s = { 0 };
    if (!r->n_v) {
        rc = grn_out_puts(o, "\nNo regulon.\n");
        goto end;
    }
    GRN_TRY(grn_out_puts(o, "\nRegulons\n"));
    for (size_t c = 0; c < t.n_cols; c++) GRN_TRY(why_cell(&t, "%s", head[c]));
    for (size_t i = 0; i < r->n_v; i++) {
        const regulon_t *x = &r->v[i];
        size_t motifs = n_motifs(w, r, x);
        GRN_TRY(why_cell(&t, "%s", grn_names_get(&w->types, x->type)));
        GRN_TRY(why_cell(&t, "%s", grn_names_get(&w->e.regulons, x->regulon)));
        GRN_TRY(why_cell(&t, "%zu", x->genes));
        GRN_TRY(w->opt.rna_only ? why_cell(&t, "-") : why_cell(&t, "%zu", x->regions));
        GRN_TRY(why_cell(&t, "%zu", x->edges));
        GRN_TRY(motifs ? why_cell(&t, "%zu", motifs) : why_cell(&t, "-"));
        GRN_TRY(why_cell_num(&t, largest(w, r, x, "nes")));
        GRN_TRY(strongest(w, r, x, &s));
        GRN_TRY(why_cell(&t, "%s", s.s));
    }
    GRN_TRY(why_table_print(&t, o));
end:
    grn_str_clear(&s);
    why_table_clear(&t);
    return rc;
}

static grn_status tsv_regulons(const why_t *w, regulons_t *r, grn_out_t *o)
{
    grn_status rc = GRN_OK;
    for (size_t i = 0; i < r->n_v; i++) {
        const regulon_t *x = &r->v[i];
        const char *type = grn_names_get(&w->types, x->type),
                   *name = grn_names_get(&w->e.regulons, x->regulon);
        double nes = largest(w, r, x, "nes"), best = NAN;
        GRN_TRY(why_tsv(o, "regulon", name, type, "targets", (double)x->genes));
        if (!w->opt.rna_only)
            GRN_TRY(why_tsv(o, "regulon", name, type, "regions", (double)x->regions));
        GRN_TRY(why_tsv(o, "regulon", name, type, "edges", (double)x->edges));
        size_t motifs = n_motifs(w, r, x);
        if (motifs) GRN_TRY(why_tsv(o, "regulon", name, type, "motifs", (double)motifs));
        if (!isnan(nes)) GRN_TRY(why_tsv(o, "regulon", name, type, "nes", nes));
        for (size_t k = x->first; w->e.weight && k < x->end; k++)
            if (!((double)w->e.weight[r->row[k]] <= best)) best = (double)w->e.weight[r->row[k]];
        if (w->e.weight) GRN_TRY(why_tsv(o, "regulon", name, type, "weight", best));
    }
end:
    return rc;
}

/* ---- what each filter left ---- */

typedef struct {
    why_table_t t;
    grn_out_t *o;
    const char *tf;
    int tsv;
} funnel_t;

/* known = 0: what it takes was not given. */
static grn_status step(funnel_t *f, const char *key, int known, uint64_t kept, uint64_t lost,
                       const char *what)
{
    grn_status rc = GRN_OK;
    char buf[32];
    if (f->tsv) {
        GRN_TRY(grn_out_printf(f->o, "filter\t%s\t\t%s.kept\t", f->tf, key));
        GRN_TRY(known ? grn_out_printf(f->o, "%llu\n", (unsigned long long)kept)
                      : grn_out_puts(f->o, "\n"));
        GRN_TRY(grn_out_printf(f->o, "filter\t%s\t\t%s.lost\t", f->tf, key));
        GRN_TRY(known ? grn_out_printf(f->o, "%llu\n", (unsigned long long)lost)
                      : grn_out_puts(f->o, "\n"));
        goto end;
    }
    GRN_TRY(known ? why_cell(&f->t, "%s", why_commas(buf, kept)) : why_cell(&f->t, "not given"));
    GRN_TRY(known ? why_cell(&f->t, "%s", why_commas(buf, lost)) : why_cell(&f->t, "-"));
    GRN_TRY(why_cell(&f->t, "%s", what));
end:
    return rc;
}

static grn_status steps_of_links(const why_t *w, funnel_t *f)
{
    grn_status rc = GRN_OK;
    uint64_t n = 0, lost[WHY_KEPT + 1] = { 0 };
    char what[160];
    for (uint32_t g = 0; g < w->genes.n; g++) {
        if (!w->tg_row[g]) continue;
        n++;
        lost[why_link(w, g).at]++;
    }
    GRN_TRY(step(f, why_filter_name[WHY_TG_LINK], w->has_tg, n, 0, "TF -> gene links"));
    snprintf(what, sizeof what, "of these with |%s| > %g", w->opt.sp_tg ? "rho_sp_tg" : "rho_tg",
             w->opt.min_rho);
    GRN_TRY(step(f, why_filter_name[WHY_TG_RHO], w->has_tg, n -= lost[WHY_TG_RHO], lost[WHY_TG_RHO],
                 what));
    snprintf(what, sizeof what, "with fdr_tg <= %g", w->opt.max_fdr);
    if (w->opt.max_fdr < 1)
        GRN_TRY(step(f, why_filter_name[WHY_TG_FDR], w->has_tg, n -= lost[WHY_TG_FDR],
                     lost[WHY_TG_FDR], what));
    if (!w->opt.rna_only) goto end;
    if (!w->opt.all_signs)
        GRN_TRY(step(f, why_filter_name[WHY_TG_SIGN], w->has_tg, n -= lost[WHY_TG_SIGN],
                     lost[WHY_TG_SIGN], "of positive sign"));
    int known = w->has_tg && !lost[WHY_OPEN];
    snprintf(what, sizeof what, "among the %g strongest of the TF", w->opt.top_targets);
    GRN_TRY(step(f, why_filter_name[WHY_TOP_TARGETS], known, n -= lost[WHY_TOP_TARGETS],
                 lost[WHY_TOP_TARGETS], what));
    snprintf(what, sizeof what, "and among the %g strongest of the gene", w->opt.top_regulators);
    GRN_TRY(step(f, why_filter_name[WHY_TOP_REGULATORS], known, n -= lost[WHY_TOP_REGULATORS],
                 lost[WHY_TOP_REGULATORS], what));
end:
    return rc;
}

static grn_status steps_of_triplets(const why_t *w, funnel_t *f)
{
    grn_status rc = GRN_OK;
    uint64_t sites = 0, n = w->n_all, lost[WHY_KEPT + 1] = { 0 }, tg;
    int pairs = w->has_sites && w->has_rg, all = pairs && w->has_tg;
    char what[160];
    for (size_t r = 0; r < w->regions.n; r++)
        sites += w->site[WHY_DIRECT][r].has | w->site[WHY_EXTENDED][r].has;
    for (size_t i = 0; i < w->n_all; i++) lost[w->all[i].pre.at]++;
    tg = lost[WHY_TG_LINK] + lost[WHY_TG_RHO] + lost[WHY_TG_FDR];
    GRN_TRY(step(f, why_filter_name[WHY_MOTIF], pairs, sites, w->regions.n - sites,
                 "linked regions with a motif of the TF"));
    GRN_TRY(step(f, why_filter_name[WHY_HAS_REGION], all, n, 0,
                 "links of these regions to genes (direct and extended apart)"));
    snprintf(what, sizeof what, "of these with |%s| > %g", w->opt.sp_rg ? "rho_sp_rg" : "rho_rg",
             w->opt.min_rho);
    GRN_TRY(
        step(f, why_filter_name[WHY_RG_RHO], all, n -= lost[WHY_RG_RHO], lost[WHY_RG_RHO], what));
    snprintf(what, sizeof what, "with fdr_rg <= %g", w->opt.max_fdr);
    if (w->opt.max_fdr < 1)
        GRN_TRY(step(f, why_filter_name[WHY_RG_FDR], all, n -= lost[WHY_RG_FDR], lost[WHY_RG_FDR],
                     what));
    GRN_TRY(step(f, "triplet", all, n -= tg, tg, "triplets: with a TF -> gene link that passes"));
    if (!w->opt.all_signs)
        GRN_TRY(step(f, why_filter_name[WHY_RG_SIGN], all, n -= lost[WHY_RG_SIGN],
                     lost[WHY_RG_SIGN], "triplets whose region and gene rise together"));
end:
    return rc;
}

static grn_status steps_of_types(const why_t *w, funnel_t *f, uint64_t edges)
{
    static const why_filter order[] = { WHY_TYPE_CELLS,  WHY_TF_FRAC,  WHY_GENE_FRAC,
                                        WHY_REGION_FRAC, WHY_GENE_SET, WHY_MIN_TARGETS,
                                        WHY_FILLED };
    grn_status rc = GRN_OK;
    uint64_t n = 0, lost[WHY_KEPT + 1] = { 0 };
    char what[WHY_N_FILTERS][160] = { { 0 } };
    snprintf(what[WHY_TYPE_CELLS], 160, "edges x types: in types of at least %g cells",
             w->opt.min_type_cells);
    snprintf(what[WHY_TF_FRAC], 160, "TF seen in at least %g %% of the cells",
             100 * w->opt.min_tf_frac);
    snprintf(what[WHY_GENE_FRAC], 160, "gene seen in at least %g %% of the cells",
             100 * w->opt.min_gene_frac);
    snprintf(what[WHY_REGION_FRAC], 160, "region open in at least %g %% of the cells",
             100 * w->opt.min_region_frac);
    snprintf(what[WHY_GENE_SET], 160, "in leading edges of gene sets that passed");
    snprintf(what[WHY_MIN_TARGETS], 160, "of regulons with at least %g genes", w->opt.min_targets);
    snprintf(what[WHY_FILLED], 160, "without extended regulons that have a direct one");
    for (size_t i = 0; i < w->n_all; i++) {
        if (w->all[i].pre.at < WHY_N_FILTERS && w->all[i].pre.at != WHY_GENE_SET) continue;
        for (uint32_t k = 0; k < w->types.n; k++)
            if (w->asked[k]) n++, lost[why_in_type(w, &w->all[i], k).at]++;
    }
    int known = w->n_all && w->types.n && !lost[WHY_OPEN] && !lost[WHY_UNEXPLAINED];
    for (size_t k = 0; k < sizeof order / sizeof *order; k++) {
        why_filter q = order[k];
        int cells =
            q == WHY_TYPE_CELLS || q == WHY_TF_FRAC || q == WHY_GENE_FRAC || q == WHY_REGION_FRAC;
        if ((cells && w->opt.all_types) || (q == WHY_REGION_FRAC && w->opt.rna_only) ||
            (q == WHY_GENE_SET && !w->opt.gsea) ||
            (q == WHY_MIN_TARGETS && w->opt.gsea && w->opt.all_types) ||
            (q == WHY_FILLED && (!w->opt.fill || !lost[q])))
            continue;
        GRN_TRY(step(f, why_filter_name[q], known, n -= lost[q], lost[q], what[q]));
    }
    rc = step(f, "kept", 1, edges, 0, "edges in the file");
end:
    return rc;
}

grn_status why_print_tf(const why_t *w, grn_out_t *o, int tsv)
{
    grn_status rc = GRN_OK;
    regulons_t r = { 0 };
    funnel_t f = {
        .t = { .n_cols = 3, .left = 4 }, .o = o, .tf = grn_names_get(&w->genes, w->tf), .tsv = tsv
    };
    GRN_TRY(list_regulons(w, &r));
    if (tsv) GRN_TRY(grn_out_puts(o, WHY_TSV_HEAD));
    else
        GRN_TRY(grn_out_printf(o, "%s in '%s' (method %s, %s)\n", f.tf, w->path,
                               w->opt.rna_only ? "rna-only"
                               : w->opt.gsea   ? "gsea"
                                               : "join",
                               w->opt.all_types ? "one network" : "per cell type"));
    GRN_TRY(tsv ? tsv_regulons(w, &r, o) : text_regulons(w, &r, o));
    if (!tsv) {
        GRN_TRY(grn_out_puts(o, "\nWhat each filter left\n"));
        GRN_TRY(why_cell(&f.t, "kept"));
        GRN_TRY(why_cell(&f.t, "lost"));
        GRN_TRY(why_cell(&f.t, "%s", ""));
    }
    GRN_TRY(steps_of_links(w, &f));
    if (!w->opt.rna_only) GRN_TRY(steps_of_triplets(w, &f));
    GRN_TRY(steps_of_types(w, &f, r.n));
    if (!tsv) GRN_TRY(why_table_print(&f.t, o));
end:
    why_table_clear(&f.t);
    clear_regulons(&r);
    return rc;
}
