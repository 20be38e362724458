/* From sums over cells to rows: means and shares with their intervals, beside the expectations. */
#include <math.h>
#include <string.h>

#include "base/log.h"
#include "grn-coexpr/perturb_tally.h"

#define Z95 1.959963984540054

void perturb_tally_add(perturb_tally_t *t, const uint64_t q[PQ_N], const uint64_t random[PQ_N])
{
    t->n++;
    for (int i = 0; i < PQ_N; i++) {
        t->sum[i] += q[i];
        t->random[i] += random[i];
        for (int j = 0; j < PQ_N; j++) t->cross[i][j] += (perturb_wide_t)q[i] * q[j];
    }
}

void perturb_tally_merge(perturb_tally_t *to, const perturb_tally_t *from)
{
    to->n += from->n;
    for (int i = 0; i < PQ_N; i++) {
        to->sum[i] += from->sum[i];
        to->random[i] += from->random[i];
        for (int j = 0; j < PQ_N; j++) to->cross[i][j] += from->cross[i][j];
    }
}

typedef struct {
    double value, low, high;
} estimate_t;

/* Of what cannot be negative. */
static estimate_t around(double value, double se)
{
    double low = value - Z95 * se;
    return (estimate_t){ value, low < 0 ? 0 : low, value + Z95 * se };
}

static estimate_t mean_of(const perturb_tally_t *t, int q)
{
    double n = (double)t->n;
    perturb_wide_t spread = (perturb_wide_t)t->n * t->cross[q][q] - t->sum[q] * t->sum[q]; /* n sum x^2 - (sum x)^2 >= 0 */
    return around((double)t->sum[q] / n, t->n < 2 ? NAN : sqrt((double)spread / (n * n * (n - 1))));
}

/* sum a / sum b, cells being drawn: the residuals a - R b. */
static estimate_t ratio_of(const perturb_tally_t *t, int a, int b)
{
    double n = (double)t->n, sum = (double)t->sum[b], r = (double)t->sum[a] / sum;
    double residual = (double)t->cross[a][a] - 2 * r * (double)t->cross[a][b] + r * r * (double)t->cross[b][b];
    if (t->sum[b] == 0) return (estimate_t){ NAN, NAN, NAN };
    return around(r, t->n < 2 ? NAN : sqrt((residual > 0 ? residual : 0) * n / (n - 1)) / sum);
}

/* ---- rows ---- */

grn_status perturb_table_init(grn_result_t *out)
{
    return grn_result_init(out, "perturb", "perturbed graphs beside chance",
                           "graph$,context$,cells,statistic$,value,low,high,against$,expected,ratio,ratio_low,ratio_high");
}

typedef struct {
    grn_result_t *out;
    const char *graph, *context;
    double cells;
} place_t;

static grn_status put(const place_t *p, const char *statistic, estimate_t e, const char *against, double expected)
{
    double by = expected > 0 ? expected : NAN;
    return grn_result_row(p->out, p->graph, p->context, p->cells, statistic, e.value, e.low, e.high, against, expected, e.value / by,
                          e.low / by, e.high / by);
}

static const struct {
    const char *name;
    int q, has_random;
} MEAN[] = { { "arcs", PQ_ARCS, 0 },           { "dropped", PQ_DROPPED, 0 },
             { "added", PQ_ADDED, 0 },         { "came_back", PQ_CAME_BACK, 1 },
             { "duplicate", PQ_DUPLICATE, 1 }, { "new", PQ_NEW, 1 },
             { "after", PQ_AFTER, 1 },         { "visible", PQ_VISIBLE, 0 },
             { "isolated", PQ_ISOLATED, 0 },   { "isolated_visible", PQ_ISOLATED_VISIBLE, 0 },
             { "joined", PQ_JOINED, 1 },       { "joined_visible", PQ_JOINED_VISIBLE, 1 },
             { "cut_off", PQ_CUT_OFF, 0 } };

static const struct {
    const char *name;
    int of, among;
} JOINED[] = { { "share_joined", PQ_JOINED, PQ_ISOLATED }, { "share_joined_visible", PQ_JOINED_VISIBLE, PQ_ISOLATED_VISIBLE } },
  SHARE[SHARE_N] = { [SHARE_WITH_TERMS] = { "share_with_terms", PQ_WITH_TERMS, PQ_ADDED },
                     [SHARE_SAME_TERM] = { "share_same_term", PQ_SAME_TERM, PQ_ADDED },
                     [SHARE_SAME_OF_TERMS] = { "share_same_term_of_annotated", PQ_SAME_TERM, PQ_WITH_TERMS },
                     [SHARE_LINKED] = { "share_linked", PQ_LINKED, PQ_LINKED_OF } };

static const char *const AGAINST[AGAINST_N] = { "random", "matched" };

static double random_sum(const perturb_tally_t *t, int q)
{
    return (double)t->random[q] / PERTURB_ONE;
}

