#include "io/raw.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

grn_status grn_list_add(grn_list_t *l, const char *s, size_t n)
{
    grn_status rc = GRN_GROW(l->buf, l->cap_buf, l->n_buf + n + 1);
    if (rc != GRN_OK) return rc;
    rc = GRN_GROW(l->off, l->cap_off, l->n + 1);
    if (rc != GRN_OK) return rc;
    l->off[l->n++] = l->n_buf;
    memcpy(l->buf + l->n_buf, s, n);
    l->n_buf += n;
    l->buf[l->n_buf++] = 0;
    return GRN_OK;
}

size_t grn_list_find(const grn_list_t *l, const char *s)
{
    for (size_t i = 0; i < l->n; i++)
        if (strcmp(grn_list_get(l, i), s) == 0) return i;
    return (size_t)-1;
}

void grn_list_clear(grn_list_t *l)
{
    free(l->buf);
    free(l->off);
    memset(l, 0, sizeof *l);
}

const char *grn_list_show(const grn_list_t *l, size_t max, char *buf, size_t cap)
{
    size_t used = 0;
    if (cap) buf[0] = 0;
    for (size_t i = 0; i < l->n && i < max && used + 1 < cap; i++)
        used += (size_t)snprintf(buf + used, cap - used, "%s%s", i ? ", " : "", grn_list_get(l, i));
    if (l->n > max && used + 1 < cap) snprintf(buf + used, cap - used, " ... (%zu in all)", l->n);
    return buf;
}

char *grn_fmt_count(char *buf, uint64_t n)
{
    char plain[24];
    int len = snprintf(plain, sizeof plain, "%llu", (unsigned long long)n), used = 0;
    for (int i = 0; i < len; i++) {
        if (i && (len - i) % 3 == 0) buf[used++] = ',';
        buf[used++] = plain[i];
    }
    buf[used] = 0;
    return buf;
}

void grn_raw_clear(grn_raw_t *r)
{
    grn_list_t *lists[] = { &r->row,        &r->col,       &r->col_id, &r->col_type,
                            &r->col_genome, &r->cell_type, &r->donor };
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) grn_list_clear(lists[i]);
    for (size_t i = 0; i < sizeof r->also / sizeof *r->also; i++) grn_list_clear(&r->also[i]);
    free(r->indptr);
    free(r->indices);
    free(r->data);
    memset(r, 0, sizeof *r);
}

static void note(grn_odd_t *o, double v, uint64_t where)
{
    if (o->n++ == 0) o->first = v, o->where = where;
}

float grn_raw_odd(grn_raw_t *r, double v, uint64_t where)
{
    if (!isfinite((float)v)) {
        note(isnan(v) ? &r->nan : &r->infinite, v, where);
        return 0;
    }
    if (v < 0) note(&r->negative, v, where);
    if (v != floor(v)) note(&r->fraction, v, where);
    else if (fabs(v) > 16777216.0) note(&r->big, v, where);
    return (float)v;
}

int grn_raw_is_counts(const grn_raw_t *r)
{
    return r->infinite.n + r->negative.n + r->fraction.n + r->big.n == 0;
}

grn_status grn_raw_alloc(grn_raw_t *r, uint64_t n_rows, uint64_t n_cols, uint64_t nnz)
{
    grn_status rc = GRN_OK;
    if (n_cols > UINT32_MAX || n_rows > UINT32_MAX)
        return grn_err(GRN_EUNSUP, "a matrix of more than 4,294,967,295 rows or columns");
    r->n_rows = n_rows;
    r->n_cols = n_cols;
    GRN_TRY(GRN_NEW(r->indptr, n_rows + 1));
    GRN_TRY(GRN_NEW_RAW(r->indices, nnz));
    GRN_TRY(GRN_NEW_RAW(r->data, nnz));
end:
    return rc;
}

void grn_raw_prefix(uint64_t *indptr, uint64_t n_rows)
{
    for (uint64_t i = 0; i < n_rows; i++) indptr[i + 1] += indptr[i];
}

