#include "io/gmt.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "io/text.h"

void grn_gmt_clear(grn_gmt_t *g)
{
    for (size_t i = 0; g->desc && i < g->n; i++) free(g->desc[i]);
    free(g->desc);
    free(g->off);
    free(g->gene);
    grn_names_clear(&g->sets);
    grn_names_clear(&g->genes);
    memset(g, 0, sizeof *g);
}

typedef struct {
    size_t set_cap, desc_cap, gene_cap, seen_cap;
    uint32_t *seen; /* per gene: 1 + the last set it was put into */
} room_t;

static grn_status add_gene(grn_gmt_t *g, room_t *room, const char *name, size_t n)
{
    grn_status rc;
    size_t k, old = room->seen_cap;
    if ((rc = grn_names_add_n(&g->genes, name, n, &k, NULL)) || (rc = GRN_GROW(room->seen, room->seen_cap, k + 1))) return rc;
    if (room->seen_cap > old) memset(room->seen + old, 0, (room->seen_cap - old) * sizeof *room->seen);
    if (room->seen[k] == g->n) {
        g->n_duplicate++;
        return GRN_OK;
    }
    room->seen[k] = (uint32_t)g->n;
    uint64_t at = g->off[g->n];
    if ((rc = GRN_GROW(g->gene, room->gene_cap, at + 1))) return rc;
    g->gene[at] = (uint32_t)k;
    g->off[g->n]++;
    return GRN_OK;
}

static grn_status add_set(grn_gmt_t *g, room_t *room, grn_text_t *t, const char *line)
{
    grn_status rc = GRN_OK;
    const char *tab = strchr(line, '\t');
    int is_new;
    if (!tab || tab == line) return grn_text_fail(t, GRN_EFORMAT, "GMT needs a set name, a tab and a description");
    const char *rest = strchr(tab + 1, '\t');
    size_t desc_n = rest ? (size_t)(rest - tab - 1) : strlen(tab + 1);
    GRN_TRY(grn_names_add_n(&g->sets, line, (size_t)(tab - line), NULL, &is_new));
    if (!is_new) return grn_text_fail(t, GRN_EFORMAT, "the set '%.*s' was there before", (int)(tab - line), line);
    GRN_TRY(GRN_GROW(g->off, room->set_cap, g->n + 2));
    GRN_TRY(GRN_GROW(g->desc, room->desc_cap, g->n + 1));
    if (!(g->desc[g->n] = strndup(tab + 1, desc_n))) GRN_FAIL(GRN_ENOMEM, "out of memory");
    if (!g->n) g->off[0] = 0;
    g->n++;
    g->off[g->n] = g->off[g->n - 1];
    while (rest) {
        const char *s = rest + 1;
        rest = strchr(s, '\t');
        size_t n = rest ? (size_t)(rest - s) : strlen(s);
        if (n) GRN_TRY(add_gene(g, room, s, n));
    }
end:
    return rc;
}

grn_status grn_gmt_load(const char *path, grn_gmt_t *g)
{
    grn_status rc = GRN_OK;
    grn_text_t *t = NULL;
    room_t room = { 0 };
    char *line;
    int got;
    GRN_TRY(grn_text_open(&t, path));
    GRN_TRY(GRN_GROW(g->off, room.set_cap, 1));
    g->off[0] = 0;
    while ((got = grn_text_next(t, &line, NULL)) > 0)
        if (line[0] && line[0] != '#') GRN_TRY(add_set(g, &room, t, line));
    if (got < 0) rc = (grn_status)got;
end:
    free(room.seen);
    grn_text_close(t);
    if (rc) grn_gmt_clear(g);
    return rc;
}

grn_status grn_gmt_write(const grn_gmt_t *g, grn_out_t *o)
{
    grn_status rc = GRN_OK;
    for (size_t i = 0; i < g->n; i++) {
        GRN_TRY(grn_out_printf(o, "%s\t%s", grn_names_get(&g->sets, i), g->desc[i]));
        for (uint64_t k = g->off[i]; k < g->off[i + 1]; k++) GRN_TRY(grn_out_printf(o, "\t%s", grn_names_get(&g->genes, g->gene[k])));
        GRN_TRY(grn_out_puts(o, "\n"));
    }
end:
    return rc;
}
