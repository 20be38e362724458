/* Real writers' files under $GRN_DATA (absent: skipped by name): every one is read right or refused
 * with one clear line.
 *
 * Expected values were derived once with anndata 0.10.9, h5py 3.16, scipy, loompy and pandas, not
 * with the code under test: rows, columns, non-zeros, sum, the place-sensitive sum of v * (row % 97
 * + 1) * (column % 89 + 1), first and last names, cell types and the last cell's. */
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

#include "base/log.h"
#include "base/mem.h"
#include "io/counts.h"

#define F "rna/format_inputs/"
#define A "atac/"

typedef struct {
    const char *path, *opt; /* opt: "NAME=VALUE" of one option */
    uint64_t rows, cols, nnz;
    double sum, placed;
    const char *row0, *row1, *col0, *col1;
    size_t n_types;
    const char *last_type;
} case_t;

static const case_t cases[] = {
    { F "h5ad/BPCells_mini_mat.anndata-v0.10.9.h5ad", "", 3, 5, 8, 15, 103, "0", "2", "0", "4", 0,
      "" },
    { F "h5ad/BPCells_mini_mat.anndata-v0.10.9.h5ad", "layer=dense", 3, 5, 8, 15, 103, "0", "2",
      "0", "4", 0, "" },
    { F "h5ad/BPCells_mini_mat.anndata-v0.10.9.h5ad", "layer=transpose", 3, 5, 8, 15, 103, "0", "2",
      "0", "4", 0, "" },
    { F "h5ad/BPCells_mini_mat.anndata-v0.7.8.h5ad", "", 3, 5, 8, 15, 103, "0", "2", "0", "4", 0,
      "" },
    { F "h5ad/BPCells_mini_mat.anndata-v0.7.8.h5ad", "layer=transpose", 3, 5, 8, 15, 103, "0", "2",
      "0", "4", 0, "" },
    { F "h5ad/BPCells_mini_mat.anndata-v0.7.h5ad", "", 3, 5, 8, 15, 103, "0", "2", "0", "4", 0,
      "" },
    { F "h5ad/BPCells_mini_mat.anndata-v0.7.h5ad", "layer=dense", 3, 5, 8, 15, 103, "0", "2", "0",
      "4", 0, "" },
    { F "h5ad/BPCells_mini_mat.anndata-v0.7.h5ad", "layer=transpose", 3, 5, 8, 15, 103, "0", "2",
      "0", "4", 0, "" },
    { F "h5ad/BPCells_mini_mat_int_64.anndata-v0.12.6.h5ad", "", 5, 6, 30, 1498, 16133, "0", "4",
      "0", "5", 0, "" },
    { F "h5ad/BPCells_mini_mat_int_64.anndata-v0.12.6.h5ad", "layer=dense", 5, 6, 30, 1498, 16133,
      "0", "4", "0", "5", 0, "" },
    { F "h5ad/BPCells_mini_mat_int_64.anndata-v0.12.6.h5ad", "layer=transpose", 5, 6, 30, 1498,
      16133, "0", "4", "0", "5", 0, "" },
    { F "h5ad/BPCells_mini_mat_int_64_neg.anndata-v0.12.6.h5ad", "", 5, 6, 29, 262, 2724, "0", "4",
      "0", "5", 0, "" },
    { F "h5ad/BPCells_mini_mat_int_64_neg.anndata-v0.12.6.h5ad", "layer=dense", 5, 6, 29, 262, 2724,
      "0", "4", "0", "5", 0, "" },
    { F "h5ad/BPCells_mini_mat_int_64_neg.anndata-v0.12.6.h5ad", "layer=transpose", 5, 6, 29, 262,
      2724, "0", "4", "0", "5", 0, "" },
    { F "h5ad/TileDBSOMA_10x-pbmc-multiome_subset_100_100.h5ad", "", 100, 100, 13, 14, 28807,
      "AAACAGCCAAACAACA-1", "AAACAGCCAATTGAAG-1", "MIR1302-2HG", "SKI", 0, "" },
    { F "h5ad/TileDBSOMA_categorical_int_nan.h5ad", "", 80, 20, 1600, -5.68434189e-14, 108479.815,
      "ATGCCAGAACGACT", "CTTGATTGATCTTC", "IGLL5", "AKR1C3", 0, "" },
    { F "h5ad/TileDBSOMA_pbmc-small-x-csr.h5ad", "", 80, 20, 1600, -5.68434189e-14, 108479.815,
      "ATGCCAGAACGACT", "CTTGATTGATCTTC", "IGLL5", "AKR1C3", 0, "" },
    { F "h5ad/TileDBSOMA_pbmc-small-x-dense.h5ad", "", 80, 20, 1600, -5.68434189e-14, 108479.815,
      "ATGCCAGAACGACT", "CTTGATTGATCTTC", "IGLL5", "AKR1C3", 0, "" },
    { F "h5ad/TileDBSOMA_pbmc-small.h5ad", "", 80, 230, 4456, 20440.2447, 35531422.9,
      "ATGCCAGAACGACT", "CTTGATTGATCTTC", "MS4A1", "S100B", 0, "" },
    { F "h5ad/TileDBSOMA_x-empty.h5ad", "", 2638, 1838, 0, 0, 0, "AAACATACAACCAC-1",
      "TTTGCATGCCTCAC-1", "TNFRSF4", "PRMT2", 8, "CD4 T cells" },
    { F "h5ad/anndata-v0.5.0_adata.h5ad", "", 700, 765, 174400, 319044.238, 675571695,
      "AAAGCCTGGCTAAC-1", "TTGAGGTGGAGAGC-8", "HES4", "MT-ND3", 10, "Dendritic" },
    { F "h5ad/anndata-v0.7.0_adata.h5ad", "", 30, 20, 228, 285, 45616, "cell0", "cell29", "gene0",
      "gene19", 0, "" },
    { F "h5ad/anndata-v0.7.0_adata.h5ad", "layer=array", 30, 20, 600, 302.830451, 47464.0069,
      "cell0", "cell29", "gene0", "gene19", 0, "" },
    { F "h5ad/anndata-v0.7.0_adata.h5ad", "layer=sparse", 30, 20, 6, 3.46600223, 643.827719,
      "cell0", "cell29", "gene0", "gene19", 0, "" },
    { F "h5ad/anndata-v0.7.0_adata.h5ad", "layer=raw", 30, 40, 480, 627, 184639, "cell0", "cell29",
      "gene0", "gene39", 0, "" },
    { F "h5ad/neurips2021_bmmc_multiome_starter.output_mod2.h5ad", "", 500, 600, 42448, 42448,
      87298784, "AGAATCGAGAAAGGAA-1-s1d1", "TCCTTCAAGTTGGCCA-2-s1d2", "chr1-1677585-1678477",
      "GL000205.2-67850-68750", 21, "NK" },
    { F "h5ad/neurips2021_bmmc_multiome_starter.output_rna.h5ad", "", 500, 600, 81291, 261523,
      554109610, "AGAATCGAGAAAGGAA-1-s1d1", "TCCTTCAAGTTGGCCA-2-s1d2", "MORN1", "MT-CYB", 21,
      "NK" },
    { F "h5ad/scanpy_kbet-sim.h5ad", "", 200, 1000, 151371, 682686.038, 1.43096423e+09, "0", "199",
      "0", "999", 0, "" },
    { F "h5ad/scanpy_neighbors_shortcut_ref.h5ad", "", 100, 5, 0, 0, 0, "0", "99", "0", "4", 7,
      "6" },
    { F "h5ad/scanpy_pbmc68k_reduced_new.h5ad", "", 700, 765, 174400, 319044.238, 675571695,
      "AAAGCCTGGCTAAC-1", "TTGAGGTGGAGAGC-8", "HES4", "MT-ND3", 10, "Dendritic" },
    { F "h5ad/scanpy_t-cells.h5ad", "", 8, 4, 11, 11, 141, "AAACCTGAGCACGCCT-1_dLN-66",
      "AAACGGGAGAAACGCC-1_dLN-66", "Mrpl15", "Atp6v1h", 2, "Naive CD8+ T cells" },
    { A "bmmc_multiome/rna_mod1.h5ad", "", 500, 600, 81281, 264376, 567367622,
      "AGAATCGAGAAAGGAA-1-s1d1", "TCCTTCAAGTTGGCCA-2-s1d2", "CAMTA1", "MT-ND3", 21, "NK" },
    { A "bmmc_multiome/atac_mod2.h5ad", "", 500, 600, 42448, 42448, 87298784,
      "AGAATCGAGAAAGGAA-1-s1d1", "TCCTTCAAGTTGGCCA-2-s1d2", "chr1-1677585-1678477",
      "GL000205.2-67850-68750", 21, "NK" },
    { F "10x_h5/cellranger3.0_filtered_feature_bc_matrix.h5", "", 1107, 507, 23866, 41549,
      102299153, "AAACCCAAGGAGAGTA-1", "TTTGGTTGTAGAATAC-1", "CH507-9B2.2", "PRMT2", 0, "" },
    { F "10x_h5/spaceranger1.0_filtered_feature_bc_matrix.h5", "", 100, 100, 656, 932, 2117955,
      "AAACAAGTATCTCCCA-1", "AACCTTTACGACGTCT-1", "ENSG00000243485", "ENSG00000197921", 0, "" },
    { F "10x_h5/MAESTRO_peak_count.h5", "", 100, 4283, 29773, 29773, 59658131,
      "0w#AAACGAAAGACTCGGA", "0w#AACCTGATCTAGTCGA", "chr22_10650302_10650776",
      "chr22_50805389_50808471", 0, "" },
    { F "10x_h5/cellranger3.0_filtered_feature_bc_matrix.h5", "gene_column=id", 1107, 507, 23866,
      41549, 102299153, "AAACCCAAGGAGAGTA-1", "TTTGGTTGTAGAATAC-1", "ENSG00000279493",
      "ENSG00000160310", 0, "" },
    { F "10x_h5/cellranger1.2_filtered_gene_bc_matrices_h5.h5", "", 12, 343, 12, 12, 3280,
      "AACACGTGTACGCTGC-1", "TTTATGCCATCCGTGG-1", "DSCAM", "S100B", 0, "" },
    { F "10x_h5/cellranger1.2_multiple_genomes.h5", "genome=hg19_chr21", 12, 343, 12, 12, 3280,
      "AACACGTGTACGCTGC-1", "TTTATGCCATCCGTGG-1", "DSCAM", "S100B", 0, "" },
    { F "10x_h5/cellranger1.2_multiple_genomes.h5", "genome=another_genome", 12, 343, 12, 13, 3328,
      "AACACGTGTACGCTGC-1", "TTTATGCCATCCGTGG-1", "gene_0", "gene_342", 0, "" },
    { F "10x_h5/BPCells_sct_counts.h5", "", 100, 200, 1468, 3048, 6566961, "AAACCTGAGATAGGAG-1",
      "AAATGCCAGCTAACAA-1", "ENSMUSG00000051951", "ENSMUSG00000026112", 0, "" },
    { F "loom/SCENIC_mouseBrain_toy.loom", "", 200, 862, 33625, 126583, 274772446, "1772066100_D04",
      "1772062128_F01", "Arhgap18", "Tef", 0, "" },
    { F "loom/SCENICprotocol_expr_mat.loom", "", 100, 8146, 124417, 388658, 895183459,
      "CTGCGGAGTTCGCGAC-1", "CGTTGGGCAACACGCC-1", "PKNOX1", "DIP2A", 0, "" },
    { F "loom/SCENICprotocol_expr_mat_small.loom", "", 100, 200, 2844, 5945, 10000147,
      "CTGCGGAGTTCGCGAC-1", "CGTTGGGCAACACGCC-1", "TAF2", "ATG14", 0, "" },
    { F "loom/SCENICprotocol_expr_mat_tiny.loom", "", 100, 200, 2795, 7845, 14176089,
      "CTGCGGAGTTCGCGAC-1", "CGTTGGGCAACACGCC-1", "BRF1", "DNAJC5", 0, "" },
    { F "10x_mtx/int-ids", "", 5, 6, 3, 8, 105, "AAACCCAAGATTAGCA-1", "AAACGAAAGCAAGCCA-1",
      "Pwwp4b", "Btbd35f21", 0, "" },
    { F "10x_mtx/int-ids", "gene_column=id", 5, 6, 3, 8, 105, "AAACCCAAGATTAGCA-1",
      "AAACGAAAGCAAGCCA-1", "574405", "100862329", 0, "" },
    { F "10x_mtx/seurat_cr3.0", "", 5, 3, 4, 5610, 24610, "AAAGTAGCACAGTCGC-1",
      "AATCCAGCAGTAACGG-1", "RP11-34P13.3", "FAM231B", 0, "" },
    { F "10x_mtx/seurat_cr3.0", "feature_type=Antibody Capture", 5, 2, 4, 74537, 168680,
      "AAAGTAGCACAGTCGC-1", "AATCCAGCAGTAACGG-1", "CD3", "CD19", 0, "" },
    { F "10x_mtx/v1.2.0_hg19_chr21", "", 12, 343, 12, 12, 3280, "AACACGTGTACGCTGC-1",
      "TTTATGCCATCCGTGG-1", "DSCAM", "S100B", 0, "" },
    { F "10x_mtx/v3.0.0", "", 1107, 507, 23866, 41549, 102299153, "AAACCCAAGGAGAGTA-1",
      "TTTGGTTGTAGAATAC-1", "CH507-9B2.2", "PRMT2", 0, "" },
    { "rna/pbmc3k/filtered", "cells_tsv=rna/pbmc3k/cell_types.tsv", 2700, 13714, 2282976, 6386518,
      1.44066496e+10, "AAACATACAACCAC", "TTTGCATGCCTCAC", "AL627309.1", "SRSF10.1", 9,
      "Naive CD4 T" },
    { A "archr_pbsmall/rna.mtx.gz", "", 150, 2164, 32654, 104868, 159178081, "T.1", "B.50",
      "PLEKHG4B", "AP003062.1", 0, "" },
    { A "bmmc_multiome/rna_counts.mtx.gz", "cells_tsv=atac/bmmc_multiome/cells.tsv", 500, 600,
      81281, 264376, 567367622, "AGAATCGAGAAAGGAA-1-s1d1", "TCCTTCAAGTTGGCCA-2-s1d2", "CAMTA1",
      "MT-ND3", 21, "NK" },
    { A "bmmc_multiome/atac_counts.mtx.gz", "", 500, 600, 42448, 100233, 204150467,
      "AGAATCGAGAAAGGAA-1-s1d1", "TCCTTCAAGTTGGCCA-2-s1d2", "chr1:1677585-1678477",
      "GL000205.2:67850-68750", 0, "" },
    { A "h1_snareseq/rna.mtx.gz", "", 385, 8595, 178721, 230793, 447495909, "GAGAGAAAACCT",
      "CAGCTGGTGATG", "A2M", "ZZZ3", 0, "" },
    { A "h1_snareseq/atac.mtx.gz", "", 385, 36954, 341298, 341298, 737005342, "GAGAGAAAACCT",
      "CAGCTGGTGATG", "chr2:148881654-148881927", "chr18:9707936-9708527", 0, "" },
    { A "k562_multiome/paired95/rna.mtx.gz", "", 95, 62757, 504668, 1721189, 3.64818621e+09,
      "sample1_AAACAGCCAAGCGATG-1", "sample2_AACTGTTCATTATCCC-1", "DDX11L2", "U1.5", 0, "" },
    { A "k562_multiome/paired95/atac.mtx.gz", "", 95, 3206, 29012, 29012, 61338723,
      "sample1_AAACAGCCAAGCGATG-1", "sample2_AACTGTTCATTATCCC-1", "chr22:10741082-10741455",
      "chr22:50801034-50801251", 0, "" },
    { A "a549_scicar/rna_counts_recovered.mtx.gz", "", 2641, 1185, 727824, 1821429, 3.95337635e+09,
      "sci_RNA_A_001_TCTCTCATCC", "sci_RNA_E_096_ATATGCCATC", "GPR153", "PDXDC2P", 0, "" },
    { A "a549_scicar/atac_binary.mtx.gz", "", 2641, 52761, 1122541, 1122541, 2.43471462e+09,
      "sci_RNA_A_001_TCTCTCATCC", "sci_RNA_E_096_ATATGCCATC", "chr1:9963-10665",
      "hs37d5:35431239-35431838", 0, "" },
    { A "pbmc_chr22_fragments/pbmc_rna_2000genes.mtx.gz", "", 1985, 2000, 517197, 2741662,
      6.13474691e+09, "AAACCTGAGCCCAGCT", "TGCTACCAGTCTCCTC", "PPBP", "HCAR2", 0, "" },
    { A "pbmc_chr22_fragments/expected_peak_count.mtx.gz", "", 100, 4283, 29773, 29773, 59658131,
      "AAACGAAAGACTCGGA", "AACCTGATCTAGTCGA", "chr22:10650302-10650776", "chr22:50805389-50808471",
      0, "" },
    { A "pbmc_chr22_fragments/expected_peak_count.h5", "", 100, 4283, 29773, 29773, 59658131,
      "0w#AAACGAAAGACTCGGA", "0w#AACCTGATCTAGTCGA", "chr22_10650302_10650776",
      "chr22_50805389_50808471", 0, "" },
    { F "text/anndata_adata.csv", "orient=cells", 3, 2, 4, 15, 58, "r1", "r3", "c1", "c2", 0, "" },
    { F "text/anndata_adata.csv", "orient=genes", 2, 3, 4, 15, 58, "c1", "c2", "r1", "r3", 0, "" },
    { F "text/anndata_adata-comments.tsv", "orient=cells", 3, 2, 4, 15, 58, "r1", "r3", "c1", "c2",
      0, "" },
    { F "text/anndata_umi_tools.tsv.gz", "", 2, 13, 22, 145, 1036, "ACAAGG", "TTCACG",
      "ENSG00000011304.18", "ENSG00000267751.5", 0, "" },
    { "rna/beeline_curated/example/GSD/ExpressionData.csv.gz", "", 2000, 19, 38000, 31188.9863,
      16042544.1, "E123_7_77", "E63_3_685", "DMRT1", "GATA4", 0, "" },
    { "rna/beeline_curated/example/HSC/ExpressionData.csv.gz", "", 2000, 11, 22000, 13047.0351,
      3933173.73, "E2_2_003", "E3_2_723", "cJun", "EgrNab", 0, "" },
    { "rna/beeline_curated/example/VSC/ExpressionData.csv.gz", "", 2000, 8, 16000, 11936.858,
      2799993.26, "E44_1_202", "E36_0_952", "Nkx62", "Irx3", 0, "" },
    { "rna/beeline_curated/example/mCAD/ExpressionData.csv.gz", "", 2000, 5, 10000, 7461.61235,
      1013048.7, "E9_1_353", "E37_0_952", "Sp8", "Pax6", 0, "" },
    { "rna/beeline_scrna/expression/hHEP_TFs+1000_ExpressionData.csv.gz", "", 425, 1448, 394266,
      1929275.92, 4.00662484e+09, "A10_de", "H5_mh2", "MYBL2", "RNF4", 0, "" },
    { "rna/beeline_scrna/expression/hHEP_TFs+500_ExpressionData.csv.gz", "", 425, 948, 252329,
      1251195.57, 2.53694741e+09, "A10_de", "H5_mh2", "ZNF589", "SCAPER", 0, "" },
    { "rna/beeline_scrna/expression/mDC_TFs+1000_ExpressionData.csv.gz", "", 383, 1321, 391655,
      861444.628, 1.82010294e+09, "LPS_1h_S10", "LPS_6h_S9", "TARDBP", "1100001G20RIK", 0, "" },
    { "rna/beeline_scrna/expression/mDC_TFs+500_ExpressionData.csv.gz", "", 383, 821, 246220,
      619776.999, 1.30238068e+09, "LPS_1h_S10", "LPS_6h_S9", "IL1B", "CTSH", 0, "" },
    { "rna/beeline_scrna/expression/mESC_TFs+500_ExpressionData.csv.gz", "", 421, 1120, 415574,
      718143.248, 1.46561188e+09, "RamDA_mESC_00h_A04", "RamDA_mESC_72h_H12", "GM24451", "MTA3", 0,
      "" },
    { A "k562_multiome/rna_count_matrix.cluster1.csv.gz", "", 500, 62757, 2634527, 8860991,
      1.81892849e+10, "sample1_AAACAGCCAAGCGATG-1", "sample2_ACACTTGCAGGCATCT-1", "DDX11L2", "U1.5",
      0, "" },
};

