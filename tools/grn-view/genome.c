/* Viewing what grn-build reads: genes, regions, sequences, fragments, motifs and their TFs. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "grn-view/view.h"
#include "io/bed.h"
#include "io/fasta.h"
#include "io/fragments.h"
#include "io/gtf.h"
#include "io/motif2tf.h"
#include "io/motifs.h"

typedef unsigned long long ull;

static const char *strand_of(int8_t s)
{
    return s > 0 ? "+" : s < 0 ? "-" : ".";
}

/* ---- each: a table, or a summary when o is the only thing wanted ---- */

static grn_status view_genes(const char *path, int summary, grn_out_t *o)
{
    grn_status rc = GRN_OK;
    grn_genes_t g = { 0 };
    GRN_TRY(grn_genes_load(path, &g));
    if (summary) {
        rc = grn_out_printf(o,
                            "genes\t%zu\nchromosomes\t%zu\nbiotypes\t%zu\nnames taken "
                            "twice\t%llu\nnamed by id\t%llu\n",
                            g.n, g.chroms.n, g.biotypes.n, (ull)g.n_duplicate, (ull)g.n_unnamed);
        goto end;
    }
    GRN_TRY(grn_out_puts(o, "gene\tid\tbiotype\tchrom\tstart\tend\tstrand\ttss\n"));
    for (size_t i = 0; i < g.n; i++) {
        const grn_gene_t *x = &g.gene[i];
        GRN_TRY(
            grn_out_printf(o, "%s\t%s\t%s\t%s\t%llu\t%llu\t%s\t", grn_names_get(&g.names, i),
                           grn_names_get(&g.ids, x->id),
                           x->biotype == UINT32_MAX ? "" : grn_names_get(&g.biotypes, x->biotype),
                           grn_names_get(&g.chroms, x->chrom), (ull)x->start, (ull)x->end,
                           strand_of(x->strand)));
        for (uint32_t k = 0; k < x->n_tss; k++)
            GRN_TRY(grn_out_printf(o, "%s%llu", k ? "," : "", (ull)g.tss[x->tss_off + k]));
        GRN_TRY(grn_out_puts(o, "\n"));
    }
end:
    grn_genes_clear(&g);
    return rc;
}

static grn_status view_bed(const char *path, int summary, grn_out_t *o)
{
    grn_status rc = GRN_OK;
    grn_bed_t b = { 0 };
    uint64_t bases = 0;
    char buf[32];
    GRN_TRY(grn_bed_load(path, &b));
    for (size_t i = 0; i < b.n; i++) bases += b.end[i] - b.start[i];
    if (summary)
        rc = grn_out_printf(o, "regions\t%zu\nchromosomes\t%zu\nbases\t%llu\n", b.n, b.chroms.n,
                            (ull)bases);
    for (size_t i = 0; !summary && i < b.n; i++) {
        const char *label = b.label[i] == UINT32_MAX ? "." : grn_names_get(&b.labels, b.label[i]);
        GRN_TRY(grn_out_printf(o, "%s\t%llu\t%llu\t%s\t%s\t%s\n",
                               grn_names_get(&b.chroms, b.chrom[i]), (ull)b.start[i], (ull)b.end[i],
                               label, isnan(b.score[i]) ? "." : grn_fmt_f32(buf, b.score[i]),
                               strand_of(b.strand[i])));
    }
end:
    grn_bed_clear(&b);
    return rc;
}

static grn_status view_fasta(const char *path, int summary, grn_out_t *o)
{
    grn_status rc = GRN_OK;
    grn_fasta_t *f = NULL;
    uint64_t bases = 0;
    GRN_TRY(grn_fasta_open(&f, path));
    const grn_names_t *names = grn_fasta_names(f);
    for (size_t i = 0; i < names->n; i++) {
        bases += grn_fasta_len(f, i);
        if (!summary)
            GRN_TRY(
                grn_out_printf(o, "%s\t%llu\n", grn_names_get(names, i), (ull)grn_fasta_len(f, i)));
    }
    if (summary) rc = grn_out_printf(o, "sequences\t%zu\nbases\t%llu\n", names->n, (ull)bases);
end:
    grn_fasta_close(f);
    return rc;
}

static grn_status view_fragments(const char *path, int summary, grn_out_t *o)
{
    grn_status rc = GRN_OK;
    grn_fragments_t *f = NULL;
    grn_fragment_t x;
    grn_names_t barcodes = { 0 }, chroms = { 0 };
    uint64_t n = 0, reads = 0;
    int got;
    GRN_TRY(grn_fragments_open(&f, path, (int)grn_common.threads));
    while ((got = grn_fragments_next(f, &x)) == 1) {
        n++;
        reads += x.count;
        if (!summary) {
            GRN_TRY(grn_out_printf(o, "%.*s\t%llu\t%llu\t%.*s\t%llu\n", (int)x.chrom_n, x.chrom,
                                   (ull)x.start, (ull)x.end, (int)x.barcode_n, x.barcode,
                                   (ull)x.count));
            continue;
        }
        GRN_TRY(grn_names_add_n(&barcodes, x.barcode, x.barcode_n, NULL, NULL));
        GRN_TRY(grn_names_add_n(&chroms, x.chrom, x.chrom_n, NULL, NULL));
    }
    if (got < 0) GRN_TRY((grn_status)got);
    if (summary)
        rc = grn_out_printf(o, "fragments\t%llu\nreads\t%llu\nbarcodes\t%zu\nchromosomes\t%zu\n",
                            (ull)n, (ull)reads, barcodes.n, chroms.n);
end:
    grn_fragments_close(f);
    grn_names_clear(&barcodes);
    grn_names_clear(&chroms);
    return rc;
}

