/* Several files as one: edges under common dictionaries, matrices one below the other. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "grn-view/view.h"

/* ---- edges ---- */

/* Indexes of one dictionary in another that is grown as needed. */
static grn_status map_names(const grn_names_t *from, grn_names_t *to, uint32_t **map)
{
    grn_status rc = GRN_OK;
    size_t k;
    GRN_TRY(GRN_NEW_RAW(*map, from->n));
    for (size_t i = 0; i < from->n; i++) {
        GRN_TRY(grn_names_add(to, grn_names_get(from, i), &k, NULL));
        (*map)[i] = (uint32_t)k;
    }
end:
    return rc;
}

/* Rows of e behind those of `all` (room is there), from row `at`. */
static grn_status append_edges(grn_edges_t *all, size_t at, const grn_edges_t *e)
{
    grn_status rc = GRN_OK;
    uint32_t *gene = NULL, *region = NULL, *regulon = NULL, *context = NULL;
    float *v;
    GRN_TRY(map_names(&e->genes, &all->genes, &gene));
    GRN_TRY(map_names(&e->regions, &all->regions, &region));
    GRN_TRY(map_names(&e->regulons, &all->regulons, &regulon));
    GRN_TRY(map_names(&e->contexts, &all->contexts, &context));
    if (all->contexts.n > UINT16_MAX) GRN_FAIL(GRN_EUNSUP, "more than 65,535 contexts");
    for (size_t i = 0; i < e->n; i++) {
        if (e->tf) all->tf[at + i] = gene[e->tf[i]];
        if (e->gene) all->gene[at + i] = gene[e->gene[i]];
        if (e->region) all->region[at + i] = region[e->region[i]];
        if (e->regulon) all->regulon[at + i] = regulon[e->regulon[i]];
        if (e->context) all->context[at + i] = (uint16_t)context[e->context[i]];
        if (e->sign) all->sign[at + i] = e->sign[i];
        if (all->weight) all->weight[at + i] = e->weight ? e->weight[i] : 1;
    }
    for (size_t k = 0; k < e->n_ev; k++) {
        GRN_TRY(grn_edges_evidence(all, e->ev[k].name, &v));
        if (e->n) memcpy(v + at, e->ev[k].v, e->n * sizeof *v);
    }
end:
    free(gene);
    free(region);
    free(regulon);
    free(context);
    return rc;
}

static int same_keys(const grn_edges_t *e, size_t a, size_t b)
{
    return (!e->context || e->context[a] == e->context[b]) &&
           (!e->regulon || e->regulon[a] == e->regulon[b]) && (!e->tf || e->tf[a] == e->tf[b]) &&
           (!e->gene || e->gene[a] == e->gene[b]) && (!e->region || e->region[a] == e->region[b]);
}

static int same_values(const grn_edges_t *e, size_t a, size_t b)
{
    if ((e->sign && e->sign[a] != e->sign[b]) || (e->weight && e->weight[a] != e->weight[b]))
        return 0;
    for (size_t k = 0; k < e->n_ev; k++)
        if (memcmp(&e->ev[k].v[a], &e->ev[k].v[b], sizeof(float)) != 0) return 0;
    return 1;
}

/* In sorted edges equal rows are neighbours: each is kept once; one key with different values is a
 * conflict. */
static grn_status drop_repeats(grn_edges_t *e, grn_edges_t *out)
{
    grn_status rc = GRN_OK;
    size_t *pick, n = 0;
    GRN_TRY(GRN_NEW_RAW(pick, e->n));
    for (size_t i = 0; i < e->n; i++) {
        if (n && same_keys(e, pick[n - 1], i)) {
            if (same_values(e, pick[n - 1], i)) continue;
            GRN_FAIL(GRN_EINVAL,
                     "the edge %s -> %s%s%s is in the files twice, with different values",
                     e->tf ? grn_names_get(&e->genes, e->tf[i]) : "",
                     e->gene ? grn_names_get(&e->genes, e->gene[i]) : "",
                     e->context ? " of context " : "",
                     e->context ? grn_names_get(&e->contexts, e->context[i]) : "");
        }
        pick[n++] = i;
    }
    if (n < e->n) grn_log_info("%zu of %zu edges are repeats and were dropped", e->n - n, e->n);
    GRN_TRY(grn_edges_pick(e, pick, n, out));
end:
    free(pick);
    return rc;
}