static const struct {
    const char *path;
    grn_status code;
    const char *message;
} refused[] = {
    { F "h5ad/TileDBSOMA_x-none.h5ad", GRN_EFORMAT,
      "holds no matrix: no X, no raw/X, no layer of counts (layers: none)" },
    { F "h5ad/anndata-v0.11.4_adata.h5ad", GRN_EFORMAT,
      "holds no matrix: no X, no raw/X, no layer of counts (layers: none)" },
    { F "10x_h5/cellranger1.2_multiple_genomes.h5", GRN_EINVAL,
      "several genomes: another_genome, hg19_chr21 (choose with --genome)" },
    { F "npz/scanpy_pbmc68k_reduced_counts.npz", GRN_EUNSUP,
      "is a NumPy npz file, which has no names" },
    { F "text/anndata_adata.csv", GRN_EINVAL,
      "cannot tell whether rows are cells or genes (first row 'r1', first column 'c1')" },
    { F "text/anndata_adata-comments.tsv", GRN_EINVAL,
      "cannot tell whether rows are cells or genes" },
    { "rna/tf_lists/SCENICprotocol_allTFs_hg38.txt", GRN_EFORMAT,
      "line 1: one column only; a table of counts with names is expected" },
    { "rna/beeline_scrna/networks/STRING/mDC_TFs+500_network.csv.gz", GRN_EFORMAT,
      "line 2: 'JUN' in column 'Gene2' is no number" },
    { "atac/archr_pbsmall/motif_matches_peaks_x_motifs.mtx.gz", GRN_ESHAPE,
      "has 6 columns, but 'rna_barcodes.tsv' has 150 lines" },
    { "atac/archr_pbsmall/fragments.tsv.gz.tbi", GRN_EFORMAT,
      "is a tabix index (compressed); text was expected" },
    { "downstream/sc_mixology_lung", GRN_EFORMAT, "has no matrix.mtx or matrix.mtx.gz" },
};

