/* grn-coexpr links: options, log and file. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/opt.h"
#include "grn-coexpr/coexpr.h"
#include "grn-coexpr/links.h"
#include "grn-coexpr/links_input.h"
#include "io/edges.h"

static struct {
    const char *out, *method, *norm, *by, *residualise, *terms;
    int64_t min_shared, max_term;
    int no_mito, no_ribo;
    grn_opt_list_t exclude, exclude_sets;
    coexpr_opt_t links;
    grn_counts_cli_t counts;
} opt = { .out = "-",
          .method = "pearson",
          .norm = "auto",
          .by = "auto",
          .min_shared = 1,
          .max_term = 500,
          .links = { .top = 10, .min_context = 30, .max_q = 1, .n_null = 1000000, .filter = { .min_cells = 10, .max_detected = 1 } },
          .counts = GRN_COUNTS_CLI_INIT };

static const grn_opt_t table[] = {
    GRN_OPT_HEAD("Input"),
    GRN_COUNTS_OPTIONS(opt.counts),
    GRN_OPT_HEAD("Links"),
    GRN_OPT_ENUM('m', "method", "pearson|spearman|rho_p|pmi|clique", &opt.method,
                 "correlation, proportionality, co-detection, or the clique of detected genes (implicit)"),
    GRN_OPT_INT('k', "top", "INT", &opt.links.top, 1, 100000, "links per gene and context"),
    GRN_OPT_INT(0, "mutual-rank", "INT", &opt.links.mutual, 0, 100000,
                "choose them by mutual rank among so many partners of each gene; 0: by |score|"),
    GRN_OPT_FLT(0, "min-r", "FLOAT", &opt.links.min_score, 0, 1, "smallest |score| of a link"),
    GRN_OPT_FLT(0, "max-q", "FLOAT", &opt.links.max_q, 0, 1, "largest q of a link against shuffled cells"),
    GRN_OPT_INT(0, "min-context", "INT", &opt.links.min_context, 3, 1000000000, "leave out contexts with fewer cells"),
    GRN_OPT_ENUM(0, "by", "auto|context|all", &opt.by, "links per cell type, or over all cells; auto: cell types if there are any"),
    GRN_OPT_ENUM(0, "norm", "auto|log|none", &opt.norm, "ln(1 + 10,000 x / total) first; auto: for whole numbers"),
    GRN_OPT_STR(0, "residualise", "COLUMN[=number],...", &opt.residualise,
                "remove what is linear in columns of the cells, and in log_total or log_genes"),
    GRN_OPT_INT(0, "null", "INT", &opt.links.n_null, 0, 1000000000,
                "gene pairs with shuffled cells per context that show what chance gives"),
    GRN_OPT_HEAD("Genes and pairs"),
    GRN_OPT_INT(0, "min-cells", "INT", &opt.links.filter.min_cells, 1, 1000000000,
                "leave out genes detected in fewer cells of the context"),
    GRN_OPT_FLT(0, "max-detected", "FLOAT", &opt.links.filter.max_detected, 0, 1, "leave out genes detected in a larger share of them"),
    GRN_OPT_INT(0, "variable", "INT", &opt.links.filter.n_variable, 0, 1000000000,
                "only so many genes, of the largest normalised dispersion; 0: all"),
    GRN_OPT_LIST(0, "exclude", "FILE", &opt.exclude, "leave out these genes (one name a line); may be given several times"),
    GRN_OPT_LIST(0, "exclude-sets", "GMT", &opt.exclude_sets, "leave out the genes of these sets; may be given several times"),
    GRN_OPT_FLAG(0, "drop-mito", &opt.no_mito, "leave out mitochondrial genes (MT-...)"),
    GRN_OPT_FLAG(0, "drop-ribo", &opt.no_ribo, "leave out ribosomal proteins (RPL..., RPS...)"),
    GRN_OPT_STR(0, "terms", "GMT", &opt.terms, "link only genes that share terms"),
    GRN_OPT_INT(0, "min-shared", "INT", &opt.min_shared, 1, 1000000, "terms that two genes must share"),
    GRN_OPT_INT(0, "max-term", "INT", &opt.max_term, 2, 1000000000, "ignore terms with more genes"),
    GRN_OPT_HEAD("Output"),
    GRN_OPT_STR('o', "output", "FILE", &opt.out, "links (grn.edges/1)"),
    GRN_OPT_END,
};

/* ---- log ---- */

