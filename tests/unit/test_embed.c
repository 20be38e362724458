/* grn-embed: held-out links, the encoder's gradients against finite differences in double, and
 * learning of a planted structure. */
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
#include "grn-embed/link.h"
#include "grn-embed/train.h"

#define OK(x) assert_int_equal((x), GRN_OK)

typedef struct {
    const char *tf, *gene, *context;
} row_t;

/* Edges from rows, in the order given or reversed, dictionaries by first appearance. */
static void make_edges(grn_edges_t *e, const row_t *row, size_t n, int reverse)
{
    memset(e, 0, sizeof *e);
    OK(grn_edges_alloc(e, n, "tf,gene,context"));
    for (size_t i = 0; i < n; i++) {
        const row_t *r = &row[reverse ? n - 1 - i : i];
        size_t k;
        OK(grn_names_add(&e->genes, r->tf, &k, NULL));
        e->tf[i] = (uint32_t)k;
        OK(grn_names_add(&e->genes, r->gene, &k, NULL));
        e->gene[i] = (uint32_t)k;
        OK(grn_names_add(&e->contexts, r->context, &k, NULL));
        e->context[i] = (uint16_t)k;
    }
}

static void universe(const grn_edges_t *e, grn_names_t *genes)
{
    uint32_t *order;
    memset(genes, 0, sizeof *genes);
    OK(GRN_NEW_RAW(order, e->genes.n));
    OK(grn_names_sort(&e->genes, order));
    for (size_t i = 0; i < e->genes.n; i++)
        OK(grn_names_add(genes, grn_names_get(&e->genes, order[i]), NULL, NULL));
    free(order);
}

/* Groups of 4 TFs that share 12 targets, of which each TF has about three quarters; two contexts,
 * the second a part of the first. */
enum { GROUPS = 6, TFS = 4, TARGETS = 12 };
static size_t planted(row_t *row, char name[][16])
{
    size_t n = 0, s = 0;
    char (*tf)[16] = name, (*gene)[16] = name + GROUPS * TFS;
    grn_rng_t r;
    grn_rng_init(&r, 5, "test.planted", 0);
    for (int g = 0; g < GROUPS; g++) {
        for (int t = 0; t < TFS; t++) snprintf(tf[g * TFS + t], 16, "T%d.%d", g, t);
        for (int k = 0; k < TARGETS; k++) snprintf(gene[g * TARGETS + k], 16, "G%d.%d", g, k);
    }
    for (int g = 0; g < GROUPS; g++)
        for (int t = 0; t < TFS; t++)
            for (int k = 0; k < TARGETS; k++, s++) {
                if (grn_rng_unif(&r) > 0.75) continue;
                row[n++] = (row_t){ tf[g * TFS + t], gene[g * TARGETS + k], "one" };
                if (s % 2) row[n++] = (row_t){ tf[g * TFS + t], gene[g * TARGETS + k], "two" };
            }
    return n;
}
enum { MAX_ROWS = 2 * GROUPS * TFS * TARGETS, N_NAMES = GROUPS * (TFS + TARGETS) };

