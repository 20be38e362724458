#include "cells.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"

void grn_cells_clear(grn_cells_t *c)
{
    free(c->a);
    free(c->b);
    *c = (grn_cells_t){ 0 };
}

/* Length of a barcode without its final "-DIGITS"; the whole length when it has none. */
static size_t stripped_length(const char *s)
{
    size_t n = strlen(s), k = n;
    while (k > 0 && s[k - 1] >= '0' && s[k - 1] <= '9') k--;
    return k < n && k > 1 && s[k - 1] == '-' ? k - 1 : n;
}

typedef struct {
    grn_names_t names; /* stripped names */
    uint32_t *row;     /* (names.n) the row; UINT32_MAX when several rows have this name */
} stripped_t;

static grn_status strip_names(const grn_names_t *d, const uint8_t *taken, stripped_t *s)
{
    grn_status rc = GRN_OK;
    GRN_TRY(GRN_NEW_RAW(s->row, d->n));
    for (size_t i = 0; i < d->n; i++) {
        const char *name = grn_names_get(d, i);
        size_t k;
        int is_new;
        if (taken[i]) continue;
        GRN_TRY(grn_names_add_n(&s->names, name, stripped_length(name), &k, &is_new));
        s->row[k] = is_new ? (uint32_t)i : UINT32_MAX;
    }
end:
    return rc;
}

/* Second round of the join: names that are left, without their suffix. mate[row of a] = row of b.
 */
static grn_status match_stripped(const grn_names_t *a, const grn_names_t *b, const uint8_t *taken_a,
                                 const uint8_t *taken_b, uint32_t *mate, grn_cells_t *c)
{
    grn_status rc = GRN_OK;
    stripped_t sa = { 0 }, sb = { 0 };
    GRN_TRY(strip_names(a, taken_a, &sa));
    GRN_TRY(strip_names(b, taken_b, &sb));
    for (size_t k = 0; k < sa.names.n; k++) {
        size_t j = grn_names_find(&sb.names, grn_names_get(&sa.names, k));
        if (j == GRN_NAMES_NONE) continue;
        if (sa.row[k] == UINT32_MAX || sb.row[j] == UINT32_MAX) {
            c->n_ambiguous++;
        } else {
            mate[sa.row[k]] = sb.row[j];
            c->n_stripped++;
        }
    }
end:
    grn_names_clear(&sa.names);
    grn_names_clear(&sb.names);
    free(sa.row);
    free(sb.row);
    return rc;
}

static grn_status find_mates(const grn_names_t *a, const grn_names_t *b, uint32_t *mate,
                             grn_cells_t *c)
{
    grn_status rc = GRN_OK;
    uint8_t *taken_a = NULL, *taken_b = NULL;
    GRN_TRY(GRN_NEW(taken_a, a->n));
    GRN_TRY(GRN_NEW(taken_b, b->n));
    for (size_t i = 0; i < a->n; i++) {
        size_t j = grn_names_find(b, grn_names_get(a, i));
        if (j == GRN_NAMES_NONE) continue;
        mate[i] = (uint32_t)j;
        taken_a[i] = taken_b[j] = 1;
        c->n_exact++;
    }
    GRN_TRY(match_stripped(a, b, taken_a, taken_b, mate, c));
end:
    free(taken_a);
    free(taken_b);
    return rc;
}

grn_status grn_cells_match(const grn_names_t *a, const char *a_path, const grn_names_t *b,
                           const char *b_path, grn_cells_t *c)
{
    grn_status rc = GRN_OK;
    uint32_t *mate = NULL, *order = NULL;
    *c = (grn_cells_t){ 0 };
    GRN_TRY(GRN_NEW_RAW(mate, a->n));
    GRN_TRY(GRN_NEW_RAW(order, a->n));
    memset(mate, 0xff, a->n * sizeof *mate);
    if (b) GRN_TRY(find_mates(a, b, mate, c));
    GRN_TRY(grn_names_sort(a, order));
    GRN_TRY(GRN_NEW_RAW(c->a, a->n));
    if (b) GRN_TRY(GRN_NEW_RAW(c->b, a->n));
    for (size_t k = 0; k < a->n; k++) {
        uint32_t i = order[k];
        if (b && mate[i] == UINT32_MAX) continue;
        if (b) c->b[c->n] = mate[i];
        c->a[c->n++] = i;
    }
    if (c->n == 0) {
        GRN_FAIL(GRN_EEMPTY,
                 "0 of %zu barcodes of '%s' are among the %zu of '%s'; first names: %s vs %s", a->n,
                 a_path, b ? b->n : 0, b ? b_path : "", a->n ? grn_names_get(a, 0) : "(none)",
                 b && b->n ? grn_names_get(b, 0) : "(none)");
    }
end:
    free(order);
    free(mate);
    if (rc) grn_cells_clear(c);
    return rc;
}

