/* Cistromes: the regions of a set that hold hits of the enriched motifs of a TF, as TF -> region edges (TF -> gene for gene sets).
 *
 * TF_direct: motifs annotated directly; TF_extended: motifs of any annotation that counts, so it holds TF_direct (compat: only
 * annotations other than direct, as SCENIC+). One edge per cistrome, set (context) and region. Evidence of an edge: nes and log2fc,
 * each the best over its motifs; log10_p of the latter; method (1 cisTarget, 2 DEM, 3 both); kind (1 direct, 2 similar, 4
 * orthology, 8 both, added up); n_motifs; motif, the number (from 1) in the metadata "motifs", one name a line, of the motif with
 * the best NES, or else the best fold change. */
#ifndef GRN_BUILD_CISTROME_H
#define GRN_BUILD_CISTROME_H

#include "annotate.h"
#include "enriched.h"
#include "io/edges.h"

typedef struct {                     /* per TF of the annotation */
    uint32_t *n_enriched;            /* (tfs.n) (set, motif, method) that are enriched and count for it */
    uint32_t *n_direct, *n_extended; /* distinct regions over all sets */
} grn_tf_counts_t;
void grn_tf_counts_clear(grn_tf_counts_t *n);

/* e is sorted. */
grn_status grn_cistrome_edges(const grn_enrich_t *e, const grn_annotation_t *a, const grn_regionsets_t *sets, int compat,
                              grn_edges_t *out, grn_tf_counts_t *n) GRN_MUST_USE;

/* A BED file per cistrome of sorted edges, all sets together: name the region, score 100 x best NES (else log2fc), at most 1,000. */
grn_status grn_cistrome_beds(const grn_edges_t *e, const char *dir) GRN_MUST_USE;

#endif
