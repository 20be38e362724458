#!/usr/bin/env bash
# Reference mapping: REFERENCE x QUERY cells x DIMS of 20 clusters, time, memory and recall beside scikit-learn and faiss on the same points.
# usage: PYTHON=venv/bin/python bench/map.sh [100000 [100000 [50]]]. Needs a built tree (make) and a python with numpy, scikit-learn, faiss-cpu.
set -euo pipefail
cd "$(dirname "$0")/.."
here=$PWD/bench
export PATH="$PWD/bin:$PATH" LC_ALL=C
python=${PYTHON:-python3}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
"$python" "$here/map.py" make "${1:-100000}" "${2:-100000}" "${3:-50}" "$dir"
cd "$dir"
for f in ref query; do grn-view -q -O zst -o $f.zst $f.csv; done
for threads in 2 1; do
    /usr/bin/env time -f "grn-map -@ $threads: %U s user, %S s system, %e s wall, %M KB" \
        grn-map -@ $threads --as embedding --metric euclidean -k 15 --neighbours 15 --cells ref.tsv -r ref.zst -o mapped.$threads.tsv query.zst
done
cmp mapped.1.tsv mapped.2.tsv && echo "the same bytes for 1 and 2 threads"
"$python" "$here/map.py" check . mapped.2.tsv 15
