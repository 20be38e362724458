#include "grn-coexpr/chance.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"

enum { LEFT = 2048, ROUNDS = 8, MOST_ROUNDS = 64 };

typedef struct { /* one way to shuffle */
    const coexpr_context_t *c;
    uint32_t *order;         /* (n) */
    double *mean, *shuffled; /* (n) RHO_P: means of the cells, as they are and shuffled */
    uint32_t *left, *right;  /* (genes of the store) places of the genes of each side, or UINT32_MAX */
    size_t n_left, n_right;
    uint32_t *left_gene, *right_gene; /* of the context */
    coexpr_slab_t slab;               /* shuffled */
    coexpr_moments_t m_left, m_right;
    coexpr_panel_t panel;
} round_t;

static void round_clear(round_t *r)
{
    free(r->order);
    free(r->mean);
    free(r->shuffled);
    free(r->left);
    free(r->right);
    free(r->left_gene);
    free(r->right_gene);
    coexpr_slab_clear(&r->slab);
    coexpr_moments_clear(&r->m_left);
    coexpr_moments_clear(&r->m_right);
    coexpr_panel_clear(&r->panel);
}

static grn_status round_init(round_t *r, const coexpr_context_t *c, uint64_t wanted, size_t *rounds)
{
    grn_status rc = GRN_OK;
    uint64_t per;
    *r = (round_t){ .c = c };
    r->n_left = c->n_genes < LEFT ? c->n_genes : LEFT;
    r->n_right = (size_t)((wanted + ROUNDS * r->n_left - 1) / (ROUNDS * r->n_left));
    if (r->n_right > c->n_genes) r->n_right = c->n_genes;
    per = (uint64_t)r->n_left * r->n_right;
    *rounds = (size_t)((wanted + per - 1) / per);
    if (*rounds < ROUNDS) *rounds = ROUNDS;
    if (*rounds > MOST_ROUNDS) *rounds = MOST_ROUNDS;
    GRN_TRY(GRN_NEW(r->order, c->n));
    GRN_TRY(GRN_NEW(r->left, c->store->n_genes));
    GRN_TRY(GRN_NEW(r->right, c->store->n_genes));
    GRN_TRY(GRN_NEW(r->left_gene, r->n_left));
    GRN_TRY(GRN_NEW(r->right_gene, r->n_right));
end:
    return rc;
}

/* n of the context's genes, drawn by their order of names. */
static grn_status draw(const coexpr_context_t *c, grn_rng_t *rng, size_t n, uint32_t *place, uint32_t *gene)
{
    grn_status rc = GRN_OK;
    uint64_t *pick = NULL;
    size_t at = 0, k = 0;
    GRN_TRY(GRN_NEW(pick, n));
    grn_rng_sample(rng, c->n_genes, n, pick);
    for (size_t g = 0; g < c->store->n_genes; g++) {
        place[g] = UINT32_MAX;
        if (c->place[g] == UINT32_MAX) continue;
        if (k < n && pick[k] == at++) {
            gene[k] = c->place[g];
            place[g] = (uint32_t)k++;
        }
    }
end:
    free(pick);
    return rc;
}

static grn_status add_slab(void *ctx, const coexpr_slab_t *s, size_t first, grn_par_t *pool)
{
    round_t *r = ctx;
    grn_status rc = GRN_OK;
    GRN_TRY(coexpr_slab_fill(&r->slab, r->c, r->order, first, s->n, r->right, r->n_right, pool));
    GRN_TRY(coexpr_moments_add(&r->m_left, s, r->c->basis, r->shuffled, first, pool));
    GRN_TRY(coexpr_moments_add(&r->m_right, &r->slab, r->c->basis, r->mean, first, pool));
    GRN_TRY(coexpr_panel_add(&r->panel, s, &r->slab, pool));
end:
    return rc;
}

static grn_status keep_means(void *ctx, const coexpr_slab_t *s, size_t first, grn_par_t *pool)
{
    (void)pool;
    memcpy((double *)ctx + first, s->mean, s->n * sizeof(double));
    return GRN_OK;
}

/* Means of the cells, and the same in the shuffled order. */
static grn_status means(round_t *r, grn_par_t *pool)
{
    grn_status rc = GRN_OK;
    if (!r->mean) {
        GRN_TRY(GRN_NEW(r->mean, r->c->n));
        GRN_TRY(GRN_NEW(r->shuffled, r->c->n));
        GRN_TRY(coexpr_each_slab(r->c, NULL, r->left, r->n_left, keep_means, r->mean, pool));
    }
    for (size_t i = 0; i < r->c->n; i++) r->shuffled[i] = r->mean[r->order[i]];
end:
    return rc;
}

