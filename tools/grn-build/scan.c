/* grn-build scan: regions x motifs, best site of each motif in each region, by sequence. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "build.h"
#include "hits.h"
#include "io/bed.h"
#include "io/chrom.h"
#include "io/fasta.h"
#include "io/prov.h"
#include "sites.h"

#define REGIONS_PER_BLOCK 2048
#define BASES_PER_BLOCK ((uint64_t)16 << 20)

static struct {
    grn_opt_list_t motifs;
    const char *genome, *regions, *hits, *background, *strand, *output, *bed;
    double p, pseudo;
    int mask;
} opt = { .background = "regions", .strand = "both", .output = "-", .p = 1e-4, .pseudo = 0.1 };

static const grn_opt_t table[] = {
    GRN_OPT_HEAD("Input"),
    GRN_OPT_LIST('m', "motifs", "FILE", &opt.motifs, "motifs: JASPAR, MEME, Cluster-Buster, TRANSFAC, HOMER; may be given several times"),
    GRN_OPT_STR('g', "genome", "FASTA", &opt.genome, "sequence: FASTA, plain or bgzip"),
    GRN_OPT_STR('r', "regions", "BED", &opt.regions, "regions to scan [every sequence of the FASTA, whole]"),
    GRN_OPT_STR(0, "motif-hits", "BED", &opt.hits, "sites found elsewhere (column 4 = motif, 5 = score), in place of motifs and genome"),
    GRN_OPT_HEAD("Scanning"),
    GRN_OPT_FLT('p', "pvalue", "FLOAT", &opt.p, 1e-30, 1, "a site's score is reached by a random word at most this often"),
    GRN_OPT_STR(0, "background", "WHICH", &opt.background, "base frequencies: regions, uniform, motifs (of a MEME file), or A,C,G,T"),
    GRN_OPT_FLT(0, "pseudocount", "FLOAT", &opt.pseudo, 0, 1e6, "added to the counts of each position, split by background"),
    GRN_OPT_ENUM(0, "strand", "both|plus", &opt.strand, "strands to scan"),
    GRN_OPT_FLAG(0, "mask", &opt.mask, "treat lower case (repeats) as N"),
    GRN_OPT_HEAD("Output"),
    GRN_OPT_STR('o', "output", "FILE", &opt.output, "regions x motifs, best score in bits where a site is, grn.matrix/1"),
    GRN_OPT_STR('b', "bed", "FILE", &opt.bed, "also every single site: BED6 + p-value + region"),
    GRN_OPT_END,
};

typedef struct {
    grn_motifs_t motifs;
    grn_fasta_t *fa;
    grn_regions_t regions; /* n = 0 without --regions: rows are the sequences */
    size_t n_rows;
    uint32_t *seq_of;      /* (regions.chroms.n) sequence of a chromosome; UINT32_MAX: not in the FASTA */
    double bg[4];
    uint64_t n_bases, n_gaps;
    grn_pwm_t *pwm;
    size_t n_unreachable;
    grn_scanner_t *scanner;
    /* per block */
    uint8_t *code;
    size_t code_cap;
    uint64_t *code_off; /* (rows of the block + 1) */
    grn_sites_t *sites; /* (rows of the block) */
    uint64_t n_sites, n_pairs, n_words;
} scan_t;

static void scan_clear(scan_t *s)
{
    for (size_t i = 0; s->pwm && i < s->motifs.n; i++) grn_pwm_clear(&s->pwm[i]);
    for (size_t i = 0; s->sites && i < REGIONS_PER_BLOCK; i++) grn_sites_clear(&s->sites[i]);
    free(s->pwm);
    free(s->sites);
    free(s->seq_of);
    free(s->code);
    free(s->code_off);
    grn_scanner_destroy(s->scanner);
    grn_motifs_clear(&s->motifs);
    grn_regions_clear(&s->regions);
    grn_fasta_close(s->fa);
}

static const char *row_name(const scan_t *s, size_t i)
{
    return grn_names_get(s->regions.n ? &s->regions.names : grn_fasta_names(s->fa), i);
}

