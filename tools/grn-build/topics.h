/* grn-build topics: one or several models of a corpus, their metrics, the one to use, and what is written of it. */
#ifndef GRN_BUILD_TOPICS_H
#define GRN_BUILD_TOPICS_H

#include "base/opt.h"
#include "io/lowrank.h"
#include "lda.h"
#include "lsi.h"
#include "topic_binarize.h"
#include "topic_metrics.h"

typedef struct {
    grn_lda_opt_t lda; /* all but K */
    const uint32_t *K; /* (n_K) distinct, ascending */
    size_t n_K;
    uint32_t replicates; /* models of each K, with further seeds */
} grn_topics_opt_t;

typedef struct { /* a model for each K */
    size_t n;
    grn_lda_t *model;             /* (n) of the first seed */
    grn_topic_metrics_t *metrics; /* (n) */
    double *stability;            /* (n) mean matched cosine of all pairs of replicates; NaN for one */
    double *combined;             /* (n) pycisTopic's sum of min-max scaled metrics over models with K >= 5; NaN for others */
    size_t best, frugal, combined_best; /* least perplexity; the smallest K that is not worse by a standard error; largest
                                           `combined`. 0 where undefined */
} grn_topics_t;

void grn_topics_clear(grn_topics_t *t);
grn_status grn_topics_fit(const grn_corpus_t *c, const grn_topics_opt_t *o, grn_par_t *pool, grn_topics_t *t) GRN_MUST_USE;

/* ---- topic_output.c ---- */

/* The model as low-rank accessibility named after the corpus; takes theta and phi out of `t`. */
grn_status grn_topics_lowrank(const grn_corpus_t *c, grn_lda_t *t, grn_lowrank_t *l) GRN_MUST_USE;
/* The same of LSI; without the first component when drop_first. */
grn_status grn_topics_lowrank_lsi(const grn_corpus_t *c, const grn_lsi_t *s, int drop_first, grn_lowrank_t *l) GRN_MUST_USE;
/* A row per model: TSV, or grn.result/1 when the name ends in ".zst". */
grn_status grn_topics_write_metrics(const grn_topics_t *t, const char *path, grn_par_t *pool) GRN_MUST_USE;
/* A row per topic of one model. */
grn_status grn_topics_write_qc(const grn_lda_t *t, const grn_topic_metrics_t *m, const char *path) GRN_MUST_USE;
/* DIR/METHOD/Topic_k.bed, regions with the highest score first, score x 1000 in column 5. Warns of topics without regions. */
grn_status grn_topics_write_sets(const grn_lowrank_t *l, const char *dir, grn_binarize method, const char *word, size_t ntop,
                                 grn_par_t *pool) GRN_MUST_USE;
/* DIR/Topic_k.txt: cells whose share of the topic is above its cut by LI, a name a line. */
grn_status grn_topics_write_cells(const grn_lowrank_t *l, const char *dir, grn_par_t *pool) GRN_MUST_USE;

#endif
