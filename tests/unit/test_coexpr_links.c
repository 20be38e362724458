/* grn-coexpr links: every score, with and without covariates, against plain double sums; what the parts promise */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/rng.h"
#include "base/simd.h"
#include "grn-coexpr/chance.h"
#include "grn-coexpr/gram_kernel.h"
#include "grn-coexpr/links.h"
#include "grn-coexpr/partners.h"
#include "stat/fdr.h"

enum { GENES = 90, MOST_CELLS = 2300, LEVELS = 3, MOST_COLUMNS = 6 };

typedef struct { /* cells x genes with three hidden factors, three donors and a number that some genes follow */
    size_t n;
    grn_matrix_t m;
    coexpr_store_t store;
    coexpr_groups_t groups;
    int32_t *donor;
    double *number;
    grn_names_t levels;
    coexpr_covariate_t covariate[2];
} data_t;

static double level_of(size_t c, size_t g, double number, int donor)
{
    grn_rng_t f;
    grn_rng_init2(&f, 1, "test.factor", c, g % 3);
    double level = 0.5 * grn_rng_normal(&f) * (g % 2 ? 1 : -1) + (g % 5 == 0 ? 0.8 * number : 0) + (g % 7 == 0 ? 0.7 * (donor - 1) : 0);
    return exp(level) * (g < 10 ? 0.05 : 1.2);
}

/* cell, gene: orders of both, or NULL. */
static void make_data(data_t *d, size_t n, const uint32_t *cell, const uint32_t *gene)
{
    size_t k = 0;
    char name[32];
    memset(d, 0, sizeof *d);
    d->n = n;
    d->m.n_rows = n;
    d->m.n_cols = GENES;
    d->m.indptr = calloc(n + 1, sizeof *d->m.indptr);
    d->m.indices = calloc(n * GENES, sizeof *d->m.indices);
    d->m.data = calloc(n * GENES, sizeof *d->m.data);
    d->donor = calloc(n, sizeof *d->donor);
    d->number = calloc(n, sizeof *d->number);
    for (size_t i = 0; i < n; i++) {
        size_t c = cell ? cell[i] : i;
        grn_rng_t r;
        grn_rng_init(&r, 1, "test.cell", c);
        d->number[i] = grn_rng_normal(&r);
        d->donor[i] = (int32_t)grn_rng_below(&r, LEVELS);
        snprintf(name, sizeof name, "cell%05zu", c);
        assert_int_equal(grn_names_add(&d->m.row, name, NULL, NULL), GRN_OK);
        for (size_t j = 0; j < GENES; j++) {
            size_t g = gene ? gene[j] : j;
            grn_rng_init2(&r, 1, "test.count", c, g);
            uint64_t x = grn_rng_poisson(&r, level_of(c, g, d->number[i], d->donor[i]));
            if (g == 50) x = 2;             /* the same in every cell */
            if (c == 3 && g == 60) x = 700; /* more than a byte */
            if (x == 0) continue;
            d->m.indices[k] = (uint32_t)j;
            d->m.data[k++] = (float)x;
        }
        d->m.indptr[i + 1] = k;
    }
    for (size_t j = 0; j < GENES; j++) {
        snprintf(name, sizeof name, "g%03zu", (size_t)(gene ? gene[j] : j));
        assert_int_equal(grn_names_add(&d->m.col, name, NULL, NULL), GRN_OK);
    }
    for (int l = 0; l < LEVELS; l++) {
        snprintf(name, sizeof name, "donor%d", l);
        assert_int_equal(grn_names_add(&d->levels, name, NULL, NULL), GRN_OK);
    }
    d->covariate[0] = (coexpr_covariate_t){ "donor", NULL, d->donor, &d->levels };
    d->covariate[1] = (coexpr_covariate_t){ "number", d->number, NULL, NULL };
    assert_int_equal(coexpr_store_init(&d->store, &d->m.col), GRN_OK);
    assert_int_equal(coexpr_store_add(&d->store, &d->m, NULL), GRN_OK);
    assert_int_equal(coexpr_groups(&d->m, NULL, &d->groups), GRN_OK);
}

static void drop_data(data_t *d)
{
    grn_matrix_clear(&d->m);
    coexpr_store_clear(&d->store);
    coexpr_groups_clear(&d->groups);
    grn_names_clear(&d->levels);
    free(d->donor);
    free(d->number);
}

static const coexpr_opt_t plain = { .method = COEXPR_PEARSON,
                                    .norm = COEXPR_NORM_AUTO,
                                    .top = 6,
                                    .min_context = 10,
                                    .max_q = 1,
                                    .filter = { .min_cells = 8, .max_detected = 1 },
                                    .seed = 1 };

