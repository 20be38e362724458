#include "knn.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/simd.h"
#include "knn_kernel.h"

#define BLOCK_FLOATS ((size_t)1 << 16) /* of a block of queries: with a panel it stays in the second cache */
#define BLOCK_MAX 512
#define LARGEST 1e15 /* search units: a query further out than this is compared one by one */
#define LEAST 1e-30  /* search units: what underflow may take off a product */

struct knn_s {
    const float *x;
    size_t n, d, m; /* m = d + 2 */
    knn_metric metric;
    const knn_kernel_t *kernel;
    double *centre, *scale;       /* (d); (n) 1, or 1 / length */
    double slack, unit;           /* e; a power of two that brings the longest point to about 1 */
    float *panel;                 /* (n_panels, m, KNN_PANEL) */
    size_t cap, n_panels, stride; /* panels are visited i * stride mod n_panels: neighbours in the file may be alike */
};

typedef struct { /* a block of queries and its neighbours so far */
    size_t n, cap, k;
    double *q, *norm2;     /* (cap, d) scaled; (cap) |a|^2 */
    float *group, *bar;    /* (groups, m, KNN_GROUP); (cap) */
    uint32_t *id, *filled; /* (cap, k) a heap, furthest first; (cap) */
    double *d2;            /* (cap, k) */
    uint8_t *far;          /* (cap) outside the range of float32 */
} block_t;

typedef struct {
    const knn_t *t;
    const float *query;
    size_t q, k;
    block_t *block; /* per worker */
    uint32_t *id;
    double *distance;
} search_t;

static double length(const float *x, size_t d)
{
    double s = 0;
    for (size_t j = 0; j < d; j++) s += (double)x[j] * x[j];
    return sqrt(s);
}

size_t knn_no_length(const float *x, size_t n, size_t d)
{
    for (size_t i = 0; i < n; i++)
        if (length(x + i * d, d) == 0) return i;
    return n;
}

static float round_up(double x)
{
    float f = (float)x;
    return (double)f < x ? nextafterf(f, INFINITY) : f;
}

static float round_down(double x)
{
    float f = (float)x;
    return (double)f > x ? nextafterf(f, -INFINITY) : f;
}

static double scale_of(const knn_t *t, const float *x)
{
    return t->metric == KNN_COSINE ? 1 / length(x, t->d) : 1;
}

/* The panel entry of point i: its coordinates, its length, and less than half its squared length. */
static void put_point(const knn_t *t, size_t i)
{
    float *p = t->panel + i / KNN_PANEL * t->m * KNN_PANEL + i % KNN_PANEL;
    double square = 0;
    for (size_t j = 0; j < t->d; j++) {
        double b = (t->x[i * t->d + j] * t->scale[i] - t->centre[j]) * t->unit;
        square += b * b;
        p[j * KNN_PANEL] = (float)b;
    }
    p[t->d * KNN_PANEL] = round_up(sqrt(square) * (1 + 1e-9));
    p[(t->d + 1) * KNN_PANEL] = round_up(LEAST - square / 2 * (1 - t->slack));
}

/* Mean of the scaled points, and the power of two for the longest of them. */
static void centre(knn_t *t)
{
    double most = 0;
    for (size_t i = 0; i < t->n; i++)
        for (size_t j = 0; j < t->d; j++) t->centre[j] += t->x[i * t->d + j] * t->scale[i] / (double)t->n;
    for (size_t i = 0; i < t->n; i++) {
        double square = 0;
        for (size_t j = 0; j < t->d; j++) {
            double b = t->x[i * t->d + j] * t->scale[i] - t->centre[j];
            square += b * b;
        }
        if (square > most) most = square;
    }
    t->unit = most > 0 ? ldexp(1, -ilogb(sqrt(most))) : 1;
}

grn_status knn_set_level(knn_t *t, int level)
{
    t->kernel = &knn_kernel_base;
#if defined(__x86_64__)
    if (level > (int)grn_simd_level()) return grn_err(GRN_EUNSUP, "this machine lacks the instructions of level %d", level);
    if (level == GRN_SIMD_AVX2) t->kernel = &knn_kernel_avx2;
    if (level == GRN_SIMD_AVX512) t->kernel = &knn_kernel_avx512;
#else
    (void)level;
#endif
    return GRN_OK;
}

/* About 0.62 n, without a common divisor with n. */
static size_t stride_of(size_t n)
{
    for (size_t s = (size_t)(0.618 * (double)n) + 1; s < n; s++) {
        size_t a = n, b = s;
        while (b) {
            size_t r = a % b;
            a = b;
            b = r;
        }
        if (a == 1) return s;
    }
    return 1;
}

