/* The readers behind grn_counts_load, one per format, and what they share about names of columns.
 * Each fills a zeroed grn_raw_t and fails with one line that names the file; on failure raw may be
 * partly filled (grn_raw_clear frees it). Single thread. */
#ifndef GRN_IO_READERS_H
#define GRN_IO_READERS_H

#include "io/counts.h"
#include "io/raw.h"
#include "io/text.h"

grn_status grn_h5ad_read(const char *path, const grn_counts_opt_t *opt,
                         grn_raw_t *raw) GRN_MUST_USE;
grn_status grn_tenx_read(const char *path, const grn_counts_opt_t *opt,
                         grn_raw_t *raw) GRN_MUST_USE;
grn_status grn_loom_read(const char *path, const grn_counts_opt_t *opt,
                         grn_raw_t *raw) GRN_MUST_USE;
/* path: a folder or a .mtx file. */
grn_status grn_mtx_read(const char *path, const grn_counts_opt_t *opt, grn_raw_t *raw) GRN_MUST_USE;
grn_status grn_table_read(const char *path, const grn_counts_opt_t *opt,
                          grn_raw_t *raw) GRN_MUST_USE;

/* Columns that go by many names: compared in lower case with all but letters and digits left out
 * ("Cell Type" = "cell_type"). */
typedef enum {
    GRN_USUAL_CELL_TYPE,
    GRN_USUAL_DONOR,
    GRN_USUAL_SYMBOL,
    GRN_USUAL_ID,
    GRN_USUAL_FEATURE_TYPE,
    GRN_USUAL_GENOME,
    GRN_USUAL_CELL,
    GRN_USUAL_COUNTS_LAYER
} grn_usual;
#define GRN_NO_COLUMN ((size_t)-1)
/* Index of the column that stands first in the list of usual names; GRN_NO_COLUMN if none is there.
 */
size_t grn_usual_column(const grn_list_t *columns, grn_usual which);
/* The column asked for (GRN_EINVAL naming the columns there are), or the usual one, or
 * GRN_NO_COLUMN. `what`: "cell type" in messages. */
grn_status grn_pick_column(const char *path, const grn_list_t *columns, const char *asked,
                           grn_usual which, const char *what, size_t *col) GRN_MUST_USE;

int grn_is_ensembl(const char *name); /* "ENSG00000243485", "ENSMUSG...", with or without ".5" */
int grn_mostly_ensembl(const grn_list_t *names); /* more than half; 0 for an empty list */
int grn_is_missing(const char *label);           /* "", "NA", "NaN", "nan", "None", "<NA>" */

/* 1 if all that is there is True or False: a column of flags, no cell types, unless it was asked
 * for by name. */
int grn_labels_boolean(const grn_list_t *text);

/* Labels as codes: levels in bytewise order, missing = -1. *code malloc'ed. */
grn_status grn_labels_code(const grn_list_t *text, int32_t **code,
                           grn_names_t *levels) GRN_MUST_USE;

/* Joins a table of labels (TSV or CSV with a header, barcode first) to raw->row: fills
 * raw->cell_type and raw->donor. Exact barcodes first; when fewer than half of the cells are found,
 * barcodes without their "-1" suffix. No cell found: GRN_EEMPTY. Counts go to the log. */
grn_status grn_labels_join(grn_raw_t *raw, const char *counts_path,
                           const grn_counts_opt_t *opt) GRN_MUST_USE;

/* 10x formats: --gene-names id|name and what scanpy and Seurat call them; swaps raw->col and
 * raw->col_id for ids. */
grn_status grn_tenx_pick_names(const char *path, const grn_counts_opt_t *opt,
                               grn_raw_t *raw) GRN_MUST_USE;

/* Separator of a header line: tab, else comma, else semicolon, else blank. */
char grn_separator(const char *line);

#endif
