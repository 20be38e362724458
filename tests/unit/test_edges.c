/* io/edges, io/activity, io/result: columns, dictionaries, canonical order, round trips, refusals
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "io/activity.h"
#include "io/container.h"
#include "io/edges.h"
#include "io/result.h"

static void add_names(grn_names_t *d, const char *const *names)
{
    for (; *names; names++) assert_int_equal(grn_names_add(d, *names, NULL, NULL), GRN_OK);
}

/* Four edges over unsorted dictionaries with an unused gene; `flip` lists the same rows backwards.
 */
static void make_edges(grn_edges_t *e, int flip)
{
    static const uint32_t tf[] = { 2, 2, 0, 2 }, gene[] = { 1, 0, 1, 1 }, region[] = { 1, 0, 1, 0 },
                          regulon[] = { 1, 1, 0, 1 };
    static const uint16_t context[] = { 1, 1, 1, 0 };
    float *rho;
    memset(e, 0, sizeof *e);
    add_names(&e->genes, (const char *[]){ "CD14", "LYZ", "SPI1", "UNUSED", NULL });
    add_names(&e->regions, (const char *[]){ "chr2:10-20", "chr1:5-600", NULL });
    add_names(&e->regulons, (const char *[]){ "CD14_+/+", "SPI1_+/+", NULL });
    add_names(&e->contexts, (const char *[]){ "Mono", "B", NULL });
    assert_int_equal(grn_edges_alloc(e, 4, "tf,gene,region,regulon,context,sign,weight"), GRN_OK);
    assert_int_equal(grn_edges_evidence(e, "rho_tg", &rho), GRN_OK);
    assert_true(isnan(rho[0]));
    for (int i = 0; i < 4; i++) {
        int k = flip ? 3 - i : i;
        e->tf[k] = tf[i];
        e->gene[k] = gene[i];
        e->region[k] = region[i];
        e->regulon[k] = regulon[i];
        e->context[k] = context[i];
        e->sign[k] = i == 2 ? -1 : 1;
        e->weight[k] = 0.5f + (float)i;
        rho[k] = 0.1f * (float)i;
    }
}

static void test_sort(void **state)
{
    (void)state;
    grn_edges_t e, f;
    make_edges(&e, 0);
    make_edges(&f, 1);
    assert_int_equal(grn_edges_sort(&e), GRN_OK);
    assert_int_equal(grn_edges_sort(&f), GRN_OK);
    assert_int_equal(e.genes.n, 3); /* the unused gene is gone */
    assert_string_equal(grn_names_get(&e.contexts, 0), "B");
    /* context B: CD14 regulon (edge 2), SPI1 -> CD14 (edge 1), SPI1 -> LYZ (edge 0); then Mono
     * (edge 3) */
    static const float weight[] = { 2.5f, 1.5f, 0.5f, 3.5f };
    for (int i = 0; i < 4; i++) assert_true(e.weight[i] == weight[i] && f.weight[i] == weight[i]);
    assert_true(grn_names_equal(&e.genes, &f.genes) && grn_names_equal(&e.regions, &f.regions));
    assert_memory_equal(e.tf, f.tf, 4 * sizeof *e.tf);
    assert_true(e.sign[0] == -1 && fabsf(grn_edges_find_evidence(&e, "rho_tg")[3] - 0.3f) < 1e-6f);
    size_t pick[] = { 3, 0 };
    grn_edges_t p;
    assert_int_equal(grn_edges_pick(&e, pick, 2, &p), GRN_OK);
    assert_true(p.n == 2 && p.weight[0] == 3.5f && p.weight[1] == 2.5f && p.genes.n == 3);
    assert_null(grn_edges_find_evidence(&p, "absent"));
    grn_edges_clear(&p);
    grn_edges_clear(&e);
    grn_edges_clear(&f);
}

static void test_edges_file(void **state)
{
    (void)state;
    const char *const meta[] = { "funnel", "[]", NULL };
    grn_edges_t e, f;
    make_edges(&e, 0);
    assert_int_equal(grn_edges_save(&e, "e.edges.zst", meta, NULL), GRN_OK);
    assert_int_equal(grn_edges_load("e.edges.zst", NULL, &f), GRN_OK);
    assert_true(f.n == 4 && f.n_ev == 1 && grn_names_equal(&e.genes, &f.genes) &&
                grn_names_equal(&e.regulons, &f.regulons));
    assert_memory_equal(e.region, f.region, 4 * sizeof *e.region);
    assert_memory_equal(e.context, f.context, 4 * sizeof *e.context);
    assert_memory_equal(e.sign, f.sign, 4);
    grn_cr_t *r;
    const grn_tensor_info_t *t;
    assert_int_equal(grn_cr_open(&r, "e.edges.zst", NULL), GRN_OK);
    assert_string_equal(grn_cr_meta(r, "funnel"), "[]");
    assert_int_equal(grn_cr_need(r, "region.start", GRN_U32, 1, &t),
                     GRN_OK); /* coordinates beside the names */
    grn_cr_close(r);
    grn_edges_clear(&f);
    e.weight[1] = INFINITY;
    assert_int_equal(grn_edges_save(&e, "bad.edges.zst", NULL, NULL), GRN_ENONFINITE);
    e.weight[1] = 1;
    e.region[0] = 7;
    assert_int_equal(grn_edges_save(&e, "bad.edges.zst", NULL, NULL), GRN_EFORMAT);
    assert_int_equal(grn_edges_alloc(&e, 4, "tf,colour"), GRN_EINVAL);
    grn_edges_clear(&e);
    memset(&e, 0, sizeof e);
    assert_int_equal(grn_edges_alloc(&e, 0, "tf,gene,context,sign"),
                     GRN_OK); /* an empty network is a file, too */
    assert_int_equal(grn_edges_sort(&e), GRN_OK);
    assert_int_equal(grn_edges_save(&e, "none.edges.zst", NULL, NULL), GRN_OK);
    assert_int_equal(grn_edges_load("none.edges.zst", NULL, &f), GRN_OK);
    assert_true(f.n == 0 && f.tf && !f.region);
    grn_edges_clear(&e);
    grn_edges_clear(&f);
}

