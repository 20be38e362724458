/* Which regions overlap a fragment, in a few nanoseconds: regions in places sorted by (chromosome, start, end), and for every
 * 4,096 bp the first place that can matter. Regions may overlap each other; sets so nested that the walk would be long go through
 * the tree of io/bed.h. */
#ifndef GRN_BUILD_OVERLAP_H
#define GRN_BUILD_OVERLAP_H

#include "io/bed.h"

#define GRN_OVERLAP_SHIFT 12

typedef struct {
    const grn_regions_t *r; /* borrowed */
    size_t n_chrom;
    uint32_t *start, *end; /* (n) by place, at most UINT32_MAX */
    uint32_t *bin;         /* per chromosome: the first place that ends behind the bin's begin */
    uint64_t *bin_off;     /* (n_chrom + 1) into bin */
    uint32_t *place_of;    /* of a region; only with the tree */
    int by_tree;
    int in_order; /* place k is region k */
} grn_overlap_t;

grn_status grn_overlap_init(grn_overlap_t *o, const grn_regions_t *r) GRN_MUST_USE;
void grn_overlap_clear(grn_overlap_t *o);
size_t grn_overlap_by_tree(const grn_overlap_t *o, size_t chrom, uint32_t start, uint32_t end, uint32_t *out, size_t cap);

/* Places of the regions over [start, end) of a chromosome of r->chroms (others: none), ascending. Writes the first `cap` and returns
 * how many there are. Thread safe. */
static inline size_t grn_overlap_find(const grn_overlap_t *o, size_t chrom, uint32_t start, uint32_t end, uint32_t *out, size_t cap)
{
    if (chrom >= o->n_chrom) return 0;
    if (o->by_tree) return grn_overlap_by_tree(o, chrom, start, end, out, cap);
    size_t b = start >> GRN_OVERLAP_SHIFT, n = 0;
    if (b >= o->bin_off[chrom + 1] - o->bin_off[chrom]) return 0; /* behind the last region */
    uint64_t stop = o->r->chrom_off[chrom + 1];
    for (uint64_t i = o->bin[o->bin_off[chrom] + b]; i < stop && o->start[i] < end; i++) {
        if (o->end[i] <= start) continue;
        if (n < cap) out[n] = (uint32_t)i;
        n++;
    }
    return n;
}

#endif
