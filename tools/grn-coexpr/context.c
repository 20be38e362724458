#include "grn-coexpr/context.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "stat/rank.h"

enum { PART = 256, N_PARTS = COEXPR_SLAB / PART, GENES = 64, N_LOG = 32 };

void coexpr_context_clear(coexpr_context_t *c)
{
    free(c->gene);
    free(c->place);
    free(c->rank_off);
    free(c->rank);
    free(c->basis);
    memset(c, 0, sizeof *c);
}

typedef struct {
    uint64_t count;
    uint32_t gene;
} detected_t;

static int most_first(const void *a, const void *b)
{
    const detected_t *x = a, *y = b;
    if (x->count != y->count) return x->count > y->count ? -1 : 1;
    return (x->gene > y->gene) - (x->gene < y->gene);
}

grn_status coexpr_context_keep(coexpr_context_t *c, const uint8_t *keep, const uint64_t *count)
{
    grn_status rc = GRN_OK;
    detected_t *d = NULL;
    size_t n = c->store->n_genes;
    GRN_TRY(GRN_NEW(d, n));
    GRN_TRY(GRN_NEW(c->gene, n));
    GRN_TRY(GRN_NEW(c->place, n));
    for (uint32_t g = 0; g < n; g++) {
        c->place[g] = UINT32_MAX;
        if (keep[g]) d[c->n_genes++] = (detected_t){ count[g], g };
    }
    qsort(d, c->n_genes, sizeof *d, most_first);
    for (uint32_t k = 0; k < c->n_genes; k++) {
        c->gene[k] = d[k].gene;
        c->place[d[k].gene] = k;
    }
end:
    free(d);
    return rc;
}

/* ---- values of a cell ---- */

/* Values x[0..n) of the cell at place `at` of the context, with genes; ln of small counts is looked up. */
static void transform(const coexpr_context_t *c, size_t at, const uint32_t *gene, float *x, size_t n)
{
    if (c->value == COEXPR_VALUE_ONE)
        for (size_t k = 0; k < n; k++) x[k] = 1;
    if (c->value == COEXPR_VALUE_LOG) {
        float of[N_LOG];
        double per = 1e4, total = c->store->total[c->cell[at]];
        for (int k = 0; k < N_LOG; k++) of[k] = -1;
        for (size_t k = 0; k < n; k++) {
            int small = x[k] >= 0 && x[k] < N_LOG && x[k] == floorf(x[k]), i = small ? (int)x[k] : 0;
            if (small && of[i] >= 0) x[k] = of[i];
            else if (small) x[k] = of[i] = (float)log1p(per * (double)x[k] / total);
            else x[k] = (float)log1p(per * (double)x[k] / total);
        }
    }
    if (c->value == COEXPR_VALUE_RANK) {
        const float *rank = c->rank + c->rank_off[at];
        for (size_t k = 0; k < n; k++)
            if (c->place[gene[k]] != UINT32_MAX) x[k] = *rank++;
    }
}

/* ---- slabs ---- */

void coexpr_slab_clear(coexpr_slab_t *s)
{
    free(s->off);
    free(s->cell);
    free(s->x);
    free(s->mean);
    free(s->count);
    memset(s, 0, sizeof *s);
}

typedef struct {
    coexpr_slab_t *s;
    const coexpr_context_t *c;
    const uint32_t *place;
    size_t first;
    uint32_t *gene; /* per worker (genes of the store) */
    float *x;       /* per worker (genes of the store) */
} fill_t;

static grn_status count_parts(void *ctx, size_t begin, size_t end, int worker)
{
    fill_t *f = ctx;
    uint32_t *gene = f->gene + (size_t)worker * f->c->store->n_genes;
    for (size_t part = begin; part < end; part++) {
        uint32_t *count = f->s->count + part * f->s->n_cols;
        memset(count, 0, f->s->n_cols * sizeof *count);
        for (size_t i = part * PART; i < (part + 1) * PART && i < f->s->n; i++) {
            size_t n = coexpr_store_row(f->c->store, f->c->cell[f->first + i], gene, NULL);
            for (size_t k = 0; k < n; k++)
                if (f->place[gene[k]] != UINT32_MAX) count[f->place[gene[k]]]++;
        }
    }
    return GRN_OK;
}

