#include "grn-eval/reliability.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"

enum { B = RELIABILITY_BINS };

grn_status reliability_init(reliability_t *r, size_t n_groups)
{
    grn_status rc = GRN_OK;
    memset(r, 0, sizeof *r);
    r->n_groups = n_groups;
    GRN_TRY(GRN_NEW(r->n, n_groups * B));
    GRN_TRY(GRN_NEW(r->p, n_groups * B));
    GRN_TRY(GRN_NEW(r->y, n_groups * B));
    GRN_TRY(GRN_NEW(r->brier, n_groups * B));
end:
    return rc;
}

void reliability_clear(reliability_t *r)
{
    free(r->n);
    free(r->p);
    free(r->y);
    free(r->brier);
    memset(r, 0, sizeof *r);
}

void reliability_add(reliability_t *r, size_t group, double p, int is_true)
{
    int b = (int)(p * B);
    size_t at = group * B + (size_t)(b < 0 ? 0 : b < B ? b : B - 1);
    r->n[at]++;
    r->p[at] += p;
    r->y[at] += is_true;
    r->brier[at] += (p - is_true) * (p - is_true);
}

typedef struct {
    double n[B], p[B], y[B], all, brier, ece, base; /* base: Brier score of always answering the overall share */
} score_t;

/* w: (groups) times that each counts; NULL: once. */
static void score(const reliability_t *r, const double *w, score_t *s)
{
    double y = 0;
    memset(s, 0, sizeof *s);
    for (size_t g = 0; g < r->n_groups; g++) {
        double times = w ? w[g] : 1;
        for (size_t b = 0, at = g * B; b < B && times > 0; b++, at++) {
            s->n[b] += times * r->n[at];
            s->p[b] += times * r->p[at];
            s->y[b] += times * r->y[at];
            s->brier += times * r->brier[at];
        }
    }
    for (int b = 0; b < B; b++) {
        s->all += s->n[b];
        s->ece += fabs(s->p[b] - s->y[b]);
        y += s->y[b];
    }
    s->ece /= s->all;
    s->brier /= s->all;
    s->base = y / s->all * (1 - y / s->all);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The 2.5 and 97.5 % points of x's finite values, which it sorts. */
static void limits(double *x, size_t n, double *lo, double *hi)
{
    size_t m = 0;
    for (size_t i = 0; i < n; i++)
        if (isfinite(x[i])) x[m++] = x[i];
    *lo = *hi = NAN;
    if (m == 0) return;
    qsort(x, m, sizeof *x, by_value);
    *lo = x[(size_t)(0.025 * (double)(m - 1) + 0.5)];
    *hi = x[(size_t)(0.975 * (double)(m - 1) + 0.5)];
}

enum { ECE = B, BRIER, N_STAT }; /* replicated: the share of each bin, then these */

static grn_status bootstrap(const reliability_t *r, const uint64_t *key, size_t n_rep, uint64_t seed, double lo[N_STAT],
                            double hi[N_STAT])
{
    grn_status rc = GRN_OK;
    double *w = NULL, *x = NULL;
    score_t s;
    GRN_TRY(GRN_NEW(w, r->n_groups));
    GRN_TRY(GRN_NEW(x, N_STAT * n_rep));
    for (size_t i = 0; i < n_rep; i++) {
        for (size_t g = 0; g < r->n_groups; g++) {
            grn_rng_t rng;
            grn_rng_init2(&rng, seed, "eval.reliability", key[g], i);
            w[g] = (double)grn_rng_poisson(&rng, 1);
        }
        score(r, w, &s);
        for (size_t b = 0; b < B; b++) x[b * n_rep + i] = s.y[b] / s.n[b];
        x[ECE * n_rep + i] = s.ece;
        x[BRIER * n_rep + i] = s.brier;
    }
    for (size_t k = 0; k < N_STAT; k++) limits(x + k * n_rep, n_rep, &lo[k], &hi[k]);
end:
    free(w);
    free(x);
    return rc;
}

grn_status reliability_report(const reliability_t *r, const char *name, const uint64_t *key, size_t n_rep, uint64_t seed,
                              grn_result_t *out)
{
    grn_status rc = GRN_OK;
    double lo[N_STAT], hi[N_STAT];
    score_t s;
    score(r, NULL, &s);
    if (!(s.all > 0)) return GRN_OK;
    GRN_TRY(bootstrap(r, key, n_rep, seed, lo, hi));
    for (int b = 0; b < B; b++)
        GRN_TRY(grn_result_row(out, name, b / (double)B, (b + 1) / (double)B, s.n[b], s.p[b] / s.n[b], s.y[b] / s.n[b], lo[b], hi[b]));
    grn_log_info(
        "  %-20s %9.0f pairs: Brier score %.4f (%.4f to %.4f; %.4f for always the share on), calibration error %.4f (%.4f to %.4f)",
        name, s.all, s.brier, lo[BRIER], hi[BRIER], s.base, s.ece, lo[ECE], hi[ECE]);
end:
    return rc;
}
