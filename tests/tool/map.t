# grn-map: votes worked by hand, another donor of a simulation, order and threads, inherited bits, abstaining, reports, bad input, real cells
ran() { t_ok "$@"; cp err log; }
column() { awk -F'\t' -v c="$2" -v b="$3" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == c) k = i; next } $1 == b { print $k }' "$1"; } # TSV COLUMN BARCODE

# by hand: points on a line, two labels; distances are exact in float32
printf 'cell,x,y\n' >ref.csv
for i in 0 1 2 3 4; do printf 'a%d,%d,0\nb%d,%d,0\n' $i $i $i $((100 + i)); done >>ref.csv
{ printf 'barcode\tcell_type\tbatch\n'; for i in 0 1 2 3 4; do printf 'a%d\tA\tone\nb%d\tB\t%s\n' $i $i "$([ $i = 0 ] && echo one || echo two)"; done; } >ref.tsv
printf 'cell,x,y\nq1,1.5,0\nq2,100,0\nq3,52,0\nq4,2,2\n' >query.csv
hand="-q --as embedding --metric euclidean --cells ref.tsv -k 4 --accuracy 0 --far 0 -r ref.csv"
ran "points of a table" grn-map $hand --label cell_type --label batch --weights uniform -o hand.tsv query.csv
t_true "nearest first, ties by name" "[ \"$(column hand.tsv neighbours q1)\" = a1,a2,a0,a3 ]"
t_near "nearest" "$(column hand.tsv nearest q1)" 0.5 0
t_near "mean distance" "$(column hand.tsv mean_distance q1)" 1 0
t_true "label and certainty" "[ \"$(column hand.tsv cell_type q1) $(column hand.tsv probability q1) $(column hand.tsv entropy q1)\" = 'A 1 0' ]"
t_true "a distance of 0" "[ \"$(column hand.tsv nearest q2) $(column hand.tsv neighbours q2)\" = '0 b0,b1,b2,b3' ]"
t_true "the further label votes on its own" "[ \"$(column hand.tsv batch q2) $(column hand.tsv batch_probability q2)\" = 'two 0.75' ]"
# q3 at 52: a4 and b0 at 48, then a3 and b1 at 49: two of each, A first by name
t_true "an even vote: the first label by name, 1 bit" "[ \"$(column hand.tsv best q3) $(column hand.tsv probability q3) $(column hand.tsv entropy q3) $(column hand.tsv relative_entropy q3)\" = 'A 0.5 1 1' ]"
t_true "its neighbours" "[ \"$(column hand.tsv neighbours q3)\" = a4,b0,a3,b1 ]"
t_near "two dimensions" "$(column hand.tsv mean_distance q4)" "$(awk 'BEGIN { print (2 + 2 * sqrt(5) + sqrt(8)) / 4 }')" 1e-5
ran "gaussian weights" grn-map $hand --label batch -o gauss.tsv query.csv
t_near "q2: distances 0 1 2 3, the first is of the other batch" "$(column gauss.tsv probability q2)" \
    "$(awk 'BEGIN { for (d = 1; d < 4; d++) s += exp(-d * d / 18); print s / (1 + s) }')" 1e-5
sed 's/a0,0,0/a0,0,1/' ref.csv >ref1.csv
ran "cosine: all on one line are alike" grn-map -q --as embedding --metric cosine --cells ref.tsv -k 4 --accuracy 0 --far 0 -r ref1.csv -o cos.tsv query.csv
t_true "of equal angles the first by name" "[ \"$(column cos.tsv neighbours q1)\" = a1,a2,a3,a4 ] && [ \"$(column cos.tsv mean_distance q1)\" = 0 ]"
t_near "45 degrees" "$(column cos.tsv nearest q4)" "$(awk 'BEGIN { print 1 - sqrt(0.5) }')" 1e-6
awk -F, 'BEGIN { OFS = "," } { print $1, $3, $2 }' query.csv >turned.csv
ran "dimensions in another order" grn-map $hand --label cell_type --label batch --weights uniform -o turned.tsv turned.csv
t_cmp "are matched by name" hand.tsv turned.tsv

