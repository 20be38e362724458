/* Writes grn.embedding/1: one row per (graph, gene), graphs in the order given, genes of a graph in
 * bytewise order. Tensors: X f32 (N,D); context u16, gene u32, degree u32 (N); for cell graphs also
 * cell u32 (N); names.context, names.gene, names.cell. */
#ifndef GRN_EMBED_OUTPUT_H
#define GRN_EMBED_OUTPUT_H

#include "base/names.h"
#include "base/par.h"
#include "io/container.h"

typedef struct {
    grn_cw_t *w;
    int x, context, gene, degree, cell; /* tensors under construction; cell -1: type graphs */
    uint64_t n, dim;
} embed_out_t;

/* has_cell: rows belong to cells. Nothing to free on failure. */
grn_status embed_out_open(embed_out_t *o, const char *path, uint64_t dim, int has_cell,
                          grn_par_t *pool) GRN_MUST_USE;
/* Rows of one graph: x (n, D) of genes node[0..n), degree[v] of gene v. */
grn_status embed_out_add(embed_out_t *o, const float *x, const uint32_t *node, size_t n,
                         const uint32_t *degree, uint16_t context, uint32_t cell) GRN_MUST_USE;
/* Finishes the file. cell: NULL for type graphs. */
grn_status embed_out_commit(embed_out_t *o, const grn_names_t *gene, const grn_names_t *context,
                            const grn_names_t *cell) GRN_MUST_USE;
void embed_out_abort(embed_out_t *o); /* accepts zeroed */

#endif
