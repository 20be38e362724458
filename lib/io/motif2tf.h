/* Which TFs a motif stands for: two-column tables, the cisTarget motif annotation (.tbl), RcisTarget's tables, gimmemotifs'
 * motif2factors.
 *
 * Names are compared exactly, never by pattern. A TF cell that lists several ("JUN::FOS", "AHR, ARNT") gives each of them.
 * Evidence (pycistarget's classes): direct; by motif similarity; by orthology; by both. cisTarget rows are kept when
 * motif_similarity_qvalue <= max_q and orthologous_identity >= min_identity. gimme: Curated Y is direct, N similarity; its
 * "MA0006.1.Ahr" factors lose the matrix id. */
#ifndef GRN_IO_MOTIF2TF_H
#define GRN_IO_MOTIF2TF_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/names.h"

enum { GRN_M2T_DIRECT = 1, GRN_M2T_SIMILAR = 2, GRN_M2T_ORTHOLOG = 4, GRN_M2T_BOTH = 8, GRN_M2T_ANY = 15 };

typedef struct {
    size_t n;                /* distinct (motif, TF) pairs, in order of first appearance */
    uint32_t *motif, *tf;    /* (n) into motifs, tfs */
    uint8_t *kind;           /* (n) union of GRN_M2T_ bits over the rows of the pair */
    grn_names_t motifs, tfs;
    const char *format;      /* "two columns", "cisTarget", "RcisTarget", "gimme" */
    uint64_t n_rows, n_rows_kept, n_stripped; /* rows read; kept by the filters; factors that lost a matrix id */
} grn_motif2tf_t;

typedef struct {
    double max_q, min_identity;
    int kinds; /* which GRN_M2T_ classes to keep */
} grn_motif2tf_opt_t;
#define GRN_MOTIF2TF_OPT_INIT { 0.001, 0.0, GRN_M2T_ANY }

void grn_motif2tf_clear(grn_motif2tf_t *t);
/* opt NULL: the defaults above. GRN_EFORMAT with path and line; GRN_EEMPTY when no pair is left (with the counts). */
grn_status grn_motif2tf_load(const char *path, const grn_motif2tf_opt_t *opt, grn_motif2tf_t *t) GRN_MUST_USE;
/* The pairs grouped by motif: those of motif m are (*pair)[(*first)[m]] .. (*pair)[(*first)[m + 1] - 1]. Both malloc'ed. */
grn_status grn_motif2tf_by_motif(const grn_motif2tf_t *t, size_t **first, size_t **pair) GRN_MUST_USE;

#endif
