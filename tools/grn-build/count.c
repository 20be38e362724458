/* grn-build count: fragments x regions -> cells x regions. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "build.h"
#include "io/chrom.h"
#include "io/prov.h"
#include "io/tflist.h"
#include "tally.h"

static struct {
    const char *regions, *barcodes, *unit, *suffix, *output, *region;
    grn_opt_list_t rename;
    int64_t min_fragments;
} opt = { .unit = "fragment", .suffix = "keep", .output = "-", .min_fragments = 1 };

static const grn_opt_t table[] = {
    GRN_OPT_HEAD("Input"),
    GRN_OPT_STR('r', "regions", "BED", &opt.regions, "regions to count in: BED3 or more, narrowPeak; required"),
    GRN_OPT_STR('b', "barcodes", "FILE", &opt.barcodes, "cells to count, one a line [all barcodes found]"),
    GRN_OPT_ENUM(0, "barcode-suffix", "keep|strip", &opt.suffix, "strip: drop \"-1\" at the end of barcodes, on both sides"),
    GRN_OPT_LIST(0, "rename", "TEMPLATE", &opt.rename, "cell name made of a barcode, e.g. 'sample1_{}'; once per FRAGMENTS"),
    GRN_OPT_STR(0, "region", "CHR[:A-B]", &opt.region, "only fragments of this part of the genome, counted from 1; needs the .tbi"),
    GRN_OPT_HEAD("Counting"),
    GRN_OPT_ENUM('u', "unit", "fragment|cutsite", &opt.unit, "a fragment counts once per region; or each of its two ends does"),
    GRN_OPT_INT(0, "min-fragments", "INT", &opt.min_fragments, 1, 1000000000, "without --barcodes: drop barcodes with fewer fragments"),
    GRN_OPT_HEAD("Output"),
    GRN_OPT_STR('o', "output", "FILE", &opt.output, "cells x regions, grn.matrix/1"),
    GRN_OPT_END,
};

/* "sample1_{}" -> prefix, suffix. */
static grn_status split_template(const char *s, grn_str_t *prefix, const char **suffix)
{
    const char *hole = strstr(s, "{}");
    if (!hole || strstr(hole + 2, "{}"))
        return grn_err(GRN_EUSAGE, "--rename '%s' needs exactly one {} where the barcode goes", s);
    prefix->n = 0;
    *suffix = hole + 2;
    return grn_str_add(prefix, s, (size_t)(hole - s));
}

static grn_status load_barcodes(grn_tally_t *t)
{
    grn_status rc = GRN_OK;
    grn_names_t raw = { 0 };
    uint64_t n_dup = 0, n_same = 0;
    int is_new;
    if (!opt.barcodes) return GRN_OK;
    GRN_TRY(grn_prov_input(opt.barcodes, NULL));
    GRN_TRY(grn_tflist_load(opt.barcodes, &raw, &n_dup));
    for (size_t i = 0; i < raw.n; i++) {
        const char *s = grn_names_get(&raw, i);
        size_t n = t->pass.strip_suffix ? grn_barcode_bare(s, strlen(s)) : strlen(s);
        GRN_TRY(grn_names_add_n(&t->pass.cells, s, n, NULL, &is_new));
        n_same += !is_new;
    }
    if (n_same)
        GRN_FAIL(GRN_EFORMAT, "'%s': %" PRIu64 " barcodes are the same without their suffix; several samples need --rename instead",
                 opt.barcodes, n_same);
    if (!t->pass.cells.n) GRN_FAIL(GRN_EEMPTY, "'%s' lists no barcode", opt.barcodes);
    t->pass.listed_only = 1;
    grn_log_info("barcodes: %zu listed in '%s'%s", t->pass.cells.n, opt.barcodes, n_dup ? " (some twice)" : "");
end:
    grn_names_clear(&raw);
    return rc;
}

