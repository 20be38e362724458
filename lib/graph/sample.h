/* Neighbour sampling for GraphSAGE (PyG semantics, SPEC_MODEL 5.2): without replacement, all neighbours when deg <=
 * fan-out; one draw per (cell, graph, epoch, layer, node), so that computing only the rows that are needed gives the
 * numbers of computing all.
 *
 * A hop turns a list of target nodes into blocks of neighbours. Two hops make the two-layer encoder's work list: hop 2 from
 * the seeds, then hop 1 from all nodes that hop 2 touched. One sampler per thread. */
#ifndef GRN_GRAPH_SAMPLE_H
#define GRN_GRAPH_SAMPLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "graph/csr.h"

typedef struct {
    uint64_t seed, cell, epoch; /* cell: hash of the barcode (or of the context, for a graph of its own) */
    int graph, layer;           /* GRN_GRAPH_CELL/_TYPE; 1 = nearest to the features */
} grn_sample_key_t;

typedef struct {     /* zeroed = ready */
    uint32_t *local; /* (n_nodes) node -> position in `node`, valid where stamp matches */
    uint32_t *stamp;
    uint32_t now;
    size_t n_map;
    uint64_t *pick;
    size_t pick_cap, local_cap, stamp_cap;
} grn_sampler_t;

typedef struct { /* a growable list of node ids without repeats; zeroed = empty */
    uint32_t *v;
    size_t n, cap;
} grn_nodes_t;

typedef struct {   /* sampled neighbours of the targets, CSR; zeroed = empty */
    size_t *off;   /* (n + 1) */
    uint32_t *idx; /* positions in the node list (grn_sample_hop) or node ids (grn_sample_rows) */
    size_t n, off_cap, idx_cap;
} grn_hop_t;

void grn_sampler_clear(grn_sampler_t *s);
void grn_nodes_clear(grn_nodes_t *l);
void grn_hop_clear(grn_hop_t *h);

/* Sampled neighbours of target[0..n): node ids, ascending within a row. fanout 0 = all. node_key: (nodes) key of each
 * node's draw (grn_regulation_t.gene_key), or NULL for the id itself. */
grn_status grn_sample_rows(grn_sampler_t *s, const grn_csr_t *g, const uint32_t *target, size_t n, size_t fanout,
                           const grn_sample_key_t *key, const uint64_t *node_key, grn_hop_t *out) GRN_MUST_USE;

/* The same, but out->idx are positions in `nodes`, which is filled with the targets (distinct, in order) followed by every
 * new neighbour in order of appearance: position of target i is i. */
grn_status grn_sample_hop(grn_sampler_t *s, const grn_csr_t *g, const uint32_t *target, size_t n, size_t fanout,
                          const grn_sample_key_t *key, const uint64_t *node_key, grn_hop_t *out,
                          grn_nodes_t *nodes) GRN_MUST_USE;

#endif
