/* One TF and one gene: the link, the regions, the cell types, the verdict. */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "grn-view/why.h"

typedef struct {
    uint32_t region;
    const grn_edges_t *from; /* row: with the evidence of region and gene */
    uint32_t row, rg, rank;
    int kind;        /* of the site shown; -1: none */
    why_triplet_t t; /* the kind that went furthest */
    why_end_t end;
    double weight; /* largest of its edges; NaN: none */
} region_t;

typedef struct {
    const why_t *w;
    const char *tf, *gene;
    const grn_edges_t *from; /* row: with the evidence of TF and gene; NULL: none */
    uint32_t row;
    why_end_t link;
    region_t *region; /* with RNA only one that is none */
    size_t n, n_sites;
    why_end_t *best; /* (types) */
    size_t *of;      /* (types) the region of it; SIZE_MAX: of none */
    why_end_t end;   /* of all */
    size_t end_of;
} answer_t;

/* ---- numbers ---- */

static double value(const grn_edges_t *e, uint32_t row, const char *name)
{
    const float *v = grn_edges_find_evidence(e, name);
    return v ? (double)v[row] : NAN;
}

/* Place of a link by importance among those of its TF or of its gene; *n: how many there are. */
static uint64_t rank_of(const why_t *w, int is_tg, uint32_t row, int of_gene, uint64_t *n)
{
    const grn_edges_t *e = is_tg ? &w->tg : &w->rg;
    double x = why_importance(w, is_tg, row);
    uint64_t before = 0;
    *n = 0;
    for (uint32_t i = 0; i < e->n; i++) {
        if (of_gene ? e->gene[i] != e->gene[row] : e->tf[i] != e->tf[row]) continue;
        ++*n;
        before += why_importance(w, is_tg, i) > x;
    }
    return before + 1;
}

/* ---- gathering ---- */

/* How region `me` of the answer ended, over the types asked for; best and of: the furthest of all
 * regions in each type. */
static why_end_t end_in(const why_t *w, const why_triplet_t *t, why_end_t *best, size_t *of,
                        size_t me)
{
    why_end_t end = { WHY_TG_LINK, 0, NAN, WHY_NONE };
    int any = 0;
    for (uint32_t k = 0; k < w->types.n; k++) {
        if (!w->asked[k]) continue;
        why_end_t x = why_in_type(w, t, k);
        if (!any++ || why_is_further(end, x)) end = x;
        if (of[k] != SIZE_MAX && !why_is_further(best[k], x)) continue;
        best[k] = x;
        of[k] = me;
    }
    if (any) return end;
    end = t->pre; /* the regulons have no types, and no matrix was given */
    if (end.at < WHY_N_FILTERS) return end;
    if (!w->opt.gsea && w->n_all && w->n_most[t->combo] < w->opt.min_targets)
        return (why_end_t){ WHY_MIN_TARGETS, 0, w->n_most[t->combo], WHY_NONE };
    end.unknown |=
        1U << WHY_TYPE_CELLS | 1U << WHY_TF_FRAC | 1U << WHY_GENE_FRAC | 1U << WHY_MIN_TARGETS;
    if (!w->opt.rna_only) end.unknown |= 1U << WHY_REGION_FRAC;
    end.at = WHY_OPEN;
    return end;
}

static void weigh(const why_t *w, region_t *r)
{
    r->weight = NAN;
    for (size_t i = 0; i < w->n_edge; i++) {
        const why_edge_t *e = &w->edge[i];
        if (e->gene != w->gene || e->region != r->region || !w->asked[e->type] || !w->e.weight)
            continue;
        double x = (double)w->e.weight[e->row];
        if (!(x <= r->weight)) r->weight = x;
    }
}

static void follow(answer_t *a, size_t i)
{
    const why_t *w = a->w;
    region_t *r = &a->region[i];
    r->kind = -1;
    for (int k = 0; k < (w->opt.rna_only ? 1 : WHY_KINDS); k++) {
        why_triplet_t t = why_triplet(w, w->gene, r->region, r->rg, k);
        why_end_t end = end_in(w, &t, a->best, a->of, i);
        if (k == 0 || why_is_further(r->end, end)) r->end = end, r->t = t;
        if (!w->opt.rna_only && r->kind < 0 && w->site[k][r->region].has) r->kind = k;
    }
    if (r->kind >= 0) a->n_sites++;
    if (w->has_rg && r->rg != WHY_NONE) {
        uint64_t n;
        r->rank = (uint32_t)rank_of(w, 0, r->rg, 1, &n);
    }
    weigh(w, r);
    if (i && !why_is_further(a->end, r->end)) return;
    a->end = r->end;
    a->end_of = i;
}

