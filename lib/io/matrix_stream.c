/* grn.matrix/1, reading: whole, or row block by row block. */
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "io/container_priv.h"
#include "io/counts.h"
#include "io/matrix.h"
#include "io/matrix_priv.h"

struct grn_mr_s {
    grn_cr_t *cr; /* a container; NULL: `whole` was loaded */
    grn_matrix_t whole;
    grn_matrix_t info; /* names, attributes, sizes (container) */
    uint64_t *indptr;  /* of the whole (container, CSR) */
    const grn_tensor_info_t *x, *indices;
    grn_par_t *pool;
    uint64_t at; /* next row */
    int bare;    /* blocks without columns' names and attributes */
};

/* ---- the parts of a container ---- */

grn_status grn_attrs_load(grn_cr_t *cr, const char *side, uint64_t n, grn_attrs_t *as)
{
    grn_status rc = GRN_OK;
    size_t k = strlen(side);
    void *p = NULL;
    grn_names_t levels = { 0 };
    for (size_t i = 0; i < grn_cr_n_tensors(cr); i++) {
        const grn_tensor_info_t *t = grn_cr_tensor_at(cr, i);
        if (strncmp(t->name, side, k) != 0) continue;
        if (t->n_dim != 1 || t->shape[0] != n)
            GRN_FAIL(GRN_ESHAPE, "'%s': tensor '%s' does not have %llu elements", grn_cr_path(cr),
                     t->name, (unsigned long long)n);
        char name[512];
        if (snprintf(name, sizeof name, "levels.%s", t->name) >= (int)sizeof name)
            GRN_FAIL(GRN_EUNSUP, "'%s': an attribute name is too long", grn_cr_path(cr));
        if (grn_cr_find(cr, name)) {
            GRN_TRY(grn_cr_load_names(cr, name, &levels));
            GRN_TRY(grn_cr_load_as(cr, t, GRN_I32, &p));
            GRN_TRY(grn_attr_add_code(as, t->name + k, p, &levels));
        } else {
            GRN_TRY(grn_cr_load_as(cr, t, GRN_F64, &p));
            GRN_TRY(grn_attr_add_num(as, t->name + k, p));
        }
        p = NULL;
    }
end:
    free(p);
    grn_names_clear(&levels);
    return rc;
}

/* Names, attributes and sizes into m; where the values are into r. */
static grn_status load_info(grn_cr_t *cr, grn_matrix_t *m, grn_mr_t *r)
{
    grn_status rc = GRN_OK;
    const grn_tensor_info_t *ptr;
    GRN_TRY(grn_cr_expect(cr, "grn.matrix", 1));
    GRN_TRY(grn_cr_load_names(cr, "names.row", &m->row));
    GRN_TRY(grn_cr_load_names(cr, "names.col", &m->col));
    m->n_rows = m->row.n;
    m->n_cols = m->col.n;
    if ((r->x = grn_cr_find(cr, "X"))) {
        m->is_dense = 1;
        if (r->x->n_dim != 2 || r->x->shape[0] != m->n_rows || r->x->shape[1] != m->n_cols)
            GRN_FAIL(GRN_ESHAPE,
                     "'%s': X does not have the %llu x %llu elements that the names tell",
                     grn_cr_path(cr), (unsigned long long)m->n_rows, (unsigned long long)m->n_cols);
    } else {
        r->x = grn_cr_find(cr, "X.data");
        r->indices = grn_cr_find(cr, "X.indices");
        GRN_TRY(grn_cr_need(cr, "X.indptr", GRN_U64, 1, &ptr));
        if (!r->x || !r->indices || r->x->n_dim != 1 || r->indices->n_dim != 1 ||
            r->x->shape[0] != r->indices->shape[0] || ptr->shape[0] != m->n_rows + 1)
            GRN_FAIL(
                GRN_ESHAPE,
                "'%s': X.data, X.indices and X.indptr do not agree with each other and the names",
                grn_cr_path(cr));
        GRN_TRY(grn_cr_load(cr, ptr, (void **)&r->indptr));
        for (uint64_t i = 0; i < m->n_rows; i++)
            if (r->indptr[i + 1] < r->indptr[i])
                GRN_FAIL(GRN_EFORMAT, "'%s': row %llu has negative length", grn_cr_path(cr),
                         (unsigned long long)i);
        if (r->indptr[0] != 0 || r->indptr[m->n_rows] != r->x->shape[0])
            GRN_FAIL(GRN_EFORMAT, "'%s': X.indptr does not span X.data", grn_cr_path(cr));
    }
    GRN_TRY(grn_attrs_load(cr, "row.", m->n_rows, &m->row_attr));
    GRN_TRY(grn_attrs_load(cr, "col.", m->n_cols, &m->col_attr));
end:
    return rc;
}

