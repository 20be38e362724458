/* Some columns, or some rows, of a file of edges (io/edges.h) without reading all of it. */
#ifndef GRN_IO_EDGES_READ_H
#define GRN_IO_EDGES_READ_H

#include "io/edges.h"

typedef struct grn_er_s grn_er_t;

grn_status grn_er_open(grn_er_t **r, const char *path, grn_par_t *pool) GRN_MUST_USE;
void grn_er_close(grn_er_t *r); /* accepts NULL */

/* All rows of the named standard columns ("context,regulon"; those the file lacks stay NULL) with their dictionaries. */
grn_status grn_er_columns(grn_er_t *r, const char *names, grn_edges_t *e) GRN_MUST_USE;
/* Rows pick[0] < pick[1] < ... in all columns and evidence. Only frames that hold them are read, and dictionaries hold the names in
 * use, in the order of the file. */
grn_status grn_er_rows(grn_er_t *r, const size_t *pick, size_t n, grn_edges_t *out) GRN_MUST_USE;

#endif
