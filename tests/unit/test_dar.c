/* grn-build dar: fold change, specificity and highly variable regions worked by hand; whole runs on a low-rank model against the
 * dense matrix that the tool never makes. */
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

#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/str.h"
#include "grn-build/dar.h"
#include "stat/moderated.h"

static void near(double got, double want, double tol)
{
    if (!(fabs(got - want) <= tol)) fail_msg("got %.17g, want %.17g", got, want);
}

static void fold_change(void **state)
{
    (void)state;
    int capped;
    near(grn_dar_log2fc(4e-6, 1e-6, &capped), 2, 1e-5);
    assert_int_equal(capped, 0);
    near(grn_dar_log2fc(1e-5, 0, &capped), 20, 0); /* log2(1e7) = 23.25 */
    assert_int_equal(capped, 1);
    near(grn_dar_log2fc(0, 1e-5, &capped), -20, 0);
    assert_int_equal(capped, 1);
    near(grn_dar_log2fc(1e-8, 0, &capped), log2(1e4 + 1), 1e-12); /* below the cut, but the 1e-12 made it */
    assert_int_equal(capped, 1);
    near(grn_dar_log2fc(0, 0, &capped), 0, 0);
    near(grn_dar_log2fc(-3, 1, &capped), -20, 0); /* an LSI mean may be below 0 */
}

static void specificity(void **state)
{
    (void)state;
    const double mean[] = { 8, 1, 2, 1 };
    double marker, tau;
    int32_t next;
    grn_dar_specificity(mean, 4, 0, 0, &marker, &tau, &next);
    near(marker, 2, 1e-15); /* 8 against 2 */
    near(tau, (0 + 7.0 / 8 + 6.0 / 8 + 7.0 / 8) / 3, 1e-15);
    assert_int_equal(next, 2);
    grn_dar_specificity(mean, 4, 2, 0, &marker, &tau, &next);
    near(marker, -2, 1e-15);
    assert_int_equal(next, 0);
    const double only[] = { 3, 0, 0 }, none[] = { 0, 0 };
    grn_dar_specificity(only, 3, 0, 1, &marker, &tau, &next);
    near(marker, 2, 1e-15); /* (3 + 1) / (0 + 1) */
    near(tau, 1, 0);
    grn_dar_specificity(none, 2, 0, 1, &marker, &tau, &next);
    near(marker, 0, 0);
    assert_true(isnan(tau));
}

static void variable_regions(void **state)
{
    (void)state;
    /* bins of width 0.1 over means 0 to 2: {0}, two of about 0.35 and three of about 1.05 share a bin each; 2 and 0.75 are alone */
    const double mean[] = { 0, 0.35, 0.36, 1.05, 1.06, 1.07, 2, 0.75, 0.012 };
    double var[9], e = exp(1);
    uint8_t keep[9];
    size_t n;
    var[0] = 0; /* no dispersion: z 0 */
    var[1] = 0.35 * 1;
    var[2] = 0.36 * e; /* log dispersion 0 and 1: z -0.71 and 0.71 */
    var[3] = 1.05;
    var[4] = 1.06 * e;
    var[5] = 1.07 * e * e; /* 0, 1, 2: z -1, 0, 1 */
    var[6] = 2 * e;        /* alone: z 1 */
    var[7] = 0;            /* alone, without dispersion */
    var[8] = 0.012 * e;    /* alone in dispersion, but the mean is too small */
    assert_int_equal(grn_dar_variable(mean, var, 9, keep, &n), GRN_OK);
    const uint8_t want[] = { 0, 0, 1, 0, 0, 1, 1, 0, 0 };
    for (int i = 0; i < 9; i++) assert_int_equal(keep[i], want[i]);
    assert_int_equal(n, 3);
    /* a mean of 3 or more is out; edges belong to the bin below: 0.1 is in the first of 20 over [0, 2] */
    const double edge[] = { 0, 0.05, 0.1, 2, 3.5 }, v[] = { 1, 0.05, 0.1 * e, 2, 3.5 };
    assert_int_equal(grn_dar_variable(edge, v, 4, keep, &n), GRN_OK);
    assert_int_equal(keep[3], 1);
    assert_int_equal(keep[2], 0); /* shares its bin with 1e-12's 1e12 and stays below its mean */
    assert_int_equal(grn_dar_variable(edge, v, 5, keep, &n), GRN_OK);
    assert_int_equal(keep[4], 0);
    assert_int_equal(grn_dar_variable(edge, v, 0, keep, &n), GRN_OK);
    assert_int_equal(n, 0);
    grn_mem_fail_after(1);
    assert_int_equal(grn_dar_variable(edge, v, 4, keep, &n), GRN_ENOMEM);
    grn_mem_fail_after(0);
}

