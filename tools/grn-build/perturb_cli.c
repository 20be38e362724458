#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "build.h"
#include "perturb.h"

static struct {
    grn_perturb_opt_t perturb;
    grn_counts_cli_t rna;
    grn_opt_list_t knock_out, set, scale;
    const char *expression;
    int64_t rounds, trees, baseline;
} opt = { .perturb = GRN_PERTURB_OPT_INIT, .rna = GRN_COUNTS_CLI_INIT, .expression = "lognorm", .rounds = 5, .trees = 500, .baseline = 20 };

static const grn_opt_t table[] = {
    GRN_OPT_HEAD("Output"),
    GRN_OPT_STR('o', "output", "FILE", &opt.perturb.out, "cells x genes: the change of every value (sparse)"),
    GRN_OPT_STR(0, "summary", "TSV", &opt.perturb.summary, "and the mean change per cell type and gene, beside a baseline"),
    GRN_OPT_INT(0, "baseline", "INT", &opt.baseline, 0, 100000, "runs with permuted TFs behind the baseline; 0: none"),
    GRN_OPT_HEAD("Perturbation (at least one; each may be repeated)"),
    GRN_OPT_LIST('k', "knock-out", "TF", &opt.knock_out, "no expression in any cell"),
    GRN_OPT_LIST(0, "set", "TF=VALUE", &opt.set, "this value in every cell, on the scale of --expression"),
    GRN_OPT_LIST(0, "scale", "TF=FACTOR", &opt.scale, "this many times the RNA in every cell"),
    GRN_OPT_HEAD("Network"),
    GRN_OPT_STR('r', "regulons", "FILE", &opt.perturb.regulons, "regulons of grn-build regulon"),
    GRN_OPT_LIST('c', "context", "TYPE", &opt.perturb.context, "use only the regulons of this cell type; again for more [all]"),
    GRN_OPT_STR(0, "targets", "FILE", &opt.perturb.targets, "model only these genes, one a line [all targets]"),
    GRN_OPT_HEAD("Model"),
    GRN_OPT_INT(0, "rounds", "INT", &opt.rounds, 1, 1000, "times that changes are handed on to targets"),
    GRN_OPT_INT(0, "trees", "INT", &opt.trees, 1, 100000, "trees of a gene's model"),
    GRN_OPT_FLT(0, "learning-rate", "FLOAT", &opt.perturb.rate, 1e-6, 1, "of boosting"),
    GRN_OPT_FLAG(0, "compat", &opt.perturb.compat, "as SCENIC+: changes multiply, perturbed genes may drift"),
    GRN_OPT_ENUM(0, "expression", "lognorm|raw", &opt.expression, "scale of the RNA: log(1 + 10,000 x / total), or as read"),
    GRN_OPT_HEAD("Input"),
    GRN_COUNTS_OPTIONS(opt.rna),
    GRN_OPT_END,
};

/* "TF=VALUE" or "TF" into the next of opt.perturb.what. */
static grn_status add_one(const char *option, const char *text, grn_perturb_kind kind)
{
    grn_status rc = GRN_OK;
    const char *eq = kind == GRN_PERTURB_KNOCK_OUT ? NULL : strrchr(text, '=');
    size_t n = eq ? (size_t)(eq - text) : strlen(text);
    grn_perturbed_t *w = &opt.perturb.what[opt.perturb.n_what];
    *w = (grn_perturbed_t){ kind, NULL, 0 };
    if (kind != GRN_PERTURB_KNOCK_OUT && !eq) GRN_FAIL(GRN_EUSAGE, "--%s %s: a gene, '=' and a number are expected", option, text);
    if (n == 0) GRN_FAIL(GRN_EUSAGE, "--%s '%s': a gene is expected", option, text);
    if (eq && (grn_parse_f64(eq + 1, &w->amount) || !(w->amount >= 0) || w->amount > 1e6))
        GRN_FAIL(GRN_EUSAGE, "--%s %s: a number from 0 to 1,000,000 is expected after '='", option, text);
    GRN_TRY(GRN_NEW(w->name, n + 1));
    opt.perturb.n_what++;
    memcpy(w->name, text, n);
    for (size_t k = 0; k + 1 < opt.perturb.n_what; k++)
        if (strcmp(opt.perturb.what[k].name, w->name) == 0) GRN_FAIL(GRN_EUSAGE, "'%s' is perturbed twice", w->name);
end:
    return rc;
}

static grn_status add_all(void)
{
    grn_status rc = GRN_OK;
    size_t n = opt.knock_out.n + opt.set.n + opt.scale.n;
    if (n == 0) GRN_FAIL(GRN_EUSAGE, "say what to perturb: --knock-out TF, --set TF=VALUE or --scale TF=FACTOR");
    GRN_TRY(GRN_NEW(opt.perturb.what, n));
    for (size_t k = 0; k < opt.knock_out.n; k++) GRN_TRY(add_one("knock-out", opt.knock_out.v[k], GRN_PERTURB_KNOCK_OUT));
    for (size_t k = 0; k < opt.set.n; k++) GRN_TRY(add_one("set", opt.set.v[k], GRN_PERTURB_SET));
    for (size_t k = 0; k < opt.scale.n; k++) GRN_TRY(add_one("scale", opt.scale.v[k], GRN_PERTURB_SCALE));
end:
    return rc;
}

static grn_status run(const grn_args_t *args)
{
    grn_status rc = GRN_OK;
    grn_perturb_opt_t *o = &opt.perturb;
    if (!o->out) GRN_FAIL(GRN_EUSAGE, "give --output FILE");
    if (!o->regulons) GRN_FAIL(GRN_EUSAGE, "give the regulons: --regulons FILE");
    if (opt.baseline == 1) GRN_FAIL(GRN_EUSAGE, "--baseline 1 has no standard deviation: give 0, or 2 or more");
    GRN_TRY(add_all());
    GRN_TRY(grn_counts_cli(&opt.rna, &o->rna_opt));
    o->rna = args->v[0];
    o->expression = grn_scale_parse(opt.expression);
    o->rounds = (size_t)opt.rounds;
    o->trees = (size_t)opt.trees;
    o->baseline = (size_t)opt.baseline;
    GRN_TRY(grn_perturb_run(o));
end:
    for (size_t k = 0; k < o->n_what; k++) free(o->what[k].name);
    free(o->what);
    return rc;
}

const grn_subtool_t grn_build_perturb = {
    { "grn-build perturb", "knock out or over-express TFs in silico: the change of every gene in every cell",
      "[options] -r REGULONS.edges.zst (-k TF | --set TF=VALUE | --scale TF=FACTOR)... -o CHANGE.tensor.zst RNA", table, 1, 1,
      "  grn-build perturb -r regulons.edges.zst -k SPI1 --summary spi1.tsv -o spi1.tensor.zst rna.h5ad\n"
      "  grn-build perturb -r regulons.edges.zst -k GATA1 --scale SPI1=3 -c Mono -o both.tensor.zst rna.h5ad\n" },
    run,
};
