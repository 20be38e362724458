#include "grn-threshold/groups.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void threshold_groups_clear(threshold_groups_t *g)
{
    grn_names_clear(&g->names);
    free(g->context);
    free(g->cell);
    free(g->place);
    free(g->off);
    memset(g, 0, sizeof *g);
}

/* Level -> context: levels with cells in name order; *no_label for missing ones. map (levels + 1), the last for missing. */
static grn_status name_contexts(const grn_attr_t *attr, uint64_t n_cells, threshold_groups_t *g, uint16_t *map)
{
    grn_status rc = GRN_OK;
    size_t n = attr->levels.n;
    uint64_t *count = NULL;
    uint32_t *order = NULL;
    size_t k;
    GRN_TRY(GRN_NEW(count, n + 1));
    GRN_TRY(GRN_NEW(order, n));
    GRN_TRY(grn_names_sort(&attr->levels, order));
    for (uint64_t c = 0; c < n_cells; c++) count[attr->code[c] < 0 ? n : (size_t)attr->code[c]]++;
    for (size_t i = 0; i < n; i++) {
        if (count[order[i]] == 0) continue;
        if (g->names.n >= UINT16_MAX) GRN_FAIL(GRN_EUNSUP, "more than %d contexts in '%s'", UINT16_MAX - 1, attr->name);
        GRN_TRY(grn_names_add(&g->names, grn_names_get(&attr->levels, order[i]), &k, NULL));
        map[order[i]] = (uint16_t)k;
    }
    if (count[n] > 0) {
        GRN_TRY(grn_names_add(&g->names, THRESHOLD_NO_LABEL, &k, NULL));
        map[n] = (uint16_t)k;
        g->no_label = (int)k;
    }
end:
    free(count);
    free(order);
    return rc;
}

grn_status threshold_groups(const grn_attr_t *attr, uint64_t n_cells, threshold_groups_t *g)
{
    grn_status rc = GRN_OK;
    uint16_t *map = NULL;
    uint64_t *at = NULL;
    memset(g, 0, sizeof *g);
    g->no_label = -1;
    GRN_TRY(GRN_NEW(g->context, (size_t)n_cells));
    GRN_TRY(GRN_NEW(g->cell, (size_t)n_cells));
    GRN_TRY(GRN_NEW(g->place, (size_t)n_cells));
    if (attr) {
        GRN_TRY(GRN_NEW(map, attr->levels.n + 1));
        GRN_TRY(name_contexts(attr, n_cells, g, map));
        for (uint64_t c = 0; c < n_cells; c++) g->context[c] = map[attr->code[c] < 0 ? attr->levels.n : (size_t)attr->code[c]];
    } else {
        GRN_TRY(grn_names_add(&g->names, "all", NULL, NULL));
    }
    GRN_TRY(GRN_NEW(g->off, g->names.n + 1));
    GRN_TRY(GRN_NEW(at, g->names.n + 1));
    for (uint64_t c = 0; c < n_cells; c++) g->off[g->context[c] + 1]++;
    for (size_t k = 0; k < g->names.n; k++) at[k + 1] = g->off[k + 1] += g->off[k];
    for (uint64_t c = 0; c < n_cells; c++) {
        g->place[c] = (uint32_t)at[g->context[c]]++;
        g->cell[g->place[c]] = (uint32_t)c;
    }
end:
    free(map);
    free(at);
    if (rc != GRN_OK) threshold_groups_clear(g);
    return rc;
}
