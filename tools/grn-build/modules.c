#include "modules.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"

void grn_modules_clear(grn_modules_t *m)
{
    free(m->v);
    free(m->off);
    free(m->gene);
    *m = (grn_modules_t){ 0 };
}

/* ---- ways ---- */

static grn_status add_way(grn_modules_opt_t *o, grn_module_kind kind, const char *text, const char *list)
{
    static const char *const option[] = { "--quantiles", "--top-targets", "--top-regulators" };
    grn_module_way_t w = { .kind = kind };
    int64_t n = 0;
    if (o->n_ways == GRN_MODULES_WAYS) return grn_err(GRN_EUSAGE, "more than %d ways to make modules", GRN_MODULES_WAYS);
    int bad = kind == GRN_WAY_QUANTILE ? grn_parse_f64(text, &w.quantile) || !(w.quantile >= 0 && w.quantile < 1)
                                       : grn_parse_i64(text, &n) || n < 1 || n > UINT32_MAX;
    if (bad)
        return grn_err(GRN_EUSAGE, "%s '%s': %s, separated by commas, are expected", option[kind], list,
                       kind == GRN_WAY_QUANTILE ? "numbers from 0 to below 1" : "whole numbers from 1");
    w.top = (uint32_t)n;
    if (kind == GRN_WAY_QUANTILE) snprintf(w.name, sizeof w.name, "q%g", w.quantile);
    else snprintf(w.name, sizeof w.name, "top%" PRIu32 "_%s", w.top, kind == GRN_WAY_TARGETS ? "targets" : "regulators");
    for (size_t i = 0; i < o->n_ways; i++)
        if (!strcmp(o->way[i].name, w.name)) return grn_err(GRN_EUSAGE, "%s '%s': %s is given twice", option[kind], list, text);
    o->way[o->n_ways++] = w;
    return GRN_OK;
}

static grn_status add_ways(grn_modules_opt_t *o, grn_module_kind kind, const char *list)
{
    grn_status rc = GRN_OK;
    char *copy = strdup(list), *field[GRN_MODULES_WAYS + 1];
    if (!copy) return grn_err(GRN_ENOMEM, "out of memory");
    size_t n = *list ? grn_split(copy, ',', field, GRN_MODULES_WAYS + 1) : 0;
    for (size_t i = 0; i < n; i++) GRN_TRY(add_way(o, kind, field[i], list));
end:
    free(copy);
    return rc;
}

grn_status grn_modules_ways(grn_modules_opt_t *o, const char *quantiles, const char *targets, const char *regulators)
{
    grn_status rc = GRN_OK;
    GRN_TRY(add_ways(o, GRN_WAY_QUANTILE, quantiles));
    GRN_TRY(add_ways(o, GRN_WAY_TARGETS, targets));
    GRN_TRY(add_ways(o, GRN_WAY_REGULATORS, regulators));
    if (!o->n_ways) rc = grn_err(GRN_EUSAGE, "--quantiles, --top-targets and --top-regulators are all empty: no modules");
end:
    return rc;
}

/* ---- quantiles ---- */

static int by_value(const void *x, const void *y)
{
    float a = *(const float *)x, b = *(const float *)y;
    return (a > b) - (a < b);
}

double grn_modules_quantile(float *v, size_t n, double p)
{
    qsort(v, n, sizeof *v, by_value);
    double h = (double)(n - 1) * p, low = floor(h);
    size_t k = (size_t)low;
    return k + 1 < n ? v[k] + ((double)v[k + 1] - v[k]) * (h - low) : v[k];
}

/* ---- marks ---- */

typedef struct {
    float importance;
    uint32_t other, row; /* gene of a TF's link, TF of a gene's */
} ranked_t;

static int by_strength(const void *x, const void *y)
{
    const ranked_t *a = x, *b = y;
    if (a->importance != b->importance) return a->importance > b->importance ? -1 : 1;
    return a->other < b->other ? -1 : a->other > b->other;
}

