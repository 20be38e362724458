#include "graph/terms.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

grn_status grn_pairs_init(grn_pairs_t *p, size_t n_genes)
{
    *p = (grn_pairs_t){ .n_genes = n_genes };
    return GRN_NEW(p->bit, grn_pairs_row(n_genes) + 1);
}

void grn_pairs_clear(grn_pairs_t *p)
{
    free(p->bit);
    *p = (grn_pairs_t){ 0 };
}

void grn_pairs_add(grn_pairs_t *p, uint32_t u, uint32_t v)
{
    uint32_t lo = u < v ? u : v, hi = u < v ? v : u;
    if (u == v) return;
    uint64_t *word = &p->bit[grn_pairs_row(hi) + lo / 64], mask = (uint64_t)1 << lo % 64;
    p->n_pairs += !(*word & mask);
    *word |= mask;
}

double grn_pairs_weigh(const grn_pairs_t *p, const double *w)
{
    double sum = 0;
    for (size_t v = 1; v < p->n_genes; v++) {
        const uint64_t *row = p->bit + grn_pairs_row(v);
        double of_row = 0;
        if (w[v] == 0) continue;
        for (size_t i = 0; i * 64 < v; i++)
            for (uint64_t bits = row[i]; bits; bits &= bits - 1) of_row += w[i * 64 + (size_t)__builtin_ctzll(bits)];
        sum += of_row * w[v];
    }
    return sum;
}

void grn_terms_clear(grn_terms_t *t)
{
    free(t->has_term);
    *t = (grn_terms_t){ 0 };
}

/* Gene of the GMT -> id in the universe, UINT32_MAX if it is not there. */
static grn_status map_genes(const grn_gmt_t *gmt, const grn_names_t *genes, uint32_t *to)
{
    size_t found = 0;
    for (size_t i = 0; i < gmt->genes.n; i++) {
        size_t k = grn_names_find(genes, grn_names_get(&gmt->genes, i));
        to[i] = k == GRN_NAMES_NONE ? UINT32_MAX : (uint32_t)k;
        found += k != GRN_NAMES_NONE;
    }
    if (found > 0) return GRN_OK;
    return grn_err(GRN_EEMPTY,
                   "none of the %zu genes of the terms is among the %zu genes; first names: '%s' in the terms, '%s' in the genes",
                   gmt->genes.n, genes->n, gmt->genes.n ? grn_names_get(&gmt->genes, 0) : "", genes->n ? grn_names_get(genes, 0) : "");
}

typedef struct { /* the terms that count, and those of each gene */
    uint64_t *term_off, *gene_off;
    uint32_t *member, *term;
} index_t;

static grn_status index_terms(index_t *x, const grn_gmt_t *gmt, const uint32_t *to, size_t n_genes, size_t max, grn_terms_t *t)
{
    grn_status rc = GRN_OK;
    size_t n = 0;
    GRN_TRY(GRN_NEW(x->term_off, gmt->n + 1));
    GRN_TRY(GRN_NEW(x->gene_off, n_genes + 1));
    GRN_TRY(GRN_NEW(x->member, (size_t)gmt->off[gmt->n]));
    GRN_TRY(GRN_NEW(x->term, (size_t)gmt->off[gmt->n]));
    for (size_t s = 0; s < gmt->n; s++) {
        size_t first = n;
        for (uint64_t k = gmt->off[s]; k < gmt->off[s + 1]; k++)
            if (to[gmt->gene[k]] != UINT32_MAX) x->member[n++] = to[gmt->gene[k]];
        t->n_small += n - first < 2;
        t->n_large += n - first > max;
        if (n - first < 2 || n - first > max) n = first;
        else x->term_off[++t->n_terms] = n;
    }
    for (size_t k = 0; k < n; k++) x->gene_off[x->member[k] + 1]++;
    for (size_t g = 0; g < n_genes; g++) {
        t->has_term[g] = x->gene_off[g + 1] > 0;
        t->n_genes += t->has_term[g];
        x->gene_off[g + 1] += x->gene_off[g];
    }
    for (size_t s = t->n_terms; s-- > 0;)
        for (uint64_t k = x->term_off[s]; k < x->term_off[s + 1]; k++) x->term[--x->gene_off[x->member[k] + 1]] = (uint32_t)s;
    for (size_t g = 0; g < n_genes; g++) x->gene_off[g] = x->gene_off[g + 1]; /* starts */
    x->gene_off[n_genes] = n;
end:
    return rc;
}

/* Pairs of gene v with earlier genes; count (G): 0 before and after. */
static void add_pairs_of(grn_pairs_t *p, const index_t *x, uint32_t v, size_t least, uint32_t *count)
{
    for (int pass = 0; pass < 2; pass++)
        for (uint64_t k = x->gene_off[v]; k < x->gene_off[v + 1]; k++)
            for (uint64_t m = x->term_off[x->term[k]]; m < x->term_off[x->term[k] + 1]; m++) {
                uint32_t u = x->member[m];
                if (pass == 1) count[u] = 0;
                else if (++count[u] == least && u < v) grn_pairs_add(p, u, v);
            }
}

grn_status grn_pairs_of_terms(const grn_gmt_t *gmt, const grn_names_t *genes, size_t least, size_t max, grn_pairs_t *p, grn_terms_t *t)
{
    grn_status rc = GRN_OK;
    uint32_t *to = NULL, *count = NULL;
    index_t x = { 0 };
    GRN_TRY(GRN_NEW(to, gmt->genes.n));
    GRN_TRY(map_genes(gmt, genes, to));
    GRN_TRY(grn_pairs_init(p, genes->n));
    GRN_TRY(GRN_NEW(t->has_term, genes->n));
    GRN_TRY(index_terms(&x, gmt, to, genes->n, max, t));
    if (t->n_terms == 0)
        GRN_FAIL(GRN_EEMPTY, "none of the %zu terms has 2 to %zu of the genes (%zu have fewer, %zu more)", gmt->n, max, t->n_small,
                 t->n_large);
    GRN_TRY(GRN_NEW(count, genes->n));
    for (size_t v = 0; v < genes->n; v++) add_pairs_of(p, &x, (uint32_t)v, least, count);
    if (p->n_pairs == 0) GRN_FAIL(GRN_EEMPTY, "no two of %zu genes share %zu of %zu terms", genes->n, least, t->n_terms);
end:
    free(to);
    free(count);
    free(x.term_off);
    free(x.gene_off);
    free(x.member);
    free(x.term);
    if (rc != GRN_OK) grn_pairs_clear(p), grn_terms_clear(t);
    return rc;
}
