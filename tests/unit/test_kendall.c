/* Kendall's tau-b of 16,441 peak-gene pairs of a 10x multiome (K562, 500 cells) against published
 * values: scE2G's test output, which is scipy's kendalltau of (a peak has a fragment in the cell)
 * and log(1 + 10,000 x / total). Skipped without the data. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "io/counts.h"
#include "io/fragments.h"
#include "io/text.h"
#include "stat/corr.h"

typedef struct {
    uint64_t start, end;
    size_t cell;
} hit_t;

static const char *data_path(const char *name)
{
    static char path[4][4096];
    static int turn;
    const char *data = getenv("GRN_DATA");
    char *p = path[turn++ % 4];
    snprintf(p, sizeof path[0], "%s/atac/k562_multiome/%s", data ? data : "", name);
    return p;
}

/* Fragments of the cells of the matrix (chr22 only). */
static hit_t *load_fragments(const grn_names_t *cells, size_t *n)
{
    grn_fragments_t *f = NULL;
    grn_fragment_t x;
    hit_t *v = NULL;
    size_t cap = 0;
    *n = 0;
    assert_int_equal(grn_fragments_open(&f, data_path("atac_fragments.chr22p.tsv.gz"), 1), GRN_OK);
    while (grn_fragments_next(f, &x) == 1) {
        size_t c = grn_names_find_n(cells, x.barcode, x.barcode_n);
        if (c == GRN_NAMES_NONE) continue;
        assert_int_equal(GRN_GROW(v, cap, *n + 1), GRN_OK);
        v[(*n)++] = (hit_t){ x.start, x.end, c };
    }
    grn_fragments_close(f);
    return v;
}

static void open_in_cells(const hit_t *v, size_t n, uint64_t start, uint64_t end, float *a,
                          size_t n_cells)
{
    memset(a, 0, n_cells * sizeof *a);
    for (size_t i = 0; i < n; i++) {
        if (v[i].start < end && start < v[i].end) a[v[i].cell] = 1;
    }
}

/* The same from a matrix of `grn-build count` of these cells, transposed. */
static void open_in_matrix(const grn_matrix_t *regions, uint64_t start, uint64_t end, float *a, size_t n_cells)
{
    char name[64];
    size_t n;
    const uint32_t *idx;
    const float *val;
    snprintf(name, sizeof name, "chr22:%llu-%llu", (unsigned long long)start, (unsigned long long)end);
    size_t r = grn_names_find(&regions->row, name);
    assert_true(r != GRN_NAMES_NONE);
    memset(a, 0, n_cells * sizeof *a);
    grn_matrix_row(regions, r, &n, &idx, &val);
    for (size_t k = 0; k < n; k++) a[idx[k]] = 1;
}

/* $GRN_KENDALL_ATAC: what grn-build count made of these fragments (tests/tool/kendall.t). */
static int load_counted(const grn_names_t *cells, grn_matrix_t *regions)
{
    const char *path = getenv("GRN_KENDALL_ATAC");
    grn_matrix_t m = { 0 };
    if (!path) return 0;
    assert_int_equal(grn_matrix_load(path, NULL, &m), GRN_OK);
    assert_true(grn_names_equal(&m.row, cells));
    assert_int_equal(grn_matrix_transpose(&m, regions), GRN_OK);
    grn_matrix_clear(&m);
    return 1;
}

/* log(1 + 10,000 x / total) of one gene: a row of the transposed matrix. */
static void expression(const grn_matrix_t *genes, size_t gene, const double *total, float *r,
                       size_t n_cells)
{
    size_t n;
    const uint32_t *idx;
    const float *val;
    memset(r, 0, n_cells * sizeof *r);
    grn_matrix_row(genes, gene, &n, &idx, &val);
    for (size_t k = 0; k < n; k++) r[idx[k]] = (float)log1p(val[k] / total[idx[k]] * 1e4);
}

