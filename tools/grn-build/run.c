#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "build.h"
#include "io/counts.h"
#include "io/motif2tf.h"
#include "options.h"
#include "stage.h"

static struct {
    const char *out, *keep;
    /* ATAC */
    grn_opt_list_t fragments, motifs;
    const char *regions, *atac, *suffix, *unit;
    grn_atac_cli_t atac_cli;
    /* motifs and genes */
    const char *fasta, *background, *hits, *motif2tf, *tfs, *genes;
    double pvalue;
    /* links */
    const char *expression, *accessibility, *absent;
    int64_t min_cells;
    grn_search_cli_t search;
    grn_regulon_cli_t pass;
    grn_counts_cli_t rna;
} opt = { .suffix = "keep",
          .unit = "fragment",
          .background = "regions",
          .pvalue = 1e-4,
          .expression = "lognorm",
          .accessibility = "lognorm",
          .absent = "accessibility",
          .min_cells = 3,
          .search = GRN_SEARCH_CLI_INIT,
          .pass = GRN_REGULON_CLI_INIT,
          .rna = GRN_COUNTS_CLI_INIT };

static grn_status preset(const char *word)
{
    return grn_regulon_preset(word, &opt.pass);
}

static const grn_opt_t table[] = {
    GRN_OPT_STR('o', "output", "FILE", &opt.out, "the regulons (grn.edges/1)"),
    GRN_OPT_STR(0, "keep", "DIR", &opt.keep,
                "keep the files between the steps here [FILE.parts, removed at the end]"),
    GRN_OPT_HEAD("Chromatin"),
    GRN_OPT_LIST('F', "fragments", "FILE", &opt.fragments,
                 "fragments.tsv.gz; may be given several times"),
    GRN_OPT_STR('R', "regions", "BED", &opt.regions,
                "regions to count and scan: BED or narrowPeak"),
    GRN_OPT_STR(0, "atac", "MATRIX", &opt.atac, "or: cells x regions, counted already"),
    GRN_OPT_ENUM(0, "barcode-suffix", "keep|strip", &opt.suffix,
                 "strip: drop \"-1\" at the end of barcodes when counting"),
    GRN_OPT_ENUM(0, "unit", "fragment|cutsite", &opt.unit, "what is counted"),
    GRN_OPT_HEAD("Motifs and genes"),
    GRN_OPT_LIST('m', "motifs", "FILE", &opt.motifs,
                 "motifs to scan for; may be given several times"),
    GRN_OPT_STR('G', "fasta", "FILE", &opt.fasta, "the genome to scan"),
    GRN_OPT_FLT('p', "pvalue", "FLOAT", &opt.pvalue, 0, 1,
                "a site's score is reached by a random word at most this often"),
    GRN_OPT_STR(0, "background", "WHICH", &opt.background,
                "base frequencies: regions, uniform, motifs, or A,C,G,T"),
    GRN_MOTIF_HITS_OPTION(opt.hits),
    GRN_MOTIF2TF_OPTION(opt.motif2tf),
    GRN_OPT_STR('f', "tfs", "FILE", &opt.tfs,
                "transcription factors, one a line [all TFs of --motif2tf]"),
    GRN_GENES_OPTION(opt.genes),
    GRN_OPT_HEAD("Links (grn-build link)"),
    GRN_OPT_ENUM(
        0, "absent-tfs", "accessibility|drop", &opt.absent,
        "TFs the RNA matrix lacks: scored by the accessibility of their motif, or left out"),
    GRN_MIN_CELLS_OPTION(opt.min_cells),
    GRN_OPT_ENUM(0, "expression", "lognorm|raw", &opt.expression, "scale of the RNA"),
    GRN_OPT_ENUM(0, "accessibility", "lognorm|binary|raw", &opt.accessibility, "scale of the ATAC"),
    GRN_SEARCH_OPTIONS(opt.search, "regions at a TSS of the gene"),
    GRN_OPT_HEAD("Regulons (grn-build regulon)"),
    GRN_REGULON_OPTIONS(opt.pass, preset),
    GRN_OPT_HEAD("Input"),
    GRN_COUNTS_OPTIONS(opt.rna),
    GRN_ATAC_OPTIONS(opt.atac_cli, "--atac"),
    GRN_OPT_END,
};

