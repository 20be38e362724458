/* grn-build link and regulon on six cells, five genes and three regions; every number is worked by
 * hand. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/log.h"
#include "io/container.h"
#include "io/edges.h"
#include "stat/corr.h"
#include "grn-build/cells.h"
#include "grn-build/link.h"
#include "grn-build/regulon.h"

static char dir[] = "/tmp/grn-regulons-XXXXXX";

static const char *at(const char *name)
{
    static char path[32][256];
    static int turn;
    char *p = path[turn++ % 32];
    snprintf(p, sizeof path[0], "%s/%s", dir, name);
    return p;
}

static void put(const char *name, const char *text)
{
    FILE *f = fopen(at(name), "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static void near(double got, double want, double tol)
{
    if (!(fabs(got - want) <= tol)) fail_msg("got %.9g, want %.9g", got, want);
}

/*       c1 c2 c3 c4 c5 c6
 * TF1    0  1  2  3  4  5
 * TF2    0  0  0  1  1  1
 * G1     1  0  2  3  5  4    sum of squared rank differences to TF1: 4 -> r = 1 - 6 x 4 / 210 =
 * 31/35 G2     5  4  3  2  1  0    r with TF1: -1 G3     1  1  1  1  1  1    constant: no
 * correlation A      0  1  1  2  2  2    chr1:900-1100 B      1  1  1  0  0  0    chr1:5000-5200; 1
 * - TF2 C      1  0  1  0  1  0    chr1:400000-400200, far from every gene */
static const double TF2_TF1 = 0.87831006565367986; /* 4.5 / sqrt(17.5 x 1.5) */

static int setup(void **state)
{
    (void)state;
    if (!mkdtemp(dir)) return 1;
    grn_log_init("test", 0);
    put("rna.tsv", "cell\tTF1\tTF2\tG1\tG2\tG3\nc1\t0\t0\t1\t5\t1\nc2\t1\t0\t0\t4\t1\nc3\t2\t0\t2\t"
                   "3\t1\nc4\t3\t1\t3\t2\t1\nc5\t4\t1\t5\t1\t1\n"
                   "c6\t5\t1\t4\t0\t1\n");
    put("rna_shuffled.tsv", "cell\tG3\tG2\tTF2\tG1\tTF1\nc6\t1\t0\t1\t4\t5\nc4\t1\t2\t1\t3\t3\nc1\t"
                            "1\t5\t0\t1\t0\nc3\t1\t3\t0\t2\t2\n"
                            "c2\t1\t4\t0\t0\t1\nc5\t1\t1\t1\t5\t4\n");
    put("atac.tsv", "cell\tchr1:900-1100\tchr1:5000-5200\tchr1:400000-"
                    "400200\nc1\t0\t1\t1\nc2\t1\t1\t0\nc3\t1\t1\t1\nc4\t2\t0\t0\nc5\t2\t0\t1\n"
                    "c6\t2\t0\t0\n");
    put("cells.tsv", "barcode\tcell_type\nc1\tx\nc2\tx\nc3\tx\nc4\ty\nc5\ty\nc6\ty\n");
    put("tfs.txt", "TF1\nTF2\nTF9\n");
    put("genes.bed", "1\t1000\t2000\tG1\t0\t+\n1\t6000\t7000\tG2\t0\t-\n1\t1000\t2000\tG3\t0\t+"
                     "\n2\t0\t100\tTF1\t0\t+\n");
    put("hits.bed", "chr1\t1000\t1010\tTF1_a\t8\t+\nchr1\t5000\t5010\tTF1_b\t4\t+"
                    "\nchr1\t5010\t5020\tTF1_a\t2\t+\nchr1\t5190\t5210\tTF1_a\t9\t+\n"
                    "chr1\t5100\t5110\tTF2\t7\t-\n");
    put("empty_tfs.txt", "NOT\nTHERE\n");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    char command[300];
    snprintf(command, sizeof command, "rm -r '%s'", dir);
    return system(command);
}

