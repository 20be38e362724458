/* Boosting: bins by hand; trees against a plain reference that sorts the cells of every node; lanes, copies and one target at a time
 * give the same bits; order of cells, predictors and targets does not matter. */
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
#include "boost/boost.h"

/* ---- bins ---- */

static void bins_by_hand(void **state)
{
    (void)state;
    /* 8 cells: counts with a stored zero; mostly 2; all different, two below zero; empty */
    const uint64_t off[] = { 0, 4, 11, 19, 19 };
    const uint32_t idx[] = { 0, 2, 5, 7, 0, 1, 2, 3, 4, 5, 6, 0, 1, 2, 3, 4, 5, 6, 7 };
    const float val[] = { 3, 1, 0, 3, 2, 2, 5, 2, 2, 1, 2, -2, 0.5f, 3, -1, 4, 1, 2, 0.25f };
    grn_bins_t b;
    assert_int_equal(grn_bins_init(&b, 8, 4, off, idx, val, 256, NULL), GRN_OK);
    const uint64_t run_off[] = { 0, 2, 5, 12, 12 };
    assert_memory_equal(b.run_off, run_off, sizeof run_off);
    assert_true(b.rest[0] == 0 && b.rest[1] == 2 && b.rest[2] == -2 && b.rest[3] == 0);
    assert_true(b.n_above[0] == 2 && b.n_above[1] == 1 && b.n_above[2] == 7 && b.n_above[3] == 0);
    const float low[] = { 3, 1, 5, 0, 1, 4, 3, 2, 1, 0.5f, 0.25f, -1 };
    assert_memory_equal(b.low, low, sizeof low);
    assert_memory_equal(b.high, low, sizeof low);
    const uint64_t cell_off[] = { 0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13 };
    const uint32_t cell[] = { 0, 7, 2, 2, 7, 5, 4, 2, 6, 5, 1, 7, 3 };
    assert_memory_equal(b.cell_off, cell_off, sizeof cell_off);
    assert_memory_equal(b.cell, cell, sizeof cell);
    assert_int_equal(b.n_binned, 0);
    grn_bins_clear(&b);
    assert_int_equal(grn_bins_init(&b, 8, 4, off, idx, val, 3, NULL), GRN_OK); /* 7 values above the rest in 3 bins: 3, 2, 2 cells */
    assert_int_equal(b.n_binned, 1);
    assert_int_equal(b.run_off[3] - b.run_off[2], 3);
    const float lows[] = { 3, 1, -1 }, highs[] = { 4, 2, 0.5f };
    assert_memory_equal(b.low + b.run_off[2], lows, sizeof lows);
    assert_memory_equal(b.high + b.run_off[2], highs, sizeof highs);
    const uint32_t in_order[] = { 1, 3, 7 }; /* of the last bin */
    assert_memory_equal(b.cell + b.cell_off[b.run_off[2] + 2], in_order, sizeof in_order);
    grn_bins_clear(&b);
    float bad[19];
    memcpy(bad, val, sizeof bad);
    bad[2] = NAN;
    assert_int_equal(grn_bins_init(&b, 8, 4, off, idx, bad, 256, NULL), GRN_ENONFINITE);
    assert_int_equal(grn_bins_init(&b, 8, 4, off, idx, val, 1, NULL), GRN_EINVAL);
}

/* ---- made data ---- */

enum { N = 240, P = 30, Q = 19 };

typedef struct {
    uint64_t off[P + Q + 1], cell_key[N], name_key[P];
    uint32_t idx[N * (P + Q)];
    float val[N * (P + Q)];
    float x[P][N];
    grn_bins_t bins;
    grn_boost_space_t space;
    grn_boost_target_t target[Q];
} data_t;

/* Column j of kind: counts, counts around 2, real numbers, constant. Targets follow a few predictors. Cells and predictors in the order
 * of the permutations. */
