/* Differential accessible regions (DARs): regions more accessible in one group of cells than in another.
 *
 * Accessibility is a cells x regions table that is never made: a topic or LSI model (io/lowrank.h), or counts that stay sparse,
 * divided by the total of their cell. Both are then shares of a cell that add up to about 1 over the regions. Regions are taken
 * one by one, cells always in bytewise order of their names, so results depend neither on threads nor on the order of the file.
 * Letters: C cells used, R regions, K topics, L levels of the label, D donors. Source: pycisTopic's find_diff_features for the
 * contrasts, fold change and thresholds; the tests are those of stat/ranksum.h and stat/moderated.h. */
#ifndef GRN_BUILD_DAR_H
#define GRN_BUILD_DAR_H

#include "base/opt.h"
#include "columns.h"
#include "io/bed.h"
#include "io/counts.h"
#include "io/lowrank.h"
#include "stat/ranksum.h"

typedef enum { GRN_DAR_AUTO, GRN_DAR_WILCOXON, GRN_DAR_PSEUDOBULK } grn_dar_test;

typedef struct {
    const char *accessibility, *output, *bed, *markers;
    const char *cells_tsv, *group, *donor; /* NULL: labels are in the file; NULL: the usual columns */
    grn_counts_opt_t counts;
    grn_opt_list_t contrast; /* "A,B"; none: every level against the rest */
    grn_dar_test test;
    double min_log2fc, max_adj_p, min_count;
    size_t min_group, min_sample, min_cells, top_markers;
    uint64_t budget; /* bytes for a block of counts */
    int variable, prefilter, all, compat;
} grn_dar_opt_t;

/* ---- input ---- */
typedef struct {
    const grn_dar_opt_t *opt;
    grn_par_t *pool;
    int is_counts, is_container;
    grn_lowrank_t low;    /* else */
    grn_colsrc_t counts;  /* when is_counts */
    const grn_names_t *region;
    size_t R;
    grn_regions_t place;  /* coordinates of the regions */
    /* cells used */
    size_t C, L;
    uint32_t *row;        /* (C) row of the file */
    int32_t *code;        /* (C) level */
    int32_t *donor;       /* (C), -1 unknown; NULL: no donors */
    grn_names_t levels, donors;
    size_t *n_level;      /* (L) */
    double *total;        /* (C) counts of the cell; low rank: its depth, NULL when the file does not tell */
    /* low rank: sums over cells of theta, from which means of any region follow in O(K) */
    float *theta_t;       /* (K, C) */
    double *mean_theta;   /* (L, K) */
    double *cov;          /* (K, K) covariance of theta over the cells */
    /* pseudobulk units: donor d and level l are unit d * L + l */
    size_t n_units;       /* D * L; 0: no donors */
    size_t *unit_n;       /* (units) cells */
    double *unit_total;   /* (units) counts */
    double *unit_theta;   /* (units, K) sum of total x theta */
    double mean_all;      /* mean accessibility of a region and cell, before scale */
    double scale;         /* of the values that are tested: 1, or 1e6 for a model with --compat */
} grn_dar_t;

/* Opens the file, joins labels, sorts cells. Fails with GRN_EINVAL when there are no labels (naming those there are) or only one
 * level, GRN_EEMPTY when no cell has a label. */
grn_status grn_dar_open(grn_dar_t *d, const grn_dar_opt_t *opt, grn_par_t *pool) GRN_MUST_USE;
void grn_dar_close(grn_dar_t *d); /* accepts zeroed */

/* ---- contrasts ---- */
typedef struct { /* one region in one contrast */
    uint32_t region;
    int32_t next;                    /* level with the second highest mean; -1 */
    int capped;                      /* log2fc was decided by the 1e-12 or cut at +-20 */
    double mean_a, mean_b, log2fc;
    double statistic, p, log10p, q, auroc;
    double s2, abundance;            /* pseudobulk: residual variance, mean log2 counts per million */
    double marker, tau;              /* against the rest: specificity of the level */
} grn_dar_row_t;

typedef struct {
    char *name;                      /* "B_vs_rest", "B_vs_T" */
    grn_contrast_t side;
    size_t n_a, n_b;                 /* cells */
    int pseudobulk;
    int paired;
    size_t m_a, m_b;                 /* samples (donors) of each side; equal when paired */
    uint32_t *sample;                /* (m_a + m_b) donor, ascending within a side */
    double *size;                    /* (m_a + m_b) counts of the sample */
    size_t n_tested, n_rows, cap, n_pass;
    grn_dar_row_t *row;              /* those that can pass; all when asked for or when the test needs them */
} grn_dar_contrast_t;

typedef struct {
    grn_dar_contrast_t *v;
    size_t n;
} grn_dar_contrasts_t;

/* The contrasts asked for, with a test for each; says what was left out and why. GRN_EINVAL: a level that is not there, a
 * contrast of a level with itself, pseudobulk without replicates. GRN_EEMPTY: none has enough cells. */
grn_status grn_dar_contrasts(const grn_dar_t *d, grn_dar_contrasts_t *c) GRN_MUST_USE;
void grn_dar_contrasts_clear(grn_dar_contrasts_t *c);

/* ---- tests ---- */
/* Fills rows of every contrast: passing ones first (n_pass of them) by p, log2 fold change and region. */
grn_status grn_dar_run(grn_dar_t *d, grn_dar_contrasts_t *c) GRN_MUST_USE;

/* Log2 of (a + 1e-12) / (b + 1e-12), means below 0 taken as 0; cut at +-20. *capped = 1 when it was cut or a mean is below 1e-11. */
double grn_dar_log2fc(double a, double b, int *capped);

/* Highly variable features (pycisTopic find_highly_variable_features): keep[i] = 1 when 0.0125 < mean < 3 and the dispersion
 * log(var / mean), standardised within 20 bins of equal width of the mean, exceeds 0.05. var: population variance. Returns how many
 * are kept, or GRN_ENOMEM. O(n). */
grn_status grn_dar_variable(const double *mean, const double *var, size_t n, uint8_t *keep, size_t *n_kept) GRN_MUST_USE;

/* Every level's specificity for a region from its L means: marker = log2((m_a + e) / (m_next + e)), m_next the highest of the other
 * levels (the smallest log2 fold change over all pairs), e = `pseudo`; tau = sum (1 - m_l / max) / (L - 1) (Yanai 2005). */
void grn_dar_specificity(const double *mean, size_t L, size_t a, double pseudo, double *marker, double *tau, int32_t *next);

/* ---- output ---- */
grn_status grn_dar_write(const grn_dar_t *d, const grn_dar_contrasts_t *c) GRN_MUST_USE;

#endif
