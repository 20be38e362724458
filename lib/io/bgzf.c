#include "io/bgzf.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libdeflate.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/file.h"
#include "base/mem.h"

#define HEAD_N 12      /* of a gzip member, to the length of the extra field */
#define MAX_BLOCK 65536 /* compressed and inflated, by the format */
#define EOF_N 28

static const unsigned char eof_block[EOF_N] = { 0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff, 6, 0, 'B', 'C', 2, 0, 0x1b, 0, 3, 0 };

typedef struct { /* one set of spans and their bytes */
    unsigned char *data;
    size_t cap;
    grn_bgzf_span_t *span;
    size_t n_span, span_cap;
} set_t;

struct grn_bgzf_s {
    char *path;
    int fd, eof;
    uint64_t off;    /* file offset of the bytes behind those handed out */
    set_t set[2];
    int turn;
    XXH3_state_t *digest; /* of the bytes read */
    unsigned char *rest;  /* bytes of a block that is not whole yet */
    size_t n_rest, rest_cap;
};

static unsigned le16(const unsigned char *p)
{
    return p[0] | (unsigned)p[1] << 8;
}

static uint32_t le32(const unsigned char *p)
{
    return le16(p) | (uint32_t)le16(p + 2) << 16;
}

/* Bytes of the block at p; 0: more bytes are needed to tell; SIZE_MAX: not a block. *head: bytes in front of the deflate data. */
static size_t block_size(const unsigned char *p, size_t n, size_t *head)
{
    if (n < HEAD_N) return 0;
    if (p[0] != 0x1f || p[1] != 0x8b || p[2] != 8 || p[3] != 4) return SIZE_MAX;
    size_t extra = le16(p + 10);
    if (n < HEAD_N + extra) return 0;
    for (size_t at = HEAD_N; at + 4 <= HEAD_N + extra;) {
        size_t len = le16(p + at + 2);
        if (p[at] == 'B' && p[at + 1] == 'C' && len == 2 && at + 6 <= HEAD_N + extra) {
            size_t size = le16(p + at + 4) + (size_t)1;
            *head = HEAD_N + extra;
            return size >= *head + 8 ? size : SIZE_MAX;
        }
        at += 4 + len;
    }
    return SIZE_MAX;
}

int grn_bgzf_is(const char *path)
{
    unsigned char p[18];
    size_t head;
    uint64_t size;
    int fd, seekable;
    struct stat st;
    if (!strcmp(path, "-") || stat(path, &st) || !S_ISREG(st.st_mode)) return 0; /* a pipe can be opened only once */
    if (grn_in_open(path, &fd, &size, &seekable)) return 0;
    ssize_t n = seekable ? pread(fd, p, sizeof p, 0) : 0;
    close(fd);
    if (n != sizeof p) return 0;
    size_t k = block_size(p, sizeof p, &head);
    return k != 0 && k != SIZE_MAX;
}

void grn_bgzf_close(grn_bgzf_t *b)
{
    if (!b) return;
    if (b->fd >= 0) close(b->fd);
    for (int i = 0; i < 2; i++) {
        free(b->set[i].data);
        free(b->set[i].span);
    }
    XXH3_freeState(b->digest);
    free(b->rest);
    free(b->path);
    free(b);
}

grn_status grn_bgzf_open(grn_bgzf_t **out, const char *path)
{
    grn_status rc = GRN_OK;
    grn_bgzf_t *b;
    unsigned char tail[EOF_N];
    uint64_t size;
    int seekable;
    *out = NULL;
    GRN_TRY(GRN_NEW(b, 1));
    b->fd = -1;
    GRN_TRY(GRN_NEW_RAW(b->path, strlen(path) + 1));
    memcpy(b->path, path, strlen(path) + 1);
    GRN_TRY(grn_in_open(path, &b->fd, &size, &seekable));
    if (!seekable) GRN_FAIL(GRN_EIO, "'%s' is not a file that can be read at any place", path);
    if (size >= EOF_N) GRN_TRY(grn_pread_full(b->fd, tail, EOF_N, size - EOF_N, path));
    if (size < EOF_N || memcmp(tail, eof_block, EOF_N) != 0)
        GRN_FAIL(GRN_ETRUNC, "'%s' is truncated: its bgzf end-of-file block is missing", path);
    (void)posix_fadvise(b->fd, 0, 0, POSIX_FADV_SEQUENTIAL); /* advice only */
    b->digest = XXH3_createState();
    if (!b->digest) GRN_FAIL(GRN_ENOMEM, "out of memory for a digest");
    XXH3_128bits_reset(b->digest);
    *out = b;
    b = NULL;
end:
    grn_bgzf_close(b);
    return rc;
}

