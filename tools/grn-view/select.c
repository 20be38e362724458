/* The names asked for on the command line, and what of a file they choose. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "grn-view/view.h"
#include "io/chrom.h"
#include "io/tflist.h"

/* One value of an option: names joined by commas, or @FILE with one a line. */
static grn_status add_value(grn_names_t *names, const char *value)
{
    if (value[0] == '@') return grn_tflist_load(value + 1, names, NULL);
    while (*value) {
        size_t n = strcspn(value, ",");
        grn_status rc = n ? grn_names_add_n(names, value, n, NULL, NULL) : GRN_OK;
        if (rc) return rc;
        value += n + (value[n] == ',');
    }
    return GRN_OK;
}

static grn_status load_set(const grn_opt_list_t *list, const char *option, view_set_t *s)
{
    s->given = list->n > 0;
    for (size_t i = 0; i < list->n; i++) {
        grn_status rc = add_value(&s->names, list->v[i]);
        if (rc) return rc;
    }
    return s->given && s->names.n == 0 ? grn_err(GRN_EUSAGE, "--%s names nothing", option) : GRN_OK;
}

static grn_status load_where(view_sel_t *s)
{
    grn_status rc = GRN_OK;
    const grn_opt_list_t *list = &view_opt.where;
    GRN_TRY(GRN_NEW(s->where_key, list->n));
    GRN_TRY(GRN_NEW(s->where_value, list->n));
    for (size_t i = 0; i < list->n; i++) {
        const char *eq = strchr(list->v[i], '=');
        if (!eq || eq == list->v[i])
            GRN_FAIL(GRN_EUSAGE, "--where takes COLUMN=VALUE (got '%s')", list->v[i]);
        char *key = strndup(list->v[i], (size_t)(eq - list->v[i]));
        if (!key) GRN_FAIL(GRN_ENOMEM, "out of memory");
        s->where_key[i] = key;
        s->where_value[i] = eq + 1;
        s->n_where++;
    }
end:
    return rc;
}

grn_status view_sel_load(view_sel_t *s)
{
    grn_status rc = GRN_OK;
    memset(s, 0, sizeof *s);
    GRN_TRY(load_set(&view_opt.tf, "tf", &s->tf));
    GRN_TRY(load_set(&view_opt.gene, "gene", &s->gene));
    GRN_TRY(load_set(&view_opt.region, "region", &s->region));
    GRN_TRY(load_set(&view_opt.context, "context", &s->context));
    GRN_TRY(load_set(&view_opt.cell, "cell", &s->cell));
    GRN_TRY(load_set(&view_opt.regulon, "regulon", &s->regulon));
    GRN_TRY(load_where(s));
    if (s->region.given && grn_regions_from_names(&s->region.names, &s->interval))
        grn_regions_clear(&s->interval); /* then by name only */
end:
    return rc;
}

void view_sel_clear(view_sel_t *s)
{
    grn_names_clear(&s->tf.names);
    grn_names_clear(&s->gene.names);
    grn_names_clear(&s->region.names);
    grn_names_clear(&s->context.names);
    grn_names_clear(&s->cell.names);
    grn_names_clear(&s->regulon.names);
    grn_regions_clear(&s->interval);
    for (size_t i = 0; i < s->n_where; i++) free((char *)s->where_key[i]);
    free(s->where_key);
    free(s->where_value);
    memset(s, 0, sizeof *s);
}

int view_sel_any(const view_sel_t *s)
{
    return s->tf.given || s->gene.given || s->region.given || s->context.given || s->cell.given ||
           s->regulon.given || s->n_where;
}

int view_has(const view_set_t *s, const char *name)
{
    return !s->given || grn_names_find(&s->names, name) != GRN_NAMES_NONE;
}

static grn_status none_found(const view_set_t *s, const grn_names_t *have, const char *what,
                             const char *path)
{
    char asked[512], there[512];
    return grn_err(GRN_EEMPTY,
                   "none of the %zu %s asked for is in '%s': asked for %s; the file has %s",
                   s->names.n, what, path, grn_names_show(&s->names, 3, asked, sizeof asked),
                   have->n ? grn_names_show(have, 3, there, sizeof there) : "none at all");
}

