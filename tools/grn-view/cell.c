/* The network of one cell: the edges of its context whose regulon is on in it. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "grn-view/view.h"
#include "io/chrom.h"

/* on[r] = 1 for regulons of the edges that are on in the cell. */
static grn_status mark_on(const grn_activity_t *a, size_t cell, const grn_edges_t *e, uint8_t *on,
                          size_t *n_on)
{
    size_t known = 0;
    *n_on = 0;
    for (size_t r = 0; r < e->regulons.n; r++) {
        size_t k = grn_names_find(&a->regulons, grn_names_get(&e->regulons, r));
        if (k == GRN_NAMES_NONE) continue;
        known++;
        on[r] = (uint8_t)grn_activity_get(a, cell, k);
        *n_on += on[r];
    }
    return known ? GRN_OK
                 : grn_err(GRN_ESHAPE, "none of the %zu regulons of '%s' is in '%s'", e->regulons.n,
                           view_opt.edges, view_opt.active);
}

/* The context of the edges for this cell: --context, or the cell's group in the activity file.
 * SIZE_MAX: the edges have none. */
static grn_status context_of(const grn_activity_t *a, size_t cell, const grn_edges_t *e,
                             size_t *context)
{
    const char *name =
        view_opt.context.n ? view_opt.context.v[0] : grn_names_get(&a->contexts, a->context[cell]);
    char there[512];
    *context = SIZE_MAX;
    if (!e->context) return GRN_OK;
    *context = grn_names_find(&e->contexts, name);
    if (*context == GRN_NAMES_NONE)
        return grn_err(GRN_EEMPTY,
                       "'%s' has no edges of context '%s' (that of cell '%s'); it has %s; "
                       "--context chooses one",
                       view_opt.edges, name, grn_names_get(&a->cells, cell),
                       grn_names_show(&e->contexts, 6, there, sizeof there));
    return GRN_OK;
}

grn_status view_cell(const char *barcode)
{
    grn_status rc = GRN_OK;
    grn_activity_t a = { 0 };
    grn_edges_t e = { 0 }, mine = { 0 };
    uint8_t *on = NULL;
    size_t *pick = NULL, n = 0, n_on, context;
    char there[512];
    if (!view_opt.active || !view_opt.edges)
        GRN_FAIL(GRN_EUSAGE, "the network of a cell needs --active and --edges");
    GRN_TRY(grn_activity_load(view_opt.active, grn_common.pool, &a));
    GRN_TRY(grn_edges_load(view_opt.edges, grn_common.pool, &e));
    size_t cell = grn_names_find(&a.cells, barcode);
    if (cell == GRN_NAMES_NONE)
        GRN_FAIL(GRN_EINVAL, "'%s' has no cell '%s'; it has %s", view_opt.active, barcode,
                 grn_names_show(&a.cells, 3, there, sizeof there));
    if (!e.regulon) GRN_FAIL(GRN_EINVAL, "'%s' has no regulon column", view_opt.edges);
    GRN_TRY(GRN_NEW(on, e.regulons.n));
    GRN_TRY(mark_on(&a, cell, &e, on, &n_on));
    GRN_TRY(context_of(&a, cell, &e, &context));
    GRN_TRY(GRN_NEW_RAW(pick, e.n));
    for (size_t i = 0; i < e.n; i++)
        if (on[e.regulon[i]] && (context == SIZE_MAX || e.context[i] == context)) pick[n++] = i;
    grn_log_info("cell '%s': %zu regulons on, %zu of %zu edges", barcode, n_on, n, e.n);
    if (n == 0)
        GRN_FAIL(GRN_EEMPTY, "no edge of '%s' is active in cell '%s' (%zu regulons on)",
                 view_opt.edges, barcode, n_on);
    GRN_TRY(grn_edges_pick(&e, pick, n, &mine));
    rc = view_write_edges(&mine, view_opt.edges, "tsv");
end:
    free(on);
    free(pick);
    grn_activity_clear(&a);
    grn_edges_clear(&e);
    grn_edges_clear(&mine);
    return rc;
}
