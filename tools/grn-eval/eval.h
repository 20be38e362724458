/* The evaluations of grn-eval: one table entry and one run function each, and what they share. */
#ifndef GRN_EVAL_EVAL_H
#define GRN_EVAL_EVAL_H

#include "base/opt.h"
#include "io/edges.h"
#include "io/result.h"

extern const grn_subtool_t grn_eval_network;     /* TF -> gene edges against a known network */
extern const grn_subtool_t grn_eval_calibration; /* precision of edges over q */
extern const grn_subtool_t grn_eval_activity;    /* regulon activity against planted states */
extern const grn_subtool_t grn_eval_masked;      /* held-out reconstruction against gene means and ridge */
extern const grn_subtool_t grn_eval_regulons;    /* activity of regulons against expression of their TFs */
extern const grn_subtool_t grn_eval_attention;   /* attention of TFs and other genes, against rewired graphs */
extern const grn_subtool_t grn_eval_report;      /* one self-contained HTML page of results and figures */

/* Prints the table on stdout as TSV and, when `path` is not NULL, saves it there. */
grn_status grn_eval_emit(const grn_result_t *r, const char *path) GRN_MUST_USE;

/* Edges of any kind: a grn.edges container, else an adjacency table (SCENIC, BEELINE, CollecTRI,
 * TRRUST ...). e must be empty. */
grn_status grn_eval_load_edges(const char *path, grn_edges_t *e) GRN_MUST_USE;

/* "name=path" -> the two parts; without "=" (or when a file of the whole name exists) the name is
 * the base name of the path. */
void grn_eval_named(const char *operand, char *name, size_t cap, const char **path);

#endif
