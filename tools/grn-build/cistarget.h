/* cisTarget: which motifs rank the regions of a set high (Imrichova et al. 2015; Bravo Gonzalez-Blas et al. 2023, pycistarget).
 *
 * Of M motifs each ranks N regions, 0 the best; a set has n of them. Per motif and set: AUC = sum over its ranks r < c of (c - r) /
 * ((c + 1) n), c = round(auc_threshold N) - 1 (half to even; the divisor is ctxcore's). NES = (AUC - mean) / sd over all motifs (sd
 * with divisor M). Leading edge: with RCC(x) the number of ranks <= x, x < rt = int(rank_threshold N), the rank at the first maximum
 * of RCC - (mean + 2 sd of all motifs' RCC) and all regions up to it.
 *
 * All sums are whole numbers and exact, so no result depends on the order of motifs or threads: S1[x] and S2[x] (sums of RCC and
 * RCC^2 over motifs) are kept as differences, to which the i-th smallest rank r of a motif adds 1 and 2i - 1 at r; both in one word. O(M n
 * + rt) time and O(lanes rt) memory per set. NES is (M A - S1) / sqrt(M S2 - S1^2) of whole numbers A; NaN when all motifs have one AUC. */
#ifndef GRN_BUILD_CISTARGET_H
#define GRN_BUILD_CISTARGET_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

typedef struct {         /* one set */
    const uint32_t *col; /* (n) its regions; borrowed */
    size_t n;
    uint64_t *area;                  /* (M) sums of c - r */
    _Atomic uint64_t *step; /* (lanes, rt) differences of S1 << 40, and of S2 */
    double *nes;                     /* (M) after finish */
    double *above;                   /* (rt) after finish: mean + 2 sd of the recovery curves */
} grn_cistarget_set_t;

typedef struct {
    size_t M, N, n_sets, n_lanes;
    int shared; /* the one lane is of all threads */
    uint32_t c, rt;
    grn_cistarget_set_t *set; /* (n_sets) */
} grn_cistarget_t;

/* set s: n[s] columns col[s]. GRN_EINVAL when round(auc_threshold N) is 0 or above rt. */
grn_status grn_cistarget_init(grn_cistarget_t *t, size_t M, size_t N, double auc_threshold, double rank_threshold, size_t n_sets,
                              const uint32_t *const *col, const size_t *n) GRN_MUST_USE;
/* The same with the numbers of ranks themselves: c = cut - 1; the caller has made sure that 0 < cut <= rt <= N. n_lanes: sums are kept
 * once per lane, without locks, for as many threads; 0: all threads share them (init). GRN_EUNSUP: sums beyond their bits. */
grn_status grn_cistarget_init_at(grn_cistarget_t *t, size_t M, size_t N, uint64_t cut, uint64_t rt, size_t n_lanes, size_t n_sets,
                                 const uint32_t *const *col, const size_t *n) GRN_MUST_USE;
void grn_cistarget_clear(grn_cistarget_t *t);

typedef struct { /* of one thread; zeroed is valid */
    uint32_t *rank, *tmp;
    size_t cap, tmp_cap;
    size_t lane; /* with lanes: of this thread */
} grn_cistarget_work_t;
void grn_cistarget_work_clear(grn_cistarget_work_t *w);

/* Takes in the ranks (N) of a motif, for every set. Thread safe for different motifs. */
grn_status grn_cistarget_add(grn_cistarget_t *t, size_t motif, const uint32_t *rank, grn_cistarget_work_t *w) GRN_MUST_USE;
/* After all motifs: nes and above. */
grn_status grn_cistarget_finish(grn_cistarget_t *t) GRN_MUST_USE;
double grn_cistarget_auc(const grn_cistarget_t *t, size_t set, size_t motif);

/* Leading edge of a motif in a set, from its ranks: *rank_at_max, and the hit columns into hit (ascending; room for n of the set).
 * Thread safe. */
grn_status grn_cistarget_edge(const grn_cistarget_t *t, size_t set, const uint32_t *rank, grn_cistarget_work_t *w,
                              uint32_t *rank_at_max, uint32_t *hit, size_t *n_hit) GRN_MUST_USE;

/* Round half to even of x >= 0. */
uint64_t grn_round_even(double x);

#endif
