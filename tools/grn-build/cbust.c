#include "cbust.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

#include "base/mem.h"
#include "base/simd.h"

#define L GRN_LANES
/* What the vectors can hold: beyond, a region is scored by grn_cbust_plain. */
#define MAX_W 60 /* 4^60 < the largest float */
#define MAX_LEN 8192
#define MAX_DECAY 230.0 /* -log of the smallest sum; products of two must not vanish */
#define MAX_SUM 1e150
#define NEAR_ONE 1.02 /* a cluster that weighs less is weighed again in double: its logarithm is what is beyond 1 */

typedef struct { /* a maximal rise: nodes (places between bases) start < end */
    size_t start, end, link;
} rise_t;

typedef struct { /* the best cluster so far: what it weighs, and the nodes it lies between */
    double weight;
    size_t lo, end;
} cluster_t;

struct grn_cbust_work_s {
    const grn_cbust_kernel_t *kernel;
    float *e;        /* (n_matrix, len, L) weight of the placements that end at a base */
    double *forward; /* (max_w + len + 1, L) */
    size_t e_cap, forward_cap, ptr_cap, backward_cap, rise_cap;
    const float **ptr;
    double *backward;
    rise_t *rise;
};

/* ---- the model ---- */

void grn_cbust_clear(grn_cbust_t *c)
{
    for (size_t m = 0; m < c->n_matrix; m++) {
        if (c->p) free(c->p[m]);
        if (c->tab) free(c->tab[m]);
    }
    free(c->w);
    free(c->p);
    free(c->prior);
    free(c->tab);
    memset(c, 0, sizeof *c);
}

static void probabilities(const grn_motif_t *m, double pseudo, double *p)
{
    if (m->kind == GRN_MOTIF_LOGODDS) pseudo = 0;
    for (size_t i = 0; i < m->w; i++)
        for (size_t b = 0; b < 4; b++) {
            double x = m->total[i] + 4 * pseudo > 0 ? (m->p[4 * i + b] * m->total[i] + pseudo) / (m->total[i] + 4 * pseudo) : 0.25;
            p[4 * i + b] = 4 * x;
            p[4 * (m->w + (m->w - 1 - i)) + (3 - b)] = 4 * x;
        }
}

static void fill_tables(const double *p, uint32_t w, double prior, float *tab)
{
    uint32_t n_pair = (w + 1) / 2;
    for (uint32_t s = 0; s < 2; s++)
        for (uint32_t k = 0; k < n_pair; k++)
            for (uint32_t x = 0; x < 16; x++) {
                const double *at = p + 4 * ((size_t)s * w + 2 * k);
                double v = at[x >> 2] * (2 * k + 1 < w ? at[4 + (x & 3)] : 1);
                tab[(s * n_pair + k) * 16 + x] = (float)(k ? v : v * prior);
            }
}

grn_status grn_cbust_init(grn_cbust_t *c, const grn_motif_t *m, size_t n, double gap, double pseudo)
{
    grn_status rc = GRN_OK;
    double weight = 0;
    memset(c, 0, sizeof *c);
    c->stay = gap / (gap + 1);
    GRN_TRY(GRN_NEW(c->w, n));
    GRN_TRY(GRN_NEW(c->p, n));
    GRN_TRY(GRN_NEW(c->prior, n));
    GRN_TRY(GRN_NEW(c->tab, n));
    c->n_matrix = n;
    for (size_t i = 0; i < n; i++) weight += m[i].weight;
    for (size_t i = 0; i < n; i++) {
        c->w[i] = m[i].w;
        c->max_w = m[i].w > c->max_w ? m[i].w : c->max_w;
        c->prior[i] = m[i].weight / (2 * weight) / (gap + 1);
        GRN_TRY(GRN_NEW_RAW(c->p[i], 8 * (size_t)m[i].w));
        probabilities(&m[i], pseudo, c->p[i]);
        size_t cap = 0;
        GRN_TRY(grn_room_aligned((void **)&c->tab[i], &cap, (size_t)((m[i].w + 1) / 2) * 2 * 64));
        fill_tables(c->p[i], m[i].w, c->prior[i], c->tab[i]);
    }
end:
    if (rc) grn_cbust_clear(c);
    return rc;
}

/* ---- maximal rises ---- */

