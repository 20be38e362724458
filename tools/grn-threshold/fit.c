#include "grn-threshold/fit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

_Static_assert((int)GRN_CUT_BIMODAL == (int)GRN_FIT_BIMODAL && (int)GRN_CUT_SHOULDER == (int)GRN_FIT_SHOULDER &&
                   (int)GRN_CUT_UNIMODAL == (int)GRN_FIT_UNIMODAL && (int)GRN_CUT_SMALL == (int)GRN_FIT_SMALL &&
                   (int)GRN_CUT_MASS_ONLY == (int)GRN_FIT_MASS_ONLY && (int)GRN_CUT_CONSTANT == (int)GRN_FIT_CONSTANT &&
                   (int)GRN_CUT_EMPTY == (int)GRN_FIT_EMPTY && GRN_CUT_MASS_FLAG == GRN_FIT_MASS_FLAG &&
                   GRN_CUT_BROAD_FLAG == GRN_FIT_BROAD_FLAG,
               "classes of the file are those of the fit");

/* ---- groups ---- */

void threshold_groups_clear(threshold_groups_t *g)
{
    grn_names_clear(&g->names);
    free(g->context);
    free(g->cell);
    free(g->off);
    memset(g, 0, sizeof *g);
}

/* Level -> context: levels with cells in name order; *no_label for missing ones. map (levels + 1), the last for missing. */
static grn_status name_contexts(const grn_attr_t *attr, uint64_t n_cells, threshold_groups_t *g, uint16_t *map)
{
    grn_status rc = GRN_OK;
    size_t n = attr->levels.n;
    uint64_t *count = NULL;
    uint32_t *order = NULL;
    size_t k;
    GRN_TRY(GRN_NEW(count, n + 1));
    GRN_TRY(GRN_NEW(order, n));
    GRN_TRY(grn_names_sort(&attr->levels, order));
    for (uint64_t c = 0; c < n_cells; c++) count[attr->code[c] < 0 ? n : (size_t)attr->code[c]]++;
    for (size_t i = 0; i < n; i++) {
        if (count[order[i]] == 0) continue;
        if (g->names.n >= UINT16_MAX) GRN_FAIL(GRN_EUNSUP, "more than %d contexts in '%s'", UINT16_MAX - 1, attr->name);
        GRN_TRY(grn_names_add(&g->names, grn_names_get(&attr->levels, order[i]), &k, NULL));
        map[order[i]] = (uint16_t)k;
    }
    if (count[n] > 0) {
        GRN_TRY(grn_names_add(&g->names, THRESHOLD_NO_LABEL, &k, NULL));
        map[n] = (uint16_t)k;
        g->no_label = (int)k;
    }
end:
    free(count);
    free(order);
    return rc;
}

grn_status threshold_groups(const grn_attr_t *attr, uint64_t n_cells, threshold_groups_t *g)
{
    grn_status rc = GRN_OK;
    uint16_t *map = NULL;
    uint64_t *at = NULL;
    memset(g, 0, sizeof *g);
    g->no_label = -1;
    GRN_TRY(GRN_NEW(g->context, (size_t)n_cells));
    GRN_TRY(GRN_NEW(g->cell, (size_t)n_cells));
    if (attr) {
        GRN_TRY(GRN_NEW(map, attr->levels.n + 1));
        GRN_TRY(name_contexts(attr, n_cells, g, map));
        for (uint64_t c = 0; c < n_cells; c++) g->context[c] = map[attr->code[c] < 0 ? attr->levels.n : (size_t)attr->code[c]];
    } else {
        GRN_TRY(grn_names_add(&g->names, "all", NULL, NULL));
    }
    GRN_TRY(GRN_NEW(g->off, g->names.n + 1));
    GRN_TRY(GRN_NEW(at, g->names.n + 1));
    for (uint64_t c = 0; c < n_cells; c++) g->off[g->context[c] + 1]++;
    for (size_t k = 0; k < g->names.n; k++) at[k + 1] = g->off[k + 1] += g->off[k];
    for (uint64_t c = 0; c < n_cells; c++) g->cell[at[g->context[c]]++] = (uint32_t)c;
end:
    free(map);
    free(at);
    if (rc != GRN_OK) threshold_groups_clear(g);
    return rc;
}

