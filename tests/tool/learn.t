# grn-build link by boosting: planted regulators, threads, order of the input, shards, resume, support, q values, regions, models
ran() { t_ok "$@"; cp err log; } # t_true writes err anew
data() { zstd -dcq "$1" | sed '1s/.*}} *//' >"$1.data"; }
edges() { grn-view -q "$1"; }
column() { edges "$1" | awk -F'\t' -v c="$2" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == c) k = i; next } { print $1, $2, $k }'; }
# 300 cells of two types, 40 genes, 12 TFs: G1 follows T1, G2 falls with T2, G3 follows both; T5 is the type; T12 does not vary
awk 'function u() { s = (s * 69069 + 1) % 4294967296; return s / 4294967296 }
    function pois(m,  l, k, p) { l = exp(-m); p = 1; for (k = 0; (p *= u()) > l; k++) {} return k }
    BEGIN { s = 7; n = 300
        h = "cell"; for (j = 1; j <= 12; j++) h = h "\tT" j; for (j = 1; j <= 28; j++) h = h "\tG" j; print h
        for (i = 1; i <= n; i++) { type = i % 2
            for (j = 1; j <= 12; j++) t[j] = j == 12 ? 1 : pois(j == 5 ? 0.2 + 3 * type : j % 3 ? 0.5 : 2)
            r = "c" i; for (j = 1; j <= 12; j++) r = r "\t" t[j]
            for (j = 1; j <= 28; j++) r = r "\t" (j == 1 ? pois(0.2 + 2 * t[1]) : j == 2 ? pois(6 / (1 + t[2] * 2)) : j == 3 ? pois(0.2 + t[1] + t[2]) : j == 28 ? 2 : pois(j < 9 ? 0.3 + 2 * type : 1))
            print r } }' >rna.tsv
awk 'NR > 1 { print $1 "\t" (NR % 2 ? "a" : "b") }' rna.tsv | sed '1i cell\tcell_type' >types.tsv
for j in $(seq 12); do echo "T$j"; done >tfs.txt
l="grn-build link --no-pg --expression raw -f tfs.txt -M grnboost --max-trees 200"
ran "boosting" $l -t tg.zst rna.tsv
t_true "says how many pairs have importance" "grep -q 'TF-gene pairs of some importance: kept [0-9]* links' log"
top() { edges "$1" | awk -F'\t' -v g="$2" '$2 == g && $4 > w { w = $4; t = $1 } END { print t }'; }
t_true "regulators come first" '[ "$(top tg.zst G1)" = T1 ] && [ "$(top tg.zst G2)" = T2 ]'
t_true "signs are those of the correlation" 'edges tg.zst | awk -F"\t" "\$1 == \"T1\" && \$2 == \"G1\" && \$3 == 1 { a = 1 } \$1 == \"T2\" && \$2 == \"G2\" && \$3 == -1 { b = 1 } END { exit !(a && b) }"'
t_true "no gene regulates itself, none that does not vary takes part" '! edges tg.zst | awk -F"\t" "\$1 == \$2 || \$1 == \"T12\" || \$2 == \"G28\"" | grep .'
t_true "importances of a gene add up to its trees: 25 to 200" 'column tg.zst importance_tg | awk "{ s[\$2] += \$3 } END { for (g in s) if (s[g] < 24.99 || s[g] > 200.01 || (s[g] + 0.01) % 1 > 0.02) exit 1; exit !(length(s) > 35) }"'
t_true "weights of a gene are shares" 'edges tg.zst | awk -F"\t" "NR > 1 { s[\$2] += \$4 } END { for (g in s) if (s[g] < 0.9999 || s[g] > 1.0001) exit 1 }"'
t_true "the method is in the file" "grn-view -q -H tg.zst | grep -q '^method.*grnboost'"
for n in 1 3; do $l -q -@ $n -t tg$n.zst rna.tsv; done
t_cmp "same bytes for -@ 1 and 3" tg1.zst tg3.zst
{ head -n 1 rna.tsv; tail -n +2 rna.tsv | sort -r; } | awk -F'\t' -v OFS='\t' '{ x = $1; for (j = NF; j > 1; j--) x = x OFS $j; print x }' >rna2.tsv
ran "shuffled cells and genes" $l -q -t tg2.zst rna2.tsv
for f in tg1 tg2; do data $f.zst; done
t_cmp "same links from shuffled input" tg1.zst.data tg2.zst.data
tac tfs.txt >tfs2.txt
ran "TFs in another order" $l -q -f tfs2.txt -t tg4.zst rna.tsv && data tg4.zst
t_cmp "same links" tg1.zst.data tg4.zst.data
ran "another seed" $l -q --seed 9 -t tg5.zst rna.tsv && data tg5.zst
t_true "other numbers" '! cmp -s tg1.zst.data tg5.zst.data'
head -n 5 tfs.txt >few.txt
for i in 1 2 3; do $l -q --shard $i/3 -t part$i.zst rna.tsv; done
grn-view merge -q --no-pg -o joined.zst part1.zst part2.zst part3.zst && data joined.zst
t_cmp "three shards joined are the whole" tg1.zst.data joined.zst.data

