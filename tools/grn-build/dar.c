/* grn-build dar: differential accessible regions between labels. */
#include "dar.h"

#include <math.h>

#include "base/log.h"
#include "build.h"

#define LOG2_OF_1_5 0.58496250072115619

static struct {
    grn_dar_opt_t dar;
    grn_counts_cli_t input;
    const char *group, *test, *variable, *prefilter;
    int64_t min_group, min_sample, min_cells, top_markers;
} opt = { .dar = { .output = "-", .min_log2fc = LOG2_OF_1_5, .max_adj_p = 0.05, .min_count = 3 },
          .input = GRN_COUNTS_CLI_INIT,
          .test = "auto",
          .variable = "off",
          .prefilter = "on",
          .min_group = 10,
          .min_sample = 10,
          .min_cells = 3,
          .top_markers = 100 };

static const grn_opt_t table[] = {
    GRN_OPT_HEAD("Output"),
    GRN_OPT_STR('o', "output", "FILE", &opt.dar.output, "table of the regions that pass"),
    GRN_OPT_FLAG('a', "all", &opt.dar.all, "write every region that was tested"),
    GRN_OPT_STR('b', "bed", "DIR", &opt.dar.bed, "and a BED file per contrast"),
    GRN_OPT_STR('m', "markers", "FILE", &opt.dar.markers, "and the most specific regions of each label"),
    GRN_OPT_INT(0, "top-markers", "INT", &opt.top_markers, 1, 1000000000, "marker regions per label"),
    GRN_OPT_HEAD("Contrasts"),
    GRN_OPT_LIST('c', "contrast", "A,B", &opt.dar.contrast, "label A against B, or A,rest; again for more [every label,rest]"),
    GRN_OPT_STR('g', "group", "COLUMN", &opt.group, "labels to compare [the cell type]"),
    GRN_OPT_INT(0, "min-group", "INT", &opt.min_group, 2, 1000000000, "cells needed on each side"),
    GRN_OPT_HEAD("Test"),
    GRN_OPT_ENUM('t', "test", "auto|wilcoxon|pseudobulk", &opt.test, "rank sums of cells; moderated t of donors; the latter if it can"),
    GRN_OPT_FLT(0, "min-log2fc", "FLOAT", &opt.dar.min_log2fc, -100, 100, "log2 fold change that passes"),
    GRN_OPT_FLT(0, "max-adj-p", "FLOAT", &opt.dar.max_adj_p, 0, 1, "adjusted p that passes"),
    GRN_OPT_INT(0, "min-cells", "INT", &opt.min_cells, 1, 1000000000, "counts: leave out regions seen in fewer cells"),
    GRN_OPT_INT(0, "min-sample", "INT", &opt.min_sample, 1, 1000000000, "pseudobulk: cells a sample needs"),
    GRN_OPT_FLT(0, "min-count", "FLOAT", &opt.dar.min_count, 0, 1e9, "pseudobulk: counts a region needs, in samples of the smaller side"),
    GRN_OPT_ENUM(0, "highly-variable", "on|off", &opt.variable, "on: test only highly variable regions"),
    GRN_OPT_ENUM(0, "prefilter", "on|off", &opt.prefilter, "off: rank also regions whose fold change fails (same output)"),
    GRN_OPT_FLAG(0, "compat", &opt.dar.compat, "as pycisTopic: truncated values, no ties, highly variable regions"),
    GRN_OPT_HEAD("Input"),
    GRN_COUNTS_OPTIONS(opt.input),
    GRN_OPT_END,
};

static grn_status check_options(void)
{
    if (opt.group && opt.input.cell_type) return grn_err(GRN_EUSAGE, "give one of --group and --cell-type, not both");
    if (opt.dar.compat && opt.test[0] == 'p') return grn_err(GRN_EUSAGE, "--compat is for rank sums: drop --test pseudobulk");
    if (opt.dar.markers && opt.dar.contrast.n)
        return grn_err(GRN_EUSAGE, "--markers needs every label against the rest: drop --contrast");
    return GRN_OK;
}

static grn_status fill_options(const char *path)
{
    grn_dar_opt_t *o = &opt.dar;
    grn_status rc = grn_counts_cli(&opt.input, &o->counts);
    o->accessibility = path;
    o->cells_tsv = opt.input.cells_tsv;
    o->group = opt.group ? opt.group : opt.input.cell_type;
    o->donor = opt.input.donor;
    o->counts.cell_type = o->group;
    o->test = opt.test[0] == 'p' ? GRN_DAR_PSEUDOBULK : opt.test[0] == 'w' || o->compat ? GRN_DAR_WILCOXON : GRN_DAR_AUTO;
    o->variable = opt.variable[1] == 'n' || o->compat;
    o->prefilter = opt.prefilter[1] == 'n';
    o->min_group = (size_t)opt.min_group;
    o->min_sample = (size_t)opt.min_sample;
    o->min_cells = (size_t)opt.min_cells;
    o->top_markers = (size_t)opt.top_markers;
    o->budget = grn_common.max_mem ? grn_common.max_mem / 2 : (uint64_t)2 << 30;
    return rc;
}

static grn_status run(const grn_args_t *args)
{
    grn_status rc = GRN_OK;
    grn_dar_t d = { 0 };
    grn_dar_contrasts_t contrasts = { 0 };
    size_t n_pass = 0;
    GRN_TRY(check_options());
    GRN_TRY(fill_options(args->v[0]));
    GRN_TRY(grn_dar_open(&d, &opt.dar, grn_common.pool));
    GRN_TRY(grn_dar_contrasts(&d, &contrasts));
    GRN_TRY(grn_dar_run(&d, &contrasts));
    GRN_TRY(grn_dar_write(&d, &contrasts));
    for (size_t k = 0; k < contrasts.n; k++) n_pass += contrasts.v[k].n_pass;
    if (!n_pass)
        GRN_FAIL(GRN_EEMPTY, "no region passes log2 fold change >= %.4g and adjusted p <= %g in any of %zu contrasts",
                 opt.dar.min_log2fc, opt.dar.max_adj_p, contrasts.n);
end:
    grn_dar_contrasts_clear(&contrasts);
    grn_dar_close(&d);
    return rc;
}

const grn_subtool_t grn_build_dar = {
    { "grn-build dar", "differential accessible regions between cell types or other labels", "[options] ACCESSIBILITY", table, 1, 1,
      "  grn-build dar topics.tensor.zst -o dar.tsv -b dar_bed -m markers.tsv\n"
      "  grn-build dar --cells cells.tsv -g time -c 3h,0h atac.tensor.zst -o dar.tsv\n" },
    run,
};
