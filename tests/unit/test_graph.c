/* Perturbation, neighbour lists, sampling. Expected values are worked by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/rng.h"
#include "graph/csr.h"
#include "graph/perturb.h"
#include "graph/sample.h"
#include "graph/terms.h"

/* ---- perturbation ---- */

/* A star and a chain over n genes: 0->v for v = 1..n/2, v->v+1 beyond. */
static void make_graph(grn_arcs_t *g, uint32_t n)
{
    *g = (grn_arcs_t){ 0 };
    for (uint32_t v = 1; v < n; v++) {
        assert_int_equal(GRN_GROW(g->a, g->cap, g->n + 1), GRN_OK);
        g->a[g->n++] = v <= n / 2 ? grn_arc(0, v) : grn_arc(v - 1, v);
    }
    grn_arcs_normalise(g);
}

static void set_arithmetic_takes_the_difference_first(void **state)
{
    (void)state;
    const grn_arc_t e[] = { 1, 3, 5, 7 }, drop[] = { 3, 7 }, add[] = { 3, 5, 9 };
    grn_arcs_t out = { 0 };
    assert_int_equal(grn_arcs_edit(e, 4, drop, 2, add, 3, &out), GRN_OK);
    const grn_arc_t want[] = { 1, 3, 5, 9 }; /* 3 comes back, 5 was there already, 7 is gone */
    assert_int_equal(out.n, 4);
    assert_memory_equal(out.a, want, sizeof want);
    assert_int_equal(grn_arcs_edit(e, 0, drop, 0, add, 3, &out), GRN_OK);
    assert_memory_equal(out.a, add, sizeof add);
    assert_int_equal(grn_arcs_edit(e, 4, e, 4, add, 0, &out), GRN_OK);
    assert_int_equal(out.n, 0);
    assert_true(grn_arcs_has(e, 4, 7) && !grn_arcs_has(e, 4, 4) && !grn_arcs_has(e, 0, 1));
    grn_arcs_clear(&out);
}

static void alpha_zero_and_kind_none_give_the_graph_itself(void **state)
{
    (void)state;
    grn_arcs_t g, out = { 0 };
    grn_perturb_t w = { 0 };
    uint32_t s[] = { 1, 2, 3 };
    make_graph(&g, 12);
    grn_perturb_opt_t opt = { GRN_PERTURB_COEXPR, 0, 1, 12, NULL };
    assert_int_equal(grn_perturb_draw(&w, &opt, 7, 0, 0, g.a, g.n, s, 3, &out), GRN_OK);
    assert_true(out.n == g.n && memcmp(out.a, g.a, g.n * sizeof *g.a) == 0);
    opt = (grn_perturb_opt_t){ GRN_PERTURB_NONE, 0.5, 1, 12, NULL };
    assert_int_equal(grn_perturb_draw(&w, &opt, 7, 0, 0, g.a, g.n, s, 3, &out), GRN_OK);
    assert_true(out.n == g.n && memcmp(out.a, g.a, g.n * sizeof *g.a) == 0);
    opt = (grn_perturb_opt_t){ GRN_PERTURB_COEXPR, 0.5, 1, 12, NULL };
    assert_int_equal(grn_perturb_draw(&w, &opt, 7, 0, 0, g.a, 0, s, 3, &out), GRN_OK);
    assert_int_equal(out.n, 0);
    grn_perturb_clear(&w);
    grn_arcs_clear(&g);
    grn_arcs_clear(&out);
}

static int in_set(const uint32_t *s, size_t n, uint32_t x)
{
    for (size_t i = 0; i < n; i++) {
        if (s[i] == x) return 1;
    }
    return 0;
}

