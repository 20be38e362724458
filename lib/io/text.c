#include "io/text.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"

enum { IN_CAP = 1 << 17, OUT_STEP = 1 << 18 };
typedef enum { PLAIN, GZIP, ZSTD } kind_t;

struct grn_text_s {
    char *path;
    int fd;
    kind_t kind;
    unsigned char *in; /* compressed bytes read and not yet used: in[in_pos..in_n) */
    size_t in_pos, in_n;
    int in_eof;
    uint64_t in_total; /* bytes read from the file */
    char *buf;         /* text not yet returned: buf[beg..end), buf[nul] is the first NUL byte */
    size_t beg, end, cap;
    size_t nul;
    int eof; /* no more text */
    uint64_t line;
    int unfinished; /* the line returned last had no newline */
    z_stream gz;
    int gz_live, is_bgzf, member_open;
    uint64_t member_out; /* text bytes of the current or last member */
    ZSTD_DStream *zs;
    size_t zs_need; /* last answer of ZSTD_decompressStream; 0 = between frames */
};
#define NO_NUL ((size_t)-1)

const char *grn_magic_name(const void *p, size_t n)
{
    static const struct {
        const char *magic;
        size_t n;
        const char *name;
    } known[] = {
        { "\x89HDF\r\n\x1a\n", 8, "an HDF5 file" },
        { "PK\003\004", 4, "a zip file (npz, xlsx, pt?)" },
        { "BAM\001", 4, "a BAM file" },
        { "CRAM", 4, "a CRAM file" },
        { "BZh", 3, "a bzip2 file" },
        { "\xfd"
          "7zXZ",
          5, "an xz file" },
        { "\x93NUMPY", 6, "a NumPy file" },
        { "%PDF", 4, "a PDF file" },
        { "\x7f"
          "ELF",
          4, "a program" },
        { "SQLite format 3", 15, "an SQLite database" },
        { "ARROW1", 6, "an Arrow or Feather file (of cisTarget: scripts/cistarget_feather.py converts it)" },
        { "FEA1", 4, "a Feather file (of cisTarget: scripts/cistarget_feather.py converts it)" },
        { "PAR1", 4, "a Parquet file" },
        { "TBI\001", 4, "a tabix index" },
        { "\xff\xfe", 2, "a UTF-16 text file" },
        { "\xfe\xff", 2, "a UTF-16 text file" },
        { "X\n\0\0\0", 5, "an R data file (rds)" },
        { "RDX3\n", 5, "an R data file (RData)" },
        { "RDX2\n", 5, "an R data file (RData)" },
        { "\x1a\x45\xdf\xa3", 4, "a Matroska file" },
        { "\xd0\xcf\x11\xe0", 4, "a Microsoft Office file (xls?)" },
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (n >= known[i].n && memcmp(p, known[i].magic, known[i].n) == 0) return known[i].name;
    return NULL;
}

/* Reads more compressed bytes behind those left. */
static grn_status refill(grn_text_t *t)
{
    if (t->in_eof) return GRN_OK;
    memmove(t->in, t->in + t->in_pos, t->in_n - t->in_pos);
    t->in_n -= t->in_pos;
    t->in_pos = 0;
    ssize_t r;
    do r = read(t->fd, t->in + t->in_n, IN_CAP - t->in_n);
    while (r < 0 && errno == EINTR);
    if (r < 0) return grn_err(GRN_EIO, "cannot read '%s': %s", t->path, strerror(errno));
    t->in_eof = r == 0;
    t->in_n += (size_t)r;
    t->in_total += (uint64_t)r;
    return GRN_OK;
}

/* At least `want` compressed bytes at in_pos, unless the file ends before. */
static grn_status refill_to(grn_text_t *t, size_t want)
{
    while (t->in_n - t->in_pos < want && !t->in_eof) {
        grn_status rc = refill(t);
        if (rc != GRN_OK) return rc;
    }
    return GRN_OK;
}

static int zeros_only(const unsigned char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i]) return 0;
    return 1;
}

