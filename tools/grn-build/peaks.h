/* grn-build peaks: options and what the command and its writers share. */
#ifndef GRN_BUILD_PEAKS_H
#define GRN_BUILD_PEAKS_H

#include "consensus.h"
#include "peakcall.h"
#include "pseudobulk.h"

typedef struct {
    const grn_names_t *types;      /* names of the cell types */
    const grn_names_t *chroms;     /* by number */
    const uint32_t *chrom_order;   /* rank -> number; peaks and tracks count chromosomes by rank */
    size_t n_chroms;
} grn_peak_names_t;

/* DIR/TYPE.narrowPeak. */
grn_status grn_peaks_write_narrow(const grn_peak_names_t *names, const char *type_file, uint32_t type, const grn_peaks_t *p,
                                  const char *dir) GRN_MUST_USE;
/* DIR/TYPE.bedGraph: runs of the pile-up above 0, times `scale`. */
grn_status grn_peaks_write_bedgraph(const grn_peak_names_t *names, const char *type_file, const grn_track_t *track, double scale,
                                    const char *dir) GRN_MUST_USE;
/* Chromosome, start, end, name (chrom:start-end), score, the type whose peak it is. */
grn_status grn_peaks_write_consensus(const grn_peak_names_t *names, const grn_consensus_t *c, const char *path) GRN_MUST_USE;

#endif
