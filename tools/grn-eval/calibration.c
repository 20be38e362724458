/* Is q what it says? Of the edges at and below a q, how many the known network has: at least 1 - q is promised. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "grn-eval/eval.h"
#include "stat/curve.h"

#define CURVE_POINTS 200

static struct {
    const char *truth, *q, *out, *curve;
    int any_context;
    int64_t bootstrap;
} opt = { .bootstrap = 200 };

/* What an edge is told by: the columns both networks have. */
typedef struct {
    int context, region;
} told_t;

typedef struct {
    float q;
    uint8_t right;
    uint64_t tf; /* hash of its name */
} edge_t;

static grn_status put_key(const grn_edges_t *e, size_t i, told_t key, grn_str_t *s)
{
    grn_status rc = GRN_OK;
    s->n = 0;
    GRN_TRY(grn_str_printf(s, "%s\t%s", grn_names_get(&e->genes, e->tf[i]), grn_names_get(&e->genes, e->gene[i])));
    if (key.context) GRN_TRY(grn_str_printf(s, "\t%s", grn_names_get(&e->contexts, e->context[i])));
    if (key.region) GRN_TRY(grn_str_printf(s, "\t%s", grn_names_get(&e->regions, e->region[i])));
end:
    return rc;
}

static grn_status known_keys(const grn_edges_t *e, told_t key, grn_names_t *known)
{
    grn_status rc = GRN_OK;
    grn_str_t s = { 0 };
    for (size_t i = 0; i < e->n; i++) {
        GRN_TRY(put_key(e, i, key, &s));
        GRN_TRY(grn_names_add(known, s.s, NULL, NULL));
    }
end:
    grn_str_clear(&s);
    return rc;
}

static int by_q(const void *a, const void *b)
{
    const edge_t *x = a, *y = b;
    return (x->q > y->q) - (x->q < y->q);
}

/* Distinct edges with a q, by q; of several rows of one edge the one of least q. */
static grn_status list_edges(const grn_edges_t *e, const float *q, told_t key, const grn_names_t *known, edge_t **out, size_t *n)
{
    grn_status rc = GRN_OK;
    grn_names_t seen = { 0 };
    grn_str_t s = { 0 };
    GRN_TRY(GRN_NEW_RAW(*out, e->n));
    for (size_t i = 0; i < e->n; i++) {
        size_t k;
        int is_new;
        if (isnan(q[i])) continue;
        GRN_TRY(put_key(e, i, key, &s));
        GRN_TRY(grn_names_add(&seen, s.s, &k, &is_new));
        if (is_new)
            (*out)[k] =
                (edge_t){ q[i], grn_names_find(known, s.s) != GRN_NAMES_NONE, grn_hash_str(grn_names_get(&e->genes, e->tf[i])) };
        else if (q[i] < (*out)[k].q) (*out)[k].q = q[i];
    }
    *n = seen.n;
    if (*n) qsort(*out, *n, sizeof **out, by_q);
end:
    grn_names_clear(&seen);
    grn_str_clear(&s);
    return rc;
}

typedef struct {
    grn_result_t table, curve;
} report_t;

static grn_status add_rows(report_t *r, const char *name, const edge_t *e, size_t n)
{
    static const double cut[] = { 0.01, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1 };
    grn_status rc = GRN_OK;
    double *x = NULL, mean, lo, hi;
    uint64_t *key = NULL;
    size_t m = 0;
    GRN_TRY(GRN_NEW_RAW(x, n));
    GRN_TRY(GRN_NEW_RAW(key, n));
    for (size_t i = 0; i < n; i++) {
        x[i] = e[i].right;
        key[i] = e[i].tf;
    }
    for (size_t c = 0; c < sizeof cut / sizeof *cut; c++) {
        while (m < n && e[m].q <= (float)cut[c]) m++;
        GRN_TRY(grn_curve_mean_ci(x, key, m, (size_t)opt.bootstrap, 0.95, grn_common.seed, &mean, &lo, &hi));
        GRN_TRY(grn_result_row(&r->table, name, cut[c], (double)m, mean, lo, hi, 1 - cut[c]));
    }
end:
    free(x);
    free(key);
    return rc;
}

/* Precision over q: a point where q changes, of about equal numbers of edges. */
static grn_status add_points(report_t *r, const char *name, const edge_t *e, size_t n)
{
    grn_status rc = GRN_OK;
    size_t right = 0, step = n / CURVE_POINTS + 1, last = 0;
    for (size_t i = 0; i < n; i++) {
        right += e[i].right;
        if (i + 1 < n && (e[i + 1].q == e[i].q || i + 1 - last < step)) continue;
        GRN_TRY(grn_result_row(&r->curve, name, (double)e[i].q, (double)right / (double)(i + 1)));
        last = i + 1;
    }
end:
    return rc;
}