static void make_data(data_t *d, uint64_t seed, const uint32_t *cell_at, const uint32_t *name_at)
{
    static float v[P + Q][N];
    grn_rng_t r;
    grn_rng_init(&r, seed, "test.boost", 0);
    memset(d, 0, sizeof *d);
    for (int j = 0; j < P; j++)
        for (int i = 0; i < N; i++)
            v[j][i] = j == 7       ? 4
                      : j % 5 == 3 ? (float)grn_rng_normal(&r)
                      : j % 5 == 4 ? (float)(2 + (grn_rng_below(&r, 4) == 0) - (grn_rng_below(&r, 4) == 0))
                                   : (float)grn_rng_poisson(&r, j % 3 ? 0.2 : 1.5);
    for (int q = 0; q < Q; q++)
        for (int i = 0; i < N; i++)
            v[P + q][i] = q == 4   ? 1.5f
                          : q == 5 ? v[2][i]
                                   : (float)grn_rng_poisson(&r, 0.3 + 0.5 * v[q][i] * v[q][i] + (v[(q + 3) % P][i] > 0));
    for (int i = 0; i < N; i++) d->cell_key[cell_at[i]] = grn_rng_u64(&r);
    for (int j = 0; j < P; j++) d->name_key[name_at[j]] = grn_rng_u64(&r);
    for (int j = 0; j < P; j++)
        for (int i = 0; i < N; i++) d->x[name_at[j]][cell_at[i]] = v[j][i];
    uint64_t n = 0;
    for (int j = 0; j < P + Q; j++) {
        for (int i = 0; i < N; i++) {
            float y = 0;
            if (j < P) y = d->x[j][i];
            else
                for (int k = 0; k < N; k++)
                    if (cell_at[k] == (uint32_t)i) y = v[j][k];
            if (y == 0) continue;
            d->idx[n] = (uint32_t)i;
            d->val[n++] = y;
        }
        d->off[j + 1] = n;
    }
    assert_int_equal(grn_bins_init(&d->bins, N, P, d->off, d->idx, d->val, 256, NULL), GRN_OK);
    d->space = (grn_boost_space_t){ &d->bins, d->cell_key, d->name_key, NULL, P };
    for (int q = 0; q < Q; q++) {
        uint64_t at = d->off[P + q];
        d->target[q] =
            (grn_boost_target_t){ { N, d->off[P + q + 1] - at, d->idx + at, d->val + at }, q == 5 ? name_at[2] : GRN_TREE_NOBODY };
    }
}

