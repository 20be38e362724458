#include "grn-threshold/summary.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "stat/rss.h"

enum { LOGGED = 3 };

grn_status threshold_summary_init(const threshold_groups_t *types, size_t n_regulons, threshold_summary_t *s)
{
    memset(s, 0, sizeof *s);
    s->types = types;
    s->n_regulons = n_regulons;
    return GRN_NEW(s->cell, types->names.n * n_regulons);
}

void threshold_summary_clear(threshold_summary_t *s)
{
    free(s->cell);
    memset(s, 0, sizeof *s);
}

/* Sums over the cells of each type, in units of a power of two so small that no sum overflows. */
typedef struct {
    int64_t *on, *off, *term; /* (K) */
    uint64_t *n_on;           /* (K) */
    double unit, positive;    /* the sum of all scores, NaN with a negative one */
} sums_t;

static void choose_unit(const float *x, uint64_t n, sums_t *t)
{
    float top = 0, low = 0;
    int e;
    for (uint64_t i = 0; i < n; i++) {
        if (fabsf(x[i]) > top) top = fabsf(x[i]);
        if (x[i] < low) low = x[i];
    }
    frexp((double)top * (double)n, &e);
    t->unit = ldexp(1, e - 62);
    t->positive = low < 0 ? NAN : 0;
}

static void add_scores(const threshold_groups_t *g, const threshold_fits_t *f, size_t r, const float *x, const uint16_t *type,
                       sums_t *t)
{
    for (size_t k = 0; k < f->n_contexts; k++) {
        float cut = (float)threshold_chosen(f, k, r)->threshold;
        for (uint64_t i = g->off[k]; i < g->off[k + 1]; i++) {
            int on = x[i] > cut;
            (on ? t->on : t->off)[type[i]] += llrint((double)x[i] / t->unit);
            t->n_on[type[i]] += (uint64_t)on;
        }
    }
}

static void add_terms(const threshold_groups_t *types, const float *x, const uint16_t *type, sums_t *t)
{
    uint64_t n = types->off[types->names.n];
    for (uint64_t i = 0; i < n; i++) {
        double q = 1 / (double)(types->off[type[i] + 1] - types->off[type[i]]);
        t->term[type[i]] += llrint(ldexp(grn_rss_term((double)x[i] / t->positive, q), 60));
    }
}

/* Specificity of bits: all cells that are on have the same p. */
static double rss_of_bits(uint64_t on, uint64_t cells, uint64_t on_anywhere)
{
    double p, q = 1 / (double)cells;
    if (on_anywhere == 0) return NAN;
    p = 1 / (double)on_anywhere;
    return grn_rss((double)on * p, (double)on * grn_rss_term(p, q) + (double)(cells - on) * q);
}

static void fill(const sums_t *t, size_t r, threshold_summary_t *s)
{
    uint64_t on = 0;
    size_t n_types = s->types->names.n;
    for (size_t k = 0; k < n_types; k++) on += t->n_on[k];
    for (size_t k = 0; k < n_types; k++) {
        threshold_cell_t *c = &s->cell[k * s->n_regulons + r];
        uint64_t n = s->types->off[k + 1] - s->types->off[k];
        c->n_on = t->n_on[k];
        c->mean_on = c->n_on ? (double)t->on[k] * t->unit / (double)c->n_on : NAN;
        c->mean_off = n > c->n_on ? (double)t->off[k] * t->unit / (double)(n - c->n_on) : NAN;
        c->rss_score =
            t->positive > 0 ? grn_rss((double)(t->on[k] + t->off[k]) * t->unit / t->positive, ldexp((double)t->term[k], -60)) : NAN;
        c->rss_bits = rss_of_bits(c->n_on, n, on);
    }
}

grn_status threshold_summarise(const threshold_groups_t *g, const threshold_fits_t *f, size_t r, const float *x, threshold_summary_t *s)
{
    grn_status rc = GRN_OK;
    size_t n_types = s->types->names.n;
    sums_t t = { 0 };
    int64_t total = 0;
    GRN_TRY(GRN_NEW(t.on, n_types));
    GRN_TRY(GRN_NEW(t.off, n_types));
    GRN_TRY(GRN_NEW(t.term, n_types));
    GRN_TRY(GRN_NEW(t.n_on, n_types));
    choose_unit(x, g->off[g->names.n], &t);
    add_scores(g, f, r, x, s->type, &t);
    for (size_t k = 0; k < n_types; k++) total += t.on[k] + t.off[k];
    t.positive += (double)total * t.unit;
    if (t.positive > 0) add_terms(s->types, x, s->type, &t);
    fill(&t, r, s);
end:
    free(t.on);
    free(t.off);
    free(t.term);
    free(t.n_on);
    return rc;
}

/* ---- the table ---- */

