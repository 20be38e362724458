/* io/chrom and io/bed: spellings of chromosomes, BED in all its dresses, overlap queries against brute force. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/rng.h"
#include "io/bed.h"
#include "io/chrom.h"

static const char *put(const char *path, const char *text)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
    return path;
}

static void add(grn_names_t *d, const char *s)
{
    assert_int_equal(grn_names_add(d, s, NULL, NULL), GRN_OK);
}

static void chromosomes(void **s)
{
    (void)s;
    grn_names_t d = { 0 };
    int renamed;
    char buf[64];
    add(&d, "chr1");
    add(&d, "2");
    add(&d, "chrM");
    add(&d, "chrUn_KI1");
    assert_int_equal(grn_chrom_find(&d, "chr1", &renamed), 0);
    assert_int_equal(renamed, 0);
    assert_int_equal(grn_chrom_find(&d, "1", &renamed), 0);
    assert_int_equal(renamed, 1);
    assert_int_equal(grn_chrom_find(&d, "chr2", &renamed), 1);
    assert_int_equal(renamed, 1);
    assert_int_equal(grn_chrom_find(&d, "MT", NULL), 2);
    assert_int_equal(grn_chrom_find_n(&d, "Mxx", 1, NULL), 2);
    assert_true(grn_chrom_find(&d, "3", &renamed) == GRN_NAMES_NONE);
    assert_int_equal(renamed, 0);
    assert_true(grn_chrom_find(&d, "chr", NULL) == GRN_NAMES_NONE);
    assert_string_equal(grn_names_show(&d, 2, buf, sizeof buf), "chr1, 2, ... (4 in all)");
    grn_names_clear(&d);
    assert_true(grn_chrom_find(&d, "chr1", NULL) == GRN_NAMES_NONE);
}

static void bed_forms(void **s)
{
    (void)s;
    grn_bed_t b = { 0 };
    put("x.bed", "#comment\r\nchrom\tstart\tend\r\ntrack name=x\r\nchr1\t10\t20\tp1\t5.5\t-\textra\tmore\r\n\r\nchr2\t0\t1\t.\t.\t.");
    assert_int_equal(grn_bed_load("x.bed", &b), GRN_OK);
    assert_int_equal(b.n, 2);
    assert_string_equal(grn_names_get(&b.chroms, b.chrom[1]), "chr2");
    assert_int_equal(b.start[0], 10);
    assert_int_equal(b.end[1], 1);
    assert_string_equal(grn_names_get(&b.labels, b.label[0]), "p1");
    assert_true(b.label[1] == UINT32_MAX);
    assert_true(b.score[0] == 5.5f && isnan(b.score[1]));
    assert_int_equal(b.strand[0], -1);
    assert_int_equal(b.strand[1], 0);
    grn_bed_clear(&b);
    assert_int_equal(grn_bed_load(put("b.bed", "chr1  5   9\n"), &b), GRN_OK); /* blanks */
    assert_int_equal(b.end[0], 9);
    grn_bed_clear(&b);
    assert_int_equal(grn_bed_load(put("e.bed", ""), &b), GRN_OK);
    assert_int_equal(b.n, 0);
    grn_bed_clear(&b);
}

static void bed_refused(void **s)
{
    (void)s;
    static const struct { const char *text, *says; } bad[] = {
        { "chr1\t10\n", "line 1: 2 columns" },
        { "chr1\t10\t20\nchr1\tx\t20\n", "line 2: 'x', '20' are not" },
        { "chr1\t10\t20\nchr1\t20\t20\n", "line 2: end 20 is not behind start 20" },
        { "chr1\t-1\t20\n", "line 1" },
        { "h\ta\tb\nh\ta\tb\n", "line 2" }, /* one header, not two */
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        grn_bed_t b = { 0 };
        assert_int_equal(grn_bed_load(put("bad.bed", bad[i].text), &b), GRN_EFORMAT);
        assert_non_null(strstr(grn_err_msg(), bad[i].says));
        assert_null(b.chrom);
    }
    grn_bed_t b = { 0 };
    assert_int_equal(grn_bed_load("absent.bed", &b), GRN_EIO);
}

static void names_of_regions(void **s)
{
    (void)s;
    grn_regions_t r = { 0 };
    grn_names_t d = { 0 };
    assert_int_equal(grn_regions_load(put("d.bed", "c\t5\t9\nc\t1\t3\nc\t5\t9\n"), &r), GRN_OK);
    assert_int_equal(r.n, 2);
    assert_int_equal(r.n_duplicate, 1);
    assert_string_equal(grn_names_get(&r.names, 0), "c:5-9");
    assert_string_equal(grn_names_get(&r.names, 1), "c:1-3");
    grn_regions_clear(&r);
    add(&d, "chr1:5-9");
    add(&d, "chr1-1-3");
    add(&d, "HLA-A*01:01:7-8");
    add(&d, "chrUn_KI270_10_20");
    assert_int_equal(grn_regions_from_names(&d, &r), GRN_OK);
    assert_string_equal(grn_names_get(&r.names, 1), "chr1-1-3");
    assert_int_equal(r.start[1], 1);
    assert_int_equal(r.end[1], 3);
    assert_string_equal(grn_names_get(&r.chroms, r.chrom[2]), "HLA-A*01:01");
    assert_string_equal(grn_names_get(&r.chroms, r.chrom[3]), "chrUn_KI270");
    assert_int_equal(r.end[3], 20);
    grn_regions_clear(&r);
    add(&d, "chr1-5-9"); /* the same interval again */
    assert_int_equal(grn_regions_from_names(&d, &r), GRN_EFORMAT);
    grn_names_clear(&d);
    static const char *bad[] = { "chr1", "chr1:5", "chr1:9-5", "chr1:5-", ":5-9", "chr1:a-9", "5-9", "c:5_9", "a_5-9" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        add(&d, bad[i]);
        assert_int_equal(grn_regions_from_names(&d, &r), GRN_EFORMAT);
        assert_non_null(strstr(grn_err_msg(), bad[i]));
        grn_names_clear(&d);
    }
}

