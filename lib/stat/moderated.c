#include "stat/moderated.h"

#include <gsl/gsl_sf_psi.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "stat/ranksum.h"

#define FLOOR_OF_MEDIAN 1e-5
#define MAX_BASIS 4

double grn_trigamma_inverse(double x)
{
    if (!(x > 0)) return x == 0 ? INFINITY : NAN;
    if (x > 1e7) return 1 / sqrt(x);
    if (x < 1e-6) return 1 / x;
    double y = 0.5 + 1 / x;
    for (int i = 0; i < 50; i++) {
        double tri = gsl_sf_psi_1(y), step = tri * (1 - tri / x) / gsl_sf_psi_n(2, y);
        y += step;
        if (-step / y < 1e-10) break;
    }
    return y;
}

double grn_moderated_variance(double s2, double d, double s02, double d0)
{
    return isinf(d0) ? s02 : (d0 * s02 + d * s2) / (d0 + d);
}

/* Continued fraction of the incomplete beta function by the modified method of Lentz (Abramowitz & Stegun 26.5.8): I_x(a, b) =
 * x^a (1 - x)^b / (a B(a, b)) times this; for x < (a + 1) / (a + b + 2). */
static double beta_fraction(double x, double a, double b)
{
    const double tiny = 1e-300;
    double c = 1, d = 1 - (a + b) * x / (a + 1), f;
    d = 1 / (fabs(d) < tiny ? tiny : d);
    f = d;
    for (int m = 1; m < 100000; m++) {
        double e = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        d = 1 + e * d;
        c = 1 + e / c;
        d = 1 / (fabs(d) < tiny ? tiny : d);
        f *= d * (fabs(c) < tiny ? tiny : c);
        e = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        d = 1 + e * d;
        c = 1 + e / c;
        d = 1 / (fabs(d) < tiny ? tiny : d);
        double step = d * (fabs(c) < tiny ? tiny : c);
        f *= step;
        if (fabs(step - 1) < 1e-15) break;
    }
    return f;
}

double grn_t_log_p(double t, double df)
{
    int sign;
    if (isnan(t) || !(df > 0)) return NAN;
    if (isinf(t)) return -INFINITY;
    if (df > 1e10) return grn_normal_log_p(t);
    double a = df / 2, b = 0.5, r = fabs(t) / sqrt(df); /* x = 1 / (1 + r^2), y = 1 - x */
    double log_x = r > 1e8 ? -2 * log(r) : -log1p(r * r), x = exp(log_x), y = r > 1e8 ? 1 : r * r / (1 + r * r);
    if (y == 0) return 0;
    double log_front = lgamma_r(a + b, &sign) - lgamma_r(a, &sign) - lgamma_r(b, &sign) + a * log_x + b * log(y);
    if (x < (a + 1) / (a + b + 2)) return log_front + log(beta_fraction(x, a, b) / a);
    return log1p(-fmin(1, exp(log_front) * beta_fraction(y, b, a) / b));
}

/* ---- the prior ---- */

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double quantile(const double *sorted, size_t n, double p) /* type 7 */
{
    double h = (double)(n - 1) * p;
    size_t k = (size_t)h;
    return k + 1 < n ? sorted[k] + (h - (double)k) * (sorted[k + 1] - sorted[k]) : sorted[n - 1];
}

static double cube_above(double x)
{
    return x > 0 ? x * x * x : 0;
}

/* Basis of natural cubic splines (Hastie, Tibshirani & Friedman, Elements of Statistical Learning, 5.2.1) for x scaled to [0, 1]:
 * 1, x, and one more for each inner knot. */
static void spline_basis(double x, const double *knot, int n_knot, double *out)
{
    double last = knot[n_knot - 1], before = knot[n_knot - 2];
    double d_last = (cube_above(x - before) - cube_above(x - last)) / (last - before);
    out[0] = 1;
    out[1] = x;
    for (int k = 0; k < n_knot - 2; k++)
        out[k + 2] = (cube_above(x - knot[k]) - cube_above(x - last)) / (last - knot[k]) - d_last;
}

