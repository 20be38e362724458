/* Reading a container: the tables are checked at open, every frame when it is read. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>
#include <zstd.h>

#include "base/file.h"
#include "base/mem.h"
#include "io/container_priv.h"
#include "io/prov.h"

#define CACHE_N 8 /* frames kept decompressed for reads of parts */

typedef struct {
    uint64_t c_off, d_off, hash;
    grn_seek_entry_t e;
} frame_t;

typedef struct {
    size_t frame; /* which one; SIZE_MAX = none */
    uint64_t used;
    unsigned char *p;
} cached_t;

typedef struct {
    ZSTD_DCtx *dctx;
    unsigned char *c, *d; /* compressed, decompressed (grn_cr_check) */
    size_t c_cap, d_cap;
} scratch_t;

struct grn_cr_s {
    char *path;
    int fd;
    uint64_t size;
    grn_par_t *pool;
    frame_t *f; /* header and data frames */
    size_t n;
    grn_header_t head;
    grn_names_t names;  /* of tensors, index as in head.t */
    uint64_t data_off;  /* decompressed offset of the data section */
    scratch_t *scratch; /* one per worker */
    cached_t cache[CACHE_N];
    uint64_t clock;
};

/* ---- frames ---- */

static grn_status bad_frame(const grn_cr_t *r, size_t k, const char *what)
{
    return grn_err(GRN_EFORMAT, "'%s' is damaged: frame %zu of %zu %s", r->path, k, r->n, what);
}

static grn_status decode(grn_cr_t *r, size_t k, scratch_t *s, void *out)
{
    const frame_t *f = &r->f[k];
    grn_status rc;
    if (!s->dctx && !(s->dctx = ZSTD_createDCtx())) return grn_err(GRN_ENOMEM, "out of memory");
    if ((rc = GRN_GROW(s->c, s->c_cap, f->e.c_size))) return rc;
    if ((rc = grn_pread_full(r->fd, s->c, f->e.c_size, f->c_off, r->path))) return rc;
    if (XXH3_64bits(s->c, f->e.c_size) != f->hash)
        return bad_frame(r, k, "does not match its checksum");
    if (f->e.c_size < 9 || memcmp(s->c + f->e.c_size - 4, &f->e.check, 4) != 0)
        return bad_frame(r, k, "does not match the seek table");
    if (ZSTD_findFrameCompressedSize(s->c, f->e.c_size) != f->e.c_size ||
        ZSTD_getFrameContentSize(s->c, f->e.c_size) != f->e.d_size)
        return bad_frame(r, k, "is not of the size in the seek table");
    size_t n = ZSTD_decompressDCtx(s->dctx, out, f->e.d_size, s->c, f->e.c_size);
    if (ZSTD_isError(n)) return bad_frame(r, k, ZSTD_getErrorName(n));
    return n == f->e.d_size ? GRN_OK : bad_frame(r, k, "is short");
}

/* ---- open ---- */

void grn_cr_close(grn_cr_t *r)
{
    if (!r) return;
    if (r->fd > STDIN_FILENO) close(r->fd);
    if (r->scratch)
        for (int i = 0; i < grn_par_n(r->pool); i++) {
            ZSTD_freeDCtx(r->scratch[i].dctx);
            free(r->scratch[i].c);
            free(r->scratch[i].d);
        }
    for (int i = 0; i < CACHE_N; i++) free(r->cache[i].p);
    grn_header_clear(&r->head);
    grn_names_clear(&r->names);
    free(r->scratch);
    free(r->f);
    free(r->path);
    free(r);
}

static grn_status truncated(const grn_cr_t *r)
{
    return grn_err(GRN_ETRUNC,
                   "'%s' is truncated or not one of our files: it does not end with a seek table",
                   r->path);
}

static grn_status bad_table(const grn_cr_t *r)
{
    return grn_err(GRN_EFORMAT, "'%s' is damaged: its seek table is not valid", r->path);
}

