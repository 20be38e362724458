/* grn-build's counting: half-open overlaps, cut sites, barcodes, memory merging, threads; the known matrix of real fragments. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/rng.h"
#include "grn-build/tally.h"
#include "io/text.h"

static const char *put(const char *path, const char *text)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
    return path;
}

static const grn_tally_cell_t *at(grn_tally_t *t, const char *cell)
{
    size_t c = grn_names_find(&t->pass.cells, cell);
    assert_true(c != GRN_NAMES_NONE);
    return grn_tally_at(t, (uint32_t)c);
}

static uint32_t count(grn_tally_t *t, const char *cell, const char *region)
{
    const grn_tally_cell_t *c = at(t, cell);
    size_t r = grn_names_find(&t->regions->names, region), n;
    static uint32_t idx[10000];
    static float v[10000];
    assert_true(r != GRN_NAMES_NONE && grn_tally_room(c) <= 10000);
    grn_tally_row(t, c, &n, idx, v);
    for (size_t i = 0; i < n; i++) {
        if (i) assert_true(idx[i - 1] < idx[i]);
        if (idx[i] == r) return (uint32_t)v[i];
    }
    return 0;
}

static void begin(grn_tally_t *t, grn_par_t *pool)
{
    assert_int_equal(grn_tally_init(t, pool), GRN_OK);
}

static void units(void **state)
{
    (void)state;
    grn_regions_t r = { 0 };
    assert_int_equal(grn_regions_load(put("r.bed", "chr1\t100\t200\nchr1\t200\t300\nchr2\t0\t50\n"), &r), GRN_OK);
    put("f.tsv", "chr1\t50\t100\tA\n"    /* touches nothing: half open */
                 "chr1\t50\t101\tA\n"    /* 1 bp */
                 "chr1\t150\t250\tA\n"   /* both regions; a cut in each */
                 "chr1\t199\t200\tA\n"   /* one base: both cuts are the same one */
                 "chr1\t0\t1000\tB\n"    /* spans, but cuts in none */
                 "2\t10\t20\tB\n"        /* "2" is chr2 */
                 "chr9\t1\t2\tC\n");
    for (int cut = 0; cut < 2; cut++) {
        grn_tally_t t = { .regions = &r, .cutsites = cut };
        begin(&t, NULL);
        assert_int_equal(grn_tally_file(&t, "f.tsv", "", "", NULL), GRN_OK);
        assert_int_equal(grn_tally_finish(&t, NULL), GRN_OK);
        assert_int_equal(t.pass.n_lines, 7);
        assert_int_equal(t.pass.n_no_chrom, 1);
        assert_int_equal(t.pass.cells.n, 3);
        assert_int_equal(count(&t, "A", "chr1:100-200"), cut ? 1 + 1 + 2 : 3);
        assert_int_equal(count(&t, "A", "chr1:200-300"), 1);
        assert_int_equal(count(&t, "B", "chr1:100-200"), cut ? 0 : 1);
        assert_int_equal(count(&t, "B", "chr2:0-50"), cut ? 2 : 1);
        assert_int_equal(at(&t, "A")->n_fragments, 4);
        assert_int_equal(at(&t, "A")->n_in, 3);
        assert_int_equal(t.n_in, cut ? 4 : 5);
        assert_int_equal(t.pass.renamed_chroms.n, 1);
        assert_string_equal(grn_names_get(&t.pass.lost_chroms, 0), "chr9");
        grn_tally_clear(&t);
    }
    grn_regions_clear(&r);
}

static void barcodes(void **state)
{
    (void)state;
    grn_regions_t r = { 0 };
    assert_int_equal(grn_barcode_bare("AC-1", 4), 2);
    assert_int_equal(grn_barcode_bare("AC-", 3), 3);
    assert_int_equal(grn_barcode_bare("AC1", 3), 3);
    assert_int_equal(grn_barcode_bare("-1", 2), 2);
    assert_int_equal(grn_barcode_bare("a-b-12", 6), 3);
    assert_int_equal(grn_regions_load(put("r.bed", "c\t0\t9\n"), &r), GRN_OK);
    put("f.tsv", "c\t0\t1\tAC-1\nc\t0\t1\tGT-1\nc\t0\t1\tXX-1\n");
    grn_tally_t t = { .regions = &r, .pass = { .listed_only = 1, .strip_suffix = 1 } };
    begin(&t, NULL);
    assert_int_equal(grn_names_add(&t.pass.cells, "s1_GT_z", NULL, NULL), GRN_OK);
    assert_int_equal(grn_names_add(&t.pass.cells, "absent", NULL, NULL), GRN_OK);
    assert_int_equal(grn_tally_file(&t, "f.tsv", "s1_", "_z", NULL), GRN_OK);
    assert_int_equal(grn_tally_finish(&t, NULL), GRN_OK);
    assert_int_equal(t.pass.n_lines, 3);
    assert_int_equal(t.n_listed, 1);
    assert_int_equal(count(&t, "s1_GT_z", "c:0-9"), 1);
    assert_int_equal(grn_tally_room(at(&t, "absent")), 0);
    assert_string_equal(grn_names_get(&t.pass.unlisted, 0), "s1_AC_z");
    grn_tally_clear(&t);
    grn_tally_t bad = { .regions = &r };
    begin(&bad, NULL);
    put("f.tsv", "c\t0\t1\tA\nc\t0\tx\tA\n");
    assert_int_equal(grn_tally_file(&bad, "f.tsv", "", "", NULL), GRN_EFORMAT);
    assert_non_null(strstr(grn_err_msg(), "'f.tsv' line 2"));
    grn_tally_clear(&bad);
    grn_regions_clear(&r);
}

