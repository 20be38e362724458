/* DEM: z against a count of pairs, p in the far tail, backgrounds, promoters, the best cut; regions of a set in a database; logos. */
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

#include "base/mem.h"
#include "base/rng.h"
#include "grn-build/dem.h"
#include "grn-build/logo.h"
#include "grn-build/regionset.h"

static void near(double got, double want, double tol)
{
    if (!(fabs(got - want) <= tol)) fail_msg("got %.17g, want %.17g", got, want);
}

enum { N = 400 };

static void contrast(grn_dem_contrast_t *c, size_t n_fg, size_t n_bg, size_t n_motifs)
{
    *c = (grn_dem_contrast_t){ .n_fg = n_fg, .n_bg = n_bg };
    c->fg = malloc(n_fg * sizeof *c->fg);
    c->bg = malloc(n_bg * sizeof *c->bg);
    c->row = calloc(n_motifs, sizeof *c->row);
    for (size_t i = 0; i < n_fg; i++) c->fg[i] = (uint32_t)(n_bg + i);
    for (size_t i = 0; i < n_bg; i++) c->bg[i] = (uint32_t)i;
}

/* z by all pairs and all values. */
static double slow_z(const grn_dem_contrast_t *c, const float *x, int ties)
{
    double u = 0, t3 = 0, n1 = (double)c->n_fg, n2 = (double)c->n_bg, n = n1 + n2;
    for (size_t i = 0; i < c->n_fg; i++)
        for (size_t j = 0; j < c->n_bg; j++) u += x[c->fg[i]] > x[c->bg[j]] ? 1 : x[c->fg[i]] == x[c->bg[j]] ? 0.5 : 0;
    for (size_t i = 0; i < (size_t)n; i++) {
        double t = 0;
        for (size_t j = 0; j < (size_t)n; j++) t += x[i] == x[j];
        t3 += t * t - 1; /* each of a group of t adds (t^3 - t) / t */
    }
    return (u - n1 * n2 / 2) / sqrt(n1 * n2 / 12 * (n + 1 - (ties ? t3 / (n * (n - 1)) : 0)));
}

static void against_pairs(void **state)
{
    (void)state;
    grn_rng_t r;
    grn_dem_contrast_t c;
    grn_dem_work_t w = { 0 };
    float x[N];
    grn_rng_init(&r, 3, "test.dem", 0);
    contrast(&c, 150, 250, 8);
    for (size_t m = 0; m < 8; m++) {
        double mean[2] = { 0, 0 };
        for (size_t i = 0; i < N; i++) {
            x[i] = grn_rng_unif(&r) < 0.2 + 0.03 * (double)m * (i >= 250) ? (float)grn_rng_below(&r, 9) / 2 : 0;
            mean[i >= 250] += (double)x[i] / (i >= 250 ? 150 : 250);
        }
        assert_int_equal(grn_dem_test(&c, m, x, 0, &w), GRN_OK);
        near(c.row[m].z, slow_z(&c, x, 1), 1e-10);
        near(c.row[m].mean_fg, mean[1], 1e-12);
        near(c.row[m].log2fc, log2(mean[1] / mean[0]), 1e-9);
        near(c.row[m].log_p, log(erfc(fabs(c.row[m].z) / sqrt(2))), 1e-9);
        double z = c.row[m].z;
        assert_int_equal(grn_dem_test(&c, m, x, 1, &w), GRN_OK); /* compat: zeros make the plain z smaller */
        near(c.row[m].z, slow_z(&c, x, 0), 1e-10);
        assert_true(fabs(c.row[m].z) < 0.9 * fabs(z));
    }
    grn_dem_contrast_clear(&c);
    grn_dem_work_clear(&w);
}

