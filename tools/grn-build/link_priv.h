/* What the files of `grn-build link` share. */
#ifndef GRN_BUILD_LINK_PRIV_H
#define GRN_BUILD_LINK_PRIV_H

#include <math.h>

#include "cells.h"
#include "columns.h"
#include "funnel.h"
#include "io/edges.h"
#include "link.h"

#define GENES_PER_CHUNK 16

typedef struct {
    const grn_link_opt_t *opt;
    grn_colsrc_t rna, atac;
    grn_cells_t cells;
    uint64_t budget; /* bytes of one block of columns */
    uint32_t *genes; /* expressed genes: columns of rna in bytewise order of their names */
    size_t n_genes;
    float **scratch; /* per worker: 2 n_cells floats, zero between uses */
    int n_workers;
    grn_names_t absent; /* TFs of the list that the matrix lacks and that have motif sites; TF id =
                           columns of rna + place here */
    const char *empty;  /* an output without links */
    grn_funnel_t funnel;
} grn_linker_t;

typedef struct { /* one TF -> gene link to be written; tf: a column of rna, or its columns + place in `absent` */
    uint32_t tf, gene;
    float pearson, spearman, importance, support, excess; /* the last three: learned */
} grn_tfpair_t;

typedef struct {
    grn_tfpair_t *v;
    size_t n, cap;
} grn_tfpairs_t;

static inline int grn_link_passes(double pearson, double spearman, double min_rho)
{
    return fabs(pearson) > min_rho || fabs(spearman) > min_rho; /* NaN does not */
}

/* link.c: the funnel of one output begins with the genes. */
grn_status grn_link_funnel(grn_linker_t *l) GRN_MUST_USE;
/* link.c: sorts and writes; `kind` and the funnel go to the metadata. An output without links is
 * noted in l->empty. */
grn_status grn_link_save(grn_linker_t *l, grn_edges_t *e, const char *path,
                         const char *kind) GRN_MUST_USE;
/* link_learn.c: importances of TFs (their ids; columns of x) for all genes of the shard. q (NULL unless asked for): of each pair. */
grn_status grn_link_learn(grn_linker_t *l, const uint32_t *tfs, const grn_colblock_t *x, grn_tfpairs_t *out, float **q) GRN_MUST_USE;
/* link_tf.c: pairs as edges; q may be NULL. */
grn_status grn_link_tf_edges(const grn_linker_t *l, const grn_tfpairs_t *pairs, uint64_t n_tested, const float *q,
                             grn_edges_t *e) GRN_MUST_USE;
/* link_tf.c, link_region.c: the two outputs. */
grn_status grn_link_tfs(grn_linker_t *l) GRN_MUST_USE;
grn_status grn_link_regions(grn_linker_t *l) GRN_MUST_USE;

#endif
