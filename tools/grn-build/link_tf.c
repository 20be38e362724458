#include "link_priv.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/opt.h"
#include "io/chrom.h"
#include "io/tflist.h"
#include "parts.h"
#include "stat/fdr.h"
#include "tfaccess.h"

/* TFs of the list, in bytewise order, that are no genes of the matrix. */
static grn_status note_absent(grn_linker_t *l, const grn_names_t *list, const uint32_t *order)
{
    grn_status rc = GRN_OK;
    for (size_t k = 0; k < list->n; k++) {
        const char *name = grn_names_get(list, order[k]);
        if (grn_names_find(&l->rna.info->col, name) == GRN_NAMES_NONE)
            GRN_TRY(grn_names_add(&l->absent, name, NULL, NULL));
    }
end:
    return rc;
}

/* TFs of the list that are expressed genes, as columns in bytewise order of their names. */
static grn_status pick_tfs(grn_linker_t *l, uint32_t **tfs, size_t *n_tfs)
{
    grn_status rc = GRN_OK;
    grn_names_t list = { 0 };
    uint32_t *order = NULL;
    size_t n = 0, missing = 0;
    char some_tfs[200], some_genes[200];
    GRN_TRY(grn_tflist_load(l->opt->tfs, &list, NULL));
    GRN_TRY(GRN_NEW_RAW(order, list.n));
    GRN_TRY(GRN_NEW_RAW(*tfs, list.n));
    GRN_TRY(grn_names_sort(&list, order));
    for (size_t k = 0; k < list.n; k++) {
        size_t j = grn_names_find(&l->rna.info->col, grn_names_get(&list, order[k]));
        if (j == GRN_NAMES_NONE) missing++;
        else if (l->rna.col_nz[j] >= l->opt->min_cells) (*tfs)[n++] = (uint32_t)j;
    }
    if (l->opt->scan || l->opt->hits) GRN_TRY(note_absent(l, &list, order));
    if (missing == list.n && l->absent.n == 0) {
        GRN_FAIL(GRN_EEMPTY,
                 "0 of %" PRIu64 " genes of '%s' are in the TF list '%s'; first names: %s vs %s",
                 l->rna.info->n_cols, l->opt->rna, l->opt->tfs,
                 grn_names_show(&l->rna.info->col, 3, some_genes, sizeof some_genes),
                 grn_names_show(&list, 3, some_tfs, sizeof some_tfs));
    }
    GRN_TRY(grn_funnel_add(&l->funnel, "TFs", list.n - missing, missing,
                           "TFs of the list that are genes of the matrix"));
    GRN_TRY(grn_funnel_add(&l->funnel, "TFs", n, list.n - missing - n,
                           "TFs seen in at least %" PRIu64 " cells", l->opt->min_cells));
    *n_tfs = n;
end:
    grn_names_clear(&list);
    free(order);
    return rc;
}

typedef struct {
    grn_linker_t *l;
    const grn_colblock_t *tf, *gene;
    const uint32_t *tf_col, *gene_col; /* columns of the two blocks */
    grn_tfpairs_t *chunk;                    /* one list per chunk of genes */
} tg_job_t;

static grn_status correlate_genes(void *ctx, size_t begin, size_t end, int worker)
{
    grn_status rc = GRN_OK;
    tg_job_t *job = ctx;
    grn_tfpairs_t *out = &job->chunk[begin / GENES_PER_CHUNK];
    float *val = job->l->scratch[worker], *rank = val + job->l->cells.n;
    for (size_t j = begin; j < end; j++) {
        grn_corr_spread(&job->gene->corr, j, val, rank);
        for (size_t i = 0; i < job->tf->n; i++) {
            double p, s;
            if (job->tf_col[i] == job->gene_col[j]) continue;
            grn_corr_pair(&job->tf->corr, i, &job->gene->corr, j, val, rank, &p, &s);
            if (!grn_link_passes(p, s, job->l->opt->min_rho)) continue;
            GRN_TRY(GRN_GROW(out->v, out->cap, out->n + 1));
            out->v[out->n++] = (grn_tfpair_t){ job->tf_col[i], job->gene_col[j], (float)p, (float)s, 0, 0, 0, 0 };
        }
        grn_corr_drop(&job->gene->corr, j, val, rank);
    }
    grn_progress_add((end - begin) * job->tf->n);
end:
    return rc;
}