static void far_tail(void **state)
{
    (void)state;
    enum { BIG = 6000 };
    grn_dem_contrast_t c;
    grn_dem_work_t w = { 0 };
    float *x = calloc(BIG, sizeof *x);
    contrast(&c, BIG / 2, BIG / 2, 3);
    for (int i = 0; i < BIG; i++) x[i] = i >= BIG / 2 ? 5 : 0;
    assert_int_equal(grn_dem_test(&c, 0, x, 0, &w), GRN_OK);
    /* all tied within sides: sd^2 = n1 n2 (n1 + n2)^2 / (4 n (n - 1)) x ... = n^3 / (16 (n - 1)); z = sqrt(n - 1) */
    near(c.row[0].z, sqrt(BIG - 1), 1e-9);
    assert_true(c.row[0].log_p < -690 && isfinite(c.row[0].log_p)); /* below 1e-300, and known */
    near(c.row[0].log2fc, 20, 0);
    assert_true(c.row[0].capped);
    assert_int_equal(grn_dem_test(&c, 1, x, 1, &w), GRN_OK);
    assert_true(isinf(c.row[1].log_p));
    near(c.row[1].log2fc, log2(5e12 + 1), 1e-9);
    memset(x, 0, BIG * sizeof *x);
    assert_int_equal(grn_dem_test(&c, 2, x, 0, &w), GRN_OK);
    near(c.row[2].z, 0, 0);
    near(c.row[2].log_p, 0, 0);
    near(c.row[2].log2fc, 0, 0);
    assert_int_equal(grn_dem_finish(&c, 3), GRN_OK);
    near(c.row[2].p_adj, 1, 0);
    assert_int_equal(grn_dem_test(&c, 0, x, 0, &w), GRN_OK);
    grn_mem_fail_after(1);
    assert_int_equal(grn_dem_finish(&c, 3), GRN_ENOMEM);
    grn_mem_fail_after(0);
    grn_dem_contrast_clear(&c);
    grn_dem_work_clear(&w);
    free(x);
}

static void best_cut(void **state)
{
    (void)state;
    /* above 0: set 5 4 4 1, background 4 2 1. TPR - FPR at >= 5: 1/4; >= 4: 3/4 - 1/3; >= 2: 3/4 - 2/3; >= 1: 0. */
    const float x[] = { 0, 4, 2, 1, 5, 4, 4, 1, 0 }, y[] = { 3, 3, 3, 3, 1, 1, 1, 1, 1 };
    grn_dem_contrast_t c;
    grn_dem_work_t w = { 0 };
    double t;
    contrast(&c, 5, 4, 1);
    assert_int_equal(grn_dem_youden(&c, x, &w, &t), GRN_OK);
    near(t, 4, 0);
    assert_int_equal(grn_dem_youden(&c, y, &w, &t), GRN_OK); /* no cut is better than none */
    assert_true(isinf(t));
    grn_dem_contrast_clear(&c);
    grn_dem_work_clear(&w);
}

/* ---- backgrounds ---- */

/* Column i is called 'r<name[i]>': the same names in another order must give the same names. */
static void hashes(const uint32_t *name, uint64_t *hash)
{
    char s[16];
    for (size_t i = 0; i < N; i++) {
        snprintf(s, sizeof s, "r%u", name[i]);
        hash[i] = grn_hash_str(s);
    }
}

static int ascending(const void *x, const void *y)
{
    uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;
    return a < b ? -1 : a > b;
}

