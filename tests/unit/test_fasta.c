/* io/fasta: plain, bgzip, gzip; indexes made, kept, stale; refusals; real genomes. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include <htslib/bgzf.h>
#include <zlib.h>

#include "io/fasta.h"

static const char *put(const char *path, const char *text)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
    return path;
}

static const char text[] = ">chr1 some words\nACGTN\nacgtR\nUU\n>2\nTTT\n";

static void check(const char *path, int unpacked)
{
    grn_fasta_t *f;
    uint8_t out[16];
    assert_int_equal(grn_fasta_open(&f, path), GRN_OK);
    assert_int_equal(grn_fasta_names(f)->n, 2);
    assert_string_equal(grn_names_get(grn_fasta_names(f), 0), "chr1");
    assert_int_equal(grn_fasta_len(f, 0), 12);
    assert_int_equal(grn_fasta_len(f, 1), 3);
    assert_int_equal(grn_fasta_unpacked(f), unpacked);
    assert_int_equal(grn_fasta_fetch(f, 0, 0, 12, 0, out), GRN_OK);
    assert_memory_equal(out, "\0\1\2\3\4\0\1\2\3\4\3\3", 12);
    assert_int_equal(grn_fasta_fetch(f, 0, 3, 7, 1, out), GRN_OK); /* T N then masked a c */
    assert_memory_equal(out, "\3\4\4\4", 4);
    assert_int_equal(grn_fasta_fetch(f, 1, 2, 3, 0, out), GRN_OK);
    assert_int_equal(out[0], 3);
    assert_int_equal(grn_fasta_fetch(f, 1, 3, 3, 0, out), GRN_OK); /* nothing */
    assert_int_equal(grn_fasta_fetch(f, 1, 2, 4, 0, out), GRN_EINVAL);
    assert_non_null(strstr(grn_err_msg(), "2:2-4"));
    grn_fasta_close(f);
}

static void forms(void **s)
{
    (void)s;
    check(put("a.fa", text), 0);
    assert_int_equal(access("a.fa.fai", R_OK), 0);
    check("a.fa", 0); /* by its index now */
    BGZF *b = bgzf_open("b.fa.gz", "w");
    assert_int_equal(bgzf_write(b, text, sizeof text - 1), sizeof text - 1);
    assert_int_equal(bgzf_close(b), 0);
    check("b.fa.gz", 0);
    assert_int_equal(access("b.fa.gz.gzi", R_OK), 0);
    check("b.fa.gz", 0);
    gzFile g = gzopen("g.fa.gz", "wb");
    assert_int_equal(gzwrite(g, text, sizeof text - 1), sizeof text - 1);
    gzclose(g);
    check("g.fa.gz", 1);
    assert_true(access("g.fa.gz.fai", F_OK) != 0);
}

static void indexes(void **s)
{
    (void)s;
    grn_fasta_t *f;
    put("old.fa", ">x\nAAAA\n");
    assert_int_equal(grn_fasta_open(&f, "old.fa"), GRN_OK);
    grn_fasta_close(f);
    put("old.fa", ">y\nCCCCCC\n"); /* the index is older now: it is made again */
    struct timespec past[2] = { { 1000000000, 0 }, { 1000000000, 0 } };
    assert_int_equal(utimensat(AT_FDCWD, "old.fa.fai", past, 0), 0);
    assert_int_equal(grn_fasta_open(&f, "old.fa"), GRN_OK);
    assert_string_equal(grn_names_get(grn_fasta_names(f), 0), "y");
    assert_int_equal(grn_fasta_len(f, 0), 6);
    grn_fasta_close(f);
    if (geteuid() != 0) { /* root writes anywhere */
        mkdir("ro", 0755);
        put("ro/a.fa", text);
        chmod("ro", 0555);
        check("ro/a.fa", 0);
        assert_true(access("ro/a.fa.fai", F_OK) != 0);
        chmod("ro", 0755);
    }
}