static void perturbed_graph_obeys_algorithm_1(void **state)
{
    (void)state;
    grn_arcs_t g, out = { 0 };
    grn_perturb_t w = { 0 };
    uint32_t s[20];
    for (uint32_t i = 0; i < 20; i++) s[i] = 3 * i; /* masked genes are simply not here */
    make_graph(&g, 103);
    grn_perturb_opt_t opt = { GRN_PERTURB_COEXPR, 0.25, 1, 103, NULL };
    for (uint64_t cell = 0; cell < 200; cell++) {
        assert_int_equal(grn_perturb_draw(&w, &opt, cell, 3, 1, g.a, g.n, s, 20, &out), GRN_OK);
        assert_int_equal(w.drop.n, 25); /* floor(0.25 * 102) */
        assert_int_equal(w.add.n, 25);
        assert_true(out.n <= g.n);
        for (size_t i = 0; i < w.add.n; i++) {
            assert_true(in_set(s, 20, grn_arc_u(w.add.a[i])) && in_set(s, 20, grn_arc_v(w.add.a[i])));
            assert_true(i == 0 || w.add.a[i - 1] < w.add.a[i]);
            assert_true(grn_arcs_has(out.a, out.n, w.add.a[i]));
        }
        for (size_t i = 0; i < out.n; i++) {
            assert_true(grn_arc_u(out.a[i]) != grn_arc_v(out.a[i]));
            assert_true(i == 0 || out.a[i - 1] < out.a[i]);
        }
        for (size_t i = 0; i < w.drop.n; i++) {
            assert_true(grn_arcs_has(g.a, g.n, w.drop.a[i]));
            assert_true(!grn_arcs_has(out.a, out.n, w.drop.a[i]) || grn_arcs_has(w.add.a, w.add.n, w.drop.a[i]));
        }
    }
    /* S too small: all of its pairs, then one gene and none. */
    assert_int_equal(grn_perturb_draw(&w, &opt, 1, 0, 0, g.a, g.n, s, 3, &out), GRN_OK);
    assert_int_equal(w.add.n, 6);
    assert_int_equal(grn_perturb_draw(&w, &opt, 1, 0, 0, g.a, g.n, s, 1, &out), GRN_OK);
    assert_true(w.add.n == 0 && out.n == 102 - 25);
    grn_perturb_clear(&w);
    grn_arcs_clear(&g);
    grn_arcs_clear(&out);
}

static void added_pairs_are_uniform_over_the_clique(void **state)
{
    (void)state;
    grn_arcs_t g, out = { 0 };
    grn_perturb_t w = { 0 };
    uint32_t s[] = { 2, 5, 7, 11 };
    size_t hits[4][4] = { { 0 } };
    make_graph(&g, 21); /* 20 arcs: m = 3 of 12 pairs */
    grn_perturb_opt_t opt = { GRN_PERTURB_COEXPR, 0.15, 1, 21, NULL };
    for (uint64_t cell = 0; cell < 4000; cell++) {
        assert_int_equal(grn_perturb_draw(&w, &opt, cell, 0, 0, g.a, g.n, s, 4, &out), GRN_OK);
        assert_int_equal(w.add.n, 3);
        for (size_t i = 0; i < 3; i++) {
            size_t u = 0, v = 0;
            while (s[u] != grn_arc_u(w.add.a[i])) u++;
            while (s[v] != grn_arc_v(w.add.a[i])) v++;
            hits[u][v]++;
        }
    }
    for (size_t u = 0; u < 4; u++) { /* expectation 1000, sd 27 */
        for (size_t v = 0; v < 4; v++) assert_true(u == v ? hits[u][v] == 0 : hits[u][v] > 850 && hits[u][v] < 1150);
    }
    grn_perturb_clear(&w);
    grn_arcs_clear(&g);
    grn_arcs_clear(&out);
}

