#include "io/edges.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "io/edges_priv.h"

const grn_edge_column_t grn_edge_columns[GRN_EDGE_COLUMNS] = {
    { "tf", GRN_U32, offsetof(grn_edges_t, tf), offsetof(grn_edges_t, genes), "names.gene" },
    { "gene", GRN_U32, offsetof(grn_edges_t, gene), offsetof(grn_edges_t, genes), "names.gene" },
    { "region", GRN_U32, offsetof(grn_edges_t, region), offsetof(grn_edges_t, regions), "names.region" },
    { "regulon", GRN_U32, offsetof(grn_edges_t, regulon), offsetof(grn_edges_t, regulons), "names.regulon" },
    { "context", GRN_U16, offsetof(grn_edges_t, context), offsetof(grn_edges_t, contexts), "names.context" },
    { "sign", GRN_I8, offsetof(grn_edges_t, sign), 0, NULL },
    { "weight", GRN_F32, offsetof(grn_edges_t, weight), 0, NULL },
};

void grn_edges_clear(grn_edges_t *e)
{
    for (size_t k = 0; k < GRN_EDGE_COLUMNS; k++) free(*grn_edge_slot(e, &grn_edge_columns[k]));
    for (size_t k = 0; k < e->n_ev; k++) {
        free(e->ev[k].name);
        free(e->ev[k].v);
    }
    free(e->ev);
    grn_names_clear(&e->genes);
    grn_names_clear(&e->regions);
    grn_names_clear(&e->contexts);
    grn_names_clear(&e->regulons);
    memset(e, 0, sizeof *e);
}

grn_status grn_edges_alloc(grn_edges_t *e, size_t n, const char *names)
{
    e->n = n;
    for (const char *p = names; *p;) {
        size_t len = strcspn(p, ","), k = 0;
        while (k < GRN_EDGE_COLUMNS && (strlen(grn_edge_columns[k].name) != len || memcmp(grn_edge_columns[k].name, p, len) != 0)) k++;
        if (k == GRN_EDGE_COLUMNS) return grn_err(GRN_EINVAL, "edges have no standard column '%.*s'", (int)len, p);
        void **s = grn_edge_slot(e, &grn_edge_columns[k]);
        free(*s);
        if (!(*s = grn_calloc(n, grn_dtype_size(grn_edge_columns[k].dtype)))) return GRN_ENOMEM;
        p += len + (p[len] == ',');
    }
    return GRN_OK;
}

grn_status grn_edges_evidence(grn_edges_t *e, const char *name, float **v)
{
    for (size_t k = 0; k < e->n_ev; k++)
        if (strcmp(e->ev[k].name, name) == 0) {
            *v = e->ev[k].v;
            return GRN_OK;
        }
    grn_evidence_t *ev = grn_realloc(e->ev, e->n_ev + 1, sizeof *ev);
    if (!ev) return GRN_ENOMEM;
    e->ev = ev;
    ev += e->n_ev;
    if (GRN_NEW_RAW(ev->v, e->n)) return GRN_ENOMEM;
    if (!(ev->name = strdup(name))) {
        free(ev->v);
        return grn_err(GRN_ENOMEM, "out of memory");
    }
    for (size_t i = 0; i < e->n; i++) ev->v[i] = NAN;
    e->n_ev++;
    *v = ev->v;
    return GRN_OK;
}

const float *grn_edges_find_evidence(const grn_edges_t *e, const char *name)
{
    for (size_t k = 0; k < e->n_ev; k++)
        if (strcmp(e->ev[k].name, name) == 0) return e->ev[k].v;
    return NULL;
}

grn_status grn_edges_validate(const grn_edges_t *e)
{
    for (size_t k = 0; k < GRN_EDGE_COLUMNS; k++) {
        const grn_edge_column_t *c = &grn_edge_columns[k];
        const void *v = *grn_edge_slot(e, c);
        if (!v || !c->dict) continue;
        size_t n = grn_edge_dict(e, c)->n;
        for (size_t i = 0; i < e->n; i++)
            if (grn_edge_id(c, v, i) >= n) return grn_err(GRN_EFORMAT, "edge %zu: %s %u of %zu", i, c->name, grn_edge_id(c, v, i), n);
    }
    for (size_t i = 0; e->weight && i < e->n; i++)
        if (!isfinite(e->weight[i]))
            return grn_err(GRN_ENONFINITE, "edge %zu: weight is not a finite number", i);
    for (size_t i = 0; e->sign && i < e->n; i++)
        if (e->sign[i] < -1 || e->sign[i] > 1)
            return grn_err(GRN_EFORMAT, "edge %zu: sign %d", i, e->sign[i]);
    return GRN_OK;
}

/* ---- rows by index ---- */

