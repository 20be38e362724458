#include "grn-coexpr/terms.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void coexpr_terms_clear(coexpr_terms_t *t)
{
    free(t->shared);
    memset(t, 0, sizeof *t);
}

typedef struct { /* terms and genes, each way; a term's genes are distinct */
    uint64_t *term_off, *gene_off;
    uint32_t *member, *term;
    coexpr_terms_t *t;
    size_t min_shared;
    uint32_t **count;  /* per worker (genes) */
    uint64_t *n_pairs; /* (genes) */
} index_t;

/* Genes of the dictionary in each term that is used, then the terms of each gene. */
static grn_status make_index(index_t *x, const grn_gmt_t *gmt, const grn_names_t *genes, size_t max_term)
{
    grn_status rc = GRN_OK;
    uint32_t *id = NULL;
    size_t n = 0;
    GRN_TRY(GRN_NEW(id, gmt->genes.n));
    GRN_TRY(GRN_NEW(x->term_off, gmt->n + 1));
    GRN_TRY(GRN_NEW(x->gene_off, genes->n + 1));
    GRN_TRY(GRN_NEW(x->member, (size_t)gmt->off[gmt->n]));
    GRN_TRY(GRN_NEW(x->term, (size_t)gmt->off[gmt->n]));
    for (size_t k = 0; k < gmt->genes.n; k++) {
        size_t g = grn_names_find(genes, grn_names_get(&gmt->genes, k));
        id[k] = g == GRN_NAMES_NONE ? UINT32_MAX : (uint32_t)g;
    }
    for (size_t s = 0; s < gmt->n; s++) {
        size_t first = n;
        for (uint64_t k = gmt->off[s]; k < gmt->off[s + 1]; k++)
            if (id[gmt->gene[k]] != UINT32_MAX) x->member[n++] = id[gmt->gene[k]];
        x->t->n_large += n - first > max_term;
        if (n - first > max_term || n - first < 2) n = first;
        else x->t->n_terms++;
        x->term_off[s + 1] = n;
    }
    for (size_t k = 0; k < n; k++) x->gene_off[x->member[k] + 1]++;
    for (size_t g = 0; g < genes->n; g++) {
        x->t->n_annotated += x->gene_off[g + 1] > 0;
        x->gene_off[g + 1] += x->gene_off[g];
    }
    for (size_t s = gmt->n; s-- > 0;)
        for (uint64_t k = x->term_off[s]; k < x->term_off[s + 1]; k++) x->term[--x->gene_off[x->member[k] + 1]] = (uint32_t)s;
    for (size_t g = 0; g < genes->n; g++) x->gene_off[g] = x->gene_off[g + 1]; /* starts */
    x->gene_off[genes->n] = n;
end:
    free(id);
    return rc;
}

static grn_status mark_genes(void *ctx, size_t begin, size_t end, int worker)
{
    index_t *x = ctx;
    if (!x->count[worker] && !(x->count[worker] = grn_calloc(x->t->n_genes, sizeof(uint32_t)))) return GRN_ENOMEM;
    uint32_t *count = x->count[worker];
    for (size_t g = begin; g < end; g++) {
        uint64_t *row = x->t->shared + g * x->t->n_words;
        for (uint64_t k = x->gene_off[g]; k < x->gene_off[g + 1]; k++)
            for (uint64_t m = x->term_off[x->term[k]]; m < x->term_off[x->term[k] + 1]; m++) {
                uint32_t h = x->member[m];
                if (++count[h] != x->min_shared || h == g) continue;
                row[h / 64] |= (uint64_t)1 << (h % 64);
                x->n_pairs[g]++;
            }
        for (uint64_t k = x->gene_off[g]; k < x->gene_off[g + 1]; k++)
            for (uint64_t m = x->term_off[x->term[k]]; m < x->term_off[x->term[k] + 1]; m++) count[x->member[m]] = 0;
    }
    return GRN_OK;
}

grn_status coexpr_terms_make(coexpr_terms_t *t, const grn_gmt_t *gmt, const grn_names_t *genes, size_t min_shared, size_t max_term,
                             grn_par_t *pool)
{
    grn_status rc = GRN_OK;
    index_t x = { .t = t, .min_shared = min_shared };
    memset(t, 0, sizeof *t);
    t->n_genes = genes->n;
    t->n_words = (genes->n + 63) / 64;
    GRN_TRY(GRN_NEW(t->shared, t->n_genes * t->n_words));
    GRN_TRY(make_index(&x, gmt, genes, max_term));
    GRN_TRY(GRN_NEW(x.count, (size_t)grn_par_n(pool)));
    GRN_TRY(GRN_NEW(x.n_pairs, genes->n));
    GRN_TRY(grn_par_for(pool, genes->n, 16, mark_genes, &x));
    for (size_t g = 0; g < genes->n; g++) t->n_pairs += x.n_pairs[g];
    t->n_pairs /= 2;
    if (t->n_pairs == 0)
        GRN_FAIL(GRN_EEMPTY, "no two of %zu genes share %zu of %zu terms of at most %zu genes", genes->n, min_shared, gmt->n, max_term);
end:
    for (int w = 0; x.count && w < grn_par_n(pool); w++) free(x.count[w]);
    free(x.count);
    free(x.n_pairs);
    free(x.term_off);
    free(x.gene_off);
    free(x.member);
    free(x.term);
    if (rc != GRN_OK) coexpr_terms_clear(t);
    return rc;
}
