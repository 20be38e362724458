/* Edges to text: TSV, SIF, GraphML, SCENIC adjacencies, SCENIC+ eRegulons, GMT. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "grn-view/view.h"
#include "io/gmt.h"
#include "io/prov.h"

static grn_status put_f32(grn_out_t *o, float x)
{
    char buf[32];
    return isnan(x) ? GRN_OK
                    : grn_out_puts(o, grn_fmt_f32(buf, x)); /* not available: an empty field */
}

/* ---- TSV ---- */

grn_status view_edges_head(grn_out_t *o, const grn_edges_t *e)
{
    grn_status rc = GRN_OK;
    const struct {
        const void *there;
        const char *name;
    } col[] = { { e->context, "context" }, { e->regulon, "regulon" }, { e->tf, "tf" },
                { e->region, "region" },   { e->gene, "gene" },       { e->sign, "sign" },
                { e->weight, "weight" } };
    const char *sep = "";
    for (size_t k = 0; k < sizeof col / sizeof *col; k++) {
        if (!col[k].there) continue;
        GRN_TRY(grn_out_printf(o, "%s%s", sep, col[k].name));
        sep = "\t";
    }
    for (size_t k = 0; k < e->n_ev; k++) {
        GRN_TRY(grn_out_printf(o, "%s%s", sep, e->ev[k].name));
        sep = "\t";
    }
    rc = grn_out_puts(o, "\n");
end:
    return rc;
}

grn_status view_edges_row(grn_out_t *o, const grn_edges_t *e, size_t i)
{
    grn_status rc = GRN_OK;
    const char *name[5] = { e->context ? grn_names_get(&e->contexts, e->context[i]) : NULL,
                            e->regulon ? grn_names_get(&e->regulons, e->regulon[i]) : NULL,
                            e->tf ? grn_names_get(&e->genes, e->tf[i]) : NULL,
                            e->region ? grn_names_get(&e->regions, e->region[i]) : NULL,
                            e->gene ? grn_names_get(&e->genes, e->gene[i]) : NULL };
    const char *sep = "";
    for (int k = 0; k < 5; k++) {
        if (!name[k]) continue;
        GRN_TRY(grn_out_puts(o, sep));
        GRN_TRY(grn_out_puts(o, name[k]));
        sep = "\t";
    }
    if (e->sign) {
        GRN_TRY(grn_out_printf(o, "%s%d", sep, e->sign[i]));
        sep = "\t";
    }
    if (e->weight) {
        GRN_TRY(grn_out_puts(o, sep));
        GRN_TRY(put_f32(o, e->weight[i]));
        sep = "\t";
    }
    for (size_t k = 0; k < e->n_ev; k++) {
        GRN_TRY(grn_out_puts(o, sep));
        GRN_TRY(put_f32(o, e->ev[k].v[i]));
        sep = "\t";
    }
    rc = grn_out_puts(o, "\n");
end:
    return rc;
}

static grn_status write_tsv(grn_out_t *o, const grn_edges_t *e)
{
    grn_status rc = view_edges_head(o, e);
    for (size_t i = 0; i < e->n && !rc; i++) rc = view_edges_row(o, e, i);
    return rc;
}

/* ---- TF -> gene pairs: one row per pair, over contexts, regulons and regions ---- */

typedef struct {
    uint32_t tf, gene;
    int8_t sign; /* 0 when rows disagree */
    float value; /* largest */
} pair_t;

static int by_pair(const void *a, const void *b)
{
    const pair_t *x = a, *y = b;
    if (x->tf != y->tf) return x->tf < y->tf ? -1 : 1;
    if (x->gene != y->gene) return x->gene < y->gene ? -1 : 1;
    return (x->sign > y->sign) - (x->sign < y->sign);
}

