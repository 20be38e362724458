# grn-build dar: numbers by hand, contrasts, tests, outputs, threads, order of the input, bad input
dar() { grn-build dar --no-pg -q "$@"; }
col() { awk -F'\t' -v c="$2" -v r="$3" -v k="$4" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == k) j = i; next } $1 == c && $2 == r { print $j }' "$1"; } # FILE CONTRAST REGION COLUMN
# 12 cells x 4 regions; every cell has 10 counts, so ranks are those of the counts
cat >c.csv <<'X'
cell,chr1:100-200,chr1:300-400,chr2:50-90,chrX:1-1000
AA-1,3,0,1,6
AB-1,3,1,1,5
AC-1,1,0,1,8
AD-1,2,0,1,7
BA-1,2,4,1,3
BB-1,3,5,1,1
BC-1,0,6,1,3
BD-1,0,4,1,5
CA-1,0,0,1,9
CB-1,1,1,1,7
CC-1,0,0,1,9
CD-1,0,0,1,9
X
awk -F, 'BEGIN { print "barcode\tkind\tdonor" } NR > 1 { print $1 "\t" substr($1, 1, 1) "\td" NR % 2 }' c.csv >l.tsv
O='--cells l.tsv --cell-type kind --orient cells --min-group 2 --min-cells 1 --min-sample 1 --min-count 0'
t_ok "all regions, one pair and one against the rest" dar $O -t wilcoxon -c A,B -c C,rest --max-adj-p 1 -a c.csv -o ab.tsv
# chr1:100-200, A 3 3 1 2 against B 2 3 0 0: each 3 beats 2, 0, 0 and ties 3 (3.5); 1 beats 0 0 (2); 2 ties 2, beats 0 0 (2.5): U = 11.5
t_near "AUROC is U / (n n)" "$(col ab.tsv A_vs_B chr1:100-200 auroc)" 0.71875 1e-9
# ties: 3 x 3 (24), 2 x 2 (6), 2 x 0 (6); sd^2 = 16 / 12 (9 - 36 / 56) = 11.142857
t_near "z with ties" "$(col ab.tsv A_vs_B chr1:100-200 statistic)" 1.048500 1e-6 # 3.5 / sqrt(11.142857)
t_near "its two-sided p" "$(col ab.tsv A_vs_B chr1:100-200 p)" 0.294407 1e-6 # scipy.stats.mannwhitneyu 1.17.1: 0.29440683
t_near "log10 of it" "$(col ab.tsv A_vs_B chr1:100-200 log10_p)" -0.531052 1e-6
t_near "mean share of a" "$(col ab.tsv A_vs_B chr1:100-200 mean_a)" 0.225 1e-9
t_near "mean share of b" "$(col ab.tsv A_vs_B chr1:100-200 mean_b)" 0.125 1e-9
t_near "log2 fold change" "$(col ab.tsv A_vs_B chr1:100-200 log2fc)" 0.847997 1e-6
t_true "a region alike in all cells has p 1" '[ "$(col ab.tsv A_vs_B chr2:50-90 p)" = 1 ] && [ "$(col ab.tsv A_vs_B chr2:50-90 auroc)" = 0.5 ]'
# chrX, C 9 7 9 9 against 6 5 8 7 3 1 3 5: 9 beats all 8 (24), 7 beats 6 and ties 1: 24 + 6.5
t_near "against the rest" "$(col ab.tsv C_vs_rest chrX:1-1000 auroc)" 0.953125 1e-9
t_true "coordinates" '[ "$(col ab.tsv A_vs_B chrX:1-1000 chrom) $(col ab.tsv A_vs_B chrX:1-1000 start) $(col ab.tsv A_vs_B chrX:1-1000 end)" = "chrX 1 1000" ]'
t_true "4 regions in 2 contrasts, and a header" '[ $(wc -l <ab.tsv) = 9 ] && head -n 1 ab.tsv | grep -q "^contrast.region.chrom.start.end.mean_a.mean_b.log2fc.statistic.p.p_adj.log10_p.auroc.test.flag$"'
t_ok "every label against the rest, those that pass" dar $O -t wilcoxon c.csv -o all.tsv -b beds -m markers.tsv
t_true "B's region" '[ "$(cut -f 1,2 all.tsv | tail -n +2)" = "$(printf "B_vs_rest\tchr1:300-400")" ]'
# p 0.00455 of one region that can pass out of 4 tested: x 4
t_near "adjusted for all that were tested" "$(col all.tsv B_vs_rest chr1:300-400 p_adj)" "$(awk -v p="$(col all.tsv B_vs_rest chr1:300-400 p)" 'BEGIN { print 4 * p }')" 1e-6
t_true "a BED file for each contrast, empty or not" '[ "$(ls beds | tr "\n" " ")" = "A_vs_rest.bed B_vs_rest.bed C_vs_rest.bed " ] && [ ! -s beds/A_vs_rest.bed ] && [ "$(cut -f 1-4 beds/B_vs_rest.bed)" = "$(printf "chr1\t300\t400\tchr1:300-400")" ]'
t_true "marker of B: next is A or C with 0.025" 'awk -F"\t" "NR == 2 { exit !(\$1 == \"B\" && \$3 == \"chr1:300-400\" && \$10 ~ /^[AC]\$/) }" markers.tsv'
t_near "specificity: log2((0.475 + 0.025) / (0.025 + 0.025))" "$(awk -F'\t' 'NR == 2 { print $7 }' markers.tsv)" 3.321928 1e-5
t_near "tau: (2 - 2 x 0.025 / 0.475) / 2" "$(awk -F'\t' 'NR == 2 { print $8 }' markers.tsv)" 0.947368 1e-5