static void *picked(const void *v, size_t size, const size_t *pick, size_t n)
{
    char *out = grn_malloc(n, size);
    for (size_t i = 0; out && i < n; i++)
        memcpy(out + i * size, (const char *)v + pick[i] * size, size);
    return out;
}

/* Columns and evidence of the picked rows; dictionaries are not touched. */
static grn_status pick_rows(const grn_edges_t *e, const size_t *pick, size_t n, grn_edges_t *out)
{
    float *v;
    out->n = n;
    for (size_t k = 0; k < GRN_EDGE_COLUMNS; k++) {
        const void *from = *grn_edge_slot(e, &grn_edge_columns[k]);
        if (from && !(*grn_edge_slot(out, &grn_edge_columns[k]) = picked(from, grn_dtype_size(grn_edge_columns[k].dtype), pick, n)))
            return GRN_ENOMEM;
    }
    for (size_t k = 0; k < e->n_ev; k++) {
        if (grn_edges_evidence(out, e->ev[k].name, &v)) return GRN_ENOMEM;
        for (size_t i = 0; i < n; i++) v[i] = e->ev[k].v[pick[i]];
    }
    return GRN_OK;
}

grn_status grn_edges_pick(const grn_edges_t *e, const size_t *pick, size_t n, grn_edges_t *out)
{
    grn_status rc;
    memset(out, 0, sizeof *out);
    GRN_TRY(pick_rows(e, pick, n, out));
    GRN_TRY(grn_names_dup(&out->genes, &e->genes));
    GRN_TRY(grn_names_dup(&out->regions, &e->regions));
    GRN_TRY(grn_names_dup(&out->contexts, &e->contexts));
    GRN_TRY(grn_names_dup(&out->regulons, &e->regulons));
end:
    if (rc) grn_edges_clear(out);
    return rc;
}

/* ---- canonical order ---- */

/* Replaces a dictionary by its used names in bytewise order and renumbers the columns that index
 * it. */
static grn_status trim_dict(grn_edges_t *e, size_t dict)
{
    grn_status rc;
    grn_names_t *d = (grn_names_t *)((char *)e + dict), fresh = { 0 };
    uint32_t *order = NULL, *to = NULL;
    GRN_TRY(GRN_NEW(order, d->n));
    GRN_TRY(GRN_NEW(to, d->n));
    for (size_t k = 0; k < GRN_EDGE_COLUMNS; k++) {
        const void *v = *grn_edge_slot(e, &grn_edge_columns[k]);
        if (grn_edge_columns[k].dict != dict || !v) continue;
        for (size_t i = 0; i < e->n; i++) to[grn_edge_id(&grn_edge_columns[k], v, i)] = 1;
    }
    GRN_TRY(grn_names_sort(d, order));
    for (size_t i = 0; i < d->n; i++) {
        size_t id;
        if (!to[order[i]]) continue;
        GRN_TRY(grn_names_add(&fresh, grn_names_get(d, order[i]), &id, NULL));
        to[order[i]] = (uint32_t)id;
    }
    for (size_t k = 0; k < GRN_EDGE_COLUMNS; k++) {
        void *v = *grn_edge_slot(e, &grn_edge_columns[k]);
        if (grn_edge_columns[k].dict != dict || !v) continue;
        if (grn_edge_columns[k].dtype == GRN_U16)
            for (size_t i = 0; i < e->n; i++) ((uint16_t *)v)[i] = (uint16_t)to[((uint16_t *)v)[i]];
        else
            for (size_t i = 0; i < e->n; i++) ((uint32_t *)v)[i] = to[((uint32_t *)v)[i]];
    }
    grn_names_clear(d);
    *d = fresh;
    memset(&fresh, 0, sizeof fresh);
end:
    grn_names_clear(&fresh);
    free(order);
    free(to);
    return rc;
}

/* Dictionaries are in name order by now, so ids compare as names do. Rows equal in all ids are told
 * apart by sign, weight and evidence. */
static int by_ids(const void *a, const void *b, void *ctx)
{
    static const size_t key[] = { 4, 3, 0, 1, 2 }; /* context, regulon, tf, gene, region */
    const grn_edges_t *e = ctx;
    size_t i = *(const size_t *)a, j = *(const size_t *)b;
    for (size_t k = 0; k < sizeof key / sizeof *key; k++) {
        const grn_edge_column_t *c = &grn_edge_columns[key[k]];
        const void *v = *grn_edge_slot(e, c);
        if (!v) continue;
        uint32_t x = grn_edge_id(c, v, i), y = grn_edge_id(c, v, j);
        if (x != y) return x < y ? -1 : 1;
    }
    if (e->sign && e->sign[i] != e->sign[j]) return e->sign[i] < e->sign[j] ? -1 : 1;
    if (e->weight && e->weight[i] != e->weight[j]) return e->weight[i] > e->weight[j] ? -1 : 1;
    for (size_t k = 0; k < e->n_ev; k++) {
        int d = memcmp(&e->ev[k].v[i], &e->ev[k].v[j], sizeof(float));
        if (d) return d;
    }
    return (i > j) - (i < j);
}