static void test_holdout(void **state)
{
    (void)state;
    static row_t row[MAX_ROWS + 1];
    static char name[N_NAMES][16];
    size_t n = planted(row, name), held[2] = { 0, 0 };
    embed_graphs_t g[2];
    row[n++] = (row_t){ row[0].gene, row[0].tf, "two" }; /* the same link the other way round */
    for (int k = 0; k < 2; k++) {
        grn_edges_t e;
        grn_names_t genes;
        make_edges(&e, row, n, k);
        universe(&e, &genes);
        OK(embed_graphs_build(&g[k], &e, &genes, GRN_DIR_BOTH, 0.2, 3));
        grn_edges_clear(&e);
        grn_names_clear(&genes);
    }
    assert_int_equal(g[0].n, 2);
    assert_string_equal(grn_names_get(&g[0].reg.contexts, g[0].graph[0].id), "one");
    assert_string_equal(grn_names_get(&g[1].reg.contexts, g[1].graph[0].id),
                        "one"); /* by name, not by order */
    assert_true(g[0].n_held_links == (size_t)(0.2 * (double)g[0].n_link));
    for (int c = 0; c < 2; c++) {
        const embed_graph_t *a = &g[0].graph[c], *b = &g[1].graph[c];
        held[c] = a->n_held;
        assert_int_equal(a->n_held, b->n_held);
        assert_memory_equal(a->held, b->held, a->n_held * sizeof *a->held);
        assert_true(grn_csr_degree(&a->full, a->node_t[0]) >= 1);
        for (size_t v = 0; v < g[0].reg.genes.n;
             v++) { /* every gene of the graph keeps a neighbour, none gains one */
            size_t full = grn_csr_degree(&a->full, (uint32_t)v),
                   train = grn_csr_degree(&a->train, (uint32_t)v);
            assert_true(train <= full && (train > 0) == (full > 0) && a->degree_t[v] == train);
        }
        for (int d = 0; d < 2;
             d++) /* a link held out anywhere is in no training graph, in no direction */
            for (size_t i = 0; i < g[0].graph[d].n_held; i++) {
                uint32_t u = grn_arc_u(g[0].graph[d].held[i]), v = grn_arc_v(g[0].graph[d].held[i]);
                for (size_t k = a->train.off[u]; k < a->train.off[u + 1]; k++)
                    assert_true(a->train.adj[k] != v);
                for (size_t k = a->train.off[v]; k < a->train.off[v + 1]; k++)
                    assert_true(a->train.adj[k] != u);
                assert_true(embed_graphs_linked(&g[0], v, u));
            }
    }
    assert_true(held[0] > 20 && held[1] > 5);
    embed_graphs_clear(&g[0]);
    embed_graphs_clear(&g[1]);
    embed_graphs_clear(&g[1]);
}

static void test_holdout_limits(void **state)
{
    (void)state;
    const row_t path[2] = { { "A", "B", "x" },
                            { "A", "C", "x" } }; /* leaves have one link each: nothing can go */
    grn_edges_t e;
    grn_names_t genes;
    embed_graphs_t g;
    make_edges(&e, path, 2, 0);
    universe(&e, &genes);
    OK(embed_graphs_build(&g, &e, &genes, GRN_DIR_IN, 0.5, 1));
    assert_true(g.n_link == 2 && g.n_held_links == 0 && g.graph[0].n_node_t == 3);
    assert_int_equal(grn_csr_degree(&g.graph[0].full, 0),
                     0); /* direction in: A listens to nobody */
    assert_int_equal(grn_csr_degree(&g.graph[0].full, 1), 1);
    embed_graphs_clear(&g);
    grn_names_clear(&genes);
    OK(grn_names_add(&genes, "ENSG1", NULL, NULL));
    assert_int_equal(embed_graphs_build(&g, &e, &genes, GRN_DIR_BOTH, 0, 1), GRN_EEMPTY);
    grn_names_clear(&genes);
    grn_edges_clear(&e);
}

/* d loss / d every parameter, all switches. */
static void test_gradients(void **state)
{
    (void)state;
    const row_t row[9] = { { "A", "C", "x" }, { "A", "D", "x" }, { "A", "E", "x" },
                           { "A", "F", "x" }, { "B", "E", "x" }, { "B", "F", "x" },
                           { "B", "G", "x" }, { "C", "G", "x" }, { "G", "H", "x" } };
    const uint32_t seed[5] = { 0, 3, 4, 6, 7 };
    const int32_t u[3] = { 0, 1, 4 }, v[3] = { 2, 0, 3 }, neg[2] = { 4, 1 };
    const encoder_pairs_t pairs = { seed, 5, u, v, neg, 3, 2 };
    const grn_sample_key_t draw = { 1, 2, 3, 0, 0 };
    grn_edges_t e;
    grn_names_t genes;
    embed_graphs_t g;
    grn_dev_t *dev;
    make_edges(&e, row, 9, 0);
    universe(&e, &genes);
    OK(embed_graphs_build(&g, &e, &genes, GRN_DIR_BOTH, 0, 1));
    OK(grn_dev_cpu64(&dev, NULL));
    for (int k = 0; k < 4; k++) {
        encoder_opt_t opt = { 6, 2, k & 1, k >> 1, 2.5, 4 };
        encoder_t *enc;
        double loss, up, down, worst = 0, top = 0;
        OK(encoder_create(&enc, dev, &opt, g.reg.gene_key, genes.n, NULL));
        for (size_t i = 0; i < enc->params.n; i++)
            for (int64_t j = 0; j < enc->params.p[i].n; j++)
                ((double *)(void *)enc->params.p[i].w)[j] *=
                    i == enc->table ? 10 : 1; /* features that matter */
        OK(grn_params_zero_grad(&enc->params));
        OK(encoder_step(enc, &g.graph[0].train, &pairs, &draw, g.reg.gene_key, &loss));
        double *all, *grad;
        OK(GRN_NEW_RAW(all, (size_t)grn_params_count(&enc->params)));
        grad = all;
        for (size_t i = 0; i < enc->params.n; grad += enc->params.p[i++].n)
            memcpy(grad, enc->params.p[i].g, (size_t)enc->params.p[i].n * sizeof *grad);
        grad = all;
        for (size_t i = 0; i < enc->params.n; grad += enc->params.p[i++].n) {
            const grn_param_t *p = &enc->params.p[i];
            double *w = (double *)(void *)p->w;
            for (int64_t j = 0; j < p->n; j++) {
                double was = w[j], h = 1e-6;
                w[j] = was + h;
                OK(encoder_step(enc, &g.graph[0].train, &pairs, &draw, g.reg.gene_key, &up));
                w[j] = was - h;
                OK(encoder_step(enc, &g.graph[0].train, &pairs, &draw, g.reg.gene_key, &down));
                w[j] = was;
                top = fmax(top, fabs(grad[j]));
                worst = fmax(worst, fabs((up - down) / (2 * h) - grad[j]));
            }
        }
        free(all);
        print_message(
            "# last-act %d l2norm %d: loss %.6f, largest gradient %.3g, largest difference %.1e\n",
            k & 1, k >> 1, loss, top, worst);
        assert_true(top > 0.01 && worst < 1e-7 * fmax(1, top));
        encoder_destroy(enc);
    }
    grn_dev_close(dev);
    embed_graphs_clear(&g);
    grn_names_clear(&genes);
    grn_edges_clear(&e);
}