static void random_and_listed_links(void **state)
{
    (void)state;
    grn_arcs_t g, out = { 0 }, list = { 0 };
    grn_perturb_t w = { 0 };
    uint32_t s[] = { 1, 2, 3, 4 };
    int beyond = 0;
    make_graph(&g, 41);
    grn_perturb_opt_t opt = { GRN_PERTURB_RANDOM, 0.5, 1, 41, NULL };
    assert_int_equal(grn_perturb_draw(&w, &opt, 1, 0, 0, g.a, g.n, NULL, 0, &out), GRN_OK);
    assert_int_equal(w.add.n, 20);
    for (size_t i = 0; i < 20; i++) beyond |= grn_arc_v(w.add.a[i]) > 4;
    assert_true(beyond);
    const grn_arc_t link[] = { grn_arc(1, 2), grn_arc(1, 9), grn_arc(3, 1), grn_arc(9, 2) }; /* gene 9 is masked */
    assert_int_equal(grn_arcs_set(&list, link, 4), GRN_OK);
    opt = (grn_perturb_opt_t){ GRN_PERTURB_LIST, 0.5, 1, 41, &list };
    assert_int_equal(grn_perturb_draw(&w, &opt, 1, 0, 0, g.a, g.n, s, 4, &out), GRN_OK);
    assert_true(w.add.n == 2 && w.add.a[0] == grn_arc(1, 2) && w.add.a[1] == grn_arc(3, 1));
    grn_perturb_clear(&w);
    grn_arcs_clear(&g);
    grn_arcs_clear(&out);
    grn_arcs_clear(&list);
}

static void draws_depend_on_cell_epoch_graph_and_nothing_else(void **state)
{
    (void)state;
    grn_arcs_t g, first[5] = { { 0 } }, again = { 0 };
    grn_perturb_t w = { 0 };
    uint32_t s[30];
    for (uint32_t i = 0; i < 30; i++) s[i] = i;
    make_graph(&g, 61);
    grn_perturb_opt_t opt = { GRN_PERTURB_COEXPR, 0.2, 5, 61, NULL };
    static const struct {
        uint64_t cell, epoch;
        int graph;
    } key[5] = { { 1, 0, 0 }, { 1, 0, 1 }, { 1, 1, 0 }, { 2, 0, 0 }, { 9, 9, 1 } };
    for (size_t k = 0; k < 5; k++) {
        assert_int_equal(grn_perturb_draw(&w, &opt, key[k].cell, key[k].epoch, key[k].graph, g.a, g.n, s, 30, &first[k]), GRN_OK);
        for (size_t j = 0; j < k; j++) assert_true(first[j].n != first[k].n || memcmp(first[j].a, first[k].a, first[k].n * 8) != 0);
    }
    for (size_t k = 5; k-- > 3;) { /* a subset, backwards */
        assert_int_equal(grn_perturb_draw(&w, &opt, key[k].cell, key[k].epoch, key[k].graph, g.a, g.n, s, 30, &again), GRN_OK);
        assert_true(again.n == first[k].n && memcmp(again.a, first[k].a, again.n * 8) == 0);
    }
    for (size_t k = 0; k < 5; k++) grn_arcs_clear(&first[k]);
    grn_arcs_clear(&again);
    grn_arcs_clear(&g);
    grn_perturb_clear(&w);
}

static void rewiring_keeps_every_degree(void **state)
{
    (void)state;
    grn_arcs_t g = { 0 }, r = { 0 };
    grn_rng_t rng;
    size_t in[2][60] = { { 0 } }, out[2][60] = { { 0 } }, same = 0;
    grn_rng_init(&rng, 1, "test", 0);
    assert_int_equal(GRN_GROW(g.a, g.cap, 300), GRN_OK);
    for (size_t i = 0; i < 300; i++) g.a[g.n++] = grn_arc((uint32_t)grn_rng_below(&rng, 10), (uint32_t)grn_rng_below(&rng, 60));
    grn_arcs_normalise(&g);
    assert_int_equal(grn_arcs_set(&r, g.a, g.n), GRN_OK);
    assert_int_equal(grn_arcs_rewire(&r, 1, 2), GRN_OK);
    assert_int_equal(r.n, g.n);
    for (size_t i = 0; i < g.n; i++) {
        out[0][grn_arc_u(g.a[i])]++, in[0][grn_arc_v(g.a[i])]++;
        out[1][grn_arc_u(r.a[i])]++, in[1][grn_arc_v(r.a[i])]++;
        same += grn_arcs_has(g.a, g.n, r.a[i]);
        assert_true(grn_arc_u(r.a[i]) != grn_arc_v(r.a[i]));
    }
    assert_memory_equal(in[0], in[1], sizeof in[0]);
    assert_memory_equal(out[0], out[1], sizeof out[0]);
    assert_true(same < g.n * 3 / 4); /* a random bipartite graph of this density repeats about 0.42 of the arcs */
    grn_arcs_clear(&g);
    assert_int_equal(grn_arcs_rewire(&g, 1, 2), GRN_OK); /* empty */
    grn_arcs_clear(&r);
}

