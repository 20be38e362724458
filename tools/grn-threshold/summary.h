/* What every cell type does with every regulon: cells on, mean scores, enrichment, specificity. */
#ifndef GRN_THRESHOLD_SUMMARY_H
#define GRN_THRESHOLD_SUMMARY_H

#include "grn-threshold/fit.h"

typedef struct {
    uint64_t n_on;              /* cells of the type */
    double mean_on, mean_off;   /* score; NaN: nobody */
    double rss_score, rss_bits; /* stat/rss.h; NaN: a regulon without a positive score (a negative one; nobody on) */
} threshold_cell_t;

typedef struct threshold_summary_s {
    const threshold_groups_t *types; /* borrowed; need not be the groups of the thresholds */
    const uint16_t *type;            /* (C) borrowed: of the cells in the order of the scores */
    threshold_cell_t *cell;          /* (K types, R) */
    size_t n_regulons;
} threshold_summary_t;

grn_status threshold_summary_init(const threshold_groups_t *types, size_t n_regulons, threshold_summary_t *s) GRN_MUST_USE;
void threshold_summary_clear(threshold_summary_t *s);

/* One regulon: x = its scores in the order of g->cell. Sums are of whole numbers, the same for any order of cells. */
grn_status threshold_summarise(const threshold_groups_t *g, const threshold_fits_t *f, size_t regulon, const float *x,
                               threshold_summary_t *s) GRN_MUST_USE;

/* One row per (type, regulon), by type and descending rss_bits. */
grn_status threshold_summary_write(const threshold_summary_t *s, const char *path, const grn_names_t *regulons) GRN_MUST_USE;
/* One line per type in the log: its most specific regulons by rss_bits. */
grn_status threshold_summary_log(const threshold_summary_t *s, const grn_names_t *regulons) GRN_MUST_USE;

#endif
