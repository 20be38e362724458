/* Reference and query cells as points of one space: an embedding both have, or principal components of the reference's counts.
 *
 * Reference cells stand in bytewise order of their names, so that nothing that follows depends on their order in the file; query cells
 * keep theirs. */
#ifndef GRN_MAP_SPACE_H
#define GRN_MAP_SPACE_H

#include <stddef.h>
#include <stdint.h>

#include "base/par.h"
#include "io/counts.h"

typedef struct {
    size_t n, d;
    float *x; /* (n, d) finite */
    grn_names_t name;
    grn_attrs_t attr;  /* labels (reference only) */
    uint8_t *no_count; /* (n) 1: none of the genes was seen in this cell; NULL: does not apply */
} points_t;

void points_clear(points_t *p); /* accepts zeroed */

typedef enum { SPACE_AUTO, SPACE_COUNTS, SPACE_EMBEDDING } space_kind;

typedef struct {
    space_kind kind; /* AUTO: grn.embedding, a dense container or an "obsm/NAME" layer is an embedding, the rest are counts */
    uint32_t pcs;    /* counts: components */
    size_t genes;    /* counts: the genes of largest variance; 0 all */
    uint64_t seed;
    const grn_counts_opt_t *read; /* labels are those of the reference */
} space_opt_t;

typedef struct {
    points_t reference, query;
    grn_matrix_t expression; /* counts: (reference cells, shared genes) ln(1 + 10,000 x / total), both in order of names; else empty */
    uint32_t pcs;
    size_t genes;
    uint64_t seed;
} space_t;

void space_clear(space_t *s); /* accepts zeroed */
/* Loads both. Embeddings: dimensions must have the same names (in any order), or none. Counts: reference cells without a count of a
 * shared gene are dropped; genes, means and loadings of the reference serve for both. GRN_ESHAPE: other dimensions; GRN_EEMPTY: hardly
 * a gene is shared; GRN_ENONFINITE; GRN_EFORMAT: no counts. Embeddings are held in memory; a query of counts in our container is read
 * in blocks. */
grn_status space_load(const char *reference, const char *query, const space_opt_t *o, grn_par_t *pool, space_t *s) GRN_MUST_USE;

/* A space made of some reference cells only, with others in it as if they were a query: of counts, genes and components are those of
 * `rest`. rest, held: reference cells, ascending. x_rest (n_rest, d), x_held (n_held, d): malloc'ed. GRN_EEMPTY: the rest does not
 * vary. */
grn_status space_split(const space_t *s, const uint32_t *rest, size_t n_rest, const uint32_t *held, size_t n_held, grn_par_t *pool,
                       float **x_rest, float **x_held, size_t *d) GRN_MUST_USE;

/* ---- of counts (expression.c) ---- */

/* Fills s from m, the counts of the reference with rows in order of names (consumed), and the query. */
grn_status expression_load(grn_matrix_t *m, const char *reference, const char *query, const space_opt_t *o, grn_par_t *pool,
                           space_t *s) GRN_MUST_USE;
grn_status expression_split(const space_t *s, const uint32_t *rest, size_t n_rest, const uint32_t *held, size_t n_held, grn_par_t *pool,
                            float **x_rest, float **x_held, size_t *d) GRN_MUST_USE;

#endif
