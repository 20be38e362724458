#include "lda.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/simd.h"
#include "base/rng.h"
#include "lda_kernel.h"

#define BATCHES 32 /* of cells in a sweep: within 0.1 % of the likelihood of the sequential sampler; a single batch ends 1.6 % below */
#define MIN_CHUNK 16 /* cells that a worker takes at once */
#define MAX_CHUNK 256
#define DRAWS 64 /* uniform numbers made at once */

typedef struct { /* what one worker needs */
    float *nd;             /* (MAX_CHUNK, KP) */
    float *scratch;        /* (KP) */
    float *spare;          /* (MAX_CHUNK, DRAWS) uniform numbers not used yet */
    uint32_t *left, *next; /* (MAX_CHUNK) how many are left; counter of the next */
    float *u;              /* (GRN_LDA_GROUP, GRN_CORPUS_BLOCK) those of the runs at hand */
    int64_t *n_k;          /* (K) what the batch adds to n_k */
} worker_t;

typedef struct {
    const grn_corpus_t *c;
    const grn_lda_opt_t *o;
    const grn_lda_kernel_t *kernel;
    uint32_t K, KP, key[2];
    uint32_t sweep;       /* from 1; 0 is the start */
    size_t first, last;   /* cells of the batch, by place */
    uint64_t *batch_base; /* (blocks + 1) tokens of the batch before each block */
    size_t *to_draw;      /* (blocks) cells of the batch that have not drawn its tokens; atomic */
    size_t n_counted;     /* blocks counted while the batch was drawn; atomic */
    int join, sweep_ends, averaging, scoring;
    uint16_t *z, *drawn;  /* (n_tokens) topics; those of the batch, by block, as they are drawn */
    size_t drawn_cap;
    uint32_t *nd;         /* (C, K) */
    void *nw;             /* (blocks * GRN_CORPUS_BLOCK, KP), uint16_t, or uint32_t when is_wide */
    int is_wide;
    uint64_t *n_k;        /* (K) */
    float *inv;           /* (KP) */
    float *phi_sum, *theta_sum; /* (R, K), (C, K) over the sweeps averaged */
    uint32_t n_averaged, n_scored;
    float *held_p;        /* (n_held) sum of p over the sweeps scored, in the order of the tokens */
    uint64_t *held_base;  /* (blocks + 1) */
    double *lg_eta, *lg_alpha; /* ln G(n + eta) - ln G(eta), n <= C; ln G(n + alpha/K), n <= tokens of a cell */
    double *cell_ll, *block_ll;
    worker_t *worker;
    int n_workers;
} chain_t;

void grn_lda_clear(grn_lda_t *m)
{
    free(m->theta);
    free(m->phi);
    free(m->loglik);
    free(m->assigned);
    free(m->held_ll);
    free(m->held_n);
    memset(m, 0, sizeof *m);
}

/* ---- setting up ---- */

/* n x per elements, zero, aligned as the kernel wants them; released with free. */
static grn_status new_aligned(void **p, size_t n, size_t per, size_t size)
{
    if (n > (SIZE_MAX / size - 64) / per) return grn_err(GRN_ENOMEM, "out of memory: %zu x %zu numbers", n, per);
    size_t bytes = (n * per * size + 64) / 64 * 64;
    *p = aligned_alloc(64, bytes);
    if (!*p) return grn_err(GRN_ENOMEM, "out of memory: %zu x %zu numbers", n, per);
    memset(*p, 0, bytes);
    return GRN_OK;
}

static grn_status new_floats(float **p, size_t n, size_t per)
{
    return new_aligned((void **)p, n, per, sizeof **p);
}

static grn_status worker_init(worker_t *w, uint32_t K, uint32_t KP)
{
    grn_status rc = GRN_OK;
    GRN_TRY(new_floats(&w->nd, MAX_CHUNK, KP));
    GRN_TRY(new_floats(&w->scratch, 1, KP));
    GRN_TRY(new_floats(&w->spare, MAX_CHUNK, DRAWS));
    GRN_TRY(new_floats(&w->u, GRN_LDA_GROUP, GRN_CORPUS_BLOCK));
    GRN_TRY(GRN_NEW(w->left, MAX_CHUNK));
    GRN_TRY(GRN_NEW(w->next, MAX_CHUNK));
    GRN_TRY(GRN_NEW(w->n_k, K));
end:
    return rc;
}

