/* Do the targets and the regions of a regulon rise with its TF? Correlations over pseudobulks of the TF's expression with the regulon's
 * activity on genes and on regions (TF-cistrome correlation of SCENIC+), and of the two activities with each other (SPEC_GRN 6.9).
 *
 * Pseudobulks are disjoint: the cells of a type in an order of keys of their names, cut into equal parts, so that intervals and
 * baselines see independent values (SCENIC+ draws cells again and again, whose p-values mean nothing). Baselines: the same activity
 * with the TFs of other regulons, and the correlation within types, which the differences between types cannot make. Sums are of whole
 * numbers: results do not depend on the order of cells. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/str.h"
#include "grn-eval/eval.h"
#include "io/counts.h"
#include "io/edges.h"
#include "stat/corr.h"

enum { BLOCK = 4096 }; /* cells */
#define UNIT 0x1p-24   /* of summed values */
#define NONE UINT32_MAX

static struct {
    const char *regulons, *auc[2], *out, *keep;
    int64_t size, bootstrap;
    double min_rho;
    grn_counts_cli_t in;
} opt = { .size = 10, .bootstrap = 200, .min_rho = 0, .in = GRN_COUNTS_CLI_INIT };
enum { GENES, REGIONS };

typedef struct {
    grn_names_t cell;      /* those of all files that have a type */
    uint32_t *bulk;        /* (cells) */
    size_t n;              /* pseudobulks, those of a type next to each other */
    uint32_t *type, *size; /* (n) */
} bulks_t;

typedef struct { /* columns over pseudobulks: x[column * n + bulk] */
    grn_names_t name;
    float *x;
} profile_t;

typedef struct {
    bulks_t bulks;
    profile_t tf, auc[2];
    grn_names_t regulons;
    uint32_t *tf_of; /* (regulons) into tf */
    uint32_t *draw;  /* (bootstrap, bulks) */
} data_t;

static void data_clear(data_t *d)
{
    grn_names_clear(&d->bulks.cell);
    free(d->bulks.bulk);
    free(d->bulks.type);
    free(d->bulks.size);
    for (int k = 0; k < 2; k++) {
        grn_names_clear(&d->auc[k].name);
        free(d->auc[k].x);
    }
    grn_names_clear(&d->tf.name);
    free(d->tf.x);
    grn_names_clear(&d->regulons);
    free(d->tf_of);
    free(d->draw);
}

/* ---- pseudobulks ---- */

typedef struct {
    uint64_t key;
    int32_t type;
    uint32_t row;
} place_t;

static int by_type_and_key(const void *a, const void *b)
{
    const place_t *x = a, *y = b;
    if (x->type != y->type) return x->type < y->type ? -1 : 1;
    return x->key < y->key ? -1 : x->key > y->key;
}

/* Parts of one type's cells place[0..n): as many as make their size nearest to --size. */
static grn_status add_bulks(bulks_t *b, const grn_names_t *rows, const place_t *place, size_t n)
{
    grn_status rc = GRN_OK;
    size_t parts = (n + (size_t)opt.size / 2) / (size_t)opt.size, first = b->n, k;
    if (parts == 0) return GRN_OK;
    for (size_t p = 0; p < parts; p++) b->type[first + p] = (uint32_t)place->type;
    for (size_t i = 0; i < n; i++) {
        GRN_TRY(grn_names_add(&b->cell, grn_names_get(rows, place[i].row), &k, NULL));
        b->bulk[k] = (uint32_t)(first + i * parts / n);
        b->size[b->bulk[k]]++;
    }
    b->n += parts;
end:
    return rc;
}

