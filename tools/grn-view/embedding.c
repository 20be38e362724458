/* Viewing embeddings: one row per gene and context (and cell), names in front of the numbers. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "grn-view/view.h"
#include "io/prov.h"

enum { BLOCK = 1024 }; /* rows in memory at a time */
enum { CELL, CONTEXT, GENE, N_KEY };

typedef struct {
    grn_cr_t *cr;
    const grn_tensor_info_t *x, *key[N_KEY], *degree; /* NULL: absent */
    grn_names_t names[N_KEY];
    uint8_t *keep[N_KEY];
    uint64_t n, dim;
} source_t;

static const char *const key_name[N_KEY] = { "cell", "context", "gene" };
static const char *const key_plural[N_KEY] = { "cells", "contexts", "genes" };

static void source_close(source_t *s)
{
    for (int k = 0; k < N_KEY; k++) {
        grn_names_clear(&s->names[k]);
        free(s->keep[k]);
    }
    grn_cr_close(s->cr);
}

static grn_status key_open(source_t *s, int k, const view_set_t *set)
{
    grn_status rc = GRN_OK;
    char dict[32];
    snprintf(dict, sizeof dict, "names.%s", key_name[k]);
    s->key[k] = grn_cr_find(s->cr, key_name[k]);
    if (!s->key[k]) {
        if (set->given)
            GRN_FAIL(GRN_EUSAGE, "'%s' has no %s to choose from", grn_cr_path(s->cr),
                     key_plural[k]);
        return GRN_OK;
    }
    if (s->key[k]->n_dim != 1 || s->key[k]->shape[0] != s->n)
        GRN_FAIL(GRN_EFORMAT, "'%s': '%s' does not have %llu rows", grn_cr_path(s->cr), key_name[k],
                 (unsigned long long)s->n);
    GRN_TRY(grn_cr_load_names(s->cr, dict, &s->names[k]));
    GRN_TRY(GRN_NEW(s->keep[k], s->names[k].n));
    GRN_TRY(view_mark(set, &s->names[k], key_plural[k], grn_cr_path(s->cr), s->keep[k]));
end:
    return rc;
}

static grn_status source_open(source_t *s, const char *path, const view_sel_t *sel)
{
    grn_status rc = GRN_OK;
    GRN_TRY(grn_cr_open(&s->cr, path, grn_common.pool));
    GRN_TRY(grn_cr_expect(s->cr, "grn.embedding", 1));
    GRN_TRY(grn_cr_need(s->cr, "X", GRN_F32, 2, &s->x));
    s->n = s->x->shape[0];
    s->dim = s->x->shape[1];
    s->degree = grn_cr_find(s->cr, "degree");
    if (s->degree && (s->degree->n_dim != 1 || s->degree->shape[0] != s->n)) s->degree = NULL;
    GRN_TRY(key_open(s, CELL, &sel->cell));
    GRN_TRY(key_open(s, CONTEXT, &sel->context));
    GRN_TRY(key_open(s, GENE, &sel->gene));
end:
    return rc;
}

/* Elements [at, at + n) of a column as u32. */
static grn_status column(source_t *s, const grn_tensor_info_t *t, uint64_t at, uint64_t n,
                         uint32_t **out)
{
    *out = NULL;
    if (!t) return GRN_OK;
    grn_tensor_info_t part = *t;
    part.off += at * grn_dtype_size(t->dtype);
    part.n_bytes = n * grn_dtype_size(t->dtype);
    return grn_cr_load_as(s->cr, &part, GRN_U32, (void **)out);
}

static grn_status put_row(source_t *s, grn_out_t *o, uint32_t *const *id, const uint32_t *degree,
                          const float *x, uint64_t i)
{
    grn_status rc = GRN_OK;
    char buf[32];
    const char *sep = "";
    for (int k = 0; k < N_KEY; k++) {
        if (!id[k]) continue;
        GRN_TRY(grn_out_printf(o, "%s%s", sep, grn_names_get(&s->names[k], id[k][i])));
        sep = "\t";
    }
    if (degree) GRN_TRY(grn_out_printf(o, "%s%u", sep, degree[i]));
    if (degree) sep = "\t";
    for (uint64_t j = 0; j < s->dim; j++) {
        GRN_TRY(grn_out_puts(o, j ? "\t" : sep));
        GRN_TRY(grn_out_puts(o, grn_fmt_f32(buf, x[i * s->dim + j])));
    }
    rc = grn_out_puts(o, "\n");
end:
    return rc;
}