static void worker_clear(worker_t *w)
{
    free(w->nd);
    free(w->scratch);
    free(w->spare);
    free(w->u);
    free(w->left);
    free(w->next);
    free(w->n_k);
}

static grn_status lgamma_table(double **t, size_t n, double add)
{
    grn_status rc = GRN_NEW_RAW(*t, n + 1);
    for (size_t i = 0; !rc && i <= n; i++) (*t)[i] = lgamma((double)i + add);
    return rc;
}

static const grn_lda_kernel_t *pick_kernel(void)
{
#if defined(__x86_64__)
    const grn_lda_kernel_t *const by_level[] = { &grn_lda_kernel_base, &grn_lda_kernel_avx2, &grn_lda_kernel_avx512 };
    return by_level[grn_simd_level()];
#else
    return &grn_lda_kernel_base;
#endif
}

static grn_status find_held(chain_t *h)
{
    const grn_corpus_t *c = h->c;
    grn_status rc = GRN_NEW(h->held_base, c->n_blocks + 1);
    for (size_t b = 0; !rc && b < c->n_blocks; b++) {
        uint64_t n = 0;
        for (uint64_t i = c->base[b]; i < c->base[b + 1]; i++) n += (c->token[i] & GRN_CORPUS_HELD) != 0;
        h->held_base[b + 1] = h->held_base[b] + n;
    }
    return rc ? rc : GRN_NEW(h->held_p, c->n_held);
}

static grn_status chain_init(chain_t *h, const grn_corpus_t *c, const grn_lda_opt_t *o, grn_par_t *pool)
{
    grn_status rc = GRN_OK;
    uint32_t longest = 0;
    *h = (chain_t){ .c = c, .o = o, .K = o->K, .n_workers = grn_par_n(pool) };
    h->KP = (h->K + GRN_LDA_LANES - 1) / GRN_LDA_LANES * GRN_LDA_LANES;
    h->kernel = pick_kernel();
    uint64_t key = grn_rng_key(o->seed, "topics.lda", o->K, 0);
    h->key[0] = (uint32_t)key;
    h->key[1] = (uint32_t)(key >> 32);
    for (size_t i = 0; i < c->C; i++) longest = c->cell_n[i] > longest ? c->cell_n[i] : longest;
    GRN_TRY(GRN_NEW_RAW(h->z, c->n_tokens));
    h->is_wide = c->C > UINT16_MAX;
    GRN_TRY(new_aligned(&h->nw, c->n_blocks * GRN_CORPUS_BLOCK, h->KP, h->is_wide ? 4 : 2));
    GRN_TRY(GRN_NEW(h->batch_base, c->n_blocks + 1));
    GRN_TRY(GRN_NEW(h->to_draw, c->n_blocks));
    GRN_TRY(GRN_NEW(h->nd, c->C * h->K));
    GRN_TRY(GRN_NEW(h->n_k, h->K));
    GRN_TRY(new_floats(&h->inv, 1, h->KP));
    GRN_TRY(GRN_NEW(h->phi_sum, c->R * h->K));
    GRN_TRY(GRN_NEW(h->theta_sum, c->C * h->K));
    GRN_TRY(find_held(h));
    GRN_TRY(lgamma_table(&h->lg_eta, c->C, o->eta));
    for (size_t i = c->C + 1; i-- > 0;) h->lg_eta[i] -= h->lg_eta[0];
    GRN_TRY(lgamma_table(&h->lg_alpha, longest, o->alpha / o->K));
    GRN_TRY(GRN_NEW(h->cell_ll, c->C));
    GRN_TRY(GRN_NEW(h->block_ll, c->n_blocks));
    GRN_TRY(GRN_NEW(h->worker, (size_t)h->n_workers));
    for (int w = 0; w < h->n_workers; w++) GRN_TRY(worker_init(&h->worker[w], h->K, h->KP));
end:
    return rc;
}

