/* Scores of a region for a motif cluster: Cluster-Buster's, and expected occupancy.
 *
 * cbust (Frith, Li & Weng 2003, Nucleic Acids Res. 31:3666; options of create_cisTarget_databases): a stretch of the region is read by
 * a model that goes on by one background base with probability g = gap / (gap + 1), or places a matrix, on either strand, with
 * probability w_m / (2 sum w) / (gap + 1). The score of a stretch is the natural logarithm of how much likelier the model makes it
 * than the local background does, summed over all ways to place sites; the score of the region is that of its best stretch, 0 when
 * none is above 0. Only stretches that end where a maximal rise of the sums from the left ends are looked at, as there.
 *
 * occupancy: sum over placements and strands of x / (1 + x), x = the likelihood ratio of the site times the same prior: the number of
 * sites that are bound when the factor is as scarce as the prior says.
 *
 * Ratios are multiplied in float32, sums are double: a score is off by less than 2e-6 (1 + score) against the plain form in logarithms
 * (grn_cbust_plain; held to in test_cbust.c). */
#ifndef GRN_BUILD_CBUST_H
#define GRN_BUILD_CBUST_H

#include "cbust_kernel.h"
#include "io/motifs.h"
#include "seqlanes.h"

typedef struct {
    size_t n_matrix;
    uint32_t max_w;
    double stay;     /* g */
    uint32_t *w;     /* (n_matrix) */
    double **p;      /* (n_matrix) -> (2, w, 4): 4 x probability of A C G T at each position, on + and - */
    double *prior;   /* (n_matrix) of a placement on one strand */
    float **tab;     /* (n_matrix) -> (2, (w + 1) / 2, 16): by pairs of bases; the prior is in the first; 64-byte aligned */
} grn_cbust_t;

void grn_cbust_clear(grn_cbust_t *c);
/* n matrices scored jointly; gap >= 0; pseudo is added to every cell of counts (not to log-odds). */
grn_status grn_cbust_init(grn_cbust_t *c, const grn_motif_t *m, size_t n, double gap, double pseudo) GRN_MUST_USE;

typedef struct grn_cbust_work_s grn_cbust_work_t; /* scratch of one thread */
/* kernel: one of those of cbust_kernel.h; NULL: the best for this machine. */
grn_status grn_cbust_work_create(grn_cbust_work_t **w, const grn_cbust_kernel_t *kernel) GRN_MUST_USE;
void grn_cbust_work_destroy(grn_cbust_work_t *w); /* accepts NULL */

/* score[l] of each lane (GRN_LANES values; those behind lanes->n are 0). lanes->lead must be at least max_w - 1. */
grn_status grn_cbust_score(const grn_cbust_t *c, grn_seqlanes_t *lanes, grn_cbust_work_t *w, float *score) GRN_MUST_USE;
grn_status grn_cbust_occupancy(const grn_cbust_t *c, grn_seqlanes_t *lanes, grn_cbust_work_t *w, float *score) GRN_MUST_USE;
/* One region, in logarithms and double throughout: the definition, for any length and width. */
grn_status grn_cbust_plain(const grn_cbust_t *c, const grn_seqlane_t *x, double *score) GRN_MUST_USE;

#endif
