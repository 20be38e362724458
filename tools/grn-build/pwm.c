#include "pwm.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define Q 8           /* bases a table entry stands for */
#define N_WORD 65536u /* 4^Q */
#define GAP 4

/* ---- scores and p-values ---- */

void grn_pwm_clear(grn_pwm_t *m)
{
    free(m->s);
    free(m->tail);
    memset(m, 0, sizeof *m);
}

static int32_t row_max(const int32_t *s)
{
    int32_t m = s[0];
    for (int b = 1; b < 4; b++) m = s[b] > m ? s[b] : m;
    return m;
}

static int32_t row_min(const int32_t *s)
{
    int32_t m = s[0];
    for (int b = 1; b < 4; b++) m = s[b] < m ? s[b] : m;
    return m;
}

/* P(sum of scores = min + k) for k = 0 .. range, in *dist (malloc'ed). */
static grn_status distribution(const grn_pwm_t *m, const double bg[4], double **dist, size_t *range)
{
    grn_status rc = GRN_OK;
    double *a = NULL, *b = NULL;
    size_t n = 0, reach = 0;
    for (uint32_t i = 0; i < m->w; i++) n += (size_t)(row_max(m->s + 4 * i) - row_min(m->s + 4 * i));
    GRN_TRY(GRN_NEW(a, n + 1));
    GRN_TRY(GRN_NEW(b, n + 1));
    a[0] = 1;
    for (uint32_t i = 0; i < m->w; i++) {
        const int32_t *s = m->s + 4 * i, lo = row_min(s);
        size_t wider = reach + (size_t)(row_max(s) - lo);
        memset(b, 0, (wider + 1) * sizeof *b);
        for (int c = 0; c < 4; c++) {
            double *to = b + (s[c] - lo), p = bg[c];
            for (size_t k = 0; k <= reach; k++) to[k] += p * a[k];
        }
        double *t = a;
        a = b;
        b = t;
        reach = wider;
    }
    *dist = a;
    *range = n;
    a = NULL;
end:
    free(a);
    free(b);
    return rc;
}

grn_status grn_pwm_init(grn_pwm_t *m, const grn_motif_t *motif, double pseudo, const double bg[4], double p)
{
    grn_status rc = GRN_OK;
    double *lo = NULL, *dist = NULL, sum = 0;
    size_t range, first;
    m->w = motif->w;
    GRN_TRY(GRN_NEW_RAW(lo, 4 * (size_t)m->w));
    GRN_TRY(GRN_NEW_RAW(m->s, 4 * (size_t)m->w));
    grn_motif_logodds(motif, pseudo, bg, lo);
    for (size_t i = 0; i < 4 * (size_t)m->w; i++) m->s[i] = (int32_t)lround(lo[i] * GRN_PWM_SCALE);
    m->max = 0;
    for (uint32_t i = 0; i < m->w; i++) m->max += row_max(m->s + 4 * i);
    GRN_TRY(distribution(m, bg, &dist, &range));
    /* from the top, so that small numbers come first */
    for (first = range + 1; first > 0 && sum + dist[first - 1] <= p; first--) sum += dist[first - 1];
    m->threshold = INT32_MAX;
    if (first <= range) {
        m->threshold = m->max - (int32_t)(range - first);
        GRN_TRY(GRN_NEW_RAW(m->tail, range - first + 1));
        double t = 0;
        for (size_t k = range + 1; k > first; k--) m->tail[k - 1 - first] = t += dist[k - 1];
    }
end:
    free(lo);
    free(dist);
    if (rc) grn_pwm_clear(m);
    return rc;
}

double grn_pwm_pvalue(const grn_pwm_t *m, int32_t s)
{
    return s > m->max ? 0 : m->tail[s - m->threshold];
}

/* ---- scanning ---- */

typedef struct { /* one position outside the window */
    int32_t s[4];
    int32_t best; /* most that this and the following steps can add */
    uint32_t pos;
} step_t;

typedef struct { /* a motif on one strand, ready to scan */
    uint32_t motif, w;
    uint32_t win;    /* first position of the window that the table holds */
    uint32_t n_step; /* positions outside the window, most telling first */
    step_t *step;
    int32_t threshold;
    int8_t strand;
    int32_t *s; /* (w, 4) */
} lane_t;

typedef struct { /* a lane that an 8-mer may belong to */
    uint32_t lane;
    int32_t slack; /* score of the window less the threshold */
} item_t;

struct grn_scanner_s {
    lane_t *lane;
    size_t n;
    uint64_t *off;    /* (N_WORD + 1) */
    item_t *item;
    uint32_t **words; /* building: per lane, 65,536 bits of the words that pass */
};