/* Files of the run: given, or made in the working folder. */
typedef struct {
    const char *rna;
    grn_str_t dir, barcodes, tfs, atac, scan, tf_gene, region_gene;
    char *mine[8]; /* what goes at the end or when a signal ends the run, the folder first */
    size_t slot[8], n_mine;
} files_t;

/* To be called before the file is made. */
static void will_go(files_t *f, char *path)
{
    if (opt.keep) return;
    f->mine[f->n_mine] = path;
    f->slot[f->n_mine++] = grn_pending_add(path);
}

static grn_status check_options(void)
{
    grn_regulon_opt_t regulon = GRN_REGULON_OPT_INIT;
    grn_status rc = grn_regulon_cli(&opt.pass, &regulon); /* lists are read now, not after the other steps */
    if (rc) return rc;
    if (!opt.out || strcmp(opt.out, "-") == 0)
        return grn_err(GRN_EUSAGE, "give --output FILE (a file: the steps read and write files)");
    if (opt.pass.rna_only) {
        if (opt.fragments.n || opt.atac || opt.motifs.n || opt.hits)
            return grn_err(GRN_EUSAGE, "--rna-only takes no chromatin and no motifs");
        if (regulon.method == GRN_REGULON_GSEA)
            return grn_err(GRN_EUSAGE, "--rna-only has modules of its own: no --method gsea, no --preset");
        if (!opt.tfs) return grn_err(GRN_EUSAGE, "--rna-only needs a TF list: --tfs FILE");
        return GRN_OK;
    }
    if (opt.pass.prior)
        return grn_err(GRN_EUSAGE,
                       "--prior belongs to --rna-only: with regions, motifs support the edges");
    if ((opt.fragments.n > 0) == (opt.atac != NULL))
        return grn_err(GRN_EUSAGE, "give --fragments FILE or --atac MATRIX (or --rna-only)");
    if (opt.fragments.n && !opt.regions)
        return grn_err(GRN_EUSAGE, "--fragments needs --regions BED");
    if ((opt.motifs.n > 0) == (opt.hits != NULL))
        return grn_err(GRN_EUSAGE, "give --motifs FILE with --fasta, or --motif-hits BED");
    if (opt.motifs.n && (!opt.fasta || !opt.regions))
        return grn_err(GRN_EUSAGE, "--motifs needs --fasta FILE and --regions BED");
    if (!opt.genes) return grn_err(GRN_EUSAGE, "give gene models: --genes FILE");
    if (!opt.tfs && !opt.motif2tf)
        return grn_err(GRN_EUSAGE, "give a TF list (--tfs FILE) or --motif2tf FILE");
    return GRN_OK;
}

static grn_status make_folder(files_t *f)
{
    grn_status rc = GRN_OK;
    GRN_TRY(opt.keep ? grn_str_puts(&f->dir, opt.keep)
                     : grn_str_printf(&f->dir, "%s.parts", opt.out));
    if (mkdir(f->dir.s, 0777) != 0 && errno != EEXIST)
        GRN_FAIL(GRN_EIO, "cannot make '%s': %s", f->dir.s, strerror(errno));
    will_go(f, f->dir.s);
    GRN_TRY(grn_str_printf(&f->barcodes, "%s/barcodes.txt", f->dir.s));
    GRN_TRY(opt.tfs ? grn_str_puts(&f->tfs, opt.tfs)
                    : grn_str_printf(&f->tfs, "%s/tfs.txt", f->dir.s));
    GRN_TRY(opt.atac ? grn_str_puts(&f->atac, opt.atac)
                     : grn_str_printf(&f->atac, "%s/atac.tensor.zst", f->dir.s));
    GRN_TRY(grn_str_printf(&f->scan, "%s/scan.tensor.zst", f->dir.s));
    GRN_TRY(grn_str_printf(&f->tf_gene, "%s/tf_gene.edges.zst", f->dir.s));
    GRN_TRY(grn_str_printf(&f->region_gene, "%s/region_gene.edges.zst", f->dir.s));
end:
    return rc;
}

