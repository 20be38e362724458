#include "grn-coexpr/chance.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"

enum { LEFT = 1024, ROUNDS = 8, MOST_ROUNDS = 64 };

typedef struct {      /* one way to shuffle the cells */
    uint32_t *stands; /* (n) where each cell stands */
    uint32_t *gene;   /* (n_right) of the context */
    double *shuffled; /* (n) RHO_P: means of the cells that stand there */
    double *with;     /* (n_left) RHO_P: centred products of the left genes with them */
    double add;       /* RHO_P: that of the means */
} round_t;

typedef struct {
    const coexpr_context_t *c;
    const coexpr_side_t *side;
    const double *mean;
    size_t n_left, n_right, n_rounds;
    uint32_t *left; /* (n_left) genes of the context */
    round_t *round;
    uint32_t *column_of; /* (genes of the store) -> column of the slabs, or UINT32_MAX: left genes first */
    size_t n_columns;
    coexpr_slab_t *slab;
    size_t n_slabs;
    double *proj, *scale; /* of the left genes (p, n_left), (n_left) */
    double *mean_proj;    /* (p) RHO_P */
    /* per worker */
    float **dense;    /* (n, COEXPR_TILE), zero between uses */
    float **sum;      /* (n_left, COEXPR_TILE) */
    uint64_t **count; /* (COEXPR_BINS + 1) */
} chance_t;

static void chance_clear(chance_t *x, int workers)
{
    for (size_t k = 0; x->round && k < x->n_rounds; k++) {
        free(x->round[k].stands);
        free(x->round[k].gene);
        free(x->round[k].shuffled);
        free(x->round[k].with);
    }
    for (size_t s = 0; x->slab && s < x->n_slabs; s++) coexpr_slab_clear(&x->slab[s]);
    for (int w = 0; x->dense && x->sum && x->count && w < workers; w++) {
        free(x->dense[w]);
        free(x->sum[w]);
        free(x->count[w]);
    }
    free(x->left);
    free(x->round);
    free(x->column_of);
    free(x->slab);
    free(x->proj);
    free(x->scale);
    free(x->mean_proj);
    free(x->dense);
    free(x->sum);
    free(x->count);
}

/* ---- what is drawn ---- */

/* n of the context's genes, drawn by their order of names. */
static grn_status draw(const coexpr_context_t *c, grn_rng_t *rng, size_t n, uint32_t *gene)
{
    grn_status rc = GRN_OK;
    uint64_t *pick = NULL;
    size_t at = 0, k = 0;
    GRN_TRY(GRN_NEW(pick, n));
    grn_rng_sample(rng, c->n_genes, n, pick);
    for (size_t g = 0; g < c->store->n_genes && k < n; g++)
        if (c->place[g] != UINT32_MAX && pick[k] == at++) gene[k++] = c->place[g];
end:
    free(pick);
    return rc;
}

/* How many genes and ways to shuffle give about so many pairs. */
static void plan(chance_t *x, uint64_t wanted)
{
    size_t genes = x->c->n_genes;
    uint64_t per;
    x->n_left = genes < LEFT ? genes : LEFT;
    x->n_right = (size_t)((wanted + ROUNDS * x->n_left - 1) / (ROUNDS * x->n_left));
    if (x->n_right > genes) x->n_right = genes;
    per = (uint64_t)x->n_left * x->n_right;
    x->n_rounds = (size_t)((wanted + per - 1) / per);
    if (x->n_rounds < ROUNDS) x->n_rounds = ROUNDS;
    if (x->n_rounds > MOST_ROUNDS) x->n_rounds = MOST_ROUNDS;
}

