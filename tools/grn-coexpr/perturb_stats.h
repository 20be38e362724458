/* What perturbation did to the graphs of many cells, counted beside what chance gives.
 *
 * All that is summed over cells is a whole number, so that results do not depend on the order of cells or on workers. Chance levels are
 * expectations over all pairs, not draws. "random": ordered pairs u != v of V x V, the random-perturbation ablation. "matched": u
 * visible in a cell and v in a cell of the same context, the two drawn independently: genes as often detected as those that were added,
 * without being detected together. Intervals are over cells (normal, 95 %): of means, and of ratios of sums by linearisation (Cochran
 * 1977, 6.4). */
#ifndef GRN_COEXPR_PERTURB_STATS_H
#define GRN_COEXPR_PERTURB_STATS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/par.h"
#include "grn-coexpr/perturb.h"
#include "io/edges.h"
#include "io/gmt.h"
#include "io/result.h"

typedef struct {
    const grn_gmt_t *terms;   /* NULL: nothing about terms */
    size_t max_term;          /* largest number of a term's genes that are in the universe */
    const grn_edges_t *links; /* co-expression links of contexts, of one called "all", or without contexts; NULL: nothing about links */
    const char *terms_name, *links_name; /* of the files, for messages */
    grn_par_t *pool;
} perturb_stats_opt_t;

/* Counts the graphs of cell[0..n). out (zeroed): columns graph, context ("*": all of them), cells, statistic, value, low, high, against
 * (none, random, matched), expected, ratio, ratio_low, ratio_high; see man/grn-coexpr.1 for the statistics. Logs a summary. Cells
 * without a context have no graphs: they are left out and counted in the log. GRN_EEMPTY when no cell is left, terms or links share no
 * gene with the cells, or links no context. Memory: G^2 / 16 bytes for terms and as much for links. */
grn_status perturb_stats(const perturb_job_t *job, const perturb_stats_opt_t *opt, const uint32_t *cell, size_t n,
                         grn_result_t *out) GRN_MUST_USE;

#endif
