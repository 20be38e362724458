#include "io/result.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "io/container.h"

static grn_status add_column(grn_result_t *r, const char *name, size_t len, int is_text)
{
    grn_attr_t *a = grn_realloc(r->col.a, r->col.n + 1, sizeof *a);
    if (!a) return GRN_ENOMEM;
    r->col.a = a;
    a += r->col.n;
    memset(a, 0, sizeof *a);
    if (!(a->name = strndup(name, len))) return grn_err(GRN_ENOMEM, "out of memory");
    r->col.n++;
    return is_text ? GRN_NEW(a->code, 1)
                   : GRN_NEW(a->num, 1); /* the array that exists tells the type */
}

grn_status grn_result_init(grn_result_t *r, const char *kind, const char *title,
                           const char *columns)
{
    grn_status rc = GRN_OK;
    memset(r, 0, sizeof *r);
    r->kind = strdup(kind);
    r->title = strdup(title);
    if (!r->kind || !r->title) GRN_FAIL(GRN_ENOMEM, "out of memory");
    for (const char *p = columns; *p;) {
        size_t n = strcspn(p, ",");
        int is_text = n && p[n - 1] == '$';
        GRN_TRY(add_column(r, p, n - (size_t)is_text, is_text));
        p += n + (p[n] == ',');
    }
end:
    if (rc) grn_result_clear(r);
    return rc;
}

void grn_result_clear(grn_result_t *r)
{
    grn_attrs_clear(&r->col, r->n);
    free(r->kind);
    free(r->title);
    memset(r, 0, sizeof *r);
}

static grn_status more_rows(grn_result_t *r)
{
    size_t cap = r->cap ? r->cap * 2 : 64;
    for (size_t k = 0; k < r->col.n; k++) {
        grn_attr_t *a = &r->col.a[k];
        void *p = a->num ? grn_realloc(a->num, cap, sizeof *a->num)
                         : grn_realloc(a->code, cap, sizeof *a->code);
        if (!p) return GRN_ENOMEM;
        if (a->num) a->num = p;
        else a->code = p;
    }
    r->cap = cap;
    return GRN_OK;
}

grn_status grn_result_row(grn_result_t *r, ...)
{
    grn_status rc = GRN_OK;
    va_list ap;
    if (r->n == r->cap && more_rows(r)) return GRN_ENOMEM;
    va_start(ap, r);
    for (size_t k = 0; k < r->col.n; k++) {
        grn_attr_t *a = &r->col.a[k];
        size_t code;
        if (a->num) {
            a->num[r->n] = va_arg(ap, double);
            continue;
        }
        GRN_TRY(grn_names_add(&a->levels, va_arg(ap, const char *), &code, NULL));
        a->code[r->n] = (int32_t)code;
    }
    r->n++;
end:
    va_end(ap);
    return rc;
}

const grn_attr_t *grn_result_col(const grn_result_t *r, const char *name)
{
    return grn_attr_find(&r->col, name);
}

const char *grn_result_text(const grn_attr_t *col, size_t i)
{
    return col->code[i] < 0 ? "" : grn_names_get(&col->levels, (size_t)col->code[i]);
}

grn_status grn_result_need(const grn_result_t *r, const char *name, int is_text,
                           const grn_attr_t **col)
{
    const grn_attr_t *a = grn_result_col(r, name);
    if (!a || (is_text ? !a->code : !a->num))
        return grn_err(GRN_EFORMAT, "result table '%s' has no %s column '%s'", r->kind,
                       is_text ? "text" : "number", name);
    *col = a;
    return GRN_OK;
}

