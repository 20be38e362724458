/* io/table, tflist, gmt, motif2tf, adjacency: quotes, headers, merging, refusals; the field's lists, annotations and networks. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "io/adjacency.h"
#include "io/gmt.h"
#include "io/motif2tf.h"
#include "io/table.h"
#include "io/tflist.h"

static const char *put(const char *path, const char *text)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
    return path;
}

static const char *real(char *path, size_t cap, const char *name)
{
    const char *data = getenv("GRN_DATA");
    snprintf(path, cap, "%s/%s", data ? data : "", name);
    return data && access(path, R_OK) == 0 ? path : NULL;
}

static void rows(void **s)
{
    (void)s;
    grn_table_t b;
    assert_int_equal(grn_table_open(&b, put("t.csv", "# note\n\"a, b\",\"say \"\"hi\"\"\" , c \n\n,x\r\n")), GRN_OK);
    assert_int_equal(grn_table_next(&b), 1);
    assert_int_equal(b.n, 3);
    assert_string_equal(b.field[0], "a, b");
    assert_string_equal(b.field[1], "say \"hi\"");
    assert_string_equal(b.field[2], "c");
    assert_int_equal(grn_table_column(&b, "zz|C"), 2);
    assert_int_equal(grn_table_column(&b, "zz"), -1);
    assert_int_equal(grn_table_next(&b), 1);
    assert_int_equal(b.n, 2);
    assert_string_equal(b.field[0], "");
    assert_string_equal(b.field[1], "x");
    assert_int_equal(grn_table_next(&b), 0);
    grn_table_close(&b);
    assert_int_equal(grn_table_open(&b, put("t.tbl", "#motif_id\tgene_name\nm\tg, h\n#x\ty\n")), GRN_OK);
    assert_int_equal(grn_table_next(&b), 1);
    assert_string_equal(b.field[0], "motif_id");
    assert_int_equal(grn_table_next(&b), 1);
    assert_string_equal(b.field[1], "g, h");
    assert_int_equal(grn_table_next(&b), 0);
    grn_table_close(&b);
}

static void lists(void **s)
{
    (void)s;
    grn_names_t d = { 0 };
    uint64_t n_dup;
    assert_int_equal(grn_tflist_load(put("l", "TF,Sources\nSPI1,x|y\n\nPAX5,z\nSPI1,\n"), &d, &n_dup), GRN_OK);
    assert_int_equal(d.n, 2);
    assert_int_equal(n_dup, 1);
    assert_string_equal(grn_names_get(&d, 1), "PAX5");
    grn_names_clear(&d);
    assert_int_equal(grn_tflist_load(put("l", "SPI1\r\nTF\r\n"), &d, NULL), GRN_OK); /* only the first line can be a header */
    assert_int_equal(d.n, 2);
    grn_names_clear(&d);
    assert_int_equal(grn_tflist_load(put("l", ""), &d, NULL), GRN_OK);
    assert_int_equal(d.n, 0);
    assert_int_equal(grn_tflist_load("absent", &d, NULL), GRN_EIO);
    static const struct { const char *path; size_t n; const char *first, *last; } known[] = {
        { "rna/tf_lists/BEELINE_human-tfs.csv", 1563, "AATF", "ZSCAN4" },
        { "rna/tf_lists/BEELINE_mouse-tfs_GRNformer_TFMouse.csv", 1479, "AATF", "ZZZ3" },
        { "rna/tf_lists/SCENICprotocol_allTFs_hg38.txt", 1797, "A1CF", "ZXDC" },
        { "rna/tf_lists/pySCENIC_lambert2018.txt", 1639, "TFAP2A", "THAP9" },
        { "rna/tf_lists/pySCENIC_hs_hgnc_tfs.txt", 1839, "HOXA9", "ZEB2" },
        { "rna/tf_lists/pySCENIC_allTFs_dmel.txt", 815, "14-3-3epsilon", "zld" },
    };
    char path[4096];
    for (size_t i = 0; i < sizeof known / sizeof *known && real(path, sizeof path, known[i].path); i++) {
        assert_int_equal(grn_tflist_load(path, &d, &n_dup), GRN_OK);
        assert_int_equal(d.n, known[i].n);
        assert_int_equal(n_dup, 0);
        assert_string_equal(grn_names_get(&d, 0), known[i].first);
        assert_string_equal(grn_names_get(&d, d.n - 1), known[i].last);
        grn_names_clear(&d);
    }
}

