/* Which regulons are on in which cell type: one dot per pair, its area the share of cells, its colour the specificity. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/names.h"
#include "grn-plot/figure.h"
#include "grn-plot/plot.h"
#include "io/table.h"

static struct {
    grn_figure_opt_t fig;
    grn_opt_list_t regulons;
    int64_t top;
} opt = { GRN_FIGURE_OPT_INIT(1000, 420), { 0 }, 4 };

typedef struct {
    size_t context, regulon;
    double share, rss, rank;
} pair_t;

typedef struct {
    grn_names_t contexts, regulons;
    pair_t *pair;
    size_t n, cap;
} summary_t;

static void summary_clear(summary_t *s)
{
    grn_names_clear(&s->contexts);
    grn_names_clear(&s->regulons);
    free(s->pair);
}

enum { CONTEXT, REGULON, SHARE, RSS, RANK, N_COLUMN };

static grn_status read_row(const grn_table_t *b, const int *col, const char *path, summary_t *s)
{
    grn_status rc = GRN_OK;
    pair_t p;
    double *to[N_COLUMN] = { NULL, NULL, &p.share, &p.rss, &p.rank };
    for (int k = 0; k < N_COLUMN; k++) {
        if ((size_t)col[k] >= b->n) GRN_FAIL(GRN_EFORMAT, "'%s': a row of %zu fields", path, b->n);
        if (to[k]) GRN_TRY(grn_parse_f64_any(b->field[col[k]], to[k]));
    }
    GRN_TRY(grn_names_add(&s->contexts, b->field[col[CONTEXT]], &p.context, NULL));
    GRN_TRY(grn_names_add(&s->regulons, b->field[col[REGULON]], &p.regulon, NULL));
    GRN_TRY(GRN_GROW(s->pair, s->cap, s->n + 1));
    s->pair[s->n++] = p;
end:
    return rc;
}

static grn_status read_summary(const char *path, summary_t *s)
{
    static const char *const name[N_COLUMN] = { "context", "regulon", "frac_on", "rss_bits", "rank" };
    grn_status rc = GRN_OK;
    grn_table_t b = { 0 };
    int col[N_COLUMN], got;
    GRN_TRY(grn_table_open(&b, path));
    if ((got = grn_table_next(&b)) < 0) GRN_TRY((grn_status)got);
    for (int k = 0; k < N_COLUMN; k++)
        if (got == 0 || (col[k] = grn_table_column(&b, name[k])) < 0)
            GRN_FAIL(GRN_EFORMAT, "'%s' has no column '%s': expected what grn-threshold --summary wrote", path, name[k]);
    while ((got = grn_table_next(&b)) > 0) GRN_TRY(read_row(&b, col, path, s));
    rc = (grn_status)got;
    if (!rc && !s->n) rc = grn_err(GRN_EEMPTY, "'%s' has no rows", path);
end:
    grn_table_close(&b);
    return rc;
}

/* The named regulons, or those that rank highest in each context that have any cell on; by context, then rank. */
static grn_status choose(const summary_t *s, const char *path, grn_names_t *chosen)
{
    grn_status rc = GRN_OK;
    for (size_t k = 0; k < opt.regulons.n; k++) {
        if (grn_names_find(&s->regulons, opt.regulons.v[k]) == GRN_NAMES_NONE)
            GRN_FAIL(GRN_EINVAL, "regulon '%s' is not in '%s'", opt.regulons.v[k], path);
        GRN_TRY(grn_names_add(chosen, opt.regulons.v[k], NULL, NULL));
    }
    for (size_t c = 0; c < s->contexts.n && !opt.regulons.n; c++)
        for (size_t i = 0; i < s->n; i++) /* rows of a context come by rank */
            if (s->pair[i].context == c && s->pair[i].rank <= (double)opt.top && s->pair[i].share > 0)
                GRN_TRY(grn_names_add(chosen, grn_names_get(&s->regulons, s->pair[i].regulon), NULL, NULL));
    if (!chosen->n) GRN_FAIL(GRN_EEMPTY, "'%s': no regulon is on in any cell", path);
end:
    return rc;
}