/* RHO_P: centred product of the means with the shuffled means. */
static double product_of_means(const round_t *r)
{
    const coexpr_context_t *c = r->c;
    double s = 0;
    for (size_t i = 0; i < c->n; i++) s += r->mean[i] * r->shuffled[i];
    for (size_t q = 0; q < c->p; q++) {
        double a = 0, b = 0;
        for (size_t i = 0; i < c->n; i++) {
            a += r->mean[i] * c->basis[i * c->p + q];
            b += r->shuffled[i] * c->basis[i * c->p + q];
        }
        s -= a * b;
    }
    return s;
}

/* What the genes of one side are scored by: RHO_P's variances are those of the unshuffled genes. */
static grn_status make_side(round_t *r, coexpr_method method, coexpr_moments_t *m, const double *other, const uint32_t *gene,
                            const coexpr_side_t *own, coexpr_side_t *s)
{
    grn_status rc = coexpr_side_make(s, method, m, r->c->basis, other, r->c->n);
    if (rc != GRN_OK || method != COEXPR_RHO_P) return rc;
    s->add = product_of_means(r);
    for (size_t j = 0; j < s->n_genes; j++) s->scale[j] = own->scale[gene[j]];
    return GRN_OK;
}

static void count_scores(const round_t *r, const coexpr_side_t *left, const coexpr_side_t *right, uint64_t *bins, uint64_t *n)
{
    double tmp[COEXPR_TILE];
    float score[COEXPR_TILE];
    for (size_t tile = 0; tile < r->panel.tile1; tile++) {
        size_t k = coexpr_tile_genes(&r->panel, tile), first = tile * COEXPR_TILE;
        for (size_t i = 0; i < r->n_left; i++) {
            coexpr_score_row(left, i, right, first, k, coexpr_panel_at(&r->panel, tile, i), tmp, score);
            for (size_t v = 0; v < k; v++) {
                if (r->left_gene[i] == r->right_gene[first + v]) continue;
                bins[coexpr_bin((double)score[v])]++;
                ++*n;
            }
        }
    }
}

static grn_status do_round(round_t *r, const coexpr_side_t *side, grn_par_t *pool, uint64_t *bins, uint64_t *n)
{
    grn_status rc = GRN_OK;
    coexpr_side_t left = { 0 }, right = { 0 };
    size_t tiles = coexpr_tiles(r->n_right);
    int ratio = side->method == COEXPR_RHO_P;
    coexpr_moments_clear(&r->m_left);
    coexpr_moments_clear(&r->m_right);
    GRN_TRY(coexpr_moments_init(&r->m_left, r->n_left, r->c->p));
    GRN_TRY(coexpr_moments_init(&r->m_right, r->n_right, r->c->p));
    if (ratio) {
        GRN_TRY(means(r, pool));
        GRN_TRY(GRN_NEW(r->m_left.with, r->n_left));
        GRN_TRY(GRN_NEW(r->m_right.with, r->n_right));
    }
    GRN_TRY(coexpr_panel_init(&r->panel, r->n_left, r->n_right, 0, tiles, 0, pool));
    GRN_TRY(coexpr_each_slab(r->c, NULL, r->left, r->n_left, add_slab, r, pool));
    GRN_TRY(make_side(r, side->method, &r->m_left, r->shuffled, r->left_gene, side, &left));
    GRN_TRY(make_side(r, side->method, &r->m_right, r->mean, r->right_gene, side, &right));
    count_scores(r, &left, &right, bins, n);
end:
    coexpr_side_clear(&left);
    coexpr_side_clear(&right);
    return rc;
}

grn_status coexpr_chance(const coexpr_context_t *c, const coexpr_side_t *side, const coexpr_covariate_t *v, size_t n_v, uint64_t wanted,
                         uint64_t seed, const char *name, grn_par_t *pool, uint64_t *bins, uint64_t *n)
{
    grn_status rc = GRN_OK;
    uint64_t key = grn_hash_str(name);
    size_t rounds = 0;
    round_t r = { 0 };
    *n = 0;
    memset(bins, 0, (COEXPR_BINS + 1) * sizeof *bins);
    if (c->n_genes < 2) return GRN_OK;
    GRN_TRY(round_init(&r, c, wanted, &rounds));
    for (size_t k = 0; k < rounds; k++) {
        grn_rng_t rng;
        grn_rng_init2(&rng, seed, "coexpr.null.genes", key, k);
        GRN_TRY(draw(c, &rng, r.n_left, r.left, r.left_gene));
        GRN_TRY(draw(c, &rng, r.n_right, r.right, r.right_gene));
        GRN_TRY(coexpr_shuffle(v, n_v, c->cell, c->n, seed, key, k, r.order));
        GRN_TRY(do_round(&r, side, pool, bins, n));
    }
end:
    round_clear(&r);
    return rc;
}
