#include "build.h"
#include "link.h"

static struct {
    grn_link_opt_t link;
    grn_counts_cli_t rna;
    const char *expression, *accessibility, *promoter, *atac_layer, *atac_type, *absent;
    int64_t min_cells, upstream, downstream, promoter_bp;
} opt = { .link = GRN_LINK_OPT_INIT,
          .rna = GRN_COUNTS_CLI_INIT,
          .expression = "lognorm",
          .accessibility = "lognorm",
          .promoter = "keep",
          .absent = "accessibility",
          .min_cells = 3,
          .upstream = 150000,
          .downstream = 150000,
          .promoter_bp = 1000 };

static const grn_opt_t table[] = {
    GRN_OPT_HEAD("Output (at least one)"),
    GRN_OPT_STR('t', "tf-gene", "FILE", &opt.link.out_tg, "TF to gene links, from RNA and --tfs"),
    GRN_OPT_STR('r', "region-gene", "FILE", &opt.link.out_rg,
                "region to gene links, from RNA, ATAC and --genes"),
    GRN_OPT_HEAD("Links"),
    GRN_OPT_STR('f', "tfs", "FILE", &opt.link.tfs, "transcription factors, one a line"),
    GRN_OPT_STR('g', "genes", "FILE", &opt.link.genes,
                "gene models: GTF, GFF3, or BED6 with gene names"),
    GRN_OPT_FLT(0, "min-rho", "FLOAT", &opt.link.min_rho, 0, 1,
                "write pairs with |Pearson| or |Spearman| above this"),
    GRN_OPT_INT(0, "min-cells", "INT", &opt.min_cells, 1, 1000000000,
                "leave out genes and regions seen in fewer cells"),
    GRN_OPT_ENUM(0, "expression", "lognorm|raw", &opt.expression,
                 "scale of the RNA: log(1 + 10,000 x / total), or as read"),
    GRN_OPT_ENUM(0, "accessibility", "lognorm|binary|raw", &opt.accessibility,
                 "scale of the ATAC; binary: open or not"),
    GRN_OPT_HEAD(
        "TFs the RNA matrix lacks: scored by the accessibility of regions with their motif"),
    GRN_OPT_ENUM(0, "absent-tfs", "accessibility|drop", &opt.absent,
                 "drop: leave these TFs out, though motifs are given"),
    GRN_OPT_STR('s', "scan", "FILE", &opt.link.scan, "regions x motifs of grn-build scan"),
    GRN_OPT_STR(0, "motif-hits", "BED", &opt.link.hits,
                "or: motif hits, motif or TF name in column 4"),
    GRN_OPT_STR(0, "motif2tf", "FILE", &opt.link.motif2tf,
                "which TFs a motif stands for [its name, up to the first _]"),
    GRN_OPT_HEAD("Search space"),
    GRN_OPT_INT(0, "upstream", "BP", &opt.upstream, 0, 1000000000,
                "reach beyond the 5' end of the gene body"),
    GRN_OPT_INT(0, "downstream", "BP", &opt.downstream, 0, 1000000000, "reach beyond its 3' end"),
    GRN_OPT_ENUM(0, "promoter", "keep|drop|only", &opt.promoter,
                 "regions at a TSS of the gene: as others, left out, or only these"),
    GRN_OPT_INT(0, "promoter-bp", "BP", &opt.promoter_bp, 0, 1000000000,
                "at a TSS: midpoint within this distance"),
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
    if (!opt.link.out_tg && !opt.link.out_rg)
        return grn_err(GRN_EUSAGE, "give --tf-gene FILE, --region-gene FILE or both");
    if (opt.link.out_tg && !opt.link.tfs)
        return grn_err(GRN_EUSAGE, "--tf-gene needs a TF list: --tfs FILE");
    if (opt.link.out_rg && args->n < 2)
        return grn_err(GRN_EUSAGE, "--region-gene needs an ATAC matrix after the RNA matrix");
    if (opt.link.scan && opt.link.hits)
        return grn_err(GRN_EUSAGE, "give one of --scan and --motif-hits, not both");
    if ((opt.link.scan || opt.link.hits) && args->n < 2) {
        return grn_err(GRN_EUSAGE,
                       "--scan and --motif-hits need an ATAC matrix after the RNA matrix");
    }
    if (opt.link.out_rg && !opt.link.genes)
        return grn_err(GRN_EUSAGE, "--region-gene needs gene models: --genes FILE");
    return GRN_OK;
}

static grn_status run(const grn_args_t *args)
{
    grn_status rc = GRN_OK;
    if (opt.absent[0] == 'd') opt.link.scan = opt.link.hits = opt.link.motif2tf = NULL;
    GRN_TRY(check_options(args));
    GRN_TRY(grn_counts_cli(&opt.rna, &opt.link.rna_opt));

    opt.link.rna = args->v[0];
    opt.link.atac = args->n > 1 ? args->v[1] : NULL;
    opt.link.atac_opt.layer = opt.atac_layer;
    opt.link.atac_opt.feature_type = opt.atac_type;
    opt.link.atac_opt.dup = GRN_DUP_ERROR;
    opt.link.expression = grn_scale_parse(opt.expression);
    opt.link.accessibility = grn_scale_parse(opt.accessibility);
    opt.link.min_cells = (uint64_t)opt.min_cells;
    opt.link.search = (grn_search_opt_t){ (uint64_t)opt.upstream, (uint64_t)opt.downstream,
                                          opt.promoter[0] == 'k'   ? GRN_PROMOTER_KEEP
                                          : opt.promoter[0] == 'd' ? GRN_PROMOTER_DROP
                                                                   : GRN_PROMOTER_ONLY,
                                          (uint64_t)opt.promoter_bp };
    GRN_TRY(grn_link_run(&opt.link));
end:
    return rc;
}

const grn_subtool_t grn_build_link = {
    { "grn-build link", "correlate TFs with genes, and regions with the genes near them",
      "[options] -t TF_GENE.edges.zst -r REGION_GENE.edges.zst RNA [ATAC]", table, 1, 2,
      "  grn-build link -f tfs.txt -g genes.gtf -t tg.edges.zst -r rg.edges.zst rna.h5ad "
      "atac.tensor.zst\n"
      "  grn-build link -f tfs.txt -t tg.edges.zst pbmc3k/\n" },
    run,
};
