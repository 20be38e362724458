/* Compiled models: the same predictions as lib/boost, from every copy of the kernel; sums over some trees are exact parts of them. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/rng.h"
#include "base/simd.h"
#include "grn-build/perturb_eval.h"

enum { N = 700, P = 23, TREES = 60, ROWS = 320 };

typedef struct {
    uint64_t off[P + 1], cell_key[N], name_key[P];
    uint32_t idx[N * P];
    float val[N * P], y[N];
    uint32_t all[N];
    grn_bins_t bins;
    grn_boost_model_t model;
    grn_perturb_model_t *compiled;
    float x[P * ROWS]; /* cells that were not seen, too */
} data_t;

static float draw_value(grn_rng_t *r, int j)
{
    if (j % 3 == 0) return (float)grn_rng_poisson(r, 0.7);
    return (float)(j % 3 == 1 ? grn_rng_unif(r) : log1p((double)grn_rng_poisson(r, 2)) / 3);
}

static data_t *make_data(uint64_t seed, double scale)
{
    data_t *d = calloc(1, sizeof *d);
    grn_rng_t r;
    uint64_t n = 0;
    size_t n_trees;
    double importance[P];
    grn_boost_scratch_t *s;
    const grn_boost_opt_t opt = { seed, 0.1, TREES, 0.1, 1, 0 };
    grn_rng_init(&r, seed, "test.perturb", 0);
    for (int j = 0; j < P; j++) {
        d->name_key[j] = grn_rng_u64(&r);
        for (uint32_t i = 0; i < N; i++) {
            float v = draw_value(&r, j);
            d->y[i] += (float)scale * v * (float)(j % 4);
            if (v == 0) continue;
            d->idx[n] = i;
            d->val[n++] = v;
        }
        d->off[j + 1] = n;
        for (int i = 0; i < ROWS; i++) d->x[j * ROWS + i] = draw_value(&r, j);
    }
    for (uint32_t i = 0; i < N; i++) {
        d->cell_key[i] = grn_rng_u64(&r);
        d->all[i] = i;
    }
    assert_int_equal(grn_bins_init(&d->bins, N, P, d->off, d->idx, d->val, 64, NULL), GRN_OK);
    const grn_boost_space_t space = { &d->bins, d->cell_key, d->name_key, NULL, P };
    const grn_boost_target_t target = { { N, N, d->all, d->y }, GRN_TREE_NOBODY };
    assert_int_equal(grn_boost_scratch_create(&s), GRN_OK);
    assert_int_equal(grn_boost_one(&opt, &space, &target, s, importance, &n_trees, &d->model), GRN_OK);
    grn_boost_scratch_destroy(s);
    assert_int_equal(d->model.n, TREES);
    d->compiled = calloc(1, sizeof *d->compiled + TREES * sizeof(grn_perturb_tree_t));
    grn_perturb_compile(&d->model, d->compiled);
    return d;
}

static void free_data(data_t *d)
{
    grn_bins_clear(&d->bins);
    grn_boost_model_clear(&d->model);
    free(d->compiled);
    free(d);
}

typedef struct {
    const data_t *d;
    size_t i;
} cell_t;

static double value_at(const void *ctx, uint32_t predictor)
{
    const cell_t *c = ctx;
    return c->d->x[predictor * ROWS + c->i];
}

static void check_copy(const data_t *d, grn_perturb_eval_fn eval)
{
    int64_t sum[ROWS] = { 0 };
    eval(grn_perturb_trees(d->compiled), d->compiled->n_trees, NULL, d->x, ROWS, ROWS, sum);
    for (size_t i = 0; i < ROWS; i++) {
        double got = d->compiled->mean + ldexp((double)sum[i], -d->compiled->scale);
        assert_true(got == grn_boost_predict(&d->model, value_at, &(cell_t){ d, i }));
    }
}

static void predictions(void **state)
{
    const double scale[] = { 1, 1e-4, 3e5 };
    (void)state;
    for (uint64_t k = 0; k < 3; k++) {
        data_t *d = make_data(k + 1, scale[k]);
        check_copy(d, grn_perturb_eval_base);
        check_copy(d, grn_perturb_eval());
#if defined(__x86_64__)
        if (grn_simd_level() >= GRN_SIMD_AVX2) check_copy(d, grn_perturb_eval_avx2);
#endif
        free_data(d);
    }
}

/* Predictors whose values stay: the trees that look at others alone give the whole difference. */
static void touched_trees(void **state)
{
    (void)state;
    data_t *d = make_data(7, 1);
    float *y = malloc(sizeof d->x);
    uint8_t touched[P] = { 0 };
    size_t n_touched = 0;
    memcpy(y, d->x, sizeof d->x);
    touched[3] = touched[9] = 1;
    for (size_t i = 0; i < ROWS; i++) y[3 * ROWS + i] = y[9 * ROWS + i] = 0;
    int64_t all[ROWS] = { 0 }, all_y[ROWS] = { 0 }, some[ROWS] = { 0 }, some_y[ROWS] = { 0 };
    const grn_perturb_tree_t *tree = grn_perturb_trees(d->compiled);
    grn_perturb_eval_fn eval = grn_perturb_eval();
    eval(tree, TREES, NULL, d->x, ROWS, ROWS, all);
    eval(tree, TREES, NULL, y, ROWS, ROWS, all_y);
    eval(tree, TREES, touched, d->x, ROWS, ROWS, some);
    eval(tree, TREES, touched, y, ROWS, ROWS, some_y);
    size_t differ = 0;
    for (size_t i = 0; i < ROWS; i++) {
        assert_true(all_y[i] - all[i] == some_y[i] - some[i]);
        differ += all_y[i] != all[i];
        n_touched += all[i] != some[i];
    }
    assert_true(differ > ROWS / 4 && n_touched > ROWS / 4);
    free(y);
    free_data(d);
}

/* A threshold between two floats; values at it, and beside it. */
static void thresholds(void **state)
{
    (void)state;
    grn_boost_tree_t tree = { .step = { 1, 2, 0, 0, 0, 0, 0, 0 } };
    for (int k = 0; k < GRN_DRAW_NODES; k++) tree.split[k].predictor = GRN_TREE_NOBODY;
    grn_boost_model_t model = { 0.5, &tree, 1, 1 };
    const double at[] = { 0.1, (double)0.1f, 3, nextafter(3, 4), -2, 0 };
    for (int above = 0; above < 2; above++) {
        for (size_t k = 0; k < sizeof at / sizeof *at; k++) {
            tree.split[0] = (grn_tree_split_t){ 0, (uint8_t)above, at[k] };
            grn_perturb_model_t *m = calloc(1, sizeof *m + sizeof(grn_perturb_tree_t));
            float x[GRN_PERTURB_LANES];
            int64_t sum[GRN_PERTURB_LANES] = { 0 };
            grn_perturb_compile(&model, m);
            for (int i = 0; i < GRN_PERTURB_LANES; i++) x[i] = (float)at[k];
            x[0] = nextafterf((float)at[k], -INFINITY);
            x[1] = nextafterf((float)at[k], INFINITY);
            grn_perturb_eval()(grn_perturb_trees(m), 1, NULL, x, GRN_PERTURB_LANES, GRN_PERTURB_LANES, sum);
            for (int i = 0; i < 3; i++) {
                double want = ((double)x[i] > at[k]) == above ? 2 : 1;
                assert_true(ldexp((double)sum[i], -m->scale) == want);
            }
            free(m);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(predictions), cmocka_unit_test(touched_trees), cmocka_unit_test(thresholds) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
