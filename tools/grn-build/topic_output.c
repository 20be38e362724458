/* What grn-build topics writes. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "io/bed.h"
#include "io/prov.h"
#include "io/result.h"
#include "outdir.h"
#include "topics.h"

/* ---- models ---- */

static grn_status name_all(const grn_corpus_t *c, size_t K, const char *component, const char *method, grn_lowrank_t *l)
{
    grn_status rc = GRN_OK;
    char name[32];
    l->C = c->C;
    l->R = c->R;
    l->K = K;
    GRN_TRY(grn_names_dup(&l->cell, &c->info.row));
    GRN_TRY(grn_names_dup(&l->region, &c->info.col));
    GRN_TRY(grn_attrs_dup(&l->cell_attr, &c->info.row_attr, c->C));
    for (size_t k = 1; k <= K; k++) {
        snprintf(name, sizeof name, "%s_%zu", component, k);
        GRN_TRY(grn_names_add(&l->topic, name, NULL, NULL));
    }
    if (!(l->method = strdup(method))) GRN_FAIL(GRN_ENOMEM, "out of memory");
end:
    return rc;
}

grn_status grn_topics_lowrank(const grn_corpus_t *c, grn_lda_t *t, grn_lowrank_t *l)
{
    memset(l, 0, sizeof *l);
    grn_status rc = name_all(c, t->K, "Topic", "lda", l);
    if (rc) return rc;
    l->theta = t->theta;
    l->phi = t->phi;
    t->theta = t->phi = NULL;
    return GRN_OK;
}

/* Columns from `first` on. */
static grn_status columns_from(const float *from, size_t n, size_t K, size_t first, float **out)
{
    grn_status rc = GRN_NEW(*out, n * (K - first));
    for (size_t i = 0; !rc && i < n; i++) memcpy(*out + i * (K - first), from + i * K + first, (K - first) * sizeof **out);
    return rc;
}

grn_status grn_topics_lowrank_lsi(const grn_corpus_t *c, const grn_lsi_t *s, int drop_first, grn_lowrank_t *l)
{
    grn_status rc = GRN_OK;
    memset(l, 0, sizeof *l);
    GRN_TRY(name_all(c, s->K - (size_t)drop_first, "LSI", "lsi", l));
    GRN_TRY(columns_from(s->theta, c->C, s->K, (size_t)drop_first, &l->theta));
    GRN_TRY(columns_from(s->phi, c->R, s->K, (size_t)drop_first, &l->phi));
end:
    if (rc) grn_lowrank_clear(l);
    return rc;
}

/* ---- tables ---- */

static grn_status print_result(const grn_result_t *r, const char *path)
{
    grn_status rc = GRN_OK;
    grn_out_t *o = NULL;
    GRN_TRY(grn_out_open(&o, path, 0));
    GRN_TRY(grn_prov_text(o));
    GRN_TRY(grn_result_print(r, o));
    rc = grn_out_commit(o);
    o = NULL;
end:
    grn_out_abort(o);
    return rc;
}

grn_status grn_topics_write_metrics(const grn_topics_t *t, const char *path, grn_par_t *pool)
{
    grn_status rc = GRN_OK;
    grn_result_t r = { 0 };
    GRN_TRY(grn_result_init(&r, "topics", "How good topic models of different sizes are",
                            "topics,arun,cao_juan,mimno,loglik,perplexity,perplexity_se,stability,distinct,combined,chosen"));
    for (size_t i = 0; i < t->n; i++) {
        const grn_topic_metrics_t *m = &t->metrics[i];
        GRN_TRY(grn_result_row(&r, (double)m->K, m->arun, m->cao_juan, m->mimno, m->loglik, m->perplexity, m->perplexity_se,
                               t->stability[i], (double)m->n_distinct, t->combined[i], (double)(i == t->frugal)));
    }
    GRN_TRY(grn_str_ends(path, ".zst") ? grn_result_save(&r, path, pool) : print_result(&r, path));
end:
    grn_result_clear(&r);
    return rc;
}

