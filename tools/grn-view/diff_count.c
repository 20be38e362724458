#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "grn-view/diff.h"

enum { BLOCK = 1 << 15 }; /* cells in memory at a time */

void diff_counts_clear(diff_counts_t *c)
{
    free(c->cells);
    free(c->on);
    memset(c, 0, sizeof *c);
}

static grn_status counts_alloc(diff_counts_t *c, size_t n_units, size_t n_contexts, size_t n_regulons)
{
    grn_status rc = GRN_OK;
    *c = (diff_counts_t){ n_units, n_contexts, n_regulons, NULL, NULL };
    GRN_TRY(GRN_NEW(c->cells, n_units * n_contexts));
    GRN_TRY(GRN_NEW(c->on, n_units * n_contexts * n_regulons));
end:
    return rc;
}

typedef struct {
    diff_counts_t *c;
    const uint64_t *bits;
    const uint32_t *place; /* (n) unit * contexts + context; UINT32_MAX: left out */
    uint64_t n, n_words;
} job_t;

/* Regulons of some words of all cells of a block: no two workers add to the same count. */
static grn_status count_words(void *ctx, size_t begin, size_t end, int worker)
{
    const job_t *j = ctx;
    (void)worker;
    for (size_t w = begin; w < end; w++)
        for (uint64_t i = 0; i < j->n; i++) {
            if (j->place[i] == UINT32_MAX) continue;
            uint32_t *on = j->c->on + (size_t)j->place[i] * j->c->n_regulons + w * 64;
            for (uint64_t m = j->bits[i * j->n_words + w]; m; m &= m - 1) on[__builtin_ctzll(m)]++;
        }
    return GRN_OK;
}

grn_status diff_count(diff_counts_t *c, percell_t *p, const uint8_t *side, const uint32_t *donor, size_t n_donors)
{
    grn_status rc = GRN_OK;
    const grn_activity_t *a = p->a;
    uint64_t *bits = NULL;
    uint16_t *context = NULL;
    uint32_t *place = NULL;
    GRN_TRY(counts_alloc(c, donor ? 2 * n_donors : DIFF_SIDES, a->contexts.n, a->n_regulons));
    GRN_TRY(GRN_NEW_RAW(bits, BLOCK * a->n_words));
    GRN_TRY(GRN_NEW_RAW(context, BLOCK));
    GRN_TRY(GRN_NEW_RAW(place, BLOCK));
    for (uint64_t at = 0; at < a->n_cells; at += BLOCK) {
        uint64_t n = a->n_cells - at < BLOCK ? a->n_cells - at : BLOCK;
        GRN_TRY(grn_ar_rows(p->active, at, n, bits, context));
        for (uint64_t i = 0; i < n; i++) {
            size_t unit = side[at + i] + (donor ? 2 * (size_t)donor[at + i] : 0);
            place[i] = side[at + i] == DIFF_OUT ? UINT32_MAX : (uint32_t)(unit * c->n_contexts + context[i]);
            if (place[i] != UINT32_MAX) c->cells[place[i]]++;
        }
        job_t j = { c, bits, place, n, a->n_words };
        GRN_TRY(grn_par_for(grn_common.pool, a->n_words, 1, count_words, &j));
    }
end:
    free(bits);
    free(context);
    free(place);
    if (rc) diff_counts_clear(c);
    return rc;
}

grn_status diff_sum(const diff_counts_t *c, const uint8_t *side, diff_counts_t *out)
{
    grn_status rc = GRN_OK;
    size_t wide = c->n_contexts * c->n_regulons;
    GRN_TRY(counts_alloc(out, DIFF_SIDES, c->n_contexts, c->n_regulons));
    for (size_t u = 0; u < c->n_units; u++) {
        if (side[u] == DIFF_OUT) continue;
        for (size_t k = 0; k < c->n_contexts; k++) out->cells[side[u] * c->n_contexts + k] += c->cells[u * c->n_contexts + k];
        for (size_t k = 0; k < wide; k++) out->on[side[u] * wide + k] += c->on[u * wide + k];
    }
end:
    if (rc) diff_counts_clear(out);
    return rc;
}
