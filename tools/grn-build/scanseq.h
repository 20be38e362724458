/* The sequences that grn-build scan looks at: regions of a genome, or every sequence of a FASTA file, whole. Rows are in the order of
 * the regions or of the file. */
#ifndef GRN_BUILD_SCANSEQ_H
#define GRN_BUILD_SCANSEQ_H

#include "io/bed.h"
#include "io/fasta.h"

typedef struct {
    grn_fasta_t *fa;
    const char *path;
    grn_regions_t regions; /* n = 0: rows are the sequences */
    size_t n;              /* rows */
    int mask;              /* lower case counts as N */
    uint32_t *seq_of;      /* (regions.chroms.n) sequence of a chromosome; UINT32_MAX: not in the FASTA */
    uint64_t n_bases, n_gaps; /* after grn_scanseq_survey */
} grn_scanseq_t;

void grn_scanseq_clear(grn_scanseq_t *s);
/* bed NULL: whole sequences. Says what was renamed and what is missing; GRN_EEMPTY when no chromosome is there. */
grn_status grn_scanseq_open(grn_scanseq_t *s, const char *fasta, const char *bed, int mask) GRN_MUST_USE;
const char *grn_scanseq_name(const grn_scanseq_t *s, size_t i);
const grn_names_t *grn_scanseq_names(const grn_scanseq_t *s);
/* Sequence, start and end of row i within the FASTA, cut at the end of the sequence. Returns 0: no sequence. */
int grn_scanseq_place(const grn_scanseq_t *s, size_t i, size_t *seq, uint64_t *start, uint64_t *end);
/* Counts A C G T and N over all rows and says them; GRN_EEMPTY without any base. */
grn_status grn_scanseq_survey(grn_scanseq_t *s, uint64_t count[5]) GRN_MUST_USE;

#endif
