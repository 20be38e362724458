/* Votes of a cell's nearest neighbours. */
#ifndef GRN_MAP_VOTE_H
#define GRN_MAP_VOTE_H

#include <stdint.h>

#include "knn.h"

typedef enum { VOTE_GAUSSIAN, VOTE_UNIFORM } vote_weights;

/* w (k): weights of neighbours at `distance`, nearest first. Gaussian: exp(-d^2 / (2 h^2)) with h the distance of the furthest one, so
 * from 0.61 to 1 whatever the scale; all 1 where h is 0. Absent neighbours (KNN_NONE) weigh 0. */
void vote_weigh(const uint32_t *id, const double *distance, uint32_t k, vote_weights how, double *w);

/* Mean distance of the neighbours there are; infinity if there is none. */
double vote_mean_distance(const uint32_t *id, const double *distance, uint32_t k);

typedef struct {
    int32_t best;   /* level with the largest share of the weights, of equal ones the first; -1: no neighbour has a label */
    double share;   /* its share */
    double entropy; /* of the shares, in bits */
} vote_t;

/* code: level of each reference point, -1 for none (such neighbours do not vote). tally (n_levels): scratch. Sums in order of distance.
 */
vote_t vote_count(const uint32_t *id, const double *w, uint32_t k, const int32_t *code, size_t n_levels, double *tally);

#endif
