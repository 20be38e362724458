/* Regulon activity against planted states: does the score, and does the on/off call, tell on from
 * off cells within a cell type? Baselines in the same rows: the TF's own expression, and the share
 * of the larger class for the calls. The targets of a repressor are low while it is on, so the
 * score and the call of a regulon with a negative TF -> gene sign are read the other way round. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "grn-eval/eval.h"
#include "grn-eval/reliability.h"
#include "io/activity.h"
#include "io/counts.h"
#include "stat/curve.h"

static struct {
    const char *truth, *active, *counts, *out, *curve;
    int64_t min_cells, bootstrap;
    grn_counts_cli_t in;
} opt = { .min_cells = 10, .bootstrap = 200, .in = GRN_COUNTS_CLI_INIT };

typedef struct {
    grn_matrix_t auc, expr;
    grn_activity_t truth, active;
    uint32_t *auc_row, *expr_row, *active_row; /* (truth cells) row of the same cell, UINT32_MAX: absent */
} data_t;

static grn_status join(const grn_names_t *cells, const grn_names_t *rows, uint32_t **out, size_t *n)
{
    grn_status rc;
    GRN_TRY(GRN_NEW(*out, cells->n));
    *n = 0;
    for (size_t c = 0; c < cells->n; c++) {
        size_t i = grn_names_find(rows, grn_names_get(cells, c));
        (*out)[c] = i == GRN_NAMES_NONE ? UINT32_MAX : (uint32_t)i;
        *n += i != GRN_NAMES_NONE;
    }
end:
    return rc;
}

static grn_status join_loud(const grn_names_t *cells, const grn_names_t *rows, const char *path, uint32_t **out)
{
    size_t n;
    grn_status rc = join(cells, rows, out, &n);
    if (rc) return rc;
    if (!n)
        return grn_err(GRN_ESHAPE, "0 of %zu cells of the truth are in '%s'; first names: %s vs %s", cells->n, path,
                       cells->n ? grn_names_get(cells, 0) : "-", rows->n ? grn_names_get(rows, 0) : "-");
    if (n < cells->n) grn_log_warn("%zu of %zu cells of the truth are in '%s'", n, cells->n, path);
    return GRN_OK;
}

static grn_status load(const char *auc_path, data_t *d)
{
    grn_status rc;
    grn_counts_opt_t copt = GRN_COUNTS_OPT_INIT;
    GRN_TRY(grn_matrix_load(auc_path, grn_common.pool, &d->auc));
    GRN_TRY(grn_matrix_to_dense(&d->auc));
    GRN_TRY(grn_activity_load(opt.truth, grn_common.pool, &d->truth));
    GRN_TRY(join_loud(&d->truth.cells, &d->auc.row, auc_path, &d->auc_row));
    if (opt.active) {
        GRN_TRY(grn_activity_load(opt.active, grn_common.pool, &d->active));
        GRN_TRY(join_loud(&d->truth.cells, &d->active.cells, opt.active, &d->active_row));
    }
    if (opt.counts) {
        GRN_TRY(grn_counts_cli(&opt.in, &copt));
        GRN_TRY(grn_counts_load(opt.counts, &copt, grn_common.pool, &d->expr));
        GRN_TRY(grn_matrix_to_csr(&d->expr));
        GRN_TRY(join_loud(&d->truth.cells, &d->expr.row, opt.counts, &d->expr_row));
    }
end:
    return rc;
}

static void data_clear(data_t *d)
{
    grn_matrix_clear(&d->auc);
    grn_matrix_clear(&d->expr);
    grn_activity_clear(&d->truth);
    grn_activity_clear(&d->active);
    free(d->auc_row);
    free(d->expr_row);
    free(d->active_row);
}