static data_t *plain_data(uint64_t seed)
{
    uint32_t cell_at[N], name_at[P];
    data_t *d = malloc(sizeof *d);
    for (uint32_t i = 0; i < N; i++) cell_at[i] = i;
    for (uint32_t j = 0; j < P; j++) name_at[j] = j;
    make_data(d, seed, cell_at, name_at);
    return d;
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

/* ---- the reference: dense values, sorted cells ---- */

#define BITS 23 /* of the largest residual */

static const float *sort_by;

static int by_value(const void *a, const void *b)
{
    float x = sort_by[*(const uint32_t *)a], y = sort_by[*(const uint32_t *)b];
    return (x > y) - (x < y);
}

static float most_frequent(const float *x)
{
    float best = 0;
    int most = 0;
    for (int i = 0; i < N; i++) {
        int same = 0;
        for (int k = 0; k < N; k++) same += x[k] == x[i];
        if (same > most || (same == most && x[i] < best)) most = same, best = x[i];
    }
    return best;
}

typedef struct {
    int32_t r[N];
    double importance[P], gain[25];
    size_t n_trees;
} reference_t;

/* The best split of the node's sample: strictly better than those before, predictors in the order drawn; within one, from the highest
 * threshold down to its most frequent value, then from the lowest up. */
static void reference_split(const data_t *d, const grn_draw_t *draw, size_t start, uint32_t self, const int32_t *r,
                            const uint8_t *in_bag, uint8_t *leaf, int level, unsigned slot, double *importance)
{
    uint32_t cell[N];
    size_t n = 0, visited = 0, node = (1u << level) - 1 + slot;
    int64_t sum = 0;
    double best_num = 0, best_den = 1, threshold = 0;
    uint32_t best = P;
    int varies = 0;
    for (uint32_t i = 0; i < N; i++)
        if (in_bag[i] && leaf[i] == slot) cell[n++] = i, sum += r[i];
    for (size_t i = 1; i < n; i++) varies |= r[cell[i]] != r[cell[0]];
    if (!varies) return;
    for (size_t k = 0; k < P; k++) {
        uint32_t j = draw->order[node * P + (start + k) % P];
        if (j == self) continue;
        if (visited++ >= draw->m && best < P) break;
        const float *x = d->x[j];
        float rest = most_frequent(x);
        sort_by = x;
        qsort(cell, n, sizeof *cell, by_value);
        for (int side = 0; side < 2; side++) {
            int64_t part = 0;
            for (size_t c = 1; c < n; c++) {
                size_t hi = side ? c : n - c, lo = hi - 1; /* the boundary between cell[lo] and cell[hi] */
                part += r[cell[side ? lo : hi]];
                if (x[cell[lo]] == x[cell[hi]]) continue;
                double mid = ((double)x[cell[lo]] + x[cell[hi]]) / 2;
                if (side ? !(x[cell[lo]] < rest) : !(x[cell[hi]] > rest)) break;
                double a = (double)part * (double)n - (double)sum * (double)c, den = (double)c * (double)(n - c);
                if (!(a * a * best_den > best_num * den)) continue;
                best_num = a * a;
                best_den = den;
                best = j;
                threshold = mid;
            }
        }
    }
    if (best == P) return;
    importance[best] += best_num / (best_den * (double)n);
    int above = threshold >= most_frequent(d->x[best]);
    for (uint32_t i = 0; i < N; i++)
        if (leaf[i] == slot && (d->x[best][i] > threshold) == above) leaf[i] = (uint8_t)(slot + (1u << level));
}

static void reference(const data_t *d, const grn_boost_opt_t *o, int q, reference_t *f)
{
    grn_draw_t draw;
    double y[N] = { 0 }, mean = 0, far = 0;
    int exponent;
    memset(f, 0, sizeof *f);
    assert_int_equal(grn_draw_init(&draw, o->seed, N, d->cell_key, P, d->name_key, o->predictors, o->subsample), GRN_OK);
    for (size_t k = 0; k < d->target[q].y.n_nz; k++) y[d->target[q].y.idx[k]] = d->target[q].y.val[k], mean += d->target[q].y.val[k];
    mean /= N;
    for (int i = 0; i < N; i++) far = fmax(far, fabs(y[i] - mean));
    frexp(far, &exponent);
    for (int i = 0; i < N; i++) f->r[i] = (int32_t)lrint(ldexp(y[i] - mean, BITS - exponent));
    while (f->n_trees < o->max_trees) {
        uint32_t out[N];
        uint8_t in_bag[N], leaf[N] = { 0 };
        size_t start;
        double gain = 0, mean_gain = 0;
        int64_t leaf_sum[8] = { 0 }, leaf_n[8] = { 0 };
        memset(in_bag, 1, sizeof in_bag);
        grn_draw_predictors(&draw, f->n_trees, &start);
        grn_draw_out_of_bag(&draw, f->n_trees, out);
        for (size_t k = 0; k < draw.n_out; k++) in_bag[out[k]] = 0;
        for (int level = 0; level < 3; level++)
            for (unsigned s = 0; s < 1u << level; s++)
                reference_split(d, &draw, start, d->target[q].self, f->r, in_bag, leaf, level, s, f->importance);
        for (int i = 0; i < N; i++)
            if (in_bag[i]) leaf_sum[leaf[i]] += f->r[i], leaf_n[leaf[i]]++;
        for (int i = 0; i < N; i++) {
            double step = leaf_n[leaf[i]] ? (double)llrint(o->rate * (double)leaf_sum[leaf[i]] / (double)leaf_n[leaf[i]]) : 0;
            if (!in_bag[i]) gain += step * (2.0 * f->r[i] - step);
            f->r[i] -= (int32_t)step;
        }
        f->gain[f->n_trees++ % 25] = gain;
        for (int k = 0; k < 25; k++) mean_gain += f->gain[k];
        if (o->window && f->n_trees >= 25 && mean_gain < 0) break;
    }
    grn_draw_clear(&draw);
}

static void against_reference(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        data_t *d = plain_data(seed);
        grn_boost_opt_t o = GRN_BOOST_OPT_GRNBOOST2;
        o.max_trees = 400;
        o.subsample = seed == 3 ? 1 : 0.9;
        o.predictors = seed == 2 ? 0.02 : 0.1; /* one predictor a node: often a constant one */
        if (seed == 3) o.window = 0, o.max_trees = 60;
        result_t *got = calloc(1, sizeof *got);
        assert_int_equal(grn_boost_many(&o, &d->space, d->target, Q, NULL, keep, got), GRN_OK);
        for (int q = 0; q < Q; q++) {
            static reference_t f;
            assert_int_equal(got->calls[q], 1);
            if (q == 4) { /* constant */
                assert_int_equal(got->n_trees[q], 0);
                continue;
            }
            reference(d, &o, q, &f);
            double sum = 0, share = 0;
            for (int j = 0; j < P; j++) sum += f.importance[j];
            assert_true(sum > 0);
            if (got->n_trees[q] != f.n_trees) fail_msg("target %d: %zu trees, reference %zu", q, got->n_trees[q], f.n_trees);
            for (int j = 0; j < P; j++) {
                share += got->importance[q][j];
                if (fabs(got->importance[q][j] - f.importance[j] / sum) > 1e-9)
                    fail_msg("seed %d target %d predictor %d: %.12g, reference %.12g", (int)seed, q, j, got->importance[q][j],
                             f.importance[j] / sum);
            }
            assert_true(fabs(share - 1) < 1e-9);
        }
        assert_true(got->importance[5][2] == 0); /* itself */
        free(got);
        free_data(d);
    }
}