/* Sequence, start and end of row i within the FASTA; *n_beyond counts rows cut at the end of their sequence. Returns 0: no sequence. */
static int row_place(const scan_t *s, size_t i, size_t *seq, uint64_t *start, uint64_t *end, uint64_t *n_beyond)
{
    if (!s->regions.n) {
        *seq = i;
        *start = 0;
        *end = grn_fasta_len(s->fa, i);
        return *end > 0;
    }
    uint32_t q = s->seq_of[s->regions.chrom[i]];
    if (q == UINT32_MAX) return 0;
    uint64_t len = grn_fasta_len(s->fa, q);
    *seq = q;
    *start = s->regions.start[i];
    *end = s->regions.end[i] < len ? s->regions.end[i] : len;
    if (n_beyond && s->regions.end[i] > len) ++*n_beyond;
    return *start < *end;
}

static grn_status load_motifs(scan_t *s)
{
    grn_status rc = GRN_OK;
    for (size_t i = 0; i < opt.motifs.n; i++) {
        size_t before = s->motifs.n;
        GRN_TRY(grn_prov_input(opt.motifs.v[i], NULL));
        GRN_TRY(grn_motifs_load(opt.motifs.v[i], &s->motifs));
        grn_log_info("motifs: %zu from '%s' (%s form)", s->motifs.n - before, opt.motifs.v[i], s->motifs.format);
    }
end:
    return rc;
}

/* Which sequence each chromosome is, with what was renamed and what is missing. */
static grn_status match_chromosomes(scan_t *s)
{
    grn_status rc = GRN_OK;
    grn_names_t lost = { 0 }, renamed = { 0 };
    char a[512], b[512];
    uint64_t n_lost = 0;
    const grn_names_t *names = grn_fasta_names(s->fa);
    GRN_TRY(GRN_NEW(s->seq_of, s->regions.chroms.n));
    for (size_t c = 0; c < s->regions.chroms.n; c++) {
        const char *name = grn_names_get(&s->regions.chroms, c);
        int other;
        size_t k = grn_chrom_find(names, name, &other);
        s->seq_of[c] = k == GRN_NAMES_NONE ? UINT32_MAX : (uint32_t)k;
        if (k == GRN_NAMES_NONE) GRN_TRY(grn_names_add(&lost, name, NULL, NULL));
        else if (other) GRN_TRY(grn_names_add(&renamed, name, NULL, NULL));
        if (k == GRN_NAMES_NONE) n_lost += s->regions.chrom_off[c + 1] - s->regions.chrom_off[c];
    }
    if (lost.n == s->regions.chroms.n)
        GRN_FAIL(GRN_EEMPTY, "no chromosome of the regions is in '%s'; regions: %s; FASTA: %s", opt.genome,
                 grn_names_show(&s->regions.chroms, 3, a, sizeof a), grn_names_show(names, 3, b, sizeof b));
    if (renamed.n)
        grn_log_warn("chromosomes: %zu spelled differently in regions and FASTA were taken for the same: %s", renamed.n,
                     grn_names_show(&renamed, 5, a, sizeof a));
    if (lost.n)
        grn_log_warn("regions: %" PRIu64 " lie on %zu chromosomes that '%s' does not hold: %s", n_lost, lost.n, opt.genome,
                     grn_names_show(&lost, 5, a, sizeof a));
end:
    grn_names_clear(&lost);
    grn_names_clear(&renamed);
    return rc;
}

static grn_status open_sequences(scan_t *s)
{
    grn_status rc = GRN_OK;
    GRN_TRY(grn_prov_input(opt.genome, NULL));
    GRN_TRY(grn_fasta_open(&s->fa, opt.genome));
    if (grn_fasta_unpacked(s->fa)) grn_log_info("genome: '%s' was unpacked to TMPDIR; compress it with bgzip to save this", opt.genome);
    s->n_rows = grn_fasta_names(s->fa)->n;
    if (opt.regions) {
        GRN_TRY(grn_prov_input(opt.regions, NULL));
        GRN_TRY(grn_regions_load(opt.regions, &s->regions));
        if (!s->regions.n) GRN_FAIL(GRN_EEMPTY, "'%s' holds no region", opt.regions);
        s->n_rows = s->regions.n;
        if (s->regions.n_duplicate) grn_log_warn("regions: %" PRIu64 " rows repeat an interval and are left out", s->regions.n_duplicate);
        GRN_TRY(match_chromosomes(s));
    }
end:
    return rc;
}

