#include "stat/explore.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "stat/density.h"
#include "stat/moments.h"

enum { N_NODES = 512, N_BINS = 128, N_BREAKS = 100, MAX_ITER = 500 };
static const double smallest_pop = 0.25, thr_p = 0.01, dens_adjust = 2, least_peak = 0.05;

const char *grn_explore_name(grn_explore_kind k)
{
    static const char *const name[] = { "outlierOfGlobal", "Global_k1", "L_k2", "R_k3", "minimumDens", "tenPercentOfMax" };
    return name[k];
}

double grn_kolmogorov_tail(double z)
{
    double p = 0;
    if (!(z > 0.2)) return 1; /* 1 - 5e-13 */
    for (int k = 1; k <= 50; k++) {
        double term = 2 * exp(-2.0 * k * k * z * z);
        p += k % 2 ? term : -term;
        if (term < 1e-18) break;
    }
    return p < 0 ? 0 : p > 1 ? 1 : p;
}

/* Largest distance between the empirical distribution of a sorted sample and a normal one. */
static double distance_to_normal(const double *v, size_t n, double mean, double sd)
{
    double d = 0;
    for (size_t i = 0, j; i < n; i = j) {
        double f = gsl_cdf_ugaussian_P((v[i] - mean) / sd);
        for (j = i + 1; j < n && v[j] == v[i]; j++) {}
        if (f - (double)i / (double)n > d) d = f - (double)i / (double)n;
        if ((double)j / (double)n - f > d) d = (double)j / (double)n - f;
    }
    return d;
}

/* ---- the mixture of three ---- */

typedef struct {
    double w[3], m[3], v[3];
} mix3_t;

/* One EM step on weighted bins; returns the log-likelihood of f before it. */
static double em3(const double *x, const double *count, size_t n_bins, double total, double floor, mix3_t *f)
{
    double n[3] = { 0 }, s[3] = { 0 }, q[3] = { 0 }, c[3], ll = 0;
    for (int k = 0; k < 3; k++) c[k] = log(f->w[k]) - 0.5 * log(2 * 3.14159265358979323846 * f->v[k]);
    for (size_t b = 0; b < n_bins; b++) {
        double l[3], top = -INFINITY, sum = 0;
        if (count[b] == 0) continue;
        for (int k = 0; k < 3; k++) {
            l[k] = c[k] - 0.5 * (x[b] - f->m[k]) * (x[b] - f->m[k]) / f->v[k];
            if (l[k] > top) top = l[k];
        }
        for (int k = 0; k < 3; k++) sum += l[k] = exp(l[k] - top);
        ll += count[b] * (top + log(sum));
        for (int k = 0; k < 3; k++) {
            double r = count[b] * l[k] / sum;
            n[k] += r;
            s[k] += r * x[b];
            q[k] += r * x[b] * x[b];
        }
    }
    for (int k = 0; k < 3; k++) {
        if (n[k] > 1e-9) {
            f->m[k] = s[k] / n[k];
            f->v[k] = q[k] / n[k] - f->m[k] * f->m[k];
        }
        if (!(f->v[k] > floor)) f->v[k] = floor;
        f->w[k] = n[k] > 1e-9 * total ? n[k] / total : 1e-9;
    }
    return ll;
}

/* The fit to the sample in bins, on the scale of bins (0 .. N_BINS). */
static mix3_t fit3(const double *v, size_t n, const grn_mix2_t *two)
{
    double x[N_BINS], count[N_BINS] = { 0 }, width = (v[n - 1] - v[0]) / N_BINS, var = grn_moments(v, n).m2 / (width * width);
    double ll[2];
    int split = two->s[1] > two->s[0]; /* the wider component is halved in the second start */
    mix3_t f[2];
    for (size_t b = 0; b < N_BINS; b++) x[b] = (double)b + 0.5;
    for (size_t i = 0; i < n; i++) {
        size_t b = (size_t)((v[i] - v[0]) / width);
        count[b < N_BINS ? b : N_BINS - 1]++;
    }
    for (int k = 0; k < 3; k++) {
        f[0].w[k] = 1.0 / 3;
        f[0].m[k] = (grn_density_quantile(v, n, (2 * k + 1) / 6.0) - v[0]) / width;
        f[0].v[k] = var / 9 > 1.0 / 12 ? var / 9 : 1.0 / 12;
    }
    for (int k = 0; k < 3; k++) {
        int from = k == 2 ? split : k;
        double sd = two->s[from] / width, shift = from != split ? 0 : k == 2 ? 0.7 * sd : -0.7 * sd;
        f[1].w[k] = from == split ? two->w[from] / 2 : two->w[from];
        f[1].m[k] = (two->m[from] - v[0]) / width + shift;
        f[1].v[k] = sd * sd > 1.0 / 12 ? (from == split ? sd * sd / 2 : sd * sd) : 1.0 / 12;
        if (f[1].v[k] < 1.0 / 12) f[1].v[k] = 1.0 / 12;
    }
    for (int start = 0; start < 2; start++) {
        double before = -INFINITY;
        for (int i = 0; i < MAX_ITER; i++, before = ll[start]) {
            ll[start] = em3(x, count, N_BINS, (double)n, 1.0 / 12, &f[start]);
            if (ll[start] - before < 1e-8 * fabs(ll[start])) break;
        }
    }
    return f[ll[1] > ll[0]];
}

