/* The text files of the plan: genes.gtf, regions.bed, sites.bed, tfs.txt; and cells.tsv, truth_open.tsv. */
#include "sim.h"

#include <inttypes.h>

#include "base/str.h"

grn_status grn_sim_open(grn_out_t **o, const char *dir, const char *name)
{
    grn_str_t path = { 0 };
    grn_status rc = grn_str_printf(&path, "%s/%s", dir, name);
    if (rc == GRN_OK) rc = grn_out_open(o, path.s, 1);
    grn_str_clear(&path);
    return rc;
}

/* One gene, one transcript, two exons (one if it is short): 1-based, both ends included. */
static grn_status write_gene(const grn_sim_t *s, size_t i, grn_out_t *o)
{
    grn_status rc = GRN_OK;
    const grn_sim_gene_t *g = &s->gene[i];
    const char *chrom = grn_names_get(&s->chroms, g->chrom), *name = grn_names_get(&s->genes, i),
               *id = grn_names_get(&s->gene_ids, i);
    char strand = g->strand > 0 ? '+' : '-', tail[256];
    uint64_t len = g->end - g->start, exon = len < 1000 ? len : len / 4;
    snprintf(tail, sizeof tail, "gene_type \"protein_coding\"; gene_name \"%s\";", name);
    GRN_TRY(grn_out_printf(o,
                           "%s\tgrn-sim\tgene\t%" PRIu64 "\t%" PRIu64
                           "\t.\t%c\t.\tgene_id \"%s\"; %s\n",
                           chrom, g->start + 1, g->end, strand, id, tail));
    GRN_TRY(grn_out_printf(o,
                           "%s\tgrn-sim\ttranscript\t%" PRIu64 "\t%" PRIu64
                           "\t.\t%c\t.\tgene_id \"%s\"; transcript_id \"%s.t1\"; %s\n",
                           chrom, g->start + 1, g->end, strand, id, id, tail));
    for (int e = 0; e < (exon == len ? 1 : 2); e++) {
        int first = (e == 0) == (g->strand > 0);
        uint64_t a = exon == len || first ? g->start : g->end - exon,
                 b = exon == len || !first ? g->end : g->start + exon;
        GRN_TRY(grn_out_printf(
            o,
            "%s\tgrn-sim\texon\t%" PRIu64 "\t%" PRIu64
            "\t.\t%c\t.\tgene_id \"%s\"; transcript_id \"%s.t1\"; exon_number %d; %s\n",
            chrom, a + 1, b, strand, id, id, e + 1, tail));
    }
end:
    return rc;
}

static grn_status write_gtf(const grn_sim_t *s, grn_out_t *o)
{
    grn_status rc = grn_out_puts(
        o, "##description: genes of a simulated genome\n##provider: grn-sim\n##format: gtf\n");
    for (size_t i = 0; i < s->genes.n && rc == GRN_OK; i++) rc = write_gene(s, i, o);
    return rc;
}

static grn_status write_regions(const grn_sim_t *s, grn_out_t *o)
{
    grn_status rc = GRN_OK;
    for (size_t i = 0; i < s->regions.n && rc == GRN_OK; i++)
        rc = grn_out_printf(o, "%s\t%" PRIu64 "\t%" PRIu64 "\t%s\n",
                            grn_names_get(&s->chroms, s->region[i].chrom), s->region[i].start,
                            s->region[i].end, grn_names_get(&s->regions, i));
    return rc;
}

/* BED6 and two more: what the site is for, and its region. */
static grn_status write_sites(const grn_sim_t *s, grn_out_t *o)
{
    grn_status rc = GRN_OK;
    uint8_t seq[16];
    for (size_t i = 0; i < s->n_sites && rc == GRN_OK; i++) {
        const grn_sim_site_t *x = &s->site[i];
        double score = grn_sim_site_seq(s, x, seq);
        const char *kind = x->functional             ? "regulates"
                           : x->region == UINT32_MAX ? "between"
                                                     : "idle";
        rc = grn_out_printf(o, "%s\t%" PRIu64 "\t%" PRIu64 "\t%s\t%.3f\t%c\t%s\t%s\n",
                            grn_names_get(&s->chroms, x->chrom), x->pos,
                            x->pos + s->motif[x->motif].w, grn_names_get(&s->motifs, x->motif),
                            score, x->strand > 0 ? '+' : '-', kind,
                            x->region == UINT32_MAX ? "." : grn_names_get(&s->regions, x->region));
    }
    return rc;
}

static grn_status write_tfs(const grn_sim_t *s, grn_out_t *o)
{
    grn_status rc = GRN_OK;
    for (size_t t = 0; t < s->tfs.n && rc == GRN_OK; t++)
        rc = grn_out_printf(o, "%s\n", grn_names_get(&s->tfs, t));
    return rc;
}

static grn_status write_cells(const grn_sim_t *s, grn_out_t *o)
{
    grn_sim_cell_t c;
    grn_status rc = grn_sim_cell_init(s, &c);
    if (rc) return rc;
    rc = grn_out_puts(o, "barcode\tcell_type\tdonor\n");
    for (int64_t k = 0; k < s->o.cells && rc == GRN_OK; k++) {
        grn_sim_cell(s, (uint64_t)k, &c);
        rc = grn_out_printf(o, "%s\t%s\t%s\n", c.barcode, grn_names_get(&s->types, c.type),
                            grn_names_get(&s->donors, c.donor));
    }
    grn_sim_cell_clear(&c);
    return rc;
}

/* How open each region is in each type: the share of a cell's fragments in regions that it gets, mean over the cells' states. */
static grn_status write_open(const grn_sim_t *s, grn_out_t *o)
{
    grn_status rc = GRN_OK;
    static const char *const kind[] = { "promoter", "enhancer", "open", "bound", "closed" };
    GRN_TRY(grn_out_puts(o, "region\tkind"));
    for (size_t k = 0; k < s->types.n; k++) GRN_TRY(grn_out_printf(o, "\t%s", grn_names_get(&s->types, k)));
    GRN_TRY(grn_out_puts(o, "\n"));
    for (size_t i = 0; i < s->regions.n; i++) {
        GRN_TRY(grn_out_printf(o, "%s\t%s", grn_names_get(&s->regions, i), kind[s->region[i].kind]));
        for (size_t k = 0; k < s->types.n; k++) GRN_TRY(grn_out_printf(o, "\t%.4g", (double)s->open[k * s->regions.n + i]));
        GRN_TRY(grn_out_puts(o, "\n"));
    }
end:
    return rc;
}

grn_status grn_sim_write_tables(const grn_sim_t *s, const char *dir)
{
    static const struct {
        const char *name;
        grn_status (*write)(const grn_sim_t *, grn_out_t *);
    } table[] = { { "genes.gtf", write_gtf },
                  { "regions.bed", write_regions },
                  { "sites.bed", write_sites },
                  { "tfs.txt", write_tfs },
                  { "cells.tsv", write_cells },
                  { "truth_open.tsv", write_open } };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        grn_out_t *o;
        if (s->o.no_atac && table[i].write == write_open) continue;
        grn_status rc = grn_sim_open(&o, dir, table[i].name);
        if (rc) return rc;
        rc = table[i].write(s, o);
        if (rc) grn_out_abort(o);
        else rc = grn_out_commit(o);
        if (rc) return rc;
    }
    return GRN_OK;
}
