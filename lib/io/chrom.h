/* One policy for chromosome names that differ only in spelling: `chr1` and `1`, `chrM`, `M` and `MT`.
 *
 * An exact match always wins. Otherwise the name with "chr" taken away or put in front is tried, and the mitochondrial names are
 * taken for each other. Callers count how many names were reconciled and say so: nothing else is ever guessed (no versions, no
 * accessions). */
#ifndef GRN_IO_CHROM_H
#define GRN_IO_CHROM_H

#include <stddef.h>

#include "base/names.h"

/* Index of `name` in `d`, exact or by the policy above; GRN_NAMES_NONE if neither. *renamed (may be NULL) = 1 when only the
 * policy found it, else 0. Thread safe on a dictionary nobody writes. */
size_t grn_chrom_find(const grn_names_t *d, const char *name, int *renamed);
/* The same for a name of n bytes that is not NUL-terminated; longer than 256 bytes is never found. */
size_t grn_chrom_find_n(const grn_names_t *d, const char *name, size_t n, int *renamed);

/* "a, b, c, ... (12 in all)": the first few names of a dictionary, for messages. buf: cap bytes; returns buf. */
char *grn_names_show(const grn_names_t *d, size_t max, char *buf, size_t cap);

#endif
