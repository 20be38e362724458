/* grn-build link: correlation of TFs with genes and of regions with the genes near them. */
#ifndef GRN_BUILD_LINK_H
#define GRN_BUILD_LINK_H

#include "columns.h"
#include "search.h"

typedef struct {
    const char *rna, *atac; /* matrices; atac NULL: TF -> gene only */
    grn_counts_opt_t rna_opt, atac_opt;
    grn_scale expression, accessibility;
    const char *tfs;                    /* TF list; with out_tg */
    const char *genes;                  /* gene models; with out_rg */
    const char *scan, *hits, *motif2tf; /* motifs, for TFs the RNA matrix lacks: at most one of scan
                                           and hits; NULL: such TFs are left out */
    const char *out_tg, *out_rg;        /* NULL: not wanted */
    double min_rho;     /* a pair is written when |Pearson| or |Spearman| exceeds it */
    uint64_t min_cells; /* genes and regions seen in fewer cells are left out */
    grn_search_opt_t search;
} grn_link_opt_t;
#define GRN_LINK_OPT_INIT \
    { 0, \
      0, \
      GRN_COUNTS_OPT_INIT, \
      GRN_COUNTS_OPT_INIT, \
      GRN_SCALE_LOGNORM, \
      GRN_SCALE_LOGNORM, \
      0, \
      0, \
      0, \
      0, \
      0, \
      0, \
      0, \
      0.03, \
      3, \
      { 150000, 150000, GRN_PROMOTER_KEEP, 1000 } }

/* Runs the whole stage with grn_common's pool and memory limit. GRN_EEMPTY after writing empty
 * files when no pair is left. */
grn_status grn_link_run(const grn_link_opt_t *opt) GRN_MUST_USE;

#endif
