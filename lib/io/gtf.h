/* Genes with their transcription start sites from GTF, GFF3 or BED (columns 4 and 6 are name and strand). Found by content;
 * plain or compressed (io/text.h).
 *
 * One entry per gene name. Coordinates are 0-based half-open; a TSS is the 0-based position of the first transcribed base (start
 * on +, end - 1 on -). Names: gene_name, else gene (NCBI), else Name (GFF3), else the id. A name that stands for several genes
 * (pseudoautosomal genes on X and Y, patches) keeps one: a chromosome without "_" or "." first, then protein-coding, then the
 * first in the file; n_duplicate counts the rest. Files without gene rows (UCSC) give genes made of their transcript or exon
 * rows. */
#ifndef GRN_IO_GTF_H
#define GRN_IO_GTF_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/names.h"

typedef struct {
    uint32_t chrom;      /* into chroms */
    int8_t strand;       /* +1, -1; 0 unknown (TSS taken as +) */
    uint64_t start, end; /* gene body */
    uint32_t id;         /* into ids */
    uint32_t biotype;    /* into biotypes; UINT32_MAX: not given */
    uint64_t tss_off;    /* into tss */
    uint32_t n_tss;      /* >= 1 */
} grn_gene_t;

typedef struct {
    size_t n;
    grn_gene_t *gene;                     /* (n), order of first appearance */
    uint64_t *tss;                        /* distinct transcript starts of each gene, ascending; its own 5' end if no transcript is given */
    grn_names_t names;                    /* (n) gene k is names[k] */
    grn_names_t ids, ids_bare;            /* gene ids as written (all found); of the genes kept, without ".version" */
    uint32_t *bare_gene;                  /* (ids_bare.n) gene of a bare id */
    grn_names_t chroms, biotypes;
    uint64_t n_duplicate;                 /* genes left out because their name was taken */
    uint64_t n_unnamed;                   /* genes whose name is their id */
} grn_genes_t;

void grn_genes_clear(grn_genes_t *g);
/* GRN_EFORMAT with path and line on a row that cannot be one of the formats; GRN_EEMPTY if no gene was found. */
grn_status grn_genes_load(const char *path, grn_genes_t *g) GRN_MUST_USE;
/* Gene by name, else by id, else by id without version; GRN_NAMES_NONE. Thread safe. */
size_t grn_genes_find(const grn_genes_t *g, const char *key);
/* 5' end of the gene body (strand aware). */
uint64_t grn_gene_tss(const grn_gene_t *g);

#endif
