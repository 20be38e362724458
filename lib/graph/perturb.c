#include "graph/perturb.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"

void grn_perturb_clear(grn_perturb_t *w)
{
    grn_arcs_clear(&w->drop);
    grn_arcs_clear(&w->add);
    free(w->pick);
    *w = (grn_perturb_t){ 0 };
}

/* m (or all, if fewer) distinct numbers below n into w->pick, ascending; returns how many in *got. */
static grn_status draw_distinct(grn_perturb_t *w, grn_rng_t *rng, uint64_t n, size_t m, size_t *got)
{
    if (m > n) m = (size_t)n;
    if (GRN_GROW(w->pick, w->pick_cap, m) != GRN_OK) return GRN_ENOMEM;
    if (m == n) {
        for (size_t i = 0; i < m; i++) w->pick[i] = i;
    } else {
        grn_rng_sample(rng, n, m, w->pick);
    }
    *got = m;
    return GRN_OK;
}

static grn_status draw_dropped(grn_perturb_t *w, grn_rng_t *rng, const grn_arc_t *arc, size_t n, size_t m)
{
    grn_status rc = GRN_OK;
    size_t got = 0;
    GRN_TRY(draw_distinct(w, rng, n, m, &got));
    GRN_TRY(GRN_GROW(w->drop.a, w->drop.cap, got));
    for (size_t i = 0; i < got; i++) w->drop.a[i] = arc[w->pick[i]];
    w->drop.n = got;
end:
    return rc;
}

/* Ordered pairs over `node` (NULL: 0..n-1), numbered so that ascending numbers are ascending arcs. */
static grn_status draw_pairs(grn_perturb_t *w, grn_rng_t *rng, const uint32_t *node, size_t n, size_t m)
{
    grn_status rc = GRN_OK;
    size_t got = 0;
    if (n >= 2) GRN_TRY(draw_distinct(w, rng, (uint64_t)n * (n - 1), m, &got));
    GRN_TRY(GRN_GROW(w->add.a, w->add.cap, got));
    for (size_t i = 0; i < got; i++) {
        uint64_t a = w->pick[i] / (n - 1), b = w->pick[i] % (n - 1);
        b += b >= a;
        w->add.a[i] = node ? grn_arc(node[a], node[b]) : grn_arc((uint32_t)a, (uint32_t)b);
    }
    w->add.n = got;
end:
    return rc;
}

static int is_in(const uint32_t *s, size_t n, uint32_t x)
{
    size_t lo = 0, hi = n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (s[mid] < x) lo = mid + 1;
        else hi = mid;
    }
    return lo < n && s[lo] == x;
}

/* Links of the list with both ends in S, then m of them. */
static grn_status draw_listed(grn_perturb_t *w, grn_rng_t *rng, const grn_arcs_t *list, const uint32_t *s, size_t n_s,
                              size_t m)
{
    grn_status rc = GRN_OK;
    size_t got = 0, n = 0;
    GRN_TRY(GRN_GROW(w->add.a, w->add.cap, list->n));
    for (size_t i = 0; i < list->n; i++) {
        if (is_in(s, n_s, grn_arc_u(list->a[i])) && is_in(s, n_s, grn_arc_v(list->a[i]))) w->add.a[n++] = list->a[i];
    }
    GRN_TRY(draw_distinct(w, rng, n, m, &got));
    for (size_t i = 0; i < got; i++) w->add.a[i] = w->add.a[w->pick[i]];
    w->add.n = got;
end:
    return rc;
}