static grn_status fill_parts(void *ctx, size_t begin, size_t end, int worker)
{
    fill_t *f = ctx;
    const coexpr_context_t *c = f->c;
    uint32_t *gene = f->gene + (size_t)worker * c->store->n_genes;
    float *x = f->x + (size_t)worker * c->store->n_genes;
    for (size_t part = begin; part < end; part++) {
        uint32_t *to = f->s->count + part * f->s->n_cols; /* by now: places within the column */
        for (size_t i = part * PART; i < (part + 1) * PART && i < f->s->n; i++) {
            size_t at = f->first + i, n = coexpr_store_row(c->store, c->cell[at], gene, x);
            double sum = 0;
            transform(c, at, gene, x, n);
            for (size_t k = 0; k < n; k++) {
                uint32_t j = f->place[gene[k]];
                if (c->place && c->place[gene[k]] != UINT32_MAX) sum += (double)x[k];
                if (j == UINT32_MAX) continue;
                uint64_t q = f->s->off[j] + to[j]++;
                f->s->cell[q] = (uint16_t)i;
                f->s->x[q] = x[k];
            }
            f->s->mean[i] = c->n_genes ? sum / (double)c->n_genes : 0;
        }
    }
    return GRN_OK;
}

grn_status coexpr_slab_fill(coexpr_slab_t *s, const coexpr_context_t *c, size_t first, size_t n, const uint32_t *place, size_t n_cols,
                            grn_par_t *pool)
{
    grn_status rc = GRN_OK;
    fill_t f = { s, c, place, first, NULL, NULL };
    size_t parts = (n + PART - 1) / PART, room = (size_t)grn_par_n(pool) * c->store->n_genes;
    s->n = n;
    s->n_cols = n_cols;
    GRN_TRY(GRN_NEW_RAW(f.gene, room));
    GRN_TRY(GRN_NEW_RAW(f.x, room));
    if (!s->mean) GRN_TRY(GRN_NEW_RAW(s->mean, COEXPR_SLAB));
    GRN_TRY(GRN_GROW(s->off, s->cap_off, n_cols + 1));
    GRN_TRY(GRN_GROW(s->count, s->cap_count, N_PARTS * n_cols));
    GRN_TRY(grn_par_for(pool, parts, 1, count_parts, &f));
    s->off[0] = 0;
    for (size_t j = 0; j < n_cols; j++) {
        uint32_t before = 0, own;
        for (size_t part = 0; part < parts; part++, before += own) {
            own = s->count[part * n_cols + j];
            s->count[part * n_cols + j] = before;
        }
        s->off[j + 1] = s->off[j] + before;
    }
    GRN_TRY(GRN_GROW(s->cell, s->cap_cell, (size_t)s->off[n_cols]));
    GRN_TRY(GRN_GROW(s->x, s->cap_x, (size_t)s->off[n_cols]));
    GRN_TRY(grn_par_for(pool, parts, 1, fill_parts, &f));
end:
    free(f.gene);
    free(f.x);
    return rc;
}

uint64_t coexpr_slab_room(const coexpr_context_t *c)
{
    uint64_t most = 0, sum = 0;
    for (size_t i = 0; i < c->n; i++) {
        sum += coexpr_store_n(c->store, c->cell[i]);
        if ((i + 1) % COEXPR_SLAB && i + 1 < c->n) continue;
        if (sum > most) most = sum;
        sum = 0;
    }
    return 2 * 6 * most + (uint64_t)c->store->n_genes * (N_PARTS * 4 + 16); /* columns grow by doubling */
}

grn_status coexpr_each_slab(const coexpr_context_t *c, const uint32_t *place, size_t n_cols, coexpr_slab_fn fn, void *ctx,
                            grn_par_t *pool)
{
    grn_status rc = GRN_OK;
    coexpr_slab_t s = { 0 };
    for (size_t first = 0; first < c->n; first += COEXPR_SLAB) {
        size_t n = c->n - first < COEXPR_SLAB ? c->n - first : COEXPR_SLAB;
        GRN_TRY(coexpr_slab_fill(&s, c, first, n, place, n_cols, pool));
        GRN_TRY(fn(ctx, &s, first, pool));
    }
end:
    coexpr_slab_clear(&s);
    return rc;
}

/* ---- moments ---- */

void coexpr_moments_clear(coexpr_moments_t *m)
{
    free(m->square);
    free(m->proj);
    free(m->with);
    free(m->cells);
    free(m->raw);
    free(m->raw2);
    memset(m, 0, sizeof *m);
}

