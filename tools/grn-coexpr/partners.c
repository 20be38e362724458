#include "grn-coexpr/partners.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { GENES = 64 }; /* lists at a time */

void coexpr_partners_clear(coexpr_partners_t *t)
{
    free(t->best);
    free(t->n);
    free(t->pairs);
    free(t->allowed);
    memset(t, 0, sizeof *t);
}

grn_status coexpr_partners_init(coexpr_partners_t *t, size_t n_genes, size_t depth, const uint32_t *name)
{
    grn_status rc = GRN_OK;
    *t = (coexpr_partners_t){ .n_genes = n_genes, .depth = depth, .name = name };
    GRN_TRY(GRN_NEW(t->best, n_genes * depth));
    GRN_TRY(GRN_NEW(t->n, n_genes));
    GRN_TRY(GRN_NEW(t->pairs, COEXPR_BINS + 1));
    GRN_TRY(GRN_NEW(t->allowed, COEXPR_BINS + 1));
end:
    return rc;
}

/* ---- heaps of the best ---- */

/* Worse first: smaller |score|, then the later name. */
static int worse(const coexpr_partners_t *t, coexpr_partner_t a, coexpr_partner_t b)
{
    double x = fabs(a.score), y = fabs(b.score);
    return x != y ? x < y : t->name[a.gene] > t->name[b.gene];
}

static void offer(coexpr_partners_t *t, size_t gene, coexpr_partner_t p)
{
    coexpr_partner_t *h = t->best + gene * t->depth;
    size_t n = t->n[gene], k = 0;
    if (n < t->depth) {
        for (k = t->n[gene]++; k > 0 && worse(t, p, h[(k - 1) / 2]); k = (k - 1) / 2) h[k] = h[(k - 1) / 2];
        h[k] = p;
        return;
    }
    if (!worse(t, h[0], p)) return;
    for (size_t c; (c = 2 * k + 1) < n; k = c) {
        if (c + 1 < n && worse(t, h[c + 1], h[c])) c++;
        if (!worse(t, h[c], p)) break;
        h[k] = h[c];
    }
    h[k] = p;
}

/* What |score| a partner needs at least; above 0. */
static float bar(const coexpr_partners_t *t, size_t gene)
{
    return t->n[gene] < t->depth ? 0 : (float)fabs(t->best[gene * t->depth].score);
}

/* ---- scan of a panel ---- */

typedef struct {
    coexpr_partners_t *t;
    const coexpr_panel_t *p;
    const coexpr_side_t *side;
    const grn_pairs_t *terms;
    uint64_t **pairs; /* per worker: all, then allowed */
} scan_t;

static int allowed(const scan_t *s, size_t i, size_t j)
{
    return !s->terms || grn_pairs_has(s->terms, s->t->name[i], s->t->name[j]);
}

/* Scores of gene i with the genes of a tile, zeros behind them, and their bins. */
static void score_tile(const scan_t *s, size_t tile, size_t i, size_t n, float *score, uint32_t *bin)
{
    double tmp[COEXPR_TILE];
    coexpr_score_row(s->side, i, s->side, tile * COEXPR_TILE, n, coexpr_panel_at(s->p, tile, i), tmp, score);
    for (size_t v = n; v < COEXPR_TILE; v++) score[v] = 0;
    for (size_t v = 0; v < COEXPR_TILE; v++) bin[v] = coexpr_bin(score[v]);
}

/* Whether any of the scores is at least as strong as it must be. */
static int any_passes(const float *score, const float *least)
{
    int any = 0;
    for (size_t v = 0; v < COEXPR_TILE; v++) any |= fabsf(score[v]) >= least[v];
    return any;
}

