#include "tally.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define SMALL_SORT 48
#define AHEAD 24                      /* fragments or lines of a log, to prefetch */
#define LOG_N ((size_t)1 << 18)       /* lines of a log; with their order 12 MB a worker */
#define OWN_N 32768                   /* cells that every worker counts alone: 2 MB each */
#define LEAST_GROWTH 16u              /* of a list */
#define MANY 64                       /* places of a fragment that go to the list at once */
#define SMALL_SUM ((uint64_t)1 << 20) /* of a fragment, for the sums of recent_t; */
#define MAX_RECENT 2047               /* so many fragments do not overflow them */
#define N_RECENT 6

/* What came of a cell lately, in one cache line: sums as in grn_tally_cell_t. */
typedef struct {
    uint32_t n_fragments, n_in, n_free, n_mono, total, total_in, first, last, centre;
    uint8_t lock, n_place;
    uint32_t place[N_RECENT];
} recent_t;

struct grn_tally_line_s {
    uint32_t cell, n;
    uint32_t place[N_RECENT];
};

static void end_worker(grn_tally_worker_t *w)
{
    grn_percell_clear(&w->own);
    free(w->log);
    free(w->order);
    free(w->order_swap);
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
        if (chunk) free(grn_tally_at(t, (uint32_t)i)->list);
    }
    grn_percell_clear(&t->cell);
    grn_percell_clear(&t->recent);
    for (int w = 0; t->worker && w < t->n_worker; w++) end_worker(&t->worker[w]);
    free(t->worker);
    grn_overlap_clear(&t->overlap);
    grn_fragpass_clear(&t->pass);
    memset(t, 0, sizeof *t);
}

static grn_status init_worker(grn_tally_worker_t *w, int alone)
{
    grn_status rc = GRN_OK;
    GRN_TRY(GRN_NEW(w->length, GRN_LENGTHS));
    GRN_TRY(GRN_NEW(w->profile, GRN_TSS_WINDOW));
    GRN_TRY(GRN_NEW_LARGE(w->log, LOG_N));
    GRN_TRY(GRN_NEW_LARGE(w->order, LOG_N));
    GRN_TRY(GRN_NEW_LARGE(w->order_swap, LOG_N));
    if (!alone) GRN_TRY(grn_percell_init(&w->own, sizeof(recent_t)));
end:
    return rc;
}

grn_status grn_tally_init(grn_tally_t *t, grn_par_t *pool)
{
    grn_status rc = GRN_OK;
    t->n_worker = grn_par_n(pool);
    GRN_TRY(GRN_NEW(t->worker, (size_t)t->n_worker));
    for (int w = 0; w < t->n_worker; w++) GRN_TRY(init_worker(&t->worker[w], t->n_worker == 1));
    GRN_TRY(grn_percell_init(&t->cell, sizeof(grn_tally_cell_t)));
    GRN_TRY(grn_percell_init(&t->recent, sizeof(recent_t)));
    GRN_TRY(grn_overlap_init(&t->overlap, t->regions));
    if (!t->pass.chroms.n) GRN_TRY(grn_names_dup(&t->pass.chroms, &t->regions->chroms));
    t->pass.chroms_only = t->pass.keep_no_chrom = 1;
end:
    return rc;
}

/* ---- a list of places ---- */

static uint8_t *counts_of(grn_tally_list_t *c)
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
static size_t absorb(grn_tally_list_t *c, grn_tally_worker_t *s, size_t k)
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
static grn_status merge(grn_tally_list_t *c, grn_tally_worker_t *s)
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

/* A list of room for cap places with what *list holds (NULL: nothing). */
static grn_status resize(grn_tally_list_t **list, uint32_t cap)
{
    grn_tally_list_t *c = *list;
    uint32_t old = c ? c->cap : 0;
    grn_tally_list_t *p = grn_realloc(c, 1, sizeof *p + (size_t)cap * (sizeof *p->place + 1));
    if (!p) return GRN_ENOMEM;
    if (!c) p->n = p->m = 0;
    else memmove(p->place + cap, p->place + old, p->n); /* the counts */
    p->cap = cap;
    *list = p;
    return GRN_OK;
}

