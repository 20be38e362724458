/* Thresholds of every (context, regulon): fits within each context and over all cells, the choice between them, and the bits. */
#ifndef GRN_THRESHOLD_FIT_H
#define GRN_THRESHOLD_FIT_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/names.h"
#include "base/par.h"
#include "io/activity.h"
#include "io/matrix.h"
#include "stat/threshold.h"

/* auto: the context's own fit where it shows two populations (bimodal, shoulder), the fit over all cells elsewhere, so that a
 * regulon that is on in a whole cell type is called on. */
typedef enum { THRESHOLD_BY_AUTO, THRESHOLD_BY_CONTEXT, THRESHOLD_BY_ALL } threshold_by;
enum { THRESHOLD_FROM_CONTEXT = 0, THRESHOLD_FROM_ALL = 1 }; /* value of the fit column "source" */

#define THRESHOLD_NO_LABEL "unlabelled" /* context of cells without a type: judged by the fit over all cells */

/* Cells by context: names in bytewise order, so that the files do not depend on the order of the cells. */
typedef struct {
    grn_names_t names;
    uint16_t *context; /* (C) */
    uint32_t *cell;    /* (C) cells grouped by context */
    uint64_t *off;     /* (K + 1) into cell */
    int no_label;      /* the context of unlabelled cells, or -1 */
} threshold_groups_t;

/* Groups by a code attribute (contexts = levels that have cells), or one group "all" when attr is NULL. GRN_EUNSUP for 65,535 and
 * more. */
grn_status threshold_groups(const grn_attr_t *attr, uint64_t n_cells, threshold_groups_t *g) GRN_MUST_USE;
void threshold_groups_clear(threshold_groups_t *g);

typedef struct {
    grn_cut_t *all;  /* (R) NULL when not asked for */
    grn_cut_t *own;  /* (K, R) NULL when not asked for */
    uint8_t *source; /* (K, R) THRESHOLD_FROM_* */
    uint64_t *n_on;  /* (K, R) cells of the context above the chosen threshold */
    size_t n_contexts, n_regulons;
} threshold_fits_t;

/* Fits everything. m: dense, cells x regulons. Parallel over regulons; same result for any pool and order of cells. */
grn_status threshold_fit(const grn_matrix_t *m, const threshold_groups_t *g, threshold_by by, const grn_cut_opt_t *opt, grn_par_t *pool,
                         threshold_fits_t *f) GRN_MUST_USE;
void threshold_fits_clear(threshold_fits_t *f);
/* The fit that decides for a context and regulon. */
const grn_cut_t *threshold_chosen(const threshold_fits_t *f, size_t context, size_t regulon);

/* Bits, thresholds, classes and fit columns; names are copied. With `posterior`, also the probability of being on: of the mixture
 * where it decided (bimodal, shoulder), else 0 or 1 as the bit. */
grn_status threshold_activity(const grn_matrix_t *m, const threshold_groups_t *g, const threshold_fits_t *f, const grn_cut_opt_t *opt,
                              int posterior, grn_par_t *pool, grn_activity_t *a) GRN_MUST_USE;

/* One row per (context, regulon). */
grn_status threshold_write_tsv(const char *path, const threshold_groups_t *g, const threshold_fits_t *f,
                               const grn_names_t *regulons) GRN_MUST_USE;

#endif