static grn_status draw_round(chance_t *x, size_t k, const coexpr_covariate_t *v, size_t n_v, uint64_t seed, uint64_t key)
{
    grn_status rc = GRN_OK;
    round_t *r = &x->round[k];
    size_t n = x->c->n;
    uint32_t *order = NULL;
    grn_rng_t rng;
    grn_rng_init2(&rng, seed, "coexpr.null.genes", key, k + 1);
    GRN_TRY(GRN_NEW(order, n));
    GRN_TRY(GRN_NEW(r->gene, x->n_right));
    GRN_TRY(GRN_NEW(r->stands, n));
    GRN_TRY(draw(x->c, &rng, x->n_right, r->gene));
    GRN_TRY(coexpr_shuffle(v, n_v, x->c->cell, n, seed, key, k, order));
    for (uint32_t i = 0; i < n; i++) r->stands[order[i]] = i;
    if (!x->mean) goto end;
    GRN_TRY(GRN_NEW(r->shuffled, n));
    GRN_TRY(GRN_NEW(r->with, x->n_left));
    for (size_t i = 0; i < n; i++) r->shuffled[i] = x->mean[order[i]];
end:
    free(order);
    return rc;
}

/* A column for every gene that was drawn, the left ones first. */
static grn_status number_columns(chance_t *x)
{
    grn_status rc = GRN_OK;
    const coexpr_context_t *c = x->c;
    GRN_TRY(GRN_NEW(x->column_of, c->store->n_genes));
    memset(x->column_of, 0xff, c->store->n_genes * sizeof *x->column_of);
    for (size_t i = 0; i < x->n_left; i++) x->column_of[c->gene[x->left[i]]] = (uint32_t)x->n_columns++;
    for (size_t k = 0; k < x->n_rounds; k++)
        for (size_t j = 0; j < x->n_right; j++) {
            uint32_t *at = &x->column_of[c->gene[x->round[k].gene[j]]];
            if (*at == UINT32_MAX) *at = (uint32_t)x->n_columns++;
        }
end:
    return rc;
}

static grn_status load_columns(chance_t *x, grn_par_t *pool)
{
    grn_status rc = GRN_OK;
    const coexpr_context_t *c = x->c;
    x->n_slabs = (c->n + COEXPR_SLAB - 1) / COEXPR_SLAB;
    GRN_TRY(GRN_NEW(x->slab, x->n_slabs));
    for (size_t s = 0; s < x->n_slabs; s++) {
        size_t first = s * COEXPR_SLAB, n = c->n - first < COEXPR_SLAB ? c->n - first : COEXPR_SLAB;
        GRN_TRY(coexpr_slab_fill(&x->slab[s], c, first, n, x->column_of, x->n_columns, pool));
    }
end:
    return rc;
}

/* ---- what the sides are scored by ---- */

/* RHO_P: centred products of the shuffled means with the means and with the left genes. */
static void add_means(chance_t *x, round_t *r, double *shuffled_proj)
{
    const coexpr_context_t *c = x->c;
    memset(shuffled_proj, 0, c->p * sizeof *shuffled_proj);
    for (size_t i = 0; i < c->n; i++) {
        r->add += x->mean[i] * r->shuffled[i];
        for (size_t q = 0; q < c->p; q++) shuffled_proj[q] += r->shuffled[i] * c->basis[i * c->p + q];
    }
    for (size_t q = 0; q < c->p; q++) r->add -= x->mean_proj[q] * shuffled_proj[q];
    for (size_t s = 0; s < x->n_slabs; s++)
        for (size_t i = 0; i < x->n_left; i++)
            for (uint64_t k = x->slab[s].off[i]; k < x->slab[s].off[i + 1]; k++)
                r->with[i] += (double)x->slab[s].x[k] * r->shuffled[s * COEXPR_SLAB + x->slab[s].cell[k]];
    for (size_t i = 0; i < x->n_left; i++)
        for (size_t q = 0; q < c->p; q++) r->with[i] -= x->proj[q * x->n_left + i] * shuffled_proj[q];
}

