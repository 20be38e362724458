/* grn-view diff: groups, counts, tests, and the edges that pass as a table. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"
#include "grn-view/diff.h"
#include "io/prov.h"

diff_cli_t diff_cli = { .test = "auto", .donor_test = "t", .max_q = 0.05, .null = 1, .min_cells = 10 };

typedef struct {
    percell_t p;
    diff_groups_t g;
    diff_patterns_t d;
    diff_counts_t units, two; /* by donor and side, empty without donors; by side */
    uint8_t *unit_side;       /* (units) */
    int is_paired;
    diff_test test;
    diff_result_t *result;        /* (patterns) */
    double *q[DIFF_BY_DONOR + 1]; /* (edges), by test; NULL: not done */
    size_t *order, n_passed;      /* edges that pass, as they are printed */
} run_t;

static const char *const test_name[] = { "all cells", "cells within contexts", "donors" };

static void run_clear(run_t *r)
{
    percell_close(&r->p);
    diff_groups_clear(&r->g);
    diff_patterns_clear(&r->d);
    diff_counts_clear(&r->units);
    diff_counts_clear(&r->two);
    free(r->unit_side);
    free(r->result);
    for (int t = 0; t <= DIFF_BY_DONOR; t++) free(r->q[t]);
    free(r->order);
}

/* ---- donors ---- */

static int has_cells(const diff_counts_t *c, size_t unit)
{
    for (size_t k = 0; k < c->n_contexts; k++)
        if (diff_cells(c, unit, k)) return 1;
    return 0;
}

/* Units are compared in pairs when most donors are on both sides; then the others are left out, else those on both sides count twice.
 */
static grn_status set_units(run_t *r)
{
    grn_status rc = GRN_OK;
    size_t n_both = 0, n[DIFF_SIDES] = { 0, 0 }, n_donors = r->g.donors.n;
    GRN_TRY(GRN_NEW(r->unit_side, 2 * n_donors));
    for (size_t k = 0; k < n_donors; k++) {
        int a = has_cells(&r->units, 2 * k), b = has_cells(&r->units, 2 * k + 1);
        r->unit_side[2 * k] = a ? DIFF_A : DIFF_OUT;
        r->unit_side[2 * k + 1] = b ? DIFF_B : DIFF_OUT;
        n[DIFF_A] += (size_t)a;
        n[DIFF_B] += (size_t)b;
        n_both += (size_t)(a && b);
    }
    size_t all = n[DIFF_A] + n[DIFF_B] - n_both;
    r->is_paired = 2 * n_both >= all;
    size_t use[DIFF_SIDES] = { r->is_paired ? n_both : n[DIFF_A], r->is_paired ? n_both : n[DIFF_B] };
    if (use[DIFF_A] < 2 || use[DIFF_B] < 2)
        GRN_FAIL(GRN_EINVAL, "%zu and %zu donors in the groups, %zu in both: two of each are needed at least", n[DIFF_A], n[DIFF_B],
                 n_both);
    double least = fmax((r->is_paired || use[DIFF_A] == use[DIFF_B] ? 2 : 1) / diff_permutations(use, r->is_paired), 1e-4);
    if (r->is_paired) grn_log_info("donors: %zu of %zu have cells in both groups and are compared with themselves", n_both, all);
    else grn_log_info("donors: %zu in group A, %zu in B, %zu of them in both", n[DIFF_A], n[DIFF_B], n_both);
    if (strcmp(diff_cli.donor_test, "permutation") == 0)
        grn_log_info("permutations of donors: no p is below %.3g%s", least,
                     least > diff_cli.max_q ? ", and so no q below --max-q; --donor-test t assumes more" : "");
end:
    return rc;
}

/* ---- from groups to q ---- */

static grn_status choose_test(run_t *r)
{
    static const char *const word[] = { "cells", "context", "donor" };
    const char *asked = strcmp(diff_cli.test, "auto") == 0 ? (diff_cli.donor ? "donor" : "context") : diff_cli.test;
    for (int t = 0; t <= DIFF_BY_DONOR; t++)
        if (strcmp(asked, word[t]) == 0) r->test = (diff_test)t;
    if (r->test == DIFF_BY_DONOR && !diff_cli.donor) return grn_err(GRN_EUSAGE, "--test donor needs --donor COLUMN");
    if (!diff_cli.donor)
        grn_log_warn("cells are taken as independent; those of one donor are not, and p values are then too small: --donor COLUMN");
    return GRN_OK;
}

