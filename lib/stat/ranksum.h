/* Wilcoxon rank sums of one variable between many pairs of groups, from one sort.
 *
 * A value belongs to one of L groups. A contrast sets group a against group b, or against all the other values (b = -1). The
 * values are sorted once; every contrast then is a sum over the sorted values. U counts the pairs (x of a, y of b) with x > y,
 * ties one half, so U / (n_a n_b) is the AUROC: the chance that a value of a exceeds one of b.
 * Wilcoxon 1945; Mann & Whitney 1947; variance with ties: Lehmann, Nonparametrics (1975), section 1.3. */
#ifndef GRN_STAT_RANKSUM_H
#define GRN_STAT_RANKSUM_H

#include <stddef.h>
#include <stdint.h>

#include "stat/rank.h"

typedef struct {
    int32_t a, b; /* groups; b = -1: all values that are not of a */
} grn_contrast_t;

typedef struct {
    double u;    /* Mann-Whitney U of a */
    double ties; /* sum of t^3 - t over the tie groups of the values of both sides */
} grn_ranksum_t;

/* Scratch of one thread: zeroed is valid, kept between calls. */
typedef struct {
    grn_rank_t sort;
    double *rank;
    size_t rank_cap;
    double *sum; /* per group: rank sum, then number of stored values */
    size_t sum_cap;
} grn_ranksum_scratch_t;
void grn_ranksum_clear(grn_ranksum_scratch_t *w);

/* out[k] for each of n_contrast contrasts over n values, of which n_nz are stored in val and the others are zero (n_nz = n: a
 * dense vector). at: place of each stored value among the n, NULL: its index. code (n): group 0..L-1 of each value. n_group (L):
 * values in each group. GRN_ENONFINITE, GRN_EINVAL (n >= 2^32), GRN_ENOMEM. O(n_nz) for all contrasts against the rest together,
 * and O(n_nz) for each of the others; thread safe. */
grn_status grn_ranksum(grn_ranksum_scratch_t *w, const float *val, const uint32_t *at, size_t n_nz, size_t n, const int32_t *code,
                       const size_t *n_group, size_t L, const grn_contrast_t *contrast, size_t n_contrast,
                       grn_ranksum_t *out) GRN_MUST_USE;

/* Normal deviate of U without continuity correction: (U - n_a n_b / 2) / sd, sd^2 = n_a n_b / 12 ((N + 1) - ties / (N (N - 1)))
 * with N = n_a + n_b. 0 when all values are tied. ties = 0: the plain variance. */
double grn_ranksum_z(double u, double n_a, double n_b, double ties);

/* Natural logarithm of the two-sided p of a normal deviate: log erfc(|z| / sqrt 2), finite where p itself underflows. */
double grn_normal_log_p(double z);

#endif
