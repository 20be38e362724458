/* grn-coexpr: co-expression links of each context, and the graphs that training perturbs with them. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/opt.h"
#include "base/str.h"
#include "grn-coexpr/links.h"
#include "grn-coexpr/perturb.h"
#include "io/container.h"
#include "io/counts.h"
#include "io/edges.h"
#include "model/input.h"

/* ---- links ---- */

static struct {
    const char *out, *method, *norm, *by;
    coexpr_opt_t links;
    grn_counts_cli_t counts;
} lopt = { .out = "-",
           .method = "pearson",
           .norm = "auto",
           .by = "auto",
           .links = { .top = 10, .min_cells = 10, .min_context = 30, .min_r = 0, .n_null = 1000 },
           .counts = GRN_COUNTS_CLI_INIT };

static const grn_opt_t links_table[] = {
    GRN_OPT_HEAD("Input"),
    GRN_COUNTS_OPTIONS(lopt.counts),
    GRN_OPT_HEAD("Links"),
    GRN_OPT_ENUM('m', "method", "pearson|spearman|clique", &lopt.method,
                 "strongest correlations of each gene, or the clique of detected genes (implicit)"),
    GRN_OPT_INT('k', "top", "INT", &lopt.links.top, 1, 100000, "links per gene and context"),
    GRN_OPT_FLT(0, "min-r", "FLOAT", &lopt.links.min_r, 0, 1, "smallest |r| of a link"),
    GRN_OPT_INT(0, "min-cells", "INT", &lopt.links.min_cells, 1, 1000000000,
                "leave out genes detected in fewer cells of the context"),
    GRN_OPT_INT(0, "min-context", "INT", &lopt.links.min_context, 3, 1000000000, "leave out contexts with fewer cells"),
    GRN_OPT_ENUM(0, "by", "auto|context|all", &lopt.by,
                 "links per cell type, or over all cells; auto: cell types if there are any"),
    GRN_OPT_ENUM(0, "norm", "auto|log|none", &lopt.norm, "ln(1 + 10,000 x / total) first; auto: for whole numbers"),
    GRN_OPT_INT(0, "null", "INT", &lopt.links.n_null, 0, 100000000,
                "shuffled gene pairs per context that show what chance gives"),
    GRN_OPT_HEAD("Output"),
    GRN_OPT_STR('o', "output", "FILE", &lopt.out, "links (grn.edges/1)"),
    GRN_OPT_END,
};

static void report_links(const coexpr_groups_t *g, const coexpr_opt_t *o, const coexpr_stat_t *stat)
{
    for (size_t k = 0; k < g->names.n; k++) {
        const coexpr_stat_t *s = &stat[k];
        const char *name = grn_names_get(&g->names, k);
        if (s->n_cells < (uint64_t)o->min_context)
            grn_log_warn("%s: %llu cells, left out (--min-context %lld)", name, (unsigned long long)s->n_cells,
                         (long long)o->min_context);
        else if (o->method == COEXPR_CLIQUE)
            grn_log_info("%s: %llu cells detect %.1f genes on average: a clique of %.3g ordered pairs per cell, not written",
                         name, (unsigned long long)s->n_cells, s->mean_detected, s->implied);
        else
            grn_log_info("%s: %llu cells, %llu genes in >= %lld of them, %llu links, median |r| %.3f, weakest %.3f; 99 %% of "
                         "shuffled pairs are below %.3f, 99.9 %% below %.3f",
                         name, (unsigned long long)s->n_cells, (unsigned long long)s->n_genes, (long long)o->min_cells,
                         (unsigned long long)s->n_links, s->median_r, s->weakest_r, s->null_q99, s->null_q999);
    }
}

static grn_status save_links(const grn_edges_t *e, const grn_matrix_t *m)
{
    grn_status rc = GRN_OK;
    char top[32], cells[32], genes[32];
    snprintf(top, sizeof top, "%lld", (long long)lopt.links.top);
    snprintf(cells, sizeof cells, "%lld", (long long)lopt.links.min_cells);
    snprintf(genes, sizeof genes, "%llu", (unsigned long long)m->n_cols);
    const char *meta[] = { "coexpr.method", lopt.method,    "coexpr.top", top, "coexpr.min_cells", cells, "coexpr.norm",
                           lopt.norm,       "coexpr.genes", genes,        NULL };
    if (lopt.links.method == COEXPR_CLIQUE) meta[2] = NULL;
    GRN_TRY(grn_edges_save(e, lopt.out, meta, grn_common.pool));
end:
    return rc;
}

