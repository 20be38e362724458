/* grn-view why: what is behind an edge of the regulons, or behind its absence. The filters of
 * `grn-build regulon` are gone through again for one TF, with the thresholds that the regulons'
 * metadata tell and what the files given hold; what they do not hold stays unknown, unless the
 * regulons themselves show that a filter was passed. */
#ifndef GRN_VIEW_WHY_H
#define GRN_VIEW_WHY_H

#include "grn-view/view.h"

typedef struct {
    const char *tf_gene, *region_gene, *cistromes, *scan, *hits, *motif2tf, *rna, *atac;
    const char *atac_feature_type, *atac_layer, *format;
} why_cli_t;
extern why_cli_t why_cli;

enum { WHY_NO, WHY_YES, WHY_UNKNOWN };
enum { WHY_DIRECT, WHY_EXTENDED, WHY_KINDS };
enum {
    WHY_TG_NEGATIVE = 1,
    WHY_RG_NEGATIVE = 2,
    WHY_IS_EXTENDED = 4,
    WHY_COMBOS = 8
}; /* signs and kind of a regulon */
#define WHY_NONE UINT32_MAX

/* In the order in which they are gone through. */
typedef enum {
    WHY_TG_LINK,
    WHY_TG_RHO,
    WHY_TG_FDR,
    WHY_TG_SIGN, /* the next three: RNA only */
    WHY_TOP_TARGETS,
    WHY_TOP_REGULATORS,
    WHY_HAS_REGION,
    WHY_MOTIF,
    WHY_RG_RHO,
    WHY_RG_FDR,
    WHY_RG_SIGN,
    WHY_GENE_SET, /* gsea */
    WHY_TYPE_CELLS,
    WHY_TF_FRAC,
    WHY_GENE_FRAC,
    WHY_REGION_FRAC,
    WHY_MIN_TARGETS,
    WHY_FILLED, /* an extended regulon that gave way to the direct one */
    WHY_N_FILTERS,
    WHY_UNEXPLAINED = WHY_N_FILTERS, /* passes everything, and is not there */
    WHY_OPEN,                        /* cannot be told with what was given */
    WHY_KEPT
} why_filter;
extern const char *const why_filter_name[WHY_KEPT + 1]; /* in the TSV */

typedef struct {      /* how a candidate ended */
    why_filter at;    /* the first filter that it does not pass; or one of the last three */
    uint32_t unknown; /* bit f: filter f cannot be told */
    double value;     /* what was compared with the threshold; NaN: nothing */
    uint32_t type;    /* the type it ended in; WHY_NONE: before the types */
} why_end_t;

typedef struct { /* the metadata "options" of the regulons */
    int gsea, rna_only, sp_tg, sp_rg, all_signs, all_types, fill, extended, autoregulation,
        prior_only, prior_add;
    double min_rho, max_fdr, max_q, gsea_fdr, min_tf_frac, min_gene_frac, min_region_frac, min_type_cells,
        min_targets, top_targets, top_regulators;
} why_opt_t;

typedef struct { /* a region in the TF's cistrome, or with its motif */
    uint8_t has;
    float score, nes;
    uint32_t motif; /* line of w->motifs; WHY_NONE: not told */
} why_site_t;

typedef struct {                   /* a candidate */
    uint32_t gene, region, tg, rg; /* ids; rows of the link files, WHY_NONE: no link or no file */
    uint8_t combo;
    why_end_t pre; /* before the types; at WHY_KEPT: nothing stopped it */
} why_triplet_t;

typedef struct { /* an edge of the TF in the regulons */
    uint32_t gene, region, type, row;
    uint8_t combo; /* without WHY_IS_EXTENDED where the name does not tell */
} why_edge_t;

typedef struct {
    const char *path;
    why_opt_t opt;
    grn_names_t motifs;
    struct { /* paths in use; NULL: not given. hint: what the regulons were made from */
        const char *tf_gene, *region_gene, *motifs;
    } file;
    void *hints; /* json_t of the metadata "files", or NULL */
    grn_edges_t e, tg, rg;
    int has_tg, has_rg, has_sites, has_rna, has_atac;
    grn_names_t tfs;                   /* TFs of all files */
    grn_names_t genes, regions, types; /* of all files; ids of e, tg and rg are changed to these */
    grn_regions_t places;              /* of `regions` */
    uint32_t tf, gene;                 /* asked about; gene WHY_NONE: none */
    uint8_t *asked;                    /* (types) --context */
    const float *r_tg, *r_rg, *imp_tg, *imp_rg, *fdr_tg,
        *fdr_rg;                 /* borrowed; imp: NULL: |r| stands in */
    why_site_t *site[WHY_KINDS]; /* (regions) */
    /* counts of cells; NULL without the matrix */
    uint32_t *gene_cells, *region_cells; /* (types, genes), (types, regions) */
    uint64_t *rna_cells, *atac_cells;    /* (types) */
    uint8_t *in_rna;                     /* (genes) */
    double *tf_open; /* (types) of a TF that the RNA lacks: share of what is open in the regions
                        with its motif, over the mean of the types; NULL: RNA decides */
    /* what the edges show to have passed */
    uint8_t *tf_seen, *gene_seen, *region_seen; /* (types), (types, genes), (types, regions) */
    why_edge_t *edge;                           /* of the TF, by (gene, region, type, combo) */
    size_t n_edge;
    uint8_t *has_regulon; /* (types, WHY_COMBOS) */
    int made_direct[4];   /* signs whose regulon is of the direct cistrome */
    /* what could have been */
    why_triplet_t
        *all; /* of the TF: every region with its motif and linked gene; needs tg, rg and sites */
    size_t n_all;
    uint32_t *n_sure, *n_maybe;  /* (types, WHY_COMBOS) genes of the regulon before min-targets */
    uint32_t n_most[WHY_COMBOS]; /* the same without asking about types */
    uint32_t *tg_row;            /* (genes) the TF's link + 1; 0: none */
    uint32_t
        *before[2]; /* RNA only: (genes) links of the TF, of the gene, before the one of both */
    size_t n_ranking[2]; /* gsea: targets of each sign in the TF's ranking */
} why_t;

