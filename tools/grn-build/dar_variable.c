/* Highly variable regions, and how specific a region is for a level. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "dar.h"

enum { N_BINS = 20 };
#define MIN_MEAN 0.0125
#define MAX_MEAN 3.0
#define MIN_DISPERSION 0.05

/* Bin of x: (edge[b], edge[b + 1]] of equal widths, the lowest value in the first. */
static int bin_of(double x, double low, double high)
{
    int b = (int)((x - low) / (high - low) * N_BINS);
    if (b >= N_BINS) b = N_BINS - 1;
    while (b > 0 && x <= low + b * (high - low) / N_BINS) b--;
    while (b < N_BINS - 1 && x > low + (b + 1) * (high - low) / N_BINS) b++;
    return b;
}

grn_status grn_dar_variable(const double *mean, const double *var, size_t n, uint8_t *keep, size_t *n_kept)
{
    grn_status rc = GRN_OK;
    double *disp = NULL, low = INFINITY, high = -INFINITY;
    double sum[N_BINS] = { 0 }, dev[N_BINS] = { 0 };
    size_t count[N_BINS] = { 0 };
    int *bin = NULL;
    *n_kept = 0;
    GRN_TRY(GRN_NEW_RAW(disp, n));
    GRN_TRY(GRN_NEW_RAW(bin, n));
    for (size_t i = 0; i < n; i++) {
        double m = mean[i] == 0 ? 1e-12 : mean[i], v = var[i] / m;
        disp[i] = v > 0 ? log(v) : NAN;
        low = fmin(low, m);
        high = fmax(high, m);
    }
    for (size_t i = 0; i < n; i++) {
        double m = mean[i] == 0 ? 1e-12 : mean[i];
        bin[i] = high > low ? bin_of(m, low, high) : 0;
        if (isnan(disp[i])) continue;
        sum[bin[i]] += disp[i];
        count[bin[i]]++;
    }
    for (size_t i = 0; i < n; i++) {
        double x = disp[i] - sum[bin[i]] / (double)count[bin[i]];
        if (!isnan(disp[i])) dev[bin[i]] += x * x;
    }
    for (size_t i = 0; i < n; i++) {
        int b = bin[i];
        double z = count[b] == 1 ? 1 : (disp[i] - sum[b] / (double)count[b]) / sqrt(dev[b] / ((double)count[b] - 1));
        if (isnan(disp[i]) || isnan(z)) z = 0;
        keep[i] = mean[i] > MIN_MEAN && mean[i] < MAX_MEAN && z > MIN_DISPERSION;
        *n_kept += keep[i];
    }
end:
    free(disp);
    free(bin);
    return rc;
}

double grn_dar_log2fc(double a, double b, int *capped)
{
    const double most = 20, tiny = 1e-12;
    double x = log2((fmax(a, 0) + tiny) / (fmax(b, 0) + tiny));
    *capped = fabs(x) > most || a < 10 * tiny || b < 10 * tiny;
    return fmin(most, fmax(-most, x));
}

void grn_dar_specificity(const double *mean, size_t L, size_t a, double pseudo, double *marker, double *tau, int32_t *next)
{
    double max = 0, sum = 0;
    *next = -1;
    for (size_t l = 0; l < L; l++) {
        double m = fmax(mean[l], 0);
        max = fmax(max, m);
        sum += m;
        if (l != a && (*next < 0 || mean[l] > mean[*next])) *next = (int32_t)l;
    }
    *marker = *next < 0 ? NAN : log2((fmax(mean[a], 0) + pseudo) / (fmax(mean[*next], 0) + pseudo));
    *tau = max > 0 && L > 1 ? ((double)L - sum / max) / ((double)L - 1) : NAN;
}
