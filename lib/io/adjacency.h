/* TF -> gene tables as text: SCENIC adjacencies (TF, target, importance), signed prior networks (CollecTRI, DoRothEA, TRRUST),
 * BEELINE reference networks (Gene1, Gene2[, Type]), and two-column edge lists. Tab or comma separated, with or without header
 * (TRRUST has none), compressed or not.
 *
 * One edge per (TF, gene): rows seen again are merged; their sign stays only if all signed rows agree (else 0), weight is the
 * maximum. Columns by header name (any case): tf|source|regulator|gene1; target|gene|gene2; importance|weight|score -> weight
 * (negative: sign -1); mor|interaction|sign|type|effect|mode -> sign: words (Activation, upregulates-..., stimulation, +) and
 * (Repression, downregulates-..., inhibition, -), or a number. */
#ifndef GRN_IO_ADJACENCY_H
#define GRN_IO_ADJACENCY_H

#include <stdint.h>

#include "io/edges.h"

typedef struct {
    uint64_t n_rows;      /* data rows read */
    uint64_t n_kept;      /* after the confidence filter */
    uint64_t n_merged;    /* rows joined to an earlier edge */
    uint64_t n_conflict;  /* edges whose rows disagree in sign: sign 0 */
    uint64_t n_pos, n_neg; /* edges of sign + and - */
    int has_weight, has_sign;
} grn_adjacency_info_t;

/* Columns of e: tf, gene, sign, weight (1 where the file has none; |value| otherwise); e must be empty, in order of first
 * appearance. `confidence`: keep only rows whose "confidence" column is one of these letters ("ABC"); NULL keeps all. info may
 * be NULL. GRN_EFORMAT with path and line; GRN_EEMPTY when no edge is left. */
grn_status grn_adjacency_load(const char *path, const char *confidence, grn_edges_t *e, grn_adjacency_info_t *info) GRN_MUST_USE;

#endif
