#include "model/cells.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

grn_status grn_universe_build(const grn_matrix_t *m, uint64_t min_cells, grn_names_t *genes)
{
    grn_status rc = GRN_OK;
    uint64_t *n = NULL;
    uint32_t *order = NULL;
    GRN_TRY(GRN_NEW(n, m->n_cols));
    GRN_TRY(GRN_NEW_RAW(order, m->n_cols));
    for (uint64_t i = 0; m->is_dense && i < m->n_rows * m->n_cols; i++) n[i % m->n_cols] += m->dense[i] != 0;
    for (uint64_t i = 0; !m->is_dense && i < m->indptr[m->n_rows]; i++) n[m->indices[i]]++;
    GRN_TRY(grn_names_sort(&m->col, order));
    for (uint64_t k = 0; k < m->n_cols; k++) {
        if (n[order[k]] >= min_cells) GRN_TRY(grn_names_add(genes, grn_names_get(&m->col, order[k]), NULL, NULL));
    }
    if (genes->n == 0) {
        GRN_FAIL(GRN_EEMPTY, "none of the %llu genes has a count in %llu cells", (unsigned long long)m->n_cols,
                 (unsigned long long)min_cells);
    }
end:
    free(n);
    free(order);
    return rc;
}

typedef struct {
    uint32_t id;
    float value;
} entry_t;

static int compare_entries(const void *x, const void *y)
{
    uint32_t a = ((const entry_t *)x)->id, b = ((const entry_t *)y)->id;
    return (a > b) - (a < b);
}

/* Column of m -> id in genes; UINT32_MAX if it is not there. */
static grn_status map_columns(const grn_matrix_t *m, const grn_names_t *genes, uint32_t *to, size_t *n_found)
{
    size_t n = 0;
    for (uint64_t j = 0; j < m->n_cols; j++) {
        size_t k = grn_names_find(genes, grn_names_get(&m->col, j));
        to[j] = k == GRN_NAMES_NONE ? UINT32_MAX : (uint32_t)k;
        n += k != GRN_NAMES_NONE;
    }
    if (n == 0 && genes->n > 0 && m->n_cols > 0) {
        return grn_err(GRN_ESHAPE, "no gene of the counts is a gene of the model; first names: '%s' in the counts, '%s' in the model",
                       grn_names_get(&m->col, 0), grn_names_get(genes, 0));
    }
    if (n_found) *n_found = n;
    return GRN_OK;
}

/* Row entries [begin, end) -> ids of the universe, ascending, written from position `at` on; returns how many. at <= begin.
 */
static size_t align_row(grn_matrix_t *m, const uint32_t *to, uint64_t begin, uint64_t end, uint64_t at, entry_t *row)
{
    size_t n = 0;
    for (uint64_t i = begin; i < end; i++) {
        if (to[m->indices[i]] != UINT32_MAX) row[n++] = (entry_t){ to[m->indices[i]], m->data[i] };
    }
    for (size_t i = 1; i < n; i++) {
        if (row[i - 1].id > row[i].id) {
            qsort(row, n, sizeof *row, compare_entries);
            break;
        }
    }
    for (size_t i = 0; i < n; i++) m->indices[at + i] = row[i].id, m->data[at + i] = row[i].value;
    return n;
}

grn_status grn_matrix_align(grn_matrix_t *m, const grn_names_t *genes, size_t *n_found)
{
    grn_status rc = GRN_OK;
    uint32_t *to = NULL;
    entry_t *row = NULL;
    grn_names_t copy = { 0 };
    uint64_t at = 0, begin = 0;
    GRN_TRY(grn_matrix_to_csr(m));
    GRN_TRY(GRN_NEW_RAW(to, m->n_cols));
    GRN_TRY(GRN_NEW_RAW(row, m->n_cols));
    GRN_TRY(map_columns(m, genes, to, n_found));
    GRN_TRY(grn_names_dup(&copy, genes));
    for (uint64_t i = 0; i < m->indptr[m->n_rows]; i++) {
        if (!(m->data[i] > 0)) GRN_FAIL(GRN_EINVAL, "the counts hold a value that is not positive (%g)", (double)m->data[i]);
    }
    for (uint64_t r = 0; r < m->n_rows; r++) {
        uint64_t end = m->indptr[r + 1];
        m->indptr[r] = at;
        at += align_row(m, to, begin, end, at, row);
        begin = end;
    }
    m->indptr[m->n_rows] = at;
    grn_attrs_clear(&m->col_attr, m->n_cols);
    grn_names_clear(&m->col);
    m->col = copy;
    copy = (grn_names_t){ 0 };
    m->n_cols = m->col.n;
end:
    grn_names_clear(&copy);
    free(to);
    free(row);
    return rc;
}

int grn_cells_graphs(const grn_model_config_t *cfg, int which[2])
{
    int n = 0;
    if (cfg->grn == GRN_GRN_CELL || cfg->grn == GRN_GRN_HYBRID) which[n++] = GRN_GRAPH_CELL;
    if (cfg->grn == GRN_GRN_TYPE || cfg->grn == GRN_GRN_HYBRID || cfg->grn == GRN_GRN_RANDOM) which[n++] = GRN_GRAPH_TYPE;
    return n;
}

