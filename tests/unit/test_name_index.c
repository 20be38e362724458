/* name_index, activity_read, edges_read: what is read in part is what is read whole */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "io/activity_read.h"
#include "io/edges_read.h"
#include "io/name_index.h"

static void name_of(size_t i, char s[32])
{
    snprintf(s, 32, "%zu-%.*s", i * 7919, (int)(i % 13), "ACGTACGTACGTA");
}

enum { INDEXED, PLAIN, OTHER, UNSORTED, SHORT };

/* n names, with their index; without; with the index of other names; with entries exchanged; with an offset moved. */
static void write_names(const char *path, size_t n, int how)
{
    grn_cw_t *w = NULL;
    grn_names_t d = { 0 }, other = { 0 };
    char s[32];
    for (size_t i = 0; i < n; i++) {
        name_of(i, s);
        assert_int_equal(grn_names_add(&d, s, NULL, NULL), GRN_OK);
        s[0] = 'x';
        assert_int_equal(grn_names_add(&other, s, NULL, NULL), GRN_OK);
    }
    assert_int_equal(grn_cw_open(&w, path, "grn.test/1", NULL), GRN_OK);
    assert_int_equal(grn_cw_frame(w, 4096), GRN_OK);
    if (how == INDEXED) assert_int_equal(grn_cw_names_indexed(w, "cell", &d), GRN_OK);
    else assert_int_equal(grn_cw_names(w, "names.cell", &d), GRN_OK);
    if (how > PLAIN) {
        uint32_t *index = calloc(2 * n, sizeof *index);
        uint64_t *offset = calloc((n + 1023) / 1024, sizeof *offset), shape[2] = { n, 2 };
        for (size_t i = 0; i < n; i++) {
            index[2 * i] = (uint32_t)(grn_hash_str(grn_names_get(how == OTHER ? &other : &d, i)) >> 32);
            index[2 * i + 1] = (uint32_t)(how == SHORT ? i + 1 : i);
        }
        for (size_t k = 1; k * 1024 < n; k++) offset[k] = d.off[k * 1024] - (how == SHORT);
        assert_int_equal(grn_cw_tensor(w, "index.cell", GRN_U32, 2, shape, index), GRN_OK);
        assert_int_equal(grn_cw_vec(w, "offset.cell", GRN_U64, (n + 1023) / 1024, offset), GRN_OK);
        free(index);
        free(offset);
    }
    assert_int_equal(grn_cw_commit(w), GRN_OK);
    grn_names_clear(&d);
    grn_names_clear(&other);
}

static void test_find(void **state)
{
    (void)state;
    static const size_t size[] = { 0, 1, 2, 1023, 1024, 1025, 20000 };
    for (size_t k = 0; k < sizeof size / sizeof *size; k++)
        for (int how = INDEXED; how <= PLAIN; how++) {
            grn_cr_t *r = NULL;
            grn_name_index_t *x = NULL;
            grn_names_t d = { 0 };
            uint64_t at;
            const char *got;
            char s[32];
            write_names("n.zst", size[k], how);
            assert_int_equal(grn_cr_open(&r, "n.zst", NULL), GRN_OK);
            assert_int_equal(grn_name_index_open(&x, r, "cell", size[k]), GRN_OK);
            for (size_t i = 0, step = size[k] > 5000 ? 97 : 1; i < size[k]; i += step) {
                name_of(i, s);
                assert_int_equal(grn_name_index_find(x, s, &at), GRN_OK);
                assert_int_equal(at, i);
                assert_int_equal(grn_name_index_get(x, size[k] - 1 - i, &got), GRN_OK);
                name_of(size[k] - 1 - i, s);
                assert_string_equal(got, s);
            }
            assert_int_equal(grn_name_index_find(x, "nobody", &at), GRN_OK);
            assert_true(at == GRN_NAME_NOWHERE);
            assert_int_equal(grn_name_index_get(x, size[k], &got), GRN_EINVAL);
            grn_name_index_close(x);
            assert_int_equal(grn_name_index_open(&x, r, "cell", size[k] + 1), GRN_EFORMAT); /* another number of names */
            assert_int_equal(grn_cr_load_names(r, "names.cell", &d), GRN_OK);
            assert_int_equal(grn_name_index_check(r, "cell", &d), GRN_OK);
            grn_names_clear(&d);
            grn_cr_close(r);
        }
}

