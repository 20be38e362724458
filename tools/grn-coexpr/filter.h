/* Which genes of a context are compared: detected often enough but not everywhere, variable, and none of those that are linked for
 * reasons of the cell or the assay. */
#ifndef GRN_COEXPR_FILTER_H
#define GRN_COEXPR_FILTER_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "grn-coexpr/context.h"

/* Mitochondrial by name: MT- and mt-. */
int coexpr_is_mito(const char *gene);
/* Cytosolic ribosomal protein by name: RPL and RPS with a number (RPL3, RPS27A, RPS4Y1, RPLP0) and RPSA, and so in lower case; not the
 * kinases RPS6K.. and not MRPL.. */
int coexpr_is_ribo(const char *gene);

typedef struct {
    int64_t min_cells;       /* a gene must be detected in so many cells */
    double max_detected;     /* and in no larger share of them */
    int64_t n_variable;      /* only so many, by normalised dispersion; 0: all */
    const uint8_t *excluded; /* (genes of the store), or NULL */
} coexpr_filter_t;

typedef struct { /* genes left out by each, in this order */
    uint64_t rare, common, excluded, flat;
} coexpr_filtered_t;

/* keep, count (genes of the store): genes to compare; cells that detect each. The dispersion (variance over mean of the counts per
 * 10,000; of the values where they are taken as they are) is compared, as a logarithm, with that of genes of the same mean, in 20 bins
 * of equal width of ln(1 + mean) (Satija et al. 2015); a gene alone in its bin has 1. Ties: by name. */
grn_status coexpr_filter(const coexpr_context_t *c, const coexpr_filter_t *f, grn_par_t *pool, uint8_t *keep, uint64_t *count,
                         coexpr_filtered_t *out) GRN_MUST_USE;

#endif