/* A pipe is copied, as it is, to a temporary file. */
static grn_status spool(grn_cr_t *r)
{
    grn_status rc = GRN_OK;
    int tmp = -1;
    unsigned char *buf = NULL;
    GRN_TRY(GRN_NEW_RAW(buf, (size_t)1 << 20));
    GRN_TRY(grn_tmp_open(&tmp));
    r->size = 0;
    for (;;) {
        ssize_t k = read(r->fd, buf, (size_t)1 << 20);
        if (k < 0 && errno == EINTR) continue;
        if (k < 0) GRN_FAIL(GRN_EIO, "cannot read '%s': %s", r->path, strerror(errno));
        if (k == 0) break;
        GRN_TRY(grn_write_full(tmp, buf, (size_t)k, "temporary file"));
        r->size += (uint64_t)k;
    }
    if (r->fd > STDIN_FILENO) close(r->fd);
    r->fd = tmp;
    tmp = -1;
end:
    if (tmp >= 0) close(tmp);
    free(buf);
    return rc;
}

/* The whole seek table, checked against the size of the file. *n: frames without the index. */
static grn_status read_table(const grn_cr_t *r, unsigned char **table, size_t *n)
{
    grn_status rc = GRN_OK;
    unsigned char foot[9], *t = NULL;
    uint32_t magic, count, word[2];
    *table = NULL;
    if (r->size < GRN_CONTAINER_TABLE_N(1)) return truncated(r);
    GRN_TRY(grn_pread_full(r->fd, foot, 9, r->size - 9, r->path));
    memcpy(&count, foot, 4);
    memcpy(&magic, foot + 5, 4);
    if (magic != GRN_CONTAINER_FOOTER_MAGIC) return truncated(r);
    if (foot[4] != 0x80 || count < 2 || GRN_CONTAINER_TABLE_N(count - 1) > r->size)
        return bad_table(r);
    uint64_t table_n = GRN_CONTAINER_TABLE_N(count - 1);
    GRN_TRY(GRN_NEW_RAW(t, table_n));
    GRN_TRY(grn_pread_full(r->fd, t, table_n, r->size - table_n, r->path));
    memcpy(word, t, 8);
    if (word[0] != GRN_CONTAINER_TABLE_MAGIC || word[1] != table_n - 8)
        GRN_FAIL(GRN_EFORMAT, "'%s' is damaged: its seek table is not valid", r->path);
    *table = t;
    t = NULL;
    *n = count - 1;
end:
    free(t);
    return rc;
}

/* The index in front of the table: hashes of the frames, of the table and of itself. */
static grn_status check_index(grn_cr_t *r, const unsigned char *table, uint64_t index_off)
{
    grn_status rc = GRN_OK;
    uint64_t index_n = GRN_CONTAINER_INDEX_N(r->n), h;
    unsigned char *x = NULL;
    uint32_t word[2], version[2];
    GRN_TRY(GRN_NEW_RAW(x, index_n));
    GRN_TRY(grn_pread_full(r->fd, x, index_n, index_off, r->path));
    memcpy(word, x, 8);
    memcpy(version, x + 16, 8);
    if (word[0] != GRN_CONTAINER_INDEX_MAGIC || word[1] != index_n - 8 ||
        memcmp(x + 8, GRN_CONTAINER_INDEX_WORD, 8) != 0)
        GRN_FAIL(GRN_EFORMAT, "'%s' is a seekable zstd file, but not one of ours", r->path);
    if (version[0] != GRN_CONTAINER_INDEX_VERSION)
        GRN_FAIL(GRN_EUNSUP, "'%s' has container version %u; this program reads version %d",
                 r->path, version[0], GRN_CONTAINER_INDEX_VERSION);
    memcpy(&h, x + index_n - 8, 8);
    if (h != XXH3_64bits(x, index_n - 8) || version[1] != r->n)
        GRN_FAIL(GRN_EFORMAT, "'%s' is damaged: its frame index is not valid", r->path);
    memcpy(&h, x + index_n - 16, 8);
    if (h != XXH3_64bits(table, GRN_CONTAINER_TABLE_N(r->n)))
        GRN_FAIL(GRN_EFORMAT, "'%s' is damaged: its seek table is not valid", r->path);
    for (size_t i = 0; i < r->n; i++) memcpy(&r->f[i].hash, x + 24 + 8 * i, 8);
end:
    free(x);
    return rc;
}