/* ---- whole runs ---- */
enum { C = 60, R = 800, K = 3, L = 3, D = 3 };
#define MODEL "test_dar.tensor.zst"

typedef struct { /* by name: cell i is "cell%02d", whatever its row */
    float theta[C][K], phi[R][K];
    int type[C], donor[C];
    double depth[C];
} model_t;

static void make_model(model_t *m)
{
    grn_rng_t r;
    grn_rng_init(&r, 3, "test", 0);
    for (int i = 0; i < C; i++) {
        m->type[i] = i % 7 % L;
        m->donor[i] = i % D;
        m->depth[i] = 1000 + 37 * (i % 11);
        double sum = 0, t[K];
        for (int k = 0; k < K; k++) sum += t[k] = 0.2 + grn_rng_unif(&r) + 3 * (k == m->type[i]);
        for (int k = 0; k < K; k++) m->theta[i][k] = (float)(t[k] / sum);
    }
    double sum[K] = { 0 };
    for (int i = 0; i < R; i++)
        for (int k = 0; k < K; k++) sum[k] += m->phi[i][k] = (float)(0.05 + grn_rng_unif(&r) * (i % (K + 1) == k ? 4 : 1));
    for (int i = 0; i < R; i++)
        for (int k = 0; k < K; k++) m->phi[i][k] /= (float)sum[k];
}

/* Row j of the file is cell (j * step) % C: step coprime to C shuffles the cells. */
static const char *method = "lda";
static void save_model(const model_t *m, int step)
{
    grn_lowrank_t l = { .C = C, .R = R, .K = K };
    grn_names_t types = { 0 }, donors = { 0 };
    int32_t *type = malloc(C * sizeof *type), *donor = malloc(C * sizeof *donor);
    double *depth = malloc(C * sizeof *depth);
    char name[64];
    l.theta = malloc(sizeof m->theta);
    l.phi = malloc(sizeof m->phi);
    l.method = strdup(method);
    memcpy(l.phi, m->phi, sizeof m->phi);
    for (int j = 0; j < C; j++) {
        int i = j * step % C;
        snprintf(name, sizeof name, "cell%02d", i);
        assert_int_equal(grn_names_add(&l.cell, name, NULL, NULL), GRN_OK);
        memcpy(l.theta + (size_t)j * K, m->theta[i], sizeof m->theta[i]);
        type[j] = L - 1 - m->type[i]; /* levels stand in reverse order in the file */
        donor[j] = m->donor[i];
        depth[j] = m->depth[i];
    }
    for (int i = 0; i < R; i++) {
        snprintf(name, sizeof name, "chr1:%d-%d", 1000 * i, 1000 * i + 500);
        assert_int_equal(grn_names_add(&l.region, name, NULL, NULL), GRN_OK);
    }
    const char *topic[] = { "1", "2", "3" }, *level[] = { "C", "B", "A" }, *who[] = { "d1", "d2", "d3", "d4", "d5", "d6" };
    for (int k = 0; k < 3; k++) {
        assert_int_equal(grn_names_add(&l.topic, topic[k], NULL, NULL), GRN_OK);
        assert_int_equal(grn_names_add(&types, level[k], NULL, NULL), GRN_OK);
    }
    for (int k = 0; k < 6; k++) assert_int_equal(grn_names_add(&donors, who[k], NULL, NULL), GRN_OK);
    assert_int_equal(grn_attr_add_code(&l.cell_attr, "cell_type", type, &types), GRN_OK);
    assert_int_equal(grn_attr_add_code(&l.cell_attr, "donor", donor, &donors), GRN_OK);
    assert_int_equal(grn_attr_add_num(&l.cell_attr, "n_fragments", depth), GRN_OK);
    assert_int_equal(grn_lowrank_save(&l, MODEL, NULL, 0, NULL), GRN_OK);
    grn_lowrank_clear(&l);
}

static grn_dar_opt_t options(void)
{
    return (grn_dar_opt_t){ .accessibility = MODEL, .test = GRN_DAR_WILCOXON, .min_log2fc = 0.585, .max_adj_p = 0.05, .min_group = 2,
                            .min_sample = 1, .min_cells = 1, .prefilter = 1, .all = 1, .budget = 1 << 20 };
}