static grn_status correlate_blocks(tg_job_t *job, grn_tfpairs_t *out)
{
    grn_status rc = GRN_OK;
    size_t n_chunks = job->gene->n / GENES_PER_CHUNK + 1;
    GRN_TRY(GRN_NEW(job->chunk, n_chunks));
    GRN_TRY(grn_par_for(grn_common.pool, job->gene->n, GENES_PER_CHUNK, correlate_genes, job));
    for (size_t c = 0; c < n_chunks; c++) {
        GRN_TRY(GRN_GROW(out->v, out->cap, out->n + job->chunk[c].n));
        if (job->chunk[c].n)
            memcpy(out->v + out->n, job->chunk[c].v, job->chunk[c].n * sizeof *out->v);
        out->n += job->chunk[c].n;
    }
end:
    for (size_t c = 0; job->chunk && c < n_chunks; c++) free(job->chunk[c].v);
    free(job->chunk);
    job->chunk = NULL;
    return rc;
}

/* A block of TFs (their ids in tf_col) with all expressed genes, block by block: each one pass over
 * the matrix. */
static grn_status correlate_with_genes(grn_linker_t *l, const grn_colblock_t *tf,
                                       const uint32_t *tf_col, grn_tfpairs_t *out)
{
    grn_status rc = GRN_OK;
    grn_colblock_t gene = { 0 };
    for (size_t j = 0, m; j < l->n_genes; j += m) {
        m = grn_colblock_fit(&l->rna, l->genes, j, l->n_genes, l->budget / 2);
        GRN_TRY(grn_colblock_load(&l->rna, l->genes + j, m, grn_common.pool, &gene));
        GRN_TRY(correlate_blocks(&(tg_job_t){ l, tf, &gene, tf_col, l->genes + j, NULL }, out));
        grn_colblock_clear(&gene);
    }
end:
    grn_colblock_clear(&gene);
    return rc;
}

static grn_status correlate_tfs(grn_linker_t *l, const uint32_t *tfs, size_t n_tfs, grn_tfpairs_t *out)
{
    grn_status rc = GRN_OK;
    grn_colblock_t tf = { 0 };
    grn_progress_begin((uint64_t)n_tfs * l->n_genes, "pairs");
    for (size_t i = 0, n; i < n_tfs; i += n) {
        n = grn_colblock_fit(&l->rna, tfs, i, n_tfs, l->budget / 2);
        GRN_TRY(grn_colblock_load(&l->rna, tfs + i, n, grn_common.pool, &tf));
        GRN_TRY(correlate_with_genes(l, &tf, tfs + i, out));
        grn_colblock_clear(&tf);
    }
end:
    grn_progress_end();
    grn_colblock_clear(&tf);
    return rc;
}

#define ABSENT_AT_ONCE 64 /* TFs without expression whose scores are held at the same time */

typedef grn_status (*absent_fn)(void *ctx, const grn_colblock_t *block, const uint32_t *ids);

/* TFs the matrix lacks, by how open the regions with their motif are in each cell, a few at a time. */
static grn_status each_absent(grn_linker_t *l, uint64_t *n_used, absent_fn fn, void *ctx)
{
    grn_status rc = GRN_OK;
    grn_regions_t regions = { 0 };
    grn_tfsites_t sites = { 0 };
    grn_colblock_t block = { 0 };
    uint32_t ids[ABSENT_AT_ONCE];
    GRN_TRY(grn_regions_from_names(&l->atac.info->col, &regions));
    GRN_TRY(grn_tfsites_load(l->opt->scan, l->opt->hits, l->opt->motif2tf, &l->absent, &regions, grn_common.pool, &sites));
    *n_used = sites.n_tfs;
    if (sites.n_tfs) {
        grn_log_warn("%zu TFs are not in the RNA matrix: the accessibility of regions with their motif stands in for their expression "
                     "(--absent-tfs drop leaves them out)",
                     sites.n_tfs);
    }
    for (size_t first = 0; first < l->absent.n; first += ABSENT_AT_ONCE) {
        size_t n = l->absent.n - first < ABSENT_AT_ONCE ? l->absent.n - first : ABSENT_AT_ONCE;
        for (size_t k = 0; k < n; k++) ids[k] = (uint32_t)(l->rna.info->n_cols + first + k);
        GRN_TRY(grn_tfaccess_block(&l->atac, &sites, first, n, grn_common.pool, &block));
        GRN_TRY(fn(ctx, &block, ids));
        grn_colblock_clear(&block);
    }
end:
    grn_colblock_clear(&block);
    grn_tfsites_clear(&sites);
    grn_regions_clear(&regions);
    return rc;
}

