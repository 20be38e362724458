#include "model/batch.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "graph/sample.h"

typedef struct { /* one cell's share of the batch, made in parallel */
    grn_tokens_t tok;
    grn_hop_t hop2[2], hop1[2];
    grn_nodes_t nodes[2];
    uint64_t n_arcs;
} plan_t;

typedef struct { /* one worker's scratch */
    grn_arcs_t cell, perturbed;
    grn_perturb_t perturb;
    grn_csr_t csr;
    grn_sampler_t sampler;
} scratch_t;

struct grn_batch_work_s {
    grn_par_t *pool; /* borrowed */
    plan_t *plan;
    size_t n_plan;
    scratch_t *scratch; /* one per worker */
    int n_scratch;
    int32_t *uniq_of; /* vocabulary id -> unique row, -1 free; all -1 between fills */
    size_t n_uniq_of;
};

/* ---- mirrors ---- */
static grn_status mirror_size(grn_mirror_t *m, size_t n)
{
    if (grn_grow(&m->h, &m->cap_h, n > 0 ? n : 1, m->size) != GRN_OK) return GRN_ENOMEM;
    m->n = n;
    return GRN_OK;
}

static grn_status mirror_upload(grn_dev_t *dev, grn_mirror_t *m)
{
    grn_status rc = GRN_OK;
    if (m->n > m->cap_d || !m->d) {
        grn_dev_free(dev, m->d);
        m->d = NULL;
        m->cap_d = 0;
        size_t cap = m->n + m->n / 4 + 16;
        GRN_TRY(grn_dev_bytes(dev, &m->d, cap, m->size));
        m->cap_d = cap;
    }
    if (m->n > 0) GRN_TRY(grn_dev_upload(dev, m->d, m->h, m->n * m->size));
end:
    return rc;
}

static void mirror_clear(grn_dev_t *dev, grn_mirror_t *m)
{
    free(m->h);
    grn_dev_free(dev, m->d);
    *m = (grn_mirror_t){ .size = m->size };
}

static int64_t *i64s(const grn_mirror_t *m)
{
    return m->h;
}
static int32_t *i32s(const grn_mirror_t *m)
{
    return m->h;
}

enum { N_MIRRORS = 11 + 3 * 4 };
static void list_mirrors(grn_batch_t *b, grn_mirror_t **all)
{
    grn_lists_t *lists[] = { &b->hop1, &b->hop2[0], &b->hop2[1] };
    grn_mirror_t *plain[] = { &b->row_off, &b->key_off,     &b->query_off, &b->row_uniq, &b->row_value, &b->query_row,
                              &b->uniq_id, &b->hidden_uniq, &b->self[0],   &b->self[1],  &b->target };
    memcpy(all, plain, sizeof plain);
    for (size_t k = 0; k < 3; k++) {
        grn_mirror_t *four[] = { &lists[k]->off, &lists[k]->idx, &lists[k]->t_off, &lists[k]->t_idx };
        memcpy(all + 11 + 4 * k, four, sizeof four);
    }
}

grn_status grn_batch_create(grn_batch_t **out, grn_dev_t *dev, grn_par_t *pool)
{
    grn_status rc = GRN_OK;
    grn_mirror_t *all[N_MIRRORS];
    grn_batch_t *b = NULL;
    *out = NULL;
    GRN_TRY(GRN_NEW(b, 1));
    b->dev = dev;
    list_mirrors(b, all);
    for (size_t i = 0; i < N_MIRRORS; i++) all[i]->size = sizeof(int32_t);
    b->row_off.size = b->key_off.size = b->query_off.size = sizeof(int64_t);
    b->hop1.off.size = b->hop1.t_off.size = sizeof(int64_t);
    for (int g = 0; g < 2; g++) b->hop2[g].off.size = b->hop2[g].t_off.size = sizeof(int64_t);
    b->target.size = dev->op->real_size;
    GRN_TRY(GRN_NEW(b->work, 1));
    b->work->pool = pool;
    b->work->n_scratch = grn_par_n(pool);
    GRN_TRY(GRN_NEW(b->work->scratch, (size_t)b->work->n_scratch));
    *out = b;
    b = NULL;
end:
    grn_batch_destroy(b);
    return rc;
}

