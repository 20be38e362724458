#include "options.h"

void grn_atac_cli(const grn_atac_cli_t *cli, grn_counts_opt_t *opt)
{
    opt->layer = cli->layer;
    opt->feature_type = cli->feature_type;
    opt->dup = GRN_DUP_ERROR;
}

grn_search_opt_t grn_search_cli(const grn_search_cli_t *cli)
{
    return (grn_search_opt_t){ .upstream = (uint64_t)cli->upstream,
                               .downstream = (uint64_t)cli->downstream,
                               .promoter = cli->promoter[0] == 'k'   ? GRN_PROMOTER_KEEP
                                           : cli->promoter[0] == 'd' ? GRN_PROMOTER_DROP
                                                                     : GRN_PROMOTER_ONLY,
                               .promoter_bp = (uint64_t)cli->promoter_bp };
}

void grn_regulon_cli(const grn_regulon_cli_t *cli, grn_regulon_opt_t *opt)
{
    opt->rna_only = cli->rna_only;
    opt->rho_tg = cli->rho_tg[0] == 'p' ? GRN_RHO_PEARSON : GRN_RHO_SPEARMAN;
    opt->rho_rg = cli->rho_rg[0] == 'p' ? GRN_RHO_PEARSON : GRN_RHO_SPEARMAN;
    opt->min_rho = cli->min_rho;
    opt->max_fdr = cli->max_fdr;
    opt->distance_scale = cli->distance_scale;
    opt->all_signs = cli->all_signs;
    opt->min_tf_frac = cli->min_tf_frac;
    opt->min_gene_frac = cli->min_gene_frac;
    opt->min_region_frac = cli->min_region_frac;
    opt->min_type_cells = (uint64_t)cli->min_type_cells;
    opt->min_targets = (uint64_t)cli->min_targets;
    opt->top_targets = (uint64_t)cli->top_targets;
    opt->top_regulators = (uint64_t)cli->top_regulators;
    opt->prior = cli->prior;
    opt->prior_confidence = cli->prior_confidence;
    opt->prior_mode = cli->prior_mode[0] == 'o' ? GRN_PRIOR_ONLY : GRN_PRIOR_ADD;
}