typedef struct {
    grn_linker_t *l;
    grn_tfpairs_t *out;
} correlated_t;

static grn_status correlate_absent(void *ctx, const grn_colblock_t *block, const uint32_t *ids)
{
    correlated_t *c = ctx;
    return correlate_with_genes(c->l, block, ids, c->out);
}

/* FDR of the Pearson correlations over all `n_tested` pairs: an upper bound, since weaker pairs are not at hand. */
static grn_status pearson_fdr(const grn_linker_t *l, const grn_tfpairs_t *pairs, uint64_t n_tested, float *q)
{
    grn_status rc = GRN_OK;
    double *fdr = NULL;
    GRN_TRY(GRN_NEW_RAW(fdr, pairs->n));
    for (size_t k = 0; k < pairs->n; k++) fdr[k] = grn_corr_p(pairs->v[k].pearson, l->cells.n);
    GRN_TRY(grn_fdr_bh_some(fdr, pairs->n, (double)n_tested, fdr));
    for (size_t k = 0; k < pairs->n; k++) q[k] = (float)fdr[k];
end:
    free(fdr);
    return rc;
}

static int8_t sign_of(float r)
{
    return (int8_t)((r > 0) - (r < 0));
}

grn_status grn_link_tf_edges(const grn_linker_t *l, const grn_tfpairs_t *pairs, uint64_t n_tested, const float *q, grn_edges_t *e)
{
    grn_status rc = GRN_OK;
    int learned = l->opt->method >= GRN_LINK_GRNBOOST;
    float *rho, *rho_sp, *fdr, *importance = NULL, *support = NULL, *excess = NULL, *q_tg;
    GRN_TRY(grn_edges_alloc(e, pairs->n, "tf,gene,sign,weight"));
    GRN_TRY(grn_names_dup(&e->genes, &l->rna.info->col));
    for (size_t k = 0; k < l->absent.n; k++) GRN_TRY(grn_names_add(&e->genes, grn_names_get(&l->absent, k), NULL, NULL));
    if (learned) GRN_TRY(grn_edges_evidence(e, "importance_tg", &importance));
    GRN_TRY(grn_edges_evidence(e, "rho_tg", &rho));
    GRN_TRY(grn_edges_evidence(e, "rho_sp_tg", &rho_sp));
    if (!learned) {
        GRN_TRY(grn_edges_evidence(e, "fdr_tg", &fdr));
        GRN_TRY(pearson_fdr(l, pairs, n_tested, fdr));
    }
    if (learned && l->opt->learn.stability) GRN_TRY(grn_edges_evidence(e, "support_tg", &support));
    if (learned && l->opt->learn.null) GRN_TRY(grn_edges_evidence(e, "excess_tg", &excess));
    if (q) {
        GRN_TRY(grn_edges_evidence(e, "q_tg", &q_tg));
        if (pairs->n) memcpy(q_tg, q, pairs->n * sizeof *q);
    }
    for (size_t k = 0; k < pairs->n; k++) {
        const grn_tfpair_t *p = &pairs->v[k];
        float r = l->opt->method == GRN_LINK_SPEARMAN ? p->spearman : p->pearson;
        e->tf[k] = p->tf;
        e->gene[k] = p->gene;
        rho[k] = p->pearson;
        rho_sp[k] = p->spearman;
        e->sign[k] = sign_of(r);
        e->weight[k] = learned ? p->share : isnan(r) ? 0 : fabsf(r);
        if (importance) importance[k] = p->importance;
        if (support) support[k] = p->support;
        if (excess) excess[k] = p->excess;
    }
end:
    return rc;
}

static grn_status append_columns(grn_colblock_t *to, const grn_colblock_t *more)
{
    uint64_t have = to->off[to->n], all = have + more->off[more->n];
    uint64_t *off = grn_realloc(to->off, to->n + more->n + 1, sizeof *off);
    if (!off) return GRN_ENOMEM;
    to->off = off;
    uint32_t *idx = grn_realloc(to->idx, all, sizeof *idx);
    if (!idx) return GRN_ENOMEM;
    to->idx = idx;
    float *val = grn_realloc(to->val, all, sizeof *val);
    if (!val) return GRN_ENOMEM;
    to->val = val;
    memcpy(idx + have, more->idx, more->off[more->n] * sizeof *idx);
    memcpy(val + have, more->val, more->off[more->n] * sizeof *val);
    for (size_t j = 0; j < more->n; j++) off[to->n + j + 1] = have + more->off[j + 1];
    to->n += more->n;
    return GRN_OK;
}

