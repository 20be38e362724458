/* Regulon specificity of every cell type (stat/rss.h) from streamed AUC.
 *
 * Streams twice over the cells: AUC rows are kept in an unlinked temporary file in between, so that memory does not grow with
 * cells. Balanced: each type weighs the same, whatever its number of cells (a cell counts 1/n of its type). */
#ifndef GRN_AUCELL_RSS_H
#define GRN_AUCELL_RSS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/names.h"

typedef struct {
    int fd;      /* spooled AUC rows, f32 */
    int in_nats; /* the divergence, as in pySCENIC; set after rss_open */
    uint64_t n_cells;
    size_t n_sets, n_types;
    int32_t *type; /* (C) code or -1 */
    size_t type_cap;
    uint64_t *type_n;   /* (types) cells */
    double *rss, *mean; /* (types, R); rss NaN for an all-zero regulon; mean AUC within the type */
    double *mean_all;   /* (R) over all labelled cells */
} rss_t;

grn_status rss_open(rss_t *r, size_t n_sets) GRN_MUST_USE;
/* n rows of AUC and their type codes (-1: no type; such cells are left out). */
grn_status rss_add(rss_t *r, const float *auc, const int32_t *type, size_t n) GRN_MUST_USE;
/* After the last row: fills rss, mean, mean_all for `n_types` types. */
grn_status rss_finish(rss_t *r, size_t n_types, int balanced) GRN_MUST_USE;
void rss_close(rss_t *r); /* accepts a zeroed object */

/* Writes one row per (type, regulon): cell_type, regulon, rss, rank within the type, mean AUC in the type and over all, cells. */
grn_status rss_write(const rss_t *r, const char *path, const grn_names_t *types, const grn_names_t *sets) GRN_MUST_USE;
/* Indices of the sets of a type in descending order of RSS (NaN last, then name order): order (R). */
void rss_order(const rss_t *r, size_t type, uint32_t *order);

#endif
