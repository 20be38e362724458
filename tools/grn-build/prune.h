/* grn-build prune: modules of TF -> gene links, pruned by the motifs of the TF (SCENIC: Aibar et al. 2017; Van de Sande et al.
 * 2020).
 *
 * Per gene-based ranking database and module: cisTarget (cistarget.h) over all motifs; motifs with NES >= min_nes that stand for
 * the TF of the module give their leading edge, each by its own recovery curve; the regulon of a TF and sign is the union of these
 * over motifs, modules and databases. pySCENIC from 0.12.0 on applies a mask of unsorted motifs to a sorted table, so that leading
 * edges can be those of other motifs (pySCENIC#635): that is not done here, and there is no switch for it. */
#ifndef GRN_BUILD_PRUNE_H
#define GRN_BUILD_PRUNE_H

#include "annotate.h"
#include "funnel.h"
#include "io/counts.h"
#include "modules.h"

typedef struct {
    const char *links, *out, *enriched; /* enriched: table of motifs, NULL: not wanted */
    const char *const *ranks;           /* (n_ranks) */
    size_t n_ranks;
    grn_modules_opt_t modules;
    /* cisTarget */
    double auc_threshold;    /* share of the ranking */
    uint64_t rank_threshold; /* genes; more than a database has: all of them, and it is said */
    double min_nes;
    double min_mapped; /* a module counts in a database that has more than this share of its genes; 1: all */
    /* motifs */
    const char *motif2tf;
    grn_motif2tf_opt_t annotation; /* kinds: what counts */
    /* cell types: with an RNA matrix */
    const char *rna; /* NULL: one context "all" */
    grn_counts_opt_t rna_opt;
    double min_tf_frac, min_gene_frac;
    uint64_t min_type_cells;
    uint64_t min_targets;
} grn_prune_opt_t;

/* Runs the whole stage with grn_common's pool and memory limit. GRN_EEMPTY: a database has no gene of the links (nothing is
 * written), or no regulon passed (a file without edges holds the funnel). */
grn_status grn_prune_run(const grn_prune_opt_t *opt) GRN_MUST_USE;

/* ---- what the files of prune share ---- */

typedef struct {                /* an enriched motif of a module in a database */
    uint32_t module, db, motif; /* motif: into motifs */
    uint8_t kind;               /* GRN_M2T_ bits by which it stands for the module's TF; 0: it does not */
    double nes, auc;
    uint32_t rank_at_max; /* of the leading edge, with kind */
    uint32_t *gene;       /* (n_gene) genes of it, ids of the links, ascending */
    size_t n_gene;
} grn_pruned_t;

typedef struct {
    const grn_prune_opt_t *opt;
    grn_edges_t e;                 /* links, sorted */
    const float *importance, *rho; /* (e.n) */
    float *owned;                  /* importance, where the file has none */
    grn_modules_t modules;
    grn_names_t motifs; /* of all databases */
    size_t n_db;
    uint32_t *n_mapped; /* (n_db, modules.n) genes in the database */
    grn_pruned_t *v;    /* by module, database, NES (largest first), motif name */
    size_t n, cap;
    char why[1000]; /* why nothing can pass, where names are the likely cause; else empty */
    grn_funnel_t funnel;
} grn_prune_t;

/* prune_output.c: regulons of p->v. GRN_EEMPTY when there is no edge, after writing. */
grn_status grn_prune_save(grn_prune_t *p) GRN_MUST_USE;
grn_status grn_prune_write_table(const grn_prune_t *p) GRN_MUST_USE;

#endif