/* Cells of the counts that have a type and are in both activities. */
static grn_status make_bulks(const grn_matrix_t *counts, const grn_matrix_t auc[2], bulks_t *b)
{
    grn_status rc = GRN_OK;
    const grn_attr_t *type = grn_attr_find(&counts->row_attr, "cell_type");
    place_t *place = NULL;
    size_t n = 0;
    if (!type || !type->code) GRN_FAIL(GRN_EINVAL, "no cell types in the counts: give --cell-type or --cells");
    GRN_TRY(GRN_NEW(place, (size_t)counts->n_rows));
    GRN_TRY(GRN_NEW(b->bulk, (size_t)counts->n_rows));
    GRN_TRY(GRN_NEW(b->type, (size_t)counts->n_rows));
    GRN_TRY(GRN_NEW(b->size, (size_t)counts->n_rows));
    for (uint64_t c = 0; c < counts->n_rows; c++) {
        const char *name = grn_names_get(&counts->row, c);
        int in = type->code[c] >= 0;
        for (int k = 0; k < 2; k++) in = in && (!opt.auc[k] || grn_names_find(&auc[k].row, name) != GRN_NAMES_NONE);
        if (in) place[n++] = (place_t){ grn_rng_key(grn_common.seed, "eval.bulks", grn_hash_str(name), 0), type->code[c], (uint32_t)c };
    }
    if (n == 0) GRN_FAIL(GRN_ESHAPE, "none of %llu cells of the counts has a type and an activity", (unsigned long long)counts->n_rows);
    qsort(place, n, sizeof *place, by_type_and_key);
    for (size_t i = 0, j; i < n; i = j) {
        for (j = i + 1; j < n && place[j].type == place[i].type; j++) {}
        GRN_TRY(add_bulks(b, &counts->row, place + i, j - i));
    }
    grn_log_info("%zu of %llu cells in %zu pseudobulks of about %lld cells of one type", b->cell.n, (unsigned long long)counts->n_rows,
                 b->n, (long long)opt.size);
    if (b->n < 10)
        GRN_FAIL(GRN_EEMPTY, "%zu pseudobulks are too few to correlate: at least 10 are needed; a smaller --size makes more", b->n);
end:
    free(place);
    return rc;
}

/* Adds the rows of a block to sum[column * bulks + bulk], columns of the block by `column` (NONE: not wanted); total (bulks) of all
 * columns, or NULL. *whole: cleared when some value is no whole number. */
static void add_block(const bulks_t *b, const grn_matrix_t *m, const uint32_t *column, int64_t *sum, int64_t *total, int *whole)
{
    for (uint64_t i = 0; i < m->n_rows; i++) {
        size_t cell = grn_names_find(&b->cell, grn_names_get(&m->row, i)), n = (size_t)m->n_cols;
        const uint32_t *idx = NULL;
        const float *val = m->is_dense ? m->dense + i * m->n_cols : NULL;
        if (cell == GRN_NAMES_NONE) continue;
        if (!m->is_dense) grn_matrix_row(m, i, &n, &idx, &val);
        for (size_t k = 0; k < n; k++) {
            uint32_t c = column[idx ? idx[k] : k];
            int64_t x = llrint((double)val[k] / UNIT);
            *whole &= val[k] == floorf(val[k]);
            if (total) total[b->bulk[cell]] += x;
            if (c != NONE) sum[c * b->n + b->bulk[cell]] += x;
        }
    }
}

/* Columns of `m` that are in p->name. */
static grn_status map_columns(const grn_names_t *have, const grn_names_t *want, uint32_t **column, size_t *n)
{
    grn_status rc = GRN_OK;
    *n = 0;
    GRN_TRY(GRN_NEW_RAW(*column, have->n));
    for (size_t j = 0; j < have->n; j++) {
        size_t k = grn_names_find(want, grn_names_get(have, j));
        (*column)[j] = k == GRN_NAMES_NONE ? NONE : (uint32_t)k;
        *n += k != GRN_NAMES_NONE;
    }
end:
    return rc;
}