static size_t pick(size_t max_bg, int balanced, int compat, int reverse, uint32_t *out, size_t *promoters)
{
    uint64_t hash[N];
    uint32_t name[N], candidate[N];
    uint8_t promoter[N];
    grn_dem_contrast_t c = { .n_fg = 40 };
    c.fg = malloc(40 * sizeof *c.fg);
    size_t n = 0, n_fg = 0;
    for (uint32_t i = 0; i < N; i++) name[i] = reverse ? N - 1 - i : i;
    for (uint32_t i = 0; i < N; i++) {
        promoter[i] = name[i] < 40 ? name[i] < 10 : name[i] % 2; /* a quarter of the set, half of the others */
        if (name[i] < 40) c.fg[n_fg++] = i;
        else candidate[n++] = i;
    }
    hashes(name, hash);
    const grn_dem_background_t o = { max_bg, balanced ? promoter : NULL, hash, 1, compat };
    assert_int_equal(grn_dem_background(&o, candidate, n, 99, &c), GRN_OK);
    assert_int_equal(c.n_candidates, N - 40);
    for (size_t i = 0; i < c.n_bg; i++) out[i] = name[c.bg[i]];
    for (size_t i = 1; i < c.n_bg; i++) assert_true(hash[c.bg[i - 1]] < hash[c.bg[i]]); /* the order of sums */
    qsort(out, c.n_bg, sizeof *out, ascending);
    for (size_t i = 0; i < c.n_bg; i++) assert_true(out[i] >= 40 && (i == 0 || out[i] > out[i - 1]));
    n = c.n_bg;
    *promoters = c.bg_promoters;
    if (balanced) assert_int_equal(c.fg_promoters, 10);
    grn_dem_contrast_clear(&c);
    return n;
}

static void backgrounds(void **state)
{
    (void)state;
    uint32_t a[N], b[N];
    size_t p, n;
    assert_int_equal(pick(100, 0, 0, 0, a, &p), 100); /* honoured without promoters */
    assert_int_equal(pick(100, 0, 1, 0, a, &p), 360); /* compat: it is not */
    assert_int_equal(pick(0, 0, 0, 0, a, &p), 360);
    assert_int_equal(pick(1000, 0, 0, 0, a, &p), 360);
    assert_int_equal(pick(101, 1, 0, 0, a, &p), 101);
    assert_int_equal(p, 25);       /* trunc(101 / 4) */
    n = pick(101, 1, 0, 1, b, &p); /* the same regions in another order */
    assert_int_equal(n, 101);
    assert_memory_equal(a, b, 101 * sizeof *a);
    assert_int_equal(pick(100, 0, 0, 0, a, &p), 100);
    assert_int_equal(pick(100, 0, 0, 1, b, &p), 100);
    assert_memory_equal(a, b, 100 * sizeof *a);
    assert_int_equal(pick(320, 1, 0, 0, a, &p), 260); /* 80 promoters, and of 240 others the 180 there are */
    assert_int_equal(p, 80);
    assert_int_equal(pick(0, 1, 0, 0, a, &p), 240); /* all others, and promoters to a quarter */
    assert_int_equal(p, 60);
}

static void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
    assert_int_equal(fclose(f), 0);
}

static void promoters(void **state)
{
    (void)state;
    char path[] = "/tmp/test_dem_XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    /* a gene on +, 10,001 to 20,000; one on - from 50,001 to 60,000, so its TSS is at 59,999; one that codes nothing */
    write_file(path, "1\tx\tgene\t10001\t20000\t.\t+\t.\tgene_id \"a\"; gene_name \"A\"; gene_type \"protein_coding\";\n"
                     "1\tx\tgene\t50001\t60000\t.\t-\t.\tgene_id \"b\"; gene_name \"B\"; gene_type \"protein_coding\";\n"
                     "1\tx\tgene\t80001\t90000\t.\t+\t.\tgene_id \"c\"; gene_name \"C\"; gene_type \"lncRNA\";\n");
    grn_genes_t g = { 0 };
    grn_names_t names = { 0 };
    grn_regions_t r = { 0 };
    /*                            at A            ends where A's begins  1 bp of it             start of B         end of B */
    const char *region[] = { "chr1:9900-10400",  "chr1:8500-9000",   "chr1:8501-9001",
                             "chr1:49900-50100", "chr1:59900-60100", "chr1:80000-80100" };
    const uint8_t want[2][6] = { { 1, 0, 1, 0, 1, 0 }, { 1, 0, 1, 1, 0, 0 } };
    uint8_t flag[6];
    size_t n;
    for (int i = 0; i < 6; i++) assert_int_equal(grn_names_add(&names, region[i], NULL, NULL), GRN_OK);
    assert_int_equal(grn_regions_from_names(&names, &r), GRN_OK);
    assert_int_equal(grn_genes_load(path, &g), GRN_OK);
    for (int compat = 0; compat < 2; compat++) {
        assert_int_equal(grn_dem_promoters(&r, &g, 1000, compat, flag, &n), GRN_OK);
        assert_memory_equal(flag, want[compat], 6);
        assert_int_equal(n, 3);
    }
    grn_genes_clear(&g);
    write_file(path, "7\t100\t200\tA\t0\t+\n");
    assert_int_equal(grn_genes_load(path, &g), GRN_OK);
    assert_int_equal(grn_dem_promoters(&r, &g, 1000, 0, flag, &n), GRN_EEMPTY);
    grn_genes_clear(&g);
    grn_regions_clear(&r);
    grn_names_clear(&names);
    unlink(path);
}

