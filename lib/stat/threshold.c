#include "stat/threshold.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "stat/density.h"
#include "stat/dip.h"
#include "stat/moments.h"

/* ---- sorting: 32-bit floats by three radix passes of 11 bits ---- */

static uint32_t ascending_key(float x)
{
    uint32_t b;
    x += 0.0f; /* -0 is 0 */
    memcpy(&b, &x, sizeof b);
    return b >> 31 ? ~b : b | 0x80000000u;
}

static float key_value(uint32_t k)
{
    uint32_t b = k >> 31 ? k & 0x7fffffffu : ~k;
    float x;
    memcpy(&x, &b, sizeof x);
    return x;
}

/* Sorts n keys; the result is in the returned one of a and tmp. */
static uint32_t *radix_sort(uint32_t *a, uint32_t *tmp, size_t n)
{
    for (int shift = 0; shift < 32; shift += 11) {
        size_t count[2049] = { 0 };
        uint32_t *swap;
        for (size_t i = 0; i < n; i++) count[(a[i] >> shift & 2047) + 1]++;
        if (n == 0 || count[(a[0] >> shift & 2047) + 1] == n) continue;
        for (int d = 0; d < 2048; d++) count[d + 1] += count[d];
        for (size_t i = 0; i < n; i++) tmp[count[a[i] >> shift & 2047]++] = a[i];
        swap = a;
        a = tmp;
        tmp = swap;
    }
    return a;
}

/* Finite values of x ascending, as doubles; *n_finite of them. */
static grn_status sort_finite(const float *x, size_t n, double **out, size_t *n_finite)
{
    grn_status rc = GRN_OK;
    uint32_t *a = NULL, *b = NULL, *s;
    size_t m = 0;
    *out = NULL;
    GRN_TRY(GRN_NEW_RAW(a, n));
    GRN_TRY(GRN_NEW_RAW(b, n));
    GRN_TRY(GRN_NEW_RAW(*out, n));
    for (size_t i = 0; i < n; i++)
        if (isfinite(x[i])) a[m++] = ascending_key(x[i]);
    s = radix_sort(a, b, m);
    for (size_t i = 0; i < m; i++) (*out)[i] = key_value(s[i]);
    *n_finite = m;
end:
    free(a);
    free(b);
    return rc;
}

/* g1 = m3 / m2^1.5 */
static double skewness(const double *v, size_t n)
{
    grn_moments_t m = grn_moments(v, n);
    return m.m2 > 0 ? m.m3 / (m.m2 * sqrt(m.m2)) : 0;
}

/* The value that more than a fifth of the sorted sample shares (the most frequent, the smallest on a tie): [*from, *from +
 * *count). */
static void find_atom(const double *v, size_t n, size_t *from, size_t *count)
{
    *from = *count = 0;
    for (size_t i = 0, j; i < n; i = j) {
        for (j = i + 1; j < n && v[j] == v[i]; j++) {}
        if (j - i > *count) {
            *from = i;
            *count = j - i;
        }
    }
    if (5 * *count <= n) *count = 0;
}

/* ---- section 7.5 ---- */

static double unimodal_cut(const grn_cut_t *f, const grn_cut_opt_t *opt, const double *v)
{
    int big = f->mix.w[1] > f->mix.w[0];
    if (opt->tail_unimodal) return grn_density_quantile(v, f->n, opt->tail);
    if (f->dbic >= 10 && !big) return f->mix.m[0] + 2 * f->mix.s[0]; /* the smaller component lies above the larger */
    return f->mean + 2 * f->sd;
}

