/* Attributes of rows or columns inside a container. Private to lib/io. */
#ifndef GRN_IO_MATRIX_PRIV_H
#define GRN_IO_MATRIX_PRIV_H

#include "io/container.h"
#include "io/matrix.h"

/* Tensors "row.NAME" or "col.NAME" (side: "row." or "col."), with "levels.row.NAME" for codes; n values each. */
grn_status grn_attrs_write(grn_cw_t *w, const char *side, const grn_attrs_t *as, uint64_t n) GRN_MUST_USE;
grn_status grn_attrs_load(grn_cr_t *r, const char *side, uint64_t n, grn_attrs_t *as) GRN_MUST_USE;

/* grn_matrix_validate on a pool. */
grn_status grn_matrix_validate_on(const grn_matrix_t *m, grn_par_t *pool) GRN_MUST_USE;

/* 1 unless columns ascend and are less than n_cols, and values are finite and not zero. */
int grn_matrix_row_is_good(const uint32_t *idx, const float *val, uint64_t n, uint64_t n_cols);

#endif
