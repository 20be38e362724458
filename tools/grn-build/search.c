#include "search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "io/chrom.h"

void grn_search_clear(grn_search_t *s)
{
    free(s->off);
    free(s->region);
    free(s->distance);
    free(s->distance_tss);
    *s = (grn_search_t){ 0 };
}

/* Midpoint, halves to the even number. */
static int64_t midpoint(uint64_t start, uint64_t end)
{
    return (int64_t)nearbyint((double)start + (double)(end - start) / 2);
}

/* 0 inside the body, else the distance to its nearest end; positive upstream. */
static int64_t body_distance(const grn_gene_t *g, int64_t m)
{
    int64_t a = (int64_t)g->start - m, b = (int64_t)g->end - m, strand = g->strand < 0 ? -1 : 1;
    if (a > 0 && b > 0) return strand * a;
    if (a < 0 && b < 0) return strand * b;
    return 0;
}

static int64_t tss_distance(const grn_genes_t *genes, const grn_gene_t *g, int64_t m)
{
    int64_t best = INT64_MAX, strand = g->strand < 0 ? -1 : 1;
    for (uint32_t k = 0; k < g->n_tss; k++) {
        int64_t d = ((int64_t)genes->tss[g->tss_off + k] - m) * strand;
        if (llabs(d) < llabs(best) || (llabs(d) == llabs(best) && d > best)) best = d;
    }
    return best;
}

static grn_status grow_pairs(grn_search_t *s, size_t need)
{
    grn_status rc = GRN_OK;
    size_t c1 = s->cap, c2 = s->cap, c3 = s->cap;
    GRN_TRY(GRN_GROW(s->region, c1, need));
    GRN_TRY(GRN_GROW(s->distance, c2, need));
    GRN_TRY(GRN_GROW(s->distance_tss, c3, need));
    s->cap = c1;
end:
    return rc;
}

/* ---- promoters of other genes ---- */

#define PROMOTER_HALF 10 /* bp on either side of a TSS (SCENIC+ extend_tss) */

typedef struct {
    uint64_t tss;
    uint32_t chrom, gene;
    int8_t strand;
} promoter_t;

static int by_place(const void *a, const void *b)
{
    const promoter_t *x = a, *y = b;
    if (x->chrom != y->chrom) return x->chrom < y->chrom ? -1 : 1;
    if (x->strand != y->strand) return x->strand < y->strand ? -1 : 1;
    if (x->tss != y->tss) return x->tss < y->tss ? -1 : 1;
    return (x->gene > y->gene) - (x->gene < y->gene);
}

static grn_status list_promoters(const grn_genes_t *genes, promoter_t **v, size_t *n)
{
    size_t m = 0;
    for (size_t k = 0; k < genes->n; k++) m += genes->gene[k].n_tss;
    grn_status rc = GRN_NEW_RAW(*v, m);
    if (rc) return rc;
    *n = m;
    m = 0;
    for (size_t k = 0; k < genes->n; k++) {
        const grn_gene_t *g = &genes->gene[k];
        for (uint32_t i = 0; i < g->n_tss; i++)
            (*v)[m++] = (promoter_t){ genes->tss[g->tss_off + i], g->chrom, (uint32_t)k, g->strand < 0 ? -1 : 1 };
    }
    if (m) qsort(*v, m, sizeof **v, by_place);
    return GRN_OK;
}

static uint64_t clamp_reach(uint64_t reach, uint64_t most)
{
    if (reach < GRN_SEARCH_MIN_REACH) reach = GRN_SEARCH_MIN_REACH;
    return reach < most ? reach : most;
}

