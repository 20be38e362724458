#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "hits.h"
#include "io/chrom.h"
#include "io/prov.h"
#include "scan.h"
#include "sites.h"

#define REGIONS_PER_BLOCK 2048
#define BASES_PER_BLOCK ((uint64_t)16 << 20)

typedef struct {
    const grn_scan_t *o;
    grn_scanseq_t *seq;
    const grn_motifset_t *motifs;
    uint32_t *row_of; /* (motifs->n_motif) cluster of a matrix */
    grn_pwm_t *pwm;   /* (motifs->n_motif) */
    size_t n_unreachable;
    grn_scanner_t *scanner;
    /* per block */
    uint8_t *code;
    size_t code_cap;
    uint64_t *code_off; /* (rows of the block + 1) */
    grn_sites_t *sites; /* (rows of the block) */
    uint64_t n_sites, n_pairs;
} scan_t;

static void scan_clear(scan_t *s)
{
    for (size_t i = 0; s->pwm && i < s->motifs->n_motif; i++) grn_pwm_clear(&s->pwm[i]);
    for (size_t i = 0; s->sites && i < REGIONS_PER_BLOCK; i++) grn_sites_clear(&s->sites[i]);
    free(s->pwm);
    free(s->row_of);
    free(s->sites);
    free(s->code);
    free(s->code_off);
    grn_scanner_destroy(s->scanner);
}

static grn_status pwm_work(void *ctx, size_t begin, size_t end, int worker)
{
    scan_t *s = ctx;
    (void)worker;
    for (size_t i = begin; i < end; i++) {
        grn_status rc = grn_pwm_init(&s->pwm[i], &s->motifs->motif[i], s->o->pseudo, s->o->bg, s->o->p);
        if (rc) return grn_err_prefix(rc, "motif '%s'", grn_names_get(&s->motifs->names, s->row_of[i]));
    }
    return GRN_OK;
}

