#include "grn-coexpr/design.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"

#define DEPENDENT 1e-10 /* share of a column's square below which nothing of it is left */

typedef struct {
    double *col; /* (p, n) */
    size_t n, p, cap;
    double *new; /* (n) candidate */
} span_t;

static double dot(const double *a, const double *b, size_t n)
{
    double s = 0;
    for (size_t i = 0; i < n; i++) s += a[i] * b[i];
    return s;
}

/* Appends the candidate's part that is orthogonal to the columns so far. */
static grn_status extend(span_t *s)
{
    double before = dot(s->new, s->new, s->n), after;
    grn_status rc = GRN_OK;
    if (before == 0) return GRN_OK;
    for (int twice = 0; twice < 2; twice++)
        for (size_t q = 0; q < s->p; q++) {
            double share = dot(s->col + q * s->n, s->new, s->n);
            if (share == 0) continue;
            for (size_t i = 0; i < s->n; i++) s->new[i] -= share * s->col[q * s->n + i];
        }
    after = dot(s->new, s->new, s->n);
    if (after <= DEPENDENT * before) return GRN_OK;
    GRN_TRY(GRN_GROW(s->col, s->cap, (s->p + 1) * s->n));
    for (size_t i = 0; i < s->n; i++) s->col[s->p * s->n + i] = s->new[i] / sqrt(after);
    s->p++;
end:
    return rc;
}

static grn_status add_levels(span_t *s, const coexpr_covariate_t *v, const uint32_t *cell)
{
    grn_status rc = GRN_OK;
    uint32_t *order = NULL;
    GRN_TRY(GRN_NEW(order, v->levels->n));
    GRN_TRY(grn_names_sort(v->levels, order));
    for (size_t l = 0; l < v->levels->n; l++) {
        for (size_t i = 0; i < s->n; i++) s->new[i] = v->code[cell[i]] == (int32_t)order[l];
        GRN_TRY(extend(s));
    }
end:
    free(order);
    return rc;
}

static grn_status add_number(span_t *s, const coexpr_covariate_t *v, const uint32_t *cell)
{
    double mean = 0;
    for (size_t i = 0; i < s->n; i++) mean += v->num[cell[i]] / (double)s->n;
    for (size_t i = 0; i < s->n; i++) s->new[i] = v->num[cell[i]] - mean;
    return extend(s);
}

grn_status coexpr_design(const coexpr_covariate_t *v, size_t n_v, const uint32_t *cell, size_t n, double **basis, size_t *p)
{
    grn_status rc = GRN_OK;
    span_t s = { .n = n };
    *basis = NULL;
    GRN_TRY(GRN_NEW_RAW(s.new, n));
    if (n_v == 0 || !v[0].code) { /* else the levels of the first sum to one in every cell */
        for (size_t i = 0; i < n; i++) s.new[i] = 1;
        GRN_TRY(extend(&s));
    }
    for (size_t k = 0; k < n_v; k++) GRN_TRY(v[k].code ? add_levels(&s, &v[k], cell) : add_number(&s, &v[k], cell));
    GRN_TRY(GRN_NEW_RAW(*basis, n * s.p));
    for (size_t i = 0; i < n; i++)
        for (size_t q = 0; q < s.p; q++) (*basis)[i * s.p + q] = s.col[q * n + i];
    *p = s.p;
end:
    free(s.new);
    free(s.col);
    return rc;
}

/* ---- shuffled cells ---- */

typedef struct {
    uint64_t key;
    uint32_t at;
} keyed_t;

static int by_key(const void *a, const void *b)
{
    const keyed_t *x = a, *y = b;
    if (x->key != y->key) return x->key < y->key ? -1 : 1;
    return (x->at > y->at) - (x->at < y->at);
}

/* Cells with the same levels get the same key. */
static uint64_t stratum(const coexpr_covariate_t *v, size_t n_v, uint32_t cell)
{
    uint64_t key = 0;
    for (size_t k = 0; k < n_v; k++)
        if (v[k].code) key = grn_rng_mix(key ^ grn_hash_str(grn_names_get(v[k].levels, (size_t)v[k].code[cell])));
    return key;
}

grn_status coexpr_shuffle(const coexpr_covariate_t *v, size_t n_v, const uint32_t *cell, size_t n, uint64_t seed, uint64_t context,
                          uint64_t round, uint32_t *order)
{
    grn_status rc = GRN_OK;
    grn_rng_t rng;
    keyed_t *k = NULL;
    uint32_t *at = NULL;
    grn_rng_init2(&rng, seed, "coexpr.null", context, round);
    GRN_TRY(GRN_NEW_RAW(k, n));
    GRN_TRY(GRN_NEW_RAW(at, n));
    for (uint32_t i = 0; i < n; i++) k[i] = (keyed_t){ stratum(v, n_v, cell[i]), i };
    qsort(k, n, sizeof *k, by_key);
    for (size_t i = 0; i < n; i++) at[i] = k[i].at;
    for (size_t i = 0, j; i < n; i = j) {
        for (j = i; j < n && k[j].key == k[i].key; j++) {}
        grn_rng_shuffle_u32(&rng, at + i, j - i);
    }
    for (size_t i = 0; i < n; i++) order[k[i].at] = at[i];
end:
    free(k);
    free(at);
    return rc;
}
