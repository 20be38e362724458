/* Binding sites of all motifs in a sequence, and the best score of each.
 *
 * A vector kernel adds up, for 64 starts at a time, how far the word falls short of the motif's best: in units of a byte, by pairs of
 * bases, rounded down, so that no site is missed. What may be a site is scored again in whole numbers (pwm.h): the result is exact. */
#ifndef GRN_BUILD_SITES_H
#define GRN_BUILD_SITES_H

#include "base/par.h"
#include "pwm.h"
#include "sites_kernel.h"

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
    uint8_t *code, *pair, *fall; /* the sequence; by pairs of bases; what each start falls short */
    uint32_t *n_gap;             /* n_gap[i]: gaps before position i */
    uint32_t *at;
    size_t code_cap, gap_cap, at_cap;
} grn_sites_t;
void grn_sites_clear(grn_sites_t *s);

typedef enum {
    GRN_SCAN_SITES, /* for grn_scanner_run: scores from each motif's threshold on */
    GRN_SCAN_BEST   /* for grn_scanner_best */
} grn_scan_mode;

/* both_strands = 0: only the given strand. The motifs stay borrowed. kernel: NULL for the best of this machine. */
grn_status grn_scanner_create(grn_scanner_t **out, const grn_pwm_t *m, size_t n, int both_strands, grn_scan_mode mode,
                              const grn_sites_kernel_t *kernel) GRN_MUST_USE;
void grn_scanner_destroy(grn_scanner_t *s); /* accepts NULL */
/* All sites with score >= threshold in seq (n codes 0..3, 4 = gap: no site covers one), ordered by start, motif, + before -.
 * Thread safe on one scanner with one grn_sites_t per thread. */
grn_status grn_scanner_run(const grn_scanner_t *s, const uint8_t *seq, size_t n, grn_sites_t *sites) GRN_MUST_USE;
/* best[i]: the greatest score of motif i anywhere in seq, INT32_MIN where it fits nowhere. */
grn_status grn_scanner_best(const grn_scanner_t *s, const uint8_t *seq, size_t n, grn_sites_t *scratch, int32_t *best) GRN_MUST_USE;

#endif
