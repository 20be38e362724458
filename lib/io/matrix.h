/* The one matrix of the tools: cells x features (genes, regions, regulons), CSR or dense, float32,
 * with names and attributes.
 *
 * Invariants: exactly one of (indptr, indices, data) and `dense` is used (is_dense tells); indices
 * ascend within a row and are < n_cols; values are finite; zeros are not stored in CSR; row and col
 * names are unique. Counts above 2^24 are refused by readers (not exact in float32). A zeroed
 * grn_matrix_t is empty. Letters: C cells (rows), G features (columns). */
#ifndef GRN_IO_MATRIX_H
#define GRN_IO_MATRIX_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/names.h"
#include "base/par.h"

/* One attribute of rows or columns: numbers, or codes into levels (categories). Missing: NaN, or
 * code -1. */
typedef struct {
    char *name;         /* "cell_type", "donor", "n_counts", "chrom", "gene_id" */
    double *num;        /* (n) or NULL */
    int32_t *code;      /* (n) or NULL */
    grn_names_t levels; /* when code */
} grn_attr_t;

typedef struct {
    grn_attr_t *a;
    size_t n;
} grn_attrs_t;

typedef struct {
    uint64_t n_rows, n_cols;
    int is_dense;
    uint64_t *indptr;  /* (n_rows + 1) */
    uint32_t *indices; /* (indptr[n_rows]) */
    float *data;       /* (indptr[n_rows]) */
    float *dense;      /* (n_rows, n_cols) row-major */
    grn_names_t row, col;
    grn_attrs_t row_attr, col_attr;
} grn_matrix_t;

void grn_matrix_clear(grn_matrix_t *m); /* frees; accepts zeroed */

/* Attributes: find (NULL if absent), add (takes ownership of num/code/levels' content on success;
 * same name replaces). */
const grn_attr_t *grn_attr_find(const grn_attrs_t *as, const char *name);
grn_status grn_attr_add_num(grn_attrs_t *as, const char *name, double *num) GRN_MUST_USE;
grn_status grn_attr_add_code(grn_attrs_t *as, const char *name, int32_t *code,
                             grn_names_t *levels) GRN_MUST_USE;
grn_status grn_attrs_dup(grn_attrs_t *out, const grn_attrs_t *in, uint64_t n) GRN_MUST_USE;
/* The same attributes for a subset/permutation of rows: pick[k] = old index. */
grn_status grn_attrs_pick(grn_attrs_t *out, const grn_attrs_t *in, const uint32_t *pick,
                          uint64_t n_pick) GRN_MUST_USE;
void grn_attrs_clear(grn_attrs_t *as, uint64_t n);

grn_status grn_matrix_to_csr(grn_matrix_t *m) GRN_MUST_USE;   /* in place; no-op for CSR */
grn_status grn_matrix_to_dense(grn_matrix_t *m) GRN_MUST_USE; /* in place; no-op for dense */
grn_status grn_matrix_transpose(const grn_matrix_t *m, grn_matrix_t *out)
    GRN_MUST_USE; /* CSR only; names and attrs swapped, copied */
/* Rows or columns by index, in the order given (distinct). CSR or dense. out must be empty. */
grn_status grn_matrix_pick_rows(const grn_matrix_t *m, const uint32_t *pick, uint64_t n,
                                grn_matrix_t *out) GRN_MUST_USE;
grn_status grn_matrix_pick_cols(const grn_matrix_t *m, const uint32_t *pick, uint64_t n,
                                grn_matrix_t *out) GRN_MUST_USE;
/* Row i: CSR borrowed pointers (n_nz, idx, val); for dense use m->dense + i * n_cols. */
static inline void grn_matrix_row(const grn_matrix_t *m, uint64_t i, size_t *n_nz,
                                  const uint32_t **idx, const float **val)
{
    *n_nz = (size_t)(m->indptr[i + 1] - m->indptr[i]);
    *idx = m->indices + m->indptr[i];
    *val = m->data + m->indptr[i];
}
/* Checks the invariants; GRN_EFORMAT with the first violation. */
grn_status grn_matrix_validate(const grn_matrix_t *m) GRN_MUST_USE;

/* ---- the container form, schema grn.matrix/1 ---- */
/* Writes to path; dtype of data = the narrowest exact one (u8, u16, u32, f32); indices u16 when
 * n_cols < 65,536. */
