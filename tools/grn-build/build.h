/* The subcommands of grn-build, each in its own file. */
#ifndef GRN_BUILD_BUILD_H
#define GRN_BUILD_BUILD_H

#include "base/opt.h"

extern const grn_subtool_t grn_build_peaks;   /* fragments -> peaks per cell type, consensus regions */
extern const grn_subtool_t grn_build_count;   /* fragments x regions -> cells x regions */
extern const grn_subtool_t grn_build_qc;      /* fragments -> quality of barcodes, and counts of those that pass */
extern const grn_subtool_t grn_build_topics;  /* latent topics of accessibility, or LSI: low-rank accessibility */
extern const grn_subtool_t grn_build_dar;     /* differential accessible regions between labels */
extern const grn_subtool_t grn_build_scan;    /* motifs in sequence: sites, or scores of every pair */
extern const grn_subtool_t grn_build_rank;    /* motif scores -> rankings of regions */
extern const grn_subtool_t grn_build_enrich;  /* region sets x motif database -> enriched motifs, TF -> region edges */
extern const grn_subtool_t grn_build_metacells; /* cells -> metacells of one type, in RNA and ATAC alike */
extern const grn_subtool_t grn_build_link;    /* TF -> gene and region -> gene correlations */
extern const grn_subtool_t grn_build_regulon; /* signed TF -> region -> gene triplets per cell type */
extern const grn_subtool_t grn_build_prune;   /* TF -> gene modules pruned by motifs: regulons from RNA */
extern const grn_subtool_t grn_build_perturb; /* regulons x knock-outs, over-expression -> change of every gene in every cell */
extern const grn_subtool_t grn_build_run;     /* all steps in one call */

#endif
