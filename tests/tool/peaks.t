# grn-build peaks: numbers by hand, types, threads, order of the input, parts of the genome, bad input; MACS3's peaks on real fragments
ran() { t_ok "$@"; cp err log; }
# two types: A piles up 30 fragments at chr1:5000, B 30 at chr1:9000 and chr2:5000; both a few elsewhere
awk 'BEGIN { for (i = 0; i < 30; i++) {
        printf "chr1\t%d\t%d\tA%d-1\t1\n", 5000 + i, 5150 + i, i % 3
        printf "chr1\t%d\t%d\tB%d-1\t2\n", 9000 + i, 9150 + i, i % 3
        printf "chr2\t%d\t%d\tB%d-1\t1\n", 5000 + i, 5150 + i, i % 3 }
    for (i = 0; i < 20; i++) printf "chr%d\t%d\t%d\tA%d-1\t1\nchr%d\t%d\t%d\tB%d-1\t1\n", i % 2 + 1, 20000 + 700 * i, 20150 + 700 * i, i % 3, i % 2 + 1, 40000 + 700 * i, 40150 + 700 * i, i % 3 }' >u.tsv
sort -k1,1 -k2,2n u.tsv >f.tsv
bgzip -c f.tsv >f.tsv.gz && tabix -p bed f.tsv.gz
printf 'barcode\tcell_type\n' >cells.tsv
for i in 0 1 2; do printf 'A%d-1\tT cell/x\nB%d-1\tB\n' $i $i >>cells.tsv; done
printf 'chr1\t100000\nchr2\t100000\n' >sizes
ran "two types" grn-build peaks -G 1e6 --cells cells.tsv --chrom-sizes sizes -n np --bedgraph bg f.tsv.gz -o c.bed
t_true "all listed cells are found" "grep -q '6 of 6 listed have fragments' log"
t_true "a file per type, with a name that is safe" "[ -s np/B.narrowPeak ] && [ -s np/T_cell_x.narrowPeak ] && [ -s bg/B.bedGraph ]"
t_true "the piles are peaks of their type" "grep -q '^chr1.5000.5179' np/T_cell_x.narrowPeak && grep -q '^chr1.9000.9179' np/B.narrowPeak && grep -q '^chr2.5000.5179' np/B.narrowPeak"
t_true "not of the other" "! grep -q '^chr1.9000' np/T_cell_x.narrowPeak"
t_true "consensus regions are 500 bp round the summit" "awk '\$3 - \$2 != 500 { exit 1 }' c.bed && awk '\$1 == \"chr1\" && \$2 < 5089 && \$3 > 5089' c.bed | grep -q 'T cell/x'"
t_true "sorted" "sort -c -k1,1 -k2,2n c.bed"
t_true "coverage is per million" "awk '\$4 > m { m = \$4 } END { exit !(m > 3e5 && m <= 1e6) }' bg/B.bedGraph"
ran "coverage in fragments" grn-build peaks -q -G 1e6 --bedgraph raw --raw-coverage f.tsv.gz -o c0.bed
t_true "30 at the top" "[ \$(awk '\$4 > m { m = \$4 } END { print m }' raw/all.bedGraph) = 30 ]"
ran "one thread" grn-build peaks -q -@1 -G 1e6 --cells cells.tsv --chrom-sizes sizes -n np1 f.tsv.gz -o c1.bed
ran "shuffled fragments" grn-build peaks -q -@3 -G 1e6 --cells cells.tsv --chrom-sizes sizes -n np2 u.tsv -o c2.bed
t_cmp "same regions" c1.bed c2.bed
t_cmp "same peaks" np1/B.narrowPeak np2/B.narrowPeak
t_cmp "same as with two threads" c1.bed c.bed
ran "two samples" sh -c "grep A f.tsv >a.tsv; grep B f.tsv >b.tsv; sed 's/\t\([AB].-1\)/\ts_\1/' cells.tsv | sed 's/^\([AB].-1\)/s_\1/' >renamed.tsv
    grn-build peaks -q -G 1e6 --cells renamed.tsv --chrom-sizes sizes --rename 's_{}' a.tsv --rename 's_{}' b.tsv -o c3.bed"
