#include "grn-aucell/score.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/simd.h"

uint64_t aucell_round_even(double x)
{
    double down = floor(x), rest = x - down;
    uint64_t k = (uint64_t)down;
    return rest > 0.5 || (rest == 0.5 && (k & 1)) ? k + 1 : k;
}

grn_status aucell_cut(double frac, uint64_t n_genes, uint32_t *cut)
{
    uint64_t top = aucell_round_even(frac * (double)n_genes);
    *cut = 0;
    if (n_genes > UINT32_MAX / 2) return grn_err(GRN_EINVAL, "%llu columns are too many to rank", (unsigned long long)n_genes);
    if (top < 2)
        return grn_err(GRN_EINVAL, "--top-frac %g of %llu genes leaves no rank to score: at least 2 are needed", frac,
                       (unsigned long long)n_genes);
    *cut = (uint32_t)(top - 1);
    return GRN_OK;
}

const aucell_kernel_t *aucell_kernel(void)
{
#if defined(__x86_64__)
    static const aucell_kernel_t *const by_level[] = { &aucell_kernel_base, &aucell_kernel_avx2, &aucell_kernel_avx512 };
    return by_level[grn_simd_level()];
#else
    return &aucell_kernel_base;
#endif
}

__extension__ typedef __int128 wide_t;

typedef struct {
    aucell_ranker_t ranker;
    int64_t *sum;   /* (AUCELL_TILE) of a tile */
    wide_t *weight; /* (R) sums of contributions times weights */
    double *auc;    /* (R) */
    uint32_t *idx;  /* (G) columns of a dense row that are not zero */
    float *val;     /* (G) */
} worker_t;

struct aucell_scorer_s {
    aucell_opt_t opt;
    aucell_rule_t rule;
    grn_par_t *pool;
    aucell_tile_t *tile; /* of sets without weights */
    size_t n_tile;
    double unit; /* of a rank */
    double *top; /* (R) the score's denominator */
    worker_t *worker;
};

/* ---- index ---- */

/* Columns -> sets first..first+n-1. */
static grn_status tile_create(const aucell_sets_t *sets, uint32_t first, uint32_t n, aucell_tile_t *t)
{
    grn_status rc = GRN_OK;
    uint64_t at = 0, total = 0;
    t->first = first;
    t->n = n;
    for (uint64_t k = 0; k < sets->off[sets->n_genes]; k++) total += sets->set[k] - first < n;
    if (total > UINT32_MAX) GRN_FAIL(GRN_EUNSUP, "%llu members of %u sets are too many", (unsigned long long)total, n);
    GRN_TRY(GRN_NEW(t->off, (size_t)sets->n_genes + 1));
    GRN_TRY(GRN_NEW(t->set, (size_t)total + AUCELL_COPY));
    for (uint64_t g = 0; g < sets->n_genes; g++) {
        for (uint64_t k = sets->off[g]; k < sets->off[g + 1]; k++)
            if (sets->set[k] - first < n) t->set[at++] = (uint16_t)(sets->set[k] - first);
        t->off[g + 1] = (uint32_t)at;
    }
end:
    return rc;
}

/* 1 for a set of which nothing was found and that is kept as zeros. */
static double denominator(const aucell_opt_t *opt, size_t set)
{
    int64_t sum = opt->sets->sum[set];
    if (sum == 0) return 1;
    return opt->attainable ? opt->sets->best[set] : ((double)opt->cut + 1) * (double)sum;
}

static int bits_of(uint64_t x)
{
    return x ? 64 - __builtin_clzll(x) : 0;
}

/* The finest unit of a rank in which no sum overflows: at least 2^-20 for sets of a million genes and as many ranks. */
static int rank_shift(const aucell_sets_t *s, uint32_t cut)
{
    uint32_t largest = 1;
    for (size_t k = 0; k < s->names.n; k++)
        if (s->n_found[k] > largest) largest = s->n_found[k];
    return 62 - bits_of(cut) - bits_of(largest);
}

static void worker_clear(worker_t *w)
{
    aucell_ranker_clear(&w->ranker);
    free(w->sum);
    free(w->weight);
    free(w->auc);
    free(w->idx);
    free(w->val);
}

