#include "io/h5.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "base/file.h"
#include "base/mem.h"

enum { FILTER_LZF = 32000, FILTER_ZSTD = 32015 };

/* ---- filters ---- */

/* LibLZF format: a control byte c < 32 is followed by c + 1 literals; else a match of (c >> 5) + 2
 * bytes (7: one more length byte) at distance ((c & 31) << 8 | next) + 1. Returns bytes written, 0
 * if the data is damaged or does not fit. */
static size_t lzf_decode(const unsigned char *in, size_t n, unsigned char *out, size_t cap)
{
    size_t i = 0, o = 0;
    while (i < n) {
        size_t c = in[i++];
        if (c < 32) {
            if (i + c + 1 > n || o + c + 1 > cap) return 0;
            memcpy(out + o, in + i, c + 1);
            i += c + 1;
            o += c + 1;
            continue;
        }
        size_t len = c >> 5;
        if (len == 7) {
            if (i >= n) return 0;
            len += in[i++];
        }
        if (i >= n) return 0;
        size_t back = ((c & 31) << 8 | in[i++]) + 1;
        len += 2;
        if (back > o || o + len > cap) return 0;
        for (; len; len--, o++) out[o] = out[o - back];
    }
    return o;
}

/* Puts a decoded block in the place of the pipeline's buffer. */
static size_t swap_buffer(void **buf, size_t *buf_size, void *fresh, size_t cap, size_t n)
{
    if (n == 0) {
        H5free_memory(fresh);
        return 0;
    }
    H5free_memory(*buf);
    *buf = fresh;
    *buf_size = cap;
    return n;
}

static size_t lzf_filter(unsigned flags, size_t n_cd, const unsigned *cd, size_t n,
                         size_t *buf_size, void **buf)
{
    if (!(flags & H5Z_FLAG_REVERSE)) return 0;
    size_t cap =
        n_cd >= 3 && cd[2] ? cd[2] : n * 8 + 4096; /* third value: bytes of an undecoded chunk */
    void *fresh = H5allocate_memory(cap, 0);
    return fresh ? swap_buffer(buf, buf_size, fresh, cap, lzf_decode(*buf, n, fresh, cap)) : 0;
}

static size_t zstd_filter(unsigned flags, size_t n_cd, const unsigned *cd, size_t n,
                          size_t *buf_size, void **buf)
{
    (void)n_cd, (void)cd;
    if (!(flags & H5Z_FLAG_REVERSE)) return 0;
    unsigned long long cap = ZSTD_getFrameContentSize(*buf, n);
    if (cap == ZSTD_CONTENTSIZE_UNKNOWN || cap == ZSTD_CONTENTSIZE_ERROR || cap > (1ull << 32))
        return 0;
    void *fresh = H5allocate_memory((size_t)cap, 0);
    if (!fresh) return 0;
    size_t got = ZSTD_decompress(fresh, (size_t)cap, *buf, n);
    return swap_buffer(buf, buf_size, fresh, (size_t)cap, ZSTD_isError(got) ? 0 : got);
}

void grn_h5_init(void)
{
    static int done;
    static const H5Z_class2_t lzf = { H5Z_CLASS_T_VERS, FILTER_LZF, 0, 1, "lzf", NULL, NULL,
                                      lzf_filter };
    static const H5Z_class2_t zstd = { H5Z_CLASS_T_VERS, FILTER_ZSTD, 0,    1,
                                       "zstd",           NULL,        NULL, zstd_filter };
    if (done) return;
    done = 1;
    H5dont_atexit();
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    if (H5Zfilter_avail(FILTER_LZF) <= 0) H5Zregister(&lzf);
    if (H5Zfilter_avail(FILTER_ZSTD) <= 0) H5Zregister(&zstd);
    H5Eclear2(H5E_DEFAULT);
}

static const char *filter_name(int id)
{
    switch (id) {
    case 4: return "szip";
    case 305: return "lzo";
    case 307: return "bzip2";
    case FILTER_LZF: return "lzf";
    case 32001: return "blosc";
    case 32004: return "lz4";
    case 32008: return "bitshuffle";
    case 32013: return "zfp";
    case FILTER_ZSTD: return "zstd";
    case 32026: return "blosc2";
    default: return "unknown";
    }
}

