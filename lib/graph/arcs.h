/* Directed arcs u -> v between the genes of a universe, packed into one integer so that a sorted array of arcs is a set.
 *
 * An arc list is ascending and without repeats unless said otherwise; it never holds u -> u. Ids are those of the universe;
 * ids follow bytewise name order wherever results must not depend on the order of an input's columns (grn_names_sort). */
#ifndef GRN_GRAPH_ARCS_H
#define GRN_GRAPH_ARCS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

typedef uint64_t grn_arc_t; /* u in the upper, v in the lower 32 bits */

typedef struct { /* growable; zeroed = empty */
    grn_arc_t *a;
    size_t n, cap;
} grn_arcs_t;

static inline grn_arc_t grn_arc(uint32_t u, uint32_t v)
{
    return (uint64_t)u << 32 | v;
}
static inline uint32_t grn_arc_u(grn_arc_t a)
{
    return (uint32_t)(a >> 32);
}
static inline uint32_t grn_arc_v(grn_arc_t a)
{
    return (uint32_t)a;
}

void grn_arcs_clear(grn_arcs_t *l); /* frees; reusable; accepts zeroed */

/* l = a copy of n arcs, whatever their order. GRN_ENOMEM leaves l as it was. */
grn_status grn_arcs_set(grn_arcs_t *l, const grn_arc_t *a, size_t n) GRN_MUST_USE;
/* Sorts ascending and drops repeats and u -> u, in place. O(E log E). */
void grn_arcs_normalise(grn_arcs_t *l);
/* out = a without b, then united with c (all ascending sets; out must be none of them): the set arithmetic of a
 * perturbation, difference first. O(a + b + c). */
grn_status grn_arcs_edit(const grn_arc_t *a, size_t n_a, const grn_arc_t *b, size_t n_b, const grn_arc_t *c, size_t n_c,
                         grn_arcs_t *out) GRN_MUST_USE;
/* 1 if the ascending list holds x. O(log n). */
int grn_arcs_has(const grn_arc_t *a, size_t n, grn_arc_t x);

#endif
