#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "grn-view/why.h"

const char *const why_filter_name[WHY_KEPT + 1] = {
    "tf-gene-link", "rho-tg",  "fdr-tg",    "sign-tg",     "top-targets", "top-regulators",
    "region",       "motif",   "rho-rg",    "fdr-rg",      "sign-rg",     "gene-set",
    "type-cells",   "tf-frac", "gene-frac", "region-frac", "min-targets", "filled",
    "unexplained",  "unknown", "kept"
};

static const why_end_t passes = { WHY_KEPT, 0, NAN, WHY_NONE };

static why_end_t stopped(why_filter at, double value)
{
    return (why_end_t){ at, 0, value, WHY_NONE };
}

double why_importance(const why_t *w, int is_tg, uint32_t row)
{
    const float *imp = is_tg ? w->imp_tg : w->imp_rg, *r = is_tg ? w->r_tg : w->r_rg;
    return imp ? (double)imp[row] : fabs((double)r[row]);
}

double why_frac(const why_t *w, uint32_t type, uint32_t gene, uint32_t region)
{
    if (region != WHY_NONE)
        return w->has_atac && w->atac_cells[type]
                   ? w->region_cells[type * w->regions.n + region] / (double)w->atac_cells[type]
                   : NAN;
    if (!w->has_rna || !w->in_rna[gene] || !w->rna_cells[type]) return NAN;
    return w->gene_cells[type * w->genes.n + gene] / (double)w->rna_cells[type];
}

/* ---- the TF -> gene link ---- */

/* 1 if the link passes |r|, FDR and, RNA only, its sign. */
static int link_passes(const why_t *w, uint32_t row)
{
    double r = (double)w->r_tg[row];
    return fabs(r) > w->opt.min_rho && (!w->fdr_tg || (double)w->fdr_tg[row] <= w->opt.max_fdr) &&
           (!w->opt.rna_only || w->opt.all_signs || r > 0);
}

static why_end_t link_ranks(const why_t *w, uint32_t gene)
{
    why_end_t end = passes;
    uint32_t target = w->before[0][gene] + 1, regulator = w->before[1][gene] + 1;
    if (target > w->opt.top_targets) end = stopped(WHY_TOP_TARGETS, target);
    else if (regulator > w->opt.top_regulators) end = stopped(WHY_TOP_REGULATORS, regulator);
    if (end.at == WHY_KEPT ? w->opt.prior_only : w->opt.prior_only || w->opt.prior_add) {
        end.unknown = 1U << (end.at == WHY_KEPT ? WHY_TOP_REGULATORS
                                                : end.at); /* the prior may know it, or not */
        end.at = WHY_OPEN;
    }
    return end;
}

static int has_edge(const why_t *w, uint32_t gene)
{
    for (size_t i = 0; i < w->n_edge; i++)
        if (w->edge[i].gene == gene) return 1;
    return 0;
}

/* gsea: a TF that the RNA has is the first of its own targets, whatever its link. */
static int is_own(const why_t *w, uint32_t gene)
{
    return w->opt.autoregulation && gene == w->tf && (!w->has_rna || w->in_rna[gene]);
}

why_end_t why_link(const why_t *w, uint32_t gene)
{
    if (is_own(w, gene)) return passes;
    if (!w->has_tg) {
        if (has_edge(w, gene)) return passes;
        return (why_end_t){ WHY_OPEN, 1U << WHY_TG_LINK | 1U << WHY_TG_RHO, NAN, WHY_NONE };
    }
    if (!w->tg_row[gene]) return stopped(WHY_TG_LINK, NAN);
    uint32_t row = w->tg_row[gene] - 1;
    double r = (double)w->r_tg[row];
    if (!(fabs(r) > w->opt.min_rho)) return stopped(WHY_TG_RHO, r);
    if (w->fdr_tg && !((double)w->fdr_tg[row] <= w->opt.max_fdr))
        return stopped(WHY_TG_FDR, (double)w->fdr_tg[row]);
    if (!w->opt.rna_only) return passes;
    if (r < 0 && !w->opt.all_signs) return stopped(WHY_TG_SIGN, r);
    return has_edge(w, gene) ? passes : link_ranks(w, gene);
}

