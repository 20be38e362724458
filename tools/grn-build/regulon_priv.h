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

enum { DIRECT, EXTENDED, N_KINDS };                    /* of motif annotation; scan and hits are direct */
enum { TG_NEGATIVE = 1, RG_NEGATIVE = 2, IS_EXTENDED = 4 }; /* bits of a combo: what regulons of one TF are told apart by */

#define NO_ROW UINT32_MAX

typedef struct {     /* one edge to be written */
    uint32_t tf, gene; /* columns of the RNA matrix */
    uint32_t tg, rg;   /* rows of the link files; NO_ROW: a TF and itself; no regions */
    uint32_t site;     /* of sites[kind] */
    uint32_t rank;     /* triplet_rank */
    float nes, fdr;    /* best over the modules it comes from; NaN: join */
    float weight, q;
    uint16_t type;
    uint8_t combo, n_contexts;
} grn_triplet_t;

typedef struct {
    grn_triplet_t *v;
    size_t n, cap;
} grn_triplets_t;

typedef struct { /* evidence of a cistrome's region, beside its score; NaN: none */
    float nes, log2fc, motif; /* motif: number (from 1) of a line of the metadata "motifs" */
} grn_note_t;

typedef struct { /* genes of the regions a TF binds, in one binarisation: a set tested against the TF's ranking */
    double es, nes, p, q;
    uint32_t n_hits, peak, n_edge; /* genes found in the ranking; last place of the leading edge; genes of it */
    uint8_t combo, binarisation;
} grn_module_t;

enum {
    N_RANKINGS, /* gsea: rankings with enough genes, and the others */
    N_SHORT,
    N_MODULES, /* with a region; tested; and the filters */
    N_TESTED,
    N_NES,
    N_FDR,
    N_EDGE,
    N_ROWS, /* triplets of the modules that pass, counted in each */
    N_MOTIF,
    N_TG,
    N_SIGN,
    N_TF_ON,
    N_GENE_ON,
    N_REGION_ON,
    N_TARGETS,
    N_REGULONS,
    N_REGULONS_LOST,
    N_FILLED, /* edges after extended regulons gave way to direct ones */
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
    float *tf_level, *region_level; /* (types, genes), (types, regions): share of the type's cells where it is on; of TFs that RNA lacks,
                                       the share of their regions in what is open. NULL: no types */
    grn_edges_t tg, rg, prior;
    const float *r_tg, *r_rg;     /* the deciding correlation of each link; borrowed */
    const float *imp_tg, *imp_rg; /* importance of each link; borrowed from the links or from own_imp */
    float *own_imp[2];            /* |r| where a file has no importance */
    grn_links_t by_tf, by_region;
    grn_links_t by_gene;   /* gsea: the regions of a gene (in .gene), same links as by_region */
    uint32_t *on;          /* gsea: (rg.n) bit b: the region counts for the gene in binarisation b */
    grn_regions_t regions; /* of rg.regions, same order */
    grn_tfsites_t sites[N_KINDS];
    grn_note_t *note[N_KINDS];   /* (sites) of cistromes; else NULL */
    char *motif_names;           /* metadata "motifs" of the cistromes; NULL: none */
    size_t *site_off[N_KINDS];   /* (genes + 1) sites of a TF */
    uint32_t *tfs;               /* genes that are a TF with links (and sites), ascending */
    uint32_t *cistrome_of;       /* (genes) whose sites a TF has: its own, but in null runs */
    float *self;                 /* (n_tfs) importance of a TF for itself: a little above all others */
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
/* regulon_cistromes.c: g->opt->cistromes -> sites and note of both kinds. */
grn_status grn_regulon_cistromes(grn_regulon_t *g) GRN_MUST_USE;
/* regulon_binarise.c: fills g->on. */
grn_status grn_regulon_binarise(grn_regulon_t *g) GRN_MUST_USE;
size_t grn_n_binarisations(const grn_binarise_opt_t *o);
/* regulon_gsea.c: the distinct triplets of all modules that pass, into g->found, without a type. */
grn_status grn_regulon_gsea(grn_regulon_t *g) GRN_MUST_USE;
/* regulon.c */
grn_status grn_triplets_add(grn_triplets_t *out, grn_triplet_t t) GRN_MUST_USE;
/* regulon_weight.c: the kind of a triplet's site and its score; weights of g->found; q of its edges over runs of `build` (g->found and
 * its counts are put aside for them) in which every TF has the sites of another. */
int grn_triplet_kind(const grn_triplet_t *t);
float grn_triplet_motif(const grn_regulon_t *g, const grn_triplet_t *t);
grn_status grn_regulon_weigh(grn_regulon_t *g) GRN_MUST_USE;
grn_status grn_regulon_null(grn_regulon_t *g, grn_status (*build)(grn_regulon_t *g)) GRN_MUST_USE;
/* regulon_score.c: whether the file of --rankings can be used; later ranks the distinct triplets of g->found. */
grn_status grn_regulon_check_rankings(const char *path) GRN_MUST_USE;
grn_status grn_regulon_score(grn_regulon_t *g) GRN_MUST_USE;
/* regulon_modules.c: RNA only: leaves in g->by_tf the links that make the modules. */
grn_status grn_regulon_modules(grn_regulon_t *g) GRN_MUST_USE;
/* regulon_meta.c: the metadata "options" (what decides which edges there are) and "files" (what was read) as JSON objects, appended. */
grn_status grn_regulon_options_json(const grn_regulon_opt_t *o, grn_str_t *b) GRN_MUST_USE;
grn_status grn_regulon_files_json(const grn_regulon_opt_t *o, grn_str_t *b) GRN_MUST_USE;
/* regulon_output.c: writes g->found; GRN_EEMPTY when there is no edge. */
grn_status grn_regulon_save(grn_regulon_t *g) GRN_MUST_USE;

#endif
