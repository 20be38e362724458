/* AUCell histograms with the fitted two-component mixture and the threshold (GRNFormer, arXiv
 * 2503.01682, Fig. 6). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "grn-plot/figure.h"
#include "grn-plot/plot.h"
#include "io/activity.h"
#include "io/matrix.h"

enum { N_BINS = 50, N_CURVE = 200 };

static struct {
    grn_figure_opt_t fig;
    grn_opt_list_t regulons;
    const char *context;
    int64_t top;
} opt = { GRN_FIGURE_OPT_INIT(900, 720), { 0 }, NULL, 9 };

static const float *fit_column(const grn_activity_t *a, const char *name)
{
    for (size_t k = 0; k < a->n_fit; k++)
        if (strcmp(a->fit[k].name, name) == 0) return a->fit[k].v;
    return NULL;
}

/* 1 when the threshold of (context, regulon) comes from the fit over all cells (column "source" of
 * grn-threshold: 0 context, 1 all). */
static int is_global(const grn_activity_t *a, size_t context, size_t reg)
{
    const float *source = fit_column(a, "source");
    return source && source[context * a->n_regulons + reg] == 1;
}

static const char *class_name(uint8_t klass)
{
    static const char *const names[] = { "bimodal", "shoulder", "unimodal", "small", "mass-only", "constant", "empty" };
    size_t k = klass & 0x3f;
    return k < sizeof names / sizeof *names ? names[k] : "?";
}

/* A regulon's scores in one context (SIZE_MAX: all), finite ones only. x: room for all cells.
 * Returns how many. */
static size_t gather(const grn_matrix_t *auc, const grn_activity_t *a, size_t col, size_t context, float *x)
{
    size_t n = 0;
    for (uint64_t c = 0; c < auc->n_rows; c++) {
        if (context != SIZE_MAX && a->context[c] != context) continue;
        float v = auc->dense[c * auc->n_cols + col];
        if (isfinite(v)) x[n++] = v;
    }
    return n;
}

static grn_status add_histogram(grn_figure_t *f, size_t panel, const float *x, size_t n, double *width)
{
    grn_status rc;
    double lo = x[0], hi = x[0];
    size_t bin[N_BINS] = { 0 };
    for (size_t i = 1; i < n; i++) {
        if (x[i] < lo) lo = x[i];
        if (x[i] > hi) hi = x[i];
    }
    *width = hi > lo ? (hi - lo) / N_BINS : 1e-6;
    for (size_t i = 0; i < n; i++) {
        size_t b = (size_t)((x[i] - lo) / *width);
        bin[b < N_BINS ? b : N_BINS - 1]++;
    }
    GRN_TRY(grn_str_printf(&f->script, "$h%zu << EOD\n", panel));
    for (size_t b = 0; b < N_BINS; b++) GRN_TRY(grn_str_printf(&f->script, "%.6g %zu\n", lo + ((double)b + 0.5) * *width, bin[b]));
    GRN_TRY(grn_str_puts(&f->script, "EOD\n"));
end:
    return rc;
}

typedef struct {
    double mean[2], sd[2], weight[2], threshold, n_fit; /* n_fit: values the mixture saw; NaN: not told */
    uint8_t klass;
    int has_mixture;
} fit_t;

static fit_t fit_of(const grn_activity_t *a, size_t context, size_t reg)
{
    static const char *const names[3][2] = { { "mean1", "mean2" }, { "sd1", "sd2" }, { "weight1", "weight2" } };
    size_t at = context * a->n_regulons + reg;
    fit_t f = { .threshold = a->threshold[at], .klass = a->klass[at], .has_mixture = 1 };
    const float *n_atom = fit_column(a, "n_atom"), *n = fit_column(a, "n_fit");
    f.n_fit = n && n_atom ? n[at] - n_atom[at] : NAN;
    double *to[3] = { f.mean, f.sd, f.weight };
    for (int q = 0; q < 3; q++)
        for (int k = 0; k < 2; k++) {
            const float *v = fit_column(a, names[q][k]);
            to[q][k] = v ? v[at] : NAN;
            if (!isfinite(to[q][k])) f.has_mixture = 0;
        }
    return f;
}