/* Base counts over all rows; rows that reach beyond their sequence, and rows without a base, are counted and reported. */
static grn_status survey(scan_t *s, uint64_t count[5])
{
    grn_status rc = GRN_OK;
    uint8_t *code = NULL;
    size_t cap = 0;
    uint64_t n_beyond = 0, n_blank = 0;
    for (size_t i = 0; i < s->n_rows; i++) {
        size_t seq;
        uint64_t start, end, before = count[0] + count[1] + count[2] + count[3];
        if (row_place(s, i, &seq, &start, &end, &n_beyond)) {
            GRN_TRY(GRN_GROW(code, cap, end - start));
            GRN_TRY(grn_fasta_fetch(s->fa, seq, start, end, opt.mask, code));
            for (uint64_t k = 0; k < end - start; k++) count[code[k]]++;
        }
        n_blank += before == count[0] + count[1] + count[2] + count[3];
    }
    s->n_gaps = count[4];
    s->n_bases = count[0] + count[1] + count[2] + count[3];
    if (n_beyond) grn_log_warn("regions: %" PRIu64 " reach beyond the end of their chromosome (another genome build?)", n_beyond);
    grn_log_info("regions: %zu, of which %" PRIu64 " without any known base; %" PRIu64 " bases, %" PRIu64 " N", s->n_rows, n_blank,
                 s->n_bases, s->n_gaps);
    if (!s->n_bases) GRN_FAIL(GRN_EEMPTY, "no region has a known base in '%s'", opt.genome);
end:
    free(code);
    return rc;
}

static grn_status parse_background(const char *text, double bg[4])
{
    char buf[256], *f[5];
    if (strlen(text) < sizeof buf) {
        strncpy(buf, text, sizeof buf);
        if (grn_split(buf, ',', f, 5) == 4) {
            int b = 0;
            while (b < 4 && !grn_parse_f64(f[b], &bg[b]) && bg[b] > 0) b++;
            if (b == 4) return GRN_OK;
        }
    }
    return grn_err(GRN_EUSAGE, "--background '%s': regions, uniform, motifs, or four positive numbers A,C,G,T", text);
}

/* Base frequencies; with both strands scanned A = T and C = G. */
static grn_status choose_background(scan_t *s, const uint64_t count[5])
{
    double sum = 0, *bg = s->bg;
    for (int b = 0; b < 4; b++) bg[b] = 1;
    if (!strcmp(opt.background, "regions")) {
        for (int b = 0; b < 4; b++) bg[b] = (double)count[b] + 1; /* + 1: no base is impossible */
    } else if (!strcmp(opt.background, "motifs")) {
        for (int b = 0; b < 4; b++) bg[b] = s->motifs.background[b];
        if (bg[0] <= 0 || bg[1] <= 0 || bg[2] <= 0 || bg[3] <= 0)
            return grn_err(GRN_EUSAGE, "--background motifs: the motif file gives no background letter frequencies (MEME form does)");
    } else if (strcmp(opt.background, "uniform") != 0) {
        grn_status rc = parse_background(opt.background, bg);
        if (rc) return rc;
    }
    if (!strcmp(opt.strand, "both")) {
        bg[0] = bg[3] = (bg[0] + bg[3]) / 2;
        bg[1] = bg[2] = (bg[1] + bg[2]) / 2;
    }
    for (int b = 0; b < 4; b++) sum += bg[b];
    for (int b = 0; b < 4; b++) bg[b] /= sum;
    grn_log_info("background: A %.4f, C %.4f, G %.4f, T %.4f (%s)", bg[0], bg[1], bg[2], bg[3], opt.background);
    return GRN_OK;
}

