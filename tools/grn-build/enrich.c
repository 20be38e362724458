/* grn-build enrich: motif enrichment of region sets, and the regions of each TF that come of it. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/staging.h"
#include "base/str.h"
#include "build.h"
#include "enrich.h"
#include "options.h"

static struct {
    const char *output, *beds, *ranks, *scores, *method, *motif2tf, *annotations, *tfs, *matrix, *hit_threshold;
    grn_opt_list_t motifs;
    grn_enrich_opt_t o;
    int64_t max_bg, promoter_space;
    int clusters, sets_are_genes;
} opt = { .method = "both",
          .annotations = "direct,orthology",
          .hit_threshold = "3",
          .max_bg = 500,
          .promoter_space = 1000,
          .o = {
              .auc_threshold = 0.005, .rank_threshold = 0.05, .min_nes = 3, .min_overlap = 0.4, .min_log2fc = 1, .max_adj_p = 0.05 } };

static const grn_opt_t table[] = {
    GRN_OPT_HEAD("Output"),
    GRN_OPT_STR('o', "output", "DIR", &opt.output, "folder of the tables, the TF -> region edges and the page"),
    GRN_OPT_STR('b', "beds", "DIR", &opt.beds, "and a BED file per cistrome"),
    GRN_OPT_HEAD("Motif database"),
    GRN_OPT_STR('r', "ranks", "FILE", &opt.ranks, "motifs x regions, ranks from 0 (for cisTarget)"),
    GRN_OPT_STR('s', "scores", "FILE", &opt.scores,
                "motifs x regions, scores (for DEM, and cisTarget without --ranks), or sites of scan"),
    GRN_OPT_FLT(0, "min-overlap", "FLOAT", &opt.o.min_overlap, 0, 1,
                "a region is that of the database with more than this of either in common"),
    GRN_OPT_FLAG(0, "sets-are-genes", &opt.sets_are_genes, "the sets are GMT files, the columns of the database genes"),
    GRN_OPT_HEAD("cisTarget"),
    GRN_OPT_ENUM(0, "method", "cistarget|dem|both", &opt.method, "DEM needs --scores"),
    GRN_OPT_FLT(0, "auc-threshold", "FLOAT", &opt.o.auc_threshold, 0, 1,
                "share of the ranking under whose recovery curve the area is taken"),
    GRN_OPT_FLT(0, "nes", "FLOAT", &opt.o.min_nes, -1e6, 1e6, "normalised enrichment score that passes"),
    GRN_OPT_FLT(0, "rank-threshold", "FLOAT", &opt.o.rank_threshold, 0, 1, "share of the ranking in which the leading edge is sought"),
    GRN_OPT_HEAD("DEM"),
    GRN_OPT_FLT(0, "log2fc", "FLOAT", &opt.o.min_log2fc, -100, 100, "log2 fold change that passes"),
    GRN_OPT_FLT(0, "adj-p", "FLOAT", &opt.o.max_adj_p, 0, 1, "adjusted p that passes"),
    GRN_OPT_FLT(0, "mean-fg", "FLOAT", &opt.o.min_mean_fg, 0, 1e30, "mean score in the set that passes"),
    GRN_OPT_STR(0, "hit-threshold", "FLOAT|roc", &opt.hit_threshold, "a hit scores more; roc: the best cut of each motif"),
    GRN_OPT_INT(0, "max-bg", "INT", &opt.max_bg, 0, 1000000000, "regions of a background at most; 0: all"),
    GRN_OPT_STR(0, "background", "BED", &opt.o.background, "regions to compare with [the other sets of the folder]"),
    GRN_GENES_OPTION(opt.o.genes),
    GRN_OPT_INT(0, "promoter-space", "BP", &opt.promoter_space, 0, 1000000000, "with --genes: a promoter lies within this of a TSS"),
    GRN_OPT_HEAD("TFs"),
    GRN_MOTIF2TF_OPTION(opt.motif2tf),
    GRN_OPT_STR(0, "annotations", "WORD[,WORD...]", &opt.annotations, "kinds that count: direct, similar, orthology, both"),
    GRN_OPT_STR('f', "tfs", "FILE", &opt.tfs, "names of the TFs to keep"),
    GRN_OPT_STR(0, "matrix", "COUNTS", &opt.matrix, "keep TFs that are genes of this RNA matrix"),
    GRN_OPT_LIST('m', "motifs", "FILE", &opt.motifs, "motif matrices, for logos on the page; files and folders as in scan"),
    GRN_OPT_FLAG(0, "clusters", &opt.clusters, "the matrices of each motif file are one cluster, named after the file"),
    GRN_OPT_HEAD("Other"),
    GRN_OPT_FLAG(0, "compat", &opt.o.compat, "as pycistarget and SCENIC+, faults included (see the manual)"),
    GRN_OPT_END,
};

static const char *const files[] = { "enriched.tsv", "sets.tsv", "tfs.tsv", "cistromes.edges.zst", "enriched.html" };

typedef struct {
    grn_motifdb_t ranks, scores;
    grn_regionsets_t sets;
    grn_annotation_t annotation;
    grn_motifset_t motifs;
    grn_enrich_t e;
    grn_edges_t edges;
    grn_tf_counts_t counts;
    grn_staging_t stage;
} state_t;

static void state_clear(state_t *s)
{
    grn_staging_abort(&s->stage);
    grn_tf_counts_clear(&s->counts);
    grn_edges_clear(&s->edges);
    grn_enrich_clear(&s->e);
    grn_motifset_clear(&s->motifs);
    grn_annotation_clear(&s->annotation);
    grn_regionsets_clear(&s->sets);
    grn_motifdb_close(&s->scores);
    grn_motifdb_close(&s->ranks);
}

/* ---- options ---- */

