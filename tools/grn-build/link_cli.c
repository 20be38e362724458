#include <string.h>

#include "build.h"
#include "link.h"
#include "options.h"
#include "parts.h"

static struct {
    grn_link_opt_t link;
    grn_counts_cli_t rna;
    grn_atac_cli_t atac;
    grn_search_cli_t search;
    const char *expression, *accessibility, *absent, *method, *region_method, *shard;
    int64_t min_cells, max_trees, stability, stability_top, null;
} opt = { .link = GRN_LINK_OPT_INIT,
          .rna = GRN_COUNTS_CLI_INIT,
          .search = GRN_SEARCH_CLI_INIT,
          .expression = "lognorm",
          .accessibility = "lognorm",
          .absent = "accessibility",
          .method = "pearson",
          .region_method = "spearman",
          .shard = "1/1",
          .min_cells = 3,
          .max_trees = 5000,
          .stability_top = 10 };

static const grn_opt_t table[] = {
    GRN_OPT_HEAD("Output (at least one)"),
    GRN_OPT_STR('t', "tf-gene", "FILE", &opt.link.out_tg, "TF to gene links, from RNA and --tfs"),
    GRN_OPT_STR('r', "region-gene", "FILE", &opt.link.out_rg,
                "region to gene links, from RNA, ATAC and --genes"),
    GRN_OPT_HEAD("Links"),
    GRN_OPT_STR('f', "tfs", "FILE", &opt.link.tfs, "transcription factors, one a line"),
    GRN_GENES_OPTION(opt.link.genes),
    GRN_OPT_ENUM('M', "method", "pearson|spearman|grnboost|genie3|ridge", &opt.method, "what weighs TF to gene links"),
    GRN_OPT_ENUM(0, "region-method", "spearman|pearson|kendall|grnboost", &opt.region_method, "what weighs region to gene links"),
    GRN_OPT_FLT(0, "min-rho", "FLOAT", &opt.link.min_rho, 0, 1,
                "correlations: write pairs with |Pearson| or |Spearman| above this"),
    GRN_MIN_CELLS_OPTION(opt.min_cells),
    GRN_OPT_ENUM(0, "expression", "lognorm|raw", &opt.expression,
                 "scale of the RNA: log(1 + 10,000 x / total), or as read"),
    GRN_OPT_ENUM(0, "accessibility", "lognorm|binary|raw", &opt.accessibility,
                 "scale of the ATAC; binary: open or not"),
    GRN_OPT_HEAD("Learned links (grnboost, genie3, ridge)"),
    GRN_OPT_INT(0, "max-trees", "INT", &opt.max_trees, 1, 1000000, "trees of a gene at most (grnboost)"),
    GRN_OPT_INT(0, "stability", "INT", &opt.stability, 0, 1000, "runs on a share of the cells each, for the support of a TF to gene link"),
    GRN_OPT_FLT(0, "stability-cells", "FLOAT", &opt.link.learn.stability_cells, 0.01, 1, "that share"),
    GRN_OPT_INT(0, "stability-top", "INT", &opt.stability_top, 1, 1000000,
                "a run supports a link whose TF is among this many strongest of the gene"),
    GRN_OPT_INT(0, "null", "INT", &opt.null, 0, 1000, "runs with TFs permuted among cells of a type, for q values; 0 or at least 2"),
    GRN_OPT_STR(0, "shard", "I/N", &opt.shard, "only every Nth gene, from the Ith on; grn-view merge joins the parts"),
    GRN_OPT_FLAG(0, "resume", &opt.link.learn.resume, "keep finished blocks of genes in FILE.parts and go on from those that are there"),
    GRN_OPT_HEAD(
        "TFs the RNA matrix lacks: scored by the accessibility of regions with their motif"),
    GRN_OPT_ENUM(0, "absent-tfs", "accessibility|drop", &opt.absent,
                 "drop: leave these TFs out, though motifs are given"),
    GRN_OPT_STR('s', "scan", "FILE", &opt.link.scan, "regions x motifs of grn-build scan"),
    GRN_OPT_STR(0, "motif-hits", "BED", &opt.link.hits,
                "or: motif hits, motif or TF name in column 4"),
    GRN_MOTIF2TF_OPTION(opt.link.motif2tf),
    GRN_OPT_HEAD("Search space"),
    GRN_SEARCH_OPTIONS(opt.search,
                       "regions at a TSS of the gene: as others, left out, or only these"),
    GRN_OPT_HEAD("Input"),
    GRN_COUNTS_OPTIONS(opt.rna),
    GRN_ATAC_OPTIONS(opt.atac, "ATAC"),
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
    const grn_learn_opt_t *o = &opt.link.learn;
    if ((o->stability || o->null || o->n_shard > 1 || o->resume) && !(opt.link.out_tg && opt.link.method >= GRN_LINK_GRNBOOST)) {
        return grn_err(GRN_EUSAGE, "--stability, --null, --shard and --resume go with --tf-gene and --method grnboost, genie3 or ridge");
    }
    if (o->null == 1) return grn_err(GRN_EUSAGE, "--null 1: at least 2 runs are needed, to tell how they differ (0: none)");
    if (o->resume && !strcmp(opt.link.out_tg, "-")) return grn_err(GRN_EUSAGE, "--resume needs --tf-gene FILE, not -");
    return GRN_OK;
}

static grn_status learn_options(void)
{
    grn_learn_opt_t *o = &opt.link.learn;
    opt.link.method = grn_link_method_parse(opt.method);
    opt.link.region_method = grn_link_method_parse(opt.region_method);
    o->max_trees = (size_t)opt.max_trees;
    o->stability = (uint64_t)opt.stability;
    o->stability_top = (uint64_t)opt.stability_top;
    o->null = (uint64_t)opt.null;
    return grn_parts_shard(opt.shard, &o->shard, &o->n_shard);
}

static grn_status run(const grn_args_t *args)
{
    grn_status rc = GRN_OK;
    if (opt.absent[0] == 'd') opt.link.scan = opt.link.hits = opt.link.motif2tf = NULL;
    GRN_TRY(learn_options());
    GRN_TRY(check_options(args));
    GRN_TRY(grn_counts_cli(&opt.rna, &opt.link.rna_opt));
    grn_atac_cli(&opt.atac, &opt.link.atac_opt);
    opt.link.rna = args->v[0];
    opt.link.atac = args->n > 1 ? args->v[1] : NULL;
    opt.link.expression = grn_scale_parse(opt.expression);
    opt.link.accessibility = grn_scale_parse(opt.accessibility);
    opt.link.min_cells = (uint64_t)opt.min_cells;
    opt.link.search = grn_search_cli(&opt.search);
    GRN_TRY(grn_link_run(&opt.link));
end:
    return rc;
}

const grn_subtool_t grn_build_link = {
    { "grn-build link", "link TFs to genes, and regions to the genes near them",
      "[options] -t TF_GENE.edges.zst -r REGION_GENE.edges.zst RNA [ATAC]", table, 1, 2,
      "  grn-build link -f tfs.txt -g genes.gtf -t tg.edges.zst -r rg.edges.zst rna.h5ad "
      "atac.tensor.zst\n"
      "  grn-build link -f tfs.txt -t tg.edges.zst pbmc3k/\n"
      "  grn-build link -f tfs.txt -t tg.edges.zst --method grnboost --stability 10 --null 1 --cells types.tsv pbmc3k/\n" },
    run,
};