static grn_status pwm_work(void *ctx, size_t begin, size_t end, int worker)
{
    scan_t *s = ctx;
    (void)worker;
    for (size_t i = begin; i < end; i++) {
        grn_status rc = grn_pwm_init(&s->pwm[i], &s->motifs.m[i], opt.pseudo, s->bg, opt.p);
        if (rc) return grn_err_prefix(rc, "motif '%s'", grn_names_get(&s->motifs.names, i));
    }
    return GRN_OK;
}

static grn_status make_scanner(scan_t *s)
{
    grn_status rc = GRN_OK;
    grn_names_t weak = { 0 };
    char text[512];
    GRN_TRY(GRN_NEW(s->pwm, s->motifs.n));
    GRN_TRY(grn_par_for(grn_common.pool, s->motifs.n, 1, pwm_work, s));
    for (size_t i = 0; i < s->motifs.n; i++)
        if (s->pwm[i].threshold == INT32_MAX) GRN_TRY(grn_names_add(&weak, grn_names_get(&s->motifs.names, i), NULL, NULL));
    s->n_unreachable = weak.n;
    if (weak.n == s->motifs.n) GRN_FAIL(GRN_EEMPTY, "no motif can reach p <= %g: all are too short or too weak", opt.p);
    if (weak.n)
        grn_log_warn("motifs: %zu of %zu cannot reach p <= %g, too short or too weak: %s", weak.n, s->motifs.n, opt.p,
                     grn_names_show(&weak, 5, text, sizeof text));
    GRN_TRY(grn_scanner_create(&s->scanner, s->pwm, s->motifs.n, !strcmp(opt.strand, "both"), GRN_SCAN_SITES, NULL));
    GRN_TRY(GRN_NEW(s->sites, REGIONS_PER_BLOCK));
    GRN_TRY(GRN_NEW(s->code_off, REGIONS_PER_BLOCK + 1));
end:
    grn_names_clear(&weak);
    return rc;
}

/* Reads the sequences of rows from `first`; returns how many rows fit a block in *n. */
static grn_status fetch_block(scan_t *s, size_t first, size_t *n)
{
    grn_status rc = GRN_OK;
    uint64_t at = 0;
    size_t k = 0;
    for (; k < REGIONS_PER_BLOCK && first + k < s->n_rows && (!k || at < BASES_PER_BLOCK); k++) {
        size_t seq;
        uint64_t start, end;
        s->code_off[k] = at;
        if (!row_place(s, first + k, &seq, &start, &end, NULL)) continue;
        GRN_TRY(GRN_GROW(s->code, s->code_cap, at + end - start));
        GRN_TRY(grn_fasta_fetch(s->fa, seq, start, end, opt.mask, s->code + at));
        at += end - start;
    }
    s->code_off[k] = at;
    *n = k;
end:
    return rc;
}

static grn_status scan_work(void *ctx, size_t begin, size_t end, int worker)
{
    scan_t *s = ctx;
    (void)worker;
    for (size_t k = begin; k < end; k++) {
        grn_status rc = grn_scanner_run(s->scanner, s->code + s->code_off[k], s->code_off[k + 1] - s->code_off[k], &s->sites[k]);
        if (rc) return rc;
    }
    return GRN_OK;
}

/* One BED line a site: chrom, start, end, motif, score, strand, p-value, region. */
static grn_status write_sites(const scan_t *s, grn_out_t *o, size_t row, const grn_sites_t *x)
{
    size_t seq;
    uint64_t start, end;
    if (!row_place(s, row, &seq, &start, &end, NULL)) return GRN_OK;
    const char *chrom = s->regions.n ? grn_names_get(&s->regions.chroms, s->regions.chrom[row]) : row_name(s, row);
    for (size_t i = 0; i < x->n; i++) {
        const grn_site_t *h = &x->v[i];
        char score[32], p[32];
        grn_status rc = grn_out_printf(o, "%s\t%" PRIu64 "\t%" PRIu64 "\t%s\t%s\t%c\t%s\t%s\n", chrom, start + h->start,
                                       start + h->start + s->pwm[h->motif].w, grn_names_get(&s->motifs.names, h->motif),
                                       grn_fmt_f32(score, grn_pwm_bits(h->score)), h->strand > 0 ? '+' : '-',
                                       grn_fmt_f32(p, (float)grn_pwm_pvalue(&s->pwm[h->motif], h->score)), row_name(s, row));
        if (rc) return rc;
    }
    return GRN_OK;
}

