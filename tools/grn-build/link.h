/* grn-build link: how much TFs tell about genes, and regions about the genes near them: by correlation, or learned. */
#ifndef GRN_BUILD_LINK_H
#define GRN_BUILD_LINK_H

#include "columns.h"
#include "search.h"

typedef enum { /* what gives a link its weight */
    GRN_LINK_PEARSON,
    GRN_LINK_SPEARMAN,
    GRN_LINK_KENDALL,  /* region -> gene only */
    GRN_LINK_GRNBOOST, /* importances from here on: gradient boosting (Moerman 2019; SCENIC+ for regions) */
    GRN_LINK_GENIE3,   /* TF -> gene only: random forests (Huynh-Thu 2010) */
    GRN_LINK_RIDGE     /* TF -> gene only: ridge regression */
} grn_link_method;
grn_link_method grn_link_method_parse(const char *word); /* words come from an ENUM option */

typedef struct { /* how importances are learned */
    size_t max_trees;
    uint64_t stability;        /* runs on a share of the cells, for the support of a link; 0: none */
    double stability_cells;    /* that share */
    uint64_t stability_top;    /* a link is supported by a run in which its TF is among this many strongest of the gene */
    uint64_t null;             /* runs with TFs of permuted cells, for q values; 0: none */
    uint64_t shard, n_shard;   /* genes shard - 1, shard - 1 + n_shard ... only */
    int resume;                /* finished blocks of genes are kept in FILE.parts */
} grn_learn_opt_t;
#define GRN_LEARN_OPT_INIT { 5000, 0, 0.8, 10, 0, 1, 1, 0 }

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
    grn_link_method method, region_method;
    grn_learn_opt_t learn;
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
      { 150000, 150000, GRN_PROMOTER_KEEP, 1000, 0 }, \
      GRN_LINK_PEARSON, \
      GRN_LINK_SPEARMAN, \
      GRN_LEARN_OPT_INIT }

/* Runs the whole stage with grn_common's pool and memory limit. GRN_EEMPTY after writing empty
 * files when no pair is left. */
grn_status grn_link_run(const grn_link_opt_t *opt) GRN_MUST_USE;

#endif
