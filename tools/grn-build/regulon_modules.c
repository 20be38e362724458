#include "regulon_priv.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/mem.h"
#include "io/adjacency.h"

typedef struct {
    uint32_t source, target, row;
    float r;
} ranked_t;

static int by_source(const void *a, const void *b)
{
    const ranked_t *x = a, *y = b;
    if (x->source != y->source) return x->source < y->source ? -1 : 1;
    if (x->r != y->r) return x->r > y->r ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row); /* rows are in order of names */
}

/* Marks the `top` strongest links of every source: keep[row] |= bit. */
static void mark_top(ranked_t *v, size_t n, uint64_t top, uint8_t bit, uint8_t *mark)
{
    uint64_t k = 0;
    if (n) qsort(v, n, sizeof *v, by_source);
    for (size_t i = 0; i < n; i++) {
        k = i && v[i].source == v[i - 1].source ? k + 1 : 0;
        if (k < top) mark[v[i].row] |= bit;
    }
}

enum { MARK_TARGET = 1, MARK_REGULATOR = 2, MARK_PRIOR = 4 };

/* Links of one sign among the top targets of their TF and among the top regulators of their gene: by importance where links were
 * learned, else by |r|. */
static grn_status mark_sign(grn_regulon_t *g, int negative, const uint8_t *use, uint8_t *mark)
{
    grn_status rc = GRN_OK;
    ranked_t *v = NULL;
    size_t n = 0;
    int learned = !g->own_imp[1] && g->tg.weight;
    GRN_TRY(GRN_NEW_RAW(v, g->tg.n));
    for (int pass = 0; pass < 2; pass++) {
        n = 0;
        for (size_t i = 0; i < g->tg.n; i++) {
            float r = negative ? -g->r_tg[i] : g->r_tg[i];
            if (!use[i] || !(r > 0)) continue;
            if (learned) r = g->tg.weight[i];
            v[n++] = pass ? (ranked_t){ g->tg.gene[i], g->tg.tf[i], (uint32_t)i, r }
                          : (ranked_t){ g->tg.tf[i], g->tg.gene[i], (uint32_t)i, r };
        }
        mark_top(v, n, pass ? g->opt->top_regulators : g->opt->top_targets,
                 pass ? MARK_REGULATOR : MARK_TARGET, mark);
    }
end:
    free(v);
    return rc;
}

typedef struct {
    uint64_t key; /* tf << 32 | gene */
    int8_t sign;
} prior_edge_t;

static int by_key(const void *a, const void *b)
{
    const prior_edge_t *x = a, *y = b;
    return (x->key > y->key) - (x->key < y->key);
}

/* Links the prior network knows, with the same sign where it gives one. */
static grn_status mark_prior(grn_regulon_t *g, const uint8_t *use, uint8_t *mark)
{
    grn_status rc = GRN_OK;
    grn_adjacency_info_t info;
    prior_edge_t *known = NULL;
    size_t n = 0;
    uint64_t supported = 0, used = 0;
    GRN_TRY(grn_adjacency_load(g->opt->prior, g->opt->prior_confidence, &g->prior, &info));
    GRN_TRY(GRN_NEW_RAW(known, g->prior.n));
    for (size_t i = 0; i < g->prior.n; i++) {
        size_t tf = grn_names_find(&g->genes, grn_names_get(&g->prior.genes, g->prior.tf[i]));
        size_t gene = grn_names_find(&g->genes, grn_names_get(&g->prior.genes, g->prior.gene[i]));
        if (tf == GRN_NAMES_NONE || gene == GRN_NAMES_NONE) continue;
        known[n++] =
            (prior_edge_t){ (uint64_t)tf << 32 | gene, g->prior.sign ? g->prior.sign[i] : 0 };
    }
    if (n == 0)
        GRN_FAIL(GRN_EEMPTY, "no edge of the prior '%s' joins two genes of '%s'", g->opt->prior,
                 g->opt->rna);
    qsort(known, n, sizeof *known, by_key);
    GRN_TRY(grn_funnel_add(&g->funnel, "prior edges", n, g->prior.n - n,
                           "edges of the prior between genes of the matrix"));
    for (size_t i = 0; i < g->tg.n; i++) {
        if (!use[i]) continue;
        used++;
        prior_edge_t key = { (uint64_t)g->tg.tf[i] << 32 | g->tg.gene[i], 0 };
        const prior_edge_t *p = bsearch(&key, known, n, sizeof *known, by_key);
        if (!p || (p->sign && (p->sign < 0) != (g->r_tg[i] < 0))) continue;
        mark[i] |= MARK_PRIOR;
        supported++;
    }
    GRN_TRY(grn_funnel_add(&g->funnel, "links", supported, used - supported,
                           "TF-gene links the prior knows, of the same sign%s",
                           g->opt->prior_mode == GRN_PRIOR_ADD ? " (added to the others)" : ""));
end:
    free(known);
    return rc;
}

grn_status grn_regulon_modules(grn_regulon_t *g)
{
    grn_status rc = GRN_OK;
    const grn_regulon_opt_t *o = g->opt;
    uint8_t *use = NULL, *mark = NULL;
    uint64_t n_use = 0, n_target = 0, n_both = 0, n_keep = 0;
    GRN_TRY(GRN_NEW(use, g->tg.n));
    GRN_TRY(GRN_NEW(mark, g->tg.n));
    for (size_t k = 0; k < g->by_tf.off[g->n_genes]; k++) {
        uint32_t i = g->by_tf.row[k];
        use[i] = o->all_signs || g->r_tg[i] > 0;
        n_use += use[i];
    }
    uint64_t all = g->by_tf.off[g->n_genes];
    if (!o->all_signs)
        GRN_TRY(grn_funnel_add(&g->funnel, "links", n_use, all - n_use,
                               "TF-gene links of positive sign"));
    if (o->prior) GRN_TRY(mark_prior(g, use, mark));
    if (o->prior && o->prior_mode == GRN_PRIOR_ONLY) {
        n_use = 0;
        for (size_t i = 0; i < g->tg.n; i++) n_use += use[i] = (mark[i] & MARK_PRIOR) != 0;
    }
    GRN_TRY(mark_sign(g, 0, use, mark));
    GRN_TRY(mark_sign(g, 1, use, mark));
    for (size_t i = 0; i < g->tg.n; i++) {
        int both = (mark[i] & 3) == 3;
        n_target += (mark[i] & MARK_TARGET) != 0;
        n_both += (uint64_t)both;
        use[i] = both || (o->prior && o->prior_mode == GRN_PRIOR_ADD && (mark[i] & MARK_PRIOR));
        n_keep += use[i];
    }
    GRN_TRY(grn_funnel_add(&g->funnel, "links", n_target, n_use - n_target,
                           "TF-gene links among the %" PRIu64 " strongest of the TF",
                           o->top_targets));
    GRN_TRY(grn_funnel_add(&g->funnel, "links", n_both, n_target - n_both,
                           "and among the %" PRIu64 " strongest of the gene", o->top_regulators));
    if (n_keep > n_both)
        GRN_TRY(grn_funnel_add(&g->funnel, "links", n_keep, 0,
                               "with the links only the prior supports"));
    grn_links_clear(&g->by_tf);
    g->by_tf = (grn_links_t){ 0 };
    GRN_TRY(grn_links_group(g->tg.tf, g->tg.gene, use, g->tg.n, g->n_genes, &g->by_tf));
end:
    free(mark);
    free(use);
    return rc;
}
