#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/rng.h"
#include "grn-view/diff.h"
#include "stat/fdr.h"

typedef struct {
    const percell_t *p;
    const diff_patterns_t *d;
    const diff_counts_t *two, *units;
    const uint8_t *side;
    int is_paired;
    diff_result_t *result;
    double *scratch;  /* (workers, 2, units) */
    grn_2x2_t *table; /* (workers, contexts) */
} job_t;

/* Tables of the contexts of a pattern; returns how many. Adds up to all->a and all->b; their sizes are those of all contexts. */
static size_t tables_of(const job_t *j, const diff_pattern_t *t, grn_2x2_t *table, grn_2x2_t *all)
{
    const diff_counts_t *c = j->two;
    const uint8_t *has = j->d->has + t->set * j->d->n_contexts;
    size_t n = 0;
    *all = (grn_2x2_t){ 0 };
    for (size_t k = 0; k < c->n_contexts; k++) {
        grn_2x2_t x = { 0, diff_cells(c, DIFF_A, k), 0, diff_cells(c, DIFF_B, k) };
        all->n_a += x.n_a;
        all->n_b += x.n_b;
        if (!has[k]) continue;
        all->a += x.a = diff_on(c, DIFF_A, k, t->regulon);
        all->b += x.b = diff_on(c, DIFF_B, k, t->regulon);
        table[n++] = x;
    }
    return n;
}

/* ---- donors ---- */

/* Share of a donor's cells that have the edge: the mean over its contexts, weighted by all cells compared in each; a context in which
 * the donor has none is left out. noise: its binomial variance at `share`. 0 if the donor has too few cells in these contexts. */
static int frequency_of(const job_t *j, const diff_pattern_t *t, size_t unit, const double *expected, double *f, double *noise)
{
    const diff_counts_t *c = j->units;
    const uint8_t *has = j->d->has + t->set * j->d->n_contexts;
    double sum = 0, weight = 0, variance = 0, n_cells = 0;
    for (size_t k = 0; k < c->n_contexts; k++) {
        double n = diff_cells(c, unit, k), w = (double)diff_cells(j->two, DIFF_A, k) + (double)diff_cells(j->two, DIFF_B, k);
        if (!has[k] || n == 0) continue;
        n_cells += n;
        weight += w;
        sum += w * diff_on(c, unit, k, t->regulon) / n;
        variance += w * w * expected[k] * (1 - expected[k]) / n;
    }
    if (n_cells < (double)diff_cli.min_cells) return 0;
    *f = sum / weight;
    *noise = variance / (weight * weight);
    return 1;
}

/* The frequencies of all donors, by side; or, when paired, the difference of each donor that has both. */
static void gather(const job_t *j, const diff_pattern_t *t, const double *expected, diff_donors_t *x)
{
    const diff_counts_t *c = j->units;
    double f[2], noise[2];
    x->n[DIFF_A] = x->n[DIFF_B] = 0;
    if (j->is_paired) {
        for (size_t u = 0; u + 1 < c->n_units; u += 2) {
            if (j->side[u] == DIFF_OUT || j->side[u + 1] == DIFF_OUT || !frequency_of(j, t, u, expected, &f[0], &noise[0]) ||
                !frequency_of(j, t, u + 1, expected, &f[1], &noise[1]))
                continue;
            x->v[x->n[DIFF_A]] = j->side[u] == DIFF_A ? f[0] - f[1] : f[1] - f[0];
            x->noise[x->n[DIFF_A]++] = noise[0] + noise[1];
        }
        x->n[DIFF_B] = x->n[DIFF_A];
        return;
    }
    for (int s = 0; s < DIFF_SIDES; s++)
        for (size_t u = 0; u < c->n_units; u++) {
            size_t at = x->n[DIFF_A] + x->n[DIFF_B];
            if (j->side[u] == s && frequency_of(j, t, u, expected, &x->v[at], &x->noise[at])) x->n[s]++;
        }
}

static void test_donors(const job_t *j, const diff_pattern_t *t, double *scratch, double *expected, diff_result_t *r)
{
    const diff_counts_t *c = j->two;
    for (size_t k = 0; k < c->n_contexts; k++) {
        double n = (double)diff_cells(c, DIFF_A, k) + (double)diff_cells(c, DIFF_B, k);
        expected[k] = n ? ((double)diff_on(c, DIFF_A, k, t->regulon) + diff_on(c, DIFF_B, k, t->regulon)) / n : 0;
    }
    diff_donors_t x = {
        scratch, scratch + j->units->n_units, { 0, 0 }, j->is_paired, grn_hash_str(grn_names_get(&j->p->a->regulons, t->regulon))
    };
    gather(j, t, expected, &x);
    diff_donor_test(&x, &r->donor_diff, &r->donor_p);
    for (int s = 0; s < DIFF_SIDES; s++) r->donors[s] = (uint32_t)x.n[s];
}

static grn_status test_chunk(void *ctx, size_t begin, size_t end, int worker)
{
    const job_t *j = ctx;
    size_t K = j->two->n_contexts;
    grn_2x2_t *table = j->table + (size_t)worker * K;
    for (size_t i = begin; i < end; i++) {
        const diff_pattern_t *t = &j->d->pattern[i];
        diff_result_t *r = &j->result[i];
        *r = (diff_result_t){ .donor_diff = NAN, .donor_p = NAN };
        size_t n = tables_of(j, t, table, &r->cells);
        uint64_t with = r->cells.a + r->cells.b;
        r->p = with == 0 || with == r->cells.n_a + r->cells.n_b ? NAN : grn_fisher_p(&r->cells);
        r->context = grn_strata_test(table, n);
        if (j->units) {
            double *mine = j->scratch + (size_t)worker * (2 * j->units->n_units + K);
            test_donors(j, t, mine, mine + 2 * j->units->n_units, r);
        }
    }
    return GRN_OK;
}

grn_status diff_run_tests(const percell_t *p, const diff_patterns_t *d, const diff_counts_t *two, const diff_counts_t *units,
                          const uint8_t *side, int is_paired, diff_result_t *result)
{
    grn_status rc = GRN_OK;
    size_t n = (size_t)grn_par_n(grn_common.pool);
    job_t j = { p, d, two, units, side, is_paired, result, NULL, NULL };
    GRN_TRY(GRN_NEW_RAW(j.table, n * two->n_contexts));
    if (units) GRN_TRY(GRN_NEW_RAW(j.scratch, n * (2 * units->n_units + two->n_contexts)));
    rc = grn_par_for(grn_common.pool, d->n_patterns, 16, test_chunk, &j);
end:
    free(j.table);
    free(j.scratch);
    return rc;
}

/* ---- the test that decides ---- */

double diff_of(const diff_result_t *r, diff_test test)
{
    if (test == DIFF_BY_CONTEXT) return r->context.diff;
    if (test == DIFF_BY_DONOR) return r->donor_diff;
    return (double)r->cells.a / (double)r->cells.n_a - (double)r->cells.b / (double)r->cells.n_b;
}

double diff_p_of(const diff_result_t *r, diff_test test)
{
    return test == DIFF_BY_CONTEXT ? r->context.p : test == DIFF_BY_DONOR ? r->donor_p : r->p;
}

grn_status diff_q(const diff_patterns_t *d, const diff_result_t *result, diff_test test, double *q)
{
    for (size_t i = 0; i < d->n_edges; i++) q[i] = diff_p_of(&result[d->edge[i].pattern], test);
    return grn_fdr_bh(q, d->n_edges, q, NULL);
}
