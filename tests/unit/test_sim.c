/* grn-sim: counts are negative binomial, the plan keeps its promises, cells are who their number
 * says */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "grn-sim/sim.h"

#define N_DRAWS 40000

static const grn_sim_opt_t small = { .cells = 500,
                                     .genes = 200,
                                     .tfs = 20,
                                     .regions = 700,
                                     .types = 4,
                                     .donors = 2,
                                     .spacing = 30000,
                                     .targets = 12,
                                     .on_frac = 0.4,
                                     .depth = 800,
                                     .frags = 300,
                                     .ambient = 0.05,
                                     .effect = 4,
                                     .gene_sd = 1.2,
                                     .seed = 7 };

/* P(0) = (theta / (theta + m))^theta, P(1) = P(0) theta m / (theta + m), variance m + m^2 / theta;
 * bounds: 5 standard errors. */
static void check_nbinom(double m, double theta)
{
    double *mu, *size, sum = 0, sq = 0, one = 0;
    grn_sim_rows_t row = { 0 };
    grn_rng_t r;
    assert_int_equal(GRN_NEW(mu, N_DRAWS), GRN_OK);
    assert_int_equal(GRN_NEW(size, N_DRAWS), GRN_OK);
    for (size_t i = 0; i < N_DRAWS; i++) mu[i] = m, size[i] = theta;
    grn_rng_init(&r, 1, "test", (uint64_t)(1000 * m));
    assert_int_equal(grn_sim_draw_row(&r, N_DRAWS, mu, size, &row), GRN_OK);
    for (size_t i = 0; i < row.n; i++) {
        assert_true(row.idx[i] < N_DRAWS && (i == 0 || row.idx[i] > row.idx[i - 1]) &&
                    row.val[i] >= 1);
        sum += (double)row.val[i];
        sq += (double)row.val[i] * (double)row.val[i];
        one += row.val[i] == 1;
    }
    double n = N_DRAWS, p0 = pow(theta / (theta + m), theta), p1 = p0 * theta * m / (theta + m),
           var = m + m * m / theta;
    assert_true(fabs(sum / n - m) < 5 * sqrt(var / n));
    assert_true(fabs(1 - (double)row.n / n - p0) < 5 * sqrt(p0 * (1 - p0) / n) + 1e-9);
    assert_true(fabs(one / n - p1) < 5 * sqrt(p1 * (1 - p1) / n) + 1e-9);
    assert_true(fabs(sq / n - sum * sum / n / n - var) < 0.1 * var);
    grn_sim_rows_clear(&row);
    free(mu);
    free(size);
}

static void test_counts(void **state)
{
    (void)state;
    check_nbinom(0.01, 2);
    check_nbinom(0.5, 0.3);
    check_nbinom(3, 2);
    check_nbinom(50, 5);
    check_nbinom(200, 1000); /* all but Poisson */
    grn_sim_rows_t row = { 0 };
    grn_rng_t r;
    double mu[3] = { 0, 0, 0 }, theta[3] = { 1, 1, 1 };
    grn_rng_init(&r, 1, "test", 1);
    assert_int_equal(grn_sim_draw_row(&r, 3, mu, theta, &row),
                     GRN_OK); /* nothing expected, nothing seen */
    assert_int_equal(row.n, 0);
    assert_int_equal(grn_sim_draw_row(&r, 0, mu, theta, &row), GRN_OK);
    assert_int_equal(row.n, 0);
    grn_sim_rows_clear(&row);
}

static void test_plan(void **state)
{
    (void)state;
    grn_sim_t s;
    assert_int_equal(grn_sim_build(&s, &small), GRN_OK);
    assert_int_equal(s.regions.n, 700);
    assert_true(s.n_edges > 100);
    for (size_t i = 0; i < s.n_edges; i++) {
        const grn_sim_edge_t *e = &s.edge[i];
        const grn_sim_region_t *r = &s.region[e->region];
        assert_true(s.on[e->tf * s.types.n + e->type] > 0); /* only where the TF is ever active */
        assert_true(r->kind == GRN_SIM_ENHANCER && r->gene == e->gene &&
                    r->chrom == s.gene[e->gene].chrom);
        double d = (double)(r->start + GRN_SIM_REGION_BP / 2) - (double)s.gene[e->gene].tss;
        assert_true(fabs(d) <= 150000 && fabs(d) >= 500);
        assert_true(e->weight > 0 && s.tf[e->tf].kind != GRN_SIM_IDLE &&
                    s.gene[e->gene].kind != GRN_SIM_HOUSEKEEPING);
        int site = 0;
        for (size_t j = 0; j < s.n_sites; j++)
            site |= s.site[j].region == e->region && s.site[j].motif == s.tf[e->tf].motif &&
                    s.site[j].functional;
        assert_true(site);
    }
    size_t kinds[5] = { 0 };
    for (size_t i = 0; i < s.regions.n; i++) {
        kinds[s.region[i].kind]++;
        if (i && s.region[i].chrom == s.region[i - 1].chrom)
            assert_true(s.region[i].start >= s.region[i - 1].end); /* sorted, apart */
        assert_true(s.region[i].end <= s.chrom_len[s.region[i].chrom]);
    }
    for (size_t k = 0; k < 5; k++) assert_true(kinds[k] > 0);
    for (size_t g = 0; g + 1 < s.genes.n; g++)
        assert_true(s.gene[g].chrom != s.gene[g + 1].chrom || s.gene[g].tss < s.gene[g + 1].tss);
    grn_sim_clear(&s);
}