grn_status grn_raw_transpose(grn_raw_t *r)
{
    grn_status rc = GRN_OK;
    uint64_t nnz = r->indptr[r->n_rows], *indptr = NULL, *next = NULL;
    uint32_t *indices = NULL;
    float *data = NULL;
    GRN_TRY(GRN_NEW(indptr, r->n_cols + 1));
    GRN_TRY(GRN_NEW_RAW(next, r->n_cols));
    GRN_TRY(GRN_NEW_RAW(indices, nnz));
    GRN_TRY(GRN_NEW_RAW(data, nnz));
    for (uint64_t k = 0; k < nnz; k++) indptr[r->indices[k] + 1]++;
    grn_raw_prefix(indptr, r->n_cols);
    memcpy(next, indptr, r->n_cols * sizeof *next);
    for (uint64_t i = 0; i < r->n_rows; i++)
        for (uint64_t k = r->indptr[i]; k < r->indptr[i + 1]; k++) {
            uint64_t at = next[r->indices[k]]++;
            indices[at] = (uint32_t)i;
            data[at] = r->data[k];
        }
    free(r->indptr);
    free(r->indices);
    free(r->data);
    r->indptr = indptr;
    r->indices = indices;
    r->data = data;
    uint64_t n = r->n_rows;
    r->n_rows = r->n_cols;
    r->n_cols = n;
    indptr = NULL;
    indices = NULL;
    data = NULL;
end:
    free(indptr);
    free(next);
    free(indices);
    free(data);
    return rc;
}

static int by_key(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* Sorts the n entries of one row by column, keeping the order of equal columns (the key's low half
 * is the position). */
static void sort_row(uint32_t *idx, float *val, size_t n, uint64_t *key, float *tmp)
{
    for (size_t k = 0; k < n; k++) key[k] = (uint64_t)idx[k] << 32 | k;
    qsort(key, n, sizeof *key, by_key);
    memcpy(tmp, val, n * sizeof *val);
    for (size_t k = 0; k < n; k++) {
        idx[k] = (uint32_t)(key[k] >> 32);
        val[k] = tmp[key[k] & UINT32_MAX];
    }
}

grn_status grn_raw_tidy(grn_raw_t *r, uint64_t *n_dup)
{
    grn_status rc = GRN_OK;
    uint64_t *key = NULL, at = 0, dup = 0, begin = 0;
    float *tmp = NULL;
    size_t cap_key = 0, cap_tmp = 0;
    for (uint64_t i = 0; i < r->n_rows; i++) {
        uint64_t end = r->indptr[i + 1], first = at;
        int sorted = 1;
        for (uint64_t k = begin + 1; k < end && sorted; k++)
            sorted = r->indices[k - 1] <= r->indices[k];
        if (!sorted) {
            GRN_TRY(GRN_GROW(key, cap_key, end - begin));
            GRN_TRY(GRN_GROW(tmp, cap_tmp, end - begin));
            sort_row(r->indices + begin, r->data + begin, end - begin, key, tmp);
        }
        for (uint64_t k = begin; k < end; k++) {
            uint32_t j = r->indices[k];
            double v = r->data[k];
            uint64_t k0 = k;
            while (k + 1 < end && r->indices[k + 1] == j) v += r->data[++k], dup++;
            if (k != k0 && fabs(v) > 16777216.0 && v == floor(v))
                note(&r->big, v, 0); /* a sum can pass 2^24 */
            if (v == 0) continue;
            r->indices[at] = j;
            r->data[at++] = (float)v;
        }
        begin = end;
        r->indptr[i] = first;
    }
    r->indptr[r->n_rows] = at;
    if (n_dup) *n_dup = dup;
end:
    free(key);
    free(tmp);
    return rc;
}

grn_status grn_raw_map_cols(grn_raw_t *r, const uint32_t *map, uint64_t n_new)
{
    uint64_t at = 0, begin = 0;
    for (uint64_t i = 0; i < r->n_rows; i++) {
        uint64_t end = r->indptr[i + 1];
        for (uint64_t k = begin; k < end; k++) {
            uint32_t j = map[r->indices[k]];
            if (j == UINT32_MAX) continue;
            r->indices[at] = j;
            r->data[at++] = r->data[k];
        }
        begin = end;
        r->indptr[i + 1] = at;
    }
    r->n_cols = n_new;
    return grn_raw_tidy(r, NULL);
}
