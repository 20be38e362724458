/* Which pairs of genes share functional terms. */
#ifndef GRN_COEXPR_TERMS_H
#define GRN_COEXPR_TERMS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/names.h"
#include "base/par.h"
#include "io/gmt.h"

typedef struct {
    size_t n_genes, n_words;
    uint64_t *shared;        /* (n_genes, n_words) bit h of row g: the two share enough terms */
    size_t n_terms, n_large; /* used; left out as larger than max_term */
    size_t n_annotated;      /* genes in at least one of the terms used */
    uint64_t n_pairs;        /* that are allowed */
} coexpr_terms_t;

/* genes: the dictionary that the pairs go by. Terms with more than max_term of its genes are left out; two genes need min_shared terms
 * in common. Memory: genes^2 / 8 bytes. GRN_EEMPTY: no pair shares so many. GRN_ENOMEM. */
grn_status coexpr_terms_make(coexpr_terms_t *t, const grn_gmt_t *gmt, const grn_names_t *genes, size_t min_shared, size_t max_term,
                             grn_par_t *pool) GRN_MUST_USE;
void coexpr_terms_clear(coexpr_terms_t *t);

static inline int coexpr_terms_allow(const coexpr_terms_t *t, uint32_t g, uint32_t h)
{
    return (int)(t->shared[(size_t)g * t->n_words + h / 64] >> (h % 64) & 1);
}

#endif