grn_status knn_create(knn_t **out, const float *x, size_t n, size_t d, knn_metric metric)
{
    grn_status rc = GRN_OK;
    knn_t *t = NULL;
    *out = NULL;
    if (d == 0 || d > KNN_MAX_DIM || n == 0 || n >= KNN_NONE)
        return grn_err(GRN_EINVAL, "%zu points of %zu dimensions; 1 to %u points of 1 to %d are possible", n, d, KNN_NONE - 1,
                       KNN_MAX_DIM);
    GRN_TRY(GRN_NEW(t, 1));
    *t = (knn_t){ .x = x, .n = n, .d = d, .m = d + 2, .metric = metric, .slack = 2 * (double)(d + 8) * ldexp(1, -24) };
    GRN_TRY(knn_set_level(t, grn_simd_level()));
    t->n_panels = (n + KNN_PANEL - 1) / KNN_PANEL;
    t->stride = stride_of(t->n_panels);
    GRN_TRY(GRN_NEW(t->centre, d));
    GRN_TRY(GRN_NEW(t->scale, n));
    GRN_TRY(grn_room_aligned((void **)&t->panel, &t->cap, t->n_panels * t->m * KNN_PANEL * sizeof *t->panel));
    memset(t->panel, 0, t->n_panels * t->m * KNN_PANEL * sizeof *t->panel);
    for (size_t i = 0; i < n; i++) {
        t->scale[i] = scale_of(t, x + i * d);
        if (!isfinite(t->scale[i])) GRN_FAIL(GRN_EINVAL, "point %zu has no length", i);
    }
    centre(t);
    for (size_t i = 0; i < n; i++) put_point(t, i);
    *out = t;
    t = NULL;
end:
    knn_destroy(t);
    return rc;
}

void knn_destroy(knn_t *t)
{
    if (!t) return;
    free(t->centre);
    free(t->scale);
    free(t->panel);
    free(t);
}

/* ---- the heap: furthest on top, of equal distances the larger index ---- */

static int further(double a, uint32_t i, double b, uint32_t j)
{
    return a > b || (a == b && i > j);
}

static void sift_down(double *d2, uint32_t *id, size_t n, double d, uint32_t i)
{
    size_t at = 0;
    for (size_t child; (child = 2 * at + 1) < n; at = child) {
        if (child + 1 < n && further(d2[child + 1], id[child + 1], d2[child], id[child])) child++;
        if (!further(d2[child], id[child], d, i)) break;
        d2[at] = d2[child];
        id[at] = id[child];
    }
    d2[at] = d;
    id[at] = i;
}

static void sift_up(double *d2, uint32_t *id, size_t at, double d, uint32_t i)
{
    for (; at && further(d, i, d2[(at - 1) / 2], id[(at - 1) / 2]); at = (at - 1) / 2) {
        d2[at] = d2[(at - 1) / 2];
        id[at] = id[(at - 1) / 2];
    }
    d2[at] = d;
    id[at] = i;
}

/* Score that a point as far as the k-th neighbour of query i has, rounded down beyond what double arithmetic can be wrong by. */
static void set_bar(const knn_t *t, block_t *b, size_t i)
{
    double worst = b->d2[i * b->k], a = b->norm2[i], e = (double)(t->d + 16) * DBL_EPSILON;
    b->bar[i] = round_down(((a - worst) / 2 - (a + worst) * e) * t->unit * t->unit);
}

static void measure(const knn_t *t, block_t *b, size_t i, size_t point)
{
    double *d2 = b->d2 + i * b->k;
    uint32_t *id = b->id + i * b->k;
    double d = t->kernel->square_distance(b->q + i * t->d, t->x + point * t->d, t->scale[point], t->d);
    if (b->filled[i] < b->k) {
        sift_up(d2, id, b->filled[i]++, d, (uint32_t)point);
        if (b->filled[i] < b->k) return;
    } else {
        if (!further(d2[0], id[0], d, (uint32_t)point)) return;
        sift_down(d2, id, b->k, d, (uint32_t)point);
    }
    if (!b->far[i]) set_bar(t, b, i);
}

/* ---- a block of queries ---- */

static void block_clear(block_t *b)
{
    free(b->q);
    free(b->norm2);
    free(b->group);
    free(b->bar);
    free(b->id);
    free(b->filled);
    free(b->d2);
    free(b->far);
}

static grn_status block_init(block_t *b, const knn_t *t, size_t cap, size_t k)
{
    grn_status rc = GRN_OK;
    b->cap = cap;
    b->k = k;
    GRN_TRY(GRN_NEW_RAW(b->q, cap * t->d));
    GRN_TRY(GRN_NEW(b->norm2, cap));
    GRN_TRY(GRN_NEW(b->group, cap * t->m));
    GRN_TRY(GRN_NEW(b->bar, cap));
    GRN_TRY(GRN_NEW(b->id, cap * k));
    GRN_TRY(GRN_NEW(b->filled, cap));
    GRN_TRY(GRN_NEW(b->d2, cap * k));
    GRN_TRY(GRN_NEW(b->far, cap));
end:
    return rc;
}