/* Between gzip members: starts the next one, or ends the text. */
static grn_status gz_member(grn_text_t *t)
{
    grn_status rc = refill_to(t, 18);
    if (rc != GRN_OK) return rc;
    const unsigned char *p = t->in + t->in_pos;
    size_t n = t->in_n - t->in_pos;
    if (n == 0 || zeros_only(p, n)) {
        t->in_pos = t->in_n;
        if (!t->in_eof) return GRN_OK; /* zero padding (tapes): look on */
        if (t->is_bgzf && t->member_out)
            return grn_err(GRN_ETRUNC, "'%s' is truncated: its bgzf end-of-file block is missing",
                           t->path);
        t->eof = 1;
        return GRN_OK;
    }
    if (n == 1 && p[0] == 0x1f)
        return grn_err(GRN_ETRUNC, "'%s' is truncated: its gzip data ends early, after %llu bytes",
                       t->path, (unsigned long long)t->in_total);
    if (n == 1 || p[0] != 0x1f || p[1] != 0x8b)
        return grn_err(GRN_EFORMAT,
                       "'%s': bytes after the end of the gzip data that are no gzip member",
                       t->path);
    if (!t->gz_live) {
        if (inflateInit2(&t->gz, 15 + 16) != Z_OK)
            return grn_err(GRN_ENOMEM, "out of memory for zlib");
        t->gz_live = 1;
        t->is_bgzf = n >= 16 && (p[3] & 4) && p[12] == 'B' && p[13] == 'C';
    } else if (inflateReset(&t->gz) != Z_OK) {
        return grn_err(GRN_EFORMAT, "'%s': zlib cannot be reset", t->path);
    }
    t->member_open = 1;
    t->member_out = 0;
    return GRN_OK;
}

static grn_status fill_gzip(grn_text_t *t)
{
    if (!t->member_open) return gz_member(t);
    grn_status rc = refill_to(t, 1);
    if (rc != GRN_OK) return rc;
    size_t room = t->cap - t->end - 1;
    if (room > (size_t)1 << 30) room = (size_t)1 << 30;
    t->gz.next_in = t->in + t->in_pos;
    t->gz.avail_in = (uInt)(t->in_n - t->in_pos);
    t->gz.next_out = (unsigned char *)t->buf + t->end;
    t->gz.avail_out = (uInt)room;
    int z = inflate(&t->gz, Z_NO_FLUSH);
    size_t got = room - t->gz.avail_out;
    int starved = t->gz.avail_in == 0;
    t->in_pos = t->in_n - t->gz.avail_in;
    t->end += got;
    t->member_out += got;
    if (z == Z_STREAM_END) {
        t->member_open = 0;
    } else if (z == Z_DATA_ERROR || z == Z_NEED_DICT) {
        return grn_err(GRN_EFORMAT, "'%s': damaged gzip data near byte %llu (%s)", t->path,
                       (unsigned long long)(t->in_total - (t->in_n - t->in_pos)),
                       t->gz.msg ? t->gz.msg : "dictionary asked for");
    } else if (z == Z_MEM_ERROR) {
        return grn_err(GRN_ENOMEM, "out of memory for zlib");
    } else if (got == 0 && starved && t->in_eof) {
        return grn_err(GRN_ETRUNC, "'%s' is truncated: its gzip data ends early, after %llu bytes",
                       t->path, (unsigned long long)t->in_total);
    }
    return GRN_OK;
}

static grn_status fill_zstd(grn_text_t *t)
{
    grn_status rc = refill_to(t, 1);
    if (rc != GRN_OK) return rc;
    if (t->in_n == t->in_pos && t->zs_need == 0) {
        t->eof = 1;
        return GRN_OK;
    }
    ZSTD_inBuffer in = { t->in, t->in_n, t->in_pos };
    ZSTD_outBuffer out = { t->buf + t->end, t->cap - t->end - 1, 0 };
    size_t z = ZSTD_decompressStream(t->zs, &out, &in);
    if (ZSTD_isError(z))
        return grn_err(GRN_EFORMAT, "'%s': damaged zstd data (%s)", t->path, ZSTD_getErrorName(z));
    int moved = out.pos || in.pos != t->in_pos;
    t->in_pos = in.pos;
    t->end += out.pos;
    t->zs_need = z;
    if (!moved && t->in_eof)
        return grn_err(GRN_ETRUNC, "'%s' is truncated: its zstd data ends early, after %llu bytes",
                       t->path, (unsigned long long)t->in_total);
    return GRN_OK;
}

