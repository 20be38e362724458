#include "qc_stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

grn_status grn_otsu(const double *x, size_t n, size_t n_bins, double *threshold)
{
    double lo = x[0], hi = x[0], best = -1, w1 = 0, s1 = 0, w = 0, s = 0;
    uint64_t *count;
    for (size_t i = 1; i < n; i++) {
        if (x[i] < lo) lo = x[i];
        if (x[i] > hi) hi = x[i];
    }
    *threshold = lo;
    if (!(hi > lo)) return GRN_OK;
    if (GRN_NEW(count, n_bins)) return GRN_ENOMEM;
    double width = (hi - lo) / (double)n_bins;
    for (size_t i = 0; i < n; i++) {
        size_t b = (size_t)((x[i] - lo) / width);
        count[b < n_bins ? b : n_bins - 1]++;
    }
    for (size_t b = 0; b < n_bins; b++) {
        w += (double)count[b];
        s += (double)count[b] * ((double)b + 0.5);
    }
    for (size_t b = 0; b + 1 < n_bins; b++) {
        w1 += (double)count[b];
        s1 += (double)count[b] * ((double)b + 0.5);
        double d = s1 / w1 - (s - s1) / (w - w1), between = w1 * (w - w1) * d * d;
        if (between > best) {
            best = between;
            *threshold = lo + ((double)b + 0.5) * width;
        }
    }
    free(count);
    return GRN_OK;
}

/* Orders as strcmp does. */
static uint64_t first_bytes(const char *s)
{
    uint64_t v = 0;
    for (int i = 0; i < 8; i++) v = v << 8 | (uint8_t)(*s ? *s++ : 0);
    return v;
}

static void measure(const grn_tally_cell_t *c, grn_qc_t *q)
{
    q->sample = (uint16_t)(c->file - 1);
    q->unique = c->n_fragments;
    q->total = c->total;
    q->in = c->n_in;
    q->total_in = c->total_in;
    q->duplication = c->total ? (double)(c->total - c->n_fragments) / (double)c->total : NAN;
    q->nucleosome = c->n_free ? (double)c->n_mono / (double)c->n_free : c->n_mono ? INFINITY : NAN;
    q->tss = grn_tss_enrichment(&c->tss);
    q->frip = (double)c->n_in / (double)c->n_fragments;
}

static int by_depth(const void *a, const void *b, void *names)
{
    const grn_qc_t *x = a, *y = b;
    if (x->sample != y->sample) return x->sample < y->sample ? -1 : 1;
    if (x->unique != y->unique) return x->unique > y->unique ? -1 : 1;
    if (x->name != y->name) return x->name < y->name ? -1 : 1;
    return strcmp(grn_names_get(names, x->cell), grn_names_get(names, y->cell));
}

grn_status grn_qc_collect(grn_tally_t *t, uint64_t keep, int compat, grn_qc_t **out, size_t *n)
{
    grn_status rc = GRN_OK;
    grn_qc_t *q = NULL;
    size_t cap = 0;
    *n = 0;
    *out = NULL;
    for (size_t i = 0; i < t->pass.cells.n; i++) {
        const grn_tally_cell_t *c = grn_tally_at(t, (uint32_t)i);
        if (!c) GRN_TRY(GRN_ENOMEM);
        if (!c->n_fragments || c->n_fragments < keep + (compat != 0)) continue;
        GRN_TRY(GRN_GROW(q, cap, *n + 1));
        q[*n] = (grn_qc_t){ .cell = (uint32_t)i, .name = first_bytes(grn_names_get(&t->pass.cells, i)) };
        measure(c, &q[(*n)++]);
    }
    if (*n) qsort_r(q, *n, sizeof *q, by_depth, &t->pass.cells);
    for (size_t i = 0; i < *n; i++) q[i].rank = i && q[i].sample == q[i - 1].sample ? q[i - 1].rank + 1 : 1;
    *out = q;
    q = NULL;
end:
    free(q);
    return rc;
}

/* Otsu's threshold over the values of at least `least`. */
static grn_status between(const grn_qc_t *q, size_t n, double (*value)(const grn_qc_t *), double least, double *x, double *threshold,
                          double *largest)
{
    size_t m = 0;
    *largest = 0;
    for (size_t i = 0; i < n; i++) {
        double v = value(&q[i]);
        if (v > *largest) *largest = v;
        if (v >= least) x[m++] = v;
    }
    return m ? grn_otsu(x, m, GRN_OTSU_BINS, threshold) : GRN_EEMPTY;
}

static double log_in(const grn_qc_t *q)
{
    return log10((double)q->in + 1);
}

static double tss(const grn_qc_t *q)
{
    return q->tss;
}

grn_status grn_qc_cut(grn_qc_t *q, size_t n, const char *sample, const grn_qc_limits_t *limits, grn_qc_cut_t *cut)
{
    grn_status rc = GRN_OK;
    double *x = NULL, largest;
    *cut = (grn_qc_cut_t){ limits->fragments, limits->tss, limits->frip, limits->nucleosome, n, 0, 0, 0, 0 };
    GRN_TRY(GRN_NEW_RAW(x, n));
    if (isnan(cut->fragments)) {
        rc = between(q, n, log_in, log10(GRN_OTSU_FRAGMENTS), x, &cut->fragments, &largest);
        if (rc == GRN_EEMPTY)
            GRN_FAIL(rc, "%s: none of %zu barcodes has %.0f fragments in regions, so there is no threshold (most: %.0f); give "
                     "--min-fragments", sample, n, GRN_OTSU_FRAGMENTS, pow(10, largest) - 1);
        if (rc) goto end;
        cut->fragments = pow(10, cut->fragments);
    }
    if (isnan(cut->tss)) {
        rc = between(q, n, tss, GRN_OTSU_TSS, x, &cut->tss, &largest);
        if (rc == GRN_EEMPTY)
            GRN_FAIL(rc, "%s: none of %zu barcodes has a TSS enrichment of %.0f, so there is no threshold (largest: %.3g; other genome "
                     "build?); give --min-tss", sample, n, GRN_OTSU_TSS, largest);
        if (rc) goto end;
    }
    for (size_t i = 0; i < n; i++) {
        int a = (double)q[i].in > cut->fragments, b = q[i].tss > cut->tss, c = q[i].frip > cut->frip;
        q[i].passes = a && b && c && !(q[i].nucleosome > cut->nucleosome);
        cut->n_fragments += (size_t)a;
        cut->n_tss += (size_t)b;
        cut->n_frip += (size_t)c;
        cut->n_pass += (size_t)q[i].passes;
    }
end:
    free(x);
    return rc;
}
