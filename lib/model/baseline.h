/* What a model must beat: the mean target of each gene, and of each gene within a cell type, over training cells and over
 * the same kind of tokens (binned, chosen and, where so configured, with zeros) as the masked targets. */
#ifndef GRN_MODEL_BASELINE_H
#define GRN_MODEL_BASELINE_H

#include "base/err.h"
#include "base/par.h"
#include "model/cells.h"
#include "model/config.h"

typedef struct {
    grn_names_t types; /* levels of "cell_type" */
    float *gene;       /* (G); the overall mean for a gene without tokens */
    float *type;       /* (types, G): (sum + gene mean) / (n + 1), one pseudo-observation */
    double mean;       /* over all tokens */
} grn_baseline_t;

/* From the tokens of the training cells cell[0..n), drawn as in epochs 0..epochs-1. Sums run over the cells in the order
 * given: bits do not depend on the pool. */
grn_status grn_baseline_fit(grn_baseline_t *b, const grn_model_config_t *cfg, const grn_cells_t *cells,
                            const uint32_t *cell, size_t n, uint32_t epochs) GRN_MUST_USE;
void grn_baseline_clear(grn_baseline_t *b);

/* Prediction for a gene of a cell: type may be GRN_NAMES_NONE (then the gene's mean). */
static inline float grn_baseline_type(const grn_baseline_t *b, size_t n_genes, size_t type, uint32_t gene)
{
    return type < b->types.n ? b->type[type * n_genes + gene] : b->gene[gene];
}
/* Row of b->types of each cell of m; GRN_NAMES_NONE without one. (C) */
grn_status grn_baseline_types(const grn_baseline_t *b, const grn_matrix_t *m, size_t *type) GRN_MUST_USE;

#endif