static void report_genes(const char *name, const coexpr_stat_t *s)
{
    const coexpr_filtered_t *f = &s->filtered;
    if (f->common + f->excluded + f->flat == 0) return;
    grn_log_info("%s: genes left out: %llu rare, %llu in more than --max-detected, %llu by name, %llu less variable", name,
                 (unsigned long long)f->rare, (unsigned long long)f->common, (unsigned long long)f->excluded,
                 (unsigned long long)f->flat);
}

static void report_chance(const char *name, const coexpr_opt_t *o, const coexpr_stat_t *s)
{
    char text[256] = "";
    int64_t depth = o->top > 50 ? o->top : 50;
    size_t at = 0;
    if (o->terms)
        grn_log_info("%s: %llu of %llu pairs share terms: half of them have |r| above %.4f, of all pairs above %.4f", name,
                     (unsigned long long)s->n_allowed, (unsigned long long)s->n_pairs, s->median_allowed, s->median_all);
    if (s->n_null == 0) return;
    for (int k = 0; k < COEXPR_DEPTHS && coexpr_depth[k] <= depth; k++)
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%d: %.1f %%", k ? ", " : "", coexpr_depth[k], 100 * s->above[k]);
    grn_log_info("%s: k-th partners above 99.9 %% of %llu shuffled pairs: %s", name, (unsigned long long)s->n_null, text);
}

static void report_context(const char *name, const coexpr_opt_t *o, const coexpr_stat_t *s)
{
    char chance[128] = "", links[128] = "";
    report_genes(name, s);
    if (s->n_links > 0) snprintf(links, sizeof links, ", median |r| %.3f, weakest %.3f", s->median_r, s->weakest_r);
    if (s->n_null > 0)
        snprintf(chance, sizeof chance, "; 99 %% of shuffled pairs are below %.4f, 99.9 %% below %.4f", s->null_q99, s->null_q999);
    grn_log_info("%s: %llu cells, %llu genes in >= %lld of them, %llu links%s%s", name, (unsigned long long)s->n_cells,
                 (unsigned long long)s->n_genes, (long long)o->filter.min_cells, (unsigned long long)s->n_links, links, chance);
    if (o->n_covariates > 0) grn_log_info("%s: %zu columns of covariates removed", name, s->n_columns - 1);
    if (s->n_panels > 1) grn_log_info("%s: %zu passes over the cells (--max-mem)", name, s->n_panels);
    report_chance(name, o, s);
}

static void report_links(const coexpr_groups_t *g, const coexpr_opt_t *o, const coexpr_stat_t *stat)
{
    for (size_t k = 0; k < g->names.n; k++) {
        const coexpr_stat_t *s = &stat[k];
        const char *name = grn_names_get(&g->names, k);
        if (s->too_small && s->n_columns > 1)
            grn_log_warn("%s: %llu cells with %zu columns of covariates, left out (--min-context %lld)", name,
                         (unsigned long long)s->n_cells, s->n_columns - 1, (long long)o->min_context);
        else if (s->too_small)
            grn_log_warn("%s: %llu cells, left out (--min-context %lld)", name, (unsigned long long)s->n_cells,
                         (long long)o->min_context);
        else if (o->method == COEXPR_CLIQUE)
            grn_log_info("%s: %llu cells detect %.1f genes on average: a clique of %.3g ordered pairs per cell, not written", name,
                         (unsigned long long)s->n_cells, s->mean_detected, s->implied);
        else report_context(name, o, s);
    }
}

/* ---- run ---- */

static grn_status save_links(const grn_edges_t *e, size_t n_genes)
{
    grn_status rc = GRN_OK;
    char top[32], cells[32], genes[32];
    snprintf(top, sizeof top, "%lld", (long long)opt.links.top);
    snprintf(cells, sizeof cells, "%lld", (long long)opt.links.filter.min_cells);
    snprintf(genes, sizeof genes, "%zu", n_genes);
    const char *meta[] = { "coexpr.method", opt.method,     "coexpr.top", top, "coexpr.min_cells", cells, "coexpr.norm",
                           opt.norm,        "coexpr.genes", genes,        NULL };
    if (opt.links.method == COEXPR_CLIQUE) meta[2] = NULL;
    GRN_TRY(grn_edges_save(e, opt.out, meta, grn_common.pool));
end:
    return rc;
}

