/* io/counts: every matrix format from small files written here, names and labels by policy, and one
 * clear line for each bad input. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include <hdf5.h>
#include <zlib.h>
#include <zstd.h>

#include "base/log.h"
#include "base/mem.h"
#include "io/counts.h"
#include "io/h5ad_write.h"
#include "io/h5_out.h"
#include "io/tenx_write.h"

/* ---- helpers ---- */

static void put(const char *path, const char *text)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
    assert_int_equal(fclose(f), 0);
}

static void put_gz(const char *path, const char *text)
{
    gzFile f = gzopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(gzwrite(f, text, (unsigned)strlen(text)), (int)strlen(text));
    assert_int_equal(gzclose(f), Z_OK);
}

/* "c1: g1=1 g3=2.5 | c2:" with " [B cell]" before the bar for a labelled cell. */
static const char *show(const grn_matrix_t *m)
{
    static char buf[8192];
    size_t n = 0;
    const grn_attr_t *t = grn_attr_find(&m->row_attr, "cell_type"),
                     *d = grn_attr_find(&m->row_attr, "donor");
    for (uint64_t i = 0; i < m->n_rows; i++) {
        n += (size_t)snprintf(buf + n, sizeof buf - n, "%s%s:", i ? " | " : "",
                              grn_names_get(&m->row, i));
        for (uint64_t k = m->indptr[i]; k < m->indptr[i + 1]; k++)
            n += (size_t)snprintf(buf + n, sizeof buf - n, " %s=%g",
                                  grn_names_get(&m->col, m->indices[k]), (double)m->data[k]);
        if (t)
            n += (size_t)snprintf(buf + n, sizeof buf - n, " [%s]",
                                  t->code[i] < 0 ? ""
                                                 : grn_names_get(&t->levels, (size_t)t->code[i]));
        if (d)
            n += (size_t)snprintf(buf + n, sizeof buf - n, " <%s>",
                                  d->code[i] < 0 ? ""
                                                 : grn_names_get(&d->levels, (size_t)d->code[i]));
    }
    return buf;
}

static void reads(const char *path, const grn_counts_opt_t *opt, const char *want)
{
    grn_matrix_t m = { 0 };
    grn_status rc = grn_counts_load(path, opt, NULL, &m);
    if (rc != GRN_OK) fail_msg("%s: %s", path, grn_err_msg());
    assert_int_equal(grn_matrix_validate(&m), GRN_OK);
    assert_string_equal(show(&m), want);
    grn_matrix_clear(&m);
}

static void refuses(const char *path, const grn_counts_opt_t *opt, grn_status code,
                    const char *want)
{
    grn_matrix_t m = { 0 };
    grn_status rc = grn_counts_load(path, opt, NULL, &m);
    if (rc == GRN_OK) fail_msg("'%s' was read: %s; expected: %s", path, show(&m), want);
    assert_string_equal(grn_err_msg(), want);
    assert_int_equal(rc, code);
    assert_null(strchr(grn_err_msg(), '\n'));
    assert_null(m.indptr);
}

#define OPT(...) (&(grn_counts_opt_t){ __VA_ARGS__ })

/* ---- text ---- */

static void tables(void **state)
{
    (void)state;
    put("t", ",GATA1,TP53\nAAACCCAAGGTT-1,1,0\nAAACCCAAGGTA-1,0,2.5\n");
    const char *want = "AAACCCAAGGTT-1: GATA1=1 | AAACCCAAGGTA-1: TP53=2.5";
    reads("t", NULL, want);
    put("t", ",GATA1,TP53\r\nAAACCCAAGGTT-1,1,0\r\nAAACCCAAGGTA-1,0,2.5");
    reads("t", NULL, want);
    put_gz("t", "gene\tAAACCCAAGGTT-1\tAAACCCAAGGTA-1\nGATA1\t1\t0\nTP53\t0\t2.5\n");
    reads("t", NULL, want);
    put("t", "AAACCCAAGGTT-1 AAACCCAAGGTA-1\nGATA1 1 0\nTP53 0 2.5\n"); /* R's write.table */
    reads("t", NULL, want);
    put("t",
        "\"\",\"GATA1\",\"TP53\"\n\"AAACCCAAGGTT-1\",1,0\n\"AAACCCAAGGTA-1\",0,2.5\n"); /* R's
                                                                                           write.csv
                                                                                         */
    reads("t", NULL, want);
    put("t", "# made by hand\n# c1 c2\nr1\t1\t0\nr2\t3\t4\n");
    reads("t", OPT(.orient = GRN_ORIENT_CELLS_ROWS), "r1: c1=1 | r2: c1=3 c2=4");
    reads("t", OPT(.orient = GRN_ORIENT_GENES_ROWS), "c1: r1=1 r2=3 | c2: r2=4");
    refuses("t", NULL, GRN_EINVAL,
            "'t': cannot tell whether rows are cells or genes (first row 'r1', first column 'c1'): "
            "give --orient cells or --orient genes");
    put("t",
        "gene\tcell\tcount\nTP53\tc2\t4\nGATA1\tc1\t3\nTP53\tc1\t1\nTP53\tc1\t2\n"); /* UMI-tools,
                                                                                        one pair
                                                                                        twice */
    reads("t", NULL, "c2: TP53=4 | c1: TP53=3 GATA1=3");
    put("t", ",0,1,2\nGATA1,1,2,3\nTP53,0,0,0\n"); /* numbers as names of columns */
    reads("t", OPT(.orient = GRN_ORIENT_GENES_ROWS), "0: GATA1=1 | 1: GATA1=2 | 2: GATA1=3");
}

