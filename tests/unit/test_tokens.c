/* Binning, choice of tokens and masks of the model, and its configuration as JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/mem.h"
#include "base/names.h"
#include "base/rng.h"
#include "model/config.h"
#include "model/tokens.h"

static void fifty_values_get_fifty_bins(void **state)
{
    (void)state;
    float x[50];
    uint16_t bin[50];
    for (size_t i = 0; i < 50; i++) x[i] = (float)(50 - i);
    assert_int_equal(grn_bin_values(x, 50, 51, NULL, bin, NULL), GRN_OK);
    for (size_t i = 0; i < 50; i++) assert_int_equal(bin[i], 50 - i); /* level k/49 instead of k (1/49) fails at 28 */
}

/* 951 non-zeros with 600 ones: the ones spread evenly over bins 1..31 (edges 0..30 are 1). */
static void ties_spread_over_their_edges(void **state)
{
    (void)state;
    enum { N = 951, ROUNDS = 200 };
    static float x[N];
    static double u[N];
    static uint16_t bin[N];
    static float mean[N];
    size_t hits[52] = { 0 };
    grn_rng_t rng;
    grn_rng_init(&rng, 1, "test", 0);
    for (size_t i = 0; i < N; i++) x[i] = i < 600 ? 1 : (float)(i - 598);
    for (int r = 0; r < ROUNDS; r++) {
        for (size_t i = 0; i < N; i++) u[i] = grn_rng_unif(&rng);
        assert_int_equal(grn_bin_values(x, N, 51, u, bin, mean), GRN_OK);
        for (size_t i = 0; i < 600; i++) hits[bin[i]]++;
        assert_true(mean[0] == 16 && mean[599] == 16 && mean[N - 1] == 50); /* (1 + 31)/2 */
        for (size_t i = 600; i < N; i++) assert_true(bin[i] >= 31 && bin[i] <= 50 && bin[i] >= bin[i - 1] * (i > 600));
        assert_int_equal(bin[N - 1], 50);
    }
    for (size_t b = 0; b < 52; b++) { /* expectation 600 * 200 / 31 = 3871, sd 61 */
        assert_true(b >= 1 && b <= 31 ? hits[b] > 3871 - 300 && hits[b] < 3871 + 300 : hits[b] == 0);
    }
}

static void equal_values_are_uniform_and_one_value_is_a_bin(void **state)
{
    (void)state;
    float x[4] = { 7, 7, 7, 7 };
    double u[4] = { 0, 0.5, 0.999, 0.02 };
    uint16_t bin[4];
    float mean[4];
    assert_int_equal(grn_bin_values(x, 4, 51, u, bin, mean), GRN_OK); /* 50 edges tie: ceil(50 - 50 u) */
    assert_true(bin[0] == 50 && bin[1] == 25 && bin[2] == 1 && bin[3] == 49 && mean[0] == 25.5f);
    assert_int_equal(grn_bin_values(x, 1, 51, NULL, bin, NULL), GRN_OK);
    assert_int_equal(bin[0], 25);
    assert_int_equal(grn_bin_values(x, 0, 51, NULL, bin, NULL), GRN_OK);
    x[1] = 8; /* two values, 5 bins: edges 7, 7.33, 7.67, 8 */
    assert_int_equal(grn_bin_values(x, 2, 5, u, bin, mean), GRN_OK);
    assert_true(bin[0] == 1 && bin[1] == 4 && mean[0] == 1 && mean[1] == 4);
}

enum { N_GENES = 300 };
static uint64_t key[N_GENES];

static void make_keys(void)
{
    for (size_t g = 0; g < N_GENES; g++) key[g] = g * 77 + 5;
}

/* Genes 2, 4, 6 ... are expressed. */
static size_t make_cell(uint32_t *gene, float *count, size_t n)
{
    for (size_t i = 0; i < n; i++) gene[i] = (uint32_t)(2 * i + 2), count[i] = (float)(1 + i % 7);
    return n;
}

static void sequences_hold_what_they_promise(void **state)
{
    (void)state;
    grn_model_config_t c;
    grn_tokens_t t = { 0 };
    uint32_t gene[120];
    float count[120];
    double n_mask[3] = { 0 };
    make_keys();
    grn_model_config_init(&c);
    c.tokens = 101;
    size_t n = make_cell(gene, count, 120);
    for (uint64_t cell = 0; cell < 600; cell++) {
        grn_mask_opt_t how = { .mask = 0, .epoch = 1, .seed = 1 };
        assert_int_equal(grn_tokens_draw(&t, &c, &how, cell, gene, count, n, N_GENES, key), GRN_OK);
        assert_int_equal(t.n, 100); /* 75 expressed, 25 not */
        size_t zero = 0, masked = 0, seen = 0;
        for (size_t i = 0; i < t.n; i++) {
            int expressed = t.gene[i] >= 2 && t.gene[i] % 2 == 0 && t.gene[i] <= 240;
            assert_true(i == 0 || t.gene[i - 1] < t.gene[i]);
            assert_true(t.gene[i] < N_GENES && expressed == (t.bin[i] > 0) && t.bin[i] <= 50 &&
                        expressed == (t.target[i] > 0));
            zero += t.bin[i] == 0;
            masked += t.masked[i];
            if (!t.masked[i] && t.bin[i] > 0) assert_int_equal(t.visible[seen++], t.gene[i]);
        }
        assert_true(zero == 25 && masked == t.n_masked && seen == t.n_visible && t.n_expressed == 120);
        assert_true(masked == 25 || masked == 50 || masked == 75);
        n_mask[masked / 25 - 1]++;
    }
    for (size_t i = 0; i < 3; i++) assert_true(n_mask[i] > 150 && n_mask[i] < 250); /* 200, sd 11.5 */
    grn_tokens_clear(&t);
}

