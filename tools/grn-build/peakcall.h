/* Peaks of piled-up fragments as MACS2 and MACS3 call them for paired ends without a control (Zhang 2008, Genome Biol 9:R137).
 *
 * Score of a position: -log10 P(Poisson(lambda) > height), to five decimals; lambda = sum of fragment lengths / genome size, or with
 * a local background the larger of that and (ends within the window / 2) x mean length / window. q-values by Benjamini & Hochberg
 * over base pairs. Positions with q-score above the cut that are no farther apart than max_gap are one peak, if at least min_length
 * long. Summits: maxima of the pile-up where its derivative (Savitzky & Golay 1964, order 2) turns, that stand out from the valleys
 * beside them. SPEC_GRN 1.2. */
#ifndef GRN_BUILD_PEAKCALL_H
#define GRN_BUILD_PEAKCALL_H

#include "base/names.h"
#include "base/par.h"
#include "pileup.h"

#define GRN_PEAK_WINDOW 10000 /* bp of the local background */

typedef struct {
    double genome_size;
    double max_q;        /* 0.05 */
    int local;           /* local background */
    int summits;         /* every summit of a peak is a row of its own */
    uint32_t max_gap, min_length; /* bp; 0: the mean length of the fragments */
} grn_peak_opt_t;

typedef struct {
    uint32_t chrom, start, end; /* 0-based half-open */
    uint32_t summit;            /* position */
    uint32_t height;            /* fragments at the summit */
    float fold, p, q;           /* (height + 1)/(lambda + 1); -log10 p; -log10 q, at the summit */
} grn_peak_t;

typedef struct { /* by chromosome as given, start, summit */
    grn_peak_t *v;
    size_t n, cap;
    uint64_t n_fragments, n_bp; /* fragments; base pairs scored */
    uint32_t mean_length;
    double lambda;
} grn_peaks_t;

void grn_peaks_clear(grn_peaks_t *p);
/* track: (n_chroms) sorted, of one cell type; empty ones are passed over. Same peaks for any pool. No fragment: no peak.
 * O(fragments), 24 bytes for every distinct (height, ends) pair. */
grn_status grn_peaks_call(const grn_track_t *track, size_t n_chroms, const grn_peak_opt_t *opt, grn_par_t *pool,
                          grn_peaks_t *out) GRN_MUST_USE;

/* -log10 P(Poisson(lambda) > k), in log space: no underflow. lambda > 0. */
double grn_poisson_score(uint32_t k, double lambda);

/* Summits of a signal of n positions (a peak with `pad` positions before and behind): offsets within it, ascending; `smooth`: bp the
 * derivative looks at. Returns how many (at most cap). */
grn_status grn_peak_summits(const float *signal, size_t n, size_t pad, uint32_t smooth, uint32_t *out, size_t cap,
                            size_t *n_out) GRN_MUST_USE;

#endif
