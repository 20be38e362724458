#include "graph/csr.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void grn_csr_clear(grn_csr_t *g)
{
    free(g->off);
    free(g->adj);
    *g = (grn_csr_t){ 0 };
}

static int compare_ids(const void *x, const void *y)
{
    uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;
    return (a > b) - (a < b);
}

/* With both directions a row is its in-neighbours (ascending) followed by its out-neighbours (ascending): sort and drop
 * repeats, and close the gaps. */
static void merge_rows(grn_csr_t *g)
{
    size_t k = 0, begin = 0;
    for (size_t v = 0; v < g->n_nodes; v++) {
        size_t end = g->off[v + 1], row = k;
        uint32_t *a = g->adj + begin;
        int sorted = 1;
        for (size_t i = 1; i < end - begin; i++) sorted &= a[i - 1] < a[i];
        if (!sorted) qsort(a, end - begin, sizeof *a, compare_ids);
        for (size_t i = begin; i < end; i++) {
            if (k == row || g->adj[k - 1] != g->adj[i]) g->adj[k++] = g->adj[i];
        }
        begin = end;
        g->off[v + 1] = k;
    }
}

grn_status grn_csr_build(grn_csr_t *g, size_t n_nodes, const grn_arc_t *arc, size_t n, grn_dir dir)
{
    grn_status rc = GRN_OK;
    int in = dir != GRN_DIR_OUT, out = dir != GRN_DIR_IN;
    GRN_TRY(GRN_GROW(g->off, g->off_cap, n_nodes + 2));
    GRN_TRY(GRN_GROW(g->adj, g->adj_cap, n * (size_t)(in + out)));
    g->n_nodes = n_nodes;
    memset(g->off, 0, (n_nodes + 2) * sizeof *g->off);
    size_t *at = g->off + 1; /* counts shifted by one: filling turns starts into ends */
    for (size_t i = 0; i < n; i++) {
        uint32_t u = grn_arc_u(arc[i]), v = grn_arc_v(arc[i]);
        if (u >= n_nodes || v >= n_nodes) GRN_FAIL(GRN_EINVAL, "arc %u -> %u in a graph of %zu nodes", u, v, n_nodes);
        if (in) at[v + 1]++;
        if (out) at[u + 1]++;
    }
    for (size_t v = 0; v < n_nodes; v++) at[v + 1] += at[v];
    if (in)
        for (size_t i = 0; i < n; i++) g->adj[at[grn_arc_v(arc[i])]++] = grn_arc_u(arc[i]);
    if (out)
        for (size_t i = 0; i < n; i++) g->adj[at[grn_arc_u(arc[i])]++] = grn_arc_v(arc[i]);
    if (in && out) merge_rows(g);
end:
    return rc;
}
