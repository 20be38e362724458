/* grn-aucell: regulon activity of every cell, AUCell with ties in closed form. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/opt.h"
#include "base/str.h"
#include "grn-aucell/input.h"
#include "grn-aucell/rss.h"
#include "grn-aucell/score.h"
#include "grn-aucell/sets.h"
#include "io/counts.h"
#include "io/matrix.h"

enum { BLOCK = 4096 }; /* cells in memory at a time, at most */

static struct {
    grn_opt_list_t regulons;
    const char *out, *target, *ties, *norm, *rss, *report;
    double top_frac, min_present;
    int64_t min_genes;
    int weights, balanced, compat, set_file;
    grn_counts_cli_t counts;
} opt = { { 0 }, "-", "auto", "exact", "python", NULL, NULL, 0.05, 0.8, 1, 0, 0, 0, 0, GRN_COUNTS_CLI_INIT };

static const grn_opt_t table[] = {
    GRN_OPT_HEAD("Input"),
    GRN_OPT_LIST('r', "regulons", "FILE", &opt.regulons, "gene sets: regulons.edges.zst (union over contexts) or GMT; may be repeated"),
    GRN_OPT_FLAG(0, "set-file", &opt.set_file, "call the sets FILE:SET"),
    GRN_OPT_ENUM(0, "target", "auto|gene|region", &opt.target, "what of the edges is in the matrix [regions where columns are]"),
    GRN_COUNTS_OPTIONS(opt.counts),
    GRN_OPT_HEAD("Scores"),
    GRN_OPT_FLT(0, "top-frac", "FLOAT", &opt.top_frac, 0, 1, "share of the ranking that counts"),
    GRN_OPT_ENUM(0, "ties", "exact|random", &opt.ties, "expectation over tied genes, or one seeded random order"),
    GRN_OPT_ENUM(0, "norm", "python|attainable", &opt.norm, "divide by (c+1) x weights, or by what a perfect ranking reaches"),
    GRN_OPT_FLAG(0, "compat", &opt.compat, "ties, lost sets and specificity as in pySCENIC, accessibility as in pycisTopic"),
    GRN_OPT_FLAG(0, "weights", &opt.weights, "weigh genes by the edges' weight column"),
    GRN_OPT_FLT(0, "min-present", "FLOAT", &opt.min_present, 0, 1, "drop sets with a smaller share of their genes in the matrix"),
    GRN_OPT_INT(0, "min-genes", "INT", &opt.min_genes, 1, 1000000, "drop sets with fewer genes in the matrix"),
    GRN_OPT_HEAD("Output"),
    GRN_OPT_STR('o', "output", "FILE", &opt.out, "cells x regulons (grn.matrix/1)"),
    GRN_OPT_STR(0, "rss", "FILE", &opt.rss, "also write regulon specificity per cell type (TSV)"),
    GRN_OPT_FLAG(0, "balanced", &opt.balanced, "let every cell type weigh the same in --rss"),
    GRN_OPT_STR(0, "report", "FILE", &opt.report, "also write what became of every set (TSV)"),
    GRN_OPT_END,
};

/* What a run holds besides the output. */
typedef struct {
    aucell_input_t in;
    aucell_sets_t sets;
    aucell_scorer_t *scorer;
    uint32_t cut;
    int regions; /* of the edges */
    aucell_ties ties;
    uint64_t *column_key;
    rss_t rss;
    const grn_attr_t *type; /* of the cells */
    uint32_t *n_detected;   /* (C) */
} run_t;

static void run_clear(run_t *r)
{
    aucell_scorer_destroy(r->scorer);
    aucell_sets_clear(&r->sets);
    rss_close(&r->rss);
    free(r->column_key);
    free(r->n_detected);
    aucell_input_close(&r->in);
}

/* pySCENIC draws one order of the genes for all cells, SCENIC+ one of the regions for each. */
static aucell_ties which_ties(const run_t *r)
{
    if (opt.compat) return r->regions ? AUCELL_TIES_RANDOM : AUCELL_TIES_SHARED;
    return strcmp(opt.ties, "random") ? AUCELL_TIES_EXACT : AUCELL_TIES_RANDOM;
}

static grn_status prepare_rss(run_t *r)
{
    grn_status rc;
    r->type = grn_attr_find(r->in.cell_attr, "cell_type");
    if (!opt.rss) return GRN_OK;
    if (!r->type || !r->type->code)
        return grn_err(GRN_EINVAL, "--rss needs cell types: none in the matrix; give --cell-type or --cells");
    if ((rc = rss_open(&r->rss, r->sets.names.n))) return rc;
    r->rss.in_nats = opt.compat;
    return GRN_OK;
}