grn_status grn_edges_sort(grn_edges_t *e)
{
    static const size_t dicts[] = { offsetof(grn_edges_t, genes), offsetof(grn_edges_t, regions),
                                    offsetof(grn_edges_t, contexts),
                                    offsetof(grn_edges_t, regulons) };
    grn_status rc;
    grn_edges_t out = { 0 };
    size_t *order = NULL;
    GRN_TRY(grn_edges_validate(e));
    for (size_t k = 0; k < sizeof dicts / sizeof *dicts; k++) GRN_TRY(trim_dict(e, dicts[k]));
    GRN_TRY(GRN_NEW(order, e->n));
    for (size_t i = 0; i < e->n; i++) order[i] = i;
    if (e->n) qsort_r(order, e->n, sizeof *order, by_ids, e);
    GRN_TRY(pick_rows(e, order, e->n, &out));
    out.genes = e->genes; /* moved */
    out.regions = e->regions;
    out.contexts = e->contexts;
    out.regulons = e->regulons;
    memset(&e->genes, 0, sizeof e->genes);
    memset(&e->regions, 0, sizeof e->regions);
    memset(&e->contexts, 0, sizeof e->contexts);
    memset(&e->regulons, 0, sizeof e->regulons);
    grn_edges_clear(e);
    *e = out;
    memset(&out, 0, sizeof out);
end:
    grn_edges_clear(&out);
    free(order);
    return rc;
}

/* ---- regions ---- */

grn_status grn_edges_regulon_name(const grn_edges_t *e, size_t i, grn_str_t *name)
{
    int sign = e->sign ? e->sign[i] : 0;
    if (e->regulon) return grn_str_printf(name, "%s", grn_names_get(&e->regulons, e->regulon[i]));
    return grn_str_printf(name, "%s%s", grn_names_get(&e->genes, e->tf[i]), sign > 0 ? "(+)" : sign < 0 ? "(-)" : "");
}

grn_status grn_region_parse(const char *name, char *chrom, size_t cap, uint64_t *start,
                            uint64_t *end)
{
    const char *colon = strrchr(name, ':'), *dash = colon ? strchr(colon, '-') : NULL;
    char num[32];
    int64_t a = -1, b = -1;
    if (dash && colon > name && (size_t)(colon - name) < cap &&
        (size_t)(dash - colon - 1) < sizeof num) {
        memcpy(num, colon + 1, (size_t)(dash - colon - 1));
        num[dash - colon - 1] = 0;
        if (grn_parse_i64(num, &a) || grn_parse_i64(dash + 1, &b)) a = -1;
    }
    if (a < 0 || b <= a)
        return grn_err(GRN_EFORMAT, "'%s' is not a region of the form chrom:start-end", name);
    memcpy(chrom, name, (size_t)(colon - name));
    chrom[colon - name] = 0;
    *start = (uint64_t)a;
    *end = (uint64_t)b;
    return GRN_OK;
}

/* Coordinates of all regions as tensors, when every region name is one: region.chrom, region.start,
 * region.end, names.chrom. */
static grn_status save_coordinates(grn_cw_t *w, const grn_names_t *regions)
{
    grn_status rc = GRN_OK;
    grn_names_t chroms = { 0 };
    uint32_t *chrom = NULL, *start = NULL, *end_bp = NULL;
    char name[256];
    GRN_TRY(GRN_NEW(chrom, regions->n));
    GRN_TRY(GRN_NEW(start, regions->n));
    GRN_TRY(GRN_NEW(end_bp, regions->n));
    for (size_t i = 0; i < regions->n; i++) {
        uint64_t a, b;
        size_t id;
        if (grn_region_parse(grn_names_get(regions, i), name, sizeof name, &a, &b) ||
            b > UINT32_MAX)
            goto end; /* names only */
        GRN_TRY(grn_names_add(&chroms, name, &id, NULL));
        chrom[i] = (uint32_t)id;
        start[i] = (uint32_t)a;
        end_bp[i] = (uint32_t)b;
    }
    GRN_TRY(grn_cw_vec(w, "region.chrom", GRN_U32, regions->n, chrom));
    GRN_TRY(grn_cw_vec(w, "region.start", GRN_U32, regions->n, start));
    GRN_TRY(grn_cw_vec(w, "region.end", GRN_U32, regions->n, end_bp));
    GRN_TRY(grn_cw_names(w, "names.chrom", &chroms));
end:
    grn_names_clear(&chroms);
    free(chrom);
    free(start);
    free(end_bp);
    return rc;
}

