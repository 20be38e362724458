/* grn-build peaks: fragments -> peaks of each cell type and their consensus. */
#include "peaks.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/mem.h"
#include "build.h"
#include "io/chrom.h"
#include "io/labels.h"
#include "io/prov.h"
#include "io/text.h"
#include "outdir.h"
#include "tally_input.h"

static struct {
    grn_tally_input_t in;
    const char *cells, *cell_type, *genome_size, *chrom_sizes, *blacklist, *summits, *output, *narrow, *bedgraph;
    grn_peak_opt_t peak;
    int64_t max_gap, min_length, half_width, min_fragments;
    double min_match;
    int by_count, raw_coverage, compat;
} opt = { .in = GRN_TALLY_INPUT_INIT,
          .genome_size = "hs",
          .summits = "on",
          .output = "-",
          .peak = { .max_q = 0.05 },
          .half_width = 250,
          .min_fragments = 1,
          .min_match = 0.5 };

static const grn_opt_t table[] = {
    GRN_OPT_HEAD("Output"),
    GRN_OPT_STR('o', "output", "FILE", &opt.output, "consensus regions, BED"),
    GRN_OPT_STR('n', "narrowpeak", "DIR", &opt.narrow, "and the peaks of each cell type: DIR/TYPE.narrowPeak"),
    GRN_OPT_STR(0, "bedgraph", "DIR", &opt.bedgraph, "and coverage per million fragments: DIR/TYPE.bedGraph"),
    GRN_OPT_FLAG(0, "raw-coverage", &opt.raw_coverage, "coverage in fragments"),
    GRN_OPT_HEAD("Cells"),
    GRN_OPT_STR(0, "cells", "TSV", &opt.cells, "cell labels: first column the barcode [all fragments are one type]"),
    GRN_OPT_STR(0, "cell-type", "COLUMN", &opt.cell_type, "column of the cell type [the usual names]"),
    GRN_OPT_FLT(0, "min-match", "FLOAT", &opt.min_match, 0, 1, "least share of the listed cells that must have fragments"),
    GRN_OPT_INT(0, "min-fragments", "INT", &opt.min_fragments, 1, 1000000000000, "cell types with fewer fragments are left out"),
    GRN_TALLY_OPTIONS(opt.in),
    GRN_OPT_HEAD("Peaks"),
    GRN_OPT_STR('G', "gsize", "hs|mm|ce|dm|NUM", &opt.genome_size, "base pairs of the genome that fragments can come from"),
    GRN_OPT_FLT(0, "qvalue", "FLOAT", &opt.peak.max_q, 1e-300, 1, "false discovery rate over base pairs"),
    GRN_OPT_FLAG('l', "local", &opt.peak.local, "background from 10,000 bp around, where that is higher (MACS's default)"),
    GRN_OPT_FLAG(0, "by-count", &opt.by_count, "a fragment counts as often as column 5 says (MACS3's FRAG)"),
    GRN_OPT_ENUM(0, "summits", "on|off", &opt.summits, "on: several summits in a peak, as --call-summits of MACS"),
    GRN_OPT_INT(0, "max-gap", "BP", &opt.max_gap, 0, 1000000, "join peaks this close; 0: the mean length of the fragments"),
    GRN_OPT_INT(0, "min-length", "BP", &opt.min_length, 0, 1000000, "leave out shorter peaks; 0: the mean length"),
    GRN_OPT_HEAD("Consensus"),
    GRN_OPT_STR(0, "chrom-sizes", "FILE", &opt.chrom_sizes, "chromosome and size; peaks elsewhere and over the end are left out"),
    GRN_OPT_STR(0, "blacklist", "BED", &opt.blacklist, "regions that no peak may touch"),
    GRN_OPT_INT(0, "half-width", "BP", &opt.half_width, 1, 1000000, "half of the width of a region"),
    GRN_OPT_FLAG(0, "compat", &opt.compat, "MACS2's genome sizes; pycisTopic's rule for two regions that touch"),
    GRN_OPT_END,
};

static grn_status parse_genome_size(const char *s, double *v)
{
    static const struct {
        const char *name;
        double macs3, macs2;
    } known[] = { { "hs", 2913022398, 2.7e9 }, { "mm", 2652783500, 1.87e9 }, { "ce", 100286401, 9e7 }, { "dm", 142573017, 1.2e8 } };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!strcmp(s, known[i].name)) {
            *v = opt.compat ? known[i].macs2 : known[i].macs3;
            return GRN_OK;
        }
    if (grn_parse_f64(s, v) || *v < 1)
        return grn_err(GRN_EUSAGE, "--gsize '%s': hs, mm, ce, dm or a number of base pairs is expected", s);
    return GRN_OK;
}

