/* The graphs grn-embed works on: one per context, over one universe of genes, with some links held
 * out for testing.
 *
 * A link is an unordered pair of genes. A held-out link is absent from the training graph of every
 * context, in both directions, so that no other cell type gives it away; each of its ends keeps at
 * least one other neighbour in every context that has it. Which links are held out depends on the
 * names of their genes and the seed alone. Letters: G genes, K contexts. */
#ifndef GRN_EMBED_GRAPHS_H
#define GRN_EMBED_GRAPHS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "graph/csr.h"
#include "graph/regulation.h"

typedef struct {      /* one context, contexts in order of their names */
    size_t id;        /* in reg.contexts */
    uint64_t key;     /* hash of its name */
    grn_csr_t full;   /* neighbours by all links */
    grn_csr_t train;  /* without the held-out ones */
    uint32_t *node_t; /* genes of a link in `train`, ascending */
    size_t n_node_t;
    uint32_t *degree_t; /* (G) links of each gene in `train`, whatever the direction of messages */
    grn_arc_t *held;    /* held-out TF -> gene arcs */
    size_t n_held, n_arc;
} embed_graph_t;

typedef struct {
    grn_regulation_t reg; /* genes in bytewise order */
    embed_graph_t *graph; /* (K), contexts with at least one arc */
    size_t n;
    grn_arc_t *link; /* every link of any context as (lower id, higher id), ascending */
    size_t n_link, n_held_links;
} embed_graphs_t;

/* e: edges. genes: the universe, bytewise order. share: of the links to hold out, 0..0.5.
 * GRN_EEMPTY when no edge lies in the universe. */
grn_status embed_graphs_build(embed_graphs_t *g, const grn_edges_t *e, const grn_names_t *genes,
                              grn_dir dir, double share, uint64_t seed) GRN_MUST_USE;
void embed_graphs_clear(embed_graphs_t *g); /* accepts zeroed */

/* 1 if the two genes are linked in any context. */
int embed_graphs_linked(const embed_graphs_t *g, uint32_t u, uint32_t v);

/* Genes of at least one of n arcs, ascending: *node malloc'ed, *n_node their number. degree (G, may
 * be NULL): links of each. */
grn_status embed_nodes(const grn_arc_t *arc, size_t n, size_t n_genes, uint32_t **node,
                       size_t *n_node, uint32_t *degree) GRN_MUST_USE;

#endif
