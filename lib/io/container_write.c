/* Writing a container: tensors are compressed as they come, spooled, and spliced behind the header
 * at the end. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>
#include <zstd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/opt.h"
#include "base/version.h"
#include "io/container_priv.h"
#include "io/prov.h"

#define SPOOL_MEM \
    ((uint64_t)32 << 20) /* compressed bytes of one file kept in memory; the rest goes to TMPDIR \
                          */

/* A compressed frame waiting for the end: in memory, or in the temporary file when mem is NULL. */
typedef struct {
    unsigned char *mem;
    uint64_t tmp_off;
    uint64_t hash;
    grn_seek_entry_t e;
} spooled_t;

typedef struct {
    char *name;
    grn_dtype dtype;
    int n_dim, ended;
    uint64_t shape[GRN_MAX_DIM];
    uint64_t n_bytes;
    size_t frame; /* uncompressed bytes of its frames */
    spooled_t *f;
    size_t n, cap;
    unsigned char *buf; /* appended, not yet compressed */
    size_t buf_n, buf_cap;
} tensor_t;

struct grn_cw_s {
    char *path;
    grn_out_t *out;
    grn_par_t *pool;
    grn_header_t head;
    tensor_t *t;
    size_t n, cap;
    grn_names_t names; /* of tensors, in order */
    ZSTD_CCtx **cctx;  /* one per worker */
    ZSTD_DCtx *dctx;   /* for widening */
    int tmp;           /* temporary file, -1 = not needed yet */
    size_t frame;      /* of tensors begun from now on */
    uint64_t tmp_n, mem_n;
};

/* ---- life ---- */

static void frames_free(grn_cw_t *w, tensor_t *t)
{
    for (size_t i = 0; i < t->n; i++) {
        if (t->f[i].mem) w->mem_n -= t->f[i].e.c_size;
        free(t->f[i].mem);
    }
    free(t->f);
    t->f = NULL;
    t->n = t->cap = 0;
}

static void writer_free(grn_cw_t *w)
{
    for (size_t i = 0; i < w->n; i++) {
        frames_free(w, &w->t[i]);
        free(w->t[i].name);
        free(w->t[i].buf);
    }
    if (w->cctx)
        for (int i = 0; i < grn_par_n(w->pool); i++) ZSTD_freeCCtx(w->cctx[i]);
    free(w->cctx);
    ZSTD_freeDCtx(w->dctx);
    grn_names_clear(&w->names);
    grn_header_clear(&w->head);
    if (w->tmp >= 0) close(w->tmp);
    free(w->t);
    free(w->path);
    free(w);
}

void grn_cw_abort(grn_cw_t *w)
{
    if (!w) return;
    grn_out_abort(w->out);
    writer_free(w);
}

static grn_status cctx_create(ZSTD_CCtx **c)
{
    *c = ZSTD_createCCtx();
    if (!*c) return grn_err(GRN_ENOMEM, "out of memory");
    if (ZSTD_isError(ZSTD_CCtx_setParameter(*c, ZSTD_c_compressionLevel, GRN_CONTAINER_LEVEL)) ||
        ZSTD_isError(ZSTD_CCtx_setParameter(*c, ZSTD_c_checksumFlag, 1)) ||
        ZSTD_isError(ZSTD_CCtx_setParameter(*c, ZSTD_c_contentSizeFlag, 1)))
        return grn_err(GRN_EUNSUP, "this zstd library refuses the parameters of the container");
    return GRN_OK;
}

grn_status grn_cw_open(grn_cw_t **out, const char *path, const char *schema, grn_par_t *pool)
{
    grn_status rc = GRN_OK;
    grn_cw_t *w;
    int n = grn_par_n(pool);
    *out = NULL;
    if (GRN_NEW(w, 1)) return GRN_ENOMEM;
    w->tmp = -1;
    w->pool = pool;
    w->frame = GRN_CONTAINER_FRAME;
    GRN_TRY(GRN_NEW(w->cctx, (size_t)n));
    for (int i = 0; i < n; i++) GRN_TRY(cctx_create(&w->cctx[i]));
    if (!(w->path = strdup(path))) GRN_FAIL(GRN_ENOMEM, "out of memory");
    GRN_TRY(grn_header_meta(&w->head, "schema", schema));
    GRN_TRY(grn_out_open(&w->out, path, 1));
    *out = w;
    return GRN_OK;
end:
    grn_cw_abort(w);
    return rc;
}

