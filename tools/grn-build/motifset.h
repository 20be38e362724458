/* Motif clusters: what one row of motif scores stands for. A cluster is one matrix, or all matrices of one file (the files of the
 * clustered cisTarget collection, "metacluster_1.1.cb"), which are scored jointly. */
#ifndef GRN_BUILD_MOTIFSET_H
#define GRN_BUILD_MOTIFSET_H

#include "base/opt.h"
#include "io/motifs.h"

typedef struct {
    size_t n;          /* clusters */
    grn_names_t names; /* (n) */
    size_t *first;     /* (n + 1) matrices of cluster i: motif[first[i]] .. motif[first[i + 1] - 1] */
    double *gap;       /* (n) the last "# GAP" among its matrices; NaN: none */
    size_t n_motif, cap, n_cap;
    grn_motif_t *motif; /* (n_motif) */
    double background[4]; /* of the last MEME file that gives one; 0 */
    size_t n_assumed;     /* matrices of probabilities without a number of sites: taken for 100 */
} grn_motifset_t;

void grn_motifset_clear(grn_motifset_t *s);

/* Loads files and folders. A folder: every motif file in it (.cb, .pfm, .meme, .jaspar, .transfac, .motif, .txt, also .gz), in name
 * order, each one cluster named after the file. A file: a cluster for each matrix, or, with `by_file`, one named after the file.
 * GRN_EFORMAT: two clusters of one name. Says what it read. */
grn_status grn_motifset_load(grn_motifset_t *s, const grn_opt_list_t *paths, int by_file) GRN_MUST_USE;

#endif
