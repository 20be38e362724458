/* Labels of cells from a table (TSV or CSV with a header, barcode first): cell type and donor. */
#ifndef GRN_IO_LABELS_H
#define GRN_IO_LABELS_H

#include "base/names.h"

typedef struct {
    grn_names_t cells;           /* barcodes, in file order */
    int32_t *type, *donor;       /* (cells.n) codes; -1 missing; donor NULL: no such column */
    grn_names_t types, donors;   /* in bytewise order */
} grn_labels_t;

void grn_labels_clear(grn_labels_t *l); /* accepts zeroed */
/* cell_type, donor: columns to read; NULL: the usual names (io/readers.h); a column asked for that is
 * not there is GRN_EINVAL naming those there are. GRN_EFORMAT: no cell-type column, a barcode twice. */
grn_status grn_labels_load(const char *path, const char *cell_type, const char *donor, grn_labels_t *l) GRN_MUST_USE;

#endif
