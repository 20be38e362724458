# grn-aucell: golden values, ties, order, threads, lost sets, bad input, real cells
ran() { t_ok "$@"; cp err log; }
# 100 genes, ranks by position; two cells, each its own type, so that the mean per type in --rss is the score of the cell
genes=$(seq -f g%03g 0 99 | paste -sd,)
{ echo "cell,$genes"; echo "c1,$(seq 100 -1 1 | paste -sd,)"; echo "c2,$(seq 1 100 | paste -sd,)"; } >ranks.csv
printf 'barcode\tcell_type\nc1\tone\nc2\ttwo\n' >types.tsv
printf 'a\tx\tg000\tg003\nb\tx\tg000\tg001\nc\tx\tg004\tg050\nd\tx\tg000\tg000\tg003\n' >sets.gmt
score() { awk -F'\t' -v t="$2" -v r="$3" '$1 == t && $2 == r { print $5 }' "$1"; } # TSV TYPE SET
ran "golden values" grn-aucell -r sets.gmt --cells types.tsv --rss r.tsv -o a.zst ranks.csv
t_near "ranks 0 and 3, c = 4: (4 + 1) / 10" "$(score r.tsv one a)" 0.5 0
t_near "a perfect pair reaches (4 + 3) / 10" "$(score r.tsv one b)" 0.7 0
t_near "rank 4 contributes nothing" "$(score r.tsv one c)" 0 0
t_near "a gene listed twice counts once" "$(score r.tsv one d)" 0.5 0
t_near "the other cell has them last" "$(score r.tsv two a)" 0 0
t_true "the cutoff is said" "grep -q 'ranks below 4 count' log"
ran "attainable norm" grn-aucell -q -r sets.gmt --cells types.tsv --norm attainable --rss r2.tsv -o b.zst ranks.csv
t_near "a perfect pair reaches 1" "$(score r2.tsv one b)" 1 0
t_near "and the other 5 of 7" "$(score r2.tsv one a)" 0.714286 0.000001

# 60 cells with ties and few detected genes: order of cells and genes, threads
awk 'BEGIN { srand(3); printf "cell"; for (g = 0; g < 120; g++) printf ",g%03d", g; print ""
    for (c = 0; c < 60; c++) { printf "c%02d", c; for (g = 0; g < 120; g++) printf ",%d", rand() < c / 80 ? 1 + int(rand() * 4) : 0; print "" } }' >ties.csv
awk 'BEGIN { print "barcode\tcell_type"; for (c = 0; c < 60; c++) printf "c%02d\tt%d\n", c, c % 7 }' >labels.tsv
awk -F, 'BEGIN { OFS = "," } { s = $1; for (i = NF; i > 1; i--) s = s OFS $i; print s }' ties.csv >t1; { head -n1 t1; tail -n +2 t1 | sort -r; } >shuffled.csv
printf 'a\tx\tg000\tg003\tg010\tg011\nb\tx\tg100\tg101\tg102\nc\tx\tg007\n' >small.gmt
for ties in exact random; do
    grn-aucell -q --ties $ties --top-frac 0.2 -r small.gmt --cells labels.tsv --rss $ties.tsv -o $ties.zst ties.csv
    grn-aucell -q --ties $ties --top-frac 0.2 -r small.gmt --cells labels.tsv --rss $ties.s.tsv -o $ties.s.zst shuffled.csv
    t_true "$ties ties: nothing depends on the order of cells and genes" \
        "[ -s $ties.tsv ] && [ \"\$(sort $ties.tsv)\" = \"\$(sort $ties.s.tsv)\" ]"
    for n in 1 2; do grn-aucell -q --no-pg -@ $n --ties $ties --top-frac 0.2 -r small.gmt -o $ties.$n.zst ties.csv; done
    t_cmp "$ties ties: the same bytes for -@ 1 and 2" $ties.1.zst $ties.2.zst
done
t_true "the two ways with ties differ" "! cmp -s exact.tsv random.tsv"
grn-aucell -q --ties random --seed 2 --top-frac 0.2 -r small.gmt --cells labels.tsv --rss random2.tsv -o r2.zst ties.csv
t_true "another seed, other ties" "! cmp -s random.tsv random2.tsv"
ran "cells that detect too little" grn-aucell --top-frac 0.2 -r small.gmt -o x.zst ties.csv
t_true "are counted" "grep -q 'of 60 cells (.*) detect fewer than 23 genes' log"
t_ok "balanced specificity" grn-aucell -q --balanced --top-frac 0.2 -r small.gmt --cells labels.tsv --rss bal.tsv -o x.zst ties.csv
t_true "differs from plain where types differ in size" "! cmp -s bal.tsv exact.tsv"

