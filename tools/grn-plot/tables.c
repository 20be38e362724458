/* Figures of result tables: curves and bars. */
#include <math.h>
#include <string.h>

#include "grn-plot/figure.h"
#include "grn-plot/plot.h"
#include "io/result.h"

/* ---- curve ---- */

static struct {
    grn_figure_opt_t fig;
    const char *x, *y, *series, *xlabel, *ylabel;
} curve = { GRN_FIGURE_OPT_INIT(560, 420), "x", "y", "series", "x", "y" };

static grn_status add_series(grn_figure_t *f, const grn_attr_t *s, const grn_attr_t *x,
                             const grn_attr_t *y, size_t n, size_t level)
{
    grn_status rc;
    GRN_TRY(grn_str_printf(&f->script, "$s%zu << EOD\n", level));
    for (size_t i = 0; i < n; i++)
        if ((size_t)s->code[i] == level && isfinite(x->num[i]) && isfinite(y->num[i]))
            GRN_TRY(grn_str_printf(&f->script, "%.6g %.6g\n", x->num[i], y->num[i]));
    GRN_TRY(grn_str_puts(&f->script, "EOD\n"));
end:
    return rc;
}

static grn_status run_curve(const grn_args_t *args)
{
    grn_status rc;
    grn_result_t r = { 0 };
    grn_figure_t f = { { 0 }, NULL };
    const grn_attr_t *s, *x, *y;
    GRN_TRY(grn_result_load(args->v[0], grn_common.pool, &r));
    GRN_TRY(grn_result_need(&r, curve.series, 1, &s));
    GRN_TRY(grn_result_need(&r, curve.x, 0, &x));
    GRN_TRY(grn_result_need(&r, curve.y, 0, &y));
    f.title = r.title;
    for (size_t k = 0; k < s->levels.n; k++) GRN_TRY(add_series(&f, s, x, y, r.n, k));
    GRN_TRY(grn_str_puts(&f.script, "set xlabel "));
    GRN_TRY(grn_figure_quote(&f, curve.xlabel));
    GRN_TRY(grn_str_puts(&f.script, "\nset ylabel "));
    GRN_TRY(grn_figure_quote(&f, curve.ylabel));
    GRN_TRY(grn_str_puts(&f.script, "\nset key right top\nset yrange [0:*]\nplot "));
    for (size_t k = 0; k < s->levels.n; k++) {
        GRN_TRY(grn_str_printf(&f.script, "%s$s%zu with lines lw 2 lc rgb '%s' title ",
                               k ? ", " : "", k, grn_figure_colour(k)));
        GRN_TRY(grn_figure_quote(&f, grn_names_get(&s->levels, k)));
    }
    GRN_TRY(grn_str_puts(&f.script, "\n"));
    rc = grn_figure_draw(&f, &curve.fig);
end:
    grn_figure_clear(&f);
    grn_result_clear(&r);
    return rc;
}

static const grn_opt_t curve_opt[] = {
    GRN_OPT_HEAD("Columns"),
    GRN_OPT_STR(0, "x", "COLUMN", &curve.x, "abscissa"),
    GRN_OPT_STR(0, "y", "COLUMN", &curve.y, "ordinate"),
    GRN_OPT_STR(0, "series", "COLUMN", &curve.series, "one line per value of this text column"),
    GRN_OPT_STR(0, "xlabel", "TEXT", &curve.xlabel, "label of the abscissa"),
    GRN_OPT_STR(0, "ylabel", "TEXT", &curve.ylabel, "label of the ordinate"),
    GRN_FIGURE_OPTIONS(curve.fig),
    GRN_OPT_END,
};
const grn_subtool_t grn_plot_curve = { { "grn-plot curve",
                                         "Lines of a result table, one per series.",
                                         "[options] RESULT", curve_opt, 1, 1, NULL },
                                       run_curve };

/* ---- bars ---- */

static struct {
    grn_figure_opt_t fig;
    const char *label, *group, *value, *lo, *hi, *axis;
    int zero;
} bars = { GRN_FIGURE_OPT_INIT(640, 400), "method", NULL, "value", "lo", "hi", "", 1 };

