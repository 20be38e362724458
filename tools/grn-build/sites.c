#include "sites.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/simd.h"

#define GAP 4
#define FULL 250                 /* units of a byte between a motif's best word and the least that counts */
#define CHUNK ((size_t)32 << 10) /* starts at a time: stay in the cache */

typedef struct {
    uint32_t w, n_pair;
    int32_t *s;   /* (2, w, 4) scores on + and - */
    uint8_t *tab; /* (2, n_pair, 16) */
    int32_t threshold;
} lane_t;

struct grn_scanner_s {
    const grn_sites_kernel_t *kernel;
    size_t n;
    lane_t *lane; /* (n) */
    int n_strand;
    uint32_t max_w;
};

void grn_sites_clear(grn_sites_t *s)
{
    free(s->v);
    free(s->code);
    free(s->pair);
    free(s->fall);
    free(s->n_gap);
    free(s->at);
    memset(s, 0, sizeof *s);
}

void grn_scanner_destroy(grn_scanner_t *s)
{
    if (!s) return;
    for (size_t i = 0; s->lane && i < s->n; i++) {
        free(s->lane[i].s);
        free(s->lane[i].tab);
    }
    free(s->lane);
    free(s);
}

static const grn_sites_kernel_t *pick_kernel(void)
{
#if defined(__x86_64__)
    const grn_sites_kernel_t *const by_level[] = { &grn_sites_kernel_base, &grn_sites_kernel_avx2, &grn_sites_kernel_avx512 };
    return by_level[grn_simd_level()];
#else
    return &grn_sites_kernel_base;
#endif
}

/* How far below the motif's best a score may lie: to its threshold, or to the mean of random words. */
static int64_t depth(const grn_pwm_t *m, grn_scan_mode mode)
{
    int64_t sum = 0;
    if (mode == GRN_SCAN_SITES) return m->max - m->threshold;
    for (size_t i = 0; i < 4 * (size_t)m->w; i++) sum += m->s[i];
    return m->max - sum / 4;
}

/* One strand's table: what a pair of bases falls short, rounded down, in units of depth / FULL. */
static void fill_table(const int32_t *s, uint32_t w, int64_t deep, uint8_t *tab)
{
    for (uint32_t i = 0; i < w; i += 2)
        for (uint32_t x = 0; x < 16; x++) {
            int64_t fall = grn_pwm_row_max(s + 4 * i) - s[4 * i + (x >> 2)];
            if (i + 1 < w) fall += grn_pwm_row_max(s + 4 * i + 4) - s[4 * i + 4 + (x & 3)];
            fall = deep > 0 ? fall * FULL / deep : fall * (FULL + 1);
            tab[i / 2 * 16 + x] = (uint8_t)(fall < 255 ? fall : 255);
        }
}

static grn_status make_lane(lane_t *l, const grn_pwm_t *m, int n_strand, grn_scan_mode mode)
{
    grn_status rc = GRN_OK;
    l->threshold = m->threshold;
    if (mode == GRN_SCAN_SITES && m->threshold == INT32_MAX) return GRN_OK; /* w = 0: no site */
    l->n_pair = (m->w + 1) / 2;
    GRN_TRY(GRN_NEW_RAW(l->s, 8 * (size_t)m->w));
    GRN_TRY(GRN_NEW_RAW(l->tab, 32 * (size_t)l->n_pair));
    l->w = m->w;
    for (uint32_t i = 0; i < m->w; i++)
        for (uint32_t b = 0; b < 4; b++) {
            l->s[4 * i + b] = m->s[4 * i + b];
            l->s[4 * (m->w + i) + b] = m->s[4 * (m->w - 1 - i) + 3 - b];
        }
    fill_table(l->s, l->w, depth(m, mode), l->tab);
    if (n_strand == 2) fill_table(l->s + 4 * (size_t)l->w, l->w, depth(m, mode), l->tab + 16 * (size_t)l->n_pair);
    else memset(l->tab + 16 * (size_t)l->n_pair, 255, 16 * (size_t)l->n_pair);
end:
    return rc;
}

grn_status grn_scanner_create(grn_scanner_t **out, const grn_pwm_t *m, size_t n, int both_strands, grn_scan_mode mode,
                              const grn_sites_kernel_t *kernel)
{
    grn_status rc = GRN_OK;
    grn_scanner_t *s = NULL;
    *out = NULL;
    GRN_TRY(GRN_NEW(s, 1));
    GRN_TRY(GRN_NEW(s->lane, n));
    s->n = n;
    s->kernel = kernel ? kernel : pick_kernel();
    s->n_strand = both_strands ? 2 : 1;
    for (size_t i = 0; i < n; i++) {
        GRN_TRY(make_lane(&s->lane[i], &m[i], s->n_strand, mode));
        s->max_w = m[i].w > s->max_w ? m[i].w : s->max_w;
    }
    *out = s;
    s = NULL;
end:
    grn_scanner_destroy(s);
    return rc;
}

