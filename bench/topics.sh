#!/usr/bin/env bash
# The topic sampler beside an exact sequential one and the Python package lda (skipped where it is missing).
# usage: bench/topics.sh [quick|full|large]   quick: likelihoods and speed on 3.6 M tokens; full: speed on 12 M tokens, K 40 and 200, in
# turns; large: 10,000 cells x 200,000 regions, 1e8 tokens, 150 sweeps. Needs a built tree.
set -eu
cd "$(dirname "$0")/.."
what=${1:-quick}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
build=$(dirname "$(dirname "$(readlink -f bin/grn-build)")")
# shellcheck disable=SC2046
${CC:-gcc} -O2 -std=c11 -D_GNU_SOURCE -Ilib -Itools/grn-build -o "$dir/topics" bench/topics.c \
    "$build"/tools/grn-build/{corpus,lda,lda_kernel_base,lda_kernel_avx2,lda_kernel_avx512}.o "$build/libgrn.a" \
    $(pkg-config --libs htslib hdf5 openblas gsl libzstd jansson libxxhash zlib libdeflate) -ldl -lm -pthread
peer() { if python3 -c 'import lda' 2>/dev/null; then python3 bench/topics_lda.py "$@"; else echo "skipped: lda (pip install lda)"; fi; }
case $what in
    quick)
        "$dir/topics" sim 2000 20000 2000 12 "$dir/x.zst"
        "$dir/topics" exact "$dir/x.zst" 40 150 >"$dir/exact"
        peer "$dir/x.zst" 40 150 >"$dir/peer"
        for t in 1 2; do "$dir/topics" fit "$dir/x.zst" 40 150 $t >"$dir/fit$t"; done
        for s in 1 5 10 20 50 100 150; do
            echo "sweep $s: exact $(awk -v s=$s '$1 == "exact" && $2 == s { print $3 }' "$dir/exact"), lda" \
                "$(awk -v s=$s '$1 == "lda" && $2 == s { print $3 }' "$dir/peer"), grn-build $(awk -v s=$s '$1 == "fit" && $2 == s { print $3 }' "$dir/fit1")"
        done
        echo "exact: $(tail -n 1 "$dir/exact" | cut -f4) M tokens/s of CPU"
        tail -qn 1 "$dir/peer" "$dir/fit1" "$dir/fit2"
        ;;
    full)
        "$dir/topics" sim 5000 50000 2450 12 "$dir/x.zst"
        for i in 1 2 3; do
            peer "$dir/x.zst" 40 3 | tail -n 1
            for k in 40 200; do for t in 1 2; do "$dir/topics" fit "$dir/x.zst" $k 10 $t | tail -n 1 | sed "s/^/$t thread(s): /"; done; done
        done
        ;;
    large)
        "$dir/topics" sim 10000 200000 10000 15 "$dir/x.zst"
        /usr/bin/time -v "$dir/topics" fit "$dir/x.zst" 40 150 2 2>&1 | grep -E '^fit:|Maximum resident|Elapsed'
        ;;
esac
