#include "build.h"
#include "options.h"
#include "prune.h"

static struct {
    grn_prune_opt_t o;
    grn_counts_cli_t rna;
    grn_opt_list_t ranks;
    const char *quantiles, *targets, *regulators, *annotations;
    int64_t min_genes, rank_threshold, min_type_cells, min_targets;
} opt = { .o = { .modules = { .min_rho = 0.03 },
                 .auc_threshold = 0.05,
                 .min_nes = 3,
                 .min_mapped = 0.8,
                 .annotation = GRN_MOTIF2TF_OPT_INIT,
                 .min_tf_frac = 0.05,
                 .min_gene_frac = 0.05 },
          .rna = GRN_COUNTS_CLI_INIT,
          .quantiles = "0.75,0.9",
          .targets = "50",
          .regulators = "5,10,50",
          .annotations = "direct,similar,orthology,both",
          .min_genes = 20,
          .rank_threshold = 5000,
          .min_type_cells = 10,
          .min_targets = 1 };

static const grn_opt_t table[] = {
    GRN_OPT_HEAD("Output"),
    GRN_OPT_STR('o', "output", "FILE", &opt.o.out, "the regulons (grn.edges/1)"),
    GRN_OPT_STR('e', "enriched", "FILE", &opt.o.enriched, "and a table of the motifs enriched in each module"),
    GRN_OPT_HEAD("Modules"),
    GRN_OPT_STR('t', "tf-gene", "FILE", &opt.o.links, "TF to gene links of grn-build link"),
    GRN_OPT_FLT(0, "min-rho", "FLOAT", &opt.o.modules.min_rho, 0, 1, "a link is positive with r above this"),
    GRN_OPT_FLAG(0, "all-modules", &opt.o.modules.all_signs, "also modules of links with r below the negative: TF(-)"),
    GRN_OPT_STR(0, "quantiles", "FLOAT[,FLOAT...]", &opt.quantiles, "modules of links above these quantiles of importance"),
    GRN_OPT_STR(0, "top-targets", "INT[,INT...]", &opt.targets, "modules of this many strongest targets of the TF"),
    GRN_OPT_STR(0, "top-regulators", "INT[,INT...]", &opt.regulators,
                "modules of genes whose this many strongest regulators have the TF"),
    GRN_OPT_INT(0, "min-genes", "INT", &opt.min_genes, 1, 1000000, "genes of a module at least, the TF included"),
    GRN_OPT_HEAD("Motif database"),
    GRN_OPT_LIST('r', "ranks", "FILE", &opt.ranks, "motifs x genes, ranks from 0; may be given several times"),
    GRN_OPT_FLT(0, "min-mapped", "FLOAT", &opt.o.min_mapped, 0, 1,
                "a module counts in a database with more than this share of its genes"),
    GRN_OPT_FLT(0, "auc-threshold", "FLOAT", &opt.o.auc_threshold, 0, 1,
                "share of the ranking under whose recovery curve the area is taken"),
    GRN_OPT_INT(0, "rank-threshold", "INT", &opt.rank_threshold, 1, 16777216,
                "genes of the ranking in which the leading edge is sought"),
    GRN_OPT_FLT(0, "nes", "FLOAT", &opt.o.min_nes, -1e6, 1e6, "normalised enrichment score that passes"),
    GRN_OPT_HEAD("Motifs of TFs"),
    GRN_OPT_STR(0, "motif2tf", "FILE", &opt.o.motif2tf, "which TFs a motif stands for; required"),
    GRN_OPT_STR(0, "annotations", "WORD[,WORD...]", &opt.annotations, "kinds that count: direct, similar, orthology, both"),
    GRN_OPT_FLT(0, "motif-similarity-fdr", "FLOAT", &opt.o.annotation.max_q, 0, 1,
                "largest q of a motif that stands in by similarity"),
    GRN_OPT_FLT(0, "orthologous-identity", "FLOAT", &opt.o.annotation.min_identity, 0, 1, "least identity of an orthologous gene"),
    GRN_OPT_HEAD("Cell types: with an RNA matrix"),
    GRN_OPT_FLT(0, "min-tf-frac", "FLOAT", &opt.o.min_tf_frac, 0, 1, "share of a type's cells with a count of the TF"),
    GRN_OPT_FLT(0, "min-gene-frac", "FLOAT", &opt.o.min_gene_frac, 0, 1, "the same for the gene"),
    GRN_OPT_INT(0, "min-type-cells", "INT", &opt.min_type_cells, 1, 1000000000, "cell types with fewer cells are left out"),
    GRN_OPT_INT(0, "min-targets", "INT", &opt.min_targets, 1, 1000000000, "fewest genes of a regulon (in a type)"),
    GRN_COUNTS_OPTIONS(opt.rna),
    GRN_OPT_END,
};

static grn_status check_options(const grn_args_t *args)
{
    if (!opt.o.out) return grn_err(GRN_EUSAGE, "give --output FILE");
    if (!opt.o.links) return grn_err(GRN_EUSAGE, "give the TF to gene links: --tf-gene FILE");
    if (!opt.ranks.n) return grn_err(GRN_EUSAGE, "give a motif database of genes: --ranks FILE");
    if (opt.rna.cells_tsv && !args->n) return grn_err(GRN_EUSAGE, "--cells gives the types of an RNA matrix, which is missing");
    if (!opt.o.motif2tf) return grn_err(GRN_EUSAGE, "give the table of which TFs a motif stands for: --motif2tf FILE");
    return GRN_OK;
}

static grn_status run(const grn_args_t *args)
{
    grn_status rc = GRN_OK;
    grn_prune_opt_t *o = &opt.o;
    GRN_TRY(check_options(args));
    GRN_TRY(grn_modules_ways(&o->modules, opt.quantiles, opt.targets, opt.regulators));
    GRN_TRY(grn_annotation_kinds(opt.annotations, &o->annotation.kinds));
    GRN_TRY(grn_counts_cli(&opt.rna, &o->rna_opt));
    o->rna = args->n ? args->v[0] : NULL;
    o->ranks = opt.ranks.v;
    o->n_ranks = opt.ranks.n;
    o->modules.min_genes = (size_t)opt.min_genes;
    o->rank_threshold = (uint64_t)opt.rank_threshold;
    o->min_type_cells = (uint64_t)opt.min_type_cells;
    o->min_targets = (uint64_t)opt.min_targets;
    GRN_TRY(grn_prune_run(o));
end:
    return rc;
}

const grn_subtool_t grn_build_prune = {
    .tool = { .name = "grn-build prune",
              .brief = "modules of TF to gene links, pruned by the motifs of the TF: regulons from RNA",
              .usage = "[options] -t TF_GENE -r RANKS --motif2tf TABLE -o REGULONS.edges.zst [RNA]",
              .opt = table,
              .min_args = 0,
              .max_args = 1,
              .examples =
                  "  grn-build prune -t tg.edges.zst -r hg38_10kb.ranks.tensor.zst -r hg38_500bp.ranks.tensor.zst --motif2tf "
                  "motifs-v10nr_clust.tbl -o regulons.edges.zst\n"
                  "  grn-build prune -t tg.edges.zst -r ranks.tensor.zst --motif2tf motifs.tbl --cells types.tsv -o "
                  "regulons.edges.zst pbmc3k/\n" },
    .run = run,
};
