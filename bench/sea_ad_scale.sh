#!/usr/bin/env bash
# The stages on cells at the size of SEA-AD: cells_scale.c -> grn-aucell -> grn-threshold -> grn-coexpr (clique, pearson) -> grn-coexpr perturb --stats;
# wall and CPU seconds and peak memory of each, and how many of the planted on and off states were found.
# usage: bench/sea_ad_scale.sh [CELLS [DIR [STAGE...]]]   113,209 cells in a new folder, all stages
#        bench/sea_ad_scale.sh 1000000 DIR pipe threshold   a million cells from the generator to grn-aucell through a pipe, no counts on disk
# STAGE: generate, pipe (generate into aucell; instead of both), aucell, threshold, truth, clique, pearson, perturb. Files in DIR are used again.
# THREADS (2) of each tool, LIMIT (600): seconds after which a stage is ended. Needs a built tree (make); 0.7 GB of disk for 113,209 cells; the
# pipe of a million: 9 GB in TMPDIR while it runs.
set -euo pipefail
cd "$(dirname "$0")/.."
cells=${1:-113209} dir=${2:-$(mktemp -d)} threads=${THREADS:-2} limit=${LIMIT:-600}
shift $(($# < 2 ? $# : 2))
stages=${*:-generate aucell threshold truth clique pearson perturb}
bench/cells_scale.sh -b "$dir"
PATH=$PWD/bin:$PATH
cd "$dir"
echo "$cells cells, -@ $threads, load $(cut -d' ' -f1 /proc/loadavg)"
echo "| stage | wall s | CPU s | peak GB | |"
echo "|---|---|---|---|---|"
note() { # LOG: its last line that is not the times
    grep -v ' wall, \|^[0-9.]* [0-9.]* [0-9.]* [0-9]*$' "$1" | tail -n "${2:-1}" | sed 's/^grn-[a-z ]*: //' | tr '\n' ' '
}
row() { # NAME LOG STATUS
    awk -v name="$1" -v status="$3" -v limit="$limit" -v note="$(note "$2")" 'NF == 4 && /^[0-9.]+ [0-9.]+ [0-9.]+ [0-9]+$/ { wall = $1; cpu = $2 + $3; mem = $4 }
        END { printf "| %s | %.1f | %.1f | %.2f | %s |\n", name, wall, cpu, mem / 1048576, status == 124 ? "ended after " limit " s" : status ? "failed: " note : note }' "$2"
}
stage() { # NAME COMMAND...
    local name=$1 status=0
    shift
    /usr/bin/time -f '%e %U %S %M' timeout "$limit" "$@" 2>"$name.log" || status=$?
    row "$name" "$name.log" $status
}
for s in $stages; do
    case $s in
        generate) stage generate ./cells_scale counts.tensor.zst . -n "$cells" -@ "$threads" ;;
        pipe)
            status=0
            /usr/bin/time -f '%e %U %S %M' ./cells_scale - . -n "$cells" -@ "$threads" -T 2>generate.log |
                /usr/bin/time -f '%e %U %S %M' timeout "$limit" grn-aucell -@ "$threads" -r regulons.gmt -o auc.tensor.zst - 2>aucell.log || status=$?
            row "generate into the pipe" generate.log 0
            row "aucell of the pipe" aucell.log $status
            ;;
        aucell) stage aucell grn-aucell -@ "$threads" -r regulons.gmt -o auc.tensor.zst counts.tensor.zst ;;
        threshold) stage threshold grn-threshold -@ "$threads" -o active.tensor.zst auc.tensor.zst ;;
        clique) stage clique grn-coexpr -@ "$threads" -m clique -o clique.edges.zst counts.tensor.zst ;;
        pearson) stage pearson grn-coexpr -@ "$threads" -o coexpr.edges.zst counts.tensor.zst ;;
        perturb)
            stage perturb grn-coexpr perturb -@ "$threads" --tokens 1200 -e edges.tensor.zst -a active.tensor.zst --terms regulons.gmt --first 5000 \
                --stats stats.tsv counts.tensor.zst
            ;;
        truth) # the regulons are in the same order; columns of the activity: cell, context, regulons
            paste <(grn-view -q -O tsv truth.tensor.zst | sed '/^#/d') <(grn-view -q -O tsv active.tensor.zst | sed '/^#/d') | awk -F'\t' '
                NR == 1 { for (k = 2; $k ~ /_[+]$/; k++) n = k; for (i = n + 3; i <= NF; i++) for (j = 2; j <= n; j++) if ($j == $i) of[i] = j; next }
                $1 != $(n + 1) { print "cells differ: " $1 ", " $(n + 1); exit }
                { for (i = n + 3; i <= NF; i++) hit[$of[i] + 2 * $i]++ }
                END { printf "planted states: %d on, %d of them found (recall %.3f); %d found on, precision %.3f\n", hit[1] + hit[3], hit[3], hit[3] / (hit[1] + hit[3]), hit[2] + hit[3], hit[3] / (hit[2] + hit[3]) }'
            ;;
        *) echo "no stage '$s'" && exit 2 ;;
    esac
done
