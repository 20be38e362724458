/* Neighbour lists of a graph: for each node the nodes it receives messages from, ascending and without repeats.
 *
 * The object keeps its memory between builds: one per thread, rebuilt for every (cell, graph). */
#ifndef GRN_GRAPH_CSR_H
#define GRN_GRAPH_CSR_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "graph/arcs.h"

typedef enum {
    GRN_DIR_BOTH, /* N(v) = { u : u->v or v->u }: perturb first, symmetrise here (SPEC_MODEL 5.2) */
    GRN_DIR_IN,   /* N(v) = { u : u->v }: targets listen to their TFs */
    GRN_DIR_OUT   /* N(u) = { v : u->v } */
} grn_dir;

typedef struct { /* zeroed = empty */
    size_t n_nodes;
    size_t *off;   /* (n_nodes + 1) */
    uint32_t *adj; /* (off[n_nodes]) */
    size_t off_cap, adj_cap;
} grn_csr_t;

void grn_csr_clear(grn_csr_t *g);

/* Builds from an ascending arc list over nodes 0..n_nodes-1. GRN_EINVAL if an id is out of range. O(nodes + arcs). */
grn_status grn_csr_build(grn_csr_t *g, size_t n_nodes, const grn_arc_t *arc, size_t n, grn_dir dir) GRN_MUST_USE;

static inline size_t grn_csr_degree(const grn_csr_t *g, uint32_t v)
{
    return g->off[v + 1] - g->off[v];
}

#endif
