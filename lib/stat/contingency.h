/* Two groups and a property that an object has or not: a 2 x 2 table, or one of each stratum.
 *
 * Intervals: Wilson 1927 (score interval of one proportion); Newcombe 1998, Stat Med 17:873, method 10 (difference of two, from their
 * Wilson intervals). Tests: Fisher 1935; Cochran 1954, Mantel & Haenszel 1959 (one odds ratio of 1 in all strata, margins fixed). */
#ifndef GRN_STAT_CONTINGENCY_H
#define GRN_STAT_CONTINGENCY_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint64_t a, n_a; /* with the property, of all, in group A; a <= n_a */
    uint64_t b, n_b;
} grn_2x2_t;

/* 95 % intervals; NaN where a group is empty. */
void grn_wilson(uint64_t k, uint64_t n, double *lo, double *hi);
void grn_newcombe(const grn_2x2_t *t, double *lo, double *hi);

/* log2 of the odds ratio with 1/2 added to each of the four counts (Haldane 1940). */
double grn_log2_odds(const grn_2x2_t *t);

/* Fisher's exact test, two-sided: the sum over the tables of the same margins that are no likelier than this one (within 1e-7). 1 where
 * the margins allow one table only. Exact at any size: O(log n) to find the far tail, then its terms until they no longer count. */
double grn_fisher_p(const grn_2x2_t *t);

typedef struct {
    double diff;    /* a/n_a - b/n_b, mean over strata with weights n_a n_b / (n_a + n_b) (Cochran 1954) */
    double log2_or; /* Mantel & Haenszel, with 1/2 added to the counts of each stratum that has both groups */
    double p;       /* two-sided; NaN: no stratum whose table could be another */
    int exact;      /* 1: from the exact distribution of the sum of the a; 0: chi-square, without continuity correction */
} grn_strata_t;
#define GRN_STRATA_EXACT 2000 /* tables that all strata allow together, up to which the test is exact; one stratum always is */
/* Strata in which a group is empty tell nothing and are left out; diff and log2_or are NaN when all are. */
grn_strata_t grn_strata_test(const grn_2x2_t *t, size_t n);

#endif