/* ---- before the types ---- */

static why_end_t before_types(const why_t *w, const why_triplet_t *t, int kind)
{
    why_end_t end = passes, link = why_link(w, t->gene);
    uint32_t unknown = 0;
    if (w->opt.rna_only) return link;
    if (!w->has_sites) unknown |= 1U << WHY_MOTIF;
    else if (!w->site[kind][t->region].has) return stopped(WHY_MOTIF, NAN);
    if (!w->has_rg) {
        unknown |= 1U << WHY_RG_RHO;
    } else {
        if (t->rg == WHY_NONE) return stopped(WHY_HAS_REGION, NAN);
        double r = (double)w->r_rg[t->rg];
        if (!(fabs(r) > w->opt.min_rho)) return stopped(WHY_RG_RHO, r);
        if (w->fdr_rg && !((double)w->fdr_rg[t->rg] <= w->opt.max_fdr))
            return stopped(WHY_RG_FDR, (double)w->fdr_rg[t->rg]);
    }
    if (link.at < WHY_N_FILTERS) return link;
    unknown |= link.unknown;
    if ((t->combo & WHY_RG_NEGATIVE) && !w->opt.all_signs)
        return stopped(WHY_RG_SIGN, (double)w->r_rg[t->rg]);
    if (w->opt.gsea && w->has_tg) {
        size_t n = w->n_ranking[t->combo & WHY_TG_NEGATIVE];
        if ((double)n < w->opt.min_targets) return stopped(WHY_GENE_SET, (double)n);
    }
    end.unknown = unknown;
    return end;
}

/* 1 if the regulons have the candidate in some type. Without links its signs are those there. */
static int borrow_edge(const why_t *w, why_triplet_t *t)
{
    int known = t->tg != WHY_NONE && (w->opt.rna_only || t->rg != WHY_NONE),
        kind = t->combo & WHY_IS_EXTENDED;
    for (size_t i = 0; i < w->n_edge && !(known && w->has_sites); i++) {
        const why_edge_t *e = &w->edge[i];
        if (e->gene != t->gene || e->region != t->region || (e->combo & WHY_IS_EXTENDED) != kind)
            continue;
        if (known && e->combo != t->combo) continue;
        t->combo = e->combo;
        return 1;
    }
    return 0;
}

why_triplet_t why_triplet(const why_t *w, uint32_t gene, uint32_t region, uint32_t rg, int kind)
{
    uint32_t tg = w->has_tg && w->tg_row[gene] ? w->tg_row[gene] - 1 : WHY_NONE;
    why_triplet_t t = { .gene = gene, .region = region, .tg = tg, .rg = rg };
    if (tg != WHY_NONE && w->r_tg[tg] < 0 && !is_own(w, gene)) t.combo |= WHY_TG_NEGATIVE;
    if (rg != WHY_NONE && w->r_rg[rg] < 0) t.combo |= WHY_RG_NEGATIVE;
    if (kind == WHY_EXTENDED) t.combo |= WHY_IS_EXTENDED;
    int is_edge = borrow_edge(w, &t);
    t.pre = before_types(w, &t, kind);
    if (is_edge) t.pre.unknown = 0; /* it passed in some type */
    return t;
}

/* ---- in a type ---- */

static int by_edge(const void *a, const void *b)
{
    const why_edge_t *x = a, *y = b;
    if (x->gene != y->gene) return x->gene < y->gene ? -1 : 1;
    if (x->region != y->region) return x->region < y->region ? -1 : 1;
    if (x->type != y->type) return x->type < y->type ? -1 : 1;
    return x->combo - y->combo;
}

uint32_t why_row(const why_t *w, uint32_t gene, uint32_t region, uint32_t type, int combo)
{
    why_edge_t key = { .gene = gene, .region = region, .type = type, .combo = (uint8_t)combo };
    const why_edge_t *e = w->n_edge ? bsearch(&key, w->edge, w->n_edge, sizeof key, by_edge) : NULL;
    return e ? e->row : WHY_NONE;
}

