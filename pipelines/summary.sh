#!/usr/bin/env bash
# What the demo recovered, from the tables of an output folder. usage: pipelines/summary.sh OUT
set -eu
out=$1
column() { # FILE HEADER: its position
    head -n 1 "$1" | tr '\t' '\n' | grep -nxF "$2" | cut -d: -f1
}
echo
echo "== what was recovered of the planted GRN"
t=$out/network.tsv
if [ -s "$t" ]; then
    awk -F'\t' -v m="$(column "$t" method)" -v d="$(column "$t" density)" -v a="$(column "$t" auprc)" -v l="$(column "$t" auprc_lo)" -v h="$(column "$t" auprc_hi)" \
        -v e="$(column "$t" epr)" 'NR == 2 { printf "TF -> gene edges, AUPRC (density, i.e. chance: %.4f)\n", $d }
        NR > 1 { printf "  %-24s %.4f  [%.4f, %.4f]  early precision ratio %.2f\n", $m, $a, $l, $h, $e }' "$t"
fi
t=$out/activity.tsv
if [ -s "$t" ]; then
    awk -F'\t' -v c="$(column "$t" auroc)" -v b="$(column "$t" tf_expression_auroc)" 'NR > 1 { n++; s += $c; g += $c >= 0.9; if ($b != "NA") { k++; q += $b } }
        END { printf "regulon on/off within cell types: mean AUROC %.3f over %d (type, regulon) pairs, %d of them >= 0.9; the TF'"'"'s own expression: %.3f\n", s / n, n, g, k ? q / k : 0 }' "$t"
fi
t=$out/masked.tsv
if [ -s "$t" ]; then
    echo "held-out masked expression, mean squared error of bins (95 % interval)"
    awk -F'\t' -v m="$(column "$t" method)" -v v="$(column "$t" mse)" -v l="$(column "$t" lo)" -v h="$(column "$t" hi)" \
        'NR > 1 { printf "  %-24s %.4f  [%.4f, %.4f]\n", $m, $v, $l, $h }' "$t"
fi
echo "report: $(cd "$out" && pwd)/report.html"
