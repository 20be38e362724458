#include "grn-threshold/fit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "grn-threshold/summary.h"

typedef struct {
    const threshold_scores_t *s;
    threshold_by by;
    const grn_cut_opt_t *opt;
    threshold_fits_t *f;
    grn_activity_t *a;
    threshold_summary_t *sum;
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

/* Thresholds of one regulon: x = its scores, cells grouped by context. */
static grn_status fit_regulon(const job_t *job, size_t r, const float *x)
{
    grn_status rc = GRN_OK;
    threshold_fits_t *f = job->f;
    const threshold_groups_t *g = job->s->g;
    if (f->all) GRN_TRY(grn_cut_fit(x, (size_t)job->s->n_cells, job->opt, &f->all[r]));
    for (size_t k = 0; k < f->n_contexts; k++) {
        size_t at = k * f->n_regulons + r, n = (size_t)(g->off[k + 1] - g->off[k]);
        if (f->own) GRN_TRY(grn_cut_fit(x + g->off[k], n, job->opt, &f->own[at]));
        if (job->by == THRESHOLD_BY_AUTO) {
            int own = (int)k != g->no_label && says_more(&f->own[at], &f->all[r]);
            f->source[at] = own ? THRESHOLD_FROM_CONTEXT : THRESHOLD_FROM_ALL;
        } else {
            f->source[at] = job->by == THRESHOLD_BY_ALL ? THRESHOLD_FROM_ALL : THRESHOLD_FROM_CONTEXT;
        }
        f->n_on[at] = count_above(x + g->off[k], n, (float)threshold_chosen(f, k, r)->threshold);
    }
end:
    return rc;
}

/* Bits of one regulon, and posteriors where they are kept. Neighbours in a word belong to other threads. */
static void judge_regulon(const job_t *job, size_t r, const float *x)
{
    grn_activity_t *a = job->a;
    const threshold_groups_t *g = job->s->g;
    for (size_t k = 0; k < job->f->n_contexts; k++) {
        const grn_cut_t *f = threshold_chosen(job->f, k, r);
        float cut = (float)f->threshold;
        int soft = two_populations(f) && !isnan(f->mix.m[0]);
        for (uint64_t i = g->off[k]; i < g->off[k + 1]; i++) {
            uint64_t c = g->cell[i];
            if (x[i] > cut) __atomic_fetch_or(&a->bits[c * a->n_words + r / 64], (uint64_t)1 << r % 64, __ATOMIC_RELAXED);
            if (a->posterior)
                a->posterior[c * a->n_regulons + r] = soft ? (float)grn_cut_posterior(f, job->opt, (double)x[i]) : x[i] > cut;
        }
    }
}

static grn_status fit_chunk(void *ctx, size_t begin, size_t end, int worker)
{
    grn_status rc = GRN_OK;
    const job_t *job = ctx;
    size_t n = (size_t)job->s->n_cells;
    float *room = NULL;
    const float *x;
    (void)worker;
    if (!job->s->column) GRN_TRY(GRN_NEW_RAW(room, n * (end - begin)));
    GRN_TRY(threshold_scores_get(job->s, begin, end - begin, room, &x));
    for (size_t r = begin; r < end; r++, x += n) {
        GRN_TRY(fit_regulon(job, r, x));
        judge_regulon(job, r, x);
        if (job->sum) GRN_TRY(threshold_summarise(job->s->g, job->f, r, x, job->sum));
    }
    grn_progress_add(end - begin);
end:
    free(room);
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

grn_status threshold_fit(const threshold_scores_t *s, threshold_by by, const grn_cut_opt_t *opt, size_t width, grn_par_t *pool,
                         threshold_fits_t *f, grn_activity_t *a, threshold_summary_t *sum)
{
    grn_status rc = GRN_OK;
    job_t job = { s, by, opt, f, a, sum };
    memset(f, 0, sizeof *f);
    f->n_contexts = s->g->names.n;
    f->n_regulons = s->n_regulons;
    if (by != THRESHOLD_BY_CONTEXT) GRN_TRY(GRN_NEW(f->all, f->n_regulons));
    if (by != THRESHOLD_BY_ALL) GRN_TRY(GRN_NEW(f->own, f->n_contexts * f->n_regulons));
    GRN_TRY(GRN_NEW(f->source, f->n_contexts * f->n_regulons));
    GRN_TRY(GRN_NEW(f->n_on, f->n_contexts * f->n_regulons));
    grn_progress_begin(f->n_regulons, "regulons");
    GRN_TRY(grn_par_for(pool, f->n_regulons, width, fit_chunk, &job));
end:
    grn_progress_end();
    if (rc != GRN_OK) threshold_fits_clear(f);
    return rc;
}
