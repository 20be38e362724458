#include "tss.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "io/chrom.h"
#include "io/gtf.h"
#include "io/text.h"

void grn_tss_clear(grn_tss_t *t)
{
    free(t->at);
    free(t->strand);
    free(t->off);
    free(t->bin);
    free(t->bin_off);
    memset(t, 0, sizeof *t);
}

/* Adds the share of A[j] in the sum of S over positions [begin, end): 1 / (values averaged) for each S that holds it. */
static void fill_weights(uint16_t *w, int begin, int end)
{
    for (int i = begin; i < end; i++) {
        int n = i + 1 < GRN_TSS_SMOOTH ? i + 1 : GRN_TSS_SMOOTH;
        for (int j = i - n + 1; j <= i; j++) w[j] = (uint16_t)(w[j] + GRN_TSS_UNIT / (unsigned)n);
    }
}

static void fill_tables(grn_tss_t *t)
{
    fill_weights(t->weight[0], 0, GRN_TSS_EDGE);
    fill_weights(t->weight[1], GRN_TSS_WINDOW - GRN_TSS_EDGE, GRN_TSS_WINDOW);
    fill_weights(t->weight[2], GRN_TSS_FLANK - GRN_TSS_CENTRE, GRN_TSS_FLANK + GRN_TSS_CENTRE + 1);
    for (int j = 0; j < GRN_TSS_WINDOW; j++) t->counts[j] = t->weight[0][j] || t->weight[1][j] || t->weight[2][j];
}

double grn_tss_enrichment(const grn_tss_sums_t *s)
{
    double first = (double)s->first / GRN_TSS_UNIT / GRN_TSS_EDGE, last = (double)s->last / GRN_TSS_UNIT / GRN_TSS_EDGE;
    double b = (first + last) / 2, centre = (double)s->centre / GRN_TSS_UNIT / (2 * GRN_TSS_CENTRE + 1);
    return centre / (b > GRN_TSS_FLOOR ? b : GRN_TSS_FLOOR);
}

static int by_place(const void *a, const void *b)
{
    const grn_tss_site_t *x = a, *y = b;
    if (x->chrom != y->chrom) return x->chrom < y->chrom ? -1 : 1;
    if (x->at != y->at) return x->at < y->at ? -1 : 1;
    return x->strand < y->strand ? -1 : x->strand > y->strand;
}

/* A fragment that starts at or behind the bin's begin reaches TSS from begin - 2000 on. */
static void fill_bins(grn_tss_t *t, size_t c)
{
    uint64_t i = t->off[c];
    for (uint64_t b = 0; b < t->bin_off[c + 1] - t->bin_off[c]; b++) {
        while (i < t->off[c + 1] && (uint64_t)t->at[i] + GRN_TSS_FLANK < b << GRN_TSS_SHIFT) i++;
        t->bin[t->bin_off[c] + b] = (uint32_t)i;
    }
}

grn_status grn_tss_init(grn_tss_t *t, grn_tss_site_t *site, size_t n, size_t n_chrom)
{
    grn_status rc = GRN_OK;
    memset(t, 0, sizeof *t);
    t->n_chrom = n_chrom;
    fill_tables(t);
    if (n) qsort(site, n, sizeof *site, by_place);
    GRN_TRY(GRN_NEW_RAW(t->at, n));
    GRN_TRY(GRN_NEW_RAW(t->strand, n));
    GRN_TRY(GRN_NEW(t->off, n_chrom + 1));
    GRN_TRY(GRN_NEW(t->bin_off, n_chrom + 1));
    for (size_t i = 0; i < n; i++) {
        if (i && by_place(&site[i - 1], &site[i]) == 0) continue;
        t->at[t->n] = site[i].at;
        t->strand[t->n++] = site[i].strand;
        t->off[site[i].chrom + 1] = t->n;
    }
    for (size_t c = 0; c < n_chrom; c++) {
        if (t->off[c + 1] < t->off[c]) t->off[c + 1] = t->off[c]; /* none here */
        uint64_t last = t->off[c + 1] > t->off[c] ? (uint64_t)t->at[t->off[c + 1] - 1] + GRN_TSS_FLANK : 0;
        t->bin_off[c + 1] = t->bin_off[c] + (last ? (last >> GRN_TSS_SHIFT) + 1 : 0);
    }
    GRN_TRY(GRN_NEW_RAW(t->bin, t->bin_off[n_chrom]));
    for (size_t c = 0; c < n_chrom; c++) fill_bins(t, c);
end:
    if (rc) grn_tss_clear(t);
    return rc;
}

static grn_status chrom_of(grn_names_t *chroms, const char *name, uint32_t *chrom)
{
    size_t i = grn_chrom_find(chroms, name, NULL);
    grn_status rc = i == GRN_NAMES_NONE ? grn_names_add(chroms, name, &i, NULL) : GRN_OK;
    *chrom = (uint32_t)i;
    return rc;
}

/* The starts of a gene's transcripts. */
static grn_status add_gene(const grn_genes_t *g, const grn_gene_t *gene, grn_names_t *chroms, grn_tss_site_t *site, size_t *n)
{
    uint32_t chrom;
    grn_status rc = chrom_of(chroms, grn_names_get(&g->chroms, gene->chrom), &chrom);
    for (uint32_t k = 0; k < gene->n_tss && !rc; k++) {
        uint64_t at = g->tss[gene->tss_off + k];
        if (at < UINT32_MAX) site[(*n)++] = (grn_tss_site_t){ chrom, (uint32_t)at, gene->strand };
    }
    return rc;
}

