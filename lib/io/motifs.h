/* Motif matrices in JASPAR, MEME, Cluster-Buster (= gimme pfm), TRANSFAC and HOMER form, raw four-row matrices, and log-odds
 * matrices in any of these layouts. Found by content; plain or compressed (io/text.h).
 *
 * All are brought to probabilities: counts are divided by their column sums; log-odds (a negative value anywhere) are taken
 * against 0.25 with the base (e or 2) that makes the columns sum to 1, and renormalised. Columns are A C G T; a position without
 * any weight counts as 0.25 each. Names are unique: the id (JASPAR and MEME first word, TRANSFAC AC or else ID); a second word,
 * ID or NA becomes `alt`. */
#ifndef GRN_IO_MOTIFS_H
#define GRN_IO_MOTIFS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/names.h"

typedef enum { GRN_MOTIF_COUNTS, GRN_MOTIF_PROBS, GRN_MOTIF_LOGODDS } grn_motif_kind;

typedef struct {
    uint32_t w;      /* columns, 1..GRN_MOTIF_MAX_W */
    double *p;       /* (w, 4) probabilities A C G T, each row sums to 1, no pseudocount */
    double *total;   /* (w) sequences behind each position: its sum of counts; n_sites, or 100 when unknown, for other kinds */
    double n_sites;  /* sequences behind it: largest column sum of counts, MEME's nsites; 0 unknown */
    double weight, gap; /* Cluster-Buster's "# WEIGHT" (1 when not given) and "# GAP" (NaN) lines */
    char *alt;       /* second name; NULL none */
    grn_motif_kind kind;
} grn_motif_t;

#define GRN_MOTIF_MAX_W 512

typedef struct {
    size_t n;
    grn_motif_t *m;
    grn_names_t names;    /* (n) */
    const char *format;   /* "MEME", "JASPAR" ...: what the file was taken for; static */
    double background[4]; /* MEME's background letter frequencies; all 0 when not given */
} grn_motifs_t;

void grn_motifs_clear(grn_motifs_t *s);
/* Appends the motifs of a file (several files may be loaded into one zeroed set; after a failure the set is cleared).
 * GRN_EFORMAT with path and line: unknown layout, rows of unequal length, a name seen before; GRN_EEMPTY when it holds no motif. */
grn_status grn_motifs_load(const char *path, grn_motifs_t *s) GRN_MUST_USE;

/* Log2-odds (w, 4) against background bg[4]: log2(q / bg), q = (n p + pseudo bg) / (n + pseudo), n = n_sites, or 100 when
 * unknown. Log-odds input had its pseudocount already: q = p. A q of 0 (pseudo = 0) is floored at 1e-9. */
void grn_motif_logodds(const grn_motif_t *m, double pseudo, const double bg[4], double *out);

#endif
