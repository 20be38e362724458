#include "boost/bins.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void grn_bins_clear(grn_bins_t *b)
{
    free(b->run_off);
    free(b->n_above);
    free(b->rest);
    free(b->low);
    free(b->high);
    free(b->cell_off);
    free(b->cell);
    memset(b, 0, sizeof *b);
}

uint64_t grn_bins_bytes(const grn_bins_t *b)
{
    uint64_t runs = b->p ? b->run_off[b->p] : 0;
    return b->p * 16 + runs * 16 + (runs ? b->cell_off[runs] * 4 : 0);
}

typedef struct { /* cells of one value, or of several that make a bin */
    float low, high;
    size_t begin, end; /* in the sorted entries */
} run_t;

typedef struct {
    uint64_t *key; /* (n) value, then cell */
    run_t *run;    /* (n) */
} scratch_t;

typedef struct { /* one predictor */
    size_t n_run, n_above, n_cell;
    float rest;
    float *low, *high;
    uint32_t *size; /* (n_run) */
    uint32_t *cell; /* (n_cell) */
    int binned;
} column_t;

typedef struct {
    size_t n, max_bins;
    const uint64_t *off;
    const uint32_t *idx;
    const float *val;
    column_t *column;
    scratch_t *scratch; /* per worker */
} job_t;

/* Floats in the order of their values; -0 is 0. */
static uint32_t ordered_bits(float x)
{
    uint32_t u;
    x += 0.0f;
    memcpy(&u, &x, sizeof u);
    return u & 0x80000000u ? ~u : u | 0x80000000u;
}

static float from_ordered(uint32_t u)
{
    float x;
    u = u & 0x80000000u ? u & 0x7fffffffu : ~u;
    memcpy(&x, &u, sizeof x);
    return x;
}

