/* Unsupervised training of the encoder on the graphs of all contexts (Hamilton, Ying & Leskovec
 * 2017, section 3.2): nodes met on short random walks should be near, nodes drawn by degree^0.75
 * far. */
#ifndef GRN_EMBED_TRAIN_H
#define GRN_EMBED_TRAIN_H

#include "grn-embed/encoder.h"
#include "grn-embed/graphs.h"

typedef struct {
    int64_t epochs, walks, length; /* walks of `length` steps from every node in every epoch */
    int64_t batch, negatives;      /* pairs of a batch; negatives shared by a batch */
    double lr, decay;
} train_opt_t;

typedef struct {
    double first, last; /* mean loss per pair over the first and the last epoch */
    double chance;      /* (1 + neg_weight) log 2: all scores 0 */
    uint64_t pairs, steps;
} train_result_t;

/* Trains on the training graphs. Every draw is keyed by names, epoch and seed. GRN_EEMPTY when no
 * walk finds a pair; GRN_ENONFINITE. Shows a progress bar in pairs. */
grn_status embed_train(encoder_t *e, const embed_graphs_t *g, const train_opt_t *opt,
                       train_result_t *out) GRN_MUST_USE;

#endif
