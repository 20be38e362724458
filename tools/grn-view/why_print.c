#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "grn-view/why.h"

void why_table_clear(why_table_t *t)
{
    grn_str_clear(&t->text);
    free(t->off);
    *t = (why_table_t){ 0 };
}

grn_status why_cell(why_table_t *t, const char *fmt, ...)
{
    grn_status rc = GRN_OK;
    char buf[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(buf, sizeof buf, fmt, ap);
    va_end(ap);
    GRN_TRY(GRN_GROW(t->off, t->cap, t->n + 1));
    t->off[t->n++] = t->text.n;
    rc = grn_str_add(&t->text, buf, strlen(buf) + 1);
end:
    return rc;
}

grn_status why_cell_num(why_table_t *t, double x)
{
    return isnan(x) ? why_cell(t, "-") : why_cell(t, "%.4g", x);
}

grn_status why_cell_bp(why_table_t *t, double x)
{
    char buf[32];
    return isnan(x) ? why_cell(t, "-")
                    : why_cell(t, "%s%s", x < 0 ? "-" : "", why_commas(buf, (uint64_t)fabs(x)));
}

grn_status why_table_print(const why_table_t *t, grn_out_t *o)
{
    grn_status rc = GRN_OK;
    size_t *width = NULL;
    GRN_TRY(GRN_NEW(width, t->n_cols));
    for (size_t i = 0; i < t->n; i++) {
        size_t n = strlen(t->text.s + t->off[i]);
        if (n > width[i % t->n_cols]) width[i % t->n_cols] = n;
    }
    for (size_t i = 0; i < t->n; i++) {
        size_t c = i % t->n_cols;
        int left = t->left >> c & 1, last = c + 1 == t->n_cols;
        const char *s = t->text.s + t->off[i];
        if (last && !*s) GRN_TRY(grn_out_puts(o, "\n")); /* no blanks at the end of a line */
        else
            GRN_TRY(grn_out_printf(o, "  %*s%s", left ? (last ? 0 : -(int)width[c]) : (int)width[c],
                                   s, last ? "\n" : ""));
    }
end:
    free(width);
    return rc;
}

grn_status why_tsv_text(grn_out_t *o, const char *what, const char *of, const char *context,
                        const char *key, const char *value)
{
    return grn_out_printf(o, "%s\t%s\t%s\t%s\t%s\n", what, of, context, key, value ? value : "");
}

grn_status why_tsv(grn_out_t *o, const char *what, const char *of, const char *context,
                   const char *key, double x)
{
    char buf[32];
    int is_float = (double)(float)x == x;
    return why_tsv_text(o, what, of, context, key,
                        isnan(x)   ? NULL
                        : is_float ? grn_fmt_f32(buf, (float)x)
                                   : grn_fmt_f64(buf, x));
}

char *why_commas(char *buf, uint64_t n)
{
    char digits[24];
    int k = snprintf(digits, sizeof digits, "%llu", (unsigned long long)n);
    char *to = buf;
    for (int i = 0; i < k; i++) {
        if (i && (k - i) % 3 == 0) *to++ = ',';
        *to++ = digits[i];
    }
    *to = 0;
    return buf;
}

char *why_ordinal(char *buf, uint64_t n)
{
    static const char *const end[] = { "th", "st", "nd", "rd" };
    size_t k = strlen(why_commas(buf, n));
    memcpy(buf + k, n % 10 < 4 && n % 100 / 10 != 1 ? end[n % 10] : "th", 3);
    return buf;
}
