/* io/motifs: one and the same matrix in every form, 4 x 4 matrices either way, log-odds, refusals; collections of the field. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "io/motifs.h"

static const char *put(const char *path, const char *text)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
    return path;
}

/* counts  A C G T:  (4,16,0,0) (19,0,1,0) (0,20,0,0) */
static void check(const char *path, const char *format, const char *name, const char *alt, double n_sites, double tol)
{
    static const double p[12] = { .2, .8, 0, 0, .95, 0, .05, 0, 0, 1, 0, 0 };
    grn_motifs_t s = { 0 };
    assert_int_equal(grn_motifs_load(path, &s), GRN_OK);
    assert_int_equal(s.n, 1);
    assert_string_equal(s.format, format);
    assert_string_equal(grn_names_get(&s.names, 0), name);
    if (alt) assert_string_equal(s.m[0].alt, alt);
    else assert_null(s.m[0].alt);
    assert_int_equal(s.m[0].w, 3);
    assert_true(s.m[0].n_sites == n_sites);
    for (int i = 0; i < 12; i++) assert_true(fabs(s.m[0].p[i] - p[i]) <= tol);
    grn_motifs_clear(&s);
}

static void forms(void **state)
{
    (void)state;
    check(put("j", ">MA1 Arnt\nA [ 4 19 0 ]\nC  [16 0 20 ]\nG [ 0 1 0 ]\nT [ 0 0 0 ]\n"), "JASPAR", "MA1", "Arnt", 20, 0);
    check(put("jt", ">MA1\tArnt\r\nT\t0 0 0\r\nG | 0 1 0\r\na 4 19 0\r\nC 16 0 20\r\n"), "JASPAR", "MA1", "Arnt", 20, 0);
    check(put("cb", "# c\n>MA1\n# WEIGHT 1\n4 16 0 0\n19\t0\t1\t0\n\n0 20 0 0"), "Cluster-Buster", "MA1", NULL, 20, 0);
    check(put("homer", ">ACC\tArnt(bHLH)/x y/Homer\t6.5\t-10.1\n.2 .8 0 0\n.95 0 .05 0\n0 1 0 0\n"), "Cluster-Buster",
          "Arnt(bHLH)/x y/Homer", "ACC", 0, 0);
    check(put("MA1.pfm", " 4 19 0\n16 0 20\n0 1 0\n0 0 0\n"), "raw rows", "MA1", NULL, 20, 0);
    check(put("meme",
              "MEME version 4\n\nALPHABET= ACGT\nstrands: + -\nBackground letter frequencies\nA 0.3 C 0.2 G 0.2 T 0.3\n\nMOTIF MA1 Arnt\n"
              "letter-probability matrix: alength= 4 w= 3 nsites= 20 E= 0\n 0.2 0.8 0 0\n 0.95 0 0.05 0\n 0 1 0 0\nURL http://x\n"),
          "MEME", "MA1", "Arnt", 20, 0);
    check(put("tf", "AC  MA1\nXX\nID  Arnt\nXX\n"
                    "P0      A      C      G      T\n01 4 16 0 0 C\n02 19 0 1 0 A\n03 0 20 0 0 C\nXX\n//\n"), "TRANSFAC",
          "MA1", "Arnt", 20, 0);
    check(put("tf2", "ID  MA1\nBF  E. coli\nP0 T G C A\n01 0 0 16 4 C\n02 0 1 0 19\n03 0 0 20 0\n"), "TRANSFAC", "MA1", NULL, 20, 0);
}

