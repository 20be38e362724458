#include "peakcall.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define PAD 10          /* positions beside a peak that the derivative sees */
#define MIN_STANDING 50 /* bp of a summit above its valleys */
#define MIN_VALUES 6    /* distinct heights there */
#define MAX_SUMMITS 4096
#define MAX_SIGNAL ((size_t)4 << 20) /* bp; a longer "peak" is a wrong genome size */

void grn_peaks_clear(grn_peaks_t *p)
{
    free(p->v);
    memset(p, 0, sizeof *p);
}

double grn_poisson_score(uint32_t k, double lambda)
{
    /* P(X > k): the upper series from k + 1 where that is the small side, else 1 - the lower one */
    if ((double)k + 1 > lambda) {
        double log_first = -lambda + ((double)k + 1) * log(lambda) - lgamma((double)k + 2), term = 1, sum = 1;
        for (double i = (double)k + 2; term > 1e-17 * sum; i++) sum += term *= lambda / i;
        return -(log_first + log(sum)) / M_LN10;
    }
    double log_last = -lambda + (double)k * log(lambda) - lgamma((double)k + 1), term = 1, sum = 1;
    for (double i = k; i > 0 && term > 1e-17 * sum; i--) sum += term *= i / lambda;
    return -log1p(-exp(log_last + log(sum))) / M_LN10;
}

/* ---- scores of a chromosome: one entry per distinct (height, ends) ---- */

typedef struct {
    uint64_t key;  /* height << 32 | ends, + 1; 0: free */
    int32_t score; /* 100,000 x */
    float q;
    uint64_t bp;
} score_t;

typedef struct {
    score_t *v;
    size_t n, cap; /* cap: a power of two */
} scores_t;

typedef struct {
    const grn_track_t *track;
    const grn_peak_opt_t *opt;
    double lambda, per_end; /* genome-wide; of one end in the window */
    uint32_t max_gap, min_length, window;
    int32_t cut;        /* least score of a position in a peak */
    scores_t *scores;   /* (chroms) */
    grn_peaks_t *found; /* (chroms) */
} call_t;

static double lambda_of(const call_t *c, uint32_t ends)
{
    double local = (double)(float)(ends * c->per_end);
    return local > c->lambda ? local : c->lambda;
}

static grn_status scores_grow(scores_t *s)
{
    scores_t old = *s;
    s->cap = old.cap ? 2 * old.cap : 1024;
    if (GRN_NEW(s->v, s->cap)) {
        *s = old;
        return GRN_ENOMEM;
    }
    for (size_t i = 0; i < old.cap; i++) {
        if (!old.v[i].key) continue;
        size_t at = (size_t)(old.v[i].key * 0x9e3779b97f4a7c15u >> 20) & (s->cap - 1);
        while (s->v[at].key) at = (at + 1) & (s->cap - 1);
        s->v[at] = old.v[i];
    }
    free(old.v);
    return GRN_OK;
}

static void fill_score(const call_t *c, score_t *x, const grn_run_t *r, uint64_t key)
{
    x->key = key;
    x->score = (int32_t)lround(1e5 * fmin(grn_poisson_score(r->height, lambda_of(c, r->ends)), 20000));
}

/* The entry of a run, made when it is new: found by hash, or without local background by its height. */
static grn_status score_of(const call_t *c, scores_t *s, const grn_run_t *r, score_t **out)
{
    const uint64_t key = ((uint64_t)r->height << 32 | r->ends) + 1;
    if (!c->window) {
        if (r->height >= s->cap) {
            size_t old = s->cap;
            grn_status rc = GRN_GROW(s->v, s->cap, (size_t)r->height + 1);
            if (rc) return rc;
            memset(s->v + old, 0, (s->cap - old) * sizeof *s->v);
        }
        *out = &s->v[r->height];
        s->n += !(*out)->key;
        if (!(*out)->key) fill_score(c, *out, r, key);
        return GRN_OK;
    }
    if (2 * s->n >= s->cap) {
        grn_status rc = scores_grow(s);
        if (rc) return rc;
    }
    size_t at = (size_t)(key * 0x9e3779b97f4a7c15u >> 20) & (s->cap - 1);
    while (s->v[at].key && s->v[at].key != key) at = (at + 1) & (s->cap - 1);
    *out = &s->v[at];
    if ((*out)->key) return GRN_OK;
    s->n++;
    fill_score(c, *out, r, key);
    return GRN_OK;
}

