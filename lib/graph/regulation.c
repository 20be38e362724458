#include "graph/regulation.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

typedef struct { /* one usable edge row */
    uint32_t context, regulon;
    grn_arc_t arc;
} link_t;

static int compare_links(const void *x, const void *y)
{
    const link_t *a = x, *b = y;
    if (a->context != b->context) return a->context < b->context ? -1 : 1;
    if (a->arc != b->arc) return a->arc < b->arc ? -1 : 1;
    return (a->regulon > b->regulon) - (a->regulon < b->regulon);
}

static const char *first_name(const grn_names_t *d)
{
    return d->n > 0 ? grn_names_get(d, 0) : "(none)";
}

/* Rows of e that lie in the universe, as links; counts what is dropped. */
static grn_status collect_links(const grn_edges_t *e, grn_regulation_t *r, link_t **links, size_t *n_links)
{
    grn_status rc = GRN_OK;
    uint32_t *to = NULL;
    size_t n = 0;
    *links = NULL;
    GRN_TRY(GRN_NEW_RAW(to, e->genes.n));
    GRN_TRY(GRN_NEW_RAW(*links, e->n));
    for (size_t g = 0; g < e->genes.n; g++) {
        size_t k = grn_names_find(&r->genes, grn_names_get(&e->genes, g));
        to[g] = k == GRN_NAMES_NONE ? UINT32_MAX : (uint32_t)k;
    }
    for (size_t i = 0; i < e->n; i++) {
        uint32_t u = to[e->tf[i]], v = to[e->gene[i]];
        if (u == UINT32_MAX || v == UINT32_MAX) {
            r->n_outside++;
        } else if (u == v) {
            r->n_self++;
        } else {
            (*links)[n++] = (link_t){ e->context ? e->context[i] : 0, e->regulon ? e->regulon[i] : 0, grn_arc(u, v) };
        }
    }
    if (n == 0) {
        GRN_FAIL(GRN_EEMPTY,
                 "none of the %zu edges joins two of the %zu genes; first names: '%s' in the edges, '%s' in the genes",
                 e->n, r->genes.n, first_name(&e->genes), first_name(&r->genes));
    }
    qsort(*links, n, sizeof **links, compare_links);
    *n_links = n;
end:
    free(to);
    return rc;
}

/* Sorted links -> arcs per context and regulons per arc. */
static grn_status fill_arcs(const link_t *links, size_t n, int has_regulon, grn_regulation_t *r)
{
    grn_status rc = GRN_OK;
    size_t n_arc = 0, n_reg = 0;
    GRN_TRY(GRN_NEW(r->context_off, r->contexts.n + 1));
    GRN_TRY(GRN_NEW_RAW(r->arc, n));
    GRN_TRY(GRN_NEW_RAW(r->regulon_off, n + 1));
    GRN_TRY(GRN_NEW_RAW(r->regulon, n));
    for (size_t i = 0; i < n; i++) {
        int new_arc = i == 0 || links[i].context != links[i - 1].context || links[i].arc != links[i - 1].arc;
        if (new_arc) {
            r->regulon_off[n_arc] = n_reg;
            r->arc[n_arc++] = links[i].arc;
            r->context_off[links[i].context + 1]++;
            r->is_tf[grn_arc_u(links[i].arc)] = 1;
        }
        if (has_regulon && (new_arc || links[i].regulon != links[i - 1].regulon)) r->regulon[n_reg++] = links[i].regulon;
    }
    r->regulon_off[n_arc] = n_reg;
    for (size_t c = 0; c < r->contexts.n; c++) r->context_off[c + 1] += r->context_off[c];
end:
    return rc;
}

grn_status grn_regulation_build(const grn_edges_t *e, const grn_names_t *genes, grn_regulation_t *r)
{
    grn_status rc = GRN_OK;
    link_t *links = NULL;
    size_t n = 0;
    *r = (grn_regulation_t){ 0 };
    if (!e->tf || !e->gene) GRN_FAIL(GRN_EINVAL, "the edges have no 'tf' and 'gene' columns");
    GRN_TRY(grn_names_dup(&r->genes, genes));
    GRN_TRY(GRN_NEW_RAW(r->gene_key, genes->n));
    GRN_TRY(GRN_NEW(r->is_tf, genes->n));
    for (size_t g = 0; g < genes->n; g++) r->gene_key[g] = grn_hash_str(grn_names_get(genes, g));
    if (e->context) GRN_TRY(grn_names_dup(&r->contexts, &e->contexts));
    else GRN_TRY(grn_names_add(&r->contexts, "all", NULL, NULL));
    if (e->regulon) GRN_TRY(grn_names_dup(&r->regulons, &e->regulons));
    GRN_TRY(collect_links(e, r, &links, &n));
    GRN_TRY(fill_arcs(links, n, e->regulon != NULL, r));
end:
    free(links);
    if (rc != GRN_OK) grn_regulation_clear(r);
    return rc;
}

void grn_regulation_clear(grn_regulation_t *r)
{
    grn_names_clear(&r->genes);
    grn_names_clear(&r->contexts);
    grn_names_clear(&r->regulons);
    free(r->gene_key);
    free(r->is_tf);
    free(r->context_off);
    free(r->arc);
    free(r->regulon_off);
    free(r->regulon);
    *r = (grn_regulation_t){ 0 };
}

const grn_arc_t *grn_regulation_type(const grn_regulation_t *r, uint32_t context, size_t *n)
{
    if (context == GRN_CONTEXT_NONE) {
        *n = 0;
        return r->arc;
    }
    *n = (size_t)(r->context_off[context + 1] - r->context_off[context]);
    return r->arc + r->context_off[context];
}

