/* What grn-build enrich holds when it writes, and its tables. */
#ifndef GRN_BUILD_ENRICH_H
#define GRN_BUILD_ENRICH_H

#include "base/file.h"
#include "cistrome.h"
#include "motifset.h"

typedef struct {
    grn_enrich_t *e;
    const grn_annotation_t *a;
    const grn_regionsets_t *sets;
    const grn_motifset_t *motifs; /* matrices for logos; n = 0: none */
    const grn_tf_counts_t *counts;
    const grn_enrich_opt_t *opt;
    const char *annotations;
} grn_enrich_report_t;

/* Motif, statistics and TFs of every enriched motif; one row per set, method and motif. */
grn_status grn_enrich_write_table(const grn_enrich_report_t *r, const char *path) GRN_MUST_USE;
/* A row per set and method. */
grn_status grn_enrich_write_sets(const grn_enrich_report_t *r, const char *path) GRN_MUST_USE;
/* A row per TF: its motifs, enriched or not, its regions, and the step that lost it. */
grn_status grn_enrich_write_tfs(const grn_enrich_report_t *r, const char *path) GRN_MUST_USE;
/* The page (enrich_html.c). */
grn_status grn_enrich_write_html(const grn_enrich_report_t *r, const char *path) GRN_MUST_USE;

/* The steps a TF goes through; adds them to the funnel and says which TFs are lost. */
grn_status grn_enrich_tf_funnel(const grn_enrich_report_t *r) GRN_MUST_USE;

/* The TFs of a motif by one class of evidence (GRN_M2T_ bit), ", " between them, into s (emptied first). */
grn_status grn_enrich_tfs_of(const grn_annotation_t *a, uint32_t motif, int kind, grn_str_t *s) GRN_MUST_USE;
const char *grn_enrich_method(int method); /* "cistarget", "dem" */

#endif