static grn_status columns_of(const grn_edges_t *e, size_t n_files, const char *const *path,
                             grn_str_t *names)
{
    grn_status rc = GRN_OK;
    static const char *const word[] = { "tf", "gene", "region", "regulon", "context", "sign" };
    int weight = 0;
    for (int k = 0; k < 6; k++) {
        size_t n = 0;
        for (size_t f = 0; f < n_files; f++) {
            const void *const there[] = { e[f].tf,      e[f].gene,    e[f].region,
                                          e[f].regulon, e[f].context, e[f].sign };
            n += there[k] != NULL;
        }
        if (n && n < n_files)
            GRN_FAIL(GRN_ESHAPE,
                     "some of the files have a column '%s' and some have none (first: '%s')",
                     word[k], path[0]);
        if (n) GRN_TRY(grn_str_printf(names, "%s%s", names->n ? "," : "", word[k]));
    }
    for (size_t f = 0; f < n_files; f++) weight |= e[f].weight != NULL;
    if (weight) GRN_TRY(grn_str_printf(names, "%sweight", names->n ? "," : ""));
end:
    return rc;
}

static grn_status merge_edges(const char *const *path, const view_kind *kind, size_t n)
{
    grn_status rc = GRN_OK;
    grn_edges_t *e = NULL, all = { 0 }, out = { 0 };
    grn_str_t names = { 0 };
    size_t total = 0;
    GRN_TRY(GRN_NEW(e, n));
    for (size_t f = 0; f < n; f++) {
        GRN_TRY(view_load_edges(path[f], kind[f], &e[f]));
        total += e[f].n;
    }
    GRN_TRY(columns_of(e, n, path, &names));
    GRN_TRY(grn_edges_alloc(&all, total, names.s ? names.s : ""));
    for (size_t f = 0, at = 0; f < n; at += e[f].n, f++) GRN_TRY(append_edges(&all, at, &e[f]));
    GRN_TRY(grn_edges_sort(&all));
    GRN_TRY(drop_repeats(&all, &out));
    rc = view_write_edges(&out, path[0], "zst");
end:
    for (size_t f = 0; e && f < n; f++) grn_edges_clear(&e[f]);
    free(e);
    grn_edges_clear(&all);
    grn_edges_clear(&out);
    grn_str_clear(&names);
    return rc;
}

/* ---- matrices ---- */

/* Columns of the result: those of the first file (they must be the same everywhere), or all, or the
 * common ones. */
static grn_status join_columns(const grn_matrix_t *m, const char *const *path, size_t n,
                               grn_names_t *cols)
{
    grn_status rc = GRN_OK;
    int inner = strcmp(view_opt.join, "inner") == 0, outer = strcmp(view_opt.join, "outer") == 0;
    if (!inner && !outer) {
        for (size_t f = 1; f < n; f++) {
            if (m[f].n_cols != m[0].n_cols)
                GRN_FAIL(GRN_ESHAPE,
                         "'%s' has %llu columns and '%s' %llu; --join inner or outer joins them",
                         path[0], (unsigned long long)m[0].n_cols, path[f],
                         (unsigned long long)m[f].n_cols);
            for (uint64_t j = 0; j < m[f].n_cols; j++)
                if (grn_names_find(&m[0].col, grn_names_get(&m[f].col, j)) == GRN_NAMES_NONE)
                    GRN_FAIL(
                        GRN_ESHAPE,
                        "'%s' has a column '%s' that '%s' lacks; --join inner or outer joins them",
                        path[f], grn_names_get(&m[f].col, j), path[0]);
        }
    }
    for (size_t f = 0; f < (outer ? n : 1); f++)
        for (uint64_t j = 0; j < m[f].n_cols; j++) {
            const char *name = grn_names_get(&m[f].col, j);
            int everywhere = 1;
            for (size_t g = 1; inner && g < n; g++)
                everywhere &= grn_names_find(&m[g].col, name) != GRN_NAMES_NONE;
            if (everywhere) GRN_TRY(grn_names_add(cols, name, NULL, NULL));
        }
    if (cols->n == 0)
        GRN_FAIL(GRN_EEMPTY,
                 "the matrices have no column in common: '%s' starts with '%s', '%s' with '%s'",
                 path[0], m[0].n_cols ? grn_names_get(&m[0].col, 0) : "", path[1],
                 m[1].n_cols ? grn_names_get(&m[1].col, 0) : "");
end:
    return rc;
}

