#include "boost/draw.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"

typedef struct grn_draw_key_s {
    uint64_t key;
    uint32_t i;
} draw_key_t;

void grn_draw_clear(grn_draw_t *d)
{
    free(d->order);
    free(d->key);
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
    GRN_TRY(GRN_NEW_RAW(d->key, n > p ? n : p));
end:
    if (rc) grn_draw_clear(d);
    return rc;
}

/* The finaliser of splitmix64 (Steele et al. 2014) over a name's hash and a number drawn for the tree. */
static uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

static int by_key(const void *a, const void *b)
{
    const draw_key_t *x = a, *y = b;
    return (x->key > y->key) - (x->key < y->key);
}

void grn_draw_predictors(grn_draw_t *d, uint64_t tree, size_t *start)
{
    uint64_t which = tree / d->per_order;
    *start = (size_t)(tree % d->per_order) * d->m;
    if (d->order_of == which + 1) return;
    for (uint64_t k = 0; k < GRN_DRAW_NODES; k++) {
        uint64_t key = grn_rng_key(d->seed, "boost.predictors", which, k);
        uint32_t *order = d->order + k * d->p;
        for (size_t j = 0; j < d->p; j++) d->key[j] = (draw_key_t){ mix(d->name_key[j] ^ key), (uint32_t)j };
        qsort(d->key, d->p, sizeof *d->key, by_key);
        for (size_t j = 0; j < d->p; j++) order[j] = d->key[j].i;
    }
    d->order_of = which + 1;
}

static void exchange(draw_key_t *a, draw_key_t *b)
{
    draw_key_t x = *a;
    *a = *b;
    *b = x;
}

/* Brings the `k` smallest to the front (Hoare's selection; keys are as good as random, so the first is a fair pivot). */
static void select_smallest(draw_key_t *a, size_t n, size_t k)
{
    while (n > 1 && k > 0 && k < n) {
        uint64_t pivot = a[n / 2].key;
        size_t i = 0, j = n - 1;
        for (;;) {
            while (a[i].key < pivot) i++;
            while (a[j].key > pivot) j--;
            if (i >= j) break;
            exchange(&a[i++], &a[j--]);
        }
        size_t left = j + 1 < n ? j + 1 : j; /* a[0..left) <= pivot <= the others */
        if (k <= left) {
            n = left;
        } else {
            a += left;
            n -= left;
            k -= left;
        }
    }
}

static int by_index(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

void grn_draw_out_of_bag(grn_draw_t *d, uint64_t tree, uint32_t *out)
{
    uint64_t key = grn_rng_key(d->seed, "boost.cells", tree, 0);
    for (size_t i = 0; i < d->n; i++) d->key[i] = (draw_key_t){ mix(d->cell_key[i] ^ key), (uint32_t)i };
    select_smallest(d->key, d->n, d->n_out);
    for (size_t i = 0; i < d->n_out; i++) out[i] = d->key[i].i;
    if (d->n_out) qsort(out, d->n_out, sizeof *out, by_index);
}
