/* Activity bits of query cells, inherited from their neighbours in the reference. */
#ifndef GRN_MAP_INHERIT_H
#define GRN_MAP_INHERIT_H

#include "io/activity.h"
#include "vote.h"

#define INHERIT_UNASSIGNED "unassigned" /* context of cells that abstain */

typedef struct {
    grn_activity_t a;
    uint32_t *row;    /* (reference cells) row of a, KNN_NONE where a does not have the cell */
    int32_t *context; /* (reference cells) context, -1 likewise */
    size_t n;         /* reference cells */
} inherit_t;

void inherit_clear(inherit_t *s); /* accepts zeroed */
/* Loads the bits of the reference cells `names`. Cells without bits do not vote, and it is said. GRN_EEMPTY: none has any. */
grn_status inherit_load(const char *path, const grn_names_t *names, grn_par_t *pool, inherit_t *s) GRN_MUST_USE;

/* share (n_regulons): of the weights of the neighbours with bits, those of the ones where the regulon is on. Returns 0, and NaN, if
 * no neighbour has bits. A regulon is on in the query cell when its share is above one half. */
int inherit_shares(const inherit_t *s, const uint32_t *id, const double *w, uint32_t k, double *share);
static inline int inherit_is_on(double share)
{
    return share > 0.5;
}

/* Bits of n query cells named `cell`; id, distance (n, k). keep[i] == 0: the cell abstains; it gets the context "unassigned", which has
 * no thresholds, and no bits. Contexts are voted for as labels are; thresholds, classes and fits are those of the reference. posterior:
 * the shares are stored as well, (n, regulons) float32. Uses pool; same bits for any. */
grn_status inherit_save(const inherit_t *s, const char *path, const grn_names_t *cell, const uint32_t *id, const double *distance,
                        uint32_t k, vote_weights how, const uint8_t *keep, int posterior, grn_par_t *pool) GRN_MUST_USE;

#endif
