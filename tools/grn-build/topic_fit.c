/* Models of several sizes and the choice between them. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"
#include "topics.h"

#define COMBINED_MIN 5 /* models of fewer topics have no part in pycisTopic's choice */

void grn_topics_clear(grn_topics_t *t)
{
    for (size_t i = 0; i < t->n; i++) {
        if (t->model) grn_lda_clear(&t->model[i]);
        if (t->metrics) grn_topic_metrics_clear(&t->metrics[i]);
    }
    free(t->model);
    free(t->metrics);
    free(t->stability);
    free(t->combined);
    memset(t, 0, sizeof *t);
}

/* Replicate 0 has the seed given, the others seeds of their own. */
static uint64_t seed_of(uint64_t seed, uint32_t replicate)
{
    return replicate ? grn_rng_key(seed, "topics.replicate", replicate, 0) : seed;
}

static grn_status one_model(const grn_corpus_t *c, const grn_topics_opt_t *o, size_t i, grn_par_t *pool, grn_topics_t *t)
{
    grn_status rc = GRN_OK;
    grn_lda_t *other = NULL;
    double sum = 0, cosine;
    uint32_t pairs = 0;
    grn_lda_opt_t lda = o->lda;
    lda.K = o->K[i];
    t->stability[i] = NAN;
    GRN_TRY(GRN_NEW(other, o->replicates));
    GRN_TRY(grn_lda_fit(c, &lda, pool, &t->model[i]));
    GRN_TRY(grn_topic_metrics(c, &t->model[i], pool, &t->metrics[i]));
    t->metrics[i].loglik = t->model[i].loglik[lda.sweeps - 1];
    for (uint32_t r = 1; r < o->replicates; r++) {
        lda.seed = seed_of(o->lda.seed, r);
        GRN_TRY(grn_lda_fit(c, &lda, pool, &other[r]));
        for (uint32_t q = 0; q < r; q++, pairs++) {
            GRN_TRY(grn_topic_match(q ? other[q].phi : t->model[i].phi, other[r].phi, c->R, lda.K, pool, &cosine));
            sum += cosine;
        }
    }
    if (pairs) t->stability[i] = sum / pairs;
    const grn_topic_metrics_t *m = &t->metrics[i];
    grn_log_info("%u topics: log-likelihood %.6g after the first sweep, %.6g after %u; %u of %u distinct%s", lda.K,
                 t->model[i].loglik[0], m->loglik, lda.sweeps, m->n_distinct, lda.K, "");
    if (!isnan(m->perplexity))
        grn_log_info("%u topics: held-out perplexity %.6g (standard error %.3g)", lda.K, m->perplexity, m->perplexity_se);
    if (pairs) grn_log_info("%u topics: stability %.4f over %u seeds", lda.K, t->stability[i], o->replicates);
end:
    for (uint32_t r = 0; other && r < o->replicates; r++) grn_lda_clear(&other[r]);
    free(other);
    return rc;
}

/* Adds a metric scaled to [0, 1] over the models with K >= COMBINED_MIN. */
static void add_scaled(grn_topics_t *t, const double *x, double sign)
{
    double lo = INFINITY, hi = -INFINITY;
    for (size_t i = 0; i < t->n; i++)
        if (t->metrics[i].K >= COMBINED_MIN) lo = fmin(lo, sign * x[i]), hi = fmax(hi, sign * x[i]);
    for (size_t i = 0; i < t->n; i++)
        if (t->metrics[i].K >= COMBINED_MIN && hi > lo) t->combined[i] += (sign * x[i] - lo) / (hi - lo);
}

static grn_status choose(const grn_corpus_t *c, grn_topics_t *t)
{
    grn_status rc = GRN_OK;
    double *x = NULL;
    GRN_TRY(GRN_NEW(x, t->n));
    for (size_t i = 0; i < t->n; i++) t->combined[i] = t->metrics[i].K >= COMBINED_MIN ? 0 : NAN;
    for (size_t i = 0; i < t->n; i++) x[i] = t->metrics[i].arun;
    add_scaled(t, x, -1);
    for (size_t i = 0; i < t->n; i++) x[i] = t->metrics[i].cao_juan;
    add_scaled(t, x, -1);
    for (size_t i = 0; i < t->n; i++) x[i] = t->metrics[i].mimno;
    add_scaled(t, x, 1);
    for (size_t i = 0; i < t->n; i++) x[i] = t->metrics[i].loglik;
    add_scaled(t, x, 1);
    for (size_t i = 1; i < t->n; i++) {
        if (t->metrics[i].perplexity < t->metrics[t->best].perplexity) t->best = i;
        if (t->combined[i] > t->combined[t->combined_best] || isnan(t->combined[t->combined_best])) t->combined_best = i;
    }
    while (t->frugal < t->best && grn_topic_is_worse(&t->model[t->best], &t->model[t->frugal], c->C)) t->frugal++;
end:
    free(x);
    return rc;
}

grn_status grn_topics_fit(const grn_corpus_t *c, const grn_topics_opt_t *o, grn_par_t *pool, grn_topics_t *t)
{
    grn_status rc = GRN_OK;
    memset(t, 0, sizeof *t);
    t->n = o->n_K;
    GRN_TRY(GRN_NEW(t->model, t->n));
    GRN_TRY(GRN_NEW(t->metrics, t->n));
    GRN_TRY(GRN_NEW(t->stability, t->n));
    GRN_TRY(GRN_NEW(t->combined, t->n));
    for (size_t i = 0; i < t->n; i++) GRN_TRY(one_model(c, o, i, pool, t));
    GRN_TRY(choose(c, t));
end:
    if (rc) grn_topics_clear(t);
    return rc;
}