static grn_link_opt_t link_options(const char *rna)
{
    grn_link_opt_t o = GRN_LINK_OPT_INIT;
    o.rna = at(rna);
    o.atac = at("atac.tsv");
    o.expression = o.accessibility = GRN_SCALE_RAW;
    o.tfs = at("tfs.txt");
    o.genes = at("genes.bed");
    return o;
}

/* Row of the edge, by names; SIZE_MAX: none. */
static size_t edge(const grn_edges_t *e, const char *tf, const char *region, const char *gene, const char *regulon, const char *context)
{
    for (size_t i = 0; i < e->n; i++) {
        if (tf && strcmp(grn_names_get(&e->genes, e->tf[i]), tf) != 0) continue;
        if (region && strcmp(grn_names_get(&e->regions, e->region[i]), region) != 0) continue;
        if (regulon && strcmp(grn_names_get(&e->regulons, e->regulon[i]), regulon) != 0) continue;
        if (context && strcmp(grn_names_get(&e->contexts, e->context[i]), context) != 0) continue;
        if (strcmp(grn_names_get(&e->genes, e->gene[i]), gene) == 0) return i;
    }
    return SIZE_MAX;
}

static double value(const grn_edges_t *e, const char *column, size_t row)
{
    const float *v = grn_edges_find_evidence(e, column);
    assert_non_null(v);
    assert_true(row < e->n);
    return v[row];
}

static void tf_links_by_hand(void **state)
{
    (void)state;
    grn_edges_t e = { 0 };
    grn_link_opt_t o = link_options("rna.tsv");
    o.out_tg = at("tg.zst");
    assert_int_equal(grn_link_run(&o), GRN_OK);
    assert_int_equal(grn_edges_load(at("tg.zst"), NULL, &e), GRN_OK);
    assert_int_equal(e.n, 6); /* 2 x 4 pairs less two with the constant gene */
    near(value(&e, "rho_tg", edge(&e, "TF1", 0, "G1", 0, 0)), 31.0 / 35, 1e-7);
    near(value(&e, "rho_sp_tg", edge(&e, "TF1", 0, "G1", 0, 0)), 31.0 / 35, 1e-7);
    near(value(&e, "rho_tg", edge(&e, "TF1", 0, "G2", 0, 0)), -1, 1e-7);
    near(value(&e, "rho_tg", edge(&e, "TF2", 0, "TF1", 0, 0)), TF2_TF1, 1e-7);
    near(value(&e, "rho_tg", edge(&e, "TF2", 0, "G2", 0, 0)), -TF2_TF1, 1e-7);
    /* p of r = 31/35 with 4 degrees of freedom, 8 tests; both |r| = 1 and 31/35 rank before it: the
     * largest of p 8 / rank */
    double p = grn_corr_p(31.0 / 35, 6), weaker = grn_corr_p(TF2_TF1, 6);
    near(value(&e, "fdr_tg", edge(&e, "TF1", 0, "G1", 0, 0)), fmin(p * 8 / 2, weaker * 8 / 6), 1e-7);
    assert_int_equal(e.sign[edge(&e, "TF1", 0, "G2", 0, 0)], -1);
    grn_edges_clear(&e);
}