grn_status coexpr_moments_init(coexpr_moments_t *m, size_t n_cols, size_t p)
{
    grn_status rc = GRN_OK;
    memset(m, 0, sizeof *m);
    m->n_cols = n_cols;
    m->p = p;
    GRN_TRY(GRN_NEW(m->square, n_cols));
    GRN_TRY(GRN_NEW(m->proj, p * n_cols));
    GRN_TRY(GRN_NEW(m->cells, n_cols));
end:
    return rc;
}

typedef struct {
    coexpr_moments_t *m;
    const coexpr_slab_t *s;
    const double *basis, *other;
} adding_t;

static void add_raw(coexpr_moments_t *m, const coexpr_slab_t *s, size_t j)
{
    for (uint64_t k = s->off[j]; k < s->off[j + 1]; k++) {
        double x = m->raw_log ? expm1((double)s->x[k]) : (double)s->x[k];
        m->raw[j] += x;
        m->raw2[j] += x * x;
    }
}

static void add_projection(coexpr_moments_t *m, const coexpr_slab_t *s, const double *basis, size_t j)
{
    if (m->p == 1) {
        double sum = m->proj[j];
        for (uint64_t k = s->off[j]; k < s->off[j + 1]; k++) sum += (double)s->x[k] * basis[s->cell[k]];
        m->proj[j] = sum;
        return;
    }
    for (uint64_t k = s->off[j]; k < s->off[j + 1]; k++) {
        const double *b = basis + (size_t)s->cell[k] * m->p;
        for (size_t q = 0; q < m->p; q++)
            if (b[q] != 0) m->proj[q * m->n_cols + j] += (double)s->x[k] * b[q];
    }
}

static grn_status add_columns(void *ctx, size_t begin, size_t end, int worker)
{
    adding_t *a = ctx;
    const coexpr_slab_t *s = a->s;
    coexpr_moments_t *m = a->m;
    (void)worker;
    for (size_t j = begin; j < end; j++) {
        double square = m->square[j], with = m->with ? m->with[j] : 0;
        for (uint64_t k = s->off[j]; k < s->off[j + 1]; k++) square += (double)s->x[k] * (double)s->x[k];
        m->square[j] = square;
        m->cells[j] += (double)(s->off[j + 1] - s->off[j]);
        if (a->basis) add_projection(m, s, a->basis, j);
        if (m->raw) add_raw(m, s, j);
        if (!m->with) continue;
        for (uint64_t k = s->off[j]; k < s->off[j + 1]; k++) with += (double)s->x[k] * a->other[s->cell[k]];
        m->with[j] = with;
    }
    return GRN_OK;
}

grn_status coexpr_moments_add(coexpr_moments_t *m, const coexpr_slab_t *s, const double *basis, const double *other, size_t first,
                              grn_par_t *pool)
{
    adding_t a = { m, s, basis ? basis + first * m->p : NULL, other ? other + first : NULL };
    return grn_par_for(pool, s->n_cols, GENES, add_columns, &a);
}

/* ---- ranks ---- */

typedef struct { /* some genes, one after the other in name order, as columns of the whole context */
    const coexpr_context_t *c;
    uint32_t *gene; /* (n_genes) of the store */
    size_t n_genes;
    uint64_t *off;
    float *x;
    uint64_t *at; /* where in c->rank */
    size_t n_longest;
    grn_rank_t *rank; /* per worker */
    double **tmp;
    grn_par_t *pool;
} ranking_t;

static grn_status rank_genes(void *ctx, size_t begin, size_t end, int worker)
{
    ranking_t *r = ctx;
    if (!r->tmp[worker] && !(r->tmp[worker] = grn_malloc(r->n_longest + 1, sizeof(double)))) return GRN_ENOMEM;
    for (size_t j = begin; j < end; j++) {
        double zero;
        size_t n = (size_t)(r->off[j + 1] - r->off[j]);
        grn_status rc = grn_rank_avg_sparse(&r->rank[worker], r->x + r->off[j], n, r->c->n, r->tmp[worker], &zero, NULL);
        if (rc != GRN_OK) return rc;
        for (size_t k = 0; k < n; k++) r->c->rank[r->at[r->off[j] + k]] = (float)(r->tmp[worker][k] - zero);
    }
    return GRN_OK;
}

