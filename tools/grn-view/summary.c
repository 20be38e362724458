/* -H: what a file is and where it comes from. --check: every byte and every rule. --tensor: one
 * array as text. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/mem.h"
#include "grn-view/view.h"
#include "io/activity_read.h"
#include "io/result.h"

/* ---- containers ---- */

static grn_status put_shape(grn_out_t *o, const grn_tensor_info_t *t)
{
    grn_status rc = grn_out_puts(o, t->n_dim ? "" : "scalar");
    for (int i = 0; i < t->n_dim && !rc; i++)
        rc = grn_out_printf(o, "%s%llu", i ? " x " : "", (unsigned long long)t->shape[i]);
    return rc;
}

/* Numbers a reader wants first, from tensors and metadata alone. */
static grn_status put_sizes(grn_out_t *o, const grn_cr_t *r)
{
    grn_status rc = GRN_OK;
    const grn_tensor_info_t *t;
    const char *schema = grn_cr_schema(r);
    if (strncmp(schema, "grn.matrix/", 11) == 0) {
        const char *rows = grn_cr_meta(r, "n_rows"), *cols = grn_cr_meta(r, "n_cols");
        if (rows && cols) GRN_TRY(grn_out_printf(o, "rows\t%s\ncolumns\t%s\n", rows, cols));
        if ((t = grn_cr_find(r, "X.data")))
            GRN_TRY(grn_out_printf(o, "values\t%llu, sparse\n", (unsigned long long)t->shape[0]));
        else GRN_TRY(grn_out_puts(o, "values\tdense\n"));
    } else if (strncmp(schema, "grn.edges/", 10) == 0 &&
               ((t = grn_cr_find(r, "gene")) || (t = grn_cr_find(r, "tf")))) {
        GRN_TRY(grn_out_printf(o, "edges\t%llu\n", (unsigned long long)t->shape[0]));
    }
end:
    return rc;
}

/* {"name": .., "xxh3_128": ..} and {"id": .., "pn": ..} lists as lines. */
static grn_status put_list(grn_out_t *o, const char *json, const char *label,
                           const char *const *keys, const char *const *names, size_t n)
{
    grn_status rc = GRN_OK;
    json_t *list = json ? json_loads(json, 0, NULL) : NULL, *x;
    size_t i;
    json_array_foreach(list, i, x)
    {
        GRN_TRY(grn_out_puts(o, label));
        for (size_t k = 0; k < n; k++) {
            const char *s = json_string_value(json_object_get(x, keys[k]));
            if (s) GRN_TRY(grn_out_printf(o, "\t%s%s", names[k], s));
        }
        GRN_TRY(grn_out_puts(o, "\n"));
    }
end:
    json_decref(list);
    return rc;
}

static grn_status put_meta(grn_out_t *o, const grn_cr_t *r)
{
    static const char *const known[] = { "schema", "chain", "inputs", "n_rows", "n_cols" };
    static const char *const in_key[] = { "name", "xxh3_128" }, *const in_name[] = { "", "" };
    static const char *const pg_key[] = { "id", "pn", "vn", "cl", "pp" }, *const pg_name[] = {
        "ID:", "PN:", "VN:", "CL:", "PP:"
    };
    grn_status rc = GRN_OK;
    const char *key, *value;
    for (size_t i = 0; i < grn_cr_n_meta(r); i++) {
        int skip = 0;
        grn_cr_meta_at(r, i, &key, &value);
        for (size_t k = 0; k < sizeof known / sizeof *known; k++)
            skip |= strcmp(key, known[k]) == 0;
        if (!skip) GRN_TRY(grn_out_printf(o, "%s\t%s\n", key, value));
    }
    GRN_TRY(put_list(o, grn_cr_meta(r, "inputs"), "input", in_key, in_name, 2));
    GRN_TRY(put_list(o, grn_cr_meta(r, "chain"), "@PG", pg_key, pg_name, 5));
end:
    return rc;
}

static grn_status summary_of_container(grn_out_t *o, const char *path)
{
    grn_status rc = GRN_OK;
    grn_cr_t *r = NULL;
    GRN_TRY(grn_cr_open(&r, path, grn_common.pool));
    GRN_TRY(grn_out_printf(o, "file\t%s\nschema\t%s\n", path, grn_cr_schema(r)));
    GRN_TRY(put_sizes(o, r));
    GRN_TRY(put_meta(o, r));
    for (size_t i = 0; i < grn_cr_n_tensors(r); i++) {
        const grn_tensor_info_t *t = grn_cr_tensor_at(r, i);
        GRN_TRY(grn_out_printf(o, "tensor\t%s\t%s\t", t->name, grn_dtype_name(t->dtype)));
        GRN_TRY(put_shape(o, t));
        GRN_TRY(grn_out_puts(o, "\n"));
    }
end:
    grn_cr_close(r);
    return rc;
}

/* ---- other inputs ---- */