static void bad_tables(void **state)
{
    (void)state;
    put("t", "");
    refuses("t", NULL, GRN_EFORMAT, "'t' is empty; a matrix of counts is expected");
    put("t", ",GATA1,TP53\n");
    refuses("t", NULL, GRN_EFORMAT, "'t' has a header and no data");
    put("t", "GATA1\nTP53\n");
    refuses("t", NULL, GRN_EFORMAT,
            "'t' line 1: one column only; a table of counts with names is expected");
    put("t", "c,1,2\nd,3,4\n");
    refuses("t", NULL, GRN_EFORMAT, "'t' line 1: numbers where a header with names is expected");
    put("t", "cell,GATA1,TP53\nc1,1,2\nc2,3\n");
    refuses("t", NULL, GRN_EFORMAT, "'t' line 3: fewer than the 3 fields expected");
    put("t", "cell,GATA1,TP53\nc1,1,2\nc2,3,4,5\n");
    refuses("t", NULL, GRN_EFORMAT, "'t' line 3: more than the 3 fields expected");
    put("t", "cell,GATA1,TP53\nc1,1,2\nc2,3,x4\n");
    refuses("t", NULL, GRN_EFORMAT, "'t' line 3: 'x4' in column 'TP53' is no number");
    put("t", "cell,GATA1,TP53\nc1,1,2\nc2,NaN,4\n");
    refuses("t", NULL, GRN_ENONFINITE,
            "'t' line 3: NaN; a number is expected (1 in all; --allow-nonfinite reads them as 0)");
    reads("t", OPT(.allow_nonfinite = 1), "c1: GATA1=1 TP53=2 | c2: TP53=4");
    put("t", "cell,GATA1,TP53\nc1,1,2\nc2,inf,4\n");
    refuses("t", OPT(.allow_nonfinite = 1), GRN_ENONFINITE,
            "'t' line 3: inf; a finite number is expected");
    put("t", "cell,GATA1,TP53\nc1,1,2\nc2,-3,4\n");
    reads("t", NULL, "c1: GATA1=1 TP53=2 | c2: GATA1=-3 TP53=4");
    refuses(
        "t", OPT(.require_counts = 1), GRN_EFORMAT,
        "'t' line 3: -3 is no count (1 such values); raw counts are expected (another --layer?)");
    put("t", "cell,GATA1,TP53\nc1,1,2\nc2,3.5,4\n");
    refuses(
        "t", OPT(.require_counts = 1), GRN_EFORMAT,
        "'t' line 3: 3.5 is no count (1 such values); raw counts are expected (another --layer?)");
    put("t", "cell,GATA1,TP53\nc1,1,2\nc2,16777217,4\n");
    refuses("t", NULL, GRN_EFORMAT,
            "'t' line 3: 16777217; counts of at most 16,777,216 are expected");
    put("t", "PK\003\004......indices.npy");
    refuses("t", NULL, GRN_EUNSUP,
            "'t' is a NumPy npz file, which has no names of cells and genes; write it as h5ad "
            "(Python: anndata)");
    put("t", "PK\003\004......[Content_Types].xml");
    refuses("t", NULL, GRN_EUNSUP, "'t' is an Excel file; save it as csv");
    put("t", "BAM\001...");
    refuses("t", NULL, GRN_EFORMAT, "'t' is a BAM file; text was expected");
    refuses("absent", NULL, GRN_EIO, "cannot open 'absent': No such file or directory");
}

static void mtx(void **state)
{
    (void)state;
    mkdir("v3", 0777);
    put_gz(
        "v3/matrix.mtx.gz",
        "%%MatrixMarket matrix coordinate integer general\n%\n3 2 4\n3 1 7\n1 1 1\n2 2 2\n1 1 4\n");
    put_gz("v3/features.tsv.gz",
           "ENSG00000000001\tGATA1\tGene Expression\nENSG00000000002\tTP53\tGene "
           "Expression\nCD3\tCD3\tAntibody Capture\n");
    put_gz("v3/barcodes.tsv.gz", "AAAC-1\nAAAG-1\n");
    reads("v3", NULL, "AAAC-1: GATA1=5 | AAAG-1: TP53=2"); /* one entry twice: added up */
    reads("v3/", OPT(.feature_type = "Antibody Capture"), "AAAC-1: CD3=7 | AAAG-1:");
    reads("v3/matrix.mtx.gz", OPT(.gene_column = "id"),
          "AAAC-1: ENSG00000000001=5 | AAAG-1: ENSG00000000002=2");
    refuses("v3", OPT(.feature_type = "Peaks"), GRN_EINVAL,
            "'v3' has no features of type 'Peaks'; it has: Gene Expression 2, Antibody Capture 1 "
            "(choose with --feature-type)");
    mkdir("v2", 0777);
    put("v2/matrix.mtx", "%%MatrixMarket matrix coordinate real general\n2 3 2\n1 1 1\n2 3 2.5\n");
    put("v2/genes.tsv", "g1\tTBCE\ng2\tTBCE\n");
    put("v2/barcodes.tsv", "AAAC\nAAAG\nAAAT\n");
    reads("v2", NULL, "AAAC: TBCE=1 | AAAG: | AAAT: TBCE-1=2.5"); /* no counts: kept apart */
    put("v2/matrix.mtx", "%%MatrixMarket matrix coordinate pattern general\n2 3 2\n1 1\n2 1\n");
    reads("v2", NULL, "AAAC: TBCE=2 | AAAG: | AAAT:");
    reads("v2", OPT(.dup = GRN_DUP_UNIQUE), "AAAC: TBCE=1 TBCE-1=1 | AAAG: | AAAT:");
    refuses("v2", OPT(.dup = GRN_DUP_ERROR), GRN_EFORMAT,
            "'v2': gene name 'TBCE' occurs more than once (1 such columns; --duplicate-genes sum "
            "or unique)");
    put("s_rna.mtx",
        "%MatrixMarket matrix coordinate integer general\n2 3 1\n1 3 9\n"); /* cells x genes, one
                                                                               percent sign */
    put("s_barcodes.tsv", "AAAC\tx\nAAAG\ty\n");
    put("s_genes.tsv", "TP53\tENSG00000000002\nGATA1\tENSG00000000001\nSPI1\tENSG00000000003\n");
    reads("s_rna.mtx", NULL, "AAAC: SPI1=9 | AAAG:");
    put("s_peaks.bed", "chr1\t0\t100\nchr1\t200\t300\nchr2\t5\t10\n");
    put("s_atac.mtx", "%%MatrixMarket matrix coordinate integer general\n3 2 1\n3 1 9\n");
    reads("s_atac.mtx", NULL, "AAAC: chr2:5-10=9 | AAAG:");
}