grn_status grn_perturb_draw(grn_perturb_t *w, const grn_perturb_opt_t *opt, uint64_t cell, uint64_t epoch, int graph,
                            const grn_arc_t *arc, size_t n, const uint32_t *s, size_t n_s, grn_arcs_t *out)
{
    grn_status rc = GRN_OK;
    size_t m = opt->kind == GRN_PERTURB_NONE ? 0 : (size_t)(opt->alpha * (double)n);
    uint64_t sub = epoch * 2 + (uint64_t)graph;
    grn_rng_t drop, add;
    w->drop.n = w->add.n = 0;
    if (m > n) m = n;
    if (m > 0) {
        grn_rng_init2(&drop, opt->seed, "graph.drop", cell, sub);
        grn_rng_init2(&add, opt->seed, "graph.add", cell, sub);
        GRN_TRY(draw_dropped(w, &drop, arc, n, m));
        switch (opt->kind) {
        case GRN_PERTURB_RANDOM: GRN_TRY(draw_pairs(w, &add, NULL, opt->n_genes, m)); break;
        case GRN_PERTURB_COEXPR: GRN_TRY(draw_pairs(w, &add, s, n_s, m)); break;
        case GRN_PERTURB_LIST: GRN_TRY(draw_listed(w, &add, opt->list, s, n_s, m)); break;
        case GRN_PERTURB_NONE: break;
        }
    }
    GRN_TRY(grn_arcs_edit(arc, n, w->drop.a, w->drop.n, w->add.a, w->add.n, out));
end:
    return rc;
}

/* ---- degree-preserving rewiring: an open-addressing set of arcs beside the list ---- */
typedef struct {
    grn_arc_t *slot; /* UINT64_MAX free */
    size_t mask;
} arc_set_t;

static size_t slot_of(const arc_set_t *t, grn_arc_t x)
{
    uint64_t h = (x ^ x >> 29) * 0x9E3779B97F4A7C15u;
    size_t i = (size_t)(h >> 20) & t->mask;
    while (t->slot[i] != UINT64_MAX && t->slot[i] != x) i = (i + 1) & t->mask;
    return i;
}

/* Removal by shifting the rest of the run back, so that probes never meet a hole. */
static void set_remove(arc_set_t *t, grn_arc_t x)
{
    size_t i = slot_of(t, x);
    t->slot[i] = UINT64_MAX;
    for (size_t j = (i + 1) & t->mask; t->slot[j] != UINT64_MAX; j = (j + 1) & t->mask) {
        grn_arc_t y = t->slot[j];
        t->slot[j] = UINT64_MAX;
        t->slot[slot_of(t, y)] = y;
    }
}

grn_status grn_arcs_rewire(grn_arcs_t *g, uint64_t seed, uint64_t key)
{
    grn_status rc = GRN_OK;
    arc_set_t set = { NULL, 0 };
    grn_rng_t rng;
    size_t size = 16;
    while (size < g->n * 3) size *= 2;
    GRN_TRY(GRN_NEW_RAW(set.slot, size));
    set.mask = size - 1;
    memset(set.slot, 0xff, size * sizeof *set.slot);
    for (size_t i = 0; i < g->n; i++) set.slot[slot_of(&set, g->a[i])] = g->a[i];
    grn_rng_init(&rng, seed, "graph.rewire", key);
    for (size_t k = 0; g->n >= 2 && k < 10 * g->n; k++) {
        size_t i = (size_t)grn_rng_below(&rng, g->n), j = (size_t)grn_rng_below(&rng, g->n);
        grn_arc_t a = grn_arc(grn_arc_u(g->a[i]), grn_arc_v(g->a[j])), b = grn_arc(grn_arc_u(g->a[j]), grn_arc_v(g->a[i]));
        if (grn_arc_u(a) == grn_arc_v(a) || grn_arc_u(b) == grn_arc_v(b)) continue;
        if (set.slot[slot_of(&set, a)] == a || set.slot[slot_of(&set, b)] == b) continue;
        set_remove(&set, g->a[i]);
        set_remove(&set, g->a[j]);
        set.slot[slot_of(&set, a)] = a;
        set.slot[slot_of(&set, b)] = b;
        g->a[i] = a;
        g->a[j] = b;
    }
    grn_arcs_normalise(g);
end:
    free(set.slot);
    return rc;
}
