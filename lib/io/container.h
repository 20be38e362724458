/* The one binary file of the tools: a safetensors file inside zstd frames, with a seek table
 * (docs/formats.md, grn-container(5)).
 *
 * Decompressed: u64 header length, JSON header, tensor data; tensors ordered by element size
 * descending, then name. Compressed: frame 0 holds the safetensors header; each tensor's data
 * follows in independent frames of 4 MiB, or less where rows are looked up one by one
 * (uncompressed; the last of each tensor may be shorter), with content checksums; then a skippable
 * frame with the XXH3-64 of every frame's *compressed* bytes, and the zstd seekable-format table.
 * Every byte of the file is covered by a check: a cut, extended or flipped file is refused, never
 * half read.
 *
 * A grn_cw_t or grn_cr_t belongs to one thread at a time; (de)compression runs on the pool given
 * (NULL: serial). File bytes do not depend on the pool. */
#ifndef GRN_IO_CONTAINER_H
#define GRN_IO_CONTAINER_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/names.h"
#include "base/par.h"

typedef enum {
    GRN_U8,
    GRN_I8,
    GRN_U16,
    GRN_I16,
    GRN_U32,
    GRN_I32,
    GRN_U64,
    GRN_I64,
    GRN_F32,
    GRN_F64,
    GRN_F16,
    GRN_BF16,
    GRN_BOOL
} grn_dtype;
size_t grn_dtype_size(grn_dtype t);
const char *grn_dtype_name(grn_dtype t); /* safetensors spelling: "U8", "F32" ... */

#define GRN_MAX_DIM 4
typedef struct {
    char *name;
    grn_dtype dtype;
    int n_dim; /* 0..4 */
    uint64_t shape[GRN_MAX_DIM];
    uint64_t off, n_bytes; /* within the safetensors data section */
} grn_tensor_info_t;

/* ---- writing ---- */
typedef struct grn_cw_s grn_cw_t;

/* Starts a file of `schema` ("grn.matrix/1"). Standard metadata (tool, version, command, seed,
 * provenance of inputs registered with grn_prov_input) is filled in from base and io/prov.h. path
 * "-" = stdout (refused on a terminal). */
grn_status grn_cw_open(grn_cw_t **w, const char *path, const char *schema,
                       grn_par_t *pool) GRN_MUST_USE;
grn_status grn_cw_meta(grn_cw_t *w, const char *key, const char *value)
    GRN_MUST_USE; /* string metadata; same key twice: GRN_EINVAL */

/* Uncompressed bytes of the frames of tensors begun from now on: a power of two from 4 KiB to 4 MiB
 * (the default). A read of one row decodes a whole frame, so small frames make random access fast;
 * each costs 20 bytes of tables and a little compression. */
#define GRN_CW_FRAME_ROWS ((size_t)64 << 10) /* where single rows are looked up */
#define GRN_CW_FRAME_PARTS ((size_t)1 << 20) /* where some of the rows are, and repeats are far apart */
grn_status grn_cw_frame(grn_cw_t *w, size_t n_bytes) GRN_MUST_USE;

/* A whole tensor; data is copied (compressed) before the call returns. */
grn_status grn_cw_tensor(grn_cw_t *w, const char *name, grn_dtype t, int n_dim,
                         const uint64_t *shape, const void *data) GRN_MUST_USE;
grn_status grn_cw_vec(grn_cw_t *w, const char *name, grn_dtype t, uint64_t n,
                      const void *data) GRN_MUST_USE; /* rank 1 */
grn_status grn_cw_names(grn_cw_t *w, const char *name,
                        const grn_names_t *d) GRN_MUST_USE; /* U8, one name per line */

/* A tensor of unknown length, written in pieces: begin gives an id (several may be open at once),
 * append adds bytes in order, end fixes the shape (its product must equal the bytes appended).
 * Compressed frames go to a temporary file: memory stays bounded. grn_cw_widen: an integer tensor
 * under construction becomes the wider type `t` (U8->U16->U32->F32 ...): what was appended is
 * converted. */
