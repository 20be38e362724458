/* Input of grn-build dar: the accessibility, the labels of its cells, and the sums over cells that do for every region. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "cells.h"
#include "dar.h"
#include "io/chrom.h"
#include "io/container.h"
#include "io/labels.h"
#include "io/prov.h"

void grn_dar_close(grn_dar_t *d)
{
    grn_lowrank_clear(&d->low);
    grn_colsrc_close(&d->counts);
    grn_regions_clear(&d->place);
    free(d->row);
    free(d->code);
    free(d->donor);
    grn_names_clear(&d->levels);
    grn_names_clear(&d->donors);
    free(d->n_level);
    free(d->total);
    free(d->theta_t);
    free(d->mean_theta);
    free(d->cov);
    free(d->unit_n);
    free(d->unit_total);
    free(d->unit_theta);
    *d = (grn_dar_t){ 0 };
}

/* ---- the file ---- */

static grn_status load(grn_dar_t *d, const grn_names_t **cells, const grn_attrs_t **attrs)
{
    grn_status rc = GRN_OK;
    const char *path = d->opt->accessibility;
    int low;
    GRN_TRY(grn_path_rewindable(&path));
    GRN_TRY(grn_lowrank_sniff(path, &d->is_container, &low));
    d->is_counts = !low;
    d->scale = low && d->opt->compat ? 1e6 : 1;
    if (low) {
        GRN_TRY(grn_lowrank_load(path, d->pool, &d->low));
        *cells = &d->low.cell;
        *attrs = &d->low.cell_attr;
        d->region = &d->low.region;
        grn_log_info("accessibility: %s of %zu cells x %zu regions, rank %zu", d->low.method, d->low.C, d->low.R, d->low.K);
    } else {
        grn_counts_opt_t counts = d->opt->counts;
        counts.cells_tsv = NULL; /* joined below, so that a container is still read in blocks */
        if (d->opt->cells_tsv) counts.cell_type = counts.donor = NULL;
        GRN_TRY(grn_colsrc_open(&d->counts, path, &counts, GRN_SCALE_RAW, d->pool));
        *cells = &d->counts.info->row;
        *attrs = &d->counts.info->row_attr;
        d->region = &d->counts.info->col;
        grn_log_info("accessibility: counts of %zu cells x %zu regions", (*cells)->n, d->region->n);
    }
    d->R = d->region->n;
    rc = grn_regions_from_names(d->region, &d->place);
    if (rc) grn_err_prefix(rc, "'%s'", path);
end:
    return rc;
}

/* ---- labels ---- */

static void show_attrs(const grn_attrs_t *attrs, char *buf, size_t cap)
{
    size_t used = 0;
    snprintf(buf, cap, "none");
    for (size_t i = 0; i < attrs->n && used + 1 < cap; i++)
        if (attrs->a[i].code) used += (size_t)snprintf(buf + used, cap - used, "%s%s", used ? ", " : "", attrs->a[i].name);
}

/* The attribute asked for. Formats other than the container name it "cell_type" or "donor" whatever their column is called. */
static const grn_attr_t *find_attr(const grn_attrs_t *attrs, const char *asked, const char *usual)
{
    const grn_attr_t *a = asked ? grn_attr_find(attrs, asked) : NULL;
    if (!a) a = grn_attr_find(attrs, usual);
    return a && a->code ? a : NULL;
}

/* Levels in bytewise order; code[i] of row i; from codes whose levels may be in any order. */
static grn_status take_levels(const grn_names_t *levels, grn_names_t *sorted, uint32_t *rank)
{
    grn_status rc = GRN_OK;
    uint32_t *order = NULL;
    GRN_TRY(GRN_NEW_RAW(order, levels->n));
    GRN_TRY(grn_names_sort(levels, order));
    for (size_t k = 0; k < levels->n; k++) {
        rank[order[k]] = (uint32_t)k;
        GRN_TRY(grn_names_add(sorted, grn_names_get(levels, order[k]), NULL, NULL));
    }
end:
    free(order);
    return rc;
}

static grn_status recode(const grn_names_t *levels, const int32_t *code, const uint32_t *from, size_t n, grn_names_t *sorted,
                         int32_t **out)
{
    grn_status rc = GRN_OK;
    uint32_t *rank = NULL;
    GRN_TRY(GRN_NEW_RAW(rank, levels->n));
    GRN_TRY(GRN_NEW_RAW(*out, n));
    GRN_TRY(take_levels(levels, sorted, rank));
    for (size_t i = 0; i < n; i++) {
        int32_t c = code[from[i]];
        (*out)[i] = c < 0 ? -1 : (int32_t)rank[c];
    }
end:
    free(rank);
    return rc;
}