/* ---- neighbour lists and sampling ---- */

static void neighbour_lists_by_direction(void **state)
{
    (void)state;
    const grn_arc_t a[] = { grn_arc(0, 1), grn_arc(0, 2), grn_arc(1, 0), grn_arc(2, 3) }; /* 0 <-> 1 both ways */
    grn_csr_t g = { 0 };
    assert_int_equal(grn_csr_build(&g, 5, a, 4, GRN_DIR_IN), GRN_OK);
    assert_true(grn_csr_degree(&g, 0) == 1 && g.adj[g.off[0]] == 1 && grn_csr_degree(&g, 3) == 1 && grn_csr_degree(&g, 4) == 0);
    assert_int_equal(grn_csr_build(&g, 5, a, 4, GRN_DIR_OUT), GRN_OK);
    assert_true(grn_csr_degree(&g, 0) == 2 && grn_csr_degree(&g, 3) == 0);
    assert_int_equal(grn_csr_build(&g, 5, a, 4, GRN_DIR_BOTH), GRN_OK);
    const size_t off[] = { 0, 2, 3, 5, 6, 6 };
    const uint32_t adj[] = { 1, 2, 0, 0, 3, 2 };
    assert_memory_equal(g.off, off, sizeof off);
    assert_memory_equal(g.adj, adj, sizeof adj);
    assert_int_equal(grn_csr_build(&g, 3, a, 0, GRN_DIR_BOTH), GRN_OK);
    assert_true(g.off[3] == 0);
    assert_int_equal(grn_csr_build(&g, 3, a, 4, GRN_DIR_BOTH), GRN_EINVAL);
    grn_csr_clear(&g);
}