void aucell_scorer_destroy(aucell_scorer_t *s)
{
    if (!s) return;
    for (size_t k = 0; s->tile && k < s->n_tile; k++) {
        free(s->tile[k].off);
        free(s->tile[k].set);
    }
    for (int k = 0; s->worker && k < grn_par_n(s->pool); k++) worker_clear(&s->worker[k]);
    free(s->worker);
    free(s->tile);
    free(s->top);
    free(s);
}

grn_status aucell_scorer_create(aucell_scorer_t **out, const aucell_opt_t *opt, grn_par_t *pool)
{
    grn_status rc = GRN_OK;
    const aucell_sets_t *sets = opt->sets;
    uint32_t R = (uint32_t)sets->names.n;
    aucell_scorer_t *s;
    *out = NULL;
    if (GRN_NEW(s, 1)) return GRN_ENOMEM;
    s->opt = *opt;
    s->pool = pool;
    s->rule =
        (aucell_rule_t){ opt->cut, sets->n_genes, rank_shift(sets, opt->cut), opt->ties, opt->seed, opt->gene_key, aucell_kernel() };
    s->unit = ldexp(1, -s->rule.shift);
    GRN_TRY(GRN_NEW(s->worker, (size_t)grn_par_n(pool)));
    GRN_TRY(GRN_NEW(s->top, R));
    for (uint32_t k = 0; k < R; k++) s->top[k] = denominator(opt, k);
    if (!sets->weight) {
        s->n_tile = (R + AUCELL_TILE - 1) / AUCELL_TILE;
        GRN_TRY(GRN_NEW(s->tile, s->n_tile));
        for (size_t k = 0; k < s->n_tile; k++) {
            uint32_t first = (uint32_t)k * AUCELL_TILE;
            GRN_TRY(tile_create(sets, first, R - first < AUCELL_TILE ? R - first : AUCELL_TILE, &s->tile[k]));
        }
    }
    *out = s;
    return GRN_OK;
end:
    aucell_scorer_destroy(s);
    return rc;
}

static grn_status worker_init(const aucell_scorer_t *s, worker_t *w)
{
    grn_status rc = GRN_OK;
    size_t R = s->opt.sets->names.n, G = (size_t)s->rule.n_genes;
    GRN_TRY(aucell_ranker_init(&w->ranker, &s->rule));
    if (s->opt.sets->weight) GRN_TRY(GRN_NEW_RAW(w->weight, R));
    GRN_TRY(GRN_NEW_RAW(w->sum, AUCELL_TILE));
    GRN_TRY(GRN_NEW_RAW(w->idx, G));
    GRN_TRY(GRN_NEW_RAW(w->val, G));
    GRN_TRY(GRN_NEW_RAW(w->auc, R));
end:
    return rc;
}

size_t aucell_scorer_n_sets(const aucell_scorer_t *s)
{
    return s->opt.sets->names.n;
}

/* ---- a cell ---- */

static void sum_weights(const aucell_scorer_t *s, worker_t *w, const aucell_ranked_t *r)
{
    const aucell_sets_t *sets = s->opt.sets;
    for (size_t k = 0; k < sets->names.n; k++) w->weight[k] = (wide_t)r->zero * sets->sum[k];
    for (size_t i = 0; i < r->n; i++) {
        if (r->class[i] < r -> least) continue;
        for (uint64_t k = sets->off[r->gene[i]]; k < sets->off[r->gene[i] + 1]; k++)
            w->weight[sets->set[k]] += (wide_t)r->gain[r->class[i]] * sets->weight[k];
    }
    for (size_t k = 0; k < sets->names.n; k++) w->auc[k] = (double)w->weight[k] * s->unit / s->top[k];
}

aucell_ranker_t *aucell_scorer_ranker(aucell_scorer_t *s, int worker)
{
    worker_t *w = &s->worker[worker];
    if (!w->auc && worker_init(s, w) != GRN_OK) return NULL;
    return &w->ranker;
}

