/* Graphs of cells as masks over one edge list, worked by hand on eight genes A..H. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/mem.h"
#include "graph/regulation.h"

static void add_names(grn_names_t *d, const char *const *name, size_t n)
{
    for (size_t i = 0; i < n; i++) assert_int_equal(grn_names_add(d, name[i], NULL, NULL), GRN_OK);
}

static const char *const GENE[] = { "A", "B", "C", "D", "E", "F", "G", "H" };
static const char *const REGULON[] = { "A(+)", "A(-)", "B(+)" };
static const char *const CONTEXT[] = { "mono", "nk" };

/* mono: A(+): A->C A->D A->A(self); A(-): A->D; B(+): B->D B->X(outside).  nk: B(+): B->C. */
static void make_edges(grn_edges_t *e)
{
    static const struct {
        int context, regulon, tf, gene;
    } row[] = { { 0, 0, 0, 3 }, { 0, 0, 0, 2 }, { 0, 0, 0, 0 }, { 0, 1, 0, 3 },
                { 0, 2, 1, 3 }, { 0, 2, 1, 8 }, { 1, 2, 1, 2 }, { 0, 2, 1, 3 } };
    *e = (grn_edges_t){ 0 };
    assert_int_equal(grn_edges_alloc(e, 8, "tf,gene,regulon,context"), GRN_OK);
    add_names(&e->genes, GENE, 8);
    add_names(&e->genes, (const char *[]){ "X" }, 1);
    add_names(&e->regulons, REGULON, 3);
    add_names(&e->contexts, CONTEXT, 2);
    for (size_t i = 0; i < 8; i++) {
        e->tf[i] = (uint32_t)row[i].tf;
        e->gene[i] = (uint32_t)row[i].gene;
        e->regulon[i] = (uint32_t)row[i].regulon;
        e->context[i] = (uint16_t)row[i].context;
    }
}

static void make_regulation(grn_regulation_t *r)
{
    grn_edges_t e;
    grn_names_t genes = { 0 };
    make_edges(&e);
    add_names(&genes, GENE, 8);
    assert_int_equal(grn_regulation_build(&e, &genes, r), GRN_OK);
    grn_names_clear(&genes);
    grn_edges_clear(&e);
}

static void regulation_is_the_unique_arcs_of_each_context(void **state)
{
    (void)state;
    grn_regulation_t r;
    size_t n;
    make_regulation(&r);
    const grn_arc_t *a = grn_regulation_type(&r, 0, &n);
    assert_int_equal(n, 3);
    assert_true(a[0] == grn_arc(0, 2) && a[1] == grn_arc(0, 3) && a[2] == grn_arc(1, 3));
    a = grn_regulation_type(&r, 1, &n);
    assert_int_equal(n, 1);
    assert_true(a[0] == grn_arc(1, 2));
    grn_regulation_type(&r, GRN_CONTEXT_NONE, &n);
    assert_int_equal(n, 0);
    assert_int_equal(r.n_self, 1);
    assert_int_equal(r.n_outside, 1);
    assert_true(r.is_tf[0] && r.is_tf[1] && !r.is_tf[2]);
    assert_true(r.gene_key[3] == grn_hash_str("D"));
    grn_regulation_clear(&r);
}

static void cell_graph_is_the_arcs_of_regulons_that_are_on(void **state)
{
    (void)state;
    grn_regulation_t r;
    grn_arcs_t g = { 0 };
    make_regulation(&r);
    static const struct {
        uint64_t on;
        size_t n;
    } expect[] = { { 0, 0 }, { 1, 2 }, { 2, 1 }, { 3, 2 }, { 4, 1 }, { 7, 3 } };
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(grn_regulation_cell(&r, 0, &expect[i].on, &g), GRN_OK);
        assert_int_equal(g.n, expect[i].n);
    }
    uint64_t a_minus = 2; /* A->D is on through A(-) alone */
    assert_int_equal(grn_regulation_cell(&r, 0, &a_minus, &g), GRN_OK);
    assert_true(g.n == 1 && g.a[0] == grn_arc(0, 3));
    assert_int_equal(grn_regulation_cell(&r, GRN_CONTEXT_NONE, &a_minus, &g), GRN_OK);
    assert_int_equal(g.n, 0);
    grn_arcs_clear(&g);
    grn_regulation_clear(&r);
}