grn_status view_mark(const view_set_t *s, const grn_names_t *have, const char *what,
                     const char *path, uint8_t *keep)
{
    size_t found = 0;
    const char *first = NULL;
    memset(keep, !s->given, have->n);
    for (size_t i = 0; i < s->names.n; i++) {
        size_t k = grn_names_find(have, grn_names_get(&s->names, i));
        if (k != GRN_NAMES_NONE) keep[k] = 1, found++;
        else if (!first) first = grn_names_get(&s->names, i);
    }
    if (!s->given) return GRN_OK;
    if (!found) return none_found(s, have, what, path);
    if (found < s->names.n)
        grn_log_warn("%zu of %zu %s are not in '%s', for example '%s'", s->names.n - found,
                     s->names.n, what, path, first);
    return GRN_OK;
}

/* 1 if the region of this name overlaps one of the intervals; chromosomes by the policy of
 * io/chrom.h. */
static int overlaps(const grn_regions_t *interval, const char *name)
{
    char chrom[512];
    uint64_t start, end;
    uint32_t hit;
    if (grn_region_parse(name, chrom, sizeof chrom, &start, &end)) return 0;
    size_t c = grn_chrom_find(&interval->chroms, chrom, NULL);
    return c != GRN_NAMES_NONE && grn_regions_overlap(interval, c, start, end, &hit, 1) > 0;
}

grn_status view_mark_regions(const view_sel_t *s, const grn_names_t *have, const char *path,
                             uint8_t *keep)
{
    size_t found = 0;
    if (!s->interval.n) return view_mark(&s->region, have, "regions", path, keep);
    for (size_t i = 0; i < have->n; i++)
        found += keep[i] = (uint8_t)overlaps(&s->interval, grn_names_get(have, i));
    return found ? GRN_OK : none_found(&s->region, have, "regions", path);
}

/* ---- edges ---- */

static grn_status mark_dict(const view_sel_t *s, const view_set_t *set, const grn_names_t *have,
                            const char *what, const char *path, uint8_t **keep)
{
    *keep = NULL;
    if (!set->given) return GRN_OK;
    if (GRN_NEW(*keep, have->n)) return GRN_ENOMEM;
    return set == &s->region ? view_mark_regions(s, have, path, *keep)
                             : view_mark(set, have, what, path, *keep);
}

grn_status view_mask_open(view_mask_t *m, const view_sel_t *s, const grn_edges_t *e,
                          const char *path)
{
    grn_status rc = GRN_OK;
    static const grn_names_t none;
    memset(m, 0, sizeof *m);
    if (s->cell.given || s->n_where)
        GRN_FAIL(GRN_EUSAGE, "edges have no cells: --cell and --where choose rows of matrices; see "
                             "grn-view cell --help");
    GRN_TRY(mark_dict(s, &s->tf, e->tf ? &e->genes : &none, "TFs", path, &m->tf));
    GRN_TRY(mark_dict(s, &s->gene, e->gene ? &e->genes : &none, "genes", path, &m->gene));
    GRN_TRY(mark_dict(s, &s->region, e->region ? &e->regions : &none, "regions", path, &m->region));
    GRN_TRY(mark_dict(s, &s->context, e->context ? &e->contexts : &none, "contexts", path,
                      &m->context));
    GRN_TRY(mark_dict(s, &s->regulon, e->regulon ? &e->regulons : &none, "regulons", path,
                      &m->regulon));
end:
    return rc;
}

void view_mask_close(view_mask_t *m)
{
    free(m->tf);
    free(m->gene);
    free(m->region);
    free(m->context);
    free(m->regulon);
    memset(m, 0, sizeof *m);
}

size_t view_mask_pick(const view_mask_t *m, const grn_edges_t *e, size_t *pick)
{
    size_t n = 0;
    for (size_t i = 0; i < e->n; i++) {
        if ((m->tf && !m->tf[e->tf[i]]) || (m->gene && !m->gene[e->gene[i]]) ||
            (m->region && !m->region[e->region[i]]) || (m->context && !m->context[e->context[i]]) ||
            (m->regulon && !m->regulon[e->regulon[i]]))
            continue;
        pick[n++] = i;
    }
    return n;
}

/* ---- matrices ---- */

