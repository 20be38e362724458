#include "build.h"
#include "options.h"

static struct {
    grn_regulon_opt_t regulon;
    grn_regulon_cli_t pass;
    grn_counts_cli_t rna;
    grn_atac_cli_t atac;
} opt = { .regulon = GRN_REGULON_OPT_INIT, .pass = GRN_REGULON_CLI_INIT, .rna = GRN_COUNTS_CLI_INIT };

static grn_status preset(const char *word)
{
    return grn_regulon_preset(word, &opt.pass);
}

static const grn_opt_t table[] = {
    GRN_OPT_STR('o', "output", "FILE", &opt.regulon.out, "the regulons (grn.edges/1)"),
    GRN_OPT_HEAD("Links and motifs"),
    GRN_OPT_STR('t', "tf-gene", "FILE", &opt.regulon.tf_gene, "TF to gene links of grn-build link"),
    GRN_OPT_STR('r', "region-gene", "FILE", &opt.regulon.region_gene,
                "region to gene links of grn-build link"),
    GRN_OPT_STR('s', "scan", "FILE", &opt.regulon.scan, "regions x motifs of grn-build scan"),
    GRN_MOTIF_HITS_OPTION(opt.regulon.hits),
    GRN_MOTIF2TF_OPTION(opt.regulon.motif2tf),
    GRN_OPT_STR(0, "cistromes", "FILE", &opt.regulon.cistromes,
                "or: TF to region edges, cistromes.edges.zst of grn-build enrich"),
    GRN_OPT_STR(0, "rankings", "FILE", &opt.regulon.rankings,
                "motifs x regions of grn-build rank, for triplet_rank [motif scores]"),
    GRN_OPT_HEAD("What passes"),
    GRN_REGULON_OPTIONS(opt.pass, preset),
    GRN_OPT_HEAD("Input"),
    GRN_COUNTS_OPTIONS(opt.rna),
    GRN_ATAC_OPTIONS(opt.atac, "ATAC"),
    GRN_OPT_END,
};

static grn_status check_options(const grn_args_t *args)
{
    const grn_regulon_opt_t *o = &opt.regulon;
    if (!o->out) return grn_err(GRN_EUSAGE, "give --output FILE");
    if (!o->tf_gene) return grn_err(GRN_EUSAGE, "give the TF to gene links: --tf-gene FILE");
    if (o->rna_only) {
        if (o->region_gene || o->scan || o->hits || o->cistromes || o->rankings || args->n > 1)
            return grn_err(GRN_EUSAGE, "--rna-only takes no regions, no motifs and no ATAC matrix");
        if (o->method == GRN_REGULON_GSEA)
            return grn_err(GRN_EUSAGE, "--rna-only has modules of its own: no --method gsea, no --preset");
        return GRN_OK;
    }
    if (args->n < 2 && !o->all_types)
        return grn_err(GRN_EUSAGE, "needs an ATAC matrix after the RNA matrix (or --types all, or --rna-only)");
    if (!o->region_gene)
        return grn_err(GRN_EUSAGE,
                       "give the region to gene links: --region-gene FILE (or --rna-only)");
    if ((o->scan != NULL) + (o->hits != NULL) + (o->cistromes != NULL) != 1)
        return grn_err(GRN_EUSAGE, "give one of --scan FILE, --motif-hits BED and --cistromes FILE");
    if (o->cistromes && o->motif2tf)
        return grn_err(GRN_EUSAGE, "--motif2tf belongs to --scan and --motif-hits: cistromes name their TFs");
    if (o->prior)
        return grn_err(GRN_EUSAGE,
                       "--prior belongs to --rna-only: with regions, motifs support the edges");
    return GRN_OK;
}

static grn_status run(const grn_args_t *args)
{
    grn_status rc = GRN_OK;
    grn_regulon_opt_t *o = &opt.regulon;
    GRN_TRY(grn_regulon_cli(&opt.pass, o));
    GRN_TRY(check_options(args));
    GRN_TRY(grn_counts_cli(&opt.rna, &o->rna_opt));
    grn_atac_cli(&opt.atac, &o->atac_opt);
    o->rna = args->v[0];
    o->atac = args->n > 1 ? args->v[1] : NULL;
    GRN_TRY(grn_regulon_run(o));
end:
    return rc;
}

const grn_subtool_t grn_build_regulon = {
    { "grn-build regulon", "join links and motifs to regulons per cell type",
      "[options] -t TF_GENE -r REGION_GENE (-s SCAN | --motif-hits BED | --cistromes FILE) -o REGULONS.edges.zst "
      "RNA ATAC\n"
      "       grn-build regulon --rna-only [options] -t TF_GENE -o REGULONS.edges.zst RNA",
      table, 1, 2,
      "  grn-build regulon -t tg.edges.zst -r rg.edges.zst -s scan.tensor.zst --motif2tf "
      "motif2tf.tsv -o regulons.edges.zst rna.h5ad "
      "atac.tensor.zst\n"
      "  grn-build regulon -x scenicplus -t tg.edges.zst -r rg.edges.zst --cistromes enriched/cistromes.edges.zst -o "
      "eregulons.edges.zst rna.h5ad\n"
      "  grn-build regulon --rna-only -t tg.edges.zst --cells types.tsv -o regulons.edges.zst "
      "pbmc3k/\n"
      "\n" GRN_REGULON_PRESET_TEXT },
    run,
};