static grn_status labels_of_table(grn_dar_t *d, const grn_names_t *cells)
{
    grn_status rc = GRN_OK;
    grn_labels_t labels = { 0 };
    grn_cells_t join = { 0 };
    const grn_dar_opt_t *o = d->opt;
    GRN_TRY(grn_prov_input(o->cells_tsv, NULL));
    GRN_TRY(grn_labels_load(o->cells_tsv, o->group, o->donor, &labels));
    GRN_TRY(grn_cells_match(cells, o->accessibility, &labels.cells, o->cells_tsv, &join));
    GRN_TRY(recode(&labels.types, labels.type, join.b, join.n, &d->levels, &d->code));
    if (labels.donor) GRN_TRY(recode(&labels.donors, labels.donor, join.b, join.n, &d->donors, &d->donor));
    grn_log_info("labels of '%s': %zu of %zu cells%s", o->cells_tsv, join.n, cells->n,
                 join.n_stripped ? ", some without their \"-1\" suffix" : "");
    d->C = join.n;
    d->row = join.a;
    join.a = NULL;
end:
    grn_cells_clear(&join);
    grn_labels_clear(&labels);
    return rc;
}

static grn_status labels_of_file(grn_dar_t *d, const grn_names_t *cells, const grn_attrs_t *attrs)
{
    grn_status rc = GRN_OK;
    grn_cells_t order = { 0 };
    char show[512];
    const grn_dar_opt_t *o = d->opt;
    const grn_attr_t *type = find_attr(attrs, o->group, "cell_type"), *donor = find_attr(attrs, o->donor, "donor");
    show_attrs(attrs, show, sizeof show);
    if (!type || (o->group && strcmp(type->name, o->group) && d->is_container))
        GRN_FAIL(GRN_EINVAL, "'%s' has no labels '%s' of its cells; it has: %s (--group NAME, or a table: --cells TSV)",
                 o->accessibility, o->group ? o->group : "cell_type", show);
    if (o->donor && (!donor || (strcmp(donor->name, o->donor) && d->is_container)))
        GRN_FAIL(GRN_EINVAL, "'%s' has no donors '%s' of its cells; it has: %s", o->accessibility, o->donor, show);
    GRN_TRY(grn_cells_match(cells, o->accessibility, NULL, NULL, &order));
    GRN_TRY(recode(&type->levels, type->code, order.a, order.n, &d->levels, &d->code));
    if (donor) GRN_TRY(recode(&donor->levels, donor->code, order.a, order.n, &d->donors, &d->donor));
    d->C = order.n;
    d->row = order.a;
    order.a = NULL;
end:
    grn_cells_clear(&order);
    return rc;
}

/* Keeps the cells where keep[i]; their order stays. */
static void keep_cells(grn_dar_t *d, const uint8_t *keep)
{
    size_t n = 0;
    for (size_t i = 0; i < d->C; i++) {
        if (!keep[i]) continue;
        d->row[n] = d->row[i];
        d->code[n] = d->code[i];
        if (d->donor) d->donor[n] = d->donor[i];
        if (d->total) d->total[n] = d->total[i];
        n++;
    }
    d->C = n;
}

/* Drops levels without a cell. */
static grn_status count_levels(grn_dar_t *d)
{
    grn_status rc = GRN_OK;
    grn_names_t used = { 0 };
    int32_t *map = NULL;
    GRN_TRY(GRN_NEW(map, d->levels.n));
    for (size_t i = 0; i < d->C; i++) map[d->code[i]] = 1;
    for (size_t l = 0; l < d->levels.n; l++) {
        if (!map[l]) continue;
        map[l] = (int32_t)used.n;
        GRN_TRY(grn_names_add(&used, grn_names_get(&d->levels, l), NULL, NULL));
    }
    d->L = used.n;
    GRN_TRY(GRN_NEW(d->n_level, d->L));
    for (size_t i = 0; i < d->C; i++) d->n_level[d->code[i] = map[d->code[i]]]++;
    grn_names_clear(&d->levels);
    d->levels = used;
    used = (grn_names_t){ 0 };
end:
    free(map);
    grn_names_clear(&used);
    return rc;
}

