#!/usr/bin/env bash
# Co-expression links of cells of the shape of SEA-AD (bench/cells_scale.sh): CPU time, memory, and how many links join genes of one regulon.
# usage: bench/coexpr.sh DIR [CELLS [METHODS]]   DIR/counts.tensor.zst is made unless it is there; 113,209 cells by default
# Each row is one run of grn-coexpr links: options, CPU seconds, peak MB, links, share of them whose two genes are in one regulon, and the
# share of all pairs of genes that are. grn-coexpr and grn-view are taken from PATH, else from bin/.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
export PATH=$PATH:$here/bin
dir=${1:?usage: coexpr.sh DIR [CELLS]}
cells=${2:-113209}
[ -e "$dir/counts.tensor.zst" ] || "$here/bench/cells_scale.sh" "$dir" -n "$cells"

together() { # links as TSV: tf, gene, ... -> share of them within a regulon
    awk -F'\t' 'NR == FNR { for (k = 3; k <= NF; k++) of[$k] = of[$k] " " NR; next }
        /^#/ || $2 == "tf" { next }
        { n++; m = split(of[$2], a, " "); b = of[$3] " "; hit = 0
          for (k = 1; k <= m; k++) if (index(b, " " a[k] " ")) hit = 1
          both += hit }
        END { printf "%.4f", n ? both / n : 0 }' "$dir/regulons.gmt" -
}
chance() { # the same of 200,000 random pairs of the genes that the last links are of, as those
    grn-view "$dir/coexpr.edges.zst" 2>/dev/null | awk -F'\t' '/^#/ || $2 == "tf" { next } !($2 in at) { at[$2]; gene[n++] = $2 }
        END { srand(1); for (k = 0; k < 200000; k++) { i = int(n * rand()); j = int(n * rand()); if (i != j) print "x\t" gene[i] "\t" gene[j] } }' | together
}
row() {
    local err=$dir/coexpr.log out=$dir/coexpr.edges.zst
    /usr/bin/time -o "$dir/coexpr.time" -f '%U %S %M' grn-coexpr links "$@" -o "$out" "$dir/counts.tensor.zst" 2>"$err" || { cat "$err" >&2; return 1; }
    read -r user sys kb <"$dir/coexpr.time"
    echo "| $* | $(awk -v u="$user" -v s="$sys" 'BEGIN { printf "%.1f", u + s }') | $((kb / 1024)) | $(sed -n 's/.* \([0-9]*\) links, median.*/\1/p' "$err" |
        awk '{ n += $1 } END { print n + 0 }') | $(grn-view "$out" 2>/dev/null | together) |"
}
echo "| options | CPU s | peak MB | links | in one regulon |"
echo "|---|---|---|---|---|"
row -m clique
for m in ${3:-pearson spearman rho_p pmi}; do row -m "$m"; done
row --mutual-rank 100
row --residualise donor,log_total
row --by all
row --by all --residualise cell_type,donor,log_total
row --by all --max-mem 1400M
echo
echo "all pairs of genes that are in one regulon: $(chance)"
