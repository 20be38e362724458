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

static grn_status add_gene(grn_search_t *s, size_t k, const grn_regions_t *regions,
                           const grn_genes_t *genes, const grn_gene_t *g,
                           const grn_search_opt_t *opt)
{
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
    *s = (grn_search_t){ .n_genes = n };
    GRN_TRY(GRN_NEW(s->off, n + 1));
    GRN_TRY(grow_pairs(s, 1));
    for (size_t k = 0; k < n; k++)
        GRN_TRY(add_gene(s, k, regions, genes, &genes->gene[gene[k]], opt));
end:
    if (rc) grn_search_clear(s);
    return rc;
}
