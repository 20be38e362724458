/* Co-expression links within each context: the k genes that each gene is most associated with.
 *
 * Cells and genes are taken in bytewise name order and sums have a fixed shape, so that the links depend on neither the order of the
 * input, the number of workers, the instruction set nor the memory. Candidates are found from products in single precision; the score
 * that is written, and the order of a gene's links, is computed again in double for the best of them. */
#ifndef GRN_COEXPR_LINKS_H
#define GRN_COEXPR_LINKS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/names.h"
#include "base/par.h"
#include "grn-coexpr/design.h"
#include "grn-coexpr/filter.h"
#include "grn-coexpr/score.h"
#include "grn-coexpr/store.h"
#include "graph/terms.h"
#include "io/edges.h"
#include "io/matrix.h"

typedef enum { COEXPR_NORM_AUTO, COEXPR_NORM_LOG, COEXPR_NORM_NONE } coexpr_norm;

typedef struct {
    coexpr_method method;
    coexpr_norm norm;    /* LOG: ln(1 + 10,000 x / cell total); AUTO: that for whole numbers, else as they are */
    int64_t top;         /* links per gene */
    int64_t mutual;      /* > 0: by mutual rank within so many partners of each gene */
    int64_t min_context; /* contexts with fewer cells beyond the covariates are left out */
    double min_score;    /* |score| below this is no link */
    double max_q;        /* nor one above this */
    coexpr_filter_t filter;
    const coexpr_covariate_t *covariate; /* removed from values or ranks by linear regression; not for PMI */
    size_t n_covariates;
    const grn_pairs_t *terms; /* of the store's genes; NULL: all pairs */
    int64_t n_null;           /* pairs of genes with shuffled cells to show what chance gives; 0: none, and no q */
    uint64_t max_mem;         /* bytes, the store's among them; 0: 1 GiB of products at a time */
    uint64_t seed;
} coexpr_opt_t;

/* Contexts of cells: names in bytewise order; cells in bytewise order of barcodes within each. */
typedef struct {
    grn_names_t names;
    uint32_t *cell;
    uint64_t *off;         /* (K + 1) */
    uint64_t n_unlabelled; /* cells left out */
} coexpr_groups_t;

/* By a code attribute, or one context "all" when attr is NULL. m: names of its rows alone are looked at. */
grn_status coexpr_groups(const grn_matrix_t *m, const grn_attr_t *attr, coexpr_groups_t *g) GRN_MUST_USE;
void coexpr_groups_clear(coexpr_groups_t *g);

enum { COEXPR_DEPTHS = 5 };
extern const int coexpr_depth[COEXPR_DEPTHS]; /* 1, 5, 10, 20, 50 */

typedef struct { /* one context's outcome, for the log */
    uint64_t n_cells, n_genes, n_links;
    size_t n_columns; /* of the covariates and the intercept */
    int too_small;    /* left out: fewer than min_context cells, or than those beyond the covariates */
    coexpr_filtered_t filtered;
    double median_r, weakest_r;           /* of |score| of the links */
    uint64_t n_pairs, n_allowed, n_null;  /* pairs of genes: all, those the terms allow, shuffled ones */
    double median_all, median_allowed;    /* |score| of pairs */
    double null_q95, null_q99, null_q999; /* |score| of shuffled pairs; NaN without */
    double above[COEXPR_DEPTHS];          /* share of genes whose k-th partner is above the 99.9 % of shuffled pairs; NaN without */
    double mean_detected, implied;        /* genes detected per cell; ordered pairs of the clique per cell */
    size_t n_panels;                      /* passes over the cells that the memory made of the products */
} coexpr_stat_t;

/* out: links with columns tf, gene, context, sign, weight = |score|, and evidence q and mutual_rank where asked for, sorted; for CLIQUE
 * no rows but the gene universe and the contexts. stat (K): filled for every context. GRN_EEMPTY when no context passes or no link is
 * left; GRN_EINVAL: max_mem is not enough, or the method or normalisation does not fit the values; GRN_ENOMEM. Memory: slabs of cells
 * as columns, the products of a panel, 16 bytes per gene and partner; SPEARMAN 4 bytes per value of the context. */
grn_status coexpr_links(const coexpr_store_t *s, const coexpr_groups_t *g, const coexpr_opt_t *opt, grn_par_t *pool, grn_edges_t *out,
                        coexpr_stat_t *stat) GRN_MUST_USE;

#endif