static void gene_sets(void **s)
{
    (void)s;
    grn_gmt_t g = { 0 };
    grn_out_t *o;
    char back[256] = { 0 };
    const char *text = "S1\tfirst\tA\tB\tC\nempty\t\nS2\thttp://x\tB\tD\n";
    assert_int_equal(grn_gmt_load(put("a.gmt", text), &g), GRN_OK);
    assert_int_equal(g.n, 3);
    assert_int_equal(g.genes.n, 4);
    assert_int_equal(g.off[1], 3);
    assert_int_equal(g.off[2], 3);
    assert_int_equal(g.off[3], 5);
    assert_string_equal(grn_names_get(&g.genes, g.gene[3]), "B");
    assert_int_equal(grn_out_open(&o, "b.gmt", 0), GRN_OK);
    assert_int_equal(grn_gmt_write(&g, o), GRN_OK);
    assert_int_equal(grn_out_commit(o), GRN_OK);
    FILE *f = fopen("b.gmt", "r");
    assert_true(fread(back, 1, sizeof back - 1, f) > 0);
    fclose(f);
    assert_string_equal(back, text);
    grn_gmt_clear(&g);
    assert_int_equal(grn_gmt_load(put("a.gmt", "S\td\tA\t\tA\tB\tA\t\r\n"), &g), GRN_OK);
    assert_int_equal(g.off[1], 2);
    assert_int_equal(g.n_duplicate, 2);
    grn_gmt_clear(&g);
    assert_int_equal(grn_gmt_load(put("a.gmt", ""), &g), GRN_OK);
    assert_int_equal(g.n, 0);
    grn_gmt_clear(&g);
    assert_int_equal(grn_gmt_load(put("a.gmt", "S\td\tA\nS\td\tB\n"), &g), GRN_EFORMAT);
    assert_non_null(strstr(grn_err_msg(), "line 2: the set 'S'"));
    assert_int_equal(grn_gmt_load(put("a.gmt", "S\n"), &g), GRN_EFORMAT);
    assert_non_null(strstr(grn_err_msg(), "line 1"));
}

static int kind_of(const grn_motif2tf_t *t, const char *motif, const char *tf)
{
    size_t m = grn_names_find(&t->motifs, motif), f = grn_names_find(&t->tfs, tf);
    for (size_t i = 0; i < t->n; i++)
        if (t->motif[i] == m && t->tf[i] == f) return t->kind[i];
    return -1;
}

static void annotations(void **s)
{
    (void)s;
    grn_motif2tf_t t = { 0 };
    put("tbl", "#motif_id\tmotif_name\tgene_name\tmotif_similarity_qvalue\torthologous_identity\tdescription\n"
               "m1\tx\tAR\t0.0\t1.0\tgene is directly annotated\n"
               "m1\tx\tSTAR\t0.0005\t1.0\tgene is annotated for similar motif m9\n"
               "m2\tx\tAR\t0\t0.8\tgene is orthologous to X which is directly annotated for motif\n"
               "m2\tx\tAR\t0\t0.5\tgene is orthologous to X which is annotated for similar motif\n"
               "m3\tx\tSPI1\t0.01\t1.0\tgene is annotated for similar motif m9\n");
    assert_int_equal(grn_motif2tf_load("tbl", NULL, &t), GRN_OK);
    assert_string_equal(t.format, "cisTarget");
    assert_int_equal(t.n_rows, 5);
    assert_int_equal(t.n_rows_kept, 4); /* q = 0.01 > 0.001 */
    assert_int_equal(t.n, 3);
    assert_int_equal(kind_of(&t, "m1", "AR"), GRN_M2T_DIRECT); /* exact names: AR is not STAR */
    assert_int_equal(kind_of(&t, "m1", "STAR"), GRN_M2T_SIMILAR);
    assert_int_equal(kind_of(&t, "m2", "AR"), GRN_M2T_ORTHOLOG | GRN_M2T_BOTH);
    grn_motif2tf_clear(&t);
    grn_motif2tf_opt_t o = GRN_MOTIF2TF_OPT_INIT;
    o.kinds = GRN_M2T_DIRECT | GRN_M2T_ORTHOLOG;
    o.min_identity = 0.9;
    assert_int_equal(grn_motif2tf_load("tbl", &o, &t), GRN_OK);
    assert_int_equal(t.n, 1);
    grn_motif2tf_clear(&t);
    assert_int_equal(grn_motif2tf_load(put("two", "m1\tJUN::FOS\nm1\tAHR, ARNT\nm1\tFOS\n"), NULL, &t), GRN_OK);
    assert_int_equal(t.n, 4);
    assert_int_equal(kind_of(&t, "m1", "FOS"), GRN_M2T_DIRECT);
    grn_motif2tf_clear(&t);
    assert_int_equal(grn_motif2tf_load(put("gimme", "Motif\tFactor\tEvidence\tCurated\nm\tMA0006.1.Ahr\tx\tY\nm\tMAFB\tx\tN\n"), NULL, &t),
                     GRN_OK);
    assert_int_equal(kind_of(&t, "m", "Ahr"), GRN_M2T_DIRECT);
    assert_int_equal(kind_of(&t, "m", "MAFB"), GRN_M2T_SIMILAR);
    assert_int_equal(t.n_stripped, 1);
    grn_motif2tf_clear(&t);
    o.kinds = GRN_M2T_ORTHOLOG;
    assert_int_equal(grn_motif2tf_load("gimme", &o, &t), GRN_EEMPTY);
    assert_int_equal(grn_motif2tf_load(put("bad", "motif\tTF\nm1\n"), NULL, &t), GRN_EFORMAT);
    assert_non_null(strstr(grn_err_msg(), "line 2: 1 columns"));
    assert_int_equal(grn_motif2tf_load(put("bad", "lonely\n"), NULL, &t), GRN_EFORMAT);
    assert_int_equal(grn_motif2tf_load(put("bad", ""), NULL, &t), GRN_EEMPTY);
}

