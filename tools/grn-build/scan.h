/* What grn-build scan hands to the part that does the scoring. Private to scan*.c. */
#ifndef GRN_BUILD_SCAN_H
#define GRN_BUILD_SCAN_H

#include "motifset.h"
#include "scanseq.h"

typedef enum { GRN_SCORER_SITES, GRN_SCORER_CBUST, GRN_SCORER_MAX, GRN_SCORER_OCCUPANCY } grn_scorer;

typedef struct {
    grn_motifset_t motifs;
    grn_scanseq_t seq;
    const char *output, *bed;       /* bed NULL: none */
    const char *scorer_name, *strand; /* as given, for the metadata */
    grn_scorer scorer;
    int both;          /* strands */
    double bg[4];      /* sites, max: base frequencies A C G T */
    double p;          /* sites: least p-value */
    double pseudo;
    int log10p;        /* max: -log10 of the p-value in place of the score */
    double gap;        /* cbust, occupancy: mean distance of sites */
    uint64_t range;    /* cbust, occupancy: bases to either side that make the local background */
    uint64_t padding;  /* bases beside each region that belong to its background only */
    uint64_t shard, n_shard; /* part shard (from 1) of n_shard of the motifs */
    int resume;
} grn_scan_t;

/* Regions x motifs, sparse: the best site of each motif where one reaches p; single sites to bed. */
grn_status grn_scan_sites(grn_scan_t *s) GRN_MUST_USE;
/* Motifs x regions, dense: the score of every pair. */
grn_status grn_scan_scores(grn_scan_t *s) GRN_MUST_USE;

#endif