# random forests and ridge regression
for m in genie3 ridge; do
    ran "$m" grn-build link --no-pg -q --expression raw -f tfs.txt -M $m -@ 1 -t $m.zst rna.tsv
    t_true "$m: regulators come first" '[ "$(top '$m'.zst G1)" = T1 ] && [ "$(top '$m'.zst G2)" = T2 ]'
    t_true "$m: importances of a gene are shares" 'column '$m'.zst importance_tg | awk "{ s[\$2] += \$3 } END { for (g in s) if (s[g] < 0.9999 || s[g] > 1.0001) exit 1; exit !(length(s) > 35) }"'
    ran "$m from shuffled input" grn-build link --no-pg -q --expression raw -f tfs2.txt -M $m -@ 3 -t $m.2.zst rna2.tsv
    for f in $m $m.2; do data $f.zst; done
    t_cmp "$m: same links for any order and -@" $m.zst.data $m.2.zst.data
done

# support and q values
ran "stability and null" $l --stability 5 --stability-top 2 --null 2 --cells types.tsv -t sq.zst rna.tsv
t_true "the null is within types" "grep -q 'TFs permuted over the cells of each of 2 types' log"
t_true "planted links are always supported" 'column sq.zst support_tg | awk "\$1 == \"T1\" && \$2 == \"G1\" || \$1 == \"T2\" && \$2 == \"G2\" { n += \$3 } END { exit n != 2 }"'
t_true "support is a share of five runs, rare links have none" 'column sq.zst support_tg | awk "{ x = \$3 * 5; if (x < -1e-5 || x > 5.00001 || (x + 1e-4) % 1 > 2e-4) exit 1; none += x == 0 } END { exit none < 20 }"'
t_true "q of planted links is small, that of most others is not" 'column sq.zst q_tg | awk "\$2 ~ /^G[12]\$/ && (\$1 \$2 == \"T1G1\" || \$1 \$2 == \"T2G2\") && \$3 > 0.05 { exit 1 } \$2 ~ /^G(9|1[0-9]|2[0-7])\$/ { n++; small += \$3 < 0.05 } END { exit !(n > 50 && small < 0.1 * n) }"'
t_true "q falls with the excess over permuted TFs" 'paste <(column sq.zst excess_tg) <(column sq.zst q_tg) | awk "{ print \$3, \$6 }" | sort -k1,1g | awk "NR > 1 && \$2 > q + 1e-6 { exit 1 } { q = \$2 }"'
cut -f 1-4 <(edges tg1.zst) | sort >a.txt; cut -f 1-4 <(edges sq.zst) | sort >b.txt
t_cmp "the links themselves stay" a.txt b.txt
ran "from shuffled input" $l -q --stability 5 --stability-top 2 --null 2 --cells types.tsv -@ 2 -t sq2.zst rna2.tsv
for f in sq sq2; do data $f.zst; done
t_cmp "support and q stay, too" sq.zst.data sq2.zst.data
ran "without types the null is over all cells" $l --null 2 -t n1.zst rna.tsv
t_true "and it is said" "grep -q 'TFs permuted over all cells' log"
t_true "what follows the type is then a link" '[ "$(column n1.zst q_tg | awk "\$1 == \"T5\" && \$2 == \"G4\" { print (\$3 < 0.1) }")" = 1 ]'

t_true "within types it is none" '[ "$(column sq.zst q_tg | awk "\$1 == \"T5\" && \$2 == \"G4\" { print (\$3 > 0.3) }")" = 1 ]'

# resume: the output does not fit, its parts do
r="$l -q --max-mem 1k --null 2 --stability 1 --resume -t re.zst"
( ulimit -f 4; $r rna.tsv ) 2>/dev/null
t_true "a stopped run keeps its parts and no output" '[ ! -e re.zst ] && [ "$(ls re.zst.parts | grep -vc null)" -ge 2 ]'
kept=$(ls re.zst.parts | grep -vc null)
ran "resumed" $l --max-mem 1k --null 2 --stability 1 --resume -t re.zst rna.tsv
t_true "says what was there" "grep -q \"resume: $kept of [0-9]* blocks of genes were there\" log"
t_true "parts are gone" '[ ! -e re.zst.parts ]'
$l -q --null 2 --stability 1 -t whole.zst rna.tsv; for f in re whole; do data $f.zst; done
t_cmp "and the links are those of a whole run" re.zst.data whole.zst.data

