/* Gene sets in GMT form: name TAB description TAB gene TAB gene ... A gene listed twice in a set counts once; empty sets are
 * kept. */
#ifndef GRN_IO_GMT_H
#define GRN_IO_GMT_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/file.h"
#include "base/names.h"

typedef struct {
    size_t n;              /* sets */
    grn_names_t sets;      /* (n) unique */
    grn_names_t genes;     /* all genes, order of appearance */
    uint64_t *off;         /* (n + 1) into gene */
    uint32_t *gene;        /* (off[n]) into genes */
    char **desc;           /* (n) */
    uint64_t n_duplicate;  /* genes listed again in the same set */
} grn_gmt_t;

void grn_gmt_clear(grn_gmt_t *g);
/* GRN_EFORMAT with path and line: fewer than two fields, a set name seen before. */
grn_status grn_gmt_load(const char *path, grn_gmt_t *g) GRN_MUST_USE;
/* Genes are written in the order held. */
grn_status grn_gmt_write(const grn_gmt_t *g, grn_out_t *o) GRN_MUST_USE;

#endif
