/* grn-build count: fragments x regions -> cells x regions. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "build.h"
#include "tally_input.h"

static struct {
    const char *regions, *unit, *output;
    grn_tally_input_t in;
    int64_t min_fragments;
} opt = { .unit = "fragment", .in = GRN_TALLY_INPUT_INIT, .output = "-", .min_fragments = 1 };

static const grn_opt_t table[] = {
    GRN_OPT_HEAD("Input"),
    GRN_OPT_STR('r', "regions", "BED", &opt.regions, "regions to count in: BED3 or more, narrowPeak; required"),
    GRN_TALLY_OPTIONS(opt.in),
    GRN_OPT_HEAD("Counting"),
    GRN_OPT_ENUM('u', "unit", "fragment|cutsite", &opt.unit, "a fragment counts once per region; or each of its two ends does"),
    GRN_OPT_INT(0, "min-fragments", "INT", &opt.min_fragments, 1, 1000000000, "without --barcodes: drop barcodes with fewer fragments"),
    GRN_OPT_HEAD("Output"),
    GRN_OPT_STR('o', "output", "FILE", &opt.output, "cells x regions, grn.matrix/1"),
    GRN_OPT_END,
};

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
    GRN_TRY(grn_tally_load_regions(opt.regions, &regions));
    GRN_TRY(grn_tally_begin(&opt.in, &tally, args));
    for (int i = 0; i < args->n; i++) GRN_TRY(grn_tally_one(&opt.in, &tally, args, i));
    GRN_TRY(grn_tally_finish(&tally, grn_common.pool));
    GRN_TRY(grn_tally_check(&tally));
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
