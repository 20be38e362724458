# grn-build regulon and run: regulons by hand, threads, bad input; known regulators on real cells
ran() { t_ok "$@"; cp err log; } # t_true writes err anew
printf 'cell\tTF1\tTF2\tG1\tG2\tG3\nc1\t0\t0\t1\t5\t1\nc2\t1\t0\t0\t4\t1\nc3\t2\t0\t2\t3\t1\nc4\t3\t1\t3\t2\t1\nc5\t4\t1\t5\t1\t1\nc6\t5\t1\t4\t0\t1\n' >rna.tsv
printf 'cell\tchr1:900-1100\tchr1:5000-5200\nc1\t0\t1\nc2\t1\t1\nc3\t1\t1\nc4\t2\t0\nc5\t2\t0\nc6\t2\t0\n' >atac.tsv
printf 'chr1\t1000\t2000\tG1\t0\t+\nchr1\t6000\t7000\tG2\t0\t-\n' >genes.bed
printf 'TF1\nTF2\n' >tfs.txt
printf 'barcode\tcell_type\nc1\tx\nc2\tx\nc3\tx\nc4\ty\nc5\ty\nc6\ty\n' >cells.tsv
printf 'chr1\t1000\t1010\tM1\t8\t+\nchr1\t5000\t5010\tM1\t4\t+\nchr1\t5100\t5110\tM2\t7\t-\nchr1\t9000\t9010\tM2\t7\t-\n' >hits.bed
printf 'motif\ttf\nM1\tTF1\nM2\tTF2\nM3\tTF3\n' >m2t.tsv
scale="--expression raw --accessibility raw"
pass="--min-type-cells 1 --min-targets 1 --min-tf-frac 0.5 --min-gene-frac 0.5 --min-region-frac 0.5 --cells cells.tsv"
ran "links" grn-build link --no-pg $scale -f tfs.txt -g genes.bed -t tg.zst -r rg.zst rna.tsv atac.tsv
r="grn-build regulon --no-pg -t tg.zst -r rg.zst --motif-hits hits.bed --motif2tf m2t.tsv $pass"
ran "regulons" $r -o reg.zst rna.tsv atac.tsv
# x: TF1 -> G1 by A, TF1 -| G2 by B; y: TF1 -> G1 by A. TF2 is off in x, B is closed in y
t_true "2 regulons in 2 cell types, 3 edges" "grep -q ' 2 regulons in 2 cell types, 3 edges' log"
t_true "their names" "zstd -dcq reg.zst | tr '\\n' ' ' | grep -aq 'TF1_+/+ TF1_-/+'"
t_true "hits inside and outside" "grep -q 'motif hits inside a linked region: kept 3 hits, lost 1' log"
t_true "signs" "grep -q 'triplets whose region and gene rise together: kept 3 triplets, lost 3' log"
t_true "the funnel is in the file" "zstd -dcq reg.zst | head -c 8000 | grep -aq 'funnel.*regulons with at least 1 genes in the type'"
ran "one thread" $r -q -@ 1 -o r1.zst rna.tsv atac.tsv
ran "three threads" $r -q -@ 3 -o r3.zst rna.tsv atac.tsv
t_cmp "same bytes for -@ 1 and 3" r1.zst r3.zst
ran "scan made of the hits" grn-build scan -q --no-pg --motif-hits hits.bed -r <(printf 'chr1\t900\t1100\nchr1\t5000\t5200\n') -o scan.zst
ran "regulons from the scan" grn-build regulon -q --no-pg -t tg.zst -r rg.zst -s scan.zst --motif2tf m2t.tsv $pass -o rs.zst rna.tsv atac.tsv
data() { zstd -dcq "$1" | sed '1s/.*}} *//' >"$1.data"; }
data r1.zst
data rs.zst
t_cmp "the same edges" r1.zst.data rs.zst.data
printf 'c1\tx\n' >/dev/null
ran "all steps in one" grn-build run --no-pg -q $scale $pass --atac atac.tsv -g genes.bed -f tfs.txt --motif-hits hits.bed --motif2tf m2t.tsv --keep kept -o run.zst rna.tsv
data run.zst
t_cmp "the same edges" r1.zst.data run.zst.data
t_cmp "the links kept are those of link" kept/tf_gene.edges.zst kept/tf_gene.edges.zst
ran "without --keep" grn-build run --no-pg -q $scale $pass --atac atac.tsv -g genes.bed -f tfs.txt --motif-hits hits.bed --motif2tf m2t.tsv -o run2.zst rna.tsv
t_true "nothing is left beside the result" "[ -s run2.zst ] && [ ! -e run2.zst.parts ]"
t_exit 3 "grn-build regulon: no regulon passed; 'e.zst' holds the funnel and no edge" "too many targets asked for" $r --min-targets 9 -o e.zst rna.tsv atac.tsv
t_true "the empty file has the funnel" "zstd -dcq e.zst | head -c 8000 | grep -aq 'funnel.*\"kept.*:0'"
t_exit 3 "grn-build run: nothing passed in 'grn-build regulon'" "run ends with 3 too" \
    grn-build run --no-pg $scale $pass --min-targets 9 --atac atac.tsv -g genes.bed -f tfs.txt --motif-hits hits.bed --motif2tf m2t.tsv -o e2.zst rna.tsv
