/* Result tables of grn-eval, read by grn-plot and the report: named columns of numbers or text.
 * Schema grn.result/1.
 *
 * Text columns are codes into levels (as matrix attributes). `kind` says what the table holds
 * ("network", "network.curve", "masked" ...), `title` is one sentence for people. Rows keep the
 * order in which they were added. */
#ifndef GRN_IO_RESULT_H
#define GRN_IO_RESULT_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/file.h"
#include "base/par.h"
#include "io/matrix.h"

typedef struct {
    size_t n, cap;   /* rows */
    grn_attrs_t col; /* columns of n entries */
    char *kind, *title;
} grn_result_t;

/* An empty table. `columns`: comma-separated names, a trailing '$' marks text:
 * "method$,auprc,lo,hi". */
grn_status grn_result_init(grn_result_t *r, const char *kind, const char *title,
                           const char *columns) GRN_MUST_USE;
void grn_result_clear(grn_result_t *r);

/* Appends a row: one argument per column in order, const char * for text, double for numbers (never
 * int). */
grn_status grn_result_row(grn_result_t *r, ...) GRN_MUST_USE;

/* Column by name, NULL if absent; value of a text column in row i ("" when missing). */
const grn_attr_t *grn_result_col(const grn_result_t *r, const char *name);
const char *grn_result_text(const grn_attr_t *col, size_t i);
/* Found and of the wanted type, else GRN_EFORMAT naming the kind. */
grn_status grn_result_need(const grn_result_t *r, const char *name, int is_text,
                           const grn_attr_t **col) GRN_MUST_USE;

grn_status grn_result_save(const grn_result_t *r, const char *path, grn_par_t *pool) GRN_MUST_USE;
grn_status grn_result_load(const char *path, grn_par_t *pool, grn_result_t *r) GRN_MUST_USE;
/* Tab-separated with a header; 6 significant digits. */
grn_status grn_result_print(const grn_result_t *r, grn_out_t *o) GRN_MUST_USE;

#endif