static void log_odds(void **state)
{
    (void)state;
    for (int base2 = 0; base2 < 2; base2++) {
        static const double p[8] = { .1, .2, .3, .4, .7, .1, .1, .1 };
        grn_motifs_t s = { 0 };
        FILE *f = fopen("lo", "w");
        fprintf(f, ">X\n");
        for (int b = 0; b < 4; b++) {
            fprintf(f, "%c [ ", "ACGT"[b]);
            for (int i = 0; i < 2; i++) fprintf(f, "%.9g ", base2 ? log2(p[4 * i + b] / .25) : log(p[4 * i + b] / .25));
            fprintf(f, "]\n");
        }
        fclose(f);
        assert_int_equal(grn_motifs_load("lo", &s), GRN_OK);
        assert_int_equal(s.m[0].kind, GRN_MOTIF_LOGODDS);
        for (int i = 0; i < 8; i++) assert_true(fabs(s.m[0].p[i] - p[i]) < 1e-7);
        double lo[8], bg[4] = { .25, .25, .25, .25 };
        grn_motif_logodds(&s.m[0], 5.0, bg, lo); /* a pseudocount is not put in twice */
        assert_true(fabs(lo[4] - log2(.7 / .25)) < 1e-7);
        grn_motifs_clear(&s);
    }
}

static void square(void **state)
{
    (void)state;
    grn_motifs_t s = { 0 };
    put("sq", ">rows_are_positions\n10 0 0 0\n0 10 0 0\n1 1 8 0\n5 5 0 0\n>rows_are_bases\n10 0 1 5\n0 10 1 5\n0 0 8 0\n0 0 0 0\n"
              ">either\n1 0 0 0\n0 1 0 0\n0 0 1 0\n0 0 0 1\n");
    assert_int_equal(grn_motifs_load("sq", &s), GRN_OK);
    assert_int_equal(s.n, 3);
    for (int k = 0; k < 2; k++) assert_true(fabs(s.m[k].p[8] - .1) < 1e-12 && fabs(s.m[k].p[10] - .8) < 1e-12 && s.m[k].p[12] == .5);
    assert_int_equal(s.m[2].kind, GRN_MOTIF_PROBS);
    grn_motifs_clear(&s);
    put("sq2", ">a\n10 0 1 5\n0 10 1 5\n0 0 8 0\n0 0 0 0\n>b\n1 0 0 0\n0 1 0 0\n0 1 0 0\n"); /* b decides */
    assert_int_equal(grn_motifs_load("sq2", &s), GRN_OK);
    assert_true(fabs(s.m[0].p[0] - 10. / 16) < 1e-12 && s.m[0].p[12] == .25);
    grn_motifs_clear(&s);
}

static void pseudocounts(void **state)
{
    (void)state;
    grn_motifs_t s = { 0 };
    double lo[4], bg[4] = { .3, .2, .2, .3 };
    assert_int_equal(grn_motifs_load(put("one", ">a\n9 1 0 0\n"), &s), GRN_OK);
    grn_motif_logodds(&s.m[0], 1, bg, lo); /* (9 + .3) / 11 against .3 ... */
    assert_true(fabs(lo[0] - log2(9.3 / 11 / .3)) < 1e-12);
    assert_true(fabs(lo[2] - log2(.2 / 11 / .2)) < 1e-12);
    grn_motif_logodds(&s.m[0], 0, bg, lo);
    assert_true(fabs(lo[2] - log2(1e-9 / .2)) < 1e-12);
    assert_int_equal(grn_motifs_load(put("two", ">b\n0 0 0 0\n0 1 0 0\n"), &s), GRN_OK); /* a second file; a position without weight */
    assert_int_equal(s.n, 2);
    assert_true(s.m[1].p[0] == .25 && s.m[1].p[3] == .25);
    grn_motifs_clear(&s);
}