static const float *find_q(const grn_edges_t *e)
{
    if (opt.q) return grn_edges_find_evidence(e, opt.q);
    const float *q = grn_edges_find_evidence(e, "q");
    return q ? q : grn_edges_find_evidence(e, "q_tg");
}

static grn_status add_network(report_t *r, const grn_edges_t *truth, const char *operand)
{
    grn_status rc = GRN_OK;
    grn_edges_t e = { 0 };
    grn_names_t known = { 0 };
    edge_t *edge = NULL;
    size_t n = 0;
    char name[256];
    const char *path;
    grn_eval_named(operand, name, sizeof name, &path);
    GRN_TRY(grn_edges_load(path, grn_common.pool, &e));
    const float *q = find_q(&e);
    if (!e.tf || !e.gene || !q)
        GRN_FAIL(GRN_EFORMAT, "'%s' has no TF to gene edges with a column '%s' (grn-build regulon --null, link --null)", path,
                 opt.q ? opt.q : "q");
    told_t key = { !opt.any_context && truth->context && e.context, truth->region && e.region };
    GRN_TRY(known_keys(truth, key, &known));
    GRN_TRY(list_edges(&e, q, key, &known, &edge, &n));
    grn_log_info("%s: %zu edges, told by TF, %s%sgene", name, n, key.region ? "region, " : "", key.context ? "context, " : "");
    GRN_TRY(add_rows(r, name, edge, n));
    GRN_TRY(add_points(r, name, edge, n));
end:
    free(edge);
    grn_names_clear(&known);
    grn_edges_clear(&e);
    return rc;
}

static grn_status run(const grn_args_t *args)
{
    grn_status rc = GRN_OK;
    grn_edges_t truth = { 0 };
    report_t r = { 0 };
    if (!opt.truth) GRN_FAIL(GRN_EUSAGE, "give the known network with --truth");
    GRN_TRY(grn_eval_load_edges(opt.truth, &truth));
    if (!truth.tf || !truth.gene) GRN_FAIL(GRN_EFORMAT, "'%s' has no TF -> gene edges", opt.truth);
    GRN_TRY(grn_result_init(&r.table, "calibration",
                            "Edges at and below a q that the known network has (95 % intervals by resampling TFs)",
                            "method$,q,edges,precision,precision_lo,precision_hi,promised"));
    GRN_TRY(grn_result_init(&r.curve, "calibration.curve", "Precision of the edges at and below q", "series$,q,precision"));
    for (int k = 0; k < args->n; k++) GRN_TRY(add_network(&r, &truth, args->v[k]));
    for (int k = 0; k <= 10; k++) GRN_TRY(grn_result_row(&r.curve, "promised: 1 - q", k / 10.0, 1 - k / 10.0));
    if (opt.curve) GRN_TRY(grn_result_save(&r.curve, opt.curve, grn_common.pool));
    rc = grn_eval_emit(&r.table, opt.out);
end:
    grn_edges_clear(&truth);
    grn_result_clear(&r.table);
    grn_result_clear(&r.curve);
    return rc;
}

static const grn_opt_t table[] = {
    GRN_OPT_STR('t', "truth", "FILE", &opt.truth, "known network: edges container, or TF -> gene table as text"),
    GRN_OPT_STR(0, "q", "NAME", &opt.q, "evidence column that holds q [q, else q_tg]"),
    GRN_OPT_FLAG(0, "any-context", &opt.any_context, "an edge is right when the truth has it in any context"),
    GRN_OPT_INT(0, "bootstrap", "INT", &opt.bootstrap, 1, 100000, "replicates of the intervals (TFs are resampled)"),
    GRN_OPT_HEAD("Output"),
    GRN_OPT_STR('o', "output", "FILE", &opt.out, "also save the table as grn.result"),
    GRN_OPT_STR(0, "curve", "FILE", &opt.curve, "precision over q as grn.result, for grn-plot curve"),
    GRN_OPT_END,
};
const grn_subtool_t grn_eval_calibration = { { "grn-eval calibration", "Precision of edges over q against a known network.",
                                               "[options] -t TRUTH [NAME=]EDGES...", table, 1, -1,
                                               "  grn-eval calibration -t truth.edges.zst --curve c.zst regulons.edges.zst && grn-plot "
                                               "curve --x q --y precision -o c.svg c.zst\n" },
                                             run };
