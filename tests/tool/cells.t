# grn-view cell and cells: hand-made cells and regulons, a simulated network against its own dumps, files without an index
printf 'cell,R1,R2,R3\na1,1,1,0\na2,1,0,0\na3,0,0,0\nb1,1,0,1\nb2,0,0,1\nb3,1,1,0\n' >auc.csv
printf 'barcode\tcell_type\na1\tA\na2\tA\na3\tA\nb1\tB\nb2\tB\nb3\tB\n' >types.tsv
printf 'R1\tna\tG1\tG2\nR2\tna\tG2\nR3\tna\tG3\nR9\tna\tG9\n' >sets.gmt
t_ok "activity of six cells" grn-threshold -q --method otsu --posterior --cells types.tsv -o a.zst auc.csv
t_ok "regulons of no context" grn-view import -q -o e.zst sets.gmt
f="-a a.zst -e e.zst"

# ---- cell ----
t_out "the edges of what is on" $'regulon\tgene\nR1\tG1\nR1\tG2\nR2\tG2' grn-view cell -q $f a1
t_out "of several cells" $'cell\tregulon\tgene\nb1\tR1\tG1\nb1\tR1\tG2\nb1\tR3\tG3\na2\tR1\tG1\na2\tR1\tG2' grn-view cell -q $f b1 a2
printf 'b2\nb1\n' >list.txt
t_out "from a file, one of them twice" $'cell\tregulon\tgene\nb1\tR3\tG3\nb2\tR3\tG3' grn-view cell -q $f --regulon R3 b1 @list.txt
t_out "one gene" $'regulon\tgene\nR1\tG2\nR2\tG2' grn-view cell -q $f --gene G2 a1
t_out "gene sets of what two cells have together" $'R1\tNA\tG1\tG2\nR2\tNA\tG2\nR3\tNA\tG3' grn-view cell -q $f -O gmt a1 b1
t_ok "as a container" grn-view cell -q $f -O zst -o two.zst a1 b1
t_out "with the number of cells" $'regulon\tgene\tn_cells\nR1\tG1\t2\nR1\tG2\t2\nR2\tG2\t1\nR3\tG3\t1' grn-view -q two.zst
t_exit 3 "grn-view*no edge*'a3'*" "nothing is on" grn-view cell $f a3
t_true "then a header alone" "[ \"\$(cat out)\" = \$'regulon\tgene' ]"
t_exit 3 "grn-view*no edge*" "nor of a container" grn-view cell $f -O zst -o none.zst a3
t_true "which is not written" "[ ! -e none.zst ]"
t_exit 3 "grn-view*none of the 1 genes asked for*G8*G1*" "no such gene" grn-view cell $f --gene G8 a1
t_exit 3 "grn-view*regulons that 'a.zst' lacks*" "edges of a regulon that was not scored" grn-view cell $f --gene G9 a1
t_exit 1 "grn-view*no cell 'zz'*a1, a2, a3*6 in all*" "no such cell" grn-view cell $f zz
t_exit 0 "grn-view*1 of 2 cells are not in 'a.zst', for example 'zz'*" "some of them, with a warning" grn-view cell -v 2 $f a1 zz
t_exit 2 "grn-view*'/dev/null' names no cell*" "an empty list" grn-view cell $f @/dev/null
t_exit 2 "grn-view*" "no barcode" grn-view cell $f
printf 'X1\tna\tG1\nX2\tna\tG2\n' | grn-view import -q --from gmt -o other.zst -
t_exit 1 "grn-view*none of the 2 regulons*X1*R1*" "regulons of something else" grn-view cell -a a.zst -e other.zst a1
printf 'TF\ttarget\timportance\nT1\tG1\t3\n' | grn-view import -q -o adj.zst -
t_exit 1 "grn-view*no regulon column*" "edges without regulons" grn-view cell -a a.zst -e adj.zst a1

# ---- cells ----
t_out "who has an edge" $'cell\tcontext\tn_edges\tregulons\na1\tA\t2\tR1,R2\na2\tA\t1\tR1\nb1\tB\t1\tR1\nb3\tB\t2\tR1,R2' \
    sh -c "grn-view cells -q $f --gene G2 | cut -f1-4"
