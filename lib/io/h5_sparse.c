#include <stdio.h>

#include "base/mem.h"
#include "io/h5.h"

/* indptr of a compressed matrix, checked: starts at 0, never falls, ends at nnz. */
static grn_status load_indptr(const grn_h5_t *h, const char *group, uint64_t n_major, uint64_t nnz,
                              uint64_t *indptr)
{
    grn_status rc = GRN_OK;
    char path[512];
    int64_t *v = NULL;
    uint64_t n;
    snprintf(path, sizeof path, "%s/indptr", group);
    GRN_TRY(grn_h5_load_i64(h, path, &v, &n));
    if (n != n_major + 1)
        GRN_FAIL(GRN_EFORMAT, "'%s': '%s' has %llu values, %llu expected", h->path, path,
                 (unsigned long long)n, (unsigned long long)n_major + 1);
    for (uint64_t i = 0; i < n; i++) {
        if (v[i] < 0 || (uint64_t)v[i] > nnz || (i && v[i] < v[i - 1]) || (i == 0 && v[i] != 0))
            GRN_FAIL(GRN_EFORMAT,
                     "'%s': '%s' value %llu is %lld: row starts must rise from 0 to %llu", h->path,
                     path, (unsigned long long)i, (long long)v[i], (unsigned long long)nnz);
        indptr[i] = (uint64_t)v[i];
    }
    if (indptr[n - 1] != nnz)
        GRN_FAIL(GRN_EFORMAT, "'%s': '%s' ends at %llu, but there are %llu values", h->path, path,
                 (unsigned long long)indptr[n - 1], (unsigned long long)nnz);
end:
    free(v);
    return rc;
}

static grn_status load_indices(const grn_h5_ds_t *d, uint64_t n_minor, uint32_t *out)
{
    grn_status rc = GRN_OK;
    int64_t *v = NULL;
    uint64_t n = d->dim[0];
    GRN_TRY(GRN_NEW_RAW(v, n < d->block ? n : d->block));
    for (uint64_t at = 0; at < n; at += d->block) {
        uint64_t m = n - at < d->block ? n - at : d->block;
        GRN_TRY(grn_h5_read_i64(d, at, m, v));
        for (uint64_t k = 0; k < m; k++) {
            if (v[k] < 0 || (uint64_t)v[k] >= n_minor)
                GRN_FAIL(GRN_EFORMAT, "'%s': '%s' value %llu is %lld; indices of 0..%llu expected",
                         d->h->path, d->name, (unsigned long long)(at + k), (long long)v[k],
                         (unsigned long long)n_minor - 1);
            out[at + k] = (uint32_t)v[k];
        }
    }
end:
    free(v);
    return rc;
}

static grn_status load_values(const grn_h5_ds_t *d, grn_raw_t *raw)
{
    grn_status rc = GRN_OK;
    double *v = NULL;
    uint64_t n = d->dim[0];
    GRN_TRY(GRN_NEW_RAW(v, n < d->block ? n : d->block));
    snprintf(raw->where_word, sizeof raw->where_word, "'%.40s' value", d->name);
    for (uint64_t at = 0; at < n; at += d->block) {
        uint64_t m = n - at < d->block ? n - at : d->block;
        GRN_TRY(grn_h5_read_f64(d, at, m, v));
        for (uint64_t k = 0; k < m; k++) raw->data[at + k] = grn_raw_value(raw, v[k], at + k);
    }
end:
    free(v);
    return rc;
}

grn_status grn_h5_load_compressed(const grn_h5_t *h, const char *group, uint64_t n_major,
                                  uint64_t n_minor, grn_raw_t *raw)
{
    grn_status rc = GRN_OK;
    grn_h5_ds_t data = { 0 }, indices = { 0 };
    char path[512];
    snprintf(path, sizeof path, "%s/data", group);
    GRN_TRY(grn_h5_ds_open(&data, h, path, 1));
    snprintf(path, sizeof path, "%s/indices", group);
    GRN_TRY(grn_h5_ds_open(&indices, h, path, 1));
    if (data.dim[0] != indices.dim[0])
        GRN_FAIL(GRN_EFORMAT, "'%s': '%s' holds %llu data and %llu indices", h->path, group,
                 (unsigned long long)data.dim[0], (unsigned long long)indices.dim[0]);
    GRN_TRY(grn_raw_alloc(raw, n_major, n_minor, data.dim[0]));
    GRN_TRY(load_indptr(h, group, n_major, data.dim[0], raw->indptr));
    GRN_TRY(load_indices(&indices, n_minor, raw->indices));
    GRN_TRY(load_values(&data, raw));
end:
    grn_h5_ds_close(&data);
    grn_h5_ds_close(&indices);
    return rc;
}

grn_status grn_h5_load_dense(const grn_h5_t *h, const char *name, grn_raw_t *raw)
{
    grn_status rc = GRN_OK;
    grn_h5_ds_t d = { 0 };
    double *v = NULL;
    size_t cap_idx = 0, cap_val = 0;
    uint64_t nnz = 0;
    GRN_TRY(grn_h5_ds_open(&d, h, name, 2));
    uint64_t n = d.dim[0], width = d.dim[1], step = n < d.block ? n : d.block;
    GRN_TRY(grn_raw_alloc(raw, n, width, 0));
    snprintf(raw->where_word, sizeof raw->where_word, "'%.40s' row", name);
    if (width && step > SIZE_MAX / width)
        GRN_FAIL(GRN_ENOMEM, "'%s': '%s' is too wide", h->path, name);
    GRN_TRY(GRN_NEW_RAW(v, step * width));
    for (uint64_t at = 0; at < n; at += step) {
        uint64_t m = n - at < step ? n - at : step;
        GRN_TRY(grn_h5_read_f64(&d, at, m, v));
        GRN_TRY(GRN_GROW(raw->indices, cap_idx, nnz + m * width));
        GRN_TRY(GRN_GROW(raw->data, cap_val, nnz + m * width));
        for (uint64_t i = 0; i < m; i++) {
            for (uint64_t j = 0; j < width; j++) {
                double x = v[i * width + j];
                if (x == 0) continue;
                raw->indices[nnz] = (uint32_t)j;
                raw->data[nnz++] = grn_raw_value(raw, x, at + i);
            }
            raw->indptr[at + i + 1] = nnz;
        }
    }
end:
    free(v);
    grn_h5_ds_close(&d);
    return rc;
}
