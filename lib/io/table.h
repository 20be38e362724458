/* Rows of a tab- or comma-separated text with quotes taken care of: the small tables (TF lists, motif annotations, networks).
 *
 * The separator is that of the first line (a tab if it has one, else a comma). Quoted fields may hold separators and doubled
 * quotes. Empty lines and "#" lines are skipped, but a first line "#word TAB ..." is a header and comes without its "#". One
 * thread per object. */
#ifndef GRN_IO_TABLE_H
#define GRN_IO_TABLE_H

#include <stddef.h>

#include "base/err.h"
#include "io/text.h"

#define GRN_TABLE_MAX 64 /* fields a row; the rest of a longer row is dropped */

typedef struct {
    grn_text_t *t;
    char sep;                  /* 0 before the first row */
    char *field[GRN_TABLE_MAX]; /* of the current row, borrowed until the next one; blanks at both ends are gone */
    size_t n;
} grn_table_t;

grn_status grn_table_open(grn_table_t *b, const char *path) GRN_MUST_USE; /* as grn_text_open */
void grn_table_close(grn_table_t *b);
/* Next row: 1 = got one, 0 = end, < 0 = grn_status with path and line. */
int grn_table_next(grn_table_t *b);
/* Field of the current row whose text is one of the names in "a|b|c" (any case; earlier names win); -1 if none. For header rows. */
int grn_table_column(const grn_table_t *b, const char *names);

#endif
