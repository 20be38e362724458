/* DEM: motifs whose scores in the regions of a set exceed those of a background (pycistarget, motif_enrichment_dem.py).
 *
 * Per motif: Wilcoxon rank sums with the variance corrected for ties (most scores are 0), two-sided p through erfc in logarithms;
 * log2 fold change of means (grn_dar_log2fc); Benjamini-Hochberg over motifs. The background of a set is the other sets of its
 * family without it, or regions that are given; at most max_bg of them, with the share of promoters of the set where promoters
 * are known. compat: no tie correction, p = 1 + erf, fold changes not cut, all of the background where promoters are not balanced. */
#ifndef GRN_BUILD_DEM_H
#define GRN_BUILD_DEM_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "io/bed.h"
#include "io/gtf.h"
#include "stat/ranksum.h"

typedef struct {
    double mean_fg, mean_bg, log2fc, z;
    double log_p, p_adj; /* natural log of the two-sided p; after finish */
    int capped;          /* log2fc is decided by the 1e-12 added to means, or cut */
} grn_dem_row_t;

typedef struct {
    uint32_t *fg, *bg;   /* columns; sums run in this order, so it should not depend on that of the file (grn_dem_order) */
    size_t n_fg, n_bg;   /* none of either: not tested */
    size_t n_candidates; /* the background before sampling */
    size_t fg_promoters, bg_promoters;
    grn_dem_row_t *row; /* (M) */
} grn_dem_contrast_t;
void grn_dem_contrast_clear(grn_dem_contrast_t *c);

/* Columns by name hash (then by place). */
void grn_dem_order(uint32_t *col, size_t n, const uint64_t *hash);

typedef struct {
    size_t max_bg;           /* 0: no limit */
    const uint8_t *promoter; /* (N) 1: the column is a promoter; NULL: not balanced */
    const uint64_t *hash;    /* (N) of the names of columns */
    uint64_t seed;
    int compat;
} grn_dem_background_t;

/* c->bg, c->n_candidates, promoter counts: of n candidate columns (distinct, without c->fg), those with the smallest keys of
 * (seed, key of the set, name). Balanced: trunc(max_bg share) promoters and the rest others, fewer where there are not so many. */
grn_status grn_dem_background(const grn_dem_background_t *o, const uint32_t *candidate, size_t n, uint64_t key,
                              grn_dem_contrast_t *c) GRN_MUST_USE;

/* flag[i] = 1 for regions over [t - space, t + space) of the 5' end t of a protein-coding gene (any gene where there are no
 * biotypes); compat: of the lower coordinate of the gene, as pycistarget. *n: how many. GRN_EEMPTY: no chromosome in common. */
grn_status grn_dem_promoters(const grn_regions_t *r, const grn_genes_t *g, uint64_t space, int compat, uint8_t *flag,
                             size_t *n) GRN_MUST_USE;

typedef struct { /* of one thread; zeroed is valid */
    grn_ranksum_scratch_t ranksum;
    float *val;
    uint32_t *at;
    int32_t *code;
    double *score;
    uint8_t *label;
    size_t val_cap, at_cap, code_cap, score_cap, label_cap;
} grn_dem_work_t;
void grn_dem_work_clear(grn_dem_work_t *w);

/* c->row[motif] from its scores of all columns. Thread safe for different motifs. */
grn_status grn_dem_test(grn_dem_contrast_t *c, size_t motif, const float *score, int compat, grn_dem_work_t *w) GRN_MUST_USE;
/* p_adj of all M motifs of a contrast. */
grn_status grn_dem_finish(grn_dem_contrast_t *c, size_t M) GRN_MUST_USE;

/* The score above 0 that tells foreground from background best (largest TPR - FPR among scores > 0, Youden 1950); INFINITY when none
 * is better than none at all. */
grn_status grn_dem_youden(const grn_dem_contrast_t *c, const float *score, grn_dem_work_t *w, double *threshold) GRN_MUST_USE;

#endif
