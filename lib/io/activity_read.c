#include "io/activity_read.h"

#include <stdlib.h>

#include "base/mem.h"
#include "io/container.h"
#include "io/name_index.h"

struct grn_ar_s {
    grn_cr_t *cr;
    grn_activity_t info;
    grn_name_index_t *cells;
    const grn_tensor_info_t *bits, *context, *posterior; /* posterior: may be NULL */
};

static grn_status check_shape(const grn_ar_t *r, const grn_tensor_info_t *t, uint64_t rows, uint64_t cols)
{
    uint64_t wide = t->n_dim > 1 ? t->shape[1] : 1;
    if (t->shape[0] == rows && wide == cols) return GRN_OK;
    return grn_err(GRN_EFORMAT, "'%s': tensor '%s' is %llu x %llu, expected %llu x %llu", grn_cr_path(r->cr), t->name,
                   (unsigned long long)t->shape[0], (unsigned long long)wide, (unsigned long long)rows, (unsigned long long)cols);
}

grn_status grn_ar_open(grn_ar_t **out, const char *path, grn_par_t *pool)
{
    grn_status rc = GRN_OK;
    grn_ar_t *r;
    grn_activity_t *a;
    *out = NULL;
    if (GRN_NEW(r, 1)) return GRN_ENOMEM;
    a = &r->info;
    GRN_TRY(grn_cr_open(&r->cr, path, pool));
    GRN_TRY(grn_cr_expect(r->cr, "grn.activity", 1));
    GRN_TRY(grn_cr_load_names(r->cr, "names.regulon", &a->regulons));
    GRN_TRY(grn_cr_load_names(r->cr, "names.context", &a->contexts));
    GRN_TRY(grn_cr_need(r->cr, "bits", GRN_U64, 2, &r->bits));
    GRN_TRY(grn_cr_need(r->cr, "context", GRN_U16, 1, &r->context));
    a->n_cells = r->bits->shape[0];
    a->n_regulons = a->regulons.n;
    a->n_words = (a->n_regulons + 63) / 64;
    GRN_TRY(check_shape(r, r->bits, a->n_cells, a->n_words));
    GRN_TRY(check_shape(r, r->context, a->n_cells, 1));
    if (grn_cr_find(r->cr, "posterior")) {
        GRN_TRY(grn_cr_need(r->cr, "posterior", GRN_F32, 2, &r->posterior));
        GRN_TRY(check_shape(r, r->posterior, a->n_cells, a->n_regulons));
    }
    GRN_TRY(grn_name_index_open(&r->cells, r->cr, "cell", a->n_cells));
    *out = r;
    r = NULL;
end:
    grn_ar_close(r);
    return rc;
}

void grn_ar_close(grn_ar_t *r)
{
    if (!r) return;
    grn_name_index_close(r->cells);
    grn_activity_clear(&r->info);
    grn_cr_close(r->cr);
    free(r);
}

const char *grn_ar_path(const grn_ar_t *r)
{
    return grn_cr_path(r->cr);
}

const grn_activity_t *grn_ar_info(const grn_ar_t *r)
{
    return &r->info;
}

int grn_ar_has_posterior(const grn_ar_t *r)
{
    return r->posterior != NULL;
}

grn_status grn_ar_find(grn_ar_t *r, const char *cell, uint64_t *row)
{
    return grn_name_index_find(r->cells, cell, row);
}

grn_status grn_ar_name(grn_ar_t *r, uint64_t row, const char **name)
{
    return grn_name_index_get(r->cells, row, name);
}

grn_status grn_ar_rows(grn_ar_t *r, uint64_t at, uint64_t n, uint64_t *bits, uint16_t *context)
{
    grn_status rc = GRN_OK;
    const grn_activity_t *a = &r->info;
    uint64_t beyond = a->n_regulons % 64 ? ~(uint64_t)0 << (a->n_regulons % 64) : 0;
    GRN_TRY(grn_cr_read(r->cr, r->bits, at * a->n_words * 8, bits, n * a->n_words * 8));
    GRN_TRY(grn_cr_read(r->cr, r->context, at * 2, context, n * 2));
    for (uint64_t i = 0; i < n; i++) {
        if (context[i] >= a->contexts.n)
            GRN_FAIL(GRN_EFORMAT, "'%s': cell %llu has context %u of %zu", grn_cr_path(r->cr), (unsigned long long)(at + i), context[i],
                     a->contexts.n);
        if (a->n_words && bits[(i + 1) * a->n_words - 1] & beyond)
            GRN_FAIL(GRN_EFORMAT, "'%s': cell %llu has bits beyond the last regulon", grn_cr_path(r->cr), (unsigned long long)(at + i));
    }
end:
    return rc;
}

grn_status grn_ar_posterior(grn_ar_t *r, uint64_t at, uint64_t n, float *posterior)
{
    uint64_t wide = r->info.n_regulons * sizeof *posterior;
    if (!r->posterior) return grn_err(GRN_EINVAL, "'%s' has no posterior", grn_cr_path(r->cr));
    return grn_cr_read(r->cr, r->posterior, at * wide, posterior, n * wide);
}

grn_status grn_activity_check_index(const char *path, grn_par_t *pool, const grn_names_t *cells)
{
    grn_cr_t *r = NULL;
    grn_status rc = grn_cr_open(&r, path, pool);
    if (!rc) rc = grn_name_index_check(r, "cell", cells);
    grn_cr_close(r);
    return rc;
}