static void edges_outside_the_universe_are_refused_by_name(void **state)
{
    (void)state;
    grn_edges_t e;
    grn_regulation_t r;
    grn_names_t genes = { 0 };
    make_edges(&e);
    add_names(&genes, (const char *[]){ "ENSG1", "ENSG2" }, 2);
    assert_int_equal(grn_regulation_build(&e, &genes, &r), GRN_EEMPTY);
    assert_non_null(strstr(grn_err_msg(), "'A' in the edges, 'ENSG1'"));
    free(e.tf);
    e.tf = NULL;
    assert_int_equal(grn_regulation_build(&e, &genes, &r), GRN_EINVAL);
    grn_names_clear(&genes);
    grn_edges_clear(&e);
}

/* Three cells: c1 mono, c2 nk, c3 of a type without edges; the activity lists them in another order, with one regulon
 * unknown to the edges before the others. */
static void cells_find_their_context_and_bits_by_name(void **state)
{
    (void)state;
    grn_regulation_t r;
    grn_activity_t a = { .n_cells = 2, .n_regulons = 3, .n_words = 1 };
    grn_matrix_t m = { .n_rows = 3 };
    grn_cell_masks_t k;
    grn_names_t levels = { 0 };
    int32_t *code = grn_malloc(3, sizeof *code);
    make_regulation(&r);
    add_names(&m.row, (const char *[]){ "c1", "c2", "c3" }, 3);
    add_names(&levels, (const char *[]){ "nk", "mono", "odd" }, 3);
    code[0] = 1, code[1] = 0, code[2] = 2;
    assert_int_equal(grn_attr_add_code(&m.row_attr, "cell_type", code, &levels), GRN_OK);
    add_names(&a.cells, (const char *[]){ "c2", "c1" }, 2);
    add_names(&a.regulons, (const char *[]){ "Z(+)", "B(+)", "A(+)" }, 3);
    add_names(&a.contexts, CONTEXT, 2);
    assert_int_equal(GRN_NEW(a.bits, 2), GRN_OK);
    assert_int_equal(GRN_NEW(a.context, 2), GRN_OK);
    grn_activity_set(&a, 0, 1); /* c2: B(+) */
    grn_activity_set(&a, 1, 0); /* c1: Z(+), A(+) */
    grn_activity_set(&a, 1, 2);
    assert_int_equal(grn_cell_masks_build(&r, &a, &m, &k), GRN_OK);
    assert_true(k.context[0] == 0 && k.context[1] == 1 && k.context[2] == GRN_CONTEXT_NONE);
    assert_true(k.on[0] == 1 && k.on[1] == 4 && k.on[2] == 0);
    assert_true(k.n_no_context == 1 && k.n_no_activity == 1 && k.n_no_regulon == 1);
    grn_cell_masks_clear(&k);
    assert_int_equal(grn_cell_masks_build(&r, NULL, &m, &k), GRN_OK);
    assert_true(k.on[0] == 0 && k.context[1] == 1);
    grn_cell_masks_clear(&k);
    grn_names_clear(&a.cells);
    add_names(&a.cells, (const char *[]){ "x1", "x2" }, 2);
    assert_int_equal(grn_cell_masks_build(&r, &a, &m, &k), GRN_ESHAPE);
    assert_non_null(strstr(grn_err_msg(), "'c1' in the counts, 'x1' in the activity"));
    grn_activity_clear(&a);
    grn_matrix_clear(&m);
    grn_regulation_clear(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(regulation_is_the_unique_arcs_of_each_context),
        cmocka_unit_test(cell_graph_is_the_arcs_of_regulons_that_are_on),
        cmocka_unit_test(edges_outside_the_universe_are_refused_by_name),
        cmocka_unit_test(cells_find_their_context_and_bits_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
