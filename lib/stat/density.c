#include "stat/density.h"

#include <math.h>

#include "base/mem.h"
#include "stat/moments.h"

double grn_density_quantile(const double *sorted, size_t n, double p)
{
    double h;
    size_t k;
    if (n == 0) return NAN;
    h = (double)(n - 1) * p;
    k = (size_t)h;
    return k + 1 < n ? sorted[k] + (h - (double)k) * (sorted[k + 1] - sorted[k]) : sorted[n - 1];
}

double grn_density_silverman(const double *sorted, size_t n)
{
    double sd, iqr;
    if (n < 2 || sorted[0] == sorted[n - 1]) return 0;
    sd = sqrt(grn_moments(sorted, n).m2 * ((double)n / (double)(n - 1)));
    iqr = (grn_density_quantile(sorted, n, 0.75) - grn_density_quantile(sorted, n, 0.25)) / 1.349;
    return 0.9 * (iqr > 0 && iqr < sd ? iqr : sd) * pow((double)n, -0.2);
}

/* First index with sorted[i] >= x. */
static size_t lower_bound(const double *sorted, size_t n, double x)
{
    size_t lo = 0;
    while (lo < n) {
        size_t mid = lo + (n - lo) / 2;
        if (sorted[mid] < x) lo = mid + 1;
        else n = mid;
    }
    return lo;
}

grn_status grn_density_grid(const double *sorted, size_t n, double h, double lo, double step, size_t n_grid, double *f)
{
    grn_status rc = GRN_OK;
    double *mass = NULL, *kernel = NULL;
    size_t reach, n_mass;
    if (!(h > 0) || !(step > 0) || n_grid < 1 || 5 * h / step > 1e6)
        GRN_FAIL(GRN_EINVAL, "kernel density with bandwidth %g on %zu nodes %g apart", h, n_grid, step);
    reach = (size_t)ceil(5 * h / step); /* nodes on either side that a kernel touches */
    n_mass = n_grid + 2 * reach + 1;
    GRN_TRY(GRN_NEW(mass, n_mass));
    GRN_TRY(GRN_NEW(kernel, reach + 1));
    for (size_t k = 0; k <= reach; k++) {
        double z = (double)k * step / h;
        kernel[k] = exp(-0.5 * z * z) * 0.39894228040143268 / (h * (double)n);
    }
    for (size_t i = lower_bound(sorted, n, lo - (double)reach * step); i < n; i++) {
        double at = (sorted[i] - lo) / step + (double)reach;
        size_t k;
        if (at < 0) continue; /* rounding at the edge */
        if (at >= (double)(n_mass - 1)) break;
        k = (size_t)at;
        mass[k + 1] += at - (double)k;
        mass[k] += 1 - (at - (double)k);
    }
    for (size_t k = 0; k < n_grid; k++) {
        const double *m = mass + k + reach;
        double s = m[0] * kernel[0];
        for (size_t j = 1; j <= reach; j++) s += (m[j] + *(m - j)) * kernel[j];
        f[k] = s;
    }
end:
    free(mass);
    free(kernel);
    return rc;
}

double grn_density_valley(const double *f, size_t n_grid, size_t *at)
{
    /* The deepest point lies below the smaller of the two highest peaks around it. Left maxima grow with k and right maxima fall,
     * so one of them is the global maximum: sweep from both ends up to it. */
    size_t top = 0;
    double best = 0, peak = 0;
    if (at) *at = 0;
    for (size_t k = 1; k < n_grid; k++)
        if (f[k] > f[top]) top = k;
    for (size_t k = 0; k < top; k++) {
        if (f[k] > peak) peak = f[k];
        if (peak > 0 && 1 - f[k] / peak > best) {
            best = 1 - f[k] / peak;
            if (at) *at = k;
        }
    }
    peak = 0;
    for (size_t k = n_grid; k-- > top + 1;) {
        if (f[k] > peak) peak = f[k];
        if (peak > 0 && 1 - f[k] / peak > best) {
            best = 1 - f[k] / peak;
            if (at) *at = k;
        }
    }
    return best;
}

grn_status grn_density_valley_between(const double *sorted, size_t n, double a, double b, double *depth, double *x)
{
    grn_status rc = GRN_OK;
    double h = grn_density_silverman(sorted, n), step = h / 16, *f = NULL;
    size_t n_grid, at;
    *depth = 0;
    if (x) *x = NAN;
    if (!(h > 0) || !(a < b)) return GRN_OK;
    if ((b - a + 2 * h) / step > 8191) step = (b - a + 2 * h) / 8191;
    n_grid = (size_t)((b - a + 2 * h) / step) + 1;
    GRN_TRY(GRN_NEW_RAW(f, n_grid));
    GRN_TRY(grn_density_grid(sorted, n, h, a - h, step, n_grid, f));
    *depth = grn_density_valley(f, n_grid, &at);
    if (x) *x = a - h + (double)at * step;
end:
    free(f);
    return rc;
}