static void region_links_by_hand(void **state)
{
    (void)state;
    grn_edges_t e = { 0 };
    grn_link_opt_t o = link_options("rna.tsv");
    o.out_rg = at("rg.zst");
    assert_int_equal(grn_link_run(&o), GRN_OK);
    assert_int_equal(grn_edges_load(at("rg.zst"), NULL, &e), GRN_OK);
    assert_int_equal(e.n, 4); /* A and B with G1 and G2; G3 is constant, C is far, TF1 is alone on chr2 */
    size_t a1 = edge(&e, 0, "chr1:900-1100", "G1", 0, 0), b1 = edge(&e, 0, "chr1:5000-5200", "G1", 0, 0);
    size_t a2 = edge(&e, 0, "chr1:900-1100", "G2", 0, 0), b2 = edge(&e, 0, "chr1:5000-5200", "G2", 0, 0);
    near(value(&e, "rho_rg", b2), TF2_TF1, 1e-7);
    near(value(&e, "rho_sp_rg", b1), -TF2_TF1, 1e-7);
    /* G1 on +, body 1000-2000; G2 on -, body 6000-7000; midpoints 1000 and 5100 */
    near(value(&e, "distance", a1), 0, 0);
    near(value(&e, "distance_tss", a1), 0, 0);
    near(value(&e, "distance", b1), -3100, 0);
    near(value(&e, "distance_tss", b1), -4100, 0);
    near(value(&e, "distance", a2), -5000, 0);
    near(value(&e, "distance_tss", a2), -5999, 0);
    near(value(&e, "distance", b2), -900, 0);
    grn_edges_clear(&e);
    o.search.promoter = GRN_PROMOTER_ONLY;
    assert_int_equal(grn_link_run(&o), GRN_OK);
    assert_int_equal(grn_edges_load(at("rg.zst"), NULL, &e), GRN_OK);
    assert_true(e.n == 1 && edge(&e, 0, "chr1:900-1100", "G1", 0, 0) == 0);
    grn_edges_clear(&e);
    o.search = (grn_search_opt_t){ .downstream = 3000,
                                   .promoter_bp = 1000 }; /* B ends 4000 upstream of nothing: G1 reaches to 5000, G2 down to 3000 */
    assert_int_equal(grn_link_run(&o), GRN_OK);
    assert_int_equal(grn_edges_load(at("rg.zst"), NULL, &e), GRN_OK);
    assert_true(e.n == 2 && edge(&e, 0, "chr1:5000-5200", "G2", 0, 0) < 2 && edge(&e, 0, "chr1:900-1100", "G1", 0, 0) < 2);
    grn_edges_clear(&e);
}

static void log_normalised_links_use_totals_of_cells(void **state)
{
    (void)state;
    static const float tf1[] = { 0, 1, 2, 3, 4, 5 }, g1[] = { 1, 0, 2, 3, 5, 4 }, total[] = { 7, 6, 8, 10, 12, 11 };
    float x[6], y[6];
    grn_edges_t e = { 0 };
    grn_link_opt_t o = link_options("rna.tsv");
    o.expression = GRN_SCALE_LOGNORM;
    o.out_tg = at("tgl.zst");
    for (int c = 0; c < 6; c++) x[c] = (float)log1p(tf1[c] / total[c] * 1e4), y[c] = (float)log1p(g1[c] / total[c] * 1e4);
    assert_int_equal(grn_link_run(&o), GRN_OK);
    assert_int_equal(grn_edges_load(at("tgl.zst"), NULL, &e), GRN_OK);
    near(value(&e, "rho_tg", edge(&e, "TF1", 0, "G1", 0, 0)), grn_corr_pearson(x, y, 6), 1e-6);
    grn_edges_clear(&e);
}

static void same_bytes_from_shuffled_cells_and_genes(void **state)
{
    (void)state;
    grn_link_opt_t o = link_options("rna.tsv");
    grn_edges_t x = { 0 }, y = { 0 };
    o.out_tg = at("s1.zst");
    o.expression = GRN_SCALE_LOGNORM;
    assert_int_equal(grn_link_run(&o), GRN_OK);
    o.rna = at("rna_shuffled.tsv");
    o.out_tg = at("s2.zst");
    assert_int_equal(grn_link_run(&o), GRN_OK);
    assert_int_equal(grn_edges_load(at("s1.zst"), NULL, &x), GRN_OK);
    assert_int_equal(grn_edges_load(at("s2.zst"), NULL, &y), GRN_OK);
    assert_int_equal(x.n, y.n);
    assert_memory_equal(x.tf, y.tf, x.n * sizeof *x.tf);
    assert_memory_equal(x.gene, y.gene, x.n * sizeof *x.gene);
    for (size_t k = 0; k < x.n_ev; k++) assert_memory_equal(x.ev[k].v, grn_edges_find_evidence(&y, x.ev[k].name), x.n * sizeof(float));
    grn_edges_clear(&x);
    grn_edges_clear(&y);
}

