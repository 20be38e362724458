#include "grn-embed/train.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"

typedef struct {
    uint32_t u, v;
} pair_t;

typedef struct { /* pairs [begin, end) of one context */
    uint32_t graph;
    size_t begin, end;
} slice_t;

typedef struct {
    encoder_t *e;
    const embed_graphs_t *g;
    const train_opt_t *opt;
    double **noise; /* per context: running sum of degree^0.75 over node_t */
    pair_t *pair;
    size_t n_pair, pair_cap;
    slice_t *slice;
    size_t n_slice, slice_cap;
    /* one batch */
    uint32_t *seed; /* distinct nodes */
    int32_t *at;    /* (G) position in seed, or -1 */
    int32_t *u, *v, *n;
    size_t n_seed;
} trainer_t;

/* Pairs of all walks of one context in one epoch, shuffled. A walk stops where there is nowhere to
 * go; a return to the start is no pair. */
static grn_status walk_context(trainer_t *t, size_t c, uint64_t epoch)
{
    grn_status rc = GRN_OK;
    const embed_graph_t *g = &t->g->graph[c];
    size_t first = t->n_pair, steps = (size_t)(t->opt->walks * t->opt->length);
    grn_rng_t rng;
    for (size_t i = 0; i < g->n_node_t; i++) {
        uint32_t start = g->node_t[i];
        GRN_TRY(GRN_GROW(t->pair, t->pair_cap, t->n_pair + steps));
        grn_rng_init2(&rng, t->e->opt.seed, "embed.walk", t->g->reg.gene_key[start],
                      g->key ^ epoch);
        for (int64_t w = 0; w < t->opt->walks; w++) {
            uint32_t now = start;
            for (int64_t k = 0; k < t->opt->length; k++) {
                size_t deg = grn_csr_degree(&g->train, now);
                if (deg == 0) break;
                now = g->train.adj[g->train.off[now] + grn_rng_below(&rng, deg)];
                if (now != start) t->pair[t->n_pair++] = (pair_t){ start, now };
            }
        }
    }
    grn_rng_init2(&rng, t->e->opt.seed, "embed.shuffle", g->key, epoch);
    for (size_t n = t->n_pair - first; n > 1; n--) {
        size_t j = first + grn_rng_below(&rng, n), last = first + n - 1;
        pair_t p = t->pair[j];
        t->pair[j] = t->pair[last];
        t->pair[last] = p;
    }
end:
    return rc;
}

/* All pairs of an epoch, cut into batches of one context each, the batches of all contexts mixed.
 */
static grn_status make_epoch(trainer_t *t, uint64_t epoch)
{
    grn_status rc = GRN_OK;
    grn_rng_t rng;
    size_t B = (size_t)t->opt->batch;
    t->n_pair = t->n_slice = 0;
    for (size_t c = 0; c < t->g->n; c++) {
        size_t begin = t->n_pair;
        GRN_TRY(walk_context(t, c, epoch));
        for (; begin < t->n_pair; begin += B) {
            GRN_TRY(GRN_GROW(t->slice, t->slice_cap, t->n_slice + 1));
            t->slice[t->n_slice++] =
                (slice_t){ (uint32_t)c, begin, t->n_pair - begin < B ? t->n_pair : begin + B };
        }
    }
    grn_rng_init(&rng, t->e->opt.seed, "embed.batches", epoch);
    for (size_t n = t->n_slice; n > 1; n--) {
        size_t j = grn_rng_below(&rng, n);
        slice_t s = t->slice[j];
        t->slice[j] = t->slice[n - 1];
        t->slice[n - 1] = s;
    }
end:
    return rc;
}

static int32_t place(trainer_t *t, uint32_t node)
{
    if (t->at[node] < 0) {
        t->at[node] = (int32_t)t->n_seed;
        t->seed[t->n_seed++] = node;
    }
    return t->at[node];
}

/* First index whose running sum exceeds x. */
static size_t find_noise(const double *sum, size_t n, double x)
{
    size_t lo = 0, hi = n - 1;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (sum[mid] > x) hi = mid;
        else lo = mid + 1;
    }
    return lo;
}

