#include "options.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

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

/* ---- regulons ---- */

grn_status grn_regulon_preset(const char *word, grn_regulon_cli_t *cli)
{
    static const grn_regulon_cli_t standard = GRN_REGULON_CLI_INIT;
    int scenicplus = strcmp(word, "scenicplus") == 0;
    cli->method = "gsea";
    cli->min_rho = 0.05;
    cli->quantiles = standard.quantiles;
    cli->top_regions = standard.top_regions;
    cli->top_genes = standard.top_genes;
    cli->basca = standard.basca;
    cli->min_regions = standard.min_regions;
    cli->permutations = standard.permutations;
    cli->gsea_fdr = standard.gsea_fdr;
    cli->min_targets = standard.min_targets;
    cli->extended = standard.extended;
    cli->autoregulation = scenicplus;
    cli->types = scenicplus ? "all" : "each";
    cli->names = scenicplus ? "scenicplus" : "plain";
    return GRN_OK;
}

/* "0.85,0.9" or "none" -> numbers in [lo, hi]. */
static grn_status parse_list(const char *name, const char *text, double lo, double hi, int whole, double *v, size_t *n)
{
    *n = 0;
    if (strcmp(text, "none") == 0) return GRN_OK;
    for (const char *s = text;;) {
        char *end;
        double x = strtod(s, &end);
        if (end == s || (*end && *end != ',') || !(x >= lo && x <= hi) || (whole && x != floor(x)))
            return grn_err(GRN_EUSAGE, "--%s: '%s' is not a list of %snumbers from %.10g to %.10g, or none", name, text,
                           whole ? "whole " : "", lo, hi);
        if (*n == GRN_MAX_BINARISATIONS) return grn_err(GRN_EUSAGE, "--%s: more than %d numbers", name, GRN_MAX_BINARISATIONS);
        v[(*n)++] = x;
        if (!*end) return GRN_OK;
        s = end + 1;
    }
}

static grn_status parse_counts(const char *name, const char *text, uint32_t *v, size_t *n)
{
    double x[GRN_MAX_BINARISATIONS];
    grn_status rc = parse_list(name, text, 1, 1e9, 1, x, n);
    for (size_t i = 0; rc == GRN_OK && i < *n; i++) v[i] = (uint32_t)x[i];
    return rc;
}

static grn_status parse_binarise(const grn_regulon_cli_t *cli, grn_binarise_opt_t *o)
{
    grn_status rc = GRN_OK;
    GRN_TRY(parse_list("quantiles", cli->quantiles, 0, 1, 0, o->quantile, &o->n_quantile));
    GRN_TRY(parse_counts("top-regions", cli->top_regions, o->top_regions, &o->n_top_regions));
    GRN_TRY(parse_counts("top-genes", cli->top_genes, o->top_genes, &o->n_top_genes));
    o->basca = cli->basca;
    o->min_regions = (uint64_t)cli->min_regions;
    size_t n = o->n_quantile + o->n_top_regions + o->n_top_genes + (size_t)o->basca;
    if (!n) GRN_FAIL(GRN_EUSAGE, "no binarisation is left: give one of --quantiles, --top-regions, --top-genes and --basc");
    if (n > GRN_MAX_BINARISATIONS) GRN_FAIL(GRN_EUSAGE, "%zu binarisations, at most %d", n, GRN_MAX_BINARISATIONS);
end:
    return rc;
}

grn_status grn_regulon_cli(const grn_regulon_cli_t *cli, grn_regulon_opt_t *opt)
{
    opt->method = cli->method[0] == 'g' ? GRN_REGULON_GSEA : GRN_REGULON_JOIN;
    opt->n_perm = (uint64_t)cli->permutations;
    opt->gsea_fdr = cli->gsea_fdr;
    opt->autoregulation = cli->autoregulation;
    opt->extended = cli->extended[0] == 'f' ? GRN_EXTENDED_FILL : cli->extended[0] == 'a' ? GRN_EXTENDED_ALL : GRN_EXTENDED_NONE;
    opt->scenicplus_names = cli->names[0] == 's';
    opt->all_types = cli->types[0] == 'a';
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
    return parse_binarise(cli, &opt->binarise);
}
