/* Modules by hand, and a regulon by importance: two enriched motifs with leading edges of their own, one of which stands for the
 * TF. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/mem.h"
#include "base/opt.h"
#include "base/str.h"
#include "grn-build/prune.h"
#include "io/matrix.h"

/* ---- modules ---- */

typedef struct {
    const char *tf, *gene;
    float importance, rho;
} link_t;

/* Two TFs A, B; targets a to f. */
static const link_t some[] = {
    { "A", "a", 9, 0.5f }, { "A", "b", 8, 0.04f }, { "A", "c", 7, 0.03f },  { "A", "d", 6, -0.5f },
    { "A", "e", 5, 0.4f }, { "A", "f", 5, 0.4f },  { "B", "a", 4, 0.3f },   { "B", "b", 10, 0.2f },
    { "B", "A", 2, 0.9f }, { "B", "d", 1, -0.2f }, { "B", "e", NAN, 0.9f }, { "B", "f", 0, 0.9f },
};
enum { N_SOME = sizeof some / sizeof *some };

static void make_links(const link_t *v, size_t n, grn_edges_t *e)
{
    float *importance, *rho;
    size_t k;
    *e = (grn_edges_t){ 0 };
    assert_int_equal(grn_edges_alloc(e, n, "tf,gene"), GRN_OK);
    assert_int_equal(grn_edges_evidence(e, "importance_tg", &importance), GRN_OK);
    assert_int_equal(grn_edges_evidence(e, "rho_tg", &rho), GRN_OK);
    for (size_t i = n; i-- > 0;) { /* in no order */
        assert_int_equal(grn_names_add(&e->genes, v[i].gene, &k, NULL), GRN_OK);
        e->gene[i] = (uint32_t)k;
        assert_int_equal(grn_names_add(&e->genes, v[i].tf, &k, NULL), GRN_OK);
        e->tf[i] = (uint32_t)k;
        importance[i] = v[i].importance;
        rho[i] = v[i].rho;
    }
    assert_int_equal(grn_edges_sort(e), GRN_OK);
}

/* "A+ q0.5: A a b" of every module, a line each. */
static void show(const grn_edges_t *e, const grn_modules_opt_t *o, const grn_modules_t *m, grn_str_t *text)
{
    assert_int_equal(grn_str_puts(text, ""), GRN_OK);
    for (size_t k = 0; k < m->n; k++) {
        const grn_module_t *x = &m->v[k];
        assert_int_equal(grn_str_printf(text, "%s%c %s:", grn_names_get(&e->genes, x->tf), x->sign < 0 ? '-' : '+', o->way[x->way].name),
                         GRN_OK);
        for (uint64_t i = m->off[k]; i < m->off[k + 1]; i++)
            assert_int_equal(grn_str_printf(text, " %s", grn_names_get(&e->genes, m->gene[i])), GRN_OK);
        assert_int_equal(grn_str_puts(text, "\n"), GRN_OK);
    }
}

static void check_modules(const char *q, const char *t, const char *r, int all_signs, size_t min_genes, const char *want)
{
    grn_edges_t e;
    grn_modules_opt_t o = { .min_rho = 0.03, .all_signs = all_signs, .min_genes = min_genes };
    grn_modules_t m = { 0 };
    grn_funnel_t f = { 0 };
    grn_str_t text = { 0 };
    make_links(some, N_SOME, &e);
    assert_int_equal(grn_modules_ways(&o, q, t, r), GRN_OK);
    assert_int_equal(grn_modules_make(&e, grn_edges_find_evidence(&e, "importance_tg"), grn_edges_find_evidence(&e, "rho_tg"), &o,
                                      &f, &m),
                     GRN_OK);
    show(&e, &o, &m, &text);
    assert_string_equal(text.s, want);
    grn_str_clear(&text);
    grn_modules_clear(&m);
    grn_funnel_clear(&f);
    grn_edges_clear(&e);
}

