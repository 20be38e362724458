/* A figure: a gnuplot script built in memory, drawn by the gnuplot program, written atomically with
 * its title inside. Series data are inlined as gnuplot datablocks, so a script (--script) is
 * self-contained. */
#ifndef GRN_PLOT_FIGURE_H
#define GRN_PLOT_FIGURE_H

#include "base/err.h"
#include "base/str.h"

typedef struct {
    grn_str_t script;
    const char *title; /* borrowed; <title> of the SVG and caption in reports */
} grn_figure_t;

/* Options every figure has. */
typedef struct {
    const char *out, *format; /* svg | png | pdf | script; NULL: by the suffix of out */
    int64_t width, height;    /* pixels */
} grn_figure_opt_t;
#define GRN_FIGURE_OPT_INIT(w, h) { "-", NULL, w, h }
#define GRN_FIGURE_OPTIONS(f) \
    GRN_OPT_HEAD("Figure"), GRN_OPT_STR('o', "output", "FILE", &(f).out, "where the figure goes"), \
        GRN_OPT_ENUM(0, "format", "svg|png|pdf|script", &(f).format, \
                     "by the suffix of the output, else svg"), \
        GRN_OPT_INT(0, "width", "PIXELS", &(f).width, 100, 10000, "width"), \
        GRN_OPT_INT(0, "height", "PIXELS", &(f).height, 100, 10000, "height")

/* Line colours (Okabe & Ito 2008: distinguishable with colour blindness), as gnuplot strings; k
 * wraps around. */
const char *grn_figure_colour(size_t k);
/* Appends a string as a gnuplot literal in double quotes, with enhanced-text characters escaped. */
grn_status grn_figure_quote(grn_figure_t *f, const char *s) GRN_MUST_USE;
/* Runs gnuplot on the script and writes the figure. GRN_EIO when gnuplot is missing or fails (its
 * first message is passed on). */
grn_status grn_figure_draw(grn_figure_t *f, const grn_figure_opt_t *opt) GRN_MUST_USE;
void grn_figure_clear(grn_figure_t *f);

#endif