/* Room for k places more, and for a quarter of the run. */
static grn_status make_room(grn_tally_list_t **list, grn_tally_worker_t *s, uint32_t k)
{
    grn_tally_list_t *c = *list;
    if (!c) return resize(list, k);
    if (c->cap - c->n - c->m >= k) return GRN_OK;
    grn_status rc = merge(c, s);
    if (rc || (c->cap - c->n >= k && c->cap - c->n > c->n / 8)) return rc;
    uint32_t least = k < LEAST_GROWTH ? LEAST_GROWTH : k, more = c->n / 4 < least ? least : c->n / 4;
    if (c->n > UINT32_MAX - more) return grn_err(GRN_EUNSUP, "a cell with more than 3 thousand million entries");
    return resize(list, c->n + more);
}

static void put_places(grn_tally_list_t *c, const uint32_t *place, uint32_t n)
{
    memcpy(c->place + c->n + c->m, place, n * sizeof *place);
    c->m += n;
}

/* ---- locks: of a cell and, taken first, of what came of it lately ---- */

static void lock(const grn_tally_t *t, uint8_t *x)
{
    if (t->n_worker == 1) return;
    while (__atomic_exchange_n(x, 1, __ATOMIC_ACQUIRE)) {
        for (int i = 0; i < 64 && __atomic_load_n(x, __ATOMIC_RELAXED); i++) {}
        if (__atomic_load_n(x, __ATOMIC_RELAXED)) sched_yield(); /* its owner may wait for this processor */
    }
}

static void unlock(const grn_tally_t *t, uint8_t *x)
{
    if (t->n_worker > 1) __atomic_store_n(x, 0, __ATOMIC_RELEASE);
}

/* ---- a log ---- */

/* One pass of a stable radix sort by 9 bits. */
static void sort_order(const uint64_t *from, uint64_t *to, size_t n, unsigned shift)
{
    uint32_t at[513] = { 0 };
    for (size_t i = 0; i < n; i++) at[(from[i] >> shift & 511) + 1]++;
    for (size_t k = 1; k < 512; k++) at[k] += at[k - 1];
    for (size_t i = 0; i < n; i++) to[at[from[i] >> shift & 511]++] = from[i];
}

/* The lines of the log by cell: w->order = cell << 32 | line. */
static void order_log(grn_tally_worker_t *w)
{
    uint64_t top = 0;
    for (size_t i = 0; i < w->n_log; i++) {
        w->order[i] = (uint64_t)w->log[i].cell << 32 | i;
        top |= w->order[i];
    }
    for (unsigned shift = 32; shift < 64 && top >> shift; shift += 9) {
        sort_order(w->order, w->order_swap, w->n_log, shift);
        uint64_t *sorted = w->order_swap;
        w->order_swap = w->order;
        w->order = sorted;
    }
}

/* Hands the lines order[0..n) to their cell. */
static grn_status give(grn_tally_t *t, grn_tally_worker_t *w, const uint64_t *order, size_t n)
{
    grn_status rc = GRN_OK;
    grn_tally_cell_t *c = grn_tally_at(t, (uint32_t)(*order >> 32));
    if (!c) return GRN_ENOMEM;
    lock(t, &c->lock);
    for (size_t i = 0; i < n && !rc; i++) {
        const grn_tally_line_t *x = &w->log[(uint32_t)order[i]];
        rc = make_room(&c->list, w, x->n);
        if (!rc) put_places(c->list, x->place, x->n);
    }
    unlock(t, &c->lock);
    return rc;
}

static grn_status empty_log(grn_tally_t *t, grn_tally_worker_t *w)
{
    grn_status rc = GRN_OK;
    order_log(w);
    for (size_t i = 0, k; i < w->n_log; i = k) {
        for (k = i; k < w->n_log && w->order[k] >> 32 == w->order[i] >> 32; k++)
            if (k + AHEAD < w->n_log) __builtin_prefetch(&w->log[(uint32_t)w->order[k + AHEAD]]);
        GRN_TRY(give(t, w, w->order + i, k - i));
    }
    w->n_log = 0;
end:
    return rc;
}