typedef struct { /* absent TFs among the predictors */
    grn_colblock_t *x;
    uint32_t *id;
} predictors_t;

static grn_status add_predictors(void *ctx, const grn_colblock_t *block, const uint32_t *ids)
{
    predictors_t *p = ctx;
    memcpy(p->id + p->x->n, ids, block->n * sizeof *ids);
    return append_columns(p->x, block);
}

/* Importances of the TFs of the matrix and of those it lacks. */
static grn_status learn_tfs(grn_linker_t *l, const uint32_t *tfs, size_t n_tfs, uint64_t *n_absent, grn_tfpairs_t *out, float **q)
{
    grn_status rc = GRN_OK;
    grn_colblock_t x = { 0 };
    uint32_t *id = NULL;
    GRN_TRY(GRN_NEW_RAW(id, n_tfs + l->absent.n));
    if (n_tfs) memcpy(id, tfs, n_tfs * sizeof *id);
    GRN_TRY(grn_colblock_gather(&l->rna, tfs, n_tfs, grn_common.pool, &x));
    if (l->absent.n) GRN_TRY(each_absent(l, n_absent, add_predictors, &(predictors_t){ &x, id }));
    if (x.n == 0) GRN_FAIL(GRN_EEMPTY, "no TF of '%s' is left to learn from", l->opt->tfs);
    GRN_TRY(grn_corr_cols_init(&x.corr, l->cells.n, x.n, x.off, x.idx, x.val, grn_common.pool));
    GRN_TRY(grn_link_learn(l, id, &x, out, q));
end:
    grn_colblock_clear(&x);
    free(id);
    return rc;
}

/* Pairs of a TF and a gene of the shard, other than itself. */
static uint64_t count_pairs(const grn_linker_t *l, const uint32_t *tfs, size_t n_tfs, uint64_t n_absent)
{
    uint64_t n = 0;
    size_t t = 0; /* TFs and genes are in the same order, and a TF is a gene */
    for (size_t k = 0; k < l->n_genes; k++) {
        int is_tf = t < n_tfs && tfs[t] == l->genes[k];
        t += (size_t)is_tf;
        if (k % l->opt->learn.n_shard == l->opt->learn.shard - 1) n += n_tfs + n_absent - (uint64_t)is_tf;
    }
    return n;
}

grn_status grn_link_tfs(grn_linker_t *l)
{
    grn_status rc = GRN_OK;
    uint32_t *tfs = NULL;
    size_t n_tfs = 0;
    uint64_t n_absent = 0;
    int learned = l->opt->method >= GRN_LINK_GRNBOOST;
    grn_tfpairs_t pairs = { 0 };
    float *q = NULL;
    grn_edges_t e = { 0 };
    GRN_TRY(grn_link_funnel(l));
    GRN_TRY(pick_tfs(l, &tfs, &n_tfs));
    if (learned) {
        GRN_TRY(learn_tfs(l, tfs, n_tfs, &n_absent, &pairs, &q));
    } else {
        GRN_TRY(correlate_tfs(l, tfs, n_tfs, &pairs));
        if (l->absent.n) GRN_TRY(each_absent(l, &n_absent, correlate_absent, &(correlated_t){ l, &pairs }));
    }
    if (l->absent.n) {
        GRN_TRY(grn_funnel_add(&l->funnel, "TFs", n_absent, l->absent.n - n_absent,
                               "TFs that are no genes of the matrix, scored by the accessibility "
                               "of regions with their motif"));
    }
    uint64_t all = count_pairs(l, tfs, n_tfs, n_absent);
    if (learned)
        GRN_TRY(grn_funnel_add(&l->funnel, "links", pairs.n, all - pairs.n, "TF-gene pairs of some importance"));
    else
        GRN_TRY(grn_funnel_add(&l->funnel, "links", pairs.n, all - pairs.n, "TF-gene pairs with |Pearson| or |Spearman| > %g",
                               l->opt->min_rho));
    GRN_TRY(grn_link_tf_edges(l, &pairs, all, q, &e));
    GRN_TRY(grn_link_save(l, &e, l->opt->out_tg, "tf_gene"));
    if (l->opt->learn.resume) grn_parts_remove(l->opt->out_tg);
end:
    free(pairs.v);
    free(q);
    free(tfs);
    grn_edges_clear(&e);
    return rc;
}
