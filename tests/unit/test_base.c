/* base: errors, memory, strings, names, random numbers, pool, files */
#include <math.h>
#include <signal.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/names.h"
#include "base/par.h"
#include "base/rng.h"
#include "base/staging.h"
#include "base/str.h"

static void test_err(void **state)
{
    (void)state;
    assert_int_equal(grn_err(GRN_EIO, "cannot open '%s'", "x"), GRN_EIO);
    assert_int_equal(grn_err_prefix(GRN_EIO, "line %d", 7), GRN_EIO);
    assert_string_equal(grn_err_msg(), "line 7: cannot open 'x'");
    (void)grn_err(GRN_EIO, "again: %s", grn_err_msg()); /* argument aliases the message */
    assert_string_equal(grn_err_msg(), "again: line 7: cannot open 'x'");
    assert_int_equal(grn_err_exit(GRN_OK), 0);
    assert_int_equal(grn_err_exit(GRN_EUSAGE), 2);
    assert_int_equal(grn_err_exit(GRN_EEMPTY), 3);
    assert_int_equal(grn_err_exit(GRN_ENOMEM), 1);
}

static void test_mem(void **state)
{
    (void)state;
    volatile size_t huge = SIZE_MAX / 2;
    assert_null(grn_malloc(huge, 3)); /* overflow */
    void *p = grn_malloc(0, 8);
    assert_non_null(p);
    free(p);
    uint32_t *a = NULL;
    size_t cap = 0;
    for (size_t i = 0; i < 1000; i++) {
        assert_int_equal(GRN_GROW(a, cap, i + 1), GRN_OK);
        a[i] = (uint32_t)i;
    }
    assert_true(cap >= 1000 && cap < 4096 && a[999] == 999);
    grn_mem_fail_after(1);
    assert_int_equal(GRN_GROW(a, cap, cap + 1), GRN_ENOMEM);
    assert_int_equal(a[999], 999); /* the old block is still valid */
    free(a);
}

static void test_parse(void **state)
{
    (void)state;
    int64_t i;
    double x;
    uint64_t u;
    assert_int_equal(grn_parse_i64("-9223372036854775808", &i), GRN_OK);
    assert_true(i == INT64_MIN);
    assert_int_equal(grn_parse_i64("9223372036854775807", &i), GRN_OK);
    const char *bad_int[] = { "", "-", "9223372036854775808", "12x", " 1", "1 ", "0x10", "1.0", "1e3" };
    for (size_t k = 0; k < sizeof bad_int / sizeof *bad_int; k++) assert_int_equal(grn_parse_i64(bad_int[k], &i), GRN_EFORMAT);
    assert_int_equal(grn_parse_f64("-1.5e-3", &x), GRN_OK);
    assert_true(x == -1.5e-3);
    const char *bad_flt[] = { "", ".", "1,5", "nan", "inf", "1e999", "0x1p3", "1e", "--1", "1 " };
    for (size_t k = 0; k < sizeof bad_flt / sizeof *bad_flt; k++) assert_int_equal(grn_parse_f64(bad_flt[k], &x), GRN_EFORMAT);
    assert_int_equal(grn_parse_f64_any("NA", &x), GRN_OK);
    assert_true(isnan(x));
    assert_int_equal(grn_parse_size("8G", &u), GRN_OK);
    assert_true(u == (uint64_t)8 << 30);
    assert_int_equal(grn_parse_size("-1k", &u), GRN_EFORMAT);
    assert_int_equal(grn_parse_size("99999999999G", &u), GRN_EFORMAT);
    char buf[32];
    assert_string_equal(grn_fmt_f32(buf, 0.1f), "0.1");
    assert_string_equal(grn_fmt_f64(buf, 1.0 / 3), "0.3333333333333333");
}

static void test_split(void **state)
{
    (void)state;
    char line[] = "a\t\tb\tc", *f[3];
    assert_int_equal(grn_split(line, '\t', f, 3), 3);
    assert_string_equal(f[1], "");
    assert_string_equal(f[2], "b\tc");
    char empty[] = "";
    assert_int_equal(grn_split(empty, '\t', f, 3), 1);
}

