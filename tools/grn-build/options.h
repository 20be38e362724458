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
    const char *method, *rho_tg, *rho_rg, *prior, *prior_mode, *prior_confidence;
    const char *quantiles, *top_regions, *top_genes, *extended, *names, *types;
    double min_rho, max_fdr, distance_scale, gsea_fdr, min_tf_frac, min_gene_frac, min_region_frac;
    int64_t min_regions, permutations, min_type_cells, min_targets, top_targets, top_regulators;
    int all_signs, rna_only, basca, autoregulation;
} grn_regulon_cli_t;
#define GRN_REGULON_CLI_INIT \
    { .method = "join", .rho_tg = "pearson", .rho_rg = "spearman", .prior_mode = "add", .min_rho = 0.03, .max_fdr = 1, \
      .distance_scale = 50000, .quantiles = "0.85,0.9,0.95", .top_regions = "5,10,15", .top_genes = "none", .basca = 1, \
      .permutations = 1000, .gsea_fdr = 1, .extended = "fill", .names = "plain", .types = "each", .min_tf_frac = 0.05, \
      .min_gene_frac = 0.05, .min_region_frac = 0.02, .min_type_cells = 10, .min_targets = 10, .top_targets = 50, \
      .top_regulators = 5 }
#define GRN_REGULON_OPTIONS(c, preset) \
    GRN_OPT_PRESET('x', "preset", "scenicplus|grnformer", preset, GRN_REGULON_PRESET_HELP), \
        GRN_OPT_ENUM(0, "method", "join|gsea", &(c).method, \
                     "all triplets that pass, or those of gene sets enriched among the TF's targets"), \
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
        GRN_OPT_ENUM(0, "extended", "fill|all|none", &(c).extended, \
                     "regulons of extended cistromes: where no direct one is left, all, none"), \
        GRN_OPT_ENUM(0, "names", "plain|scenicplus", &(c).names, \
                     "TF_+/+, or TF_direct_+/+ and TF_extended_+/+"), \
        GRN_OPT_HEAD("Cell types"), \
        GRN_OPT_ENUM(0, "types", "each|all", &(c).types, \
                     "edges per cell type; all: one network, no matter where it is on"), \
        GRN_OPT_FLT(0, "min-tf-frac", "FLOAT", &(c).min_tf_frac, 0, 1, \
                    "share of a type's cells with a count of the TF"), \
        GRN_OPT_FLT(0, "min-gene-frac", "FLOAT", &(c).min_gene_frac, 0, 1, "the same for the gene"), \
        GRN_OPT_FLT(0, "min-region-frac", "FLOAT", &(c).min_region_frac, 0, 1, \
                    "the same for the region, in ATAC"), \
        GRN_OPT_INT(0, "min-type-cells", "INT", &(c).min_type_cells, 1, 1000000000, \
                    "cell types with fewer cells are left out"), \
        GRN_OPT_INT(0, "min-targets", "INT", &(c).min_targets, 1, 1000000000, \
                    "fewest genes of a regulon in a type; of a ranking and a leading edge"), \
        GRN_OPT_HEAD("With --method gsea"), \
        GRN_OPT_STR(0, "quantiles", "LIST", &(c).quantiles, \
                    "regions of a gene above these quantiles of importance, or none"), \
        GRN_OPT_STR(0, "top-regions", "LIST", &(c).top_regions, \
                    "and those among so many most important of the gene, or none"), \
        GRN_OPT_STR(0, "top-genes", "LIST", &(c).top_genes, \
                    "and those among so many most important of the region, or none"), \
        GRN_OPT_FLAG(0, "basc", &(c).basca, \
                     "and those above a threshold found by step functions (BASC A)"), \
        GRN_OPT_INT(0, "min-regions", "INT", &(c).min_regions, 0, 1000000000, \
                    "genes left with fewer regions by a binarisation are not in it"), \
        GRN_OPT_INT(0, "permutations", "INT", &(c).permutations, 1, 100000000, \
                    "random gene sets a set is compared with"), \
        GRN_OPT_FLT(0, "gsea-fdr", "FLOAT", &(c).gsea_fdr, 0, 1, \
                    "adjusted p of a gene set must be below this"), \
        GRN_OPT_FLAG(0, "autoregulation", &(c).autoregulation, \
                     "a TF is the first of its own positive targets"), \
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
/* What the presets set, and nothing else. */
#define GRN_REGULON_PRESET_HELP \
    "see below; options given explicitly win"
#define GRN_REGULON_PRESET_TEXT \
    "Presets set:\n" \
    "  both        --method gsea --min-rho 0.05 --quantiles 0.85,0.9,0.95 --top-regions 5,10,15 --top-genes none\n" \
    "              --basc --min-regions 0 --permutations 1000 --gsea-fdr 1 --min-targets 10 --extended fill\n" \
    "  scenicplus  also --types all --names scenicplus --autoregulation\n" \
    "  grnformer   also --types each --names plain --no-autoregulation\n"
grn_status grn_regulon_preset(const char *word, grn_regulon_cli_t *cli) GRN_MUST_USE;
/* Strings stay borrowed. GRN_EUSAGE: a list that is none. */
grn_status grn_regulon_cli(const grn_regulon_cli_t *cli, grn_regulon_opt_t *opt) GRN_MUST_USE;

#endif
