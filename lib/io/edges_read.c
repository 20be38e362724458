#include "io/edges_read.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "io/edges_priv.h"

enum { SPAN = 1 << 14 }; /* rows read at once for the picked ones among them */

struct grn_er_s {
    grn_cr_t *cr;
    uint64_t n;
};

/* The length that all columns share. */
static grn_status take_length(grn_er_t *r, const grn_tensor_info_t *t, grn_dtype dtype)
{
    grn_status rc = grn_cr_need(r->cr, t->name, dtype, 1, &t);
    if (rc) return rc;
    if (r->n == UINT64_MAX) r->n = t->shape[0];
    return t->shape[0] == r->n ? GRN_OK
                               : grn_err(GRN_EFORMAT, "'%s': column '%s' has %llu edges, expected %llu", grn_cr_path(r->cr), t->name,
                                         (unsigned long long)t->shape[0], (unsigned long long)r->n);
}

static int is_evidence(const grn_tensor_info_t *t)
{
    return strncmp(t->name, "evidence.", 9) == 0;
}

grn_status grn_er_open(grn_er_t **out, const char *path, grn_par_t *pool)
{
    grn_status rc = GRN_OK;
    grn_er_t *r;
    *out = NULL;
    if (GRN_NEW(r, 1)) return GRN_ENOMEM;
    r->n = UINT64_MAX;
    GRN_TRY(grn_cr_open(&r->cr, path, pool));
    GRN_TRY(grn_cr_expect(r->cr, "grn.edges", 1));
    for (size_t k = 0; k < GRN_EDGE_COLUMNS; k++) {
        const grn_tensor_info_t *t = grn_cr_find(r->cr, grn_edge_columns[k].name);
        if (t) GRN_TRY(take_length(r, t, grn_edge_columns[k].dtype));
    }
    for (size_t i = 0; i < grn_cr_n_tensors(r->cr); i++) {
        const grn_tensor_info_t *t = grn_cr_tensor_at(r->cr, i);
        if (is_evidence(t)) GRN_TRY(take_length(r, t, GRN_F32));
    }
    if (r->n == UINT64_MAX) r->n = 0;
    *out = r;
    r = NULL;
end:
    grn_er_close(r);
    return rc;
}

void grn_er_close(grn_er_t *r)
{
    if (!r) return;
    grn_cr_close(r->cr);
    free(r);
}

/* ---- whole columns ---- */

static int is_listed(const char *names, const char *name)
{
    size_t n = strlen(name);
    for (const char *p = names; *p; p += strcspn(p, ","), p += *p == ',')
        if (strncmp(p, name, n) == 0 && (p[n] == ',' || p[n] == 0)) return 1;
    return 0;
}

grn_status grn_er_columns(grn_er_t *r, const char *names, grn_edges_t *e)
{
    grn_status rc = GRN_OK;
    memset(e, 0, sizeof *e);
    e->n = r->n;
    for (size_t k = 0; k < GRN_EDGE_COLUMNS; k++) {
        const grn_edge_column_t *c = &grn_edge_columns[k];
        const grn_tensor_info_t *t = grn_cr_find(r->cr, c->name);
        if (!t || !is_listed(names, c->name)) continue;
        GRN_TRY(grn_cr_load(r->cr, t, grn_edge_slot(e, c)));
        if (c->dict && !grn_edge_dict(e, c)->n) GRN_TRY(grn_cr_load_names(r->cr, c->names, grn_edge_dict(e, c)));
    }
    if ((rc = grn_edges_validate(e))) rc = grn_err_prefix(rc, "'%s'", grn_cr_path(r->cr));
end:
    if (rc) grn_edges_clear(e);
    return rc;
}

/* ---- rows ---- */

/* Elements `pick` of a column of `size` bytes each, malloc'ed. */
static grn_status read_picked(grn_er_t *r, const grn_tensor_info_t *t, size_t size, const size_t *pick, size_t n, void **out)
{
    grn_status rc = GRN_OK;
    char *span = NULL, *to;
    GRN_TRY(GRN_NEW_RAW(span, SPAN * size));
    if (!(*out = to = grn_malloc(n, size))) GRN_FAIL(GRN_ENOMEM, "out of memory");
    for (size_t i = 0, j; i < n; i = j) {
        for (j = i + 1; j < n && pick[j] - pick[i] < SPAN; j++) continue;
        GRN_TRY(grn_cr_read(r->cr, t, pick[i] * size, span, (pick[j - 1] - pick[i] + 1) * size));
        for (size_t k = i; k < j; k++) memcpy(to + k * size, span + (pick[k] - pick[i]) * size, size);
    }
end:
    free(span);
    return rc;
}