/* ---- plain sums ---- */

static double values[GENES][MOST_CELLS];

static void plain_ranks(double *x, size_t n)
{
    static double rank[MOST_CELLS];
    for (size_t i = 0; i < n; i++) {
        size_t less = 0, same = 0;
        for (size_t k = 0; k < n; k++) {
            less += x[k] < x[i];
            same += x[k] == x[i];
        }
        rank[i] = (double)less + ((double)same + 1) / 2;
    }
    memcpy(x, rank, n * sizeof *x);
}

/* Residuals of y on the intercept, two donors and the number by the normal equations; without covariates: deviations from the mean. */
static void plain_residuals(const data_t *d, int covariates, double *y)
{
    double a[MOST_COLUMNS][MOST_COLUMNS + 1] = { { 0 } }, row[MOST_COLUMNS];
    size_t p = covariates ? 4 : 1;
    for (size_t pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < d->n; i++) {
            uint32_t c = d->groups.cell[i];
            double at[] = { 1, d->donor[c] == 1, d->donor[c] == 2, d->number[c] }, fit = 0;
            memcpy(row, at, sizeof at);
            for (size_t q = 0; q < p; q++) fit += pass ? row[q] * a[q][p] : 0;
            if (pass) y[i] -= fit;
            for (size_t q = 0; q < p && !pass; q++) {
                for (size_t s = 0; s < p; s++) a[q][s] += row[q] * row[s];
                a[q][p] += row[q] * y[i];
            }
        }
        for (size_t q = 0; q < p && !pass; q++) { /* Gauss-Jordan; positive definite */
            for (size_t s = p + 1; s-- > q;) a[q][s] /= a[q][q];
            for (size_t t = 0; t < p; t++)
                for (size_t s = p + 1; t != q && s-- > q;) a[t][s] -= a[t][q] * a[q][s];
        }
    }
}

/* Values of all genes as the method takes them; which genes are compared. */
static void plain_values(const data_t *d, const coexpr_opt_t *opt, int covariates, uint8_t *kept)
{
    double n_kept = 0;
    memset(values, 0, sizeof values);
    for (size_t i = 0; i < d->n; i++) {
        uint32_t c = d->groups.cell[i];
        double total = 0;
        for (uint64_t q = d->m.indptr[c]; q < d->m.indptr[c + 1]; q++) total += (double)d->m.data[q];
        for (uint64_t q = d->m.indptr[c]; q < d->m.indptr[c + 1]; q++)
            values[d->m.indices[q]][i] = (float)log1p(1e4 * (double)d->m.data[q] / total);
    }
    for (size_t g = 0; g < GENES; g++) {
        size_t n = 0;
        for (size_t i = 0; i < d->n; i++) n += values[g][i] != 0;
        kept[g] = n >= (size_t)opt->filter.min_cells;
        n_kept += kept[g];
    }
    for (size_t i = 0; i < d->n && opt->method == COEXPR_RHO_P; i++) {
        double sum = 0;
        for (size_t g = 0; g < GENES; g++) sum += kept[g] ? values[g][i] : 0;
        for (size_t g = 0; g < GENES; g++) values[g][i] -= sum / n_kept;
    }
    for (size_t g = 0; g < GENES; g++) {
        if (opt->method == COEXPR_SPEARMAN) plain_ranks(values[g], d->n);
        if (opt->method != COEXPR_PMI) plain_residuals(d, covariates, values[g]);
    }
}

static double plain_score(const data_t *d, coexpr_method method, size_t u, size_t v)
{
    double xx = 0, yy = 0, xy = 0, diff = 0, n = (double)d->n;
    for (size_t i = 0; i < d->n; i++) {
        double x = values[u][i], y = values[v][i];
        if (method == COEXPR_PMI) {
            x = x != 0;
            y = y != 0;
        }
        xx += x * x;
        yy += y * y;
        xy += x * y;
        diff += (x - y) * (x - y);
    }
    if (method == COEXPR_RHO_P) return 1 - diff / (xx + yy);
    if (method == COEXPR_PMI) {
        double chance = xx / n * yy / n, p = (xy + chance) / (n + 1);
        return p > chance ? fmax(0, log(p / chance) / -log(p)) : 0;
    }
    return xx > 1e-9 && yy > 1e-9 ? xy / sqrt(xx * yy) : 0;
}

static int falling(const void *a, const void *b)
{
    double x = fabs(*(const double *)a), y = fabs(*(const double *)b);
    return (x < y) - (x > y);
}