static char *data_path(const char *rel)
{
    static char path[2][4096];
    static int k;
    const char *root = getenv("GRN_DATA");
    k = !k;
    snprintf(path[k], sizeof path[k], "%s/%s", root && *root ? root : "/nonexistent", rel);
    return path[k];
}

static void set_option(grn_counts_opt_t *o, const char *opt)
{
    const char *v = strchr(opt, '=');
    if (!v) return;
    v++;
    if (strncmp(opt, "layer=", 6) == 0) o->layer = v;
    else if (strncmp(opt, "gene_column=", 12) == 0) o->gene_column = v;
    else if (strncmp(opt, "feature_type=", 13) == 0) o->feature_type = v;
    else if (strncmp(opt, "genome=", 7) == 0) o->genome = v;
    else if (strncmp(opt, "cells_tsv=", 10) == 0) o->cells_tsv = data_path(v);
    else if (strcmp(opt, "orient=cells") == 0) o->orient = GRN_ORIENT_CELLS_ROWS;
    else if (strcmp(opt, "orient=genes") == 0) o->orient = GRN_ORIENT_GENES_ROWS;
    else fail_msg("unknown option %s", opt);
}

static int near(double a, double b, double scale)
{
    return fabs(a - b) <= 1e-6 * fabs(b) + 1e-6 * scale;
}