static grn_status put_attr(grn_out_t *o, const char *side, const grn_attr_t *a, uint64_t n)
{
    grn_status rc = grn_out_printf(o, "%s\t%s\t", side, a->name);
    if (rc) return rc;
    if (!a->code) return grn_out_puts(o, "numbers\n");
    uint64_t *count, missing = 0;
    GRN_TRY(GRN_NEW(count, a->levels.n));
    for (uint64_t i = 0; i < n; i++) {
        if (a->code[i] < 0) missing++;
        else count[a->code[i]]++;
    }
    for (size_t k = 0; k < a->levels.n && k < 12 && !rc; k++)
        rc = grn_out_printf(o, "%s%s (%llu)", k ? ", " : "", grn_names_get(&a->levels, k),
                            (unsigned long long)count[k]);
    if (!rc && a->levels.n > 12) rc = grn_out_printf(o, ", ... (%zu in all)", a->levels.n);
    if (!rc && missing) rc = grn_out_printf(o, "; missing (%llu)", (unsigned long long)missing);
    if (!rc) rc = grn_out_puts(o, "\n");
    free(count);
end:
    return rc;
}

static grn_status summary_of_counts(grn_out_t *o, const char *path)
{
    grn_status rc = GRN_OK;
    grn_matrix_t m = { 0 };
    grn_counts_opt_t copt = GRN_COUNTS_OPT_INIT;
    double sum = 0;
    char buf[32];
    GRN_TRY(grn_counts_cli(&view_opt.counts, &copt));
    GRN_TRY(grn_counts_load(path, &copt, grn_common.pool, &m));
    GRN_TRY(grn_matrix_to_csr(&m));
    for (uint64_t k = 0; k < m.indptr[m.n_rows]; k++) sum += m.data[k];
    GRN_TRY(grn_out_printf(o,
                           "file\t%s\nrows\t%llu\ncolumns\t%llu\nvalues\t%llu, sparse\nsum\t%s\n",
                           path, (unsigned long long)m.n_rows, (unsigned long long)m.n_cols,
                           (unsigned long long)m.indptr[m.n_rows], grn_fmt_f64(buf, sum)));
    if (m.n_rows)
        GRN_TRY(grn_out_printf(o, "first row\t%s\nlast row\t%s\n", grn_names_get(&m.row, 0),
                               grn_names_get(&m.row, m.n_rows - 1)));
    if (m.n_cols)
        GRN_TRY(grn_out_printf(o, "first column\t%s\nlast column\t%s\n", grn_names_get(&m.col, 0),
                               grn_names_get(&m.col, m.n_cols - 1)));
    for (size_t k = 0; k < m.row_attr.n; k++)
        GRN_TRY(put_attr(o, "row attribute", &m.row_attr.a[k], m.n_rows));
    for (size_t k = 0; k < m.col_attr.n; k++)
        GRN_TRY(grn_out_printf(o, "column attribute\t%s\n", m.col_attr.a[k].name));
end:
    grn_matrix_clear(&m);
    return rc;
}

static grn_status summary_of_network(grn_out_t *o, const char *path, view_kind kind)
{
    grn_edges_t e = { 0 };
    grn_status rc = view_load_edges(path, kind, &e);
    if (!rc)
        rc = grn_out_printf(o,
                            "file\t%s\nedges\t%zu\ngenes\t%zu\nsets\t%zu\nsigns\t%s\nweights\t%s\n",
                            path, e.n, e.genes.n, e.regulons.n, e.sign ? "yes" : "no",
                            e.weight ? "yes" : "no");
    grn_edges_clear(&e);
    return rc;
}

grn_status view_summary(const char *path, view_kind kind)
{
    grn_status rc = GRN_OK;
    grn_out_t *o = NULL;
    if (kind >= VIEW_GENES) return view_genome(view_real_path(path), kind, 1, view_opt.out);
    GRN_TRY(grn_out_open(&o, view_opt.out, 0));
    if (kind == VIEW_COUNTS) GRN_TRY(summary_of_counts(o, path));
    else if (kind == VIEW_NETWORK || kind == VIEW_GMT) GRN_TRY(summary_of_network(o, path, kind));
    else GRN_TRY(summary_of_container(o, path));
    rc = grn_out_commit(o);
    o = NULL;
end:
    grn_out_abort(o);
    return rc;
}

/* ---- check ---- */

static grn_status check_frames(const char *path)
{
    grn_cr_t *r = NULL;
    grn_status rc = grn_cr_open(&r, path, grn_common.pool);
    if (!rc) rc = grn_cr_check(r);
    grn_cr_close(r);
    return rc;
}

/* Block by block, so that a matrix of any size can be checked. */
static grn_status check_matrix(const char *path, const grn_counts_opt_t *copt)
{
    grn_mr_t *r = NULL;
    grn_matrix_t b = { 0 };
    int got = (int)grn_mr_open(&r, path, copt, grn_common.pool);
    if (got == 0)
        while ((got = grn_mr_next(r, 4096, &b)) == 1) continue;
    grn_matrix_clear(&b);
    grn_mr_close(r);
    return (grn_status)got;
}

