#include "grn-aucell/imputed.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum {
    CELLS = 8 * AUCELL_GROUP,    /* at a time: the model is read once for them */
    TILES = 64,                  /* of regions at a time */
    SPAN = TILES * AUCELL_LANES, /* regions */
    SAMPLE_EVERY = 32,           /* tiles */
    SMALL = 4 * SPAN             /* regions of which no sample is taken */
};

typedef struct {
    void *theta; /* (CELLS / GROUP, K, GROUP) */
    void *score; /* (CELLS, SPAN) */
    size_t theta_cap, score_cap;
    float *sample;  /* (CELLS, regions of the sample) */
    uint64_t *item; /* (CELLS, cap + SPAN) candidates */
    size_t n_item[CELLS];
    float bound[CELLS];
} worker_t;

struct aucell_imputed_s {
    const float *theta;
    const grn_names_t *cell;
    size_t R, K, n_tiles;
    uint32_t cut;
    int truncate;
    void *phi; /* (tiles, K, LANES), the last tile filled up with zeros */
    size_t phi_cap;
    size_t cap;      /* candidates of a cell; more: the cell is done alone */
    size_t n_sample; /* regions; 0: no sample, all are candidates */
    const aucell_kernel_t *kernel;
    worker_t *worker;
    grn_par_t *pool;
};

void aucell_imputed_destroy(aucell_imputed_t *im)
{
    if (!im) return;
    for (int k = 0; im->worker && k < grn_par_n(im->pool); k++) {
        worker_t *w = &im->worker[k];
        free(w->theta);
        free(w->score);
        free(w->sample);
        free(w->item);
    }
    free(im->worker);
    free(im->phi);
    free(im);
}

static float largest_of(const float *x, size_t n)
{
    float m = 0;
    for (size_t i = 0; i < n; i++)
        if (fabsf(x[i]) > m) m = fabsf(x[i]);
    return m;
}

/* Every sum stays finite, whatever cell and region. */
static grn_status check_range(const grn_lowrank_t *m, int truncate)
{
    float theta = largest_of(m->theta, m->C * m->K), phi = largest_of(m->phi, m->R * m->K);
    if ((double)theta * (double)phi * (double)m->K * (truncate ? 1e6 : 1) < 3e38) return GRN_OK;
    return grn_err(GRN_ENONFINITE, "the accessibility of this model overflows: factors of up to %g and %g", (double)theta, (double)phi);
}

grn_status aucell_imputed_create(aucell_imputed_t **out, const grn_lowrank_t *model, uint32_t cut, int truncate, grn_par_t *pool)
{
    grn_status rc = GRN_OK;
    aucell_imputed_t *im;
    *out = NULL;
    if ((rc = check_range(model, truncate))) return rc;
    if (GRN_NEW(im, 1)) return GRN_ENOMEM;
    *im = (aucell_imputed_t){ .theta = model->theta,
                              .cell = &model->cell,
                              .R = model->R,
                              .K = model->K,
                              .cut = cut,
                              .truncate = truncate,
                              .kernel = aucell_kernel(),
                              .pool = pool };
    im->n_tiles = (im->R + AUCELL_LANES - 1) / AUCELL_LANES;
    GRN_TRY(GRN_NEW(im->worker, (size_t)grn_par_n(pool)));
    GRN_TRY(grn_room_aligned(&im->phi, &im->phi_cap, im->n_tiles * im->K * AUCELL_LANES * sizeof(float)));
    float *phi = im->phi;
    memset(phi, 0, im->n_tiles * im->K * AUCELL_LANES * sizeof *phi);
    for (size_t r = 0; r < im->R; r++)
        for (size_t k = 0; k < im->K; k++)
            phi[(r / AUCELL_LANES * im->K + k) * AUCELL_LANES + r % AUCELL_LANES] = model->phi[r * im->K + k];
    if (im->R > SMALL) im->n_sample = (im->R / AUCELL_LANES + SAMPLE_EVERY - 1) / SAMPLE_EVERY * AUCELL_LANES;
    im->cap = im->n_sample && 2 * (size_t)cut + SPAN < im->R ? 2 * (size_t)cut + SPAN : im->R;
    *out = im;
    return GRN_OK;
end:
    aucell_imputed_destroy(im);
    return rc;
}

static grn_status worker_init(const aucell_imputed_t *im, worker_t *w)
{
    grn_status rc = GRN_OK;
    GRN_TRY(grn_room_aligned(&w->theta, &w->theta_cap, CELLS * im->K * sizeof(float)));
    GRN_TRY(grn_room_aligned(&w->score, &w->score_cap, CELLS * SPAN * sizeof(float)));
    GRN_TRY(GRN_NEW_RAW(w->sample, CELLS * im->n_sample));
    GRN_TRY(GRN_NEW_RAW(w->item, CELLS * (im->cap + SPAN + 8)));
end:
    return rc;
}

/* The shares of cells first..first+n-1, group by group; groups are filled up with zeros. */
static void take_theta(const aucell_imputed_t *im, size_t first, size_t n, float *theta)
{
    memset(theta, 0, (n + AUCELL_GROUP - 1) / AUCELL_GROUP * AUCELL_GROUP * im->K * sizeof *theta);
    for (size_t c = 0; c < n; c++)
        for (size_t k = 0; k < im->K; k++)
            theta[(c / AUCELL_GROUP * im->K + k) * AUCELL_GROUP + c % AUCELL_GROUP] = im->theta[(first + c) * im->K + k];
}