/* Mean activity of the regulons, NaN for those without. */
static grn_status auc_profile(const bulks_t *b, const grn_matrix_t *m, const grn_names_t *regulons, const char *path, profile_t *p)
{
    grn_status rc = GRN_OK;
    uint32_t *column = NULL;
    int64_t *sum = NULL;
    uint8_t *has = NULL;
    size_t n;
    int whole = 1;
    GRN_TRY(map_columns(&m->col, regulons, &column, &n));
    if (n == 0)
        GRN_FAIL(GRN_ESHAPE, "none of %zu regulons is in '%s'; first names: %s vs %s", regulons->n, path, grn_names_get(regulons, 0),
                 m->col.n ? grn_names_get(&m->col, 0) : "-");
    if (n < regulons->n) grn_log_warn("%zu of %zu regulons are in '%s'", n, regulons->n, path);
    GRN_TRY(GRN_NEW(sum, regulons->n * b->n));
    GRN_TRY(GRN_NEW(has, regulons->n));
    GRN_TRY(GRN_NEW_RAW(p->x, regulons->n * b->n));
    add_block(b, m, column, sum, NULL, &whole);
    for (size_t j = 0; j < m->col.n; j++)
        if (column[j] != NONE) has[column[j]] = 1;
    for (size_t r = 0; r < regulons->n; r++)
        for (size_t k = 0; k < b->n; k++) p->x[r * b->n + k] = has[r] ? (float)((double)sum[r * b->n + k] * UNIT / b->size[k]) : NAN;
end:
    free(column);
    free(sum);
    free(has);
    return rc;
}

/* TF expression: ln(1 + 10,000 x / total) of counts summed over the pseudobulk; of other values the mean. */
static grn_status tf_profile(grn_mr_t *in, const bulks_t *b, profile_t *p)
{
    grn_status rc = GRN_OK;
    const grn_matrix_t *info = grn_mr_info(in);
    grn_matrix_t block = { 0 };
    uint32_t *column = NULL;
    int64_t *sum = NULL, *total = NULL;
    size_t n;
    int whole = 1, got;
    GRN_TRY(map_columns(&info->col, &p->name, &column, &n));
    if (n < p->name.n) grn_log_warn("%zu of %zu TFs are genes of the counts", n, p->name.n);
    GRN_TRY(GRN_NEW(sum, p->name.n * b->n));
    GRN_TRY(GRN_NEW(total, b->n));
    GRN_TRY(GRN_NEW(p->x, p->name.n * b->n));
    while ((got = grn_mr_next(in, BLOCK, &block)) > 0) add_block(b, &block, column, sum, total, &whole);
    GRN_TRY((grn_status)got);
    for (size_t t = 0; t < p->name.n; t++)
        for (size_t k = 0; k < b->n; k++) {
            double x = (double)sum[t * b->n + k];
            p->x[t * b->n + k] = (float)(!whole ? x * UNIT / b->size[k] : total[k] > 0 ? log1p(1e4 * x / (double)total[k]) : 0);
        }
end:
    grn_matrix_clear(&block);
    free(column);
    free(sum);
    free(total);
    return rc;
}

/* ---- correlations ---- */

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* 95 % interval by resampling pseudobulks. */
static grn_status interval(const data_t *d, const float *x, const float *y, double *lo, double *hi)
{
    grn_status rc = GRN_OK;
    size_t n = d->bulks.n, m = 0, times = (size_t)opt.bootstrap;
    float *xy = NULL;
    double *r = NULL;
    *lo = *hi = NAN;
    GRN_TRY(GRN_NEW_RAW(xy, 2 * n));
    GRN_TRY(GRN_NEW_RAW(r, times));
    for (size_t k = 0; k < times; k++) {
        for (size_t i = 0; i < n; i++) {
            xy[i] = x[d->draw[k * n + i]];
            xy[n + i] = y[d->draw[k * n + i]];
        }
        r[m] = grn_corr_pearson(xy, xy + n, n);
        m += isfinite(r[m]) != 0;
    }
    if (m < 20) goto end;
    qsort(r, m, sizeof *r, ascending);
    *lo = r[(size_t)(0.025 * (double)(m - 1))];
    *hi = r[(size_t)ceil(0.975 * (double)(m - 1))];
end:
    free(xy);
    free(r);
    return rc;
}