static grn_status run_links(const grn_args_t *args)
{
    grn_status rc = GRN_OK;
    grn_counts_opt_t copt;
    grn_matrix_t m = { 0 };
    grn_edges_t e = { 0 };
    coexpr_groups_t g = { 0 };
    coexpr_stat_t *stat = NULL;
    const grn_attr_t *type;
    lopt.links.method = strcmp(lopt.method, "clique") == 0     ? COEXPR_CLIQUE
                        : strcmp(lopt.method, "spearman") == 0 ? COEXPR_SPEARMAN
                                                               : COEXPR_PEARSON;
    lopt.links.norm = strcmp(lopt.norm, "log") == 0    ? COEXPR_NORM_LOG
                      : strcmp(lopt.norm, "none") == 0 ? COEXPR_NORM_NONE
                                                       : COEXPR_NORM_AUTO;
    lopt.links.seed = grn_common.seed;
    GRN_TRY(grn_counts_cli(&lopt.counts, &copt));
    GRN_TRY(grn_counts_load(args->v[0], &copt, grn_common.pool, &m));
    GRN_TRY(grn_matrix_to_csr(&m));
    type = grn_attr_find(&m.row_attr, "cell_type");
    if (type && !type->code) type = NULL;
    if (!type && strcmp(lopt.by, "context") == 0)
        GRN_FAIL(GRN_EINVAL, "--by context needs cell types: none in the matrix; give --cell-type or --cells");
    if (!type && strcmp(lopt.by, "auto") == 0)
        grn_log_warn("no cell types in the matrix: links over all %llu cells", (unsigned long long)m.n_rows);
    GRN_TRY(coexpr_groups(&m, strcmp(lopt.by, "all") == 0 ? NULL : type, &g));
    if (g.n_unlabelled > 0)
        grn_log_warn("%llu of %llu cells have no cell type: left out", (unsigned long long)g.n_unlabelled,
                     (unsigned long long)m.n_rows);
    GRN_TRY(GRN_NEW(stat, g.names.n));
    rc = coexpr_links(&m, &g, &lopt.links, grn_common.pool, &e, stat);
    if (rc == GRN_OK || rc == GRN_EEMPTY) report_links(&g, &lopt.links, stat);
    if (rc == GRN_OK) rc = save_links(&e, &m);
end:
    free(stat);
    coexpr_groups_clear(&g);
    grn_edges_clear(&e);
    grn_matrix_clear(&m);
    return rc;
}

/* ---- perturb ---- */

static struct {
    const char *model, *edges, *activity, *coexpr, *out, *graph, *grn, *perturb, *mask;
    grn_opt_list_t barcode;
    int64_t epoch, first, min_cells;
    int dropped;
    grn_model_config_t cfg;
    grn_counts_cli_t counts;
} popt = { .out = "-",
           .graph = "both",
           .grn = "hybrid",
           .perturb = "coexpr",
           .mask = "mix",
           .min_cells = 3,
           .counts = GRN_COUNTS_CLI_INIT };

