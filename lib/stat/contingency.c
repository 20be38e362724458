#include "stat/contingency.h"

#include <math.h>
#include <string.h>

static const double Z = 1.959963984540054; /* of 97.5 % of a normal */
static const double SAME = 1 + 1e-7;       /* tables as likely as the observed one, but for rounding */

void grn_wilson(uint64_t k, uint64_t n, double *lo, double *hi)
{
    double m = (double)n, p = (double)k / m, z2 = Z * Z, centre = (p + z2 / (2 * m)) / (1 + z2 / m),
           half = Z / (1 + z2 / m) * sqrt(p * (1 - p) / m + z2 / (4 * m * m));
    *lo = k == 0 && n ? 0 : centre - half;
    *hi = k == n && n ? 1 : centre + half;
}

void grn_newcombe(const grn_2x2_t *t, double *lo, double *hi)
{
    double a = (double)t->a / (double)t->n_a, b = (double)t->b / (double)t->n_b, a_lo, a_hi, b_lo, b_hi;
    grn_wilson(t->a, t->n_a, &a_lo, &a_hi);
    grn_wilson(t->b, t->n_b, &b_lo, &b_hi);
    *lo = a - b - sqrt((a - a_lo) * (a - a_lo) + (b_hi - b) * (b_hi - b));
    *hi = a - b + sqrt((a_hi - a) * (a_hi - a) + (b - b_lo) * (b - b_lo));
}

double grn_log2_odds(const grn_2x2_t *t)
{
    double a = (double)t->a, b = (double)t->b;
    return log2((a + 0.5) * ((double)t->n_b - b + 0.5) / (((double)t->n_a - a + 0.5) * (b + 0.5)));
}

/* ---- the hypergeometric distribution of a, margins fixed ---- */

typedef struct {
    double n_a, n_b, m; /* sizes of the groups; with the property, in both */
    double lo, hi;      /* smallest and largest a */
} margins_t;

static margins_t margins_of(const grn_2x2_t *t)
{
    margins_t g = { (double)t->n_a, (double)t->n_b, (double)(t->a + t->b), 0, 0 };
    g.lo = fmax(0, g.m - g.n_b);
    g.hi = fmin(g.m, g.n_a);
    return g;
}

static double log_choose(double n, double k)
{
    int sign;
    return lgamma_r(n + 1, &sign) - lgamma_r(k + 1, &sign) - lgamma_r(n - k + 1, &sign);
}

/* Logarithm of P(a = x) but for a constant. */
static double log_weight(const margins_t *g, double x)
{
    return log_choose(g->n_a, x) + log_choose(g->n_b, g->m - x);
}

/* P(x + 1) / P(x) */
static double ratio(const margins_t *g, double x)
{
    return (g->n_a - x) * (g->m - x) / ((x + 1) * (g->n_b - g->m + x + 1));
}

/* Sum of P from x away from the mode (step -1 or +1), relative to P(x). */
static double tail(const margins_t *g, double x, int step)
{
    double term = 1, sum = 1;
    while (step > 0 ? x < g->hi : x > g->lo) {
        term *= step > 0 ? ratio(g, x) : 1 / ratio(g, x - 1);
        x += step;
        sum += term;
        if (term < sum * 1e-18) break;
    }
    return sum;
}

/* The point on the other side of the mode where P falls to `limit` (logarithm): the nearest one; a step beyond the end if none does. */
static double far_point(const margins_t *g, double mode, int step, double limit)
{
    double near = 0, far = step > 0 ? g->hi - mode : mode - g->lo; /* steps from the mode */
    if (log_weight(g, mode + step * far) > limit) return mode + step * (far + 1);
    while (far - near > 1) {
        double mid = floor((near + far) / 2);
        if (log_weight(g, mode + step * mid) > limit) near = mid;
        else far = mid;
    }
    return mode + step * far;
}