static grn_status write_names(const grn_names_t *names, const char *path)
{
    grn_status rc = GRN_OK;
    grn_out_t *o = NULL;
    uint32_t *order = NULL;
    GRN_TRY(GRN_NEW_RAW(order, names->n));
    GRN_TRY(grn_names_sort(names, order));
    GRN_TRY(grn_out_open(&o, path, 0));
    for (size_t i = 0; i < names->n; i++)
        GRN_TRY(grn_out_printf(o, "%s\n", grn_names_get(names, order[i])));
    rc = grn_out_commit(o);
    o = NULL;
end:
    grn_out_abort(o);
    free(order);
    return rc;
}

/* The cells to count are those of the RNA. */
static grn_status list_barcodes(files_t *f)
{
    grn_status rc = GRN_OK;
    grn_counts_opt_t copt = GRN_COUNTS_OPT_INIT;
    grn_mr_t *mr = NULL;
    GRN_TRY(grn_counts_cli(&opt.rna, &copt));
    GRN_TRY(grn_mr_open(&mr, f->rna, &copt, grn_common.pool));
    will_go(f, f->barcodes.s);
    GRN_TRY(write_names(&grn_mr_info(mr)->row, f->barcodes.s));
end:
    if (mr) grn_mr_close(mr);
    return rc;
}

static grn_status list_tfs(files_t *f)
{
    grn_status rc = GRN_OK;
    grn_motif2tf_t t = { 0 };
    GRN_TRY(grn_motif2tf_load(opt.motif2tf, NULL, &t));
    will_go(f, f->tfs.s);
    GRN_TRY(write_names(&t.tfs, f->tfs.s));
end:
    grn_motif2tf_clear(&t);
    return rc;
}

/* How the RNA is read: the same in every step. */
static void add_rna_options(grn_stage_t *s)
{
    const grn_counts_cli_t *c = &opt.rna;
    grn_stage_opt(s, "--cells", c->cells_tsv);
    grn_stage_opt(s, "--cell-type", c->cell_type);
    grn_stage_opt(s, "--donor", c->donor);
    grn_stage_opt(s, "--layer", c->layer);
    grn_stage_opt(s, "--gene-names", c->gene_column);
    grn_stage_opt(s, "--feature-type", c->feature_type);
    grn_stage_opt(s, "--genome", c->genome);
    if (strcmp(c->dup, "sum") != 0) grn_stage_opt(s, "--duplicate-genes", c->dup);
    if (strcmp(c->orient, "auto") != 0) grn_stage_opt(s, "--orient", c->orient);
    if (c->allow_nonfinite) grn_stage_add(s, "--allow-nonfinite");
    grn_stage_opt(s, "--atac-layer", opt.atac_cli.layer);
    grn_stage_opt(s, "--atac-feature-type", opt.atac_cli.feature_type);
}

static grn_status run_count(files_t *f)
{
    grn_stage_t s = { 0 };
    grn_stage_add(&s, "count");
    grn_stage_opt(&s, "--regions", opt.regions);
    grn_stage_opt(&s, "--barcodes", f->barcodes.s);
    grn_stage_opt(&s, "--barcode-suffix", opt.suffix);
    grn_stage_opt(&s, "--unit", opt.unit);
    grn_stage_opt(&s, "--output", f->atac.s);
    for (size_t i = 0; i < opt.fragments.n; i++) grn_stage_add(&s, opt.fragments.v[i]);
    will_go(f, f->atac.s);
    grn_status rc = grn_stage_run(&s);
    grn_stage_clear(&s);
    return rc;
}