static void make_links(void)
{
    grn_link_opt_t o = link_options("rna.tsv");
    o.out_tg = at("tg.zst");
    o.out_rg = at("rg.zst");
    assert_int_equal(grn_link_run(&o), GRN_OK);
}

static grn_regulon_opt_t regulon_options(void)
{
    grn_regulon_opt_t o = GRN_REGULON_OPT_INIT;
    o.rna = at("rna.tsv");
    o.atac = at("atac.tsv");
    o.rna_opt.cells_tsv = at("cells.tsv");
    o.tf_gene = at("tg.zst");
    o.region_gene = at("rg.zst");
    o.hits = at("hits.bed");
    o.out = at("regulons.zst");
    o.min_tf_frac = o.min_gene_frac = o.min_region_frac = 0.5;
    o.min_type_cells = o.min_targets = 1;
    return o;
}

/* TF1 +-> G1 through A (+), TF1 -| G2 through B (+); the other pairs of a site have a negative
 * region link. B is closed in y, TF2 off in x. */
static void regulons_by_hand(void **state)
{
    (void)state;
    grn_edges_t e = { 0 };
    make_links();
    grn_regulon_opt_t o = regulon_options();
    assert_int_equal(grn_regulon_run(&o), GRN_OK);
    assert_int_equal(grn_edges_load(at("regulons.zst"), NULL, &e), GRN_OK);
    assert_int_equal(e.n, 3);
    size_t x = edge(&e, "TF1", "chr1:900-1100", "G1", "TF1_+/+", "x"), y = edge(&e, "TF1", "chr1:900-1100", "G1", "TF1_+/+", "y");
    size_t r = edge(&e, "TF1", "chr1:5000-5200", "G2", "TF1_-/+", "x");
    assert_true(x < 3 && y < 3 && r < 3);
    near(value(&e, "motif_score", x), 8, 0);
    near(value(&e, "motif_score", r), 4, 0); /* the better of 4 and 2; the hit of 9 reaches beyond the region */
    near(value(&e, "rho_tg", r), -1, 1e-7);
    near(e.weight[r], TF2_TF1 * (4.0 / 8) * exp(-900.0 / 50000) * 2 / 3, 1e-6); /* TF1 is seen in 2 of 3 cells of x, 3 of 3 of y */
    assert_true(e.sign[x] == 1 && e.sign[r] == -1);
    grn_edges_clear(&e);
    o.all_signs = 1;
    assert_int_equal(grn_regulon_run(&o), GRN_OK);
    assert_int_equal(grn_edges_load(at("regulons.zst"), NULL, &e), GRN_OK);
    assert_true(edge(&e, "TF1", "chr1:5000-5200", "G1", "TF1_+/-", "x") != SIZE_MAX);
    assert_true(edge(&e, "TF1", "chr1:900-1100", "G2", "TF1_-/-", "y") != SIZE_MAX);
    assert_true(edge(&e, "TF2", "chr1:5000-5200", "G1", NULL, "x") == SIZE_MAX);
    grn_edges_clear(&e);
}

