#include "io/matrix.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "io/matrix_priv.h"

/* ---- attributes ---- */

static void attr_clear(grn_attr_t *a)
{
    free(a->name);
    free(a->num);
    free(a->code);
    grn_names_clear(&a->levels);
    memset(a, 0, sizeof *a);
}

void grn_attrs_clear(grn_attrs_t *as, uint64_t n)
{
    (void)n;
    for (size_t i = 0; i < as->n; i++) attr_clear(&as->a[i]);
    free(as->a);
    memset(as, 0, sizeof *as);
}

const grn_attr_t *grn_attr_find(const grn_attrs_t *as, const char *name)
{
    for (size_t i = 0; i < as->n; i++)
        if (strcmp(as->a[i].name, name) == 0) return &as->a[i];
    return NULL;
}

/* The attribute of that name, emptied, or a new one. */
static grn_status attr_place(grn_attrs_t *as, const char *name, grn_attr_t **out)
{
    char *copy = strdup(name);
    if (!copy) return grn_err(GRN_ENOMEM, "out of memory");
    grn_attr_t *a = (grn_attr_t *)grn_attr_find(as, name);
    if (!a) {
        grn_attr_t *p = grn_realloc(as->a, as->n + 1, sizeof *p);
        if (!p) return free(copy), GRN_ENOMEM;
        as->a = p;
        a = &p[as->n++];
        memset(a, 0, sizeof *a);
    }
    attr_clear(a);
    a->name = copy;
    *out = a;
    return GRN_OK;
}

grn_status grn_attr_add_num(grn_attrs_t *as, const char *name, double *num)
{
    grn_attr_t *a;
    grn_status rc = attr_place(as, name, &a);
    if (!rc) a->num = num;
    return rc;
}

grn_status grn_attr_add_code(grn_attrs_t *as, const char *name, int32_t *code, grn_names_t *levels)
{
    grn_attr_t *a;
    grn_status rc = attr_place(as, name, &a);
    if (rc) return rc;
    a->code = code;
    a->levels = *levels;
    memset(levels, 0, sizeof *levels);
    return GRN_OK;
}

/* Elements pick[0..n) of every attribute (pick NULL: the first n). */
static grn_status attrs_take(grn_attrs_t *out, const grn_attrs_t *in, const uint32_t *pick,
                             uint64_t n)
{
    grn_status rc = GRN_OK;
    double *num = NULL;
    int32_t *code = NULL;
    grn_names_t levels = { 0 };
    for (size_t i = 0; i < in->n; i++) {
        const grn_attr_t *a = &in->a[i];
        if (a->num) {
            GRN_TRY(GRN_NEW_RAW(num, n));
            for (uint64_t k = 0; k < n; k++) num[k] = a->num[pick ? pick[k] : k];
            GRN_TRY(grn_attr_add_num(out, a->name, num));
            num = NULL;
        } else {
            GRN_TRY(GRN_NEW_RAW(code, n));
            for (uint64_t k = 0; k < n; k++) code[k] = a->code[pick ? pick[k] : k];
            GRN_TRY(grn_names_dup(&levels, &a->levels));
            GRN_TRY(grn_attr_add_code(out, a->name, code, &levels));
            code = NULL;
        }
    }
end:
    free(num);
    free(code);
    grn_names_clear(&levels);
    if (rc) grn_attrs_clear(out, n);
    return rc;
}

grn_status grn_attrs_dup(grn_attrs_t *out, const grn_attrs_t *in, uint64_t n)
{
    return attrs_take(out, in, NULL, n);
}

grn_status grn_attrs_pick(grn_attrs_t *out, const grn_attrs_t *in, const uint32_t *pick,
                          uint64_t n_pick)
{
    return attrs_take(out, in, pick, n_pick);
}

/* ---- matrices ---- */

void grn_matrix_clear(grn_matrix_t *m)
{
    grn_attrs_clear(&m->row_attr, m->n_rows);
    grn_attrs_clear(&m->col_attr, m->n_cols);
    grn_names_clear(&m->row);
    grn_names_clear(&m->col);
    free(m->indptr);
    free(m->indices);
    free(m->data);
    free(m->dense);
    memset(m, 0, sizeof *m);
}