static void clear_plan(plan_t *p)
{
    grn_tokens_clear(&p->tok);
    for (int g = 0; g < 2; g++) {
        grn_hop_clear(&p->hop1[g]);
        grn_hop_clear(&p->hop2[g]);
        grn_nodes_clear(&p->nodes[g]);
    }
}

static void clear_work(grn_batch_work_t *w)
{
    if (!w) return;
    for (size_t i = 0; i < w->n_plan; i++) clear_plan(&w->plan[i]);
    for (int k = 0; w->scratch && k < w->n_scratch; k++) {
        grn_arcs_clear(&w->scratch[k].cell);
        grn_arcs_clear(&w->scratch[k].perturbed);
        grn_perturb_clear(&w->scratch[k].perturb);
        grn_csr_clear(&w->scratch[k].csr);
        grn_sampler_clear(&w->scratch[k].sampler);
    }
    free(w->plan);
    free(w->scratch);
    free(w->uniq_of);
    free(w);
}

void grn_batch_destroy(grn_batch_t *b)
{
    grn_mirror_t *all[N_MIRRORS];
    if (!b) return;
    list_mirrors(b, all);
    for (size_t i = 0; i < N_MIRRORS; i++) mirror_clear(b->dev, all[i]);
    free(b->key_gene);
    free(b->query_gene);
    free(b->key_cell);
    free(b->query_cell);
    clear_work(b->work);
    free(b);
}

/* ---- one cell, in parallel ---- */
typedef struct {
    grn_batch_t *b;
    const grn_model_config_t *cfg;
    const grn_cells_t *cells;
    const uint32_t *cell;
    const grn_view_t *view;
    int which[2], n_graphs;
} fill_t;

/* The neighbour lists of one graph of a cell: cached for an unperturbed type, else built here. */
static grn_status get_graph(const fill_t *f, size_t c, int graph, plan_t *p, scratch_t *s, const grn_csr_t **g)
{
    grn_status rc = GRN_OK;
    const grn_cells_t *cells = f->cells;
    uint32_t context = cells->mask.context[c];
    int perturb = f->view->train && f->cfg->perturb != GRN_PERTURB_NONE && f->cfg->alpha > 0;
    const grn_arc_t *arc;
    size_t n;
    GRN_TRY(grn_cells_arcs(cells, c, graph, &s->cell, &arc, &n));
    p->n_arcs += n;
    if (graph == GRN_GRAPH_TYPE && !perturb && context != GRN_CONTEXT_NONE) {
        *g = &cells->type_csr[context];
        goto end;
    }
    if (perturb) {
        grn_perturb_opt_t o = grn_cells_perturb(cells, f->cfg);
        GRN_TRY(grn_perturb_draw(&s->perturb, &o, cells->key[c], f->view->mask.epoch, graph, arc, n, p->tok.visible, p->tok.n_visible,
                                 &s->perturbed));
        arc = s->perturbed.a;
        n = s->perturbed.n;
    }
    GRN_TRY(grn_csr_build(&s->csr, cells->n_genes, arc, n, f->cfg->direction));
    *g = &s->csr;
end:
    return rc;
}

