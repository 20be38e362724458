/* grn.matrix/1, writing: the streaming writer, and whole matrices through it. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "io/container.h"
#include "io/matrix.h"
#include "io/matrix_priv.h"

/* A row attribute under construction. */
typedef struct {
    char *name;
    int is_code, id;
    grn_names_t levels;
} attr_out_t;

struct grn_mw_s {
    grn_cw_t *w;
    int is_dense;
    uint64_t n_rows, n_cols, nnz;
    grn_dtype dtype, index_type;
    int x, indptr, indices, names; /* tensors under construction; x: values */
    grn_names_t row;               /* all names so far: duplicates are refused */
    attr_out_t *attr;
    size_t n_attr;
    int has_attrs; /* the first block fixed the attributes */
    void *tmp;     /* converted values */
    size_t tmp_cap;
};

static void writer_free(grn_mw_t *w)
{
    for (size_t i = 0; i < w->n_attr; i++) {
        free(w->attr[i].name);
        grn_names_clear(&w->attr[i].levels);
    }
    grn_names_clear(&w->row);
    free(w->attr);
    free(w->tmp);
    free(w);
}

void grn_mw_abort(grn_mw_t *w)
{
    if (!w) return;
    grn_cw_abort(w->w);
    writer_free(w);
}

static grn_status tensor_name(char *buf, size_t cap, const char *prefix, const char *name)
{
    return snprintf(buf, cap, "%s%s", prefix, name) < (int)cap
               ? GRN_OK
               : grn_err(GRN_EINVAL, "the attribute name '%.60s...' is too long", name);
}

static grn_status write_levels(grn_cw_t *w, const char *side, const char *name,
                               const grn_names_t *levels)
{
    char t[512], prefix[32];
    snprintf(prefix, sizeof prefix, "levels.%s", side);
    grn_status rc = tensor_name(t, sizeof t, prefix, name);
    return rc ? rc : grn_cw_names(w, t, levels);
}

grn_status grn_attrs_write(grn_cw_t *w, const char *side, const grn_attrs_t *as, uint64_t n)
{
    grn_status rc = GRN_OK;
    char t[512];
    for (size_t i = 0; i < as->n; i++) {
        const grn_attr_t *a = &as->a[i];
        GRN_TRY(tensor_name(t, sizeof t, side, a->name));
        GRN_TRY(a->num ? grn_cw_vec(w, t, GRN_F64, n, a->num)
                       : grn_cw_vec(w, t, GRN_I32, n, a->code));
        if (a->code) GRN_TRY(write_levels(w, side, a->name, &a->levels));
    }
end:
    return rc;
}

grn_status grn_mw_open(grn_mw_t **out, const char *path, const grn_names_t *col,
                       const grn_attrs_t *col_attr, int is_dense, grn_par_t *pool)
{
    grn_status rc = GRN_OK;
    grn_mw_t *w;
    *out = NULL;
    if (GRN_NEW(w, 1)) return GRN_ENOMEM;
    w->is_dense = is_dense;
    w->n_cols = col->n;
    w->dtype = GRN_U8;
    w->index_type = w->n_cols < 65536 ? GRN_U16 : GRN_U32;
    const uint64_t zero = 0;
    GRN_TRY(grn_cw_open(&w->w, path, "grn.matrix/1", pool));
    GRN_TRY(grn_cw_names(w->w, "names.col", col));
    if (col_attr) GRN_TRY(grn_attrs_write(w->w, "col.", col_attr, col->n));
    GRN_TRY(grn_cw_begin(w->w, "names.row", GRN_U8, &w->names));
    GRN_TRY(grn_cw_begin(w->w, is_dense ? "X" : "X.data", w->dtype, &w->x));
    if (!is_dense) {
        GRN_TRY(grn_cw_begin(w->w, "X.indices", w->index_type, &w->indices));
        GRN_TRY(grn_cw_begin(w->w, "X.indptr", GRN_U64, &w->indptr));
        GRN_TRY(grn_cw_append(w->w, w->indptr, &zero, 8));
    }
    *out = w;
    return GRN_OK;
end:
    grn_mw_abort(w);
    return rc;
}

grn_status grn_mw_meta(grn_mw_t *w, const char *key, const char *value)
{
    return grn_cw_meta(w->w, key, value);
}

/* ---- blocks ---- */

/* The narrowest type that holds these values exactly and is not narrower than t. */
static grn_dtype narrowest(const float *v, uint64_t n, grn_dtype t)
{
    uint32_t top = t == GRN_U8 ? UINT8_MAX : t == GRN_U16 ? UINT16_MAX : UINT32_MAX;
    for (uint64_t i = 0; i < n && t != GRN_F32; i++) {
        float x = v[i];
        if (!(x >= 0 && x < 4294967296.0f) || x != (float)(uint32_t)x) return GRN_F32;
        uint32_t u = (uint32_t)x;
        if (u <= top) continue;
        t = u <= UINT16_MAX ? GRN_U16 : GRN_U32;
        top = u <= UINT16_MAX ? UINT16_MAX : UINT32_MAX;
    }
    return t;
}