/* Thresholds, widths and second names as column attributes. */
static grn_status motif_attributes(const scan_t *s, grn_attrs_t *a)
{
    grn_status rc = GRN_OK;
    double *threshold = NULL, *width = NULL;
    int32_t *code = NULL;
    grn_names_t levels = { 0 };
    size_t n = s->motifs.n, n_alt = 0, k;
    GRN_TRY(GRN_NEW(threshold, n));
    GRN_TRY(GRN_NEW(width, n));
    GRN_TRY(GRN_NEW(code, n));
    for (size_t i = 0; i < n; i++) {
        threshold[i] = s->pwm[i].threshold == INT32_MAX ? NAN : (double)grn_pwm_bits(s->pwm[i].threshold);
        width[i] = s->motifs.m[i].w;
        code[i] = -1;
        if (!s->motifs.m[i].alt) continue;
        GRN_TRY(grn_names_add(&levels, s->motifs.m[i].alt, &k, NULL));
        code[i] = (int32_t)k;
        n_alt++;
    }
    GRN_TRY(grn_attr_add_num(a, "threshold", threshold));
    threshold = NULL;
    GRN_TRY(grn_attr_add_num(a, "width", width));
    width = NULL;
    if (n_alt) {
        GRN_TRY(grn_attr_add_code(a, "alt", code, &levels));
        code = NULL;
    }
end:
    free(threshold);
    free(width);
    free(code);
    grn_names_clear(&levels);
    return rc;
}

static grn_status write_meta(const scan_t *s, grn_mw_t *w)
{
    grn_status rc = GRN_OK;
    char text[256], a[32], b[32], c[32], d[32];
    GRN_TRY(grn_mw_meta(w, "values", "best log2-odds score"));
    GRN_TRY(grn_mw_meta(w, "p", grn_fmt_f64(a, opt.p)));
    GRN_TRY(grn_mw_meta(w, "pseudocount", grn_fmt_f64(a, opt.pseudo)));
    GRN_TRY(grn_mw_meta(w, "strand", opt.strand));
    snprintf(text, sizeof text, "%s,%s,%s,%s", grn_fmt_f64(a, s->bg[0]), grn_fmt_f64(b, s->bg[1]), grn_fmt_f64(c, s->bg[2]),
             grn_fmt_f64(d, s->bg[3]));
    GRN_TRY(grn_mw_meta(w, "background", text));
end:
    return rc;
}

/* Best site of each motif in each row of the block, as the rows of a matrix; single sites to `bed`. */
static grn_status take_block(scan_t *s, size_t first, size_t n, grn_best_t *best, grn_mw_t *w, grn_out_t *bed)
{
    grn_status rc = GRN_OK;
    grn_matrix_t m = { 0 };
    for (size_t k = 0; k < n; k++) {
        const grn_sites_t *x = &s->sites[k];
        for (size_t i = 0; i < x->n; i++) GRN_TRY(grn_best_add(best, k, x->v[i].motif, grn_pwm_bits(x->v[i].score)));
        if (bed) GRN_TRY(write_sites(s, bed, first + k, x));
        GRN_TRY(grn_names_add(&m.row, row_name(s, first + k), NULL, NULL));
        s->n_sites += x->n;
    }
    GRN_TRY(grn_best_matrix(best, n, s->motifs.n, &m));
    s->n_pairs += m.indptr[n];
    GRN_TRY(grn_mw_append(w, &m));
end:
    grn_matrix_clear(&m);
    return rc;
}

static grn_status scan_rows(scan_t *s, grn_mw_t *w, grn_out_t *bed)
{
    grn_status rc = GRN_OK;
    grn_best_t best = { 0 };
    grn_progress_begin(s->n_rows, "regions");
    for (size_t first = 0, n; first < s->n_rows; first += n) {
        GRN_TRY(fetch_block(s, first, &n));
        GRN_TRY(grn_par_for(grn_common.pool, n, 16, scan_work, s));
        GRN_TRY(take_block(s, first, n, &best, w, bed));
        grn_progress_add(n);
    }
end:
    grn_progress_end();
    grn_best_clear(&best);
    return rc;
}

