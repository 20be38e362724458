/* Random forests against a plain reference that draws the same cells and predictors and sorts the cells of every node; order of cells,
 * predictors and targets and the number of threads do not change a bit. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/rng.h"
#include "boost/forest.h"

enum { N = 320, P = 26, Q = 9, SELF = 5, CONSTANT = 4 };

typedef struct {
    uint64_t off[P + Q + 1], cell_key[N], name_key[P];
    uint32_t idx[N * (P + Q)];
    float val[N * (P + Q)];
    float x[P][N], y[Q][N];
    grn_bins_t bins;
    grn_boost_space_t space;
    grn_boost_target_t target[Q];
} data_t;

static float made_value(grn_rng_t *r, int j, int reals)
{
    switch (j % 5) {
    case 3: return reals ? (float)grn_rng_normal(r) : (float)(grn_rng_below(r, 256)) - 100;
    case 4: return (float)(2 + (grn_rng_below(r, 4) == 0) - (grn_rng_below(r, 4) == 0));
    default: return j == 7 ? 4 : (float)grn_rng_poisson(r, j % 3 ? 0.2 : 1.5);
    }
}

/* Predictors: counts, counts around 2, a constant, numbers of up to 256 values (codes of one byte) or real ones (two bytes). Target q
 * follows predictors q and q + 3; SELF is predictor 2. Cells and predictors lie where the permutations say. */
static data_t *make_data(uint64_t seed, int reals, const uint32_t *cell_at, const uint32_t *name_at)
{
    data_t *d = calloc(1, sizeof *d);
    grn_rng_t r;
    uint64_t n = 0;
    grn_rng_init(&r, seed, "test.forest", 0);
    for (int j = 0; j < P; j++)
        for (int i = 0; i < N; i++) d->x[name_at[j]][cell_at[i]] = made_value(&r, j, reals);
    for (int q = 0; q < Q; q++)
        for (int i = 0; i < N; i++) {
            float a = d->x[name_at[q]][cell_at[i]], b = d->x[name_at[q + 3]][cell_at[i]];
            float y = (float)grn_rng_poisson(&r, 0.3 + 0.5 * fmin(a * a, 9) + (b > 0));
            d->y[q][cell_at[i]] = q == CONSTANT ? 1.5f : q == SELF ? d->x[name_at[2]][cell_at[i]] : q == 7 ? -0.25f * y : y;
        }
    for (int i = 0; i < N; i++) d->cell_key[cell_at[i]] = grn_rng_u64(&r);
    for (int j = 0; j < P; j++) d->name_key[name_at[j]] = grn_rng_u64(&r);
    for (int j = 0; j < P + Q; j++) {
        const float *v = j < P ? d->x[j] : d->y[j - P];
        for (uint32_t i = 0; i < N; i++)
            if (v[i] != 0) d->idx[n] = i, d->val[n++] = v[i];
        d->off[j + 1] = n;
    }
    assert_int_equal(grn_bins_init(&d->bins, N, P, d->off, d->idx, d->val, 1000, NULL), GRN_OK);
    d->space = (grn_boost_space_t){ &d->bins, d->cell_key, d->name_key, NULL, P };
    for (int q = 0; q < Q; q++) {
        uint64_t at = d->off[P + q];
        d->target[q].y = (grn_spcol_t){ N, d->off[P + q + 1] - at, d->idx + at, d->val + at };
        d->target[q].self = q == SELF ? name_at[2] : GRN_TREE_NOBODY;
    }
    return d;
}

static data_t *plain_data(uint64_t seed, int reals)
{
    uint32_t at[N];
    for (uint32_t i = 0; i < N; i++) at[i] = i;
    return make_data(seed, reals, at, at);
}

static void free_data(data_t *d)
{
    grn_bins_clear(&d->bins);
    free(d);
}

typedef struct {
    double importance[Q][P];
    size_t n_trees[Q], calls[Q];
} result_t;

static grn_status keep(void *ctx, size_t target, size_t n_trees, const double *importance, int worker)
{
    result_t *x = ctx;
    (void)worker;
    memcpy(x->importance[target], importance, sizeof x->importance[target]);
    x->n_trees[target] = n_trees;
    x->calls[target]++;
    return GRN_OK;
}

/* ---- the reference ---- */

typedef struct {
    const data_t *d;
    uint32_t cell[N], name[P]; /* in the order of the keys */
    int64_t r[N];              /* of a cell of the data */
    uint32_t draws[N];
    uint32_t self;
    size_t m;
    double tree[P], importance[P];
} reference_t;

