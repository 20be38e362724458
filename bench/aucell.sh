#!/usr/bin/env bash
# Speed of grn-aucell on simulated cells, beside decompression of the input and, with PYTHON (an interpreter that has pyscenic, ctxcore,
# decoupler and anndata), beside pySCENIC and decoupler. usage: bench/aucell.sh [DIR [PYTHON]]
# CELLS, GENES, SETS: size of the first part [10000 18984 400]; LARGE: cells of the second, 500 sets [100000]; REGIONS, TOPICS: of the
# third [200000 40]. Needs a built tree and zstd; 3 GB of disk.
set -eu
cd "$(dirname "$0")/.."
dir=${1:-$(mktemp -d)} python=${2:-}
cells=${CELLS:-10000} genes=${GENES:-18984} sets=${SETS:-400} large=${LARGE:-100000} regions=${REGIONS:-200000} topics=${TOPICS:-40}
mkdir -p "$dir/counts" "$dir/large" "$dir/regions"
PATH=$PWD/bin:$PATH
build=$(dirname "$(readlink -f bin)")
libs="$(pkg-config --libs htslib hdf5 openblas gsl libzstd jansson libxxhash zlib libdeflate) -ldl -lm -pthread"
objects=$(printf "$build/tools/grn-aucell/%s.o " sets signatures score cellrank aucell_kernel_base aucell_kernel_avx2 aucell_kernel_avx512)
# shellcheck disable=SC2086
{
    ${CC:-gcc} -O2 -std=c11 -D_GNU_SOURCE -Ilib -o "$dir/cells" bench/aucell_cells.c "$build/libgrn.a" $libs
    ${CC:-gcc} -O2 -std=c11 -D_GNU_SOURCE -Ilib -Itools -o "$dir/parts" bench/aucell_parts.c $objects "$build/libgrn.a" $libs
}
timed() { # NAME COMMAND...
    local name=$1
    shift
    /usr/bin/time -f "$name: %e s wall, %U + %S s CPU, %M KB" "$@" 2>"$dir/log" >/dev/null || { cat "$dir/log"; exit 1; }
    tail -n 1 "$dir/log"
}

[ -e "$dir/counts/counts.tensor.zst" ] || "$dir/cells" counts "$dir/counts" "$cells" "$genes" "$sets"
in=$dir/counts/counts.tensor.zst gmt=$dir/counts/sets.gmt
echo "$cells cells x $genes genes x $sets sets; $(grn-view -q -H "$in" | grep ^values)"
cat "$in" >/dev/null
for i in 1 2 3; do
    timed "zstd -dc" zstd -dqc "$in"
    timed "grn-aucell -@ 1" grn-aucell -q -@ 1 -r "$gmt" -o "$dir/out1.zst" "$in"
    timed "grn-aucell -@ 2" grn-aucell -q -@ 2 -r "$gmt" -o "$dir/out2.zst" "$in"
    "$dir/parts" "$in" "$gmt" 1 "$dir/out3.zst"
    "$dir/parts" "$in" "$gmt" 2 "$dir/out3.zst"
done
if [ -n "$python" ]; then
    grn-view -q -O h5ad -o "$dir/counts/counts.h5ad" "$in"
    for peer in decoupler pyscenic; do "$python" -W ignore bench/aucell_peers.py "$dir/counts/counts.h5ad" "$gmt" $peer 1 2>/dev/null; done
fi
[ "$large" = 0 ] || {
    [ -e "$dir/large/counts.tensor.zst" ] || "$dir/cells" counts "$dir/large" "$large" "$genes" 500
    echo "$large cells x $genes genes x 500 sets"
    timed "zstd -dc" zstd -dqc "$dir/large/counts.tensor.zst"
    timed "grn-aucell -@ 2" grn-aucell -q -@ 2 -r "$dir/large/sets.gmt" -o "$dir/large/out.zst" "$dir/large/counts.tensor.zst"
    "$dir/parts" "$dir/large/counts.tensor.zst" "$dir/large/sets.gmt" 2 "$dir/large/out.zst"
}
[ "$regions" = 0 ] || {
    [ -e "$dir/regions/topics.tensor.zst" ] || "$dir/cells" lowrank "$dir/regions" "$cells" "$regions" "$sets" "$topics"
    echo "$cells cells x $regions regions x $topics topics, $sets sets of regions"
    for n in 1 2; do timed "grn-aucell -@ $n" grn-aucell -q -@ $n -r "$dir/regions/sets.gmt" -o "$dir/regions/out.zst" "$dir/regions/topics.tensor.zst"; done
}
