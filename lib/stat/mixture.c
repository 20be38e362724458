#include "stat/mixture.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "stat/density.h"

#define LN_SQRT_2PI 0.91893853320467274178
#define BLOCK 512 /* values whose sums are formed plainly; blocks are added with compensation */
#define N_START 8
#define MAX_PASS 500

/* ---- one EM pass: the kernel ---- */

/* Parameters in the form the kernel uses: ln density of component k at u is c[k] - h[k] (u - m[k])^2. */
typedef struct {
    double c[2], h[2], m[2];
} logs_t;

/* Sums over the sample: weight, first and second moment of the upper component's responsibilities; log-likelihood. */
typedef struct {
    double n2, s2, q2, ll;
} sums_t;

typedef double vec __attribute__((vector_size(32)));
typedef int64_t ivec __attribute__((vector_size(32)));

typedef struct {
    vec n2, s2, q2, top, prod;
} lanes_t;

/* exp(a) for a <= 0, cut at -700: a/ln2 is split into integer and rest by adding 1.5 * 2^52, the rest goes through its Taylor
 * polynomial of degree 11 (relative error 7e-15), the integer is added to the exponent bits. */
static inline __attribute__((always_inline)) void exp_negative(const vec *a, vec *e)
{
    const double magic = 6755399441055744.0, log2e = 1.4426950408889634074, ln2_hi = 6.93147180369123816490e-01,
                 ln2_lo = 1.90821492927058770002e-10;
    vec x = *a, t, r, z, p;
    ivec low = x < -700.0;
    x = (vec)(((ivec)x & ~low) | ((ivec)(x - x - 700.0) & low));
    t = x * log2e + magic;
    r = t - magic;
    r = (x - r * ln2_hi) - r * ln2_lo;
    z = r * r;
    p = (((1.0 / 3628800 + r * (1.0 / 39916800)) * z + (1.0 / 40320 + r * (1.0 / 362880))) * z + (1.0 / 720 + r * (1.0 / 5040))) *
        z;
    p = ((p + (1.0 / 24 + r * (1.0 / 120))) * z + (0.5 + r * (1.0 / 6))) * z + (1.0 + r);
    *e = (vec)((ivec)p + ((ivec)t << 52));
}

/* Four values: the posterior odds of the components are exp(-|d|) to one side or the other, d = difference of the log densities.
 * weighted 0: every weight is 0 or 1 and sum ln(p1 + p2) = sum max ln p + ln prod(1 + exp(-|d|)), one logarithm a block since
 * each factor is at most 2. weighted 1: ln(1 + e) = 2 atanh(e/(2+e)) by its series to z^17 (absolute error 2e-10), times the
 * weight. */
static inline __attribute__((always_inline)) void em_four(const double *u, const vec *wt, const logs_t *p, int weighted,
                                                          lanes_t *t)
{
    const ivec sign = { INT64_MIN, INT64_MIN, INT64_MIN, INT64_MIN };
    vec x, a, b, d, l1, ad, e, inv, r2;
    ivec up;
    memcpy(&x, u, sizeof x);
    a = x - p->m[0];
    b = x - p->m[1];
    l1 = p->c[0] - a * a * p->h[0];
    d = p->c[1] - b * b * p->h[1] - l1;
    up = d > 0.0;
    ad = (vec)((ivec)d | sign); /* -|d| */
    exp_negative(&ad, &e);
    inv = 1.0 / (1.0 + e);
    r2 = (vec)(((ivec)inv & up) | ((ivec)(e * inv) & ~up));
    l1 += (vec)((ivec)d & up); /* the larger log density */
    if (wt) {
        r2 *= *wt;
        l1 *= *wt;
    }
    if (weighted) {
        vec q = e / (2.0 + e), z = q * q;
        vec series = 1.0 / 15 + z * (1.0 / 17);
        series = 1.0 / 9 + z * (1.0 / 11 + z * (1.0 / 13 + z * series));
        series = 1.0 + z * (1.0 / 3 + z * (1.0 / 5 + z * (1.0 / 7 + z * series)));
        l1 += 2.0 * q * series * *wt;
    } else {
        t->prod *= wt ? 1.0 + e * *wt : 1.0 + e;
    }
    t->n2 += r2;
    t->s2 += r2 * x;
    t->q2 += r2 * x * x;
    t->top += l1;
}

