/* grn-coexpr: the strongest correlations against a plain search; the perturbed graph against what a training batch holds */
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
#include "grn-coexpr/links.h"
#include "grn-coexpr/perturb.h"
#include "model/batch.h"
#include "stat/corr.h"

enum { CELLS = 60, GENES = 300, REGULONS = 6, EDGES = 400 };

/* Counts that follow three hidden factors; two cell types, one cell without a label. */
static void make_counts(grn_matrix_t *m, const uint32_t *cell, const uint32_t *gene)
{
    grn_names_t levels = { 0 };
    int32_t *code = calloc(CELLS, sizeof *code);
    size_t k = 0;
    char name[16];
    memset(m, 0, sizeof *m);
    m->n_rows = CELLS;
    m->n_cols = GENES;
    m->indptr = calloc(CELLS + 1, sizeof *m->indptr);
    m->indices = calloc(CELLS * GENES, sizeof *m->indices);
    m->data = calloc(CELLS * GENES, sizeof *m->data);
    for (size_t i = 0; i < CELLS; i++) {
        size_t c = cell ? cell[i] : i;
        snprintf(name, sizeof name, "cell%02zu", c);
        assert_int_equal(grn_names_add(&m->row, name, NULL, NULL), GRN_OK);
        for (size_t j = 0; j < GENES; j++) {
            size_t g = gene ? gene[j] : j;
            grn_rng_t r, f;
            grn_rng_init2(&r, 1, "test.coexpr", c, g);
            grn_rng_init2(&f, 1, "test.factor", c, g % 3);
            double level = exp(0.8 * grn_rng_normal(&f) * (g % 2 ? 1 : -1)) * (g < 20 ? 0.02 : 1.5);
            uint64_t x = grn_rng_poisson(&r, level);
            if (g == 50) x = 2; /* constant */
            if (x == 0) continue;
            m->indices[k] = (uint32_t)j;
            m->data[k++] = (float)x;
        }
        m->indptr[i + 1] = k;
        code[i] = c == 7 ? -1 : (int32_t)(c % 2);
    }
    for (size_t j = 0; j < GENES; j++) {
        snprintf(name, sizeof name, "g%03zu", (size_t)(gene ? gene[j] : j));
        assert_int_equal(grn_names_add(&m->col, name, NULL, NULL), GRN_OK);
    }
    assert_int_equal(grn_names_add(&levels, "type0", NULL, NULL), GRN_OK);
    assert_int_equal(grn_names_add(&levels, "type1", NULL, NULL), GRN_OK);
    assert_int_equal(grn_attr_add_code(&m->row_attr, "cell_type", code, &levels), GRN_OK);
}

static const coexpr_opt_t plain = { .method = COEXPR_PEARSON,
                                    .norm = COEXPR_NORM_AUTO,
                                    .top = 7,
                                    .min_context = 10,
                                    .max_q = 1,
                                    .n_null = 1000,
                                    .filter = { .min_cells = 5, .max_detected = 1 },
                                    .seed = 1 };

/* Links of a matrix by way of the store, in two blocks. */
static grn_status links_of(const grn_matrix_t *m, const coexpr_groups_t *g, const coexpr_opt_t *opt, grn_par_t *pool, grn_edges_t *e,
                           coexpr_stat_t *stat)
{
    grn_status rc = GRN_OK;
    coexpr_store_t s;
    grn_matrix_t part = *m;
    uint64_t *indptr = calloc(CELLS + 1, sizeof *indptr);
    uint64_t half = m->n_rows / 3;
    assert_int_equal(coexpr_store_init(&s, &m->col), GRN_OK);
    part.n_rows = half;
    assert_int_equal(coexpr_store_add(&s, &part, pool), GRN_OK);
    for (uint64_t i = half; i <= m->n_rows; i++) indptr[i - half] = m->indptr[i] - m->indptr[half];
    part.n_rows = m->n_rows - half;
    part.indptr = indptr;
    part.indices += m->indptr[half];
    part.data += m->indptr[half];
    assert_int_equal(coexpr_store_add(&s, &part, pool), GRN_OK);
    rc = coexpr_links(&s, g, opt, pool, e, stat);
    coexpr_store_clear(&s);
    free(indptr);
    return rc;
}