/* ---- fits ---- */

enum { COLUMNS = 16 }; /* regulons gathered together: one cache line of every row */

typedef struct {
    const grn_matrix_t *m;
    const threshold_groups_t *g;
    threshold_by by;
    const grn_cut_opt_t *opt;
    threshold_fits_t *f;
} job_t;

const grn_cut_t *threshold_chosen(const threshold_fits_t *f, size_t context, size_t regulon)
{
    size_t k = context * f->n_regulons + regulon;
    return f->source[k] == THRESHOLD_FROM_ALL ? &f->all[regulon] : &f->own[k];
}

static int two_populations(const grn_cut_t *c)
{
    int k = c->klass & 0x3f;
    return k == GRN_CUT_BIMODAL || k == GRN_CUT_SHOULDER;
}

/* Does a type's own fit say more than that over all cells? Where both see two populations, the cut over all cells must lie
 * between those of the type: a type that is off (or on) as a whole stays so, however its scores spread. */
static int says_more(const grn_cut_t *own, const grn_cut_t *all)
{
    if (!two_populations(own)) return 0;
    return !two_populations(all) || (own->mix.m[0] < all->cross && all->cross < own->mix.m[1]);
}

static uint64_t count_above(const float *x, size_t n, float cut)
{
    uint64_t above = 0;
    for (size_t i = 0; i < n; i++) above += x[i] > cut;
    return above;
}

/* One regulon: x = its scores, cells grouped by context. */
static grn_status fit_regulon(const job_t *job, size_t r, const float *x)
{
    grn_status rc = GRN_OK;
    threshold_fits_t *f = job->f;
    const uint64_t *off = job->g->off;
    if (f->all) GRN_TRY(grn_cut_fit(x, (size_t)job->m->n_rows, job->opt, &f->all[r]));
    for (size_t k = 0; k < f->n_contexts; k++) {
        size_t at = k * f->n_regulons + r, n = (size_t)(off[k + 1] - off[k]);
        const grn_cut_t *chosen;
        if (f->own) GRN_TRY(grn_cut_fit(x + off[k], n, job->opt, &f->own[at]));
        if (job->by == THRESHOLD_BY_AUTO) {
            int own = (int)k != job->g->no_label && says_more(&f->own[at], &f->all[r]);
            f->source[at] = own ? THRESHOLD_FROM_CONTEXT : THRESHOLD_FROM_ALL;
        } else {
            f->source[at] = job->by == THRESHOLD_BY_ALL ? THRESHOLD_FROM_ALL : THRESHOLD_FROM_CONTEXT;
        }
        chosen = threshold_chosen(f, k, r);
        f->n_on[at] = count_above(x + off[k], n, (float)chosen->threshold);
    }
end:
    return rc;
}

static grn_status fit_chunk(void *ctx, size_t begin, size_t end, int worker)
{
    grn_status rc = GRN_OK;
    const job_t *job = ctx;
    size_t n = (size_t)job->m->n_rows, width = (size_t)job->m->n_cols;
    float *x = NULL;
    (void)worker;
    GRN_TRY(GRN_NEW_RAW(x, n * (end - begin)));
    for (size_t i = 0; i < n; i++) {
        const float *row = job->m->dense + job->g->cell[i] * width;
        for (size_t r = begin; r < end; r++) x[(r - begin) * n + i] = row[r];
    }
    for (size_t r = begin; r < end; r++) GRN_TRY(fit_regulon(job, r, x + (r - begin) * n));
end:
    free(x);
    return rc;
}

void threshold_fits_clear(threshold_fits_t *f)
{
    free(f->all);
    free(f->own);
    free(f->source);
    free(f->n_on);
    memset(f, 0, sizeof *f);
}