void aucell_scorer_sum(aucell_scorer_t *s, int worker, const aucell_ranked_t *r, float *auc, double *wide)
{
    const aucell_sets_t *sets = s->opt.sets;
    worker_t *w = &s->worker[worker];
    if (sets->weight) sum_weights(s, w, r);
    for (size_t k = 0; k < s->n_tile; k++) {
        const aucell_tile_t *t = &s->tile[k];
        memset(w->sum, 0, t->n * sizeof *w->sum);
        s->rule.kernel->add(t, r->n, r->gene, r->class, r->least, r->gain, w->sum);
        s->rule.kernel->finish(w->sum, r->zero, sets->sum + t->first, s->unit, s->top + t->first, t->n, w->auc + t->first);
    }
    for (size_t k = 0; k < sets->names.n; k++) auc[k] = (float)w->auc[k];
    if (wide) memcpy(wide, w->auc, sets->names.n * sizeof *wide);
}

/* ---- blocks ---- */

typedef struct {
    aucell_scorer_t *s;
    const grn_matrix_t *block;  /* or */
    const grn_packed_t *packed; /* rows as they are stored */
    const grn_names_t *names;
    uint64_t first; /* name of row 0 */
    float *auc;
    double *wide;
    uint32_t *n_detected;
} job_t;

static void take_dense(const float *row, uint64_t n_cols, worker_t *w, size_t *n)
{
    size_t k = 0;
    for (uint32_t g = 0; g < n_cols; g++) {
        w->idx[k] = g;
        w->val[k] = row[g];
        k += row[g] != 0;
    }
    *n = k;
}

static grn_status take_row(const job_t *j, size_t i, worker_t *w, size_t *n, const uint32_t **idx, const float **val)
{
    const grn_matrix_t *m = j->block;
    *idx = w->idx;
    *val = w->val;
    if (j->packed) return grn_packed_row(j->packed, i, n, w->idx, w->val);
    if (m->is_dense) take_dense(m->dense + i * m->n_cols, m->n_cols, w, n);
    else grn_matrix_row(m, i, n, idx, val);
    return GRN_OK;
}

static grn_status score_chunk(void *ctx, size_t begin, size_t end, int worker)
{
    job_t *j = ctx;
    size_t R = j->s->opt.sets->names.n;
    aucell_ranker_t *ranker = aucell_scorer_ranker(j->s, worker);
    if (!ranker) return GRN_ENOMEM;
    for (size_t i = begin; i < end; i++) {
        size_t n;
        const uint32_t *idx;
        const float *val;
        aucell_ranked_t r;
        grn_status rc = take_row(j, i, &j->s->worker[worker], &n, &idx, &val);
        if (rc) return rc;
        aucell_rank_row(ranker, n, idx, val, grn_hash_str(grn_names_get(j->names, j->first + i)), &r);
        aucell_scorer_sum(j->s, worker, &r, j->auc + i * R, j->wide ? j->wide + i * R : NULL);
        j->n_detected[i] = r.n_detected;
    }
    return GRN_OK;
}

static grn_status score_rows(job_t *j, uint64_t n_rows, uint64_t n_cols)
{
    if (n_cols != j->s->rule.n_genes)
        return grn_err(GRN_ESHAPE, "the block has %llu columns, the gene sets %llu", (unsigned long long)n_cols,
                       (unsigned long long)j->s->rule.n_genes);
    return grn_par_for(j->s->pool, (size_t)n_rows, 16, score_chunk, j);
}

grn_status aucell_score_block(aucell_scorer_t *s, const grn_matrix_t *block, float *auc, double *wide, uint32_t *n_detected)
{
    job_t j = { s, block, NULL, &block->row, 0, auc, wide, n_detected };
    return score_rows(&j, block->n_rows, block->n_cols);
}

grn_status aucell_score_packed(aucell_scorer_t *s, const grn_packed_t *block, const grn_names_t *names, float *auc,
                               uint32_t *n_detected)
{
    job_t j = { s, NULL, block, names, block->first, auc, NULL, n_detected };
    return score_rows(&j, block->n_rows, block->n_cols);
}