static grn_status test_edges(run_t *r)
{
    grn_status rc = GRN_OK;
    const diff_counts_t *units = diff_cli.donor ? &r->units : NULL;
    GRN_TRY(GRN_NEW_RAW(r->result, r->d.n_patterns));
    GRN_TRY(diff_run_tests(&r->p, &r->d, &r->two, units, r->unit_side, r->is_paired, r->result));
    for (int t = 0; t <= (units ? DIFF_BY_DONOR : DIFF_BY_CONTEXT); t++) {
        GRN_TRY(GRN_NEW_RAW(r->q[t], r->d.n_edges));
        GRN_TRY(diff_q(&r->d, r->result, (diff_test)t, r->q[t]));
    }
end:
    return rc;
}

static int passes(const diff_result_t *r, double q, diff_test test)
{
    return q <= diff_cli.max_q && fabs(diff_of(r, test)) >= diff_cli.min_diff; /* NaN: no */
}

static size_t count_passed(const diff_patterns_t *d, const diff_result_t *result, const double *q, diff_test test)
{
    size_t n = 0;
    for (size_t i = 0; i < d->n_edges; i++) n += (size_t)passes(&result[d->edge[i].pattern], q[i], test);
    return n;
}

/* ---- the null: the same with groups exchanged ---- */

/* Donors change sides: within the donor when it is on both, else those of one side are drawn among all. */
static void shuffle_units(const run_t *r, uint64_t run, uint8_t *side)
{
    grn_rng_t rng;
    size_t n = r->units.n_units, n_alone = 0, n_a = 0, u;
    uint64_t base = grn_rng_key(grn_common.seed, "diff.null", run, 1);
    memcpy(side, r->unit_side, n);
    for (u = 0; u + 1 < n; u += 2) {
        int both = side[u] != DIFF_OUT && side[u + 1] != DIFF_OUT;
        if (both && grn_rng_mix(base ^ grn_hash_str(grn_names_get(&r->g.donors, u / 2))) & 1) side[u] = DIFF_B, side[u + 1] = DIFF_A;
        if (both) continue;
        n_alone += side[u] != DIFF_OUT || side[u + 1] != DIFF_OUT;
        n_a += side[u] != DIFF_OUT;
    }
    grn_rng_init(&rng, grn_common.seed, "diff.null", run);
    for (u = 0; u < n; u++) {
        if (side[u] == DIFF_OUT || side[u ^ 1] != DIFF_OUT) continue;
        int is_a = grn_rng_below(&rng, n_alone) < n_a; /* selection sampling (Knuth 3.4.2 S); donors are in name order */
        side[u] = is_a ? DIFF_A : DIFF_B;
        n_alone--;
        n_a -= (size_t)is_a;
    }
}

static grn_status run_null(run_t *r, uint64_t run, diff_result_t *result, double *q, uint8_t *side, size_t *n)
{
    grn_status rc = GRN_OK;
    diff_counts_t two = { 0 };
    if (diff_cli.donor) {
        shuffle_units(r, run, side);
        GRN_TRY(diff_sum(&r->units, side, &two));
    } else {
        GRN_TRY(diff_groups_shuffle(&r->g, &r->p, run, side));
        GRN_TRY(diff_count(&two, &r->p, side, NULL, 0));
    }
    GRN_TRY(diff_run_tests(&r->p, &r->d, &two, diff_cli.donor ? &r->units : NULL, side, r->is_paired, result));
    GRN_TRY(diff_q(&r->d, result, r->test, q));
    *n += count_passed(&r->d, result, q, r->test);
end:
    diff_counts_clear(&two);
    return rc;
}

static grn_status baseline(run_t *r)
{
    grn_status rc = GRN_OK;
    diff_result_t *result = NULL;
    double *q = NULL;
    uint8_t *side = NULL;
    size_t n = 0;
    if (!diff_cli.null) return GRN_OK;
    GRN_TRY(GRN_NEW_RAW(result, r->d.n_patterns));
    GRN_TRY(GRN_NEW_RAW(q, r->d.n_edges));
    GRN_TRY(GRN_NEW_RAW(side, diff_cli.donor ? r->units.n_units : r->p.a->n_cells));
    for (int64_t k = 0; k < diff_cli.null; k++) GRN_TRY(run_null(r, (uint64_t)k, result, q, side, &n));
    grn_log_info("with groups exchanged among %s: %.6g edges pass (mean of %lld)",
                 diff_cli.donor ? "donors" : "the cells of each context", (double)n / (double)diff_cli.null, (long long)diff_cli.null);
end:
    free(result);
    free(q);
    free(side);
    return rc;
}

