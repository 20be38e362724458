/* Cells of two assays joined by barcode, and cell types. */
#ifndef GRN_BUILD_CELLS_H
#define GRN_BUILD_CELLS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "funnel.h"
#include "io/matrix.h"

/* The join. Exact names first; then, among the names left on both sides, names without a final
 * "-DIGITS" (CellRanger's well suffix), where that leaves exactly one on each side. Cells are in
 * bytewise order of the name in `a`, so that nothing computed over them depends on the order of the
 * files. */
typedef struct {
    size_t n;                   /* cells in both */
    uint32_t *a, *b;            /* (n) row in a, row in b */
    size_t n_exact, n_stripped; /* joined as written; joined after dropping the suffix */
    size_t n_ambiguous; /* names of a that several names would match once stripped: left out */
} grn_cells_t;

void grn_cells_clear(grn_cells_t *c);
/* b NULL: every cell of a, c->b NULL. GRN_EEMPTY when no cell matches: both first names are shown.
 */
grn_status grn_cells_match(const grn_names_t *a, const char *a_path, const grn_names_t *b,
                           const char *b_path, grn_cells_t *c) GRN_MUST_USE;

/* The cell type of each row of a matrix: code into `types`, -1 unknown. Types come from the row
 * attribute "cell_type"; without one, from the cell of the same name (by the join above) in
 * `other`; without that, all cells are of type "all". `types` gets the names seen, in bytewise
 * order. */
typedef struct {
    int32_t *code;   /* (rows) */
    size_t *n_cells; /* (types.n) */
    grn_names_t types;
    int is_default;   /* 1: no types were given, everything is "all" */
    size_t n_unknown; /* rows without a type */
} grn_types_t;

void grn_types_clear(grn_types_t *t);
grn_status grn_types_load(const grn_matrix_t *m, const grn_matrix_t *other,
                          const grn_types_t *other_types, grn_types_t *t) GRN_MUST_USE;
/* Says which types have fewer than min_cells cells, and that everything is "all" or has no type; the step goes to the funnel. */
grn_status grn_types_check(const grn_types_t *t, uint64_t min_cells, grn_funnel_t *f) GRN_MUST_USE;
/* on[t, to(j)] = column j has a count in at least frac of the cells of type t. count: (types, n_cols) such cells. map[j]: place of column
 * j in on (types, n_on), UINT32_MAX: none; NULL: j. */
void grn_types_mark_on(const uint32_t *count, const grn_types_t *types, size_t n_cols, const uint32_t *map, size_t n_on, double frac,
                       uint8_t *on);

#endif
