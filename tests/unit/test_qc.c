/* grn-build qc: TSS enrichment against its definition, signs, Otsu, the measures and cuts by hand. */
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
#include "base/rng.h"
#include "grn-build/qc_stats.h"

static const char *put(const char *path, const char *text)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
    return path;
}

/* A TSS on the minus strand at 1000 and a cut at 990: 10 bp downstream. */
static void strand(void **state)
{
    (void)state;
    grn_tss_t t;
    grn_tss_site_t site[] = { { 0, 1000, -1 }, { 0, 1000, -1 }, { 1, 50, 1 } };
    static uint64_t profile[GRN_TSS_WINDOW];
    grn_tss_sums_t sums = { 0, 0, 0 };
    assert_int_equal(grn_tss_init(&t, site, 3, 2), GRN_OK);
    assert_int_equal(t.n, 2); /* the repeat is dropped */
    assert_int_equal(grn_tss_find(&t, 0, 990, 5000, profile, &sums), 1);
    assert_int_equal(profile[GRN_TSS_FLANK + 10], 1);
    uint64_t n = 0;
    for (int i = 0; i < GRN_TSS_WINDOW; i++) n += profile[i];
    assert_int_equal(n, 1); /* the other cut, at 4999, is too far */
    memset(profile, 0, sizeof profile);
    assert_int_equal(grn_tss_find(&t, 1, 50, 51, profile, &sums), 1); /* one base: both cuts are it */
    assert_int_equal(profile[GRN_TSS_FLANK], 2);
    memset(profile, 0, sizeof profile);
    (void)grn_tss_find(&t, 0, 0, 1, profile, &sums); /* r = (0 - 1000) * -1 = 1000 */
    assert_int_equal(profile[GRN_TSS_FLANK + 1000], 2);
    (void)grn_tss_find(&t, 0, 2999, 3001, profile, &sums); /* cuts 2999 and 3000: r = -1999, -2000 */
    assert_int_equal(profile[0], 1);
    assert_int_equal(profile[1], 1);
    assert_int_equal(grn_tss_find(&t, 0, 3001, 3002, profile, &sums), 0);
    assert_int_equal(grn_tss_find(&t, GRN_FRAG_NO_CHROM, 1, 2, profile, &sums), 0);
    grn_tss_clear(&t);
}

/* The matrix way: positions x cell, smoothed, averaged. */
static double dense_enrichment(const uint64_t *a)
{
    static double s[GRN_TSS_WINDOW];
    double first = 0, last = 0, centre = 0;
    for (int i = 0; i < 4001; i++) {
        int from = i >= 9 ? i - 9 : 0;
        s[i] = 0;
        for (int j = from; j <= i; j++) s[i] += (double)a[j];
        s[i] /= i - from + 1;
    }
    for (int i = 0; i < 100; i++) first += s[i] / 100, last += s[3901 + i] / 100;
    for (int i = 1950; i <= 2050; i++) centre += s[i] / 101;
    double b = (first + last) / 2;
    return centre / (b > 0.2 ? b : 0.2);
}

static void enrichment(void **state)
{
    (void)state;
    enum { SITES = 40 };
    grn_rng_t rng;
    grn_tss_site_t site[SITES];
    static uint64_t profile[GRN_TSS_WINDOW], want[GRN_TSS_WINDOW];
    grn_rng_init(&rng, 1, "test.qc", 0);
    for (int turn = 0; turn < 6; turn++) {
        int n = turn < 2 ? 30 : 4000; /* few: the background is under its floor */
        grn_tss_t t;
        grn_tss_sums_t sums = { 0, 0, 0 };
        memset(profile, 0, sizeof profile);
        memset(want, 0, sizeof want);
        for (uint32_t i = 0; i < SITES; i++) site[i] = (grn_tss_site_t){ i % 2, (uint32_t)grn_rng_below(&rng, 100000), i % 3 ? 1 : -1 };
        grn_tss_site_t copy[SITES];
        memcpy(copy, site, sizeof copy);
        assert_int_equal(grn_tss_init(&t, copy, SITES, 2), GRN_OK);
        for (int i = 0; i < n; i++) {
            uint32_t c = (uint32_t)grn_rng_below(&rng, 2), s = (uint32_t)grn_rng_below(&rng, 105000);
            uint32_t e = s + 1 + (uint32_t)grn_rng_below(&rng, 600);
            (void)grn_tss_find(&t, c, s, e, profile, &sums);
            for (int k = 0; k < SITES; k++)
                for (int cut = 0; cut < 2 && site[k].chrom == c; cut++) {
                    int64_t r = ((cut ? (int64_t)e - 1 : s) - (int64_t)site[k].at) * site[k].strand;
                    if (r >= -2000 && r <= 2000) want[r + 2000]++;
                }
        }
        assert_memory_equal(profile, want, sizeof want);
        double a = grn_tss_enrichment(&sums), b = dense_enrichment(want);
        assert_true(fabs(a - b) <= 1e-12 * (1 + b));
        grn_tss_clear(&t);
    }
    assert_true(grn_tss_enrichment(&(grn_tss_sums_t){ 0, 0, 0 }) == 0);
}