static grn_status prepare_left(chance_t *x)
{
    grn_status rc = GRN_OK;
    const coexpr_context_t *c = x->c;
    double *tmp = NULL;
    GRN_TRY(GRN_NEW(tmp, c->p));
    GRN_TRY(GRN_NEW(x->mean_proj, c->p));
    GRN_TRY(GRN_NEW(x->proj, c->p * x->n_left));
    GRN_TRY(GRN_NEW(x->scale, x->n_left));
    for (size_t i = 0; i < x->n_left; i++) {
        x->scale[i] = x->side->scale[x->left[i]];
        for (size_t q = 0; q < c->p; q++) x->proj[q * x->n_left + i] = x->side->proj[q * x->side->n_genes + x->left[i]];
    }
    for (size_t i = 0; x->mean && i < c->n; i++)
        for (size_t q = 0; q < c->p; q++) x->mean_proj[q] += x->mean[i] * c->basis[i * c->p + q];
    for (size_t k = 0; x->mean && k < x->n_rounds; k++) add_means(x, &x->round[k], tmp);
end:
    free(tmp);
    return rc;
}

/* The gene in column j of the tile, its cells shuffled: its projections, scale and shift. */
static void make_right(const chance_t *x, const round_t *r, uint32_t gene, size_t j, coexpr_side_t *right)
{
    const coexpr_context_t *c = x->c;
    uint32_t column = x->column_of[c->gene[gene]];
    double square = 0, with = 0;
    for (size_t q = 0; q < c->p; q++) right->proj[q * COEXPR_TILE + j] = 0;
    for (size_t s = 0; s < x->n_slabs; s++)
        for (uint64_t k = x->slab[s].off[column]; k < x->slab[s].off[column + 1]; k++) {
            size_t at = r->stands[s * COEXPR_SLAB + x->slab[s].cell[k]];
            double value = (double)x->slab[s].x[k];
            square += value * value;
            if (x->mean) with += value * x->mean[at];
            for (size_t q = 0; q < c->p; q++) right->proj[q * COEXPR_TILE + j] += value * c->basis[at * c->p + q];
        }
    double left = square;
    for (size_t q = 0; q < c->p; q++) {
        double proj = right->proj[q * COEXPR_TILE + j];
        left -= proj * proj;
        with -= proj * x->mean_proj[q];
    }
    right->shift[j] = with;
    right->scale[j] = x->side->scale[gene];
    if ((x->side->method == COEXPR_PEARSON || x->side->method == COEXPR_SPEARMAN) && right->scale[j] > 0)
        right->scale[j] = left > 0 ? 1 / sqrt(left) : 0;
}

/* ---- pairs ---- */

/* The tile's genes as they stand, or zeros again. */
static void spread(const chance_t *x, const round_t *r, size_t first, size_t n, int zero, float *dense)
{
    for (size_t v = 0; v < n; v++) {
        uint32_t column = x->column_of[x->c->gene[r->gene[first + v]]];
        for (size_t s = 0; s < x->n_slabs; s++)
            for (uint64_t k = x->slab[s].off[column]; k < x->slab[s].off[column + 1]; k++)
                dense[(size_t)r->stands[s * COEXPR_SLAB + x->slab[s].cell[k]] * COEXPR_TILE + v] = zero ? 0 : x->slab[s].x[k];
    }
}

static void count_scores(const chance_t *x, const round_t *r, size_t first, size_t n, const coexpr_side_t *right, const float *sum,
                         uint64_t *count)
{
    double tmp[COEXPR_TILE];
    float score[COEXPR_TILE];
    const coexpr_side_t left = { .method = x->side->method,
                                 .n_genes = x->n_left,
                                 .p = x->c->p,
                                 .proj = x->proj,
                                 .scale = x->scale,
                                 .shift = r->with ? r->with : x->scale,
                                 .add = r->with ? r->add : x->side->add };
    for (size_t i = 0; i < x->n_left; i++) {
        coexpr_score_row(&left, i, right, 0, n, sum + i * COEXPR_TILE, tmp, score);
        for (size_t v = 0; v < n; v++)
            if (x->left[i] != r->gene[first + v]) count[coexpr_bin(score[v])]++;
    }
}

