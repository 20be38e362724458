#include "topic_metrics.h"

#include <gsl/gsl_eigen.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define REGIONS_PER_BLOCK 4096

void grn_topic_metrics_clear(grn_topic_metrics_t *m)
{
    free(m->coherence);
    free(m->gini);
    free(m->share);
    free(m->twin);
    memset(m, 0, sizeof *m);
}

/* ---- products of topics: sum over regions of a[r][i] b[r][j] ---- */

typedef struct {
    const float *a, *b;
    size_t R;
    uint32_t K;
    double *part; /* (blocks, K, K) */
} product_t;

static grn_status product_work(void *ctx, size_t begin, size_t end, int worker)
{
    product_t *p = ctx;
    const uint32_t K = p->K;
    (void)worker;
    for (size_t q = begin; q < end; q++) {
        double *out = p->part + q * K * K;
        size_t last = (q + 1) * REGIONS_PER_BLOCK < p->R ? (q + 1) * REGIONS_PER_BLOCK : p->R;
        for (size_t r = q * REGIONS_PER_BLOCK; r < last; r++)
            for (uint32_t i = 0; i < K; i++) {
                double x = (double)p->a[r * K + i];
                for (uint32_t j = 0; j < K; j++) out[i * K + j] += x * (double)p->b[r * K + j];
            }
    }
    return GRN_OK;
}

/* out (K, K); blocks are added in their order. */
static grn_status topic_products(const float *a, const float *b, size_t R, uint32_t K, grn_par_t *pool, double *out)
{
    product_t p = { a, b, R, K, NULL };
    size_t n = (R + REGIONS_PER_BLOCK - 1) / REGIONS_PER_BLOCK, kk = (size_t)K * K;
    grn_status rc = GRN_NEW(p.part, n * kk);
    if (!rc) rc = grn_par_for(pool, n, 1, product_work, &p);
    memset(out, 0, kk * sizeof *out);
    for (size_t q = 0; !rc && q < n; q++)
        for (size_t i = 0; i < kk; i++) out[i] += p.part[q * kk + i];
    free(p.part);
    return rc;
}

static int descending(const void *x, const void *y)
{
    double a = *(const double *)x, b = *(const double *)y;
    return a < b ? 1 : a > b ? -1 : 0;
}

/* Sorted descending and divided by the sum. */
static void to_shares(double *x, size_t n)
{
    double sum = 0;
    qsort(x, n, sizeof *x, descending);
    for (size_t i = 0; i < n; i++) sum += x[i];
    for (size_t i = 0; i < n; i++) x[i] /= sum;
}

/* size: (K) tokens of each topic; gram: phi' phi. */
static grn_status arun(const double *gram, const double *size, uint32_t K, double *out)
{
    grn_status rc = GRN_OK;
    double *s = NULL, *t = NULL;
    gsl_eigen_symm_workspace *w = gsl_eigen_symm_alloc(K);
    gsl_matrix *a = gsl_matrix_alloc(K, K);
    gsl_vector *e = gsl_vector_alloc(K);
    if (!w || !a || !e) GRN_FAIL(GRN_ENOMEM, "out of memory: %u topics", K);
    GRN_TRY(GRN_NEW(s, K));
    GRN_TRY(GRN_NEW(t, K));
    for (uint32_t i = 0; i < K; i++)
        for (uint32_t j = 0; j < K; j++) gsl_matrix_set(a, i, j, gram[i * K + j]);
    gsl_eigen_symm(a, e, w);
    for (uint32_t k = 0; k < K; k++) {
        s[k] = sqrt(fmax(gsl_vector_get(e, k), 1e-300));
        t[k] = fmax(size[k], 1e-300);
    }
    to_shares(s, K);
    to_shares(t, K);
    *out = 0;
    for (uint32_t k = 0; k < K; k++) *out += (s[k] - t[k]) * log(s[k] / t[k]);
end:
    free(s);
    free(t);
    if (w) gsl_eigen_symm_free(w);
    if (a) gsl_matrix_free(a);
    if (e) gsl_vector_free(e);
    return rc;
}