static grn_status read_tail(grn_cr_t *r)
{
    grn_status rc = GRN_OK;
    unsigned char *t = NULL;
    uint64_t c = 0, d = 0;
    grn_seek_entry_t last;
    GRN_TRY(read_table(r, &t, &r->n));
    GRN_TRY(GRN_NEW(r->f, r->n));
    for (size_t i = 0; i < r->n; i++) {
        frame_t *f = &r->f[i];
        memcpy(&f->e, t + 8 + 12 * i, 12);
        f->c_off = c;
        f->d_off = d;
        c += f->e.c_size;
        d += f->e.d_size;
        if (f->e.d_size == 0 ||
            f->e.d_size > (i ? GRN_CONTAINER_FRAME : GRN_CONTAINER_HEADER_MAX + 8))
            GRN_TRY(bad_table(r));
    }
    memcpy(&last, t + 8 + 12 * r->n, 12);
    if (last.c_size != GRN_CONTAINER_INDEX_N(r->n) || last.d_size ||
        last.check != (uint32_t)XXH64("", 0, 0) ||
        c + last.c_size + GRN_CONTAINER_TABLE_N(r->n) != r->size)
        GRN_TRY(bad_table(r));
    GRN_TRY(check_index(r, t, c));
end:
    free(t);
    return rc;
}

static grn_status read_header(grn_cr_t *r)
{
    grn_status rc = GRN_OK;
    char *p = NULL;
    uint64_t n, d_n = r->f[0].e.d_size, end = r->f[r->n - 1].d_off + r->f[r->n - 1].e.d_size;
    GRN_TRY(GRN_NEW_RAW(p, d_n));
    GRN_TRY(decode(r, 0, &r->scratch[0], p));
    if (d_n > 8) memcpy(&n, p, 8);
    if (d_n <= 8 || n != d_n - 8)
        GRN_FAIL(GRN_EFORMAT, "'%s': the first frame is not a safetensors header", r->path);
    r->data_off = d_n;
    rc = grn_header_parse(&r->head, p + 8, (size_t)n, end - d_n);
    if (rc) rc = grn_err_prefix(rc, "'%s'", r->path);
    for (size_t i = 0; i < r->head.n && !rc; i++)
        rc = grn_names_add(&r->names, r->head.t[i].name, NULL, NULL);
    if (!rc && !grn_cr_schema(r))
        rc = grn_err(GRN_EFORMAT, "'%s' names no schema in its metadata", r->path);
end:
    free(p);
    return rc;
}

grn_status grn_cr_open(grn_cr_t **out, const char *path, grn_par_t *pool)
{
    grn_status rc = GRN_OK;
    grn_cr_t *r;
    int seekable;
    *out = NULL;
    if (GRN_NEW(r, 1)) return GRN_ENOMEM;
    r->fd = -1;
    r->pool = pool;
    for (int i = 0; i < CACHE_N; i++) r->cache[i].frame = SIZE_MAX;
    if (!(r->path = strdup(path))) GRN_FAIL(GRN_ENOMEM, "out of memory");
    GRN_TRY(GRN_NEW(r->scratch, (size_t)grn_par_n(pool)));
    GRN_TRY(grn_in_open(path, &r->fd, &r->size, &seekable));
    if (!seekable) GRN_TRY(spool(r));
    GRN_TRY(read_tail(r));
    GRN_TRY(read_header(r));
    GRN_TRY(grn_prov_input(path, grn_cr_meta(r, "chain")));
    *out = r;
    return GRN_OK;
end:
    grn_cr_close(r);
    return rc;
}

/* ---- what is in it ---- */

