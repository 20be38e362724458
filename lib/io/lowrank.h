/* A cells x regions matrix of rank K that is never made: accessibility of region r in cell c is
 * A[c][r] = sum_k theta[c][k] phi[r][k], read by cell or by region as needed (container schema
 * grn.lowrank/1, docs/formats.md).
 *
 * From topics (LDA): theta rows and phi columns are distributions, so A[c] sums to 1 over regions.
 * From LSI: theta = U S, phi = V, values of either sign. Sums over k run in ascending k in float32,
 * so a value is the same however it is asked for. A zeroed object is empty. Reading functions may
 * run concurrently on one object. Letters: C cells, R regions, K topics. */
#ifndef GRN_IO_LOWRANK_H
#define GRN_IO_LOWRANK_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/names.h"
#include "base/par.h"
#include "io/container.h"
#include "io/matrix.h"

typedef struct {
    size_t C, R, K;
    float *theta;          /* (C, K) row-major: share of each topic in each cell */
    float *phi;            /* (R, K) row-major: probability of each region in each topic */
    grn_names_t cell, region, topic;
    grn_attrs_t cell_attr; /* those of the matrix it was made from (cell_type, n_fragments ...) */
    char *method;          /* "lda", "lsi" */
} grn_lowrank_t;

void grn_lowrank_clear(grn_lowrank_t *l); /* frees; accepts zeroed */

/* *yes = 1: a grn.lowrank container; *is_container = 1: some container, whole. "-" is standard input, which must be rewindable. */
grn_status grn_lowrank_sniff(const char *path, int *is_container, int *yes) GRN_MUST_USE;
/* Reads a grn.lowrank/1 container, or rather: GRN_EFORMAT names what it holds instead; values are
 * checked to be finite (GRN_ENONFINITE). */
grn_status grn_lowrank_load(const char *path, grn_par_t *pool, grn_lowrank_t *l) GRN_MUST_USE;
/* Writes one. `meta`: n_meta pairs of key and value put into the metadata (parameters, scores). */
grn_status grn_lowrank_save(const grn_lowrank_t *l, const char *path, const char *const *meta,
                            size_t n_meta, grn_par_t *pool) GRN_MUST_USE;

/* Of one region in one cell. O(K). */
float grn_lowrank_at(const grn_lowrank_t *l, size_t c, size_t r);
/* out[r] for all R regions of cell c; out[c] for all C cells of region r. O(RK), O(CK). */
void grn_lowrank_of_cell(const grn_lowrank_t *l, size_t c, float *out);
void grn_lowrank_of_region(const grn_lowrank_t *l, size_t r, float *out);
/* Mean of theta over the n cells listed (all when cells is NULL) into out[K]: the mean accessibility
 * of any region over these cells is then its dot product with phi[r]. Sums in double, in the order
 * given. */
void grn_lowrank_mean_theta(const grn_lowrank_t *l, const uint32_t *cells, size_t n, double *out);

#endif