/* Mean cosine of pairs; the largest of each topic to another; how many are distinct. */
static void similarity(const double *gram, grn_topic_metrics_t *m)
{
    double sum = 0;
    const uint32_t K = m->K;
    for (uint32_t i = 0; i < K; i++) {
        m->twin[i] = NAN;
        for (uint32_t j = 0; j < K; j++) {
            if (i == j) continue;
            double cosine = gram[i * K + j] / sqrt(gram[i * K + i] * gram[j * K + j]);
            m->twin[i] = fmax(m->twin[i], cosine);
            sum += cosine;
        }
        m->n_distinct += !(m->twin[i] >= GRN_TOPIC_TWIN);
    }
    m->cao_juan = K > 1 ? sum / ((double)K * (K - 1)) : NAN;
}

/* ---- coherence ---- */

typedef struct {
    uint32_t *top;     /* (K, n) regions by place, most probable first */
    uint32_t n, *slot; /* regions looked at; (R) place -> bitmap, UINT32_MAX: none */
    size_t n_slots, words;
    uint64_t *bits; /* (n_slots, words) cells with the region */
} top_t;

static void top_clear(top_t *t)
{
    free(t->top);
    free(t->slot);
    free(t->bits);
}

/* The n largest of column k, ties to the lower place. */
static void top_regions(const grn_corpus_t *c, const float *phi, uint32_t K, uint32_t k, uint32_t n, uint32_t *top, float *value)
{
    uint32_t m = 0;
    for (size_t i = 0; i < c->R; i++) {
        uint32_t place = c->region_place[i], at = m;
        float x = phi[i * K + k];
        while (at && (value[at - 1] < x || (value[at - 1] == x && top[at - 1] > place))) at--;
        if (at == n) continue;
        m += m < n;
        memmove(top + at + 1, top + at, (m - at - 1) * sizeof *top);
        memmove(value + at + 1, value + at, (m - at - 1) * sizeof *value);
        top[at] = place;
        value[at] = x;
    }
}

static grn_status find_top(const grn_corpus_t *c, const grn_lda_t *t, top_t *o)
{
    grn_status rc = GRN_OK;
    float value[GRN_TOPIC_TOP + 1];
    o->n = c->R < GRN_TOPIC_TOP ? (uint32_t)c->R : GRN_TOPIC_TOP;
    o->words = (c->C + 63) / 64;
    GRN_TRY(GRN_NEW(o->top, (size_t)t->K * o->n + 1));
    GRN_TRY(GRN_NEW_RAW(o->slot, c->R));
    memset(o->slot, 0xff, c->R * sizeof *o->slot);
    for (uint32_t k = 0; k < t->K; k++) {
        uint32_t *top = o->top + (size_t)k * o->n;
        top_regions(c, t->phi, t->K, k, o->n, top, value);
        for (uint32_t i = 0; i < o->n; i++)
            if (o->slot[top[i]] == UINT32_MAX) o->slot[top[i]] = (uint32_t)o->n_slots++;
    }
    GRN_TRY(GRN_NEW(o->bits, o->n_slots * o->words));
    for (size_t b = 0; b < c->n_blocks; b++)
        for (size_t cell = 0; cell < c->C; cell++) {
            uint32_t n;
            const uint16_t *token = grn_corpus_run(c, b, cell, &n);
            for (uint32_t i = 0; i < n; i++) {
                uint32_t s = o->slot[b * GRN_CORPUS_BLOCK + (token[i] & GRN_CORPUS_REGION)];
                if (s != UINT32_MAX) o->bits[s * o->words + cell / 64] |= UINT64_C(1) << cell % 64;
            }
        }
end:
    return rc;
}

static uint64_t cells_with(const top_t *o, uint32_t a, uint32_t b)
{
    const uint64_t *x = o->bits + o->slot[a] * o->words, *y = o->bits + o->slot[b] * o->words;
    uint64_t n = 0;
    for (size_t i = 0; i < o->words; i++) n += (uint64_t)__builtin_popcountll(x[i] & y[i]);
    return n;
}

