#include "space.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "io/container.h"

void points_clear(points_t *p)
{
    grn_attrs_clear(&p->attr, p->n);
    grn_names_clear(&p->name);
    free(p->x);
    free(p->no_count);
    memset(p, 0, sizeof *p);
}

void space_clear(space_t *s)
{
    points_clear(&s->reference);
    points_clear(&s->query);
    grn_matrix_clear(&s->expression);
}

static int is_container(const char *path)
{
    return grn_cr_sniff(strcmp(path, "-") ? path : "/proc/self/fd/0");
}

/* What a file holds; *nodes: it is a grn.embedding. */
static grn_status look(const char *path, const space_opt_t *o, space_kind *kind, int *nodes)
{
    grn_status rc = GRN_OK;
    grn_cr_t *cr = NULL;
    int dense = o->read->layer && strncmp(o->read->layer, "obsm/", 5) == 0;
    *nodes = 0;
    if (is_container(path)) {
        GRN_TRY(grn_cr_open(&cr, path, NULL));
        *nodes = strncmp(grn_cr_schema(cr), "grn.embedding/", 14) == 0;
        dense = *nodes || (strncmp(grn_cr_schema(cr), "grn.matrix/", 11) == 0 && grn_cr_find(cr, "X"));
    }
    *kind = o->kind != SPACE_AUTO ? o->kind : dense ? SPACE_EMBEDDING : SPACE_COUNTS;
end:
    grn_cr_close(cr);
    return rc;
}

/* The rows' names of a grn.embedding with one row per cell. */
static grn_status cell_names(grn_cr_t *cr, uint64_t n, grn_names_t *out)
{
    grn_status rc = GRN_OK;
    grn_names_t cell = { 0 };
    uint32_t *id = NULL;
    int is_new;
    if (grn_cr_find(cr, "gene")) GRN_FAIL(GRN_EFORMAT, "'%s' holds embeddings of genes; one row per cell is expected", grn_cr_path(cr));
    GRN_TRY(grn_cr_load_names(cr, "names.cell", &cell));
    const grn_tensor_info_t *t = grn_cr_find(cr, "cell");
    if ((t ? t->shape[0] : cell.n) != n)
        GRN_FAIL(GRN_EFORMAT, "'%s': %llu rows, but %llu cells", grn_cr_path(cr), (unsigned long long)n,
                 (unsigned long long)(t ? t->shape[0] : cell.n));
    if (t) GRN_TRY(grn_cr_load_as(cr, t, GRN_U32, (void **)&id));
    for (uint64_t i = 0; i < n; i++) {
        uint64_t k = id ? id[i] : i;
        if (k >= cell.n) GRN_FAIL(GRN_EFORMAT, "'%s': cell %llu of %zu", grn_cr_path(cr), (unsigned long long)k, cell.n);
        GRN_TRY(grn_names_add(out, grn_names_get(&cell, k), NULL, &is_new));
        if (!is_new) GRN_FAIL(GRN_EFORMAT, "'%s': cell '%s' has more than one row", grn_cr_path(cr), grn_names_get(&cell, k));
    }
end:
    free(id);
    grn_names_clear(&cell);
    return rc;
}

static grn_status load_nodes(const char *path, const grn_counts_opt_t *read, grn_par_t *pool, grn_matrix_t *m)
{
    grn_status rc = GRN_OK;
    grn_cr_t *cr = NULL;
    const grn_tensor_info_t *x;
    char name[32];
    GRN_TRY(grn_cr_open(&cr, path, pool));
    GRN_TRY(grn_cr_expect(cr, "grn.embedding", 1));
    GRN_TRY(grn_cr_need(cr, "X", GRN_F32, 2, &x));
    m->is_dense = 1;
    m->n_rows = x->shape[0];
    m->n_cols = x->shape[1];
    GRN_TRY(cell_names(cr, m->n_rows, &m->row));
    for (uint64_t j = 0; j < m->n_cols; j++) {
        snprintf(name, sizeof name, "%llu", (unsigned long long)j + 1);
        GRN_TRY(grn_names_add(&m->col, name, NULL, NULL));
    }
    GRN_TRY(grn_cr_load(cr, x, (void **)&m->dense));
    if (read->cells_tsv) rc = grn_counts_label(path, read, m);
end:
    grn_cr_close(cr);
    return rc;
}

static grn_status load(const char *path, const grn_counts_opt_t *read, int nodes, grn_par_t *pool, grn_matrix_t *m)
{
    return nodes ? load_nodes(path, read, pool, m) : grn_counts_load(path, read, pool, m);
}

static grn_status in_name_order(grn_matrix_t *m)
{
    grn_status rc = GRN_OK;
    grn_matrix_t sorted = { 0 };
    uint32_t *order = NULL;
    GRN_TRY(GRN_NEW_RAW(order, m->n_rows));
    GRN_TRY(grn_names_sort(&m->row, order));
    GRN_TRY(grn_matrix_pick_rows(m, order, m->n_rows, &sorted));
    grn_matrix_clear(m);
    *m = sorted;
    sorted = (grn_matrix_t){ 0 };
end:
    free(order);
    grn_matrix_clear(&sorted);
    return rc;
}