/* "SPI1_+/+" and "SPI1(+)" -> "SPI1"; the sign is the first '+' or '-' after it. */
static void regulon_parts(const char *name, char *tf, size_t cap, char *sign)
{
    size_t n = strlen(name), at = n;
    const char *p = strrchr(name, '(');
    if (p && (strcmp(p, "(+)") == 0 || strcmp(p, "(-)") == 0)) {
        at = (size_t)(p - name);
        *sign = p[1];
    } else if (n > 4 && name[n - 4] == '_' && name[n - 2] == '/') {
        at = n - 4;
        *sign = name[n - 3];
    } else {
        *sign = '+';
    }
    snprintf(tf, cap, "%.*s", (int)at, name);
}

/* The predicted regulon of this name, else the one of the same TF and TF -> gene sign;
 * GRN_NAMES_NONE. */
static size_t match_regulon(const grn_names_t *have, const char *want)
{
    char tf[128], tf2[128], sign, sign2;
    size_t i = grn_names_find(have, want);
    if (i != GRN_NAMES_NONE) return i;
    regulon_parts(want, tf, sizeof tf, &sign);
    for (i = 0; i < have->n; i++) {
        regulon_parts(grn_names_get(have, i), tf2, sizeof tf2, &sign2);
        if (sign == sign2 && strcmp(tf, tf2) == 0) return i;
    }
    return GRN_NAMES_NONE;
}

/* log1p(1e4 x / total) of one gene in one cell. */
static double expression(const grn_matrix_t *m, uint32_t row, size_t gene)
{
    size_t n;
    const uint32_t *idx;
    const float *val;
    double total = 0, x = 0;
    grn_matrix_row(m, row, &n, &idx, &val);
    for (size_t i = 0; i < n; i++) {
        total += val[i];
        if (idx[i] == gene) x = val[i];
    }
    return total > 0 ? log1p(1e4 * x / total) : 0;
}

typedef struct {
    double *score, *tf, *posterior;
    uint8_t *label, *call;
    size_t n, n_on;
} cells_t;

/* Probability that a regulon (`bit` of the calls) is on in cell i of the truth; NaN: not told. */
static double posterior(const data_t *d, uint64_t i, size_t bit, int is_repressor)
{
    if (bit == GRN_NAMES_NONE || !d->active.posterior || d->active_row[i] == UINT32_MAX) return NAN;
    double p = d->active.posterior[d->active_row[i] * d->active.n_regulons + bit];
    return is_repressor ? 1 - p : p;
}

static void gather(const data_t *d, size_t context, size_t reg, size_t col, size_t bit, size_t tf_gene, int is_repressor, cells_t *c)
{
    c->n = c->n_on = 0;
    for (uint64_t i = 0; i < d->truth.n_cells; i++) {
        if (d->truth.context[i] != context || d->auc_row[i] == UINT32_MAX) continue;
        double s = d->auc.dense[(uint64_t)d->auc_row[i] * d->auc.n_cols + col];
        if (!isfinite(s)) continue;
        c->score[c->n] = is_repressor ? -s : s;
        c->label[c->n] = (uint8_t)grn_activity_get(&d->truth, i, reg);
        int call = bit != GRN_NAMES_NONE && d->active_row[i] != UINT32_MAX && grn_activity_get(&d->active, d->active_row[i], bit);
        c->call[c->n] = (uint8_t)(call != is_repressor);
        c->posterior[c->n] = posterior(d, i, bit, is_repressor);
        c->tf[c->n] = tf_gene != GRN_NAMES_NONE && d->expr_row[i] != UINT32_MAX ? expression(&d->expr, d->expr_row[i], tf_gene) : 0;
        c->n_on += c->label[c->n++];
    }
}