static grn_status check_options(int *methods)
{
    grn_status rc = GRN_OK;
    grn_enrich_opt_t *o = &opt.o;
    *methods = opt.method[0] == 'c' ? GRN_CISTARGET : opt.method[0] == 'd' ? GRN_DEM : GRN_CISTARGET | GRN_DEM;
    if (!opt.output) return grn_err(GRN_EUSAGE, "give a folder for the results with -o DIR");
    if (!opt.ranks && !opt.scores) return grn_err(GRN_EUSAGE, "give a motif database with --ranks FILE or --scores FILE");
    if (*methods == GRN_DEM && !opt.scores) return grn_err(GRN_EUSAGE, "--method dem compares scores: give --scores FILE");
    if (opt.sets_are_genes && (opt.beds || o->genes || o->background))
        return grn_err(GRN_EUSAGE, "--sets-are-genes: --beds, --genes and --background are about regions");
    if (!opt.scores && (o->genes || o->background))
        return grn_err(GRN_EUSAGE, "--genes and --background are for DEM, which needs --scores FILE");
    if (!opt.scores) *methods = GRN_CISTARGET;
    o->hit_threshold = NAN;
    if (strcmp(opt.hit_threshold, "roc") != 0 && grn_parse_f64(opt.hit_threshold, &o->hit_threshold))
        return grn_err(GRN_EUSAGE, "--hit-threshold '%s' is neither a number nor 'roc'", opt.hit_threshold);
    o->max_bg = (size_t)opt.max_bg;
    o->promoter_space = (uint64_t)opt.promoter_space;
    o->seed = grn_common.seed;
    return rc;
}

/* ---- annotation ---- */

static grn_status take_names(grn_enrich_t *e, const grn_motifdb_t *db)
{
    grn_status rc = GRN_OK;
    for (size_t m = 0; !rc && m < db->M; m++) rc = grn_names_add(&e->motifs, grn_names_get(db->motifs, m), NULL, NULL);
    return rc;
}

static grn_status annotate(state_t *s)
{
    grn_status rc = GRN_OK;
    grn_annotation_opt_t o = { opt.motif2tf, opt.tfs, opt.matrix, 0, opt.o.compat, NULL };
    grn_annotation_t *a = &s->annotation;
    GRN_TRY(grn_annotation_kinds(opt.annotations, &o.kinds));
    GRN_TRY(take_names(&s->e, &s->ranks));
    GRN_TRY(take_names(&s->e, &s->scores));
    GRN_TRY(grn_annotation_load(a, &o, &s->e.motifs, grn_common.pool));
    if (!opt.motif2tf && !opt.tfs && !opt.matrix) {
        grn_log_warn("neither --motif2tf nor --tfs nor --matrix is given: motifs stand for no TF, and there are no cistromes");
        return GRN_OK;
    }
    if (!opt.motif2tf)
        grn_log_info(
            "no --motif2tf: a motif stands for the TF of its name, or of its name before the first '_' (%zu of %zu motifs; %zu by "
            "the part before '_')",
            a->n_annotated, a->M, a->n_by_prefix);
    GRN_TRY(grn_funnel_add(&s->e.funnel, "motifs", a->n_annotated, a->M - a->n_annotated, "motifs with a TF by %s", opt.annotations));
    if (a->has_tfs || a->has_matrix)
        GRN_TRY(grn_funnel_add(&s->e.funnel, "motifs", a->n_used, a->n_annotated - a->n_used, "of these, with a TF that is %s%s%s",
                               a->has_tfs ? "listed" : "", a->has_tfs && a->has_matrix ? " and " : "",
                               a->has_matrix ? "in the expression matrix" : ""));
end:
    return rc;
}

static grn_status load_logos(state_t *s)
{
    grn_status rc = GRN_OK;
    size_t n = 0;
    GRN_TRY(grn_motifset_load(&s->motifs, &opt.motifs, opt.clusters));
    if (!s->motifs.n) {
        grn_log_info("no --motifs FILE: the page has no logos");
        return GRN_OK;
    }
    for (size_t m = 0; m < s->e.motifs.n; m++) n += grn_names_find(&s->motifs.names, grn_names_get(&s->e.motifs, m)) != GRN_NAMES_NONE;
    if (n < s->e.motifs.n) grn_log_warn("logos: %zu of %zu motifs of the database have a matrix of their name", n, s->e.motifs.n);
end:
    return rc;
}

/* ---- results ---- */

