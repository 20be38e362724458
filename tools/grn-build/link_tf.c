#include "link_priv.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/opt.h"
#include "io/chrom.h"
#include "io/tflist.h"
#include "stat/fdr.h"
#include "tfaccess.h"

typedef struct { /* one written pair; `a` is a TF column or a region column */
    uint32_t a, gene;
    float pearson, spearman;
} pair_t;

typedef struct {
    pair_t *v;
    size_t n, cap;
} pairs_t;

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
    pairs_t *chunk;                    /* one list per chunk of genes */
} tg_job_t;

static grn_status correlate_genes(void *ctx, size_t begin, size_t end, int worker)
{
    grn_status rc = GRN_OK;
    tg_job_t *job = ctx;
    pairs_t *out = &job->chunk[begin / GENES_PER_CHUNK];
    float *val = job->l->scratch[worker], *rank = val + job->l->cells.n;
    for (size_t j = begin; j < end; j++) {
        grn_corr_spread(&job->gene->corr, j, val, rank);
        for (size_t i = 0; i < job->tf->n; i++) {
            double p, s;
            if (job->tf_col[i] == job->gene_col[j]) continue;
            grn_corr_pair(&job->tf->corr, i, &job->gene->corr, j, val, rank, &p, &s);
            if (!grn_link_passes(p, s, job->l->opt->min_rho)) continue;
            GRN_TRY(GRN_GROW(out->v, out->cap, out->n + 1));
            out->v[out->n++] = (pair_t){ job->tf_col[i], job->gene_col[j], (float)p, (float)s };
        }
        grn_corr_drop(&job->gene->corr, j, val, rank);
    }
    grn_progress_add((end - begin) * job->tf->n);
end:
    return rc;
}

static grn_status correlate_blocks(tg_job_t *job, pairs_t *out)
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
                                       const uint32_t *tf_col, pairs_t *out)
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

static grn_status correlate_tfs(grn_linker_t *l, const uint32_t *tfs, size_t n_tfs, pairs_t *out)
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

/* TFs the matrix lacks, by how open the regions with their motif are in each cell, with all
 * expressed genes. */
static grn_status correlate_absent(grn_linker_t *l, uint64_t *n_used, pairs_t *out)
{
    grn_status rc = GRN_OK;
    grn_regions_t regions = { 0 };
    grn_tfsites_t sites = { 0 };
    grn_colblock_t block = { 0 };
    uint32_t ids[ABSENT_AT_ONCE];
    GRN_TRY(grn_regions_from_names(&l->atac.info->col, &regions));
    GRN_TRY(grn_tfsites_load(l->opt->scan, l->opt->hits, l->opt->motif2tf, &l->absent, &regions,
                             grn_common.pool, &sites));
    *n_used = sites.n_tfs;
    if (sites.n_tfs) {
        grn_log_warn(
            "%zu TFs are not in the RNA matrix: the accessibility of regions with their motif "
            "stands in for their expression (--absent-tfs drop leaves them out)",
            sites.n_tfs);
    }
    for (size_t first = 0; first < l->absent.n; first += ABSENT_AT_ONCE) {
        size_t n = l->absent.n - first < ABSENT_AT_ONCE ? l->absent.n - first : ABSENT_AT_ONCE;
        for (size_t k = 0; k < n; k++) ids[k] = (uint32_t)(l->rna.info->n_cols + first + k);
        GRN_TRY(grn_tfaccess_block(&l->atac, &sites, first, n, grn_common.pool, &block));
        GRN_TRY(correlate_with_genes(l, &block, ids, out));
        grn_colblock_clear(&block);
    }
end:
    grn_colblock_clear(&block);
    grn_tfsites_clear(&sites);
    grn_regions_clear(&regions);
    return rc;
}

/* The pairs as edges, with the FDR of Pearson over all `n_tested` pairs: an upper bound, since
 * weaker pairs are not at hand. */
static grn_status tf_edges(const grn_linker_t *l, const pairs_t *pairs, uint64_t n_tested,
                           grn_edges_t *e)
{
    grn_status rc = GRN_OK;
    float *rho, *rho_sp, *q;
    double *fdr = NULL;
    GRN_TRY(GRN_NEW_RAW(fdr, pairs->n));
    for (size_t k = 0; k < pairs->n; k++) fdr[k] = grn_corr_p(pairs->v[k].pearson, l->cells.n);
    GRN_TRY(grn_fdr_bh_some(fdr, pairs->n, (double)n_tested, fdr));
    GRN_TRY(grn_edges_alloc(e, pairs->n, "tf,gene,sign,weight"));
    GRN_TRY(grn_names_dup(&e->genes, &l->rna.info->col));
    for (size_t k = 0; k < l->absent.n; k++)
        GRN_TRY(grn_names_add(&e->genes, grn_names_get(&l->absent, k), NULL, NULL));
    GRN_TRY(grn_edges_evidence(e, "rho_tg", &rho));
    GRN_TRY(grn_edges_evidence(e, "rho_sp_tg", &rho_sp));
    GRN_TRY(grn_edges_evidence(e, "fdr_tg", &q));
    for (size_t k = 0; k < pairs->n; k++) {
        const pair_t *p = &pairs->v[k];
        e->tf[k] = p->a;
        e->gene[k] = p->gene;
        rho[k] = p->pearson;
        rho_sp[k] = p->spearman;
        q[k] = (float)fdr[k];
        e->sign[k] = (int8_t)((p->pearson > 0) - (p->pearson < 0));
        e->weight[k] = isnan(p->pearson) ? 0 : fabsf(p->pearson);
    }
end:
    free(fdr);
    return rc;
}

grn_status grn_link_tfs(grn_linker_t *l)
{
    grn_status rc = GRN_OK;
    uint32_t *tfs = NULL;
    size_t n_tfs = 0;
    uint64_t n_absent = 0;
    pairs_t pairs = { 0 };
    grn_edges_t e = { 0 };
    GRN_TRY(grn_link_funnel(l));
    GRN_TRY(pick_tfs(l, &tfs, &n_tfs));
    GRN_TRY(correlate_tfs(l, tfs, n_tfs, &pairs));
    if (l->absent.n) {
        GRN_TRY(correlate_absent(l, &n_absent, &pairs));
        GRN_TRY(grn_funnel_add(&l->funnel, "TFs", n_absent, l->absent.n - n_absent,
                               "TFs that are no genes of the matrix, scored by the accessibility "
                               "of regions with their motif"));
    }
    uint64_t all = n_tfs ? (uint64_t)n_tfs * (l->n_genes - 1) : 0;
    all += n_absent * l->n_genes;
    GRN_TRY(grn_funnel_add(&l->funnel, "links", pairs.n, all - pairs.n,
                           "TF-gene pairs with |Pearson| or |Spearman| > %g", l->opt->min_rho));
    GRN_TRY(tf_edges(l, &pairs, all, &e));
    GRN_TRY(grn_link_save(l, &e, l->opt->out_tg, "tf_gene"));
end:
    free(pairs.v);
    free(tfs);
    grn_edges_clear(&e);
    return rc;
}
