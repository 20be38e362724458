#include "grn-embed/graphs.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"

static int compare_arcs(const void *x, const void *y)
{
    grn_arc_t a = *(const grn_arc_t *)x, b = *(const grn_arc_t *)y;
    return (a > b) - (a < b);
}

static grn_arc_t link_of(grn_arc_t a)
{
    uint32_t u = grn_arc_u(a), v = grn_arc_v(a);
    return u < v ? a : grn_arc(v, u);
}

static size_t unique(grn_arc_t *a, size_t n)
{
    size_t k = 0;
    qsort(a, n, sizeof *a, compare_arcs);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || a[i] != a[k - 1]) a[k++] = a[i];
    return k;
}

/* Unordered links of n arcs: ascending, malloc'ed. */
static grn_status links_of(const grn_arc_t *arc, size_t n, grn_arc_t **link, size_t *n_link)
{
    grn_status rc = GRN_NEW_RAW(*link, n);
    if (rc) return rc;
    for (size_t i = 0; i < n; i++) (*link)[i] = link_of(arc[i]);
    *n_link = unique(*link, n);
    return GRN_OK;
}

static void count_degrees(const grn_arc_t *link, size_t n, uint32_t *degree)
{
    for (size_t i = 0; i < n; i++) {
        degree[grn_arc_u(link[i])]++;
        degree[grn_arc_v(link[i])]++;
    }
}

grn_status embed_nodes(const grn_arc_t *arc, size_t n, size_t n_genes, uint32_t **node,
                       size_t *n_node, uint32_t *degree)
{
    grn_status rc = GRN_OK;
    grn_arc_t *link = NULL;
    uint32_t *deg = NULL;
    size_t n_link;
    *node = NULL;
    *n_node = 0;
    GRN_TRY(links_of(arc, n, &link, &n_link));
    GRN_TRY(GRN_NEW(deg, n_genes));
    count_degrees(link, n_link, deg);
    GRN_TRY(GRN_NEW_RAW(*node, n_genes));
    for (size_t v = 0; v < n_genes; v++)
        if (deg[v]) (*node)[(*n_node)++] = (uint32_t)v;
    if (degree) memcpy(degree, deg, n_genes * sizeof *deg);
end:
    free(link);
    free(deg);
    return rc;
}

int embed_graphs_linked(const embed_graphs_t *g, uint32_t u, uint32_t v)
{
    return grn_arcs_has(g->link, g->n_link, link_of(grn_arc(u, v)));
}

void embed_graphs_clear(embed_graphs_t *g)
{
    for (size_t i = 0; i < g->n; i++) {
        embed_graph_t *c = &g->graph[i];
        grn_csr_clear(&c->full);
        grn_csr_clear(&c->train);
        free(c->node_t);
        free(c->degree_t);
        free(c->held);
    }
    free(g->graph);
    free(g->link);
    grn_regulation_clear(&g->reg);
    memset(g, 0, sizeof *g);
}

/* ---- holding out ---- */

typedef struct {    /* a link of one context */
    uint64_t order; /* hash of the two names: the order in which links are tried */
    grn_arc_t link;
    uint32_t graph;
} item_t;

static int compare_items(const void *x, const void *y)
{
    const item_t *a = x, *b = y;
    if (a->order != b->order) return a->order < b->order ? -1 : 1;
    if (a->link != b->link) return a->link < b->link ? -1 : 1;
    return (a->graph > b->graph) - (a->graph < b->graph);
}

/* Links of all contexts, grouped by link, groups in hash order; fills g->link and the degrees with
 * all links. */
static grn_status collect_items(embed_graphs_t *g, uint64_t seed, item_t **items, size_t *n_items)
{
    grn_status rc = GRN_OK;
    grn_arc_t *link = NULL;
    size_t n = 0, n_arc = (size_t)g->reg.context_off[g->reg.contexts.n];
    GRN_TRY(GRN_NEW_RAW(*items, n_arc));
    GRN_TRY(GRN_NEW_RAW(g->link, n_arc));
    for (size_t i = 0; i < g->n; i++) {
        size_t n_a, n_l;
        const grn_arc_t *arc = grn_regulation_type(&g->reg, (uint32_t)g->graph[i].id, &n_a);
        GRN_TRY(links_of(arc, n_a, &link, &n_l));
        count_degrees(link, n_l, g->graph[i].degree_t);
        for (size_t k = 0; k < n_l; k++) {
            uint64_t order = grn_rng_key(seed, "embed.holdout", g->reg.gene_key[grn_arc_u(link[k])],
                                         g->reg.gene_key[grn_arc_v(link[k])]);
            g->link[n] = link[k];
            (*items)[n++] = (item_t){ order, link[k], (uint32_t)i };
        }
        free(link);
        link = NULL;
    }
    qsort(*items, n, sizeof **items, compare_items);
    g->n_link = unique(g->link, n);
    *n_items = n;
end:
    free(link);
    return rc;
}