static grn_status add_row(grn_result_t *r, const data_t *d, size_t context, size_t reg, const cells_t *c, int have_bits, int have_tf,
                          double *auroc, double *posterior_auroc)
{
    grn_status rc;
    grn_curve_t s, t = { .auroc = NAN }, p = { .auroc = NAN };
    double tp = 0, called = 0, right = 0, nan = NAN;
    GRN_TRY(grn_curve_score(c->score, c->label, c->n, &s));
    if (have_bits && d->active.posterior) GRN_TRY(grn_curve_score(c->posterior, c->label, c->n, &p));
    if (have_tf) GRN_TRY(grn_curve_score(c->tf, c->label, c->n, &t));
    for (size_t i = 0; i < c->n; i++) {
        called += c->call[i];
        tp += c->call[i] && c->label[i];
        right += c->call[i] == c->label[i];
    }
    double share = (double)c->n_on / (double)c->n;
    GRN_TRY(grn_result_row(r, grn_names_get(&d->truth.contexts, context), grn_names_get(&d->truth.regulons, reg), (double)c->n,
                           (double)c->n_on, s.auroc, t.auroc, have_bits ? (called > 0 ? tp / called : nan) : nan,
                           have_bits ? tp / (double)c->n_on : nan, have_bits ? right / (double)c->n : nan,
                           share > 0.5 ? share : 1 - share, p.auroc));
    *posterior_auroc = p.auroc;
    *auroc = s.auroc;
end:
    return rc;
}

/* Sorts in place. */
static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

typedef struct {
    double *v;        /* AUROC of each (context, regulon) */
    double posterior; /* sum of those of the posterior */
    uint64_t *key;    /* its regulon: the unit of resampling */
    size_t n, n_lost, n_small;
} summary_t;

static grn_status summarise(summary_t *s)
{
    grn_status rc;
    double mean, lo, hi;
    size_t good = 0;
    if (!s->n)
        return grn_err(GRN_EEMPTY,
                       "nothing to evaluate: %zu regulons of the truth were not scored, %zu "
                       "(context, regulon) pairs have fewer than %lld on or off cells",
                       s->n_lost, s->n_small, (long long)opt.min_cells);
    GRN_TRY(grn_curve_mean_ci(s->v, s->key, s->n, (size_t)opt.bootstrap, 0.95, grn_common.seed, &mean, &lo, &hi));
    for (size_t i = 0; i < s->n; i++) good += s->v[i] >= 0.9;
    qsort(s->v, s->n, sizeof *s->v, by_value);
    grn_log_info("on/off AUROC within cell types: mean %.3f (95 %% interval %.3f to %.3f over "
                 "regulons), median %.3f, %zu of %zu (context, regulon) pairs >= 0.9",
                 mean, lo, hi, s->v[s->n / 2], good, s->n);
    if (isfinite(s->posterior)) grn_log_info("AUROC of the posterior: mean %.3f", s->posterior / (double)s->n);
    grn_log_info("%zu regulons of the truth were not scored; %zu pairs with fewer than %lld on or "
                 "off cells left out",
                 s->n_lost, s->n_small, (long long)opt.min_cells);
end:
    return rc;
}

static grn_status eval_all(const data_t *d, grn_result_t *r, summary_t *s)
{
    grn_status rc;
    cells_t c = { 0 };
    char tf[128], sign;
    double p;
    GRN_TRY(GRN_NEW(c.posterior, d->truth.n_cells));
    GRN_TRY(GRN_NEW(c.score, d->truth.n_cells));
    GRN_TRY(GRN_NEW(c.tf, d->truth.n_cells));
    GRN_TRY(GRN_NEW(c.label, d->truth.n_cells));
    GRN_TRY(GRN_NEW(c.call, d->truth.n_cells));
    GRN_TRY(GRN_NEW(s->v, d->truth.contexts.n * d->truth.n_regulons));
    GRN_TRY(GRN_NEW(s->key, d->truth.contexts.n * d->truth.n_regulons));
    for (size_t reg = 0; reg < d->truth.n_regulons; reg++) {
        const char *name = grn_names_get(&d->truth.regulons, reg);
        size_t col = match_regulon(&d->auc.col, name), bit = opt.active ? match_regulon(&d->active.regulons, name) : GRN_NAMES_NONE;
        regulon_parts(name, tf, sizeof tf, &sign);
        size_t gene = opt.counts ? grn_names_find(&d->expr.col, tf) : GRN_NAMES_NONE;
        if (col == GRN_NAMES_NONE) {
            s->n_lost++;
            continue;
        }
        for (size_t k = 0; k < d->truth.contexts.n; k++) {
            gather(d, k, reg, col, bit, gene, sign == '-', &c);
            int small = (int64_t)c.n_on < opt.min_cells || (int64_t)(c.n - c.n_on) < opt.min_cells;
            s->n_small += small && c.n_on > 0; /* a regulon that is off in the entire type is no task */
            if (small) continue;
            GRN_TRY(add_row(r, d, k, reg, &c, bit != GRN_NAMES_NONE, gene != GRN_NAMES_NONE, &s->v[s->n], &p));
            s->posterior += p;
            s->key[s->n++] = grn_hash_str(name);
        }
    }
end:
    free(c.posterior);
    free(c.score);
    free(c.tf);
    free(c.label);
    free(c.call);
    return rc;
}