/* --gene, --tf, --region and --regulon all name columns: whatever the matrix holds. */
grn_status view_pick_cols(const view_sel_t *s, const grn_matrix_t *info, const char *path,
                          uint32_t **pick, uint64_t *n)
{
    grn_status rc = GRN_OK;
    uint8_t *keep = NULL, *more = NULL;
    const view_set_t *set[] = { &s->gene, &s->tf, &s->regulon, &s->region };
    static const char *const what[] = { "genes", "TFs", "regulons", "regions" };
    *pick = NULL;
    *n = info->n_cols;
    if (!s->gene.given && !s->tf.given && !s->regulon.given && !s->region.given) return GRN_OK;
    GRN_TRY(GRN_NEW(keep, info->n_cols));
    GRN_TRY(GRN_NEW(more, info->n_cols));
    for (int k = 0; k < 4; k++) {
        if (!set[k]->given) continue;
        GRN_TRY(k == 3 ? view_mark_regions(s, &info->col, path, more)
                       : view_mark(set[k], &info->col, what[k], path, more));
        for (uint64_t j = 0; j < info->n_cols; j++) keep[j] |= more[j];
    }
    GRN_TRY(GRN_NEW_RAW(*pick, info->n_cols));
    *n = 0;
    for (uint64_t j = 0; j < info->n_cols; j++)
        if (keep[j]) (*pick)[(*n)++] = (uint32_t)j;
end:
    free(keep);
    free(more);
    return rc;
}

/* Unmarks rows whose attribute is not the value; numbers are compared as numbers. */
static grn_status apply_where(const grn_matrix_t *info, const char *path, const char *key,
                              const char *value, uint8_t *keep)
{
    const grn_attr_t *a = grn_attr_find(&info->row_attr, key);
    uint64_t left = 0;
    double x = 0;
    char there[512];
    if (!a) {
        grn_str_t have = { 0 };
        for (size_t i = 0; i < info->row_attr.n; i++)
            if (grn_str_printf(&have, "%s%s", i ? ", " : "", info->row_attr.a[i].name)) break;
        grn_status rc = grn_err(GRN_EINVAL, "'%s' has no cell attribute '%s'; it has %s", path, key,
                                have.n ? have.s : "none");
        grn_str_clear(&have);
        return rc;
    }
    size_t level = a->code ? grn_names_find(&a->levels, value) : 0;
    if (a->code && level == GRN_NAMES_NONE)
        return grn_err(GRN_EEMPTY, "no cell of '%s' has %s '%s'; there are %s", path, key, value,
                       grn_names_show(&a->levels, 6, there, sizeof there));
    if (a->num && grn_parse_f64(value, &x))
        return grn_err(GRN_EUSAGE, "--where %s=%s: '%s' holds numbers", key, value, key);
    for (uint64_t i = 0; i < info->n_rows; i++) {
        int same = a->code ? a->code[i] == (int32_t)level : a->num[i] == x;
        keep[i] = keep[i] && same;
        left += keep[i];
    }
    return left ? GRN_OK
                : grn_err(GRN_EEMPTY, "no cell of '%s' is left with %s '%s'", path, key, value);
}

static grn_status apply_contexts(const view_sel_t *s, const grn_matrix_t *info, const char *path,
                                 uint8_t *keep)
{
    grn_status rc = GRN_OK;
    const grn_attr_t *a = grn_attr_find(&info->row_attr, "cell_type");
    uint8_t *level = NULL;
    if (!a || !a->code)
        GRN_FAIL(GRN_EINVAL, "'%s' has no cell attribute cell_type for --context", path);
    GRN_TRY(GRN_NEW(level, a->levels.n));
    GRN_TRY(view_mark(&s->context, &a->levels, "contexts", path, level));
    for (uint64_t i = 0; i < info->n_rows; i++)
        keep[i] = keep[i] && a->code[i] >= 0 && level[a->code[i]];
end:
    free(level);
    return rc;
}

grn_status view_mark_rows(const view_sel_t *s, const grn_matrix_t *info, const char *path,
                          uint8_t *keep)
{
    grn_status rc = view_mark(&s->cell, &info->row, "cells", path, keep);
    if (!rc && s->context.given) rc = apply_contexts(s, info, path, keep);
    for (size_t i = 0; i < s->n_where && !rc; i++)
        rc = apply_where(info, path, s->where_key[i], s->where_value[i], keep);
    return rc;
}
