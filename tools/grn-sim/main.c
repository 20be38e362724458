/* grn-sim: a multiome whose gene regulatory network is known. */
#include <dirent.h>
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/opt.h"
#include "base/staging.h"
#include "sim.h"

/* clang-format off */
static const struct { const char *name; grn_sim_opt_t o; } presets[] = {
    { "demo", { .cells = 1500, .genes = 1500, .tfs = 48, .regions = 4000, .types = 5, .donors = 3,
                .spacing = 60000, .targets = 35, .effect = 6, .on_frac = 0.5,
                .depth = 2500, .frags = 2000, .ambient = 0.02, .gene_sd = 1.2 } },
    { "small", { .cells = 300, .genes = 300, .tfs = 16, .regions = 900, .types = 3, .donors = 2,
                 .spacing = 60000, .targets = 15, .effect = 6, .on_frac = 0.5,
                 .depth = 1500, .frags = 400, .ambient = 0.02, .gene_sd = 1.2 } },
    { "pbmc3k", { .cells = 2700, .genes = 13714, .tfs = 300, .regions = 40000, .types = 9, .donors = 1,
                  .spacing = 60000, .targets = 60, .effect = 6, .on_frac = 0.5,
                  .depth = 2365, .frags = 5000, .ambient = 0.02, .gene_sd = 1.85 } },
    { "sea-ad", { .cells = 113209, .genes = 18984, .tfs = 400, .regions = 60000, .types = 24, .donors = 28,
                  .spacing = 60000, .targets = 80, .effect = 6, .on_frac = 0.5,
                  .depth = 10000, .frags = 8000, .ambient = 0.02, .gene_sd = 1.65 } },
};
/* clang-format on */
static grn_sim_opt_t opt;

static grn_status preset(const char *name)
{
    for (size_t i = 0; i < sizeof presets / sizeof *presets; i++)
        if (strcmp(name, presets[i].name) == 0) opt = presets[i].o;
    return GRN_OK;
}

static const grn_opt_t table[] = {
    GRN_OPT_HEAD("Output"),
    GRN_OPT_STR('o', "output", "DIR", &opt.dir,
                "folder to write; made if missing, refused if not empty"),
    GRN_OPT_FLAG('f', "force", &opt.force, "write into a folder that is not empty"),
    GRN_OPT_FLAG(0, "no-atac", &opt.no_atac, "RNA only: no fragments, no genome"),
    GRN_OPT_FLAG(0, "no-genome", &opt.no_genome, "no genome.fa"),
    GRN_OPT_HEAD("Size"),
    GRN_OPT_PRESET('x', "preset", "demo|small|pbmc3k|sea-ad", preset,
                   "sizes and depths to start from: demo is the defaults"),
    GRN_OPT_INT('n', "cells", "INT", &opt.cells, 1, 100000000,
                "cells; cell k is the same for any number of them"),
    GRN_OPT_INT('g', "genes", "INT", &opt.genes, 60, 200000, "genes, TFs among them"),
    GRN_OPT_INT('t', "tfs", "INT", &opt.tfs, 2, 5000, "transcription factors"),
    GRN_OPT_INT('r', "regions", "INT", &opt.regions, 20, 2000000,
                "regions: promoters, enhancers, decoys"),
    GRN_OPT_INT('k', "types", "INT", &opt.types, 1, 1000, "cell types"),
    GRN_OPT_INT('d', "donors", "INT", &opt.donors, 1, 1000, "donors"),
    GRN_OPT_INT(0, "spacing", "BP", &opt.spacing, 5000, 1000000,
                "mean distance of neighbouring genes"),
    GRN_OPT_HEAD("Network"),
    GRN_OPT_FLT(0, "targets", "FLOAT", &opt.targets, 5, 5000, "median target genes of a regulon"),
    GRN_OPT_FLT(0, "effect", "FLOAT", &opt.effect, 1.01, 100,
                "median fold change of a target between on and off"),
    GRN_OPT_FLT(0, "on-frac", "FLOAT", &opt.on_frac, 0, 1,
                "mean share of the cells of a type with a regulon of that type on"),
    GRN_OPT_HEAD("Measurement"),
    GRN_OPT_FLT(0, "depth", "FLOAT", &opt.depth, 1, 1e7, "mean UMIs per cell"),
    GRN_OPT_FLT(0, "frags-per-cell", "FLOAT", &opt.frags, 1, 1e7, "mean unique fragments per cell"),
    GRN_OPT_FLT(0, "ambient", "FLOAT", &opt.ambient, 0, 0.9,
                "share of the UMIs of a cell that are ambient RNA"),
    GRN_OPT_FLT(0, "gene-sd", "FLOAT", &opt.gene_sd, 0, 5, "sd of log basal expression over genes"),
    GRN_OPT_END
};

