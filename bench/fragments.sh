#!/usr/bin/env bash
# count and qc of a fragment file of a real sample's size against `bgzip -dc`, equal threads, runs interleaved; and the memory of a
# full matrix.
# usage: bench/fragments.sh [MILLIONS=20] [RUNS=5] [CELLS=100000]   (needs about 0.4 GB of TMPDIR; grn-build on PATH or in bin/)
set -eu
here=$(cd "$(dirname "$0")" && pwd)
PATH=$here/../bin:$PATH
millions=${1:-20} runs=${2:-5} cells=${3:-100000}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cc -O2 -o "$dir/fragments" "$here/fragments.c" -lm
"$dir/fragments" "$dir" "$millions" | bgzip -@2 >"$dir/f.tsv.gz"
echo "$(zcat "$dir/f.tsv.gz" | wc -l) fragments, $(stat -c %s "$dir/f.tsv.gz") bytes, $(wc -l <"$dir/regions.bed") regions"
TIMEFORMAT='%R %U %S'
once() { # NAME CMD...: wall and CPU seconds to the name's file
    local name=$1
    shift
    { time "$@" >/dev/null 2>"$dir/err"; } 2>"$dir/t"
    awk '{ print $1, $2 + $3 }' "$dir/t" >>"$dir/$name"
    sed -n 's/.*CPU, \(.*\) GB peak.*/\1/p' "$dir/err" >"$dir/$name.peak"
}
cd "$dir"
for t in 1 2; do
    for _ in $(seq "$runs"); do
        once "bgzip -dc -@$t" bgzip -@"$t" -dc f.tsv.gz
        once "count -@$t" grn-build count -@"$t" --min-fragments 500 -r regions.bed -o m.zst f.tsv.gz
        once "qc -@$t" grn-build qc -@"$t" -r regions.bed -g tss.bed -o q.tsv f.tsv.gz
        once "qc and counts -@$t" grn-build qc -@"$t" -r regions.bed -g tss.bed -o q.tsv -p p.txt -c m.zst f.tsv.gz
    done
done
median() { cut -d' ' -f "$2" "$1" | sort -g | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
for t in 1 2; do
    for name in bgzip\ -dc count qc "qc and counts"; do
        echo "$name -@$t: $(median "$name -@$t" 1) s wall, $(median "$name -@$t" 2) s CPU, $(cat "$name -@$t.peak") GB," \
            "$(awk -v a="$(median "$name -@$t" 1)" -v b="$(median "bgzip -dc -@$t" 1)" -v c="$(median "$name -@$t" 2)" \
                -v d="$(median "bgzip -dc -@$t" 2)" 'BEGIN { printf "%.2f of bgzip in wall, %.2f in CPU", a / b, c / d }')"
    done
done
for i in $(seq 0 4999); do printf 'chr1\t%d\t%d\n' $((i * 1000)) $((i * 1000 + 500)); done >full.bed
echo "full matrix of $cells x 5,000:"
./fragments full "$cells" 5000 | grn-build count -@2 -r full.bed -o m.zst - 2>&1 | tail -2
