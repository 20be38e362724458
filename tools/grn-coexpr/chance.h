/* What scores chance gives: pairs of genes of a context after the cells of one of them were shuffled. */
#ifndef GRN_COEXPR_CHANCE_H
#define GRN_COEXPR_CHANCE_H

#include "grn-coexpr/design.h"
#include "grn-coexpr/partners.h"

/* bins (COEXPR_BINS + 1): pairs by |score|; *n: how many, about `wanted` unless there are few genes. Cells are shuffled in at least
 * eight ways, within the levels of the covariates; pairs are random genes with random others. side: of the genes of c; name: what the
 * draws are keyed by. */
grn_status coexpr_chance(const coexpr_context_t *c, const coexpr_side_t *side, const coexpr_covariate_t *v, size_t n_v, uint64_t wanted,
                         uint64_t seed, const char *name, grn_par_t *pool, uint64_t *bins, uint64_t *n) GRN_MUST_USE;

#endif
