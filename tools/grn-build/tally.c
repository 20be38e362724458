#include "tally.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define SMALL_SORT 48
#define LOG_N ((size_t)1 << 20) /* two of 8 MB a worker */
#define AHEAD 8 /* entries, to prefetch */
/* An entry of a log: cell, place, count of the fragment, what kind it is; first = of its fragment. */
#define CELL_SHIFT 38
#define PLACE_SHIFT 12
#define NO_PLACE (((uint64_t)1 << (CELL_SHIFT - PLACE_SHIFT)) - 1)
#define MAX_CELL ((uint64_t)1 << (64 - CELL_SHIFT))
#define COUNT_SHIFT 3
#define MAX_COUNT 511u
enum { FIRST = 1, FREE = 2, MONO = 4 };

static void end_worker(grn_tally_worker_t *w)
{
    free(w->log);
    free(w->swap);
    free(w->place);
    free(w->place_swap);
    free(w->count);
    free(w->hit);
    free(w->length);
    free(w->profile);
}

void grn_tally_clear(grn_tally_t *t)
{
    for (size_t i = 0; t->cell.chunk && i < t->pass.cells.n; i++) {
        char *chunk = t->cell.chunk[i >> GRN_PERCELL_BITS];
        if (chunk) free(grn_tally_at(t, (uint32_t)i)->place);
    }
    grn_percell_clear(&t->cell);
    for (int w = 0; t->worker && w < t->n_worker; w++) end_worker(&t->worker[w]);
    free(t->worker);
    grn_overlap_clear(&t->overlap);
    grn_fragpass_clear(&t->pass);
    memset(t, 0, sizeof *t);
}

grn_status grn_tally_init(grn_tally_t *t, grn_par_t *pool)
{
    grn_status rc = GRN_OK;
    if (t->regions->n >= NO_PLACE) GRN_FAIL(GRN_EUNSUP, "%zu regions; at most 67,108,862 are counted", t->regions->n);
    t->n_worker = grn_par_n(pool);
    GRN_TRY(GRN_NEW(t->worker, (size_t)t->n_worker));
    for (int w = 0; w < t->n_worker; w++) {
        GRN_TRY(GRN_NEW_RAW(t->worker[w].log, LOG_N));
        GRN_TRY(GRN_NEW_RAW(t->worker[w].swap, LOG_N));
        GRN_TRY(GRN_NEW(t->worker[w].length, GRN_LENGTHS));
        GRN_TRY(GRN_NEW(t->worker[w].profile, GRN_TSS_WINDOW));
    }
    GRN_TRY(grn_percell_init(&t->cell, sizeof(grn_tally_cell_t)));
    GRN_TRY(grn_overlap_init(&t->overlap, t->regions));
    if (!t->pass.chroms.n) GRN_TRY(grn_names_dup(&t->pass.chroms, &t->regions->chroms));
    t->pass.chroms_only = t->pass.keep_no_chrom = 1;
end:
    return rc;
}

/* ---- a cell ---- */

static uint8_t *counts_of(grn_tally_cell_t *c)
{
    return (uint8_t *)(c->place + c->cap);
}

static int ascends(const uint32_t *a, size_t n)
{
    for (size_t i = 1; i < n; i++)
        if (a[i - 1] > a[i]) return 0;
    return 1;
}

/* One pass of a radix sort over 11 bits. */
static void radix_pass(const uint32_t *from, uint32_t *to, size_t n, unsigned shift)
{
    uint32_t at[2049] = { 0 };
    for (size_t i = 0; i < n; i++) at[(from[i] >> shift & 2047) + 1]++;
    for (size_t k = 1; k < 2048; k++) at[k] += at[k - 1];
    for (size_t i = 0; i < n; i++) to[at[from[i] >> shift & 2047]++] = from[i];
}

