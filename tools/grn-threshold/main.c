/* grn-threshold: which regulon is on in which cell. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/opt.h"
#include "base/str.h"
#include "grn-threshold/fit.h"
#include "grn-threshold/summary.h"
#include "io/container.h"
#include "io/counts.h"
#include "io/prov.h"

static struct {
    const char *out, *tsv, *summary, *by, *context, *method, *tail, *transform, *cells;
    double quantile;
    int posterior;
} opt = { "-", NULL, NULL, "auto", "cell_type", "mixture", "sd", "none", NULL, 0.9772, 0 };

static const grn_opt_t table[] = {
    GRN_OPT_HEAD("Groups"),
    GRN_OPT_ENUM(0, "by", "auto|context|all", &opt.by,
                 "cells a threshold is fitted on; auto: the context's where it shows two populations, else all"),
    GRN_OPT_STR(0, "context", "COLUMN", &opt.context, "row attribute that holds the contexts"),
    GRN_OPT_STR(0, "cells", "TSV", &opt.cells, "cell labels: a TSV with a header, first column the barcode"),
    GRN_OPT_HEAD("Rule"),
    GRN_OPT_ENUM('m', "method", "mixture|scenic|aucell-r|otsu|quantile", &opt.method,
                 "two-component mixture with gates, or another rule"),
    GRN_OPT_ENUM(0, "tail", "sd|quantile", &opt.tail, "one population: cut at mean + 2 sd, or at --quantile"),
    GRN_OPT_FLT(0, "quantile", "FLOAT", &opt.quantile, 0.000001, 0.999999, "for --method quantile and --tail quantile"),
    GRN_OPT_ENUM(0, "transform", "none|log10|logit", &opt.transform, "fit on transformed scores; scores <= 0 are off"),
    GRN_OPT_HEAD("Output"),
    GRN_OPT_STR('o', "output", "FILE", &opt.out, "bits, thresholds and fits (grn.activity/1)"),
    GRN_OPT_STR(0, "tsv", "FILE", &opt.tsv, "also write one row per context and regulon"),
    GRN_OPT_STR(0, "summary", "FILE", &opt.summary, "also write what every cell type does with every regulon"),
    GRN_OPT_FLAG(0, "posterior", &opt.posterior, "also store the probability of being on, cells x regulons"),
    GRN_OPT_END,
};

static void rule(grn_cut_opt_t *c)
{
    *c = (grn_cut_opt_t)GRN_CUT_OPT_INIT;
    c->method = strcmp(opt.method, "quantile") == 0   ? GRN_CUT_QUANTILE
                : strcmp(opt.method, "scenic") == 0   ? GRN_CUT_SCENIC
                : strcmp(opt.method, "otsu") == 0     ? GRN_CUT_OTSU
                : strcmp(opt.method, "aucell-r") == 0 ? GRN_CUT_AUCELL_R
                                                      : GRN_CUT_MIXTURE;
    c->transform = strcmp(opt.transform, "log10") == 0   ? GRN_CUT_LOG10
                   : strcmp(opt.transform, "logit") == 0 ? GRN_CUT_LOGIT
                                                         : GRN_CUT_RAW;
    c->tail = opt.quantile;
    c->tail_unimodal = strcmp(opt.tail, "quantile") == 0;
}

/* The scores before they are read, and the labels of the cells. */
typedef struct {
    grn_mr_t *in;
    const grn_matrix_t *info; /* of it */
    grn_matrix_t label;       /* names and attributes of a container that --cells labels */
    const grn_attrs_t *attrs;
} input_t;

static void input_close(input_t *i)
{
    grn_mr_close(i->in);
    grn_matrix_clear(&i->label);
}

static grn_status input_open(const char *path, input_t *i)
{
    grn_status rc = GRN_OK;
    grn_counts_opt_t copt = GRN_COUNTS_OPT_INIT, labels;
    int apart;
    memset(i, 0, sizeof *i);
    copt.cells_tsv = opt.cells;
    labels = copt;
    GRN_TRY(grn_path_rewindable(&path));
    apart = opt.cells && grn_cr_sniff(strcmp(path, "-") ? path : "/proc/self/fd/0");
    if (apart) copt.cells_tsv = NULL; /* a container is labelled without being read whole */
    GRN_TRY(grn_mr_open(&i->in, path, &copt, grn_common.pool));
    i->info = grn_mr_info(i->in);
    i->attrs = &i->info->row_attr;
    if (i->info->n_rows == 0 || i->info->n_cols == 0)
        GRN_FAIL(GRN_EEMPTY, "nothing to threshold: %llu cells x %llu regulons", (unsigned long long)i->info->n_rows,
                 (unsigned long long)i->info->n_cols);
    if (!apart) goto end;
    i->label.n_rows = i->info->n_rows;
    GRN_TRY(grn_prov_input(opt.cells, NULL));
    GRN_TRY(grn_names_dup(&i->label.row, &i->info->row));
    GRN_TRY(grn_attrs_dup(&i->label.row_attr, i->attrs, i->label.n_rows));
    GRN_TRY(grn_counts_label(path, &labels, &i->label));
    grn_names_clear(&i->label.row);
    i->attrs = &i->label.row_attr;
end:
    return rc;
}