/* Columns of the basis (n, *m column by column); m = 1: a constant. */
static grn_status make_basis(const double *x, size_t n, double *basis, int *m)
{
    grn_status rc = GRN_OK;
    double *sorted = NULL, knot[MAX_BASIS] = { 0, 0, 0, 0 }, row[MAX_BASIS];
    int want = !x ? 1 : 1 + (n >= 3) + 2 * (n >= 6), n_knot = 0;
    GRN_TRY(GRN_NEW_RAW(sorted, n));
    if (x) memcpy(sorted, x, n * sizeof *sorted);
    if (x) qsort(sorted, n, sizeof *sorted, compare_doubles);
    double low = x ? sorted[0] : 0, width = x ? sorted[n - 1] - low : 0;
    if (!(width > 0)) want = 1;
    for (int k = 0; want > 1 && k < want; k++) { /* knots that fall together are one */
        double q = k == want - 1 ? 1 : (quantile(sorted, n, (double)k / (want - 1)) - low) / width;
        if (n_knot && q <= knot[n_knot - 1]) continue;
        knot[n_knot++] = q;
    }
    *m = want == 1 ? 1 : n_knot;
    for (size_t i = 0; i < n; i++) {
        row[0] = 1;
        if (*m > 1) spline_basis((x[i] - low) / width, knot, n_knot, row);
        for (int k = 0; k < *m; k++) basis[(size_t)k * n + i] = row[k];
    }
end:
    free(sorted);
    return rc;
}

static double dot(const double *x, const double *y, size_t n)
{
    double s = 0;
    for (size_t i = 0; i < n; i++) s += x[i] * y[i];
    return s;
}

/* Least-squares fit of z by the basis, into fit: the basis is made orthonormal (Gram-Schmidt, twice) and z projected. Returns the
 * rank. */
static int project(double *basis, int m, const double *z, size_t n, double *fit)
{
    int rank = 0;
    memset(fit, 0, n * sizeof *fit);
    for (int k = 0; k < m; k++) {
        double *q = basis + (size_t)k * n, before = sqrt(dot(q, q, n));
        for (int pass = 0; pass < 2; pass++)
            for (int j = 0; j < rank; j++) {
                const double *o = basis + (size_t)j * n;
                double c = dot(o, q, n);
                for (size_t i = 0; i < n; i++) q[i] -= c * o[i];
            }
        double norm = sqrt(dot(q, q, n));
        if (!(norm > 1e-9 * before)) continue;
        double *to = basis + (size_t)rank++ * n;
        for (size_t i = 0; i < n; i++) to[i] = q[i] / norm;
        double c = dot(to, z, n);
        for (size_t i = 0; i < n; i++) fit[i] += c * to[i];
    }
    return rank;
}

grn_status grn_moderated_prior(const double *s2, const double *x, size_t n, double d, double *d0, double *s02)
{
    grn_status rc = GRN_OK;
    double *z = NULL, *basis = NULL, shift, spread = 0;
    int m;
    if (n == 0 || !(d > 0)) GRN_FAIL(GRN_EINVAL, "a prior of %zu variances with %g degrees of freedom", n, d);
    for (size_t i = 0; i < n; i++)
        if (!isfinite(s2[i]) || s2[i] < 0 || (x && !isfinite(x[i])))
            GRN_FAIL(GRN_ENONFINITE, "variance %zu of %zu (%g) or its covariate is not a number", i + 1, n, s2[i]);
    GRN_TRY(GRN_NEW_RAW(z, n));
    GRN_TRY(GRN_NEW_RAW(basis, n * MAX_BASIS));
    memcpy(z, s2, n * sizeof *z);
    qsort(z, n, sizeof *z, compare_doubles);
    double median = quantile(z, n, 0.5), least = (median > 0 ? median : z[n - 1]) * FLOOR_OF_MEDIAN;
    if (!(least > 0)) GRN_FAIL(GRN_EINVAL, "all %zu variances are 0", n);
    shift = log(d / 2) - gsl_sf_psi(d / 2);
    for (size_t i = 0; i < n; i++) z[i] = log(fmax(s2[i], least)) + shift;
    GRN_TRY(make_basis(x, n, basis, &m));
    int rank = project(basis, m, z, n, s02);
    for (size_t i = 0; i < n; i++) spread += (z[i] - s02[i]) * (z[i] - s02[i]);
    spread = n > (size_t)rank ? spread / (double)(n - (size_t)rank) - gsl_sf_psi_1(d / 2) : 0;
    *d0 = spread > 0 ? 2 * grn_trigamma_inverse(spread) : INFINITY;
    double back = isinf(*d0) ? 0 : gsl_sf_psi(*d0 / 2) - log(*d0 / 2);
    for (size_t i = 0; i < n; i++) s02[i] = exp(s02[i] + back);
end:
    free(z);
    free(basis);
    return rc;
}
