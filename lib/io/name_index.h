/* One name among millions, without reading them all.
 *
 * Two optional tensors beside `names.KEY` (n names, one a line):
 *   index.KEY   (n, 2) U32: the upper half of the XXH3-64 of a name, and which name it is; in ascending order. Hashes are uniform, so
 *               the place of one is known to within a few times sqrt(n) and a single small read finds it.
 *   offset.KEY  (ceil(n / 1024)) U64: where every 1,024th name begins in names.KEY, so that name i is found in one block.
 * Files without them are read as well: the text of the names is loaded and searched. A reader looks at names only where it needs them:
 * it does not notice a name that is there twice (grn_cr_load_names does). */
#ifndef GRN_IO_NAME_INDEX_H
#define GRN_IO_NAME_INDEX_H

#include "io/container.h"

#define GRN_NAME_BLOCK 1024 /* names between two offsets */
#define GRN_NAME_NOWHERE UINT64_MAX

/* Writes names.KEY and its two tensors. */
grn_status grn_cw_names_indexed(grn_cw_t *w, const char *key, const grn_names_t *d) GRN_MUST_USE;

typedef struct grn_name_index_s grn_name_index_t;

/* names.KEY of an open container, n names. `r` is borrowed and must outlive it. GRN_EFORMAT when the tensors are not of these shapes.
 */
grn_status grn_name_index_open(grn_name_index_t **x, grn_cr_t *r, const char *key, uint64_t n) GRN_MUST_USE;
void grn_name_index_close(grn_name_index_t *x); /* accepts NULL */
/* *at: which name it is, or GRN_NAME_NOWHERE. */
grn_status grn_name_index_find(grn_name_index_t *x, const char *name, uint64_t *at) GRN_MUST_USE;
/* Name i < n; borrowed until the next call with this object. Going through all names in order costs one pass over them. */
grn_status grn_name_index_get(grn_name_index_t *x, uint64_t i, const char **name) GRN_MUST_USE;
/* GRN_EFORMAT unless index and offsets, where the file has them, are those of the names. */
grn_status grn_name_index_check(grn_cr_t *r, const char *key, const grn_names_t *d) GRN_MUST_USE;

#endif