grn_status threshold_fit(const grn_matrix_t *m, const threshold_groups_t *g, threshold_by by, const grn_cut_opt_t *opt, grn_par_t *pool,
                         threshold_fits_t *f)
{
    grn_status rc = GRN_OK;
    job_t job = { m, g, by, opt, f };
    memset(f, 0, sizeof *f);
    f->n_contexts = g->names.n;
    f->n_regulons = (size_t)m->n_cols;
    if (by != THRESHOLD_BY_CONTEXT) GRN_TRY(GRN_NEW(f->all, f->n_regulons));
    if (by != THRESHOLD_BY_ALL) GRN_TRY(GRN_NEW(f->own, f->n_contexts * f->n_regulons));
    GRN_TRY(GRN_NEW(f->source, f->n_contexts * f->n_regulons));
    GRN_TRY(GRN_NEW(f->n_on, f->n_contexts * f->n_regulons));
    GRN_TRY(grn_par_for(pool, f->n_regulons, COLUMNS, fit_chunk, &job));
end:
    if (rc != GRN_OK) threshold_fits_clear(f);
    return rc;
}

/* ---- the activity file ---- */

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

static grn_status fill_fits(const threshold_groups_t *g, const threshold_fits_t *f, grn_activity_t *a)
{
    grn_status rc = GRN_OK;
    float *v, *source, *n, *n_on;
    GRN_TRY(GRN_NEW(a->fit, N_COLUMN + 3));
    for (size_t j = 0; j < N_COLUMN; j++) {
        GRN_TRY(add_column(a, columns[j].name, &v));
        for (size_t k = 0; k < f->n_contexts; k++)
            for (size_t r = 0; r < f->n_regulons; r++) v[k * f->n_regulons + r] = (float)columns[j].get(threshold_chosen(f, k, r));
    }
    GRN_TRY(add_column(a, "source", &source));
    GRN_TRY(add_column(a, "n", &n));
    GRN_TRY(add_column(a, "n_on", &n_on));
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

typedef struct {
    const grn_matrix_t *m;
    const threshold_fits_t *f;
    const grn_cut_opt_t *opt;
    grn_activity_t *a;
} bits_t;

static grn_status bits_chunk(void *ctx, size_t begin, size_t end, int worker)
{
    const bits_t *b = ctx;
    grn_activity_t *a = b->a;
    size_t n = (size_t)a->n_regulons;
    (void)worker;
    for (size_t c = begin; c < end; c++) {
        const float *row = b->m->dense + c * n, *cut = a->threshold + a->context[c] * n;
        for (size_t r = 0; r < n; r++) {
            const grn_cut_t *f;
            if (row[r] > cut[r]) grn_activity_set(a, c, r);
            if (!a->posterior) continue;
            f = threshold_chosen(b->f, a->context[c], r);
            a->posterior[c * n + r] =
                two_populations(f) && !isnan(f->mix.m[0]) ? (float)grn_cut_posterior(f, b->opt, row[r]) : row[r] > cut[r];
        }
    }
    return GRN_OK;
}

grn_status threshold_activity(const grn_matrix_t *m, const threshold_groups_t *g, const threshold_fits_t *f, const grn_cut_opt_t *opt,
                              int posterior, grn_par_t *pool, grn_activity_t *a)
{
    grn_status rc = GRN_OK;
    bits_t b = { m, f, opt, a };
    memset(a, 0, sizeof *a);
    a->n_cells = m->n_rows;
    a->n_regulons = m->n_cols;
    a->n_words = (m->n_cols + 63) / 64;
    GRN_TRY(grn_names_dup(&a->cells, &m->row));
    GRN_TRY(grn_names_dup(&a->regulons, &m->col));
    GRN_TRY(grn_names_dup(&a->contexts, &g->names));
    GRN_TRY(GRN_NEW(a->bits, (size_t)(a->n_cells * a->n_words)));
    GRN_TRY(GRN_NEW(a->context, (size_t)a->n_cells));
    GRN_TRY(GRN_NEW(a->threshold, f->n_contexts * f->n_regulons));
    GRN_TRY(GRN_NEW(a->klass, f->n_contexts * f->n_regulons));
    if (posterior) GRN_TRY(GRN_NEW(a->posterior, (size_t)(a->n_cells * a->n_regulons)));
    memcpy(a->context, g->context, (size_t)a->n_cells * sizeof *a->context);
    GRN_TRY(fill_fits(g, f, a));
    GRN_TRY(grn_par_for(pool, (size_t)a->n_cells, 256, bits_chunk, &b));
end:
    if (rc != GRN_OK) grn_activity_clear(a);
    return rc;
}