static const grn_opt_t perturb_table[] = {
    GRN_OPT_HEAD("Input"),
    GRN_OPT_STR('m', "model", "FILE", &popt.model,
                "a trained model: its genes, seed and settings; without it, those of the options below"),
    GRN_OPT_STR('e', "edges", "FILE", &popt.edges, "regulons (grn.edges)"),
    GRN_OPT_STR('a', "activity", "FILE", &popt.activity, "which regulon is on in which cell; for the graph of the cell"),
    GRN_OPT_STR(0, "coexpr", "FILE", &popt.coexpr, "co-expression links that training drew from [all pairs of visible genes]"),
    GRN_COUNTS_OPTIONS(popt.counts),
    GRN_OPT_HEAD("Which graphs"),
    GRN_OPT_LIST('c', "barcode", "NAME", &popt.barcode, "a cell; may be given several times"),
    GRN_OPT_INT(0, "first", "INT", &popt.first, 0, 1000000, "and the first cells in the order of barcodes"),
    GRN_OPT_INT(0, "epoch", "INT", &popt.epoch, 0, 4294967294, "epoch of training, from 0"),
    GRN_OPT_ENUM(0, "graph", "both|cell|type", &popt.graph, "graph of the cell, of its type"),
    GRN_OPT_FLAG(0, "dropped", &popt.dropped, "list the dropped links too (change = -1)"),
    GRN_OPT_HEAD("Training without --model"),
    GRN_OPT_ENUM(0, "grn", "random|type|cell|hybrid", &popt.grn, "which network the model sees"),
    GRN_OPT_ENUM(0, "perturb", "none|random|coexpr", &popt.perturb, "where added links come from"),
    GRN_OPT_FLT(0, "alpha", "FLOAT", &popt.cfg.alpha, 0, 1, "share of the links replaced"),
    GRN_OPT_INT(0, "min-cells", "INT", &popt.min_cells, 1, 1e12, "genes with counts in fewer cells are left out"),
    GRN_OPT_INT(0, "tokens", "INT", &popt.cfg.tokens, 3, 65536, "longest sequence"),
    GRN_OPT_INT(0, "bins", "INT", &popt.cfg.bins, 3, 4096, "expression bins"),
    GRN_OPT_FLT(0, "zeros", "FLOAT", &popt.cfg.zeros, 0, 0.9, "share of tokens that are genes without a count"),
    GRN_OPT_STR(0, "mask", "mix|FLOAT", &popt.mask, "share of genes hidden"),
    GRN_OPT_HEAD("Output"),
    GRN_OPT_STR('o', "output", "FILE", &popt.out, "the graphs (grn.edges/1), one context each"),
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
    GRN_TRY(grn_grn_parse(popt.grn, &cfg->grn));
    GRN_TRY(grn_perturb_parse(popt.perturb, &cfg->perturb));
    if (cfg->perturb == GRN_PERTURB_COEXPR && popt.coexpr) cfg->perturb = GRN_PERTURB_LIST;
    if (strcmp(popt.mask, "mix") == 0) cfg->mask = 0;
    else if (grn_parse_f64(popt.mask, &cfg->mask) != GRN_OK || !(cfg->mask > 0 && cfg->mask < 1))
        GRN_FAIL(GRN_EUSAGE, "--mask is 'mix' or a number between 0 and 1, not '%s'", popt.mask);
    rc = grn_model_config_check(cfg);
end:
    return rc;
}

/* Rows of the barcodes asked for, each once, in the order of names. */
static grn_status choose_cells(const grn_matrix_t *m, uint32_t **cell, size_t *n)
{
    grn_status rc = GRN_OK;
    uint32_t *order = NULL;
    uint8_t *wanted = NULL;
    GRN_TRY(GRN_NEW(order, (size_t)m->n_rows));
    GRN_TRY(GRN_NEW(wanted, (size_t)m->n_rows));
    GRN_TRY(GRN_NEW(*cell, (size_t)m->n_rows));
    GRN_TRY(grn_names_sort(&m->row, order));
    for (size_t i = 0; i < popt.barcode.n; i++) {
        size_t k = grn_names_find(&m->row, popt.barcode.v[i]);
        if (k == GRN_NAMES_NONE)
            GRN_FAIL(GRN_EINVAL, "no cell '%s' among %llu; the first is '%s'", popt.barcode.v[i], (unsigned long long)m->n_rows,
                     m->n_rows ? grn_names_get(&m->row, order[0]) : "");
        wanted[k] = 1;
    }
    for (uint64_t i = 0; i < m->n_rows && (int64_t)i < popt.first; i++) wanted[order[i]] = 1;
    for (uint64_t i = 0; i < m->n_rows; i++)
        if (wanted[order[i]]) (*cell)[(*n)++] = order[i];
end:
    free(order);
    free(wanted);
    return rc;
}

static grn_status load_input(const char *counts, grn_model_config_t *cfg, grn_model_input_t *in)
{
    grn_status rc = GRN_OK;
    grn_model_files_t files = { counts, popt.edges, popt.activity, popt.coexpr };
    int which[2];
    GRN_TRY(popt.model ? read_model(popt.model, cfg, &in->genes) : read_options(cfg));
    if (grn_cells_graphs(cfg, which) == 0) GRN_FAIL(GRN_EINVAL, "the model was trained without a network: it has no graphs");
    if (cfg->perturb == GRN_PERTURB_LIST && !popt.coexpr)
        GRN_FAIL(GRN_EUSAGE, "this model drew from listed links: give --coexpr FILE");
    if (which[0] == GRN_GRAPH_CELL && !popt.activity)
        GRN_FAIL(GRN_EUSAGE, "graphs of cells need the activity of regulons: -a FILE");
    GRN_TRY(grn_model_input_load(in, &files, &popt.counts, cfg, (uint64_t)popt.min_cells, grn_common.pool));
end:
    return rc;
}