static void half_open(void **s)
{
    (void)s;
    grn_regions_t r = { 0 };
    uint32_t out[4];
    assert_int_equal(grn_regions_load(put("h.bed", "c\t10\t20\nc\t20\t30\nd\t0\t5\n"), &r), GRN_OK);
    assert_int_equal(grn_regions_overlap(&r, 0, 0, 10, out, 4), 0);
    assert_int_equal(grn_regions_overlap(&r, 0, 0, 11, out, 4), 1);
    assert_int_equal(out[0], 0);
    assert_int_equal(grn_regions_overlap(&r, 0, 19, 21, out, 4), 2);
    assert_int_equal(grn_regions_overlap(&r, 0, 20, 21, out, 4), 1);
    assert_int_equal(out[0], 1);
    assert_int_equal(grn_regions_overlap(&r, 0, 30, 99, out, 4), 0);
    assert_int_equal(grn_regions_overlap(&r, 1, 4, 5, out, 4), 1);
    assert_int_equal(grn_regions_overlap(&r, 2, 4, 5, out, 4), 0); /* no such chromosome */
    assert_int_equal(grn_regions_overlap(&r, 0, 5, 5, out, 4), 0); /* empty query */
    assert_int_equal(grn_regions_overlap(&r, 0, 0, 99, out, 1), 2); /* more than there is room for */
    grn_regions_clear(&r);
}

static void against_brute_force(void **s)
{
    (void)s;
    enum { N = 300, Q = 2000 };
    grn_rng_t rng;
    grn_rng_init(&rng, 1, "test.bed", 0);
    FILE *f = fopen("r.bed", "w");
    assert_non_null(f);
    for (int i = 0; i < N; i++) { /* nested, equal starts, one that covers all */
        uint64_t a = grn_rng_below(&rng, 1000), w = 1 + grn_rng_below(&rng, i % 10 == 0 ? 600 : 15);
        fprintf(f, "c%d\t%llu\t%llu\n", (int)grn_rng_below(&rng, 3), (unsigned long long)a, (unsigned long long)(i == 7 ? 5000 : a + w));
    }
    fclose(f);
    grn_regions_t r = { 0 };
    assert_int_equal(grn_regions_load("r.bed", &r), GRN_OK);
    uint32_t out[N];
    for (int q = 0; q < Q; q++) {
        size_t c = (size_t)grn_rng_below(&rng, 3), want = 0;
        uint64_t a = grn_rng_below(&rng, 1700), b = a + 1 + grn_rng_below(&rng, 40);
        size_t n = grn_regions_overlap(&r, c, a, b, out, N);
        for (size_t i = 0; i < r.n; i++) want += r.chrom[i] == c && r.start[i] < b && a < r.end[i];
        assert_int_equal(n, want);
        for (size_t i = 0; i < n; i++) {
            assert_true(r.chrom[out[i]] == c && r.start[out[i]] < b && a < r.end[out[i]]);
            if (i) assert_true(r.start[out[i - 1]] <= r.start[out[i]]);
        }
    }
    grn_regions_clear(&r);
}

static void real_files(void **s)
{
    (void)s;
    static const struct { const char *path; size_t n, distinct; uint64_t bases; } known[] = {
        { "atac/pbmc_chr22_fragments/peaks.narrowPeak.gz", 4283, 4283, 5916926 },
        { "atac/archr_pbsmall/peakset.tsv", 2142, 2142, 1073142 },
        { "atac/archr_pbsmall/motif_positions.bed.gz", 1058, 1057, 14253 },
        { "atac/blacklist_chromsizes/hg38-blacklist.v2.bed.gz", 636, 636, 227162400 },
        { "atac/a549_scicar/peaks.bed.gz", 52761, 52761, 36989711 },
        { "atac/cistarget_sample/Encode_GATA1_peaks.bed", 1000, 1000, 1315120 },
    };
    const char *data = getenv("GRN_DATA");
    char path[4096];
    snprintf(path, sizeof path, "%s/atac", data ? data : "");
    FILE *f = fopen(path, "r");
    if (!data || !f) skip();
    fclose(f);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        grn_bed_t b = { 0 };
        grn_regions_t r = { 0 };
        uint64_t bases = 0;
        snprintf(path, sizeof path, "%s/%s", data, known[i].path);
        assert_int_equal(grn_bed_load(path, &b), GRN_OK);
        for (size_t k = 0; k < b.n; k++) bases += b.end[k] - b.start[k];
        assert_int_equal(b.n, known[i].n);
        assert_int_equal(bases, known[i].bases);
        assert_int_equal(grn_regions_from_bed(&b, &r), GRN_OK);
        assert_int_equal(r.n, known[i].distinct);
        grn_bed_clear(&b);
        grn_regions_clear(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(chromosomes),   cmocka_unit_test(bed_forms), cmocka_unit_test(bed_refused),
                                        cmocka_unit_test(names_of_regions), cmocka_unit_test(half_open),
                                        cmocka_unit_test(against_brute_force), cmocka_unit_test(real_files) };
    return cmocka_run_group_tests_name("bed", tests, NULL, NULL);
}