/* ---- same numbers whatever the company ---- */

static void one_by_one(void **state)
{
    (void)state;
    data_t *d = plain_data(5);
    grn_boost_opt_t o = GRN_BOOST_OPT_GRNBOOST2;
    grn_boost_scratch_t *s;
    result_t *a = calloc(1, sizeof *a), *b = calloc(1, sizeof *b);
    grn_boost_model_t m = { 0 };
    assert_int_equal(grn_boost_scratch_create(&s), GRN_OK);
    assert_int_equal(grn_boost_many(&o, &d->space, d->target, Q, NULL, keep, a), GRN_OK);
    for (int q = 0; q < Q; q++)
        assert_int_equal(grn_boost_one(&o, &d->space, &d->target[q], s, b->importance[q], &b->n_trees[q], &m), GRN_OK);
    assert_memory_equal(a->importance, b->importance, sizeof a->importance);
    assert_memory_equal(a->n_trees, b->n_trees, sizeof a->n_trees);
    memset(b, 0, sizeof *b);
    assert_int_equal(grn_boost_many(&o, &d->space, d->target + 3, 1, NULL, keep, b), GRN_OK);
    assert_memory_equal(a->importance[3], b->importance[0], sizeof a->importance[3]);
    /* some columns only, in another order, are a space of their own */
    const uint32_t column[] = { 9, 0, 3, 14, 28 };
    uint64_t key[5];
    for (int k = 0; k < 5; k++) key[k] = d->name_key[column[k]];
    grn_boost_space_t few = { &d->bins, d->cell_key, key, column, 5 };
    double importance[5];
    size_t n_trees;
    assert_int_equal(grn_boost_one(&o, &few, &d->target[0], s, importance, &n_trees, NULL), GRN_OK);
    assert_true(importance[1] > 0.3); /* predictor 0 drives target 0 */
    grn_boost_model_clear(&m);
    grn_boost_scratch_destroy(s);
    free(a);
    free(b);
    free_data(d);
}

