/* Counting: cells of one context after the other, in parallel within it. */
#include "grn-coexpr/perturb_stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "graph/terms.h"
#include "grn-coexpr/perturb_tally.h"

enum { BEFORE = 1, AFTER = 2, VISIBLE = 4 }; /* marks of a gene */

typedef struct { /* of one worker */
    perturb_view_t view;
    uint8_t *mark; /* (G) */
    perturb_tally_t tally[2];
} worker_t;

typedef struct {
    const perturb_job_t *job;
    const perturb_stats_opt_t *opt;
    size_t n_genes;
    grn_pairs_t same_term, linked; /* linked: of the context at hand */
    grn_terms_t terms;
    uint32_t *link_u, *link_v; /* (links) ids in the universe, UINT32_MAX: not there */
    int has_links;             /* the context has links */
    const uint32_t *cell;      /* of the context at hand */
    uint64_t *visible;         /* (G) by gene: sum over cells of 2^32 / |S| where it is in S */
    worker_t *worker;
    int n_workers;
    perturb_group_t group[2], all[2];
} stats_t;

/* ---- one graph ---- */

static size_t n_common(const grn_arc_t *a, size_t n_a, const grn_arc_t *b, size_t n_b)
{
    size_t n = 0;
    for (size_t i = 0, j = 0; i < n_a && j < n_b;) {
        if (a[i] == b[j]) n++;
        if (a[i] < b[j]) i++;
        else j++;
    }
    return n;
}

/* The chance that none of m distinct ordered pairs of V x V touches a given gene: it is in d = 2 (G - 1) of the N = G (G - 1). */
static double chance_missed(double n_genes, uint64_t m)
{
    double all = n_genes * (n_genes - 1), d = 2 * (n_genes - 1), p = 1;
    for (uint64_t i = 0; i < m && p > 0; i++) p *= (double)i < all - d ? 1 - d / (all - (double)i) : 0;
    return p;
}

static uint64_t whole(double x)
{
    return (uint64_t)llrint(x * PERTURB_ONE);
}

/* What m pairs of V x V in place of the pairs that were added would have given. */
static void expect_random(size_t n_genes, const uint64_t q[PQ_N], uint64_t random[PQ_N])
{
    double pairs = (double)n_genes * ((double)n_genes - 1), arcs = (double)q[PQ_ARCS], dropped = (double)q[PQ_DROPPED];
    double m = dropped < pairs ? dropped : pairs, hit = 1 - chance_missed((double)n_genes, (uint64_t)m);
    memset(random, 0, PQ_N * sizeof *random);
    if (pairs == 0) return;
    random[PQ_CAME_BACK] = whole(m * dropped / pairs);
    random[PQ_DUPLICATE] = whole(m * (arcs - dropped) / pairs);
    random[PQ_NEW] = whole(m * (1 - arcs / pairs));
    random[PQ_AFTER] = whole(arcs - dropped + m - m * (arcs - dropped) / pairs);
    random[PQ_JOINED] = whole((double)q[PQ_ISOLATED] * hit);
    random[PQ_JOINED_VISIBLE] = whole((double)q[PQ_ISOLATED_VISIBLE] * hit);
}

static void mark_arcs(uint8_t *mark, const grn_arc_t *a, size_t n, uint8_t with)
{
    for (size_t i = 0; i < n; i++) mark[grn_arc_u(a[i])] |= with, mark[grn_arc_v(a[i])] |= with;
}

static void count_genes(const stats_t *s, worker_t *w, uint64_t q[PQ_N])
{
    const perturb_view_t *v = &w->view;
    memset(w->mark, 0, s->n_genes);
    mark_arcs(w->mark, v->arc, v->n, BEFORE);
    mark_arcs(w->mark, v->out.a, v->out.n, AFTER);
    for (size_t i = 0; i < v->tok.n_visible; i++) w->mark[v->tok.visible[i]] |= VISIBLE;
    for (size_t g = 0; g < s->n_genes; g++) {
        uint8_t m = w->mark[g];
        q[PQ_ISOLATED] += !(m & BEFORE);
        q[PQ_ISOLATED_VISIBLE] += (m & (BEFORE | VISIBLE)) == VISIBLE;
        q[PQ_JOINED] += (m & (BEFORE | AFTER)) == AFTER;
        q[PQ_JOINED_VISIBLE] += m == (AFTER | VISIBLE);
        q[PQ_CUT_OFF] += (m & (BEFORE | AFTER)) == BEFORE;
    }
}