/* ---- cells and types ---- */

/* Labels give the cells, their types and what is listed; without them everything is of type "all". */
static grn_status load_types(grn_pseudobulk_t *p, grn_names_t *types, int32_t **type)
{
    grn_status rc = GRN_OK;
    grn_labels_t l = { 0 };
    size_t cap = 0, n_typed = 0;
    if (!opt.cells) {
        GRN_TRY(grn_tally_barcodes(&opt.in, &p->pass));
        GRN_TRY(grn_names_add(types, "all", NULL, NULL));
        p->n_types = 1;
        return GRN_OK;
    }
    if (opt.in.barcodes) GRN_FAIL(GRN_EUSAGE, "give one of --cells and --barcodes, not both");
    GRN_TRY(grn_prov_input(opt.cells, NULL));
    GRN_TRY(grn_labels_load(opt.cells, opt.cell_type, NULL, &l));
    for (size_t i = 0; i < l.cells.n; i++) {
        const char *s = grn_names_get(&l.cells, i);
        size_t idx;
        int is_new;
        if (l.type[i] < 0) continue;
        GRN_TRY(grn_names_add_n(&p->pass.cells, s, p->pass.strip_suffix ? grn_barcode_bare(s, strlen(s)) : strlen(s), &idx, &is_new));
        if (!is_new)
            GRN_FAIL(GRN_EFORMAT, "'%s': '%s' is there twice without its suffix; several samples need --rename instead", opt.cells, s);
        GRN_TRY(GRN_GROW(*type, cap, idx + 1));
        (*type)[idx] = l.type[i];
        n_typed++;
    }
    if (!n_typed) GRN_FAIL(GRN_EEMPTY, "no cell of '%s' has a type", opt.cells);
    grn_log_info("cells: %zu of %zu types in '%s'; %zu without a type are left out", n_typed, l.types.n, opt.cells,
                 l.cells.n - n_typed);
    GRN_TRY(grn_names_dup(types, &l.types));
    p->pass.listed_only = 1;
    p->type = *type;
    p->n_types = l.types.n;
end:
    grn_labels_clear(&l);
    return rc;
}

static grn_status read_files(grn_pseudobulk_t *p, const grn_args_t *args)
{
    grn_status rc = GRN_OK;
    grn_str_t prefix = { 0 };
    const char *suffix;
    GRN_TRY(grn_pseudobulk_init(p, grn_common.pool));
    for (int i = 0; i < args->n; i++) {
        prefix.n = 0;
        GRN_TRY(grn_tally_naming(&opt.in, args->n, i, &prefix, &suffix));
        GRN_TRY(grn_prov_input(args->v[i], NULL));
        grn_progress_begin(0, "bytes of fragments");
        rc = grn_pseudobulk_file(p, args->v[i], prefix.n ? prefix.s : "", suffix, grn_common.pool);
        grn_progress_end();
        if (rc) goto end;
    }
    GRN_TRY(grn_pseudobulk_finish(p, grn_common.pool));
end:
    grn_str_clear(&prefix);
    return rc;
}

static grn_status check_cells(const grn_pseudobulk_t *p)
{
    const grn_fragpass_t *f = &p->pass;
    char names[512];
    grn_log_info("fragments: %" PRIu64 " read, %" PRIu64 " of the cells asked for, on %zu chromosomes", f->n_lines, f->n_fragments,
                 f->chroms.n);
    if (!f->n_lines) return grn_err(GRN_EEMPTY, "the fragment files hold no fragment");
    if (!f->listed_only) return GRN_OK;
    if (!p->n_cells_seen) return grn_tally_no_match(f);
    grn_log_info("cells: %zu of %zu listed have fragments (%.1f%%)", p->n_cells_seen, f->cells.n,
                 100.0 * (double)p->n_cells_seen / (double)f->cells.n);
    if ((double)p->n_cells_seen < opt.min_match * (double)f->cells.n)
        return grn_err(GRN_EFORMAT, "only %zu of %zu listed cells have fragments, less than --min-match %g; other barcodes are: %s",
                       p->n_cells_seen, f->cells.n, opt.min_match, grn_names_show(&f->unlisted, 3, names, sizeof names));
    return GRN_OK;
}

/* ---- chromosomes ---- */

typedef struct {
    uint64_t *size; /* (chroms by rank); NULL: not given */
    grn_regions_t black;
    uint32_t *black_chrom; /* (chroms by rank) */
} genome_t;

static void genome_clear(genome_t *g)
{
    free(g->size);
    free(g->black_chrom);
    grn_regions_clear(&g->black);
}