typedef struct {
    const void *src;
    void *dst;
    grn_dtype to; /* from float to an integer type known to hold the values, or from u32 to u16 */
    int is_index;
} narrow_job_t;

#define PIECE ((size_t)1 << 20) /* elements converted at a time */

static void narrow(const narrow_job_t *j, size_t at, size_t n)
{
    const float *f = (const float *)j->src + at;
    const uint32_t *u = (const uint32_t *)j->src + at;
    if (j->is_index)
        for (size_t i = 0; i < n; i++) ((uint16_t *)j->dst)[i] = (uint16_t)u[i];
    else if (j->to == GRN_U8)
        for (size_t i = 0; i < n; i++) ((uint8_t *)j->dst)[i] = (uint8_t)f[i];
    else if (j->to == GRN_U16)
        for (size_t i = 0; i < n; i++) ((uint16_t *)j->dst)[i] = (uint16_t)f[i];
    else
        for (size_t i = 0; i < n; i++) ((uint32_t *)j->dst)[i] = (uint32_t)f[i];
}

/* Appends n 32-bit elements as type `to`. */
static grn_status append_as(grn_mw_t *w, int id, const void *src, uint64_t n, grn_dtype to,
                            int is_index)
{
    grn_status rc = GRN_OK;
    narrow_job_t j = { src, NULL, to, is_index };
    if (to == (is_index ? GRN_U32 : GRN_F32)) return grn_cw_append(w->w, id, src, n * 4);
    GRN_TRY(grn_grow(&w->tmp, &w->tmp_cap, (n < PIECE ? n : PIECE) * 4, 1));
    j.dst = w->tmp;
    for (uint64_t at = 0; at < n; at += PIECE) {
        size_t k = n - at < PIECE ? n - at : PIECE;
        narrow(&j, at, k);
        GRN_TRY(grn_cw_append(w->w, id, w->tmp, k * grn_dtype_size(to)));
    }
end:
    return rc;
}

static grn_status append_values(grn_mw_t *w, const grn_matrix_t *b)
{
    grn_status rc = GRN_OK;
    uint64_t n = b->is_dense ? b->n_rows * b->n_cols : b->n_rows ? b->indptr[b->n_rows] : 0;
    const float *v = b->is_dense ? b->dense : b->data;
    grn_dtype t = narrowest(v, n, w->dtype);
    if (t != w->dtype) GRN_TRY(grn_cw_widen(w->w, w->x, t));
    w->dtype = t;
    GRN_TRY(append_as(w, w->x, v, n, t, 0));
    if (b->is_dense) return GRN_OK;
    GRN_TRY(append_as(w, w->indices, b->indices, n, w->index_type, 1));
    GRN_TRY(grn_grow(&w->tmp, &w->tmp_cap, b->n_rows * 8, 1));
    for (uint64_t i = 0; i < b->n_rows; i++) ((uint64_t *)w->tmp)[i] = w->nnz + b->indptr[i + 1];
    GRN_TRY(grn_cw_append(w->w, w->indptr, w->tmp, b->n_rows * 8));
    w->nnz += n;
end:
    return rc;
}

static grn_status append_names(grn_mw_t *w, const grn_names_t *row)
{
    grn_status rc = GRN_OK;
    int is_new;
    char *text = NULL;
    size_t n;
    for (size_t i = 0; i < row->n; i++) {
        GRN_TRY(grn_names_add(&w->row, grn_names_get(row, i), NULL, &is_new));
        if (!is_new) GRN_FAIL(GRN_EINVAL, "row '%s' is written twice", grn_names_get(row, i));
    }
    GRN_TRY(grn_names_join(row, &text, &n));
    GRN_TRY(grn_cw_append(w->w, w->names, text, n));
end:
    free(text);
    return rc;
}

static grn_status attrs_begin(grn_mw_t *w, const grn_attrs_t *as)
{
    grn_status rc = GRN_OK;
    char t[512];
    GRN_TRY(GRN_NEW(w->attr, as->n));
    for (size_t i = 0; i < as->n; i++) {
        attr_out_t *a = &w->attr[w->n_attr++];
        if (!(a->name = strdup(as->a[i].name))) GRN_FAIL(GRN_ENOMEM, "out of memory");
        a->is_code = as->a[i].code != NULL;
        GRN_TRY(tensor_name(t, sizeof t, "row.", a->name));
        GRN_TRY(grn_cw_begin(w->w, t, a->is_code ? GRN_I32 : GRN_F64, &a->id));
    }
    w->has_attrs = 1;
end:
    return rc;
}