static void count_graph(const stats_t *s, worker_t *w, int graph)
{
    const perturb_view_t *v = &w->view;
    const grn_arcs_t *drop = &v->draw.drop, *add = &v->draw.add;
    uint64_t q[PQ_N] = { 0 }, random[PQ_N];
    q[PQ_ARCS] = v->n;
    q[PQ_DROPPED] = drop->n;
    q[PQ_ADDED] = add->n;
    q[PQ_CAME_BACK] = n_common(drop->a, drop->n, add->a, add->n);
    q[PQ_DUPLICATE] = n_common(v->arc, v->n, add->a, add->n) - q[PQ_CAME_BACK];
    q[PQ_NEW] = add->n - q[PQ_CAME_BACK] - q[PQ_DUPLICATE];
    q[PQ_AFTER] = v->out.n;
    q[PQ_VISIBLE] = v->tok.n_visible;
    count_genes(s, w, q);
    for (size_t i = 0; s->terms.has_term && i < add->n; i++) {
        uint32_t a = grn_arc_u(add->a[i]), b = grn_arc_v(add->a[i]);
        q[PQ_WITH_TERMS] += s->terms.has_term[a] & s->terms.has_term[b];
        q[PQ_SAME_TERM] += (uint64_t)grn_pairs_has(&s->same_term, a, b);
    }
    q[PQ_LINKED_OF] = s->has_links ? add->n : 0;
    for (size_t i = 0; i < q[PQ_LINKED_OF]; i++)
        q[PQ_LINKED] += (uint64_t)grn_pairs_has(&s->linked, grn_arc_u(add->a[i]), grn_arc_v(add->a[i]));
    expect_random(s->n_genes, q, random);
    perturb_tally_add(&w->tally[graph], q, random);
}

/* ---- the cells of a context ---- */

static grn_status count_cells(void *ctx, size_t begin, size_t end, int worker)
{
    const stats_t *s = ctx;
    worker_t *w = &s->worker[worker];
    grn_status rc = GRN_OK;
    int which[2], n_graphs = grn_cells_graphs(s->job->cfg, which);
    for (size_t i = begin; i < end; i++) {
        GRN_TRY(perturb_view_cell(s->job, s->cell[i], &w->view));
        for (size_t k = 0; k < w->view.tok.n_visible; k++)
            __atomic_fetch_add(&s->visible[w->view.tok.visible[k]], ((uint64_t)1 << 32) / w->view.tok.n_visible, __ATOMIC_RELAXED);
        for (int k = 0; k < n_graphs; k++) {
            if (!(s->job->graphs >> which[k] & 1)) continue;
            GRN_TRY(perturb_view_graph(s->job, s->cell[i], which[k], &w->view));
            count_graph(s, w, which[k]);
        }
    }
end:
    return rc;
}

/* Chance levels of the context's cells: shares of all ordered pairs u != v, each weighing w[u] w[v]. */
static grn_status expect_shares(stats_t *s, double level[AGAINST_N][SHARE_N])
{
    grn_status rc = GRN_OK;
    double *w = NULL;
    GRN_TRY(GRN_NEW(w, s->n_genes));
    for (int a = 0; a < AGAINST_N; a++) {
        double all = 0, all_squares = 0, in = 0, in_squares = 0;
        for (size_t g = 0; g < s->n_genes; g++) {
            w[g] = a == AGAINST_RANDOM ? 1 : (double)s->visible[g] * 0x1p-32;
            all += w[g];
            all_squares += w[g] * w[g];
            if (!s->terms.has_term || !s->terms.has_term[g]) continue;
            in += w[g];
            in_squares += w[g] * w[g];
        }
        double pairs = all * all - all_squares, annotated = in * in - in_squares;
        double same = s->terms.has_term ? 2 * grn_pairs_weigh(&s->same_term, w) : NAN;
        level[a][SHARE_WITH_TERMS] = annotated / pairs;
        level[a][SHARE_SAME_TERM] = same / pairs;
        level[a][SHARE_SAME_OF_TERMS] = same / annotated;
        level[a][SHARE_LINKED] = s->has_links ? 2 * grn_pairs_weigh(&s->linked, w) / pairs : NAN;
    }
end:
    free(w);
    return rc;
}

/* Expected numbers of the context from the levels, and their sums over contexts. */
static void expect_numbers(stats_t *s, int graph, double level[AGAINST_N][SHARE_N])
{
    static const int among[SHARE_N] = { PQ_ADDED, PQ_ADDED, PQ_WITH_TERMS, PQ_LINKED_OF };
    perturb_group_t *g = &s->group[graph];
    for (int a = 0; a < AGAINST_N; a++)
        for (int i = 0; i < SHARE_N; i++) {
            double n = (double)g->t.sum[among[i]];
            g->expected[a][i] = n > 0 ? n * level[a][i] : NAN;
            if (n > 0) s->all[graph].expected[a][i] += n * level[a][i];
        }
}

