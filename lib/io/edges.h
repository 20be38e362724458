/* Regulatory edges: TF -> (region ->) gene, per context (cell type) and regulon, signed, with
 * evidence columns. Schema grn.edges/1.
 *
 * Structure of arrays of length n; a column that is absent is NULL. tf and gene index `genes` (one
 * dictionary: a TF is a gene), region indexes `regions` ("chrom:start-end", 0-based half-open as in
 * BED), context indexes `contexts`, regulon indexes `regulons`. Canonical order (grn_edges_sort):
 * by names of context, regulon, tf, gene, region - so that files do not depend on input order. */
#ifndef GRN_IO_EDGES_H
#define GRN_IO_EDGES_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/names.h"
#include "base/par.h"
#include "base/str.h"

typedef struct {
    char *name; /* "importance_tg", "rho_tg", "rho_rg", "nes", "distance", "support", "motif_score"
                   ... */
    float *v;   /* (n); NaN = not available */
} grn_evidence_t;

typedef struct {
    size_t n;
    uint32_t *tf, *gene, *region, *regulon;
    uint16_t *context;
    int8_t *sign;  /* +1, -1; 0 unknown */
    float *weight; /* strength, >= 0; NULL: all 1 */
    grn_evidence_t *ev;
    size_t n_ev;
    grn_names_t genes, regions, contexts, regulons;
} grn_edges_t;

void grn_edges_clear(grn_edges_t *e);

/* Allocates the named standard columns for n edges ("tf,gene,region,regulon,context,sign,weight":
 * any comma-separated subset); zeroed. */
grn_status grn_edges_alloc(grn_edges_t *e, size_t n, const char *columns) GRN_MUST_USE;
/* Adds an evidence column filled with NaN; *v points to it (borrowed). Existing name: the old one.
 */
grn_status grn_edges_evidence(grn_edges_t *e, const char *name, float **v) GRN_MUST_USE;
const float *grn_edges_find_evidence(const grn_edges_t *e, const char *name); /* NULL if absent */

/* Sorts rows canonically and rewrites the dictionaries in bytewise name order, dropping unused
 * names (genes kept in `genes` only if used). */
grn_status grn_edges_sort(grn_edges_t *e) GRN_MUST_USE;
/* Rows by index into a new object (dictionaries copied whole; call grn_edges_sort to trim). */
grn_status grn_edges_pick(const grn_edges_t *e, const size_t *pick, size_t n,
                          grn_edges_t *out) GRN_MUST_USE;
/* Ids in range, lengths agree, finite weights. */
grn_status grn_edges_validate(const grn_edges_t *e) GRN_MUST_USE;

grn_status grn_edges_save(const grn_edges_t *e, const char *path, const char *const *meta_kv,
                          grn_par_t *pool) GRN_MUST_USE; /* meta_kv: k,v,...,NULL or NULL */
grn_status grn_edges_load(const char *path, grn_par_t *pool, grn_edges_t *e) GRN_MUST_USE;

/* Name of the regulon of edge i, appended to the empty `name`: its own; without a column of regulons its TF and sign, "SPI1(+)",
 * "SPI1(-)", "SPI1". */
grn_status grn_edges_regulon_name(const grn_edges_t *e, size_t i, grn_str_t *name) GRN_MUST_USE;

/* "chr1:100-600" -> parts; chrom is copied (cap bytes). GRN_EFORMAT if it is not of this form. */
grn_status grn_region_parse(const char *name, char *chrom, size_t cap, uint64_t *start,
                            uint64_t *end) GRN_MUST_USE;

#endif
