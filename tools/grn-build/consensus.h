/* One set of regions from the summits of several cell types (pycisTopic; Corces 2018): intervals of equal width round the summits,
 * inside the chromosome and off the blacklist, thinned greedily from the best score, within each type and then over all.
 *
 * Greedy: in descending score an interval is taken when it overlaps none taken before by 1 bp or more. Ties: chromosome, start, name
 * of the type, order in the type. Scores are scaled to sum to a million within each type between the two thinnings. */
#ifndef GRN_BUILD_CONSENSUS_H
#define GRN_BUILD_CONSENSUS_H

#include "base/names.h"
#include "io/bed.h"

typedef struct {
    uint32_t chrom, start, end; /* 0-based half-open */
    uint32_t type, row;         /* cell type and peak in it */
    double score;
} grn_interval_t;

typedef struct {
    const uint64_t *chrom_size;      /* (chroms); 0: unknown, only the start is guarded. NULL: all unknown */
    const grn_regions_t *blacklist;  /* NULL: none */
    const uint32_t *blacklist_chrom; /* (chroms) its number there; UINT32_MAX: none */
    uint32_t half_width;
    int compat;                      /* two intervals alone that merely touch also exclude each other, as in pycisTopic */
} grn_consensus_opt_t;

typedef struct {
    grn_interval_t *v; /* by chromosome, start */
    size_t n, cap;
    uint64_t n_outside, n_black; /* left out: over the end of the chromosome; on the blacklist */
} grn_consensus_t;

void grn_consensus_clear(grn_consensus_t *c);
/* Adds the summits of one type (chrom, position, score, n of them); thins and scales them. Types in the order of their names. */
grn_status grn_consensus_add(grn_consensus_t *c, const grn_consensus_opt_t *o, uint32_t type, const uint32_t *chrom, const uint32_t *summit,
                             const double *score, size_t n) GRN_MUST_USE;
/* Thins over all types, drops the first base of each (2 half_width bp remain) and sorts. */
grn_status grn_consensus_finish(grn_consensus_t *c, const grn_consensus_opt_t *o) GRN_MUST_USE;

#endif
