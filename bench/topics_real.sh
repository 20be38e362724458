#!/usr/bin/env bash
# Topics and LSI on real cells: label accuracy of 15 nearest neighbours, distinct topics at K = 30. A549 (hours after dexamethasone),
# BMMC (cell types). usage: GRN_DATA=... bench/topics_real.sh. Needs a built tree, python3 with numpy.
set -eu
cd "$(dirname "$0")/.."
repo=$PWD
PATH=$PWD/bin:$PATH
data=$(cd "${GRN_DATA:?}" && pwd)/atac
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
mkdir a549 bmmc
gzip -dc "$data/a549_scicar/atac_binary.mtx.gz" >a549/matrix.mtx
gzip -dc "$data/a549_scicar/peaks.bed.gz" >a549/peaks.bed
gzip -dc "$data/a549_scicar/barcodes_time.tsv.gz" | cut -f1 >a549/barcodes.tsv
gzip -dc "$data/a549_scicar/barcodes_time.tsv.gz" >a549.labels
gzip -dc "$data/bmmc_multiome/atac_counts.mtx.gz" >bmmc/matrix.mtx
cp "$data/bmmc_multiome/peaks.bed" bmmc/peaks.bed
tail -n +2 "$data/bmmc_multiome/cells.tsv" | cut -f1 >bmmc/barcodes.tsv
tail -n +2 "$data/bmmc_multiome/cells.tsv" | cut -f1,2 >bmmc.labels
for set in a549 bmmc; do
    for k in 10 30; do
        for seed in 1 2 3; do
            grn-build topics -q -k $k --seed $seed --metrics m.tsv -o x.zst $set
            grn-view -q x.zst >x.tsv
            echo "$set: $k topics, seed $seed: $(python3 "$repo/bench/topics_knn.py" x.tsv $set.labels); distinct topics: $(grep -v '^#' m.tsv | tail -n 1 | cut -f9) of $k"
        done
        grn-build topics -q --method lsi --drop-depth -k $k -o x.zst $set
        grn-view -q x.zst >x.tsv
        echo "$set: LSI of $k, without depth: $(python3 "$repo/bench/topics_knn.py" x.tsv $set.labels)"
    done
done
