/* grn-view diff: in which of two groups of cells is an edge more frequent?
 *
 * A cell has an edge (regulon, TF, region, gene) when the edge is of the cell's context and its regulon is on in it. So all edges of
 * one regulon and the same set of contexts are in the same cells: they are one pattern, tested once. Cells are counted by unit: a side
 * of the comparison, or a donor on a side. */
#ifndef GRN_VIEW_DIFF_H
#define GRN_VIEW_DIFF_H

#include "grn-view/percell.h"
#include "stat/contingency.h"

enum { DIFF_A, DIFF_B, DIFF_SIDES, DIFF_OUT = DIFF_SIDES };

typedef struct {
    const char *cells, *donor, *test, *donor_test;
    grn_opt_list_t a, b;
    double max_q, min_diff;
    int64_t null, min_cells;
} diff_cli_t;
extern diff_cli_t diff_cli;

/* ---- groups: diff_groups.c ---- */

typedef struct {
    uint8_t *side;      /* (cells) DIFF_A, DIFF_B or DIFF_OUT */
    uint32_t *donor;    /* (cells) or NULL: not asked for. Of DIFF_OUT: undefined */
    uint64_t *key;      /* (cells) hash of the name */
    grn_names_t donors; /* in bytewise order */
    uint64_t n[DIFF_SIDES];
} diff_groups_t;
/* Sides of the cells by --a, --b, --where, --context; cells without a donor are left out. GRN_EEMPTY: a side without cells. */
grn_status diff_groups_load(diff_groups_t *g, percell_t *p) GRN_MUST_USE;
void diff_groups_clear(diff_groups_t *g);
/* Exchanges the labels of cells within each context, for run `run` of the null: who is on which side is drawn by names. */
grn_status diff_groups_shuffle(const diff_groups_t *g, percell_t *p, uint64_t run, uint8_t *side) GRN_MUST_USE;

/* ---- counts: diff_count.c ---- */

typedef struct {
    size_t n_units, n_contexts, n_regulons; /* units: side, or 2 * donor + side; contexts and regulons of the activity */
    uint32_t *cells;                        /* (units, contexts) */
    uint32_t *on;                           /* (units, contexts, regulons) */
} diff_counts_t;
/* One pass over the activity. donor NULL: the sides are the units. */
grn_status diff_count(diff_counts_t *c, percell_t *p, const uint8_t *side, const uint32_t *donor, size_t n_donors) GRN_MUST_USE;
/* Units added up by side[unit] (DIFF_OUT: left out) into two units. */
grn_status diff_sum(const diff_counts_t *c, const uint8_t *side, diff_counts_t *out) GRN_MUST_USE;
void diff_counts_clear(diff_counts_t *c);
static inline uint32_t diff_cells(const diff_counts_t *c, size_t unit, size_t context)
{
    return c->cells[unit * c->n_contexts + context];
}
static inline uint32_t diff_on(const diff_counts_t *c, size_t unit, size_t context, size_t regulon)
{
    return c->on[(unit * c->n_contexts + context) * c->n_regulons + regulon];
}

/* ---- edges and patterns: diff_patterns.c ---- */

typedef struct {
    uint32_t regulon, set; /* number in the activity; set of contexts */
} diff_pattern_t;
typedef struct {
    size_t row; /* of the first context that has it */
    uint32_t pattern;
} diff_edge_t;
typedef struct {
    diff_edge_t *edge; /* by regulon, TF, region, gene */
    size_t n_edges;
    diff_pattern_t *pattern;
    size_t n_patterns, n_sets, n_contexts;
    uint8_t *has; /* (sets, contexts of the activity) 1: the edge is of this context */
} diff_patterns_t;
grn_status diff_patterns_find(diff_patterns_t *d, const percell_t *p) GRN_MUST_USE;
void diff_patterns_clear(diff_patterns_t *d);

/* ---- tests: diff_test.c, diff_donor.c ---- */

typedef struct {
    grn_2x2_t cells; /* all cells of both sides */
    double p;        /* Fisher; NaN: no other table */
    grn_strata_t context;
    uint32_t donors[DIFF_SIDES];
    double donor_diff, donor_p; /* NaN: not asked for, or too few donors */
} diff_result_t;
typedef enum { DIFF_BY_CELLS, DIFF_BY_CONTEXT, DIFF_BY_DONOR } diff_test;

/* result (patterns). units NULL: no donors; side (units): which side each is on. */
grn_status diff_run_tests(const percell_t *p, const diff_patterns_t *d, const diff_counts_t *two, const diff_counts_t *units,
                          const uint8_t *side, int is_paired, diff_result_t *result) GRN_MUST_USE;
/* Difference and p of the frequencies of donors (a: n[0] of side A, then n[1] of B; or n[0] differences when paired). noise: binomial
 * variance of each value, given that all donors have the same frequency. key: of random permutations. NaN where there is too little. */
typedef struct {
    double *v, *noise; /* (n[0] + n[1]); scratch: reordered */
    size_t n[DIFF_SIDES];
    int is_paired;
    uint64_t key;
} diff_donors_t;
void diff_donor_test(diff_donors_t *d, double *diff, double *p);
#define DIFF_EXACT 20000 /* permutations of donors that are all gone through; of more, 9,999 are drawn */
/* How many permutations donors allow. */
double diff_permutations(const size_t n[DIFF_SIDES], int is_paired);

/* Of the test that decides. */
double diff_of(const diff_result_t *r, diff_test test);
double diff_p_of(const diff_result_t *r, diff_test test);
/* q of each edge for one test: Benjamini & Hochberg over edges. */
grn_status diff_q(const diff_patterns_t *d, const diff_result_t *result, diff_test test, double *q) GRN_MUST_USE;

grn_status view_diff(void) GRN_MUST_USE; /* diff.c */

#endif