static void check_scores(const data_t *d, const coexpr_opt_t *opt, const grn_edges_t *e)
{
    uint8_t kept[GENES];
    plain_values(d, opt, opt->n_covariates > 0, kept);
    for (size_t u = 0; u < GENES; u++) {
        double all[GENES], sorted[GENES];
        size_t n = 0, links = 0, possible = 0;
        for (size_t v = 0; v < GENES; v++) {
            all[v] = u != v && kept[u] && kept[v] ? plain_score(d, opt->method, u, v) : 0;
            if (opt->terms && u != v && !grn_pairs_has(opt->terms, d->store.id[u], d->store.id[v])) all[v] = 0;
            possible += fabs(all[v]) > 1e-12;
            sorted[n++] = all[v];
        }
        qsort(sorted, n, sizeof *sorted, falling);
        for (size_t i = 0; i < e->n; i++) {
            if (strcmp(grn_names_get(&e->genes, e->tf[i]), grn_names_get(&d->m.col, u)) != 0) continue;
            size_t v = grn_names_find(&d->m.col, grn_names_get(&e->genes, e->gene[i]));
            assert_true(v < GENES && v != u);
            assert_float_equal((double)e->sign[i] * (double)e->weight[i], all[v], 2e-6);
            assert_true((double)e->weight[i] >= fabs(sorted[opt->top - 1]) - 2e-6);
            links++;
        }
        assert_int_equal(links, possible < (size_t)opt->top ? possible : (size_t)opt->top);
    }
}

static void test_scores(void **state)
{
    (void)state;
    static const size_t cells[] = { 120, MOST_CELLS }; /* one slab; two */
    static const coexpr_method method[] = { COEXPR_PEARSON, COEXPR_SPEARMAN, COEXPR_RHO_P, COEXPR_PMI };
    for (size_t s = 0; s < 2; s++) {
        data_t d;
        make_data(&d, cells[s], NULL, NULL);
        for (size_t k = 0; k < 4; k++)
            for (size_t covariates = 0; covariates < (method[k] == COEXPR_PMI ? 1 : 2); covariates++) {
                coexpr_opt_t opt = plain;
                coexpr_stat_t stat[1];
                grn_edges_t e;
                opt.method = method[k];
                opt.covariate = d.covariate;
                opt.n_covariates = covariates ? 2 : 0;
                assert_int_equal(coexpr_links(&d.store, &d.groups, &opt, NULL, &e, stat), GRN_OK);
                assert_int_equal(stat[0].n_columns, covariates ? 4 : 1);
                assert_int_equal(stat[0].n_pairs, stat[0].n_genes * (stat[0].n_genes - 1) / 2);
                check_scores(&d, &opt, &e);
                grn_edges_clear(&e);
            }
        drop_data(&d);
    }
}

/* Without covariates genes that follow the number are linked; with them, no better than others. */
static void test_covariates_matter(void **state)
{
    (void)state;
    double share[2] = { 0 };
    data_t d;
    make_data(&d, 600, NULL, NULL);
    for (int k = 0; k < 2; k++) {
        coexpr_opt_t opt = plain;
        coexpr_stat_t stat[1];
        grn_edges_t e;
        opt.covariate = d.covariate;
        opt.n_covariates = k ? 2 : 0;
        opt.top = 3;
        assert_int_equal(coexpr_links(&d.store, &d.groups, &opt, NULL, &e, stat), GRN_OK);
        for (size_t i = 0; i < e.n; i++) {
            long u = strtol(grn_names_get(&e.genes, e.tf[i]) + 1, NULL, 10),
                 v = strtol(grn_names_get(&e.genes, e.gene[i]) + 1, NULL, 10);
            share[k] += u % 5 == 0 && v % 5 == 0 && u % 3 != v % 3; /* both follow the number, no factor in common */
        }
        grn_edges_clear(&e);
    }
    assert_true(share[0] > 15 && share[1] < 6);
    drop_data(&d);
}

/* ---- the same bytes ---- */

static void assert_same(const grn_edges_t *a, const grn_edges_t *b)
{
    assert_int_equal(a->n, b->n);
    assert_int_equal(a->n_ev, b->n_ev);
    assert_true(grn_names_equal(&a->genes, &b->genes));
    assert_memory_equal(a->tf, b->tf, a->n * sizeof *a->tf);
    assert_memory_equal(a->gene, b->gene, a->n * sizeof *a->gene);
    assert_memory_equal(a->sign, b->sign, a->n * sizeof *a->sign);
    assert_memory_equal(a->weight, b->weight, a->n * sizeof *a->weight);
    for (size_t k = 0; k < a->n_ev; k++) assert_memory_equal(a->ev[k].v, b->ev[k].v, a->n * sizeof(float));
}

