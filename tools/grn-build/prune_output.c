/* Regulons of leading edges, per cell type, and the table of enriched motifs. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/opt.h"
#include "base/str.h"
#include "cells.h"
#include "columns.h"
#include "io/prov.h"
#include "prune.h"

#define NONE UINT32_MAX

typedef struct {          /* a gene in a leading edge */
    uint32_t gene, motif; /* motif: place in the sorted names of those in use */
    uint8_t way, kind;
    double nes;
} hit_t;

typedef struct {            /* an edge of a regulon, in whatever cell type */
    uint32_t tf, gene, row; /* row of the link; NONE: the TF itself */
    int8_t sign;
    uint8_t kind, n_modules;
    uint32_t motif, n_motifs;
    double nes;
} edge_t;

typedef struct {
    grn_prune_t *p;
    grn_names_t motifs; /* in use, in bytewise order */
    uint32_t *place;    /* (p->motifs.n) in motifs, or NONE */
    hit_t *hit;
    size_t n_hit, hit_cap;
    edge_t *v; /* by TF, sign (positive first), gene */
    size_t n, cap;
    grn_types_t types;
    uint8_t *tf_on, *gene_on; /* (types, genes of the links); NULL: all are */
    size_t *pick;             /* (n_pick) edge of a row of the output */
    uint16_t *type;           /* (n_pick) */
    size_t n_pick, pick_cap, type_cap;
} build_t;

static void build_clear(build_t *b)
{
    free(b->place);
    free(b->hit);
    free(b->v);
    free(b->tf_on);
    free(b->gene_on);
    free(b->pick);
    free(b->type);
    grn_types_clear(&b->types);
    grn_names_clear(&b->motifs);
}

/* ---- leading edges -> regulons ---- */

static grn_status sort_motifs(build_t *b)
{
    grn_status rc = GRN_OK;
    const grn_prune_t *p = b->p;
    uint32_t *order = NULL;
    GRN_TRY(GRN_NEW(b->place, p->motifs.n));
    GRN_TRY(GRN_NEW_RAW(order, p->motifs.n));
    for (size_t k = 0; k < p->n; k++)
        if (p->v[k].n_gene) b->place[p->v[k].motif] = 1;
    GRN_TRY(grn_names_sort(&p->motifs, order));
    for (size_t k = 0; k < p->motifs.n; k++) {
        size_t at = NONE;
        if (b->place[order[k]]) GRN_TRY(grn_names_add(&b->motifs, grn_names_get(&p->motifs, order[k]), &at, NULL));
        b->place[order[k]] = (uint32_t)at;
    }
end:
    free(order);
    return rc;
}

static int by_gene(const void *x, const void *y)
{
    const hit_t *a = x, *b = y;
    if (a->gene != b->gene) return a->gene < b->gene ? -1 : 1;
    if (a->motif != b->motif) return a->motif < b->motif ? -1 : 1;
    return a->nes > b->nes ? -1 : a->nes < b->nes;
}

/* The link of a TF to a gene. */
static uint32_t find_link(const grn_edges_t *e, uint32_t tf, uint32_t gene)
{
    size_t low = 0, high = e->n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (e->tf[mid] < tf || (e->tf[mid] == tf && e->gene[mid] < gene)) low = mid + 1;
        else high = mid;
    }
    return low < e->n && e->tf[low] == tf && e->gene[low] == gene ? (uint32_t)low : NONE;
}

/* The regulon of the hits, all of one TF and sign. */
static grn_status add_regulon(build_t *b, uint32_t tf, int8_t sign)
{
    grn_status rc = GRN_OK;
    if (b->n_hit) qsort(b->hit, b->n_hit, sizeof *b->hit, by_gene);
    for (size_t i = 0, j; i < b->n_hit; i = j) {
        const hit_t *h = &b->hit[i];
        edge_t x = {
            .tf = tf, .gene = h->gene, .row = find_link(&b->p->e, tf, h->gene), .sign = sign, .motif = h->motif, .nes = h->nes
        };
        uint32_t ways = 0;
        for (j = i; j < b->n_hit && b->hit[j].gene == h->gene; j++) {
            const hit_t *y = &b->hit[j];
            x.n_motifs += j == i || y->motif != b->hit[j - 1].motif;
            x.kind |= y->kind;
            ways |= 1u << y->way;
            if (y->nes > x.nes) x.nes = y->nes, x.motif = y->motif;
        }
        x.n_modules = (uint8_t)__builtin_popcount(ways);
        GRN_TRY(GRN_GROW(b->v, b->cap, b->n + 1));
        b->v[b->n++] = x;
    }
end:
    return rc;
}