/* value NULL: 1. NaN counts as 0. Edges are in name order, so pairs are too. */
static grn_status pairs_of(const grn_edges_t *e, const float *value, pair_t **out, size_t *n)
{
    pair_t *p;
    size_t m = 0;
    *out = NULL;
    *n = 0;
    if (!e->tf || !e->gene)
        return grn_err(GRN_EINVAL, "the edges have no TF or no gene column; this form needs both");
    if (GRN_NEW(p, e->n)) return GRN_ENOMEM;
    for (size_t i = 0; i < e->n; i++)
        p[i] = (pair_t){ e->tf[i], e->gene[i], e->sign ? e->sign[i] : 0,
                         value ? (isnan(value[i]) ? 0 : value[i]) : 1 };
    if (e->n) qsort(p, e->n, sizeof *p, by_pair);
    for (size_t i = 0; i < e->n; i++) {
        if (m && p[m - 1].tf == p[i].tf && p[m - 1].gene == p[i].gene) {
            if (p[m - 1].sign != p[i].sign) p[m - 1].sign = 0;
            if (p[i].value > p[m - 1].value) p[m - 1].value = p[i].value;
        } else {
            p[m++] = p[i];
        }
    }
    *out = p;
    *n = m;
    return GRN_OK;
}

static grn_status write_sif(grn_out_t *o, const grn_edges_t *e)
{
    static const char *const word[] = { "represses", "regulates", "activates" };
    pair_t *p;
    size_t n;
    grn_status rc = pairs_of(e, NULL, &p, &n);
    for (size_t i = 0; i < n && !rc; i++)
        rc = grn_out_printf(o, "%s\t%s\t%s\n", grn_names_get(&e->genes, p[i].tf),
                            word[p[i].sign + 1], grn_names_get(&e->genes, p[i].gene));
    free(p);
    return rc;
}

static int by_value(const void *a, const void *b)
{
    const pair_t *x = a, *y = b;
    return x->value != y->value ? (x->value < y->value) - (x->value > y->value) : by_pair(a, b);
}

/* The table of GRNBoost2 and pySCENIC: TF, target, importance, largest first. Importance: that of
 * the TF -> gene link, else the weight. */
static grn_status write_adjacencies(grn_out_t *o, const grn_edges_t *e)
{
    grn_status rc;
    pair_t *p = NULL;
    size_t n;
    char buf[32];
    const float *v = grn_edges_find_evidence(e, "importance_tg");
    if (!v) v = grn_edges_find_evidence(e, "importance");
    if (!v) v = e->weight;
    if (!v)
        grn_log_warn("the edges have neither importance nor weight: importance is 1 throughout");
    GRN_TRY(pairs_of(e, v, &p, &n));
    if (n) qsort(p, n, sizeof *p, by_value);
    GRN_TRY(grn_out_puts(o, "TF\ttarget\timportance\n"));
    for (size_t i = 0; i < n; i++)
        GRN_TRY(grn_out_printf(o, "%s\t%s\t%s\n", grn_names_get(&e->genes, p[i].tf),
                               grn_names_get(&e->genes, p[i].gene), grn_fmt_f32(buf, p[i].value)));
end:
    free(p);
    return rc;
}

/* ---- gene sets ---- */

