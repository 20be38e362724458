#include "overlap.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define MAX_WALK 64 /* places looked at in vain, at most */

void grn_overlap_clear(grn_overlap_t *o)
{
    free(o->start);
    free(o->end);
    free(o->bin);
    free(o->bin_off);
    free(o->place_of);
    memset(o, 0, sizeof *o);
}

static uint32_t at_most_u32(uint64_t x)
{
    return x < UINT32_MAX ? (uint32_t)x : UINT32_MAX;
}

static grn_status count_bins(grn_overlap_t *o)
{
    grn_status rc = GRN_NEW(o->bin_off, o->n_chrom + 1);
    if (rc) return rc;
    for (size_t c = 0; c < o->n_chrom; c++) {
        uint32_t last = 0;
        for (uint64_t i = o->r->chrom_off[c]; i < o->r->chrom_off[c + 1]; i++)
            if (o->end[i] > last) last = o->end[i];
        o->bin_off[c + 1] = o->bin_off[c] + (last ? ((last - 1) >> GRN_OVERLAP_SHIFT) + 1 : 0);
    }
    return GRN_NEW_RAW(o->bin, o->bin_off[o->n_chrom]);
}

/* The first place that ends behind x is the first whose running maximum of ends does. */
static void fill_bins(grn_overlap_t *o, size_t c)
{
    uint64_t i = o->r->chrom_off[c], first = i, n_bin = o->bin_off[c + 1] - o->bin_off[c];
    for (uint64_t b = 0; b < n_bin; b++) {
        uint32_t x = (uint32_t)(b << GRN_OVERLAP_SHIFT);
        while (o->end[i] <= x) i++;
        for (; first < o->r->chrom_off[c + 1] && o->start[first] < x; first++) {}
        o->bin[o->bin_off[c] + b] = (uint32_t)i;
        if (first > i + MAX_WALK) o->by_tree = 1;
    }
}

grn_status grn_overlap_init(grn_overlap_t *o, const grn_regions_t *r)
{
    grn_status rc = GRN_OK;
    memset(o, 0, sizeof *o);
    o->r = r;
    o->n_chrom = r->chroms.n;
    o->in_order = 1;
    GRN_TRY(GRN_NEW_RAW(o->start, r->n));
    GRN_TRY(GRN_NEW_RAW(o->end, r->n));
    for (size_t k = 0; k < r->n; k++) {
        o->start[k] = at_most_u32(r->start[r->order[k]]);
        o->end[k] = at_most_u32(r->end[r->order[k]]);
        o->in_order &= r->order[k] == k;
    }
    GRN_TRY(count_bins(o));
    for (size_t c = 0; c < o->n_chrom; c++) fill_bins(o, c);
    if (o->by_tree) {
        GRN_TRY(GRN_NEW_RAW(o->place_of, r->n));
        for (size_t k = 0; k < r->n; k++) o->place_of[r->order[k]] = (uint32_t)k;
    }
end:
    if (rc) grn_overlap_clear(o);
    return rc;
}

size_t grn_overlap_by_tree(const grn_overlap_t *o, size_t chrom, uint32_t start, uint32_t end, uint32_t *out, size_t cap)
{
    size_t n = grn_regions_overlap(o->r, chrom, start, end, out, cap);
    for (size_t i = 0; i < n && i < cap; i++) out[i] = o->place_of[out[i]];
    return n;
}