static grn_status run_scan(files_t *f)
{
    grn_stage_t s = { 0 };
    grn_stage_add(&s, "scan");
    for (size_t i = 0; i < opt.motifs.n; i++) grn_stage_opt(&s, "--motifs", opt.motifs.v[i]);
    grn_stage_opt(&s, "--genome", opt.fasta);
    grn_stage_opt(&s, "--regions", opt.regions);
    grn_stage_num(&s, "--pvalue", opt.pvalue);
    grn_stage_opt(&s, "--background", opt.background);
    grn_stage_opt(&s, "--output", f->scan.s);
    will_go(f, f->scan.s);
    grn_status rc = grn_stage_run(&s);
    grn_stage_clear(&s);
    return rc;
}

static void add_motifs(grn_stage_t *s, const files_t *f)
{
    if (opt.hits) grn_stage_opt(s, "--motif-hits", opt.hits);
    else grn_stage_opt(s, "--scan", f->scan.s);
    grn_stage_opt(s, "--motif2tf", opt.motif2tf);
}

static grn_status run_link(files_t *f)
{
    grn_stage_t s = { 0 };
    unlink(f->tf_gene.s); /* of an earlier run */
    unlink(f->region_gene.s);
    grn_stage_add(&s, "link");
    grn_stage_opt(&s, "--tf-gene", f->tf_gene.s);
    grn_stage_opt(&s, "--tfs", f->tfs.s);
    grn_stage_num(&s, "--min-rho", opt.pass.min_rho);
    grn_stage_int(&s, "--min-cells", opt.min_cells);
    grn_stage_opt(&s, "--expression", opt.expression);
    if (!opt.pass.rna_only) {
        grn_stage_opt(&s, "--region-gene", f->region_gene.s);
        grn_stage_opt(&s, "--genes", opt.genes);
        grn_stage_opt(&s, "--accessibility", opt.accessibility);
        grn_stage_opt(&s, "--absent-tfs", opt.absent);
        grn_stage_int(&s, "--upstream", opt.search.upstream);
        grn_stage_int(&s, "--downstream", opt.search.downstream);
        grn_stage_opt(&s, "--promoter", opt.search.promoter);
        grn_stage_int(&s, "--promoter-bp", opt.search.promoter_bp);
        add_motifs(&s, f);
    }
    add_rna_options(&s);
    grn_stage_add(&s, f->rna);
    if (!opt.pass.rna_only) grn_stage_add(&s, f->atac.s);
    will_go(f, f->tf_gene.s);
    will_go(f, f->region_gene.s);
    grn_status rc = grn_stage_run(&s);
    grn_stage_clear(&s);
    /* Links were written but are empty: the last step tells the whole story. */
    int written =
        access(f->tf_gene.s, R_OK) == 0 && (opt.pass.rna_only || access(f->region_gene.s, R_OK) == 0);
    return rc == GRN_EEMPTY && written ? GRN_OK : rc;
}

static void add_gsea_options(grn_stage_t *s)
{
    grn_stage_opt(s, "--quantiles", opt.pass.quantiles);
    grn_stage_opt(s, "--top-regions", opt.pass.top_regions);
    grn_stage_opt(s, "--top-genes", opt.pass.top_genes);
    if (!opt.pass.basca) grn_stage_add(s, "--no-basc");
    grn_stage_int(s, "--min-regions", opt.pass.min_regions);
    grn_stage_int(s, "--permutations", opt.pass.permutations);
    grn_stage_num(s, "--gsea-fdr", opt.pass.gsea_fdr);
    if (opt.pass.autoregulation) grn_stage_add(s, "--autoregulation");
}