/* Cells, predictors and targets in another order, on two threads. */
static void order_does_not_matter(void **state)
{
    (void)state;
    uint32_t cell_at[N], name_at[P];
    grn_rng_t r;
    grn_par_t *pool;
    grn_rng_init(&r, 9, "test.boost.order", 0);
    for (uint32_t i = 0; i < N; i++) cell_at[i] = i;
    for (uint32_t j = 0; j < P; j++) name_at[j] = j;
    grn_rng_shuffle_u32(&r, cell_at, N);
    grn_rng_shuffle_u32(&r, name_at, P);
    data_t *d = plain_data(6), *e = malloc(sizeof *e);
    make_data(e, 6, cell_at, name_at);
    assert_int_equal(grn_par_create(&pool, 2), GRN_OK);
    result_t *a = calloc(1, sizeof *a), *b = calloc(1, sizeof *b);
    grn_boost_opt_t o = GRN_BOOST_OPT_GRNBOOST2;
    grn_boost_target_t turned[Q];
    for (int q = 0; q < Q; q++) turned[q] = e->target[Q - 1 - q];
    assert_int_equal(grn_boost_many(&o, &d->space, d->target, Q, NULL, keep, a), GRN_OK);
    assert_int_equal(grn_boost_many(&o, &e->space, turned, Q, pool, keep, b), GRN_OK);
    for (int q = 0; q < Q; q++) {
        assert_int_equal(a->n_trees[q], b->n_trees[Q - 1 - q]);
        for (int j = 0; j < P; j++) assert_true(fabs(a->importance[q][j] - b->importance[Q - 1 - q][name_at[j]]) < 1e-12);
    }
    grn_par_destroy(pool);
    free(a);
    free(b);
    free_data(d);
    free_data(e);
}

static grn_tree_fn copies[] = { NULL, NULL, NULL };

/* The leaf of a cell by the lane's splits. */
static unsigned leaf_of(const data_t *d, const grn_tree_split_t *split, int cell)
{
    unsigned slot = 0;
    for (int level = 0; level < 3; level++) {
        const grn_tree_split_t *s = &split[(1u << level) - 1 + slot];
        if (s->predictor != GRN_TREE_NOBODY && (d->x[s->predictor][cell] > s->threshold) == s->above) slot += 1u << level;
    }
    return slot;
}