/* Where a posterior comes from. */
enum { OWN_MIXTURE, MIXTURE_OF_ALL, NO_MIXTURE, JUDGED, EVERY, N_SERIES };

static int source_of(const grn_activity_t *a, const float *source, uint64_t cell, size_t regulon)
{
    size_t at = a->context[cell] * a->n_regulons + regulon;
    int k = a->klass ? a->klass[at] & 0x3f : GRN_FIT_UNIMODAL;
    if (k != GRN_FIT_BIMODAL && k != GRN_FIT_SHOULDER) return NO_MIXTURE;
    return source && source[at] == 1 ? MIXTURE_OF_ALL : OWN_MIXTURE;
}

/* room: (contexts, 2) counts of cells that are off and on. Sources are told apart among the pairs that are judged. */
static void add_regulon(const data_t *d, size_t reg, const float *source, size_t *room, reliability_t *rel)
{
    const char *name = grn_names_get(&d->truth.regulons, reg);
    size_t bit = match_regulon(&d->active.regulons, name);
    char tf[128], sign;
    regulon_parts(name, tf, sizeof tf, &sign);
    memset(room, 0, 2 * d->truth.contexts.n * sizeof *room);
    for (uint64_t i = 0; i < d->truth.n_cells; i++) room[2 * d->truth.context[i] + (size_t)grn_activity_get(&d->truth, i, reg)]++;
    for (uint64_t i = 0; i < d->truth.n_cells; i++) {
        const size_t *n = room + 2 * d->truth.context[i];
        double p = posterior(d, i, bit, sign == '-');
        int on = grn_activity_get(&d->truth, i, reg);
        if (isnan(p)) continue;
        reliability_add(&rel[EVERY], i, p, on);
        if ((int64_t)n[0] < opt.min_cells || (int64_t)n[1] < opt.min_cells) continue;
        reliability_add(&rel[JUDGED], i, p, on);
        reliability_add(&rel[source_of(&d->active, source, d->active_row[i], bit)], i, p, on);
    }
}

/* The posteriors of the (type, regulon) pairs that are judged, by what they come from; and those of every pair: there also the types
 * in which a regulon is never on, and its targets may be high for other reasons. */