static void otsu(void **state)
{
    (void)state;
    double t, x[] = { 1, 1.1, 0.9, 5, 5.1, 4.9 }, same[] = { 3, 3, 3 }, two[] = { 0, 10 };
    assert_int_equal(grn_otsu(x, 6, 5000, &t), GRN_OK);
    assert_true(t > 1.1 - 0.001 && t < 1.1 + 0.001); /* the last bin of the lower class */
    assert_int_equal(grn_otsu(same, 3, 5000, &t), GRN_OK);
    assert_true(t == 3);
    assert_int_equal(grn_otsu(two, 2, 4, &t), GRN_OK); /* bins of 2.5: the classes are the same for every cut; the first one */
    assert_true(t == 1.25);
    grn_mem_fail_after(1);
    assert_int_equal(grn_otsu(two, 2, 4, &t), GRN_ENOMEM);
    grn_mem_fail_after(0);
}

static const char fragments[] = "c\t0\t146\tA\t3\n"    /* short; both regions: once in the numerator */
                                "c\t100\t247\tA\t1\n"  /* 147: mononucleosomal */
                                "c\t1000\t1294\tA\t2\n" /* 294 */
                                "c\t1000\t1295\tA\t1\n" /* 295: neither */
                                "z\t5\t500\tA\t600\n"  /* no regions there; more reads than a log entry holds */
                                "c\t1000\t1200\tB\t1\n" /* no short one: infinite signal */
                                "c\t2000\t2400\tC\t1\n" /* nor mononucleosomal: undefined */
                                "c\t10\t20\tD\t1\nc\t10\t20\tD\t1\n";

static void measures(void **state)
{
    (void)state;
    grn_regions_t r = { 0 };
    grn_qc_t *q;
    size_t n;
    assert_int_equal(grn_regions_load(put("r.bed", "c\t0\t50\nc\t60\t200\n"), &r), GRN_OK);
    grn_tally_t t = { .regions = &r };
    assert_int_equal(grn_tally_init(&t, NULL), GRN_OK);
    assert_int_equal(grn_tally_file(&t, put("f.tsv", fragments), "", "", NULL), GRN_OK);
    assert_int_equal(grn_tally_finish(&t, NULL), GRN_OK);
    static uint64_t length[GRN_LENGTHS], profile[GRN_TSS_WINDOW];
    grn_tally_profiles(&t, length, profile);
    assert_int_equal(length[146], 1);
    assert_int_equal(length[10], 2);
    assert_int_equal(grn_qc_collect(&t, 1, 0, &q, &n), GRN_OK);
    assert_int_equal(n, 4);
    assert_string_equal(grn_names_get(&t.pass.cells, q[0].cell), "A");
    assert_int_equal(q[0].unique, 5);
    assert_int_equal(q[0].total, 607);
    assert_int_equal(q[0].in, 2);
    assert_int_equal(q[0].total_in, 4);
    assert_true(q[0].frip == 2.0 / 5);
    assert_true(q[0].duplication == 602.0 / 607);
    assert_true(q[0].nucleosome == 2.0);
    assert_string_equal(grn_names_get(&t.pass.cells, q[1].cell), "D"); /* rank 2: two fragments */
    assert_string_equal(grn_names_get(&t.pass.cells, q[2].cell), "B"); /* a tie: by name */
    assert_int_equal(q[2].rank, 3);
    assert_true(isinf(q[2].nucleosome) && isnan(q[3].nucleosome));
    /* the count matrix has the fragment in both regions */
    const grn_tally_cell_t *c = grn_tally_at(&t, q[0].cell);
    uint32_t idx[4];
    float v[4];
    size_t m;
    assert_int_equal(grn_tally_room(c), 2);
    grn_tally_row(&t, c, &m, idx, v);
    assert_int_equal(m, 2);
    assert_true(v[0] == 1 && v[1] == 2);
    free(q);
    assert_int_equal(grn_qc_collect(&t, 2, 1, &q, &n), GRN_OK); /* more than 2 */
    assert_int_equal(n, 1);
    free(q);
    assert_int_equal(grn_qc_collect(&t, 2, 0, &q, &n), GRN_OK);
    assert_int_equal(n, 2);
    free(q);
    grn_tally_clear(&t);
    grn_regions_clear(&r);
}

