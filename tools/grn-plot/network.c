/* Figures of a network: the funnel of filters, degrees of TFs and other genes. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/mem.h"
#include "grn-plot/figure.h"
#include "grn-plot/plot.h"
#include "io/container.h"
#include "io/edges.h"

/* ---- funnel ---- */

static grn_figure_opt_t funnel_fig = GRN_FIGURE_OPT_INIT(1000, 440);

/* metadata "funnel": [{"step": "...", "kept": n, "lost": n}, ...] in the order of the filters */
static grn_status add_funnel(grn_figure_t *f, const char *text, const char *path, size_t *n)
{
    grn_status rc = GRN_OK;
    json_t *list = json_loads(text, 0, NULL), *row;
    size_t i;
    if (!json_is_array(list)) GRN_FAIL(GRN_EFORMAT, "'%s': the funnel is not a JSON list", path);
    GRN_TRY(grn_str_puts(&f->script, "$d << EOD\n"));
    json_array_foreach(list, i, row)
    {
        const char *step = json_string_value(json_object_get(row, "step"));
        double kept = json_number_value(json_object_get(row, "kept"));
        if (!step) GRN_FAIL(GRN_EFORMAT, "'%s': entry %zu of the funnel has no step", path, i);
        GRN_TRY(grn_str_printf(&f->script, "%zu %.0f ", i, kept));
        GRN_TRY(grn_figure_quote(f, step));
        GRN_TRY(grn_str_printf(&f->script, " \"%.0f\"\n", kept));
    }
    GRN_TRY(grn_str_puts(&f->script, "EOD\n"));
    *n = json_array_size(list);
end:
    json_decref(list);
    return rc;
}

static grn_status run_funnel(const grn_args_t *args)
{
    grn_status rc;
    grn_cr_t *c = NULL;
    grn_figure_t f = { { 0 }, "What each filter kept" };
    size_t n = 0;
    GRN_TRY(grn_cr_open(&c, args->v[0], grn_common.pool));
    const char *funnel = grn_cr_meta(c, "funnel");
    if (!funnel)
        GRN_FAIL(GRN_EFORMAT, "'%s' carries no funnel (it is written by grn-build regulon and run)",
                 args->v[0]);
    GRN_TRY(add_funnel(&f, funnel, args->v[0], &n));
    if (!n) GRN_FAIL(GRN_EEMPTY, "'%s': the funnel is empty", args->v[0]);
    GRN_TRY(
        grn_str_printf(&f.script,
                       "set yrange [%zu.5:-0.5]\nset logscale x\nset xrange [0.5:*]\nset rmargin "
                       "10\nset xtics 100\nset format x '10^{%%T}'\nset ytics font ',10'\nset "
                       "xlabel 'kept (log scale)'\nunset key\nset grid x lc rgb '#dddddd'\n"
                       "set offsets 0,0,0,0\nplot $d using "
                       "($2>0?$2:0.6):1:(0.5):($2>0?$2:0.6):($1-0.35):($1+0.35):ytic(3) with "
                       "boxxyerror lc rgb '%s', "
                       "$d using ($2>0?$2:0.6):1:4 with labels left offset 0.6,0 noenhanced\n",
                       n - 1, grn_figure_colour(5)));
    rc = grn_figure_draw(&f, &funnel_fig);
end:
    grn_cr_close(c);
    grn_figure_clear(&f);
    return rc;
}

static const grn_opt_t funnel_opt[] = { GRN_FIGURE_OPTIONS(funnel_fig), GRN_OPT_END };
const grn_subtool_t grn_plot_funnel = { { "grn-plot funnel",
                                          "What each filter of network construction kept.",
                                          "[options] EDGES", funnel_opt, 1, 1, NULL },
                                        run_funnel };

/* ---- degree ---- */

static grn_figure_opt_t degree_fig = GRN_FIGURE_OPT_INIT(560, 420);

/* Degrees in the union graph over contexts: distinct (TF, gene) pairs, both ends counted. is_tf,
 * degree: (genes.n). */