grn_status grn_cw_frame(grn_cw_t *w, size_t n_bytes)
{
    if (n_bytes < GRN_CONTAINER_FRAME_MIN || n_bytes > GRN_CONTAINER_FRAME || (n_bytes & (n_bytes - 1)))
        return grn_err(GRN_EINVAL, "frames of %zu bytes; a power of two from %zu to %zu is expected", n_bytes, GRN_CONTAINER_FRAME_MIN,
                       GRN_CONTAINER_FRAME);
    w->frame = n_bytes;
    return GRN_OK;
}

grn_status grn_cw_meta(grn_cw_t *w, const char *key, const char *value)
{
    static const char *const own[] = { "tool", "version", "command", "inputs", "seed", "chain" };
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (strcmp(key, own[i]) == 0)
            return grn_err(GRN_EINVAL, "metadata '%s' is filled in by the writer", key);
    return grn_header_meta(&w->head, key, value);
}

/* ---- frames ---- */

typedef struct {
    grn_cw_t *w;
    const unsigned char *src;
    size_t n, frame;
    spooled_t *f;
} compress_job_t;

static grn_status compress_frame(ZSTD_CCtx *c, const void *src, size_t n, spooled_t *f)
{
    size_t cap = ZSTD_compressBound(n);
    f->mem = grn_malloc(cap, 1);
    if (!f->mem) return GRN_ENOMEM;
    size_t k = ZSTD_compress2(c, f->mem, cap, src, n);
    if (ZSTD_isError(k))
        return grn_err(GRN_ENOMEM, "zstd cannot compress: %s", ZSTD_getErrorName(k));
    f->e.c_size = (uint32_t)k;
    f->e.d_size = (uint32_t)n;
    memcpy(&f->e.check, f->mem + k - 4, 4);
    f->hash = XXH3_64bits(f->mem, k);
    void *fit = realloc(f->mem, k); /* give the slack back; keeping it is no error */
    if (fit) f->mem = fit;
    return GRN_OK;
}

static grn_status compress_chunk(void *ctx, size_t begin, size_t end, int worker)
{
    compress_job_t *j = ctx;
    for (size_t i = begin; i < end; i++) {
        size_t at = i * j->frame, n = j->n - at < j->frame ? j->n - at : j->frame;
        grn_status rc = compress_frame(j->w->cctx[worker], j->src + at, n, &j->f[i]);
        if (rc) return rc;
    }
    return GRN_OK;
}

/* Frames beyond the budget move to the temporary file. */
static grn_status spill(grn_cw_t *w, spooled_t *f)
{
    grn_status rc;
    if (w->mem_n + f->e.c_size <= SPOOL_MEM) return w->mem_n += f->e.c_size, GRN_OK;
    if (w->tmp < 0 && (rc = grn_tmp_open(&w->tmp))) return rc;
    if ((rc = grn_write_full(w->tmp, f->mem, f->e.c_size, "temporary file"))) return rc;
    f->tmp_off = w->tmp_n;
    w->tmp_n += f->e.c_size;
    free(f->mem);
    f->mem = NULL;
    return GRN_OK;
}

/* Compresses n bytes into frames of the tensor's size (only the last may be shorter) behind those t
 * has; a batch at a time, so that memory is bounded. */
