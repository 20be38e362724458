#include "model/tokens.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"

void grn_tokens_clear(grn_tokens_t *t)
{
    free(t->gene);
    free(t->bin);
    free(t->target);
    free(t->masked);
    free(t->visible);
    free(t->work);
    *t = (grn_tokens_t){ 0 };
}

static int compare_floats(const void *x, const void *y)
{
    float a = *(const float *)x, b = *(const float *)y;
    return (a > b) - (a < b);
}

/* numpy.quantile(sorted, level), linear, in double. */
static double quantile(const float *sorted, size_t n, double level)
{
    double h = level * (double)(n - 1), g;
    size_t i = (size_t)floor(h);
    if (i >= n - 1) return sorted[n - 1];
    g = h - (double)i;
    double a = sorted[i], b = sorted[i + 1];
    return g < 0.5 ? a + (b - a) * g : b - (b - a) * (1 - g);
}

/* Edges below x, and edges not above it. */
static void count_edges(const double *edge, size_t n, double x, size_t *below, size_t *upto)
{
    size_t lo = 0, hi = n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (edge[mid] < x) lo = mid + 1;
        else hi = mid;
    }
    *below = lo;
    while (lo < n && edge[lo] <= x) lo++;
    *upto = lo;
}

grn_status grn_bin_values(const float *x, size_t n, int64_t bins, const double *u, uint16_t *bin, float *mean)
{
    grn_status rc = GRN_OK;
    size_t n_edge = (size_t)bins - 1;
    float *sorted = NULL;
    double *edge = NULL, step = 1.0 / (double)(n_edge - 1);
    if (n == 0) return GRN_OK;
    GRN_TRY(GRN_NEW_RAW(sorted, n));
    GRN_TRY(GRN_NEW_RAW(edge, n_edge));
    memcpy(sorted, x, n * sizeof *x);
    qsort(sorted, n, sizeof *sorted, compare_floats);
    for (size_t k = 0; k < n_edge; k++) edge[k] = quantile(sorted, n, k == n_edge - 1 ? 1.0 : (double)k * step);
    for (size_t i = 0; i < n; i++) {
        size_t below, upto;
        count_edges(edge, n_edge, x[i], &below, &upto);
        bin[i] = (uint16_t)ceil((double)upto - (u ? u[i] : 0.5) * (double)(upto - below));
        if (mean) mean[i] = upto > below ? (float)(0.5 * (double)(below + 1 + upto)) : (float)upto;
    }
end:
    free(sorted);
    free(edge);
    return rc;
}

typedef struct {    /* scratch of one draw, carved out of t->work */
    double *u;      /* (n) */
    uint64_t *pick; /* (max(n, tokens)) */
    uint32_t *zero; /* (tokens): genes without a count */
    float *mean;    /* (n) */
    uint16_t *bin;  /* (n) */
} scratch_t;

static grn_status get_scratch(grn_tokens_t *t, size_t n, size_t tokens, scratch_t *s)
{
    size_t m = n > tokens ? n : tokens;
    size_t need = n * sizeof(double) + m * sizeof(uint64_t) + tokens * sizeof(uint32_t) + n * sizeof(float) +
                  n * sizeof(uint16_t) + 8;
    unsigned char *p;
    if (need > t->work_cap) {
        p = grn_realloc(t->work, need, 1);
        if (!p) return GRN_ENOMEM;
        t->work = p;
        t->work_cap = need;
    }
    p = t->work;
    s->u = (double *)(void *)p;
    s->pick = (uint64_t *)(void *)(p += n * sizeof(double));
    s->zero = (uint32_t *)(void *)(p += m * sizeof(uint64_t));
    s->mean = (float *)(void *)(p += tokens * sizeof(uint32_t));
    s->bin = (uint16_t *)(void *)(p += n * sizeof(float));
    return GRN_OK;
}

static grn_status make_room(grn_tokens_t *t, size_t tokens)
{
    if (tokens <= t->cap) return GRN_OK;
    grn_status rc = GRN_OK;
    size_t work_cap = t->work_cap;
    void *work = t->work;
    t->work = NULL;
    grn_tokens_clear(t);
    t->work = work;
    t->work_cap = work_cap;
    GRN_TRY(GRN_NEW_RAW(t->gene, tokens));
    GRN_TRY(GRN_NEW_RAW(t->bin, tokens));
    GRN_TRY(GRN_NEW_RAW(t->target, tokens));
    GRN_TRY(GRN_NEW_RAW(t->masked, tokens));
    GRN_TRY(GRN_NEW_RAW(t->visible, tokens));
    t->cap = tokens;
end:
    return rc;
}

/* n_zero genes that are not among the expressed ones, ascending. The k-th unexpressed gene is found by walking both lists.
 */
