/* Local bgzip files, read in order by one thread and unpacked by any: the compressed bytes come in spans of whole blocks, which
 * workers inflate (libdeflate) into buffers of their own and use while the text is in their caches.
 *
 * Every block's CRC-32 and length are checked, the end-of-file block must be there, and bytes that are no block are an error.
 * grn_bgzf_next belongs to one thread at a time; grn_bgzf_inflate may run anywhere. Remote files, plain gzip and stdin:
 * io/fragments.h, io/text.h. Format: SAM specification, section 4.1. */
#ifndef GRN_IO_BGZF_H
#define GRN_IO_BGZF_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

typedef struct grn_bgzf_s grn_bgzf_t;
typedef struct libdeflate_decompressor grn_inflater_t; /* one per worker */

typedef struct { /* whole blocks in a row */
    const unsigned char *data; /* borrowed from the file's buffer */
    size_t n;                  /* compressed bytes */
    size_t n_text;             /* bytes they inflate to */
    uint64_t off;              /* place in the file */
} grn_bgzf_span_t;

int grn_bgzf_is(const char *path); /* 1: a local regular file that starts as bgzip does */

/* GRN_EIO; GRN_ETRUNC when the end-of-file block is missing. */
grn_status grn_bgzf_open(grn_bgzf_t **b, const char *path) GRN_MUST_USE;
void grn_bgzf_close(grn_bgzf_t *b); /* accepts NULL */

/* The next spans, in file order, of about span_text bytes of text each, from about `want` compressed bytes. Valid until the next
 * call but one: one set may be in use while the next is read. 1 = got some, 0 = end, < 0 = grn_status. */
int grn_bgzf_next(grn_bgzf_t *b, size_t want, size_t span_text, const grn_bgzf_span_t **span, size_t *n_span);

/* Once grn_bgzf_next has told the end: XXH3-128 of the file, as grn_file_digest gives it without reading it again. */
void grn_bgzf_digest(const grn_bgzf_t *b, char hex[33]);

grn_status grn_inflater_create(grn_inflater_t **z) GRN_MUST_USE;
void grn_inflater_destroy(grn_inflater_t *z); /* accepts NULL */
/* The text of a span into out (n_text bytes). GRN_EFORMAT naming path and byte when a block is damaged. */
grn_status grn_bgzf_inflate(grn_inflater_t *z, const grn_bgzf_t *b, const grn_bgzf_span_t *span, char *out) GRN_MUST_USE;

#endif
