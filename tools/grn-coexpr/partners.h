/* The best partners of every gene, from panels of products, and how scores are distributed over all pairs. */
#ifndef GRN_COEXPR_PARTNERS_H
#define GRN_COEXPR_PARTNERS_H

#include "graph/terms.h"
#include "grn-coexpr/gram.h"
#include "grn-coexpr/score.h"

enum { COEXPR_BINS = 10000 }; /* of |score|, of equal width; one more for 1 */

static inline uint32_t coexpr_bin(float score)
{
    return (uint32_t)((score < 0 ? -score : score) * (float)COEXPR_BINS); /* score in [-1, 1] */
}

typedef struct {
    double score;  /* signed, not 0 */
    uint32_t gene; /* of the context */
} coexpr_partner_t;

typedef struct {
    size_t n_genes, depth;
    coexpr_partner_t *best;    /* (n_genes, depth) */
    uint32_t *n;               /* (n_genes) */
    const uint32_t *name;      /* (n_genes) place in name order: breaks ties */
    uint64_t *pairs, *allowed; /* (COEXPR_BINS + 1) pairs of genes by |score|: all, and those that the terms allow */
} coexpr_partners_t;

/* name: borrowed. GRN_ENOMEM. */
grn_status coexpr_partners_init(coexpr_partners_t *t, size_t n_genes, size_t depth, const uint32_t *name) GRN_MUST_USE;
void coexpr_partners_clear(coexpr_partners_t *t);
/* Offers all pairs of a triangle's panel to both genes. terms (of the genes `gene` of the context) may be NULL. Until settled the lists
 * are heaps. */
grn_status coexpr_partners_scan(coexpr_partners_t *t, const coexpr_panel_t *p, const coexpr_side_t *side, const grn_pairs_t *terms,
                                grn_par_t *pool) GRN_MUST_USE;
/* Sorts the lists, best first. */
grn_status coexpr_partners_sort(coexpr_partners_t *t, grn_par_t *pool) GRN_MUST_USE;
/* Scores of the first `keep` of each list from products in double, taken cell by cell in the order of the context; these are sorted
 * again, the rest is dropped. */
grn_status coexpr_partners_exact(coexpr_partners_t *t, const coexpr_context_t *c, const coexpr_side_t *side, size_t keep,
                                 grn_par_t *pool) GRN_MUST_USE;

/* Mutual rank (Obayashi & Kinoshita 2009) of every partner: rank (n_genes, depth) = the geometric mean of the places of two genes in
 * each other's first `upto` partners, NaN unless both are there. */
grn_status coexpr_mutual_rank(const coexpr_partners_t *t, size_t upto, grn_par_t *pool, float **rank) GRN_MUST_USE;

#endif
