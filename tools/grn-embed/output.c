#include "grn-embed/output.h"

#include <stdlib.h>

#include "base/mem.h"

grn_status embed_out_open(embed_out_t *o, const char *path, uint64_t dim, int has_cell,
                          grn_par_t *pool)
{
    grn_status rc = GRN_OK;
    *o = (embed_out_t){ .dim = dim, .cell = -1 };
    GRN_TRY(grn_cw_open(&o->w, path, "grn.embedding/1", pool));
    GRN_TRY(grn_cw_meta(o->w, "level", has_cell ? "cell" : "type"));
    GRN_TRY(grn_cw_begin(o->w, "X", GRN_F32, &o->x));
    GRN_TRY(grn_cw_begin(o->w, "context", GRN_U16, &o->context));
    GRN_TRY(grn_cw_begin(o->w, "gene", GRN_U32, &o->gene));
    GRN_TRY(grn_cw_begin(o->w, "degree", GRN_U32, &o->degree));
    if (has_cell) GRN_TRY(grn_cw_begin(o->w, "cell", GRN_U32, &o->cell));
end:
    if (rc) embed_out_abort(o);
    return rc;
}

grn_status embed_out_add(embed_out_t *o, const float *x, const uint32_t *node, size_t n,
                         const uint32_t *degree, uint16_t context, uint32_t cell)
{
    grn_status rc = GRN_OK;
    uint16_t *c16 = NULL;
    uint32_t *u32 = NULL;
    GRN_TRY(GRN_NEW_RAW(c16, n));
    GRN_TRY(GRN_NEW_RAW(u32, n));
    GRN_TRY(grn_cw_append(o->w, o->x, x, n * o->dim * sizeof *x));
    GRN_TRY(grn_cw_append(o->w, o->gene, node, n * sizeof *node));
    for (size_t i = 0; i < n; i++) c16[i] = context;
    GRN_TRY(grn_cw_append(o->w, o->context, c16, n * sizeof *c16));
    for (size_t i = 0; i < n; i++) u32[i] = degree[node[i]];
    GRN_TRY(grn_cw_append(o->w, o->degree, u32, n * sizeof *u32));
    for (size_t i = 0; i < n; i++) u32[i] = cell;
    if (o->cell >= 0) GRN_TRY(grn_cw_append(o->w, o->cell, u32, n * sizeof *u32));
    o->n += n;
end:
    free(c16);
    free(u32);
    return rc;
}

grn_status embed_out_commit(embed_out_t *o, const grn_names_t *gene, const grn_names_t *context,
                            const grn_names_t *cell)
{
    grn_status rc = GRN_OK;
    uint64_t shape[2] = { o->n, o->dim };
    grn_cw_t *w = o->w;
    GRN_TRY(grn_cw_end(w, o->x, 2, shape));
    GRN_TRY(grn_cw_end(w, o->context, 1, shape));
    GRN_TRY(grn_cw_end(w, o->gene, 1, shape));
    GRN_TRY(grn_cw_end(w, o->degree, 1, shape));
    if (o->cell >= 0) GRN_TRY(grn_cw_end(w, o->cell, 1, shape));
    GRN_TRY(grn_cw_names(w, "names.gene", gene));
    GRN_TRY(grn_cw_names(w, "names.context", context));
    if (cell) GRN_TRY(grn_cw_names(w, "names.cell", cell));
    o->w = NULL;
    return grn_cw_commit(w);
end:
    return rc;
}

void embed_out_abort(embed_out_t *o)
{
    grn_cw_abort(o->w);
    o->w = NULL;
}
