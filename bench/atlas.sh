#!/usr/bin/env bash
# The accessibility stages at the size of an atlas: fragments -> count -> topics -> dar, time and memory of each.
# usage: bench/atlas.sh [CELLS [REGIONS [PER_CELL [DIR]]]]   100,000 x 300,000 with 5,000 regions a cell needs 12 GB of disk and about half
# an hour on two cores. Needs a built tree and bgzip.
set -eu
cd "$(dirname "$0")/.."
cells=${1:-100000} regions=${2:-300000} per_cell=${3:-5000} dir=${4:-$(mktemp -d)}
mkdir -p "$dir"
PATH=$PWD/bin:$PATH
${CC:-gcc} -O2 -o "$dir/atlas" bench/atlas.c -lm
[ -e "$dir/fragments.tsv.gz" ] || "$dir/atlas" "$dir" "$cells" "$regions" "$per_cell" 12 | bgzip -@2 -l1 >"$dir/fragments.tsv.gz"
echo "fragments: $(stat -c %s "$dir/fragments.tsv.gz") bytes compressed"
step() { # NAME COMMAND...
    local name=$1
    shift
    /usr/bin/time -f "$name: %e s wall, %U s user, %S s system, %M KB" "$@" 2>"$dir/$name.log" || { cat "$dir/$name.log"; exit 1; }
    tail -n 1 "$dir/$name.log"
}
cut -f1 "$dir/cells.tsv" | tail -n +2 >"$dir/barcodes.txt"
step count grn-build count -r "$dir/regions.bed" -b "$dir/barcodes.txt" -o "$dir/atac.tensor.zst" "$dir/fragments.tsv.gz"
grep -h written "$dir/count.log"
step topics grn-build topics -k 40 --sweeps 5 --average 2 --cells "$dir/cells.tsv" -o "$dir/topics.tensor.zst" "$dir/atac.tensor.zst"
step dar grn-build dar -o "$dir/dar.tsv" "$dir/topics.tensor.zst"
tail -n 3 "$dir/dar.log"
