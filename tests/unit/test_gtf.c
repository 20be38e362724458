/* io/gtf: GTF of Ensembl, UCSC and exon-only kinds, GFF3, BED; names that are taken; lookup by name and id. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "io/gtf.h"

static const char *put(const char *path, const char *text)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
    return path;
}

static void check(const grn_genes_t *g, const char *name, const char *id, const char *chrom, uint64_t start, uint64_t end, int strand,
                  size_t n_tss, const uint64_t *tss)
{
    size_t k = grn_genes_find(g, name);
    assert_true(k != GRN_NAMES_NONE);
    const grn_gene_t *x = &g->gene[k];
    assert_string_equal(grn_names_get(&g->names, k), name);
    assert_string_equal(grn_names_get(&g->ids, x->id), id);
    assert_string_equal(grn_names_get(&g->chroms, x->chrom), chrom);
    assert_int_equal(x->start, start);
    assert_int_equal(x->end, end);
    assert_int_equal(x->strand, strand);
    assert_int_equal(x->n_tss, n_tss);
    for (size_t i = 0; i < n_tss; i++) assert_int_equal(g->tss[x->tss_off + i], tss[i]);
}
#define TSS(...) sizeof((uint64_t[]){ __VA_ARGS__ }) / 8, (uint64_t[]){ __VA_ARGS__ }

static void ensembl(void **s)
{
    (void)s;
    grn_genes_t g = { 0 };
    put("e.gtf",
        "#!genome-build x\n"
        "1\tx\tgene\t101\t200\t.\t+\t.\tgene_id \"ENSG1.2\"; gene_name \"AA\"; gene_biotype \"protein_coding\";\n"
        "1\tx\ttranscript\t101\t200\t.\t+\t.\tgene_id \"ENSG1.2\"; transcript_id \"T1\"; gene_name \"AA\";\n"
        "1\tx\texon\t101\t120\t.\t+\t.\tgene_id \"ENSG1.2\"; transcript_id \"T1\"; gene_name \"AA\";\n"
        "1\tx\ttranscript\t151\t200\t.\t+\t.\tgene_id \"ENSG1.2\"; transcript_id \"T2\"; gene_name \"AA\";\n"
        "1\tx\ttranscript\t151\t190\t.\t+\t.\tgene_id \"ENSG1.2\"; transcript_id \"T3\"; gene_name \"AA\";\n"
        "2\tx\tgene\t11\t50\t.\t-\t.\tgene_id \"ENSG2\"; gene_biotype \"lncRNA\"\r\n");
    assert_int_equal(grn_genes_load("e.gtf", &g), GRN_OK);
    assert_int_equal(g.n, 2);
    check(&g, "AA", "ENSG1.2", "1", 100, 200, 1, TSS(100, 150));
    check(&g, "ENSG2", "ENSG2", "2", 10, 50, -1, TSS(49));
    assert_int_equal(g.n_unnamed, 1);
    assert_int_equal(g.n_duplicate, 0);
    assert_string_equal(grn_names_get(&g.biotypes, g.gene[0].biotype), "protein_coding");
    assert_int_equal(grn_genes_find(&g, "ENSG1.2"), 0);
    assert_int_equal(grn_genes_find(&g, "ENSG1"), 0);
    assert_int_equal(grn_genes_find(&g, "ENSG1.7"), 0);
    assert_true(grn_genes_find(&g, "ENSG") == GRN_NAMES_NONE);
    grn_genes_clear(&g);
}

static void no_gene_rows(void **s)
{
    (void)s;
    grn_genes_t g = { 0 };
    put("u.gtf", /* transcripts only, then exons only */
        "chr1\tu\ttranscript\t11\t20\t.\t-\t.\tgene_id \"A\"; transcript_id \"T1\";  gene_name \"A\";\n"
        "chr1\tu\ttranscript\t11\t40\t.\t-\t.\tgene_id \"A\"; transcript_id \"T2\";  gene_name \"A\";\n"
        "chr1\tu\texon\t101\t110\t.\t+\t.\tgene_id \"B\"; transcript_id \"T3\";\n"
        "chr1\tu\texon\t91\t95\t.\t+\t.\tgene_id \"B\"; transcript_id \"T3\";\n"
        "chr1\tu\tCDS\t1\t5\t.\t+\t.\tgene_id \"C\"; transcript_id \"T4\";\n");
    assert_int_equal(grn_genes_load("u.gtf", &g), GRN_OK);
    assert_int_equal(g.n, 2);
    check(&g, "A", "A", "chr1", 10, 40, -1, TSS(19, 39));
    check(&g, "B", "B", "chr1", 90, 110, 1, TSS(90));
    grn_genes_clear(&g);
}

