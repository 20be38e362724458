#!/usr/bin/env bash
# Links and regulons on simulated multiomes whose network is known: accuracy beside simpler ways, calibration of q, and what one percent
# more cells changes. usage: bench/links_sim.sh [SEED...]. Needs a built tree (make), python3.
set -euo pipefail
cd "$(dirname "$0")/.."
here=$PWD/bench
export PATH="$PWD/bin:$PATH" LC_ALL=C
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
prepare() { # DIR CELLS SEED
    grn-sim -q --donors 10 -n "$2" --seed "$3" -o "$1"
    grn-build count -q -r "$1/regions.bed" -b "$1/cells.tsv" "$1/fragments.tsv.gz" -o "$1/atac.zst"
    grn-build scan -q -m "$1/motifs.jaspar" -g "$1/genome.fa" -r "$1/regions.bed" -o "$1/scan.zst"
}
link() { grn-build link -q --cells "$1/cells.tsv" -f "$1/tfs.txt" -g "$1/genes.gtf" -t "$1/tg.$2.zst" -r "$1/rg.$2.zst" "${@:3}" "$1/counts.h5" "$1/atac.zst"; }
regulon() { # DIR LINKS NAME ARGS...
    grn-build regulon -q --cells "$1/cells.tsv" -t "$1/tg.$2.zst" -r "$1/rg.$2.zst" -s "$1/scan.zst" --motif2tf "$1/motif2tf.tsv" -o "$1/$3.zst" "${@:4}" \
        "$1/counts.h5" "$1/atac.zst"
}
for seed in "${@:-1}"; do
    prepare s 1500 "$seed"
    link s r
    link s b -M grnboost --region-method grnboost
    regulon s r correlation --null 10
    regulon s b learned --null 10
    regulon s b grnformer -x grnformer --null 10
    regulon s b scenicplus -x scenicplus
    printf '\nseed %s: 1,500 cells, 48 TFs, 1,500 genes, 4,000 regions; average precision\n\n' "$seed"
    python3 "$here/links_sim.py" table s/truth.edges.zst "RNA only, Pearson"=s/tg.r.zst "RNA only, boosting"=s/tg.b.zst \
        "regulon of correlations"=s/correlation.zst "regulon of boosting"=s/learned.zst "--preset grnformer of boosting"=s/grnformer.zst \
        "--preset scenicplus of boosting"=s/scenicplus.zst
    printf '\nprecision in the type / in any type at q\n\n'
    python3 "$here/links_sim.py" calibration s/truth.edges.zst "regulon of correlations"=s/correlation.zst "regulon of boosting"=s/learned.zst \
        "--preset grnformer of boosting"=s/grnformer.zst
    prepare t 1515 "$seed"
    link t b -M grnboost --region-method grnboost
    regulon t b learned --null 10
    printf '\none percent more cells, regulon of boosting\n\n'
    python3 "$here/links_sim.py" overlap s/learned.zst t/learned.zst
    rm -r s t
done