static grn_status degrees(const grn_edges_t *e, uint32_t *degree, unsigned char *is_tf)
{
    grn_status rc = GRN_OK;
    grn_names_t pairs = { 0 };
    char key[32];
    for (size_t i = 0; i < e->n; i++) {
        int is_new;
        snprintf(key, sizeof key, "%x:%x", e->tf[i], e->gene[i]);
        GRN_TRY(grn_names_add(&pairs, key, NULL, &is_new));
        is_tf[e->tf[i]] = 1;
        if (!is_new || e->tf[i] == e->gene[i]) continue;
        degree[e->tf[i]]++;
        degree[e->gene[i]]++;
    }
end:
    grn_names_clear(&pairs);
    return rc;
}

/* Counts of genes per power-of-two degree bin, as a share of their group. */
static grn_status add_bins(grn_figure_t *f, const uint32_t *degree, const unsigned char *is_tf,
                           size_t n, int tf, double *mean)
{
    grn_status rc;
    size_t bin[33] = { 0 }, total = 0;
    double sum = 0;
    for (size_t g = 0; g < n; g++) {
        if (is_tf[g] != tf) continue;
        int b = 0;
        for (uint32_t d = degree[g]; d > 1; d >>= 1) b++;
        bin[b]++;
        total++;
        sum += degree[g];
    }
    *mean = total ? sum / (double)total : 0;
    GRN_TRY(grn_str_printf(&f->script, "$g%d << EOD\n", tf));
    for (int b = 0; b < 20; b++)
        if (bin[b])
            GRN_TRY(grn_str_printf(&f->script, "%d %.6g\n", b, (double)bin[b] / (double)total));
    GRN_TRY(grn_str_puts(&f->script, "EOD\n"));
end:
    return rc;
}

static grn_status run_degree(const grn_args_t *args)
{
    grn_status rc;
    grn_edges_t e = { 0 };
    grn_figure_t f = { { 0 }, "Degrees of transcription factors and other genes" };
    uint32_t *degree = NULL;
    unsigned char *is_tf = NULL;
    double mean[2];
    GRN_TRY(grn_edges_load(args->v[0], grn_common.pool, &e));
    if (!e.n || !e.tf || !e.gene)
        GRN_FAIL(GRN_EEMPTY, "'%s' has no TF -> gene edges to draw", args->v[0]);
    GRN_TRY(GRN_NEW(degree, e.genes.n));
    GRN_TRY(GRN_NEW(is_tf, e.genes.n));
    GRN_TRY(degrees(&e, degree, is_tf));
    GRN_TRY(add_bins(&f, degree, is_tf, e.genes.n, 0, &mean[0]));
    GRN_TRY(add_bins(&f, degree, is_tf, e.genes.n, 1, &mean[1]));
    GRN_TRY(grn_str_printf(
        &f.script,
        "set xlabel 'degree (bins of powers of two)'\nset ylabel 'share of genes in the "
        "network'\nset yrange [0:*]\nset boxwidth 0.4\n"
        "set xtics ('1' 0, '2' 1, '4' 2, '8' 3, '16' 4, '32' 5, '64' 6, '128' 7, '256' 8, '512' 9, "
        "'1024' 10, '2048' 11, '4096' 12)\n"
        "plot $g0 using ($1-0.2):2 with boxes lc rgb '%s' title 'other genes (mean %.3g)', "
        "$g1 using ($1+0.2):2 with boxes lc rgb '%s' title 'TFs (mean %.3g)'\n",
        grn_figure_colour(5), mean[0], grn_figure_colour(1), mean[1]));
    rc = grn_figure_draw(&f, &degree_fig);
end:
    free(degree);
    free(is_tf);
    grn_edges_clear(&e);
    grn_figure_clear(&f);
    return rc;
}

static const grn_opt_t degree_opt[] = { GRN_FIGURE_OPTIONS(degree_fig), GRN_OPT_END };
const grn_subtool_t grn_plot_degree = { { "grn-plot degree",
                                          "Degrees of TFs and other genes of a network.",
                                          "[options] EDGES", degree_opt, 1, 1, NULL },
                                        run_degree };
