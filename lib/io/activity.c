#include "io/activity.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "io/container.h"
#include "io/name_index.h"

void grn_activity_clear(grn_activity_t *a)
{
    free(a->bits);
    free(a->context);
    free(a->threshold);
    free(a->klass);
    for (size_t k = 0; k < a->n_fit; k++) {
        free(a->fit[k].name);
        free(a->fit[k].v);
    }
    free(a->fit);
    free(a->posterior);
    grn_names_clear(&a->cells);
    grn_names_clear(&a->regulons);
    grn_names_clear(&a->contexts);
    memset(a, 0, sizeof *a);
}

static grn_status check(const grn_activity_t *a)
{
    if (a->cells.n != a->n_cells || a->regulons.n != a->n_regulons ||
        a->n_words != (a->n_regulons + 63) / 64)
        return grn_err(
            GRN_ESHAPE,
            "activity: %zu cell names for %llu cells, %zu regulon names for %llu regulons",
            a->cells.n, (unsigned long long)a->n_cells, a->regulons.n,
            (unsigned long long)a->n_regulons);
    for (uint64_t c = 0; c < a->n_cells; c++)
        if (a->context[c] >= a->contexts.n)
            return grn_err(GRN_EFORMAT, "activity: cell '%s' has context %u of %zu",
                           grn_names_get(&a->cells, c), a->context[c], a->contexts.n);
    if (a->n_regulons % 64)
        for (uint64_t c = 0; c < a->n_cells; c++)
            if (a->bits[(c + 1) * a->n_words - 1] >> (a->n_regulons % 64))
                return grn_err(GRN_EFORMAT, "activity: cell '%s' has bits beyond the last regulon",
                               grn_names_get(&a->cells, c));
    return GRN_OK;
}

grn_status grn_activity_save(const grn_activity_t *a, const char *path, grn_par_t *pool)
{
    grn_status rc;
    grn_cw_t *w = NULL;
    char key[300];
    const uint64_t bits[2] = { a->n_cells, a->n_words }, fit[2] = { a->contexts.n, a->n_regulons },
                   post[2] = { a->n_cells, a->n_regulons };
    GRN_TRY(check(a));
    GRN_TRY(grn_cw_open(&w, path, "grn.activity/1", pool));
    GRN_TRY(grn_cw_frame(w, GRN_CW_FRAME_ROWS));
    GRN_TRY(grn_cw_tensor(w, "bits", GRN_U64, 2, bits, a->bits));
    GRN_TRY(grn_cw_vec(w, "context", GRN_U16, a->n_cells, a->context));
    if (a->threshold) GRN_TRY(grn_cw_tensor(w, "threshold", GRN_F32, 2, fit, a->threshold));
    if (a->klass) GRN_TRY(grn_cw_tensor(w, "class", GRN_U8, 2, fit, a->klass));
    for (size_t k = 0; k < a->n_fit; k++) {
        snprintf(key, sizeof key, "fit.%s", a->fit[k].name);
        GRN_TRY(grn_cw_tensor(w, key, GRN_F32, 2, fit, a->fit[k].v));
    }
    if (a->posterior) GRN_TRY(grn_cw_tensor(w, "posterior", GRN_F32, 2, post, a->posterior));
    GRN_TRY(grn_cw_names_indexed(w, "cell", &a->cells));
    GRN_TRY(grn_cw_names(w, "names.regulon", &a->regulons));
    GRN_TRY(grn_cw_names(w, "names.context", &a->contexts));
    rc = grn_cw_commit(w);
    w = NULL;
end:
    grn_cw_abort(w);
    return rc;
}

/* A (rows, cols) tensor, or nothing when absent and `optional`. */
static grn_status load_table(grn_cr_t *r, const char *name, grn_dtype t, uint64_t rows,
                             uint64_t cols, int optional, void *out)
{
    grn_status rc;
    const grn_tensor_info_t *info;
    if (optional && !grn_cr_find(r, name)) return GRN_OK;
    GRN_TRY(grn_cr_need(r, name, t, 2, &info));
    if (info->shape[0] != rows || info->shape[1] != cols)
        GRN_FAIL(GRN_EFORMAT, "'%s': tensor '%s' is %llu x %llu, expected %llu x %llu",
                 grn_cr_path(r), name, (unsigned long long)info->shape[0],
                 (unsigned long long)info->shape[1], (unsigned long long)rows,
                 (unsigned long long)cols);
    rc = grn_cr_load(r, info, out);
end:
    return rc;
}

static grn_status load_fits(grn_cr_t *r, grn_activity_t *a)
{
    grn_status rc = GRN_OK;
    GRN_TRY(GRN_NEW(a->fit, grn_cr_n_tensors(r) + 1));
    for (size_t i = 0; i < grn_cr_n_tensors(r); i++) {
        const grn_tensor_info_t *t = grn_cr_tensor_at(r, i);
        if (strncmp(t->name, "fit.", 4) != 0) continue;
        grn_fit_column_t *f = &a->fit[a->n_fit];
        GRN_TRY(load_table(r, t->name, GRN_F32, a->contexts.n, a->n_regulons, 0, &f->v));
        a->n_fit++;
        if (!(f->name = strdup(t->name + 4))) GRN_FAIL(GRN_ENOMEM, "out of memory");
    }
end:
    return rc;
}

grn_status grn_activity_load(const char *path, grn_par_t *pool, grn_activity_t *a)
{
    grn_status rc;
    grn_cr_t *r = NULL;
    const grn_tensor_info_t *context;
    memset(a, 0, sizeof *a);
    GRN_TRY(grn_cr_open(&r, path, pool));
    GRN_TRY(grn_cr_expect(r, "grn.activity", 1));
    GRN_TRY(grn_cr_load_names(r, "names.cell", &a->cells));
    GRN_TRY(grn_cr_load_names(r, "names.regulon", &a->regulons));
    GRN_TRY(grn_cr_load_names(r, "names.context", &a->contexts));
    a->n_cells = a->cells.n;
    a->n_regulons = a->regulons.n;
    a->n_words = (a->n_regulons + 63) / 64;
    GRN_TRY(load_table(r, "bits", GRN_U64, a->n_cells, a->n_words, 0, &a->bits));
    GRN_TRY(grn_cr_need(r, "context", GRN_U16, 1, &context));
    if (context->shape[0] != a->n_cells)
        GRN_FAIL(GRN_EFORMAT, "'%s': %llu contexts for %llu cells", path,
                 (unsigned long long)context->shape[0], (unsigned long long)a->n_cells);
    GRN_TRY(grn_cr_load(r, context, (void **)&a->context));
    GRN_TRY(load_table(r, "threshold", GRN_F32, a->contexts.n, a->n_regulons, 1, &a->threshold));
    GRN_TRY(load_table(r, "class", GRN_U8, a->contexts.n, a->n_regulons, 1, &a->klass));
    GRN_TRY(load_fits(r, a));
    GRN_TRY(load_table(r, "posterior", GRN_F32, a->n_cells, a->n_regulons, 1, &a->posterior));
    if (check(a)) rc = grn_err_prefix(GRN_EFORMAT, "'%s'", path);
end:
    grn_cr_close(r);
    if (rc) grn_activity_clear(a);
    return rc;
}