/* Is it seen in at least frac of the cells of the type? The edges may show that it is. */
static int is_on(double share, double cells, double frac, int seen)
{
    if (seen) return WHY_YES;
    if (isnan(share)) return WHY_UNKNOWN;
    return share > 0 && share * cells >= frac * cells - 1e-9 ? WHY_YES : WHY_NO;
}

/* A TF that the RNA lacks is on where the regions with its motif take a larger share of what is
 * open than in the mean of the types. */
static grn_status open_tf(why_t *w)
{
    grn_status rc = GRN_OK;
    double *share = NULL, mean = 0, n = 0;
    int kind = WHY_EXTENDED;
    if (!w->has_rna || !w->has_atac || !w->has_rg || !w->has_sites || w->in_rna[w->tf]) goto end;
    GRN_TRY(GRN_NEW(share, w->types.n));
    GRN_TRY(GRN_NEW(w->tf_open, w->types.n));
    for (size_t r = 0; r < w->regions.n; r++) /* direct annotation decides where there is both */
        if (w->site[WHY_DIRECT][r].has) kind = WHY_DIRECT;
    for (size_t t = 0; t < w->types.n; t++) {
        double in = 0, all = 0;
        for (size_t r = 0; r < w->regions.n; r++) {
            uint32_t cells = w->region_cells[t * w->regions.n + r];
            all += cells;
            if (w->site[kind][r].has) in += cells;
        }
        share[t] = all > 0 && (double)w->rna_cells[t] >= w->opt.min_type_cells ? in / all : NAN;
        if (!isnan(share[t])) mean += share[t], n++;
    }
    for (size_t t = 0; t < w->types.n; t++)
        w->tf_open[t] = isnan(share[t]) ? 0 : share[t] / (mean / n);
end:
    free(share);
    return rc;
}

/* The filters of cell types. */
static why_end_t expressed(const why_t *w, const why_triplet_t *t, uint32_t type)
{
    why_end_t end = { WHY_KEPT, t->pre.unknown, NAN, type };
    if (w->opt.all_types) return end;
    const struct {
        why_filter filter;
        double frac;
        uint32_t gene, region;
        int seen;
    } test[] = { { WHY_TF_FRAC, w->opt.min_tf_frac, w->tf, WHY_NONE, w->tf_seen[type] },
                 { WHY_GENE_FRAC, w->opt.min_gene_frac, t->gene, WHY_NONE,
                   w->gene_seen[type * w->genes.n + t->gene] },
                 { WHY_REGION_FRAC, w->opt.min_region_frac, WHY_NONE, t->region,
                   t->region != WHY_NONE && w->region_seen[type * w->regions.n + t->region] } };
    if (w->has_rna && (double)w->rna_cells[type] < w->opt.min_type_cells)
        return (why_end_t){ WHY_TYPE_CELLS, 0, (double)w->rna_cells[type], type };
    for (int k = 0; k < (w->opt.rna_only ? 2 : 3); k++) {
        double share = k < 2 ? why_frac(w, type, test[k].gene, WHY_NONE)
                             : why_frac(w, type, 0, test[k].region);
        double cells = k < 2         ? w->has_rna ? (double)w->rna_cells[type] : 0
                       : w->has_atac ? (double)w->atac_cells[type]
                                     : 0;
        int on = is_on(share, cells, test[k].frac, test[k].seen);
        if (k == 0 && w->tf_open && on == WHY_UNKNOWN) {
            on = w->tf_open[type] > 1;
            share = w->tf_open[type];
        }
        if (on == WHY_NO) return (why_end_t){ test[k].filter, 0, share, type };
        if (on == WHY_UNKNOWN) end.unknown |= 1U << test[k].filter;
    }
    return end;
}

static why_end_t settle(why_end_t end)
{
    end.at = end.unknown ? WHY_OPEN : WHY_UNEXPLAINED;
    return end;
}