static void report(const scan_t *s)
{
    double strands = !strcmp(opt.strand, "both") ? 2 : 1;
    grn_log_info("sites: %" PRIu64 " at p <= %g (%.0f expected by chance in %" PRIu64 " bases), in %" PRIu64
                 " region-motif pairs; %.2f motifs a region",
                 s->n_sites, opt.p, opt.p * strands * (double)s->n_bases * (double)(s->motifs.n - s->n_unreachable), s->n_bases, s->n_pairs,
                 (double)s->n_pairs / (double)s->n_rows);
}

static grn_status scan_sequences(scan_t *s)
{
    grn_status rc = GRN_OK;
    uint64_t count[5] = { 0 };
    grn_attrs_t col_attr = { 0 };
    grn_mw_t *w = NULL;
    grn_out_t *bed = NULL;
    GRN_TRY(load_motifs(s));
    GRN_TRY(open_sequences(s));
    GRN_TRY(survey(s, count));
    GRN_TRY(choose_background(s, count));
    GRN_TRY(make_scanner(s));
    GRN_TRY(motif_attributes(s, &col_attr));
    GRN_TRY(grn_mw_open(&w, opt.output, &s->motifs.names, &col_attr, 0, grn_common.pool));
    GRN_TRY(write_meta(s, w));
    if (opt.bed) {
        GRN_TRY(grn_out_open(&bed, opt.bed, 0));
        GRN_TRY(grn_prov_text(bed));
        GRN_TRY(grn_out_puts(bed, "#chrom\tstart\tend\tmotif\tscore\tstrand\tpvalue\tregion\n"));
    }
    GRN_TRY(scan_rows(s, w, bed));
    report(s);
    if (!s->n_sites) GRN_FAIL(GRN_EEMPTY, "no motif has a site in any region at p <= %g", opt.p);
    if (bed) {
        grn_out_t *o = bed;
        bed = NULL;
        GRN_TRY(grn_out_commit(o));
    }
    grn_mw_t *done = w;
    w = NULL;
    GRN_TRY(grn_mw_commit(done));
end:
    grn_mw_abort(w);
    grn_out_abort(bed);
    grn_attrs_clear(&col_attr, s->motifs.n);
    return rc;
}

static grn_status run(const grn_args_t *args)
{
    grn_status rc = GRN_OK;
    scan_t s = { 0 };
    (void)args;
    if (opt.hits && (opt.motifs.n || opt.genome || opt.bed)) GRN_FAIL(GRN_EUSAGE, "--motif-hits goes with --regions and --output only");
    if (opt.hits && !opt.regions) GRN_FAIL(GRN_EUSAGE, "--motif-hits needs --regions BED");
    if (!opt.hits && !opt.motifs.n) GRN_FAIL(GRN_EUSAGE, "give motifs with --motifs FILE, or sites with --motif-hits BED");
    if (!opt.hits && !opt.genome) GRN_FAIL(GRN_EUSAGE, "give the sequence with --genome FASTA, or sites with --motif-hits BED");
    if (opt.hits) GRN_TRY(grn_hits_run(opt.hits, opt.regions, opt.output));
    else GRN_TRY(scan_sequences(&s));
end:
    scan_clear(&s);
    return rc;
}

const grn_subtool_t grn_build_scan = {
    .tool = { .name = "grn-build scan",
              .brief = "find binding sites of motifs in regions: regions x motifs",
              .usage = "[options] -m MOTIFS -g GENOME.fa -r REGIONS.bed",
              .opt = table,
              .min_args = 0,
              .max_args = 0,
              .examples = "  grn-build scan -m jaspar.meme -g hg38.fa -r peaks.bed -o motifs.tensor.zst --bed sites.bed\n"
                          "  grn-build scan --motif-hits sites.bed -r peaks.bed -o motifs.tensor.zst\n" },
    .run = run,
};