static void taken_names(void **s)
{
    (void)s;
    grn_genes_t g = { 0 };
    put("d.gtf",
        "chr1_KI270766v1_alt\tx\tgene\t1\t9\t.\t+\t.\tgene_id \"G1\"; gene_name \"AA\"; gene_type \"protein_coding\";\n"
        "chr1\tx\tgene\t11\t19\t.\t+\t.\tgene_id \"G2\"; gene_name \"AA\"; gene_type \"lncRNA\";\n"
        "chr1\tx\tgene\t21\t29\t.\t+\t.\tgene_id \"G3\"; gene_name \"AA\"; gene_type \"protein_coding\";\n"
        "chr1\tx\tgene\t31\t39\t.\t+\t.\tgene_id \"G4\"; gene_name \"AA\"; gene_type \"protein_coding\";\n"
        "chrX\tx\tgene\t41\t49\t.\t+\t.\tgene_id \"P\"; gene_name \"PAR\";\n"
        "chrY\tx\tgene\t51\t59\t.\t+\t.\tgene_id \"P\"; gene_name \"PAR\";\n");
    assert_int_equal(grn_genes_load("d.gtf", &g), GRN_OK);
    assert_int_equal(g.n, 2);
    assert_int_equal(g.n_duplicate, 4);
    check(&g, "AA", "G3", "chr1", 20, 29, 1, TSS(20));
    check(&g, "PAR", "P", "chrX", 40, 49, 1, TSS(40));
    assert_true(grn_genes_find(&g, "G1") == GRN_NAMES_NONE); /* left out */
    grn_genes_clear(&g);
}

static void gff3(void **s)
{
    (void)s;
    grn_genes_t g = { 0 };
    put("g.gff3",
        "##gff-version 3\n"
        "1\te\tchromosome\t1\t1000\t.\t.\t.\tID=chromosome:1\n"
        "1\te\tgene\t101\t200\t.\t-\t.\tID=gene:ENSG1;Name=A%2CB;biotype=protein_coding;gene_id=ENSG1;version=3\n"
        "1\te\tmRNA\t101\t180\t.\t-\t.\tID=transcript:T1;Parent=gene:ENSG1;Name=A-201\n"
        "1\te\texon\t101\t180\t.\t-\t.\tParent=transcript:T1;ID=exon1\n"
        "1\te\tncRNA_gene\t301\t400\t.\t+\t.\tID=gene-LOC1;gene=LOC1\n"
        "1\te\tmiRNA\t301\t320\t.\t+\t.\tID=m;Parent=T9\n"
        "##FASTA\n>1\nACGT\n");
    assert_int_equal(grn_genes_load("g.gff3", &g), GRN_OK);
    assert_int_equal(g.n, 2);
    check(&g, "A,B", "ENSG1", "1", 100, 200, -1, TSS(179));
    check(&g, "LOC1", "LOC1", "1", 300, 400, 1, TSS(300));
    grn_genes_clear(&g);
}

