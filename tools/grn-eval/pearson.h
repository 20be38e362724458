/* |Pearson| of log-normalised expression between TFs and genes: the baseline every network method
 * must beat. */
#ifndef GRN_EVAL_PEARSON_H
#define GRN_EVAL_PEARSON_H

#include "base/names.h"
#include "io/counts.h"

/* score[t * n_gene + g] = |Pearson r| of log1p(1e4 x / total) over the cells of `context` (row
 * attribute cell_type; NULL: all cells); 0 where a gene is absent, constant, or there are fewer
 * than 3 cells. Streams the cells in fixed blocks: O((T + G) * block + T * G) memory; same bits for
 * any thread count. *n_cells: cells used. */
grn_status grn_eval_pearson(const char *counts, const grn_counts_opt_t *opt, const char *context,
                            const grn_names_t *tf, const grn_names_t *gene, double *score,
                            uint64_t *n_cells) GRN_MUST_USE;

#endif
