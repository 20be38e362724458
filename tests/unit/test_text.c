/* io/text: every compression, every way a stream can be cut, and the number scanners. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <zlib.h>
#include <zstd.h>

#include "io/text.h"

static void put(const char *path, const void *p, size_t n)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(p, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

/* One gzip member; with bgzf != 0 the BC extra field is put in. */
static size_t gz(unsigned char *out, size_t cap, const char *text, size_t n, int bgzf)
{
    z_stream z = { 0 };
    gz_header h = { 0 };
    unsigned char extra[6] = { 'B', 'C', 2, 0, 0, 0 };
    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    if (bgzf) h.extra = extra, h.extra_len = 6, assert_int_equal(deflateSetHeader(&z, &h), Z_OK);
    z.next_in = (unsigned char *)(uintptr_t)text;
    z.avail_in = (uInt)n;
    z.next_out = out;
    z.avail_out = (uInt)cap;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    size_t got = cap - z.avail_out;
    deflateEnd(&z);
    return got;
}

/* Reads all lines joined with '|'; returns the last answer of grn_text_next or of open. */
static int slurp(const char *path, char *out, size_t cap)
{
    grn_text_t *t;
    char *line;
    size_t n, used = 0;
    out[0] = 0;
    int rc = grn_text_open(&t, path);
    if (rc != GRN_OK) return rc;
    while ((rc = grn_text_next(t, &line, &n)) == 1) {
        assert_int_equal(strlen(line), n);
        if (used + n + 2 < cap) used += (size_t)snprintf(out + used, cap - used, "%s|", line);
    }
    grn_text_close(t);
    return rc;
}

static void expect(const char *bytes, size_t n, const char *want)
{
    char got[4096];
    put("f", bytes, n);
    assert_int_equal(slurp("f", got, sizeof got), 0);
    assert_string_equal(got, want);
}
#define EXPECT(s, want) expect(s, sizeof s - 1, want)

static void plain(void **s)
{
    (void)s;
    EXPECT("", "");
    EXPECT("a\nb\n", "a|b|");
    EXPECT("a\nb", "a|b|");
    EXPECT("a\r\nb\r\n", "a|b|");
    EXPECT("a\r\nb\r", "a|b|");
    EXPECT("\n\na\n", "||a|");
    EXPECT("\xef\xbb\xbf"
           "a\tb\n",
           "a\tb|");
    char got[256];
    put("f", "ab\nc\0d\ne\n", 9);
    assert_int_equal(slurp("f", got, sizeof got), GRN_EFORMAT);
    assert_string_equal(got, "ab|");
    assert_string_equal(grn_err_msg(),
                        "'f' line 2: a NUL byte: this is no text (binary, or UTF-16?)");
    put("f", "\x89HDF\r\n\x1a\n....", 12);
    assert_int_equal(slurp("f", got, sizeof got), GRN_EFORMAT);
    assert_string_equal(grn_err_msg(), "'f' is an HDF5 file; text was expected");
    assert_int_equal(slurp("missing", got, sizeof got), GRN_EIO);
    assert_int_equal(slurp(".", got, sizeof got), GRN_EIO);
}

/* A text of numbered lines longer than every buffer. */
static char *big_text(size_t *n)
{
    size_t cap = 3 << 20, used = 0;
    char *s = malloc(cap);
    assert_non_null(s);
    for (int i = 0; i < 150000; i++)
        used += (size_t)snprintf(s + used, cap - used, "line\t%d\n", i);
    *n = used;
    return s;
}

static void check_big(const char *path)
{
    grn_text_t *t;
    char *line, want[32];
    int i = 0, rc;
    const char *p;
    size_t n;
    assert_int_equal(grn_text_open(&t, path), GRN_OK);
    assert_int_equal(grn_text_peek(t, 6, &p, &n), GRN_OK);
    assert_int_equal(n, 6);
    assert_memory_equal(p, "line\t0", 6);
    while ((rc = grn_text_next(t, &line, NULL)) == 1) {
        snprintf(want, sizeof want, "line\t%d", i++);
        if (strcmp(line, want) != 0) fail_msg("line %d is '%s'", i, line);
    }
    assert_int_equal(rc, 0);
    assert_int_equal(i, 150000);
    assert_int_equal(grn_text_line(t), 150000);
    grn_text_close(t);
}