/* Shortens the reach to where the promoters of other genes begin. */
static void stop_at_neighbours(const promoter_t *v, size_t n, const grn_gene_t *g, uint32_t k, uint64_t *left, uint64_t *right)
{
    promoter_t key = { g->start, g->chrom, 0, g->strand < 0 ? -1 : 1 };
    size_t lo = 0, hi = n, i;
    while (lo < hi) { /* the first that is not before the gene's start */
        size_t mid = lo + (hi - lo) / 2;
        if (by_place(&v[mid], &key) < 0) lo = mid + 1;
        else hi = mid;
    }
    for (i = lo; i-- > 0 && v[i].chrom == key.chrom && v[i].strand == key.strand;) {
        if (v[i].gene == k || v[i].tss + PROMOTER_HALF > g->start) continue;
        *left = clamp_reach(g->start - (v[i].tss + PROMOTER_HALF), *left);
        break;
    }
    for (i = lo; i < n && v[i].chrom == key.chrom && v[i].strand == key.strand; i++) {
        if (v[i].gene == k || v[i].tss < g->end + PROMOTER_HALF) continue;
        *right = clamp_reach(v[i].tss - PROMOTER_HALF - g->end, *right);
        break;
    }
}

/* ---- pairs ---- */

static grn_status add_gene(grn_search_t *s, size_t k, const grn_regions_t *regions, const grn_genes_t *genes, uint32_t gene,
                           const grn_search_opt_t *opt, const promoter_t *promoter, size_t n_promoter)
{
    const grn_gene_t *g = &genes->gene[gene];
    grn_status rc = GRN_OK;
    int renamed = 0;
    size_t n = s->off[k], chrom = grn_chrom_find(&regions->chroms,
                                                 grn_names_get(&genes->chroms, g->chrom), &renamed);
    s->off[k + 1] = n;
    if (chrom == GRN_NAMES_NONE) {
        s->n_no_chrom++;
        goto end;
    }
    s->n_renamed += (size_t)renamed;
    uint64_t left = g->strand < 0 ? opt->downstream : opt->upstream,
             right = g->strand < 0 ? opt->upstream : opt->downstream;
    if (opt->gene_boundaries) stop_at_neighbours(promoter, n_promoter, g, gene, &left, &right);
    uint64_t start = g->start > left ? g->start - left : 0, end = g->end + right;
    size_t found = grn_regions_overlap(regions, chrom, start, end, NULL, 0);
    GRN_TRY(grow_pairs(s, n + found + 1));
    grn_regions_overlap(regions, chrom, start, end, s->region + n, found);
    for (size_t i = s->off[k], last = i + found; i < last; i++) {
        uint32_t r = s->region[i];
        int64_t m = midpoint(regions->start[r], regions->end[r]), tss = tss_distance(genes, g, m);
        int at_tss = (uint64_t)llabs(tss) <= opt->promoter_bp;
        s->n_promoter += (size_t)at_tss;
        if (at_tss ? opt->promoter == GRN_PROMOTER_DROP : opt->promoter == GRN_PROMOTER_ONLY)
            continue;
        s->region[n] = r;
        s->distance[n] = (float)body_distance(g, m);
        s->distance_tss[n++] = (float)tss;
    }
    if (n == s->off[k]) s->n_no_region++;
    s->off[k + 1] = n;
end:
    return rc;
}

grn_status grn_search_space(const grn_regions_t *regions, const grn_genes_t *genes,
                            const uint32_t *gene, size_t n, const grn_search_opt_t *opt,
                            grn_search_t *s)
{
    grn_status rc = GRN_OK;
    promoter_t *promoter = NULL;
    size_t n_promoter = 0;
    *s = (grn_search_t){ .n_genes = n };
    if (opt->gene_boundaries) GRN_TRY(list_promoters(genes, &promoter, &n_promoter));
    GRN_TRY(GRN_NEW(s->off, n + 1));
    GRN_TRY(grow_pairs(s, 1));
    for (size_t k = 0; k < n; k++) GRN_TRY(add_gene(s, k, regions, genes, gene[k], opt, promoter, n_promoter));
end:
    free(promoter);
    if (rc) grn_search_clear(s);
    return rc;
}
