#!/usr/bin/env bash
# grn-build dar on a simulated multiome: precision and recall against the regions planted as more open in a type, beside the same
# run on shuffled labels. usage: bench/dar_sim.sh [CELLS [REGIONS [SEED]]]. Needs a built tree (make).
# Truth (grn-sim's truth_open.tsv, shares of a cell's fragments in regions, mean over the states of a type's cells): a region is
# open in a type when its share there is at least 1.5 times that of all other cells (types weighted by their cells).
# Shuffled: labels permuted among the cells of a donor (order of a checksum of the barcode), so that nothing is left to find.
set -euo pipefail
cd "$(dirname "$0")/.."
cells=${1:-3000} regions=${2:-6000} seed=${3:-1}
export PATH="$PWD/bin:$PATH" LC_ALL=C
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
grn-sim -q -n "$cells" --types 5 --donors 4 --regions "$regions" --seed "$seed" --no-genome -o "$dir/sim"
cd "$dir"
grn-build count -q -r sim/regions.bed -b sim/cells.tsv sim/fragments.tsv.gz -o counts.tensor.zst
# labels in another order within each donor
tail -n +2 sim/cells.tsv | while IFS=$'\t' read -r b t d; do echo "$d $(cksum <<<"$b" | cut -d' ' -f1) $b $t"; done >keyed
sort -k1,1 -k2,2n keyed | awk '{ print $1, $3 }' >who
sort -k1,1 -k3,3 keyed | awk '{ print $4 }' | paste -d' ' who - |
    awk 'BEGIN { print "barcode\tcell_type\tdonor" } { print $2 "\t" $3 "\t" $1 }' >shuffled.tsv
awk -F'\t' 'NR == FNR { if (FNR > 1) n[$2]++; next }
    FNR == 1 { for (j = 3; j <= NF; j++) type[j] = $j; next }
    { for (j = 3; j <= NF; j++) { s = m = 0; for (k = 3; k <= NF; k++) if (k != j) { s += $k * n[type[k]]; m += n[type[k]] }
        if ($j >= 1.5 * s / m) print type[j] "_vs_rest\t" $1 } }' sim/cells.tsv sim/truth_open.tsv | sort >truth
total=$(($(wc -l <sim/regions.bed) * 5))
echo "$cells cells, $(wc -l <sim/regions.bed) regions, 5 types, 4 donors, seed $seed; $(wc -l <truth) of $total (type, region) pairs are open: $(
    awk -v a="$(wc -l <truth)" -v b=$total 'BEGIN { printf "%.3f", a / b }')"
echo "| input | test | labels | called | precision | recall |"
echo "|---|---|---|---|---|---|"
score() { # INPUT TEST LABELS FILE ARGS...
    local name=$1 test=$2 labels=$3 file=$4 rc=0 kind=true
    shift 4
    [ "$labels" = shuffled.tsv ] && kind=shuffled
    grn-build dar -q --no-pg -t "$test" --cells "$labels" "$@" "$file" -o dar.tsv 2>log || rc=$?
    [ $rc = 0 ] || [ $rc = 3 ] || { cat log; exit 1; }
    tail -n +2 dar.tsv | cut -f1,2 | sort >called
    comm -12 called truth | wc -l | awk -v c="$(wc -l <called)" -v t="$(wc -l <truth)" -v n="| $name | $test | $kind |" \
        '{ printf "%s %d | %s | %.3f |\n", n, c, c ? sprintf("%.3f", $1 / c) : "-", $1 / t }'
}
for test in wilcoxon pseudobulk; do
    score counts $test sim/cells.tsv counts.tensor.zst
    score counts $test shuffled.tsv counts.tensor.zst
done
if grn-build topics --help >help 2>&1; then # the model is made without labels: shuffled labels meet the same accessibility
    grn-build topics -q counts.tensor.zst -o topics.tensor.zst
    for test in wilcoxon pseudobulk; do
        score topics $test sim/cells.tsv topics.tensor.zst
        score topics $test shuffled.tsv topics.tensor.zst
    done
fi