static void compressed(void **s)
{
    (void)s;
    size_t n, m, cap = 4 << 20;
    char *text = big_text(&n);
    unsigned char *z = malloc(cap);
    put("f", text, n);
    check_big("f");
    put("f", z, gz(z, cap, text, n, 0));
    check_big("f");
    m = gz(z, cap, text, 1000003, 0); /* two members, cut in a line */
    m += gz(z + m, cap - m, text + 1000003, n - 1000003, 0);
    put("f", z, m);
    check_big("f");
    memset(z + m, 0, 700); /* tape padding */
    put("f", z, m + 700);
    check_big("f");
    memcpy(z + m, "junk", 4);
    put("f", z, m + 4);
    char got[8];
    assert_int_equal(slurp("f", got, sizeof got), GRN_EFORMAT);
    assert_string_equal(grn_err_msg(),
                        "'f': bytes after the end of the gzip data that are no gzip member");
    m = gz(z, cap, text, n, 1); /* bgzf wants its empty last block */
    put("f", z, m);
    assert_int_equal(slurp("f", got, sizeof got), GRN_ETRUNC);
    assert_string_equal(grn_err_msg(), "'f' is truncated: its bgzf end-of-file block is missing");
    m += gz(z + m, cap - m, "", 0, 1);
    put("f", z, m);
    check_big("f");
    m = ZSTD_compress(z, cap, text, 500000, 1);
    m += ZSTD_compress(z + m, cap - m, text + 500000, n - 500000, 1);
    put("f", z, m);
    check_big("f");
    free(z);
    free(text);
}

/* A small file of each compression, cut at every length: only the whole one is read. */
static void cuts(void **s)
{
    (void)s;
    static const char text[] = "chr1\t100\t200\nchr1\t150\t250\nchr2\t1\t2\n";
    unsigned char z[4096];
    char got[256];
    for (int kind = 0; kind < 3; kind++) {
        size_t n = kind == 2 ? ZSTD_compress(z, sizeof z, text, sizeof text - 1, 3)
                             : gz(z, sizeof z, text, sizeof text - 1, kind);
        if (kind == 1) n += gz(z + n, sizeof z - n, "", 0, 1);
        for (size_t cut = 6; cut < n; cut++) {
            put("f", z, cut);
            int rc = slurp("f", got, sizeof got);
            if (rc != GRN_ETRUNC)
                fail_msg("kind %d cut at %zu of %zu: %d %s", kind, cut, n, rc, grn_err_msg());
        }
        put("f", z, n);
        assert_int_equal(slurp("f", got, sizeof got), 0);
        if (kind == 2) continue;
        z[n - (kind == 1 ? 20 : 1) - 6] ^=
            1; /* in the checksum or the data: refused, whatever zlib calls it */
        put("f", z, n);
        assert_true(slurp("f", got, sizeof got) < 0);
    }
}

static void one_number(const char *text, int ok, double want, const char *rest)
{
    const char *p = text;
    double v = -77;
    assert_int_equal(grn_scan_f64(&p, &v), ok);
    if (!ok) return;
    if (isnan(want) ? !isnan(v) : v != want)
        fail_msg("'%s' read as %.17g, not %.17g", text, v, want);
    assert_string_equal(p, rest);
}

static void numbers(void **s)
{
    (void)s;
    one_number("12\t3", 1, 12, "\t3");
    one_number("-0.5,", 1, -0.5, ",");
    one_number("+1e3", 1, 1000, "");
    one_number("1.e-2x", 1, 0.01, "x");
    one_number(".25", 1, 0.25, "");
    one_number("0.1", 1, 0.1, "");
    one_number("123456789012345678901234567890", 1, 123456789012345678901234567890.0, "");
    one_number("2.2250738585072014e-308", 1, 2.2250738585072014e-308, "");
    one_number("0.30000000000000004", 1, 0.30000000000000004, "");
    one_number("000000000000000000000000000001.5", 1, 1.5, "");
    one_number("9007199254740993", 1, 9007199254740992.0, "");
    one_number("NaN", 1, NAN, "");
    one_number("NA", 1, NAN, "");
    one_number("-Inf", 1, -INFINITY, "");
    one_number("", 0, 0, "");
    one_number("-", 0, 0, "");
    one_number(".", 0, 0, "");
    one_number("abc", 0, 0, "");
    one_number("1e", 0, 0, "");
    const char *p = "42 7";
    uint64_t u;
    assert_int_equal(grn_scan_u64(&p, &u), 1);
    assert_int_equal(u, 42);
    assert_string_equal(p, " 7");
    p = "-1";
    assert_int_equal(grn_scan_u64(&p, &u), 0);
    p = "99999999999999999999";
    assert_int_equal(grn_scan_u64(&p, &u), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(plain), cmocka_unit_test(compressed),
                                        cmocka_unit_test(cuts), cmocka_unit_test(numbers) };
    return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