/* ---- depth ---- */

typedef struct {
    grn_dar_t *d;
    uint32_t *place; /* (rows) cell; UINT32_MAX: none */
} totals_t;

static grn_status add_total(void *ctx, const grn_colsrc_t *s, uint64_t row, size_t n, const uint32_t *idx, const float *val)
{
    totals_t *t = ctx;
    double sum = 0;
    if (t->place[row] == UINT32_MAX) return GRN_OK;
    for (size_t k = 0; k < n; k++) {
        if (val[k] < 0)
            return grn_err(GRN_EFORMAT, "'%s': %g of %s in cell %s is negative: no counts to normalise", s->path, val[k],
                           grn_names_get(&s->info->col, idx[k]), grn_names_get(&s->info->row, row));
        sum += val[k];
    }
    t->d->total[t->place[row]] = sum;
    return GRN_OK;
}

static grn_status totals_of_counts(grn_dar_t *d)
{
    grn_status rc = GRN_OK;
    totals_t t = { .d = d };
    size_t n_rows = d->counts.info->n_rows;
    GRN_TRY(GRN_NEW_RAW(t.place, n_rows));
    memset(t.place, 0xff, n_rows * sizeof *t.place);
    for (size_t i = 0; i < d->C; i++) t.place[d->row[i]] = (uint32_t)i;
    GRN_TRY(GRN_NEW(d->total, d->C));
    GRN_TRY(grn_colsrc_each(&d->counts, add_total, &t));
end:
    free(t.place);
    return rc;
}

/* A topic model's depth: the cell attribute that counts fragments; without one, total stays NULL. */
static grn_status totals_of_model(grn_dar_t *d)
{
    const grn_attr_t *a = grn_attr_find(&d->low.cell_attr, "n_in_regions");
    if (!a || !a->num) a = grn_attr_find(&d->low.cell_attr, "n_fragments");
    if (!a || !a->num) return GRN_OK;
    if (GRN_NEW_RAW(d->total, d->C)) return GRN_ENOMEM;
    for (size_t i = 0; i < d->C; i++) {
        d->total[i] = a->num[d->row[i]];
        if (!(d->total[i] >= 0) || isinf(d->total[i]))
            return grn_err(GRN_EFORMAT, "'%s': %s of cell %s is no count", d->opt->accessibility, a->name,
                           grn_names_get(&d->low.cell, d->row[i]));
    }
    return GRN_OK;
}

static grn_status choose_cells(grn_dar_t *d, size_t n_file)
{
    grn_status rc = GRN_OK;
    uint8_t *keep = NULL;
    size_t n_label = 0, n_deep = 0;
    GRN_TRY(d->is_counts ? totals_of_counts(d) : totals_of_model(d));
    GRN_TRY(GRN_NEW(keep, d->C));
    for (size_t i = 0; i < d->C; i++) {
        int deep = !d->is_counts || d->total[i] > 0;
        n_label += d->code[i] >= 0;
        keep[i] = d->code[i] >= 0 && deep;
        n_deep += keep[i];
    }
    if (n_label < n_file) grn_log_warn("cells: %zu of %zu have no label and are left out", n_file - n_label, n_file);
    if (n_deep < n_label) grn_log_warn("cells: %zu have no count in any region and are left out", n_label - n_deep);
    if (!n_deep)
        GRN_FAIL(GRN_EEMPTY, "no cell of '%s' has a label%s", d->opt->accessibility, n_label ? " and a count" : "");
    keep_cells(d, keep);
    GRN_TRY(count_levels(d));
    if (d->L < 2)
        GRN_FAIL(GRN_EINVAL, "all %zu cells of '%s' have the one label '%s': nothing to compare", d->C, d->opt->accessibility,
                 grn_names_get(&d->levels, 0));
end:
    free(keep);
    return rc;
}

/* ---- sums over cells ---- */

