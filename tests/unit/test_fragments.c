/* io/fragments: plain, gzip and bgzip, blocks and single records, comments, CRLF, and every cut noticed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <htslib/bgzf.h>
#include <zlib.h>

#include "io/fragments.h"

static void put(const char *path, const void *p, size_t n)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(p, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

static void put_bgzf(const char *path, const char *text)
{
    BGZF *b = bgzf_open(path, "w");
    assert_non_null(b);
    assert_int_equal(bgzf_write(b, text, strlen(text)), strlen(text));
    assert_int_equal(bgzf_close(b), 0);
}

static void put_gzip(const char *path, const char *text)
{
    gzFile g = gzopen(path, "wb");
    assert_non_null(g);
    assert_int_equal(gzwrite(g, text, (unsigned)strlen(text)), strlen(text));
    assert_int_equal(gzclose(g), Z_OK);
}

typedef struct {
    uint64_t n, bases, count;
    int rc;
} sum_t;

static sum_t sum(const char *path, int threads)
{
    grn_fragments_t *f;
    grn_fragment_t x;
    sum_t s = { 0, 0, 0, 0 };
    s.rc = grn_fragments_open(&f, path, threads);
    if (s.rc) return s;
    while ((s.rc = grn_fragments_next(f, &x)) > 0) s.n++, s.bases += x.end - x.start, s.count += x.count;
    grn_fragments_close(f);
    return s;
}

static const char text[] = "# id=x\n#\nchr1\t10\t20\tAA-1\t3\nchr1\t15\t16\tCC-1\n\nchr2\t0\t100\tAA-1\t1\textra\r\n";

static void forms(void **state)
{
    (void)state;
    put("plain", text, sizeof text - 1);
    put("no_newline", text, sizeof text - 3);
    put_gzip("gzip", text);
    put_bgzf("bgzf", text);
    const char *paths[] = { "plain", "no_newline", "gzip", "bgzf" };
    for (size_t i = 0; i < 4; i++)
        for (int threads = 1; threads <= 3; threads++) {
            sum_t s = sum(paths[i], threads);
            assert_int_equal(s.rc, 0);
            assert_int_equal(s.n, 3);
            assert_int_equal(s.bases, 111);
            assert_int_equal(s.count, 5);
        }
    put("empty", "", 0);
    assert_int_equal(sum("empty", 1).rc, 0);
    assert_int_equal(sum("empty", 1).n, 0);
    assert_int_equal(sum("absent", 1).rc, GRN_EIO);
}

static void fields(void **state)
{
    (void)state;
    grn_fragment_t x;
    const char *p = text, *end = text + sizeof text - 1;
    assert_int_equal(grn_fragment_parse(&p, end, &x), 0);
    assert_int_equal(grn_fragment_parse(&p, end, &x), 0);
    assert_int_equal(grn_fragment_parse(&p, end, &x), 1);
    assert_int_equal(x.chrom_n, 4);
    assert_memory_equal(x.chrom, "chr1", 4);
    assert_int_equal(x.barcode_n, 4);
    assert_memory_equal(x.barcode, "AA-1", 4);
    assert_int_equal(x.start, 10);
    assert_int_equal(x.end, 20);
    assert_int_equal(x.count, 3);
    assert_int_equal(grn_fragment_parse(&p, end, &x), 1);
    assert_int_equal(x.count, 1); /* four columns */
    assert_int_equal(x.barcode_n, 4);
}