static void chain_clear(chain_t *h)
{
    for (int w = 0; h->worker && w < h->n_workers; w++) worker_clear(&h->worker[w]);
    free(h->worker);
    free(h->z);
    free(h->drawn);
    free(h->nw);
    free(h->batch_base);
    free(h->to_draw);
    free(h->nd);
    free(h->n_k);
    free(h->inv);
    free(h->phi_sum);
    free(h->theta_sum);
    free(h->held_p);
    free(h->held_base);
    free(h->lg_eta);
    free(h->lg_alpha);
    free(h->cell_ll);
    free(h->block_ll);
}

/* ---- cells of a batch: every token's topic is drawn ---- */

/* The next n uniform numbers of cell j of the chunk. */
static void take_uniform(const chain_t *h, worker_t *w, size_t j, uint64_t hash, uint32_t n, float *out)
{
    while (n) {
        if (!w->left[j]) {
            h->kernel->uniform(h->key, w->next[j], h->sweep, hash, w->spare + j * DRAWS);
            w->next[j] += DRAWS / 4;
            w->left[j] = DRAWS;
        }
        uint32_t k = n < w->left[j] ? n : w->left[j];
        memcpy(out, w->spare + j * DRAWS + (DRAWS - w->left[j]), k * sizeof *out);
        w->left[j] -= k;
        out += k;
        n -= k;
    }
}

/* n_kw of a block. */
static void *block_counts(const chain_t *h, size_t b)
{
    return (char *)h->nw + b * GRN_CORPUS_BLOCK * h->KP * (h->is_wide ? 4 : 2);
}

static uint32_t count_at(const chain_t *h, const void *nw, size_t i)
{
    return h->is_wide ? ((const uint32_t *)nw)[i] : ((const uint16_t *)nw)[i];
}

/* What a sweep leaves of a cell: its counts, its part of ln p(z), its share in the mean of theta. */
static void settle_cell(chain_t *h, worker_t *w, size_t cell, const float *nd)
{
    const double a = h->o->alpha / h->K;
    uint32_t *n = h->nd + cell * h->K, total = 0;
    double ll = 0;
    for (uint32_t k = 0; k < h->K; k++) {
        uint32_t now = (uint32_t)lrintf(nd[k] - (float)a);
        w->n_k[k] += (int64_t)now - n[k];
        n[k] = now;
        total += now;
        ll += h->lg_alpha[now];
    }
    if (h->averaging)
        for (uint32_t k = 0; k < h->K; k++) h->theta_sum[cell * h->K + k] += (float)((n[k] + a) / (total + h->o->alpha));
    h->cell_ll[cell] = ll - lgamma(total + h->o->alpha);
}

/* ---- regions: what was drawn is counted ---- */

/* The topics drawn take the place of the old ones in z and nw. */
#define COUNT_RUN(type) \
    do { \
        type *nw = counts; \
        for (uint32_t i = 0; i < n; i++) { \
            type *row = nw + (size_t)(token[i] & GRN_CORPUS_REGION) * h->KP; \
            if (z[i] != GRN_LDA_ABSENT) row[z[i]]--; \
            if (drawn[i] != GRN_LDA_ABSENT) row[drawn[i]]++; \
            z[i] = drawn[i]; \
        } \
    } while (0)
static void count_block(chain_t *h, size_t b, void *counts)
{
    const grn_corpus_t *c = h->c;
    const uint32_t *off = c->off + b * (c->C + 1), n = off[h->last] - off[h->first];
    const uint64_t from = c->base[b] + off[h->first];
    const uint16_t *token = c->token + from, *drawn = h->drawn + h->batch_base[b];
    uint16_t *z = h->z + from;
    if (h->is_wide) COUNT_RUN(uint32_t);
    else COUNT_RUN(uint16_t);
}

/* Counts the first block that is not, if all cells of the batch have drawn its tokens (nothing else in the batch needs its counts):
 * they are still in the cache. */
