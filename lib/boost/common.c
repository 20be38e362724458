#include "boost/common.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"

typedef struct {
    uint64_t key;
    uint32_t i;
} hash_t;

static int by_hash(const void *a, const void *b)
{
    const hash_t *x = a, *y = b;
    return x->key != y->key ? (x->key > y->key) - (x->key < y->key) : (x->i > y->i) - (x->i < y->i);
}

grn_status grn_boost_order(const uint64_t *key, size_t n, uint32_t *at, uint32_t *place)
{
    hash_t *h = grn_malloc(n, sizeof *h);
    if (!h) return GRN_ENOMEM;
    for (size_t i = 0; i < n; i++) h[i] = (hash_t){ key[i], (uint32_t)i };
    qsort(h, n, sizeof *h, by_hash);
    for (size_t k = 0; k < n; k++) {
        if (at) at[k] = h[k].i;
        if (place) place[h[k].i] = (uint32_t)k;
    }
    free(h);
    return GRN_OK;
}

grn_status grn_boost_range(const grn_spcol_t *y, const char *what, double *low, double *high)
{
    *low = y->n_nz < y->n ? 0 : INFINITY;
    *high = -*low;
    for (size_t k = 0; k < y->n_nz; k++) {
        double x = y->val[k];
        if (!isfinite(x)) return grn_err(GRN_ENONFINITE, "%s holds %g in cell %u", what, x, y->idx[k]);
        *low = x < *low ? x : *low;
        *high = x > *high ? x : *high;
    }
    return GRN_OK;
}
