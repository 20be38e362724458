/* The simulated multiome: what is drawn once (the genome plan and its gene regulatory network) and
 * what is drawn per cell.
 *
 * Everything is a function of the seed and of names: TFs, genes and regions are drawn from streams
 * keyed by their name, cells from streams keyed by their barcode, so cell k is the same cell
 * whatever --cells, -@ or the order of work. docs/simulator.md writes the model down. Letters: C
 * cells, G genes, R regions, T TFs, K cell types, E triplets. A built grn_sim_t is read-only: any
 * thread may use it. */
#ifndef GRN_TOOLS_SIM_H
#define GRN_TOOLS_SIM_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/file.h"
#include "base/names.h"
#include "base/par.h"
#include "base/rng.h"

typedef struct {
    int64_t cells, genes, tfs, regions, types, donors;
    int64_t spacing; /* mean distance of neighbouring TSS, bp */
    double targets;  /* median target genes of a regulon */
    double on_frac;  /* mean share of the cells of a type in which a regulon of that type is on */
    double depth;    /* mean UMIs of a cell */
    double frags;    /* mean unique fragments of a cell */
    double ambient;  /* share of a cell's UMIs that are soup */
    double effect;   /* median fold change of a target gene per TF */
    double gene_sd;  /* sd of log basal expression */
    int no_atac, no_genome, force;
    uint64_t seed;
    const char *dir;
} grn_sim_opt_t;

/* ---- the plan ---- */
typedef enum {
    GRN_SIM_SWITCH,
    GRN_SIM_CONSTANT,
    GRN_SIM_IDLE
} grn_sim_tf_kind; /* on and off; always on; expressed, binds, regulates nothing */
typedef struct {
    grn_sim_tf_kind kind;
    int sign;       /* +1 activator, -1 repressor */
    int flat;       /* 1: its mRNA does not follow its activity (controlled after translation) */
    uint32_t gene;  /* its own gene */
    uint32_t motif; /* shared with the TF before it in families */
    uint32_t programme; /* TFs of one programme switch together more often than chance */
    uint32_t regulon;   /* into regulons; UINT32_MAX: none */
    double mrna_on, mrna_off;
} grn_sim_tf_t;

typedef enum {
    GRN_SIM_HOUSEKEEPING,
    GRN_SIM_REGULATED,
    GRN_SIM_TYPED,
    GRN_SIM_PLAIN,
    GRN_SIM_TF
} grn_sim_gene_kind;
typedef struct {
    grn_sim_gene_kind kind;
    uint32_t chrom;
    int strand;
    uint64_t start, end, tss; /* 0-based half-open body; tss = first transcribed base */
    double basal;             /* rate with all regulators off */
    uint32_t tf;              /* UINT32_MAX: not a TF */
} grn_sim_gene_t;

typedef enum {
    GRN_SIM_PROMOTER,
    GRN_SIM_ENHANCER,
    GRN_SIM_OPEN,
    GRN_SIM_BOUND,
    GRN_SIM_CLOSED
} grn_sim_region_kind;
#define GRN_SIM_REGION_BP 500
typedef struct {
    grn_sim_region_kind kind; /* OPEN, BOUND, CLOSED: decoys that regulate nothing */
    uint32_t chrom;
    uint64_t start, end;
    uint32_t gene; /* promoter, enhancer: of this gene; else UINT32_MAX */
    double eff;    /* how well it is cut */
} grn_sim_region_t;

typedef struct { /* one row of the truth: in cells of `type` where the regulon is on */
    uint32_t type, tf, region, gene;
    float weight; /* share of |log fold change| through this region */
} grn_sim_edge_t;

typedef struct { /* a planted site */
    uint32_t chrom, motif;
    uint64_t pos;
    int strand;
    uint32_t region; /* UINT32_MAX: between the regions */
    int functional;  /* 1: behind a truth triplet */
} grn_sim_site_t;