/* One pass over n values. u, and w unless it is NULL (then every weight is 1), are padded with zeros to a multiple of 4. */
static inline __attribute__((always_inline)) void em_kernel(const double *u, const double *w, size_t n, const logs_t *p,
                                                            sums_t *out)
{
    double total[4] = { 0, 0, 0, 0 }, carry[4] = { 0, 0, 0, 0 };
    for (size_t begin = 0; begin < n; begin += BLOCK) {
        size_t end = begin + BLOCK < n ? begin + BLOCK : n, i = begin;
        lanes_t t = { 0 };
        vec wt = { 0 };
        double part[4];
        t.prod += 1.0;
        if (w) {
            for (; i < end; i += 4) {
                memcpy(&wt, w + i, sizeof wt);
                em_four(u + i, &wt, p, 1, &t);
            }
        } else {
            for (; i + 4 <= end; i += 4) em_four(u + i, NULL, p, 0, &t);
            if (i < end) {
                for (size_t k = 0; k < 4; k++) wt[k] = i + k < end;
                em_four(u + i, &wt, p, 0, &t);
            }
        }
        part[0] = (t.n2[0] + t.n2[1]) + (t.n2[2] + t.n2[3]);
        part[1] = (t.s2[0] + t.s2[1]) + (t.s2[2] + t.s2[3]);
        part[2] = (t.q2[0] + t.q2[1]) + (t.q2[2] + t.q2[3]);
        part[3] = (t.top[0] + t.top[1]) + (t.top[2] + t.top[3]) + log((t.prod[0] * t.prod[1]) * (t.prod[2] * t.prod[3]));
        for (int k = 0; k < 4; k++) { /* Kahan */
            double y = part[k] - carry[k], sum = total[k] + y;
            carry[k] = (sum - total[k]) - y;
            total[k] = sum;
        }
    }
    *out = (sums_t){ total[0], total[1], total[2], total[3] };
}

static void pass_plain(const double *u, const double *w, size_t n, const logs_t *p, sums_t *out)
{
    if (w) em_kernel(u, w, n, p, out);
    else em_kernel(u, NULL, n, p, out);
}

#if defined(__x86_64__) && defined(__GNUC__)
/* The same operations on wider registers: the bits do not change. */
__attribute__((target("avx2"))) static void pass_avx2(const double *u, const double *w, size_t n, const logs_t *p, sums_t *out)
{
    if (w) em_kernel(u, w, n, p, out);
    else em_kernel(u, NULL, n, p, out);
}
static void em_pass(const double *u, const double *w, size_t n, const logs_t *p, sums_t *out)
{
    if (__builtin_cpu_supports("avx2")) pass_avx2(u, w, n, p, out);
    else pass_plain(u, w, n, p, out);
}
#else
#define em_pass pass_plain
#endif

/* ---- EM on the scaled sample ---- */

typedef struct {
    double w[2], m[2], v[2], ll;
    int start, n_pass;
} em_t;

/* A (weighted) sample and its totals. */
typedef struct {
    double *u, *w;
    size_t n;
    double total, s, q, floor;
} sample_t;

static void e_step(const sample_t *x, const em_t *f, sums_t *sums)
{
    logs_t p;
    for (int k = 0; k < 2; k++) {
        p.c[k] = log(f->w[k]) - LN_SQRT_2PI - 0.5 * log(f->v[k]);
        p.h[k] = 0.5 / f->v[k];
        p.m[k] = f->m[k];
    }
    em_pass(x->u, x->w, x->n, &p, sums);
}

/* New parameters from the sums. A component left with nothing keeps its place at the smallest weight. */
static void m_step(const sample_t *x, const sums_t *sums, em_t *f)
{
    double n[2] = { x->total - sums->n2, sums->n2 }, s[2] = { x->s - sums->s2, sums->s2 }, q[2] = { x->q - sums->q2, sums->q2 };
    for (int k = 0; k < 2; k++) {
        if (n[k] > 1e-9) {
            f->m[k] = s[k] / n[k];
            f->v[k] = q[k] / n[k] - f->m[k] * f->m[k];
        }
        if (!(f->v[k] > x->floor)) f->v[k] = x->floor;
        f->w[k] = n[k] / x->total;
    }
    for (int k = 0; k < 2; k++)
        if (!(f->w[k] > 1e-12)) f->w[k] = 1e-12, f->w[1 - k] = 1 - 1e-12;
}

