/* The fits as columns of grn.activity. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "grn-threshold/fit.h"

_Static_assert((int)GRN_CUT_BIMODAL == (int)GRN_FIT_BIMODAL && (int)GRN_CUT_SHOULDER == (int)GRN_FIT_SHOULDER &&
                   (int)GRN_CUT_UNIMODAL == (int)GRN_FIT_UNIMODAL && (int)GRN_CUT_SMALL == (int)GRN_FIT_SMALL &&
                   (int)GRN_CUT_MASS_ONLY == (int)GRN_FIT_MASS_ONLY && (int)GRN_CUT_CONSTANT == (int)GRN_FIT_CONSTANT &&
                   (int)GRN_CUT_EMPTY == (int)GRN_FIT_EMPTY && GRN_CUT_MASS_FLAG == GRN_FIT_MASS_FLAG &&
                   GRN_CUT_BROAD_FLAG == GRN_FIT_BROAD_FLAG,
               "classes of the file are those of the fit");

/* What a fit column holds, from the deciding fit. */
typedef struct {
    const char *name;
    double (*get)(const grn_cut_t *c);
} column_t;
static double get_mean1(const grn_cut_t *c)
{
    return c->mix.m[0];
}
static double get_mean2(const grn_cut_t *c)
{
    return c->mix.m[1];
}
static double get_sd1(const grn_cut_t *c)
{
    return c->mix.s[0];
}
static double get_sd2(const grn_cut_t *c)
{
    return c->mix.s[1];
}
static double get_weight1(const grn_cut_t *c)
{
    return c->mix.w[0];
}
static double get_weight2(const grn_cut_t *c)
{
    return c->mix.w[1];
}
static double get_dbic(const grn_cut_t *c)
{
    return c->dbic;
}
static double get_ashman(const grn_cut_t *c)
{
    return c->ashman;
}
static double get_valley(const grn_cut_t *c)
{
    return c->valley;
}
static double get_skew(const grn_cut_t *c)
{
    return c->skew;
}
static double get_dip(const grn_cut_t *c)
{
    return c->dip;
}
static double get_dip_p(const grn_cut_t *c)
{
    return c->dip_p;
}
static double get_posterior(const grn_cut_t *c)
{
    return c->posterior;
}
static double get_mean(const grn_cut_t *c)
{
    return c->mean;
}
static double get_sd(const grn_cut_t *c)
{
    return c->sd;
}
static double get_atom(const grn_cut_t *c)
{
    return c->atom;
}
static double get_n_atom(const grn_cut_t *c)
{
    return (double)c->n_atom;
}
static double get_n_fit(const grn_cut_t *c)
{
    return (double)c->n;
}
static const column_t columns[] = {
    { "mean1", get_mean1 },
    { "mean2", get_mean2 },
    { "sd1", get_sd1 },
    { "sd2", get_sd2 },
    { "weight1", get_weight1 },
    { "weight2", get_weight2 },
    { "dbic", get_dbic },
    { "ashman_d", get_ashman },
    { "valley", get_valley },
    { "skew", get_skew },
    { "dip", get_dip },
    { "dip_p", get_dip_p },
    { "posterior_at_cut", get_posterior },
    { "mean", get_mean },
    { "sd", get_sd },
    { "atom", get_atom },
    { "n_atom", get_n_atom },
    { "n_fit", get_n_fit },
};
enum { N_COLUMN = sizeof columns / sizeof *columns };

static grn_status add_column(grn_activity_t *a, const char *name, float **v)
{
    grn_fit_column_t *f = &a->fit[a->n_fit];
    grn_status rc = GRN_OK;
    GRN_TRY(GRN_NEW(f->v, a->contexts.n * (size_t)a->n_regulons));
    a->n_fit++;
    if (!(f->name = strdup(name))) GRN_FAIL(GRN_ENOMEM, "out of memory");
    *v = f->v;
end:
    return rc;
}

static grn_status fill_fits(const threshold_groups_t *g, const threshold_fits_t *f, int candidates, grn_activity_t *a)
{
    grn_status rc = GRN_OK;
    float *v, *source, *n, *n_on;
    GRN_TRY(GRN_NEW(a->fit, N_COLUMN + 4));
    for (size_t j = 0; j < N_COLUMN; j++) {
        GRN_TRY(add_column(a, columns[j].name, &v));
        for (size_t k = 0; k < f->n_contexts; k++)
            for (size_t r = 0; r < f->n_regulons; r++) v[k * f->n_regulons + r] = (float)columns[j].get(threshold_chosen(f, k, r));
    }
    GRN_TRY(add_column(a, "source", &source));
    GRN_TRY(add_column(a, "n", &n));
    GRN_TRY(add_column(a, "n_on", &n_on));
    if (candidates) {
        GRN_TRY(add_column(a, "candidate", &v));
        for (size_t at = 0; at < f->n_contexts * f->n_regulons; at++)
            v[at] = (float)threshold_chosen(f, at / f->n_regulons, at % f->n_regulons)->explore.won;
    }
    for (size_t k = 0; k < f->n_contexts; k++)
        for (size_t r = 0; r < f->n_regulons; r++) {
            size_t at = k * f->n_regulons + r;
            const grn_cut_t *c = threshold_chosen(f, k, r);
            source[at] = f->source[at];
            n[at] = (float)(g->off[k + 1] - g->off[k]);
            n_on[at] = (float)f->n_on[at];
            a->threshold[at] = (float)c->threshold;
            a->klass[at] = c->klass;
        }
end:
    return rc;
}

grn_status threshold_activity_init(const grn_names_t *cells, const grn_names_t *regulons, const threshold_groups_t *g, int posterior,
                                   grn_activity_t *a)
{
    grn_status rc = GRN_OK;
    memset(a, 0, sizeof *a);
    a->n_cells = cells->n;
    a->n_regulons = regulons->n;
    a->n_words = (a->n_regulons + 63) / 64;
    GRN_TRY(grn_names_dup(&a->cells, cells));
    GRN_TRY(grn_names_dup(&a->regulons, regulons));
    GRN_TRY(grn_names_dup(&a->contexts, &g->names));
    GRN_TRY(GRN_NEW(a->bits, (size_t)(a->n_cells * a->n_words)));
    GRN_TRY(GRN_NEW(a->context, (size_t)a->n_cells));
    if (posterior) GRN_TRY(GRN_NEW(a->posterior, (size_t)(a->n_cells * a->n_regulons)));
    memcpy(a->context, g->context, (size_t)a->n_cells * sizeof *a->context);
end:
    if (rc != GRN_OK) grn_activity_clear(a);
    return rc;
}

grn_status threshold_activity_fits(const threshold_groups_t *g, const threshold_fits_t *f, const grn_cut_opt_t *opt, grn_activity_t *a)
{
    grn_status rc = GRN_OK;
    GRN_TRY(GRN_NEW(a->threshold, f->n_contexts * f->n_regulons));
    GRN_TRY(GRN_NEW(a->klass, f->n_contexts * f->n_regulons));
    GRN_TRY(fill_fits(g, f, opt->method == GRN_CUT_AUCELL_R, a));
end:
    return rc;
}
