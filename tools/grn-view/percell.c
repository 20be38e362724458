#include "grn-view/percell.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "io/chrom.h"

static grn_status map_regulons(percell_t *p)
{
    grn_status rc = GRN_OK;
    const grn_names_t *d = &p->e.regulons;
    size_t known = 0;
    char there[256], have[256];
    GRN_TRY(GRN_NEW_RAW(p->regulon, d->n));
    for (size_t r = 0; r < d->n; r++) {
        size_t k = grn_names_find(&p->a->regulons, grn_names_get(d, r));
        p->regulon[r] = k == GRN_NAMES_NONE ? PERCELL_NONE : (uint32_t)k;
        known += k != GRN_NAMES_NONE;
    }
    if (!known)
        GRN_FAIL(GRN_ESHAPE, "none of the %zu regulons of '%s' is in '%s'; first names: %s vs %s", d->n, p->edges_path, p->active_path,
                 grn_names_show(d, 2, there, sizeof there), grn_names_show(&p->a->regulons, 2, have, sizeof have));
    if (known < d->n)
        grn_log_warn("%zu of the %zu regulons of '%s' are not in '%s': on in no cell", d->n - known, d->n, p->edges_path,
                     p->active_path);
end:
    return rc;
}

/* one_by_one: who has none is told when a cell of it is asked for. */
static grn_status map_contexts(percell_t *p, const char *forced, int one_by_one)
{
    grn_status rc = GRN_OK;
    const grn_names_t *d = &p->a->contexts;
    size_t known = 0;
    char there[512], have[512];
    p->n_groups = p->e.context ? p->e.contexts.n : 1;
    GRN_TRY(GRN_NEW(p->context, d->n));
    for (size_t c = 0; p->e.context && c < d->n; c++) {
        size_t k = grn_names_find(&p->e.contexts, forced ? forced : grn_names_get(d, c));
        p->context[c] = k == GRN_NAMES_NONE ? PERCELL_NONE : (uint32_t)k;
        known += k != GRN_NAMES_NONE;
    }
    if (p->e.context && !known && (forced || !one_by_one))
        GRN_FAIL(GRN_EEMPTY, "'%s' has no edges of context %s%s%s; it has %s", p->edges_path, forced ? "'" : "",
                 forced ? forced : grn_names_show(d, 6, have, sizeof have), forced ? "'" : "",
                 grn_names_show(&p->e.contexts, 6, there, sizeof there));
end:
    return rc;
}

grn_status percell_no_context(const percell_t *p, const char *cell, uint32_t context)
{
    char there[512];
    return grn_err(GRN_EEMPTY, "'%s' has no edges of context '%s' (that of cell '%s'); it has %s; --context chooses one", p->edges_path,
                   grn_names_get(&p->a->contexts, context), cell, grn_names_show(&p->e.contexts, 6, there, sizeof there));
}

/* Rows that pass, by context. */
static grn_status group_rows(percell_t *p, const view_mask_t *mask)
{
    grn_status rc = GRN_OK;
    const grn_edges_t *e = &p->e;
    size_t *pick = NULL, *at = NULL, n = 0, passed;
    GRN_TRY(GRN_NEW_RAW(pick, e->n));
    passed = view_mask_pick(mask, e, pick);
    for (size_t k = 0; k < passed; k++)
        if (p->regulon[e->regulon[pick[k]]] != PERCELL_NONE) pick[n++] = pick[k];
    if (!passed) GRN_FAIL(GRN_EEMPTY, "no edge of '%s' (%zu) passes all the filters together", p->edges_path, e->n);
    if (!n)
        GRN_FAIL(GRN_EEMPTY, "the %zu edges of '%s' that pass are of regulons that '%s' lacks", passed, p->edges_path, p->active_path);
    GRN_TRY(GRN_NEW(p->begin, p->n_groups + 1));
    GRN_TRY(GRN_NEW_RAW(p->row, n));
    GRN_TRY(GRN_NEW(at, p->n_groups));
    for (size_t k = 0; k < n; k++) p->begin[(e->context ? e->context[pick[k]] : 0) + 1]++;
    for (size_t g = 0; g < p->n_groups; g++) p->begin[g + 1] += p->begin[g];
    memcpy(at, p->begin, p->n_groups * sizeof *at);
    for (size_t k = 0; k < n; k++) p->row[at[e->context ? e->context[pick[k]] : 0]++] = pick[k];
end:
    free(pick);
    free(at);
    return rc;
}

grn_status percell_open(percell_t *p, int is_forced, const char *columns)
{
    grn_status rc = GRN_OK;
    view_sel_t sel = { 0 };
    view_mask_t mask = { 0 };
    grn_str_t want = { 0 };
    size_t n_where;
    memset(p, 0, sizeof *p);
    p->active_path = view_opt.active;
    p->edges_path = view_opt.edges;
    if (!p->active_path || !p->edges_path) GRN_FAIL(GRN_EUSAGE, "the networks of cells need --active and --edges");
    GRN_TRY(view_sel_load(&sel));
    if (is_forced && view_opt.context.n > 1) GRN_FAIL(GRN_EUSAGE, "a cell takes the edges of one --context");
    if (is_forced) sel.context.given = 0;
    GRN_TRY(grn_str_printf(&want, "context,regulon,%s%s%s%s", columns, sel.tf.given ? ",tf" : "", sel.gene.given ? ",gene" : "",
                           sel.region.given ? ",region" : ""));
    GRN_TRY(grn_ar_open(&p->active, p->active_path, grn_common.pool));
    p->a = grn_ar_info(p->active);
    GRN_TRY(grn_er_open(&p->edges, p->edges_path, grn_common.pool));
    GRN_TRY(grn_er_columns(p->edges, want.s, &p->e));
    if (!p->e.regulon) GRN_FAIL(GRN_EINVAL, "'%s' has no regulon column", p->edges_path);
    GRN_TRY(map_regulons(p));
    GRN_TRY(map_contexts(p, is_forced && view_opt.context.n ? view_opt.context.v[0] : NULL, is_forced));
    n_where = sel.n_where; /* of cells, not of edges */
    sel.n_where = 0;
    rc = view_mask_open(&mask, &sel, &p->e, p->edges_path);
    sel.n_where = n_where;
    GRN_TRY(rc);
    rc = group_rows(p, &mask);
end:
    view_mask_close(&mask);
    view_sel_clear(&sel);
    grn_str_clear(&want);
    return rc;
}

void percell_close(percell_t *p)
{
    grn_ar_close(p->active);
    grn_er_close(p->edges);
    grn_edges_clear(&p->e);
    free(p->regulon);
    free(p->context);
    free(p->begin);
    free(p->row);
    memset(p, 0, sizeof *p);
}