/* Levels may grow from block to block, but those seen keep their place. */
static grn_status add_levels(attr_out_t *a, const grn_names_t *levels)
{
    for (size_t i = 0; i < levels->n; i++) {
        const char *name = grn_names_get(levels, i);
        if (i < a->levels.n && strcmp(grn_names_get(&a->levels, i), name) != 0)
            return grn_err(GRN_EINVAL, "row attribute '%s': level %zu is '%s', was '%s'", a->name,
                           i, name, grn_names_get(&a->levels, i));
        if (i < a->levels.n) continue;
        grn_status rc = grn_names_add(&a->levels, name, NULL, NULL);
        if (rc) return rc;
    }
    return GRN_OK;
}

static grn_status append_attrs(grn_mw_t *w, const grn_matrix_t *b)
{
    grn_status rc = GRN_OK;
    if (!w->has_attrs) GRN_TRY(attrs_begin(w, &b->row_attr));
    if (b->row_attr.n != w->n_attr)
        GRN_FAIL(GRN_EINVAL, "a block has %zu row attributes, the first had %zu", b->row_attr.n,
                 w->n_attr);
    for (size_t i = 0; i < w->n_attr; i++) {
        attr_out_t *a = &w->attr[i];
        const grn_attr_t *x = grn_attr_find(&b->row_attr, a->name);
        if (!x || (x->code != NULL) != a->is_code)
            GRN_FAIL(GRN_EINVAL, "a block lacks the row attribute '%s' of the first", a->name);
        if (a->is_code) GRN_TRY(add_levels(a, &x->levels));
        GRN_TRY(a->is_code ? grn_cw_append(w->w, a->id, x->code, b->n_rows * 4)
                           : grn_cw_append(w->w, a->id, x->num, b->n_rows * 8));
    }
end:
    return rc;
}

grn_status grn_mw_append(grn_mw_t *w, const grn_matrix_t *b)
{
    grn_status rc = GRN_OK;
    if (b->n_cols != w->n_cols || b->is_dense != w->is_dense)
        GRN_FAIL(GRN_ESHAPE, "a block of %llu %s columns does not fit a %s matrix of %llu",
                 (unsigned long long)b->n_cols, b->is_dense ? "dense" : "sparse",
                 w->is_dense ? "dense" : "sparse", (unsigned long long)w->n_cols);
    if (b->row.n != b->n_rows)
        GRN_FAIL(GRN_ESHAPE, "a block of %llu rows has %zu names", (unsigned long long)b->n_rows,
                 b->row.n);
    GRN_TRY(append_values(w, b));
    GRN_TRY(append_names(w, &b->row));
    GRN_TRY(append_attrs(w, b));
    w->n_rows += b->n_rows;
end:
    return rc;
}

static grn_status finish(grn_mw_t *w)
{
    grn_status rc = GRN_OK;
    uint64_t shape[2] = { w->n_rows, w->n_cols }, text_n = w->row.buf_n, n_ptr = w->n_rows + 1;
    char num[32];
    if (w->is_dense) {
        GRN_TRY(grn_cw_end(w->w, w->x, 2, shape));
    } else {
        GRN_TRY(grn_cw_end(w->w, w->x, 1, &w->nnz));
        GRN_TRY(grn_cw_end(w->w, w->indices, 1, &w->nnz));
        GRN_TRY(grn_cw_end(w->w, w->indptr, 1, &n_ptr));
    }
    GRN_TRY(grn_cw_end(w->w, w->names, 1, &text_n));
    for (size_t i = 0; i < w->n_attr; i++) {
        GRN_TRY(grn_cw_end(w->w, w->attr[i].id, 1, &w->n_rows));
        if (w->attr[i].is_code)
            GRN_TRY(write_levels(w->w, "row.", w->attr[i].name, &w->attr[i].levels));
    }
    snprintf(num, sizeof num, "%llu", (unsigned long long)w->n_rows);
    GRN_TRY(grn_cw_meta(w->w, "n_rows", num));
    snprintf(num, sizeof num, "%llu", (unsigned long long)w->n_cols);
    GRN_TRY(grn_cw_meta(w->w, "n_cols", num));
end:
    return rc;
}

grn_status grn_mw_commit(grn_mw_t *w)
{
    grn_status rc = finish(w);
    if (!rc) {
        rc = grn_cw_commit(w->w);
        w->w = NULL;
    }
    grn_mw_abort(w);
    return rc;
}

grn_status grn_matrix_save(const grn_matrix_t *m, const char *path, grn_par_t *pool)
{
    grn_mw_t *w = NULL;
    grn_status rc = grn_matrix_validate(m);
    if (rc) return rc;
    GRN_TRY(grn_mw_open(&w, path, &m->col, &m->col_attr, m->is_dense, pool));
    GRN_TRY(grn_mw_append(w, m));
    rc = grn_mw_commit(w);
    w = NULL;
end:
    grn_mw_abort(w);
    return rc;
}
