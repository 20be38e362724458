/* The page of enriched motifs: a table per set and method with logos, as pycistarget's. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "enrich.h"
#include "io/html.h"
#include "logo.h"

#define MAX_ROWS 300 /* of a table; enriched.tsv has them all */
#define LOGO_PX 36
#define MAX_LOGOS 3 /* of a cluster */

static const char style[] =
    "body{max-width:1500px}td{vertical-align:middle}td.w{text-align:left;white-space:normal;max-width:22em}"
    "svg.logo{vertical-align:middle;max-width:none}#q{font-size:15px;padding:.3em;width:24em}nav a{margin-right:1em}";

/* Rows are hidden whose text lacks the words typed; sections without rows too. */
static const char script[] = "<script>document.getElementById('q').oninput=function(){var w=this.value.toLowerCase().split(/\\s+/);"
                             "document.querySelectorAll('section').forEach(function(s){var any=false,name=s.dataset.name.toLowerCase();"
                             "s.querySelectorAll('tbody tr').forEach(function(r){var t=name+' '+r.textContent.toLowerCase(),"
                             "on=w.every(function(x){return "
                             "t.indexOf(x)>=0});r.style.display=on?'':'none';any=any||on});s.style.display=any?'':'none'})}</script>\n";

static grn_status put_tfs(const grn_enrich_report_t *r, grn_out_t *o, uint32_t motif, grn_str_t *s)
{
    grn_status rc = GRN_OK;
    for (int kind = GRN_M2T_DIRECT; kind <= GRN_M2T_BOTH; kind *= 2) {
        GRN_TRY(grn_enrich_tfs_of(r->a, motif, kind, s));
        GRN_TRY(grn_out_puts(o, "<td class=w>"));
        GRN_TRY(grn_html_text(o, s->n ? s->s : ""));
    }
end:
    return rc;
}

/* Of the first matrices of a cluster. */
static grn_status put_logos(const grn_enrich_report_t *r, grn_out_t *o, size_t k)
{
    grn_status rc = GRN_OK;
    size_t first = r->motifs->first[k], n = r->motifs->first[k + 1] - first;
    for (size_t i = 0; i < n && i < MAX_LOGOS; i++) {
        if (i) GRN_TRY(grn_out_puts(o, "<br>"));
        GRN_TRY(grn_logo_svg(o, &r->motifs->motif[first + i], LOGO_PX));
    }
    if (n > MAX_LOGOS) GRN_TRY(grn_out_printf(o, "<br>and %zu more", n - MAX_LOGOS));
end:
    return rc;
}

static grn_status put_row(const grn_enrich_report_t *r, grn_out_t *o, const grn_enriched_t *x, grn_str_t *s)
{
    grn_status rc = GRN_OK;
    const char *name = grn_names_get(&r->e->motifs, x->motif);
    size_t k = grn_names_find(&r->motifs->names, name);
    GRN_TRY(grn_out_puts(o, "<tr>"));
    if (r->motifs->n) {
        GRN_TRY(grn_out_puts(o, "<td class=t>"));
        if (k != GRN_NAMES_NONE) GRN_TRY(put_logos(r, o, k));
    }
    GRN_TRY(grn_out_puts(o, "<td class=t>"));
    GRN_TRY(grn_html_text(o, name));
    if (x->method == GRN_CISTARGET) {
        if (isnan(x->nes)) GRN_TRY(grn_out_puts(o, "<td>NA"));
        else GRN_TRY(grn_out_printf(o, "<td>%.2f", x->nes));
        GRN_TRY(grn_out_printf(o, "<td>%.4g<td>%" PRIu32, x->auc, x->rank_at_max));
    } else {
        GRN_TRY(grn_out_printf(o, "<td>%.2f%s<td>%.3g<td>%.1f<td>%.3g<td>%.3g", x->dem.log2fc, x->dem.capped ? "*" : "", x->dem.p_adj,
                               x->dem.log_p / log(10), x->dem.mean_fg, x->dem.mean_bg));
    }
    GRN_TRY(grn_out_printf(o, "<td>%zu", x->n_item));
    GRN_TRY(put_tfs(r, o, x->motif, s));
    GRN_TRY(grn_out_puts(o, "</tr>\n"));
end:
    return rc;
}

