/* Ridge regression against normal equations solved for each target and lambda, with lambda by the hat matrix written out; the order of
 * cells, predictors and targets and the number of threads do not change a bit. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/rng.h"
#include "boost/ridge.h"

enum { CELLS = 120, MOST = 150, Q = 21, CONSTANT = 4, SELF = 5, TWIN = 6, NOISE = 9 };

typedef struct {
    size_t n, p;
    uint64_t off[MOST + Q + 1], cell_key[CELLS], name_key[MOST];
    uint32_t idx[CELLS * (MOST + Q)];
    float val[CELLS * (MOST + Q)];
    float x[MOST][CELLS], y[Q][CELLS];
    grn_ridge_space_t space;
    grn_boost_target_t target[Q];
} data_t;

static float made_value(const data_t *d, grn_rng_t *r, size_t j, size_t i, const uint32_t *cell_at, const uint32_t *name_at)
{
    if (j == 7) return 4;
    if (j == 11) return d->x[name_at[10]][cell_at[i]]; /* twins */
    if (j == 12) return d->x[name_at[2]][cell_at[i]] + 0.1f * (float)grn_rng_normal(r);
    if (j % 5 == 3) return (float)grn_rng_normal(r) + 3;
    return (float)grn_rng_poisson(r, j % 3 ? 0.3 : 1.5);
}

/* n cells, p predictors: counts, real numbers of mean 3, a constant, a pair of twins. Target q is 2 and 1 times predictors q and q + 1
 * and noise; SELF is predictor 2, TWIN is predictor 10, NOISE is unrelated. They lie where the permutations say. */
static data_t *make_data(uint64_t seed, size_t n, size_t p, const uint32_t *cell_at, const uint32_t *name_at)
{
    data_t *d = calloc(1, sizeof *d);
    grn_rng_t r;
    uint64_t at = 0;
    grn_rng_init(&r, seed, "test.ridge", 0);
    d->n = n;
    d->p = p;
    for (size_t j = 0; j < p; j++)
        for (size_t i = 0; i < n; i++) d->x[name_at[j]][cell_at[i]] = made_value(d, &r, j, i, cell_at, name_at);
    for (size_t q = 0; q < Q; q++)
        for (size_t i = 0; i < n; i++) {
            size_t cell = cell_at[i];
            double noise = grn_rng_normal(&r), y = 2 * d->x[name_at[q]][cell] + d->x[name_at[q + 1]][cell] + 0.5 * noise;
            if (y < 1) y = 0;
            d->y[q][cell] = q == CONSTANT ? 1.5f
                            : q == SELF   ? d->x[name_at[2]][cell]
                            : q == TWIN   ? d->x[name_at[10]][cell]
                            : q == NOISE  ? (float)noise
                                          : (float)y;
        }
    for (size_t i = 0; i < n; i++) d->cell_key[cell_at[i]] = grn_rng_u64(&r);
    for (size_t j = 0; j < p; j++) d->name_key[name_at[j]] = grn_rng_u64(&r);
    for (size_t j = 0; j < p + Q; j++) {
        const float *v = j < p ? d->x[j] : d->y[j - p];
        for (uint32_t i = 0; i < n; i++)
            if (v[i] != 0) d->idx[at] = i, d->val[at++] = v[i];
        d->off[j + 1] = at;
    }
    d->space = (grn_ridge_space_t){ n, p, d->off, d->idx, d->val, d->cell_key, d->name_key };
    for (size_t q = 0; q < Q; q++) {
        uint64_t first = d->off[p + q];
        d->target[q].y = (grn_spcol_t){ n, d->off[p + q + 1] - first, d->idx + first, d->val + first };
        d->target[q].self = q == SELF ? name_at[2] : q == TWIN ? name_at[10] : q == 8 ? name_at[3] : GRN_TREE_NOBODY;
    }
    return d;
}

static data_t *plain_data(uint64_t seed, size_t n, size_t p)
{
    uint32_t at[MOST];
    for (uint32_t i = 0; i < MOST; i++) at[i] = i;
    return make_data(seed, n, p, at, at);
}

typedef struct {
    size_t p;
    double importance[Q][MOST], lambda[Q];
    size_t n_trees[Q], calls[Q];
} result_t;