/* Distinct (set, x) pairs as sorted 64-bit keys. */
static int by_key(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static grn_status distinct(const uint32_t *set, const uint32_t *x, size_t n, uint64_t **out,
                           size_t *m)
{
    uint64_t *k;
    *m = 0;
    if (GRN_NEW_RAW(k, n)) return GRN_ENOMEM;
    for (size_t i = 0; i < n; i++) k[i] = (uint64_t)set[i] << 32 | x[i];
    if (n) qsort(k, n, sizeof *k, by_key);
    for (size_t i = 0; i < n; i++)
        if (*m == 0 || k[*m - 1] != k[i]) k[(*m)++] = k[i];
    *out = k;
    return GRN_OK;
}

static grn_status write_gmt(grn_out_t *o, const grn_edges_t *e)
{
    grn_status rc = GRN_OK;
    const grn_names_t *sets = e->regulon ? &e->regulons : &e->genes;
    const uint32_t *set = e->regulon ? e->regulon : e->tf;
    uint64_t *k = NULL;
    uint32_t *tf = NULL;
    size_t m;
    if (!set || !e->gene)
        GRN_FAIL(GRN_EINVAL, "the edges have no regulons or TFs to make gene sets of");
    GRN_TRY(distinct(set, e->gene, e->n, &k, &m));
    GRN_TRY(GRN_NEW_RAW(tf, sets->n));
    memset(tf, 0xff, sets->n * sizeof *tf);
    for (size_t i = 0; e->tf && i < e->n; i++) tf[set[i]] = e->tf[i];
    for (size_t i = 0; i < m;) {
        uint32_t s = (uint32_t)(k[i] >> 32);
        GRN_TRY(grn_out_printf(o, "%s\t%s", grn_names_get(sets, s),
                               tf[s] == UINT32_MAX ? "NA" : grn_names_get(&e->genes, tf[s])));
        for (; i < m && k[i] >> 32 == s; i++)
            GRN_TRY(grn_out_printf(o, "\t%s", grn_names_get(&e->genes, (uint32_t)k[i])));
        GRN_TRY(grn_out_puts(o, "\n"));
    }
end:
    free(k);
    free(tf);
    return rc;
}

/* ---- SCENIC+ eRegulons ---- */

/* Distinct partners of each regulon. */
static grn_status count_partners(const grn_edges_t *e, const uint32_t *x, uint32_t **n_of)
{
    uint64_t *k;
    size_t m;
    if (GRN_NEW(*n_of, e->regulons.n)) return GRN_ENOMEM;
    if (distinct(e->regulon, x, e->n, &k, &m)) return GRN_ENOMEM;
    for (size_t i = 0; i < m; i++) (*n_of)[k[i] >> 32]++;
    free(k);
    return GRN_OK;
}

static int same_triplet(const grn_edges_t *e, size_t a, size_t b)
{
    return e->regulon[a] == e->regulon[b] && e->tf[a] == e->tf[b] && e->region[a] == e->region[b] &&
           e->gene[a] == e->gene[b];
}

static int by_triplet(const void *pa, const void *pb, void *ctx)
{
    const grn_edges_t *e = ctx;
    size_t a = *(const size_t *)pa, b = *(const size_t *)pb;
    if (e->regulon[a] != e->regulon[b]) return e->regulon[a] < e->regulon[b] ? -1 : 1;
    if (e->tf[a] != e->tf[b]) return e->tf[a] < e->tf[b] ? -1 : 1;
    if (e->region[a] != e->region[b]) return e->region[a] < e->region[b] ? -1 : 1;
    if (e->gene[a] != e->gene[b]) return e->gene[a] < e->gene[b] ? -1 : 1;
    return a < b ? -1 : 1;
}

static grn_status eregulon_row(grn_out_t *o, const grn_edges_t *e, size_t i, uint32_t n_genes,
                               uint32_t n_regions)
{
    grn_status rc = GRN_OK;
    static const char *const rg[2] = { "importance_rg", "rho_rg" }, *const tg[2] = {
        "importance_tg", "rho_tg"
    };
    const float *imp = grn_edges_find_evidence(e, rg[0]), *rho = grn_edges_find_evidence(e, rg[1]);
    const float *imp_tg = grn_edges_find_evidence(e, tg[0]),
                *rho_tg = grn_edges_find_evidence(e, tg[1]);
    const float *rank = grn_edges_find_evidence(e, "triplet_rank");
    const char *name = grn_names_get(&e->regulons, e->regulon[i]);
    float x = imp && rho ? imp[i] * rho[i] : NAN, r = rho_tg ? rho_tg[i] : NAN;
    const float left[4] = { imp ? imp[i] : NAN, rho ? rho[i] : NAN, x,
                            imp && rho ? imp[i] * fabsf(rho[i]) : NAN };
    const float right[4] = { imp_tg ? imp_tg[i] : NAN,
                             isnan(r) ? (e->sign ? e->sign[i] : NAN) : (float)((r > 0) - (r < 0)),
                             r, rank ? rank[i] : NAN };
    GRN_TRY(grn_out_printf(o, "%s\t%s", grn_names_get(&e->regions, e->region[i]),
                           grn_names_get(&e->genes, e->gene[i])));
    for (int k = 0; k < 4; k++) {
        GRN_TRY(grn_out_puts(o, "\t"));
        GRN_TRY(put_f32(o, left[k]));
    }
    GRN_TRY(grn_out_printf(o, "\t%s\t%s\t%s\t%s_(%ug)\t%s_(%ur)",
                           grn_names_get(&e->genes, e->tf[i]), strstr(name, "_extended_") ? "True" : "False",
                           name, name, n_genes, name, n_regions));
    for (int k = 0; k < 4; k++) {
        GRN_TRY(grn_out_puts(o, "\t"));
        GRN_TRY(put_f32(o, right[k]));
    }
    rc = grn_out_puts(o, "\n");
end:
    return rc;
}

/* SCENIC+ knows no contexts: a triplet found in several is written once, with the evidence of the
 * first. */
static grn_status write_eregulons(grn_out_t *o, const grn_edges_t *e)
{
    grn_status rc = GRN_OK;
    uint32_t *n_genes = NULL, *n_regions = NULL;
    size_t *order = NULL;
    if (!e->regulon || !e->tf || !e->region || !e->gene)
        GRN_FAIL(GRN_EINVAL, "eRegulons need regulon, TF, region and gene columns; networks "
                             "without regions can be written as adj, sif, gmt or tsv");
    GRN_TRY(count_partners(e, e->gene, &n_genes));
    GRN_TRY(count_partners(e, e->region, &n_regions));
    GRN_TRY(GRN_NEW_RAW(order, e->n));
    for (size_t i = 0; i < e->n; i++) order[i] = i;
    if (e->n) qsort_r(order, e->n, sizeof *order, by_triplet, (void *)e);
    GRN_TRY(grn_out_puts(o, "Region\tGene\timportance_R2G\trho_R2G\timportance_x_rho\timportance_x_"
                            "abs_rho\tTF\tis_extended\teRegulon_name\t"
                            "Gene_signature_name\tRegion_signature_name\timportance_"
                            "TF2G\tregulation\trho_TF2G\ttriplet_rank\n"));
    for (size_t k = 0; k < e->n; k++) {
        size_t i = order[k];
        if (k && same_triplet(e, order[k - 1], i)) continue;
        GRN_TRY(eregulon_row(o, e, i, n_genes[e->regulon[i]], n_regions[e->regulon[i]]));
    }
end:
    free(n_genes);
    free(n_regions);
    free(order);
    return rc;
}

/* ---- GraphML ---- */

static grn_status put_xml(grn_out_t *o, const char *s)
{
    grn_status rc = GRN_OK;
    for (; *s && !rc; s++)
        rc = *s == '&'                ? grn_out_puts(o, "&amp;")
             : *s == '<'              ? grn_out_puts(o, "&lt;")
             : *s == '>'              ? grn_out_puts(o, "&gt;")
             : *s == '"'              ? grn_out_puts(o, "&quot;")
             : (unsigned char)*s < 32 ? grn_out_puts(o, " ")
                                      : grn_out_write(o, s, 1);
    return rc;
}

static grn_status put_data(grn_out_t *o, const char *key, const char *value)
{
    grn_status rc = grn_out_printf(o, "<data key=\"%s\">", key);
    if (!rc) rc = put_xml(o, value);
    return rc ? rc : grn_out_puts(o, "</data>");
}

static grn_status graphml_keys(grn_out_t *o, const grn_edges_t *e)
{
    grn_status rc = GRN_OK;
    const struct {
        const void *there;
        const char *id, *type;
    } key[] = { { e->context, "context", "string" },
                { e->regulon, "regulon", "string" },
                { e->region, "region", "string" },
                { e->sign, "sign", "int" },
                { e->weight, "weight", "float" } };
    GRN_TRY(grn_out_puts(
        o, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<graphml "
           "xmlns=\"http://graphml.graphdrawing.org/xmlns\">\n"
           "<key id=\"is_tf\" for=\"node\" attr.name=\"is_tf\" attr.type=\"boolean\"/>\n"));
    for (size_t k = 0; k < sizeof key / sizeof *key; k++)
        if (key[k].there)
            GRN_TRY(
                grn_out_printf(o,
                               "<key id=\"%s\" for=\"edge\" attr.name=\"%s\" attr.type=\"%s\"/>\n",
                               key[k].id, key[k].id, key[k].type));
    for (size_t k = 0; k < e->n_ev; k++) {
        GRN_TRY(grn_out_printf(o, "<key id=\"e%zu\" for=\"edge\" attr.name=\"", k));
        GRN_TRY(put_xml(o, e->ev[k].name));
        GRN_TRY(grn_out_puts(o, "\" attr.type=\"float\"/>\n"));
    }
end:
    return rc;
}

static grn_status graphml_edge(grn_out_t *o, const grn_edges_t *e, size_t i)
{
    grn_status rc = GRN_OK;
    char buf[32], key[32];
    GRN_TRY(grn_out_puts(o, "<edge source=\""));
    GRN_TRY(put_xml(o, grn_names_get(&e->genes, e->tf[i])));
    GRN_TRY(grn_out_puts(o, "\" target=\""));
    GRN_TRY(put_xml(o, grn_names_get(&e->genes, e->gene[i])));
    GRN_TRY(grn_out_puts(o, "\">"));
    if (e->context) GRN_TRY(put_data(o, "context", grn_names_get(&e->contexts, e->context[i])));
    if (e->regulon) GRN_TRY(put_data(o, "regulon", grn_names_get(&e->regulons, e->regulon[i])));
    if (e->region) GRN_TRY(put_data(o, "region", grn_names_get(&e->regions, e->region[i])));
    if (e->sign) GRN_TRY(grn_out_printf(o, "<data key=\"sign\">%d</data>", e->sign[i]));
    if (e->weight) GRN_TRY(put_data(o, "weight", grn_fmt_f32(buf, e->weight[i])));
    for (size_t k = 0; k < e->n_ev; k++) {
        if (isnan(e->ev[k].v[i])) continue;
        snprintf(key, sizeof key, "e%zu", k);
        GRN_TRY(put_data(o, key, grn_fmt_f32(buf, e->ev[k].v[i])));
    }
    rc = grn_out_puts(o, "</edge>\n");
end:
    return rc;
}

static grn_status write_graphml(grn_out_t *o, const grn_edges_t *e)
{
    grn_status rc = GRN_OK;
    uint8_t *role = NULL; /* 1 node, 2 TF */
    if (!e->tf || !e->gene)
        GRN_FAIL(GRN_EINVAL, "the edges have no TF or no gene column; a graph needs both");
    GRN_TRY(GRN_NEW(role, e->genes.n));
    for (size_t i = 0; i < e->n; i++) role[e->gene[i]] |= 1, role[e->tf[i]] |= 2;
    GRN_TRY(graphml_keys(o, e));
    GRN_TRY(grn_out_puts(o, "<graph edgedefault=\"directed\">\n"));
    for (size_t g = 0; g < e->genes.n; g++) {
        if (!role[g]) continue;
        GRN_TRY(grn_out_puts(o, "<node id=\""));
        GRN_TRY(put_xml(o, grn_names_get(&e->genes, g)));
        GRN_TRY(grn_out_printf(o, "\"><data key=\"is_tf\">%s</data></node>\n",
                               role[g] & 2 ? "true" : "false"));
    }
    for (size_t i = 0; i < e->n; i++) GRN_TRY(graphml_edge(o, e, i));
    rc = grn_out_puts(o, "</graph>\n</graphml>\n");
end:
    free(role);
    return rc;
}

/* ---- choice ---- */

grn_status view_write_edges(grn_edges_t *e, const char *path, const char *dflt)
{
    static const struct {
        const char *word;
        grn_status (*write)(grn_out_t *, const grn_edges_t *);
    } form[] = { { "tsv", write_tsv },
                 { "sif", write_sif },
                 { "graphml", write_graphml },
                 { "adj", write_adjacencies },
                 { "eregulon", write_eregulons },
                 { "gmt", write_gmt } };
    grn_status rc = GRN_OK;
    grn_out_t *o = NULL;
    size_t k = 0, n = sizeof form / sizeof *form;
    if (e->n == 0) grn_log_warn("'%s': no edge is left", path);
    GRN_TRY(grn_edges_sort(e));
    if (view_format_is("zst", dflt)) return grn_edges_save(e, view_opt.out, NULL, grn_common.pool);
    while (k < n && !view_format_is(form[k].word, dflt)) k++;
    if (k == n)
        GRN_FAIL(
            GRN_EUSAGE,
            "edges cannot be written as %s; choose tsv, sif, graphml, adj, eregulon, gmt or zst",
            view_opt.format);
    GRN_TRY(grn_out_open(&o, view_opt.out, 0));
    if (view_opt.pg) GRN_TRY(grn_prov_text(o));
    GRN_TRY(form[k].write(o, e));
    rc = grn_out_commit(o);
    o = NULL;
end:
    grn_out_abort(o);
    return rc;
}
