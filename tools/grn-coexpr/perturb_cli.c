/* grn-coexpr perturb: options, the cells asked for, the file. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/opt.h"
#include "base/str.h"
#include "grn-coexpr/coexpr.h"
#include "grn-coexpr/perturb.h"
#include "grn-coexpr/perturb_stats.h"
#include "io/container.h"
#include "io/counts.h"
#include "io/edges.h"
#include "io/gmt.h"
#include "io/prov.h"
#include "io/result.h"
#include "model/input.h"

static struct {
    const char *model, *edges, *activity, *coexpr, *out, *graph, *grn, *perturb, *mask, *stats, *terms, *links;
    grn_opt_list_t barcode;
    int64_t epoch, first, min_cells, max_term;
    int dropped;
    grn_model_config_t cfg;
    grn_counts_cli_t counts;
} opt = {
    .graph = "both", .grn = "hybrid", .perturb = "coexpr", .mask = "mix", .min_cells = 3, .max_term = 500, .counts = GRN_COUNTS_CLI_INIT
};

static const grn_opt_t table[] = {
    GRN_OPT_HEAD("Input"),
    GRN_OPT_STR('m', "model", "FILE", &opt.model,
                "a trained model: its genes, seed and settings; without it, those of the options below"),
    GRN_OPT_STR('e', "edges", "FILE", &opt.edges, "regulons (grn.edges)"),
    GRN_OPT_STR('a', "activity", "FILE", &opt.activity, "which regulon is on in which cell; for the graph of the cell"),
    GRN_OPT_STR(0, "coexpr", "FILE", &opt.coexpr, "co-expression links that training drew from [all pairs of visible genes]"),
    GRN_COUNTS_OPTIONS(opt.counts),
    GRN_OPT_HEAD("Which graphs"),
    GRN_OPT_LIST('c', "barcode", "NAME", &opt.barcode, "a cell; may be given several times"),
    GRN_OPT_INT(0, "first", "INT", &opt.first, 0, 1000000, "and the first cells in the order of barcodes"),
    GRN_OPT_INT(0, "epoch", "INT", &opt.epoch, 0, 4294967294, "epoch of training, from 0"),
    GRN_OPT_ENUM(0, "graph", "both|cell|type", &opt.graph, "graph of the cell, of its type"),
    GRN_OPT_FLAG(0, "dropped", &opt.dropped, "list the dropped links too (change = -1)"),
    GRN_OPT_HEAD("Training without --model"),
    GRN_OPT_ENUM(0, "grn", "random|type|cell|hybrid", &opt.grn, "which network the model sees"),
    GRN_OPT_ENUM(0, "perturb", "none|random|coexpr", &opt.perturb, "where added links come from"),
    GRN_OPT_FLT(0, "alpha", "FLOAT", &opt.cfg.alpha, 0, 1, "share of the links replaced"),
    GRN_OPT_INT(0, "min-cells", "INT", &opt.min_cells, 1, 1e12, "genes with counts in fewer cells are left out"),
    GRN_OPT_INT(0, "tokens", "INT", &opt.cfg.tokens, 3, 65536, "longest sequence"),
    GRN_OPT_INT(0, "bins", "INT", &opt.cfg.bins, 3, 4096, "expression bins"),
    GRN_OPT_FLT(0, "zeros", "FLOAT", &opt.cfg.zeros, 0, 0.9, "share of tokens that are genes without a count"),
    GRN_OPT_STR(0, "mask", "mix|FLOAT", &opt.mask, "share of genes hidden"),
    GRN_OPT_HEAD("Output"),
    GRN_OPT_STR('o', "output", "FILE", &opt.out, "the graphs (grn.edges/1), one context each [- without --stats]"),
    GRN_OPT_STR(0, "stats", "FILE", &opt.stats,
                "what perturbation did, per type and beside chance (TSV); without -c and --first of all cells"),
    GRN_OPT_STR(0, "terms", "GMT", &opt.terms, "for --stats: gene sets; how many of the added pairs share one"),
    GRN_OPT_INT(0, "max-term", "INT", &opt.max_term, 2, 1000000, "leave out terms with more of the genes"),
    GRN_OPT_STR(0, "links", "FILE", &opt.links, "for --stats: co-expression links; how many of the added pairs are listed"),
    GRN_OPT_END,
};

/* Configuration and genes of a model file, without its weights. */
static grn_status read_model(const char *path, grn_model_config_t *cfg, grn_names_t *genes)
{
    grn_status rc = GRN_OK;
    grn_cr_t *r = NULL;
    const char *json;
    GRN_TRY(grn_cr_open(&r, path, grn_common.pool));
    GRN_TRY(grn_cr_expect(r, "grn.model", 1));
    if (!(json = grn_cr_meta(r, "config"))) GRN_FAIL(GRN_EFORMAT, "'%s' has no config in its metadata", path);
    GRN_TRY(grn_model_config_parse(cfg, json));
    GRN_TRY(grn_cr_load_names(r, "names.gene", genes));
end:
    grn_cr_close(r);
    return rc;
}