# pseudobulk: donors d0 and d1 on both sides are pairs; the difference of log2 counts per million by awk
t_ok "pseudobulk" dar $O -t pseudobulk -c A,B -a --max-adj-p 1 c.csv -o pb.tsv
want=$(awk -F'[,\t]' 'NR == FNR { d[$1] = $3; next } FNR > 1 { k = substr($1, 1, 1) d[$1]; for (j = 2; j <= NF; j++) all[k] += $j; x[k] += $2 }
    function y(k) { p = 2 * all[k] / size; return log((x[k] + p) / (all[k] + 2 * p) * 1e6) / log(2) }
    END { size = (all["Ad0"] + all["Ad1"] + all["Bd0"] + all["Bd1"]) / 4; printf "%.6f", (y("Ad0") - y("Bd0") + y("Ad1") - y("Bd1")) / 2 }' l.tsv c.csv)
t_near "log2 fold change of the pairs" "$(col pb.tsv A_vs_B chr1:100-200 log2fc)" "$want" 1e-5
t_true "says its test" '[ "$(col pb.tsv A_vs_B chr1:100-200 test)" = pseudobulk ]'
grep -v d0 l.tsv >one.tsv
o1='--cells one.tsv --cell-type kind --orient cells --min-group 2 --min-cells 1 --min-sample 1'
t_exit 1 "grn-build*A_vs_B: no pseudobulk*fewer than 2 donors*1 and 1 samples*" "pseudobulk of one donor" dar $o1 -t pseudobulk -c A,B c.csv -o x.tsv
cut -f 1,2 l.tsv >nodonor.tsv
t_ok "auto without donors" grn-build dar --cells nodonor.tsv --cell-type kind --orient cells --min-group 2 --min-cells 1 c.csv -o w.tsv
cp err log
t_true "falls back aloud, with the caveat" "grep -q 'falls back to wilcoxon on cells, as there are no donors' log && grep -q 'takes cells for replicates, which they are not' log"
t_true "what was tested and passed is said" "grep -q 'B_vs_rest: 4 cells against 8, wilcoxon; 4 regions tested, 1 pass' log"
t_ok "auto with donors" grn-build dar --no-pg $O c.csv --max-adj-p 1 -o p.tsv
t_true "takes pseudobulk" "[ \$(grep -c pseudobulk p.tsv) -gt 1 ] && ! grep -q wilcoxon p.tsv"

# nothing passes: a header, status 3
t_exit 3 "grn-build*no region passes*" "nothing passes" dar $O -t wilcoxon --min-log2fc 50 c.csv -o none.tsv -b none
t_true "header only, empty BED files" '[ $(wc -l <none.tsv) = 1 ] && [ "$(cat none/*.bed | wc -c)" = 0 ]'

# labels
{ head -n 1 l.tsv; grep -v '^[AB]' l.tsv | tail -n +2; } >c_only.tsv
t_exit 1 "grn-build*all 4 cells*one label 'C'*" "one label" dar -t wilcoxon --cells c_only.tsv --cell-type kind --orient cells c.csv -o x.tsv
t_exit 1 "grn-build*has no labels 'cell_type'*--cells TSV*" "no labels" dar --orient cells c.csv -o x.tsv
t_exit 1 "grn-build*no column 'nope'*kind, donor*" "unknown column" dar --cells l.tsv -g nope --orient cells c.csv -o x.tsv
t_exit 1 "grn-build*--contrast 'A,Z' is not two levels*A, B, C*" "unknown level" dar $O -c A,Z c.csv -o x.tsv
t_exit 1 "grn-build*--contrast 'A,A' compares a level with itself*" "a level against itself" dar $O -c A,A c.csv -o x.tsv
t_exit 1 "grn-build*--contrast 'A,B' is given twice*" "a contrast twice" dar $O -c A,B -c A,B c.csv -o x.tsv
t_exit 2 "grn-build*--markers needs every label*" "markers of chosen contrasts" dar $O -c A,B -m m c.csv -o x.tsv
t_exit 2 "grn-build*--compat*" "compat is for rank sums" dar $O --compat -t pseudobulk c.csv -o x.tsv
t_exit 2 "grn-build*one of --group and --cell-type*" "two names of the labels" dar $O -g kind c.csv -o x.tsv
t_exit 3 "grn-build*no contrast has 50 cells*" "groups too small" dar $O --min-group 50 c.csv -o x.tsv
t_exit 3 "grn-build*none of 4 regions has a count in 13 cells*" "regions too rare" dar $O --min-cells 13 c.csv -o x.tsv
sed 's/,chr1:100-200/,GAPDH/' c.csv >gene.csv
t_exit 1 "grn-build*GAPDH*" "columns that are no regions" dar $O gene.csv -o x.tsv
sed 's/^AA-1,3/AA-1,-3/' c.csv >neg.csv
t_exit 1 "grn-build*neg.csv*-3 of chr1:100-200 in cell AA-1 is negative*" "negative counts" dar $O neg.csv -o x.tsv
t_true "no output of failed runs" '[ ! -e x.tsv ]'
sed 's/^AB-1\tA/AB-1\t/' l.tsv >gap.tsv
t_ok "a cell without label" grn-build dar --no-pg --cells gap.tsv --cell-type kind --orient cells --min-group 2 --min-cells 1 -t wilcoxon c.csv -o g.tsv
cp err log
t_true "is left out and said" "grep -q '1 of 12 have no label' log && grep -q '11 used; A 3, B 4, C 4' log"
sed 's/\tB\t/\tB cell\/1, naive\t/' l.tsv >odd.tsv
t_ok "odd names" dar ${O/l.tsv/odd.tsv} -t wilcoxon -c 'B cell/1, naive,rest' -b odd c.csv -o odd.tsv.out
t_true "make safe file names" '[ "$(ls odd)" = "B_cell_1__naive_vs_rest.bed" ]'

# a simulated multiome: threads, order of the cells, labels in the file, prefilter
t_ok "multiome" grn-sim -q -x small --no-genome -o sim
t_ok "counts" grn-build count -q --no-pg -r sim/regions.bed sim/fragments.tsv.gz -o atac.tensor.zst
{ head -n 1 sim/cells.tsv; tail -n +2 sim/cells.tsv | cut -f 1 | cksum >seed; tail -n +2 sim/cells.tsv | sort -t "$(printf '\t')" -k1.3,1.5 -k1; } >other.tsv
tail -n +2 other.tsv | cut -f 1 >other.txt
t_ok "counts of shuffled cells" grn-build count -q --no-pg -r sim/regions.bed -b other.txt sim/fragments.tsv.gz -o other.tensor.zst
t_true "in another order" '! cmp -s atac.tensor.zst other.tensor.zst'
for t in wilcoxon pseudobulk; do
    S="--cells sim/cells.tsv -t $t --highly-variable off -b bed"
    t_ok "$t, one thread" dar $S -@ 1 -m m1 atac.tensor.zst -o 1.tsv
    t_ok "$t, three threads" dar $S -@ 3 -m m3 atac.tensor.zst -o 3.tsv
    t_cmp "$t: same bytes for -@ 1 and 3" 1.tsv 3.tsv
    t_cmp "$t: same markers" m1 m3
    t_ok "$t, shuffled cells" dar --cells other.tsv -t $t other.tensor.zst -o s.tsv
    t_cmp "$t: same bytes for shuffled cells" 1.tsv s.tsv
    t_ok "$t, every region ranked" dar $S --prefilter off atac.tensor.zst -o np.tsv
    t_cmp "$t: same bytes without the prefilter" 1.tsv np.tsv
    t_ok "$t, little memory" dar $S --max-mem 20K atac.tensor.zst -o mm.tsv
    t_cmp "$t: same bytes in many blocks" 1.tsv mm.tsv
    t_ok "$t, from a pipe" sh -c "grn-build dar --no-pg -q --cells sim/cells.tsv -t $t - <atac.tensor.zst >pipe.tsv"
    t_cmp "$t: same bytes from a pipe" 1.tsv pipe.tsv
    t_true "$t finds some ($(wc -l <1.tsv))" '[ $(wc -l <1.tsv) -gt 30 ]'
done
for v in on off; do dar --cells sim/cells.tsv -t wilcoxon --max-adj-p 1 --highly-variable $v atac.tensor.zst -o hv_$v.tsv; done
t_true "the highly variable are some of them ($(wc -l <hv_on.tsv) of $(wc -l <hv_off.tsv))" \
    '[ "$(cut -f 1,2 hv_on.tsv | sort | comm -23 - <(cut -f 1,2 hv_off.tsv | sort) | wc -l)" = 0 ] && [ $(wc -l <hv_on.tsv) -gt 10 ] && [ $(wc -l <hv_on.tsv) -lt $(wc -l <hv_off.tsv) ]'
dar --cells sim/cells.tsv -t wilcoxon atac.tensor.zst -o w.tsv
awk -F'\t' 'NR == FNR { if (FNR == 1) split($0, type); else for (j = 3; j <= NF; j++) { open[type[j] "_vs_rest", $1] = $j; all[$1] += $j; n = NF - 2 } next }
    FNR > 1 { x = open[$1, $2]; called++; right += x > 1.2 * (all[$2] - x) / (n - 1) } END { printf "%.3f", right / called }' sim/truth_open.tsv w.tsv >share
t_true "most calls are planted ($(cat share))" "awk -v x=$(cat share) 'BEGIN { exit !(x > 0.9) }'"
for f in h5ad zst; do
    t_ok "labels into a $f" grn-view -q --cells sim/cells.tsv -O $f atac.tensor.zst -o with.$f
    t_ok "labels of the $f" dar -t wilcoxon with.$f -o with.tsv
    t_cmp "labels of the $f: same bytes" w.tsv with.tsv
    t_ok "by their name" dar -t wilcoxon -g donor with.$f --max-adj-p 1 -o donor.tsv
    t_true "donors compared" "cut -f 1 donor.tsv | grep -q donor._vs_rest"
    t_exit 1 "grn-build*nope*cell_type, donor*" "a label the $f lacks" dar -g nope with.$f -o x.tsv
done
t_exit 1 "grn-build*" "disk full" dar --cells sim/cells.tsv -t wilcoxon atac.tensor.zst -o /dev/full
head -c 3000 atac.tensor.zst >cut.tensor.zst
t_exit 1 "grn-build*cut.tensor.zst*" "cut container" dar --cells sim/cells.tsv cut.tensor.zst -o x.tsv
t_exit 1 "grn-build*absent*" "missing file" dar --cells sim/cells.tsv absent -o x.tsv
if t_data atac/a549_scicar; then
    d=$GRN_DATA/atac/a549_scicar
    mkdir a549
    gzip -dc "$d/atac_binary.mtx.gz" >a549/matrix.mtx
    gzip -dc "$d/peaks.bed.gz" >a549/peaks.bed
    gzip -dc "$d/barcodes_time.tsv.gz" | cut -f 1 >a549/barcodes.tsv
    gzip -dc "$d/barcodes_time.tsv.gz" | awk 'BEGIN { print "barcode\ttime" } { print $1 "\t" $2 "h" }' >time.tsv
    t_ok "A549, 3 h against 0 h of dexamethasone" dar --cells time.tsv -g time -c 3h,0h -t wilcoxon --max-adj-p 1 a549 -o a549.tsv
    t_true "near the top: the region by DUSP1 (place 2), that in FKBP5 (place 8)" \
        '[ "$(cut -f 2 a549.tsv | grep -n 172295484- | cut -d: -f1) $(cut -f 2 a549.tsv | grep -n 35693503- | cut -d: -f1)" = "3 9" ]'
fi
if [ -n "${SANITIZED:-}" ]; then
    t_skip "dar.t: parity with scipy" "done in the plain run"
elif python3 -c 'import scipy' 2>err; then
    grn-view -O tsv atac.tensor.zst 2>err | grep -v '^#' | tr '\t' , >wide.csv
    for t in wilcoxon pseudobulk; do dar --cells sim/cells.tsv -t $t -a --max-adj-p 1 --min-log2fc -100 --min-sample 1 atac.tensor.zst -o scipy_$t.tsv; done
    t_ok "rank sums and moderated t agree with scipy" python3 "$SRC/tests/parity/dar_scipy.py" wide.csv sim/cells.tsv scipy_wilcoxon.tsv scipy_pseudobulk.tsv
    cat out
else
    t_skip "dar.t: parity with scipy" "python3 with scipy absent"
fi