static void real_annotations(void **s)
{
    (void)s;
    static const struct { const char *path, *format; size_t rows, n, motifs, tfs, direct; } known[] = {
        { "atac/motifs/motif2tf_RcisTarget_v10nr_clust_hgnc.tsv.gz", "RcisTarget", 253096, 177084, 27072, 1605, 19149 },
        { "atac/motifs/motif2tf_RcisTarget_v10nr_clust_mgi.tsv.gz", "RcisTarget", 252126, 176952, 25692, 1412, 5419 },
        { "atac/motifs/jaspar2022_vertebrates.motif2tf.tsv", "two columns", 911, 911, 838, 720, 911 },
        { "atac/motifs/gimme_HOCOMOCOv11_HUMAN.motif2factors.txt.gz", "gimme", 401, 401, 401, 401, 401 },
        { "atac/motifs/gimme_gimme.vertebrate.v5.0.motif2factors.txt.gz", "gimme", 10269, 6942, 1690, 1884, 0 },
    };
    char path[4096];
    if (!real(path, sizeof path, "atac/motifs")) skip();
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        grn_motif2tf_t t = { 0 };
        size_t direct = 0;
        assert_non_null(real(path, sizeof path, known[i].path));
        assert_int_equal(grn_motif2tf_load(path, NULL, &t), GRN_OK);
        for (size_t k = 0; k < t.n; k++) direct += (t.kind[k] & GRN_M2T_DIRECT) != 0;
        assert_string_equal(t.format, known[i].format);
        assert_int_equal(t.n_rows, known[i].rows);
        assert_int_equal(t.n, known[i].n);
        assert_int_equal(t.motifs.n, known[i].motifs);
        assert_int_equal(t.tfs.n, known[i].tfs);
        if (known[i].direct) assert_int_equal(direct, known[i].direct);
        grn_motif2tf_clear(&t);
    }
}

