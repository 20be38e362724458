#!/usr/bin/env bash
# grn-build scan, rank, dar and enrich on a simulated multiome: TF -> region edges of each cell type against the planted ones, beside plain
# motif sites. usage: bench/enrich_sim.sh [CELLS [REGIONS [TFS [SEED]]]]. Needs a built tree (make).
# Truth: (type, TF, region) of the planted network that are active in the type. Called: a region that is more open in the type than in the
# others (dar) and a hit of an enriched motif of the TF. Sites: the same regions with any site of the TF at p <= 1e-4, enriched or not.
# Recall is over the planted ones whose region dar finds, and over all.
set -euo pipefail
cd "$(dirname "$0")/.."
cells=${1:-3000} regions=${2:-6000} tfs=${3:-40} seed=${4:-1}
export PATH="$PWD/bin:$PATH" LC_ALL=C
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
grn-sim -q -n "$cells" --types 5 --donors 4 --regions "$regions" --tfs "$tfs" --seed "$seed" -o "$dir/sim"
cd "$dir"
grn-build count -q -r sim/regions.bed -b sim/cells.tsv sim/fragments.tsv.gz -o counts.tensor.zst
grn-build dar -q --cells sim/cells.tsv counts.tensor.zst -o dar.tsv -b beds
# twenty decoys of each motif, its columns in another order: a database holds mostly motifs that mean nothing here
awk -v seed="$seed" 'BEGIN { srand(seed) }
    /^>/ { name = substr($1, 2); n = 0; next }
    { gsub(/[][]/, " "); base[++n] = $1; w = NF - 1; for (i = 2; i <= NF; i++) v[n, i - 1] = $i }
    n == 4 { for (d = 1; d <= 20; d++) { for (i = 1; i <= w; i++) o[i] = i; for (i = w; i > 1; i--) { j = 1 + int(rand() * i); t = o[i]; o[i] = o[j]; o[j] = t }
        print ">decoy" d "." name; for (b = 1; b <= 4; b++) { l = base[b] " ["; for (i = 1; i <= w; i++) l = l " " v[b, o[i]]; print l " ]" } } }' sim/motifs.jaspar >decoys.jaspar
grn-build scan -q --scorer cbust -m sim/motifs.jaspar -m decoys.jaspar -g sim/genome.fa -r sim/regions.bed -o scores.tensor.zst
grn-build scan -q -m sim/motifs.jaspar -g sim/genome.fa -r sim/regions.bed -o sites.tensor.zst
grn-view -q -O tsv sim/truth.edges.zst | awk -F'\t' 'NR > 1 { print $1 "\t" $3 "\t" $4 }' | sort -u >truth
for f in beds/*_vs_rest.bed; do awk -v t="$(basename "$f" _vs_rest.bed)" '{ print t "\t" $1 ":" $2 "-" $3 }' "$f"; done | sort >open
awk -F'\t' 'NR == FNR { o[$1, $2]; next } ($1, $3) in o' open truth >reachable
echo "$cells cells, $(wc -l <sim/regions.bed) regions, $tfs TFs ($(wc -l <sim/motif2tf.tsv | awk '{ print $1 - 1 }') motifs, 20 decoys of each), seed $seed; $(wc -l <truth) planted (type, TF, region), $(wc -l <reachable) in regions that dar finds"
score() { # NAME FILE
    sort -u "$2" >called
    comm -12 called truth | wc -l | awk -v n="$1" -v c="$(wc -l <called)" -v t="$(wc -l <truth)" -v r="$(wc -l <reachable)" \
        '{ printf "| %s | %d | %.3f | %.3f | %.3f |\n", n, c, c ? $1 / c : 0, $1 / r, $1 / t }'
}
echo "| edges | called | precision | recall in open regions | recall of all |"
echo "|---|---|---|---|---|"
grn-view -q -O long sites.tensor.zst | awk -F'\t' 'FILENAME == ARGV[1] { if (FNR > 1) tf[$1] = $2; next } FILENAME == ARGV[2] { o[$2] = o[$2] " " $1; next }
    $2 in tf { n = split(o[$1], t, " "); for (i = 1; i <= n; i++) print t[i] "\t" tf[$2] "\t" $1 }' sim/motif2tf.tsv open - >sites
score "sites in open regions" sites
for method in cistarget dem both; do
    rc=0
    grn-build enrich -q -s scores.tensor.zst --method $method --auc-threshold 0.02 --motif2tf sim/motif2tf.tsv -o e.$method beds || rc=$?
    [ $rc = 0 ] || [ $rc = 3 ] || exit 1
    grn-view -q -O tsv e.$method/cistromes.edges.zst | awk -F'\t' 'NR == 1 { for (i = 1; i <= NF; i++) c[$i] = i; next } { sub(/_vs_rest$/, "", $1); print $1 "\t" $(c["tf"]) "\t" $(c["region"]) }' >edges
    score "enrich --method $method" edges
done
