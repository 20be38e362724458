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

# a container is read as it is stored: the same scores as from text, for any threads, order and block; a pipe; cut and changed files
grn-view import -q -o ties.zst ties.csv
grn-view import -q -o shuffled.zst shuffled.csv
small="--top-frac 0.2 -r small.gmt"
grn-aucell -q $small -o text.zst ties.csv
for n in 1 2 3; do grn-aucell -q --no-pg -@ $n $small -o packed.$n.zst ties.zst; done
rows() { grn-view -q -O tsv "$1" | sort; } # of a matrix
t_true "a container and a table score alike" '[ "$(rows text.zst | wc -l)" = 61 ] && [ "$(rows text.zst)" = "$(rows packed.1.zst)" ]'
t_cmp "container: the same bytes for -@ 1 and 2" packed.1.zst packed.2.zst
t_cmp "and 3" packed.1.zst packed.3.zst
grn-aucell -q --no-pg $small -o packed.s.zst shuffled.zst
t_true "and for any order of cells and genes" '[ "$(rows packed.1.zst)" = "$(rows packed.s.zst)" ]'
t_true "a container through a pipe" "cat ties.zst | grn-aucell -q --no-pg $small - -o pipe.zst && [ \"\$(rows pipe.zst)\" = \"\$(rows text.zst)\" ]"
head -c $(($(stat -c %s ties.zst) - 100)) ties.zst >cut.zst
rm -f x.zst
t_exit 1 "grn-aucell*'cut.zst' is truncated*" "cut container" grn-aucell $small -o x.zst cut.zst
t_true "and through a pipe" "! cat cut.zst | grn-aucell $small -o x.zst - 2>e && grep -q truncated e && [ ! -e x.zst ]"
cp ties.zst flip.zst
printf '\377\377\377' | dd of=flip.zst bs=1 seek=$(($(stat -c %s ties.zst) / 2)) conv=notrunc 2>dd.err
t_exit 1 "grn-aucell*'flip.zst' is damaged*" "changed container" grn-aucell $small -o x.zst flip.zst
t_true "no output of either" "[ ! -e x.zst ]"
awk 'BEGIN { srand(5); printf "cell"; for (g = 0; g < 100; g++) printf ",g%03d", g; print ""
    for (c = 0; c < 9000; c++) { printf "c%d", c; for (g = 0; g < 100; g++) printf ",%d", rand() < 0.1 ? 1 + int(rand() * 3) : 0; print "" } }' >many.csv
grn-view import -q -o many.zst many.csv
grn-aucell -q --no-pg -@ 2 $small -o many1.zst many.zst
grn-view -q --cell c8999 -O tsv many1.zst | sort >last.tsv
head -n 1 many.csv >one.csv && tail -n 1 many.csv >>one.csv
grn-aucell -q $small -o one.zst one.csv
t_true "a cell behind several blocks scores as it does alone" '[ "$(wc -l <last.tsv)" = 2 ] && [ "$(cat last.tsv)" = "$(rows one.zst)" ]'