/* "chr1 <tab> 248956422" a line. A chromosome that is not listed gets size 1: no region fits. */
static grn_status load_sizes(const grn_peak_names_t *n, uint64_t *size)
{
    grn_status rc = GRN_OK;
    grn_text_t *t = NULL;
    grn_names_t names = { 0 };
    uint64_t *v = NULL;
    size_t cap = 0, len, n_lost = 0, idx;
    char *line, *field[3];
    int got;
    GRN_TRY(grn_prov_input(opt.chrom_sizes, NULL));
    GRN_TRY(grn_text_open(&t, opt.chrom_sizes));
    while ((got = grn_text_next(t, &line, &len)) > 0) {
        int64_t x;
        if (!len || line[0] == '#') continue;
        if (grn_split(line, '\t', field, 3) < 2 || grn_parse_i64(field[1], &x) || x < 1)
            GRN_TRY(grn_text_fail(t, GRN_EFORMAT, "a chromosome, a tab and its size are expected"));
        GRN_TRY(grn_names_add(&names, field[0], &idx, NULL));
        GRN_TRY(GRN_GROW(v, cap, idx + 1));
        v[idx] = (uint64_t)x;
    }
    if (got < 0) GRN_TRY((grn_status)got);
    for (size_t k = 0; k < n->n_chroms; k++) {
        idx = grn_chrom_find(&names, grn_names_get(n->chroms, n->chrom_order[k]), NULL);
        size[k] = idx == GRN_NAMES_NONE ? 1 : v[idx];
        n_lost += idx == GRN_NAMES_NONE;
    }
    if (n_lost == n->n_chroms) GRN_FAIL(GRN_EEMPTY, "no chromosome of the fragments is in '%s'", opt.chrom_sizes);
    if (n_lost) grn_log_info("chromosomes: %zu are not in '%s'; their peaks do not join the consensus", n_lost, opt.chrom_sizes);
end:
    free(v);
    grn_names_clear(&names);
    grn_text_close(t);
    return rc;
}

static grn_status load_genome(const grn_peak_names_t *n, genome_t *g)
{
    grn_status rc = GRN_OK;
    if (opt.chrom_sizes) {
        GRN_TRY(GRN_NEW(g->size, n->n_chroms));
        GRN_TRY(load_sizes(n, g->size));
    } else grn_log_info("no --chrom-sizes: regions may reach over the end of a chromosome");
    if (opt.blacklist) {
        GRN_TRY(grn_prov_input(opt.blacklist, NULL));
        GRN_TRY(grn_regions_load(opt.blacklist, &g->black));
        GRN_TRY(GRN_NEW(g->black_chrom, n->n_chroms));
        size_t n_found = 0;
        for (size_t k = 0; k < n->n_chroms; k++) {
            size_t i = grn_chrom_find(&g->black.chroms, grn_names_get(n->chroms, n->chrom_order[k]), NULL);
            g->black_chrom[k] = i == GRN_NAMES_NONE ? UINT32_MAX : (uint32_t)i;
            n_found += i != GRN_NAMES_NONE;
        }
        if (!n_found) grn_log_warn("blacklist: none of its chromosomes is in the fragments");
    }
end:
    return rc;
}

/* ---- peaks ---- */

/* Summits of one type into the consensus, by MACS's score of a peak (10 x q-score, whole). */
static grn_status add_summits(const grn_peaks_t *p, uint32_t type, const grn_consensus_opt_t *o, grn_consensus_t *c)
{
    grn_status rc = GRN_OK;
    uint32_t *chrom = NULL, *summit = NULL;
    double *score = NULL;
    GRN_TRY(GRN_NEW(chrom, p->n));
    GRN_TRY(GRN_NEW(summit, p->n));
    GRN_TRY(GRN_NEW(score, p->n));
    for (size_t i = 0; i < p->n; i++) {
        chrom[i] = p->v[i].chrom;
        summit[i] = p->v[i].summit;
        score[i] = (double)(int64_t)(10 * (double)p->v[i].q);
    }
    GRN_TRY(grn_consensus_add(c, o, type, chrom, summit, score, p->n));
end:
    free(chrom);
    free(summit);
    free(score);
    return rc;
}

