#include "graph/arcs.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void grn_arcs_clear(grn_arcs_t *l)
{
    free(l->a);
    *l = (grn_arcs_t){ 0 };
}

grn_status grn_arcs_set(grn_arcs_t *l, const grn_arc_t *a, size_t n)
{
    if (GRN_GROW(l->a, l->cap, n) != GRN_OK) return GRN_ENOMEM;
    if (n > 0) memcpy(l->a, a, n * sizeof *a);
    l->n = n;
    return GRN_OK;
}

static int compare_arcs(const void *x, const void *y)
{
    grn_arc_t a = *(const grn_arc_t *)x, b = *(const grn_arc_t *)y;
    return (a > b) - (a < b);
}

void grn_arcs_normalise(grn_arcs_t *l)
{
    size_t k = 0;
    if (l->n == 0) return;
    qsort(l->a, l->n, sizeof *l->a, compare_arcs);
    for (size_t i = 0; i < l->n; i++) {
        if (grn_arc_u(l->a[i]) == grn_arc_v(l->a[i])) continue;
        if (k == 0 || l->a[k - 1] != l->a[i]) l->a[k++] = l->a[i];
    }
    l->n = k;
}

grn_status grn_arcs_edit(const grn_arc_t *a, size_t n_a, const grn_arc_t *b, size_t n_b, const grn_arc_t *c, size_t n_c,
                         grn_arcs_t *out)
{
    size_t i = 0, j = 0, k = 0, n = 0;
    if (GRN_GROW(out->a, out->cap, n_a + n_c) != GRN_OK) return GRN_ENOMEM;
    while (i < n_a || k < n_c) {
        while (i < n_a) { /* next kept arc of a */
            while (j < n_b && b[j] < a[i]) j++;
            if (j == n_b || b[j] != a[i]) break;
            i++;
        }
        if (i < n_a && (k == n_c || a[i] <= c[k])) {
            if (k < n_c && a[i] == c[k]) k++;
            out->a[n++] = a[i++];
        } else if (k < n_c) {
            out->a[n++] = c[k++];
        }
    }
    out->n = n;
    return GRN_OK;
}

int grn_arcs_has(const grn_arc_t *a, size_t n, grn_arc_t x)
{
    size_t lo = 0, hi = n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (a[mid] < x) lo = mid + 1;
        else hi = mid;
    }
    return lo < n && a[lo] == x;
}