grn_status grn_cells_arcs(const grn_cells_t *c, size_t cell, int graph, grn_arcs_t *room, const grn_arc_t **arc, size_t *n)
{
    uint32_t context = c->mask.context[cell];
    *arc = NULL;
    *n = 0;
    if (graph == GRN_GRAPH_CELL) {
        grn_status rc = grn_regulation_cell(&c->reg, context, c->mask.on + cell * c->mask.n_words, room);
        if (rc != GRN_OK) return rc;
        *arc = room->a;
        *n = room->n;
    } else if (context != GRN_CONTEXT_NONE) {
        *arc = c->type[context].a;
        *n = c->type[context].n;
    }
    return GRN_OK;
}

grn_perturb_opt_t grn_cells_perturb(const grn_cells_t *c, const grn_model_config_t *cfg)
{
    return (grn_perturb_opt_t){ cfg->perturb, cfg->alpha, cfg->seed, c->n_genes, &c->coexpr };
}

/* G_type of every context as a list of its own (rewired if asked), and its neighbour lists. */
static grn_status build_types(grn_cells_t *c, const grn_model_config_t *cfg)
{
    grn_status rc = GRN_OK;
    GRN_TRY(GRN_NEW(c->type, c->reg.contexts.n));
    GRN_TRY(GRN_NEW(c->type_csr, c->reg.contexts.n));
    for (uint32_t k = 0; k < c->reg.contexts.n; k++) {
        size_t n;
        const grn_arc_t *arc = grn_regulation_type(&c->reg, k, &n);
        GRN_TRY(grn_arcs_set(&c->type[k], arc, n));
        if (cfg->grn == GRN_GRN_RANDOM) {
            GRN_TRY(grn_arcs_rewire(&c->type[k], cfg->seed, grn_hash_str(grn_names_get(&c->reg.contexts, k))));
        }
        GRN_TRY(grn_csr_build(&c->type_csr[k], c->n_genes, c->type[k].a, c->type[k].n, cfg->direction));
    }
end:
    return rc;
}

/* Co-expression links over the universe, both ends known. */
static grn_status build_coexpr(grn_cells_t *c, const grn_edges_t *co)
{
    grn_status rc = GRN_OK;
    if (!co || !co->tf || !co->gene) GRN_FAIL(GRN_EINVAL, "perturbation by listed links needs a co-expression edges file");
    GRN_TRY(GRN_GROW(c->coexpr.a, c->coexpr.cap, co->n));
    for (size_t i = 0; i < co->n; i++) {
        size_t u = grn_names_find(&c->m->col, grn_names_get(&co->genes, co->tf[i]));
        size_t v = grn_names_find(&c->m->col, grn_names_get(&co->genes, co->gene[i]));
        if (u != GRN_NAMES_NONE && v != GRN_NAMES_NONE) c->coexpr.a[c->coexpr.n++] = grn_arc((uint32_t)u, (uint32_t)v);
    }
    grn_arcs_normalise(&c->coexpr);
    if (c->coexpr.n == 0) GRN_FAIL(GRN_EEMPTY, "none of the %zu co-expression links joins two genes of the model", co->n);
end:
    return rc;
}

grn_status grn_cells_build(grn_cells_t *c, grn_matrix_t *m, const grn_model_config_t *cfg, const grn_edges_t *e,
                           const grn_activity_t *a, const grn_edges_t *co)
{
    grn_status rc = GRN_OK;
    int which[2], n_graphs = grn_cells_graphs(cfg, which);
    *c = (grn_cells_t){ .n = m->n_rows, .n_genes = m->n_cols, .m = m };
    GRN_TRY(GRN_NEW_RAW(c->key, c->n));
    GRN_TRY(GRN_NEW_RAW(c->gene_key, c->n_genes));
    for (size_t i = 0; i < c->n; i++) c->key[i] = grn_hash_str(grn_names_get(&m->row, i));
    for (size_t g = 0; g < c->n_genes; g++) c->gene_key[g] = grn_hash_str(grn_names_get(&m->col, g));
    if (n_graphs == 0) goto end;
    if (!e) GRN_FAIL(GRN_EINVAL, "a model with a network needs edges");
    if (which[0] == GRN_GRAPH_CELL && !a) GRN_FAIL(GRN_EINVAL, "a model with graphs of cells needs an activity file");
    GRN_TRY(grn_regulation_build(e, &m->col, &c->reg));
    GRN_TRY(grn_cell_masks_build(&c->reg, which[0] == GRN_GRAPH_CELL ? a : NULL, m, &c->mask));
    GRN_TRY(build_types(c, cfg));
    if (cfg->perturb == GRN_PERTURB_LIST) GRN_TRY(build_coexpr(c, co));
    c->has_graph = 1;
end:
    if (rc != GRN_OK) grn_cells_clear(c);
    return rc;
}

void grn_cells_clear(grn_cells_t *c)
{
    for (size_t k = 0; k < c->reg.contexts.n; k++) {
        if (c->type) grn_arcs_clear(&c->type[k]);
        if (c->type_csr) grn_csr_clear(&c->type_csr[k]);
    }
    free(c->type);
    free(c->type_csr);
    grn_arcs_clear(&c->coexpr);
    grn_cell_masks_clear(&c->mask);
    grn_regulation_clear(&c->reg);
    free(c->key);
    free(c->gene_key);
    *c = (grn_cells_t){ 0 };
}
