/* grn-build's pass over fragments: bgzip spans with lines cut at their borders, against the plain file and for several workers; errors
 * with their line; names; regions through an index. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <htslib/bgzf.h>
#include <htslib/tbx.h>

#include "base/mem.h"
#include "base/rng.h"
#include "grn-build/fragpass.h"
#include "grn-build/intern.h"
#include "io/bgzf.h"

static void put(const char *path, const void *p, size_t n)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(p, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

static void put_bgzf(const char *path, const char *p, size_t n)
{
    BGZF *b = bgzf_open(path, "w");
    assert_non_null(b);
    assert_int_equal(bgzf_write(b, p, n), n);
    assert_int_equal(bgzf_close(b), 0);
}

/* What the workers see, as sums that do not depend on the order. */
typedef struct {
    grn_fragpass_t *p;
    uint64_t n, hash;
} seen_t;

static uint64_t fragment_hash(const char *cell, const char *chrom, uint64_t start, uint64_t end, uint64_t count)
{
    char text[2200];
    snprintf(text, sizeof text, "%s %s %llu %llu %llu", cell, chrom, (unsigned long long)start, (unsigned long long)end,
             (unsigned long long)count);
    return grn_hash_str(text);
}

/* Names may move while others are added, so numbers are kept and looked up at the end. */
typedef struct {
    grn_frag_t *f;
    size_t n, cap;
} kept_t;

static grn_status keep(void *ctx, const grn_frag_t *f, size_t n, int worker)
{
    kept_t *k = (kept_t *)ctx + worker;
    assert_true(n >= 1 && n <= GRN_FRAG_BATCH);
    if (k->n + n > k->cap) {
        k->cap = 2 * (k->n + n);
        k->f = realloc(k->f, k->cap * sizeof *k->f);
        assert_non_null(k->f);
    }
    memcpy(k->f + k->n, f, n * sizeof *f);
    k->n += n;
    return GRN_OK;
}

static grn_status pass(grn_fragpass_t *p, const char *path, int workers, seen_t *s)
{
    grn_par_t *pool;
    kept_t kept[8] = { { 0, 0, 0 } };
    assert_int_equal(grn_par_create(&pool, workers), GRN_OK);
    grn_status rc = grn_fragpass_run(p, path, "", "", pool, keep, kept);
    *s = (seen_t){ p, 0, 0 };
    for (int w = 0; w < workers; w++) {
        for (size_t i = 0; i < kept[w].n; i++) {
            grn_frag_t f = kept[w].f[i];
            const char *chrom = f.chrom == GRN_FRAG_NO_CHROM ? "none" : grn_names_get(&p->chroms, f.chrom);
            s->hash += fragment_hash(grn_names_get(&p->cells, f.cell), chrom, f.start, f.end, f.count);
            s->n++;
        }
        free(kept[w].f);
    }
    grn_par_destroy(pool);
    return rc;
}

static char *text;
static size_t text_n;
static uint64_t want_hash, want_n;

/* 60,000 lines, 2 MB: several spans. Barcodes of 1 to 40 bytes, chromosomes that change, comments, CRLF, no count, no last newline. */
static void make_text(void)
{
    grn_rng_t rng;
    size_t cap = 8 << 20;
    if (text) return;
    text = malloc(cap);
    assert_non_null(text);
    grn_rng_init(&rng, 1, "test.fragpass", 0);
    for (int i = 0; i < 60000; i++) {
        char cell[64], chrom[64];
        uint32_t c = (uint32_t)grn_rng_below(&rng, 3000), start = (uint32_t)grn_rng_below(&rng, i % 3 ? 250000000 : 120),
                 end = start + 1 + (uint32_t)grn_rng_below(&rng, 900), count = 1 + (uint32_t)grn_rng_below(&rng, i % 50 ? 5 : 100000);
        snprintf(cell, sizeof cell, "%.*sC%u%s", (int)(c % 36), "ACGTACGTACGTACGTACGTACGTACGTACGTACGTACGT", c, c % 2 ? "-1" : "");
        snprintf(chrom, sizeof chrom, i % 977 ? "chr%d" : "a_chromosome_with_a_long_name_%d", i / 100 % 7);
        if (i % 1000 == 0) text_n += (size_t)snprintf(text + text_n, cap - text_n, "# comment\n\n");
        int no_count = i % 7 == 0;
        text_n += (size_t)snprintf(text + text_n, cap - text_n, "%s\t%u\t%u\t%s", chrom, start, end, cell);
        if (!no_count) text_n += (size_t)snprintf(text + text_n, cap - text_n, "\t%u%s", count, i % 11 ? "" : "\textra");
        text_n += (size_t)snprintf(text + text_n, cap - text_n, i == 59999 ? "" : i % 13 ? "\n" : "\r\n");
        want_hash += fragment_hash(cell, chrom, start, end, no_count ? 1 : count);
        want_n++;
    }
}