static grn_status plan_cell(const fill_t *f, size_t i, scratch_t *s)
{
    grn_status rc = GRN_OK;
    const grn_cells_t *cells = f->cells;
    plan_t *p = &f->b->work->plan[i];
    size_t c = f->cell[i], n, fanout = f->view->train ? (size_t)f->cfg->fanout : 0;
    const uint32_t *gene;
    const float *count;
    grn_matrix_row(cells->m, c, &n, &gene, &count);
    GRN_TRY(grn_tokens_draw(&p->tok, f->cfg, &f->view->mask, cells->key[c], gene, count, n, cells->n_genes, cells->gene_key));
    p->n_arcs = 0;
    for (int k = 0; k < f->n_graphs; k++) {
        const grn_csr_t *g;
        grn_sample_key_t key = { f->cfg->seed, cells->key[c], f->view->mask.epoch, f->which[k], 2 };
        GRN_TRY(get_graph(f, c, f->which[k], p, s, &g));
        GRN_TRY(grn_sample_hop(&s->sampler, g, p->tok.gene, p->tok.n, fanout, &key, cells->gene_key, &p->hop2[k], &p->nodes[k]));
        key.layer = 1;
        GRN_TRY(grn_sample_rows(&s->sampler, g, p->nodes[k].v, p->nodes[k].n, fanout, &key, cells->gene_key, &p->hop1[k]));
    }
end:
    return rc;
}

static grn_status plan_cells(void *ctx, size_t begin, size_t end, int worker)
{
    const fill_t *f = ctx;
    for (size_t i = begin; i < end; i++) {
        grn_status rc = plan_cell(f, i, &f->b->work->scratch[worker]);
        if (rc != GRN_OK) return rc;
    }
    return GRN_OK;
}

/* ---- the batch, serial: sizes, then arrays ---- */
static grn_status make_plans(grn_batch_work_t *w, size_t n)
{
    if (n <= w->n_plan) return GRN_OK;
    plan_t *p = grn_realloc(w->plan, n, sizeof *p);
    if (!p) return GRN_ENOMEM;
    memset(p + w->n_plan, 0, (n - w->n_plan) * sizeof *p);
    w->plan = p;
    w->n_plan = n;
    return GRN_OK;
}

static grn_status make_uniq(grn_batch_work_t *w, size_t vocab)
{
    if (vocab <= w->n_uniq_of) return GRN_OK;
    free(w->uniq_of);
    w->n_uniq_of = 0;
    w->uniq_of = grn_malloc(vocab, sizeof *w->uniq_of);
    if (!w->uniq_of) return GRN_ENOMEM;
    memset(w->uniq_of, 0xff, vocab * sizeof *w->uniq_of);
    w->n_uniq_of = vocab;
    return GRN_OK;
}

/* Unique row of a vocabulary id, a new one if need be; uniq_id has room. */
static int32_t intern(grn_batch_t *b, uint32_t id)
{
    int32_t *of = b->work->uniq_of;
    if (of[id] < 0) {
        of[id] = (int32_t)b->n_uniq;
        i32s(&b->uniq_id)[b->n_uniq++] = (int32_t)id;
    }
    return of[id];
}

static size_t count_queries(const plan_t *p, grn_query q)
{
    return q == GRN_QUERY_MASKED ? p->tok.n_masked : q == GRN_QUERY_GENES ? p->tok.n : 1;
}

