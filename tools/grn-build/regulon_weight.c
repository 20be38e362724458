/* How strong an edge is, in its type; and how often an edge as strong comes about when every TF has the motifs of another. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/opt.h"
#include "base/rng.h"
#include "regulon_priv.h"
#include "stat/fdr.h"

int grn_triplet_kind(const grn_triplet_t *t)
{
    return t->combo & IS_EXTENDED ? EXTENDED : DIRECT;
}

float grn_triplet_motif(const grn_regulon_t *g, const grn_triplet_t *t)
{
    return g->sites[grn_triplet_kind(t)].v[t->site].score;
}

/* ---- weights ---- */

/* level[t, i] / its largest over the types that count; 1 with --types all. */
static double specificity(const grn_regulon_t *g, const float *level, size_t n, size_t type, size_t i)
{
    double most = 0;
    if (!level) return 1;
    for (size_t t = 0; t < g->types.types.n; t++)
        if (g->types.n_cells[t] >= g->opt->min_type_cells && level[t * n + i] > most) most = level[t * n + i];
    return most > 0 ? level[type * n + i] / most : 0;
}

/* Best score of each TF's sites: (N_KINDS, n_genes). */
static grn_status best_scores(const grn_regulon_t *g, float **best)
{
    grn_status rc = GRN_NEW(*best, N_KINDS * g->n_genes);
    if (rc) return rc;
    for (int kind = 0; kind < N_KINDS; kind++) {
        for (size_t s = 0; s < g->sites[kind].n; s++) {
            float *b = *best + (size_t)kind * g->n_genes + g->sites[kind].v[s].tf;
            if (g->sites[kind].v[s].score > *b) *b = g->sites[kind].v[s].score;
        }
    }
    return GRN_OK;
}

/* sqrt of the weight of a learned link (its share of the gene's importances), |r| of another; a TF and itself: 1. */
static double strength(const grn_edges_t *links, const float *own, const float *r, uint32_t row)
{
    if (row == NO_ROW) return 1;
    return own || !links->weight ? fabs(r[row]) : sqrt(links->weight[row]);
}

static double triplet_weight(const grn_regulon_t *g, const grn_triplet_t *t, const float *best, const float *distance)
{
    double w = strength(&g->tg, g->own_imp[1], g->r_tg, t->tg) * specificity(g, g->tf_level, g->n_genes, t->type, t->tf);
    if (t->rg == NO_ROW) return w;
    w *= strength(&g->rg, g->own_imp[0], g->r_rg, t->rg);
    w *= specificity(g, g->region_level, g->n_regions, t->type, g->rg.region[t->rg]);
    float motif = grn_triplet_motif(g, t), most = best[(size_t)grn_triplet_kind(t) * g->n_genes + g->cistrome_of[t->tf]];
    if (most > 0 && !isnan(motif)) w *= motif > 0 ? motif / most : 1.0 / 256;
    if (distance && g->opt->distance_scale > 0) w *= exp(-fabs(distance[t->rg]) / g->opt->distance_scale);
    return w;
}

grn_status grn_regulon_weigh(grn_regulon_t *g)
{
    grn_status rc = GRN_OK;
    const float *distance = grn_edges_find_evidence(&g->rg, "distance");
    float *best = NULL;
    GRN_TRY(best_scores(g, &best));
    for (size_t k = 0; k < g->n_tfs; k++)
        for (size_t i = 0; i < g->found[k].n; i++)
            g->found[k].v[i].weight = (float)triplet_weight(g, &g->found[k].v[i], best, distance);
end:
    free(best);
    return rc;
}

/* ---- null ---- */

typedef struct {
    uint64_t key;
    uint32_t tf;
} keyed_t;

static int by_key(const void *a, const void *b)
{
    const keyed_t *x = a, *y = b;
    return (x->key > y->key) - (x->key < y->key);
}

