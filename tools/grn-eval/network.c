/* TF -> gene edges against a known network, in BEELINE's terms (SPEC_MODEL section 9): universe =
 * TFs of the truth x genes of the truth, self-pairs excluded; pairs a method does not mention score
 * 0. Baselines in the same table: random ranking, degree product, |Pearson|. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"
#include "grn-eval/eval.h"
#include "grn-eval/pearson.h"
#include "stat/curve.h"

static struct {
    const char *truth, *counts, *score, *out, *curve;
    int by_context;
    int64_t bootstrap;
    grn_counts_cli_t in;
} opt = { .bootstrap = 200, .in = GRN_COUNTS_CLI_INIT };

/* The candidate pairs of one context and their labels. */
typedef struct {
    grn_names_t tf, gene;
    uint8_t *label; /* (T, G) */
    int8_t *sign;   /* (T, G) of the true edge, 0 unknown */
    size_t *pair;   /* (n) index t * G + g of every candidate, self-pairs left out */
    uint64_t *key;  /* (n) name hash of the TF: bootstrap resamples TFs */
    size_t n;
} universe_t;

static void universe_clear(universe_t *u)
{
    grn_names_clear(&u->tf);
    grn_names_clear(&u->gene);
    free(u->label);
    free(u->sign);
    free(u->pair);
    free(u->key);
    memset(u, 0, sizeof *u);
}

static int edge_in(const grn_edges_t *e, size_t i, const char *context)
{
    return !context || !e->context ||
           strcmp(grn_names_get(&e->contexts, e->context[i]), context) == 0;
}

/* Names in bytewise order, so that nothing depends on the order of the truth file. */
static grn_status sorted_names(const grn_names_t *in, grn_names_t *out)
{
    grn_status rc;
    uint32_t *order = NULL;
    GRN_TRY(GRN_NEW(order, in->n));
    GRN_TRY(grn_names_sort(in, order));
    for (size_t i = 0; i < in->n; i++)
        GRN_TRY(grn_names_add(out, grn_names_get(in, order[i]), NULL, NULL));
end:
    free(order);
    return rc;
}

static grn_status universe_names(universe_t *u, const grn_edges_t *truth, const char *context,
                                 const grn_names_t *measured)
{
    grn_status rc = GRN_OK;
    grn_names_t tf = { 0 }, gene = { 0 };
    for (size_t i = 0; i < truth->n; i++) {
        const char *t = grn_names_get(&truth->genes, truth->tf[i]),
                   *g = grn_names_get(&truth->genes, truth->gene[i]);
        if (!edge_in(truth, i, context)) continue;
        if (measured && (grn_names_find(measured, t) == GRN_NAMES_NONE ||
                         grn_names_find(measured, g) == GRN_NAMES_NONE))
            continue;
        GRN_TRY(grn_names_add(&tf, t, NULL, NULL));
        GRN_TRY(grn_names_add(&gene, g, NULL, NULL));
        GRN_TRY(grn_names_add(&gene, t, NULL, NULL));
    }
    GRN_TRY(sorted_names(&tf, &u->tf));
    GRN_TRY(sorted_names(&gene, &u->gene));
end:
    grn_names_clear(&tf);
    grn_names_clear(&gene);
    return rc;
}

static grn_status universe_build(universe_t *u, const grn_edges_t *truth, const char *context,
                                 const grn_names_t *measured)
{
    grn_status rc;
    GRN_TRY(universe_names(u, truth, context, measured));
    size_t T = u->tf.n, G = u->gene.n;
    GRN_TRY(GRN_NEW(u->label, T * G));
    GRN_TRY(GRN_NEW(u->sign, T * G));
    GRN_TRY(GRN_NEW(u->pair, T * G));
    GRN_TRY(GRN_NEW(u->key, T * G));
    for (size_t i = 0; i < truth->n; i++) {
        size_t t = grn_names_find(&u->tf, grn_names_get(&truth->genes, truth->tf[i]));
        size_t g = grn_names_find(&u->gene, grn_names_get(&truth->genes, truth->gene[i]));
        if (!edge_in(truth, i, context) || t == GRN_NAMES_NONE || g == GRN_NAMES_NONE) continue;
        u->label[t * G + g] = 1;
        if (truth->sign) u->sign[t * G + g] = truth->sign[i];
    }
    for (size_t t = 0; t < T; t++)
        for (size_t g = 0; g < G; g++) {
            if (strcmp(grn_names_get(&u->tf, t), grn_names_get(&u->gene, g)) == 0) continue;
            u->pair[u->n] = t * G + g;
            u->key[u->n++] = grn_hash_str(grn_names_get(&u->tf, t));
        }
end:
    return rc;
}

