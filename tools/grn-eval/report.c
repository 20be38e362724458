/* One self-contained HTML page: result tables and figures in the order given, with how each was
 * made. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "grn-eval/eval.h"
#include "io/container.h"
#include "io/html.h"
#include "io/prov.h"

static struct {
    const char *out, *title, *text;
    int64_t max_rows;
} opt = { "-", "grn-tools report", NULL, 60 };

static grn_status put_cell(grn_out_t *o, const grn_attr_t *a, size_t i)
{
    grn_status rc;
    if (a->code) {
        GRN_TRY(grn_out_puts(o, "<td class=t>"));
        GRN_TRY(grn_html_text(o, grn_result_text(a, i)));
    } else if (isnan(a->num[i])) {
        GRN_TRY(grn_out_puts(o, "<td>-"));
    } else {
        GRN_TRY(grn_out_printf(o, "<td>%.4g", a->num[i]));
    }
    rc = grn_out_puts(o, "</td>");
end:
    return rc;
}

static grn_status put_table(grn_out_t *o, const grn_result_t *r)
{
    grn_status rc;
    size_t n = r->n < (size_t)opt.max_rows ? r->n : (size_t)opt.max_rows;
    GRN_TRY(grn_out_puts(o, "<table><tr>"));
    for (size_t k = 0; k < r->col.n; k++) {
        GRN_TRY(grn_out_puts(o, r->col.a[k].code ? "<th class=t>" : "<th>"));
        GRN_TRY(grn_html_text(o, r->col.a[k].name));
        GRN_TRY(grn_out_puts(o, "</th>"));
    }
    GRN_TRY(grn_out_puts(o, "</tr>\n"));
    for (size_t i = 0; i < n; i++) {
        GRN_TRY(grn_out_puts(o, "<tr>"));
        for (size_t k = 0; k < r->col.n; k++) GRN_TRY(put_cell(o, &r->col.a[k], i));
        GRN_TRY(grn_out_puts(o, "</tr>\n"));
    }
    GRN_TRY(grn_out_puts(o, "</table>\n"));
    if (n < r->n) GRN_TRY(grn_out_printf(o, "<p>first %zu of %zu rows</p>\n", n, r->n));
end:
    return rc;
}

static grn_status put_heading(grn_out_t *o, const char *text)
{
    grn_status rc;
    GRN_TRY(grn_out_puts(o, "<h2>"));
    GRN_TRY(grn_html_text(o, text));
    rc = grn_out_puts(o, "</h2>\n");
end:
    return rc;
}

static grn_status put_result(grn_out_t *o, const char *path)
{
    grn_status rc;
    grn_result_t r = { 0 };
    grn_cr_t *c = NULL;
    GRN_TRY(grn_result_load(path, grn_common.pool, &r));
    GRN_TRY(put_heading(o, r.title));
    GRN_TRY(put_table(o, &r));
    GRN_TRY(grn_cr_open(&c, path, grn_common.pool));
    const char *command = grn_cr_meta(c, "command"), *seed = grn_cr_meta(c, "seed");
    if (command) {
        GRN_TRY(grn_out_puts(o, "<details><summary>how this was made</summary><pre>"));
        GRN_TRY(grn_html_text(o, command));
        GRN_TRY(grn_out_printf(o, "\nseed %s</pre></details>\n", seed ? seed : "-"));
    }
end:
    grn_cr_close(c);
    grn_result_clear(&r);
    return rc;
}

/* Whole file as a string. */
static grn_status slurp(const char *path, grn_str_t *s)
{
    grn_status rc = GRN_OK;
    FILE *f = fopen(path, "rb");
    char buf[65536];
    size_t n;
    if (!f) return grn_err(GRN_EIO, "cannot open '%s'", path);
    while ((n = fread(buf, 1, sizeof buf, f)) > 0) GRN_TRY(grn_str_add(s, buf, n));
    if (ferror(f)) rc = grn_err(GRN_EIO, "cannot read '%s'", path);
end:
    fclose(f);
    return rc;
}

