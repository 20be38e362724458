/* Which TFs each motif of a database stands for, of what kind of evidence, and which TFs are lost on the way.
 *
 * Names are compared exactly. Without a table a motif stands for the TF of its name, or of its part before the first '_', if that
 * is a listed TF (as in tfsites.h). compat: as pycistarget's regular expression, a TF also takes the motifs of every TF whose name
 * ends with its own (AR those of STAR-like names, a '.' matching any letter). */
#ifndef GRN_BUILD_ANNOTATE_H
#define GRN_BUILD_ANNOTATE_H

#include "base/names.h"
#include "base/par.h"
#include "io/motif2tf.h"

typedef struct {
    uint32_t tf;  /* into tfs */
    uint8_t kind; /* GRN_M2T_ bits */
} grn_motiftf_t;

typedef struct {
    size_t M;
    grn_names_t tfs;             /* every TF of the table, or of the names; kept or not */
    uint8_t *listed, *expressed; /* (tfs.n) in --tfs; in the matrix; 1 where not asked */
    uint32_t *n_motifs;          /* (tfs.n) motifs of the database that stand for it by the kinds that count */
    size_t *off;                 /* (M + 1) into v */
    grn_motiftf_t *v;            /* of TFs that are listed and expressed, by name of TF within a motif */
    size_t cap;
    size_t n_annotated; /* motifs with a TF of the table, kept or not, by the kinds that count */
    size_t n_used;      /* motifs with a TF that is kept */
    size_t n_by_prefix;
    int has_table, has_tfs, has_matrix;
} grn_annotation_t;

typedef struct {
    const char *motif2tf, *tfs, *matrix; /* paths, each may be NULL */
    int kinds;                           /* GRN_M2T_ bits that count */
    int compat;
    const grn_motif2tf_opt_t *filter; /* of the rows of motif2tf; NULL: the defaults */
} grn_annotation_opt_t;

void grn_annotation_clear(grn_annotation_t *a);
/* GRN_EEMPTY: no motif of the table in the database, or no TF of it among those listed (with first names of both). */
grn_status grn_annotation_load(grn_annotation_t *a, const grn_annotation_opt_t *o, const grn_names_t *motifs,
                               grn_par_t *pool) GRN_MUST_USE;
/* "direct,similar,orthology,both" -> bits. GRN_EUSAGE. */
grn_status grn_annotation_kinds(const char *list, int *kinds) GRN_MUST_USE;

#endif
