/* The mapped query cells, their calls, and the files that tell of them. */
#ifndef GRN_MAP_MAPPING_H
#define GRN_MAP_MAPPING_H

#include "calibrate.h"
#include "io/result.h"

typedef enum { MAPPED, MAPPED_AMBIGUOUS, MAPPED_FAR, MAPPED_NO_COUNTS, MAPPED_NO_LABEL, MAPPED_KINDS } mapped_fate;
const char *mapped_fate_name(mapped_fate f); /* "", "ambiguous", "far", "no_counts", "no_label" */

typedef struct {
    const points_t *reference, *query;
    const grn_attr_t *const *label; /* (n_labels) of the reference; the first one is the type that decides */
    size_t n_labels;
    uint32_t k;
    vote_weights weights;
    uint32_t *id;     /* (query, k) */
    double *distance; /* (query, k) */
    vote_t *vote;     /* (query, n_labels) */
    double *mean;     /* (query) mean distance of the neighbours */
    double *score;    /* (query) */
    uint8_t *fate;    /* (query) mapped_fate */
    size_t n[MAPPED_KINDS];
} mapping_t;

void mapping_clear(mapping_t *m); /* frees what mapping_run made; accepts zeroed */
/* Neighbours, votes and fates of all query cells. The members up to `weights` are set by the caller. */
grn_status mapping_run(mapping_t *m, knn_metric metric, const calibration_t *c, grn_par_t *pool) GRN_MUST_USE;

/* One row per query cell (grn-map(1), OUTPUT). keep_abstained: the call of a cell that abstains is its best label all the same.
 * show: neighbours named. */
grn_status mapping_write(const mapping_t *m, const calibration_t *c, int keep_abstained, uint32_t show, const char *path) GRN_MUST_USE;

/* The report as a table, and its summary in the log. regulons: names for h->regulon, or NULL. r is initialised here. */
grn_status report_make(const mapping_t *m, const holdout_t *h, const calibration_t *c, const grn_names_t *regulons,
                       grn_result_t *r) GRN_MUST_USE;
grn_status report_write(const grn_result_t *r, const char *path) GRN_MUST_USE;
/* Coverage against accuracy as a grn.result: series, cut, coverage, accuracy, lower, upper. */
grn_status report_curve(const calibration_t *c, const char *path, grn_par_t *pool) GRN_MUST_USE;

#endif