/* m with the columns `cols`, zeros where it lacks one; column attributes are dropped. */
static grn_status recolumn(grn_matrix_t *m, const grn_names_t *cols)
{
    grn_status rc = GRN_OK;
    grn_matrix_t out = { 0 };
    uint32_t *pick = NULL;
    uint64_t n = 0;
    if (grn_names_equal(&m->col, cols)) return GRN_OK;
    GRN_TRY(grn_matrix_to_csr(m));
    /* columns it has, in the new order; then their places */
    GRN_TRY(GRN_NEW_RAW(pick, cols->n));
    for (size_t j = 0; j < cols->n; j++) {
        size_t k = grn_names_find(&m->col, grn_names_get(cols, j));
        if (k != GRN_NAMES_NONE) pick[n++] = (uint32_t)k;
    }
    GRN_TRY(grn_matrix_pick_cols(m, pick, n, &out));
    for (uint64_t j = 0; j < n; j++)
        pick[j] = (uint32_t)grn_names_find(cols, grn_names_get(&out.col, j));
    for (uint64_t k = 0; k < out.indptr[out.n_rows]; k++) out.indices[k] = pick[out.indices[k]];
    grn_attrs_clear(&out.col_attr, out.n_cols);
    grn_names_clear(&out.col);
    out.n_cols = cols->n;
    GRN_TRY(grn_names_dup(&out.col, cols));
    grn_matrix_clear(m);
    *m = out;
    memset(&out, 0, sizeof out);
end:
    free(pick);
    grn_matrix_clear(&out);
    return rc;
}

/* Row attributes that every file has with the same kind; categories under common levels. */
static grn_status common_attrs(grn_matrix_t *m, const char *const *path, size_t n)
{
    grn_status rc = GRN_OK;
    for (size_t k = 0; k < m[0].row_attr.n; k++) {
        const grn_attr_t *first = &m[0].row_attr.a[k];
        grn_names_t levels = { 0 };
        int everywhere = 1;
        for (size_t f = 1; f < n; f++) {
            const grn_attr_t *a = grn_attr_find(&m[f].row_attr, first->name);
            everywhere &= a && (a->code != NULL) == (first->code != NULL);
        }
        if (!everywhere)
            grn_log_warn("cell attribute '%s' of '%s' is not in every file and is dropped",
                         first->name, path[0]);
        for (size_t f = 0; f < n && !rc; f++) {
            grn_attr_t *a = (grn_attr_t *)grn_attr_find(&m[f].row_attr, first->name);
            uint32_t *map = NULL;
            if (!everywhere || !a || !a->code) continue;
            rc = map_names(&a->levels, &levels, &map);
            for (uint64_t i = 0; i < m[f].n_rows && !rc; i++)
                if (a->code[i] >= 0) a->code[i] = (int32_t)map[a->code[i]];
            free(map);
            grn_names_clear(&a->levels);
            if (!rc) rc = grn_names_dup(&a->levels, &levels);
        }
        grn_names_clear(&levels);
        if (rc) return rc;
    }
    for (size_t f = 0; f < n; f++) { /* what only some have goes */
        grn_attrs_t kept = { 0 };
        for (size_t k = 0; k < m[f].row_attr.n; k++) {
            grn_attr_t *a = &m[f].row_attr.a[k];
            int everywhere = 1;
            for (size_t g = 0; g < n; g++) {
                const grn_attr_t *b = grn_attr_find(&m[g].row_attr, a->name);
                everywhere &= b && (b->code != NULL) == (a->code != NULL);
            }
            if (!everywhere) continue;
            rc = a->code ? grn_attr_add_code(&kept, a->name, a->code, &a->levels)
                         : grn_attr_add_num(&kept, a->name, a->num);
            if (rc) return rc;
            a->code = NULL;
            a->num = NULL;
        }
        grn_attrs_clear(&m[f].row_attr, m[f].n_rows);
        m[f].row_attr = kept;
    }
    return GRN_OK;
}