t_true "the posteriors are those of the file" "grn-view cells -q $f --gene G2 | awk -F'\t' 'NR > 1 { split(\$4, r, \",\"); n = split(\$5, p, \",\"); for (i = 1; i <= n; i++) print \$1 \"\t\" r[i] \"\t\" p[i] }' | cmp - <(grn-view -q --regulon R1,R2 a.zst | tail -n +2 | cut -f1,3,4)"
t_out "counted" $'context\tn_edges\tn_with\tn_cells\tshare\tlo\thi\nA\t1\t0\t3\t0\t0\t0.561497\nB\t1\t2\t3\t0.666667\t0.20766\t0.938508' grn-view cells -q --count $f --gene G3
grn-view cells $f --gene G3 >/dev/null 2>log
t_true "share and interval of each context are said at the end" "grep -q 'B: 2 of 3 cells, 66.7 % (95 % interval 20.8 to 93.9)' log && grep -q '2 of 6 cells have the edge' log"
t_exit 3 "grn-view*none of the 6 cells*1 edges*" "nobody has it" sh -c "printf 'cell,R1,R2,R3,R9\na1,1,1,0,0\na2,1,0,1,0\na3,0,0,0,0\nb1,1,0,1,0\nb2,0,0,1,0\nb3,1,1,0,0\n' | grn-threshold -q --method otsu -o n.zst - && exec grn-view cells -a n.zst -e e.zst --gene G9"
t_true "a header alone" "[ \"\$(cat out)\" = \$'cell\tcontext\tn_edges\tregulons' ]"
t_exit 2 "grn-view*--active and --edges*" "no files" grn-view cells --gene G2

# ---- a simulated network: contexts, regions, TFs; against the dumps of both files ----
t_ok "simulate" grn-sim -q --cells 2500 --genes 150 --regions 500 --no-atac --depth 50 -o sim
e=sim/truth.edges.zst a=sim/truth_activity.tensor.zst f="-a sim/truth_activity.tensor.zst -e sim/truth.edges.zst"
grn-view -q $e >all.tsv
grn-view -q $a >on.tsv
# The edges of every cell, by a join of the texts: cell, then the row of the edge.
awk -F'\t' 'NR == FNR { row[$1 "\t" $2] = row[$1 "\t" $2] "\n" $0; next } FNR > 1 { n = split(row[$2 "\t" $3], r, "\n"); for (i = 2; i <= n; i++) print $1 "\t" r[i] }' all.tsv on.tsv >nets.tsv
cut -f1 on.tsv | tail -n +2 | uniq | awk 'NR % 97 == 5' >some.txt
t_cmp "networks of many cells" <(grn-view cell -q $f @some.txt | tail -n +2 | sort) <(awk -F'\t' 'NR == FNR { want[$1] = 1; next } $1 in want' some.txt nets.tsv | sort)
one=$(sed -n 3p some.txt)
t_cmp "of one, in the order of the file" <(grn-view cell -q $f "$one") <(head -n 1 all.tsv; awk -F'\t' -v c="$one" '$1 == c' nets.tsv | cut -f2- | awk 'NR == FNR { mine[$0] = 1; next } $0 in mine' - all.tsv)
IFS=$'\t' read -r _ ctx reg tf region gene _ < <(sed -n 20000p nets.tsv)
t_cmp "filters" <(grn-view cell -q $f --tf "$tf" --region "$region" @some.txt | tail -n +2 | sort) <(awk -F'\t' -v t="$tf" -v r="$region" 'NR == FNR { want[$1] = 1; next } ($1 in want) && $4 == t && $5 == r' some.txt nets.tsv | sort)
grn-view cell -q $f -O zst -o one.zst "$one"
t_cmp "a container holds the same" <(grn-view -q one.zst) <(grn-view cell -q $f "$one")
t_cmp "SIF of it" <(grn-view -q -O sif one.zst) <(grn-view cell -q $f -O sif "$one")
t_cmp "adjacencies" <(grn-view -q -O adj one.zst) <(grn-view cell -q $f -O adj "$one")
t_cmp "cells with the edges of a TF to a gene" <(grn-view cells -q $f --tf "$tf" --gene "$gene" | tail -n +2 | cut -f1-3) \
    <(awk -F'\t' -v t="$tf" -v g="$gene" '$4 == t && $6 == g { if ($1 != last) order[++n] = $1; last = $1; ctx[$1] = $2; k[$1]++ } END { for (i = 1; i <= n; i++) print order[i] "\t" ctx[order[i]] "\t" k[order[i]] }' nets.tsv)