/* The configuration as grn-train makes it from the same options. */
static grn_status read_options(grn_model_config_t *cfg)
{
    grn_status rc = GRN_OK;
    cfg->seed = grn_common.seed;
    GRN_TRY(grn_grn_parse(opt.grn, &cfg->grn));
    GRN_TRY(grn_perturb_parse(opt.perturb, &cfg->perturb));
    if (cfg->perturb == GRN_PERTURB_COEXPR && opt.coexpr) cfg->perturb = GRN_PERTURB_LIST;
    if (strcmp(opt.mask, "mix") == 0) cfg->mask = 0;
    else if (grn_parse_f64(opt.mask, &cfg->mask) != GRN_OK || !(cfg->mask > 0 && cfg->mask < 1))
        GRN_FAIL(GRN_EUSAGE, "--mask is 'mix' or a number between 0 and 1, not '%s'", opt.mask);
    rc = grn_model_config_check(cfg);
end:
    return rc;
}

/* Rows of the barcodes asked for (of all when none is), each once, in the order of names. */
static grn_status choose_cells(const grn_matrix_t *m, uint32_t **cell, size_t *n)
{
    grn_status rc = GRN_OK;
    uint32_t *order = NULL;
    uint8_t *wanted = NULL;
    int all = opt.barcode.n == 0 && opt.first == 0;
    GRN_TRY(GRN_NEW(order, (size_t)m->n_rows));
    GRN_TRY(GRN_NEW(wanted, (size_t)m->n_rows));
    GRN_TRY(GRN_NEW(*cell, (size_t)m->n_rows));
    GRN_TRY(grn_names_sort(&m->row, order));
    for (size_t i = 0; i < opt.barcode.n; i++) {
        size_t k = grn_names_find(&m->row, opt.barcode.v[i]);
        if (k == GRN_NAMES_NONE)
            GRN_FAIL(GRN_EINVAL, "no cell '%s' among %llu; the first is '%s'", opt.barcode.v[i], (unsigned long long)m->n_rows,
                     m->n_rows ? grn_names_get(&m->row, order[0]) : "");
        wanted[k] = 1;
    }
    for (uint64_t i = 0; i < m->n_rows && (int64_t)i < opt.first; i++) wanted[order[i]] = 1;
    for (uint64_t i = 0; i < m->n_rows; i++)
        if (wanted[order[i]] || all) (*cell)[(*n)++] = order[i];
end:
    free(order);
    free(wanted);
    return rc;
}

static grn_status load_input(const char *counts, grn_model_config_t *cfg, grn_model_input_t *in)
{
    grn_status rc = GRN_OK;
    grn_model_files_t files = { counts, opt.edges, opt.activity, opt.coexpr };
    int which[2];
    GRN_TRY(opt.model ? read_model(opt.model, cfg, &in->genes) : read_options(cfg));
    if (grn_cells_graphs(cfg, which) == 0) GRN_FAIL(GRN_EINVAL, "the model was trained without a network: it has no graphs");
    if (cfg->perturb == GRN_PERTURB_LIST && !opt.coexpr) GRN_FAIL(GRN_EUSAGE, "this model drew from listed links: give --coexpr FILE");
    if (which[0] == GRN_GRAPH_CELL && !opt.activity) GRN_FAIL(GRN_EUSAGE, "graphs of cells need the activity of regulons: -a FILE");
    GRN_TRY(grn_model_input_load(in, &files, &opt.counts, cfg, (uint64_t)opt.min_cells, grn_common.pool));
end:
    return rc;
}