static grn_status run_regulon(files_t *f)
{
    grn_stage_t s = { 0 };
    grn_stage_add(&s, "regulon");
    grn_stage_opt(&s, "--output", opt.out);
    grn_stage_opt(&s, "--tf-gene", f->tf_gene.s);
    grn_stage_num(&s, "--min-rho", opt.pass.min_rho);
    grn_stage_num(&s, "--max-fdr", opt.pass.max_fdr);
    grn_stage_opt(&s, "--rho-tg", opt.pass.rho_tg);
    grn_stage_num(&s, "--min-tf-frac", opt.pass.min_tf_frac);
    grn_stage_num(&s, "--min-gene-frac", opt.pass.min_gene_frac);
    grn_stage_int(&s, "--min-type-cells", opt.pass.min_type_cells);
    grn_stage_int(&s, "--min-targets", opt.pass.min_targets);
    if (opt.pass.all_signs) grn_stage_add(&s, "--all-signs");
    grn_stage_opt(&s, "--types", opt.pass.types);
    if (opt.pass.rna_only) {
        grn_stage_add(&s, "--rna-only");
        grn_stage_int(&s, "--top-targets", opt.pass.top_targets);
        grn_stage_int(&s, "--top-regulators", opt.pass.top_regulators);
        grn_stage_opt(&s, "--prior", opt.pass.prior);
        if (opt.pass.prior) grn_stage_opt(&s, "--prior-mode", opt.pass.prior_mode);
        grn_stage_opt(&s, "--prior-confidence", opt.pass.prior_confidence);
    } else {
        grn_stage_opt(&s, "--region-gene", f->region_gene.s);
        grn_stage_opt(&s, "--rho-rg", opt.pass.rho_rg);
        grn_stage_num(&s, "--distance-scale", opt.pass.distance_scale);
        grn_stage_num(&s, "--min-region-frac", opt.pass.min_region_frac);
        grn_stage_opt(&s, "--method", opt.pass.method);
        grn_stage_opt(&s, "--extended", opt.pass.extended);
        grn_stage_opt(&s, "--names", opt.pass.names);
        if (opt.pass.method[0] == 'g') add_gsea_options(&s);
        add_motifs(&s, f);
    }
    add_rna_options(&s);
    grn_stage_add(&s, f->rna);
    if (!opt.pass.rna_only) grn_stage_add(&s, f->atac.s);
    grn_status rc = grn_stage_run(&s);
    grn_stage_clear(&s);
    return rc;
}

/* Removes what was made, unless it is to be kept. */
static void clean_up(files_t *f)
{
    for (size_t i = f->n_mine; i-- > 0;) {
        if (i > 0) unlink(f->mine[i]);
        else rmdir(f->mine[i]);
        grn_pending_drop(f->slot[i]);
    }
    grn_str_t *all[] = { &f->dir,  &f->barcodes, &f->tfs,        &f->atac,
                         &f->scan, &f->tf_gene,  &f->region_gene };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) grn_str_clear(all[i]);
}

static grn_status run(const grn_args_t *args)
{
    grn_status rc = GRN_OK;
    files_t f = { .rna = args->v[0] };
    GRN_TRY(check_options());
    GRN_TRY(make_folder(&f));
    if (!opt.pass.rna_only && !opt.tfs) GRN_TRY(list_tfs(&f));
    if (opt.fragments.n) {
        GRN_TRY(list_barcodes(&f));
        GRN_TRY(run_count(&f));
    }
    if (opt.motifs.n) GRN_TRY(run_scan(&f));
    GRN_TRY(run_link(&f));
    GRN_TRY(run_regulon(&f));
end:
    clean_up(&f);
    return rc;
}

const grn_subtool_t grn_build_run = {
    { "grn-build run", "all steps in one call: from fragments, motifs and counts to regulons",
      "[options] -F FRAGMENTS -R REGIONS (-m MOTIFS -G FASTA | --motif-hits BED) -g GENES -f TFS "
      "-o REGULONS.edges.zst RNA\n"
      "       grn-build run --rna-only [options] -f TFS -o REGULONS.edges.zst RNA",
      table, 1, 1,
      "  grn-build run -F fragments.tsv.gz -R peaks.bed -m motifs.jaspar --motif2tf motif2tf.tsv "
      "-G genome.fa -g genes.gtf --cells cells.tsv "
      "-o regulons.edges.zst rna.h5\n"
      "  grn-build run --rna-only -f tfs.txt --prior collectri.tsv --cells types.tsv -o "
      "regulons.edges.zst pbmc3k/\n"
      "\n" GRN_REGULON_PRESET_TEXT },
    run,
};
