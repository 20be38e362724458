/* How good a topic model is: the numbers by which the number of topics is chosen, and those that describe each topic.
 *
 * Arun 2010 (lower is better): symmetric Kullback-Leibler divergence, natural log, between the singular values of phi and the sizes of
 * the topics (tokens of each cell times theta), both sorted descending and normalised.
 * Cao & Juan 2009 (lower): mean cosine of all pairs of topics.
 * Mimno 2011 (higher): coherence of a topic = 2/(n(n-1)) sum over pairs l < m of its n = 20 most probable regions of
 * ln((D(m,l) + 1e-12)/D(l)), D = cells with both, with one; of a model, the mean of its 5 best topics.
 * Held-out perplexity (lower) = exp(-mean ln p) of tokens the model had not seen; its standard error over cells (ratio estimator).
 * Letters: C cells, R regions, K topics. SPEC_GRN 2.2, 2.3. */
#ifndef GRN_BUILD_TOPIC_METRICS_H
#define GRN_BUILD_TOPIC_METRICS_H

#include "base/par.h"
#include "corpus.h"
#include "lda.h"

#define GRN_TOPIC_TOP 20       /* regions of a topic that its coherence looks at */
#define GRN_TOPIC_BEST 5       /* topics that the coherence of a model looks at */
#define GRN_TOPIC_TWIN 0.9     /* a topic is distinct when no other has a larger cosine to it */

typedef struct {
    uint32_t K, n_distinct;
    double arun, cao_juan, mimno, loglik, perplexity, perplexity_se; /* NaN where undefined: one topic; nothing held out */
    /* of each topic, (K) */
    double *coherence, *gini, *share, *twin; /* Gini of its theta over cells; share of all tokens; largest cosine to another (NaN: none) */
} grn_topic_metrics_t;

void grn_topic_metrics_clear(grn_topic_metrics_t *m);
/* O(R K^2 + C K log C + C tokens); K^2 doubles for every 4,096 regions. Same bits for any pool. */
grn_status grn_topic_metrics(const grn_corpus_t *c, const grn_lda_t *t, grn_par_t *pool, grn_topic_metrics_t *m) GRN_MUST_USE;

/* Mean cosine of the topics of two models (R x K each) in the pairing that makes it largest (Kuhn 1955, Hungarian method). */
grn_status grn_topic_match(const float *a, const float *b, size_t R, uint32_t K, grn_par_t *pool, double *mean) GRN_MUST_USE;
/* pair[i] = column of row i in the assignment of least total cost (n x n, row-major, finite). O(n^3). */
grn_status grn_assignment(const double *cost, size_t n, uint32_t *pair) GRN_MUST_USE;

/* Whether model b predicts the held-out tokens worse than model a by more than one standard error of the paired difference over
 * cells (both saw the same tokens). 0 also when nothing was held out. */
int grn_topic_is_worse(const grn_lda_t *a, const grn_lda_t *b, size_t C);

#endif