static grn_status score_work(void *ctx, size_t begin, size_t end, int worker)
{
    call_t *c = ctx;
    grn_status rc = GRN_OK;
    (void)worker;
    for (size_t k = begin; k < end; k++) {
        grn_pileup_t p;
        grn_run_t r;
        score_t *s;
        grn_pileup_init(&p, &c->track[k], c->window);
        while (grn_pileup_next(&p, &r)) {
            GRN_TRY(score_of(c, &c->scores[k], &r, &s));
            s->bp += r.end - r.start;
        }
    }
end:
    return rc;
}

/* ---- q-values over all base pairs ---- */

typedef struct {
    int32_t score;
    uint64_t bp;
} level_t;

static int larger_score(const void *x, const void *y)
{
    int32_t a = ((const level_t *)x)->score, b = ((const level_t *)y)->score;
    return a < b ? 1 : a > b ? -1 : 0;
}

/* q of each distinct score into `level` (as score x 1e5 -> q), descending; *n_bp in all. */
static grn_status rank_scores(call_t *c, size_t n_chroms, level_t **level, float **q, size_t *n_level, uint64_t *n_bp)
{
    grn_status rc = GRN_OK;
    size_t n = 0, m = 0;
    for (size_t k = 0; k < n_chroms; k++) n += c->scores[k].n;
    GRN_TRY(GRN_NEW(*level, n));
    GRN_TRY(GRN_NEW(*q, n));
    *n_bp = 0;
    for (size_t k = 0; k < n_chroms; k++)
        for (size_t i = 0; i < c->scores[k].cap; i++) {
            const score_t *s = &c->scores[k].v[i];
            if (s->key) (*level)[m++] = (level_t){ s->score, s->bp };
        }
    qsort(*level, m, sizeof **level, larger_score);
    n = m;
    m = 0;
    for (size_t i = 0; i < n; i++) {
        *n_bp += (*level)[i].bp;
        if (m && (*level)[m - 1].score == (*level)[i].score) (*level)[m - 1].bp += (*level)[i].bp;
        else (*level)[m++] = (*level)[i];
    }
    double before = 1, least = INFINITY;
    for (size_t i = 0; i < m; i++) {
        double x = (*level)[i].score / 1e5 + log10(before) - log10((double)*n_bp);
        least = fmin(least, x);
        if (least < 0) least = 0;
        (*q)[i] = (float)least;
        before += (double)(*level)[i].bp;
    }
    if (m) (*q)[m - 1] = 0; /* the lowest score is the background: never significant, in MACS as here */
    *n_level = m;
end:
    return rc;
}

static void set_q(call_t *c, size_t n_chroms, const level_t *level, const float *q, size_t n)
{
    for (size_t k = 0; k < n_chroms; k++)
        for (size_t i = 0; i < c->scores[k].cap; i++) {
            score_t *s = &c->scores[k].v[i];
            if (!s->key) continue;
            const level_t want = { s->score, 0 };
            const level_t *l = bsearch(&want, level, n, sizeof *level, larger_score);
            s->q = q[l - level];
        }
}

/* ---- peaks of a chromosome ---- */

typedef struct {
    grn_run_t r;
    const score_t *s;
} piece_t;

typedef struct {
    piece_t *v;
    size_t n, cap;
    float *signal;
    size_t signal_cap;
} open_peak_t;

static grn_status push_peak(const call_t *c, grn_peaks_t *out, uint32_t chrom, const open_peak_t *o, const piece_t *at, uint32_t summit)
{
    grn_status rc = GRN_GROW(out->v, out->cap, out->n + 1);
    if (rc) return rc;
    double fold = (at->r.height + 1.0) / (lambda_of(c, at->r.ends) + 1);
    if (fold < 1) return GRN_OK;
    out->v[out->n++] = (grn_peak_t){ chrom,        o->v[0].r.start, o->v[o->n - 1].r.end,        summit,
                                     at->r.height, (float)fold,     (float)(at->s->score / 1e5), at->s->q };
    return GRN_OK;
}

