#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "grn-view/why.h"

static const char *tf_name(const why_t *w)
{
    return grn_names_get(&w->genes, w->tf);
}

grn_status why_regulon(const why_t *w, int combo, grn_str_t *s)
{
    char tg = combo & WHY_TG_NEGATIVE ? '-' : '+', rg = combo & WHY_RG_NEGATIVE ? '-' : '+';
    return w->opt.rna_only ? grn_str_printf(s, "%s(%c)", tf_name(w), tg) : grn_str_printf(s, "%s_%c/%c", tf_name(w), tg, rg);
}

/* ---- what cannot be told ---- */

static grn_status give(const why_t *w, const char *option, const char *key, int *first, grn_str_t *s)
{
    const char *hint = why_hint(w, key);
    grn_status rc = grn_str_printf(s, "%s%s %s", *first ? "; give " : " and ", option, hint ? hint : "FILE");
    *first = 0;
    return rc;
}

static grn_status open_question(const why_t *w, uint32_t unknown, grn_str_t *s)
{
    grn_status rc = GRN_OK;
    int first = 1;
    const uint32_t tg = 1U << WHY_TG_LINK | 1U << WHY_TG_RHO, rna = 1U << WHY_TF_FRAC | 1U << WHY_GENE_FRAC,
                   atac = 1U << WHY_REGION_FRAC, size = 1U << WHY_MIN_TARGETS;
    GRN_TRY(grn_str_puts(s, "cannot be told apart: "));
    for (int f = 0, n = 0; f < WHY_N_FILTERS; f++)
        if (unknown >> f & 1) GRN_TRY(grn_str_printf(s, "%s%s", n++ ? ", " : "", why_filter_name[f]));
    int sizes = (unknown & size) && !w->opt.gsea;
    if (((unknown & tg) || sizes) && !w->has_tg) GRN_TRY(give(w, "--tf-gene", "tf-gene", &first, s));
    if (((unknown & 1U << WHY_RG_RHO) || sizes) && !w->opt.rna_only && !w->has_rg)
        GRN_TRY(give(w, "--region-gene", "region-gene", &first, s));
    if (((unknown & 1U << WHY_MOTIF) || sizes) && !w->opt.rna_only && !w->has_sites)
        GRN_TRY(give(w, "--cistromes, --scan or --motif-hits", "", &first, s));
    if (((unknown & (rna | atac)) || sizes) && !w->opt.all_types && !w->has_rna) {
        GRN_TRY(give(w, "--rna", "rna", &first, s));
        if (why_hint(w, "cells")) GRN_TRY(give(w, "--cells", "cells", &first, s));
    }
    if (((unknown & atac) || sizes) && !w->opt.rna_only && !w->opt.all_types && !w->has_atac)
        GRN_TRY(give(w, "--atac", "atac", &first, s));
    if ((unknown & 1U << WHY_TF_FRAC) && w->has_rna && !w->in_rna[w->tf])
        GRN_TRY(grn_str_printf(s, "; the RNA has no %s: the accessibility of its motif decides", tf_name(w)));
    if (unknown & (1U << WHY_TOP_TARGETS | 1U << WHY_TOP_REGULATORS))
        GRN_TRY(grn_str_puts(s, "; what the prior knows is not in the files"));
    if (unknown & 1U << WHY_GENE_SET) GRN_TRY(grn_str_puts(s, "; which gene sets passed is not in the files"));
end:
    return rc;
}

/* ---- filters ---- */

static grn_status frac(grn_str_t *s, const char *name, const char *seen, double share, const char *type, const char *option,
                       double least)
{
    return grn_str_printf(s, "%s is %s in %.3g %% of the cells of type %s, %s %.3g %%", name, seen, 100 * share, type, option,
                          100 * least);
}

static grn_status not_above(grn_str_t *s, const char *name, double r, double least)
{
    return isnan(r) ? grn_str_printf(s, "%s is not a number", name)
                    : grn_str_printf(s, "%s %.4g is not above min-rho %.4g%s", name, r, least, r < 0 ? " in size" : "");
}

static grn_status too_small(const why_t *w, const why_triplet_t *t, why_end_t end, grn_str_t *s)
{
    grn_status rc = GRN_OK;
    uint32_t most = (uint32_t)end.value, least = end.type == WHY_NONE ? 0 : w->n_sure[end.type * WHY_COMBOS + t->combo];
    GRN_TRY(grn_str_printf(s, "%sregulon ", t->combo & WHY_IS_EXTENDED ? "extended " : ""));
    GRN_TRY(why_regulon(w, t->combo, s));
    GRN_TRY(grn_str_printf(s, " had %s%" PRIu32 " gene%s", least < most ? "at most " : "", most, most == 1 ? "" : "s"));
    if (end.type == WHY_NONE) GRN_TRY(grn_str_puts(s, " in any type"));
    else if (!w->opt.all_types) GRN_TRY(grn_str_printf(s, " in type %s", grn_names_get(&w->types, end.type)));
    GRN_TRY(grn_str_printf(s, ", min-targets %g", w->opt.min_targets));
end:
    return rc;
}