static grn_status load_regions(grn_regions_t *r)
{
    grn_status rc = GRN_OK;
    GRN_TRY(grn_prov_input(opt.regions, NULL));
    GRN_TRY(grn_regions_load(opt.regions, r));
    if (!r->n) GRN_FAIL(GRN_EEMPTY, "'%s' holds no region", opt.regions);
    grn_log_info("regions: %zu on %zu chromosomes%s", r->n, r->chroms.n, r->n_duplicate ? "" : ", all distinct");
    if (r->n_duplicate) grn_log_warn("regions: %" PRIu64 " rows repeat an interval and are left out", r->n_duplicate);
end:
    return rc;
}

static grn_status count_files(grn_tally_t *t, const grn_args_t *args)
{
    grn_status rc = GRN_OK;
    grn_str_t prefix = { 0 };
    const char *suffix = "";
    if (opt.rename.n && opt.rename.n != (size_t)args->n)
        GRN_FAIL(GRN_EUSAGE, "--rename is given %zu times for %d fragment files", opt.rename.n, args->n);
    for (int i = 0; i < args->n; i++) {
        if (opt.rename.n) GRN_TRY(split_template(opt.rename.v[i], &prefix, &suffix));
        GRN_TRY(grn_prov_input(args->v[i], NULL));
        grn_progress_begin(0, "bytes of fragments");
        rc = grn_tally_file(t, args->v[i], prefix.s ? prefix.s : "", suffix, grn_common.pool);
        grn_progress_end();
        if (rc) goto end;
    }
    GRN_TRY(grn_tally_finish(t, grn_common.pool));
end:
    grn_str_clear(&prefix);
    return rc;
}

/* No listed barcode was found: shows both sides and, where it would have helped, the option. */
static grn_status no_match(const grn_tally_t *t)
{
    char a[512], b[512];
    size_t n_bare = 0;
    grn_names_t bare = { 0 };
    grn_status rc = GRN_OK;
    for (size_t i = 0; i < t->pass.cells.n && !rc; i++) {
        const char *s = grn_names_get(&t->pass.cells, i);
        rc = grn_names_add_n(&bare, s, grn_barcode_bare(s, strlen(s)), NULL, NULL);
    }
    for (size_t i = 0; i < t->pass.unlisted.n; i++) {
        const char *s = grn_names_get(&t->pass.unlisted, i);
        n_bare += grn_names_find_n(&bare, s, grn_barcode_bare(s, strlen(s))) != GRN_NAMES_NONE;
    }
    grn_names_clear(&bare);
    return grn_err(GRN_EEMPTY, "0 of %zu listed barcodes are in the fragments; listed: %s; fragments: %s%s", t->pass.cells.n,
                   grn_names_show(&t->pass.cells, 3, a, sizeof a), grn_names_show(&t->pass.unlisted, 3, b, sizeof b),
                   n_bare ? " (without their -1 suffix they match: give --barcode-suffix strip)" : "");
}

static grn_status check(const grn_tally_t *t)
{
    char a[512], b[512];
    if (t->pass.renamed_chroms.n)
        grn_log_warn("chromosomes: %zu spelled differently in fragments and regions were taken for the same: %s", t->pass.renamed_chroms.n,
                     grn_names_show(&t->pass.renamed_chroms, 5, a, sizeof a));
    if (t->pass.lost_chroms.n)
        grn_log_info("chromosomes: %" PRIu64 " fragments lie on %zu without regions: %s", t->pass.n_no_chrom, t->pass.lost_chroms.n,
                     grn_names_show(&t->pass.lost_chroms, 5, a, sizeof a));
    grn_log_info("fragments: %" PRIu64 " read, %" PRIu64 " of the cells asked for, %" PRIu64 " of those in a region (%.1f%%)",
                 t->pass.n_lines, t->n_listed, t->n_in, t->n_listed ? 100.0 * (double)t->n_in / (double)t->n_listed : 0.0);
    if (!t->pass.n_lines) return grn_err(GRN_EEMPTY, "the fragment files hold no fragment");
    if (!t->n_listed) return no_match(t);
    if (!t->n_in && t->pass.n_no_chrom == t->pass.n_lines)
        return grn_err(GRN_EEMPTY, "no fragment is on a chromosome of the regions; fragments: %s; regions: %s",
                       grn_names_show(&t->pass.lost_chroms, 3, a, sizeof a), grn_names_show(&t->regions->chroms, 3, b, sizeof b));
    if (!t->n_in) return grn_err(GRN_EEMPTY, "no fragment of a cell overlaps a region (different genome builds?)");
    return GRN_OK;
}