static void check_names(const case_t *c, const grn_matrix_t *m)
{
    assert_string_equal(grn_names_get(&m->row, 0), c->row0);
    assert_string_equal(grn_names_get(&m->row, m->n_rows - 1), c->row1);
    assert_string_equal(grn_names_get(&m->col, 0), c->col0);
    assert_string_equal(grn_names_get(&m->col, m->n_cols - 1), c->col1);
    const grn_attr_t *t = grn_attr_find(&m->row_attr, "cell_type");
    assert_int_equal(t ? t->levels.n : 0, c->n_types);
    if (!t) return;
    int32_t last = t->code[m->n_rows - 1];
    assert_string_equal(last < 0 ? "" : grn_names_get(&t->levels, (size_t)last), c->last_type);
}

static void read_case(void **state)
{
    const case_t *c = *state;
    grn_matrix_t m = { 0 };
    grn_counts_opt_t o = GRN_COUNTS_OPT_INIT;
    char *path = data_path(c->path);
    if (access(path, R_OK) != 0) skip();
    set_option(&o, c->opt);
    if (grn_counts_load(path, &o, NULL, &m) != GRN_OK) fail_msg("%s", grn_err_msg());
    assert_int_equal(grn_matrix_validate(&m), GRN_OK);
    assert_int_equal(m.n_rows, c->rows);
    assert_int_equal(m.n_cols, c->cols);
    assert_int_equal(m.indptr[m.n_rows], c->nnz);
    double sum = 0, placed = 0, size = 0;
    for (uint64_t i = 0; i < m.n_rows; i++)
        for (uint64_t k = m.indptr[i]; k < m.indptr[i + 1]; k++) {
            double v = m.data[k];
            sum += v;
            size += fabs(v);
            placed += v * (double)(i % 97 + 1) * (double)(m.indices[k] % 89 + 1);
        }
    if (!near(sum, c->sum, size)) fail_msg("%s: sum %.9g, expected %.9g", c->path, sum, c->sum);
    if (!near(placed, c->placed, size * 89))
        fail_msg("%s: placed sum %.9g, expected %.9g", c->path, placed, c->placed);
    check_names(c, &m);
    grn_matrix_clear(&m);
}

