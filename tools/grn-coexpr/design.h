/* What is removed from every gene before genes are compared: its mean, and what is linear in covariates of the cells. */
#ifndef GRN_COEXPR_DESIGN_H
#define GRN_COEXPR_DESIGN_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/names.h"

typedef struct { /* of all cells of the store; borrowed. Either a number or a level each */
    const char *name;
    const double *num;
    const int32_t *code;
    const grn_names_t *levels;
} coexpr_covariate_t;

/* Orthonormal columns that span the intercept and the covariates over cell[0..n): *basis (n, *p), row-major. Levels become indicators
 * in name order, one dropped where the others tell it; columns are orthogonalised by Gram-Schmidt, twice, in the order given, and those
 * that are (to 1e-10 of their square) combinations of earlier ones are left out. Each column must have a value for every cell (the
 * caller's concern). O(n p^2). GRN_ENOMEM. */
grn_status coexpr_design(const coexpr_covariate_t *v, size_t n_v, const uint32_t *cell, size_t n, double **basis,
                         size_t *p) GRN_MUST_USE;

/* A random order of the n cells that keeps each among those with the same levels of all covariates that have levels: order[i] = place
 * whose cell stands at i. */
grn_status coexpr_shuffle(const coexpr_covariate_t *v, size_t n_v, const uint32_t *cell, size_t n, uint64_t seed, uint64_t context,
                          uint64_t round, uint32_t *order) GRN_MUST_USE;

#endif
