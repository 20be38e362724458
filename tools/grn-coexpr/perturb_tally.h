/* Counts of grn-coexpr perturb --stats: quantities of one graph of a cell and their sums over cells. Internal to perturb_stats.c and
 * perturb_table.c. */
#ifndef GRN_COEXPR_PERTURB_TALLY_H
#define GRN_COEXPR_PERTURB_TALLY_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "io/result.h"

typedef enum {                      /* of one graph */
               PQ_ARCS,             /* |E| */
               PQ_DROPPED,          /* |E_drop| = m */
               PQ_ADDED,            /* |E_co|: m, or all pairs there are */
               PQ_CAME_BACK,        /* E_co with E_drop */
               PQ_DUPLICATE,        /* E_co with E without E_drop */
               PQ_NEW,              /* E_co without E */
               PQ_AFTER,            /* |E'| */
               PQ_VISIBLE,          /* |S| */
               PQ_ISOLATED,         /* genes of V without an arc of E */
               PQ_ISOLATED_VISIBLE, /* those of them in S */
               PQ_JOINED,           /* of the isolated: with an arc of E' */
               PQ_JOINED_VISIBLE,   /* those of them in S */
               PQ_CUT_OFF,          /* genes with an arc of E and none of E' */
               PQ_WITH_TERMS,       /* E_co with both ends in a term */
               PQ_SAME_TERM,        /* E_co whose ends share a term */
               PQ_LINKED_OF,        /* E_co where links are known */
               PQ_LINKED,           /* of them: whose ends are linked, in either direction */
               PQ_N
} perturb_quantity;

#define PERTURB_ONE 4294967296 /* the unit of expectations kept as whole numbers */

typedef unsigned __int128 perturb_wide_t;

typedef struct { /* sums over graphs; exact */
    uint64_t n;
    perturb_wide_t sum[PQ_N], cross[PQ_N][PQ_N]; /* of q and of q q' */
    perturb_wide_t random[PQ_N]; /* of the expectation of q over pairs of V x V, times PERTURB_ONE; 0 where there is none */
} perturb_tally_t;

enum { AGAINST_RANDOM, AGAINST_MATCHED, AGAINST_N };
enum { SHARE_WITH_TERMS, SHARE_SAME_TERM, SHARE_SAME_OF_TERMS, SHARE_LINKED, SHARE_N };

typedef struct { /* a context and graph, or all contexts */
    perturb_tally_t t;
    double expected[AGAINST_N][SHARE_N]; /* expected numbers of the pairs that SHARE_* counts; NaN: unknown */
} perturb_group_t;

void perturb_tally_add(perturb_tally_t *t, const uint64_t q[PQ_N], const uint64_t random[PQ_N]);
void perturb_tally_merge(perturb_tally_t *to, const perturb_tally_t *from);

grn_status perturb_table_init(grn_result_t *out) GRN_MUST_USE;
/* Appends the rows of a group. */
grn_status perturb_table_rows(grn_result_t *out, const char *graph, const char *context, const perturb_group_t *g, int has_terms,
                              int has_links) GRN_MUST_USE;
/* The rows of context "*" as a few lines of the log. */
void perturb_table_log(const grn_result_t *out, const char *graph, int has_terms, int has_links);

#endif