/* The middle of the highest run; of several, of the middle one. */
static grn_status plain_summit(const call_t *c, grn_peaks_t *out, uint32_t chrom, const open_peak_t *o)
{
    uint32_t top = 0;
    size_t n = 0, i;
    for (i = 0; i < o->n; i++) {
        if (o->v[i].r.height > top) top = o->v[i].r.height, n = 0;
        n += o->v[i].r.height == top;
    }
    size_t want = (n + 1) / 2;
    for (i = 0; i < o->n; i++)
        if (o->v[i].r.height == top && !--want) break;
    return push_peak(c, out, chrom, o, &o->v[i], (o->v[i].r.start + o->v[i].r.end) / 2);
}

static grn_status several_summits(const call_t *c, grn_peaks_t *out, uint32_t chrom, open_peak_t *o)
{
    const uint32_t start = o->v[0].r.start, end = o->v[o->n - 1].r.end;
    const size_t n = end - start + 2 * PAD;
    uint32_t at[MAX_SUMMITS];
    size_t m;
    if (n > MAX_SIGNAL) return plain_summit(c, out, chrom, o);
    grn_status rc = GRN_GROW(o->signal, o->signal_cap, n);
    if (rc) return rc;
    memset(o->signal, 0, n * sizeof *o->signal);
    for (size_t i = 0; i < o->n; i++)
        for (uint32_t x = o->v[i].r.start; x < o->v[i].r.end; x++) o->signal[x - start + PAD] = (float)o->v[i].r.height;
    rc = grn_peak_summits(o->signal, n, PAD, c->min_length, at, MAX_SUMMITS, &m);
    if (!rc && !m) return plain_summit(c, out, chrom, o);
    for (size_t k = 0, i = 0; !rc && k < m; k++) {
        uint32_t x = start + at[k];
        while (i + 1 < o->n && o->v[i].r.end <= x) i++;
        rc = push_peak(c, out, chrom, o, &o->v[i], x);
    }
    return rc;
}

static grn_status close_peak(const call_t *c, grn_peaks_t *out, uint32_t chrom, open_peak_t *o)
{
    grn_status rc = GRN_OK;
    if (o->n && o->v[o->n - 1].r.end - o->v[0].r.start >= c->min_length)
        rc = c->opt->summits ? several_summits(c, out, chrom, o) : plain_summit(c, out, chrom, o);
    o->n = 0;
    return rc;
}

static grn_status peak_work(void *ctx, size_t begin, size_t end, int worker)
{
    call_t *c = ctx;
    grn_status rc = GRN_OK;
    open_peak_t o = { 0 };
    (void)worker;
    for (size_t k = begin; k < end; k++) {
        grn_pileup_t p;
        grn_run_t r;
        score_t *s;
        grn_pileup_init(&p, &c->track[k], c->window);
        while (grn_pileup_next(&p, &r)) {
            GRN_TRY(score_of(c, &c->scores[k], &r, &s));
            if (s->score < c->cut) continue;
            if (o.n && r.start - o.v[o.n - 1].r.end > c->max_gap) GRN_TRY(close_peak(c, &c->found[k], (uint32_t)k, &o));
            GRN_TRY(GRN_GROW(o.v, o.cap, o.n + 1));
            o.v[o.n++] = (piece_t){ r, s };
        }
        GRN_TRY(close_peak(c, &c->found[k], (uint32_t)k, &o));
    }
end:
    free(o.v);
    free(o.signal);
    return rc;
}