static void test_region(void **state)
{
    (void)state;
    char chrom[8];
    uint64_t a, b;
    assert_int_equal(grn_region_parse("chr1:5-600", chrom, sizeof chrom, &a, &b), GRN_OK);
    assert_true(strcmp(chrom, "chr1") == 0 && a == 5 && b == 600);
    const char *bad[] = { "chr1",     "chr1:5",    ":5-6",      "chr1:6-5",
                          "chr1:5-5", "chr1:-5-6", "chr1:5-6x", "a_chromosome_name:1-2" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(grn_region_parse(bad[i], chrom, sizeof chrom, &a, &b), GRN_EFORMAT);
}

static void test_activity_file(void **state)
{
    (void)state;
    grn_activity_t a = { .n_cells = 2, .n_regulons = 70, .n_words = 2 }, b;
    char name[16];
    add_names(&a.cells, (const char *[]){ "c1", "c2", NULL });
    add_names(&a.contexts, (const char *[]){ "all", NULL });
    for (int i = 0; i < 70; i++) {
        snprintf(name, sizeof name, "R%d", i);
        assert_int_equal(grn_names_add(&a.regulons, name, NULL, NULL), GRN_OK);
    }
    a.bits = calloc(4, sizeof *a.bits);
    a.context = calloc(2, sizeof *a.context);
    a.threshold = calloc(70, sizeof *a.threshold);
    a.klass = calloc(70, 1);
    a.fit = calloc(1, sizeof *a.fit);
    a.fit[0].name = strdup("dbic");
    a.fit[0].v = calloc(70, sizeof(float));
    a.n_fit = 1;
    a.fit[0].v[69] = 12.5f;
    grn_activity_set(&a, 1, 69);
    grn_activity_set(&a, 0, 0);
    assert_int_equal(grn_activity_save(&a, "a.tensor.zst", NULL), GRN_OK);
    assert_int_equal(grn_activity_load("a.tensor.zst", NULL, &b), GRN_OK);
    assert_true(grn_activity_get(&b, 1, 69) && grn_activity_get(&b, 0, 0) &&
                !grn_activity_get(&b, 1, 0));
    assert_true(b.n_fit == 1 && b.fit[0].v[69] == 12.5f && strcmp(b.fit[0].name, "dbic") == 0 &&
                !b.posterior);
    grn_activity_clear(&b);
    a.context[1] = 1; /* no such context */
    assert_int_equal(grn_activity_save(&a, "bad.tensor.zst", NULL), GRN_EFORMAT);
    a.context[1] = 0;
    a.bits[1] |= (uint64_t)1 << 6; /* regulon 70 of 70 */
    assert_int_equal(grn_activity_save(&a, "bad.tensor.zst", NULL), GRN_EFORMAT);
    grn_activity_clear(&a);
    assert_int_equal(grn_activity_load("e.edges.zst", NULL, &b), GRN_EFORMAT); /* another schema */
}

static void test_result_file(void **state)
{
    (void)state;
    grn_result_t r, s;
    const grn_attr_t *c;
    assert_int_equal(grn_result_init(&r, "test", "a title", "zeta$,value"), GRN_OK);
    for (int i = 0; i < 100; i++)
        assert_int_equal(grn_result_row(&r, i % 2 ? "odd" : "even", i == 3 ? (double)NAN : i / 3.0),
                         GRN_OK);
    assert_int_equal(grn_result_save(&r, "r.tensor.zst", NULL), GRN_OK);
    assert_int_equal(grn_result_load("r.tensor.zst", NULL, &s), GRN_OK);
    assert_true(s.n == 100 && s.col.n == 2 && strcmp(s.col.a[0].name, "zeta") == 0 &&
                strcmp(s.title, "a title") == 0);
    assert_int_equal(grn_result_need(&s, "value", 0, &c), GRN_OK);
    assert_true(c->num[99] == 33.0 && isnan(c->num[3]));
    assert_int_equal(grn_result_need(&s, "value", 1, &c), GRN_EFORMAT);
    assert_int_equal(grn_result_need(&s, "absent", 0, &c), GRN_EFORMAT);
    assert_string_equal(grn_result_text(grn_result_col(&s, "zeta"), 1), "odd");
    grn_result_clear(&r);
    grn_result_clear(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sort),        cmocka_unit_test(test_edges_file),
        cmocka_unit_test(test_region),      cmocka_unit_test(test_activity_file),
        cmocka_unit_test(test_result_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
