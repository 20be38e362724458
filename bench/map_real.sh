#!/usr/bin/env bash
# Reference mapping where the answer is known: a third of PBMC 3k onto the rest, a simulated donor onto the others; calls, unseen types, inherited
# bits. usage: GRN_DATA=... bench/map_real.sh. Needs a built tree (make).
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/bin:$PATH" LC_ALL=C
data=$(cd "${GRN_DATA:?}" && pwd)/rna
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
types=$data/pbmc3k/cell_types.tsv
judge() { # LABELS MAPPED
    awk -F'\t' 'NR == FNR { t[$1] = $2; next } FNR > 1 && t[$1] != "NA" { n++; r += ($3 == t[$1]); if ($2 != "NA") { k++; kr += ($2 == t[$1]) } }
        END { printf "query: %d labelled cells, accuracy %.4f; called %.1f %%, accuracy of these %.4f\n", n, r / n, 100 * k / n, kr / k }' "$1" "$2"
}
show() { # REPORT
    awk -F'\t' '$1 == "method" { printf "held out: %s %.4f (%.4f to %.4f), called %.1f %%, of these %.4f\n", $2, $6, $7, $8, 100 * $5, $9 }
        $15 == "chosen" { printf "cut %s: certified %.4f\n", $2, $10 }
        $1 == "decile" { a = a sprintf(" %.3f", $6); q += $13; d = d " " $13 }
        $1 == "unseen" { u += $3; v += $4; s = s sprintf("; %s %.0f %%", $2, 100 * $6) }
        $1 == "regulon" && $6 != "NA" && $14 != "NA" { m++; x += $6; y += $14; better += ($6 > $14) }
        END { print "accuracy by tenth of distance:" a; print "query cells in each:" d
            if (u) printf "types left out: %.1f %% of the cells abstain%s\n", 100 * (u - v) / u, s
            if (m) printf "bits: balanced accuracy inherited %.4f, of the type %.4f over %d regulons, inherited better for %d\n", x / m, y / m, m, better }' "$1"
}
awk -F'\t' 'NR > 1 { print $1 > (NR % 3 ? "r.txt" : "q.txt") }' "$types"
for s in r q; do grn-view -q --cells "$types" --cell @$s.txt -O zst -o $s.zst "$data/pbmc3k/filtered"; done
zcat "$data/prior_networks/collectri.tsv.gz" | awk -F'\t' '$2 ~ /^upregulates/ { s[$1] = s[$1] "\t" $3 } END { for (t in s) print t "\tcollectri" s[t] }' |
    awk -F'\t' 'NF > 11' >collectri.gmt
grn-aucell -q -r collectri.gmt r.zst -o auc.zst
grn-threshold -q auc.zst -o on.zst
for metric in cosine euclidean; do
    echo "== PBMC 3k, $metric"
    grn-map -q --metric $metric -r r.zst -a on.zst --leave-out-types --report report.tsv -o mapped.tsv q.zst
    judge "$types" mapped.tsv
    show report.tsv
done
grn-sim -q -n 6000 -d 4 --no-atac -o sim
for d in 1 2 3 4; do grn-view -q -O zst --where donor=donor$d -o d$d.zst sim/counts.h5ad; done
grn-view merge -q -o ref.zst d1.zst d2.zst d3.zst
echo "== simulated donor onto three others"
grn-map -q -r ref.zst -a sim/truth_activity.tensor.zst --leave-out-types --report report.tsv -o mapped.tsv d4.zst
judge sim/cells.tsv mapped.tsv
show report.tsv
grn-sim -q -n 500 --seed 9 --no-atac -o other
echo "== cells of another simulation"
grn-map -q -r ref.zst -o mapped.tsv other/counts.h5ad || echo "status $?"
cut -f 11,12 mapped.tsv | sort | uniq -c
