#include <stdlib.h>
#include "base/opt.h"
#include "io/prov.h"
#include "regulon_priv.h"

static grn_status put_number(grn_str_t *b, const char *key, double x)
{
    char buf[32];
    return grn_str_printf(b, ",\"%s\":%s", key, grn_fmt_f64(buf, x));
}

static grn_status put_word(grn_str_t *b, const char *key, const char *word)
{
    return grn_str_printf(b, "%s\"%s\":\"%s\"", b->n > 1 ? "," : "", key, word);
}

grn_status grn_regulon_options_json(const grn_regulon_opt_t *o, grn_str_t *b)
{
    static const char *const extended[] = { "fill", "all", "none" };
    grn_status rc = GRN_OK;
    GRN_TRY(grn_str_puts(b, "{"));
    GRN_TRY(put_word(b, "method",
                     o->rna_only                     ? "rna-only"
                     : o->method == GRN_REGULON_GSEA ? "gsea"
                                                     : "join"));
    GRN_TRY(put_word(b, "rho-tg", o->rho_tg ? "spearman" : "pearson"));
    GRN_TRY(put_number(b, "min-rho", o->min_rho));
    GRN_TRY(put_number(b, "max-fdr", o->max_fdr));
    GRN_TRY(put_number(b, "max-q", o->max_q));
    GRN_TRY(put_number(b, "all-signs", o->all_signs));
    GRN_TRY(put_number(b, "min-targets", (double)o->min_targets));
    GRN_TRY(put_word(b, "types", o->all_types ? "all" : "each"));
    if (!o->all_types) {
        GRN_TRY(put_number(b, "min-type-cells", (double)o->min_type_cells));
        GRN_TRY(put_number(b, "min-tf-frac", o->min_tf_frac));
        GRN_TRY(put_number(b, "min-gene-frac", o->min_gene_frac));
    }
    if (o->rna_only) {
        GRN_TRY(put_number(b, "top-targets", (double)o->top_targets));
        GRN_TRY(put_number(b, "top-regulators", (double)o->top_regulators));
        GRN_TRY(put_word(b, "prior",
                         !o->prior                         ? "none"
                         : o->prior_mode == GRN_PRIOR_ONLY ? "only"
                                                           : "add"));
    } else {
        GRN_TRY(put_word(b, "rho-rg", o->rho_rg ? "spearman" : "pearson"));
        if (!o->all_types) GRN_TRY(put_number(b, "min-region-frac", o->min_region_frac));
        GRN_TRY(put_word(b, "extended", extended[o->extended]));
    }
    if (o->method == GRN_REGULON_GSEA) {
        GRN_TRY(put_number(b, "gsea-fdr", o->gsea_fdr));
        GRN_TRY(put_number(b, "autoregulation", o->autoregulation));
    }
    GRN_TRY(grn_str_puts(b, "}"));
end:
    return rc;
}

static grn_status put_path(grn_str_t *b, const char *key, const char *path)
{
    grn_status rc = GRN_OK;
    char *text = NULL;
    if (!path) return GRN_OK;
    GRN_TRY(grn_utf8(path, &text));
    GRN_TRY(grn_str_printf(b, "%s\"%s\":", b->n > 1 ? "," : "", key));
    GRN_TRY(grn_funnel_quote(b, text));
end:
    free(text);
    return rc;
}

grn_status grn_regulon_files_json(const grn_regulon_opt_t *o, grn_str_t *b)
{
    grn_status rc = GRN_OK;
    GRN_TRY(grn_str_puts(b, "{"));
    GRN_TRY(put_path(b, "tf-gene", o->tf_gene));
    GRN_TRY(put_path(b, "region-gene", o->region_gene));
    GRN_TRY(put_path(b, "cistromes", o->cistromes));
    GRN_TRY(put_path(b, "scan", o->scan));
    GRN_TRY(put_path(b, "motif-hits", o->hits));
    GRN_TRY(put_path(b, "motif2tf", o->motif2tf));
    GRN_TRY(put_path(b, "rna", o->rna));
    GRN_TRY(put_path(b, "atac", o->atac));
    GRN_TRY(put_path(b, "cells", o->rna_opt.cells_tsv));
    GRN_TRY(grn_str_puts(b, "}"));
end:
    return rc;
}