/* A round distance that divides a range into three to six. */
static double tic(double range)
{
    double unit = pow(10, floor(log10(range / 2)));
    return range / unit < 6 ? unit : range / unit < 12 ? 2 * unit : 5 * unit;
}

/* 1 when both means are between the smallest and the largest score: those of a mixture of these scores are. */
static int spans(const float *x, size_t n, const double *mean)
{
    int below = 0, above = 0;
    for (size_t i = 0; i < n; i++) {
        below |= x[i] <= mean[0];
        above |= x[i] >= mean[1];
    }
    return below && above;
}

static grn_status add_panel(grn_figure_t *f, const grn_matrix_t *auc, const grn_activity_t *a, size_t panel, size_t reg, size_t col,
                            size_t context, float *x)
{
    grn_status rc = GRN_OK;
    int all = is_global(a, context, reg) || a->contexts.n == 1;
    size_t n = gather(auc, a, col, all ? SIZE_MAX : context, x), n_on = 0;
    fit_t t = fit_of(a, context, reg);
    double width;
    char title[256];
    if (!n) return GRN_OK;
    GRN_TRY(add_histogram(f, panel, x, n, &width));
    for (size_t i = 0; i < n; i++) n_on += x[i] > (float)t.threshold;
    if (!spans(x, n, t.mean)) t.has_mixture = 0; /* fitted to transformed scores */
    snprintf(title, sizeof title, "%s in %s", grn_names_get(&a->regulons, reg),
             all ? "all cells" : grn_names_get(&a->contexts, context));
    GRN_TRY(grn_str_puts(&f->script, "set title "));
    GRN_TRY(grn_figure_quote(f, title));
    GRN_TRY(grn_str_printf(&f->script, ".\"\\n%s%s, %zu of %zu on\"\nset xtics %.6g\n", class_name(t.klass),
                           t.klass & GRN_FIT_MASS_FLAG ? "+mass" : "", n_on, n, tic(width * N_BINS)));
    GRN_TRY(grn_str_printf(&f->script,
                           "\nunset arrow\nset arrow from %.6g, graph 0 to %.6g, graph 1 nohead lw "
                           "2 dt 2 lc rgb 'black'\n",
                           t.threshold, t.threshold));
    GRN_TRY(grn_str_printf(&f->script, "plot $h%zu using 1:2 with boxes lc rgb '%s' notitle", panel, grn_figure_colour(5)));
    for (int k = 0; k < 2 && t.has_mixture; k++)
        GRN_TRY(grn_str_printf(&f->script, ", %.6g*exp(-0.5*((x-%.6g)/%.6g)**2) with lines lw 2 lc rgb '%s' notitle",
                               (isnan(t.n_fit) ? (double)n : t.n_fit) * width * t.weight[k] / (t.sd[k] * 2.5066282746310002), t.mean[k],
                               t.sd[k], grn_figure_colour((size_t)k)));
    GRN_TRY(grn_str_puts(&f->script, "\n"));
end:
    return rc;
}

typedef struct {
    size_t reg, context;
    double rank;
} panel_t;

static int by_rank(const void *a, const void *b)
{
    const panel_t *x = a, *y = b;
    if (x->rank != y->rank) return x->rank > y->rank ? -1 : 1;
    return x->reg != y->reg ? (x->reg < y->reg ? -1 : 1) : (x->context > y->context) - (x->context < y->context);
}

/* The panels: the named regulons (in the named context or in every one), else the clearest bimodal
 * fits (largest dBIC). A threshold that comes from the fit over all cells is drawn once, over all
 * cells. */