static void sort_places(uint32_t *a, uint32_t *swap, size_t n)
{
    if (ascends(a, n)) return;
    if (n <= SMALL_SORT) {
        for (size_t i = 1; i < n; i++) {
            uint32_t x = a[i];
            size_t k = i;
            for (; k && a[k - 1] > x; k--) a[k] = a[k - 1];
            a[k] = x;
        }
        return;
    }
    radix_pass(a, swap, n, 0);
    radix_pass(swap, a, n, 11);
    if (ascends(a, n)) return; /* fewer than 4 million places */
    radix_pass(a, swap, n, 22);
    memcpy(a, swap, n * sizeof *a);
}

static grn_status merge_room(grn_tally_worker_t *s, size_t n)
{
    grn_status rc = GRN_OK;
    if (n <= s->cap) return GRN_OK;
    free(s->place);
    free(s->place_swap);
    free(s->count);
    s->place = s->place_swap = NULL;
    s->count = NULL;
    s->cap = 0;
    GRN_TRY(GRN_NEW_RAW(s->place, 2 * n));
    GRN_TRY(GRN_NEW_RAW(s->place_swap, 2 * n));
    GRN_TRY(GRN_NEW_RAW(s->count, 2 * n));
    s->cap = 2 * n;
end:
    return rc;
}

/* Adds equal places of the worker (k of them, counted) to the run; keeps the others. Counts stop at 255: a place may be there several
 * times in a row. Returns how many are kept. */
static size_t absorb(grn_tally_cell_t *c, grn_tally_worker_t *s, size_t k)
{
    uint8_t *count = counts_of(c);
    size_t lo = 0, hi = c->n, kept = 0;
    while (lo < hi) { /* the first entry of the run that is not below */
        size_t mid = lo + (hi - lo) / 2;
        if (c->place[mid] < s->place[0]) lo = mid + 1;
        else hi = mid;
    }
    for (size_t j = 0; j < k; j++) {
        unsigned left = s->count[j];
        while (lo < c->n && c->place[lo] < s->place[j]) lo++;
        for (size_t i = lo; left && i < c->n && c->place[i] == s->place[j]; i++) {
            unsigned add = 255u - count[i] < left ? 255u - count[i] : left;
            count[i] = (uint8_t)(count[i] + add);
            left -= add;
        }
        if (!left) continue;
        s->place[kept] = s->place[j];
        s->count[kept++] = (uint8_t)left;
    }
    return kept;
}

/* Sorts the pending places and merges them into the run, from its end. */
static grn_status merge_cell(grn_tally_cell_t *c, grn_tally_worker_t *s)
{
    size_t k = 0, i = c->n, to;
    uint32_t *pending = c->place + c->n;
    if (!c->m) return GRN_OK;
    grn_status rc = merge_room(s, c->m);
    if (rc) return rc;
    sort_places(pending, s->place_swap, c->m);
    for (size_t j = 0; j < c->m; j++) {
        if (k && s->place[k - 1] == pending[j] && s->count[k - 1] < 255) {
            s->count[k - 1]++;
        } else {
            s->place[k] = pending[j];
            s->count[k++] = 1;
        }
    }
    k = absorb(c, s, k);
    uint8_t *count = counts_of(c);
    to = c->n + k;
    c->n = (uint32_t)to;
    c->m = 0;
    while (k) {
        to--;
        if (i && c->place[i - 1] > s->place[k - 1]) {
            c->place[to] = c->place[--i];
            count[to] = count[i];
        } else {
            c->place[to] = s->place[--k];
            count[to] = s->count[k];
        }
    }
    return GRN_OK;
}

/* Room for a quarter of the run again. */
static grn_status make_room(grn_tally_cell_t *c, grn_tally_worker_t *s)
{
    grn_status rc = merge_cell(c, s);
    if (rc || c->cap - c->n > c->n / 8) return rc;
    uint32_t cap = c->n + c->n / 4 + 4, old = c->cap;
    if (cap < c->n) return grn_err(GRN_EUNSUP, "a cell with more than 3 thousand million entries");
    uint32_t *p = grn_realloc(c->place, cap, sizeof *p + 1);
    if (!p) return GRN_ENOMEM;
    memmove((uint8_t *)(p + cap), (uint8_t *)(p + old), c->n);
    c->place = p;
    c->cap = cap;
    return GRN_OK;
}

