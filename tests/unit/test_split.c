/* Train, validation and test cells; the mean baselines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/mem.h"
#include "model/baseline.h"
#include "model/split.h"

/* n cells "PREFIX0..", donors by i % n_donors (0: none). */
static void make_cells(grn_matrix_t *m, size_t n, size_t n_donors)
{
    char name[32];
    grn_names_t levels = { 0 };
    int32_t *code = grn_malloc(n, sizeof *code);
    *m = (grn_matrix_t){ .n_rows = n };
    for (size_t i = 0; i < n; i++) {
        snprintf(name, sizeof name, "cell%zu", i);
        assert_int_equal(grn_names_add(&m->row, name, NULL, NULL), GRN_OK);
        code[i] = n_donors ? (int32_t)(i % n_donors) : -1;
    }
    for (size_t k = 0; k < n_donors; k++) {
        snprintf(name, sizeof name, "donor%zu", k);
        assert_int_equal(grn_names_add(&levels, name, NULL, NULL), GRN_OK);
    }
    if (n_donors) assert_int_equal(grn_attr_add_code(&m->row_attr, "donor", code, &levels), GRN_OK);
    else free(code);
}

static void cells_are_split_by_their_names(void **state)
{
    (void)state;
    grn_matrix_t m, few = { .n_rows = 3 };
    grn_split_t s, t;
    char *json = NULL;
    make_cells(&m, 2000, 0);
    assert_int_equal(grn_split_build(&s, &m, GRN_SPLIT_AUTO, 1, 0.15, 0.1), GRN_OK);
    assert_int_equal(s.by, GRN_SPLIT_CELL);
    assert_true(s.n[GRN_PART_TEST] > 240 && s.n[GRN_PART_TEST] < 360); /* 300, sd 16 */
    assert_true(s.n[GRN_PART_VALIDATION] > 150 && s.n[GRN_PART_VALIDATION] < 250);
    assert_int_equal(s.n[0] + s.n[1] + s.n[2], 2000);
    static const char *const NAME[] = { "cell1999", "cell3", "cell700" };
    for (size_t i = 0; i < 3; i++) assert_int_equal(grn_names_add(&few.row, NAME[i], NULL, NULL), GRN_OK);
    assert_int_equal(grn_split_json(&s, &json), GRN_OK);
    assert_int_equal(grn_split_apply(&t, json, &few), GRN_OK); /* other cells around do not matter */
    assert_true(t.part[0] == s.part[1999] && t.part[1] == s.part[3] && t.part[2] == s.part[700]);
    grn_split_clear(&t);
    assert_int_equal(grn_split_apply(&t, "{}", &few), GRN_EFORMAT);
    assert_int_equal(grn_split_apply(&t, NULL, &few), GRN_EFORMAT);
    grn_split_clear(&s);
    assert_int_equal(grn_split_build(&s, &m, GRN_SPLIT_DONOR, 1, 0.15, 0.1), GRN_EINVAL);
    free(json);
    grn_matrix_clear(&m);
    grn_matrix_clear(&few);
}

static void donors_are_held_out_whole(void **state)
{
    (void)state;
    grn_matrix_t m;
    grn_split_t s, t;
    char *json = NULL;
    make_cells(&m, 600, 10);
    assert_int_equal(grn_split_build(&s, &m, GRN_SPLIT_AUTO, 1, 0.2, 0.1), GRN_OK);
    assert_true(s.by == GRN_SPLIT_DONOR && s.test_donors.n == 2 && s.validation_donors.n == 1);
    assert_true(s.n[GRN_PART_TEST] == 120 && s.n[GRN_PART_VALIDATION] == 60 && s.n[GRN_PART_TRAIN] == 420);
    for (size_t c = 10; c < 600; c++) assert_int_equal(s.part[c], s.part[c % 10]);
    assert_int_equal(grn_split_json(&s, &json), GRN_OK);
    assert_int_equal(grn_split_apply(&t, json, &m), GRN_OK);
    assert_memory_equal(s.part, t.part, 600);
    free(json);
    grn_split_clear(&s);
    grn_split_clear(&t);
    grn_matrix_clear(&m);
}

static void three_donors_keep_two_to_train_on(void **state)
{
    (void)state;
    grn_matrix_t m;
    grn_split_t s;
    size_t test = 0;
    make_cells(&m, 600, 3);
    assert_int_equal(grn_split_build(&s, &m, GRN_SPLIT_AUTO, 1, 0.15, 0.1), GRN_OK);
    assert_true(s.by == GRN_SPLIT_DONOR && s.test_donors.n == 1 && s.validation_donors.n == 0);
    assert_int_equal(s.n[GRN_PART_TEST], 200);
    assert_true(s.n[GRN_PART_VALIDATION] > 15 && s.n[GRN_PART_VALIDATION] < 70); /* 40, sd 6 */
    for (size_t c = 0; c < 3; c++) test += s.part[c] == GRN_PART_TEST;
    assert_int_equal(test, 1);
    grn_split_clear(&s);
    grn_matrix_clear(&m);
    make_cells(&m, 20, 2);
    assert_int_equal(grn_split_build(&s, &m, GRN_SPLIT_AUTO, 1, 0.15, 0.1), GRN_OK);
    assert_int_equal(s.by, GRN_SPLIT_CELL);
    grn_split_clear(&s);
    grn_matrix_clear(&m);
}