/* Every TF gets the sites of the next one in a random circle of all of them. */
static grn_status exchange_cistromes(grn_regulon_t *g, uint64_t run)
{
    grn_status rc = GRN_OK;
    keyed_t *v = NULL;
    GRN_TRY(GRN_NEW_RAW(v, g->n_tfs));
    for (size_t k = 0; k < g->n_tfs; k++) {
        uint64_t name = grn_hash_str(grn_names_get(&g->genes, g->tfs[k]));
        v[k] = (keyed_t){ grn_rng_key(grn_common.seed, "regulon.null", name, run), g->tfs[k] };
    }
    qsort(v, g->n_tfs, sizeof *v, by_key);
    for (size_t k = 0; k < g->n_tfs; k++) g->cistrome_of[v[k].tf] = v[(k + 1) % g->n_tfs].tf;
end:
    free(v);
    return rc;
}

typedef struct {
    float *v;
    size_t n, cap;
} floats_t;

static grn_status append_weights(const grn_regulon_t *g, floats_t *to)
{
    grn_status rc = GRN_OK;
    for (size_t k = 0; k < g->n_tfs; k++) {
        GRN_TRY(GRN_GROW(to->v, to->cap, to->n + g->found[k].n));
        for (size_t i = 0; i < g->found[k].n; i++) to->v[to->n++] = g->found[k].v[i].weight;
    }
end:
    return rc;
}

static grn_status set_q(grn_regulon_t *g, floats_t *null)
{
    grn_status rc = GRN_OK;
    floats_t own = { 0 };
    float *q = NULL;
    size_t n = 0;
    GRN_TRY(append_weights(g, &own));
    GRN_TRY(GRN_NEW_RAW(q, own.n));
    GRN_TRY(grn_fdr_null(own.v, own.n, null->v, null->n, g->opt->n_null, q));
    for (size_t k = 0; k < g->n_tfs; k++)
        for (size_t i = 0; i < g->found[k].n; i++) g->found[k].v[i].q = q[n++];
end:
    free(own.v);
    free(q);
    return rc;
}

static void report_q(const grn_regulon_t *g, const floats_t *null)
{
    static const float cut[] = { 0.05F, 0.1F, 0.2F };
    size_t n[3] = { 0 }, all = 0;
    for (size_t k = 0; k < g->n_tfs; k++) {
        for (size_t i = 0; i < g->found[k].n; i++, all++)
            for (int c = 0; c < 3; c++) n[c] += g->found[k].v[i].q <= cut[c];
    }
    grn_log_info("null: TFs with the motifs of others give %.0f edges a run, beside %zu; q <= 0.05: %zu edges, 0.1: %zu, 0.2: %zu",
                 (double)null->n / (double)g->opt->n_null, all, n[0], n[1], n[2]);
}

grn_status grn_regulon_null(grn_regulon_t *g, grn_status (*build)(grn_regulon_t *g))
{
    grn_status rc = GRN_OK;
    floats_t null = { 0 };
    grn_triplets_t *own = g->found;
    uint64_t(*count)[N_COUNTS] = g->count;
    float *self = g->self;
    if (g->n_tfs < 2) GRN_FAIL(GRN_EINVAL, "--null: there are no two TFs to exchange motifs");
    g->funnel.quiet = 1;
    GRN_TRY(GRN_NEW(g->self, g->n_tfs));
    g->count = NULL;
    for (uint64_t run = 0; run < g->opt->n_null; run++) {
        GRN_TRY(GRN_NEW(g->found, g->n_tfs));
        free(g->count);
        GRN_TRY(GRN_NEW(g->count, g->n_tfs));
        GRN_TRY(exchange_cistromes(g, run));
        GRN_TRY(build(g));
        GRN_TRY(grn_regulon_weigh(g));
        GRN_TRY(append_weights(g, &null));
        for (size_t k = 0; k < g->n_tfs; k++) free(g->found[k].v);
        free(g->found);
        g->found = NULL;
    }
end:
    if (g->found != own) {
        for (size_t k = 0; g->found && k < g->n_tfs; k++) free(g->found[k].v);
        free(g->found);
    }
    g->found = own;
    if (g->count != count) free(g->count);
    g->count = count;
    if (g->self != self) free(g->self);
    g->self = self;
    for (uint32_t k = 0; k < g->n_genes; k++) g->cistrome_of[k] = k;
    g->funnel.quiet = 0;
    if (!rc) rc = set_q(g, &null);
    if (!rc) report_q(g, &null);
    free(null.v);
    return rc;
}
