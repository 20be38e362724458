#include <math.h>

#include "base/file.h"
#include "base/str.h"
#include "grn-threshold/fit.h"

static grn_status put_number(grn_out_t *o, double x)
{
    return isnan(x) ? grn_out_puts(o, "\tNA") : grn_out_printf(o, "\t%.6g", x);
}

/* The candidates of --method aucell-r: the winner, those that count, all values. */
static grn_status put_candidates(grn_out_t *o, const grn_explore_t *e, int none)
{
    grn_status rc = GRN_OK;
    const char *before = "\t";
    GRN_TRY(grn_out_printf(o, "\t%s", none ? "NA" : grn_explore_name(e->won)));
    for (unsigned k = 0; k < GRN_EXPLORE_N && !none; k++) {
        if (!(e->counts >> k & 1)) continue;
        GRN_TRY(grn_out_printf(o, "%s%s", before, grn_explore_name((grn_explore_kind)k)));
        before = ",";
    }
    if (*before == '\t') GRN_TRY(grn_out_puts(o, "\tNA"));
    for (int k = 0; k < GRN_EXPLORE_N; k++) GRN_TRY(put_number(o, e->at[k]));
end:
    return rc;
}

static grn_status put_row(grn_out_t *o, const threshold_groups_t *g, const threshold_fits_t *f, size_t k, size_t r, const char *regulon,
                          int candidates)
{
    grn_status rc = GRN_OK;
    size_t at = k * f->n_regulons + r;
    const grn_cut_t *c = threshold_chosen(f, k, r);
    uint64_t n = g->off[k + 1] - g->off[k];
    char chosen[32], own[32] = "NA", all[32] = "NA", number[32];
    const double v[] = { c->mix.m[0], c->mix.s[0], c->mix.w[0], c->mix.m[1], c->mix.s[1], c->mix.w[1], c->dbic,
                         c->ashman,   c->valley,   c->skew,     c->dip,      c->dip_p,    c->posterior };
    if (f->own) grn_cut_class_name(f->own[at].klass, own);
    if (f->all) grn_cut_class_name(f->all[r].klass, all);
    GRN_TRY(grn_out_printf(o, "%s\t%s\t%s\t%s\t%s\t%s", grn_names_get(&g->names, k), regulon, grn_cut_class_name(c->klass, chosen),
                           f->source[at] == THRESHOLD_FROM_ALL ? "all" : "context", own, all));
    GRN_TRY(grn_out_printf(o, "\t%s", isnan(c->threshold) ? "NA" : grn_fmt_f32(number, (float)c->threshold)));
    GRN_TRY(grn_out_printf(o, "\t%llu\t%llu\t%.4f\t%zu\t%zu\t%zu\t%zu", (unsigned long long)n, (unsigned long long)f->n_on[at],
                           n ? (double)f->n_on[at] / (double)n : 0, c->n, c->n_nonfinite, c->n_outside, c->n_atom));
    for (size_t j = 0; j < sizeof v / sizeof *v; j++) GRN_TRY(put_number(o, v[j]));
    GRN_TRY(grn_out_printf(o, "\t%s", grn_cross_name(c->cross_kind)));
    if (candidates) GRN_TRY(put_candidates(o, &c->explore, isnan(c->explore.at[GRN_EXPLORE_TENTH])));
    GRN_TRY(grn_out_puts(o, "\n"));
end:
    return rc;
}

grn_status threshold_write_tsv(const char *path, const threshold_groups_t *g, const threshold_fits_t *f, const grn_names_t *regulons,
                               const grn_cut_opt_t *opt)
{
    grn_status rc = GRN_OK;
    grn_out_t *o = NULL;
    int candidates = opt->method == GRN_CUT_AUCELL_R;
    GRN_TRY(grn_out_open(&o, path, 0));
    GRN_TRY(grn_out_puts(o, "context\tregulon\tclass\tsource\tclass_context\tclass_all\tthreshold\tn\tn_on\tfrac_on\tn_fit\tn_nonfinite"
                            "\tn_outside\tn_atom\tmean1\tsd1\tweight1\tmean2\tsd2\tweight2\tdbic\tashman_d\tvalley\tskew\tdip\tdip_p"
                            "\tposterior\tcrossing"));
    if (candidates) GRN_TRY(grn_out_puts(o, "\tcandidate\tallowed"));
    for (int k = 0; k < GRN_EXPLORE_N && candidates; k++) GRN_TRY(grn_out_printf(o, "\t%s", grn_explore_name((grn_explore_kind)k)));
    GRN_TRY(grn_out_puts(o, "\n"));
    for (size_t k = 0; k < f->n_contexts; k++)
        for (size_t r = 0; r < f->n_regulons; r++) GRN_TRY(put_row(o, g, f, k, r, grn_names_get(regulons, r), candidates));
    rc = grn_out_commit(o);
    o = NULL;
end:
    grn_out_abort(o);
    return rc;
}