/* Classes and cut of the values x (n_fit, sorted, at least 30, no atom); v: all values, for the unimodal rule. */
static grn_status classify(const double *x, const double *v, const grn_cut_opt_t *opt, grn_cut_t *f)
{
    grn_status rc = GRN_OK;
    double least, n = (double)f->n_fit;
    int gate;
    f->skew = skewness(x, f->n_fit);
    f->klass = GRN_CUT_UNIMODAL;
    if (x[0] == x[f->n_fit - 1]) { /* only the point mass and one other value */
        f->threshold = opt->tail_unimodal ? grn_density_quantile(v, f->n, opt->tail) : f->mean + 2 * f->sd;
        goto end;
    }
    GRN_TRY(grn_mix2_fit(x, f->n_fit, &f->mix));
    f->dbic = grn_mix2_dbic(&f->mix, f->n_fit);
    f->ashman = grn_mix2_ashman(&f->mix);
    f->cross = grn_mix2_cross(&f->mix, x[0], x[f->n_fit - 1], &f->cross_kind);
    if (!isnan(f->cross)) f->posterior = grn_mix2_posterior(&f->mix, f->cross);
    GRN_TRY(grn_density_valley_between(x, f->n_fit, f->mix.m[0], f->mix.m[1], &f->valley, NULL));
    least = f->mix.w[0] < f->mix.w[1] ? f->mix.w[0] : f->mix.w[1];
    gate = f->dbic >= 10 && f->ashman > 2 && least >= (10 / n > 0.05 ? 10 / n : 0.05) && !isnan(f->cross);
    if (gate && f->valley >= 0.1 && f->valley < 0.3) {
        GRN_TRY(grn_dip_statistic(x, f->n_fit, &f->dip));
        f->dip_p = grn_dip_pvalue(f->dip, f->n_fit);
    }
    if (gate && (f->valley >= 0.3 || f->dip_p <= 0.05)) f->klass = GRN_CUT_BIMODAL;
    else if (gate && fabs(f->skew) >= 0.3 && f->ashman >= 2.5) f->klass = GRN_CUT_SHOULDER;
    if (f->klass == GRN_CUT_UNIMODAL) {
        f->threshold = unimodal_cut(f, opt, v);
    } else {
        f->threshold = f->cross < x[0] ? x[0] : f->cross > x[f->n_fit - 1] ? x[f->n_fit - 1] : f->cross;
        if (f->cross_kind == GRN_CROSS_BROAD) f->klass |= GRN_CUT_BROAD_FLAG;
    }
end:
    return rc;
}

/* The rule of section 7 on f->n sorted values (at least one). */
static grn_status cut_mixture(const double *v, const grn_cut_opt_t *opt, grn_cut_t *f)
{
    grn_status rc = GRN_OK;
    double *rest = NULL;
    size_t from, count;
    if (v[0] == v[f->n - 1]) {
        f->klass = GRN_CUT_CONSTANT;
        f->threshold = v[0];
        goto end;
    }
    if (f->n < 30) {
        f->klass = GRN_CUT_SMALL;
        f->threshold = f->mean + 2 * f->sd;
        goto end;
    }
    find_atom(v, f->n, &from, &count);
    f->n_fit = f->n - count;
    if (count == 0) {
        GRN_TRY(classify(v, v, opt, f));
        goto end;
    }
    f->atom = v[from];
    f->n_atom = count;
    GRN_TRY(GRN_NEW_RAW(rest, f->n_fit));
    memcpy(rest, v, from * sizeof *v);
    memcpy(rest + from, v + from + count, (f->n_fit - from) * sizeof *v);
    if (f->n_fit < 30) {
        f->klass = GRN_CUT_MASS_ONLY;
        f->threshold = f->atom + (rest[0] - f->atom) / 2;
        goto end;
    }
    GRN_TRY(classify(rest, v, opt, f));
    f->klass |= GRN_CUT_MASS_FLAG;
    if (from == 0 && f->threshold < rest[0]) f->threshold = rest[0];
end:
    free(rest);
    return rc;
}

/* ---- the other rules ---- */