static void bad_mtx(void **state)
{
    (void)state;
    mkdir("m", 0777);
    refuses("m", NULL, GRN_EFORMAT, "folder 'm' has no matrix.mtx or matrix.mtx.gz");
    mkdir("m/filtered_feature_bc_matrix", 0777);
    refuses("m", NULL, GRN_EFORMAT,
            "'m' has no matrix.mtx(.gz); give 'm/filtered_feature_bc_matrix'");
    put("m/matrix.mtx", "%%MatrixMarket matrix coordinate integer general\n2 3 2\n1 1 1\n");
    refuses("m", NULL, GRN_ETRUNC, "'m/matrix.mtx' is truncated: it ends after 1 of 2 entries");
    put("m/matrix.mtx", "%%MatrixMarket matrix coordinate integer general\n2 3 1\n1 1 1\n1 2 1\n");
    refuses("m", NULL, GRN_EFORMAT, "'m/matrix.mtx' line 4: more entries than the 1 of the header");
    put("m/matrix.mtx", "%%MatrixMarket matrix coordinate integer general\n2 3 1\n3 1 1\n");
    refuses("m", NULL, GRN_EFORMAT,
            "'m/matrix.mtx' line 3: entry (3, 1) is outside the matrix of 2 x 3 (counted from 1)");
    put("m/matrix.mtx", "%%MatrixMarket matrix coordinate integer general\n2 3 1\n0 1 1\n");
    refuses("m", NULL, GRN_EFORMAT,
            "'m/matrix.mtx' line 3: entry (0, 1) is outside the matrix of 2 x 3 (counted from 1)");
    put("m/matrix.mtx", "%%MatrixMarket matrix coordinate integer general\n2 3 1\n1 1 x\n");
    refuses("m", NULL, GRN_EFORMAT,
            "'m/matrix.mtx' line 3: 'x' where row, column and value are expected");
    put("m/matrix.mtx", "%%MatrixMarket matrix coordinate integer general\n2 3 1\n1 1 nan\n");
    put("m/genes.tsv", "a\nb\n");
    put("m/barcodes.tsv", "c\nd\ne\n");
    refuses("m", NULL, GRN_ENONFINITE,
            "'m' line 3: NaN; a number is expected (1 in all; --allow-nonfinite reads them as 0)");
    put("m/matrix.mtx", "%%MatrixMarket matrix array integer general\n2 3\n");
    refuses("m", NULL, GRN_EUNSUP,
            "'m/matrix.mtx' line 1: a coordinate matrix is expected, found 'matrix array'");
    put("m/matrix.mtx", "%%MatrixMarket matrix coordinate integer symmetric\n2 2 0\n");
    refuses("m", NULL, GRN_EUNSUP,
            "'m/matrix.mtx' line 1: the matrix is 'symmetric'; general is expected");
    put("m/matrix.mtx", "%%MatrixMarket matrix coordinate integer general\n2 x 1\n");
    refuses("m", NULL, GRN_EFORMAT,
            "'m/matrix.mtx' line 2: sizes are expected: rows, columns, entries");
    put("m/matrix.mtx", "");
    refuses("m", NULL, GRN_EFORMAT, "'m/matrix.mtx' is empty; a MatrixMarket file is expected");
    put("m/matrix.mtx", "%%MatrixMarket matrix coordinate integer general\n2 4 1\n1 1 1\n");
    refuses("m", NULL, GRN_ESHAPE, "'m/matrix.mtx' has 4 columns, but 'barcodes.tsv' has 3 lines");
    put("m/barcodes.tsv", "c\nc\ne\nc\n");
    reads("m", NULL, "c: a=1 | c-1: | e: | c-2:");
    unlink("m/genes.tsv");
    refuses("m", NULL, GRN_EFORMAT,
            "'m/matrix.mtx' has 2 rows, but there is no features.tsv or genes.tsv beside it");
}

/* ---- HDF5 through our writers ---- */

