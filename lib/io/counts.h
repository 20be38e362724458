/* Reads a cells x features matrix of any format the field writes: the container, h5ad (every
 * generation), 10x HDF5 v1/v2/v3 and Space Ranger, 10x mtx folders v2/v3, MatrixMarket + names,
 * loom, csv/tsv(.gz) either way round. The format is found from the content, never the name. Policy
 * of names (docs/inputs.md): duplicate gene symbols are made unique or summed as told and counted
 * in the log; Ensembl ids versus symbols by
 * --gene-names; barcode suffixes by --barcode-suffix. */
#ifndef GRN_IO_COUNTS_H
#define GRN_IO_COUNTS_H

#include "io/matrix.h"

typedef enum {
    GRN_DUP_SUM,
    GRN_DUP_UNIQUE,
    GRN_DUP_ERROR
} grn_dup_policy; /* gene names seen twice: sum columns; suffix -1, -2; refuse */
typedef enum { GRN_ORIENT_AUTO, GRN_ORIENT_CELLS_ROWS, GRN_ORIENT_GENES_ROWS } grn_orient;

struct grn_counts_opt_s {
    const char *layer; /* h5ad/loom layer, "X", "raw", of h5ad also an embedding "obsm/NAME" (columns "1", "2" ...); NULL: raw/X if X
                          is not counts, else X (and it is said) */
    const char *gene_column;  /* var column for names; NULL: index (symbols preferred when the index
                                 is Ensembl ids and a symbol column exists) */
    const char *feature_type; /* 10x: "Gene Expression" (default NULL), "Peaks", ... */
    const char *genome;       /* 10x v2 with several genomes */
    const char
        *cells_tsv; /* TSV of labels: barcode + named columns, joined by barcode; NULL: none */
    const char *cell_type; /* obs/TSV column copied to row attribute "cell_type"; NULL: first of the
                              usual names found */
    const char *donor;     /* likewise "donor" */
    grn_dup_policy dup;
    grn_orient orient;   /* csv/tsv */
    int require_counts;  /* negative or non-integer values are an error */
    int allow_nonfinite; /* NaN read as 0 with a warning; default an error */
    const char *const
        *also;     /* further label columns of obs or the TSV, kept under their own names */
    size_t n_also; /* at most GRN_COUNTS_ALSO_MAX; columns that do not exist are left out */
};

/* Options shared by all tools that read a matrix: fills `opt` from a table slice (see counts_opt.h
 * users in tools/). */
#define GRN_COUNTS_OPT_INIT { 0, 0, 0, 0, 0, 0, 0, GRN_DUP_SUM, GRN_ORIENT_AUTO, 0, 0, 0, 0 }
#define GRN_COUNTS_ALSO_MAX 8

grn_status grn_counts_load(const char *path, const grn_counts_opt_t *opt, grn_par_t *pool,
                           grn_matrix_t *m) GRN_MUST_USE;

/* Joins the labels of opt->cells_tsv to the rows of m, of which only names and attributes are looked at: a container is labelled
 * without being read whole. path: for messages. GRN_EEMPTY: no row is in the table. */
grn_status grn_counts_label(const char *path, const grn_counts_opt_t *opt, grn_matrix_t *m) GRN_MUST_USE;

/* The option rows every matrix-reading tool shows under "Input": put GRN_COUNTS_OPTIONS(var) in its
 * table, where `var` is a static grn_counts_cli_t; grn_counts_cli turns it into options. */
typedef struct {
    const char *layer, *gene_column, *feature_type, *genome, *cells_tsv, *cell_type, *donor, *dup,
        *orient;
    int allow_nonfinite;
} grn_counts_cli_t;
#define GRN_COUNTS_CLI_INIT { 0, 0, 0, 0, 0, 0, 0, "sum", "auto", 0 }
#define GRN_COUNTS_OPTIONS(c) \
    GRN_OPT_STR(0, "cells", "TSV", &(c).cells_tsv, \
                "cell labels: a TSV with a header, first column the barcode"), \
        GRN_OPT_STR(0, "cell-type", "COLUMN", &(c).cell_type, \
                    "column of the cell type [the usual names]"), \
        GRN_OPT_STR(0, "donor", "COLUMN", &(c).donor, "column of the donor [the usual names]"), \
        GRN_OPT_STR(0, "layer", "NAME", &(c).layer, \
                    "h5ad or loom layer to read; raw, X [counts where found]"), \
        GRN_OPT_STR(0, "gene-names", "COLUMN", &(c).gene_column, \
                    "feature column to take gene names from [symbols]"), \
        GRN_OPT_STR(0, "feature-type", "NAME", &(c).feature_type, \
                    "10x feature type to read [Gene Expression]"), \
        GRN_OPT_STR(0, "genome", "NAME", &(c).genome, "10x v2 genome to read"), \
        GRN_OPT_ENUM(0, "duplicate-genes", "sum|unique|error", &(c).dup, "gene names seen twice"), \
        GRN_OPT_ENUM(0, "orient", "auto|cells|genes", &(c).orient, \
                     "what the rows of a csv/tsv are"), \
        GRN_OPT_FLAG(0, "allow-nonfinite", &(c).allow_nonfinite, \
                     "read NaN as 0 instead of failing")
grn_status grn_counts_cli(const grn_counts_cli_t *cli, grn_counts_opt_t *opt) GRN_MUST_USE;

#endif