static void sampling_takes_all_or_k_and_does_not_depend_on_the_targets(void **state)
{
    (void)state;
    grn_arcs_t a;
    grn_csr_t g = { 0 };
    grn_sampler_t s = { 0 };
    grn_hop_t all = { 0 }, some = { 0 }, local = { 0 };
    grn_nodes_t nodes = { 0 };
    uint32_t every[64], few[] = { 40, 0, 7 };
    grn_sample_key_t key = { 1, 99, 2, GRN_GRAPH_TYPE, 2 };
    make_graph(&a, 64); /* 0 has 32 neighbours, others 1 or 2 */
    assert_int_equal(grn_csr_build(&g, 64, a.a, a.n, GRN_DIR_BOTH), GRN_OK);
    for (uint32_t i = 0; i < 64; i++) every[i] = i;
    assert_int_equal(grn_sample_rows(&s, &g, every, 64, 10, &key, NULL, &all), GRN_OK);
    assert_int_equal(all.off[1], 10);
    for (size_t v = 1; v < 64; v++) assert_int_equal(all.off[v + 1] - all.off[v], grn_csr_degree(&g, (uint32_t)v));
    for (size_t i = 1; i < 10; i++) assert_true(all.idx[i - 1] < all.idx[i]); /* distinct */
    assert_int_equal(grn_sample_rows(&s, &g, few, 3, 10, &key, NULL, &some), GRN_OK);
    assert_memory_equal(some.idx + some.off[1], all.idx, 10 * sizeof *all.idx);
    assert_int_equal(grn_sample_hop(&s, &g, few, 3, 10, &key, NULL, &local, &nodes), GRN_OK);
    assert_int_equal(local.off[3], some.off[3]);
    for (size_t i = 0; i < 3; i++) assert_int_equal(nodes.v[i], few[i]);
    for (size_t i = 0; i < local.off[3]; i++) assert_int_equal(nodes.v[local.idx[i]], some.idx[i]);
    key.layer = 1;
    assert_int_equal(grn_sample_rows(&s, &g, few, 3, 10, &key, NULL, &some), GRN_OK);
    assert_memory_not_equal(some.idx + some.off[1], all.idx, 10 * sizeof *all.idx);
    assert_int_equal(grn_sample_rows(&s, &g, few, 3, 0, &key, NULL, &some), GRN_OK); /* fan-out 0: all */
    assert_int_equal(some.off[2] - some.off[1], 32);
    assert_int_equal(grn_sample_hop(&s, &g, (uint32_t[]){ 4, 4 }, 2, 10, &key, NULL, &local, &nodes), GRN_EINVAL);
    grn_arcs_clear(&a);
    grn_csr_clear(&g);
    grn_sampler_clear(&s);
    grn_hop_clear(&all);
    grn_hop_clear(&some);
    grn_hop_clear(&local);
    grn_nodes_clear(&nodes);
}

static void sampled_neighbours_are_uniform(void **state)
{
    (void)state;
    grn_arcs_t a;
    grn_csr_t g = { 0 };
    grn_sampler_t s = { 0 };
    grn_hop_t hop = { 0 };
    size_t hits[21] = { 0 };
    uint32_t zero = 0;
    make_graph(&a, 41);
    assert_int_equal(grn_csr_build(&g, 41, a.a, a.n, GRN_DIR_BOTH), GRN_OK);
    assert_int_equal(grn_csr_degree(&g, 0), 20);
    for (uint64_t cell = 0; cell < 4000; cell++) {
        grn_sample_key_t key = { 1, cell, 0, 0, 1 };
        assert_int_equal(grn_sample_rows(&s, &g, &zero, 1, 5, &key, NULL, &hop), GRN_OK);
        for (size_t i = 0; i < 5; i++) hits[hop.idx[i]]++;
    }
    for (size_t v = 1; v <= 20; v++) assert_true(hits[v] > 850 && hits[v] < 1150); /* expectation 1000, sd 27 */
    grn_arcs_clear(&a);
    grn_csr_clear(&g);
    grn_sampler_clear(&s);
    grn_hop_clear(&hop);
}

/* ---- pairs of genes that share a term ---- */

static void add_term(grn_gmt_t *g, const char *name, const uint32_t *gene, size_t n)
{
    assert_int_equal(grn_names_add(&g->sets, name, NULL, NULL), GRN_OK);
    g->off[g->n + 1] = g->off[g->n] + n;
    memcpy(g->gene + g->off[g->n], gene, n * sizeof *gene);
    g->n++;
}

