/* Gene sets joined to the columns of a matrix: what AUCell scores. Read-only after loading: any thread may use them. */
#ifndef GRN_AUCELL_SETS_H
#define GRN_AUCELL_SETS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/names.h"
#include "base/par.h"
#include "grn-aucell/signatures.h"

/* The weight of a gene in units of its set's largest weight / 2^40: integers, so that sums do not depend on the order of the
 * genes (1 for unweighted sets). */
#define AUCELL_WEIGHT_ONE ((int64_t)1 << 40)

typedef struct {
    grn_names_t names;  /* R sets that passed, bytewise name order */
    uint32_t *n_listed; /* (R) genes the set lists */
    uint32_t *n_found;  /* (R) of them columns of the matrix */
    int64_t *sum;       /* (R) sum of the weights of the found genes; 0: scored as zero */
    double *best;       /* (R) sum over ranks r of (c - r) times the (r+1)-th largest weight: what a perfect ranking reaches */
    uint64_t *off;      /* (G + 1) sets of each column, into set and weight */
    uint32_t *set;
    int64_t *weight;                         /* NULL: all 1 */
    uint64_t n_genes;                        /* G columns */
    size_t n_read, n_few_found, n_few_genes; /* sets in the file; dropped because too small a share / number of genes was found */
} aucell_sets_t;

typedef struct {
    aucell_signatures_opt_t files;
    double min_present; /* smallest share of a set's genes that must be columns */
    int64_t min_genes;  /* smallest number of found genes */
    int keep_as_zeros;  /* sets below min_present become columns of zeros; else they are dropped */
    const char *report; /* TSV of every set read and its fate; NULL: none */
    uint32_t cut;       /* ranks 0..cut-1 count */
} aucell_sets_opt_t;

/* Loads and joins: genes by name, regions by coordinates. Warns about dropped sets by name. GRN_EEMPTY when none passes, with the
 * first names of both sides; GRN_EFORMAT for a bad file. */
grn_status aucell_sets_load(const aucell_sets_opt_t *opt, const grn_names_t *columns, grn_par_t *pool, aucell_sets_t *s) GRN_MUST_USE;
void aucell_sets_clear(aucell_sets_t *s); /* accepts zeroed */

#endif