/* The sequence with room behind it, by base and by pairs of bases; gaps count as A there, and as gaps in n_gap. */
static grn_status prepare(grn_sites_t *o, const uint8_t *seq, size_t n, uint32_t max_w)
{
    grn_status rc = GRN_OK;
    size_t room = n + max_w + 2 * GRN_SITES_BLOCK;
    if (n > UINT32_MAX - 4096) return grn_err(GRN_EUNSUP, "a sequence of more than 4,294,963,199 bases");
    if (room > o->code_cap) {
        free(o->code);
        free(o->pair);
        free(o->fall);
        free(o->at);
        o->code = o->pair = o->fall = NULL;
        o->at = NULL;
        o->code_cap = 0;
        GRN_TRY(GRN_NEW_RAW(o->code, room));
        GRN_TRY(GRN_NEW_RAW(o->pair, room));
        GRN_TRY(GRN_NEW_RAW(o->fall, room < CHUNK ? room : CHUNK + GRN_SITES_BLOCK));
        GRN_TRY(GRN_NEW_RAW(o->at, room < CHUNK ? room : CHUNK));
        o->code_cap = room;
    }
    GRN_TRY(GRN_GROW(o->n_gap, o->gap_cap, n + 1));
    o->n_gap[0] = 0;
    for (size_t i = 0; i < n; i++) {
        o->code[i] = seq[i] == GAP ? 0 : seq[i];
        o->n_gap[i + 1] = o->n_gap[i] + (seq[i] == GAP);
    }
    memset(o->code + n, 0, room - n);
    for (size_t i = 0; i + 1 < room; i++) o->pair[i] = (uint8_t)(o->code[i] << 2 | o->code[i + 1]);
    o->pair[room - 1] = 0;
end:
    return rc;
}

static inline int32_t score_of(const lane_t *l, int strand, const uint8_t *code)
{
    const int32_t *s = l->s + 4 * (size_t)l->w * (size_t)strand;
    int32_t sum = 0;
    for (uint32_t i = 0; i < l->w; i++) sum += s[4 * i + code[i]];
    return sum;
}

static int by_site(const void *a, const void *b)
{
    const grn_site_t *x = a, *y = b;
    if (x->start != y->start) return x->start < y->start ? -1 : 1;
    if (x->motif != y->motif) return x->motif < y->motif ? -1 : 1;
    return y->strand - x->strand;
}

/* Sites among the n starts in o->at, counted from `first`. */
static grn_status keep_sites(const grn_scanner_t *s, size_t motif, size_t first, size_t n, grn_sites_t *o)
{
    const lane_t *l = &s->lane[motif];
    for (size_t k = 0; k < n; k++) {
        size_t start = first + o->at[k];
        if (o->n_gap[start + l->w] != o->n_gap[start]) continue;
        for (int strand = 0; strand < s->n_strand; strand++) {
            int32_t score = score_of(l, strand, o->code + start);
            if (score < l->threshold) continue;
            grn_status rc = GRN_GROW(o->v, o->cap, o->n + 1);
            if (rc) return rc;
            o->v[o->n++] = (grn_site_t){ (uint32_t)start, (uint32_t)motif, score, strand ? -1 : 1 };
        }
    }
    return GRN_OK;
}

grn_status grn_scanner_run(const grn_scanner_t *s, const uint8_t *seq, size_t n, grn_sites_t *o)
{
    grn_status rc = GRN_OK;
    o->n = 0;
    GRN_TRY(prepare(o, seq, n, s->max_w));
    for (size_t first = 0; first < n; first += CHUNK)
        for (size_t i = 0; i < s->n; i++) {
            const lane_t *l = &s->lane[i];
            if (!l->w || n < l->w || first > n - l->w) continue;
            size_t len = n - l->w + 1 - first < CHUNK ? n - l->w + 1 - first : CHUNK;
            s->kernel->falls(o->pair + first, len, l->n_pair, l->tab, o->fall);
            GRN_TRY(keep_sites(s, i, first, s->kernel->within(o->fall, len, FULL, o->at), o));
        }
    if (o->n) qsort(o->v, o->n, sizeof *o->v, by_site);
end:
    return rc;
}

static void better_of(const grn_scanner_t *s, const lane_t *l, const grn_sites_t *o, size_t start, int32_t *best)
{
    if (o->n_gap[start + l->w] != o->n_gap[start]) return;
    for (int strand = 0; strand < s->n_strand; strand++) {
        int32_t score = score_of(l, strand, o->code + start);
        if (score > *best) *best = score;
    }
}

/* A word that falls short m units (rounded down pair by pair) may be better than one of m + n_pair - 1, and the other way round. */
static int32_t best_of(const grn_scanner_t *s, const lane_t *l, size_t first, size_t len, grn_sites_t *o)
{
    int32_t best = INT32_MIN;
    s->kernel->falls(o->pair + first, len, l->n_pair, l->tab, o->fall);
    unsigned most = s->kernel->least(o->fall, len) + l->n_pair - 1;
    if (most < 255) {
        size_t n = s->kernel->within(o->fall, len, (uint8_t)most, o->at);
        for (size_t k = 0; k < n; k++) better_of(s, l, o, first + o->at[k], &best);
    }
    /* every word is far from the best, or what looked good holds a gap */
    if (most >= 255 || o->n_gap[first + len - 1 + l->w] != o->n_gap[first])
        for (size_t i = 0; i < len; i++) better_of(s, l, o, first + i, &best);
    return best;
}

grn_status grn_scanner_best(const grn_scanner_t *s, const uint8_t *seq, size_t n, grn_sites_t *o, int32_t *best)
{
    grn_status rc = prepare(o, seq, n, s->max_w);
    for (size_t i = 0; i < s->n && !rc; i++) best[i] = INT32_MIN;
    for (size_t first = 0; first < n && !rc; first += CHUNK)
        for (size_t i = 0; i < s->n; i++) {
            const lane_t *l = &s->lane[i];
            if (n < l->w || first > n - l->w) continue;
            size_t len = n - l->w + 1 - first < CHUNK ? n - l->w + 1 - first : CHUNK;
            int32_t b = best_of(s, l, first, len, o);
            best[i] = b > best[i] ? b : best[i];
        }
    return rc;
}
