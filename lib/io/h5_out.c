#include "io/h5_out.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "io/h5.h"

enum { CHUNK = 1 << 16, COPY = 1 << 20 };

static grn_status failed(const grn_h5o_t *o, const char *what)
{
    return grn_err(GRN_EIO, "cannot write %s of '%s' (is TMPDIR full?)", what, o->path);
}

grn_status grn_h5o_open(grn_h5o_t *o, const char *path)
{
    grn_status rc = GRN_OK;
    grn_str_t name = { 0 };
    grn_h5_init();
    *o = (grn_h5o_t){ .file = -1, .fd = -1 };
    GRN_TRY(GRN_NEW_RAW(o->path, strlen(path) + 1));
    memcpy(o->path, path, strlen(path) + 1);
    GRN_TRY(grn_out_open(&o->out, path, 1));
    GRN_TRY(grn_h5_tmp(&name, &o->fd));
    o->file = H5Fcreate(name.s, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    unlink(name.s); /* both descriptors stay open; nothing is left behind however this ends */
    if (o->file < 0) GRN_FAIL(GRN_EIO, "cannot create a temporary HDF5 file for '%s'", path);
end:
    grn_str_clear(&name);
    if (rc != GRN_OK) grn_h5o_abort(o);
    return rc;
}

void grn_h5o_abort(grn_h5o_t *o)
{
    if (!o->path) return;
    if (o->file >= 0) H5Fclose(o->file);
    if (o->fd >= 0) close(o->fd);
    grn_out_abort(o->out);
    free(o->path);
    *o = (grn_h5o_t){ .file = -1, .fd = -1 };
}

grn_status grn_h5o_commit(grn_h5o_t *o)
{
    grn_status rc = GRN_OK;
    grn_out_t *out = o->out;
    char *buf = NULL;
    hid_t file = o->file;
    o->file = -1;
    if (H5Fclose(file) < 0)
        GRN_FAIL(GRN_EIO, "cannot finish '%s' in its temporary file (is TMPDIR full?)", o->path);
    GRN_TRY(GRN_NEW_RAW(buf, COPY));
    off_t size = lseek(o->fd, 0, SEEK_END);
    if (size <= 0) GRN_FAIL(GRN_EIO, "cannot read back the temporary file of '%s'", o->path);
    for (off_t at = 0; at < size; at += COPY) {
        size_t n = size - at < COPY ? (size_t)(size - at) : COPY;
        GRN_TRY(grn_pread_full(o->fd, buf, n, (uint64_t)at, o->path));
        GRN_TRY(grn_out_write(out, buf, n));
    }
    o->out = NULL;
    rc = grn_out_commit(out);
end:
    free(buf);
    grn_h5o_abort(o);
    return rc;
}

/* Creation properties of an object without times. */
static hid_t quiet_props(hid_t cls)
{
    hid_t p = H5Pcreate(cls);
    if (p >= 0 && H5Pset_obj_track_times(p, 0) < 0) {
        H5Pclose(p);
        return -1;
    }
    return p;
}

grn_status grn_h5o_group(grn_h5o_t *o, const char *name)
{
    hid_t p = quiet_props(H5P_GROUP_CREATE);
    hid_t g = H5Gcreate2(o->file, name, H5P_DEFAULT, p, H5P_DEFAULT);
    grn_status rc = g < 0 || H5Gclose(g) < 0 ? failed(o, name) : GRN_OK;
    if (p >= 0) H5Pclose(p);
    return rc;
}

static hid_t utf8(void)
{
    hid_t t = H5Tcopy(H5T_C_S1);
    if (t >= 0 && (H5Tset_size(t, H5T_VARIABLE) < 0 || H5Tset_cset(t, H5T_CSET_UTF8) < 0)) {
        H5Tclose(t);
        return -1;
    }
    return t;
}

/* One attribute of any type; n == 0 with scalar: a scalar. */
static grn_status put_attr(grn_h5o_t *o, const char *obj, const char *name, hid_t type, int scalar,
                           size_t n, const void *data)
{
    hsize_t dim = n;
    hid_t at = H5Oopen(o->file, obj, H5P_DEFAULT);
    hid_t space = scalar ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, &dim, NULL);
    hid_t a = H5Acreate2(at, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    herr_t bad = a < 0 ? -1 : n ? H5Awrite(a, type, data) : 0;
    if (a >= 0) H5Aclose(a);
    if (space >= 0) H5Sclose(space);
    if (at >= 0) H5Oclose(at);
    return bad < 0 ? failed(o, name) : GRN_OK;
}

grn_status grn_h5o_attr_str(grn_h5o_t *o, const char *obj, const char *name, const char *value)
{
    hid_t t = utf8();
    grn_status rc = put_attr(o, obj, name, t, 1, 1, &value);
    if (t >= 0) H5Tclose(t);
    return rc;
}

grn_status grn_h5o_attr_list(grn_h5o_t *o, const char *obj, const char *name, const char *const *v,
                             size_t n)
{
    hid_t t = utf8();
    grn_status rc = put_attr(o, obj, name, t, 0, n, v);
    if (t >= 0) H5Tclose(t);
    return rc;
}

grn_status grn_h5o_attr_i64(grn_h5o_t *o, const char *obj, const char *name, const int64_t *v,
                            size_t n)
{
    return put_attr(o, obj, name, H5T_NATIVE_INT64, 0, n, v);
}

grn_status grn_h5o_attr_bool(grn_h5o_t *o, const char *obj, const char *name, int value)
{
    int8_t no = 0, yes = 1, v = value != 0;
    hid_t t = H5Tenum_create(H5T_STD_I8LE);
    if (t < 0 || H5Tenum_insert(t, "FALSE", &no) < 0 || H5Tenum_insert(t, "TRUE", &yes) < 0)
        return failed(o, name);
    grn_status rc = put_attr(o, obj, name, t, 1, 1, &v);
    H5Tclose(t);
    return rc;
}

grn_status grn_h5o_encoding(grn_h5o_t *o, const char *obj, const char *type, const char *version)
{
    grn_status rc = grn_h5o_attr_str(o, obj, "encoding-type", type);
    return rc == GRN_OK ? grn_h5o_attr_str(o, obj, "encoding-version", version) : rc;
}

/* Creates a rank-1 dataset of fixed size, optionally deflated, and writes it. */
static grn_status put_vec(grn_h5o_t *o, const char *name, hid_t file, hid_t mem, const void *data,
                          uint64_t n, int deflate)
{
    hsize_t dim = n, chunk = n < CHUNK ? n : CHUNK;
    hid_t p = quiet_props(H5P_DATASET_CREATE), space = H5Screate_simple(1, &dim, NULL), ds = -1;
    herr_t bad = p < 0 || space < 0 ? -1 : 0;
    if (!bad && deflate && n)
        bad = H5Pset_chunk(p, 1, &chunk) < 0 || H5Pset_shuffle(p) < 0 || H5Pset_deflate(p, 1) < 0
                  ? -1
                  : 0;
    if (!bad) ds = H5Dcreate2(o->file, name, file, space, H5P_DEFAULT, p, H5P_DEFAULT);
    if (ds < 0 || (n && H5Dwrite(ds, mem, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0)) bad = -1;
    if (ds >= 0 && H5Dclose(ds) < 0) bad = -1;
    if (space >= 0) H5Sclose(space);
    if (p >= 0) H5Pclose(p);
    return bad < 0 ? failed(o, name) : GRN_OK;
}

grn_status grn_h5o_vec(grn_h5o_t *o, const char *name, hid_t file, hid_t mem, const void *data,
                       uint64_t n)
{
    return put_vec(o, name, file, mem, data, n, 1);
}

grn_status grn_h5o_names(grn_h5o_t *o, const char *name, const grn_names_t *d)
{
    const char **v = NULL;
    grn_status rc = GRN_NEW_RAW(v, d->n);
    if (rc != GRN_OK) return rc;
    for (size_t i = 0; i < d->n; i++) v[i] = grn_names_get(d, i);
    hid_t t = utf8();
    rc = put_vec(o, name, t, t, v, d->n, 0);
    if (t >= 0) H5Tclose(t);
    free(v);
    return rc;
}

grn_status grn_h5o_fixed(grn_h5o_t *o, const char *name, uint64_t n,
                         const char *(*get)(const void *ctx, size_t i), const void *ctx)
{
    size_t width = 1;
    char *text = NULL;
    for (uint64_t i = 0; i < n; i++) {
        size_t len = strlen(get(ctx, i));
        if (len > width) width = len;
    }
    grn_status rc = GRN_OK;
    if (n && width > SIZE_MAX / n) return grn_err(GRN_ENOMEM, "names of '%s' are too long", name);
    rc = GRN_NEW(text, n * width);
    if (rc != GRN_OK) return rc;
    for (uint64_t i = 0; i < n; i++) {
        const char *s = get(ctx, i);
        memcpy(text + i * width, s, strlen(s));
    }
    hid_t t = H5Tcopy(H5T_C_S1);
    if (t < 0 || H5Tset_size(t, width) < 0 || H5Tset_strpad(t, H5T_STR_NULLPAD) < 0)
        rc = failed(o, name);
    else rc = put_vec(o, name, t, t, text, n, 1);
    if (t >= 0) H5Tclose(t);
    free(text);
    return rc;
}

grn_status grn_h5o_grow_open(grn_h5o_t *o, grn_h5o_grow_t *g, const char *name, hid_t file,
                             hid_t mem, uint64_t width)
{
    int n_dim = width ? 2 : 1;
    hsize_t dim[2] = { 0, width }, max[2] = { H5S_UNLIMITED, width }, chunk[2] = { CHUNK, width };
    if (width) chunk[0] = width >= CHUNK ? 1 : CHUNK / width;
    hid_t p = quiet_props(H5P_DATASET_CREATE), space = H5Screate_simple(n_dim, dim, max);
    *g = (grn_h5o_grow_t){ .ds = -1, .mem = mem, .width = width };
    if (p >= 0 && space >= 0 && H5Pset_chunk(p, n_dim, chunk) >= 0 && H5Pset_shuffle(p) >= 0 &&
        H5Pset_deflate(p, 1) >= 0)
        g->ds = H5Dcreate2(o->file, name, file, space, H5P_DEFAULT, p, H5P_DEFAULT);
    if (p >= 0) H5Pclose(p);
    if (space >= 0) H5Sclose(space);
    return g->ds < 0 ? failed(o, name) : GRN_OK;
}

grn_status grn_h5o_grow_append(grn_h5o_t *o, grn_h5o_grow_t *g, const void *data, uint64_t n)
{
    if (n == 0) return GRN_OK;
    int n_dim = g->width ? 2 : 1;
    hsize_t start[2] = { g->n, 0 }, count[2] = { n, g->width }, size[2] = { g->n + n, g->width };
    herr_t bad = H5Dset_extent(g->ds, size);
    hid_t space = H5Dget_space(g->ds), mem = H5Screate_simple(n_dim, count, NULL);
    if (space < 0 || mem < 0 ||
        H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL) < 0)
        bad = -1;
    if (bad >= 0) bad = H5Dwrite(g->ds, g->mem, mem, space, H5P_DEFAULT, data);
    if (space >= 0) H5Sclose(space);
    if (mem >= 0) H5Sclose(mem);
    g->n += n;
    return bad < 0 ? failed(o, "values") : GRN_OK;
}

void grn_h5o_grow_close(grn_h5o_grow_t *g)
{
    if (g->mem && g->ds >= 0) H5Dclose(g->ds);
    *g = (grn_h5o_grow_t){ 0 };
}

grn_status grn_h5o_rows_open(grn_h5o_rows_t *r, const char *path, const grn_names_t *col,
                             const grn_attrs_t *col_attr)
{
    grn_status rc = GRN_OK;
    *r = (grn_h5o_rows_t){ .o = { .file = -1, .fd = -1 }, .col = col, .col_attr = col_attr };
    GRN_TRY(GRN_GROW(r->indptr, r->cap_indptr, 1));
    r->indptr[0] = 0;
    GRN_TRY(grn_h5o_open(&r->o, path));
end:
    return rc;
}

grn_status grn_h5o_rows_add(grn_h5o_rows_t *r, const grn_matrix_t *m)
{
    grn_status rc = GRN_OK;
    int is_new;
    if (m->n_cols != r->col->n)
        GRN_FAIL(GRN_ESHAPE, "a block of %llu columns for a file of %zu",
                 (unsigned long long)m->n_cols, r->col->n);
    GRN_TRY(GRN_GROW(r->indptr, r->cap_indptr, r->n_rows + m->n_rows + 1));
    for (uint64_t i = 0; i < m->n_rows; i++) {
        GRN_TRY(grn_names_add(&r->row, grn_names_get(&m->row, i), NULL, &is_new));
        if (!is_new) GRN_FAIL(GRN_EINVAL, "barcode '%s' is there twice", grn_names_get(&m->row, i));
        int64_t n = m->is_dense ? 0 : (int64_t)(m->indptr[i + 1] - m->indptr[i]);
        r->indptr[r->n_rows + 1] = r->indptr[r->n_rows] + n;
        r->n_rows++;
    }
end:
    return rc;
}

grn_status grn_h5o_rows_commit(grn_h5o_rows_t *r)
{
    grn_h5o_grow_close(&r->data);
    grn_h5o_grow_close(&r->indices);
    return grn_h5o_commit(&r->o);
}

void grn_h5o_rows_clear(grn_h5o_rows_t *r)
{
    grn_h5o_grow_close(&r->data);
    grn_h5o_grow_close(&r->indices);
    grn_h5o_abort(&r->o);
    grn_names_clear(&r->row);
    free(r->indptr);
    *r = (grn_h5o_rows_t){ .o = { .file = -1, .fd = -1 } };
}
