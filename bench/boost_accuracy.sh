#!/usr/bin/env bash
# Importances of grn-build link beside arboreto's GRNBoost2 and GENIE3, |Pearson| and random ones, against known networks: BEELINE's
# mDC, mESC and hHEP cells (500 variable genes and all varying TFs; STRING, Non-Specific, Specific, Lofgof) and DREAM4's five networks
# of 100 genes (multifactorial data, all genes as TFs). Scores and universes A, B: bench/boost_accuracy.py.
# usage: GRN_DATA=... bench/boost_accuracy.sh FOLDER [SET...]
# FOLDER/in gets expression, TFs, networks and a container of every set; FOLDER/out SET.METHOD.SEED.tsv, which is kept where it exists,
# so that arboreto (hours) runs once; ours (SET.ours_METHOD.SEED.tsv) and the scores (SET.scores.tsv) are made anew each time.
# Variables: SETS (if no SET is given); OURS: methods of grn-build link, empty for baselines alone, with SEEDS and LINK_OPTS;
# ARBORETO: a python with arboreto and scikit-learn before 1.3 (pip install arboreto --no-deps; pip install 'pandas<3' 'numpy<2'
# 'scikit-learn<1.3'), without which only what lies in FOLDER/out is compared; ARBORETO_SK13: one with scikit-learn 1.3 or later;
# BASELINES: METHOD.SEED...; SLOW_BASELINES: the same for mDC and DREAM4 only. Needs a built tree, unzip, python3 with numpy.
set -euo pipefail
data=$(cd "${GRN_DATA:?}" && pwd)/rna
mkdir -p "${1:?a folder}/in" "$1/out"
dir=$(cd "$1" && pwd)
shift
cd "$(dirname "$0")/.."
repo=$PWD
export PATH="$repo/bin:$PATH" LC_ALL=C OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1
sets=${*:-${SETS:-dream4_1 dream4_2 dream4_3 dream4_4 dream4_5 mDC mESC hHEP}}
seeds=${SEEDS:-1 2 3}
ours=${OURS-grnboost}
link_opts=${LINK_OPTS---expression raw --min-cells 1}
baselines=${BASELINES-grnboost2.666 grnboost2.1 grnboost2.2 pearson.0 random.1 random.2 random.3}
slow=${SLOW_BASELINES-genie3.1 grnboost2_sk13.666}
prepare() { # SET
    local x=$dir/in/$1 zip net
    case $1 in
    dream4_*)
        zip=$data/dream4/DREAM4_InSilico_Size100_Multifactorial.zip
        unzip -p "$zip" "insilico_size100_${1#*_}_multifactorial.tsv" | tr -d '"\r' | awk -F'\t' '
            NR == 1 { n = split($0, name); next }
            { head = head ",s" NR - 1; for (i = 1; i <= n; i++) v[i] = v[i] "," $i }
            END { print head; for (i = 1; i <= n; i++) print name[i] v[i] }' >"$x.csv"
        tail -n +2 "$x.csv" | cut -d, -f1 >"$x.tfs"
        zip=$data/dream4/DREAM4_InSilicoNetworks_GoldStandard.zip
        unzip -p "$zip" "*/DREAM4_GoldStandard_InSilico_Size100_multifactorial_${1#*_}.tsv" | tr -d '\r' >"$x.gold.network"
        ;;
    mDC | mESC | hHEP)
        gzip -dc "$data/beeline_scrna/expression/$1_TFs+500_ExpressionData.csv.gz" >"$x.csv"
        local list=BEELINE_mouse-tfs_GRNformer_TFMouse.csv
        [ "$1" != hHEP ] || list=BEELINE_human-tfs.csv
        tail -n +2 "$data/tf_lists/$list" | tr -d '\r' | cut -d, -f1 | tr '[:lower:]' '[:upper:]' | sort -u >"$x.list"
        tail -n +2 "$x.csv" | cut -d, -f1 | grep -Fxf "$x.list" >"$x.tfs" # in the order of the matrix
        rm "$x.list"
        for net in STRING Non-Specific Specific Lofgof; do
            zip=$data/beeline_scrna/networks/$net/$1_TFs+500_network.csv.gz
            [ ! -e "$zip" ] || gzip -dc "$zip" | tr -d '\r' | cut -d, -f1,2 >"$x.$net.network"
        done
        ;;
    *) echo "no such set: $1" >&2 && exit 1 ;;
    esac
    grn-view -q --no-pg --from counts --orient genes -O zst -o "$x.x.zst" "$x.csv"
}
for set in $sets; do
    [ -e "$dir/in/$set.x.zst" ] || prepare "$set"
done
for set in $sets; do # arboreto's, slowest sets last
    wanted=$baselines
    case $set in dream4_* | mDC) wanted="$wanted $slow" ;; esac
    for what in $wanted; do
        out=$dir/out/$set.$what.tsv
        case $what in
        pearson.* | random.*) python=python3 ;;
        grnboost2_sk13.*) python=${ARBORETO_SK13:-} ;;
        *) python=${ARBORETO:-} ;;
        esac
        [ -e "$out" ] || [ -z "$python" ] ||
            $python bench/boost_arboreto.py "$dir/in/$set.csv" "$dir/in/$set.tfs" "${what%.*}" "${what##*.}" "$out" 2>"$out.log" ||
            { cat "$out.log" >&2 && exit 1; }
    done
done
for set in $sets; do
    x=$dir/in/$set
    rm -f "$dir/out/$set".ours_*
    labels=
    for method in $ours; do
        labels="$labels ours_$method ours_$method/share"
        for seed in $seeds; do
            # shellcheck disable=SC2086
            /usr/bin/env time -f "ours, $method, $set, seed $seed: %e s wall, %U + %S s CPU, %M KB" -o "$dir/cost" \
                grn-build link -q --method "$method" $link_opts --seed "$seed" -f "$x.tfs" -t "$dir/ours.edges.zst" "$x.x.zst"
            cat "$dir/cost"
            grn-view -q -O adj -o "$dir/out/$set.ours_$method.$seed.tsv" "$dir/ours.edges.zst"
        done
    done
    files=()
    for method in $labels grnboost2 grnboost2/share grnboost2_sk13 genie3 pearson random; do
        for out in "$dir/out/$set.${method%/share}".*.tsv; do
            [ ! -e "$out" ] || { seed=${out%.tsv} && files+=("$method.${seed##*.}=$out"); }
        done
    done
    truths=()
    for net in "$x".*.network; do
        name=${net##*/"$set".} && truths+=("${name%.network}=$net")
    done
    python3 bench/boost_accuracy.py score "$set" "$x.csv" "$x.tfs" "${truths[@]}" "${files[@]}" >"$dir/out/$set.scores.tsv"
    case $set in
    dream4_*) ;;
    *)
        agree=()
        for f in "${files[@]}"; do
            case $f in random.* | */share.*) ;; *) agree+=("$f") ;; esac
        done
        [ ${#agree[@]} -gt 1 ] || continue
        printf '\n%s: agreement of the importances of TFs for genes\n\n' "$set"
        python3 bench/boost_accuracy.py agree "$x.csv" "$x.tfs" "${agree[@]}"
        ;;
    esac
done
for set in $sets; do cat "$dir/out/$set.scores.tsv"; done >"$dir/scores.tsv"
python3 bench/boost_accuracy.py table "$dir/scores.tsv"
rm -f "$dir/cost" "$dir/ours.edges.zst"