/* Pearson of what the means of the types leave. */
static grn_status within_types(const bulks_t *b, const float *x, const float *y, double *rho)
{
    grn_status rc = GRN_OK;
    float *rest = NULL;
    GRN_TRY(GRN_NEW_RAW(rest, 2 * b->n));
    for (size_t i = 0, j; i < b->n; i = j) { /* bulks of a type are neighbours */
        double mx = 0, my = 0;
        for (j = i; j < b->n && b->type[j] == b->type[i]; j++) {
            mx += x[j];
            my += y[j];
        }
        for (size_t k = i; k < j; k++) {
            rest[k] = (float)(x[k] - mx / (double)(j - i));
            rest[b->n + k] = (float)(y[k] - my / (double)(j - i));
        }
    }
    *rho = grn_corr_pearson(rest, rest + b->n, b->n);
end:
    free(rest);
    return rc;
}

/* Place of `rho` by size among the correlations of y with the TFs of all regulons, 1 the largest; NaN when it is none. */
static double place_of(const data_t *d, double rho, const float *y, size_t own)
{
    size_t above = 0;
    if (isnan(rho)) return NAN;
    for (size_t t = 0; t < d->tf.name.n; t++) {
        if (t == own) continue;
        above += fabs(grn_corr_pearson(d->tf.x + t * d->bulks.n, y, d->bulks.n)) > fabs(rho);
    }
    return (double)above + 1;
}

/* One TF with one activity: rho, its interval, rho within types, and the TF's place among all. */
static grn_status judge(const data_t *d, const profile_t *p, size_t r, double v[5])
{
    grn_status rc = GRN_OK;
    size_t n = d->bulks.n;
    const float *x = d->tf.x + d->tf_of[r] * n, *y = p->x + r * n;
    v[0] = p->x ? grn_corr_pearson(x, y, n) : NAN;
    v[1] = v[2] = v[3] = v[4] = NAN;
    if (isnan(v[0])) goto end;
    GRN_TRY(interval(d, x, y, &v[1], &v[2]));
    GRN_TRY(within_types(&d->bulks, x, y, &v[3]));
    v[4] = place_of(d, v[0], y, d->tf_of[r]);
end:
    return rc;
}

static double median(double *x, size_t n)
{
    if (n == 0) return NAN;
    qsort(x, n, sizeof *x, ascending);
    return x[n / 2];
}

static grn_status fill_table(const data_t *d, grn_result_t *table, grn_names_t *kept)
{
    grn_status rc = GRN_OK;
    double *size[2] = { NULL, NULL }, *place[2] = { NULL, NULL };
    size_t n[2] = { 0, 0 };
    for (int k = 0; k < 2; k++) {
        GRN_TRY(GRN_NEW(size[k], d->regulons.n));
        GRN_TRY(GRN_NEW(place[k], d->regulons.n));
    }
    for (size_t r = 0; r < d->regulons.n; r++) {
        double v[2][5], both = NAN, judged;
        for (int k = 0; k < 2; k++) {
            GRN_TRY(judge(d, &d->auc[k], r, v[k]));
            if (isnan(v[k][0])) continue;
            size[k][n[k]] = fabs(v[k][0]);
            place[k][n[k]++] = v[k][4];
        }
        if (d->auc[GENES].x && d->auc[REGIONS].x)
            both = grn_corr_pearson(d->auc[GENES].x + r * d->bulks.n, d->auc[REGIONS].x + r * d->bulks.n, d->bulks.n);
        judged = fabs(v[opt.auc[REGIONS] ? REGIONS : GENES][0]);
        if (judged >= opt.min_rho) GRN_TRY(grn_names_add(kept, grn_names_get(&d->regulons, r), NULL, NULL));
        GRN_TRY(grn_result_row(table, grn_names_get(&d->regulons, r), grn_names_get(&d->tf.name, d->tf_of[r]), v[1][0], v[1][1],
                               v[1][2], v[1][3], v[1][4], v[0][0], v[0][1], v[0][2], v[0][3], v[0][4], both));
    }
    for (int k = 1; k >= 0; k--)
        if (n[k])
            grn_log_info("%s: median |rho| of a TF with its regulon %.3f; its median place among the %zu TFs %.0f (chance: %zu)",
                         k == GENES ? "genes" : "regions", median(size[k], n[k]), d->tf.name.n, median(place[k], n[k]),
                         (d->tf.name.n + 1) / 2);
end:
    for (int k = 0; k < 2; k++) {
        free(size[k]);
        free(place[k]);
    }
    return rc;
}