static grn_status add_frames(grn_cw_t *w, tensor_t *t, const unsigned char *src, size_t n)
{
    size_t batch = (size_t)grn_par_n(w->pool) * 2 * GRN_CONTAINER_FRAME;
    for (size_t at = 0; at < n; at += batch) {
        size_t m = n - at < batch ? n - at : batch, k = (m + t->frame - 1) / t->frame;
        grn_status rc = GRN_GROW(t->f, t->cap, t->n + k);
        if (rc) return rc;
        memset(t->f + t->n, 0, k * sizeof *t->f);
        compress_job_t j = { w, src + at, m, t->frame, t->f + t->n };
        rc = grn_par_for(w->pool, k, 1, compress_chunk, &j);
        for (size_t i = 0; i < k && !rc; i++) rc = spill(w, &j.f[i]);
        if (rc) { /* none of this batch counts; those within the budget were counted */
            for (size_t i = 0; i < k; i++) free(j.f[i].mem);
            return rc;
        }
        t->n += k;
    }
    return GRN_OK;
}

/* ---- tensors ---- */

static grn_status tensor_new(grn_cw_t *w, const char *name, grn_dtype dtype, size_t *id)
{
    int is_new;
    grn_status rc = GRN_GROW(w->t, w->cap, w->n + 1);
    if (rc) return rc;
    if (strcmp(name, "__metadata__") == 0)
        return grn_err(GRN_EINVAL, "a tensor cannot be called __metadata__");
    if ((rc = grn_names_add(&w->names, name, NULL, &is_new))) return rc;
    if (!is_new) return grn_err(GRN_EINVAL, "tensor '%s' is written twice", name);
    tensor_t *t = &w->t[w->n];
    memset(t, 0, sizeof *t);
    t->dtype = dtype;
    t->frame = w->frame;
    if (!(t->name = strdup(name))) return grn_err(GRN_ENOMEM, "out of memory");
    *id = w->n++;
    return GRN_OK;
}

static grn_status tensor_end(tensor_t *t, int n_dim, const uint64_t *shape)
{
    uint64_t want;
    if (n_dim < 0 || n_dim > GRN_MAX_DIM)
        return grn_err(GRN_EINVAL, "tensor '%s' has %d dimensions", t->name, n_dim);
    grn_status rc = grn_shape_bytes(t->dtype, n_dim, shape, &want);
    if (rc) return grn_err_prefix(rc, "tensor '%s'", t->name);
    if (want != t->n_bytes)
        return grn_err(GRN_ESHAPE, "tensor '%s' has %llu bytes, its shape %llu", t->name,
                       (unsigned long long)t->n_bytes, (unsigned long long)want);
    t->n_dim = n_dim;
    if (n_dim) memcpy(t->shape, shape, (size_t)n_dim * sizeof *shape);
    t->ended = 1;
    return GRN_OK;
}

grn_status grn_cw_tensor(grn_cw_t *w, const char *name, grn_dtype dtype, int n_dim,
                         const uint64_t *shape, const void *data)
{
    size_t id;
    grn_status rc = tensor_new(w, name, dtype, &id);
    if (rc) return rc;
    tensor_t *t = &w->t[id];
    if (n_dim < 0 || n_dim > GRN_MAX_DIM)
        return grn_err(GRN_EINVAL, "tensor '%s' has %d dimensions", name, n_dim);
    if ((rc = grn_shape_bytes(dtype, n_dim, shape, &t->n_bytes)))
        return grn_err_prefix(rc, "tensor '%s'", name);
    if ((rc = add_frames(w, t, data, (size_t)t->n_bytes))) return rc;
    return tensor_end(t, n_dim, shape);
}

grn_status grn_cw_vec(grn_cw_t *w, const char *name, grn_dtype t, uint64_t n, const void *data)
{
    return grn_cw_tensor(w, name, t, 1, &n, data);
}

grn_status grn_cw_names(grn_cw_t *w, const char *name, const grn_names_t *d)
{
    char *text;
    size_t n;
    grn_status rc = grn_names_join(d, &text, &n);
    if (rc) return rc;
    rc = grn_cw_vec(w, name, GRN_U8, n, text);
    free(text);
    return rc;
}

