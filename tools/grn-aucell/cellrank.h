/* The ranking of one cell, as far as it counts: which columns, and what each contributes to the sum of a set that holds it.
 *
 * Columns are ranked by descending value, best = 0. A column of rank r contributes max(c - r, 0); columns that share the ranks
 * a..b-1 contribute the mean over these, or each one of these in a random order. Contributions are whole numbers, multiples of the
 * rule's unit, so that sums are the same in any order. A ranker belongs to one thread. */
#ifndef GRN_AUCELL_CELLRANK_H
#define GRN_AUCELL_CELLRANK_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "grn-aucell/aucell_kernel.h"

typedef enum {
    AUCELL_TIES_EXACT,
    AUCELL_TIES_RANDOM, /* by (seed, cell, column) */
    AUCELL_TIES_SHARED  /* by (seed, column): one order of the columns for all cells */
} aucell_ties;

typedef struct {
    uint32_t cut; /* c: ranks 0..c-1 count */
    uint64_t n_genes;
    int shift; /* the unit is 2^-shift of a rank */
    aucell_ties ties;
    uint64_t seed;
    const uint64_t *gene_key; /* (G) name hashes; only for random ties */
    const aucell_kernel_t *kernel;
} aucell_rule_t;

/* Mean of max(c - r, 0) over the ranks a..b-1 (a < b), c < 2^31. */
double aucell_gain(uint64_t a, uint64_t b, uint64_t c);
/* The same in units of 2^-shift, rounded to a whole number. */
int64_t aucell_gain_units(uint64_t a, uint64_t b, uint64_t c, int shift);

/* A column contributes gain[class] - 0 when class < least. Columns that are not listed contribute nothing; to what is listed here
 * `zero` comes for every column of the matrix. Borrowed from the ranker and from the row until the next call. */
typedef struct {
    size_t n;
    const uint32_t *gene, *class;
    uint32_t least;
    const int64_t *gain;
    int64_t zero;
    uint32_t n_detected; /* columns with a value > 0 */
} aucell_ranked_t;

typedef struct {
    const aucell_rule_t *rule;
    uint64_t *a, *tmp; /* (G) key << 32 | column */
    uint32_t *gene, *class;
    int64_t *gain;
    uint8_t *seen; /* (G) scratch, kept zero */
    size_t n;
    uint32_t n_class;
} aucell_ranker_t;

grn_status aucell_ranker_init(aucell_ranker_t *r, const aucell_rule_t *rule) GRN_MUST_USE; /* r zeroed; clear it also after failure */
void aucell_ranker_clear(aucell_ranker_t *r);

/* A row by its values that are not zero: idx ascending. cell: hash of its name. O(n + top log top). */
void aucell_rank_row(aucell_ranker_t *r, size_t n, const uint32_t *idx, const float *val, uint64_t cell, aucell_ranked_t *out);
/* A row by those of its values that are at least as large as some value, at least c of them: r->a[0..n) = aucell_order(value) << 32 |
 * column, in any order. n_detected is not set. */
void aucell_rank_best(aucell_ranker_t *r, size_t n, uint64_t cell, aucell_ranked_t *out);

#endif
