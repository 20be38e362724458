/* The files of grn-build qc. */
#ifndef GRN_BUILD_QC_WRITE_H
#define GRN_BUILD_QC_WRITE_H

#include "qc_stats.h"

typedef struct {
    const grn_names_t *cells;
    const grn_names_t *samples;
    const grn_qc_t *q; /* (n) by (sample, rank) */
    size_t n;
    const grn_qc_cut_t *cut; /* (samples) */
    uint64_t *length;        /* (samples, GRN_LENGTHS) */
    uint64_t *profile;       /* (samples, GRN_TSS_WINDOW) */
    const char *tss_source;
    uint64_t keep;
    int compat;
} grn_qc_report_t;

grn_status grn_qc_write_table(const grn_qc_report_t *r, const char *path) GRN_MUST_USE;   /* one line per barcode */
grn_status grn_qc_write_multiqc(const grn_qc_report_t *r, const char *path) GRN_MUST_USE; /* one line per sample */
/* grn.result/1, kind "qc": series rank, tss and length of every sample. */
grn_status grn_qc_write_profile(const grn_qc_report_t *r, const char *path, grn_par_t *pool) GRN_MUST_USE;

#endif