static double largest_step(const em_t *a, const em_t *b)
{
    double d = fabs(a->w[0] - b->w[0]);
    for (int k = 0; k < 2; k++) {
        double dm = fabs(a->m[k] - b->m[k]) / sqrt(b->v[k]), dv = fabs(a->v[k] - b->v[k]) / b->v[k];
        if (dm > d) d = dm;
        if (dv > d) d = dv;
    }
    return d;
}

#define N_PAR 5
static void to_free(const em_t *f, double p[N_PAR])
{
    p[0] = log(f->w[1] / f->w[0]);
    for (int k = 0; k < 2; k++) {
        p[1 + k] = f->m[k];
        p[3 + k] = log(f->v[k]);
    }
}

/* Squared extrapolation from three successive EM iterates (Varadhan & Roland 2008, scheme S3) in unconstrained parameters. */
static em_t extrapolate(const em_t *f0, const em_t *f1, const em_t *f2, double floor)
{
    double p0[N_PAR], p1[N_PAR], p2[N_PAR], rr = 0, vv = 0, step, odds;
    em_t f = *f2;
    to_free(f0, p0);
    to_free(f1, p1);
    to_free(f2, p2);
    for (int k = 0; k < N_PAR; k++) {
        double r = p1[k] - p0[k], v = (p2[k] - p1[k]) - r;
        rr += r * r;
        vv += v * v;
    }
    step = vv > 0 ? sqrt(rr / vv) : 1;
    if (!(step > 1)) return f;
    if (step > 64) step = 64;
    for (int k = 0; k < N_PAR; k++) {
        double r = p1[k] - p0[k], v = (p2[k] - p1[k]) - r;
        p0[k] += 2 * step * r + step * step * v;
    }
    odds = exp(p0[0] > 27 ? 27 : p0[0] < -27 ? -27 : p0[0]);
    f.w[0] = 1 / (1 + odds);
    f.w[1] = odds / (1 + odds);
    for (int k = 0; k < 2; k++) {
        f.m[k] = p0[1 + k];
        f.v[k] = exp(p0[3 + k] > 27 ? 27 : p0[3 + k]);
        if (!(f.v[k] > floor)) f.v[k] = floor;
    }
    return f;
}

/* EM until one plain EM step changes the log-likelihood by less than 1e-8 of itself: f enters with start values and leaves with
 * the fit and its log-likelihood. Every two EM steps are extrapolated; a jump that lowers the likelihood is taken back. */
static void em_run(const sample_t *x, em_t *f)
{
    em_t f0 = *f, f1, f2 = *f;
    sums_t sums;
    double least = -INFINITY;
    int pass = 0;
    while (pass < MAX_PASS) {
        e_step(x, &f0, &sums);
        f0.ll = sums.ll;
        pass++;
        if (!(f0.ll >= least)) {
            f0 = f2;
            least = -INFINITY;
            continue;
        }
        f1 = f0;
        m_step(x, &sums, &f1);
        e_step(x, &f1, &sums);
        f1.ll = sums.ll;
        pass++;
        *f = f1;
        if (fabs(f1.ll - f0.ll) < 1e-8 * (fabs(f1.ll) > 0.01 * x->total ? fabs(f1.ll) : 0.01 * x->total)) break;
        f2 = f1;
        m_step(x, &sums, &f2);
        least = f1.ll;
        f0 = extrapolate(&f0, &f1, &f2, x->floor);
    }
    f->n_pass = pass;
}

static void start_values(const sample_t *x, int start, em_t *f)
{
    static const double pair[4][2] = { { .25, .75 }, { .5, .95 }, { .1, .9 }, { .05, .5 } }, lower[4] = { .5, .8, .5, .2 };
    double var = x->q / x->total - (x->s / x->total) * (x->s / x->total);
    memset(f, 0, sizeof *f);
    f->start = start;
    for (int k = 0; k < 2; k++) {
        f->m[k] = grn_density_quantile(x->u, x->n, pair[start / 2][k]);
        f->v[k] = var / (start % 2 ? 4 : 2);
        if (!(f->v[k] > x->floor)) f->v[k] = x->floor;
    }
    f->w[0] = lower[start / 2];
    f->w[1] = 1 - f->w[0];
}