/* The maximal rises of S[0], S[stride] ... S[len * stride] (Ruzzo & Tompa 1999, on the running sums). */
static grn_status find_rises(const double *S, size_t stride, size_t len, rise_t **rise, size_t *cap, size_t *n_rise)
{
    size_t n = 0;
    for (size_t k = 1; k <= len; k++) {
        if (!(S[k * stride] > S[(k - 1) * stride])) continue;
        rise_t x = { k - 1, k, SIZE_MAX };
        for (size_t j = n - 1;;) { /* n - 1: none when n = 0 */
            while (j != SIZE_MAX && S[(*rise)[j].start * stride] >= S[x.start * stride]) j = (*rise)[j].link;
            x.link = j;
            if (j == SIZE_MAX || S[(*rise)[j].end * stride] >= S[x.end * stride]) break;
            x.start = (*rise)[j].start;
            n = j;
            j = (*rise)[j].link;
        }
        grn_status rc = GRN_GROW(*rise, *cap, n + 1);
        if (rc) return rc;
        (*rise)[n++] = x;
    }
    *n_rise = n;
    return GRN_OK;
}

/* The first node where a cluster that ends with the rise may start. */
static size_t first_node(const rise_t *x, uint32_t max_w)
{
    return x->start + 1 > max_w ? x->start + 1 - max_w : 0;
}

/* ---- in logarithms ---- */

static double log_add(double a, double b)
{
    double hi = a > b ? a : b, lo = a > b ? b : a;
    return lo == -INFINITY ? hi : hi + log1p(exp(lo - hi));
}

/* log of the weight of the placements of matrix m that end at scored base i. */
static double log_weight(const grn_cbust_t *c, size_t m, const grn_seqlane_t *x, size_t i)
{
    size_t w = c->w[m], at = x->lead + i + 1;
    double sum[2] = { 0, 0 };
    if (at < w) return -INFINITY;
    for (size_t k = 0; k < w; k++) {
        uint8_t b = x->code[at - w + k];
        if (b > 3) return -INFINITY;
        for (size_t s = 0; s < 2; s++) sum[s] += log(c->p[m][4 * (s * w + k) + b] * x->ratio[at - w + k]);
    }
    return log(c->prior[m]) + log_add(sum[0], sum[1]);
}

static void log_backward(const grn_cbust_t *c, const double *e, size_t len, size_t lo, size_t end, double *R, double *best)
{
    R[end] = 0;
    for (size_t k = end; k-- > lo;) {
        double v = R[k + 1] + log(c->stay);
        for (size_t m = 0; m < c->n_matrix; m++)
            if (k + c->w[m] <= end) v = log_add(v, R[k + c->w[m]] + e[m * len + k + c->w[m] - 1]);
        R[k] = v;
        if (v > *best) *best = v;
    }
}

grn_status grn_cbust_plain(const grn_cbust_t *c, const grn_seqlane_t *x, double *score)
{
    grn_status rc = GRN_OK;
    double *e = NULL, *S = NULL, *R = NULL;
    rise_t *rise = NULL;
    size_t cap = 0, n_rise = 0, len = x->len;
    *score = 0;
    GRN_TRY(GRN_NEW_RAW(e, c->n_matrix * len));
    GRN_TRY(GRN_NEW_RAW(S, len + 1));
    GRN_TRY(GRN_NEW_RAW(R, len + 1));
    S[0] = 0;
    for (size_t i = 0; i < len; i++) {
        S[i + 1] = S[i] + log(c->stay);
        for (size_t m = 0; m < c->n_matrix; m++) {
            e[m * len + i] = log_weight(c, m, x, i);
            S[i + 1] = log_add(S[i + 1], e[m * len + i] + (i + 1 > c->w[m] ? S[i + 1 - c->w[m]] : 0));
        }
    }
    GRN_TRY(find_rises(S, 1, len, &rise, &cap, &n_rise));
    for (size_t k = 0; k < n_rise; k++) log_backward(c, e, len, first_node(&rise[k], c->max_w), rise[k].end, R, score);
end:
    free(e);
    free(S);
    free(R);
    free(rise);
    return rc;
}

/* ---- many regions at once ---- */

static const grn_cbust_kernel_t *pick_kernel(void)
{
#if defined(__x86_64__)
    const grn_cbust_kernel_t *const by_level[] = { &grn_cbust_kernel_base, &grn_cbust_kernel_avx2, &grn_cbust_kernel_avx512 };
    return by_level[grn_simd_level()];
#else
    return &grn_cbust_kernel_base;
#endif
}

grn_status grn_cbust_work_create(grn_cbust_work_t **w, const grn_cbust_kernel_t *kernel)
{
    grn_status rc = GRN_NEW(*w, 1);
    if (!rc) (*w)->kernel = kernel ? kernel : pick_kernel();
    return rc;
}