why_end_t why_in_type(const why_t *w, const why_triplet_t *t, uint32_t type)
{
    if (why_row(w, t->gene, t->region, type, t->combo) != WHY_NONE)
        return (why_end_t){ WHY_KEPT, 0, NAN, type };
    if (t->pre.at < WHY_N_FILTERS) return t->pre;
    why_end_t end = expressed(w, t, type);
    size_t at = type * WHY_COMBOS + t->combo;
    if (end.at < WHY_N_FILTERS) return end;
    int gives_way = (t->combo & WHY_IS_EXTENDED) && w->opt.fill && w->made_direct[t->combo & 3];
    if (w->opt.gsea) {
        if (gives_way) return (why_end_t){ WHY_FILLED, 0, NAN, type };
        if (!end.unknown && (w->opt.all_types || w->has_regulon[at]))
            return (why_end_t){ WHY_GENE_SET, 0, NAN, type };
        end.unknown |= 1U << WHY_GENE_SET | (w->opt.all_types ? 0 : 1U << WHY_MIN_TARGETS);
        return settle(end);
    }
    if (!w->has_regulon[at] && w->opt.min_targets > 1) {
        if (w->n_all && (double)w->n_maybe[at] < w->opt.min_targets)
            return (why_end_t){ WHY_MIN_TARGETS, 0, w->n_maybe[at], type };
        if (!w->n_all || (double)w->n_sure[at] < w->opt.min_targets)
            end.unknown |= 1U << WHY_MIN_TARGETS;
    }
    if (gives_way) return (why_end_t){ WHY_FILLED, 0, NAN, type };
    return settle(end);
}

int why_is_further(why_end_t a, why_end_t b)
{
    static const int last[] = { [WHY_UNEXPLAINED - WHY_N_FILTERS] = 1,
                                [WHY_OPEN - WHY_N_FILTERS] = 2,
                                [WHY_KEPT - WHY_N_FILTERS] = 3 };
    int x = a.at < WHY_N_FILTERS ? (int)a.at : WHY_N_FILTERS + last[a.at - WHY_N_FILTERS];
    int y = b.at < WHY_N_FILTERS ? (int)b.at : WHY_N_FILTERS + last[b.at - WHY_N_FILTERS];
    if (x != y) return y > x;
    int small = a.at == WHY_TG_FDR || a.at == WHY_RG_FDR || a.at == WHY_TOP_TARGETS ||
                a.at == WHY_TOP_REGULATORS;
    return small ? b.value < a.value : fabs(b.value) > fabs(a.value);
}

/* ---- edges and candidates of the TF ---- */

/* Signs and kind of a regulon from the end of its name: "_+/-", "_extended_+/-", "(+)". */
static grn_status combo_of(const why_t *w, const char *name, uint8_t *combo)
{
    size_t n = strlen(name);
    *combo = 0;
    if (n > 3 && name[n - 1] == ')' && name[n - 3] == '(') {
        *combo = name[n - 2] == '-' ? WHY_TG_NEGATIVE : 0;
        return GRN_OK;
    }
    if (n < 4 || name[n - 2] != '/' || name[n - 4] != '_')
        return grn_err(GRN_EFORMAT, "'%s': '%s' is no name of a regulon of grn-build regulon",
                       w->path, name);
    if (name[n - 3] == '-') *combo |= WHY_TG_NEGATIVE;
    if (name[n - 1] == '-') *combo |= WHY_RG_NEGATIVE;
    if (n > 13 && strncmp(name + n - 13, "_extended", 9) == 0) *combo |= WHY_IS_EXTENDED;
    return GRN_OK;
}