/* --tag: cells of file k become NAME_k. */
static grn_status tag_rows(grn_matrix_t *m, size_t k)
{
    grn_status rc = GRN_OK;
    grn_names_t named = { 0 };
    grn_str_t s = { 0 };
    for (uint64_t i = 0; i < m->n_rows; i++) {
        s.n = 0;
        GRN_TRY(grn_str_printf(&s, "%s_%zu", grn_names_get(&m->row, i), k));
        GRN_TRY(grn_names_add(&named, s.s, NULL, NULL));
    }
    grn_names_clear(&m->row);
    m->row = named;
    memset(&named, 0, sizeof named);
end:
    grn_names_clear(&named);
    grn_str_clear(&s);
    return rc;
}

/* ---- containers with the same columns: rows one file after the other, never whole in memory ---- */

#define PIECE_BYTES ((uint64_t)64 << 20)

static int same_attrs(const grn_attrs_t *a, const grn_attrs_t *b)
{
    if (a->n != b->n) return 0;
    for (size_t k = 0; k < a->n; k++) {
        const grn_attr_t *x = &a->a[k], *y = grn_attr_find(b, x->name);
        if (!y || (x->code != NULL) != (y->code != NULL)) return 0;
        if (x->code && !grn_names_equal(&x->levels, &y->levels)) return 0;
    }
    return 1;
}

/* What all files say alike about their values (scorer, ranks ...) holds for the whole. */
static grn_status common_meta(grn_mr_t *const *r, size_t n, grn_mw_t *w)
{
    static const char *const own[] = { "schema", "tool", "version", "seed", "inputs", "command", "chain", "n_rows", "n_cols" };
    const grn_cr_t *cr = grn_mr_container(r[0]);
    grn_status rc = GRN_OK;
    for (size_t i = 0; i < grn_cr_n_meta(cr) && !rc; i++) {
        const char *key, *value;
        int keep = 1;
        grn_cr_meta_at(cr, i, &key, &value);
        for (size_t k = 0; k < sizeof own / sizeof *own; k++) keep &= strcmp(key, own[k]) != 0;
        for (size_t f = 1; f < n; f++) {
            const char *other = grn_mr_meta(r[f], key);
            keep &= other && !strcmp(other, value);
        }
        if (keep) rc = grn_mw_meta(w, key, value);
    }
    return rc;
}

static grn_status append_file(grn_mr_t *r, const char *path, grn_mw_t *w)
{
    grn_matrix_t b = { 0 };
    grn_status rc = GRN_OK;
    uint64_t rows = PIECE_BYTES / (4 * (grn_mr_info(r)->n_cols + 1));
    int got;
    while ((got = grn_mr_next(r, rows ? rows : 1, &b)) == 1) {
        rc = grn_mw_append(w, &b);
        if (rc == GRN_EINVAL) rc = grn_err_prefix(rc, "'%s' (--tag makes cell names unique)", path);
        GRN_TRY(rc);
    }
    if (got < 0) rc = (grn_status)got;
end:
    grn_matrix_clear(&b);
    return rc;
}

