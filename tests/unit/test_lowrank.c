/* io/lowrank.c: saved and loaded as it was, values by cell and by region, refused when damaged. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "io/lowrank.h"

#define MUST(e) assert_int_equal((e), GRN_OK)

/* 2 cells, 3 regions, 2 topics. */
static void make(grn_lowrank_t *l)
{
    const float theta[] = { 0.25f, 0.75f, 1, 0 }, phi[] = { 0.5f, 0.125f, 0.5f, 0.25f, 0, 0.625f };
    const char *cell[] = { "c1", "c2" }, *region[] = { "chr1:0-5", "chr1:9-12", "chr2:0-5" }, *topic[] = { "Topic_1", "Topic_2" };
    memset(l, 0, sizeof *l);
    l->C = 2, l->R = 3, l->K = 2;
    MUST(GRN_NEW(l->theta, 4));
    MUST(GRN_NEW(l->phi, 6));
    memcpy(l->theta, theta, sizeof theta);
    memcpy(l->phi, phi, sizeof phi);
    for (int i = 0; i < 2; i++) MUST(grn_names_add(&l->cell, cell[i], NULL, NULL));
    for (int i = 0; i < 3; i++) MUST(grn_names_add(&l->region, region[i], NULL, NULL));
    for (int i = 0; i < 2; i++) MUST(grn_names_add(&l->topic, topic[i], NULL, NULL));
    int32_t *code;
    grn_names_t levels = { 0 };
    MUST(GRN_NEW(code, 2));
    code[1] = -1;
    MUST(grn_names_add(&levels, "B", NULL, NULL));
    MUST(grn_attr_add_code(&l->cell_attr, "cell_type", code, &levels));
    l->method = strdup("lda");
}

static void test_round_trip(void **state)
{
    grn_lowrank_t a, b;
    const char *meta[] = { "sweeps", "150" };
    (void)state;
    make(&a);
    MUST(grn_lowrank_save(&a, "l.tensor.zst", meta, 1, NULL));
    MUST(grn_lowrank_load("l.tensor.zst", NULL, &b));
    assert_int_equal(b.C, 2);
    assert_int_equal(b.R, 3);
    assert_int_equal(b.K, 2);
    assert_memory_equal(a.theta, b.theta, 16);
    assert_memory_equal(a.phi, b.phi, 24);
    assert_true(grn_names_equal(&a.cell, &b.cell) && grn_names_equal(&a.region, &b.region) && grn_names_equal(&a.topic, &b.topic));
    assert_string_equal(b.method, "lda");
    const grn_attr_t *t = grn_attr_find(&b.cell_attr, "cell_type");
    assert_non_null(t);
    assert_int_equal(t->code[0], 0);
    assert_int_equal(t->code[1], -1);
    grn_lowrank_clear(&a);
    grn_lowrank_clear(&b);
}

static void test_values(void **state)
{
    grn_lowrank_t l;
    float out[3];
    double mean[2];
    const uint32_t second = 1;
    (void)state;
    make(&l);
    grn_lowrank_of_cell(&l, 0, out);
    assert_true(out[0] == 0.21875f && out[1] == 0.3125f && out[2] == 0.46875f); /* .25 * .5 + .75 * .125 ... */
    grn_lowrank_of_region(&l, 2, out);
    assert_true(out[0] == 0.46875f && out[1] == 0);
    grn_lowrank_mean_theta(&l, NULL, 0, mean);
    assert_true(mean[0] == 0.625 && mean[1] == 0.375);
    grn_lowrank_mean_theta(&l, &second, 1, mean);
    assert_true(mean[0] == 1 && mean[1] == 0);
    grn_lowrank_mean_theta(&l, &second, 0, mean);
    assert_true(isnan(mean[0]));
    grn_lowrank_clear(&l);
}

static void test_refused(void **state)
{
    grn_lowrank_t l, b;
    grn_matrix_t m = { 0 };
    (void)state;
    make(&l);
    l.phi[3] = NAN;
    MUST(grn_lowrank_save(&l, "nan.tensor.zst", NULL, 0, NULL));
    assert_int_equal(grn_lowrank_load("nan.tensor.zst", NULL, &b), GRN_ENONFINITE);
    assert_non_null(strstr(grn_err_msg(), "chr1:9-12"));
    l.K = 1;
    assert_int_equal(grn_lowrank_save(&l, "k.tensor.zst", NULL, 0, NULL), GRN_ESHAPE);
    l.K = 2;
    m.is_dense = 1;
    MUST(grn_matrix_save(&m, "m.tensor.zst", NULL));
    assert_int_equal(grn_lowrank_load("m.tensor.zst", NULL, &b), GRN_EFORMAT);
    assert_non_null(strstr(grn_err_msg(), "grn.matrix/1"));
    assert_int_equal(grn_lowrank_load("absent.tensor.zst", NULL, &b), GRN_EIO);
    grn_lowrank_clear(&l);
}

int main(void)
{
    const struct CMUnitTest t[] = { cmocka_unit_test(test_round_trip), cmocka_unit_test(test_values), cmocka_unit_test(test_refused) };
    return cmocka_run_group_tests(t, NULL, NULL);
}