static grn_status list_edges(why_t *w)
{
    grn_status rc = GRN_OK;
    const grn_edges_t *e = &w->e;
    size_t T = w->types.n;
    GRN_TRY(GRN_NEW(w->edge, e->n));
    GRN_TRY(GRN_NEW(w->has_regulon, T * WHY_COMBOS));
    GRN_TRY(GRN_NEW(w->tf_seen, T));
    GRN_TRY(GRN_NEW(w->gene_seen, T * w->genes.n));
    GRN_TRY(GRN_NEW(w->region_seen, T * w->regions.n));
    for (size_t i = 0; i < e->n; i++) {
        uint32_t type = e->context[i];
        w->gene_seen[type * w->genes.n + e->gene[i]] = 1;
        if (e->region) w->region_seen[type * w->regions.n + e->region[i]] = 1;
        if (e->tf[i] != w->tf) continue;
        w->tf_seen[type] = 1;
        why_edge_t *x = &w->edge[w->n_edge++];
        *x = (why_edge_t){ .gene = e->gene[i],
                           .region = e->region ? e->region[i] : WHY_NONE,
                           .type = type,
                           .row = (uint32_t)i };
        GRN_TRY(combo_of(w, grn_names_get(&e->regulons, e->regulon[i]), &x->combo));
    }
    /* without the kind in their names the regulons of two signs are of one kind: of the direct
     * cistrome if it has all regions */
    for (int c = 0; c < 4; c++) w->made_direct[c] = -1;
    for (size_t i = 0; i < w->n_edge && !w->opt.rna_only; i++) {
        const why_edge_t *x = &w->edge[i];
        int direct = !(x->combo & WHY_IS_EXTENDED) &&
                     (!w->has_sites || w->site[WHY_DIRECT][x->region].has),
            *made = &w->made_direct[x->combo & 3];
        *made = *made == -1 ? direct : *made && direct;
    }
    for (int c = 0; c < 4; c++) w->made_direct[c] = w->made_direct[c] == 1;
    for (size_t i = 0; i < w->n_edge; i++) {
        why_edge_t *x = &w->edge[i];
        if (w->opt.fill && w->has_sites && !w->made_direct[x->combo & 3])
            x->combo |= WHY_IS_EXTENDED;
        w->has_regulon[x->type * WHY_COMBOS + x->combo] = 1;
    }
    if (w->n_edge) qsort(w->edge, w->n_edge, sizeof *w->edge, by_edge);
end:
    return rc;
}

/* gsea: targets of one sign in the ranking of the TF. */
static size_t ranking_size(const why_t *w, int negative)
{
    size_t n = 0;
    int itself = !negative && is_own(w, w->tf);
    for (size_t g = 0; g < w->genes.n; g++) {
        if (!w->tg_row[g] || (w->opt.autoregulation && g == w->tf)) continue;
        uint32_t row = w->tg_row[g] - 1;
        n += link_passes(w, row) && (w->r_tg[row] < 0) == negative && why_importance(w, 1, row) > 0;
    }
    return n + (size_t)itself;
}

/* The weight of a learned link, |r| of another (as grn-build regulon --rna-only ranks them). */
static float strength(const why_t *w, uint32_t row)
{
    return w->imp_tg && w->tg.weight ? w->tg.weight[row] : fabsf(w->r_tg[row]);
}

/* Is link a before link b of the same TF or gene? */
static int is_before(const why_t *w, uint32_t a, uint32_t b)
{
    float x = strength(w, a), y = strength(w, b);
    return (w->r_tg[a] < 0) == (w->r_tg[b] < 0) && (x > y || (x == y && a < b)) && link_passes(w, a);
}

/* RNA only: how many links of the TF, and of the gene, are before the one of both. */
static grn_status count_before(why_t *w)
{
    grn_status rc = GRN_OK;
    for (int k = 0; k < 2; k++) GRN_TRY(GRN_NEW(w->before[k], w->genes.n));
    for (size_t i = 0; i < w->tg.n; i++) {
        uint32_t g = w->tg.gene[i], mine = w->tg_row[g];
        if (mine) w->before[1][g] += (uint32_t)is_before(w, (uint32_t)i, mine - 1);
    }
    for (size_t g = 0; g < w->genes.n; g++)
        for (size_t h = 0; w->tg_row[g] && h < w->genes.n; h++)
            if (w->tg_row[h])
                w->before[0][g] += (uint32_t)is_before(w, w->tg_row[h] - 1, w->tg_row[g] - 1);
end:
    return rc;
}

