/* Models of different numbers of topics: held-out perplexity, likelihood, the scaled metrics, stability; the chosen one marked. */
#include <math.h>
#include <string.h>

#include "base/opt.h"
#include "grn-plot/figure.h"
#include "grn-plot/plot.h"
#include "io/result.h"

static grn_figure_opt_t opt = GRN_FIGURE_OPT_INIT(900, 640);

typedef struct {
    const char *name, *title;
    double sign; /* -1: lower is better, drawn upside down when scaled */
} metric_t;

static const metric_t scaled[] = { { "arun", "Arun 2010", -1 }, { "cao_juan", "Cao and Juan 2009", -1 }, { "mimno", "Mimno 2011", 1 } };

/* "$NAME << EOD", K, value (scaled to [0, 1] when is_scaled) and error a line. */
static grn_status put_series(grn_figure_t *f, const grn_result_t *r, const char *name, const char *error, int is_scaled, double sign,
                             size_t *n)
{
    grn_status rc = GRN_OK;
    const grn_attr_t *k, *v, *e = NULL;
    double lo = INFINITY, hi = -INFINITY;
    *n = 0;
    GRN_TRY(grn_result_need(r, "topics", 0, &k));
    GRN_TRY(grn_result_need(r, name, 0, &v));
    if (error) GRN_TRY(grn_result_need(r, error, 0, &e));
    for (size_t i = 0; i < r->n; i++)
        if (isfinite(v->num[i])) lo = fmin(lo, sign * v->num[i]), hi = fmax(hi, sign * v->num[i]);
    GRN_TRY(grn_str_printf(&f->script, "$%s << EOD\n", name));
    for (size_t i = 0; i < r->n; i++) {
        if (!isfinite(v->num[i])) continue;
        double y = is_scaled ? (hi > lo ? (sign * v->num[i] - lo) / (hi - lo) : 0.5) : v->num[i];
        GRN_TRY(grn_str_printf(&f->script, "%g %.9g %.6g\n", k->num[i], y, e && isfinite(e->num[i]) ? e->num[i] : 0));
        ++*n;
    }
    GRN_TRY(grn_str_puts(&f->script, "EOD\n"));
end:
    return rc;
}

/* A vertical line at the chosen number. */
static grn_status mark_chosen(grn_figure_t *f, const grn_result_t *r)
{
    const grn_attr_t *k, *c;
    grn_status rc = grn_result_need(r, "topics", 0, &k);
    if (!rc) rc = grn_result_need(r, "chosen", 0, &c);
    for (size_t i = 0; !rc && i < r->n; i++)
        if (c->num[i] == 1)
            rc = grn_str_printf(&f->script, "set arrow from first %g, graph 0 to first %g, graph 1 nohead dt 2 lc rgb '#888888'\n",
                                k->num[i], k->num[i]);
    return rc;
}

static grn_status put_panel(grn_figure_t *f, const char *title, const char *name, const char *style, size_t n)
{
    if (!n)
        return grn_str_printf(&f->script, "set title '%s (not measured)'\nset yrange [0:1]\nplot NaN notitle\nset yrange [*:*]\n",
                              title);
    return grn_str_printf(&f->script, "set title '%s'\nplot $%s %s lw 2 pt 7 ps 0.5 lc rgb '%s' notitle\n", title, name, style,
                          grn_figure_colour(0));
}

static grn_status run(const grn_args_t *args)
{
    grn_status rc = GRN_OK;
    grn_result_t r = { 0 };
    grn_figure_t f = { { 0 }, "Topic models of different sizes" };
    size_t n_perplexity, n_loglik, n_stability, n;
    GRN_TRY(grn_result_load(args->v[0], NULL, &r));
    GRN_TRY(put_series(&f, &r, "perplexity", "perplexity_se", 0, 1, &n_perplexity));
    GRN_TRY(put_series(&f, &r, "loglik", NULL, 0, 1, &n_loglik));
    GRN_TRY(put_series(&f, &r, "stability", NULL, 0, 1, &n_stability));
    for (size_t i = 0; i < 3; i++) GRN_TRY(put_series(&f, &r, scaled[i].name, NULL, 1, scaled[i].sign, &n));
    GRN_TRY(grn_str_puts(&f.script, "set multiplot layout 2,2\nset xlabel 'topics'\nset key bottom right\n"));
    GRN_TRY(mark_chosen(&f, &r));
    GRN_TRY(put_panel(&f, "held-out perplexity, with standard error over cells", "perplexity", "with yerrorlines", n_perplexity));
    GRN_TRY(put_panel(&f, "log-likelihood", "loglik", "with linespoints", n_loglik));
    GRN_TRY(grn_str_puts(&f.script, "set title 'other metrics, scaled: 1 is best'\nset yrange [-0.05:1.05]\nplot "));
    for (size_t i = 0; i < 3; i++)
        GRN_TRY(grn_str_printf(&f.script, "%s$%s with linespoints lw 2 pt 7 ps 0.5 lc rgb '%s' title '%s'", i ? ", " : "",
                               scaled[i].name, grn_figure_colour(i), scaled[i].title));
    GRN_TRY(grn_str_puts(&f.script, "\nset yrange [*:*]\n"));
    GRN_TRY(put_panel(&f, "stability over seeds (mean matched cosine)", "stability", "with linespoints", n_stability));
    GRN_TRY(grn_str_puts(&f.script, "unset multiplot\n"));
    rc = grn_figure_draw(&f, &opt);
end:
    grn_figure_clear(&f);
    grn_result_clear(&r);
    return rc;
}

static const grn_opt_t table[] = { GRN_FIGURE_OPTIONS(opt), GRN_OPT_END };
const grn_subtool_t grn_plot_topics = {
    { "grn-plot topics", "Topic models of different sizes and the one chosen.", "[options] METRICS.tensor.zst", table, 1, 1, NULL }, run
};