static void parts_come_in_name_order(void **state)
{
    (void)state;
    grn_matrix_t m;
    grn_split_t s;
    uint32_t *cell;
    size_t n;
    make_cells(&m, 12, 0);
    assert_int_equal(grn_split_build(&s, &m, GRN_SPLIT_CELL, 1, 0, 0), GRN_OK);
    assert_int_equal(grn_split_cells(&s, &m, GRN_PART_TRAIN, &cell, &n), GRN_OK);
    static const uint32_t want[] = { 0, 1, 10, 11, 2, 3, 4, 5, 6, 7, 8, 9 };
    assert_int_equal(n, 12);
    assert_memory_equal(cell, want, sizeof want);
    free(cell);
    grn_split_clear(&s);
    grn_matrix_clear(&m);
}

/* Three cells, two genes, three bins: a cell's smaller count has bin 1, its larger bin 2. No zeros, nothing left out. */
static void baselines_are_means_of_bins(void **state)
{
    (void)state;
    grn_matrix_t m;
    grn_cells_t cells;
    grn_baseline_t b;
    grn_model_config_t cfg;
    grn_names_t levels = { 0 };
    int32_t *code = grn_malloc(3, sizeof *code);
    size_t type[3];
    uint32_t id[] = { 0, 1 };
    const uint32_t indices[] = { 0, 1, 0, 1, 0, 1 };
    const float data[] = { 1, 5, 9, 2, 1, 2 };
    make_cells(&m, 3, 0);
    m.n_cols = 3;
    assert_int_equal(GRN_NEW(m.indptr, 4), GRN_OK);
    assert_int_equal(GRN_NEW(m.indices, 6), GRN_OK);
    assert_int_equal(GRN_NEW(m.data, 6), GRN_OK);
    memcpy(m.indices, indices, sizeof indices);
    memcpy(m.data, data, sizeof data);
    for (uint64_t c = 0; c < 4; c++) m.indptr[c] = 2 * c;
    for (int g = 0; g < 3; g++)
        assert_int_equal(grn_names_add(&m.col, (const char *[]){ "a", "b", "c" }[g], NULL, NULL), GRN_OK);
    assert_int_equal(grn_names_add(&levels, "T", NULL, NULL), GRN_OK);
    assert_int_equal(grn_names_add(&levels, "B", NULL, NULL), GRN_OK);
    code[0] = 0, code[1] = 1, code[2] = -1;
    assert_int_equal(grn_attr_add_code(&m.row_attr, "cell_type", code, &levels), GRN_OK);
    grn_model_config_init(&cfg);
    cfg.zeros = 0, cfg.bins = 3, cfg.grn = GRN_GRN_NONE;
    assert_int_equal(grn_cells_build(&cells, &m, &cfg, NULL, NULL, NULL), GRN_OK);
    assert_int_equal(grn_baseline_fit(&b, &cfg, &cells, id, 2, 1), GRN_OK); /* cell 2 is not trained on */
    assert_true(b.mean == 1.5 && b.gene[0] == 1.5f && b.gene[1] == 1.5f && b.gene[2] == 1.5f); /* c: the overall mean */
    assert_int_equal(b.types.n, 2);
    assert_string_equal(grn_names_get(&b.types, 0), "B");
    assert_true(b.type[0] == 1.75f && b.type[1] == 1.25f); /* B: a = (2 + 1.5)/2, b = (1 + 1.5)/2 */
    assert_true(b.type[3] == 1.25f && b.type[4] == 1.75f); /* T the other way round */
    assert_int_equal(grn_baseline_types(&b, &m, type), GRN_OK);
    assert_true(type[0] == 1 && type[1] == 0 && type[2] == GRN_NAMES_NONE);
    assert_true(grn_baseline_type(&b, 3, type[2], 0) == 1.5f && grn_baseline_type(&b, 3, type[0], 0) == 1.25f);
    grn_baseline_clear(&b);
    grn_cells_clear(&cells);
    grn_matrix_clear(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells_are_split_by_their_names),    cmocka_unit_test(donors_are_held_out_whole),
        cmocka_unit_test(three_donors_keep_two_to_train_on), cmocka_unit_test(parts_come_in_name_order),
        cmocka_unit_test(baselines_are_means_of_bins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
