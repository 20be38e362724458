/* Perturbed graphs (GRNFormer, Algorithm 1; SPEC_MODEL 5.3): drop a share alpha of the arcs, add as many co-expression
 * links.
 *
 * The draw is a function of (seed, epoch, cell name, graph) and of nothing else: any tool can make the graph that training
 * saw, for any subset of cells in any order. Thread safe with one work object per thread. */
#ifndef GRN_GRAPH_PERTURB_H
#define GRN_GRAPH_PERTURB_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "graph/arcs.h"

typedef enum { GRN_PERTURB_NONE, GRN_PERTURB_RANDOM, GRN_PERTURB_COEXPR, GRN_PERTURB_LIST } grn_perturb_kind;
enum { GRN_GRAPH_CELL = 0, GRN_GRAPH_TYPE = 1 }; /* which graph of the cell: their draws are independent */

typedef struct {
    grn_perturb_kind kind; /* where added links come from: V x V, the clique S x S, or `list` within S x S */
    double alpha;          /* share of arcs replaced, 0..1 */
    uint64_t seed;
    size_t n_genes;         /* |V| */
    const grn_arcs_t *list; /* GRN_PERTURB_LIST: the co-expression links, ascending; else NULL */
} grn_perturb_opt_t;

typedef struct {          /* work space, and what the last draw did; zeroed = ready */
    grn_arcs_t drop, add; /* the arcs drawn, ascending; an arc may be in both (it then stays) or in add and the graph */
    uint64_t *pick;
    size_t pick_cap;
} grn_perturb_t;

void grn_perturb_clear(grn_perturb_t *w);

/* out = (E \ drop) u add.  m = floor(alpha |E|), the product in double; drop: m arcs of E without replacement; add: m distinct ordered
 * pairs u != v, all of them when fewer exist. arc  (n) the graph E, ascending.  s (n_s) the visible expressed genes S, ascending: not
 * masked, value > 0; not read for RANDOM. cell  hash of the barcode (grn_hash_str).  graph  GRN_GRAPH_CELL or _TYPE. |out|
 * <= |E|; no u -> u; kind NONE or alpha 0 gives E. The random stream is "graph.drop" and "graph.add". O(E + m log m +
 * |list|). */
grn_status grn_perturb_draw(grn_perturb_t *w, const grn_perturb_opt_t *opt, uint64_t cell, uint64_t epoch, int graph,
                            const grn_arc_t *arc, size_t n, const uint32_t *s, size_t n_s, grn_arcs_t *out) GRN_MUST_USE;

/* A random graph with the in- and out-degree of every node: 10 |E| attempted swaps (u1->v1, u2->v2) -> (u1->v2, u2->v1),
 * refused when one exists or is a loop (Maslov & Sneppen 2002). In place; ascending before and after. `key` names the graph
 * (hash of the context). Stream "graph.rewire". */
grn_status grn_arcs_rewire(grn_arcs_t *g, uint64_t seed, uint64_t key) GRN_MUST_USE;

#endif