static grn_status train_batch(trainer_t *t, const slice_t *s, uint64_t step, grn_optim_t *optim,
                              double *loss)
{
    grn_status rc = GRN_OK;
    const embed_graph_t *g = &t->g->graph[s->graph];
    const double *noise = t->noise[s->graph];
    size_t B = s->end - s->begin, Q = (size_t)t->opt->negatives;
    grn_sample_key_t draw = { t->e->opt.seed, g->key, step, 0, 0 };
    grn_rng_t rng;
    t->n_seed = 0;
    for (size_t i = 0; i < B; i++) {
        t->u[i] = place(t, t->pair[s->begin + i].u);
        t->v[i] = place(t, t->pair[s->begin + i].v);
    }
    grn_rng_init(&rng, t->e->opt.seed, "embed.noise", step);
    for (size_t j = 0; j < Q; j++)
        t->n[j] = place(
            t,
            g->node_t[find_noise(noise, g->n_node_t, grn_rng_unif(&rng) * noise[g->n_node_t - 1])]);
    for (size_t i = 0; i < t->n_seed; i++) t->at[t->seed[i]] = -1;
    encoder_pairs_t p = { t->seed, t->n_seed, t->u, t->v, t->n, B, Q };
    GRN_TRY(grn_params_zero_grad(&t->e->params));
    GRN_TRY(encoder_step(t->e, &g->train, &p, &draw, t->g->reg.gene_key, loss));
    if (!isfinite(*loss))
        GRN_FAIL(GRN_ENONFINITE, "the loss is not finite in step %llu",
                 (unsigned long long)step + 1);
    GRN_TRY(grn_optim_step(optim, &t->e->params, NULL));
end:
    return rc;
}

static grn_status prepare(trainer_t *t)
{
    grn_status rc = GRN_OK;
    size_t G = t->g->reg.genes.n, B = (size_t)t->opt->batch, Q = (size_t)t->opt->negatives;
    GRN_TRY(GRN_NEW(t->noise, t->g->n));
    for (size_t c = 0; c < t->g->n; c++) {
        const embed_graph_t *g = &t->g->graph[c];
        double sum = 0;
        GRN_TRY(GRN_NEW_RAW(t->noise[c], g->n_node_t));
        for (size_t i = 0; i < g->n_node_t; i++)
            t->noise[c][i] = sum += pow(g->degree_t[g->node_t[i]], 0.75);
    }
    GRN_TRY(GRN_NEW_RAW(t->seed, 2 * B + Q));
    GRN_TRY(GRN_NEW_RAW(t->at, G));
    GRN_TRY(GRN_NEW_RAW(t->u, B));
    GRN_TRY(GRN_NEW_RAW(t->v, B));
    GRN_TRY(GRN_NEW_RAW(t->n, Q));
    for (size_t i = 0; i < G; i++) t->at[i] = -1;
end:
    return rc;
}

static void trainer_clear(trainer_t *t)
{
    for (size_t c = 0; t->noise && c < t->g->n; c++) free(t->noise[c]);
    free(t->noise);
    free(t->pair);
    free(t->slice);
    free(t->seed);
    free(t->at);
    free(t->u);
    free(t->v);
    free(t->n);
}

grn_status embed_train(encoder_t *e, const embed_graphs_t *g, const train_opt_t *opt,
                       train_result_t *out)
{
    grn_status rc = GRN_OK;
    trainer_t t = { .e = e, .g = g, .opt = opt };
    grn_optim_t optim;
    int bar = 0;
    grn_optim_init(&optim);
    optim.lr = opt->lr;
    optim.decay = opt->decay;
    *out = (train_result_t){ NAN, NAN, (1 + e->opt.neg_weight) * log(2), 0, 0 };
    GRN_TRY(prepare(&t));
    for (int64_t epoch = 0; epoch < opt->epochs; epoch++) {
        double sum = 0;
        GRN_TRY(make_epoch(&t, (uint64_t)epoch));
        if (t.n_pair == 0)
            GRN_FAIL(GRN_EEMPTY, "no random walk leaves its first gene; is --direction right?");
        if (!bar) {
            optim.total =
                opt->epochs * (int64_t)t.n_slice; /* epochs differ by a few pairs; the last steps
                                                     stay at the end of the cosine */
            grn_progress_begin((uint64_t)opt->epochs * t.n_pair, "pairs");
            bar = 1;
        }
        for (size_t s = 0; s < t.n_slice; s++) {
            double loss, n = (double)(t.slice[s].end - t.slice[s].begin);
            GRN_TRY(train_batch(&t, &t.slice[s], out->steps++, &optim, &loss));
            sum += loss * n;
            grn_progress_add((uint64_t)n);
        }
        out->pairs += t.n_pair;
        out->last = sum / (double)t.n_pair;
        if (epoch == 0) out->first = out->last;
        grn_progress_note("loss %.4f", out->last);
        grn_log_debug("epoch %lld: %zu pairs, loss %.4f", (long long)epoch + 1, t.n_pair,
                      out->last);
    }
end:
    if (bar) grn_progress_end();
    grn_optim_clear(&optim);
    trainer_clear(&t);
    return rc;
}
