/* The cells a model reads: counts over the model's genes, and what gives each cell its graphs.
 *
 * Read-only after building: any thread may use it. */
#ifndef GRN_MODEL_CELLS_H
#define GRN_MODEL_CELLS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/par.h"
#include "graph/csr.h"
#include "graph/regulation.h"
#include "io/activity.h"
#include "io/edges.h"
#include "io/matrix.h"
#include "model/config.h"

typedef struct {
    size_t n, n_genes;
    grn_matrix_t *m;    /* borrowed: CSR over the universe */
    uint64_t *key;      /* (C) hash of each barcode */
    uint64_t *gene_key; /* (G) hash of each gene's name */
    int has_graph;
    grn_regulation_t reg; /* empty without a graph */
    grn_cell_masks_t mask;
    grn_arcs_t *type;    /* (contexts) G_type, rewired for GRN_GRN_RANDOM */
    grn_csr_t *type_csr; /* (contexts) its neighbours, unperturbed */
    grn_arcs_t coexpr;   /* links of GRN_PERTURB_LIST, else empty */
} grn_cells_t;

/* The universe of a new model: genes with a count in at least min_cells cells of m, in bytewise name order. GRN_EEMPTY when
 * none passes. */
grn_status grn_universe_build(const grn_matrix_t *m, uint64_t min_cells, grn_names_t *genes) GRN_MUST_USE;

/* Rewrites m in place so that its columns are exactly `genes` (distinct, any order), dropping others; dense becomes CSR;
 * column attributes go. GRN_EINVAL on a negative value; GRN_ESHAPE when no gene is shared (first names shown). *n_found
 * (may be NULL) = genes found. */
grn_status grn_matrix_align(grn_matrix_t *m, const grn_names_t *genes, size_t *n_found) GRN_MUST_USE;

/* m: aligned to the universe; borrowed. e: NULL for GRN_GRN_NONE. a: needed for CELL and HYBRID, else may be NULL. co:
 * links for GRN_PERTURB_LIST (tf, gene columns), else NULL. GRN_EINVAL when a needed one is missing. Serial; O(nnz + E). */
grn_status grn_cells_build(grn_cells_t *c, grn_matrix_t *m, const grn_model_config_t *cfg, const grn_edges_t *e,
                           const grn_activity_t *a, const grn_edges_t *co) GRN_MUST_USE;
void grn_cells_clear(grn_cells_t *c); /* m stays */

/* Number of graphs a cell has in this configuration (0, 1, 2) and which they are (GRN_GRAPH_CELL, GRN_GRAPH_TYPE). */
int grn_cells_graphs(const grn_model_config_t *cfg, int which[2]);

/* One graph of a cell (GRN_GRAPH_CELL, GRN_GRAPH_TYPE) before it is perturbed: *n arcs, ascending, borrowed from c or from `room`. A
 * cell without a context has none. */
grn_status grn_cells_arcs(const grn_cells_t *c, size_t cell, int graph, grn_arcs_t *room, const grn_arc_t **arc,
                          size_t *n) GRN_MUST_USE;
/* How a configuration perturbs it: what grn_perturb_draw is to be called with. Borrows from c. */
grn_perturb_opt_t grn_cells_perturb(const grn_cells_t *c, const grn_model_config_t *cfg);

#endif