typedef struct {
    uint32_t w;
    double p[16][4]; /* probabilities A C G T, exactly those of the counts written */
    double ic, sd; /* mean and sd of the log2-odds of its own sites against a uniform background */
} grn_sim_motif_t;

typedef struct { /* effect of a TF on one gene or region, in one type */
    uint32_t at;
    float w;
} grn_sim_effect_t;

typedef struct {
    grn_sim_opt_t o;
    grn_names_t genes, gene_ids, tfs, regions, types, donors, chroms, motifs, regulons;
    uint64_t *chrom_len;            /* (chroms) */
    grn_sim_tf_t *tf;               /* (T) */
    double *on;                     /* (T, K): P(on) in a type; 0 never, 1 always */
    grn_sim_gene_t *gene;           /* (G), genome order */
    grn_sim_region_t *region;       /* (R), genome order */
    uint32_t *pair_off, *pair_gene; /* targets of a TF: (T + 1), and their genes */
    double *pair_w;                 /* |log fold change| of the pair */
    size_t *enh_off;                /* (G + 1): enhancers of a gene, as region ids in enh */
    uint32_t *enh;
    size_t n_edges, cap_edges;
    grn_sim_edge_t *edge;
    size_t *gene_off; /* (K * T + 1) effects on genes by (type, tf) */
    grn_sim_effect_t *gene_eff;
    size_t *reg_off; /* (K * T + 1) effects on regions by (type, tf) */
    grn_sim_effect_t *reg_eff;
    double *theta;     /* (G) negative binomial sizes: variance = mean + mean^2 / theta */
    double *rate;      /* (K, G) rates with every regulon off, before effects */
    float *donor_gene; /* (donors, G) factors */
    double *scale;     /* (K) UMIs per unit of rate at depth 1 */
    double *soup;      /* (G) mean profile, sums to 1 */
    float *acc;        /* (K, R) openness with every regulon off */
    double *acc_scale; /* (K) fragments in regions per unit of openness at depth 1 */
    float *open;       /* (K, R) share of a type's fragments in regions, mean over its states; 0 without ATAC */
    double *type_cum;  /* (K) cumulated shares of the types */
    uint32_t n_programmes;
    size_t n_sites, cap_sites;
    grn_sim_site_t *site; /* sorted by (chrom, pos) */
    grn_sim_motif_t *motif;
} grn_sim_t;

/* Draws the whole plan; GRN_EUSAGE when the sizes asked for do not fit each other. Clear frees;
 * accepts zeroed. */
grn_status grn_sim_build(grn_sim_t *s, const grn_sim_opt_t *o) GRN_MUST_USE;
void grn_sim_clear(grn_sim_t *s);

/* The steps of grn_sim_build, in order; each needs the ones before it. */
grn_status grn_sim_design_tfs(grn_sim_t *s)
    GRN_MUST_USE; /* TFs, their types, genes and their roles */
grn_status grn_sim_layout_genes(grn_sim_t *s) GRN_MUST_USE;   /* chromosomes, gene bodies */
grn_status grn_sim_design_targets(grn_sim_t *s) GRN_MUST_USE; /* TF -> gene pairs */
grn_status grn_sim_layout_regions(grn_sim_t *s) GRN_MUST_USE; /* promoters, enhancers, decoys */
grn_status grn_sim_design_edges(grn_sim_t *s) GRN_MUST_USE;   /* triplets per type, effects */
grn_status grn_sim_design_rates(grn_sim_t *s)
    GRN_MUST_USE; /* expression and openness of types; their scales */
grn_status grn_sim_motifs(grn_sim_t *s) GRN_MUST_USE; /* motifs */
grn_status grn_sim_sites(grn_sim_t *s) GRN_MUST_USE;  /* where sites are planted */

/* Bases (codes 0..3) of a planted site as they stand on the forward strand; out: motif width.
 * Returns its log2-odds score. */
double grn_sim_site_seq(const grn_sim_t *s, const grn_sim_site_t *site, uint8_t *out);