/* Totals over the plans, and room for everything. */
static grn_status size_batch(grn_batch_t *b, const fill_t *f, size_t n)
{
    grn_status rc = GRN_OK;
    size_t rows = 0, keys = 0, queries = 0, hidden = 0, idx1 = 0, idx2[2] = { 0, 0 }, uniq;
    b->n_arcs = b->n_expressed = 0;
    for (size_t i = 0; i < n; i++) {
        const plan_t *p = &b->work->plan[i];
        rows += p->tok.n + 1;
        keys += p->tok.n;
        queries += count_queries(p, f->view->query);
        b->n_arcs += p->n_arcs;
        b->n_expressed += p->tok.n_expressed;
        for (int k = 0; k < f->n_graphs; k++) {
            hidden += p->nodes[k].n;
            idx1 += p->hop1[k].off[p->hop1[k].n];
            idx2[k] += p->hop2[k].off[p->hop2[k].n];
        }
    }
    uniq = rows + hidden + idx1;
    if (uniq > f->cells->n_genes + 2) uniq = f->cells->n_genes + 2;
    GRN_TRY(mirror_size(&b->row_off, n + 1));
    GRN_TRY(mirror_size(&b->key_off, n + 1));
    GRN_TRY(mirror_size(&b->query_off, n + 1));
    GRN_TRY(mirror_size(&b->row_uniq, rows));
    GRN_TRY(mirror_size(&b->row_value, rows));
    GRN_TRY(mirror_size(&b->query_row, queries));
    GRN_TRY(mirror_size(&b->target, queries));
    GRN_TRY(mirror_size(&b->uniq_id, uniq));
    GRN_TRY(mirror_size(&b->hidden_uniq, hidden));
    GRN_TRY(mirror_size(&b->hop1.off, hidden + 1));
    GRN_TRY(mirror_size(&b->hop1.idx, idx1));
    for (int k = 0; k < f->n_graphs; k++) {
        GRN_TRY(mirror_size(&b->self[k], keys));
        GRN_TRY(mirror_size(&b->hop2[k].off, keys + 1));
        GRN_TRY(mirror_size(&b->hop2[k].idx, idx2[k]));
    }
    GRN_TRY(GRN_GROW(b->key_gene, b->key_cap, keys));
    GRN_TRY(GRN_GROW(b->key_cell, b->key_cell_cap, keys));
    GRN_TRY(GRN_GROW(b->query_gene, b->query_cap, queries));
    GRN_TRY(GRN_GROW(b->query_cell, b->query_cell_cap, queries));
end:
    return rc;
}

static void put_target(grn_batch_t *b, int64_t i, double x)
{
    if (b->target.size == sizeof(float)) ((float *)b->target.h)[i] = (float)x;
    else ((double *)b->target.h)[i] = x;
}

static void add_query(grn_batch_t *b, size_t cell, int64_t row, uint32_t gene, double target)
{
    i32s(&b->query_row)[b->n_query] = (int32_t)row;
    put_target(b, b->n_query, target);
    b->query_gene[b->n_query] = gene;
    b->query_cell[b->n_query++] = (uint32_t)cell;
}

static void add_tokens(grn_batch_t *b, const fill_t *f, size_t i)
{
    const grn_tokens_t *t = &b->work->plan[i].tok;
    int32_t *uniq = i32s(&b->row_uniq), *value = i32s(&b->row_value);
    uint32_t cls = (uint32_t)f->cells->n_genes + 1;
    i64s(&b->row_off)[i] = b->n_rows;
    i64s(&b->key_off)[i] = b->n_keys;
    i64s(&b->query_off)[i] = b->n_query;
    if (f->view->query == GRN_QUERY_CLS) add_query(b, i, b->n_rows, UINT32_MAX, 0);
    uniq[b->n_rows] = intern(b, cls);
    value[b->n_rows++] = 0;
    for (size_t j = 0; j < t->n; j++) {
        if (f->view->query == GRN_QUERY_GENES || (f->view->query == GRN_QUERY_MASKED && t->masked[j])) {
            add_query(b, i, b->n_rows, t->gene[j], t->target[j]);
        }
        uniq[b->n_rows] = intern(b, t->gene[j]);
        value[b->n_rows++] = t->masked[j] ? 1 : t->bin[j] + 2;
        b->key_gene[b->n_keys] = t->gene[j];
        b->key_cell[b->n_keys++] = (uint32_t)i;
    }
}

