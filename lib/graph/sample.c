#include "graph/sample.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"

void grn_sampler_clear(grn_sampler_t *s)
{
    free(s->local);
    free(s->stamp);
    free(s->pick);
    *s = (grn_sampler_t){ 0 };
}

void grn_nodes_clear(grn_nodes_t *l)
{
    free(l->v);
    *l = (grn_nodes_t){ 0 };
}

void grn_hop_clear(grn_hop_t *h)
{
    free(h->off);
    free(h->idx);
    *h = (grn_hop_t){ 0 };
}

/* One key per (seed, cell, epoch, graph, layer); the node is the stream's second key. */
static uint64_t mix_key(const grn_sample_key_t *k)
{
    return grn_rng_key(k->seed, "graph.sample", k->cell, k->epoch * 16 + (uint64_t)k->graph * 8 + (uint64_t)k->layer);
}

static void sample_row(grn_sampler_t *s, uint64_t seed, uint64_t object, uint64_t node, const uint32_t *adj, size_t deg,
                       size_t k, uint32_t *out)
{
    grn_rng_t rng;
    if (k == deg) {
        memcpy(out, adj, deg * sizeof *adj);
        return;
    }
    grn_rng_init2(&rng, seed, "graph.sample", object, node);
    grn_rng_sample(&rng, deg, k, s->pick);
    for (size_t i = 0; i < k; i++) out[i] = adj[s->pick[i]];
}

grn_status grn_sample_rows(grn_sampler_t *s, const grn_csr_t *g, const uint32_t *target, size_t n, size_t fanout,
                           const grn_sample_key_t *key, const uint64_t *node_key, grn_hop_t *out)
{
    grn_status rc = GRN_OK;
    uint64_t object = mix_key(key);
    GRN_TRY(GRN_GROW(s->pick, s->pick_cap, fanout));
    GRN_TRY(GRN_GROW(out->off, out->off_cap, n + 1));
    out->n = n;
    out->off[0] = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t v = target[i];
        size_t deg = grn_csr_degree(g, v), k = fanout > 0 && deg > fanout ? fanout : deg, at = out->off[i];
        GRN_TRY(GRN_GROW(out->idx, out->idx_cap, at + k));
        if (k > 0) sample_row(s, key->seed, object, node_key ? node_key[v] : v, g->adj + g->off[v], deg, k, out->idx + at);
        out->off[i + 1] = at + k;
    }
end:
    return rc;
}

/* A fresh empty map over n nodes. */
static grn_status reset_map(grn_sampler_t *s, size_t n)
{
    grn_status rc = GRN_OK;
    if (n > s->n_map) {
        GRN_TRY(GRN_GROW(s->local, s->local_cap, n));
        GRN_TRY(GRN_GROW(s->stamp, s->stamp_cap, n));
        memset(s->stamp, 0, s->stamp_cap * sizeof *s->stamp);
        s->n_map = n;
        s->now = 0;
    }
    if (++s->now == 0) {
        memset(s->stamp, 0, s->stamp_cap * sizeof *s->stamp);
        s->now = 1;
    }
end:
    return rc;
}

/* Position of node v in the list, appending it if new. The list has room. */
static uint32_t intern(grn_sampler_t *s, grn_nodes_t *nodes, uint32_t v)
{
    if (s->stamp[v] != s->now) {
        s->stamp[v] = s->now;
        s->local[v] = (uint32_t)nodes->n;
        nodes->v[nodes->n++] = v;
    }
    return s->local[v];
}

grn_status grn_sample_hop(grn_sampler_t *s, const grn_csr_t *g, const uint32_t *target, size_t n, size_t fanout,
                          const grn_sample_key_t *key, const uint64_t *node_key, grn_hop_t *out, grn_nodes_t *nodes)
{
    grn_status rc = GRN_OK;
    GRN_TRY(reset_map(s, g->n_nodes));
    GRN_TRY(grn_sample_rows(s, g, target, n, fanout, key, node_key, out));
    GRN_TRY(GRN_GROW(nodes->v, nodes->cap, n + out->off[n]));
    nodes->n = 0;
    for (size_t i = 0; i < n; i++) {
        if (intern(s, nodes, target[i]) != i)
            GRN_FAIL(GRN_EINVAL, "node %u is twice among the sampling targets", target[i]);
    }
    for (size_t i = 0; i < out->off[n]; i++) out->idx[i] = intern(s, nodes, out->idx[i]);
end:
    return rc;
}