/* ---- a set in a database ---- */

static void mapping(void **state)
{
    (void)state;
    char path[] = "/tmp/test_dem_XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    grn_names_t columns = { 0 };
    grn_motifdb_t db = { .path = "db", .columns = &columns };
    const char *name[] = { "chr1:100-200", "chr1:200-300", "chr1:1000-2000", "chr2:0-100" };
    for (int i = 0; i < 4; i++) assert_int_equal(grn_names_add(&columns, name[i], NULL, NULL), GRN_OK);
    assert_int_equal(grn_regions_from_names(&columns, &db.place), GRN_OK);
    db.N = 4;
    grn_regionset_t x;
    /* 0: by name, although it shares more than 0.4 with nothing else; 1: 40 of 100 of the first is not more than 0.4, 60 of the second
     * is; 2: half of itself in 0 and half in 1; 3: small, whole within the third; 4: elsewhere; 5: chr2 without chr */
    write_file(path, "chr1\t100\t200\n"
                     "chr1\t160\t260\n"
                     "chr1\t150\t250\n"
                     "chr1\t1500\t1510\n"
                     "chr3\t0\t100\n"
                     "2\t0\t100\n");
    assert_int_equal(grn_regionset_load(&x, path), GRN_OK);
    for (int again = 0; again < 2; again++) {
        assert_int_equal(grn_regionset_map(&x, &db, 0.4), GRN_OK);
        const grn_setpair_t want[] = { { 0, 0 }, { 0, 2 }, { 1, 1 }, { 1, 2 }, { 2, 3 }, { 3, 5 } };
        assert_int_equal(x.n_pair, 6);
        for (int i = 0; i < 6; i++) {
            assert_int_equal(x.pair[i].col, want[i].col);
            assert_int_equal(x.pair[i].item, want[i].item);
        }
        assert_int_equal(x.n, 4); /* columns hit by several regions count once */
        assert_int_equal(x.n_mapped, 5);
    }
    size_t first, last;
    grn_regionset_pairs(&x, 1, &first, &last);
    assert_int_equal(first, 2);
    assert_int_equal(last, 4);
    grn_regionset_pairs(&x, 7, &first, &last);
    assert_int_equal(first, last);
    grn_regionset_clear(&x);
    grn_regions_clear(&db.place);
    grn_names_clear(&columns);
    unlink(path);
}

static void bits(void **state)
{
    (void)state;
    const double flat[] = { 0.25, 0.25, 0.25, 0.25 }, sure[] = { 0, 0, 1, 0 }, half[] = { 0.5, 0.5, 0, 0 },
                 q[] = { 0.5, 0.25, 0.125, 0.125 };
    near(grn_logo_bits(flat), 0, 0);
    near(grn_logo_bits(sure), 2, 0);
    near(grn_logo_bits(half), 1, 0);
    near(grn_logo_bits(q), 0.25, 1e-15); /* 2 - (0.5 + 0.5 + 0.375 + 0.375) */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(against_pairs), cmocka_unit_test(far_tail), cmocka_unit_test(best_cut), cmocka_unit_test(backgrounds),
        cmocka_unit_test(promoters),     cmocka_unit_test(mapping),  cmocka_unit_test(bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