static void order(const uint64_t *key, uint32_t *at, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        uint32_t k = i;
        for (; k > 0 && key[at[k - 1]] > key[i]; k--) at[k] = at[k - 1];
        at[k] = i;
    }
}

static const float *sort_by;

static int by_value(const void *a, const void *b)
{
    float x = sort_by[*(const uint32_t *)a], y = sort_by[*(const uint32_t *)b];
    return (x > y) - (x < y);
}

/* The node's draws of predictors, all of them. */
static void shuffle(const reference_t *f, uint64_t key, uint32_t *name)
{
    memcpy(name, f->name, sizeof f->name);
    for (uint64_t i = 0; i < P; i++) {
        size_t k = i + grn_forest_draw(key, i + 1, P - i);
        uint32_t x = name[k];
        name[k] = name[i];
        name[i] = x;
    }
}

static void reference_node(reference_t *f, uint32_t *cell, size_t n, uint64_t key)
{
    uint32_t name[P], best = P;
    size_t visited = 0, best_n = 0;
    double S = 0, W = 0, best_num = -1, best_den = 1;
    int varies = 0;
    for (size_t i = 0; i < n; i++) {
        varies |= f->r[cell[i]] != f->r[cell[0]];
        S += (double)(f->r[cell[i]] * f->draws[cell[i]]);
        W += f->draws[cell[i]];
    }
    if (!varies) return;
    shuffle(f, key, name);
    for (size_t k = 0; k < P; k++) {
        const float *x = f->d->x[name[k]];
        double s = 0, w = 0;
        if (visited >= f->m && best < P) break;
        if (name[k] == f->self) continue;
        visited++;
        sort_by = x;
        qsort(cell, n, sizeof *cell, by_value);
        for (size_t c = 1; c < n; c++) {
            s += (double)(f->r[cell[c - 1]] * f->draws[cell[c - 1]]);
            w += f->draws[cell[c - 1]];
            if (x[cell[c - 1]] == x[cell[c]]) continue;
            double a = s * W - S * w, den = w * (W - w);
            if (!(a * a * best_den > best_num * den)) continue;
            best_num = a * a;
            best_den = den;
            best = name[k];
            best_n = c;
        }
    }
    if (best == P) return;
    f->tree[best] += best_num / (best_den * W);
    sort_by = f->d->x[best];
    qsort(cell, n, sizeof *cell, by_value);
    reference_node(f, cell, best_n, grn_forest_node_key(key, 0));
    reference_node(f, cell + best_n, n - best_n, grn_forest_node_key(key, 1));
}

static void reference(const data_t *d, const grn_forest_opt_t *o, int q, reference_t *f)
{
    double low = INFINITY, high = -INFINITY, total = 0;
    int exponent;
    int64_t sum = 0;
    memset(f, 0, sizeof *f);
    f->d = d;
    f->self = d->target[q].self;
    f->m = o->max_features ? o->max_features : (size_t)sqrt(P - (f->self != GRN_TREE_NOBODY));
    order(d->cell_key, f->cell, N);
    order(d->name_key, f->name, P);
    for (int i = 0; i < N; i++) low = fmin(low, d->y[q][i]), high = fmax(high, d->y[q][i]);
    frexp(high - low, &exponent);
    for (int i = 0; i < N; i++) sum += f->r[i] = lrint(ldexp(d->y[q][i] - low, 28 - exponent));
    for (int i = 0; i < N; i++) f->r[i] -= sum / N;
    for (uint64_t t = 0; t < o->n_trees; t++) {
        uint64_t key = grn_forest_tree_key(o->seed, t);
        uint32_t cell[N];
        size_t n = 0;
        double all = 0;
        memset(f->draws, 0, sizeof f->draws);
        memset(f->tree, 0, sizeof f->tree);
        for (uint64_t k = 1; k <= N; k++) f->draws[f->cell[grn_forest_draw(key, k, N)]]++;
        for (uint32_t i = 0; i < N; i++)
            if (f->draws[i]) cell[n++] = i;
        reference_node(f, cell, n, grn_forest_node_key(key, 2));
        for (int j = 0; j < P; j++) all += f->tree[j];
        for (int j = 0; j < P && all > 0; j++) f->importance[j] += f->tree[j] / all;
    }
    for (int j = 0; j < P; j++) total += f->importance[j];
    for (int j = 0; j < P && total > 0; j++) f->importance[j] /= total;
}