static void test_names(void **state)
{
    (void)state;
    grn_names_t d = { 0 }, e = { 0 };
    char name[32];
    size_t idx;
    int is_new;
    for (int i = 0; i < 5000; i++) {
        snprintf(name, sizeof name, "g%d", i * 7);
        assert_int_equal(grn_names_add(&d, name, &idx, &is_new), GRN_OK);
        assert_true(is_new && idx == (size_t)i);
    }
    assert_int_equal(grn_names_add(&d, "g7", &idx, &is_new), GRN_OK);
    assert_true(!is_new && idx == 1);
    assert_int_equal(grn_names_find(&d, "g34993"), 4999);
    assert_true(grn_names_find(&d, "absent") == GRN_NAMES_NONE);
    assert_int_equal(grn_names_add(&d, "two\nlines", NULL, NULL), GRN_EFORMAT);
    char *text;
    size_t n;
    assert_int_equal(grn_names_join(&d, &text, &n), GRN_OK);
    assert_int_equal(grn_names_split(&e, text, n), GRN_OK);
    assert_true(grn_names_equal(&d, &e));
    grn_names_clear(&e);
    assert_int_equal(grn_names_split(&e, text, n - 1), GRN_EFORMAT); /* no final newline */
    assert_int_equal(grn_names_split(&e, "a\nb\na\n", 6), GRN_EFORMAT);
    assert_int_equal(e.n, 0);
    uint32_t order[3];
    assert_int_equal(grn_names_split(&e, "b\n\na\n", 5), GRN_OK); /* an empty name is a name */
    assert_int_equal(grn_names_sort(&e, order), GRN_OK);
    assert_true(order[0] == 1 && order[1] == 2 && order[2] == 0);
    free(text);
    grn_names_clear(&d);
    grn_names_clear(&e);
}

/* Philox4x32-10, known answer of the Random123 distribution for counter 0 and key 0. */
static void test_philox(void **state)
{
    (void)state;
    grn_rng_t r;
    memset(&r, 0, sizeof r);
    assert_int_equal(grn_rng_u32(&r), 0x6627e8d5);
    assert_int_equal(grn_rng_u32(&r), 0xe169c58d);
    assert_int_equal(grn_rng_u32(&r), 0xbc57ac4c);
    assert_int_equal(grn_rng_u32(&r), 0x9b00dbd8);
}

typedef double (*draw_fn)(grn_rng_t *r);
static double draw_gamma(grn_rng_t *r) { return grn_rng_gamma(r, 0.7); }
static double draw_pois_small(grn_rng_t *r) { return (double)grn_rng_poisson(r, 3.2); }
static double draw_pois_large(grn_rng_t *r) { return (double)grn_rng_poisson(r, 47.0); }
static double draw_binom(grn_rng_t *r) { return (double)grn_rng_binomial(r, 20, 0.8); }
static double draw_nb(grn_rng_t *r) { return (double)grn_rng_nbinom(r, 4.0, 2.0); }

static void test_moments(void **state)
{
    (void)state;
    static const struct { draw_fn f; double mean, var; } t[] = {
        { grn_rng_unif, 0.5, 1.0 / 12 }, { grn_rng_normal, 0, 1 }, { grn_rng_exp, 1, 1 }, { draw_gamma, 0.7, 0.7 },
        { draw_pois_small, 3.2, 3.2 }, { draw_pois_large, 47.0, 47.0 }, { draw_binom, 16, 3.2 }, { draw_nb, 4, 4 + 16.0 / 2 },
    };
    enum { N = 200000 };
    for (size_t k = 0; k < sizeof t / sizeof *t; k++) {
        grn_rng_t r;
        double s = 0, q = 0;
        grn_rng_init(&r, 1, "test.moments", k);
        for (int i = 0; i < N; i++) {
            double x = t[k].f(&r) - t[k].mean;
            s += x;
            q += x * x;
        }
        assert_true(fabs(s / N) < 5 * sqrt(t[k].var / N));
        assert_true(fabs(q / N / t[k].var - 1) < 0.05);
    }
}