/* The links of a context (their context of that name, else "all", else all of them without contexts) as pairs. */
static grn_status take_links(stats_t *s, const char *context)
{
    const grn_edges_t *e = s->opt->links;
    s->has_links = 0;
    if (!e) return GRN_OK;
    size_t k = e->context ? grn_names_find(&e->contexts, context) : 0;
    if (k == GRN_NAMES_NONE) k = grn_names_find(&e->contexts, "all");
    if (k == GRN_NAMES_NONE) return GRN_OK;
    grn_pairs_clear(&s->linked);
    if (grn_pairs_init(&s->linked, s->n_genes) != GRN_OK) return GRN_ENOMEM;
    for (size_t i = 0; i < e->n; i++)
        if ((!e->context || e->context[i] == k) && s->link_u[i] != UINT32_MAX && s->link_v[i] != UINT32_MAX)
            grn_pairs_add(&s->linked, s->link_u[i], s->link_v[i]);
    s->has_links = 1;
    return GRN_OK;
}

static grn_status count_context(stats_t *s, const char *context, size_t n)
{
    grn_status rc = GRN_OK;
    double level[AGAINST_N][SHARE_N];
    GRN_TRY(take_links(s, context));
    memset(s->visible, 0, s->n_genes * sizeof *s->visible);
    for (int k = 0; k < s->n_workers; k++) memset(s->worker[k].tally, 0, sizeof s->worker[k].tally);
    GRN_TRY(grn_par_for(s->opt->pool, n, 16, count_cells, s));
    GRN_TRY(expect_shares(s, level));
    for (int g = 0; g < 2; g++) {
        memset(&s->group[g], 0, sizeof s->group[g]);
        for (int k = 0; k < s->n_workers; k++) perturb_tally_merge(&s->group[g].t, &s->worker[k].tally[g]);
        perturb_tally_merge(&s->all[g].t, &s->group[g].t);
        expect_numbers(s, g, level);
    }
end:
    return rc;
}

/* ---- all of it ---- */

static grn_status map_links(stats_t *s)
{
    grn_status rc = GRN_OK;
    const grn_edges_t *e = s->opt->links;
    const grn_names_t *genes = &s->job->cells->m->col;
    uint32_t *to = NULL;
    size_t found = 0;
    if (!e) return GRN_OK;
    if (!e->tf || !e->gene) GRN_FAIL(GRN_EINVAL, "'%s' does not hold links: genes at both ends are needed", s->opt->links_name);
    GRN_TRY(GRN_NEW(to, e->genes.n));
    GRN_TRY(GRN_NEW(s->link_u, e->n));
    GRN_TRY(GRN_NEW(s->link_v, e->n));
    for (size_t i = 0; i < e->genes.n; i++) {
        size_t k = grn_names_find(genes, grn_names_get(&e->genes, i));
        to[i] = k == GRN_NAMES_NONE ? UINT32_MAX : (uint32_t)k;
    }
    for (size_t i = 0; i < e->n; i++) {
        s->link_u[i] = to[e->tf[i]];
        s->link_v[i] = to[e->gene[i]];
        found += s->link_u[i] != UINT32_MAX && s->link_v[i] != UINT32_MAX;
    }
    if (found == 0)
        GRN_FAIL(GRN_EEMPTY,
                 "'%s': none of the %zu links joins two of the %zu genes; first names: '%s' in the links, '%s' in the counts",
                 s->opt->links_name, e->n, genes->n, e->genes.n ? grn_names_get(&e->genes, 0) : "",
                 genes->n ? grn_names_get(genes, 0) : "");
end:
    free(to);
    return rc;
}

static grn_status begin(stats_t *s)
{
    grn_status rc = GRN_OK;
    GRN_TRY(perturb_check(s->job));
    s->n_genes = s->job->cells->n_genes;
    s->n_workers = grn_par_n(s->opt->pool);
    GRN_TRY(GRN_NEW(s->worker, (size_t)s->n_workers));
    for (int k = 0; k < s->n_workers; k++) GRN_TRY(GRN_NEW(s->worker[k].mark, s->n_genes));
    GRN_TRY(GRN_NEW(s->visible, s->n_genes));
    GRN_TRY(map_links(s));
    if (s->opt->terms) {
        rc = grn_pairs_of_terms(s->opt->terms, &s->job->cells->m->col, 1, s->opt->max_term, &s->same_term, &s->terms);
        if (rc != GRN_OK) GRN_TRY(grn_err_prefix(rc, "'%s'", s->opt->terms_name));
        grn_log_info(
            "%zu of %zu terms have 2 to %zu of the genes (%zu have fewer, %zu more); %zu of %zu genes are in one, %llu pairs share one",
            s->terms.n_terms, s->opt->terms->n, s->opt->max_term, s->terms.n_small, s->terms.n_large, s->terms.n_genes, s->n_genes,
            (unsigned long long)s->same_term.n_pairs);
    }
end:
    return rc;
}