/* A wrong index is found by check, and never leads to another cell. */
static void test_wrong(void **state)
{
    (void)state;
    for (int how = OTHER; how <= SHORT; how++) {
        grn_cr_t *r = NULL;
        grn_name_index_t *x = NULL;
        grn_names_t d = { 0 };
        char s[32];
        write_names("w.zst", 3000, how);
        assert_int_equal(grn_cr_open(&r, "w.zst", NULL), GRN_OK);
        assert_int_equal(grn_cr_load_names(r, "names.cell", &d), GRN_OK);
        assert_int_equal(grn_name_index_check(r, "cell", &d), GRN_EFORMAT);
        assert_int_equal(grn_name_index_open(&x, r, "cell", 3000), GRN_OK);
        for (size_t i = 0; i < 3000; i += 61) {
            uint64_t at;
            name_of(i, s);
            grn_status rc = grn_name_index_find(x, s, &at);
            assert_true(rc == GRN_EFORMAT || (rc == GRN_OK && (at == i || at == GRN_NAME_NOWHERE)));
        }
        grn_name_index_close(x);
        grn_names_clear(&d);
        grn_cr_close(r);
    }
}

static void fill_activity(grn_activity_t *a, uint64_t cells, uint64_t regulons)
{
    char s[32];
    a->n_cells = cells;
    a->n_regulons = regulons;
    a->n_words = (regulons + 63) / 64;
    a->bits = calloc(cells * a->n_words, sizeof *a->bits);
    a->context = calloc(cells, sizeof *a->context);
    a->posterior = calloc(cells * regulons, sizeof *a->posterior);
    for (uint64_t i = 0; i < cells; i++) {
        name_of(i, s);
        assert_int_equal(grn_names_add(&a->cells, s, NULL, NULL), GRN_OK);
        a->context[i] = (uint16_t)(i % 3);
        for (uint64_t r = 0; r < regulons; r++) {
            if ((i * 31 + r * 17) % 5 == 0) grn_activity_set(a, i, r);
            a->posterior[i * regulons + r] = (float)(i + r);
        }
    }
    for (uint64_t r = 0; r < regulons; r++) {
        snprintf(s, sizeof s, "R%02u", (unsigned)r);
        assert_int_equal(grn_names_add(&a->regulons, s, NULL, NULL), GRN_OK);
    }
    for (const char *c = "abc"; *c; c++) assert_int_equal(grn_names_add_n(&a->contexts, c, 1, NULL, NULL), GRN_OK);
}

static void test_activity(void **state)
{
    (void)state;
    grn_activity_t a = { 0 };
    grn_ar_t *r = NULL;
    uint64_t bits[2 * 5000], row;
    uint16_t context[5000];
    float posterior[70];
    const char *name;
    fill_activity(&a, 5000, 70);
    assert_int_equal(grn_activity_save(&a, "a.tensor.zst", NULL), GRN_OK);
    assert_int_equal(grn_ar_open(&r, "a.tensor.zst", NULL), GRN_OK);
    assert_true(grn_ar_info(r)->n_cells == 5000 && grn_ar_info(r)->n_words == 2 && grn_ar_has_posterior(r));
    assert_int_equal(grn_ar_rows(r, 0, 5000, bits, context), GRN_OK);
    assert_memory_equal(bits, a.bits, sizeof bits);
    for (uint64_t i = 0; i < 5000; i += 77) {
        assert_int_equal(grn_ar_find(r, grn_names_get(&a.cells, i), &row), GRN_OK);
        assert_int_equal(row, i);
        assert_int_equal(grn_ar_name(r, i, &name), GRN_OK);
        assert_string_equal(name, grn_names_get(&a.cells, i));
        assert_int_equal(grn_ar_rows(r, i, 1, bits, context), GRN_OK);
        assert_true(bits[0] == a.bits[2 * i] && bits[1] == a.bits[2 * i + 1] && context[0] == a.context[i]);
        assert_int_equal(grn_ar_posterior(r, i, 1, posterior), GRN_OK);
        assert_true(posterior[69] == (float)(i + 69));
    }
    assert_int_equal(grn_ar_rows(r, 4999, 2, bits, context), GRN_EINVAL);
    grn_ar_close(r);
    assert_int_equal(grn_activity_check_index("a.tensor.zst", NULL, &a.cells), GRN_OK);
    free(a.posterior);
    a.posterior = NULL;
    assert_int_equal(grn_activity_save(&a, "b.tensor.zst", NULL), GRN_OK);
    assert_int_equal(grn_ar_open(&r, "b.tensor.zst", NULL), GRN_OK);
    assert_int_equal(grn_ar_posterior(r, 0, 1, posterior), GRN_EINVAL);
    grn_ar_close(r);
    grn_activity_clear(&a);
}

static void same_row(const grn_edges_t *e, size_t i, const grn_edges_t *f, size_t j)
{
    assert_string_equal(grn_names_get(&e->genes, e->tf[i]), grn_names_get(&f->genes, f->tf[j]));
    assert_string_equal(grn_names_get(&e->genes, e->gene[i]), grn_names_get(&f->genes, f->gene[j]));
    assert_string_equal(grn_names_get(&e->regions, e->region[i]), grn_names_get(&f->regions, f->region[j]));
    assert_string_equal(grn_names_get(&e->contexts, e->context[i]), grn_names_get(&f->contexts, f->context[j]));
    assert_true(e->sign[i] == f->sign[j] && e->ev[0].v[i] == f->ev[0].v[j]);
}