/* The motif names, one a line: what the evidence column "motif" counts. */
static grn_status save_edges(state_t *s, const char *path)
{
    grn_status rc = GRN_OK;
    char *names = NULL;
    size_t n;
    const char *json = grn_funnel_json(&s->e.funnel);
    GRN_TRY(grn_names_join(&s->e.motifs, &names, &n));
    const char *const meta[] = { "kind",   "cistromes", "funnel", json ? json : "[]", "annotations", opt.annotations,
                                 "motifs", names,       NULL };
    GRN_TRY(grn_edges_save(&s->edges, path, meta, grn_common.pool));
end:
    free(names);
    return rc;
}

static grn_status in_stage(const state_t *s, size_t k, grn_str_t *path)
{
    path->n = 0;
    return grn_str_printf(path, "%s/%s", s->stage.path, files[k]);
}

static grn_status write_results(state_t *s)
{
    grn_status rc = GRN_OK;
    grn_str_t path = { 0 };
    const grn_enrich_report_t r = { &s->e, &s->annotation, &s->sets, &s->motifs, &s->counts, &opt.o, opt.annotations };
    GRN_TRY(grn_cistrome_edges(&s->e, &s->annotation, &s->sets, opt.o.compat, &s->edges, &s->counts));
    if (s->annotation.tfs.n) GRN_TRY(grn_enrich_tf_funnel(&r));
    GRN_TRY(in_stage(s, 0, &path));
    GRN_TRY(grn_enrich_write_table(&r, path.s));
    GRN_TRY(in_stage(s, 1, &path));
    GRN_TRY(grn_enrich_write_sets(&r, path.s));
    GRN_TRY(in_stage(s, 2, &path));
    GRN_TRY(grn_enrich_write_tfs(&r, path.s));
    GRN_TRY(in_stage(s, 3, &path));
    GRN_TRY(save_edges(s, path.s));
    GRN_TRY(in_stage(s, 4, &path));
    GRN_TRY(grn_enrich_write_html(&r, path.s));
    if (opt.beds) GRN_TRY(grn_cistrome_beds(&s->edges, opt.beds));
    GRN_TRY(grn_staging_commit(&s->stage));
    grn_log_info("%zu enriched (set, method, motif); %zu cistromes, %zu edges TF -> %s", s->e.n, s->edges.regulons.n, s->edges.n,
                 opt.sets_are_genes ? "gene" : "region");
    if (!s->e.n)
        GRN_FAIL(GRN_EEMPTY, "no motif is enriched in any of %zu sets; '%s' holds the counts and empty tables", s->sets.n, opt.output);
    if (!s->edges.n && s->annotation.tfs.n)
        GRN_FAIL(GRN_EEMPTY, "%zu motifs are enriched, but none has hits and a TF that is kept; see '%s/tfs.tsv'", s->e.n, opt.output);
end:
    grn_str_clear(&path);
    return rc;
}

static grn_status run(const grn_args_t *args)
{
    grn_status rc = GRN_OK;
    state_t s = { 0 };
    int methods;
    GRN_TRY(check_options(&methods));
    GRN_TRY(grn_regionsets_load(&s.sets, args->v, (size_t)args->n, opt.sets_are_genes));
    int by_ranks = opt.ranks && (methods & GRN_CISTARGET);
    if (by_ranks) GRN_TRY(grn_motifdb_open(&s.ranks, opt.ranks, 1, opt.sets_are_genes, grn_common.pool));
    if (opt.scores && (!by_ranks || (methods & GRN_DEM)))
        GRN_TRY(grn_motifdb_open(&s.scores, opt.scores, 0, opt.sets_are_genes, grn_common.pool));
    GRN_TRY(annotate(&s));
    GRN_TRY(load_logos(&s));
    GRN_TRY(grn_staging_open(&s.stage, opt.output, files, sizeof files / sizeof *files));
    if (by_ranks) GRN_TRY(grn_enrich_run(&s.e, &s.ranks, &s.sets, GRN_CISTARGET, &opt.o, grn_common.pool));
    if (s.scores.M) GRN_TRY(grn_enrich_run(&s.e, &s.scores, &s.sets, by_ranks ? GRN_DEM : methods, &opt.o, grn_common.pool));
    grn_enrich_sort(&s.e);
    GRN_TRY(write_results(&s));
end:
    state_clear(&s);
    return rc;
}

const grn_subtool_t grn_build_enrich = {
    .tool = { .name = "grn-build enrich",
              .brief = "enriched motifs of region sets (cisTarget, DEM), and the regions of each TF",
              .usage = "[options] (-r RANKS | -s SCORES) -o DIR SETS...",
              .opt = table,
              .min_args = 1,
              .max_args = -1,
              .examples =
                  "  grn-build enrich -r ranks.tensor.zst -s scores.tensor.zst --motif2tf motifs.tbl -o enriched region_sets/otsu "
                  "dar_bed\n"
                  "  grn-build enrich -s motifs.tensor.zst -g genes.gtf.gz -f tfs.txt -m jaspar.meme -o enriched region_sets/ntop\n" },
    .run = run,
};