/* why_load.c */
grn_status why_load(why_t *w, const char *path, const char *tf, const char *gene) GRN_MUST_USE;
void why_clear(why_t *w);
/* Lines of the metadata "motifs", appended in order; text may be NULL. */
grn_status why_motifs(const char *text, grn_names_t *motifs) GRN_MUST_USE;
/* The place of a region of another file among w->regions, chromosome spelling reconciled; WHY_NONE.
 */
uint32_t why_region(const why_t *w, const char *name);
/* The file given, or the one the regulons were made from where it still is; NULL. */
const char *why_choose(const why_t *w, const char *given, const char *key);
/* What the regulons were made from: "rna", "atac", "tf-gene" ...; NULL: not told. */
const char *why_hint(const why_t *w, const char *key);
/* why_sites.c: fills w->site of the TF from cistromes, scan or hits; names of TFs it met go to
 * w->tfs. */
grn_status why_sites(why_t *w, const char *tf) GRN_MUST_USE;
/* why_names.c: ids of the TF and the gene; GRN_EEMPTY with near names where no file has them. */
grn_status why_names(why_t *w, const char *tf, const char *gene) GRN_MUST_USE;
/* why_cells.c: the counts of cells. */
grn_status why_cells(why_t *w) GRN_MUST_USE;
/* why_filter.c: candidates and sizes of regulons. */
grn_status why_candidates(why_t *w) GRN_MUST_USE;
/* The TF -> gene link; value: what was compared. at WHY_KEPT: passes. */
why_end_t why_link(const why_t *w, uint32_t gene);
/* A region (WHY_NONE: RNA only) of the gene, by kind: before the types, and in one. rg: row of the
 * link. */
why_triplet_t why_triplet(const why_t *w, uint32_t gene, uint32_t region, uint32_t rg, int kind);
why_end_t why_in_type(const why_t *w, const why_triplet_t *t, uint32_t type);
/* 1 if b went further than a: past more filters, or nearer to passing the same one. */
int why_is_further(why_end_t a, why_end_t b);
/* The row of the regulons with this edge, of any kind; WHY_NONE. */
uint32_t why_row(const why_t *w, uint32_t gene, uint32_t region, uint32_t type, int combo);
/* Share of cells; NaN: unknown. region: instead of the gene. */
double why_frac(const why_t *w, uint32_t type, uint32_t gene, uint32_t region);
/* |r| where the file has no importance. */
double why_importance(const why_t *w, int is_tg, uint32_t row);
/* why_gene.c, why_tf.c: what is printed. */
grn_status why_print_gene(const why_t *w, grn_out_t *o, int tsv) GRN_MUST_USE;
grn_status why_print_tf(const why_t *w, grn_out_t *o, int tsv) GRN_MUST_USE;
/* why_print.c */
#define WHY_TSV_HEAD "what\tof\tcontext\tkey\tvalue\n"
typedef struct {    /* a table for people: columns as wide as needed */
    grn_str_t text; /* cells, NUL-ended */
    size_t *off, cap, n, n_cols;
    uint32_t left; /* bit c: column c is aligned left; a left last column is not padded */
} why_table_t;
grn_status why_cell(why_table_t *t, const char *fmt, ...) GRN_PRINTF(2, 3) GRN_MUST_USE;
grn_status why_cell_num(why_table_t *t, double x) GRN_MUST_USE; /* 4 digits; NaN: "-" */
grn_status why_cell_bp(why_table_t *t, double x) GRN_MUST_USE;  /* 1,234; NaN: "-" */
grn_status why_table_print(const why_table_t *t, grn_out_t *o) GRN_MUST_USE;
void why_table_clear(why_table_t *t);
/* One row of the TSV. NaN and NULL: an empty value; exact digits of a float. */
grn_status why_tsv(grn_out_t *o, const char *what, const char *of, const char *context,
                   const char *key, double x) GRN_MUST_USE;
grn_status why_tsv_text(grn_out_t *o, const char *what, const char *of, const char *context,
                        const char *key, const char *value) GRN_MUST_USE;
char *why_commas(char *buf, uint64_t n);  /* 1,234,567; buf: 32 bytes */
char *why_ordinal(char *buf, uint64_t n); /* 1st, 2nd, 3rd, 11th */
/* why_reason.c: in words why the candidate ended there, appended; the name of its regulon,
 * appended. */
grn_status why_reason(const why_t *w, const why_triplet_t *t, why_end_t end,
                      grn_str_t *s) GRN_MUST_USE;
grn_status why_regulon(const why_t *w, int combo, grn_str_t *s) GRN_MUST_USE;

grn_status view_why(const grn_args_t *args) GRN_MUST_USE;

#endif
