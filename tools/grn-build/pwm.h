/* Position weight matrices with exact p-values.
 *
 * Scores are whole numbers: log2-odds times GRN_PWM_SCALE, rounded position by position. The distribution of a random word's
 * score is then a finite sum, computed exactly by dynamic programming (Staden 1989; Touzet & Varre 2007), and a p-value is exact
 * for the scores used. */
#ifndef GRN_BUILD_PWM_H
#define GRN_BUILD_PWM_H

#include "io/motifs.h"

#define GRN_PWM_SCALE 256.0

typedef struct {
    uint32_t w;
    int32_t *s;        /* (w, 4) scores of A C G T */
    int32_t threshold; /* smallest score with p-value <= the one asked for; INT32_MAX: no word reaches it */
    int32_t max;       /* largest score */
    double *tail;      /* tail[k] = P(score >= threshold + k), k = 0 .. max - threshold; NULL when unreachable */
} grn_pwm_t;

void grn_pwm_clear(grn_pwm_t *m);
/* bg: probabilities of A C G T, all > 0. p in (0, 1]: O(w * range of scores). p = 0: scores only, no threshold and no p-values. */
grn_status grn_pwm_init(grn_pwm_t *m, const grn_motif_t *motif, double pseudo, const double bg[4], double p) GRN_MUST_USE;
/* P(score >= s) of a random word; s >= threshold. */
double grn_pwm_pvalue(const grn_pwm_t *m, int32_t s);
/* Largest score of a position. */
static inline int32_t grn_pwm_row_max(const int32_t s[4])
{
    int32_t m = s[0];
    for (int b = 1; b < 4; b++) m = s[b] > m ? s[b] : m;
    return m;
}
/* Score that stands for `s` in outputs, in bits. */
static inline float grn_pwm_bits(int32_t s) { return (float)(s / GRN_PWM_SCALE); }

#endif
