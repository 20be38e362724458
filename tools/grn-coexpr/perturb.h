/* The perturbed graphs that training sees (GRNFormer, Algorithm 1; SPEC_MODEL 5.3), written out for inspection. The draws are
 * those of lib/graph/perturb.h and lib/model/tokens.h with the configuration of the model: the same arcs, not similar ones. */
#ifndef GRN_COEXPR_PERTURB_H
#define GRN_COEXPR_PERTURB_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "io/edges.h"
#include "model/cells.h"
#include "model/config.h"

/* Evidence column "change" of the output. */
enum { PERTURB_DROPPED = -1, PERTURB_KEPT = 0, PERTURB_ADDED = 1 };

typedef struct {
    const grn_model_config_t *cfg;
    const grn_cells_t *cells;
    uint32_t epoch;
    int graphs;  /* bit 0: the cell's graph, bit 1: its type's */
    int dropped; /* list dropped arcs too */
} perturb_job_t;

typedef struct { /* sums over what was drawn */
    uint64_t n_graphs, n_arcs, n_dropped, n_added, n_out, n_visible;
} perturb_sum_t;

/* Appends the graphs of the cells cell[0..n) to `out` (zeroed before the first call): context "BARCODE cell" or "BARCODE type",
 * sorted. GRN_EUNSUP when there are more than 65,535 of them; GRN_EINVAL when the configuration has none of the graphs asked for.
 */
grn_status perturb_write(const perturb_job_t *job, const uint32_t *cell, size_t n, grn_edges_t *out,
                         perturb_sum_t *sum) GRN_MUST_USE;

#endif
