/* grn-build qc: quality of every barcode of fragment files, the barcodes that pass, and their counts, in one pass. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "build.h"
#include "io/prov.h"
#include "qc_write.h"
#include "tally_input.h"

static struct {
    const char *regions, *genes, *min_fragments, *min_tss, *output, *passing, *counts, *multiqc, *profile;
    grn_tally_input_t in;
    int64_t keep;
    double min_frip, max_nucleosome;
    int compat;
} opt = { .in = GRN_TALLY_INPUT_INIT, .keep = 10, .min_fragments = "otsu", .min_tss = "otsu", .max_nucleosome = 1e300, .output = "-" };

static const grn_opt_t table[] = {
    GRN_OPT_HEAD("Input"),
    GRN_OPT_STR('r', "regions", "BED", &opt.regions, "regions (peaks): BED3 or more, narrowPeak; required"),
    GRN_OPT_STR('g', "genes", "FILE", &opt.genes, "TSS: GTF or GFF3 (protein-coding genes), or BED6; required"),
    GRN_TALLY_OPTIONS(opt.in),
    GRN_OPT_HEAD("Which barcodes pass (strictly above each)"),
    GRN_OPT_INT(0, "keep", "INT", &opt.keep, 1, 1000000000, "barcodes with at least this many fragments are reported"),
    GRN_OPT_STR(0, "min-fragments", "otsu|NUM", &opt.min_fragments, "unique fragments in regions"),
    GRN_OPT_STR(0, "min-tss", "otsu|NUM", &opt.min_tss, "TSS enrichment"),
    GRN_OPT_FLT(0, "min-frip", "FLOAT", &opt.min_frip, 0, 1, "share of fragments in regions"),
    GRN_OPT_FLT(0, "max-nucleosome", "FLOAT", &opt.max_nucleosome, 0, 1e300, "nucleosome signal, at most"),
    GRN_OPT_FLAG(0, "compat", &opt.compat, "as pycisTopic's program: barcodes are reported above --keep, not from it"),
    GRN_OPT_HEAD("Output"),
    GRN_OPT_STR('o', "output", "FILE", &opt.output, "one line per barcode"),
    GRN_OPT_STR('p', "passing", "FILE", &opt.passing, "the barcodes that pass, one a line"),
    GRN_OPT_STR('c', "counts", "FILE", &opt.counts, "cells x regions of those, as `grn-build count` writes it"),
    GRN_OPT_STR(0, "profile", "FILE", &opt.profile, "curves for `grn-plot qc`: ranks, TSS profile, fragment lengths"),
    GRN_OPT_STR(0, "multiqc", "FILE", &opt.multiqc, "one line per sample for MultiQC (name it ..._mqc.tsv)"),
    GRN_OPT_END,
};

static grn_status parse_limit(const char *option, const char *s, double *v)
{
    *v = NAN;
    if (!strcmp(s, "otsu")) return GRN_OK;
    if (grn_parse_f64(s, v) || *v < 0) return grn_err(GRN_EUSAGE, "%s '%s' is neither otsu nor a number from 0", option, s);
    return GRN_OK;
}

/* Samples: one per template of --rename, named after the file; else one for all files. */
static grn_status name_samples(const grn_args_t *args, grn_names_t *samples)
{
    grn_status rc = GRN_OK;
    grn_str_t name = { 0 };
    static const char *const ends[] = { ".gz", ".bgz", ".zst", ".tsv", ".bed" };
    int n = opt.in.rename.n ? args->n : 1, is_new;
    for (int i = 0; i < n; i++) {
        const char *base = strcmp(args->v[i], "-") ? grn_path_base(args->v[i]) : "stdin";
        size_t len = strlen(base);
        for (size_t k = 0; k < sizeof ends / sizeof *ends; k++) {
            size_t m = strlen(ends[k]);
            if (len > m && !memcmp(base + len - m, ends[k], m)) len -= m;
        }
        name.n = 0;
        if (opt.in.rename.n) { /* the template without its hole says more than a file name, which may repeat */
            const char *t = opt.in.rename.v[i], *hole = strstr(t, "{}");
            for (const char *p = t; *p; p++)
                if (!hole || p < hole || p >= hole + 2) GRN_TRY(grn_str_add(&name, p, 1));
            while (name.n && strchr("_-#:.", name.s[name.n - 1])) name.s[--name.n] = 0;
        }
        if (!name.n) GRN_TRY(grn_str_add(&name, base, len));
        GRN_TRY(grn_names_add_n(samples, name.s, name.n, NULL, &is_new));
        if (!is_new) GRN_FAIL(GRN_EUSAGE, "two samples would be named '%s'; give different --rename templates", name.s);
    }
end:
    grn_str_clear(&name);
    return rc;
}