/* 3 cells x 4 genes: values chosen by hand; cell types with one missing. */
static void make(grn_matrix_t *m)
{
    static const uint64_t indptr[] = { 0, 2, 2, 5 };
    static const uint32_t indices[] = { 0, 2, 1, 2, 3 };
    static const float data[] = { 1, 2, 3, 4, 500 };
    static const char *const cell[] = { "AAAC-1", "AAAG-1", "AAAT-1" }, *const gene[] = {
        "SPI1", "TBCE", "GATA1", "chr1:10-20"
    };
    static const char *const id[] = { "ENSG00000000001", "ENSG00000000002", "ENSG00000000003",
                                      "chr1:10-20" };
    grn_names_t levels = { 0 };
    int32_t *code;
    *m = (grn_matrix_t){ .n_rows = 3, .n_cols = 4 };
    assert_int_equal(GRN_NEW(m->indptr, 4), GRN_OK);
    assert_int_equal(GRN_NEW(m->indices, 5), GRN_OK);
    assert_int_equal(GRN_NEW(m->data, 5), GRN_OK);
    memcpy(m->indptr, indptr, sizeof indptr);
    memcpy(m->indices, indices, sizeof indices);
    memcpy(m->data, data, sizeof data);
    for (int i = 0; i < 3; i++)
        assert_int_equal(grn_names_add(&m->row, cell[i], NULL, NULL), GRN_OK);
    for (int i = 0; i < 4; i++)
        assert_int_equal(grn_names_add(&m->col, gene[i], NULL, NULL), GRN_OK);
    assert_int_equal(GRN_NEW(code, 3), GRN_OK);
    code[0] = 1, code[1] = -1, code[2] = 0;
    assert_int_equal(grn_names_add(&levels, "T cell", NULL, NULL), GRN_OK);
    assert_int_equal(grn_names_add(&levels, "B cell", NULL, NULL), GRN_OK);
    assert_int_equal(grn_attr_add_code(&m->row_attr, "cell_type", code, &levels), GRN_OK);
    levels = (grn_names_t){ 0 };
    assert_int_equal(GRN_NEW(code, 4), GRN_OK);
    for (int i = 0; i < 4; i++)
        code[i] = i, assert_int_equal(grn_names_add(&levels, id[i], NULL, NULL), GRN_OK);
    assert_int_equal(grn_attr_add_code(&m->col_attr, "gene_id", code, &levels), GRN_OK);
    levels = (grn_names_t){ 0 };
    assert_int_equal(GRN_NEW(code, 4), GRN_OK);
    code[3] = 1;
    assert_int_equal(grn_names_add(&levels, "Gene Expression", NULL, NULL), GRN_OK);
    assert_int_equal(grn_names_add(&levels, "Peaks", NULL, NULL), GRN_OK);
    assert_int_equal(grn_attr_add_code(&m->col_attr, "feature_type", code, &levels), GRN_OK);
}

static void same_bytes(const char *a, const char *b)
{
    FILE *f = fopen(a, "rb"), *g = fopen(b, "rb");
    int x, y;
    assert_non_null(f);
    assert_non_null(g);
    do {
        x = getc(f);
        y = getc(g);
        assert_int_equal(x, y);
    } while (x != EOF);
    fclose(f);
    fclose(g);
}

static const char *const GENES =
    "AAAC-1: SPI1=1 GATA1=2 [B cell] | AAAG-1: [] | AAAT-1: TBCE=3 GATA1=4 [T cell]";

static void writers(void **state)
{
    (void)state;
    grn_matrix_t m, part;
    make(&m);
    assert_int_equal(grn_h5ad_write(&m, "w.h5ad"), GRN_OK);
    assert_int_equal(grn_h5ad_write(&m, "w2.h5ad"), GRN_OK);
    same_bytes("w.h5ad", "w2.h5ad");
    reads("w.h5ad", NULL, GENES);
    reads("w.h5ad", OPT(.feature_type = "Peaks"),
          "AAAC-1: [B cell] | AAAG-1: [] | AAAT-1: chr1:10-20=500 [T cell]");
    refuses("w.h5ad", OPT(.cell_type = "type"), GRN_EINVAL,
            "'w.h5ad' has no column 'type' for the cell type; it has: cell_type");
    refuses("w.h5ad", OPT(.layer = "counts"), GRN_EINVAL,
            "'w.h5ad' has no layer 'counts'; layers: none");
    reads("w.h5ad", OPT(.gene_column = "gene_id", .feature_type = "Peaks"),
          "AAAC-1: [B cell] | AAAG-1: [] | AAAT-1: chr1:10-20=500 [T cell]");
    assert_int_equal(grn_tenx_write(&m, "w.h5"), GRN_OK);
    assert_int_equal(grn_tenx_write(&m, "w2.h5"), GRN_OK);
    same_bytes("w.h5", "w2.h5");
    reads("w.h5", NULL, "AAAC-1: SPI1=1 GATA1=2 | AAAG-1: | AAAT-1: TBCE=3 GATA1=4");
    reads("w.h5", OPT(.gene_column = "id"),
          "AAAC-1: ENSG00000000001=1 ENSG00000000003=2 | AAAG-1: | AAAT-1: ENSG00000000002=3 "
          "ENSG00000000003=4");
    grn_h5ad_w_t *w;
    grn_tenx_w_t *t;
    assert_int_equal(grn_h5ad_w_open(&w, "s.h5ad", &m.col, &m.col_attr), GRN_OK);
    assert_int_equal(grn_tenx_w_open(&t, "s.h5", &m.col, &m.col_attr), GRN_OK);
    for (uint32_t i = 0; i < 3; i++) {
        part = (grn_matrix_t){ 0 };
        assert_int_equal(grn_matrix_pick_rows(&m, &i, 1, &part), GRN_OK);
        assert_int_equal(grn_h5ad_w_append(w, &part), GRN_OK);
        assert_int_equal(grn_tenx_w_append(t, &part), GRN_OK);
        grn_matrix_clear(&part);
    }
    assert_int_equal(grn_h5ad_w_commit(w), GRN_OK);
    assert_int_equal(grn_tenx_w_commit(t), GRN_OK);
    reads("s.h5ad", NULL, GENES);
    same_bytes("s.h5", "w.h5");
    assert_int_equal(grn_matrix_to_dense(&m), GRN_OK);
    assert_int_equal(grn_h5ad_write(&m, "d.h5ad"), GRN_OK);
    reads("d.h5ad", NULL, GENES);
    assert_int_equal(grn_matrix_to_csr(&m), GRN_OK);
    m.data[1] = 0.5f;
    assert_int_equal(grn_tenx_write(&m, "half.h5"), GRN_EINVAL);
    assert_string_equal(
        grn_err_msg(),
        "cannot write 'half.h5': 0.5 is no count, and 10x files hold counts (use h5ad)");
    assert_int_equal(access("half.h5", F_OK), -1);
    grn_matrix_clear(&m);
}