/* Means of theta per level and their covariance over all cells, cells in order. */
static grn_status moments_of_theta(grn_dar_t *d)
{
    grn_status rc = GRN_OK;
    size_t K = d->low.K, C = d->C;
    double *mean = NULL, sum_phi = 0;
    GRN_TRY(GRN_NEW_RAW(d->theta_t, K * C));
    GRN_TRY(GRN_NEW(d->mean_theta, d->L * K));
    GRN_TRY(GRN_NEW(d->cov, K * K));
    GRN_TRY(GRN_NEW(mean, K));
    for (size_t i = 0; i < C; i++) {
        const float *t = d->low.theta + d->row[i] * K;
        for (size_t k = 0; k < K; k++) {
            d->theta_t[k * C + i] = t[k];
            d->mean_theta[(size_t)d->code[i] * K + k] += t[k];
            mean[k] += t[k];
        }
    }
    for (size_t k = 0; k < K; k++) mean[k] /= (double)C;
    for (size_t l = 0; l < d->L; l++)
        for (size_t k = 0; k < K; k++) d->mean_theta[l * K + k] /= (double)d->n_level[l];
    for (size_t j = 0; j < K; j++)
        for (size_t k = j; k < K; k++) {
            double s = 0;
            const float *x = d->theta_t + j * C, *y = d->theta_t + k * C;
            for (size_t i = 0; i < C; i++) s += (x[i] - mean[j]) * (y[i] - mean[k]);
            d->cov[j * K + k] = d->cov[k * K + j] = s / (double)C;
        }
    for (size_t k = 0; k < K; k++) {
        sum_phi = 0;
        for (size_t r = 0; r < d->R; r++) sum_phi += d->low.phi[r * K + k];
        d->mean_all += sum_phi * mean[k] / (double)d->R;
    }
end:
    free(mean);
    return rc;
}

/* Cells and depth of every donor x level; for a model, its depth-weighted theta. */
static grn_status sum_units(grn_dar_t *d)
{
    grn_status rc = GRN_OK;
    size_t K = d->low.K;
    if (!d->donor) return GRN_OK;
    d->n_units = d->donors.n * d->L;
    GRN_TRY(GRN_NEW(d->unit_n, d->n_units));
    GRN_TRY(GRN_NEW(d->unit_total, d->n_units));
    if (!d->is_counts) GRN_TRY(GRN_NEW(d->unit_theta, d->n_units * K));
    for (size_t i = 0; i < d->C; i++) {
        if (d->donor[i] < 0) continue;
        size_t u = (size_t)d->donor[i] * d->L + (size_t)d->code[i];
        double depth = d->total ? d->total[i] : 10000;
        d->unit_n[u]++;
        if (d->is_counts) d->unit_total[u] += depth;
        for (size_t k = 0; k < K; k++) d->unit_theta[u * K + k] += depth * (double)d->theta_t[k * d->C + i];
    }
    for (size_t k = 0; k < K; k++) { /* a model's counts in all regions */
        double sum_phi = 0;
        for (size_t r = 0; r < d->R; r++) sum_phi += d->low.phi[r * K + k];
        for (size_t u = 0; u < d->n_units; u++) d->unit_total[u] += sum_phi * d->unit_theta[u * K + k];
    }
end:
    return rc;
}

static void say_levels(const grn_dar_t *d)
{
    char show[1024];
    size_t used = 0;
    for (size_t l = 0; l < d->L && used + 1 < sizeof show; l++)
        used += (size_t)snprintf(show + used, sizeof show - used, "%s%s %zu", l ? ", " : "", grn_names_get(&d->levels, l),
                                 d->n_level[l]);
    grn_log_info("cells: %zu used; %s", d->C, show);
}

grn_status grn_dar_open(grn_dar_t *d, const grn_dar_opt_t *opt, grn_par_t *pool)
{
    grn_status rc = GRN_OK;
    const grn_names_t *cells = NULL;
    const grn_attrs_t *attrs = NULL;
    *d = (grn_dar_t){ .opt = opt, .pool = pool };
    GRN_TRY(load(d, &cells, &attrs));
    if (opt->cells_tsv) GRN_TRY(labels_of_table(d, cells));
    else GRN_TRY(labels_of_file(d, cells, attrs));
    GRN_TRY(choose_cells(d, cells->n));
    say_levels(d);
    if (d->is_counts) {
        GRN_TRY(grn_colsrc_use(&d->counts, d->row, d->C));
        d->mean_all = 1 / (double)d->R;
    } else {
        GRN_TRY(moments_of_theta(d));
        free(d->low.theta); /* theta_t has what is used of it */
        d->low.theta = NULL;
    }
    GRN_TRY(sum_units(d));
end:
    if (rc) grn_dar_close(d);
    return rc;
}