static grn_status push(grn_tally_cell_t *c, grn_tally_worker_t *s, uint32_t place)
{
    if (c->n + c->m == c->cap) {
        grn_status rc = make_room(c, s);
        if (rc) return rc;
    }
    c->place[c->n + c->m++] = place;
    return GRN_OK;
}

static void lock_cell(const grn_tally_t *t, grn_tally_cell_t *c)
{
    if (t->n_worker == 1) return;
    while (__atomic_exchange_n(&c->lock, 1, __ATOMIC_ACQUIRE)) {
        for (int i = 0; i < 64 && __atomic_load_n(&c->lock, __ATOMIC_RELAXED); i++) {}
        if (__atomic_load_n(&c->lock, __ATOMIC_RELAXED)) sched_yield(); /* its owner may wait for this processor */
    }
}

static void unlock_cell(const grn_tally_t *t, grn_tally_cell_t *c)
{
    if (t->n_worker > 1) __atomic_store_n(&c->lock, 0, __ATOMIC_RELEASE);
}

/* ---- a log ---- */

/* One pass of a stable radix sort by 9 bits of the cell. */
static void sort_log(const uint64_t *from, uint64_t *to, size_t n, unsigned shift)
{
    uint32_t at[513] = { 0 };
    for (size_t i = 0; i < n; i++) at[(from[i] >> shift & 511) + 1]++;
    for (size_t k = 1; k < 512; k++) at[k] += at[k - 1];
    for (size_t i = 0; i < n; i++) to[at[from[i] >> shift & 511]++] = from[i];
}

/* Entries [e, end) of one cell. */
static grn_status give(const grn_tally_t *t, grn_tally_cell_t *c, grn_tally_worker_t *w, const uint64_t *e, const uint64_t *end)
{
    grn_status rc = GRN_OK;
    uint32_t n = 0, n_in = 0, n_free = 0, n_mono = 0;
    uint64_t total = 0, total_in = 0;
    lock_cell(t, c);
    for (; e < end; e++) {
        uint64_t x = *e, place = x >> PLACE_SHIFT & NO_PLACE, count = x >> COUNT_SHIFT & MAX_COUNT;
        uint64_t first = x & FIRST, in = first & (place != NO_PLACE);
        n += (uint32_t)first;
        n_in += (uint32_t)in;
        n_free += (x & FREE) != 0;
        n_mono += (x & MONO) != 0;
        total += count;
        total_in += in ? count : 0;
        if (place != NO_PLACE && !t->no_counts) GRN_TRY(push(c, w, (uint32_t)place));
    }
    c->n_fragments += n;
    c->n_in += n_in;
    c->n_free += n_free;
    c->n_mono += n_mono;
    c->total += total;
    c->total_in += total_in;
    if (!c->file) c->file = (uint16_t)(t->file + 1);
end:
    unlock_cell(t, c);
    return rc;
}

static grn_status empty_log(grn_tally_t *t, grn_tally_worker_t *w)
{
    uint64_t top = 0;
    const uint64_t *end = NULL;
    grn_status rc = GRN_OK;
    for (size_t i = 0; i < w->n_log; i++) top |= w->log[i];
    for (unsigned shift = CELL_SHIFT; shift < 64 && top >> shift; shift += 9) {
        sort_log(w->log, w->swap, w->n_log, shift);
        uint64_t *sorted = w->swap;
        w->swap = w->log;
        w->log = sorted;
    }
    end = w->log + w->n_log;
    for (const uint64_t *e = w->log, *next; e < end; e = next) {
        uint32_t cell = (uint32_t)(*e >> CELL_SHIFT);
        for (next = e + 1; next < end && *next >> CELL_SHIFT == cell; next++) {}
        if (end - next > AHEAD) {
            const grn_tally_cell_t *c = grn_tally_at(t, (uint32_t)(next[AHEAD] >> CELL_SHIFT));
            if (!c) return GRN_ENOMEM;
            __builtin_prefetch(c, 1);
            __builtin_prefetch(&c->n_free, 1);
        }
        if (t->n_worker == 1 && !t->no_counts && next < end) { /* alone, its fields may be read ahead */
            const grn_tally_cell_t *c = grn_tally_at(t, (uint32_t)(*next >> CELL_SHIFT));
            if (!c) return GRN_ENOMEM;
            __builtin_prefetch(c->place + c->n + c->m, 1);
        }
        grn_tally_cell_t *c = grn_tally_at(t, cell);
        GRN_TRY(c ? give(t, c, w, e, next) : GRN_ENOMEM);
    }
    w->n_log = 0;
end:
    return rc;
}