/* Peaks of one type: called, written, and into the consensus. */
static grn_status one_type(const grn_peak_names_t *n, const grn_track_t *track, uint32_t type, const char *file,
                           const grn_consensus_opt_t *o, grn_consensus_t *c)
{
    grn_status rc = GRN_OK;
    grn_peaks_t p = { 0 };
    uint64_t n_fragments = 0;
    const char *name = grn_names_get(n->types, type);
    for (size_t k = 0; k < n->n_chroms; k++) n_fragments += track[k].n;
    if (n_fragments < (uint64_t)opt.min_fragments) {
        grn_log_warn("%s: %" PRIu64 " fragments, fewer than --min-fragments %" PRId64 ": left out", name, n_fragments,
                     opt.min_fragments);
        return GRN_OK;
    }
    const clock_t from = clock();
    GRN_TRY(grn_peaks_call(track, n->n_chroms, &opt.peak, grn_common.pool, &p));
    grn_log_debug("%s: called in %.3f s of CPU", name, (double)(clock() - from) / CLOCKS_PER_SEC);
    grn_log_info("%s: %" PRIu64 " fragments of %u bp on average, background %.4g, %zu %s", name, p.n_fragments, p.mean_length, p.lambda,
                 p.n, opt.peak.summits ? "summits" : "peaks");
    if (!p.n) grn_log_warn("%s: no peak passes q = %g", name, opt.peak.max_q);
    if (opt.narrow) GRN_TRY(grn_peaks_write_narrow(n, file, type, &p, opt.narrow));
    if (opt.bedgraph) GRN_TRY(grn_peaks_write_bedgraph(n, file, track, opt.raw_coverage ? 1 : 1e6 / (double)n_fragments, opt.bedgraph));
    GRN_TRY(add_summits(&p, type, o, c));
end:
    grn_peaks_clear(&p);
    return rc;
}

static grn_status all_types(const grn_pseudobulk_t *p, const grn_peak_names_t *n, const genome_t *g)
{
    grn_status rc = GRN_OK;
    grn_consensus_t c = { 0 };
    grn_names_t taken = { 0 };
    grn_str_t file = { 0 };
    grn_consensus_opt_t o = { g->size, opt.blacklist ? &g->black : NULL, g->black_chrom, (uint32_t)opt.half_width, opt.compat };
    if (opt.narrow) GRN_TRY(grn_outdir_make(opt.narrow));
    if (opt.bedgraph) GRN_TRY(grn_outdir_make(opt.bedgraph));
    for (uint32_t t = 0; t < n->types->n; t++) {
        GRN_TRY(grn_outdir_name(grn_names_get(n->types, t), &taken, &file));
        GRN_TRY(one_type(n, p->track + t * n->n_chroms, t, file.s, &o, &c));
    }
    const size_t n_all = c.n;
    GRN_TRY(grn_consensus_finish(&c, &o));
    grn_log_info("consensus: %zu regions of %" PRId64 " bp; of the summits %" PRIu64 " were over an end of a chromosome, %" PRIu64
                 " on the blacklist, %zu gave way to a better one of another type",
                 c.n, 2 * opt.half_width, c.n_outside, c.n_black, n_all - c.n);
    GRN_TRY(grn_peaks_write_consensus(n, &c, opt.output));
    if (!c.n) GRN_FAIL(GRN_EEMPTY, "no cell type has a peak at q = %g", opt.peak.max_q);
end:
    grn_consensus_clear(&c);
    grn_names_clear(&taken);
    grn_str_clear(&file);
    return rc;
}

static grn_status run(const grn_args_t *args)
{
    grn_status rc = GRN_OK;
    grn_pseudobulk_t p = { 0 };
    grn_names_t types = { 0 };
    genome_t g = { 0 };
    int32_t *type = NULL;
    GRN_TRY(parse_genome_size(opt.genome_size, &opt.peak.genome_size));
    opt.peak.summits = opt.summits[1] == 'n';
    opt.peak.max_gap = (uint32_t)opt.max_gap;
    opt.peak.min_length = (uint32_t)opt.min_length;
    p.by_count = opt.by_count;
    p.pass.region = opt.in.region;
    p.pass.strip_suffix = !strcmp(opt.in.suffix, "strip");
    GRN_TRY(load_types(&p, &types, &type));
    GRN_TRY(read_files(&p, args));
    GRN_TRY(check_cells(&p));
    grn_peak_names_t names = { &types, &p.pass.chroms, p.chrom_order, p.pass.chroms.n };
    GRN_TRY(load_genome(&names, &g));
    GRN_TRY(all_types(&p, &names, &g));
end:
    genome_clear(&g);
    grn_pseudobulk_clear(&p);
    grn_names_clear(&types);
    free(type);
    return rc;
}

const grn_subtool_t grn_build_peaks = {
    .tool = { .name = "grn-build peaks",
              .brief = "call peaks of each cell type and make them one set of regions",
              .usage = "[options] FRAGMENTS.tsv.gz...",
              .opt = table,
              .min_args = 1,
              .max_args = -1,
              .examples = "  grn-build peaks --cells cells.tsv --chrom-sizes hg38.chrom.sizes --blacklist blacklist.bed "
                          "fragments.tsv.gz -o regions.bed\n"
                          "  grn-build peaks -G mm --local --by-count -n peaks fragments.tsv.gz -o regions.bed\n" },
    .run = run,
};