const char *grn_cr_path(const grn_cr_t *r)
{
    return r->path;
}

const char *grn_cr_schema(const grn_cr_t *r)
{
    return grn_cr_meta(r, "schema");
}

grn_status grn_cr_expect(const grn_cr_t *r, const char *name, int major)
{
    const char *s = grn_cr_schema(r);
    size_t n = strlen(name);
    int64_t v;
    if (strncmp(s, name, n) != 0 || s[n] != '/')
        return grn_err(GRN_EFORMAT, "'%s' holds %s; expected %s/%d", r->path, s, name, major);
    if (grn_parse_i64(s + n + 1, &v) || v < 1)
        return grn_err(GRN_EFORMAT, "'%s' has the schema '%s', which has no version", r->path, s);
    if (v > major)
        return grn_err(GRN_EUNSUP, "'%s' holds %s, which is newer than this program reads (%s/%d)",
                       r->path, s, name, major);
    return GRN_OK;
}

const char *grn_cr_meta(const grn_cr_t *r, const char *key)
{
    return grn_header_find_meta(&r->head, key);
}

size_t grn_cr_n_meta(const grn_cr_t *r)
{
    return r->head.n_meta;
}

void grn_cr_meta_at(const grn_cr_t *r, size_t i, const char **key, const char **value)
{
    *key = r->head.key[i];
    *value = r->head.value[i];
}

size_t grn_cr_n_tensors(const grn_cr_t *r)
{
    return r->head.n;
}

const grn_tensor_info_t *grn_cr_tensor_at(const grn_cr_t *r, size_t i)
{
    return &r->head.t[i];
}

const grn_tensor_info_t *grn_cr_find(const grn_cr_t *r, const char *name)
{
    size_t i = grn_names_find(&r->names, name);
    return i == GRN_NAMES_NONE ? NULL : &r->head.t[i];
}

grn_status grn_cr_need(const grn_cr_t *r, const char *name, grn_dtype t, int n_dim,
                       const grn_tensor_info_t **info)
{
    const grn_tensor_info_t *x = grn_cr_find(r, name);
    if (!x) return grn_err(GRN_EFORMAT, "'%s' has no tensor '%s'", r->path, name);
    if (x->dtype != t || x->n_dim != n_dim)
        return grn_err(GRN_EFORMAT, "'%s': tensor '%s' is %s of rank %d; expected %s of rank %d",
                       r->path, name, grn_dtype_name(x->dtype), x->n_dim, grn_dtype_name(t), n_dim);
    *info = x;
    return GRN_OK;
}

/* ---- data ---- */

/* A part of a tensor on its way: its frames are decompressed, converted and put where they belong, each by one worker. */
typedef struct {
    const grn_cr_part_t *p;
    size_t first, n;     /* frames */
    uint64_t begin, end; /* decompressed range wanted */
    cached_t *edge[2];   /* where the first and the last frame go when only a part of them is wanted */
} part_t;

typedef struct {
    grn_cr_t *r;
    part_t part[GRN_CR_MAX_PARTS];
    size_t n;
} read_job_t;

/* Bytes [lo, hi) of frame k, decompressed at `src` (from lo on), into the part's memory. */
static grn_status place(const grn_cr_t *r, const part_t *x, uint64_t lo, uint64_t hi, const unsigned char *src)
{
    const grn_cr_part_t *p = x->p;
    size_t from = grn_dtype_size(p->t->dtype), to = grn_dtype_size(p->as);
    grn_status rc = grn_dtype_convert(p->t->dtype, src, p->as, (unsigned char *)p->out + (lo - x->begin) / from * to, (hi - lo) / from);
    return rc ? grn_err_prefix(rc, "'%s': tensor '%s'", r->path, p->t->name) : GRN_OK;
}