static void compare(const data_t *d, const grn_forest_opt_t *o, const result_t *got)
{
    static reference_t f;
    for (int q = 0; q < Q; q++) {
        double share = 0;
        assert_int_equal(got->calls[q], 1);
        assert_int_equal(got->n_trees[q], q == CONSTANT ? 0 : o->n_trees);
        if (q != CONSTANT) reference(d, o, q, &f);
        for (int j = 0; j < P; j++) {
            double want = q == CONSTANT ? 0 : f.importance[j];
            share += got->importance[q][j];
            if (!(fabs(got->importance[q][j] - want) < 1e-12))
                fail_msg("target %d predictor %d: %.15g, reference %.15g", q, j, got->importance[q][j], want);
        }
        assert_true(q == CONSTANT || fabs(share - 1) < 1e-12);
    }
    assert_true(got->importance[SELF][d->target[SELF].self] == 0);
    for (int q = 0; q < Q; q++) assert_true(got->importance[q][7] == 0); /* a constant */
}

static void against_reference(void **state)
{
    (void)state;
    for (int round = 0; round < 4; round++) {
        data_t *d = plain_data((uint64_t)round + 1, round & 1);
        grn_forest_opt_t o = GRN_FOREST_OPT_GENIE3;
        result_t *got = calloc(1, sizeof *got);
        assert_int_equal(o.n_trees, 1000);
        o.n_trees = 12;
        o.seed = (uint64_t)round;
        o.max_features = round == 2 ? 1 : round == 3 ? P : 0; /* one: often a constant one */
        assert_int_equal(grn_forest_many(&o, &d->space, d->target, Q, NULL, keep, got), GRN_OK);
        compare(d, &o, got);
        free(got);
        free_data(d);
    }
}

/* ---- same bits whatever the order ---- */

static void order_does_not_matter(void **state)
{
    (void)state;
    uint32_t cell_at[N], name_at[N];
    grn_rng_t r;
    grn_par_t *pool;
    grn_rng_init(&r, 9, "test.forest.order", 0);
    for (uint32_t i = 0; i < N; i++) cell_at[i] = i;
    for (uint32_t j = 0; j < P; j++) name_at[j] = j;
    grn_rng_shuffle_u32(&r, cell_at, N);
    grn_rng_shuffle_u32(&r, name_at, P);
    data_t *d = plain_data(6, 1), *e = make_data(6, 1, cell_at, name_at);
    assert_int_equal(grn_par_create(&pool, 2), GRN_OK);
    result_t *a = calloc(1, sizeof *a), *b = calloc(1, sizeof *b), *alone = calloc(1, sizeof *alone);
    grn_forest_opt_t o = { 3, 20, 0 };
    grn_boost_target_t turned[Q];
    for (int q = 0; q < Q; q++) turned[q] = e->target[Q - 1 - q];
    assert_int_equal(grn_forest_many(&o, &d->space, d->target, Q, NULL, keep, a), GRN_OK);
    assert_int_equal(grn_forest_many(&o, &e->space, turned, Q, pool, keep, b), GRN_OK);
    assert_int_equal(grn_forest_many(&o, &d->space, d->target + 3, 1, pool, keep, alone), GRN_OK);
    assert_memory_equal(alone->importance[0], a->importance[3], sizeof a->importance[3]);
    for (int q = 0; q < Q; q++)
        for (int j = 0; j < P; j++) assert_memory_equal(&a->importance[q][j], &b->importance[Q - 1 - q][name_at[j]], sizeof(double));
    o.seed = 4;
    assert_int_equal(grn_forest_many(&o, &d->space, d->target, Q, NULL, keep, b), GRN_OK);
    assert_memory_not_equal(a->importance[0], b->importance[0], sizeof a->importance[0]);
    grn_par_destroy(pool);
    free(a);
    free(b);
    free(alone);
    free_data(d);
    free_data(e);
}

/* ---- behaviour ---- */

/* The predictor that a target follows, with noise, comes first, whatever its kind. */
static void signal_is_found(void **state)
{
    (void)state;
    static const uint32_t planted[] = { 0, 1, 4, 8, 25 };
    enum { KINDS = sizeof planted / sizeof *planted };
    static float y[KINDS][N];
    static uint32_t all[N];
    data_t *d = plain_data(11, 1);
    grn_boost_target_t target[KINDS];
    grn_forest_opt_t o = { 1, 100, 0 };
    result_t *x = calloc(1, sizeof *x);
    grn_rng_t r;
    grn_rng_init(&r, 1, "test.forest.signal", 0);
    for (uint32_t i = 0; i < N; i++) all[i] = i;
    for (int k = 0; k < KINDS; k++) {
        for (int i = 0; i < N; i++) y[k][i] = (float)(2 * d->x[planted[k]][i] + 0.7 * grn_rng_normal(&r));
        target[k] = (grn_boost_target_t){ { N, N, all, y[k] }, GRN_TREE_NOBODY };
    }
    assert_int_equal(grn_forest_many(&o, &d->space, target, KINDS, NULL, keep, x), GRN_OK);
    for (int k = 0; k < KINDS; k++)
        for (uint32_t j = 0; j < P; j++)
            if (j != planted[k] && !(x->importance[k][planted[k]] > 2 * x->importance[k][j]))
                fail_msg("predictor %u: %u is as important", planted[k], j);
    free(x);
    free_data(d);
}