/* A file cut short is refused at every length. */
static void cut_hdf5(void **state)
{
    (void)state;
    grn_matrix_t m;
    make(&m);
    assert_int_equal(grn_tenx_write(&m, "whole.h5"), GRN_OK);
    grn_matrix_clear(&m);
    struct stat st;
    assert_int_equal(stat("whole.h5", &st), 0);
    for (off_t n = st.st_size - 1; n > 8; n -= n > 64 ? st.st_size / 23 : 7) {
        char cmd[128];
        grn_matrix_t got = { 0 };
        snprintf(cmd, sizeof cmd, "head -c %lld whole.h5 > cut.h5", (long long)n);
        assert_int_equal(system(cmd), 0);
        grn_status rc = grn_counts_load("cut.h5", NULL, NULL, &got);
        if (rc == GRN_OK) fail_msg("read a file cut to %lld bytes", (long long)n);
        assert_non_null(strstr(grn_err_msg(), "'cut.h5'"));
        assert_null(strchr(grn_err_msg(), '\n'));
        if (n > 96) assert_int_equal(rc, GRN_ETRUNC);
    }
}

/* ---- HDF5 of older writers, made by hand ---- */

static hid_t h5_new(const char *path)
{
    hid_t f = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(f >= 0);
    return f;
}

static void h5_vec(hid_t at, const char *name, hid_t type, hid_t mem, const void *v, hsize_t n,
                   hid_t dcpl)
{
    hid_t s = H5Screate_simple(1, &n, NULL),
          d = H5Dcreate2(at, name, type, s, H5P_DEFAULT, dcpl, H5P_DEFAULT);
    assert_true(d >= 0);
    if (v) assert_true(H5Dwrite(d, mem, H5S_ALL, H5S_ALL, H5P_DEFAULT, v) >= 0);
    H5Dclose(d);
    H5Sclose(s);
}

static hid_t h5_str(size_t n)
{
    hid_t t = H5Tcopy(H5T_C_S1);
    H5Tset_size(t, n);
    return t;
}