static grn_status judge_posterior(const data_t *d)
{
    static const char *const name[] = { "the type's mixture", "mixture of all cells", "no mixture: 0 or 1", "judged pairs",
                                        "every pair" };
    grn_status rc = GRN_OK;
    reliability_t rel[N_SERIES] = { { 0 } };
    grn_result_t curve = { 0 };
    const float *source = NULL;
    uint64_t *key = NULL;
    size_t *room = NULL;
    GRN_TRY(GRN_NEW(room, 2 * d->truth.contexts.n));
    for (int k = 0; k < N_SERIES; k++) GRN_TRY(reliability_init(&rel[k], d->truth.n_cells));
    GRN_TRY(GRN_NEW(key, d->truth.n_cells));
    GRN_TRY(grn_result_init(&curve, "activity.curve",
                            "Cells with the regulon on, by the posterior they were given (intervals by resampling cells)",
                            RELIABILITY_COLUMNS));
    for (uint64_t i = 0; i < d->truth.n_cells; i++) key[i] = grn_hash_str(grn_names_get(&d->truth.cells, i));
    for (size_t k = 0; k < d->active.n_fit; k++)
        if (strcmp(d->active.fit[k].name, "source") == 0) source = d->active.fit[k].v;
    for (size_t reg = 0; reg < d->truth.n_regulons; reg++) add_regulon(d, reg, source, room, rel);
    grn_log_info("posterior against the planted state:");
    for (int k = 0; k < N_SERIES; k++)
        GRN_TRY(reliability_report(&rel[k], name[k], key, (size_t)opt.bootstrap, grn_common.seed, &curve));
    for (int k = 0; k < 2; k++)
        GRN_TRY(grn_result_row(&curve, "calibrated", (double)NAN, (double)NAN, (double)NAN, (double)k, (double)k, (double)NAN,
                               (double)NAN));
    if (opt.curve) GRN_TRY(grn_result_save(&curve, opt.curve, grn_common.pool));
end:
    for (int k = 0; k < N_SERIES; k++) reliability_clear(&rel[k]);
    grn_result_clear(&curve);
    free(room);
    free(key);
    return rc;
}

static grn_status run(const grn_args_t *args)
{
    grn_status rc = GRN_OK;
    data_t d = { 0 };
    grn_result_t r = { 0 };
    summary_t s = { 0 };
    if (!opt.truth) GRN_FAIL(GRN_EUSAGE, "give the planted states with --truth");
    GRN_TRY(load(args->v[0], &d));
    GRN_TRY(grn_result_init(&r, "activity", "Regulon activity against the planted on/off states, within cell types",
                            "context$,regulon$,cells,on,auroc,tf_expression_auroc,precision,recall,"
                            "accuracy,majority_accuracy,posterior_auroc"));
    GRN_TRY(eval_all(&d, &r, &s));
    GRN_TRY(summarise(&s));
    if (d.active.posterior) GRN_TRY(judge_posterior(&d));
    else if (opt.curve)
        GRN_FAIL(GRN_EINVAL, "--curve: '%s' holds no posteriors (grn-threshold --posterior)", opt.active ? opt.active : "--activity");
    rc = grn_eval_emit(&r, opt.out);
end:
    data_clear(&d);
    grn_result_clear(&r);
    free(s.v);
    free(s.key);
    return rc;
}

static const grn_opt_t table[] = {
    GRN_OPT_HEAD("Truth and baselines"),
    GRN_OPT_STR('t', "truth", "FILE", &opt.truth, "planted states (grn.activity)"),
    GRN_OPT_STR('a', "activity", "FILE", &opt.active, "on/off calls of grn-threshold, to be judged too"),
    GRN_OPT_STR(0, "counts", "FILE", &opt.counts, "expression: adds the TF's own expression as baseline"),
    GRN_OPT_INT(0, "min-cells", "INT", &opt.min_cells, 1, 1000000, "least on and off cells of a (context, regulon) pair"),
    GRN_OPT_INT(0, "bootstrap", "INT", &opt.bootstrap, 1, 100000, "replicates of the interval (regulons are resampled)"),
    GRN_OPT_HEAD("Output"),
    GRN_OPT_STR('o', "output", "FILE", &opt.out, "also save the table as grn.result"),
    GRN_OPT_STR(0, "curve", "FILE", &opt.curve, "calibration of the posteriors as grn.result, for grn-plot curve"),
    GRN_OPT_HEAD("Input"),
    GRN_COUNTS_OPTIONS(opt.in),
    GRN_OPT_END,
};
const grn_subtool_t grn_eval_activity = { { "grn-eval activity", "Regulon activity against planted on/off states.",
                                            "[options] -t TRUTH AUC", table, 1, 1,
                                            "  grn-eval activity -t truth_activity.tensor.zst -a active.tensor.zst --counts counts.h5 "
                                            "auc.tensor.zst\n" },
                                          run };