/* ---- types ---- */

void grn_types_clear(grn_types_t *t)
{
    free(t->code);
    free(t->n_cells);
    grn_names_clear(&t->types);
    *t = (grn_types_t){ 0 };
}

/* Names in use, sorted; map[old level] = new code. */
static grn_status sort_levels(const grn_names_t *levels, const int32_t *code, size_t n,
                              int32_t *map, grn_names_t *types)
{
    grn_status rc = GRN_OK;
    uint32_t *order = NULL;
    GRN_TRY(GRN_NEW_RAW(order, levels->n));
    GRN_TRY(grn_names_sort(levels, order));
    for (size_t k = 0; k < levels->n; k++) map[k] = -1;
    for (size_t i = 0; i < n; i++) {
        if (code[i] >= 0) map[code[i]] = 0;
    }
    for (size_t k = 0; k < levels->n; k++) {
        size_t id;
        if (map[order[k]] < 0) continue;
        GRN_TRY(grn_names_add(types, grn_names_get(levels, order[k]), &id, NULL));
        map[order[k]] = (int32_t)id;
    }
end:
    free(order);
    return rc;
}

static grn_status types_from_attr(const grn_attr_t *a, size_t n, grn_types_t *t)
{
    grn_status rc = GRN_OK;
    int32_t *map = NULL;
    GRN_TRY(GRN_NEW(map, a->levels.n));
    GRN_TRY(sort_levels(&a->levels, a->code, n, map, &t->types));
    for (size_t i = 0; i < n; i++) t->code[i] = a->code[i] < 0 ? -1 : map[a->code[i]];
end:
    free(map);
    return rc;
}

static grn_status types_from_other(const grn_matrix_t *m, const grn_matrix_t *other,
                                   const grn_types_t *ot, grn_types_t *t)
{
    grn_status rc = GRN_OK;
    grn_cells_t c = { 0 };
    for (size_t i = 0; i < m->n_rows; i++) t->code[i] = -1;
    GRN_TRY(grn_names_dup(&t->types, &ot->types));
    GRN_TRY(grn_cells_match(&m->row, "the matrix", &other->row, "the matrix with cell types", &c));
    for (size_t k = 0; k < c.n; k++) t->code[c.a[k]] = ot->code[c.b[k]];
end:
    grn_cells_clear(&c);
    return rc;
}

grn_status grn_types_load(const grn_matrix_t *m, const grn_matrix_t *other,
                          const grn_types_t *other_types, grn_types_t *t)
{
    grn_status rc = GRN_OK;
    const grn_attr_t *a = grn_attr_find(&m->row_attr, "cell_type");
    *t = (grn_types_t){ 0 };
    GRN_TRY(GRN_NEW(t->code, m->n_rows));
    if (a && a->code) {
        GRN_TRY(types_from_attr(a, m->n_rows, t));
    } else if (other && !other_types->is_default) {
        GRN_TRY(types_from_other(m, other, other_types, t));
    } else {
        GRN_TRY(grn_names_add(&t->types, "all", NULL, NULL));
        t->is_default = 1;
    }
    GRN_TRY(GRN_NEW(t->n_cells, t->types.n));
    for (size_t i = 0; i < m->n_rows; i++) {
        if (t->code[i] < 0) t->n_unknown++;
        else t->n_cells[t->code[i]]++;
    }
end:
    if (rc) grn_types_clear(t);
    return rc;
}

grn_status grn_types_check(const grn_types_t *t, uint64_t min_cells, grn_funnel_t *f)
{
    size_t kept = 0;
    if (t->is_default) grn_log_warn("no cell types: every cell is of type 'all' (--cells TSV gives them)");
    if (t->n_unknown) grn_log_info("%zu cells have no type and count for none", t->n_unknown);
    for (size_t k = 0; k < t->types.n; k++) {
        int ok = t->n_cells[k] >= min_cells;
        kept += (size_t)ok;
        if (!ok)
            grn_log_warn("type '%s' has %zu cells, fewer than %" PRIu64 ": left out", grn_names_get(&t->types, k), t->n_cells[k],
                         min_cells);
    }
    return grn_funnel_add(f, "types", kept, t->types.n - kept, "cell types with at least %" PRIu64 " cells", min_cells);
}

void grn_types_mark_on(const uint32_t *count, const grn_types_t *types, size_t n_cols, const uint32_t *map, size_t n_on, double frac,
                       uint8_t *on)
{
    for (size_t t = 0; t < types->types.n; t++) {
        double need = frac * (double)types->n_cells[t];
        for (size_t j = 0; j < n_cols; j++) {
            uint32_t c = count[t * n_cols + j], to = map ? map[j] : (uint32_t)j;
            if (to != UINT32_MAX) on[t * n_on + to] = c > 0 && c >= need - 1e-9;
        }
    }
}