/* Layer-1 rows and both hops of one graph of a cell; key0: the first key of the cell. */
static void add_graph(grn_batch_t *b, int k, const grn_nodes_t *nodes, const grn_hop_t *hop1, const grn_hop_t *hop2, int64_t key0)
{
    int64_t row0 = b->n_hidden, *off1 = i64s(&b->hop1.off), *off2 = i64s(&b->hop2[k].off);
    int32_t *idx1 = i32s(&b->hop1.idx), *idx2 = i32s(&b->hop2[k].idx);
    for (size_t r = 0; r < nodes->n; r++) {
        int64_t at = off1[b->n_hidden];
        i32s(&b->hidden_uniq)[b->n_hidden] = intern(b, nodes->v[r]);
        for (size_t e = hop1->off[r]; e < hop1->off[r + 1]; e++) idx1[at++] = intern(b, hop1->idx[e]);
        off1[++b->n_hidden] = at;
    }
    for (size_t j = 0; j < hop2->n; j++) {
        int64_t at = off2[key0 + (int64_t)j];
        i32s(&b->self[k])[key0 + (int64_t)j] = (int32_t)(row0 + (int64_t)j);
        for (size_t e = hop2->off[j]; e < hop2->off[j + 1]; e++) idx2[at++] = (int32_t)(row0 + hop2->idx[e]);
        off2[key0 + (int64_t)j + 1] = at;
    }
}

/* The transpose of gather lists, sources in order, rows ascending within a source: counting sort. */
static grn_status transpose_lists(grn_lists_t *l, int64_t n_rows, int64_t n_src)
{
    grn_status rc = GRN_OK;
    int64_t *off = i64s(&l->off), *t_off, n = off[n_rows];
    l->n_rows = n_rows;
    l->n_src = n_src;
    GRN_TRY(mirror_size(&l->t_off, (size_t)n_src + 1));
    GRN_TRY(mirror_size(&l->t_idx, (size_t)n));
    t_off = i64s(&l->t_off);
    memset(t_off, 0, ((size_t)n_src + 1) * sizeof *t_off);
    for (int64_t e = 0; e < n; e++) t_off[i32s(&l->idx)[e]]++;
    for (int64_t v = 0, sum = 0; v <= n_src; v++) { /* t_off[v] = end of v; filling backwards turns ends into starts */
        sum += v < n_src ? t_off[v] : 0;
        t_off[v] = sum;
    }
    for (int64_t r = n_rows; r-- > 0;) {
        for (int64_t e = off[r + 1]; e-- > off[r];) i32s(&l->t_idx)[--t_off[i32s(&l->idx)[e]]] = (int32_t)r;
    }
end:
    return rc;
}

/* Fixes sizes that interning decided, transposes, uploads; the map from ids is emptied again. */
static grn_status finish_batch(grn_batch_t *b)
{
    grn_status rc = GRN_OK;
    grn_mirror_t *all[N_MIRRORS];
    for (int64_t u = 0; u < b->n_uniq; u++) b->work->uniq_of[i32s(&b->uniq_id)[u]] = -1;
    b->uniq_id.n = (size_t)b->n_uniq;
    GRN_TRY(transpose_lists(&b->hop1, b->n_hidden, b->n_uniq));
    for (int k = 0; k < b->n_graphs; k++) GRN_TRY(transpose_lists(&b->hop2[k], b->n_keys, b->n_hidden));
    list_mirrors(b, all);
    for (size_t i = 0; i < N_MIRRORS; i++) GRN_TRY(mirror_upload(b->dev, all[i]));
end:
    return rc;
}

static void reset_batch(grn_batch_t *b, size_t n_cells, int n_graphs)
{
    b->n_cells = (int64_t)n_cells;
    b->n_graphs = n_graphs;
    b->n_rows = b->n_keys = b->n_query = b->n_uniq = b->n_hidden = 0;
    b->max_rows = b->max_keys = b->max_query = 0;
}

static int64_t longest(const grn_mirror_t *off, int64_t n)
{
    int64_t most = 0;
    for (int64_t i = 0; i < n; i++) {
        int64_t len = i64s(off)[i + 1] - i64s(off)[i];
        if (len > most) most = len;
    }
    return most;
}