static grn_status run_perturb(const grn_args_t *args)
{
    grn_status rc = GRN_OK;
    grn_model_input_t in = { 0 };
    grn_edges_t out = { 0 };
    perturb_job_t job = { &popt.cfg, &in.cells, (uint32_t)popt.epoch, 3, popt.dropped };
    perturb_sum_t sum;
    uint32_t *cell = NULL;
    size_t n = 0;
    const char *meta[] = { "perturb.source", popt.model ? grn_path_base(popt.model) : "options", NULL };
    if (!popt.edges) GRN_FAIL(GRN_EUSAGE, "no regulons: give -e FILE");
    if (popt.barcode.n == 0 && popt.first == 0) GRN_FAIL(GRN_EUSAGE, "no cells: give --barcode NAME or --first N");
    if (strcmp(popt.graph, "both") != 0) job.graphs = 1 << (strcmp(popt.graph, "cell") == 0 ? GRN_GRAPH_CELL : GRN_GRAPH_TYPE);
    GRN_TRY(load_input(args->v[0], &popt.cfg, &in));
    GRN_TRY(choose_cells(&in.m, &cell, &n));
    GRN_TRY(perturb_write(&job, cell, n, &out, &sum));
    grn_log_info("%llu graphs of %zu cells at epoch %lld (%s, alpha %g, seed %llu): %llu links, %llu dropped, %llu added, %llu "
                 "left; %.1f visible genes per cell",
                 (unsigned long long)sum.n_graphs, n, (long long)popt.epoch, grn_perturb_name(popt.cfg.perturb), popt.cfg.alpha,
                 (unsigned long long)popt.cfg.seed, (unsigned long long)sum.n_arcs, (unsigned long long)sum.n_dropped,
                 (unsigned long long)sum.n_added, (unsigned long long)sum.n_out,
                 sum.n_graphs ? (double)sum.n_visible / (double)sum.n_graphs : 0);
    if (out.n == 0) GRN_FAIL(GRN_EEMPTY, "the graphs of %zu cells hold no link: no regulon is on, or their types have none", n);
    rc = grn_edges_save(&out, popt.out, meta, grn_common.pool);
end:
    free(cell);
    grn_edges_clear(&out);
    grn_model_input_clear(&in);
    return rc;
}

int main(int argc, char **argv)
{
    static const grn_subtool_t sub[] = {
        { { "grn-coexpr links", "co-expression links per context (the command when none is named)", "[options] COUNTS",
            links_table, 1, 1,
            "  grn-coexpr counts.h5ad -o coexpr.edges.zst\n"
            "  grn-coexpr --method spearman --top 20 counts.h5ad -o coexpr.edges.zst" },
          run_links },
        { { "grn-coexpr perturb", "perturbed graphs of cells, as training draws them", "-e EDGES [options] COUNTS", perturb_table,
            1, 1,
            "  grn-coexpr perturb -m model.tensor.zst -e regulons.edges.zst -a active.tensor.zst -c AAACATACAACCAC-1 --epoch 3 "
            "counts.h5ad -o graph.edges.zst" },
          run_perturb },
    };
    static const char *const words[] = { "links", "perturb", "help", "-h", "--help", "--version" };
    static const char brief[] = "co-expression links, and the graphs that training perturbs with them";
    grn_model_config_init(&popt.cfg);
    for (size_t i = 0; i < sizeof words / sizeof *words && argc > 1; i++)
        if (strcmp(argv[1], words[i]) == 0) return grn_tool_main_sub("grn-coexpr", brief, sub, 2, argc, argv);
    if (argc < 2) return grn_tool_main_sub("grn-coexpr", brief, sub, 2, argc, argv);
    return grn_tool_main(&sub[0].tool, argc, argv, run_links); /* grn-coexpr COUNTS */
}
