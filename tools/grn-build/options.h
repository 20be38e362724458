/* Option rows that several subcommands show, as GRN_COUNTS_OPTIONS does for the RNA matrix: a static struct for the values, its
 * defaults, the rows, and what the words mean. `grn-build run` shows the rows of its steps and passes the values on. */
#ifndef GRN_BUILD_OPTIONS_H
#define GRN_BUILD_OPTIONS_H

#include "regulon.h"
#include "search.h"

/* ---- the ATAC matrix ---- */
typedef struct {
    const char *layer, *feature_type;
} grn_atac_cli_t;
#define GRN_ATAC_OPTIONS(c, which) \
    GRN_OPT_STR(0, "atac-feature-type", "NAME", &(c).feature_type, \
                "10x feature type of ATAC, such as Peaks"), \
        GRN_OPT_STR(0, "atac-layer", "NAME", &(c).layer, \
                    "h5ad or loom layer of " which " [counts where found]")
void grn_atac_cli(const grn_atac_cli_t *cli, grn_counts_opt_t *opt); /* region names must be distinct */

/* ---- motifs and genes ---- */
#define GRN_MOTIF2TF_OPTION(path) \
    GRN_OPT_STR(0, "motif2tf", "FILE", &(path), \
                "which TFs a motif stands for [its name, up to the first _]")
#define GRN_MOTIF_HITS_OPTION(path) \
    GRN_OPT_STR(0, "motif-hits", "BED", &(path), \
                "or: motif hits, motif or TF name in column 4, score in column 5")
#define GRN_GENES_OPTION(path) \
    GRN_OPT_STR('g', "genes", "FILE", &(path), "gene models: GTF, GFF3, or BED6 with gene names")

/* ---- links ---- */
#define GRN_MIN_CELLS_OPTION(n) \
    GRN_OPT_INT(0, "min-cells", "INT", &(n), 1, 1000000000, \
                "leave out genes and regions seen in fewer cells")

typedef struct {
    const char *promoter;
    int64_t upstream, downstream, promoter_bp;
} grn_search_cli_t;
#define GRN_SEARCH_CLI_INIT { "keep", 150000, 150000, 1000 }
#define GRN_SEARCH_OPTIONS(c, promoter_help) \
    GRN_OPT_INT(0, "upstream", "BP", &(c).upstream, 0, 1000000000, \
                "reach beyond the 5' end of the gene body"), \
        GRN_OPT_INT(0, "downstream", "BP", &(c).downstream, 0, 1000000000, \
                    "reach beyond its 3' end"), \
        GRN_OPT_ENUM(0, "promoter", "keep|drop|only", &(c).promoter, promoter_help), \
        GRN_OPT_INT(0, "promoter-bp", "BP", &(c).promoter_bp, 0, 1000000000, \
                    "at a TSS: midpoint within this distance")
grn_search_opt_t grn_search_cli(const grn_search_cli_t *cli);

/* ---- regulons ---- */
typedef struct {
    const char *rho_tg, *rho_rg, *prior, *prior_mode, *prior_confidence;
    double min_rho, max_fdr, distance_scale, min_tf_frac, min_gene_frac, min_region_frac;
    int64_t min_type_cells, min_targets, top_targets, top_regulators;
    int all_signs, rna_only;
} grn_regulon_cli_t;
#define GRN_REGULON_CLI_INIT \
    { .rho_tg = "pearson", .rho_rg = "spearman", .prior_mode = "add", .min_rho = 0.03, .max_fdr = 1, .distance_scale = 50000, \
      .min_tf_frac = 0.05, .min_gene_frac = 0.05, .min_region_frac = 0.02, .min_type_cells = 10, .min_targets = 10, \
      .top_targets = 50, .top_regulators = 5 }
#define GRN_REGULON_OPTIONS(c) \
    GRN_OPT_FLT(0, "min-rho", "FLOAT", &(c).min_rho, 0, 1, "|r| of both links must exceed this"), \
        GRN_OPT_ENUM(0, "rho-tg", "pearson|spearman", &(c).rho_tg, \
                     "which r of the TF to gene link decides"), \
        GRN_OPT_ENUM(0, "rho-rg", "pearson|spearman", &(c).rho_rg, \
                     "which r of the region to gene link decides"), \
        GRN_OPT_FLT(0, "max-fdr", "FLOAT", &(c).max_fdr, 0, 1, \
                    "largest FDR of both links; 1: no limit"), \
        GRN_OPT_FLT(0, "distance-scale", "BP", &(c).distance_scale, 0, 1e9, \
                    "weights fall as exp(-distance/BP); 0: they do not"), \
        GRN_OPT_FLAG(0, "all-signs", &(c).all_signs, \
                     "also TF_x/- regulons; with --rna-only also TF(-)"), \
        GRN_OPT_FLT(0, "min-tf-frac", "FLOAT", &(c).min_tf_frac, 0, 1, \
                    "share of a type's cells with a count of the TF"), \
        GRN_OPT_FLT(0, "min-gene-frac", "FLOAT", &(c).min_gene_frac, 0, 1, "the same for the gene"), \
        GRN_OPT_FLT(0, "min-region-frac", "FLOAT", &(c).min_region_frac, 0, 1, \
                    "the same for the region, in ATAC"), \
        GRN_OPT_INT(0, "min-type-cells", "INT", &(c).min_type_cells, 1, 1000000000, \
                    "cell types with fewer cells are left out"), \
        GRN_OPT_INT(0, "min-targets", "INT", &(c).min_targets, 1, 1000000000, \
                    "fewest genes of a regulon in a type"), \
        GRN_OPT_HEAD("RNA only"), \
        GRN_OPT_FLAG(0, "rna-only", &(c).rna_only, \
                     "modules of co-expressed targets; no regions, no motifs"), \
        GRN_OPT_INT(0, "top-targets", "INT", &(c).top_targets, 1, 1000000000, \
                    "a target is among this many strongest of its TF"), \
        GRN_OPT_INT(0, "top-regulators", "INT", &(c).top_regulators, 1, 1000000000, \
                    "and its TF among this many strongest of the gene"), \
        GRN_OPT_STR(0, "prior", "FILE", &(c).prior, \
                    "known TF to gene edges (CollecTRI, DoRothEA, TRRUST, adjacencies)"), \
        GRN_OPT_ENUM(0, "prior-mode", "add|only", &(c).prior_mode, \
                     "edges of the prior besides the strongest, or only them"), \
        GRN_OPT_STR(0, "prior-confidence", "LETTERS", &(c).prior_confidence, \
                    "confidence levels of the prior to use, such as ABC [all]")
void grn_regulon_cli(const grn_regulon_cli_t *cli, grn_regulon_opt_t *opt); /* strings stay borrowed */

#endif
