/* grn-build regulon: from links to regulons: signed TF -> region -> gene triplets (or TF -> gene
 * modules) per cell type. */
#ifndef GRN_BUILD_REGULON_H
#define GRN_BUILD_REGULON_H

#include "io/counts.h"

typedef enum { GRN_RHO_PEARSON, GRN_RHO_SPEARMAN } grn_rho;
typedef enum { GRN_PRIOR_ADD, GRN_PRIOR_ONLY } grn_prior_mode;

typedef struct {
    const char *rna, *atac; /* the matrices the links were made from; atac NULL with rna_only */
    grn_counts_opt_t rna_opt, atac_opt;
    const char *tf_gene, *region_gene;  /* links */
    const char *scan, *hits, *motif2tf; /* motifs: one of scan and hits */
    const char *out;
    int rna_only;
    /* links */
    grn_rho rho_tg, rho_rg; /* which correlation decides */
    double min_rho;         /* |r| must exceed it, both links */
    double max_fdr;         /* of both links; 1: no filter */
    double distance_scale;  /* bp over which the weight of a region falls to 1/e; 0: it does not */
    int all_signs;          /* also regulons SCENIC+ (x/-) and SCENIC (TF(-)) discard */
    /* cell types */
    double min_tf_frac, min_gene_frac, min_region_frac; /* of the cells of the type with a count */
    uint64_t min_type_cells;
    uint64_t min_targets; /* genes of a regulon in a type */
    /* RNA only */
    uint64_t top_targets, top_regulators;
    const char *prior, *prior_confidence; /* NULL: none; all */
    grn_prior_mode prior_mode;
} grn_regulon_opt_t;
#define GRN_REGULON_OPT_INIT \
    { 0, \
      0, \
      GRN_COUNTS_OPT_INIT, \
      GRN_COUNTS_OPT_INIT, \
      0, \
      0, \
      0, \
      0, \
      0, \
      0, \
      0, \
      GRN_RHO_PEARSON, \
      GRN_RHO_SPEARMAN, \
      0.03, \
      1, \
      50000, \
      0, \
      0.05, \
      0.05, \
      0.02, \
      10, \
      10, \
      50, \
      5, \
      0, \
      0, \
      GRN_PRIOR_ADD }

/* Runs the whole stage with grn_common's pool. GRN_EEMPTY after writing a file without edges (with
 * the funnel). */
grn_status grn_regulon_run(const grn_regulon_opt_t *opt) GRN_MUST_USE;

#endif
