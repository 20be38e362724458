/* The linear baseline of masked reconstruction: for each gene a ridge regression of its bin on the
 * visible genes of the same sequences. */
#ifndef GRN_EVAL_RIDGE_H
#define GRN_EVAL_RIDGE_H

#include <stdint.h>

#include "base/err.h"
#include "base/par.h"

/* Masked sequences: row r sees the genes [off[r], off[r+1]) of `gene` with centred bins `value`;
 * its masked genes are the targets [t_off[r], t_off[r+1]) of t_gene with centred bins t_value. */
typedef struct {
    size_t n, n_genes;
    uint64_t *off, *t_off; /* (n + 1) */
    uint32_t *gene, *t_gene;
    float *value, *t_value;
    size_t cap, t_cap, row_cap, t_row_cap;
} grn_masked_t;

void grn_masked_clear(grn_masked_t *m);

/* pred[k] (targets of `test`, in order): centred prediction of target k. For each gene, at most
 * max_rows training rows that have it as target (the first ones, so give rows in a name-keyed
 * order) are fitted in the dual: alpha = (X X' + lambda I)^-1 y. lambda is the one of a grid over
 * four decades with the smallest leave-one-out error on a sample of genes; *lambda says which. A
 * gene with fewer than 3 rows predicts 0 (the gene mean). Uses the pool over genes; same bits for
 * any number of threads. O(sum over genes of n^3 + n^2 T). Hoerl & Kennard 1970. */
grn_status grn_ridge_predict(const grn_masked_t *train, const grn_masked_t *test, size_t max_rows,
                             grn_par_t *pool, float *pred, double *lambda) GRN_MUST_USE;

#endif