static grn_status worker_room(chance_t *x, int worker)
{
    grn_status rc = GRN_OK;
    if (x->dense[worker]) return GRN_OK;
    GRN_TRY(GRN_NEW_LARGE(x->sum[worker], x->n_left * COEXPR_TILE));
    GRN_TRY(GRN_NEW(x->count[worker], COEXPR_BINS + 1));
    GRN_TRY(GRN_NEW_LARGE(x->dense[worker], x->c->n * COEXPR_TILE));
    memset(x->dense[worker], 0, x->c->n * COEXPR_TILE * sizeof(float));
end:
    return rc;
}

/* Tiles of the right genes of all rounds. */
static grn_status do_tiles(void *ctx, size_t begin, size_t end, int worker)
{
    chance_t *x = ctx;
    grn_status rc = GRN_OK;
    coexpr_side_t right = { .method = x->side->method, .n_genes = COEXPR_TILE, .p = x->c->p };
    coexpr_gram_kernel product = coexpr_gram_best();
    GRN_TRY(worker_room(x, worker));
    GRN_TRY(GRN_NEW(right.proj, x->c->p * COEXPR_TILE));
    GRN_TRY(GRN_NEW(right.scale, COEXPR_TILE));
    GRN_TRY(GRN_NEW(right.shift, COEXPR_TILE));
    for (size_t job = begin; job < end; job++) {
        const round_t *r = &x->round[job / coexpr_tiles(x->n_right)];
        size_t first = job % coexpr_tiles(x->n_right) * COEXPR_TILE;
        size_t n = coexpr_tile_genes(x->n_right, first / COEXPR_TILE);
        for (size_t v = 0; v < n; v++) make_right(x, r, r->gene[first + v], v, &right);
        spread(x, r, first, n, 0, x->dense[worker]);
        memset(x->sum[worker], 0, x->n_left * COEXPR_TILE * sizeof(float));
        for (size_t s = 0; s < x->n_slabs; s++)
            product(x->dense[worker] + s * COEXPR_SLAB * COEXPR_TILE, x->slab[s].off, x->slab[s].cell, x->slab[s].x, 0, x->n_left,
                    x->sum[worker]);
        spread(x, r, first, n, 1, x->dense[worker]);
        count_scores(x, r, first, n, &right, x->sum[worker], x->count[worker]);
    }
end:
    coexpr_side_clear(&right);
    return rc;
}

grn_status coexpr_chance(const coexpr_context_t *c, const coexpr_side_t *side, const double *mean, const coexpr_covariate_t *v,
                         size_t n_v, uint64_t wanted, uint64_t seed, const char *name, grn_par_t *pool, uint64_t *bins, uint64_t *n)
{
    grn_status rc = GRN_OK;
    uint64_t key = grn_hash_str(name);
    int workers = grn_par_n(pool);
    chance_t x = { .c = c, .side = side, .mean = mean };
    grn_rng_t rng;
    *n = 0;
    memset(bins, 0, (COEXPR_BINS + 1) * sizeof *bins);
    if (c->n_genes < 2) return GRN_OK;
    plan(&x, wanted);
    grn_rng_init2(&rng, seed, "coexpr.null.genes", key, 0);
    GRN_TRY(GRN_NEW(x.left, x.n_left));
    GRN_TRY(GRN_NEW(x.round, x.n_rounds));
    GRN_TRY(GRN_NEW(x.dense, (size_t)workers));
    GRN_TRY(GRN_NEW(x.sum, (size_t)workers));
    GRN_TRY(GRN_NEW(x.count, (size_t)workers));
    GRN_TRY(draw(c, &rng, x.n_left, x.left));
    for (size_t k = 0; k < x.n_rounds; k++) GRN_TRY(draw_round(&x, k, v, n_v, seed, key));
    GRN_TRY(number_columns(&x));
    GRN_TRY(load_columns(&x, pool));
    GRN_TRY(prepare_left(&x));
    GRN_TRY(grn_par_for(pool, x.n_rounds * coexpr_tiles(x.n_right), 1, do_tiles, &x));
    for (int w = 0; w < workers; w++)
        for (size_t b = 0; x.count[w] && b <= COEXPR_BINS; b++) {
            bins[b] += x.count[w][b];
            *n += x.count[w][b];
        }
end:
    chance_clear(&x, workers);
    return rc;
}
