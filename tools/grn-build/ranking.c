#include "ranking.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"

void grn_ranking_clear(grn_ranking_t *w)
{
    free(w->key);
    free(w->tmp);
    *w = (grn_ranking_t){ 0 };
}

void grn_ranking_hashes(const grn_names_t *names, uint64_t *hash)
{
    for (size_t i = 0; i < names->n; i++) hash[i] = grn_hash_str(grn_names_get(names, i));
}

typedef struct {
    float score;
    uint32_t at;
    uint64_t tie, hash;
} item_t;

static int best_first(const void *x, const void *y)
{
    const item_t *a = x, *b = y;
    if (a->score != b->score) return a->score < b->score ? 1 : -1;
    if (a->tie != b->tie) return a->tie < b->tie ? -1 : 1;
    return a->hash < b->hash ? -1 : a->hash > b->hash;
}

grn_status grn_ranking_of(grn_ranking_t *w, const float *score, const uint64_t *hash, size_t n, uint64_t seed, uint64_t motif,
                          uint32_t *rank)
{
    grn_status rc = GRN_OK;
    item_t *v = NULL;
    (void)w;
    if (n > UINT32_MAX) return grn_err(GRN_EINVAL, "%zu regions are too many to rank", n);
    GRN_TRY(GRN_NEW_RAW(v, n));
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(score[i])) GRN_FAIL(GRN_ENONFINITE, "score %zu is not finite", i + 1);
        v[i] = (item_t){ score[i], (uint32_t)i, grn_rng_key(seed, "ranking.ties", motif, hash[i]), hash[i] };
    }
    qsort(v, n, sizeof *v, best_first);
    for (size_t i = 0; i < n; i++) rank[v[i].at] = (uint32_t)i;
end:
    free(v);
    return rc;
}

double grn_ranking_q(double *r, size_t n)
{
    (void)r;
    return n ? NAN : 1;
}