grn_status grn_matrix_to_csr(grn_matrix_t *m)
{
    grn_status rc = GRN_OK;
    uint64_t n = m->is_dense ? m->n_rows * m->n_cols : 0, nnz = 0;
    uint64_t *indptr = NULL;
    uint32_t *indices = NULL;
    float *data = NULL;
    if (!m->is_dense) return GRN_OK;
    for (uint64_t i = 0; i < n; i++) nnz += m->dense[i] != 0;
    GRN_TRY(GRN_NEW(indptr, m->n_rows + 1));
    GRN_TRY(GRN_NEW_RAW(indices, nnz));
    GRN_TRY(GRN_NEW_RAW(data, nnz));
    nnz = 0;
    for (uint64_t i = 0; i < m->n_rows; i++) {
        const float *row = m->dense + i * m->n_cols;
        for (uint64_t j = 0; j < m->n_cols; j++)
            if (row[j] != 0) indices[nnz] = (uint32_t)j, data[nnz++] = row[j];
        indptr[i + 1] = nnz;
    }
    free(m->dense);
    m->dense = NULL;
    m->is_dense = 0;
    m->indptr = indptr;
    m->indices = indices;
    m->data = data;
    return GRN_OK;
end:
    free(indptr);
    free(indices);
    free(data);
    return rc;
}

grn_status grn_matrix_to_dense(grn_matrix_t *m)
{
    float *d;
    uint64_t n;
    if (m->is_dense) return GRN_OK;
    if (__builtin_mul_overflow(m->n_rows, m->n_cols, &n))
        return grn_err(GRN_ENOMEM, "out of memory: a matrix of this size cannot be dense");
    if (GRN_NEW(d, n)) return GRN_ENOMEM;
    for (uint64_t i = 0; i < m->n_rows; i++)
        for (uint64_t k = m->indptr[i]; k < m->indptr[i + 1]; k++)
            d[i * m->n_cols + m->indices[k]] = m->data[k];
    free(m->indptr);
    free(m->indices);
    free(m->data);
    m->indptr = NULL;
    m->indices = NULL;
    m->data = NULL;
    m->dense = d;
    m->is_dense = 1;
    return GRN_OK;
}

/* Room for a matrix like m with other sizes. */
static grn_status values_new(grn_matrix_t *out, uint64_t n_rows, uint64_t n_cols, int is_dense,
                             uint64_t nnz)
{
    grn_status rc = GRN_OK;
    out->n_rows = n_rows;
    out->n_cols = n_cols;
    out->is_dense = is_dense;
    if (is_dense) return GRN_NEW_RAW(out->dense, n_rows * n_cols);
    GRN_TRY(GRN_NEW(out->indptr, n_rows + 1));
    GRN_TRY(GRN_NEW_RAW(out->indices, nnz));
    GRN_TRY(GRN_NEW_RAW(out->data, nnz));
end:
    return rc;
}

grn_status grn_matrix_transpose(const grn_matrix_t *m, grn_matrix_t *out)
{
    grn_status rc = GRN_OK;
    uint64_t nnz = m->is_dense ? 0 : m->indptr[m->n_rows], *at = NULL;
    memset(out, 0, sizeof *out);
    if (m->is_dense) GRN_FAIL(GRN_EINVAL, "transpose takes a sparse matrix");
    if (m->n_rows > UINT32_MAX)
        GRN_FAIL(GRN_EUNSUP, "more than 4,294,967,295 rows cannot become columns");
    GRN_TRY(values_new(out, m->n_cols, m->n_rows, 0, nnz));
    GRN_TRY(GRN_NEW(at, m->n_cols + 1));
    for (uint64_t k = 0; k < nnz; k++) out->indptr[m->indices[k] + 1]++;
    for (uint64_t j = 0; j < m->n_cols; j++) at[j + 1] = out->indptr[j + 1] += out->indptr[j];
    for (uint64_t i = 0; i < m->n_rows; i++)
        for (uint64_t k = m->indptr[i]; k < m->indptr[i + 1]; k++) {
            uint64_t to = at[m->indices[k]]++;
            out->indices[to] = (uint32_t)i;
            out->data[to] = m->data[k];
        }
    GRN_TRY(grn_names_dup(&out->row, &m->col));
    GRN_TRY(grn_names_dup(&out->col, &m->row));
    GRN_TRY(grn_attrs_dup(&out->row_attr, &m->col_attr, m->n_cols));
    GRN_TRY(grn_attrs_dup(&out->col_attr, &m->row_attr, m->n_rows));
end:
    free(at);
    if (rc) grn_matrix_clear(out);
    return rc;
}

static grn_status names_pick(const grn_names_t *in, const uint32_t *pick, uint64_t n,
                             grn_names_t *out)
{
    int is_new;
    if (in->n == 0) return GRN_OK; /* a matrix under construction, without names */
    for (uint64_t k = 0; k < n; k++) {
        grn_status rc = grn_names_add(out, grn_names_get(in, pick[k]), NULL, &is_new);
        if (rc) return rc;
        if (!is_new) return grn_err(GRN_EINVAL, "'%s' is picked twice", grn_names_get(in, pick[k]));
    }
    return GRN_OK;
}

