#include "tally.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define SMALL_SORT 48

void grn_tally_clear(grn_tally_t *t)
{
    for (size_t i = 0; t->cell.chunk && i < t->pass.cells.n; i++) {
        char *chunk = t->cell.chunk[i >> GRN_PERCELL_BITS];
        if (chunk) free(grn_tally_at(t, (uint32_t)i)->place);
    }
    grn_percell_clear(&t->cell);
    for (size_t w = 0; t->scratch && w < t->n_worker; w++) {
        free(t->scratch[w].place);
        free(t->scratch[w].swap);
        free(t->scratch[w].count);
        free(t->scratch[w].hit);
    }
    free(t->scratch);
    grn_overlap_clear(&t->overlap);
    grn_fragpass_clear(&t->pass);
    memset(t, 0, sizeof *t);
}

grn_status grn_tally_init(grn_tally_t *t, size_t cell_size, grn_par_t *pool)
{
    grn_status rc = GRN_OK;
    t->n_worker = (size_t)grn_par_n(pool);
    GRN_TRY(GRN_NEW(t->scratch, t->n_worker));
    GRN_TRY(grn_percell_init(&t->cell, cell_size));
    GRN_TRY(grn_overlap_init(&t->overlap, t->regions));
    if (!t->pass.chroms_only) {
        GRN_TRY(grn_names_dup(&t->pass.chroms, &t->regions->chroms));
        t->pass.chroms_only = t->pass.keep_no_chrom = 1;
    }
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

static grn_status scratch_grow(grn_tally_scratch_t *s, size_t n)
{
    grn_status rc = GRN_OK;
    if (n <= s->cap) return GRN_OK;
    free(s->place);
    free(s->swap);
    free(s->count);
    s->place = s->swap = NULL;
    s->count = NULL;
    s->cap = 0;
    GRN_TRY(GRN_NEW_RAW(s->place, 2 * n));
    GRN_TRY(GRN_NEW_RAW(s->swap, 2 * n));
    GRN_TRY(GRN_NEW_RAW(s->count, 2 * n));
    s->cap = 2 * n;
end:
    return rc;
}

/* Adds equal places of the scratch (k of them, counted) to the run; keeps the others. Counts stop at 255: a place may be there several
 * times in a row. Returns how many are kept. */
static size_t absorb(grn_tally_cell_t *c, grn_tally_scratch_t *s, size_t k)
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
static grn_status merge_cell(grn_tally_cell_t *c, grn_tally_scratch_t *s)
{
    size_t k = 0, i = c->n, to;
    uint32_t *pending = c->place + c->n;
    if (!c->m) return GRN_OK;
    grn_status rc = scratch_grow(s, c->m);
    if (rc) return rc;
    sort_places(pending, s->swap, c->m);
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
static grn_status make_room(grn_tally_cell_t *c, grn_tally_scratch_t *s)
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

grn_status grn_tally_push(grn_tally_cell_t *c, grn_tally_scratch_t *s, const uint32_t *place, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (c->n + c->m == c->cap) {
            grn_status rc = make_room(c, s);
            if (rc) return rc;
        }
        c->place[c->n + c->m++] = place[i];
    }
    return GRN_OK;
}

/* ---- the pass ---- */

static grn_status add_hits(const grn_tally_t *t, size_t chrom, uint32_t start, uint32_t end, grn_tally_scratch_t *s, size_t *n)
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

grn_status grn_tally_hits(const grn_tally_t *t, const grn_frag_t *f, grn_tally_scratch_t *s, size_t *n)
{
    *n = 0;
    if (!t->cutsites) return add_hits(t, f->chrom, f->start, f->end, s, n);
    grn_status rc = add_hits(t, f->chrom, f->start, f->start + 1, s, n);
    return rc ? rc : add_hits(t, f->chrom, f->end - 1, f->end, s, n);
}

static grn_status tally_work(void *ctx, const grn_frag_t *f, size_t n, int worker)
{
    grn_tally_t *t = ctx;
    grn_tally_scratch_t *s = &t->scratch[worker];
    grn_tally_cell_t *cell[GRN_FRAG_BATCH];
    for (size_t i = 0; i < n; i++) {
        cell[i] = grn_tally_at(t, f[i].cell);
        if (!cell[i]) return GRN_ENOMEM;
        __builtin_prefetch(cell[i], 1);
    }
    for (size_t i = 0; i < n; i++) {
        size_t k;
        grn_status rc = grn_tally_hits(t, &f[i], s, &k);
        if (rc) return rc;
        grn_tally_lock(cell[i]);
        cell[i]->n_fragments++;
        cell[i]->n_in += k > 0;
        rc = grn_tally_push(cell[i], s, s->hit, k);
        grn_tally_unlock(cell[i]);
        if (rc) return rc;
        s->n_in += k > 0;
    }
    s->n_listed += n;
    return GRN_OK;
}

grn_status grn_tally_file(grn_tally_t *t, const char *path, const char *prefix, const char *suffix, grn_par_t *pool)
{
    return grn_fragpass_run(&t->pass, path, prefix, suffix, pool, tally_work, t);
}

static grn_status finish_work(void *ctx, size_t begin, size_t end, int worker)
{
    grn_tally_t *t = ctx;
    for (size_t i = begin; i < end; i++) {
        grn_tally_cell_t *c = grn_tally_at(t, (uint32_t)i);
        grn_status rc = c ? merge_cell(c, &t->scratch[worker]) : GRN_ENOMEM;
        if (rc) return rc;
    }
    return GRN_OK;
}

grn_status grn_tally_finish(grn_tally_t *t, grn_par_t *pool)
{
    for (size_t w = 0; w < t->n_worker; w++) {
        t->n_listed += t->scratch[w].n_listed;
        t->n_in += t->scratch[w].n_in;
        t->scratch[w].n_listed = t->scratch[w].n_in = 0;
    }
    return grn_par_for(pool, t->pass.cells.n, 256, finish_work, t);
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
