/* grn-build metacells: sums or means of a few cells of one type, from RNA and ATAC alike, so that links can be made between assays
 * that measured different cells, or between cells too sparse to correlate.
 *
 * A group is a cell type, or a cell type and a level of another column (donor, sample). A metacell is `size` cells of one group
 * drawn without replacement, alone and independent of the others, so that a cell is in about two of the default number of metacells
 * (SCENIC+). Metacell x of a group holds the cells with the least keys, a key being made of seed, group, x and barcode: neither the
 * order of the files nor threads nor what other groups there are change it. Rows are named GROUP_x and come in order of group, x.
 */
#ifndef GRN_BUILD_METACELLS_H
#define GRN_BUILD_METACELLS_H

#include "base/par.h"
#include "columns.h"
#include "funnel.h"
#include "io/counts.h"

typedef enum { GRN_PAIR_CELLS, GRN_PAIR_TYPES } grn_pairing;

typedef struct {
    const char *rna, *atac;                   /* atac NULL: one matrix, of whatever assay */
    grn_counts_opt_t rna_opt, atac_opt;       /* with the labels (cells_tsv, cell_type) of each */
    const char *out_rna, *out_atac, *members; /* members NULL: not wanted */
    grn_pairing pair; /* CELLS: the same cells in both, joined by barcode; TYPES: different cells of the same types */
    int mean;         /* else sums */
    size_t size;      /* cells of a metacell */
    size_t per_type;  /* metacells of a group; 0: grn_metacells_number */
    size_t min_cells; /* groups with fewer, in either assay, are left out */
    const char *by;   /* column that divides types further; NULL: none */
    uint64_t seed;
} grn_metacells_opt_t;

/* Runs the whole stage with grn_common's pool and memory limit. GRN_EEMPTY: no group has enough cells (no file is written). */
grn_status grn_metacells_run(const grn_metacells_opt_t *opt) GRN_MUST_USE;

/* Metacells of a group of n cells (of the assay that has fewer): 2 round(n / size), half to even; 1 where n <= size, since all
 * metacells would hold the same cells. per_type > 0 replaces the former. */
size_t grn_metacells_number(size_t n, size_t size, size_t per_type);

/* The `size` cells with the least keys of n (fewer: all), ascending, into out (room for min(n, size)); returns their number. hash:
 * (n) of the barcodes; key: of seed, group and number of the metacell. Equal keys: the earlier cell. O(n log size) at worst. */
size_t grn_metacells_draw(const uint64_t *hash, size_t n, size_t size, uint64_t key, uint32_t *out);

/* ---- metacells_pool.c ---- */

typedef struct {            /* what one assay contributes; positions are of its cells in use, in bytewise order of their names */
    grn_colsrc_t *src;      /* src->cell[row]: position, UINT32_MAX not used */
    size_t n_cells;         /* in use */
    const uint64_t *off;    /* (n + 1) into member */
    const uint32_t *member; /* positions, ascending within a metacell */
} grn_metacells_members_t;

typedef struct { /* rows that both assays share */
    size_t n;
    grn_names_t name;      /* (n) */
    int32_t *type, *level; /* (n) codes; level NULL: no --by */
    grn_names_t types, levels;
} grn_metacells_rows_t;

/* Reads the matrix twice or more often (as --max-mem says), adds up the cells of each metacell in the order of their names, and
 * writes the rows; *w is open and not committed when this returns. O(budget) memory beside one row of doubles per thread.
 * GRN_EUNSUP: a sum of counts that float32 does not hold exactly. */
grn_status grn_metacells_pool(const grn_metacells_opt_t *opt, const grn_metacells_members_t *m, const grn_metacells_rows_t *rows,
                              const char *path, const char *funnel, uint64_t budget, grn_par_t *pool, grn_mw_t **w) GRN_MUST_USE;

#endif
