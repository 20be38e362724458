/* The cells of one context as sparse columns of genes, a slab of cells at a time: what every pass over a context reads.
 *
 * Letters: n cells, G genes that are kept, p columns of the basis. Genes that are kept are numbered by the cells that detect them, most
 * first (ties: by name), so that of two genes the later has the fewer values. */
#ifndef GRN_COEXPR_CONTEXT_H
#define GRN_COEXPR_CONTEXT_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/par.h"
#include "grn-coexpr/store.h"

enum { COEXPR_SLAB = 2048 }; /* cells of a slab: sums in single precision are taken slab by slab, so that this is part of the result */

typedef enum {
    COEXPR_VALUE_RAW,
    COEXPR_VALUE_LOG,  /* ln(1 + 10,000 x / total of the cell), rounded to single precision */
    COEXPR_VALUE_RANK, /* average rank within the context less that of a zero */
    COEXPR_VALUE_ONE   /* detected */
} coexpr_value;

typedef struct {
    const coexpr_store_t *store;
    const uint32_t *cell; /* (n) in name order; borrowed */
    size_t n;
    coexpr_value value;
    size_t n_genes;
    uint32_t *gene;     /* (G) gene of the store */
    uint32_t *place;    /* (genes of the store) -> 0..G-1, or UINT32_MAX */
    uint64_t *rank_off; /* RANK: (n + 1) */
    float *rank;        /* RANK: cell by cell, the genes that are kept in name order */
    size_t p;
    double *basis; /* (n, p) orthonormal; what is removed from every gene: the mean and the covariates */
} coexpr_context_t;

void coexpr_context_clear(coexpr_context_t *c);
/* Keeps the genes with keep[g] != 0; count (genes of the store): cells that detect each. */
grn_status coexpr_context_keep(coexpr_context_t *c, const uint8_t *keep, const uint64_t *count) GRN_MUST_USE;
/* From now on values are ranks (of what they were). At most `room` bytes of scratch, at least what the largest gene takes. */
grn_status coexpr_context_rank(coexpr_context_t *c, uint64_t room, grn_par_t *pool) GRN_MUST_USE;

typedef struct { /* cells of a slab, as columns of genes */
    size_t n, n_cols;
    uint64_t *off;  /* (n_cols + 1) */
    uint16_t *cell; /* ascending in a column */
    float *x;
    double *mean; /* (n) over the G kept genes of the cell's values */
    size_t cap_off, cap_cell, cap_x;
    uint32_t *count; /* scratch */
    size_t cap_count;
} coexpr_slab_t;

void coexpr_slab_clear(coexpr_slab_t *s);
/* Cells first .. first + n - 1 of the context, n <= COEXPR_SLAB. Genes g with place[g] = UINT32_MAX are left out, the others become
 * columns place[g] < n_cols. */
grn_status coexpr_slab_fill(coexpr_slab_t *s, const coexpr_context_t *c, size_t first, size_t n, const uint32_t *place, size_t n_cols,
                            grn_par_t *pool) GRN_MUST_USE;
/* Bytes that the largest slab of the context takes. */
uint64_t coexpr_slab_room(const coexpr_context_t *c);

/* Calls fn for every slab of the context in turn. */
typedef grn_status (*coexpr_slab_fn)(void *ctx, const coexpr_slab_t *s, size_t first, grn_par_t *pool);
grn_status coexpr_each_slab(const coexpr_context_t *c, const uint32_t *place, size_t n_cols, coexpr_slab_fn fn, void *ctx,
                            grn_par_t *pool) GRN_MUST_USE;

/* What the scores need of each column besides products; zeroed by the caller, added to slab by slab in the order of the cells. */
typedef struct {
    size_t n_cols, p;
    double *square;     /* (n_cols) sum of x^2 */
    double *proj;       /* (p, n_cols) sum of x basis */
    double *with;       /* (n_cols) sum of x times `other`, or NULL */
    double *cells;      /* (n_cols) values that are not zero */
    double *raw, *raw2; /* (n_cols) sum of x and of its square before the logarithm, or NULL */
    int raw_log;        /* there was one: exp(x) - 1 */
} coexpr_moments_t;

grn_status coexpr_moments_init(coexpr_moments_t *m, size_t n_cols, size_t p) GRN_MUST_USE;
void coexpr_moments_clear(coexpr_moments_t *m);
/* basis (n of the context, p), other (n) or NULL: of the cells from `first` on. */
grn_status coexpr_moments_add(coexpr_moments_t *m, const coexpr_slab_t *s, const double *basis, const double *other, size_t first,
                              grn_par_t *pool) GRN_MUST_USE;

#endif