static grn_status keep(void *ctx, size_t target, size_t n_trees, const double *importance, int worker)
{
    result_t *x = ctx;
    (void)worker;
    memcpy(x->importance[target], importance, x->p * sizeof *importance);
    x->n_trees[target] = n_trees;
    x->calls[target]++;
    return GRN_OK;
}

/* ---- the reference ---- */

typedef struct {
    size_t n, p;
    double z[MOST][CELLS], y[CELLS]; /* of mean 0 and variance 1 */
    size_t which[MOST];              /* predictor of a column */
    double b[MOST];
} reference_t;

static int standardise(const float *x, size_t n, double *z)
{
    double mean = 0, squares = 0;
    for (size_t i = 0; i < n; i++) mean += x[i] / (double)n;
    for (size_t i = 0; i < n; i++) squares += (x[i] - mean) * (x[i] - mean);
    for (size_t i = 0; i < n; i++) z[i] = squares > 1e-9 ? (x[i] - mean) / sqrt(squares / (double)n) : 0;
    return squares > 1e-9;
}

/* Gauss-Jordan: a (p, p + m) to the identity and the solutions. */
static void solve(double *a, size_t p, size_t m)
{
    size_t w = p + m;
    for (size_t k = 0; k < p; k++) {
        for (size_t c = k + 1; c < w; c++) a[k * w + c] /= a[k * w + k];
        for (size_t r = 0; r < p; r++)
            for (size_t c = k + 1; c < w && r != k; c++) a[r * w + c] -= a[r * w + k] * a[k * w + c];
    }
}

/* Coefficients into f->b; the score of cross-validation. */
static double fit(reference_t *f, double lambda)
{
    size_t p = f->p, n = f->n, w = p + 1 + n;
    double *a = calloc(p * w, sizeof *a), trace = 0, residual = 0;
    for (size_t j = 0; j < p; j++) {
        for (size_t k = 0; k < p; k++)
            for (size_t i = 0; i < n; i++) a[j * w + k] += f->z[j][i] * f->z[k][i] / (double)n;
        a[j * w + j] += lambda;
        for (size_t i = 0; i < n; i++) {
            a[j * w + p] += f->z[j][i] * f->y[i] / (double)n;
            a[j * w + p + 1 + i] = f->z[j][i] / (double)n;
        }
    }
    solve(a, p, 1 + n);
    for (size_t j = 0; j < p; j++) f->b[j] = a[j * w + p];
    for (size_t i = 0; i < n; i++) {
        double y = f->y[i];
        for (size_t j = 0; j < p; j++) {
            y -= f->z[j][i] * f->b[j];
            trace += f->z[j][i] * a[j * w + p + 1 + i]; /* the hat matrix' diagonal */
        }
        residual += y * y;
    }
    free(a);
    return residual * (double)n / pow((double)n - 1 - trace, 2);
}

static void check_target(const data_t *d, const result_t *got, size_t q)
{
    static reference_t f;
    double best = INFINITY, sum = 0, at = 0, share = 0, want[MOST] = { 0 };
    f.n = d->n;
    f.p = 0;
    assert_true(standardise(d->y[q], d->n, f.y));
    for (size_t j = 0; j < d->p; j++)
        if (j != d->target[q].self && standardise(d->x[j], d->n, f.z[f.p])) f.which[f.p++] = j;
    for (size_t l = 0; l < GRN_RIDGE_GRID; l += f.p > 50 ? 4 : 1) { /* some of them, where they take long */
        double score = fit(&f, grn_ridge_lambda(l, d->n, d->p));
        if (score < best) best = score, at = grn_ridge_lambda(l, d->n, d->p);
    }
    double chosen = fit(&f, got->lambda[q]);
    if (!(chosen <= best * (1 + 1e-7))) fail_msg("target %zu: lambda %g scores %.12g, %g %.12g", q, got->lambda[q], chosen, at, best);
    for (size_t j = 0; j < f.p; j++) sum += fabs(f.b[j]);
    for (size_t j = 0; j < f.p; j++) want[f.which[j]] = fabs(f.b[j]) / sum;
    for (size_t j = 0; j < d->p; j++) {
        share += got->importance[q][j];
        if (!(fabs(got->importance[q][j] - want[j]) < 1e-9))
            fail_msg("target %zu predictor %zu: %.12g, reference %.12g", q, j, got->importance[q][j], want[j]);
    }
    assert_true(fabs(share - 1) < 1e-12);
    if (d->target[q].self != GRN_TREE_NOBODY) assert_true(got->importance[q][d->target[q].self] == 0);
}