grn_status grn_cw_begin(grn_cw_t *w, const char *name, grn_dtype t, int *id) GRN_MUST_USE;
grn_status grn_cw_append(grn_cw_t *w, int id, const void *data, size_t n_bytes) GRN_MUST_USE;
grn_status grn_cw_widen(grn_cw_t *w, int id, grn_dtype t) GRN_MUST_USE;
grn_status grn_cw_end(grn_cw_t *w, int id, int n_dim, const uint64_t *shape) GRN_MUST_USE;

grn_status grn_cw_commit(grn_cw_t *w)
    GRN_MUST_USE;               /* writes, syncs, renames; frees w in any case */
void grn_cw_abort(grn_cw_t *w); /* leaves nothing; frees; accepts NULL */

/* ---- reading ---- */
typedef struct grn_cr_s grn_cr_t;

/* Opens and checks header, frame index and seek table ("-" = stdin; pipes are spooled to an
 * unlinked temporary file, compressed). GRN_EFORMAT/GRN_ETRUNC with one clear line otherwise. Data
 * frames are checked when read. Registers the input for provenance. */
grn_status grn_cr_open(grn_cr_t **r, const char *path, grn_par_t *pool) GRN_MUST_USE;
void grn_cr_close(grn_cr_t *r); /* accepts NULL */

const char *grn_cr_path(const grn_cr_t *r);
const char *grn_cr_schema(const grn_cr_t *r); /* "grn.edges/1" */
/* GRN_EFORMAT unless the schema is `name` ("grn.edges") of major version <= `major`; a newer one is
 * named as such. */
grn_status grn_cr_expect(const grn_cr_t *r, const char *name, int major) GRN_MUST_USE;
const char *grn_cr_meta(const grn_cr_t *r, const char *key); /* NULL if absent; borrowed */
size_t grn_cr_n_meta(const grn_cr_t *r);
void grn_cr_meta_at(const grn_cr_t *r, size_t i, const char **key, const char **value);
size_t grn_cr_n_tensors(const grn_cr_t *r);
const grn_tensor_info_t *grn_cr_tensor_at(const grn_cr_t *r, size_t i);
const grn_tensor_info_t *grn_cr_find(const grn_cr_t *r, const char *name); /* NULL if absent */
/* Found, of this dtype and rank, else GRN_EFORMAT naming what was found. */
grn_status grn_cr_need(const grn_cr_t *r, const char *name, grn_dtype t, int n_dim,
                       const grn_tensor_info_t **info) GRN_MUST_USE;

/* Bytes [off, off+n) of a tensor into out: only the frames that hold them are read, in parallel on
 * the pool. */
grn_status grn_cr_read(grn_cr_t *r, const grn_tensor_info_t *t, uint64_t off, void *out,
                       size_t n) GRN_MUST_USE;
/* Elements [from, from + n) of a tensor, converted as grn_cr_load_as does, into out. Several at once, of different tensors: their
 * frames are shared out to the pool together. */
typedef struct {
    const grn_tensor_info_t *t;
    uint64_t from, n;
    grn_dtype as;
    void *out;
} grn_cr_part_t;
#define GRN_CR_MAX_PARTS 4
grn_status grn_cr_read_parts(grn_cr_t *r, const grn_cr_part_t *parts, size_t n) GRN_MUST_USE;
/* Whole tensor, malloc'ed. */
grn_status grn_cr_load(grn_cr_t *r, const grn_tensor_info_t *t, void **out) GRN_MUST_USE;
/* Whole tensor of any integer or float type, converted to the type asked for (u8/u16/u32/f32 ... ->
 * F32, U32, U64, F64); GRN_EFORMAT when a value does not fit. malloc'ed. */
grn_status grn_cr_load_as(grn_cr_t *r, const grn_tensor_info_t *t, grn_dtype as,
                          void **out) GRN_MUST_USE;
grn_status grn_cr_load_names(grn_cr_t *r, const char *name, grn_names_t *d) GRN_MUST_USE;
/* Reads and checks every frame; for grn-view --check. */
grn_status grn_cr_check(grn_cr_t *r) GRN_MUST_USE;

/* 1 if the first bytes of the file are a zstd frame as our containers start; 0 otherwise (also for
 * "-"). */
int grn_cr_sniff(const char *path);

#endif