/* Otsu: the cut after value k of the sorted sample that maximises the between-class variance; halfway to the next value. */
static double cut_otsu(const double *v, size_t n)
{
    double total = 0, sum = 0, best = -1, at = v[0];
    for (size_t i = 0; i < n; i++) total += v[i] - v[0];
    for (size_t k = 0; k + 1 < n; k++) {
        double n1 = (double)(k + 1), n2 = (double)(n - k - 1), d;
        sum += v[k] - v[0];
        if (v[k] == v[k + 1]) continue;
        d = sum / n1 - (total - sum) / n2;
        if (n1 * n2 * d * d > best) {
            best = n1 * n2 * d * d;
            at = v[k] + (v[k + 1] - v[k]) / 2;
        }
    }
    return at;
}

/* pySCENIC's derive_threshold: dip test, then the lowest Scott-bandwidth density between the means of a mixture, or mean + 2 sd0.
 * The lowest of a grid of h/16 stands for their bounded minimiser, which finds some local minimum. */
static grn_status cut_scenic(const double *v, grn_cut_t *f)
{
    grn_status rc = GRN_OK;
    double h = f->sd * pow((double)f->n, -0.2), step, *d = NULL;
    size_t n_grid, low = 0;
    f->klass = GRN_CUT_UNIMODAL;
    f->n_fit = f->n;
    f->threshold = f->mean + 2 * f->sd * sqrt((double)(f->n - 1) / (double)f->n);
    GRN_TRY(grn_dip_statistic(v, f->n, &f->dip));
    f->dip_p = grn_dip_pvalue(f->dip, f->n);
    if (!(f->dip_p <= 0.05)) goto end;
    GRN_TRY(grn_mix2_fit(v, f->n, &f->mix));
    f->klass = GRN_CUT_BIMODAL;
    step = h / 16;
    if ((f->mix.m[1] - f->mix.m[0]) / step > 8191) step = (f->mix.m[1] - f->mix.m[0]) / 8191;
    n_grid = (size_t)((f->mix.m[1] - f->mix.m[0]) / step) + 1;
    GRN_TRY(GRN_NEW_RAW(d, n_grid));
    GRN_TRY(grn_density_grid(v, f->n, h, f->mix.m[0], step, n_grid, d));
    for (size_t k = 1; k < n_grid; k++)
        if (d[k] < d[low]) low = k;
    f->threshold = f->mix.m[0] + (double)low * step;
end:
    free(d);
    return rc;
}

/* R's AUCell on n sorted values that are not all equal. */
static grn_status cut_aucell_r(const double *v, grn_cut_t *f)
{
    grn_status rc = GRN_OK;
    f->n_fit = f->n;
    GRN_TRY(grn_mix2_fit(v, f->n, &f->mix));
    GRN_TRY(grn_explore(v, f->n, &f->mix, &f->explore));
    f->threshold = f->explore.at[f->explore.won];
    f->klass = f->explore.won == GRN_EXPLORE_DENSITY ? GRN_CUT_BIMODAL : GRN_CUT_UNIMODAL;
end:
    return rc;
}

static grn_status cut_by_method(const double *v, const grn_cut_opt_t *opt, grn_cut_t *f)
{
    if (opt->method == GRN_CUT_MIXTURE) return cut_mixture(v, opt, f);
    if (v[0] == v[f->n - 1]) {
        f->klass = GRN_CUT_CONSTANT;
        f->threshold = v[0];
        return GRN_OK;
    }
    if (opt->method == GRN_CUT_SCENIC) return cut_scenic(v, f);
    if (opt->method == GRN_CUT_AUCELL_R) return cut_aucell_r(v, f);
    f->klass = GRN_CUT_UNIMODAL;
    f->threshold = opt->method == GRN_CUT_OTSU ? cut_otsu(v, f->n) : grn_density_quantile(v, f->n, opt->tail);
    return GRN_OK;
}

/* ---- transforms ---- */

static double forward(double x, grn_cut_transform t)
{
    return t == GRN_CUT_LOG10 ? log10(x) : t == GRN_CUT_LOGIT ? log(x / (1 - x)) : x;
}

