/* io/container: what is written is read, in whole and in part; every damaged byte and every cut is
 * refused. */
#include <math.h>
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
#include <xxhash.h>
#include <zstd.h>

#include "base/mem.h"
#include "base/opt.h"
#include "base/rng.h"
#include "io/container.h"
#include "io/prov.h"

#define OK(x) assert_int_equal((x), GRN_OK)
#define FRAME ((size_t)4 << 20)

static unsigned char *slurp(const char *path, size_t *n)
{
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    fseek(f, 0, SEEK_END);
    *n = (size_t)ftell(f);
    rewind(f);
    unsigned char *p = malloc(*n + 1);
    assert_int_equal(fread(p, 1, *n, f), *n);
    fclose(f);
    return p;
}

static void put(const char *path, const void *p, size_t n)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(p, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

static void put_at(const char *path, const void *p, size_t n)
{
    FILE *f = fopen(path, "r+b");
    assert_non_null(f);
    assert_int_equal(fwrite(p, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

static int same_files(const char *a, const char *b)
{
    size_t n, m;
    unsigned char *p = slurp(a, &n), *q = slurp(b, &m);
    int same = n == m && memcmp(p, q, n) == 0;
    free(p);
    free(q);
    return same;
}

static void write_small(const char *path, grn_par_t *pool)
{
    grn_cw_t *w;
    const float x[6] = { 1, 2, 3, 4, 5, 6 };
    const uint64_t shape[2] = { 2, 3 };
    const uint32_t id[3] = { 7, 8, 4000000000u };
    grn_names_t d = { 0 };
    OK(grn_names_add(&d, "SPI1", NULL, NULL));
    OK(grn_names_add(&d, "\xce\xb2-catenin \"q\"", NULL, NULL));
    OK(grn_cw_open(&w, path, "grn.test/1", pool));
    OK(grn_cw_meta(w, "note", "two\nlines \"quoted\""));
    OK(grn_cw_names(w, "names.gene", &d));
    OK(grn_cw_tensor(w, "x", GRN_F32, 2, shape, x));
    OK(grn_cw_vec(w, "id", GRN_U32, 3, id));
    OK(grn_cw_vec(w, "none", GRN_F64, 0, NULL));
    OK(grn_cw_tensor(w, "scalar", GRN_F64, 0, NULL, &(double){ 2.5 }));
    OK(grn_cw_commit(w));
    grn_names_clear(&d);
}

/* Opens, checks and reads everything; the first failure. */
static grn_status read_all(const char *path)
{
    grn_cr_t *r;
    grn_status rc = grn_cr_open(&r, path, NULL);
    if (rc) return rc;
    rc = grn_cr_check(r);
    for (size_t i = 0; i < grn_cr_n_tensors(r) && !rc; i++) {
        void *p;
        rc = grn_cr_load(r, grn_cr_tensor_at(r, i), &p);
        if (!rc) free(p);
    }
    grn_cr_close(r);
    return rc;
}

static void round_trip(void **s)
{
    (void)s;
    grn_cr_t *r;
    const grn_tensor_info_t *t;
    void *p;
    grn_names_t d = { 0 };
    write_small("a", NULL);
    OK(grn_cr_open(&r, "a", NULL));
    assert_string_equal(grn_cr_schema(r), "grn.test/1");
    assert_string_equal(grn_cr_meta(r, "note"), "two\nlines \"quoted\"");
    assert_string_equal(grn_cr_meta(r, "seed"), "1");
    assert_null(grn_cr_meta(r, "nothing"));
    assert_int_equal(grn_cr_n_tensors(r), 5);
    /* element size descending, then name */
    const char *const order[] = { "none", "scalar", "id", "x", "names.gene" };
    for (size_t i = 0; i < 5; i++) assert_string_equal(grn_cr_tensor_at(r, i)->name, order[i]);
    OK(grn_cr_need(r, "x", GRN_F32, 2, &t));
    assert_int_equal(t->shape[0], 2);
    assert_int_equal(t->shape[1], 3);
    OK(grn_cr_load(r, t, &p));
    assert_true(((float *)p)[5] == 6);
    free(p);
    float part[2];
    OK(grn_cr_read(r, t, 8, part, 8));
    assert_true(part[0] == 3 && part[1] == 4);
    assert_int_equal(grn_cr_read(r, t, 20, part, 8), GRN_EINVAL);
    assert_int_equal(grn_cr_read(r, t, UINT64_MAX, part, 2), GRN_EINVAL);
    OK(grn_cr_need(r, "scalar", GRN_F64, 0, &t));
    OK(grn_cr_load(r, t, &p));
    assert_true(*(double *)p == 2.5);
    free(p);
    OK(grn_cr_load_names(r, "names.gene", &d));
    assert_int_equal(d.n, 2);
    assert_string_equal(grn_names_get(&d, 1), "\xce\xb2-catenin \"q\"");
    grn_names_clear(&d);
    assert_int_equal(grn_cr_need(r, "y", GRN_F32, 2, &t), GRN_EFORMAT);
    assert_int_equal(grn_cr_need(r, "x", GRN_F64, 2, &t), GRN_EFORMAT);
    assert_non_null(strstr(grn_err_msg(), "F32 of rank 2; expected F64 of rank 2"));
    OK(grn_cr_expect(r, "grn.test", 1));
    OK(grn_cr_expect(r, "grn.test", 2));
    assert_int_equal(grn_cr_expect(r, "grn.test", 0), GRN_EUNSUP);
    assert_int_equal(grn_cr_expect(r, "grn.tes", 1), GRN_EFORMAT);
    assert_int_equal(grn_cr_expect(r, "grn.edges", 1), GRN_EFORMAT);
    grn_cr_close(r);
    assert_int_equal(grn_cr_sniff("a"), 1);
}

/* The decompressed bytes, checked by hand against the safetensors layout. */
static void decompressed_layout(void **s)
{
    (void)s;
    size_t n;
    uint64_t head;
    write_small("a", NULL);
    unsigned char *c = slurp("a", &n), *d = malloc(1 << 16);
    size_t m = 0, at = 0;
    while (at < n) { /* frames one by one, skippable ones give nothing */
        size_t k = ZSTD_findFrameCompressedSize(c + at, n - at);
        assert_false(ZSTD_isError(k));
        size_t got = ZSTD_decompress(d + m, (1 << 16) - m, c + at, k);
        assert_false(ZSTD_isError(got));
        m += got;
        at += k;
    }
    memcpy(&head, d, 8);
    assert_int_equal((8 + head) % 8, 0);
    assert_int_equal(d[8], '{');
    assert_int_equal(d[8 + head - 1] == ' ' || d[8 + head - 1] == '}', 1);
    assert_int_equal(m, 8 + head + 0 + 8 + 12 + 24 + 5 + strlen("\xce\xb2-catenin \"q\"\n"));
    double scalar;
    memcpy(&scalar, d + 8 + head, 8);
    assert_true(scalar == 2.5);
    free(c);
    free(d);
}

static void every_cut(void **s)
{
    (void)s;
    size_t n;
    write_small("a", NULL);
    OK(read_all("a"));
    unsigned char *p = slurp("a", &n);
    for (size_t k = 0; k < n; k++) {
        put("cut", p, k);
        if (read_all("cut") == GRN_OK)
            fail_msg("a file cut to %zu of %zu bytes was accepted", k, n);
    }
    free(p);
}

static void every_flip(void **s)
{
    (void)s;
    size_t n;
    write_small("a", NULL);
    unsigned char *p = slurp("a", &n);
    put("flip", p, n);
    OK(read_all("flip"));
    for (size_t k = 0; k < n; k++)
        for (int bit = 0; bit < 9; bit += 3) { /* three single bits, and all of the byte */
            unsigned char old = p[k];
            p[k] ^= bit < 8 ? (unsigned char)(1 << bit) : 0xff;
            put_at("flip", p, n);
            if (read_all("flip") == GRN_OK)
                fail_msg("byte %zu of %zu changed from %02x to %02x was accepted", k, n, old, p[k]);
            p[k] = old;
        }
    put_at("flip", p, n);
    OK(read_all("flip"));
    free(p);
}

static void extended(void **s)
{
    (void)s;
    size_t n;
    write_small("a", NULL);
    unsigned char *p = slurp("a", &n), *q = malloc(2 * n + 16);
    memcpy(q, p, n);
    memcpy(q + n, "x", 1);
    put("more", q, n + 1);
    assert_int_not_equal(read_all("more"), GRN_OK);
    memcpy(q + n, p, n); /* two files in one */
    put("more", q, 2 * n);
    assert_int_not_equal(read_all("more"), GRN_OK);
    memcpy(q, "\x5d\x2a\x4d\x18\0\0\0\0", 8); /* an empty skippable frame in front */
    memcpy(q + 8, p, n);
    put("more", q, n + 8);
    assert_int_not_equal(read_all("more"), GRN_OK);
    put("more", p, 0);
    assert_int_equal(read_all("more"), GRN_ETRUNC);
    put("more", "hello, world: this is text and no container, however long it may be", 60);
    assert_int_equal(read_all("more"), GRN_ETRUNC);
    assert_int_equal(grn_cr_sniff("more"), 0);
    assert_int_equal(read_all("absent"), GRN_EIO);
    assert_int_equal(read_all("."), GRN_EIO);
    free(p);
    free(q);
}

/* A consistent file around any header and data: only the header's own rules can refuse it. */
static void forge(const char *path, const char *json, const void *data, size_t data_n)
{
    unsigned char raw[4096], *out = malloc(1 << 16);
    uint64_t n = strlen(json), hash[4];
    uint32_t e[12], k = 0;
    size_t at = 0;
    ZSTD_CCtx *c = ZSTD_createCCtx();
    ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, 1);
    memcpy(raw, &n, 8);
    memcpy(raw + 8, json, n);
    for (int i = 0; i < 2; i++) {
        const void *src = i ? data : raw;
        size_t src_n = i ? data_n : n + 8;
        if (!src_n) continue;
        size_t z = ZSTD_compress2(c, out + at, (1 << 16) - at, src, src_n);
        e[3 * k] = (uint32_t)z;
        e[3 * k + 1] = (uint32_t)src_n;
        memcpy(&e[3 * k + 2], out + at + z - 4, 4);
        hash[k++] = XXH3_64bits(out + at, z);
        at += z;
    }
    ZSTD_freeCCtx(c);
    size_t index_n = 40 + 8 * k, table_n = 8 + 12 * (k + 1) + 9;
    unsigned char *x = out + at, *t = x + index_n;
    uint32_t table[2] = { 0x184D2A5E, (uint32_t)table_n - 8 },
             index[2] = { 0x184D2A5D, (uint32_t)index_n - 8 }, version[2] = { 1, k };
    uint32_t last[3] = { (uint32_t)index_n, 0, (uint32_t)XXH64("", 0, 0) }, count = k + 1,
             magic = 0x8F92EAB1;
    memcpy(t, table, 8);
    memcpy(t + 8, e, 12 * k);
    memcpy(t + 8 + 12 * k, last, 12);
    memcpy(t + table_n - 9, &count, 4);
    t[table_n - 5] = 0x80;
    memcpy(t + table_n - 4, &magic, 4);
    memcpy(x, index, 8);
    memcpy(x + 8, "GRNINDEX", 8);
    memcpy(x + 16, version, 8);
    memcpy(x + 24, hash, 8 * k);
    uint64_t h = XXH3_64bits(t, table_n);
    memcpy(x + index_n - 16, &h, 8);
    h = XXH3_64bits(x, index_n - 8);
    memcpy(x + index_n - 8, &h, 8);
    put(path, out, at + index_n + table_n);
    free(out);
}

#define META "\"__metadata__\":{\"schema\":\"grn.test/1\"}"
static void refused(const char *json, size_t data_n, const char *word)
{
    static const char data[64] = "0123456789";
    forge("forged", json, data, data_n);
    if (read_all("forged") == GRN_OK) fail_msg("accepted: %s", json);
    if (!strstr(grn_err_msg(), word))
        fail_msg("'%s' should say '%s': %s", grn_err_msg(), word, json);
}

static void header_rules(void **s)
{
    (void)s;
    forge("forged", "{" META ",\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]}}",
          "abcd", 4);
    OK(read_all("forged"));
    forge("forged", "{" META "}   ", "", 0);
    OK(read_all("forged"));
    refused("{" META ",\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]}}", 5,
            "tensors take 4 bytes, the data has 5");
    refused("{" META ",\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[1,5]}}", 5, "gap");
    refused("{" META ",\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]},\"b\":{"
            "\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[2,6]}}",
            6, "overlap");
    refused("{" META ",\"a\":{\"dtype\":\"U8\",\"shape\":[5],\"data_offsets\":[0,4]}}", 4,
            "its shape 5");
    refused("{" META ",\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[4,0]}}", 4,
            "not described");
    refused("{" META ",\"a\":{\"dtype\":\"U8\",\"shape\":[-4],\"data_offsets\":[0,4]}}", 4,
            "bad shape");
    refused("{" META ",\"a\":{\"dtype\":\"U8\",\"shape\":[4.0],\"data_offsets\":[0,4]}}", 4,
            "bad shape");
    refused("{" META ",\"a\":{\"dtype\":\"F8_E4M3\",\"shape\":[4],\"data_offsets\":[0,4]}}", 4,
            "F8_E4M3");
    refused("{" META ",\"a\":{\"dtype\":\"U8\",\"shape\":[1,1,1,1,4],\"data_offsets\":[0,4]}}", 4,
            "5 dimensions");
    refused("{" META
            ",\"a\":{\"dtype\":\"U8\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,4]}}",
            4, "overflows");
    refused("{" META ",\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]},\"a\":{"
            "\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[2,4]}}",
            4, "JSON");
    refused("{" META ",\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4],\"x\":1}}", 4,
            "not described");
    refused("{" META ",\"a\":7}", 0, "not described");
    refused("{\"__metadata__\":{\"schema\":7}}", 0, "not a string");
    refused("{\"__metadata__\":{\"note\":\"7\"}}", 0, "schema");
    refused("[]", 0, "not JSON");
    refused(" {" META "}", 0, "not JSON");
    refused("{" META, 0, "JSON");
    refused("{" META "} x", 0, "JSON");
    /* a zero-size tensor at the place of another is fine */
    forge("forged",
          "{" META ",\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]},\"b\":{"
          "\"dtype\":\"F32\",\"shape\":[0,9],\"data_offsets\":[0,0]}}",
          "abcd", 4);
    OK(read_all("forged"));
}

/* Sizes around frames, written whole and in pieces, by one and by three workers: the same bytes,
 * and the same values back. */
static void frame_boundaries(void **s)
{
    (void)s;
    static const size_t size[] = { 1,         FRAME - 1,         FRAME,     FRAME + 1,
                                   2 * FRAME, 5 * FRAME + 12345, 13 * FRAME };
    grn_par_t *pool;
    OK(grn_par_create(&pool, 3));
    unsigned char *x = malloc(13 * FRAME), *y = malloc(13 * FRAME);
    for (size_t i = 0; i < 13 * FRAME; i++)
        x[i] = (unsigned char)((i * 2654435761u) >> (24 + i % 3));
    for (size_t k = 0; k < sizeof size / sizeof *size; k++) {
        grn_cw_t *w;
        grn_cr_t *r;
        int id;
        uint64_t n = size[k];
        OK(grn_cw_open(&w, "a", "grn.test/1", NULL));
        OK(grn_cw_vec(w, "x", GRN_U8, n, x));
        OK(grn_cw_commit(w));
        OK(grn_cw_open(&w, "b", "grn.test/1", pool));
        OK(grn_cw_begin(w, "x", GRN_U8, &id));
        for (size_t at = 0, step = 1; at < n; at += step, step = step * 7 % 9999991)
            OK(grn_cw_append(w, id, x + at, n - at < step ? n - at : step));
        OK(grn_cw_end(w, id, 1, &n));
        OK(grn_cw_commit(w));
        assert_true(same_files("a", "b"));
        OK(grn_cr_open(&r, "b", pool));
        const grn_tensor_info_t *t = grn_cr_find(r, "x");
        OK(grn_cr_read(r, t, 0, y, n));
        assert_memory_equal(x, y, n);
        for (int j = 0; j < 40; j++) { /* parts, crossing frames, cached and not */
            size_t from = (size_t)j * 7919 * 263 % n,
                   len = (size_t)j * 104729 * 31 % (n - from + 1);
            memset(y, 0, len);
            OK(grn_cr_read(r, t, from, y, len));
            assert_memory_equal(x + from, y, len);
        }
        grn_cr_close(r);
    }
    free(x);
    free(y);
    grn_par_destroy(pool);
}

/* More compressed bytes than the memory budget: frames go to TMPDIR, also while a tensor is
 * widened. */
static void spilled(void **s)
{
    (void)s;
    const size_t n = 40 << 20;
    grn_cw_t *w;
    grn_cr_t *r;
    grn_rng_t g;
    int id, other;
    uint64_t total = n + 1, few = 3;
    unsigned char *x = malloc(n);
    uint16_t *y;
    grn_rng_init(&g, 1, "test", 0);
    for (size_t i = 0; i < n; i += 4) memcpy(x + i, &(uint32_t){ grn_rng_u32(&g) }, 4);
    OK(grn_cw_open(&w, "a", "grn.test/1", NULL));
    OK(grn_cw_begin(w, "x", GRN_U8, &id));
    OK(grn_cw_begin(w, "y", GRN_U8, &other)); /* interleaved */
    OK(grn_cw_append(w, id, x, n));
    OK(grn_cw_append(w, other, "abc", 3));
    OK(grn_cw_widen(w, id, GRN_U16));
    OK(grn_cw_append(w, id, &(uint16_t){ 65535 }, 2));
    OK(grn_cw_end(w, id, 1, &total));
    OK(grn_cw_end(w, other, 1, &few));
    OK(grn_cw_commit(w));
    OK(grn_cr_open(&r, "a", NULL));
    OK(grn_cr_load(r, grn_cr_find(r, "x"), (void **)&y));
    for (size_t i = 0; i < n; i++)
        if (y[i] != x[i]) fail_msg("element %zu is %u, was %u", i, y[i], x[i]);
    assert_int_equal(y[n], 65535);
    free(y);
    grn_cr_close(r);
    /* no room for temporary files: an error, and no output */
    setenv("TMPDIR", "/nonexistent", 1);
    OK(grn_cw_open(&w, "never", "grn.test/1", NULL));
    assert_int_equal(grn_cw_vec(w, "x", GRN_U8, n, x), GRN_EIO);
    assert_non_null(strstr(grn_err_msg(), "/nonexistent"));
    grn_cw_abort(w);
    unsetenv("TMPDIR");
    assert_int_not_equal(access("never", F_OK), 0);
    free(x);
}

/* Damage inside the data of a file of several frames is found by the read that touches it, and only
 * by that. */
static void damage_is_local(void **s)
{
    (void)s;
    grn_cw_t *w;
    grn_cr_t *r;
    size_t n;
    unsigned char *x = malloc(3 * FRAME);
    for (size_t i = 0; i < 3 * FRAME; i++) x[i] = (unsigned char)((i * 2654435761u) >> 24);
    OK(grn_cw_open(&w, "a", "grn.test/1", NULL));
    OK(grn_cw_vec(w, "x", GRN_U8, 3 * FRAME, x));
    OK(grn_cw_commit(w));
    unsigned char *p = slurp("a", &n);
    p[n / 2] ^= 1; /* in the middle frame */
    put("a", p, n);
    OK(grn_cr_open(&r, "a", NULL));
    const grn_tensor_info_t *t = grn_cr_find(r, "x");
    OK(grn_cr_read(r, t, 0, x, FRAME));
    OK(grn_cr_read(r, t, 2 * FRAME, x, FRAME));
    assert_int_equal(grn_cr_read(r, t, FRAME + 5, x, 1), GRN_EFORMAT);
    assert_non_null(strstr(grn_err_msg(), "frame 2 of 4 does not match its checksum"));
    assert_int_equal(grn_cr_read(r, t, FRAME + 5, x, 1),
                     GRN_EFORMAT); /* not served from the cache */
    assert_int_equal(grn_cr_check(r), GRN_EFORMAT);
    grn_cr_close(r);
    free(x);
    free(p);
}

static void pipes(void **s)
{
    (void)s;
    grn_cr_t *r;
    write_small("a", NULL);
    assert_int_equal(system("rm -f fifo; mkfifo fifo && cat a > fifo &"), 0);
    while (access("fifo", R_OK)) usleep(1000);
    OK(grn_cr_open(&r, "fifo", NULL));
    OK(grn_cr_check(r));
    assert_string_equal(grn_cr_meta(r, "note"), "two\nlines \"quoted\"");
    grn_cr_close(r);
    assert_int_equal(system("rm -f fifo; mkfifo fifo && head -c 100 a > fifo &"), 0);
    while (access("fifo", R_OK)) usleep(1000);
    assert_int_equal(grn_cr_open(&r, "fifo", NULL), GRN_ETRUNC);
    assert_null(r);
}

static void widening(void **s)
{
    (void)s;
    grn_cw_t *w;
    grn_cr_t *r;
    int id;
    const uint8_t a[3] = { 0, 7, 255 };
    const uint16_t b[2] = { 256, 65535 };
    const float c[2] = { 0.5f, -3 };
    uint64_t n = 7;
    void *p;
    OK(grn_cw_open(&w, "a", "grn.test/1", NULL));
    OK(grn_cw_begin(w, "x", GRN_U8, &id));
    OK(grn_cw_append(w, id, a, 3));
    OK(grn_cw_widen(w, id, GRN_U16));
    OK(grn_cw_append(w, id, b, 4));
    OK(grn_cw_widen(w, id, GRN_F32));
    OK(grn_cw_append(w, id, c, 8));
    OK(grn_cw_end(w, id, 1, &n));
    assert_int_equal(grn_cw_append(w, id, c, 8), GRN_EINVAL); /* after its end */
    OK(grn_cw_commit(w));
    OK(grn_cr_open(&r, "a", NULL));
    OK(grn_cr_load(r, grn_cr_find(r, "x"), &p));
    const float want[7] = { 0, 7, 255, 256, 65535, 0.5f, -3 };
    assert_memory_equal(p, want, sizeof want);
    free(p);
    assert_int_equal(grn_cr_load_as(r, grn_cr_find(r, "x"), GRN_U32, &p), GRN_EFORMAT); /* 0.5 */
    assert_null(p);
    OK(grn_cr_load_as(r, grn_cr_find(r, "x"), GRN_F64, &p));
    assert_true(((double *)p)[5] == 0.5);
    free(p);
    grn_cr_close(r);
}

static void conversions(void **s)
{
    (void)s;
    grn_cw_t *w;
    grn_cr_t *r;
    void *p;
    const uint32_t u[4] = { 0, 255, 16777217, 4294967295u };
    const int32_t i[3] = { -1, 0, 7 };
    const double f[3] = { 3, 1e300, 0.1 };
    const uint16_t half[6] = { 0x3c00, 0xc000, 0x0001, 0x7bff, 0x7c00, 0x0000 },
                   bf[2] = { 0x3f80, 0xc040 };
    OK(grn_cw_open(&w, "a", "grn.test/1", NULL));
    OK(grn_cw_vec(w, "u", GRN_U32, 4, u));
    OK(grn_cw_vec(w, "i", GRN_I32, 3, i));
    OK(grn_cw_vec(w, "f", GRN_F64, 3, f));
    OK(grn_cw_vec(w, "h", GRN_F16, 6, half));
    OK(grn_cw_vec(w, "b", GRN_BF16, 2, bf));
    OK(grn_cw_commit(w));
    OK(grn_cr_open(&r, "a", NULL));
    OK(grn_cr_load_as(r, grn_cr_find(r, "u"), GRN_U64, &p));
    assert_int_equal(((uint64_t *)p)[3], 4294967295u);
    free(p);
    OK(grn_cr_load_as(r, grn_cr_find(r, "u"), GRN_F64, &p));
    assert_true(((double *)p)[2] == 16777217.0);
    free(p);
    assert_int_equal(grn_cr_load_as(r, grn_cr_find(r, "u"), GRN_F32, &p),
                     GRN_EFORMAT); /* 2^24 + 1 */
    assert_int_equal(grn_cr_load_as(r, grn_cr_find(r, "u"), GRN_I32, &p), GRN_EFORMAT);
    assert_int_equal(grn_cr_load_as(r, grn_cr_find(r, "u"), GRN_U16, &p), GRN_EFORMAT);
    assert_int_equal(grn_cr_load_as(r, grn_cr_find(r, "i"), GRN_U32, &p), GRN_EFORMAT); /* -1 */
    OK(grn_cr_load_as(r, grn_cr_find(r, "i"), GRN_I64, &p));
    assert_true(((int64_t *)p)[0] == -1 && ((int64_t *)p)[2] == 7);
    free(p);
    OK(grn_cr_load_as(r, grn_cr_find(r, "i"), GRN_F32, &p));
    assert_true(((float *)p)[0] == -1);
    free(p);
    assert_int_equal(grn_cr_load_as(r, grn_cr_find(r, "f"), GRN_F32, &p), GRN_EFORMAT); /* 1e300 */
    OK(grn_cr_load_as(r, grn_cr_find(r, "h"), GRN_F32, &p));
    const float *h = p;
    assert_true(h[0] == 1 && h[1] == -2 && h[2] == 0x1p-24f && h[3] == 65504 && isinf(h[4]) &&
                h[5] == 0);
    free(p);
    OK(grn_cr_load_as(r, grn_cr_find(r, "b"), GRN_F64, &p));
    assert_true(((double *)p)[0] == 1 && ((double *)p)[1] == -3);
    free(p);
    assert_int_equal(grn_cr_load_as(r, grn_cr_find(r, "b"), GRN_F16, &p), GRN_EUNSUP);
    grn_cr_close(r);
}

static void misuse(void **s)
{
    (void)s;
    grn_cw_t *w;
    int id;
    const uint64_t three = 3;
    OK(grn_cw_open(&w, "never", "grn.test/1", NULL));
    OK(grn_cw_vec(w, "x", GRN_U8, 3, "abc"));
    assert_int_equal(grn_cw_vec(w, "x", GRN_U8, 3, "abc"), GRN_EINVAL);
    OK(grn_cw_meta(w, "k", "v"));
    assert_int_equal(grn_cw_meta(w, "k", "v"), GRN_EINVAL);
    assert_int_equal(grn_cw_meta(w, "seed", "2"), GRN_EINVAL);
    assert_int_equal(grn_cw_vec(w, "__metadata__", GRN_U8, 3, "abc"), GRN_EINVAL);
    OK(grn_cw_begin(w, "y", GRN_U16, &id));
    OK(grn_cw_append(w, id, "abc", 3));
    assert_int_equal(grn_cw_widen(w, id, GRN_U32), GRN_EINVAL);
    assert_int_equal(grn_cw_end(w, id, 1, &three), GRN_ESHAPE);
    assert_int_equal(grn_cw_append(w, 99, "abc", 3), GRN_EINVAL);
    assert_int_equal(grn_cw_commit(w), GRN_EINVAL); /* y has no end */
    assert_int_not_equal(access("never", F_OK), 0);
    assert_int_equal(grn_cw_open(&w, "no/such/folder/x", "grn.test/1", NULL), GRN_EIO);
    assert_null(w);
    OK(grn_cw_open(&w, "never", "grn.test/1", NULL));
    grn_cw_abort(w);
    assert_int_not_equal(access("never", F_OK), 0);
    assert_int_equal(system("ls never.tmp.* 2>/dev/null | grep -q ."), 256);
    grn_cw_abort(NULL);
    grn_cr_close(NULL);
}

/* Every allocation of writing and reading fails in turn: an error each time, no leak (ASan), no
 * file. */
static void out_of_memory(void **s)
{
    (void)s;
    grn_cw_t *w;
    grn_cr_t *r;
    void *p;
    int done = 0;
    for (int64_t k = 1; k < 200 && !done; k++) {
        grn_mem_fail_after(k);
        grn_status rc = grn_cw_open(&w, "oom", "grn.test/1", NULL);
        if (!rc && (rc = grn_cw_vec(w, "x", GRN_U8, 3, "abc"))) grn_cw_abort(w);
        else if (!rc) rc = grn_cw_commit(w);
        done = rc == GRN_OK;
        grn_mem_fail_after(0);
        if (!done) assert_int_not_equal(access("oom", F_OK), 0);
    }
    assert_true(done);
    done = 0;
    for (int64_t k = 1; k < 200 && !done; k++) {
        grn_mem_fail_after(k);
        grn_status rc = grn_cr_open(&r, "oom", NULL);
        if (!rc) rc = grn_cr_load(r, grn_cr_find(r, "x"), &p);
        if (!rc) free(p);
        grn_cr_close(r);
        done = rc == GRN_OK;
        grn_mem_fail_after(0);
    }
    assert_true(done);
}

static void utf8(void **s)
{
    (void)s;
    char *p;
    OK(grn_utf8("a\xce\xb2\xe2\x82\xac\xf0\x9f\x98\x80", &p));
    assert_string_equal(p, "a\xce\xb2\xe2\x82\xac\xf0\x9f\x98\x80");
    free(p);
    OK(grn_utf8("\xff"
                "a\xc0\xaf\xed\xa0\x80\xce",
                &p));
    assert_string_equal(p, "?a??????");
    free(p);
}

/* Two inputs with histories: steps they share appear once, ids that clash are renamed, the new step
 * follows both. */
static void provenance(void **s)
{
    (void)s;
    char *j;
    put("in1", "abc", 3);
    OK(grn_prov_input(
        "in1", "[{\"id\":\"grn-sim\",\"pn\":\"grn-sim\",\"vn\":\"1\",\"cl\":\"grn-sim -o d\"},"
               "{\"id\":\"grn-build\",\"pn\":\"grn-build\",\"vn\":\"1\",\"cl\":\"grn-build "
               "a\",\"pp\":\"grn-sim\"}]"));
    OK(grn_prov_input(
        "-", "[{\"id\":\"grn-sim\",\"pn\":\"grn-sim\",\"vn\":\"1\",\"cl\":\"grn-sim -o d\"},"
             "{\"id\":\"grn-build\",\"pn\":\"grn-build\",\"vn\":\"1\",\"cl\":\"grn-build "
             "b\",\"pp\":\"grn-sim\"}]"));
    OK(grn_prov_input("in1", NULL)); /* once */
    OK(grn_prov_chain_json(&j));
    assert_non_null(strstr(
        j, "{\"cl\":\"grn-sim -o d\",\"id\":\"grn-sim\",\"pn\":\"grn-sim\",\"vn\":\"1\"},"
           "{\"cl\":\"grn-build "
           "a\",\"id\":\"grn-build\",\"pn\":\"grn-build\",\"pp\":\"grn-sim\",\"vn\":\"1\"},"
           "{\"cl\":\"grn-build "
           "b\",\"id\":\"grn-build.1\",\"pn\":\"grn-build\",\"pp\":\"grn-sim\",\"vn\":\"1\"},"));
    assert_non_null(strstr(j, "grn-build,grn-build.1\""));
    free(j);
    char hex[33], sums[128];
    assert_int_equal(system("mkdir folder && printf x >folder/b && printf yy >folder/a"), 0);
    OK(grn_prov_input("folder", NULL));
    OK(grn_file_digest("folder/a", hex));
    snprintf(sums, sizeof sums, "%s  a\n", hex);
    OK(grn_file_digest("folder/b", hex));
    snprintf(sums + strlen(sums), sizeof sums - strlen(sums), "%s  b\n", hex);
    put("sums", sums, strlen(sums));
    OK(grn_prov_inputs_json(&j));
    OK(grn_file_digest("in1", hex));
    assert_non_null(strstr(j, hex));
    OK(grn_file_digest("sums", hex)); /* of the folder's files, made by hand */
    assert_non_null(strstr(j, hex));
    assert_non_null(strstr(j, "{\"name\":\"-\",\"xxh3_128\":\"-\"}"));
    free(j);
    grn_common.no_pg = 1;
    write_small("a", NULL);
    grn_common.no_pg = 0;
    grn_cr_t *r;
    OK(grn_cr_open(&r, "a", NULL));
    assert_null(grn_cr_meta(r, "chain"));
    assert_null(grn_cr_meta(r, "command"));
    assert_non_null(grn_cr_meta(r, "inputs"));
    grn_cr_close(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip),
        cmocka_unit_test(decompressed_layout),
        cmocka_unit_test(every_cut),
        cmocka_unit_test(every_flip),
        cmocka_unit_test(extended),
        cmocka_unit_test(header_rules),
        cmocka_unit_test(frame_boundaries),
        cmocka_unit_test(spilled),
        cmocka_unit_test(damage_is_local),
        cmocka_unit_test(pipes),
        cmocka_unit_test(widening),
        cmocka_unit_test(conversions),
        cmocka_unit_test(misuse),
        cmocka_unit_test(out_of_memory),
        cmocka_unit_test(utf8),
        cmocka_unit_test(provenance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
