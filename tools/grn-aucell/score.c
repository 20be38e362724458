#include "grn-aucell/score.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"

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

double aucell_gain(uint64_t a, uint64_t b, uint64_t c)
{
    uint64_t last = b < c ? b : c; /* ranks a..last-1 count, c-a down to c-last+1 */
    if (a >= c) return 0;
    return (double)((last - a) * ((c - a) + (c - last + 1))) / 2 / (double)(b - a);
}

typedef struct {
    uint64_t key; /* ascending key = better rank */
    uint32_t gene;
} ranked_t;

/* Per worker. Sums of a set are kept per tie block as integers and added when the block is left, so that the order within ties is
 * without effect. */
typedef struct {
    ranked_t *a, *tmp;
    double *sum;    /* (R) closed blocks */
    int64_t *open;  /* (R) weight in the set's open block */
    double *gain;   /* (R) gain of that block */
    uint32_t *rank; /* (R) first rank of that block */
    uint32_t *idx;  /* (G) non-zero columns of a dense row */
    float *val;     /* (G) their values */
    uint8_t *seen;  /* (G) scratch, kept zero */
} work_t;

typedef struct {
    const aucell_opt_t *opt;
    const grn_matrix_t *block;
    float *auc;
    uint32_t *n_detected;
    work_t *work;
} job_t;

static grn_status work_init(work_t *w, size_t n_genes, size_t n_sets)
{
    grn_status rc = GRN_OK;
    GRN_TRY(GRN_NEW_RAW(w->a, n_genes));
    GRN_TRY(GRN_NEW_RAW(w->tmp, n_genes));
    GRN_TRY(GRN_NEW(w->sum, n_sets));
    GRN_TRY(GRN_NEW(w->open, n_sets));
    GRN_TRY(GRN_NEW(w->gain, n_sets));
    GRN_TRY(GRN_NEW(w->rank, n_sets));
    GRN_TRY(GRN_NEW_RAW(w->idx, n_genes));
    GRN_TRY(GRN_NEW_RAW(w->val, n_genes));
    GRN_TRY(GRN_NEW(w->seen, n_genes));
end:
    return rc;
}

static void work_clear(work_t *w)
{
    free(w->a);
    free(w->tmp);
    free(w->sum);
    free(w->open);
    free(w->gain);
    free(w->rank);
    free(w->idx);
    free(w->val);
    free(w->seen);
}

/* Descending order of floats as ascending integers: positive below 2^31, negative from there on. */
static uint64_t descending_key(float x)
{
    uint32_t b;
    memcpy(&b, &x, sizeof b);
    return b >> 31 ? b : ~b & 0x7fffffffu;
}

/* Sorts by the low `bits` bits of the key. */
static void radix_sort(ranked_t *a, ranked_t *tmp, size_t n, int bits)
{
    for (int shift = 0; shift < bits; shift += 8) {
        uint32_t count[257] = { 0 };
        for (size_t i = 0; i < n; i++) count[(a[i].key >> shift & 255) + 1]++;
        if (n == 0 || count[(a[0].key >> shift & 255) + 1] == n) continue;
        for (int d = 0; d < 256; d++) count[d + 1] += count[d];
        for (size_t i = 0; i < n; i++) tmp[count[a[i].key >> shift & 255]++] = a[i];
        memcpy(a, tmp, n * sizeof *a);
    }
}

/* Moves to the front the items that can be among the `top` smallest keys, by the 2,048 classes of bits shift..shift+10; their
 * number. */
static size_t preselect(ranked_t *a, size_t n, size_t top, int shift)
{
    uint32_t count[2048] = { 0 };
    size_t kept = 0, seen = 0;
    uint32_t last = 0;
    if (n <= top) return n;
    for (size_t i = 0; i < n; i++) count[a[i].key >> shift & 2047]++;
    for (; last < 2047; last++)
        if ((seen += count[last]) >= top) break;
    for (size_t i = 0; i < n; i++)
        if ((a[i].key >> shift & 2047) <= last) a[kept++] = a[i];
    return kept;
}

/* Adds weight to set `s` in the tie block that begins at `rank`. */
static inline void add_to_set(work_t *w, uint32_t s, int64_t weight, uint32_t rank, double gain)
{
    if (w->rank[s] != rank) {
        w->sum[s] += (double)w->open[s] * w->gain[s];
        w->open[s] = 0;
        w->rank[s] = rank;
        w->gain[s] = gain;
    }
    w->open[s] += weight;
}

static void add_gene(const aucell_sets_t *sets, work_t *w, uint32_t gene, uint32_t rank, double gain)
{
    for (uint64_t k = sets->off[gene]; k < sets->off[gene + 1]; k++) add_to_set(w, sets->set[k], sets->weight[k], rank, gain);
}

/* Genes a[0..n) share the ranks from `rank` on: a random order of them, and their contributions. */
static void add_shuffled(const aucell_opt_t *opt, work_t *w, ranked_t *a, size_t n, uint32_t rank, uint64_t cell)
{
    size_t top = opt->cut > rank ? opt->cut - rank : 0;
    for (size_t i = 0; i < n; i++) a[i].key = grn_rng_key(opt->seed, "aucell.ties", cell, opt->gene_key[a[i].gene]);
    n = preselect(a, n, top, 53);
    radix_sort(a, w->tmp, n, 64);
    for (size_t i = 0; i < n && i < top; i++) add_gene(opt->sets, w, a[i].gene, rank + (uint32_t)i, opt->cut - rank - (double)i);
}