static void test_same_bytes(void **state)
{
    (void)state;
    static uint32_t cell[MOST_CELLS], gene[GENES];
    static const coexpr_method method[] = { COEXPR_PEARSON, COEXPR_SPEARMAN, COEXPR_RHO_P, COEXPR_PMI };
    grn_rng_t r;
    grn_par_t *pool;
    data_t d[2];
    grn_rng_init(&r, 2, "test.shuffle", 0);
    for (uint32_t i = 0; i < MOST_CELLS; i++) cell[i] = i;
    for (uint32_t i = 0; i < GENES; i++) gene[i] = i;
    grn_rng_shuffle_u32(&r, cell, MOST_CELLS);
    grn_rng_shuffle_u32(&r, gene, GENES);
    assert_int_equal(grn_par_create(&pool, 3), GRN_OK);
    make_data(&d[0], MOST_CELLS, NULL, NULL);
    make_data(&d[1], MOST_CELLS, cell, gene);
    for (size_t k = 0; k < 4; k++) {
        grn_edges_t e[2];
        for (int s = 0; s < 2; s++) {
            coexpr_stat_t stat[1];
            coexpr_opt_t opt = plain;
            opt.method = method[k];
            opt.n_null = 20000;
            opt.mutual = k == 1 ? 20 : 0;
            opt.covariate = d[s].covariate;
            opt.n_covariates = method[k] == COEXPR_PMI ? 0 : 2;
            if (s) opt.max_mem = 1;
            if (s) {
                assert_int_equal(coexpr_links(&d[s].store, &d[s].groups, &opt, pool, &e[s], stat), GRN_EINVAL);
                const char *least = strstr(grn_err_msg(), "at least ");
                assert_non_null(least);
                opt.max_mem = strtoull(least + 9, NULL, 10);
            }
            assert_int_equal(coexpr_links(&d[s].store, &d[s].groups, &opt, s ? pool : NULL, &e[s], stat), GRN_OK);
            assert_int_equal(stat[0].n_panels, s ? 2 : 1);
        }
        assert_same(&e[0], &e[1]);
        grn_edges_clear(&e[0]);
        grn_edges_clear(&e[1]);
    }
    drop_data(&d[0]);
    drop_data(&d[1]);
    grn_par_destroy(pool);
}

static void test_kernels(void **state)
{
    (void)state;
    enum { N = 40 };
    static float y[COEXPR_SLAB * COEXPR_TILE] __attribute__((aligned(64))), sum[3][N * COEXPR_TILE] __attribute__((aligned(64)));
    static uint16_t cell[N * 64];
    static float x[N * 64];
    uint64_t off[N + 1] = { 0 };
    grn_rng_t r;
    grn_rng_init(&r, 1, "test.kernel", 0);
    for (size_t k = 0; k < sizeof y / sizeof *y; k++) y[k] = grn_rng_unif(&r) < 0.2 ? (float)grn_rng_normal(&r) : 0;
    for (size_t g = 0; g < N; g++) {
        off[g + 1] = off[g] + grn_rng_below(&r, 64);
        for (uint64_t k = off[g]; k < off[g + 1]; k++) {
            cell[k] = (uint16_t)grn_rng_below(&r, COEXPR_SLAB);
            x[k] = (float)grn_rng_normal(&r);
        }
    }
    for (int twice = 0; twice < 2; twice++) coexpr_gram_base(y, off, cell, x, 1, N, sum[0] + COEXPR_TILE);
    for (size_t g = 1; g < N; g++)
        for (size_t v = 0; v < COEXPR_TILE; v += 9) {
            double want = 0;
            for (uint64_t k = off[g]; k < off[g + 1]; k++) want += 2 * (double)x[k] * (double)y[cell[k] * COEXPR_TILE + v];
            assert_float_equal(sum[0][g * COEXPR_TILE + v], want, 1e-4);
        }
#if defined(__x86_64__)
    for (int twice = 0; twice < 2; twice++) {
        if (grn_simd_level() >= GRN_SIMD_AVX2) coexpr_gram_avx2(y, off, cell, x, 1, N, sum[1] + COEXPR_TILE);
        if (grn_simd_level() >= GRN_SIMD_AVX512) coexpr_gram_avx512(y, off, cell, x, 1, N, sum[2] + COEXPR_TILE);
    }
    if (grn_simd_level() >= GRN_SIMD_AVX2) assert_memory_equal(sum[0], sum[1], sizeof sum[0]);
    if (grn_simd_level() >= GRN_SIMD_AVX512) assert_memory_equal(sum[0], sum[2], sizeof sum[0]);
#endif
}