static grn_status add_labels(grn_figure_t *f, char axis, const grn_names_t *names)
{
    grn_status rc;
    GRN_TRY(grn_str_printf(&f->script, "set %ctics (", axis));
    for (size_t k = 0; k < names->n; k++) {
        if (k) GRN_TRY(grn_str_puts(&f->script, ", "));
        GRN_TRY(grn_figure_quote(f, grn_names_get(names, k)));
        GRN_TRY(grn_str_printf(&f->script, " %zu", k));
    }
    GRN_TRY(grn_str_printf(&f->script, ")%s\n", axis == 'x' ? " rotate by 60 right" : ""));
end:
    return rc;
}

static grn_status draw(const summary_t *s, const grn_names_t *chosen, grn_figure_t *f)
{
    static const double example[] = { 0.1, 0.5, 1 };
    grn_status rc;
    GRN_TRY(add_labels(f, 'x', chosen));
    GRN_TRY(add_labels(f, 'y', &s->contexts));
    GRN_TRY(grn_str_puts(&f->script, "$d << EOD\n"));
    for (size_t i = 0; i < s->n; i++) {
        size_t x = grn_names_find(chosen, grn_names_get(&s->regulons, s->pair[i].regulon));
        if (x == GRN_NAMES_NONE || !(s->pair[i].share > 0)) continue;
        GRN_TRY(grn_str_printf(&f->script, "%zu %zu %.4g %.4g\n", x, s->pair[i].context, 2.4 * sqrt(s->pair[i].share),
                               isnan(s->pair[i].rss) ? 0 : s->pair[i].rss));
    }
    GRN_TRY(grn_str_puts(&f->script, "EOD\n$key << EOD\n"));
    double n = (double)chosen->n, step = fmax(1.6, 0.065 * n); /* of the key, in regulons */
    for (size_t k = 0; k < 3; k++)
        GRN_TRY(grn_str_printf(&f->script, "%.3g %.3g %.4g %.0f\n", n - 0.5 - step * (double)(3 - k), (double)s->contexts.n - 0.1,
                               2.4 * sqrt(example[k]), 100 * example[k]));
    GRN_TRY(
        grn_str_printf(&f->script,
                       "EOD\nset xrange [-0.7:%zu-0.3]\nset yrange [%zu+0.5:-0.7] \nset grid lc rgb '#dddddd'\nset cbrange [0:1]\n"
                       "set cblabel 'specificity of the calls (RSS)'\nset palette defined (0 '#deebf7', 0.4 '#6baed6', 1 '#08306b')\n"
                       "unset key\nset tics out\nset label 'cells on (%%):' at %.3g,%.3g right\n"
                       "plot $d using 1:2:3:4 with points pt 7 ps variable lc palette, "
                       "$key using 1:2:3 with points pt 7 ps variable lc rgb '#999999', $key using ($1+%.3g):2:4 with labels left\n",
                       chosen->n, s->contexts.n, n - 0.5 - step * 3 - 0.3 * step, (double)s->contexts.n - 0.1, 0.25 * step));
end:
    return rc;
}

static grn_status run(const grn_args_t *args)
{
    grn_status rc;
    summary_t s = { 0 };
    grn_names_t chosen = { 0 };
    grn_figure_t f = { { 0 }, "Share of cells with a regulon on, by cell type" };
    GRN_TRY(read_summary(args->v[0], &s));
    GRN_TRY(choose(&s, args->v[0], &chosen));
    GRN_TRY(draw(&s, &chosen, &f));
    rc = grn_figure_draw(&f, &opt.fig);
end:
    summary_clear(&s);
    grn_names_clear(&chosen);
    grn_figure_clear(&f);
    return rc;
}

static const grn_opt_t table[] = {
    GRN_OPT_HEAD("What to draw"),
    GRN_OPT_LIST('r', "regulon", "NAME", &opt.regulons, "draw this regulon; may be repeated [the most specific ones]"),
    GRN_OPT_INT(0, "top", "INT", &opt.top, 1, 100, "most specific regulons of each type, when none is named"),
    GRN_FIGURE_OPTIONS(opt.fig),
    GRN_OPT_END,
};
const grn_subtool_t grn_plot_onoff = {
    { "grn-plot onoff", "Share of cells with a regulon on, by cell type: a dot plot.", "[options] SUMMARY.tsv", table, 1, 1, NULL }, run
};
