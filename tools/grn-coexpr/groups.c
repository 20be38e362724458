#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "grn-coexpr/links.h"

void coexpr_groups_clear(coexpr_groups_t *g)
{
    grn_names_clear(&g->names);
    free(g->cell);
    free(g->off);
    memset(g, 0, sizeof *g);
}

/* Level -> context for levels that have cells, in name order; UINT32_MAX else. */
static grn_status name_groups(const grn_attr_t *attr, uint64_t n_cells, coexpr_groups_t *g, uint32_t *map)
{
    grn_status rc = GRN_OK;
    uint64_t *count = NULL;
    uint32_t *order = NULL;
    size_t k;
    GRN_TRY(GRN_NEW(count, attr->levels.n));
    GRN_TRY(GRN_NEW(order, attr->levels.n));
    GRN_TRY(grn_names_sort(&attr->levels, order));
    for (uint64_t c = 0; c < n_cells; c++)
        if (attr->code[c] >= 0) count[attr->code[c]]++;
    for (size_t i = 0; i < attr->levels.n; i++) {
        map[order[i]] = UINT32_MAX;
        if (count[order[i]] == 0) continue;
        GRN_TRY(grn_names_add(&g->names, grn_names_get(&attr->levels, order[i]), &k, NULL));
        map[order[i]] = (uint32_t)k;
    }
    if (g->names.n > UINT16_MAX) GRN_FAIL(GRN_EUNSUP, "%zu contexts; at most %d are supported", g->names.n, UINT16_MAX);
end:
    free(count);
    free(order);
    return rc;
}

grn_status coexpr_groups(const grn_matrix_t *m, const grn_attr_t *attr, coexpr_groups_t *g)
{
    grn_status rc = GRN_OK;
    uint32_t *map = NULL, *by_name = NULL, *context = NULL;
    uint64_t *at = NULL;
    memset(g, 0, sizeof *g);
    GRN_TRY(GRN_NEW(by_name, (size_t)m->n_rows));
    GRN_TRY(GRN_NEW(context, (size_t)m->n_rows));
    GRN_TRY(GRN_NEW(g->cell, (size_t)m->n_rows));
    GRN_TRY(grn_names_sort(&m->row, by_name));
    if (attr) {
        GRN_TRY(GRN_NEW(map, attr->levels.n));
        GRN_TRY(name_groups(attr, m->n_rows, g, map));
        for (uint64_t c = 0; c < m->n_rows; c++) context[c] = attr->code[c] < 0 ? UINT32_MAX : map[attr->code[c]];
    } else {
        GRN_TRY(grn_names_add(&g->names, "all", NULL, NULL));
    }
    GRN_TRY(GRN_NEW(g->off, g->names.n + 1));
    GRN_TRY(GRN_NEW(at, g->names.n + 1));
    for (uint64_t c = 0; c < m->n_rows; c++) {
        if (context[c] == UINT32_MAX) g->n_unlabelled++;
        else g->off[context[c] + 1]++;
    }
    for (size_t k = 0; k < g->names.n; k++) at[k + 1] = g->off[k + 1] += g->off[k];
    for (uint64_t i = 0; i < m->n_rows; i++)
        if (context[by_name[i]] != UINT32_MAX) g->cell[at[context[by_name[i]]]++] = by_name[i];
end:
    free(map);
    free(by_name);
    free(context);
    free(at);
    if (rc != GRN_OK) coexpr_groups_clear(g);
    return rc;
}
