#include "stat/ranksum.h"

#include <gsl/gsl_sf_erf.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void grn_ranksum_clear(grn_ranksum_scratch_t *w)
{
    grn_rank_clear(&w->sort);
    free(w->rank);
    free(w->sum);
    *w = (grn_ranksum_scratch_t){ 0 };
}

double grn_ranksum_z(double u, double n_a, double n_b, double ties)
{
    double n = n_a + n_b, var = n < 2 ? 0 : n_a * n_b / 12 * (n + 1 - ties / (n * (n - 1)));
    return var > 0 ? (u - n_a * n_b / 2) / sqrt(var) : 0;
}

double grn_normal_log_p(double z)
{
    return isnan(z) ? NAN : gsl_sf_log_erfc(fabs(z) * M_SQRT1_2);
}

typedef struct {
    double a, b; /* values of each side in one tie group */
} tied_t;

/* One tie group of a pair: adds it to U and to the ties, and moves the count of values of b below. */
static void add_tied(grn_ranksum_t *out, double *below, tied_t t)
{
    double m = t.a + t.b;
    out->u += t.a * (*below + t.b / 2);
    out->ties += m * m * m - m;
    *below += t.b;
}

/* Group a against group b alone: walks the sorted values of both, with the zeros that are not stored at their place. */
static void pair_up(const grn_ranksum_scratch_t *w, const float *val, const uint32_t *at, size_t n_nz, const int32_t *code,
                    grn_contrast_t c, tied_t zeros, grn_ranksum_t *out)
{
    double below = 0;
    int zeros_done = 0;
    for (size_t i = 0; i < n_nz;) {
        uint64_t key = w->sort.key[i] >> 32;
        float x = val[(uint32_t)w->sort.key[i]];
        tied_t t = { 0, 0 };
        if (!zeros_done && x > 0) add_tied(out, &below, zeros);
        if (!zeros_done && x == 0) t = zeros;
        zeros_done |= x >= 0;
        for (; i < n_nz && w->sort.key[i] >> 32 == key; i++) {
            uint32_t k = (uint32_t)w->sort.key[i];
            int32_t g = code[at ? at[k] : k];
            t.a += g == c.a;
            t.b += g == c.b;
        }
        add_tied(out, &below, t);
    }
    if (!zeros_done) add_tied(out, &below, zeros);
}

grn_status grn_ranksum(grn_ranksum_scratch_t *w, const float *val, const uint32_t *at, size_t n_nz, size_t n, const int32_t *code,
                       const size_t *n_group, size_t L, const grn_contrast_t *contrast, size_t n_contrast, grn_ranksum_t *out)
{
    grn_status rc = GRN_OK;
    double zero_rank, ties;
    GRN_TRY(GRN_GROW(w->rank, w->rank_cap, n_nz + 1));
    GRN_TRY(GRN_GROW(w->sum, w->sum_cap, 2 * L + 1));
    GRN_TRY(grn_rank_avg_sparse(&w->sort, val, n_nz, n, w->rank, &zero_rank, &ties));
    double *sum = w->sum, *stored = w->sum + L;
    memset(sum, 0, 2 * L * sizeof *sum);
    for (size_t k = 0; k < n_nz; k++) {
        int32_t g = code[at ? at[k] : k];
        sum[g] += w->rank[k];
        stored[g]++;
    }
    for (size_t k = 0; k < n_contrast; k++) {
        grn_contrast_t c = contrast[k];
        double n_a = (double)n_group[c.a];
        out[k] = (grn_ranksum_t){ 0, 0 };
        if (c.b < 0) {
            out[k].u = sum[c.a] + (n_a - stored[c.a]) * zero_rank - n_a * (n_a + 1) / 2;
            out[k].ties = ties;
        } else {
            tied_t zeros = { n_a - stored[c.a], (double)n_group[c.b] - stored[c.b] };
            pair_up(w, val, at, n_nz, code, c, zeros, &out[k]);
        }
    }
end:
    return rc;
}
