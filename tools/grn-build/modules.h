/* Modules of co-expressed genes around a TF, in the six ways of SCENIC (pySCENIC, modules_from_adjacencies): links above a quantile
 * of all importances; the strongest targets of each TF; the strongest regulators of each gene, regrouped by TF. Links of either
 * sign are taken apart first, so strength is ranked among links of one sign. Ties at a border: the lower name, bytewise. */
#ifndef GRN_BUILD_MODULES_H
#define GRN_BUILD_MODULES_H

#include "base/err.h"
#include "funnel.h"
#include "io/edges.h"

#define GRN_MODULES_WAYS 16

typedef enum { GRN_WAY_QUANTILE, GRN_WAY_TARGETS, GRN_WAY_REGULATORS } grn_module_kind;

typedef struct {
    grn_module_kind kind;
    double quantile; /* of QUANTILE */
    uint32_t top;    /* of the others */
    char name[32];   /* "q0.75", "top50_targets", "top5_regulators" */
} grn_module_way_t;

typedef struct {
    grn_module_way_t way[GRN_MODULES_WAYS];
    size_t n_ways;
    double min_rho;   /* a link is positive above this, negative below -this, else of no sign */
    int all_signs;    /* also modules of negative links */
    size_t min_genes; /* the TF included */
} grn_modules_opt_t;

typedef struct {
    uint32_t tf;
    int8_t sign;
    uint8_t way;
} grn_module_t;

typedef struct {
    size_t n;
    grn_module_t *v; /* by TF, sign (positive first), way */
    uint64_t *off;   /* (n + 1) into gene */
    uint32_t *gene;  /* ids, ascending within a module, which holds its TF */
    size_t cap, off_cap, gene_cap;
} grn_modules_t;

void grn_modules_clear(grn_modules_t *m);
/* Adds ways from comma-separated lists, each may be empty: quantiles 0 to 1, numbers of targets and of regulators. GRN_EUSAGE. */
grn_status grn_modules_ways(grn_modules_opt_t *o, const char *quantiles, const char *targets, const char *regulators) GRN_MUST_USE;
/* e: tf and gene, sorted (grn_edges_sort), each pair once (else GRN_EFORMAT); importance, rho: (e->n). Links with an importance
 * that is not above 0 are left out before anything else. The steps go to the funnel. O(n log n). */
grn_status grn_modules_make(const grn_edges_t *e, const float *importance, const float *rho, const grn_modules_opt_t *o,
                            grn_funnel_t *f, grn_modules_t *m) GRN_MUST_USE;

/* The p-quantile of n values, which it sorts: linear between the two nearest (R type 7, pandas). n >= 1. */
double grn_modules_quantile(float *v, size_t n, double p);

#endif
