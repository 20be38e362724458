#include "stat/moments.h"

enum { LANES = 8 };

static double join(const double *v)
{
    return ((v[0] + v[1]) + (v[2] + v[3])) + ((v[4] + v[5]) + (v[6] + v[7]));
}

double grn_sum(const double *v, size_t n)
{
    double s[LANES] = { 0 };
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int k = 0; k < LANES; k++) s[k] += v[i + (size_t)k];
    for (int k = 0; i < n; i++, k++) s[k] += v[i];
    return join(s);
}

grn_moments_t grn_moments(const double *v, size_t n)
{
    grn_moments_t m = { 0, 0, 0 };
    double s2[LANES] = { 0 }, s3[LANES] = { 0 };
    size_t i = 0;
    if (n == 0) return m;
    m.mean = grn_sum(v, n) / (double)n;
    for (; i + LANES <= n; i += LANES)
        for (int k = 0; k < LANES; k++) {
            double d = v[i + (size_t)k] - m.mean, dd = d * d;
            s2[k] += dd;
            s3[k] += dd * d;
        }
    for (int k = 0; i < n; i++, k++) {
        double d = v[i] - m.mean;
        s2[k] += d * d;
        s3[k] += d * d * d;
    }
    m.m2 = join(s2) / (double)n;
    m.m3 = join(s3) / (double)n;
    return m;
}