static grn_status choose(const grn_activity_t *a, panel_t **out, size_t *n_out)
{
    grn_status rc = GRN_OK;
    const float *dbic = fit_column(a, "dbic");
    panel_t *p = NULL;
    unsigned char *drawn = NULL; /* (R) the panel over all cells is in the list */
    size_t n = 0, only = SIZE_MAX;
    GRN_TRY(GRN_NEW(drawn, a->n_regulons));
    if (opt.context && (only = grn_names_find(&a->contexts, opt.context)) == GRN_NAMES_NONE)
        GRN_FAIL(GRN_EINVAL, "context '%s' is not in the activity file", opt.context);
    GRN_TRY(GRN_NEW(p, a->contexts.n * a->n_regulons + 1));
    for (size_t r = 0; r < opt.regulons.n; r++)
        if (grn_names_find(&a->regulons, opt.regulons.v[r]) == GRN_NAMES_NONE)
            GRN_FAIL(GRN_EINVAL, "regulon '%s' is not in the activity file", opt.regulons.v[r]);
    for (size_t c = 0; c < a->contexts.n; c++)
        for (size_t r = 0; r < a->n_regulons; r++) {
            int named = 0;
            for (size_t k = 0; k < opt.regulons.n; k++) named |= strcmp(opt.regulons.v[k], grn_names_get(&a->regulons, r)) == 0;
            if ((opt.regulons.n && !named) || (only != SIZE_MAX && c != only)) continue;
            if (is_global(a, c, r)) {
                if (drawn[r]) continue;
                drawn[r] = 1;
            }
            double d = dbic ? dbic[c * a->n_regulons + r] : 0;
            int bimodal = (a->klass[c * a->n_regulons + r] & 0x3f) == GRN_FIT_BIMODAL;
            p[n++] = (panel_t){ r, c, (isfinite(d) ? d : -1e30) + (bimodal ? 1e12 : 0) };
        }
    qsort(p, n, sizeof *p, by_rank);
    if (!opt.regulons.n && n > (size_t)opt.top) n = (size_t)opt.top;
    *out = p;
    *n_out = n;
    p = NULL;
end:
    free(drawn);
    free(p);
    return rc;
}

static grn_status run(const grn_args_t *args)
{
    grn_status rc;
    grn_matrix_t auc = { 0 };
    grn_activity_t a = { 0 };
    grn_figure_t f = { { 0 }, "Regulon activity with fitted mixtures and thresholds" };
    panel_t *p = NULL;
    float *x = NULL;
    size_t n = 0;
    GRN_TRY(grn_matrix_load(args->v[0], grn_common.pool, &auc));
    GRN_TRY(grn_matrix_to_dense(&auc));
    GRN_TRY(grn_activity_load(args->v[1], grn_common.pool, &a));
    if (!grn_names_equal(&auc.row, &a.cells)) GRN_FAIL(GRN_ESHAPE, "'%s' and '%s' do not hold the same cells", args->v[0], args->v[1]);
    GRN_TRY(choose(&a, &p, &n));
    if (!n) GRN_FAIL(GRN_EEMPTY, "'%s' has no fit to draw", args->v[1]);
    GRN_TRY(GRN_NEW(x, auc.n_rows + 1));
    size_t columns = (size_t)ceil(sqrt((double)n)), rows = (n + columns - 1) / columns;
    GRN_TRY(grn_str_printf(&f.script, "set multiplot layout %zu,%zu\nset yrange [0:*]\nset samples %d\n", rows, columns, N_CURVE));
    for (size_t k = 0; k < n; k++) {
        size_t col = grn_names_find(&auc.col, grn_names_get(&a.regulons, p[k].reg));
        if (col == GRN_NAMES_NONE)
            GRN_FAIL(GRN_ESHAPE, "regulon '%s' is not in '%s'", grn_names_get(&a.regulons, p[k].reg), args->v[0]);
        GRN_TRY(add_panel(&f, &auc, &a, k, p[k].reg, col, p[k].context, x));
    }
    GRN_TRY(grn_str_puts(&f.script, "unset multiplot\n"));
    rc = grn_figure_draw(&f, &opt.fig);
end:
    free(x);
    free(p);
    grn_matrix_clear(&auc);
    grn_activity_clear(&a);
    grn_figure_clear(&f);
    return rc;
}

static const grn_opt_t table[] = {
    GRN_OPT_HEAD("What to draw"),
    GRN_OPT_LIST('r', "regulon", "NAME", &opt.regulons, "draw this regulon; may be repeated [the clearest bimodal ones]"),
    GRN_OPT_STR('c', "context", "NAME", &opt.context, "only this context [all]"),
    GRN_OPT_INT(0, "top", "INT", &opt.top, 1, 100, "panels when no regulon is named"),
    GRN_FIGURE_OPTIONS(opt.fig),
    GRN_OPT_END,
};
const grn_subtool_t grn_plot_activity = {
    { "grn-plot activity", "AUCell histograms with fitted mixtures and thresholds.", "[options] AUC ACTIVITY", table, 2, 2, NULL }, run
};
