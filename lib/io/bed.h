/* BED, narrowPeak and any table whose first three columns are chromosome, start, end; and the region set made of one.
 *
 * Coordinates are 0-based half-open. Tabs, or runs of blanks where a line has no tab; extra columns are ignored; empty lines,
 * "#", "track" and "browser" lines and one header line (its second field is no number) are skipped. Plain, gzip, zstd, stdin
 * (io/text.h). */
#ifndef GRN_IO_BED_H
#define GRN_IO_BED_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/names.h"

/* The records of a file, in file order, duplicates kept. */
typedef struct {
    size_t n;
    uint32_t *chrom;     /* (n) into chroms */
    uint64_t *start;     /* (n) */
    uint64_t *end;       /* (n), > start */
    uint32_t *label;     /* (n) into labels: column 4; UINT32_MAX: "." or no such column */
    float *score;        /* (n) column 5; NaN: none or not a number */
    int8_t *strand;      /* (n) column 6: +1, -1, 0 */
    grn_names_t chroms;  /* in order of appearance */
    grn_names_t labels;
} grn_bed_t;

void grn_bed_clear(grn_bed_t *b);
/* GRN_EFORMAT with path and line: fewer than three columns, a coordinate that is no number, end <= start. An empty file gives n
 * = 0. */
grn_status grn_bed_load(const char *path, grn_bed_t *b) GRN_MUST_USE;

/* A set of distinct regions named "chrom:start-end", with an index for overlap queries. Order = that of the input, duplicates
 * removed. */
typedef struct {
    size_t n;
    grn_names_t names;      /* (n) "chrom:start-end" */
    grn_names_t chroms;     /* in order of appearance */
    uint32_t *chrom;        /* (n) into chroms */
    uint64_t *start, *end;  /* (n) */
    uint64_t n_duplicate;   /* input rows dropped because the interval was there already */
    /* the index: regions sorted by (chrom, start, end, input order) */
    uint32_t *order;        /* (n) sorted place -> region */
    uint64_t *chrom_off;    /* (chroms.n + 1) places of a chromosome */
    uint64_t *sorted_start; /* (n) by place */
    uint64_t *tree;         /* per chromosome, a tree of maximal ends over its places */
    uint64_t *tree_off;     /* (chroms.n + 1) into tree */
} grn_regions_t;

void grn_regions_clear(grn_regions_t *r);
grn_status grn_regions_load(const char *path, grn_regions_t *r) GRN_MUST_USE;            /* a BED file */
grn_status grn_regions_from_bed(const grn_bed_t *b, grn_regions_t *r) GRN_MUST_USE;
/* From names "chrom:start-end", "chrom-start-end" or "chrom_start_end" (matrix columns), same order; the names are kept as they
 * are spelled. GRN_EFORMAT names the first that is not of this form; duplicates of one interval are GRN_EFORMAT too. */
grn_status grn_regions_from_names(const grn_names_t *names, grn_regions_t *r) GRN_MUST_USE;

/* Regions of chromosome index `chrom` that overlap [start, end) by at least 1 bp, ascending by (start, end). Writes the first
 * `cap` of them and returns how many there are (call again with more room when it exceeds cap). Thread safe. O(log n + hits). */
size_t grn_regions_overlap(const grn_regions_t *r, size_t chrom, uint64_t start, uint64_t end, uint32_t *out, size_t cap);

#endif