static coexpr_method method_of(const char *name)
{
    static const char *const word[] = { "pearson", "spearman", "rho_p", "pmi", "clique" };
    static const coexpr_method method[] = { COEXPR_PEARSON, COEXPR_SPEARMAN, COEXPR_RHO_P, COEXPR_PMI, COEXPR_CLIQUE };
    size_t k = 0;
    while (strcmp(name, word[k]) != 0) k++; /* the option knows no other */
    return method[k];
}

/* Cells by type, as --by says. */
static grn_status group_cells(const grn_matrix_t *cells, coexpr_groups_t *g)
{
    grn_status rc = GRN_OK;
    const grn_attr_t *type = grn_attr_find(&cells->row_attr, "cell_type");
    if (type && !type->code) type = NULL;
    if (!type && strcmp(opt.by, "context") == 0)
        GRN_FAIL(GRN_EINVAL, "--by context needs cell types: none in the matrix; give --cell-type or --cells");
    if (!type && strcmp(opt.by, "auto") == 0)
        grn_log_warn("no cell types in the matrix: links over all %llu cells", (unsigned long long)cells->n_rows);
    GRN_TRY(coexpr_groups(cells, strcmp(opt.by, "all") == 0 ? NULL : type, g));
    if (g->n_unlabelled > 0)
        grn_log_warn("%llu of %llu cells have no cell type: left out", (unsigned long long)g->n_unlabelled,
                     (unsigned long long)cells->n_rows);
end:
    return rc;
}

static void set_options(const coexpr_input_t *in)
{
    coexpr_opt_t *o = &opt.links;
    o->norm = strcmp(opt.norm, "log") == 0 ? COEXPR_NORM_LOG : strcmp(opt.norm, "none") == 0 ? COEXPR_NORM_NONE : COEXPR_NORM_AUTO;
    o->seed = grn_common.seed;
    o->max_mem = grn_common.max_mem;
    o->covariate = in->covariate;
    o->n_covariates = in->n_covariates;
    o->filter.excluded = in->excluded;
    o->terms = opt.terms ? &in->terms : NULL;
}

static grn_status run(const grn_args_t *args)
{
    grn_status rc = GRN_OK;
    grn_counts_opt_t copt;
    coexpr_input_t in = { 0 };
    grn_edges_t e = { 0 };
    coexpr_groups_t g = { 0 };
    coexpr_stat_t *stat = NULL;
    opt.links.method = method_of(opt.method);
    if (opt.links.max_q < 1 && opt.links.n_null == 0) GRN_FAIL(GRN_EUSAGE, "--max-q needs shuffled pairs: --null is 0");
    GRN_TRY(grn_counts_cli(&opt.counts, &copt));
    GRN_TRY(coexpr_input_columns(&in, opt.residualise));
    GRN_TRY(coexpr_input_cells(&in, args->v[0], &copt, grn_common.pool));
    GRN_TRY(group_cells(&in.cells, &g));
    GRN_TRY(coexpr_input_covariates(&in));
    GRN_TRY(coexpr_input_exclude(&in, &opt.exclude, &opt.exclude_sets, opt.no_mito, opt.no_ribo));
    GRN_TRY(coexpr_input_terms(&in, opt.terms, (size_t)opt.min_shared, (size_t)opt.max_term));
    set_options(&in);
    GRN_TRY(GRN_NEW(stat, g.names.n));
    rc = coexpr_links(&in.store, &g, &opt.links, grn_common.pool, &e, stat);
    if (rc == GRN_OK || rc == GRN_EEMPTY) report_links(&g, &opt.links, stat);
    if (rc == GRN_OK) rc = save_links(&e, in.store.n_genes);
end:
    free(stat);
    coexpr_groups_clear(&g);
    grn_edges_clear(&e);
    coexpr_input_clear(&in);
    return rc;
}

const grn_subtool_t coexpr_links_tool = {
    { "grn-coexpr links", "co-expression links per context (the command when none is named)", "[options] COUNTS", table, 1, 1,
      "  grn-coexpr counts.h5ad -o coexpr.edges.zst\n"
      "  grn-coexpr --method spearman --top 20 counts.h5ad -o coexpr.edges.zst\n"
      "  grn-coexpr --residualise donor,log_total --drop-mito --drop-ribo --max-q 0.01 counts.h5ad -o coexpr.edges.zst" },
    run
};