static void every_form(void **state)
{
    (void)state;
    make_text();
    put("f.tsv", text, text_n);
    put_bgzf("f.gz", text, text_n);
    const char *paths[] = { "f.tsv", "f.gz" };
    for (int k = 0; k < 2; k++)
        for (int workers = 1; workers <= 4; workers += 3) {
            grn_fragpass_t p = { 0 };
            seen_t s;
            assert_int_equal(pass(&p, paths[k], workers, &s), GRN_OK);
            assert_int_equal(s.n, want_n);
            assert_true(s.hash == want_hash);
            assert_int_equal(p.n_lines, want_n);
            assert_int_equal(p.n_no_count, 60000 / 7 + 1);
            assert_int_equal(p.cells.n, 3000);
            grn_fragpass_clear(&p);
        }
}

static void errors_name_the_line(void **state)
{
    (void)state;
    make_text();
    char *bad = malloc(text_n + 1), want[64];
    assert_non_null(bad);
    for (uint64_t line = 2; line < 60000; line += 7919) {
        memcpy(bad, text, text_n);
        char *at = bad;
        for (uint64_t i = 1; i < line; i++) at = strchr(at, '\n') + 1;
        while (*at == '#' || *at == '\n') at = strchr(at, '\n') + 1, line++;
        *(char *)memchr(at, '\t', 64) = ' ';
        put("bad.tsv", bad, text_n);
        put_bgzf("bad.gz", bad, text_n);
        snprintf(want, sizeof want, "line %llu: ", (unsigned long long)line);
        for (int k = 0; k < 4; k++) {
            grn_fragpass_t p = { 0 };
            seen_t s;
            assert_int_equal(pass(&p, k / 2 ? "bad.gz" : "bad.tsv", k % 2 ? 3 : 1, &s), GRN_EFORMAT);
            assert_non_null(strstr(grn_err_msg(), want));
            grn_fragpass_clear(&p);
        }
    }
    free(bad);
}

static void refuse(const char *line, const char *message)
{
    grn_fragpass_t p = { 0 };
    seen_t s;
    put("one.tsv", line, strlen(line));
    assert_int_equal(pass(&p, "one.tsv", 1, &s), GRN_EFORMAT);
    if (!strstr(grn_err_msg(), message)) fail_msg("'%s' instead of '%s'", grn_err_msg(), message);
    grn_fragpass_clear(&p);
}

static void bad_lines(void **state)
{
    (void)state;
    refuse("chr1\t5\t5\tA\t1\n", "line 1: end 5 is not behind start 5");
    refuse("chr1\t5\t99999999999\tA\t1\n", "99999999999 in column 3 is beyond 4,294,967,295");
    refuse("chr1\t5\t6\tA\t5000000000\n", "5000000000 in column 5 is beyond");
    refuse("chr1\t5\t6\t\t1\n", "the barcode (column 4) is empty");
    refuse("chr1\t5\t6\tA\tx\n", "the count (column 5)");
    refuse("chr1\t5\t6\tA\t1x\n", "the count (column 5)");
    refuse("chr1\t-5\t6\tA\t1\n", "the start (column 2)");
    refuse("\t5\t6\tA\t1\n", "the chromosome is empty");
    refuse("chr1\t5\t6\tA\t1\nchr1\t5\t6\n", "line 2: the end (column 3)");
    grn_fragpass_t p = { 0 };
    seen_t s;
    put("nul.tsv", "chr1\t5\t6\tA\0B\t1\n", 16);
    assert_int_equal(pass(&p, "nul.tsv", 1, &s), GRN_EFORMAT);
    grn_fragpass_clear(&p);
    char wide[4096];
    int n = snprintf(wide, sizeof wide, "chr1\t5\t6\t%01500d\t1\n", 7);
    put("wide.tsv", wide, (size_t)n);
    assert_int_equal(pass(&p, "wide.tsv", 1, &s), GRN_EFORMAT);
    assert_non_null(strstr(grn_err_msg(), "line 1: a barcode of more than 1024 bytes"));
    grn_fragpass_clear(&p);
}

