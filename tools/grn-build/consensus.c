#include "consensus.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void grn_consensus_clear(grn_consensus_t *c)
{
    free(c->v);
    memset(c, 0, sizeof *c);
}

static int by_place(const void *x, const void *y)
{
    const grn_interval_t *a = x, *b = y;
    if (a->chrom != b->chrom) return a->chrom < b->chrom ? -1 : 1;
    if (a->start != b->start) return a->start < b->start ? -1 : 1;
    if (a->type != b->type) return a->type < b->type ? -1 : 1;
    return a->row < b->row ? -1 : a->row > b->row;
}

typedef struct {
    double score;
    uint32_t at; /* place in order of by_place: the key of ties */
} choice_t;

static int best_first(const void *x, const void *y)
{
    const choice_t *a = x, *b = y;
    if (a->score != b->score) return a->score < b->score ? 1 : -1;
    return a->at < b->at ? -1 : a->at > b->at;
}

/* v sorted by place. Two intervals overlap by a base, or in `touch` stand end to end. */
static int meet(const grn_interval_t *a, const grn_interval_t *b, int touch)
{
    return a->chrom == b->chrom && a->start < b->end + (uint32_t)touch && b->start < a->end + (uint32_t)touch;
}

/* Whether interval i stands in a cluster (chain of touching intervals) of exactly two. */
static int in_pair(const grn_interval_t *v, size_t n, size_t i)
{
    size_t from = i, to = i;
    while (from && meet(&v[from - 1], &v[from], 1)) from--;
    while (to + 1 < n && meet(&v[to], &v[to + 1], 1)) to++;
    return to - from == 1;
}

/* Keeps the chosen of v[0..n), which all have the same length, in order of place. */
static grn_status thin(grn_interval_t *v, size_t *n, int compat)
{
    grn_status rc = GRN_OK;
    choice_t *order = NULL;
    char *state = NULL; /* 1 taken, 2 out */
    size_t m = 0;
    qsort(v, *n, sizeof *v, by_place);
    GRN_TRY(GRN_NEW_RAW(order, *n));
    GRN_TRY(GRN_NEW(state, *n));
    for (size_t i = 0; i < *n; i++) order[i] = (choice_t){ v[i].score, (uint32_t)i };
    qsort(order, *n, sizeof *order, best_first);
    for (size_t k = 0; k < *n; k++) {
        size_t i = order[k].at;
        if (state[i]) continue;
        int touch = compat && in_pair(v, *n, i);
        state[i] = 1;
        for (size_t j = i; j-- > 0 && meet(&v[j], &v[i], touch);) state[j] = 2;
        for (size_t j = i + 1; j < *n && meet(&v[j], &v[i], touch); j++) state[j] = 2;
    }
    for (size_t i = 0; i < *n; i++)
        if (state[i] == 1) v[m++] = v[i];
    *n = m;
end:
    free(order);
    free(state);
    return rc;
}

static int is_black(const grn_consensus_opt_t *o, uint32_t chrom, uint32_t start, uint32_t end)
{
    return o->blacklist && o->blacklist_chrom[chrom] != UINT32_MAX &&
           grn_regions_overlap(o->blacklist, o->blacklist_chrom[chrom], start, end, NULL, 0) > 0;
}

grn_status grn_consensus_add(grn_consensus_t *c, const grn_consensus_opt_t *o, uint32_t type, const uint32_t *chrom,
                             const uint32_t *summit, const double *score, size_t n)
{
    const uint32_t w = o->half_width;
    grn_status rc = GRN_GROW(c->v, c->cap, c->n + n);
    if (rc) return rc;
    grn_interval_t *v = c->v + c->n;
    size_t m = 0;
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        uint64_t size = o->chrom_size ? o->chrom_size[chrom[i]] : 0, end = (uint64_t)summit[i] + w + 1;
        if (summit[i] < w || end > UINT32_MAX || (size && end > size)) c->n_outside++;
        else if (is_black(o, chrom[i], summit[i] - w, (uint32_t)end)) c->n_black++;
        else v[m++] = (grn_interval_t){ chrom[i], summit[i] - w, (uint32_t)end, type, (uint32_t)i, score[i] };
    }
    rc = thin(v, &m, o->compat);
    for (size_t i = 0; i < m; i++) sum += v[i].score;
    for (size_t i = 0; i < m && sum > 0; i++) v[i].score *= 1e6 / sum;
    c->n += m;
    return rc;
}

grn_status grn_consensus_finish(grn_consensus_t *c, const grn_consensus_opt_t *o)
{
    grn_status rc = thin(c->v, &c->n, o->compat);
    for (size_t i = 0; i < c->n; i++) c->v[i].start++;
    return rc;
}