static grn_status write_graphs(const perturb_job_t *job, const uint32_t *cell, size_t n)
{
    grn_status rc = GRN_OK;
    grn_edges_t out = { 0 };
    perturb_sum_t sum;
    const char *meta[] = { "perturb.source", opt.model ? grn_path_base(opt.model) : "options", NULL };
    GRN_TRY(perturb_write(job, cell, n, &out, &sum));
    grn_log_info("%llu graphs of %zu cells at epoch %lld (%s, alpha %g, seed %llu): %llu links, %llu dropped, %llu added, %llu "
                 "left; %.1f visible genes per cell",
                 (unsigned long long)sum.n_graphs, n, (long long)opt.epoch, grn_perturb_name(opt.cfg.perturb), opt.cfg.alpha,
                 (unsigned long long)opt.cfg.seed, (unsigned long long)sum.n_arcs, (unsigned long long)sum.n_dropped,
                 (unsigned long long)sum.n_added, (unsigned long long)sum.n_out,
                 sum.n_graphs ? (double)sum.n_visible / (double)sum.n_graphs : 0);
    if (out.n == 0) GRN_FAIL(GRN_EEMPTY, "the graphs of %zu cells hold no link: no regulon is on, or their types have none", n);
    rc = grn_edges_save(&out, opt.out, meta, grn_common.pool);
end:
    grn_edges_clear(&out);
    return rc;
}

static grn_status write_stats(const perturb_job_t *job, const uint32_t *cell, size_t n)
{
    grn_status rc = GRN_OK;
    perturb_stats_opt_t how = {
        .max_term = (size_t)opt.max_term, .terms_name = opt.terms, .links_name = opt.links, .pool = grn_common.pool
    };
    grn_gmt_t terms = { 0 };
    grn_edges_t links = { 0 };
    grn_result_t stats = { 0 };
    grn_out_t *o = NULL;
    if (opt.terms) GRN_TRY(grn_prov_input(opt.terms, NULL));
    if (opt.terms) GRN_TRY(grn_gmt_load(opt.terms, &terms));
    if (opt.links) GRN_TRY(grn_edges_load(opt.links, grn_common.pool, &links));
    if (opt.terms) how.terms = &terms;
    if (opt.links) how.links = &links;
    GRN_TRY(perturb_stats(job, &how, cell, n, &stats));
    GRN_TRY(grn_out_open(&o, opt.stats, 0));
    GRN_TRY(grn_prov_text(o));
    GRN_TRY(grn_result_print(&stats, o));
    rc = grn_out_commit(o);
    o = NULL;
end:
    grn_out_abort(o);
    grn_gmt_clear(&terms);
    grn_edges_clear(&links);
    grn_result_clear(&stats);
    return rc;
}

static grn_status run(const grn_args_t *args)
{
    grn_status rc = GRN_OK;
    grn_model_input_t in = { 0 };
    perturb_job_t job = { &opt.cfg, &in.cells, (uint32_t)opt.epoch, 3, opt.dropped };
    uint32_t *cell = NULL;
    size_t n = 0;
    int any = opt.barcode.n > 0 || opt.first > 0;
    if (!opt.edges) GRN_FAIL(GRN_EUSAGE, "no regulons: give -e FILE");
    if (!any && !opt.stats) GRN_FAIL(GRN_EUSAGE, "no cells: give --barcode NAME or --first N");
    if (!any && opt.out)
        GRN_FAIL(GRN_EUSAGE, "the graphs of all cells are not written: give --barcode NAME or --first N, or --stats alone");
    if ((opt.terms || opt.links) && !opt.stats) GRN_FAIL(GRN_EUSAGE, "--%s is for --stats FILE", opt.terms ? "terms" : "links");
    if (!opt.out && !opt.stats) opt.out = "-";
    if (strcmp(opt.graph, "both") != 0) job.graphs = 1 << (strcmp(opt.graph, "cell") == 0 ? GRN_GRAPH_CELL : GRN_GRAPH_TYPE);
    GRN_TRY(load_input(args->v[0], &opt.cfg, &in));
    GRN_TRY(choose_cells(&in.m, &cell, &n));
    if (opt.out) GRN_TRY(write_graphs(&job, cell, n));
    if (opt.stats) GRN_TRY(write_stats(&job, cell, n));
end:
    free(cell);
    grn_model_input_clear(&in);
    return rc;
}

void coexpr_perturb_defaults(void)
{
    grn_model_config_init(&opt.cfg);
}

const grn_subtool_t coexpr_perturb_tool = {
    { "grn-coexpr perturb", "perturbed graphs of cells, as training draws them", "-e EDGES [options] COUNTS", table, 1, 1,
      "  grn-coexpr perturb -m model.tensor.zst -e regulons.edges.zst -a active.tensor.zst -c AAACATACAACCAC-1 --epoch 3 "
      "counts.h5ad -o graph.edges.zst\n"
      "  grn-coexpr perturb -m model.tensor.zst -e regulons.edges.zst -a active.tensor.zst --stats stats.tsv --terms go.gmt "
      "counts.h5ad" },
    run
};