static grn_status merge(build_t *b)
{
    grn_status rc = GRN_OK;
    const grn_prune_t *p = b->p;
    size_t n_regulons = 0;
    for (size_t i = 0, j; i < p->n; i = j) {
        const grn_module_t *m = &p->modules.v[p->v[i].module];
        b->n_hit = 0;
        for (j = i; j < p->n && p->modules.v[p->v[j].module].tf == m->tf && p->modules.v[p->v[j].module].sign == m->sign; j++) {
            const grn_pruned_t *x = &p->v[j];
            for (size_t k = 0; k < x->n_gene; k++) {
                GRN_TRY(GRN_GROW(b->hit, b->hit_cap, b->n_hit + 1));
                b->hit[b->n_hit++] = (hit_t){ x->gene[k], b->place[x->motif], p->modules.v[x->module].way, x->kind, x->nes };
            }
        }
        n_regulons += b->n_hit > 0;
        GRN_TRY(add_regulon(b, m->tf, m->sign));
    }
    size_t sought = 0; /* TFs and signs with a module */
    for (size_t k = 0; k < p->modules.n; k++)
        sought += k == 0 || p->modules.v[k].tf != p->modules.v[k - 1].tf || p->modules.v[k].sign != p->modules.v[k - 1].sign;
    GRN_TRY(grn_funnel_add(&b->p->funnel, "regulons", n_regulons, sought - n_regulons,
                           "TFs (and signs) with genes in the leading edge of a motif of theirs"));
end:
    return rc;
}

/* ---- cell types ---- */

static grn_status load_types(build_t *b)
{
    grn_status rc = GRN_OK;
    const grn_prune_opt_t *o = b->p->opt;
    const grn_names_t *genes = &b->p->e.genes;
    grn_colsrc_t rna = { 0 };
    uint32_t *count = NULL, *map = NULL;
    GRN_TRY(grn_colsrc_open(&rna, o->rna, &o->rna_opt, GRN_SCALE_RAW, grn_common.pool));
    GRN_TRY(grn_types_load(rna.info, NULL, NULL, &b->types));
    GRN_TRY(grn_types_check(&b->types, o->min_type_cells, &b->p->funnel));
    size_t T = b->types.types.n, C = rna.info->n_cols;
    GRN_TRY(GRN_NEW_RAW(map, C));
    for (size_t j = 0; j < C; j++) {
        size_t g = grn_names_find(genes, grn_names_get(&rna.info->col, j));
        map[j] = g == GRN_NAMES_NONE ? NONE : (uint32_t)g;
    }
    for (size_t i = 0; i < b->n; i++) { /* a TF that is no gene of the matrix is on nowhere */
        const char *name = grn_names_get(genes, b->v[i].gene);
        if (b->v[i].gene != b->v[i].tf && grn_names_find(&rna.info->col, name) == GRN_NAMES_NONE)
            GRN_FAIL(GRN_ESHAPE, "gene '%s' of '%s' is not in '%s': were the links made from other counts?", name, o->links,
                     o->rna);
    }
    GRN_TRY(GRN_NEW(count, T * C));
    GRN_TRY(GRN_NEW(b->tf_on, T * genes->n));
    GRN_TRY(GRN_NEW(b->gene_on, T * genes->n));
    GRN_TRY(grn_colsrc_by_type(&rna, b->types.code, T, count));
    grn_types_mark_on(count, &b->types, C, map, genes->n, o->min_tf_frac, b->tf_on);
    grn_types_mark_on(count, &b->types, C, map, genes->n, o->min_gene_frac, b->gene_on);
end:
    free(map);
    free(count);
    grn_colsrc_close(&rna);
    return rc;
}

static grn_status pick(build_t *b, size_t edge, size_t type)
{
    grn_status rc = GRN_OK;
    GRN_TRY(GRN_GROW(b->pick, b->pick_cap, b->n_pick + 1));
    GRN_TRY(GRN_GROW(b->type, b->type_cap, b->n_pick + 1));
    b->pick[b->n_pick] = edge;
    b->type[b->n_pick++] = (uint16_t)type;
end:
    return rc;
}

typedef struct {
    uint64_t all, tf_on, gene_on, kept, regulons, lost;
} picked_t;

