#include "grn-aucell/rss.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "stat/rss.h"

enum { ROWS = 1024 }; /* rows read back at a time */

grn_status rss_open(rss_t *r, size_t n_sets)
{
    memset(r, 0, sizeof *r);
    r->fd = -1;
    r->n_sets = n_sets;
    return grn_tmp_open(&r->fd);
}

void rss_close(rss_t *r)
{
    if (r->n_sets && r->fd >= 0) close(r->fd);
    free(r->type);
    free(r->type_n);
    free(r->rss);
    free(r->mean);
    free(r->mean_all);
    memset(r, 0, sizeof *r);
}

grn_status rss_add(rss_t *r, const float *auc, const int32_t *type, size_t n)
{
    grn_status rc = GRN_OK;
    GRN_TRY(GRN_GROW(r->type, r->type_cap, (size_t)r->n_cells + n));
    memcpy(r->type + r->n_cells, type, n * sizeof *type);
    GRN_TRY(grn_write_full(r->fd, auc, n * r->n_sets * sizeof *auc, "temporary file"));
    r->n_cells += n;
end:
    return rc;
}

/* Visits all rows in order: first pass (total NULL): sums of weighted AUC; second: the divergence terms. */
typedef struct {
    double *sum;    /* (types, R) sum of weight * auc */
    double *total;  /* (R) over the types; 0: regulon never on */
    double *term;   /* (types, R) */
    double *weight; /* (types) of a cell */
} pass_t;

static void add_sums(const rss_t *r, const pass_t *p, const float *row, size_t t)
{
    for (size_t s = 0; s < r->n_sets; s++) {
        p->sum[t * r->n_sets + s] += p->weight[t] * (double)row[s];
        r->mean[t * r->n_sets + s] += (double)row[s];
    }
}

static void add_terms(const rss_t *r, const pass_t *p, const float *row, size_t t)
{
    double q = 1 / (double)r->type_n[t];
    for (size_t s = 0; s < r->n_sets; s++) {
        double a = p->weight[t] * (double)row[s];
        p->term[t * r->n_sets + s] += grn_rss_term(p->total[s] > 0 ? a / p->total[s] : 0, q);
    }
}

static grn_status sweep(const rss_t *r, const pass_t *p, int second)
{
    grn_status rc = GRN_OK;
    float *rows = NULL;
    GRN_TRY(GRN_NEW(rows, ROWS * r->n_sets));
    for (uint64_t c = 0; c < r->n_cells; c += ROWS) {
        size_t n = r->n_cells - c < ROWS ? (size_t)(r->n_cells - c) : ROWS;
        GRN_TRY(grn_pread_full(r->fd, rows, n * r->n_sets * sizeof *rows, c * r->n_sets * sizeof *rows, "temporary file"));
        for (size_t i = 0; i < n; i++) {
            if (r->type[c + i] < 0) continue;
            (second ? add_terms : add_sums)(r, p, rows + i * r->n_sets, (size_t)r->type[c + i]);
        }
    }
end:
    free(rows);
    return rc;
}

grn_status rss_finish(rss_t *r, size_t n_types, int balanced)
{
    grn_status rc = GRN_OK;
    pass_t p = { 0 };
    uint64_t labelled = 0;
    r->n_types = n_types;
    GRN_TRY(GRN_NEW(r->type_n, n_types));
    GRN_TRY(GRN_NEW(r->rss, n_types * r->n_sets));
    GRN_TRY(GRN_NEW(r->mean, n_types * r->n_sets));
    GRN_TRY(GRN_NEW(r->mean_all, r->n_sets));
    GRN_TRY(GRN_NEW(p.sum, n_types * r->n_sets));
    GRN_TRY(GRN_NEW(p.term, n_types * r->n_sets));
    GRN_TRY(GRN_NEW(p.total, r->n_sets));
    GRN_TRY(GRN_NEW(p.weight, n_types));
    for (uint64_t c = 0; c < r->n_cells; c++)
        if (r->type[c] >= 0) {
            r->type_n[r->type[c]]++;
            labelled++;
        }
    for (size_t t = 0; t < n_types; t++) p.weight[t] = balanced && r->type_n[t] ? 1 / (double)r->type_n[t] : 1;
    GRN_TRY(sweep(r, &p, 0));
    for (size_t t = 0; t < n_types; t++)
        for (size_t s = 0; s < r->n_sets; s++) {
            p.total[s] += p.sum[t * r->n_sets + s];
            r->mean_all[s] += labelled ? r->mean[t * r->n_sets + s] / (double)labelled : 0;
            r->mean[t * r->n_sets + s] = r->type_n[t] ? r->mean[t * r->n_sets + s] / (double)r->type_n[t] : NAN;
        }
    GRN_TRY(sweep(r, &p, 1));
    for (size_t t = 0; t < n_types; t++)
        for (size_t s = 0; s < r->n_sets; s++) {
            size_t k = t * r->n_sets + s;
            r->rss[k] = p.total[s] > 0 && r->type_n[t] ? grn_rss(p.sum[k] / p.total[s], p.term[k]) : NAN;
            if (r->in_nats) r->rss[k] = 1 - (1 - r->rss[k]) * sqrt(M_LN2);
        }
end:
    free(p.sum);
    free(p.term);
    free(p.total);
    free(p.weight);
    return rc;
}

void rss_order(const rss_t *r, size_t type, uint32_t *order)
{
    const double *v = r->rss + type * r->n_sets;
    for (size_t i = 0; i < r->n_sets; i++) { /* insertion: R is hundreds; ties keep name order */
        double x = isnan(v[i]) ? -1 : v[i];
        size_t k = i;
        for (; k > 0; k--) {
            double y = isnan(v[order[k - 1]]) ? -1 : v[order[k - 1]];
            if (y >= x) break;
            order[k] = order[k - 1];
        }
        order[k] = (uint32_t)i;
    }
}

static grn_status put_number(grn_out_t *o, double x)
{
    return isnan(x) ? grn_out_puts(o, "\tNA") : grn_out_printf(o, "\t%.6g", x);
}

grn_status rss_write(const rss_t *r, const char *path, const grn_names_t *types, const grn_names_t *sets)
{
    grn_status rc = GRN_OK;
    grn_out_t *o = NULL;
    uint32_t *order = NULL;
    GRN_TRY(GRN_NEW(order, r->n_sets));
    GRN_TRY(grn_out_open(&o, path, 0));
    GRN_TRY(grn_out_puts(o, "cell_type\tregulon\trss\trank\tmean_in_type\tmean_all\tcells\n"));
    for (size_t t = 0; t < r->n_types; t++) {
        rss_order(r, t, order);
        for (size_t k = 0; k < r->n_sets; k++) {
            size_t s = order[k];
            GRN_TRY(grn_out_printf(o, "%s\t%s", grn_names_get(types, t), grn_names_get(sets, s)));
            GRN_TRY(put_number(o, r->rss[t * r->n_sets + s]));
            GRN_TRY(grn_out_printf(o, "\t%zu", k + 1));
            GRN_TRY(put_number(o, r->mean[t * r->n_sets + s]));
            GRN_TRY(put_number(o, r->mean_all[s]));
            GRN_TRY(grn_out_printf(o, "\t%llu\n", (unsigned long long)r->type_n[t]));
        }
    }
    rc = grn_out_commit(o);
    o = NULL;
end:
    grn_out_abort(o);
    free(order);
    return rc;
}
