/* What the files of `grn-build perturb` share. */
#ifndef GRN_BUILD_PERTURB_PRIV_H
#define GRN_BUILD_PERTURB_PRIV_H

#include <math.h>

#include "base/file.h"
#include "cells.h"
#include "funnel.h"
#include "io/matrix.h"
#include "perturb.h"
#include "perturb_eval.h"

#define GRN_PERTURB_NONE UINT32_MAX

/* ---- perturb_net.c: who is modelled by whom ---- */

/* Nodes are the genes that take part, in bytewise order of their names: modelled genes, their TFs, perturbed genes. */
typedef struct {
    size_t n;
    uint32_t *column;  /* (n) of the matrix */
    uint64_t *off;     /* (n + 1) regulators of a node; none: it is not modelled */
    uint32_t *tf;      /* (off[n]) nodes, ascending */
    uint32_t *what;    /* (n) which perturbation; NONE */
    uint32_t *steps;   /* (n) edges from the nearest perturbed gene; NONE: not within `rounds` */
    uint32_t *fit;     /* (n_fit) nodes that can change by their model, ascending */
    size_t n_fit;
    uint32_t *moving;  /* (n_moving) fit and perturbed nodes, ascending */
    size_t n_moving;
    uint32_t *used;    /* (n_used) moving nodes and all TFs of fit nodes: whose values are needed, ascending */
    size_t n_used;
    uint32_t *out;     /* (n_out) modelled and perturbed nodes, ascending: the columns of the output */
    size_t n_out;
    uint32_t *perturbed; /* (opt->n_what) node of each perturbation */
} grn_perturb_net_t;

/* GRN_EINVAL: an unknown gene or context; GRN_EEMPTY: nothing to model. What was lost goes to the funnel. */
grn_status grn_perturb_net(const grn_perturb_opt_t *opt, const grn_colsrc_t *rna, grn_funnel_t *funnel,
                           grn_perturb_net_t *net) GRN_MUST_USE;
void grn_perturb_net_clear(grn_perturb_net_t *net); /* accepts zeroed */

/* ---- perturb_fit.c ---- */

/* Models lie in a temporary file that is mapped once all are there: run 0 of each node of net->fit, and of those with a perturbed TF one
 * for each run of the baseline. */
typedef struct {
    size_t n_runs;      /* 1 + N */
    uint64_t *first;    /* (n_fit) place of the model of run 0 */
    uint8_t *direct;    /* (n_fit) 1: a perturbed gene is among its TFs, and run r is r places further */
    size_t size;        /* bytes of a place */
    int fd;             /* -1: none */
    uint64_t n;         /* places */
    void *map;
    float *permuted;    /* (N, n_what, C) values of the perturbed genes in the runs of the baseline */
} grn_perturb_models_t;

typedef struct {
    const grn_perturb_opt_t *opt;
    grn_colsrc_t rna;
    grn_cells_t cells; /* in bytewise order of their names */
    grn_types_t types; /* of the rows of the file */
    grn_perturb_net_t net;
    grn_perturb_models_t models;
    grn_funnel_t funnel;
    uint64_t budget; /* bytes of a block of columns or cells */
} grn_perturb_t;

grn_status grn_perturb_fit(grn_perturb_t *p) GRN_MUST_USE;
void grn_perturb_models_clear(grn_perturb_models_t *m);
static inline const grn_perturb_model_t *grn_perturb_model(const grn_perturb_models_t *m, size_t k, size_t run)
{
    return (const grn_perturb_model_t *)((const char *)m->map + (m->first[k] + (m->direct[k] ? run : 0)) * m->size);
}
/* The perturbed value of x. */
float grn_perturbed_value(const grn_perturbed_t *w, grn_scale scale, float x);

/* ---- perturb_cells.c: the change is handed on ---- */

typedef struct { /* of a gene (net->moving) in a type; sums in units of 2^-GRN_PERTURB_UNIT, which do not depend on an order */
    __int128 before, change;
    uint64_t n_changed;
} grn_perturb_sum_t;
#define GRN_PERTURB_UNIT 40

typedef struct {
    int fd;         /* rows of changes in the order in which they came; -1 */
    uint64_t end;   /* bytes */
    uint64_t *off;  /* (C) where the row of a cell begins */
    uint32_t *n;    /* (C) its entries */
    uint64_t n_all; /* entries */
    grn_perturb_sum_t *sum; /* (n_moving, types) */
    __int128 *base;         /* (N, n_moving, types) change in the runs of the baseline */
    uint64_t n_guarded;     /* --compat: updates left out as the prediction was about 0 */
} grn_perturb_result_t;

typedef struct {
    uint32_t column; /* of the output */
    float change;
} grn_perturb_entry_t;

grn_status grn_perturb_cells(grn_perturb_t *p, grn_perturb_result_t *r) GRN_MUST_USE;
void grn_perturb_result_clear(grn_perturb_result_t *r);

/* A change of less than a millionth of the value is rounding. */
static inline float grn_perturb_change(float before, float after)
{
    float d = after - before;
    return fabsf(d) <= 1e-6f * fmaxf(fabsf(before), fabsf(after)) ? 0 : d;
}

/* ---- perturb_output.c ---- */
grn_status grn_perturb_open_output(grn_perturb_t *p, grn_mw_t **w) GRN_MUST_USE; /* metadata included */
/* Both take what they write to. */
grn_status grn_perturb_write(grn_perturb_t *p, const grn_perturb_result_t *r, grn_mw_t *w) GRN_MUST_USE;
grn_status grn_perturb_write_summary(grn_perturb_t *p, const grn_perturb_result_t *r, grn_out_t *o) GRN_MUST_USE;

#endif
