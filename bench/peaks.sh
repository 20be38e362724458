#!/usr/bin/env bash
# grn-build peaks beside MACS3 (PyPI: pip install macs3) on simulated fragments: peaks in common, time and memory in turns; and the rate
# without decompression. usage: bench/peaks.sh [MILLIONS=5] [RUNS=3]. Needs a built tree, bgzip, python3.
set -eu
cd "$(dirname "$0")/.."
millions=${1:-5} runs=${2:-3}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
PATH=$PWD/bin:$PATH
export OPENBLAS_NUM_THREADS=1
${CC:-gcc} -O2 -o "$dir/fragments" bench/fragments.c -lm
"$dir/fragments" "$dir" "$millions" | bgzip -@2 >"$dir/f.tsv.gz"
bgzip -dc "$dir/f.tsv.gz" | cut -f1-3 >"$dir/f.bedpe"
timed() { # LABEL COMMAND...: wall, CPU and memory
    local label=$1
    shift
    /usr/bin/time -f "$label: %e s wall, %U + %S s CPU, %M KB" "$@" >/dev/null 2>"$dir/log" || { cat "$dir/log"; exit 1; }
    tail -n 1 "$dir/log"
}
have_macs3=0
command -v macs3 >/dev/null && have_macs3=1 || echo "skipped: macs3 (pip install macs3)"
for ((i = 0; i < runs; i++)); do
    timed "grn-build, -@1" grn-build peaks -q -@1 -n "$dir/ours" "$dir/f.tsv.gz" -o "$dir/c.bed"
    [ $have_macs3 = 0 ] || timed "macs3 BEDPE --nolambda" macs3 callpeak -f BEDPE --nomodel --keep-dup all --call-summits --nolambda -g hs -q 0.05 -t "$dir/f.bedpe" -n m --outdir "$dir/m"
    timed "grn-build --local --by-count, -@1" grn-build peaks -q -@1 --local --by-count --summits off -n "$dir/ours2" "$dir/f.tsv.gz" -o "$dir/c2.bed"
    [ $have_macs3 = 0 ] || timed "macs3 FRAG, defaults" macs3 callpeak -f FRAG -g hs -t "$dir/f.tsv.gz" -n d --outdir "$dir/m"
done
if [ $have_macs3 = 1 ]; then
    echo "without local background: $(python3 bench/peaks_compare.py "$dir/ours/all.narrowPeak" "$dir/m/m_peaks.narrowPeak")"
    echo "MACS3's defaults: $(python3 bench/peaks_compare.py "$dir/ours2/all.narrowPeak" "$dir/m/d_peaks.narrowPeak")"
fi
bgzip -dc "$dir/f.tsv.gz" >"$dir/f.tsv"
for ((i = 0; i < runs; i++)); do
    timed "peaks of plain text, -@1" grn-build peaks -v4 -@1 "$dir/f.tsv" -o "$dir/c.bed"
    grep -h 'called in' "$dir/log"
done
