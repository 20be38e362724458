/* Self-contained HTML pages: nothing is fetched from a network. */
#ifndef GRN_IO_HTML_H
#define GRN_IO_HTML_H

#include "base/file.h"

/* Text with < > & and double quotes escaped: for content and quoted attributes. */
grn_status grn_html_text(grn_out_t *o, const char *s) GRN_MUST_USE;
/* Everything up to the heading; `style`: more CSS, or "". */
grn_status grn_html_begin(grn_out_t *o, const char *title, const char *style) GRN_MUST_USE;
grn_status grn_html_end(grn_out_t *o) GRN_MUST_USE; /* with the version */

#endif
