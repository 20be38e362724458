/* Which cells a model trains on, is tuned on and is judged on. A function of names and a seed of its own, so that every
 * model and tool finds the same test cells: by donor where there are donors (whole donors are held out), else by cell. With
 * fewer than 5 donors only the test set is made of donors; validation cells are then drawn from the others.
 *
 * In a model file the split is the JSON text {"by":"cell|donor","seed":"1","test":0.15,"validation":0.1,"test_donors":[..],
 * "validation_donors":[..]} in the metadata key "split". */
#ifndef GRN_MODEL_SPLIT_H
#define GRN_MODEL_SPLIT_H

#include <stdint.h>

#include "base/err.h"
#include "io/matrix.h"

typedef enum { GRN_PART_TRAIN, GRN_PART_VALIDATION, GRN_PART_TEST } grn_part;
typedef enum { GRN_SPLIT_AUTO, GRN_SPLIT_CELL, GRN_SPLIT_DONOR } grn_split_by; /* AUTO: donor when there are at least 3 */

typedef struct {
    grn_split_by by; /* CELL or DONOR once built */
    uint64_t seed;
    double test, validation; /* share of cells, or of donors (rounded to nearest, at least one each) */
    grn_names_t test_donors, validation_donors;
    uint8_t *part; /* (C) grn_part of each cell of the matrix it was built for */
    size_t n[3];   /* cells in each part */
} grn_split_t;

/* Decides for the cells of m. By cell: the barcode's number in [0,1) below `test`, then below test + validation. By donor
 * (row attribute "donor"): donors in the order of their numbers; the first ones are test, the next validation (5 donors or
 * more; else cells of the other donors by their numbers); a cell without donor trains. GRN_EINVAL when donors are asked for
 * and there are fewer than 2; GRN_EEMPTY when no cell is left to train. */
grn_status grn_split_build(grn_split_t *s, const grn_matrix_t *m, grn_split_by by, uint64_t seed, double test,
                           double validation) GRN_MUST_USE;
/* The split of a model applied to a matrix: the same barcodes, or the same donors, fall into the same part. */
grn_status grn_split_apply(grn_split_t *s, const char *json, const grn_matrix_t *m) GRN_MUST_USE;
grn_status grn_split_json(const grn_split_t *s, char **out) GRN_MUST_USE;
void grn_split_clear(grn_split_t *s);

/* Cells of one part in an order that depends on names only (bytewise): malloc'ed ids in *cell, their number in *n. */
grn_status grn_split_cells(const grn_split_t *s, const grn_matrix_t *m, grn_part part, uint32_t **cell,
                           size_t *n) GRN_MUST_USE;

#endif