/* Strongest |score| of each pair over contexts, regions and regulons. score: (T, G) zeroed. Counts
 * true edges found and signs right. */
static grn_status score_edges(const universe_t *u, const grn_edges_t *e, const char *context,
                              const char *path, double *score, double *n_sign, double *n_right)
{
    const float *v = e->weight;
    size_t G = u->gene.n;
    if (opt.score && strcmp(opt.score, "weight") != 0 &&
        !(v = grn_edges_find_evidence(e, opt.score)))
        return grn_err(GRN_EINVAL, "'%s' has no evidence column '%s'", path, opt.score);
    *n_sign = *n_right = 0;
    for (size_t i = 0; i < e->n; i++) {
        size_t t = grn_names_find(&u->tf, grn_names_get(&e->genes, e->tf[i])),
               g = grn_names_find(&u->gene, grn_names_get(&e->genes, e->gene[i]));
        double s = v ? fabs((double)v[i]) : 1;
        if (!edge_in(e, i, context) || t == GRN_NAMES_NONE || g == GRN_NAMES_NONE || !(s > 0))
            continue;
        double *to = &score[t * G + g];
        if (*to == 0 && e->sign && e->sign[i] && u->sign[t * G + g]) {
            ++*n_sign;
            *n_right += e->sign[i] == u->sign[t * G + g];
        }
        if (s > *to) *to = s;
    }
    return GRN_OK;
}

/* What the degrees alone say: out-degree of the TF x in-degree of the gene in the predicted
 * network. */
static grn_status score_degrees(const universe_t *u, const double *score, double *out)
{
    grn_status rc;
    size_t T = u->tf.n, G = u->gene.n;
    double *row = NULL, *col = NULL;
    GRN_TRY(GRN_NEW(row, T));
    GRN_TRY(GRN_NEW(col, G));
    for (size_t t = 0; t < T; t++)
        for (size_t g = 0; g < G; g++)
            if (score[t * G + g] > 0) {
                row[t]++;
                col[g]++;
            }
    for (size_t t = 0; t < T; t++)
        for (size_t g = 0; g < G; g++) out[t * G + g] = row[t] * col[g];
end:
    free(row);
    free(col);
    return rc;
}

static void score_random(const universe_t *u, double *out)
{
    size_t G = u->gene.n;
    for (size_t t = 0; t < u->tf.n; t++)
        for (size_t g = 0; g < G; g++) {
            uint64_t k =
                grn_rng_key(grn_common.seed, "eval.random", grn_hash_str(grn_names_get(&u->tf, t)),
                            grn_hash_str(grn_names_get(&u->gene, g)));
            out[t * G + g] = ((double)(k >> 11) + 1) * 0x1p-53;
        }
}

typedef struct {
    grn_result_t table, curve;
    const char *context;
    const universe_t *u;
    double *s;      /* (n) scores of the candidates */
    uint8_t *label; /* (n) */
} report_t;

static grn_status add_curve(report_t *r, const char *method, double density)
{
    grn_status rc;
    grn_curve_points_t p = { 0 };
    char series[300];
    (void)density;
    snprintf(series, sizeof series, "%s%s%s", method, r->context ? " in " : "",
             r->context ? r->context : "");
    GRN_TRY(grn_curve_points(r->s, r->label, r->u->n, &p));
    grn_curve_points_thin(&p, 300);
    for (size_t i = 0; i < p.n; i++)
        if (p.threshold[i] > 0)
            GRN_TRY(grn_result_row(&r->curve, series, (double)p.tp[i] / (double)p.n_pos,
                                   (double)p.tp[i] / (double)(p.tp[i] + p.fp[i])));
end:
    grn_curve_points_clear(&p);
    return rc;
}