/* Neighbouring values (u ascends) merged while they span less than 1/32 and hold less than n/256: means and counts. */
static grn_status group_sample(const sample_t *x, sample_t *g)
{
    grn_status rc = GRN_OK;
    *g = *x;
    g->n = 0;
    g->u = g->w = NULL;
    GRN_TRY(GRN_NEW(g->u, x->n + 4));
    GRN_TRY(GRN_NEW(g->w, x->n + 4));
    for (size_t i = 0; i < x->n;) {
        size_t j = i;
        double sum = 0;
        while (j < x->n && (j == i || (x->u[j] - x->u[i] < 1.0 / 32 && j - i < x->n / 256))) sum += x->u[j++];
        g->u[g->n] = sum / (double)(j - i);
        g->w[g->n++] = (double)(j - i);
        i = j;
    }
    memset(g->u + g->n, 0, 4 * sizeof *g->u);
end:
    return rc;
}

/* All starts; the best fit of the whole sample. */
static grn_status best_of_starts(const sample_t *x, em_t *best)
{
    grn_status rc = GRN_OK;
    sample_t g = { 0 };
    em_t f[N_START];
    memset(best, 0, sizeof *best);
    best->ll = -INFINITY;
    if (x->n > 1024) GRN_TRY(group_sample(x, &g));
    for (int k = 0; k < N_START; k++) {
        int seen = 0;
        start_values(x, k, &f[k]);
        if (g.n) em_run(&g, &f[k]);
        for (int j = 0; j < k && g.n; j++) seen |= largest_step(&f[k], &f[j]) < 0.01;
        if (seen) continue;
        em_t end = f[k];
        em_run(x, &end);
        if (end.ll > best->ll) *best = end;
    }
    if (!isfinite(best->ll)) GRN_FAIL(GRN_ENONFINITE, "the mixture has no finite likelihood on %zu values", x->n);
end:
    free(g.u);
    free(g.w);
    return rc;
}

grn_status grn_mix2_fit(const double *sorted, size_t n, grn_mix2_t *out)
{
    grn_status rc = GRN_OK;
    sample_t x = { 0 };
    em_t best;
    double centre, scale, iqr, mean = 0, var = 0;
    int up;
    if (n < 2 || !(sorted[0] < sorted[n - 1]))
        GRN_FAIL(GRN_EINVAL, "a mixture needs at least two different values, got %zu equal ones", n);
    GRN_TRY(GRN_NEW(x.u, n + 4));
    for (size_t i = 0; i < n; i++) mean += sorted[i];
    mean /= (double)n;
    for (size_t i = 0; i < n; i++) var += (sorted[i] - mean) * (sorted[i] - mean);
    var /= (double)n;
    centre = grn_density_quantile(sorted, n, 0.5);
    iqr = (grn_density_quantile(sorted, n, 0.75) - grn_density_quantile(sorted, n, 0.25)) / 1.349;
    scale = sqrt(var);
    if (iqr > scale) scale = iqr;
    for (size_t i = 0; i < n; i++) {
        x.u[i] = (sorted[i] - centre) / scale;
        x.s += x.u[i];
        x.q += x.u[i] * x.u[i];
    }
    x.n = n;
    x.total = (double)n;
    x.floor = 1e-3 * var / (scale * scale);
    if (x.floor < 1e-12) x.floor = 1e-12;
    GRN_TRY(best_of_starts(&x, &best));
    up = best.m[0] <= best.m[1];
    for (int k = 0; k < 2; k++) {
        int from = up ? k : 1 - k;
        out->w[k] = best.w[from];
        out->m[k] = centre + scale * best.m[from];
        out->s[k] = scale * sqrt(best.v[from]);
    }
    out->loglik = best.ll - (double)n * log(scale);
    out->loglik1 = -(double)n * (LN_SQRT_2PI + 0.5 * log(var) + 0.5);
    out->start = best.start;
    out->n_iter = best.n_pass;
end:
    free(x.u);
    return rc;
}

/* ---- what the fit says ---- */

double grn_mix2_dbic(const grn_mix2_t *f, size_t n) { return 2 * (f->loglik - f->loglik1) - 3 * log((double)n); }

double grn_mix2_ashman(const grn_mix2_t *f)
{
    return sqrt(2.0) * fabs(f->m[1] - f->m[0]) / sqrt(f->s[0] * f->s[0] + f->s[1] * f->s[1]);
}