static grn_status read_frame(grn_cr_t *r, const part_t *x, size_t k, scratch_t *s)
{
    const frame_t *f = &r->f[k];
    uint64_t end = f->d_off + f->e.d_size, lo = f->d_off > x->begin ? f->d_off : x->begin, hi = end < x->end ? end : x->end;
    grn_status rc;
    if (hi - lo < f->e.d_size) {
        cached_t *c = x->edge[k == x->first ? 0 : 1];
        if (c->frame != k && (rc = decode(r, k, s, c->p))) return rc;
        c->frame = k;
        return place(r, x, lo, hi, c->p + (lo - f->d_off));
    }
    if (x->p->t->dtype == x->p->as) return decode(r, k, s, (unsigned char *)x->p->out + (lo - x->begin));
    if ((rc = GRN_GROW(s->d, s->d_cap, f->e.d_size)) || (rc = decode(r, k, s, s->d))) return rc;
    return place(r, x, lo, hi, s->d);
}

static grn_status read_chunk(void *ctx, size_t begin, size_t end, int worker)
{
    read_job_t *j = ctx;
    for (size_t i = begin; i < end; i++) {
        const part_t *x = j->part;
        size_t k = i;
        for (; k >= x->n; x++) k -= x->n;
        grn_status rc = read_frame(j->r, x, x->first + k, &j->r->scratch[worker]);
        if (rc) return rc;
    }
    return GRN_OK;
}

/* The frame that holds decompressed byte `at`. */
static size_t frame_at(const grn_cr_t *r, uint64_t at)
{
    size_t lo = 0, hi = r->n;
    while (hi - lo > 1) {
        size_t mid = lo + (hi - lo) / 2;
        if (r->f[mid].d_off <= at) lo = mid;
        else hi = mid;
    }
    return lo;
}

/* The place of frame k in the cache, or the one used longest ago, emptied. One call asks for at most CACHE_N places, so it is never
 * one that this call was given before. */
static grn_status cache_place(grn_cr_t *r, size_t k, cached_t **out)
{
    cached_t *best = NULL;
    for (int i = 0; i < CACHE_N; i++) {
        cached_t *c = &r->cache[i];
        if (!best || c->frame == k || c->used < best->used) best = c;
        if (c->frame == k) break;
    }
    if (!best->p && !(best->p = grn_malloc(GRN_CONTAINER_FRAME, 1))) return GRN_ENOMEM;
    if (best->frame != k) best->frame = SIZE_MAX;
    best->used = ++r->clock;
    *out = best;
    return GRN_OK;
}

/* Frames of a part, and places for those at its ends. n == 0: nothing to read. */
static grn_status part_open(grn_cr_t *r, const grn_cr_part_t *p, part_t *x)
{
    size_t size = grn_dtype_size(p->t->dtype), last;
    grn_status rc = GRN_OK;
    uint64_t has = p->t->n_bytes / size;
    memset(x, 0, sizeof *x);
    x->p = p;
    if (p->from > has || p->n > has - p->from) return grn_err(GRN_EINVAL, "read beyond the end of tensor '%s'", p->t->name);
    if (p->n == 0) return GRN_OK;
    x->begin = r->data_off + p->t->off + p->from * size;
    x->end = x->begin + p->n * size;
    x->first = frame_at(r, x->begin);
    last = frame_at(r, x->end - 1);
    x->n = last - x->first + 1;
    for (int e = 0; e < 2 && !rc; e++) {
        size_t k = e ? last : x->first;
        const frame_t *f = &r->f[k];
        int is_cut = f->d_off < x->begin || f->d_off + f->e.d_size > x->end;
        if (is_cut && !(e && last == x->first)) rc = cache_place(r, k, &x->edge[e]);
    }
    return rc;
}

grn_status grn_cr_read_parts(grn_cr_t *r, const grn_cr_part_t *parts, size_t n)
{
    read_job_t j = { .r = r };
    grn_status rc;
    if (n > GRN_CR_MAX_PARTS) return grn_err(GRN_EINVAL, "%zu parts at a time", n);
    for (size_t i = 0; i < n; i++) {
        if ((rc = part_open(r, &parts[i], &j.part[i]))) return rc;
        j.n += j.part[i].n;
    }
    return grn_par_for(r->pool, j.n, 1, read_chunk, &j);
}

