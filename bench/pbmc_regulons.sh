#!/usr/bin/env bash
# PBMC 3k, RNA only, every gene: how long boosting takes, the most specific regulons of each type, and how many of their edges CollecTRI
# and DoRothEA know, beside the same networks rewired. usage: GRN_DATA=... bench/pbmc_regulons.sh. Needs a built tree (make), python3.
set -euo pipefail
cd "$(dirname "$0")/.."
here=$PWD/bench
export PATH="$PWD/bin:$PATH" LC_ALL=C
data=$(cd "${GRN_DATA:?}" && pwd)/rna
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
counts=$data/pbmc3k/filtered types=$data/pbmc3k/cell_types.tsv tfs=$data/tf_lists/pySCENIC_lambert2018.txt
gzip -dc "$data/prior_networks/dorothea_hs.csv.gz" | awk -F, 'NR == 1 || $2 ~ /[ABC]/' | tr , '\t' >dorothea_abc.tsv
for m in pearson grnboost; do
    /usr/bin/env time -f "link --method $m: %e s wall, %U s CPU, %M KB" grn-build link -q --cells "$types" -M $m -f "$tfs" -t $m.links.zst "$counts"
    grn-build regulon -q --rna-only --cells "$types" -t $m.links.zst -o $m.zst "$counts"
    grn-aucell -q -r $m.zst --cells "$types" -o auc.zst --rss $m.rss.tsv "$counts"
done
for m in pearson grnboost; do
    printf '\nmost specific regulons, %s\n\n' "$m"
    awk -F'\t' 'NR == 1 { for (i = 1; i <= NF; i++) c[$i] = i; next } { print $c["cell_type"] "\t" $c["rss"] "\t" $c["regulon"] }' $m.rss.tsv |
        sort -t$'\t' -k1,1 -k2,2gr | awk -F'\t' '{ if (n[$1]++ < 5) s[$1] = s[$1] ", " $3 } END { for (t in s) print "- " t ": " substr(s[t], 3) }' | sort
done
for known in "$data/prior_networks/collectri.tsv.gz" dorothea_abc.tsv; do
    printf '\n%s\n\n' "$(basename "$known")"
    python3 "$here/pbmc_regulons.py" "$known" "regulons of |Pearson|"=pearson.zst "regulons of boosting"=grnboost.zst
done
