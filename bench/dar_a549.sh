#!/usr/bin/env bash
# grn-build dar on A549 cells 3 h after dexamethasone against 0 h (sci-CAR, Cao 2018): where two glucocorticoid-responsive regions
# come: chr6:35693503-35694982 (in FKBP5) and chr5:172295484-172296578 (97 kb from DUSP1).
# usage: GRN_DATA=... bench/dar_a549.sh. Needs a built tree (make); the topic model only where `grn-build topics` is there.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/bin:$PATH" LC_ALL=C
data=$(cd "${GRN_DATA:?}" && pwd)/atac/a549_scicar
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
mkdir a549
gzip -dc "$data/atac_binary.mtx.gz" >a549/matrix.mtx
gzip -dc "$data/peaks.bed.gz" >a549/peaks.bed
gzip -dc "$data/barcodes_time.tsv.gz" | cut -f1 >a549/barcodes.tsv
gzip -dc "$data/barcodes_time.tsv.gz" | awk 'BEGIN { print "barcode\ttime" } { print $1 "\t" $2 "h" }' >cells.tsv
awk -F'\t' 'NR == 1 { print; next } { b[NR] = $1; t[NR] = $2; k[NR] = (NR * 7919) % 1000003 } # labels in another order
    END { for (i = 2; i <= NR; i++) { j = 2 + (k[i] % (NR - 1)); x = t[i]; t[i] = t[j]; t[j] = x }
        for (i = 2; i <= NR; i++) print b[i] "\t" t[i] }' cells.tsv >shuffled.tsv
report() { # NAME LABELS FILE ARGS...: rank by p among the regions of fold change >= 1.5
    local name=$1 labels=$2 rc=0
    shift 2
    /usr/bin/env time -f '%U + %S s' -o cost grn-build dar -q --no-pg -t wilcoxon --cells "$labels" -g time -c 3h,0h --max-adj-p 1 "$@" -o dar.tsv || rc=$?
    [ $rc = 0 ] || [ $rc = 3 ]
    awk -F'\t' -v n="$name" -v cost="$(cat cost)" 'NR == 1 { next } { pass += $11 <= 0.05 }
        $2 ~ /35693503/ { fkbp5 = NR - 1 " (fold " sprintf("%.3g", 2 ^ $8) ", p " $10 ", adj " $11 ")" }
        $2 ~ /172295484/ { dusp1 = NR - 1 " (fold " sprintf("%.3g", 2 ^ $8) ", p " $10 ", adj " $11 ")" }
        END { print "| " n " | " NR - 1 " | " pass + 0 " | " (fkbp5 ? fkbp5 : "-") " | " (dusp1 ? dusp1 : "-") " | " cost " |" }' dar.tsv
}
echo "| input | regions of fold change >= 1.5 | adj p <= 0.05 | rank of FKBP5's | rank of DUSP1's | CPU |"
echo "|---|---|---|---|---|---|"
report counts cells.tsv a549
report "counts, shuffled times" shuffled.tsv a549
if grn-build topics --help >help 2>&1; then
    grn-build topics -q a549 -o topics.tensor.zst
    report "topics, any rise" cells.tsv --min-log2fc 0 topics.tensor.zst # no region of the model rises 1.5-fold: the cells are alike
    report "topics, any rise, shuffled times" shuffled.tsv --min-log2fc 0 topics.tensor.zst
fi