/* Contexts of the cells, and how thresholds are grouped given what the matrix has. types: those of --summary, whatever --by is. */
static grn_status group(const input_t *in, threshold_by *by, threshold_groups_t *g, threshold_groups_t *types)
{
    grn_status rc = GRN_OK;
    const grn_attr_t *attr = grn_attr_find(in->attrs, opt.context);
    uint64_t n = in->info->n_rows;
    if (attr && !attr->code) attr = NULL;
    *by = strcmp(opt.by, "all") == 0 ? THRESHOLD_BY_ALL : strcmp(opt.by, "context") == 0 ? THRESHOLD_BY_CONTEXT : THRESHOLD_BY_AUTO;
    if (*by != THRESHOLD_BY_ALL && !attr) {
        if (*by == THRESHOLD_BY_CONTEXT || strcmp(opt.context, "cell_type") != 0)
            GRN_FAIL(GRN_EINVAL, "the matrix has no row labels '%s': give --cells, --context or --by all", opt.context);
        grn_log_warn("no cell types in the matrix: one threshold per regulon over all %llu cells", (unsigned long long)n);
        *by = THRESHOLD_BY_ALL;
    }
    GRN_TRY(threshold_groups(*by == THRESHOLD_BY_ALL ? NULL : attr, n, g));
    if (g->no_label >= 0)
        grn_log_warn("%llu cells have no '%s': context '%s', judged by the fit over all cells",
                     (unsigned long long)(g->off[g->no_label + 1] - g->off[g->no_label]), opt.context, THRESHOLD_NO_LABEL);
    if (opt.summary) {
        if (!attr) grn_log_warn("no cell types in the matrix: --summary is over all cells");
        GRN_TRY(threshold_groups(attr, n, types));
    }
end:
    return rc;
}

enum { FIT_BYTES = 56, NAME_BYTES = 120 }; /* of scratch per value of a fit; of two copies of a cell's name with its places */

/* How the scores are kept: in memory where --max-mem allows that, else in a temporary file, read back `width` regulons at a time. */
static void plan(const grn_matrix_t *info, int *spool, size_t *width)
{
    uint64_t n = info->n_rows, columns = threshold_scores_bytes(n, info->n_cols), workers = (uint64_t)grn_par_n(grn_common.pool);
    uint64_t fixed =
        n * (NAME_BYTES + 10 + (info->n_cols + 63) / 64 * 8 + workers * FIT_BYTES + (opt.posterior ? 4 * info->n_cols : 0));
    uint64_t left = grn_common.max_mem > fixed ? grn_common.max_mem - fixed : 0;
    *spool = grn_common.max_mem && columns > left;
    *width = 16;
    if (!*spool) return;
    *width = (size_t)(left / (8 * n * workers)); /* a column and what is read of it at a time */
    if (*width > 64) *width = 64;
    if (*width < 1) *width = 1;
    if (left < 8 * n * workers)
        grn_log_warn("--max-mem: %.2f GB are needed for %llu cells", (double)(fixed + 8 * n * workers) / 1e9, (unsigned long long)n);
    grn_log_info("%.2f GB of scores go through a temporary file, %zu regulons at a time", (double)columns / 1e9, *width);
}

/* One line per class: pairs, and which fit decided. */
static void report_classes(const threshold_fits_t *f)
{
    size_t n[7][2] = { { 0 } }, mass = 0, broad = 0, total = f->n_contexts * f->n_regulons, from_all = 0;
    char name[32];
    for (size_t k = 0; k < f->n_contexts; k++)
        for (size_t r = 0; r < f->n_regulons; r++) {
            const grn_cut_t *c = threshold_chosen(f, k, r);
            int all = f->source[k * f->n_regulons + r];
            n[c->klass & 0x3f][all]++;
            from_all += (size_t)all;
            mass += (c->klass & GRN_CUT_MASS_FLAG) != 0;
            broad += (c->klass & GRN_CUT_BROAD_FLAG) != 0;
        }
    grn_log_info("%zu contexts x %zu regulons = %zu thresholds: %zu from the context's own fit, %zu from the fit over all cells",
                 f->n_contexts, f->n_regulons, total, total - from_all, from_all);
    for (int c = 0; c < 7; c++)
        if (n[c][0] + n[c][1] > 0)
            grn_log_info("  %-10s %6zu (%.1f %%): %zu context, %zu all cells", grn_cut_class_name((uint8_t)c, name), n[c][0] + n[c][1],
                         100.0 * (double)(n[c][0] + n[c][1]) / (double)total, n[c][0], n[c][1]);
    if (mass + broad > 0)
        grn_log_info("  of them %zu with a point mass set aside, %zu with one component covering the other", mass, broad);
}

