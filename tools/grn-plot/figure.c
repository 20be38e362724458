#include "grn-plot/figure.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"

const char *grn_figure_colour(size_t k)
{
    static const char *const c[] = { "#0072B2", "#D55E00", "#009E73", "#CC79A7",
                                     "#E69F00", "#56B4E9", "#000000", "#999999" };
    return c[k % (sizeof c / sizeof *c)];
}

grn_status grn_figure_quote(grn_figure_t *f, const char *s)
{
    grn_status rc = grn_str_puts(&f->script, "\"");
    for (; *s && !rc; s++) {
        if (strchr("_^{}@&~", *s)) rc = grn_str_puts(&f->script, "\\\\"); /* enhanced text */
        else if (*s == '"' || *s == '\\') rc = grn_str_puts(&f->script, "\\");
        if (!rc) rc = grn_str_add(&f->script, s, 1);
    }
    return rc ? rc : grn_str_puts(&f->script, "\"");
}

/* Reads a descriptor to its end. */
static grn_status slurp(int fd, grn_str_t *out)
{
    char buf[65536];
    for (;;) {
        ssize_t k = read(fd, buf, sizeof buf);
        if (k < 0 && errno == EINTR) continue;
        if (k < 0) return grn_err(GRN_EIO, "cannot read from gnuplot: %s", strerror(errno));
        if (k == 0) return GRN_OK;
        if (grn_str_add(out, buf, (size_t)k)) return GRN_ENOMEM;
    }
}

/* gnuplot with stdin = script, stdout = pipe, stderr = a temporary file (so that neither side can
 * block). */
static grn_status run_gnuplot(const grn_str_t *script, grn_str_t *out)
{
    grn_status rc = GRN_OK;
    int in = -1, err = -1, p[2] = { -1, -1 }, status;
    char first[256];
    GRN_TRY(grn_tmp_open(&in));
    GRN_TRY(grn_tmp_open(&err));
    GRN_TRY(grn_write_full(in, script->s, script->n, "temporary file"));
    if (lseek(in, 0, SEEK_SET) != 0 || pipe(p))
        GRN_FAIL(GRN_EIO, "cannot start gnuplot: %s", strerror(errno));
    pid_t pid = fork();
    if (pid < 0) GRN_FAIL(GRN_EIO, "cannot start gnuplot: %s", strerror(errno));
    if (pid == 0) {
        dup2(in, STDIN_FILENO);
        dup2(p[1], STDOUT_FILENO);
        dup2(err, STDERR_FILENO);
        close(p[0]);
        execlp("gnuplot", "gnuplot", "-", (char *)NULL);
        _exit(127);
    }
    close(p[1]);
    p[1] = -1;
    rc = slurp(p[0], out);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {}
    if (rc) goto end;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
        GRN_FAIL(GRN_EIO, "gnuplot is not installed (apt-get install gnuplot-nox)");
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || out->n == 0) {
        ssize_t k = pread(err, first, sizeof first - 1, 0);
        first[k > 0 ? k : 0] = 0;
        for (char *c = first; *c; c++)
            if (*c == '\n') *c = ' ';
        GRN_FAIL(GRN_EIO, "gnuplot failed: %s", first);
    }
end:
    if (in >= 0) close(in);
    if (err >= 0) close(err);
    if (p[0] >= 0) close(p[0]);
    if (p[1] >= 0) close(p[1]);
    return rc;
}

/* gnuplot's SVG says <title>Gnuplot</title>: put the figure's own title there, for screen readers
 * and the report. */
static grn_status set_svg_title(grn_str_t *svg, const char *title)
{
    static const char mark[] = "<title>Gnuplot</title>";
    char *at = svg->s ? strstr(svg->s, mark) : NULL;
    grn_str_t s = { 0 };
    grn_status rc = GRN_OK;
    if (!at) return GRN_OK;
    GRN_TRY(grn_str_add(&s, svg->s, (size_t)(at - svg->s)));
    GRN_TRY(grn_str_puts(&s, "<title>"));
    for (const char *c = title; *c; c++)
        GRN_TRY(*c == '<'   ? grn_str_puts(&s, "&lt;")
                : *c == '&' ? grn_str_puts(&s, "&amp;")
                            : grn_str_add(&s, c, 1));
    GRN_TRY(grn_str_puts(&s, "</title>"));
    GRN_TRY(grn_str_puts(&s, at + sizeof mark - 1));
    grn_str_clear(svg);
    *svg = s;
    return GRN_OK;
end:
    grn_str_clear(&s);
    return rc;
}

static const char *format_of(const grn_figure_opt_t *opt)
{
    if (opt->format) return opt->format;
    return grn_str_ends(opt->out, ".png")   ? "png"
           : grn_str_ends(opt->out, ".pdf") ? "pdf"
           : grn_str_ends(opt->out, ".gp")  ? "script"
                                            : "svg";
}

static grn_status terminal(grn_str_t *s, const char *format, const grn_figure_opt_t *opt)
{
    static const char common[] = "set encoding utf8\nset border 3 lc rgb '#444444'\nset tics "
                                 "nomirror out\nset key noenhanced samplen 1.5\n"
                                 "set style fill solid 0.75 noborder\n";
    int w = (int)opt->width, h = (int)opt->height;
    grn_status rc;
    if (strcmp(format, "png") == 0)
        rc = grn_str_printf(s, "set terminal pngcairo size %d,%d font 'sans,11'\n", w, h);
    else if (strcmp(format, "pdf") == 0)
        rc = grn_str_printf(s, "set terminal pdfcairo size %.3fin,%.3fin font 'sans,11'\n",
                            w / 100.0, h / 100.0);
    else
        rc = grn_str_printf(
            s, "set terminal svg size %d,%d dynamic font 'sans-serif,12' background rgb 'white'\n",
            w, h);
    return rc ? rc : grn_str_puts(s, common);
}

grn_status grn_figure_draw(grn_figure_t *f, const grn_figure_opt_t *opt)
{
    grn_status rc = GRN_OK;
    const char *format = format_of(opt);
    int is_script = strcmp(format, "script") == 0,
        is_text = is_script || strcmp(format, "svg") == 0;
    grn_str_t script = { 0 }, drawn = { 0 };
    grn_out_t *o = NULL;
    GRN_TRY(terminal(&script, format, opt));
    GRN_TRY(grn_str_add(&script, f->script.s, f->script.n));
    if (!is_script) GRN_TRY(run_gnuplot(&script, &drawn));
    if (strcmp(format, "svg") == 0) GRN_TRY(set_svg_title(&drawn, f->title));
    GRN_TRY(grn_out_open(&o, opt->out, !is_text));
    GRN_TRY(is_script ? grn_out_write(o, script.s, script.n) : grn_out_write(o, drawn.s, drawn.n));
    rc = grn_out_commit(o);
    o = NULL;
end:
    grn_out_abort(o);
    grn_str_clear(&script);
    grn_str_clear(&drawn);
    return rc;
}

void grn_figure_clear(grn_figure_t *f)
{
    grn_str_clear(&f->script);
}
