/* Attention received per gene by TFs and other genes (GRNFormer Fig. 5), from the table grn-eval
 * attention writes with --genes. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "grn-plot/figure.h"
#include "grn-plot/plot.h"
#include "io/result.h"

static grn_figure_opt_t fig = GRN_FIGURE_OPT_INIT(560, 420);

/* One line per gene of the group (tf 0 or 1): degree, attention relative to uniform (1 = uniform).
 */
static grn_status add_group(grn_figure_t *f, const grn_result_t *r, int tf, size_t *n)
{
    grn_status rc;
    const grn_attr_t *is_tf, *degree, *phi;
    GRN_TRY(grn_result_need(r, "is_tf", 0, &is_tf));
    GRN_TRY(grn_result_need(r, "degree", 0, &degree));
    GRN_TRY(grn_result_need(r, "phi", 0, &phi));
    GRN_TRY(grn_str_printf(&f->script, "$g%d << EOD\n", tf));
    for (size_t i = 0; i < r->n; i++)
        if ((is_tf->num[i] != 0) == tf && isfinite(phi->num[i]) && phi->num[i] > 0) {
            GRN_TRY(grn_str_printf(&f->script, "%.6g %.6g\n", degree->num[i] + 1, phi->num[i]));
            ++*n;
        }
    GRN_TRY(grn_str_puts(&f->script, "EOD\n"));
end:
    return rc;
}

static grn_status run(const grn_args_t *args)
{
    grn_status rc;
    grn_result_t r = { 0 };
    grn_figure_t f = { { 0 }, "Attention received by transcription factors and other genes" };
    size_t n[2] = { 0 };
    GRN_TRY(grn_result_load(args->v[0], grn_common.pool, &r));
    GRN_TRY(add_group(&f, &r, 0, &n[0]));
    GRN_TRY(add_group(&f, &r, 1, &n[1]));
    if (!n[0] || !n[1])
        GRN_FAIL(GRN_EEMPTY, "'%s' has %zu TFs and %zu other genes with attention; both are needed",
                 args->v[0], n[1], n[0]);
    GRN_TRY(grn_str_printf(
        &f.script,
        "set logscale xy\nset xlabel 'degree + 1'\nset ylabel 'attention received, 1 = uniform'\n"
        "plot $g0 using 1:2 with points pt 7 ps 0.3 lc rgb '%s' title 'other genes', $g1 using 1:2 "
        "with points pt 7 ps 0.5 lc rgb '%s' title 'TFs', "
        "1 with lines dt 2 lc rgb 'black' notitle\n",
        grn_figure_colour(5), grn_figure_colour(1)));
    rc = grn_figure_draw(&f, &fig);
end:
    grn_figure_clear(&f);
    grn_result_clear(&r);
    return rc;
}

static const grn_opt_t table[] = { GRN_FIGURE_OPTIONS(fig), GRN_OPT_END };
const grn_subtool_t grn_plot_attention = {
    { "grn-plot attention", "Attention received by TFs and other genes, against degree.",
      "[options] RESULT", table, 1, 1, NULL },
    run
};