grn_status grn_topics_write_qc(const grn_lda_t *t, const grn_topic_metrics_t *m, const char *path)
{
    grn_status rc = GRN_OK;
    grn_result_t r = { 0 };
    char name[32];
    GRN_TRY(
        grn_result_init(&r, "topic.qc", "The topics of a model", "topic$,assigned,log10_assigned,share,coherence,gini,twin_cosine"));
    for (uint32_t k = 0; k < t->K; k++) {
        snprintf(name, sizeof name, "Topic_%u", k + 1);
        GRN_TRY(grn_result_row(&r, name, (double)t->assigned[k], log10((double)t->assigned[k]), m->share[k], m->coherence[k],
                               m->gini[k], m->twin[k]));
    }
    GRN_TRY(print_result(&r, path));
end:
    grn_result_clear(&r);
    return rc;
}

/* ---- sets ---- */

static grn_status write_set(const char *path, const grn_regions_t *at, const grn_names_t *names, const uint32_t *item, size_t n,
                            const float *z)
{
    grn_status rc = GRN_OK;
    grn_out_t *o = NULL;
    GRN_TRY(grn_out_open(&o, path, 0));
    for (size_t i = 0; i < n; i++) {
        uint32_t r = item[i];
        if (at)
            GRN_TRY(grn_out_printf(o, "%s\t%" PRIu64 "\t%" PRIu64 "\t%s\t%.0f\n", grn_names_get(&at->chroms, at->chrom[r]),
                                   at->start[r], at->end[r], grn_names_get(names, r), round(1000 * (double)z[r])));
        else GRN_TRY(grn_out_printf(o, "%s\n", grn_names_get(names, r)));
    }
    rc = grn_out_commit(o);
    o = NULL;
end:
    grn_out_abort(o);
    return rc;
}

/* One file per topic; at NULL: names only. */
static grn_status write_sets(const grn_lowrank_t *l, const float *p, const grn_names_t *names, const grn_regions_t *at, const char *dir,
                             grn_binarize method, size_t ntop, grn_par_t *pool)
{
    grn_status rc = GRN_OK;
    const size_t n = names->n;
    float *z = NULL;
    uint32_t *item = NULL;
    size_t n_item, total = 0, n_empty = 0;
    grn_str_t path = { 0 };
    double t;
    GRN_TRY(grn_outdir_make(dir));
    GRN_TRY(GRN_NEW_RAW(z, n * l->K));
    GRN_TRY(grn_topic_scores(p, n, (uint32_t)l->K, at != NULL, pool, z));
    for (size_t k = 0; k < l->K; k++) {
        GRN_TRY(grn_topic_cut(z + k * n, n, method, ntop, &t));
        GRN_TRY(grn_topic_select(z + k * n, n, method, ntop, t, &item, &n_item));
        path.n = 0;
        GRN_TRY(grn_str_printf(&path, "%s/%s.%s", dir, grn_names_get(&l->topic, k), at ? "bed" : "txt"));
        GRN_TRY(write_set(path.s, at, names, item, n_item, z + k * n));
        free(item);
        item = NULL;
        total += n_item;
        n_empty += !n_item;
    }
    grn_log_info("%s: %zu topics, %.0f %s each on average", dir, l->K, (double)total / (double)l->K, at ? "regions" : "cells");
    if (n_empty) grn_log_warn("%s: %zu topics have no %s (their scores are all equal)", dir, n_empty, at ? "region" : "cell");
end:
    free(item);
    free(z);
    grn_str_clear(&path);
    return rc;
}

grn_status grn_topics_write_sets(const grn_lowrank_t *l, const char *dir, grn_binarize method, const char *word, size_t ntop,
                                 grn_par_t *pool)
{
    grn_status rc = GRN_OK;
    grn_regions_t at = { 0 };
    grn_str_t sub = { 0 };
    GRN_TRY(grn_regions_from_names(&l->region, &at));
    GRN_TRY(grn_outdir_make(dir));
    GRN_TRY(grn_str_printf(&sub, "%s/%s", dir, word));
    GRN_TRY(write_sets(l, l->phi, &l->region, &at, sub.s, method, ntop, pool));
end:
    grn_regions_clear(&at);
    grn_str_clear(&sub);
    return rc;
}

grn_status grn_topics_write_cells(const grn_lowrank_t *l, const char *dir, grn_par_t *pool)
{
    return write_sets(l, l->theta, &l->cell, NULL, dir, GRN_BINARIZE_LI, 0, pool);
}