/* The <svg> element inline, under its own <title>; ids are made unique so that figures do not share
 * clip paths. */
static grn_status put_svg(grn_out_t *o, const char *path, int number)
{
    grn_status rc;
    grn_str_t s = { 0 }, title = { 0 };
    GRN_TRY(slurp(path, &s));
    const char *svg = s.s ? strstr(s.s, "<svg") : NULL, *t = s.s ? strstr(s.s, "<title>") : NULL,
               *end = t ? strstr(t, "</title>") : NULL;
    if (!svg || !strstr(svg, "</svg>"))
        GRN_FAIL(GRN_EFORMAT, "'%s' is not a whole SVG figure", path);
    if (end) GRN_TRY(grn_str_add(&title, t + 7, (size_t)(end - t - 7)));
    GRN_TRY(grn_out_printf(o, "<h2>%s</h2>\n",
                           title.s ? title.s
                                   : grn_path_base(path))); /* already escaped inside the SVG */
    for (const char *p = svg; *p; p++) {
        static const char *const marks[] = { "id='",          "id=\"",          "url(#",
                                             "xlink:href='#", "xlink:href=\"#", "href='#" };
        GRN_TRY(grn_out_write(o, p, 1));
        for (size_t k = 0; k < sizeof marks / sizeof *marks; k++) {
            size_t n = strlen(marks[k]);
            if ((size_t)(p + 1 - svg) >= n && memcmp(p + 1 - n, marks[k], n) == 0) {
                GRN_TRY(grn_out_printf(o, "f%d_", number));
                break;
            }
        }
    }
end:
    grn_str_clear(&s);
    grn_str_clear(&title);
    return rc;
}

static grn_status put_text(grn_out_t *o, const char *path)
{
    grn_status rc;
    grn_str_t s = { 0 };
    GRN_TRY(slurp(path, &s));
    GRN_TRY(grn_out_puts(o, "<pre>"));
    GRN_TRY(grn_html_text(o, s.s ? s.s : ""));
    rc = grn_out_puts(o, "</pre>\n");
end:
    grn_str_clear(&s);
    return rc;
}

static grn_status put_operand(grn_out_t *o, const char *path, int number)
{
    if (grn_str_ends(path, ".svg")) return put_svg(o, path, number);
    if (grn_str_ends(path, ".zst") || grn_cr_sniff(path)) return put_result(o, path);
    grn_status rc = put_heading(o, grn_path_base(path));
    return rc ? rc : put_text(o, path);
}

static grn_status run(const grn_args_t *args)
{
    grn_status rc;
    grn_out_t *o = NULL;
    GRN_TRY(grn_out_open(&o, opt.out, 0));
    GRN_TRY(grn_html_begin(o, opt.title, ""));
    if (opt.text) GRN_TRY(put_text(o, opt.text));
    for (int k = 0; k < args->n; k++) GRN_TRY(put_operand(o, args->v[k], k));
    GRN_TRY(grn_html_end(o));
    rc = grn_out_commit(o);
    o = NULL;
end:
    grn_out_abort(o);
    return rc;
}

static const grn_opt_t table[] = {
    GRN_OPT_HEAD("Report"),
    GRN_OPT_STR('o', "output", "FILE", &opt.out, "the page"),
    GRN_OPT_STR(0, "title", "TEXT", &opt.title, "its heading"),
    GRN_OPT_STR(0, "text", "FILE", &opt.text, "text shown at the top (a summary)"),
    GRN_OPT_INT(0, "max-rows", "INT", &opt.max_rows, 1, 1000000, "rows shown of each table"),
    GRN_OPT_END,
};
const grn_subtool_t grn_eval_report = {
    { "grn-eval report",
      "One self-contained HTML page of result tables, figures (SVG) and text files, in the order "
      "given.",
      "[options] FILE...", table, 1, -1,
      "  grn-eval report -o report.html network.tensor.zst curve.svg loss.svg\n" },
    run
};
