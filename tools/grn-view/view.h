/* What the parts of grn-view share: the options, the names asked for, the forms of output. */
#ifndef GRN_VIEW_VIEW_H
#define GRN_VIEW_VIEW_H

#include "base/file.h"
#include "base/opt.h"
#include "base/str.h"
#include "io/activity.h"
#include "io/bed.h"
#include "io/container.h"
#include "io/counts.h"
#include "io/edges.h"
#include "io/matrix.h"

typedef struct {
    const char *out, *format, *from, *tensor;
    const char *join, *active, *edges;
    int header, check, pg, tag, count;
    grn_opt_list_t tf, gene, region, context, cell, regulon, where;
    grn_counts_cli_t counts;
} view_opt_t;
extern view_opt_t view_opt;

typedef enum {
    VIEW_EDGES,
    VIEW_MATRIX,
    VIEW_ACTIVITY,
    VIEW_RESULT,
    VIEW_EMBEDDING,
    VIEW_LOWRANK,
    VIEW_OTHER,
    VIEW_COUNTS,
    VIEW_NETWORK,
    VIEW_GMT,
    VIEW_GENES,
    VIEW_BED,
    VIEW_FASTA,
    VIEW_FRAGMENTS,
    VIEW_MOTIFS,
    VIEW_MOTIF2TF
} view_kind;
/* What a file is: a container by its schema; else by its content (or --from). Stdin must be
 * rewindable. */
grn_status view_kind_of(const char *path, view_kind *kind) GRN_MUST_USE;
/* "-" as a path that can be opened: /proc/self/fd/0. */
const char *view_real_path(const char *path);
/* The form of output: --output-format, or `dflt` when that is "auto". */
int view_format_is(const char *word, const char *dflt);

/* ---- select.c: the names asked for ---- */

typedef struct {
    grn_names_t names; /* asked for */
    int given;         /* 0: everything passes */
} view_set_t;

typedef struct {
    view_set_t tf, gene, region, context, cell, regulon;
    grn_regions_t interval; /* --region as intervals, when all of them are */
    size_t n_where;
    const char **where_key, **where_value; /* parallel; key owned */
} view_sel_t;

grn_status view_sel_load(view_sel_t *s) GRN_MUST_USE;
void view_sel_clear(view_sel_t *s);
int view_sel_any(const view_sel_t *s);
/* 1 if name passes. */
int view_has(const view_set_t *s, const char *name);
/* keep[i] = 1 where name i of `have` was asked for; says how many are missing. GRN_EEMPTY when none
 * is there. `what`: "genes". */
grn_status view_mark(const view_set_t *s, const grn_names_t *have, const char *what,
                     const char *path, uint8_t *keep) GRN_MUST_USE;
/* The same for regions: by name, or by overlap when what was asked for are intervals. */
grn_status view_mark_regions(const view_sel_t *s, const grn_names_t *have, const char *path,
                             uint8_t *keep) GRN_MUST_USE;
/* Which entries of each dictionary of edges pass; NULL: all. */
typedef struct {
    uint8_t *tf, *gene, *region, *context, *regulon;
} view_mask_t;
/* Needs only the dictionaries and which columns there are; says which names are missing. Close in
 * any case. */
grn_status view_mask_open(view_mask_t *m, const view_sel_t *s, const grn_edges_t *e,
                          const char *path) GRN_MUST_USE;
void view_mask_close(view_mask_t *m);
/* Rows that pass, in order; pick: room for e->n. Returns how many. */
size_t view_mask_pick(const view_mask_t *m, const grn_edges_t *e, size_t *pick);
/* Columns of a matrix that pass (genes, regions, regulons): *pick malloc'ed, NULL when all do. */
grn_status view_pick_cols(const view_sel_t *s, const grn_matrix_t *info, const char *path,
                          uint32_t **pick, uint64_t *n) GRN_MUST_USE;
/* keep[i] for rows of a matrix by name, --where and --context (row attribute cell_type). */
grn_status view_mark_rows(const view_sel_t *s, const grn_matrix_t *info, const char *path,
                          uint8_t *keep) GRN_MUST_USE;

/* ---- one file per kind ---- */

grn_status view_matrix(const char *path, const char *dflt) GRN_MUST_USE; /* matrix.c */
grn_status view_edges(const char *path, view_kind kind,
                      const char *dflt) GRN_MUST_USE;                      /* edges.c */
grn_status view_activity(const char *path, const char *dflt) GRN_MUST_USE; /* activity.c */
grn_status view_summary(const char *path, view_kind kind) GRN_MUST_USE;    /* summary.c: -H */
grn_status view_check(const char *path, view_kind kind) GRN_MUST_USE;      /* summary.c: --check */
grn_status view_tensor(const char *path, const char *name) GRN_MUST_USE;   /* summary.c: --tensor */
grn_status view_merge(const grn_args_t *files) GRN_MUST_USE;               /* merge.c */

/* genome.c: what grn-build reads, as a table or as a summary of counts. */
grn_status view_genome(const char *path, view_kind kind, int summary, const char *out) GRN_MUST_USE;
grn_status view_embedding(const char *path) GRN_MUST_USE; /* embedding.c */
grn_status view_lowrank(const char *path) GRN_MUST_USE;   /* lowrank.c */

/* Edges in memory to the output chosen (network.c); rows already selected. `path`: for messages. */
grn_status view_write_edges(grn_edges_t *e, const char *path, const char *dflt) GRN_MUST_USE;
/* One row of the TSV of edges and its header (network.c). */
grn_status view_edges_head(grn_out_t *o, const grn_edges_t *e) GRN_MUST_USE;
grn_status view_edges_row(grn_out_t *o, const grn_edges_t *e, size_t i) GRN_MUST_USE;
/* Reads edges of any kind into memory: a container, a TF -> gene table, gene sets. */
grn_status view_load_edges(const char *path, view_kind kind, grn_edges_t *e) GRN_MUST_USE;

#endif