static void bed(void **s)
{
    (void)s;
    grn_genes_t g = { 0 };
    put("g.bed", "#chr\tstart\tend\tname\tscore\tstrand\tid\ttype\n"
                 "c\t10\t20\tAA\t0\t-\tENSG1\tlncRNA\nc\t30\t40\tBB\nc\t50\t60\tAA\t0\t+\n");
    assert_int_equal(grn_genes_load("g.bed", &g), GRN_OK);
    assert_int_equal(g.n, 2);
    assert_int_equal(g.n_duplicate, 1);
    check(&g, "AA", "ENSG1", "c", 10, 20, -1, TSS(19));
    check(&g, "BB", "BB", "c", 30, 40, 0, TSS(30));
    grn_genes_clear(&g);
}

static void refused(void **s)
{
    (void)s;
    static const struct { const char *text, *says; int code; } bad[] = {
        { "", "no gene", GRN_EEMPTY },
        { "#only comments\n", "no gene", GRN_EEMPTY },
        { "1\tx\texon\t1\t9\t.\t+\t.\ttranscript_id \"T\";\n", "line 1: a exon without gene_id", GRN_EFORMAT },
        { "1\tx\tgene\t9\t1\t.\t+\t.\tgene_id \"T\";\n", "line 1: 9-1", GRN_EFORMAT },
        { "1\tx\tgene\t0\t1\t.\t+\t.\tgene_id \"T\";\n", "line 1: 0-1", GRN_EFORMAT },
        { "c\t1\t2\tAA\nhello world\n", "line 2: 1 columns", GRN_EFORMAT },
        { "c\t1\t2\n", "line 1: a BED row of a gene", GRN_EFORMAT },
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        grn_genes_t g = { 0 };
        assert_int_equal(grn_genes_load(put("bad", bad[i].text), &g), bad[i].code);
        assert_non_null(strstr(grn_err_msg(), bad[i].says));
        assert_null(g.gene);
    }
}

static void real_files(void **s)
{
    (void)s;
    static const struct { const char *path; size_t n; uint64_t starts, ends; size_t minus, n_tss; } known[] = {
        { "atac/genomes/Homo_sapiens.GRCh38.91_chr9_1_1000000.gtf.gz", 23, 7484499, 8324989, 10, 100 },
        { "atac/genomes/sacCer3.ensGene.gtf.gz", 7127, 3216205502, 3225472816, 3505, 7127 },
        { "atac/archr_pbsmall/rna_genes.bed", 2164, 175567790304, 0, 1032, 2164 },
        { "atac/genomes/CollapsedGeneBounds.hg38.bed.gz", 20666, 1529419000549, 0, 10201, 20666 },
    };
    const char *data = getenv("GRN_DATA");
    char path[4096];
    snprintf(path, sizeof path, "%s/atac", data ? data : "");
    FILE *f = fopen(path, "r");
    if (!data || !f) skip();
    fclose(f);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        grn_genes_t g = { 0 };
        uint64_t starts = 0, ends = 0;
        size_t minus = 0, n_tss = 0;
        snprintf(path, sizeof path, "%s/%s", data, known[i].path);
        assert_int_equal(grn_genes_load(path, &g), GRN_OK);
        for (size_t k = 0; k < g.n; k++)
            starts += g.gene[k].start, ends += g.gene[k].end, minus += g.gene[k].strand < 0, n_tss += g.gene[k].n_tss;
        assert_int_equal(g.n, known[i].n);
        assert_int_equal(starts, known[i].starts);
        if (known[i].ends) assert_int_equal(ends, known[i].ends);
        assert_int_equal(minus, known[i].minus);
        assert_int_equal(n_tss, known[i].n_tss);
        grn_genes_clear(&g);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(ensembl), cmocka_unit_test(no_gene_rows), cmocka_unit_test(taken_names),
                                        cmocka_unit_test(gff3),    cmocka_unit_test(bed),          cmocka_unit_test(refused),
                                        cmocka_unit_test(real_files) };
    return cmocka_run_group_tests_name("gtf", tests, NULL, NULL);
}
