/* What the reader of one matrix format hands over before names, feature types and policy are
 * settled (counts.c does that).
 *
 * Values go in through grn_raw_value, which keeps account of what is no count. Rows are cells; a
 * reader of a features x cells file transposes with grn_raw_transpose. Names may repeat here. */
#ifndef GRN_IO_RAW_H
#define GRN_IO_RAW_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* An ordered list of strings, repeats allowed. A zeroed one is empty. */
typedef struct {
    char *buf; /* NUL-terminated, back to back */
    size_t n_buf, cap_buf;
    size_t *off;
    size_t n, cap_off;
} grn_list_t;

grn_status grn_list_add(grn_list_t *l, const char *s, size_t n) GRN_MUST_USE;
static inline const char *grn_list_get(const grn_list_t *l, size_t i)
{
    return l->buf + l->off[i];
}
/* Index of the first string equal to s, or (size_t)-1; linear. */
size_t grn_list_find(const grn_list_t *l, const char *s);
void grn_list_clear(grn_list_t *l);
/* "a, b, c ... (12 in all)" of at most `max` strings, for messages; returns buf. */
const char *grn_list_show(const grn_list_t *l, size_t max, char *buf, size_t cap);

/* One kind of unusual value: how many, and the first one. */
typedef struct {
    uint64_t n, where; /* line, element or row of the first */
    double first;
} grn_odd_t;

typedef struct {
    const char *format;  /* "10x HDF5 (v3)", "h5ad X" ...: literal or kept in `text` */
    char text[256];      /* buffer for format or object names made at run time */
    char where_word[64]; /* what `where` counts: "line", "'X/data' element", ... */
    uint64_t n_rows, n_cols;
    uint64_t *indptr;  /* (n_rows + 1) */
    uint32_t *indices; /* (nnz) columns; any order, repeats allowed before grn_raw_tidy */
    float *data;       /* (nnz) */
    grn_list_t row;    /* barcodes (n_rows) */
    grn_list_t col;    /* feature names (n_cols) */
    grn_list_t col_id, col_type, col_genome; /* (n_cols) or empty */
    grn_list_t cell_type, donor;             /* (n_rows) or empty; "" = missing */
    grn_list_t also[8]; /* (n_rows) or empty: further label columns (GRN_COUNTS_ALSO_MAX) */
    char cell_type_from[64], donor_from[64]; /* columns they come from */
    grn_odd_t nan, infinite, negative, fraction,
        big; /* infinite: also what overflows float32; big: integers above 2^24 */
} grn_raw_t;

void grn_raw_clear(grn_raw_t *r);

float grn_raw_odd(grn_raw_t *r, double v, uint64_t where);
/* The value as stored: NaN, infinities and what overflows float32 are counted and become 0. */
static inline float grn_raw_value(grn_raw_t *r, double v, uint64_t where)
{
    if (v >= 0 && v <= 16777216.0 && v == (double)(uint32_t)v) return (float)v;
    return grn_raw_odd(r, v, where);
}
/* 1 if every value seen was a non-negative integer of at most 2^24 (NaN aside). */
int grn_raw_is_counts(const grn_raw_t *r);

/* Room for nnz values and n_rows + 1 row starts; GRN_ENOMEM. */
grn_status grn_raw_alloc(grn_raw_t *r, uint64_t n_rows, uint64_t n_cols, uint64_t nnz) GRN_MUST_USE;
/* Swaps rows and columns of the values only (lists stay); result rows are sorted. */
grn_status grn_raw_transpose(grn_raw_t *r) GRN_MUST_USE;
/* Sorts each row, adds repeated entries up, drops zeros. *n_dup (may be NULL): entries added to
 * another. */
grn_status grn_raw_tidy(grn_raw_t *r, uint64_t *n_dup) GRN_MUST_USE;
/* Column j becomes map[j] of n_new (UINT32_MAX: dropped); values only; tidies. */
grn_status grn_raw_map_cols(grn_raw_t *r, const uint32_t *map, uint64_t n_new) GRN_MUST_USE;
/* Row starts from per-row counts in indptr[1..n]: prefix sum in place. */
void grn_raw_prefix(uint64_t *indptr, uint64_t n_rows);

/* "1,234,567": returns buf (at least 32 bytes). */
char *grn_fmt_count(char *buf, uint64_t n);

#endif