static const why_t *sorted_for;
static int by_place(const void *a, const void *b)
{
    const region_t *x = a, *y = b;
    const grn_regions_t *p = &sorted_for->places;
    if (p->chrom[x->region] != p->chrom[y->region])
        return strcmp(grn_names_get(&p->chroms, p->chrom[x->region]),
                      grn_names_get(&p->chroms, p->chrom[y->region]));
    if (p->start[x->region] != p->start[y->region])
        return p->start[x->region] < p->start[y->region] ? -1 : 1;
    return (p->end[x->region] > p->end[y->region]) - (p->end[x->region] < p->end[y->region]);
}

static grn_status list_regions(answer_t *a)
{
    grn_status rc = GRN_OK;
    const why_t *w = a->w;
    uint8_t *seen = NULL;
    if (w->opt.rna_only) {
        GRN_TRY(GRN_NEW(a->region, 1));
        a->region[0] = (region_t){ .region = WHY_NONE, .rg = WHY_NONE };
        a->n = 1;
        goto end;
    }
    GRN_TRY(GRN_NEW(seen, w->regions.n));
    GRN_TRY(GRN_NEW(a->region, w->regions.n));
    for (uint32_t i = 0; i < w->rg.n; i++)
        if (w->rg.gene[i] == w->gene && !seen[w->rg.region[i]]++)
            a->region[a->n++] =
                (region_t){ .region = w->rg.region[i], .from = &w->rg, .row = i, .rg = i };
    for (size_t i = 0; i < w->n_edge; i++) { /* without the links, or with those of other data */
        const why_edge_t *e = &w->edge[i];
        if (e->gene == w->gene && !seen[e->region]++)
            a->region[a->n++] =
                (region_t){ .region = e->region, .from = &w->e, .row = e->row, .rg = WHY_NONE };
    }
    sorted_for = w;
    if (a->n) qsort(a->region, a->n, sizeof *a->region, by_place);
end:
    free(seen);
    return rc;
}

static grn_status gather(answer_t *a, const why_t *w)
{
    grn_status rc = GRN_OK;
    *a = (answer_t){ .w = w,
                     .tf = grn_names_get(&w->genes, w->tf),
                     .gene = grn_names_get(&w->genes, w->gene) };
    a->link = why_link(w, w->gene);
    if (w->has_tg && w->tg_row[w->gene]) {
        a->from = &w->tg;
        a->row = w->tg_row[w->gene] - 1;
    }
    for (size_t i = 0; i < w->n_edge && !w->has_tg && !a->from; i++)
        if (w->edge[i].gene == w->gene) a->from = &w->e, a->row = w->edge[i].row;
    GRN_TRY(GRN_NEW(a->best, w->types.n));
    GRN_TRY(GRN_NEW_RAW(a->of, w->types.n));
    memset(a->of, 0xff, w->types.n * sizeof *a->of);
    GRN_TRY(list_regions(a));
    for (size_t i = 0; i < a->n; i++) follow(a, i);
    if (a->n && a->end.at == WHY_KEPT) goto end;
    if (a->link.at < WHY_N_FILTERS) a->end = a->link;
    else if (!a->n)
        a->end = w->has_rg
                     ? (why_end_t){ WHY_HAS_REGION, 0, NAN, WHY_NONE }
                     : (why_end_t){ WHY_OPEN, a->link.unknown | 1U << WHY_RG_RHO, NAN, WHY_NONE };
end:
    for (size_t k = 0; !rc && k < w->types.n; k++) { /* the link stops all regions */
        if (a->of[k] != SIZE_MAX && (a->best[k].at == WHY_KEPT || a->link.at >= WHY_N_FILTERS))
            continue;
        a->best[k] = a->link.at < WHY_N_FILTERS ? a->link : a->end;
        a->of[k] = SIZE_MAX;
    }
    return rc;
}

/* ---- verdict ---- */

static int is_about_region(why_filter at)
{
    return at == WHY_RG_RHO || at == WHY_RG_FDR || at == WHY_RG_SIGN || at == WHY_GENE_SET ||
           at == WHY_FILLED || at == WHY_UNEXPLAINED;
}