static void small_cells_and_given_masks(void **state)
{
    (void)state;
    grn_model_config_t c;
    grn_tokens_t t = { 0 };
    uint32_t gene[120], given[] = { 3, 4, 8 };
    float count[120];
    make_keys();
    grn_model_config_init(&c);
    c.zeros = 0;
    size_t n = make_cell(gene, count, 5);
    grn_mask_opt_t how = { .mask = 0.5, .epoch = GRN_EPOCH_EVAL, .seed = 1 };
    assert_int_equal(grn_tokens_draw(&t, &c, &how, 1, gene, count, n, N_GENES, key), GRN_OK);
    assert_true(t.n == 5 && t.n_masked == 2 && t.n_visible == 3); /* floor(2.5) */
    how.given = given, how.n_given = 3;
    assert_int_equal(grn_tokens_draw(&t, &c, &how, 1, gene, count, n, N_GENES, key), GRN_OK);
    assert_true(t.n_masked == 2 && t.masked[1] && t.masked[3]);
    how = (grn_mask_opt_t){ .mask = -1, .seed = 1 };
    assert_int_equal(grn_tokens_draw(&t, &c, &how, 1, gene, count, n, N_GENES, key), GRN_OK);
    assert_true(t.n_masked == 0 && t.n_visible == 5);
    how.mask = 0.5;
    assert_int_equal(grn_tokens_draw(&t, &c, &how, 1, gene, count, 1, N_GENES, key), GRN_OK);
    assert_true(t.n == 1 && t.n_masked == 0); /* a lone gene stays visible */
    assert_int_equal(grn_tokens_draw(&t, &c, &how, 1, gene, count, 0, N_GENES, key), GRN_OK);
    assert_int_equal(t.n, 0);
    c.zeros = 0.25;
    n = make_cell(gene, count, 9);
    assert_int_equal(grn_tokens_draw(&t, &c, &how, 1, gene, count, n, N_GENES, key), GRN_OK);
    assert_int_equal(t.n, 12); /* 9 + 9/3 */
    assert_int_equal(grn_tokens_draw(&t, &c, &how, 1, gene, count, n, 20, key), GRN_OK);
    assert_int_equal(t.n, 12);
    grn_tokens_clear(&t);
}

static void draws_follow_cell_and_epoch(void **state)
{
    (void)state;
    grn_model_config_t c;
    grn_tokens_t a = { 0 }, b = { 0 };
    uint32_t gene[120];
    float count[120];
    make_keys();
    grn_model_config_init(&c);
    c.tokens = 65;
    size_t n = make_cell(gene, count, 120);
    grn_mask_opt_t how = { .mask = 0.5, .epoch = 4, .seed = 1 };
    assert_int_equal(grn_tokens_draw(&a, &c, &how, 8, gene, count, n, N_GENES, key), GRN_OK);
    assert_int_equal(grn_tokens_draw(&b, &c, &how, 9, gene, count, n, N_GENES, key), GRN_OK);
    assert_memory_not_equal(a.gene, b.gene, a.n * sizeof *a.gene);
    assert_int_equal(grn_tokens_draw(&b, &c, &how, 8, gene, count, n, N_GENES, key), GRN_OK);
    assert_true(a.n == b.n && memcmp(a.gene, b.gene, a.n * sizeof *a.gene) == 0 && memcmp(a.masked, b.masked, a.n) == 0);
    assert_memory_equal(a.bin, b.bin, a.n * sizeof *a.bin);
    how.epoch = 5;
    assert_int_equal(grn_tokens_draw(&b, &c, &how, 8, gene, count, n, N_GENES, key), GRN_OK);
    assert_memory_not_equal(a.masked, b.masked, a.n);
    grn_tokens_clear(&a);
    grn_tokens_clear(&b);
}

static void configuration_survives_json(void **state)
{
    (void)state;
    grn_model_config_t a, b = { 0 };
    char *json = NULL, *again = NULL;
    grn_model_config_init(&a);
    a.dim = 24, a.heads = 3, a.beta = 0.1, a.grn = GRN_GRN_CELL, a.perturb = GRN_PERTURB_RANDOM, a.seed = UINT64_MAX;
    assert_int_equal(grn_model_config_json(&a, &json), GRN_OK);
    assert_int_equal(grn_model_config_parse(&b, json), GRN_OK);
    assert_int_equal(grn_model_config_json(&b, &again), GRN_OK);
    assert_string_equal(json, again);
    assert_true(b.seed == UINT64_MAX && b.beta == 0.1);
    assert_int_equal(grn_model_config_parse(&b, "{\"dim\":3}"), GRN_EFORMAT);
    assert_int_equal(grn_model_config_parse(&b, "[1"), GRN_EFORMAT);
    a.heads = 5;
    assert_int_equal(grn_model_config_check(&a), GRN_EINVAL);
    free(json);
    free(again);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fifty_values_get_fifty_bins),
        cmocka_unit_test(ties_spread_over_their_edges),
        cmocka_unit_test(equal_values_are_uniform_and_one_value_is_a_bin),
        cmocka_unit_test(sequences_hold_what_they_promise),
        cmocka_unit_test(small_cells_and_given_masks),
        cmocka_unit_test(draws_follow_cell_and_epoch),
        cmocka_unit_test(configuration_survives_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