/* The likeliest base of each column; lower case below one half. */
static grn_status put_consensus(grn_out_t *o, const grn_motif_t *m)
{
    char s[GRN_MOTIF_MAX_W + 1] = { 0 };
    for (uint32_t i = 0; i < m->w && i < GRN_MOTIF_MAX_W; i++) {
        int best = 0;
        for (int k = 1; k < 4; k++)
            if (m->p[4 * i + k] > m->p[4 * i + best]) best = k;
        s[i] = (m->p[4 * i + best] < 0.5 ? "acgt" : "ACGT")[best];
    }
    return grn_out_puts(o, s);
}

static grn_status view_motifs(const char *path, int summary, grn_out_t *o)
{
    static const char *const kind[] = { "counts", "probabilities", "log-odds" };
    grn_status rc = GRN_OK;
    grn_motifs_t s = { 0 };
    char buf[32];
    GRN_TRY(grn_motifs_load(path, &s));
    if (summary) {
        rc = grn_out_printf(o, "format\t%s\nmotifs\t%zu\n", s.format, s.n);
        goto end;
    }
    GRN_TRY(grn_out_puts(o, "motif\tname\twidth\tsites\tgiven_as\tconsensus\n"));
    for (size_t i = 0; i < s.n; i++) {
        const grn_motif_t *m = &s.m[i];
        GRN_TRY(grn_out_printf(o, "%s\t%s\t%u\t%s\t%s\t", grn_names_get(&s.names, i),
                               m->alt ? m->alt : "", m->w, grn_fmt_f64(buf, m->n_sites),
                               kind[m->kind]));
        GRN_TRY(put_consensus(o, m));
        GRN_TRY(grn_out_puts(o, "\n"));
    }
end:
    grn_motifs_clear(&s);
    return rc;
}

static grn_status view_motif2tf(const char *path, int summary, grn_out_t *o)
{
    static const char *const word[] = { "direct", "similar", "orthologous",
                                        "similar and orthologous" };
    grn_status rc = GRN_OK;
    grn_motif2tf_t t = { 0 };
    GRN_TRY(grn_motif2tf_load(path, NULL, &t));
    if (summary) {
        rc = grn_out_printf(
            o, "format\t%s\nrows\t%llu\nrows kept\t%llu\npairs\t%zu\nmotifs\t%zu\nTFs\t%zu\n",
            t.format, (ull)t.n_rows, (ull)t.n_rows_kept, t.n, t.motifs.n, t.tfs.n);
        goto end;
    }
    GRN_TRY(grn_out_puts(o, "motif\ttf\tevidence\n"));
    for (size_t i = 0; i < t.n; i++) {
        const char *sep = "\t";
        GRN_TRY(grn_out_printf(o, "%s\t%s", grn_names_get(&t.motifs, t.motif[i]),
                               grn_names_get(&t.tfs, t.tf[i])));
        for (int k = 0; k < 4; k++) {
            if (!(t.kind[i] >> k & 1)) continue;
            GRN_TRY(grn_out_printf(o, "%s%s", sep, word[k]));
            sep = ", ";
        }
        GRN_TRY(grn_out_puts(o, "\n"));
    }
end:
    grn_motif2tf_clear(&t);
    return rc;
}

grn_status view_genome(const char *path, view_kind kind, int summary, const char *out)
{
    static grn_status (*const view[])(const char *, int, grn_out_t *) = {
        [VIEW_GENES] = view_genes,   [VIEW_BED] = view_bed,
        [VIEW_FASTA] = view_fasta,   [VIEW_FRAGMENTS] = view_fragments,
        [VIEW_MOTIFS] = view_motifs, [VIEW_MOTIF2TF] = view_motif2tf,
    };
    grn_status rc = GRN_OK;
    grn_out_t *o = NULL;
    if (!view_format_is("tsv", "tsv"))
        GRN_FAIL(GRN_EUSAGE, "'%s' can be written as tsv only", path);
    GRN_TRY(grn_out_open(&o, out, 0));
    if (summary) GRN_TRY(grn_out_printf(o, "file\t%s\n", path));
    GRN_TRY(view[kind](path, summary, o));
    rc = grn_out_commit(o);
    o = NULL;
end:
    grn_out_abort(o);
    return rc;
}
