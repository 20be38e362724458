/* An ordered dictionary of unique names (genes, regions, barcodes, regulons): index -> name in
 * O(1), name -> index by hash.
 *
 * Names are stored in one buffer. A zeroed grn_names_t is a valid empty dictionary. Names are byte
 * strings without NUL and newline. Readers may run concurrently; writers may not. */
#ifndef GRN_BASE_NAMES_H
#define GRN_BASE_NAMES_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

typedef struct {
    size_t n;  /* names */
    char *buf; /* NUL-terminated names, back to back */
    size_t buf_n, buf_cap;
    uint64_t *off; /* off[i]: start of name i in buf */
    size_t off_cap;
    uint32_t *slot; /* open addressing; index + 1, 0 = free */
    size_t n_slot;  /* power of two */
} grn_names_t;

#define GRN_NAMES_NONE ((size_t)-1)

void grn_names_clear(grn_names_t *d); /* frees; reusable */

/* Appends a name; *idx (may be NULL) is its index. If it exists: *idx = the old index and *is_new =
 * 0 (NULL: do not care). */
grn_status grn_names_add(grn_names_t *d, const char *name, size_t *idx, int *is_new) GRN_MUST_USE;
grn_status grn_names_add_n(grn_names_t *d, const char *name, size_t len, size_t *idx,
                           int *is_new) GRN_MUST_USE;

size_t grn_names_find(const grn_names_t *d, const char *name); /* index or GRN_NAMES_NONE */
size_t grn_names_find_n(const grn_names_t *d, const char *name, size_t len);
const char *grn_names_get(const grn_names_t *d, size_t i); /* borrowed; i < n */
grn_status grn_names_dup(grn_names_t *out,
                         const grn_names_t *d) GRN_MUST_USE;     /* out must be empty */
int grn_names_equal(const grn_names_t *a, const grn_names_t *b); /* same names, same order */

/* The container's text form: one name per line, each line ended by '\n'. Join: *out malloc'ed, a NUL behind its n bytes.
 * Split: `d` must be empty; GRN_EFORMAT on a missing final newline, NUL, or a duplicate (named). */
grn_status grn_names_join(const grn_names_t *d, char **out, size_t *n) GRN_MUST_USE;
grn_status grn_names_split(grn_names_t *d, const char *text, size_t n) GRN_MUST_USE;

/* Permutation that sorts the names bytewise (strcmp): order[k] = index of the k-th smallest. order:
 * n elements. */
grn_status grn_names_sort(const grn_names_t *d, uint32_t *order) GRN_MUST_USE;

/* 64-bit hash of a name (XXH3): the key of all name-keyed randomness. Same on every machine. */
uint64_t grn_hash(const void *p, size_t n);
uint64_t grn_hash_str(const char *s);

#endif