t_exit 3 "grn-build regulon: none of the 2 motifs stands for a gene*M1, M2*TF1*" "motifs without a table" \
    grn-build regulon -t tg.zst -r rg.zst --motif-hits hits.bed $pass -o x.zst rna.tsv atac.tsv
sed 's/5000-5200/5000-5300/' atac.tsv >moved.tsv
t_exit 1 "grn-build regulon: 1 of 2 linked regions are not in 'moved.tsv'*" "other regions" $r -o x.zst rna.tsv moved.tsv
t_exit 1 "grn-build regulon: 'rg.zst' does not hold TF-gene links" "links swapped" \
    grn-build regulon -t rg.zst -r tg.zst --motif-hits hits.bed --motif2tf m2t.tsv $pass -o x.zst rna.tsv atac.tsv
for k in 20 200; do
    head -c $k tg.zst >cut.zst
    t_exit 1 "grn-build regulon: *cut.zst*" "links cut after $k bytes" $r -t cut.zst -o x.zst rna.tsv atac.tsv
done
t_exit 1 "grn-build regulon: *absent.zst*" "missing links" $r -t absent.zst -o x.zst rna.tsv atac.tsv
t_exit 2 "grn-build regulon: give one of --scan*" "no motifs" grn-build regulon -t tg.zst -r rg.zst -o x.zst rna.tsv atac.tsv
t_exit 2 "grn-build regulon: --rna-only takes no*" "rna only with regions" $r --rna-only -o x.zst rna.tsv
t_exit 2 "grn-build regulon: --prior belongs*" "prior with regions" $r --prior p.tsv -o x.zst rna.tsv atac.tsv
t_exit 2 "grn-build run: --rna-only needs a TF list*" "run without TFs" grn-build run --rna-only -o x.zst rna.tsv
t_exit 2 "grn-build run: --fragments needs --regions*" "run without regions" grn-build run -F f.tsv -o x.zst rna.tsv
t_exit 1 "grn-build run: 'grn-build link' failed" "a step fails" grn-build run -q --atac absent.zst -g genes.bed -f tfs.txt --motif-hits hits.bed -o x.zst rna.tsv
t_true "no file is left" "[ ! -e x.zst ] && [ ! -e x.zst.parts ]"
ran "rna only" grn-build run --no-pg -q --rna-only --expression raw -f tfs.txt $pass --top-targets 1 -o m.zst rna.tsv
t_true "modules of both TFs" "zstd -dcq m.zst | tr '\\n' ' ' | grep -aq 'TF1(+)'"