/* Every gene's links against all correlations of the dense columns, in double. */
static void check_links(const grn_matrix_t *m, const coexpr_groups_t *g, const coexpr_opt_t *opt, const grn_edges_t *e)
{
    static float x[GENES][CELLS];
    for (size_t k = 0; k < g->names.n; k++) {
        size_t n = (size_t)(g->off[k + 1] - g->off[k]), detected[GENES] = { 0 };
        memset(x, 0, sizeof x);
        for (size_t i = 0; i < n; i++) {
            uint32_t c = g->cell[g->off[k] + i];
            double total = 0;
            for (uint64_t q = m->indptr[c]; q < m->indptr[c + 1]; q++) total += (double)m->data[q];
            for (uint64_t q = m->indptr[c]; q < m->indptr[c + 1]; q++) {
                x[m->indices[q]][i] = (float)log1p(1e4 * (double)m->data[q] / total);
                detected[m->indices[q]]++;
            }
        }
        for (size_t u = 0; u < GENES; u++) {
            double weakest = 2, all[GENES];
            size_t links = 0, stronger = 0, possible = 0;
            for (size_t v = 0; v < GENES; v++) {
                double r;
                all[v] = 0;
                if (v == u || detected[u] < (size_t)opt->filter.min_cells || detected[v] < (size_t)opt->filter.min_cells) continue;
                if (opt->method == COEXPR_SPEARMAN) assert_int_equal(grn_corr_spearman(x[u], x[v], n, &r), GRN_OK);
                else r = grn_corr_pearson(x[u], x[v], n);
                all[v] = isnan(r) ? 0 : r;
                possible += all[v] != 0;
            }
            for (size_t i = 0; i < e->n; i++) {
                size_t v;
                if (e->context[i] != k || strcmp(grn_names_get(&e->genes, e->tf[i]), grn_names_get(&m->col, u)) != 0) continue;
                v = grn_names_find(&m->col, grn_names_get(&e->genes, e->gene[i]));
                assert_true(v < GENES && v != u);
                assert_true(fabs(e->sign[i] * (double)e->weight[i] - all[v]) < 1e-6);
                if (fabs(all[v]) < weakest) weakest = fabs(all[v]);
                links++;
            }
            assert_int_equal(links, possible < (size_t)opt->top ? possible : (size_t)opt->top);
            for (size_t v = 0; v < GENES; v++) stronger += fabs(all[v]) > weakest + 1e-5;
            if (links > 0) assert_true(stronger < (size_t)opt->top);
        }
    }
}

static void test_links(void **state)
{
    (void)state;
    grn_matrix_t m;
    coexpr_groups_t g;
    coexpr_stat_t stat[2];
    grn_edges_t e;
    coexpr_opt_t opt = plain;
    make_counts(&m, NULL, NULL);
    assert_int_equal(coexpr_groups(&m, grn_attr_find(&m.row_attr, "cell_type"), &g), GRN_OK);
    assert_true(g.names.n == 2 && g.n_unlabelled == 1 && g.off[1] == 30 && g.off[2] == 59);
    for (int s = 0; s < 2; s++) {
        opt.method = s ? COEXPR_SPEARMAN : COEXPR_PEARSON;
        assert_int_equal(links_of(&m, &g, &opt, NULL, &e, stat), GRN_OK);
        check_links(&m, &g, &opt, &e);
        assert_int_equal(stat[0].n_links + stat[1].n_links, e.n);
        assert_true(stat[0].n_genes < GENES && stat[0].n_genes > 200); /* the rare genes are left out */
        assert_true(stat[0].null_q95 < stat[0].null_q99 + 1e-12 && stat[0].null_q99 < 1 && stat[0].median_r > stat[0].null_q95);
        grn_edges_clear(&e);
    }
    opt.min_score = 0.6;
    assert_int_equal(links_of(&m, &g, &opt, NULL, &e, stat), GRN_OK);
    for (size_t i = 0; i < e.n; i++) assert_true(e.weight[i] >= 0.6f - 1e-6f);
    grn_edges_clear(&e);
    opt.min_context = 30; /* type1 has 29 */
    assert_int_equal(links_of(&m, &g, &opt, NULL, &e, stat), GRN_OK);
    assert_true(stat[1].n_links == 0 && e.contexts.n == 1);
    grn_edges_clear(&e);
    opt.min_context = 31;
    assert_int_equal(links_of(&m, &g, &opt, NULL, &e, stat), GRN_EEMPTY);
    opt.min_context = 3;
    opt.min_score = 1;
    assert_int_equal(links_of(&m, &g, &opt, NULL, &e, stat), GRN_EEMPTY);
    coexpr_groups_clear(&g);
    grn_matrix_clear(&m);
}

static void assert_same_edges(const grn_edges_t *a, const grn_edges_t *b)
{
    assert_int_equal(a->n, b->n);
    assert_true(grn_names_equal(&a->genes, &b->genes) && grn_names_equal(&a->contexts, &b->contexts));
    assert_memory_equal(a->tf, b->tf, a->n * sizeof *a->tf);
    assert_memory_equal(a->gene, b->gene, a->n * sizeof *a->gene);
    assert_memory_equal(a->context, b->context, a->n * sizeof *a->context);
    if (a->weight) assert_memory_equal(a->weight, b->weight, a->n * sizeof *a->weight);
}

