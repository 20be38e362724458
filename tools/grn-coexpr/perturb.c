#include "grn-coexpr/perturb.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"

typedef struct { /* rows to come */
    grn_arc_t *arc;
    uint16_t *context;
    int8_t *change;
    size_t n, cap_a, cap_c, cap_h;
} rows_t;

static grn_status add_row(rows_t *r, grn_arc_t arc, size_t context, int change)
{
    grn_status rc = GRN_OK;
    GRN_TRY(GRN_GROW(r->arc, r->cap_a, r->n + 1));
    GRN_TRY(GRN_GROW(r->context, r->cap_c, r->n + 1));
    GRN_TRY(GRN_GROW(r->change, r->cap_h, r->n + 1));
    r->arc[r->n] = arc;
    r->context[r->n] = (uint16_t)context;
    r->change[r->n++] = (int8_t)change;
end:
    return rc;
}

void perturb_view_clear(perturb_view_t *w)
{
    grn_tokens_clear(&w->tok);
    grn_perturb_clear(&w->draw);
    grn_arcs_clear(&w->out);
    grn_arcs_clear(&w->room);
    *w = (perturb_view_t){ 0 };
}

grn_status perturb_view_cell(const perturb_job_t *job, size_t cell, perturb_view_t *w)
{
    const grn_cells_t *cells = job->cells;
    const grn_mask_opt_t mask = { .mask = job->cfg->mask, .epoch = job->epoch, .seed = job->cfg->seed }; /* as training draws */
    const uint32_t *gene;
    const float *count;
    size_t n;
    grn_matrix_row(cells->m, cell, &n, &gene, &count);
    return grn_tokens_draw(&w->tok, job->cfg, &mask, cells->key[cell], gene, count, n, cells->n_genes, cells->gene_key);
}

grn_status perturb_view_graph(const perturb_job_t *job, size_t cell, int graph, perturb_view_t *w)
{
    grn_status rc = GRN_OK;
    const grn_perturb_opt_t o = grn_cells_perturb(job->cells, job->cfg);
    GRN_TRY(grn_cells_arcs(job->cells, cell, graph, &w->room, &w->arc, &w->n));
    GRN_TRY(grn_perturb_draw(&w->draw, &o, job->cells->key[cell], job->epoch, graph, w->arc, w->n, w->tok.visible, w->tok.n_visible,
                             &w->out));
end:
    return rc;
}

grn_status perturb_check(const perturb_job_t *job)
{
    int which[2], n_graphs = grn_cells_graphs(job->cfg, which);
    for (int k = 0; k < n_graphs; k++)
        if (job->graphs >> which[k] & 1) return GRN_OK;
    return grn_err(GRN_EINVAL, "a model with --grn %s has no such graph", grn_grn_name(job->cfg->grn));
}

static grn_status one_graph(const perturb_job_t *job, size_t c, int graph, perturb_view_t *w, grn_edges_t *out, rows_t *rows,
                            perturb_sum_t *sum)
{
    grn_status rc = GRN_OK;
    size_t context, added = 0, dropped = 0;
    grn_str_t name = { 0 };
    GRN_TRY(perturb_view_graph(job, c, graph, w));
    GRN_TRY(grn_str_printf(&name, "%s %s", grn_names_get(&job->cells->m->row, c), graph == GRN_GRAPH_CELL ? "cell" : "type"));
    GRN_TRY(grn_names_add(&out->contexts, name.s, &context, NULL));
    if (context >= UINT16_MAX) GRN_FAIL(GRN_EUNSUP, "more than %d graphs in one file", UINT16_MAX);
    for (size_t i = 0; i < w->out.n; i++) {
        int is_new = !grn_arcs_has(w->arc, w->n, w->out.a[i]);
        added += (size_t)is_new;
        GRN_TRY(add_row(rows, w->out.a[i], context, is_new ? PERTURB_ADDED : PERTURB_KEPT));
    }
    for (size_t i = 0; i < w->n; i++) {
        if (grn_arcs_has(w->out.a, w->out.n, w->arc[i])) continue;
        dropped++;
        if (job->dropped) GRN_TRY(add_row(rows, w->arc[i], context, PERTURB_DROPPED));
    }
    grn_log_debug("%s: %zu arcs, %zu dropped, %zu added, %zu left; %zu visible genes", name.s, w->n, dropped, added, w->out.n,
                  w->tok.n_visible);
    sum->n_graphs++;
    sum->n_arcs += w->n;
    sum->n_dropped += dropped;
    sum->n_added += added;
    sum->n_out += w->out.n;
    sum->n_visible += w->tok.n_visible;
end:
    grn_str_clear(&name);
    return rc;
}

static grn_status one_cell(const perturb_job_t *job, size_t c, perturb_view_t *w, grn_edges_t *out, rows_t *rows, perturb_sum_t *sum)
{
    grn_status rc = GRN_OK;
    int which[2], n_graphs = grn_cells_graphs(job->cfg, which);
    GRN_TRY(perturb_view_cell(job, c, w));
    for (int k = 0; k < n_graphs; k++)
        if (job->graphs >> which[k] & 1) GRN_TRY(one_graph(job, c, which[k], w, out, rows, sum));
end:
    return rc;
}

static grn_status to_edges(const grn_cells_t *cells, const rows_t *r, grn_edges_t *out)
{
    grn_status rc = GRN_OK;
    float *change;
    GRN_TRY(grn_edges_alloc(out, r->n, "tf,gene,context"));
    GRN_TRY(grn_names_dup(&out->genes, &cells->m->col));
    GRN_TRY(grn_edges_evidence(out, "change", &change));
    for (size_t i = 0; i < r->n; i++) {
        out->tf[i] = grn_arc_u(r->arc[i]);
        out->gene[i] = grn_arc_v(r->arc[i]);
        out->context[i] = r->context[i];
        change[i] = r->change[i];
    }
    rc = grn_edges_sort(out);
end:
    return rc;
}

grn_status perturb_write(const perturb_job_t *job, const uint32_t *cell, size_t n, grn_edges_t *out, perturb_sum_t *sum)
{
    grn_status rc = GRN_OK;
    perturb_view_t w = { 0 };
    rows_t rows = { 0 };
    memset(out, 0, sizeof *out);
    memset(sum, 0, sizeof *sum);
    GRN_TRY(perturb_check(job));
    for (size_t i = 0; i < n; i++) GRN_TRY(one_cell(job, cell[i], &w, out, &rows, sum));
    GRN_TRY(to_edges(job->cells, &rows, out));
end:
    perturb_view_clear(&w);
    free(rows.arc);
    free(rows.context);
    free(rows.change);
    if (rc != GRN_OK) grn_edges_clear(out);
    return rc;
}