static void refused(void **s)
{
    (void)s;
    grn_fasta_t *f;
    assert_int_equal(grn_fasta_open(&f, "absent.fa"), GRN_EIO);
    assert_int_equal(grn_fasta_open(&f, put("e.fa", "")), GRN_EFORMAT);
    assert_int_equal(grn_fasta_open(&f, put("n.fa", "chr1\t1\t2\n")), GRN_EFORMAT);
    assert_non_null(strstr(grn_err_msg(), "not FASTA"));
    assert_int_equal(grn_fasta_open(&f, put("ragged.fa", ">x\nAC\nACGT\nAC\n")), GRN_EFORMAT);
    assert_non_null(strstr(grn_err_msg(), "ragged.fa"));
    assert_true(access("ragged.fa.fai", F_OK) != 0);
    /* shorter than its index says */
    put("short.fa", ">x\nACGTACGT\n");
    assert_int_equal(grn_fasta_open(&f, "short.fa"), GRN_OK);
    grn_fasta_close(f);
    put("short.fa", ">x\nACG");
    struct timespec future[2] = { { 4000000000, 0 }, { 4000000000, 0 } };
    assert_int_equal(utimensat(AT_FDCWD, "short.fa.fai", future, 0), 0);
    uint8_t out[8];
    assert_int_equal(grn_fasta_open(&f, "short.fa"), GRN_OK);
    assert_int_equal(grn_fasta_fetch(f, 0, 0, 8, 0, out), GRN_ETRUNC);
    grn_fasta_close(f);
}

static void cuts(void **s)
{
    (void)s;
    static char bytes[1 << 18];
    BGZF *b = bgzf_open("c.fa.gz", "w");
    assert_int_equal(bgzf_write(b, ">x\n", 3), 3);
    for (unsigned i = 0; i < 6000; i++) { /* several blocks that do not compress well */
        char line[34];
        for (unsigned k = 0; k < 32; k++) line[k] = "ACGT"[(i * 2654435761u * (k + 7) >> 13) & 3];
        line[32] = '\n';
        assert_int_equal(bgzf_write(b, line, 33), 33);
    }
    assert_int_equal(bgzf_close(b), 0);
    FILE *f = fopen("c.fa.gz", "rb");
    size_t n = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    assert_true(n > 1000 && n < sizeof bytes);
    for (size_t k = 20; k < n; k += k + 40 < n ? n / 50 : 1) {
        grn_fasta_t *fa;
        f = fopen("cut.fa.gz", "wb");
        assert_int_equal(fwrite(bytes, 1, k, f), k);
        fclose(f);
        unlink("cut.fa.gz.fai");
        assert_true(grn_fasta_open(&fa, "cut.fa.gz") < 0);
        assert_non_null(strstr(grn_err_msg(), "cut.fa.gz"));
    }
}

static void real_files(void **s)
{
    (void)s;
    const char *data = getenv("GRN_DATA");
    char path[4096];
    snprintf(path, sizeof path, "%s/atac/genomes/sacCer3.fa.gz", data ? data : "");
    if (!data || access(path, R_OK) != 0) skip();
    grn_fasta_t *f;
    uint8_t out[30];
    assert_int_equal(grn_fasta_open(&f, path), GRN_OK);
    assert_int_equal(grn_fasta_names(f)->n, 17);
    assert_int_equal(grn_fasta_len(f, 0), 230218);
    assert_int_equal(grn_fasta_fetch(f, 0, 45, 65, 0, out), GRN_OK); /* ...CACACC|CACACACACACATCC */
    assert_memory_equal(out, "\0\1\0\1\1\1\0\1\0\1\0\1\0\1\0\1\0\3\1\1", 20);
    grn_fasta_close(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(forms), cmocka_unit_test(indexes), cmocka_unit_test(refused),
                                        cmocka_unit_test(cuts), cmocka_unit_test(real_files) };
    return cmocka_run_group_tests_name("fasta", tests, NULL, NULL);
}