static grn_status gene_set(const why_t *w, why_end_t end, grn_str_t *s)
{
    if (!isnan(end.value))
        return grn_str_printf(s, "only %g targets of this sign are in the ranking of %s, min-targets %g", end.value, tf_name(w),
                              w->opt.min_targets);
    return grn_str_printf(s,
                          "it is in no leading edge of a gene set of %s that passed (NES > 0, "
                          "adjusted p < %g, %g genes)",
                          tf_name(w), w->opt.gsea_fdr, w->opt.min_targets);
}

grn_status why_reason(const why_t *w, const why_triplet_t *t, why_end_t end, grn_str_t *s)
{
    const why_opt_t *o = &w->opt;
    const char *tf = tf_name(w), *gene = grn_names_get(&w->genes, t->gene),
               *type = end.type != WHY_NONE ? grn_names_get(&w->types, end.type) : "",
               *region = t->region != WHY_NONE ? grn_names_get(&w->regions, t->region) : "";
    switch (end.at) {
    case WHY_TG_LINK: return grn_str_printf(s, "%s has no link to %s in '%s'", tf, gene, w->file.tf_gene);
    case WHY_TG_RHO: return not_above(s, o->sp_tg ? "rho_sp_tg" : "rho_tg", end.value, o->min_rho);
    case WHY_TG_FDR: return grn_str_printf(s, "fdr_tg %.4g is above max-fdr %.4g", end.value, o->max_fdr);
    case WHY_TG_SIGN: return grn_str_printf(s, "rho_tg %.4g is negative: such targets are kept with --all-signs only", end.value);
    case WHY_TOP_TARGETS:
        return grn_str_printf(s, "%s is target %g of %s by strength, top-targets %g", gene, end.value, tf, o->top_targets);
    case WHY_TOP_REGULATORS:
        return grn_str_printf(s, "%s is regulator %g of %s by strength, top-regulators %g", tf, end.value, gene, o->top_regulators);
    case WHY_HAS_REGION: return grn_str_printf(s, "%s has no linked region in '%s'", gene, w->file.region_gene);
    case WHY_MOTIF: return grn_str_printf(s, "no motif of %s", tf);
    case WHY_RG_RHO: return not_above(s, o->sp_rg ? "rho_sp_rg" : "rho_rg", end.value, o->min_rho);
    case WHY_RG_FDR: return grn_str_printf(s, "fdr_rg %.4g is above max-fdr %.4g", end.value, o->max_fdr);
    case WHY_RG_SIGN:
        return grn_str_printf(s, "%s %.4g is negative: such regions are kept with --all-signs only", o->sp_rg ? "rho_sp_rg" : "rho_rg",
                              end.value);
    case WHY_GENE_SET: return gene_set(w, end, s);
    case WHY_TYPE_CELLS: return grn_str_printf(s, "type %s has %g cells, min-type-cells %g", type, end.value, o->min_type_cells);
    case WHY_TF_FRAC:
        if (w->tf_open)
            return grn_str_printf(s,
                                  "the RNA has no %s, and the regions with its motif are %.3g "
                                  "times as open in type %s as in the mean of the types",
                                  tf, end.value, type);
        return frac(s, tf, "seen", end.value, type, "min-tf-frac", o->min_tf_frac);
    case WHY_GENE_FRAC: return frac(s, gene, "seen", end.value, type, "min-gene-frac", o->min_gene_frac);
    case WHY_REGION_FRAC: return frac(s, region, "open", end.value, type, "min-region-frac", o->min_region_frac);
    case WHY_MIN_TARGETS: return too_small(w, t, end, s);
    case WHY_FILLED:
        return grn_str_printf(s, "of the extended cistrome alone: the regulon of the direct one "
                                 "takes its place (--extended fill)");
    case WHY_OPEN: return open_question(w, end.unknown, s);
    case WHY_UNEXPLAINED:
        if (o->max_q < 1)
            return grn_str_printf(s, "passes all other filters: its q was above max-q %.4g, or too few genes of its regulon were below",
                                  o->max_q);
        return grn_str_printf(s,
                              "passes every filter with these files and is not in '%s': are they "
                              "what it was made from?",
                              w->path);
    case WHY_KEPT: return grn_str_puts(s, "kept");
    }
    return GRN_OK;
}
