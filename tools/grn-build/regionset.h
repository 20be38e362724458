/* Region sets (or gene sets) and what they are in a motif database.
 *
 * A set is a BED file; the files of one folder are a family, whose other members are the background of each. A region of a set
 * stands for the database regions that share more than a fraction of either of the two with it (pycistarget, target_to_query); one
 * whose very name is in the database stands for that alone. Sets are in order of family and name, whatever the order of operands. */
#ifndef GRN_BUILD_REGIONSET_H
#define GRN_BUILD_REGIONSET_H

#include "base/names.h"
#include "motifdb.h"

typedef struct { /* a database column and a region of the set that it stands for */
    uint32_t col, item;
} grn_setpair_t;

typedef struct {
    char *name, *path;
    uint32_t family;
    grn_regions_t region; /* as given; empty for genes */
    grn_names_t items;    /* "chrom:start-end" of each region, or the genes */
    size_t n_mapped;      /* items with a column */
    grn_setpair_t *pair;  /* (n_pair) by column, then item */
    size_t n_pair;
    uint32_t *col; /* (n) distinct columns, ascending */
    size_t n;
} grn_regionset_t;

typedef struct {
    grn_regionset_t *v;
    size_t n, cap;
    grn_names_t families, names;
} grn_regionsets_t;

void grn_regionsets_clear(grn_regionsets_t *s);
/* Operands: BED files, folders of *.bed (also .bed.gz), or GMT files when `genes`. Names are file names without ending; where two
 * families use one name it becomes family/name. Empty sets are left out, and it is said. GRN_EEMPTY: no set; GRN_EUSAGE: a file
 * twice. */
grn_status grn_regionsets_load(grn_regionsets_t *s, char *const *path, size_t n, int genes) GRN_MUST_USE;
/* One BED file as a set of its own. */
grn_status grn_regionset_load(grn_regionset_t *x, const char *path) GRN_MUST_USE;
void grn_regionset_clear(grn_regionset_t *x);

/* Fills pair, col and n_mapped against a database (again for another one). min_overlap: strict. Thread safe on distinct sets. */
grn_status grn_regionset_map(grn_regionset_t *x, const grn_motifdb_t *db, double min_overlap) GRN_MUST_USE;

/* Pairs [first, last) are those of a column. */
void grn_regionset_pairs(const grn_regionset_t *x, uint32_t col, size_t *first, size_t *last);

#endif
