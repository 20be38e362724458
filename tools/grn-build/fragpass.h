/* One parallel pass over fragment files: lines are parsed, barcodes and chromosomes become numbers,
 * and batches of fragments are handed to the workers. What count, qc and peaks share.
 *
 * Reading, unpacking and parsing run at the speed of unpacking; nothing is kept. Batches arrive in no
 * particular order and concurrently: what is made of them must not depend on the order (integer sums,
 * or sorted at the end). Things kept per cell while cells are still being met: percell.h. */
#ifndef GRN_BUILD_FRAGPASS_H
#define GRN_BUILD_FRAGPASS_H

#include "base/names.h"
#include "base/par.h"

#define GRN_FRAG_NO_CHROM UINT32_MAX
#define GRN_FRAG_BATCH 256 /* fragments of a batch at most */

typedef struct {
    uint32_t chrom;      /* into `chroms`; GRN_FRAG_NO_CHROM */
    uint32_t cell;       /* into `cells` */
    uint32_t start, end; /* 0-based half-open; end > start */
    uint32_t count;      /* column 5: read pairs of this fragment; 1 when absent */
} grn_frag_t;

typedef struct {
    /* asked for */
    int strip_suffix;   /* "-1" at the end of a barcode is dropped */
    int listed_only;    /* `cells` is complete: fragments of other barcodes are counted, not handed out */
    int chroms_only;    /* `chroms` is complete: likewise (spelling reconciled by io/chrom.h) */
    int keep_no_chrom;  /* with chroms_only: fragments elsewhere are handed out too, as GRN_FRAG_NO_CHROM */
    const char *region; /* "chr22" or "chr22:1,000-2,000" (1-based, inclusive): only fragments overlapping it, through the .tbi;
                           NULL: all */
    /* filled: with names given before the first file when listed_only / chroms_only, else as they are met. The numbers
     * of names met on the way are unique but depend on scheduling: sort by name before anything is written. */
    grn_names_t cells, chroms;
    /* counted */
    uint64_t n_lines, n_fragments;           /* fragment lines read; handed out */
    uint64_t n_unlisted, n_no_chrom;         /* of barcodes that are not listed; on chromosomes that are not in `chroms` */
    uint64_t n_no_count;                     /* lines without a column 5 */
    grn_names_t lost_chroms, renamed_chroms; /* not in `chroms`; spelled differently; bytewise order */
    grn_names_t unlisted;                    /* the first few barcodes that were not listed, for messages */
} grn_fragpass_t;

void grn_fragpass_clear(grn_fragpass_t *p);

/* Called concurrently by the workers of the pool. 1 <= n <= GRN_FRAG_BATCH. */
typedef grn_status (*grn_fragpass_fn)(void *ctx, const grn_frag_t *f, size_t n, int worker);

/* Passes one file: bgzip, gzip, zstd, plain, remote URL or "-". Barcodes become prefix + barcode + suffix ("" for none). Errors
 * name file and line: GRN_EIO, GRN_ETRUNC, GRN_EFORMAT; GRN_EUSAGE for a region that is not in the index or has no index. */
grn_status grn_fragpass_run(grn_fragpass_t *p, const char *path, const char *prefix, const char *suffix, grn_par_t *pool,
                            grn_fragpass_fn work, void *ctx) GRN_MUST_USE;

/* Length of a barcode without "-digits" at its end. */
size_t grn_barcode_bare(const char *s, size_t n);

#endif