/* Edges [i, j), a regulon, in one type. */
static grn_status pick_regulon(build_t *b, size_t i, size_t j, size_t type, picked_t *n)
{
    grn_status rc = GRN_OK;
    size_t begin = b->n_pick, G = b->p->e.genes.n;
    n->all += j - i;
    if (b->tf_on && !b->tf_on[type * G + b->v[i].tf]) return GRN_OK;
    n->tf_on += j - i;
    for (size_t k = i; k < j; k++)
        if (!b->gene_on || b->gene_on[type * G + b->v[k].gene]) GRN_TRY(pick(b, k, type));
    n->gene_on += b->n_pick - begin;
    if (b->n_pick - begin >= b->p->opt->min_targets) {
        n->kept += b->n_pick - begin;
        n->regulons++;
    } else if (b->n_pick > begin) {
        b->n_pick = begin;
        n->lost++;
    }
end:
    return rc;
}

static grn_status pick_edges(build_t *b)
{
    grn_status rc = GRN_OK;
    const grn_prune_opt_t *o = b->p->opt;
    grn_funnel_t *f = &b->p->funnel;
    picked_t n = { 0 };
    if (o->rna) GRN_TRY(load_types(b));
    else GRN_TRY(grn_names_add(&b->types.types, "all", NULL, NULL));
    for (size_t t = 0; t < b->types.types.n; t++) {
        if (o->rna && b->types.n_cells[t] < o->min_type_cells) continue;
        for (size_t i = 0, j; i < b->n; i = j) {
            for (j = i; j < b->n && b->v[j].tf == b->v[i].tf && b->v[j].sign == b->v[i].sign; j++) continue;
            GRN_TRY(pick_regulon(b, i, j, t, &n));
        }
    }
    if (o->rna) {
        GRN_TRY(grn_funnel_add(f, "edges", n.tf_on, n.all - n.tf_on,
                               "edges x types: TF expressed in at least %g of the cells of the type", o->min_tf_frac));
        GRN_TRY(grn_funnel_add(f, "edges", n.gene_on, n.tf_on - n.gene_on,
                               "edges x types: gene expressed in at least %g of the cells", o->min_gene_frac));
    }
    GRN_TRY(grn_funnel_add(f, "edges", n.kept, n.gene_on - n.kept, "edges of regulons with at least %" PRIu64 " genes",
                           o->min_targets));
    GRN_TRY(grn_funnel_add(f, "regulons", n.regulons, n.lost, "regulons%s with at least %" PRIu64 " genes",
                           o->rna ? " x types" : "", o->min_targets));
end:
    return rc;
}

/* ---- edges ---- */

enum { NES, KIND, N_MODULES, N_MOTIFS, MOTIF, N_EVIDENCE };
static const char *const evidence[N_EVIDENCE] = { "nes", "kind", "n_modules", "n_motifs", "motif" };
enum { N_COPIED = 4 };
static const char *const copied[N_COPIED] = { "importance_tg", "rho_tg", "rho_sp_tg", "fdr_tg" };

static grn_status make_edges(build_t *b, grn_edges_t *e)
{
    grn_status rc = GRN_OK;
    const grn_prune_t *p = b->p;
    const float *from[N_COPIED];
    float *to[N_COPIED] = { 0 }, *ev[N_EVIDENCE];
    grn_str_t name = { 0 };
    GRN_TRY(grn_edges_alloc(e, b->n_pick, "tf,gene,regulon,context,sign,weight"));
    GRN_TRY(grn_names_dup(&e->genes, &p->e.genes));
    GRN_TRY(grn_names_dup(&e->contexts, &b->types.types));
    for (int c = 0; c < N_COPIED; c++)
        if ((from[c] = grn_edges_find_evidence(&p->e, copied[c]))) GRN_TRY(grn_edges_evidence(e, copied[c], &to[c]));
    for (int c = 0; c < N_EVIDENCE; c++) GRN_TRY(grn_edges_evidence(e, evidence[c], &ev[c]));
    for (size_t i = 0; i < b->n_pick; i++) {
        const edge_t *x = &b->v[b->pick[i]];
        size_t regulon;
        name.n = 0;
        GRN_TRY(grn_str_printf(&name, "%s(%c)", grn_names_get(&p->e.genes, x->tf), x->sign < 0 ? '-' : '+'));
        GRN_TRY(grn_names_add(&e->regulons, name.s, &regulon, NULL));
        e->tf[i] = x->tf;
        e->gene[i] = x->gene;
        e->regulon[i] = (uint32_t)regulon;
        e->context[i] = b->type[i];
        e->sign[i] = x->sign;
        e->weight[i] = x->row == NONE || x->gene == x->tf ? 1 : p->importance[x->row];
        for (int c = 0; c < N_COPIED; c++)
            if (from[c] && x->row != NONE) to[c][i] = from[c][x->row];
        ev[NES][i] = (float)x->nes;
        ev[KIND][i] = x->kind;
        ev[N_MODULES][i] = x->n_modules;
        ev[N_MOTIFS][i] = (float)x->n_motifs;
        ev[MOTIF][i] = (float)x->motif + 1;
    }
    GRN_TRY(grn_edges_sort(e));
end:
    grn_str_clear(&name);
    return rc;
}