static grn_status check_pick(const uint32_t *pick, uint64_t n, uint64_t limit)
{
    for (uint64_t k = 0; k < n; k++)
        if (pick[k] >= limit)
            return grn_err(GRN_EINVAL, "index %u of %llu", pick[k], (unsigned long long)limit);
    return GRN_OK;
}

grn_status grn_matrix_pick_rows(const grn_matrix_t *m, const uint32_t *pick, uint64_t n,
                                grn_matrix_t *out)
{
    grn_status rc = GRN_OK;
    uint64_t nnz = 0, at = 0;
    memset(out, 0, sizeof *out);
    GRN_TRY(check_pick(pick, n, m->n_rows));
    for (uint64_t k = 0; k < n && !m->is_dense; k++)
        nnz += m->indptr[pick[k] + 1] - m->indptr[pick[k]];
    GRN_TRY(values_new(out, n, m->n_cols, m->is_dense, nnz));
    for (uint64_t k = 0; k < n; k++) {
        if (m->is_dense) {
            if (m->n_cols)
                memcpy(out->dense + k * m->n_cols, m->dense + pick[k] * m->n_cols,
                       m->n_cols * sizeof *m->dense);
            continue;
        }
        uint64_t from = m->indptr[pick[k]], len = m->indptr[pick[k] + 1] - from;
        if (len) memcpy(out->indices + at, m->indices + from, len * sizeof *m->indices);
        if (len) memcpy(out->data + at, m->data + from, len * sizeof *m->data);
        out->indptr[k + 1] = at += len;
    }
    GRN_TRY(names_pick(&m->row, pick, n, &out->row));
    GRN_TRY(grn_names_dup(&out->col, &m->col));
    GRN_TRY(grn_attrs_pick(&out->row_attr, &m->row_attr, pick, n));
    GRN_TRY(grn_attrs_dup(&out->col_attr, &m->col_attr, m->n_cols));
end:
    if (rc) grn_matrix_clear(out);
    return rc;
}

