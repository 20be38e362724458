#!/usr/bin/env bash
# PBMC 3k, RNA only, every gene: how long boosting takes, the most specific regulons of each type, in what share of its cells those of
# well-known TFs are on, and how many of their edges CollecTRI and DoRothEA know, beside the same networks rewired.
# usage: GRN_DATA=... bench/pbmc_regulons.sh [FIGURE.svg: shares on by type]. Needs a built tree (make), python3.
set -euo pipefail
cd "$(dirname "$0")/.."
here=$PWD/bench figure=${1:+$(realpath "$1")}
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
    grn-threshold -q --summary $m.on_off.tsv -o $m.active.zst auc.zst
done
[ -z "$figure" ] || grn-plot onoff -q -o "$figure" grnboost.on_off.tsv
for m in pearson grnboost; do
    printf '\nshare of the cells with the regulon on, %s\n\n' "$m"
    awk -F'\t' 'BEGIN { n = split("SPI1 CEBPB CEBPD PAX5 SPIB TCF4 TBX21 EOMES GATA3 LEF1 TCF7", tf, " ") }
        NR == 1 { for (i = 1; i <= NF; i++) c[$i] = i; next }
        { if (!($c["context"] in t)) { t[$c["context"]]; type[++k] = $c["context"] } on[$c["regulon"], $c["context"]] = $c["frac_on"] }
        END { printf "| regulon |"; for (j = 1; j <= k; j++) printf " %s |", type[j]; printf "\n|---|"; for (j = 1; j <= k; j++) printf "---|"; print ""
              for (i = 1; i <= n; i++) if ((tf[i] "(+)", type[1]) in on) {
                  printf "| %s |", tf[i]; for (j = 1; j <= k; j++) printf " %.2f |", on[tf[i] "(+)", type[j]]; print "" } }' $m.on_off.tsv
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