static void against_reference(void **state)
{
    (void)state;
    static const size_t n[] = { CELLS, CELLS, 40 }, p[] = { 23, 33, MOST }; /* the last: more predictors than cells */
    for (int round = 0; round < 3; round++) {
        data_t *d = plain_data((uint64_t)round + 1, n[round], p[round]);
        result_t *got = calloc(1, sizeof *got);
        got->p = d->p;
        assert_int_equal(grn_ridge_many(&d->space, d->target, Q, NULL, keep, got, got->lambda), GRN_OK);
        for (size_t q = 0; q < Q; q++) {
            assert_int_equal(got->calls[q], 1);
            assert_int_equal(got->n_trees[q], q != CONSTANT);
            if (q != CONSTANT && (round < 2 || q < 9)) check_target(d, got, q);
        }
        for (size_t j = 0; j < d->p; j++) assert_true(got->importance[CONSTANT][j] == 0);
        assert_true(got->lambda[CONSTANT] == 0);
        free(got);
        free(d);
    }
}

/* Noise is shrunk, a difference of predictors is not. */
static void lambda_follows_the_noise(void **state)
{
    (void)state;
    data_t *d = plain_data(3, CELLS, 23);
    result_t *got = calloc(1, sizeof *got);
    got->p = d->p;
    static uint32_t all[CELLS];
    static float y[CELLS];
    for (uint32_t i = 0; i < CELLS; i++) all[i] = i, y[i] = d->x[0][i] - d->x[3][i];
    d->target[0].y = (grn_spcol_t){ CELLS, CELLS, all, y };
    assert_true(grn_ridge_lambda(0, CELLS, 23) == 1000 && fabs(grn_ridge_lambda(GRN_RIDGE_GRID - 1, CELLS, 23) - 1e-4) < 1e-16);
    assert_int_equal(grn_ridge_many(&d->space, d->target, Q, NULL, keep, got, got->lambda), GRN_OK);
    assert_true(got->lambda[0] == grn_ridge_lambda(GRN_RIDGE_GRID - 1, CELLS, 23));
    assert_true(got->importance[0][0] > 0.45 && got->importance[0][3] > 0.35);
    assert_true(got->lambda[NOISE] >= 1);
    free(got);
    free(d);
}

/* The predictors that a target follows come first; of twins that a target follows, both do; a twin takes all of the other. */
static void signal_is_found(void **state)
{
    (void)state;
    data_t *d = plain_data(4, CELLS, 23);
    result_t *got = calloc(1, sizeof *got);
    got->p = d->p;
    assert_int_equal(grn_ridge_many(&d->space, d->target, Q, NULL, keep, got, got->lambda), GRN_OK);
    for (size_t q = 13; q < Q; q++)
        for (size_t j = 0; j < d->p; j++)
            if (j != q && j != q + 1 && !(got->importance[q][j] < 0.7 * fmin(got->importance[q][q], got->importance[q][q + 1])))
                fail_msg("target %zu: predictor %zu is as important", q, j);
    assert_true(fabs(got->importance[10][10] - got->importance[10][11]) < 1e-9 && got->importance[10][10] > 0.2);
    assert_true(got->importance[TWIN][11] > 0.98);
    free(got);
    free(d);
}

