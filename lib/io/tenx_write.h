/* Writes 10x Genomics HDF5 files of Cell Ranger >= 3 (feature-barcode matrix, "v3"). Deterministic
 * bytes; "-" is stdout.
 *
 * Features come from the columns: names from the column names; ids, types and genomes from the
 * column attributes (codes) "gene_id", "feature_type" and "genome" where present, else the name,
 * "Gene Expression" and "". Counts must be integers of 0..2^24. Row attributes have no place in
 * this format and are not written. */
#ifndef GRN_IO_TENX_WRITE_H
#define GRN_IO_TENX_WRITE_H

#include "io/matrix.h"

grn_status grn_tenx_write(const grn_matrix_t *m, const char *path) GRN_MUST_USE; /* CSR only */

/* Streaming by blocks of rows; memory O(rows), not O(non-zeros). GRN_EINVAL: a value that is no
 * count. */
typedef struct grn_tenx_w_s grn_tenx_w_t;
grn_status grn_tenx_w_open(grn_tenx_w_t **w, const char *path, const grn_names_t *col,
                           const grn_attrs_t *col_attr) GRN_MUST_USE;
grn_status grn_tenx_w_append(grn_tenx_w_t *w, const grn_matrix_t *block) GRN_MUST_USE;
grn_status grn_tenx_w_commit(grn_tenx_w_t *w) GRN_MUST_USE; /* frees w in any case */
void grn_tenx_w_abort(grn_tenx_w_t *w);                     /* accepts NULL */

#endif
