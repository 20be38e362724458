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
t_done