grn_status grn_matrix_load(const char *path, grn_par_t *pool, grn_matrix_t *m)
{
    grn_status rc = GRN_OK;
    grn_mr_t r = { 0 };
    memset(m, 0, sizeof *m);
    GRN_TRY(grn_cr_open(&r.cr, path, pool));
    GRN_TRY(load_info(r.cr, m, &r));
    GRN_TRY(
        grn_cr_load_as(r.cr, r.x, GRN_F32, m->is_dense ? (void **)&m->dense : (void **)&m->data));
    if (!m->is_dense) {
        GRN_TRY(grn_cr_load_as(r.cr, r.indices, GRN_U32, (void **)&m->indices));
        m->indptr = r.indptr;
        r.indptr = NULL;
    }
    if ((rc = grn_matrix_validate_on(m, pool))) GRN_TRY(grn_err_prefix(rc, "'%s'", path));
end:
    free(r.indptr);
    grn_cr_close(r.cr);
    if (rc) grn_matrix_clear(m);
    return rc;
}

/* ---- streaming ---- */

grn_status grn_mr_open(grn_mr_t **out, const char *path, const grn_counts_opt_t *opt,
                       grn_par_t *pool)
{
    grn_status rc = GRN_OK;
    grn_mr_t *r;
    *out = NULL;
    if (GRN_NEW(r, 1)) return GRN_ENOMEM;
    r->pool = pool;
    GRN_TRY(grn_path_rewindable(&path)); /* it is looked at first */
    int is_stdin = strcmp(path, "-") == 0;
    if (grn_cr_sniff(is_stdin ? "/proc/self/fd/0" : path) && !(opt && opt->cells_tsv)) {
        GRN_TRY(grn_cr_open(&r->cr, path, pool));
        GRN_TRY(load_info(r->cr, &r->info, r));
    } else {
        GRN_TRY(grn_counts_load(path, opt, pool, &r->whole));
    }
    *out = r;
    return GRN_OK;
end:
    grn_mr_close(r);
    return rc;
}

const grn_matrix_t *grn_mr_info(const grn_mr_t *r)
{
    return r->cr ? &r->info : &r->whole;
}

void grn_mr_close(grn_mr_t *r)
{
    if (!r) return;
    grn_cr_close(r->cr);
    grn_matrix_clear(&r->whole);
    grn_matrix_clear(&r->info);
    free(r->indptr);
    free(r);
}

grn_status grn_mr_rewind(grn_mr_t *r)
{
    return grn_mr_seek(r, 0);
}

grn_status grn_mr_seek(grn_mr_t *r, uint64_t row)
{
    if (row > grn_mr_info(r)->n_rows)
        return grn_err(GRN_EINVAL, "row %llu of %llu", (unsigned long long)row,
                       (unsigned long long)grn_mr_info(r)->n_rows);
    r->at = row;
    return GRN_OK;
}

void grn_mr_bare(grn_mr_t *r)
{
    r->bare = 1;
}

const grn_cr_t *grn_mr_container(const grn_mr_t *r)
{
    return r->cr;
}

const char *grn_mr_meta(const grn_mr_t *r, const char *key)
{
    return r->cr ? grn_cr_meta(r->cr, key) : NULL;
}

static grn_status load_values(grn_mr_t *r, uint64_t at, uint64_t n, grn_matrix_t *b)
{
    grn_status rc = GRN_OK;
    if (b->is_dense) {
        grn_cr_part_t x = { r->x, at * b->n_cols, n * b->n_cols, GRN_F32, NULL };
        GRN_TRY(GRN_NEW_RAW(b->dense, n * b->n_cols));
        x.out = b->dense;
        return grn_cr_read_parts(r->cr, &x, 1);
    }
    uint64_t from = r->indptr[at], nnz = r->indptr[at + n] - from;
    GRN_TRY(GRN_NEW_RAW(b->indptr, n + 1));
    for (uint64_t i = 0; i <= n; i++) b->indptr[i] = r->indptr[at + i] - from;
    GRN_TRY(GRN_NEW_RAW(b->data, nnz));
    GRN_TRY(GRN_NEW_RAW(b->indices, nnz));
    grn_cr_part_t both[2] = { { r->x, from, nnz, GRN_F32, b->data }, { r->indices, from, nnz, GRN_U32, b->indices } };
    GRN_TRY(grn_cr_read_parts(r->cr, both, 2));
end:
    return rc;
}

static grn_status block_names(const grn_matrix_t *info, const uint32_t *pick, uint64_t n, int bare,
                              grn_matrix_t *b)
{
    grn_status rc = GRN_OK;
    for (uint64_t i = 0; i < n; i++)
        GRN_TRY(grn_names_add(&b->row, grn_names_get(&info->row, pick[i]), NULL, NULL));
    if (bare) return GRN_OK;
    GRN_TRY(grn_names_dup(&b->col, &info->col));
    GRN_TRY(grn_attrs_pick(&b->row_attr, &info->row_attr, pick, n));
    GRN_TRY(grn_attrs_dup(&b->col_attr, &info->col_attr, info->n_cols));
end:
    return rc;
}

