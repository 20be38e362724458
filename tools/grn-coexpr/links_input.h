/* What `grn-coexpr links` reads: cells with their labels, covariates, genes to leave out, terms. */
#ifndef GRN_COEXPR_LINKS_INPUT_H
#define GRN_COEXPR_LINKS_INPUT_H

#include "base/opt.h"
#include "grn-coexpr/links.h"
#include "io/counts.h"

enum { COEXPR_COVARIATES = GRN_COUNTS_ALSO_MAX };

typedef struct {
    grn_matrix_t cells; /* names and attributes alone */
    coexpr_store_t store;
    const char *column[COEXPR_COVARIATES]; /* names of the columns that --residualise asks for; text in `names` */
    coexpr_covariate_t covariate[COEXPR_COVARIATES];
    int as_number[COEXPR_COVARIATES];
    double *num[COEXPR_COVARIATES]; /* made here */
    size_t n_covariates;
    char *names;
    uint8_t *excluded; /* (genes), or NULL */
    uint64_t n_excluded;
    grn_pairs_t terms;
} coexpr_input_t;

void coexpr_input_clear(coexpr_input_t *in);
/* "COLUMN[=number],..." as covariates. GRN_EUSAGE: too many, empty. */
grn_status coexpr_input_columns(coexpr_input_t *in, const char *list) GRN_MUST_USE;
/* Reads the matrix block by block into the store. Labels of a table are joined to a container's names, so that it is not read whole. */
grn_status coexpr_input_cells(coexpr_input_t *in, const char *path, const grn_counts_opt_t *opt, grn_par_t *pool) GRN_MUST_USE;
/* Finds the covariates: columns of the cells with a value for each; log_total and log_genes are made from the counts where there is no
 * such column. GRN_EINVAL names what is missing. */
grn_status coexpr_input_covariates(coexpr_input_t *in) GRN_MUST_USE;
/* Genes to leave out: of lists, of the sets of GMT files, mitochondrial and ribosomal ones. GRN_EINVAL: no gene of a file is in the
 * matrix. */
grn_status coexpr_input_exclude(coexpr_input_t *in, const grn_opt_list_t *lists, const grn_opt_list_t *sets, int mito,
                                int ribo) GRN_MUST_USE;
grn_status coexpr_input_terms(coexpr_input_t *in, const char *gmt, size_t min_shared, size_t max_term) GRN_MUST_USE;

#endif