static int by_key(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* All n cells of column j, by value, then cell; `n_kept` of them are stored when zero is not. */
static grn_status sort_column(const job_t *job, size_t j, uint64_t *key, size_t *n_key, int *zero_stored)
{
    size_t begin = job->off[j], nz = job->off[j + 1] - begin, n = 0, stored_zeros = 0;
    for (size_t k = 0; k < nz; k++) {
        float x = job->val[begin + k];
        if (!isfinite(x)) return grn_err(GRN_ENONFINITE, "predictor %zu holds %g in cell %u", j, x, job->idx[begin + k]);
        stored_zeros += x == 0;
        key[n++] = (uint64_t)ordered_bits(x) << 32 | job->idx[begin + k];
    }
    size_t zeros = job->n - nz + stored_zeros;
    *zero_stored = zeros <= job->n / 2; /* else nothing can be more frequent */
    if (*zero_stored) {
        uint32_t cell = 0;
        for (size_t k = 0; k < nz; k++, cell++)
            for (; cell < job->idx[begin + k]; cell++) key[n++] = (uint64_t)ordered_bits(0) << 32 | cell;
        for (; cell < job->n; cell++) key[n++] = (uint64_t)ordered_bits(0) << 32 | cell;
    }
    if (n) qsort(key, n, sizeof *key, by_key);
    *n_key = n;
    return GRN_OK;
}

static size_t find_runs(const uint64_t *key, size_t n, run_t *run)
{
    size_t m = 0;
    for (size_t i = 0, e; i < n; i = e) {
        for (e = i + 1; e < n && key[e] >> 32 == key[i] >> 32; e++) {}
        float x = from_ordered((uint32_t)(key[i] >> 32));
        run[m++] = (run_t){ x, x, i, e };
    }
    return m;
}

/* Joins neighbours among run[0..m) until at most `bins` are left, of about equal size. */
static size_t join_runs(run_t *run, size_t m, size_t bins)
{
    size_t left = 0, to = 0;
    if (m <= bins) return m;
    for (size_t k = 0; k < m; k++) left += run[k].end - run[k].begin;
    for (size_t k = 0; k < m;) {
        size_t want = bins > to ? (left + (bins - to) - 1) / (bins - to) : left, have = 0;
        run_t r = run[k];
        do {
            have += run[k].end - run[k].begin;
            r.high = run[k].high;
            r.end = run[k].end;
            k++;
        } while (k < m && (have < want || to + 1 >= bins));
        left -= have;
        run[to++] = r;
    }
    return to;
}

/* How many of `bins` go to the part below the rest: in proportion to its cells, at least one to a part that has any. */
static size_t bins_below(size_t below_cells, size_t above_cells, size_t bins)
{
    size_t b = (size_t)((double)bins * (double)below_cells / (double)(below_cells + above_cells) + 0.5);
    if (below_cells && b < 1) b = 1;
    if (above_cells && b > bins - 1) b = bins - 1;
    return b;
}

static grn_status store(const uint64_t *key, const run_t *above, size_t n_above, const run_t *below, size_t n_below, column_t *c)
{
    grn_status rc = GRN_OK;
    size_t m = 0, at = 0;
    c->n_above = n_above;
    c->n_run = n_above + n_below;
    for (size_t k = 0; k < n_above; k++) c->n_cell += above[k].end - above[k].begin;
    for (size_t k = 0; k < n_below; k++) c->n_cell += below[k].end - below[k].begin;
    GRN_TRY(GRN_NEW_RAW(c->low, c->n_run));
    GRN_TRY(GRN_NEW_RAW(c->high, c->n_run));
    GRN_TRY(GRN_NEW_RAW(c->size, c->n_run));
    GRN_TRY(GRN_NEW_RAW(c->cell, c->n_cell));
    for (; m < c->n_run; m++) {
        const run_t *r = m < n_above ? &above[n_above - 1 - m] : &below[m - n_above];
        c->low[m] = r->low;
        c->high[m] = r->high;
        c->size[m] = (uint32_t)(r->end - r->begin);
        for (size_t i = r->begin; i < r->end; i++) c->cell[at++] = (uint32_t)key[i];
    }
end:
    return rc;
}

static int by_cell(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* Cells of a bin ascend, for the sake of memory. */
static void order_cells(column_t *c)
{
    uint32_t *cell = c->cell;
    for (size_t m = 0; m < c->n_run; cell += c->size[m++])
        if (c->low[m] < c->high[m]) qsort(cell, c->size[m], sizeof *cell, by_cell);
}

static grn_status bin_column(const job_t *job, size_t j, scratch_t *s)
{
    grn_status rc = GRN_OK;
    column_t *c = &job->column[j];
    size_t n_key = 0, n_run, best = 0, at = 0, below, above, n_above, n_below;
    int zero_stored = 0;
    run_t *run = s->run;
    GRN_TRY(sort_column(job, j, s->key, &n_key, &zero_stored));
    n_run = find_runs(s->key, n_key, run);
    if (zero_stored) { /* the most frequent value, the lowest of equals */
        for (size_t k = 0; k < n_run; k++) {
            size_t size = run[k].end - run[k].begin;
            if (size > best) best = size, at = k;
        }
        c->rest = run[at].low;
    } else { /* zero, even where some are stored */
        while (at < n_run && run[at].low < 0) at++;
    }
    int skip = at < n_run && run[at].low == c->rest;
    n_below = at;
    n_above = n_run - at - (size_t)skip;
    run_t *up = run + at + skip;
    if (n_below + n_above > job->max_bins) {
        below = n_below ? run[n_below - 1].end : 0;
        above = n_above ? n_key - up[0].begin : 0;
        size_t b = bins_below(below, above, job->max_bins);
        n_below = join_runs(run, n_below, b);
        n_above = join_runs(up, n_above, job->max_bins - b);
        c->binned = 1;
    }
    GRN_TRY(store(s->key, up, n_above, run, n_below, c));
    if (c->binned) order_cells(c);
end:
    return rc;
}

static grn_status bin_work(void *ctx, size_t begin, size_t end, int worker)
{
    const job_t *job = ctx;
    for (size_t j = begin; j < end; j++) {
        grn_status rc = bin_column(job, j, &job->scratch[worker]);
        if (rc) return rc;
    }
    return GRN_OK;
}

static grn_status join_columns(grn_bins_t *b, const column_t *c)
{
    grn_status rc = GRN_OK;
    uint64_t runs = 0, cells = 0;
    GRN_TRY(GRN_NEW(b->run_off, b->p + 1));
    GRN_TRY(GRN_NEW_RAW(b->n_above, b->p));
    GRN_TRY(GRN_NEW_RAW(b->rest, b->p));
    for (size_t j = 0; j < b->p; j++) {
        b->n_above[j] = (uint32_t)c[j].n_above;
        b->rest[j] = c[j].rest;
        b->run_off[j + 1] = runs += c[j].n_run;
        cells += c[j].n_cell;
        b->n_binned += (size_t)c[j].binned;
    }
    GRN_TRY(GRN_NEW_RAW(b->low, runs));
    GRN_TRY(GRN_NEW_RAW(b->high, runs));
    GRN_TRY(GRN_NEW(b->cell_off, runs + 1));
    GRN_TRY(GRN_NEW_LARGE(b->cell, cells));
    cells = 0;
    for (size_t j = 0; j < b->p; j++) {
        uint64_t r = b->run_off[j];
        memcpy(b->low + r, c[j].low, c[j].n_run * sizeof *b->low);
        memcpy(b->high + r, c[j].high, c[j].n_run * sizeof *b->high);
        memcpy(b->cell + cells, c[j].cell, c[j].n_cell * sizeof *b->cell);
        for (size_t m = 0; m < c[j].n_run; m++) b->cell_off[r + m + 1] = cells += c[j].size[m];
    }
end:
    return rc;
}

grn_status grn_bins_init(grn_bins_t *b, size_t n, size_t p, const uint64_t *off, const uint32_t *idx, const float *val, size_t max_bins,
                         grn_par_t *pool)
{
    grn_status rc = GRN_OK;
    int n_worker = grn_par_n(pool);
    job_t job = { n, max_bins, off, idx, val, NULL, NULL };
    *b = (grn_bins_t){ .n = n, .p = p };
    if (max_bins < 2) GRN_FAIL(GRN_EINVAL, "%zu bins; at least 2 are needed", max_bins);
    GRN_TRY(GRN_NEW(job.column, p));
    GRN_TRY(GRN_NEW(job.scratch, (size_t)n_worker));
    for (int w = 0; w < n_worker; w++) {
        GRN_TRY(GRN_NEW_RAW(job.scratch[w].key, n));
        GRN_TRY(GRN_NEW_RAW(job.scratch[w].run, n));
    }
    GRN_TRY(grn_par_for(pool, p, 16, bin_work, &job));
    GRN_TRY(join_columns(b, job.column));
end:
    for (int w = 0; job.scratch && w < n_worker; w++) {
        free(job.scratch[w].key);
        free(job.scratch[w].run);
    }
    for (size_t j = 0; job.column && j < p; j++) {
        free(job.column[j].low);
        free(job.column[j].high);
        free(job.column[j].size);
        free(job.column[j].cell);
    }
    free(job.scratch);
    free(job.column);
    if (rc) grn_bins_clear(b);
    return rc;
}