t_true "of one context" "grn-view cells -q $f --tf $tf --gene $gene --context $ctx | tail -n +2 | cmp - <(grn-view cells -q $f --tf $tf --gene $gene | awk -F'\t' -v c=$ctx '\$2 == c')"
t_true "counted by context" "grn-view cells -q --count $f --tf $tf --gene $gene | awk -F'\t' 'NR > 1 && \$3 { print \$1 \"\t\" \$3 }' | cmp - <(grn-view cells -q $f --tf $tf --gene $gene | tail -n +2 | cut -f2 | sort | uniq -c | awk '{ print \$2 \"\t\" \$1 }')"
for k in 1 2; do grn-view cells -q -@ $k $f --tf "$tf" >cells.$k; grn-view cell -q -@ $k $f @some.txt >cell.$k; done
t_cmp "-@ 1 and 2, cells" cells.1 cells.2
t_cmp "-@ 1 and 2, cell" cell.1 cell.2
t_exit 3 "grn-view*no edges of context 'nope'*it has type1*" "a context that is not there" grn-view cell $f --context nope "$one"
t_exit 2 "grn-view*one --context*" "two contexts for a cell" grn-view cell $f --context type1 --context type2 "$one"
t_cmp "the edges of another context" <(grn-view cell -q $f --context type2 "$one" | cut -f2 | sort -u) <(awk -F'\t' -v c="$one" 'BEGIN { print "regulon" } NR == FNR { if ($1 == c) on[$3] = 1; next } $1 == "type2" && ($2 in on) { print $2 }' on.tsv all.tsv | sort -u)
grn-view subset -q --context type1 -o type1.zst $e
other=$(awk -F'\t' 'NR > 1 && $2 != "type1" { print $1; exit }' on.tsv)
t_exit 3 "grn-view*no edges of context 'type*' (that of cell '$other')*it has type1*--context chooses one*" "a cell of a context without edges" grn-view cell -a $a -e type1.zst "$other"
grn-threshold -q --by all --method otsu -o all.zst <(awk -F'\t' 'NR > 1 && !($2 in r) { r[$2] = 1 } END { printf "cell"; for (k in r) printf ",%s", k; print ""; for (i = 0; i < 9; i++) { printf "c%d", i; for (k in r) printf ",%d", i % 2; print "" } }' all.tsv)
t_exit 3 "grn-view*no edges of context all*it has type1*" "groups that are no contexts" grn-view cells -a all.zst -e $e

# ---- the index is of use, kept up and checked; a file without one gives the same ----
grn-view subset -q --cell @some.txt -o sub.zst $a
t_cmp "a subset has an index of its own" <(grn-view cell -q -a sub.zst -e $e @some.txt) cell.1
t_ok "and passes the check" grn-view --check sub.zst $a a.zst

for k in 1 2 3 4 5; do grn-view subset -q --context type$k -o part$k.zst $e; done
grn-view merge -q -o merged.zst part5.zst part2.zst part1.zst part4.zst part3.zst
t_cmp "edges that were cut and merged" <(grn-view cell -q -a $a -e merged.zst @some.txt) cell.1
t_cmp "activity through a pipe" <(grn-view cell -q -a <(cat $a) -e $e @some.txt) cell.1

# ---- diff by hand: 10 cells of type A and 4 of B on either side; edges of no context are of all cells ----
awk 'BEGIN { print "cell,R1,R2,R3"
    for (s = 0; s < 2; s++) for (i = 1; i <= 14; i++) {
        r1 = i <= 10 && (s ? i == 1 || i == 6 : i <= 4 || i == 6 || i == 7)
        print (s ? "y" : "x") i "," (r1 + 0) "," (i == 11 || i == 12) "," (i <= 10 && i % 2) } }' >auc2.csv
awk -F, 'BEGIN { OFS = "\t"; print "barcode", "cell_type", "side", "person" } NR > 1 { s = substr($1, 1, 1); i = substr($1, 2) + 0
    print $1, i <= 10 ? "A" : "B", s, "d" (1 + 2 * (s == "y") + !(i <= 5 || i == 11 || i == 12)) }' auc2.csv >side.tsv