static grn_status add_method(report_t *r, const char *method, const double *score, double n_sign,
                             double n_right)
{
    grn_status rc;
    grn_curve_t c;
    grn_curve_ci_t ci;
    const universe_t *u = r->u;
    double n_predicted = 0;
    for (size_t i = 0; i < u->n; i++) {
        r->s[i] = score[u->pair[i]];
        r->label[i] = u->label[u->pair[i]];
        n_predicted += r->s[i] > 0;
    }
    GRN_TRY(grn_curve_score(r->s, r->label, u->n, &c));
    GRN_TRY(grn_curve_bootstrap(r->s, r->label, u->key, u->n, (size_t)opt.bootstrap, 0.95,
                                grn_common.seed, grn_common.pool, &ci));
    GRN_TRY(grn_result_row(&r->table, r->context ? r->context : "all", method, (double)u->n,
                           c.n_pos, n_predicted, c.density, c.auprc, ci.lo.auprc, ci.hi.auprc,
                           c.auprc / c.density, c.ap, c.auroc, ci.lo.auroc, ci.hi.auroc, c.epr,
                           ci.lo.epr, ci.hi.epr, n_sign > 0 ? n_right / n_sign : (double)NAN));
    rc = add_curve(r, method, c.density);
end:
    return rc;
}

typedef struct {
    char name[128];
    grn_edges_t e;
    const char *path;
} method_t;

static grn_status eval_context(report_t *r, const char *context, const grn_edges_t *truth,
                               const grn_names_t *measured, method_t *m, int n_m,
                               const grn_counts_opt_t *copt)
{
    grn_status rc;
    universe_t u = { 0 };
    double *score = NULL, *degree = NULL, n_sign = 0, n_right = 0;
    char name[160];
    uint64_t n_cells;
    GRN_TRY(universe_build(&u, truth, context, measured));
    if (!u.n)
        GRN_FAIL(GRN_EEMPTY, "no candidate pairs%s%s: truth and expression share no genes",
                 context ? " in " : "", context ? context : "");
    r->u = &u;
    r->context = context;
    GRN_TRY(GRN_NEW(r->s, u.n));
    GRN_TRY(GRN_NEW(r->label, u.n));
    GRN_TRY(GRN_NEW(degree, u.tf.n * u.gene.n));
    for (int k = 0; k < n_m; k++) {
        free(score);
        GRN_TRY(GRN_NEW(score, u.tf.n * u.gene.n));
        GRN_TRY(score_edges(&u, &m[k].e, context, m[k].path, score, &n_sign, &n_right));
        GRN_TRY(add_method(r, m[k].name, score, n_sign, n_right));
        GRN_TRY(score_degrees(&u, score, degree));
        snprintf(name, sizeof name, "degrees of %s", m[k].name);
        GRN_TRY(add_method(r, name, degree, 0, 0));
    }
    if (opt.counts) {
        GRN_TRY(grn_eval_pearson(opt.counts, copt, context, &u.tf, &u.gene, degree, &n_cells));
        GRN_TRY(add_method(r, "|Pearson|", degree, 0, 0));
    }
    score_random(&u, degree);
    GRN_TRY(add_method(r, "random", degree, 0, 0));
end:
    free(r->s);
    free(r->label);
    r->s = NULL;
    r->label = NULL;
    free(score);
    free(degree);
    universe_clear(&u);
    return rc;
}

static grn_status measured_genes(const grn_counts_opt_t *copt, grn_names_t *out)
{
    grn_status rc;
    grn_mr_t *r = NULL;
    GRN_TRY(grn_mr_open(&r, opt.counts, copt, grn_common.pool));
    GRN_TRY(grn_names_dup(out, &grn_mr_info(r)->col));
end:
    grn_mr_close(r);
    return rc;
}

static grn_status load_methods(const grn_args_t *args, method_t *m)
{
    grn_status rc = GRN_OK;
    for (int k = 0; k < args->n; k++) {
        grn_eval_named(args->v[k], m[k].name, sizeof m[k].name, &m[k].path);
        GRN_TRY(grn_eval_load_edges(m[k].path, &m[k].e));
        if (!m[k].e.tf || !m[k].e.gene)
            GRN_FAIL(GRN_EFORMAT, "'%s' has no TF -> gene edges", m[k].path);
    }
end:
    return rc;
}

