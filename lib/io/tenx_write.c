#include "io/tenx_write.h"

#include <string.h>

#include "base/mem.h"
#include "io/h5_out.h"

struct grn_tenx_w_s {
    grn_h5o_rows_t r;
    int32_t *value; /* one block */
    int64_t *index;
    size_t cap_value, cap_index;
};

/* A feature column: level names by code, or the names themselves, or one constant. */
typedef struct {
    const grn_names_t *names;
    const grn_attr_t *attr;
    const char *constant;
} feature_col_t;

static const char *feature_get(const void *ctx, size_t i)
{
    const feature_col_t *f = ctx;
    if (f->attr)
        return f->attr->code[i] < 0 ? ""
                                    : grn_names_get(&f->attr->levels, (size_t)f->attr->code[i]);
    return f->constant ? f->constant : grn_names_get(f->names, i);
}

static const grn_attr_t *code_attr(const grn_attrs_t *as, const char *name)
{
    const grn_attr_t *a = as ? grn_attr_find(as, name) : NULL;
    return a && a->code ? a : NULL;
}

static grn_status put_features(grn_tenx_w_t *w)
{
    grn_status rc = GRN_OK;
    feature_col_t id = { w->r.col, code_attr(w->r.col_attr, "gene_id"), NULL };
    feature_col_t name = { w->r.col, NULL, NULL };
    feature_col_t type = { NULL, code_attr(w->r.col_attr, "feature_type"), "Gene Expression" };
    feature_col_t genome = { NULL, code_attr(w->r.col_attr, "genome"), "" };
    feature_col_t tag = { NULL, NULL, "genome" };
    GRN_TRY(grn_h5o_group(&w->r.o, "matrix/features"));
    GRN_TRY(grn_h5o_fixed(&w->r.o, "matrix/features/_all_tag_keys", 1, feature_get, &tag));
    GRN_TRY(grn_h5o_fixed(&w->r.o, "matrix/features/feature_type", w->r.col->n, feature_get, &type));
    GRN_TRY(grn_h5o_fixed(&w->r.o, "matrix/features/genome", w->r.col->n, feature_get, &genome));
    GRN_TRY(grn_h5o_fixed(&w->r.o, "matrix/features/id", w->r.col->n, feature_get, &id));
    GRN_TRY(grn_h5o_fixed(&w->r.o, "matrix/features/name", w->r.col->n, feature_get, &name));
end:
    return rc;
}

grn_status grn_tenx_w_open(grn_tenx_w_t **out, const char *path, const grn_names_t *col,
                           const grn_attrs_t *col_attr)
{
    grn_status rc = GRN_OK;
    grn_tenx_w_t *w = NULL;
    *out = NULL;
    GRN_TRY(GRN_NEW(w, 1));
    GRN_TRY(grn_h5o_rows_open(&w->r, path, col, col_attr));
    GRN_TRY(grn_h5o_attr_str(&w->r.o, "/", "filetype", "matrix"));
    GRN_TRY(grn_h5o_attr_i64(&w->r.o, "/", "version", &(int64_t){ 2 }, 1));
    GRN_TRY(grn_h5o_group(&w->r.o, "matrix"));
    GRN_TRY(grn_h5o_grow_open(&w->r.o, &w->r.data, "matrix/data", H5T_STD_I32LE, H5T_NATIVE_INT32, 0));
    GRN_TRY(grn_h5o_grow_open(&w->r.o, &w->r.indices, "matrix/indices", H5T_STD_I64LE, H5T_NATIVE_INT64,
                              0));
    GRN_TRY(put_features(w));
    *out = w;
    w = NULL;
end:
    grn_tenx_w_abort(w);
    return rc;
}

static grn_status put_block(grn_tenx_w_t *w, const grn_matrix_t *m)
{
    grn_status rc = GRN_OK;
    uint64_t nnz = m->indptr[m->n_rows];
    GRN_TRY(GRN_GROW(w->value, w->cap_value, nnz));
    GRN_TRY(GRN_GROW(w->index, w->cap_index, nnz));
    for (uint64_t k = 0; k < nnz; k++) {
        float v = m->data[k];
        if (!(v >= 0 && v <= 16777216.0f) || v != (float)(int32_t)v)
            GRN_FAIL(GRN_EINVAL,
                     "cannot write '%s': %g is no count, and 10x files hold counts (use h5ad)",
                     w->r.o.path, (double)v);
        w->value[k] = (int32_t)v;
        w->index[k] = m->indices[k];
    }
    GRN_TRY(grn_h5o_grow_append(&w->r.o, &w->r.data, w->value, nnz));
    GRN_TRY(grn_h5o_grow_append(&w->r.o, &w->r.indices, w->index, nnz));
end:
    return rc;
}

grn_status grn_tenx_w_append(grn_tenx_w_t *w, const grn_matrix_t *m)
{
    grn_status rc = GRN_OK;
    if (m->is_dense) GRN_FAIL(GRN_EINVAL, "10x HDF5 files hold sparse matrices only");
    GRN_TRY(grn_h5o_rows_add(&w->r, m));
    GRN_TRY(put_block(w, m));
end:
    return rc;
}

static const char *name_get(const void *ctx, size_t i)
{
    return grn_names_get(ctx, i);
}

grn_status grn_tenx_w_commit(grn_tenx_w_t *w)
{
    grn_status rc = GRN_OK;
    int32_t shape[2] = { (int32_t)w->r.col->n, (int32_t)w->r.n_rows };
    GRN_TRY(grn_h5o_fixed(&w->r.o, "matrix/barcodes", w->r.row.n, name_get, &w->r.row));
    GRN_TRY(grn_h5o_vec(&w->r.o, "matrix/indptr", H5T_STD_I64LE, H5T_NATIVE_INT64, w->r.indptr,
                        w->r.n_rows + 1));
    GRN_TRY(grn_h5o_vec(&w->r.o, "matrix/shape", H5T_STD_I32LE, H5T_NATIVE_INT32, shape, 2));
    rc = grn_h5o_rows_commit(&w->r);
end:
    grn_tenx_w_abort(w);
    return rc;
}

void grn_tenx_w_abort(grn_tenx_w_t *w)
{
    if (!w) return;
    grn_h5o_rows_clear(&w->r);
    free(w->value);
    free(w->index);
    free(w);
}

grn_status grn_tenx_write(const grn_matrix_t *m, const char *path)
{
    grn_tenx_w_t *w = NULL;
    grn_status rc = grn_tenx_w_open(&w, path, &m->col, &m->col_attr);
    if (rc == GRN_OK && m->n_rows) rc = grn_tenx_w_append(w, m);
    if (rc == GRN_OK) return grn_tenx_w_commit(w);
    grn_tenx_w_abort(w);
    return rc;
}