static grn_status kept_in(const answer_t *a, grn_str_t *s)
{
    grn_status rc = GRN_OK;
    const why_t *w = a->w;
    int n = 0;
    GRN_TRY(grn_str_puts(s, "kept in "));
    for (uint32_t k = 0; k < w->types.n; k++) {
        if (!w->asked[k]) continue;
        size_t regions = 0;
        uint32_t combos = 0;
        for (size_t i = 0; i < w->n_edge; i++) {
            const why_edge_t *e = &w->edge[i];
            if (e->gene != w->gene || e->type != k) continue;
            if (!regions++)
                GRN_TRY(grn_str_printf(s, "%s%s (", n++ ? ", " : "", grn_names_get(&w->types, k)));
            if (combos >> e->combo & 1) continue;
            GRN_TRY(grn_str_printf(s, "%s%s", combos ? ", " : "",
                                   grn_names_get(&w->e.regulons, w->e.regulon[e->row])));
            combos |= 1U << e->combo;
        }
        if (regions && w->opt.rna_only) GRN_TRY(grn_str_puts(s, ")"));
        else if (regions)
            GRN_TRY(grn_str_printf(s, ": %zu region%s)", regions, regions == 1 ? "" : "s"));
    }
end:
    return rc;
}

static grn_status verdict(const answer_t *a, grn_str_t *s)
{
    grn_status rc = GRN_OK;
    const why_t *w = a->w;
    why_triplet_t none = { .gene = w->gene, .region = WHY_NONE };
    const region_t *r = a->n ? &a->region[a->end_of] : NULL;
    if (a->end.at == WHY_KEPT) return kept_in(a, s);
    if (a->end.at == WHY_OPEN) return why_reason(w, r ? &r->t : &none, a->end, s);
    GRN_TRY(grn_str_puts(s, "not kept: "));
    if (a->end.at == WHY_MOTIF) {
        rc = grn_str_printf(s, "no region of %s has a motif of %s", a->gene, a->tf);
        goto end;
    }
    if (r && r->region != WHY_NONE && is_about_region(a->end.at))
        GRN_TRY(grn_str_printf(s, "%s%s: ", grn_names_get(&w->regions, r->region),
                               a->n > 1 ? ", which comes furthest" : ""));
    rc = why_reason(w, r ? &r->t : &none, a->end, s);
end:
    return rc;
}

/* ---- for people ---- */

static grn_status text_link(const answer_t *a, grn_out_t *o)
{
    grn_status rc = GRN_OK;
    const why_t *w = a->w;
    why_table_t t = { .n_cols = 3, .left = 5 };
    grn_str_t s = { 0 };
    char buf[4][32];
    why_triplet_t none = { .gene = w->gene, .region = WHY_NONE };
    if (w->has_tg) GRN_TRY(grn_out_printf(o, "\nTF -> gene ('%s')\n", w->file.tf_gene));
    else
        GRN_TRY(grn_out_printf(o, "\nTF -> gene links: not given (--tf-gene FILE)%s\n",
                               a->from ? "; from the regulons:" : ""));
    for (size_t k = 0; a->from && k < a->from->n_ev; k++) {
        const grn_evidence_t *e = &a->from->ev[k];
        if (!grn_str_ends(e->name, "_tg")) continue;
        GRN_TRY(why_cell(&t, "%s", e->name));
        GRN_TRY(why_cell_num(&t, (double)e->v[a->row]));
        if (w->has_tg && strcmp(e->name, w->imp_tg      ? "importance_tg"
                                         : w->opt.sp_tg ? "rho_sp_tg"
                                                        : "rho_tg") == 0) {
            uint64_t n[2], rank[2];
            for (int i = 0; i < 2; i++) rank[i] = rank_of(w, 1, a->row, i, &n[i]);
            GRN_TRY(why_cell(&t, "%s of %s targets of %s, %s of %s regulators of %s%s",
                             why_ordinal(buf[0], rank[0]), why_commas(buf[1], n[0]), a->tf,
                             why_ordinal(buf[2], rank[1]), why_commas(buf[3], n[1]), a->gene,
                             w->imp_tg ? "" : " by |rho|"));
        } else {
            GRN_TRY(why_cell(&t, "%s", ""));
        }
    }
    GRN_TRY(why_table_print(&t, o));
    if (a->link.at == WHY_KEPT) GRN_TRY(grn_str_puts(&s, "passes"));
    else GRN_TRY(why_reason(w, &none, a->link, &s));
    GRN_TRY(grn_out_printf(o, "  => %s\n", s.s));
end:
    grn_str_clear(&s);
    why_table_clear(&t);
    return rc;
}

