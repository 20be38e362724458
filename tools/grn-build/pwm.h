/* Binding sites by position weight matrices: exact p-values, and all motifs at once over a sequence.
 *
 * Scores are whole numbers: log2-odds times GRN_PWM_SCALE, rounded position by position. The distribution of a random word's
 * score is then a finite sum, computed exactly by dynamic programming (Staden 1989; Touzet & Varre 2007), and a p-value is exact
 * for the scores used. Scanning looks up every 8-mer in a table of the motifs whose best 8 positions could still reach their
 * threshold with it (lookahead filtration, Pizzi, Rastas & Ukkonen 2011) and finishes only those, position by position, giving
 * up as soon as the rest cannot save them. */
#ifndef GRN_BUILD_PWM_H
#define GRN_BUILD_PWM_H

#include "base/par.h"
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
/* bg: probabilities of A C G T, all > 0. p in (0, 1]. O(w * range of scores). */
grn_status grn_pwm_init(grn_pwm_t *m, const grn_motif_t *motif, double pseudo, const double bg[4], double p) GRN_MUST_USE;
/* P(score >= s) of a random word; s >= threshold. */
double grn_pwm_pvalue(const grn_pwm_t *m, int32_t s);
/* Score that stands for `s` in outputs, in bits. */
static inline float grn_pwm_bits(int32_t s) { return (float)(s / GRN_PWM_SCALE); }

typedef struct grn_scanner_s grn_scanner_t;

typedef struct {
    uint32_t start; /* 0-based in the sequence */
    uint32_t motif;
    int32_t score;
    int8_t strand;  /* +1, -1 */
} grn_site_t;

typedef struct { /* sites of one sequence, reused from call to call */
    grn_site_t *v;
    size_t n, cap;
    uint8_t *code;  /* padded copy of the sequence */
    uint32_t *n_gap; /* n_gap[i]: gaps before position i */
    size_t code_cap, gap_cap;
} grn_sites_t;
void grn_sites_clear(grn_sites_t *s);

/* both_strands = 0: only the given strand. The motifs stay borrowed. Table size: 65,536 lists. */
grn_status grn_scanner_create(grn_scanner_t **out, const grn_pwm_t *m, size_t n, int both_strands, grn_par_t *pool) GRN_MUST_USE;
void grn_scanner_destroy(grn_scanner_t *s); /* accepts NULL */
/* All sites with score >= threshold in seq (n codes 0..3, 4 = gap: no site covers one), ordered by start, motif, + before -.
 * Thread safe on one scanner with one grn_sites_t per thread. */
grn_status grn_scanner_run(const grn_scanner_t *s, const uint8_t *seq, size_t n, grn_sites_t *sites) GRN_MUST_USE;

#endif
