#!/usr/bin/env bash
# What co-expression perturbation adds on PBMC 3k: isolated genes that get a link, and how often added pairs are near each other in GO or targets of a
# common TF (CollecTRI), beside random pairs and pairs of genes as often detected.
# usage: GRN_DATA=... bench/perturbed.sh. Needs a built tree (make) and python3 with numpy (for the GO graph; left out without).
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/bin:$PATH" LC_ALL=C
data=$(cd "${GRN_DATA:?}" && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
counts=$data/rna/pbmc3k/filtered types=$data/rna/pbmc3k/cell_types.tsv tfs=$data/rna/tf_lists/pySCENIC_lambert2018.txt
grn-build link -q --cells "$types" -M pearson -f "$tfs" -t links.zst "$counts"
grn-build regulon -q --rna-only --cells "$types" -t links.zst -o regulons.zst "$counts"
grn-aucell -q -r regulons.zst --cells "$types" "$counts" | grn-threshold -q - -o active.zst
zcat "$data/rna/prior_networks/collectri.tsv.gz" >collectri.tsv
grn-view import -q -o collectri.zst collectri.tsv
grn-view -q -O gmt collectri.zst >collectri.gmt
links=()
# each gene and the 20 whose GO terms are most like its own (Jaccard)
if python3 - "$data/downstream/GEARS_graph/go_graph.npz" >go.tsv <<'PY'; then grn-view import -q -o go.zst go.tsv && links=(--links go.zst); fi
import sys
try:
    import numpy
except ImportError:
    sys.exit("numpy is not there: no GO graph")
f = numpy.load(sys.argv[1], allow_pickle=True)
genes, edges = f["genes"], f["edge_index"].T
print("TF\ttarget")
for u, v in edges:
    if u != v:
        print(genes[u], genes[v], sep="\t")
PY
for perturb in coexpr random; do
    printf '\n--perturb %s\n\n| statistic | graph | value | interval | against | expected | ratio | interval |\n|---|---|---|---|---|---|---|---|\n' $perturb
    /usr/bin/time -f '%U s CPU, %M KB' grn-coexpr perturb -q --cells "$types" --tokens 1200 --perturb $perturb -e regulons.zst -a active.zst --terms collectri.gmt "${links[@]}" \
        --stats $perturb.tsv "$counts" 2>time
    awk -F'\t' '$2 == "*" && $4 ~ /^(arcs|added|came_back|duplicate|isolated|isolated_visible|joined|joined_visible|cut_off|share_same_term|share_same_term_of_annotated|share_linked)$/ {
        printf "| %s | %s | %.4g | %.4g-%.4g | %s |", $4, $1, $5, $6, $7, $8
        if ($9 == "NA") print " | | |"; else printf " %.4g | %.3g | %.3g-%.3g |\n", $9, $10, $11, $12 }' $perturb.tsv | sort -t'|' -s -k3,3
    echo
    tail -n 1 time
done
