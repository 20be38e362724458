#!/usr/bin/env bash
# One cell of a million, the cells of an edge, and two groups of them compared: time, memory, bytes read.
# usage: bench/cell_access.sh [CELLS [REGULONS [CONTEXTS [EDGES [DIR]]]]]   Needs a built tree and strace. Cold: the files are not in the page cache.
set -eu
cd "$(dirname "$0")/.."
cells=${1:-1000000} regulons=${2:-300} contexts=${3:-20} edges=${4:-1000000} dir=${5:-$(mktemp -d)}
mkdir -p "$dir"
lib=$(dirname "$(readlink -f bin)")/libgrn.a
PATH=$PWD/bin:$PATH
# shellcheck disable=SC2046
${CC:-gcc} -O2 -std=c11 -D_GNU_SOURCE -Ilib -o "$dir/cell_access" bench/cell_access.c "$lib" \
    $(pkg-config --cflags --libs htslib hdf5 openblas gsl libzstd jansson libxxhash zlib libdeflate) -ldl -lm -pthread
[ -e "$dir/edges.edges.zst" ] || "$dir/cell_access" "$dir" "$cells" "$regulons" "$contexts" "$edges"
cd "$dir"
stat -c '%n: %s bytes' active.tensor.zst old.tensor.zst edges.edges.zst
cell=$(sed -n "$((cells * 7 / 10))p" cells.tsv | cut -f1)
cold() { for f in active.tensor.zst old.tensor.zst edges.edges.zst; do dd if=$f iflag=nocache count=0 status=none; done; }
measure() { # NAME WARM|COLD COMMAND...: median wall, CPU of that run, memory, of 7
    local name=$1 how=$2 k
    shift 2
    for k in 1 2 3 4 5 6 7; do
        [ "$how" = warm ] || cold
        /usr/bin/time -f '%e %U %S %M' "$@" 2>&1 >/dev/null | tail -n 1
    done | sort -n | sed -n 4p | awk -v n="$name, $how" '{ printf "%s: %.2f s wall, %.2f s CPU, %.0f MB\n", n, $1, $2 + $3, $4 / 1024 }'
}
bytes() { # NAME COMMAND...
    local name=$1
    shift
    strace -f -e trace=pread64 -y "$@" 2>&1 >/dev/null | grep -o '[a-z]*\.\(tensor\|edges\)\.zst>.* = [0-9]*$' |
        awk -v name="$name" '{ f = $0; sub(/>.*/, "", f); n[f] += $NF } END { printf "%s reads", name; for (f in n) printf " %d bytes of %s", n[f], f; print "" }'
}
one() { echo grn-view cell -q -a "$1.tensor.zst" -e edges.edges.zst "${@:2}" "$cell"; }
echo "the cell has $($(one active) | tail -n +2 | wc -l) edges"
regulon=$($(one active) | sed -n 2p | cut -f2)
for how in cold warm; do
    measure "one cell, all edges" $how $(one active)
    measure "one cell, one regulon" $how $(one active --regulon "$regulon")
    measure "one cell, file without index" $how $(one old)
    measure "the whole file read for one cell (subset)" $how grn-view subset -q --cell "$cell" -o /dev/null active.tensor.zst
done
echo "in the library: $(./cell_access find active.tensor.zst)"
echo "without index: $(./cell_access find old.tensor.zst)"
bytes "one cell" $(one active)
bytes "file without index" $(one old)
measure "cells of an edge, counted" warm grn-view cells -q -a active.tensor.zst -e edges.edges.zst --tf GENE00007 --count
measure "cells of an edge, listed" warm grn-view cells -q -a active.tensor.zst -e edges.edges.zst --tf GENE00007
d="-a active.tensor.zst -e edges.edges.zst --cells cells.tsv --a group=b"
measure "diff" warm grn-view diff -q $d
measure "diff, donors" warm grn-view diff -q $d --donor donor
# 30 of 300 regulons differ between the groups, 30 others between donors, and so do the shares of the contexts
for test in donor context; do
    echo "--test $test:"
    grn-view diff $d --donor donor --test $test -o "$test.tsv" 2>&1 | grep -E 'edges (pass|differ)|mix of contexts' | cut -d: -f2-
    awk -F'\t' 'NR > 1 { r = substr($1, 5, 5) % 10; n[r == 0 ? "group" : r == 5 ? "donor" : "none"]++ } END { for (k in n) print "  edges of regulons that differ by " k ": " n[k] }' "$test.tsv" | sort
done