static void put_query(const search_t *s, block_t *b, size_t i, const float *x)
{
    const knn_t *t = s->t;
    float *group = b->group + i / KNN_GROUP * t->m * KNN_GROUP + i % KNN_GROUP;
    double scale = scale_of(t, x), square = 0;
    for (size_t j = 0; j < t->d; j++) {
        double q = x[j] * scale, a = q - t->centre[j];
        b->q[i * t->d + j] = q;
        square += a * a;
        group[j * KNN_GROUP] = (float)(a * t->unit);
    }
    double norm = sqrt(square) * t->unit;
    group[t->d * KNN_GROUP] = round_up(t->slack * norm);
    group[(t->d + 1) * KNN_GROUP] = 1;
    b->norm2[i] = square;
    b->far[i] = !(norm < LARGEST);
    b->bar[i] = b->far[i] ? INFINITY : -INFINITY;
    b->filled[i] = 0;
    if (b->far[i])
        for (size_t j = 0; j < t->m; j++) group[j * KNN_GROUP] = 0;
}

static void fill(const search_t *s, block_t *b, size_t begin, size_t end)
{
    const size_t d = s->t->d, m = s->t->m;
    b->n = end - begin;
    for (size_t i = 0; i < b->n; i++) put_query(s, b, i, s->query + (begin + i) * d);
    for (size_t i = b->n; i % KNN_GROUP; i++) { /* the rest of the last group reaches nothing */
        b->bar[i] = INFINITY;
        for (size_t j = 0; j < m; j++) b->group[i / KNN_GROUP * m * KNN_GROUP + j * KNN_GROUP + i % KNN_GROUP] = 0;
    }
}

static void against_panel(const knn_t *t, block_t *b, size_t panel)
{
    const float *p = t->panel + panel * t->m * KNN_PANEL;
    float score[KNN_GROUP * KNN_PANEL];
    uint32_t reached[KNN_GROUP];
    for (size_t g = 0; g < b->n; g += KNN_GROUP) {
        if (!t->kernel->scores(b->group + g * t->m, p, t->m, b->bar + g, score, reached)) continue;
        for (size_t q = 0; q < KNN_GROUP; q++)
            for (uint32_t bits = reached[q]; bits; bits &= bits - 1) {
                size_t lane = (size_t)__builtin_ctz(bits), point = panel * KNN_PANEL + lane;
                if (point < t->n && score[q * KNN_PANEL + lane] >= b->bar[g + q]) measure(t, b, g + q, point);
            }
    }
}

static void deliver(const search_t *s, block_t *b, size_t i, uint32_t *id, double *distance)
{
    double *d2 = b->d2 + i * b->k;
    uint32_t *heap = b->id + i * b->k;
    for (size_t n = b->filled[i]; n < b->k; n++) {
        id[n] = KNN_NONE;
        distance[n] = INFINITY;
    }
    for (size_t n = b->filled[i]; n--;) {
        id[n] = heap[0];
        distance[n] = s->t->metric == KNN_COSINE ? d2[0] / 2 : sqrt(d2[0]);
        sift_down(d2, heap, n, d2[n], heap[n]);
    }
}

static grn_status search_work(void *ctx, size_t begin, size_t end, int worker)
{
    const search_t *s = ctx;
    const knn_t *t = s->t;
    block_t *b = &s->block[worker];
    fill(s, b, begin, end);
    for (size_t i = 0, panel = 0; i < t->n_panels; i++, panel = (panel + t->stride) % t->n_panels) against_panel(t, b, panel);
    for (size_t i = 0; i < b->n; i++) {
        for (size_t r = 0; b->far[i] && r < t->n; r++) measure(t, b, i, r);
        deliver(s, b, i, s->id + (begin + i) * s->k, s->distance + (begin + i) * s->k);
    }
    grn_progress_add(end - begin);
    return GRN_OK;
}

grn_status knn_search(const knn_t *t, const float *query, size_t q, uint32_t k, grn_par_t *pool, uint32_t *id, double *distance)
{
    grn_status rc = GRN_OK;
    size_t cap = BLOCK_FLOATS / t->m / KNN_GROUP * KNN_GROUP;
    search_t s = { t, query, q, k, NULL, id, distance };
    const int n_workers = grn_par_n(pool);
    if (k == 0) return grn_err(GRN_EINVAL, "0 neighbours");
    cap = cap < KNN_GROUP ? KNN_GROUP : cap > BLOCK_MAX ? BLOCK_MAX : cap;
    GRN_TRY(GRN_NEW(s.block, n_workers));
    for (int w = 0; w < n_workers; w++) GRN_TRY(block_init(&s.block[w], t, cap, k));
    grn_progress_begin(q, "cells");
    rc = grn_par_for(pool, q, cap, search_work, &s);
    grn_progress_end();
end:
    for (int w = 0; s.block && w < n_workers; w++) block_clear(&s.block[w]);
    free(s.block);
    return rc;
}
