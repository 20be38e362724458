/* The graphs of cells as masks over one edge list: G_type of a cell is the arc list of its context; G_cell is those of them
 * that belong to a regulon that is on in that cell. Nothing is stored per cell but one bit per regulon.
 *
 * Arcs of a context are unique (tf, gene) pairs, ascending; each knows its regulons (a pair may sit in several). Regions
 * play no part here. Read-only after building: any thread may use it. */
#ifndef GRN_GRAPH_REGULATION_H
#define GRN_GRAPH_REGULATION_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/names.h"
#include "graph/arcs.h"
#include "io/activity.h"
#include "io/edges.h"
#include "io/matrix.h"

#define GRN_CONTEXT_NONE UINT32_MAX

typedef struct {
    grn_names_t genes;    /* the universe: node id -> name */
    uint64_t *gene_key;   /* (G) hash of each name: the key of a node's random numbers */
    uint8_t *is_tf;       /* (G) 1 for the source of at least one arc */
    grn_names_t contexts; /* as in the edges; one "all" when they have no context column */
    grn_names_t regulons;
    uint64_t *context_off; /* (contexts + 1) into arc */
    grn_arc_t *arc;
    uint64_t *regulon_off; /* (arcs + 1) into regulon */
    uint32_t *regulon;     /* regulons of an arc, ascending */
    size_t n_outside;      /* edge rows dropped: tf or gene not in the universe */
    size_t n_self;         /* edge rows dropped: a TF as its own target (a node always sees itself in GraphSAGE) */
} grn_regulation_t;

/* From edges and a universe of genes (copied). Edges without a regulon column give a regulation with no regulons: only
 * G_type exists. GRN_EEMPTY when no edge lies in the universe (first names of both are shown); GRN_EINVAL without tf or
 * gene column. O(E log E). */
grn_status grn_regulation_build(const grn_edges_t *e, const grn_names_t *genes, grn_regulation_t *r) GRN_MUST_USE;
void grn_regulation_clear(grn_regulation_t *r); /* frees; accepts zeroed */

/* G_type of a context: borrowed arcs, their number in *n (0 for GRN_CONTEXT_NONE). */
const grn_arc_t *grn_regulation_type(const grn_regulation_t *r, uint32_t context, size_t *n);

/* G_cell: arcs of the context with at least one regulon whose bit is set in `on` (bits over r->regulons). O(E of the
 * context). */
grn_status grn_regulation_cell(const grn_regulation_t *r, uint32_t context, const uint64_t *on,
                               grn_arcs_t *out) GRN_MUST_USE;

/* What each cell of a matrix needs to find its graphs. */
typedef struct {
    size_t n, n_words;
    uint32_t *context;    /* (C) into r->contexts or GRN_CONTEXT_NONE */
    uint64_t *on;         /* (C, n_words) bits over r->regulons; all 0 without an activity */
    size_t n_no_context;  /* cells whose type has no edges: both graphs are empty */
    size_t n_no_activity; /* cells not in the activity file: G_cell is empty */
    size_t n_no_regulon;  /* regulons of the edges that the activity does not know: never on */
} grn_cell_masks_t;

/* Joins cells (by barcode) and regulons (by name) of a matrix to a regulation and an activity (NULL: no bits). The context
 * of a cell is its row attribute "cell_type"; without that attribute the activity's context; a type without edges falls
 * back to the context "all" if there is one. GRN_ESHAPE when no cell has a context, or no cell or no regulon is found in
 * the activity (names shown). */
grn_status grn_cell_masks_build(const grn_regulation_t *r, const grn_activity_t *a, const grn_matrix_t *m,
                                grn_cell_masks_t *out) GRN_MUST_USE;
void grn_cell_masks_clear(grn_cell_masks_t *c);

#endif
