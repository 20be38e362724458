/* grn-build regulon: from links to regulons: signed TF -> region -> gene triplets (or TF -> gene modules) per cell type.
 *
 * join: every triplet whose region has a motif of the TF and whose two links pass. gsea: SCENIC+'s eRegulons (Bravo Gonzalez-Blas
 * et al. 2023): the regions of each gene are binarised in several ways; for each, the genes of the regions with a motif of the TF
 * are tested for being high among the TF's targets, and the leading edges are merged. */
#ifndef GRN_BUILD_REGULON_H
#define GRN_BUILD_REGULON_H

#include "io/counts.h"

typedef enum { GRN_RHO_PEARSON, GRN_RHO_SPEARMAN } grn_rho;
typedef enum { GRN_PRIOR_ADD, GRN_PRIOR_ONLY } grn_prior_mode;
typedef enum { GRN_REGULON_JOIN, GRN_REGULON_GSEA } grn_regulon_method;
typedef enum { GRN_EXTENDED_FILL, GRN_EXTENDED_ALL, GRN_EXTENDED_NONE } grn_extended;

#define GRN_MAX_BINARISATIONS 32

/* The ways in which the regions of each gene (of each sign of r) are split by importance into those that count and the others. */
typedef struct {
    double quantile[GRN_MAX_BINARISATIONS];        /* importance above this quantile of the gene's (type 7) */
    uint32_t top_regions[GRN_MAX_BINARISATIONS];   /* among the n largest of the gene, and those equal to the last */
    uint32_t top_genes[GRN_MAX_BINARISATIONS];     /* among the n largest of the region */
    size_t n_quantile, n_top_regions, n_top_genes; /* with basca at most GRN_MAX_BINARISATIONS in all */
    int basca;                                     /* above BASC A's threshold of the gene (stat/basca.h) */
    uint64_t min_regions;                          /* genes with fewer regions left by a binarisation are left out of it */
} grn_binarise_opt_t;

typedef struct {
    const char *rna, *atac; /* the matrices the links were made from; atac NULL with rna_only, may be NULL with all_types */
    grn_counts_opt_t rna_opt, atac_opt;
    const char *tf_gene, *region_gene; /* links */
    const char *scan, *hits;           /* motifs: one of scan, hits and cistromes */
    const char *cistromes;             /* TF -> region edges of grn-build enrich */
    const char *motif2tf;              /* with scan and hits */
    const char *rankings;              /* of regions by motif, for triplet_rank; NULL: by motif score */
    const char *out;
    grn_regulon_method method;
    int rna_only;
    /* links */
    grn_rho rho_tg, rho_rg; /* which correlation decides */
    double min_rho;         /* |r| must exceed it, both links */
    double max_fdr;         /* of both links; 1: no filter */
    double distance_scale;  /* bp over which the weight of a region falls to 1/e; 0: it does not */
    int all_signs;          /* also regulons SCENIC+ (x/-) and SCENIC (TF(-)) discard */
    /* gene set enrichment */
    grn_binarise_opt_t binarise;
    uint64_t n_perm;
    double gsea_fdr;    /* adjusted p must be below it */
    int autoregulation; /* a TF is first among its own positive targets */
    uint64_t n_null;    /* runs in which every TF has the motifs of another, for q; 0: none */
    double max_q;       /* edges with a larger q are left out; 1: no filter */
    /* names */
    grn_extended extended; /* cistromes of indirect annotation: where no direct regulon of the TF and signs is left; all; none */
    int scenicplus_names;  /* TF_direct_+/+ and TF_extended_+/+ */
    /* cell types */
    int all_types;                                      /* no cell types: every regulon is of the one context "all" */
    double min_tf_frac, min_gene_frac, min_region_frac; /* of the cells of the type with a count */
    uint64_t min_type_cells;
    uint64_t min_targets; /* genes of a regulon in a type; with gsea also of a ranking and of a leading edge */
    /* RNA only */
    uint64_t top_targets, top_regulators;
    const char *prior, *prior_confidence; /* NULL: none; all */
    grn_prior_mode prior_mode;
} grn_regulon_opt_t;
#define GRN_BINARISE_OPT_INIT \
    { \
        .quantile = { 0.85, 0.9, 0.95 }, .n_quantile = 3, .top_regions = { 5, 10, 15 }, .n_top_regions = 3, .basca = 1 \
    }
#define GRN_REGULON_OPT_INIT \
    { \
        .rna_opt = GRN_COUNTS_OPT_INIT, .atac_opt = GRN_COUNTS_OPT_INIT, .rho_tg = GRN_RHO_PEARSON, .rho_rg = GRN_RHO_SPEARMAN, \
        .min_rho = 0.03, .max_fdr = 1, .max_q = 1, .distance_scale = 50000, .binarise = GRN_BINARISE_OPT_INIT, .n_perm = 1000, \
        .gsea_fdr = 1, .min_tf_frac = 0.05, .min_gene_frac = 0.05, .min_region_frac = 0.02, .min_type_cells = 10, .min_targets = 10, \
        .top_targets = 50, .top_regulators = 5 \
    }

/* Runs the whole stage with grn_common's pool. GRN_EEMPTY after writing a file without edges (with
 * the funnel). */
grn_status grn_regulon_run(const grn_regulon_opt_t *opt) GRN_MUST_USE;

#endif