/* median * exp(sd z), z standard normal. */
static inline double grn_sim_lognormal(grn_rng_t *r, double median, double sd)
{
    return median * exp(sd * grn_rng_normal(r));
}

/* ---- cells ---- */
#define GRN_SIM_BARCODE_N 18 /* 16 bases and "-1" */
typedef struct {
    char barcode[GRN_SIM_BARCODE_N + 1];
    uint64_t hash; /* of the barcode: key of its streams */
    uint32_t type, donor;
    double depth, frags; /* expected UMIs at scale 1; expected unique fragments */
    float *a;            /* (T) activity: about 1 when on, about 0 when off; caller's storage */
    uint8_t *is_on;      /* (T) */
} grn_sim_cell_t;

grn_status grn_sim_cell_init(const grn_sim_t *s, grn_sim_cell_t *c) GRN_MUST_USE; /* storage */
void grn_sim_cell_clear(grn_sim_cell_t *c);
void grn_sim_cell(const grn_sim_t *s, uint64_t k, grn_sim_cell_t *c); /* cell number k */

/* The i-th cell of a type that exists only to set scales: type, donor and states. */
void grn_sim_cell_virtual(const grn_sim_t *s, uint32_t type, uint32_t i, grn_sim_cell_t *c);
/* The TF that opens a BOUND decoy; UINT32_MAX: the plan has none to offer. */
uint32_t grn_sim_bound_tf(const grn_sim_t *s, uint32_t region);

/* Expected UMIs (G) of a cell. eta: scratch (G), zero on entry and on return. */
void grn_sim_expected(const grn_sim_t *s, const grn_sim_cell_t *c, double *eta, double *mu);
/* Openness of regions [from, to) in a cell, times their efficiency, into open[from..to). shut:
 * scratch (R), all 1 on entry and on return. */
void grn_sim_openness(const grn_sim_t *s, const grn_sim_cell_t *c, size_t from, size_t to,
                      float *shut, float *open);

typedef struct { /* sparse rows, one behind the other */
    uint32_t *idx;
    float *val;
    size_t n, cap_idx, cap_val;
} grn_sim_rows_t;
void grn_sim_rows_clear(grn_sim_rows_t *x);
/* Appends one row: n independent negative binomial counts of mean mu[g] >= 0 and size theta[g] > 0;
 * zeros are not stored. */
grn_status grn_sim_draw_row(grn_rng_t *r, size_t n, const double *mu, const double *theta,
                            grn_sim_rows_t *out) GRN_MUST_USE;

/* ---- outputs: each writes one file into `dir` ---- */
grn_status grn_sim_write_counts(const grn_sim_t *s, const char *dir,
                                grn_par_t *pool) GRN_MUST_USE; /* counts.h5, counts.h5ad */
grn_status grn_sim_write_fragments(const grn_sim_t *s, const char *dir,
                                   grn_par_t *pool) GRN_MUST_USE; /* fragments.tsv.gz, .tbi */
grn_status grn_sim_write_genome(const grn_sim_t *s, const char *dir,
                                grn_par_t *pool) GRN_MUST_USE; /* genome.fa, .fai */
grn_status grn_sim_write_tables(const grn_sim_t *s, const char *dir)
    GRN_MUST_USE; /* genes.gtf, regions.bed, sites.bed, tfs.txt, cells.tsv, truth_open.tsv */
grn_status grn_sim_write_motifs(const grn_sim_t *s,
                                const char *dir) GRN_MUST_USE; /* motifs.jaspar, motif2tf.tsv */
grn_status grn_sim_write_truth(const grn_sim_t *s, const char *dir, grn_par_t *pool)
    GRN_MUST_USE; /* truth.edges.zst, truth_activity.tensor.zst */

/* Opens DIR/NAME for writing. */
grn_status grn_sim_open(grn_out_t **o, const char *dir, const char *name) GRN_MUST_USE;

#endif
