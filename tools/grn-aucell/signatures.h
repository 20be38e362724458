/* Gene or region sets as files list them: edges of the tools and GMT, one file or several. */
#ifndef GRN_AUCELL_SIGNATURES_H
#define GRN_AUCELL_SIGNATURES_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/names.h"
#include "base/par.h"

typedef struct {
    uint32_t set, gene;
    float weight; /* 1 in a GMT */
} aucell_member_t;

/* Sets in bytewise order of their names; members by set, then gene; a gene once a set, with its largest weight. */
typedef struct {
    grn_names_t sets, genes; /* genes: or regions */
    aucell_member_t *m;
    size_t n, cap;
} aucell_signatures_t;

typedef struct {
    const char *const *path; /* (n_paths) edges container or GMT, told apart by content; "-": edges */
    size_t n_paths;
    int regions;   /* members are the edges' regions, not their genes */
    int weights;   /* weights are wanted: a GMT is an error */
    int with_file; /* sets are called FILE:SET, FILE the name of their file up to its first dot */
} aucell_signatures_opt_t;

/* Edges without regulons are grouped by TF and sign: "SPI1(+)", "SPI1(-)", "SPI1". The same set in two files is GRN_EFORMAT and names
 * both. s: cleared first; freed by aucell_signatures_clear. */
grn_status aucell_signatures_load(const aucell_signatures_opt_t *opt, grn_par_t *pool, aucell_signatures_t *s) GRN_MUST_USE;
void aucell_signatures_clear(aucell_signatures_t *s); /* accepts zeroed */

#endif