t_cmp "same regions from two files" c1.bed c3.bed
ran "a part of the genome" grn-build peaks -q -G 1e6 --region chr2 -n part f.tsv.gz -o c4.bed
ran "the same fragments alone" sh -c "grep ^chr2 f.tsv >two.tsv; grn-build peaks -q -G 1e6 -n alone two.tsv -o c5.bed"
t_cmp "same peaks of a part" part/all.narrowPeak alone/all.narrowPeak
printf 'chr1\t4000\t6000\n' >black.bed
ran "blacklist" grn-build peaks -q -G 1e6 --blacklist black.bed --chrom-sizes sizes f.tsv.gz -o c6.bed
t_true "keeps regions off" "! awk '\$1 == \"chr1\" && \$2 < 6000 && \$3 > 4000' c6.bed | grep -q ."
printf 'chr2\t6000\n' >short
ran "chromosome sizes" grn-build peaks -G 1e6 --chrom-sizes short f.tsv.gz -o c7.bed
t_true "what is over the end, or elsewhere, is left out" "[ -s c7.bed ] && ! awk '\$1 != \"chr2\" || \$3 > 6000' c7.bed | grep -q ."
sed 's/$/\r/' f.tsv >crlf.tsv
ran "CRLF" grn-build peaks -q -G 1e6 --cells cells.tsv --chrom-sizes sizes crlf.tsv -o c8.bed
t_cmp "the same" c1.bed c8.bed
ran "stdin" sh -c "grn-build peaks -q -G 1e6 --cells cells.tsv --chrom-sizes sizes - -o c9.bed <f.tsv"
t_cmp "the same again" c1.bed c9.bed
printf 'barcode\tcell_type\nX1\tA\nX2\tA\nA0-1\tB\n' >half.tsv
t_exit 1 "grn-build*only 1 of 3 listed cells*--min-match*" "few cells match" grn-build peaks -G 1e6 --cells half.tsv f.tsv.gz -o x.bed
printf 'barcode\tcell_type\nA0\tA\n' >bare.tsv
t_exit 3 "grn-build*0 of 1 listed*--barcode-suffix strip*" "no cell matches" grn-build peaks -G 1e6 --cells bare.tsv f.tsv.gz -o x.bed
ran "stripped suffix" grn-build peaks -q -G 1e6 --cells bare.tsv --barcode-suffix strip --min-match 0 f.tsv.gz -o x1.bed
t_exit 3 "grn-build*no cell type has a peak*" "nothing passes" grn-build peaks -G 1e6 --qvalue 1e-200 -n none f.tsv.gz -o x.bed
t_true "an empty file says so" "[ -e none/all.narrowPeak ] && [ ! -s none/all.narrowPeak ]"
t_exit 2 "grn-build*--gsize 'xx'*" "genome size" grn-build peaks -G xx f.tsv.gz -o x.bed
t_exit 2 "grn-build*one of --cells and --barcodes*" "both lists" grn-build peaks --cells cells.tsv -b half.tsv f.tsv.gz -o x.bed
: >empty
t_exit 3 "grn-build*hold no fragment*" "empty fragments" grn-build peaks empty -o y.bed
t_true "no file is left" "[ ! -e y.bed ]"
printf 'chr1\tlong\n' >bad.sizes
t_exit 1 "grn-build*bad.sizes*line 1*" "bad sizes" grn-build peaks -G 1e6 --chrom-sizes bad.sizes f.tsv.gz -o y.bed
head -c 200 f.tsv.gz >cut.gz
t_exit 1 "grn-build*cut.gz*truncated*" "truncated" grn-build peaks -G 1e6 cut.gz -o y.bed
t_exit 1 "grn-build*" "disk full" grn-build peaks -G 1e6 f.tsv.gz -o /dev/full
t_exit 1 "grn-build*absent*" "missing labels" grn-build peaks --cells absent f.tsv.gz -o y.bed
if t_data atac/pbmc_chr22_fragments; then
    d=$GRN_DATA/atac/pbmc_chr22_fragments
    ran "real fragments, as MACS3's FRAG" grn-build peaks -q --local --by-count --summits off -n real "$d/fragments.sorted.tsv.gz" -o r.bed
    cut -f1-3 real/all.narrowPeak >ours; cut -f1-3 "$d/macs3_expected/run_callpeak_frag_peaks.narrowPeak" >theirs
    t_cmp "the 1,455 peaks of MACS3" ours theirs
    paste <(cut -f5,7-10 real/all.narrowPeak) <(cut -f5,7-10 "$d/macs3_expected/run_callpeak_frag_peaks.narrowPeak") >both
    t_true "with its scores, to 1e-4, and its summits" "awk '{ for (i = 1; i <= 5; i++) { x = \$i - \$(i + 5); if (x < 0) x = -x; if (x > 1e-4 * (1 + \$i)) exit 1 } }' both"
    ran "50 cells" grn-build peaks -q --local --by-count --summits off --max-gap 199 --min-length 199 -b "$d/macs3_expected/barcodes_subset.txt" -n sub "$d/fragments.asshipped.tsv.gz" -o r.bed
    cut -f1-3 sub/all.narrowPeak >ours; cut -f1-3 "$d/macs3_expected/run_callpeak_frag_barcode_peaks.narrowPeak" >theirs
    t_cmp "the 1,045 peaks of MACS3" ours theirs
fi
