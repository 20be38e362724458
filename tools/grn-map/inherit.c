#include "inherit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"

void inherit_clear(inherit_t *s)
{
    grn_activity_clear(&s->a);
    free(s->row);
    free(s->context);
    memset(s, 0, sizeof *s);
}

grn_status inherit_load(const char *path, const grn_names_t *names, grn_par_t *pool, inherit_t *s)
{
    grn_status rc = GRN_OK;
    size_t found = 0;
    GRN_TRY(grn_activity_load(path, pool, &s->a));
    s->n = names->n;
    GRN_TRY(GRN_NEW_RAW(s->row, s->n));
    GRN_TRY(GRN_NEW_RAW(s->context, s->n));
    for (size_t i = 0; i < s->n; i++) {
        size_t k = grn_names_find(&s->a.cells, grn_names_get(names, i));
        s->row[i] = k == GRN_NAMES_NONE ? KNN_NONE : (uint32_t)k;
        s->context[i] = k == GRN_NAMES_NONE ? -1 : (int32_t)s->a.context[k];
        found += k != GRN_NAMES_NONE;
    }
    if (found == 0)
        GRN_FAIL(GRN_EEMPTY, "none of the %zu reference cells is in '%s'; first names: %s vs %s", s->n, path, grn_names_get(names, 0),
                 s->a.cells.n ? grn_names_get(&s->a.cells, 0) : "none");
    if (found < s->n) grn_log_warn("'%s' has bits of %zu of %zu reference cells; the others do not vote on them", path, found, s->n);
    if (s->a.n_regulons == 0) rc = grn_err(GRN_EEMPTY, "'%s' has no regulon", path);
end:
    return rc;
}

int inherit_shares(const inherit_t *s, const uint32_t *id, const double *w, uint32_t k, double *share)
{
    const grn_activity_t *a = &s->a;
    double total = 0;
    memset(share, 0, a->n_regulons * sizeof *share);
    for (uint32_t i = 0; i < k; i++) {
        if (id[i] == KNN_NONE || s->row[id[i]] == KNN_NONE) continue;
        const uint64_t *bits = a->bits + s->row[id[i]] * a->n_words;
        total += w[i];
        for (uint64_t word = 0; word < a->n_words; word++)
            for (uint64_t b = bits[word]; b; b &= b - 1) share[word * 64 + (uint64_t)__builtin_ctzll(b)] += w[i];
    }
    for (uint64_t r = 0; r < a->n_regulons; r++) share[r] = total > 0 ? share[r] / total : NAN;
    return total > 0;
}

/* Thresholds, classes and fits of the contexts of s, and a row without any for "unassigned" when *unassigned is asked for. */
static grn_status copy_contexts(const inherit_t *s, int want_unassigned, size_t *unassigned, grn_activity_t *out)
{
    grn_status rc = GRN_OK;
    const grn_activity_t *a = &s->a;
    const uint64_t R = a->n_regulons, n = a->contexts.n * R;
    GRN_TRY(grn_names_dup(&out->contexts, &a->contexts));
    if (want_unassigned) GRN_TRY(grn_names_add(&out->contexts, INHERIT_UNASSIGNED, unassigned, NULL));
    if (out->contexts.n > UINT16_MAX) GRN_FAIL(GRN_EUNSUP, "%zu contexts; 65,535 are possible", out->contexts.n);
    const uint64_t all = out->contexts.n * R;
    if (a->threshold) {
        GRN_TRY(GRN_NEW_RAW(out->threshold, all));
        memcpy(out->threshold, a->threshold, n * sizeof *a->threshold);
        for (uint64_t i = n; i < all; i++) out->threshold[i] = NAN;
    }
    if (a->klass) {
        GRN_TRY(GRN_NEW_RAW(out->klass, all));
        memcpy(out->klass, a->klass, n * sizeof *a->klass);
        for (uint64_t i = n; i < all; i++) out->klass[i] = GRN_FIT_EMPTY;
    }
    GRN_TRY(GRN_NEW(out->fit, a->n_fit));
    for (size_t f = 0; f < a->n_fit; f++) {
        GRN_TRY(GRN_NEW_RAW(out->fit[f].v, all));
        out->n_fit++;
        if (!(out->fit[f].name = strdup(a->fit[f].name))) GRN_FAIL(GRN_ENOMEM, "out of memory");
        memcpy(out->fit[f].v, a->fit[f].v, n * sizeof *a->fit[f].v);
        for (uint64_t i = n; i < all; i++) out->fit[f].v[i] = NAN;
    }
end:
    return rc;
}

