/* The perturbed graphs that training sees (GRNFormer, Algorithm 1; SPEC_MODEL 5.3), written out or counted. The draws are those of
 * lib/graph/perturb.h and lib/model/tokens.h with the configuration of the model: the same arcs, not similar ones. */
#ifndef GRN_COEXPR_PERTURB_H
#define GRN_COEXPR_PERTURB_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "graph/perturb.h"
#include "io/edges.h"
#include "model/cells.h"
#include "model/config.h"
#include "model/tokens.h"

/* Evidence column "change" of the output. */
enum { PERTURB_DROPPED = -1, PERTURB_KEPT = 0, PERTURB_ADDED = 1 };

typedef struct {
    const grn_model_config_t *cfg;
    const grn_cells_t *cells;
    uint32_t epoch;
    int graphs;  /* bit 0: the cell's graph, bit 1: its type's */
    int dropped; /* list dropped arcs too */
} perturb_job_t;

typedef struct {          /* one cell as training sees it in an epoch, and one of its graphs; zeroed = ready */
    grn_tokens_t tok;     /* its sequence: tok.visible is S */
    const grn_arc_t *arc; /* (n) E, before */
    size_t n;
    grn_perturb_t draw; /* E_drop and E_co */
    grn_arcs_t out;     /* E' */
    grn_arcs_t room;
} perturb_view_t;

void perturb_view_clear(perturb_view_t *w);
/* The sequence of a cell (row of the counts). */
grn_status perturb_view_cell(const perturb_job_t *job, size_t cell, perturb_view_t *w) GRN_MUST_USE;
/* Then one of its graphs, GRN_GRAPH_CELL or _TYPE. */
grn_status perturb_view_graph(const perturb_job_t *job, size_t cell, int graph, perturb_view_t *w) GRN_MUST_USE;
/* GRN_EINVAL unless the configuration has one of the graphs asked for. */
grn_status perturb_check(const perturb_job_t *job) GRN_MUST_USE;

typedef struct { /* sums over what was written */
    uint64_t n_graphs, n_arcs, n_dropped, n_added, n_out, n_visible;
} perturb_sum_t;

/* Appends the graphs of the cells cell[0..n) to `out` (zeroed before the first call): context "BARCODE cell" or "BARCODE type",
 * sorted. GRN_EUNSUP when there are more than 65,535 of them; GRN_EINVAL when the configuration has none of the graphs asked for.
 */
grn_status perturb_write(const perturb_job_t *job, const uint32_t *cell, size_t n, grn_edges_t *out, perturb_sum_t *sum) GRN_MUST_USE;

#endif
