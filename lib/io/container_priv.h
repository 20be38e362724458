/* What the two halves of the container share: the bytes of docs/formats.md, the JSON header, number
 * conversion. Private to lib/io. */
#ifndef GRN_IO_CONTAINER_PRIV_H
#define GRN_IO_CONTAINER_PRIV_H

#include "base/str.h"
#include "io/container.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the container is little-endian and is written from memory as it is"
#endif

#define GRN_CONTAINER_FRAME ((size_t)4 << 20) /* uncompressed bytes of a data frame, at most */
#define GRN_CONTAINER_FRAME_MIN ((size_t)4 << 10)
#define GRN_CONTAINER_HEADER_MAX 100000000    /* bytes of JSON, as the safetensors package allows */
#define GRN_CONTAINER_LEVEL 3                 /* zstd level */
#define GRN_CONTAINER_INDEX_MAGIC 0x184D2A5Du /* skippable frame: hashes of the compressed bytes \
                                               */
#define GRN_CONTAINER_TABLE_MAGIC 0x184D2A5Eu /* skippable frame: the seek table */
#define GRN_CONTAINER_FOOTER_MAGIC 0x8F92EAB1u /* last four bytes of the file */
#define GRN_CONTAINER_INDEX_WORD "GRNINDEX"
#define GRN_CONTAINER_INDEX_VERSION 1
#define GRN_CONTAINER_INDEX_N(n) (40 + 8 * (uint64_t)(n)) /* bytes of the index frame of n frames \
                                                           */
#define GRN_CONTAINER_TABLE_N(n) \
    (8 + 12 * ((uint64_t)(n) + 1) + 9) /* bytes of the seek table of n frames and the index */

/* One entry of the seek table. */
typedef struct {
    uint32_t c_size, d_size;
    uint32_t check; /* low half of the XXH64 of the uncompressed bytes; also the last four bytes of
                       the frame */
} grn_seek_entry_t;

/* The safetensors header. */
typedef struct {
    grn_tensor_info_t *t; /* by offset, then name */
    size_t n, cap;
    char **key, **value; /* __metadata__ */
    size_t n_meta, meta_cap;
} grn_header_t;

void grn_header_clear(grn_header_t *h);
grn_status grn_header_meta(grn_header_t *h, const char *key,
                           const char *value) GRN_MUST_USE; /* copied; GRN_EINVAL if it exists */
const char *grn_header_find_meta(const grn_header_t *h, const char *key);
/* Orders the tensors (element size descending, then name), sets their offsets and appends the 8
 * length bytes and the padded JSON to out. */
grn_status grn_header_build(grn_header_t *h, grn_str_t *out) GRN_MUST_USE;
/* Reads n bytes of JSON; data_n: bytes of the data section, which the tensors must tile.
 * GRN_EFORMAT with the violation; h cleared. */
grn_status grn_header_parse(grn_header_t *h, const char *json, size_t n,
                            uint64_t data_n) GRN_MUST_USE;

/* Elements of a shape, or GRN_EFORMAT when product or bytes overflow. */
grn_status grn_shape_bytes(grn_dtype t, int n_dim, const uint64_t *shape,
                           uint64_t *n_bytes) GRN_MUST_USE;

/* n numbers of type `from` to type `to`; src and dst do not overlap. Integers must fit exactly; F64
 * and wider are rounded to F32. GRN_EFORMAT names the first value that does not fit; GRN_EUNSUP for
 * types without conversion (to F16, BF16, BOOL). */
grn_status grn_dtype_convert(grn_dtype from, const void *src, grn_dtype to, void *dst,
                             size_t n) GRN_MUST_USE;

#endif