/* ---- run ---- */

/* Regulons of the edges in bytewise order, and the TF of each. */
static grn_status list_regulons(data_t *d)
{
    grn_status rc = GRN_OK;
    grn_edges_t e = { 0 };
    grn_names_t seen = { 0 };
    grn_str_t name = { 0 };
    uint32_t *order = NULL, *tf = NULL;
    size_t k;
    GRN_TRY(grn_edges_load(opt.regulons, grn_common.pool, &e));
    if (!e.tf || e.n == 0) GRN_FAIL(GRN_EFORMAT, "'%s' has no TFs", opt.regulons);
    GRN_TRY(GRN_NEW(tf, e.n));
    for (size_t i = 0; i < e.n; i++) {
        name.n = 0;
        GRN_TRY(grn_edges_regulon_name(&e, i, &name));
        GRN_TRY(grn_names_add(&seen, name.s, &k, NULL));
        tf[k] = e.tf[i];
    }
    GRN_TRY(GRN_NEW(order, seen.n));
    GRN_TRY(grn_names_sort(&seen, order));
    GRN_TRY(GRN_NEW(d->tf_of, seen.n));
    for (size_t r = 0; r < seen.n; r++) {
        GRN_TRY(grn_names_add(&d->regulons, grn_names_get(&seen, order[r]), NULL, NULL));
        GRN_TRY(grn_names_add(&d->tf.name, grn_names_get(&e.genes, tf[order[r]]), &k, NULL));
        d->tf_of[r] = (uint32_t)k;
    }
end:
    grn_edges_clear(&e);
    grn_names_clear(&seen);
    grn_str_clear(&name);
    free(order);
    free(tf);
    return rc;
}

static grn_status draw_bulks(data_t *d)
{
    grn_status rc = GRN_OK;
    size_t n = d->bulks.n;
    GRN_TRY(GRN_NEW_RAW(d->draw, (size_t)opt.bootstrap * n));
    for (size_t k = 0; k < (size_t)opt.bootstrap; k++) {
        grn_rng_t rng;
        grn_rng_init(&rng, grn_common.seed, "eval.regulons", k);
        for (size_t i = 0; i < n; i++) d->draw[k * n + i] = (uint32_t)grn_rng_below(&rng, n);
    }
end:
    return rc;
}

static grn_status load(const char *counts, data_t *d)
{
    grn_status rc = GRN_OK;
    grn_counts_opt_t copt;
    grn_matrix_t auc[2] = { { 0 }, { 0 } };
    grn_mr_t *in = NULL;
    GRN_TRY(list_regulons(d));
    for (int k = 0; k < 2; k++)
        if (opt.auc[k]) GRN_TRY(grn_matrix_load(opt.auc[k], grn_common.pool, &auc[k]));
    GRN_TRY(grn_counts_cli(&opt.in, &copt));
    GRN_TRY(grn_mr_open(&in, counts, &copt, grn_common.pool));
    GRN_TRY(make_bulks(grn_mr_info(in), auc, &d->bulks));
    for (int k = 0; k < 2; k++)
        if (opt.auc[k]) GRN_TRY(auc_profile(&d->bulks, &auc[k], &d->regulons, opt.auc[k], &d->auc[k]));
    GRN_TRY(tf_profile(in, &d->bulks, &d->tf));
    GRN_TRY(draw_bulks(d));
end:
    for (int k = 0; k < 2; k++) grn_matrix_clear(&auc[k]);
    grn_mr_close(in);
    return rc;
}