void grn_cbust_work_destroy(grn_cbust_work_t *w)
{
    if (!w) return;
    free(w->e);
    free(w->forward);
    free(w->ptr);
    free(w->backward);
    free(w->rise);
    free(w);
}

/* The best cluster of lane l that ends at `end` and starts at `lo` or later, if it is better. */
static grn_status backward(const grn_cbust_t *c, grn_cbust_work_t *w, size_t l, size_t lo, size_t end, cluster_t *best)
{
    grn_status rc = GRN_GROW(w->backward, w->backward_cap, end - lo + 1);
    if (rc) return rc;
    double *R = w->backward, most = 0;
    R[end - lo] = 1;
    for (size_t k = end - lo; k-- > 0;) {
        double v = R[k + 1] * c->stay;
        for (size_t m = 0; m < c->n_matrix; m++)
            if (k + c->w[m] <= end - lo) v += R[k + c->w[m]] * (double)w->ptr[m][(lo + k + c->w[m] - 1) * L + l];
        R[k] = v;
        if (v > most) most = v;
    }
    if (most > best->weight) *best = (cluster_t){ most, lo, end };
    return GRN_OK;
}

/* Weights on + and - of the placement of matrix m that ends at scored base i. */
static void weights(const grn_cbust_t *c, size_t m, const grn_seqlane_t *x, size_t i, double v[2])
{
    size_t w = c->w[m], at = x->lead + i + 1;
    v[0] = v[1] = at < w ? 0 : c->prior[m];
    for (size_t k = 0; k < w && v[0] + v[1] > 0; k++) {
        uint8_t b = x->code[at - w + k];
        for (size_t s = 0; s < 2; s++) v[s] *= b > 3 ? 0 : c->p[m][4 * (s * w + k) + b] * x->ratio[at - w + k];
    }
}

/* The cluster's weight with every product in double. */
static double weigh_again(const grn_cbust_t *c, grn_cbust_work_t *w, const grn_seqlane_t *x, const cluster_t *b)
{
    double *R = w->backward, most = 0;
    R[b->end - b->lo] = 1;
    for (size_t k = b->end - b->lo; k-- > 0;) {
        R[k] = R[k + 1] * c->stay;
        for (size_t m = 0; m < c->n_matrix; m++) {
            double v[2];
            if (k + c->w[m] > b->end - b->lo) continue;
            weights(c, m, x, b->lo + k + c->w[m] - 1, v);
            R[k] += R[k + c->w[m]] * (v[0] + v[1]);
        }
        if (R[k] > most) most = R[k];
    }
    return most;
}

/* No path from a node to `end` weighs more than F[end] / F[node]: the forward sum holds it. */
static int may_beat(const double *F, size_t l, size_t lo, size_t end, double best)
{
    double least = INFINITY;
    for (size_t k = lo; k < end; k++) least = F[k * L + l] < least ? F[k * L + l] : least;
    return F[end * L + l] > best * least;
}

static grn_status try_rivals(const grn_cbust_t *c, grn_cbust_work_t *w, const double *F, size_t len, size_t l, size_t done,
                             cluster_t *best)
{
    size_t n;
    grn_status rc = find_rises(F + l, L, len, &w->rise, &w->rise_cap, &n);
    for (size_t k = 0; k < n && !rc; k++) {
        const rise_t *x = &w->rise[k];
        size_t lo = first_node(x, c->max_w);
        if (x->end != done && may_beat(F, l, lo, x->end, best->weight)) rc = backward(c, w, l, lo, x->end, best);
    }
    return rc;
}

static grn_status place_weights(const grn_cbust_t *c, grn_seqlanes_t *x, grn_cbust_work_t *w)
{
    grn_status rc = GRN_OK;
    size_t len = x->len;
    GRN_TRY(grn_room_aligned((void **)&w->e, &w->e_cap, c->n_matrix * len * L * sizeof *w->e));
    GRN_TRY(GRN_GROW(w->ptr, w->ptr_cap, c->n_matrix));
    for (size_t m = 0; m < c->n_matrix; m++) {
        float *e = w->e + m * len * L;
        grn_seqlanes_window(x, c->w[m]);
        w->kernel->ratios(x->pair + (size_t)(x->lead + 1 - c->w[m]) * L, len, (c->w[m] + 1) / 2, c->tab[m], x->window, e);
        w->ptr[m] = e;
    }
end:
    return rc;
}