static void modules_by_hand(void **state)
{
    (void)state;
    /* 0.75 of the ten importances 1 2 4 5 5 6 7 8 9 10 (the sign does not matter yet): h = 6.75, 7 + 0.75 = 7.75 */
    check_modules("0.75", "", "", 0, 2, "A+ q0.75: A a b\nB+ q0.75: B b\n");
    /* 0.3: h = 2.7, 4.7; A -> c has no sign (0.03 is not above 0.03), A -> d is negative */
    check_modules("0.3", "", "", 0, 2, "A+ q0.3: A a b e f\nB+ q0.3: B b\n");
    check_modules("0.3", "", "", 0, 3, "A+ q0.3: A a b e f\n");
    check_modules("0.3", "", "", 1, 2, "A+ q0.3: A a b e f\nA- q0.3: A d\nB+ q0.3: B b\n");
    /* e and f are equal: the lower name; ranks are among links of one sign */
    check_modules("", "3", "", 1, 2,
                  "A+ top3_targets: A a b e\nA- top3_targets: A d\nB+ top3_targets: A B a b\nB- top3_targets: B d\n");
    /* the strongest regulator of a is A, of b B, of A B, of e and f A */
    check_modules("", "", "1", 0, 2, "A+ top1_regulators: A a e f\nB+ top1_regulators: A B b\n");
    check_modules("", "", "1", 1, 2, "A+ top1_regulators: A a e f\nA- top1_regulators: A d\nB+ top1_regulators: A B b\n");
    check_modules("0.75,0.9", "2", "2", 0, 3,
                  "A+ q0.75: A a b\nA+ top2_targets: A a b\nA+ top2_regulators: A a b e f\nB+ top2_targets: B a b\n"
                  "B+ top2_regulators: A B a b\n");
}

static void quantiles(void **state)
{
    (void)state;
    float v[] = { 4, 1, 3, 2 }, one[] = { 5 };
    assert_true(grn_modules_quantile(v, 4, 0) == 1);
    assert_true(grn_modules_quantile(v, 4, 0.5) == 2.5);
    assert_true(fabs(grn_modules_quantile(v, 4, 0.85) - 3.55) < 1e-12);
    assert_true(grn_modules_quantile(v, 4, 1) == 4);
    assert_true(grn_modules_quantile(one, 1, 0.9) == 5);
}

static void bad_modules(void **state)
{
    (void)state;
    const link_t twice[] = { { "A", "a", 1, 1 }, { "A", "b", 1, 1 }, { "A", "a", 2, 1 } };
    grn_edges_t e;
    grn_modules_opt_t o = { .min_rho = 0.03, .min_genes = 2 };
    grn_modules_t m = { 0 };
    grn_funnel_t f = { 0 };
    assert_int_equal(grn_modules_ways(&o, "1", "", ""), GRN_EUSAGE);
    assert_int_equal(grn_modules_ways(&o, "", "0", ""), GRN_EUSAGE);
    assert_int_equal(grn_modules_ways(&o, "", "", "5,x"), GRN_EUSAGE);
    o.n_ways = 0;
    assert_int_equal(grn_modules_ways(&o, "", "", ""), GRN_EUSAGE);
    assert_int_equal(grn_modules_ways(&o, "", "", "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17"), GRN_EUSAGE);
    o.n_ways = 0;
    assert_int_equal(grn_modules_ways(&o, "", "5", ""), GRN_OK);
    make_links(twice, 3, &e);
    const float *importance = grn_edges_find_evidence(&e, "importance_tg"), *rho = grn_edges_find_evidence(&e, "rho_tg");
    assert_int_equal(grn_modules_make(&e, importance, rho, &o, &f, &m), GRN_EFORMAT);
    grn_edges_clear(&e);
    make_links(some, N_SOME, &e);
    importance = grn_edges_find_evidence(&e, "importance_tg");
    rho = grn_edges_find_evidence(&e, "rho_tg");
    for (int64_t n = 1; n < 12; n++) { /* memory that runs out anywhere */
        grn_mem_fail_after(n);
        grn_status rc = grn_modules_make(&e, importance, rho, &o, &f, &m);
        grn_mem_fail_after(0);
        assert_true(rc == GRN_OK || rc == GRN_ENOMEM);
        grn_modules_clear(&m);
        grn_funnel_clear(&f);
    }
    grn_edges_clear(&e);
}

/* ---- a regulon ---- */

enum { M = 50, N = 600, T = 30 };