/* ---- the pass ---- */

static grn_status add_hits(const grn_tally_t *t, size_t chrom, uint32_t start, uint32_t end, grn_tally_worker_t *s, size_t *n)
{
    for (;;) {
        size_t room = s->hit_cap - *n, k = grn_overlap_find(&t->overlap, chrom, start, end, s->hit + *n, room);
        if (k <= room) {
            *n += k;
            return GRN_OK;
        }
        grn_status rc = GRN_GROW(s->hit, s->hit_cap, *n + k);
        if (rc) return rc;
    }
}

/* Places of the fragment's regions (cutsites: of its ends, a region twice when both are in it). */
static inline grn_status find_hits(const grn_tally_t *t, const grn_frag_t *f, grn_tally_worker_t *s, size_t *n)
{
    *n = 0;
    if (!t->cutsites) return add_hits(t, f->chrom, f->start, f->end, s, n);
    grn_status rc = add_hits(t, f->chrom, f->start, f->start + 1, s, n);
    return rc ? rc : add_hits(t, f->chrom, f->end - 1, f->end, s, n);
}

/* What does not fit a log: counts above MAX_COUNT. */
static grn_status add_excess(grn_tally_t *t, uint32_t cell, uint32_t excess, int in)
{
    grn_tally_cell_t *c = grn_tally_at(t, cell);
    if (!c) return GRN_ENOMEM;
    lock_cell(t, c);
    c->total += excess;
    c->total_in += in ? excess : 0;
    unlock_cell(t, c);
    return GRN_OK;
}

static void give_due(const grn_tally_t *t, grn_tally_worker_t *w)
{
    for (size_t i = 0; i < w->n_due; i++) {
        grn_tally_cell_t *c = w->due[i].c;
        lock_cell(t, c);
        c->tss.first += w->due[i].sums.first;
        c->tss.last += w->due[i].sums.last;
        c->tss.centre += w->due[i].sums.centre;
        unlock_cell(t, c);
    }
    w->n_due = 0;
}

static inline grn_status add_tss(grn_tally_t *t, const grn_frag_t *f, grn_tally_worker_t *w)
{
    grn_tss_sums_t sums = { 0, 0, 0 };
    if (!grn_tss_find(t->tss, f->chrom, f->start, f->end, w->profile, &sums)) return GRN_OK;
    grn_tally_cell_t *c = grn_tally_at(t, f->cell);
    if (!c) return GRN_ENOMEM;
    __builtin_prefetch(&c->tss, 1);
    __builtin_prefetch(&c->lock, 1);
    w->due[w->n_due++] = (grn_tally_due_t){ c, sums };
    if (w->n_due == sizeof w->due / sizeof *w->due) give_due(t, w);
    return GRN_OK;
}

static grn_status tally_work(void *ctx, const grn_frag_t *f, size_t n, int worker)
{
    grn_tally_t *t = ctx;
    grn_tally_worker_t *w = &t->worker[worker];
    grn_status rc = GRN_OK;
    for (size_t i = 0; i < n; i++, f++) {
        size_t k;
        uint32_t length = f->end - f->start, count = f->count < MAX_COUNT ? f->count : MAX_COUNT;
        if (f->cell >= MAX_CELL) GRN_FAIL(GRN_EUNSUP, "more than 67,108,864 barcodes");
        GRN_TRY(find_hits(t, f, w, &k));
        if (w->n_log + k + 1 > LOG_N) GRN_TRY(empty_log(t, w));
        uint64_t cell = (uint64_t)f->cell << CELL_SHIFT;
        w->log[w->n_log++] = cell | (k ? w->hit[0] : NO_PLACE) << PLACE_SHIFT | (uint64_t)count << COUNT_SHIFT | FIRST |
                             (length < GRN_MONO_MIN ? FREE : length <= GRN_MONO_MAX ? MONO : 0);
        for (size_t j = 1; j < k; j++) {
            if (w->n_log == LOG_N) GRN_TRY(empty_log(t, w)); /* of a fragment over very many regions */
            w->log[w->n_log++] = cell | (uint64_t)w->hit[j] << PLACE_SHIFT;
        }
        if (f->count > MAX_COUNT) GRN_TRY(add_excess(t, f->cell, f->count - MAX_COUNT, k > 0));
        w->n_in += k > 0;
        w->length[length < GRN_LENGTHS ? length : GRN_LENGTHS - 1]++;
        if (t->tss) GRN_TRY(add_tss(t, f, w));
    }
end:
    return rc;
}