static grn_status run(const grn_dar_opt_t *o, grn_par_t *pool, grn_dar_contrasts_t *c)
{
    grn_dar_t d = { 0 };
    memset(c, 0, sizeof *c);
    grn_status rc = grn_dar_open(&d, o, pool);
    if (!rc) rc = grn_dar_contrasts(&d, c);
    if (!rc) rc = grn_dar_run(&d, c);
    grn_dar_close(&d);
    if (rc) grn_dar_contrasts_clear(c);
    return rc;
}

static float value(const model_t *m, int cell, uint32_t region)
{
    float s = 0;
    for (int k = 0; k < K; k++) s += m->theta[cell][k] * m->phi[region][k];
    return s;
}

static int on_side(const model_t *m, int cell, const grn_dar_contrast_t *c, int b)
{
    int a = m->type[cell] == c->side.a;
    return !b ? a : c->side.b < 0 ? !a : m->type[cell] == c->side.b;
}

/* Means, U and ties from every pair of dense values. */
static void check_ranks(const model_t *m, const grn_dar_contrast_t *c, int compat)
{
    assert_int_equal(c->n_rows, R);
    for (size_t i = 0; i < c->n_rows; i++) {
        const grn_dar_row_t *x = &c->row[i];
        double sum[2] = { 0, 0 }, n[2] = { 0, 0 }, u = 0, ties = 0;
        float v[C];
        for (int k = 0; k < C; k++) v[k] = compat ? truncf(value(m, k, x->region) * 1e6f) : value(m, k, x->region);
        for (int k = 0; k < C; k++) {
            double t = 0;
            for (int s = 0; s < 2; s++)
                if (on_side(m, k, c, s)) sum[s] += v[k], n[s]++;
            for (int q = 0; q < C; q++) {
                if (on_side(m, k, c, 0) && on_side(m, q, c, 1)) u += v[k] > v[q] ? 1 : v[k] == v[q] ? 0.5 : 0;
                t += (on_side(m, q, c, 0) || on_side(m, q, c, 1)) && v[k] == v[q];
            }
            if (on_side(m, k, c, 0) || on_side(m, k, c, 1)) ties += t * t - 1;
        }
        double mean_a = sum[0] / n[0], mean_b = sum[1] / n[1];
        near(x->mean_a, mean_a, 1e-6 * mean_a);
        near(x->mean_b, mean_b, 1e-6 * mean_b);
        near(x->log2fc, log2(mean_a / mean_b), 1e-5);
        near(x->auroc, u / (n[0] * n[1]), 1e-12);
        near(x->statistic, grn_ranksum_z(u, n[0], n[1], compat ? 0 : ties), 1e-9);
        near(x->log10p, log10(erfc(fabs(x->statistic) / sqrt(2))), 1e-9);
    }
}

static void ranks_of_a_model(void **state)
{
    (void)state;
    model_t m;
    grn_dar_contrasts_t c;
    make_model(&m);
    save_model(&m, 1);
    grn_dar_opt_t o = options();
    assert_int_equal(run(&o, NULL, &c), GRN_OK);
    assert_int_equal(c.n, 3);
    for (size_t k = 0; k < c.n; k++) check_ranks(&m, &c.v[k], 0);
    assert_string_equal(c.v[1].name, "B_vs_rest");
    assert_true(c.v[0].n_pass > 2 && c.v[0].n_pass < R);
    /* the adjustment by hand: rows that fail the fold change stand for p = 1 */
    const grn_dar_row_t *row = c.v[0].row;
    double scaled[R]; /* p R / (how many passing p are no larger) */
    for (size_t i = 0; i < R; i++) {
        size_t rank = 0;
        for (size_t k = 0; k < R; k++) rank += row[k].log2fc >= 0.585 && row[k].p <= row[i].p;
        scaled[i] = row[i].log2fc >= 0.585 ? row[i].p * R / (double)rank : 1;
    }
    for (size_t i = 0; i < R; i++) {
        double q = 1;
        for (size_t k = 0; k < R; k++)
            if (row[k].p >= row[i].p) q = fmin(q, scaled[k]);
        near(row[i].q, row[i].log2fc >= 0.585 ? q : 1, 1e-12);
    }
    grn_dar_contrasts_clear(&c);
    const char *pair[] = { "A,C", "C,rest" };
    o.contrast = (grn_opt_list_t){ pair, 2, 2 };
    assert_int_equal(run(&o, NULL, &c), GRN_OK);
    assert_int_equal(c.n, 2);
    assert_string_equal(c.v[0].name, "A_vs_C");
    for (size_t k = 0; k < c.n; k++) check_ranks(&m, &c.v[k], 0);
    grn_dar_contrasts_clear(&c);
    unlink(MODEL);
}