static void test_sample(void **state)
{
    (void)state;
    grn_rng_t r;
    uint64_t out[10], seen[12] = { 0 };
    grn_rng_init(&r, 1, "test.sample", 0);
    for (int rep = 0; rep < 12000; rep++) {
        grn_rng_sample(&r, 12, 10, out);
        for (int i = 0; i < 10; i++) {
            assert_true(out[i] < 12 && (i == 0 || out[i] > out[i - 1]));
            seen[out[i]]++;
        }
    }
    for (int i = 0; i < 12; i++) assert_true(llabs((long long)seen[i] - 10000) < 300); /* 7 sd */
    grn_rng_sample(&r, 10, 10, out);
    for (int i = 0; i < 10; i++) assert_int_equal(out[i], i);
}

typedef struct {
    double *y;
    size_t fail_from;
} square_t;

static grn_status square(void *ctx, size_t begin, size_t end, int worker)
{
    square_t *s = ctx;
    (void)worker;
    if (begin >= s->fail_from) return grn_err(GRN_EINVAL, "chunk %zu", begin);
    for (size_t i = begin; i < end; i++) s->y[i] = (double)i * (double)i;
    return GRN_OK;
}

static void test_par(void **state)
{
    (void)state;
    enum { N = 10007 };
    static double y[N];
    for (int threads = 1; threads <= 5; threads++) {
        grn_par_t *p;
        assert_int_equal(grn_par_create(&p, threads), GRN_OK);
        for (int rep = 0; rep < 50; rep++) {
            square_t s = { y, SIZE_MAX };
            memset(y, 0, sizeof y);
            assert_int_equal(grn_par_for(p, N, 64, square, &s), GRN_OK);
            for (size_t i = 0; i < N; i++) assert_true(y[i] == (double)i * (double)i);
            s.fail_from = 640;
            assert_int_equal(grn_par_for(p, N, 64, square, &s), GRN_EINVAL);
            assert_string_equal(grn_err_msg(), "chunk 640"); /* always the lowest failed chunk */
        }
        assert_int_equal(grn_par_for(p, 0, 64, square, NULL), GRN_OK);
        grn_par_destroy(p);
    }
}

static void test_file(void **state)
{
    (void)state;
    grn_out_t *o;
    char hex[33];
    int fd;
    assert_int_equal(grn_out_open(&o, "a.txt", 0), GRN_OK);
    assert_int_equal(grn_out_printf(o, "%d\n", 7), GRN_OK);
    assert_true(access("a.txt", F_OK) != 0); /* not before the commit */
    assert_int_equal(grn_out_commit(o), GRN_OK);
    assert_true(access("a.txt", F_OK) == 0);
    assert_int_equal(grn_out_open(&o, "b.txt", 0), GRN_OK);
    grn_out_abort(o);
    assert_true(access("b.txt", F_OK) != 0);
    assert_int_equal(grn_out_open(&o, "absent/c.txt", 0), GRN_EIO);
    assert_int_equal(grn_out_open(&o, "/dev/full", 0), GRN_OK);
    assert_int_equal(grn_out_puts(o, "x"), GRN_OK);
    assert_int_equal(grn_out_commit(o), GRN_EIO); /* no space left on device */
    assert_int_equal(grn_file_digest("a.txt", hex), GRN_OK);
    assert_int_equal(strlen(hex), 32);
    assert_int_equal(grn_file_digest("absent", hex), GRN_EIO);
    assert_int_equal(grn_in_open(".", &fd, NULL, NULL), GRN_EIO);
    assert_int_equal(grn_tmp_open(&fd), GRN_OK);
    assert_int_equal(grn_write_full(fd, "abcdef", 6, "tmp"), GRN_OK);
    char got[7] = { 0 };
    assert_int_equal(grn_pread_full(fd, got, 3, 2, "tmp"), GRN_OK);
    assert_string_equal(got, "cde");
    assert_int_equal(grn_pread_full(fd, got, 3, 4, "tmp"), GRN_ETRUNC);
    close(fd);
    assert_string_equal(grn_path_base("a/b/c.tsv"), "c.tsv");
}