/* Rows of whole tiles are offered to the tiles' genes, and counted. */
static grn_status scan_tiles(void *ctx, size_t begin, size_t end, int worker)
{
    scan_t *s = ctx;
    float score[COEXPR_TILE], least[COEXPR_TILE];
    uint32_t bin[COEXPR_TILE];
    if (!s->pairs[worker] && !(s->pairs[worker] = grn_calloc(2 * (COEXPR_BINS + 1), sizeof(uint64_t)))) return GRN_ENOMEM;
    uint64_t *pairs = s->pairs[worker], *permitted = pairs + COEXPR_BINS + 1;
    for (size_t tile = s->p->tile0 + begin; tile < s->p->tile0 + end; tile++) {
        size_t n = coexpr_tile_genes(s->p->n_genes, tile), first = tile * COEXPR_TILE;
        for (size_t v = 0; v < COEXPR_TILE; v++) least[v] = v < n ? bar(s->t, first + v) : INFINITY;
        for (size_t i = first; i < s->p->n_genes; i++) {
            size_t before = i - first < n ? i - first : n; /* pairs that are counted here */
            score_tile(s, tile, i, n, score, bin);
            for (size_t v = 0; v < before; v++) pairs[bin[v]]++;
            for (size_t v = 0; s->terms && v < before; v++) permitted[bin[v]] += (uint64_t)allowed(s, i, first + v);
            if (!any_passes(score, least)) continue;
            for (size_t v = 0; v < n; v++) {
                size_t j = first + v;
                if (fabsf(score[v]) < least[v] || score[v] == 0 || i == j || !allowed(s, i, j)) continue;
                offer(s->t, j, (coexpr_partner_t){ (double)score[v], (uint32_t)i });
                least[v] = bar(s->t, j);
            }
        }
    }
    return GRN_OK;
}

/* Genes of tiles before a gene's own are offered to it. */
static grn_status scan_rows(void *ctx, size_t begin, size_t end, int worker)
{
    scan_t *s = ctx;
    double tmp[COEXPR_TILE];
    float score[COEXPR_TILE];
    (void)worker;
    for (size_t i = begin; i < end; i++) {
        float least = bar(s->t, i), most;
        for (size_t tile = s->p->tile0; tile < s->p->tile1 && (tile + 1) * COEXPR_TILE <= i; tile++) {
            size_t first = tile * COEXPR_TILE;
            coexpr_score_row(s->side, i, s->side, first, COEXPR_TILE, coexpr_panel_at(s->p, tile, i), tmp, score);
            most = 0;
            for (size_t v = 0; v < COEXPR_TILE; v++) most = fabsf(score[v]) > most ? fabsf(score[v]) : most;
            if (most < least) continue;
            for (size_t v = 0; v < COEXPR_TILE; v++) {
                if (fabsf(score[v]) < least || score[v] == 0 || !allowed(s, i, first + v)) continue;
                offer(s->t, i, (coexpr_partner_t){ (double)score[v], (uint32_t)(first + v) });
                least = bar(s->t, i);
            }
        }
    }
    return GRN_OK;
}

grn_status coexpr_partners_scan(coexpr_partners_t *t, const coexpr_panel_t *p, const coexpr_side_t *side, const grn_pairs_t *terms,
                                grn_par_t *pool)
{
    grn_status rc = GRN_OK;
    scan_t s = { t, p, side, terms, NULL };
    GRN_TRY(GRN_NEW(s.pairs, (size_t)grn_par_n(pool)));
    GRN_TRY(grn_par_for(pool, p->tile1 - p->tile0, 1, scan_tiles, &s));
    GRN_TRY(grn_par_for(pool, t->n_genes, GENES, scan_rows, &s));
    for (int w = 0; w < grn_par_n(pool); w++)
        for (size_t b = 0; s.pairs[w] && b <= COEXPR_BINS; b++) {
            t->pairs[b] += s.pairs[w][b];
            t->allowed[b] += s.pairs[w][b + (terms ? COEXPR_BINS + 1 : 0)];
        }
end:
    for (int w = 0; s.pairs && w < grn_par_n(pool); w++) free(s.pairs[w]);
    free(s.pairs);
    return rc;
}

/* ---- order ---- */