/* One predictor, by way of a column of the bins: all there is; of itself, or a constant one: nothing. */
static void few_predictors(void **state)
{
    (void)state;
    data_t *d = plain_data(12, 0);
    grn_forest_opt_t o = { 1, 10, 0 };
    result_t *x = calloc(1, sizeof *x);
    const uint32_t one[] = { 3 }, two[] = { 7, 0 }, constant[] = { 7 };
    const uint64_t key[] = { 5, 3 };
    grn_boost_space_t s = { &d->bins, d->cell_key, key, one, 1 };
    grn_boost_target_t own = { { N, d->off[4] - d->off[3], d->idx + d->off[3], d->val + d->off[3] }, 0 };
    assert_int_equal(grn_forest_many(&o, &s, d->target, 1, NULL, keep, x), GRN_OK);
    assert_true(x->importance[0][0] == 1 && x->n_trees[0] == 10);
    assert_int_equal(grn_forest_many(&o, &s, &own, 1, NULL, keep, x), GRN_OK);
    assert_true(x->importance[0][0] == 0 && x->n_trees[0] == 0);
    s.column = constant;
    assert_int_equal(grn_forest_many(&o, &s, d->target, 1, NULL, keep, x), GRN_OK);
    assert_true(x->importance[0][0] == 0);
    s.column = two;
    s.p = 2;
    assert_int_equal(grn_forest_many(&o, &s, d->target, 1, NULL, keep, x), GRN_OK);
    assert_true(x->importance[0][0] == 0 && x->importance[0][1] == 1);
    free(x);
    free_data(d);
}

static grn_status stop(void *ctx, size_t target, size_t n_trees, const double *importance, int worker)
{
    (void)ctx, (void)target, (void)n_trees, (void)importance, (void)worker;
    return grn_err(GRN_EIO, "no more");
}

static void refused(void **state)
{
    (void)state;
    data_t *d = plain_data(2, 0);
    grn_forest_opt_t o = { 1, 2, 0 };
    result_t x;
    grn_boost_space_t none = d->space;
    none.p = 0;
    assert_int_equal(grn_forest_many(&o, &none, d->target, Q, NULL, keep, &x), GRN_EINVAL);
    assert_int_equal(grn_forest_many(&o, &d->space, d->target, Q, NULL, stop, NULL), GRN_EIO);
    d->val[d->off[P]] = INFINITY;
    assert_int_equal(grn_forest_many(&o, &d->space, d->target, Q, NULL, keep, &x), GRN_ENONFINITE);
    free_data(d);
}

/* Cells are drawn with replacement, predictors without, all about as often. */
static void draws_are_even(void **state)
{
    (void)state;
    enum { TREES = 2000, CELLS = 50, FEW = 4 };
    static int cells[CELLS], first[P];
    size_t distinct = 0;
    for (uint64_t t = 0; t < TREES; t++) {
        uint64_t key = grn_forest_tree_key(8, t), node = grn_forest_node_key(grn_forest_node_key(key, 2), t & 1);
        uint8_t met[CELLS] = { 0 };
        for (uint64_t k = 1; k <= CELLS; k++) {
            size_t i = grn_forest_draw(key, k, CELLS);
            cells[i]++;
            distinct += !met[i];
            met[i] = 1;
        }
        reference_t f = { 0 };
        uint32_t name[P];
        for (uint32_t j = 0; j < P; j++) f.name[j] = j;
        shuffle(&f, node, name);
        for (int k = 0; k < FEW; k++) first[name[k]]++;
    }
    for (int i = 0; i < CELLS; i++) assert_true(abs(cells[i] - TREES) < 5 * 45);                       /* sd 44.3 */
    for (int j = 0; j < P; j++) assert_true(fabs(first[j] - TREES * (double)FEW / P) < 5 * 16.2);      /* sd 16.1 */
    assert_true(fabs((double)distinct / TREES / CELLS - (1 - pow(1 - 1.0 / CELLS, CELLS))) < 0.005); /* sd 0.001 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(against_reference), cmocka_unit_test(order_does_not_matter), cmocka_unit_test(signal_is_found),
        cmocka_unit_test(few_predictors),    cmocka_unit_test(refused),               cmocka_unit_test(draws_are_even),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