static void test_usage(void **state)
{
    (void)state;
    grn_sim_t s;
    grn_sim_opt_t o = small;
    o.regions = 40; /* fewer than one enhancer a gene */
    assert_int_equal(grn_sim_build(&s, &o), GRN_EUSAGE);
    o = small;
    o.genes = 40; /* 20 TFs leave 10 genes to regulate */
    assert_int_equal(grn_sim_build(&s, &o), GRN_EUSAGE);
}

/* One type, one TF programme: P(on), the mean depth, and the expectation of a target on and off. */
static void test_cells(void **state)
{
    (void)state;
    grn_sim_t s;
    grn_sim_cell_t c;
    double depth = 0, total = 0, *eta, *mu, *seen;
    size_t n = 4000;
    assert_int_equal(grn_sim_build(&s, &small), GRN_OK);
    assert_int_equal(grn_sim_cell_init(&s, &c), GRN_OK);
    assert_int_equal(GRN_NEW(eta, s.genes.n), GRN_OK);
    assert_int_equal(GRN_NEW(mu, s.genes.n), GRN_OK);
    assert_int_equal(GRN_NEW(seen, s.tfs.n * s.types.n * 2), GRN_OK);
    grn_names_t barcodes = { 0 };
    for (size_t k = 0; k < n; k++) {
        grn_sim_cell(&s, k, &c);
        assert_int_equal(grn_names_add(&barcodes, c.barcode, NULL, NULL), GRN_OK);
        depth += c.depth / (double)n;
        grn_sim_expected(&s, &c, eta, mu);
        for (size_t g = 0; g < s.genes.n; g++) total += mu[g] / (double)n;
        for (size_t t = 0; t < s.tfs.n; t++) {
            seen[(t * s.types.n + c.type) * 2]++;
            seen[(t * s.types.n + c.type) * 2 + 1] += c.is_on[t];
            assert_true(c.is_on[t] ? c.a[t] > 0 : c.a[t] == 0);
        }
    }
    assert_int_equal(barcodes.n, n); /* all different */
    assert_true(fabs(depth / small.depth - 1) < 5 * 0.45 / sqrt((double)n));
    assert_true(fabs(total / small.depth - 1) < 0.05);
    for (size_t i = 0; i < s.tfs.n * s.types.n; i++) {
        double m = seen[i * 2], p = s.on[i];
        assert_true(fabs(seen[i * 2 + 1] - m * p) <=
                    5 * sqrt(m * p * (1 - p)) + 1e-9); /* exactly none and all at 0 and 1 */
    }
    grn_names_clear(&barcodes);
    free(eta);
    free(mu);
    free(seen);
    grn_sim_cell_clear(&c);
    grn_sim_clear(&s);
}

/* Turning one TF on multiplies its only-regulated targets by exp(w a), inside the ceiling, and
 * moves its own mRNA. */
static void test_effect(void **state)
{
    (void)state;
    grn_sim_t s;
    grn_sim_cell_t c;
    grn_sim_opt_t o = small;
    double *eta, *off, *on;
    o.ambient = 0;
    assert_int_equal(grn_sim_build(&s, &o), GRN_OK);
    assert_int_equal(grn_sim_cell_init(&s, &c), GRN_OK);
    assert_int_equal(GRN_NEW(eta, s.genes.n), GRN_OK);
    assert_int_equal(GRN_NEW(off, s.genes.n), GRN_OK);
    assert_int_equal(GRN_NEW(on, s.genes.n), GRN_OK);
    c.depth = 1000;
    size_t n_up = 0, n_down = 0;
    for (uint32_t t = 0; t < s.tfs.n; t++)
        for (c.type = 0; c.type < s.types.n; c.type++) {
            if (s.tf[t].kind != GRN_SIM_SWITCH || s.on[t * s.types.n + c.type] == 0) continue;
            grn_sim_expected(&s, &c, eta, off);
            c.is_on[t] = 1, c.a[t] = 1;
            grn_sim_expected(&s, &c, eta, on);
            c.is_on[t] = 0, c.a[t] = 0;
            for (size_t g = 0; g < s.genes.n; g++) {
                double w = 0;
                for (size_t i = 0; i < s.n_edges; i++)
                    if (s.edge[i].type == c.type && s.edge[i].tf == t && s.edge[i].gene == g)
                        w += (double)s.edge[i].weight * s.tf[t].sign;
                double want = exp(3 * tanh(w / 3));
                if (g == s.tf[t].gene) want *= s.tf[t].mrna_on / s.tf[t].mrna_off;
                assert_true(fabs(on[g] / off[g] / want - 1) < 1e-5); /* weights are float */
                n_up += w > 0;
                n_down += w < 0;
            }
        }
    assert_true(n_up > 50 && n_down > 5);
    free(eta);
    free(off);
    free(on);
    grn_sim_cell_clear(&c);
    grn_sim_clear(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts), cmocka_unit_test(test_plan),   cmocka_unit_test(test_usage),
        cmocka_unit_test(test_cells),  cmocka_unit_test(test_effect),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