static const grn_tool_t tool = {
    "grn-sim",
    "a multiome (RNA and ATAC of the same cells) with a known gene regulatory network",
    "[options] -o DIR",
    table,
    0,
    0,
    "  grn-sim -o sim                                   # a small multiome in seconds\n"
    "  grn-sim -x sea-ad --no-atac -@ 16 -o sea_ad_like # 113,209 cells x 18,984 genes\n"
};

static const char *const files[] = { "genome.fa",
                                     "genome.fa.fai",
                                     "genes.gtf",
                                     "regions.bed",
                                     "sites.bed",
                                     "motifs.jaspar",
                                     "motif2tf.tsv",
                                     "tfs.txt",
                                     "cells.tsv",
                                     "truth.edges.zst",
                                     "truth_activity.tensor.zst",
                                     "truth_open.tsv",
                                     "counts.h5",
                                     "counts.h5ad",
                                     "fragments.tsv.gz",
                                     "fragments.tsv.gz.tbi" };
#define N_FILES (sizeof files / sizeof *files)

/* GRN_EUSAGE unless the folder is missing or empty (but for what killed runs left), or --force. */
static grn_status check_folder(const char *dir)
{
    DIR *d = opendir(dir);
    if (!d && errno == ENOENT) return GRN_OK;
    if (!d) return grn_err(GRN_EIO, "cannot open folder '%s': %s", dir, strerror(errno));
    const struct dirent *e = NULL;
    int n = 0;
    while ((e = readdir(d)))
        n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 &&
             strncmp(e->d_name, GRN_STAGING_PREFIX, strlen(GRN_STAGING_PREFIX)) != 0;
    closedir(d);
    return n && !opt.force
               ? grn_err(GRN_EUSAGE, "folder '%s' is not empty; give another or --force", dir)
               : GRN_OK;
}

static grn_status write_all(const grn_sim_t *s, const char *dir)
{
    grn_status rc = GRN_OK;
    GRN_TRY(grn_sim_write_tables(s, dir));
    GRN_TRY(grn_sim_write_motifs(s, dir));
    GRN_TRY(grn_sim_write_truth(s, dir, grn_common.pool));
    if (!s->o.no_genome) GRN_TRY(grn_sim_write_genome(s, dir, grn_common.pool));
    GRN_TRY(grn_sim_write_counts(s, dir, grn_common.pool));
    if (!s->o.no_atac) GRN_TRY(grn_sim_write_fragments(s, dir, grn_common.pool));
end:
    return rc;
}

static grn_status run(const grn_args_t *args)
{
    grn_status rc = GRN_OK;
    grn_sim_t s = { 0 };
    grn_staging_t stage = { 0 };
    (void)args;
    if (!opt.dir) return grn_err(GRN_EUSAGE, "no folder to write: give -o DIR");
    if (opt.tfs * 2 > opt.genes)
        return grn_err(GRN_EUSAGE, "--tfs %ld is more than half of --genes %ld", (long)opt.tfs,
                       (long)opt.genes);
    if (opt.cells > (int64_t)1 << 32)
        return grn_err(GRN_EUSAGE, "at most 2^32 cells have a barcode");
    opt.seed = grn_common.seed;
    opt.no_genome |= opt.no_atac;
    GRN_TRY(grn_sim_build(&s, &opt));
    grn_log_info("network: %zu TFs, %zu regulons, %u TF-gene pairs, %zu triplets in %zu types; %zu "
                 "sites planted",
                 s.tfs.n, s.regulons.n, s.pair_off[s.tfs.n], s.n_edges, s.types.n, s.n_sites);
    GRN_TRY(check_folder(opt.dir));
    GRN_TRY(grn_staging_open(&stage, opt.dir, files, N_FILES));
    GRN_TRY(write_all(&s, stage.path));
    GRN_TRY(grn_staging_commit(&stage));
end:
    grn_staging_abort(&stage);
    grn_sim_clear(&s);
    return rc;
}

int main(int argc, char **argv)
{
    opt = presets[0].o;
    return grn_tool_main(&tool, argc, argv, run);
}
