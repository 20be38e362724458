#include "calibrate.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define RISK 0.05
#define FEW 20 /* held-out cells of a type below which the distances of all types are taken */

void calibration_clear(calibration_t *c)
{
    free(c->all);
    free(c->by_type);
    free(c->off);
    free(c->score);
    free(c->stranger_score);
    memset(c, 0, sizeof *c);
}

/* Share that x of n exceeds with confidence 1 - risk: where P(at least x of n) = risk, by bisection. */
static double lower_limit(size_t x, size_t n, double risk)
{
    double lo = 0, hi = 1;
    if (x == 0) return 0;
    for (int i = 0; i < 60; i++) {
        double p = (lo + hi) / 2;
        if (gsl_cdf_beta_P(p, (double)x, (double)(n - x) + 1) < risk) lo = p;
        else hi = p;
    }
    return lo;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* How many of v (n, ascending) are below x. */
static size_t below(const double *v, size_t n, double x)
{
    size_t lo = 0, hi = n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (v[mid] < x) lo = mid + 1;
        else hi = mid;
    }
    return lo;
}

/* The distances a cell of this type is compared with. */
static const double *peers(const calibration_t *c, int32_t type, size_t *n)
{
    *n = c->off[type + 1] - c->off[type];
    if (*n >= FEW) return c->by_type + c->off[type];
    *n = c->n;
    return c->all;
}

double calibration_percentile(const calibration_t *c, int32_t type, double distance)
{
    size_t n;
    if (type < 0) return NAN;
    const double *v = peers(c, type, &n);
    return 100 * (double)below(v, n, distance) / (double)n;
}

/* is_peer: the distance is itself one of those it is compared with. */
static double score_of(const calibration_t *c, vote_t vote, double distance, int is_peer)
{
    size_t n;
    if (vote.best < 0) return 0;
    const double *v = peers(c, vote.best, &n);
    double p = (double)(n - below(v, n, distance) + !is_peer) / (double)(n + !is_peer);
    return vote.share * (p < c->far ? p / c->far : 1);
}

double calibration_score(const calibration_t *c, vote_t vote, double distance)
{
    return score_of(c, vote, distance, 0);
}

int calibration_decile(const calibration_t *c, double distance)
{
    int tenth = (int)(10 * below(c->all, c->n, distance) / c->n);
    return tenth < 9 ? tenth : 9;
}

static grn_status distances(const holdout_t *h, calibration_t *c)
{
    grn_status rc = GRN_OK;
    size_t *at = NULL;
    GRN_TRY(GRN_NEW(c->all, c->n));
    GRN_TRY(GRN_NEW(c->by_type, c->n));
    GRN_TRY(GRN_NEW(c->off, c->n_types + 1));
    GRN_TRY(GRN_NEW(at, c->n_types + 1));
    for (size_t i = 0; i < c->n; i++) {
        c->all[i] = h->cell[i].distance;
        c->off[h->cell[i].truth + 1]++;
    }
    for (size_t t = 0; t < c->n_types; t++) at[t + 1] = c->off[t + 1] += c->off[t];
    for (size_t i = 0; i < c->n; i++) c->by_type[at[h->cell[i].truth]++] = h->cell[i].distance;
    qsort(c->all, c->n, sizeof *c->all, by_value);
    for (size_t t = 0; t < c->n_types; t++) qsort(c->by_type + c->off[t], c->off[t + 1] - c->off[t], sizeof *c->by_type, by_value);
end:
    free(at);
    return rc;
}

static void choose_cut(const holdout_t *h, double accuracy, calibration_t *c)
{
    const double risk = RISK / (CALIBRATE_STEPS - CALIBRATE_FIRST + 1);
    c->chosen = -1;
    for (int s = 0; s <= CALIBRATE_STEPS; s++) {
        cut_t *u = &c->step[s];
        u->cells = c->n;
        for (size_t i = 0; i < c->n; i++) {
            int is_kept = c->score[i] >= (double)s / CALIBRATE_STEPS;
            u->kept += (size_t)is_kept;
            u->right += (size_t)(is_kept && h->cell[i].vote.best == h->cell[i].truth);
        }
        u->lower = lower_limit(u->right, u->kept, risk);
        if (s >= CALIBRATE_FIRST && c->chosen < 0 && u->lower >= accuracy) c->chosen = s;
    }
    c->is_certified = c->chosen >= 0;
    if (!c->is_certified) c->chosen = CALIBRATE_STEPS;
    c->cut = (double)c->chosen / CALIBRATE_STEPS;
}

grn_status calibrate(const holdout_t *h, size_t n_types, double accuracy, double far, calibration_t *c)
{
    grn_status rc = GRN_OK;
    *c = (calibration_t){ .n_types = n_types, .n = h->n, .far = far };
    if (h->n == 0) return grn_err(GRN_EEMPTY, "no reference cell with a label could be held out");
    GRN_TRY(distances(h, c));
    GRN_TRY(GRN_NEW(c->score, h->n));
    GRN_TRY(GRN_NEW(c->stranger_score, h->n_strangers));
    for (size_t i = 0; i < h->n; i++) {
        const held_t *e = &h->cell[i];
        size_t of_type = c->off[e->vote.best + 1] - c->off[e->vote.best];
        c->score[i] = score_of(c, e->vote, e->distance, e->vote.best == e->truth || of_type < FEW);
    }
    for (size_t i = 0; i < h->n_strangers; i++)
        c->stranger_score[i] = calibration_score(c, h->stranger[i].vote, h->stranger[i].distance);
    choose_cut(h, accuracy, c);
end:
    if (rc) calibration_clear(c);
    return rc;
}