/* ---- chance ---- */

/* Independent genes: the null's points are those of r with n cells, and next to no link has a small q. */
static void test_chance(void **state)
{
    (void)state;
    enum { N = 400 };
    grn_matrix_t m = { .n_rows = N, .n_cols = GENES };
    coexpr_store_t s;
    coexpr_groups_t g;
    coexpr_opt_t opt = plain;
    coexpr_stat_t stat[1];
    grn_edges_t e;
    size_t k = 0;
    char name[32];
    static int32_t batch[N];
    grn_names_t levels = { 0 };
    coexpr_covariate_t covariate = { "batch", NULL, batch, &levels };
    opt.covariate = &covariate;
    m.indptr = calloc(N + 1, sizeof *m.indptr);
    m.indices = calloc(N * GENES, sizeof *m.indices);
    m.data = calloc(N * GENES, sizeof *m.data);
    for (size_t i = 0; i < N; i++) {
        grn_rng_t r;
        grn_rng_init(&r, 4, "test.independent", i);
        snprintf(name, sizeof name, "c%03zu", i);
        assert_int_equal(grn_names_add(&m.row, name, NULL, NULL), GRN_OK);
        for (uint32_t j = 0; j < GENES; j++) {
            uint64_t x = grn_rng_poisson(&r, 0.7);
            if (x == 0) continue;
            m.indices[k] = j;
            m.data[k++] = (float)x;
        }
        m.indptr[i + 1] = k;
    }
    for (size_t j = 0; j < GENES; j++) {
        snprintf(name, sizeof name, "g%03zu", j);
        assert_int_equal(grn_names_add(&m.col, name, NULL, NULL), GRN_OK);
    }
    assert_int_equal(coexpr_store_init(&s, &m.col), GRN_OK);
    assert_int_equal(coexpr_store_add(&s, &m, NULL), GRN_OK);
    assert_int_equal(coexpr_groups(&m, NULL, &g), GRN_OK);
    opt.norm = COEXPR_NORM_NONE;
    opt.n_null = 200000;
    assert_int_equal(coexpr_links(&s, &g, &opt, NULL, &e, stat), GRN_OK);
    assert_float_equal(stat[0].null_q99, 2.576 / sqrt(N - 1), 0.006);
    assert_float_equal(stat[0].null_q999, 3.291 / sqrt(N - 1), 0.012);
    grn_edges_clear(&e);
    for (size_t i = 0; i < N; i++) batch[i] = (int32_t)(i % 4);
    for (int l = 0; l < 4; l++)
        assert_int_equal(grn_names_add(&levels, (const char *[]){ "b0", "b1", "b2", "b3" }[l], NULL, NULL), GRN_OK);
    for (int run = 0; run < 7; run++) {
        static const coexpr_method method[] = { COEXPR_PEARSON, COEXPR_SPEARMAN, COEXPR_RHO_P, COEXPR_PMI };
        opt.method = method[run % 4];
        opt.n_covariates = (size_t)run / 4;
        assert_int_equal(coexpr_links(&s, &g, &opt, NULL, &e, stat), GRN_OK);
        assert_true(stat[0].n_null >= 190000);
        const float *q = grn_edges_find_evidence(&e, "q");
        for (size_t i = 0, small = 0; i < e.n; i++) {
            assert_true(q[i] > 0 && q[i] <= 1);
            small += q[i] < 0.1f;
            assert_true(small <= 4);
        }
        grn_edges_clear(&e);
    }
    opt.max_q = 1e-4;
    assert_int_equal(coexpr_links(&s, &g, &opt, NULL, &e, stat), GRN_EEMPTY);
    coexpr_store_clear(&s);
    coexpr_groups_clear(&g);
    grn_matrix_clear(&m);
    grn_names_clear(&levels);
}

static void test_fdr_binned(void **state)
{
    (void)state;
    const uint64_t bins[4] = { 70, 20, 6, 4 }, null[4] = { 900, 95, 5, 0 }, none[4] = { 0 };
    double q[4];
    grn_fdr_binned(bins, null, 4, q);
    assert_float_equal(q[0], 1, 1e-12);
    assert_float_equal(q[1], 0.101 / 0.30, 1e-12);
    assert_float_equal(q[2], 0.006 / 0.10, 1e-12);
    assert_float_equal(q[3], 0.001 / 0.04, 1e-12);
    grn_fdr_binned(bins, none, 4, q);
    for (int b = 0; b < 4; b++) assert_float_equal(q[b], 1, 0);
}