static void refused(void **state)
{
    (void)state;
    static const struct { const char *text, *says; } bad[] = {
        { "chr1\t10\t20\tA\nchr1 10 20 A\n", "line 2: no tab" },
        { "\nchr1\tx\t20\tA\n", "line 2: the start" },
        { "chr1\t1\t20\n", "line 1: the end" },
        { "chr1\t20\t20\tA\n", "line 1: end 20 is not behind" },
        { "chr1\t1\t20\t\t1\n", "line 1: the barcode" },
        { "chr1\t1\t20\tA\tx\n", "line 1: the count" },
        { "\t1\t20\tA\tx\n", "line 1: the chromosome" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        put("bad", bad[i].text, strlen(bad[i].text));
        assert_int_equal(sum("bad", 1).rc, GRN_EFORMAT);
        assert_non_null(strstr(grn_err_msg(), bad[i].says));
        assert_non_null(strstr(grn_err_msg(), "'bad'"));
    }
}

static void cuts(void **state)
{
    (void)state;
    unsigned char bytes[1 << 16];
    put_bgzf("bgzf", text);
    FILE *f = fopen("bgzf", "rb");
    size_t n = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    for (size_t k = 1; k < n; k++) { /* cut at every length, also exactly before the end-of-file block */
        put("cut", bytes, k);
        assert_true(sum("cut", 1).rc < 0);
    }
    put("cut", bytes, n - 28);
    assert_int_equal(sum("cut", 2).rc, GRN_ETRUNC);
    assert_non_null(strstr(grn_err_msg(), "end-of-file block"));
    put_gzip("gzip", text);
    f = fopen("gzip", "rb");
    n = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    for (size_t k = 19; k < n; k++) {
        put("cut", bytes, k);
        assert_true(sum("cut", 1).rc < 0);
    }
    put_bgzf("tbi", "TBI\001xxxxxxxxxxxxxxxxxxxx\n"); /* the index in place of the file */
    assert_int_equal(sum("tbi", 1).rc, GRN_EFORMAT);
    assert_non_null(strstr(grn_err_msg(), "tabix index"));
}

static void many_blocks(void **state)
{
    (void)state;
    BGZF *b = bgzf_open("big", "w");
    char line[64];
    enum { N = 700000 };
    for (int i = 0; i < N; i++) {
        int k = snprintf(line, sizeof line, "chr1\t%d\t%d\tBARCODE%d-1\t1\n", i, i + 2, i % 1000);
        assert_int_equal(bgzf_write(b, line, (size_t)k), k);
    }
    assert_int_equal(bgzf_close(b), 0);
    for (int threads = 1; threads <= 2; threads++) {
        grn_fragments_t *f;
        const char *p;
        size_t n;
        uint64_t at, lines = 0, blocks = 0;
        assert_int_equal(sum("big", threads).bases, 2 * N);
        assert_int_equal(grn_fragments_open(&f, "big", threads), GRN_OK);
        while (grn_fragments_block(f, &p, &n, &at) > 0) {
            assert_int_equal(at, lines + 1);
            assert_int_equal(p[n - 1], '\n');
            for (size_t i = 0; i < n; i++) lines += p[i] == '\n';
            blocks++;
        }
        grn_fragments_close(f);
        assert_int_equal(lines, N);
        assert_true(blocks > 1);
    }
}

static void real_files(void **state)
{
    (void)state;
    static const struct { const char *path; uint64_t n, bases, count; } known[] = {
        { "atac/pbmc_chr22_fragments/fragments.sorted.tsv.gz", 57115, 11409900, 67421 },
        { "atac/pbmc_chr22_fragments/fragments.asshipped.tsv.gz", 57115, 11409900, 67421 },
        { "atac/archr_pbsmall/fragments.tsv.gz", 29399, 4816546, 29399 },
        { "atac/k562_multiome/atac_fragments.chr22p.tsv.gz", 4445, 959494, 6003 },
    };
    const char *data = getenv("GRN_DATA");
    char path[4096];
    snprintf(path, sizeof path, "%s/atac", data ? data : "");
    FILE *f = fopen(path, "r");
    if (!data || !f) skip();
    fclose(f);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        snprintf(path, sizeof path, "%s/%s", data, known[i].path);
        sum_t s = sum(path, 2);
        assert_int_equal(s.rc, 0);
        assert_int_equal(s.n, known[i].n);
        assert_int_equal(s.bases, known[i].bases);
        assert_int_equal(s.count, known[i].count);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(forms), cmocka_unit_test(fields),      cmocka_unit_test(refused),
                                        cmocka_unit_test(cuts),  cmocka_unit_test(many_blocks), cmocka_unit_test(real_files) };
    return cmocka_run_group_tests_name("fragments", tests, NULL, NULL);
}
