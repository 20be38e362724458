/* grn-aucell: regulon activity of every cell, AUCell with ties in closed form. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/opt.h"
#include "base/str.h"
#include "grn-aucell/rss.h"
#include "grn-aucell/score.h"
#include "grn-aucell/sets.h"
#include "io/counts.h"
#include "io/matrix.h"

enum { BLOCK = 1024 }; /* cells in memory at a time */

static struct {
    const char *regulons, *out, *ties, *norm, *rss, *report;
    double top_frac, min_present;
    int64_t min_genes;
    int weights, balanced;
    grn_counts_cli_t counts;
} opt = { NULL, "-", "exact", "python", NULL, NULL, 0.05, 0.8, 1, 0, 0, GRN_COUNTS_CLI_INIT };

static const grn_opt_t table[] = {
    GRN_OPT_HEAD("Input"),
    GRN_OPT_STR('r', "regulons", "FILE", &opt.regulons, "gene sets: regulons.edges.zst (union over contexts) or GMT"),
    GRN_COUNTS_OPTIONS(opt.counts),
    GRN_OPT_HEAD("Scores"),
    GRN_OPT_FLT(0, "top-frac", "FLOAT", &opt.top_frac, 0, 1, "share of the ranking that counts"),
    GRN_OPT_ENUM(0, "ties", "exact|random", &opt.ties, "expectation over tied genes, or one seeded random order"),
    GRN_OPT_ENUM(0, "norm", "python|attainable", &opt.norm, "divide by (c+1) x weights, or by what a perfect ranking reaches"),
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

/* What a run holds besides the two files. */
typedef struct {
    aucell_sets_t sets;
    aucell_scorer_t *scorer;
    uint32_t cut;
    uint64_t *gene_key;
    rss_t rss;
    const grn_attr_t *type; /* of the reader: levels */
    uint32_t *n_detected;   /* (C) */
    uint64_t n_cells;
} run_t;

static void run_clear(run_t *r)
{
    aucell_scorer_destroy(r->scorer);
    aucell_sets_clear(&r->sets);
    rss_close(&r->rss);
    free(r->gene_key);
    free(r->n_detected);
}

/* Gene sets, cutoff and tie keys from the names in the file. */
static grn_status prepare(run_t *r, const grn_matrix_t *info)
{
    grn_status rc = GRN_OK;
    aucell_sets_opt_t so = { opt.regulons, opt.weights, opt.min_present, opt.min_genes, opt.report, 0 };
    if (info->n_rows == 0 || info->n_cols == 0)
        GRN_FAIL(GRN_EEMPTY, "the matrix is empty: %llu cells x %llu genes", (unsigned long long)info->n_rows,
                 (unsigned long long)info->n_cols);
    GRN_TRY(aucell_cut(opt.top_frac, info->n_cols, &so.cut));
    GRN_TRY(aucell_sets_load(&so, &info->col, grn_common.pool, &r->sets));
    GRN_TRY(GRN_NEW(r->gene_key, (size_t)info->n_cols));
    for (size_t g = 0; g < info->n_cols; g++) r->gene_key[g] = grn_hash_str(grn_names_get(&info->col, g));
    GRN_TRY(GRN_NEW(r->n_detected, (size_t)info->n_rows));
    aucell_opt_t score = { &r->sets, so.cut, strcmp(opt.norm, "attainable") == 0,
        strcmp(opt.ties, "random") ? AUCELL_TIES_EXACT : AUCELL_TIES_RANDOM, grn_common.seed, r->gene_key };
    GRN_TRY(aucell_scorer_create(&r->scorer, &score, grn_common.pool));
    r->cut = so.cut;
    grn_log_info("%zu of %zu sets, %llu genes, ranks below %u count (top %g)", r->sets.names.n, r->sets.n_read,
                 (unsigned long long)info->n_cols, so.cut, opt.top_frac);
    r->type = grn_attr_find(&info->row_attr, "cell_type");
    if (!opt.rss) goto end;
    if (!r->type || !r->type->code)
        GRN_FAIL(GRN_EINVAL, "--rss needs cell types: none in the matrix; give --cell-type or --cells");
    GRN_TRY(rss_open(&r->rss, r->sets.names.n));
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

/* Scores one block and appends it; names and attributes move from the block to the output. */
static grn_status do_block(run_t *r, grn_matrix_t *block, grn_mw_t *w)
{
    grn_status rc = GRN_OK;
    grn_matrix_t out = { 0 };
    const grn_attr_t *type;
    GRN_TRY(GRN_NEW_RAW(out.dense, (size_t)block->n_rows * r->sets.names.n));
    GRN_TRY(aucell_score_block(r->scorer, block, out.dense, NULL, r->n_detected + r->n_cells));
    if (opt.rss) {
        if (!(type = grn_attr_find(&block->row_attr, "cell_type")) || !type->code)
            GRN_FAIL(GRN_EFORMAT, "a block of cells has no cell types");
        GRN_TRY(rss_add(&r->rss, out.dense, type->code, (size_t)block->n_rows));
    }
    out.n_rows = block->n_rows;
    out.n_cols = r->sets.names.n;
    out.is_dense = 1;
    out.row = block->row;
    out.row_attr = block->row_attr;
    memset(&block->row, 0, sizeof block->row);
    memset(&block->row_attr, 0, sizeof block->row_attr);
    rc = grn_mw_append(w, &out);
    r->n_cells += out.n_rows;
    grn_progress_add(out.n_rows);
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
    double g = (double)r->sets.n_genes;
    size_t low = 0, c = (size_t)r->n_cells;
    if (c == 0) return;
    qsort(r->n_detected, c, sizeof *r->n_detected, by_count);
    while (low < c && n[low] < r->cut) low++;
    grn_log_info("share of genes detected per cell: 1%% %.3f, 5%% %.3f, 10%% %.3f, 50%% %.3f, 100%% %.3f", n[c / 100] / g,
                 n[c / 20] / g, n[c / 10] / g, n[c / 2] / g, n[c - 1] / g);
    if (low > 0)
        grn_log_warn("%zu of %zu cells (%.1f %%) detect fewer than %u genes: zeros enter their scores as one tie; a --top-frac "
                     "of %.3f suits 99 %% of the cells",
                     low, c, 100.0 * (double)low / (double)c, r->cut, n[c / 100] / g);
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
        grn_log_info("most specific in %s (%llu cells): %s", grn_names_get(types, t), (unsigned long long)r->rss.type_n[t],
                     line.s);
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
    GRN_TRY(grn_str_printf(&s, "cut=%u top_frac=%g genes=%llu ties=%s norm=%s weights=%d", r->cut, opt.top_frac,
                           (unsigned long long)r->sets.n_genes, opt.ties, opt.norm, opt.weights));
    GRN_TRY(grn_mw_meta(w, "aucell", s.s));
end:
    grn_str_clear(&s);
    return rc;
}

static grn_status run(const grn_args_t *args)
{
    grn_status rc = GRN_OK;
    grn_counts_opt_t copt;
    grn_mr_t *in = NULL;
    grn_mw_t *out = NULL;
    grn_matrix_t block = { 0 };
    grn_attrs_t set_attr = { 0 };
    run_t r = { 0 };
    int got;
    if (!opt.regulons) GRN_FAIL(GRN_EUSAGE, "no gene sets: give -r FILE");
    if (strcmp(opt.regulons, "-") == 0 && strcmp(args->v[0], "-") == 0)
        GRN_FAIL(GRN_EUSAGE, "-r and COUNTS cannot both be stdin");
    GRN_TRY(grn_counts_cli(&opt.counts, &copt));
    GRN_TRY(grn_mr_open(&in, args->v[0], &copt, grn_common.pool));
    GRN_TRY(prepare(&r, grn_mr_info(in)));
    GRN_TRY(set_attributes(&r.sets, &set_attr));
    GRN_TRY(grn_mw_open(&out, opt.out, &r.sets.names, &set_attr, 1, grn_common.pool));
    GRN_TRY(write_meta(&r, out));
    grn_progress_begin(grn_mr_info(in)->n_rows, "cells");
    while ((got = grn_mr_next(in, BLOCK, &block)) > 0) {
        GRN_TRY(do_block(&r, &block, out));
        grn_matrix_clear(&block);
    }
    grn_progress_end();
    GRN_TRY((grn_status)got);
    report_detection(&r);
    if (opt.rss) GRN_TRY(finish_rss(&r));
    rc = grn_mw_commit(out);
    out = NULL;
    if (rc == GRN_OK) grn_log_info("%llu cells x %zu regulons written", (unsigned long long)r.n_cells, r.sets.names.n);
end:
    grn_mw_abort(out);
    grn_matrix_clear(&block);
    grn_attrs_clear(&set_attr, r.sets.names.n);
    run_clear(&r);
    grn_mr_close(in);
    return rc;
}

int main(int argc, char **argv)
{
    static const grn_tool_t tool = {
        "grn-aucell",
        "regulon activity of every cell (AUCell)",
        "-r FILE [options] COUNTS",
        table,
        1,
        1,
        "  grn-aucell -r regulons.edges.zst counts.h5ad -o auc.tensor.zst --rss rss.tsv\n"
        "  grn-aucell -r hallmark.gmt --cells labels.tsv counts/ | grn-threshold - -o active.tensor.zst"
    };
    return grn_tool_main(&tool, argc, argv, run);
}
