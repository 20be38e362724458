/* grn-threshold: which regulon is on in which cell. */
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/opt.h"
#include "base/str.h"
#include "grn-threshold/fit.h"
#include "io/counts.h"

static struct {
    const char *out, *tsv, *by, *context, *method, *tail, *transform, *cells;
    double quantile;
    int posterior;
} opt = { "-", NULL, "auto", "cell_type", "mixture", "sd", "none", NULL, 0.9772, 0 };

static const grn_opt_t table[] = {
    GRN_OPT_HEAD("Groups"),
    GRN_OPT_ENUM(0, "by", "auto|context|all", &opt.by,
                 "cells a threshold is fitted on; auto: the context's where it shows two populations, else all"),
    GRN_OPT_STR(0, "context", "COLUMN", &opt.context, "row attribute that holds the contexts"),
    GRN_OPT_STR(0, "cells", "TSV", &opt.cells, "cell labels: a TSV with a header, first column the barcode"),
    GRN_OPT_HEAD("Rule"),
    GRN_OPT_ENUM('m', "method", "mixture|quantile|scenic|otsu", &opt.method, "two-component mixture with gates, or another rule"),
    GRN_OPT_ENUM(0, "tail", "sd|quantile", &opt.tail, "one population: cut at mean + 2 sd, or at --quantile"),
    GRN_OPT_FLT(0, "quantile", "FLOAT", &opt.quantile, 0.000001, 0.999999, "for --method quantile and --tail quantile"),
    GRN_OPT_ENUM(0, "transform", "none|log10|logit", &opt.transform, "fit on transformed scores; scores <= 0 are off"),
    GRN_OPT_HEAD("Output"),
    GRN_OPT_STR('o', "output", "FILE", &opt.out, "bits, thresholds and fits (grn.activity/1)"),
    GRN_OPT_STR(0, "tsv", "FILE", &opt.tsv, "also write one row per context and regulon"),
    GRN_OPT_FLAG(0, "posterior", &opt.posterior, "also store the probability of being on, cells x regulons"),
    GRN_OPT_END,
};

static void rule(grn_cut_opt_t *c)
{
    *c = (grn_cut_opt_t)GRN_CUT_OPT_INIT;
    c->method = strcmp(opt.method, "quantile") == 0 ? GRN_CUT_QUANTILE
                : strcmp(opt.method, "scenic") == 0 ? GRN_CUT_SCENIC
                : strcmp(opt.method, "otsu") == 0   ? GRN_CUT_OTSU
                                                    : GRN_CUT_MIXTURE;
    c->transform = strcmp(opt.transform, "log10") == 0   ? GRN_CUT_LOG10
                   : strcmp(opt.transform, "logit") == 0 ? GRN_CUT_LOGIT
                                                         : GRN_CUT_RAW;
    c->tail = opt.quantile;
    c->tail_unimodal = strcmp(opt.tail, "quantile") == 0;
}

/* Contexts of the cells, and how thresholds are grouped given what the matrix has. */
static grn_status group(const grn_matrix_t *m, threshold_by *by, threshold_groups_t *g)
{
    grn_status rc = GRN_OK;
    const grn_attr_t *attr = grn_attr_find(&m->row_attr, opt.context);
    *by = strcmp(opt.by, "all") == 0 ? THRESHOLD_BY_ALL : strcmp(opt.by, "context") == 0 ? THRESHOLD_BY_CONTEXT : THRESHOLD_BY_AUTO;
    if (*by != THRESHOLD_BY_ALL && (!attr || !attr->code)) {
        if (*by == THRESHOLD_BY_CONTEXT || strcmp(opt.context, "cell_type") != 0)
            GRN_FAIL(GRN_EINVAL, "the matrix has no row labels '%s': give --cells, --context or --by all", opt.context);
        grn_log_warn("no cell types in the matrix: one threshold per regulon over all %llu cells", (unsigned long long)m->n_rows);
        *by = THRESHOLD_BY_ALL;
    }
    GRN_TRY(threshold_groups(*by == THRESHOLD_BY_ALL ? NULL : attr, m->n_rows, g));
    if (g->no_label >= 0)
        grn_log_warn("%llu cells have no '%s': context '%s', judged by the fit over all cells",
                     (unsigned long long)(g->off[g->no_label + 1] - g->off[g->no_label]), opt.context, THRESHOLD_NO_LABEL);
end:
    return rc;
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

static grn_status run(const grn_args_t *args)
{
    grn_status rc = GRN_OK;
    grn_counts_opt_t copt = GRN_COUNTS_OPT_INIT;
    grn_cut_opt_t cut;
    grn_matrix_t m = { 0 };
    grn_activity_t a = { 0 };
    threshold_groups_t g = { 0 };
    threshold_fits_t f = { 0 };
    threshold_by by;
    uint64_t n_on;
    rule(&cut);
    copt.cells_tsv = opt.cells;
    GRN_TRY(grn_counts_load(args->v[0], &copt, grn_common.pool, &m));
    GRN_TRY(grn_matrix_to_dense(&m));
    if (m.n_rows == 0 || m.n_cols == 0)
        GRN_FAIL(GRN_EEMPTY, "nothing to threshold: %llu cells x %llu regulons", (unsigned long long)m.n_rows,
                 (unsigned long long)m.n_cols);
    GRN_TRY(group(&m, &by, &g));
    GRN_TRY(threshold_fit(&m, &g, by, &cut, grn_common.pool, &f));
    report_classes(&f);
    GRN_TRY(report_shares(&g, &f, &m.col, &n_on));
    if (opt.tsv) GRN_TRY(threshold_write_tsv(opt.tsv, &g, &f, &m.col));
    if (n_on == 0) GRN_FAIL(GRN_EEMPTY, "no regulon is on in any of %llu cells", (unsigned long long)m.n_rows);
    GRN_TRY(threshold_activity(&m, &g, &f, &cut, opt.posterior, grn_common.pool, &a));
    GRN_TRY(grn_activity_save(&a, opt.out, grn_common.pool));
    grn_log_info("%.1f of %zu regulons are on in a cell on average", (double)n_on / (double)m.n_rows, f.n_regulons);
end:
    grn_activity_clear(&a);
    threshold_fits_clear(&f);
    threshold_groups_clear(&g);
    grn_matrix_clear(&m);
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
