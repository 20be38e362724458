/* Sequence by position from FASTA: plain or bgzip through HTSlib's faidx; plain gzip is unpacked to a temporary file first (and
 * the caller can say so). The .fai (.gzi) beside the file is used when it is there and not older; otherwise it is built and put
 * there, or kept in TMPDIR for this run when the folder cannot be written. One thread per object. */
#ifndef GRN_IO_FASTA_H
#define GRN_IO_FASTA_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/names.h"

typedef struct grn_fasta_s grn_fasta_t;

/* GRN_EIO missing; GRN_EFORMAT not FASTA; GRN_ETRUNC short bgzip file. */
grn_status grn_fasta_open(grn_fasta_t **f, const char *path) GRN_MUST_USE;
void grn_fasta_close(grn_fasta_t *f); /* accepts NULL */

const grn_names_t *grn_fasta_names(const grn_fasta_t *f); /* sequence names, file order; borrowed */
uint64_t grn_fasta_len(const grn_fasta_t *f, size_t i);   /* bases of sequence i */
int grn_fasta_unpacked(const grn_fasta_t *f);             /* 1: a plain gzip file was unpacked to TMPDIR */

/* Bases [start, end) of sequence i as codes 0..3 = A C G T (U = T), 4 = anything else; `mask` != 0: lower case gives 4. out: end
 * - start bytes. GRN_EINVAL beyond the end of the sequence; GRN_ETRUNC when the file holds less than its index says. */
grn_status grn_fasta_fetch(grn_fasta_t *f, size_t i, uint64_t start, uint64_t end, int mask, uint8_t *out) GRN_MUST_USE;

#endif