static grn_status write_names(const grn_names_t *names, const char *path)
{
    grn_status rc = GRN_OK;
    grn_out_t *o = NULL;
    GRN_TRY(grn_out_open(&o, path, 0));
    for (size_t i = 0; i < names->n; i++) GRN_TRY(grn_out_printf(o, "%s\n", grn_names_get(names, i)));
    rc = grn_out_commit(o);
    o = NULL;
end:
    grn_out_abort(o);
    return rc;
}

static grn_status run(const grn_args_t *args)
{
    grn_status rc = GRN_OK;
    data_t d = { 0 };
    grn_result_t table = { 0 };
    grn_names_t kept = { 0 };
    if (!opt.regulons) GRN_FAIL(GRN_EUSAGE, "give the regulons: -r FILE");
    if (!opt.auc[GENES] && !opt.auc[REGIONS]) GRN_FAIL(GRN_EUSAGE, "give --gene-auc, --region-auc or both");
    GRN_TRY(load(args->v[0], &d));
    GRN_TRY(grn_result_init(&table, "regulons", "Regulons and their TFs over pseudobulks (95 % intervals by resampling these)",
                            "regulon$,tf$,rho_tf_region,region_lo,region_hi,region_within_types,region_tf_place,rho_tf_gene,gene_lo,"
                            "gene_hi,gene_within_types,gene_tf_place,rho_gene_region"));
    GRN_TRY(fill_table(&d, &table, &kept));
    if (opt.min_rho > 0)
        grn_log_info("|rho| >= %g with %s: %zu of %zu regulons", opt.min_rho, opt.auc[REGIONS] ? "regions" : "genes", kept.n,
                     d.regulons.n);
    if (opt.keep) GRN_TRY(write_names(&kept, opt.keep));
    rc = grn_eval_emit(&table, opt.out);
end:
    data_clear(&d);
    grn_result_clear(&table);
    grn_names_clear(&kept);
    return rc;
}

static const grn_opt_t table[] = {
    GRN_OPT_HEAD("Input"),
    GRN_OPT_STR('r', "regulons", "FILE", &opt.regulons, "the regulons (grn.edges)"),
    GRN_OPT_STR('g', "gene-auc", "FILE", &opt.auc[GENES], "their activity on genes, of grn-aucell"),
    GRN_OPT_STR('a', "region-auc", "FILE", &opt.auc[REGIONS], "their activity on regions, of grn-aucell"),
    GRN_COUNTS_OPTIONS(opt.in),
    GRN_OPT_HEAD("Pseudobulks"),
    GRN_OPT_INT(0, "size", "INT", &opt.size, 1, 1000000, "cells of one"),
    GRN_OPT_INT(0, "bootstrap", "INT", &opt.bootstrap, 20, 100000, "replicates of the intervals (pseudobulks are resampled)"),
    GRN_OPT_HEAD("Output"),
    GRN_OPT_FLT(0, "min-rho", "FLOAT", &opt.min_rho, 0, 1, "regulons for --keep: |rho| of TF and regions, else of TF and genes"),
    GRN_OPT_STR(0, "keep", "FILE", &opt.keep, "names of the regulons that pass, for grn-view subset --regulon @FILE"),
    GRN_OPT_STR('o', "output", "FILE", &opt.out, "also save the table as grn.result"),
    GRN_OPT_END,
};
const grn_subtool_t grn_eval_regulons = {
    { "grn-eval regulons", "Correlations of regulons with their TFs, on genes and on regions.",
      "[options] -r REGULONS (-g AUC | -a AUC) COUNTS", table, 1, 1,
      "  grn-eval regulons -r regulons.edges.zst -g auc.tensor.zst -a region_auc.tensor.zst counts.h5ad\n"
      "  grn-eval regulons -r regulons.edges.zst -a region_auc.tensor.zst --min-rho 0.5 --keep good.txt counts.h5ad" },
    run
};