/* All copies, and one lane at a time, in one block of cells and in several, with room for the sums of few runs or of all. */
static void copies_agree(void **state)
{
    (void)state;
    enum { SETS = 10, LANES = GRN_TREE_LANES };
    data_t *d = plain_data(7);
    size_t n_copies = 1;
    copies[0] = grn_tree_base;
#if defined(__x86_64__)
    if (grn_simd_level() >= GRN_SIMD_AVX2) copies[n_copies++] = grn_tree_avx2;
    if (grn_simd_level() >= GRN_SIMD_AVX512) copies[n_copies++] = grn_tree_avx512;
#endif
    grn_draw_t draw;
    size_t start;
    uint32_t out[N];
    static const struct {
        size_t size, n_blocks, fewer;
    } cut[] = { { 0, 1, 0 }, { 100, 3, 0 }, { 64, 4, 1 } };
    assert_int_equal(grn_draw_init(&draw, 1, N, d->cell_key, P, d->name_key, 0.2, 0.9), GRN_OK);
    grn_draw_predictors(&draw, 3, &start);
    grn_draw_out_of_bag(&draw, 3, out);
    for (int big = 0; big < 2; big++) { /* with residuals at the limits, and without */
        static double importance[SETS][LANES][P];
        static grn_tree_lanes_t l[SETS], one;
        grn_tree_in_t in = {
            .bins = &d->bins, .p = P, .m = draw.m, .order = draw.order, .start = start, .out = out, .n_out = draw.n_out, .rate = 0.1
        };
        int32_t *before = malloc(N * LANES * sizeof *before);
        memset(importance, 0, sizeof importance);
        memset(l, 0, sizeof l);
        for (int i = 0; i < LANES; i++) {
            grn_rng_t r;
            grn_rng_init(&r, 4, "test.boost.copies", (uint64_t)i);
            for (int k = 0; k < N; k++) {
                double x = d->x[(i * 3 + 1) % P][k] * 1e6 + grn_rng_normal(&r) * 1e5;
                before[k * LANES + i] = GRN_TREE_BIAS + (int32_t)x;
                if (big && k % 3 == 0) before[k * LANES + i] = k % 2 ? GRN_TREE_LIMIT - 1 : 0;
            }
        }
        for (size_t c = 0; c < n_copies * 3; c++) {
            grn_tree_blocks_t blocks;
            assert_int_equal(grn_tree_blocks_init(&blocks, &d->bins, cut[c % 3].size), GRN_OK);
            assert_int_equal(blocks.n_blocks, cut[c % 3].n_blocks);
            if (cut[c % 3].fewer) blocks.n_parts = N;
            in.blocks = &blocks;
            l[c].r = aligned_alloc(64, N * LANES * sizeof *l->r);
            l[c].mark = calloc(4 * N, sizeof *l->mark);
            l[c].part = aligned_alloc(64, grn_tree_part_bytes(&blocks));
            memcpy(l[c].r, before, N * LANES * sizeof *l->r);
            for (int i = 0; i < LANES; i++) {
                l[c].live[i] = i != 6;
                l[c].self[i] = i == 2 ? draw.order[start] : GRN_TREE_NOBODY;
                l[c].importance[i] = importance[c][i];
            }
            copies[c / 3](&in, &l[c]);
            grn_tree_blocks_clear(&blocks);
            assert_memory_equal(l[c].r, l[0].r, N * LANES * sizeof *l->r);
            assert_memory_equal(l[c].gain, l[0].gain, sizeof l->gain);
            assert_memory_equal(l[c].step, l[0].step, sizeof l->step);
            assert_memory_equal(importance[c], importance[0], sizeof importance[0]);
            for (int k = 0; k < 4 * N; k++) assert_int_equal(l[c].mark[k], 0);
            for (int i = 0; i < LANES; i++)
                for (int k = 0; k < GRN_DRAW_NODES; k++) {
                    assert_int_equal(l[c].split[i][k].predictor, l[0].split[i][k].predictor);
                    assert_true(l[c].split[i][k].threshold == l[0].split[i][k].threshold);
                }
        }
        for (int i = 0; i < LANES; i++) {
            double alone[P] = { 0 };
            int32_t r[N];
            if (i == 6) continue;
            one = (grn_tree_lanes_t){ .r = r, .live = { 1 }, .self = { l[0].self[i] }, .importance = { alone } };
            for (int k = 0; k < N; k++) r[k] = before[k * LANES + i];
            grn_tree_one(&in, &one);
            assert_memory_equal(alone, importance[0][i], sizeof alone);
            assert_memory_equal(one.step[0], l[0].step[i], sizeof one.step[0]);
            assert_true(one.gain[0] == l[0].gain[i]);
            for (int k = 0; k < N; k++) {
                int64_t want = (int64_t)before[k * LANES + i] - l[0].step[i][leaf_of(d, l[0].split[i], k)];
                want = want < 0 ? 0 : want >= GRN_TREE_LIMIT ? GRN_TREE_LIMIT - 1 : want;
                assert_int_equal(l[0].r[k * LANES + i], want);
                assert_int_equal(r[k], want);
            }
        }
        for (size_t c = 0; c < n_copies * 3; c++) {
            free(l[c].r);
            free(l[c].mark);
            free(l[c].part);
        }
        free(before);
    }
    grn_draw_clear(&draw);
    free_data(d);
}

/* ---- prediction, draws ---- */

typedef struct {
    const data_t *d;
    uint32_t cell;
} cell_t;

static double value_of(const void *ctx, uint32_t predictor)
{
    const cell_t *c = ctx;
    return c->d->x[predictor][c->cell];
}

