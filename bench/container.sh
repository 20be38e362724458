#!/usr/bin/env bash
# Reading a container against `zstd -d` with equal threads, and random access. usage: bench/container.sh [MB [RUNS]]
# Prints medians of interleaved runs, their ratio, and what one block of rows costs. Needs a built tree (make) and zstd.
set -eu
cd "$(dirname "$0")/.."
mb=${1:-1000} runs=${2:-7}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
lib=$(dirname "$(readlink -f bin)")/libgrn.a
# shellcheck disable=SC2046
${CC:-gcc} -O2 -std=c11 -D_GNU_SOURCE -Ilib -o "$dir/container" bench/container.c "$lib" \
    $(pkg-config --libs htslib hdf5 openblas gsl libzstd jansson libxxhash zlib libdeflate) -ldl -lm -pthread
f=$dir/x.tensor.zst
echo "write, 2 threads: $("$dir/container" "write:$mb" "$f" 2) s"
zstd -lv "$f" 2>/dev/null | grep -E 'Ratio|Size' | sed 's/^/  /'
cat "$f" >/dev/null
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
seconds() { local s e; s=$(date +%s.%N); "$@" >/dev/null; e=$(date +%s.%N); echo "$e $s" | awk '{ printf "%.3f\n", $1 - $2 }'; }
for ((i = 0; i < runs; i++)); do
    seconds zstd -dqc "$f" >>"$dir/zstd"
    seconds "$dir/container" check "$f" 1 >>"$dir/check1"
    seconds "$dir/container" check "$f" 2 >>"$dir/check2"
    seconds "$dir/container" load "$f" 1 >>"$dir/load1"
done
z=$(median <"$dir/zstd")
for k in zstd check1 check2 load1; do
    m=$(median <"$dir/$k")
    echo "$k: median $m s, $(awk -v m="$m" -v z="$z" 'BEGIN { printf "%.2f", m / z }') x zstd -d ($(tr '\n' ' ' <"$dir/$k"))"
done
echo "file: $(stat -c %s "$f") bytes; random access: $("$dir/container" block "$f" 1)"
