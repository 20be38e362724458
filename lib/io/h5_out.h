/* Writing HDF5: the parts that the h5ad and 10x writers share. HDF5 needs a seekable file, so it is
 * written to an unlinked temporary file in TMPDIR and copied to its place at commit (which also
 * makes "-" work). No times are stored: equal data gives equal bytes. One thread at a time. */
#ifndef GRN_IO_H5_OUT_H
#define GRN_IO_H5_OUT_H

#include <stddef.h>
#include <stdint.h>

#include <hdf5.h>

#include "base/err.h"
#include "base/file.h"
#include "base/names.h"
#include "io/matrix.h"

typedef struct {
    hid_t file;
    int fd; /* of the temporary file */
    grn_out_t *out;
    char *path; /* for messages */
} grn_h5o_t;

grn_status grn_h5o_open(grn_h5o_t *o, const char *path) GRN_MUST_USE;
grn_status grn_h5o_commit(grn_h5o_t *o)
    GRN_MUST_USE;                 /* closes, copies, renames; o is finished in any case */
void grn_h5o_abort(grn_h5o_t *o); /* accepts a zeroed or finished one */

grn_status grn_h5o_group(grn_h5o_t *o, const char *name) GRN_MUST_USE;

/* Attributes of an existing object ("/" is the root). */
grn_status grn_h5o_attr_str(grn_h5o_t *o, const char *obj, const char *name,
                            const char *value) GRN_MUST_USE; /* scalar vlen UTF-8 */
grn_status grn_h5o_attr_bool(grn_h5o_t *o, const char *obj, const char *name,
                             int value) GRN_MUST_USE; /* as h5py: enum FALSE, TRUE */
grn_status grn_h5o_attr_i64(grn_h5o_t *o, const char *obj, const char *name, const int64_t *v,
                            size_t n) GRN_MUST_USE;
grn_status grn_h5o_attr_list(grn_h5o_t *o, const char *obj, const char *name, const char *const *v,
                             size_t n) GRN_MUST_USE;
/* anndata's two attributes. */
grn_status grn_h5o_encoding(grn_h5o_t *o, const char *obj, const char *type,
                            const char *version) GRN_MUST_USE;

/* Whole datasets of rank 1, contiguous (strings) or chunked and deflated (numbers). `mem` is the
 * type of the data, `file` as stored. */
grn_status grn_h5o_vec(grn_h5o_t *o, const char *name, hid_t file, hid_t mem, const void *data,
                       uint64_t n) GRN_MUST_USE;
grn_status grn_h5o_names(grn_h5o_t *o, const char *name,
                         const grn_names_t *d) GRN_MUST_USE; /* vlen UTF-8 */
/* Fixed-length ASCII strings, NUL padded, as 10x writes them; get(ctx, i) gives string i. */
grn_status grn_h5o_fixed(grn_h5o_t *o, const char *name, uint64_t n,
                         const char *(*get)(const void *ctx, size_t i),
                         const void *ctx) GRN_MUST_USE;

/* A dataset that grows by appending elements (width 0: rank 1) or rows of `width` numbers (rank 2);
 * chunked, shuffled, deflated. */
typedef struct {
    hid_t ds, mem;
    uint64_t n, width;
} grn_h5o_grow_t;
grn_status grn_h5o_grow_open(grn_h5o_t *o, grn_h5o_grow_t *g, const char *name, hid_t file,
                             hid_t mem, uint64_t width) GRN_MUST_USE;
grn_status grn_h5o_grow_append(grn_h5o_t *o, grn_h5o_grow_t *g, const void *data,
                               uint64_t n) GRN_MUST_USE;
void grn_h5o_grow_close(grn_h5o_grow_t *g); /* accepts a zeroed one */

/* A matrix written by blocks of rows: the file, its two growing datasets (which the writer opens), and the row names and row starts
 * that are written at the end. Memory O(rows). */
typedef struct {
    grn_h5o_t o;
    const grn_names_t *col;      /* borrowed until commit */
    const grn_attrs_t *col_attr; /* borrowed until commit */
    grn_h5o_grow_t data, indices;
    grn_names_t row;
    int64_t *indptr; /* (n_rows + 1); dense rows have none */
    size_t n_rows, cap_indptr;
} grn_h5o_rows_t;
grn_status grn_h5o_rows_open(grn_h5o_rows_t *r, const char *path, const grn_names_t *col,
                             const grn_attrs_t *col_attr) GRN_MUST_USE;
/* Takes the names and row starts of a block. GRN_ESHAPE: other columns; GRN_EINVAL: a name that is there already. */
grn_status grn_h5o_rows_add(grn_h5o_rows_t *r, const grn_matrix_t *m) GRN_MUST_USE;
grn_status grn_h5o_rows_commit(grn_h5o_rows_t *r) GRN_MUST_USE; /* closes the datasets and the file; clear follows */
void grn_h5o_rows_clear(grn_h5o_rows_t *r);                     /* drops an uncommitted file; accepts a zeroed one */

#endif
