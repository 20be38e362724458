/* Writes anndata files (.h5ad) as anndata >= 0.8 does: encodings anndata 0.1.0, csr_matrix 0.1.0,
 * dataframe 0.2.0, categorical 0.2.0, array 0.2.0, string-array 0.2.0 (anndata's on-disk format
 * specification). Deterministic bytes; "-" is stdout. */
#ifndef GRN_IO_H5AD_WRITE_H
#define GRN_IO_H5AD_WRITE_H

#include "io/matrix.h"

/* The whole matrix: X is CSR float32 or a dense float32 array as m is; row and column attributes
 * become obs and var columns (codes: categorical; numbers: float64). An attribute called "_index"
 * is refused. */
grn_status grn_h5ad_write(const grn_matrix_t *m, const char *path) GRN_MUST_USE;

/* Streaming: blocks of rows that share the columns of `col`. Memory: O(rows) for names, row starts
 * and attributes, not O(non-zeros). Every block carries the same row attributes with the same kind;
 * levels are merged by name in order of appearance. All blocks are CSR or all are dense. */
typedef struct grn_h5ad_w_s grn_h5ad_w_t;
grn_status grn_h5ad_w_open(grn_h5ad_w_t **w, const char *path, const grn_names_t *col,
                           const grn_attrs_t *col_attr) GRN_MUST_USE;
grn_status grn_h5ad_w_append(grn_h5ad_w_t *w, const grn_matrix_t *block) GRN_MUST_USE;
grn_status grn_h5ad_w_commit(grn_h5ad_w_t *w)
    GRN_MUST_USE;                       /* frees w in any case; no block at all: 0 rows */
void grn_h5ad_w_abort(grn_h5ad_w_t *w); /* accepts NULL */

#endif