static void compat_truncates(void **state)
{
    (void)state;
    model_t m;
    grn_dar_contrasts_t c;
    make_model(&m);
    save_model(&m, 1);
    grn_dar_opt_t o = options();
    o.compat = 1;
    assert_int_equal(run(&o, NULL, &c), GRN_OK);
    for (size_t k = 0; k < c.n; k++) check_ranks(&m, &c.v[k], 1);
    grn_dar_contrasts_clear(&c);
    unlink(MODEL);
}

/* The regions that are tested are those that grn_dar_variable keeps of the dense matrix. */
static void check_variable(const grn_dar_opt_t *o, const double *mean, const double *var)
{
    grn_dar_contrasts_t c;
    uint8_t keep[R];
    size_t n;
    assert_int_equal(grn_dar_variable(mean, var, R, keep, &n), GRN_OK);
    assert_true(n > R / 10 && n < R * 9 / 10);
    assert_int_equal(run(o, NULL, &c), GRN_OK);
    assert_int_equal(c.v[0].n_tested, n);
    assert_int_equal(c.v[0].n_rows, n);
    for (size_t i = 0; i < n; i++) assert_true(keep[c.v[0].row[i].region]);
    grn_dar_contrasts_clear(&c);
}

static void variable_regions_of_a_model(void **state)
{
    (void)state;
    model_t m;
    grn_dar_opt_t o = options();
    double total[C] = { 0 }, mean[R] = { 0 }, var[R] = { 0 };
    make_model(&m);
    save_model(&m, 1);
    /* --compat: log(1 + 10,000 x / total of the cell) of the truncated values */
    for (int i = 0; i < C; i++)
        for (uint32_t r = 0; r < R; r++) total[i] += truncf(value(&m, i, r) * 1e6f);
    for (uint32_t r = 0; r < R; r++) {
        float y[C];
        for (int i = 0; i < C; i++) mean[r] += y[i] = (float)log1p(truncf(value(&m, i, r) * 1e6f) / total[i] * 1e4);
        mean[r] /= C;
        for (int i = 0; i < C; i++) var[r] += (y[i] - mean[r]) * (y[i] - mean[r]) / C;
    }
    o.variable = o.compat = 1;
    check_variable(&o, mean, var);
    /* else: 10,000 x accessibility, in closed form; regions a tenth as open, to be within the gates */
    o.compat = 0;
    for (uint32_t r = 0; r < R; r++)
        for (int k = 0; k < K; k++) m.phi[r][k] *= 0.1f;
    save_model(&m, 1);
    for (uint32_t r = 0; r < R; r++) {
        mean[r] = var[r] = 0;
        for (int i = 0; i < C; i++) mean[r] += 1e4 * (double)value(&m, i, r) / C;
        for (int i = 0; i < C; i++) var[r] += pow(1e4 * (double)value(&m, i, r) - mean[r], 2) / C;
    }
    check_variable(&o, mean, var);
    unlink(MODEL);
}

/* Differences of log2 counts per million within donors, by hand. */
static void pseudobulk_of_a_model(void **state)
{
    (void)state;
    model_t m;
    grn_dar_contrasts_t c;
    make_model(&m);
    save_model(&m, 1);
    grn_dar_opt_t o = options();
    o.test = GRN_DAR_PSEUDOBULK;
    assert_int_equal(run(&o, NULL, &c), GRN_OK);
    for (size_t k = 0; k < c.n; k++) {
        const grn_dar_contrast_t *x = &c.v[k];
        assert_true(x->pseudobulk && x->paired);
        assert_int_equal(x->m_a, 3);
        assert_int_equal(x->n_rows, R);
        for (size_t i = 0; i < x->n_rows; i++) {
            double diff[D], mean = 0, s2 = 0, mean_size = 0;
            for (int j = 0; j < C; j++) mean_size += m.depth[j] / (2 * D); /* 6 samples */
            for (int q = 0; q < D; q++) {
                double y[2];
                for (int s = 0; s < 2; s++) {
                    double count = 0, all = 0;
                    for (int j = 0; j < C; j++) {
                        if (m.donor[j] != q || !on_side(&m, j, x, s)) continue;
                        count += m.depth[j] * (double)value(&m, j, x->row[i].region);
                        all += m.depth[j]; /* regions of a model add up to 1 */
                    }
                    y[s] = log2((count + 2 * all / mean_size) / (all + 4 * all / mean_size) * 1e6);
                }
                mean += (diff[q] = y[0] - y[1]) / D;
            }
            for (int q = 0; q < D; q++) s2 += (diff[q] - mean) * (diff[q] - mean) / (D - 1);
            near(x->row[i].log2fc, mean, 1e-5);
            near(x->row[i].s2, s2 / 2, 1e-5);
            /* t lies between that of no prior and that of the prior alone, and keeps its sign */
            assert_true(x->row[i].statistic * mean > 0);
        }
    }
    grn_dar_contrasts_clear(&c);
    unlink(MODEL);
}