/* Reads until s->data holds n + want bytes or the file ends. */
static grn_status fill(grn_bgzf_t *b, set_t *s, size_t *n, size_t want)
{
    grn_status rc = GRN_GROW(s->data, s->cap, *n + want);
    if (rc) return rc;
    for (size_t stop = *n + want; *n < stop && !b->eof;) {
        ssize_t got = read(b->fd, s->data + *n, stop - *n);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return grn_err(GRN_EIO, "cannot read '%s': %s", b->path, strerror(errno));
        if (got == 0) b->eof = 1;
        XXH3_128bits_update(b->digest, s->data + *n, (size_t)got);
        *n += (size_t)got;
    }
    return GRN_OK;
}

static grn_status add_block(grn_bgzf_t *b, set_t *s, size_t at, size_t size, size_t span_text)
{
    uint32_t n_text = le32(s->data + at + size - 4);
    grn_status rc = GRN_GROW(s->span, s->span_cap, s->n_span + 1);
    if (rc) return rc;
    if (n_text > MAX_BLOCK) return grn_err(GRN_EFORMAT, "'%s' is damaged: a bgzip block near byte %" PRIu64 " says it holds %u bytes",
                                           b->path, b->off + at, n_text);
    if (!s->n_span || s->span[s->n_span - 1].n_text >= span_text)
        s->span[s->n_span++] = (grn_bgzf_span_t){ s->data + at, 0, 0, b->off + at };
    s->span[s->n_span - 1].n += size;
    s->span[s->n_span - 1].n_text += n_text;
    return GRN_OK;
}

int grn_bgzf_next(grn_bgzf_t *b, size_t want, size_t span_text, const grn_bgzf_span_t **span, size_t *n_span)
{
    grn_status rc = GRN_OK;
    set_t *s = &b->set[b->turn ^= 1];
    size_t n = b->n_rest, at = 0, head, size;
    s->n_span = 0;
    GRN_TRY(GRN_GROW(s->data, s->cap, n + MAX_BLOCK));
    if (b->n_rest) memcpy(s->data, b->rest, b->n_rest);
    GRN_TRY(fill(b, s, &n, want > MAX_BLOCK ? want : MAX_BLOCK));
    while ((size = block_size(s->data + at, n - at, &head)) != 0) {
        if (size == SIZE_MAX) GRN_FAIL(GRN_EFORMAT, "'%s' is damaged: no bgzip block at byte %" PRIu64, b->path, b->off + at);
        if (size > n - at) break;
        GRN_TRY(add_block(b, s, at, size, span_text));
        at += size;
    }
    if (b->eof && at < n) GRN_FAIL(GRN_ETRUNC, "'%s' is truncated: a bgzip block at byte %" PRIu64 " is cut", b->path, b->off + at);
    b->n_rest = n - at;
    GRN_TRY(GRN_GROW(b->rest, b->rest_cap, b->n_rest + 1));
    memcpy(b->rest, s->data + at, b->n_rest);
    b->off += at;
    *span = s->span;
    *n_span = s->n_span;
end:
    return rc ? (int)rc : s->n_span > 0;
}

void grn_bgzf_digest(const grn_bgzf_t *b, char hex[33])
{
    XXH128_hash_t h = XXH3_128bits_digest(b->digest);
    snprintf(hex, 33, "%016llx%016llx", (unsigned long long)h.high64, (unsigned long long)h.low64);
}

grn_status grn_inflater_create(grn_inflater_t **z)
{
    *z = libdeflate_alloc_decompressor();
    return *z ? GRN_OK : grn_err(GRN_ENOMEM, "out of memory for a decompressor");
}

void grn_inflater_destroy(grn_inflater_t *z)
{
    if (z) libdeflate_free_decompressor(z);
}

grn_status grn_bgzf_inflate(grn_inflater_t *z, const grn_bgzf_t *b, const grn_bgzf_span_t *span, char *out)
{
    for (size_t at = 0; at < span->n;) {
        const unsigned char *p = span->data + at;
        size_t head = 0, size = block_size(p, span->n - at, &head), n = le32(p + size - 4);
        enum libdeflate_result got = libdeflate_deflate_decompress(z, p + head, size - head - 8, out, n, NULL);
        if (got != LIBDEFLATE_SUCCESS || libdeflate_crc32(0, out, n) != le32(p + size - 8))
            return grn_err(GRN_EFORMAT, "'%s' is damaged: the bgzip block at byte %" PRIu64 " %s", b->path, span->off + at,
                           got == LIBDEFLATE_SUCCESS ? "does not match its checksum" : "does not unpack to the length it says");
        out += n;
        at += size;
    }
    return GRN_OK;
}