/* ---- errors ---- */

typedef struct {
    char text[256];
    int truncated, filter;
} deepest_t;

/* Keeps the message nearest to the cause: the walk goes from the cause outwards. */
static herr_t walk(unsigned n, const H5E_error2_t *e, void *ctx)
{
    deepest_t *d = ctx;
    if (n == 0 && e->desc) snprintf(d->text, sizeof d->text, "%s", e->desc);
    if (e->desc && strstr(e->desc, "truncated file"))
        d->truncated = 1, snprintf(d->text, sizeof d->text, "%s", e->desc);
    if (e->desc && strstr(e->desc, "required filter"))
        d->filter = 1, snprintf(d->text, sizeof d->text, "%s", e->desc);
    return 0;
}

grn_status grn_h5_fail(const grn_h5_t *h, const char *fmt, ...)
{
    char msg[1024];
    deepest_t d = { { 0 }, 0, 0 };
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(msg, sizeof msg, fmt, ap);
    va_end(ap);
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, walk, &d);
    H5Eclear2(H5E_DEFAULT);
    if (d.truncated) return grn_err(GRN_ETRUNC, "'%s' is truncated (HDF5: %s)", h->path, d.text);
    grn_status code = d.filter ? GRN_EUNSUP : GRN_EFORMAT;
    if (!d.text[0]) return grn_err(code, "'%s': %s", h->path, msg);
    return grn_err(code, "'%s': %s (HDF5: %s)", h->path, msg, d.text);
}

/* ---- files and objects ---- */

int grn_h5_sniff(const char *path)
{
    grn_h5_init();
    htri_t yes = H5Fis_hdf5(path);
    H5Eclear2(H5E_DEFAULT);
    return yes > 0;
}

grn_status grn_h5_tmp(grn_str_t *name, int *fd)
{
    name->n = 0;
    grn_status rc = grn_str_printf(name, "%s/grn.XXXXXX", grn_tmp_dir());
    if (rc != GRN_OK) return rc;
    *fd = mkstemp(name->s);
    return *fd < 0
               ? grn_err(GRN_EIO, "cannot make a temporary file '%s': %s", name->s, strerror(errno))
               : GRN_OK;
}

/* Copies stdin to a temporary file that HDF5 can open, registered for removal. */
static grn_status spool_stdin(grn_str_t *name, size_t *slot)
{
    grn_status rc = GRN_OK;
    int fd = -1;
    char *buf = NULL;
    ssize_t n;
    lseek(STDIN_FILENO, 0, SEEK_SET);
    GRN_TRY(GRN_NEW_RAW(buf, 1 << 20));
    GRN_TRY(grn_h5_tmp(name, &fd));
    *slot = grn_pending_add(name->s);
    while ((n = read(STDIN_FILENO, buf, 1 << 20)) != 0) {
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) GRN_FAIL(GRN_EIO, "cannot read stdin: %s", strerror(errno));
        GRN_TRY(grn_write_full(fd, buf, (size_t)n, name->s));
    }
end:
    if (fd >= 0) close(fd);
    free(buf);
    return rc;
}

grn_status grn_h5_open(grn_h5_t *h, const char *path)
{
    grn_status rc = GRN_OK;
    hid_t fapl = -1;
    grn_str_t tmp = { 0 };
    size_t slot = SIZE_MAX;
    grn_h5_init();
    *h = (grn_h5_t){ .file = -1 };
    GRN_TRY(GRN_NEW_RAW(h->path, strlen(path) + 1));
    memcpy(h->path, path, strlen(path) + 1);
    if (strcmp(path, "-") == 0) {
        rc = spool_stdin(&tmp, &slot);
        if (rc != GRN_OK) goto end;
        path = tmp.s;
    }
    fapl = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_fclose_degree(fapl, H5F_CLOSE_STRONG);
    h->file = H5Fopen(path, H5F_ACC_RDONLY, fapl);
    h->loc = h->file;
    if (h->file < 0) rc = grn_h5_fail(h, "cannot be opened as HDF5");
end:
    if (tmp.s) unlink(tmp.s);
    grn_pending_drop(slot);
    grn_str_clear(&tmp);
    if (fapl >= 0) H5Pclose(fapl);
    if (rc != GRN_OK) grn_h5_close(h);
    return rc;
}

