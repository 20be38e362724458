/* A set of unordered pairs of genes as one bit each: the pairs that share a term (a gene set: GO, pathways), or the linked ones. With
 * all pairs at hand chance levels are counted over them instead of being drawn.
 *
 * Read-only after building: any thread may use it. Memory: G^2 / 16 bytes (23 MB for 19,000 genes). */
#ifndef GRN_GRAPH_TERMS_H
#define GRN_GRAPH_TERMS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/names.h"
#include "io/gmt.h"

typedef struct {      /* zeroed = empty, of no genes */
    size_t n_genes;   /* G */
    uint64_t n_pairs; /* pairs in the set, u < v */
    uint64_t *bit;    /* row v: bits of the genes u < v, in words of their own */
} grn_pairs_t;

typedef struct {                      /* what grn_pairs_of_terms made of the terms */
    size_t n_terms, n_small, n_large; /* that count; with fewer than two genes of the universe; with more than the limit */
    size_t n_genes;                   /* genes in a term that counts */
    uint8_t *has_term;                /* (G) 1 for these */
} grn_terms_t;

/* First word of row v: rows 1..v-1 have (u + 63) / 64 words each. */
static inline size_t grn_pairs_row(size_t v)
{
    size_t full = v ? (v - 1) / 64 : 0, rest = v ? (v - 1) % 64 : 0;
    return (full + 1) * (32 * full + rest);
}

/* 1 if u and v, different genes in either order, are in the set. O(1). */
static inline int grn_pairs_has(const grn_pairs_t *p, uint32_t u, uint32_t v)
{
    uint32_t lo = u < v ? u : v, hi = u < v ? v : u;
    return (int)(p->bit[grn_pairs_row(hi) + lo / 64] >> lo % 64 & 1);
}

/* An empty set over n genes. GRN_ENOMEM. */
grn_status grn_pairs_init(grn_pairs_t *p, size_t n_genes) GRN_MUST_USE;
void grn_pairs_clear(grn_pairs_t *p); /* frees; accepts zeroed */
/* Puts a pair in; again or u = v changes nothing. */
void grn_pairs_add(grn_pairs_t *p, uint32_t u, uint32_t v);

/* Sum of w[u] w[v] over the pairs, u < v; w (G). In a fixed order. O(G^2 / 64 + pairs). */
double grn_pairs_weigh(const grn_pairs_t *p, const double *w);

/* p = the pairs of genes that share at least `least` terms, of those with 2..max of their genes in the universe (large terms say little
 * and pair everything); p and t must be zeroed. GRN_EEMPTY when no gene of the terms is in the universe (first names of both are
 * shown), no term counts, or no pair shares so many. O(sum of sizes squared). */
grn_status grn_pairs_of_terms(const grn_gmt_t *gmt, const grn_names_t *genes, size_t least, size_t max, grn_pairs_t *p,
                              grn_terms_t *t) GRN_MUST_USE;
void grn_terms_clear(grn_terms_t *t); /* frees; accepts zeroed */

#endif