typedef struct {
    grn_tss_site_t *site;
    size_t n, cap;
    uint64_t n_rows, n_other, n_no_strand;
    int has_biotypes;
} sites_t;

/* Protein-coding genes, or all where the file tells no biotypes. */
static grn_status sites_of_genes(const char *path, grn_names_t *chroms, sites_t *s)
{
    grn_status rc = GRN_OK;
    grn_genes_t g = { 0 };
    GRN_TRY(grn_genes_load(path, &g));
    size_t coding = grn_names_find(&g.biotypes, "protein_coding"), room = 0;
    s->has_biotypes = g.biotypes.n > 0;
    s->n_rows = g.n;
    for (size_t i = 0; i < g.n; i++) room += g.gene[i].n_tss;
    GRN_TRY(GRN_GROW(s->site, s->cap, room));
    for (size_t i = 0; i < g.n; i++) {
        if (s->has_biotypes && g.gene[i].biotype != coding) s->n_other++;
        else if (!g.gene[i].strand) s->n_no_strand++;
        else GRN_TRY(add_gene(&g, &g.gene[i], chroms, s->site, &s->n));
    }
end:
    grn_genes_clear(&g);
    return rc;
}

static int whole_number(const char *s, uint64_t *v)
{
    return grn_scan_u64(&s, v) && *s == 0;
}

/* 1: the first row has numbers in columns 2 and 3, as BED has. */
static grn_status is_bed(const char *path, int *yes)
{
    grn_status rc = GRN_OK;
    grn_text_t *t = NULL;
    char *line, *f[4];
    uint64_t v;
    int got;
    *yes = 0;
    GRN_TRY(grn_text_open(&t, path));
    while ((got = grn_text_next(t, &line, NULL)) > 0 && (!*line || *line == '#')) {}
    if (got < 0) rc = (grn_status)got;
    if (got > 0) *yes = grn_split(line, '\t', f, 4) >= 3 && whole_number(f[1], &v) && whole_number(f[2], &v);
end:
    grn_text_close(t);
    return rc;
}

static int has_coding_rows(const char *path, grn_status *rc)
{
    grn_text_t *t = NULL;
    char *line, *f[8];
    int got = 0, yes = 0;
    *rc = grn_text_open(&t, path);
    while (!*rc && !yes && (got = grn_text_next(t, &line, NULL)) > 0)
        yes = *line != '#' && grn_split(line, '\t', f, 8) > 6 && !strcmp(f[6], "protein_coding");
    if (got < 0) *rc = (grn_status)got;
    grn_text_close(t);
    return yes;
}

/* The 5' end of every row; where column 7 says "protein_coding" (pycisTopic's TSS files), only of those rows. */
static grn_status sites_of_bed(const char *path, grn_names_t *chroms, sites_t *s)
{
    grn_status rc = GRN_OK;
    grn_text_t *t = NULL;
    char *line, *f[8];
    uint64_t start, end;
    int got;
    s->has_biotypes = has_coding_rows(path, &rc);
    if (rc) return rc;
    GRN_TRY(grn_text_open(&t, path));
    while ((got = grn_text_next(t, &line, NULL)) > 0) {
        if (!*line || *line == '#') continue;
        size_t n = grn_split(line, '\t', f, 8);
        if (n < 3 || !whole_number(f[1], &start) || !whole_number(f[2], &end) || end <= start || end > UINT32_MAX) {
            rc = grn_text_fail(t, GRN_EFORMAT, "a TSS needs a chromosome, a start and an end behind it");
            goto end;
        }
        s->n_rows++;
        int plus = n > 5 && !strcmp(f[5], "+"), minus = n > 5 && !strcmp(f[5], "-");
        if (s->has_biotypes && (n < 7 || strcmp(f[6], "protein_coding") != 0)) {
            s->n_other++;
        } else if (!plus && !minus) {
            s->n_no_strand++;
        } else {
            GRN_TRY(GRN_GROW(s->site, s->cap, s->n + 1));
            GRN_TRY(chrom_of(chroms, f[0], &s->site[s->n].chrom));
            s->site[s->n].at = (uint32_t)(plus ? start : end - 1);
            s->site[s->n++].strand = (int8_t)(plus ? 1 : -1);
        }
    }
    if (got < 0) rc = (grn_status)got;
end:
    grn_text_close(t);
    return rc;
}

grn_status grn_tss_load(grn_tss_t *t, const char *path, grn_names_t *chroms)
{
    grn_status rc = GRN_OK;
    sites_t s = { 0 };
    int bed;
    memset(t, 0, sizeof *t);
    GRN_TRY(grn_path_rewindable(&path)); /* it is looked at first */
    GRN_TRY(is_bed(path, &bed));
    GRN_TRY(bed ? sites_of_bed(path, chroms, &s) : sites_of_genes(path, chroms, &s));
    if (!s.n)
        GRN_FAIL(GRN_EEMPTY, "'%s' has no TSS to use: of %llu %s %llu are not protein_coding, %llu have no strand", path,
                 (unsigned long long)s.n_rows, bed ? "rows" : "genes", (unsigned long long)s.n_other, (unsigned long long)s.n_no_strand);
    GRN_TRY(grn_tss_init(t, s.site, s.n, chroms->n));
    t->n_other = s.n_other;
    t->n_no_strand = s.n_no_strand;
    t->has_biotypes = s.has_biotypes;
end:
    free(s.site);
    return rc;
}
