#include "stat/mixture.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "base/simd.h"
#include "stat/density.h"
#include "stat/mixture_kernel.h"
#include "stat/moments.h"

#define LN_SQRT_2PI 0.91893853320467274178
#define N_START 8
#define MAX_PASS 500
#define MAX_STEP 1.0
#define MAX_DAMPING 4.0
#define N_PLAIN 8 /* EM steps before the first of Newton */

static grn_mix2_pass_t *pick_pass(void)
{
#if defined(__x86_64__)
    grn_mix2_pass_t *const by_level[] = { grn_mix2_pass_base, grn_mix2_pass_avx2, grn_mix2_pass_avx512 };
    return by_level[grn_simd_level()];
#else
    return grn_mix2_pass_base;
#endif
}

/* ---- EM on the scaled sample ---- */

typedef struct {
    double w[2], m[2], v[2], ll;
    int start, n_pass;
} em_t;

/* A (weighted) sample and its totals. */
typedef struct {
    double *u, *w; /* (n) and 8 zeros more; w NULL: 1 */
    size_t n;
    double total, s, q, floor;
    grn_mix2_pass_t *pass;
} sample_t;

/* The sums of one pass; f->ll. */
static void e_step(const sample_t *x, em_t *f, grn_mix2_sums_t *sums)
{
    double c[2], h[2], odds[3], lower;
    for (int k = 0; k < 2; k++) {
        c[k] = log(f->w[k]) - LN_SQRT_2PI - 0.5 * log(f->v[k]);
        h[k] = 0.5 / f->v[k];
    }
    odds[0] = c[1] - c[0] + f->m[0] * f->m[0] * h[0] - f->m[1] * f->m[1] * h[1];
    odds[1] = 2 * (f->m[1] * h[1] - f->m[0] * h[0]);
    odds[2] = h[0] - h[1];
    x->pass(x->u, x->w, x->n, odds, sums);
    lower = x->total * c[0] - h[0] * (x->q - 2 * f->m[0] * x->s + f->m[0] * f->m[0] * x->total);
    f->ll = lower + sums->above;
    f->n_pass++;
}