static void order_does_not_matter(void **state)
{
    (void)state;
    uint32_t cell_at[MOST], name_at[MOST];
    grn_rng_t r;
    grn_par_t *pool;
    grn_rng_init(&r, 9, "test.ridge.order", 0);
    for (uint32_t i = 0; i < MOST; i++) cell_at[i] = name_at[i] = i;
    grn_rng_shuffle_u32(&r, cell_at, CELLS);
    grn_rng_shuffle_u32(&r, name_at, 61);
    data_t *d = plain_data(6, CELLS, 61), *e = make_data(6, CELLS, 61, cell_at, name_at);
    assert_int_equal(grn_par_create(&pool, 2), GRN_OK);
    result_t *a = calloc(1, sizeof *a), *b = calloc(1, sizeof *b), *alone = calloc(1, sizeof *alone);
    a->p = b->p = alone->p = 61;
    grn_boost_target_t turned[Q];
    for (int q = 0; q < Q; q++) turned[q] = e->target[Q - 1 - q];
    assert_int_equal(grn_ridge_many(&d->space, d->target, Q, NULL, keep, a, a->lambda), GRN_OK);
    assert_int_equal(grn_ridge_many(&e->space, turned, Q, pool, keep, b, b->lambda), GRN_OK);
    assert_int_equal(grn_ridge_many(&d->space, d->target + 3, 1, pool, keep, alone, NULL), GRN_OK);
    assert_memory_equal(alone->importance[0], a->importance[3], sizeof a->importance[3]);
    for (int q = 0; q < Q; q++) {
        assert_true(a->lambda[q] == b->lambda[Q - 1 - q]);
        for (int j = 0; j < 61; j++) assert_memory_equal(&a->importance[q][j], &b->importance[Q - 1 - q][name_at[j]], sizeof(double));
    }
    grn_par_destroy(pool);
    free(a);
    free(b);
    free(alone);
    free(d);
    free(e);
}

/* One predictor: all there is; itself, or a constant one: nothing. */
static void few_predictors(void **state)
{
    (void)state;
    data_t *d = plain_data(12, CELLS, 23);
    result_t *x = calloc(1, sizeof *x);
    x->p = 1;
    grn_ridge_space_t s = d->space;
    s.p = 1;
    assert_int_equal(grn_ridge_many(&s, d->target, 1, NULL, keep, x, x->lambda), GRN_OK);
    assert_true(x->importance[0][0] == 1 && x->n_trees[0] == 1 && x->lambda[0] > 0);
    d->target[0].self = 0;
    assert_int_equal(grn_ridge_many(&s, d->target, 1, NULL, keep, x, x->lambda), GRN_OK);
    assert_true(x->importance[0][0] == 0 && x->n_trees[0] == 0 && x->lambda[0] == 0);
    d->target[0].self = GRN_TREE_NOBODY;
    s.off = d->off + 7;
    assert_int_equal(grn_ridge_many(&s, d->target, 1, NULL, keep, x, x->lambda), GRN_OK);
    assert_true(x->importance[0][0] == 0 && x->n_trees[0] == 0 && x->lambda[0] == 0);
    free(x);
    free(d);
}

static grn_status stop(void *ctx, size_t target, size_t n_trees, const double *importance, int worker)
{
    (void)ctx, (void)target, (void)n_trees, (void)importance, (void)worker;
    return grn_err(GRN_EIO, "no more");
}

static void refused(void **state)
{
    (void)state;
    data_t *d = plain_data(2, CELLS, 23);
    static result_t x = { .p = 23 };
    grn_ridge_space_t s = d->space;
    s.p = 0;
    assert_int_equal(grn_ridge_many(&s, d->target, Q, NULL, keep, &x, NULL), GRN_EINVAL);
    s.p = 40000;
    assert_int_equal(grn_ridge_many(&s, d->target, Q, NULL, keep, &x, NULL), GRN_EUNSUP);
    assert_int_equal(grn_ridge_many(&d->space, d->target, Q, NULL, stop, NULL, NULL), GRN_EIO);
    d->val[d->off[23 + 3]] = INFINITY;
    assert_int_equal(grn_ridge_many(&d->space, d->target, Q, NULL, keep, &x, NULL), GRN_ENONFINITE);
    d->val[d->off[3]] = NAN;
    assert_int_equal(grn_ridge_many(&d->space, d->target, 1, NULL, keep, &x, NULL), GRN_ENONFINITE);
    free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(against_reference),     cmocka_unit_test(lambda_follows_the_noise), cmocka_unit_test(signal_is_found),
        cmocka_unit_test(order_does_not_matter), cmocka_unit_test(few_predictors),           cmocka_unit_test(refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
