/* What a tree of a boosted ensemble draws at random: the predictors each of its nodes looks at, and the cells it does not see.
 *
 * Everything is a function of (seed, tree, node, name), so that it depends neither on the order of predictors and cells nor on threads,
 * and all targets share it (arboreto gives every target the same seed, too). Each node looks at m predictors: consecutive pieces of a
 * random order that is drawn anew when it is used up. So a node of any one tree looks at a uniform sample, as in scikit-learn, and over
 * p / m trees every predictor is looked at once: none is overlooked by chance in targets with few trees. */
#ifndef GRN_BOOST_DRAW_H
#define GRN_BOOST_DRAW_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define GRN_DRAW_NODES 7 /* with children, in a tree of depth 3 */

typedef struct {
    uint64_t seed;
    size_t n, p;                /* cells, predictors */
    const uint64_t *cell_key;   /* (n) hashes of names; borrowed */
    const uint64_t *name_key;   /* (p) the same of the predictors; borrowed */
    size_t m;                   /* predictors a node looks at */
    size_t n_out;               /* cells a tree does not see */
    size_t per_order;           /* trees that share an order */
    uint64_t order_of;          /* which order is at hand, + 1 */
    uint32_t *order;            /* (GRN_DRAW_NODES, p) */
    struct grn_draw_key_s *key; /* (max(n, 2 p)) scratch */
    uint32_t *place;            /* (2 p + 2) the same */
} grn_draw_t;

/* fraction of the predictors a node looks at: max(1, trunc(fraction p)); a tree sees trunc(subsample n) cells. Keys stay the caller's.
 */
grn_status grn_draw_init(grn_draw_t *d, uint64_t seed, size_t n, const uint64_t *cell_key, size_t p, const uint64_t *name_key,
                         double fraction, double subsample) GRN_MUST_USE;
void grn_draw_clear(grn_draw_t *d); /* accepts zeroed */

/* Order of node k of tree t: d->order + k * p, from place *start on, to be continued at its beginning. Valid until another is asked
 * for. */
void grn_draw_predictors(grn_draw_t *d, uint64_t tree, size_t *start);
/* The d->n_out cells that tree t does not see, ascending. */
void grn_draw_out_of_bag(grn_draw_t *d, uint64_t tree, uint32_t *out);

#endif