/* Against a plain search over all pairs: 150 genes so that rows of one, two and three words occur. */
static void pairs_share_a_term_of_the_right_size(void **state)
{
    (void)state;
    enum { G = 150, TERMS = 12, MAX = 20 };
    grn_gmt_t g = { .off = calloc(TERMS + 1, 8), .gene = calloc(TERMS * G, 4) };
    grn_names_t genes = { 0 };
    grn_pairs_t p = { 0 };
    grn_terms_t t = { 0 };
    grn_rng_t rng;
    uint8_t want[G][G] = { { 0 } }, member[G] = { 0 };
    double w[G], sum = 0;
    size_t n_pairs = 0, n_member = 0;
    char name[16];
    grn_rng_init(&rng, 1, "test.terms", 0);
    for (int i = 0; i < G + 10; i++) { /* ten genes of the terms are not in the universe; ids differ */
        snprintf(name, sizeof name, "g%03d", i);
        assert_int_equal(grn_names_add(&g.genes, name, NULL, NULL), GRN_OK);
    }
    for (int i = G; i-- > 0;) assert_int_equal(grn_names_add(&genes, grn_names_get(&g.genes, (size_t)i), NULL, NULL), GRN_OK);
    for (size_t k = 0; k < TERMS; k++) {
        uint32_t gene[G + 10];
        uint64_t pick[G + 10];
        size_t n = k == 0 ? 1 : k == 1 ? 60 : 3 + k;
        grn_rng_sample(&rng, G + 10, n, pick);
        for (size_t i = 0; i < n; i++) gene[i] = (uint32_t)pick[i];
        if (k == 2) gene[0] = G + 9, n = 2, gene[1] = 4; /* one gene is left */
        snprintf(name, sizeof name, "t%zu", k);
        add_term(&g, name, gene, n);
        size_t here = 0;
        for (size_t i = 0; i < n; i++) here += gene[i] < G;
        for (size_t i = 0; i < n && here >= 2 && here <= MAX; i++)
            for (size_t j = 0; j < n; j++)
                if (gene[i] < G && gene[j] < G && i != j) want[G - 1 - gene[i]][G - 1 - gene[j]] = 1, member[G - 1 - gene[i]] = 1;
    }
    assert_int_equal(grn_pairs_of_terms(&g, &genes, 1, MAX, &p, &t), GRN_OK);
    for (uint32_t u = 0; u < G; u++) w[u] = grn_rng_unif(&rng);
    for (uint32_t u = 0; u < G; u++) {
        n_member += member[u];
        assert_int_equal(t.has_term[u], member[u]);
        for (uint32_t v = 0; v < G; v++) {
            if (u == v) continue;
            assert_int_equal(grn_pairs_has(&p, u, v), want[u][v]);
            if (u < v && want[u][v]) n_pairs++, sum += w[u] * w[v];
        }
    }
    assert_true(n_pairs > 100 && p.n_pairs == n_pairs && t.n_genes == n_member);
    assert_true(t.n_small == 2 && t.n_large == 1 && t.n_terms == TERMS - 3);
    assert_true(fabs(grn_pairs_weigh(&p, w) - sum) < 1e-9 * sum);
    grn_pairs_add(&p, 3, 3);
    assert_int_equal(p.n_pairs, n_pairs);
    grn_pairs_clear(&p);
    grn_terms_clear(&t);
    assert_int_equal(grn_pairs_of_terms(&g, &genes, 1, 1, &p, &t), GRN_EEMPTY);
    grn_names_clear(&genes);
    assert_int_equal(grn_names_add(&genes, "x", NULL, NULL), GRN_OK);
    assert_int_equal(grn_pairs_of_terms(&g, &genes, 1, MAX, &p, &t), GRN_EEMPTY);
    grn_names_clear(&genes);
    grn_gmt_clear(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(set_arithmetic_takes_the_difference_first),
        cmocka_unit_test(alpha_zero_and_kind_none_give_the_graph_itself),
        cmocka_unit_test(pairs_share_a_term_of_the_right_size),
        cmocka_unit_test(perturbed_graph_obeys_algorithm_1),
        cmocka_unit_test(added_pairs_are_uniform_over_the_clique),
        cmocka_unit_test(random_and_listed_links),
        cmocka_unit_test(draws_depend_on_cell_epoch_graph_and_nothing_else),
        cmocka_unit_test(rewiring_keeps_every_degree),
        cmocka_unit_test(neighbour_lists_by_direction),
        cmocka_unit_test(sampling_takes_all_or_k_and_does_not_depend_on_the_targets),
        cmocka_unit_test(sampled_neighbours_are_uniform),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
