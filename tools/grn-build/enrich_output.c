/* Tables of grn-build enrich. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "enrich.h"
#include "io/chrom.h"
#include "io/prov.h"

const char *grn_enrich_method(int method)
{
    return method == GRN_CISTARGET ? "cistarget" : "dem";
}

grn_status grn_enrich_tfs_of(const grn_annotation_t *a, uint32_t motif, int kind, grn_str_t *s)
{
    grn_status rc = GRN_OK;
    s->n = 0;
    GRN_TRY(grn_str_puts(s, ""));
    if (s->s) s->s[0] = 0;
    for (size_t i = a->off[motif]; i < a->off[motif + 1]; i++)
        if (a->v[i].kind & kind) GRN_TRY(grn_str_printf(s, "%s%s", s->n ? ", " : "", grn_names_get(&a->tfs, a->v[i].tf)));
end:
    return rc;
}

/* A number, or NA. */
static grn_status put_number(grn_out_t *o, double x)
{
    char text[32];
    return isnan(x) ? grn_out_puts(o, "\tNA") : grn_out_printf(o, "\t%s", grn_fmt_f64(text, x));
}

typedef grn_status (*put_fn)(const grn_enrich_report_t *, grn_out_t *);

static grn_status write_file(const grn_enrich_report_t *r, const char *path, put_fn put)
{
    grn_status rc = GRN_OK;
    grn_out_t *o = NULL;
    GRN_TRY(grn_out_open(&o, path, 0));
    GRN_TRY(grn_prov_text(o));
    GRN_TRY(put(r, o));
    rc = grn_out_commit(o);
    o = NULL;
end:
    grn_out_abort(o);
    return rc;
}

/* ---- enriched motifs ---- */

static grn_status put_statistics(grn_out_t *o, const grn_enriched_t *x)
{
    grn_status rc = GRN_OK;
    int dem = x->method == GRN_DEM;
    GRN_TRY(put_number(o, x->nes));
    GRN_TRY(put_number(o, x->auc));
    GRN_TRY(dem ? grn_out_puts(o, "\tNA") : grn_out_printf(o, "\t%" PRIu32, x->rank_at_max));
    GRN_TRY(put_number(o, dem ? x->dem.log2fc : NAN));
    GRN_TRY(put_number(o, dem ? x->dem.mean_fg : NAN));
    GRN_TRY(put_number(o, dem ? x->dem.mean_bg : NAN));
    GRN_TRY(put_number(o, dem ? exp(x->dem.log_p) : NAN));
    GRN_TRY(put_number(o, dem ? x->dem.p_adj : NAN));
    GRN_TRY(put_number(o, dem ? x->dem.log_p / log(10) : NAN));
    GRN_TRY(put_number(o, x->threshold));
    GRN_TRY(grn_out_printf(o, "\t%s", dem && x->dem.capped ? "capped" : "."));
end:
    return rc;
}

static grn_status put_enriched(const grn_enrich_report_t *r, grn_out_t *o)
{
    grn_status rc = GRN_OK;
    grn_str_t tfs = { 0 };
    GRN_TRY(grn_out_puts(
        o, "set\tmethod\tmotif\tnes\tauc\trank_at_max\tlog2fc\tmean_fg\tmean_bg\tp\tp_adj\tlog10_p\thit_threshold\tflag\tn_hits"
           "\tn_set\ttfs_direct\ttfs_similar\ttfs_orthology\ttfs_both\n"));
    for (size_t i = 0; i < r->e->n; i++) {
        const grn_enriched_t *x = &r->e->v[i];
        GRN_TRY(grn_out_printf(o, "%s\t%s\t%s", r->sets->v[x->set].name, grn_enrich_method(x->method),
                               grn_names_get(&r->e->motifs, x->motif)));
        GRN_TRY(put_statistics(o, x));
        GRN_TRY(grn_out_printf(o, "\t%zu\t%zu", x->n_item, r->e->set[x->method][x->set].n_mapped));
        for (int kind = GRN_M2T_DIRECT; kind <= GRN_M2T_BOTH; kind *= 2) {
            GRN_TRY(grn_enrich_tfs_of(r->a, x->motif, kind, &tfs));
            GRN_TRY(grn_out_printf(o, "\t%s", tfs.n ? tfs.s : "."));
        }
        GRN_TRY(grn_out_puts(o, "\n"));
    }
end:
    grn_str_clear(&tfs);
    return rc;
}

grn_status grn_enrich_write_table(const grn_enrich_report_t *r, const char *path)
{
    return write_file(r, path, put_enriched);
}

/* ---- sets ---- */