/* 1 + the largest id into a dictionary; 0: none. used (NULL: not asked): 1 for the ids there are. */
static size_t scan_ids(const grn_edges_t *e, size_t dict, uint32_t *used)
{
    size_t n = 0;
    for (size_t k = 0; k < GRN_EDGE_COLUMNS; k++) {
        const grn_edge_column_t *c = &grn_edge_columns[k];
        const void *v = *grn_edge_slot(e, c);
        if (!v || c->dict != dict) continue;
        for (size_t i = 0; i < e->n; i++) {
            size_t id = grn_edge_id(c, v, i);
            if (used) used[id] = 1;
            if (id >= n) n = id + 1;
        }
    }
    return n;
}

static void renumber(grn_edges_t *e, size_t dict, const uint32_t *to)
{
    for (size_t k = 0; k < GRN_EDGE_COLUMNS; k++) {
        const grn_edge_column_t *c = &grn_edge_columns[k];
        void *v = *grn_edge_slot(e, c);
        if (!v || c->dict != dict) continue;
        if (c->dtype == GRN_U16)
            for (size_t i = 0; i < e->n; i++) ((uint16_t *)v)[i] = (uint16_t)to[((uint16_t *)v)[i]];
        else
            for (size_t i = 0; i < e->n; i++) ((uint32_t *)v)[i] = to[((uint32_t *)v)[i]];
    }
}

/* The names in use of one dictionary; ids are changed to these. */
static grn_status used_names(grn_er_t *r, const char *names, size_t dict, grn_edges_t *e)
{
    grn_status rc = GRN_OK;
    const grn_tensor_info_t *t;
    char *text = NULL;
    uint32_t *to = NULL;
    size_t n = scan_ids(e, dict, NULL), id;
    if (!n) return GRN_OK;
    GRN_TRY(grn_cr_need(r->cr, names, GRN_U8, 1, &t));
    if (n > t->n_bytes) GRN_FAIL(GRN_EFORMAT, "'%s': an id of %zu into '%s', which is smaller", grn_cr_path(r->cr), n - 1, names);
    GRN_TRY(grn_cr_load(r->cr, t, (void **)&text));
    GRN_TRY(GRN_NEW(to, n));
    scan_ids(e, dict, to);
    const char *p = text, *end = text + t->n_bytes;
    for (size_t i = 0; i < n; i++) {
        const char *nl = p < end ? memchr(p, '\n', (size_t)(end - p)) : NULL;
        if (!nl) GRN_FAIL(GRN_EFORMAT, "'%s': an id of %zu into '%s', which holds %zu names", grn_cr_path(r->cr), n - 1, names, i);
        if (to[i]) {
            GRN_TRY(grn_names_add_n((grn_names_t *)((char *)e + dict), p, (size_t)(nl - p), &id, NULL));
            to[i] = (uint32_t)id;
        }
        p = nl + 1;
    }
    renumber(e, dict, to);
end:
    free(text);
    free(to);
    return rc;
}

grn_status grn_er_rows(grn_er_t *r, const size_t *pick, size_t n, grn_edges_t *out)
{
    grn_status rc = GRN_OK;
    memset(out, 0, sizeof *out);
    out->n = n;
    for (size_t k = 0; k < GRN_EDGE_COLUMNS; k++) {
        const grn_edge_column_t *c = &grn_edge_columns[k];
        const grn_tensor_info_t *t = grn_cr_find(r->cr, c->name);
        if (t) GRN_TRY(read_picked(r, t, grn_dtype_size(c->dtype), pick, n, grn_edge_slot(out, c)));
    }
    GRN_TRY(GRN_NEW(out->ev, grn_cr_n_tensors(r->cr)));
    for (size_t i = 0; i < grn_cr_n_tensors(r->cr); i++) {
        const grn_tensor_info_t *t = grn_cr_tensor_at(r->cr, i);
        if (!is_evidence(t)) continue;
        grn_evidence_t *ev = &out->ev[out->n_ev++];
        GRN_TRY(read_picked(r, t, sizeof *ev->v, pick, n, (void **)&ev->v));
        if (!(ev->name = strdup(t->name + 9))) GRN_FAIL(GRN_ENOMEM, "out of memory");
    }
    GRN_TRY(used_names(r, "names.gene", offsetof(grn_edges_t, genes), out));
    GRN_TRY(used_names(r, "names.region", offsetof(grn_edges_t, regions), out));
    GRN_TRY(used_names(r, "names.context", offsetof(grn_edges_t, contexts), out));
    GRN_TRY(used_names(r, "names.regulon", offsetof(grn_edges_t, regulons), out));
    if ((rc = grn_edges_validate(out))) rc = grn_err_prefix(rc, "'%s'", grn_cr_path(r->cr));
end:
    if (rc) grn_edges_clear(out);
    return rc;
}