void grn_h5_close(grn_h5_t *h)
{
    if (h->path && h->file >= 0) H5Fclose(h->file);
    free(h->path);
    *h = (grn_h5_t){ .file = -1 };
}

grn_status grn_h5_enter(grn_h5_t *h, const char *group)
{
    hid_t g = H5Gopen2(h->loc, group, H5P_DEFAULT);
    if (g < 0) return grn_h5_fail(h, "cannot open group '%s'", group);
    h->loc = g; /* closed with the file */
    return GRN_OK;
}

grn_h5_kind grn_h5_kind_of(const grn_h5_t *h, const char *obj)
{
    grn_h5_kind kind = GRN_H5_NONE;
    hid_t id = H5Oopen(h->loc, obj, H5P_DEFAULT);
    if (id >= 0) {
        H5I_type_t t = H5Iget_type(id);
        kind = t == H5I_GROUP ? GRN_H5_GROUP : t == H5I_DATASET ? GRN_H5_DATASET : GRN_H5_NONE;
        H5Oclose(id);
    }
    H5Eclear2(H5E_DEFAULT);
    return kind;
}

typedef struct {
    grn_list_t *out;
    grn_status rc;
} members_t;

static herr_t add_member(hid_t group, const char *name, const H5L_info_t *info, void *ctx)
{
    members_t *m = ctx;
    (void)group, (void)info;
    m->rc = grn_list_add(m->out, name, strlen(name));
    return m->rc == GRN_OK ? 0 : -1;
}

grn_status grn_h5_members(const grn_h5_t *h, const char *group, grn_list_t *out)
{
    members_t m = { out, GRN_OK };
    hid_t g = H5Gopen2(h->loc, group, H5P_DEFAULT);
    if (g < 0) return grn_h5_fail(h, "cannot open group '%s'", group);
    hsize_t at = 0;
    herr_t bad = H5Literate(g, H5_INDEX_NAME, H5_ITER_INC, &at, add_member, &m);
    H5Gclose(g);
    if (m.rc != GRN_OK) return m.rc;
    return bad < 0 ? grn_h5_fail(h, "cannot list group '%s'", group) : GRN_OK;
}

/* ---- strings ---- */

/* Appends n strings held in `mem` as type `t` (vlen pointers or fixed width); trailing NULs and
 * blanks of fixed ones are padding. */
static grn_status add_strings(hid_t t, const void *mem, size_t n, grn_list_t *out)
{
    grn_status rc = GRN_OK;
    if (H5Tis_variable_str(t) > 0) {
        char *const *v = mem;
        for (size_t i = 0; i < n && rc == GRN_OK; i++)
            rc = grn_list_add(out, v[i] ? v[i] : "", v[i] ? strlen(v[i]) : 0);
        return rc;
    }
    size_t width = H5Tget_size(t);
    const char *p = mem;
    for (size_t i = 0; i < n && rc == GRN_OK; i++, p += width) {
        const char *z = memchr(p, 0, width);
        size_t len = z ? (size_t)(z - p) : width;
        while (len && p[len - 1] == ' ') len--;
        rc = grn_list_add(out, p, len);
    }
    return rc;
}

/* The memory type for a string type of a file: vlen as C strings, fixed as it is. */
static hid_t string_mem_type(hid_t file_type)
{
    if (H5Tis_variable_str(file_type) <= 0) return H5Tcopy(file_type);
    hid_t t = H5Tcopy(H5T_C_S1);
    H5Tset_size(t, H5T_VARIABLE);
    H5Tset_cset(t, H5Tget_cset(file_type));
    return t;
}

/* ---- attributes ---- */

static hid_t attr_open(const grn_h5_t *h, const char *obj, const char *name)
{
    hid_t a = -1;
    if (H5Aexists_by_name(h->loc, obj, name, H5P_DEFAULT) > 0)
        a = H5Aopen_by_name(h->loc, obj, name, H5P_DEFAULT, H5P_DEFAULT);
    H5Eclear2(H5E_DEFAULT);
    return a;
}

