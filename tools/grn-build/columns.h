/* Columns (genes, regions) of a matrix that is stored and streamed by rows (cells): blocks of
 * columns are gathered in one pass over the file each, so memory is bounded by the block, not by
 * the matrix. */
#ifndef GRN_BUILD_COLUMNS_H
#define GRN_BUILD_COLUMNS_H

#include "base/par.h"
#include "io/counts.h"
#include "io/lowrank.h"
#include "stat/corr.h"

typedef enum {
    GRN_SCALE_LOGNORM, /* log(1 + 10,000 x / total of the cell) */
    GRN_SCALE_RAW,     /* as read */
    GRN_SCALE_BINARY   /* 1 where > 0 */
} grn_scale;
grn_scale grn_scale_parse(
    const char *word); /* "lognorm", "raw", "binary"; words come from an ENUM option */

typedef struct {
    grn_mr_t *mr;
    const char *path;         /* borrowed */
    const grn_matrix_t *info; /* names and attributes of the whole; borrowed from mr */
    grn_scale scale;
    uint32_t *cell; /* (rows) place among the cells used; UINT32_MAX: not used */
    size_t n_cells;
    uint64_t *col_nz;  /* (columns) cells used with a value other than 0 */
    int is_counts;     /* every value was a whole number >= 0 */
    grn_lowrank_t low;      /* a model instead of a matrix: columns are computed when asked for, rows cannot be had */
    grn_matrix_t low_names; /* info of a model */
    float *theta;           /* (low.K, n_cells) of the cells used */
    uint64_t n_passes; /* over the file */
} grn_colsrc_t;

grn_status grn_colsrc_open(grn_colsrc_t *s, const char *path, const grn_counts_opt_t *opt,
                           grn_scale scale, grn_par_t *pool) GRN_MUST_USE;
/* The same for a matrix or, in its place, a low-rank model of accessibility (grn.lowrank/1; its values as they are). */
grn_status grn_colsrc_open_any(grn_colsrc_t *s, const char *path, const grn_counts_opt_t *opt, grn_scale scale,
                               grn_par_t *pool) GRN_MUST_USE;
/* Says which rows are used and in which order: row[k] (n of them, distinct) is cell k; NULL: every
 * row in file order. Reads the matrix once and fills col_nz and is_counts.
 * GRN_ENONFINITE/GRN_EFORMAT: a negative value under lognorm. */
grn_status grn_colsrc_use(grn_colsrc_t *s, const uint32_t *row, size_t n) GRN_MUST_USE;
void grn_colsrc_close(grn_colsrc_t *s); /* accepts zeroed */

/* Calls fn for every row of the file that is used, in file order: n values at columns idx. Stops at
 * the first failure. GRN_EUNSUP: a model. */
typedef grn_status (*grn_row_fn)(void *ctx, const grn_colsrc_t *s, uint64_t row, size_t n,
                                 const uint32_t *idx, const float *val);
grn_status grn_colsrc_each(grn_colsrc_t *s, grn_row_fn fn, void *ctx) GRN_MUST_USE;

/* What the values of a row are divided by, and one of them (not 0) on the scale of s. */
double grn_colsrc_total(const grn_colsrc_t *s, size_t n, const float *val);
float grn_colsrc_value(const grn_colsrc_t *s, float x, double total);

/* Non-zero cells of each type: out[type * n_cols + column], code per row (-1: none). One pass. */
grn_status grn_colsrc_by_type(grn_colsrc_t *s, const int32_t *code, size_t n_types,
                              uint32_t *out) GRN_MUST_USE;

/* The columns asked for, scaled and ready for correlations; cells ascend within a column. */
typedef struct {
    size_t n;
    uint64_t *off; /* (n + 1) */
    uint32_t *idx; /* cell */
    float *val;
    grn_corr_cols_t corr;
} grn_colblock_t;

/* cols: n distinct column numbers. One pass over the file; O(non-zeros of the block). b must be
 * empty. Same bits for any order of rows in the file and any pool. */
grn_status grn_colblock_load(grn_colsrc_t *s, const uint32_t *cols, size_t n, grn_par_t *pool,
                             grn_colblock_t *b) GRN_MUST_USE;
/* The same without what correlations need: b->corr stays empty. */
grn_status grn_colblock_gather(grn_colsrc_t *s, const uint32_t *cols, size_t n, grn_par_t *pool,
                               grn_colblock_t *b) GRN_MUST_USE;
void grn_colblock_clear(grn_colblock_t *b);

/* How many of cols[begin..n) fit into `budget` bytes as one block: at least one. */
size_t grn_colblock_fit(const grn_colsrc_t *s, const uint32_t *cols, size_t begin, size_t n,
                        uint64_t budget);

#endif
