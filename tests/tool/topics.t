# grn-build topics: models, files, choice, threads, order of the cells, bad input
ran() { t_ok "$@"; cp err log; }
# 90 cells of 3 types, 60 regions: each type opens its own 20
mkmtx() { # DIR ORDER: 1 or -1
    mkdir -p "$1"
    awk -v d="$2" 'BEGIN { srand(7); for (i = 0; i < 90; i++) for (r = 0; r < 60; r++) if (rand() < (int(r / 20) == i % 3 ? 0.5 : 0.08)) { e[++n] = r + 1 " " (d > 0 ? i + 1 : 90 - i); v[n] = 1 + (r % 7 == 0) }
        print "%%MatrixMarket matrix coordinate integer general"; print 60, 90, n; for (k = 1; k <= n; k++) print e[k], v[k] }' >"$1/matrix.mtx"
    awk 'BEGIN { for (r = 0; r < 60; r++) print "chr1\t" 1000 * r "\t" 1000 * r + 500 }' >"$1/peaks.bed"
    awk -v d="$2" 'BEGIN { for (i = 0; i < 90; i++) printf "c%02d\n", (d > 0 ? i : 89 - i) }' >"$1/barcodes.tsv"
}
mkmtx m 1
mkmtx r -1
awk 'BEGIN { print "barcode\tcell_type"; for (i = 0; i < 90; i++) printf "c%02d\tt%d\n", i, i % 3 }' >cells.tsv
ran "three topics" grn-build topics -k 3 --alpha 3 --cells cells.tsv --region-sets sets --cell-sets csets --topic-qc qc.tsv m -o t.zst
t_true "what was read is said" "grep -q '90 cells x 60 regions' log && grep -q 'entries above 1 are taken as 1' log"
t_true "a file of the schema" "zstd -dcq t.zst | head -c 4000 | grep -aq 'grn.lowrank/1'"
t_true "region sets by both rules" "[ -s sets/otsu/Topic_1.bed ] && [ -s sets/ntop/Topic_3.bed ]"
t_true "a topic's regions are those of one type" "(for k in 1 2 3; do awk '{ print int(\$2 / 20000) }' sets/otsu/Topic_\$k.bed | sort | uniq -c | sort -rn | awk 'NR == 1 { top = \$1 } { n += \$1 } END { exit !(n > 10 && top > 0.9 * n) }' || exit 1; done)"
t_true "scores fall and lie in 0 to 1000" "awk '\$5 > last && NR > 1 { exit 1 } { last = \$5 } \$5 < 0 || \$5 > 1000 { exit 1 }' sets/otsu/Topic_1.bed"
t_true "cells of a topic" "[ \$(cat csets/Topic_*.txt | sort -u | wc -l) -ge 85 ]"
t_true "a row per topic" "[ \$(grep -vc '^#' qc.tsv) = 4 ] && awk -F'\t' '/^Topic/ { s += \$4 } END { exit !(s > 0.999 && s < 1.001) }' qc.tsv"
ran "one thread" grn-build topics -q --no-pg -@1 --sweeps 60 --average 20 -k 3,5 --cells cells.tsv m -o t1.zst
ran "two threads" grn-build topics -q --no-pg -@2 --sweeps 60 --average 20 -k 5,3,5 --cells cells.tsv m -o t2.zst
t_cmp "same bytes, for any order of the sizes" t1.zst t2.zst
for x in m r; do grn-build topics -q --no-pg -k 4 --region-sets s_$x --topic-qc qc_$x.tsv --metrics m_$x.tsv $x -o x_$x.zst; done
t_cmp "same regions for shuffled cells" s_m/otsu/Topic_2.bed s_r/otsu/Topic_2.bed
t_cmp "same topics" qc_m.tsv qc_r.tsv
t_cmp "same metrics" m_m.tsv m_r.tsv
ran "several sizes" grn-build topics -k 2,3,6,10 --alpha 3 --replicates 2 --metrics metrics.tsv --models all m -o best.zst
t_true "a row per size, one chosen" "[ \$(grep -vc '^#' metrics.tsv) = 5 ] && [ \$(grep -v '^#' metrics.tsv | cut -f11 | grep -c '^1\$') = 1 ]"
t_true "the three planted types are found" "grep -v '^#' metrics.tsv | awk -F'\t' '\$11 == 1 { print \$1 }' | grep -qx 3 && grep -q 'recommended: 3 topics' log"
t_true "pycisTopic's rule is beside it" "grep -q \"pycisTopic's rule\" log"
t_true "planted topics are stable over seeds" "grep -v '^#' metrics.tsv | awk -F'\t' '\$1 == 3 { exit !(\$8 > 0.95) }'"
t_true "every model is there" "[ -s all/topics.K2.tensor.zst ] && [ -s all/topics.K10.tensor.zst ]"
ran "metrics for grn-plot" grn-build topics -q -k 2,3 --sweeps 20 --average 5 --metrics metrics.zst m -o x.zst
t_true "are a result" "zstd -dcq metrics.zst | head -c 2000 | grep -aq 'grn.result/1'"
ran "the figure" grn-plot topics metrics.zst -o metrics.svg
t_true "is one" "grep -q '<svg' metrics.svg && grep -q 'topics' metrics.svg"
t_true "a small prior for shallow cells is said" "grep -q 'alpha: .*a tenth of the tokens' log || grn-build topics -k 2 --sweeps 20 --average 5 m -o x.zst 2>&1 | grep -q 'a tenth of the tokens'"
ran "nothing held out" grn-build topics -k 2,3 --sweeps 20 --average 5 --holdout 0 m -o x.zst
t_true "is said" "grep -q 'nothing was held out' log"
ran "LSI" grn-build topics --no-pg -@1 --method lsi -k 5 m -o l1.zst
ran "LSI, two threads" grn-build topics -q --no-pg -@2 --method lsi -k 5 m -o l2.zst
t_cmp "same bytes of LSI" l1.zst l2.zst
ran "LSI without depth" grn-build topics -q --method lsi -k 5 --drop-depth m -o l3.zst
t_exit 2 "grn-build*--topics '3,x'*" "sizes" grn-build topics -k 3,x m -o y.zst
t_exit 2 "grn-build*--topics '0'*" "no topics" grn-build topics -k 0 m -o y.zst
t_exit 2 "grn-build*--average 20*--sweeps 5*" "more to average than sweeps" grn-build topics --sweeps 5 --average 20 m -o y.zst
t_exit 2 "grn-build*--binarize 'half'*" "rule" grn-build topics --region-sets s --binarize half m -o y.zst
t_exit 2 "grn-build*--binarize goes with --region-sets*" "rule without folder" grn-build topics --binarize otsu m -o y.zst
t_exit 2 "grn-build*--method lsi*" "LSI with metrics" grn-build topics --method lsi --metrics x.tsv m -o y.zst
t_exit 2 "grn-build*--drop-depth goes with*" "depth of topics" grn-build topics --drop-depth m -o y.zst
printf 'cell,chr1:0-500,chr1:1000-1500\nA,1,0\nB,-1,2\n' >neg.csv
t_exit 1 "grn-build*-1 of 'chr1:0-500' in cell 'B' is negative*" "negative" grn-build topics -k 2 neg.csv -o y.zst
printf 'cell,chr1:0-500,chr1:1000-1500\nA,0,0\nB,0,0\n' >zero.csv
t_exit 3 "grn-build*no cell of*accessible*" "nothing accessible" grn-build topics -k 2 zero.csv -o y.zst
printf 'cell,geneA,geneB\nA,1,0\nB,1,2\n' >genes.csv
t_exit 1 "grn-build*geneA*" "region sets of genes" grn-build topics -k 2 --sweeps 20 --average 5 --region-sets gs genes.csv -o y2.zst
t_true "no file is left" "[ ! -e y.zst ]"
head -c 300 t1.zst >cut.zst
t_exit 1 "grn-build*cut.zst*" "truncated" grn-build topics cut.zst -o y.zst
t_exit 1 "grn-build*holds grn.lowrank/1*" "a model where counts belong" grn-build topics t1.zst -o y.zst
t_exit 1 "grn-build*" "disk full" grn-build topics -k 2 --sweeps 20 --average 5 m -o /dev/full
# grn-view on the model
t_out "cells x topics" "90 4" sh -c "grn-view -q t.zst | tail -n +2 | awk -F'\t' 'NF != 4 { exit 1 } END { print NR, NF }'"
t_true "shares of a cell sum to 1" "grn-view -q t.zst | awk 'NR > 1 { s = \$2 + \$3 + \$4; if (s < 0.9999 || s > 1.0001) exit 1 }'"
t_out "regions x topics" "61" sh -c "grn-view -q -O features t.zst | wc -l"
grn-view -q -O features --region chr1:3000-3500 t.zst | tail -n 1 >phi; grn-view -q --cell c05 t.zst | tail -n 1 >theta
want=$(paste phi theta | awk '{ printf "%.6f", $2 * $6 + $3 * $7 + $4 * $8 }')
t_near "accessibility of a region in a cell" "$(grn-view -q --cell c05 --region chr1:3000-3500 t.zst | tail -n 1 | cut -f2)" "$want" 1e-6
t_out "cells of a type" 31 sh -c "grn-view -q --where cell_type=t1 t.zst | wc -l"
t_true "the summary names the method" "grn-view -q -H t.zst | grep -q lda"
t_ok "check" grn-view --check t.zst
t_exit 2 "grn-view*tsv and features only*" "other form" grn-view -O mtx t.zst