/* Accessibility in tiles t..t+n_tiles-1 of n cells, (cell, SPAN). */
static void impute(const aucell_imputed_t *im, const float *theta, size_t n, size_t t, size_t n_tiles, float *score)
{
    const float *phi = im->phi;
    for (size_t c = 0; c < n; c += AUCELL_GROUP)
        im->kernel->impute(phi + t * im->K * AUCELL_LANES, n_tiles, im->K, theta + c * im->K, score + c * SPAN, SPAN);
    if (!im->truncate) return;
    for (size_t c = 0; c < n; c++)
        for (size_t i = 0; i < n_tiles * AUCELL_LANES; i++) score[c * SPAN + i] = truncf(score[c * SPAN + i] * 1e6f);
}

/* A value that probably more than c of the R regions reach, by those of a sample: the lower end of the class of floats (same upper 12
 * bits) of the value whose rank in the sample is a third above c / R. */
static float bound_of(const aucell_imputed_t *im, const float *x)
{
    uint32_t count[4096] = { 0 }, class = 0, bits;
    double want = 1.35 * (double)im->cut / (double)im->R * (double)im->n_sample + 16;
    float bound;
    for (size_t i = 0; i < im->n_sample; i++) count[aucell_order(x[i]) >> 20]++;
    for (double seen = count[0]; seen < want && class < 4095;) seen += count[++class];
    bits = class << 20 | 0xfffffu;                 /* the last key of the class */
    if (!(bits >> 31)) bits = ~bits & 0x7fffffffu; /* as a float again */
    memcpy(&bound, &bits, sizeof bound);
    return isfinite(bound) ? bound : -INFINITY;
}

static void find_bounds(const aucell_imputed_t *im, worker_t *w, size_t n)
{
    float *score = w->score;
    size_t at = 0;
    for (size_t c = 0; c < n; c++) {
        w->bound[c] = -INFINITY;
        w->n_item[c] = 0;
    }
    if (im->n_sample == 0) return;
    for (size_t t = 0; t * AUCELL_LANES + AUCELL_LANES <= im->R; t += SAMPLE_EVERY, at += AUCELL_LANES) {
        impute(im, w->theta, n, t, 1, score);
        for (size_t c = 0; c < n; c++) memcpy(w->sample + c * im->n_sample + at, score + c * SPAN, AUCELL_LANES * sizeof *score);
    }
    for (size_t c = 0; c < n; c++) w->bound[c] = bound_of(im, w->sample + c * im->n_sample);
}

static void find_candidates(const aucell_imputed_t *im, worker_t *w, size_t n)
{
    float *score = w->score;
    for (size_t t = 0; t < im->n_tiles; t += TILES) {
        size_t n_tiles = im->n_tiles - t < TILES ? im->n_tiles - t : TILES, first = t * AUCELL_LANES,
               n_regions = im->R - first < SPAN ? im->R - first : SPAN;
        impute(im, w->theta, n, t, n_tiles, score);
        for (size_t c = 0; c < n; c++) {
            uint64_t *item = w->item + c * (im->cap + SPAN + 8);
            if (w->n_item[c] <= im->cap) /* else it is done alone */
                w->n_item[c] += im->kernel->at_least(score + c * SPAN, n_regions, w->bound[c], (uint32_t)first, item + w->n_item[c]);
        }
    }
}

/* All regions of one cell, when its bound left too few or too many. */
static void all_candidates(const aucell_imputed_t *im, worker_t *w, size_t cell, uint64_t *item)
{
    const float *score = w->score;
    take_theta(im, cell, 1, w->theta);
    for (size_t t = 0; t < im->n_tiles; t += TILES) {
        size_t n_tiles = im->n_tiles - t < TILES ? im->n_tiles - t : TILES;
        impute(im, w->theta, 1, t, n_tiles, w->score);
        for (size_t r = t * AUCELL_LANES, i = 0; r < im->R && i < SPAN; r++, i++) item[r] = (uint64_t)aucell_order(score[i]) << 32 | r;
    }
}

typedef struct {
    aucell_imputed_t *im;
    aucell_scorer_t *scorer;
    size_t first, n, n_sets;
    float *auc;
} job_t;

static grn_status score_cells(job_t *j, worker_t *w, int worker, size_t begin, size_t n)
{
    const aucell_imputed_t *im = j->im;
    aucell_ranker_t *ranker = aucell_scorer_ranker(j->scorer, worker);
    size_t first = j->first + begin;
    if (!ranker) return GRN_ENOMEM;
    take_theta(im, first, n, w->theta);
    find_bounds(im, w, n);
    find_candidates(im, w, n);
    for (size_t c = 0; c < n; c++) {
        aucell_ranked_t r;
        size_t m = w->n_item[c];
        if (m >= im->cut && m <= im->cap) {
            memcpy(ranker->a, w->item + c * (im->cap + SPAN + 8), m * sizeof *ranker->a);
        } else {
            all_candidates(im, w, first + c, ranker->a);
            m = im->R;
        }
        aucell_rank_best(ranker, m, grn_hash_str(grn_names_get(im->cell, first + c)), &r);
        aucell_scorer_sum(j->scorer, worker, &r, j->auc + (begin + c) * j->n_sets, NULL);
    }
    return GRN_OK;
}

static grn_status score_chunk(void *ctx, size_t begin, size_t end, int worker)
{
    job_t *j = ctx;
    worker_t *w = &j->im->worker[worker];
    if (!w->item && worker_init(j->im, w) != GRN_OK) return GRN_ENOMEM;
    return score_cells(j, w, worker, begin, end - begin);
}

grn_status aucell_score_imputed(aucell_imputed_t *im, aucell_scorer_t *scorer, size_t first, size_t n, float *auc)
{
    job_t j = { im, scorer, first, n, aucell_scorer_n_sets(scorer), auc };
    return grn_par_for(im->pool, n, CELLS, score_chunk, &j);
}