grn_status grn_prune_save(grn_prune_t *p)
{
    grn_status rc = GRN_OK;
    build_t b = { .p = p };
    grn_edges_t e = { 0 };
    char *names = NULL;
    size_t n;
    GRN_TRY(sort_motifs(&b));
    GRN_TRY(merge(&b));
    GRN_TRY(pick_edges(&b));
    GRN_TRY(make_edges(&b, &e));
    GRN_TRY(grn_names_join(&b.motifs, &names, &n));
    const char *json = grn_funnel_json(&p->funnel);
    const char *const meta[] = { "kind", "regulons_pruned", "funnel", json ? json : "[]", "motifs", names, NULL };
    GRN_TRY(grn_edges_save(&e, p->opt->out, meta, grn_common.pool));
    grn_log_info("%zu regulons in %zu cell types, %zu edges", e.regulons.n, e.contexts.n, e.n);
    if (e.n == 0)
        rc = grn_err(GRN_EEMPTY, "%s; '%s' holds the funnel and no edge", *p->why ? p->why : "no regulon passed", p->opt->out);
end:
    free(names);
    grn_edges_clear(&e);
    build_clear(&b);
    return rc;
}

/* ---- the table ---- */

static grn_status put_kinds(grn_out_t *o, uint8_t kind)
{
    static const char *const word[] = { "direct", "similar", "orthology", "both" };
    grn_status rc = GRN_OK;
    int n = 0;
    GRN_TRY(grn_out_puts(o, kind ? "\t" : "\t."));
    for (int k = 0; k < 4; k++)
        if (kind >> k & 1) GRN_TRY(grn_out_printf(o, "%s%s", n++ ? "," : "", word[k]));
end:
    return rc;
}

static grn_status put_row(const grn_prune_t *p, const grn_pruned_t *x, grn_out_t *o)
{
    grn_status rc = GRN_OK;
    const grn_module_t *m = &p->modules.v[x->module];
    char nes[32], auc[32];
    GRN_TRY(grn_out_printf(o, "%s\t%c\t%s\t%s\t%" PRIu64 "\t%" PRIu32 "\t%s\t%s\t%s", grn_names_get(&p->e.genes, m->tf),
                           m->sign < 0 ? '-' : '+', p->opt->modules.way[m->way].name, p->opt->ranks[x->db],
                           p->modules.off[x->module + 1] - p->modules.off[x->module], p->n_mapped[x->db * p->modules.n + x->module],
                           grn_names_get(&p->motifs, x->motif), grn_fmt_f64(nes, x->nes), grn_fmt_f64(auc, x->auc)));
    GRN_TRY(put_kinds(o, x->kind));
    if (!x->kind) return grn_out_puts(o, "\tNA\tNA\t.\n");
    GRN_TRY(grn_out_printf(o, "\t%" PRIu32 "\t%zu\t%s", x->rank_at_max, x->n_gene, x->n_gene ? "" : "."));
    for (size_t i = 0; i < x->n_gene; i++) GRN_TRY(grn_out_printf(o, "%s%s", i ? "," : "", grn_names_get(&p->e.genes, x->gene[i])));
    GRN_TRY(grn_out_puts(o, "\n"));
end:
    return rc;
}

grn_status grn_prune_write_table(const grn_prune_t *p)
{
    grn_status rc = GRN_OK;
    grn_out_t *o = NULL;
    GRN_TRY(grn_out_open(&o, p->opt->enriched, 0));
    GRN_TRY(grn_prov_text(o));
    GRN_TRY(grn_out_puts(o, "tf\tsign\tmodule\tdatabase\tn_genes\tn_mapped\tmotif\tnes\tauc\tkinds\trank_at_max\tn_edge\tgenes\n"));
    for (size_t k = 0; k < p->n; k++) GRN_TRY(put_row(p, &p->v[k], o));
    rc = grn_out_commit(o);
    o = NULL;
end:
    grn_out_abort(o);
    return rc;
}
