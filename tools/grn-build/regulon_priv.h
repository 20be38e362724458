/* What the files of `grn-build regulon` share. */
#ifndef GRN_BUILD_REGULON_PRIV_H
#define GRN_BUILD_REGULON_PRIV_H

#include "cells.h"
#include "columns.h"
#include "funnel.h"
#include "io/edges.h"
#include "regulon.h"
#include "tfsites.h"

/* Links of one kind grouped by their source (TF or region): target and row of the link of source s
 * are at off[s]..off[s + 1), by target. */
typedef struct {
    size_t n;       /* sources */
    size_t *off;    /* (n + 1) */
    uint32_t *gene; /* column of the RNA matrix */
    uint32_t *row;  /* row of the links' file */
} grn_links_t;

typedef struct { /* one edge to be written */
    uint32_t tf, gene, tg,
        rg; /* columns of the RNA matrix; rows of the link files (rg: UINT32_MAX without regions) */
    uint16_t type;
    uint8_t combo; /* bit 0: TF -> gene negative, bit 1: region -> gene negative */
    float motif;
} grn_triplet_t;

typedef struct {
    grn_triplet_t *v;
    size_t n, cap;
} grn_triplets_t;

enum {
    N_MOTIF,
    N_TG,
    N_SIGN,
    N_TF_ON,
    N_GENE_ON,
    N_REGION_ON,
    N_TARGETS,
    N_REGULONS,
    N_REGULONS_LOST,
    N_COUNTS
};

typedef struct {
    const grn_regulon_opt_t *opt;
    grn_names_t genes; /* columns of the RNA matrix, then linked TFs that are none */
    grn_types_t types;
    uint8_t *gene_on, *tf_on; /* (types, genes): expressed in enough cells of the type */
    uint8_t *region_on;       /* (types, regions of the links) */
    size_t n_genes, n_regions;
    size_t n_cols;          /* genes that are columns of the RNA matrix */
    uint32_t *region_cells; /* (types, regions of the links) cells of the type with a count */
    grn_edges_t tg, rg, prior;
    const float *r_tg, *r_rg; /* the deciding correlation of each link; borrowed */
    grn_links_t by_tf, by_region;
    grn_regions_t regions; /* of rg.regions, same order */
    grn_tfsites_t sites;
    size_t *site_off; /* (genes + 1) sites of a TF */
    uint32_t *tfs;    /* genes that are a TF with links (and sites), ascending */
    size_t n_tfs;
    grn_triplets_t *found;       /* (n_tfs) */
    uint64_t (*count)[N_COUNTS]; /* (n_tfs) */
    uint32_t **slot; /* per worker: (genes) row of the TF's link to the gene + 1; 0: none */
    int n_workers;
    grn_funnel_t funnel;
} grn_regulon_t;

/* regulon_input.c: matrices, links and motifs of g->opt. The RNA source stays open for the join
 * with ATAC. */
grn_status grn_regulon_load(grn_regulon_t *g) GRN_MUST_USE;
/* Groups the links i < n with keep[i] by source. l must be empty. */
grn_status grn_links_group(const uint32_t *source, const uint32_t *target, const uint8_t *keep,
                           size_t n, size_t n_sources, grn_links_t *l) GRN_MUST_USE;
void grn_links_clear(grn_links_t *l);
/* regulon_modules.c: RNA only: leaves in g->by_tf the links that make the modules. */
grn_status grn_regulon_modules(grn_regulon_t *g) GRN_MUST_USE;
/* regulon_output.c: writes g->found; GRN_EEMPTY when there is no edge. */
grn_status grn_regulon_save(grn_regulon_t *g) GRN_MUST_USE;

#endif
