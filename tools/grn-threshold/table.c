#include <math.h>

#include "base/file.h"
#include "base/str.h"
#include "grn-threshold/fit.h"

static grn_status put_number(grn_out_t *o, double x)
{
    return isnan(x) ? grn_out_puts(o, "\tNA") : grn_out_printf(o, "\t%.6g", x);
}

static grn_status put_row(grn_out_t *o, const threshold_groups_t *g, const threshold_fits_t *f, size_t k, size_t r, const char *regulon)
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
    GRN_TRY(grn_out_printf(o, "\t%s\n", grn_cross_name(c->cross_kind)));
end:
    return rc;
}

grn_status threshold_write_tsv(const char *path, const threshold_groups_t *g, const threshold_fits_t *f, const grn_names_t *regulons)
{
    grn_status rc = GRN_OK;
    grn_out_t *o = NULL;
    GRN_TRY(grn_out_open(&o, path, 0));
    GRN_TRY(
        grn_out_puts(o, "context\tregulon\tclass\tsource\tclass_context\tclass_all\tthreshold\tn\tn_on\tfrac_on\tn_fit\tn_nonfinite\tn_"
                        "outside\tn_atom"
                        "\tmean1\tsd1\tweight1\tmean2\tsd2\tweight2\tdbic\tashman_d\tvalley\tskew\tdip\tdip_p\tposterior\tcrossing\n"));
    for (size_t k = 0; k < f->n_contexts; k++)
        for (size_t r = 0; r < f->n_regulons; r++) GRN_TRY(put_row(o, g, f, k, r, grn_names_get(regulons, r)));
    rc = grn_out_commit(o);
    o = NULL;
end:
    grn_out_abort(o);
    return rc;
}