static void finish(stats_t *s)
{
    for (int k = 0; s->worker && k < s->n_workers; k++) perturb_view_clear(&s->worker[k].view), free(s->worker[k].mark);
    free(s->worker);
    free(s->visible);
    free(s->link_u);
    free(s->link_v);
    grn_pairs_clear(&s->same_term);
    grn_pairs_clear(&s->linked);
    grn_terms_clear(&s->terms);
}

/* cell[0..n) by context: by (malloc'ed), and where each context begins: off (contexts + 1). */
static grn_status sort_cells(const grn_cells_t *c, const uint32_t *cell, size_t n, uint32_t **by, size_t **off)
{
    grn_status rc = GRN_OK;
    size_t n_contexts = c->reg.contexts.n, *at = NULL;
    GRN_TRY(GRN_NEW(*by, n));
    GRN_TRY(GRN_NEW(*off, n_contexts + 1));
    GRN_TRY(GRN_NEW(at, n_contexts + 1));
    for (size_t i = 0; i < n; i++)
        if (c->mask.context[cell[i]] != GRN_CONTEXT_NONE) (*off)[c->mask.context[cell[i]] + 1]++;
    for (size_t k = 0; k < n_contexts; k++) at[k + 1] = (*off)[k + 1] += (*off)[k];
    for (size_t i = 0; i < n; i++)
        if (c->mask.context[cell[i]] != GRN_CONTEXT_NONE) (*by)[at[c->mask.context[cell[i]]]++] = cell[i];
end:
    free(at);
    return rc;
}

static const char *const GRAPH[2] = { [GRN_GRAPH_CELL] = "cell", [GRN_GRAPH_TYPE] = "type" };

static grn_status count_contexts(stats_t *s, const uint32_t *by, const size_t *off, const uint32_t *order, grn_result_t *out)
{
    grn_status rc = GRN_OK;
    const grn_names_t *contexts = &s->job->cells->reg.contexts;
    size_t n_linked = 0;
    for (size_t i = 0; i < contexts->n; i++) {
        size_t k = order[i], n = off[k + 1] - off[k];
        const char *name = grn_names_get(contexts, k);
        if (n == 0) continue;
        s->cell = by + off[k];
        GRN_TRY(count_context(s, name, n));
        n_linked += (size_t)s->has_links;
        for (int g = 0; g < 2; g++)
            if (s->group[g].t.n > 0)
                GRN_TRY(perturb_table_rows(out, GRAPH[g], name, &s->group[g], s->opt->terms != NULL, s->has_links));
    }
    if (s->opt->links && n_linked == 0)
        GRN_FAIL(GRN_EEMPTY,
                 "'%s': no context of the links is a type of the cells; first names: '%s' in the links, '%s' in the regulons",
                 s->opt->links_name, s->opt->links->contexts.n ? grn_names_get(&s->opt->links->contexts, 0) : "",
                 grn_names_get(contexts, order[0]));
    for (int g = 0; g < 2; g++) {
        if (s->all[g].t.n == 0) continue;
        GRN_TRY(perturb_table_rows(out, GRAPH[g], "*", &s->all[g], s->opt->terms != NULL, s->opt->links != NULL));
        perturb_table_log(out, GRAPH[g], s->opt->terms != NULL, s->opt->links != NULL);
    }
end:
    return rc;
}

grn_status perturb_stats(const perturb_job_t *job, const perturb_stats_opt_t *opt, const uint32_t *cell, size_t n, grn_result_t *out)
{
    grn_status rc = GRN_OK;
    const grn_cells_t *c = job->cells;
    stats_t s = { .job = job, .opt = opt };
    uint32_t *by = NULL, *order = NULL;
    size_t *off = NULL;
    GRN_TRY(begin(&s));
    GRN_TRY(perturb_table_init(out));
    GRN_TRY(sort_cells(c, cell, n, &by, &off));
    GRN_TRY(GRN_NEW(order, c->reg.contexts.n));
    GRN_TRY(grn_names_sort(&c->reg.contexts, order));
    if (off[c->reg.contexts.n] == 0) GRN_FAIL(GRN_EEMPTY, "none of the %zu cells has a type with regulons", n);
    if (off[c->reg.contexts.n] < n)
        grn_log_warn("%zu of %zu cells have no type with regulons: they are not counted", n - off[c->reg.contexts.n], n);
    GRN_TRY(count_contexts(&s, by, off, order, out));
end:
    free(by);
    free(off);
    free(order);
    finish(&s);
    if (rc != GRN_OK) grn_result_clear(out);
    return rc;
}
