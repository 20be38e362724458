/* Output of grn-build perturb: the change of every gene in every cell, and its mean in each cell type beside the baseline. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "io/prov.h"
#include "perturb_priv.h"

#define ROWS 4096 /* written together */

/* ---- the matrix ---- */

static grn_status describe(const grn_perturb_opt_t *o, grn_str_t *s)
{
    grn_status rc = GRN_OK;
    for (size_t k = 0; k < o->n_what; k++) {
        const grn_perturbed_t *w = &o->what[k];
        GRN_TRY(grn_str_printf(s, "%s%s", k ? "; " : "", w->name));
        if (w->kind == GRN_PERTURB_KNOCK_OUT) GRN_TRY(grn_str_puts(s, " knocked out"));
        else GRN_TRY(grn_str_printf(s, " %s %.9g", w->kind == GRN_PERTURB_SET ? "set to" : "times", w->amount));
    }
end:
    return rc;
}

static grn_status list_contexts(const grn_perturb_opt_t *o, grn_str_t *s)
{
    grn_status rc = GRN_OK;
    if (o->context.n == 0) GRN_TRY(grn_str_puts(s, "all"));
    for (size_t k = 0; k < o->context.n; k++) GRN_TRY(grn_str_printf(s, "%s%s", k ? "; " : "", o->context.v[k]));
end:
    return rc;
}

static grn_status put_meta(grn_perturb_t *p, grn_mw_t *w)
{
    grn_status rc = GRN_OK;
    const grn_perturb_opt_t *o = p->opt;
    grn_str_t what = { 0 }, context = { 0 };
    char rounds[32], trees[32], rate[32];
    const char *json = grn_funnel_json(&p->funnel);
    snprintf(rounds, sizeof rounds, "%zu", o->rounds);
    snprintf(trees, sizeof trees, "%zu", o->trees);
    grn_fmt_f64(rate, o->rate);
    GRN_TRY(describe(o, &what));
    GRN_TRY(list_contexts(o, &context));
    const char *const meta[][2] = { { "kind", "perturbation" },
                                    { "perturbed", what.s },
                                    { "expression", o->expression == GRN_SCALE_LOGNORM ? "lognorm" : "raw" },
                                    { "rule", o->compat ? "multiplicative" : "additive" },
                                    { "rounds", rounds },
                                    { "trees", trees },
                                    { "learning_rate", rate },
                                    { "context", context.s },
                                    { "funnel", json ? json : "[]" } };
    for (size_t k = 0; k < sizeof meta / sizeof *meta; k++) GRN_TRY(grn_mw_meta(w, meta[k][0], meta[k][1]));
end:
    grn_str_clear(&what);
    grn_str_clear(&context);
    return rc;
}

grn_status grn_perturb_open_output(grn_perturb_t *p, grn_mw_t **w)
{
    grn_status rc = GRN_OK;
    grn_names_t cols = { 0 };
    const grn_attrs_t none = { 0 };
    *w = NULL;
    for (size_t k = 0; k < p->net.n_out; k++)
        GRN_TRY(grn_names_add(&cols, grn_names_get(&p->rna.info->col, p->net.column[p->net.out[k]]), NULL, NULL));
    GRN_TRY(grn_mw_open(w, p->opt->out, &cols, &none, 0, grn_common.pool));
    GRN_TRY(put_meta(p, *w));
end:
    grn_names_clear(&cols);
    if (rc && *w) {
        grn_mw_abort(*w);
        *w = NULL;
    }
    return rc;
}

/* Cells [begin, begin + n) as a block of rows. */
static grn_status load_rows(const grn_perturb_t *p, const grn_perturb_result_t *r, size_t begin, size_t n, grn_matrix_t *m)
{
    grn_status rc = GRN_OK;
    grn_perturb_entry_t *entry = NULL;
    size_t cap = 0;
    m->n_rows = n;
    m->n_cols = p->net.n_out;
    GRN_TRY(GRN_NEW(m->indptr, n + 1));
    for (size_t i = 0; i < n; i++) m->indptr[i + 1] = m->indptr[i] + r->n[begin + i];
    GRN_TRY(GRN_NEW_RAW(m->indices, m->indptr[n]));
    GRN_TRY(GRN_NEW_RAW(m->data, m->indptr[n]));
    for (size_t i = 0; i < n; i++) {
        size_t m_row = r->n[begin + i];
        GRN_TRY(GRN_GROW(entry, cap, m_row + 1));
        GRN_TRY(grn_pread_full(r->fd, entry, m_row * sizeof *entry, r->off[begin + i], "the changes in TMPDIR"));
        for (size_t k = 0; k < m_row; k++) {
            m->indices[m->indptr[i] + k] = entry[k].column;
            m->data[m->indptr[i] + k] = entry[k].change;
        }
        GRN_TRY(grn_names_add(&m->row, grn_names_get(&p->rna.info->row, p->cells.a[begin + i]), NULL, NULL));
    }
    GRN_TRY(grn_attrs_pick(&m->row_attr, &p->rna.info->row_attr, p->cells.a + begin, n));
end:
    free(entry);
    return rc;
}

