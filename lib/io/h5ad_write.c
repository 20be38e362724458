#include "io/h5ad_write.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "io/h5_out.h"

struct grn_h5ad_w_s {
    grn_h5o_rows_t r; /* CSR; dense: data only */
    int begun, is_dense;
    grn_attrs_t row_attr; /* num and code of all rows so far, capacity in cap_attr[i] */
    size_t *cap_attr;
};

static grn_status put_column(grn_h5o_t *o, const char *frame, const grn_attr_t *a, uint64_t n)
{
    grn_status rc = GRN_OK;
    grn_str_t name = { 0 }, part = { 0 };
    GRN_TRY(grn_str_printf(&name, "%s/%s", frame, a->name));
    if (strcmp(a->name, "_index") == 0 || strchr(a->name, '/'))
        GRN_FAIL(GRN_EINVAL, "attribute '%s' cannot be a column of an h5ad file", a->name);
    if (a->num) {
        GRN_TRY(grn_h5o_vec(o, name.s, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, a->num, n));
        GRN_TRY(grn_h5o_encoding(o, name.s, "array", "0.2.0"));
    } else {
        hid_t type = a->levels.n < 128     ? H5T_STD_I8LE
                     : a->levels.n < 32768 ? H5T_STD_I16LE
                                           : H5T_STD_I32LE;
        GRN_TRY(grn_h5o_group(o, name.s));
        GRN_TRY(grn_h5o_encoding(o, name.s, "categorical", "0.2.0"));
        GRN_TRY(grn_h5o_attr_bool(o, name.s, "ordered", 0));
        GRN_TRY(grn_str_printf(&part, "%s/categories", name.s));
        GRN_TRY(grn_h5o_names(o, part.s, &a->levels));
        GRN_TRY(grn_h5o_encoding(o, part.s, "string-array", "0.2.0"));
        part.n = 0;
        GRN_TRY(grn_str_printf(&part, "%s/codes", name.s));
        GRN_TRY(grn_h5o_vec(o, part.s, type, H5T_NATIVE_INT32, a->code, n));
        GRN_TRY(grn_h5o_encoding(o, part.s, "array", "0.2.0"));
    }
end:
    grn_str_clear(&name);
    grn_str_clear(&part);
    return rc;
}

/* obs or var: the index and one child per attribute. */
static grn_status put_frame(grn_h5o_t *o, const char *frame, const grn_names_t *index,
                            const grn_attrs_t *as)
{
    grn_status rc = GRN_OK;
    const char **order = NULL;
    char name[16];
    size_t n = as ? as->n : 0;
    GRN_TRY(GRN_NEW(order, n));
    for (size_t i = 0; i < n; i++) order[i] = as->a[i].name;
    GRN_TRY(grn_h5o_group(o, frame));
    GRN_TRY(grn_h5o_encoding(o, frame, "dataframe", "0.2.0"));
    GRN_TRY(grn_h5o_attr_str(o, frame, "_index", "_index"));
    GRN_TRY(grn_h5o_attr_list(o, frame, "column-order", order, n));
    snprintf(name, sizeof name, "%s/_index", frame);
    GRN_TRY(grn_h5o_names(o, name, index));
    GRN_TRY(grn_h5o_encoding(o, name, "string-array", "0.2.0"));
    for (size_t i = 0; i < n; i++) GRN_TRY(put_column(o, frame, &as->a[i], index->n));
end:
    free(order);
    return rc;
}

/* X once it is known whether it is dense. */
static grn_status begin_x(grn_h5ad_w_t *w, int is_dense)
{
    grn_status rc = GRN_OK;
    w->begun = 1;
    w->is_dense = is_dense;
    if (is_dense) {
        if (w->r.col->n == 0)
            GRN_FAIL(GRN_EINVAL, "cannot write a dense matrix without columns to '%s'", w->r.o.path);
        GRN_TRY(
            grn_h5o_grow_open(&w->r.o, &w->r.data, "X", H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, w->r.col->n));
        GRN_TRY(grn_h5o_encoding(&w->r.o, "X", "array", "0.2.0"));
    } else {
        GRN_TRY(grn_h5o_group(&w->r.o, "X"));
        GRN_TRY(grn_h5o_encoding(&w->r.o, "X", "csr_matrix", "0.1.0"));
        GRN_TRY(grn_h5o_grow_open(&w->r.o, &w->r.data, "X/data", H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, 0));
        GRN_TRY(grn_h5o_grow_open(&w->r.o, &w->r.indices, "X/indices", H5T_STD_I32LE, H5T_NATIVE_UINT32,
                                  0));
    }
end:
    return rc;
}

grn_status grn_h5ad_w_open(grn_h5ad_w_t **out, const char *path, const grn_names_t *col,
                           const grn_attrs_t *col_attr)
{
    static const char *const empty[] = { "layers", "obsm", "obsp", "uns", "varm", "varp" };
    grn_status rc = GRN_OK;
    grn_h5ad_w_t *w = NULL;
    *out = NULL;
    GRN_TRY(GRN_NEW(w, 1));
    GRN_TRY(grn_h5o_rows_open(&w->r, path, col, col_attr));
    GRN_TRY(grn_h5o_encoding(&w->r.o, "/", "anndata", "0.1.0"));
    for (size_t i = 0; i < sizeof empty / sizeof *empty; i++) {
        GRN_TRY(grn_h5o_group(&w->r.o, empty[i]));
        GRN_TRY(grn_h5o_encoding(&w->r.o, empty[i], "dict", "0.1.0"));
    }
    GRN_TRY(put_frame(&w->r.o, "var", col, col_attr));
    *out = w;
    w = NULL;
end:
    grn_h5ad_w_abort(w);
    return rc;
}