int grn_h5_attr_list(const grn_h5_t *h, const char *obj, const char *name, grn_list_t *out)
{
    hid_t a = attr_open(h, obj, name), t = -1, mem = -1, space = -1;
    void *buf = NULL;
    int rc = 0;
    if (a < 0) return 0;
    t = H5Aget_type(a);
    space = H5Aget_space(a);
    hssize_t n = H5Sget_simple_extent_npoints(space);
    if (H5Tget_class(t) != H5T_STRING || n < 0) goto end;
    mem = string_mem_type(t);
    size_t size = H5Tget_size(mem);
    if (size == 0 || (uint64_t)n > ((uint64_t)1 << 30) / size) goto end;
    buf = grn_calloc((size_t)n, size);
    if (!buf) {
        rc = GRN_ENOMEM;
        goto end;
    }
    if (n && H5Aread(a, mem, buf) < 0) {
        rc = grn_h5_fail(h, "cannot read attribute '%s' of '%s'", name, obj);
        goto end;
    }
    rc = add_strings(mem, buf, (size_t)n, out);
    if (rc == GRN_OK) rc = 1;
    if (n && H5Tis_variable_str(mem) > 0) H5Dvlen_reclaim(mem, space, H5P_DEFAULT, buf);
end:
    free(buf);
    if (mem >= 0) H5Tclose(mem);
    if (t >= 0) H5Tclose(t);
    if (space >= 0) H5Sclose(space);
    H5Aclose(a);
    return rc;
}

int grn_h5_attr_str(const grn_h5_t *h, const char *obj, const char *name, grn_str_t *out)
{
    grn_list_t l = { 0 };
    int rc = grn_h5_attr_list(h, obj, name, &l);
    out->n = 0;
    if (rc == 1 && l.n == 0) rc = 0;
    if (rc == 1) {
        grn_status bad = grn_str_puts(out, grn_list_get(&l, 0));
        if (bad != GRN_OK) rc = bad;
    }
    grn_list_clear(&l);
    return rc;
}

int grn_h5_attr_i64(const grn_h5_t *h, const char *obj, const char *name, int64_t *v, size_t max,
                    size_t *n)
{
    hid_t a = attr_open(h, obj, name);
    int rc = 0;
    *n = 0;
    if (a < 0) return 0;
    hid_t t = H5Aget_type(a), space = H5Aget_space(a);
    hssize_t got = H5Sget_simple_extent_npoints(space);
    if (H5Tget_class(t) == H5T_INTEGER && got >= 0 && (size_t)got <= max) {
        *n = (size_t)got;
        rc = got && H5Aread(a, H5T_NATIVE_INT64, v) < 0
                 ? (int)grn_h5_fail(h, "cannot read attribute '%s' of '%s'", name, obj)
                 : 1;
    }
    H5Tclose(t);
    H5Sclose(space);
    H5Aclose(a);
    return rc;
}

/* ---- datasets ---- */

/* Fails when a filter of the dataset is not to be had. */
static grn_status check_filters(const grn_h5_ds_t *d, hid_t dcpl)
{
    int n = H5Pget_nfilters(dcpl);
    for (int i = 0; i < n; i++) {
        unsigned flags, config;
        size_t n_cd = 0;
        char name[64] = "";
        H5Z_filter_t f =
            H5Pget_filter2(dcpl, (unsigned)i, &flags, &n_cd, NULL, sizeof name, name, &config);
        if (f >= 0 && H5Zfilter_avail(f) <= 0) {
            H5Eclear2(H5E_DEFAULT);
            return grn_err(GRN_EUNSUP,
                           "'%s': dataset '%s' is compressed with the HDF5 filter %d (%s), which "
                           "is not installed here: install its "
                           "plugin (HDF5_PLUGIN_PATH) or rewrite the file with gzip",
                           d->h->path, d->name, (int)f, filter_name((int)f));
        }
    }
    return GRN_OK;
}

/* A block of about 1M numbers, a whole number of chunks. */
static uint64_t block_size(const grn_h5_ds_t *d, hid_t dcpl)
{
    hsize_t chunk[2] = { 1, 1 };
    uint64_t width = d->n_dim == 2 && d->dim[1] ? d->dim[1] : 1;
    uint64_t want = width >= 1 << 20 ? 1 : (1 << 20) / width;
    if (H5Pget_layout(dcpl) != H5D_CHUNKED || H5Pget_chunk(dcpl, 2, chunk) < 1 || chunk[0] == 0)
        return want;
    uint64_t k = want / chunk[0];
    return (k ? k : 1) * chunk[0];
}