/* ---- parts ---- */

static void test_store(void **state)
{
    (void)state;
    enum { WIDE = 70000 };
    uint64_t indptr[3] = { 0, 3, 20 };
    uint32_t indices[20] = { 0, 65535, 69999 }, gene[WIDE];
    float data[20] = { 254, 255, 0.5f }, x[WIDE];
    char name[16];
    grn_matrix_t m = { .n_rows = 2, .n_cols = WIDE, .indptr = indptr, .indices = indices, .data = data };
    coexpr_store_t s;
    for (uint32_t j = 0; j < WIDE; j++) { /* names fall, so that columns are turned round */
        snprintf(name, sizeof name, "g%06u", WIDE - j);
        assert_int_equal(grn_names_add(&m.col, name, NULL, NULL), GRN_OK);
    }
    for (uint32_t k = 0; k < 17; k++) {
        indices[3 + k] = k;
        data[3 + k] = (float)(k + 1);
    }
    for (int wide = 0; wide < 2; wide++) {
        if (wide)
            for (int k = 3; k < 8; k++) data[k] += 0.25f; /* too many for the list */
        assert_int_equal(coexpr_store_init(&s, &m.col), GRN_OK);
        assert_int_equal(coexpr_store_add(&s, &m, NULL), GRN_OK);
        assert_true(!s.counts && !s.negative && s.block[0].gene32 && (s.block[0].x32 != NULL) == 1);
        assert_int_equal(coexpr_store_row(&s, 0, gene, x), 3);
        assert_true(gene[0] == 0 && gene[1] == WIDE - 1 - 65535 && gene[2] == WIDE - 1);
        assert_true(x[0] == 0.5f && x[1] == 255 && x[2] == 254);
        assert_int_equal(coexpr_store_row(&s, 1, gene, x), 17);
        for (uint32_t k = 0; k < 17; k++) assert_true(gene[16 - k] == WIDE - 1 - k && x[16 - k] == data[3 + k]);
        assert_float_equal(s.total[0], 509.5, 0);
        coexpr_store_clear(&s);
    }
    grn_names_clear(&m.col);
    data_t d; /* bytes with one that does not fit */
    make_data(&d, 40, NULL, NULL);
    assert_true(d.store.counts && d.store.block[0].gene16 && d.store.block[0].x8 && d.store.block[0].n_wide == 1);
    for (size_t c = 0; c < d.n; c++) {
        size_t n = coexpr_store_row(&d.store, c, gene, x);
        assert_int_equal(n, d.m.indptr[c + 1] - d.m.indptr[c]);
        assert_memory_equal(gene, d.m.indices + d.m.indptr[c], n * sizeof *gene);
        assert_memory_equal(x, d.m.data + d.m.indptr[c], n * sizeof *x);
    }
    drop_data(&d);
}

static void test_design(void **state)
{
    (void)state;
    data_t d;
    double *basis;
    size_t p;
    uint32_t order[300], seen[300] = { 0 }, moved = 0;
    make_data(&d, 300, NULL, NULL);
    coexpr_covariate_t twice[4] = { d.covariate[0], d.covariate[1], d.covariate[0], d.covariate[1] };
    assert_int_equal(coexpr_design(twice, 4, d.groups.cell, d.n, &basis, &p), GRN_OK);
    assert_int_equal(p, 4); /* three donors and the number: again they add nothing */
    for (size_t a = 0; a < p; a++)
        for (size_t b = 0; b < p; b++) {
            double dot = 0;
            for (size_t i = 0; i < d.n; i++) dot += basis[i * p + a] * basis[i * p + b];
            assert_float_equal(dot, a == b, 1e-12);
        }
    free(basis);
    assert_int_equal(coexpr_shuffle(twice, 2, d.groups.cell, d.n, 1, 2, 3, order), GRN_OK);
    for (size_t i = 0; i < d.n; i++) {
        seen[order[i]]++;
        moved += order[i] != i;
        assert_int_equal(d.donor[d.groups.cell[order[i]]], d.donor[d.groups.cell[i]]);
    }
    for (size_t i = 0; i < d.n; i++) assert_int_equal(seen[i], 1);
    assert_true(moved > 280);
    drop_data(&d);
}

