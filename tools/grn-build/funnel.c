#include "funnel.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/log.h"

void grn_funnel_clear(grn_funnel_t *f)
{
    grn_str_clear(&f->json);
    *f = (grn_funnel_t){ 0 };
}

grn_status grn_funnel_quote(grn_str_t *b, const char *s)
{
    grn_status rc = grn_str_puts(b, "\"");
    for (; rc == GRN_OK && *s; s++) {
        if (*s == '"' || *s == '\\') rc = grn_str_printf(b, "\\%c", *s);
        else if ((unsigned char)*s < 32) rc = grn_str_printf(b, "\\u%04x", *s);
        else rc = grn_str_add(b, s, 1);
    }
    return rc == GRN_OK ? grn_str_puts(b, "\"") : rc;
}

grn_status grn_funnel_add(grn_funnel_t *f, const char *unit, uint64_t kept, uint64_t lost,
                          const char *step, ...)
{
    grn_status rc = GRN_OK;
    char text[512];
    va_list ap;
    if (f->quiet) return GRN_OK;
    va_start(ap, step);
    vsnprintf(text, sizeof text, step, ap);
    va_end(ap);
    grn_log_info("%s: kept %" PRIu64 " %s, lost %" PRIu64, text, kept, unit, lost);
    GRN_TRY(grn_str_puts(&f->json, f->n++ ? ",{\"step\":" : "[{\"step\":"));
    GRN_TRY(grn_funnel_quote(&f->json, text));
    GRN_TRY(grn_str_puts(&f->json, ",\"unit\":"));
    GRN_TRY(grn_funnel_quote(&f->json, unit));
    GRN_TRY(grn_str_printf(&f->json, ",\"kept\":%" PRIu64 ",\"lost\":%" PRIu64 "}", kept, lost));
end:
    return rc;
}

const char *grn_funnel_json(grn_funnel_t *f)
{
    if (f->n == 0) return "[]";
    if (f->json.s[f->json.n - 1] != ']' && grn_str_puts(&f->json, "]") != GRN_OK) return NULL;
    return f->json.s;
}