# sets that do not pass are loud
printf 'good\tx\tg000\tg001\nhalf\tx\tg002\tnope1\tnope2\nnone\tx\tnope3\nempty\tx\n' >lossy.gmt
ran "lossy sets" grn-aucell -r lossy.gmt --report fate.tsv -o l.zst ranks.csv
t_true "the warning names them" "grep -q '3 of 4 sets dropped.*empty (0 of 0), half (1 of 3), none (0 of 1)' log"
t_true "one set is scored" "grep -q '1 of 4 sets' log && grep -q '2 cells x 1 regulons' log"
t_true "the report has every set" "[ \"\$(cut -f1-3 fate.tsv | tail -n +2 | tr '\n\t' ';,')\" = 'empty,0,0;good,2,2;half,3,1;none,1,0;' ]"
ran "half is enough on request" grn-aucell --min-present 0.3 -r lossy.gmt -o l.zst ranks.csv
t_true "two sets now" "grep -q '2 of 4 sets' log"
t_exit 3 "grn-aucell*none of 4 sets passes*" "no set passes" grn-aucell --min-genes 5 -r lossy.gmt -o x.zst ranks.csv
printf 'e\tx\tENSG00000100001\tENSG00000100002\n' >ens.gmt
t_exit 3 "grn-aucell*0 of 2 genes*ENSG00000100001 (Ensembl ids) vs g000*--gene-names*" "no gene matches" grn-aucell -r ens.gmt -o none.zst ranks.csv
t_true "and no file is left" "[ ! -e none.zst ]"

# edges as sets; a pipe into grn-threshold
grn-sim -q --cells 200 --no-atac -o sim
ran "regulons from edges" grn-aucell -r sim/truth.edges.zst --cells sim/cells.tsv -o s.zst --rss s.tsv sim/counts.h5
t_true "45 regulons, cells with their types" "grep -q '45 of 45 sets' log && grep -q '200 cells x 45 regulons' log"
ran "edge weights" grn-aucell -q --weights -r sim/truth.edges.zst -o w.zst sim/counts.h5
t_true "a pipe: same bits as through a file" "grn-aucell -q --no-pg -r sim/truth.edges.zst sim/counts.h5 -o p.zst && grn-threshold -q --no-pg p.zst -o q1.zst --tsv q1.tsv &&
    grn-aucell -q --no-pg -r sim/truth.edges.zst sim/counts.h5 | grn-threshold -q --no-pg - -o q2.zst --tsv q2.tsv && cmp q1.tsv q2.tsv"
t_true "counts from stdin" "grn-aucell -q --no-pg -r sim/truth.edges.zst - -o p2.zst < p.zst 2>e; grep -q 'genes of' e"

# bad input
t_exit 2 "grn-aucell*no gene sets*" "no sets" grn-aucell ranks.csv
t_exit 2 "grn-aucell*--weights*GMT*" "weights of a GMT" grn-aucell --weights -r sets.gmt ranks.csv
t_exit 1 "grn-aucell*absent.gmt*" "missing sets" grn-aucell -r absent.gmt -o x.zst ranks.csv
t_exit 1 "grn-aucell*absent.csv*" "missing counts" grn-aucell -r sets.gmt -o x.zst absent.csv
t_exit 1 "grn-aucell*--top-frac 0.01*" "cutoff without a rank" grn-aucell --top-frac 0.01 -r sets.gmt -o x.zst ranks.csv
t_exit 1 "grn-aucell*--rss needs cell types*" "specificity without types" grn-aucell -r sets.gmt --rss x.tsv -o x.zst ranks.csv
sed 's/,50,/,nan,/' ranks.csv >nan.csv
t_exit 1 "grn-aucell*nan*" "NaN" grn-aucell -r sets.gmt -o x.zst nan.csv
head -c 3000 sim/truth.edges.zst >cut.edges.zst
t_exit 1 "grn-aucell*cut.edges.zst*" "truncated edges" grn-aucell -r cut.edges.zst -o x.zst sim/counts.h5
t_exit 1 "grn-aucell*No space left*" "disk full" grn-aucell -q -r sets.gmt -o /dev/full ranks.csv
t_true "nothing partial is left" "[ ! -e x.zst.tmp ] && ! ls *.tmp.* 2>/dev/null"

# real cells: SPI1 (PU.1) drives the myeloid programme: highest mean in CD14+ monocytes, above every lymphoid type
if t_data rna/pbmc3k; then
    zcat "$GRN_DATA/rna/prior_networks/collectri.tsv.gz" | awk -F'\t' '$2 ~ /^upregulates/ { s[$1] = s[$1] "\t" $3 } END { for (t in s) print t "\tcollectri" s[t] }' |
        awk -F'\t' 'NF > 12' | sort >collectri.gmt
    ran "PBMC 3k with CollecTRI" grn-aucell --min-present 0 --min-genes 10 -r collectri.gmt --cells "$GRN_DATA/rna/pbmc3k/cell_types.tsv" --rss pbmc.tsv \
        -o pbmc.zst "$GRN_DATA/rna/pbmc3k/filtered"
    t_true "SPI1 is highest in CD14+ monocytes" "[ \"\$(awk -F'\t' '\$2 == \"SPI1\"' pbmc.tsv | sort -t'	' -k5,5gr | head -n1 | cut -f1)\" = 'CD14+ Mono' ]"
    t_true "EBF1 is the most specific one of B cells" "[ \"\$(awk -F'\t' '\$1 == \"B\" && \$4 == 1 { print \$2 }' pbmc.tsv)\" = EBF1 ]"
fi