/* The greatest rise first; then those that could hold a heavier cluster all the same, which are few. */
static grn_status score_lanes(const grn_cbust_t *c, grn_seqlanes_t *x, grn_cbust_work_t *w, float *score)
{
    grn_status rc = GRN_OK;
    double most[L] __attribute__((aligned(64))), low[L] __attribute__((aligned(64))), at[L] __attribute__((aligned(64))),
        top[L] __attribute__((aligned(64)));
    cluster_t best[L];
    GRN_TRY(place_weights(c, x, w));
    GRN_TRY(grn_room_aligned((void **)&w->forward, &w->forward_cap, (c->max_w + (size_t)x->len + 1) * L * sizeof *w->forward));
    double *F = w->forward + (size_t)c->max_w * L;
    for (size_t i = 0; i < ((size_t)c->max_w + 1) * L; i++) w->forward[i] = 1;
    w->kernel->forward(w->ptr, c->w, c->n_matrix, c->stay, x->len, F, most, low, at, top);
    for (size_t l = 0; l < L; l++) {
        rise_t r = { 0, (size_t)at[l], 0 };
        best[l] = (cluster_t){ 1, 0, 0 };
        if (r.end && top[l] < MAX_SUM) {
            for (r.start = r.end - 1; F[r.start * L + l] != low[l];) r.start--;
            GRN_TRY(backward(c, w, l, first_node(&r, c->max_w), r.end, &best[l]));
        }
        most[l] = best[l].weight;
    }
    uint32_t rivals = w->kernel->rivals(F, x->len, most, at);
    for (size_t l = 0; l < x->n; l++) {
        double v = 0;
        if (!(top[l] < MAX_SUM)) {
            GRN_TRY(grn_cbust_plain(c, &x->lane[l], &v));
        } else {
            if (rivals >> l & 1) GRN_TRY(try_rivals(c, w, F, x->len, l, (size_t)at[l], &best[l]));
            if (best[l].end && best[l].weight < NEAR_ONE) best[l].weight = weigh_again(c, w, &x->lane[l], &best[l]);
            v = best[l].weight > 1 ? log(best[l].weight) : 0;
        }
        score[l] = (float)v;
    }
end:
    return rc;
}

/* Ratios below the smallest normal float count as 0, at full speed. Returns the mode before. */
static unsigned fast_floats(void)
{
#if defined(__SSE2__)
    unsigned mode = _mm_getcsr();
    _mm_setcsr(mode | 0x8040);
    return mode;
#else
    return 0;
#endif
}

static void restore_floats(unsigned mode)
{
#if defined(__SSE2__)
    _mm_setcsr(mode);
#else
    (void)mode;
#endif
}

grn_status grn_cbust_score(const grn_cbust_t *c, grn_seqlanes_t *x, grn_cbust_work_t *w, float *score)
{
    grn_status rc = GRN_OK;
    memset(score, 0, L * sizeof *score);
    if (!x->len) return GRN_OK;
    if (c->max_w > MAX_W || x->len > MAX_LEN || !(-log(c->stay) * x->len < MAX_DECAY)) {
        for (size_t l = 0; l < x->n && !rc; l++) {
            double v;
            rc = grn_cbust_plain(c, &x->lane[l], &v);
            score[l] = (float)v;
        }
        return rc;
    }
    unsigned mode = fast_floats();
    rc = score_lanes(c, x, w, score);
    restore_floats(mode);
    return rc;
}

static double plain_occupancy(const grn_cbust_t *c, size_t m, const grn_seqlane_t *x)
{
    double sum = 0, v[2];
    for (size_t i = 0; i < x->len; i++) {
        weights(c, m, x, i, v);
        sum += v[0] / (1 + v[0]) + v[1] / (1 + v[1]);
    }
    return sum;
}

grn_status grn_cbust_occupancy(const grn_cbust_t *c, grn_seqlanes_t *x, grn_cbust_work_t *w, float *score)
{
    double sum[L] __attribute__((aligned(64))), total[L] = { 0 };
    unsigned mode = fast_floats();
    for (size_t m = 0; m < c->n_matrix && x->len; m++) {
        if (c->w[m] > MAX_W) {
            for (size_t l = 0; l < x->n; l++) total[l] += plain_occupancy(c, m, &x->lane[l]);
            continue;
        }
        grn_seqlanes_window(x, c->w[m]);
        w->kernel->occupancy(x->pair + (size_t)(x->lead + 1 - c->w[m]) * L, x->len, (c->w[m] + 1) / 2, c->tab[m], x->window, sum);
        for (size_t l = 0; l < L; l++) total[l] += sum[l];
    }
    restore_floats(mode);
    for (size_t l = 0; l < L; l++) score[l] = l < x->n ? (float)total[l] : 0;
    return GRN_OK;
}
