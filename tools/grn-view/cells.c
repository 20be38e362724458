/* The cells that have an edge, or any of the edges that pass the choice. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "grn-view/percell.h"
#include "io/prov.h"
#include "stat/contingency.h"

enum { BLOCK = 1 << 14 }; /* cells in memory at a time */

typedef struct {
    percell_t p;
    uint32_t *n_edges; /* (contexts of the activity, regulons of the activity) edges that pass */
    uint64_t *wanted;  /* (contexts, n_words) bits of the regulons that have some */
    uint64_t *n, *has; /* (contexts) cells; those with one of the edges */
    uint64_t *bits;    /* of a block */
    uint16_t *context;
    float *posterior; /* of the cells [posterior_at, posterior_at + posterior_n) */
    uint64_t posterior_at, posterior_n;
} search_t;

enum { POSTERIOR_ROWS = 64 };

static void search_clear(search_t *s)
{
    free(s->n_edges);
    free(s->wanted);
    free(s->n);
    free(s->has);
    free(s->bits);
    free(s->context);
    free(s->posterior);
    percell_close(&s->p);
}

static grn_status search_open(search_t *s)
{
    grn_status rc = GRN_OK;
    GRN_TRY(percell_open(&s->p, 0, ""));
    const percell_t *p = &s->p;
    uint64_t R = p->a->n_regulons, W = p->a->n_words, K = p->a->contexts.n;
    GRN_TRY(GRN_NEW(s->n_edges, K * R));
    GRN_TRY(GRN_NEW(s->wanted, K * W));
    GRN_TRY(GRN_NEW(s->n, K));
    GRN_TRY(GRN_NEW(s->has, K));
    GRN_TRY(GRN_NEW_RAW(s->bits, BLOCK * W));
    GRN_TRY(GRN_NEW_RAW(s->context, BLOCK));
    if (grn_ar_has_posterior(p->active)) GRN_TRY(GRN_NEW_RAW(s->posterior, POSTERIOR_ROWS * R));
    for (uint64_t c = 0; c < K; c++) {
        uint32_t g = p->context[c];
        for (size_t k = g == PERCELL_NONE ? 0 : p->begin[g]; g != PERCELL_NONE && k < p->begin[g + 1]; k++) {
            uint32_t r = p->regulon[p->e.regulon[p->row[k]]];
            s->n_edges[c * R + r]++;
            s->wanted[c * W + r / 64] |= (uint64_t)1 << (r % 64);
        }
    }
end:
    return rc;
}

/* *v: the posterior of one cell. */
static grn_status posterior_of(search_t *s, uint64_t cell, const float **v)
{
    if (cell - s->posterior_at >= s->posterior_n) {
        uint64_t left = s->p.a->n_cells - cell;
        s->posterior_at = cell;
        s->posterior_n = left < POSTERIOR_ROWS ? left : POSTERIOR_ROWS;
        grn_status rc = grn_ar_posterior(s->p.active, cell, s->posterior_n, s->posterior);
        if (rc) return rc;
    }
    *v = s->posterior + (cell - s->posterior_at) * s->p.a->n_regulons;
    return GRN_OK;
}

/* The next regulon after `r` whose bit is set; n_regulons: none. Begin with r = -1. */
static uint64_t next_on(const grn_activity_t *a, const uint64_t *hit, uint64_t r)
{
    r++;
    for (uint64_t w = r / 64; w < a->n_words; w++, r = w * 64) {
        uint64_t left = hit[w] >> (r % 64);
        if (left) return r + (uint64_t)__builtin_ctzll(left);
    }
    return a->n_regulons;
}

/* hit: the regulons with an edge that passes that are on in the cell. */
static grn_status write_cell(search_t *s, grn_out_t *o, uint64_t cell, uint16_t context, const uint64_t *hit)
{
    grn_status rc = GRN_OK;
    const grn_activity_t *a = s->p.a;
    const char *name, *sep = "\t";
    const float *v;
    char buf[32];
    uint64_t n = 0, none = (uint64_t)-1, r = none;
    while ((r = next_on(a, hit, r)) < a->n_regulons) n += s->n_edges[context * a->n_regulons + r];
    GRN_TRY(grn_ar_name(s->p.active, cell, &name));
    GRN_TRY(grn_out_printf(o, "%s\t%s\t%llu", name, grn_names_get(&a->contexts, context), (unsigned long long)n));
    for (r = none; (r = next_on(a, hit, r)) < a->n_regulons; sep = ",") {
        GRN_TRY(grn_out_puts(o, sep));
        GRN_TRY(grn_out_puts(o, grn_names_get(&a->regulons, r)));
    }
    if (s->posterior) {
        GRN_TRY(posterior_of(s, cell, &v));
        sep = "\t";
        for (r = none; (r = next_on(a, hit, r)) < a->n_regulons; sep = ",") {
            GRN_TRY(grn_out_puts(o, sep));
            GRN_TRY(grn_out_puts(o, grn_fmt_f32(buf, v[r])));
        }
    }
    rc = grn_out_puts(o, "\n");
end:
    return rc;
}