/* Regulons of a type by descending rss_bits, then in the order of the input. */
typedef struct {
    double rss;
    uint32_t regulon;
} ranked_t;

static int by_rss(const void *a, const void *b)
{
    const ranked_t *p = a, *q = b;
    if (p->rss != q->rss) return p->rss > q->rss ? -1 : 1;
    return (p->regulon > q->regulon) - (p->regulon < q->regulon);
}

static void rank_type(const threshold_summary_t *s, size_t type, ranked_t *out)
{
    for (size_t r = 0; r < s->n_regulons; r++) {
        double rss = s->cell[type * s->n_regulons + r].rss_bits;
        out[r] = (ranked_t){ isnan(rss) ? -1 : rss, (uint32_t)r };
    }
    qsort(out, s->n_regulons, sizeof *out, by_rss);
}

static grn_status put_number(grn_out_t *o, double x)
{
    return isnan(x) ? grn_out_puts(o, "\tNA") : grn_out_printf(o, "\t%.6g", x);
}

/* Half a cell is added to every count, so that the logarithm exists. */
static double log2_fold(uint64_t on, uint64_t cells, uint64_t on_rest, uint64_t rest)
{
    if (rest == 0) return NAN;
    return log2(((double)on + 0.5) / ((double)cells + 1)) - log2(((double)on_rest + 0.5) / ((double)rest + 1));
}

static grn_status put_row(grn_out_t *o, const threshold_summary_t *s, size_t k, size_t r, size_t rank, const char *regulon)
{
    grn_status rc = GRN_OK;
    const threshold_cell_t *c = &s->cell[k * s->n_regulons + r];
    uint64_t n = s->types->off[k + 1] - s->types->off[k], all = s->types->off[s->types->names.n], on = 0;
    for (size_t j = 0; j < s->types->names.n; j++) on += s->cell[j * s->n_regulons + r].n_on;
    GRN_TRY(grn_out_printf(o, "%s\t%s\t%llu\t%llu", grn_names_get(&s->types->names, k), regulon, (unsigned long long)n,
                           (unsigned long long)c->n_on));
    GRN_TRY(put_number(o, (double)c->n_on / (double)n));
    GRN_TRY(put_number(o, all > n ? (double)(on - c->n_on) / (double)(all - n) : NAN));
    GRN_TRY(put_number(o, log2_fold(c->n_on, n, on - c->n_on, all - n)));
    GRN_TRY(put_number(o, c->mean_on));
    GRN_TRY(put_number(o, c->mean_off));
    GRN_TRY(put_number(o, c->rss_score));
    GRN_TRY(put_number(o, c->rss_bits));
    GRN_TRY(grn_out_printf(o, "\t%zu\n", rank));
end:
    return rc;
}

grn_status threshold_summary_write(const threshold_summary_t *s, const char *path, const grn_names_t *regulons)
{
    grn_status rc = GRN_OK;
    grn_out_t *o = NULL;
    ranked_t *order = NULL;
    GRN_TRY(GRN_NEW(order, s->n_regulons));
    GRN_TRY(grn_out_open(&o, path, 0));
    GRN_TRY(grn_out_puts(
        o, "context\tregulon\tcells\tn_on\tfrac_on\tfrac_on_rest\tlog2_fold\tmean_on\tmean_off\trss_score\trss_bits\trank\n"));
    for (size_t k = 0; k < s->types->names.n; k++) {
        rank_type(s, k, order);
        for (size_t i = 0; i < s->n_regulons; i++)
            GRN_TRY(put_row(o, s, k, order[i].regulon, i + 1, grn_names_get(regulons, order[i].regulon)));
    }
    rc = grn_out_commit(o);
    o = NULL;
end:
    grn_out_abort(o);
    free(order);
    return rc;
}

grn_status threshold_summary_log(const threshold_summary_t *s, const grn_names_t *regulons)
{
    grn_status rc = GRN_OK;
    ranked_t *order = NULL;
    grn_str_t line = { 0 };
    GRN_TRY(GRN_NEW(order, s->n_regulons));
    for (size_t k = 0; k < s->types->names.n; k++) {
        grn_str_clear(&line);
        rank_type(s, k, order);
        for (size_t i = 0; i < LOGGED && i < s->n_regulons && order[i].rss > 0; i++) {
            const threshold_cell_t *c = &s->cell[k * s->n_regulons + order[i].regulon];
            GRN_TRY(grn_str_printf(&line, "%s%s %.2f (%.0f %%)", i ? ", " : "", grn_names_get(regulons, order[i].regulon), c->rss_bits,
                                   100.0 * (double)c->n_on / (double)(s->types->off[k + 1] - s->types->off[k])));
        }
        grn_log_info("  %s: most specific %s", grn_names_get(&s->types->names, k), line.n ? line.s : "none");
    }
end:
    grn_str_clear(&line);
    free(order);
    return rc;
}
