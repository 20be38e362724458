/* Thresholds of every (context, regulon): fits within each context and over all cells, the choice between them, and the bits. */
#ifndef GRN_THRESHOLD_FIT_H
#define GRN_THRESHOLD_FIT_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/names.h"
#include "base/par.h"
#include "io/activity.h"
#include "grn-threshold/groups.h"
#include "grn-threshold/scores.h"
#include "stat/threshold.h"

/* auto: the context's own fit where it shows two populations (bimodal, shoulder), the fit over all cells elsewhere, so that a
 * regulon that is on in a whole cell type is called on. */
typedef enum { THRESHOLD_BY_AUTO, THRESHOLD_BY_CONTEXT, THRESHOLD_BY_ALL } threshold_by;
enum { THRESHOLD_FROM_CONTEXT = 0, THRESHOLD_FROM_ALL = 1 }; /* value of the fit column "source" */

typedef struct {
    grn_cut_t *all;  /* (R) NULL when not asked for */
    grn_cut_t *own;  /* (K, R) NULL when not asked for */
    uint8_t *source; /* (K, R) THRESHOLD_FROM_* */
    uint64_t *n_on;  /* (K, R) cells of the context above the chosen threshold */
    size_t n_contexts, n_regulons;
} threshold_fits_t;

/* Fits everything, sets the bits of `a` and its posteriors where it has room for them (of the mixture where that decided: bimodal,
 * shoulder; else 0 or 1 as the bit), and fills `sum` unless it is NULL. width: regulons that a worker takes at a time. Same result for
 * any pool, width and order of cells. */
struct threshold_summary_s;
grn_status threshold_fit(const threshold_scores_t *s, threshold_by by, const grn_cut_opt_t *opt, size_t width, grn_par_t *pool,
                         threshold_fits_t *f, grn_activity_t *a, struct threshold_summary_s *sum) GRN_MUST_USE;
void threshold_fits_clear(threshold_fits_t *f);
/* The fit that decides for a context and regulon. */
const grn_cut_t *threshold_chosen(const threshold_fits_t *f, size_t context, size_t regulon);

/* An activity file without bits; names are copied. */
grn_status threshold_activity_init(const grn_names_t *cells, const grn_names_t *regulons, const threshold_groups_t *g, int posterior,
                                   grn_activity_t *a) GRN_MUST_USE;
/* Thresholds, classes and fit columns. */
grn_status threshold_activity_fits(const threshold_groups_t *g, const threshold_fits_t *f, const grn_cut_opt_t *opt,
                                   grn_activity_t *a) GRN_MUST_USE;

/* One row per (context, regulon). */
grn_status threshold_write_tsv(const char *path, const threshold_groups_t *g, const threshold_fits_t *f, const grn_names_t *regulons,
                               const grn_cut_opt_t *opt) GRN_MUST_USE;

#endif