/* *done = 0: not of that kind, nothing was written. */
static grn_status merge_streamed(const char *const *path, size_t n, int *done)
{
    grn_status rc = GRN_OK;
    grn_mr_t **r = NULL;
    grn_mw_t *w = NULL;
    grn_counts_opt_t copt = GRN_COUNTS_OPT_INIT;
    *done = 0;
    GRN_TRY(GRN_NEW(r, n));
    for (size_t f = 0; f < n; f++)
        if (!grn_cr_sniff(path[f])) goto end;
    for (size_t f = 0; f < n; f++) {
        GRN_TRY(grn_mr_open(&r[f], path[f], &copt, grn_common.pool));
        const grn_matrix_t *a = grn_mr_info(r[0]), *b = grn_mr_info(r[f]);
        if (!grn_mr_container(r[f]) || a->is_dense != b->is_dense) goto end;
        if (!grn_names_equal(&a->col, &b->col) || !same_attrs(&a->row_attr, &b->row_attr)) goto end;
    }
    *done = 1;
    const grn_matrix_t *first = grn_mr_info(r[0]);
    GRN_TRY(grn_mw_open(&w, view_opt.out, &first->col, &first->col_attr, first->is_dense, grn_common.pool));
    GRN_TRY(common_meta(r, n, w));
    for (size_t f = 0; f < n; f++) GRN_TRY(append_file(r[f], path[f], w));
    rc = grn_mw_commit(w);
    w = NULL;
end:
    grn_mw_abort(w);
    for (size_t f = 0; r && f < n; f++) grn_mr_close(r[f]);
    free(r);
    return rc;
}

static grn_status merge_loaded(const char *const *path, size_t n)
{
    grn_status rc = GRN_OK;
    grn_matrix_t *m = NULL;
    grn_names_t cols = { 0 };
    grn_mw_t *w = NULL;
    grn_counts_opt_t copt = GRN_COUNTS_OPT_INIT;
    int same = 1;
    GRN_TRY(grn_counts_cli(&view_opt.counts, &copt));
    GRN_TRY(GRN_NEW(m, n));
    for (size_t f = 0; f < n; f++) {
        GRN_TRY(grn_counts_load(path[f], &copt, grn_common.pool, &m[f]));
        if (view_opt.tag) GRN_TRY(tag_rows(&m[f], f + 1));
    }
    GRN_TRY(join_columns(m, path, n, &cols));
    GRN_TRY(common_attrs(m, path, n));
    for (size_t f = 0; f < n; f++)
        same &= m[f].is_dense == m[0].is_dense && grn_names_equal(&m[f].col, &cols);
    for (size_t f = 0; f < n; f++) {
        if (!same) GRN_TRY(grn_matrix_to_csr(&m[f]));
        GRN_TRY(recolumn(&m[f], &cols));
    }
    GRN_TRY(grn_mw_open(&w, view_opt.out, &cols, same ? &m[0].col_attr : NULL, m[0].is_dense,
                        grn_common.pool));
    for (size_t f = 0; f < n; f++) {
        rc = grn_mw_append(w, &m[f]);
        if (rc == GRN_EINVAL && !view_opt.tag)
            rc = grn_err_prefix(rc, "'%s' (--tag makes cell names unique)", path[f]);
        GRN_TRY(rc);
    }
    rc = grn_mw_commit(w);
    w = NULL;
end:
    grn_mw_abort(w);
    for (size_t f = 0; m && f < n; f++) grn_matrix_clear(&m[f]);
    free(m);
    grn_names_clear(&cols);
    return rc;
}

static grn_status merge_matrices(const char *const *path, size_t n)
{
    int done = 0;
    grn_status rc = view_opt.tag ? GRN_OK : merge_streamed(path, n, &done);
    return rc || done ? rc : merge_loaded(path, n);
}

grn_status view_merge(const grn_args_t *files)
{
    grn_status rc = GRN_OK;
    size_t n = (size_t)files->n, n_edges = 0, n_matrix = 0;
    view_kind *kind = NULL;
    const char *const *path = (const char *const *)files->v;
    GRN_TRY(GRN_NEW(kind, n));
    for (size_t f = 0; f < n; f++) {
        if (strcmp(path[f], "-") == 0)
            GRN_FAIL(GRN_EUSAGE, "merge reads files, not standard input");
        GRN_TRY(view_kind_of(path[f], &kind[f]));
        n_edges += kind[f] == VIEW_EDGES || kind[f] == VIEW_NETWORK || kind[f] == VIEW_GMT;
        n_matrix += kind[f] == VIEW_MATRIX || kind[f] == VIEW_COUNTS;
    }
    if (n_edges == n) rc = merge_edges(path, kind, n);
    else if (n_matrix == n) rc = merge_matrices(path, n);
    else rc = grn_err(GRN_EINVAL, "merge takes edges or matrices, all of one kind");
end:
    free(kind);
    return rc;
}
