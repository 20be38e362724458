#include "io/html.h"

#include "base/version.h"

static const char base_style[] = "body{font:15px/1.5 system-ui,sans-serif;color:#222;max-width:1100px;margin:2em auto;padding:0 "
                                 "1em}"
                                 "h1{font-size:1.6em}h2{font-size:1.15em;margin-top:2.2em;border-bottom:1px solid #ccc}"
                                 "table{border-collapse:collapse;font-size:13px;font-variant-numeric:tabular-nums;display:block;"
                                 "overflow-x:auto}"
                                 "td,th{padding:2px "
                                 "10px;text-align:right;white-space:nowrap}td.t,th.t{text-align:left}tr:nth-child(even){"
                                 "background:#f5f5f5}"
                                 "th{border-bottom:1px solid "
                                 "#888}svg{max-width:100%;height:auto}pre{font-size:12px;background:#f5f5f5;padding:.6em;"
                                 "overflow-x:auto;white-space:pre-wrap}"
                                 "details{color:#555;font-size:13px}";

grn_status grn_html_text(grn_out_t *o, const char *s)
{
    grn_status rc = GRN_OK;
    for (; *s && !rc; s++)
        rc = *s == '<'   ? grn_out_puts(o, "&lt;")
             : *s == '>' ? grn_out_puts(o, "&gt;")
             : *s == '&' ? grn_out_puts(o, "&amp;")
             : *s == '"' ? grn_out_puts(o, "&quot;")
                         : grn_out_write(o, s, 1);
    return rc;
}

grn_status grn_html_begin(grn_out_t *o, const char *title, const char *style)
{
    grn_status rc = GRN_OK;
    GRN_TRY(
        grn_out_puts(o,
                     "<!DOCTYPE html>\n<html lang=en><meta charset=utf-8><meta name=viewport content=\"width=device-width\"><title>"));
    GRN_TRY(grn_html_text(o, title));
    GRN_TRY(grn_out_printf(o, "</title><style>%s%s</style>\n<h1>", base_style, style));
    GRN_TRY(grn_html_text(o, title));
    GRN_TRY(grn_out_puts(o, "</h1>\n"));
end:
    return rc;
}

grn_status grn_html_end(grn_out_t *o)
{
    return grn_out_printf(o, "<p>grn-tools %s</p></html>\n", grn_version());
}