t_ok "activity of 28 cells" grn-threshold -q --method otsu --cells side.tsv -o h.zst auc2.csv
d="-a h.zst -e e.zst --cells side.tsv"
# Fisher: 2 (C(14,6) C(14,2) + C(14,7) C(14,1) + C(14,8)) / C(28,8) = 648648 / 3108105; in A alone 2 (C(10,6) C(10,2) + C(10,7) 10 + C(10,8)) / C(20,8)
# = 21390 / 125970, twice among four edges; odds with 1/2 added: 6.5 12.5 / (8.5 2.5), and (55.25/22 + 2.25/10) / (11.25/22 + 2.25/10)
t_out "frequencies, odds, p and q worked by hand" "$(printf '%s\n' \
    'regulon gene contexts n_a with_a freq_a n_b with_b freq_b diff log2_or p q context_diff context_log2_or context_p context_q' \
    'R1 G1 all 14 6 0.428571 14 2 0.142857 0.285714 1.9349 0.208696 0.417391 0.285714 1.89377 0.169802 0.339605' \
    'R1 G2 all 14 6 0.428571 14 2 0.142857 0.285714 1.9349 0.208696 0.417391 0.285714 1.89377 0.169802 0.339605' \
    'R2 G2 all 14 2 0.142857 14 2 0.142857 0 0 1 1 0 0 1 1' 'R3 G3 all 14 5 0.357143 14 5 0.357143 0 0 1 1 0 0 1 1' | tr ' ' '\t')" \
    sh -c "grn-view diff -q $d --a side=x --b side=y --max-q 1 | cut -f1-10,13-"
t_true "Newcombe's interval of 6 of 14 and 2 of 14" "grn-view diff -q $d --a side=x --max-q 1 | awk -F'\t' 'NR == 2 { exit !(\$11 == \"-0.048867\" && \$12 == \"0.551875\") }' || { grn-view diff -q $d --a side=x --max-q 1 | cut -f11,12 >&2; false; }"
t_cmp "rest is the other side" <(grn-view diff -q $d --a side=x --max-q 1) <(grn-view diff -q $d --a side=x --b side=y --max-q 1)
grep '^x' side.tsv | cut -f1 >x.txt; grep '^y' side.tsv | cut -f1 >y.txt
t_cmp "lists of barcodes, without a table" <(grn-view diff -q -a h.zst -e e.zst --a @x.txt --b @y.txt --max-q 1) <(grn-view diff -q $d --a side=x --max-q 1)
t_cmp "several values of a column" <(grn-view diff -q $d --a person=d1,d2 --max-q 1) <(grn-view diff -q $d --a person=d1 --a person=d2 --b person=d3,d4 --max-q 1)
t_out "edges chosen are tested alone: q = p" $'0.169802\t0.169802' sh -c "grn-view diff -q $d --a side=x --max-q 1 --gene G1 | tail -n 1 | cut -f18,19"
t_out "cells chosen: both tests are that of A" $'10\t6\t10\t2\t0.169802\t0.169802' sh -c "grn-view diff -q $d --a side=x --max-q 1 --where cell_type=A --gene G1 | tail -n 1 | cut -f4,5,7,8,14,18"
# Donors: f = 20/28 of the share in A; 4/5, 2/5 against 1/5, 1/5: 2 of the 6 choices of two differ as much
t_out "donors by permutation" $'2\t2\t0.285714\t0.333333' sh -c "grn-view diff -q $d --a side=x --max-q 1 --donor person --min-cells 1 --donor-test permutation --gene G1 | tail -n 1 | cut -f20-23"
grn-view diff $d --a side=x --max-q 1 --donor person --min-cells 1 --donor-test permutation --gene G1 2>log >/dev/null
t_true "the smallest p there can be is said" "grep -q 'no p is below 0.333' log"
grn-view diff $d --a side=x --max-q 1 >/dev/null 2>log
t_true "cells taken as independent: said" "grep -q 'warning: cells are taken as independent' log && grep -q 'group A: 14 cells, group B: 14 cells' log && grep -q '4 edges, 3 distinct tests' log"
# R2 is on in half of the B cells and in no A cell: 4 of 10 against none of 18 by the mix of types alone
{ printf 'x1\nx2\n'; awk -F'\t' '$2 == "B" { print $1 }' side.tsv; } >mix.txt
t_out "a difference of composition passes by all cells" $'R2\tG2\t4\t0\t0.0102564' sh -c "grn-view diff -q -a h.zst -e e.zst --a @mix.txt --test cells --max-q 0.05 | tail -n +2 | cut -f1,2,5,8,14"
t_exit 3 "grn-view diff: none of 4 edges differs by cells within contexts*" "and not within contexts" grn-view diff -a h.zst -e e.zst --a @mix.txt --max-q 0.05
t_true "which is said; a header alone is written" "[ \$(wc -l <out) = 1 ] && grep -q '^regulon' out && grn-view diff -a h.zst -e e.zst --a @mix.txt 2>&1 >/dev/null | grep -q '1 of those by all cells do not pass within contexts'"
t_exit 2 "grn-view*--a COLUMN=VALUE*" "no group" grn-view diff $d
t_exit 2 "grn-view*--a takes COLUMN=VALUE or @FILE (got 'x')*" "no column" grn-view diff $d --a x
t_exit 2 "grn-view*--cells TSV*" "no table" grn-view diff -a h.zst -e e.zst --a side=x
t_exit 2 "grn-view*rest stands alone*" "rest and more" grn-view diff $d --a side=x --b rest --b side=y
t_exit 2 "grn-view*--test donor needs --donor*" "donors without donors" grn-view diff $d --a side=x --test donor
t_exit 1 "grn-view*'side.tsv' has no column 'sex'*" "no such column" grn-view diff $d --a sex=f
t_exit 3 "grn-view*no cell has side 'z'; there are x, y*" "no such value" grn-view diff $d --a side=z
t_exit 3 "grn-view*no cell of 'h.zst' is in group B*" "everybody is in one group" grn-view diff $d --a side=x,y
t_exit 1 "grn-view*cell 'x1' is in both groups*" "groups that overlap" grn-view diff $d --a side=x --b person=d1
t_exit 1 "grn-view*two of each*" "one donor" grn-view diff $d --a person=d1 --donor person
t_exit 3 "grn-view*none of the 2 cells of*'h.zst'*" "barcodes of something else" grn-view diff $d --a @list.txt