static void h5_attr(hid_t at, const char *name, const char *value)
{
    hid_t t = h5_str(strlen(value)), s = H5Screate(H5S_SCALAR),
          a = H5Acreate2(at, name, t, s, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(a >= 0 && H5Awrite(a, t, value) >= 0);
    H5Aclose(a);
    H5Sclose(s);
    H5Tclose(t);
}

static void h5_shape(hid_t at, const char *name, int64_t r, int64_t c)
{
    int64_t v[2] = { r, c };
    hsize_t two = 2;
    hid_t s = H5Screate_simple(1, &two, NULL),
          a = H5Acreate2(at, name, H5T_STD_I64LE, s, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(a >= 0 && H5Awrite(a, H5T_NATIVE_INT64, v) >= 0);
    H5Aclose(a);
    H5Sclose(s);
}

/* anndata 0.6: obs and var as compound tables, categories in uns, CSC with h5sparse attributes and
 * unsorted rows, raw.X. */
static void h5ad_v06(void **state)
{
    (void)state;
    struct {
        char index[8];
        int8_t cell_type;
        float n;
    } obs[2] = { { "AAAC", 1, 3 }, { "AAAG", -1, 7 } };
    struct {
        char index[8];
    } var[3] = { { "SPI1" }, { "TBCE" }, { "GATA1" } };
    float scaled[] = { -0.5f, 0, 1, 0.25f, 2, 0 };
    hid_t f = h5_new("v06.h5ad"), s8 = h5_str(8), to = H5Tcreate(H5T_COMPOUND, sizeof *obs),
          tv = H5Tcreate(H5T_COMPOUND, sizeof *var);
    H5Tinsert(to, "index", HOFFSET(__typeof__(*obs), index), s8);
    H5Tinsert(to, "cell_type", HOFFSET(__typeof__(*obs), cell_type), H5T_NATIVE_INT8);
    H5Tinsert(to, "n", HOFFSET(__typeof__(*obs), n), H5T_NATIVE_FLOAT);
    H5Tinsert(tv, "index", 0, s8);
    h5_vec(f, "obs", to, to, obs, 2, H5P_DEFAULT);
    h5_vec(f, "var", tv, tv, var, 3, H5P_DEFAULT);
    h5_vec(f, "raw.var", tv, tv, var, 3, H5P_DEFAULT);
    hsize_t dim[2] = { 2, 3 };
    hid_t s = H5Screate_simple(2, dim, NULL),
          x = H5Dcreate2(f, "X", H5T_IEEE_F32LE, s, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(H5Dwrite(x, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, scaled) >= 0);
    H5Dclose(x);
    H5Sclose(s);
    hid_t u = H5Gcreate2(f, "uns", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
          r = H5Gcreate2(f, "raw.X", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    h5_vec(u, "cell_type_categories", s8, s8, "B\0\0\0\0\0\0\0Mono\0\0\0\0", 2, H5P_DEFAULT);
    h5_attr(r, "h5sparse_format", "csc");
    h5_shape(r, "h5sparse_shape", 2, 3);
    h5_vec(r, "indptr", H5T_STD_I32LE, H5T_NATIVE_INT, (int[]){ 0, 2, 2, 3 }, 4, H5P_DEFAULT);
    h5_vec(r, "indices", H5T_STD_I32LE, H5T_NATIVE_INT, (int[]){ 1, 0, 1 }, 3,
           H5P_DEFAULT); /* unsorted */
    h5_vec(r, "data", H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, (double[]){ 5, 6, 7 }, 3, H5P_DEFAULT);
    H5Gclose(u);
    H5Gclose(r);
    H5Tclose(s8);
    H5Tclose(to);
    H5Tclose(tv);
    H5Fclose(f);
    reads(
        "v06.h5ad", NULL,
        "AAAC: SPI1=6 [Mono] | AAAG: SPI1=5 GATA1=7 []"); /* X is scaled: raw.X, which is counts */
    reads("v06.h5ad", OPT(.layer = "X"),
          "AAAC: SPI1=-0.5 GATA1=1 [Mono] | AAAG: SPI1=0.25 TBCE=2 []");
    refuses("v06.h5ad", OPT(.layer = "X", .require_counts = 1), GRN_EFORMAT,
            "'v06.h5ad' 'X' row 0: -0.5 is no count (1 such values); raw counts are expected "
            "(another --layer?)");
}

/* anndata 0.7: groups with __categories; nullable column; X compressed with LZF and Zstandard. */
static void h5ad_v07(void **state)
{
    (void)state;
    static const char *const cats = "B\0\0\0\0\0\0\0Mono\0\0\0\0";
    hid_t f = h5_new("v07.h5ad"), s20 = h5_str(20), s8 = h5_str(8);
    hid_t obs = H5Gcreate2(f, "obs", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
          var = H5Gcreate2(f, "var", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    hid_t x = H5Gcreate2(f, "X", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
          c = H5Gcreate2(obs, "__categories", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    hid_t d = H5Gcreate2(obs, "donor_id", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    h5_attr(obs, "_index", "_index");
    h5_attr(var, "_index", "gene_ids");
    h5_vec(obs, "_index", s20, s20,
           "AAAC-1\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
           "AAAG-1\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
           2, H5P_DEFAULT);
    h5_vec(obs, "louvain", H5T_STD_I8LE, H5T_NATIVE_INT, (int[]){ 1, 0 }, 2, H5P_DEFAULT);
    h5_vec(c, "louvain", s8, s8, cats, 2, H5P_DEFAULT);
    h5_vec(d, "values", H5T_STD_I64LE, H5T_NATIVE_INT, (int[]){ 12, 13 }, 2, H5P_DEFAULT);
    h5_vec(d, "mask", H5T_STD_I8LE, H5T_NATIVE_INT, (int[]){ 0, 1 }, 2, H5P_DEFAULT);
    h5_vec(var, "gene_ids", s20, s20,
           "ENSMUSG00000000001\0\0"
           "ENSMUSG00000000002\0\0",
           2, H5P_DEFAULT);
    h5_vec(var, "feature_name", s8, s8, "Spi1\0\0\0\0Tbce\0\0\0\0", 2, H5P_DEFAULT);
    h5_attr(x, "encoding-type", "csr_matrix");
    h5_shape(x, "shape", 2, 2);
    h5_vec(x, "indptr", H5T_STD_I64LE, H5T_NATIVE_INT, (int[]){ 0, 1, 3 }, 3, H5P_DEFAULT);
    /* 3 floats as LZF: 12 literals; 3 int32 as one zstd frame */
    float v[3] = { 3, 4, 5 };
    int32_t idx[3] = { 1, 1, 0 };
    unsigned char lzf[16] = { 11 }, z[64];
    memcpy(lzf + 1, v, 12);
    size_t zn = ZSTD_compress(z, sizeof z, idx, sizeof idx, 1);
    hsize_t three = 3;
    unsigned cd[3] = { 4, 0x105, 12 };
    hid_t p = H5Pcreate(H5P_DATASET_CREATE), q = H5Pcreate(H5P_DATASET_CREATE),
          b = H5Pcreate(H5P_DATASET_CREATE), ds;
    H5Pset_chunk(p, 1, &three);
    H5Pset_chunk(q, 1, &three);
    H5Pset_chunk(b, 1, &three);
    H5Pset_filter(p, 32000, H5Z_FLAG_OPTIONAL, 3, cd);
    H5Pset_filter(q, 32015, H5Z_FLAG_OPTIONAL, 0, NULL);
    H5Pset_filter(b, 32001, H5Z_FLAG_OPTIONAL, 0, NULL);
    h5_vec(x, "data", H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, NULL, 3, p);
    h5_vec(x, "indices", H5T_STD_I32LE, H5T_NATIVE_INT, NULL, 3, q);
    ds = H5Dopen2(x, "data", H5P_DEFAULT);
    assert_true(H5Dwrite_chunk(ds, H5P_DEFAULT, 0, (hsize_t[]){ 0 }, 13, lzf) >= 0);
    H5Dclose(ds);
    ds = H5Dopen2(x, "indices", H5P_DEFAULT);
    assert_true(H5Dwrite_chunk(ds, H5P_DEFAULT, 0, (hsize_t[]){ 0 }, zn, z) >= 0);
    H5Dclose(ds);
    hid_t ls = H5Gcreate2(f, "layers", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
          l = H5Gcreate2(ls, "blosc", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    h5_attr(l, "encoding-type", "csr_matrix");
    h5_shape(l, "shape", 2, 2);
    h5_vec(l, "data", H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, NULL, 3, b);
    hid_t all[] = { obs, var, x, c, d, ls, l };
    for (size_t i = 0; i < 7; i++) H5Gclose(all[i]);
    H5Pclose(p);
    H5Pclose(q);
    H5Pclose(b);
    H5Tclose(s20);
    H5Tclose(s8);
    H5Fclose(f);
    reads("v07.h5ad", NULL, "AAAC-1: Tbce=3 [Mono] <12> | AAAG-1: Spi1=5 Tbce=4 [B] <>");
    reads("v07.h5ad", OPT(.gene_column = "index", .cell_type = "donor_id"),
          "AAAC-1: ENSMUSG00000000002=3 [12] <12> | AAAG-1: ENSMUSG00000000001=5 "
          "ENSMUSG00000000002=4 [] <>");
    refuses("v07.h5ad", OPT(.layer = "blosc"), GRN_EUNSUP,
            "'v07.h5ad': dataset 'layers/blosc/data' is compressed with the HDF5 filter 32001 "
            "(blosc), which is not installed here: install its "
            "plugin (HDF5_PLUGIN_PATH) or rewrite the file with gzip");
}

/* 10x of Cell Ranger 1-2 with two genomes, damaged indices, and HDF5 that is none of ours. */
static void tenx_v2(void **state)
{
    (void)state;
    hid_t f = h5_new("v2.h5"), s8 = h5_str(8);
    for (int g = 0; g < 2; g++) {
        hid_t at = H5Gcreate2(f, g ? "mm10" : "hg19", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
        h5_vec(at, "barcodes", s8, s8, "AAAC-1\0\0AAAG-1\0\0", 2, H5P_DEFAULT);
        h5_vec(at, "genes", s8, s8, "ENSG1\0\0\0ENSG2\0\0\0", 2, H5P_DEFAULT);
        h5_vec(at, "gene_names", s8, s8,
               g ? "Spi1\0\0\0\0Tbce\0\0\0\0" : "SPI1\0\0\0\0TBCE\0\0\0\0", 2, H5P_DEFAULT);
        h5_vec(at, "shape", H5T_STD_I32LE, H5T_NATIVE_INT, (int[]){ 2, 2 }, 2, H5P_DEFAULT);
        h5_vec(at, "indptr", H5T_STD_I64LE, H5T_NATIVE_INT, (int[]){ 0, 1, 2 }, 3, H5P_DEFAULT);
        h5_vec(at, "indices", H5T_STD_I64LE, H5T_NATIVE_INT, g ? (int[]){ 1, 2 } : (int[]){ 1, 0 },
               2, H5P_DEFAULT);
        h5_vec(at, "data", H5T_STD_I32LE, H5T_NATIVE_INT, (int[]){ 8, 9 }, 2, H5P_DEFAULT);
        H5Gclose(at);
    }
    H5Fclose(f);
    reads("v2.h5", OPT(.genome = "hg19"), "AAAC-1: TBCE=8 | AAAG-1: SPI1=9");
    refuses("v2.h5", NULL, GRN_EINVAL,
            "'v2.h5' holds several genomes: hg19, mm10 (choose with --genome)");
    refuses("v2.h5", OPT(.genome = "mm10"), GRN_EFORMAT,
            "'v2.h5': 'mm10/indices' value 1 is 2; indices of 0..1 expected");
    f = h5_new("other.h5");
    h5_vec(f, "barcode_idx", s8, s8, "A\0\0\0\0\0\0\0", 1, H5P_DEFAULT);
    H5Fclose(f);
    refuses("other.h5", NULL, GRN_EUNSUP,
            "'other.h5' is a 10x molecule_info file; give filtered_feature_bc_matrix.h5 of the "
            "same run");
    f = h5_new("other.h5");
    h5_vec(f, "weights", s8, s8, "A\0\0\0\0\0\0\0", 1, H5P_DEFAULT);
    H5Fclose(f);
    refuses("other.h5", NULL, GRN_EFORMAT,
            "'other.h5' is HDF5 but no h5ad, 10x or loom file; its root holds: weights");
    H5Tclose(s8);
}

/* MuData: two h5ad files of our own as groups under mod/. */
static void h5mu(void **state)
{
    (void)state;
    static const char *const parts[] = { "X", "obs", "var", "layers" };
    grn_matrix_t m;
    uint32_t peak = 3;
    make(&m);
    assert_int_equal(grn_h5ad_write(&m, "rna.h5ad"), GRN_OK);
    grn_matrix_t p = { 0 };
    assert_int_equal(grn_matrix_pick_cols(&m, &peak, 1, &p), GRN_OK);
    grn_attrs_clear(&p.col_attr, 1); /* no feature types of its own */
    assert_int_equal(grn_h5ad_write(&p, "atac.h5ad"), GRN_OK);
    hid_t f = h5_new("x.h5mu"), mod = H5Gcreate2(f, "mod", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    for (int k = 0; k < 2; k++) {
        hid_t from = H5Fopen(k ? "atac.h5ad" : "rna.h5ad", H5F_ACC_RDONLY, H5P_DEFAULT);
        hid_t at = H5Gcreate2(mod, k ? "atac" : "rna", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
        for (int i = 0; i < 4; i++)
            assert_true(H5Ocopy(from, parts[i], at, parts[i], H5P_DEFAULT, H5P_DEFAULT) >= 0);
        H5Gclose(at);
        H5Fclose(from);
    }
    H5Gclose(mod);
    H5Fclose(f);
    reads("x.h5mu", NULL, GENES);
    reads("x.h5mu", OPT(.feature_type = "Peaks"),
          "AAAC-1: [B cell] | AAAG-1: [] | AAAT-1: chr1:10-20=500 [T cell]");
    refuses("x.h5mu", OPT(.feature_type = "Antibody Capture"), GRN_EINVAL,
            "'x.h5mu' (MuData) has no modality for 'Antibody Capture'; it has: atac, rna (choose "
            "with --feature-type)");
    grn_matrix_clear(&m);
    grn_matrix_clear(&p);
}

static void loom(void **state)
{
    (void)state;
    hid_t f = h5_new("x.loom"), s8 = h5_str(8), s16 = h5_str(16);
    hsize_t dim[2] = { 3, 2 };
    hid_t s = H5Screate_simple(2, dim, NULL),
          x = H5Dcreate2(f, "matrix", H5T_IEEE_F32LE, s, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(H5Dwrite(x, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT,
                         (float[]){ 1, 0, 0, 2, 3, 4 }) >= 0);
    H5Dclose(x);
    H5Sclose(s);
    hid_t r = H5Gcreate2(f, "row_attrs", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
          c = H5Gcreate2(f, "col_attrs", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    h5_vec(r, "Gene", s8, s8, "SPI1\0\0\0\0TBCE\0\0\0\0TBCE\0\0\0\0", 3, H5P_DEFAULT);
    h5_vec(c, "CellID", s8, s8, "AAAC\0\0\0\0AAAG\0\0\0\0", 2, H5P_DEFAULT);
    h5_vec(c, "ClusterName", s16, s16, "T &amp; B\0\0\0\0\0\0\0M&#233;\0\0\0\0\0\0\0\0\0", 2,
           H5P_DEFAULT);
    H5Gclose(r);
    H5Gclose(c);
    H5Fclose(f);
    H5Tclose(s8);
    H5Tclose(s16);
    reads("x.loom", NULL, "AAAC: SPI1=1 TBCE=3 [T & B] | AAAG: TBCE=6 [M\xc3\xa9]");
    refuses("x.loom", OPT(.gene_column = "Accession"), GRN_EINVAL,
            "'x.loom' has no row attribute 'Accession'; it has: Gene");
    refuses("x.loom", OPT(.layer = "spliced"), GRN_EINVAL,
            "'x.loom' has no layer 'spliced'; layers: none");
}

/* ---- labels ---- */

static void labels(void **state)
{
    (void)state;
    put("t", "cell,GATA1\nAAAC-1,1\nAAAG-1,2\nAAAT-1,3\n");
    put("l", "barcode\tCell Type\tDonor ID\nAAAT-1\tMono\td2\nAAAC-1\tB\td1\nzzz\tB\td1\n");
    reads("t", OPT(.cells_tsv = "l"),
          "AAAC-1: GATA1=1 [B] <d1> | AAAG-1: GATA1=2 [] <> | AAAT-1: GATA1=3 [Mono] <d2>");
    put("l", "x,\"group\"\r\n\"AAAT\",\"Mono\"\r\n\"AAAC\",NA\r\n");
    reads("t", OPT(.cells_tsv = "l", .cell_type = "group"),
          "AAAC-1: GATA1=1 [] | AAAG-1: GATA1=2 [] | AAAT-1: GATA1=3 [Mono]");
    refuses("t", OPT(.cells_tsv = "l"), GRN_EINVAL,
            "'l' has no column with a usual name of a cell type or donor; it has: group (choose "
            "with --cell-type)");
    refuses("t", OPT(.cells_tsv = "l", .donor = "who"), GRN_EINVAL,
            "'l' has no column 'who' for the donor; it has: group");
    put("l", "b\tcluster\nfoo\t1\nbar\t2\n");
    refuses("t", OPT(.cells_tsv = "l"), GRN_EEMPTY,
            "none of the 3 cells of 't' is in 'l'; first names: 'AAAC-1' and 'foo'");
    put("l", "b\tcluster\nAAAC-1\t1\nAAAC-1\t2\n");
    refuses("t", OPT(.cells_tsv = "l"), GRN_EFORMAT, "'l' line 3: barcode 'AAAC-1' is there twice");
    put("l", "b\tcluster\nAAAC-1\t1\tx\n");
    refuses("t", OPT(.cells_tsv = "l"), GRN_EFORMAT, "'l' line 2: 3 fields, 2 in the header");
    put("l", "");
    refuses("t", OPT(.cells_tsv = "l"), GRN_EFORMAT,
            "'l' is empty; a header and one line per cell are expected");
    put("l", "b\tcluster\n");
    refuses("t", OPT(.cells_tsv = "l"), GRN_EFORMAT, "'l' has a header and no cells");
    put("t", "cell,GATA1\nAAAC-1,1\nAAAC-1,2\n");
    put("l", "b\tcluster\nAAAC-1\t1\n");
    refuses(
        "t", OPT(.cells_tsv = "l"), GRN_EFORMAT,
        "'t': barcodes occur more than once (1 such cells), so labels cannot be joined by barcode");
}

/* The container and stdin go the same way. */
static void container_and_stdin(void **state)
{
    (void)state;
    grn_matrix_t m;
    make(&m);
    assert_int_equal(grn_matrix_save(&m, "m.tensor.zst", NULL), GRN_OK);
    assert_int_equal(grn_h5ad_write(&m, "m.h5ad"), GRN_OK);
    const char *all = "AAAC-1: SPI1=1 GATA1=2 [B cell] | AAAG-1: [] | AAAT-1: TBCE=3 GATA1=4 "
                      "chr1:10-20=500 [T cell]";
    reads("m.tensor.zst", NULL, all);
    reads("m.tensor.zst", OPT(.require_counts = 1), all);
    m.data[2] = -1;
    assert_int_equal(grn_matrix_save(&m, "neg.tensor.zst", NULL), GRN_OK);
    refuses("neg.tensor.zst", OPT(.require_counts = 1), GRN_EFORMAT,
            "'neg.tensor.zst' value 2: -1 is no count; raw counts are expected");
    put("l", "b\tcluster\nAAAG-1\tNK\n");
    reads("m.tensor.zst", OPT(.cells_tsv = "l"),
          "AAAC-1: SPI1=1 GATA1=2 [] | AAAG-1: [NK] | AAAT-1: TBCE=3 GATA1=4 chr1:10-20=500 []");
    put("t", "cell,GATA1\nAAAC-1,1\n");
    static const char *const cmd[] = { "cat t", "cat m.h5ad", "cat m.tensor.zst" };
    const char *want[] = { "AAAC-1: GATA1=1", GENES, all };
    int keep = dup(0);
    for (int i = 0; i < 3; i++) {
        FILE *p = popen(cmd[i], "r");
        assert_non_null(p);
        assert_true(dup2(fileno(p), 0) == 0);
        reads("-", NULL, want[i]);
        pclose(p);
    }
    dup2(keep, 0);
    close(keep);
    grn_matrix_clear(&m);
}

static int quiet(void **state)
{
    (void)state;
    grn_log_init("test_counts", 1);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(h5ad_v07), /* first: its filters may not be registered when it writes */
        cmocka_unit_test(tables),   cmocka_unit_test(bad_tables),
        cmocka_unit_test(mtx),      cmocka_unit_test(bad_mtx),
        cmocka_unit_test(writers),  cmocka_unit_test(cut_hdf5),
        cmocka_unit_test(h5ad_v06), cmocka_unit_test(tenx_v2),
        cmocka_unit_test(h5mu),     cmocka_unit_test(loom),
        cmocka_unit_test(labels),   cmocka_unit_test(container_and_stdin),
    };
    return cmocka_run_group_tests_name("counts", tests, quiet, NULL);
}