double grn_fisher_p(const grn_2x2_t *t)
{
    margins_t g = margins_of(t);
    double x = (double)t->a, mode = floor((g.m + 1) * (g.n_a + 1) / (g.n_a + g.n_b + 2)), here = log_weight(&g, x);
    if (g.lo == g.hi || log_weight(&g, mode) <= here + log(SAME)) return 1;
    int step = x < mode ? -1 : 1;
    double p = tail(&g, x, step), other = far_point(&g, mode, -step, here + log(SAME));
    if (other >= g.lo && other <= g.hi) p += tail(&g, other, -step) * exp(log_weight(&g, other) - here);
    return fmin(1, p * exp(here - log_choose(g.n_a + g.n_b, g.m)));
}

/* ---- strata ---- */

/* P(sum of a - its smallest) of the strata by convolution; returns how many more than the smallest the sum can be. */
static size_t convolve(const grn_2x2_t *t, size_t n, double dist[GRN_STRATA_EXACT + 1], size_t *observed)
{
    double one[GRN_STRATA_EXACT + 1], next[GRN_STRATA_EXACT + 1];
    size_t span = 0;
    dist[0] = 1;
    *observed = 0;
    for (size_t k = 0; k < n; k++) {
        margins_t g = margins_of(&t[k]);
        size_t wide = (size_t)(g.hi - g.lo);
        double all = log_choose(g.n_a + g.n_b, g.m);
        *observed += (size_t)((double)t[k].a - g.lo);
        if (!wide) continue;
        for (size_t i = 0; i <= wide; i++) one[i] = exp(log_weight(&g, g.lo + (double)i) - all);
        memset(next, 0, (span + wide + 1) * sizeof *next);
        for (size_t i = 0; i <= span; i++)
            for (size_t j = 0; j <= wide; j++) next[i + j] += dist[i] * one[j];
        span += wide;
        memcpy(dist, next, (span + 1) * sizeof *dist);
    }
    return span;
}

static double exact_p(const grn_2x2_t *t, size_t n)
{
    double dist[GRN_STRATA_EXACT + 1], p = 0;
    size_t at, span = convolve(t, n, dist, &at);
    for (size_t i = 0; i <= span; i++)
        if (dist[i] <= dist[at] * SAME) p += dist[i];
    return fmin(1, p);
}

static double chi_square_p(const grn_2x2_t *t, size_t n)
{
    double excess = 0, variance = 0;
    for (size_t k = 0; k < n; k++) {
        margins_t g = margins_of(&t[k]);
        double all = g.n_a + g.n_b;
        if (all < 2) continue;
        excess += (double)t[k].a - g.m * g.n_a / all;
        variance += g.n_a / all * (g.n_b / all) * g.m * ((all - g.m) / (all - 1));
    }
    return erfc(fabs(excess) / sqrt(2 * variance));
}

grn_strata_t grn_strata_test(const grn_2x2_t *t, size_t n)
{
    grn_strata_t out = { NAN, NAN, NAN, 1 };
    double weight = 0, diff = 0, for_a = 0, for_b = 0, tables = 0;
    size_t n_free = 0, free_one = 0;
    for (size_t k = 0; k < n; k++) {
        double a = (double)t[k].a, n_a = (double)t[k].n_a, b = (double)t[k].b, n_b = (double)t[k].n_b, w;
        if (t[k].n_a == 0 || t[k].n_b == 0) continue;
        margins_t g = margins_of(&t[k]);
        weight += w = n_a * n_b / (n_a + n_b);
        diff += w * (a / n_a - b / n_b);
        for_a += (a + 0.5) * (n_b - b + 0.5) / (n_a + n_b + 2);
        for_b += (n_a - a + 0.5) * (b + 0.5) / (n_a + n_b + 2);
        tables += g.hi - g.lo;
        if (g.hi > g.lo) n_free++, free_one = k;
    }
    if (weight > 0) out.diff = diff / weight, out.log2_or = log2(for_a / for_b);
    if (n_free == 1) out.p = grn_fisher_p(&t[free_one]);
    else if (n_free > 1 && tables <= GRN_STRATA_EXACT) out.p = exact_p(t, n);
    else if (n_free > 1) out.p = chi_square_p(t, n), out.exact = 0;
    return out;
}