static void damage(void **state)
{
    (void)state;
    make_text();
    put_bgzf("f.gz", text, text_n);
    FILE *f = fopen("f.gz", "rb");
    static unsigned char all[4 << 20];
    size_t n = fread(all, 1, sizeof all, f);
    fclose(f);
    size_t second = (size_t)(all[16] | all[17] << 8) + 1; /* where block 2 begins */
    struct {
        size_t at;
        const char *what;
    } flips[] = { { 100, "the bgzip block at byte 0 " },
                  { second, "no bgzip block at byte " },
                  { second - 8, "the bgzip block at byte 0 does not match its checksum" } };
    for (size_t k = 0; k < 3; k++) {
        grn_fragpass_t p = { 0 };
        seen_t s;
        all[flips[k].at] ^= 0x55;
        put("flip.gz", all, n);
        all[flips[k].at] ^= 0x55;
        assert_int_equal(pass(&p, "flip.gz", 2, &s), GRN_EFORMAT);
        assert_non_null(strstr(grn_err_msg(), flips[k].what));
        grn_fragpass_clear(&p);
    }
    for (size_t cut = 1; cut < n; cut = cut * 3 + 1) { /* also in front of the last block */
        grn_fragpass_t p = { 0 };
        seen_t s;
        put("cut.gz", all, n - cut);
        assert_true(pass(&p, "cut.gz", 2, &s) == GRN_ETRUNC);
        grn_fragpass_clear(&p);
    }
    /* A file whose end is right but whose middle lacks half a block. */
    grn_fragpass_t p = { 0 };
    seen_t s;
    memmove(all + second + 50, all + n - 28, 28);
    put("hole.gz", all, second + 50 + 28);
    assert_true(pass(&p, "hole.gz", 2, &s) < 0);
    grn_fragpass_clear(&p);
    put_bgzf("empty.gz", "", 0);
    assert_int_equal(pass(&p, "empty.gz", 2, &s), GRN_OK);
    assert_int_equal(s.n, 0);
    grn_fragpass_clear(&p);
}

static void names(void **state)
{
    (void)state;
    const char lines[] = "1\t5\t6\tA-1\nchr2\t5\t6\tA-2\nchrZ\t5\t6\tB-1\nchrY\t1\t2\tX-1\nchrY\t1\t2\tW-1\nchrZ\t1\t2\tA-1\n";
    put("n.tsv", lines, sizeof lines - 1);
    for (int lost = 0; lost < 2; lost++) {
        grn_fragpass_t p = { .strip_suffix = 1, .listed_only = 1, .chroms_only = 1, .keep_no_chrom = lost };
        seen_t s;
        assert_int_equal(grn_names_add(&p.cells, "A", NULL, NULL), GRN_OK);
        assert_int_equal(grn_names_add(&p.cells, "B", NULL, NULL), GRN_OK);
        assert_int_equal(grn_names_add(&p.chroms, "chr1", NULL, NULL), GRN_OK);
        assert_int_equal(grn_names_add(&p.chroms, "2", NULL, NULL), GRN_OK);
        assert_int_equal(pass(&p, "n.tsv", 2, &s), GRN_OK);
        assert_int_equal(s.n, lost ? 4 : 2);
        assert_int_equal(p.n_fragments, s.n);
        assert_int_equal(p.n_lines, 6);
        assert_int_equal(p.n_unlisted, 2);
        assert_int_equal(p.n_no_chrom, 4);
        assert_int_equal(p.cells.n, 2);
        assert_string_equal(grn_names_get(&p.lost_chroms, 0), "chrY");
        assert_string_equal(grn_names_get(&p.lost_chroms, 1), "chrZ");
        assert_int_equal(p.renamed_chroms.n, 2);
        assert_string_equal(grn_names_get(&p.unlisted, 0), "X");
        uint64_t want = fragment_hash("A", "chr1", 5, 6, 1) + fragment_hash("A", "2", 5, 6, 1);
        if (lost) want += fragment_hash("B", "none", 5, 6, 1) + fragment_hash("A", "none", 1, 2, 1);
        assert_true(s.hash == want);
        grn_fragpass_clear(&p);
    }
}

