/* A motif database: motifs x regions (or genes) of scores or ranks, gone through by rows.
 *
 * From grn.matrix/1 whose rows are motifs, block by block; or a matrix regions x motifs, as `grn-build scan` writes, which is
 * turned round in memory. Which is which is told by the names: columns (else rows) of the form chrom:start-end. Memory: one block
 * of at most 256 MB, and one row per thread. */
#ifndef GRN_BUILD_MOTIFDB_H
#define GRN_BUILD_MOTIFDB_H

#include "base/names.h"
#include "base/par.h"
#include "io/bed.h"
#include "io/matrix.h"

typedef struct {
    const char *path;                    /* borrowed */
    int is_rank;                         /* whole numbers from 0, best first; else scores >= 0 */
    int is_genes;                        /* columns are genes */
    size_t M, N;                         /* motifs, regions */
    const grn_names_t *motifs, *columns; /* (M), (N) */
    grn_regions_t place;                 /* (N) of the columns; empty for genes */
    grn_mr_t *mr;                        /* rows are motifs */
    grn_matrix_t turned;                 /* else: the whole */
    size_t block;                        /* motifs read at once; 0: as many as 256 MB hold */
} grn_motifdb_t;

/* GRN_EFORMAT: neither side has region names (is_genes: the columns are taken as they are), ranks where scores are expected or
 * the reverse (metadata "values"); GRN_EEMPTY: no motif or no region. */
grn_status grn_motifdb_open(grn_motifdb_t *db, const char *path, int is_rank, int is_genes, grn_par_t *pool) GRN_MUST_USE;
void grn_motifdb_close(grn_motifdb_t *db);

/* Calls fn for every motif with want[motif] (NULL: all), in any order, from the threads of the pool: its row of N values, checked
 * (GRN_EFORMAT names motif and region: a negative score; GRN_EINVAL from fn passes through). */
typedef grn_status (*grn_motifdb_fn)(void *ctx, size_t motif, const float *row, int worker);
grn_status grn_motifdb_pass(grn_motifdb_t *db, const uint8_t *want, grn_motifdb_fn fn, void *ctx, grn_par_t *pool) GRN_MUST_USE;

/* The ranks of a row of a rank file as integers; GRN_EFORMAT if it is no order of the numbers 0 .. N - 1 (by range and sum). */
grn_status grn_motifdb_ranks(const grn_motifdb_t *db, size_t motif, const float *row, uint32_t *rank) GRN_MUST_USE;

#endif