grn_status grn_perturb_write(grn_perturb_t *p, const grn_perturb_result_t *r, grn_mw_t *w)
{
    grn_status rc = GRN_OK;
    grn_matrix_t m = { 0 };
    for (size_t k = 0; k < p->cells.n; k += ROWS) {
        size_t n = p->cells.n - k < ROWS ? p->cells.n - k : ROWS;
        GRN_TRY(load_rows(p, r, k, n, &m));
        GRN_TRY(grn_mw_append(w, &m));
        grn_matrix_clear(&m);
    }
    rc = grn_mw_commit(w);
    w = NULL;
end:
    if (w) grn_mw_abort(w);
    grn_matrix_clear(&m);
    return rc;
}

/* ---- the summary ---- */

typedef struct {
    size_t k; /* net.moving */
    double before, change, share, base_mean, base_sd, z;
} row_t;

static int by_change(const void *a, const void *b)
{
    const row_t *x = a, *y = b;
    double p = fabs(x->change), q = fabs(y->change);
    if (p != q) return p > q ? -1 : 1;
    return (x->k > y->k) - (x->k < y->k); /* names */
}

static double mean_of(__int128 sum, double n)
{
    return ldexp((double)sum, -GRN_PERTURB_UNIT) / n;
}

static row_t make_row(const grn_perturb_t *p, const grn_perturb_result_t *r, size_t k, size_t type)
{
    size_t T = p->types.types.n, N = p->models.n_runs - 1, M = p->net.n_moving;
    double n = (double)p->types.n_cells[type], mean = 0, squares = 0;
    const grn_perturb_sum_t *s = &r->sum[k * T + type];
    row_t x = { k, mean_of(s->before, n), mean_of(s->change, n), (double)s->n_changed / n, NAN, NAN, NAN };
    if (N < 2 || p->net.what[p->net.moving[k]] != GRN_PERTURB_NONE) return x;
    for (size_t i = 0; i < N; i++) mean += mean_of(r->base[(i * M + k) * T + type], n) / (double)N;
    for (size_t i = 0; i < N; i++) {
        double d = mean_of(r->base[(i * M + k) * T + type], n) - mean;
        squares += d * d;
    }
    x.base_mean = mean;
    x.base_sd = sqrt(squares / (double)(N - 1));
    if (x.base_sd > 1e-12 * (1 + fabs(mean))) x.z = (x.change - mean) / x.base_sd;
    return x;
}

static grn_status put_number(grn_out_t *o, double x)
{
    return isnan(x) ? grn_out_puts(o, "\tNA") : grn_out_printf(o, "\t%.6g", x);
}

static grn_status put_row(const grn_perturb_t *p, grn_out_t *o, const row_t *x, size_t type)
{
    grn_status rc = GRN_OK;
    size_t g = p->net.moving[x->k];
    const double number[] = { x->before, x->change, x->share, x->base_mean, x->base_sd, x->z };
    GRN_TRY(grn_out_printf(o, "%s\t%zu\t%s\t%u", grn_names_get(&p->types.types, type), p->types.n_cells[type],
                           grn_names_get(&p->rna.info->col, p->net.column[g]), p->net.steps[g]));
    for (size_t i = 0; i < sizeof number / sizeof *number; i++) GRN_TRY(put_number(o, number[i]));
    GRN_TRY(grn_out_puts(o, "\n"));
end:
    return rc;
}

grn_status grn_perturb_write_summary(grn_perturb_t *p, const grn_perturb_result_t *r, grn_out_t *o)
{
    grn_status rc = GRN_OK;
    row_t *row = NULL;
    size_t M = p->net.n_moving;
    GRN_TRY(grn_prov_text(o));
    GRN_TRY(grn_out_puts(o, "cell_type\tcells\tgene\tsteps\tmean_before\tmean_change\tshare_changed\tbaseline_mean\tbaseline_sd\tz\n"));
    GRN_TRY(GRN_NEW_RAW(row, M));
    for (size_t t = 0; t < p->types.types.n; t++) {
        for (size_t k = 0; k < M; k++) row[k] = make_row(p, r, k, t);
        qsort(row, M, sizeof *row, by_change);
        for (size_t k = 0; k < M; k++) GRN_TRY(put_row(p, o, &row[k], t));
    }
    rc = grn_out_commit(o);
    o = NULL;
end:
    grn_out_abort(o);
    free(row);
    return rc;
}