static void too_few_targets_leave_an_empty_file(void **state)
{
    (void)state;
    grn_edges_t e = { 0 };
    grn_cr_t *r = NULL;
    make_links();
    grn_regulon_opt_t o = regulon_options();
    o.min_targets = 2;
    assert_int_equal(grn_regulon_run(&o), GRN_EEMPTY);
    assert_int_equal(grn_edges_load(at("regulons.zst"), NULL, &e), GRN_OK);
    assert_int_equal(e.n, 0);
    assert_int_equal(grn_cr_open(&r, at("regulons.zst"), NULL), GRN_OK);
    const char *funnel = grn_cr_meta(r, "funnel");
    assert_non_null(funnel);
    assert_non_null(strstr(funnel, "{\"step\":\"edges of regulons with at least 2 genes in the "
                                   "type\",\"unit\":\"edges\",\"kept\":0,\"lost\":3}"));
    grn_cr_close(r);
    grn_edges_clear(&e);
}

static void modules_by_hand(void **state)
{
    (void)state;
    grn_edges_t e = { 0 };
    make_links();
    grn_regulon_opt_t o = regulon_options();
    o.atac = NULL;
    o.rna_only = 1;
    o.min_tf_frac = 0.1;
    o.top_targets = 1; /* TF1: G1; TF2: G1 and TF1 tie, the name decides */
    o.top_regulators = 5;
    assert_int_equal(grn_regulon_run(&o), GRN_OK);
    assert_int_equal(grn_edges_load(at("regulons.zst"), NULL, &e), GRN_OK);
    assert_int_equal(e.n, 3); /* TF1 -> G1 in x and y, TF2 -> G1 in y */
    assert_true(edge(&e, "TF1", 0, "G1", "TF1(+)", "x") != SIZE_MAX && edge(&e, "TF2", 0, "G1", "TF2(+)", "y") != SIZE_MAX);
    near(e.weight[edge(&e, "TF1", 0, "G1", "TF1(+)", "y")], 31.0 / 35, 1e-7);
    grn_edges_clear(&e);
    o.top_regulators = 1; /* G1's strongest is TF1 */
    assert_int_equal(grn_regulon_run(&o), GRN_OK);
    assert_int_equal(grn_edges_load(at("regulons.zst"), NULL, &e), GRN_OK);
    assert_true(e.n == 2 && e.regulons.n == 1);
    grn_edges_clear(&e);
    put("prior.tsv", "source\tinteraction\ttarget\nTF2\tActivation\tTF1\nTF2\tRepression\tG1\n");
    o.prior = at("prior.tsv"); /* TF2 -> TF1 is added; TF2 -> G1 disagrees in sign */
    assert_int_equal(grn_regulon_run(&o), GRN_OK);
    assert_int_equal(grn_edges_load(at("regulons.zst"), NULL, &e), GRN_OK);
    assert_true(e.n == 3 && edge(&e, "TF2", 0, "TF1", "TF2(+)", "y") != SIZE_MAX);
    grn_edges_clear(&e);
    o.prior_mode = GRN_PRIOR_ONLY;
    assert_int_equal(grn_regulon_run(&o), GRN_OK);
    assert_int_equal(grn_edges_load(at("regulons.zst"), NULL, &e), GRN_OK);
    assert_true(e.n == 1 && edge(&e, "TF2", 0, "TF1", "TF2(+)", "y") == 0);
    grn_edges_clear(&e);
}

/* TF9 is no gene. Its motif is in A. Counts of the cells: 2 2 3 2 3 2 of which in A 0 1 1 2 2 2:
 * share 8/14. */
