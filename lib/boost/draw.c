#include "boost/draw.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"

typedef struct grn_draw_key_s {
    uint64_t key;
    uint32_t i;
} draw_key_t;

#define SELECT_SHIFT 54
#define SELECT_BUCKETS (1u << (64 - SELECT_SHIFT))

void grn_draw_clear(grn_draw_t *d)
{
    free(d->order);
    free(d->key);
    free(d->place);
    memset(d, 0, sizeof *d);
}

grn_status grn_draw_init(grn_draw_t *d, uint64_t seed, size_t n, const uint64_t *cell_key, size_t p, const uint64_t *name_key,
                         double fraction, double subsample)
{
    grn_status rc = GRN_OK;
    *d = (grn_draw_t){ .seed = seed, .n = n, .p = p, .cell_key = cell_key, .name_key = name_key };
    d->m = (size_t)(fraction * (double)p);
    if (d->m < 1) d->m = 1;
    d->n_out = n - (size_t)(subsample * (double)n);
    d->per_order = p > d->m ? p / d->m : 1;
    GRN_TRY(GRN_NEW_RAW(d->order, GRN_DRAW_NODES * p));
    GRN_TRY(GRN_NEW_RAW(d->key, n > 2 * p ? n : 2 * p));
    GRN_TRY(GRN_NEW_RAW(d->place, 2 * p + 2));
end:
    if (rc) grn_draw_clear(d);
    return rc;
}

/* Sorts keys, which are as good as random: into buckets by their highest bits, then by insertion; equal ones stay in order. */
static void sort_keys(const draw_key_t *from, size_t n, uint32_t *place, draw_key_t *to)
{
    unsigned shift = 63;
    while (shift > 40 && n >> (64 - shift)) shift--;
    size_t n_buckets = (size_t)1 << (64 - shift);
    memset(place, 0, n_buckets * sizeof *place);
    for (size_t i = 0; i < n; i++) place[from[i].key >> shift]++;
    for (size_t k = 0, at = 0; k < n_buckets; k++) {
        size_t size = place[k];
        place[k] = (uint32_t)at;
        at += size;
    }
    for (size_t i = 0; i < n; i++) to[place[from[i].key >> shift]++] = from[i];
    for (size_t i = 1; i < n; i++) {
        draw_key_t x = to[i];
        size_t k = i;
        for (; k > 0 && to[k - 1].key > x.key; k--) to[k] = to[k - 1];
        to[k] = x;
    }
}

void grn_draw_predictors(grn_draw_t *d, uint64_t tree, size_t *start)
{
    uint64_t which = tree / d->per_order;
    *start = (size_t)(tree % d->per_order) * d->m;
    if (d->order_of == which + 1) return;
    for (uint64_t k = 0; k < GRN_DRAW_NODES; k++) {
        uint64_t key = grn_rng_key(d->seed, "boost.predictors", which, k);
        uint32_t *order = d->order + k * d->p;
        for (size_t j = 0; j < d->p; j++) d->key[j] = (draw_key_t){ grn_rng_mix(d->name_key[j] ^ key), (uint32_t)j };
        sort_keys(d->key, d->p, d->place, d->key + d->p);
        for (size_t j = 0; j < d->p; j++) order[j] = d->key[d->p + j].i;
    }
    d->order_of = which + 1;
}

static void exchange(uint64_t *a, uint64_t *b)
{
    uint64_t x = *a;
    *a = *b;
    *b = x;
}

/* The k-th smallest, from 0 (Hoare's selection; keys are as good as random, so any is a fair pivot). */
static uint64_t select_kth(uint64_t *a, size_t n, size_t k)
{
    while (n > 1) {
        uint64_t pivot = a[n / 2];
        size_t i = 0, j = n - 1;
        for (;;) {
            while (a[i] < pivot) i++;
            while (a[j] > pivot) j--;
            if (i >= j) break;
            exchange(&a[i++], &a[j--]);
        }
        size_t left = j + 1 < n ? j + 1 : j; /* a[0..left) <= pivot <= the others */
        if (k < left) {
            n = left;
        } else {
            a += left;
            n -= left;
            k -= left;
        }
    }
    return *a;
}

/* Those with the smallest keys; of equal keys at the limit, the first cells. */
void grn_draw_out_of_bag(grn_draw_t *d, uint64_t tree, uint32_t *out)
{
    uint32_t size[SELECT_BUCKETS] = { 0 };
    uint64_t key = grn_rng_key(d->seed, "boost.cells", tree, 0), *mixed = (uint64_t *)d->key, *few = mixed + d->n;
    size_t bucket = 0, before = 0, n_few = 0, n_out = 0, n_below = 0;
    if (!d->n_out) return;
    for (size_t i = 0; i < d->n; i++) mixed[i] = grn_rng_mix(d->cell_key[i] ^ key);
    for (size_t i = 0; i < d->n; i++) size[mixed[i] >> SELECT_SHIFT]++;
    for (; before + size[bucket] < d->n_out; bucket++) before += size[bucket];
    for (size_t i = 0; i < d->n; i++)
        if (mixed[i] >> SELECT_SHIFT == bucket) few[n_few++] = mixed[i];
    uint64_t limit = select_kth(few, n_few, d->n_out - before - 1);
    for (size_t i = 0; i < d->n; i++) n_below += mixed[i] < limit;
    size_t n_equal = d->n_out - n_below;
    for (size_t i = 0; n_out < d->n_out; i++) {
        if (mixed[i] > limit || (mixed[i] == limit && n_equal == 0)) continue;
        n_equal -= mixed[i] == limit;
        out[n_out++] = (uint32_t)i;
    }
}