static double right_of_three(const double *v, size_t n, const grn_mix2_t *two)
{
    mix3_t f = fit3(v, n, two);
    double width = (v[n - 1] - v[0]) / N_BINS;
    int high = 0;
    for (int k = 1; k < 3; k++)
        if (f.m[k] > f.m[high]) high = k;
    return v[0] + width * (f.m[high] + sqrt(f.v[high]) * gsl_cdf_ugaussian_Pinv(thr_p));
}

/* ---- the valley of the density ---- */

/* The first valley from node `top` in direction `step`; its node, or N_NODES: none with a peak of enough height behind it. */
static size_t valley(const double *f, size_t top, int step)
{
    size_t k = top, low;
    size_t last = step > 0 ? N_NODES - 1 : 0;
    while (k != last && f[k + (size_t)step] <= f[k]) k += (size_t)step;
    low = k;
    while (k != last && f[k + (size_t)step] >= f[k]) k += (size_t)step;
    return f[k] > f[low] && f[k] >= least_peak * f[top] ? low : N_NODES;
}

static grn_status lowest_density(const double *v, size_t n, double *at)
{
    grn_status rc = GRN_OK;
    double h = dens_adjust * grn_density_silverman(v, n), f[N_NODES], lo = v[0] - 3 * h;
    double step = (v[n - 1] + 3 * h - lo) / (N_NODES - 1);
    size_t top = 0, low;
    *at = NAN;
    GRN_TRY(grn_density_grid(v, n, h, lo, step, N_NODES, f));
    for (size_t k = 1; k < N_NODES; k++)
        if (f[k] > f[top]) top = k;
    low = valley(f, top, 1);
    if (low == N_NODES) low = valley(f, top, -1);
    if (low < N_NODES) *at = lo + (double)low * step;
end:
    return rc;
}

/* ---- the choice ---- */

/* Share of the sorted values in the first bins of N_BREAKS. */
static double share_below(const double *v, size_t n, int bins)
{
    double edge = v[0] + (v[n - 1] - v[0]) * bins / N_BREAKS;
    size_t k = 0;
    while (k < n && v[k] <= edge) k++;
    return (double)k / (double)n;
}

static double share_of_zeros(const double *v, size_t n)
{
    size_t zeros = 0;
    for (size_t i = 0; i < n; i++) zeros += v[i] == 0;
    return (double)zeros / (double)n;
}

static unsigned that_count(const double *v, size_t n, const grn_mix2_t *two, int normal, const double *at)
{
    int taller = two->w[1] / two->s[1] > two->w[0] / two->s[0], overlap = grn_mix2_ashman(two) <= 2;
    double most = 1 - smallest_pop;
    int global = share_of_zeros(v, n) > most || normal || share_below(v, n, 5) >= most * most || taller || overlap;
    return (unsigned)normal << GRN_EXPLORE_OUTLIER | (unsigned)global << GRN_EXPLORE_GLOBAL |
           (unsigned)(two->w[0] >= 0.5) << GRN_EXPLORE_LEFT | (unsigned)(at[GRN_EXPLORE_RIGHT] > 0) << GRN_EXPLORE_RIGHT |
           (unsigned)!isnan(at[GRN_EXPLORE_DENSITY]) << GRN_EXPLORE_DENSITY |
           (unsigned)(share_below(v, n, 10) >= 0.5 * most) << GRN_EXPLORE_TENTH;
}

grn_status grn_explore(const double *v, size_t n, const grn_mix2_t *two, grn_explore_t *out)
{
    grn_status rc = GRN_OK;
    grn_moments_t m = grn_moments(v, n);
    double sd = sqrt(m.m2 * ((double)n / (double)(n - 1))), tail = thr_p / (double)n;
    int normal = grn_kolmogorov_tail(sqrt((double)n) * distance_to_normal(v, n, m.mean, sd)) >= 0.01, found = 0;
    memset(out, 0, sizeof *out);
    out->at[GRN_EXPLORE_OUTLIER] = m.mean + sd * gsl_cdf_ugaussian_Qinv(tail);
    out->at[GRN_EXPLORE_GLOBAL] = m.mean + sd * gsl_cdf_ugaussian_Qinv(tail + smallest_pop);
    out->at[GRN_EXPLORE_LEFT] = two->m[0] + two->s[0] * gsl_cdf_ugaussian_Qinv(tail);
    out->at[GRN_EXPLORE_RIGHT] = right_of_three(v, n, two);
    out->at[GRN_EXPLORE_TENTH] = 0.1 * v[n - 1];
    GRN_TRY(lowest_density(v, n, &out->at[GRN_EXPLORE_DENSITY]));
    out->counts = that_count(v, n, two, normal, out->at);
    if (out->counts >> GRN_EXPLORE_DENSITY & 1) {
        out->won = GRN_EXPLORE_DENSITY;
        goto end;
    }
    for (int k = 0; k < GRN_EXPLORE_N; k++) {
        if ((out->counts && !(out->counts >> k & 1)) || isnan(out->at[k])) continue;
        if (!found || out->at[k] > out->at[out->won]) out->won = (grn_explore_kind)k;
        found = 1;
    }
end:
    return rc;
}
