#!/usr/bin/env bash
# Motif scanning: cluster scores, best words and sites, Mbp x motif a second and core; sites beside MOODS (MOODS-python from PyPI, skipped where it
# is missing), in turns on one thread. Cluster-Buster itself is not at hand here: its rate is quoted.
# usage: bench/motifs.sh MOTIFS [REGIONS=100000] [RUNS=3]   MOTIFS e.g. JASPAR's vertebrates; regions of 500 random bases
set -eu
cd "$(dirname "$0")/.."
motifs=$(readlink -f "$1") regions=${2:-100000} runs=${3:-3}
PATH=$PWD/bin:$PATH
here=$PWD
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
awk -v n="$regions" 'BEGIN { srand(1); for (i = 0; i < n; i++) { if (i % 10000 == 0) printf "%s>chr%d\n", i ? "\n" : "", i / 10000 + 1
    for (k = 0; k < 500; k++) { u = rand(); printf "%s", u < 0.29 ? "A" : u < 0.5 ? "C" : u < 0.71 ? "G" : "T" } } print "" }' >g.fa
awk -v n="$regions" 'BEGIN { for (i = 0; i < n; i++) printf "chr%d\t%d\t%d\n", int(i / 10000) + 1, i % 10000 * 500, i % 10000 * 500 + 500 }' >r.bed
median() { sort -g | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
cpu() { # NAME CMD...: user + system seconds to the name's file, peak kB
    local name=$1
    shift
    /usr/bin/time -f '%U %S %e %M' -o t "$@" >/dev/null 2>>err
    awk '{ print $1 + $2 }' t >>"$name.cpu"
    awk '{ print $3 }' t >>"$name.wall"
    awk '{ print $4 }' t >"$name.kb"
}
n=$(grn-build scan --scorer max -m "$motifs" -g g.fa -r r.bed -o /dev/null 2>&1 | sed -n 's/.*scores: \([0-9]*\) motifs.*/\1/p')
for _ in $(seq "$runs"); do
    for s in cbust max occupancy; do cpu $s grn-build scan -@1 --scorer $s -m "$motifs" -g g.fa -r r.bed -o o.zst; done
    cpu cbust2 grn-build scan -@2 --scorer cbust -m "$motifs" -g g.fa -r r.bed -o o.zst
    cpu sites grn-build scan -@1 -m "$motifs" -g g.fa -r r.bed --background uniform -o o.zst
done
echo "$n motifs x $regions regions of 500 bp"
for s in cbust cbust2 max occupancy sites; do
    echo "$s: $(median <$s.wall) s wall, $(median <$s.cpu) s CPU, $(cat $s.kb) kB, $(awk -v t="$(median <$s.cpu)" -v n="$n" -v r="$regions" 'BEGIN { printf "%.0f", n * r * 500 / t / 1e6 }') Mbp x motif / s of CPU"
done
if python3 -c 'import MOODS.scan' 2>/dev/null; then python3 "$here/bench/motifs_moods.py" "$motifs" g.fa 1e-4 100
else echo "skipped: MOODS (pip install MOODS-python)"; fi