static void regions(void **state)
{
    (void)state;
    const char lines[] = "chr1\t10\t20\tA\nchr1\t15\t40\tB\nchr1\t40\t50\tC\nchr1\t100000\t100100\tD\nchr2\t10\t20\tE\n";
    struct {
        const char *region;
        uint64_t n;
    } ask[] = { { "chr1", 4 }, { "chr1:1-10", 0 }, { "chr1:11-11", 1 }, { "chr1:20-41", 3 }, { "chr1:1,000-100,001", 1 },
                { "2", 1 }, { "chr2:5", 1 } };
    put_bgzf("t.gz", lines, sizeof lines - 1);
    grn_fragpass_t none = { .region = "chr1" };
    seen_t s;
    remove("t.gz.tbi");
    assert_int_equal(pass(&none, "t.gz", 1, &s), GRN_EUSAGE);
    assert_non_null(strstr(grn_err_msg(), "(.tbi)"));
    grn_fragpass_clear(&none);
    assert_int_equal(tbx_index_build("t.gz", 0, &tbx_conf_bed), 0);
    for (size_t k = 0; k < sizeof ask / sizeof *ask; k++) {
        grn_fragpass_t p = { .region = ask[k].region };
        assert_int_equal(pass(&p, "t.gz", 1, &s), GRN_OK);
        assert_int_equal(s.n, ask[k].n);
        grn_fragpass_clear(&p);
    }
    const char *bad[] = { "chr3", "chr1:x", "chr1:5-2", "chr1:0-2", "chr1:5-" };
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
        grn_fragpass_t p = { .region = bad[k] };
        assert_int_equal(pass(&p, "t.gz", 1, &s), GRN_EUSAGE);
        grn_fragpass_clear(&p);
    }
}

/* Texts of every length around the inline limit, each twice. */
static grn_status count_new(void *ctx, const char *s, size_t n, uint32_t *value)
{
    (void)s;
    (void)n;
    *value = (*(uint32_t *)ctx)++;
    return GRN_OK;
}

static void interning(void **state)
{
    (void)state;
    grn_intern_t t;
    uint32_t n = 0, v;
    assert_int_equal(grn_intern_init(&t, count_new, &n), GRN_OK);
    for (int turn = 0; turn < 2; turn++)
        for (uint32_t i = 0; i < 5000; i++) {
            char buf[128] = { 0 };
            grn_intern_key_t a, b;
            int len = snprintf(buf, 64, "%0*u", (int)(4 + i % 40), i);
            grn_intern_key(&a, buf, (size_t)len);
            buf[len] = '\t';
            buf[len + 1] = 'x'; /* what is behind does not matter */
            assert_true(grn_intern_key_to_control(&b, buf) == buf + len);
            assert_true(a.n == b.n && a.hash == b.hash && !memcmp(a.w, b.w, sizeof a.w));
            assert_int_equal(grn_intern_find(&t, &b, &v), GRN_OK);
            assert_int_equal(v, i);
        }
    assert_int_equal(n, 5000);
    grn_intern_clear(&t);
}

static grn_status no_work(void *ctx, const grn_frag_t *f, size_t n, int worker)
{
    (void)ctx, (void)f, (void)n, (void)worker;
    return GRN_OK;
}

/* The n-th allocation fails, for every n up to the first run that needs fewer. */
static void memory_runs_out(void **state)
{
    (void)state;
    make_text();
    put_bgzf("some.gz", text, 20000);
    put("some.tsv", text, 20000);
    for (int k = 0; k < 2; k++) {
        grn_status rc = GRN_ENOMEM;
        int n = 0;
        while (rc == GRN_ENOMEM && ++n < 1000) {
            grn_fragpass_t p = { 0 };
            grn_mem_fail_after(n);
            rc = grn_fragpass_run(&p, k ? "some.gz" : "some.tsv", "", "", NULL, no_work, NULL);
            grn_mem_fail_after(0);
            grn_fragpass_clear(&p);
        }
        assert_true(n > 20);
        assert_true(rc == GRN_OK || rc == GRN_EFORMAT); /* the text is cut in its last line */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_form), cmocka_unit_test(errors_name_the_line), cmocka_unit_test(bad_lines),
                                        cmocka_unit_test(damage),     cmocka_unit_test(names),                cmocka_unit_test(regions),
                                        cmocka_unit_test(interning),  cmocka_unit_test(memory_runs_out) };
    int rc = cmocka_run_group_tests_name("fragpass", tests, NULL, NULL);
    free(text);
    return rc;
}
