#include "qc_write.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/mem.h"
#include "io/prov.h"
#include "io/result.h"

static const char definitions[] =
    "# unique_fragments: rows of the barcode; total_fragments: sum of column 5; duplication_ratio: (total - unique) / total\n"
    "# fragments_in_regions: unique fragments that overlap a region by at least 1 bp, each once; frip: their share of unique fragments\n"
    "# nucleosome_signal: fragments of 147 to 294 bp / fragments shorter than 147 bp (inf, nan: none shorter)\n"
    "# tss_enrichment: cuts (first and last base of each fragment) by strand-aware position -2000..2000 around every TSS; S = mean of\n"
    "#   10 positions up to each (pycisTopic: trailing); mean of S over -50..50 / max(0.2, mean of S over the first and last 100\n"
    "#   positions). Not comparable with ArchR's (maximum) or with Signac's and ENCODE's (no floor)\n"
    "# rank: 1 = most unique fragments of the sample. passes: strictly above every threshold of the sample\n";

static grn_status whole(grn_out_t *o, uint64_t v)
{
    char buf[24], *p = buf + sizeof buf;
    do *--p = (char)('0' + v % 10);
    while (v /= 10);
    *--p = '\t';
    return grn_out_write(o, p, (size_t)(buf + sizeof buf - p));
}

/* Six significant digits, as %g, but quickly for the common sizes: the table has a line per barcode. */
static grn_status number(grn_out_t *o, double x)
{
    if (x == 0) return grn_out_write(o, "\t0", 2);
    if (x >= 1e-4 && x < 1e5) {
        char buf[24] = "\t", *p = buf + 1;
        int decimals = x < 1e-3 ? 9 : x < 1e-2 ? 8 : x < 0.1 ? 7 : x < 1 ? 6 : x < 10 ? 5 : x < 100 ? 4 : x < 1000 ? 3 : x < 1e4 ? 2 : 1;
        static const uint64_t pow10[] = { 1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000 };
        uint64_t v = (uint64_t)(x * (double)pow10[decimals] + 0.5), whole = v / pow10[decimals], rest = v % pow10[decimals];
        int n = whole >= 10000 ? 5 : whole >= 1000 ? 4 : whole >= 100 ? 3 : whole >= 10 ? 2 : 1;
        for (int i = n - 1; i >= 0; i--, whole /= 10) p[i] = (char)('0' + whole % 10);
        if (rest) {
            for (; rest % 10 == 0; rest /= 10) decimals--;
            p[n] = '.';
            for (int i = decimals; i >= 1; i--, rest /= 10) p[n + i] = (char)('0' + rest % 10);
            n += 1 + decimals;
        }
        return grn_out_write(o, buf, (size_t)n + 1);
    }
    return isnan(x) ? grn_out_puts(o, "\tnan") : isinf(x) ? grn_out_puts(o, x > 0 ? "\tinf" : "\t-inf") : grn_out_printf(o, "\t%.6g", x);
}

grn_status grn_qc_write_table(const grn_qc_report_t *r, const char *path)
{
    grn_status rc = GRN_OK;
    grn_out_t *o = NULL;
    GRN_TRY(grn_out_open(&o, path, 0));
    GRN_TRY(grn_prov_text(o));
    GRN_TRY(grn_out_puts(o, definitions));
    GRN_TRY(grn_out_printf(o, "# TSS: %s\n# barcodes with %s %" PRIu64 " unique fragments\n", r->tss_source,
                           r->compat ? "more than" : "at least", r->keep));
    for (size_t s = 0; s < r->samples->n; s++)
        GRN_TRY(grn_out_printf(o, "# thresholds of %s: fragments_in_regions > %.6g, tss_enrichment > %.6g, frip > %.6g; %zu of %zu pass\n",
                               grn_names_get(r->samples, s), r->cut[s].fragments, r->cut[s].tss, r->cut[s].frip, r->cut[s].n_pass,
                               r->cut[s].n));
    GRN_TRY(grn_out_puts(o, "barcode\tsample\tunique_fragments\ttotal_fragments\tduplication_ratio\tfragments_in_regions\t"
                            "total_in_regions\tfrip\tnucleosome_signal\ttss_enrichment\trank\tpasses\n"));
    for (size_t i = 0; i < r->n; i++) {
        const grn_qc_t *q = &r->q[i];
        GRN_TRY(grn_out_puts(o, grn_names_get(r->cells, q->cell)));
        GRN_TRY(grn_out_write(o, "\t", 1));
        GRN_TRY(grn_out_puts(o, grn_names_get(r->samples, q->sample)));
        GRN_TRY(whole(o, q->unique));
        GRN_TRY(whole(o, q->total));
        GRN_TRY(number(o, q->duplication));
        GRN_TRY(whole(o, q->in));
        GRN_TRY(whole(o, q->total_in));
        GRN_TRY(number(o, q->frip));
        GRN_TRY(number(o, q->nucleosome));
        GRN_TRY(number(o, q->tss));
        GRN_TRY(whole(o, q->rank));
        GRN_TRY(grn_out_puts(o, q->passes ? "\t1\n" : "\t0\n"));
    }
    grn_out_t *done = o;
    o = NULL;
    GRN_TRY(grn_out_commit(done));
end:
    grn_out_abort(o);
    return rc;
}

/* ---- per sample ---- */

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double median(double *x, size_t n)
{
    if (!n) return NAN;
    qsort(x, n, sizeof *x, by_value);
    return n % 2 ? x[n / 2] : (x[n / 2 - 1] + x[n / 2]) / 2;
}