static void count_next(chain_t *h)
{
    size_t b = __atomic_load_n(&h->n_counted, __ATOMIC_ACQUIRE);
    if (b == h->c->n_blocks || __atomic_load_n(&h->to_draw[b], __ATOMIC_ACQUIRE)) return;
    if (__atomic_compare_exchange_n(&h->n_counted, &b, b + 1, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) count_block(h, b, block_counts(h, b));
}

static grn_status draw_work(void *ctx, size_t begin, size_t end, int worker)
{
    chain_t *h = ctx;
    worker_t *w = &h->worker[worker];
    const grn_corpus_t *c = h->c;
    const float a = (float)(h->o->alpha / h->K);
    size_t first = h->first + begin, n_cells = end - begin;
    memset(w->left, 0, n_cells * sizeof *w->left);
    memset(w->next, 0, n_cells * sizeof *w->next);
    for (size_t j = 0; j < n_cells; j++)
        for (uint32_t k = 0; k < h->K; k++) w->nd[j * h->KP + k] = (float)h->nd[(first + j) * h->K + k] + a;
    for (size_t b = 0; b < c->n_blocks; b++) {
        grn_lda_block_t block = { block_counts(h, b), h->inv, (float)h->o->eta, h->K, h->KP, h->join };
        const uint32_t *off = c->off + b * (c->C + 1);
        for (size_t g = 0; g < n_cells; g += GRN_LDA_GROUP) {
            grn_lda_run_t run[GRN_LDA_GROUP];
            int n = 0;
            for (size_t j = g; j < n_cells && j < g + GRN_LDA_GROUP; j++, n++) {
                grn_lda_run_t *r = &run[n];
                float *u = w->u + (size_t)n * GRN_CORPUS_BLOCK;
                r->token = grn_corpus_run(c, b, first + j, &r->n);
                r->z = h->z + (r->token - c->token);
                r->drawn = h->drawn + h->batch_base[b] + (off[first + j] - off[h->first]);
                r->nd = w->nd + j * h->KP;
                r->u = u;
                take_uniform(h, w, j, c->cell_hash[first + j], r->n, u);
            }
            (h->is_wide ? h->kernel->draw32 : h->kernel->draw16)(&block, run, n, w->scratch);
        }
        __atomic_sub_fetch(&h->to_draw[b], n_cells, __ATOMIC_ACQ_REL);
        count_next(h);
    }
    for (size_t j = 0; j < n_cells; j++) settle_cell(h, w, first + j, w->nd + j * h->KP);
    grn_progress_add(n_cells);
    return GRN_OK;
}


/* ---- regions: what a sweep leaves of them ---- */

/* Adds p of the block's held-out tokens under the counts as they are. */
static void score_held(chain_t *h, size_t b, const void *nw)
{
    const grn_corpus_t *c = h->c;
    const double a = h->o->alpha / h->K;
    float *p = h->held_p + h->held_base[b];
    for (size_t cell = 0; cell < c->C; cell++) {
        uint32_t n;
        const uint16_t *token = grn_corpus_run(c, b, cell, &n);
        for (uint32_t i = 0; i < n; i++) {
            if (!(token[i] & GRN_CORPUS_HELD)) continue;
            size_t row = (size_t)(token[i] & GRN_CORPUS_REGION) * h->KP;
            double s = 0, total = h->o->alpha;
            for (uint32_t k = 0; k < h->K; k++) {
                s += (h->nd[cell * h->K + k] + a) * (count_at(h, nw, row + k) + h->o->eta) * (double)h->inv[k];
                total += h->nd[cell * h->K + k];
            }
            *p++ += (float)(s / total);
        }
    }
}

/* At the end of a sweep: the block's part of ln p(w | z) and of the mean of phi. */
static double settle_regions(chain_t *h, size_t b, const void *nw)
{
    size_t first = b * GRN_CORPUS_BLOCK, n = h->c->R - first < GRN_CORPUS_BLOCK ? h->c->R - first : GRN_CORPUS_BLOCK;
    double ll = 0;
    for (size_t r = 0; r < n; r++)
        for (uint32_t k = 0; k < h->K; k++) ll += h->lg_eta[count_at(h, nw, r * h->KP + k)];
    for (size_t r = 0; h->averaging && r < n; r++)
        for (uint32_t k = 0; k < h->K; k++)
            h->phi_sum[(first + r) * h->K + k] += ((float)count_at(h, nw, r * h->KP + k) + (float)h->o->eta) * h->inv[k];
    return ll;
}

static grn_status count_work(void *ctx, size_t begin, size_t end, int worker)
{
    chain_t *h = ctx;
    (void)worker;
    for (size_t b = begin; b < end; b++) {
        void *nw = block_counts(h, b);
        if (b >= h->n_counted) count_block(h, b, nw);
        if (!h->sweep_ends) continue;
        h->block_ll[b] = settle_regions(h, b, nw);
        if (h->scoring) score_held(h, b, nw);
    }
    return GRN_OK;
}

/* Cells [first, last) become the batch: where each block's tokens go as they are drawn. */
static grn_status batch_begin(chain_t *h, size_t first, size_t last)
{
    const grn_corpus_t *c = h->c;
    h->first = first;
    h->last = last;
    h->n_counted = 0;
    for (size_t b = 0; b < c->n_blocks; b++) {
        const uint32_t *off = c->off + b * (c->C + 1);
        h->batch_base[b + 1] = h->batch_base[b] + (off[last] - off[first]);
        h->to_draw[b] = last - first;
    }
    return GRN_GROW(h->drawn, h->drawn_cap, h->batch_base[c->n_blocks]);
}

/* n_k from the workers, then nw and z from the topics drawn. */
static grn_status batch_end(chain_t *h, grn_par_t *pool)
{
    for (int w = 0; w < h->n_workers; w++)
        for (uint32_t k = 0; k < h->K; k++) {
            h->n_k[k] += (uint64_t)h->worker[w].n_k[k];
            h->worker[w].n_k[k] = 0;
        }
    for (uint32_t k = 0; k < h->K; k++) h->inv[k] = (float)(1 / ((double)h->n_k[k] + (double)h->c->R * h->o->eta));
    return grn_par_for(pool, h->c->n_blocks, 1, count_work, h);
}

/* ln p(w | z) + ln p(z), Griffiths & Steyvers 2004. */
static double joint_loglik(const chain_t *h)
{
    const double eta = h->o->eta, alpha = h->o->alpha, r = (double)h->c->R, c = (double)h->c->C;
    double ll = h->K * lgamma(r * eta) + c * (lgamma(alpha) - h->K * lgamma(alpha / h->K));
    for (uint32_t k = 0; k < h->K; k++) ll -= lgamma((double)h->n_k[k] + r * eta);
    for (size_t b = 0; b < h->c->n_blocks; b++) ll += h->block_ll[b];
    for (size_t i = 0; i < h->c->C; i++) ll += h->cell_ll[i];
    return ll;
}

/* ---- the result ---- */

typedef struct {
    uint64_t n;
    uint32_t k;
} size_of_t;

static int larger_first(const void *x, const void *y)
{
    const size_of_t *a = x, *b = y;
    if (a->n != b->n) return a->n < b->n ? 1 : -1;
    return a->k < b->k ? -1 : a->k > b->k;
}

/* ln p of the held-out tokens of every cell, by place. */
static void held_per_cell(const chain_t *h, double *ll, uint32_t *n_held)
{
    const grn_corpus_t *c = h->c;
    const float *p = h->held_p;
    for (size_t b = 0; h->n_scored && b < c->n_blocks; b++)
        for (size_t cell = 0; cell < c->C; cell++) {
            uint32_t n;
            const uint16_t *token = grn_corpus_run(c, b, cell, &n);
            for (uint32_t i = 0; i < n; i++)
                if (token[i] & GRN_CORPUS_HELD) {
                    ll[cell] += log((double)*p++ / h->n_scored);
                    n_held[cell]++;
                }
        }
}

static grn_status deliver(const chain_t *h, grn_lda_t *m)
{
    grn_status rc = GRN_OK;
    const grn_corpus_t *c = h->c;
    size_of_t *order = NULL;
    double *ll = NULL;
    uint32_t *n = NULL;
    GRN_TRY(GRN_NEW(order, h->K));
    for (uint32_t k = 0; k < h->K; k++) order[k] = (size_of_t){ h->n_k[k], k };
    qsort(order, h->K, sizeof *order, larger_first);
    m->K = h->K;
    GRN_TRY(GRN_NEW(m->assigned, h->K));
    GRN_TRY(GRN_NEW_RAW(m->theta, c->C * h->K));
    GRN_TRY(GRN_NEW_RAW(m->phi, c->R * h->K));
    GRN_TRY(GRN_NEW(m->held_ll, c->C));
    GRN_TRY(GRN_NEW(m->held_n, c->C));
    for (uint32_t k = 0; k < h->K; k++) m->assigned[k] = order[k].n;
    for (size_t i = 0; i < c->C; i++)
        for (uint32_t k = 0; k < h->K; k++)
            m->theta[i * h->K + k] = h->theta_sum[(size_t)c->cell_place[i] * h->K + order[k].k] / (float)h->n_averaged;
    for (size_t i = 0; i < c->R; i++)
        for (uint32_t k = 0; k < h->K; k++)
            m->phi[i * h->K + k] = h->phi_sum[(size_t)c->region_place[i] * h->K + order[k].k] / (float)h->n_averaged;
    GRN_TRY(GRN_NEW(ll, c->C));
    GRN_TRY(GRN_NEW(n, c->C));
    held_per_cell(h, ll, n);
    for (size_t i = 0; i < c->C; i++) {
        m->held_ll[i] = ll[c->cell_place[i]];
        m->held_n[i] = n[c->cell_place[i]];
    }
end:
    free(order);
    free(ll);
    free(n);
    return rc;
}

static grn_status sweep(chain_t *h, grn_par_t *pool)
{
    grn_status rc = GRN_OK;
    const size_t C = h->c->C, n_batches = C < BATCHES ? C : BATCHES;
    size_t chunk = C / n_batches / (size_t)h->n_workers; /* large: a region's counts serve many cells */
    chunk = (chunk + GRN_LDA_GROUP - 1) / GRN_LDA_GROUP * GRN_LDA_GROUP;
    chunk = chunk < MIN_CHUNK ? MIN_CHUNK : chunk > MAX_CHUNK ? MAX_CHUNK : chunk;
    for (size_t i = 0; i < n_batches; i++) {
        GRN_TRY(batch_begin(h, C * i / n_batches, C * (i + 1) / n_batches));
        h->sweep_ends = i + 1 == n_batches;
        GRN_TRY(grn_par_for(pool, h->last - h->first, chunk, draw_work, h));
        GRN_TRY(batch_end(h, pool));
    }
    h->n_averaged += h->averaging;
    h->n_scored += h->scoring;
end:
    return rc;
}

grn_status grn_lda_fit(const grn_corpus_t *c, const grn_lda_opt_t *o, grn_par_t *pool, grn_lda_t *m)
{
    grn_status rc = GRN_OK;
    chain_t h = { 0 };
    memset(m, 0, sizeof *m);
    if (o->K < 1 || o->K > GRN_LDA_MAX_TOPICS) GRN_FAIL(GRN_EINVAL, "%u topics; 1 to %d are possible", o->K, GRN_LDA_MAX_TOPICS);
    if (!o->sweeps || !o->average || o->average > o->sweeps) GRN_FAIL(GRN_EINVAL, "the mean of %u of %u sweeps", o->average, o->sweeps);
    if (!(o->alpha > 0) || !(o->eta > 0)) GRN_FAIL(GRN_EINVAL, "alpha %g and eta %g must be above 0", o->alpha, o->eta);
    GRN_TRY(chain_init(&h, c, o, pool));
    GRN_TRY(GRN_NEW(m->loglik, o->sweeps));
    memset(h.z, 0xff, c->n_tokens * sizeof *h.z); /* nobody has a topic: the first sweep draws from what the cells before it left */
    for (uint32_t k = 0; k < h.K; k++) h.inv[k] = (float)(1 / ((double)c->R * o->eta));
    uint32_t joins = c->n_held ? o->sweeps * 2 / 3 : 0;
    grn_progress_begin((uint64_t)o->sweeps * c->C, "cells x sweeps");
    for (uint32_t s = 1; s <= o->sweeps; s++) {
        h.sweep = s;
        h.join = s > joins;
        h.scoring = s <= joins && s + o->average > joins;
        h.averaging = s + o->average > o->sweeps;
        GRN_TRY(sweep(&h, pool));
        m->loglik[s - 1] = joint_loglik(&h);
        grn_progress_note("ln p %.6g", m->loglik[s - 1]);
    }
    GRN_TRY(deliver(&h, m));
end:
    grn_progress_end();
    chain_clear(&h);
    if (rc) grn_lda_clear(m);
    return rc;
}
