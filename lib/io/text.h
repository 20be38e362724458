/* Lines of text from plain, gzip, bgzf and zstd files and from stdin, with nothing lost in silence.
 *
 * The compression is found from the content, never the name. A gzip or zstd stream that ends before
 * its trailer, a bgzf file without its end-of-file block, a bad checksum, bytes after the last
 * member: an error (GRN_ETRUNC or GRN_EFORMAT) when the reader gets there, never a short answer.
 * CRLF, a missing final newline and a UTF-8 byte order mark are accepted; NUL bytes are refused.
 * One thread per object. */
#ifndef GRN_IO_TEXT_H
#define GRN_IO_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

typedef struct grn_text_s grn_text_t;

/* Opens a file ("-" = stdin). GRN_EIO: missing, a directory; GRN_EFORMAT: it starts as a binary
 * file (HDF5, zip ...), which is named. An empty file opens and has no lines. The path is copied.
 * Registers nothing for provenance. */
grn_status grn_text_open(grn_text_t **t, const char *path) GRN_MUST_USE;
void grn_text_close(grn_text_t *t); /* accepts NULL */

/* The next line, without its "\n" or "\r\n", NUL-terminated, n bytes (n may be NULL); the caller
 * may write into it. It stays valid until the next call. 1 = got one, 0 = end of text, < 0 =
 * grn_status with the message set (path and line in it). */
int grn_text_next(grn_text_t *t, char **line, size_t *n);

/* Looks ahead without moving: up to `want` decompressed bytes from the current position (fewer only
 * at the end); borrowed, not NUL-terminated, valid until the next call. */
grn_status grn_text_peek(grn_text_t *t, size_t want, const char **p, size_t *n) GRN_MUST_USE;

const char *grn_text_path(const grn_text_t *t);
uint64_t grn_text_line(
    const grn_text_t *t); /* number of the line returned last, from 1; 0 before the first */

/* 1 if the line returned last had no newline: the last one of the text, whole or cut. */
int grn_text_unfinished(const grn_text_t *t);

/* Sets the message "'PATH' line N: text" for the line returned last ("'PATH': text" before the
 * first) and returns `code`. */
grn_status grn_text_fail(const grn_text_t *t, grn_status code, const char *fmt, ...)
    GRN_PRINTF(3, 4);

/* What a file is from its first bytes, for messages: "an HDF5 file", "a zip file (npz, xlsx?)", "a
 * BAM file" ...; NULL: nothing known. */
const char *grn_magic_name(const void *p, size_t n);

/* Number scanners for hot loops. Each reads one number at *p and moves *p behind it; 1 = read, 0 =
 * no number there or out of range. They look at no more than the NUL. */
static inline int grn_scan_u64(const char **p, uint64_t *v)
{
    const char *s = *p;
    uint64_t x = 0;
    int n = 0;
    while (*s >= '0' && *s <= '9' && n < 19) x = x * 10 + (uint64_t)(*s++ - '0'), n++;
    if (n == 0 || (*s >= '0' && *s <= '9')) return 0;
    *p = s;
    *v = x;
    return 1;
}
/* Decimal real, correctly rounded, locale independent; "nan", "inf", "NA" and their capitals give
 * NaN or infinity. */
int grn_scan_f64(const char **p, double *v);

#endif