# a simulated donor onto the others
grn-sim -q -n 900 -g 600 -t 24 --no-atac -o sim
for d in 1 2 3; do grn-view -q --no-pg -O zst --where donor=donor$d -o d$d.zst sim/counts.h5ad; done
grn-view merge -q --no-pg -o ref.zst d1.zst d2.zst
right() { awk -F'\t' -v want="$2" 'NR == FNR { t[$1] = $2; next } FNR > 1 && $want != "NA" { n++; r += ($want == t[$1]) } END { printf "%.4f\n", r / n }' sim/cells.tsv "$1"; }
called() { awk -F'\t' 'NR > 1 { n++; k += ($2 != "NA") } END { printf "%.4f\n", k / n }' "$1"; }
ran "another donor" grn-map -r ref.zst --leave-out-types --report report.tsv --curve curve.zst -o d3.tsv d3.zst
t_true "most cells are called ($(called d3.tsv)), nearly all of them right ($(right d3.tsv 2))" "awk 'BEGIN { exit !($(called d3.tsv) > 0.9 && $(right d3.tsv 2) > 0.98) }'"
t_true "the accuracy of held-out cells, with its baselines, is said" "grep -q 'held out in .* accuracy .* nearest centroid .* most frequent type' log"
t_true "most cells of a type the reference lacks abstain" "awk -F'\t' '\$1 == \"unseen\" { n += \$3; k += \$4 } END { exit !(n > 400 && k / n < 0.1) }' report.tsv"
t_true "every tenth of distance, every cut, every type, three methods" \
    "[ \$(cut -f 1 report.tsv | grep -c decile) = 10 ] && [ \$(cut -f 1 report.tsv | grep -c cut) = 21 ] && [ \$(cut -f 1 report.tsv | grep -c type) = 5 ] && [ \$(cut -f 1 report.tsv | grep -c method) = 3 ]"
t_true "tenths add up to the held-out and to the query cells" \
    "awk -F'\t' '\$1 == \"method\" && \$2 == \"neighbours\" { n = \$3 } \$1 == \"decile\" { h += \$3; q += \$13 } END { exit !(n > 500 && h == n && q == $(($(wc -l <d3.tsv) - 1))) }' report.tsv"
t_true "coverage falls and accuracy does not with the cut" \
    "awk -F'\t' '\$1 == \"cut\" { if (\$5 > last + 0 && n++) bad = 1; last = \$5 } END { exit bad }' report.tsv"
t_true "one cut is chosen, and certified" "awk -F'\t' '\$15 == \"chosen\" { n++; ok = (\$10 >= 0.95) } END { exit !(n == 1 && ok) }' report.tsv"
t_true "the query is as far as held-out cells are: no tenth holds more than a quarter" \
    "awk -F'\t' '\$1 == \"decile\" { q += \$13; if (\$13 > most) most = \$13 } END { exit !(most < q / 4) }' report.tsv"
if command -v gnuplot >/dev/null; then t_ok "the curve is drawn" grn-plot curve --x coverage --y accuracy -o curve.svg curve.zst; fi
ran "Euclidean, few components, all genes" grn-map -r ref.zst --metric euclidean --pcs 10 --genes 0 -o e.tsv d3.zst
t_true "works as well ($(called e.tsv), $(right e.tsv 2))" "awk 'BEGIN { exit !($(called e.tsv) > 0.9 && $(right e.tsv 2) > 0.98) }'"

# nothing depends on threads or on the order of cells and genes
grn-view -q --no-pg -O tsv -o d3.txt d3.zst
grn-view -q --no-pg -O tsv -o ref.txt ref.zst
turn() { awk -F'\t' 'BEGIN { OFS = "\t" } { s = $1; for (i = NF; i > 1; i--) s = s OFS $i; print s }' "$1" >t1; { head -n 1 t1; tail -n +2 t1 | sort -k 7,7n -k 1,1r; } >"$2"; }
turn d3.txt d3.turned.txt
turn ref.txt ref.turned.txt
for n in 1 2; do grn-map -q -@ $n --cells sim/cells.tsv --hold-out cell -r ref.txt --report r.$n.tsv -o t.$n.tsv d3.txt; done
t_cmp "the same rows for -@ 1 and 2" t.1.tsv t.2.tsv
t_cmp "the same report for -@ 1 and 2" r.1.tsv r.2.tsv
grn-map -q --cells sim/cells.tsv --hold-out cell -r ref.turned.txt --report r.3.tsv -o t.3.tsv d3.turned.txt
t_true "the same rows for shuffled cells and genes of both files" "[ -s t.3.tsv ] && [ \"\$(sort t.1.tsv)\" = \"\$(sort t.3.tsv)\" ]"
t_cmp "the same report" r.1.tsv r.3.tsv
ran "query from a pipe" bash -o pipefail -c "cat d3.zst | grn-map -q --hold-out cell --cells sim/cells.tsv -r ref.zst -o t.4.tsv -"
t_cmp "gives the same rows" t.1.tsv t.4.tsv

# whole donors are held out
ran "three donors" grn-map -r sim/counts.h5ad --keep-abstained -o all.tsv d3.zst
t_true "whole donors are held out, and cells found again are said" "grep -q 'folds of whole donors' log && grep -q 'query cells are named as reference cells' log"