static double log_part(const grn_mix2_t *f, int k, double x)
{
    double z = (x - f->m[k]) / f->s[k];
    return log(f->w[k]) - LN_SQRT_2PI - log(f->s[k]) - 0.5 * z * z;
}

double grn_mix2_density(const grn_mix2_t *f, double x) { return exp(log_part(f, 0, x)) + exp(log_part(f, 1, x)); }

double grn_mix2_posterior(const grn_mix2_t *f, double x)
{
    double d = log_part(f, 1, x) - log_part(f, 0, x);
    return d > 0 ? 1 / (1 + exp(-d)) : exp(d) / (1 + exp(d));
}

/* ---- the crossing ---- */

const char *grn_cross_name(grn_cross k)
{
    static const char *const name[] = { "root", "equal-sd", "broad", "two-roots", "argmin", "same-mean", "dominated", "none" };
    return name[k];
}

/* Lowest mixture density on [m1, m2] by a grid of 512 and golden section; *inside = 0 when it is at an end. */
static double lowest_density(const grn_mix2_t *f, int *inside)
{
    const double golden = 0.61803398874989484820;
    double a = f->m[0], step = (f->m[1] - a) / 512, lo, hi;
    int best = 0;
    for (int k = 1; k <= 512; k++)
        if (grn_mix2_density(f, a + k * step) < grn_mix2_density(f, a + best * step)) best = k;
    *inside = best > 0 && best < 512;
    if (!*inside) return a + best * step;
    lo = a + (best - 1) * step;
    hi = a + (best + 1) * step;
    for (int k = 0; k < 80; k++) {
        double x1 = hi - golden * (hi - lo), x2 = lo + golden * (hi - lo);
        if (grn_mix2_density(f, x1) < grn_mix2_density(f, x2)) hi = x2;
        else lo = x1;
    }
    return (lo + hi) / 2;
}

/* Roots of a y^2 + b y + c, a != 0, discriminant disc > 0, without cancellation. */
static void stable_roots(double a, double b, double c, double disc, double root[2])
{
    double q = -(b + copysign(sqrt(disc), b)) / 2;
    root[0] = q / a;
    root[1] = q != 0 ? c / q : -root[0];
}

double grn_mix2_cross(const grn_mix2_t *f, double lo, double hi, grn_cross *kind)
{
    double mid = f->m[0] + (f->m[1] - f->m[0]) / 2, half = (f->m[1] - f->m[0]) / 2; /* centred: the means are -half, +half */
    double p1 = 1 / (f->s[0] * f->s[0]), p2 = 1 / (f->s[1] * f->s[1]);
    double a = (p2 - p1) / 2, b = -half * (p1 + p2), c = half * half * a + log(f->w[0] * f->s[1] / (f->w[1] * f->s[0]));
    double disc = b * b - 4 * a * c, root[2], at;
    int in[2], inside;
    *kind = GRN_CROSS_SAME_MEAN;
    if (2 * half < 1e-9 * (f->s[0] > f->s[1] ? f->s[0] : f->s[1])) return NAN;
    if (fabs(a) * 4 * half * half < 1e-9) {
        *kind = GRN_CROSS_EQUAL_SD;
        root[0] = root[1] = f->s[0] * f->s[1] * log(f->w[0] / f->w[1]) / (2 * half);
    } else {
        *kind = GRN_CROSS_DOMINATED;
        if (!(disc > 0)) return NAN;
        *kind = GRN_CROSS_ROOT;
        stable_roots(a, b, c, disc, root);
    }
    for (int k = 0; k < 2; k++) in[k] = root[k] > -half && root[k] < half;
    if (!in[0] && !in[1]) {
        at = lowest_density(f, &inside);
        *kind = inside ? GRN_CROSS_ARGMIN : GRN_CROSS_NONE;
        return inside ? at : NAN;
    }
    if (*kind == GRN_CROSS_EQUAL_SD) return mid + root[0];
    if (in[0] && in[1]) {
        *kind = GRN_CROSS_TWO;
        at = lowest_density(f, &inside) - mid;
        return mid + root[fabs(root[1] - at) < fabs(root[0] - at)];
    }
    at = mid + root[in[0] ? 1 : 0]; /* the other root */
    if (at >= lo && at <= hi) *kind = GRN_CROSS_BROAD;
    return mid + root[in[0] ? 0 : 1];
}