/* The model explains what is left out of the residuals: training error falls, and equals that of the prediction by its trees. */
static void predicts(void **state)
{
    (void)state;
    data_t *d = plain_data(8);
    grn_boost_opt_t o = GRN_BOOST_OPT_SCENICPLUS_R2G;
    grn_boost_scratch_t *s;
    grn_boost_model_t m = { 0 };
    double importance[P], before = 0, after = 0, y[N] = { 0 };
    size_t n_trees;
    assert_int_equal(grn_boost_scratch_create(&s), GRN_OK);
    assert_int_equal(grn_boost_one(&o, &d->space, &d->target[0], s, importance, &n_trees, &m), GRN_OK);
    assert_int_equal(n_trees, 500);
    assert_int_equal(m.n, 500);
    for (size_t k = 0; k < d->target[0].y.n_nz; k++) y[d->target[0].y.idx[k]] = d->target[0].y.val[k];
    static reference_t f;
    reference(d, &o, 0, &f);
    double far = 0;
    int exponent;
    for (int i = 0; i < N; i++) far = fmax(far, fabs(y[i] - m.mean));
    frexp(far, &exponent);
    for (uint32_t i = 0; i < N; i++) {
        double p = grn_boost_predict(&m, value_of, &(cell_t){ d, i });
        before += (y[i] - m.mean) * (y[i] - m.mean);
        after += (y[i] - p) * (y[i] - p);
        assert_true(fabs(y[i] - p - ldexp(f.r[i], exponent - BITS)) <= ldexp(0.5, exponent - BITS));
    }
    assert_true(after < 0.4 * before);
    grn_boost_model_clear(&m);
    grn_boost_scratch_destroy(s);
    free_data(d);
}

/* Every predictor is looked at once by a node in p / m trees; every cell is left out about as often. */
static void draws(void **state)
{
    (void)state;
    enum { TREES = 300 };
    data_t *d = plain_data(1);
    grn_draw_t draw;
    size_t start;
    static int seen[GRN_DRAW_NODES][P], left_out[N];
    assert_int_equal(grn_draw_init(&draw, 3, N, d->cell_key, P, d->name_key, 0.1, 0.9), GRN_OK);
    assert_int_equal(draw.m, 3);
    assert_int_equal(draw.n_out, 24);
    for (uint64_t t = 0; t < TREES; t++) {
        uint32_t out[N];
        grn_draw_predictors(&draw, t, &start);
        for (int k = 0; k < GRN_DRAW_NODES; k++)
            for (size_t i = 0; i < draw.m; i++) seen[k][draw.order[k * P + (start + i) % P]]++;
        grn_draw_out_of_bag(&draw, t, out);
        for (size_t i = 0; i < draw.n_out; i++) {
            assert_true(out[i] < N && (i == 0 || out[i] > out[i - 1]));
            left_out[out[i]]++;
        }
    }
    for (int k = 0; k < GRN_DRAW_NODES; k++)
        for (int j = 0; j < P; j++) assert_int_equal(seen[k][j], TREES / 10);
    for (int i = 0; i < N; i++) assert_true(abs(left_out[i] - 30) < 28); /* 30, sd 5.2 */
    grn_draw_clear(&draw);
    free_data(d);
}

static void refused(void **state)
{
    (void)state;
    data_t *d = plain_data(2);
    grn_boost_opt_t o = GRN_BOOST_OPT_GRNBOOST2;
    result_t x;
    grn_boost_space_t none = d->space;
    none.p = 0;
    assert_int_equal(grn_boost_many(&o, &none, d->target, Q, NULL, keep, &x), GRN_EINVAL);
    d->val[d->off[P]] = INFINITY;
    assert_int_equal(grn_boost_many(&o, &d->space, d->target, Q, NULL, keep, &x), GRN_ENONFINITE);
    free_data(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bins_by_hand), cmocka_unit_test(against_reference),
        cmocka_unit_test(one_by_one),   cmocka_unit_test(order_does_not_matter),
        cmocka_unit_test(copies_agree), cmocka_unit_test(predicts),
        cmocka_unit_test(draws),        cmocka_unit_test(refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