static int best_first(const void *a, const void *b, void *ctx)
{
    const coexpr_partner_t *x = a, *y = b;
    return worse(ctx, *y, *x) ? -1 : worse(ctx, *x, *y);
}

static grn_status sort_lists(void *ctx, size_t begin, size_t end, int worker)
{
    coexpr_partners_t *t = ctx;
    (void)worker;
    for (size_t g = begin; g < end; g++) qsort_r(t->best + g * t->depth, t->n[g], sizeof *t->best, best_first, t);
    return GRN_OK;
}

grn_status coexpr_partners_sort(coexpr_partners_t *t, grn_par_t *pool)
{
    return grn_par_for(pool, t->n_genes, GENES, sort_lists, t);
}

/* ---- exact scores ---- */

typedef struct {   /* pairs of genes, by the one that is spread and then the other */
    uint64_t *key; /* spread << 32 | other */
    double *sum;
    size_t n;
    size_t *off;    /* (genes + 1) by the gene that is spread */
    float **column; /* per worker: (COEXPR_SLAB), zero between uses */
    const coexpr_slab_t *slab;
} exact_t;

static uint64_t pair_key(size_t i, size_t j)
{
    return i < j ? (uint64_t)i << 32 | j : (uint64_t)j << 32 | i;
}

static int by_key(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static grn_status list_pairs(exact_t *e, coexpr_partners_t *t, size_t keep)
{
    grn_status rc = GRN_OK;
    size_t n = 0;
    for (size_t g = 0; g < t->n_genes; g++) {
        if (t->n[g] > keep) t->n[g] = (uint32_t)keep;
        n += t->n[g];
    }
    GRN_TRY(GRN_NEW(e->key, n));
    GRN_TRY(GRN_NEW(e->off, t->n_genes + 1));
    n = 0;
    for (size_t g = 0; g < t->n_genes; g++)
        for (size_t k = 0; k < t->n[g]; k++) e->key[n++] = pair_key(g, t->best[g * t->depth + k].gene);
    if (n) qsort(e->key, n, sizeof *e->key, by_key);
    for (size_t k = 0; k < n; k++)
        if (k == 0 || e->key[k] != e->key[k - 1]) e->key[e->n++] = e->key[k];
    for (size_t k = 0; k < e->n; k++) e->off[(e->key[k] >> 32) + 1]++;
    for (size_t g = 0; g < t->n_genes; g++) e->off[g + 1] += e->off[g];
    GRN_TRY(GRN_NEW(e->sum, e->n));
end:
    return rc;
}

static grn_status add_pairs(void *ctx, size_t begin, size_t end, int worker)
{
    exact_t *e = ctx;
    const coexpr_slab_t *s = e->slab;
    if (!e->column[worker] && !(e->column[worker] = grn_calloc(COEXPR_SLAB, sizeof(float)))) return GRN_ENOMEM;
    float *column = e->column[worker];
    for (size_t g = begin; g < end; g++) {
        if (e->off[g] == e->off[g + 1]) continue;
        for (uint64_t k = s->off[g]; k < s->off[g + 1]; k++) column[s->cell[k]] = s->x[k];
        for (size_t q = e->off[g]; q < e->off[g + 1]; q++) {
            uint32_t h = (uint32_t)e->key[q];
            double sum = e->sum[q];
            for (uint64_t k = s->off[h]; k < s->off[h + 1]; k++) sum += (double)s->x[k] * (double)column[s->cell[k]];
            e->sum[q] = sum;
        }
        for (uint64_t k = s->off[g]; k < s->off[g + 1]; k++) column[s->cell[k]] = 0;
    }
    return GRN_OK;
}

static grn_status add_slab(void *ctx, const coexpr_slab_t *s, size_t first, grn_par_t *pool)
{
    exact_t *e = ctx;
    (void)first;
    e->slab = s;
    return grn_par_for(pool, s->n_cols, 16, add_pairs, e);
}

grn_status coexpr_partners_exact(coexpr_partners_t *t, const coexpr_context_t *c, const coexpr_side_t *side, size_t keep,
                                 grn_par_t *pool)
{
    grn_status rc = GRN_OK;
    exact_t e = { 0 };
    GRN_TRY(GRN_NEW(e.column, (size_t)grn_par_n(pool)));
    GRN_TRY(list_pairs(&e, t, keep));
    GRN_TRY(coexpr_each_slab(c, c->place, c->n_genes, add_slab, &e, pool));
    for (size_t g = 0; g < t->n_genes; g++) {
        coexpr_partner_t *best = t->best + g * t->depth;
        uint32_t n = 0;
        for (size_t k = 0; k < t->n[g]; k++) {
            uint64_t key = pair_key(g, best[k].gene), *found = bsearch(&key, e.key, e.n, sizeof key, by_key);
            double score = coexpr_score_pair(side, (size_t)(key >> 32), side, (uint32_t)key, e.sum[found - e.key]);
            if (score != 0) best[n++] = (coexpr_partner_t){ score, best[k].gene };
        }
        t->n[g] = n;
    }
    GRN_TRY(coexpr_partners_sort(t, pool));
end:
    for (int w = 0; e.column && w < grn_par_n(pool); w++) free(e.column[w]);
    free(e.column);
    free(e.key);
    free(e.sum);
    free(e.off);
    return rc;
}

/* ---- mutual rank ---- */

typedef struct {
    const coexpr_partners_t *t;
    size_t upto;
    uint64_t *place; /* (n_genes, depth) gene << 32 | place of it, by gene */
    float *rank;
} mutual_t;

static grn_status index_lists(void *ctx, size_t begin, size_t end, int worker)
{
    mutual_t *m = ctx;
    (void)worker;
    for (size_t g = begin; g < end; g++) {
        uint64_t *place = m->place + g * m->t->depth;
        for (size_t k = 0; k < m->t->n[g]; k++) place[k] = (uint64_t)m->t->best[g * m->t->depth + k].gene << 32 | (k + 1);
        if (m->t->n[g]) qsort(place, m->t->n[g], sizeof *place, by_key);
    }
    return GRN_OK;
}

/* Place of `wanted` in the list of gene g, from 1; 0: not there. */
static size_t find_place(const mutual_t *m, size_t g, size_t wanted)
{
    const uint64_t *place = m->place + g * m->t->depth;
    size_t lo = 0, hi = m->t->n[g];
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (place[mid] >> 32 < wanted) lo = mid + 1;
        else hi = mid;
    }
    return lo < m->t->n[g] && place[lo] >> 32 == wanted ? (size_t)(uint32_t)place[lo] : 0;
}