static grn_status run_bars(const grn_args_t *args)
{
    grn_status rc;
    grn_result_t r = { 0 };
    grn_figure_t f = { { 0 }, NULL };
    grn_str_t label = { 0 };
    const grn_attr_t *name, *group = NULL, *v, *lo, *hi;
    size_t n = 0;
    GRN_TRY(grn_result_load(args->v[0], grn_common.pool, &r));
    GRN_TRY(grn_result_need(&r, bars.label, 1, &name));
    GRN_TRY(grn_result_need(&r, bars.value, 0, &v));
    if (bars.group) GRN_TRY(grn_result_need(&r, bars.group, 1, &group));
    lo = grn_result_col(&r, bars.lo);
    hi = grn_result_col(&r, bars.hi);
    f.title = r.title;
    GRN_TRY(grn_str_puts(&f.script, "$d << EOD\n"));
    for (size_t i = 0; i < r.n; i++) {
        if (!isfinite(v->num[i])) continue;
        double a = lo && lo->num && isfinite(lo->num[i]) ? lo->num[i] : v->num[i];
        double b = hi && hi->num && isfinite(hi->num[i]) ? hi->num[i] : v->num[i];
        label.n = 0;
        GRN_TRY(grn_str_printf(&label, "%s%s%s", group ? grn_result_text(group, i) : "",
                               group ? " " : "", grn_result_text(name, i)));
        GRN_TRY(grn_str_printf(&f.script, "%zu %.6g %.6g %.6g ", n, v->num[i], a, b));
        GRN_TRY(grn_figure_quote(&f, label.s));
        GRN_TRY(grn_str_puts(&f.script, "\n"));
        n++;
    }
    GRN_TRY(grn_str_puts(&f.script, "EOD\nset xlabel "));
    GRN_TRY(grn_figure_quote(&f, *bars.axis ? bars.axis : bars.value));
    GRN_TRY(grn_str_printf(&f.script,
                           "\nset yrange [%zu.5:-0.5]\nset xrange [%s:*]\nset grid x lc rgb "
                           "'#dddddd'\nunset key\nset bars 0.6\nplot ",
                           n ? n - 1 : 0, bars.zero ? "0" : "*"));
    if (bars.zero) /* a bar is honest only from zero; otherwise the points alone are drawn */
        GRN_TRY(grn_str_printf(
            &f.script,
            "$d using 2:1:(0):2:($1-0.35):($1+0.35):ytic(5) with boxxyerror lc rgb '%s', ",
            grn_figure_colour(5)));
    GRN_TRY(grn_str_puts(
        &f.script, "$d using 2:1:3:4:ytic(5) with xerrorbars pt 7 ps 0.6 lw 1.5 lc rgb 'black'\n"));
    if (!n) GRN_FAIL(GRN_EEMPTY, "'%s' has no finite '%s' to draw", args->v[0], bars.value);
    rc = grn_figure_draw(&f, &bars.fig);
end:
    grn_str_clear(&label);
    grn_figure_clear(&f);
    grn_result_clear(&r);
    return rc;
}

static const grn_opt_t bars_opt[] = {
    GRN_OPT_HEAD("Columns"),
    GRN_OPT_STR(0, "label", "COLUMN", &bars.label, "text column that names a bar"),
    GRN_OPT_STR(0, "group", "COLUMN", &bars.group, "text column put before the label"),
    GRN_OPT_STR(0, "value", "COLUMN", &bars.value, "length of the bar"),
    GRN_OPT_STR(0, "lo", "COLUMN", &bars.lo, "lower end of the interval, when the column exists"),
    GRN_OPT_STR(0, "hi", "COLUMN", &bars.hi, "upper end of the interval, when the column exists"),
    GRN_OPT_STR(0, "axis", "TEXT", &bars.axis, "label of the axis"),
    GRN_OPT_FLAG(0, "zero", &bars.zero, "let the axis start at zero"),
    GRN_FIGURE_OPTIONS(bars.fig),
    GRN_OPT_END,
};
const grn_subtool_t grn_plot_bars = { { "grn-plot bars",
                                        "One bar with its interval per row of a result table.",
                                        "[options] RESULT", bars_opt, 1, 1, NULL },
                                      run_bars };
