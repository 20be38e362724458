#!/usr/bin/env bash
# Motif enrichment at the size of the largest databases: time and memory of rank and enrich on simulated scores.
# usage: bench/enrich.sh [MOTIFS=10000] [REGIONS=1000000] [SETS=20] [SET_SIZE=5000]   needs a built tree; 10,000 x 1,000,000 takes some
# 12 GB of TMPDIR
set -eu
cd "$(dirname "$0")/.."
motifs=${1:-10000} regions=${2:-1000000} sets=${3:-20} size=${4:-5000}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
build=$(dirname "$(dirname "$(readlink -f bin/grn-build)")")
# shellcheck disable=SC2046
${CC:-gcc} -O2 -std=c11 -D_GNU_SOURCE -Ilib -o "$dir/simulate" bench/enrich.c "$build/libgrn.a" \
    $(pkg-config --libs htslib hdf5 openblas gsl libzstd jansson libxxhash zlib libdeflate) -ldl -lm -pthread
TIMEFORMAT='simulating: %R s'
time "$dir/simulate" "$dir" "$motifs" "$regions" "$sets" "$size"
echo "$motifs motifs x $regions regions, $(stat -c %s "$dir/scores.tensor.zst") bytes; $sets sets of $size"
run() { /usr/bin/time -f '%e s wall, %U + %S s CPU, %M kB' "$@" 2>&1 | tail -n 4; }
awk -v n="$motifs" 'BEGIN { for (i = 0; i < n; i += 10) printf "M%d\tTF%d\n", i, i / 10 }' >"$dir/m2t.tsv"
echo "enrich, cisTarget and DEM from scores:"
run bin/grn-build enrich -s "$dir/scores.tensor.zst" --motif2tf "$dir/m2t.tsv" -o "$dir/e" "$dir/sets"
echo "recovered: $(awk -F'\t' '/^#/ { next } $2 == "cistarget" { m = substr($3, 2); n++; ok += m % 10 == 0 && int(m / 10) % '"$sets"' == $1 } END { print ok + 0, "of", n + 0, "enriched pairs of cisTarget are planted ones" }' "$dir/e/enriched.tsv")" \
    "($((motifs / 10)) planted)"