grn_status grn_cw_begin(grn_cw_t *w, const char *name, grn_dtype dtype, int *id)
{
    size_t k;
    grn_status rc = tensor_new(w, name, dtype, &k);
    if (!rc) *id = (int)k;
    return rc;
}

static grn_status check_open(const grn_cw_t *w, int id)
{
    if (id < 0 || (size_t)id >= w->n || w->t[id].ended)
        return grn_err(GRN_EINVAL, "tensor %d is not being written", id);
    return GRN_OK;
}

static grn_status append(grn_cw_t *w, tensor_t *t, const unsigned char *p, size_t n)
{
    size_t batch = (size_t)grn_par_n(w->pool) * 2 * GRN_CONTAINER_FRAME;
    grn_status rc;
    t->n_bytes += n;
    while (n) {
        if (t->buf_n == 0 && n >= batch) { /* straight from the caller */
            size_t whole = n / t->frame * t->frame;
            if ((rc = add_frames(w, t, p, whole))) return rc;
            p += whole;
            n -= whole;
            continue;
        }
        size_t m = batch - t->buf_n < n ? batch - t->buf_n : n;
        if ((rc = GRN_GROW(t->buf, t->buf_cap, t->buf_n + m))) return rc;
        memcpy(t->buf + t->buf_n, p, m);
        t->buf_n += m;
        p += m;
        n -= m;
        if (t->buf_n < batch) continue;
        if ((rc = add_frames(w, t, t->buf, t->buf_n))) return rc;
        t->buf_n = 0;
    }
    return GRN_OK;
}

grn_status grn_cw_append(grn_cw_t *w, int id, const void *data, size_t n_bytes)
{
    grn_status rc = check_open(w, id);
    return rc ? rc : append(w, &w->t[id], data, n_bytes);
}

static grn_status load_spooled(grn_cw_t *w, const spooled_t *f, unsigned char *dst)
{
    if (f->mem) return memcpy(dst, f->mem, f->e.c_size), GRN_OK;
    return grn_pread_full(w->tmp, dst, f->e.c_size, f->tmp_off, "temporary file");
}

/* Decompresses what `old` holds, converts it and appends it to t. */
static grn_status convert_frames(grn_cw_t *w, const tensor_t *old, tensor_t *t)
{
    grn_status rc = GRN_OK;
    size_t from = grn_dtype_size(old->dtype), to = grn_dtype_size(t->dtype),
           c_cap = ZSTD_compressBound(GRN_CONTAINER_FRAME);
    unsigned char *c = NULL, *d = NULL, *wide = NULL;
    GRN_TRY(GRN_NEW_RAW(c, c_cap));
    GRN_TRY(GRN_NEW_RAW(d, GRN_CONTAINER_FRAME));
    GRN_TRY(GRN_NEW_RAW(wide, GRN_CONTAINER_FRAME / from * to));
    for (size_t i = 0; i < old->n; i++) {
        const spooled_t *f = &old->f[i];
        GRN_TRY(load_spooled(w, f, c));
        size_t k = ZSTD_decompressDCtx(w->dctx, d, GRN_CONTAINER_FRAME, c, f->e.c_size);
        if (k != f->e.d_size) GRN_FAIL(GRN_EIO, "the temporary file has changed");
        GRN_TRY(grn_dtype_convert(old->dtype, d, t->dtype, wide, k / from));
        GRN_TRY(append(w, t, wide, k / from * to));
    }
    for (size_t at = 0; at < old->buf_n; at += GRN_CONTAINER_FRAME) {
        size_t k = old->buf_n - at < GRN_CONTAINER_FRAME ? old->buf_n - at : GRN_CONTAINER_FRAME;
        GRN_TRY(grn_dtype_convert(old->dtype, old->buf + at, t->dtype, wide, k / from));
        GRN_TRY(append(w, t, wide, k / from * to));
    }
end:
    free(c);
    free(d);
    free(wide);
    return rc;
}

