#include "model/input.h"

grn_status grn_model_input_load(grn_model_input_t *in, const grn_model_files_t *files, const grn_counts_cli_t *how,
                                const grn_model_config_t *cfg, uint64_t min_cells, grn_par_t *pool)
{
    grn_status rc = GRN_OK;
    grn_counts_opt_t copt = GRN_COUNTS_OPT_INIT;
    int which[2], graphs = grn_cells_graphs(cfg, which);
    int use_edges = graphs > 0 && files->edges, use_activity = graphs > 0 && which[0] == GRN_GRAPH_CELL && files->activity,
        use_coexpr = graphs > 0 && cfg->perturb == GRN_PERTURB_LIST && files->coexpr;
    GRN_TRY(grn_counts_cli(how, &copt));
    GRN_TRY(grn_counts_load(files->counts, &copt, pool, &in->m));
    if (in->genes.n == 0) GRN_TRY(grn_universe_build(&in->m, min_cells, &in->genes));
    GRN_TRY(grn_matrix_align(&in->m, &in->genes, NULL));
    if (use_edges) GRN_TRY(grn_edges_load(files->edges, pool, &in->edges));
    if (use_activity) GRN_TRY(grn_activity_load(files->activity, pool, &in->activity));
    if (use_coexpr) GRN_TRY(grn_edges_load(files->coexpr, pool, &in->coexpr));
    GRN_TRY(grn_cells_build(&in->cells, &in->m, cfg, use_edges ? &in->edges : NULL, use_activity ? &in->activity : NULL,
                            use_coexpr ? &in->coexpr : NULL));
end:
    return rc;
}

void grn_model_input_clear(grn_model_input_t *in)
{
    grn_cells_clear(&in->cells);
    grn_names_clear(&in->genes);
    grn_activity_clear(&in->activity);
    grn_edges_clear(&in->edges);
    grn_edges_clear(&in->coexpr);
    grn_matrix_clear(&in->m);
}
