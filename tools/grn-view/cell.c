/* The network of one cell, or of each of several: the edges of its context whose regulon is on in it. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "grn-view/percell.h"
#include "io/prov.h"
#include "io/tflist.h"

typedef struct {
    percell_t p;
    grn_names_t names; /* cells asked for that are there */
    uint64_t *bits;    /* (names.n, n_words) */
    uint16_t *context; /* (names.n) */
    float *n_cells;    /* (edges) how many of the cells have it */
    size_t *pick, n;   /* edges that some cell has, ascending */
} cells_t;

static void cells_clear(cells_t *c)
{
    grn_names_clear(&c->names);
    free(c->bits);
    free(c->context);
    free(c->n_cells);
    free(c->pick);
    percell_close(&c->p);
}

/* Barcodes, and @FILE with one a line. */
static grn_status load_barcodes(const grn_args_t *args, grn_names_t *d)
{
    grn_status rc = GRN_OK;
    for (int i = 0; i < args->n && !rc; i++)
        rc = args->v[i][0] == '@' ? grn_tflist_load(args->v[i] + 1, d, NULL) : grn_names_add(d, args->v[i], NULL, NULL);
    return rc;
}

static grn_status no_such_cell(const percell_t *p, const grn_names_t *asked)
{
    grn_status rc = GRN_OK;
    grn_str_t there = { 0 };
    const char *name;
    for (uint64_t i = 0; i < p->a->n_cells && i < 3; i++) {
        GRN_TRY(grn_ar_name(p->active, i, &name));
        GRN_TRY(grn_str_printf(&there, "%s%s", i ? ", " : "", name));
    }
    rc = grn_err(GRN_EINVAL, "'%s' has no cell '%s'%s; it has %s ... (%llu in all)", p->active_path, grn_names_get(asked, 0),
                 asked->n > 1 ? ", nor any of the others" : "", there.n ? there.s : "none", (unsigned long long)p->a->n_cells);
end:
    grn_str_clear(&there);
    return rc;
}

/* The rows of the cells asked for. */
static grn_status read_cells(cells_t *c, const grn_names_t *asked)
{
    grn_status rc = GRN_OK;
    const char *first = NULL;
    uint64_t row;
    GRN_TRY(GRN_NEW_RAW(c->bits, asked->n * c->p.a->n_words));
    GRN_TRY(GRN_NEW_RAW(c->context, asked->n));
    for (size_t i = 0; i < asked->n; i++) {
        const char *name = grn_names_get(asked, i);
        size_t n = c->names.n;
        GRN_TRY(grn_ar_find(c->p.active, name, &row));
        if (row == GRN_NO_CELL) {
            if (!first) first = name;
            continue;
        }
        GRN_TRY(grn_ar_rows(c->p.active, row, 1, c->bits + n * c->p.a->n_words, c->context + n));
        GRN_TRY(grn_names_add(&c->names, name, NULL, NULL));
    }
    if (!c->names.n) rc = no_such_cell(&c->p, asked);
    else if (first)
        grn_log_warn("%zu of %zu cells are not in '%s', for example '%s'", asked->n - c->names.n, asked->n, c->p.active_path, first);
end:
    return rc;
}

/* Rows of the edges that cell i may have: its context's. */
static const size_t *rows_of(const cells_t *c, size_t i, size_t *n)
{
    uint32_t g = c->p.context[c->context[i]];
    *n = g == PERCELL_NONE ? 0 : c->p.begin[g + 1] - c->p.begin[g];
    return g == PERCELL_NONE ? NULL : c->p.row + c->p.begin[g];
}