/* Donors of one type each: no pairs; difference of means and the pooled variance, by hand. */
static void pseudobulk_without_pairs(void **state)
{
    (void)state;
    model_t m;
    grn_dar_contrasts_t c;
    make_model(&m);
    for (int i = 0; i < C; i++) m.donor[i] = 2 * m.type[i] + i / 7 % 2;
    save_model(&m, 1);
    grn_dar_opt_t o = options();
    o.test = GRN_DAR_AUTO;
    assert_int_equal(run(&o, NULL, &c), GRN_OK);
    for (size_t k = 0; k < c.n; k++) {
        const grn_dar_contrast_t *x = &c.v[k];
        assert_true(x->pseudobulk && !x->paired);
        double raw[R], level[R], s02[R], d0;
        size_t place[R];
        assert_int_equal(x->n_rows, R);
        assert_int_equal(x->m_a, 2);
        assert_int_equal(x->m_b, 4);
        for (size_t i = 0; i < x->n_rows; i++) {
            double size[6] = { 0 }, count[6] = { 0 }, y[6], mean[2] = { 0, 0 }, s2 = 0, mean_size = 0, wins = 0;
            for (int j = 0; j < C; j++) {
                size[m.donor[j]] += m.depth[j];
                count[m.donor[j]] += m.depth[j] * (double)value(&m, j, x->row[i].region);
                mean_size += m.depth[j] / 6;
            }
            for (int q = 0; q < 6; q++) {
                double prior = 2 * size[q] / mean_size;
                y[q] = log2((count[q] + prior) / (size[q] + 2 * prior) * 1e6);
                mean[q / 2 != x->side.a] += y[q] / (q / 2 == x->side.a ? 2 : 4);
            }
            for (int q = 0; q < 6; q++) {
                s2 += pow(y[q] - mean[q / 2 != x->side.a], 2) / 4;
                for (int b = 0; b < 6; b++) wins += q / 2 == x->side.a && b / 2 != x->side.a && y[q] > y[b];
            }
            near(x->row[i].log2fc, mean[0] - mean[1], 1e-5);
            near(x->row[i].s2, s2, 1e-5);
            near(x->row[i].auroc, wins / 8, 1e-12);
            place[x->row[i].region] = i;
        }
        for (size_t r = 0; r < R; r++) { /* the prior sees the regions in the order of the file */
            raw[r] = x->row[place[r]].s2;
            level[r] = x->row[place[r]].abundance;
        }
        assert_int_equal(grn_moderated_prior(raw, level, R, 4, &d0, s02), GRN_OK);
        for (size_t r = 0; r < R; r++) {
            const grn_dar_row_t *y = &x->row[place[r]];
            double t = y->log2fc / sqrt(grn_moderated_variance(raw[r], 4, s02[r], d0) * (1.0 / 2 + 1.0 / 4));
            near(y->statistic, t, 1e-9 * fabs(t));
            near(y->log10p, grn_t_log_p(t, fmin(4 + d0, 4.0 * R)) / M_LN10, 1e-9);
        }
    }
    grn_dar_contrasts_clear(&c);
    unlink(MODEL);
}

static void same_rows(const grn_dar_contrasts_t *a, const grn_dar_contrasts_t *b)
{
    assert_int_equal(a->n, b->n);
    for (size_t k = 0; k < a->n; k++) {
        assert_int_equal(a->v[k].n_rows, b->v[k].n_rows);
        for (size_t i = 0; i < a->v[k].n_rows; i++) {
            const grn_dar_row_t *x = &a->v[k].row[i], *y = &b->v[k].row[i];
            assert_int_equal(x->region, y->region);
            assert_memory_equal(&x->mean_a, &y->mean_a, 8 * sizeof(double));
            assert_memory_equal(&x->marker, &y->marker, 2 * sizeof(double));
        }
    }
}