static grn_status fill_plain(grn_text_t *t)
{
    grn_status rc = refill_to(t, 1);
    if (rc != GRN_OK) return rc;
    size_t n = t->in_n - t->in_pos, room = t->cap - t->end - 1;
    if (n == 0) t->eof = 1;
    if (n > room) n = room;
    memcpy(t->buf + t->end, t->in + t->in_pos, n);
    t->in_pos += n;
    t->end += n;
    return GRN_OK;
}

/* More text into buf; moves what is left to the front and grows the buffer for long lines. */
static grn_status fill(grn_text_t *t)
{
    if (t->beg) {
        memmove(t->buf, t->buf + t->beg, t->end - t->beg);
        if (t->nul != NO_NUL) t->nul -= t->beg;
        t->end -= t->beg;
        t->beg = 0;
    }
    grn_status rc = GRN_GROW(t->buf, t->cap, t->end + OUT_STEP + 1);
    if (rc != GRN_OK) return rc;
    size_t before = t->end;
    while (t->end == before && !t->eof) {
        rc = t->kind == GZIP ? fill_gzip(t) : t->kind == ZSTD ? fill_zstd(t) : fill_plain(t);
        if (rc != GRN_OK) return rc;
    }
    if (t->nul == NO_NUL) {
        const char *z = memchr(t->buf + before, 0, t->end - before);
        if (z) t->nul = (size_t)(z - t->buf);
    }
    return GRN_OK;
}

grn_status grn_text_peek(grn_text_t *t, size_t want, const char **p, size_t *n)
{
    while (t->end - t->beg < want && !t->eof) {
        grn_status rc = fill(t);
        if (rc != GRN_OK) return rc;
    }
    *p = t->buf + t->beg;
    *n = t->end - t->beg < want ? t->end - t->beg : want;
    return GRN_OK;
}

int grn_text_next(grn_text_t *t, char **line, size_t *n)
{
    size_t seen = 0;
    char *nl = NULL;
    for (;;) {
        size_t stop = t->nul == NO_NUL ? t->end : t->nul;
        nl = memchr(t->buf + t->beg + seen, '\n', stop - t->beg - seen);
        if (nl) break;
        if (t->nul != NO_NUL) {
            t->line++;
            return grn_text_fail(t, GRN_EFORMAT,
                                 "a NUL byte: this is no text (binary, or UTF-16?)");
        }
        if (t->eof) break;
        seen = t->end - t->beg;
        grn_status rc = fill(t);
        if (rc != GRN_OK) return rc;
    }
    if (!nl && t->beg == t->end) return 0;
    char *s = t->buf + t->beg;
    size_t len = nl ? (size_t)(nl - s) : t->end - t->beg;
    t->beg += len + (nl != NULL);
    if (len && s[len - 1] == '\r') len--;
    s[len] = 0;
    t->line++;
    t->unfinished = !nl;
    *line = s;
    if (n) *n = len;
    return 1;
}

/* Finds the compression from the first bytes and looks at the first text: binary files are named,
 * the byte order mark is skipped. */
static grn_status start(grn_text_t *t)
{
    grn_status rc = refill_to(t, 18);
    if (rc != GRN_OK) return rc;
    const unsigned char *p = t->in;
    if (t->in_n >= 2 && p[0] == 0x1f && p[1] == 0x8b) t->kind = GZIP;
    if (t->in_n >= 4 && p[0] == 0x28 && p[1] == 0xb5 && p[2] == 0x2f && p[3] == 0xfd)
        t->kind = ZSTD;
    if (t->in_n >= 4 && (p[0] & 0xf0) == 0x50 && p[1] == 0x2a && p[2] == 0x4d && p[3] == 0x18)
        t->kind = ZSTD; /* skippable frame first */
    if (t->kind == ZSTD && !(t->zs = ZSTD_createDStream()))
        return grn_err(GRN_ENOMEM, "out of memory for zstd");
    const char *text;
    size_t n;
    rc = grn_text_peek(t, 64, &text, &n);
    if (rc != GRN_OK) return rc;
    const char *what = grn_magic_name(text, n);
    if (what)
        return grn_err(GRN_EFORMAT, "'%s' is %s%s; text was expected", t->path, what,
                       t->kind == PLAIN ? "" : " (compressed)");
    if (n > 11 && text[8] == '{' && text[9] == '"' && memchr(text, 0, 8))
        return grn_err(
            GRN_EFORMAT,
            "'%s' is one of the tools' own files (safetensors in zstd); text was expected",
            t->path);
    if (n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) t->beg += 3;
    return GRN_OK;
}