/* Another order of cells and genes, another number of threads: the same bytes. */
static void test_order_and_threads(void **state)
{
    (void)state;
    uint32_t cell[CELLS], gene[GENES];
    grn_rng_t r;
    grn_matrix_t m;
    coexpr_groups_t g;
    coexpr_stat_t stat[2];
    grn_edges_t e[2];
    grn_par_t *pool = NULL;
    grn_rng_init(&r, 2, "test.shuffle", 0);
    for (uint32_t i = 0; i < CELLS; i++) cell[i] = i;
    for (uint32_t i = 0; i < GENES; i++) gene[i] = i;
    grn_rng_shuffle_u32(&r, cell, CELLS);
    grn_rng_shuffle_u32(&r, gene, GENES);
    assert_int_equal(grn_par_create(&pool, 2), GRN_OK);
    for (int s = 0; s < 2; s++) {
        make_counts(&m, s ? cell : NULL, s ? gene : NULL);
        assert_int_equal(coexpr_groups(&m, grn_attr_find(&m.row_attr, "cell_type"), &g), GRN_OK);
        assert_int_equal(links_of(&m, &g, &plain, s ? pool : NULL, &e[s], stat), GRN_OK);
        coexpr_groups_clear(&g);
        grn_matrix_clear(&m);
    }
    assert_same_edges(&e[0], &e[1]);
    grn_edges_clear(&e[0]);
    grn_edges_clear(&e[1]);
    grn_par_destroy(pool);
}

static void test_clique(void **state)
{
    (void)state;
    grn_matrix_t m;
    coexpr_groups_t g;
    coexpr_stat_t stat[1];
    grn_edges_t e;
    coexpr_opt_t opt = plain;
    double pairs = 0;
    make_counts(&m, NULL, NULL);
    opt.method = COEXPR_CLIQUE;
    assert_int_equal(coexpr_groups(&m, NULL, &g), GRN_OK);
    assert_int_equal(links_of(&m, &g, &opt, NULL, &e, stat), GRN_OK);
    assert_true(e.n == 0 && e.genes.n == GENES && e.contexts.n == 1);
    for (size_t c = 0; c < CELLS; c++) {
        double d = (double)(m.indptr[c + 1] - m.indptr[c]);
        pairs += d * (d - 1) / CELLS;
    }
    assert_true(fabs(stat[0].implied - pairs) < 1e-6 * pairs);
    grn_edges_clear(&e);
    coexpr_groups_clear(&g);
    grn_matrix_clear(&m);
}

/* ---- perturb ---- */

static void make_network(const grn_matrix_t *m, grn_edges_t *e, grn_activity_t *a)
{
    grn_rng_t r;
    char name[16];
    grn_rng_init(&r, 3, "test.network", 0);
    memset(e, 0, sizeof *e);
    assert_int_equal(grn_edges_alloc(e, EDGES, "tf,gene,regulon,context"), GRN_OK);
    assert_int_equal(grn_names_dup(&e->genes, &m->col), GRN_OK);
    *a = (grn_activity_t){ .n_cells = CELLS, .n_regulons = REGULONS, .n_words = 1, .bits = calloc(CELLS, 8) };
    assert_int_equal(grn_names_dup(&a->cells, &m->row), GRN_OK);
    for (int k = 0; k < REGULONS; k++) {
        snprintf(name, sizeof name, "r%d", k);
        assert_int_equal(grn_names_add(&e->regulons, name, NULL, NULL), GRN_OK);
        assert_int_equal(grn_names_add(&a->regulons, name, NULL, NULL), GRN_OK);
    }
    assert_int_equal(grn_names_add(&e->contexts, "type0", NULL, NULL), GRN_OK);
    assert_int_equal(grn_names_add(&e->contexts, "type1", NULL, NULL), GRN_OK);
    for (size_t i = 0; i < EDGES; i++) {
        e->context[i] = (uint16_t)grn_rng_below(&r, 2);
        e->regulon[i] = (uint32_t)grn_rng_below(&r, REGULONS);
        e->tf[i] = e->regulon[i] * 11;
        e->gene[i] = (uint32_t)grn_rng_below(&r, GENES);
    }
    for (size_t c = 0; c < CELLS; c++)
        for (size_t k = 0; k < REGULONS; k++)
            if (grn_rng_unif(&r) < 0.5) grn_activity_set(a, c, k);
}