/* ---- output ---- */

static int by_q(const void *a, const void *b, void *ctx)
{
    const run_t *r = ctx;
    size_t i = *(const size_t *)a, j = *(const size_t *)b;
    const double *q = r->q[r->test];
    if (q[i] != q[j]) return q[i] < q[j] ? -1 : 1;
    double x = fabs(diff_of(&r->result[r->d.edge[i].pattern], r->test)), y = fabs(diff_of(&r->result[r->d.edge[j].pattern], r->test));
    if (x != y) return x > y ? -1 : 1;
    return (i > j) - (i < j);
}

static grn_status sort_passed(run_t *r)
{
    grn_status rc = GRN_OK;
    GRN_TRY(GRN_NEW_RAW(r->order, r->d.n_edges));
    for (size_t i = 0; i < r->d.n_edges; i++)
        if (passes(&r->result[r->d.edge[i].pattern], r->q[r->test][i], r->test)) r->order[r->n_passed++] = i;
    qsort_r(r->order, r->n_passed, sizeof *r->order, by_q, r);
end:
    return rc;
}

static grn_status put_num(grn_out_t *o, double x)
{
    return isnan(x) ? grn_out_puts(o, "\t") : grn_out_printf(o, "\t%.6g", x);
}

static grn_status write_head(grn_out_t *o, const grn_edges_t *e, int donors)
{
    grn_status rc = GRN_OK;
    GRN_TRY(grn_out_printf(o, "regulon%s%s%s%s\tcontexts", e->tf ? "\ttf" : "", e->region ? "\tregion" : "", e->gene ? "\tgene" : "",
                           e->sign ? "\tsign" : ""));
    GRN_TRY(grn_out_puts(o, "\tn_a\twith_a\tfreq_a\tn_b\twith_b\tfreq_b\tdiff\tdiff_lo\tdiff_hi\tlog2_or\tp\tq"
                            "\tcontext_diff\tcontext_log2_or\tcontext_p\tcontext_q"));
    rc = grn_out_puts(o, donors ? "\tdonors_a\tdonors_b\tdonor_diff\tdonor_p\tdonor_q\n" : "\n");
end:
    return rc;
}

static grn_status write_names(grn_out_t *o, const run_t *r, const diff_edge_t *x)
{
    grn_status rc = GRN_OK;
    const grn_edges_t *e = &r->p.e;
    const uint8_t *has = r->d.has + r->d.pattern[x->pattern].set * r->d.n_contexts;
    const char *sep = "\t";
    GRN_TRY(grn_out_puts(o, grn_names_get(&e->regulons, e->regulon[x->row])));
    if (e->tf) GRN_TRY(grn_out_printf(o, "\t%s", grn_names_get(&e->genes, e->tf[x->row])));
    if (e->region) GRN_TRY(grn_out_printf(o, "\t%s", grn_names_get(&e->regions, e->region[x->row])));
    if (e->gene) GRN_TRY(grn_out_printf(o, "\t%s", grn_names_get(&e->genes, e->gene[x->row])));
    if (e->sign) GRN_TRY(grn_out_printf(o, "\t%d", e->sign[x->row]));
    if (!e->context) return grn_out_puts(o, "\tall");
    for (size_t c = 0; c < r->d.n_contexts; c++) {
        if (!has[c]) continue;
        GRN_TRY(grn_out_printf(o, "%s%s", sep, grn_names_get(&r->p.a->contexts, c)));
        sep = ",";
    }
    if (*sep == '\t') rc = grn_out_puts(o, sep); /* of contexts that no cell has */
end:
    return rc;
}