grn_status view_check(const char *path, view_kind kind)
{
    grn_status rc = GRN_OK;
    grn_edges_t e = { 0 };
    grn_activity_t a = { 0 };
    grn_result_t t = { 0 };
    grn_counts_opt_t copt = GRN_COUNTS_OPT_INIT;
    GRN_TRY(grn_counts_cli(&view_opt.counts, &copt));
    if (kind < VIEW_COUNTS) GRN_TRY(check_frames(path));
    if (kind >= VIEW_GENES) return view_genome(view_real_path(path), kind, 1, "/dev/null");
    switch (kind) {
    case VIEW_MATRIX:
    case VIEW_COUNTS: GRN_TRY(check_matrix(path, &copt)); break;
    case VIEW_EDGES:
    case VIEW_NETWORK:
    case VIEW_GMT:
        GRN_TRY(view_load_edges(path, kind, &e));
        GRN_TRY(grn_edges_validate(&e));
        break;
    case VIEW_ACTIVITY:
        GRN_TRY(grn_activity_load(path, grn_common.pool, &a));
        GRN_TRY(grn_activity_check_index(path, grn_common.pool, &a.cells));
        break;
    case VIEW_RESULT: GRN_TRY(grn_result_load(path, grn_common.pool, &t)); break;
    default: break;
    }
end:
    grn_edges_clear(&e);
    grn_activity_clear(&a);
    grn_result_clear(&t);
    return rc;
}

/* ---- one tensor ---- */

/* Names of the first dimension of a tensor: the only dictionary of that length, if there is just
 * one. */
static grn_status row_names(grn_cr_t *r, uint64_t n, grn_names_t *d)
{
    grn_status rc = GRN_OK;
    size_t found = 0;
    for (size_t i = 0; i < grn_cr_n_tensors(r); i++) {
        const char *name = grn_cr_tensor_at(r, i)->name;
        grn_names_t one = { 0 };
        if (strncmp(name, "names.", 6) != 0) continue;
        GRN_TRY(grn_cr_load_names(r, name, &one));
        if (one.n == n && ++found == 1) {
            *d = one;
            continue;
        }
        grn_names_clear(&one);
    }
end:
    if (rc || found != 1) grn_names_clear(d);
    return rc;
}

static int is_text(const grn_tensor_info_t *t)
{
    return t->dtype == GRN_U8 && t->n_dim == 1 &&
           (strncmp(t->name, "names.", 6) == 0 || strncmp(t->name, "levels.", 7) == 0);
}

/* Rows of the first dimension, the others side by side; a block at a time. */
static grn_status put_numbers(grn_out_t *o, grn_cr_t *r, const grn_tensor_info_t *t)
{
    grn_status rc = GRN_OK;
    grn_names_t names = { 0 };
    uint64_t size = grn_dtype_size(t->dtype), n = t->n_bytes / size,
             rows = t->n_dim ? t->shape[0] : 1, wide = rows ? n / rows : 0;
    uint64_t step = wide ? (65536 + wide - 1) / wide : rows;
    double *v = NULL;
    char buf[32];
    GRN_TRY(row_names(r, rows, &names));
    for (uint64_t at = 0; at < rows; at += step) {
        uint64_t k = rows - at < step ? rows - at : step;
        grn_tensor_info_t part = *t;
        part.off += at * wide * size;
        part.n_bytes = k * wide * size;
        free(v);
        GRN_TRY(grn_cr_load_as(r, &part, GRN_F64, (void **)&v));
        for (uint64_t i = 0; i < k; i++) {
            if (names.n)
                GRN_TRY(grn_out_printf(o, "%s%s", grn_names_get(&names, at + i), wide ? "\t" : ""));
            for (uint64_t j = 0; j < wide; j++) {
                double x = v[i * wide + j];
                if (j) GRN_TRY(grn_out_puts(o, "\t"));
                GRN_TRY(grn_out_puts(o, t->dtype == GRN_F32 ? grn_fmt_f32(buf, (float)x)
                                                            : grn_fmt_f64(buf, x)));
            }
            GRN_TRY(grn_out_puts(o, "\n"));
        }
    }
end:
    free(v);
    grn_names_clear(&names);
    return rc;
}

grn_status view_tensor(const char *path, const char *name)
{
    grn_status rc = GRN_OK;
    grn_cr_t *r = NULL;
    grn_out_t *o = NULL;
    void *text = NULL;
    GRN_TRY(grn_cr_open(&r, path, grn_common.pool));
    const grn_tensor_info_t *t = grn_cr_find(r, name);
    if (!t) GRN_FAIL(GRN_EINVAL, "'%s' has no tensor '%s'; grn-view -H lists them", path, name);
    GRN_TRY(grn_out_open(&o, view_opt.out, 0));
    if (is_text(t)) {
        GRN_TRY(grn_cr_load(r, t, &text));
        GRN_TRY(grn_out_write(o, text, (size_t)t->n_bytes));
    } else {
        GRN_TRY(put_numbers(o, r, t));
    }
    rc = grn_out_commit(o);
    o = NULL;
end:
    free(text);
    grn_out_abort(o);
    grn_cr_close(r);
    return rc;
}