/* New parameters from the sums. A component left with nothing keeps its place at the smallest weight. */
static void m_step(const sample_t *x, const grn_mix2_sums_t *sums, em_t *f)
{
    double n[2] = { x->total - sums->r[0], sums->r[0] }, s[2] = { x->s - sums->r[1], sums->r[1] },
           q[2] = { x->q - sums->r[2], sums->r[2] };
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

/* ---- Newton's step ---- */

enum { ODDS, MEAN, LOGVAR = 3, N_PAR = 5 }; /* ln(w2/w1), means, ln variances */

/* Gradient g of the log-likelihood, and a = (1 + damping) complete - hidden: the information of the complete data, less what the
 * posteriors hide (Louis 1982); the negative Hessian for damping 0. Derivatives of the log densities are polynomials of u. */
static void information(const sample_t *x, const em_t *f, const grn_mix2_sums_t *sums, double damping, double *g,
                        double a[N_PAR][N_PAR])
{
    double poly[N_PAR][3] = { { 1, 0, 0 } }; /* of d ln p2 - d ln p1, by parameter */
    memset(a, 0, sizeof(double) * N_PAR * N_PAR);
    g[ODDS] = sums->r[0] - f->w[1] * x->total;
    a[ODDS][ODDS] = x->total * f->w[0] * f->w[1];
    for (int k = 0; k < 2; k++) {
        double sign = k ? 1 : -1, m = f->m[k], v = f->v[k];
        double n = k ? sums->r[0] : x->total - sums->r[0], s = k ? sums->r[1] : x->s - sums->r[1],
               q = k ? sums->r[2] : x->q - sums->r[2];
        double first = s - m * n, second = (q - 2 * m * s + m * m * n) / v;
        int im = MEAN + k, iv = LOGVAR + k;
        g[im] = first / v;
        g[iv] = 0.5 * (second - n);
        a[im][im] = n / v;
        a[iv][im] = first / v;
        a[iv][iv] = 0.5 * second;
        poly[im][0] = -sign * m / v;
        poly[im][1] = sign / v;
        poly[iv][0] = sign * 0.5 * (m * m / v - 1);
        poly[iv][1] = -sign * m / v;
        poly[iv][2] = sign * 0.5 / v;
    }
    for (int i = 0; i < N_PAR; i++)
        for (int j = 0; j <= i; j++) {
            double hidden = 0;
            for (int p = 0; p < 3; p++)
                for (int q = 0; q < 3; q++) hidden += poly[i][p] * poly[j][q] * sums->b[p + q];
            a[i][j] = (1 + damping) * a[i][j] - hidden;
        }
    for (int k = 0; k < 2; k++) /* a variance held at its floor does not move */
        if (f->v[k] <= x->floor && g[LOGVAR + k] <= 0) {
            for (int j = 0; j < N_PAR; j++) a[LOGVAR + k][j] = a[j][LOGVAR + k] = 0;
            a[LOGVAR + k][LOGVAR + k] = 1;
            g[LOGVAR + k] = 0;
        }
}

/* Solves a step = g by Cholesky on the lower triangle of a; 0 when a is not positive definite. */
static int solve(double a[N_PAR][N_PAR], const double *g, double *step)
{
    for (int i = 0; i < N_PAR; i++)
        for (int j = 0; j <= i; j++) {
            double s = a[i][j];
            for (int k = 0; k < j; k++) s -= a[i][k] * a[j][k];
            if (i > j) a[i][j] = s / a[j][j];
            else if (!(s > 1e-12 * a[i][i]) || !(s > 0)) return 0;
            else a[i][i] = sqrt(s);
        }
    for (int i = 0; i < N_PAR; i++) {
        step[i] = g[i];
        for (int k = 0; k < i; k++) step[i] -= a[i][k] * step[k];
        step[i] /= a[i][i];
    }
    for (int i = N_PAR; i-- > 0;) {
        for (int k = i + 1; k < N_PAR; k++) step[i] -= a[k][i] * step[k];
        step[i] /= a[i][i];
    }
    return 1;
}

static double more(double damping)
{
    return damping > 0 ? 10 * damping : 1e-5;
}
static double less(double damping)
{
    return damping > 1e-5 ? damping / 10 : 0;
}

/* The next point to try: Newton's step, damped towards one of EM by as much as *damping or what makes the likelihood concave, at most
 * MAX_STEP of an sd, of a log variance or of the log odds. *gain: what the quadratic approximation promises. 0: none found. */
static int newton(const sample_t *x, const em_t *f, const grn_mix2_sums_t *sums, double *damping, em_t *next, double *gain)
{
    double g[N_PAR], a[N_PAR][N_PAR], step[N_PAR], far = 0, odds;
    for (;; *damping = more(*damping)) {
        if (*damping > MAX_DAMPING) return 0;
        information(x, f, sums, *damping, g, a);
        if (solve(a, g, step)) break;
    }
    *gain = 0;
    for (int i = 0; i < N_PAR; i++) {
        double d = fabs(step[i]) / (i == MEAN ? sqrt(f->v[0]) : i == MEAN + 1 ? sqrt(f->v[1]) : 1);
        if (!(d <= far)) far = d;
        *gain += 0.5 * g[i] * step[i];
    }
    if (!isfinite(far)) return 0;
    far = far > MAX_STEP ? MAX_STEP / far : 1;
    *next = *f;
    odds = log(f->w[1] / f->w[0]) + far * step[ODDS];
    odds = exp(odds > 27 ? 27 : odds < -27 ? -27 : odds);
    next->w[0] = 1 / (1 + odds);
    next->w[1] = odds / (1 + odds);
    for (int c = 0; c < 2; c++) {
        next->m[c] += far * step[MEAN + c];
        next->v[c] *= exp(far * step[LOGVAR + c]);
        if (!(next->v[c] > x->floor)) next->v[c] = x->floor;
    }
    return 1;
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

/* From start values (f on entry) to the top of the likelihood (f on return): n_plain steps of EM, then Newton's, damped more after each
 * that lowers the likelihood (Levenberg & Marquardt), in the end to one of EM. Until Newton's step promises less than 1e-9 of the
 * log-likelihood or, where there is none, one of EM brings less. Gives up where ten times that promise does not reach `beat`. */
static void climb(const sample_t *x, em_t *f, int n_plain, double beat)
{
    em_t here = *f, next;
    grn_mix2_sums_t sums, at_next;
    double gain, damping = 0, before = -INFINITY;
    here.n_pass = 0;
    e_step(x, &here, &sums);
    while (here.n_pass < MAX_PASS) {
        double size = 1e-9 * (fabs(here.ll) > 0.01 * x->total ? fabs(here.ll) : 0.01 * x->total);
        int found = here.n_pass > n_plain && newton(x, &here, &sums, &damping, &next, &gain);
        if (found && (gain < 1e-3 * size || (damping == 0 && (gain < size || here.ll + 10 * gain + 0.1 < beat)))) break;
        if (!found) {
            if (here.ll - before < size) break;
            before = here.ll;
            damping = less(damping);
            next = here;
            m_step(x, &sums, &next);
        }
        e_step(x, &next, &at_next);
        here.n_pass = next.n_pass;
        if (found && !(next.ll >= here.ll)) {
            damping = more(damping);
            continue;
        }
        if (found) {
            if (next.ll - here.ll > 0.5 * gain) damping = less(damping);
            before = -INFINITY;
        }
        here = next;
        sums = at_next;
    }
    *f = here;
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
    GRN_TRY(GRN_NEW(g->u, x->n + GRN_MIX2_LANES));
    GRN_TRY(GRN_NEW(g->w, x->n + GRN_MIX2_LANES));
    for (size_t i = 0; i < x->n;) {
        size_t j = i;
        double sum = 0;
        while (j < x->n && (j == i || (x->u[j] - x->u[i] < 1.0 / 32 && j - i < x->n / 256))) sum += x->u[j++];
        g->u[g->n] = sum / (double)(j - i);
        g->w[g->n++] = (double)(j - i);
        i = j;
    }
end:
    return rc;
}

/* All starts; the best fit of the whole sample. */
static grn_status best_of_starts(const sample_t *x, em_t *best)
{
    grn_status rc = GRN_OK;
    sample_t g = { 0 };
    em_t f[N_START];
    int n_end = 0;
    if (x->n > 1024) GRN_TRY(group_sample(x, &g));
    for (int k = 0; k < N_START; k++) {
        em_t end;
        int seen = 0, at = n_end;
        start_values(x, k, &end);
        climb(g.n ? &g : x, &end, N_PLAIN, -INFINITY);
        for (int j = 0; j < n_end; j++) seen |= largest_step(&end, &f[j]) < 0.01;
        if (seen || !isfinite(end.ll)) continue;
        for (; at > 0 && f[at - 1].ll < end.ll; at--) f[at] = f[at - 1]; /* the most likely first */
        f[at] = end;
        n_end++;
    }
    if (n_end == 0) GRN_FAIL(GRN_ENONFINITE, "the mixture has no finite likelihood on %zu values", x->n);
    *best = f[0];
    for (int k = 0; k < n_end && g.n; k++) {
        climb(x, &f[k], 0, k ? best->ll : -INFINITY);
        if (k == 0 || f[k].ll > best->ll) *best = f[k];
    }
end:
    free(g.u);
    free(g.w);
    return rc;
}

grn_status grn_mix2_fit(const double *sorted, size_t n, grn_mix2_t *out)
{
    grn_status rc = GRN_OK;
    sample_t x = { 0 };
    em_t best = { 0 };
    grn_moments_t u;
    double centre, scale, iqr, var;
    int up;
    if (n < 2 || !(sorted[0] < sorted[n - 1]))
        GRN_FAIL(GRN_EINVAL, "a mixture needs at least two different values, got %zu equal ones", n);
    GRN_TRY(GRN_NEW(x.u, n + GRN_MIX2_LANES));
    x.pass = pick_pass();
    var = grn_moments(sorted, n).m2;
    centre = grn_density_quantile(sorted, n, 0.5);
    iqr = (grn_density_quantile(sorted, n, 0.75) - grn_density_quantile(sorted, n, 0.25)) / 1.349;
    scale = sqrt(var);
    if (iqr > scale) scale = iqr;
    for (size_t i = 0; i < n; i++) x.u[i] = (sorted[i] - centre) / scale;
    u = grn_moments(x.u, n);
    x.s = u.mean * (double)n;
    x.q = (u.m2 + u.mean * u.mean) * (double)n;
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

double grn_mix2_dbic(const grn_mix2_t *f, size_t n)
{
    return 2 * (f->loglik - f->loglik1) - 3 * log((double)n);
}

double grn_mix2_ashman(const grn_mix2_t *f)
{
    return sqrt(2.0) * fabs(f->m[1] - f->m[0]) / sqrt(f->s[0] * f->s[0] + f->s[1] * f->s[1]);
}

static double log_part(const grn_mix2_t *f, int k, double x)
{
    double z = (x - f->m[k]) / f->s[k];
    return log(f->w[k]) - LN_SQRT_2PI - log(f->s[k]) - 0.5 * z * z;
}

double grn_mix2_density(const grn_mix2_t *f, double x)
{
    return exp(log_part(f, 0, x)) + exp(log_part(f, 1, x));
}

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
