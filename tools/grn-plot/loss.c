/* The training log of grn-train: tab-separated with a header; every column whose name ends in
 * "loss" becomes a line over `step`. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "grn-plot/figure.h"
#include "grn-plot/plot.h"
#include "io/text.h"

static grn_figure_opt_t opt = GRN_FIGURE_OPT_INIT(600, 380);

enum { MAX_COLUMNS = 32 };
typedef struct {
    char *name[MAX_COLUMNS];
    size_t n_col, step; /* columns; index of "step" */
    double *v;          /* (rows, n_col) */
    size_t n, cap;
} log_table_t;

static grn_status read_header(log_table_t *t, char *line, const char *path)
{
    char *field[MAX_COLUMNS];
    t->step = SIZE_MAX;
    t->n_col = grn_split(line, '\t', field, MAX_COLUMNS);
    for (size_t k = 0; k < t->n_col; k++) {
        if (!(t->name[k] = strdup(field[k]))) return grn_err(GRN_ENOMEM, "out of memory");
        if (strcmp(field[k], "step") == 0) t->step = k;
    }
    return t->step == SIZE_MAX
               ? grn_err(GRN_EFORMAT, "'%s' is not a training log: no column 'step'", path)
               : GRN_OK;
}

static grn_status read_log(const char *path, log_table_t *t)
{
    grn_status rc = GRN_OK;
    grn_text_t *in = NULL;
    char *line, *field[MAX_COLUMNS];
    size_t len;
    int got;
    GRN_TRY(grn_text_open(&in, path));
    while ((got = grn_text_next(in, &line, &len)) > 0) {
        if (line[0] == '#') continue;
        if (!t->n_col) {
            GRN_TRY(read_header(t, line, path));
            continue;
        }
        size_t n = grn_split(line, '\t', field, MAX_COLUMNS);
        if (n != t->n_col)
            GRN_TRY(grn_text_fail(in, GRN_EFORMAT, "%zu columns, expected %zu", n, t->n_col));
        GRN_TRY(GRN_GROW(t->v, t->cap, (t->n + 1) * t->n_col));
        for (size_t k = 0; k < n; k++)
            if (grn_parse_f64_any(field[k], &t->v[t->n * n + k])) t->v[t->n * n + k] = NAN;
        t->n++;
    }
    if (got < 0) rc = (grn_status)got;
    else if (!t->n_col) rc = grn_err(GRN_EFORMAT, "'%s' is empty", path);
end:
    grn_text_close(in);
    return rc;
}

static grn_status run(const grn_args_t *args)
{
    grn_status rc;
    log_table_t t = { 0 };
    grn_figure_t f = { { 0 }, "Training and validation loss" };
    size_t lines = 0;
    GRN_TRY(read_log(args->v[0], &t));
    for (size_t k = 0; k < t.n_col; k++) {
        if (!grn_str_ends(t.name[k], "loss")) continue;
        GRN_TRY(grn_str_printf(&f.script, "$s%zu << EOD\n", k));
        for (size_t i = 0; i < t.n; i++) {
            double x = t.v[i * t.n_col + t.step], y = t.v[i * t.n_col + k];
            if (isfinite(x) && isfinite(y)) GRN_TRY(grn_str_printf(&f.script, "%.9g %.6g\n", x, y));
        }
        GRN_TRY(grn_str_puts(&f.script, "EOD\n"));
    }
    GRN_TRY(grn_str_puts(
        &f.script,
        "set xlabel 'step'\nset ylabel 'masked mean squared error'\nset yrange [0:*]\nplot "));
    for (size_t k = 0; k < t.n_col; k++) {
        if (!grn_str_ends(t.name[k], "loss")) continue;
        GRN_TRY(grn_str_printf(&f.script,
                               "%s$s%zu with linespoints pt 7 ps 0.3 lw 2 lc rgb '%s' title ",
                               lines ? ", " : "", k, grn_figure_colour(lines)));
        GRN_TRY(grn_figure_quote(&f, t.name[k]));
        lines++;
    }
    GRN_TRY(grn_str_puts(&f.script, "\n"));
    if (!lines) GRN_FAIL(GRN_EFORMAT, "'%s' has no column whose name ends in 'loss'", args->v[0]);
    if (!t.n) GRN_FAIL(GRN_EEMPTY, "'%s' has no rows to draw", args->v[0]);
    rc = grn_figure_draw(&f, &opt);
end:
    for (size_t k = 0; k < t.n_col; k++) free(t.name[k]);
    free(t.v);
    grn_figure_clear(&f);
    return rc;
}

static const grn_opt_t table[] = { GRN_FIGURE_OPTIONS(opt), GRN_OPT_END };
const grn_subtool_t grn_plot_loss = { { "grn-plot loss", "Loss curves of a training log.",
                                        "[options] LOG.tsv", table, 1, 1, NULL },
                                      run };
