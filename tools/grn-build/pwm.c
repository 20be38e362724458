#include "pwm.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void grn_pwm_clear(grn_pwm_t *m)
{
    free(m->s);
    free(m->tail);
    memset(m, 0, sizeof *m);
}

static int32_t row_min(const int32_t *s)
{
    int32_t m = s[0];
    for (int b = 1; b < 4; b++) m = s[b] < m ? s[b] : m;
    return m;
}

/* P(sum of scores = min + k) for k = 0 .. range, in *dist (malloc'ed). */
static grn_status distribution(const grn_pwm_t *m, const double bg[4], double **dist, size_t *range)
{
    grn_status rc = GRN_OK;
    double *a = NULL, *b = NULL;
    size_t n = 0, reach = 0;
    for (uint32_t i = 0; i < m->w; i++) n += (size_t)(grn_pwm_row_max(m->s + 4 * i) - row_min(m->s + 4 * i));
    GRN_TRY(GRN_NEW(a, n + 1));
    GRN_TRY(GRN_NEW(b, n + 1));
    a[0] = 1;
    for (uint32_t i = 0; i < m->w; i++) {
        const int32_t *s = m->s + 4 * i, lo = row_min(s);
        size_t wider = reach + (size_t)(grn_pwm_row_max(s) - lo);
        memset(b, 0, (wider + 1) * sizeof *b);
        for (int c = 0; c < 4; c++) {
            double *to = b + (s[c] - lo), p = bg[c];
            for (size_t k = 0; k <= reach; k++) to[k] += p * a[k];
        }
        double *t = a;
        a = b;
        b = t;
        reach = wider;
    }
    *dist = a;
    *range = n;
    a = NULL;
end:
    free(a);
    free(b);
    return rc;
}

grn_status grn_pwm_init(grn_pwm_t *m, const grn_motif_t *motif, double pseudo, const double bg[4], double p)
{
    grn_status rc = GRN_OK;
    double *lo = NULL, *dist = NULL, sum = 0;
    size_t range, first;
    m->w = motif->w;
    GRN_TRY(GRN_NEW_RAW(lo, 4 * (size_t)m->w));
    GRN_TRY(GRN_NEW_RAW(m->s, 4 * (size_t)m->w));
    grn_motif_logodds(motif, pseudo, bg, lo);
    for (size_t i = 0; i < 4 * (size_t)m->w; i++) m->s[i] = (int32_t)lround(lo[i] * GRN_PWM_SCALE);
    m->max = 0;
    for (uint32_t i = 0; i < m->w; i++) m->max += grn_pwm_row_max(m->s + 4 * i);
    m->threshold = INT32_MAX;
    if (p <= 0) goto end;
    GRN_TRY(distribution(m, bg, &dist, &range));
    /* from the top, so that small numbers come first */
    for (first = range + 1; first > 0 && sum + dist[first - 1] <= p; first--) sum += dist[first - 1];
    if (first <= range) {
        m->threshold = m->max - (int32_t)(range - first);
        GRN_TRY(GRN_NEW_RAW(m->tail, range - first + 1));
        double t = 0;
        for (size_t k = range + 1; k > first; k--) m->tail[k - 1 - first] = t += dist[k - 1];
    }
end:
    free(lo);
    free(dist);
    if (rc) grn_pwm_clear(m);
    return rc;
}

double grn_pwm_pvalue(const grn_pwm_t *m, int32_t s)
{
    return s > m->max ? 0 : m->tail[s - m->threshold];
}