/* ---- what came lately ---- */

/* Where this worker counts a cell: alone, or (shared) under the lock. NULL: out of memory. */
static inline recent_t *recent_at(grn_tally_t *t, grn_tally_worker_t *w, uint32_t cell, int *shared)
{
    *shared = !w->own.chunk || cell >= OWN_N;
    return grn_percell_at(*shared ? &t->recent : &w->own, cell);
}

/* The places of r, to the log, which has room. */
static inline void log_places(grn_tally_worker_t *w, recent_t *r, uint32_t cell)
{
    grn_tally_line_t *x = &w->log[w->n_log++];
    x->cell = cell;
    x->n = r->n_place;
    memcpy(x->place, r->place, sizeof r->place);
    r->n_place = 0;
}

static void add_sums(grn_tally_cell_t *c, uint64_t total, uint64_t total_in, uint64_t first, uint64_t last, uint64_t centre)
{
    c->total += total;
    c->total_in += total_in;
    c->tss.first += first;
    c->tss.last += last;
    c->tss.centre += centre;
}

/* The sums of r, to the cell. */
static grn_status fold(grn_tally_t *t, recent_t *r, uint32_t cell)
{
    grn_tally_cell_t *c = grn_tally_at(t, cell);
    if (!c) return GRN_ENOMEM;
    lock(t, &c->lock);
    if (!c->file) c->file = (uint16_t)(t->file + 1);
    c->n_fragments += r->n_fragments;
    c->n_in += r->n_in;
    c->n_free += r->n_free;
    c->n_mono += r->n_mono;
    add_sums(c, r->total, r->total_in, r->first, r->last, r->centre);
    unlock(t, &c->lock);
    r->n_fragments = r->n_in = r->n_free = r->n_mono = r->total = r->total_in = r->first = r->last = r->centre = 0;
    return GRN_OK;
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

/* A fragment in many places, or with sums that are not small: these go to the cell itself, and are 0 then. */
static grn_status add_large(grn_tally_t *t, grn_tally_worker_t *w, uint32_t cell, size_t *n_place, uint64_t *count, int in,
                            grn_tss_sums_t *sums)
{
    grn_status rc = GRN_OK;
    grn_tally_cell_t *c = grn_tally_at(t, cell);
    if (!c) return GRN_ENOMEM;
    lock(t, &c->lock);
    if (*n_place > MANY) {
        GRN_TRY(make_room(&c->list, w, (uint32_t)*n_place));
        put_places(c->list, w->hit, (uint32_t)*n_place);
        *n_place = 0;
    }
    add_sums(c, *count, in ? *count : 0, sums->first, sums->last, sums->centre);
    *count = sums->first = sums->last = sums->centre = 0;
end:
    unlock(t, &c->lock);
    return rc;
}

/* A fragment: of its k places n are to be listed. */
static inline void add_recent(recent_t *r, grn_tally_worker_t *w, const grn_frag_t *f, size_t k, size_t n, uint64_t count,
                              const grn_tss_sums_t *sums)
{
    uint32_t length = f->end - f->start;
    r->n_fragments++;
    r->n_in += k > 0;
    r->n_free += length < GRN_MONO_MIN;
    r->n_mono += length >= GRN_MONO_MIN && length <= GRN_MONO_MAX;
    r->total += (uint32_t)count;
    r->total_in += k ? (uint32_t)count : 0;
    r->first += (uint32_t)sums->first;
    r->last += (uint32_t)sums->last;
    r->centre += (uint32_t)sums->centre;
    for (size_t i = 0; i < n; i++) {
        if (r->n_place == N_RECENT) log_places(w, r, f->cell);
        r->place[r->n_place++] = w->hit[i];
    }
}

static inline grn_status add_fragment(grn_tally_t *t, grn_tally_worker_t *w, const grn_frag_t *f)
{
    grn_status rc = GRN_OK;
    size_t k, n;
    int shared;
    uint32_t length = f->end - f->start;
    uint64_t count = f->count;
    grn_tss_sums_t sums = { 0, 0, 0 };
    GRN_TRY(find_hits(t, f, w, &k));
    if (t->tss) grn_tss_find(t->tss, f->chrom, f->start, f->end, w->profile, &sums);
    w->n_in += k > 0;
    w->length[length < GRN_LENGTHS ? length : GRN_LENGTHS - 1]++;
    n = t->no_counts ? 0 : k;
    if (n > MANY || (count | sums.first | sums.last | sums.centre) >= SMALL_SUM)
        GRN_TRY(add_large(t, w, f->cell, &n, &count, k > 0, &sums));
    if (w->n_log + MANY > LOG_N) GRN_TRY(empty_log(t, w));
    recent_t *r = recent_at(t, w, f->cell, &shared);
    if (!r) return GRN_ENOMEM;
    if (shared) lock(t, &r->lock);
    add_recent(r, w, f, k, n, count, &sums);
    if (r->n_fragments == MAX_RECENT) rc = fold(t, r, f->cell);
    if (shared) unlock(t, &r->lock);
end:
    return rc;
}

static grn_status tally_work(void *ctx, const grn_frag_t *f, size_t n, int worker)
{
    grn_tally_t *t = ctx;
    grn_tally_worker_t *w = &t->worker[worker];
    int shared;
    for (size_t i = 0; i < n && i < AHEAD; i++) __builtin_prefetch(recent_at(t, w, f[i].cell, &shared), 1);
    for (size_t i = 0; i < n; i++) {
        if (n - i > AHEAD) __builtin_prefetch(recent_at(t, w, f[i + AHEAD].cell, &shared), 1);
        grn_status rc = add_fragment(t, w, &f[i]);
        if (rc) return rc;
    }
    return GRN_OK;
}

/* At the end of a file: everything to the cells. */
static grn_status fold_all(grn_tally_t *t, grn_tally_worker_t *w, grn_percell_t *recent, size_t n)
{
    grn_status rc = GRN_OK;
    for (size_t i = 0; i < n; i++) {
        recent_t *r = grn_percell_peek(recent, (uint32_t)i);
        if (!r) continue;
        if (w->n_log == LOG_N) GRN_TRY(empty_log(t, w));
        if (r->n_place) log_places(w, r, (uint32_t)i);
        if (r->n_fragments) GRN_TRY(fold(t, r, (uint32_t)i));
    }
    GRN_TRY(empty_log(t, w));
end:
    return rc;
}

grn_status grn_tally_file(grn_tally_t *t, const char *path, const char *prefix, const char *suffix, grn_par_t *pool)
{
    grn_status rc = grn_fragpass_run(&t->pass, path, prefix, suffix, pool, tally_work, t);
    size_t n = t->pass.cells.n;
    for (int w = 0; w < t->n_worker && !rc && t->worker[w].own.chunk; w++)
        rc = fold_all(t, &t->worker[w], &t->worker[w].own, n < OWN_N ? n : OWN_N);
    for (int w = 0; w < t->n_worker && !rc; w++) rc = empty_log(t, &t->worker[w]);
    return rc ? rc : fold_all(t, t->worker, &t->recent, n);
}

static grn_status finish_work(void *ctx, size_t begin, size_t end, int worker)
{
    grn_tally_t *t = ctx;
    grn_status rc = GRN_OK;
    for (size_t i = begin; i < end && !rc; i++) {
        grn_tally_cell_t *c = grn_tally_at(t, (uint32_t)i);
        rc = !c ? GRN_ENOMEM : c->list ? merge(c->list, &t->worker[worker]) : GRN_OK;
    }
    return rc;
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

void grn_tally_row(const grn_tally_t *t, const grn_tally_cell_t *cell, size_t *n, uint32_t *idx, float *count)
{
    const grn_tally_list_t *c = cell->list;
    size_t m = 0;
    *n = 0;
    if (!c) return;
    const uint8_t *small = (const uint8_t *)(c->place + c->cap);
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
