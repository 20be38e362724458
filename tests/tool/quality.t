# grn-eval regulons: correlations of regulons with their TFs over pseudobulks, against plain sums
# 120 cells of 2 types, TFs T1 and T2; the regions of T1 follow T1, those of T2 follow nothing
awk 'BEGIN {
    srand(7); print "barcode,T1,T2,G1,G2" > "counts.csv"; print "barcode,T1(+),T2(+)" > "region.csv"; print "barcode,T1(+),T2(+)" > "gene.csv"
    print "barcode\tcell_type" > "cells.tsv"
    for (i = 1; i <= 120; i++) {
        t = i % 3 == 0; a = int(rand() * 6) + 4 * t; b = int(rand() * 6)
        printf "c%03d,%d,%d,%d,%d\n", i, a, b, 20 + int(rand() * 9), 1 > "counts.csv"
        printf "c%03d,%.4f,%.4f\n", i, 0.02 * a + 0.03 * rand(), 0.3 * rand() > "region.csv"
        printf "c%03d,%.4f,%.4f\n", i, 0.02 * a + 0.1 * rand(), 0.01 * b + 0.02 * rand() > "gene.csv"
        printf "c%03d\t%s\n", i, t ? "B" : "A" > "cells.tsv"
    }
}'
for f in region gene; do grn-view -q --from counts --orient cells -O zst -o $f.zst $f.csv; done
printf 'T1,G1,+\nT2,G2,+\n' | sed '1iGene1,Gene2,Type' >net.csv
grn-view import -q --from network -o r.zst net.csv
run() { grn-eval regulons -q -r r.zst --cells cells.tsv --orient cells "$@"; }
value() { awk -F'\t' -v r="$2" -v c="$3" 'NR == 1 { for (i = 1; i <= NF; i++) k[$i] = i; next } $k["regulon"] == r { print $k[c] }' "$1"; }
t_ok "every cell its own pseudobulk" run -g gene.zst -a region.zst --size 1 counts.csv
cp out one.tsv
# Pearson of ln(1 + 10,000 x / total) of column `x` of the counts with column `y` of FILE; within: less the means of the types
plain() { awk -F'[,\t]' -v y="$2" -v x="$3" -v within="$4" '
    FNR == 1 { f++; next }
    f == 1 { type[$1] = $2; next }
    f == 2 { t = $2 + $3 + $4 + $5; e[$1] = log(1 + 10000 * $x / t); next }
    { k = within ? type[$1] : 0; n[k]++; mx[k] += e[$1]; my[k] += $y; v[$1] = $y }
    END { for (c in v) { k = within ? type[c] : 0; a = e[c] - mx[k] / n[k]; b = v[c] - my[k] / n[k]; xx += a * a; yy += b * b; xy += a * b }
          print xy / sqrt(xx * yy) }' cells.tsv counts.csv "$1"; }
t_near "TF with its regions" "$(value one.tsv 'T1(+)' rho_tf_region)" "$(plain region.csv 2 2 0)" 0.00001
t_near "and within types" "$(value one.tsv 'T1(+)' region_within_types)" "$(plain region.csv 2 2 1)" 0.00001
t_near "a TF with its genes" "$(value one.tsv 'T2(+)' rho_tf_gene)" "$(plain gene.csv 3 3 0)" 0.00001
t_true "the regions of T1 follow it, those of T2 do not" '
    [ "$(value one.tsv "T1(+)" region_tf_place)" = 1 ] && awk -v lo="$(value one.tsv "T1(+)" region_lo)" -v r="$(value one.tsv "T2(+)" rho_tf_region)" "BEGIN { exit !(lo > 0.5 && r * r < lo * lo / 2) }"'
t_true "the interval holds rho" 'awk -v r="$(value one.tsv "T1(+)" rho_tf_region)" -v a="$(value one.tsv "T1(+)" region_lo)" -v b="$(value one.tsv "T1(+)" region_hi)" "BEGIN { exit !(a < r && r < b && b - a < 0.4) }"'
t_ok "pseudobulks of eight" run -g gene.zst -a region.zst --size 8 --min-rho 0.6 --keep kept.txt counts.csv
cp out eight.tsv
t_true "noise averages out" 'awk -v a="$(value eight.tsv "T1(+)" rho_tf_region)" -v b="$(value one.tsv "T1(+)" rho_tf_region)" "BEGIN { exit !(a > b) }"'
t_out "those that pass" "T1(+)" cat kept.txt
{ head -n 1 counts.csv; tail -n +2 counts.csv | sort -t, -k3,3n -k2,2n; } >shuffled.csv
{ head -n 1 region.csv; tail -n +2 region.csv | sort -t, -k2,2n; } >shuffled_region.csv
grn-view -q --from counts --orient cells -O zst -o shuffled.zst shuffled_region.csv
t_ok "shuffled cells" run -g gene.zst -a shuffled.zst --size 8 -@ 1 shuffled.csv
t_cmp "same table" out eight.tsv
t_ok "genes alone" run -g gene.zst --size 8 counts.csv
t_true "no values of regions" '[ "$(value out "T1(+)" rho_tf_region)" = NA ] && [ "$(value out "T1(+)" rho_tf_gene)" = "$(value eight.tsv "T1(+)" rho_tf_gene)" ]'
t_exit 2 "grn-eval*--gene-auc*" "no activity" run counts.csv
t_exit 1 "grn-eval*no cell types*" "no types" grn-eval regulons -r r.zst -g gene.zst --orient cells counts.csv
t_exit 3 "grn-eval*pseudobulks are too few*--size*" "too few" run -g gene.zst --size 60 counts.csv
sed '1s/T1(+)/X(+)/; 1s/T2(+)/Y(+)/' gene.csv >other.csv; grn-view -q --from counts --orient cells -O zst -o other.zst other.csv
t_exit 1 "grn-eval*none of 2 regulons is in 'other.zst'*T1(+) vs X(+)*" "other regulons" run -g other.zst counts.csv
sed 's/^c/d/' gene.csv >cells2.csv; grn-view -q --from counts --orient cells -O zst -o cells2.zst cells2.csv
t_exit 1 "grn-eval*none of 120 cells*" "other cells" run -g cells2.zst counts.csv
head -c 500 gene.zst >cut.zst
t_exit 1 "grn-eval*cut.zst*" "cut file" run -g cut.zst counts.csv