grn_status grn_h5_ds_open(grn_h5_ds_t *d, const grn_h5_t *h, const char *name, int n_dim)
{
    grn_status rc = GRN_OK;
    hid_t space = -1, dcpl = -1;
    hsize_t dim[H5S_MAX_RANK] = { 0 };
    *d = (grn_h5_ds_t){ .h = h, .id = -1, .type = -1 };
    GRN_TRY(GRN_NEW_RAW(d->name, strlen(name) + 1));
    memcpy(d->name, name, strlen(name) + 1);
    if (grn_h5_kind_of(h, name) != GRN_H5_DATASET)
        GRN_FAIL(GRN_EFORMAT, "'%s': no dataset '%s'", h->path, name);
    d->id = H5Dopen2(h->loc, name, H5P_DEFAULT);
    if (d->id < 0) GRN_TRY(grn_h5_fail(h, "cannot open dataset '%s'", name));
    d->type = H5Dget_type(d->id);
    d->cls = H5Tget_class(d->type);
    space = H5Dget_space(d->id);
    d->n_dim = H5Sget_simple_extent_type(space) == H5S_NULL
                   ? 1
                   : H5Sget_simple_extent_dims(space, dim, NULL);
    if (d->n_dim > 2 || d->n_dim < 0 || (n_dim >= 0 && d->n_dim != n_dim))
        GRN_FAIL(GRN_EFORMAT, "'%s': dataset '%s' has %d dimensions, %d expected", h->path, name,
                 d->n_dim, n_dim < 0 ? 2 : n_dim);
    d->dim[0] = d->n_dim ? dim[0] : 1;
    d->dim[1] = d->n_dim == 2 ? dim[1] : 1;
    dcpl = H5Dget_create_plist(d->id);
    GRN_TRY(check_filters(d, dcpl));
    d->block = block_size(d, dcpl);
end:
    if (space >= 0) H5Sclose(space);
    if (dcpl >= 0) H5Pclose(dcpl);
    if (rc != GRN_OK) grn_h5_ds_close(d);
    return rc;
}

void grn_h5_ds_close(grn_h5_ds_t *d)
{
    if (!d->h) return;
    if (d->type >= 0) H5Tclose(d->type);
    if (d->id >= 0) H5Dclose(d->id);
    free(d->name);
    memset(d, 0, sizeof *d);
}

int grn_h5_ds_is_number(const grn_h5_ds_t *d)
{
    return d->cls == H5T_INTEGER || d->cls == H5T_FLOAT || d->cls == H5T_ENUM;
}

/* A hyperslab of elements or rows into out; enums are read as their integers. */
static grn_status read_slab(const grn_h5_ds_t *d, uint64_t off, uint64_t n, hid_t mem, void *out)
{
    hsize_t start[2] = { off, 0 }, count[2] = { n, d->dim[1] };
    if (n == 0 || d->dim[1] == 0) return GRN_OK;
    hid_t space = H5Dget_space(d->id),
          mspace = H5Screate_simple(d->n_dim == 2 ? 2 : 1, count, NULL);
    herr_t bad = space < 0 || mspace < 0 ? -1 : 0;
    if (!bad && d->n_dim > 0)
        bad = H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL);
    if (bad >= 0 && d->cls == H5T_ENUM) {
        int8_t *b = out; /* bool as h5py writes it: an 8-bit enum, spread out from the end */
        uint64_t total = n * d->dim[1];
        bad =
            H5Tget_size(d->type) == 1 ? H5Dread(d->id, d->type, mspace, space, H5P_DEFAULT, b) : -1;
        for (uint64_t k = total; bad >= 0 && k-- > 0;) {
            if (mem == H5T_NATIVE_DOUBLE) ((double *)out)[k] = b[k];
            else ((int64_t *)out)[k] = b[k];
        }
    } else if (bad >= 0) {
        bad = H5Dread(d->id, mem, mspace, space, H5P_DEFAULT, out);
    }
    if (space >= 0) H5Sclose(space);
    if (mspace >= 0) H5Sclose(mspace);
    return bad < 0 ? grn_h5_fail(d->h, "cannot read dataset '%s': damaged or cut", d->name)
                   : GRN_OK;
}