/* Warns about pairs where nobody or more than half of the cells are on; *n_on = bits set in all. */
static grn_status report_shares(const threshold_groups_t *g, const threshold_fits_t *f, const grn_names_t *regulons, uint64_t *n_on)
{
    grn_status rc = GRN_OK;
    grn_str_t few[2] = { { 0 }, { 0 } };
    size_t n[2] = { 0, 0 }, nowhere = 0;
    *n_on = 0;
    for (size_t r = 0; r < f->n_regulons; r++) {
        uint64_t on_r = 0;
        for (size_t k = 0; k < f->n_contexts; k++) {
            uint64_t on = f->n_on[k * f->n_regulons + r], cells = g->off[k + 1] - g->off[k];
            int which = on == 0 ? 0 : 2 * on > cells ? 1 : -1;
            on_r += on;
            if (which < 0) continue;
            if (n[which]++ < 3)
                GRN_TRY(grn_str_printf(&few[which], "%s%s in %s", n[which] > 1 ? ", " : "", grn_names_get(regulons, r),
                                       grn_names_get(&g->names, k)));
        }
        nowhere += on_r == 0;
        *n_on += on_r;
    }
    if (n[0] > 0)
        grn_log_warn("0 cells on: %zu pairs (%s%s); %zu regulons are on in no cell at all", n[0], few[0].s, n[0] > 3 ? ", ..." : "",
                     nowhere);
    if (n[1] > 0) grn_log_warn("more than 50 %% of the cells on: %zu pairs (%s%s)", n[1], few[1].s, n[1] > 3 ? ", ..." : "");
end:
    grn_str_clear(&few[0]);
    grn_str_clear(&few[1]);
    return rc;
}

/* Types of the cells in the order of g->cell. */
static grn_status order_types(const threshold_groups_t *types, const threshold_groups_t *g, uint64_t n, uint16_t **out)
{
    grn_status rc = GRN_NEW_RAW(*out, n);
    for (uint64_t i = 0; i < n && !rc; i++) (*out)[i] = types->context[g->cell[i]];
    return rc;
}

static grn_status run(const grn_args_t *args)
{
    grn_status rc = GRN_OK;
    grn_cut_opt_t cut;
    input_t in = { 0 };
    grn_activity_t a = { 0 };
    threshold_groups_t g = { 0 }, types = { 0 };
    threshold_scores_t scores = { .fd = -1 };
    threshold_fits_t f = { 0 };
    threshold_summary_t sum = { 0 };
    uint16_t *type = NULL;
    threshold_by by;
    uint64_t n_on;
    size_t width;
    int spool;
    rule(&cut);
    GRN_TRY(input_open(args->v[0], &in));
    GRN_TRY(group(&in, &by, &g, &types));
    plan(in.info, &spool, &width);
    GRN_TRY(threshold_activity_init(&in.info->row, &in.info->col, &g, opt.posterior, &a));
    GRN_TRY(threshold_scores_read(in.in, &g, spool, grn_common.pool, &scores));
    input_close(&in);
    memset(&in, 0, sizeof in);
    if (opt.summary) {
        GRN_TRY(threshold_summary_init(&types, scores.n_regulons, &sum));
        GRN_TRY(order_types(&types, &g, scores.n_cells, &type));
        sum.type = type;
    }
    GRN_TRY(threshold_fit(&scores, by, &cut, width, grn_common.pool, &f, &a, opt.summary ? &sum : NULL));
    report_classes(&f);
    GRN_TRY(report_shares(&g, &f, &a.regulons, &n_on));
    if (opt.tsv) GRN_TRY(threshold_write_tsv(opt.tsv, &g, &f, &a.regulons, &cut));
    if (opt.summary) {
        GRN_TRY(threshold_summary_log(&sum, &a.regulons));
        GRN_TRY(threshold_summary_write(&sum, opt.summary, &a.regulons));
    }
    if (n_on == 0) GRN_FAIL(GRN_EEMPTY, "no regulon is on in any of %llu cells", (unsigned long long)a.n_cells);
    GRN_TRY(threshold_activity_fits(&g, &f, &cut, &a));
    GRN_TRY(grn_activity_save(&a, opt.out, grn_common.pool));
    grn_log_info("%.1f of %zu regulons are on in a cell on average", (double)n_on / (double)a.n_cells, f.n_regulons);
end:
    input_close(&in);
    threshold_scores_clear(&scores);
    threshold_summary_clear(&sum);
    grn_activity_clear(&a);
    threshold_fits_clear(&f);
    threshold_groups_clear(&types);
    threshold_groups_clear(&g);
    free(type);
    return rc;
}

int main(int argc, char **argv)
{
    static const grn_tool_t tool = { "grn-threshold",
                                     "which regulon is on in which cell",
                                     "[options] AUC",
                                     table,
                                     1,
                                     1,
                                     "  grn-threshold auc.tensor.zst -o active.tensor.zst --tsv thresholds.tsv\n"
                                     "  grn-threshold --by all --method scenic auc.tensor.zst -o active.tensor.zst" };
    return grn_tool_main(&tool, argc, argv, run);
}
