/* Cells by context (cell type). */
#ifndef GRN_THRESHOLD_GROUPS_H
#define GRN_THRESHOLD_GROUPS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/names.h"
#include "io/matrix.h"

#define THRESHOLD_NO_LABEL "unlabelled" /* context of cells without a type: judged by the fit over all cells */

/* Names in bytewise order, so that the files do not depend on the order of the cells. */
typedef struct {
    grn_names_t names;
    uint16_t *context; /* (C) */
    uint32_t *cell;    /* (C) cells grouped by context, in the order of the input within one */
    uint32_t *place;   /* (C) where a cell is in `cell` */
    uint64_t *off;     /* (K + 1) into cell */
    int no_label;      /* the context of unlabelled cells, or -1 */
} threshold_groups_t;

/* Groups by a code attribute (contexts = levels that have cells), or one group "all" when attr is NULL. GRN_EUNSUP for 65,535 and
 * more. */
grn_status threshold_groups(const grn_attr_t *attr, uint64_t n_cells, threshold_groups_t *g) GRN_MUST_USE;
void threshold_groups_clear(threshold_groups_t *g);

#endif