static grn_status load_tss(grn_tally_t *t, grn_tss_t *tss, grn_str_t *source)
{
    grn_status rc = GRN_OK;
    GRN_TRY(grn_prov_input(opt.genes, NULL));
    GRN_TRY(grn_names_dup(&t->pass.chroms, &t->regions->chroms));
    GRN_TRY(grn_tss_load(tss, opt.genes, &t->pass.chroms));
    GRN_TRY(grn_str_printf(source, "%zu distinct transcription start sites of %s genes of '%s'", tss->n,
                           tss->has_biotypes ? "protein-coding" : "all", grn_path_base(opt.genes)));
    grn_log_info("TSS: %s; left out: %" PRIu64 " of other types, %" PRIu64 " without strand", source->s, tss->n_other,
                 tss->n_no_strand);
    t->tss = tss;
end:
    return rc;
}

static grn_status read_files(grn_tally_t *t, const grn_args_t *args, grn_qc_report_t *r)
{
    grn_status rc = GRN_OK;
    uint64_t length[GRN_LENGTHS], *profile = NULL;
    GRN_TRY(GRN_NEW_RAW(profile, GRN_TSS_WINDOW));
    GRN_TRY(GRN_NEW(r->length, r->samples->n * GRN_LENGTHS));
    GRN_TRY(GRN_NEW(r->profile, r->samples->n * GRN_TSS_WINDOW));
    for (int i = 0; i < args->n; i++) {
        t->file = (uint16_t)(opt.in.rename.n ? i : 0);
        GRN_TRY(grn_tally_one(&opt.in, t, args, i));
        grn_tally_profiles(t, length, profile);
        for (size_t k = 0; k < GRN_LENGTHS; k++) r->length[t->file * (size_t)GRN_LENGTHS + k] += length[k];
        for (size_t k = 0; k < GRN_TSS_WINDOW; k++) r->profile[t->file * (size_t)GRN_TSS_WINDOW + k] += profile[k];
    }
    GRN_TRY(grn_tally_finish(t, grn_common.pool));
    GRN_TRY(grn_tally_check(t));
    if (t->pass.n_no_count)
        grn_log_warn("fragments: %" PRIu64 " lines have no column 5; each counts as one read pair, so duplicates cannot be told",
                     t->pass.n_no_count);
end:
    free(profile);
    return rc;
}

static grn_status cut_samples(const grn_qc_report_t *r, grn_qc_t *q, const grn_qc_limits_t *limits, grn_qc_cut_t *cut, size_t *n_pass)
{
    *n_pass = 0;
    for (size_t s = 0, at = 0; s < r->samples->n; s++) {
        size_t n = 0;
        while (at + n < r->n && q[at + n].sample == s) n++;
        const char *name = grn_names_get(r->samples, s);
        if (!n) return grn_err(GRN_EEMPTY, "%s: no barcode has %" PRIu64 " fragments", name, r->keep + (uint64_t)r->compat);
        grn_status rc = grn_qc_cut(q + at, n, name, limits, &cut[s]);
        if (rc) return rc;
        grn_log_info("%s: %zu barcodes; %zu have more than %.1f fragments in regions, %zu a TSS enrichment above %.3f, %zu a FRiP above "
                     "%.3g; %zu pass", name, n, cut[s].n_fragments, cut[s].fragments, cut[s].n_tss, cut[s].tss, cut[s].n_frip, cut[s].frip,
                     cut[s].n_pass);
        *n_pass += cut[s].n_pass;
        at += n;
    }
    return GRN_OK;
}

/* The passing barcodes in name order. */
static grn_status list_passing(const grn_qc_report_t *r, uint32_t **order, size_t *n)
{
    *n = 0;
    if (GRN_NEW_RAW(*order, r->n)) return GRN_ENOMEM;
    for (size_t i = 0; i < r->n; i++)
        if (r->q[i].passes) (*order)[(*n)++] = r->q[i].cell;
    grn_cells_by_name(r->cells, *order, *n);
    return GRN_OK;
}