static grn_status put_section(const grn_enrich_report_t *r, grn_out_t *o, size_t first, size_t last, grn_str_t *s)
{
    grn_status rc = GRN_OK;
    const grn_enriched_t *x = &r->e->v[first];
    const char *set = r->sets->v[x->set].name;
    size_t n = last - first, shown = n < MAX_ROWS ? n : MAX_ROWS;
    const grn_enrich_set_t *told = &r->e->set[x->method][x->set];
    GRN_TRY(grn_out_puts(o, "<section data-name=\""));
    GRN_TRY(grn_html_text(o, set));
    GRN_TRY(grn_out_printf(o, "\" id=s%" PRIu32 "_%d><h2>", x->set, x->method));
    GRN_TRY(grn_html_text(o, set));
    GRN_TRY(grn_out_printf(o, " &middot; %s</h2>\n<p>%zu of %zu regions are in the database; ",
                           x->method == GRN_CISTARGET ? "cisTarget" : "DEM", told->n_mapped, told->n_items));
    if (x->method == GRN_DEM) GRN_TRY(grn_out_printf(o, "%zu in the background; ", told->n_bg));
    GRN_TRY(grn_out_printf(o, "%zu of %zu motifs are enriched", n, r->e->n_motifs_tested[x->method]));
    if (shown < n) GRN_TRY(grn_out_printf(o, ", the first %zu are shown (all are in enriched.tsv)", shown));
    GRN_TRY(grn_out_printf(
        o,
        ".</p>\n<table><thead><tr>%s<th class=t>motif%s<th>hits<th class=t>TFs, direct<th class=t>by similarity<th class=t>by "
        "orthology<th class=t>by both</tr></thead><tbody>\n",
        r->motifs->n ? "<th class=t>logo" : "",
        x->method == GRN_CISTARGET ? "<th>NES<th>AUC<th>rank at max"
                                   : "<th>log2FC<th>adj. p<th>log10 p<th>mean, set<th>mean, background"));
    for (size_t i = first; i < first + shown; i++) GRN_TRY(put_row(r, o, &r->e->v[i], s));
    GRN_TRY(grn_out_puts(o, "</tbody></table></section>\n"));
end:
    return rc;
}

static size_t section_end(const grn_enrich_t *e, size_t i)
{
    size_t j = i;
    while (j < e->n && e->v[j].set == e->v[i].set && e->v[j].method == e->v[i].method) j++;
    return j;
}

static grn_status put_head(const grn_enrich_report_t *r, grn_out_t *o)
{
    grn_status rc = GRN_OK;
    const grn_enrich_opt_t *p = r->opt;
    GRN_TRY(grn_out_puts(o, "<p>"));
    if (r->e->set[GRN_CISTARGET])
        GRN_TRY(grn_out_printf(o, "cisTarget: NES &ge; %g, AUC of the first %g of the ranking, leading edge within %g. ", p->min_nes,
                               p->auc_threshold, p->rank_threshold));
    if (r->e->set[GRN_DEM])
        GRN_TRY(grn_out_printf(o, "DEM: log2FC &ge; %g, adjusted p &le; %g (* cut: a mean is about 0). ", p->min_log2fc, p->max_adj_p));
    GRN_TRY(grn_out_puts(o, "Annotations that count: "));
    GRN_TRY(grn_html_text(o, r->annotations));
    GRN_TRY(grn_out_printf(o, ".%s%s</p>\n<p><input id=q placeholder=\"filter: set, motif, TF\"></p>\n<nav>",
                           r->motifs->n ? "" : " No logos: no --motifs FILE was given.",
                           r->e->n ? "" : " <b>No motif is enriched.</b>"));
    for (size_t i = 0; i < r->e->n; i = section_end(r->e, i)) {
        const grn_enriched_t *x = &r->e->v[i];
        GRN_TRY(grn_out_printf(o, "<a href=\"#s%" PRIu32 "_%d\">", x->set, x->method));
        GRN_TRY(grn_html_text(o, r->sets->v[x->set].name));
        GRN_TRY(grn_out_printf(o, " %s</a>", x->method == GRN_CISTARGET ? "cisTarget" : "DEM"));
    }
    GRN_TRY(grn_out_puts(o, "</nav>\n"));
end:
    return rc;
}

grn_status grn_enrich_write_html(const grn_enrich_report_t *r, const char *path)
{
    grn_status rc = GRN_OK;
    grn_out_t *o = NULL;
    grn_str_t s = { 0 };
    GRN_TRY(grn_out_open(&o, path, 0));
    GRN_TRY(grn_html_begin(o, "Enriched motifs", style));
    GRN_TRY(put_head(r, o));
    if (r->motifs->n) GRN_TRY(grn_logo_letters(o));
    for (size_t i = 0, j; i < r->e->n; i = j) {
        j = section_end(r->e, i);
        GRN_TRY(put_section(r, o, i, j, &s));
    }
    GRN_TRY(grn_out_puts(o, script));
    GRN_TRY(grn_html_end(o));
    rc = grn_out_commit(o);
    o = NULL;
end:
    grn_out_abort(o);
    grn_str_clear(&s);
    return rc;
}
