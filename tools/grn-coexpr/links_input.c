#include "grn-coexpr/links_input.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "grn-coexpr/filter.h"
#include "io/container.h"
#include "io/gmt.h"
#include "io/prov.h"
#include "io/text.h"
#include "io/tflist.h"

enum { ROWS = 4096 }; /* cells read at a time */

void coexpr_input_clear(coexpr_input_t *in)
{
    grn_matrix_clear(&in->cells);
    coexpr_store_clear(&in->store);
    grn_pairs_clear(&in->terms);
    for (size_t k = 0; k < COEXPR_COVARIATES; k++) free(in->num[k]);
    free(in->names);
    free(in->excluded);
    memset(in, 0, sizeof *in);
}

grn_status coexpr_input_columns(coexpr_input_t *in, const char *list)
{
    grn_status rc = GRN_OK;
    char *save = NULL;
    if (!list) return GRN_OK;
    if (!(in->names = strdup(list))) GRN_FAIL(GRN_ENOMEM, "out of memory");
    for (char *s = strtok_r(in->names, ",", &save); s; s = strtok_r(NULL, ",", &save)) {
        char *as = strrchr(s, '=');
        if (in->n_covariates == COEXPR_COVARIATES) GRN_FAIL(GRN_EUSAGE, "--residualise: more than %d columns", COEXPR_COVARIATES);
        if (as && strcmp(as, "=number") == 0) {
            *as = 0;
            in->as_number[in->n_covariates] = 1;
        }
        in->column[in->n_covariates++] = s;
    }
    if (in->n_covariates == 0) GRN_FAIL(GRN_EUSAGE, "--residualise '%s': no column named", list);
end:
    return rc;
}

/* ---- the matrix ---- */

static grn_status read_blocks(coexpr_input_t *in, grn_mr_t *mr, grn_par_t *pool)
{
    grn_status rc = GRN_OK;
    grn_matrix_t block = { 0 };
    const grn_matrix_t *info = grn_mr_info(mr);
    int got;
    GRN_TRY(coexpr_store_init(&in->store, &info->col));
    grn_mr_bare(mr);
    grn_progress_begin(info->n_rows, "cells");
    while ((got = grn_mr_next(mr, ROWS, &block)) > 0) {
        GRN_TRY(grn_matrix_to_csr(&block));
        GRN_TRY(coexpr_store_add(&in->store, &block, pool));
        grn_progress_add(block.n_rows);
    }
    if (got < 0) rc = (grn_status)got;
end:
    grn_progress_end();
    grn_matrix_clear(&block);
    return rc;
}

grn_status coexpr_input_cells(coexpr_input_t *in, const char *path, const grn_counts_opt_t *given, grn_par_t *pool)
{
    grn_status rc = GRN_OK;
    grn_counts_opt_t o = *given, open;
    grn_mr_t *mr = NULL;
    o.also = in->column;
    o.n_also = in->n_covariates;
    GRN_TRY(grn_path_rewindable(&path));
    int apart = o.cells_tsv && grn_cr_sniff(strcmp(path, "-") ? path : "/proc/self/fd/0");
    open = o;
    if (apart) open.cells_tsv = NULL;
    GRN_TRY(grn_mr_open(&mr, path, &open, pool));
    in->cells.n_rows = grn_mr_info(mr)->n_rows;
    GRN_TRY(grn_names_dup(&in->cells.row, &grn_mr_info(mr)->row));
    GRN_TRY(grn_attrs_dup(&in->cells.row_attr, &grn_mr_info(mr)->row_attr, in->cells.n_rows));
    if (apart) {
        GRN_TRY(grn_prov_input(o.cells_tsv, NULL));
        GRN_TRY(grn_counts_label(path, &o, &in->cells));
    }
    GRN_TRY(read_blocks(in, mr, pool));
end:
    grn_mr_close(mr);
    return rc;
}

/* ---- covariates ---- */

/* ln of the cells' totals or detected genes. */
static grn_status from_counts(const coexpr_input_t *in, const char *name, double **num)
{
    grn_status rc = GRN_OK;
    const coexpr_store_t *s = &in->store;
    int genes = strcmp(name, "log_genes") == 0;
    GRN_TRY(GRN_NEW(*num, s->n_cells));
    for (size_t i = 0; i < s->n_cells; i++) {
        double x = genes ? (double)coexpr_store_n(s, i) : s->total[i];
        (*num)[i] = x > 0 ? log(x) : 0;
    }
end:
    return rc;
}

/* Levels as numbers. */
static grn_status to_numbers(const grn_attr_t *a, uint64_t n, double **num)
{
    grn_status rc = GRN_OK;
    double *level = NULL;
    GRN_TRY(GRN_NEW(level, a->levels.n));
    GRN_TRY(GRN_NEW(*num, (size_t)n));
    for (size_t l = 0; l < a->levels.n; l++) {
        const char *text = grn_names_get(&a->levels, l), *end = text;
        if (!grn_scan_f64(&end, &level[l]) || *end || !isfinite(level[l]))
            GRN_FAIL(GRN_EINVAL, "--residualise %s=number: '%s' is not a number", a->name, text);
    }
    for (uint64_t i = 0; i < n; i++) (*num)[i] = a->code[i] < 0 ? NAN : level[a->code[i]];
end:
    free(level);
    return rc;
}