static size_t to_sparse(const float *x, size_t n, uint32_t *idx, float *val)
{
    size_t m = 0;
    for (size_t i = 0; i < n; i++) {
        if (x[i] != 0) idx[m] = (uint32_t)i, val[m++] = x[i];
    }
    return m;
}

static void published_pairs_are_met(void **state)
{
    (void)state;
    FILE *there = fopen(data_path("README.txt"), "r");
    if (!there) skip();
    fclose(there);
    grn_log_init("test", 0);
    grn_counts_opt_t opt = GRN_COUNTS_OPT_INIT;
    grn_matrix_t m = { 0 }, genes = { 0 };
    assert_int_equal(grn_counts_load(data_path("rna_count_matrix.cluster1.csv.gz"), &opt, NULL, &m),
                     GRN_OK);
    assert_int_equal(grn_matrix_transpose(&m, &genes), GRN_OK);
    size_t C = m.n_rows, n_hits, n_pairs = 0, n_far = 0, n_alias = 0;
    assert_int_equal(C, 500);
    static double total[500];
    static float a[500], r[500], va[500], vr[500];
    static uint32_t ia[500], ir[500];
    for (size_t c = 0; c < C; c++) {
        for (uint64_t k = m.indptr[c]; k < m.indptr[c + 1]; k++) total[c] += m.data[k];
    }
    grn_matrix_t regions = { 0 };
    int is_counted = load_counted(&m.row, &regions);
    hit_t *hits = load_fragments(&m.row, &n_hits);
    grn_text_t *t = NULL;
    char *line, *field[10];
    double worst = 0;
    assert_int_equal(grn_text_open(&t, data_path("expected/Pairs.Kendall.cluster1_chr22p.tsv.gz")),
                     GRN_OK);
    assert_int_equal(grn_text_next(t, &line, NULL), 1);
    while (grn_text_next(t, &line, NULL) == 1) {
        double want, tau, sparse;
        int64_t start = 0, end = 0;
        if (grn_split(line, '\t', field, 10) != 10 || !*field[9] ||
            grn_parse_f64_any(field[9], &want) || isnan(want))
            continue;
        /* The published table has another number of open cells in this one peak. */
        if (strcmp(field[4], "chr22-12622272-12622612") == 0) continue;
        size_t gene = grn_names_find(&genes.row, field[3]);
        if (gene == GRN_NAMES_NONE && ++n_alias)
            continue; /* listed under an alias that the matrix does not have */
        assert_true(grn_parse_i64(field[1], &start) == GRN_OK &&
                    grn_parse_i64(field[2], &end) == GRN_OK);
        if (is_counted) open_in_matrix(&regions, (uint64_t)start, (uint64_t)end, a, C);
        else open_in_cells(hits, n_hits, (uint64_t)start, (uint64_t)end, a, C);
        expression(&genes, gene, total, r, C);
        size_t na = to_sparse(a, C, ia, va), nr = to_sparse(r, C, ir, vr);
        assert_int_equal(grn_corr_kendall_sp(&(grn_spcol_t){ C, na, ia, va },
                                             &(grn_spcol_t){ C, nr, ir, vr }, &sparse, NULL),
                         GRN_OK);
        if (n_pairs++ % 50 == 0) {
            assert_int_equal(grn_corr_kendall(a, r, C, &tau, NULL), GRN_OK);
            assert_true(tau == sparse);
        }
        n_far += fabs(sparse - want) > 1e-12;
        if (fabs(sparse - want) > worst) worst = fabs(sparse - want);
    }
    print_message(
        "# %zu pairs, %zu differ by more than 1e-12, at most %.3g; %zu under other names\n",
        n_pairs, n_far, worst, n_alias);
    assert_int_equal(n_pairs, 16441);
    assert_int_equal(n_far, 0);
    grn_text_close(t);
    free(hits);
    grn_matrix_clear(&regions);
    grn_matrix_clear(&genes);
    grn_matrix_clear(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(published_pairs_are_met) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
