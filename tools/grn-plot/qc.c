/* Quality of scATAC barcodes: ranks, cuts around TSS, fragment lengths; what `grn-build qc --profile` wrote. */
#include <math.h>
#include <string.h>

#include "grn-plot/figure.h"
#include "grn-plot/plot.h"
#include "io/result.h"

static grn_figure_opt_t opt = GRN_FIGURE_OPT_INIT(1080, 360);

typedef struct {
    const char *series, *title, *axes;
} panel_t;

static const panel_t panels[] = {
    { "rank", "barcodes by depth",
      "set logscale xy\nset xlabel 'rank'\nset ylabel 'unique fragments'\nset yrange [1:*]\n"
      "set format x '10^{%L}'\nset format y '10^{%L}'\nset key bottom left" },
    { "tss", "cuts around TSS",
      "set xlabel 'bp from TSS'\nset ylabel 'enrichment over the flanks'\nset xtics 1000\n"
      "set xrange [-2000:2000]\nset yrange [0:*]\nset key top left" },
    { "length", "fragment length",
      "set xlabel 'bp'\nset ylabel 'share of fragments'\nset xtics 200\nset xrange [0:800]\nset yrange [0:*]\nset key top right" },
};

typedef struct {
    const grn_attr_t *series, *sample, *x, *y, *n;
    size_t n_row;
} table_t;

/* Rows of one series and sample. The last length stands for all longer ones and is left out. */
static grn_status add_data(grn_figure_t *f, const table_t *t, size_t panel, size_t sample)
{
    grn_status rc = GRN_OK;
    int is_length = !strcmp(panels[panel].series, "length");
    GRN_TRY(grn_str_printf(&f->script, "$d%zu_%zu << EOD\n", panel, sample));
    for (size_t i = 0; i < t->n_row; i++) {
        if ((size_t)t->sample->code[i] != sample || strcmp(grn_result_text(t->series, i), panels[panel].series) != 0) continue;
        if (is_length && t->x->num[i] >= 1000) continue;
        if (isfinite(t->y->num[i])) GRN_TRY(grn_str_printf(&f->script, "%.6g %.6g %.6g\n", t->x->num[i], t->y->num[i], t->n->num[i]));
    }
    GRN_TRY(grn_str_puts(&f->script, "EOD\n"));
end:
    return rc;
}

/* One line a sample. */
static grn_status add_panel(grn_figure_t *f, const table_t *t, size_t panel)
{
    grn_status rc = GRN_OK;
    size_t n = t->sample->levels.n;
    for (size_t s = 0; s < n; s++) GRN_TRY(add_data(f, t, panel, s));
    GRN_TRY(grn_str_printf(&f->script, "unset logscale\nset autoscale\nset format\nset xtics autofreq\nset title '%s'\n%s\nplot ",
                           panels[panel].title, panels[panel].axes));
    for (size_t s = 0; s < n; s++) {
        GRN_TRY(grn_str_printf(&f->script, "%s$d%zu_%zu using 1:2 with lines lw 2 lc rgb '%s' title ", s ? ", " : "", panel, s,
                               grn_figure_colour(s)));
        GRN_TRY(grn_figure_quote(f, grn_names_get(&t->sample->levels, s)));
    }
    GRN_TRY(grn_str_puts(&f->script, "\n"));
end:
    return rc;
}

static grn_status run(const grn_args_t *args)
{
    grn_status rc = GRN_OK;
    grn_result_t r = { 0 };
    grn_figure_t f = { { 0 }, NULL };
    table_t t;
    GRN_TRY(grn_result_load(args->v[0], grn_common.pool, &r));
    if (strcmp(r.kind, "qc") != 0)
        GRN_FAIL(GRN_EFORMAT, "'%s' holds a table of kind '%s'; expected 'qc' (grn-build qc --profile)", args->v[0], r.kind);
    GRN_TRY(grn_result_need(&r, "series", 1, &t.series));
    GRN_TRY(grn_result_need(&r, "sample", 1, &t.sample));
    GRN_TRY(grn_result_need(&r, "x", 0, &t.x));
    GRN_TRY(grn_result_need(&r, "y", 0, &t.y));
    GRN_TRY(grn_result_need(&r, "n", 0, &t.n));
    t.n_row = r.n;
    f.title = r.title;
    GRN_TRY(grn_str_puts(&f.script, "set multiplot layout 1,3\n"));
    for (size_t k = 0; k < sizeof panels / sizeof *panels; k++) GRN_TRY(add_panel(&f, &t, k));
    GRN_TRY(grn_str_puts(&f.script, "unset multiplot\n"));
    rc = grn_figure_draw(&f, &opt);
end:
    grn_figure_clear(&f);
    grn_result_clear(&r);
    return rc;
}

static const grn_opt_t table[] = { GRN_FIGURE_OPTIONS(opt), GRN_OPT_END };
const grn_subtool_t grn_plot_qc = { { "grn-plot qc", "Quality of scATAC barcodes: ranks, TSS profile, fragment lengths.",
                                      "[options] PROFILE", table, 1, 1, NULL },
                                    run };