static grn_status region_end(const answer_t *a, const region_t *r, grn_str_t *s)
{
    grn_status rc = GRN_OK;
    const why_t *w = a->w;
    s->n = 0;
    if (r->end.at != WHY_KEPT) return why_reason(w, &r->t, r->end, s);
    GRN_TRY(grn_str_puts(s, "kept in"));
    for (uint32_t k = 0, n = 0; k < w->types.n; k++)
        if (w->asked[k] && why_row(w, w->gene, r->region, k, r->t.combo) != WHY_NONE)
            GRN_TRY(grn_str_printf(s, "%s %s", n++ ? "," : "", grn_names_get(&w->types, k)));
end:
    return rc;
}

static grn_status motif_cells(const why_t *w, const region_t *r, why_table_t *t)
{
    grn_status rc = GRN_OK;
    const why_site_t *s = r->kind < 0 ? NULL : &w->site[r->kind][r->region];
    if (!s) GRN_TRY(why_cell(t, "%s", w->has_sites ? "-" : "not given"));
    else
        GRN_TRY(why_cell(t, "%s%s%s", r->kind == WHY_EXTENDED ? "extended" : "direct",
                         s->motif == WHY_NONE ? "" : " ",
                         s->motif < w->motifs.n ? grn_names_get(&w->motifs, s->motif) : ""));
    GRN_TRY(why_cell_num(t, s ? (double)s->nes : NAN));
    GRN_TRY(why_cell_num(t, s ? (double)s->score : NAN));
end:
    return rc;
}

static grn_status text_regions(const answer_t *a, grn_out_t *o)
{
    static const char *const head[] = { "region", "distance", "tss",         "importance_rg",
                                        "rank",   "rho_rg",   "motif",       "nes",
                                        "score",  "weight",   "first filter" };
    grn_status rc = GRN_OK;
    const why_t *w = a->w;
    why_table_t t = { .n_cols = sizeof head / sizeof *head, .left = 1U << 0 | 1U << 6 | 1U << 10 };
    grn_str_t s = { 0 };
    if (w->has_rg)
        GRN_TRY(grn_out_printf(o, "\nRegions of %s: %zu linked ('%s'); ", a->gene, a->n,
                               w->file.region_gene));
    else
        GRN_TRY(grn_out_printf(
            o, "\nRegions of %s: links not given (--region-gene FILE), %zu in the regulons; ",
            a->gene, a->n));
    if (w->has_sites)
        GRN_TRY(grn_out_printf(o, "%zu with a motif of %s ('%s')\n", a->n_sites, a->tf,
                               w->file.motifs));
    else GRN_TRY(grn_out_puts(o, "motifs not given (--cistromes, --scan or --motif-hits)\n"));
    for (size_t c = 0; a->n && c < t.n_cols; c++)
        GRN_TRY(why_cell(&t, "%s", c == 5 && w->opt.sp_rg ? "rho_sp_rg" : head[c]));
    for (size_t i = 0; i < a->n; i++) {
        const region_t *r = &a->region[i];
        GRN_TRY(why_cell(&t, "%s", grn_names_get(&w->regions, r->region)));
        GRN_TRY(why_cell_bp(&t, value(r->from, r->row, "distance")));
        GRN_TRY(why_cell_bp(&t, value(r->from, r->row, "distance_tss")));
        GRN_TRY(why_cell_num(&t, value(r->from, r->row, "importance_rg")));
        GRN_TRY(r->rank ? why_cell(&t, "%u/%zu", r->rank, a->n) : why_cell(&t, "-"));
        GRN_TRY(why_cell_num(&t, value(r->from, r->row, w->opt.sp_rg ? "rho_sp_rg" : "rho_rg")));
        GRN_TRY(motif_cells(w, r, &t));
        GRN_TRY(why_cell_num(&t, r->weight));
        GRN_TRY(region_end(a, r, &s));
        GRN_TRY(why_cell(&t, "%s", s.s));
    }
    GRN_TRY(why_table_print(&t, o));
end:
    grn_str_clear(&s);
    why_table_clear(&t);
    return rc;
}