/* The attributes of the first block, without values. */
static grn_status adopt_attrs(grn_h5ad_w_t *w, const grn_attrs_t *as)
{
    grn_status rc = GRN_OK;
    GRN_TRY(GRN_NEW(w->row_attr.a, as->n));
    GRN_TRY(GRN_NEW(w->cap_attr, as->n));
    for (size_t i = 0; i < as->n; i++) {
        size_t len = strlen(as->a[i].name) + 1;
        GRN_TRY(GRN_NEW_RAW(w->row_attr.a[i].name, len));
        memcpy(w->row_attr.a[i].name, as->a[i].name, len);
        w->row_attr.n++;
    }
end:
    return rc;
}

static grn_status append_attr(grn_attr_t *to, size_t *cap, const grn_attr_t *from, size_t at,
                              size_t n)
{
    grn_status rc = GRN_OK;
    if (from->num) {
        if (to->code)
            GRN_FAIL(GRN_ESHAPE, "attribute '%s' changes from categories to numbers", to->name);
        GRN_TRY(GRN_GROW(to->num, *cap, at + n));
        memcpy(to->num + at, from->num, n * sizeof *to->num);
        return GRN_OK;
    }
    if (to->num)
        GRN_FAIL(GRN_ESHAPE, "attribute '%s' changes from numbers to categories", to->name);
    GRN_TRY(GRN_GROW(to->code, *cap, at + n));
    for (size_t l = 0; l < from->levels.n; l++)
        GRN_TRY(grn_names_add(&to->levels, grn_names_get(&from->levels, l), NULL, NULL));
    for (size_t i = 0; i < n; i++) {
        int32_t c = from->code[i];
        to->code[at + i] =
            c < 0 ? -1
                  : (int32_t)grn_names_find(&to->levels, grn_names_get(&from->levels, (size_t)c));
    }
end:
    return rc;
}

/* Before the rows are counted. */
static grn_status append_attrs(grn_h5ad_w_t *w, const grn_matrix_t *m)
{
    grn_status rc = GRN_OK;
    if (w->r.n_rows == 0 && !w->row_attr.a) GRN_TRY(adopt_attrs(w, &m->row_attr));
    for (size_t i = 0; i < w->row_attr.n; i++) {
        const grn_attr_t *a = grn_attr_find(&m->row_attr, w->row_attr.a[i].name);
        if (!a)
            GRN_FAIL(GRN_ESHAPE, "a block lacks the row attribute '%s' of the blocks before",
                     w->row_attr.a[i].name);
        GRN_TRY(append_attr(&w->row_attr.a[i], &w->cap_attr[i], a, w->r.n_rows, m->n_rows));
    }
end:
    return rc;
}

grn_status grn_h5ad_w_append(grn_h5ad_w_t *w, const grn_matrix_t *m)
{
    grn_status rc = GRN_OK;
    if (!w->begun) GRN_TRY(begin_x(w, m->is_dense));
    if (w->is_dense != m->is_dense) GRN_FAIL(GRN_ESHAPE, "dense and sparse blocks in one file");
    GRN_TRY(append_attrs(w, m));
    GRN_TRY(grn_h5o_rows_add(&w->r, m));
    if (m->is_dense) {
        GRN_TRY(grn_h5o_grow_append(&w->r.o, &w->r.data, m->dense, m->n_rows));
    } else {
        GRN_TRY(grn_h5o_grow_append(&w->r.o, &w->r.data, m->data, m->indptr[m->n_rows]));
        GRN_TRY(grn_h5o_grow_append(&w->r.o, &w->r.indices, m->indices, m->indptr[m->n_rows]));
    }
end:
    return rc;
}

grn_status grn_h5ad_w_commit(grn_h5ad_w_t *w)
{
    grn_status rc = GRN_OK;
    int64_t shape[2] = { (int64_t)w->r.n_rows, (int64_t)w->r.col->n };
    if (!w->begun) GRN_TRY(begin_x(w, 0));
    if (!w->is_dense) {
        GRN_TRY(grn_h5o_vec(&w->r.o, "X/indptr", H5T_STD_I64LE, H5T_NATIVE_INT64, w->r.indptr,
                            w->r.n_rows + 1));
        GRN_TRY(grn_h5o_attr_i64(&w->r.o, "X", "shape", shape, 2));
    }
    GRN_TRY(put_frame(&w->r.o, "obs", &w->r.row, &w->row_attr));
    rc = grn_h5o_rows_commit(&w->r);
end:
    grn_h5ad_w_abort(w);
    return rc;
}

void grn_h5ad_w_abort(grn_h5ad_w_t *w)
{
    if (!w) return;
    grn_attrs_clear(&w->row_attr, w->r.n_rows);
    free(w->cap_attr);
    grn_h5o_rows_clear(&w->r);
    free(w);
}

grn_status grn_h5ad_write(const grn_matrix_t *m, const char *path)
{
    grn_h5ad_w_t *w = NULL;
    grn_status rc = grn_h5ad_w_open(&w, path, &m->col, &m->col_attr);
    if (rc == GRN_OK && m->n_rows) rc = grn_h5ad_w_append(w, m);
    if (rc == GRN_OK) return grn_h5ad_w_commit(w);
    grn_h5ad_w_abort(w);
    return rc;
}