grn_status grn_text_open(grn_text_t **out, const char *path)
{
    grn_status rc = GRN_OK;
    grn_text_t *t = NULL;
    uint64_t size;
    int seekable;
    *out = NULL;
    GRN_TRY(GRN_NEW(t, 1));
    t->fd = -1;
    t->nul = NO_NUL;
    GRN_TRY(GRN_NEW_RAW(t->path, strlen(path) + 1));
    memcpy(t->path, path, strlen(path) + 1);
    GRN_TRY(GRN_NEW_RAW(t->in, IN_CAP));
    GRN_TRY(grn_in_open(path, &t->fd, &size, &seekable));
    GRN_TRY(start(t));
    *out = t;
    t = NULL;
end:
    grn_text_close(t);
    return rc;
}

void grn_text_close(grn_text_t *t)
{
    if (!t) return;
    if (t->gz_live) inflateEnd(&t->gz);
    ZSTD_freeDStream(t->zs);
    if (t->fd > 0) close(t->fd);
    free(t->path);
    free(t->in);
    free(t->buf);
    free(t);
}

const char *grn_text_path(const grn_text_t *t)
{
    return t->path;
}

uint64_t grn_text_line(const grn_text_t *t)
{
    return t->line;
}

int grn_text_unfinished(const grn_text_t *t)
{
    return t->unfinished;
}

grn_status grn_text_fail(const grn_text_t *t, grn_status code, const char *fmt, ...)
{
    char msg[2048];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(msg, sizeof msg, fmt, ap);
    va_end(ap);
    if (t->line == 0) return grn_err(code, "'%s': %s", t->path, msg);
    return grn_err(code, "'%s' line %llu: %s", t->path, (unsigned long long)t->line, msg);
}

/* Words that stand for no number: "nan", "NaN", "NA", "inf", "-Inf", "Infinity". */
static int scan_word(const char **p, double *v)
{
    static const struct {
        const char *word;
        double v;
    } words[] = { { "nan", NAN }, { "na", NAN }, { "infinity", INFINITY }, { "inf", INFINITY } };
    const char *s = *p;
    double sign = *s == '-' ? -1 : 1;
    if (*s == '-' || *s == '+') s++;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t n = strlen(words[i].word);
        if (strncasecmp(s, words[i].word, n) != 0) continue;
        *p = s + n;
        *v = sign * words[i].v;
        return 1;
    }
    return 0;
}

int grn_scan_f64(const char **p, double *v)
{
    static const double ten[] = { 1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                  1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                  1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };
    const char *s = *p;
    int neg = *s == '-', digits = 0, kept = 0, exp10 = 0;
    uint64_t m = 0;
    if (*s == '-' || *s == '+') s++;
    const char *first = s;
    int point = 0;
    for (; (*s >= '0' && *s <= '9') || (*s == '.' && !point); s++) {
        if (*s == '.') {
            point = 1;
            continue;
        }
        digits++;
        if (kept < 19) {
            m = m * 10 + (uint64_t)(*s - '0');
            kept += kept > 0 || *s != '0';
            exp10 -= point;
        } else {
            exp10 += !point;
        }
    }
    if (digits == 0) return s == first ? scan_word(p, v) : 0;
    if (*s == 'e' || *s == 'E') {
        const char *e = s + 1;
        int eneg = *e == '-', x = 0;
        if (*e == '-' || *e == '+') e++;
        if (*e < '0' || *e > '9') return 0;
        for (; *e >= '0' && *e <= '9'; e++)
            if (x < 100000) x = x * 10 + (*e - '0');
        exp10 += eneg ? -x : x;
        s = e;
    }
    /* Exact when mantissa and power of ten are exact doubles (Clinger 1990); anything else goes the
     * slow, exact way. */
    if (kept < 19 && m < (uint64_t)1 << 53 && exp10 >= -22 && exp10 <= 22) {
        double x = exp10 < 0 ? (double)m / ten[-exp10] : (double)m * ten[exp10];
        *v = neg ? -x : x;
    } else {
        char word[512];
        size_t n = (size_t)(s - *p);
        if (n >= sizeof word) return 0;
        memcpy(word, *p, n);
        word[n] = 0;
        if (grn_parse_f64_any(word, v) != GRN_OK) return 0;
    }
    *p = s;
    return 1;
}