typedef struct {
    const grn_edges_t *e;
    const float *importance;
    const grn_modules_opt_t *o;
    int8_t *sign;   /* (e->n) 0: not used */
    uint16_t *mark; /* (e->n) ways the link is in a module by */
    ranked_t *v;    /* (e->n) scratch */
} mark_t;

/* Marks the strongest links of v[0..n), all of one source and sign. */
static void mark_top(mark_t *m, grn_module_kind kind, ranked_t *v, size_t n)
{
    if (n > 1) qsort(v, n, sizeof *v, by_strength);
    for (size_t w = 0; w < m->o->n_ways; w++)
        if (m->o->way[w].kind == kind)
            for (size_t k = 0; k < n && k < m->o->way[w].top; k++) m->mark[v[k].row] |= (uint16_t)(1u << w);
}

static void mark_targets(mark_t *m)
{
    const grn_edges_t *e = m->e;
    for (size_t i = 0, j; i < e->n; i = j) {
        for (j = i; j < e->n && e->tf[j] == e->tf[i]; j++) continue;
        for (int sign = 1; sign >= -1; sign -= 2) {
            size_t n = 0;
            for (size_t k = i; k < j; k++)
                if (m->sign[k] == sign) m->v[n++] = (ranked_t){ m->importance[k], e->gene[k], (uint32_t)k };
            mark_top(m, GRN_WAY_TARGETS, m->v, n);
        }
    }
}

static grn_status mark_regulators(mark_t *m)
{
    grn_status rc = GRN_OK;
    const grn_edges_t *e = m->e;
    size_t *at = NULL, G = e->genes.n;
    for (int sign = 1; sign >= -1; sign -= 2) {
        free(at);
        at = NULL;
        GRN_TRY(GRN_NEW(at, G + 2));
        for (size_t k = 0; k < e->n; k++)
            if (m->sign[k] == sign) at[e->gene[k] + 2]++;
        for (size_t g = 0; g < G; g++) at[g + 2] += at[g + 1];
        for (size_t k = 0; k < e->n; k++)
            if (m->sign[k] == sign) m->v[at[e->gene[k] + 1]++] = (ranked_t){ m->importance[k], e->tf[k], (uint32_t)k };
        for (size_t g = 0; g < G; g++) mark_top(m, GRN_WAY_REGULATORS, m->v + at[g], at[g + 1] - at[g]);
    }
end:
    free(at);
    return rc;
}

static grn_status mark_quantiles(mark_t *m)
{
    grn_status rc = GRN_OK;
    const grn_edges_t *e = m->e;
    float *v = NULL;
    size_t n = 0;
    GRN_TRY(GRN_NEW_RAW(v, e->n));
    for (size_t k = 0; k < e->n; k++)
        if (m->importance[k] > 0) v[n++] = m->importance[k];
    for (size_t w = 0; n && w < m->o->n_ways; w++) {
        if (m->o->way[w].kind != GRN_WAY_QUANTILE) continue;
        double least = grn_modules_quantile(v, n, m->o->way[w].quantile);
        grn_log_info("modules %s: importance above %g", m->o->way[w].name, least);
        for (size_t k = 0; k < e->n; k++)
            if (m->sign[k] && m->importance[k] > least) m->mark[k] |= (uint16_t)(1u << w);
    }
end:
    free(v);
    return rc;
}

/* ---- modules ---- */

/* Which links count, and their sign. */
static grn_status sign_links(mark_t *m, const float *rho, grn_funnel_t *f)
{
    grn_status rc = GRN_OK;
    uint64_t n = 0, n_used = 0;
    const grn_edges_t *e = m->e;
    for (size_t k = 0; k < e->n; k++) {
        if (k && e->tf[k] == e->tf[k - 1] && e->gene[k] == e->gene[k - 1])
            GRN_FAIL(GRN_EFORMAT, "the link '%s' -> '%s' is there twice: links of grn-build link are expected",
                     grn_names_get(&e->genes, e->tf[k]), grn_names_get(&e->genes, e->gene[k]));
        if (!(m->importance[k] > 0)) continue;
        n++;
        m->sign[k] = (int8_t)(rho[k] > m->o->min_rho ? 1 : m->o->all_signs && rho[k] < -m->o->min_rho ? -1 : 0);
        n_used += m->sign[k] != 0;
    }
    GRN_TRY(grn_funnel_add(f, "links", n, e->n - n, "TF-gene links with an importance above 0"));
    GRN_TRY(grn_funnel_add(f, "links", n_used, n - n_used, m->o->all_signs ? "links with |r| > %g" : "links with r > %g",
                           m->o->min_rho));
end:
    return rc;
}

