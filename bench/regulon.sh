#!/usr/bin/env bash
# eRegulons at the size of a whole data set: time and memory of grn-build regulon --preset scenicplus on simulated links.
# usage: bench/regulon.sh [TFS=1000] [GENES=15000] [REGIONS=190000] [PAIRS=1200000] [LINKS_PER_TF=6000]   needs a built tree
set -eu
cd "$(dirname "$0")/.."
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
build=$(dirname "$(dirname "$(readlink -f bin/grn-build)")")
# shellcheck disable=SC2046
${CC:-gcc} -O2 -std=c11 -D_GNU_SOURCE -Ilib -o "$dir/simulate" bench/regulon.c "$build/libgrn.a" \
    $(pkg-config --libs htslib hdf5 openblas gsl libzstd jansson libxxhash zlib libdeflate) -ldl -lm -pthread
"$dir/simulate" "$dir" "${1:-1000}" "${2:-15000}" "${3:-190000}" "${4:-1200000}" "${5:-6000}"
for threads in 1 2; do
    /usr/bin/time -f "-@ $threads: %e s wall, %U + %S s CPU, %M kB" bin/grn-build regulon --no-pg -x scenicplus --all-signs -@ "$threads" \
        -t "$dir/tg.edges.zst" -r "$dir/rg.edges.zst" --cistromes "$dir/cistromes.edges.zst" -o "$dir/e$threads.edges.zst" "$dir/rna.tsv"
done
cmp "$dir/e1.edges.zst" "$dir/e2.edges.zst" && echo "the same bytes"