static grn_status make_scanner(scan_t *s)
{
    grn_status rc = GRN_OK;
    grn_names_t weak = { 0 };
    char text[512];
    size_t n = s->motifs->n_motif;
    GRN_TRY(GRN_NEW(s->row_of, n));
    for (size_t c = 0; c < s->motifs->n; c++)
        for (size_t i = s->motifs->first[c]; i < s->motifs->first[c + 1]; i++) s->row_of[i] = (uint32_t)c;
    GRN_TRY(GRN_NEW(s->pwm, n));
    GRN_TRY(grn_par_for(grn_common.pool, n, 1, pwm_work, s));
    for (size_t i = 0; i < n; i++) {
        if (s->pwm[i].threshold != INT32_MAX) continue;
        s->n_unreachable++;
        GRN_TRY(grn_names_add(&weak, grn_names_get(&s->motifs->names, s->row_of[i]), NULL, NULL));
    }
    if (s->n_unreachable == n) GRN_FAIL(GRN_EEMPTY, "no motif can reach p <= %g: all are too short or too weak", s->o->p);
    if (weak.n)
        grn_log_warn("motifs: %zu of %zu cannot reach p <= %g, too short or too weak: %s", s->n_unreachable, n, s->o->p,
                     grn_names_show(&weak, 5, text, sizeof text));
    GRN_TRY(grn_scanner_create(&s->scanner, s->pwm, n, s->o->both, GRN_SCAN_SITES, NULL));
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
    for (; k < REGIONS_PER_BLOCK && first + k < s->seq->n && (!k || at < BASES_PER_BLOCK); k++) {
        size_t seq;
        uint64_t start, end;
        s->code_off[k] = at;
        if (!grn_scanseq_place(s->seq, first + k, &seq, &start, &end)) continue;
        GRN_TRY(GRN_GROW(s->code, s->code_cap, at + end - start));
        GRN_TRY(grn_fasta_fetch(s->seq->fa, seq, start, end, s->seq->mask, s->code + at));
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
    if (!grn_scanseq_place(s->seq, row, &seq, &start, &end)) return GRN_OK;
    const char *chrom =
        s->seq->regions.n ? grn_names_get(&s->seq->regions.chroms, s->seq->regions.chrom[row]) : grn_scanseq_name(s->seq, row);
    for (size_t i = 0; i < x->n; i++) {
        const grn_site_t *h = &x->v[i];
        char score[32], p[32];
        grn_status rc =
            grn_out_printf(o, "%s\t%" PRIu64 "\t%" PRIu64 "\t%s\t%s\t%c\t%s\t%s\n", chrom, start + h->start,
                           start + h->start + s->pwm[h->motif].w, grn_names_get(&s->motifs->names, s->row_of[h->motif]),
                           grn_fmt_f32(score, grn_pwm_bits(h->score)), h->strand > 0 ? '+' : '-',
                           grn_fmt_f32(p, (float)grn_pwm_pvalue(&s->pwm[h->motif], h->score)), grn_scanseq_name(s->seq, row));
        if (rc) return rc;
    }
    return GRN_OK;
}

/* Thresholds (the least of a cluster), widths and second names as column attributes. */
static grn_status motif_attributes(const scan_t *s, grn_attrs_t *a)
{
    grn_status rc = GRN_OK;
    double *threshold = NULL, *width = NULL;
    int32_t *code = NULL;
    grn_names_t levels = { 0 };
    size_t n = s->motifs->n, n_alt = 0, k;
    GRN_TRY(GRN_NEW(threshold, n));
    GRN_TRY(GRN_NEW(width, n));
    GRN_TRY(GRN_NEW(code, n));
    for (size_t c = 0; c < n; c++) {
        threshold[c] = NAN;
        code[c] = -1;
        for (size_t i = s->motifs->first[c]; i < s->motifs->first[c + 1]; i++) {
            const grn_motif_t *m = &s->motifs->motif[i];
            double bits = grn_pwm_bits(s->pwm[i].threshold);
            if (s->pwm[i].threshold != INT32_MAX && !(threshold[c] <= bits)) threshold[c] = bits;
            width[c] = m->w > width[c] ? m->w : width[c];
            if (!m->alt || code[c] >= 0) continue;
            GRN_TRY(grn_names_add(&levels, m->alt, &k, NULL));
            code[c] = (int32_t)k;
            n_alt++;
        }
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
    GRN_TRY(grn_mw_meta(w, "p", grn_fmt_f64(a, s->o->p)));
    GRN_TRY(grn_mw_meta(w, "pseudocount", grn_fmt_f64(a, s->o->pseudo)));
    GRN_TRY(grn_mw_meta(w, "strand", s->o->strand));
    snprintf(text, sizeof text, "%s,%s,%s,%s", grn_fmt_f64(a, s->o->bg[0]), grn_fmt_f64(b, s->o->bg[1]), grn_fmt_f64(c, s->o->bg[2]),
             grn_fmt_f64(d, s->o->bg[3]));
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
        for (size_t i = 0; i < x->n; i++) GRN_TRY(grn_best_add(best, k, s->row_of[x->v[i].motif], grn_pwm_bits(x->v[i].score)));
        if (bed) GRN_TRY(write_sites(s, bed, first + k, x));
        GRN_TRY(grn_names_add(&m.row, grn_scanseq_name(s->seq, first + k), NULL, NULL));
        s->n_sites += x->n;
    }
    GRN_TRY(grn_best_matrix(best, n, s->motifs->n, &m));
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
    grn_progress_begin(s->seq->n, "regions");
    for (size_t first = 0, n; first < s->seq->n; first += n) {
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
    double strands = s->o->both ? 2 : 1;
    grn_log_info("sites: %" PRIu64 " at p <= %g (%.0f expected by chance in %" PRIu64 " bases), in %" PRIu64
                 " region-motif pairs; %.2f motifs a region",
                 s->n_sites, s->o->p, s->o->p * strands * (double)s->seq->n_bases * (double)(s->motifs->n_motif - s->n_unreachable),
                 s->seq->n_bases, s->n_pairs, (double)s->n_pairs / (double)s->seq->n);
}

grn_status grn_scan_sites(grn_scan_t *o)
{
    grn_status rc = GRN_OK;
    scan_t s = { .o = o, .seq = &o->seq, .motifs = &o->motifs };
    grn_attrs_t col_attr = { 0 };
    grn_mw_t *w = NULL;
    grn_out_t *bed = NULL;
    GRN_TRY(make_scanner(&s));
    GRN_TRY(motif_attributes(&s, &col_attr));
    GRN_TRY(grn_mw_open(&w, o->output, &o->motifs.names, &col_attr, 0, grn_common.pool));
    GRN_TRY(write_meta(&s, w));
    if (o->bed) {
        GRN_TRY(grn_out_open(&bed, o->bed, 0));
        GRN_TRY(grn_prov_text(bed));
        GRN_TRY(grn_out_puts(bed, "#chrom\tstart\tend\tmotif\tscore\tstrand\tpvalue\tregion\n"));
    }
    GRN_TRY(scan_rows(&s, w, bed));
    report(&s);
    if (!s.n_sites) GRN_FAIL(GRN_EEMPTY, "no motif has a site in any region at p <= %g", o->p);
    if (bed) {
        grn_out_t *done = bed;
        bed = NULL;
        GRN_TRY(grn_out_commit(done));
    }
    grn_mw_t *done = w;
    w = NULL;
    GRN_TRY(grn_mw_commit(done));
end:
    grn_mw_abort(w);
    grn_out_abort(bed);
    grn_attrs_clear(&col_attr, o->motifs.n);
    scan_clear(&s);
    return rc;
}
