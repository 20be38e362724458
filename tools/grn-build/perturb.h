/* grn-build perturb: what a network says of knock-outs and over-expression of its TFs, in every cell.
 *
 * Each target gene is modelled by its regulons' TFs (gradient boosting); a change of some TFs is handed on through these models, round
 * by round. Source: SCENIC+'s simulation.py (Bravo Gonzalez-Blas et al. 2023), whose rule is --compat. Letters: C cells, B cells of a
 * block, N runs of the baseline, K perturbed genes. */
#ifndef GRN_BUILD_PERTURB_H
#define GRN_BUILD_PERTURB_H

#include "base/opt.h"
#include "columns.h"

typedef enum { GRN_PERTURB_KNOCK_OUT, GRN_PERTURB_SET, GRN_PERTURB_SCALE } grn_perturb_kind;

typedef struct { /* one perturbed gene */
    grn_perturb_kind kind;
    char *name;    /* owned */
    double amount; /* value on the scale of the expression, or factor of the amount of RNA */
} grn_perturbed_t;

typedef struct {
    const char *rna, *regulons, *out;
    const char *summary; /* NULL: not wanted */
    const char *targets; /* a list of the genes to model; NULL: all */
    grn_counts_opt_t rna_opt;
    grn_scale expression;
    grn_opt_list_t context; /* cell types whose edges are used; none: all */
    grn_perturbed_t *what;  /* (n_what), names distinct */
    size_t n_what;
    size_t rounds, trees, baseline; /* baseline: runs with permuted TFs; only with a summary */
    double rate;
    int compat;
} grn_perturb_opt_t;
#define GRN_PERTURB_OPT_INIT { .rounds = 5, .trees = 500, .baseline = 20, .rate = 0.01 }

/* The whole stage, with grn_common's pool, seed and memory limit. GRN_EEMPTY: nothing can be modelled (no file is written), or no value
 * changes (files are written). */
grn_status grn_perturb_run(const grn_perturb_opt_t *opt) GRN_MUST_USE;

#endif