typedef struct {
    const inherit_t *s;
    const uint32_t *id;
    const double *distance;
    uint32_t k;
    vote_weights how;
    const uint8_t *keep;
    size_t unassigned;
    double *scratch; /* per worker (k + contexts + regulons) */
    grn_activity_t *out;
} work_t;

static grn_status cells_work(void *ctx, size_t begin, size_t end, int worker)
{
    const work_t *w = ctx;
    const grn_activity_t *a = &w->s->a;
    const size_t n_contexts = a->contexts.n;
    double *weight = w->scratch + (size_t)worker * (w->k + n_contexts + a->n_regulons), *tally = weight + w->k,
           *share = tally + n_contexts;
    for (size_t i = begin; i < end; i++) {
        const uint32_t *id = w->id + i * w->k;
        vote_weigh(id, w->distance + i * w->k, w->k, w->how, weight);
        int any = inherit_shares(w->s, id, weight, w->k, share);
        vote_t context = vote_count(id, weight, w->k, w->s->context, n_contexts, tally);
        int is_kept = w->keep[i] && any;
        w->out->context[i] = (uint16_t)(is_kept ? (size_t)context.best : w->unassigned);
        for (uint64_t r = 0; r < a->n_regulons; r++) {
            if (is_kept && inherit_is_on(share[r])) grn_activity_set(w->out, i, r);
            if (w->out->posterior) w->out->posterior[i * a->n_regulons + r] = is_kept ? (float)share[r] : 0;
        }
    }
    return GRN_OK;
}

/* 1 if some cell abstains, or has no neighbour with bits. */
static int any_unassigned(const inherit_t *s, const uint32_t *id, size_t n, uint32_t k, const uint8_t *keep)
{
    for (size_t i = 0; i < n; i++) {
        int has_bits = 0;
        for (uint32_t j = 0; j < k; j++) has_bits |= id[i * k + j] != KNN_NONE && s->row[id[i * k + j]] != KNN_NONE;
        if (!keep[i] || !has_bits) return 1;
    }
    return 0;
}

grn_status inherit_save(const inherit_t *s, const char *path, const grn_names_t *cell, const uint32_t *id, const double *distance,
                        uint32_t k, vote_weights how, const uint8_t *keep, int posterior, grn_par_t *pool)
{
    grn_status rc = GRN_OK;
    grn_activity_t out = { .n_cells = cell->n, .n_regulons = s->a.n_regulons, .n_words = s->a.n_words };
    work_t w = { s, id, distance, k, how, keep, 0, NULL, &out };
    uint64_t n_on = 0;
    GRN_TRY(copy_contexts(s, any_unassigned(s, id, cell->n, k, keep), &w.unassigned, &out));
    GRN_TRY(grn_names_dup(&out.cells, cell));
    GRN_TRY(grn_names_dup(&out.regulons, &s->a.regulons));
    GRN_TRY(GRN_NEW(out.bits, out.n_cells * out.n_words));
    GRN_TRY(GRN_NEW(out.context, out.n_cells));
    if (posterior) GRN_TRY(GRN_NEW_RAW(out.posterior, out.n_cells * out.n_regulons));
    GRN_TRY(GRN_NEW(w.scratch, (size_t)grn_par_n(pool) * (k + s->a.contexts.n + out.n_regulons)));
    GRN_TRY(grn_par_for(pool, out.n_cells, 256, cells_work, &w));
    GRN_TRY(grn_activity_save(&out, path, pool));
    for (uint64_t i = 0; i < out.n_cells * out.n_words; i++) n_on += (uint64_t)__builtin_popcountll(out.bits[i]);
    grn_log_info("%.1f of %llu regulons are on in a query cell on average", (double)n_on / (double)out.n_cells,
                 (unsigned long long)out.n_regulons);
end:
    free(w.scratch);
    grn_activity_clear(&out);
    return rc;
}
