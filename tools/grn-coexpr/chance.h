/* What scores chance gives: pairs of genes of a context after the cells of one of them were shuffled. */
#ifndef GRN_COEXPR_CHANCE_H
#define GRN_COEXPR_CHANCE_H

#include "grn-coexpr/design.h"
#include "grn-coexpr/partners.h"

/* bins (COEXPR_BINS + 1): pairs by |score|; *n: how many, about `wanted` unless there are few genes. Up to 1,024 random genes are
 * paired with random others whose cells are shuffled, in at least eight ways, within the levels of the covariates. side: of the genes
 * of c; mean (n): RHO_P's means of the cells, or NULL; name: what the draws are keyed by. Memory: the columns of the genes drawn, 6
 * bytes a value; 64 floats per cell and worker. */
grn_status coexpr_chance(const coexpr_context_t *c, const coexpr_side_t *side, const double *mean, const coexpr_covariate_t *v,
                         size_t n_v, uint64_t wanted, uint64_t seed, const char *name, grn_par_t *pool, uint64_t *bins,
                         uint64_t *n) GRN_MUST_USE;

#endif