grn_status grn_tally_file(grn_tally_t *t, const char *path, const char *prefix, const char *suffix, grn_par_t *pool)
{
    grn_status rc = grn_fragpass_run(&t->pass, path, prefix, suffix, pool, tally_work, t);
    for (int w = 0; w < t->n_worker && !rc; w++) {
        give_due(t, &t->worker[w]);
        rc = empty_log(t, &t->worker[w]);
    }
    return rc;
}

static grn_status finish_work(void *ctx, size_t begin, size_t end, int worker)
{
    grn_tally_t *t = ctx;
    for (size_t i = begin; i < end; i++) {
        grn_tally_cell_t *c = grn_tally_at(t, (uint32_t)i);
        grn_status rc = c ? merge_cell(c, &t->worker[worker]) : GRN_ENOMEM;
        if (rc) return rc;
    }
    return GRN_OK;
}

grn_status grn_tally_finish(grn_tally_t *t, grn_par_t *pool)
{
    t->n_listed = t->pass.n_fragments;
    for (int w = 0; w < t->n_worker; w++) {
        t->n_in += t->worker[w].n_in;
        t->worker[w].n_in = 0;
    }
    return grn_par_for(pool, t->pass.cells.n, 256, finish_work, t);
}

void grn_tally_profiles(grn_tally_t *t, uint64_t *length, uint64_t *profile)
{
    memset(length, 0, GRN_LENGTHS * sizeof *length);
    memset(profile, 0, GRN_TSS_WINDOW * sizeof *profile);
    for (int w = 0; w < t->n_worker; w++) {
        grn_tally_worker_t *k = &t->worker[w];
        for (size_t i = 0; i < GRN_LENGTHS; i++) length[i] += k->length[i];
        for (size_t i = 0; i < GRN_TSS_WINDOW; i++) profile[i] += k->profile[i];
        memset(k->length, 0, GRN_LENGTHS * sizeof *k->length);
        memset(k->profile, 0, GRN_TSS_WINDOW * sizeof *k->profile);
    }
}

/* ---- rows ---- */

static void sort_row(uint32_t *idx, float *count, size_t n)
{
    for (size_t gap = n / 2; gap; gap /= 2) /* Shell: rows are short and nearly in order */
        for (size_t i = gap; i < n; i++) {
            uint32_t x = idx[i];
            float v = count[i];
            size_t k = i;
            for (; k >= gap && idx[k - gap] > x; k -= gap) {
                idx[k] = idx[k - gap];
                count[k] = count[k - gap];
            }
            idx[k] = x;
            count[k] = v;
        }
}

void grn_tally_row(const grn_tally_t *t, const grn_tally_cell_t *c, size_t *n, uint32_t *idx, float *count)
{
    const uint8_t *small = (const uint8_t *)(c->place + c->cap);
    size_t m = 0;
    for (size_t i = 0; i < c->n; i++) {
        uint32_t column = t->overlap.in_order ? c->place[i] : t->regions->order[c->place[i]];
        if (i && c->place[i] == c->place[i - 1]) {
            count[m - 1] += (float)small[i];
        } else {
            idx[m] = column;
            count[m++] = (float)small[i];
        }
    }
    if (!t->overlap.in_order) sort_row(idx, count, m);
    *n = m;
}
