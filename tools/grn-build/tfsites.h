/* Which TFs have a binding motif in which region: from the matrix of `grn-build scan` or from a
 * list of hits. */
#ifndef GRN_BUILD_TFSITES_H
#define GRN_BUILD_TFSITES_H

#include "base/par.h"
#include "io/bed.h"

typedef struct { /* the best motif of TF `tf` in region `region` */
    uint32_t tf, region;
    float score; /* NaN: the input has none */
} grn_tfsite_t;

typedef struct {
    grn_tfsite_t *v; /* by (tf, region), distinct */
    size_t n, cap;
    grn_names_t motifs;   /* seen in the input */
    size_t n_motifs_used; /* motifs that stand for a TF among the genes */
    size_t n_by_prefix; /* of these, motifs named TF_SOMETHING (only without a motif-to-TF table) */
    size_t n_tfs;       /* distinct TFs with a site */
    uint64_t n_hits, n_outside; /* hits read; hits (BED) or regions (matrix) that are none of the
                                   regions asked about */
} grn_tfsites_t;

void grn_tfsites_clear(grn_tfsites_t *s);

typedef struct { /* TFs of motif m: tf[off[m]..off[m + 1]), in the numbering of the genes */
    size_t *off;
    uint32_t *tf;
    size_t cap;
    size_t n_used, n_by_prefix; /* motifs that stand for a gene; of these, by what is before the first '_' */
} grn_motif_tfs_t;
void grn_motif_tfs_clear(grn_motif_tfs_t *m);
/* motif2tf as below; m must be empty. GRN_EEMPTY: no motif is a gene. */
grn_status grn_motif_tfs(const grn_names_t *motifs, const char *motif2tf, const grn_names_t *genes,
                         grn_motif_tfs_t *m) GRN_MUST_USE;

/* Exactly one of `scan` (grn.matrix/1, regions x motifs or the reverse, value = score, 0 = no site)
 * and `hits` (BED, motif or TF name in column 4, score in column 5; a hit counts for the regions
 * that hold all of it) is given. motif2tf NULL: a motif stands for the gene of its name, or of its
 * name before the first '_' ("CEBPB_1"). `genes`: TF names and the numbering of grn_tfsite_t.tf;
 * `regions` gives the numbering of .region. GRN_EEMPTY when no motif is a gene or no region is
 * known. */
grn_status grn_tfsites_load(const char *scan, const char *hits, const char *motif2tf,
                            const grn_names_t *genes, const grn_regions_t *regions, grn_par_t *pool,
                            grn_tfsites_t *s) GRN_MUST_USE;

/* Index of the region "chrom:start-end" or "chrom-start-end" in `regions`, chromosome spelling
 * reconciled; SIZE_MAX if none. `canonical`: names of `regions` as "chrom:start-end". */
size_t grn_region_find(const grn_regions_t *regions, const grn_names_t *canonical,
                       const char *name);
/* Those names. out must be empty. */
grn_status grn_region_names(const grn_regions_t *regions, grn_names_t *out) GRN_MUST_USE;

#endif