/* Columns r->off of genes r->gene, which are those of the store from `from` to before `to` that are kept. */
static grn_status gather(ranking_t *r, uint32_t from, uint32_t to, const uint32_t *column, uint32_t *gene, float *x)
{
    grn_status rc = GRN_OK;
    const coexpr_context_t *c = r->c;
    uint64_t *next = NULL;
    GRN_TRY(GRN_NEW(next, r->n_genes + 1));
    memcpy(next, r->off, r->n_genes * sizeof *next);
    for (size_t i = 0; i < c->n; i++) {
        size_t n = coexpr_store_row(c->store, c->cell[i], gene, x);
        uint64_t at = c->rank_off[i];
        transform(c, i, gene, x, n);
        for (size_t k = 0; k < n && gene[k] < to; k++) {
            if (c->place[gene[k]] == UINT32_MAX) continue;
            if (gene[k] >= from) {
                uint64_t q = next[column[gene[k]]]++;
                r->x[q] = x[k];
                r->at[q] = at;
            }
            at++;
        }
    }
end:
    free(next);
    return rc;
}

/* Where the genes of each cell go in the list of ranks, and the values of each gene. */
static grn_status count_kept(coexpr_context_t *c, uint32_t *gene, uint64_t *count)
{
    grn_status rc = GRN_OK;
    GRN_TRY(GRN_NEW(c->rank_off, c->n + 1));
    for (size_t i = 0; i < c->n; i++) {
        size_t n = coexpr_store_row(c->store, c->cell[i], gene, NULL), kept = 0;
        for (size_t k = 0; k < n; k++) {
            if (c->place[gene[k]] == UINT32_MAX) continue;
            count[gene[k]]++;
            kept++;
        }
        c->rank_off[i + 1] = c->rank_off[i] + kept;
    }
    GRN_TRY(GRN_NEW_RAW(c->rank, (size_t)c->rank_off[c->n]));
end:
    return rc;
}

grn_status coexpr_context_rank(coexpr_context_t *c, uint64_t room, grn_par_t *pool)
{
    grn_status rc = GRN_OK;
    uint32_t n = (uint32_t)c->store->n_genes, *gene = NULL, *column = NULL;
    uint64_t *count = NULL;
    float *x = NULL;
    ranking_t r = { .c = c, .pool = pool };
    if (c->n >= 1u << 23) GRN_FAIL(GRN_EINVAL, "ranks of %zu cells are not exact: at most %u", c->n, (1u << 23) - 1);
    GRN_TRY(GRN_NEW_RAW(gene, n));
    GRN_TRY(GRN_NEW_RAW(column, n));
    GRN_TRY(GRN_NEW_RAW(x, n));
    GRN_TRY(GRN_NEW(count, n));
    GRN_TRY(GRN_NEW(r.off, (size_t)n + 1));
    GRN_TRY(GRN_NEW(r.rank, (size_t)grn_par_n(pool)));
    GRN_TRY(GRN_NEW(r.tmp, (size_t)grn_par_n(pool)));
    r.n_longest = c->n;
    GRN_TRY(count_kept(c, gene, count));
    for (uint32_t from = 0, to; from < n; from = to) {
        r.n_genes = 0;
        for (to = from; to < n && (to == from || (r.off[r.n_genes] + count[to]) * 12 <= room); to++) {
            if (c->place[to] == UINT32_MAX) continue;
            column[to] = (uint32_t)r.n_genes;
            r.off[r.n_genes + 1] = r.off[r.n_genes] + count[to];
            r.n_genes++;
        }
        GRN_TRY(GRN_NEW_RAW(r.x, (size_t)r.off[r.n_genes]));
        GRN_TRY(GRN_NEW_RAW(r.at, (size_t)r.off[r.n_genes]));
        GRN_TRY(gather(&r, from, to, column, gene, x));
        GRN_TRY(grn_par_for(pool, r.n_genes, 4, rank_genes, &r));
        free(r.x);
        free(r.at);
        r.x = NULL;
        r.at = NULL;
    }
    c->value = COEXPR_VALUE_RANK;
end:
    for (int w = 0; r.rank && r.tmp && w < grn_par_n(pool); w++) {
        grn_rank_clear(&r.rank[w]);
        free(r.tmp[w]);
    }
    free(r.rank);
    free(r.tmp);
    free(r.off);
    free(r.x);
    free(r.at);
    free(gene);
    free(column);
    free(x);
    free(count);
    return rc;
}