static void refused(void **state)
{
    (void)state;
    static const struct { const char *text, *says; int code; } bad[] = {
        { "", "no motif", GRN_EEMPTY },
        { ">a\n1 2 3 4\n>a\n1 2 3 4\n", "there before", GRN_EFORMAT },
        { ">a\n>b\n1 2 3 4\n", "'a': has no matrix", GRN_EFORMAT },
        { ">a\n1 2 3\n1 2 3\n", "neither 4 rows", GRN_EFORMAT },
        { ">a\n1 2 3 4\n1 2 3\n", "unequal length", GRN_EFORMAT },
        { ">a\nA 1 2\nC 1 2\nG 1 2\n", "exactly one row each", GRN_EFORMAT },
        { ">a\nA 1 2\nA 1 2\n", "two rows for one base", GRN_EFORMAT },
        { ">a\n1 2 x 4\n", "no number", GRN_EFORMAT },
        { ">a\n1 2 nan 4\n", "not finite", GRN_EFORMAT },
        { "MEME version 4\nMOTIF x\nletter-probability matrix: alength= 20 w= 1\n", "not a DNA motif", GRN_EFORMAT },
        { "MEME version 4\nMOTIF x\n\nMOTIF y\n", "'x': has no matrix", GRN_EFORMAT },
        { "hello\n", "line 1", GRN_EFORMAT },
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        grn_motifs_t s = { 0 };
        assert_int_equal(grn_motifs_load(put("bad", bad[i].text), &s), bad[i].code);
        assert_non_null(strstr(grn_err_msg(), bad[i].says));
        assert_int_equal(s.n, 0);
    }
}

static void real_files(void **state)
{
    (void)state;
    static const struct { const char *path, *format; size_t n, w; double a; } known[] = { /* motifs, positions, sum of P(A) */
        { "gimme_CIS-BP.pfm.gz", "Cluster-Buster", 10033, 117561, 32235.8386 },
        { "gimme_HOCOMOCOv11_HUMAN.pfm.gz", "Cluster-Buster", 401, 5746, 1469.1484 },
        { "gimme_JASPAR2022.pfm.gz", "Cluster-Buster", 1997, 24962, 7382.0377 },
        { "gimme_gimme.vertebrate.v5.0.pfm.gz", "Cluster-Buster", 1796, 22124, 5794.0534 },
        { "jaspar2022_vertebrates.cb.gz", "Cluster-Buster", 838, 10451, 3113.9578 },
        { "JASPAR2024.meme.gz", "MEME", 2346, 22090, 6559.849 },
        { "prodoric.transfac.gz", "TRANSFAC", 353, 5400, 1632.25 },
        { "sample_M00005.transfac", "TRANSFAC", 1, 18, 4.0 },
        { "../archr_pbsmall/motifs_pwm.txt", "JASPAR", 6, 77, 0 },
        { "../fimo_moods_oracles/moods/MA0001.pfm", "raw rows", 1, 10, 0 },
        { "../fimo_moods_oracles/memelite/test.meme", "MEME", 12, 0, 0 },
    };
    const char *data = getenv("GRN_DATA");
    char path[4096];
    snprintf(path, sizeof path, "%s/atac/motifs", data ? data : "");
    FILE *f = fopen(path, "r");
    if (!data || !f) skip();
    fclose(f);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        grn_motifs_t s = { 0 };
        size_t w = 0;
        double a = 0;
        snprintf(path, sizeof path, "%s/atac/motifs/%s", data, known[i].path);
        if (grn_motifs_load(path, &s)) fail_msg("%s", grn_err_msg());
        assert_string_equal(s.format, known[i].format);
        for (size_t k = 0; k < s.n; k++) {
            w += s.m[k].w;
            for (uint32_t j = 0; j < s.m[k].w; j++) a += s.m[k].p[4 * j];
        }
        assert_int_equal(s.n, known[i].n);
        if (known[i].w) assert_int_equal(w, known[i].w);
        if (known[i].a > 0) assert_true(fabs(a - known[i].a) < 1e-3);
        grn_motifs_clear(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(forms),        cmocka_unit_test(log_odds), cmocka_unit_test(square),
                                        cmocka_unit_test(pseudocounts), cmocka_unit_test(refused),  cmocka_unit_test(real_files) };
    return cmocka_run_group_tests_name("motifs", tests, NULL, NULL);
}