static grn_status coherence(const grn_corpus_t *c, const grn_lda_t *t, grn_topic_metrics_t *m)
{
    grn_status rc = GRN_OK;
    top_t o = { 0 };
    double *sorted = NULL;
    GRN_TRY(find_top(c, t, &o));
    GRN_TRY(GRN_NEW(sorted, t->K));
    for (uint32_t k = 0; k < t->K; k++) {
        const uint32_t *top = o.top + (size_t)k * o.n;
        double sum = 0;
        for (uint32_t i = 1; i < o.n; i++)
            for (uint32_t l = 0; l < i; l++) {
                double one = (double)cells_with(&o, top[l], top[l]);
                sum += log(((double)cells_with(&o, top[i], top[l]) + 1e-12) / fmax(one, 1e-12));
            }
        sorted[k] = m->coherence[k] = o.n > 1 ? 2 * sum / ((double)o.n * (o.n - 1)) : NAN;
    }
    qsort(sorted, t->K, sizeof *sorted, descending);
    uint32_t best = t->K < GRN_TOPIC_BEST ? t->K : GRN_TOPIC_BEST;
    for (uint32_t k = 0; k < best; k++) m->mimno += sorted[k] / best;
end:
    free(sorted);
    top_clear(&o);
    return rc;
}

/* ---- the rest ---- */

/* sum over pairs |x_i - x_j| / (n^2 mean) from the sorted values. */
static double gini(double *x, size_t n)
{
    double sum = 0, weighted = 0;
    qsort(x, n, sizeof *x, descending);
    for (size_t i = 0; i < n; i++) {
        sum += x[i];
        weighted += ((double)n - 1 - 2 * (double)i) * x[i];
    }
    return sum > 0 ? weighted / ((double)n * sum) : NAN;
}

static grn_status by_cells(const grn_corpus_t *c, const grn_lda_t *t, grn_topic_metrics_t *m)
{
    grn_status rc = GRN_OK;
    double *x = NULL;
    GRN_TRY(GRN_NEW(x, c->C));
    for (uint32_t k = 0; k < t->K; k++) {
        for (size_t i = 0; i < c->C; i++) {
            double theta = (double)t->theta[i * t->K + k];
            x[c->cell_place[i]] = theta; /* in an order that the file does not tell */
        }
        for (size_t i = 0; i < c->C; i++) m->share[k] += x[i] * c->cell_n[i] / (double)c->n_tokens;
        m->gini[k] = gini(x, c->C);
    }
end:
    free(x);
    return rc;
}

static grn_status held_out(const grn_corpus_t *c, const grn_lda_t *t, grn_topic_metrics_t *m)
{
    double ll = 0, n = 0, ss = 0;
    m->perplexity = m->perplexity_se = NAN;
    for (size_t i = 0; i < c->C; i++) {
        ll += t->held_ll[i];
        n += t->held_n[i];
    }
    if (n == 0) return GRN_OK;
    for (size_t i = 0; i < c->C; i++) {
        double d = t->held_ll[i] - ll / n * t->held_n[i];
        ss += d * d;
    }
    m->perplexity = exp(-ll / n);
    m->perplexity_se = m->perplexity * sqrt(ss) / n;
    return GRN_OK;
}

grn_status grn_topic_metrics(const grn_corpus_t *c, const grn_lda_t *t, grn_par_t *pool, grn_topic_metrics_t *m)
{
    grn_status rc = GRN_OK;
    double *gram = NULL;
    memset(m, 0, sizeof *m);
    m->K = t->K;
    GRN_TRY(GRN_NEW(m->coherence, t->K));
    GRN_TRY(GRN_NEW(m->gini, t->K));
    GRN_TRY(GRN_NEW(m->share, t->K));
    GRN_TRY(GRN_NEW(m->twin, t->K));
    GRN_TRY(GRN_NEW(gram, (size_t)t->K * t->K));
    GRN_TRY(topic_products(t->phi, t->phi, c->R, t->K, pool, gram));
    similarity(gram, m);
    GRN_TRY(by_cells(c, t, m));
    GRN_TRY(arun(gram, m->share, t->K, &m->arun));
    GRN_TRY(coherence(c, t, m));
    GRN_TRY(held_out(c, t, m));
end:
    free(gram);
    if (rc) grn_topic_metrics_clear(m);
    return rc;
}