/* The values of one sign of a row, which take the ranks from `base` on: sorted as far as they count, tie block by tie block. */
static void add_values(const aucell_opt_t *opt, work_t *w, size_t n_nz, const uint32_t *idx, const float *val, int negative,
                       size_t base, uint64_t cell)
{
    size_t n = 0, top;
    if (base >= opt->cut) return;
    top = opt->cut - base;
    for (size_t i = 0; i < n_nz; i++)
        if (negative ? val[i] < 0 : val[i] > 0) w->a[n++] = (ranked_t){ descending_key(val[i]), idx[i] };
    n = preselect(w->a, n, top, 20);
    radix_sort(w->a, w->tmp, n, 32);
    for (size_t i = 0, j; i < n && i < top; i = j) {
        uint64_t key = w->a[i].key;
        double gain;
        for (j = i + 1; j < n && w->a[j].key == key; j++) {}
        if (opt->random_ties && j - i > 1) {
            add_shuffled(opt, w, w->a + i, j - i, (uint32_t)(base + i), cell);
            continue;
        }
        gain = aucell_gain(base + i, base + j, opt->cut);
        for (size_t k = i; k < j; k++) add_gene(opt->sets, w, w->a[k].gene, (uint32_t)(base + i), gain);
    }
}

/* The genes at zero: one tie block behind n_pos better ones. Exact: every set gets the gain for its whole weight, less that of
 * its genes that are not zero. */
static void add_zeros(const aucell_opt_t *opt, work_t *w, size_t n_nz, const uint32_t *idx, size_t n_pos, uint64_t cell)
{
    const aucell_sets_t *sets = opt->sets;
    size_t n_zero = (size_t)sets->n_genes - n_nz, n = 0;
    double gain;
    if (n_pos >= opt->cut || n_zero == 0) return;
    if (opt->random_ties) {
        for (size_t i = 0; i < n_nz; i++) w->seen[idx[i]] = 1;
        for (uint32_t g = 0; g < sets->n_genes; g++)
            if (!w->seen[g]) w->a[n++].gene = g;
        for (size_t i = 0; i < n_nz; i++) w->seen[idx[i]] = 0;
        add_shuffled(opt, w, w->a, n, (uint32_t)n_pos, cell);
        return;
    }
    gain = aucell_gain(n_pos, n_pos + n_zero, opt->cut);
    for (uint32_t s = 0; s < sets->names.n; s++) add_to_set(w, s, sets->sum[s], (uint32_t)n_pos, gain);
    for (size_t i = 0; i < n_nz; i++)
        for (uint64_t k = sets->off[idx[i]]; k < sets->off[idx[i] + 1]; k++) w->open[sets->set[k]] -= sets->weight[k];
}

static void score_row(const aucell_opt_t *opt, work_t *w, size_t n_nz, const uint32_t *idx, const float *val, uint64_t cell,
                      float *auc, uint32_t *n_detected)
{
    const aucell_sets_t *sets = opt->sets;
    size_t n_pos = 0;
    for (size_t i = 0; i < n_nz; i++) n_pos += val[i] > 0;
    memset(w->sum, 0, sets->names.n * sizeof *w->sum);
    memset(w->open, 0, sets->names.n * sizeof *w->open);
    memset(w->rank, 0xff, sets->names.n * sizeof *w->rank); /* no block */
    add_values(opt, w, n_nz, idx, val, 0, 0, cell);
    add_zeros(opt, w, n_nz, idx, n_pos, cell);
    add_values(opt, w, n_nz, idx, val, 1, (size_t)sets->n_genes - (n_nz - n_pos), cell);
    for (size_t s = 0; s < sets->names.n; s++) {
        double top = opt->attainable ? sets->best[s] : ((double)opt->cut + 1) * (double)sets->sum[s];
        auc[s] = (float)((w->sum[s] + (double)w->open[s] * w->gain[s]) / top);
    }
    *n_detected = (uint32_t)n_pos;
}

static grn_status score_chunk(void *ctx, size_t begin, size_t end, int worker)
{
    job_t *job = ctx;
    const grn_matrix_t *m = job->block;
    work_t *w = &job->work[worker];
    size_t n_sets = job->opt->sets->names.n;
    if (!w->seen && work_init(w, (size_t)m->n_cols, n_sets) != GRN_OK) return GRN_ENOMEM;
    for (size_t i = begin; i < end; i++) {
        size_t n_nz = 0;
        const uint32_t *idx = w->idx;
        const float *val = w->val;
        if (m->is_dense) {
            const float *row = m->dense + i * m->n_cols;
            for (uint32_t g = 0; g < m->n_cols; g++)
                if (row[g] != 0) {
                    w->idx[n_nz] = g;
                    w->val[n_nz++] = row[g];
                }
        } else {
            grn_matrix_row(m, i, &n_nz, &idx, &val);
        }
        score_row(job->opt, w, n_nz, idx, val, grn_hash_str(grn_names_get(&m->row, i)), job->auc + i * n_sets,
                  &job->n_detected[i]);
    }
    return GRN_OK;
}

grn_status aucell_score_block(const aucell_opt_t *opt, const grn_matrix_t *block, grn_par_t *pool, float *auc,
                              uint32_t *n_detected)
{
    grn_status rc = GRN_OK;
    job_t job = { opt, block, auc, n_detected, NULL };
    if (block->n_cols != opt->sets->n_genes)
        GRN_FAIL(GRN_ESHAPE, "the block has %llu columns, the gene sets %llu", (unsigned long long)block->n_cols,
                 (unsigned long long)opt->sets->n_genes);
    GRN_TRY(GRN_NEW(job.work, (size_t)grn_par_n(pool)));
    GRN_TRY(grn_par_for(pool, (size_t)block->n_rows, 16, score_chunk, &job));
end:
    for (int k = 0; job.work && k < grn_par_n(pool); k++) work_clear(&job.work[k]);
    free(job.work);
    return rc;
}