/* Takes links out, group by group, while the share is not reached and no end would be left alone.
 * held: ascending. */
static grn_status choose_held(embed_graphs_t *g, double share, uint64_t seed, grn_arc_t **held)
{
    grn_status rc = GRN_OK;
    item_t *item = NULL;
    size_t n = 0, want;
    GRN_TRY(collect_items(g, seed, &item, &n));
    want = (size_t)(share * (double)g->n_link);
    GRN_TRY(GRN_NEW_RAW(*held, want));
    for (size_t i = 0, j; i < n && g->n_held_links < want; i = j) {
        uint32_t u = grn_arc_u(item[i].link), v = grn_arc_v(item[i].link);
        int ok = 1;
        for (j = i; j < n && item[j].link == item[i].link; j++) {
            const uint32_t *deg = g->graph[item[j].graph].degree_t;
            ok = ok && deg[u] > 1 && deg[v] > 1;
        }
        if (!ok) continue;
        for (size_t k = i; k < j; k++) {
            g->graph[item[k].graph].degree_t[u]--;
            g->graph[item[k].graph].degree_t[v]--;
        }
        (*held)[g->n_held_links++] = item[i].link;
    }
    qsort(*held, g->n_held_links, sizeof **held, compare_arcs);
end:
    free(item);
    return rc;
}

/* Both graphs of one context. */
static grn_status build_graph(embed_graphs_t *g, embed_graph_t *c, const grn_arc_t *held,
                              grn_dir dir)
{
    grn_status rc = GRN_OK;
    grn_arc_t *kept = NULL;
    size_t n_kept = 0, G = g->reg.genes.n;
    const grn_arc_t *arc = grn_regulation_type(&g->reg, (uint32_t)c->id, &c->n_arc);
    GRN_TRY(GRN_NEW_RAW(kept, c->n_arc));
    GRN_TRY(GRN_NEW_RAW(c->held, c->n_arc));
    for (size_t i = 0; i < c->n_arc; i++) {
        if (grn_arcs_has(held, g->n_held_links, link_of(arc[i]))) c->held[c->n_held++] = arc[i];
        else kept[n_kept++] = arc[i];
    }
    GRN_TRY(grn_csr_build(&c->full, G, arc, c->n_arc, dir));
    GRN_TRY(grn_csr_build(&c->train, G, kept, n_kept, dir));
    GRN_TRY(embed_nodes(kept, n_kept, G, &c->node_t, &c->n_node_t, c->degree_t));
end:
    free(kept);
    return rc;
}

grn_status embed_graphs_build(embed_graphs_t *g, const grn_edges_t *e, const grn_names_t *genes,
                              grn_dir dir, double share, uint64_t seed)
{
    grn_status rc = GRN_OK;
    uint32_t *order = NULL;
    grn_arc_t *held = NULL;
    memset(g, 0, sizeof *g);
    GRN_TRY(grn_regulation_build(e, genes, &g->reg));
    size_t K = g->reg.contexts.n;
    GRN_TRY(GRN_NEW_RAW(order, K));
    GRN_TRY(grn_names_sort(&g->reg.contexts, order));
    GRN_TRY(GRN_NEW(g->graph, K));
    for (size_t i = 0; i < K; i++) {
        size_t n_arc;
        (void)grn_regulation_type(&g->reg, order[i], &n_arc);
        if (n_arc == 0) continue;
        embed_graph_t *c = &g->graph[g->n++];
        c->id = order[i];
        c->key = grn_hash_str(grn_names_get(&g->reg.contexts, order[i]));
        GRN_TRY(GRN_NEW(c->degree_t, genes->n));
    }
    GRN_TRY(choose_held(g, share, seed, &held));
    for (size_t i = 0; i < g->n; i++) GRN_TRY(build_graph(g, &g->graph[i], held, dir));
end:
    free(order);
    free(held);
    if (rc) embed_graphs_clear(g);
    return rc;
}