static grn_status find_covariate(coexpr_input_t *in, size_t k)
{
    grn_status rc = GRN_OK;
    const char *name = in->column[k];
    coexpr_covariate_t *v = &in->covariate[k];
    const grn_attr_t *a = grn_attr_find(&in->cells.row_attr, name);
    uint64_t missing = 0, n = in->cells.n_rows;
    *v = (coexpr_covariate_t){ .name = name };
    if (!a && (strcmp(name, "log_total") == 0 || strcmp(name, "log_genes") == 0)) GRN_TRY(from_counts(in, name, &in->num[k]));
    else if (!a) GRN_FAIL(GRN_EINVAL, "--residualise %s: the cells have no such column", name);
    else if (a->code && in->as_number[k]) GRN_TRY(to_numbers(a, n, &in->num[k]));
    v->num = in->num[k] ? in->num[k] : a->num;
    if (!v->num) {
        v->code = a->code;
        v->levels = &a->levels;
    }
    for (uint64_t i = 0; i < n; i++) missing += v->code ? v->code[i] < 0 : !isfinite(v->num[i]);
    if (missing > 0)
        GRN_FAIL(GRN_EINVAL, "--residualise %s: %llu of %llu cells have no value", name, (unsigned long long)missing,
                 (unsigned long long)n);
    if (v->code && n > 100 && v->levels->n > n / 2)
        GRN_FAIL(GRN_EINVAL, "--residualise %s: %zu levels among %llu cells; for a number give %s=number", name, v->levels->n,
                 (unsigned long long)n, name);
end:
    return rc;
}

grn_status coexpr_input_covariates(coexpr_input_t *in)
{
    for (size_t k = 0; k < in->n_covariates; k++) {
        grn_status rc = find_covariate(in, k);
        if (rc != GRN_OK) return rc;
    }
    return GRN_OK;
}

/* ---- genes ---- */

/* Marks the genes of these names; returns how many there are. */
static uint64_t mark(coexpr_input_t *in, const grn_names_t *names)
{
    uint64_t n = 0;
    for (size_t k = 0; k < names->n; k++) {
        size_t g = grn_names_find(&in->store.genes, grn_names_get(names, k));
        if (g == GRN_NAMES_NONE) continue;
        in->excluded[g] = 1;
        n++;
    }
    return n;
}

static grn_status mark_file(coexpr_input_t *in, const char *path, int is_gmt)
{
    grn_status rc = GRN_OK;
    grn_names_t names = { 0 };
    grn_gmt_t gmt = { 0 };
    GRN_TRY(is_gmt ? grn_gmt_load(path, &gmt) : grn_tflist_load(path, &names, NULL));
    const grn_names_t *listed = is_gmt ? &gmt.genes : &names;
    uint64_t n = mark(in, listed);
    if (n == 0) GRN_FAIL(GRN_EINVAL, "'%s': none of its %zu genes is in the matrix", path, listed->n);
    grn_log_info("'%s': %llu of %zu genes are in the matrix", path, (unsigned long long)n, listed->n);
    GRN_TRY(grn_prov_input(path, NULL));
end:
    grn_names_clear(&names);
    grn_gmt_clear(&gmt);
    return rc;
}

grn_status coexpr_input_exclude(coexpr_input_t *in, const grn_opt_list_t *lists, const grn_opt_list_t *sets, int mito, int ribo)
{
    grn_status rc = GRN_OK;
    if (lists->n == 0 && sets->n == 0 && !mito && !ribo) return GRN_OK;
    GRN_TRY(GRN_NEW(in->excluded, in->store.n_genes));
    for (size_t k = 0; k < lists->n; k++) GRN_TRY(mark_file(in, lists->v[k], 0));
    for (size_t k = 0; k < sets->n; k++) GRN_TRY(mark_file(in, sets->v[k], 1));
    for (size_t g = 0; g < in->store.n_genes; g++) {
        const char *name = grn_names_get(&in->store.genes, g);
        if ((mito && coexpr_is_mito(name)) || (ribo && coexpr_is_ribo(name))) in->excluded[g] = 1;
        in->n_excluded += in->excluded[g];
    }
    grn_log_info("%llu of %zu genes are left out by name", (unsigned long long)in->n_excluded, in->store.n_genes);
end:
    return rc;
}

grn_status coexpr_input_terms(coexpr_input_t *in, const char *path, size_t min_shared, size_t max_term)
{
    grn_status rc = GRN_OK;
    grn_gmt_t gmt = { 0 };
    grn_terms_t t = { 0 };
    if (!path) return GRN_OK;
    GRN_TRY(grn_gmt_load(path, &gmt));
    if (gmt.n == 0) GRN_FAIL(GRN_EFORMAT, "'%s' holds no gene set", path);
    GRN_TRY(grn_prov_input(path, NULL));
    if ((rc = grn_pairs_of_terms(&gmt, &in->store.genes, min_shared, max_term, &in->terms, &t))) {
        rc = grn_err_prefix(rc, "'%s'", path);
        goto end;
    }
    grn_log_info(
        "'%s': %zu of %zu terms (%zu have more than %zu genes), %zu of %zu genes in one of them, %llu pairs share at least %zu", path,
        t.n_terms, gmt.n, t.n_large, max_term, t.n_genes, in->store.n_genes, (unsigned long long)in->terms.n_pairs, min_shared);
end:
    grn_terms_clear(&t);
    grn_gmt_clear(&gmt);
    return rc;
}
