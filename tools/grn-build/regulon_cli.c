#include "build.h"
#include "regulon.h"

static struct {
    grn_regulon_opt_t regulon;
    grn_counts_cli_t rna;
    const char *rho_tg, *rho_rg, *prior_mode, *atac_layer, *atac_type;
    int64_t min_type_cells, min_targets, top_targets, top_regulators;
} opt = { .regulon = GRN_REGULON_OPT_INIT,
          .rna = GRN_COUNTS_CLI_INIT,
          .rho_tg = "pearson",
          .rho_rg = "spearman",
          .prior_mode = "add",
          .min_type_cells = 10,
          .min_targets = 10,
          .top_targets = 50,
          .top_regulators = 5 };

static const grn_opt_t table[] = {
    GRN_OPT_STR('o', "output", "FILE", &opt.regulon.out, "the regulons (grn.edges/1)"),
    GRN_OPT_HEAD("Links and motifs"),
    GRN_OPT_STR('t', "tf-gene", "FILE", &opt.regulon.tf_gene, "TF to gene links of grn-build link"),
    GRN_OPT_STR('r', "region-gene", "FILE", &opt.regulon.region_gene,
                "region to gene links of grn-build link"),
    GRN_OPT_STR('s', "scan", "FILE", &opt.regulon.scan, "regions x motifs of grn-build scan"),
    GRN_OPT_STR(0, "motif-hits", "BED", &opt.regulon.hits,
                "or: motif hits, motif or TF name in column 4, score in column 5"),
    GRN_OPT_STR(0, "motif2tf", "FILE", &opt.regulon.motif2tf,
                "which TFs a motif stands for [its name, up to the first _]"),
    GRN_OPT_HEAD("What passes"),
    GRN_OPT_FLT(0, "min-rho", "FLOAT", &opt.regulon.min_rho, 0, 1,
                "|r| of both links must exceed this"),
    GRN_OPT_ENUM(0, "rho-tg", "pearson|spearman", &opt.rho_tg,
                 "which r of the TF to gene link decides"),
    GRN_OPT_ENUM(0, "rho-rg", "pearson|spearman", &opt.rho_rg,
                 "which r of the region to gene link decides"),
    GRN_OPT_FLT(0, "max-fdr", "FLOAT", &opt.regulon.max_fdr, 0, 1,
                "largest FDR of both links; 1: no limit"),
    GRN_OPT_FLT(0, "distance-scale", "BP", &opt.regulon.distance_scale, 0, 1e9,
                "weights fall as exp(-distance/BP); 0: they do not"),
    GRN_OPT_FLAG(0, "all-signs", &opt.regulon.all_signs,
                 "also TF_x/- regulons; with --rna-only also TF(-)"),
    GRN_OPT_FLT(0, "min-tf-frac", "FLOAT", &opt.regulon.min_tf_frac, 0, 1,
                "share of a type's cells with a count of the TF"),
    GRN_OPT_FLT(0, "min-gene-frac", "FLOAT", &opt.regulon.min_gene_frac, 0, 1,
                "the same for the gene"),
    GRN_OPT_FLT(0, "min-region-frac", "FLOAT", &opt.regulon.min_region_frac, 0, 1,
                "the same for the region, in ATAC"),
    GRN_OPT_INT(0, "min-type-cells", "INT", &opt.min_type_cells, 1, 1000000000,
                "cell types with fewer cells are left out"),
    GRN_OPT_INT(0, "min-targets", "INT", &opt.min_targets, 1, 1000000000,
                "fewest genes of a regulon in a type"),
    GRN_OPT_HEAD("RNA only"),
    GRN_OPT_FLAG(0, "rna-only", &opt.regulon.rna_only,
                 "modules of co-expressed targets; no regions, no motifs"),
    GRN_OPT_INT(0, "top-targets", "INT", &opt.top_targets, 1, 1000000000,
                "a target is among this many strongest of its TF"),
    GRN_OPT_INT(0, "top-regulators", "INT", &opt.top_regulators, 1, 1000000000,
                "and its TF among this many strongest of the gene"),
    GRN_OPT_STR(0, "prior", "FILE", &opt.regulon.prior,
                "known TF to gene edges (CollecTRI, DoRothEA, TRRUST, adjacencies)"),
    GRN_OPT_ENUM(0, "prior-mode", "add|only", &opt.prior_mode,
                 "edges of the prior besides the strongest, or only them"),
    GRN_OPT_STR(0, "prior-confidence", "LETTERS", &opt.regulon.prior_confidence,
                "confidence levels of the prior to use, such as ABC [all]"),
    GRN_OPT_HEAD("Input"),
    GRN_COUNTS_OPTIONS(opt.rna),
    GRN_OPT_STR(0, "atac-feature-type", "NAME", &opt.atac_type,
                "10x feature type of ATAC, such as Peaks"),
    GRN_OPT_STR(0, "atac-layer", "NAME", &opt.atac_layer,
                "h5ad or loom layer of ATAC [counts where found]"),
    GRN_OPT_END,
};

