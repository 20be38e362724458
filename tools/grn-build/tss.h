/* Cut sites around transcription start sites, and TSS enrichment with three sums per cell.
 *
 * The definition is pycisTopic's (qc.py, tss_profile.py; parameters of its qc command). For every TSS the cuts u = start and
 * v = end - 1 of all fragments are counted by r = (cut - TSS) * strand, |r| <= 2000: A[r]. S[r] = mean of A over r - 9 .. r (at the
 * left border: of those that exist). b = (mean of S over the first 100 positions + mean over the last 100) / 2. Enrichment = mean of
 * S[r] over -50 <= r <= 50, divided by max(b, 0.2). A fragment near several TSS counts once for each.
 *
 * S is linear in A, so the three means are weighted sums of cuts; weights are integers over 2520 (1..10 divide it) and sums exact. */
#ifndef GRN_BUILD_TSS_H
#define GRN_BUILD_TSS_H

#include "base/names.h"

#define GRN_TSS_FLANK 2000
#define GRN_TSS_WINDOW (2 * GRN_TSS_FLANK + 1)
#define GRN_TSS_SMOOTH 10
#define GRN_TSS_EDGE 100   /* positions of the background at each end */
#define GRN_TSS_CENTRE 50  /* the signal is the mean over -50 .. 50 */
#define GRN_TSS_FLOOR 0.2  /* least background */
#define GRN_TSS_UNIT 2520u /* of the sums */
#define GRN_TSS_SHIFT 12

typedef struct { /* in units of 1 / GRN_TSS_UNIT */
    uint64_t first, last, centre; /* sums of S over the two edges and the centre */
} grn_tss_sums_t;

typedef struct {
    size_t n, n_chrom;
    uint32_t *at;      /* (n) by chromosome, then position */
    int8_t *strand;    /* (n) +1, -1 */
    uint64_t *off;     /* (n_chrom + 1) into at */
    uint32_t *bin;     /* per chromosome: the first TSS that a fragment starting in the bin can reach */
    uint64_t *bin_off; /* (n_chrom + 1) */
    uint16_t weight[3][GRN_TSS_WINDOW]; /* of a cut in first, last, centre */
    uint8_t counts[GRN_TSS_WINDOW];     /* 1: one of the weights is not 0 */
    uint64_t n_other, n_no_strand;      /* left out: another biotype; no strand */
    int has_biotypes;
} grn_tss_t;

/* TSS of protein-coding genes (of all genes where the file has no biotypes): every distinct transcript start of a GTF or GFF3, or
 * the 5' end of each row of a BED, whose column 7 may be the biotype (pycisTopic's TSS files). Found by content. Chromosomes that are
 * not in `chroms` (by io/chrom.h) are added to it. GRN_EEMPTY: none left. */
grn_status grn_tss_load(grn_tss_t *t, const char *path, grn_names_t *chroms) GRN_MUST_USE;
void grn_tss_clear(grn_tss_t *t);

/* A table of TSS as given; chrom < n_chrom. For tests and grn_tss_load. */
typedef struct {
    uint32_t chrom, at;
    int8_t strand;
} grn_tss_site_t;
grn_status grn_tss_init(grn_tss_t *t, grn_tss_site_t *site, size_t n, size_t n_chrom) GRN_MUST_USE; /* sorts site, drops repeats */

/* The enrichment of sums. */
double grn_tss_enrichment(const grn_tss_sums_t *s);

/* Adds the cuts of a fragment to the profile ((GRN_TSS_WINDOW), position r + 2000) and the sums; 1 if a sum changed. */
static inline int grn_tss_find(const grn_tss_t *t, uint32_t chrom, uint32_t start, uint32_t end, uint64_t *profile, grn_tss_sums_t *sums)
{
    if (chrom >= t->n_chrom) return 0;
    size_t b = start >> GRN_TSS_SHIFT;
    if (b >= t->bin_off[chrom + 1] - t->bin_off[chrom]) return 0;
    int changed = 0;
    int64_t cut[2] = { start, (int64_t)end - 1 };
    for (uint64_t i = t->bin[t->bin_off[chrom] + b]; i < t->off[chrom + 1] && t->at[i] <= cut[1] + GRN_TSS_FLANK; i++) {
        for (int k = 0; k < 2; k++) {
            int64_t r = (cut[k] - (int64_t)t->at[i]) * t->strand[i] + GRN_TSS_FLANK;
            if (r < 0 || r >= GRN_TSS_WINDOW) continue;
            profile[r]++;
            if (!t->counts[r]) continue;
            sums->first += t->weight[0][r];
            sums->last += t->weight[1][r];
            sums->centre += t->weight[2][r];
            changed = 1;
        }
    }
    return changed;
}

#endif