grn_status grn_h5_read_f64(const grn_h5_ds_t *d, uint64_t off, uint64_t n, double *out)
{
    if (!grn_h5_ds_is_number(d))
        return grn_err(GRN_EFORMAT, "'%s': dataset '%s' holds no numbers", d->h->path, d->name);
    return read_slab(d, off, n, H5T_NATIVE_DOUBLE, out);
}

grn_status grn_h5_read_i64(const grn_h5_ds_t *d, uint64_t off, uint64_t n, int64_t *out)
{
    if (d->cls != H5T_INTEGER && d->cls != H5T_ENUM)
        return grn_err(GRN_EFORMAT, "'%s': dataset '%s' holds no integers", d->h->path, d->name);
    return read_slab(d, off, n, H5T_NATIVE_INT64, out);
}

grn_status grn_h5_load_i64(const grn_h5_t *h, const char *name, int64_t **out, uint64_t *n)
{
    grn_status rc = GRN_OK;
    grn_h5_ds_t d = { 0 };
    int64_t *v = NULL;
    GRN_TRY(grn_h5_ds_open(&d, h, name, 1));
    GRN_TRY(GRN_NEW_RAW(v, d.dim[0]));
    GRN_TRY(grn_h5_read_i64(&d, 0, d.dim[0], v));
    *out = v;
    *n = d.dim[0];
    v = NULL;
end:
    free(v);
    grn_h5_ds_close(&d);
    return rc;
}

/* ---- text of any column ---- */

static grn_status add_numbers(const double *v, uint64_t n, int is_bool, grn_list_t *out)
{
    grn_status rc = GRN_OK;
    char buf[40];
    for (uint64_t i = 0; i < n && rc == GRN_OK; i++) {
        if (is_bool) snprintf(buf, sizeof buf, "%s", v[i] != 0 ? "True" : "False");
        else if (isnan(v[i])) buf[0] = 0;
        else if (v[i] == floor(v[i]) && fabs(v[i]) < 9e15)
            snprintf(buf, sizeof buf, "%lld", (long long)v[i]);
        else grn_fmt_f64(buf, v[i]);
        rc = grn_list_add(out, buf, strlen(buf));
    }
    return rc;
}

/* One column (a dataset, or one member of a compound one) read whole with a memory type of its own.
 */
static grn_status load_column(const grn_h5_ds_t *d, const char *field, hid_t type, grn_list_t *out)
{
    grn_status rc = GRN_OK;
    H5T_class_t cls = H5Tget_class(type);
    hid_t elem = cls == H5T_STRING ? string_mem_type(type)
                 : cls == H5T_ENUM ? H5Tcopy(type)
                                   : H5Tcopy(H5T_NATIVE_DOUBLE);
    hid_t mem = elem, space = -1;
    size_t size = H5Tget_size(elem);
    void *buf = NULL;
    double *num = NULL;
    if (cls != H5T_STRING && cls != H5T_ENUM && cls != H5T_INTEGER && cls != H5T_FLOAT)
        GRN_FAIL(GRN_EFORMAT, "'%s': column '%s%s%s' is neither text nor numbers", d->h->path,
                 d->name, field ? "." : "", field ? field : "");
    if (field) {
        mem = H5Tcreate(H5T_COMPOUND, size);
        if (mem < 0 || H5Tinsert(mem, field, 0, elem) < 0)
            GRN_FAIL(GRN_EFORMAT, "'%s': no member '%s' in '%s'", d->h->path, field, d->name);
    }
    buf = grn_calloc(d->dim[0], size);
    if (!buf) GRN_FAIL(GRN_ENOMEM, "out of memory for '%s'", d->name);
    space = H5Dget_space(d->id);
    if (d->dim[0] && H5Dread(d->id, mem, H5S_ALL, H5S_ALL, H5P_DEFAULT, buf) < 0)
        GRN_TRY(grn_h5_fail(d->h, "cannot read dataset '%s': damaged or cut", d->name));
    if (cls == H5T_STRING) {
        rc = add_strings(elem, buf, d->dim[0], out);
        if (d->dim[0] && H5Tis_variable_str(elem) > 0)
            H5Dvlen_reclaim(mem, space, H5P_DEFAULT, buf);
    } else if (cls == H5T_ENUM) {
        GRN_TRY(GRN_NEW_RAW(num, d->dim[0]));
        if (size != 1)
            GRN_FAIL(GRN_EUNSUP, "'%s': enum column '%s' is no boolean", d->h->path, d->name);
        for (uint64_t i = 0; i < d->dim[0]; i++) num[i] = ((const int8_t *)buf)[i];
        rc = add_numbers(num, d->dim[0], 1, out);
    } else {
        rc = add_numbers(buf, d->dim[0], 0, out);
    }
end:
    free(buf);
    free(num);
    if (space >= 0) H5Sclose(space);
    if (mem != elem && mem >= 0) H5Tclose(mem);
    if (elem >= 0) H5Tclose(elem);
    return rc;
}