grn_status grn_matrix_save(const grn_matrix_t *m, const char *path, grn_par_t *pool) GRN_MUST_USE;
/* Reads a container (path "-" allowed). For any other format use grn_counts_load in io/counts.h. */
grn_status grn_matrix_load(const char *path, grn_par_t *pool, grn_matrix_t *m) GRN_MUST_USE;

/* Streaming writer: rows are appended in blocks that share columns; memory O(block). Column names
 * and attributes at open; row names and attributes with each block (every block must carry the same
 * row attributes, with the same levels first). */
typedef struct grn_mw_s grn_mw_t;
grn_status grn_mw_open(grn_mw_t **w, const char *path, const grn_names_t *col,
                       const grn_attrs_t *col_attr, int is_dense, grn_par_t *pool) GRN_MUST_USE;
grn_status grn_mw_meta(grn_mw_t *w, const char *key, const char *value) GRN_MUST_USE;
grn_status grn_mw_append(grn_mw_t *w, const grn_matrix_t *block) GRN_MUST_USE;
grn_status grn_mw_commit(grn_mw_t *w) GRN_MUST_USE; /* frees w in any case */
void grn_mw_abort(grn_mw_t *w);

/* Streaming reader: names and attributes of the whole at open, then row blocks. Containers are read
 * block by block; other formats (grn_mr_open accepts whatever grn_counts_load accepts) are loaded
 * whole and handed out in blocks. */
typedef struct grn_mr_s grn_mr_t;
typedef struct grn_counts_opt_s grn_counts_opt_t; /* io/counts.h */
grn_status grn_mr_open(grn_mr_t **r, const char *path, const grn_counts_opt_t *opt,
                       grn_par_t *pool) GRN_MUST_USE;
const grn_matrix_t *grn_mr_info(
    const grn_mr_t *r); /* n_rows, n_cols, names, attributes, is_dense; no values */
/* Next block of at most max_rows rows (row names, attributes and columns filled in; `block` is
 * cleared first): 1 = got one, 0 = end, < 0 = grn_status error. */
int grn_mr_next(grn_mr_t *r, uint64_t max_rows, grn_matrix_t *block);
/* A block of rows as it is stored: a sparse container's values and columns in their own types, without names. Zeroed: empty; its
 * memory is used again for the next block. Rows may be unpacked by several threads at once. */
typedef struct {
    const char *path;               /* for messages; borrowed from the reader */
    uint64_t n_rows, n_cols, first; /* first: the row of the matrix that is row 0 here */
    const uint64_t *indptr;         /* (n_rows + 1) of the whole matrix; borrowed from the reader */
    int index_type, value_type;     /* grn_dtype */
    void *index, *value;
    size_t index_cap, value_cap; /* bytes */
} grn_packed_t;
/* 1 if grn_mr_next_packed can be used: a sparse container. */
int grn_mr_is_packed(const grn_mr_t *r);
/* The next rows, at most max_rows and, if the first of them allows it, at most max_values values: 1 = got some, 0 = end, < 0 =
 * grn_status error. */
int grn_mr_next_packed(grn_mr_t *r, uint64_t max_rows, uint64_t max_values, grn_packed_t *b);
/* Row i: columns and values, n of them, into idx and val (room for n_cols). GRN_EFORMAT when they break the invariants above. */
grn_status grn_packed_row(const grn_packed_t *b, uint64_t i, size_t *n, uint32_t *idx, float *val) GRN_MUST_USE;
void grn_packed_clear(grn_packed_t *b); /* frees; accepts zeroed */
grn_status grn_mr_rewind(grn_mr_t *r) GRN_MUST_USE;
grn_status grn_mr_seek(grn_mr_t *r, uint64_t row)
    GRN_MUST_USE; /* the next block starts at this row (0..n_rows); only its frames are read */
/* From now on blocks of a container come without attributes and column names (copying a million names for a few rows costs more
 * than the rows). */
void grn_mr_bare(grn_mr_t *r);
/* Metadata of a container; NULL if absent or in another format. Borrowed. */
const char *grn_mr_meta(const grn_mr_t *r, const char *key);
/* The container itself; NULL for other formats. Borrowed. */
const struct grn_cr_s *grn_mr_container(const grn_mr_t *r);
void grn_mr_close(grn_mr_t *r);

#endif