static grn_status put_sets(const grn_enrich_report_t *r, grn_out_t *o)
{
    grn_status rc = GRN_OK;
    GRN_TRY(
        grn_out_puts(o,
                     "set\tmethod\ttested\tn_regions\tn_mapped\tn_database\tn_background\tn_candidates\tpromoters\tbackground_promoters"
                     "\tn_motifs\tn_enriched\n"));
    for (size_t s = 0; s < r->sets->n; s++)
        for (int m = 1; m < 3; m++) {
            if (!r->e->set[m]) continue;
            const grn_enrich_set_t *x = &r->e->set[m][s];
            GRN_TRY(grn_out_printf(o, "%s\t%s\t%s\t%zu\t%zu\t%zu", r->sets->v[s].name, grn_enrich_method(m), x->tested ? "yes" : "no",
                                   x->n_items, x->n_mapped, x->n_cols));
            GRN_TRY(m == GRN_DEM ? grn_out_printf(o, "\t%zu\t%zu", x->n_bg, x->n_candidates) : grn_out_puts(o, "\tNA\tNA"));
            GRN_TRY(m == GRN_DEM && r->opt->genes ? grn_out_printf(o, "\t%zu\t%zu", x->fg_promoters, x->bg_promoters)
                                                  : grn_out_puts(o, "\tNA\tNA"));
            GRN_TRY(grn_out_printf(o, "\t%zu\t%zu\n", r->e->n_motifs_tested[m], x->n_enriched));
        }
end:
    return rc;
}

grn_status grn_enrich_write_sets(const grn_enrich_report_t *r, const char *path)
{
    return write_file(r, path, put_sets);
}

/* ---- TFs ---- */

enum { NO_MOTIF, NOT_LISTED, NOT_EXPRESSED, NOT_ENRICHED, NO_REGION, KEPT, N_STEPS };
static const char *const lost_at[N_STEPS] = { "no motif in the database", "not in the TF list",   "not in the expression matrix",
                                              "no enriched motif",        "no region with a hit", "." };

static int step_of(const grn_enrich_report_t *r, size_t tf)
{
    const grn_annotation_t *a = r->a;
    return !a->n_motifs[tf]                                         ? NO_MOTIF
           : !a->listed[tf]                                         ? NOT_LISTED
           : !a->expressed[tf]                                      ? NOT_EXPRESSED
           : !r->counts->n_enriched[tf]                             ? NOT_ENRICHED
           : !(r->counts->n_direct[tf] + r->counts->n_extended[tf]) ? NO_REGION
                                                                    : KEPT;
}

static grn_status put_tfs(const grn_enrich_report_t *r, grn_out_t *o)
{
    grn_status rc = GRN_OK;
    const grn_annotation_t *a = r->a;
    uint32_t *order = NULL;
    GRN_TRY(GRN_NEW_RAW(order, a->tfs.n));
    GRN_TRY(grn_names_sort(&a->tfs, order));
    GRN_TRY(grn_out_puts(o, "tf\tn_motifs\tlisted\texpressed\tn_enriched\tdirect_regions\textended_regions\tlost_at\n"));
    for (size_t i = 0; i < a->tfs.n; i++) {
        size_t k = order[i];
        GRN_TRY(grn_out_printf(o, "%s\t%" PRIu32 "\t%s\t%s\t%" PRIu32 "\t%" PRIu32 "\t%" PRIu32 "\t%s\n", grn_names_get(&a->tfs, k),
                               a->n_motifs[k],
                               !a->has_tfs    ? "NA"
                               : a->listed[k] ? "yes"
                                              : "no",
                               !a->has_matrix    ? "NA"
                               : a->expressed[k] ? "yes"
                                                 : "no",
                               r->counts->n_enriched[k], r->counts->n_direct[k], r->counts->n_extended[k], lost_at[step_of(r, k)]));
    }
end:
    free(order);
    return rc;
}

grn_status grn_enrich_write_tfs(const grn_enrich_report_t *r, const char *path)
{
    return write_file(r, path, put_tfs);
}

grn_status grn_enrich_tf_funnel(const grn_enrich_report_t *r)
{
    grn_status rc = GRN_OK;
    static const char *const passes[N_STEPS - 1] = { "TFs with a motif in the database", "of these, in the TF list",
                                                     "of these, in the expression matrix", "of these, with an enriched motif",
                                                     "of these, with a region" };
    grn_names_t lost[N_STEPS] = { { 0 } };
    char text[400];
    size_t left = r->a->tfs.n;
    for (size_t k = 0; k < r->a->tfs.n; k++) GRN_TRY(grn_names_add(&lost[step_of(r, k)], grn_names_get(&r->a->tfs, k), NULL, NULL));
    for (int s = 0; s < KEPT; s++) {
        if ((s == NOT_LISTED && !r->a->has_tfs) || (s == NOT_EXPRESSED && !r->a->has_matrix)) continue;
        left -= lost[s].n;
        GRN_TRY(grn_funnel_add(&r->e->funnel, "TFs", left, lost[s].n, "%s", passes[s]));
        if (lost[s].n) grn_log_info("  lost (%s): %s", lost_at[s], grn_names_show(&lost[s], 10, text, sizeof text));
    }
end:
    for (int s = 0; s < N_STEPS; s++) grn_names_clear(&lost[s]);
    return rc;
}