static grn_status run(const grn_args_t *args)
{
    grn_status rc = GRN_OK;
    grn_edges_t truth = { 0 };
    grn_names_t measured = { 0 };
    grn_counts_opt_t copt = GRN_COUNTS_OPT_INIT;
    report_t r = { 0 };
    method_t *m = NULL;
    if (!opt.truth) GRN_FAIL(GRN_EUSAGE, "give the known network with --truth");
    GRN_TRY(grn_counts_cli(&opt.in, &copt));
    GRN_TRY(GRN_NEW(m, (size_t)args->n));
    GRN_TRY(grn_eval_load_edges(opt.truth, &truth));
    if (!truth.tf || !truth.gene) GRN_FAIL(GRN_EFORMAT, "'%s' has no TF -> gene edges", opt.truth);
    if (opt.by_context && !truth.context)
        GRN_FAIL(GRN_EINVAL, "'%s' has no contexts; leave out --by-context", opt.truth);
    if (opt.counts) GRN_TRY(measured_genes(&copt, &measured));
    GRN_TRY(load_methods(args, m));
    GRN_TRY(grn_result_init(
        &r.table, "network",
        "TF -> gene edges against the known network (95 % intervals by resampling TFs)",
        "context$,method$,pairs,true,predicted,density,auprc,auprc_lo,auprc_hi,auprc_ratio,ap,"
        "auroc,auroc_lo,auroc_hi,epr,epr_lo,"
        "epr_hi,sign_accuracy"));
    GRN_TRY(grn_result_init(&r.curve, "network.curve", "Precision and recall of TF -> gene edges",
                            "series$,recall,precision"));
    if (!opt.by_context)
        GRN_TRY(eval_context(&r, NULL, &truth, opt.counts ? &measured : NULL, m, args->n, &copt));
    for (size_t c = 0; opt.by_context && c < truth.contexts.n; c++)
        GRN_TRY(eval_context(&r, grn_names_get(&truth.contexts, c), &truth,
                             opt.counts ? &measured : NULL, m, args->n, &copt));
    if (opt.curve) GRN_TRY(grn_result_save(&r.curve, opt.curve, grn_common.pool));
    rc = grn_eval_emit(&r.table, opt.out);
end:
    for (int k = 0; m && k < args->n; k++) grn_edges_clear(&m[k].e);
    free(m);
    grn_edges_clear(&truth);
    grn_names_clear(&measured);
    grn_result_clear(&r.table);
    grn_result_clear(&r.curve);
    return rc;
}

static const grn_opt_t table[] = {
    GRN_OPT_HEAD("Truth and baselines"),
    GRN_OPT_STR('t', "truth", "FILE", &opt.truth,
                "known network: edges container, or TF -> gene table as text"),
    GRN_OPT_STR(0, "counts", "FILE", &opt.counts,
                "expression: restricts pairs to measured genes and adds |Pearson|"),
    GRN_OPT_FLAG(0, "by-context", &opt.by_context, "one evaluation per context of the truth"),
    GRN_OPT_STR(0, "score", "NAME", &opt.score, "evidence column that ranks the edges [weight]"),
    GRN_OPT_INT(0, "bootstrap", "INT", &opt.bootstrap, 1, 100000,
                "replicates of the intervals (TFs are resampled)"),
    GRN_OPT_HEAD("Output"),
    GRN_OPT_STR('o', "output", "FILE", &opt.out, "also save the table as grn.result"),
    GRN_OPT_STR(0, "curve", "FILE", &opt.curve,
                "precision-recall points as grn.result, for grn-plot curve"),
    GRN_OPT_HEAD("Input"),
    GRN_COUNTS_OPTIONS(opt.in),
    GRN_OPT_END,
};
const grn_subtool_t grn_eval_network = {
    { "grn-eval network", "TF -> gene edges against a known network.",
      "[options] -t TRUTH [NAME=]EDGES...", table, 1, -1,
      "  grn-eval network -t truth.edges.zst --counts counts.h5 boosted=regulons.edges.zst\n" },
    run
};
