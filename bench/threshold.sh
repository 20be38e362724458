#!/usr/bin/env bash
# grn-threshold at 10,000 cells x 2,000 regulons: CPU seconds by command, and its fits beside those of sklearn.mixture.GaussianMixture in the
# same run. usage: bench/threshold.sh [ROUNDS=5]   needs a built tree and python3 with scikit-learn
set -eu
cd "$(dirname "$0")/.."
rounds=${1:-5}
PATH=$PWD/bin:$PATH
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
grn-sim -q --no-atac -n 10000 -g 3000 -k 5 -o "$dir/sim"
# sets of 40 genes drawn by a linear congruence, the same everywhere
awk -F'gene_name "' '$0 ~ /\tgene\t/ { split($2, a, "\""); print a[1] }' "$dir/sim/genes.gtf" >"$dir/genes"
awk '{ gene[NR - 1] = $1 } END { x = 1
    for (s = 0; s < 2000; s++) { printf "set%04d\tx", s; split("", used)
        for (k = 0; k < 40;) { x = (x * 16807) % 2147483647; g = int(x / 2147483647 * NR); if (!(g in used)) { used[g]; printf "\t%s", gene[g]; k++ } }
        print "" } }' "$dir/genes" >"$dir/sets.gmt"
grn-aucell -q -r "$dir/sets.gmt" "$dir/sim/counts.h5ad" -o "$dir/auc.zst"
for command in "--by all" "" "--method scenic" "--method aucell-r" "--method otsu"; do
    for round in $(seq "$rounds"); do
        # shellcheck disable=SC2086
        /usr/bin/time -f '%U %S %M' grn-threshold -q $command -o "$dir/active.zst" "$dir/auc.zst" 2>>"$dir/time.$round"
    done
    cat "$dir"/time.* | awk '{ print $1 + $2, $3 }' | sort -n | awk -v c="grn-threshold $command" '{ t[NR] = $1; m = $2 }
        END { printf "%-34s %.2f CPU s (median of %d), %.2f GB\n", c, t[int((NR + 1) / 2)], NR, m / 1e6 }'
    rm "$dir"/time.*
done
python3 bench/threshold_sklearn.py "$dir/auc.zst" "$rounds"