static grn_status write_edge(grn_out_t *o, const run_t *r, size_t i)
{
    grn_status rc = GRN_OK;
    const diff_edge_t *x = &r->d.edge[i];
    const diff_result_t *s = &r->result[x->pattern];
    const grn_2x2_t *t = &s->cells;
    double lo, hi;
    grn_newcombe(t, &lo, &hi);
    GRN_TRY(write_names(o, r, x));
    GRN_TRY(grn_out_printf(o, "\t%llu\t%llu", (unsigned long long)t->n_a, (unsigned long long)t->a));
    GRN_TRY(put_num(o, (double)t->a / (double)t->n_a));
    GRN_TRY(grn_out_printf(o, "\t%llu\t%llu", (unsigned long long)t->n_b, (unsigned long long)t->b));
    GRN_TRY(put_num(o, (double)t->b / (double)t->n_b));
    const double num[] = { diff_of(s, DIFF_BY_CELLS),
                           lo,
                           hi,
                           grn_log2_odds(t),
                           s->p,
                           r->q[DIFF_BY_CELLS][i],
                           s->context.diff,
                           s->context.log2_or,
                           s->context.p,
                           r->q[DIFF_BY_CONTEXT][i] };
    for (size_t k = 0; k < sizeof num / sizeof *num; k++) GRN_TRY(put_num(o, num[k]));
    if (diff_cli.donor) {
        GRN_TRY(grn_out_printf(o, "\t%u\t%u", s->donors[DIFF_A], s->donors[DIFF_B]));
        GRN_TRY(put_num(o, s->donor_diff));
        GRN_TRY(put_num(o, s->donor_p));
        GRN_TRY(put_num(o, r->q[DIFF_BY_DONOR][i]));
    }
    rc = grn_out_puts(o, "\n");
end:
    return rc;
}

static grn_status write_table(const run_t *r)
{
    grn_status rc = GRN_OK;
    grn_out_t *o = NULL;
    GRN_TRY(grn_out_open(&o, view_opt.out, 0));
    if (view_opt.pg) GRN_TRY(grn_prov_text(o));
    GRN_TRY(write_head(o, &r->p.e, diff_cli.donor != NULL));
    for (size_t k = 0; k < r->n_passed; k++) GRN_TRY(write_edge(o, r, r->order[k]));
    rc = grn_out_commit(o);
    o = NULL;
end:
    grn_out_abort(o);
    return rc;
}

/* How many edges pass by each test, and how many by the mix of contexts alone. */
static void report(const run_t *r)
{
    size_t tested = 0, mix = 0;
    for (size_t i = 0; i < r->d.n_edges; i++) {
        const diff_result_t *s = &r->result[r->d.edge[i].pattern];
        tested += !isnan(diff_p_of(s, r->test));
        mix += passes(s, r->q[DIFF_BY_CELLS][i], DIFF_BY_CELLS) && !passes(s, r->q[DIFF_BY_CONTEXT][i], DIFF_BY_CONTEXT);
    }
    grn_log_info("%zu edges, %zu distinct tests; %zu edges can differ", r->d.n_edges, r->d.n_patterns, tested);
    for (int t = 0; t <= DIFF_BY_DONOR && r->q[t]; t++)
        grn_log_info("%zu edges pass by %s%s (q <= %g%s)", count_passed(&r->d, r->result, r->q[t], (diff_test)t), test_name[t],
                     t == (int)r->test ? ", printed" : "", diff_cli.max_q, diff_cli.min_diff > 0 ? ", |difference| large enough" : "");
    if (mix) grn_log_info("%zu of those by all cells do not pass within contexts: the mix of contexts differs, not regulation", mix);
}

grn_status view_diff(void)
{
    grn_status rc = GRN_OK;
    run_t r = { 0 };
    GRN_TRY(choose_test(&r));
    GRN_TRY(percell_open(&r.p, 0, "tf,gene,region,sign"));
    GRN_TRY(diff_groups_load(&r.g, &r.p));
    grn_log_info("group A: %llu cells, group B: %llu cells", (unsigned long long)r.g.n[DIFF_A], (unsigned long long)r.g.n[DIFF_B]);
    GRN_TRY(diff_patterns_find(&r.d, &r.p));
    if (diff_cli.donor) {
        GRN_TRY(diff_count(&r.units, &r.p, r.g.side, r.g.donor, r.g.donors.n));
        GRN_TRY(set_units(&r));
        GRN_TRY(diff_sum(&r.units, r.unit_side, &r.two));
    } else {
        GRN_TRY(diff_count(&r.two, &r.p, r.g.side, NULL, 0));
    }
    GRN_TRY(test_edges(&r));
    GRN_TRY(sort_passed(&r));
    report(&r);
    GRN_TRY(baseline(&r));
    GRN_TRY(write_table(&r));
    if (!r.n_passed)
        rc = grn_err(GRN_EEMPTY, "none of %zu edges differs by %s (q <= %g, |difference| >= %g)", r.d.n_edges, test_name[r.test],
                     diff_cli.max_q, diff_cli.min_diff);
end:
    run_clear(&r);
    return rc;
}