static grn_status count_edges(cells_t *c)
{
    grn_status rc = GRN_OK;
    const percell_t *p = &c->p;
    size_t total = 0, without = 0, bare = 0, on = 0, n;
    GRN_TRY(GRN_NEW(c->n_cells, p->e.n));
    for (size_t i = 0; i < c->names.n; i++) {
        const uint64_t *bits = c->bits + i * p->a->n_words;
        const size_t *row = rows_of(c, i, &n);
        size_t mine = 0;
        bare += !row;
        for (size_t k = 0; k < n; k++)
            if (percell_is_on(p, bits, row[k])) c->n_cells[row[k]]++, mine++;
        for (uint64_t w = 0; w < p->a->n_words; w++) on += (size_t)__builtin_popcountll(bits[w]);
        without += !mine;
        total += mine;
    }
    if (bare == c->names.n) GRN_TRY(percell_no_context(p, grn_names_get(&c->names, 0), c->context[0]));
    GRN_TRY(GRN_NEW_RAW(c->pick, p->e.n));
    for (size_t r = 0; r < p->e.n; r++)
        if (c->n_cells[r] > 0) c->pick[c->n++] = r;
    if (c->names.n == 1) grn_log_info("cell '%s': %zu regulons on, %zu of %zu edges", grn_names_get(&c->names, 0), on, c->n, p->e.n);
    else
        grn_log_info(
            "%zu cells: %.1f regulons on and %.1f edges each, %zu of %zu edges in all; %zu cells have none (%zu of a context without "
            "edges)",
            c->names.n, (double)on / (double)c->names.n, (double)total / (double)c->names.n, c->n, p->e.n, without, bare);
end:
    return rc;
}

/* One row a cell and edge, the cell in front when there are several. e: the edges in use; at[row]: which of them. */
static grn_status write_each(const cells_t *c, const grn_edges_t *e, const uint32_t *at)
{
    grn_status rc = GRN_OK;
    grn_out_t *o = NULL;
    int several = c->names.n > 1;
    GRN_TRY(grn_out_open(&o, view_opt.out, 0));
    if (view_opt.pg) GRN_TRY(grn_prov_text(o));
    if (several) GRN_TRY(grn_out_puts(o, "cell\t"));
    GRN_TRY(view_edges_head(o, e));
    for (size_t i = 0; i < c->names.n; i++) {
        size_t n;
        const size_t *row = rows_of(c, i, &n);
        for (size_t k = 0; k < n; k++) {
            if (!percell_is_on(&c->p, c->bits + i * c->p.a->n_words, row[k])) continue;
            if (several) GRN_TRY(grn_out_printf(o, "%s\t", grn_names_get(&c->names, i)));
            GRN_TRY(view_edges_row(o, e, at[row[k]]));
        }
    }
    rc = grn_out_commit(o);
    o = NULL;
end:
    grn_out_abort(o);
    return rc;
}

/* A table has each cell's edges; the other forms hold one network: what any of the cells has, with the number of cells. */
static grn_status write_cells(const cells_t *c)
{
    grn_status rc = GRN_OK;
    grn_edges_t e = { 0 };
    uint32_t *at = NULL;
    float *count;
    GRN_TRY(grn_er_rows(c->p.edges, c->pick, c->n, &e));
    if (view_format_is("tsv", "tsv")) {
        GRN_TRY(GRN_NEW_RAW(at, c->p.e.n));
        for (size_t k = 0; k < c->n; k++) at[c->pick[k]] = (uint32_t)k;
        rc = write_each(c, &e, at);
        goto end;
    }
    if (c->names.n > 1) {
        GRN_TRY(grn_edges_evidence(&e, "n_cells", &count));
        for (size_t k = 0; k < c->n; k++) count[k] = c->n_cells[c->pick[k]];
    }
    rc = view_write_edges(&e, c->p.edges_path, "tsv");
end:
    grn_edges_clear(&e);
    free(at);
    return rc;
}

grn_status view_cell(const grn_args_t *barcodes)
{
    grn_status rc = GRN_OK;
    cells_t c = { 0 };
    grn_names_t asked = { 0 };
    GRN_TRY(load_barcodes(barcodes, &asked));
    if (!asked.n) GRN_FAIL(GRN_EUSAGE, "'%s' names no cell", barcodes->v[0] + 1);
    GRN_TRY(percell_open(&c.p, 1, ""));
    GRN_TRY(read_cells(&c, &asked));
    GRN_TRY(count_edges(&c));
    if (c.n || view_format_is("tsv", "tsv")) GRN_TRY(write_cells(&c));
    if (!c.n)
        rc = grn_err(GRN_EEMPTY, "no edge of '%s' that passes is active in %s%s'%s'", c.p.edges_path,
                     c.names.n > 1 ? "any of the cells, " : "cell ", c.names.n > 1 ? "the first of which is " : "",
                     grn_names_get(&c.names, 0));
end:
    grn_names_clear(&asked);
    cells_clear(&c);
    return rc;
}