void grn_sites_clear(grn_sites_t *s)
{
    free(s->v);
    free(s->code);
    free(s->n_gap);
    memset(s, 0, sizeof *s);
}

void grn_scanner_destroy(grn_scanner_t *s)
{
    if (!s) return;
    for (size_t i = 0; s->lane && i < s->n; i++) {
        free(s->lane[i].step);
        free(s->lane[i].s);
        if (s->words) free(s->words[i]);
    }
    free(s->lane);
    free(s->words);
    free(s->off);
    free(s->item);
    free(s);
}

/* What a position tells: how far its best score lies above its mean. */
static double telling(const int32_t *s)
{
    return row_max(s) - 0.25 * ((double)s[0] + s[1] + s[2] + s[3]);
}

/* The window of Q positions that tells most; the other positions in falling order. */
static grn_status order_positions(lane_t *l)
{
    double most = -1;
    uint32_t n_win = l->w < Q ? l->w : Q, n = 0;
    for (uint32_t i = 0; i + n_win <= l->w; i++) {
        double t = 0;
        for (uint32_t k = 0; k < n_win; k++) t += telling(l->s + 4 * (i + k));
        if (t > most) most = t, l->win = i;
    }
    l->n_step = l->w - n_win;
    grn_status rc = GRN_NEW(l->step, l->n_step);
    if (rc) return rc;
    for (uint32_t i = 0; i < l->w; i++) {
        if (i >= l->win && i < l->win + n_win) continue;
        uint32_t k = n++; /* insertion: stable, falling */
        for (; k && telling(l->step[k - 1].s) < telling(l->s + 4 * i); k--) l->step[k] = l->step[k - 1];
        l->step[k].pos = i;
        memcpy(l->step[k].s, l->s + 4 * i, sizeof l->step->s);
    }
    for (uint32_t k = l->n_step; k-- > 0;)
        l->step[k].best = row_max(l->step[k].s) + (k + 1 < l->n_step ? l->step[k + 1].best : 0);
    return GRN_OK;
}

/* Scores of the 256 words of four positions from `first` (positions beyond the motif count nothing). */
static void quarter_scores(const lane_t *l, uint32_t first, int32_t out[256])
{
    for (uint32_t x = 0; x < 256; x++) {
        out[x] = 0;
        for (uint32_t k = 0; k < 4; k++)
            if (first + k < l->w) out[x] += l->s[4 * (first + k) + (x >> (6 - 2 * k) & 3)];
    }
}

static grn_status lane_work(void *ctx, size_t begin, size_t end, int worker)
{
    grn_scanner_t *s = ctx;
    (void)worker;
    for (size_t i = begin; i < end; i++) {
        lane_t *l = &s->lane[i];
        int32_t hi[256], lo[256];
        grn_status rc;
        if ((rc = order_positions(l)) || (rc = GRN_NEW(s->words[i], N_WORD / 32))) return rc;
        quarter_scores(l, l->win, hi);
        quarter_scores(l, l->win + 4, lo);
        int32_t need = l->threshold - (l->n_step ? l->step[0].best : 0);
        for (uint32_t x = 0; x < N_WORD; x++)
            if (hi[x >> 8] + lo[x & 255] >= need) s->words[i][x / 32] |= 1u << (x % 32);
    }
    return GRN_OK;
}

static grn_status add_lane(grn_scanner_t *s, const grn_pwm_t *m, uint32_t motif, int strand)
{
    lane_t *l = &s->lane[s->n];
    *l = (lane_t){ .motif = motif, .w = m->w, .strand = (int8_t)strand, .threshold = m->threshold };
    grn_status rc = GRN_NEW_RAW(l->s, 4 * (size_t)m->w);
    if (rc) return rc;
    s->n++;
    for (uint32_t i = 0; i < m->w; i++)
        for (uint32_t b = 0; b < 4; b++) l->s[4 * i + b] = strand > 0 ? m->s[4 * i + b] : m->s[4 * (m->w - 1 - i) + 3 - b];
    return GRN_OK;
}