/* Links inside planted groups are found again; degrees do not tell. Two threads give the bits of
 * one. */
static void test_learns(void **state)
{
    (void)state;
    static row_t row[MAX_ROWS];
    static char name[N_NAMES][16];
    size_t n = planted(row, name), n_float = 0;
    grn_edges_t e;
    grn_names_t genes;
    embed_graphs_t g;
    float *x[2] = { NULL, NULL };
    make_edges(&e, row, n, 0);
    universe(&e, &genes);
    OK(embed_graphs_build(&g, &e, &genes, GRN_DIR_BOTH, 0.15, 3));
    for (int k = 0; k < 2; k++) {
        grn_par_t *pool;
        grn_dev_t *dev;
        encoder_t *enc;
        train_result_t t;
        grn_result_t r = { 0 };
        encoder_opt_t eo = { 16, 5, 0, 0, 1, 1 };
        train_opt_t to = { 15, 5, 1, 64, 8, 0.02, 0 };
        OK(grn_par_create(&pool, k + 1));
        OK(grn_dev_cpu(&dev, pool));
        OK(encoder_create(&enc, dev, &eo, g.reg.gene_key, genes.n, pool));
        OK(embed_train(enc, &g, &to, &t));
        OK(embed_link_test(enc, &g, pool, &r));
        const double *auroc = grn_result_col(&r, "auroc")->num;
        print_message("# loss %.3f to %.3f (chance %.3f), AUROC %.3f, degree %.3f, random %.3f\n",
                      t.first, t.last, t.chance, auroc[0], auroc[1], auroc[2]);
        assert_true(t.last < 0.7 * t.chance && t.last < t.first);
        assert_true(auroc[0] > 0.85 && fabs(auroc[1] - 0.5) < 0.2 && fabs(auroc[2] - 0.5) < 0.2);
        n_float = g.graph[0].n_node_t * 16;
        OK(GRN_NEW_RAW(x[k], n_float));
        OK(encoder_embed(enc, &g.graph[0].full, g.graph[0].node_t, g.graph[0].n_node_t, x[k]));
        grn_result_clear(&r);
        encoder_destroy(enc);
        grn_dev_close(dev);
        grn_par_destroy(pool);
    }
    assert_memory_equal(x[0], x[1], n_float * sizeof(float));
    free(x[0]);
    free(x[1]);
    embed_graphs_clear(&g);
    grn_names_clear(&genes);
    grn_edges_clear(&e);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_holdout),
        cmocka_unit_test(test_holdout_limits),
        cmocka_unit_test(test_gradients),
        cmocka_unit_test(test_learns),
    };
    return cmocka_run_group_tests_name("embed", tests, NULL, NULL);
}