# inherited bits
ran "bits" grn-map -r ref.zst -a sim/truth_activity.tensor.zst --save-activity mapped.zst --posterior --report bits.tsv -o m.tsv d3.zst
t_true "every regulon has its row: inherited, and the type's majority" "awk -F'\t' '\$1 == \"regulon\" { n++; if (\$6 != \"NA\" && \$14 != \"NA\") { m++; a += \$6; b += \$14 } } END { exit !(n > 10 && m > 5 && a / m > 0.6 && a > b) }' bits.tsv"
ran "the mapped bits are an activity file" grn-view -q --check mapped.zst
off=$(awk -F'\t' '$11 == 1 { print $1; exit }' m.tsv)
on=$(awk -F'\t' '$11 == 0 { print $1; exit }' m.tsv)
t_true "there are cells that abstain and cells that do not" "[ -n '$off' ] && [ -n '$on' ]"
ran "the network of a mapped cell" grn-view cell -q -a mapped.zst -e sim/truth.edges.zst "$on"
t_true "has edges" "[ \$(wc -l <out) -gt 5 ]"
grn-view -q -O tsv -o mapped.txt mapped.zst
t_true "a cell that abstains has the context unassigned and no bit" "awk -F'\t' '\$1 == \"$off\"' mapped.txt | grep -q unassigned && ! awk -F'\t' '\$1 == \"$off\"' mapped.txt | grep -qP '\t1(\t|\$)'"
ran "kept on request" grn-map -q -r ref.zst -a sim/truth_activity.tensor.zst --save-activity kept.zst --keep-abstained -o k.tsv d3.zst
t_true "with a type and marked all the same" "[ \"\$(column k.tsv cell_type $off)\" = \"\$(column m.tsv best $off)\" ] && [ \"\$(column k.tsv abstain $off)\" = 1 ]"
t_true "no context is unassigned" "! grn-view -q -O tsv kept.zst | grep -q unassigned"
for n in 1 2; do grn-map -q --no-pg -@ $n -r ref.zst -a sim/truth_activity.tensor.zst --save-activity a.$n.zst --posterior -o x.tsv d3.zst; done
t_cmp "the same bits for -@ 1 and 2" a.1.zst a.2.zst

# the activity scores of regulons are a space as well
for f in ref d3; do grn-aucell -q -r sim/truth.edges.zst -o auc.$f.zst $f.zst; done
ran "scores as an embedding" grn-map -r auc.ref.zst -o auc.tsv auc.d3.zst
t_true "are taken for one" "grep -q 'embedding of 2[0-9]* dimensions' log"
t_true "and tell types ($(right auc.tsv 3))" "awk 'BEGIN { exit !($(right auc.tsv 3) > 0.8) }'"

# cells that have nothing to do with the reference
grn-sim -q -n 100 -g 600 -t 24 --seed 9 --no-atac -o other
t_exit 3 "grn-map*all 100 query cells abstain*" "cells of another simulation all abstain" grn-map -r ref.zst -o far.tsv other/counts.h5ad
t_true "for being far, and the table tells so" "[ \$(awk -F'\t' '\$12 == \"far\"' far.tsv | wc -l) -gt 60 ]"
awk -F'\t' 'BEGIN { OFS = "\t" } NR == 2 { for (i = 2; i <= NF; i++) $i = 0 } { print }' d3.txt >empty.txt
ran "a cell without counts" grn-map -r ref.zst -o n.tsv empty.txt
t_true "abstains for that" "[ \"\$(column n.tsv reason $(sed -n '2s/\t.*//p' empty.txt))\" = no_counts ] && grep -q '1 without counts' log"
t_true "small references certify nothing, and it is said" "grn-map --as embedding --cells ref.tsv --metric euclidean -k 4 -r ref.csv -o s.tsv query.csv 2>&1 | grep -q 'no cut certifies'"

# real cells: a third of PBMC 3k onto the rest
if t_data rna/pbmc3k; then
    p=$GRN_DATA/rna/pbmc3k
    awk -F'\t' 'NR > 1 { print $1 > (NR % 3 ? "pr.txt" : "pq.txt") }' "$p/cell_types.tsv"
    for s in pr pq; do grn-view -q --no-pg --cells "$p/cell_types.tsv" --cell @$s.txt -O zst -o $s.zst "$p/filtered"; done
    ran "PBMC" grn-map -r pr.zst -o pbmc.tsv pq.zst
    awk -F'\t' 'NR == FNR { t[$1] = $2; next } FNR > 1 && t[$1] != "NA" { n++; r += ($3 == t[$1]); if ($2 != "NA") { k++; kr += ($2 == t[$1]) } }
        END { print r / n, k / n, kr / k }' "$p/cell_types.tsv" pbmc.tsv >got
    t_true "accuracy of all, share called, accuracy of these: $(cat got)" "awk '{ exit !(\$1 > 0.9 && \$2 > 0.7 && \$3 > 0.95) }' got"
fi
if t_data rna/format_inputs/h5ad/scanpy_pbmc68k_reduced_new.h5ad; then
    f=$GRN_DATA/rna/format_inputs/h5ad/scanpy_pbmc68k_reduced_new.h5ad
    ran "obsm of a scanpy file onto itself" grn-map -r "$f" --layer obsm/X_pca --keep-abstained -o own.tsv "$f"
    t_true "every cell is its own nearest" "awk -F'\t' 'NR > 1 { split(\$NF, n, \",\"); bad += (n[1] != \$1 || \$7 != 0) } END { exit bad > 0 || NR < 700 }' own.tsv"
fi