/* The query's columns in the order of the reference's. */
static grn_status align(const grn_matrix_t *r, const char *reference, grn_matrix_t *q, const char *query)
{
    grn_status rc = GRN_OK;
    grn_matrix_t out = { 0 };
    uint32_t *pick = NULL;
    if (r->n_cols != q->n_cols)
        GRN_FAIL(GRN_ESHAPE, "'%s' has %llu dimensions, '%s' has %llu; one space is expected", reference, (unsigned long long)r->n_cols,
                 query, (unsigned long long)q->n_cols);
    if (grn_names_equal(&r->col, &q->col)) return GRN_OK;
    GRN_TRY(GRN_NEW_RAW(pick, r->n_cols));
    for (uint64_t j = 0; j < r->n_cols; j++) {
        size_t k = grn_names_find(&q->col, grn_names_get(&r->col, j));
        if (k == GRN_NAMES_NONE)
            GRN_FAIL(GRN_ESHAPE, "dimension '%s' of '%s' is not in '%s', which begins with '%s'; one space is expected",
                     grn_names_get(&r->col, j), reference, query, grn_names_get(&q->col, 0));
        pick[j] = (uint32_t)k;
    }
    GRN_TRY(grn_matrix_pick_cols(q, pick, r->n_cols, &out));
    grn_matrix_clear(q);
    *q = out;
    out = (grn_matrix_t){ 0 };
end:
    free(pick);
    grn_matrix_clear(&out);
    return rc;
}

/* Moves a matrix's values, rows and attributes into points. */
static grn_status to_points(grn_matrix_t *m, const char *path, points_t *p)
{
    grn_status rc = GRN_OK;
    GRN_TRY(grn_matrix_to_dense(m));
    for (uint64_t i = 0, n = m->n_rows * m->n_cols; i < n; i++)
        if (!isfinite(m->dense[i]))
            GRN_FAIL(GRN_ENONFINITE, "'%s': dimension '%s' of cell '%s' is not finite", path, grn_names_get(&m->col, i % m->n_cols),
                     grn_names_get(&m->row, i / m->n_cols));
    *p = (points_t){ m->n_rows, m->n_cols, m->dense, m->row, m->row_attr, NULL };
    m->dense = NULL;
    m->row = (grn_names_t){ 0 };
    m->row_attr = (grn_attrs_t){ 0 };
end:
    grn_matrix_clear(m);
    return rc;
}

grn_status space_load(const char *reference, const char *query, const space_opt_t *o, grn_par_t *pool, space_t *s)
{
    static const char *const what[] = { "", "counts", "an embedding" };
    grn_status rc = GRN_OK;
    grn_matrix_t m = { 0 }, mq = { 0 };
    grn_counts_opt_t read = *o->read, bare;
    space_kind kind, kind_q;
    int nodes, nodes_q;
    *s = (space_t){ .pcs = o->pcs, .genes = o->genes, .seed = o->seed };
    GRN_TRY(grn_path_rewindable(&query));
    GRN_TRY(look(reference, o, &kind, &nodes));
    GRN_TRY(look(query, o, &kind_q, &nodes_q));
    if (kind != kind_q)
        GRN_FAIL(GRN_ESHAPE, "'%s' holds %s, '%s' %s; both must be the same (--as)", reference, what[kind], query, what[kind_q]);
    read.require_counts = kind == SPACE_COUNTS;
    GRN_TRY(load(reference, &read, nodes, pool, &m));
    GRN_TRY(in_name_order(&m));
    if (kind == SPACE_COUNTS) {
        rc = expression_load(&m, reference, query, o, pool, s);
        goto end;
    }
    bare = read;
    bare.cells_tsv = bare.cell_type = bare.donor = NULL;
    GRN_TRY(load(query, &bare, nodes_q, pool, &mq));
    GRN_TRY(align(&m, reference, &mq, query));
    GRN_TRY(to_points(&m, reference, &s->reference));
    GRN_TRY(to_points(&mq, query, &s->query));
    grn_log_info("embedding of %zu dimensions: %zu reference cells, %zu query cells", s->query.d, s->reference.n, s->query.n);
end:
    grn_matrix_clear(&m);
    grn_matrix_clear(&mq);
    return rc;
}

static grn_status pick(const points_t *p, const uint32_t *cell, size_t n, float **out)
{
    grn_status rc = GRN_OK;
    GRN_TRY(GRN_NEW_RAW(*out, n * p->d));
    for (size_t i = 0; i < n; i++) memcpy(*out + i * p->d, p->x + cell[i] * p->d, p->d * sizeof **out);
end:
    return rc;
}

grn_status space_split(const space_t *s, const uint32_t *rest, size_t n_rest, const uint32_t *held, size_t n_held, grn_par_t *pool,
                       float **x_rest, float **x_held, size_t *d)
{
    if (s->expression.n_rows) return expression_split(s, rest, n_rest, held, n_held, pool, x_rest, x_held, d);
    grn_status rc = pick(&s->reference, rest, n_rest, x_rest);
    *d = s->reference.d;
    return rc ? rc : pick(&s->reference, held, n_held, x_held);
}