static grn_status check_options(const grn_args_t *args)
{
    const grn_regulon_opt_t *o = &opt.regulon;
    if (!o->out) return grn_err(GRN_EUSAGE, "give --output FILE");
    if (!o->tf_gene) return grn_err(GRN_EUSAGE, "give the TF to gene links: --tf-gene FILE");
    if (o->rna_only) {
        if (o->region_gene || o->scan || o->hits || args->n > 1) {
            return grn_err(GRN_EUSAGE, "--rna-only takes no regions, no motifs and no ATAC matrix");
        }
        return GRN_OK;
    }
    if (args->n < 2)
        return grn_err(GRN_EUSAGE, "needs an ATAC matrix after the RNA matrix (or --rna-only)");
    if (!o->region_gene)
        return grn_err(GRN_EUSAGE,
                       "give the region to gene links: --region-gene FILE (or --rna-only)");
    if (!o->scan == !o->hits)
        return grn_err(GRN_EUSAGE, "give one of --scan FILE and --motif-hits BED");
    if (o->prior)
        return grn_err(GRN_EUSAGE,
                       "--prior belongs to --rna-only: with regions, motifs support the edges");
    return GRN_OK;
}

static grn_status run(const grn_args_t *args)
{
    grn_status rc = GRN_OK;
    grn_regulon_opt_t *o = &opt.regulon;
    GRN_TRY(check_options(args));
    GRN_TRY(grn_counts_cli(&opt.rna, &o->rna_opt));
    o->rna = args->v[0];
    o->atac = args->n > 1 ? args->v[1] : NULL;
    o->atac_opt.layer = opt.atac_layer;
    o->atac_opt.feature_type = opt.atac_type;
    o->atac_opt.dup = GRN_DUP_ERROR;
    o->rho_tg = opt.rho_tg[0] == 'p' ? GRN_RHO_PEARSON : GRN_RHO_SPEARMAN;
    o->rho_rg = opt.rho_rg[0] == 'p' ? GRN_RHO_PEARSON : GRN_RHO_SPEARMAN;
    o->prior_mode = opt.prior_mode[0] == 'o' ? GRN_PRIOR_ONLY : GRN_PRIOR_ADD;
    o->min_type_cells = (uint64_t)opt.min_type_cells;
    o->min_targets = (uint64_t)opt.min_targets;
    o->top_targets = (uint64_t)opt.top_targets;
    o->top_regulators = (uint64_t)opt.top_regulators;
    GRN_TRY(grn_regulon_run(o));
end:
    return rc;
}

const grn_subtool_t grn_build_regulon = {
    { "grn-build regulon", "join links and motifs to regulons per cell type",
      "[options] -t TF_GENE -r REGION_GENE (-s SCAN | --motif-hits BED) -o REGULONS.edges.zst RNA "
      "ATAC\n"
      "       grn-build regulon --rna-only [options] -t TF_GENE -o REGULONS.edges.zst RNA",
      table, 1, 2,
      "  grn-build regulon -t tg.edges.zst -r rg.edges.zst -s scan.tensor.zst --motif2tf "
      "motif2tf.tsv -o regulons.edges.zst rna.h5ad "
      "atac.tensor.zst\n"
      "  grn-build regulon --rna-only -t tg.edges.zst --cells types.tsv -o regulons.edges.zst "
      "pbmc3k/\n" },
    run,
};