static void cuts(void **state)
{
    (void)state;
    grn_qc_t q[40];
    grn_qc_cut_t cut;
    grn_qc_limits_t otsu_limits = { NAN, NAN, 0, INFINITY }, own = { 500, 2, 0.5, 3 };
    memset(q, 0, sizeof q);
    for (int i = 0; i < 40; i++) {
        q[i].in = i < 20 ? 5000 : i < 35 ? 120 : 3; /* the last five take no part */
        q[i].tss = i < 20 ? 8 : 1.5;
        q[i].frip = 0.6;
        q[i].nucleosome = i == 7 ? NAN : 1;
    }
    assert_int_equal(grn_qc_cut(q, 40, "s", &otsu_limits, &cut), GRN_OK);
    assert_int_equal(cut.n_pass, 20);
    assert_true(cut.fragments > 119 && cut.fragments < 122); /* the middle of the lowest bin of log10(n + 1) */
    assert_true(q[0].passes && !q[20].passes && q[7].passes);
    q[1].in = 500; /* not strictly above */
    q[2].tss = 2;
    q[3].frip = 0.5;
    q[4].nucleosome = 3.1;
    q[5].nucleosome = 3;
    assert_int_equal(grn_qc_cut(q, 20, "s", &own, &cut), GRN_OK);
    assert_int_equal(cut.n_pass, 16);
    assert_true(!q[1].passes && !q[2].passes && !q[3].passes && !q[4].passes && q[5].passes);
    assert_int_equal(grn_qc_cut(q + 35, 5, "s", &otsu_limits, &cut), GRN_EEMPTY);
    assert_non_null(strstr(grn_err_msg(), "(most: 3)"));
}

/* A region with 1,000 fragments of one cell (counts of one byte overflow), regions so nested that the tree is used, unsorted BED. */
static void many(void **state)
{
    (void)state;
    grn_regions_t r = { 0 };
    FILE *f = fopen("r.bed", "w");
    for (int i = 199; i >= 0; i--) fprintf(f, "c\t%d\t%d\n", i * 10, 100000 + i); /* all nested, in reverse */
    fprintf(f, "c\t200000\t200100\n");
    fclose(f);
    f = fopen("f.tsv", "w");
    for (int i = 0; i < 1000; i++) fprintf(f, "c\t50000\t50010\tA\nc\t200099\t200200\tA\n");
    fclose(f);
    assert_int_equal(grn_regions_load("r.bed", &r), GRN_OK);
    grn_tally_t t = { .regions = &r };
    assert_int_equal(grn_tally_init(&t, NULL), GRN_OK);
    assert_int_equal(t.overlap.by_tree, 1);
    assert_int_equal(grn_tally_file(&t, "f.tsv", "", "", NULL), GRN_OK);
    assert_int_equal(grn_tally_finish(&t, NULL), GRN_OK);
    const grn_tally_cell_t *c = grn_tally_at(&t, 0);
    static uint32_t idx[2000];
    static float v[2000];
    size_t n;
    assert_true(grn_tally_room(c) <= 2000);
    grn_tally_row(&t, c, &n, idx, v);
    assert_int_equal(n, 201);
    for (size_t i = 0; i < n; i++) assert_true(idx[i] == i && v[i] == 1000);
    grn_tally_clear(&t);
    grn_regions_clear(&r);
}

/* The n-th allocation fails, for every n up to the first run that needs fewer. */
static void memory_runs_out(void **state)
{
    (void)state;
    grn_regions_t r = { 0 };
    grn_status rc = GRN_ENOMEM;
    int n = 0;
    assert_int_equal(grn_regions_load(put("r.bed", "c\t0\t50\nc\t60\t200\n"), &r), GRN_OK);
    put("f.tsv", fragments);
    while (rc == GRN_ENOMEM && ++n < 1000) {
        grn_tally_t t = { .regions = &r };
        grn_qc_t *q = NULL;
        size_t m;
        grn_mem_fail_after(n);
        rc = grn_tally_init(&t, NULL);
        if (!rc) rc = grn_tally_file(&t, "f.tsv", "", "", NULL);
        if (!rc) rc = grn_tally_finish(&t, NULL);
        if (!rc) rc = grn_qc_collect(&t, 1, 0, &q, &m);
        grn_mem_fail_after(0);
        free(q);
        grn_tally_clear(&t);
    }
    assert_int_equal(rc, GRN_OK);
    assert_true(n > 20);
    grn_regions_clear(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(strand), cmocka_unit_test(enrichment), cmocka_unit_test(otsu),
                                        cmocka_unit_test(measures), cmocka_unit_test(cuts), cmocka_unit_test(many),
                                        cmocka_unit_test(memory_runs_out) };
    return cmocka_run_group_tests_name("qc", tests, NULL, NULL);
}
