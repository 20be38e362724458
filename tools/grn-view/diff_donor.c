/* Do donors of one side have an edge in more of their cells than those of the other? */
#include <math.h>
#include <string.h>

#include "base/rng.h"
#include "grn-view/diff.h"
#include "stat/moderated.h"

enum { DRAWS = 9999 };
static const double SAME = 1 - 1e-9; /* differences as large as the observed one, but for rounding */

double diff_permutations(const size_t n[DIFF_SIDES], int is_paired)
{
    double x = 1;
    if (is_paired) return exp2((double)n[DIFF_A]);
    for (size_t k = 0; k < n[DIFF_A]; k++) x *= (double)(n[DIFF_A] + n[DIFF_B] - k) / (double)(k + 1);
    return floor(x + 0.5);
}

static double mean(const double *v, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += v[i];
    return sum / (double)n;
}

/* Variance of a mean; not less than that of the noise of its values: donors cannot agree better than cells drawn at random. */
static double variance_of_mean(const double *v, const double *noise, size_t n)
{
    double m = mean(v, n), sum = 0;
    for (size_t i = 0; i < n; i++) sum += (v[i] - m) * (v[i] - m);
    return fmax(sum / (double)(n - 1), mean(noise, n)) / (double)n;
}

/* Paired t, or Welch's. */
static double t_test(const diff_donors_t *d, double diff)
{
    size_t n_a = d->n[DIFF_A], n_b = d->n[DIFF_B];
    double a = variance_of_mean(d->v, d->noise, n_a), b = 0, df = (double)(n_a - 1);
    if (!d->is_paired) {
        b = variance_of_mean(d->v + n_a, d->noise + n_a, n_b);
        df = (a + b) * (a + b) / (a * a / (double)(n_a - 1) + b * b / (double)(n_b - 1));
    }
    return a + b > 0 ? exp(grn_t_log_p(diff / sqrt(a + b), df)) : NAN;
}

/* ---- permutations ---- */

/* Signs of the differences: all of them, or random ones. */
static double flip_signs(const diff_donors_t *d, double least, grn_rng_t *r)
{
    size_t n = d->n[DIFF_A], hits = 0;
    int all = diff_permutations(d->n, 1) <= DIFF_EXACT;
    uint64_t runs = all ? (uint64_t)1 << n : DRAWS, word = 0;
    for (uint64_t k = 0; k < runs; k++) {
        double sum = 0;
        for (size_t i = 0; i < n; i++) {
            if (!all && i % 64 == 0) word = grn_rng_u64(r);
            sum += (all ? k >> i : word >> (i % 64)) & 1 ? -d->v[i] : d->v[i];
        }
        hits += fabs(sum / (double)n) >= least;
    }
    return all ? (double)hits / (double)runs : (double)(hits + 1) / (DRAWS + 1);
}

static double abs_diff(double sum_a, double total, double n_a, double n_b)
{
    return fabs(sum_a / n_a - (total - sum_a) / n_b);
}

/* Every choice of n_a of n values, in lexical order of their places. */
static double all_choices(const double *v, size_t n_a, size_t n_b, double least)
{
    size_t at[64], n = n_a + n_b, hits = 0, runs = 0; /* at most 20,000 choices, so the smaller side has few; n_a <= 64 */
    double total = mean(v, n) * (double)n;
    for (size_t i = 0; i < n_a; i++) at[i] = i;
    for (;;) {
        double sum = 0;
        for (size_t i = 0; i < n_a; i++) sum += v[at[i]];
        hits += abs_diff(sum, total, (double)n_a, (double)n_b) >= least;
        runs++;
        size_t i = n_a;
        while (i > 0 && at[i - 1] == n_b + i - 1) i--;
        if (i == 0) return (double)hits / (double)runs;
        at[i - 1]++;
        for (; i < n_a; i++) at[i] = at[i - 1] + 1;
    }
}

/* Who is of side A, drawn: the first of a shuffle. */
static double some_choices(double *v, size_t n_a, size_t n_b, double least, grn_rng_t *r)
{
    size_t n = n_a + n_b, hits = 0;
    double total = mean(v, n) * (double)n;
    for (int k = 0; k < DRAWS; k++) {
        double sum = 0;
        for (size_t i = 0; i < n_a; i++) {
            size_t other = i + (size_t)grn_rng_below(r, n - i);
            double x = v[other];
            v[other] = v[i];
            v[i] = x;
            sum += x;
        }
        hits += abs_diff(sum, total, (double)n_a, (double)n_b) >= least;
    }
    return (double)(hits + 1) / (DRAWS + 1);
}

static double permute(diff_donors_t *d, double diff)
{
    grn_rng_t r;
    double least = fabs(diff) * SAME;
    size_t n_a = d->n[DIFF_A], n_b = d->n[DIFF_B];
    grn_rng_init(&r, grn_common.seed, "diff.permute", d->key);
    if (d->is_paired) return flip_signs(d, least, &r);
    if (diff_permutations(d->n, 0) > DIFF_EXACT || n_a > 64) return some_choices(d->v, n_a, n_b, least, &r);
    return all_choices(d->v, n_a, n_b, least);
}

void diff_donor_test(diff_donors_t *d, double *diff, double *p)
{
    size_t n_a = d->n[DIFF_A], n_b = d->n[DIFF_B];
    double same = 0;
    *diff = *p = NAN;
    if (!n_a || !n_b) return;
    *diff = d->is_paired ? mean(d->v, n_a) : mean(d->v, n_a) - mean(d->v + n_a, n_b);
    for (size_t i = 0; i < n_a + (d->is_paired ? 0 : n_b); i++) same = fmax(same, fabs(d->v[i] - (d->is_paired ? 0 : d->v[0])));
    if (n_a < 2 || n_b < 2 || same == 0) return; /* too few, or nothing differs */
    *p = strcmp(diff_cli.donor_test, "permutation") == 0 ? permute(d, *diff) : t_test(d, *diff);
}
