#!/usr/bin/env bash
# Builds and runs the generator of cells_scale.c: counts of the shape of SEA-AD with their regulons into DIR.
# usage: bench/cells_scale.sh DIR [OPTION...]   -> DIR/counts.tensor.zst, regulons.gmt, edges.tsv, edges.tensor.zst, truth.tensor.zst
#        bench/cells_scale.sh -b DIR            only builds DIR/cells_scale
# Options are those of cells_scale.c (-n CELLS ...). Needs a built tree (make). 113,209 cells: 0.5 GB; 1,000,000: 4.1 GB and as much again meanwhile.
set -euo pipefail
cd "$(dirname "$0")/.."
only_build=
[ "${1:-}" != -b ] || { only_build=1 && shift; }
dir=${1:?usage: cells_scale.sh [-b] DIR [OPTION...]}
shift
mkdir -p "$dir"
# shellcheck disable=SC2046
${CC:-gcc} -O2 -std=c11 -D_GNU_SOURCE -Wall -Wextra -Ilib -o "$dir/cells_scale" bench/cells_scale.c "$(dirname "$(readlink -f bin)")/libgrn.a" \
    $(pkg-config --cflags --libs htslib hdf5 openblas gsl libzstd jansson libxxhash zlib libdeflate) -ldl -lm -pthread
[ -n "$only_build" ] || /usr/bin/time -f 'cells_scale: %e s wall, %U s user, %S s system, %M KB' "$dir/cells_scale" "$dir/counts.tensor.zst" "$dir" "$@"