# PBMC 3k: regulators known for a cell type are among its five most specific regulons
pbmc=$GRN_DATA/rna/pbmc3k
top5() { awk -F'\t' -v t="$1" '$1 == t && $4 <= 5 { print $2 }' rss.tsv; }
if t_data rna/pbmc3k/filtered && t_data rna/tf_lists && t_data rna/prior_networks; then
    ran "PBMC 3k" grn-build run -q --rna-only -f "$GRN_DATA/rna/tf_lists/pySCENIC_lambert2018.txt" --cells "$pbmc/cell_types.tsv" \
        --prior "$GRN_DATA/rna/prior_networks/collectri.tsv.gz" -o pbmc.zst "$pbmc/filtered"
    ran "its activity" grn-aucell -q -r pbmc.zst --cells "$pbmc/cell_types.tsv" "$pbmc/filtered" -o auc.zst --rss rss.tsv
    t_true "monocytes: CEBPD, KLF4" "top5 'CD14+ Mono' | grep -qF 'CEBPD(+)' && top5 'CD14+ Mono' | grep -qF 'KLF4(+)'"
    t_true "B cells: PAX5, POU2AF1" "top5 B | grep -qF 'PAX5(+)' && top5 B | grep -qF 'POU2AF1(+)'"
    t_true "NK cells: TBX21" "top5 NK | grep -qF 'TBX21(+)'"
    t_true "T cells: GATA3" "top5 'Memory CD4 T' | grep -qF 'GATA3(+)'"
    ran "without the prior" grn-build run -q --rna-only -f "$GRN_DATA/rna/tf_lists/pySCENIC_lambert2018.txt" --cells "$pbmc/cell_types.tsv" \
        -o pbmc2.zst "$pbmc/filtered"
    ran "its activity" grn-aucell -q -r pbmc2.zst --cells "$pbmc/cell_types.tsv" "$pbmc/filtered" -o auc.zst --rss rss.tsv
    t_true "monocytes: SPI1, CEBPB, CEBPD" "top5 'CD14+ Mono' | grep -cE '^(SPI1|CEBPB|CEBPD)[(]' | grep -qx 3"
    t_true "B cells: SPIB, POU2AF1" "top5 B | grep -cE '^(SPIB|POU2AF1)[(]' | grep -qx 2"
fi

# ArchR's PBMC: RNA and ATAC of two chromosomes; the genes of CEBPA and CEBPB are on neither
archr=$GRN_DATA/atac/archr_pbsmall
if t_data atac/archr_pbsmall; then
    mkdir rna
    cp "$archr/rna.mtx.gz" rna/matrix.mtx.gz
    cut -f1 "$archr/rna_barcodes.tsv" | gzip >rna/barcodes.tsv.gz
    awk '{ print $4 "\t" $4 }' "$archr/rna_genes.bed" | gzip >rna/genes.tsv.gz
    { printf 'barcode\tcell_type\n'; cut -f1,2 "$archr/rna_barcodes.tsv"; } >types.tsv
    sed 's/_[0-9]*$//' "$archr/motif_names.txt" >six.txt
    ran "ArchR PBMC" grn-build run -F "$archr/fragments.tsv.gz" -R "$archr/peakset.tsv" --motif-hits "$archr/motif_positions.bed.gz" -g "$archr/rna_genes.bed" \
        -f six.txt --cells types.tsv -o archr.zst rna
    t_true "150 of 150 cells match" "grep -q 'cells: 150 in both of 150 RNA and 150 ATAC cells (150 by exact barcode' log"
    t_true "five TFs are scored by accessibility" "grep -q 'scored by the accessibility of regions with their motif: kept 5 TFs, lost 0' log"
    ran "its activity" grn-aucell -q -r archr.zst --cells types.tsv rna -o a.zst --rss rss.tsv
    t_true "monocytes: CEBPA and CEBPB among the three most specific" "awk -F'\t' '\$1 == \"M\" && \$4 <= 3' rss.tsv | grep -cE 'CEBP[AB]_[+]/[+]' | grep -qx 2"
    t_true "T cells: ETS1 first" "awk -F'\t' '\$1 == \"T\" && \$4 == 1' rss.tsv | grep -qF 'ETS1_+/+'"
fi