grn_status perturb_table_rows(grn_result_t *out, const char *graph, const char *context, const perturb_group_t *g, int has_terms,
                              int has_links)
{
    grn_status rc = GRN_OK;
    const perturb_tally_t *t = &g->t;
    const place_t p = { out, graph, context, (double)t->n };
    for (size_t i = 0; i < sizeof MEAN / sizeof *MEAN; i++) {
        estimate_t e = mean_of(t, MEAN[i].q);
        if (MEAN[i].has_random) GRN_TRY(put(&p, MEAN[i].name, e, "random", random_sum(t, MEAN[i].q) / (double)t->n));
        else GRN_TRY(put(&p, MEAN[i].name, e, "none", NAN));
    }
    for (size_t i = 0; i < 2; i++)
        GRN_TRY(put(&p, JOINED[i].name, ratio_of(t, JOINED[i].of, JOINED[i].among), "random",
                    random_sum(t, JOINED[i].of) / (double)t->sum[JOINED[i].among]));
    for (int i = 0; i < SHARE_N; i++) {
        if (i == SHARE_LINKED ? !has_links : !has_terms) continue;
        for (int a = 0; a < AGAINST_N; a++)
            GRN_TRY(put(&p, SHARE[i].name, ratio_of(t, SHARE[i].of, SHARE[i].among), AGAINST[a],
                        g->expected[a][i] / (double)t->sum[SHARE[i].among]));
    }
end:
    return rc;
}

/* ---- the log ---- */

typedef struct {
    estimate_t e, ratio;
    double expected;
} row_t;

/* The row of all contexts; NaN if there is none. against NULL: the first. */
static row_t find(const grn_result_t *r, const char *graph, const char *statistic, const char *against)
{
    static const char *const number[] = { "value", "low", "high", "ratio", "ratio_low", "ratio_high", "expected" };
    double x[7];
    for (int k = 0; k < 7; k++) x[k] = NAN;
    for (size_t i = 0; i < r->n; i++) {
        if (strcmp(grn_result_text(grn_result_col(r, "context"), i), "*") != 0) continue;
        if (strcmp(grn_result_text(grn_result_col(r, "graph"), i), graph) != 0) continue;
        if (strcmp(grn_result_text(grn_result_col(r, "statistic"), i), statistic) != 0) continue;
        if (against && strcmp(grn_result_text(grn_result_col(r, "against"), i), against) != 0) continue;
        for (int k = 0; k < 7; k++) x[k] = grn_result_col(r, number[k])->num[i];
        break;
    }
    return (row_t){ { x[0], x[1], x[2] }, { x[3], x[4], x[5] }, x[6] };
}

static void log_share(const grn_result_t *r, const char *graph, const char *statistic, const char *what)
{
    row_t random = find(r, graph, statistic, "random"), matched = find(r, graph, statistic, "matched");
    grn_log_info(
        "%s: %.3g %% (%.3g to %.3g) %s; %.3g times (%.3g to %.3g) the %.3g %% of random pairs, %.3g times (%.3g to %.3g) the %.3g %% "
        "of pairs as often detected",
        graph, 100 * random.e.value, 100 * random.e.low, 100 * random.e.high, what, random.ratio.value, random.ratio.low,
        random.ratio.high, 100 * random.expected, matched.ratio.value, matched.ratio.low, matched.ratio.high, 100 * matched.expected);
}

void perturb_table_log(const grn_result_t *r, const char *graph, int has_terms, int has_links)
{
    row_t joined = find(r, graph, "joined", NULL), share = find(r, graph, "share_joined", NULL);
    if (isnan(joined.e.value)) return;
    grn_log_info(
        "%s: on average %.6g links, %.6g dropped, %.6g added (%.3g came back, %.3g were there), %.6g after; %.6g visible genes", graph,
        find(r, graph, "arcs", NULL).e.value, find(r, graph, "dropped", NULL).e.value, find(r, graph, "added", NULL).e.value,
        find(r, graph, "came_back", NULL).e.value, find(r, graph, "duplicate", NULL).e.value, find(r, graph, "after", NULL).e.value,
        find(r, graph, "visible", NULL).e.value);
    grn_log_info(
        "%s: %.6g genes have no link, %.4g of them get one (%.3g to %.3g; %.3g %%); random pairs would join %.4g; %.3g genes lose "
        "their last one",
        graph, find(r, graph, "isolated", NULL).e.value, joined.e.value, joined.e.low, joined.e.high, 100 * share.e.value,
        joined.expected, find(r, graph, "cut_off", NULL).e.value);
    if (has_terms) log_share(r, graph, "share_same_term", "of the added pairs share a term");
    if (has_terms) log_share(r, graph, "share_same_term_of_annotated", "of those with terms share one");
    if (has_links) log_share(r, graph, "share_linked", "of the added pairs are listed links");
}
