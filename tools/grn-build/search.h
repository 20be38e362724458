/* The search space: which regions may regulate which gene, and how far they are (SCENIC+
 * get_search_space; with gene_boundaries its use_gene_boundaries). */
#ifndef GRN_BUILD_SEARCH_H
#define GRN_BUILD_SEARCH_H

#include "io/bed.h"
#include "io/gtf.h"

typedef enum { GRN_PROMOTER_KEEP, GRN_PROMOTER_DROP, GRN_PROMOTER_ONLY } grn_promoter;

#define GRN_SEARCH_MIN_REACH 1000

typedef struct {
    uint64_t upstream, downstream; /* bp beyond the gene body, strand aware */
    grn_promoter promoter; /* pairs whose region lies at a TSS of the gene: as others, left out, or
                              nothing else */
    uint64_t promoter_bp;  /* "at": midpoint within this distance of a TSS */
    int gene_boundaries; /* the reach ends at the nearest promoter (TSS +- 10 bp) of another gene of the strand, beside the body, but
                            is at least GRN_SEARCH_MIN_REACH or, if that is less, upstream or downstream */
} grn_search_opt_t;

/* Pairs of gene k: region[off[k]..off[k+1]), ascending by position. */
typedef struct {
    size_t n_genes;
    uint64_t *off; /* (n_genes + 1) */
    size_t cap;
    uint32_t *region; /* (pairs) */
    float *distance; /* (pairs) bp from the region's midpoint to the nearest end of the gene body: 0
                        inside, > 0 upstream, < 0 downstream */
    float *distance_tss; /* (pairs) bp from the midpoint to the nearest TSS of the gene; > 0
                            upstream of it */
    size_t n_no_chrom;   /* genes on a chromosome without regions */
    size_t n_no_region;  /* other genes without a region in reach */
    size_t n_renamed;    /* genes whose chromosome is spelled differently ("1" for "chr1") */
    size_t n_promoter;   /* pairs at a TSS */
} grn_search_t;

void grn_search_clear(grn_search_t *s);
/* gene[k]: index into `genes` of the k-th gene asked for. A region is in reach when it overlaps the
 * gene body widened by `upstream` and `downstream` by at least 1 bp. */
grn_status grn_search_space(const grn_regions_t *regions, const grn_genes_t *genes,
                            const uint32_t *gene, size_t n, const grn_search_opt_t *opt,
                            grn_search_t *s) GRN_MUST_USE;

#endif
