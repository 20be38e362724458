#include "tss.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "io/chrom.h"
#include "io/gtf.h"

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

grn_status grn_tss_load(grn_tss_t *t, const char *path, grn_names_t *chroms)
{
    grn_status rc = GRN_OK;
    grn_genes_t g = { 0 };
    grn_tss_site_t *site = NULL;
    size_t n = 0, room = 0;
    uint64_t n_other = 0, n_no_strand = 0;
    memset(t, 0, sizeof *t);
    GRN_TRY(grn_genes_load(path, &g));
    size_t coding = grn_names_find(&g.biotypes, "protein_coding");
    for (size_t i = 0; i < g.n; i++) room += g.gene[i].n_tss;
    GRN_TRY(GRN_NEW_RAW(site, room));
    for (size_t i = 0; i < g.n; i++) {
        if (g.biotypes.n && g.gene[i].biotype != coding) n_other++;
        else if (!g.gene[i].strand) n_no_strand++;
        else GRN_TRY(add_gene(&g, &g.gene[i], chroms, site, &n));
    }
    if (!n)
        GRN_FAIL(GRN_EEMPTY, "'%s' has no TSS to use: of %zu genes %llu are not protein_coding, %llu have no strand", path, g.n,
                 (unsigned long long)n_other, (unsigned long long)n_no_strand);
    GRN_TRY(grn_tss_init(t, site, n, chroms->n));
    t->n_other = n_other;
    t->n_no_strand = n_no_strand;
    t->has_biotypes = g.biotypes.n > 0;
end:
    free(site);
    grn_genes_clear(&g);
    return rc;
}