static grn_status find_links(why_t *w)
{
    grn_status rc = GRN_OK;
    GRN_TRY(GRN_NEW(w->tg_row, w->genes.n));
    for (size_t i = 0; i < w->tg.n; i++)
        if (w->tg.tf[i] == w->tf) w->tg_row[w->tg.gene[i]] = (uint32_t)i + 1;
    if (w->opt.rna_only && w->has_tg) GRN_TRY(count_before(w));
    for (int k = 0; k < 2 && w->has_tg && w->opt.gsea; k++) w->n_ranking[k] = ranking_size(w, k);
end:
    return rc;
}

static int by_combo(const void *a, const void *b)
{
    const why_triplet_t *x = a, *y = b;
    if (x->combo != y->combo) return x->combo - y->combo;
    if (x->gene != y->gene) return x->gene < y->gene ? -1 : 1;
    return (x->rg > y->rg) - (x->rg < y->rg);
}

static grn_status list_triplets(why_t *w)
{
    grn_status rc = GRN_OK;
    size_t n = 0;
    if (w->opt.rna_only) {
        GRN_TRY(GRN_NEW_RAW(w->all, w->genes.n));
        for (uint32_t g = 0; g < w->genes.n; g++)
            if (w->tg_row[g]) w->all[n++] = why_triplet(w, g, WHY_NONE, WHY_NONE, WHY_DIRECT);
    } else {
        for (size_t i = 0; i < w->rg.n; i++)
            for (int k = 0; k < WHY_KINDS; k++) n += w->site[k][w->rg.region[i]].has;
        GRN_TRY(GRN_NEW_RAW(w->all, n));
        n = 0;
        for (size_t i = 0; i < w->rg.n; i++)
            for (int k = 0; k < WHY_KINDS; k++)
                if (w->site[k][w->rg.region[i]].has)
                    w->all[n++] = why_triplet(w, w->rg.gene[i], w->rg.region[i], (uint32_t)i, k);
    }
    w->n_all = n;
    if (n) qsort(w->all, n, sizeof *w->all, by_combo);
end:
    return rc;
}

/* Genes of each regulon in each type, before min-targets. */
static grn_status size_regulons(why_t *w)
{
    grn_status rc = GRN_OK;
    size_t T = w->types.n;
    GRN_TRY(GRN_NEW(w->n_sure, T * WHY_COMBOS));
    GRN_TRY(GRN_NEW(w->n_maybe, T * WHY_COMBOS));
    for (size_t i = 0, j; i < w->n_all; i = j) {
        int any = 0;
        for (j = i;
             j < w->n_all && w->all[j].combo == w->all[i].combo && w->all[j].gene == w->all[i].gene;
             j++)
            any |= w->all[j].pre.at == WHY_KEPT;
        w->n_most[w->all[i].combo] += (uint32_t)any;
    }
    for (uint32_t t = 0; t < T; t++) {
        for (size_t i = 0, j; i < w->n_all; i = j) {
            int sure = 0, maybe = 0;
            for (j = i; j < w->n_all && w->all[j].combo == w->all[i].combo &&
                        w->all[j].gene == w->all[i].gene;
                 j++) {
                if (w->all[j].pre.at < WHY_N_FILTERS) continue;
                why_end_t end = expressed(w, &w->all[j], t);
                maybe |= end.at == WHY_KEPT;
                sure |= end.at == WHY_KEPT && !end.unknown;
            }
            w->n_sure[t * WHY_COMBOS + w->all[i].combo] += (uint32_t)sure;
            w->n_maybe[t * WHY_COMBOS + w->all[i].combo] += (uint32_t)maybe;
        }
    }
end:
    return rc;
}

grn_status why_candidates(why_t *w)
{
    grn_status rc = GRN_OK;
    GRN_TRY(find_links(w));
    GRN_TRY(list_edges(w));
    GRN_TRY(open_tf(w));
    if (w->has_tg && (w->opt.rna_only || (w->has_rg && w->has_sites))) {
        GRN_TRY(list_triplets(w));
        GRN_TRY(size_regulons(w));
    }
end:
    return rc;
}
