#!/usr/bin/env bash
# grn-build dar on a low-rank model of many cells and regions: time, memory, and what the prefilter saves.
# usage: bench/dar_scale.sh [CELLS [REGIONS [TOPICS [TYPES]]]]. Needs a built tree (make). "off" ranks every region.
set -euo pipefail
cd "$(dirname "$0")/.."
cells=${1:-20000} regions=${2:-20000} topics=${3:-40} types=${4:-10} off=${OFF-1}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
# shellcheck disable=SC2046
${CC:-gcc} -O2 -std=c11 -D_GNU_SOURCE -Ilib -o "$dir/make" bench/dar_scale.c "$(dirname "$(readlink -f bin)")/libgrn.a" \
    $(pkg-config --libs htslib hdf5 openblas gsl libzstd jansson libxxhash zlib) -ldl -lm -pthread
"$dir/make" "$dir/model.tensor.zst" "$cells" "$regions" "$topics" "$types"
echo "$cells cells x $regions regions, $topics topics, $types types"
go() { # NAME ARGS...
    local name=$1
    shift
    bin/grn-build dar --no-pg "$dir/model.tensor.zst" "$@" -o "$dir/$name.tsv" 2>"$dir/log" || { cat "$dir/log"; exit 1; }
    echo "$name: $(($(wc -l <"$dir/$name.tsv") - 1)) pass; $(tail -n 1 "$dir/log" | sed 's/^[^:]*: [^:]*: //')"
}
go pseudobulk -t pseudobulk
go wilcoxon -t wilcoxon
[ -z "$off" ] || { go off -t wilcoxon --prefilter off; cmp "$dir/wilcoxon.tsv" "$dir/off.tsv" && echo "same bytes with and without the prefilter"; }
