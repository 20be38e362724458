/* Quality control of barcodes: the measures made of a tally's counters, and thresholds between empty droplets and cells.
 *
 * Definitions: pycisTopic (qc.py), see qc_write.c for each in words. */
#ifndef GRN_BUILD_QC_STATS_H
#define GRN_BUILD_QC_STATS_H

#include "tally.h"

#define GRN_OTSU_BINS 5000
#define GRN_OTSU_FRAGMENTS 100.0 /* barcodes with fewer fragments in regions take no part in that threshold */
#define GRN_OTSU_TSS 1.0         /* with a smaller TSS enrichment in that one */

typedef struct { /* of one barcode */
    uint32_t cell;
    uint16_t sample;
    int passes;
    uint64_t name; /* the first 8 bytes of its name, for sorting */
    uint64_t rank;                          /* 1 = most unique fragments in its sample; ties by name */
    uint64_t unique, total, in, total_in;   /* rows; sum of column 5; the same of fragments in a region */
    double duplication, nucleosome, tss, frip; /* nucleosome: inf or NaN when no fragment is short */
} grn_qc_t;

typedef struct { /* of one sample; a barcode passes when strictly above (nucleosome: not above) */
    double fragments, tss, frip, nucleosome;
    size_t n, n_fragments, n_tss, n_frip, n_pass; /* barcodes; above each; above all */
} grn_qc_cut_t;

typedef struct { /* asked for; NaN: by Otsu's method */
    double fragments, tss, frip, nucleosome;
} grn_qc_limits_t;

/* Barcodes of the tally with at least `keep` fragments (`compat`: more than `keep`), by (sample, rank). *q malloc'ed. */
grn_status grn_qc_collect(grn_tally_t *t, uint64_t keep, int compat, grn_qc_t **q, size_t *n) GRN_MUST_USE;

/* Thresholds of one sample's barcodes q[0..n) and `passes` of each. GRN_EEMPTY when no barcode takes part in a threshold. */
grn_status grn_qc_cut(grn_qc_t *q, size_t n, const char *sample, const grn_qc_limits_t *limits, grn_qc_cut_t *cut) GRN_MUST_USE;

/* Otsu's threshold (Otsu 1979) of x[0..n), n >= 1: over a histogram of n_bins equal bins from the least to the largest value, the
 * middle of the last bin of the lower class, where the variance between the classes is largest (the first such bin). One value
 * only: that value. */
grn_status grn_otsu(const double *x, size_t n, size_t n_bins, double *threshold) GRN_MUST_USE;

#endif