static void draw_zeros(grn_rng_t *rng, const uint32_t *gene, size_t n, size_t n_genes, size_t n_zero, scratch_t *s)
{
    size_t e = 0;
    if (n_zero == 0) return;
    grn_rng_sample(rng, n_genes - n, n_zero, s->pick);
    for (size_t k = 0; k < n_zero; k++) {
        while (e < n && gene[e] <= s->pick[k] + e) e++;
        s->zero[k] = (uint32_t)(s->pick[k] + e);
    }
}

/* Kept expressed genes (positions s->pick[0..n_e)) and zeros, merged in ascending order. */
static void merge_tokens(grn_tokens_t *t, const uint32_t *gene, const scratch_t *s, size_t n_e, size_t n_zero)
{
    size_t i = 0, j = 0;
    t->n = 0;
    while (i < n_e || j < n_zero) {
        if (j == n_zero || (i < n_e && gene[s->pick[i]] < s->zero[j])) {
            t->gene[t->n] = gene[s->pick[i]];
            t->target[t->n] = s->mean[s->pick[i]];
            t->bin[t->n++] = s->bin[s->pick[i++]];
        } else {
            t->gene[t->n] = s->zero[j++];
            t->target[t->n] = 0;
            t->bin[t->n++] = 0;
        }
    }
}

static double draw_ratio(grn_rng_t *rng, double mask)
{
    static const double RATIO[] = { 0.25, 0.5, 0.75 };
    return mask > 0 ? mask : RATIO[grn_rng_below(rng, 3)];
}

static void mask_tokens(grn_tokens_t *t, const grn_mask_opt_t *o, uint64_t cell, scratch_t *s)
{
    memset(t->masked, 0, t->n);
    t->n_masked = t->n_visible = 0;
    if (o->given) {
        for (size_t i = 0, j = 0; i < t->n; i++) {
            while (j < o->n_given && o->given[j] < t->gene[i]) j++;
            t->masked[i] = j < o->n_given && o->given[j] == t->gene[i];
        }
    } else if (o->mask >= 0 && t->n >= 2) {
        grn_rng_t rng;
        grn_rng_init2(&rng, o->seed, "model.mask", cell, o->epoch);
        size_t n_mask = (size_t)((double)t->n * draw_ratio(&rng, o->mask));
        if (n_mask == 0) n_mask = 1;
        grn_rng_sample(&rng, t->n, n_mask, s->pick);
        for (size_t i = 0; i < n_mask; i++) t->masked[s->pick[i]] = 1;
    }
    for (size_t i = 0; i < t->n; i++) {
        t->n_masked += t->masked[i];
        if (!t->masked[i] && t->bin[i] > 0) t->visible[t->n_visible++] = t->gene[i];
    }
}

grn_status grn_tokens_draw(grn_tokens_t *t, const grn_model_config_t *c, const grn_mask_opt_t *mask, uint64_t cell,
                           const uint32_t *gene, const float *count, size_t n, size_t n_genes, const uint64_t *gene_key)
{
    grn_status rc = GRN_OK;
    size_t room = (size_t)c->tokens - 1, n_e = (size_t)((1 - c->zeros) * (double)room + 1e-9), n_zero;
    scratch_t s;
    grn_rng_t rng;
    GRN_TRY(make_room(t, room));
    GRN_TRY(get_scratch(t, n, room, &s));
    if (n_e > n) n_e = n;
    n_zero = (size_t)((double)n_e * c->zeros / (1 - c->zeros) + 1e-9);
    if (n_zero > n_genes - n) n_zero = n_genes - n;
    if (n_zero > room - n_e) n_zero = room - n_e;
    uint64_t key = grn_rng_key(mask->seed, "model.bin", cell, mask->epoch);
    for (size_t i = 0; i < n; i++)
        s.u[i] = (double)(grn_rng_key(mask->seed, "model.bin", key, gene_key[gene[i]]) >> 11) * 0x1p-53;
    GRN_TRY(grn_bin_values(count, n, c->bins, s.u, s.bin, s.mean));
    grn_rng_init2(&rng, mask->seed, "model.zeros", cell, mask->epoch);
    draw_zeros(&rng, gene, n, n_genes, n_zero, &s);
    grn_rng_init2(&rng, mask->seed, "model.tokens", cell, mask->epoch);
    if (n_e < n) grn_rng_sample(&rng, n, n_e, s.pick);
    else
        for (size_t i = 0; i < n; i++) s.pick[i] = i;
    merge_tokens(t, gene, &s, n_e, n_zero);
    t->n_expressed = n;
    mask_tokens(t, mask, cell, &s);
end:
    return rc;
}