/* Unsorted fragments in several chunks: the same numbers as a plain table, for one worker and for three. */
static void against_table(void **state)
{
    (void)state;
    enum { CELLS = 50, REGIONS = 60, N = 60000 };
    static uint32_t want[CELLS][REGIONS];
    grn_rng_t rng;
    grn_regions_t r = { 0 };
    char name[64];
    grn_rng_init(&rng, 1, "test.tally", 0);
    FILE *f = fopen("r.bed", "w");
    for (int i = 0; i < REGIONS; i++) fprintf(f, "c\t%d\t%d\n", 10 * i, 10 * i + 5 + i % 9); /* some overlap their neighbour */
    fclose(f);
    f = fopen("f.tsv", "w");
    for (int i = 0; i < N; i++) {
        int cell = (int)grn_rng_below(&rng, CELLS), a = (int)grn_rng_below(&rng, 10 * REGIONS), b = a + 1 + (int)grn_rng_below(&rng, 12);
        fprintf(f, "c\t%d\t%d\tcell%d\t1\n", a, b, cell);
        for (int k = 0; k < REGIONS; k++) want[cell][k] += a < 10 * k + 5 + k % 9 && 10 * k < b;
    }
    fclose(f);
    assert_int_equal(grn_regions_load("r.bed", &r), GRN_OK);
    for (int workers = 1; workers <= 3; workers += 2) {
        grn_par_t *pool;
        assert_int_equal(grn_par_create(&pool, workers), GRN_OK);
        grn_tally_t t = { .regions = &r };
        begin(&t, pool);
        assert_int_equal(grn_tally_file(&t, "f.tsv", "", "", pool), GRN_OK);
        assert_int_equal(grn_tally_finish(&t, pool), GRN_OK);
        for (int c = 0; c < CELLS; c++) {
            snprintf(name, sizeof name, "cell%d", c);
            assert_true(at(&t, name)->list->cap <= 80); /* 1,200 fragments a cell, 60 regions: the list was merged, not grown */
            for (int k = 0; k < REGIONS; k++) assert_int_equal(count(&t, name, grn_names_get(&r.names, (size_t)k)), want[c][k]);
        }
        grn_tally_clear(&t);
        grn_par_destroy(pool);
    }
    grn_regions_clear(&r);
}

/* The 29,773 entries published for these fragments and peaks (0/1). */
static void known_matrix(void **state)
{
    (void)state;
    const char *data = getenv("GRN_DATA");
    char path[4096], *line;
    grn_regions_t r = { 0 };
    grn_text_t *text;
    grn_names_t cells = { 0 };
    snprintf(path, sizeof path, "%s/atac/pbmc_chr22_fragments/expected_peak_count.barcodes.tsv", data ? data : "");
    FILE *f = fopen(path, "r");
    if (!data || !f) skip();
    fclose(f);
    assert_int_equal(grn_text_open(&text, path), GRN_OK);
    while (grn_text_next(text, &line, NULL) > 0) assert_int_equal(grn_names_add(&cells, line, NULL, NULL), GRN_OK);
    grn_text_close(text);
    snprintf(path, sizeof path, "%s/atac/pbmc_chr22_fragments/expected_peak_count.peaks.bed", data);
    assert_int_equal(grn_regions_load(path, &r), GRN_OK);
    for (int sorted = 0; sorted < 2; sorted++) {
        grn_tally_t t = { .regions = &r };
        begin(&t, NULL);
        snprintf(path, sizeof path, "%s/atac/pbmc_chr22_fragments/fragments.%s.tsv.gz", data, sorted ? "sorted" : "asshipped");
        assert_int_equal(grn_tally_file(&t, path, "", "", NULL), GRN_OK);
        assert_int_equal(grn_tally_finish(&t, NULL), GRN_OK);
        uint64_t n = 0, listed = 0;
        for (size_t i = 0; i < t.pass.cells.n; i++) n += grn_tally_room(grn_tally_at(&t, (uint32_t)i));
        assert_int_equal(n, 29773);
        snprintf(path, sizeof path, "%s/atac/pbmc_chr22_fragments/expected_peak_count.mtx.gz", data);
        assert_int_equal(grn_text_open(&text, path), GRN_OK);
        while (grn_text_next(text, &line, NULL) > 0) {
            const char *p = line;
            uint64_t peak = 0, cell = 0;
            if (!grn_scan_u64(&p, &peak)) continue;
            p++;
            assert_true(grn_scan_u64(&p, &cell));
            if (peak == 4283 && cell == 100 && listed == 0 && !strcmp(p, " 29773")) continue; /* the size line */
            assert_true(count(&t, grn_names_get(&cells, cell - 1), grn_names_get(&r.names, peak - 1)) > 0);
            listed++;
        }
        grn_text_close(text);
        assert_int_equal(listed, 29773);
        grn_tally_clear(&t);
    }
    grn_names_clear(&cells);
    grn_regions_clear(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(units), cmocka_unit_test(barcodes), cmocka_unit_test(against_table),
                                        cmocka_unit_test(known_matrix) };
    return cmocka_run_group_tests_name("tally", tests, NULL, NULL);
}