static void refuse_all(void **state)
{
    (void)state;
    if (access(data_path("rna/format_inputs"), R_OK) != 0) skip();
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        grn_matrix_t m = { 0 };
        char *path = data_path(refused[i].path);
        if (access(path, R_OK) != 0) continue;
        grn_status rc = grn_counts_load(path, NULL, NULL, &m);
        if (rc != refused[i].code) fail_msg("%s: code %d, %s", path, rc, grn_err_msg());
        if (!strstr(grn_err_msg(), refused[i].message))
            fail_msg("%s: '%s', expected '%s'", path, grn_err_msg(), refused[i].message);
        assert_non_null(strstr(grn_err_msg(), path));
        assert_null(strchr(grn_err_msg(), '\n'));
    }
}

/* Any of the small files cut short: refused, or the same matrix (the cut took only what no one
 * needs). */
static void cut_real(void **state)
{
    (void)state;
    static const char *const small[] = { F "10x_h5/cellranger1.2_filtered_gene_bc_matrices_h5.h5",
                                         F "h5ad/anndata-v0.7.0_adata.h5ad",
                                         F "loom/SCENICprotocol_expr_mat_tiny.loom",
                                         F "10x_mtx/v3.0.0/matrix.mtx.gz" };
    if (access(data_path(small[0]), R_OK) != 0) skip();
    for (size_t i = 0; i < sizeof small / sizeof *small; i++) {
        FILE *f = fopen(data_path(small[i]), "rb");
        assert_non_null(f);
        static char buf[1 << 20];
        size_t n = fread(buf, 1, sizeof buf, f);
        fclose(f);
        for (int tenth = 1; tenth < 10; tenth += 2) {
            grn_matrix_t m = { 0 };
            f = fopen("cut", "wb");
            assert_non_null(f);
            assert_int_equal(fwrite(buf, 1, n * (size_t)tenth / 10, f), n * (size_t)tenth / 10);
            fclose(f);
            grn_status rc = grn_counts_load("cut", NULL, NULL, &m);
            if (rc == GRN_OK) fail_msg("%s cut to %d/10 was read", small[i], tenth);
            assert_int_equal(rc, GRN_ETRUNC);
        }
    }
}

static int quiet(void **state)
{
    (void)state;
    grn_log_init("test_formats", 1);
    return 0;
}

static void no_data(void **state)
{
    (void)state;
    skip();
}

int main(void)
{
    if (access(data_path("rna"), R_OK) != 0) {
        const struct CMUnitTest none[] = { { "real writers' files (rna, atac)", no_data, NULL, NULL,
                                             NULL } };
        return cmocka_run_group_tests_name("formats", none, NULL, NULL);
    }
    enum { N = sizeof cases / sizeof *cases };
    static struct CMUnitTest tests[N + 2];
    static char name[N][256];
    for (size_t i = 0; i < N; i++) {
        snprintf(name[i], sizeof name[i], "%s %s", cases[i].path, cases[i].opt);
        tests[i] = (struct CMUnitTest){ .name = name[i],
                                        .test_func = read_case,
                                        .initial_state = (void *)(uintptr_t)&cases[i] };
    }
    tests[N] = (struct CMUnitTest)cmocka_unit_test(refuse_all);
    tests[N + 1] = (struct CMUnitTest)cmocka_unit_test(cut_real);
    return cmocka_run_group_tests_name("formats", tests, quiet, NULL);
}