grn_status grn_cw_widen(grn_cw_t *w, int id, grn_dtype to)
{
    grn_status rc = check_open(w, id);
    if (rc) return rc;
    tensor_t *t = &w->t[id], old = *t;
    if (t->dtype == to) return GRN_OK;
    if (old.n_bytes % grn_dtype_size(old.dtype))
        return grn_err(GRN_EINVAL, "tensor '%s' holds part of an element", t->name);
    if (!w->dctx && !(w->dctx = ZSTD_createDCtx())) return grn_err(GRN_ENOMEM, "out of memory");
    t->dtype = to;
    t->f = NULL;
    t->buf = NULL;
    t->n = t->cap = t->buf_n = t->buf_cap = 0;
    t->n_bytes = 0;
    rc = convert_frames(w, &old, t);
    frames_free(w, &old);
    free(old.buf);
    return rc;
}

grn_status grn_cw_end(grn_cw_t *w, int id, int n_dim, const uint64_t *shape)
{
    grn_status rc = check_open(w, id);
    if (rc) return rc;
    tensor_t *t = &w->t[id];
    if ((rc = add_frames(w, t, t->buf, t->buf_n))) return rc;
    free(t->buf);
    t->buf = NULL;
    t->buf_n = t->buf_cap = 0;
    return tensor_end(t, n_dim, shape);
}

/* ---- the end ---- */

static grn_status add_standard_meta(grn_header_t *h)
{
    grn_status rc = GRN_OK;
    char seed[32], *inputs = NULL, *chain = NULL;
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)grn_common.seed);
    GRN_TRY(grn_prov_inputs_json(&inputs));
    GRN_TRY(grn_prov_chain_json(&chain));
    GRN_TRY(grn_header_meta(h, "tool", grn_tool_name()));
    GRN_TRY(grn_header_meta(h, "version", grn_version()));
    GRN_TRY(grn_header_meta(h, "seed", seed));
    GRN_TRY(grn_header_meta(h, "inputs", inputs));
    if (!grn_common.no_pg) {
        char *command = NULL;
        rc = grn_utf8(grn_tool_command(), &command);
        if (!rc) rc = grn_header_meta(h, "command", command);
        free(command);
        if (!rc) rc = grn_header_meta(h, "chain", chain);
    }
end:
    free(inputs);
    free(chain);
    return rc;
}

/* Lists tensors in the header; order[i]: which tensor is i-th in the file. */
static grn_status lay_out(grn_cw_t *w, size_t *order, grn_str_t *json)
{
    grn_header_t *h = &w->head;
    grn_status rc = GRN_NEW(h->t, w->n);
    if (rc) return rc;
    for (size_t i = 0; i < w->n; i++) {
        const tensor_t *t = &w->t[i];
        grn_tensor_info_t *x = &h->t[i];
        if (!t->ended) return grn_err(GRN_EINVAL, "tensor '%s' was not finished", t->name);
        if (!(x->name = strdup(t->name))) return grn_err(GRN_ENOMEM, "out of memory");
        h->n++;
        x->dtype = t->dtype;
        x->n_dim = t->n_dim;
        memcpy(x->shape, t->shape, sizeof x->shape);
        x->n_bytes = t->n_bytes;
    }
    if ((rc = grn_header_build(h, json))) return rc;
    for (size_t i = 0; i < w->n; i++) order[i] = grn_names_find(&w->names, h->t[i].name);
    return GRN_OK;
}

static grn_status write_frame(grn_cw_t *w, const spooled_t *f, unsigned char *tmp)
{
    if (f->mem) return grn_out_write(w->out, f->mem, f->e.c_size);
    grn_status rc = load_spooled(w, f, tmp);
    return rc ? rc : grn_out_write(w->out, tmp, f->e.c_size);
}