static void absent_tf_is_scored_by_accessibility(void **state)
{
    (void)state;
    static const float total[] = { 2, 2, 3, 2, 3, 2 }, in[] = { 0, 1, 1, 2, 2, 2 }, g1[] = { 1, 0, 2, 3, 5, 4 };
    float score[6];
    grn_edges_t e = { 0 };
    grn_link_opt_t o = link_options("rna.tsv");
    for (int c = 0; c < 6; c++) score[c] = (float)((in[c] - total[c] * 8.0 / 14) / (total[c] * 8.0 / 14));
    put("hits9.bed", "chr1\t1000\t1010\tTF9\t5\t+\n");
    o.hits = at("hits9.bed");
    o.out_tg = at("tg9.zst");
    assert_int_equal(grn_link_run(&o), GRN_OK);
    assert_int_equal(grn_edges_load(at("tg9.zst"), NULL, &e), GRN_OK);
    near(value(&e, "rho_tg", edge(&e, "TF9", 0, "G1", 0, 0)), grn_corr_pearson(score, g1, 6), 1e-6);
    grn_edges_clear(&e);
    make_links();
    grn_regulon_opt_t r = regulon_options();
    r.tf_gene = at("tg9.zst");
    r.hits = at("hits9.bed");
    assert_int_equal(grn_regulon_run(&r), GRN_OK);
    assert_int_equal(grn_edges_load(at("regulons.zst"), NULL, &e), GRN_OK);
    assert_true(e.n == 1 && edge(&e, "TF9", "chr1:900-1100", "G1", "TF9_+/+", "y") == 0); /* A opens more in y than in x */
    grn_edges_clear(&e);
}

static void barcodes_join_exactly_then_without_suffix(void **state)
{
    (void)state;
    static const char *const a[] = { "AA-1", "CC-1", "GG-1", "GG-2", "TT-1", "zz" }, *const b[] = { "TT-1", "CC", "GG", "AA-2",
                                                                                                    "AA-3" };
    grn_names_t x = { 0 }, y = { 0 };
    grn_cells_t c;
    for (int i = 0; i < 6; i++) assert_int_equal(grn_names_add(&x, a[i], NULL, NULL), GRN_OK);
    for (int i = 0; i < 5; i++) assert_int_equal(grn_names_add(&y, b[i], NULL, NULL), GRN_OK);
    assert_int_equal(grn_cells_match(&x, "a", &y, "b", &c), GRN_OK);
    assert_true(c.n == 2 && c.n_exact == 1 && c.n_stripped == 1 && c.n_ambiguous == 2); /* AA: two of b; GG: two of a */
    assert_true(c.a[0] == 1 && c.b[0] == 1 && c.a[1] == 4 && c.b[1] == 0);
    grn_cells_clear(&c);
    grn_names_t none = { 0 };
    assert_int_equal(grn_names_add(&none, "other", NULL, NULL), GRN_OK);
    assert_int_equal(grn_cells_match(&x, "a", &none, "b", &c), GRN_EEMPTY);
    grn_names_clear(&none);
    grn_names_clear(&x);
    grn_names_clear(&y);
}

static void names_that_do_not_match_are_loud(void **state)
{
    (void)state;
    grn_link_opt_t o = link_options("rna.tsv");
    o.out_tg = at("no.zst");
    o.tfs = at("empty_tfs.txt");
    assert_int_equal(grn_link_run(&o), GRN_EEMPTY);
    assert_non_null(strstr(grn_err_msg(), "first names: TF1, TF2, G1"));
    assert_int_not_equal(access(at("no.zst"), F_OK), 0);
    make_links();
    grn_regulon_opt_t r = regulon_options();
    put("other.tsv", "cell\tTF1\tG1\nc1\t1\t2\nc2\t2\t1\n");
    r.rna = at("other.tsv");
    assert_int_equal(grn_regulon_run(&r), GRN_ESHAPE);
    assert_non_null(strstr(grn_err_msg(), "made from other counts"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tf_links_by_hand),
        cmocka_unit_test(region_links_by_hand),
        cmocka_unit_test(log_normalised_links_use_totals_of_cells),
        cmocka_unit_test(same_bytes_from_shuffled_cells_and_genes),
        cmocka_unit_test(regulons_by_hand),
        cmocka_unit_test(too_few_targets_leave_an_empty_file),
        cmocka_unit_test(modules_by_hand),
        cmocka_unit_test(absent_tf_is_scored_by_accessibility),
        cmocka_unit_test(barcodes_join_exactly_then_without_suffix),
        cmocka_unit_test(names_that_do_not_match_are_loud),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