/* Motif 0 ranks genes 1 to 10 of the module first, motif 1 genes 11 to 22; the others have none of it before rank 400. */
static void make_ranks(const char *path)
{
    grn_matrix_t m = { .n_rows = M, .n_cols = N, .is_dense = 1 };
    char name[20];
    assert_int_equal(GRN_NEW(m.dense, M * N), GRN_OK);
    for (int i = 0; i < N; i++) {
        snprintf(name, sizeof name, i == 0 ? "TF" : i <= T ? "g%02d" : "x%d", i);
        assert_int_equal(grn_names_add(&m.col, name, NULL, NULL), GRN_OK);
    }
    for (int k = 0; k < M; k++) {
        snprintf(name, sizeof name, "m%02d", k);
        assert_int_equal(grn_names_add(&m.row, name, NULL, NULL), GRN_OK);
        int first = k == 0 ? 1 : 11, n = k == 0 ? 10 : k == 1 ? 12 : 0, next = n, late = 400;
        for (int i = 0; i < N; i++) {
            int own = i >= first && i < first + n;
            if (next == 400) next += T + 1 - n;
            m.dense[k * N + i] = (float)(own ? i - first : i <= T ? late++ : next++);
        }
    }
    assert_int_equal(grn_matrix_save(&m, path, NULL), GRN_OK);
    grn_matrix_clear(&m);
}

static void write_text(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0 && fclose(f) == 0);
}

static void regulon_by_hand(void **state)
{
    (void)state;
    static char gene[T + 1][20];
    link_t v[T];
    grn_edges_t e;
    const char *const ranks[] = { "ranks.zst" };
    grn_prune_opt_t o = { .links = "links.zst",
                          .out = "out.zst",
                          .ranks = ranks,
                          .n_ranks = 1,
                          .modules = { .min_rho = 0.03, .min_genes = 20 },
                          .auc_threshold = 0.05,
                          .rank_threshold = 100,
                          .min_nes = 3,
                          .min_mapped = 0.8,
                          .motif2tf = "m2t.tsv",
                          .annotation = GRN_MOTIF2TF_OPT_INIT,
                          .min_type_cells = 1,
                          .min_targets = 1 };
    for (int i = 0; i < T; i++) {
        snprintf(gene[i], sizeof gene[i], "g%02d", i + 1);
        v[i] = (link_t){ "TF", gene[i], (float)(100 - i), 0.5f };
    }
    v[T - 1].importance = NAN;
    make_links(v, T, &e);
    assert_int_equal(grn_edges_save(&e, o.links, NULL, NULL), GRN_OK);
    grn_edges_clear(&e);
    make_ranks(ranks[0]);
    assert_int_equal(grn_modules_ways(&o.modules, "", "25,26", ""), GRN_OK);
    /* the better motif, m01, is of another TF: only m00's leading edge counts, though m01's row comes first by NES */
    write_text("m2t.tsv", "motif\ttf\nm00\tTF\nm01\tOTHER\n");
    assert_int_equal(grn_prune_run(&o), GRN_OK);
    assert_int_equal(grn_edges_load(o.out, NULL, &e), GRN_OK);
    assert_int_equal(e.n, 10);
    const float *importance = grn_edges_find_evidence(&e, "importance_tg"), *modules = grn_edges_find_evidence(&e, "n_modules");
    const float *nes = grn_edges_find_evidence(&e, "nes"), *rho = grn_edges_find_evidence(&e, "rho_tg");
    for (size_t i = 0; i < 10; i++) {
        assert_string_equal(grn_names_get(&e.genes, e.gene[i]), gene[i]);
        assert_true(e.weight[i] == (float)(100 - i) && importance[i] == e.weight[i] && rho[i] == 0.5f && e.sign[i] == 1);
        assert_true(modules[i] == 2);
        /* c = 29; of 26 and 27 genes the areas are the same: 10 x 29 - 45 = 245, and 12 x 29 - 66 = 282 of m01 */
        double mean = (245 + 282) / (double)M, sd = sqrt((245.0 * 245 + 282.0 * 282) / M - mean * mean);
        assert_true(fabs(nes[i] - (245 - mean) / sd) < 1e-6);
    }
    assert_string_equal(grn_names_get(&e.regulons, 0), "TF(+)");
    assert_string_equal(grn_names_get(&e.contexts, 0), "all");
    grn_edges_clear(&e);
    /* both: the union; genes beyond the 22 ranked first stay out, as does the link without an importance */
    write_text("m2t.tsv", "motif\ttf\nm00\tTF\nm01\tTF\n");
    assert_int_equal(grn_prune_run(&o), GRN_OK);
    assert_int_equal(grn_edges_load(o.out, NULL, &e), GRN_OK);
    assert_int_equal(e.n, 22);
    grn_edges_clear(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(modules_by_hand), cmocka_unit_test(quantiles),
                                        cmocka_unit_test(bad_modules), cmocka_unit_test(regulon_by_hand) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
