/* Viewing edges: straight through in blocks for the TSV, in memory for what needs all rows. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "grn-view/view.h"
#include "io/adjacency.h"
#include "io/gmt.h"
#include "io/prov.h"

enum { BLOCK = 1 << 15 }; /* edges in memory at a time */

/* One set a regulon; a set has no TF. */
static grn_status load_gmt(const char *path, grn_edges_t *e)
{
    grn_status rc = GRN_OK;
    grn_gmt_t g = { 0 };
    memset(e, 0, sizeof *e);
    GRN_TRY(grn_gmt_load(path, &g));
    GRN_TRY(grn_edges_alloc(e, g.off[g.n], "gene,regulon"));
    for (size_t s = 0; s < g.n; s++)
        for (uint64_t k = g.off[s]; k < g.off[s + 1]; k++)
            e->regulon[k] = (uint32_t)s, e->gene[k] = g.gene[k];
    GRN_TRY(grn_names_dup(&e->genes, &g.genes));
    GRN_TRY(grn_names_dup(&e->regulons, &g.sets));
    GRN_TRY(grn_prov_input(path, NULL));
end:
    grn_gmt_clear(&g);
    if (rc) grn_edges_clear(e);
    return rc;
}

grn_status view_load_edges(const char *path, view_kind kind, grn_edges_t *e)
{
    grn_status rc = GRN_OK;
    grn_adjacency_info_t info;
    if (kind == VIEW_EDGES) return grn_edges_load(path, grn_common.pool, e);
    if (kind == VIEW_GMT) return load_gmt(path, e);
    memset(e, 0, sizeof *e);
    GRN_TRY(grn_adjacency_load(path, NULL, e, &info));
    grn_log_info("'%s': %llu rows, %zu TF -> gene pairs", path, (unsigned long long)info.n_rows,
                 e->n);
    if (info.n_merged)
        grn_log_info("%llu rows repeat a pair and were joined, %llu of them with another sign",
                     (unsigned long long)info.n_merged, (unsigned long long)info.n_conflict);
    GRN_TRY(grn_prov_input(path, NULL));
end:
    return rc;
}

/* ---- in blocks ---- */

typedef struct {
    const char *name;
    grn_dtype dtype;
    size_t at; /* of the pointer in grn_edges_t */
} column_t;
static const column_t columns[] = {
    { "tf", GRN_U32, offsetof(grn_edges_t, tf) },
    { "gene", GRN_U32, offsetof(grn_edges_t, gene) },
    { "region", GRN_U32, offsetof(grn_edges_t, region) },
    { "regulon", GRN_U32, offsetof(grn_edges_t, regulon) },
    { "context", GRN_U16, offsetof(grn_edges_t, context) },
    { "sign", GRN_I8, offsetof(grn_edges_t, sign) },
    { "weight", GRN_F32, offsetof(grn_edges_t, weight) },
};

/* Columns and dictionaries of the file, no rows: the arrays hold one block. */
typedef struct {
    grn_cr_t *cr;
    uint64_t n, at;
    const grn_tensor_info_t *col[sizeof columns / sizeof *columns];
    const grn_tensor_info_t **ev;
    grn_edges_t block;
} stream_t;

static void stream_close(stream_t *s)
{
    grn_edges_clear(&s->block);
    free(s->ev);
    grn_cr_close(s->cr);
}

static grn_status column_open(stream_t *s, const grn_tensor_info_t *t, void **place)
{
    if (s->n == UINT64_MAX) s->n = t->shape[0];
    if (t->shape[0] != s->n)
        return grn_err(GRN_EFORMAT, "'%s': columns differ in length", grn_cr_path(s->cr));
    return (*place = grn_malloc(BLOCK, grn_dtype_size(t->dtype))) ? GRN_OK : GRN_ENOMEM;
}