static int by_index(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* One CSR row through the map old column -> new; new columns ascend again. pair: scratch of two
 * words an element. */
static uint64_t pick_row(const grn_matrix_t *m, uint64_t i, const uint32_t *to, uint32_t *pair,
                         uint32_t *idx, float *val)
{
    uint64_t n = 0;
    for (uint64_t k = m->indptr[i]; k < m->indptr[i + 1]; k++) {
        if (to[m->indices[k]] == UINT32_MAX) continue;
        pair[2 * n] = to[m->indices[k]];
        memcpy(&pair[2 * n++ + 1], &m->data[k], 4);
    }
    int sorted = 1;
    for (uint64_t k = 1; k < n && sorted; k++) sorted = pair[2 * k] > pair[2 * k - 2];
    if (!sorted) qsort(pair, n, 8, by_index);
    for (uint64_t k = 0; k < n; k++) {
        idx[k] = pair[2 * k];
        memcpy(&val[k], &pair[2 * k + 1], 4);
    }
    return n;
}

grn_status grn_matrix_pick_cols(const grn_matrix_t *m, const uint32_t *pick, uint64_t n,
                                grn_matrix_t *out)
{
    grn_status rc = GRN_OK;
    uint32_t *to = NULL, *pair = NULL;
    uint64_t nnz = 0, widest = 0;
    memset(out, 0, sizeof *out);
    GRN_TRY(check_pick(pick, n, m->n_cols));
    GRN_TRY(GRN_NEW_RAW(to, m->n_cols));
    memset(to, 0xff, m->n_cols * sizeof *to);
    for (uint64_t k = 0; k < n; k++) {
        if (to[pick[k]] != UINT32_MAX) GRN_FAIL(GRN_EINVAL, "column %u is picked twice", pick[k]);
        to[pick[k]] = (uint32_t)k;
    }
    for (uint64_t i = 0; i < m->n_rows && !m->is_dense; i++) {
        uint64_t len = m->indptr[i + 1] - m->indptr[i];
        if (len > widest) widest = len;
        for (uint64_t k = m->indptr[i]; k < m->indptr[i + 1]; k++)
            nnz += to[m->indices[k]] != UINT32_MAX;
    }
    GRN_TRY(values_new(out, m->n_rows, n, m->is_dense, nnz));
    GRN_TRY(GRN_NEW_RAW(pair, widest * 2));
    for (uint64_t i = 0; i < m->n_rows; i++) {
        if (m->is_dense)
            for (uint64_t k = 0; k < n; k++)
                out->dense[i * n + k] = m->dense[i * m->n_cols + pick[k]];
        else
            out->indptr[i + 1] =
                out->indptr[i] +
                pick_row(m, i, to, pair, out->indices + out->indptr[i], out->data + out->indptr[i]);
    }
    GRN_TRY(grn_names_dup(&out->row, &m->row));
    GRN_TRY(names_pick(&m->col, pick, n, &out->col));
    GRN_TRY(grn_attrs_dup(&out->row_attr, &m->row_attr, m->n_rows));
    GRN_TRY(grn_attrs_pick(&out->col_attr, &m->col_attr, pick, n));
end:
    free(to);
    free(pair);
    if (rc) grn_matrix_clear(out);
    return rc;
}

/* ---- invariants ---- */

static grn_status check_attrs(const grn_attrs_t *as, uint64_t n, const char *what)
{
    for (size_t i = 0; i < as->n; i++) {
        const grn_attr_t *a = &as->a[i];
        if ((a->num != NULL) == (a->code != NULL))
            return grn_err(GRN_EFORMAT, "%s attribute '%s' is neither numbers nor codes", what,
                           a->name);
        for (uint64_t k = 0; a->code && k < n; k++)
            if (a->code[k] < -1 || (a->code[k] >= 0 && (size_t)a->code[k] >= a->levels.n))
                return grn_err(GRN_EFORMAT, "%s attribute '%s' has code %d of %zu levels", what,
                               a->name, a->code[k], a->levels.n);
    }
    return GRN_OK;
}

int grn_matrix_row_is_good(const uint32_t *idx, const float *val, uint64_t n, uint64_t n_cols)
{
    uint32_t bad = 0;
    for (uint64_t k = 1; k < n; k++) bad |= (uint32_t)(idx[k] <= idx[k - 1]);
    for (uint64_t k = 0; k < n; k++) {
        uint32_t u;
        memcpy(&u, &val[k], 4);
        u &= 0x7fffffffu; /* without the sign: 0 is zero, from 0x7f800000 on infinity and NaN */
        bad |= (uint32_t)(u - 1 >= 0x7f7fffffu);
    }
    return !bad && (n == 0 || idx[n - 1] < n_cols);
}

static grn_status check_rows(void *ctx, size_t begin, size_t end, int worker)
{
    const grn_matrix_t *m = ctx;
    (void)worker;
    for (uint64_t i = begin; i < end; i++) {
        uint64_t at = m->indptr[i];
        if (!grn_matrix_row_is_good(m->indices + at, m->data + at, m->indptr[i + 1] - at, m->n_cols))
            return grn_err(GRN_EFORMAT,
                           "row %llu ('%s') has columns out of order or range, a zero or a value "
                           "that is not finite",
                           (unsigned long long)i, grn_names_get(&m->row, i));
    }
    return GRN_OK;
}

static grn_status check_csr(const grn_matrix_t *m, grn_par_t *pool)
{
    if (m->indptr[0] != 0) return grn_err(GRN_EFORMAT, "the first row does not start at 0");
    for (uint64_t i = 0; i < m->n_rows; i++)
        if (m->indptr[i + 1] < m->indptr[i])
            return grn_err(GRN_EFORMAT, "row %llu has negative length", (unsigned long long)i);
    return grn_par_for(pool, (size_t)m->n_rows, 64, check_rows, (void *)m);
}

static grn_status check_dense_rows(void *ctx, size_t begin, size_t end, int worker)
{
    const grn_matrix_t *m = ctx;
    (void)worker;
    for (uint64_t i = begin * m->n_cols; i < end * m->n_cols; i++)
        if (!isfinite(m->dense[i]))
            return grn_err(GRN_EFORMAT, "value of row %llu ('%s'), column '%s' is not finite",
                           (unsigned long long)(i / m->n_cols),
                           grn_names_get(&m->row, i / m->n_cols),
                           grn_names_get(&m->col, i % m->n_cols));
    return GRN_OK;
}

grn_status grn_matrix_validate_on(const grn_matrix_t *m, grn_par_t *pool)
{
    grn_status rc;
    if (m->row.n != m->n_rows || m->col.n != m->n_cols)
        return grn_err(GRN_EFORMAT, "%llu x %llu matrix with %zu row and %zu column names",
                       (unsigned long long)m->n_rows, (unsigned long long)m->n_cols, m->row.n,
                       m->col.n);
    if ((rc = check_attrs(&m->row_attr, m->n_rows, "row")) ||
        (rc = check_attrs(&m->col_attr, m->n_cols, "column")))
        return rc;
    if (m->is_dense) return grn_par_for(pool, (size_t)m->n_rows, 64, check_dense_rows, (void *)m);
    return m->indptr   ? check_csr(m, pool)
           : m->n_rows ? grn_err(GRN_EFORMAT, "the matrix has no values")
                       : GRN_OK;
}

grn_status grn_matrix_validate(const grn_matrix_t *m)
{
    return grn_matrix_validate_on(m, NULL);
}