/* The module of links [i, j) of one TF that have the sign and the mark, if it is large enough. */
static grn_status add_module(const mark_t *m, size_t i, size_t j, int sign, size_t way, grn_modules_t *out, uint64_t *n_small)
{
    grn_status rc = GRN_OK;
    const grn_edges_t *e = m->e;
    uint32_t tf = e->tf[i];
    uint64_t begin = out->off[out->n], n = begin;
    int has_tf = 0;
    GRN_TRY(GRN_GROW(out->gene, out->gene_cap, begin + (j - i) + 1));
    for (size_t k = i; k < j; k++) { /* genes ascend, and the TF comes where it belongs */
        if (m->sign[k] != sign || !(m->mark[k] >> way & 1)) continue;
        if (!has_tf && e->gene[k] >= tf) {
            has_tf = 1;
            if (e->gene[k] != tf) out->gene[n++] = tf;
        }
        out->gene[n++] = e->gene[k];
    }
    if (n == begin) return GRN_OK;
    if (!has_tf) out->gene[n++] = tf;
    if (n - begin < m->o->min_genes) {
        ++*n_small;
        return GRN_OK;
    }
    GRN_TRY(GRN_GROW(out->v, out->cap, out->n + 1));
    GRN_TRY(GRN_GROW(out->off, out->off_cap, out->n + 2));
    out->v[out->n++] = (grn_module_t){ tf, (int8_t)sign, (uint8_t)way };
    out->off[out->n] = n;
end:
    return rc;
}

static grn_status collect(const mark_t *m, grn_modules_t *out, grn_funnel_t *f)
{
    grn_status rc = GRN_OK;
    const grn_edges_t *e = m->e;
    uint64_t n_small = 0;
    GRN_TRY(GRN_GROW(out->off, out->off_cap, 1));
    out->off[0] = 0;
    for (size_t i = 0, j; i < e->n; i = j) {
        for (j = i; j < e->n && e->tf[j] == e->tf[i]; j++) continue;
        for (int sign = 1; sign >= -1; sign -= 2)
            for (size_t w = 0; w < m->o->n_ways; w++) GRN_TRY(add_module(m, i, j, sign, w, out, &n_small));
    }
    GRN_TRY(grn_funnel_add(f, "modules", out->n, n_small, "modules of at least %zu genes", m->o->min_genes));
end:
    return rc;
}

grn_status grn_modules_make(const grn_edges_t *e, const float *importance, const float *rho, const grn_modules_opt_t *o,
                            grn_funnel_t *f, grn_modules_t *out)
{
    grn_status rc = GRN_OK;
    mark_t m = { .e = e, .importance = importance, .o = o };
    if (e->n > UINT32_MAX) return grn_err(GRN_EUNSUP, "%zu links, more than 2^32 - 1", e->n);
    GRN_TRY(GRN_NEW(m.sign, e->n));
    GRN_TRY(GRN_NEW(m.mark, e->n));
    GRN_TRY(GRN_NEW_RAW(m.v, e->n));
    GRN_TRY(sign_links(&m, rho, f));
    GRN_TRY(mark_quantiles(&m));
    mark_targets(&m);
    GRN_TRY(mark_regulators(&m));
    GRN_TRY(collect(&m, out, f));
end:
    free(m.sign);
    free(m.mark);
    free(m.v);
    if (rc) grn_modules_clear(out);
    return rc;
}