/* Of the n genes that are kept none has a smaller normalised dispersion than one that is not. */
static void check_variable(const data_t *d, size_t n, const uint8_t *keep)
{
    double mean[GENES] = { 0 }, var[GENES] = { 0 }, z[GENES], low = INFINITY, high = 0, least = INFINITY;
    size_t n_kept = 0;
    for (uint64_t k = 0; k < d->m.indptr[d->n]; k++) mean[d->m.indices[k]] += (double)d->m.data[k] / (double)d->n;
    for (size_t g = 0; g < GENES; g++) var[g] = mean[g] * mean[g] * (double)d->n;
    for (uint64_t k = 0; k < d->m.indptr[d->n]; k++) {
        double x = (double)d->m.data[k], old = mean[d->m.indices[k]];
        var[d->m.indices[k]] += (x - old) * (x - old) - old * old;
    }
    for (size_t g = 0; g < GENES; g++) {
        var[g] = log(fmax(var[g] / (double)(d->n - 1), 1e-12) / mean[g]);
        low = fmin(low, log1p(mean[g]));
        high = fmax(high, log1p(mean[g]));
    }
    for (size_t g = 0; g < GENES; g++) {
        double sum = 0, square = 0, in = 0;
        size_t bin = (size_t)fmin(19, floor(20 * (log1p(mean[g]) - low) / (high - low)));
        for (int pass = 0; pass < 2; pass++)
            for (size_t h = 0; h < GENES; h++) {
                if ((size_t)fmin(19, floor(20 * (log1p(mean[h]) - low) / (high - low))) != bin) continue;
                if (pass) square += pow(var[h] - sum / in, 2);
                else sum += var[h], in++;
            }
        z[g] = in == 1 ? 1 : (var[g] - sum / in) / sqrt(square / (in - 1));
        n_kept += keep[g];
        if (keep[g]) least = fmin(least, z[g]);
    }
    for (size_t g = 0; g < GENES; g++) assert_true(keep[g] || z[g] <= least + 1e-9);
    assert_true(n_kept == n && !keep[50]); /* the constant gene */
}

static void test_filters(void **state)
{
    (void)state;
    data_t d;
    uint8_t keep[GENES], excluded[GENES] = { 0 };
    uint64_t count[GENES];
    coexpr_filtered_t out;
    make_data(&d, 120, NULL, NULL);
    coexpr_context_t c = { .store = &d.store, .cell = d.groups.cell, .n = d.n, .value = COEXPR_VALUE_RAW };
    coexpr_filter_t f = { .min_cells = 20, .max_detected = 0.75, .excluded = excluded };
    excluded[70] = 1;
    memset(count, 0, sizeof count);
    assert_int_equal(coexpr_filter(&c, &f, NULL, keep, count, &out), GRN_OK);
    for (size_t g = 0; g < GENES; g++) {
        size_t n = 0;
        for (uint64_t k = 0; k < d.m.indptr[d.n]; k++) n += d.m.indices[k] == g;
        assert_int_equal(count[g], n);
        assert_int_equal(keep[g], n >= 20 && n <= 90 && g != 70);
    }
    assert_true(out.rare > 3 && out.common > 0 && out.excluded <= 1);
    f = (coexpr_filter_t){ .min_cells = 1, .max_detected = 1, .n_variable = 5 };
    memset(count, 0, sizeof count);
    assert_int_equal(coexpr_filter(&c, &f, NULL, keep, count, &out), GRN_OK);
    check_variable(&d, 5, keep);
    drop_data(&d);
    static const char *const ribo[] = { "RPL3", "RPS27A", "RPS4Y1", "RPLP0", "RPSA", "RPL36AL", "Rpl7l1", "rps2", "RPL10A" };
    static const char *const not_ribo[] = { "RPS6KA1", "MRPL3", "RPL", "RPS", "RPLX", "RPS6KB2", "RP11-34P13.7", "RPN1" };
    for (size_t k = 0; k < sizeof ribo / sizeof *ribo; k++) assert_true(coexpr_is_ribo(ribo[k]));
    for (size_t k = 0; k < sizeof not_ribo / sizeof *not_ribo; k++) assert_false(coexpr_is_ribo(not_ribo[k]));
    assert_true(coexpr_is_mito("MT-ND1") && coexpr_is_mito("mt-Co1") && !coexpr_is_mito("MTOR"));
}