# attributes of cells are carried through, of a table joined to a container as well
awk 'BEGIN { print "barcode\tcell_type\tdonor"; for (c = 0; c < 60; c++) printf "c%02d\tt%d\td%d\n", c, c % 7, c % 2 }' >two.tsv
for f in ties.csv ties.zst; do
    grn-aucell -q $small --cells two.tsv -o attr.zst $f
    t_true "cell types and donors of $f" "grn-view -q -H attr.zst >head.txt && grep -q row.cell_type head.txt && grep -q row.donor head.txt &&
        [ \"\$(grn-view -q --where donor=d1 -O tsv attr.zst | grep -c '^c')\" = 31 ]"
done
t_ok "grn-threshold reads it" grn-threshold -q -o attr.on.zst attr.zst

# several files of sets
printf 'more\tx\tg000\tg001\tg002\n' >more.gmt
printf 'source\ttarget\tweight\nT1\tg000\t1\nT1\tg003\t0.5\nT2\tg007\t2\nT2\tg008\t1\nT2\tg009\t0.25\n' >net.tsv
grn-view import -q --from network -o net.edges.zst net.tsv
ran "GMT, GMT and edges" grn-aucell --top-frac 0.2 -r small.gmt -r more.gmt -r net.edges.zst -o multi.zst ties.csv
t_out "are scored together, in the order of names" "cell T1 T2 a b c more" bash -c "grn-view -q -O tsv multi.zst | head -n 1 | tr '\t' ' '"
grn-aucell -q $small -o only.zst ties.csv
t_true "as they are alone" '[ "$(grn-view -q -O tsv multi.zst | cut -f 1,4-6)" = "$(grn-view -q -O tsv only.zst)" ]'
printf 'b\tx\tg001\tg002\n' >again.v2.gmt
t_exit 1 "grn-aucell*the set 'b' is in 'small.gmt' and in 'again.v2.gmt'*--set-file*" "the same set twice" grn-aucell $small -r again.v2.gmt -o x.zst ties.csv
ran "told apart by their files" grn-aucell $small -r again.v2.gmt --set-file -o x.zst ties.csv
t_out "FILE:SET" "cell again:b small:a small:b small:c" bash -c "grn-view -q -O tsv x.zst | head -n 1 | tr '\t' ' '"
t_exit 2 "grn-aucell*only one of them can be stdin*" "stdin twice" grn-aucell -r - -r - -o y.zst ties.csv
t_exit 2 "grn-aucell*--weights*small.gmt*GMT*" "weights where one file has none" grn-aucell --weights -r net.edges.zst -r small.gmt -o y.zst ties.csv

# --compat: a column of zeros, one order of the genes, nats
ran "pySCENIC's way" grn-aucell --compat -r lossy.gmt --cells types.tsv --rss compat.tsv -o compat.zst ranks.csv
t_true "a set that lost genes is zero" "grep -q '4 of 4 sets' log && grep -q '3 of 4 sets zeros: too small a share' log && [ \"\$(grn-view -q -O tsv compat.zst | head -n 2 | tail -n 1 | cut -f 2-)\" = '0	0.7	0	0' ]"
t_near "RSS in nats starts at 1 - sqrt(ln 2)" "$(awk -F'\t' '$1 == "two" && $2 == "good" { print $3 }' compat.tsv)" 0.167445 0.000001
t_near "and ends at 1" "$(awk -F'\t' '$1 == "one" && $2 == "good" { print $3 }' compat.tsv)" 1 0.000001
head -n 2 ties.csv >same.csv && sed -n 's/^c00,/c99,/p' ties.csv >>same.csv && sed -n 's/^c30,/c30,/p;s/^c30,/c98,/p' ties.csv >>same.csv
grn-aucell -q --compat $small -o same1.zst same.csv
grn-aucell -q --ties random $small -o same2.zst same.csv
t_true "cells with the same counts score alike, unlike with an order for each" "[ \"\$(grn-view -q -O tsv same1.zst | tail -n +2 | cut -f 2- | sort -u | wc -l)\" -lt \"\$(grn-view -q -O tsv same2.zst | tail -n +2 | cut -f 2- | sort -u | wc -l)\" ]"
for n in 1 2; do grn-aucell -q --no-pg -@ $n --compat $small -o compat.$n.zst ties.csv; done
t_cmp "compat: the same bytes for -@ 1 and 2" compat.1.zst compat.2.zst
t_exit 2 "grn-aucell*--compat*--norm python*" "compat and attainable" grn-aucell --compat --norm attainable -r small.gmt -o y.zst ties.csv

# regions: of counts, and of a model whose matrix is never made
grn-sim -q --cells 200 -o sim2
grn-build count -q -r sim2/regions.bed sim2/fragments.tsv.gz -o atac.zst
grn-build topics -q -k 3 -o topics.zst atac.zst
ran "regions of counts" grn-aucell -r sim2/truth.edges.zst --cells sim2/cells.tsv -o ra.zst --rss ra.tsv atac.zst
t_true "are found by the columns" "grep -q '45 of 45 sets, 4000 regions' log"
ran "regions of a model" grn-aucell -r sim2/truth.edges.zst --cells sim2/cells.tsv -o rm.zst --rss rm.tsv topics.zst
t_true "all of them" "grep -q '45 of 45 sets, 4000 regions' log && grep -q 'lda of 200 cells x 4000 regions, rank 3' log"
for n in 1 2; do grn-aucell -q --no-pg -@ $n -r sim2/truth.edges.zst -o rm.$n.zst topics.zst; done
t_cmp "model: the same bytes for -@ 1 and 2" rm.1.zst rm.2.zst
tail -n +2 sim2/cells.tsv | cut -f 1 >barcodes.txt
cut -f 1 sim2/regions.bed | sort -u | sed 's/$/:0-999999999/' >whole.txt
grn-view -q --region @whole.txt --cell @barcodes.txt topics.zst >access.tsv
grn-aucell -q -r sim2/truth.edges.zst -o rd.zst access.tsv
t_true "a model scores as the matrix it stands for" '[ "$(rows rm.1.zst | wc -l)" = 201 ] && [ "$(rows rm.1.zst)" = "$(rows rd.zst)" ]'
t_true "through a pipe too" 'cat topics.zst | grn-aucell -q -r sim2/truth.edges.zst -o rp.zst - && [ "$(rows rp.zst)" = "$(rows rd.zst)" ]'
t_ok "grn-threshold reads regions' scores" grn-threshold -q -o rm.on.zst rm.zst
t_true "with its cells and cell types" "[ \"\$(grn-view -q -O tsv rm.on.zst | grep -vc '^#')\" = 201 ] && grn-view -q -H rm.zst | grep -q row.cell_type"
ran "pycisTopic's whole numbers" grn-aucell --compat -r sim2/truth.edges.zst -o rc.zst topics.zst
grn-view -q -O tsv sim2/truth.edges.zst | awk -F'\t' 'NR > 1 && !seen[$2, $4]++ { s[$2] = s[$2] "\t" $4 } END { for (k in s) print k "\tx" s[k] }' | sort >regions.gmt
grn-aucell -q -r regions.gmt -o rg.zst topics.zst
t_true "regions listed in a GMT" '[ "$(rows rg.zst)" = "$(rows rm.1.zst)" ]'
sed '1s/\(chr[0-9]*\):/\1-/g' access.tsv >dashes.tsv
grn-aucell -q --target region -r sim2/truth.edges.zst -o rd2.zst dashes.tsv
t_true "chrom-start-end is the same region" '[ "$(rows rd2.zst)" = "$(rows rd.zst)" ]'
t_exit 3 "grn-aucell*0 of * genes of 'sim2/truth.edges.zst' are in the matrix*" "genes are not looked for by default" grn-aucell --target gene -r sim2/truth.edges.zst -o y.zst atac.zst
sed 's/chr1:[0-9]*/chr1:7/g' regions.gmt >elsewhere.gmt
ran "regions that are not there" grn-aucell --min-present 0.1 --report fate.tsv -r elsewhere.gmt -o y.zst topics.zst
t_true "are reported" "awk -F'\t' 'NR > 1 && \$3 < \$2 { n++ } END { exit !(n > 0) }' fate.tsv"
t_exit 1 "grn-aucell*has no region column*" "edges without regions" grn-aucell --target region -r net.edges.zst -o y.zst topics.zst

# parity with ctxcore and pySCENIC
if [ -n "${SANITIZED:-}" ]; then
    t_skip "aucell.t: parity with ctxcore" "done in the plain run"
elif python3 -c 'import ctxcore.recovery, pandas' 2>/dev/null; then
    awk 'BEGIN { srand(9); printf "cell"; for (g = 0; g < 1010; g++) printf ",g%04d", g; print ""
        for (c = 0; c < 40; c++) { printf "c%02d", c; for (g = 0; g < 1010; g++) printf ",%.7f", rand() < 0.2 ? 1 + rand() * 8 : 0; print "" } }' >float.csv
    awk 'BEGIN { srand(10); for (s = 0; s < 30; s++) { printf "s%02d\tx", s; for (k = 0; k < 5 + s; k++) printf "\tg%04d", int(rand() * 1010); if (s % 7 == 3) printf "\tno1\tno2\tno3\tno4\tno5"; print "" } }' |
        awk -F'\t' '{ printf "%s\tx", $1; split("", seen); for (i = 3; i <= NF; i++) if (!seen[$i]++) printf "\t%s", $i; print "" }' >float.gmt
    awk 'BEGIN { srand(11); print "source\ttarget\tweight"; for (s = 0; s < 10; s++) for (k = 0; k < 20 + s; k++) printf "T%d\tg%04d\t%.6f\n", s, s * 97 % 500 + k * 11, 0.01 + rand() }' >float.tsv
    grn-view import -q --from network -o float.edges.zst float.tsv
    grn-view -q -O tsv float.edges.zst >float.edges.tsv
    grn-aucell -q -r float.gmt -o p1.zst float.csv && grn-view -q -O tsv p1.zst >p1.tsv
    grn-aucell -q --weights -r float.edges.zst -o p2.zst float.csv && grn-view -q -O tsv p2.zst >p2.tsv
    grn-aucell -q --compat -r float.gmt -o p3.zst float.csv && grn-view -q -O tsv p3.zst >p3.tsv
    ran "scores, lost sets and weights agree with ctxcore" python3 -W ignore "$SRC/tests/parity/aucell_ctxcore.py" float.csv float.gmt float.edges.tsv p1.tsv p2.tsv p3.tsv
    cat out
else
    t_skip "aucell.t: parity with ctxcore" "python3 with ctxcore, pandas absent"
fi

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