int grn_mr_next(grn_mr_t *r, uint64_t max_rows, grn_matrix_t *b)
{
    grn_status rc = GRN_OK;
    const grn_matrix_t *info = grn_mr_info(r);
    uint64_t n = info->n_rows - r->at < max_rows ? info->n_rows - r->at : max_rows;
    uint32_t *pick = NULL;
    grn_matrix_clear(b);
    if (n == 0) return 0;
    GRN_TRY(GRN_NEW_RAW(pick, n));
    for (uint64_t i = 0; i < n; i++) pick[i] = (uint32_t)(r->at + i);
    if (r->cr) {
        b->n_rows = n;
        b->n_cols = info->n_cols;
        b->is_dense = info->is_dense;
        GRN_TRY(load_values(r, r->at, n, b));
        GRN_TRY(block_names(info, pick, n, r->bare, b));
        grn_matrix_t whole = *b;
        whole.col = info->col;
        if ((rc = grn_matrix_validate_on(&whole, r->pool))) GRN_TRY(grn_err_prefix(rc, "'%s'", grn_cr_path(r->cr)));
    } else {
        GRN_TRY(grn_matrix_pick_rows(info, pick, n, b));
    }
    r->at += n;
end:
    free(pick);
    if (rc) grn_matrix_clear(b);
    return rc ? (int)rc : 1;
}

/* ---- blocks as they are stored ---- */

int grn_mr_is_packed(const grn_mr_t *r)
{
    return r->cr && !r->info.is_dense;
}

void grn_packed_clear(grn_packed_t *b)
{
    free(b->index);
    free(b->value);
    memset(b, 0, sizeof *b);
}

int grn_mr_next_packed(grn_mr_t *r, uint64_t max_rows, uint64_t max_values, grn_packed_t *b)
{
    grn_status rc = GRN_OK;
    uint64_t left = grn_mr_info(r)->n_rows - r->at, n = 0, longest = 0;
    if (!grn_mr_is_packed(r)) return grn_err(GRN_EINVAL, "the matrix is not a sparse container");
    const uint64_t *at = r->indptr + r->at;
    if (left == 0) return 0;
    for (; n < left && n < max_rows && (n == 0 || at[n + 1] - at[0] <= max_values); n++)
        if (at[n + 1] - at[n] > longest) longest = at[n + 1] - at[n];
    uint64_t from = at[0], nnz = at[n] - from, room = nnz + nnz / 8; /* blocks differ a little */
    if (longest > grn_mr_info(r)->n_cols)
        GRN_FAIL(GRN_EFORMAT, "'%s': a row of %llu values in %llu columns", grn_cr_path(r->cr), (unsigned long long)longest,
                 (unsigned long long)grn_mr_info(r)->n_cols);
    size_t value_size = grn_dtype_size(r->x->dtype), index_size = grn_dtype_size(r->indices->dtype);
    GRN_TRY(grn_room_aligned(&b->value, &b->value_cap, (size_t)room * value_size));
    GRN_TRY(grn_room_aligned(&b->index, &b->index_cap, (size_t)room * index_size));
    grn_cr_part_t both[2] = { { r->x, from, nnz, r->x->dtype, b->value }, { r->indices, from, nnz, r->indices->dtype, b->index } };
    GRN_TRY(grn_cr_read_parts(r->cr, both, 2));
    b->value_type = (int)r->x->dtype;
    b->index_type = (int)r->indices->dtype;
    b->path = grn_cr_path(r->cr);
    b->indptr = at;
    b->first = r->at;
    b->n_rows = n;
    b->n_cols = grn_mr_info(r)->n_cols;
    r->at += n;
end:
    return rc ? (int)rc : 1;
}

grn_status grn_packed_row(const grn_packed_t *b, uint64_t i, size_t *n, uint32_t *idx, float *val)
{
    uint64_t at = b->indptr[i] - b->indptr[0];
    grn_dtype ti = (grn_dtype)b->index_type, tv = (grn_dtype)b->value_type;
    grn_status rc;
    *n = (size_t)(b->indptr[i + 1] - b->indptr[i]);
    if ((rc = grn_dtype_convert(ti, (const char *)b->index + at * grn_dtype_size(ti), GRN_U32, idx, *n)) ||
        (rc = grn_dtype_convert(tv, (const char *)b->value + at * grn_dtype_size(tv), GRN_F32, val, *n)))
        return grn_err_prefix(rc, "'%s': row %llu", b->path, (unsigned long long)(b->first + i));
    if (!grn_matrix_row_is_good(idx, val, *n, b->n_cols))
        return grn_err(GRN_EFORMAT, "'%s': row %llu has columns out of order or range, a zero or a value that is not finite", b->path,
                       (unsigned long long)(b->first + i));
    return GRN_OK;
}