static grn_status percent(why_table_t *t, double x)
{
    return isnan(x) ? why_cell(t, "?") : why_cell(t, "%.3g %%", 100 * x);
}

static grn_status text_types(const answer_t *a, grn_out_t *o)
{
    grn_status rc = GRN_OK;
    const why_t *w = a->w;
    why_table_t t = { .n_cols = 5, .left = 17 };
    why_triplet_t none = { .gene = w->gene, .region = WHY_NONE };
    grn_str_t s = { 0 };
    if (w->opt.all_types || !w->types.n) goto end;
    GRN_TRY(grn_out_puts(
        o, w->has_rna
               ? "\nCell types\n"
               : "\nCell types with regulons (cells: not given; --rna FILE and --atac FILE)\n"));
    GRN_TRY(why_cell(&t, "type"));
    GRN_TRY(why_cell(&t, "cells"));
    GRN_TRY(why_cell(&t, "%s", a->tf));
    GRN_TRY(why_cell(&t, "%s", a->gene));
    GRN_TRY(why_cell(&t, "first filter"));
    for (uint32_t k = 0; k < w->types.n; k++) {
        if (!w->asked[k]) continue;
        GRN_TRY(why_cell(&t, "%s", grn_names_get(&w->types, k)));
        GRN_TRY(w->has_rna ? why_cell(&t, "%llu", (unsigned long long)w->rna_cells[k])
                           : why_cell(&t, "?"));
        GRN_TRY(percent(&t, why_frac(w, k, w->tf, WHY_NONE)));
        GRN_TRY(percent(&t, why_frac(w, k, w->gene, WHY_NONE)));
        s.n = 0;
        GRN_TRY(
            why_reason(w, a->of[k] == SIZE_MAX ? &none : &a->region[a->of[k]].t, a->best[k], &s));
        GRN_TRY(why_cell(&t, "%s", s.s));
    }
    GRN_TRY(why_table_print(&t, o));
end:
    grn_str_clear(&s);
    why_table_clear(&t);
    return rc;
}

static grn_status print_text(const answer_t *a, grn_out_t *o)
{
    grn_status rc = GRN_OK;
    const why_t *w = a->w;
    grn_str_t s = { 0 };
    GRN_TRY(grn_out_printf(o, "%s -> %s in '%s' (method %s, %s)\n", a->tf, a->gene, w->path,
                           w->opt.rna_only ? "rna-only"
                           : w->opt.gsea   ? "gsea"
                                           : "join",
                           w->opt.all_types ? "one network" : "per cell type"));
    GRN_TRY(text_link(a, o));
    if (!w->opt.rna_only) GRN_TRY(text_regions(a, o));
    GRN_TRY(text_types(a, o));
    GRN_TRY(verdict(a, &s));
    GRN_TRY(grn_out_printf(o, "\nVerdict: %s\n", s.s));
end:
    grn_str_clear(&s);
    return rc;
}

/* ---- for programs ---- */

static grn_status tsv_link(const answer_t *a, grn_out_t *o)
{
    grn_status rc = GRN_OK;
    const why_t *w = a->w;
    uint64_t n[2], rank[2];
    for (size_t k = 0; a->from && k < a->from->n_ev; k++)
        if (grn_str_ends(a->from->ev[k].name, "_tg"))
            GRN_TRY(why_tsv(o, "tf-gene", a->gene, "", a->from->ev[k].name,
                            (double)a->from->ev[k].v[a->row]));
    for (int i = 0; a->from && w->has_tg && i < 2; i++) rank[i] = rank_of(w, 1, a->row, i, &n[i]);
    if (a->from && w->has_tg) {
        GRN_TRY(why_tsv(o, "tf-gene", a->gene, "", "rank_of_targets", (double)rank[0]));
        GRN_TRY(why_tsv(o, "tf-gene", a->gene, "", "n_targets", (double)n[0]));
        GRN_TRY(why_tsv(o, "tf-gene", a->gene, "", "rank_of_regulators", (double)rank[1]));
        GRN_TRY(why_tsv(o, "tf-gene", a->gene, "", "n_regulators", (double)n[1]));
    }
    rc = why_tsv_text(o, "tf-gene", a->gene, "", "filter",
                      a->link.at == WHY_KEPT ? "passes" : why_filter_name[a->link.at]);
end:
    return rc;
}

