/* From the sum of products of two genes to what they are worth as a link. */
#ifndef GRN_COEXPR_SCORE_H
#define GRN_COEXPR_SCORE_H

#include <stddef.h>

#include "grn-coexpr/context.h"

typedef enum { COEXPR_PEARSON, COEXPR_SPEARMAN, COEXPR_RHO_P, COEXPR_PMI, COEXPR_CLIQUE } coexpr_method;

/* Genes on one side of the pairs. A product less the projections' is a centred product, that of the residuals when covariates are
 * removed. */
typedef struct {
    coexpr_method method;
    size_t n_genes, p;
    double *proj;  /* (p, n_genes) */
    double *scale; /* (n_genes) PEARSON, SPEARMAN: 1 / norm, 0 if constant; RHO_P: squared norm of the centred log ratio; PMI: cells */
    double *shift; /* (n_genes) RHO_P: centred product with the cells' means */
    double add;    /* RHO_P: centred square of the cells' means; PMI: n */
} coexpr_side_t;

void coexpr_side_clear(coexpr_side_t *s);
/* From the moments of the genes, which are left without their projections. other, basis: as the moments were taken with (RHO_P: the
 * means of the cells; n cells). */
grn_status coexpr_side_make(coexpr_side_t *s, coexpr_method method, coexpr_moments_t *m, const double *basis, const double *other,
                            size_t n) GRN_MUST_USE;

/* Scores of gene i of a with genes j0 .. j0 + n - 1 of b from their products, n <= COEXPR_TILE. With tmp: n doubles. 0: none. In [-1,
 * 1]. */
void coexpr_score_row(const coexpr_side_t *a, size_t i, const coexpr_side_t *b, size_t j0, size_t n, const float *product, double *tmp,
                      float *score);
double coexpr_score_pair(const coexpr_side_t *a, size_t i, const coexpr_side_t *b, size_t j, double product);

#endif
