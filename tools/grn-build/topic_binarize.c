#include "topic_binarize.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

typedef struct {
    const float *p;
    size_t n;
    uint32_t K;
    int smooth;
    float *mean_log; /* (n) */
    float *z;
} score_t;

static grn_status mean_work(void *ctx, size_t begin, size_t end, int worker)
{
    score_t *s = ctx;
    (void)worker;
    for (size_t i = begin; i < end; i++) {
        double sum = 0;
        for (uint32_t k = 0; k < s->K; k++) sum += log((double)s->p[i * s->K + k] + 1e-100);
        s->mean_log[i] = (float)(sum / s->K);
    }
    return GRN_OK;
}

static grn_status score_work(void *ctx, size_t begin, size_t end, int worker)
{
    score_t *s = ctx;
    (void)worker;
    for (size_t k = begin; k < end; k++) {
        float *z = s->z + k * s->n, lo = INFINITY, hi = -INFINITY;
        for (size_t i = 0; i < s->n; i++) {
            double x = (double)s->p[i * s->K + k];
            z[i] = (float)(s->smooth ? x * (log(x + 1e-100) - (double)s->mean_log[i]) : x);
            lo = fminf(lo, z[i]);
            hi = fmaxf(hi, z[i]);
        }
        for (size_t i = 0; i < s->n; i++) z[i] = hi > lo ? (z[i] - lo) / (hi - lo) : 0;
    }
    return GRN_OK;
}

grn_status grn_topic_scores(const float *p, size_t n, uint32_t K, int smooth, grn_par_t *pool, float *z)
{
    grn_status rc = GRN_OK;
    score_t s = { p, n, K, smooth, NULL, z };
    GRN_TRY(GRN_NEW(s.mean_log, n));
    if (smooth) GRN_TRY(grn_par_for(pool, n, 4096, mean_work, &s));
    GRN_TRY(grn_par_for(pool, K, 1, score_work, &s));
end:
    free(s.mean_log);
    return rc;
}

/* ---- cuts ---- */

enum { BINS = GRN_BINARIZE_BINS };

static double centre(int i)
{
    return (i + 0.5) / BINS;
}

static void histogram(const float *z, size_t n, double h[BINS])
{
    memset(h, 0, BINS * sizeof *h);
    for (size_t i = 0; i < n; i++) {
        int b = (int)(z[i] * BINS);
        h[b < 0 ? 0 : b >= BINS ? BINS - 1 : b]++;
    }
}

static double otsu(const double h[BINS])
{
    double n = 0, sum = 0, w = 0, s = 0, best = -1, t = centre(0);
    for (int i = 0; i < BINS; i++) n += h[i], sum += h[i] * centre(i);
    for (int i = 0; i + 1 < BINS; i++) {
        w += h[i];
        s += h[i] * centre(i);
        if (w == 0 || w == n) continue;
        double d = s / w - (sum - s) / (n - w), between = w * (n - w) * d * d;
        if (between > best) best = between, t = centre(i);
    }
    return t;
}

static double yen(const double h[BINS])
{
    double n = 0, all = 0, w = 0, below = 0, best = -INFINITY, t = centre(0);
    for (int i = 0; i < BINS; i++) n += h[i];
    for (int i = 0; i < BINS; i++) all += h[i] / n * (h[i] / n);
    for (int i = 0; i + 1 < BINS; i++) {
        w += h[i] / n;
        below += h[i] / n * (h[i] / n);
        double above = all - below, crit = 2 * log(w * (1 - w)) - log(below * above);
        if (w <= 0 || w >= 1 || below <= 0 || above <= 0) continue;
        if (crit > best) best = crit, t = centre(i);
    }
    return t;
}

static double li(const double h[BINS])
{
    double best = INFINITY, t = 0.01;
    for (int c = 1; c <= 98; c++) {
        double m0[2] = { 0 }, m1[2] = { 0 };
        for (int i = 0; i < BINS; i++) {
            int side = centre(i) > c / 100.0;
            m0[side] += h[i];
            m1[side] += h[i] * centre(i);
        }
        if (m0[0] == 0 || m0[1] == 0) continue;
        double entropy = -m1[0] * log(m1[0] / m0[0]) - m1[1] * log(m1[1] / m0[1]);
        if (entropy < best) best = entropy, t = c / 100.0;
    }
    return t;
}

typedef struct {
    float z;
    uint32_t i;
} item_t;

static int best_first(const void *x, const void *y)
{
    const item_t *a = x, *b = y;
    if (a->z != b->z) return a->z < b->z ? 1 : -1;
    return a->i < b->i ? -1 : a->i > b->i;
}

static grn_status sorted_above(const float *z, size_t n, double t, item_t **out, size_t *n_out)
{
    grn_status rc = GRN_NEW_RAW(*out, n);
    *n_out = 0;
    for (size_t i = 0; !rc && i < n; i++)
        if ((double)z[i] > t) (*out)[(*n_out)++] = (item_t){ z[i], (uint32_t)i };
    if (!rc) qsort(*out, *n_out, sizeof **out, best_first);
    return rc;
}

grn_status grn_topic_cut(const float *z, size_t n, grn_binarize method, size_t ntop, double *t)
{
    double h[BINS];
    item_t *item = NULL;
    size_t n_item;
    grn_status rc = GRN_OK;
    if (method == GRN_BINARIZE_NTOP) {
        rc = sorted_above(z, n, -1, &item, &n_item);
        if (!rc) *t = ntop < n ? (double)item[ntop].z : -1;
        free(item);
        return rc;
    }
    histogram(z, n, h);
    *t = method == GRN_BINARIZE_OTSU ? otsu(h) : method == GRN_BINARIZE_YEN ? yen(h) : li(h);
    return rc;
}

grn_status grn_topic_select(const float *z, size_t n, grn_binarize method, size_t ntop, double t, uint32_t **out, size_t *n_out)
{
    grn_status rc = GRN_OK;
    item_t *item = NULL;
    *out = NULL;
    GRN_TRY(
        sorted_above(z, n, method == GRN_BINARIZE_NTOP ? 0 : t, &item, n_out)); /* the lowest score of a topic is no evidence for it */
    if (method == GRN_BINARIZE_NTOP && *n_out > ntop) *n_out = ntop;
    GRN_TRY(GRN_NEW_RAW(*out, *n_out));
    for (size_t i = 0; i < *n_out; i++) (*out)[i] = item[i].i;
end:
    free(item);
    return rc;
}