static double backward(double y, grn_cut_transform t)
{
    return t == GRN_CUT_LOG10 ? pow(10, y) : t == GRN_CUT_LOGIT ? 1 / (1 + exp(-y)) : y;
}

/* Transforms the part of the sorted sample that the transform takes, in place at the front; its length. */
static size_t transform_inside(double *v, size_t n, grn_cut_transform t)
{
    size_t m = 0;
    for (size_t i = 0; i < n; i++)
        if (v[i] > 0 && (t == GRN_CUT_LOG10 || v[i] < 1)) v[m++] = forward(v[i], t);
    return m;
}

static void clear_result(grn_cut_t *f)
{
    memset(f, 0, sizeof *f);
    f->klass = GRN_CUT_EMPTY;
    f->threshold = f->atom = f->mean = f->sd = f->dbic = f->ashman = f->cross = f->posterior = f->valley = f->skew = f->dip = f->dip_p =
        NAN;
    for (int k = 0; k < 2; k++) f->mix.w[k] = f->mix.m[k] = f->mix.s[k] = NAN;
    f->mix.loglik = f->mix.loglik1 = NAN;
    f->cross_kind = GRN_CROSS_NONE;
    for (int k = 0; k < GRN_EXPLORE_N; k++) f->explore.at[k] = NAN;
}

static size_t count_above(const float *x, size_t n, float cut)
{
    size_t above = 0;
    for (size_t i = 0; i < n; i++) above += x[i] > cut && x[i] < INFINITY;
    return above;
}

grn_status grn_cut_fit(const float *x, size_t n, const grn_cut_opt_t *opt, grn_cut_t *out)
{
    grn_status rc = GRN_OK;
    double *v = NULL;
    size_t n_finite = 0;
    clear_result(out);
    if (!(opt->tail > 0 && opt->tail < 1)) GRN_FAIL(GRN_EINVAL, "tail quantile %g is not between 0 and 1", opt->tail);
    GRN_TRY(sort_finite(x, n, &v, &n_finite));
    out->n_nonfinite = n - n_finite;
    out->n = n_finite;
    if (opt->transform != GRN_CUT_RAW) out->n = transform_inside(v, n_finite, opt->transform);
    out->n_outside = n_finite - out->n;
    if (out->n > 0) {
        grn_moments_t m = grn_moments(v, out->n);
        out->mean = m.mean;
        out->sd = out->n > 1 ? sqrt(m.m2 * ((double)out->n / (double)(out->n - 1))) : 0;
        GRN_TRY(cut_by_method(v, opt, out));
        out->threshold = backward(out->threshold, opt->transform);
    }
    out->n = n_finite;
    out->n_on = count_above(x, n, (float)out->threshold);
end:
    free(v);
    return rc;
}

char *grn_cut_class_name(uint8_t klass, char *buf)
{
    static const char *const name[] = { "bimodal", "shoulder", "unimodal", "small", "mass-only", "constant", "empty" };
    unsigned k = klass & 0x3f;
    snprintf(buf, 32, "%s%s%s", k < 7 ? name[k] : "?", klass & GRN_CUT_MASS_FLAG ? "+mass" : "",
             klass & GRN_CUT_BROAD_FLAG ? "+broad" : "");
    return buf;
}

double grn_cut_posterior(const grn_cut_t *f, const grn_cut_opt_t *opt, double x)
{
    double y;
    if (isnan(f->mix.m[0]) || !isfinite(x)) return NAN;
    if (opt->transform != GRN_CUT_RAW && x <= 0) return 0;
    if (opt->transform == GRN_CUT_LOGIT && x >= 1) return 1;
    y = forward(x, opt->transform);
    if (y == f->atom && y < f->mix.m[0]) return 0;
    if (y < f->mix.m[0]) y = f->mix.m[0];
    if (y > f->mix.m[1]) y = f->mix.m[1];
    return grn_mix2_posterior(&f->mix, y);
}