static int64_t n_fragments(grn_tally_t *t, size_t cell)
{
    const grn_tally_cell_t *c = grn_tally_at(t, (uint32_t)cell);
    return c ? c->n_fragments : 0;
}

/* Cells to write: as listed; else by name, those with enough fragments. */
static grn_status choose_cells(grn_tally_t *t, uint32_t **order, size_t *n)
{
    grn_status rc = GRN_OK;
    size_t m = 0, n_silent = 0;
    GRN_TRY(GRN_NEW_RAW(*order, t->pass.cells.n));
    if (t->pass.listed_only) {
        for (size_t i = 0; i < t->pass.cells.n; i++) {
            (*order)[m++] = (uint32_t)i;
            n_silent += !n_fragments(t, i);
        }
        grn_log_info("cells: %zu listed, %zu found, %zu without any fragment (kept, empty)", m, m - n_silent, n_silent);
    } else {
        for (size_t i = 0; i < t->pass.cells.n; i++)
            if (n_fragments(t, i) >= opt.min_fragments) (*order)[m++] = (uint32_t)i;
        grn_cells_by_name(&t->pass.cells, *order, m);
        grn_log_info("cells: %zu barcodes, %zu with at least %" PRId64 " fragments", t->pass.cells.n, m, opt.min_fragments);
        if (!m) GRN_FAIL(GRN_EEMPTY, "none of %zu barcodes has %" PRId64 " fragments", t->pass.cells.n, opt.min_fragments);
    }
    *n = m;
end:
    return rc;
}

static grn_status run(const grn_args_t *args)
{
    grn_status rc = GRN_OK;
    grn_regions_t regions = { 0 };
    grn_tally_t tally = { .regions = &regions };
    uint32_t *order = NULL;
    size_t n = 0;
    uint64_t nnz = 0;
    if (!opt.regions) GRN_FAIL(GRN_EUSAGE, "give the regions with --regions BED");
    tally.cutsites = !strcmp(opt.unit, "cutsite");
    tally.pass.region = opt.region;
    tally.pass.strip_suffix = !strcmp(opt.suffix, "strip");
    GRN_TRY(load_regions(&regions));
    GRN_TRY(load_barcodes(&tally));
    GRN_TRY(grn_tally_init(&tally, grn_common.pool));
    GRN_TRY(count_files(&tally, args));
    GRN_TRY(check(&tally));
    GRN_TRY(choose_cells(&tally, &order, &n));
    GRN_TRY(grn_tally_save(&tally, order, n, opt.unit, opt.output, grn_common.pool, &nnz));
    grn_log_info("written: %zu cells x %zu regions, %" PRIu64 " entries (%.2f%%)", n, regions.n, nnz,
                 100.0 * (double)nnz / ((double)n * (double)regions.n));
end:
    free(order);
    grn_tally_clear(&tally);
    grn_regions_clear(&regions);
    return rc;
}

const grn_subtool_t grn_build_count = {
    .tool = { .name = "grn-build count",
              .brief = "count fragments in regions: cells x regions",
              .usage = "[options] -r REGIONS.bed FRAGMENTS.tsv.gz...",
              .opt = table,
              .min_args = 1,
              .max_args = -1,
              .examples = "  grn-build count -r peaks.bed -b barcodes.tsv fragments.tsv.gz -o atac.tensor.zst\n"
                          "  grn-build count -r peaks.bed --rename 'A_{}' a.tsv.gz --rename 'B_{}' b.tsv.gz -o atac.tensor.zst\n" },
    .run = run,
};
