/* A batch of cells as the index arrays the model computes with, on the host and mirrored on the device.
 *
 * Sequences are packed, without padding: cell b has the rows [row_off[b], row_off[b+1]), <cls> first, then its gene tokens;
 * its keys (gene tokens only) are [key_off[b], key_off[b+1]); the rows that are asked for (masked tokens, ...) are its
 * queries.
 *
 * Graph part (SPEC_MODEL 5.5): layer 1 is linear in features that all graphs share, so it is computed once per distinct
 * gene ("unique" rows) and only gathered per graph. Layer-1 rows are the (cell, graph, node) that layer 2 reads: the tokens
 * and their sampled neighbours. Layer 2 is needed at the keys only, and its two graphs are added before its matrix
 * products, which is the same sum. */
#ifndef GRN_MODEL_BATCH_H
#define GRN_MODEL_BATCH_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/par.h"
#include "graph/sample.h"
#include "model/cells.h"
#include "model/config.h"
#include "model/tokens.h"
#include "nn/op.h"

typedef enum {
    GRN_QUERY_MASKED, /* masked gene tokens: training and reconstruction */
    GRN_QUERY_GENES,  /* all gene tokens: attention statistics */
    GRN_QUERY_CLS     /* the <cls> of each cell: cell embeddings */
} grn_query;

typedef struct {
    int train; /* 1: perturb and sample neighbours; 0: the graph itself, all neighbours */
    grn_query query;
    grn_mask_opt_t mask;
} grn_view_t;

typedef struct { /* an array on the host and its copy on the device */
    void *h, *d;
    size_t n, cap_h, cap_d, size;
} grn_mirror_t;

typedef struct {                         /* gather lists: rows -> sources, and the transpose for the backward pass */
    grn_mirror_t off, idx, t_off, t_idx; /* i64 (rows+1), i32, i64 (sources+1), i32 */
    int64_t n_rows, n_src;
} grn_lists_t;

typedef struct grn_batch_work_s grn_batch_work_t;

typedef struct {
    grn_dev_t *dev; /* borrowed */
    int64_t n_cells, n_rows, n_keys, n_query, n_uniq, n_hidden;
    int64_t max_rows, max_keys, max_query; /* of one cell */
    int n_graphs;
    grn_mirror_t row_off, key_off, query_off; /* i64 (B+1) */
    grn_mirror_t row_uniq, row_value; /* i32 (rows): unique row of its gene; value code = bin + 2, 1 = masked, 0 = <cls> */
    grn_mirror_t query_row;           /* i32 (queries): row of each query, ascending */
    grn_mirror_t uniq_id;             /* i32 (unique): vocabulary id */
    grn_mirror_t hidden_uniq;         /* i32 (layer-1 rows): unique row of the node itself */
    grn_mirror_t self[2];             /* i32 (keys): layer-1 row of the key in each graph */
    grn_lists_t hop1;                 /* layer-1 rows -> unique rows */
    grn_lists_t hop2[2];              /* keys -> layer-1 rows */
    grn_mirror_t target;              /* float (queries): the bin to predict, expected over ties; 0 for <cls> */
    /* host only */
    uint32_t *key_gene, *query_gene; /* gene ids; UINT32_MAX for <cls> */
    uint32_t *query_cell, *key_cell; /* position in the batch */
    uint64_t n_arcs, n_expressed;    /* totals, for the log */
    size_t key_cap, query_cap, key_cell_cap, query_cell_cap;
    grn_batch_work_t *work;
} grn_batch_t;

grn_status grn_batch_create(grn_batch_t **b, grn_dev_t *dev, grn_par_t *pool) GRN_MUST_USE;
void grn_batch_destroy(grn_batch_t *b); /* accepts NULL; before the device is closed */

/* Fills b with the cells cell[0..n) seen through `view`. Vocabulary ids are gene ids, then <pad> = G, <cls> = G + 1.
 * Draws depend on (seed, epoch, barcode) only; the arrays do not depend on the pool. O(sum of E and G over cells and
 * graphs). */
grn_status grn_batch_fill(grn_batch_t *b, const grn_model_config_t *cfg, const grn_cells_t *cells, const uint32_t *cell,
                          size_t n, const grn_view_t *view) GRN_MUST_USE;

/* Fills b with one graph and no cell: keys are the nodes node[0..n) (distinct), hop lists hold all neighbours. For
 * embeddings of genes. */
grn_status grn_batch_fill_graph(grn_batch_t *b, const grn_csr_t *g, const uint32_t *node, size_t n) GRN_MUST_USE;
/* The same with at most `fanout` sampled neighbours per node and layer (0: all), drawn as in grn_sample_rows with draw's
 * seed, cell, epoch and graph: training of an encoder on one graph. */
grn_status grn_batch_sample_graph(grn_batch_t *b, const grn_csr_t *g, const uint32_t *node, size_t n, size_t fanout,
                                  const grn_sample_key_t *draw, const uint64_t *node_key) GRN_MUST_USE;

#endif