static grn_status rank_lists(void *ctx, size_t begin, size_t end, int worker)
{
    mutual_t *m = ctx;
    size_t depth = m->t->depth;
    (void)worker;
    for (size_t g = begin; g < end; g++)
        for (size_t k = 0; k < m->t->n[g]; k++) {
            size_t back = find_place(m, m->t->best[g * depth + k].gene, g);
            int both = k < m->upto && back > 0 && back <= m->upto;
            m->rank[g * depth + k] = both ? (float)sqrt((double)(k + 1) * (double)back) : NAN;
        }
    return GRN_OK;
}

grn_status coexpr_mutual_rank(const coexpr_partners_t *t, size_t upto, grn_par_t *pool, float **rank)
{
    grn_status rc = GRN_OK;
    mutual_t m = { t, upto, NULL, NULL };
    GRN_TRY(GRN_NEW(m.place, t->n_genes * t->depth));
    GRN_TRY(GRN_NEW(m.rank, t->n_genes * t->depth));
    GRN_TRY(grn_par_for(pool, t->n_genes, GENES, index_lists, &m));
    GRN_TRY(grn_par_for(pool, t->n_genes, GENES, rank_lists, &m));
    *rank = m.rank;
    m.rank = NULL;
end:
    free(m.place);
    free(m.rank);
    return rc;
}