/* Sets, cutoff and tie keys from the names in the file. */
static grn_status prepare(run_t *r)
{
    grn_status rc = GRN_OK;
    const grn_names_t *column = r->in.column;
    r->regions = strcmp(opt.target, "auto") ? strcmp(opt.target, "region") == 0 : aucell_input_has_regions(&r->in);
    r->ties = which_ties(r);
    aucell_sets_opt_t so = { { opt.regulons.v, opt.regulons.n, r->regions, opt.weights, opt.set_file },
                             opt.min_present,
                             opt.min_genes,
                             opt.compat,
                             opt.report,
                             0 };
    GRN_TRY(aucell_cut(opt.top_frac, column->n, &so.cut));
    GRN_TRY(aucell_sets_load(&so, column, grn_common.pool, &r->sets));
    GRN_TRY(GRN_NEW(r->column_key, column->n));
    for (size_t g = 0; g < column->n; g++) r->column_key[g] = grn_hash_str(grn_names_get(column, g));
    GRN_TRY(GRN_NEW(r->n_detected, r->in.cell->n));
    aucell_opt_t score = { &r->sets, so.cut, strcmp(opt.norm, "attainable") == 0, r->ties, grn_common.seed, r->column_key };
    GRN_TRY(aucell_scorer_create(&r->scorer, &score, grn_common.pool));
    GRN_TRY(aucell_input_prepare(&r->in, so.cut, opt.compat));
    r->cut = so.cut;
    grn_log_info("%zu of %zu sets, %zu %s, ranks below %u count (top %g)", r->sets.names.n, r->sets.n_read, column->n,
                 r->regions ? "regions" : "genes", so.cut, opt.top_frac);
    rc = prepare_rss(r);
end:
    return rc;
}

/* Genes per set as column attributes. */
static grn_status set_attributes(const aucell_sets_t *s, grn_attrs_t *as)
{
    grn_status rc = GRN_OK;
    double *listed = NULL, *found = NULL;
    GRN_TRY(GRN_NEW(listed, s->names.n));
    GRN_TRY(GRN_NEW(found, s->names.n));
    for (size_t k = 0; k < s->names.n; k++) {
        listed[k] = s->n_listed[k];
        found[k] = s->n_found[k];
    }
    GRN_TRY(grn_attr_add_num(as, "n_genes", listed));
    listed = NULL;
    GRN_TRY(grn_attr_add_num(as, "n_genes_found", found));
    found = NULL;
end:
    free(listed);
    free(found);
    return rc;
}

/* Names and attributes of cells first..first+n-1. */
static grn_status label_block(const run_t *r, size_t first, size_t n, grn_matrix_t *out)
{
    grn_status rc = GRN_OK;
    uint32_t *pick = NULL;
    GRN_TRY(GRN_NEW_RAW(pick, n));
    for (size_t i = 0; i < n; i++) {
        pick[i] = (uint32_t)(first + i);
        GRN_TRY(grn_names_add(&out->row, grn_names_get(r->in.cell, first + i), NULL, NULL));
    }
    GRN_TRY(grn_attrs_pick(&out->row_attr, r->in.cell_attr, pick, n));
end:
    free(pick);
    return rc;
}

/* Scores the next block and appends it; *n = 0 at the end. */
static grn_status do_block(run_t *r, grn_mw_t *w, size_t *n)
{
    grn_status rc = GRN_OK;
    grn_matrix_t out = { .is_dense = 1, .n_cols = r->sets.names.n };
    size_t first = r->in.at;
    GRN_TRY(aucell_input_score(&r->in, r->scorer, BLOCK, &out.dense, r->n_detected + first, n));
    if (*n == 0) goto end;
    if (opt.rss) GRN_TRY(rss_add(&r->rss, out.dense, r->type->code + first, *n));
    out.n_rows = *n;
    GRN_TRY(label_block(r, first, *n, &out));
    rc = grn_mw_append(w, &out);
    grn_progress_add(*n);
end:
    grn_matrix_clear(&out);
    return rc;
}