static grn_status tsv_region(const answer_t *a, const region_t *r, grn_out_t *o)
{
    grn_status rc = GRN_OK;
    const why_t *w = a->w;
    const char *name = r->region == WHY_NONE ? a->gene : grn_names_get(&w->regions, r->region),
               *what = r->region == WHY_NONE ? "edge" : "region";
    for (size_t k = 0; r->from && k < r->from->n_ev; k++) {
        const char *key = r->from->ev[k].name;
        if (grn_str_ends(key, "_rg") || strncmp(key, "distance", 8) == 0)
            GRN_TRY(why_tsv(o, what, name, "", key, (double)r->from->ev[k].v[r->row]));
    }
    if (r->rank) GRN_TRY(why_tsv(o, what, name, "", "rank", r->rank));
    for (int k = 0; r->region != WHY_NONE && w->has_sites && k < WHY_KINDS; k++) {
        const why_site_t *s = &w->site[k][r->region];
        if (k == WHY_DIRECT || s->has)
            GRN_TRY(why_tsv_text(o, what, name, "", k == WHY_DIRECT ? "in_direct" : "in_extended",
                                 s->has ? "1" : "0"));
        if (k != r->kind) continue;
        if (s->motif < w->motifs.n)
            GRN_TRY(why_tsv_text(o, what, name, "", "motif", grn_names_get(&w->motifs, s->motif)));
        if (!isnan(s->nes)) GRN_TRY(why_tsv(o, what, name, "", "nes", (double)s->nes));
        GRN_TRY(why_tsv(o, what, name, "", "motif_score", (double)s->score));
    }
    if (!isnan(r->weight)) GRN_TRY(why_tsv(o, what, name, "", "weight", r->weight));
    for (uint32_t k = 0; k < w->types.n; k++) {
        const char *type = grn_names_get(&w->types, k);
        if (!w->asked[k]) continue;
        if (r->region != WHY_NONE && w->has_atac)
            GRN_TRY(why_tsv(o, what, name, type, "region_frac", why_frac(w, k, 0, r->region)));
        GRN_TRY(why_tsv_text(o, what, name, type, "filter",
                             why_filter_name[why_in_type(w, &r->t, k).at]));
    }
    rc = why_tsv_text(o, what, name, "", "filter", why_filter_name[r->end.at]);
end:
    return rc;
}

static grn_status print_tsv(const answer_t *a, grn_out_t *o)
{
    grn_status rc = GRN_OK;
    const why_t *w = a->w;
    grn_str_t s = { 0 };
    GRN_TRY(grn_out_puts(o, WHY_TSV_HEAD));
    GRN_TRY(tsv_link(a, o));
    for (size_t i = 0; i < a->n; i++) GRN_TRY(tsv_region(a, &a->region[i], o));
    for (uint32_t k = 0; k < w->types.n && !w->opt.all_types; k++) {
        const char *type = grn_names_get(&w->types, k);
        if (!w->asked[k]) continue;
        if (w->has_rna)
            GRN_TRY(why_tsv(o, "context", a->gene, type, "cells", (double)w->rna_cells[k]));
        GRN_TRY(why_tsv(o, "context", a->gene, type, "tf_frac", why_frac(w, k, w->tf, WHY_NONE)));
        GRN_TRY(
            why_tsv(o, "context", a->gene, type, "gene_frac", why_frac(w, k, w->gene, WHY_NONE)));
        GRN_TRY(
            why_tsv_text(o, "context", a->gene, type, "filter", why_filter_name[a->best[k].at]));
    }
    GRN_TRY(why_tsv_text(o, "verdict", a->gene, "", "filter", why_filter_name[a->end.at]));
    GRN_TRY(verdict(a, &s));
    GRN_TRY(why_tsv_text(o, "verdict", a->gene, "", "text", s.s));
end:
    grn_str_clear(&s);
    return rc;
}

grn_status why_print_gene(const why_t *w, grn_out_t *o, int tsv)
{
    grn_status rc = GRN_OK;
    answer_t a;
    GRN_TRY(gather(&a, w));
    rc = tsv ? print_tsv(&a, o) : print_text(&a, o);
end:
    free(a.best);
    free(a.of);
    free(a.region);
    return rc;
}
