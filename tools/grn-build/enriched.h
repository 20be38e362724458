/* The motifs that are enriched in region sets: cisTarget, DEM or both on one motif database, in two passes over it. */
#ifndef GRN_BUILD_ENRICHED_H
#define GRN_BUILD_ENRICHED_H

#include "dem.h"
#include "funnel.h"
#include "motifdb.h"
#include "regionset.h"

enum { GRN_CISTARGET = 1, GRN_DEM = 2 };

typedef struct {
    double auc_threshold, rank_threshold, min_nes, min_overlap;
    double min_log2fc, max_adj_p, min_mean_fg;
    double hit_threshold; /* NaN: per motif, grn_dem_youden */
    size_t max_bg;
    uint64_t promoter_space, seed;
    const char *genes, *background; /* paths or NULL */
    int compat;
} grn_enrich_opt_t;

typedef struct {         /* an enriched motif of a set; what the method does not give is NaN */
    uint32_t set, motif; /* motif: into motifs of the list */
    int method;
    double nes, auc;
    uint32_t rank_at_max;
    grn_dem_row_t dem;
    double threshold; /* DEM: a hit scores more */
    size_t n_hit;     /* regions of the database */
    uint32_t *item;   /* (n_item) regions of the set behind the hits, ascending */
    size_t n_item;
} grn_enriched_t;

typedef struct { /* what became of a set in one method; numbers of regions of the database */
    size_t n_items, n_mapped, n_cols;
    size_t n_bg, n_candidates, fg_promoters, bg_promoters;
    size_t n_enriched;
    int tested;
} grn_enrich_set_t;

typedef struct {
    grn_enriched_t *v; /* by set, method, NES or log2fc (largest first), p, motif name */
    size_t n, cap;
    grn_names_t motifs;       /* of all databases */
    grn_enrich_set_t *set[3]; /* (sets) by method; NULL: method not used */
    size_t n_sets, n_motifs_tested[3];
    grn_funnel_t funnel;
} grn_enrich_t;

void grn_enrich_clear(grn_enrich_t *e);
/* Adds what the methods (bits) find in db. Sets are mapped to it: their pairs are those of this database afterwards. Says how much
 * of each set is in the database; GRN_EEMPTY below a tenth (compat: a warning). */
grn_status grn_enrich_run(grn_enrich_t *e, grn_motifdb_t *db, grn_regionsets_t *sets, int methods, const grn_enrich_opt_t *o,
                          grn_par_t *pool) GRN_MUST_USE;
/* Sorts e->v; after the last run. */
void grn_enrich_sort(grn_enrich_t *e);

#endif