static void networks(void **s)
{
    (void)s;
    grn_edges_t e = { 0 };
    grn_adjacency_info_t info;
    assert_int_equal(grn_adjacency_load(put("scenic", "TF\ttarget\timportance\nA\tx\t3.5\nB\ty\t1e-3\nA\tx\t4\n"), NULL, &e, &info),
                     GRN_OK);
    assert_int_equal(e.n, 2);
    assert_true(e.weight[0] == 4 && e.weight[1] == 1e-3f && e.sign[0] == 0);
    assert_string_equal(grn_names_get(&e.genes, e.gene[1]), "y");
    assert_int_equal(info.n_merged, 1);
    assert_true(info.has_weight && !info.has_sign);
    grn_edges_clear(&e);
    put("trrust", "A\tx\tActivation\t1\nA\tx\tUnknown\t2\n"
                  "A\ty\tRepression\t3\nA\ty\tActivation\t4\nA\ty\tActivation\t4\nB\tx\tUnknown\t5\n");
    assert_int_equal(grn_adjacency_load("trrust", NULL, &e, &info), GRN_OK);
    assert_int_equal(e.n, 3);
    assert_int_equal(e.sign[0], 1); /* unknown does not contradict */
    assert_int_equal(e.sign[1], 0); /* both */
    assert_int_equal(e.sign[2], 0);
    assert_int_equal(info.n_conflict, 1);
    assert_int_equal(info.n_pos, 1);
    grn_edges_clear(&e);
    assert_int_equal(grn_adjacency_load(put("doro", "tf,confidence,target,mor\nA,D,x,-0.5\nA,B,y,1.0\n"), NULL, &e, &info), GRN_OK);
    assert_true(e.sign[0] == -1 && e.weight[0] == 0.5f && e.sign[1] == 1 && e.weight[1] == 1);
    grn_edges_clear(&e);
    assert_int_equal(grn_adjacency_load("doro", "AB", &e, &info), GRN_OK);
    assert_int_equal(e.n, 1);
    grn_edges_clear(&e);
    assert_int_equal(grn_adjacency_load(put("beeline", "Gene1,Gene2,Type\nA,x,+\nA,y,-\n"), NULL, &e, &info), GRN_OK);
    assert_true(e.sign[0] == 1 && e.sign[1] == -1);
    grn_edges_clear(&e);
    assert_int_equal(grn_adjacency_load(put("two", "A\tx\nA\ty\n"), NULL, &e, &info), GRN_OK);
    assert_int_equal(e.n, 2);
    assert_true(e.weight[1] == 1);
    grn_edges_clear(&e);
    assert_int_equal(grn_adjacency_load("doro", "E", &e, &info), GRN_EEMPTY);
    assert_int_equal(grn_adjacency_load("two", "A", &e, &info), GRN_EFORMAT);
    assert_int_equal(grn_adjacency_load(put("bad", "TF\ttarget\timportance\nA\tx\tnan\n"), NULL, &e, &info), GRN_EFORMAT);
    assert_non_null(strstr(grn_err_msg(), "line 2: 'nan'"));
    assert_int_equal(grn_adjacency_load(put("bad", "TF\ttarget\timportance\nA\tx\n"), NULL, &e, &info), GRN_EFORMAT);
    assert_int_equal(grn_adjacency_load(put("bad", "TF\ttarget\nA\t\n"), NULL, &e, &info), GRN_EFORMAT);
    assert_int_equal(grn_adjacency_load(put("bad", "one\n"), NULL, &e, &info), GRN_EFORMAT);
    assert_int_equal(grn_adjacency_load(put("bad", ""), NULL, &e, &info), GRN_EEMPTY);
}

static void real_networks(void **s)
{
    (void)s;
    static const struct { const char *path, *confidence; uint64_t rows; size_t n; uint64_t pos, neg, conflict; } known[] = {
        { "rna/prior_networks/collectri.tsv.gz", NULL, 42410, 42410, 36631, 5779, 0 },
        { "rna/prior_networks/dorothea_hs.csv.gz", NULL, 454504, 454504, 410583, 43921, 0 },
        { "rna/prior_networks/dorothea_hs.csv.gz", "ABC", 454504, 13223, 11173, 2050, 0 },
        { "rna/prior_networks/dorothea_mm.csv.gz", "ABC", 386758, 12895, 11038, 1857, 0 },
        { "rna/prior_networks/trrust_rawdata.human.tsv", NULL, 9396, 8427, 2937, 1715, 207 },
        { "rna/prior_networks/trrust_rawdata.mouse.tsv", NULL, 7057, 6490, 2727, 1240, 110 },
        { "rna/prior_networks/z-aggregate_dorothea.tsv.gz", NULL, 32286, 32286, 31511, 775, 0 },
    };
    char path[4096];
    if (!real(path, sizeof path, "rna/prior_networks")) skip();
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        grn_edges_t e = { 0 };
        grn_adjacency_info_t info;
        assert_non_null(real(path, sizeof path, known[i].path));
        assert_int_equal(grn_adjacency_load(path, known[i].confidence, &e, &info), GRN_OK);
        assert_int_equal(info.n_rows, known[i].rows);
        assert_int_equal(e.n, known[i].n);
        assert_int_equal(info.n_pos, known[i].pos);
        assert_int_equal(info.n_neg, known[i].neg);
        assert_int_equal(info.n_conflict, known[i].conflict);
        grn_edges_clear(&e);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(rows),        cmocka_unit_test(lists),            cmocka_unit_test(gene_sets),
                                        cmocka_unit_test(annotations), cmocka_unit_test(real_annotations), cmocka_unit_test(networks),
                                        cmocka_unit_test(real_networks) };
    return cmocka_run_group_tests_name("tables", tests, NULL, NULL);
}
