#include "stat/dip.h"

#include <math.h>

#include "base/mem.h"
#include "stat/dip_table.h"

/* The empirical distribution on its distinct values: before v[j] it is lo[j] / n, from v[j] on it is hi[j] / n. */
typedef struct {
    double *v, *lo, *hi;
    size_t *gcm, *lcm; /* vertices of the hull on the current interval */
    size_t n;
} steps_t;

/* Vertices, ascending, of the greatest convex minorant (sign +1, y = lo) or least concave majorant (sign -1, y = hi) over values
 * from..to. */
static size_t hull(const double *v, const double *y, size_t from, size_t to, double sign, size_t *out)
{
    size_t k = 0;
    for (size_t j = from; j <= to; j++) {
        while (k >= 2) { /* drop the last vertex when it is not strictly below (above) the chord to j */
            size_t a = out[k - 2], b = out[k - 1];
            if (sign * ((y[b] - y[a]) * (v[j] - v[a]) - (y[j] - y[a]) * (v[b] - v[a])) < 0) break;
            k--;
        }
        out[k++] = j;
    }
    return k;
}

static double chord(const double *v, const double *y, size_t a, size_t b, size_t j)
{
    return a == b ? y[a] : y[a] + (y[b] - y[a]) * ((v[j] - v[a]) / (v[b] - v[a]));
}

/* Largest gap between majorant and minorant at their vertices; the modal interval [*left, *right] where it is found. */
static double widest_gap(const steps_t *s, size_t n_gcm, size_t n_lcm, size_t *left, size_t *right)
{
    double best = -1;
    for (size_t i = 0, j = 0; i < n_gcm; i++) { /* at a vertex of the minorant, against the chord of the majorant around it */
        size_t g = s->gcm[i];
        double gap;
        while (j + 1 < n_lcm && s->lcm[j + 1] < g) j++;
        gap = (s->lcm[j] >= g ? s->hi[s->lcm[j]] : chord(s->v, s->hi, s->lcm[j], s->lcm[j + 1], g)) - s->lo[g];
        if (gap > best) {
            best = gap;
            *left = g;
            *right = s->lcm[j] >= g ? s->lcm[j] : s->lcm[j + 1];
        }
    }
    for (size_t j = 0, i = 0; j < n_lcm; j++) { /* at a vertex of the majorant */
        size_t l = s->lcm[j];
        double gap;
        while (i + 1 < n_gcm && s->gcm[i + 1] <= l) i++;
        gap = s->hi[l] - (s->gcm[i] == l ? s->lo[l] : chord(s->v, s->lo, s->gcm[i], s->gcm[i + 1], l));
        if (gap > best) {
            best = gap;
            *left = s->gcm[i];
            *right = l;
        }
    }
    return best;
}

/* Largest distance of the distribution from the minorant on [from, to), at its upper steps. The step at `to` itself does not
 * count: the mode may lie there, and a unimodal distribution may jump at its mode. */
static double above_minorant(const steps_t *s, size_t n_gcm, size_t from, size_t to)
{
    double worst = 0;
    for (size_t i = 0; i + 1 < n_gcm; i++)
        for (size_t j = s->gcm[i] > from ? s->gcm[i] : from; j <= s->gcm[i + 1] && j < to; j++) {
            double d = s->hi[j] - chord(s->v, s->lo, s->gcm[i], s->gcm[i + 1], j);
            if (d > worst) worst = d;
        }
    return worst;
}

/* The same for the majorant on (from, to], at the lower steps. */
static double below_majorant(const steps_t *s, size_t n_lcm, size_t from, size_t to)
{
    double worst = 0;
    for (size_t i = 0; i + 1 < n_lcm; i++)
        for (size_t j = s->lcm[i] > from ? s->lcm[i] : from + 1; j <= s->lcm[i + 1] && j <= to; j++) {
            double d = chord(s->v, s->hi, s->lcm[i], s->lcm[i + 1], j) - s->lo[j];
            if (d > worst) worst = d;
        }
    return worst;
}

static grn_status steps_init(steps_t *s, const double *sorted, size_t n)
{
    grn_status rc = GRN_OK;
    GRN_TRY(GRN_NEW_RAW(s->v, n));
    GRN_TRY(GRN_NEW_RAW(s->lo, n));
    GRN_TRY(GRN_NEW_RAW(s->hi, n));
    GRN_TRY(GRN_NEW_RAW(s->gcm, n));
    GRN_TRY(GRN_NEW_RAW(s->lcm, n));
    for (size_t i = 0; i < n; i++) {
        if (s->n == 0 || sorted[i] != s->v[s->n - 1]) {
            s->v[s->n] = sorted[i];
            s->lo[s->n++] = (double)i;
        }
        s->hi[s->n - 1] = (double)(i + 1);
    }
end:
    return rc;
}

grn_status grn_dip_statistic(const double *sorted, size_t n, double *dip)
{
    grn_status rc = GRN_OK;
    steps_t s = { 0 };
    double d = 1; /* in counts; the dip is half of it over n */
    size_t low = 0, high;
    *dip = NAN;
    if (n == 0) return GRN_OK;
    GRN_TRY(steps_init(&s, sorted, n));
    high = s.n - 1;
    while (low < high) {
        size_t left = low, right = high;
        size_t n_gcm = hull(s.v, s.lo, low, high, 1, s.gcm), n_lcm = hull(s.v, s.hi, low, high, -1, s.lcm);
        double gap = widest_gap(&s, n_gcm, n_lcm, &left, &right), out;
        if (gap <= d) break;
        out = above_minorant(&s, n_gcm, low, left);
        if (out > d) d = out;
        out = below_majorant(&s, n_lcm, right, high);
        if (out > d) d = out;
        if (left == low && right == high) break; /* the interval no longer shrinks: the modal part is all of it */
        low = left;
        high = right;
    }
    *dip = d / (2 * (double)n);
end:
    free(s.v);
    free(s.lo);
    free(s.hi);
    free(s.gcm);
    free(s.lcm);
    return rc;
}

/* Upper tail probability of sqrt(n) * dip within one tabulated sample size. */
static double tail_at(size_t row, double z)
{
    const double *q = dip_quantile[row];
    size_t k = 0;
    double t, a, b;
    if (z <= q[0]) return 1;
    while (k + 1 < DIP_N_TAIL && z > q[k + 1]) k++;
    if (k + 1 == DIP_N_TAIL) return dip_tail[DIP_N_TAIL - 1];
    t = q[k + 1] > q[k] ? (z - q[k]) / (q[k + 1] - q[k]) : 1;
    a = log(dip_tail[k]);
    b = log(dip_tail[k + 1]);
    return exp(a + t * (b - a));
}

double grn_dip_pvalue(double dip, size_t n)
{
    size_t row = 0;
    double z = dip * sqrt((double)n), t;
    if (n < 4 || isnan(dip)) return NAN;
    if (n >= dip_size[DIP_N_SIZE - 1]) return tail_at(DIP_N_SIZE - 1, z);
    while (row + 1 < DIP_N_SIZE && dip_size[row + 1] <= n) row++;
    if (dip_size[row] == n) return tail_at(row, z);
    t = (log((double)n) - log((double)dip_size[row])) / (log((double)dip_size[row + 1]) - log((double)dip_size[row]));
    return exp((1 - t) * log(tail_at(row, z)) + t * log(tail_at(row + 1, z)));
}