/* The type of member `field`, or of the dataset itself. -1: no such member. */
static hid_t column_type(const grn_h5_ds_t *d, const char *field)
{
    if (!field) return H5Tcopy(d->type);
    int i = d->cls == H5T_COMPOUND ? H5Tget_member_index(d->type, field) : -1;
    H5Eclear2(H5E_DEFAULT);
    return i < 0 ? -1 : H5Tget_member_type(d->type, (unsigned)i);
}

grn_status grn_h5_load_text(const grn_h5_t *h, const char *name, const char *field, grn_list_t *out)
{
    grn_status rc = GRN_OK;
    grn_h5_ds_t d = { 0 };
    hid_t type = -1;
    GRN_TRY(grn_h5_ds_open(&d, h, name, 1));
    type = column_type(&d, field);
    if (type < 0) GRN_FAIL(GRN_EFORMAT, "'%s': no member '%s' in '%s'", h->path, field, name);
    rc = load_column(&d, field, type, out);
end:
    if (type >= 0) H5Tclose(type);
    grn_h5_ds_close(&d);
    return rc;
}

grn_status grn_h5_fields(const grn_h5_t *h, const char *name, grn_list_t *out)
{
    grn_h5_ds_t d = { 0 };
    grn_status rc = grn_h5_ds_open(&d, h, name, 1);
    if (rc != GRN_OK) return rc;
    int n = d.cls == H5T_COMPOUND ? H5Tget_nmembers(d.type) : 0;
    for (int i = 0; i < n && rc == GRN_OK; i++) {
        char *m = H5Tget_member_name(d.type, (unsigned)i);
        rc = m ? grn_list_add(out, m, strlen(m))
               : grn_h5_fail(h, "cannot read the members of '%s'", name);
        H5free_memory(m);
    }
    grn_h5_ds_close(&d);
    return rc;
}

grn_status grn_h5_field_i64(const grn_h5_t *h, const char *name, const char *field, int64_t **out,
                            uint64_t *n)
{
    grn_status rc = GRN_OK;
    grn_h5_ds_t d = { 0 };
    hid_t type = -1, mem = -1;
    int64_t *v = NULL;
    GRN_TRY(grn_h5_ds_open(&d, h, name, 1));
    type = column_type(&d, field);
    if (type < 0 || H5Tget_class(type) != H5T_INTEGER)
        GRN_FAIL(GRN_EFORMAT, "'%s': '%s' in '%s' is no integer column", h->path, field, name);
    GRN_TRY(GRN_NEW_RAW(v, d.dim[0]));
    mem = H5Tcreate(H5T_COMPOUND, sizeof *v);
    if (mem < 0 || H5Tinsert(mem, field, 0, H5T_NATIVE_INT64) < 0 ||
        (d.dim[0] && H5Dread(d.id, mem, H5S_ALL, H5S_ALL, H5P_DEFAULT, v) < 0))
        GRN_TRY(grn_h5_fail(h, "cannot read '%s' of '%s'", field, name));
    *out = v;
    *n = d.dim[0];
    v = NULL;
end:
    free(v);
    if (mem >= 0) H5Tclose(mem);
    if (type >= 0) H5Tclose(type);
    grn_h5_ds_close(&d);
    return rc;
}