/* Counts; writes the cells as well when `o` is given. */
static grn_status search(search_t *s, grn_out_t *o)
{
    grn_status rc = GRN_OK;
    const grn_activity_t *a = s->p.a;
    uint64_t W = a->n_words, *hit = NULL;
    GRN_TRY(GRN_NEW(hit, W));
    for (uint64_t at = 0; at < a->n_cells; at += BLOCK) {
        uint64_t n = a->n_cells - at < BLOCK ? a->n_cells - at : BLOCK;
        GRN_TRY(grn_ar_rows(s->p.active, at, n, s->bits, s->context));
        for (uint64_t i = 0; i < n; i++) {
            uint64_t any = 0;
            uint16_t c = s->context[i];
            for (uint64_t w = 0; w < W; w++) any |= hit[w] = s->bits[i * W + w] & s->wanted[c * W + w];
            s->n[c]++;
            s->has[c] += any != 0;
            if (any && o) GRN_TRY(write_cell(s, o, at + i, c, hit));
        }
    }
end:
    free(hit);
    return rc;
}

static grn_status write_counts(const search_t *s, grn_out_t *o)
{
    grn_status rc = GRN_OK;
    const percell_t *p = &s->p;
    for (size_t c = 0; c < p->a->contexts.n; c++) {
        uint32_t g = p->context[c];
        double lo, hi;
        if (!s->n[c]) continue;
        grn_wilson(s->has[c], s->n[c], &lo, &hi);
        GRN_TRY(grn_out_printf(o, "%s\t%zu\t%llu\t%llu\t%.6g\t%.6g\t%.6g\n", grn_names_get(&p->a->contexts, c),
                               g == PERCELL_NONE ? 0 : p->begin[g + 1] - p->begin[g], (unsigned long long)s->has[c],
                               (unsigned long long)s->n[c], (double)s->has[c] / (double)s->n[c], lo, hi));
    }
end:
    return rc;
}

/* Contexts that have one of the edges, then all of them. Returns how many cells have one. */
static uint64_t report(const search_t *s)
{
    const percell_t *p = &s->p;
    uint64_t n = 0, has = 0;
    double lo, hi;
    for (size_t c = 0; c < p->a->contexts.n; c++) {
        uint32_t g = p->context[c];
        n += s->n[c];
        has += s->has[c];
        if (!s->n[c] || g == PERCELL_NONE || p->begin[g] == p->begin[g + 1]) continue;
        grn_wilson(s->has[c], s->n[c], &lo, &hi);
        grn_log_info("%s: %llu of %llu cells, %.1f %% (95 %% interval %.1f to %.1f)", grn_names_get(&p->a->contexts, c),
                     (unsigned long long)s->has[c], (unsigned long long)s->n[c], 100 * (double)s->has[c] / (double)s->n[c], 100 * lo,
                     100 * hi);
    }
    grn_log_info("%llu of %llu cells have %s", (unsigned long long)has, (unsigned long long)n,
                 p->begin[p->n_groups] == 1 ? "the edge" : "one of the edges at least");
    return has;
}

grn_status view_cells(void)
{
    grn_status rc = GRN_OK;
    search_t s = { 0 };
    grn_out_t *o = NULL;
    GRN_TRY(search_open(&s));
    GRN_TRY(grn_out_open(&o, view_opt.out, 0));
    if (view_opt.pg) GRN_TRY(grn_prov_text(o));
    if (view_opt.count) {
        GRN_TRY(grn_out_puts(o, "context\tn_edges\tn_with\tn_cells\tshare\tlo\thi\n"));
        GRN_TRY(search(&s, NULL));
        GRN_TRY(write_counts(&s, o));
    } else {
        GRN_TRY(grn_out_printf(o, "cell\tcontext\tn_edges\tregulons%s\n", s.posterior ? "\tposterior" : ""));
        GRN_TRY(search(&s, o));
    }
    rc = grn_out_commit(o);
    o = NULL;
    if (!rc && !report(&s))
        rc = grn_err(GRN_EEMPTY, "none of the %llu cells of '%s' has one of the %zu edges", (unsigned long long)s.p.a->n_cells,
                     s.p.active_path, s.p.begin[s.p.n_groups]);
end:
    grn_out_abort(o);
    search_clear(&s);
    return rc;
}
