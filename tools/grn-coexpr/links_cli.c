/* grn-coexpr links: options, log and file. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/opt.h"
#include "base/mem.h"
#include "grn-coexpr/coexpr.h"
#include "grn-coexpr/links.h"
#include "io/counts.h"
#include "io/edges.h"

static struct {
    const char *out, *method, *norm, *by;
    coexpr_opt_t links;
    grn_counts_cli_t counts;
} opt = { .out = "-",
          .method = "pearson",
          .norm = "auto",
          .by = "auto",
          .links = { .top = 10, .min_cells = 10, .min_context = 30, .min_r = 0, .n_null = 1000 },
          .counts = GRN_COUNTS_CLI_INIT };

static const grn_opt_t table[] = {
    GRN_OPT_HEAD("Input"),
    GRN_COUNTS_OPTIONS(opt.counts),
    GRN_OPT_HEAD("Links"),
    GRN_OPT_ENUM('m', "method", "pearson|spearman|clique", &opt.method,
                 "strongest correlations of each gene, or the clique of detected genes (implicit)"),
    GRN_OPT_INT('k', "top", "INT", &opt.links.top, 1, 100000, "links per gene and context"),
    GRN_OPT_FLT(0, "min-r", "FLOAT", &opt.links.min_r, 0, 1, "smallest |r| of a link"),
    GRN_OPT_INT(0, "min-cells", "INT", &opt.links.min_cells, 1, 1000000000, "leave out genes detected in fewer cells of the context"),
    GRN_OPT_INT(0, "min-context", "INT", &opt.links.min_context, 3, 1000000000, "leave out contexts with fewer cells"),
    GRN_OPT_ENUM(0, "by", "auto|context|all", &opt.by, "links per cell type, or over all cells; auto: cell types if there are any"),
    GRN_OPT_ENUM(0, "norm", "auto|log|none", &opt.norm, "ln(1 + 10,000 x / total) first; auto: for whole numbers"),
    GRN_OPT_INT(0, "null", "INT", &opt.links.n_null, 0, 100000000, "shuffled gene pairs per context that show what chance gives"),
    GRN_OPT_HEAD("Output"),
    GRN_OPT_STR('o', "output", "FILE", &opt.out, "links (grn.edges/1)"),
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
            grn_log_info("%s: %llu cells detect %.1f genes on average: a clique of %.3g ordered pairs per cell, not written", name,
                         (unsigned long long)s->n_cells, s->mean_detected, s->implied);
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
    snprintf(top, sizeof top, "%lld", (long long)opt.links.top);
    snprintf(cells, sizeof cells, "%lld", (long long)opt.links.min_cells);
    snprintf(genes, sizeof genes, "%llu", (unsigned long long)m->n_cols);
    const char *meta[] = { "coexpr.method", opt.method,     "coexpr.top", top, "coexpr.min_cells", cells, "coexpr.norm",
                           opt.norm,        "coexpr.genes", genes,        NULL };
    if (opt.links.method == COEXPR_CLIQUE) meta[2] = NULL;
    GRN_TRY(grn_edges_save(e, opt.out, meta, grn_common.pool));
end:
    return rc;
}

static grn_status run(const grn_args_t *args)
{
    grn_status rc = GRN_OK;
    grn_counts_opt_t copt;
    grn_matrix_t m = { 0 };
    grn_edges_t e = { 0 };
    coexpr_groups_t g = { 0 };
    coexpr_stat_t *stat = NULL;
    const grn_attr_t *type;
    opt.links.method = strcmp(opt.method, "clique") == 0     ? COEXPR_CLIQUE
                       : strcmp(opt.method, "spearman") == 0 ? COEXPR_SPEARMAN
                                                             : COEXPR_PEARSON;
    opt.links.norm = strcmp(opt.norm, "log") == 0    ? COEXPR_NORM_LOG
                     : strcmp(opt.norm, "none") == 0 ? COEXPR_NORM_NONE
                                                     : COEXPR_NORM_AUTO;
    opt.links.seed = grn_common.seed;
    GRN_TRY(grn_counts_cli(&opt.counts, &copt));
    GRN_TRY(grn_counts_load(args->v[0], &copt, grn_common.pool, &m));
    GRN_TRY(grn_matrix_to_csr(&m));
    type = grn_attr_find(&m.row_attr, "cell_type");
    if (type && !type->code) type = NULL;
    if (!type && strcmp(opt.by, "context") == 0)
        GRN_FAIL(GRN_EINVAL, "--by context needs cell types: none in the matrix; give --cell-type or --cells");
    if (!type && strcmp(opt.by, "auto") == 0)
        grn_log_warn("no cell types in the matrix: links over all %llu cells", (unsigned long long)m.n_rows);
    GRN_TRY(coexpr_groups(&m, strcmp(opt.by, "all") == 0 ? NULL : type, &g));
    if (g.n_unlabelled > 0)
        grn_log_warn("%llu of %llu cells have no cell type: left out", (unsigned long long)g.n_unlabelled,
                     (unsigned long long)m.n_rows);
    GRN_TRY(GRN_NEW(stat, g.names.n));
    rc = coexpr_links(&m, &g, &opt.links, grn_common.pool, &e, stat);
    if (rc == GRN_OK || rc == GRN_EEMPTY) report_links(&g, &opt.links, stat);
    if (rc == GRN_OK) rc = save_links(&e, &m);
end:
    free(stat);
    coexpr_groups_clear(&g);
    grn_edges_clear(&e);
    grn_matrix_clear(&m);
    return rc;
}

const grn_subtool_t coexpr_links_tool = { { "grn-coexpr links", "co-expression links per context (the command when none is named)",
                                            "[options] COUNTS", table, 1, 1,
                                            "  grn-coexpr counts.h5ad -o coexpr.edges.zst\n"
                                            "  grn-coexpr --method spearman --top 20 counts.h5ad -o coexpr.edges.zst" },
                                          run };
