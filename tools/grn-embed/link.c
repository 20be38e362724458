#include "grn-embed/link.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/names.h"
#include "base/rng.h"
#include "stat/curve.h"

enum { METHODS = 3, MIN_PAIRS = 10, REPLICATES = 200, TRIES = 100 };
static const char *const METHOD[METHODS] = { "embedding", "degree", "random" };

typedef struct {
    double *score[METHODS];
    uint8_t *label;
    uint64_t *key; /* hash of the TF's name */
    size_t n;
} pairs_t;

static void add_pair(pairs_t *p, const embed_graphs_t *g, const embed_graph_t *c, const float *z,
                     const int32_t *row, int64_t d, grn_arc_t a, int label, uint64_t seed)
{
    uint32_t u = grn_arc_u(a), v = grn_arc_v(a);
    const float *zu = z + row[u] * d, *zv = z + row[v] * d;
    double dot = 0;
    grn_rng_t rng;
    for (int64_t i = 0; i < d; i++) dot += (double)zu[i] * (double)zv[i];
    grn_rng_init2(&rng, seed, "embed.random", g->reg.gene_key[u] ^ c->key, g->reg.gene_key[v]);
    p->score[0][p->n] = dot;
    p->score[1][p->n] = (double)c->degree_t[u] * (double)c->degree_t[v];
    p->score[2][p->n] = grn_rng_unif(&rng);
    p->label[p->n] = (uint8_t)label;
    p->key[p->n++] = g->reg.gene_key[u];
}

/* A gene of this context's training graph that the TF is not linked to anywhere; UINT32_MAX if
 * TRIES draws found none. */
static uint32_t draw_stranger(const embed_graphs_t *g, const embed_graph_t *c, grn_arc_t a,
                              uint64_t seed)
{
    uint32_t u = grn_arc_u(a);
    grn_rng_t rng;
    grn_rng_init2(&rng, seed, "embed.stranger", g->reg.gene_key[u] ^ c->key,
                  g->reg.gene_key[grn_arc_v(a)]);
    for (int k = 0; k < TRIES; k++) {
        uint32_t v = c->node_t[grn_rng_below(&rng, c->n_node_t)];
        if (v != u && !embed_graphs_linked(g, u, v)) return v;
    }
    return UINT32_MAX;
}

static grn_status test_context(encoder_t *e, const embed_graphs_t *g, const embed_graph_t *c,
                               pairs_t *p)
{
    grn_status rc = GRN_OK;
    int64_t d = e->opt.dim;
    float *z = NULL;
    int32_t *row = NULL;
    if (c->n_held == 0) return GRN_OK;
    GRN_TRY(GRN_NEW_RAW(z, c->n_node_t * (size_t)d));
    GRN_TRY(GRN_NEW(row, g->reg.genes.n));
    for (size_t i = 0; i < c->n_node_t; i++) row[c->node_t[i]] = (int32_t)i;
    GRN_TRY(encoder_embed(e, &c->train, c->node_t, c->n_node_t, z));
    for (size_t i = 0; i < c->n_held; i++) {
        uint32_t other = draw_stranger(g, c, c->held[i], e->opt.seed);
        if (other == UINT32_MAX) continue;
        add_pair(p, g, c, z, row, d, c->held[i], 1, e->opt.seed);
        add_pair(p, g, c, z, row, d, grn_arc(grn_arc_u(c->held[i]), other), 0, e->opt.seed);
    }
end:
    free(z);
    free(row);
    return rc;
}

grn_status embed_link_test(encoder_t *e, const embed_graphs_t *g, grn_par_t *pool,
                           grn_result_t *out)
{
    grn_status rc = GRN_OK;
    pairs_t p = { 0 };
    size_t n = 0;
    for (size_t c = 0; c < g->n; c++) n += 2 * g->graph[c].n_held;
    for (int m = 0; m < METHODS; m++) GRN_TRY(GRN_NEW_RAW(p.score[m], n));
    GRN_TRY(GRN_NEW_RAW(p.label, n));
    GRN_TRY(GRN_NEW_RAW(p.key, n));
    for (size_t c = 0; c < g->n; c++) GRN_TRY(test_context(e, g, &g->graph[c], &p));
    if (p.n < 2 * MIN_PAIRS)
        GRN_FAIL(GRN_EEMPTY, "%zu held-out arcs are too few for a test; %d are needed", p.n / 2,
                 MIN_PAIRS);
    GRN_TRY(grn_result_init(out, "embed.link", "Held-out links of the type graphs",
                            "method$,auroc,lo,hi,auprc,n_pos,n_neg"));
    for (int m = 0; m < METHODS; m++) {
        grn_curve_t s;
        grn_curve_ci_t ci;
        GRN_TRY(grn_curve_score(p.score[m], p.label, p.n, &s));
        GRN_TRY(grn_curve_bootstrap(p.score[m], p.label, p.key, p.n, REPLICATES, 0.95, e->opt.seed,
                                    pool, &ci));
        GRN_TRY(grn_result_row(out, METHOD[m], s.auroc, ci.lo.auroc, ci.hi.auroc, s.auprc, s.n_pos,
                               s.n_neg));
    }
end:
    for (int m = 0; m < METHODS; m++) free(p.score[m]);
    free(p.label);
    free(p.key);
    return rc;
}
