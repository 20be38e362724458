# grn-build link: numbers by hand, what is said, threads, order of the input, bad input
ran() { t_ok "$@"; cp err log; } # t_true writes err anew
printf 'cell\tTF1\tTF2\tG1\tG2\tG3\nc1-1\t0\t0\t1\t5\t1\nc2-1\t1\t0\t0\t4\t1\nc3-1\t2\t0\t2\t3\t1\nc4-1\t3\t1\t3\t2\t1\nc5-1\t4\t1\t5\t1\t1\nc6-1\t5\t1\t4\t0\t1\n' >rna.tsv
printf 'cell\tchr1:900-1100\tchr1:5000-5200\tchr1:400000-400200\nc1\t0\t1\t1\nc2\t1\t1\t0\nc3\t1\t1\t1\nc4\t2\t0\t0\nc5\t2\t0\t1\nc6\t2\t0\t0\nzz\t9\t9\t9\n' >atac.tsv
printf '1\t1000\t2000\tG1\t0\t+\n1\t6000\t7000\tG2\t0\t-\n1\t1000\t2000\tG3\t0\t+\n2\t0\t100\tTF1\t0\t+\n' >genes.bed
printf 'TF1\nTF2\nTF9\n' >tfs.txt
l="grn-build link --no-pg --expression raw --accessibility raw -f tfs.txt -g genes.bed"
ran "both links" $l -t tg.zst -r rg.zst rna.tsv atac.tsv
t_true "cells joined without the suffix" "grep -q 'cells: 6 in both of 6 RNA and 7 ATAC cells (0 by exact barcode, 6 without the -N suffix, 0 ambiguous)' log"
t_true "TFs kept and lost" "grep -q 'TFs of the list that are genes of the matrix: kept 2 TFs, lost 1' log"
t_true "6 of 8 TF-gene pairs" "grep -q 'TF-gene pairs .*: kept 6 links, lost 2' log"
t_true "4 region-gene pairs have a correlation, 2 with the constant gene do not" "grep -q 'region-gene pairs with a correlation: kept 4 links, lost 2' log"
t_true "chromosome spelling is said" "grep -q 'chromosome names reconciled' log"
t_true "the scale and the funnel are in the file" "zstd -dcq rg.zst | head -c 4000 | grep -aq '\"expression\":\"raw\".*\"funnel\":\"\\[{' "
ran "one thread" $l -q -@ 1 -t tg1.zst -r rg1.zst rna.tsv atac.tsv
ran "three threads" $l -q -@ 3 -t tg3.zst -r rg3.zst rna.tsv atac.tsv
t_cmp "same bytes for -@ 1 and 3: TFs" tg1.zst tg3.zst
t_cmp "same bytes for -@ 1 and 3: regions" rg1.zst rg3.zst
{ head -n 1 rna.tsv; tail -n +2 rna.tsv | sort -r; } | awk -F'\t' -v OFS='\t' '{ print $1, $6, $3, $5, $2, $4 }' >rna2.tsv
{ head -n 1 atac.tsv; tail -n +2 atac.tsv | sort -r; } | awk -F'\t' -v OFS='\t' '{ print $1, $4, $2, $3 }' >atac2.tsv
data() { zstd -dcq "$1" | sed '1s/.*}} *//' >"$1.data"; }
ran "shuffled cells, genes and regions" $l -q -t tg2.zst -r rg2.zst rna2.tsv atac2.tsv
for f in tg1 tg2 rg1 rg2; do data $f.zst; done
t_cmp "same TF links from shuffled input" tg1.zst.data tg2.zst.data
t_cmp "same region links from shuffled input" rg1.zst.data rg2.zst.data
ran "little memory: many passes" $l -q --max-mem 400 -t tgm.zst -r rgm.zst rna.tsv atac.tsv
t_cmp "same bytes: TFs" tg1.zst tgm.zst
t_cmp "same bytes: regions" rg1.zst rgm.zst
t_exit 3 "grn-build link: no pair passed; 'e.zst' is empty" "nothing above the threshold" $l --min-rho 1 -t e.zst rna.tsv
t_true "an empty file is left" "[ -s e.zst ]"
printf 'ENSG1\nENSG2\n' >ens.txt
t_exit 3 "grn-build link: 0 of 5 genes of 'rna.tsv' are in the TF list 'ens.txt'; first names: TF1, TF2, G1*ENSG1, ENSG2" "no TF is a gene" \
    grn-build link -f ens.txt -t x.zst rna.tsv
sed 's/^\(c[0-9]\)/other_\1/; s/^zz/other/' atac.tsv >far.tsv
t_exit 3 "grn-build link: 0 of 6 barcodes of 'rna.tsv' are among the 7 of 'far.tsv'; first names: c1-1 vs other_c1" "no cell in both" $l -r x.zst rna.tsv far.tsv
sed 's/^./chrZ/' genes.bed >z.bed
t_exit 3 "grn-build link: no chromosome of*" "no chromosome in both" grn-build link -g z.bed -r x.zst rna.tsv atac.tsv
sed 's/G1/H1/; s/G2/H2/; s/G3/H3/; s/TF1/H4/' genes.bed >h.bed
t_exit 3 "grn-build link: 0 of 5 genes of 'rna.tsv' are in 'h.bed'; first names: TF1, TF2, G1*vs H1*" "no gene in the annotation" grn-build link -g h.bed -r x.zst rna.tsv atac.tsv
sed '2s/5/-5/' rna.tsv >neg.tsv
t_exit 1 "grn-build link: *-5*G2*c1-1*negative*" "negative value to normalise" grn-build link -f tfs.txt -t x.zst neg.tsv
t_exit 1 "grn-build link: *absent.tsv*" "missing matrix" grn-build link -f tfs.txt -t x.zst absent.tsv
t_exit 1 "grn-build link: *absent.txt*" "missing TF list" grn-build link -f absent.txt -t x.zst rna.tsv
t_exit 1 "grn-build link: *" "regions that are none" $l -r x.zst rna.tsv rna.tsv
t_exit 1 "grn-build link: *full*" "disk full" $l -t /dev/full rna.tsv
t_exit 2 "grn-build link: give --tf-gene*" "no output asked for" grn-build link rna.tsv
t_exit 2 "grn-build link: --tf-gene needs a TF list*" "no TF list" grn-build link -t x.zst rna.tsv
t_exit 2 "grn-build link: --region-gene needs an ATAC*" "no ATAC" grn-build link -g genes.bed -r x.zst rna.tsv
t_exit 2 "grn-build link: --region-gene needs gene models*" "no gene models" grn-build link -r x.zst rna.tsv atac.tsv
t_true "no file is left" "[ ! -e x.zst ]"
head -c 100 tg.zst >cut.zst
t_exit 1 "grn-build link: *cut.zst*" "truncated matrix" grn-build link -f tfs.txt -t x.zst cut.zst
printf 'chr1\t1000\t1010\tTF9\t5\t+\n' >h9.bed
ran "a TF that is no gene" $l --motif-hits h9.bed -t t9.zst rna.tsv atac.tsv
t_true "is scored by accessibility, and it is said" "grep -q '1 TFs are not in the RNA matrix' log && grep -q 'regions with their motif: kept 1 TFs, lost 0' log"
ran "or dropped" $l --motif-hits h9.bed --absent-tfs drop -t t9d.zst rna.tsv
for f in t9d; do data $f.zst; done
t_cmp "as if there were no motifs" tg1.zst.data t9d.zst.data