static grn_status stream_open(stream_t *s, const char *path)
{
    grn_status rc = GRN_OK;
    grn_edges_t *b = &s->block;
    struct {
        const char *name;
        grn_names_t *d;
    } dict[] = { { "names.gene", &b->genes },
                 { "names.region", &b->regions },
                 { "names.context", &b->contexts },
                 { "names.regulon", &b->regulons } };
    memset(s, 0, sizeof *s);
    s->n = UINT64_MAX;
    GRN_TRY(grn_cr_open(&s->cr, path, grn_common.pool));
    GRN_TRY(grn_cr_expect(s->cr, "grn.edges", 1));
    for (size_t k = 0; k < sizeof columns / sizeof *columns; k++) {
        if (!grn_cr_find(s->cr, columns[k].name)) continue;
        GRN_TRY(grn_cr_need(s->cr, columns[k].name, columns[k].dtype, 1, &s->col[k]));
        GRN_TRY(column_open(s, s->col[k], (void **)((char *)b + columns[k].at)));
    }
    GRN_TRY(GRN_NEW(s->ev, grn_cr_n_tensors(s->cr)));
    GRN_TRY(GRN_NEW(b->ev, grn_cr_n_tensors(s->cr)));
    for (size_t i = 0; i < grn_cr_n_tensors(s->cr); i++) {
        const char *name = grn_cr_tensor_at(s->cr, i)->name;
        if (strncmp(name, "evidence.", 9) != 0) continue;
        GRN_TRY(grn_cr_need(s->cr, name, GRN_F32, 1, &s->ev[b->n_ev]));
        GRN_TRY(column_open(s, s->ev[b->n_ev], (void **)&b->ev[b->n_ev].v));
        if (!(b->ev[b->n_ev++].name = strdup(name + 9))) GRN_FAIL(GRN_ENOMEM, "out of memory");
    }
    for (size_t k = 0; k < 4; k++)
        if (grn_cr_find(s->cr, dict[k].name))
            GRN_TRY(grn_cr_load_names(s->cr, dict[k].name, dict[k].d));
    if (s->n == UINT64_MAX) s->n = 0;
end:
    return rc;
}

static grn_status stream_next(stream_t *s)
{
    grn_status rc = GRN_OK;
    grn_edges_t *b = &s->block;
    b->n = s->n - s->at < BLOCK ? s->n - s->at : BLOCK;
    for (size_t k = 0; k < sizeof columns / sizeof *columns; k++) {
        size_t size = grn_dtype_size(columns[k].dtype);
        if (s->col[k])
            GRN_TRY(grn_cr_read(s->cr, s->col[k], s->at * size,
                                *(void **)((char *)b + columns[k].at), b->n * size));
    }
    for (size_t k = 0; k < b->n_ev; k++)
        GRN_TRY(grn_cr_read(s->cr, s->ev[k], s->at * 4, b->ev[k].v, b->n * 4));
    s->at += b->n;
    if ((rc = grn_edges_validate(b))) GRN_TRY(grn_err_prefix(rc, "'%s'", grn_cr_path(s->cr)));
end:
    return rc;
}

/* TSV of a container, in the order of the file. */
static grn_status stream_tsv(const char *path, const view_sel_t *sel)
{
    grn_status rc = GRN_OK;
    stream_t s;
    view_mask_t mask = { 0 };
    grn_out_t *o = NULL;
    size_t *pick = NULL, total = 0;
    GRN_TRY(stream_open(&s, path));
    GRN_TRY(view_mask_open(&mask, sel, &s.block, path));
    GRN_TRY(GRN_NEW_RAW(pick, BLOCK));
    GRN_TRY(grn_out_open(&o, view_opt.out, 0));
    if (view_opt.pg) GRN_TRY(grn_prov_text(o));
    GRN_TRY(view_edges_head(o, &s.block));
    while (s.at < s.n) {
        GRN_TRY(stream_next(&s));
        size_t n = view_mask_pick(&mask, &s.block, pick);
        for (size_t k = 0; k < n; k++) GRN_TRY(view_edges_row(o, &s.block, pick[k]));
        total += n;
    }
    if (view_sel_any(sel) && total == 0)
        GRN_FAIL(GRN_EEMPTY, "no edge of '%s' (%llu) passes all the filters together", path,
                 (unsigned long long)s.n);
    rc = grn_out_commit(o);
    o = NULL;
end:
    grn_out_abort(o);
    free(pick);
    view_mask_close(&mask);
    stream_close(&s);
    return rc;
}

grn_status view_edges(const char *path, view_kind kind, const char *dflt)
{
    grn_status rc = GRN_OK;
    view_sel_t sel = { 0 };
    view_mask_t mask = { 0 };
    grn_edges_t e = { 0 }, kept = { 0 };
    size_t *pick = NULL, n;
    GRN_TRY(view_sel_load(&sel));
    if (kind == VIEW_EDGES && view_format_is("tsv", dflt)) {
        rc = stream_tsv(path, &sel);
        goto end;
    }
    GRN_TRY(view_load_edges(path, kind, &e));
    GRN_TRY(view_mask_open(&mask, &sel, &e, path));
    if (!view_sel_any(&sel)) {
        rc = view_write_edges(&e, path, dflt);
        goto end;
    }
    GRN_TRY(GRN_NEW_RAW(pick, e.n));
    n = view_mask_pick(&mask, &e, pick);
    if (n == 0)
        GRN_FAIL(GRN_EEMPTY, "no edge of '%s' (%zu) passes all the filters together", path, e.n);
    grn_log_info("%zu of %zu edges kept", n, e.n);
    GRN_TRY(grn_edges_pick(&e, pick, n, &kept));
    rc = view_write_edges(&kept, path, dflt);
end:
    free(pick);
    view_mask_close(&mask);
    grn_edges_clear(&e);
    grn_edges_clear(&kept);
    view_sel_clear(&sel);
    return rc;
}