grn_status grn_cr_read(grn_cr_t *r, const grn_tensor_info_t *t, uint64_t off, void *out, size_t n)
{
    grn_tensor_info_t bytes = *t;
    grn_cr_part_t part = { &bytes, off, n, GRN_U8, out };
    bytes.dtype = GRN_U8;
    return grn_cr_read_parts(r, &part, 1);
}

grn_status grn_cr_load(grn_cr_t *r, const grn_tensor_info_t *t, void **out)
{
    *out = grn_malloc(t->n_bytes, 1);
    if (!*out) return grn_err_prefix(GRN_ENOMEM, "tensor '%s'", t->name);
    grn_status rc = grn_cr_read(r, t, 0, *out, (size_t)t->n_bytes);
    if (rc) free(*out), *out = NULL;
    return rc;
}

grn_status grn_cr_load_as(grn_cr_t *r, const grn_tensor_info_t *t, grn_dtype as, void **out)
{
    grn_cr_part_t part = { t, 0, t->n_bytes / grn_dtype_size(t->dtype), as, NULL };
    *out = NULL;
    if (part.n > SIZE_MAX || !(part.out = grn_malloc((size_t)part.n, grn_dtype_size(as))))
        return grn_err_prefix(GRN_ENOMEM, "tensor '%s'", t->name);
    grn_status rc = grn_cr_read_parts(r, &part, 1);
    if (rc) free(part.out);
    else *out = part.out;
    return rc;
}

grn_status grn_cr_load_names(grn_cr_t *r, const char *name, grn_names_t *d)
{
    const grn_tensor_info_t *t;
    void *text = NULL;
    grn_status rc = GRN_OK;
    GRN_TRY(grn_cr_need(r, name, GRN_U8, 1, &t));
    GRN_TRY(grn_cr_load(r, t, &text));
    rc = grn_names_split(d, text, (size_t)t->n_bytes);
    if (rc) rc = grn_err_prefix(rc, "'%s': tensor '%s'", r->path, name);
end:
    free(text);
    return rc;
}

static grn_status check_chunk(void *ctx, size_t begin, size_t end, int worker)
{
    grn_cr_t *r = ctx;
    scratch_t *s = &r->scratch[worker];
    for (size_t i = begin; i < end; i++) {
        grn_status rc = GRN_GROW(s->d, s->d_cap, r->f[i].e.d_size);
        if (!rc) rc = decode(r, i, s, s->d);
        if (rc) return rc;
    }
    return GRN_OK;
}

grn_status grn_cr_check(grn_cr_t *r)
{
    return grn_par_for(r->pool, r->n, 1, check_chunk, r);
}

int grn_cr_sniff(const char *path)
{
    static const unsigned char magic[4] = { 0x28, 0xb5, 0x2f, 0xfd };
    unsigned char *c = NULL, d[16] = { 0 };
    int fd = -1, yes = 0;
    size_t n = (size_t)1 << 18;
    ZSTD_DCtx *z = NULL;
    if (strcmp(path, "-") == 0 || (fd = open(path, O_RDONLY | O_CLOEXEC)) < 0) return 0;
    c = malloc(n);
    z = ZSTD_createDCtx();
    ssize_t k = c && z ? pread(fd, c, n, 0) : 0;
    if (k >= 9 && memcmp(c, magic, 4) == 0) {
        ZSTD_inBuffer in = { c, (size_t)k, 0 };
        ZSTD_outBuffer out = { d, sizeof d, 0 };
        uint64_t json_n;
        while (out.pos < out.size && in.pos < in.size &&
               !ZSTD_isError(ZSTD_decompressStream(z, &out, &in)));
        memcpy(&json_n, d, 8);
        yes = out.pos > 8 && d[8] == '{' && json_n <= GRN_CONTAINER_HEADER_MAX;
    }
    ZSTD_freeDCtx(z);
    free(c);
    close(fd);
    return yes;
}
