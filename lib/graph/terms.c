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

grn_status grn_pairs_of_terms(const grn_gmt_t *gmt, const grn_names_t *genes, size_t max, grn_pairs_t *p, grn_terms_t *t)
{
    grn_status rc = GRN_OK;
    uint32_t *to = NULL, *here = NULL;
    GRN_TRY(GRN_NEW(to, gmt->genes.n));
    GRN_TRY(GRN_NEW(here, gmt->genes.n));
    GRN_TRY(map_genes(gmt, genes, to));
    GRN_TRY(grn_pairs_init(p, genes->n));
    GRN_TRY(GRN_NEW(t->has_term, genes->n));
    for (size_t s = 0; s < gmt->n; s++) {
        size_t n = 0;
        for (uint64_t k = gmt->off[s]; k < gmt->off[s + 1]; k++)
            if (to[gmt->gene[k]] != UINT32_MAX) here[n++] = to[gmt->gene[k]];
        t->n_small += n < 2;
        t->n_large += n > max;
        if (n < 2 || n > max) continue;
        t->n_terms++;
        for (size_t i = 0; i < n; i++) {
            t->n_genes += !t->has_term[here[i]];
            t->has_term[here[i]] = 1;
            for (size_t j = 0; j < i; j++) grn_pairs_add(p, here[i], here[j]);
        }
    }
    if (t->n_terms == 0)
        GRN_FAIL(GRN_EEMPTY, "none of the %zu terms has 2 to %zu of the genes (%zu have fewer, %zu more)", gmt->n, max, t->n_small,
                 t->n_large);
end:
    free(to);
    free(here);
    if (rc != GRN_OK) grn_pairs_clear(p), grn_terms_clear(t);
    return rc;
}
