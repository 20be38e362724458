/* Reference cells mapped onto the rest of the reference: what the mapping is worth where the answer is known.
 *
 * Components are those of the rest, too: cells that took part in a principal component analysis lie further from each other than new
 * cells do. Cells are dealt into folds by a hash of their name, which are held out one after the other until enough cells were; or
 * donors are, which are all held out in turn, with as many of their cells as make enough together. Beside the neighbours' vote stand
 * the nearest centroid and the most frequent type; beside their bits, the mean of the type they vote for.
 *
 * A type the reference lacks is what held-out cells say nothing about. So each type is also left out of the reference whole, and its
 * cells are mapped onto the others ("strangers"). */
#ifndef GRN_MAP_HOLDOUT_H
#define GRN_MAP_HOLDOUT_H

#include "inherit.h"
#include "space.h"

typedef struct {
    knn_metric metric;
    uint32_t k;
    vote_weights weights;
    uint32_t folds;      /* of donors at most, of cells at least */
    size_t enough;       /* cells to hold out, about */
    int by_donor;        /* whole donors are held out */
    int leave_out_types; /* also map cells of every type onto a reference without it */
    uint64_t seed;
} holdout_opt_t;

typedef struct {
    uint32_t cell; /* of the reference */
    int32_t truth; /* type, >= 0 */
    vote_t vote;
    double distance;  /* mean of the k nearest */
    int32_t centroid; /* type of the nearest centroid */
    int32_t majority; /* most frequent type of the rest */
} held_t;

typedef struct { /* of one regulon over the held-out cells: [truth][call] */
    uint64_t inherited[2][2], type[2][2];
} agreement_t;

typedef struct {
    held_t *cell;     /* (n) in the order of the reference */
    held_t *stranger; /* (n_strangers) */
    size_t n, n_strangers, cap, cap_strangers;
    size_t n_folds, n_held, n_donors; /* folds held out; cells, with those that have no type; donors, 0 where dealt by cell */
    agreement_t *regulon;             /* (R of the activity) or NULL */
} holdout_t;

void holdout_clear(holdout_t *h); /* accepts zeroed */
/* Donors that have cells; 0 for NULL or no label. */
size_t holdout_donors(const grn_attr_t *donor, size_t n_cells);
/* type: labels of the reference cells. donor: NULL unless by_donor. bits: NULL or the reference's. Of each type at most
 * max(100, enough / types) cells are strangers, drawn by name. GRN_EINVAL: fewer than 2 donors. */
grn_status holdout_run(const space_t *s, const grn_attr_t *type, const grn_attr_t *donor, const inherit_t *bits, const holdout_opt_t *o,
                       grn_par_t *pool, holdout_t *h) GRN_MUST_USE;

#endif