static int is_there(const char *path)
{
    return access(path, F_OK) == 0;
}

static void put(const char *path, const char *text)
{
    grn_out_t *o;
    assert_int_equal(grn_out_open(&o, path, 0), GRN_OK);
    assert_int_equal(grn_out_puts(o, text), GRN_OK);
    assert_int_equal(grn_out_commit(o), GRN_OK);
}

/* Files that appear together: all, none, over old ones, and where one cannot move. */
static void test_staging(void **state)
{
    (void)state;
    static const char *const files[] = { "one", "two", "three" };
    grn_staging_t s = { 0 };
    assert_int_equal(grn_staging_open(&s, "folder/", files, 3), GRN_OK);
    put(s.from[0], "1");
    put(s.from[2], "3");
    assert_false(is_there("folder/one"));
    assert_int_equal(grn_staging_commit(&s), GRN_OK);
    assert_true(is_there("folder/one") && !is_there("folder/two") && is_there("folder/three"));
    assert_int_equal(rmdir("folder"), -1); /* not empty */
    grn_staging_abort(&s);                 /* finished: nothing happens */

    assert_int_equal(grn_staging_open(&s, "folder", files, 3), GRN_OK);
    put(s.from[1], "2");
    grn_staging_abort(&s);
    assert_true(is_there("folder/one") && !is_there("folder/two"));
    assert_int_equal(unlink("folder/one") | unlink("folder/three") | rmdir("folder"), 0); /* and nothing hidden */

    assert_int_equal(grn_staging_open(&s, "new", files, 3), GRN_OK);
    put(s.from[1], "2");
    grn_staging_abort(&s);
    assert_false(is_there("new"));

    assert_int_equal(mkdir("new", 0777) | mkdir("new/two", 0777), 0);
    assert_int_equal(grn_staging_open(&s, "new", files, 3), GRN_OK);
    put(s.from[1], "2");
    assert_int_equal(grn_staging_commit(&s), GRN_EIO);
    assert_non_null(strstr(grn_err_msg(), "new/two"));
    assert_int_equal(rmdir("new/two") | rmdir("new"), 0);

    assert_int_equal(grn_staging_open(&s, "absent/new", files, 3), GRN_EIO);
    put("a-file", "");
    assert_int_equal(grn_staging_open(&s, "a-file", files, 3), GRN_EIO);
    assert_null(s.path);
}

/* A signal while files move waits until they have; before and after, it removes what is pending. */
static void test_signals(void **state)
{
    (void)state;
    static const char *const files[] = { "one", "two" };
    for (int held = 0; held < 2; held++) {
        pid_t pid = fork();
        int status;
        if (pid == 0) {
            grn_staging_t s;
            char name[] = "pending.txt";
            grn_file_init();
            if (grn_staging_open(&s, "signals", files, 2)) _exit(1);
            put(s.from[0], "1");
            put(name, "x");
            grn_pending_add(name);
            if (held) grn_signals_hold();
            raise(SIGTERM);
            if (!held || rename(s.from[0], "moved.txt") || !is_there(name)) _exit(2);
            grn_signals_release();
            _exit(3);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
        assert_false(is_there("signals") || is_there("pending.txt"));
        assert_int_equal(is_there("moved.txt"), held);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_err),   cmocka_unit_test(test_mem),    cmocka_unit_test(test_parse),   cmocka_unit_test(test_split),
        cmocka_unit_test(test_names), cmocka_unit_test(test_philox), cmocka_unit_test(test_moments), cmocka_unit_test(test_sample),
        cmocka_unit_test(test_par),   cmocka_unit_test(test_file),   cmocka_unit_test(test_staging), cmocka_unit_test(test_signals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