/* From bits per lane to lanes per word. */
static grn_status build_lists(grn_scanner_t *s)
{
    grn_status rc = GRN_OK;
    uint64_t *at = NULL;
    GRN_TRY(GRN_NEW(s->off, N_WORD + 1));
    GRN_TRY(GRN_NEW_RAW(at, N_WORD));
    for (size_t i = 0; i < s->n; i++)
        for (uint32_t x = 0; x < N_WORD; x++) s->off[x + 1] += s->words[i][x / 32] >> (x % 32) & 1;
    for (uint32_t x = 0; x < N_WORD; x++) {
        s->off[x + 1] += s->off[x];
        at[x] = s->off[x];
    }
    GRN_TRY(GRN_NEW_RAW(s->item, s->off[N_WORD]));
    for (size_t i = 0; i < s->n; i++) {
        const lane_t *l = &s->lane[i];
        int32_t hi[256], lo[256];
        quarter_scores(l, l->win, hi);
        quarter_scores(l, l->win + 4, lo);
        for (uint32_t x = 0; x < N_WORD; x++)
            if (s->words[i][x / 32] >> (x % 32) & 1)
                s->item[at[x]++] = (item_t){ (uint32_t)i, hi[x >> 8] + lo[x & 255] - l->threshold };
        free(s->words[i]);
        s->words[i] = NULL;
    }
end:
    free(at);
    return rc;
}

grn_status grn_scanner_create(grn_scanner_t **out, const grn_pwm_t *m, size_t n, int both_strands, grn_par_t *pool)
{
    grn_status rc = GRN_OK;
    grn_scanner_t *s = NULL;
    *out = NULL;
    GRN_TRY(GRN_NEW(s, 1));
    GRN_TRY(GRN_NEW(s->lane, 2 * n));
    for (size_t i = 0; i < n; i++) {
        if (m[i].threshold == INT32_MAX) continue;
        GRN_TRY(add_lane(s, &m[i], (uint32_t)i, 1));
        if (both_strands) GRN_TRY(add_lane(s, &m[i], (uint32_t)i, -1));
    }
    GRN_TRY(GRN_NEW(s->words, s->n));
    GRN_TRY(grn_par_for(pool, s->n, 16, lane_work, s));
    GRN_TRY(build_lists(s));
    *out = s;
    s = NULL;
end:
    grn_scanner_destroy(s);
    return rc;
}

/* How far the lane's score at `code` is above its threshold; negative as soon as it cannot get there. */
static inline int32_t surplus(const lane_t *l, int32_t slack, const uint8_t *code)
{
    for (uint32_t k = 0; k < l->n_step; k++) {
        const step_t *st = &l->step[k];
        if (slack + st->best < 0) return -1;
        slack += st->s[code[st->pos]];
    }
    return slack;
}

static int by_site(const void *a, const void *b)
{
    const grn_site_t *x = a, *y = b;
    if (x->start != y->start) return x->start < y->start ? -1 : 1;
    if (x->motif != y->motif) return x->motif < y->motif ? -1 : 1;
    return y->strand - x->strand;
}

static grn_status prepare(grn_sites_t *o, const uint8_t *seq, size_t n)
{
    grn_status rc = GRN_OK;
    GRN_TRY(GRN_GROW(o->code, o->code_cap, n + Q));
    GRN_TRY(GRN_GROW(o->n_gap, o->gap_cap, n + 1));
    o->n_gap[0] = 0;
    for (size_t i = 0; i < n; i++) {
        o->code[i] = seq[i] == GAP ? 0 : seq[i];
        o->n_gap[i + 1] = o->n_gap[i] + (seq[i] == GAP);
    }
    memset(o->code + n, 0, Q);
end:
    return rc;
}

grn_status grn_scanner_run(const grn_scanner_t *s, const uint8_t *seq, size_t n, grn_sites_t *o)
{
    grn_status rc = GRN_OK;
    uint32_t word = 0;
    o->n = 0;
    if (n > UINT32_MAX - Q) return grn_err(GRN_EUNSUP, "a sequence of more than 4,294,967,287 bases");
    GRN_TRY(prepare(o, seq, n));
    for (size_t i = 0; i + 1 < Q; i++) word = word << 2 | o->code[i]; /* the padding makes room for short sequences */
    for (size_t i = 0; i < n; i++) {
        word = (word << 2 | o->code[i + Q - 1]) & (N_WORD - 1);
        for (uint64_t k = s->off[word]; k < s->off[word + 1]; k++) {
            const lane_t *l = &s->lane[s->item[k].lane];
            if (i < l->win || i - l->win + l->w > n) continue;
            size_t start = i - l->win;
            int32_t above = surplus(l, s->item[k].slack, o->code + start);
            if (above < 0 || o->n_gap[start + l->w] != o->n_gap[start]) continue;
            GRN_TRY(GRN_GROW(o->v, o->cap, o->n + 1));
            o->v[o->n++] = (grn_site_t){ (uint32_t)start, l->motif, l->threshold + above, l->strand };
        }
    }
    if (o->n) qsort(o->v, o->n, sizeof *o->v, by_site);
end:
    return rc;
}
