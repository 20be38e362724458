/* scATAC fragment files: chrom, start, end, barcode[, count], 0-based half-open, one a line; "#" lines and empty lines are
 * skipped.
 *
 * bgzip files are unpacked by HTSlib on several threads (also remote URLs), gzip, zstd, plain files and stdin through io/text.h;
 * found by content. An index (.tbi) is not needed. A truncated file, also one whose last block is missing, is an error. The file
 * need not be sorted. CRLF is accepted. One thread per reader; grn_fragment_parse may run anywhere. */
#ifndef GRN_IO_FRAGMENTS_H
#define GRN_IO_FRAGMENTS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

typedef struct grn_fragments_s grn_fragments_t;

typedef struct { /* one fragment; texts point into the block */
    const char *chrom, *barcode;
    size_t chrom_n, barcode_n;
    uint64_t start, end;
    uint64_t count; /* column 5; 1 when absent */
} grn_fragment_t;

/* n_threads: decompression workers for bgzip (>= 1). GRN_EIO, GRN_EFORMAT, GRN_ETRUNC (no end-of-file block). */
grn_status grn_fragments_open(grn_fragments_t **f, const char *path, int n_threads) GRN_MUST_USE;
void grn_fragments_close(grn_fragments_t *f); /* accepts NULL */

/* The next block of whole lines (about 8 MiB), each ended by '\n'; borrowed until the next call. *line = number of its first
 * line. 1 = got one, 0 = end, < 0 = grn_status. */
int grn_fragments_block(grn_fragments_t *f, const char **text, size_t *n, uint64_t *line);

/* Parses the line at *p (lines end with '\n' before `end`) and moves *p behind it. 1 = a fragment, 0 = a comment or empty line,
 * GRN_EFORMAT with a message that says what is wrong (without path and line: the caller knows those). */
int grn_fragment_parse(const char **p, const char *end, grn_fragment_t *out);

/* One fragment at a time: 1 = got one, 0 = end, < 0 = grn_status with path and line in the message. Do not mix with
 * grn_fragments_block. */
int grn_fragments_next(grn_fragments_t *f, grn_fragment_t *out);

const char *grn_fragments_path(const grn_fragments_t *f);

#endif