grn_status grn_peaks_call(const grn_track_t *track, size_t n_chroms, const grn_peak_opt_t *opt, grn_par_t *pool, grn_peaks_t *out)
{
    grn_status rc = GRN_OK;
    call_t c = { .track = track, .opt = opt, .window = opt->local ? GRN_PEAK_WINDOW : 0 };
    level_t *level = NULL;
    float *q = NULL;
    size_t n_level = 0;
    uint64_t length = 0, n_rows = 0, row_bp = 0;
    memset(out, 0, sizeof *out);
    for (size_t k = 0; k < n_chroms; k++) {
        out->n_fragments += track[k].n;
        n_rows += track[k].n_rows;
        row_bp += track[k].row_bp;
        for (size_t i = 0; i < track[k].n; i++) length += track[k].end[i] - (uint64_t)track[k].start[i];
    }
    if (!out->n_fragments) return GRN_OK;
    out->mean_length = (uint32_t)(row_bp / n_rows); /* MACS truncates, and takes each row once even where it counts them */
    out->lambda = c.lambda = (double)length / opt->genome_size;
    c.per_end = (double)length / (2.0 * GRN_PEAK_WINDOW * (double)out->n_fragments);
    c.max_gap = opt->max_gap ? opt->max_gap : out->mean_length;
    c.min_length = opt->min_length ? opt->min_length : out->mean_length;
    GRN_TRY(GRN_NEW(c.scores, n_chroms));
    GRN_TRY(GRN_NEW(c.found, n_chroms));
    GRN_TRY(grn_par_for(pool, n_chroms, 1, score_work, &c));
    GRN_TRY(rank_scores(&c, n_chroms, &level, &q, &n_level, &out->n_bp));
    set_q(&c, n_chroms, level, q, n_level);
    c.cut = INT32_MAX;
    for (size_t i = 0; i < n_level && (double)q[i] > -log10(opt->max_q); i++) c.cut = level[i].score;
    GRN_TRY(grn_par_for(pool, n_chroms, 1, peak_work, &c));
    for (size_t k = 0; k < n_chroms; k++) {
        GRN_TRY(GRN_GROW(out->v, out->cap, out->n + c.found[k].n));
        if (c.found[k].n) memcpy(out->v + out->n, c.found[k].v, c.found[k].n * sizeof *out->v);
        out->n += c.found[k].n;
    }
end:
    for (size_t k = 0; k < n_chroms; k++) {
        if (c.scores) free(c.scores[k].v);
        if (c.found) grn_peaks_clear(&c.found[k]);
    }
    free(c.scores);
    free(c.found);
    free(level);
    free(q);
    if (rc) grn_peaks_clear(out);
    return rc;
}

/* ---- summits ---- */

/* First derivative by least squares over 2 half + 1 positions, times a constant: sum of (j - at) y[j], exact for whole heights; beyond
 * the ends the signal is 0. sum, moment: (n + 1) running sums of y[j] and of j y[j]. */
static double slope(const double *sum, const double *moment, size_t n, size_t at, uint32_t half)
{
    size_t from = at > half ? at - half : 0, to = at + half + 1 < n ? at + half + 1 : n;
    return moment[to] - moment[from] - (double)at * (sum[to] - sum[from]);
}

/* Above the higher of the valleys beside it (and the root of that), long and varied enough? */
static int stands_out(const float *y, size_t from, size_t to, double valley)
{
    double floor_at = valley + sqrt(valley);
    size_t n = 0, n_values = 0;
    float seen[MIN_VALUES];
    for (size_t i = from; i < to; i++) {
        if ((double)y[i] <= floor_at) continue;
        n++;
        size_t k = 0;
        while (k < n_values && seen[k] != y[i]) k++;
        if (k == n_values && n_values < MIN_VALUES) seen[n_values++] = y[i];
    }
    return n >= MIN_STANDING && n_values >= MIN_VALUES;
}

grn_status grn_peak_summits(const float *y, size_t n, size_t pad, uint32_t smooth, uint32_t *out, size_t cap, size_t *n_out)
{
    grn_status rc = GRN_OK;
    const uint32_t half = smooth / 2;
    size_t *top = NULL, n_top = 0, from = 0;
    double left = 0, *sum = NULL, *moment = NULL;
    *n_out = 0;
    GRN_TRY(GRN_NEW(top, n));
    GRN_TRY(GRN_NEW(sum, n + 1));
    GRN_TRY(GRN_NEW(moment, n + 1));
    for (size_t i = 0; i < n; i++) {
        sum[i + 1] = sum[i] + (double)y[i];
        moment[i + 1] = moment[i] + (double)i * (double)y[i];
    }
    double before = slope(sum, moment, n, 0, half);
    for (size_t i = 1; half && i < n; i++) {
        double now = slope(sum, moment, n, i, half);
        if (before > 0 && now <= 0 && i - 1 >= pad && i - 1 < n - pad) top[n_top++] = i - 1;
        before = now;
    }
    for (size_t k = 0; k < n_top && *n_out < cap; k++) { /* between the valleys beside it; a summit alone has none and stands */
        size_t to = k + 1 < n_top ? top[k] : n - 1;
        for (size_t i = top[k]; k + 1 < n_top && i <= top[k + 1]; i++)
            if (y[i] < y[to]) to = i;
        double right = k + 1 < n_top ? (double)y[to] : 0;
        if (n_top == 1 || stands_out(y, from, to + 1, fmax(left, right))) out[(*n_out)++] = (uint32_t)(top[k] - pad);
        from = to;
        left = right;
    }
end:
    free(top);
    free(sum);
    free(moment);
    return rc;
}