# regions: R1 opens with G1, R3 with G3
awk -F'\t' 'NR == 1 { print "cell\tchr1:900-1100\tchr1:5000-5200\tchr1:9000-9100\tchr1:400000-400200"; next }
    { print $1 "\t" ($14 > 2) "\t" (NR % 3 == 0) "\t" ($16 > 2) "\t" (NR % 5 == 0) }' rna.tsv >atac.tsv
printf 'chr1\t1000\t2000\tG1\t0\t+\nchr1\t6000\t7000\tG2\t0\t-\nchr1\t8000\t8500\tG3\t0\t+\n' >genes.bed
g="grn-build link --no-pg --expression raw --accessibility raw -g genes.bed"
ran "region to gene by boosting" $g --region-method grnboost -r rg.zst rna.tsv atac.tsv
rtop() { edges "$1" | awk -F'\t' -v g="$2" '$2 == g && $4 > w { w = $4; t = $1 } END { print t }'; }
t_true "the regions that open with a gene come first" '[ "$(rtop rg.zst G1)" = chr1:900-1100 ] && [ "$(rtop rg.zst G3)" = chr1:9000-9100 ]'
t_true "importances of a gene are shares" 'column rg.zst importance_rg | awk "{ s[\$2] += \$3 } END { for (g in s) if (s[g] < 0.9999 || s[g] > 1.0001) exit 1; exit !(length(s) == 3) }"'
for n in 1 3; do $g -q -@ $n --region-method grnboost -r rg$n.zst rna.tsv atac.tsv; done
t_cmp "same bytes for -@ 1 and 3: regions" rg1.zst rg3.zst
$g -q --max-mem 1k --region-method grnboost -r rgm.zst rna.tsv atac.tsv
t_cmp "and in little memory" rg1.zst rgm.zst
ran "Kendall" $g --region-method kendall -r k.zst rna.tsv atac.tsv
t_true "tau of G1 with its region is positive and weighs" 'edges k.zst | awk -F"\t" "NR == 1 { for (i = 1; i <= NF; i++) if (\$i == \"tau_rg\") k = i; next } \$1 == \"chr1:900-1100\" && \$2 == \"G1\" { exit !(\$k > 0.5 && \$4 == \$k && \$3 == 1) }"'
# a model: theta of two topics, phi of four regions
ran "topics" grn-build topics -q -k 2 --sweeps 30 --average 5 -o low.zst atac.tsv
ran "region to gene by a model's accessibility" $g --region-method grnboost -r low_rg.zst rna.tsv low.zst
t_true "it is said" "grn-view -q -H low_rg.zst | grep -q '^accessibility.*lowrank'"
t_true "every pair is there" '[ "$(edges low_rg.zst | tail -n +2 | wc -l)" -ge 6 ]'
printf 'chr1\t910\t920\tT99\t5\t+\n' >h.bed; printf 'T1\nT99\n' >t99.txt
t_exit 1 "grn-build link: 'low.zst' is a model of rank 2; counts are needed here" "a TF's motif in a model" \
    grn-build link -q -f t99.txt --motif-hits h.bed -t x.zst rna.tsv low.zst
ran "a TF that is no gene is learned from, by its motif" grn-build link --no-pg --expression raw --accessibility raw -f t99.txt --motif-hits h.bed -M grnboost -t t99.zst rna.tsv atac.tsv
t_true "and regulates G1" '[ "$(edges t99.zst | awk -F"\t" "\$1 == \"T99\" && \$2 == \"G1\"" | wc -l)" = 1 ]'

t_exit 2 "grn-build link: --stability, --null, --shard and --resume go with*" "stability of correlations" grn-build link -f tfs.txt --stability 3 -t x.zst rna.tsv
t_exit 2 "grn-build link: --null 1: at least 2 runs*" "one null run" $l --null 1 -t x.zst rna.tsv
t_exit 2 "grn-build link: --shard '3/2'*" "shard beyond" $l --shard 3/2 -t x.zst rna.tsv
t_exit 2 "grn-build link: --resume needs*" "resume to stdout" $l --resume -t - rna.tsv
t_exit 1 "grn-build link: *" "disk full" $l -t /dev/full rna.tsv
t_true "no output, no folder is left" '[ ! -e x.zst ] && ! ls -d ./*.parts 2>/dev/null'
t_done
