/* Co-expression links within each context: the k genes that correlate most with each gene, by blocked matrix products.
 *
 * Cells and genes are taken in bytewise name order, blocks have a fixed size and BLAS runs with one thread, so that the links do
 * not depend on the order of the input or on the number of workers. Candidates are found in single precision; the correlation
 * that is written is computed again in double (lib/stat/corr.h). */
#ifndef GRN_COEXPR_LINKS_H
#define GRN_COEXPR_LINKS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/names.h"
#include "base/par.h"
#include "io/edges.h"
#include "io/matrix.h"

typedef enum { COEXPR_PEARSON, COEXPR_SPEARMAN, COEXPR_CLIQUE } coexpr_method;
typedef enum { COEXPR_NORM_AUTO, COEXPR_NORM_LOG, COEXPR_NORM_NONE } coexpr_norm;

typedef struct {
    coexpr_method method;
    coexpr_norm norm;    /* LOG: ln(1 + 10,000 x / cell total); AUTO: that for whole numbers, else as they are */
    int64_t top;         /* links per gene */
    int64_t min_cells;   /* a gene must be detected in so many cells of the context */
    int64_t min_context; /* smaller contexts are left out */
    double min_r;        /* |r| below this is no link */
    int64_t n_null;      /* gene pairs with shuffled cells to show what chance gives; 0: none */
    uint64_t seed;
} coexpr_opt_t;

/* Contexts of cells: names in bytewise order; cells in bytewise order of barcodes within each. */
typedef struct {
    grn_names_t names;
    uint32_t *cell;
    uint64_t *off;         /* (K + 1) */
    uint64_t n_unlabelled; /* cells left out */
} coexpr_groups_t;

/* By a code attribute, or one context "all" when attr is NULL. */
grn_status coexpr_groups(const grn_matrix_t *m, const grn_attr_t *attr, coexpr_groups_t *g) GRN_MUST_USE;
void coexpr_groups_clear(coexpr_groups_t *g);

typedef struct { /* one context's outcome, for the log */
    uint64_t n_cells, n_genes, n_links;
    double median_r, weakest_r;           /* of |r| of the links */
    double null_q95, null_q99, null_q999; /* |r| of shuffled pairs; NaN without */
    double mean_detected, implied;        /* genes detected per cell; ordered pairs of the clique per cell */
} coexpr_stat_t;

/* m: CSR. out: links with columns tf, gene, context, sign, weight = |r|, sorted; for CLIQUE no rows but the gene universe and the
 * contexts. stat (K): filled for every context. GRN_EEMPTY when no context passes; GRN_ENOMEM. Memory: the context's non-zeros
 * twice and 2 x 128 x cells floats per worker. O(G^2 C / 8) multiplications per context on a core with 8 lanes. */
grn_status coexpr_links(const grn_matrix_t *m, const coexpr_groups_t *g, const coexpr_opt_t *opt, grn_par_t *pool,
                        grn_edges_t *out, coexpr_stat_t *stat) GRN_MUST_USE;

#endif