grn_status grn_regulation_cell(const grn_regulation_t *r, uint32_t context, const uint64_t *on, grn_arcs_t *out)
{
    size_t n;
    const grn_arc_t *arc = grn_regulation_type(r, context, &n);
    if (GRN_GROW(out->a, out->cap, n) != GRN_OK) return GRN_ENOMEM;
    out->n = 0;
    for (size_t i = 0; i < n; i++) {
        size_t k = (size_t)(arc - r->arc) + i;
        for (uint64_t j = r->regulon_off[k]; j < r->regulon_off[k + 1]; j++) {
            uint32_t g = r->regulon[j];
            if (on[g / 64] >> (g % 64) & 1) {
                out->a[out->n++] = arc[i];
                break;
            }
        }
    }
    return GRN_OK;
}

/* Context of every cell: by cell_type, else by the activity's context (row a_row[c] of it). */
static grn_status find_contexts(const grn_regulation_t *r, const grn_activity_t *a, const size_t *a_row,
                                const grn_matrix_t *m, grn_cell_masks_t *out)
{
    const grn_attr_t *type = grn_attr_find(&m->row_attr, "cell_type");
    size_t all = grn_names_find(&r->contexts, "all");
    if (type && !type->code) type = NULL;
    for (size_t c = 0; c < out->n; c++) {
        const char *name = NULL;
        size_t k = GRN_NAMES_NONE;
        if (type) name = type->code[c] >= 0 ? grn_names_get(&type->levels, (size_t)type->code[c]) : NULL;
        else if (a && a_row[c] != GRN_NAMES_NONE) name = grn_names_get(&a->contexts, a->context[a_row[c]]);
        if (name) k = grn_names_find(&r->contexts, name);
        if (k == GRN_NAMES_NONE) k = all;
        out->context[c] = k == GRN_NAMES_NONE ? GRN_CONTEXT_NONE : (uint32_t)k;
        out->n_no_context += k == GRN_NAMES_NONE;
    }
    if (out->n > 0 && out->n_no_context == out->n) {
        return grn_err(GRN_ESHAPE, "no cell has a context of the edges; first context '%s', first cell type '%s'%s",
                       first_name(&r->contexts), type ? first_name(&type->levels) : "(none)",
                       type ? "" : " (the counts have no cell types; give --cells or --cell-type)");
    }
    return GRN_OK;
}

/* Regulon of the activity -> regulon of the edges; GRN_ESHAPE when none is shared. */
static grn_status map_regulons(const grn_regulation_t *r, const grn_activity_t *a, uint32_t *to, size_t *n_missing)
{
    size_t n = 0;
    for (size_t k = 0; k < a->regulons.n; k++) {
        size_t j = grn_names_find(&r->regulons, grn_names_get(&a->regulons, k));
        to[k] = j == GRN_NAMES_NONE ? UINT32_MAX : (uint32_t)j;
        n += j != GRN_NAMES_NONE;
    }
    if (n == 0) {
        return grn_err(GRN_ESHAPE,
                       "no regulon of the activity is in the edges; first names: '%s' in the activity, '%s' in the edges",
                       first_name(&a->regulons), first_name(&r->regulons));
    }
    *n_missing = r->regulons.n - n;
    return GRN_OK;
}

static void copy_bits(const grn_activity_t *a, size_t row, const uint32_t *to, uint64_t *on)
{
    for (size_t w = 0; w < a->n_words; w++) {
        for (uint64_t bits = a->bits[row * a->n_words + w]; bits; bits &= bits - 1) {
            size_t k = w * 64 + (size_t)__builtin_ctzll(bits);
            if (k < a->regulons.n && to[k] != UINT32_MAX) on[to[k] / 64] |= (uint64_t)1 << (to[k] % 64);
        }
    }
}

grn_status grn_cell_masks_build(const grn_regulation_t *r, const grn_activity_t *a, const grn_matrix_t *m,
                                grn_cell_masks_t *out)
{
    grn_status rc = GRN_OK;
    size_t *a_row = NULL;
    uint32_t *to = NULL;
    *out = (grn_cell_masks_t){ .n = m->row.n, .n_words = (r->regulons.n + 63) / 64 };
    GRN_TRY(GRN_NEW_RAW(out->context, out->n));
    GRN_TRY(GRN_NEW(out->on, out->n * out->n_words));
    GRN_TRY(GRN_NEW_RAW(a_row, out->n));
    for (size_t c = 0; a && c < out->n; c++) {
        a_row[c] = grn_names_find(&a->cells, grn_names_get(&m->row, c));
        out->n_no_activity += a_row[c] == GRN_NAMES_NONE;
    }
    if (a && out->n > 0 && out->n_no_activity == out->n) {
        GRN_FAIL(GRN_ESHAPE,
                 "no cell of the counts is in the activity; first names: '%s' in the counts, '%s' in the activity",
                 first_name(&m->row), first_name(&a->cells));
    }
    GRN_TRY(find_contexts(r, a, a_row, m, out));
    if (a) {
        GRN_TRY(GRN_NEW_RAW(to, a->regulons.n));
        GRN_TRY(map_regulons(r, a, to, &out->n_no_regulon));
        for (size_t c = 0; c < out->n; c++) {
            if (a_row[c] != GRN_NAMES_NONE) copy_bits(a, a_row[c], to, out->on + c * out->n_words);
        }
    }
end:
    free(a_row);
    free(to);
    if (rc != GRN_OK) grn_cell_masks_clear(out);
    return rc;
}

void grn_cell_masks_clear(grn_cell_masks_t *c)
{
    free(c->context);
    free(c->on);
    *c = (grn_cell_masks_t){ 0 };
}