/* The two skippable frames at the end of n data and header frames. */
static grn_status write_tail(grn_out_t *out, const grn_seek_entry_t *e, const uint64_t *hash,
                             size_t n)
{
    grn_status rc = GRN_OK;
    uint64_t index_n = GRN_CONTAINER_INDEX_N(n), table_n = GRN_CONTAINER_TABLE_N(n), h;
    unsigned char *x = NULL, *t = NULL;
    if (n >= (UINT32_MAX - 64) / 12) GRN_FAIL(GRN_EUNSUP, "more frames than a seek table can list");
    GRN_TRY(GRN_NEW(x, index_n));
    GRN_TRY(GRN_NEW(t, table_n));
    uint32_t table_head[2] = { GRN_CONTAINER_TABLE_MAGIC, (uint32_t)(table_n - 8) };
    grn_seek_entry_t index_entry = { (uint32_t)index_n, 0, (uint32_t)XXH64("", 0, 0) };
    uint32_t n_entry = (uint32_t)n + 1, footer = GRN_CONTAINER_FOOTER_MAGIC;
    memcpy(t, table_head, 8);
    for (size_t i = 0; i <= n; i++) memcpy(t + 8 + 12 * i, i < n ? &e[i] : &index_entry, 12);
    memcpy(t + table_n - 9, &n_entry, 4);
    t[table_n - 5] = 0x80; /* entries have checksums */
    memcpy(t + table_n - 4, &footer, 4);
    uint32_t index_head[2] = { GRN_CONTAINER_INDEX_MAGIC, (uint32_t)(index_n - 8) },
             version[2] = { GRN_CONTAINER_INDEX_VERSION, (uint32_t)n };
    memcpy(x, index_head, 8);
    memcpy(x + 8, GRN_CONTAINER_INDEX_WORD, 8);
    memcpy(x + 16, version, 8);
    memcpy(x + 24, hash, 8 * n);
    h = XXH3_64bits(t, table_n);
    memcpy(x + index_n - 16, &h, 8);
    h = XXH3_64bits(x, index_n - 8);
    memcpy(x + index_n - 8, &h, 8);
    GRN_TRY(grn_out_write(out, x, index_n));
    GRN_TRY(grn_out_write(out, t, table_n));
end:
    free(x);
    free(t);
    return rc;
}

static grn_status write_all(grn_cw_t *w, const size_t *order, const spooled_t *head)
{
    grn_status rc = GRN_OK;
    size_t n = 1, k = 0;
    grn_seek_entry_t *e = NULL;
    uint64_t *hash = NULL;
    unsigned char *tmp = NULL;
    for (size_t i = 0; i < w->n; i++) n += w->t[i].n;
    GRN_TRY(GRN_NEW(e, n));
    GRN_TRY(GRN_NEW(hash, n));
    GRN_TRY(GRN_NEW_RAW(tmp, ZSTD_compressBound(GRN_CONTAINER_FRAME)));
    e[k] = head->e;
    hash[k++] = head->hash;
    GRN_TRY(grn_out_write(w->out, head->mem, head->e.c_size));
    for (size_t i = 0; i < w->n; i++) {
        const tensor_t *t = &w->t[order[i]];
        for (size_t j = 0; j < t->n; j++) {
            e[k] = t->f[j].e;
            hash[k++] = t->f[j].hash;
            GRN_TRY(write_frame(w, &t->f[j], tmp));
        }
    }
    GRN_TRY(write_tail(w->out, e, hash, n));
end:
    free(e);
    free(hash);
    free(tmp);
    return rc;
}

grn_status grn_cw_commit(grn_cw_t *w)
{
    grn_status rc = GRN_OK;
    grn_str_t json = { 0 };
    spooled_t head = { 0 };
    size_t *order = NULL;
    GRN_TRY(GRN_NEW(order, w->n));
    GRN_TRY(add_standard_meta(&w->head));
    GRN_TRY(lay_out(w, order, &json));
    GRN_TRY(compress_frame(w->cctx[0], json.s, json.n, &head));
    GRN_TRY(write_all(w, order, &head));
    rc = grn_out_commit(w->out);
    w->out = NULL;
end:
    free(order);
    free(head.mem);
    grn_str_clear(&json);
    grn_cw_abort(w);
    return rc;
}