grn_status grn_batch_fill(grn_batch_t *b, const grn_model_config_t *cfg, const grn_cells_t *cells, const uint32_t *cell, size_t n,
                          const grn_view_t *view)
{
    grn_status rc = GRN_OK;
    fill_t f = { b, cfg, cells, cell, view, { 0, 0 }, 0 };
    f.n_graphs = grn_cells_graphs(cfg, f.which);
    if (f.n_graphs > 0 && !cells->has_graph) GRN_FAIL(GRN_EINVAL, "the model needs a network and the cells have none");
    GRN_TRY(make_plans(b->work, n));
    GRN_TRY(make_uniq(b->work, cells->n_genes + 2));
    GRN_TRY(grn_par_for(b->work->pool, n, 1, plan_cells, &f));
    GRN_TRY(size_batch(b, &f, n));
    reset_batch(b, n, f.n_graphs);
    i64s(&b->hop1.off)[0] = 0;
    for (int k = 0; k < f.n_graphs; k++) i64s(&b->hop2[k].off)[0] = 0;
    for (size_t i = 0; i < n; i++) {
        const plan_t *p = &b->work->plan[i];
        add_tokens(b, &f, i);
        for (int k = 0; k < f.n_graphs; k++) add_graph(b, k, &p->nodes[k], &p->hop1[k], &p->hop2[k], i64s(&b->key_off)[i]);
    }
    i64s(&b->row_off)[n] = b->n_rows;
    i64s(&b->key_off)[n] = b->n_keys;
    i64s(&b->query_off)[n] = b->n_query;
    b->max_rows = longest(&b->row_off, b->n_cells);
    b->max_keys = longest(&b->key_off, b->n_cells);
    b->max_query = longest(&b->query_off, b->n_cells);
    GRN_TRY(finish_batch(b));
end:
    return rc;
}

grn_status grn_batch_fill_graph(grn_batch_t *b, const grn_csr_t *g, const uint32_t *node, size_t n)
{
    return grn_batch_sample_graph(b, g, node, n, 0, &(grn_sample_key_t){ 0 }, NULL);
}

grn_status grn_batch_sample_graph(grn_batch_t *b, const grn_csr_t *g, const uint32_t *node, size_t n, size_t fanout,
                                  const grn_sample_key_t *draw, const uint64_t *node_key)
{
    grn_status rc = GRN_OK;
    scratch_t *s = &b->work->scratch[0];
    plan_t *p;
    grn_sample_key_t key = *draw;
    size_t hidden, idx1;
    GRN_TRY(make_plans(b->work, 1));
    GRN_TRY(make_uniq(b->work, g->n_nodes + 2));
    p = &b->work->plan[0];
    key.layer = 2;
    GRN_TRY(grn_sample_hop(&s->sampler, g, node, n, fanout, &key, node_key, &p->hop2[0], &p->nodes[0]));
    key.layer = 1;
    GRN_TRY(grn_sample_rows(&s->sampler, g, p->nodes[0].v, p->nodes[0].n, fanout, &key, node_key, &p->hop1[0]));
    hidden = p->nodes[0].n;
    idx1 = p->hop1[0].off[hidden];
    reset_batch(b, 0, 1);
    GRN_TRY(mirror_size(&b->uniq_id, g->n_nodes));
    GRN_TRY(mirror_size(&b->hidden_uniq, hidden));
    GRN_TRY(mirror_size(&b->hop1.off, hidden + 1));
    GRN_TRY(mirror_size(&b->hop1.idx, idx1));
    GRN_TRY(mirror_size(&b->self[0], n));
    GRN_TRY(mirror_size(&b->hop2[0].off, n + 1));
    GRN_TRY(mirror_size(&b->hop2[0].idx, p->hop2[0].off[n]));
    i64s(&b->hop1.off)[0] = i64s(&b->hop2[0].off)[0] = 0;
    add_graph(b, 0, &p->nodes[0], &p->hop1[0], &p->hop2[0], 0);
    b->n_keys = (int64_t)n;
    GRN_TRY(finish_batch(b));
end:
    return rc;
}