static grn_status write_passing(const grn_names_t *cells, const uint32_t *order, size_t n)
{
    grn_status rc = GRN_OK;
    grn_out_t *o = NULL;
    GRN_TRY(grn_out_open(&o, opt.passing, 0));
    for (size_t i = 0; i < n; i++) GRN_TRY(grn_out_printf(o, "%s\n", grn_names_get(cells, order[i])));
    grn_out_t *done = o;
    o = NULL;
    GRN_TRY(grn_out_commit(done));
end:
    grn_out_abort(o);
    return rc;
}

static grn_status write_files(grn_tally_t *t, const grn_qc_report_t *r, size_t n_pass)
{
    grn_status rc = GRN_OK;
    uint32_t *order = NULL;
    size_t n;
    uint64_t nnz;
    GRN_TRY(grn_qc_write_table(r, opt.output));
    if (opt.multiqc) GRN_TRY(grn_qc_write_multiqc(r, opt.multiqc));
    if (opt.profile) GRN_TRY(grn_qc_write_profile(r, opt.profile, grn_common.pool));
    if (!n_pass) GRN_FAIL(GRN_EEMPTY, "none of %zu barcodes passes (see '%s')", r->n, opt.output);
    GRN_TRY(list_passing(r, &order, &n));
    if (opt.passing) GRN_TRY(write_passing(r->cells, order, n));
    if (opt.counts) {
        GRN_TRY(grn_tally_save(t, order, n, "fragment", opt.counts, grn_common.pool, &nnz));
        grn_log_info("written: %zu cells x %zu regions, %" PRIu64 " entries", n, t->regions->n, nnz);
    }
end:
    free(order);
    return rc;
}

static grn_status run(const grn_args_t *args)
{
    grn_status rc = GRN_OK;
    grn_regions_t regions = { 0 };
    grn_tss_t tss = { 0 };
    grn_tally_t t = { .regions = &regions, .no_counts = !opt.counts };
    grn_names_t samples = { 0 };
    grn_str_t source = { 0 };
    grn_qc_limits_t limits = { NAN, NAN, opt.min_frip, opt.max_nucleosome };
    grn_qc_report_t r = { .samples = &samples, .keep = (uint64_t)opt.keep, .compat = opt.compat };
    grn_qc_t *q = NULL;
    grn_qc_cut_t *cut = NULL;
    size_t n_pass;
    if (!opt.regions) GRN_FAIL(GRN_EUSAGE, "give the regions with --regions BED");
    if (!opt.genes) GRN_FAIL(GRN_EUSAGE, "give the transcription start sites with --genes FILE");
    GRN_TRY(parse_limit("--min-fragments", opt.min_fragments, &limits.fragments));
    GRN_TRY(parse_limit("--min-tss", opt.min_tss, &limits.tss));
    GRN_TRY(name_samples(args, &samples));
    GRN_TRY(grn_tally_load_regions(opt.regions, &regions));
    GRN_TRY(load_tss(&t, &tss, &source));
    GRN_TRY(grn_tally_begin(&opt.in, &t, args));
    GRN_TRY(read_files(&t, args, &r));
    GRN_TRY(grn_qc_collect(&t, r.keep, r.compat, &q, &r.n));
    GRN_TRY(GRN_NEW(cut, samples.n));
    GRN_TRY(cut_samples(&r, q, &limits, cut, &n_pass));
    r.cells = &t.pass.cells;
    r.q = q;
    r.cut = cut;
    r.tss_source = source.s;
    GRN_TRY(write_files(&t, &r, n_pass));
end:
    free(q);
    free(cut);
    free(r.length);
    free(r.profile);
    grn_tally_clear(&t);
    grn_tss_clear(&tss);
    grn_regions_clear(&regions);
    grn_names_clear(&samples);
    grn_str_clear(&source);
    return rc;
}

const grn_subtool_t grn_build_qc = {
    .tool = { .name = "grn-build qc",
              .brief = "quality of every barcode, those that pass, and their counts",
              .usage = "[options] -r REGIONS.bed -g GENES.gtf FRAGMENTS.tsv.gz...",
              .opt = table,
              .min_args = 1,
              .max_args = 65535,
              .examples = "  grn-build qc -r peaks.bed -g genes.gtf.gz fragments.tsv.gz -o qc.tsv -p passing.txt -c atac.tensor.zst\n"
                          "  grn-plot qc -o qc.svg profile.tensor.zst   # after --profile profile.tensor.zst\n" },
    .run = run,
};
