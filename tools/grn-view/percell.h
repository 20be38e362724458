/* What `cell`, `cells` and `diff` share. The network of a cell is a mask over the edges: those of the cell's context whose regulon is
 * on in it. Here are the two files opened (neither of them read whole) and the edges that any cell could have. */
#ifndef GRN_VIEW_PERCELL_H
#define GRN_VIEW_PERCELL_H

#include "grn-view/view.h"
#include "io/activity_read.h"
#include "io/edges_read.h"

#define PERCELL_NONE UINT32_MAX

typedef struct {
    const char *active_path, *edges_path;
    grn_ar_t *active;
    const grn_activity_t *a; /* its sizes and dictionaries */
    grn_er_t *edges;
    grn_edges_t e;     /* columns context and regulon, those that the choice asks for, and `columns` */
    uint32_t *regulon; /* (regulons of the edges) number in the activity file; PERCELL_NONE */
    uint32_t *context; /* (contexts of the activity) number among `n_groups`; PERCELL_NONE: no edge is of it */
    size_t n_groups;   /* contexts of the edges; 1 when they have none: every edge is of every cell then */
    size_t *begin,
        *row; /* rows of the edges that pass the choice and whose regulon is known: row[begin[g] .. begin[g + 1]), ascending */
} percell_t;

/* Opens --active and --edges, applies --tf, --gene, --region, --regulon. is_forced: all cells take the edges of --context; else
 * --context chooses edges. columns: "tf,gene" ...: more columns of the edges to have in p->e. Fails when no regulon is common
 * (GRN_ESHAPE), no context is (GRN_EEMPTY), or no edge passes the choice (GRN_EEMPTY). */
grn_status percell_open(percell_t *p, int is_forced, const char *columns) GRN_MUST_USE;
void percell_close(percell_t *p);
/* Says that contexts differ, for a cell of one that has no edges. */
grn_status percell_no_context(const percell_t *p, const char *cell, uint32_t context) GRN_MUST_USE;

static inline int percell_is_on(const percell_t *p, const uint64_t *bits, size_t row)
{
    uint32_t r = p->regulon[p->e.regulon[row]];
    return (int)(bits[r / 64] >> (r % 64) & 1);
}

grn_status view_cell(const grn_args_t *barcodes) GRN_MUST_USE; /* cell.c */
grn_status view_cells(void) GRN_MUST_USE;                      /* cells.c */

#endif