/* ---- files ---- */

grn_status grn_edges_save(const grn_edges_t *e, const char *path, const char *const *meta_kv,
                          grn_par_t *pool)
{
    grn_status rc;
    grn_cw_t *w = NULL;
    char key[300];
    GRN_TRY(grn_edges_validate(e));
    GRN_TRY(grn_cw_open(&w, path, "grn.edges/1", pool));
    GRN_TRY(grn_cw_frame(w, GRN_CW_FRAME_PARTS));
    for (; meta_kv && meta_kv[0]; meta_kv += 2) GRN_TRY(grn_cw_meta(w, meta_kv[0], meta_kv[1]));
    for (size_t k = 0; k < GRN_EDGE_COLUMNS; k++) {
        const void *v = *grn_edge_slot(e, &grn_edge_columns[k]);
        if (v) GRN_TRY(grn_cw_vec(w, grn_edge_columns[k].name, grn_edge_columns[k].dtype, e->n, v));
    }
    for (size_t k = 0; k < e->n_ev; k++) {
        snprintf(key, sizeof key, "evidence.%s", e->ev[k].name);
        GRN_TRY(grn_cw_vec(w, key, GRN_F32, e->n, e->ev[k].v));
    }
    GRN_TRY(grn_cw_names(w, "names.gene", &e->genes));
    if (e->region) {
        GRN_TRY(grn_cw_names(w, "names.region", &e->regions));
        GRN_TRY(save_coordinates(w, &e->regions));
    }
    if (e->context) GRN_TRY(grn_cw_names(w, "names.context", &e->contexts));
    if (e->regulon) GRN_TRY(grn_cw_names(w, "names.regulon", &e->regulons));
    rc = grn_cw_commit(w);
    w = NULL;
end:
    grn_cw_abort(w);
    return rc;
}

/* The length all columns share; SIZE_MAX while unknown. */
static grn_status take_length(grn_cr_t *r, const grn_tensor_info_t *t, size_t *n)
{
    if (*n == SIZE_MAX) *n = t->shape[0];
    return t->shape[0] == *n
               ? GRN_OK
               : grn_err(GRN_EFORMAT, "'%s': column '%s' has %llu edges, expected %zu",
                         grn_cr_path(r), t->name, (unsigned long long)t->shape[0], *n);
}

static grn_status load_columns(grn_cr_t *r, grn_edges_t *e, size_t *n)
{
    grn_status rc = GRN_OK;
    const grn_tensor_info_t *t;
    for (size_t k = 0; k < GRN_EDGE_COLUMNS; k++) {
        const grn_edge_column_t *c = &grn_edge_columns[k];
        if (!grn_cr_find(r, c->name)) continue;
        GRN_TRY(grn_cr_need(r, c->name, c->dtype, 1, &t));
        GRN_TRY(take_length(r, t, n));
        GRN_TRY(grn_cr_load(r, t, grn_edge_slot(e, c)));
        if (c->dict && !grn_edge_dict(e, c)->n) GRN_TRY(grn_cr_load_names(r, c->names, grn_edge_dict(e, c)));
    }
end:
    return rc;
}

static grn_status load_evidence(grn_cr_t *r, grn_edges_t *e, size_t *n)
{
    grn_status rc;
    GRN_TRY(GRN_NEW(e->ev, grn_cr_n_tensors(r) + 1));
    for (size_t i = 0; i < grn_cr_n_tensors(r); i++) {
        const grn_tensor_info_t *t = grn_cr_tensor_at(r, i);
        if (strncmp(t->name, "evidence.", 9) != 0) continue;
        GRN_TRY(grn_cr_need(r, t->name, GRN_F32, 1, &t));
        GRN_TRY(take_length(r, t, n));
        GRN_TRY(grn_cr_load(r, t, (void **)&e->ev[e->n_ev].v));
        if (!(e->ev[e->n_ev++].name = strdup(t->name + 9))) GRN_FAIL(GRN_ENOMEM, "out of memory");
    }
end:
    return rc;
}

grn_status grn_edges_load(const char *path, grn_par_t *pool, grn_edges_t *e)
{
    grn_status rc;
    grn_cr_t *r = NULL;
    size_t n = SIZE_MAX;
    memset(e, 0, sizeof *e);
    GRN_TRY(grn_cr_open(&r, path, pool));
    GRN_TRY(grn_cr_expect(r, "grn.edges", 1));
    GRN_TRY(load_columns(r, e, &n));
    GRN_TRY(load_evidence(r, e, &n));
    e->n = n == SIZE_MAX ? 0 : n;
    if (grn_edges_validate(e)) rc = grn_err_prefix(GRN_EFORMAT, "'%s'", path);
end:
    grn_cr_close(r);
    if (rc) grn_edges_clear(e);
    return rc;
}
