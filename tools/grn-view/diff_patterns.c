#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "grn-view/diff.h"

void diff_patterns_clear(diff_patterns_t *d)
{
    free(d->edge);
    free(d->pattern);
    free(d->has);
    memset(d, 0, sizeof *d);
}

/* Dictionaries are in name order, so numbers compare as names do. */
static int by_edge(const void *a, const void *b, void *ctx)
{
    const grn_edges_t *e = ctx;
    size_t i = *(const size_t *)a, j = *(const size_t *)b;
    const uint32_t *column[] = { e->regulon, e->tf, e->region, e->gene };
    for (int k = 0; k < 4; k++)
        if (column[k] && column[k][i] != column[k][j]) return column[k][i] < column[k][j] ? -1 : 1;
    if (e->context && e->context[i] != e->context[j]) return e->context[i] < e->context[j] ? -1 : 1;
    return (i > j) - (i < j);
}

static int same_edge(const grn_edges_t *e, size_t i, size_t j)
{
    return e->regulon[i] == e->regulon[j] && (!e->tf || e->tf[i] == e->tf[j]) && (!e->region || e->region[i] == e->region[j]) &&
           (!e->gene || e->gene[i] == e->gene[j]);
}

/* Number of the pair (a, b) among those seen, counted from 0. */
static grn_status number_of(grn_names_t *seen, uint32_t a, uint32_t b, size_t *id, int *is_new)
{
    static const char hex[] = "0123456789abcdef";
    char s[16];
    for (int k = 0; k < 8; k++) s[k] = hex[a >> (4 * k) & 15], s[8 + k] = hex[b >> (4 * k) & 15];
    return grn_names_add_n(seen, s, sizeof s, id, is_new);
}

/* Sets of contexts are numbered by (set without the last one, the last one): the path that leads to a set is the set. Set 0 is empty.
 */
typedef struct {
    grn_names_t paths, patterns;
    uint32_t *parent, *last; /* (sets) */
    size_t cap_parent, cap_last, cap_pattern;
} sets_t;

static grn_status next_set(sets_t *s, uint32_t *set, uint32_t context)
{
    size_t id;
    int is_new;
    grn_status rc = number_of(&s->paths, *set, context, &id, &is_new);
    if (!rc && is_new && !(rc = GRN_GROW(s->parent, s->cap_parent, id + 2)) && !(rc = GRN_GROW(s->last, s->cap_last, id + 2)))
        s->parent[id + 1] = *set, s->last[id + 1] = context;
    if (!rc) *set = (uint32_t)id + 1;
    return rc;
}

/* The contexts of the activity whose edges are of the contexts of each set. */
static grn_status spread_sets(diff_patterns_t *d, const percell_t *p, const sets_t *s)
{
    grn_status rc = GRN_OK;
    uint8_t *in = NULL;
    d->n_contexts = p->a->contexts.n;
    d->n_sets = s->paths.n + 1;
    GRN_TRY(GRN_NEW(d->has, d->n_sets * d->n_contexts));
    GRN_TRY(GRN_NEW_RAW(in, p->n_groups));
    for (size_t k = 1; k < d->n_sets; k++) {
        memset(in, 0, p->n_groups);
        for (uint32_t t = (uint32_t)k; t; t = s->parent[t]) in[s->last[t]] = 1;
        for (size_t c = 0; c < d->n_contexts; c++) d->has[k * d->n_contexts + c] = p->context[c] != PERCELL_NONE && in[p->context[c]];
    }
end:
    free(in);
    return rc;
}

static grn_status add_edge(diff_patterns_t *d, sets_t *s, const percell_t *p, size_t row, uint32_t set)
{
    size_t id;
    int is_new;
    uint32_t regulon = p->regulon[p->e.regulon[row]];
    grn_status rc = number_of(&s->patterns, regulon, set, &id, &is_new);
    if (rc || (rc = GRN_GROW(d->pattern, s->cap_pattern, id + 1))) return rc;
    d->pattern[id] = (diff_pattern_t){ regulon, set };
    d->edge[d->n_edges++] = (diff_edge_t){ row, (uint32_t)id };
    return GRN_OK;
}

grn_status diff_patterns_find(diff_patterns_t *d, const percell_t *p)
{
    grn_status rc = GRN_OK;
    size_t *row = NULL, n = p->begin[p->n_groups];
    sets_t s = { 0 };
    memset(d, 0, sizeof *d);
    GRN_TRY(GRN_NEW_RAW(row, n));
    GRN_TRY(GRN_NEW_RAW(d->edge, n));
    memcpy(row, p->row, n * sizeof *row);
    qsort_r(row, n, sizeof *row, by_edge, (void *)(uintptr_t)&p->e);
    for (size_t i = 0, j; i < n; i = j) {
        uint32_t set = 0;
        for (j = i; j < n && same_edge(&p->e, row[i], row[j]); j++) {
            uint32_t c = p->e.context ? p->e.context[row[j]] : 0;
            if (j > i && c == (p->e.context ? p->e.context[row[j - 1]] : 0)) continue; /* twice in a context */
            GRN_TRY(next_set(&s, &set, c));
        }
        GRN_TRY(add_edge(d, &s, p, row[i], set));
    }
    d->n_patterns = s.patterns.n;
    rc = spread_sets(d, p, &s);
end:
    grn_names_clear(&s.paths);
    grn_names_clear(&s.patterns);
    free(s.parent);
    free(s.last);
    free(row);
    if (rc) diff_patterns_clear(d);
    return rc;
}