grn_status grn_result_save(const grn_result_t *r, const char *path, grn_par_t *pool)
{
    grn_status rc = GRN_OK;
    grn_cw_t *w = NULL;
    grn_str_t names = { 0 }, key = { 0 };
    GRN_TRY(grn_cw_open(&w, path, "grn.result/1", pool));
    GRN_TRY(grn_cw_meta(w, "kind", r->kind));
    GRN_TRY(grn_cw_meta(w, "title", r->title));
    for (size_t k = 0; k < r->col.n; k++) {
        const grn_attr_t *a = &r->col.a[k];
        GRN_TRY(grn_str_printf(&names, "%s%s%s", k ? "," : "", a->name, a->num ? "" : "$"));
        key.n = 0;
        GRN_TRY(grn_str_printf(&key, "col.%s", a->name));
        GRN_TRY(a->num ? grn_cw_vec(w, key.s, GRN_F64, r->n, a->num)
                       : grn_cw_vec(w, key.s, GRN_I32, r->n, a->code));
        if (a->num) continue;
        key.n = 0;
        GRN_TRY(grn_str_printf(&key, "levels.%s", a->name));
        GRN_TRY(grn_cw_names(w, key.s, &a->levels));
    }
    GRN_TRY(grn_cw_meta(w, "columns",
                        names.s ? names.s
                                : "")); /* tensors are stored by name; this keeps their order */
    rc = grn_cw_commit(w);
    w = NULL;
end:
    grn_cw_abort(w);
    grn_str_clear(&names);
    grn_str_clear(&key);
    return rc;
}

static grn_status load_column(grn_cr_t *c, grn_attr_t *a, size_t *n)
{
    grn_status rc = GRN_OK;
    const grn_tensor_info_t *t;
    char key[300];
    snprintf(key, sizeof key, "col.%s", a->name);
    GRN_TRY(grn_cr_need(c, key, a->num ? GRN_F64 : GRN_I32, 1, &t));
    if (*n == SIZE_MAX) *n = t->shape[0];
    if (t->shape[0] != *n)
        GRN_FAIL(GRN_EFORMAT, "'%s': column '%s' has %llu rows, expected %zu", grn_cr_path(c),
                 a->name, (unsigned long long)t->shape[0], *n);
    void *data;
    GRN_TRY(grn_cr_load(c, t, &data));
    if (a->num) {
        free(a->num);
        a->num = data;
        return GRN_OK;
    }
    free(a->code);
    a->code = data;
    snprintf(key, sizeof key, "levels.%s", a->name);
    GRN_TRY(grn_cr_load_names(c, key, &a->levels));
    for (size_t i = 0; i < *n; i++)
        if (a->code[i] < -1 || a->code[i] >= (int64_t)a->levels.n)
            GRN_FAIL(GRN_EFORMAT, "'%s': column '%s' row %zu: code %d of %zu levels",
                     grn_cr_path(c), a->name, i, a->code[i], a->levels.n);
end:
    return rc;
}

grn_status grn_result_load(const char *path, grn_par_t *pool, grn_result_t *r)
{
    grn_status rc = GRN_OK;
    grn_cr_t *c = NULL;
    size_t n = SIZE_MAX;
    memset(r, 0, sizeof *r);
    GRN_TRY(grn_cr_open(&c, path, pool));
    GRN_TRY(grn_cr_expect(c, "grn.result", 1));
    const char *kind = grn_cr_meta(c, "kind"), *title = grn_cr_meta(c, "title"),
               *columns = grn_cr_meta(c, "columns");
    if (!kind || !columns) GRN_FAIL(GRN_EFORMAT, "'%s' lacks the metadata of a result table", path);
    GRN_TRY(grn_result_init(r, kind, title ? title : "", columns));
    for (size_t k = 0; k < r->col.n; k++) GRN_TRY(load_column(c, &r->col.a[k], &n));
    r->n = r->cap = n == SIZE_MAX ? 0 : n;
end:
    grn_cr_close(c);
    if (rc) grn_result_clear(r);
    return rc;
}

grn_status grn_result_print(const grn_result_t *r, grn_out_t *o)
{
    grn_status rc = GRN_OK;
    for (size_t k = 0; k < r->col.n; k++)
        GRN_TRY(grn_out_printf(o, "%s%s", k ? "\t" : "", r->col.a[k].name));
    GRN_TRY(grn_out_puts(o, "\n"));
    for (size_t i = 0; i < r->n; i++) {
        for (size_t k = 0; k < r->col.n; k++) {
            const grn_attr_t *a = &r->col.a[k];
            if (k) GRN_TRY(grn_out_puts(o, "\t"));
            if (a->code) GRN_TRY(grn_out_puts(o, grn_result_text(a, i)));
            else if (isnan(a->num[i])) GRN_TRY(grn_out_puts(o, "NA"));
            else GRN_TRY(grn_out_printf(o, "%.6g", a->num[i]));
        }
        GRN_TRY(grn_out_puts(o, "\n"));
    }
end:
    return rc;
}
