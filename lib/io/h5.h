/* HDF5, checked and quiet: every failure is one line that names the file and the object; HDF5's own
 * error stack is never printed.
 *
 * HDF5 is not thread safe as distributions build it: all of this belongs to one thread at a time
 * (the main thread). Decoders for LZF (h5py's 32000) and Zstandard (32015) are registered here, so
 * files using them need no plugin; other filters need HDF5's plugin and are named when it is
 * missing. Object paths are relative to the root ("raw/X/data"). */
#ifndef GRN_IO_H5_H
#define GRN_IO_H5_H

#include <stddef.h>
#include <stdint.h>

#include <hdf5.h>

#include "base/err.h"
#include "base/str.h"
#include "io/raw.h"

typedef struct {
    hid_t file;
    hid_t loc;  /* where object names begin: the file, or the group entered */
    char *path; /* for messages */
} grn_h5_t;

void grn_h5_init(void); /* silences HDF5 and registers the decoders; called by the functions here */

/* A temporary file in TMPDIR with a name, which HDF5 insists on: to be unlinked by the caller once
 * HDF5 has it open. */
grn_status grn_h5_tmp(grn_str_t *name, int *fd) GRN_MUST_USE;

/* 1 if the file is HDF5 (its signature may stand behind a user block), else 0. */
int grn_h5_sniff(const char *path);
/* Opens for reading; "-" (stdin, read from its start when it is a file) is copied to TMPDIR first.
 * GRN_ETRUNC for a file shorter than its superblock says, GRN_EFORMAT for one that is no HDF5. */
grn_status grn_h5_open(grn_h5_t *h, const char *path) GRN_MUST_USE;
void grn_h5_close(grn_h5_t *h); /* accepts a zeroed one */
/* From now on object names begin at this group (a modality of a MuData file). */
grn_status grn_h5_enter(grn_h5_t *h, const char *group) GRN_MUST_USE;

typedef enum { GRN_H5_NONE, GRN_H5_GROUP, GRN_H5_DATASET } grn_h5_kind;
grn_h5_kind grn_h5_kind_of(const grn_h5_t *h, const char *obj);

/* Names of a group's members in name order (appended to out). */
grn_status grn_h5_members(const grn_h5_t *h, const char *group, grn_list_t *out) GRN_MUST_USE;

/* Attributes of an object ("/" is the root): 1 = read, 0 = absent or of another kind, < 0 = error.
 * Strings of any form; integers of any width, up to max of them. */
int grn_h5_attr_str(const grn_h5_t *h, const char *obj, const char *name, grn_str_t *out);
int grn_h5_attr_i64(const grn_h5_t *h, const char *obj, const char *name, int64_t *v, size_t max,
                    size_t *n);
/* Strings of a 1-D string attribute, appended. */
int grn_h5_attr_list(const grn_h5_t *h, const char *obj, const char *name, grn_list_t *out);

/* An open dataset. Numbers are read as double or int64 (exact up to 2^53 for double) in blocks;
 * `block` is a number of elements (1-D) or rows (2-D) that suits its chunks. */
typedef struct {
    const grn_h5_t *h;
    hid_t id, type;
    char *name;
    int n_dim;
    uint64_t dim[2];
    uint64_t block;
    H5T_class_t cls;
} grn_h5_ds_t;

/* n_dim: 0 scalar, 1, 2 or -1 = any up to 2; another rank is GRN_EFORMAT. */
grn_status grn_h5_ds_open(grn_h5_ds_t *d, const grn_h5_t *h, const char *name,
                          int n_dim) GRN_MUST_USE;
void grn_h5_ds_close(grn_h5_ds_t *d);
int grn_h5_ds_is_number(const grn_h5_ds_t *d); /* integer, float, or bool (enum) */
/* Elements [off, off+n) of a 1-D dataset, or all columns of rows [off, off+n) of a 2-D one. */
grn_status grn_h5_read_f64(const grn_h5_ds_t *d, uint64_t off, uint64_t n,
                           double *out) GRN_MUST_USE;
grn_status grn_h5_read_i64(const grn_h5_ds_t *d, uint64_t off, uint64_t n,
                           int64_t *out) GRN_MUST_USE;
/* A whole 1-D integer dataset, malloc'ed. */
grn_status grn_h5_load_i64(const grn_h5_t *h, const char *name, int64_t **out,
                           uint64_t *n) GRN_MUST_USE;

/* A whole 1-D dataset as text, appended: strings of any form (padding removed), or numbers and
 * booleans spelled out ("3", "0.5", "True", "" for NaN). field: a member of a compound dataset;
 * NULL: the dataset itself. */
grn_status grn_h5_load_text(const grn_h5_t *h, const char *name, const char *field,
                            grn_list_t *out) GRN_MUST_USE;
/* Member names of a compound dataset, appended; 0 members if it is not compound. */
grn_status grn_h5_fields(const grn_h5_t *h, const char *name, grn_list_t *out) GRN_MUST_USE;
/* A whole integer member of a compound dataset. GRN_EFORMAT if it is no integer. */
grn_status grn_h5_field_i64(const grn_h5_t *h, const char *name, const char *field, int64_t **out,
                            uint64_t *n) GRN_MUST_USE;

/* A compressed sparse matrix GROUP/{data,indices,indptr} of n_major x n_minor into raw (rows =
 * major), every index checked. In h5_sparse.c. */
grn_status grn_h5_load_compressed(const grn_h5_t *h, const char *group, uint64_t n_major,
                                  uint64_t n_minor, grn_raw_t *raw) GRN_MUST_USE;

/* A dense 2-D dataset into raw (rows as stored, zeros left out), in blocks of rows. In h5_sparse.c.
 */
grn_status grn_h5_load_dense(const grn_h5_t *h, const char *name, grn_raw_t *raw) GRN_MUST_USE;

/* GRN_EFORMAT (or GRN_ETRUNC, GRN_EUNSUP for a missing filter) with "'PATH': text (HDF5: its
 * deepest message)". */
grn_status grn_h5_fail(const grn_h5_t *h, const char *fmt, ...) GRN_PRINTF(2, 3);

#endif
