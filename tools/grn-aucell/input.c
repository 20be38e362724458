#include "grn-aucell/input.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "io/container.h"
#include "io/edges.h"
#include "io/prov.h"

enum { BLOCK_VALUES = 1 << 24 }; /* of a sparse container; stored in 3 to 8 bytes each */

void aucell_input_close(aucell_input_t *in)
{
    aucell_imputed_destroy(in->imputed);
    grn_lowrank_clear(&in->model);
    grn_matrix_clear(&in->block);
    grn_matrix_clear(&in->labelled);
    grn_packed_clear(&in->packed);
    grn_mr_close(in->matrix);
    memset(in, 0, sizeof *in);
}

/* Labels of a table are joined to a container's names here, so that it is still read in blocks. */
static grn_status add_labels(aucell_input_t *in, const char *path, const grn_counts_opt_t *opt)
{
    grn_status rc = GRN_OK;
    grn_matrix_t *m = &in->labelled;
    GRN_TRY(grn_prov_input(opt->cells_tsv, NULL));
    GRN_TRY(grn_names_dup(&m->row, in->cell));
    m->n_rows = m->row.n;
    GRN_TRY(grn_attrs_dup(&m->row_attr, in->cell_attr, m->n_rows));
    GRN_TRY(grn_counts_label(path, opt, m));
    in->cell_attr = &m->row_attr;
end:
    return rc;
}

grn_status aucell_input_open(aucell_input_t *in, const char *path, const grn_counts_opt_t *opt, grn_par_t *pool)
{
    grn_status rc = GRN_OK;
    grn_counts_opt_t o = *opt;
    int is_container, is_model;
    memset(in, 0, sizeof *in);
    in->pool = pool;
    GRN_TRY(grn_path_rewindable(&path));
    GRN_TRY(grn_lowrank_sniff(path, &is_container, &is_model));
    if (is_model) {
        GRN_TRY(grn_lowrank_load(path, pool, &in->model));
        in->cell = &in->model.cell;
        in->column = &in->model.region;
        in->cell_attr = &in->model.cell_attr;
    } else {
        if (is_container) o.cells_tsv = NULL;
        GRN_TRY(grn_mr_open(&in->matrix, path, &o, pool));
        const grn_matrix_t *info = grn_mr_info(in->matrix);
        grn_mr_bare(in->matrix);
        in->cell = &info->row;
        in->column = &info->col;
        in->cell_attr = &info->row_attr;
    }
    if (in->cell->n == 0 || in->column->n == 0)
        GRN_FAIL(GRN_EEMPTY, "the matrix is empty: %zu cells x %zu %s", in->cell->n, in->column->n, is_model ? "regions" : "genes");
    if (is_container && opt->cells_tsv) GRN_TRY(add_labels(in, path, opt));
end:
    return rc;
}

int aucell_input_is_model(const aucell_input_t *in)
{
    return in->matrix == NULL;
}

int aucell_input_has_regions(const aucell_input_t *in)
{
    char chrom[256];
    uint64_t start, end;
    size_t n = in->column->n < 100 ? in->column->n : 100;
    if (aucell_input_is_model(in)) return 1;
    for (size_t i = 0; i < n; i++)
        if (grn_region_parse(grn_names_get(in->column, i), chrom, sizeof chrom, &start, &end) != GRN_OK) return 0;
    return 1;
}

grn_status aucell_input_prepare(aucell_input_t *in, uint32_t cut, int truncate)
{
    grn_lowrank_t *m = &in->model;
    if (!aucell_input_is_model(in)) return GRN_OK;
    grn_status rc = aucell_imputed_create(&in->imputed, m, cut, truncate, in->pool);
    if (rc) return rc;
    grn_log_info("accessibility: %s of %zu cells x %zu regions, rank %zu", m->method, m->C, m->R, m->K);
    free(m->phi);
    m->phi = NULL;
    return GRN_OK;
}

grn_status aucell_input_score(aucell_input_t *in, aucell_scorer_t *scorer, size_t max_cells, float **auc, uint32_t *n_detected,
                              size_t *n)
{
    grn_status rc = GRN_OK;
    size_t R = aucell_scorer_n_sets(scorer), left = in->cell->n - in->at;
    int got = 1;
    *n = 0;
    *auc = NULL;
    if (aucell_input_is_model(in)) *n = left < max_cells ? left : max_cells;
    else if (grn_mr_is_packed(in->matrix)) got = grn_mr_next_packed(in->matrix, max_cells, BLOCK_VALUES, &in->packed);
    else got = grn_mr_next(in->matrix, max_cells, &in->block);
    if (got < 0) return (grn_status)got;
    if (in->matrix && got) *n = (size_t)(grn_mr_is_packed(in->matrix) ? in->packed.n_rows : in->block.n_rows);
    if (*n == 0) return GRN_OK;
    GRN_TRY(GRN_NEW_RAW(*auc, *n * R));
    if (!in->matrix) GRN_TRY(aucell_score_imputed(in->imputed, scorer, in->at, *n, *auc));
    else if (grn_mr_is_packed(in->matrix)) GRN_TRY(aucell_score_packed(scorer, &in->packed, in->cell, *auc, n_detected));
    else GRN_TRY(aucell_score_block(scorer, &in->block, *auc, NULL, n_detected));
    in->at += *n;
end:
    if (rc) free(*auc), *auc = NULL;
    return rc;
}
