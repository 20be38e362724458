#include "io/lowrank.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "io/matrix_priv.h"

#define SCHEMA "grn.lowrank"

void grn_lowrank_clear(grn_lowrank_t *l)
{
    grn_attrs_clear(&l->cell_attr, l->C);
    free(l->theta);
    free(l->phi);
    grn_names_clear(&l->cell);
    grn_names_clear(&l->region);
    grn_names_clear(&l->topic);
    free(l->method);
    memset(l, 0, sizeof *l);
}

static grn_status load_factor(grn_cr_t *cr, const char *name, const grn_names_t *rows, const grn_names_t *topics, float **out)
{
    const grn_tensor_info_t *t;
    grn_status rc = grn_cr_need(cr, name, GRN_F32, 2, &t);
    if (rc) return rc;
    if (t->shape[0] != rows->n || t->shape[1] != topics->n)
        return grn_err(GRN_ESHAPE, "'%s': %s is %llu x %llu; its names tell %zu x %zu", grn_cr_path(cr), name,
                       (unsigned long long)t->shape[0], (unsigned long long)t->shape[1], rows->n, topics->n);
    rc = grn_cr_load(cr, t, (void **)out);
    for (size_t i = 0, n = rows->n * topics->n; !rc && i < n; i++)
        if (!isfinite((*out)[i]))
            rc = grn_err(GRN_ENONFINITE, "'%s': %s of '%s' is not finite", grn_cr_path(cr), name, grn_names_get(rows, i / topics->n));
    return rc;
}

grn_status grn_lowrank_sniff(const char *path, int *is_container, int *yes)
{
    grn_cr_t *cr = NULL;
    *yes = 0;
    *is_container = grn_cr_sniff(strcmp(path, "-") ? path : "/proc/self/fd/0");
    if (!*is_container) return GRN_OK;
    grn_status rc = grn_cr_open(&cr, path, NULL);
    if (!rc) *yes = !strncmp(grn_cr_schema(cr), "grn.lowrank/", 12);
    grn_cr_close(cr);
    return rc;
}

grn_status grn_lowrank_load(const char *path, grn_par_t *pool, grn_lowrank_t *l)
{
    grn_status rc = GRN_OK;
    grn_cr_t *cr = NULL;
    memset(l, 0, sizeof *l);
    GRN_TRY(grn_cr_open(&cr, path, pool));
    GRN_TRY(grn_cr_expect(cr, SCHEMA, 1));
    GRN_TRY(grn_cr_load_names(cr, "names.row", &l->cell));
    GRN_TRY(grn_cr_load_names(cr, "names.col", &l->region));
    GRN_TRY(grn_cr_load_names(cr, "names.topic", &l->topic));
    l->C = l->cell.n;
    l->R = l->region.n;
    l->K = l->topic.n;
    GRN_TRY(load_factor(cr, "theta", &l->cell, &l->topic, &l->theta));
    GRN_TRY(load_factor(cr, "phi", &l->region, &l->topic, &l->phi));
    GRN_TRY(grn_attrs_load(cr, "row.", l->C, &l->cell_attr));
    const char *method = grn_cr_meta(cr, "method");
    if (!method) GRN_FAIL(GRN_EFORMAT, "'%s' does not say by which method it was made", path);
    if (!(l->method = strdup(method))) GRN_FAIL(GRN_ENOMEM, "out of memory");
end:
    grn_cr_close(cr);
    if (rc) grn_lowrank_clear(l);
    return rc;
}

grn_status grn_lowrank_save(const grn_lowrank_t *l, const char *path, const char *const *meta, size_t n_meta, grn_par_t *pool)
{
    grn_status rc = GRN_OK;
    grn_cw_t *w = NULL;
    const uint64_t theta_shape[2] = { l->C, l->K }, phi_shape[2] = { l->R, l->K };
    if (l->C != l->cell.n || l->R != l->region.n || l->K != l->topic.n)
        GRN_FAIL(GRN_ESHAPE, "%zu x %zu x %zu factors have %zu, %zu and %zu names", l->C, l->R, l->K, l->cell.n, l->region.n, l->topic.n);
    GRN_TRY(grn_cw_open(&w, path, SCHEMA "/1", pool));
    GRN_TRY(grn_cw_meta(w, "method", l->method));
    for (size_t i = 0; i < n_meta; i++) GRN_TRY(grn_cw_meta(w, meta[2 * i], meta[2 * i + 1]));
    GRN_TRY(grn_cw_tensor(w, "theta", GRN_F32, 2, theta_shape, l->theta));
    GRN_TRY(grn_cw_tensor(w, "phi", GRN_F32, 2, phi_shape, l->phi));
    GRN_TRY(grn_cw_names(w, "names.row", &l->cell));
    GRN_TRY(grn_cw_names(w, "names.col", &l->region));
    GRN_TRY(grn_cw_names(w, "names.topic", &l->topic));
    GRN_TRY(grn_attrs_write(w, "row.", &l->cell_attr, l->C));
    rc = grn_cw_commit(w);
    w = NULL;
end:
    grn_cw_abort(w);
    return rc;
}

/* out[i] = sum over k, ascending, of x[k] rows[i][k]: the one order in which a value is ever summed. */
static void dot_rows(const float *x, const float *rows, size_t n, size_t K, float *out)
{
    for (size_t i = 0; i < n; i++) {
        const float *y = rows + i * K;
        float s = 0;
        for (size_t k = 0; k < K; k++) s += x[k] * y[k];
        out[i] = s;
    }
}

float grn_lowrank_at(const grn_lowrank_t *l, size_t c, size_t r)
{
    float x;
    dot_rows(l->theta + c * l->K, l->phi + r * l->K, 1, l->K, &x);
    return x;
}

void grn_lowrank_of_cell(const grn_lowrank_t *l, size_t c, float *out)
{
    dot_rows(l->theta + c * l->K, l->phi, l->R, l->K, out);
}

void grn_lowrank_of_region(const grn_lowrank_t *l, size_t r, float *out)
{
    dot_rows(l->phi + r * l->K, l->theta, l->C, l->K, out);
}

void grn_lowrank_mean_theta(const grn_lowrank_t *l, const uint32_t *cells, size_t n, double *out)
{
    size_t m = cells ? n : l->C;
    memset(out, 0, l->K * sizeof *out);
    for (size_t i = 0; i < m; i++) {
        const float *t = l->theta + (cells ? cells[i] : i) * l->K;
        for (size_t k = 0; k < l->K; k++) out[k] += t[k];
    }
    for (size_t k = 0; k < l->K; k++) out[k] /= m ? (double)m : NAN;
}
