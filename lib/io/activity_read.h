/* Rows of an activity file (io/activity.h) without reading all of it: any cell of millions by its name, or all cells a block at a time.
 */
#ifndef GRN_IO_ACTIVITY_READ_H
#define GRN_IO_ACTIVITY_READ_H

#include "io/activity.h"

#define GRN_NO_CELL UINT64_MAX

typedef struct grn_ar_s grn_ar_t;

/* Reads the dictionaries of regulons and contexts; shapes are checked, values when they are read. */
grn_status grn_ar_open(grn_ar_t **r, const char *path, grn_par_t *pool) GRN_MUST_USE;
void grn_ar_close(grn_ar_t *r); /* accepts NULL */
const char *grn_ar_path(const grn_ar_t *r);
/* n_cells, n_regulons, n_words, `regulons` and `contexts`; `cells` is empty and the arrays are NULL. */
const grn_activity_t *grn_ar_info(const grn_ar_t *r);
int grn_ar_has_posterior(const grn_ar_t *r);

/* *row of the cell, or GRN_NO_CELL. */
grn_status grn_ar_find(grn_ar_t *r, const char *cell, uint64_t *row) GRN_MUST_USE;
/* Name of a cell; borrowed until the next find or name. */
grn_status grn_ar_name(grn_ar_t *r, uint64_t row, const char **name) GRN_MUST_USE;
/* Cells [at, at + n): bits (n, n_words) and context (n), checked. */
grn_status grn_ar_rows(grn_ar_t *r, uint64_t at, uint64_t n, uint64_t *bits, uint16_t *context) GRN_MUST_USE;
/* The same of the posterior, (n, n_regulons); GRN_EINVAL where the file has none. */
grn_status grn_ar_posterior(grn_ar_t *r, uint64_t at, uint64_t n, float *posterior) GRN_MUST_USE;

/* GRN_EFORMAT unless what finds the cells (io/name_index.h), where the file has it, is that of its names. */
grn_status grn_activity_check_index(const char *path, grn_par_t *pool, const grn_names_t *cells) GRN_MUST_USE;

#endif