static grn_status put_head(const source_t *s, grn_out_t *o)
{
    grn_status rc = GRN_OK;
    const char *sep = "";
    for (int k = 0; k < N_KEY; k++) {
        if (!s->key[k]) continue;
        GRN_TRY(grn_out_printf(o, "%s%s", sep, key_name[k]));
        sep = "\t";
    }
    if (s->degree) GRN_TRY(grn_out_printf(o, "%sdegree", sep));
    if (s->degree) sep = "\t";
    for (uint64_t j = 0; j < s->dim; j++) {
        GRN_TRY(grn_out_printf(o, "%sx%llu", sep, (unsigned long long)j + 1));
        sep = "\t";
    }
    rc = grn_out_puts(o, "\n");
end:
    return rc;
}

static grn_status put_block(source_t *s, grn_out_t *o, uint64_t at, uint64_t n, uint64_t *total)
{
    grn_status rc = GRN_OK;
    uint32_t *id[N_KEY] = { NULL }, *degree = NULL;
    float *x = NULL;
    GRN_TRY(GRN_NEW_RAW(x, n * s->dim));
    GRN_TRY(grn_cr_read(s->cr, s->x, at * s->dim * sizeof *x, x, n * s->dim * sizeof *x));
    GRN_TRY(column(s, s->degree, at, n, &degree));
    for (int k = 0; k < N_KEY; k++) GRN_TRY(column(s, s->key[k], at, n, &id[k]));
    for (uint64_t i = 0; i < n; i++) {
        int pass = 1;
        for (int k = 0; k < N_KEY; k++) {
            if (!id[k]) continue;
            if (id[k][i] >= s->names[k].n)
                GRN_FAIL(GRN_EFORMAT, "'%s': %s %u of %zu", grn_cr_path(s->cr), key_name[k],
                         id[k][i], s->names[k].n);
            pass &= s->keep[k][id[k][i]];
        }
        if (!pass) continue;
        GRN_TRY(put_row(s, o, id, degree, x, i));
        (*total)++;
    }
end:
    free(x);
    free(degree);
    for (int k = 0; k < N_KEY; k++) free(id[k]);
    return rc;
}

grn_status view_embedding(const char *path)
{
    grn_status rc = GRN_OK;
    view_sel_t sel = { 0 };
    source_t s = { 0 };
    grn_out_t *o = NULL;
    uint64_t total = 0;
    if (!view_format_is("tsv", "tsv"))
        GRN_FAIL(GRN_EUSAGE, "embeddings can be written as tsv only");
    GRN_TRY(view_sel_load(&sel));
    if (sel.tf.given || sel.region.given || sel.regulon.given || sel.n_where)
        GRN_FAIL(GRN_EUSAGE, "embeddings are chosen from by --cell, --context and --gene");
    GRN_TRY(source_open(&s, path, &sel));
    GRN_TRY(grn_out_open(&o, view_opt.out, 0));
    if (view_opt.pg) GRN_TRY(grn_prov_text(o));
    GRN_TRY(put_head(&s, o));
    for (uint64_t at = 0; at < s.n; at += BLOCK)
        GRN_TRY(put_block(&s, o, at, s.n - at < BLOCK ? s.n - at : BLOCK, &total));
    if (view_sel_any(&sel) && total == 0)
        GRN_FAIL(GRN_EEMPTY, "no row of '%s' passes all the filters together", path);
    rc = grn_out_commit(o);
    o = NULL;
end:
    grn_out_abort(o);
    source_close(&s);
    view_sel_clear(&sel);
    return rc;
}