static void order_threads_and_prefilter(void **state)
{
    (void)state;
    model_t m;
    grn_dar_contrasts_t a, b;
    grn_par_t *pool = NULL;
    make_model(&m);
    assert_int_equal(grn_par_create(&pool, 3), GRN_OK);
    for (int kind = 0; kind < 3; kind++) { /* wilcoxon, pseudobulk, compat */
        grn_dar_opt_t o = options();
        o.all = 0;
        o.test = kind == 1 ? GRN_DAR_PSEUDOBULK : GRN_DAR_WILCOXON;
        o.compat = kind == 2;
        save_model(&m, 1);
        assert_int_equal(run(&o, NULL, &a), GRN_OK);
        assert_int_equal(run(&o, pool, &b), GRN_OK);
        same_rows(&a, &b);
        grn_dar_contrasts_clear(&b);
        o.prefilter = 0;
        assert_int_equal(run(&o, pool, &b), GRN_OK);
        same_rows(&a, &b);
        grn_dar_contrasts_clear(&b);
        save_model(&m, 7);
        assert_int_equal(run(&o, pool, &b), GRN_OK);
        same_rows(&a, &b);
        grn_dar_contrasts_clear(&b);
        grn_dar_contrasts_clear(&a);
    }
    grn_par_destroy(pool);
    unlink(MODEL);
}

/* Values of either sign: no pseudobulk; a mean below 0 counts as 0. */
static void lsi(void **state)
{
    (void)state;
    model_t m;
    grn_dar_contrasts_t c;
    grn_dar_opt_t o = options();
    size_t n_capped = 0;
    make_model(&m);
    for (int r = 0; r < R; r += 2)
        for (int k = 0; k < K; k++) m.phi[r][k] *= r % 4 ? -1.0f : (float)(k - 1);
    method = "lsi";
    save_model(&m, 1);
    method = "lda";
    o.test = GRN_DAR_PSEUDOBULK;
    assert_int_equal(run(&o, NULL, &c), GRN_EINVAL);
    assert_non_null(strstr(grn_err_msg(), "an LSI model has no counts"));
    o.test = GRN_DAR_AUTO;
    assert_int_equal(run(&o, NULL, &c), GRN_OK);
    for (size_t i = 0; i < R; i++) {
        const grn_dar_row_t *x = &c.v[0].row[i];
        double u = 0, n_a = 0;
        for (int k = 0; k < C; k++) {
            n_a += m.type[k] == 0;
            for (int q = 0; q < C; q++)
                if (m.type[k] == 0 && m.type[q] != 0) {
                    float v = value(&m, k, x->region), z = value(&m, q, x->region);
                    u += v > z ? 1 : v == z ? 0.5 : 0;
                }
        }
        near(x->auroc, u / (n_a * (C - n_a)), 1e-12);
        assert_true(isfinite(x->log2fc) && fabs(x->log2fc) <= 20);
        assert_int_equal(x->capped, x->mean_a < 1e-11 || x->mean_b < 1e-11);
        n_capped += (size_t)x->capped;
    }
    assert_true(n_capped > R / 8 && n_capped < R * 7 / 8);
    assert_false(c.v[0].pseudobulk);
    grn_dar_contrasts_clear(&c);
    unlink(MODEL);
}

static void memory_runs_out(void **state)
{
    (void)state;
    model_t m;
    grn_dar_contrasts_t c;
    grn_dar_opt_t o = options();
    grn_status rc = GRN_ENOMEM;
    int k = 1;
    make_model(&m);
    save_model(&m, 1);
    for (; rc == GRN_ENOMEM && k < 2000; k += 3) {
        grn_mem_fail_after(k);
        rc = run(&o, NULL, &c);
        grn_mem_fail_after(0);
    }
    assert_int_equal(rc, GRN_OK);
    assert_true(k > 30);
    grn_dar_contrasts_clear(&c);
    unlink(MODEL);
}

int main(void)
{
    grn_log_init("test_dar", 0);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fold_change),
        cmocka_unit_test(specificity),
        cmocka_unit_test(variable_regions),
        cmocka_unit_test(ranks_of_a_model),
        cmocka_unit_test(compat_truncates),
        cmocka_unit_test(variable_regions_of_a_model),
        cmocka_unit_test(pseudobulk_of_a_model),
        cmocka_unit_test(pseudobulk_without_pairs),
        cmocka_unit_test(order_threads_and_prefilter),
        cmocka_unit_test(lsi),
        cmocka_unit_test(memory_runs_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