static void test_edges(void **state)
{
    (void)state;
    enum { N = 100000 };
    grn_edges_t e = { 0 }, some = { 0 };
    grn_er_t *r = NULL;
    float *v;
    char s[64];
    size_t id, pick[1000];
    assert_int_equal(grn_edges_alloc(&e, N, "tf,gene,region,context,sign"), GRN_OK);
    assert_int_equal(grn_edges_evidence(&e, "rho", &v), GRN_OK);
    for (size_t i = 0; i < N; i++) {
        snprintf(s, sizeof s, "G%zu", i % 701);
        assert_int_equal(grn_names_add(&e.genes, s, &id, NULL), GRN_OK);
        e.tf[i] = e.gene[i] = (uint32_t)id;
        snprintf(s, sizeof s, "chr1:%zu-%zu", i % 9973, i % 9973 + 5);
        assert_int_equal(grn_names_add(&e.regions, s, &id, NULL), GRN_OK);
        e.region[i] = (uint32_t)id;
        snprintf(s, sizeof s, "c%zu", i * 7 / N);
        assert_int_equal(grn_names_add(&e.contexts, s, &id, NULL), GRN_OK);
        e.context[i] = (uint16_t)id;
        e.sign[i] = i % 2 ? 1 : -1;
        v[i] = (float)i;
    }
    assert_int_equal(grn_edges_save(&e, "e.edges.zst", NULL, NULL), GRN_OK);
    assert_int_equal(grn_er_open(&r, "e.edges.zst", NULL), GRN_OK);
    assert_int_equal(grn_er_columns(r, "context,,gene,weight", &some), GRN_OK);
    assert_true(some.n == N && some.context && some.gene && !some.tf && !some.weight && !some.region && !some.regions.n);
    assert_memory_equal(some.gene, e.gene, N * sizeof *e.gene);
    grn_edges_clear(&some);
    for (size_t step = 1; step <= 100; step += 33) { /* close together, and further apart than what is read at once */
        for (size_t k = 0; k < 1000; k++) pick[k] = k * step + (k > 500 ? 99 : 0);
        assert_int_equal(grn_er_rows(r, pick, 1000, &some), GRN_OK);
        assert_true(some.n == 1000 && !some.weight && some.genes.n <= 701 && some.contexts.n <= 7);
        for (size_t k = 0; k < 1000; k++) same_row(&some, k, &e, pick[k]);
        grn_edges_clear(&some);
    }
    pick[0] = N - 1;
    assert_int_equal(grn_er_rows(r, pick, 1, &some), GRN_OK);
    assert_true(some.genes.n == 1 && some.regions.n == 1 && some.contexts.n == 1);
    grn_edges_clear(&some);
    assert_int_equal(grn_er_rows(r, pick, 0, &some), GRN_OK);
    assert_true(some.n == 0 && some.tf && some.n_ev == 1);
    grn_edges_clear(&some);
    pick[0] = N;
    assert_int_equal(grn_er_rows(r, pick, 1, &some), GRN_EINVAL);
    grn_er_close(r);
    grn_edges_clear(&e);
    assert_int_equal(grn_er_open(&r, "n.zst", NULL), GRN_EFORMAT); /* another schema */
}

static void test_out_of_memory(void **state)
{
    (void)state;
    for (int64_t n = 1, ended = 0; !ended; n++) {
        grn_ar_t *r = NULL;
        grn_er_t *x = NULL;
        grn_edges_t e = { 0 };
        uint64_t row;
        size_t pick = 5;
        grn_mem_fail_after(n);
        grn_status rc = grn_ar_open(&r, "a.tensor.zst", NULL);
        if (!rc) rc = grn_ar_find(r, "7919-A", &row);
        if (!rc) rc = grn_er_open(&x, "e.edges.zst", NULL);
        if (!rc) rc = grn_er_rows(x, &pick, 1, &e);
        grn_mem_fail_after(0);
        ended = rc == GRN_OK;
        assert_true(ended || rc == GRN_ENOMEM);
        grn_edges_clear(&e);
        grn_er_close(x);
        grn_ar_close(r);
    }
}

static void test_frame(void **state)
{
    (void)state;
    grn_cw_t *w = NULL;
    assert_int_equal(grn_cw_open(&w, "f.zst", "grn.test/1", NULL), GRN_OK);
    assert_int_equal(grn_cw_frame(w, 5000), GRN_EINVAL);
    assert_int_equal(grn_cw_frame(w, 2048), GRN_EINVAL);
    assert_int_equal(grn_cw_frame(w, (size_t)8 << 20), GRN_EINVAL);
    grn_cw_abort(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_find),          cmocka_unit_test(test_wrong),
                                        cmocka_unit_test(test_activity),      cmocka_unit_test(test_edges),
                                        cmocka_unit_test(test_out_of_memory), cmocka_unit_test(test_frame) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