/* Neighbours (both directions) of `node` in the rows of `e` that belong to `context` and are not dropped; sorted, distinct. */
static size_t neighbours(const grn_edges_t *e, const char *context, const char *node, const grn_names_t *genes, uint32_t *out)
{
    const float *change = grn_edges_find_evidence(e, "change");
    uint8_t seen[GENES] = { 0 };
    size_t n = 0;
    for (size_t i = 0; i < e->n; i++) {
        const char *u = grn_names_get(&e->genes, e->tf[i]), *v = grn_names_get(&e->genes, e->gene[i]);
        if (change[i] < 0 || strcmp(grn_names_get(&e->contexts, e->context[i]), context) != 0) continue;
        if (strcmp(u, node) == 0) seen[grn_names_find(genes, v)] = 1;
        if (strcmp(v, node) == 0) seen[grn_names_find(genes, u)] = 1;
    }
    for (uint32_t g = 0; g < GENES; g++)
        if (seen[g]) out[n++] = g;
    return n;
}

static int by_id(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* The graphs that are written are the graphs that a training batch with unlimited fan-out gathers from: for every key and both
 * graphs. */
static void test_perturb_is_training(void **state)
{
    (void)state;
    static const uint32_t cell[3] = { 4, 11, 30 };
    grn_matrix_t m;
    grn_edges_t e, out;
    grn_activity_t a;
    grn_cells_t cells;
    grn_model_config_t cfg;
    grn_batch_t *b;
    grn_dev_t *dev;
    perturb_sum_t sum;
    size_t checked = 0;
    grn_model_config_init(&cfg);
    cfg.tokens = 100;
    cfg.fanout = 0;
    cfg.alpha = 0.3;
    cfg.seed = 5;
    make_counts(&m, NULL, NULL);
    make_network(&m, &e, &a);
    assert_int_equal(grn_cells_build(&cells, &m, &cfg, &e, &a, NULL), GRN_OK);
    perturb_job_t job = { &cfg, &cells, 9, 3, 1 };
    assert_int_equal(perturb_write(&job, cell, 3, &out, &sum), GRN_OK);
    assert_true(sum.n_graphs == 6 && out.contexts.n == 6 && sum.n_added > 0 && sum.n_dropped > 0);
    assert_int_equal(sum.n_out, sum.n_arcs - sum.n_dropped + sum.n_added);
    assert_int_equal(out.n, sum.n_out + sum.n_dropped); /* dropped ones were asked for */
    assert_int_equal(grn_dev_cpu(&dev, NULL), GRN_OK);
    assert_int_equal(grn_batch_create(&b, dev, NULL), GRN_OK);
    grn_view_t view = { 1, GRN_QUERY_MASKED, { .mask = cfg.mask, .epoch = 9, .seed = cfg.seed } };
    assert_int_equal(grn_batch_fill(b, &cfg, &cells, cell, 3, &view), GRN_OK);
    assert_int_equal(b->n_graphs, 2);
    for (int k = 0; k < 2; k++) {
        const int64_t *off = b->hop2[k].off.h;
        const int32_t *idx = b->hop2[k].idx.h, *hidden = b->hidden_uniq.h, *id = b->uniq_id.h;
        for (int64_t q = 0; q < b->n_keys; q++) {
            uint32_t want[GENES], got[GENES];
            char context[64];
            size_t n, n_got = 0;
            snprintf(context, sizeof context, "%s %s", grn_names_get(&m.row, cell[b->key_cell[q]]), k == 0 ? "cell" : "type");
            n = neighbours(&out, context, grn_names_get(&m.col, b->key_gene[q]), &m.col, want);
            for (int64_t j = off[q]; j < off[q + 1]; j++) got[n_got++] = (uint32_t)id[hidden[idx[j]]];
            qsort(got, n_got, sizeof *got, by_id);
            assert_int_equal(n, n_got);
            if (n) assert_memory_equal(got, want, n * sizeof *want);
            checked += n;
        }
    }
    assert_true(checked > 200);
    grn_batch_destroy(b);
    grn_dev_close(dev);
    grn_edges_clear(&out);
    /* another epoch is another graph; a subset of the cells changes nothing for the others */
    grn_edges_t one, again, later;
    assert_int_equal(perturb_write(&job, cell + 1, 1, &one, &sum), GRN_OK);
    assert_int_equal(perturb_write(&job, cell + 1, 1, &again, &sum), GRN_OK);
    assert_same_edges(&one, &again);
    job.epoch = 10;
    assert_int_equal(perturb_write(&job, cell + 1, 1, &later, &sum), GRN_OK);
    assert_true(later.n != one.n || memcmp(later.gene, one.gene, one.n * sizeof *one.gene) != 0);
    grn_edges_clear(&one);
    grn_edges_clear(&again);
    grn_edges_clear(&later);
    cfg.grn = GRN_GRN_TYPE;
    job.graphs = 1;
    assert_int_equal(perturb_write(&job, cell, 1, &one, &sum), GRN_EINVAL);
    grn_cells_clear(&cells);
    grn_activity_clear(&a);
    grn_edges_clear(&e);
    grn_matrix_clear(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_links),
        cmocka_unit_test(test_order_and_threads),
        cmocka_unit_test(test_clique),
        cmocka_unit_test(test_perturb_is_training),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