static double value_of(const grn_qc_t *q, int what)
{
    return what == 0 ? (double)q->unique : what == 1 ? q->tss : what == 2 ? q->frip : what == 3 ? q->nucleosome : q->duplication;
}

/* The median over the passing barcodes of a sample. */
static double passing_median(const grn_qc_report_t *r, size_t sample, int what, double *x)
{
    size_t n = 0;
    for (size_t i = 0; i < r->n; i++)
        if (r->q[i].sample == sample && r->q[i].passes && isfinite(value_of(&r->q[i], what))) x[n++] = value_of(&r->q[i], what);
    return median(x, n);
}

grn_status grn_qc_write_multiqc(const grn_qc_report_t *r, const char *path)
{
    grn_status rc = GRN_OK;
    grn_out_t *o = NULL;
    double *x = NULL;
    GRN_TRY(GRN_NEW_RAW(x, r->n));
    GRN_TRY(grn_out_open(&o, path, 0));
    GRN_TRY(grn_out_puts(o, "# id: 'grn_build_qc'\n# section_name: 'scATAC barcodes (grn-build qc)'\n"
                            "# description: 'barcodes and those that pass; medians are over passing barcodes'\n"
                            "# plot_type: 'table'\n# pconfig:\n#     id: 'grn_build_qc_table'\n#     title: 'scATAC barcodes'\n"
                            "Sample\tbarcodes\tpassing\tmin_fragments_in_regions\tmin_tss_enrichment\tmedian_unique_fragments\t"
                            "median_tss_enrichment\tmedian_frip\tmedian_nucleosome_signal\tmedian_duplication_ratio\n"));
    for (size_t s = 0; s < r->samples->n; s++) {
        GRN_TRY(grn_out_printf(o, "%s\t%zu\t%zu\t%.6g\t%.6g", grn_names_get(r->samples, s), r->cut[s].n, r->cut[s].n_pass,
                               r->cut[s].fragments, r->cut[s].tss));
        for (int what = 0; what < 5; what++) GRN_TRY(number(o, passing_median(r, s, what, x)));
        GRN_TRY(grn_out_puts(o, "\n"));
    }
    grn_out_t *done = o;
    o = NULL;
    GRN_TRY(grn_out_commit(done));
end:
    grn_out_abort(o);
    free(x);
    return rc;
}

/* ---- curves ---- */

/* Unique fragments by rank: every rank up to 100, then steps of 2 %. */
static grn_status add_ranks(grn_result_t *t, const grn_qc_report_t *r, size_t sample)
{
    grn_status rc = GRN_OK;
    uint64_t next = 1, passing = 0;
    for (size_t i = 0; i < r->n && !rc; i++) {
        const grn_qc_t *q = &r->q[i];
        if (q->sample != sample) continue;
        passing += (uint64_t)q->passes;
        if (q->rank < next && i + 1 < r->n && r->q[i + 1].sample == sample) continue;
        rc = grn_result_row(t, "rank", grn_names_get(r->samples, sample), (double)q->rank, (double)q->unique, (double)passing);
        next = q->rank < 100 ? q->rank + 1 : q->rank + q->rank / 50;
    }
    return rc;
}

/* S over the background of the whole sample. */
static grn_status add_tss(grn_result_t *t, const grn_qc_report_t *r, size_t sample)
{
    grn_status rc = GRN_OK;
    const uint64_t *a = r->profile + sample * GRN_TSS_WINDOW;
    double *s = NULL, b = 0;
    GRN_TRY(GRN_NEW_RAW(s, GRN_TSS_WINDOW));
    for (int i = 0; i < GRN_TSS_WINDOW; i++) {
        int n = i + 1 < GRN_TSS_SMOOTH ? i + 1 : GRN_TSS_SMOOTH;
        uint64_t sum = 0;
        for (int j = i - n + 1; j <= i; j++) sum += a[j];
        s[i] = (double)sum / n;
    }
    for (int i = 0; i < GRN_TSS_EDGE; i++) b += (s[i] + s[GRN_TSS_WINDOW - 1 - i]) / (2 * GRN_TSS_EDGE);
    for (int i = 0; i < GRN_TSS_WINDOW; i++)
        GRN_TRY(grn_result_row(t, "tss", grn_names_get(r->samples, sample), (double)(i - GRN_TSS_FLANK), s[i] / (b > 0 ? b : 1),
                               (double)a[i]));
end:
    free(s);
    return rc;
}

static grn_status add_lengths(grn_result_t *t, const grn_qc_report_t *r, size_t sample)
{
    grn_status rc = GRN_OK;
    const uint64_t *n = r->length + sample * GRN_LENGTHS;
    uint64_t sum = 0;
    for (size_t i = 0; i < GRN_LENGTHS; i++) sum += n[i];
    for (size_t i = 1; i < GRN_LENGTHS && !rc; i++)
        rc = grn_result_row(t, "length", grn_names_get(r->samples, sample), (double)i, sum ? (double)n[i] / (double)sum : 0.0,
                            (double)n[i]);
    return rc;
}

grn_status grn_qc_write_profile(const grn_qc_report_t *r, const char *path, grn_par_t *pool)
{
    grn_status rc = GRN_OK;
    grn_result_t t = { 0 };
    GRN_TRY(grn_result_init(&t, "qc", "scATAC quality: barcode rank, TSS profile, fragment length", "series$,sample$,x,y,n"));
    for (size_t s = 0; s < r->samples->n; s++) {
        GRN_TRY(add_ranks(&t, r, s));
        GRN_TRY(add_tss(&t, r, s));
        GRN_TRY(add_lengths(&t, r, s));
    }
    GRN_TRY(grn_result_save(&t, path, pool));
end:
    grn_result_clear(&t);
    return rc;
}