int grn_topic_is_worse(const grn_lda_t *a, const grn_lda_t *b, size_t C)
{
    double d = 0, n = 0, ss = 0;
    for (size_t i = 0; i < C; i++) {
        d += a->held_ll[i] - b->held_ll[i];
        n += a->held_n[i];
    }
    for (size_t i = 0; i < C && n > 0; i++) {
        double x = a->held_ll[i] - b->held_ll[i] - d / n * a->held_n[i];
        ss += x * x;
    }
    return n > 0 && d > sqrt(ss);
}

/* ---- pairing ---- */

/* Shortest augmenting paths with potentials; rows and columns count from 1, column 0 is the start. */
grn_status grn_assignment(const double *cost, size_t n, uint32_t *pair)
{
    grn_status rc = GRN_OK;
    double *u = NULL, *v = NULL, *least = NULL;
    size_t *row_of = NULL, *way = NULL;
    char *used = NULL;
    GRN_TRY(GRN_NEW(u, n + 1));
    GRN_TRY(GRN_NEW(v, n + 1));
    GRN_TRY(GRN_NEW(least, n + 1));
    GRN_TRY(GRN_NEW(row_of, n + 1));
    GRN_TRY(GRN_NEW(way, n + 1));
    GRN_TRY(GRN_NEW(used, n + 1));
    for (size_t i = 1; i <= n; i++) {
        size_t j = 0;
        row_of[0] = i;
        for (size_t k = 0; k <= n; k++) least[k] = INFINITY, used[k] = 0;
        do {
            size_t row = row_of[j], next = 0;
            double delta = INFINITY;
            used[j] = 1;
            for (size_t k = 1; k <= n; k++) {
                if (used[k]) continue;
                double x = cost[(row - 1) * n + k - 1] - u[row] - v[k];
                if (x < least[k]) least[k] = x, way[k] = j;
                if (least[k] < delta) delta = least[k], next = k;
            }
            for (size_t k = 0; k <= n; k++) {
                if (used[k]) u[row_of[k]] += delta, v[k] -= delta;
                else least[k] -= delta;
            }
            j = next;
        } while (row_of[j]);
        for (; j; j = way[j]) row_of[j] = row_of[way[j]];
    }
    for (size_t k = 1; k <= n; k++) pair[row_of[k] - 1] = (uint32_t)(k - 1);
end:
    free(u);
    free(v);
    free(least);
    free(row_of);
    free(way);
    free(used);
    return rc;
}

grn_status grn_topic_match(const float *a, const float *b, size_t R, uint32_t K, grn_par_t *pool, double *mean)
{
    grn_status rc = GRN_OK;
    const size_t kk = (size_t)K * K;
    double *aa = NULL, *bb = NULL, *ab = NULL;
    uint32_t *pair = NULL;
    GRN_TRY(GRN_NEW(aa, kk));
    GRN_TRY(GRN_NEW(bb, kk));
    GRN_TRY(GRN_NEW(ab, kk));
    GRN_TRY(GRN_NEW(pair, K));
    GRN_TRY(topic_products(a, a, R, K, pool, aa));
    GRN_TRY(topic_products(b, b, R, K, pool, bb));
    GRN_TRY(topic_products(a, b, R, K, pool, ab));
    for (uint32_t i = 0; i < K; i++)
        for (uint32_t j = 0; j < K; j++) ab[i * K + j] /= -sqrt(aa[i * K + i] * bb[j * K + j]);
    GRN_TRY(grn_assignment(ab, K, pair));
    *mean = 0;
    for (uint32_t i = 0; i < K; i++) *mean -= ab[i * K + pair[i]] / K;
end:
    free(aa);
    free(bb);
    free(ab);
    free(pair);
    return rc;
}