/* Three genes and one apart: lists 0: 1 2 3, 1: 2 0, 2: 0, 3: 0. */
static void test_mutual_rank(void **state)
{
    (void)state;
    static const uint32_t name[4] = { 0, 1, 2, 3 };
    coexpr_partners_t t;
    float *r;
    assert_int_equal(coexpr_partners_init(&t, 4, 3, name), GRN_OK);
    static const struct {
        size_t gene, n;
        uint32_t partner[3];
    } list[4] = { { 0, 3, { 1, 2, 3 } }, { 1, 2, { 2, 0 } }, { 2, 1, { 0 } }, { 3, 1, { 0 } } };
    for (size_t g = 0; g < 4; g++) {
        t.n[g] = (uint32_t)list[g].n;
        for (size_t k = 0; k < list[g].n; k++) t.best[g * 3 + k] = (coexpr_partner_t){ 1 - 0.1 * (double)k, list[g].partner[k] };
    }
    assert_int_equal(coexpr_mutual_rank(&t, 3, NULL, &r), GRN_OK);
    assert_float_equal(r[0], sqrt(1 * 2), 1e-6); /* 0-1: first and second */
    assert_float_equal(r[3 + 1], sqrt(1 * 2), 1e-6);
    assert_float_equal(r[1], sqrt(2 * 1), 1e-6); /* 0-2 */
    assert_float_equal(r[2], sqrt(3 * 1), 1e-6); /* 0-3 */
    assert_true(isnan(r[3 + 0]));                /* 1 lists 2, not the other way */
    free(r);
    assert_int_equal(coexpr_mutual_rank(&t, 2, NULL, &r), GRN_OK);
    assert_true(isnan(r[2]) && isnan(r[9]) && !isnan(r[1])); /* 3 is third of 0 */
    free(r);
    coexpr_partners_clear(&t);
}

static void test_terms(void **state)
{
    (void)state;
    grn_rng_t r;
    grn_gmt_t gmt = { 0 };
    grn_pairs_t pairs_of = { 0 };
    grn_terms_t t = { 0 };
    data_t d;
    enum { SETS = 30 };
    static uint8_t in[SETS][GENES];
    FILE *f = fopen("terms.gmt", "w");
    assert_non_null(f);
    grn_rng_init(&r, 1, "test.terms", 0);
    for (size_t s = 0; s < SETS; s++) {
        fprintf(f, "set%zu\tna\tnobody", s);
        for (size_t g = 0; g < GENES; g++)
            if ((in[s][g] = grn_rng_unif(&r) < (s == 3 ? 0.9 : 0.12))) fprintf(f, "\tg%03zu", g);
        fputc('\n', f);
    }
    fclose(f);
    assert_int_equal(grn_gmt_load("terms.gmt", &gmt), GRN_OK);
    make_data(&d, 120, NULL, NULL);
    for (size_t least = 1; least < 3; least++) {
        uint64_t pairs = 0;
        assert_int_equal(grn_pairs_of_terms(&gmt, &d.store.genes, least, 40, &pairs_of, &t), GRN_OK);
        for (uint32_t g = 0; g < GENES; g++)
            for (uint32_t h = 0; h < GENES; h++) {
                size_t n = 0;
                for (size_t s = 0; s < SETS; s++) n += s != 3 && in[s][g] && in[s][h];
                if (g != h) assert_int_equal(grn_pairs_has(&pairs_of, g, h), n >= least);
                pairs += g < h && n >= least;
            }
        assert_true(pairs_of.n_pairs == pairs && t.n_large == 1 && pairs > 100);
        coexpr_opt_t opt = plain;
        coexpr_stat_t stat[1];
        grn_edges_t e;
        opt.terms = &pairs_of;
        assert_int_equal(coexpr_links(&d.store, &d.groups, &opt, NULL, &e, stat), GRN_OK);
        check_scores(&d, &opt, &e);
        assert_true(stat[0].n_allowed > 0 && stat[0].n_allowed <= pairs && stat[0].n_allowed < stat[0].n_pairs);
        grn_edges_clear(&e);
        grn_pairs_clear(&pairs_of);
        grn_terms_clear(&t);
    }
    assert_int_equal(grn_pairs_of_terms(&gmt, &d.store.genes, 30, 40, &pairs_of, &t), GRN_EEMPTY);
    grn_gmt_clear(&gmt);
    drop_data(&d);
    remove("terms.gmt");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scores),     cmocka_unit_test(test_covariates_matter),
        cmocka_unit_test(test_same_bytes), cmocka_unit_test(test_kernels),
        cmocka_unit_test(test_chance),     cmocka_unit_test(test_fdr_binned),
        cmocka_unit_test(test_store),      cmocka_unit_test(test_design),
        cmocka_unit_test(test_filters),    cmocka_unit_test(test_mutual_rank),
        cmocka_unit_test(test_terms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