static int by_count(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* Cells that detect fewer genes than the cutoff score ties among zeros: how many, and the quantiles to choose --top-frac by. */
static void report_detection(run_t *r)
{
    const uint32_t *n = r->n_detected;
    const char *what = r->regions ? "regions" : "genes";
    double g = (double)r->sets.n_genes;
    size_t low = 0, c = r->in.cell->n;
    if (aucell_input_is_model(&r->in)) return;
    qsort(r->n_detected, c, sizeof *r->n_detected, by_count);
    while (low < c && n[low] < r->cut) low++;
    grn_log_info("share of %s detected per cell: 1%% %.3f, 5%% %.3f, 10%% %.3f, 50%% %.3f, 100%% %.3f", what, n[c / 100] / g,
                 n[c / 20] / g, n[c / 10] / g, n[c / 2] / g, n[c - 1] / g);
    if (low > 0)
        grn_log_warn("%zu of %zu cells (%.1f %%) detect fewer than %u %s: zeros enter their scores as one tie; a --top-frac "
                     "of %.3f suits 99 %% of the cells",
                     low, c, 100.0 * (double)low / (double)c, r->cut, what, n[c / 100] / g);
}

/* The table of specific regulons, and the five first per type in the log. */
static grn_status finish_rss(run_t *r)
{
    grn_status rc = GRN_OK;
    uint32_t *order = NULL;
    grn_str_t line = { 0 };
    const grn_names_t *types = &r->type->levels;
    GRN_TRY(rss_finish(&r->rss, types->n, opt.balanced));
    GRN_TRY(rss_write(&r->rss, opt.rss, types, &r->sets.names));
    GRN_TRY(GRN_NEW(order, r->sets.names.n));
    for (size_t t = 0; t < types->n; t++) {
        line.n = 0;
        rss_order(&r->rss, t, order);
        for (size_t k = 0; k < 5 && k < r->sets.names.n; k++)
            GRN_TRY(grn_str_printf(&line, "%s%s %.3f", k ? ", " : "", grn_names_get(&r->sets.names, order[k]),
                                   r->rss.rss[t * r->rss.n_sets + order[k]]));
        grn_log_info("most specific in %s (%llu cells): %s", grn_names_get(types, t), (unsigned long long)r->rss.type_n[t], line.s);
    }
end:
    grn_str_clear(&line);
    free(order);
    return rc;
}

static grn_status write_meta(const run_t *r, grn_mw_t *w)
{
    grn_status rc = GRN_OK;
    grn_str_t s = { 0 };
    static const char *const ties[] = { "exact", "random", "one-order" };
    GRN_TRY(grn_str_printf(&s, "cut=%u top_frac=%g %s=%llu ties=%s norm=%s weights=%d", r->cut, opt.top_frac,
                           r->regions ? "regions" : "genes", (unsigned long long)r->sets.n_genes, ties[r->ties], opt.norm,
                           opt.weights));
    GRN_TRY(grn_mw_meta(w, "aucell", s.s));
end:
    grn_str_clear(&s);
    return rc;
}

static grn_status check_options(const char *counts)
{
    int n_stdin = strcmp(counts, "-") == 0;
    if (opt.regulons.n == 0) return grn_err(GRN_EUSAGE, "no gene sets: give -r FILE");
    for (size_t i = 0; i < opt.regulons.n; i++) n_stdin += strcmp(opt.regulons.v[i], "-") == 0;
    if (n_stdin > 1) return grn_err(GRN_EUSAGE, "-r and COUNTS: only one of them can be stdin");
    if (opt.compat && strcmp(opt.norm, "python")) return grn_err(GRN_EUSAGE, "--compat scores with --norm python");
    return GRN_OK;
}

static grn_status run(const grn_args_t *args)
{
    grn_status rc = GRN_OK;
    grn_counts_opt_t copt;
    grn_mw_t *out = NULL;
    grn_attrs_t set_attr = { 0 };
    run_t r = { 0 };
    size_t n = 1;
    GRN_TRY(check_options(args->v[0]));
    GRN_TRY(grn_counts_cli(&opt.counts, &copt));
    GRN_TRY(aucell_input_open(&r.in, args->v[0], &copt, grn_common.pool));
    GRN_TRY(prepare(&r));
    GRN_TRY(set_attributes(&r.sets, &set_attr));
    GRN_TRY(grn_mw_open(&out, opt.out, &r.sets.names, &set_attr, 1, grn_common.pool));
    GRN_TRY(write_meta(&r, out));
    grn_progress_begin(r.in.cell->n, "cells");
    while (n > 0) GRN_TRY(do_block(&r, out, &n));
    grn_progress_end();
    report_detection(&r);
    if (opt.rss) GRN_TRY(finish_rss(&r));
    rc = grn_mw_commit(out);
    out = NULL;
    if (rc == GRN_OK) grn_log_info("%zu cells x %zu regulons written", r.in.cell->n, r.sets.names.n);
end:
    grn_mw_abort(out);
    grn_attrs_clear(&set_attr, r.sets.names.n);
    run_clear(&r);
    return rc;
}

int main(int argc, char **argv)
{
    static const grn_tool_t tool = { "grn-aucell",
                                     "regulon activity of every cell (AUCell)",
                                     "-r FILE [options] COUNTS",
                                     table,
                                     1,
                                     1,
                                     "  grn-aucell -r regulons.edges.zst counts.h5ad -o auc.tensor.zst --rss rss.tsv\n"
                                     "  grn-aucell -r hallmark.gmt --cells labels.tsv counts/ | grn-threshold - -o active.tensor.zst" };
    return grn_tool_main(&tool, argc, argv, run);
}