# ---- diff of the simulated network ----
t_ok "simulate six donors" grn-sim -q --cells 2500 --genes 150 --regions 500 --donors 6 --no-atac --depth 50 -o sim6
awk -F'\t' 'BEGIN { OFS = "\t" } NR == 1 { print $0, "arm", "mix"; next } { n++; print $0, substr($3, 6) <= 3 ? "x" : "y", (n * 7919 % 1000 < ($2 == "type1" ? 700 : 300)) ? "u" : "v" }' sim6/cells.tsv >arms.tsv
f="-a sim6/truth_activity.tensor.zst -e sim6/truth.edges.zst"
diff6() { grn-view diff $f --cells arms.tsv --max-q 1 --test cells --null 3 "$@" 2>log; }
for k in 1 2; do diff6 -@ $k --a mix=u >diff.$k; grep exchanged log >null.$k; diff6 -@ $k --a mix=u --donor donor --donor-test permutation >donor.$k; grep exchanged log >>null.$k; done
t_cmp "-@ 1 and 2" diff.1 diff.2
t_cmp "-@ 1 and 2, donors" donor.1 donor.2
t_cmp "-@ 1 and 2, groups exchanged" null.1 null.2
t_true "one row an edge, sorted by q, then by difference" "[ \$(tail -n +2 diff.1 | cut -f1-4 | sort -u | wc -l) = \$((\$(wc -l <diff.1) - 1)) ] && awk -F'\t' 'NR > 1 { d = \$13 < 0 ? -\$13 : \$13; if (NR > 2 && (\$18 + 0 < q || (\$18 + 0 == q && d > last))) exit 1; q = \$18 + 0; last = d }' diff.1"
# The same cells in another order, with the same bits
grn-view -q -O tsv sim6/truth_activity.tensor.zst >wide.tsv
wide() { grn-view -q -O tsv sim6/truth_activity.tensor.zst | cut -f1,3- | tr '\t' ','; }
wide | grn-threshold -q --method otsu --cells sim6/cells.tsv -o fwd.zst - && { wide | head -n 1; wide | tail -n +2 | sort -t, -k1.7; } | grn-threshold -q --method otsu --cells sim6/cells.tsv -o back.zst -
order() { grn-view diff -a $1 -e sim6/truth.edges.zst --cells arms.tsv --a mix=u --max-q 1 --null 2 2>log; grep exchanged log; }
t_cmp "cells in another order" <(order fwd.zst) <(order back.zst)
if python3 -c 'import scipy, numpy' 2>/dev/null; then
    grn-view -q sim6/truth.edges.zst >edges.tsv
    for k in arm:x mix:u; do
        diff6 --a ${k%:*}=${k#*:} >scipy.tsv
        t_ok "Fisher, strata, intervals and q agree with scipy, ${k%:*}" python3 "$SRC/tests/parity/diff_scipy.py" wide.tsv edges.tsv arms.tsv ${k%:*} ${k#*:} scipy.tsv
        for test in t permutation; do
            diff6 --a ${k%:*}=${k#*:} --donor donor --donor-test $test >scipy.tsv
            t_ok "donors agree with scipy, ${k%:*}, $test" python3 "$SRC/tests/parity/diff_scipy.py" wide.tsv edges.tsv arms.tsv ${k%:*} ${k#*:} scipy.tsv donor $test
        done
    done
else
    t_skip "parity with scipy" "python3 with scipy absent"
fi
t_done
